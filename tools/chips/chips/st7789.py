"""An ST7789 display as an SPI bus sees it and as its glass shows it (Sitronix ST7789V data sheet, chapter 9)."""

SWRESET, SLPIN, SLPOUT, NORON, INVOFF, INVON, DISPOFF, DISPON = 0x01, 0x10, 0x11, 0x13, 0x20, 0x21, 0x28, 0x29
CASET, RASET, RAMWR, MADCTL, COLMOD = 0x2A, 0x2B, 0x2C, 0x36, 0x3A
# How many bytes follow a command; those of pixels have no end.
ARGUMENTS = {SWRESET: 0, SLPIN: 0, SLPOUT: 0, NORON: 0, INVOFF: 0, INVON: 0, DISPOFF: 0, DISPON: 0, CASET: 4,
             RASET: 4, MADCTL: 1, COLMOD: 1}
# Of MADCTL: rows from below, columns from the right, rows and columns exchanged, blue first.
MY, MX, MV, BGR = 0x80, 0x40, 0x20, 0x08
# 16 bits a pixel, on this kind of interface.
RGB565 = 5


class St7789:
    """240 columns and 320 rows of memory, the first 240 rows of which are seen, as on modules of 240x240.

    Such modules have a glass that shows the complement of what it is sent, unless it is told to invert.
    """

    width, height, seen = 240, 320, 240
    # It has none at I2C.
    address = None
    # The shortest clock, in nanoseconds, of a bit that is written.
    cycle_ns = 16

    def __init__(self):
        self.unknown = set()
        self.reset()

    def reset(self):
        """A reset: the memory keeps what it has."""
        self.is_asleep, self.is_on, self.is_inverted = True, False, False
        self.order, self.format = 0, 6
        self.columns, self.lines = (0, self.width - 1), (0, self.height - 1)
        self.command, self.values, self.missing = None, [], 0
        if not hasattr(self, "memory"):
            # What it has after power-up is not known: nothing that a program would draw by chance.
            self.memory = [0x5AA5] * (self.width * self.height)

    def write(self, byte, is_data):
        """Takes a byte; the level of the pin DC says what it is."""
        if not is_data:
            if self.missing:
                raise ValueError(f"command {byte:02x} comes before the {self.missing} last bytes of {self.command:02x}")
            self._begin(byte)
        elif self.command == RAMWR:
            self._pixel(byte)
        elif self.missing:
            self.values.append(byte)
            self.missing -= 1
            if not self.missing:
                self._execute(self.command, self.values)
        else:
            self.unknown.add(self.command)

    def rows(self):
        """The glass: its rows, each pixel four hexadecimal digits of RGB565; black while it is off or asleep."""
        if self.is_asleep or not self.is_on:
            return ["0000" * self.width] * self.seen
        mask = 0 if self.is_inverted else 0xFFFF
        lines = (self.memory[y * self.width:(y + 1) * self.width] for y in range(self.seen))
        return ["".join(f"{self._true(pixel) ^ mask:04x}" for pixel in line) for line in lines]

    def _true(self, pixel):
        """A pixel with red first."""
        if self.order & BGR:
            return pixel >> 11 | pixel & 0x07E0 | (pixel & 0x1F) << 11
        return pixel

    def _begin(self, command):
        self.command, self.values = command, []
        self.missing = ARGUMENTS.get(command, 0)
        if command == RAMWR:
            self._check()
            self.column, self.row, self.high = self.columns[0], self.lines[0], None
        elif command not in ARGUMENTS:
            self.unknown.add(command)
        elif not self.missing:
            self._execute(command, ())

    def _check(self):
        """Whether pixels have a place and a form that is known here."""
        if self.format & 7 != RGB565:
            raise ValueError(f"pixels come in format {self.format:02x}, before COLMOD has asked for 16 bits")
        last = (self.height - 1, self.width - 1) if self.order & MV else (self.width - 1, self.height - 1)
        for (start, end), edge in zip((self.columns, self.lines), last):
            if not start <= end <= edge:
                raise ValueError(f"the window from {start} to {end} is not within 0 to {edge}")

    def _pixel(self, byte):
        if self.high is None:
            self.high = byte
            return
        column, row = self.column, self.row
        if self.order & MV:
            column, row = row, column
        if self.order & MX:
            column = self.width - 1 - column
        if self.order & MY:
            row = self.height - 1 - row
        self.memory[row * self.width + column] = self.high << 8 | byte
        self.high = None
        self.column += 1
        if self.column > self.columns[1]:
            self.column = self.columns[0]
            self.row = self.lines[0] if self.row == self.lines[1] else self.row + 1

    def _execute(self, command, values):
        if command == SWRESET:
            self.reset()
        elif command in (SLPIN, SLPOUT):
            self.is_asleep = command == SLPIN
        elif command in (INVOFF, INVON):
            self.is_inverted = command == INVON
        elif command in (DISPOFF, DISPON):
            self.is_on = command == DISPON
        elif command == MADCTL:
            self.order = values[0]
        elif command == COLMOD:
            self.format = values[0]
        elif command in (CASET, RASET):
            span = values[0] << 8 | values[1], values[2] << 8 | values[3]
            if command == CASET:
                self.columns = span
            else:
                self.lines = span
