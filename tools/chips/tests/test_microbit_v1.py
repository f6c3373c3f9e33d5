import shutil
import struct
import unittest

from chips.microbit_v1 import (FIRST_COLUMN, FIRST_ROW, FLASH, OUT, OUTCLR, OUTSET, PROGRAM, WIRING, MicrobitV1, Watchdog,
                               image, levels)

# `b .`
STOP = 0xE7FE


def program(*code):
    """A firmware of these halfwords, which begin at 0xC0."""
    return [(0, struct.pack("<II", 0x2000_1000, 0xC1)), (0xC0, struct.pack(f"<{len(code)}H", *code))]


class WithoutQemu(unittest.TestCase):
    def test_flash_beside_the_parts_is_erased(self):
        flash = image([(0, b"ab"), (FLASH - 1, b"c")])
        self.assertEqual((len(flash), flash[:3], flash[-2:]), (FLASH, b"ab\xff", b"\xffc"))
        with self.assertRaisesRegex(ValueError, "bytes at 3ffff"):
            image([(FLASH - 1, b"ab")])

    def test_every_led_has_a_place_of_its_own(self):
        places = {place for line in WIRING for place in line}
        self.assertEqual(len(places), 25)
        self.assertTrue(all(row < 3 and column < 9 for row, column in places))

    def test_a_share_of_its_rows_time_is_a_level(self):
        def clock(micros):
            return f"nrf51_timer_read timer 0 read addr 0x544 data 0x{micros & 0xFFFF_FFFF:x} size 4\n"

        def write(offset, value):
            return f"nrf51_gpio_write offset 0x{offset:x} value 0x{value:x}\n"

        all_columns, middle = 0x1FF << FIRST_COLUMN, 1 << FIRST_COLUMN + 2
        row = 1 << FIRST_ROW + 1
        # The LED in the middle: row 1, column 2; lit for three sevenths of its row's time. Other rows do not count, nor do
        # other timers and comparisons. The clock wraps around.
        start = 0xFFFF_FFFF - 50
        trace = clock(start) + write(OUTCLR, middle) + write(OUTSET, row) + clock(start + 30)
        trace += "nrf51_timer_read timer 2 read addr 0x540 data 0x7 size 4\n" + "something else\n"
        trace += write(OUTSET, middle) + clock(start + 70) + write(OUTCLR, row)
        # Where row 0 is lit all columns are low, as for its LED beside the middle.
        trace += write(OUT, 1 << FIRST_ROW) + clock(start + 160)
        found = levels(trace, all_columns)
        self.assertEqual(found[2], "07300")
        self.assertEqual(found[3], "77777")
        with self.assertRaisesRegex(ValueError, "clock"):
            levels(write(OUTSET, row), all_columns)

    def test_the_watchdog_is_known_by_what_is_written(self):
        line = "nrf51_soc.io: unimplemented device write (size 4, offset 0x%07x, value 0x%08x)\n"
        dog = Watchdog()
        dog.read(line % (0x10504, 131072))
        self.assertEqual((dog.period, dog.feeds, dog.micros()), (0, 0, None))
        said = line % (0x10000, 1) + line % (0x10600, 0x6E52_4635) * 3 + line % (0x10600, 7) + "something else\n"
        # Lines come in pieces.
        dog.read(said[:120])
        dog.read(said[120:])
        self.assertEqual((dog.period, dog.feeds, dog.micros()), (131072, 3, 4_000_000))


@unittest.skipUnless(shutil.which(PROGRAM), "QEMU is not installed")
class WithQemu(unittest.TestCase):
    def test_time_passes_while_it_runs(self):
        b = MicrobitV1(program(STOP))
        before = b.micros
        self.assertEqual(b.micros, before)
        self.assertEqual(b.run(lambda: False, 1 << 62, 20_000), "limit")
        self.assertGreaterEqual(b.micros, before + 20_000)
        self.assertEqual(b.instructions, b.micros * 1000 // 64)

    def test_a_character_comes_back(self):
        # r0 = UART; enable, start both ways; then wait for a byte, read it, send it, and begin again.
        code = [0x4809, 0x2104, 0x4A09, 0x5081, 0x2101, 0x6001, 0x6081,  # ENABLE = 4, STARTRX, STARTTX
                0x4A08, 0x5881, 0x2900, 0xD0FC, 0x2100, 0x5081,  # RXDRDY
                0x4A06, 0x5881, 0x4A06, 0x5081, 0xE7F4, 0x46C0, 0x46C0]  # RXD to TXD
        b = MicrobitV1(program(*code) + [(0xC0 + 2 * len(code), struct.pack(
            "<5I", 0x4000_2000, 0x500, 0x108, 0x518, 0x51C))])
        b.type("uart", "hello")
        self.assertEqual(b.run(lambda: b.said["uart"] == "hello", 1 << 62, 5_000_000), "done", b.said)
        with self.assertRaisesRegex(ValueError, "no line"):
            b.type("usb", "x")

    def test_what_is_done_to_pins_is_traced_while_it_is_looked_at(self):
        code = [0x4801, 0x4902, 0x6001, 0xE7FE]  # [r0] = r1; b .
        b = MicrobitV1(program(*code) + [(0xC0 + 2 * len(code), struct.pack("<2I", 0x5000_0000 + OUTSET, 1 << 21))])
        trace, pins = b.look()
        self.assertEqual(pins, 0)
        self.assertIn("nrf51_gpio_write offset 0x508 value 0x200000", trace)
        trace, pins = b.look()
        self.assertEqual((pins, "gpio_write" in trace), (1 << 21, False))

    def test_a_watchdog_that_is_not_fed_resets_the_chip(self):
        # Sets its ticks, starts it, feeds it, sets outputs, and waits.
        code = [0x4805, 0x4906, 0x4A06, 0x5081, 0x2101, 0x6001, 0x4905, 0x4A06, 0x5081, 0x4806, 0x6001, 0xE7FE]
        words = [0x4001_0000, 3277, 0x504, 0x6E52_4635, 0x600, 0x5000_0000 + OUTSET]
        b = MicrobitV1(program(*code) + [(0xC0 + 2 * len(code), struct.pack("<6I", *words))])
        b.button(True)
        self.assertEqual(b.run(lambda: b.resets == 2, 1 << 62, 10_000_000), "done")
        self.assertGreaterEqual(b.micros, 200_000)
        self.assertEqual(b._read(0x5000_0510) >> 17 & 1, 0)
        self.assertEqual(b.run(lambda: b.watchdog() == (3277, 3), 1 << 62, 80_000), "done")

    def test_the_button_pulls_its_pin_down(self):
        b = MicrobitV1(program(STOP))
        b._write(0x5000_0744, 0xC)  # PIN_CNF of P0.17: an input with a pull-up
        pin = lambda: b._read(0x5000_0510) >> 17 & 1
        self.assertEqual(pin(), 1)
        b.button(True)
        self.assertEqual(pin(), 0)
        b.button(False)
        self.assertEqual(pin(), 1)


if __name__ == "__main__":
    unittest.main()
