"""A Raspberry Pi Pico 2: the registers of an RP2350 that its firmware touches (RP2350 data sheet)."""

from collections import deque

from unicorn.arm_const import UC_CPU_ARM_CORTEX_M33

from .chip import Chip
from .outside import BYTE, CHARACTER, Outside
from .pio import BATCH, Dma, FIFO, Pio
from .sio import Sio
from .st7789 import St7789

BUTTON = 15
# Of a display at SPI.
SELECT, IS_DATA, RESET = 17, 20, 21
# Of an amplifier at I2S.
SOUND_DATA, BIT_CLOCK, SIDE_CLOCK = 9, 10, 11
SIO = 0xD000_0000
SIO_IN = SIO + 4
# Levels of outputs: written, set, cleared, turned round.
OUT, OUT_SET, OUT_CLEAR, OUT_TURN = (SIO + r for r in (0x10, 0x18, 0x20, 0x28))
# What holds core 1 in reset.
FORCE_OFF, CORE_1 = 0x4001_8004, 1 << 24
CLOCKS, RESETS, IO_BANK0, XOSC = 0x4001_0000, 0x4002_0000, 0x4002_8000, 0x4004_8000
PLL_SYS, PLL_USB, UART0, I2C0, TIMER0 = 0x4005_0000, 0x4005_8000, 0x4007_0000, 0x4009_0000, 0x400B_0000
SPI0, WATCHDOG, DMA, PIO0 = 0x4008_0000, 0x400D_8000, 0x5000_0000, 0x5020_0000
TIMER_IRQ, DMA_IRQ, IO_IRQ, FIFO_IRQ, UART_IRQ, I2C_IRQ = 0, 10, 21, 25, 33, 36
RESET_DONE = RESETS + 8
# Of IO_BANK0: latched edges, and for core 0 enabled interrupts and those that are both; for core 1 they come later.
INTR, INTE, INTS = IO_BANK0 + 0x230, IO_BANK0 + 0x248, IO_BANK0 + 0x278
LATER = 0x48
LEVEL_LOW, LEVEL_HIGH, EDGE_LOW, EDGE_HIGH = 1, 2, 4, 8
ALARM, ARMED, RAW, TIMER_INTR, TIMER_INTE, TIMER_INTS = (TIMER0 + r for r in (0x10, 0x20, 0x28, 0x3C, 0x40, 0x48))
FLAGS, LEVELS, MASK, STATUS, MASKED, CLEAR = (UART0 + r for r in (0x18, 0x34, 0x38, 0x3C, 0x40, 0x44))
RX, TX, RT = 1 << 4, 1 << 5, 1 << 6
UART_FIFO, I2C_FIFO = 32, 16
TAR, DATA, I2C_INTS, I2C_MASK, I2C_RAW = (I2C0 + r for r in (0x04, 0x10, 0x2C, 0x30, 0x34))
TX_LEVEL, CLEAR_ABORT, CLEAR_STOP, ENABLE, TX_COUNT, ABORT_SOURCE, ENABLED = (
    I2C0 + r for r in (0x3C, 0x54, 0x60, 0x6C, 0x74, 0x80, 0x9C))
TX_EMPTY, ABORTED, STOPPED = 1 << 4, 1 << 6, 1 << 9
SPI_CONTROL, SPI_ENABLE, SPI_DATA, SPI_STATUS, SPI_PRESCALE = (SPI0 + r for r in (0, 4, 8, 0xC, 0x10))
SPI_FIFO = 8
WATCHDOG_LOAD, WATCHDOG_REASON = WATCHDOG + 4, WATCHDOG + 8


