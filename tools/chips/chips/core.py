"""A Cortex-M core with its interrupt controller, on unicorn. What is around it is the chip's."""

import struct

from unicorn import UC_ARCH_ARM, UC_HOOK_CODE, UC_MODE_MCLASS, UC_MODE_THUMB, Uc, UcError
from unicorn.arm_const import (
    UC_ARM_REG_CONTROL, UC_ARM_REG_FPSCR, UC_ARM_REG_LR, UC_ARM_REG_PC, UC_ARM_REG_PRIMASK, UC_ARM_REG_SP,
    UC_ARM_REG_XPSR,
)

# Handlers return to here; no chip has memory at this place.
TRAP = 0x0FFF_FF00
# What an interrupt puts on the stack, those of the floating-point unit included.
FRAME = 104
# If-then state of XPSR; the T bit stays.
IT = 0x0600_FC00
# Instructions that stop a burst, as halfwords.
HINTS = {0xBF10: "yield", 0xBF20: "wfe", 0xBF30: "wfi", 0xBF40: "sev"}
SYSTEM = 0xE000_E000
AIRCR, VTOR, CPUID, STIR = 0xED0C, 0xED08, 0xED00, 0xEF00
SYSRESETREQ = 4
# An instruction that makes the next store-exclusive fail, in the page of the trap.
CLREX, CLREX_AT = bytes.fromhex("bff32f8f"), TRAP & ~0xFFF


