//! Images that `trainer sample` starts from or keeps.
use crate::data::{self, Dataset};
use crate::graph::Shape;
use crate::report::note::note;
use crate::{Error, Result};
use brownian::Keeping;
use clap::Args;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The arguments for image-to-image and inpainting.
#[derive(Debug, Args)]
pub struct EditArguments {
    /// Image-to-image: start from this picture of the model's size, or from the images of a data set (`.npy`,
    /// IDX, a folder of pictures, `digits`); image i of the batch takes number i modulo their count.
    #[arg(long, value_name = "PICTURE|DATA", requires = "start")]
    from: Option<String>,
    /// The first step of image-to-image, counted from 0, or the share of the steps to skip, such as 0.4: the later,
    /// the more of the image stays.
    #[arg(long, value_name = "STEP|SHARE", requires = "from")]
    start: Option<Start>,
    /// Inpainting: a picture of the model's size; what is white is drawn, what is black is kept from `--image`.
    #[arg(long, value_name = "MASK", requires = "image")]
    inpaint: Option<PathBuf>,
    /// The image that inpainting keeps parts of: a picture, or the images of a data set as for `--from`.
    #[arg(long, value_name = "PICTURE|DATA", requires = "inpaint")]
    image: Option<String>,
    /// How inpainting keeps what it keeps: `replace` puts the pixels back after every step; `multiply` multiplies the
    /// distribution of every step by their likelihood, with a plan whose steps add noise; `multiply:NOISE` takes them to
    /// have Gaussian noise of that standard deviation, in [-1, 1], which the draw takes off: a mask that is black all over
    /// then denoises a whole image.
    #[arg(long, value_name = "replace|multiply|multiply:NOISE", requires = "inpaint", default_value = "replace")]
    keep: Keep,
}

/// How inpainting keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Keep(Keeping);

impl FromStr for Keep {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let noise = match text {
            "replace" => return Ok(Self(Keeping::Replace)),
            "multiply" => return Ok(Self(Keeping::Multiply(0.0))),
            _ => text.strip_prefix("multiply:").and_then(|noise| noise.parse().ok()),
        };
        match noise.filter(|noise: &f32| (0.0..=10.0).contains(noise)) {
            Some(noise) => Ok(Self(Keeping::Multiply(noise))),
            None => Err("give replace, multiply, or multiply:NOISE with a standard deviation from 0 to 10".into()),
        }
    }
}

impl std::fmt::Display for Keep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Keeping::Multiply(noise) => write!(f, "multiply:{noise}"),
            _ => f.write_str("replace"),
        }
    }
}

/// Where image-to-image starts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Start {
    Step(usize),
    Share(f64),
}

impl FromStr for Start {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match (text.parse(), text.parse::<f64>()) {
            (Ok(step), _) => Ok(Self::Step(step)),
            (_, Ok(share)) if (0.0..1.0).contains(&share) => Ok(Self::Share(share)),
            _ => Err("give the number of a step, or a share from 0 to below 1".into()),
        }
    }
}

impl Start {
    /// The step's number in a plan of `steps`.
    fn step(self, steps: usize) -> Result<usize> {
        let step = match self {
            Self::Step(step) => step,
            Self::Share(share) => ((share * steps as f64).round() as usize).min(steps - 1),
        };
        if step >= steps {
            return Err(Error::Usage(format!("--start {step}: the plan has {steps} steps, numbered from 0")));
        }
        Ok(step)
    }
}

/// The images, read.
#[derive(Debug, Default)]
pub struct EditImages {
    from: Option<(Vec<f32>, usize)>,
    known: Option<(Vec<f32>, Vec<u8>)>,
    keep: Keep,
}

impl EditImages {
    /// As chains take them.
    pub fn as_edit(&self) -> crate::chain::Edit<'_> {
        crate::chain::Edit {
            from: self.from.as_ref().map(|(images, step)| (&images[..], *step)),
            known: self.known.as_ref().map(|(images, mask)| (&images[..], &mask[..])),
            keeping: self.keep.0,
            locals: &[],
        }
    }
}

impl EditArguments {
    /// The files and folders that are read.
    pub fn paths(&self) -> Vec<&Path> {
        let data = [&self.from, &self.image].map(|data| data.as_deref().map(Path::new));
        data.into_iter().chain([self.inpaint.as_deref()]).flatten().collect()
    }

