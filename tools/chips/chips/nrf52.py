"""Boards with an nRF52: the registers that their firmware touches (product specifications of nRF52840 and nRF52833)."""

import struct
from collections import deque

from unicorn.arm_const import UC_CPU_ARM_CORTEX_M4

from .chip import Chip
from .leds import Leds
from .outside import BYTE, CHARACTER, Outside

CLOCK, UARTE, TWIM, GPIOTE, WDT, RTC1, NVMC = (
    0x4000_0000, 0x4000_2000, 0x4000_3000, 0x4000_6000, 0x4001_0000, 0x4001_1000, 0x4001_E000)
I2S = 0x4002_5000
P0 = 0x5000_0000
# A block's interrupt is its number.
INTERRUPTING = {block: block >> 12 & 0xFF for block in (UARTE, TWIM, GPIOTE, RTC1, I2S)}
# Of every block: tasks from 0 on, events, what they interrupt.
EVENTS, ENABLE_SET, ENABLE_CLEAR = 0x100, 0x304, 0x308
END_RX, END_TX, TX_STOPPED, RX_TO, PORT = 0x110, 0x120, 0x158, 0x144, 0x17C
STOPPED, ERROR = 0x104, 0x124
RX_POINTER, RX_MAX, RX_AMOUNT, TX_POINTER, TX_MAX, TX_AMOUNT = 0x534, 0x538, 0x53C, 0x544, 0x548, 0x54C
ERROR_SOURCE, ADDRESS = 0x4C4, 0x588
COMPARE, COUNTER, CC = 0x140, 0x504, 0x540
RESET_REASON = CLOCK + 0x400
OUT, OUT_SET, OUT_CLEAR, IN, LATCH, PIN, P1, PORT_1 = 0x504, 0x508, 0x50C, 0x510, 0x520, 0x700, 0x800, 0x300
WATCHDOG_TICKS, RUNNING, RELOAD = 0x504, 0x400, 0x600
RELOADS = 0x6E52_4635
# Of I2S: a block of sound is begun, it has stopped; clocks, form, what is sent, pins of clocks and data.
TX_UPDATED, I2S_STOPPED = 0x114, 0x108
MODE, SENDS, MASTER, RATIO, FORM, SOUND_POINTER, SOUND_WORDS, SOUND_PINS = (
    0x504, 0x50C, 0x514, 0x518, (0x51C, 0x520, 0x524, 0x528), 0x540, 0x550, (0x564, 0x568, 0x570))
# What 32 MHz are divided by for the master clock, and that for a frame.
MASTERS = {0x2000_0000: 8, 0x1800_0000: 10, 0x1600_0000: 11, 0x1100_0000: 15, 0x1000_0000: 16, 0x0C00_0000: 21,
           0x0B00_0000: 23, 0x0880_0000: 30, 0x0840_0000: 31, 0x0800_0000: 32, 0x0600_0000: 42, 0x0410_0000: 63,
           0x020C_0000: 125}
RATIOS = (32, 48, 64, 96, 128, 192, 256, 384, 512)
UICR = 0x1000_1000


