// The page in a browser without a window: its pixels and digests against this machine's runtime, by mouse and keyboard.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { expected, inRepository, serve } from './site.mjs';

const { BROWNIAN_BROWSER, BROWNIAN_PICTURE } = process.env;
/** Milliseconds that a draw of the Pico may take here, on a machine that has much else to do. */
const PATIENCE = 600_000;
const [powerUp, pressed, asked] = expected.pico;
const words = ({ seed, class: name, plan }) => `seed=${seed} class=${name} plan=${plan}`;

let site, browser, page;
const requests = [];
const complaints = [];

before(async () => {
  site = await serve();
  browser = await chromium.launch({
    executablePath: BROWNIAN_BROWSER,
    // Tests run as root in containers, where Chromium's own sandbox cannot be made.
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync',
      '--disable-component-update', '--disable-quic'],
  });
  const context = await browser.newContext({ viewport: { width: 1000, height: 760 }, colorScheme: 'light' });
  context.setDefaultTimeout(PATIENCE);
  page = await context.newPage();
  context.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto(site.origin);
});

after(async () => {
  await browser?.close();
  site?.close();
});

const text = (id) => page.textContent(`#${id}`);

/** Waits until an element's text matches. */
const until = (id, pattern) =>
  page.waitForFunction(
    ([id, source]) => new RegExp(source).test(document.getElementById(id).textContent),
    [id, pattern.source],
  );

/** The left half of the display as texts, `#` where a dot is lit. */
const dots = () =>
  page.evaluate(() => {
    const { data, width } = document.getElementById('display').getContext('2d').getImageData(0, 0, 512, 256);
    const isLit = (x, y) => data[((4 * y + 1) * width + 4 * x + 1) * 4] > 128;
    const places = Array.from({ length: 64 }, (_, place) => place);
    return places.map((y) => places.map((x) => (isLit(x, y) ? '#' : '.')).join(''));
  });

/** A draw of the Pico must end, and show and say what the host has. */
async function compare(draw) {
  await until('pico-status', new RegExp(`^Drew ${words(draw)} in \\d+ ms`));
  await until('equal', new RegExp(`^All ${draw.digests.length} digests of ${words(draw)} are`));
  const said = (await text('serial')).split(`draw ${words(draw)}\n`).at(-1);
  assert.deepEqual([...said.matchAll(/^step \d+ digest (\w+)/gm)].map(([, digest]) => digest), draw.digests);
  assert.deepEqual(await dots(), draw.dots);
}

test('the Pico draws after power-up what the host draws', () => compare(powerUp));

test('a press of the button by keyboard draws the next seed', async () => {
  await page.focus('#press');
  await page.keyboard.press('Enter');
  await compare(pressed);
  await page.screenshot({ path: BROWNIAN_PICTURE, fullPage: true });
});

test('seed, class and plan go through the serial line', async () => {
  await page.fill('#pico-seed', String(asked.seed));
  await page.selectOption('#pico-class', asked.class);
  await page.selectOption('#pico-plan', asked.plan);
  await page.click('#sample-form button');
  await compare(asked);
});

test("what the board cannot read is said in the board's words", async () => {
  await page.fill('#pico-line', 'sample plan=fast5000');
  await page.press('#pico-line', 'Enter');
  await until('pico-error', /no plan 'fast5000'/);
});

test('the other tab is reached by keyboard and opens a model', async () => {
  await page.focus('#tab-pico');
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'tab-model');
  assert.equal(await page.isVisible('#pico'), false);
  await until('model-name', /^digits28$/);
  await until('fit-verdict', /Raspberry Pi Pico, Cortex-M0\+ at 125 MHz: it fits/);
  const flash = await page.textContent('#fit tr:first-child td');
  assert.equal(flash, '144908 of 1048576 bytes for a model');
});

/** Pixels of a canvas, one channel. */
const light = (selector, channel = 0) =>
  page.evaluate(([selector, channel]) => {
    const canvas = document.querySelector(selector);
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return Array.from({ length: data.length / 4 }, (_, pixel) => data[4 * pixel + channel]);
  }, [selector, channel]);

const strip = () => page.$$eval('#strip li', (items) => items.map((item) => item.dataset.digest));

async function drawAs({ seed, class: name, plan, guidance }, count) {
  await page.selectOption('#plan', plan);
  await page.fill('#seed', String(seed));
  await page.fill('#count', String(count));
  await page.selectOption('#classes select', `class=${name}`);
  await page.fill('#guidance', guidance === null ? '' : String(guidance));
  await page.setChecked('#two', guidance !== null);
  await page.click('#draw');
  await until('draw-status', new RegExp(`^${count} samples? in .* \\(plan ${plan}, `));
}

