// The tab of the Pico: its display, its button, its serial line, and whether its digests are the runtime's.
import { fetched } from './model-tab.js';
import { Requests } from './requests.js';
import { Serial } from './serial.js';

const element = (id) => document.getElementById(id);
/** The model that the firmware has built in. */
const MODEL = 'models/digits28.brn';
const [SHORT, LONG] = [100, 800];
const [LIT, DARK] = ['#e8f4ff', '#0a1018'];
const DOT = 4;

/** Returns what is to be told whether the tab is shown. The board is powered when it is shown first, and rests hidden. */
export function picoTab() {
  const pico = new Requests('pico-worker.js');
  let isStarted = false;
  let isPlugged = true;
  const ask = (message) => pico.ask(message).catch(fail);
  const type = (text) => ask({ do: 'type', text: `${text}\r\n` });

  function onEvent({ error, said, dots, millis, instructions, resets }) {
    if (error !== undefined) return fail(new Error(error));
    if (said) serial.hear(said);
    if (dots) show(dots);
    const [seconds, millions] = [(millis / 1000).toFixed(2), (instructions / 1e6).toFixed(0)];
    element('pico-time').textContent =
      `${seconds} s on the board, ${millions} M instructions, ${resets} resets by its watchdog.`;
  }

  const runtime = new Requests('draw-worker.js');
  const serial = new Serial(element('serial'), {
    onDraw: ({ words }) => {
      element('pico-status').textContent = `Drawing ${words}.`;
      element('equal').textContent = '';
      fail();
    },
    onError: (line) => fail(new Error(line)),
    onDone: (draw) => compare(draw).catch(fail),
  });

  /** Compares the digests of a whole draw with the runtime's in this browser. */
  async function compare({ words, wishes, millis, digests }) {
    element('pico-status').textContent = `Drew ${words} in ${millis} ms of the board's time.`;
    element('display').setAttribute('aria-label', `The board's display: ${words}`);
    const expected = [];
    const request = {
      do: 'draw', plan: wishes.plan, seed: wishes.seed, class: wishes.class === 'none' ? '' : wishes.class,
      guidance: null, two_evaluations: false, count: 1, watched: 1,
    };
    await runtime.ask(request, ({ step }) => step && expected.push(step.digest));
    const equal = expected.filter((digest, index) => digest === digests[index]).length;
    const isEqual = equal === expected.length && equal === digests.length;
    element('equal').textContent = isEqual
      ? `All ${equal} digests of ${words} are those of the runtime in this browser.`
      : `Only ${equal} of ${expected.length} digests of ${words} are those of the runtime in this browser.`;
    element('equal').classList.toggle('error', !isEqual);
  }

  async function start() {
    const bytes = new Uint8Array(await fetched('brownian-pico.uf2'));
    const report = await runtime.ask({ do: 'open', bytes: new Uint8Array(await fetched(MODEL)) });
    const classes = report.axes.flatMap((axis) => axis.classes);
    element('pico-class').replaceChildren(...[...classes, 'none'].map((name) => new Option(name, name)));
    const plans = report.plans.map(({ name, steps }) => new Option(`${name}, ${steps} steps`, name));
    element('pico-plan').replaceChildren(...plans);
    element('pico-plan').value = report.plans.at(-1).name;
    element('pico-status').textContent = 'The board starts.';
    pico.ask({ do: 'start', bytes }, onEvent).catch(fail);
  }

  element('press').addEventListener('click', () => ask({ do: 'press', millis: SHORT }));
  element('hold').addEventListener('click', () => ask({ do: 'press', millis: LONG }));
  element('cancel').addEventListener('click', () => type('cancel'));
  element('reset').addEventListener('click', () => {
    fail();
    element('pico-status').textContent = 'The board starts.';
    ask({ do: 'reset' });
  });
  element('plug').addEventListener('click', ({ currentTarget }) => {
    isPlugged = !isPlugged;
    currentTarget.textContent = isPlugged ? 'Unplug the display' : 'Plug the display in';
    ask({ do: 'plug', isIn: isPlugged });
  });
  element('sample-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const [seed, name, plan] = ['pico-seed', 'pico-class', 'pico-plan'].map((id) => element(id).value.trim());
    type(`sample seed=${seed} class=${name} plan=${plan}`);
  });
  element('line-form').addEventListener('submit', (event) => {
    event.preventDefault();
    type(element('pico-line').value);
  });

  return (isVisible) => {
    if (isStarted) ask({ do: 'run', isRunning: isVisible });
    else if (isVisible) {
      isStarted = true;
      start().catch(fail);
    }
  };
}

function fail(error) {
  element('pico-error').textContent = error?.message ?? '';
  element('pico-error').hidden = error === undefined;
}

function show(dots) {
  const context = element('display').getContext('2d');
  context.fillStyle = DARK;
  context.fillRect(0, 0, 128 * DOT, 64 * DOT);
  context.fillStyle = LIT;
  dots.forEach((isLit, dot) => {
    if (isLit) context.fillRect((dot % 128) * DOT, (dot >> 7) * DOT, DOT - 1, DOT - 1);
  });
}