    /// Reads what is named, for samples of `shape` and a plan of `steps`.
    ///
    /// # Errors
    /// Files that cannot be read or have another size, or a step that the plan does not have.
    pub fn read(&self, shape: [usize; 3], steps: usize) -> Result<EditImages> {
        let from = match (&self.from, self.start) {
            (Some(source), Some(start)) => Some((images(source, shape)?, start.step(steps)?)),
            _ => None,
        };
        let known = match (&self.inpaint, &self.image) {
            (Some(path), Some(source)) => {
                // What is known with noise is drawn too.
                let all = matches!(self.keep.0, Keeping::Multiply(noise) if noise > 0.0);
                Some((images(source, shape)?, mask(path, shape, all)?))
            }
            _ => None,
        };
        Ok(EditImages { from, known, keep: self.keep })
    }
}

/// The images of a picture or a data set.
fn images(source: &str, shape: [usize; 3]) -> Result<Vec<f32>> {
    let path = Path::new(source);
    let (found, values) = if path.is_file() && data::is_picture(path) {
        let (found, values) = data::one_picture(path)?;
        match (found.channels, shape[2]) {
            (1, 3) => (Shape { channels: 3, ..found }, values.iter().flat_map(|value| [*value; 3]).collect()),
            // A gray picture that is stored as colours.
            (3, 1) if values.chunks(3).all(|pixel| pixel.iter().all(|value| *value == pixel[0])) => {
                (Shape { channels: 1, ..found }, values.into_iter().step_by(3).collect())
            }
            _ => (found, values),
        }
    } else if let Some((values, doubt)) = drawn(path, shape)? {
        doubt.iter().for_each(note);
        return Ok(values);
    } else {
        let set = Dataset::open(source)?;
        (set.shape, set.images.to_vec())
    };
    if [found.height, found.width, found.channels] != shape {
        return Err(Error::file(path, format!("is {found}, the model draws {}x{}x{}", shape[0], shape[1], shape[2])));
    }
    Ok(values)
}

/// The values of an array that `--npy` wrote, and a doubt about them.
fn drawn(path: &Path, [height, width, channels]: [usize; 3]) -> Result<Option<(Vec<f32>, Option<String>)>> {
    match path.is_file() {
        true => data::drawn(path, Shape::new(height, width, channels)),
        false => Ok(None),
    }
}

/// The bits of what is kept: the pixels that are not white.
fn mask(path: &Path, [height, width, _]: [usize; 3], may_be_all: bool) -> Result<Vec<u8>> {
    let (found, values) = data::one_picture(path)?;
    if [found.height, found.width] != [height, width] {
        return Err(Error::file(path, format!("is {found}, the model draws {height}x{width}")));
    }
    let mut bits = vec![0; brownian::mask_len(height * width)];
    let mut kept = 0;
    for (i, pixel) in values.chunks(found.channels).enumerate() {
        if pixel.iter().sum::<f32>() < 0.0 {
            bits[i / 8] |= 1 << (i % 8);
            kept += 1;
        }
    }
    if kept == height * width && !may_be_all {
        return Err(Error::file(path, "is black all over: nothing would be drawn; make white what is to be drawn"));
    }
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_of_keeping_have_names() {
        for (text, keeping) in [
            ("replace", Keeping::Replace),
            ("multiply:0", Keeping::Multiply(0.0)),
            ("multiply:0.5", Keeping::Multiply(0.5)),
        ] {
            assert_eq!(
                (text.parse::<Keep>().unwrap().0, &text.parse::<Keep>().unwrap().to_string()[..]),
                (keeping, text)
            );
        }
        assert_eq!("multiply".parse::<Keep>().unwrap().0, Keeping::Multiply(0.0));
        for text in ["add", "multiply:", "multiply:-1", "multiply:11", "multiply:NaN"] {
            assert!(text.parse::<Keep>().unwrap_err().contains("from 0 to 10"), "{text}");
        }
    }

    #[test]
    fn a_start_is_a_step_or_a_share() {
        let step = |text: &str, steps| text.parse::<Start>().unwrap().step(steps);
        assert_eq!(step("3", 10).unwrap(), 3);
        assert_eq!(step("0.4", 10).unwrap(), 4);
        assert_eq!(step("0.99", 5).unwrap(), 4);
        assert_eq!(step("0", 5).unwrap(), 0);
        assert!(step("5", 5).unwrap_err().to_string().contains("numbered from 0"));
        for text in ["1.0", "-1", "x", "NaN", ""] {
            assert!(text.parse::<Start>().is_err(), "{text}");
        }
    }
}
