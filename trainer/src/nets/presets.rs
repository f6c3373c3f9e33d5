//! The networks that have a name. Those named by purpose fit themselves to the images.
use super::diffwave::{DiffWave, Local};
use super::parts::{ConditioningSpec, NormName};
use super::perceptron::Perceptron;
use super::spec::Spec;
use super::unet::{Join, UNet};
use super::variation::Variation;
use crate::graph::{Graph, Shape};
use crate::{Error, Result};

/// A network by purpose: as good as fits a size of chip.
#[derive(Debug)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// What it is for, for help texts.
    pub purpose: &'static str,
    /// Most weights and biases on the chip.
    pub most_weights: usize,
    /// Most positions behind the patches.
    positions: usize,
    /// Channels of two, three and four levels.
    channels: [&'static [usize]; 3],
    /// How two and three levels are joined; four are by addition.
    join: [Join; 2],
    /// Width and blocks for vectors.
    dense: (usize, usize),
}

/// The presets by purpose, smallest first.
pub const PRESETS: [Preset; 3] = [
    Preset {
        name: "nano",
        purpose: "chips with 24 KB of memory: at most 30,000 weights",
        most_weights: 30_000,
        positions: 256,
        channels: [&[12, 24], &[8, 12, 20], &[12, 16, 24, 32]],
        join: [Join::Add, Join::Add],
        dense: (64, 3),
    },
    Preset {
        name: "small",
        purpose: "the usual network: at most 120,000 weights",
        most_weights: 120_000,
        positions: 256,
        channels: [&[20, 48], &[20, 28, 40], &[24, 32, 48, 64]],
        join: [Join::Concat, Join::Add],
        dense: (128, 3),
    },
    Preset {
        name: "medium",
        purpose: "chips with megabytes: at most 400,000 weights",
        most_weights: 400_000,
        positions: 576,
        channels: [&[36, 88], &[32, 48, 76], &[40, 56, 84, 116]],
        join: [Join::Concat, Join::Add],
        dense: (256, 3),
    },
];

/// Names of earlier versions, each with the preset and the images that it stands for.
const ALIASES: [(&str, &str, Shape); 2] =
    [("digits28", "small", Shape::new(28, 28, 1)), ("digits28-nano", "nano", Shape::new(28, 28, 1))];

/// Every preset's name, in the order of the help text; those behind the third one do not fit themselves.
pub const NAMES: [&str; 10] =
    ["nano", "small", "medium", "speech", "speech-half", "diffwave", "vocoder", "tiny", "digits28", "digits28-nano"];

/// Longest side of the lowest level of a network that fits itself.
const LOWEST: usize = 7;

/// Checks a preset's name.
///
/// # Errors
/// An unknown name (usage).
pub fn check_name(name: &str) -> Result<()> {
    match NAMES.contains(&name) {
        true => Ok(()),
        false => Err(Error::Usage(format!("there is no preset {name:?}; choose one of {}", NAMES.join(", ")))),
    }
}

/// The network of a preset for images of `input`.
///
/// # Errors
/// An unknown name (usage), or images that no network takes.
pub fn preset(name: &str, input: Shape) -> Result<Spec> {
    check_name(name)?;
    let (name, input) =
        ALIASES.iter().find(|(alias, ..)| *alias == name).map_or((name, input), |(_, name, shape)| (*name, *shape));
    match PRESETS.iter().find(|preset| preset.name == name) {
        Some(preset) => preset.fit(input),
        None if name == "tiny" => Ok(tiny()),
        None if input.height != 1 || input.width < SHORTEST => Err(Error::Invalid(format!(
            "preset {name} is for signals, 1xLENGTHxC of {SHORTEST} samples or more, such as those of --data spoken; these \
             are {input}"
        ))),
        None => Ok(sound(name)),
    }
}

/// The graph of a preset for images of `input` with `classes` classes an axis of labels (none: unlabelled).
///
/// # Errors
/// An unknown name (usage), or images that the preset cannot take.
pub fn build(name: &str, input: Shape, classes: &[usize]) -> Result<Graph> {
    preset(name, input)?.build(input, classes)
}

