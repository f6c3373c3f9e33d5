"""A Cortex-M with its interrupt controller, on unicorn. Chips add their memories and registers."""

import struct

from unicorn import UC_ARCH_ARM, UC_HOOK_CODE, UC_MODE_MCLASS, UC_MODE_THUMB, UC_PROT_EXEC, UC_PROT_READ, Uc, UcError
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
# Instructions of a burst: the most, and after something has happened; it doubles from there.
LONG, SHORT = 10_000, 128
# What passes at a YIELD, in microseconds: a core that spins would else be slow to watch.
SPIN = 1000
FOREVER = 1 << 62


class CortexM:
    """Executes bursts of instructions; between them time passes, and interrupts are taken by their priorities.

    Time is counted in cycles of the core's clock, an instruction a cycle, and a sleeping core's time passes at once. A
    burst that ends early, since the core sleeps or an interrupt comes, counts as half of its length.
    """

    cpu = None
    hz = 0
    vectors = 0
    # Places and lengths; flash cannot be written to by the program.
    flash = ()
    memories = ()
    devices = ()

    def __init__(self, parts):
        uc = self.uc = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
        uc.ctl_set_cpu_model(self.cpu)
        for start, size in self.memories:
            uc.mem_map(start, size)
        for start, size in self.flash:
            uc.mem_map(start, size, UC_PROT_READ | UC_PROT_EXEC)
            uc.mem_write(start, b"\xff" * size)
        uc.mem_map(TRAP & ~0xFFF, 0x1000)
        for start, size in self.devices:
            uc.mmio_map(start, size, self._read, start, self._write, start)
        uc.mmio_map(SYSTEM, 0x1000, self._system_read, None, self._system_write, None)
        self.erase()
        for address, data in parts:
            if not any(start <= address and address + len(data) <= start + size for start, size in self.flash):
                raise ValueError(f"the firmware has bytes at {address:x}, where the chip has no flash")
            uc.mem_write(address, data)
            self._hook_hints(address, data)
        self.instructions = self.now = self.resets = 0
        self.alarms = {}
        self.reset()

    # What a chip defines.

    def erase(self):
        """Fills what erased flash is to hold, beside `flash`."""

    def start(self):
        """Sets the registers to what they are after a reset."""

    def read(self, address):
        """The word at an address of a device."""
        return self.regs.get(address, 0)

    def write(self, address, value, size):
        """Writes to a device."""
        self.regs[address] = value

    def levels(self):
        """The interrupt lines that are high, a bit each."""
        return 0

    # Time.

    def cycles(self, micros):
        return micros * self.hz // 1_000_000

    @property
    def micros(self):
        return self.now * 1_000_000 // self.hz

    def after(self, name, cycles, action):
        """Calls `action` in so many cycles, instead of what `name` was to do before."""
        self.alarms[name] = (self.now + max(1, cycles), action)

    def never(self, name):
        self.alarms.pop(name, None)

    def _due(self):
        return min((due for due, _ in self.alarms.values()), default=FOREVER)

    def _act(self):
        while self._due() <= self.now:
            name = min(self.alarms, key=lambda name: self.alarms[name][0])
            self.alarms.pop(name)[1]()

    # The core.

    def reset(self):
        """A reset: memories stay, everything else begins anew."""
        self.enabled = self.pending = 0
        self.priorities = bytearray(512)
        self.system = {AIRCR: 0xFA05_0000, VTOR: self.vectors, CPUID: 0x410F_C241}
        self.active = []
        self.event = False
        self.length = SHORT
        self.stopped = None
        self.alarms.clear()
        self.regs = {}
        for register in (UC_ARM_REG_CONTROL, UC_ARM_REG_PRIMASK, UC_ARM_REG_FPSCR):
            self.uc.reg_write(register, 0)
        self.uc.reg_write(UC_ARM_REG_XPSR, 1 << 24)
        stack, self.pc = struct.unpack("<II", self.uc.mem_read(self.vectors, 8))
        self.uc.reg_write(UC_ARM_REG_SP, stack)
        self.start()

    def bite(self):
        """A watchdog's reset."""
        self.resets += 1
        self.reset()

    def pend(self, irq):
        self.pending |= 1 << irq

    def run(self, is_done, instructions=FOREVER, micros=FOREVER):
        """Runs until `is_done()`, but for so many instructions and microseconds at most. Returns why it stopped: `done`,
        `limit`, or what is wrong."""
        last_instruction = self.instructions + instructions
        last = min(FOREVER, self.now + self.cycles(micros))
        while not is_done():
            if self.instructions >= last_instruction or self.now >= last:
                return "limit"
            wrong = self._burst(last)
            if wrong:
                return wrong
        return "done"

    def _burst(self, last):
        count = max(1, min(self.length, min(self._due(), last) - self.now))
        self.stopped = None
        try:
            self.uc.emu_start(self.pc | 1, TRAP, count=count)
        except UcError as error:
            return f"{error}, at {self.uc.reg_read(UC_ARM_REG_PC):x}"
        self.pc = self.uc.reg_read(UC_ARM_REG_PC)
        returned = self.pc & ~1 == TRAP
        is_early = returned or self.stopped is not None
        done = (count + 1) // 2 if is_early else count
        self.length = SHORT if is_early else min(2 * self.length, LONG)
        self.instructions += done
        self.now += done
        if self.stopped == "reset":
            self.reset()
            return None
        if returned:
            self._leave()
        elif self.stopped in HINTS.values():
            self.pc += 2
            wrong = self._hint(self.stopped, last)
            if wrong:
                return wrong
        self._act()
        self._interrupt()
        return None

    def _hint(self, hint, last):
        if hint == "sev":
            self.event = True
            return None
        if hint == "yield":
            self.now = max(self.now, min(self._due(), last, self.now + self.cycles(SPIN)))
            return None
        if hint == "wfe" and self.event:
            self.event = False
            return None
        self._act()
        while self.ready() is None:
            due = min(self._due(), last)
            if due == FOREVER:
                return "asleep for good"
            self.now = max(self.now, due)
            if self.now >= last:
                break
            self._act()
        return None

    def ready(self):
        """The interrupt that is to be taken, if PRIMASK lets it."""
        bits = (self.pending | self.levels()) & self.enabled
        for irq, *_ in self.active:
            bits &= ~(1 << irq)
        if not bits:
            return None
        found = [irq for irq in range(bits.bit_length()) if bits >> irq & 1]
        best = min(found, key=lambda irq: (self.priorities[irq], irq))
        if self.active and self.priorities[best] >= self.active[-1][1]:
            return None
        return best

    def _interrupt(self):
        irq = self.ready()
        if irq is None:
            return
        if self.uc.reg_read(UC_ARM_REG_PRIMASK) & 1:
            self.length = SHORT
            return
        uc = self.uc
        self.pending &= ~(1 << irq)
        self.active.append((irq, self.priorities[irq], self.pc, uc.context_save()))
        stack = uc.reg_read(UC_ARM_REG_SP) - FRAME & ~7
        uc.mem_write(stack, bytes(FRAME))
        uc.reg_write(UC_ARM_REG_SP, stack)
        uc.reg_write(UC_ARM_REG_LR, TRAP | 1)
        uc.reg_write(UC_ARM_REG_XPSR, uc.reg_read(UC_ARM_REG_XPSR) & ~IT)
        self.pc = struct.unpack("<I", uc.mem_read(self.system[VTOR] + 4 * (16 + irq), 4))[0]

    def _leave(self):
        _, _, self.pc, registers = self.active.pop()
        self.uc.context_restore(registers)
        # A return from an exception is an event.
        self.event = True

    def _hook_hints(self, address, data):
        """Stops at YIELD, WFE, WFI and SEV, which unicorn does not carry out. Data that looks like one is never executed."""
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
        return self.read(address & ~3) >> 8 * (address & 3) & (1 << 8 * size) - 1

    def _write(self, uc, offset, size, value, base):
        # An interrupt that this raises waits for the burst's end: unicorn, stopped here, would write once more.
        self.write(base + offset, value, size)

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