class Core:
    """Executes bursts of instructions, between which it takes interrupts by their priorities.

    A burst that ends early, at a hint or a handler's return, counts as half of its length.
    """

    def __init__(self, chip, number):
        self.chip, self.number = chip, number
        uc = self.uc = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
        uc.ctl_set_cpu_model(chip.cpu)
        for start, size, access, place in chip.places:
            uc.mem_map_ptr(start, size, access, place)
        uc.mem_map(TRAP & ~0xFFF, 0x1000)
        uc.mem_write(CLREX_AT, CLREX)
        for start, size in chip.devices:
            uc.mmio_map(start, size, self._read, start, self._write, start)
        uc.mmio_map(SYSTEM, 0x1000, self._system_read, None, self._system_write, None)
        self.instructions = 0
        # The cycle up to which it has come, and those that an instruction takes.
        self.time, self.pace = 0, 1
        self.reset()

    def reset(self):
        """A reset, in which it stays until it is started."""
        self.is_on = False
        self.enabled = self.pending = 0
        self.priorities = bytearray(512)
        self.system = {AIRCR: 0xFA05_0000, CPUID: 0x410F_C241}
        self.active = []
        self.event = False
        self.sleeps = self.stopped = None
        for register in (UC_ARM_REG_CONTROL, UC_ARM_REG_PRIMASK, UC_ARM_REG_FPSCR):
            self.uc.reg_write(register, 0)
        self.uc.reg_write(UC_ARM_REG_XPSR, 1 << 24)

    def start(self, vectors, stack, entry):
        """Lets it execute from `entry`, with its stack and its vector table at these places."""
        self.system[VTOR] = vectors
        self.uc.reg_write(UC_ARM_REG_SP, stack)
        self.pc = entry
        self.time = self.chip.now
        self.is_on = True

    def pend(self, irq):
        self.pending |= 1 << irq

    def is_awake(self):
        """Whether it has something to execute; one that sleeps wakes here, by an event or an interrupt."""
        if self.sleeps == "wfe" and self.event:
            self.event = False
        elif self.sleeps is None or self.ready() is None:
            return self.is_on and self.sleeps is None
        self.sleeps = None
        self.time = max(self.time, self.chip.now)
        return self.is_on

    def burst(self, count):
        """Executes `count` instructions, or fewer. Returns how many, whether it ended early, and what is wrong."""
        self.stopped = None
        try:
            self.uc.emu_start(self.pc | 1, TRAP, count=count)
        except UcError as error:
            return 0, True, f"{error}, at {self.uc.reg_read(UC_ARM_REG_PC):x}"
        self.pc = self.uc.reg_read(UC_ARM_REG_PC)
        returned = self.pc & ~1 == TRAP
        is_early = returned or self.stopped is not None
        done = (count + 1) // 2 if is_early else count
        self.instructions += done
        if returned:
            self._leave()
        elif self.stopped in HINTS.values():
            self.pc += 2
            self._hint(self.stopped)
        return done, is_early, None

    def wait(self):
        """Of a register that says the same until something happens: time passes, and then it is read again."""
        self._stop("wait")  # unicorn, stopped within a load, carries it out anew

    def clear_exclusive(self):
        """The next store-exclusive fails, unless a load-exclusive comes before it."""
        state = self.uc.reg_read(UC_ARM_REG_XPSR)
        self.uc.reg_write(UC_ARM_REG_XPSR, state & ~IT)
        self.uc.emu_start(CLREX_AT | 1, TRAP, count=1)
        self.uc.reg_write(UC_ARM_REG_XPSR, state)

    def _hint(self, hint):
        if hint == "sev":
            self.chip.send_event()
        elif hint == "wfe" and self.event:
            self.event = False
        elif hint in ("wfe", "wfi"):
            self.sleeps = hint

    def ready(self):
        """The interrupt that is to be taken, if PRIMASK lets it."""
        if not self.enabled:
            return None
        bits = (self.pending | self.chip.levels_at(self.number)) & self.enabled
        for irq, *_ in self.active:
            bits &= ~(1 << irq)
        if not bits:
            return None
        found = [irq for irq in range(bits.bit_length()) if bits >> irq & 1]
        best = min(found, key=lambda irq: (self.priorities[irq], irq))
        if self.active and self.priorities[best] >= self.active[-1][1]:
            return None
        return best

    def interrupt(self):
        """Takes the interrupt that is to be taken. Returns whether there is one that PRIMASK does not let."""
        irq = self.ready()
        if irq is None:
            return False
        if self.uc.reg_read(UC_ARM_REG_PRIMASK) & 1:
            return True
        uc = self.uc
        self.pending &= ~(1 << irq)
        self.active.append((irq, self.priorities[irq], self.pc, uc.context_save()))
        stack = uc.reg_read(UC_ARM_REG_SP) - FRAME & ~7
        uc.mem_write(stack, bytes(FRAME))
        uc.reg_write(UC_ARM_REG_SP, stack)
        uc.reg_write(UC_ARM_REG_LR, TRAP | 1)
        uc.reg_write(UC_ARM_REG_XPSR, uc.reg_read(UC_ARM_REG_XPSR) & ~IT)
        self.pc = struct.unpack("<I", uc.mem_read(self.system[VTOR] + 4 * (16 + irq), 4))[0]
        return False

    def _leave(self):
        _, _, self.pc, registers = self.active.pop()
        self.uc.context_restore(registers)
        # A return from an exception is an event.
        self.event = True

    def hook_hints(self, address, data):
        """Stops at YIELD, WFE, WFI and SEV, which unicorn does not carry out. Data that looks like one is never
        executed."""
        for at in range(0, len(data) - 1, 2):
            hint = HINTS.get(data[at] | data[at + 1] << 8)
            if hint:
                self.uc.hook_add(UC_HOOK_CODE, self._stop_at, hint, address + at, address + at)

    def _stop_at(self, uc, address, size, hint):
        self._stop(hint)

    def _stop(self, why):
        self.stopped = why
        self.uc.emu_stop()

    # Registers.

    def _read(self, uc, offset, size, base):
        address = base + offset
        return self.chip.read(address & ~3) >> 8 * (address & 3) & (1 << 8 * size) - 1

    def _write(self, uc, offset, size, value, base):
        # An interrupt that this raises waits for the burst's end: unicorn, stopped here, would write once more.
        self.chip.write(base + offset, value, size)

    def _system_read(self, uc, offset, size, _):
        if 0x400 <= offset < 0x600:
            return int.from_bytes(self.priorities[offset - 0x400:offset - 0x400 + size], "little")
        low = 8 * (offset & 0x7F)
        kind = offset - 0x100 >> 7
        if kind in (0, 1):
            return self.enabled >> low & 0xFFFF_FFFF
        if kind in (2, 3):
            return self.pending >> low & 0xFFFF_FFFF
        return self.system.get(0xE000 + offset, 0)

    def _system_write(self, uc, offset, size, value, _):
        if 0x400 <= offset < 0x600:
            self.priorities[offset - 0x400:offset - 0x400 + size] = value.to_bytes(size, "little")
            return
        bits = value << 8 * (offset & 0x7F)
        kind = offset - 0x100 >> 7
        if kind == 0:
            self.enabled |= bits
        elif kind == 1:
            self.enabled &= ~bits
        elif kind == 2:
            self.pending |= bits
        elif kind == 3:
            self.pending &= ~bits
        elif 0xE000 + offset == STIR:
            self.pend(value & 0x1FF)
        else:
            self.system[0xE000 + offset] = value
            if 0xE000 + offset == AIRCR and value & SYSRESETREQ:
                self._stop("reset")
