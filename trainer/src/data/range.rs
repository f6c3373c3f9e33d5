//! From an array's numbers to values in [-1, 1].
use super::array::{Array, Kind};
use super::options::Range;
use super::pixels::Pixels;
use crate::{Error, Result};
use std::path::Path;

/// The largest byte of images that are too dark to be meant so.
const DARK: u8 = 31;
/// Share of values outside [-1, 1] that are clipped without being asked.
const CLIPPED: f64 = 0.05;
/// Percent of values outside a range that is asked for that may be clipped: of more, the range is a mistake.
const MOST_CLIPPED: f64 = 50.0;
/// How far a value may lie outside [-1, 1] by rounding.
const ROUNDING: f64 = 1e-4;

/// Refuses bytes that are all small: images of 0 and 1, or 0 to 15, would be black. Not where `asked` is given.
///
/// # Errors
/// Images whose largest byte is 1 to 31.
pub fn check_bytes(path: &Path, bytes: &[u8], asked: Option<Range>) -> Result<()> {
    let most = bytes.iter().copied().max().unwrap_or(0);
    match asked {
        None if (1..=DARK).contains(&most) => Err(Error::file(
            path,
            format!(
                "holds values 0..{most} of 255, which would be black: did you mean --range 0..{most}? --range 0..255 \
                 takes them as they are"
            ),
        )),
        _ => Ok(()),
    }
}

/// The values of an array in C's order, of `len` values an image. Notes say what was clipped.
///
/// # Errors
/// Values that are no numbers or not finite, or that do not lie where images' values do.
pub fn pixels(path: &Path, array: Array, len: usize, asked: Option<Range>, notes: &mut Vec<String>) -> Result<Pixels> {
    if !array.kind.is_number() {
        return Err(Error::file(path, "holds texts, not images"));
    }
    let bytes_as_they_are = asked.is_none_or(|range| range == BYTES);
    match array.kind {
        Kind::Uint(1) if bytes_as_they_are => {
            check_bytes(path, &array.bytes, asked)?;
            return Ok(Pixels::Bytes(array.bytes));
        }
        Kind::Bool if asked.is_none() => {
            return Ok(Pixels::Bytes(array.bytes.into_iter().map(|byte| 255 * u8::from(byte != 0)).collect()));
        }
        _ => {}
    }
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for (i, value) in array.numbers().enumerate() {
        if !value.is_finite() {
            return Err(Error::file(path, format!("image {} holds a value that is not a number", i / len.max(1))));
        }
        (least, most) = (least.min(value), most.max(value));
    }
    let outside = |range: Range| {
        let admitted = range.low - ROUNDING..=range.high + ROUNDING;
        let outside = array.numbers().filter(|v| !v.is_nan() && !admitted.contains(v)).count();
        outside as f64 / (array.bytes.len() / array.kind.size()) as f64
    };
    // Samples of plans that do not clip leave [-1, 1] a little.
    let a_little = || (-2.0..0.0).contains(&least) && most <= 2.0 && outside(SIGNED) <= CLIPPED;
    let range = match asked {
        Some(range) => range,
        None if !array.kind.is_integer() && a_little() => SIGNED,
        None => usual(path, array.kind, least, most)?,
    };
    let share = 100.0 * outside(range);
    if share > MOST_CLIPPED {
        let what = format!("{share:.2} % of the values lie outside --range {range} ({least} to {most}); give another");
        return Err(Error::file(path, what));
    }
    if share > 0.0 {
        notes.push(format!("{share:.2} % of the values lay outside {range} and were clipped ({least} to {most})"));
    }
    let steps = range.high - range.low;
    if array.kind.is_integer() && range.low.fract() == 0.0 && 255.0 % steps == 0.0 {
        let byte = |v: f64| ((v.clamp(range.low, range.high) - range.low) * (255.0 / steps)) as u8;
        return Ok(Pixels::Bytes(array.numbers().map(byte).collect()));
    }
    if range == SIGNED {
        return Ok(array.numbers().map(|v| v.clamp(-1.0, 1.0) as f32).collect());
    }
    let value = |v: f64| ((v.clamp(range.low, range.high) - range.low) / steps * 2.0 - 1.0) as f32;
    Ok(array.numbers().map(value).collect())
}

/// The values of bytes.
const BYTES: Range = Range { low: 0.0, high: 255.0 };
/// The values that networks see.
const SIGNED: Range = Range { low: -1.0, high: 1.0 };

