// Requests to a worker, and their answers in order of their numbers.

export class Requests {
  #url;
  #worker;
  #open = new Map();
  #last = 0;

  constructor(url) {
    this.#url = url;
    this.#start();
  }

  #start() {
    this.#worker = new Worker(this.#url, { type: 'module' });
    this.#worker.onmessage = ({ data: { id, event, error, value } }) => {
      const request = this.#open.get(id);
      if (request === undefined) return;
      if (event !== undefined) return request.onEvent(event);
      this.#open.delete(id);
      if (error === undefined) request.resolve(value);
      else request.reject(new Error(error));
    };
    this.#worker.onerror = ({ message }) => this.#fail(message ?? 'the worker could not be loaded');
  }

  /** Asks for `message.do`; `onEvent` gets what comes before the answer. Rejects with a line that says what is wrong. */
  ask(message, onEvent = () => {}) {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject, onEvent });
      this.#worker.postMessage({ ...message, id });
    });
  }

  /** Ends what runs; everything that was asked for is rejected. */
  restart() {
    this.#worker.terminate();
    this.#fail('stopped');
    this.#start();
  }

  #fail(message) {
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const { reject } of open) reject(new Error(message));
  }
}

/** The worker's side: answers each message with what the function of that name returns. */
export function answer(functions) {
  onmessage = async ({ data: { id, do: name, ...message } }) => {
    const tell = (event, transfer = []) => postMessage({ id, event }, transfer);
    try {
      postMessage({ id, value: (await functions[name](message, tell)) ?? null });
    } catch (error) {
      postMessage({ id, error: error.message });
    }
  };
}
