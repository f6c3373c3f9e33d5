"""The part of an RP2350's PIO and DMA by which sound goes out: state machine 0 of PIO0, and DMA channels that feed it (RP2350
data sheet, chapters 11 and 12.6)."""

from collections import deque

# Registers, from the start of a block.
CONTROL, FIFO_STATUS, FIFO_LEVEL, FIFO, MEMORY = 0x00, 0x04, 0x0C, 0x10, 0x48
DIVIDER, EXECUTION, SHIFT, ADDRESS, INSTRUCTION, PINS = (0xC8 + r for r in (0, 4, 8, 0xC, 0x10, 0x14))
JOIN_TX, AUTOPULL, RIGHT = 1 << 30, 1 << 17, 1 << 19
# Instructions that run at once, so that they need not be waited for one by one.
BATCH = 64


def unknown(what):
    raise ValueError(f"the model of PIO and DMA has no {what}")


class Pio:
    """State machine 0, with instructions that neither wait for pins nor receive. `outside(time, levels, outputs)` sees its pins
    whenever they have been set."""

    def __init__(self, outside):
        self.outside = outside
        self.regs = {}
        self.fifo = deque()
        self.x = self.y = self.pc = self.osr = 0
        self.shifted = 32
        self.levels = self.outputs = 0
        # The cycle of the next instruction.
        self.time = 0

    @property
    def room(self):
        """Words that the FIFO still takes."""
        return (8 if self.regs.get(SHIFT, 0) & JOIN_TX else 4) - len(self.fifo)

    @property
    def is_on(self):
        return self.regs.get(CONTROL, 0) & 1

    @property
    def pace(self):
        """Cycles of an instruction."""
        divider = self.regs.get(DIVIDER, 0)
        return (divider >> 16 or 1 << 16) + (divider >> 8 & 0xFF) / 256

    def read(self, register):
        if register == FIFO_LEVEL:
            return len(self.fifo)
        if register == FIFO_STATUS:
            return (0 if self.fifo else 1 << 24) | (0 if self.room else 1 << 16) | 0x0E00_0F00
        if register == ADDRESS:
            return self.pc
        return self.regs.get(register, 0)

    def write(self, register, value, now):
        if register == FIFO:
            self.push(value)
        elif register == INSTRUCTION:
            self.time = now
            self.execute(value)
        elif register == CONTROL:
            if value & 0xE:
                unknown("second state machine")
            if value & 1 and not self.is_on:
                self.time = now
            # Restarts are over at once.
            self.regs[register] = value & 0xF
        else:
            self.regs[register] = value

    def push(self, word):
        if not self.room:
            unknown("place for a word more")
        self.fifo.append(word)

    def run(self, now):
        """Executes what it has executed by this cycle."""
        while self.is_on and self.time <= now:
            execution = self.regs.get(EXECUTION, 0)
            at = self.pc
            self.pc = execution >> 7 & 31 if at == execution >> 12 & 31 else at + 1 & 31
            if not self.execute(self.regs.get(MEMORY + 4 * at, 0)):
                self.pc = at
                self.time = now + 1
                return
            self.time += self.pace

    def execute(self, word):
        """An instruction. Returns whether it is done; else it waits for a word."""
        pins = self.regs.get(PINS, 0)
        sides = pins >> 29 & 7
        field = word >> 8 & 31
        if self.regs.get(EXECUTION, 0) >> 29 & 3 or field & (1 << 5 - sides) - 1:
            unknown("delay, and no side-set that may be left out or sets directions")
        if sides:
            self._set(pins >> 10 & 31, sides, field >> 5 - sides)
        kind, target, rest = word >> 13, word >> 5 & 7, word & 31
        if kind == 0:
            self._jump(target, rest)
        elif kind == 3:
            if not self._pull():
                return False
            self._send(target, self._shift(rest or 32))
        elif kind == 5 and rest in (1, 2) and target in (1, 2):
            self._send(target, self.x if rest == 1 else self.y)
        elif kind == 7:
            self._send(target, rest, is_set=True)
        else:
            unknown(f"instruction {word:04x}")
        self.outside(self.time, self.levels, self.outputs)
        return True

    def _jump(self, condition, target):
        if condition == 0:
            self.pc = target
        elif condition in (2, 4):  # unless it is 0, which it is counted down from
            name = "x" if condition == 2 else "y"
            value = getattr(self, name)
            setattr(self, name, value - 1 & 0xFFFF_FFFF)
            if value:
                self.pc = target
        else:
            unknown(f"jump by condition {condition}")

    def _pull(self):
        shift = self.regs.get(SHIFT, 0)
        if not shift & AUTOPULL:
            unknown("OUT without autopull")
        if self.shifted >= (shift >> 25 & 31 or 32):
            if not self.fifo:
                return False
            self.osr, self.shifted = self.fifo.popleft(), 0
        return True

    def _shift(self, count):
        if self.regs.get(SHIFT, 0) & RIGHT:
            unknown("shift to the right")
        self.shifted += count
        value = self.osr >> 32 - count
        self.osr = self.osr << count & 0xFFFF_FFFF
        return value

    def _send(self, target, value, is_set=False):
        pins = self.regs.get(PINS, 0)
        base, count = (pins >> 5 & 31, pins >> 26 & 7) if is_set else (pins & 31, pins >> 20 & 63)
        if target == 0:
            self._set(base, count, value)
        elif target == 4:
            mask = (1 << count) - 1 << base
            self.outputs = self.outputs & ~mask | value << base & mask
        elif target in (1, 2):
            setattr(self, "x" if target == 1 else "y", value)
        else:
            unknown(f"target {target}")

    def _set(self, base, count, value):
        mask = (1 << count) - 1 << base
        self.levels = self.levels & ~mask | value << base & mask


