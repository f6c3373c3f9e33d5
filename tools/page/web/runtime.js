// The runtime as WebAssembly: the other side of `src/lib.rs`. It runs wherever JavaScript does.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Runtime {
  #exports;
  #onStep = () => {};

  /** Of a compiled module, or of its bytes. */
  static async load(module) {
    const runtime = new Runtime();
    const step = (number, timestep, digest, address, length) => {
      const believed = new Float32Array(runtime.#exports.memory.buffer, address, length).slice();
      runtime.#onStep({ number, timestep, digest: (digest >>> 0).toString(16).padStart(8, '0'), believed });
    };
    const compiled = module instanceof WebAssembly.Module ? module : await WebAssembly.compile(module);
    runtime.#exports = (await WebAssembly.instantiate(compiled, { page: { step } })).exports;
    return runtime;
  }

  /** Every board: `[{name, title}]`. */
  boards() {
    return this.#json('boards');
  }

  /** Opens a model file and returns its report, as `trainer inspect --json` has it. Throws what is wrong with it. */
  open(bytes) {
    return this.#json('open', bytes);
  }

  /** How the open model fits the board of this name. */
  fit(board) {
    return this.#json('fit', encoder.encode(board));
  }

  /**
   * Draws one image: `{plan, seed, image, class, guidance, two_evaluations}`. `onStep` gets number, timestep, digest
   * and the believed x0 of every step. Returns the sample, HWC.
   */
  draw(request, onStep = () => {}) {
    this.#onStep = onStep;
    const result = this.#call('draw', encoder.encode(JSON.stringify(request)));
    return new Float32Array(result.slice().buffer);
  }

  #json(name, input) {
    return JSON.parse(decoder.decode(this.#call(name, input)));
  }

  /** The result's bytes, which lie in the module's memory until the next call. */
  #call(name, input = new Uint8Array()) {
    const { memory, input: room, output, [name]: run } = this.#exports;
    const address = room(input.length) >>> 0;
    if (address === 0) throw new Error(`there is no memory for ${input.length} bytes here`);
    new Uint8Array(memory.buffer, address, input.length).set(input);
    const length = run();
    const bytes = new Uint8Array(memory.buffer, output() >>> 0, length < 0 ? -1 - length : length);
    if (length < 0) throw new Error(decoder.decode(bytes));
    return bytes;
  }
}
