import json
import struct
import unittest

from chips.nrf52 import Nrf52840Dk
from chips.rtt import BLOCK, ID
from chips.serve import Server

from .test_boards import STOP, board

ADDRESS, BUFFER, SIZE = 0x2000_0010, 0x2000_0100, 8


def offsets(b):
    return struct.unpack("<II", b.uc.mem_read(ADDRESS + 36, 8))


class Probed(unittest.TestCase):
    def setUp(self):
        self.b = board(Nrf52840Dk, STOP)
        self.b.attach(ADDRESS)

    def say(self, text, write):
        """What firmware does: bytes in the ring, then where it writes next."""
        for at, byte in enumerate(text):
            self.b.uc.mem_write(BUFFER + (write - len(text) + at) % SIZE, bytes([byte]))
        self.b.uc.mem_write(ADDRESS + 36, struct.pack("<I", write))

    def make(self, write=0, read=0):
        self.b.uc.mem_write(ADDRESS, BLOCK.pack(ID, 1, 0, 0, BUFFER, SIZE, write, read, 1))

    def run_a_while(self):
        self.b.run(lambda: False, instructions=1000)
        return self.b.probe.fetched

    def test_there_is_nothing_before_the_block(self):
        self.assertEqual(self.run_a_while(), b"")

    def test_what_is_said_is_fetched_around_the_ring(self):
        self.make()
        self.say(b"abcdef", 6)
        self.assertEqual(self.run_a_while(), b"abcdef")
        self.assertEqual(offsets(self.b), (6, 6))
        self.say(b"ghijk", 3)
        self.assertEqual(self.run_a_while(), b"abcdefghijk")
        self.assertEqual(offsets(self.b), (3, 3))
        self.say(b"lmnop", 0)
        self.assertEqual(self.run_a_while(), b"abcdefghijklmnop")

    def test_a_reset_forgets_the_block(self):
        self.make(write=5)
        self.b.reset()
        self.assertEqual(self.run_a_while(), b"")

    def test_offsets_beyond_the_ring_are_an_error(self):
        self.make(write=SIZE)
        with self.assertRaisesRegex(ValueError, "not within its 8 bytes"):
            self.run_a_while()

    def test_requests(self):
        server = Server("nrf52840-dk")
        server.board = board(Nrf52840Dk, STOP)
        self.assertIn("no probe", server.answer('{"do":"fetch"}')["error"])
        server.answer(json.dumps({"do": "attach", "address": ADDRESS}))
        self.b = server.board
        self.make()
        self.say(b"\xff\x00", 2)
        self.run_a_while()
        self.assertEqual(server.answer('{"do":"fetch"}')["said"], "\xff\x00")
        self.assertEqual(server.answer('{"do":"fetch"}')["said"], "")


if __name__ == "__main__":
    unittest.main()
