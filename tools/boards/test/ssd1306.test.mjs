import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ssd1306 } from '../src/ssd1306.mjs';

/** Sends transfers: arrays of bytes, the control byte first. */
function send(display, ...transfers) {
  for (const bytes of transfers) {
    display.start();
    bytes.forEach((byte) => display.write(byte));
  }
}

/** On, with its pump, mounted as usual. */
function mounted() {
  const display = new Ssd1306();
  send(display, [0x00, 0x8d, 0x14, 0xa1, 0xc8, 0xaf]);
  return display;
}

const lit = (display) => display.rows().flatMap((row, y) => [...row].flatMap((dot, x) => (dot === '#' ? [[x, y]] : [])));

test('a bit is a dot: least significant on top, pages of eight rows', () => {
  const display = mounted();
  send(display, [0x00, 0x20, 0x00, 0x21, 5, 127, 0x22, 1, 7], [0x40, 0b1000_0001, 0b10]);
  assert.deepEqual(lit(display), [[5, 8], [6, 9], [5, 15]]);
});

test('horizontal addressing goes on in the next page, and wraps', () => {
  const display = mounted();
  send(display, [0x00, 0x20, 0x00, 0x21, 126, 127, 0x22, 6, 7], [0x40, 1, 1, 1, 1, 2]);
  assert.deepEqual(lit(display), [[127, 48], [126, 49], [126, 56], [127, 56]]);
});

test('page addressing stays in its page', () => {
  const display = mounted();
  send(display, [0x00, 0x20, 0x02, 0xb3, 0x0f, 0x17], [0x40, 1, 1]);
  assert.deepEqual(lit(display), [[0, 24], [127, 24]]);
});

test('vertical addressing goes on in the next column', () => {
  const display = mounted();
  send(display, [0x00, 0x20, 0x01, 0x21, 3, 4, 0x22, 0, 1], [0x40, 1, 1, 1]);
  assert.deepEqual(lit(display), [[3, 0], [4, 0], [3, 8]]);
});

test('the glass is dark while off or without its pump, and can be inverted', () => {
  const display = mounted();
  send(display, [0x40, 1]);
  assert.equal(lit(display).length, 1);
  send(display, [0x00, 0xa7]);
  assert.equal(lit(display).length, 128 * 64 - 1);
  send(display, [0x00, 0xae]);
  assert.equal(lit(display).length, 0);
  send(display, [0x00, 0xaf, 0x8d, 0x10]);
  assert.equal(lit(display).length, 0);
});

test('a continuation bit brings another control byte', () => {
  const display = mounted();
  send(display, [0x80, 0x20, 0x80, 0x00, 0x40, 1]);
  assert.deepEqual(lit(display), [[0, 0]]);
});

test('a command that it does not know is told', () => {
  const display = mounted();
  assert.deepEqual([...display.unknown], []);
  send(display, [0x00, 0xf7]);
  assert.deepEqual([...display.unknown], [0xf7]);
});
