import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parts } from '../src/image.mjs';

/** A UF2 block of `bytes` at `address`. */
function block(address, bytes) {
  const data = new Uint8Array(512);
  const view = new DataView(data.buffer);
  [0x0a324655, 0x9e5d5157, 0x2000, address, bytes.length, 0, 1, 0xe48bff56].forEach((word, i) =>
    view.setUint32(4 * i, word, true),
  );
  data.set(bytes, 32);
  view.setUint32(508, 0x0ab16f30, true);
  return data;
}

test('UF2 blocks are parts', () => {
  const file = new Uint8Array([...block(0x10000000, [1, 2]), ...block(0x10000100, [3])]);
  assert.deepEqual(parts(file).map(([at, bytes]) => [at, [...bytes]]), [[0x10000000, [1, 2]], [0x10000100, [3]]]);
});

test('damaged and cut off UF2 files are refused', () => {
  const file = new Uint8Array([...block(0x10000000, [1]), ...block(0x10000100, [2])]);
  assert.throws(() => parts(file.subarray(0, 700)), /block 1 is damaged/);
  file[510] ^= 1;
  assert.throws(() => parts(file), /block 0 is damaged/);
});

test('ELF files are loaded where their physical addresses say', () => {
  const file = new Uint8Array(52 + 2 * 32 + 3);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0x7f454c46);
  view.setUint32(28, 52, true);
  view.setUint16(42, 32, true);
  view.setUint16(44, 2, true);
  const header = (at, words) => words.forEach((word, i) => view.setUint32(at + 4 * i, word, true));
  header(52, [1, 116, 0x20000000, 0x10000100, 3, 8]);
  header(84, [1, 116, 0x20000100, 0x20000100, 0, 64]);
  file.set([7, 8, 9], 116);
  assert.deepEqual(parts(file).map(([at, bytes]) => [at, [...bytes]]), [[0x10000100, [7, 8, 9]]]);
});

test('anything else is refused', () => {
  assert.throws(() => parts(new Uint8Array(600)), /neither/);
  assert.throws(() => parts(new Uint8Array(0)), /neither/);
});
