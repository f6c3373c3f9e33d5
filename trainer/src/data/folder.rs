//! What folders of files have in common, whatever the files hold: which of them are data, and their classes.
use super::class_pattern::ClassPattern;
use super::found::Found;
use super::label_array::{self, NONE};
use super::labels::{Axis, Labels, MAX_CLASSES};
use super::listing::{File, Listing};
use super::options::Options;
use super::place::Place;
use super::table::{self, Table};
use crate::{Error, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What the files of a folder are, in words.
pub struct Kind {
    /// One of them: `picture`.
    pub one: &'static str,
    /// Several.
    pub many: &'static str,
    /// What is read: `WAV is read`.
    pub read: &'static str,
    /// Whether a name says that a file is one of them.
    pub is_name: fn(&Path) -> bool,
}

/// The table of a folder that has one: its files take the place of those that are there. By a pattern, those whose names
/// fit it.
///
/// # Errors
/// A table that is broken or names none of the files, and options that mean nothing.
pub fn use_table(place: &Place, listing: &mut Listing, kind: &Kind, options: &Options) -> Result<Option<Table>> {
    match options.labels.as_deref() {
        Some(NONE) => {
            listing.classes.clear();
            listing.files.iter_mut().for_each(|file| file.class = None);
            return options.refuse(&["--axes"], "--labels none").map(|()| None);
        }
        Some(_) => return Err(Error::Usage(format!("--labels: of a folder, give none, or write {}", table::NAME))),
        None => {}
    }
    if let Some(pattern) = &options.class_pattern {
        return by_names(listing, pattern, options).map(|()| None);
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
        let what = format!("names no {} that is there; its first is {}", kind.one, table.files[0].display());
        return Err(Error::file(place.path.join(table::NAME), what));
    }
    Ok(Some(table))
}

/// Leaves the files whose names fit a pattern.
fn by_names(listing: &mut Listing, pattern: &ClassPattern, options: &Options) -> Result<()> {
    let other = match (&listing.table, listing.classes.first()) {
        (Some(_), _) => format!("the folder has classes in {}", table::NAME),
        (None, Some(folder)) => format!("the folder has class folders, such as {folder}"),
        (None, None) => String::new(),
    };
    if !other.is_empty() {
        return Err(Error::Usage(format!("--class-pattern {pattern}: {other}; leave the pattern out")));
    }
    options.refuse(&["--axes"], "--class-pattern")?;
    let (fitting, others): (Vec<File>, Vec<File>) =
        std::mem::take(&mut listing.files).into_iter().partition(|file| pattern.classes(&file.name).is_some());
    if fitting.is_empty() {
        let name = others.first().map_or_else(String::new, |file| file.name.display().to_string());
        return Err(Error::Usage(format!("--class-pattern {pattern}: fits none of the files, such as {name}")));
    }
    listing.files = fitting;
    listing.wrong.extend(others.into_iter().map(|file| (file.name, format!("does not fit {pattern}"))));
    Ok(())
}

/// The files that could be read, with what was read of them; the others go to `broken`.
pub fn healthy<T>(
    files: Vec<File>,
    headers: Vec<std::result::Result<T, String>>,
    broken: &mut Vec<(PathBuf, String)>,
) -> (Vec<File>, Vec<T>) {
    let mut healthy = (Vec::new(), Vec::new());
    for (file, header) in files.into_iter().zip(headers) {
        match header {
            Ok(header) => {
                healthy.0.push(file);
                healthy.1.push(header);
            }
            Err(reason) => broken.push((file.name, reason)),
        }
    }
    healthy
}

/// Counts what is broken, where that is to be left out; else it is an error.
///
/// # Errors
/// The first of them, unless `--skip-broken` was given.
pub fn leave_out(
    place: &Place,
    kind: &Kind,
    found: &mut Found,
    mut broken: Vec<(PathBuf, String)>,
    options: &Options,
) -> Result<()> {
    broken.sort();
    if let (Some((name, reason)), false) = (broken.first(), options.skip_broken) {
        let others = match broken.len() - 1 {
            0 => String::new(),
            others => format!("; {others} more {} are left out for this or another reason", kind.many),
        };
        let what = format!("{reason}{others} (--skip-broken leaves them out)");
        return Err(Error::file(place.path.join(name), what));
    }
    broken.iter().for_each(|(name, reason)| found.leave_out(reason, name.display().to_string()));
    Ok(())
}

/// The labels of the files, by their names, their class folders or rows of the table.
///
/// # Errors
/// More classes than an axis may have.
pub fn labels(
    place: &Place,
    files: &[File],
    classes: Vec<String>,
    table: Option<&Table>,
    options: &Options,
) -> Result<Option<(Labels, String)>> {
    if let Some(table) = table {
        let mut kept = vec![false; table.files.len()];
        files.iter().filter_map(|file| file.class).for_each(|row| kept[row] = true);
        return Ok(Some((table.labels(&kept)?, table::NAME.into())));
    }
    if let Some(pattern) = &options.class_pattern {
        let texts: Vec<String> =
            files.iter().flat_map(|file| pattern.classes(&file.name).unwrap_or_default()).collect();
        let labels = label_array::named(&place.path, pattern.axes(), &texts)?;
        return Ok(Some((labels, format!("file names {pattern}"))));
    }
    if classes.is_empty() {
        return Ok(None);
    }
    if classes.len() > MAX_CLASSES {
        return Err(Error::Invalid(format!(
            "{} class folders; at most {MAX_CLASSES} classes can be told apart",
            classes.len()
        )));
    }
    let values = files.iter().map(|file| file.class.unwrap_or(0) as u8).collect();
    Ok(Some((Labels { axes: vec![Axis { name: "class".into(), classes }], values }, "folder names".into())))
}
