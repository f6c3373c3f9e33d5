import struct
import unittest

from chips import nrf52, pio, rp2350
from chips.nrf52 import Nrf52840Dk
from chips.pio import Dma, Pio
from chips.rp2350 import Pico2
from chips.speaker import Speaker
from tests.test_boards import STOP, board

FRAMES = [(1, -1), (0x1234, -0x8000), (0x7FFF, 0), (-2, 0x55AA)]
# The program of embassy's PioI2sOut, and how it sets up the state machine: pin 9 has the data, 10 and 11 the clocks.
PROGRAM = (0xA822, 0x6001, 0x0841, 0x7001, 0xB822, 0x7001, 0x1845, 0x6001)
SET_UP = ((pio.EXECUTION, 7 << 12), (pio.SHIFT, pio.JOIN_TX | pio.AUTOPULL), (pio.DIVIDER, 4 << 16 | 128 << 8))
PINS = 2 << 29 | 1 << 20 | 10 << 10 | 9


def word(left, right):
    return (left & 0xFFFF) << 16 | right & 0xFFFF


def set_up(write):
    """Loads the program and sets directions, clocks and the number of bits, as the driver does."""
    for at, instruction in enumerate(PROGRAM):
        write(pio.MEMORY + 4 * at, instruction)
    for register, value in SET_UP:
        write(register, value)
    for pin in (9, 10, 11):
        write(pio.PINS, 1 << 26 | pin << 5)
        write(pio.INSTRUCTION, 0xE081)
    write(pio.PINS, PINS)
    write(pio.FIFO, 14)
    write(pio.INSTRUCTION, 0x6040)


class OfSpeaker(unittest.TestCase):
    def clocked(self, sides):
        """What it hears of bits, each with the side that the clock of sides says."""
        speaker = Speaker()
        for time, (side, bit) in enumerate(sides):
            speaker.pins(time, 0, side, bit)
            speaker.pins(time, 1, side, bit)
        return [frame[1:] for frame in speaker.frames]

    def bits(self, values, count=16):
        """Bits of words, left and right in turns; the last bit of each comes when the side has changed."""
        for index, value in enumerate(values):
            for place in range(count - 1, -1, -1):
                yield (index + (place == 0)) % 2, value >> place & 1

    def test_words_begin_after_the_side_changes(self):
        lead = [(1, 0), (0, 0)]  # the end of a right word
        values = [value for frame in FRAMES for value in frame]
        self.assertEqual(self.clocked([*lead, *self.bits(values)]), FRAMES)
        # Of 24 bits the first 16 count.
        self.assertEqual(self.clocked([*lead, *self.bits([value << 8 | 7 for value in values], 24)]), FRAMES)
        # Without a bit between the change and the first one every word is another.
        self.assertNotEqual(self.clocked([*lead[:1], *self.bits(values)]), FRAMES)

    def test_times_are_told(self):
        speaker = Speaker()
        for time in (0, 8000, 16_000, 40_000):
            speaker.hear(time, 1, 2)
        self.assertEqual(speaker.take(64_000_000), {"frames": [[1, 2]] * 4, "mean": 625 / 3, "longest": 375})
        self.assertEqual(speaker.take(64_000_000), {"frames": [], "mean": 0, "longest": 0})