class Nrf52(Outside, Chip):
    cpu, hz, vectors = UC_CPU_ARM_CORTEX_M4, 64_000_000, 0
    # FICR and UICR, and what an anomaly's workaround reads.
    memories = ((0x1000_0000, 0x2000), (0xF000_0000, 0x1000))
    devices = ((0x4000_0000, 0x10_0000), (0x5000_0000, 0x1000))
    button_pin = None
    # BCLK, LRC and DIN of an amplifier; pins of port 1 count from 32 on.
    speaker_pins = None
    reason = 0

    def erase(self):
        self.uc.mem_write(0x1000_0000, b"\xff" * 0x2000)

    def start(self):
        self.enabled_events, self.raised = {}, {}
        self.received, self.wanted = deque(), False
        self.cleared = self.now

    def bite(self):
        self.reason |= 2
        super().bite()

    def levels(self):
        high = 0
        for block, irq in INTERRUPTING.items():
            if self.raised.get(block, 0) & self.enabled_events.get(block, 0):
                high |= 1 << irq
        return high

    def read(self, address):
        block, register = address & ~0xFFF, address & 0xFFF
        if block in self.raised and EVENTS <= register < 0x180:
            return self.raised[block] >> (register - EVENTS) // 4 & 1
        if register in (ENABLE_SET, ENABLE_CLEAR) and block != P0:
            return self.enabled_events.get(block, 0)
        if address == P0 + IN:
            return 0xFFFF_FFFF & ~(self.is_down << self.button_pin)
        if address == RTC1 + COUNTER:
            return self._ticks() & 0xFF_FFFF
        if address in (NVMC + 0x400, NVMC + 0x408):
            return 1  # ready
        if address in (CLOCK + 0x40C, CLOCK + 0x418):
            return 1 << 16 | 1  # both oscillators run
        if address == RESET_REASON:
            return self.reason
        return self.regs.get(address, 0)

    def write(self, address, value, size):
        block, register = address & ~0xFFF, address & 0xFFF
        if block == P0:
            self._write_pins(register, value)
        elif register < 0x80:
            if value:
                self._task(block, register)
        elif EVENTS <= register < 0x180:
            bit = 1 << (register - EVENTS) // 4
            self.raised[block] = self.raised.get(block, 0) & ~bit | (bit if value else 0)
        elif register == ENABLE_SET:
            self.enabled_events[block] = self.enabled_events.get(block, 0) | value
        elif register == ENABLE_CLEAR:
            self.enabled_events[block] = self.enabled_events.get(block, 0) & ~value
        elif address in (UARTE + 0x480, TWIM + ERROR_SOURCE):
            self.regs[address] = self.regs.get(address, 0) & ~value
        elif address == RESET_REASON:
            self.reason &= ~value
        elif block == WDT and RELOAD <= register < RELOAD + 32:
            if value == RELOADS and self.regs.get(WDT + RUNNING):
                self._watch()
        elif address == NVMC + 0x508:
            self.uc.mem_write(value & ~0xFFF, b"\xff" * 4096)
        else:
            self.regs[address] = value
            if block == RTC1 and CC <= register < CC + 16:
                self._compare((register - CC) // 4)

    def _event(self, block, register):
        self.raised[block] = self.raised.get(block, 0) | 1 << (register - EVENTS) // 4

    def _task(self, block, register):
        if block == CLOCK and register in (0, 8):
            self._event(CLOCK, EVENTS + register // 2)  # oscillators start at once
        elif block == RTC1 and register == 8:
            self.cleared = self.now
            for channel in range(4):
                self._compare(channel)
        elif block == WDT and register == 0:
            self.regs[WDT + RUNNING] = 1
            self._watch()
        elif block == UARTE:
            self._uart_task(register)
        elif block == I2S and register == 0:
            self._play()
        elif block == I2S and register == 4:
            self.never("sound")
            self._event(I2S, I2S_STOPPED)
        elif block == TWIM and register == 8:
            count = self.regs.get(TWIM + TX_MAX, 0)
            self.after("bus", self.cycles((count + 1) * BYTE), self._transfer)

    # Time: RTC1 counts at 32,768 Hz, the watchdog too.

    def _ticks(self):
        return (self.now - self.cleared) * 32768 // self.hz

    def _compare(self, channel):
        address = RTC1 + CC + 4 * channel
        if address not in self.regs:
            return
        wait = self.regs[address] - self._ticks() & 0xFF_FFFF or 1 << 24
        # The cycle in which the counter gets there.
        target = self.cleared + -(-(self._ticks() + wait) * self.hz // 32768)
        self.after(f"compare {channel}", target - self.now, lambda: self._reached(channel))

    def _reached(self, channel):
        self._event(RTC1, COMPARE + 4 * channel)
        self._compare(channel)

    def _watch(self):
        self.after("watchdog", self.regs.get(WDT + WATCHDOG_TICKS, 0) * self.hz // 32768, self.bite)

    # Pins.

    def _write_pins(self, register, value):
        port = PORT_1 if register >= P1 else 0
        out = self.regs.get(P0 + port + OUT, 0)
        if register - port == OUT_SET:
            self.regs[P0 + port + OUT] = out | value
            self.outputs_changed()
        elif register - port == OUT_CLEAR:
            self.regs[P0 + port + OUT] = out & ~value
            self.outputs_changed()
        elif register == PORT_1 + LATCH:
            pass  # no pin of port 1 is looked at
        elif register == LATCH:
            self.regs[P0 + LATCH] = self.regs.get(P0 + LATCH, 0) & ~value
            self.pins_changed()
        else:
            self.regs[P0 + register] = value
            if register == PIN + 4 * self.button_pin:
                self.pins_changed()

    def outputs_changed(self):
        """The chip has set pins."""

    def pins_changed(self):
        """A pin whose level is the one that it looks for is latched, which is an event of the port."""
        sense = self.regs.get(P0 + PIN + 4 * self.button_pin, 0) >> 16 & 3
        if sense == (3 if self.is_down else 2):
            self.regs[P0 + LATCH] = self.regs.get(P0 + LATCH, 0) | 1 << self.button_pin
            self._event(GPIOTE, PORT)

    # UART with DMA.

    def _uart_task(self, register):
        regs = self.regs
        if register == 0:  # receive
            self.wanted = True
            self._receive()
        elif register == 4:
            self.wanted = False
            regs[UARTE + RX_AMOUNT] = 0
            self._event(UARTE, END_RX)
            self._event(UARTE, RX_TO)
        elif register == 8:  # send
            count = regs.get(UARTE + TX_MAX, 0)
            self.after("send", self.cycles(count * CHARACTER), self._sent)
        elif register == 12:
            self.never("send")
            self._event(UARTE, END_TX)
            self._event(UARTE, TX_STOPPED)

    def _sent(self):
        pointer, count = self.regs.get(UARTE + TX_POINTER, 0), self.regs.get(UARTE + TX_MAX, 0)
        self.say(self.uc.mem_read(pointer, count))
        self.regs[UARTE + TX_AMOUNT] = count
        self._event(UARTE, END_TX)

    def receive(self, byte):
        # What comes while four wait is lost.
        if len(self.received) < 4:
            self.received.append(byte)
        self._receive()

    def _receive(self):
        count = self.regs.get(UARTE + RX_MAX, 0)
        if self.wanted and len(self.received) >= count:
            data = bytes(self.received.popleft() for _ in range(count))
            self.uc.mem_write(self.regs[UARTE + RX_POINTER], data)
            self.regs[UARTE + RX_AMOUNT] = count
            self.wanted = False
            self._event(UARTE, END_RX)

    # I2S with DMA, which only sends: the clocks run from its start, a frame's word is fetched when it begins.

    def _play(self):
        form = [self.regs.get(I2S + register, 0) for register in FORM]
        pins = tuple(self.regs.get(I2S + register, 0xFFFF_FFFF) for register in SOUND_PINS)
        is_master = not self.regs.get(I2S + MODE, 0) and self.regs.get(I2S + SENDS, 0)
        if not is_master or form != [1, 0, 0, 0]:
            raise ValueError(f"I2S of this form is not modelled: {form}")
        if pins != self.speaker_pins:
            raise ValueError(f"the amplifier is wired to {self.speaker_pins}, I2S has {pins}")
        ratio = RATIOS[self.regs.get(I2S + RATIO, 0)]
        if ratio % 32:
            raise ValueError(f"a frame of {ratio} master clocks is no multiple of its 32 bits")
        self.frame = self.hz // 32_000_000 * MASTERS[self.regs.get(I2S + MASTER, 0)] * ratio
        self.next_frame = self.now
        self._begin_block()
        self._frame()

    def _begin_block(self):
        self.playing = self.regs.get(I2S + SOUND_POINTER, 0), self.regs.get(I2S + SOUND_WORDS, 0)
        self.played = 0
        self._event(I2S, TX_UPDATED)

    def _frame(self):
        pointer, words = self.playing
        self.speaker.hear(self.next_frame, *struct.unpack("<hh", self.uc.mem_read(pointer + 4 * self.played, 4)))
        self.played += 1
        self.next_frame += self.frame
        self.after("sound", self.next_frame - self.now, self._next_frame)

    def _next_frame(self):
        if self.played >= self.playing[1]:
            self._begin_block()
        self._frame()

    # I2C with DMA, which only writes.

    def _transfer(self):
        regs = self.regs
        count = regs.get(TWIM + TX_MAX, 0)
        if not self.answers(regs.get(TWIM + ADDRESS, 0)):
            regs[TWIM + ERROR_SOURCE] = regs.get(TWIM + ERROR_SOURCE, 0) | 2
            regs[TWIM + TX_AMOUNT] = 0
            self._event(TWIM, ERROR)
            return
        self.display.start()
        for byte in self.uc.mem_read(regs[TWIM + TX_POINTER], count):
            self.display.write(byte)
        regs[TWIM + TX_AMOUNT] = count
        self._event(TWIM, STOPPED)


class Nrf52840Dk(Nrf52):
    flash = ((0, 1 << 20),)
    memories = Nrf52.memories + ((0x2000_0000, 256 << 10),)
    button_pin = 11
    speaker_pins = (42, 43, 44)


class MicrobitV2(Nrf52):
    """An nRF52833 with LEDs instead of a display."""

    flash = ((0, 512 << 10),)
    memories = Nrf52.memories + ((0x2000_0000, 128 << 10),)
    button_pin = 14
    # Pins of port 1 count from 32 on.
    led_rows, led_columns = (21, 22, 15, 24, 19), (28, 11, 31, 37, 30)

    def __init__(self, parts):
        super().__init__(parts)
        self.display = Leds(self.led_rows, self.led_columns, self.cycles, lambda: self.now)

    def plug(self, is_plugged):
        raise ValueError("the LEDs cannot be unplugged")

    def outputs_changed(self):
        self.display.change(self.regs.get(P0 + OUT, 0) | self.regs.get(P0 + PORT_1 + OUT, 0) << 32)
