import struct
import unittest

from unicorn.arm_const import UC_ARM_REG_SP

from chips.core import VTOR
from chips.rp2350 import Pico2

SIO = 0xD000_0000
CORE, STATUS, WRITE, READ, LOCK = SIO, SIO + 0x50, SIO + 0x54, SIO + 0x58, SIO + 0x100
VALID, ROOM, LOST, MISSED = 1, 2, 4, 8
FORCE_OFF, SET, CLEAR = 0x4001_8004, 0x2000, 0x3000
CORE_1 = 1 << 24
FIFO_IRQ, IO_IRQ = 1 << 25, 1 << 21
STOP = 0xE7FE
VECTORS, STACK, ENTRY = 0x1000_0000, 0x2000_2000, 0x1000_0201


def board():
    """A board whose program is a loop."""
    return Pico2([(0x1000_0000, struct.pack("<II", 0x2000_1000, ENTRY)), (0x1000_0200, struct.pack("<H", STOP))])


def received(b, core=0):
    """The words that wait for a core."""
    b.core = b.cores[core]
    words = []
    while b.read(STATUS) & VALID:
        words.append(b.read(READ))
    return words


def send(b, *words, core=0):
    b.core = b.cores[core]
    for word in words:
        b.write(WRITE, word, 4)


def launch(b):
    for word in (0, 0, 1, VECTORS, STACK, ENTRY):
        send(b, word)
    received(b)
    return b


class Start(unittest.TestCase):
    def test_every_word_is_sent_back_and_the_last_launches(self):
        b = board()
        received(b)
        for word in (0, 0, 1, VECTORS, STACK, ENTRY):
            self.assertFalse(b.cores[1].is_on)
            send(b, word)
            self.assertEqual(received(b), [word])
        core = b.cores[1]
        self.assertTrue(core.is_on)
        self.assertEqual((core.system[VTOR], core.uc.reg_read(UC_ARM_REG_SP), core.pc), (VECTORS, STACK, ENTRY))
        b.run(lambda: core.instructions > 1000, instructions=5000)
        self.assertGreater(core.instructions, 1000)

    def test_a_0_begins_anew_and_so_does_what_is_not_expected_first(self):
        b = board()
        received(b)
        for words, answers in (((1, VECTORS, 0), [1, VECTORS, 0]), ((7,), [0]), ((1, 0, VECTORS), [1, 0, 0])):
            send(b, *words)
            self.assertEqual(received(b), answers)
        self.assertFalse(b.cores[1].is_on)
        self.assertTrue(launch(b).cores[1].is_on)

    def test_answers_wait_for_room(self):
        b = board()
        send(b, 0, 0, 0, 1, VECTORS)
        self.assertEqual(received(b), [0, 0, 0, 0, 1, VECTORS])
        send(b, STACK, ENTRY)
        self.assertTrue(b.cores[1].is_on)

    def test_a_core_held_in_reset_hears_nothing_and_says_that_it_has_begun(self):
        b = launch(board())
        b.write(FORCE_OFF + SET, CORE_1, 4)
        self.assertEqual((b.read(FORCE_OFF), b.cores[1].is_on), (CORE_1, False))
        send(b, 0)
        self.assertEqual(received(b), [])
        b.write(FORCE_OFF + CLEAR, CORE_1, 4)
        self.assertEqual((b.read(FORCE_OFF), received(b)), (0, [0]))
        self.assertTrue(launch(b).cores[1].is_on)

    def test_a_reset_of_the_chip_is_one_of_both_cores(self):
        b = launch(board())
        b.bite()
        self.assertEqual((b.cores[0].is_on, b.cores[1].is_on, received(b)), (True, False, [0]))


class Fifos(unittest.TestCase):
    def test_words_reach_the_other_core_in_order(self):
        b = launch(board())
        send(b, 5, 6)
        send(b, 7, core=1)
        self.assertEqual([received(b, core=0), received(b, core=1)], [[7], [5, 6]])

    def test_what_does_not_fit_and_what_is_not_there_is_noted_until_that_is_cleared(self):
        b = launch(board())
        send(b, 1, 2, 3, 4, 5)
        self.assertEqual(b.read(STATUS), LOST)
        b.write(STATUS, 0, 4)
        self.assertEqual(b.read(STATUS), 0)
        self.assertEqual(received(b, core=1), [1, 2, 3, 4])
        self.assertEqual((b.read(READ), b.read(STATUS)), (0, ROOM | MISSED))
        b.write(STATUS, LOST | MISSED, 4)
        self.assertEqual(b.read(STATUS), ROOM)

    def test_the_core_with_a_word_is_interrupted(self):
        b = launch(board())
        self.assertEqual([b.levels_at(core) & FIFO_IRQ for core in (0, 1)], [0, 0])
        send(b, 5)
        self.assertEqual([b.levels_at(core) & FIFO_IRQ for core in (0, 1)], [0, FIFO_IRQ])
        received(b, core=1)
        self.assertEqual(b.levels_at(1) & FIFO_IRQ, 0)
        b.read(READ)
        self.assertEqual(b.levels_at(1) & FIFO_IRQ, FIFO_IRQ)


class OfEachCore(unittest.TestCase):
    def test_the_number(self):
        b = board()
        for core in b.cores:
            b.core = core
            self.assertEqual(b.read(CORE), core.number)

    def test_a_lock_is_one_cores(self):
        b = launch(board())
        self.assertEqual((b.read(LOCK + 4 * 31), b.read(LOCK + 4 * 31), b.read(LOCK)), (1 << 31, 0, 1))
        b.core = b.cores[1]
        self.assertEqual((b.read(LOCK + 4 * 31), b.read(SIO + 0x5C)), (0, 1 << 31 | 1))
        b.write(LOCK + 4 * 31, 1, 4)
        self.assertEqual(b.read(LOCK + 4 * 31), 1 << 31)

    def test_interrupts_of_pins(self):
        for core, enable, status in ((0, 0x4002_824C, 0x4002_827C), (1, 0x4002_8294, 0x4002_82C4)):
            b = board()
            b.write(enable, 4 << 28, 4)  # a falling edge at pin 15
            b.button(True)
            self.assertEqual([b.levels_at(n) & IO_IRQ for n in (0, 1)], [IO_IRQ * (n == core) for n in (0, 1)])
            self.assertEqual(b.read(status), 4 << 28)


if __name__ == "__main__":
    unittest.main()
