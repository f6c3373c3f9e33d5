// A Raspberry Pi Pico with an SSD1306, a button and two serial lines: rp2040js plus what it lacks.
import { RP2040 } from 'rp2040js';
import { Port } from './port.mjs';
import { rom, serve } from './rom.mjs';
import { Probe } from './rtt.mjs';
import { Ssd1306 } from './ssd1306.mjs';

const FLASH = 0x10000000;
const FLASH_SIZE = 2 << 20;
const BUTTON = 15;
const DISPLAY = 0x3c;
/** Nanoseconds of a cycle at 125 MHz, and of a character at 115,200 baud. */
const CYCLE = 8;
const CHARACTER = 86_806;
const HARD_FAULT = 3;
/** Instructions between looks at what goes on outside. */
const BURST = 4096;


/** Registers that keep what is written, but for some that always read the same. */
class Registers {
  constructor(fixed) {
    this.fixed = fixed;
    this.words = new Uint32Array(0x400);
  }
  readUint32(offset) {
    return this.fixed[offset] ?? this.words[(offset & 0xfff) >> 2];
  }
  writeUint32(offset, value) {
    this.words[(offset & 0xfff) >> 2] = value;
  }
  writeUint32Atomic(offset, value, type) {
    const now = this.readUint32(offset);
    this.writeUint32(offset, [value, now ^ value, now | value, now & ~value][type] >>> 0);
  }
}

export class Pico {
  /** With firmware `parts` in flash, before its first instruction. */
  constructor(parts) {
    this.flash = new Uint8Array(FLASH_SIZE).fill(0xff);
    for (const [address, bytes] of parts) {
      const at = address - FLASH;
      if (at < 0 || at + bytes.length > FLASH_SIZE) throw new Error(`the firmware has bytes at ${address.toString(16)}`);
      this.flash.set(bytes, at);
    }
    this.display = new Ssd1306();
    this.isPlugged = true;
    this.isDown = false;
    this.instructions = 0;
    this.nanos = 0;
    /** Nanoseconds in which the core slept. */
    this.slept = 0;
    this.resets = 0;
    this.said = { uart: '', usb: '' };
    this.probe = null;
    this.#boot(0);
  }

