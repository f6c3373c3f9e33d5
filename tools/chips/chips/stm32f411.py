"""A board with an STM32F411 ("Black Pill"): the registers that its firmware touches (reference manual RM0383)."""

from unicorn.arm_const import UC_CPU_ARM_CORTEX_M4

from .outside import BYTE
from .stm32 import IDLE, Stm32

RCC, PWR, IWDG, USART2, I2C1, EXTI, GPIOA, DMA1 = (
    0x4002_3800, 0x4000_7000, 0x4000_3000, 0x4000_4400, 0x4000_5400, 0x4001_3C00, 0x4002_0000, 0x4002_6000)
EXTI0_IRQ, DMA_IRQ, I2C_EVENT_IRQ, I2C_ERROR_IRQ, USART2_IRQ = 6, 17, 31, 32, 38
CLOCK_STATUS, RESET_BY_WATCHDOG, FORGET = RCC + 0x74, 1 << 29, 1 << 24
USART_SR, USART_DR, USART_CR1 = USART2, USART2 + 4, USART2 + 0xC
I2C_CR1, I2C_CR2, I2C_DR, I2C_SR1, I2C_SR2 = (I2C1 + r for r in (0, 4, 0x10, 0x14, 0x18))
START, STOP, ERROR_INTERRUPT, EVENT_INTERRUPT = 1 << 8, 1 << 9, 1 << 8, 1 << 9
STARTED, ADDRESSED, FINISHED, NO_ANSWER = 1, 2, 4, 1 << 10
# Stream 6 of DMA1 sends to I2C1.
HIGH_STATUS, HIGH_CLEAR, STREAM = DMA1 + 4, DMA1 + 0xC, DMA1 + 0x10 + 6 * 0x18
COUNT, MEMORY, COMPLETE = STREAM + 4, STREAM + 0xC, 1 << 21


class BlackPill(Stm32):
    cpu, hz = UC_CPU_ARM_CORTEX_M4, 100_000_000
    flash = ((0x0800_0000, 512 << 10),)
    memories = ((0x2000_0000, 128 << 10), (0x1FFF_0000, 0x1_0000))  # RAM, and the chip's own data
    devices = ((0x4000_0000, 0x8_0000), (0xE004_2000, 0x1000))
    watchdog, serial_control, serial_irq = IWDG, USART_CR1, USART2_IRQ
    pins, button_bit, button_irq = GPIOA + 0x10, 1 << 0, EXTI0_IRQ
    mask, rising, falling, pending = EXTI, EXTI + 8, EXTI + 0xC, EXTI + 0x14
    reset_by_watchdog = RESET_BY_WATCHDOG

    def levels(self):
        regs, high = self.regs, super().levels()
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
        if address == USART_SR:
            return self.serial
        if address == USART_DR:
            self.serial &= ~IDLE
            return self.take()
        if address == I2C_SR2:
            value = 3 if regs.get(I2C_SR1, 0) & (STARTED | ADDRESSED) else 0  # master, busy
            regs[I2C_SR1] = regs.get(I2C_SR1, 0) & ~ADDRESSED
            return value
        return super().read(address)

    def write(self, address, value, size):
        regs = self.regs
        if address == CLOCK_STATUS and value & FORGET:
            self.reason = 0
            regs[address] = value & 1
        elif address == USART_SR:
            self.serial &= value  # flags are cleared by zeros
        elif address == I2C_SR1:
            regs[address] = regs.get(address, 0) & value
        elif address == HIGH_CLEAR:
            regs[HIGH_STATUS] = regs.get(HIGH_STATUS, 0) & ~value
        elif address == USART_DR:
            self.send(value & 0xFF)
        elif address == I2C_DR:
            regs[I2C_SR1] = regs.get(I2C_SR1, 0) & ~STARTED
            self.after("bus", self.cycles(BYTE), lambda: self._addressed(value >> 1))
        elif address == I2C_CR1:
            self._control(value)
        else:
            super().write(address, value, size)
            if address == STREAM and value & 1:
                self.after("bus", self.cycles(regs.get(COUNT, 0) * BYTE), self._transferred)
            elif address == STREAM:
                self.never("bus")

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