class OfPio(unittest.TestCase):
    def test_the_driver_s_program_sends_frames(self):
        speaker = Speaker()
        wires = lambda time, levels, outputs: speaker.pins(time, *((levels & outputs) >> pin & 1 for pin in (10, 11, 9)))
        machine = Pio(wires)
        set_up(lambda register, value: machine.write(register, value, 0))
        for frame in FRAMES:
            machine.write(pio.FIFO, word(*frame), 0)
        self.assertEqual((machine.room, machine.outputs), (4, 0xE00))
        machine.write(pio.CONTROL, 1, 1000)
        machine.run(1_000_000)
        # The last word's last bit counts when the clock rises with the next frame.
        self.assertEqual([frame[1:] for frame in speaker.frames], FRAMES[:len(speaker.frames)])
        self.assertGreaterEqual(len(speaker.frames), 3)
        times = [frame[0] for frame in speaker.frames]
        self.assertEqual({after - before for before, after in zip(times, times[1:])}, {64 * 4.5})

    def test_what_is_not_modelled_is_named(self):
        machine = Pio(lambda *_: None)
        for instruction in (0x8000, 0x2020, 0xC000, 0x00C0, 0xE0E0):
            with self.assertRaises(ValueError):
                machine.execute(instruction)
        for _ in range(4):
            machine.push(1)
        self.assertRaises(ValueError, machine.push, 1)
        self.assertRaises(ValueError, machine.write, pio.CONTROL, 2, 0)

    def test_dma_feeds_words_and_interrupts(self):
        machine = Pio(lambda *_: None)
        dma = Dma(machine, 0x5020_0010, lambda at: at)
        for register, value in ((Dma.ENABLE, 1), (0, 0x2000_0000), (4, 0x5020_0010), (8, 6), (0xC, 2 << 2 | 1 << 4 | 1)):
            dma.write(register, value)
        self.assertEqual(list(machine.fifo), [0x2000_0000 + 4 * at for at in range(4)])
        self.assertTrue(dma.read(0xC) & Dma.BUSY and not dma.interrupts)
        machine.fifo.clear()
        dma.feed()
        self.assertEqual((len(machine.fifo), dma.read(0xC) & Dma.BUSY, dma.read(Dma.STATUS)), (2, 0, 1))
        dma.write(Dma.STATUS, 1)
        self.assertFalse(dma.interrupts)
        self.assertRaises(ValueError, dma.write, 0xC, 1 << 4 | 1)
        dma.write(4, 0)
        self.assertRaises(ValueError, dma.write, 0xC, 2 << 2 | 1 << 4 | 1)


class OfBoards(unittest.TestCase):
    def test_a_pico_2_plays_at_its_pins(self):
        b = board(Pico2, STOP)
        write = lambda address, value: b.write(address, value, 4)
        set_up(lambda register, value: write(rp2350.PIO0 + register, value))
        frames = FRAMES * 5
        b.uc.mem_write(0x2000_0000, struct.pack("<20I", *(word(*frame) for frame in frames)))
        write(rp2350.DMA + Dma.ENABLE, 1)
        write(rp2350.DMA, 0x2000_0000)
        write(rp2350.DMA + 4, rp2350.PIO0 + pio.FIFO)
        write(rp2350.DMA + 8, 20)
        write(rp2350.DMA + 0xC, 2 << 2 | 1 << 4 | 1)
        write(rp2350.PIO0 + 0x2000, 1)  # set bits of CONTROL
        b.run(lambda: False, micros=200)
        heard = b.speaker.take(b.hz)
        self.assertEqual(heard["frames"], [list(frame) for frame in frames[:len(heard["frames"])]])
        self.assertGreaterEqual(len(heard["frames"]), 19)
        self.assertAlmostEqual(heard["mean"], 64 * 4.5 / 150, 2)
        self.assertTrue(b.levels() >> rp2350.DMA_IRQ & 1)
        write(rp2350.PIO0 + 0x3000, 1)
        b.run(lambda: False, micros=50)
        self.assertFalse(b.pio.is_on)

    def test_an_nrf52840_plays_two_blocks_by_turns(self):
        b = board(Nrf52840Dk, STOP)
        write = lambda register, value: b.write(nrf52.I2S + register, value, 4)
        b.uc.mem_write(0x2000_0000, struct.pack("<8h", *(value for frame in FRAMES for value in frame)))
        for register, value in ((nrf52.SENDS, 1), (nrf52.MASTER, 0x020C_0000), (nrf52.FORM[0], 1), (0x564, 42), (0x568, 43),
                                (nrf52.SOUND_POINTER, 0x2000_0000), (nrf52.SOUND_WORDS, 2)):
            write(register, value)
        self.assertRaises(ValueError, write, 0, 1)  # no pin has the data
        write(0x570, 44)
        write(0, 1)
        self.assertEqual(b.read(nrf52.I2S + nrf52.TX_UPDATED), 1)
        write(nrf52.TX_UPDATED, 0)
        write(nrf52.SOUND_POINTER, 0x2000_0008)
        b.run(lambda: b.read(nrf52.I2S + nrf52.TX_UPDATED), micros=1000)
        self.assertEqual(len(b.speaker.frames), 3)
        b.run(lambda: len(b.speaker.frames) == 6, micros=1000)
        write(4, 1)
        self.assertEqual(b.read(nrf52.I2S + nrf52.I2S_STOPPED), 1)
        b.run(lambda: False, micros=1000)
        # The second block is repeated until there is another.
        heard = b.speaker.take(b.hz)
        self.assertEqual([tuple(frame) for frame in heard["frames"]], FRAMES + FRAMES[2:])
        self.assertEqual((heard["mean"], heard["longest"]), (125, 125))


if __name__ == "__main__":
    unittest.main()
