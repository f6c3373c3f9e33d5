//! What the network says, as it lies in the arena.

/// What the network said of a step.
#[derive(Clone, Copy, Debug)]
pub struct Outputs<'s> {
    /// The output, under two evaluations that with the class.
    pub(crate) output: &'s [i16],
    /// Under two evaluations the output without a class, else empty.
    pub(crate) unconditional: &'s [i16],
    /// In 1/256.
    pub(crate) guidance_scale: i32,
    /// Scale of the outputs.
    pub(crate) scale: f32,
}

fn at(values: &[i16], index: usize) -> i32 {
    values.get(index).map_or(0, |&q| i32::from(q))
}

impl Outputs<'_> {
    /// The output of element `index` from one evaluation, in units of its scale.
    #[inline]
    pub(crate) fn once(&self, index: usize) -> i32 {
        at(self.output, index)
    }

    /// That from two, in units of 1/256 of its scale.
    #[inline]
    pub(crate) fn guided(&self, index: usize) -> i32 {
        let (u, c) = (at(self.unconditional, index), at(self.output, index));
        // At most 2^23 + 2^12·2^16.
        (u * 256).wrapping_add(self.guidance_scale * (c - u))
    }
}
