//! Winograd's algorithm on two cores: of each chunk they transform half of the lanes each, and when both are done, compute
//! half of the output channels each. Both read the same inputs; weights and sums are each core's own.

use super::store::align;
use super::winograd::{Chunk, Cursor, Transforms};
use crate::cores::{Other, Part};
use crate::kernels::epilogue::Output;

/// All `groups` groups of lanes of `first`'s convolution, whose scratch it names; the other core works in `scratch`.
///
/// # Safety
/// As for [`Chunk`]; `scratch` has the bytes that [`Winograd::second_scratch`](crate::kernels::Winograd::second_scratch) says.
#[inline(never)]
pub unsafe fn run<T: Transforms>(first: &Chunk, groups: usize, out: Output, other: Other, scratch: &mut [i8]) {
    let [height, width, channels] = first.conv.output;
    let cut = first.cut;
    let lanes = cut.lanes([height, width], first.conv.window.dilation[1]);
    let (mut here, mut there) = (out, out);
    // SAFETY: the caller's promise, for both cores. A lane's places in the inputs are its own, an output channel's outputs and
    // residuals too. Nobody writes the sources, and of a chunk's inputs and lanes nobody what another reads before `both`
    // returns.
    unsafe {
        let weights = align(scratch);
        let sums = weights.add(cut.values(first.conv.window.kernel[0]) * first.channels).cast::<i32>();
        let window = sums.add(48 * cut.tile_rows).cast::<i8>();
        let second = &Chunk { weights, sums, window, ..*first };
        let mut jobs = [T::job(first.conv, &mut here), T::job(first.conv, &mut there)];
        let [job, other_job] = &mut jobs;
        let mut cursor = Cursor::default();
        let mut done = 0;
        while done < groups {
            let left = groups - done;
            let count = if left < cut.groups { left } else { cut.groups };
            first.note_lanes(count, &mut cursor);
            // Those beyond the last have nothing to transform.
            let real = lanes - 4 * done;
            let real = if real < 4 * count { real } else { 4 * count };
            other.both(
                || Part::First.of(real, 1).for_each(|lane| first.transform::<T>(lane)),
                || Part::Second.of(real, 1).for_each(|lane| second.transform::<T>(lane)),
            );
            other.both(
                || first.outputs::<T>(job, &mut here, count, Part::First.of(channels, 2)),
                || second.outputs::<T>(other_job, &mut there, count, Part::Second.of(channels, 2)),
            );
            done += count;
        }
    }
}
