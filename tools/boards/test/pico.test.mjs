import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pico } from '../src/pico.mjs';

const FLASH = 0x10000000;
const BREAK_9 = 0xbe09;
const STOP = 0xe7fe; // b .

/** A board with these halfwords at the beginning of its flash, where the second stage is else. */
function board(...code) {
  return new Pico([[FLASH, new Uint8Array(Uint16Array.from(code).buffer)]]);
}

/** Words for `ldr rN, [pc, #offset]`, a register and a word to load. */
const load = (register, words) => 0x4800 | (register << 8) | words;

test('a run ends at its limits of instructions and of time', () => {
  const pico = board(STOP);
  assert.equal(pico.run(() => false, { instructions: 10_000 }), 'limit');
  assert.ok(pico.instructions >= 10_000 && pico.instructions < 20_000);
  assert.equal(pico.run(() => false, { micros: 1000 }), 'limit');
  assert.equal(pico.slept, 0);
  assert.equal(pico.run(() => true), 'done');
});

test('a breakpoint that is no function of the ROM is an error', () => {
  assert.throws(() => board(BREAK_9).run(() => false, { instructions: 100 }), /breakpoint 9/);
});

test('a core that nothing wakes is told, and with a limit of time its sleep passes', () => {
  const wfi = 0xbf30;
  assert.equal(board(wfi, STOP).run(() => false), 'asleep for good');
  const pico = board(wfi, STOP);
  assert.equal(pico.run(() => false, { micros: 5_000_000 }), 'limit');
  assert.ok(pico.nanos >= 5e9 && pico.instructions < 10);
  assert.ok(pico.slept > 4.999e9 && pico.slept <= pico.nanos);
});

test('an event keeps the core from sleeping', () => {
  const [sev, wfe] = [0xbf40, 0xbf20];
  assert.throws(() => board(sev, wfe, BREAK_9).run(() => false), /breakpoint 9/);
  assert.equal(board(wfe, BREAK_9).run(() => false), 'asleep for good');
});

test('what is written to the UART is said', () => {
  // r0 = UART0's data register, r1 = 'A': str r1, [r0]
  const pico = board(load(0, 1), 0x2141, 0x6001, STOP, 0x4000, 0x4003);
  assert.equal(pico.run(() => pico.said.uart !== '', { instructions: 100_000 }), 'done');
  assert.equal(pico.said.uart, 'A');
});

test('the button pulls its pin down', () => {
  const pico = board(STOP);
  const pin = () => pico.chip.gpio[15].rawInputValue;
  assert.equal(pin(), true);
  pico.button(true);
  assert.equal(pin(), false);
  pico.button(false);
  assert.equal(pin(), true);
});

test('the watchdog resets all but the flash, and says that it did', () => {
  const pico = board(STOP);
  const watchdog = () => pico.chip.peripherals[0x40058];
  pico.chip.writeUint32(0x20000000, 7);
  watchdog().writeUint32(0x04, 2 * 1000);
  watchdog().writeUint32(0x00, 1 << 30);
  pico.run(() => pico.resets > 0, { micros: 10_000 });
  assert.equal(pico.resets, 1);
  assert.ok(pico.nanos >= 0.9e6 && pico.nanos < 2e6, `${pico.nanos}`);
  assert.equal(watchdog().readUint32(0x08), 1);
  assert.equal(pico.chip.readUint32(0x20000000), 0);
  assert.equal(pico.chip.readUint16(FLASH), STOP);
  assert.equal(pico.run(() => pico.resets > 1, { micros: 10_000 }), 'limit');
});

test('firmware beyond the flash is refused', () => {
  assert.throws(() => new Pico([[0x20000000, new Uint8Array(1)]]), /20000000/);
});
