"""The Nucleo-H743ZI: the registers of its STM32H743 that its firmware touches (reference manual RM0433)."""

from unicorn.arm_const import UC_CPU_ARM_CORTEX_M7

from .outside import BYTE
from .stm32 import IDLE, SENT, Stm32

RCC, PWR, IWDG1, USART3, I2C1, EXTI, GPIOC, DBGMCU = (
    0x5802_4400, 0x5802_4800, 0x5800_4800, 0x4000_4800, 0x4000_5400, 0x5800_0000, 0x5802_0800, 0x5C00_1000)
USART3_IRQ, EXTI15_10_IRQ = 39, 40
RESET_STATUS, RESET_BY_WATCHDOG, FORGET = RCC + 0xD0, 1 << 26, 1 << 16
# In both of the power controller's registers of this kind: the voltage is reached.
POWER_STATUS, POWER_SCALE, REACHED = PWR + 4, PWR + 0x18, 1 << 13
# Chips of revision Y, the first that were sold: what the firmware does for their errata is carried out.
REVISION = 0x1003_6450
USART_CR1, USART_ISR, USART_ICR, USART_RDR, USART_TDR = (USART3 + r for r in (0, 0x1C, 0x20, 0x24, 0x28))
FIFO_ON, FIFO = 1 << 29, 16
I2C_CR1, I2C_CR2, I2C_ISR, I2C_ICR, I2C_TXDR = (I2C1 + r for r in (0, 4, 0x18, 0x1C, 0x28))
START, STOP, RELOAD, AUTO_END = 1 << 13, 1 << 14, 1 << 24, 1 << 25
# TXE is always set: a byte is on its way as soon as it is written.
IS_EMPTY, WANTED, NO_ANSWER, STOPPED, COMPLETE, PIECE_COMPLETE, BUSY = 1, 2, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 15


class NucleoH743(Stm32):
    cpu, hz = UC_CPU_ARM_CORTEX_M7, 400_000_000
    flash = ((0x0800_0000, 2 << 20),)
    # RAM at the core, at the bus with caches, and of both other domains.
    memories = ((0x2000_0000, 128 << 10), (0x2400_0000, 512 << 10), (0x3000_0000, 288 << 10), (0x3800_0000, 64 << 10))
    # The second and third are the bus matrix and flash's controller.
    devices = ((0x4000_0000, 0x8_0000), (0x5100_8000, 0x1000), (0x5200_0000, 0x3000), (0x5800_0000, 0x3_0000),
               (0x5C00_1000, 0x1000))
    timer_pace = 2
    watchdog, serial_control, serial_irq = IWDG1, USART_CR1, USART3_IRQ
    pins, button_bit, button_irq, is_high_down = GPIOC + 0x10, 1 << 13, EXTI15_10_IRQ, True
    rising, falling, mask, pending = EXTI, EXTI + 4, EXTI + 0x80, EXTI + 0x88
    reset_by_watchdog = RESET_BY_WATCHDOG

    def start(self):
        super().start()
        self.bus, self.left = 0, 0
        self.regs[DBGMCU] = REVISION

    def room(self):
        return FIFO if self.regs.get(USART_CR1, 0) & FIFO_ON else 1

    def read(self, address):
        value = self.regs.get(address, 0)
        if address == I2C_ISR:  # first, since it is read most often
            if "bus" in self.alarms:
                self.core.wait()
            return self.bus | IS_EMPTY
        if address == RCC:
            return value | (value & 1) << 2 | (value & 0x1501_1080) << 1  # what is on is ready
        if address == RCC + 0x10:
            return value & ~0x38 | (value & 7) << 3  # the clock that is chosen is used
        if address == RCC + 0x74:
            return value | (value & 1) << 1
        if address == RESET_STATUS:
            return self.reason
        if address in (POWER_STATUS, POWER_SCALE):
            return value | REACHED
        if address == USART_ISR:
            return self.serial
        if address == USART_RDR:
            return self.take()
        return super().read(address)

    def write(self, address, value, size):
        if address == RESET_STATUS and value & FORGET:
            self.reason = 0
        elif address == USART_ICR:
            self.serial &= ~(value & (IDLE | SENT))
        elif address == USART_TDR:
            self.send(value & 0xFF)
        elif address == I2C_CR1:
            self.regs[address] = value
            if not value & 1:
                self._off()
        elif address == I2C_CR2:
            self._control(value)
        elif address == I2C_ICR:
            self.bus &= ~value
        elif address == I2C_TXDR:
            if self.bus & WANTED:
                self.bus &= ~WANTED
                self.after("bus", self.cycles(BYTE), lambda: self._written(value & 0xFF))
        else:
            super().write(address, value, size)

    # I2C, which only writes, a byte after the other.

    def _off(self):
        self.bus = 0
        self.never("bus")

    def _control(self, value):
        self.regs[I2C_CR2] = value
        if value & START:
            self.bus |= BUSY
            self.after("bus", self.cycles(BYTE), self._addressed)
        elif value & STOP and self.bus & BUSY:
            self.after("bus", self.cycles(BYTE), lambda: self._end(0))
        elif self.bus & PIECE_COMPLETE and value >> 16 & 0xFF:
            self._begin()

    def _addressed(self):
        self.regs[I2C_CR2] &= ~START
        if not self.answers((self.regs[I2C_CR2] & 0xFF) >> 1):
            self._end(NO_ANSWER)
            return
        self.display.start()
        self._begin()

    def _begin(self):
        """The first of so many bytes is wanted."""
        self.left = self.regs[I2C_CR2] >> 16 & 0xFF
        self.bus = BUSY
        self._go_on()

    def _written(self, byte):
        if not self.is_plugged:
            self._end(NO_ANSWER)
            return
        self.display.write(byte)
        self.left -= 1
        self._go_on()

    def _go_on(self):
        control = self.regs[I2C_CR2]
        if self.left:
            self.bus |= WANTED
        elif control & RELOAD:
            self.bus |= PIECE_COMPLETE
        elif control & AUTO_END:
            self._end(0)
        else:
            self.bus |= COMPLETE

    def _end(self, why):
        """The bus is free; whoever gets no answer stops by itself."""
        self.regs[I2C_CR2] &= ~STOP
        self.bus = STOPPED | why
