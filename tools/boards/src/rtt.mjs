// A debug probe that fetches what a firmware says by RTT (Real-Time Transfer): from a ring in its memory, while it runs.

/** "SEGGER RTT" and six zeros, as words. */
const ID = [0x47474553, 0x52205245, 0x00005454, 0];
/** Of the control block's first channel up: buffer, size, where the firmware writes next, where the probe reads next. */
const [BUFFER, SIZE, WRITE, READ] = [28, 32, 36, 40];

export class Probe {
  /** Of a block at this address. */
  constructor(address) {
    this.address = address;
    this.text = '';
  }

  /** Of this chip's memory. After a reset that is a new one, in which the firmware makes its block anew. */
  watch(chip) {
    this.chip = chip;
  }

  #word(offset) {
    return this.chip.readUint32(this.address + offset);
  }

  /** Takes what there is; nothing before the firmware has made the block. */
  fetch() {
    if (ID.some((word, index) => this.#word(4 * index) !== word)) return;
    const [buffer, size, write] = [BUFFER, SIZE, WRITE].map((offset) => this.#word(offset));
    let read = this.#word(READ);
    if (Math.max(read, write) >= size) {
      throw new Error(`RTT's offsets ${write} and ${read} are not within its ${size} bytes`);
    }
    for (; read !== write; read = (read + 1) % size) {
      this.text += String.fromCharCode(this.chip.readUint8(buffer + read));
    }
    this.chip.writeUint32(this.address + READ, write);
  }

  /** What it has fetched since it was asked last, a byte a character. */
  take() {
    const text = this.text;
    this.text = '';
    return text;
  }
}
