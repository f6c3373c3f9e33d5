//! Data as bits.
use super::dataset::Dataset;

/// Values above this are ones: of pixels of 8 bits those above 127.
pub const THRESHOLD: f32 = 0.0;

/// Sets values to −1 and 1, by [`THRESHOLD`].
pub fn binarise(values: &mut [f32]) {
    values.iter_mut().for_each(|value| *value = if *value > THRESHOLD { 1.0 } else { -1.0 });
}

impl Dataset {
    /// The share of values that are ones, at least 0.001 and at most 0.999.
    pub fn activity(&self) -> f64 {
        let ones = |block: &[f32]| block.iter().filter(|value| **value > THRESHOLD).count();
        let count: usize = self.images.chunks(4096).map(|block| ones(&block)).sum();
        (count as f64 / self.images.len() as f64).clamp(0.001, 0.999)
    }

    /// The same images as bits, which are the values −1 and 1.
    pub fn binarised(&self) -> Self {
        let mut values = self.images.to_vec();
        binarise(&mut values);
        Self { images: values.into(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Shape;

    #[test]
    fn ones_are_the_bytes_above_127() {
        let images = vec![0u8, 127, 128, 255, 1, 2, 3, 4].into();
        let data = Dataset { source: "t".into(), shape: Shape::new(2, 2, 1), images, labels: None, sound: None };
        assert_eq!(data.binarised().images.to_vec(), [-1.0, -1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0]);
        assert_eq!((data.activity(), data.binarised().activity()), (0.25, 0.25));
        let black = Dataset { images: vec![0u8; 8].into(), ..data };
        assert_eq!(black.activity(), 0.001);
    }
}
