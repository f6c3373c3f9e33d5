"""A chip of one or more Cortex-M: their memories, and the time that passes. Chips add their registers."""

import ctypes
import mmap
import struct

from unicorn import UC_PROT_ALL, UC_PROT_EXEC, UC_PROT_READ

from .core import Core

# Instructions of a burst: the fewest, after something has happened, and the most; it doubles from there.
SHORT, LONG = 128, 10_000
# The same where several cores take turns: none is ahead of another by more than the most takes it.
GLANCE, TURN = 16, 256
# What passes at a YIELD, or where a core waits for a register, in microseconds: one that spins would else be slow to
# watch.
SPIN = 1000
FOREVER = 1 << 62


class Chip:
    """Has its cores execute bursts of instructions; between them time passes.

    Time is counted in cycles of the cores' clock, an instruction a cycle unless a core is slowed down, and sleeping
    cores' time passes at once. Of several cores the one that is behind executes next. A load-exclusive and its store
    between which another core has executed are no pair: the store fails.
    """

    cpu = None
    hz = 0
    vectors = 0
    # How many cores there are; the first starts after a reset.
    count = 1
    # Places and lengths; flash cannot be written to by the program.
    flash = ()
    memories = ()
    devices = ()

    def __init__(self, parts):
        self.instructions = self.now = self.resets = 0
        # Cycles in which every core slept.
        self.slept = 0
        self.alarms = {}
        self._map()
        self.cores = [Core(self, number) for number in range(self.count)]
        # The one that executes, or did last.
        self.core = self.cores[0]
        # That by which memories are read and written from outside.
        self.uc = self.core.uc
        for start, size in self.flash:
            self.uc.mem_write(start, b"\xff" * size)
        self.erase()
        for address, data in parts:
            if not any(start <= address and address + len(data) <= start + size for start, size in self.flash):
                raise ValueError(f"the firmware has bytes at {address:x}, where the chip has no flash")
            self.uc.mem_write(address, data)
            for core in self.cores:
                core.hook_hints(address, data)
        self.reset()

    def _map(self):
        """Takes memory, which the cores share: places, lengths, what a program may do there, and where it is here."""
        self.places, self._memory = [], []
        for places, access in ((self.memories, UC_PROT_ALL), (self.flash, UC_PROT_READ | UC_PROT_EXEC)):
            for start, size in places:
                memory = mmap.mmap(-1, size)
                self._memory.append(memory)
                place = ctypes.addressof(ctypes.c_char.from_buffer(memory))
                self.places.append((start, size, access, place))

    # What a chip defines.

    def erase(self):
        """Fills what erased flash is to hold, beside `flash`."""

    def start(self):
        """Sets the registers to what they are after a reset."""

    def read(self, address):
        """The word at an address of a device, as `core` sees it."""
        return self.regs.get(address, 0)

    def write(self, address, value, size):
        """Writes to a device, by `core`."""
        self.regs[address] = value

    def levels(self):
        """The interrupt lines that are high, a bit each."""
        return 0

    def levels_at(self, number):
        """Those at the core of this number."""
        return self.levels()

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

    @property
    def asleep(self):
        """Microseconds in which every core slept."""
        return self.slept * 1_000_000 // self.hz

    def _due(self):
        return min((due for due, _ in self.alarms.values()), default=FOREVER)

    def _act(self):
        while self._due() <= self.now:
            name = min(self.alarms, key=lambda name: self.alarms[name][0])
            self.alarms.pop(name)[1]()

    # Cores.

    def reset(self):
        """A reset: memories stay, everything else begins anew."""
        self.length = SHORT
        self.alarms.clear()
        self.regs = {}
        # Up to where at least one core has executed.
        self.busy = self.now
        for core in self.cores:
            core.reset()
        self.cores[0].start(self.vectors, *struct.unpack("<II", self.uc.mem_read(self.vectors, 8)))
        self.start()

    def bite(self):
        """A watchdog's reset."""
        self.resets += 1
        self.reset()

    def send_event(self):
        """SEV."""
        for core in self.cores:
            core.event = True

    def run(self, is_done, instructions=FOREVER, micros=FOREVER):
        """Runs until `is_done()`, but for so many instructions and microseconds at most. Returns why it stopped:
        `done`, `limit`, or what is wrong."""
        last_instruction = self.instructions + instructions
        last = min(FOREVER, self.now + self.cycles(micros))
        while not is_done():
            if self.instructions >= last_instruction or self.now >= last:
                return "limit"
            wrong = self._next(last)
            if wrong:
                return wrong
        return "done"

    def _next(self, last):
        """The next burst, or what wakes a core if all sleep."""
        awake = [core for core in self.cores if core.is_awake()]
        if awake:
            wrong = self._burst(min(awake, key=lambda core: core.time), last)
            if wrong:
                return wrong
            awake = [core for core in awake if core.is_on and core.sleeps is None]
        else:
            due = min(self._due(), last)
            if due == FOREVER:
                return "asleep for good"
            self.slept += max(0, due - self.now)
            self.now = max(self.now, due)
        if awake:
            self.now = min(core.time for core in awake)
        self._act()
        return None

    def _burst(self, core, last):
        if core is not self.core:
            core.clear_exclusive()
            self.core = core
        self.now = core.time
        is_masked = core.interrupt()
        if is_masked:
            self.length = SHORT
        count = max(1, min(self.length, (min(self._due(), last) - self.now) // core.pace))
        done, is_early, wrong = core.burst(count)
        if wrong:
            return wrong
        took = done * core.pace
        self.instructions += max(0, core.time + took - max(core.time, self.busy))
        self.busy = max(self.busy, core.time + took)
        self.now += took
        fewest, most = (SHORT, LONG) if sum(core.is_on for core in self.cores) == 1 else (GLANCE, TURN)
        self.length = fewest if is_early else min(2 * self.length, most)
        if core.stopped == "reset":
            self.reset()
        elif core.stopped in ("yield", "wait"):
            self.now = max(self.now, min(self._due(), last, self.now + self.cycles(SPIN)))
        core.time = self.now
        return None
