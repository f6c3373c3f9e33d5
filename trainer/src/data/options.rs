//! How data are read: the options that every command shares, as a run keeps them.
use super::class_pattern::ClassPattern;
use super::sound::SoundOptions;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Display};
use std::str::FromStr;

/// How data are read. What is not given is found out, or left as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Scale the images to this size: `32`, or width and height, `24x16`.
    #[arg(long, value_name = "SIZE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// What `--size` does with images of another shape: cut off what sticks out, add a border of `--background`, or
    /// distort [default: crop]
    #[arg(long, requires = "size")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fit: Option<Fit>,
    /// Make all images gray or RGB [default: keep; gray ones among colours become RGB]
    #[arg(long, alias = "color", value_name = "COLOUR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colour: Option<Colour>,
    /// What lies behind transparent pixels, and the border of `--fit pad`: `black`, `white` or `#rrggbb` [default:
    /// white, for the border black]
    #[arg(long, value_name = "COLOUR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<Background>,
    /// The values of an array that become black and white, such as `0..1`; what lies outside is clipped [default:
    /// 0..255 of integers, -1..1 of floats]
    #[arg(long, value_name = "LOW..HIGH", allow_hyphen_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// The order of an array's axes, where n counts images [default: found out, or asked for]
    #[arg(long, value_name = "AXES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// The name of the array of images in an .npz file that has several.
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub array: Option<String>,
    /// Where the classes are: a file beside the data, an array's name in an .npz file, or `none` [default: found out]
    #[arg(long, value_name = "FILE|NAME|none")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
    /// The columns of `labels.csv` that are label axes, separated by commas [default: all but the file's name]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub axes: Vec<String>,
    /// Classes in the names of a folder's files: `{class}_{speaker}_*` makes two axes of `7_jackson_32.wav`.
    #[arg(long, value_name = "PATTERN")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_pattern: Option<ClassPattern>,
    /// Leave out files that are broken or no images, instead of stopping.
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub skip_broken: bool,
    /// Neither use nor write the cache of decoded folders.
    #[arg(long)]
    #[serde(skip)]
    pub no_cache: bool,
    /// How recordings are read.
    #[command(flatten)]
    #[serde(skip_serializing_if = "SoundOptions::is_usual")]
    pub sound: SoundOptions,
}

impl Options {
    /// Whether everything is as it is without options; `--no-cache` changes nothing of what is read.
    pub fn is_usual(&self) -> bool {
        Self { no_cache: false, ..self.clone() } == Self::default()
    }

    /// What is given, as it is written on a command line; empty where nothing is.
    pub fn arguments(&self) -> String {
        let words = toml::Table::try_from(self).map(|table| words_of(&table)).unwrap_or_default();
        words.join(" ")
    }

    /// Refuses the options of sound for `what`, which is none.
    ///
    /// # Errors
    /// The first of them that was given.
    pub fn refuse_sound(&self, what: &str) -> crate::Result<()> {
        match self.sound.given() {
            Some(name) => Err(crate::Error::Usage(format!("{name} is of recordings and means nothing for {what}"))),
            None => Ok(()),
        }
    }

    /// Refuses options that mean nothing for `what`, of those called `names`.
    ///
    /// # Errors
    /// The first of them that was given.
    pub fn refuse(&self, names: &[&str], what: &str) -> crate::Result<()> {
        match self.all_given().find(|name| names.contains(name)) {
            Some(name) => Err(crate::Error::Usage(format!("{name} means nothing for {what}"))),
            None => Ok(()),
        }
    }

