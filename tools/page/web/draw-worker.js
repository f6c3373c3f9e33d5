// The runtime in a thread of its own, so that the page answers while it draws.
import { answer } from './requests.js';
import { Runtime } from './runtime.js';

const runtime = fetch('brownian.wasm').then(async (response) => {
  if (!response.ok) throw new Error(`brownian.wasm cannot be loaded: ${response.status} ${response.statusText}`);
  return Runtime.load(await response.arrayBuffer());
});
// Whoever asks first is told.
runtime.catch(() => {});

answer({
  boards: async () => (await runtime).boards(),
  open: async ({ bytes }) => (await runtime).open(bytes),
  fit: async ({ board }) => (await runtime).fit(board),
  /**
   * Draws `count` images. Tells the steps of the first `watched` ones, and of each image its sample and the
   * milliseconds that it took.
   */
  async draw({ count, watched, ...request }, tell) {
    const ready = await runtime;
    for (let image = 0; image < count; image++) {
      const begin = performance.now();
      const watch = (step) => tell({ image, step }, [step.believed.buffer]);
      const sample = ready.draw({ ...request, image }, image < watched ? watch : undefined);
      tell({ image, sample, millis: performance.now() - begin }, [sample.buffer]);
    }
  },
});