/// The range that values from `least` to `most` have where nobody says it.
fn usual(path: &Path, kind: Kind, least: f64, most: f64) -> Result<Range> {
    let ask = |range: Range, else_range: &str| {
        Err(Error::file(path, format!("holds values {least}..{most}: did you mean --range {range}?{else_range}")))
    };
    if kind.is_integer() {
        return match (least, most) {
            (0.0.., ..=255.0) if most > f64::from(DARK) || most == 0.0 => Ok(BYTES),
            (0.0.., ..=255.0) => ask(Range { low: 0.0, high: most }, " --range 0..255 takes them as they are"),
            (0.0.., ..=65535.0) => ask(Range { low: 0.0, high: 65535.0 }, ""),
            _ => ask(Range { low: least, high: most.max(least + 1.0) }, ""),
        };
    }
    let signed = " --range -1..1 takes them as they are";
    match (least, most) {
        // All equal: nothing tells the range.
        _ if least == most && least.abs() <= 1.0 => Ok(SIGNED),
        (0.0.., ..=1.0) => ask(Range { low: 0.0, high: 1.0 }, signed),
        _ if least >= -1.0 - ROUNDING && most <= 1.0 + ROUNDING => Ok(SIGNED),
        (0.0.., ..=255.0) => ask(BYTES, ""),
        (-8.0.., ..=8.0) => ask(SIGNED, " It clips what lies outside"),
        _ => ask(Range { low: least, high: most }, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: Kind, numbers: &[f64], asked: Option<&str>) -> (Result<Pixels>, Vec<String>) {
        let bytes = numbers.iter().flat_map(|v| match kind {
            Kind::Bool | Kind::Uint(_) => vec![*v as u8],
            Kind::Int(8) => (*v as i64).to_le_bytes().to_vec(),
            Kind::Float(4) => (*v as f32).to_le_bytes().to_vec(),
            _ => v.to_le_bytes().to_vec(),
        });
        let array =
            Array { sizes: vec![numbers.len()], fortran: false, kind, big_endian: false, bytes: bytes.collect() };
        let mut notes = vec![];
        (pixels(Path::new("a.npy"), array, 2, asked.map(|text| text.parse().unwrap()), &mut notes), notes)
    }

    #[test]
    fn what_values_mean_is_known_or_asked() {
        let bytes = |v: &[u8]| Pixels::Bytes(v.to_vec());
        for (kind, numbers, asked, expected) in [
            (Kind::Bool, &[0.0, 1.0][..], None, bytes(&[0, 255])),
            (Kind::Uint(1), &[0.0, 200.0], None, bytes(&[0, 200])),
            (Kind::Uint(1), &[0.0, 1.0], Some("0..1"), bytes(&[0, 255])),
            (Kind::Uint(1), &[0.0, 15.0], Some("0..15"), bytes(&[0, 255])),
            (Kind::Uint(1), &[3.0, 1.0], Some("0..255"), bytes(&[3, 1])),
            (Kind::Int(8), &[255.0, 0.0], None, bytes(&[255, 0])),
            (Kind::Int(8), &[300.0, 100.0], Some("100..300"), Pixels::Floats(vec![1.0, -1.0])),
            (Kind::Float(4), &[-1.0, 0.5], None, Pixels::Floats(vec![-1.0, 0.5])),
            (Kind::Float(8), &[0.0, 0.5], Some("0..1"), Pixels::Floats(vec![-1.0, 0.0])),
            (Kind::Float(8), &[0.0, 0.5], Some("-1..1"), Pixels::Floats(vec![0.0, 0.5])),
        ] {
            assert_eq!(read(kind, numbers, asked).0.unwrap(), expected, "{kind:?} {numbers:?}");
        }
        for (kind, numbers, reason) in [
            (Kind::Uint(1), &[0.0, 1.0][..], "did you mean --range 0..1?"),
            (Kind::Uint(1), &[0.0, 15.0], "did you mean --range 0..15?"),
            (Kind::Int(8), &[0.0, 1.0], "did you mean --range 0..1?"),
            (Kind::Int(8), &[0.0, 40000.0], "did you mean --range 0..65535?"),
            (Kind::Int(8), &[-5.0, 900.0], "did you mean --range -5..900?"),
            (Kind::Float(4), &[0.0, 1.0], "did you mean --range 0..1?"),
            (Kind::Float(8), &[0.0, 255.0], "did you mean --range 0..255?"),
            (Kind::Float(8), &[-1.2, 1.0], "did you mean --range -1..1? It clips what lies outside"),
            (Kind::Float(8), &[0.0, 0.0, 0.0, f64::NAN], "image 1 holds a value that is not a number"),
        ] {
            let error = read(kind, numbers, None).0.unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn what_is_clipped_is_said() {
        let (pixels, notes) = read(Kind::Float(8), &[-1.5, 0.5, 1.0, 0.0], Some("-1..1"));
        assert_eq!(pixels.unwrap(), Pixels::Floats(vec![-1.0, 0.5, 1.0, 0.0]));
        assert_eq!(notes, ["25.00 % of the values lay outside -1..1 and were clipped (-1.5 to 1)"]);
        assert!(read(Kind::Float(4), &[-1.00005, 1.0], None).1.is_empty());
        // As a plan without clipping leaves them.
        let mut samples = vec![-0.5; 40];
        samples[7] = 1.25;
        let (pixels, notes) = read(Kind::Float(4), &samples, None);
        assert_eq!((pixels.unwrap().to_vec()[7], notes.len()), (1.0, 1));
        assert!(
            notes[0].contains("2.50 % of the values lay outside -1..1 and were clipped (-0.5 to 1.25)"),
            "{notes:?}"
        );
    }
}
