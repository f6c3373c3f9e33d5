// An SSD1306 display of 128x64 dots, as the bus sees it and as its glass shows it.

/** How many bytes follow a command. */
const ARGUMENTS = new Map([
  [0x20, 1], [0x21, 2], [0x22, 2], [0x81, 1], [0x8d, 1], [0xa8, 1], [0xd3, 1], [0xd5, 1], [0xd9, 1], [0xda, 1], [0xdb, 1],
]);
/** Commands that change nothing that this model shows: contrast, lines, clocks, voltages, no scrolling, no operation. */
const IGNORED = [0x2e, 0x81, 0xa4, 0xa5, 0xa8, 0xd3, 0xd5, 0xd9, 0xda, 0xdb, 0xe3];

export class Ssd1306 {
  constructor() {
    this.ram = new Uint8Array(1024);
    this.bytes = 0;
    /** Commands that it does not know. */
    this.unknown = new Set();
    this.isOn = this.hasPump = this.isInverted = this.isRemapped = this.isFlipped = false;
    // Page addressing after a reset.
    this.mode = 2;
    this.columns = [0, 127];
    this.pages = [0, 7];
    this.column = this.page = 0;
    this.missing = 0;
    this.start();
  }

  /** A transfer begins: a control byte comes first. */
  start() {
    this.control = null;
  }

  /** Takes a byte of a transfer. */
  write(byte) {
    this.bytes++;
    if (this.control === null) {
      this.control = byte;
      return;
    }
    if (this.control & 0x40) this.#data(byte);
    else this.#command(byte);
    // "Continuation": another control byte follows.
    if (this.control & 0x80) this.control = null;
  }

  /** Whether a dot of the glass is lit, as the usual module is mounted; (0, 0) is at the top left. */
  isLit(x, y) {
    if (!this.isOn || !this.hasPump) return false;
    const column = this.isRemapped ? x : 127 - x;
    const row = this.isFlipped ? y : 63 - y;
    const bit = (this.ram[(row >> 3) * 128 + column] >> (row & 7)) & 1;
    return bit === (this.isInverted ? 0 : 1);
  }

  /** The glass: 64 rows of 128 characters, # where it is lit. */
  rows() {
    const row = (y) => Array.from({ length: 128 }, (_, x) => (this.isLit(x, y) ? '#' : '.')).join('');
    return Array.from({ length: 64 }, (_, y) => row(y));
  }

  #data(byte) {
    this.ram[this.page * 128 + this.column] = byte;
    if (this.mode === 2) {
      this.column = (this.column + 1) & 127;
    } else if (this.mode === 0) {
      if (this.column++ === this.columns[1]) {
        this.column = this.columns[0];
        this.page = this.page === this.pages[1] ? this.pages[0] : this.page + 1;
      }
    } else if (this.page++ === this.pages[1]) {
      this.page = this.pages[0];
      this.column = this.column === this.columns[1] ? this.columns[0] : this.column + 1;
    }
    this.page &= 7;
    this.column &= 127;
  }

  #command(byte) {
    if (this.missing === 0) {
      this.operation = byte;
      this.values = [];
      this.missing = ARGUMENTS.get(byte) ?? 0;
    } else {
      this.values.push(byte);
      this.missing--;
    }
    if (this.missing === 0) this.#execute(this.operation, this.values);
  }

  #execute(operation, [a, b]) {
    if (operation < 0x10) this.column = (this.column & 0x70) | operation;
    else if (operation < 0x20) this.column = (this.column & 0x0f) | ((operation & 7) << 4);
    else if (operation === 0x20) this.mode = a & 3;
    else if (operation === 0x21) [this.columns, this.column] = [[a & 127, b & 127], a & 127];
    else if (operation === 0x22) [this.pages, this.page] = [[a & 7, b & 7], a & 7];
    else if (operation === 0x8d) this.hasPump = (a & 4) !== 0;
    else if (operation === 0xa0 || operation === 0xa1) this.isRemapped = operation === 0xa1;
    else if (operation === 0xa6 || operation === 0xa7) this.isInverted = operation === 0xa7;
    else if (operation === 0xae || operation === 0xaf) this.isOn = operation === 0xaf;
    else if (operation >= 0xb0 && operation <= 0xb7) this.page = operation & 7;
    else if (operation === 0xc0 || operation === 0xc8) this.isFlipped = operation === 0xc8;
    else if (operation >= 0x40 && operation < 0x80) return; // the first line, which nobody moves here
    else if (!IGNORED.includes(operation)) this.unknown.add(operation);
  }
}
