// The tab of a model file: it is opened, described, and fitted to boards.
import { Drawing } from './drawing.js';
import { Requests } from './requests.js';

const element = (id) => document.getElementById(id);
const kilobytes = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;

/**
 * Offers the shipped models of these names; the first is opened when the tab is shown for the first time. Returns what
 * is to be told whether the tab is shown.
 */
export function modelTab(shipped) {
  const requests = new Requests('draw-worker.js');
  const drawing = new Drawing(requests);
  let boards;
  /** Files that were asked for; the last one counts. */
  let asked = 0;

  function offerBoards() {
    boards ??= requests.ask({ do: 'boards' }).then((list) => {
      element('board').replaceChildren(...list.map(({ name, title }) => new Option(title, name)));
    });
    return boards;
  }

  async function open(name, read) {
    const number = ++asked;
    say('');
    try {
      await offerBoards();
      const bytes = await read();
      if (number !== asked) return;
      const report = await drawing.open(bytes);
      if (number !== asked) return;
      describe(report);
      drawing.offer(report);
      await fit();
    } catch (error) {
      if (number !== asked) return;
      element('opened').hidden = true;
      say(`${name}: ${error.message}`);
    }
  }

  async function fit() {
    const report = await requests.ask({ do: 'fit', board: element('board').value });
    const body = element('fit').tBodies[0];
    const rows = [['flash', report.flash], ['RAM', report.ram]].map(([what, [needs, has]]) => {
      const row = document.createElement('tr');
      const head = Object.assign(document.createElement('th'), { scope: 'row', textContent: what });
      const meter = Object.assign(document.createElement('meter'), { max: has, value: Math.min(needs, has) });
      meter.setAttribute('aria-hidden', 'true');
      const cell = document.createElement('td');
      cell.append(`${needs} of ${has} bytes for a model`, meter);
      row.append(head, cell);
      return row;
    });
    for (const [plan, seconds] of report.seconds) {
      const row = document.createElement('tr');
      const head = Object.assign(document.createElement('th'), { scope: 'row', textContent: plan });
      row.append(head, Object.assign(document.createElement('td'), { textContent: `about ${duration(seconds)}` }));
      rows.push(row);
    }
    body.replaceChildren(...rows);
    const core = `${report.title}, ${report.core} at ${report.mhz} MHz`;
    const verdict = report.excess === null ? 'it fits' : `it does not fit: ${report.excess}`;
    const time = `about ${duration(report.seconds_per_step)} a step, estimated`;
    element('fit-verdict').textContent = `${core}: ${verdict}; ${time}.`;
    element('fit-verdict').classList.toggle('error', report.excess !== null);
  }

  element('file').addEventListener('change', ({ target }) => {
    const [file] = target.files;
    if (file) open(file.name, async () => file.arrayBuffer());
  });
  // Wherever a file is dropped: a browser would else leave the page for it.
  const over = (isOver) => element('drop').classList.toggle('over', isOver);
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    over(true);
  });
  document.addEventListener('dragleave', (event) => over(event.relatedTarget !== null));
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    over(false);
    const [file] = event.dataTransfer.files;
    if (file) open(file.name, async () => file.arrayBuffer());
    else say('what was dropped is no file: drop a .brn file');
    element('tab-model').click();
  });
  element('shipped').replaceChildren(...shipped.map((name) => new Option(name, name)));
  const openShipped = () => {
    const name = `${element('shipped').value}.brn`;
    return open(name, () => fetched(`models/${name}`));
  };
  element('open-shipped').addEventListener('click', openShipped);
  element('board').addEventListener('change', () => fit().catch((error) => say(error.message)));

  return (isVisible) => {
    if (isVisible && asked === 0) openShipped();
  };
}

/** A file beside the page. Throws one line where it is not there. */
export async function fetched(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`cannot be loaded: ${response.status} ${response.statusText}`);
  return response.arrayBuffer();
}

function say(text) {
  element('model-error').textContent = text;
  element('model-error').hidden = text === '';
}

const duration = (seconds) => (seconds < 1 ? `${(seconds * 1000).toPrecision(3)} ms` : `${seconds.toPrecision(3)} s`);

function describe(report) {
  element('opened').hidden = false;
  element('model-name').textContent = report.name;
  const axes = report.axes.map(({ name, classes }) => `${name} (${classes.length} classes)`).join(', ');
  element('model-facts').textContent =
    `Samples of ${report.shape.join('×')} (height, width, channels); labels: ${axes || 'none'}; ${report.process} ` +
    `process, x_t in ${report.state_element}; ${kilobytes(report.flash)} of flash, ${kilobytes(report.arena)} of ` +
    `arena, ${kilobytes(report.state)} of state; ${(report.macs_per_step / 1e6).toFixed(2)} M multiply-accumulates a step.`;
  element('provenance').textContent = report.provenance || 'The file does not say.';
}
