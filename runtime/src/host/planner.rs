//! Arena planner: offsets of buffers from their lifetimes.

/// A buffer that has to live in the arena during `first..=last`, counted in ops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// Bytes.
    pub len: u32,
    /// First op that touches it.
    pub first: u32,
    /// Last op that touches it.
    pub last: u32,
}

impl Buffer {
    fn meets(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// Alignment of every offset, in bytes.
pub const ALIGN: u32 = 4;

fn padded(len: u32) -> u32 {
    len.div_ceil(ALIGN) * ALIGN
}

/// The largest sum of buffers that are alive at one op: no plan can need less.
pub fn lower_bound(buffers: &[Buffer]) -> u32 {
    let live = |op: u32| buffers.iter().filter(|b| b.first <= op && op <= b.last).map(|b| padded(b.len)).sum();
    buffers.iter().map(|b| live(b.first)).max().unwrap_or(0)
}

/// Orders in which [`plan`] tries to place buffers.
#[derive(Clone, Copy)]
enum Order {
    Size,
    Area,
    Lifetime,
    First,
    Last,
}

impl Order {
    const ALL: [Self; 5] = [Self::Size, Self::Area, Self::Lifetime, Self::First, Self::Last];

    /// Buffers with a larger key are placed earlier.
    fn key(self, b: &Buffer) -> u64 {
        let (len, life) = (b.len as u64, (b.last - b.first + 1) as u64);
        match self {
            Self::Size => len << 16 | life.min(0xffff),
            Self::Area => len * life,
            Self::Lifetime => life << 32 | len,
            Self::First => u64::MAX - b.first as u64,
            Self::Last => b.last as u64,
        }
    }
}

/// Places every buffer at an offset such that buffers alive together do not overlap, and returns the
/// arena's size in bytes.
///
/// Each order of placement puts a buffer into the lowest gap that holds it; then buffers that touch the
/// peak are tried first, for as long as that helps. `offsets` and `work` have the length of `buffers`.
/// Returns `None` when they do not, or when a buffer ends before it begins.
pub fn plan(buffers: &[Buffer], offsets: &mut [u32], work: &mut [u32]) -> Option<u32> {
    let n = buffers.len();
    if offsets.len() != n || work.len() != n || buffers.iter().any(|b| b.last < b.first) {
        return None;
    }
    let bound = lower_bound(buffers);
    let mut best = u32::MAX;
    let mut best_boost = [u32::MAX; BOOSTS];
    let mut best_order = Order::Size;
    for order in Order::ALL {
        let mut boost = [u32::MAX; BOOSTS];
        for round in 0..=BOOSTS {
            let (size, top) = place(buffers, order, &boost, work);
            if size < best {
                (best, best_boost, best_order) = (size, boost, order);
            }
            if best <= bound || round == BOOSTS || boost.contains(&top) {
                break;
            }
            boost[round] = top;
        }
    }
    place(buffers, best_order, &best_boost, offsets);
    Some(best)
}

/// Buffers that may be moved to the front of an order.
const BOOSTS: usize = 8;

/// Places in one order, the boosted buffers first; returns the peak and the buffer that makes it.
fn place(buffers: &[Buffer], order: Order, boost: &[u32; BOOSTS], offsets: &mut [u32]) -> (u32, u32) {
    const UNPLACED: u32 = u32::MAX;
    offsets.fill(UNPLACED);
    let (mut peak, mut top) = (0, 0);
    for _ in 0..buffers.len() {
        let rank = |i: usize, b: &Buffer| {
            let boosted = boost.iter().rposition(|&k| k == i as u32).map_or(0, |p| p + 1);
            (boosted, order.key(b), buffers.len() - i)
        };
        let Some((next, buffer)) =
            buffers.iter().enumerate().filter(|(i, _)| offsets[*i] == UNPLACED).max_by_key(|(i, b)| rank(*i, b))
        else {
            break;
        };
        let len = padded(buffer.len);
        // The lowest offset free of every placed buffer that is alive with this one: 0 or some end.
        let collides = |offset: u32| {
            buffers
                .iter()
                .zip(offsets.iter())
                .any(|(b, &o)| o != UNPLACED && b.meets(buffer) && offset < o + padded(b.len) && o < offset + len)
        };
        let ends = buffers
            .iter()
            .zip(offsets.iter())
            .filter(|(b, &o)| o != UNPLACED && b.meets(buffer))
            .map(|(b, &o)| o + padded(b.len));
        let offset = core::iter::once(0).chain(ends).filter(|&o| !collides(o)).min().unwrap_or(0);
        offsets[next] = offset;
        if offset + len > peak {
            (peak, top) = (offset + len, next as u32);
        }
    }
    (peak, top)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec;
    use std::vec::Vec;

    fn check(buffers: &[Buffer]) -> (u32, u32) {
        let (mut offsets, mut work) = (vec![0; buffers.len()], vec![0; buffers.len()]);
        let peak = plan(buffers, &mut offsets, &mut work).unwrap();
        for (i, a) in buffers.iter().enumerate() {
            assert_eq!(offsets[i] % ALIGN, 0);
            assert!(offsets[i] + a.len <= peak);
            for (j, b) in buffers.iter().enumerate().skip(i + 1) {
                let apart = offsets[i] + a.len <= offsets[j] || offsets[j] + b.len <= offsets[i];
                assert!(apart || !a.meets(b), "{i} and {j} overlap");
            }
        }
        (peak, lower_bound(buffers))
    }

    #[test]
    fn chain_and_skip_reach_the_bound() {
        let b = |len, first, last| Buffer { len, first, last };
        assert_eq!(check(&[b(100, 0, 1), b(50, 1, 2), b(100, 2, 3)]), (152, 152));
        // A U-Net: the skip lives across the small middle.
        let unet = [b(784, 0, 1), b(3920, 1, 6), b(3920, 2, 3), b(2352, 3, 4), b(2352, 4, 5), b(3920, 5, 6)];
        let (peak, bound) = check(&unet);
        assert_eq!(peak, bound);
        assert_eq!(check(&[]), (0, 0));
    }

    #[test]
    fn random_lifetimes_stay_near_the_bound() {
        let mut state = 7u64;
        let mut next = |n: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % n
        };
        let (mut worst, mut over) = (0.0f64, 0);
        for _ in 0..300 {
            let buffers: Vec<Buffer> = (0..20)
                .map(|i| Buffer {
                    len: 64 + next(4000) as u32,
                    first: i,
                    last: i + 1 + next(4) as u32 * (next(3) == 0) as u32 * 3,
                })
                .collect();
            let (peak, bound) = check(&buffers);
            let ratio = peak as f64 / bound as f64;
            worst = worst.max(ratio);
            over += (ratio > 1.1) as u32;
        }
        assert!(over <= 6 && worst < 1.3, "{over} of 300 above 110 %, worst {worst}");
    }
}
