import struct
import unittest

from unicorn.arm_const import UC_ARM_REG_R2, UC_ARM_REG_R4, UC_CPU_ARM_CORTEX_M33

from chips.chip import TURN, Chip as Base

RAM = 0x2000_0000
WFE, WFI, SEV, STOP = 0xBF20, 0xBF30, 0xBF40, 0xE7FE
ADD_4 = 0x3401  # adds r4, #1
FIRST, SECOND, HANDLER = 0x200, 0x400, 0x600
AT_RAM = (0xF04F, 0x5000)  # mov.w r0, #RAM
TURNS_5 = (0xF240, 0x35E8)  # movw r5, #1000
AGAIN = 0x3D01  # subs r5, #1, before a branch
# ldrex r1, [r0]; adds r1, #1; strex r2, r1, [r0]; cmp r2, #0; bne to the first; subs r5, #1; bne to the first
COUNT_SAFELY = (*AT_RAM, *TURNS_5, 0xE850, 0x1F00, 0x3101, 0xE840, 0x1200, 0x2A00, 0xD1F8, AGAIN, 0xD1F6, STOP)
# The same with ldr and str.
COUNT_UNSAFELY = (*AT_RAM, *TURNS_5, 0x6801, 0x3101, 0x6001, AGAIN, 0xD1FA, STOP)


class Chip(Base):
    cpu, hz, count = UC_CPU_ARM_CORTEX_M33, 1_000_000, 2
    flash = ((0, 0x1000),)
    memories = ((RAM, 0x2000),)


def chip(first, second=None):
    """A chip whose cores execute these halfwords; without any the second core stays in reset."""
    vectors = struct.pack("<18I", RAM + 0x1000, FIRST | 1, *[0] * 14, HANDLER | 1, HANDLER | 1)
    parts = [(0, vectors), (FIRST, code(*first))]
    if second is not None:
        parts.append((SECOND, code(*second)))
    c = Chip([*parts, (HANDLER, code(ADD_4, 0x600C, 0x4770))])  # str r4, [r1]; bx lr
    if second is not None:
        c.cores[1].start(0, RAM + 0x2000, SECOND | 1)
    return c


def code(*halfwords):
    return struct.pack(f"<{len(halfwords)}H", *halfwords)


def word(c, at=RAM):
    return int.from_bytes(c.uc.mem_read(at, 4), "little")


def register(c, number, which=UC_ARM_REG_R4):
    return c.cores[number].uc.reg_read(which)


class Turns(unittest.TestCase):
    def test_the_second_core_waits_for_its_start(self):
        c = chip((STOP,))
        c.run(lambda: False, instructions=5000)
        self.assertEqual(c.cores[1].instructions, 0)
        self.assertEqual(c.cores[0].instructions, c.instructions)

    def test_both_execute_at_a_time(self):
        c = chip((STOP,), (STOP,))
        c.run(lambda: False, micros=100_000)
        first, second = (core.instructions for core in c.cores)
        for instructions in (first, second, c.instructions):
            self.assertTrue(100_000 <= instructions <= 100_000 + TURN, (first, second, c.instructions))
        self.assertLessEqual(abs(c.cores[0].time - c.cores[1].time), TURN)

    def test_one_may_be_slower(self):
        c = chip((STOP,), (STOP,))
        c.cores[1].pace = 3
        c.run(lambda: False, micros=90_000)
        self.assertTrue(90_000 <= c.cores[0].instructions <= 90_000 + 3 * TURN, c.cores[0].instructions)
        self.assertTrue(30_000 <= c.cores[1].instructions <= 30_000 + TURN, c.cores[1].instructions)
        self.assertLessEqual(abs(c.cores[0].time - c.cores[1].time), 3 * TURN)

    def test_what_one_executes_while_the_other_sleeps_counts_once(self):
        # Its own event keeps the second core awake once.
        c = chip((WFE, STOP), (*TURNS_5, AGAIN, 0xD1FD, SEV, WFE, WFE, STOP))
        c.run(lambda: False, micros=10_000)
        first, second = (core.instructions for core in c.cores)
        # 2000 instructions of the second core, then those of the first alone.
        self.assertTrue(2000 - TURN <= second <= 2000 + TURN, second)
        self.assertTrue(abs(first + second - c.instructions) <= TURN, (first, second, c.instructions))
        self.assertTrue(10_000 <= c.now < 10_000 + TURN, c.now)
        # One of them was always awake.
        self.assertEqual(c.asleep, 0)

    def test_if_then_blocks_survive_the_end_of_a_turn(self):
        # movw r5, #10000; cmp r5, r5; itt eq; two additions; subs r5, #1; bne back
        block = (0xF242, 0x7510, 0x42AD, 0xBF04, ADD_4, ADD_4, AGAIN, 0xD1F9, STOP)
        c = chip(block, block)
        c.run(lambda: False, micros=70_000)
        self.assertEqual([register(c, 0), register(c, 1)], [20_000, 20_000])

    def test_a_fault_of_either_is_told(self):
        # ldr r0, [r0] with r0 = 0x1000, just behind the flash
        c = chip((STOP,), (0xF44F, 0x5080, 0x6800, STOP))
        self.assertRegex(c.run(lambda: False, instructions=1000), "UNMAPPED.*404")


