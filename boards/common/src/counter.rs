//! Counters of few bits, extended in software.

/// Extends a free-running counter of `bits` bits to 64 by being read at least once a period.
#[derive(Debug, Clone, Copy)]
pub struct Counter {
    mask: u32,
    down: bool,
    last: u32,
    total: u64,
}

impl Counter {
    /// Of a counter that counts up, `now` being its present reading.
    pub const fn up(bits: u32, now: u32) -> Self {
        Self { mask: mask(bits), down: false, last: now, total: 0 }
    }

    /// Of a counter that counts down, as SysTick does.
    pub const fn down(bits: u32, now: u32) -> Self {
        Self { mask: mask(bits), down: true, last: now, total: 0 }
    }

    /// Takes a reading and returns the ticks since the start.
    pub fn read(&mut self, now: u32) -> u64 {
        let ticks = if self.down { self.last.wrapping_sub(now) } else { now.wrapping_sub(self.last) };
        self.total += u64::from(ticks & self.mask);
        self.last = now;
        self.total
    }
}

const fn mask(bits: u32) -> u32 {
    if bits >= 32 {
        u32::MAX
    } else {
        (1 << bits) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 24 bits counting down from 5: 5 → 2 is 3 ticks, 2 → 0xfffffe is 4 more across the wrap.
    #[test]
    fn down_counter_wraps() {
        let mut counter = Counter::down(24, 5);
        assert_eq!(counter.read(2), 3);
        assert_eq!(counter.read(0xff_fffe), 7);
        assert_eq!(counter.read(0xff_fffe), 7);
    }

    /// 32 bits counting up across the wrap, and past 2^32 in all.
    #[test]
    fn up_counter_wraps() {
        let mut counter = Counter::up(32, 0xffff_fff0);
        assert_eq!(counter.read(0x10), 0x20);
        assert_eq!(counter.read(0x0), 0x20 + 0xffff_fff0);
        assert_eq!(counter.read(0x20), 0x1_0000_0030);
    }
}
