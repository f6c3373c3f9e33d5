import struct
import unittest

from chips.boards import BOARDS
from chips.microbit_v1 import MicrobitV1
from chips.nrf52 import MicrobitV2, Nrf52840Dk
from chips.rp2350 import Pico2, Pico2Colour
from chips.serve import Server
from chips.stm32f411 import BlackPill
from chips.stm32h743 import NucleoH743

STOP, WFI = 0xE7FE, 0xBF30


def board(kind, *code):
    """A board whose program are these halfwords."""
    start = kind.vectors + 0x200
    vectors = struct.pack("<II", 0x2000_1000, start | 1)
    return kind([(kind.vectors, vectors), (start, struct.pack(f"<{len(code)}H", *code))])


class EveryBoard(unittest.TestCase):
    def test_a_character_takes_its_time(self):
        for name, kind in BOARDS.items():
            if kind is MicrobitV1:
                continue  # QEMU hands over characters as they are read
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


    def test_a_core_that_there_is_not_cannot_be_slowed_down(self):
        server = Server("pico2-two-cores")
        server.board = board(Pico2, STOP)
        self.assertIn("core 2", server.answer('{"do":"slow","core":2,"cycles":3}')["error"])
        self.assertIn("0 cycles", server.answer('{"do":"slow","core":1,"cycles":0}')["error"])
        self.assertEqual(server.answer('{"do":"slow","core":1,"cycles":3}')["cores"], [0, 0])
        self.assertEqual([core.pace for core in server.board.cores], [1, 3])


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


class OfPico2Colour(unittest.TestCase):
    CONTROL, ENABLE, DATA, STATUS, PRESCALE = (0x4008_0000 + register for register in (0, 4, 8, 0xC, 0x10))
    OUT, SET, CLEAR = 0xD000_0010, 0xD000_0018, 0xD000_0020
    SELECT, IS_DATA, RESET = 1 << 17, 1 << 20, 1 << 21

    def wired(self):
        """With SPI on, at 25 MHz, and the display's pins as they are between commands; what the display gets."""
        b = board(Pico2Colour, STOP)
        got = []
        b.display.write = lambda byte, is_data: got.append((byte, is_data))
        for register, value in ((self.PRESCALE, 2), (self.CONTROL, 2 << 8 | 7), (self.ENABLE, 2)):
            b.write(register, value, 4)
        b.write(self.OUT, self.RESET, 4)
        return b, got

    def test_bytes_go_to_a_display_that_is_selected(self):
        b, got = self.wired()
        b.write(self.DATA, 0x2A, 4)
        b.write(self.SET, self.IS_DATA, 4)
        b.write(self.DATA, 0x17, 4)
        b.write(self.SET, self.SELECT, 4)
        b.write(self.DATA, 1, 4)
        b.write(self.CLEAR, self.SELECT, 4)
        b.plug(False)
        b.write(self.DATA, 2, 4)
        self.assertEqual(got, [(0x2A, 0), (0x17, 1)])

    def test_a_byte_takes_its_time_and_brings_one(self):
        b, _ = self.wired()
        now = b.now
        self.assertEqual(b.read(self.STATUS), 3)
        b.write(self.DATA, 1, 4)
        self.assertEqual((b.now - now, b.read(self.STATUS)), (48, 7))
        b.read(self.DATA)
        self.assertEqual(b.read(self.STATUS), 3)

    def test_the_display_is_reset_by_its_pin(self):
        b, _ = self.wired()
        b.display.is_asleep = False
        b.write(self.SET, self.IS_DATA, 4)
        self.assertFalse(b.display.is_asleep)
        b.write(self.CLEAR, self.RESET, 4)
        self.assertTrue(b.display.is_asleep)

    def test_what_the_display_cannot_take_is_said(self):
        for control, prescale, words in ((0x2C7, 2, None), (0x207, 1, None), (7, 2, "16 ns"), (0x20F, 2, "16 bits"),
                                         (0x247, 2, "polarity 1 with phase 0")):
            b, got = self.wired()
            b.write(self.CONTROL, control, 4)
            b.write(self.PRESCALE, prescale, 4)
            if words is None:
                b.write(self.DATA, 1, 4)
                self.assertEqual(len(got), 1)
                continue
            with self.assertRaisesRegex(ValueError, words):
                b.write(self.DATA, 1, 4)
        b, _ = self.wired()
        with self.assertRaisesRegex(ValueError, "FIFO"):
            for _ in range(9):
                b.write(self.DATA, 1, 4)


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


