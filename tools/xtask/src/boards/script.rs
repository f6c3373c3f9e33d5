//! What the firmware must say and show, from the host's runtime.

use super::machine::Heard;
use anyhow::{ensure, Context, Result};
use brownian::host::{Classes, OwnedModel};
use brownian::sound::{heard, sample, Sound};
use brownian::Guidance;
use brownian_board::demo::dither::{Dots, SIDE};
use brownian_board::demo::leds;
use brownian_board::report::Line;
use brownian_tests::draw;

/// Columns and rows of a display in colour, the rows of its image, and the colour of its text.
const COLUMNS: usize = 240;
const IMAGE_ROWS: usize = 192;
const LETTERS: u16 = 0xefbf;

/// The pixels of a row of four hexadecimal digits each.
pub fn colours(row: &str) -> Result<Vec<u16>> {
    let digits: Vec<char> = row.chars().collect();
    let pixel = |digits: &[char]| u16::from_str_radix(&digits.iter().collect::<String>(), 16);
    digits.chunks(4).map(|digits| pixel(digits).with_context(|| format!("row {row}"))).collect()
}

/// Values in [−1, 1] as red, green and blue, or as a gray, in the 16 bits of a display.
fn rgb565(values: &[f32]) -> u16 {
    let byte = |value: f32| ((f64::from(value) + 1.0) * 127.5).round().clamp(0.0, 255.0);
    let part = |value: f32, most: f64| (byte(value) * most / 255.0).round() as u16;
    let [red, green, blue] = match *values {
        [red, green, blue] => [red, green, blue],
        _ => [values.iter().sum::<f32>() / values.len() as f32; 3],
    };
    part(red, 31.0) << 11 | part(green, 63.0) << 5 | part(blue, 31.0)
}

/// Samples without the silence before and behind them.
fn trimmed(samples: &[i16]) -> &[i16] {
    let start = samples.iter().position(|sample| *sample != 0).unwrap_or(samples.len());
    let end = samples.iter().rposition(|sample| *sample != 0).map_or(start, |last| last + 1);
    &samples[start..end]
}

/// A draw as the demo names it.
#[derive(Debug, Clone, Copy)]
pub struct Draw<'a> {
    /// The seed.
    pub seed: u64,
    /// Its classes' names, or `none`.
    pub class: &'a str,
    /// The plan's name.
    pub plan: &'a str,
}

