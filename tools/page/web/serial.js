// What the board says: a log, and the draws in it.

/** The most characters of the log. */
const KEPT = 20_000;

export class Serial {
  #log;
  #on;
  #rest = '';
  #draw = null;

  /** `on.onDraw`, `on.onDone` get a draw: its words, wishes by name, digests, milliseconds; `on.onError` a line. */
  constructor(log, on) {
    [this.#log, this.#on] = [log, on];
  }

  /** Takes more text of the line. */
  hear(text) {
    const log = this.#log;
    const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
    log.textContent = (log.textContent + text.replaceAll('\r', '')).slice(-KEPT);
    if (isAtEnd) log.scrollTop = log.scrollHeight;
    const lines = (this.#rest + text).split('\r\n');
    this.#rest = lines.pop();
    for (const line of lines) this.#line(line);
  }

  #line(line) {
    const begun = line.match(/^draw (seed=(\d+) class=(\S+) plan=(\S+))$/);
    const step = line.match(/^step (\d+) digest ([0-9a-f]{8}) /);
    const done = line.match(/^done (.*): (\d+) ms$/);
    if (begun) {
      const [, words, seed, name, plan] = begun;
      this.#draw = { words, wishes: { seed, class: name, plan }, digests: [] };
      this.#on.onDraw(this.#draw);
    } else if (step && this.#draw) {
      this.#draw.digests[Number(step[1]) - 1] = step[2];
    } else if (done && this.#draw?.words === done[1]) {
      this.#on.onDone({ ...this.#draw, millis: Number(done[2]) });
      this.#draw = null;
    } else if (line.startsWith('error: ')) {
      this.#on.onError(line.slice('error: '.length));
    }
  }
}
