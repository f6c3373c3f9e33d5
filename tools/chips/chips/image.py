"""Firmware files as parts: (address, bytes)."""

import struct

LOAD = 1
UF2 = (0x0A324655, 0x9E5D5157, 0x0AB16F30)


def parts(file):
    """The parts of an ELF, UF2 or Intel hexadecimal file; ValueError for anything else."""
    if len(file) >= 52 and file[:4] == b"\x7fELF":
        return _elf(file)
    if len(file) >= 512 and file[:4] == struct.pack("<I", UF2[0]):
        return list(_uf2(file))
    if file[:1] == b":":
        return list(_hex(file))
    raise ValueError("the firmware is neither an ELF, a UF2 nor a hexadecimal file")


def _elf(file):
    (at,), (size, count) = struct.unpack_from("<I", file, 28), struct.unpack_from("<HH", file, 42)
    headers = (struct.unpack_from("<5I", file, at + i * size) for i in range(count))
    return [(physical, file[offset:offset + length]) for kind, offset, _, physical, length in headers
            if kind == LOAD and length]


def _uf2(file):
    for at in range(0, len(file), 512):
        block = file[at:at + 512]
        if len(block) < 512 or struct.unpack("<II", block[:8]) + struct.unpack("<I", block[508:]) != UF2:
            raise ValueError(f"UF2 block {at // 512} is damaged")
        address, length = struct.unpack_from("<II", block, 12)
        yield address, block[32:32 + length]


def _hex(file):
    """Parts of up to 255 bytes; a checksum makes the bytes of a line a multiple of 256."""
    upper = 0
    for number, line in enumerate(file.split(), 1):
        try:
            record = bytes.fromhex(line[1:].decode("ascii"))
        except ValueError:
            record = b""
        if line[:1] != b":" or len(record) < 5 or len(record) != record[0] + 5 or sum(record) & 0xFF:
            raise ValueError(f"line {number} is damaged")
        at, kind, data = int.from_bytes(record[1:3], "big"), record[3], record[4:-1]
        if kind == 0:
            yield upper + at, data
        elif kind == 4:
            upper = int.from_bytes(data, "big") << 16
        elif kind == 1:
            return
        elif kind not in (3, 5):  # where it starts, which the vectors say, too
            raise ValueError(f"line {number} has the unknown kind {kind}")
    raise ValueError("the last line is missing")
