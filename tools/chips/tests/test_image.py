import struct
import unittest

from chips.image import parts


def block(address, data):
    """A UF2 block."""
    head = struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0x2000, address, len(data), 0, 1, 0xE48BFF56)
    return head + data + bytes(476 - len(data)) + struct.pack("<I", 0x0AB16F30)


class Files(unittest.TestCase):
    def test_uf2_blocks_are_parts(self):
        file = block(0x10000000, b"ab") + block(0x10000100, b"c")
        self.assertEqual(parts(file), [(0x10000000, b"ab"), (0x10000100, b"c")])

    def test_damaged_uf2_is_refused(self):
        file = block(0x10000000, b"ab") + block(0x10000100, b"c")
        for bad, place in ((file[:700], 1), (file[:510] + b"x" + file[511:], 0)):
            with self.assertRaisesRegex(ValueError, f"block {place} is damaged"):
                parts(bad)

    def test_elf_is_loaded_at_physical_addresses(self):
        file = bytearray(119)
        file[:4] = b"\x7fELF"
        struct.pack_into("<I", file, 28, 52)
        struct.pack_into("<HH", file, 42, 32, 2)
        struct.pack_into("<6I", file, 52, 1, 116, 0x20000000, 0x10000100, 3, 8)
        struct.pack_into("<6I", file, 84, 1, 116, 0x20000100, 0x20000100, 0, 64)
        file[116:] = b"xyz"
        self.assertEqual(parts(bytes(file)), [(0x10000100, b"xyz")])

    def test_hexadecimal_lines_are_parts(self):
        lines = b":020000040001F9\r\n:0300F00001020307\n:00000001FF\n"
        self.assertEqual(parts(lines), [(0x000100F0, b"\x01\x02\x03")])
        for bad in (lines.replace(b"F9", b"F8"), lines[:-13], b":10"):
            with self.assertRaisesRegex(ValueError, "line"):
                parts(bad)

    def test_anything_else_is_refused(self):
        for file in (bytes(600), b""):
            with self.assertRaisesRegex(ValueError, "neither"):
                parts(file)