class Events(unittest.TestCase):
    def test_wake_the_other_core_once(self):
        c = chip((SEV, STOP), (WFE, ADD_4, WFE, ADD_4, STOP))
        c.run(lambda: False, instructions=2000)
        self.assertEqual((register(c, 1), c.cores[1].sleeps), (1, "wfe"))

    def test_two_that_sleep_sleep_for_good(self):
        self.assertEqual(chip((WFE, STOP), (WFI, STOP)).run(lambda: False), "asleep for good")

    def test_an_event_does_not_end_a_sleep_that_waits_for_interrupts(self):
        c = chip((SEV, WFI, STOP), (WFI, ADD_4, STOP))
        self.assertEqual(c.run(lambda: False), "asleep for good")
        self.assertEqual(register(c, 1), 0)


class Interrupts(unittest.TestCase):
    def test_each_core_has_its_own(self):
        # mov.w r1, #RAM, for the handler
        c = chip((0xF04F, 0x5100, WFI, STOP), (0xF04F, 0x5100, WFI, STOP))
        c.run(lambda: all(core.sleeps for core in c.cores), micros=1000)
        c.cores[1].enabled = 1
        for core in c.cores:
            core.pend(0)
        c.run(lambda: False, micros=1000)
        self.assertEqual(word(c), 1)
        self.assertEqual([core.sleeps for core in c.cores], ["wfi", None])
        self.assertEqual([core.pending for core in c.cores], [1, 0])


class Exclusive(unittest.TestCase):
    def test_no_addition_is_lost(self):
        c = chip(COUNT_SAFELY, COUNT_SAFELY)
        c.run(lambda: False, micros=50_000)
        self.assertEqual(word(c), 2000)

    def test_without_it_additions_are_lost(self):
        c = chip(COUNT_UNSAFELY, COUNT_UNSAFELY)
        c.run(lambda: False, micros=50_000)
        self.assertTrue(1000 <= word(c) < 2000, word(c))

    def test_a_store_fails_where_another_core_has_executed_since_the_load(self):
        # ldrex r1, [r0]; 1000 turns of subs and bne; strex r2, r1, [r0]
        first = (*AT_RAM, 0xE850, 0x1F00, *TURNS_5, AGAIN, 0xD1FD, 0xE840, 0x1200, STOP)
        # The other one leaves the word as it was: ldr r1, [r0]; str r1, [r0]
        for second, failed in ((None, 0), ((*AT_RAM, 0x6801, 0x6001, STOP), 1)):
            c = chip(first, second)
            c.run(lambda: False, micros=5000)
            self.assertEqual(register(c, 0, UC_ARM_REG_R2), failed)


class Reset(unittest.TestCase):
    def test_stops_the_second_core(self):
        c = chip((STOP,), (STOP,))
        c.after("dog", 1000, c.bite)
        c.run(lambda: c.resets, micros=5000)
        before = c.cores[1].instructions
        c.run(lambda: False, micros=5000)
        self.assertEqual((c.resets, c.cores[1].is_on, c.cores[1].instructions), (1, False, before))


if __name__ == "__main__":
    unittest.main()