class OfMicrobitV2(unittest.TestCase):
    def test_brightness_is_the_share_of_the_rows_time(self):
        b = board(MicrobitV2, STOP)
        # The first two rows in turn, 7 ms each; their columns on both ports are dark, lit, or lit for two of them.
        first, second = 1 << 21, 1 << 22
        b.write(0x5000_0508, 1 << 28 | 1 << 11 | 1 << 31 | 1 << 30, 4)
        b.write(0x5000_0808, 1 << 5, 4)
        for _ in range(30):
            b.write(0x5000_0508, first, 4)
            b.write(0x5000_050C, 1 << 28, 4)
            b.write(0x5000_080C, 1 << 5, 4)
            b.run(lambda: False, micros=2000)
            b.write(0x5000_0808, 1 << 5, 4)
            b.run(lambda: False, micros=5000)
            b.write(0x5000_050C, first, 4)
            b.write(0x5000_0508, 1 << 28 | second, 4)
            b.write(0x5000_050C, 1 << 11, 4)
            b.run(lambda: False, micros=7000)
            b.write(0x5000_050C, second, 4)
            b.write(0x5000_0508, 1 << 11, 4)
        self.assertEqual(b.display.rows(), ["70020", "07000", "00000", "00000", "00000"])

    def test_what_was_shown_before_is_forgotten(self):
        b = board(MicrobitV2, STOP)
        b.write(0x5000_0508, 1 << 21, 4)
        b.run(lambda: False, micros=300_000)
        self.assertEqual(b.display.rows()[0], "77777")
        b.write(0x5000_0508, 1 << 28, 4)
        b.run(lambda: False, micros=300_000)
        self.assertEqual(b.display.rows()[0], "07777")


class OfEveryStm32(unittest.TestCase):
    def test_a_comparison_of_the_timer_interrupts(self):
        # 1 MHz from 100 MHz and from half of 400 MHz
        for kind, prescale in ((BlackPill, 99), (NucleoH743, 199)):
            with self.subTest(kind.__name__):
                b = board(kind, STOP)
                # Period 1000, channel 1 at 300
                for register, value in ((0x28, prescale), (0x2C, 999), (0x34, 300), (0x0C, 2), (0, 1)):
                    b.write(0x4000_0000 + register, value, 4)
                b.run(lambda: b.levels(), micros=2000)
                self.assertEqual((b.levels(), b.read(0x4000_0010) & 2, b.read(0x4000_0024)), (1 << 28, 2, 300))
                self.assertEqual(b.micros, 300)
                b.write(0x4000_0010, ~2, 4)
                self.assertEqual(b.levels(), 0)

    def test_the_watchdog_bites_unless_fed(self):
        for kind, watchdog, reasons, bitten, forget in ((BlackPill, 0x4000_3000, 0x4002_3874, 1 << 29, 1 << 24),
                                                        (NucleoH743, 0x5800_4800, 0x5802_44D0, 1 << 26, 1 << 16)):
            with self.subTest(kind.__name__):
                b = board(kind, STOP)
                # 32 ticks of 8 kHz: 4 ms
                for register, value in ((0, 0x5555), (4, 0), (8, 31), (0, 0xCCCC)):
                    b.write(watchdog + register, value, 4)
                b.run(lambda: False, micros=3000)
                b.write(watchdog, 0xAAAA, 4)
                b.run(lambda: False, micros=3000)
                self.assertEqual((b.resets, b.read(reasons)), (0, 0))
                b.run(lambda: b.resets, micros=3000)
                self.assertEqual((b.resets, b.read(reasons)), (1, bitten))
                b.write(reasons, forget, 4)
                self.assertEqual(b.read(reasons), 0)

    def test_the_button_interrupts_at_the_edge_that_is_looked_for(self):
        # The pin's register, what it reads as, and those of the interrupt: rising, falling, mask, pending
        for kind, pin, up, down, bit, irq, registers in (
                (BlackPill, 0x4002_0010, 0xFFFF, 0xFFFE, 1, 6, (0x4001_3C08, 0x4001_3C0C, 0x4001_3C00, 0x4001_3C14)),
                (NucleoH743, 0x5802_0810, 0xDFFF, 0xFFFF, 1 << 13, 40,
                 (0x5800_0000, 0x5800_0004, 0x5800_0080, 0x5800_0088))):
            with self.subTest(kind.__name__):
                b = board(kind, STOP)
                rising, falling, mask, pending = registers
                self.assertEqual(b.read(pin), up)
                pressed, released = (rising, falling) if down > up else (falling, rising)
                b.write(mask, bit, 4)
                b.write(pressed, bit, 4)
                b.button(True)
                self.assertEqual((b.read(pin), b.read(pending), b.levels()), (down, bit, 1 << irq))
                b.write(pending, bit, 4)
                b.button(False)
                self.assertEqual((b.read(pin), b.levels()), (up, 0))
                b.write(released, bit, 4)
                b.button(True)
                b.write(pending, bit, 4)
                b.button(False)
                self.assertEqual(b.levels(), 1 << irq)