class Dma:
    """Channels that hand words of memory to a FIFO whenever it has room."""

    RAW, ENABLE, STATUS, ABORT = 0x400, 0x404, 0x40C, 0x464
    BUSY = 1 << 26

    def __init__(self, pio, fifo_address, word_at):
        self.pio, self.fifo_address, self.word_at = pio, fifo_address, word_at
        self.regs = {}
        self.left = {}

    @property
    def interrupts(self):
        return self.regs.get(self.RAW, 0) & self.regs.get(self.ENABLE, 0)

    def read(self, register):
        if register == self.STATUS:
            return self.interrupts
        if register == self.ABORT:
            return 0
        busy = self.BUSY if register & 0x3F == 0xC and self.left.get(register >> 6) else 0
        return self.regs.get(register, 0) | busy

    def write(self, register, value):
        if register in (self.RAW, self.STATUS):
            self.regs[self.RAW] = self.regs.get(self.RAW, 0) & ~value
        elif register == self.ABORT:
            self.left = {channel: left for channel, left in self.left.items() if not value >> channel & 1}
        else:
            self.regs[register] = value
            if register < 0x400 and register & 0x3F == 0xC and value & 1:
                self._trigger(register >> 6, value)

    def _trigger(self, channel, control):
        # Words, from places that go up to one that stays, when the transmitting FIFO of state machine 0 asks.
        if control >> 2 & 3 != 2 or control >> 4 & 0xF != 1 or control >> 17 & 63 or control >> 24 & 1:
            unknown(f"transfer of control {control:08x}")
        if self.regs.get(channel << 6 | 4) != self.fifo_address:
            unknown("transfer to another place than the FIFO")
        self.left[channel] = self.regs.get(channel << 6 | 8, 0) & 0x0FFF_FFFF
        self.feed()

    def feed(self):
        for channel in list(self.left):
            base = channel << 6
            while self.left[channel] and self.pio.room:
                self.pio.push(self.word_at(self.regs[base]))
                self.regs[base] += 4
                self.left[channel] -= 1
            if not self.left[channel]:
                del self.left[channel]
                self.regs[self.RAW] = self.regs.get(self.RAW, 0) | 1 << channel
