"""A board with an STM32F411 ("Black Pill"): the registers that its firmware touches (reference manual RM0383)."""

from unicorn.arm_const import UC_CPU_ARM_CORTEX_M4

from .chip import Chip
from .outside import BYTE, CHARACTER, Outside

BUTTON = 0
RCC, PWR, TIM2, IWDG, USART2, I2C1, EXTI, GPIOA, DMA1 = (
    0x4002_3800, 0x4000_7000, 0x4000_0000, 0x4000_3000, 0x4000_4400, 0x4000_5400, 0x4001_3C00, 0x4002_0000, 0x4002_6000)
EXTI0_IRQ, DMA_IRQ, TIM2_IRQ, I2C_EVENT_IRQ, I2C_ERROR_IRQ, USART2_IRQ = 6, 17, 28, 31, 32, 38
CLOCK_STATUS, RESET_BY_WATCHDOG, FORGET = RCC + 0x74, 1 << 29, 1 << 24
CR1, DIER, SR, EGR, CNT, PSC, ARR, CCR = (TIM2 + r for r in (0, 0xC, 0x10, 0x14, 0x24, 0x28, 0x2C, 0x34))
USART_SR, USART_DR, USART_CR1 = USART2, USART2 + 4, USART2 + 0xC
IDLE, RECEIVED, SENT, EMPTY = 1 << 4, 1 << 5, 1 << 6, 1 << 7
I2C_CR1, I2C_CR2, I2C_DR, I2C_SR1, I2C_SR2 = (I2C1 + r for r in (0, 4, 0x10, 0x14, 0x18))
START, STOP, ERROR_INTERRUPT, EVENT_INTERRUPT = 1 << 8, 1 << 9, 1 << 8, 1 << 9
STARTED, ADDRESSED, FINISHED, NO_ANSWER = 1, 2, 4, 1 << 10
# Stream 6 of DMA1 sends to I2C1.
HIGH_STATUS, HIGH_CLEAR, STREAM = DMA1 + 4, DMA1 + 0xC, DMA1 + 0x10 + 6 * 0x18
COUNT, MEMORY, COMPLETE = STREAM + 4, STREAM + 0xC, 1 << 21
MASK, RISING, FALLING, PENDING = EXTI, EXTI + 8, EXTI + 0xC, EXTI + 0x14
LSI = 32_000


