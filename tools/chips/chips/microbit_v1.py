"""The micro:bit v1 in QEMU: its machine `microbit` runs the firmware, qtest reaches the chip's pins and registers.

Time is QEMU's, counted in instructions of 64 ns, which is nearly the core's 16 MHz; it does not run ahead of the host's,
so that a press lasts as long as it is meant to. TIMER2, which the firmware leaves alone, tells it.

How bright the LEDs are is read from QEMU's trace of what the firmware does: to its pins, and to TIMER0, its clock, which
it reads whenever it lights others. Looking at the pins from outside would miss some, and see them at uncertain times.
"""

import ctypes
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

from . import leds

PROGRAM = "qemu-system-arm"
# Of Linux's prctl.
PR_SET_PDEATHSIG = 1
FLASH = 256 << 10
# An instruction takes 2^6 ns.
SHIFT = 6
SOC = "/machine/nrf51"
BUTTON = 17
TIMER2, GPIO_OUT = 0x4000_A000, 0x5000_0504
START, CAPTURE, BITMODE, PRESCALER, CC = 0x000, 0x040, 0x508, 0x510, 0x540
# How QEMU reports what the firmware writes to peripherals that it does not model: here those of the watchdog.
WRITE = re.compile(r"write \(size 4, offset 0x0*(1[0-9a-f]{4}), value 0x([0-9a-f]+)\)")
WATCHDOG_HZ = 32_768
WATCHDOG_START, WATCHDOG_TICKS, WATCHDOG_RELOAD, RELOADS = 0x10000, 0x10504, 0x10600, 0x6E52_4635
# How often the clock is looked at, in seconds.
LOOK = 0.002
# How QEMU tells of reads of TIMER0's second comparison, into which the firmware captures the time, and of outputs set
# and cleared.
TRACED = ("nrf51_timer_read", "nrf51_gpio_write")
TRACE = re.compile(
    r"nrf51_timer_read timer 0 read addr 0x544 data 0x([0-9a-f]+)|"
    r"nrf51_gpio_write offset 0x(504|508|50c) value 0x([0-9a-f]+)")
OUT, OUTSET, OUTCLR = 0x504, 0x508, 0x50C
# The row and the column of each LED, from the board's schematic; rows are at P0.13 and after, columns at P0.04.
WIRING = (((0, 0), (1, 3), (0, 1), (1, 4), (0, 2)),
          ((2, 3), (2, 4), (2, 5), (2, 6), (2, 7)),
          ((1, 1), (0, 8), (1, 2), (2, 8), (1, 0)),
          ((0, 7), (0, 6), (0, 5), (0, 4), (0, 3)),
          ((2, 2), (1, 6), (2, 0), (1, 5), (2, 1)))
ROWS, COLUMNS = 3, 9
FIRST_ROW, FIRST_COLUMN = 13, 4


def image(parts):
    """The flash with these parts; what they leave out is erased."""
    flash = bytearray(b"\xff" * FLASH)
    for address, data in parts:
        if address + len(data) > FLASH:
            raise ValueError(f"the firmware has bytes at {address:x}, where the chip has no flash")
        flash[address:address + len(data)] = data
    return bytes(flash)


def levels(trace, pins):
    """How bright each LED is, from a trace that begins with these levels of the pins: its share of the time that its row
    is lit."""
    micros = start = None
    found = leds.Leds(range(FIRST_ROW, FIRST_ROW + ROWS), range(FIRST_COLUMN, FIRST_COLUMN + COLUMNS),
                      lambda window: window, lambda: micros)
    for time, register, value in TRACE.findall(trace):
        if time:
            start = int(time, 16) if start is None else start
            # The clock has 32 bits.
            micros = int(time, 16) - start & 0xFFFF_FFFF
            continue
        register, value = int(register, 16), int(value, 16)
        pins = {OUT: value, OUTSET: pins | value, OUTCLR: pins & ~value}[register]
        if micros is not None:
            found.change(pins)
    if micros is None:
        raise ValueError("the firmware has not looked at its clock")
    wired = found.rows()
    return ["".join(wired[row][column] for row, column in line) for line in WIRING]


