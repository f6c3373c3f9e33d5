// The Pico's chip in a thread of its own, never faster than the board.
import { parts } from '../../boards/src/image.mjs';
import { Pico } from '../../boards/src/pico.mjs';
import { answer } from './requests.js';

/** Milliseconds between two looks at what the page wants. */
const SLICE = 30;
const STEP = { instructions: 200_000, micros: 10_000 };

let firmware, board, tell;
let isPaused = true;
/** When the button is let go of, in the board's nanoseconds. */
let release = Infinity;
/** Characters that the page has, and bytes that the display had when it was shown last. */
let told, shown;
/** A moment here, and the same moment there. */
let here, there;

const ABSENT = 'there is no board yet: its firmware is not loaded';

function started() {
  if (!board) throw new Error(ABSENT);
  return board;
}

function restart() {
  board = new Pico(firmware);
  [release, told, shown] = [Infinity, 0, -1];
}

/** Milliseconds by which the board is ahead. */
function ahead() {
  const by = (board.nanos - there) / 1e6 - (performance.now() - here);
  // What it has missed it does not make up for.
  if (by < -SLICE) [here, there] = [performance.now(), board.nanos];
  return by;
}

function slice() {
  if (isPaused) return;
  try {
    const end = performance.now() + SLICE;
    let stopped;
    do {
      stopped = board.run(() => false, STEP);
      if (board.nanos >= release) {
        board.button(false);
        release = Infinity;
      }
    } while (stopped === 'limit' && performance.now() < end && ahead() <= 0);
    show();
    if (stopped !== 'limit') throw new Error(`the chip stopped: ${stopped}`);
    setTimeout(slice, Math.max(0, ahead()));
  } catch (error) {
    isPaused = true;
    tell({ error: error.message });
  }
}

/** Tells what is new. */
function show() {
  const { said, display, nanos, instructions, resets } = board;
  const event = { millis: nanos / 1e6, instructions, resets, said: said.uart.slice(told) };
  told = said.uart.length;
  if (display.bytes !== shown) {
    shown = display.bytes;
    event.dots = Uint8Array.from({ length: 128 * 64 }, (_, dot) => display.isLit(dot % 128, dot >> 7));
  }
  tell(event);
}

function run(isRunning) {
  const wasPaused = isPaused;
  isPaused = !isRunning;
  if (!wasPaused || isPaused) return;
  [here, there] = [performance.now(), board.nanos];
  setTimeout(slice);
}

answer({
  /** Powers a board with this firmware, an ELF or UF2 file. What it says and shows comes as events; it never ends. */
  start({ bytes }, onEvent) {
    [firmware, tell] = [parts(bytes), onEvent];
    restart();
    run(true);
    return new Promise(() => {});
  },
  run: ({ isRunning }) => board && run(isRunning),
  reset() {
    if (!firmware) throw new Error(ABSENT);
    restart();
    // A board that had stopped runs again.
    run(true);
  },
  type: ({ text }) => started().type('uart', text),
  /** Holds the button down for so long, in the board's time. */
  press({ millis }) {
    started().button(true);
    release = board.nanos + millis * 1e6;
  },
  plug({ isIn }) {
    started().plug(isIn);
    shown = -1;
  },
});