class Pico2(Outside, Chip):
    cpu, hz, vectors = UC_CPU_ARM_CORTEX_M33, 150_000_000, 0x1000_0000
    flash = ((0x1000_0000, 4 << 20),)
    memories = ((0, 32 << 10), (0x2000_0000, 520 << 10))  # an empty ROM, and RAM
    devices = ((0x4000_0000, 0x20_0000), (0x5000_0000, 0x40_0000), (SIO, 0x1000))
    count = 2
    reason = 0

    def start(self):
        self.sio = Sio(self.cores[1].start)
        self.sio.pen.enter()
        self.received, self.sending = deque(), 0
        self.bus, self.is_addressed = deque(), False
        self.out = self.clocked = 0
        self.pio = Pio(self._sound)
        self.dma = Dma(self.pio, PIO0 + FIFO, lambda at: int.from_bytes(self.uc.mem_read(at, 4), "little"))

    def bite(self):
        self.reason = 1
        super().bite()

    def levels(self):
        high = 0
        if self.regs.get(TIMER_INTR, 0) & self.regs.get(TIMER_INTE, 0):
            high |= 1 << TIMER_IRQ
        if self._uart_status() & self.regs.get(MASK, 0):
            high |= 1 << UART_IRQ
        if self._i2c_raw() & self.regs.get(I2C_MASK, 0):
            high |= 1 << I2C_IRQ
        if self.dma.interrupts:
            high |= 1 << DMA_IRQ
        return high

    def levels_at(self, number):
        high = self.levels()
        if any(self._pins(4 * word, number) for word in range(6)):
            high |= 1 << IO_IRQ
        if self.sio.interrupts(number):
            high |= 1 << FIFO_IRQ
        return high

    def read(self, address):
        if address == SPI_STATUS:  # first, since it is read most often
            return 3 | (4 if self.clocked else 0)  # nothing waits to be sent; something has been received
        if address == SIO_IN:
            return 0xFFFF_FFFF & ~(self.is_down << BUTTON)
        if address >= SIO:
            word = self.sio.read(address - SIO, self.core.number)
            return self.regs.get(address, 0) if word is None else word
        address &= ~0x3000
        return self._read_register(address) & 0xFFFF_FFFF

    def _read_register(self, address):
        regs = self.regs
        if address == RESET_DONE:
            return ~regs.get(RESETS, 0)
        if address == XOSC + 4:
            return 1 << 31 | 1 << 12  # stable, on
        if address in (PLL_SYS, PLL_USB):
            return regs.get(address, 1) | 1 << 31  # locked
        if address == CLOCKS + 0x38:
            return 1 << (regs.get(CLOCKS + 0x30, 0) & 3)
        if address == CLOCKS + 0x44:
            return 1 << (regs.get(CLOCKS + 0x3C, 0) & 1)
        if address in (RAW, TIMER0 + 0xC):
            return self.micros
        if address in (RAW - 4, TIMER0 + 8):
            return self.micros >> 32
        if address == TIMER_INTS:
            return regs.get(TIMER_INTR, 0) & regs.get(TIMER_INTE, 0)
        if INTS <= address < INTS + 2 * LATER and (address - INTS) % LATER < 24:
            return self._pins((address - INTS) % LATER, (address - INTS) // LATER)
        if address == WATCHDOG_REASON:
            return self.reason
        if address == SPI_DATA:
            self.clocked = max(0, self.clocked - 1)
            return 0  # nothing is wired to the input
        if UART0 <= address < UART0 + 0x1000:
            return self._read_uart(address)
        if I2C0 <= address < I2C0 + 0x1000:
            return self._read_i2c(address)
        if DMA <= address < DMA + 0x1000:
            return self.dma.read(address - DMA)
        if PIO0 <= address < PIO0 + 0x1000:
            return self.pio.read(address - PIO0)
        return regs.get(address, 0)

    def write(self, address, value, size):
        if address == SPI_DATA:
            self._write_spi(value)
            return
        if address >= SIO:
            if not self.sio.write(address - SIO, value, self.core.number):
                self._write_outputs(address, value)
            return
        if size < 4:  # a narrow write reaches the whole register, repeated
            value = int.from_bytes(value.to_bytes(size, "little") * (4 // size), "little")
        how, address = address >> 12 & 3, address & ~0x3003
        if address == DATA:
            self._write_i2c(value)
            return
        now = self._read_register(address) if address >= DMA else self.regs.get(address, 0)
        value = (value, now ^ value, now | value, now & ~value)[how]
        if DMA <= address < DMA + 0x1000:
            self.dma.write(address - DMA, value)
        elif PIO0 <= address < PIO0 + 0x1000:
            self.pio.write(address - PIO0, value, self.now)
            self._pio_runs()
        elif address == UART0:
            self.say([value & 0xFF])
            self.sending += 1
            if self.sending == 1:
                self.after("send", self.cycles(CHARACTER), self._sent)
        elif address == CLEAR:
            self.regs[STATUS] = self.regs.get(STATUS, 0) & ~value
        elif address == TIMER_INTR:
            self.regs[address] = now & ~value
        elif address == ARMED:
            self.regs[address] = now & ~value
            for alarm in range(4):
                if value >> alarm & 1:
                    self.never(f"alarm {alarm}")
        elif ALARM <= address < ALARM + 16:
            self._arm((address - ALARM) // 4, value)
        elif INTR <= address < INTR + 24:
            self.regs[address] = now & ~value
        else:
            self.regs[address] = value
            if address in (WATCHDOG, WATCHDOG_LOAD):
                self._watch()
            elif address == FORCE_OFF:
                self._hold(now, value)

    def _hold(self, before, now):
        """Core 1 is held in reset, or let go of."""
        if now & CORE_1:
            self.cores[1].reset()
            self.sio.pen.leave()
        elif before & CORE_1:
            self.sio.pen.enter()

    # Timer and watchdog.

    def _arm(self, alarm, value):
        self.regs[ALARM + 4 * alarm] = value
        self.regs[ARMED] = self.regs.get(ARMED, 0) | 1 << alarm
        wait = value - self.micros & 0xFFFF_FFFF
        self.after(f"alarm {alarm}", (self.micros + wait) * self.hz // 1_000_000 + 150 - self.now, lambda: self._ring(alarm))

    def _ring(self, alarm):
        self.regs[ARMED] &= ~(1 << alarm)
        self.regs[TIMER_INTR] = self.regs.get(TIMER_INTR, 0) | 1 << alarm

    def _watch(self):
        if self.regs.get(WATCHDOG, 0) >> 30 & 1:
            self.after("watchdog", self.cycles(self.regs.get(WATCHDOG_LOAD, 0) & 0xFF_FFFF), self.bite)
        else:
            self.never("watchdog")

    # Pins.

    def _pins(self, offset, core):
        """A core's interrupts of the eight pins of a word; all pins but the button's are high."""
        enabled = self.regs.get(INTE + LATER * core + offset, 0)
        if not enabled:
            return 0
        state = self.regs.get(INTR + offset, 0)
        for place in range(8):
            is_low = self.is_down and 2 * offset + place == BUTTON
            state |= (LEVEL_LOW if is_low else LEVEL_HIGH) << 4 * place
        return state & enabled

    def pins_changed(self):
        word = INTR + 4 * (BUTTON // 8)
        edge = (EDGE_LOW if self.is_down else EDGE_HIGH) << 4 * (BUTTON % 8)
        self.regs[word] = self.regs.get(word, 0) | edge

    def _write_outputs(self, address, value):
        out = {OUT: value, OUT_SET: self.out | value, OUT_CLEAR: self.out & ~value, OUT_TURN: self.out ^ value}
        if address not in out:
            self.regs[address] = value
            return
        self.out = out[address]
        self.outputs_changed()

    def outputs_changed(self):
        """What is wired to the outputs looks at them."""

    # SPI: a PL022 that only sends. A byte goes out as soon as it is written, and its time passes.

    def _write_spi(self, value):
        if not self.regs.get(SPI_ENABLE, 0) & 2:
            return
        control = self.regs.get(SPI_CONTROL, 0)
        if control & 0xF != 7:
            raise ValueError(f"SPI sends words of {(control & 0xF) + 1} bits")
        if self.clocked == SPI_FIFO:
            raise ValueError("SPI has received more than its FIFO holds")
        self.clocked += 1
        self.now += 8 * self.regs.get(SPI_PRESCALE, 2) * ((control >> 8 & 0xFF) + 1)
        self.clock_out(value & 0xFF, control >> 6 & 3)

    def clock_out(self, byte, mode):
        """What is wired to SPI takes a byte, clocked by this polarity (bit 0) and phase (bit 1)."""

    # Sound: PIO, which DMA feeds.

    def _pio_runs(self):
        """Lets PIO do what it has done by now, and again after some instructions."""
        self.pio.run(self.now)
        self.dma.feed()
        if self.pio.is_on:
            self.after("pio", int(BATCH * self.pio.pace), self._pio_runs)
        else:
            self.never("pio")

    def _sound(self, time, levels, outputs):
        level = [levels >> pin & outputs >> pin & 1 for pin in (BIT_CLOCK, SIDE_CLOCK, SOUND_DATA)]
        self.speaker.pins(time, *level)

    # UART: a PL011.

    def _uart_status(self):
        return self.regs.get(STATUS, 0) | (RX | RT if self.received else 0)

    def _read_uart(self, address):
        if address == UART0:
            return self.received.popleft() if self.received else 0
        if address == FLAGS:
            return (0 if self.received else 1 << 4) | (1 << 5 if self.sending >= UART_FIFO else 0) | (
                1 << 3 if self.sending else 1 << 7)
        if address == STATUS:
            return self._uart_status()
        if address == MASKED:
            return self._uart_status() & self.regs.get(MASK, 0)
        return self.regs.get(address, 0)

    def _sent(self):
        self.sending -= 1
        # The interrupt comes when the FIFO falls through half of its length, or empty.
        if self.sending in (0, UART_FIFO // 2):
            self.regs[STATUS] = self.regs.get(STATUS, 0) | TX
        if self.sending:
            self.after("send", self.cycles(CHARACTER), self._sent)

    def receive(self, byte):
        # What comes while the FIFO is full is lost.
        if len(self.received) < UART_FIFO:
            self.received.append(byte)

    # I2C: a DesignWare controller that only writes.

    def _i2c_raw(self):
        is_low = len(self.bus) <= self.regs.get(TX_LEVEL, 0)
        return self.regs.get(I2C_RAW, 0) | (TX_EMPTY if is_low else 0)

    def _read_i2c(self, address):
        regs = self.regs
        if address == I2C_RAW:
            return self._i2c_raw()
        if address == I2C_INTS:
            return self._i2c_raw() & regs.get(I2C_MASK, 0)
        if address == I2C0 + 0x70:  # FIFO not full, empty
            return (2 if len(self.bus) < I2C_FIFO else 0) | (0 if self.bus else 4)
        if address == TX_COUNT:
            return len(self.bus)
        if address == ENABLED:
            return regs.get(ENABLE, 0)
        if address == CLEAR_ABORT:
            regs[I2C_RAW] = regs.get(I2C_RAW, 0) & ~ABORTED
            regs[ABORT_SOURCE] = 0
        if address == CLEAR_STOP:
            regs[I2C_RAW] = regs.get(I2C_RAW, 0) & ~STOPPED
        return regs.get(address, 0)

    def _write_i2c(self, value):
        if self.regs.get(I2C_RAW, 0) & ABORTED:
            return  # the FIFO stays flushed until the abort is cleared
        self.bus.append(value)
        if len(self.bus) == 1:
            self.after("bus", self.cycles(BYTE), self._shift)

    def _shift(self):
        if not self.is_addressed and not self.answers(self.regs.get(TAR, 0) & 0x7F):
            self.bus.clear()
            self.regs[ABORT_SOURCE] = 1  # no answer to the address
            self.regs[I2C_RAW] = self.regs.get(I2C_RAW, 0) | ABORTED | STOPPED
            return
        if not self.is_addressed:
            self.display.start()
            self.is_addressed = True
        value = self.bus.popleft()
        self.display.write(value & 0xFF)
        if value & 0x200:
            self.is_addressed = False
            self.regs[I2C_RAW] = self.regs.get(I2C_RAW, 0) | STOPPED
        if self.bus:
            self.after("bus", self.cycles(BYTE), self._shift)


class Pico2Colour(Pico2):
    """With an ST7789 at SPI instead of the display at I2C."""

    screen = St7789

    def outputs_changed(self):
        if not self.out >> RESET & 1:
            self.display.reset()

    def clock_out(self, byte, mode):
        if not self.is_plugged or self.out >> SELECT & 1:
            return
        if mode not in (0, 3):
            raise ValueError(f"the display knows modes 0 and 3 of SPI, not polarity {mode & 1} with phase {mode >> 1}")
        if self.regs[SPI_PRESCALE] * ((self.regs[SPI_CONTROL] >> 8 & 0xFF) + 1) < self.hz * self.display.cycle_ns / 1e9:
            raise ValueError(f"the display takes a bit in {self.display.cycle_ns} ns, SPI is faster")
        self.display.write(byte, self.out >> IS_DATA & 1)