    /// The first option that is given, as it is called on the command line.
    pub fn given(&self) -> Option<&'static str> {
        self.all_given().next().or(self.sound.given())
    }

    /// The options that are given, but those of sound.
    fn all_given(&self) -> impl Iterator<Item = &'static str> {
        let given = [
            ("--layout", self.layout.is_some()),
            ("--array", self.array.is_some()),
            ("--range", self.range.is_some()),
            ("--labels", self.labels.is_some()),
            ("--axes", !self.axes.is_empty()),
            ("--skip-broken", self.skip_broken),
            ("--background", self.background.is_some()),
            ("--size", self.size.is_some()),
            ("--fit", self.fit.is_some()),
            ("--colour", self.colour.is_some()),
            ("--class-pattern", self.class_pattern.is_some()),
            ("--no-cache", self.no_cache),
        ];
        given.into_iter().filter_map(|(name, given)| given.then_some(name))
    }

    /// What was asked for here, and for the rest `earlier`: for a command that continues a run.
    pub fn or(&self, earlier: &Self) -> Self {
        Self {
            size: self.size.or(earlier.size),
            fit: self.fit.or(earlier.fit),
            colour: self.colour.or(earlier.colour),
            background: self.background.or(earlier.background),
            range: self.range.or(earlier.range),
            layout: self.layout.or(earlier.layout),
            array: self.array.clone().or_else(|| earlier.array.clone()),
            labels: self.labels.clone().or_else(|| earlier.labels.clone()),
            axes: if self.axes.is_empty() { earlier.axes.clone() } else { self.axes.clone() },
            class_pattern: self.class_pattern.clone().or_else(|| earlier.class_pattern.clone()),
            skip_broken: self.skip_broken || earlier.skip_broken,
            no_cache: self.no_cache,
            sound: self.sound.or(&earlier.sound),
        }
    }
}

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Size {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

/// Most pixels a side of a [`Size`].
const MAX_SIDE: u32 = 4096;

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let side = |text: &str| text.parse().ok().filter(|side| (1..=MAX_SIDE).contains(side));
        let (width, height) = text.split_once(['x', '×']).unwrap_or((text, text));
        match (side(width), side(height)) {
            (Some(width), Some(height)) => Ok(Self { width, height }),
            _ => Err(format!("give one side, 32, or width and height, 24x16; each from 1 to {MAX_SIDE}")),
        }
    }
}

impl Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// What becomes of an image whose sides are not in the proportion that is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// The middle of it is kept.
    #[default]
    Crop,
    /// It gets a border.
    Pad,
    /// It is distorted.
    Stretch,
}

/// The channels that images get.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Colour {
    /// One channel, the luma of ITU-R BT.709.
    Gray,
    /// Three channels.
    Rgb,
    /// One where all images are gray, else three.
    #[default]
    Keep,
}

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Background(pub [u8; 3]);

impl Background {
    /// Black.
    pub const BLACK: Self = Self([0; 3]);
    /// White.
    pub const WHITE: Self = Self([255; 3]);
}

impl FromStr for Background {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "black" => return Ok(Self::BLACK),
            "white" => return Ok(Self::WHITE),
            _ => {}
        }
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii());
        let byte = |i: usize| digits.and_then(|digits| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).ok());
        match (byte(0), byte(1), byte(2)) {
            (Some(red), Some(green), Some(blue)) => Ok(Self([red, green, blue])),
            _ => Err("give black, white or a colour such as #3060ff".into()),
        }
    }
}

impl Display for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::BLACK => f.write_str("black"),
            Self::WHITE => f.write_str("white"),
            Self([red, green, blue]) => write!(f, "#{red:02x}{green:02x}{blue:02x}"),
        }
    }
}

/// The values that become −1 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Becomes −1.
    pub low: f64,
    /// Becomes 1.
    pub high: f64,
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|v| v.is_finite());
        let ends = text.split_once("..").and_then(|(low, high)| Some((number(low)?, number(high)?)));
        match ends {
            Some((low, high)) if low < high => Ok(Self { low, high }),
            _ => Err("give two numbers, the lower first: 0..1".into()),
        }
    }
}

impl Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.low, self.high)
    }
}

