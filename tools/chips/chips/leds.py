"""Rows and columns of LEDs that are lit in turn: how bright each looks."""

from collections import deque

# Microseconds that are looked back on; more than twenty times all rows, so that a row cut off at either end hardly counts.
WINDOW = 250_000
BRIGHTEST = 7


class Leds:
    """`rows` and `columns` are pins; a LED is lit while its row is high and its column low."""

    # What the demo's tests ask of every display.
    unknown = ()

    def __init__(self, rows, columns, cycles, now):
        """`cycles` makes cycles of microseconds, `now` tells the present cycle."""
        self.pins = rows, columns
        self.window, self.now = cycles(WINDOW), now
        self.levels = 0
        # (cycle, levels of the pins from then on), the oldest first
        self.changes = deque([(0, 0)])

    def change(self, levels):
        """The pins' levels are now these, a bit each."""
        if levels == self.levels:
            return
        self.levels = levels
        self.changes.append((self.now(), levels))
        while len(self.changes) > 1 and self.changes[1][0] < self.now() - self.window:
            self.changes.popleft()

    def rows(self):
        """A row of digits for each row of LEDs, 0 where one is dark."""
        end = self.now()
        times = [max(at, end - self.window) for at, _ in self.changes] + [end]
        spans = [(after - before, levels) for (_, levels), before, after in zip(self.changes, times, times[1:])]
        rows, columns = self.pins
        found = []
        for row in rows:
            its = [(span, levels) for span, levels in spans if levels >> row & 1]
            whole = sum(span for span, _ in its) or 1
            lit = [sum(span for span, levels in its if not levels >> column & 1) for column in columns]
            found.append("".join(str(round(BRIGHTEST * time / whole)) for time in lit))
        return found