class OfStm32f411(unittest.TestCase):
    def test_a_character_leaves_while_the_next_waits(self):
        b = board(BlackPill, STOP)
        sent, empty = 1 << 6, 1 << 7
        flags = []
        for byte in b"ab":
            b.write(0x4000_4404, byte, 4)
            flags.append(b.read(0x4000_4400) & (sent | empty))
        b.run(lambda: False, micros=100)
        flags.append(b.read(0x4000_4400) & (sent | empty))
        b.run(lambda: False, micros=100)
        flags.append(b.read(0x4000_4400) & (sent | empty))
        self.assertEqual((b.said["uart"], flags), ("ab", [empty, 0, empty, sent | empty]))

    def test_bytes_go_to_the_display_by_dma_unless_nobody_answers(self):
        b = board(BlackPill, STOP)
        got = []
        b.display.write = got.append
        b.uc.mem_write(0x2000_0100, b"xyz")
        for address, expected in ((0x3C, [*b"xyz"]), (0x3D, [])):
            got.clear()
            b.write(0x4000_5400, 1 << 8, 4)
            b.run(lambda: False, micros=50)
            self.assertEqual(b.read(0x4000_5414), 1)
            b.write(0x4000_5410, address << 1, 4)
            b.run(lambda: False, micros=50)
            if b.read(0x4000_5414) & 2:
                b.read(0x4000_5418)
                for register, value in ((0x4, 3), (0xC, 0x2000_0100), (0, 1)):
                    b.write(0x4002_60A0 + register, value, 4)
                b.run(lambda: False, micros=100)
                self.assertEqual(b.read(0x4000_5414), 4)
            self.assertEqual(got, expected)
        self.assertEqual(b.read(0x4000_5414), 1 << 10)


