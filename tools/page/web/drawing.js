// Draws from the open model: what is asked for, the samples, and the steps of the first as a strip.
import { canvas, kind, paint, reach } from './pictures.js';

const element = (id) => document.getElementById(id);
/** The most steps that the strip shows. */
const SHOWN = 60;
/** Samples that are drawn unless another number is asked for. */
const COUNTS = { image: 10, signal: 1, points: 300, row: 10 };

export class Drawing {
  #requests;
  #bytes;
  #report;
  #isDrawing = false;

  constructor(requests) {
    this.#requests = requests;
    element('draw-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#draw();
    });
    element('stop').addEventListener('click', () => this.#stop());
  }

  /** Opens a file in the worker and returns its report. What was drawn of another is stopped. */
  async open(bytes) {
    if (this.#isDrawing) this.#requests.restart();
    // The file is kept: a worker that takes the place of a stopped one needs it again.
    this.#bytes = bytes;
    return this.#requests.ask({ do: 'open', bytes: new Uint8Array(bytes) });
  }

  /** Sets the form up for the model of this report. */
  offer(report) {
    this.#report = report;
    const plans = report.plans.map(({ name, steps }) => new Option(`${name}, ${steps} steps`, name));
    element('plan').replaceChildren(...plans);
    // The shortest, but not a plan of very few steps where there is another.
    const byLength = [...report.plans].sort((a, b) => a.steps - b.steps);
    const usual = byLength.find(({ steps }) => steps >= 5) ?? report.plans[0];
    element('plan').value = usual.name;
    element('count').value = COUNTS[kind(report.shape)];
    element('classes').replaceChildren(...report.axes.map((axis) => this.#axis(axis, report.axes.length === 1)));
    element('guiding').hidden = report.axes.length === 0;
    element('guidance').value = '';
    element('two').checked = false;
    element('samples').replaceChildren();
    element('strip').replaceChildren();
    this.#say('');
    element('draw-status').textContent = '';
  }

  #axis({ name, classes }, isOnly) {
    const label = document.createElement('label');
    const select = document.createElement('select');
    select.dataset.axis = name;
    if (isOnly) select.append(new Option('each in turn', 'cycle'));
    select.append(new Option('none', ''), ...classes.map((one) => new Option(one, `${name}=${one}`)));
    label.append(name, ' ', select);
    return label;
  }

  #request() {
    const words = [...element('classes').querySelectorAll('select')].map((select) => select.value);
    const guidance = element('guidance').value.trim();
    return {
      plan: element('plan').value,
      seed: element('seed').value.trim(),
      class: words.filter((word) => word !== '').join('+'),
      guidance: guidance === '' ? null : Number(guidance),
      two_evaluations: element('two').checked,
    };
  }

  async #draw() {
    if (this.#isDrawing) return;
    this.#busy(true);
    this.#say('');
    const { shape, plans } = this.#report;
    const request = this.#request();
    const plan = plans.find(({ name }) => name === request.plan);
    const isOne = ['image', 'signal'].includes(kind(shape));
    const count = Math.min(2000, Math.max(1, Math.trunc(Number(element('count').value)) || 1));
    const [samples, steps] = [[], []];
    let millis = 0;
    element('samples').replaceChildren();
    element('strip').replaceChildren();
    const onEvent = ({ image, step, sample, millis: taken }) => {
      if (step) {
        if (isShown(step.number, plan.steps)) {
          (steps[step.number] ??= { ...step, all: [] }).all.push(step.believed);
          if (isOne) this.#addStep(steps[step.number], shape);
        }
        return;
      }
      millis += taken;
      samples.push(sample);
      if (isOne) this.#addSample([sample], shape, 1, `sample ${image + 1}`);
    };
    try {
      await this.#requests.ask({ do: 'draw', ...request, count, watched: isOne ? 1 : count }, onEvent);
      if (!isOne) {
        const border = reach(samples);
        this.#addSample(samples, shape, border, `${samples.length} samples`);
        for (const step of steps.filter(Boolean)) this.#addStep(step, shape, border);
      }
      const [each, evaluations] = [millis / samples.length, plan.steps * samples.length];
      element('draw-status').textContent =
        `${samples.length} ${samples.length === 1 ? 'sample' : 'samples'} in ${ms(millis)}: ${ms(each)} a sample, ` +
        `${ms(millis / evaluations)} a step (plan ${plan.name}, ${plan.steps} steps).`;
    } catch (error) {
      this.#say(error.message);
    }
    this.#busy(false);
  }

  /** The worker is ended, and another one opens the same file. */
  async #stop() {
    this.#requests.restart();
    await this.#requests.ask({ do: 'open', bytes: new Uint8Array(this.#bytes) });
  }

  #addSample(samples, shape, border, label) {
    const picture = canvas(label);
    picture.classList.toggle('wide', kind(shape) !== 'image');
    paint(picture, samples, shape, border);
    element('samples').append(picture);
  }

  #addStep({ number, timestep, digest, all }, shape, border) {
    const item = document.createElement('li');
    item.dataset.digest = digest;
    const picture = canvas(`step ${number}`);
    paint(picture, all, shape, border);
    const code = Object.assign(document.createElement('code'), { textContent: digest });
    item.append(picture, `${number}: t = ${timestep}`, code);
    element('strip').append(item);
  }

  #busy(isDrawing) {
    this.#isDrawing = isDrawing;
    element('draw').disabled = isDrawing;
    element('stop').disabled = !isDrawing;
    if (isDrawing) element('draw-status').textContent = 'Drawing.';
  }

  #say(text) {
    element('draw-error').textContent = text;
    element('draw-error').hidden = text === '';
    if (text !== '') element('draw-status').textContent = '';
  }
}

/** Of long plans some steps, evenly, the last among them. */
function isShown(number, steps) {
  const place = (number) => Math.floor((number * SHOWN) / steps);
  return steps <= SHOWN || place(number) !== place(number - 1);
}

const ms = (millis) => (millis < 1000 ? `${millis.toPrecision(3)} ms` : `${(millis / 1000).toPrecision(3)} s`);
