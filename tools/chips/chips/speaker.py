"""An amplifier at I2S, such as a MAX98357A: what it hears."""

# Bits of a sample that it takes; longer words have their first ones.
BITS = 16


class Speaker:
    """Hears frames of a left and a right sample, and when each came."""

    def __init__(self):
        self.frames = []
        # Levels of the clocks, and the bits since the last change of sides.
        self.bit_clock, self.side, self.bits, self.left = 0, None, [], None

    def hear(self, now, left, right):
        """A whole frame, at this cycle."""
        self.frames.append((now, left, right))

    def pins(self, now, bit_clock, side, data):
        """The levels of its three pins. A bit counts when its clock rises; a word ends with the bit at which the side has
        changed, the last of 16 and more, most significant first; 0 is left."""
        rises = bit_clock and not self.bit_clock
        self.bit_clock = bit_clock
        if not rises:
            return
        self.bits.append(data)
        if side == self.side:
            return
        bits, self.bits = self.bits, []
        before, self.side = self.side, side
        # What came before the first change of sides is no whole word.
        if before is None or len(bits) < BITS:
            self.left = None
            return
        word = int("".join(map(str, bits[:BITS])), 2)
        word -= (word & 1 << BITS - 1) << 1
        if before == 0:
            self.left = word
        elif self.left is not None:
            self.hear(now, self.left, word)
            self.left = None

    def take(self, hz):
        """What it has heard since it was asked last, with the mean and the longest time from a frame to the next, in
        microseconds."""
        frames, self.frames = self.frames, []
        times = [time for time, _, _ in frames]
        gaps = [(after - before) * 1_000_000 / hz for before, after in zip(times, times[1:])]
        return {"frames": [[left, right] for _, left, right in frames], "mean": sum(gaps) / len(gaps) if gaps else 0,
                "longest": max(gaps, default=0)}
