//! Pictures of displays in the pages: what the models of the boards show must be what the pages show.

use super::list::Display;
use super::picture::{HEIGHT, ZOOM};
use crate::firmware::root;
use anyhow::{bail, ensure, Context, Result};
use std::fs::File;
use std::io::BufReader;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A captured display, and the picture of it in the pages.
#[derive(Debug)]
pub struct Pair {
    /// What the model of the board has shown.
    pub captured: PathBuf,
    /// The file in the pages.
    pub page: PathBuf,
}

/// A picture's pixels, in red, green and blue.
#[derive(Debug, PartialEq, Eq)]
struct Pixels {
    width: usize,
    bytes: Vec<u8>,
}

impl Pair {
    /// Of a captured display and the picture `docs/pictures/NAME-display.png`.
    pub fn of(captured: &Path, name: &str) -> Self {
        let page = root().join("docs/pictures").join(format!("{name}-display.png"));
        Self { captured: captured.to_owned(), page }
    }

    /// Writes the page's picture anew.
    pub fn bless(&self) -> Result<()> {
        let copied = std::fs::copy(&self.captured, &self.page);
        copied.with_context(|| format!("cannot write {}", self.page.display()))?;
        eprintln!("wrote {}", self.page.display());
        Ok(())
    }

    /// Compares both, pixel by pixel, but for the time of a step, which nearly every change to the firmware moves.
    pub fn compare(&self, display: Display, board: &str) -> Result<()> {
        let how =
            format!("look at both; `cargo xtask boards --run --bless {board}` makes the page's picture the other");
        let page = Pixels::read(&self.page).with_context(|| how.clone())?;
        let captured = Pixels::read(&self.captured)?;
        let [shown, told] = [&self.captured, &self.page].map(|path| path.display());
        ensure!(captured.size() == page.size(), "{shown} and {told} are not of the same size: {how}");
        let [columns, rows] = time(display);
        let differs = |&at: &usize| {
            let [x, y] = [at % page.width, at / page.width];
            let is_time = columns.contains(&x) && rows.contains(&y);
            !is_time && captured.bytes[3 * at..3 * at + 3] != page.bytes[3 * at..3 * at + 3]
        };
        let different: Vec<usize> = (0..page.bytes.len() / 3).filter(differs).collect();
        if let Some(first) = different.first() {
            let [x, y] = [first % page.width, first / page.width];
            let count = different.len();
            bail!("{shown} differs from {told} in {count} pixels, the first at ({x}, {y}): {how}");
        }
        Ok(())
    }
}

/// Columns and rows of a picture where the time of a step stands, after five steps of a plan `fast5` or in a line of its own.
fn time(display: Display) -> [Range<usize>; 2] {
    let dot = HEIGHT / 64;
    match display {
        Display::Oled => [64 * dot..128 * dot, 44 * dot..55 * dot],
        Display::Tft => [120 * ZOOM..240 * ZOOM, 219 * ZOOM..232 * ZOOM],
        Display::Leds(_) => [0..0, 0..0],
    }
}

impl Pixels {
    fn read(path: &Path) -> Result<Self> {
        let say = || format!("cannot read {}", path.display());
        let mut reader = png::Decoder::new(BufReader::new(File::open(path).with_context(say)?)).read_info()?;
        let mut bytes = vec![0; reader.output_buffer_size().with_context(say)?];
        let info = reader.next_frame(&mut bytes).with_context(say)?;
        let is_rgb = (info.color_type, info.bit_depth) == (png::ColorType::Rgb, png::BitDepth::Eight);
        ensure!(is_rgb, "{} is not in red, green and blue of 8 bits", path.display());
        Ok(Self { width: info.width as usize, bytes })
    }

    fn size(&self) -> [usize; 2] {
        [self.width, self.bytes.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boards::picture;

    /// A display of 128×64 dots with these lit.
    fn rows(lit: &[(usize, usize)]) -> Vec<String> {
        let dot = |x, y| if lit.contains(&(x, y)) { '#' } else { '.' };
        (0..64).map(|y| (0..128).map(|x| dot(x, y)).collect()).collect()
    }

    /// A dot that differs is found wherever no time stands; the error names both files and what to do, and that does it.
    #[test]
    fn a_display_that_differs_from_its_page_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let pair = Pair { captured: folder.path().join("now.png"), page: folder.path().join("page.png") };
        let compare = |lit: &[(usize, usize)]| {
            picture::write(&pair.captured, &rows(lit)).unwrap();
            pair.compare(Display::Oled, "pico").map_err(|error| format!("{error:#}"))
        };
        let missing = compare(&[]).unwrap_err();
        assert!(missing.contains("page.png") && missing.contains("boards --run --bless pico"), "{missing}");
        pair.bless().unwrap();
        assert_eq!(compare(&[]), Ok(()));
        // The first and the last dot of the time's place.
        assert_eq!(compare(&[(64, 44), (127, 54)]), Ok(()));
        for (x, y) in [(0, 0), (63, 44), (64, 43), (64, 55), (127, 63)] {
            let error = compare(&[(x, y)]).unwrap_err();
            let at = format!("9 pixels, the first at ({}, {})", 4 * x, 4 * y);
            for part in ["now.png", "page.png", &at, "boards --run --bless pico"] {
                assert!(error.contains(part), "{part}: {error}");
            }
            pair.bless().unwrap();
            assert_eq!(compare(&[(x, y)]), Ok(()));
            compare(&[]).unwrap_err();
            pair.bless().unwrap();
        }
    }

    /// Pixels count, not files: a picture with other bytes may show the same. Another size is named.
    #[test]
    fn pictures_are_compared_by_their_pixels() {
        let folder = tempfile::tempdir().unwrap();
        let pair = Pair { captured: folder.path().join("now.png"), page: folder.path().join("page.png") };
        picture::write(&pair.captured, &["07".to_owned(), "70".to_owned()]).unwrap();
        let pixels = Pixels::read(&pair.captured).unwrap();
        let height = pixels.bytes.len() / pixels.width / 3;
        let mut encoder = png::Encoder::new(File::create(&pair.page).unwrap(), pixels.width as u32, height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::NoCompression);
        encoder.write_header().unwrap().write_image_data(&pixels.bytes).unwrap();
        assert_ne!(std::fs::read(&pair.captured).unwrap(), std::fs::read(&pair.page).unwrap());
        pair.compare(Display::Leds(56), "microbit-v2").unwrap();
        picture::write(&pair.captured, &["070".to_owned(), "700".to_owned()]).unwrap();
        let error = pair.compare(Display::Leds(56), "microbit-v2").unwrap_err().to_string();
        assert!(error.contains("same size"), "{error}");
    }

    /// Every picture of a display in the pages is one that a board is compared with.
    #[test]
    fn every_picture_of_a_display_is_compared() {
        let mut found: Vec<String> = std::fs::read_dir(root().join("docs/pictures"))
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix("-display.png").map(str::to_owned))
            .collect();
        let boards = crate::boards::list::BOARDS.iter();
        let mut compared: Vec<String> = boards.flat_map(|board| board.pictures).map(|&name| name.to_owned()).collect();
        found.sort();
        compared.sort();
        assert_eq!(found, compared);
    }
}
