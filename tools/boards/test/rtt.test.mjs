import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Probe } from '../src/rtt.mjs';

const [BLOCK, BUFFER, SIZE] = [0x20, 0x80, 8];
const [WRITE, READ] = [BLOCK + 36, BLOCK + 40];

/** Memory of 256 bytes from address 0, as a chip reads and writes it. */
class Memory {
  view = new DataView(new ArrayBuffer(256));
  readUint8(address) {
    return this.view.getUint8(address);
  }
  readUint32(address) {
    return this.view.getUint32(address, true);
  }
  writeUint32(address, value) {
    this.view.setUint32(address, value, true);
  }
  /** What firmware does when it starts. */
  make() {
    [...'SEGGER RTT'].forEach((letter, at) => this.view.setUint8(BLOCK + at, letter.charCodeAt(0)));
    this.writeUint32(BLOCK + 28, BUFFER);
    this.writeUint32(BLOCK + 32, SIZE);
  }
  /** What it does to say bytes. */
  say(...bytes) {
    for (const byte of bytes) {
      const at = this.readUint32(WRITE);
      this.view.setUint8(BUFFER + at, byte);
      this.writeUint32(WRITE, (at + 1) % SIZE);
    }
  }
}

function probe(memory) {
  const found = new Probe(BLOCK);
  found.watch(memory);
  return found;
}

test('a probe fetches around the ring, once the firmware has made it', () => {
  const memory = new Memory();
  const found = probe(memory);
  found.fetch();
  assert.equal(found.take(), '');
  memory.make();
  memory.say(65, 66, 67, 68, 69, 70);
  found.fetch();
  memory.say(0, 255, 71, 72);
  found.fetch();
  assert.equal(found.take(), 'ABCDEF\0\u00ffGH');
  assert.equal(memory.readUint32(READ), 2);
  found.fetch();
  assert.equal(found.take(), '');
});

test('offsets beyond the ring are an error', () => {
  const memory = new Memory();
  memory.make();
  memory.writeUint32(WRITE, SIZE);
  assert.throws(() => probe(memory).fetch(), /not within its 8 bytes/);
});
