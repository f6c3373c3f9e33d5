import unittest

from chips.st7789 import St7789

SET_UP = [(0x11,), (0x36, 0), (0x21,), (0x3A, 0x55), (0x13,), (0x29,)]


def send(display, *commands):
    """Sends commands: each a byte, then bytes of data."""
    for command, *data in commands:
        display.write(command, False)
        for byte in data:
            display.write(byte, True)


def ready(*commands):
    """Set up, with these commands more, and dark."""
    display = St7789()
    send(display, *SET_UP, *commands)
    display.memory = [0] * len(display.memory)
    return display


def lit(display):
    """What is not black, as (x, y, pixel)."""
    rows = [(y, row) for y, row in enumerate(display.rows()) if row.strip("0")]
    found = ((x, y, row[4 * x:4 * x + 4]) for y, row in rows for x in range(240))
    return [pixel for pixel in found if pixel[2] != "0000"]


class Display(unittest.TestCase):
    def test_pixels_fill_their_window_row_by_row(self):
        display = ready()
        send(display, (0x2A, 0, 238, 0, 239), (0x2B, 0, 5, 0, 6),
             (0x2C, 0xF8, 0, 7, 0xE0, 0, 0x1F, 0x12, 0x34, 0xFF, 0xFF))
        expected = [(238, 5, "ffff"), (239, 5, "07e0"), (238, 6, "001f"), (239, 6, "1234")]
        self.assertEqual(lit(display), expected)

    def test_the_lower_rows_are_not_seen(self):
        display = ready()
        send(display, (0x2B, 0, 239, 1, 0x3F), (0x2C, *[0xFF] * (2 * 240 * 81)))
        self.assertEqual([(x, y) for x, y, _ in lit(display)], [(x, 239) for x in range(240)])

    def test_nothing_is_seen_before_it_is_awake_and_on(self):
        display = St7789()
        for command in SET_UP:
            self.assertEqual(lit(display), [])
            send(display, command)
        self.assertEqual(len(lit(display)), 240 * 240)
        for command, count in ((0x28, 0), (0x29, 240 * 240), (0x10, 0), (0x11, 240 * 240), (0x01, 0)):
            send(display, (command,))
            self.assertEqual(len(lit(display)), count)

    def test_the_glass_wants_to_be_inverted(self):
        display = ready((0x20,))
        self.assertEqual(set(display.rows()), {"ffff" * 240})

    def test_order_of_colours_rows_and_columns(self):
        for order, expected in ((0x08, (1, 2, "f800")), (0x40, (238, 2, "001f")), (0x20, (2, 1, "001f"))):
            display = ready((0x36, order))
            send(display, (0x2A, 0, 1, 0, 1), (0x2B, 0, 2, 0, 2), (0x2C, 0, 0x1F))
            self.assertEqual(lit(display), [expected])
        display = ready((0x36, 0x80))
        send(display, (0x2A, 0, 1, 0, 1), (0x2B, 1, 0x3E, 1, 0x3E), (0x2C, 0, 0x1F))
        self.assertEqual(lit(display), [(1, 1, "001f")])

    def test_what_is_wrong_is_said(self):
        for commands, words in (
            ([(0x2C,)], "COLMOD"),
            ([(0x3A, 0x66), (0x2C,)], "format 66"),
            ([(0x3A, 0x55), (0x2A, 0, 0, 0, 240), (0x2C,)], "from 0 to 240 is not within 0 to 239"),
            ([(0x3A, 0x55), (0x2B, 0, 9, 0, 8), (0x2C,)], "from 9 to 8"),
            ([(0x2A, 0, 0), (0x2C,)], "2 last bytes of 2a"),
        ):
            with self.assertRaisesRegex(ValueError, words):
                send(St7789(), *commands)

    def test_unknown_commands_and_data_that_nobody_wants_are_kept(self):
        display = ready()
        send(display, (0xB2, 1), (0x29, 7))
        self.assertEqual(display.unknown, {0xB2, 0x29})
