import unittest

from chips.ssd1306 import Ssd1306


def send(display, *transfers):
    """Sends transfers: lists of bytes, the control byte first."""
    for transfer in transfers:
        display.start()
        for byte in transfer:
            display.write(byte)


def mounted():
    """On, with its pump, mounted as usual."""
    display = Ssd1306()
    send(display, [0x00, 0x8D, 0x14, 0xA1, 0xC8, 0xAF])
    return display


def lit(display):
    return [(x, y) for y, row in enumerate(display.rows()) for x, dot in enumerate(row) if dot == "#"]


class Display(unittest.TestCase):
    def test_a_bit_is_a_dot(self):
        display = mounted()
        send(display, [0x00, 0x20, 0x00, 0x21, 5, 127, 0x22, 1, 7], [0x40, 0b1000_0001, 0b10])
        self.assertEqual(lit(display), [(5, 8), (6, 9), (5, 15)])

    def test_horizontal_addressing_wraps(self):
        display = mounted()
        send(display, [0x00, 0x20, 0x00, 0x21, 126, 127, 0x22, 6, 7], [0x40, 1, 1, 1, 1, 2])
        self.assertEqual(lit(display), [(127, 48), (126, 49), (126, 56), (127, 56)])

    def test_page_addressing_stays_in_its_page(self):
        display = mounted()
        send(display, [0x00, 0x20, 0x02, 0xB3, 0x0F, 0x17], [0x40, 1, 1])
        self.assertEqual(lit(display), [(0, 24), (127, 24)])

    def test_vertical_addressing(self):
        display = mounted()
        send(display, [0x00, 0x20, 0x01, 0x21, 3, 4, 0x22, 0, 1], [0x40, 1, 1, 1])
        self.assertEqual(lit(display), [(3, 0), (4, 0), (3, 8)])

    def test_off_inverted_and_unknown(self):
        display = mounted()
        send(display, [0x80, 0x20, 0x80, 0x00, 0x40, 1])
        self.assertEqual(lit(display), [(0, 0)])
        send(display, [0x00, 0xA7])
        self.assertEqual(len(lit(display)), 128 * 64 - 1)
        send(display, [0x00, 0xAE])
        self.assertEqual(lit(display), [])
        send(display, [0x00, 0xAF, 0x8D, 0x10, 0xF7])
        self.assertEqual((lit(display), display.unknown), ([], {0xF7}))
