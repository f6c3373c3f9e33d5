// A boot ROM of our own for the RP2040, from the second-stage boot loader on. The functions that firmware looks up are
// breakpoints that the model carries out. What the vendor's ROM does at reset (BOOTSEL, checksum of the second stage) is
// not part of it.

/** Names of two characters, as the data sheet's section 2.8.3 lists them: memcpy and memset. */
const NAMES = ['MC', 'C4', 'MS', 'S4'];
const LOOK_UP = 0x80;
const FUNCTIONS = 0x90;
const BX_LR = 0x4770;
const BKPT = 0xbe00;

const tag = (name) => name.charCodeAt(0) | (name.charCodeAt(1) << 8);

/** The ROM's words. */
export function rom() {
  const half = new Uint16Array(8192);
  const put = (address, ...values) => half.set(values, address >> 1);
  put(0x00, 0x1f00, 0x2004); // the stack of the second stage
  put(0x10, 0x754d, 0x0201); // magic, and the ROM's version 2
  put(0x14, 0x40, 0x40, LOOK_UP | 1); // tables of functions and data, and the function that looks things up
  put(LOOK_UP, BKPT | LOOK_UP, BX_LR);
  NAMES.forEach((_, index) => put(FUNCTIONS + 4 * index, BKPT | (FUNCTIONS + index), BX_LR));
  return new Uint32Array(half.buffer);
}

/** Carries out breakpoint `code` of the ROM on `chip`; throws an error for another one. */
export function serve(chip, code) {
  const registers = chip.core.registers;
  const [r0, r1, r2] = registers;
  if (code === LOOK_UP) {
    const index = NAMES.findIndex((name) => tag(name) === (r1 & 0xffff));
    if (index < 0) {
      throw new Error(`the ROM has no function ${String.fromCharCode(r1 & 0xff, (r1 >> 8) & 0xff)} in this model`);
    }
    registers[0] = (FUNCTIONS + 4 * index) | 1;
    return;
  }
  const name = NAMES[code - FUNCTIONS];
  if (name === undefined) throw new Error(`breakpoint ${code}`);
  for (let i = 0; i < r2; i++) chip.writeUint8(r0 + i, name[0] === 'S' || name === 'MS' ? r1 & 0xff : chip.readUint8(r1 + i));
}