class BlackPill(Outside, Chip):
    cpu, hz, vectors = UC_CPU_ARM_CORTEX_M4, 100_000_000, 0x0800_0000
    flash = ((0x0800_0000, 512 << 10),)
    memories = ((0x2000_0000, 128 << 10), (0x1FFF_0000, 0x1_0000))  # RAM, and the chip's own data
    devices = ((0x4000_0000, 0x8_0000), (0xE004_2000, 0x1000))
    reason = 0

    def start(self):
        self.zero = self.now
        self.byte, self.waiting = 0, None
        self.regs[USART_SR] = SENT | EMPTY

    def bite(self):
        self.reason = RESET_BY_WATCHDOG
        super().bite()

    def levels(self):
        regs, high = self.regs, 0
        if regs.get(SR, 0) & regs.get(DIER, 0) & 0x1F:
            high |= 1 << TIM2_IRQ
        # Of the USART, the bits that enable are where the flags are.
        if regs.get(USART_SR, 0) & regs.get(USART_CR1, 0) & (IDLE | RECEIVED | SENT | EMPTY):
            high |= 1 << USART2_IRQ
        if regs.get(PENDING, 0) & regs.get(MASK, 0) & 1 << BUTTON:
            high |= 1 << EXTI0_IRQ
        if regs.get(HIGH_STATUS, 0) & COMPLETE and regs.get(STREAM, 0) & 1 << 4:
            high |= 1 << DMA_IRQ
        control, status = regs.get(I2C_CR2, 0), regs.get(I2C_SR1, 0)
        if control & EVENT_INTERRUPT and status & (STARTED | ADDRESSED | FINISHED):
            high |= 1 << I2C_EVENT_IRQ
        if control & ERROR_INTERRUPT and status & NO_ANSWER:
            high |= 1 << I2C_ERROR_IRQ
        return high

    def read(self, address):
        regs = self.regs
        value = regs.get(address, 0)
        if address == RCC:
            return value | (value & 0x0501_0001) << 1  # what is on is ready
        if address == RCC + 8:
            return value & ~0xC | (value & 3) << 2  # the clock that is chosen is used
        if address == RCC + 0x70:
            return value | (value & 1) << 1
        if address == CLOCK_STATUS:
            return value | (value & 1) << 1 | self.reason
        if address == PWR + 4:
            return value | 1 << 14
        if address == CNT:
            return self._count() % (regs.get(ARR, 0xFFFF) + 1)
        if address == GPIOA + 0x10:
            return 0xFFFF & ~(self.is_down << BUTTON)
        if address == USART_DR:
            regs[USART_SR] &= ~(IDLE | RECEIVED)
            return self.byte
        if address == I2C_SR2:
            value = 3 if regs.get(I2C_SR1, 0) & (STARTED | ADDRESSED) else 0  # master, busy
            regs[I2C_SR1] = regs.get(I2C_SR1, 0) & ~ADDRESSED
        return value

    def write(self, address, value, size):
        regs = self.regs
        if address == CLOCK_STATUS and value & FORGET:
            self.reason = 0
            regs[address] = value & 1
        elif address in (SR, USART_SR, I2C_SR1):
            regs[address] = regs.get(address, 0) & value  # flags are cleared by zeros
        elif address == PENDING:
            regs[address] = regs.get(address, 0) & ~value
        elif address == HIGH_CLEAR:
            regs[HIGH_STATUS] = regs.get(HIGH_STATUS, 0) & ~value
        elif address in (CR1, EGR, CNT):
            if address == CR1:
                regs[address] = value
            self.zero = self.now
            self._compare_all()
        elif address == USART_DR:
            self._send(value & 0xFF)
        elif address == I2C_DR:
            regs[I2C_SR1] = regs.get(I2C_SR1, 0) & ~STARTED
            self.after("bus", self.cycles(BYTE), lambda: self._addressed(value >> 1))
        elif address == I2C_CR1:
            self._control(value)
        elif address == IWDG and value in (0xAAAA, 0xCCCC):
            self._watch(value == 0xCCCC)
        else:
            regs[address] = value
            if address in (PSC, ARR) or CCR <= address < CCR + 16:
                self._compare_all()
            elif address == STREAM and value & 1:
                self.after("bus", self.cycles(regs.get(COUNT, 0) * BYTE), self._transferred)
            elif address == STREAM:
                self.never("bus")

    # Timer 2, whose clock is the core's, and the watchdog.

    def _count(self):
        return (self.now - self.zero) // (self.regs.get(PSC, 0) + 1)

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
        wait = self.zero + target * (self.regs.get(PSC, 0) + 1) - self.now
        self.after(f"flag {flag}", wait, lambda: self._reached(flag))

    def _reached(self, flag):
        self.regs[SR] = self.regs.get(SR, 0) | 1 << flag
        self._compare(flag)

    def _watch(self, starts):
        if starts or "watchdog" in self.alarms:
            divider = 4 << (self.regs.get(IWDG + 4, 0) & 7)
            ticks = (self.regs.get(IWDG + 8, 0xFFF) + 1) * divider
            self.after("watchdog", ticks * self.hz // LSI, self.bite)

    # The button.

    def pins_changed(self):
        edges = FALLING if self.is_down else RISING
        self.regs[PENDING] = self.regs.get(PENDING, 0) | self.regs.get(edges, 0) & 1 << BUTTON

    # USART: a register of one character in each direction, and one that is on its way out.

    def _send(self, byte):
        self.say([byte])
        self.regs[USART_SR] &= ~SENT
        if "send" in self.alarms:
            self.regs[USART_SR] &= ~EMPTY
        else:
            self.after("send", self.cycles(CHARACTER), self._sent)

    def _sent(self):
        if self.regs[USART_SR] & EMPTY:
            self.regs[USART_SR] |= SENT
        else:
            self.regs[USART_SR] |= EMPTY
            self.after("send", self.cycles(CHARACTER), self._sent)

    def receive(self, byte):
        # What comes before the last one was read is lost.
        if not self.regs[USART_SR] & RECEIVED:
            self.byte = byte
            self.regs[USART_SR] |= RECEIVED
        self.after("idle", self.cycles(2 * CHARACTER), self._idle)

    def _idle(self):
        self.regs[USART_SR] |= IDLE

    # I2C, which only writes, by DMA.

    def _control(self, value):
        if value & STOP:
            self.regs[I2C_SR1] = 0
        if value & START:
            self.after("bus", self.cycles(BYTE), self._started)
        self.regs[I2C_CR1] = value & ~STOP

    def _started(self):
        self.regs[I2C_CR1] &= ~START
        self.regs[I2C_SR1] = STARTED

    def _addressed(self, address):
        if self.answers(address):
            self.display.start()
        self.regs[I2C_SR1] |= ADDRESSED if self.answers(address) else NO_ANSWER

    def _transferred(self):
        self.regs[STREAM] &= ~1
        if not self.is_plugged:
            self.regs[I2C_SR1] |= NO_ANSWER
            return
        for byte in self.uc.mem_read(self.regs[MEMORY], self.regs.get(COUNT, 0)):
            self.display.write(byte)
        self.regs[COUNT] = 0
        self.regs[HIGH_STATUS] = self.regs.get(HIGH_STATUS, 0) | COMPLETE
        self.regs[I2C_SR1] |= FINISHED
