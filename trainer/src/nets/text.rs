//! A spec as a TOML file that says what its keys mean.
use super::spec::Spec;
use crate::Result;

/// What the keys mean; each line stands above the key's own.
const COMMENTS: [(&str, &str); 16] = [
    ("patch", "Rows and columns of the blocks of pixels that become channels in front, and pixels again at the end."),
    ("channels", "Channels of each level; every level has half the height and width of the one before."),
    ("kernel", "Side of the convolutions' kernels, odd."),
    ("dilations", "Distances between kernel taps: block i of a level takes entry i, over and over."),
    (
        "join",
        "How a level takes in what it was on the way down: \"concat\" joins the channels; \"add\" needs less memory.",
    ),
    ("norm", "\"batch\" normalisation behind the convolutions, or \"none\"."),
    (
        "positions",
        "Sines of the position, each with its cosine, an axis, that the first convolution sees too; 0 for none.",
    ),
    ("layers", "Layers, each a gate of two dilated convolutions."),
    ("cycle", "Layers over which the distance between kernel taps doubles from 1 on, over and over."),
    ("width", "Values between the layers; of \"diffwave\", channels."),
    ("[local]", "The local condition: the log-mel spectrogram of what is to be drawn; without it there is none."),
    ("bands", "Bands of a frame."),
    ("hop", "Samples from frame to frame, a multiple of the patch."),
    ("[conditioning]", "The network that turns a timestep into biases; it does not run on the chip."),
    ("features", "Sines and cosines of the timestep, even."),
    ("hidden", "Width of its hidden layers."),
];
/// What `blocks` means in a U-Net and in a perceptron.
const BLOCKS: [&str; 2] = [
    "Residual blocks of each level; all but the lowest have as many on the way down as on the way up.",
    "Residual blocks of two dense layers each.",
];

impl Spec {
    /// The spec as TOML with comments, to edit.
    ///
    /// # Errors
    /// None for a spec that [`Self::parse`] takes.
    pub fn to_commented_toml(&self) -> Result<String> {
        let mut text = String::new();
        for line in self.to_toml()?.lines() {
            let key = line.split(" =").next().unwrap_or_default();
            let comment = match (key, self) {
                ("blocks", Self::UNet(_)) => Some(BLOCKS[0]),
                ("blocks", _) => Some(BLOCKS[1]),
                ("patch", Self::DiffWave(_)) => {
                    Some("Samples that become channels in front, and samples again at the end.")
                }
                _ => COMMENTS.iter().find(|(commented, _)| *commented == key).map(|(_, comment)| *comment),
            };
            text.extend(comment.map(|comment| format!("# {comment}\n")));
            text.push_str(line);
            text.push('\n');
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Shape;
    use crate::nets::preset;

    #[test]
    fn every_key_is_explained_and_the_text_is_the_spec() {
        let signal = Shape::new(1, 4096, 1);
        let of = [
            ("small", Shape::new(28, 28, 1)),
            ("small", Shape::new(1, 1, 8)),
            ("speech", signal),
            ("diffwave", signal),
            ("vocoder", signal),
        ];
        for (name, input) in of {
            let spec = preset(name, input).unwrap();
            let text = spec.to_commented_toml().unwrap();
            assert_eq!(Spec::parse(&text).unwrap(), spec);
            let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
            for pair in lines.windows(2).filter(|pair| !pair[1].starts_with('#')) {
                assert!(pair[0].starts_with('#'), "{} is not explained", pair[1]);
            }
        }
    }
}
