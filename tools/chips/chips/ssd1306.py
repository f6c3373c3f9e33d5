"""An SSD1306 display of 128x64 dots, as the bus sees it and as its glass shows it."""

# How many bytes follow a command.
ARGUMENTS = {0x20: 1, 0x21: 2, 0x22: 2, 0x81: 1, 0x8D: 1, 0xA8: 1, 0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1}
# Commands that change nothing that this model shows: contrast, lines, clocks, voltages, no scrolling, no operation.
IGNORED = {0x2E, 0x81, 0xA4, 0xA5, 0xA8, 0xD3, 0xD5, 0xD9, 0xDA, 0xDB, 0xE3}


class Ssd1306:
    address = 0x3C

    def __init__(self):
        self.ram = bytearray(1024)
        # Commands that it does not know.
        self.unknown = set()
        self.is_on = self.has_pump = self.is_inverted = self.is_remapped = self.is_flipped = False
        # Page addressing after a reset.
        self.mode = 2
        self.columns, self.pages = (0, 127), (0, 7)
        self.column = self.page = self.missing = 0
        self.start()

    def start(self):
        """A transfer begins: a control byte comes first."""
        self.control = None

    def write(self, byte):
        """Takes a byte of a transfer."""
        if self.control is None:
            self.control = byte
            return
        if self.control & 0x40:
            self._data(byte)
        else:
            self._command(byte)
        # "Continuation": another control byte follows.
        if self.control & 0x80:
            self.control = None

    def is_lit(self, x, y):
        """Whether a dot of the glass is lit, as the usual module is mounted; (0, 0) is at the top left."""
        if not (self.is_on and self.has_pump):
            return False
        column = x if self.is_remapped else 127 - x
        row = y if self.is_flipped else 63 - y
        return (self.ram[(row >> 3) * 128 + column] >> (row & 7) & 1) != self.is_inverted

    def rows(self):
        """The glass: 64 rows of 128 characters, # where it is lit."""
        return ["".join("#" if self.is_lit(x, y) else "." for x in range(128)) for y in range(64)]

    def _data(self, byte):
        self.ram[self.page * 128 + self.column] = byte
        if self.mode == 2:
            self.column += 1
        elif self.mode == 0:
            if self.column == self.columns[1]:
                self.column = self.columns[0]
                self.page = self.pages[0] if self.page == self.pages[1] else self.page + 1
            else:
                self.column += 1
        elif self.page == self.pages[1]:
            self.page = self.pages[0]
            self.column = self.columns[0] if self.column == self.columns[1] else self.column + 1
        else:
            self.page += 1
        self.page &= 7
        self.column &= 127

    def _command(self, byte):
        if self.missing == 0:
            self.operation, self.values = byte, []
            self.missing = ARGUMENTS.get(byte, 0)
        else:
            self.values.append(byte)
            self.missing -= 1
        if self.missing == 0:
            self._execute(self.operation, *self.values)

    def _execute(self, operation, a=0, b=0):
        if operation < 0x10:
            self.column = self.column & 0x70 | operation
        elif operation < 0x20:
            self.column = self.column & 0x0F | (operation & 7) << 4
        elif operation == 0x20:
            self.mode = a & 3
        elif operation == 0x21:
            self.columns, self.column = (a & 127, b & 127), a & 127
        elif operation == 0x22:
            self.pages, self.page = (a & 7, b & 7), a & 7
        elif operation == 0x8D:
            self.has_pump = a & 4 != 0
        elif operation in (0xA0, 0xA1):
            self.is_remapped = operation == 0xA1
        elif operation in (0xA6, 0xA7):
            self.is_inverted = operation == 0xA7
        elif operation in (0xAE, 0xAF):
            self.is_on = operation == 0xAF
        elif 0xB0 <= operation <= 0xB7:
            self.page = operation & 7
        elif operation in (0xC0, 0xC8):
            self.is_flipped = operation == 0xC8
        elif 0x40 <= operation < 0x80:
            pass  # the first line, which nobody moves here
        elif operation not in IGNORED:
            self.unknown.add(operation)
