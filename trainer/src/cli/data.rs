//! `trainer data`.
use super::output;
use crate::data::summary::{contact_sheet, Summary, BINS};
use crate::data::{self, Dataset, Opened, Options};
use crate::report::{image, progress::opened, sound};
use crate::{files, Result};
use clap::Args;
use std::path::{Path, PathBuf};

/// Arguments of `trainer data`.
#[derive(Debug, Args)]
pub struct Data {
    /// A folder of pictures or recordings, an .npy or .npz array, an IDX file, or a built-in set (`digits`, `faces16`,
    /// `spoken`, `heartbeat`, `swissroll`).
    #[arg(value_name = "PATH")]
    source: String,
    /// Write a sheet of some images as a PNG, with labels a row for each class; of recordings their waveforms and
    /// spectrograms.
    #[arg(long, value_name = "FILE.png")]
    png: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

/// Images a row of the sheet.
const COLUMNS: usize = 12;
/// Most rows of the sheet.
const ROWS: usize = 32;
/// Rows of a sheet of images without labels.
const UNLABELLED_ROWS: usize = 10;
/// Pixels that an image of the sheet is wide at least.
const CELL: usize = 48;
/// Sizes that are listed one by one.
const LISTED: usize = 8;
/// Characters of the longest bar.
const BAR: u64 = 40;

impl Data {
    /// Prints what the data are, and writes the sheet.
    ///
    /// # Errors
    /// Data that cannot be read, or a file that cannot be written.
    pub fn run(mut self) -> Result<()> {
        if let Some(png) = &self.png {
            files::check_apart(&[Path::new(&self.source)], &[("--png", png)])?;
            files::check_writable(png)?;
        }
        let mut lines = Vec::new();
        if self.options.size.is_none() {
            let sizes = data::picture_sizes(&self.source, &self.options)?;
            if sizes.len() > 1 {
                lines.extend(size_lines(&sizes));
                let size = data::Size { width: 32, height: 32 };
                lines.push(format!("shown below with --size {size}, which a training needs, too"));
                self.options.size = Some(size);
            }
        }
        let opened = opened(&self.source, &self.options)?;
        let summary = Summary::of(&opened.data);
        lines.extend(opened.lines());
        lines.push(format!(
            "mean {:.3}, standard deviation {:.3} (of values from -1 to 1)",
            summary.mean, summary.deviation
        ));
        lines.extend(histogram_lines(&summary));
        lines.extend(summary.warnings(&opened).into_iter().map(|warning| format!("warning: {warning}")));
        if let Some(png) = &self.png {
            let rows = write_sheet(png, &opened)?;
            lines.push(format!("{}: some of the images{rows}", png.display()));
        }
        output::print(&lines.join("\n"))
    }
}

fn size_lines(sizes: &std::collections::BTreeMap<data::Size, usize>) -> Vec<String> {
    let mut by_count: Vec<_> = sizes.iter().collect();
    by_count.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let mut lines = vec![format!("pictures of {} sizes (width x height):", sizes.len())];
    lines.extend(by_count.iter().take(LISTED).map(|(size, count)| format!("  {:>10} {count:>7}", size.to_string())));
    if by_count.len() > LISTED {
        let rest: usize = by_count[LISTED..].iter().map(|(_, count)| **count).sum();
        lines.push(format!("  {:>10} {rest:>7}", "others"));
    }
    lines
}

/// A line an interval: its lower end, the share of the values in it, and a bar.
fn histogram_lines(summary: &Summary) -> Vec<String> {
    let bins: Vec<u64> = (0..BINS).map(|bin| summary.histogram.iter().map(|channel| channel[bin]).sum()).collect();
    let (total, most) = (bins.iter().sum::<u64>().max(1), bins.iter().max().copied().unwrap_or(0).max(1));
    let line = |(bin, count): (usize, &u64)| {
        let low = -1.0 + 2.0 * bin as f64 / BINS as f64;
        let bar = "#".repeat((count * BAR).div_ceil(most) as usize);
        format!("  {low:>6.3} {:>6.2} % {bar}", 100.0 * *count as f64 / total as f64).trim_end().to_owned()
    };
    bins.iter().enumerate().map(line).collect()
}

/// Writes the sheet, and says what its rows are.
fn write_sheet(path: &Path, opened: &Opened) -> Result<String> {
    let data: &Dataset = &opened.data;
    let rows = if data.labels.is_some() { ROWS } else { UNLABELLED_ROWS };
    let sheet = contact_sheet(data, COLUMNS, rows);
    let named = data.labels.as_ref().map_or(String::new(), |labels| {
        let names: Vec<String> = sheet.iter().step_by(COLUMNS).flatten().map(|image| labels.named(*image)).collect();
        format!("; rows: {}", names.join(", "))
    });
    if data.sound.is_some() {
        write_signals(path, data, &sheet)?;
        return Ok(named);
    }
    let images = sheet.iter().flat_map(|image| match image {
        Some(image) => data.image(*image).into_owned(),
        None => vec![-1.0; data.shape.len()],
    });
    let shape = [data.shape.height, data.shape.width, data.shape.channels];
    image::write_grid(path, &images.collect::<Vec<_>>(), shape, COLUMNS, CELL.div_ceil(data.shape.width))?;
    Ok(named)
}

/// As [`image::write_grid`], of signals.
fn write_signals(path: &Path, data: &Dataset, sheet: &[Option<usize>]) -> Result<()> {
    let silence = vec![0.0; data.shape.len()];
    let (shape, _) = sound::picture(&silence, data.shape.channels);
    let pictures = sheet.iter().flat_map(|signal| match signal {
        Some(signal) => sound::picture(&data.image(*signal), data.shape.channels).1,
        None => vec![-1.0; shape.iter().product()],
    });
    image::write_grid(path, &pictures.collect::<Vec<_>>(), shape, COLUMNS, 1)
}
