//! Folders of recordings: without classes, with classes in their names, in class folders, or with a table of labels.
use super::options::SoundOptions;
use super::signals::{cut, lengths, signals, Cut};
use super::wav::{self, Header};
use crate::data::folder::{self, Kind};
use crate::data::form::{Form, Reading, Unit};
use crate::data::found::{Found, Opened};
use crate::data::listing::{self, File};
use crate::data::place::Place;
use crate::data::{cache, gzip};
use crate::graph::Shape;
use crate::Result;
use rayon::prelude::*;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Reading that took less is not worth a file in the cache.
const WORTH_KEEPING: Duration = Duration::from_millis(1500);
/// Samples of a signal at most.
const MOST_SAMPLES: usize = 65_535;

/// What such a folder holds.
const RECORDINGS: Kind = Kind { one: "recording", many: "recordings", read: "WAV is read", is_name: wav::is_name };

/// A folder of recordings.
pub struct Folder;

impl Form for Folder {
    /// By the names of its files or those in its folders, for a WAV begins as other files do.
    fn is_at(&self, place: &Place) -> bool {
        let is_sound = |path: &Path| wav::is_name(path) || wav::is_other_name(path);
        place.folder && listing::any_file(&place.path, is_sound)
    }

    fn reads_sound(&self) -> bool {
        true
    }

    fn read(&self, place: &Place, reading: &Reading) -> Result<Opened> {
        let start = Instant::now();
        let options = reading.options;
        let names = ["--layout", "--array", "--size", "--fit", "--colour", "--background", "--range"];
        options.refuse(&names, "a folder of recordings")?;
        let mut found = Found::default();
        let mut listing = listing::list(&place.path, &RECORDINGS, &mut found)?;
        let cached = reading.cache.as_ref().map(|cache| cache::file(cache, place, &listing, options));
        if let Some(opened) = cached.as_ref().and_then(|path| cache::load(path, place)) {
            return Ok(opened);
        }
        let table = folder::use_table(place, &mut listing, &RECORDINGS, options)?;
        let mut broken = std::mem::take(&mut listing.wrong);
        let headers = listing.files.par_iter().map(|file| wav::header(&place.path.join(&file.name))).collect();
        let (files, headers) = folder::healthy(listing.files, headers, &mut broken);
        folder::leave_out(place, &RECORDINGS, &mut found, broken, options)?;
        let rate = wanted(place, &files, &headers, &options.sound, &mut found)?;
        let (done, count) = (AtomicU64::new(0), files.len() as u64);
        let read = |file: &File| {
            (reading.progress)(Unit::Samples, done.fetch_add(1, Ordering::Relaxed), count);
            cut(&wav::read(&place.path.join(&file.name))?, rate, &options.sound)
        };
        let (cuts, mut broken) = (files.par_iter().map(read).collect(), Vec::new());
        let (files, cuts) = folder::healthy(files, cuts, &mut broken);
        folder::leave_out(place, &RECORDINGS, &mut found, broken, options)?;
        if files.is_empty() {
            return Err(place.error("holds no recording that can be read"));
        }
        let length = length(place, &cuts, &options.sound, &mut found)?;
        if length.checked_mul(4 * cuts.len()).is_none_or(|bytes| bytes > gzip::MOST_BYTES) {
            let what = format!("{} signals of {length} samples do not fit in memory; give a --length", cuts.len());
            return Err(place.error(what));
        }
        let labels = folder::labels(place, &files, listing.classes, table.as_ref(), options)?;
        let signals = signals(cuts, labels.as_ref().map(|(labels, _)| labels), rate, length, &options.sound)?;
        found.notes.extend(signals.notes);
        found.warnings.extend(signals.warnings);
        let shape = Shape::new(1, length, 1);
        let mut opened = Opened::checked(place, shape, signals.values.into(), labels, found)?;
        opened.data.sound = Some(signals.sound);
        if let Some(path) = cached.filter(|_| start.elapsed() > WORTH_KEEPING) {
            // A cache that cannot be written costs time the next time, and nothing else.
            let _ = cache::store(&path, &opened);
        }
        Ok(opened)
    }
}

/// The rate of the signals; notes say what is decided.
fn wanted(place: &Place, files: &[File], headers: &[Header], options: &SoundOptions, found: &mut Found) -> Result<u32> {
    let Some(first) = headers.first() else { return Err(place.error("holds no recording that can be read")) };
    found.form = format!("{} WAV", headers.len());
    if let (None, Some(other)) = (options.rate, headers.iter().position(|header| header.rate != first.rate)) {
        let what = format!(
            "holds recordings of several rates: {} has {} samples a second, {} has {}; give them one with --rate, such as \
             --rate 8000",
            files[0].name.display(),
            first.rate,
            files[other].name.display(),
            headers[other].rate
        );
        return Err(place.error(what));
    }
    let rate = options.rate.unwrap_or(first.rate);
    let others = headers.iter().filter(|header| header.rate != rate).count();
    if others > 0 {
        let rates = headers.iter().map(|header| header.rate);
        let (least, most) = (rates.clone().min().unwrap_or(rate), rates.max().unwrap_or(rate));
        let low = headers.iter().filter(|header| header.rate < rate).count();
        let low = if low > 0 { format!("; {low} had a lower one and gain nothing") } else { String::new() };
        let from = if least == most { least.to_string() } else { format!("{least} to {most}") };
        found.notes.push(format!("{others} recordings are resampled from {from} samples a second to {rate}{low}"));
    }
    let mixed = headers.iter().filter(|header| header.channels > 1).count();
    if mixed > 0 {
        found
            .notes
            .push(format!("{mixed} of {} recordings have several channels, of which the mean is taken", headers.len()));
    }
    Ok(rate)
}

/// The samples of a signal.
fn length(place: &Place, cuts: &[Cut], options: &SoundOptions, found: &mut Found) -> Result<usize> {
    let [least, most] = lengths(cuts);
    match options.length {
        Some(length) => {
            if most < length as usize / 2 {
                found.warnings.push(format!(
                    "the longest recording has {most} samples, less than half of --length {length}: the rest is silence"
                ));
            }
            Ok(length as usize)
        }
        None if least == most && most <= MOST_SAMPLES => Ok(most),
        None => {
            let near = most.next_power_of_two().min(1 << 15);
            let what = format!(
                "holds recordings of {least} to {most} samples, trimmed; give them one with --length, such as --length \
                 {near}"
            );
            Err(place.error(what))
        }
    }
}