  /** A reset: everything but flash, display and what is outside begins anew. */
  #boot(reason) {
    const chip = (this.chip = new RP2040());
    // rp2040js only logs SEV; the event must keep the next WFE from sleeping.
    const info = (_, text) => {
      if (text === 'SEV') chip.core.eventRegistered = true;
    };
    chip.logger = { debug() {}, info, warn() {}, error() {} };
    chip.loadBootrom(rom());
    chip.flash.set(this.flash);
    chip.peripherals[0x14000] = new Registers({ 4: 1, 8: 6 }); // the flash cache is ready
    chip.peripherals[0x40060] = new Registers({ 0x18: 0x81001000 }); // the ring oscillator is stable
    chip.peripherals[0x40064] = new Registers({ 0: 0x10b1, 8: 0x100 }); // power is good, since the power came on
    for (const pin of chip.gpio) pin.setInputValue(true);
    chip.gpio[BUTTON].setInputValue(!this.isDown);
    chip.onBreak = (code) => serve(chip, code);
    this.#wireUart(chip.uart[0]);
    this.#wireDisplay(chip.i2c[0]);
    this.#wireWatchdog(chip, reason);
    this.port = new Port(chip.usbCtrl, (byte) => (this.said.usb += String.fromCharCode(byte)));
    this.toType = [];
    this.nextCharacter = 0;
    this.started = this.nanos;
    this.probe?.watch(chip);
    chip.core.PC = FLASH;
    chip.core.LR = 0;
  }

  /** What rp2040js's UART lacks: registers of DMA and FIFO levels, and a transmit interrupt that can be cleared. */
  #wireUart(uart) {
    const TRANSMIT = 1 << 5;
    const kept = new Map([[0x34, 0x12], [0x48, 0]]);
    const read = uart.readUint32.bind(uart);
    const write = uart.writeUint32.bind(uart);
    uart.readUint32 = (offset) => kept.get(offset) ?? read(offset);
    uart.writeUint32 = (offset, value) => (kept.has(offset) ? kept.set(offset, value) : write(offset, value));
    uart.checkInterrupts = () => {
      uart.rp2040.setInterrupt(uart.irq, (uart.interruptStatus & uart.interruptMask) !== 0);
    };
    uart.onByte = (byte) => {
      this.said.uart += String.fromCharCode(byte);
      uart.interruptStatus |= TRANSMIT;
      uart.checkInterrupts();
    };
  }

  #wireDisplay(bus) {
    bus.onConnect = (address) => {
      const answers = address === DISPLAY && this.isPlugged;
      if (answers) this.display.start();
      bus.completeConnect(answers);
    };
    bus.onWriteByte = (byte) => {
      if (this.isPlugged) this.display.write(byte);
      bus.completeWrite(this.isPlugged);
    };
    bus.onReadByte = () => bus.completeRead(0xff);
  }

  #wireWatchdog(chip, reason) {
    const watchdog = chip.peripherals[0x40058];
    watchdog.reason = reason;
    watchdog.onWatchdogTrigger = () => {
      // Its alarm would be due again at once.
      watchdog.enable = watchdog.timer.enable = watchdog.alarm.enable = false;
      this.wantsReset = true;
    };
  }

  /** Holds the button down, or lets go of it. */
  button(isDown) {
    this.isDown = isDown;
    this.chip.gpio[BUTTON].setInputValue(!isDown);
  }

  /** Plugs the display in, with its memory lost, or out. */
  plug(isPlugged) {
    if (isPlugged && !this.isPlugged) this.display = new Ssd1306();
    this.isPlugged = isPlugged;
  }

  /** A debug probe fetches from now on what the firmware says by RTT, whose block is at this address. */
  attach(address) {
    this.probe = new Probe(address);
    this.probe.watch(this.chip);
  }

  /** What the probe has fetched since it was asked last, a byte a character. */
  fetched() {
    if (this.probe === null) throw new Error('no probe is attached');
    return this.probe.take();
  }

  /** Sends text to one of the lines, `uart` or `usb`. */
  type(line, text) {
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    if (line === 'usb') this.port.send(bytes);
    else this.toType.push(...bytes);
  }

  /**
   * Runs until `isDone()`, but for so many instructions and microseconds at most; a sleeping core's time passes at once.
   * Returns why it stopped: `done`, `limit` or what is wrong.
   */
  run(isDone, { instructions = Infinity, micros = Infinity } = {}) {
    const [lastInstruction, lastNano] = [this.instructions + instructions, this.nanos + micros * 1000];
    while (!isDone()) {
      if (this.instructions >= lastInstruction || this.nanos >= lastNano) return 'limit';
      const wrong = this.#burst(lastNano);
      if (wrong) return wrong;
    }
    return 'done';
  }

  #burst(lastNano) {
    const { chip } = this;
    const { core, clock } = chip;
    this.#typeCharacter(clock.nanos);
    for (let i = 0; i < BURST && !this.wantsReset; i++) {
      if (core.waiting) {
        const alarm = clock.nanosToNextAlarm > 0 ? clock.nanosToNextAlarm : Infinity;
        const typing = this.toType.length > 0 ? this.nextCharacter - clock.nanos : Infinity;
        const outside = Math.min(typing, lastNano - this.started - clock.nanos);
        if (alarm === Infinity && outside === Infinity) return 'asleep for good';
        const asleep = Math.max(CYCLE, Math.min(alarm, outside));
        clock.tick(asleep);
        this.slept += asleep;
        if (outside < alarm) break;
      } else {
        clock.tick(core.executeInstruction() * CYCLE);
        this.instructions++;
        if (core.IPSR === HARD_FAULT) return `hard fault, back to ${core.LR.toString(16)}`;
      }
    }
    this.nanos = this.started + clock.nanos;
    this.probe?.fetch();
    if (this.wantsReset) {
      this.wantsReset = false;
      this.resets++;
      this.#boot(1);
    }
    return null;
  }

  /** One character at the line's speed. */
  #typeCharacter(now) {
    if (this.toType.length === 0 || now < this.nextCharacter) return;
    this.chip.uart[0].feedByte(this.toType.shift());
    this.nextCharacter = now + CHARACTER;
  }
}
