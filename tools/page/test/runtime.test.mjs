// The module without a browser: every shipped model's goldens, and what it refuses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Runtime } from '../web/runtime.js';
import { expected, pageFile } from './site.mjs';

const runtime = await Runtime.load(pageFile('brownian.wasm'));
const file = (name) => pageFile(`models/${name}.brn`);
const plain = { image: 0, class: '', guidance: null, two_evaluations: false };

/** The digests of a draw that the host has made, too. */
function digests({ plan, seed, class: name, guidance }) {
  const found = [];
  const request = { ...plain, plan, seed: String(seed), class: name, guidance, two_evaluations: guidance !== null };
  const sample = runtime.draw(request, ({ digest }) => found.push(digest));
  return [found, sample];
}

test("every shipped model's digests are the host's", () => {
  let [open, steps] = ['', 0];
  for (const draw of expected.models) {
    if (draw.model !== open) runtime.open(file((open = draw.model)));
    assert.deepEqual(digests(draw)[0], draw.digests, `${draw.model}, plan ${draw.plan}, seed ${draw.seed}`);
    steps += draw.digests.length;
  }
  assert.ok(steps > 1000, `${steps} steps`);
});

test('guidance by two evaluations gives the digests of the host', () => {
  runtime.open(file('digits28'));
  assert.deepEqual(digests(expected.guided)[0], expected.guided.digests);
});

test('a sample and the last step of a plan without noise agree', () => {
  const report = runtime.open(file('digits28'));
  assert.deepEqual(report.shape, [28, 28, 1]);
  let last;
  const sample = runtime.draw({ ...plain, plan: 'fast5', seed: '7', class: '3' }, (step) => (last = step));
  assert.deepEqual(last.believed, sample);
  assert.equal(last.number, 5);
});

test('what is no model is refused in the words of the library', () => {
  const good = file('digits28');
  const version = Uint8Array.from(good);
  version[4] ^= 0x40;
  const damaged = Uint8Array.from(good);
  damaged[100_000] ^= 1;
  for (const [bytes, words] of [
    [new Uint8Array(), /should have 32 bytes but has 0/],
    [pageFile('index.html'), /not a Brownian model/],
    [good.subarray(0, 5000), /should have 144908 bytes but has 5000; it was cut off/],
    [version, /version/],
    [damaged, /checksum/],
  ]) {
    assert.throws(() => runtime.open(bytes), (error) => words.test(error.message) && !error.message.includes('\n'));
    // Nothing of the model before is left.
    assert.throws(() => runtime.fit('pico'), /no model is open/);
  }
});

test('what cannot be drawn is refused', () => {
  runtime.open(file('digits28'));
  const usual = { ...plain, plan: 'fast5', seed: '1' };
  const refused = (wish, words) => assert.throws(() => runtime.draw({ ...usual, ...wish }), words);
  refused({ plan: 'fast7' }, /no plan 'fast7'; it has ddim50, fast10, fast5, fast3/);
  refused({ seed: '-1' }, /no seed "-1": give a whole number/);
  refused({ seed: '18446744073709551616' }, /no seed/);
  refused({ class: '12' }, /no class "12"; it has 0, 1/);
  refused({ image: -1 }, /invalid value/);
  refused({ colour: 1 }, /unknown field/);
  // It still draws.
  assert.equal(runtime.draw({ ...plain, plan: 'fast3', seed: '18446744073709551615' }).length, 784);
});

test('what the memory does not hold is refused, and what it does is still taken', () => {
  assert.throws(() => runtime.open({ length: 0xfffffff0 }), /no memory for 4294967280 bytes/);
  assert.equal(runtime.open(file('digits28-nano')).shape[0], 28);
});

test('boards, and what a model needs on them, are those of the library', () => {
  const report = runtime.open(file('digits28'));
  assert.deepEqual(runtime.boards()[0], { name: 'pico', title: 'Raspberry Pi Pico' });
  const fit = runtime.fit('pico');
  assert.deepEqual(fit.flash, [report.flash, 1 << 20]);
  assert.equal(fit.excess, null);
  assert.throws(() => runtime.fit('pica'), /no board 'pica': there are pico, pico2/);
});
