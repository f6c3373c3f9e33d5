//! Augmentation: training images turned, scaled, sheared and shifted a little, without a loss of sharpness.
use crate::graph::Shape;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

/// How training images are varied, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Augment {
    /// Not at all.
    #[default]
    None,
    /// Shifts by whole pixels, which change no value.
    Shift,
    /// Small turns, scalings, shears and shifts by parts of a pixel, on black.
    Affine,
    /// Left and right change places in every second image: for pictures that are as good mirrored.
    Flip,
    /// The same, and shifts by whole pixels, where the picture's edge goes on outside.
    FlipShift,
}

impl Augment {
    /// The ranges of the motion, where there is one.
    pub fn motion(self) -> Option<Motion> {
        match self {
            Self::None => None,
            Self::Shift => Some(Motion::WHOLE),
            Self::Affine => Some(Motion::SMALL),
            Self::Flip => Some(Motion { shift: Shift::Whole(0), ..Motion::PICTURE }),
            Self::FlipShift => Some(Motion::PICTURE),
        }
    }
}

/// The kernel by which values between pixels are found; each reproduces the image where nothing moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// The two nearest pixels an axis: softens edges.
    Linear,
    /// Cubic convolution over four pixels an axis (Keys 1981) with a = −3/4, clipped to [-1, 1]: keeps edges.
    Cubic,
}

impl Kernel {
    /// Weights of the pixels at −1, 0, 1 and 2 for a place `f` in [0, 1) behind pixel 0.
    fn weights(self, f: f32) -> [f32; 4] {
        match self {
            Self::Linear => [0.0, 1.0 - f, f, 0.0],
            Self::Cubic => {
                const A: f32 = -0.75;
                let near = |d: f32| ((A + 2.0) * d - (A + 3.0)) * d * d + 1.0;
                let far = |d: f32| ((A * d - 5.0 * A) * d + 8.0 * A) * d - 4.0 * A;
                [far(1.0 + f), near(f), near(1.0 - f), far(2.0 - f)]
            }
        }
    }
}

/// The range of the shifts of a [`Motion`], on each axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shift {
    /// Any shift up to so many pixels.
    Any(f32),
    /// Whole pixels up to this number.
    Whole(i32),
}

/// Ranges from which a [`Placement`] is drawn, each evenly and to both sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Motion {
    /// Largest angle in radians.
    pub angle: f32,
    /// Largest change of the size.
    pub scale: f32,
    /// Largest shear: columns a row.
    pub shear: f32,
    /// Shifts.
    pub shift: Shift,
    /// Interpolation.
    pub kernel: Kernel,
    /// Factor on the values before they are clipped to [-1, 1], so that black and white drawings get back what
    /// interpolation took.
    pub contrast: f32,
    /// Whether every second image is mirrored.
    pub flip: bool,
    /// What comes from outside.
    pub outside: Outside,
}

/// What lies outside an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// Black (−1): of drawings on black.
    Black,
    /// The nearest pixel: of pictures.
    Edge,
}

impl Motion {
    /// What leaves a digit the digit it is, and looks as another hand would have written it: turns up to 8 degrees, 8 %
    /// of size, shears up to 0.1, shifts up to a quarter of a pixel (the digits are centred, so that larger ones are
    /// unlike all of them).
    pub const SMALL: Self = Self {
        angle: 0.14,
        scale: 0.08,
        shear: 0.1,
        shift: Shift::Any(0.25),
        kernel: Kernel::Cubic,
        contrast: 1.15,
        ..Self::WHOLE
    };
    /// Shifts by a whole pixel at most.
    pub const WHOLE: Self = Self {
        angle: 0.0,
        scale: 0.0,
        shear: 0.0,
        shift: Shift::Whole(1),
        kernel: Kernel::Linear,
        contrast: 1.0,
        flip: false,
        outside: Outside::Black,
    };
    /// Mirrored images, and shifts by a whole pixel at most.
    pub const PICTURE: Self = Self { flip: true, outside: Outside::Edge, ..Self::WHOLE };

    /// Draws a placement.
    pub fn draw(&self, rng: &mut impl Rng) -> Placement {
        let mut draw = |range: f32| if range > 0.0 { rng.random_range(-range..range) } else { 0.0 };
        let (angle, scale, shear) = (draw(self.angle), 1.0 + draw(self.scale), draw(self.shear));
        let shift = match self.shift {
            Shift::Any(range) => [0; 2].map(|_: i32| draw(range)),
            Shift::Whole(range) => [0; 2].map(|_: i32| rng.random_range(-range..=range) as f32),
        };
        // Drawn only where it is wanted, so that other motions stay what they were.
        let mirrored = self.flip && rng.random_bool(0.5);
        let Self { kernel, contrast, outside, .. } = *self;
        Placement { angle, scale, shear, shift, kernel, contrast, mirrored, outside }
    }
}

