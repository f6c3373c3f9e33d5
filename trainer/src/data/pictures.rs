//! Folders of pictures: without classes, in class folders, or with a table of labels.
use super::array::{self, Array};
use super::folder::{self, Kind};
use super::form::{Form, Reading, Unit};
use super::found::{Found, Opened};
use super::listing::{self, File};
use super::options::{Background, Colour, Options, Size};
use super::picture::{self, Header, Wanted};
use super::place::Place;
use super::{cache, fit, gzip, range};
use crate::graph::shape::MOST_VALUES;
use crate::graph::Shape;
use crate::Result;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Reading that took less is not worth a file in the cache.
const WORTH_KEEPING: Duration = Duration::from_millis(1500);

/// What such a folder holds.
pub const PICTURES: Kind = Kind {
    one: "picture",
    many: "pictures",
    read: "PNG, JPEG, GIF, BMP and WebP are read, and WAV",
    is_name: listing::is_picture_name,
};

/// A folder of pictures.
pub struct Folder;

impl Form for Folder {
    fn is_at(&self, place: &Place) -> bool {
        place.folder
    }

    fn read(&self, place: &Place, reading: &Reading) -> Result<Opened> {
        let start = Instant::now();
        let options = reading.options;
        options.refuse(&["--layout", "--array"], "a folder of pictures")?;
        let mut found = Found::default();
        let mut listing = listing::list(&place.path, &PICTURES, &mut found)?;
        let cached = reading.cache.as_ref().map(|cache| cache::file(cache, place, &listing, options));
        if let Some(opened) = cached.as_ref().and_then(|path| cache::load(path, place)) {
            return Ok(opened);
        }
        let table = folder::use_table(place, &mut listing, &PICTURES, options)?;
        let count = listing.files.len() as u64;
        let done = AtomicU64::new(0);
        // A file is read twice: its header, then its pixels.
        let step = || {
            let before = done.fetch_add(1, Ordering::Relaxed);
            (reading.progress)(Unit::Samples, before.div_ceil(2), count);
        };
        let headers: Vec<std::result::Result<Header, String>> = listing
            .files
            .par_iter()
            .map(|file| {
                step();
                picture::header(&place.path.join(&file.name))
            })
            .collect();
        let mut broken = std::mem::take(&mut listing.wrong);
        let (files, headers) = folder::healthy(listing.files, headers, &mut broken);
        folder::leave_out(place, &PICTURES, &mut found, broken, options)?;
        let wanted = wanted(place, &files, &headers, options, &mut found)?;
        let shape = Shape::new(wanted.size.height as usize, wanted.size.width as usize, wanted.channels);
        if shape.len() > MOST_VALUES {
            let what = format!("images of {shape} are more than the {MOST_VALUES} values that a chain can hold");
            return Err(place.error(format!("{what}; make them smaller with --size")));
        }
        let total = shape.len().checked_mul(files.len()).filter(|total| *total <= gzip::MOST_BYTES);
        let too_large =
            || format!("{} images of {shape} do not fit in memory; make them smaller with --size", files.len());
        let total = total.ok_or_else(|| place.error(too_large()))?;
        let mut bytes = array::zeros(total).ok_or_else(|| place.error(too_large()))?;
        let transparent = AtomicU64::new(0);
        let problems: Vec<Option<String>> = files
            .par_iter()
            .zip(bytes.par_chunks_exact_mut(shape.len()))
            .map(|(file, out)| {
                step();
                match picture::decode(&place.path.join(&file.name), &wanted) {
                    Ok(decoded) => {
                        out.copy_from_slice(&decoded.bytes);
                        transparent.fetch_add(u64::from(decoded.transparent), Ordering::Relaxed);
                        None
                    }
                    Err(problem) => Some(problem),
                }
            })
            .collect();
        let files = without_broken(place, &mut found, files, problems, &mut bytes, shape.len(), options)?;
        match (transparent.into_inner(), options.background) {
            (0, _) => {}
            (count, None) => {
                found.notes.push(format!("{count} pictures have transparent pixels, drawn on white (--background)"));
            }
            (count, Some(behind)) => {
                found.notes.push(format!("{count} pictures have transparent pixels, drawn on {behind}"))
            }
        }
        let array = Array {
            sizes: vec![files.len(), shape.height, shape.width, shape.channels],
            fortran: false,
            kind: array::Kind::Uint(1),
            big_endian: false,
            bytes,
        };
        let pixels = range::pixels(&place.path, array, shape.len(), options.range, &mut found.notes)?;
        let labels = folder::labels(place, &files, listing.classes, table.as_ref(), options)?;
        let opened = Opened::checked(place, shape, pixels, labels, found)?;
        if let Some(path) = cached.filter(|_| start.elapsed() > WORTH_KEEPING) {
            // A cache that cannot be written costs time the next time, and nothing else.
            let _ = cache::store(&path, &opened);
        }
        Ok(opened)
    }
}