impl Draw<'_> {
    /// As the serial line has it.
    pub fn words(&self) -> String {
        format!("seed={} class={} plan={}", self.seed, self.class, self.plan)
    }

    fn on_host(&self, model: &OwnedModel) -> Result<brownian_tests::Chain> {
        let model = model.model();
        let classes = match self.class {
            "none" => Classes::None,
            names => Classes::named(names, &model).map_err(anyhow::Error::msg)?,
        };
        draw(&model, self.plan, classes.condition(0, model.class_counts(), Guidance::PLAIN), self.seed)
    }

    /// Compares the digests of the steps that `said` tells with the host's; `whole` draws tell all of them. Returns how
    /// many there were.
    pub fn compare(&self, model: &OwnedModel, said: &str, whole: bool) -> Result<usize> {
        let words = format!("draw {}", self.words());
        let (_, lines) = said.split_once(&words).with_context(|| format!("'{words}' was not said:\n{said}"))?;
        let expected = self.on_host(model)?.digests;
        let mut found = 0;
        for line in lines.lines().skip(1).take_while(|line| !line.starts_with("draw ")) {
            let Some(Line::Step { step, digest, .. }) = Line::parse(line) else { continue };
            ensure!(step as usize == found + 1, "{words}: step {step} after step {found}");
            let host = expected.get(found).with_context(|| format!("{words}: step {step} of {}", expected.len()))?;
            ensure!(digest == *host, "{words}: step {step} has digest {digest:08x}, the host's is {host:08x}");
            found += 1;
        }
        ensure!(found > 0 && (!whole || found == expected.len()), "{words}: {found} of {} steps", expected.len());
        Ok(found)
    }

    /// Compares the picture within `side` dots with the host's: on LEDs, level by level, and in `said` as text.
    pub fn compare_leds(&self, model: &OwnedModel, side: usize, rows: &[String], said: &str) -> Result<()> {
        let dots = Dots::within(side, self.on_host(model)?.sample.into_iter(), model.model().shape());
        let levels =
            leds::levels(&dots).map(|row| row.map(|level| char::from(b'0' + level)).iter().collect::<String>());
        ensure!(rows == levels, "{}: the LEDs show {rows:?}, the host {levels:?}", self.words());
        let text: String = leds::lines(&dots).map(|line| format!("{line}\r\n")).collect();
        ensure!(said.contains(&text), "{}: the picture was not said:\n{text}", self.words());
        Ok(())
    }

    /// Compares the image on a display in colour with the host's, pixel by pixel.
    pub fn compare_colour(&self, model: &OwnedModel, rows: &[String]) -> Result<()> {
        let [height, width, channels] = model.model().shape();
        let sample = self.on_host(model)?.sample;
        let zoom = (COLUMNS / width).min(IMAGE_ROWS / height);
        let [left, top] = [(COLUMNS - width * zoom) / 2, (IMAGE_ROWS - height * zoom) / 2];
        for (y, row) in rows.iter().enumerate().take(IMAGE_ROWS) {
            for (x, shown) in colours(row)?.into_iter().enumerate() {
                let is_inside = (left..left + width * zoom).contains(&x) && (top..top + height * zoom).contains(&y);
                let at = || (y - top) / zoom * width + (x - left) / zoom;
                let host = if is_inside { rgb565(&sample[at() * channels..][..channels]) } else { 0 };
                let words = self.words();
                ensure!(
                    shown == host,
                    "{words}: pixel ({x}, {y}) of the display is {shown:04x}, the host's {host:04x}"
                );
            }
        }
        let text = rows[IMAGE_ROWS.min(rows.len())..].iter().map(|row| colours(row)).collect::<Result<Vec<_>>>()?;
        let text = text.concat().into_iter().filter(|&pixel| pixel == LETTERS).count();
        ensure!(rows.len() == COLUMNS && text > 300, "the display shows no text: {text} pixels");
        Ok(())
    }

    /// Compares what an amplifier has heard with the host's samples, one by one, and when they came; of a sound that was
    /// ended early what there is of it. Silence before and behind does not count. Returns how many there were.
    pub fn compare_sound(&self, model: &OwnedModel, found: &Heard, whole: bool) -> Result<usize> {
        let words = self.words();
        let sound = Sound::of(&model.model()).context("the model draws no sound")?;
        let values = self.on_host(model)?.sample;
        let values = || heard(values.iter().copied(), model.model().shape()[2]);
        let gain = sound.gain(values());
        let expected: Vec<i16> = values().map(|value| sample(value, gain)).collect();
        ensure!(found.frames.iter().all(|[left, right]| left == right), "{words}: left is not what right is");
        let left: Vec<i16> = found.frames.iter().map(|[left, _]| *left).collect();
        let [expected, left] = [trimmed(&expected), trimmed(&left)];
        ensure!(!left.is_empty(), "{words}: nothing was heard");
        for (index, (found, host)) in left.iter().zip(expected).enumerate() {
            ensure!(found == host, "{words}: sample {index} is {found}, the host's {host}");
        }
        let is_right = if whole { left.len() == expected.len() } else { left.len() < expected.len() };
        ensure!(is_right, "{words}: {} samples were heard, the host has {}", left.len(), expected.len());
        let (mean, longest, wanted) = (found.mean, found.longest, 1e6 / f64::from(sound.rate));
        let is_in_time = (mean - wanted).abs() < wanted * 0.01 && longest < wanted * 1.5;
        ensure!(is_in_time, "{words}: a sample took {mean} us, {longest} at most, instead of {wanted}");
        Ok(left.len())
    }

    /// Compares the image on the display with the host's, dot by dot.
    pub fn compare_display(&self, model: &OwnedModel, rows: &[String]) -> Result<()> {
        let shape = model.model().shape();
        let dots = Dots::of_image(self.on_host(model)?.sample.into_iter(), shape);
        let corner = [dots.width(), dots.height()].map(|side| (SIDE - side) / 2);
        for (y, row) in rows.iter().enumerate() {
            for (x, dot) in row.chars().take(SIDE).enumerate() {
                let host = x.checked_sub(corner[0]).zip(y.checked_sub(corner[1]));
                let host = host.is_some_and(|(x, y)| dots.is_light(x, y));
                ensure!((dot == '#') == host, "{}: dot ({x}, {y}) of the display differs", self.words());
            }
        }
        let text = rows.iter().flat_map(|row| row.chars().skip(SIDE)).filter(|&dot| dot == '#').count();
        ensure!(rows.len() == 64 && text > 300, "the display shows no text: {text} dots");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The right digests pass; one that differs, one that is missing and another draw's are named.
    #[test]
    fn a_digest_that_differs_is_named() {
        let model = OwnedModel::read(brownian_tests::shipped_model("digits28-nano")).unwrap();
        let draw = Draw { seed: 7, class: "3", plan: "fast5" };
        let digests = draw.on_host(&model).unwrap().digests;
        let mut said = format!("display answers\ndraw {}\n", draw.words());
        for (step, digest) in digests.iter().enumerate() {
            said += &Line::Step { step: step as u32 + 1, digest: *digest, ticks: 9 }.to_string();
            said += "\r\n";
        }
        assert_eq!(draw.compare(&model, &said, true).unwrap(), 5);
        assert_eq!(draw.compare(&model, &format!("{said}draw seed=8\nstep 1 digest 0 ticks 1"), true).unwrap(), 5);
        let wrong = said.replace(&format!("{:08x}", digests[2]), "00000000");
        assert!(draw.compare(&model, &wrong, true).unwrap_err().to_string().contains("step 3 has digest 00000000"));
        let short = said.split("step 4").next().unwrap();
        assert!(draw.compare(&model, short, true).unwrap_err().to_string().contains("3 of 5 steps"));
        assert_eq!(draw.compare(&model, short, false).unwrap(), 3);
        let other = Draw { seed: 8, ..draw };
        assert!(other.compare(&model, &said, true).unwrap_err().to_string().contains("was not said"));
    }

    /// A LED of another level is named, and so is a text that is missing.
    #[test]
    fn a_led_that_differs_is_named() {
        let model = OwnedModel::read(brownian_tests::shipped_model("digits28-nano")).unwrap();
        let draw = Draw { seed: 7, class: "3", plan: "fast5" };
        let dots = Dots::of_image(draw.on_host(&model).unwrap().sample.into_iter(), [28, 28, 1]);
        let said: String = leds::lines(&dots).map(|line| format!("{line}\r\n")).collect();
        let mut rows: Vec<String> =
            leds::levels(&dots).iter().map(|row| row.iter().map(u8::to_string).collect()).collect();
        assert!(rows.concat().contains('7'), "{rows:?}");
        draw.compare_leds(&model, SIDE, &rows, &said).unwrap();
        assert!(draw.compare_leds(&model, SIDE, &rows, &said[1..]).unwrap_err().to_string().contains("was not said"));
        rows[4] = "9".repeat(5);
        assert!(draw.compare_leds(&model, SIDE, &rows, &said).unwrap_err().to_string().contains("\"99999\""));
    }

    /// The host's samples pass, with silence around them; another one, silence alone, a cut, another rate, a gap and unequal
    /// sides are named.
    #[test]
    fn a_sample_that_differs_is_named() {
        let model = OwnedModel::read(brownian_tests::root().join("tests/models/sound.brn")).unwrap();
        let draw = Draw { seed: 7, class: "3+theo", plan: "fast3" };
        let values = draw.on_host(&model).unwrap().sample;
        let sound = Sound::of(&model.model()).unwrap();
        let gain = sound.gain(values.iter().copied());
        let silence = [[0; 2]; 9];
        let frames: Vec<[i16; 2]> = values.iter().map(|value| [sample(*value, gain); 2]).collect();
        let right = Heard { frames: [&silence[..], &frames, &silence].concat(), mean: 125.0, longest: 126.0 };
        assert!(draw.compare_sound(&model, &right, true).unwrap() > 1000);
        let refused = |found: &Heard, whole| draw.compare_sound(&model, found, whole).unwrap_err().to_string();
        assert!(refused(&right, false).contains("were heard, the host has"));
        let half = Heard { frames: frames[..500].to_vec(), ..right };
        assert!(draw.compare_sound(&model, &half, false).is_ok() && refused(&half, true).contains("were heard"));
        assert!(refused(&Heard { frames: silence.to_vec(), ..half }, true).contains("nothing was heard"));
        let at = frames.iter().position(|frame| frame[0] != 0).unwrap() + 100;
        let mut wrong = frames.clone();
        wrong[at] = [frames[at][0] ^ 1; 2];
        assert!(refused(&Heard { frames: wrong.clone(), ..half }, true).contains("sample 100 is "));
        wrong[at] = [frames[at][0], frames[at][0] ^ 1];
        assert!(refused(&Heard { frames: wrong, ..half }, true).contains("left is not"));
        let timed = |mean, longest| Heard { frames: frames.clone(), mean, longest };
        assert!(
            refused(&timed(127.0, 127.0), true).contains("127 us")
                && refused(&timed(125.0, 250.0), true).contains("250 at most")
        );
        assert!(draw.compare_sound(&model, &timed(125.5, 130.0), true).is_ok());
    }

    /// A dot too many is named.
    #[test]
    fn a_dot_that_differs_is_named() {
        let model = OwnedModel::read(brownian_tests::shipped_model("digits28-nano")).unwrap();
        let draw = Draw { seed: 7, class: "3", plan: "fast5" };
        let dots = Dots::of_image(draw.on_host(&model).unwrap().sample.into_iter(), [28, 28, 1]);
        let dot = |x: usize, y: usize| x >= 64 || (x >= 4 && y >= 4 && dots.is_light(x - 4, y - 4));
        let row = |y| (0..128).map(|x| if dot(x, y) { '#' } else { '.' }).collect::<String>();
        let mut rows: Vec<String> = (0..64).map(row).collect();
        draw.compare_display(&model, &rows).unwrap();
        rows[0].replace_range(0..1, "#");
        assert!(draw.compare_display(&model, &rows).unwrap_err().to_string().contains("dot (0, 0)"));
    }

    /// A pixel of another colour is named, in a colour image and in a gray one.
    #[test]
    fn a_pixel_that_differs_is_named() {
        for (name, class, zoom, left) in [("faces16", "glasses+long+happy", 12, 24), ("digits28-nano", "3", 6, 36)] {
            let model = OwnedModel::read(brownian_tests::shipped_model(name)).unwrap();
            let draw = Draw { seed: 7, class, plan: "fast5" };
            let [_, width, channels] = model.model().shape();
            let sample = draw.on_host(&model).unwrap().sample;
            let pixels: Vec<u16> = sample.chunks(channels).map(rgb565).collect();
            let top = (192 - width * zoom) / 2;
            let pixel = |x: usize, y: usize| match (x.checked_sub(left), y.checked_sub(top)) {
                _ if y >= 192 => LETTERS,
                (Some(x), Some(y)) if x < width * zoom && y < width * zoom => pixels[y / zoom * width + x / zoom],
                _ => 0,
            };
            let row = |y| (0..240).map(|x| format!("{:04x}", pixel(x, y))).collect::<String>();
            let mut rows: Vec<String> = (0..240).map(row).collect();
            assert!(pixels.iter().any(|&pixel| pixel != pixels[0]));
            draw.compare_colour(&model, &rows).unwrap();
            let [wrong, outside] = [rows[100].clone(), rows[0].clone()];
            rows[100].replace_range(400..404, "1234");
            assert!(draw.compare_colour(&model, &rows).unwrap_err().to_string().contains("pixel (100, 100) of"));
            rows[100] = wrong;
            rows[0].replace_range(0..4, "0001");
            assert!(draw.compare_colour(&model, &rows).unwrap_err().to_string().contains("pixel (0, 0) of"));
            rows[0] = outside;
            rows[192..].fill("0000".repeat(240));
            assert!(draw.compare_colour(&model, &rows).unwrap_err().to_string().contains("no text"));
        }
    }

    /// -1, 0 and 1 in 5, 6 and 5 bits.
    #[test]
    fn values_become_colours() {
        assert_eq!(rgb565(&[1.0, 0.0, -1.0]), 31 << 11 | 32 << 5);
        assert_eq!([rgb565(&[0.0]), rgb565(&[7.0])], [16 << 11 | 32 << 5 | 16, 0xffff]);
    }
}