/// The order of an array's axes: n counts images, h rows, w columns, c channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Gray images.
    Nhw,
    /// Channels last, as TensorFlow and image files have it.
    Nhwc,
    /// Channels first, as PyTorch has it.
    Nchw,
    /// Gray images, counted by the last axis.
    Hwn,
    /// Images counted by the last axis, as in files of MATLAB.
    Hwcn,
    /// One image.
    Hwc,
}

/// The options in a table, whose keys are their names.
fn words_of(table: &toml::Table) -> Vec<String> {
    let word = |value: &toml::Value| match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(values) => values.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    };
    let quoted = |word: String| match word.chars().all(|c| c.is_alphanumeric() || "-_.,/:=+".contains(c)) {
        true => word,
        false => format!("'{word}'"),
    };
    let words = table.iter().flat_map(|(key, value)| match value {
        toml::Value::Table(inner) => words_of(inner),
        toml::Value::Boolean(true) => vec![format!("--{}", key.replace('_', "-"))],
        value => vec![format!("--{} {}", key.replace('_', "-"), quoted(word(value)))],
    });
    words.collect()
}

/// What is written in a run as it is on the command line.
macro_rules! serde_as_text {
    ($($kind:ty),*) => {$(
        impl Serialize for $kind {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

pub(super) use serde_as_text;

serde_as_text!(Size, Background, Range, ClassPattern);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_they_are_written() {
        for (text, size) in [("32", [32, 32]), ("24x16", [24, 16]), ("1x4096", [1, 4096])] {
            let found: Size = text.parse().unwrap();
            assert_eq!([found.width, found.height], size);
            assert_eq!(found.to_string().parse(), Ok(found));
        }
        for wrong in ["", "0", "x", "4x", "4097", "-1", "3x3x3", "1e3"] {
            assert!(wrong.parse::<Size>().unwrap_err().contains("24x16"), "{wrong}");
        }
        for (text, colour) in [("black", [0, 0, 0]), ("white", [255; 3]), ("#10A0ff", [16, 160, 255])] {
            let found: Background = text.parse().unwrap();
            assert_eq!(found, Background(colour));
            assert_eq!(found.to_string().parse(), Ok(found));
        }
        for wrong in ["red", "#12345", "#12345g", "#1234567", "#ääx"] {
            assert!(wrong.parse::<Background>().is_err(), "{wrong}");
        }
        for (text, ends) in [("0..1", [0.0, 1.0]), ("-1..1.5", [-1.0, 1.5]), ("0..65535", [0.0, 65535.0])] {
            let found: Range = text.parse().unwrap();
            assert_eq!([found.low, found.high], ends);
            assert_eq!(found.to_string().parse(), Ok(found));
        }
        for wrong in ["1", "1..0", "0..0", "a..b", "0..inf", "NaN..1", ".."] {
            assert!(wrong.parse::<Range>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_run_keeps_what_was_chosen() {
        let options = Options {
            size: Some(Size { width: 24, height: 16 }),
            fit: Some(Fit::Pad),
            colour: Some(Colour::Gray),
            background: Some(Background([1, 2, 3])),
            range: Some(Range { low: 0.0, high: 1.0 }),
            layout: Some(Layout::Nchw),
            axes: vec!["hair".into()],
            skip_broken: true,
            ..Options::default()
        };
        let text = toml::to_string(&options).unwrap();
        assert!(text.contains("size = \"24x16\"") && text.contains("background = \"#010203\""), "{text}");
        assert_eq!(toml::from_str::<Options>(&text).unwrap(), options);
        assert_eq!(toml::to_string(&Options { no_cache: true, ..Options::default() }).unwrap(), "");
        assert!(Options { no_cache: true, ..Options::default() }.is_usual() && !options.is_usual());
        assert_eq!(Options::default().or(&options), options);
        let gray = Options { colour: Some(Colour::Rgb), ..Options::default() };
        assert_eq!(gray.or(&options).colour, Some(Colour::Rgb));
        assert_eq!(options.or(&gray), options);
    }
}
