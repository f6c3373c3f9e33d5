import struct
import unittest

from chips.boards import BOARDS
from chips.nrf52 import Nrf52840Dk
from chips.rp2350 import Pico2
from chips.serve import Server

STOP, WFI = 0xE7FE, 0xBF30


def board(kind, *code):
    """A board whose program are these halfwords."""
    start = kind.vectors + 0x200
    vectors = struct.pack("<II", 0x2000_1000, start | 1)
    return kind([(kind.vectors, vectors), (start, struct.pack(f"<{len(code)}H", *code))])


class EveryBoard(unittest.TestCase):
    def test_a_character_takes_its_time(self):
        for name, kind in BOARDS.items():
            with self.subTest(name):
                b = board(kind, WFI, STOP)
                heard = []
                b.receive = lambda byte: heard.append((byte, b.micros))
                b.type("uart", "ab")
                b.run(lambda: len(heard) == 2, micros=1000)
                self.assertEqual([byte for byte, _ in heard], [97, 98])
                self.assertTrue(85 <= heard[1][1] - heard[0][1] <= 89, heard)

    def test_a_display_that_is_plugged_in_again_has_forgotten(self):
        b = board(Pico2, STOP)
        b.display.ram[0] = 1
        b.plug(False)
        self.assertFalse(b.answers(0x3C))
        b.plug(True)
        self.assertTrue(b.answers(0x3C) and not b.answers(0x3D))
        self.assertEqual(b.display.ram[0], 0)

    def test_requests_that_make_no_sense_are_answered(self):
        server = Server("pico2")
        for request in ('{"do":"run"}', '{"do":"fly"}', "no request", '{"do":"start","firmware":"nowhere"}', "7"):
            self.assertIn("error", server.answer(request), request)


class OfPico2(unittest.TestCase):
    def test_registers_have_aliases(self):
        b = board(Pico2, STOP)
        for alias, value, now in ((0, 0b1100, 0b1100), (0x2000, 1, 0b1101), (0x3000, 4, 0b1001), (0x1000, 3, 0b1010)):
            b.write(0x4001_8000 + alias, value, 4)
            self.assertEqual(b.read(0x4001_8000), now)

    def test_the_watchdog_bites_unless_fed(self):
        b = board(Pico2, STOP)
        b.write(0x400D_8004, 2000, 4)
        b.write(0x400D_8000, 1 << 30, 4)
        b.run(lambda: False, micros=1500)
        b.write(0x400D_8004, 2000, 4)
        b.run(lambda: False, micros=1500)
        self.assertEqual((b.resets, b.read(0x400D_8008)), (0, 0))
        b.run(lambda: b.resets, micros=1500)
        self.assertEqual((b.resets, b.read(0x400D_8008)), (1, 1))

    def test_nobody_answers_on_the_bus(self):
        b = board(Pico2, STOP)
        b.write(0x4009_0004, 0x3D, 4)
        b.write(0x4009_0010, 0x240, 4)
        b.run(lambda: False, micros=100)
        self.assertEqual((b.read(0x4009_0034) & 0x240, b.read(0x4009_0080)), (0x240, 1))
        b.read(0x4009_0054)
        self.assertEqual(b.read(0x4009_0034) & 0x40, 0)


class OfNrf52840Dk(unittest.TestCase):
    def test_a_comparison_of_the_clock_is_an_event(self):
        b = board(Nrf52840Dk, STOP)
        b.write(0x4001_1540, 33, 4)
        b.write(0x4001_1344 - 0x40, 1 << 16, 4)
        b.run(lambda: b.levels(), micros=2000)
        self.assertEqual((b.levels(), b.read(0x4001_1504), b.read(0x4001_1140)), (1 << 17, 33, 1))
        b.write(0x4001_1140, 0, 4)
        self.assertEqual(b.levels(), 0)

    def test_the_button_is_latched_at_the_level_that_is_looked_for(self):
        b = board(Nrf52840Dk, STOP)
        b.write(0x5000_0700 + 4 * 11, 3 << 16, 4)
        self.assertEqual((b.read(0x5000_0520), b.read(0x4000_617C)), (0, 0))
        b.button(True)
        self.assertEqual((b.read(0x5000_0520), b.read(0x4000_617C)), (1 << 11, 1))
        b.write(0x5000_0700 + 4 * 11, 0, 4)
        b.write(0x5000_0520, 1 << 11, 4)
        self.assertEqual(b.read(0x5000_0520), 0)

    def test_bytes_come_by_dma(self):
        b = board(Nrf52840Dk, STOP)
        b.write(0x4000_2534, 0x2000_0100, 4)
        b.write(0x4000_2538, 2, 4)
        b.write(0x4000_2000, 1, 4)
        b.type("uart", "xyz")
        b.run(lambda: False, micros=500)
        self.assertEqual((bytes(b.uc.mem_read(0x2000_0100, 3)), b.read(0x4000_253C)), (b"xy\0", 2))