impl Preset {
    /// The network for images of `input`: patches and levels by their size, channels by the budget of weights.
    ///
    /// # Errors
    /// Images that hold nothing, or have so many channels that no network stays in the budget.
    pub fn fit(&self, input: Shape) -> Result<Spec> {
        let usual = match input.pixels() {
            1 => self.perceptron(),
            _ => self.unet(input),
        };
        for part in (2..=20).rev() {
            let spec = Variation { width: f64::from(part) / 20.0, ..Variation::default() }.of(&usual)?;
            if spec.build(input, &[])?.weight_count() <= self.most_weights {
                return Ok(spec);
            }
        }
        Err(Error::Invalid(format!(
            "images of {input} have too many channels for {} with at most {} weights; take a larger preset",
            self.name, self.most_weights
        )))
    }

    fn unet(&self, input: Shape) -> Spec {
        let patch = patch(input, self.positions);
        let longest = input.height.div_ceil(patch[0]).max(input.width.div_ceil(patch[1]));
        // Signals have a third of the weights a level, and are long.
        let most = if input.height == 1 || input.width == 1 { 4 } else { 3 };
        let levels = (2..most).find(|levels| longest.div_ceil(1 << (levels - 1)) <= LOWEST).unwrap_or(most);
        let mut blocks = vec![1; levels];
        blocks[levels - 1] = 2;
        Spec::UNet(UNet {
            patch,
            channels: self.channels[levels - 2].to_vec(),
            blocks,
            join: self.join.get(levels - 2).copied().unwrap_or(Join::Add),
            conditioning: CONDITIONING,
            ..plain()
        })
    }

    fn perceptron(&self) -> Spec {
        let (width, blocks) = self.dense;
        Spec::Perceptron(Perceptron { width, blocks, conditioning: CONDITIONING })
    }
}

/// The network that turns a timestep into biases; it does not run on the chip.
const CONDITIONING: ConditioningSpec = ConditioningSpec { features: 64, hidden: 128 };

/// The smallest patch behind which there are at most `positions` positions; a side of 1 is not cut.
fn patch(input: Shape, positions: usize) -> [usize; 2] {
    let of = |side: usize| [input.height, input.width].map(|whole| side.min(whole.next_power_of_two()));
    let behind = |[rows, columns]: [usize; 2]| input.height.div_ceil(rows) * input.width.div_ceil(columns);
    let sides = (0..6).map(|power| 1 << power);
    sides.map(of).find(|patch| behind(*patch) <= positions).unwrap_or(of(64))
}

/// What all U-Nets by name have in common.
fn plain() -> UNet {
    UNet {
        patch: [2, 2],
        channels: vec![4, 8],
        blocks: vec![1, 1],
        kernel: 3,
        dilations: vec![1],
        positions: 0,
        join: Join::Concat,
        norm: NormName::Batch,
        conditioning: ConditioningSpec { features: 8, hidden: 16 },
    }
}

/// Samples of the shortest signal for the presets of sound.
const SHORTEST: usize = 256;

/// The presets of sound: for signals of about half a second.
fn sound(name: &str) -> Spec {
    let channels: &[usize] = if name == "speech" { &[64, 96, 128, 160] } else { &[32, 48, 64, 80] };
    match name {
        "diffwave" => Spec::DiffWave(DiffWave {
            patch: 16,
            width: 64,
            layers: 12,
            cycle: 6,
            kernel: 3,
            positions: 3,
            norm: NormName::Batch,
            local: None,
            conditioning: CONDITIONING,
        }),
        // What it follows says where it is.
        "vocoder" => Spec::DiffWave(DiffWave {
            patch: 16,
            width: 48,
            layers: 12,
            cycle: 6,
            kernel: 3,
            positions: 0,
            norm: NormName::Batch,
            local: Some(Local { bands: 32, hop: 64 }),
            conditioning: CONDITIONING,
        }),
        _ => Spec::UNet(UNet {
            patch: [1, 16],
            channels: channels.to_vec(),
            blocks: vec![1, 1, 1, 2],
            dilations: vec![1, 2],
            positions: 3,
            conditioning: CONDITIONING,
            ..plain()
        }),
    }
}

