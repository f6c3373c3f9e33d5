"""What is wired to a chip: a button, a display, an amplifier, a serial line, a debug probe."""

from collections import deque

from .rtt import Probe
from .speaker import Speaker
from .ssd1306 import Ssd1306

# Microseconds of a character at 115,200 baud, and of a byte on a bus of 400 kHz, its acknowledgement included.
CHARACTER = 87
BYTE = 23


class Outside:
    """Mixed into a chip, which says what happens when a character arrives (`receive`) and calls `say`."""

    # The kind of its display.
    screen = Ssd1306

    def __init__(self, parts):
        self.said = {"uart": ""}
        self.is_down = False
        self.is_plugged = True
        self.display = self.screen()
        self.speaker = Speaker()
        self.to_type = deque()
        self.probe = None
        super().__init__(parts)

    def button(self, is_down):
        """Holds the button down, or lets go of it."""
        self.is_down = is_down
        self.pins_changed()

    def pins_changed(self):
        """The chip looks at its pins again."""

    def plug(self, is_plugged):
        """Plugs the display in, with its memory lost, or out."""
        if is_plugged and not self.is_plugged:
            self.display = self.screen()
        self.is_plugged = is_plugged

    def answers(self, address):
        """Whether the display answers at an address of the bus."""
        return self.is_plugged and address == self.display.address

    def type(self, line, text):
        """Sends text on the serial line, one character at its speed."""
        if line not in self.said:
            raise ValueError(f"the board has no line '{line}'")
        self.to_type.extend(text.encode("latin1"))
        if "type" not in self.alarms:
            self.after("type", self.cycles(CHARACTER), self._type)

    def reset(self):
        self.to_type.clear()
        if self.probe:
            self.probe.forget()
        super().reset()

    def attach(self, address):
        """A debug probe fetches from now on what the firmware says by RTT, whose block is at this address."""
        self.probe = Probe(self.uc, address)

    def _burst(self, core, last):
        wrong = super()._burst(core, last)
        if self.probe:
            self.probe.fetch()
        return wrong

    def _type(self):
        if self.to_type:
            self.receive(self.to_type.popleft())
            self.after("type", self.cycles(CHARACTER), self._type)

    def say(self, data):
        self.said["uart"] += bytes(data).decode("latin1")