class Watchdog:
    """The watchdog, which QEMU lacks, by what QEMU tells of writes to it."""

    def __init__(self):
        self.ticks = self.period = self.feeds = 0
        self.rest = ""

    def read(self, text):
        """Takes what QEMU has written since; the end of a line may be missing."""
        whole, end, self.rest = (self.rest + text).rpartition("\n")
        for offset, value in ((int(offset, 16), int(value, 16)) for offset, value in WRITE.findall(whole + end)):
            if offset == WATCHDOG_TICKS:
                self.ticks = value
            elif offset == WATCHDOG_START and value:
                self.period = self.ticks
            elif (offset, value) == (WATCHDOG_RELOAD, RELOADS):
                self.feeds += 1

    def micros(self):
        """Microseconds after which it bites; `None` while it is not started."""
        return self.period * 1_000_000 // WATCHDOG_HZ if self.period else None


class Display:
    """The LEDs of a board that runs."""

    # What the demo's tests ask of every display.
    unknown = ()

    def __init__(self, board):
        self.board = board

    def rows(self):
        """A row of digits for each row of LEDs, 0 where one is dark."""
        return levels(*self.board.look())


class Channel:
    """Lines to and from QEMU over a socket."""

    def __init__(self, connection):
        self.connection = connection
        self.lines = connection.makefile("rw", encoding="ascii", newline="\n")

    def ask(self, line):
        self.lines.write(line + "\n")
        self.lines.flush()
        return self.answer()

    def answer(self):
        line = self.lines.readline()
        if not line:
            raise OSError("QEMU has ended")
        return line.strip()


