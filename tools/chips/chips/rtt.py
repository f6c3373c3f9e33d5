"""A debug probe that fetches what a firmware says by RTT (Real-Time Transfer): from a ring in its memory, while it runs."""

import struct

ID = b"SEGGER RTT".ljust(16, b"\0")
# The control block: its identifier, the numbers of channels up and down, and of the first one up name, buffer, size, the
# offsets where the firmware writes next and where the probe reads next, and flags.
BLOCK = struct.Struct("<16s8I")
READ = 40


class Probe:
    """Reads the block at this address of a core's memory."""

    def __init__(self, memory, address):
        self.memory, self.address = memory, address
        self.fetched = b""

    def fetch(self):
        """Takes what there is; nothing before the firmware has made the block."""
        found, _, _, _, buffer, size, write, read, _ = BLOCK.unpack(self.memory.mem_read(self.address, BLOCK.size))
        if found != ID or write == read:
            return
        if max(write, read) >= size:
            raise ValueError(f"RTT's offsets {write} and {read} are not within its {size} bytes")
        end = write if write > read else size
        self.fetched += self.memory.mem_read(buffer + read, end - read)
        if end != write:
            self.fetched += self.memory.mem_read(buffer, write)
        self.memory.mem_write(self.address + READ, struct.pack("<I", write))

    def forget(self):
        """After a reset: the block that is in memory still is not the one that the firmware will make."""
        self.memory.mem_write(self.address, bytes(BLOCK.size))
