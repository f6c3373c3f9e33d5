"""What the two cores of an RP2350 have in common beside memory: their FIFOs, spinlocks, and core 1's start (RP2350 data
sheet, 3.1.5, 3.1.4 and 5.3)."""

from collections import deque

CORE, FIFO_STATUS, FIFO_WRITE, FIFO_READ, LOCK_STATUS, LOCK = 0, 0x50, 0x54, 0x58, 0x5C, 0x100
LOCKS = 32
FIFO = 4
# Of the status: there is a word, there is room; a word was lost for lack of it, one was read where there was none.
VALID, ROOM, LOST, MISSED = 1, 2, 4, 8


class Sio:
    """Its registers, by their offsets, as the core sees that reads or writes them."""

    def __init__(self, launch):
        # The words on their way to each core.
        self.words = (deque(), deque())
        self.faults = [0, 0]
        self.locks = 0
        self.pen = Pen(self, launch)

    def read(self, offset, core):
        if offset == CORE:
            return core
        if offset == FIFO_STATUS:
            valid = VALID if self.words[core] else 0
            return self.faults[core] | valid | (ROOM if len(self.words[1 - core]) < FIFO else 0)
        if offset == FIFO_READ:
            if not self.words[core]:
                self.faults[core] |= MISSED
                return 0
            word = self.words[core].popleft()
            self.pen.serve()
            return word
        if offset == LOCK_STATUS:
            return self.locks
        if LOCK <= offset < LOCK + 4 * LOCKS:
            lock = 1 << (offset - LOCK) // 4
            claimed, self.locks = lock & ~self.locks, self.locks | lock
            return claimed
        return None

    def write(self, offset, value, core):
        """Whether there is such a register."""
        if offset == FIFO_WRITE:
            if len(self.words[1 - core]) == FIFO:
                self.faults[core] |= LOST
            else:
                self.words[1 - core].append(value)
                self.pen.serve()
        elif offset == FIFO_STATUS:
            self.faults[core] &= ~(LOST | MISSED)
        elif LOCK <= offset < LOCK + 4 * LOCKS:
            self.locks &= ~(1 << (offset - LOCK) // 4)
        else:
            return False
        return True

    def interrupts(self, core):
        """Whether a core's FIFO asks for its attention."""
        return bool(self.words[core] or self.faults[core])


class Pen:
    """Core 1 in the boot ROM, where it waits until core 0 has sent 1, its vector table, its stack and its entry, each of
    which it sends back. A 0 in between begins anew, and it sends 0 whenever it begins. It answers at once."""

    def __init__(self, sio, launch):
        self.sio, self.launch = sio, launch
        self.leave()

    def enter(self):
        """Core 1 comes out of a reset."""
        self.is_there = True
        self._begin()
        self.serve()

    def leave(self):
        """Core 1 is launched, or held in reset."""
        self.is_there = False
        self.heard, self.answer = [], None

    def _begin(self):
        self.sio.words[1].clear()
        self.heard, self.answer = [], 0

    def serve(self):
        """Does what the words that have come and the room for answers let it do."""
        to_core_0, from_core_0 = self.sio.words
        while self.is_there:
            if self.answer is not None:
                if len(to_core_0) == FIFO:
                    return
                to_core_0.append(self.answer)
                self.answer = None
            if len(self.heard) == 4:
                _, vectors, stack, entry = self.heard
                self.leave()
                self.launch(vectors, stack, entry)
                return
            if not from_core_0:
                return
            word = from_core_0.popleft()
            if word == 0 or not self.heard and word != 1:
                self._begin()
            else:
                self.heard.append(word)
                self.answer = word