/// How many pictures of each size a folder has.
///
/// # Errors
/// As for reading it, but for the sizes themselves.
pub fn sizes(place: &Place, options: &Options) -> Result<BTreeMap<Size, usize>> {
    let mut listing = listing::list(&place.path, &PICTURES, &mut Found::default())?;
    folder::use_table(place, &mut listing, &PICTURES, options)?;
    let mut sizes = BTreeMap::new();
    let headers: Vec<_> =
        listing.files.par_iter().filter_map(|file| picture::header(&place.path.join(&file.name)).ok()).collect();
    headers.into_iter().for_each(|header| *sizes.entry(header.size).or_default() += 1);
    Ok(sizes)
}

/// Takes the images that could not be decoded out of `bytes`, `len` each, and out of the files.
fn without_broken(
    place: &Place,
    found: &mut Found,
    files: Vec<File>,
    problems: Vec<Option<String>>,
    bytes: &mut Vec<u8>,
    len: usize,
    options: &Options,
) -> Result<Vec<File>> {
    if problems.iter().all(Option::is_none) {
        return Ok(files);
    }
    let (mut kept, mut broken) = (Vec::new(), Vec::new());
    for (i, (file, problem)) in files.into_iter().zip(problems).enumerate() {
        match problem {
            Some(problem) => broken.push((file.name, problem)),
            None => {
                bytes.copy_within(i * len..(i + 1) * len, kept.len() * len);
                kept.push(file);
            }
        }
    }
    bytes.truncate(kept.len() * len);
    folder::leave_out(place, &PICTURES, found, broken, options)?;
    if kept.is_empty() {
        return Err(place.error("holds no picture that can be read"));
    }
    Ok(kept)
}

/// The size and channels that all pictures get; notes say what is decided.
fn wanted(place: &Place, files: &[File], headers: &[Header], options: &Options, found: &mut Found) -> Result<Wanted> {
    let Some(first) = headers.first() else { return Err(place.error("holds no picture that can be read")) };
    let mut formats: BTreeMap<String, usize> = BTreeMap::new();
    headers.iter().for_each(|header| *formats.entry(picture::name_of(header.format)).or_default() += 1);
    let formats: Vec<String> = formats.iter().map(|(format, count)| format!("{count} {format}")).collect();
    found.form = formats.join(", ");
    let mut sizes: Vec<Size> = headers.iter().map(|header| header.size).collect();
    sizes.sort_unstable();
    sizes.dedup();
    if let (None, Some(other)) = (options.size, headers.iter().position(|header| header.size != first.size)) {
        let what = format!(
            "holds pictures of {} sizes: {} is {}, {} is {} (width x height); give them one with --size, such as \
             --size 32",
            sizes.len(),
            files[0].name.display(),
            first.size,
            files[other].name.display(),
            headers[other].size
        );
        return Err(place.error(what));
    }
    let size = options.size.unwrap_or(first.size);
    if sizes != [size] {
        let from = match &sizes[..] {
            [one] => one.to_string(),
            many => format!("{} sizes, {} to {}", many.len(), many[0], many[many.len() - 1]),
        };
        let small = headers.iter().filter(|h| h.size.width < size.width || h.size.height < size.height).count();
        let small = if small > 0 { format!("; {small} were smaller and are blurred") } else { String::new() };
        let how = format!("{:?}", options.fit.unwrap_or_default()).to_lowercase();
        found.notes.push(format!("scaled from {from} to {size} (--fit {how}){small}"));
    }
    let colours = headers.iter().filter(|header| header.colour).count();
    let channels = match options.colour.unwrap_or_default() {
        Colour::Gray => 1,
        Colour::Rgb => 3,
        Colour::Keep if colours == 0 => 1,
        Colour::Keep => {
            if colours < headers.len() {
                let gray = headers.len() - colours;
                found.notes.push(format!("{gray} gray pictures among {colours} in colour become RGB (--colour)"));
            }
            3
        }
    };
    Ok(Wanted {
        size,
        fit: options.fit.unwrap_or_default(),
        channels,
        behind: options.background.unwrap_or(Background::WHITE),
        border: fit::border(options),
    })
}