class MicrobitV1:
    """A board before its first instruction, with these parts in flash."""

    # QEMU counts no core's instructions.
    cores = ()
    # Nor does it tell when the core sleeps.
    asleep = None

    def __init__(self, parts):
        if not shutil.which(PROGRAM):
            raise ValueError(f"{PROGRAM} is not installed: `apt-get install --no-install-recommends qemu-system-arm`")
        self.said, self.to_type = {"uart": ""}, b""
        self.display, self.dog = Display(self), Watchdog()
        self.resets = self.before = self.fed = self.logged = 0
        with tempfile.TemporaryDirectory() as folder:
            self.log = open(os.path.join(folder, "log"), "w+b")
            with open(os.path.join(folder, "flash"), "wb") as file:
                file.write(image(parts))
            names = ("qtest", "qmp", "uart")
            listeners = {name: listen(os.path.join(folder, name)) for name in names}
            self.process = subprocess.Popen(
                [PROGRAM, "-machine", "microbit", "-S", "-display", "none", "-monitor", "none", "-accel", "tcg",
                 "-icount", f"shift={SHIFT},align=on", "-d", "unimp", "-D", os.path.join(folder, "log"),
                 "-qtest", f"unix:{folder}/qtest", "-qtest-log", "none", "-qmp", f"unix:{folder}/qmp",
                 "-serial", f"unix:{folder}/uart", "-kernel", os.path.join(folder, "flash")],
                preexec_fn=end_with_parent, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            try:
                found = {name: self._accept(listener) for name, listener in listeners.items()}
            finally:
                for listener in listeners.values():
                    listener.close()
            self.uart = found["uart"]
            self.qtest, self.qmp = Channel(found["qtest"]), Channel(found["qmp"])
            self.qmp.answer()
            self._command("qmp_capabilities")
        self.button(False)
        self._start_clock()

    def __del__(self):
        if hasattr(self, "process"):
            self.process.kill()
            self.process.wait()

    def _accept(self, listener):
        listener.settimeout(60)
        try:
            return listener.accept()[0]
        except OSError:
            self.process.kill()
            said = self.process.stderr.read().decode(errors="replace").strip()
            raise ValueError(f"QEMU does not start: {said}") from None

    def _command(self, command, **arguments):
        answer = json.loads(self.qmp.ask(json.dumps({"execute": command, "arguments": arguments})))
        while "event" in answer:
            answer = json.loads(self.qmp.answer())
        if "return" not in answer:
            raise OSError(f"QEMU refuses {command}: {answer}")
        return answer["return"]

    def _test(self, line):
        answer = self.qtest.ask(line)
        if not answer.startswith("OK"):
            raise OSError(f"QEMU refuses {line}: {answer}")
        return answer[3:]

    def _read(self, address):
        return int(self._test(f"readl {address:#x}"), 0)

    def _write(self, address, value):
        self._test(f"writel {address:#x} {value:#x}")

    def _start_clock(self):
        for register, value in ((BITMODE, 3), (PRESCALER, 4), (START, 1)):
            self._write(TIMER2 + register, value)

    @property
    def micros(self):
        """Microseconds since the start."""
        self._write(TIMER2 + CAPTURE, 1)
        return self.before + self._read(TIMER2 + CC)

    @property
    def instructions(self):
        """Instructions so far; a core that waits for an event executes some, too."""
        return self.micros * 1000 >> SHIFT

    def watchdog(self):
        """Ticks of 32,768 Hz after which the watchdog bites, 0 if it is not started, and how often it was fed."""
        self._read_log()
        return self.dog.period, self.dog.feeds

    def _read_log(self):
        self.log.seek(self.logged)
        self.dog.read(self.log.read().decode(errors="replace"))
        self.logged = self.log.tell()

    def _watch(self):
        """Resets the chip if its watchdog has run out. A feed is seen after it was made, so the reset never comes early."""
        feeds, period = self.dog.feeds, self.dog.micros()
        self._read_log()
        if period is None or self.dog.feeds != feeds:
            self.fed = self.micros
        elif self.micros - self.fed > period:
            self._command("stop")
            # Unless it was fed in between.
            self._read_log()
            if self.dog.feeds == feeds:
                self._reset()
            self._command("cont")

    def _reset(self):
        """As the watchdog does it: the RAM keeps what it has."""
        self.before = self.micros
        self._command("system_reset")
        # It is done a little after the answer.
        while self._command("query-status")["status"] != "prelaunch":
            pass
        self.resets += 1
        self.dog.period = 0
        self.button(self.is_down)
        self._start_clock()

    def button(self, is_down):
        self.is_down = is_down
        self._test(f"set_irq_in {SOC} unnamed-gpio-in {BUTTON} {0 if is_down else 1}")

    def plug(self, is_plugged):
        raise ValueError("the LEDs cannot be unplugged")

    def type(self, line, text):
        """Sends text on the serial line; QEMU hands it over as the chip reads it."""
        if line not in self.said:
            raise ValueError(f"the board has no line '{line}'")
        self.to_type += text.encode("latin1")

    def look(self):
        """QEMU's trace of a while that the board runs, and the pins' levels before."""
        pins, before = self._read(GPIO_OUT), self.log.seek(0, os.SEEK_END)
        self._trace(True)
        self.run(lambda: False, 1 << 62, leds.WINDOW)
        self._trace(False)
        self.log.seek(before)
        return self.log.read().decode(errors="replace"), pins

    def _trace(self, is_on):
        for name in TRACED:
            self._command("trace-event-set-state", name=name, enable=is_on)

    def run(self, is_done, instructions, micros):
        """Runs until `is_done`, or for so long; tells which."""
        end = min(self.micros + micros, (self.micros * 1000 + (instructions << SHIFT)) // 1000)
        self._command("cont")
        stopped = "limit"
        while self.micros < end:
            self._exchange()
            self._watch()
            if is_done():
                stopped = "done"
                break
        self._command("stop")
        return stopped

    def _exchange(self):
        """Hands over what is typed and said; waits a little where there is neither."""
        readable, writable, _ = select.select([self.uart], [self.uart] if self.to_type else [], [], LOOK)
        if readable:
            data = self.uart.recv(65536)
            if not data:
                raise OSError("QEMU has ended")
            self.said["uart"] += data.decode("latin1")
        if writable:
            self.to_type = self.to_type[self.uart.send(self.to_type):]


def end_with_parent():
    """Lets Linux end this process with its parent, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def listen(path):
    """A socket that waits for QEMU."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)
    return listener
