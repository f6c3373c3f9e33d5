//! Folders of pictures: without classes, in class folders, or with a table of labels.
use super::array::{Array, Kind};
use super::form::{Form, Reading};
use super::found::{Found, Opened};
use super::label_array::NONE;
use super::labels::{Axis, Labels};
use super::listing::{self, File, Listing};
use super::options::{Background, Colour, Options, Size};
use super::picture::{self, Header, Wanted};
use super::place::Place;
use super::table::{self, Table};
use super::{cache, fit, gzip, range};
use crate::graph::Shape;
use crate::{Error, Result};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Reading that took less is not worth a file in the cache.
const WORTH_KEEPING: Duration = Duration::from_millis(1500);

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
        let mut listing = listing::list(&place.path, &mut found)?;
        let cached = reading.cache.as_ref().map(|cache| cache::file(cache, place, &listing, options));
        if let Some(opened) = cached.as_ref().and_then(|path| cache::load(path, place)) {
            return Ok(opened);
        }
        let table = use_table(place, &mut listing, options)?;
        let count = listing.files.len() as u64;
        let done = AtomicU64::new(0);
        // A file is read twice: its header, then its pixels.
        let step = || {
            let before = done.fetch_add(1, Ordering::Relaxed);
            (reading.progress)(before.div_ceil(2), count);
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
        let (files, headers) = sound(listing.files, headers, &mut broken);
        leave_out(place, &mut found, broken, options)?;
        let wanted = wanted(place, &files, &headers, options, &mut found)?;
        let shape = Shape::new(wanted.size.height as usize, wanted.size.width as usize, wanted.channels);
        let total = shape.len().checked_mul(files.len()).filter(|total| *total <= gzip::MOST_BYTES);
        let total = total.ok_or_else(|| {
            let what = format!("{} images of {shape} do not fit in memory; make them smaller with --size", files.len());
            place.error(what)
        })?;
        let mut bytes = vec![0; total];
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
            kind: Kind::Uint(1),
            big_endian: false,
            bytes,
        };
        let pixels = range::pixels(&place.path, array, shape.len(), options.range, &mut found.notes)?;
        let labels = labels(&files, listing.classes, table.as_ref())?;
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
    let mut listing = listing::list(&place.path, &mut Found::default())?;
    use_table(place, &mut listing, options)?;
    let mut sizes = BTreeMap::new();
    let headers: Vec<_> =
        listing.files.par_iter().filter_map(|file| picture::header(&place.path.join(&file.name)).ok()).collect();
    headers.into_iter().for_each(|header| *sizes.entry(header.size).or_default() += 1);
    Ok(sizes)
}

/// The table of a folder that has one: its files take the place of those that are there.
fn use_table(place: &Place, listing: &mut Listing, options: &Options) -> Result<Option<Table>> {
    match options.labels.as_deref() {
        Some(NONE) => {
            listing.classes.clear();
            listing.files.iter_mut().for_each(|file| file.class = None);
            return options.refuse(&["--axes"], "--labels none").map(|()| None);
        }
        Some(_) => return Err(Error::Usage(format!("--labels: of a folder, give none, or write {}", table::NAME))),
        None => {}
    }
    if listing.table.is_none() {
        options.refuse(&["--axes"], &format!("a folder without {}", table::NAME))?;
        return Ok(None);
    }
    let table = Table::read(&place.path.join(table::NAME), &options.axes)?;
    let mut there: HashMap<PathBuf, File> = listing.files.drain(..).map(|file| (file.name.clone(), file)).collect();
    for (row, name) in table.files.iter().enumerate() {
        match there.remove(name) {
            Some(file) => listing.files.push(File { class: Some(row), ..file }),
            None => listing.wrong.push((name.clone(), format!("is in {}, but not in the folder", table::NAME))),
        }
    }
    let mut rest: Vec<PathBuf> = there.into_keys().collect();
    rest.sort();
    listing.wrong.extend(rest.into_iter().map(|name| (name, format!("is not in {}", table::NAME))));
    if listing.files.is_empty() {
        let what = format!("names no picture that is there; its first is {}", table.files[0].display());
        return Err(Error::file(place.path.join(table::NAME), what));
    }
    Ok(Some(table))
}

/// The files whose headers could be read; the others go to `broken`.
fn sound(
    files: Vec<File>,
    headers: Vec<std::result::Result<Header, String>>,
    broken: &mut Vec<(PathBuf, String)>,
) -> (Vec<File>, Vec<Header>) {
    let mut sound = (Vec::new(), Vec::new());
    for (file, header) in files.into_iter().zip(headers) {
        match header {
            Ok(header) => {
                sound.0.push(file);
                sound.1.push(header);
            }
            Err(reason) => broken.push((file.name, reason)),
        }
    }
    sound
}

/// Counts what is broken, where that is to be left out; else it is an error.
fn leave_out(place: &Place, found: &mut Found, mut broken: Vec<(PathBuf, String)>, options: &Options) -> Result<()> {
    broken.sort();
    if let (Some((name, reason)), false) = (broken.first(), options.skip_broken) {
        let others = match broken.len() - 1 {
            0 => String::new(),
            others => format!("; {others} more are no readable pictures"),
        };
        let what = format!("{reason}{others} (--skip-broken leaves them out)");
        return Err(Error::file(place.path.join(name), what));
    }
    broken.iter().for_each(|(name, reason)| found.leave_out(reason, name.display().to_string()));
    Ok(())
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
    leave_out(place, found, broken, options)?;
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

/// The labels of the files, by their class folders or by rows of the table.
fn labels(files: &[File], classes: Vec<String>, table: Option<&Table>) -> Result<Option<(Labels, String)>> {
    if let Some(table) = table {
        let mut kept = vec![false; table.files.len()];
        files.iter().filter_map(|file| file.class).for_each(|row| kept[row] = true);
        return Ok(Some((table.labels(&kept)?, table::NAME.into())));
    }
    if classes.is_empty() {
        return Ok(None);
    }
    if classes.len() > super::labels::MAX_CLASSES {
        let most = super::labels::MAX_CLASSES;
        return Err(Error::Invalid(format!(
            "{} class folders; at most {most} classes can be told apart",
            classes.len()
        )));
    }
    let values = files.iter().map(|file| file.class.unwrap_or(0) as u8).collect();
    Ok(Some((Labels { axes: vec![Axis { name: "class".into(), classes }], values }, "folder names".into())))
}
