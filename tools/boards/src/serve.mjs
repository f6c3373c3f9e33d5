// node src/serve.mjs: a board that a program drives. A request a line on standard input, its answer a line on standard
// output, both JSON:
//
//   {"do":"start","firmware":"FILE"}                   a board with this firmware (ELF or UF2) in flash
//   {"do":"run","line":"uart","until":"text","instructions":N,"micros":N}
//                                                      until the line says the text; answers what it has said
//                                                      since the last text that was waited for
//   {"do":"type","line":"usb","text":"..."}            on one of the lines, uart or usb
//   {"do":"button","down":true}
//   {"do":"plug","in":false}                           the display
//   {"do":"attach","address":N}                      a debug probe fetches from now on what the firmware says by RTT
//   {"do":"fetch"}                                     answers what it has fetched since, a byte a character
//   {"do":"display"}                                   answers its rows, # where a dot is lit
//
// Every answer has "instructions", "micros", "resets" and "asleep", the microseconds in which the core slept, so far.
// A request that fails is answered with "error".
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parts } from './image.mjs';
import { Pico } from './pico.mjs';

let board = null;
const heard = { uart: 0, usb: 0 };

const requests = {
  start({ firmware }) {
    board = new Pico(parts(new Uint8Array(readFileSync(firmware))));
    heard.uart = heard.usb = 0;
    return {};
  },
  run({ line = 'uart', until, instructions, micros }) {
    const from = heard[line];
    const end = () => {
      const at = until === undefined ? -1 : board.said[line].indexOf(until, from);
      return at < 0 ? -1 : board.said[line].indexOf('\n', at + until.length - 1) + 1 || -1;
    };
    const stopped = board.run(() => end() >= 0, { instructions, micros });
    // What was not waited for is told by the next run.
    if (end() >= 0) heard[line] = end();
    return { stopped, said: board.said[line].slice(from, end() >= 0 ? end() : undefined) };
  },
  type({ line = 'uart', text }) {
    board.type(line, text);
    return {};
  },
  button({ down }) {
    board.button(down);
    return {};
  },
  plug({ in: isIn }) {
    board.plug(isIn);
    return {};
  },
  attach({ address }) {
    board.attach(address);
    return {};
  },
  fetch() {
    return { said: board.fetched() };
  },
  display() {
    const unknown = [...board.display.unknown];
    if (unknown.length > 0) return { error: `the display does not know the commands ${unknown}` };
    return { rows: board.display.rows() };
  },
};

function answer(text) {
  try {
    const request = JSON.parse(text);
    const action = Object.hasOwn(requests, request.do) ? requests[request.do] : null;
    if (action === null) throw new Error(`no request '${request.do}'`);
    if (board === null && request.do !== 'start') throw new Error('start comes first');
    const result = action(request);
    const { instructions, resets } = board;
    const [micros, asleep] = [board.nanos, board.slept].map((nanos) => Math.round(nanos / 1000));
    return { ...result, instructions, resets, micros, asleep };
  } catch (error) {
    return { error: error.message };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(answer(line))}\n`);
}
