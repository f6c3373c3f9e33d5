// Starts the page.
import { modelTab } from './model-tab.js';
import { picoTab } from './pico-tab.js';
import { tabs } from './tabs.js';

/** The first one is opened by itself; `cargo xtask page` copies them. */
const SHIPPED = ['digits28', 'digits28-nano', 'digits28-bits', 'digits28-ncsn', 'faces16', 'heartbeat', 'swissroll'];

const panels = { pico: picoTab(), model: modelTab(SHIPPED) };
tabs(document.querySelector('[role="tablist"]'), (name) => {
  for (const [panel, show] of Object.entries(panels)) show(panel === name);
});
