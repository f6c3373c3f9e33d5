"""What boards with an STM32 have in common: the timer of their time, watchdog, button and serial line."""

from collections import deque

from .chip import Chip
from .outside import CHARACTER, Outside

# Timer 2, which every one has at this place.
TIM2, TIM2_IRQ = 0x4000_0000, 28
CR1, DIER, SR, EGR, CNT, PSC, ARR, CCR = (TIM2 + r for r in (0, 0xC, 0x10, 0x14, 0x24, 0x28, 0x2C, 0x34))
# Of a USART: flags, and the bits that let them interrupt.
IDLE, RECEIVED, SENT, EMPTY = 1 << 4, 1 << 5, 1 << 6, 1 << 7
SERIAL = IDLE | RECEIVED | SENT | EMPTY
# Cycles a second of the watchdog's clock.
LSI = 32_000


class Stm32(Outside, Chip):
    vectors = 0x0800_0000
    # Cycles of the core in one of the timer's clock.
    timer_pace = 1
    # Registers: the watchdog's, the USART's control, and those of the button's pin and its interrupt.
    watchdog = serial_control = pins = mask = rising = falling = pending = None
    serial_irq = button_irq = 0
    # The button's bit, and whether it is high while the button is down.
    button_bit, is_high_down = 0, False
    # What the register of reasons says after the watchdog has bitten, and whether it has.
    reset_by_watchdog = 0
    reason = 0

    def start(self):
        self.zero = self.now
        self.serial = SENT | EMPTY
        self.received, self.waiting = deque(), 0

    def bite(self):
        self.reason = self.reset_by_watchdog
        super().bite()

    def levels(self):
        regs, high = self.regs, 0
        if regs.get(SR, 0) & regs.get(DIER, 0) & 0x1F:
            high |= 1 << TIM2_IRQ
        if self.serial & regs.get(self.serial_control, 0) & SERIAL:
            high |= 1 << self.serial_irq
        if regs.get(self.pending, 0) & regs.get(self.mask, 0) & self.button_bit:
            high |= 1 << self.button_irq
        return high

    def read(self, address):
        if address == CNT:
            return self._count() % (self.regs.get(ARR, 0xFFFF) + 1)
        if address == self.pins:
            return 0xFFFF & ~self.button_bit | (self._is_high() and self.button_bit)
        return self.regs.get(address, 0)

    def write(self, address, value, size):
        regs = self.regs
        if address == SR:
            regs[address] = regs.get(address, 0) & value  # flags are cleared by zeros
        elif address == self.pending:
            regs[address] = regs.get(address, 0) & ~value
        elif address in (CR1, EGR, CNT):
            if address == CR1:
                regs[address] = value
            self.zero = self.now
            self._compare_all()
        elif address == self.watchdog and value in (0xAAAA, 0xCCCC):
            self._watch(value == 0xCCCC)
        else:
            regs[address] = value
            if address in (PSC, ARR) or CCR <= address < CCR + 16:
                self._compare_all()

    # The timer, and the watchdog.

    def _tick(self):
        """Cycles of one of the timer's."""
        return (self.regs.get(PSC, 0) + 1) * self.timer_pace

    def _count(self):
        return (self.now - self.zero) // self._tick()

    def _compare_all(self):
        for flag in range(5):
            self._compare(flag)

    def _compare(self, flag):
        """Flag 0 comes at an overflow, the others at a comparison."""
        if not self.regs.get(CR1, 0) & 1:
            self.never(f"flag {flag}")
            return
        period, count = self.regs.get(ARR, 0xFFFF) + 1, self._count()
        value = self.regs.get(CCR + 4 * (flag - 1), 0) if flag else 0
        target = count + ((value - count) % period or period)
        self.after(f"flag {flag}", self.zero + target * self._tick() - self.now, lambda: self._reached(flag))

    def _reached(self, flag):
        self.regs[SR] = self.regs.get(SR, 0) | 1 << flag
        self._compare(flag)

    def _watch(self, starts):
        if starts or "watchdog" in self.alarms:
            divider = 4 << (self.regs.get(self.watchdog + 4, 0) & 7)
            ticks = (self.regs.get(self.watchdog + 8, 0xFFF) + 1) * divider
            self.after("watchdog", ticks * self.hz // LSI, self.bite)

    # The button.

    def _is_high(self):
        return self.is_down == self.is_high_down

    def pins_changed(self):
        edges = self.regs.get(self.rising if self._is_high() else self.falling, 0)
        self.regs[self.pending] = self.regs.get(self.pending, 0) | edges & self.button_bit

    # USART: room for some characters in each direction, and one that is on its way out.

    def room(self):
        """How many characters wait in each direction at most."""
        return 1

    def send(self, byte):
        self.say([byte])
        self.serial &= ~SENT
        if "send" not in self.alarms:
            self.after("send", self.cycles(CHARACTER), self._sent)
            return
        self.waiting += 1
        if self.waiting >= self.room():
            self.serial &= ~EMPTY

    def _sent(self):
        if self.waiting:
            self.waiting -= 1
            self.serial |= EMPTY
            self.after("send", self.cycles(CHARACTER), self._sent)
        else:
            self.serial |= SENT

    def receive(self, byte):
        # What comes before there is room for it is lost.
        if len(self.received) < self.room():
            self.received.append(byte)
            self.serial |= RECEIVED
        self.after("idle", self.cycles(2 * CHARACTER), self._idle)

    def take(self):
        """The character that has waited longest."""
        byte = self.received.popleft() if self.received else 0
        if not self.received:
            self.serial &= ~RECEIVED
        return byte

    def _idle(self):
        self.serial |= IDLE
