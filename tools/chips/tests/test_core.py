import struct
import unittest

from unicorn.arm_const import UC_CPU_ARM_CORTEX_M4, UC_ARM_REG_R0, UC_ARM_REG_R4

from chips.chip import Chip as Base

RAM = 0x2000_0000
WFE, WFI, SEV, STOP = 0xBF20, 0xBF30, 0xBF40, 0xE7FE  # the last is a branch to itself
ADD_4, BX_LR, MASK, UNMASK = 0x3401, 0x4770, 0xB672, 0xB662  # adds r4, #1; bx lr; cpsid i; cpsie i
# A handler that counts in the first word of RAM: mov.w r3, #RAM; ldr r2, [r3]; adds r2, #1; str r2, [r3]; bx lr
COUNT = (0xF04F, 0x5300, 0x681A, 0x3201, 0x601A, BX_LR)
DEVICE = 0x4000_0000


class Chip(Base):
    cpu, hz = UC_CPU_ARM_CORTEX_M4, 1_000_000
    flash = ((0, 0x1000),)
    memories = ((RAM, 0x1000),)
    devices = ((DEVICE, 0x1000),)
    high = 0

    def levels(self):
        return self.high


def chip(*code, handlers=(), at=0x200):
    """A chip with these halfwords as its program; handlers are the addresses of the first interrupts'."""
    vectors = [RAM + 0x1000, at | 1] + [0] * 14 + [handler | 1 for handler in handlers]
    return Chip([(0, struct.pack(f"<{len(vectors)}I", *vectors)), (at, struct.pack(f"<{len(code)}H", *code))])


def handler(chip, at, *code):
    chip.uc.mem_write(at, struct.pack(f"<{len(code)}H", *code))


def counted(chip):
    return int.from_bytes(chip.uc.mem_read(RAM, 4), "little")


def enable(chip, *irqs):
    for irq in irqs:
        chip.core.enabled |= 1 << irq


class Runs(unittest.TestCase):
    def test_ends_at_its_limits(self):
        c = chip(STOP)
        self.assertEqual(c.run(lambda: False, instructions=50_000), "limit")
        self.assertTrue(50_000 <= c.instructions < 70_001, c.instructions)
        self.assertEqual(c.run(lambda: False, micros=1000), "limit")
        self.assertEqual(c.run(lambda: True), "done")

    def test_a_load_waits_until_the_register_changes(self):
        # mov.w r0, #DEVICE; ldr r1, [r0]; adds r4, #1; cmp r1, #0; beq to the load; branch to itself
        c = chip(0xF04F, 0x4080, 0x6801, ADD_4, 0x2900, 0xD0FB, STOP)

        def read(address):
            if c.high == 0:
                c.core.wait()
            return c.high

        c.read = read
        c.after("change", 700_000, lambda: setattr(c, "high", 1))
        self.assertEqual(c.run(lambda: c.high, micros=800_000), "done")
        self.assertEqual((c.now, c.uc.reg_read(UC_ARM_REG_R4)), (700_000, 0))
        c.run(lambda: False, instructions=100)
        self.assertEqual(c.uc.reg_read(UC_ARM_REG_R4), 1)

    def test_a_fault_is_told(self):
        # ldr r0, [r0] with r0 = 0x1000, just behind the flash
        c = chip(0xF44F, 0x5080, 0x6800, STOP)
        self.assertRegex(c.run(lambda: False, instructions=1000), "UNMAPPED.*204")

    def test_flash_cannot_be_written(self):
        # str r0, [r0] with r0 = 0
        self.assertRegex(chip(0x2000, 0x6000, STOP).run(lambda: False, instructions=1000), "WRITE_PROT.*202")

    def test_a_program_beyond_the_memory_is_refused(self):
        with self.assertRaisesRegex(ValueError, "bytes at ffe"):
            Chip([(0xFFE, b"abcd")])


class Sleep(unittest.TestCase):
    def test_nothing_wakes_it(self):
        for hint in (WFE, WFI):
            self.assertEqual(chip(hint, STOP).run(lambda: False), "asleep for good")

    def test_time_passes_at_once(self):
        c = chip(WFI, STOP)
        self.assertEqual(c.run(lambda: False, micros=5_000_000), "limit")
        self.assertTrue(c.micros >= 5_000_000 and c.instructions < 100, c.instructions)
        self.assertTrue(4_999_900 <= c.asleep <= c.micros, c.asleep)

    def test_an_event_keeps_it_awake_once(self):
        c = chip(SEV, WFE, ADD_4, WFE, STOP)
        self.assertEqual(c.run(lambda: False), "asleep for good")
        self.assertEqual(c.uc.reg_read(UC_ARM_REG_R4), 1)

    def test_spinning_takes_no_longer_than_sleeping(self):
        c = chip(0xBF10, 0xE7FD)  # yield, and back
        c.after("dog", 4_000_000, c.bite)
        c.run(lambda: c.resets, instructions=400_000)
        self.assertTrue(c.resets == 1 and 4_000_000 <= c.now < 4_001_000, c.now)
        self.assertEqual(c.asleep, 0)

    def test_an_alarm_is_on_time(self):
        c = chip(WFI, STOP, handlers=[0x300])
        handler(c, 0x300, *COUNT)
        enable(c, 0)
        c.after("alarm", 7_000, lambda: c.core.pend(0))
        c.run(lambda: counted(c) == 1, micros=20_000)
        self.assertTrue(7_000 <= c.now < 7_200, c.now)


