//! Maximum over squares of 2×2 pixels.
use super::pool::Buffer;
use super::tape::{Act, Tape};
use crate::graph::shape::Shape;
use rayon::prelude::*;

/// Shape of the result for images of `shape`: half the height and width, an odd last row or column is left out.
pub fn output(shape: Shape) -> Shape {
    Shape::new(shape.height / 2, shape.width / 2, shape.channels)
}

/// The offsets of a square's four values, for the output value `i` of an image.
fn square(i: usize, shape: Shape) -> [usize; 4] {
    let (channel, pixel) = (i % shape.channels, i / shape.channels);
    let (row, column) = (pixel / (shape.width / 2), pixel % (shape.width / 2));
    let line = shape.width * shape.channels;
    let first = 2 * row * line + 2 * column * shape.channels + channel;
    [first, first + shape.channels, first + line, first + line + shape.channels]
}

/// The largest of every square, for a batch of images of `shape`.
pub fn forward(x: &[f32], shape: Shape) -> Buffer {
    let len = output(shape).len();
    let mut y = Buffer::stale(x.len() / shape.len() * len);
    let images = x.par_chunks_exact(shape.len()).zip(y.par_chunks_exact_mut(len));
    images.with_min_len(8).for_each(|(x, y)| {
        let line = shape.width * shape.channels;
        let rows = x.chunks_exact(2 * line).zip(y.chunks_exact_mut(shape.width / 2 * shape.channels));
        for (x, y) in rows {
            let (upper, lower) = x.split_at(line);
            let pairs = upper.chunks_exact(2 * shape.channels).zip(lower.chunks_exact(2 * shape.channels));
            for ((upper, lower), y) in pairs.zip(y.chunks_exact_mut(shape.channels)) {
                for (c, y) in y.iter_mut().enumerate() {
                    let [a, b] = [upper, lower].map(|x| x[c].max(x[c + shape.channels]));
                    *y = a.max(b);
                }
            }
        }
    });
    y
}

/// Records the maximum over squares of x. Its gradient goes to the first of the largest values.
pub fn max_pool(tape: &mut Tape, x: &Act) -> Act {
    let shape = x.shape();
    let y = tape.hold(forward(x.values(), shape), x.batch(), output(shape));
    let (x, out) = (x.clone(), y.clone());
    tape.record(move |grads| {
        let dy = out.take_grad(grads)?;
        let mut dx = Buffer::zeros(x.values().len());
        let len = out.shape().len();
        let images = x.values().par_chunks_exact(shape.len()).zip(dx.par_chunks_exact_mut(shape.len()));
        images.zip(dy.par_chunks_exact(len)).with_min_len(8).for_each(|((x, dx), dy)| {
            for (i, dy) in dy.iter().enumerate() {
                let mut largest = square(i, shape)[0];
                for at in square(i, shape) {
                    if x[at] > x[largest] {
                        largest = at;
                    }
                }
                dx[largest] += dy;
            }
        });
        x.give_grad(grads, dx)
    });
    y
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check_gradients, check_threads};
    use super::*;

    #[test]
    fn gradients_match_finite_differences() {
        let shape = Shape::new(5, 6, 3);
        let run = |tape: &mut Tape, acts: &[Act], _: &_| max_pool(tape, &acts[0]);
        check_gradients("max_pool", 3, &[shape], 1, run);
        check_threads("max_pool", 19, &[shape], 1, run);
    }

    #[test]
    fn values() {
        let x: Vec<f32> = (0..24).map(|i| ((i * 7) % 24) as f32).collect();
        let y = forward(&x, Shape::new(3, 4, 2));
        let expected: Vec<f32> =
            (0..4).map(|i| square(i, Shape::new(3, 4, 2)).map(|at| x[at]).into_iter().fold(0.0, f32::max)).collect();
        assert_eq!(&y[..], expected);
        assert_eq!(&forward(&[1., 4., 2., 3.], Shape::new(2, 2, 1))[..], [4.]);
    }
}