/// One motion of an image about its centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// Angle in radians.
    pub angle: f32,
    /// Factor on the size.
    pub scale: f32,
    /// Columns that a row is moved against the row above.
    pub shear: f32,
    /// Shift in pixels, down and to the right.
    pub shift: [f32; 2],
    /// Interpolation.
    pub kernel: Kernel,
    /// Factor on the values before they are clipped to [-1, 1], so that black and white drawings get back what
    /// interpolation took.
    pub contrast: f32,
    /// Whether left and right change places, before anything else.
    pub mirrored: bool,
    /// What comes from outside.
    pub outside: Outside,
}

impl Placement {
    /// The image where it is.
    pub const STILL: Self = Self {
        angle: 0.0,
        scale: 1.0,
        shear: 0.0,
        shift: [0.0; 2],
        kernel: Kernel::Linear,
        contrast: 1.0,
        mirrored: false,
        outside: Outside::Black,
    };

    /// Draws the moved `image` (NHWC in [-1, 1]) into `out`.
    pub fn apply(&self, shape: Shape, image: &[f32], out: &mut [f32]) {
        let Shape { height, width, channels } = shape;
        let (sin, cos) = self.angle.sin_cos();
        let centre = [(height as f32 - 1.0) / 2.0, (width as f32 - 1.0) / 2.0];
        for (i, out) in out.chunks_exact_mut(channels).enumerate() {
            let dy = ((i / width) as f32 - centre[0] - self.shift[0]) / self.scale;
            let dx = ((i % width) as f32 - centre[1] - self.shift[1]) / self.scale;
            let dx = dx - self.shear * dy;
            let (y, x) = (centre[0] + cos * dy - sin * dx, centre[1] + sin * dy + cos * dx);
            let (wy, wx) = (self.kernel.weights(y - y.floor()), self.kernel.weights(x - x.floor()));
            let (y, x) = (y.floor() as isize - 1, x.floor() as isize - 1);
            for (c, out) in out.iter_mut().enumerate() {
                let mut value = 0.0;
                for (row, wy) in (y..).zip(wy).filter(|(_, w)| *w != 0.0) {
                    let inside =
                        |column: isize| (0..height as isize).contains(&row) && (0..width as isize).contains(&column);
                    let pixel = |row: isize, column: isize| {
                        let (row, column) = (row.clamp(0, height as isize - 1), column.clamp(0, width as isize - 1));
                        let column = if self.mirrored { width as isize - 1 - column } else { column };
                        image[(row as usize * width + column as usize) * channels + c]
                    };
                    let at = |column: isize| match inside(column) || self.outside == Outside::Edge {
                        true => pixel(row, column),
                        false => -1.0,
                    };
                    value += wy * (x..).zip(wx).map(|(column, w)| w * at(column)).sum::<f32>();
                }
                *out = (value * self.contrast).clamp(-1.0, 1.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::digits;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn moved(placement: Placement, shape: Shape, image: &[f32]) -> Vec<f32> {
        let mut out = vec![9.0; image.len()];
        placement.apply(shape, image, &mut out);
        out
    }

    #[test]
    fn whole_motions_are_exact() {
        let train = digits::train().unwrap();
        let (image, shape) = (&*train.image(0), train.shape);
        for kernel in [Kernel::Linear, Kernel::Cubic] {
            assert_eq!(moved(Placement { kernel, ..Placement::STILL }, shape, image), image);
            let out = moved(Placement { kernel, shift: [2.0, -1.0], ..Placement::STILL }, shape, image);
            for (y, x) in (2..28).flat_map(|y| (0..27).map(move |x| (y, x))) {
                assert_eq!(out[y * 28 + x], image[(y - 2) * 28 + x + 1]);
            }
            assert!(out[..56].iter().all(|v| *v == -1.0), "what comes from outside is black");
            // A quarter turn, four times, is no turn.
            let quarter = Placement { kernel, angle: std::f32::consts::FRAC_PI_2, ..Placement::STILL };
            let turned = (0..4).fold(image.to_vec(), |image, _| moved(quarter, shape, &image));
            assert!(turned.iter().zip(image).all(|(a, b)| (a - b).abs() < 1e-3));
        }
    }

    /// A plane stays one under any motion: exactly with the linear kernel, within a twentieth of a pixel with the cubic
    /// one (exact only at a = −1/2). Three channels stay apart.
    #[test]
    fn values_come_from_where_they_should() {
        let shape = Shape::new(20, 16, 3);
        let plane = |y: f32, x: f32, c: usize| [0.03 * x - 0.2, 0.02 * y - 0.1, 0.01 * (x - y)][c];
        let image: Vec<f32> = (0..shape.len()).map(|i| plane((i / 48) as f32, (i / 3 % 16) as f32, i % 3)).collect();
        let motion = Placement { angle: 0.1, scale: 1.05, shear: 0.08, shift: [0.4, -0.7], ..Placement::STILL };
        // Forward: shear, turn the other way, scale, shift; here spelled out as a matrix.
        let (sin, cos) = 0.1f32.sin_cos();
        for (kernel, tolerance) in [(Kernel::Linear, 1e-4), (Kernel::Cubic, 4e-3)] {
            let out = moved(Placement { kernel, ..motion }, shape, &image);
            for (y, x) in (5..15).flat_map(|y| (4..12).map(move |x| (y as f32, x as f32))) {
                // The content at (y, x) goes to (ty, tx).
                let (dy, dx) = (y - 9.5, x - 7.5);
                let (ry, rx) = (cos * dy + sin * dx, cos * dx - sin * dy);
                let (ty, tx) = (1.05 * ry + 9.5 + 0.4, 1.05 * (rx + 0.08 * ry) + 7.5 - 0.7);
                for c in 0..3 {
                    // The result is a plane again: read it between the pixels.
                    let at = |y: usize, x: usize| out[(y * 16 + x) * 3 + c];
                    let (iy, ix) = (ty as usize, tx as usize);
                    let slope = [at(iy + 1, ix) - at(iy, ix), at(iy, ix + 1) - at(iy, ix)];
                    let value = at(iy, ix) + slope[0] * (ty - iy as f32) + slope[1] * (tx - ix as f32);
                    assert!((value - plane(y, x, c)).abs() < tolerance, "{kernel:?} {y} {x} {c}");
                }
            }
        }
    }

    /// The point of the cubic kernel and the contrast: as sharp and as black and white as before, where the linear
    /// kernel blurs.
    #[test]
    fn strokes_stay_sharp() {
        let train = digits::train().unwrap();
        let measure = |motion: Option<Motion>| {
            let mut rng = ChaCha8Rng::seed_from_u64(2);
            let (mut white, mut steps) = (0.0, 0.0);
            for i in 0..300 {
                let image = match motion {
                    Some(motion) => moved(motion.draw(&mut rng), train.shape, &train.image(i)),
                    None => train.image(i).to_vec(),
                };
                white += image.iter().filter(|v| **v > 0.95).count() as f64;
                steps += image.windows(2).map(|w| f64::from((w[1] - w[0]).abs())).sum::<f64>();
            }
            [white, steps]
        };
        let real = measure(None);
        let ratio = |motion: Motion| [0, 1].map(|k| measure(Some(motion))[k] / real[k]);
        let (sharp, blurred) =
            (ratio(Motion::SMALL), ratio(Motion { kernel: Kernel::Linear, contrast: 1.0, ..Motion::SMALL }));
        assert!(sharp.iter().all(|r| (r - 1.0).abs() < 0.06), "{sharp:?}");
        assert!(blurred[0] < 0.6 && blurred[1] < 0.96, "{blurred:?}");
    }

    #[test]
    fn pictures_are_mirrored_and_their_edges_go_on() {
        let shape = Shape::new(2, 3, 3);
        let image: Vec<f32> = (0..18).map(|i| i as f32 / 18.0).collect();
        let pixel = |y: usize, x: usize| &image[(y * 3 + x) * 3..][..3];
        let mirrored = moved(Placement { mirrored: true, ..Placement::STILL }, shape, &image);
        assert_eq!(mirrored, [pixel(0, 2), pixel(0, 1), pixel(0, 0), pixel(1, 2), pixel(1, 1), pixel(1, 0)].concat());
        let edge = Placement { outside: Outside::Edge, ..Placement::STILL };
        let shifted = moved(Placement { shift: [-1.0, 1.0], ..edge }, shape, &image);
        assert_eq!(shifted, [pixel(1, 0), pixel(1, 0), pixel(1, 1), pixel(1, 0), pixel(1, 0), pixel(1, 1)].concat());
        let both = moved(Placement { shift: [0.0, 1.0], mirrored: true, ..edge }, shape, &image);
        assert_eq!(both[..9], [pixel(0, 2), pixel(0, 2), pixel(0, 1)].concat());
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let flip = Augment::Flip.motion().unwrap();
        let draws: Vec<Placement> = (0..400).map(|_| flip.draw(&mut rng)).collect();
        let count = draws.iter().filter(|draw| draw.mirrored).count();
        assert!((150..250).contains(&count) && draws.iter().all(|draw| draw.shift == [0.0; 2]), "{count}");
        let shifts = (0..400).map(|_| Augment::FlipShift.motion().unwrap().draw(&mut rng).shift);
        assert!(shifts.filter(|shift| *shift != [0.0; 2]).count() > 300);
    }

    #[test]
    fn draws_stay_in_range() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut seen = [[0usize; 3]; 2];
        for _ in 0..500 {
            let p = Motion::SMALL.draw(&mut rng);
            assert!(p.angle.abs() <= 0.14 && (p.scale - 1.0).abs() <= 0.081 && p.shear.abs() <= 0.1);
            assert!(p.shift.iter().all(|s| s.abs() <= 0.25));
            let p = Motion::WHOLE.draw(&mut rng);
            assert_eq!((p.angle, p.scale, p.shear), (0.0, 1.0, 0.0));
            p.shift.iter().zip(&mut seen).for_each(|(s, seen)| seen[(s + 1.0) as usize] += 1);
        }
        assert!(seen.iter().flatten().all(|n| (120..220).contains(n)), "{seen:?}");
        assert!(Augment::None.motion().is_none());
    }
}
