//! Second moments of what a layer with weights reads.

/// Moments of the values under a layer's window, in the order of its weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// Weights of a row.
    len: usize,
    /// Windows seen.
    count: f64,
    /// Σ x·xᵀ, the lower triangle of a matrix with a row a weight.
    square: Vec<f64>,
}

impl Moments {
    /// Nothing seen yet of a layer with rows of `len` weights.
    pub fn new(len: usize) -> Self {
        Self { len, count: 0.0, square: vec![0.0; len * len] }
    }

    /// Adds what one window sees.
    pub fn add(&mut self, window: &[f32]) {
        self.count += 1.0;
        for (i, &x) in window.iter().enumerate() {
            if x != 0.0 {
                let row = &mut self.square[i * window.len()..][..=i];
                row.iter_mut().zip(window).for_each(|(s, y)| *s += f64::from(x * *y));
            }
        }
    }

    /// E\[x·y\] of the inputs of weights `i` and `j`.
    pub fn second(&self, i: usize, j: usize) -> f64 {
        self.square[i.max(j) * self.len + i.min(j)] / self.count.max(1.0)
    }
}