/// A very small U-Net of two levels, for images of every size.
fn tiny() -> Spec {
    Spec::UNet(plain())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: Shape = Shape::new(28, 28, 1);

    /// Sizes that people have: every budget holds, and every network can become a model file.
    #[test]
    fn presets_fit_images_of_every_size() {
        let sides = [(1, 2), (4, 4), (7, 5), (8, 8), (16, 16), (27, 31), (28, 28), (32, 32), (48, 64), (64, 64)];
        let signals = [(1, 1), (1, 64), (1, 1000), (300, 1)];
        for (height, width) in sides.into_iter().chain(signals) {
            for channels in [1, 3] {
                let input = Shape::new(height, width, channels);
                for preset in &PRESETS {
                    let graph = preset.fit(input).and_then(|spec| spec.build(input, &[10]));
                    let graph = graph.unwrap_or_else(|e| panic!("{} {input}: {e}", preset.name));
                    assert!(graph.weight_count() <= preset.most_weights, "{} {input}", preset.name);
                    assert!(graph.weight_count() > preset.most_weights / 12, "{} {input}", preset.name);
                }
                assert_eq!(super::preset("tiny", input).unwrap(), tiny());
            }
        }
        let wide = Shape::new(28, 28, 20_000);
        assert!(PRESETS[0].fit(wide).unwrap_err().to_string().contains("too many channels"));
        assert_eq!(super::preset("huge", DIGITS).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn images_without_values_are_refused() {
        for shape in [Shape::new(0, 28, 1), Shape::new(28, 0, 1), Shape::new(1, 64, 0), Shape::new(0, 0, 0)] {
            for name in super::NAMES {
                assert!(build(name, shape, &[]).is_err(), "{name} {shape}");
            }
            assert!(tiny().build(shape, &[]).unwrap_err().to_string().contains("hold nothing"), "{shape}");
        }
    }

    #[test]
    fn presets_of_sound_have_their_size() {
        let signal = Shape::new(1, 4096, 1);
        for (name, weights, macs) in [
            ("speech", 900_000..1_050_000, 70e6..90e6),
            ("speech-half", 230_000..270_000, 18e6..24e6),
            ("diffwave", 390_000..430_000, 95e6..110e6),
            ("vocoder", 220_000..240_000, 55e6..60e6),
        ] {
            let graph = build(name, signal, &[10, 6]).unwrap();
            assert!(weights.contains(&graph.weight_count()), "{name}: {}", graph.weight_count());
            assert!(macs.contains(&(graph.macs() as f64)), "{name}: {}", graph.macs());
            let error = preset(name, DIGITS).unwrap_err().to_string();
            assert!(error.contains("is for signals") && error.contains("these are 28x28x1"), "{error}");
        }
        // Any length, also one that patches and levels do not divide.
        assert!(build("speech", Shape::new(1, 5000, 1), &[]).is_ok());
        assert!(build("diffwave", Shape::new(1, 5000, 1), &[]).is_ok());
    }

    #[test]
    fn earlier_names_are_the_presets_that_fit_the_digits() {
        for input in [DIGITS, Shape::new(16, 16, 3)] {
            assert_eq!(preset("digits28", input).unwrap(), preset("small", DIGITS).unwrap());
            assert_eq!(preset("digits28-nano", input).unwrap(), preset("nano", DIGITS).unwrap());
        }
        let Spec::UNet(nano) = preset("nano", DIGITS).unwrap() else { panic!("nano is no U-Net") };
        assert_eq!((nano.patch, nano.channels, nano.blocks, nano.join), ([2, 2], vec![12, 24], vec![1, 2], Join::Add));
    }
}