class Interrupts(unittest.TestCase):
    def test_registers_and_flags_are_those_from_before(self):
        # movs r0, #7; cmp r0, #7; wfi; beq over; movs r0, #0; over: b .
        c = chip(0x2007, 0x2807, WFI, 0xD000, 0x2000, STOP, handlers=[0x300])
        # movs r0, #1, and the count, which clears Z
        handler(c, 0x300, 0x2001, *COUNT)
        enable(c, 0)
        c.after("alarm", 100, lambda: c.core.pend(0))
        c.run(lambda: False, instructions=2000)
        self.assertEqual((c.uc.reg_read(UC_ARM_REG_R0), counted(c)), (7, 1))

    def test_masked_ones_wait(self):
        c = chip(MASK, WFI, *[0xBF00] * 4, UNMASK, STOP, handlers=[0x300])
        handler(c, 0x300, *COUNT)
        enable(c, 0)
        c.core.pend(0)
        c.run(lambda: counted(c) == 1, instructions=10_000)
        self.assertEqual(counted(c), 1)
        self.assertFalse(c.core.pending)

    def test_a_more_urgent_one_interrupts(self):
        # The first handler waits until the second has counted: mov.w r3, #RAM; ldr r2, [r3]; cmp r2, #0; beq back; bx lr
        c = chip(WFI, STOP, handlers=[0x300, 0x320])
        handler(c, 0x300, 0xF04F, 0x5300, 0x681A, 0x2A00, 0xD0FC, BX_LR)
        handler(c, 0x320, *COUNT)
        enable(c, 0, 1)
        c.core.priorities[0] = 0x80
        c.core.pend(0)
        c.after("alarm", 5_000, lambda: c.core.pend(1))
        c.run(lambda: not c.core.active and counted(c), micros=50_000)
        self.assertEqual(counted(c), 1)
        self.assertTrue(5_000 <= c.now < 10_000)

    def test_the_program_may_ask_for_one(self):
        # movs r1, #1; ldr r0, [pc, #4]; str r1, [r0]: the interrupt's number to STIR, or its bit to ISPR
        for register, value in ((0xEF00, 1), (0xE200, 2)):
            c = chip(0x2000 | 1 << 8 | value, 0x4801, 0x6001, STOP, register, 0xE000, handlers=[0, 0x300])
            handler(c, 0x300, *COUNT)
            enable(c, 1)
            c.run(lambda: counted(c), instructions=1000)
            self.assertEqual(counted(c), 1)

    def test_a_line_that_stays_high_interrupts_again(self):
        c = chip(WFI, 0xE7FD, handlers=[0x300])
        handler(c, 0x300, *COUNT)
        enable(c, 0)
        c.high = 1
        c.run(lambda: counted(c) >= 5, instructions=10_000)
        self.assertGreaterEqual(counted(c), 5)

    def test_what_a_write_raises_is_taken_once_and_the_write_is_done_once(self):
        # r1 = the device; str r1, [r1]; then a loop
        c = chip(0xF04F, 0x4180, 0x6009, STOP, handlers=[0x300])
        handler(c, 0x300, *COUNT)
        c.write = lambda *_: c.core.pend(0)
        enable(c, 0)
        c.run(lambda: False, instructions=100_000)
        self.assertEqual(counted(c), 1)


class Reset(unittest.TestCase):
    def test_keeps_memory_and_begins_anew(self):
        c = chip(ADD_4, STOP)
        c.uc.mem_write(RAM, b"kept")
        c.after("dog", 1000, c.bite)
        enable(c, 3)
        c.regs[DEVICE] = 7
        c.run(lambda: c.resets == 1, micros=5000)
        self.assertEqual((c.resets, c.core.enabled, c.regs, c.core.pc & ~1), (1, 0, {}, 0x200))
        self.assertEqual(c.uc.mem_read(RAM, 4), b"kept")

    def test_asked_for_by_the_program(self):
        # ldr r0, [pc, #4]; ldr r1, [pc, #8]; str r1, [r0]; b .: AIRCR and its key with SYSRESETREQ
        c = chip(0x4801, 0x4902, 0x6001, STOP, 0xED0C, 0xE000, 0x0004, 0x05FA)
        c.alarms["x"] = (1 << 40, None)
        c.run(lambda: not c.alarms, instructions=1000)
        self.assertEqual((c.resets, c.alarms), (0, {}))


if __name__ == "__main__":
    unittest.main()