class OfNucleoH743(unittest.TestCase):
    CONTROL, FLAGS, CLEAR, IN, OUT = (0x4000_4800 + register for register in (0, 0x1C, 0x20, 0x24, 0x28))
    BUS, BUS_CONTROL, BUS_FLAGS, BUS_CLEAR, BUS_OUT = (0x4000_5400 + register for register in (0, 4, 0x18, 0x1C, 0x28))
    START, STOP, RELOAD, AUTO_END = 1 << 13, 1 << 14, 1 << 24, 1 << 25
    EMPTY, WANTED, NO_ANSWER, STOPPED, COMPLETE, PIECE, BUSY = 1, 2, 0x10, 0x20, 0x40, 0x80, 0x8000

    def test_characters_wait_in_the_fifo_to_be_sent(self):
        received, sent, has_room = 1 << 5, 1 << 6, 1 << 7
        for is_on, room in ((0, 1), (1, 16)):
            b = board(NucleoH743, STOP)
            b.write(self.CONTROL, is_on << 29 | sent, 4)
            self.assertEqual(b.levels(), 1 << 39)
            b.write(self.CLEAR, received | sent | has_room, 4)
            self.assertEqual((b.levels(), b.read(self.FLAGS)), (0, has_room))
            for _ in range(room):
                b.write(self.OUT, 97, 4)
                self.assertEqual(b.read(self.FLAGS), has_room)
            b.write(self.OUT, 98, 4)
            self.assertEqual(b.read(self.FLAGS), 0)
            b.run(lambda: False, micros=100)
            self.assertEqual(b.read(self.FLAGS), has_room)
            b.run(lambda: False, micros=room * 87)
            self.assertEqual((b.read(self.FLAGS), b.said["uart"]), (sent | has_room, room * "a" + "b"))

    def test_characters_wait_in_the_fifo_to_be_read(self):
        received, idle = 1 << 5, 1 << 4
        for is_on, room in ((0, 1), (1, 16)):
            b = board(NucleoH743, STOP)
            b.write(self.CONTROL, is_on << 29 | received, 4)
            b.type("uart", "abcdefghijklmnopqrs")
            b.run(lambda: False, micros=2000)
            self.assertEqual((b.levels(), b.read(self.FLAGS) & (received | idle)), (1 << 39, received | idle))
            b.write(self.CLEAR, received | idle, 4)
            self.assertEqual(b.read(self.FLAGS) & (received | idle), received)
            self.assertEqual([b.read(self.IN) for _ in range(room)], [*range(97, 97 + room)])
            self.assertEqual((b.levels(), b.read(self.IN)), (0, 0))

    def bus(self, control, *data):
        """A transfer to the display, and these bytes; what the display got, and the flags."""
        b = board(NucleoH743, STOP)
        got = []
        b.display.write = got.append
        b.write(self.BUS, 1, 4)
        b.write(self.BUS_CONTROL, self.START | control, 4)
        self.assertEqual(b.read(self.BUS_FLAGS), self.EMPTY | self.BUSY)
        b.run(lambda: False, micros=50)
        self.assertEqual(b.read(self.BUS_CONTROL) & self.START, 0)
        for byte in data:
            self.assertEqual(b.read(self.BUS_FLAGS), self.EMPTY | self.BUSY | self.WANTED)
            b.write(self.BUS_OUT, byte, 4)
            self.assertEqual(b.read(self.BUS_FLAGS), self.EMPTY | self.BUSY)
            b.run(lambda: False, micros=50)
        return b, got

    def test_bytes_go_to_the_display_in_pieces(self):
        b, got = self.bus(self.RELOAD | 2 << 16 | 0x78, 1, 2)
        self.assertEqual(b.read(self.BUS_FLAGS), self.EMPTY | self.BUSY | self.PIECE)
        b.write(self.BUS_CONTROL, 1 << 16 | 0x78, 4)
        self.assertEqual(b.read(self.BUS_FLAGS), self.EMPTY | self.BUSY | self.WANTED)
        b.write(self.BUS_OUT, 3, 4)
        b.run(lambda: False, micros=50)
        self.assertEqual((b.read(self.BUS_FLAGS), got), (self.EMPTY | self.BUSY | self.COMPLETE, [1, 2, 3]))
        b.write(self.BUS_CONTROL, self.STOP, 4)
        b.run(lambda: False, micros=50)
        self.assertEqual(b.read(self.BUS_FLAGS), self.EMPTY | self.STOPPED)
        b.write(self.BUS_CLEAR, self.STOPPED, 4)
        self.assertEqual(b.read(self.BUS_FLAGS), self.EMPTY)

    def test_the_bus_may_stop_by_itself(self):
        b, got = self.bus(self.AUTO_END | 1 << 16 | 0x78, 7)
        self.assertEqual((b.read(self.BUS_FLAGS), got), (self.EMPTY | self.STOPPED, [7]))

    def test_nobody_answers_on_the_bus(self):
        b, got = self.bus(1 << 16 | 0x7A)
        self.assertEqual((b.read(self.BUS_FLAGS), got), (self.EMPTY | self.STOPPED | self.NO_ANSWER, []))
        b, got = self.bus(3 << 16 | 0x78, 1)
        b.plug(False)
        b.write(self.BUS_OUT, 2, 4)
        b.run(lambda: False, micros=50)
        self.assertEqual((b.read(self.BUS_FLAGS), got), (self.EMPTY | self.STOPPED | self.NO_ANSWER, [1]))

    def test_a_bus_that_is_switched_off_is_free(self):
        b, got = self.bus(3 << 16 | 0x78, 1)
        b.write(self.BUS_OUT, 2, 4)
        b.write(self.BUS, 0, 4)
        b.run(lambda: False, micros=50)
        self.assertEqual((b.read(self.BUS_FLAGS), got), (self.EMPTY, [1]))
