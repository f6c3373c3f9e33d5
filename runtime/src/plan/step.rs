//! What a chip reads of a plan.

/// One step of a plan; see the equations of [`plan`](crate::plan).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// Training timestep t whose ε̂ this step evaluates.
    pub timestep: u32,
    /// Row of the model's time table that holds t's channel biases.
    pub time_row: u32,
    /// Weight of x_t in x0_hat.
    pub k_x: f32,
    /// Weight of the network's output in x0_hat.
    pub k_eps: f32,
    /// Weight of x_t in the next x.
    pub a: f32,
    /// Weight of x0_hat in the next x.
    pub b: f32,
    /// Weight of the previous step's x0_hat in the next x.
    pub c: f32,
    /// Standard deviation of the added noise; 0 adds none.
    pub sigma: f32,
    /// What x_t is made of when this step begins.
    pub level: Level,
}

/// What a plan's x_T is drawn from.
///
/// Training makes x_T = √ᾱ_T·x_0 + √(1 − ᾱ_T)·ε. Where ᾱ_T is near 0 that is N(0, 1). Where it is not, no normal
/// distribution is right, see [Plans](https://github.com/brownian-rs/brownian/blob/main/docs/reference/plans.md): N(0, 1)
/// has the variance of data of variance 1, and `Noise` that of the parts in which the data are 0, such as pauses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// N(0, 1).
    #[default]
    Normal,
    /// N(0, 1 − ᾱ) with ᾱ of the first step: the noise of its level, without an image.
    Noise,
}

impl Start {
    /// The standard deviation of x_T, for a plan whose first step begins at `level`.
    pub fn deviation(self, level: Level) -> f32 {
        match self {
            Self::Normal => 1.0,
            Self::Noise => level.noise,
        }
    }
}

/// How much of a state is image and how much is noise: x_t = signal·x_0 + noise·ε.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Level {
    /// √ᾱ_t.
    pub signal: f32,
    /// √(1 − ᾱ_t).
    pub noise: f32,
}

impl Level {
    /// The end of every chain: the image itself.
    pub const CLEAN: Self = Self { signal: 1.0, noise: 0.0 };
}

/// Whether these are the bits of a finite f32, by integers alone: a chain over bits is to need no arithmetic on floats.
pub(crate) fn is_finite(bits: u32) -> bool {
    bits << 1 < 0xff00_0000
}

/// Bytes of an encoded step.
pub const STEP_LEN: usize = 40;

impl Step {
    /// The little-endian words of a step, in the order of the fields.
    pub fn encode(&self) -> [u8; STEP_LEN] {
        let mut bytes = [0; STEP_LEN];
        let words = [self.timestep, self.time_row].into_iter().chain(self.reals().map(f32::to_bits));
        for (slot, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(words) {
            *slot = word.to_le_bytes();
        }
        bytes
    }

    /// The inverse of [`encode`](Self::encode).
    pub fn decode(bytes: &[u8; STEP_LEN]) -> Self {
        let word = |i: usize| u32::from_le_bytes(bytes.as_chunks::<4>().0.get(i).copied().unwrap_or([0; 4]));
        let real = |i: usize| f32::from_bits(word(i));
        Self {
            timestep: word(0),
            time_row: word(1),
            k_x: real(2),
            k_eps: real(3),
            a: real(4),
            b: real(5),
            c: real(6),
            sigma: real(7),
            level: Level { signal: real(8), noise: real(9) },
        }
    }

    /// The step of a chain whose process runs on `scale` times the data: x0_hat is in the data's units all the same, so
    /// that it is clipped to [-1, 1], and so is x when the `last` step is made.
    ///
    /// ```
    /// use brownian::plan::Step;
    /// let step = Step { k_x: 0.5, k_eps: -0.5, a: 0.25, b: 0.75, ..Step::default() };
    /// let scaled = step.scaled(4.0, false);
    /// assert_eq!([scaled.k_x, scaled.k_eps, scaled.a, scaled.b], [0.125, -0.125, 0.25, 3.0]);
    /// let last = step.scaled(4.0, true);
    /// assert_eq!([last.a, last.b], [0.0625, 0.75]);
    /// ```
    #[must_use]
    pub fn scaled(self, scale: f32, last: bool) -> Self {
        let (of_x0, of_x) = if last { (1.0, 1.0 / scale) } else { (scale, 1.0) };
        Self {
            k_x: self.k_x / scale,
            k_eps: self.k_eps / scale,
            a: self.a * of_x,
            b: self.b * of_x0,
            c: self.c * of_x0,
            sigma: self.sigma * of_x,
            level: Level { signal: self.level.signal * scale, noise: self.level.noise },
            ..self
        }
    }

    fn reals(&self) -> [f32; 8] {
        [self.k_x, self.k_eps, self.a, self.b, self.c, self.sigma, self.level.signal, self.level.noise]
    }

    /// Whether all coefficients are finite, which parsing demands.
    pub fn is_finite(&self) -> bool {
        Self::finite(&self.encode())
    }

    /// The same of an encoded step.
    pub(crate) fn finite(bytes: &[u8; STEP_LEN]) -> bool {
        let (words, _) = bytes.as_chunks();
        words.iter().skip(2).all(|word| is_finite(u32::from_le_bytes(*word)))
    }
}