test("the runtime draws the host's pixels and digests", async () => {
  for (const draw of [asked, expected.guided]) {
    await drawAs(draw, 1);
    assert.deepEqual(await strip(), draw.digests);
    assert.deepEqual(await light('#samples canvas'), draw.light);
  }
  await drawAs(asked, 4);
  assert.equal(await page.locator('#samples canvas').count(), 4);
  assert.deepEqual(await light('#samples canvas'), asked.light);
});

test('many samples are drawn in milliseconds, and the page shows how many', async () => {
  await page.selectOption('#classes select', 'cycle');
  await page.selectOption('#plan', 'fast10');
  await page.fill('#count', '20');
  await page.fill('#guidance', '');
  await page.setChecked('#two', false);
  await page.click('#draw');
  await until('draw-status', /^20 samples in .* a sample, .* a step \(plan fast10, 10 steps\)/);
  await page.screenshot({ path: BROWNIAN_PICTURE.replace('.png', '-model.png'), fullPage: true });
  console.log(await text('draw-status'));
});

/** Drops a file on the page. */
async function drop(name, bytes) {
  await page.evaluate(([name, base64]) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
    const event = new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
    document.getElementById('drop').dispatchEvent(event);
  }, [name, bytes.toString('base64')]);
}

test('a dropped file is opened: points, rows of bits', async () => {
  for (const [name, count] of [['swissroll', 300], ['heartbeat', 10]]) {
    await drop(`${name}.brn`, readFileSync(inRepository(`models/${name}.brn`)));
    await until('model-name', new RegExp(`^${name}$`));
    await page.click('#draw');
    await until('draw-status', new RegExp(`^${count} samples in `));
    const pixels = await light('#samples canvas');
    assert.ok(new Set(pixels).size > 1, name);
  }
});

test('a shipped model is opened by its name and drawn in colour', async () => {
  await page.selectOption('#shipped', 'faces16');
  await page.click('#open-shipped');
  // What the file calls itself: the preset that it was trained with.
  await until('model-name', /^small$/);
  assert.equal(await page.locator('#classes select').count(), 3);
  await page.click('#draw');
  await until('draw-status', /^10 samples in /);
  const channels = await Promise.all([0, 1, 2].map((channel) => light('#samples canvas', channel)));
  assert.equal(channels[0].length, 256);
  assert.ok(channels[0].some((value, pixel) => value !== channels[1][pixel] && value !== channels[2][pixel]));
});

test('a dropped file that is no model is refused in one line of the library', async () => {
  const model = readFileSync(inRepository('models/digits28.brn'));
  const cut = 'it was cut off or extended';
  for (const [name, bytes, words] of [
    ['README.md', readFileSync(inRepository('README.md')), 'not a Brownian model (it does not begin with BRWN)'],
    ['short.brn', model.subarray(0, 5000), `the model should have 144908 bytes but has 5000; ${cut}`],
    ['empty.brn', Buffer.alloc(0), `the model should have 32 bytes but has 0; ${cut}`],
  ]) {
    await drop(name, bytes);
    const line = `${name}: ${words}`;
    await page.waitForFunction((line) => document.getElementById('model-error').textContent === line, line);
    assert.equal(await page.isVisible('#opened'), false);
  }
  await page.setInputFiles('#file', inRepository('models/digits28-nano.brn'));
  await until('model-name', /^digits28-nano$/);
  assert.equal(await page.isVisible('#model-error'), false);
});

test('a long draw is stopped, and the model stays open', async () => {
  await page.selectOption('#plan', 'ddim50');
  await page.fill('#count', '2000');
  await page.click('#draw');
  await page.waitForSelector('#samples canvas');
  await page.click('#stop');
  await until('draw-error', /^stopped$/);
  await page.fill('#count', '1');
  await page.click('#draw');
  await until('draw-status', /^1 sample in /);
});

test('a phone shows all of it', async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  for (const id of ['tab-model', 'tab-pico']) {
    await page.click(`#${id}`);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360, id);
  }
  await page.screenshot({ path: BROWNIAN_PICTURE.replace('.png', '-phone.png'), fullPage: true });
});

test('every control has a name and every picture a text', async () => {
  const nameless = await page.evaluate(() => {
    const named = (element) => element.labels?.length > 0 || element.textContent.trim() !== '' || element.ariaLabel;
    const controls = [...document.querySelectorAll('button, input, select, canvas')];
    return controls.filter((control) => !named(control)).map((control) => control.outerHTML);
  });
  assert.deepEqual(nameless, []);
});

test('no request leaves the page, and nothing goes wrong unseen', () => {
  assert.ok(requests.length >= 8, `${requests.length} requests`);
  assert.deepEqual(requests.filter((url) => !url.startsWith(site.origin) && !url.startsWith('data:')), []);
  assert.deepEqual(complaints, []);
});
