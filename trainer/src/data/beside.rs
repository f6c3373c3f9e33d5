//! The file beside the data in which their labels lie.
use super::array::Array;
use super::labels::Labels;
use super::options::Options;
use super::place::Place;
use super::{idx, label_array, npy};
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Files of a folder that are looked at in search of labels.
const MOST_SIBLINGS: usize = 200;

/// The labels of `count` images of the file at `place`, from a file beside it: that of `--labels`, that of the usual
/// name, or the only one that is an array of so many classes. With the name of the file; doubtful ones become notes.
///
/// # Errors
/// A file of labels that is broken or of other images.
pub fn labels(
    place: &Place,
    count: usize,
    options: &Options,
    notes: &mut Vec<String>,
) -> Result<Option<(Labels, String)>> {
    let read = |path: PathBuf| {
        let array = array(&Place::at(&path)?)?.ok_or_else(|| {
            Error::file(&path, "is neither an .npy array nor an IDX file, which labels are read from")
        })?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Some((label_array::labels(&path, array, count)?, name)))
    };
    match options.labels.as_deref() {
        Some(label_array::NONE) => return Ok(None),
        Some(name) => {
            let beside = place.path.with_file_name(name);
            return read(if beside.is_file() { beside } else { name.into() });
        }
        None if !place.regular => return Ok(None),
        None => {}
    }
    if let Some(path) = usual(&place.path) {
        return read(path);
    }
    let (candidates, tables) = siblings(&place.path, count);
    for table in tables {
        let name = table.file_name().unwrap_or_default().to_string_lossy().into_owned();
        notes.push(format!("{name} may be labels: --labels {name} takes them"));
    }
    match &candidates[..] {
        [] => Ok(None),
        [path] => read(path.clone()),
        several => {
            let names: Vec<_> = several.iter().map(|p| p.file_name().unwrap_or_default().to_string_lossy()).collect();
            notes.push(format!("{} may be labels: --labels takes one of them", names.join(", ")));
            Ok(None)
        }
    }
}

/// `train-images-idx3-ubyte.gz` → `train-labels-idx1-ubyte.gz` or the same without `.gz`, `images.npy` → `labels.npy`,
/// if it exists.
fn usual(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let renamed = name.replace("images", "labels").replace("idx3", "idx1").replace("idx4", "idx1");
    if renamed == name {
        return None;
    }
    let plain = renamed.trim_end_matches(".gz").to_string();
    [renamed, format!("{plain}.gz"), plain].into_iter().map(|name| path.with_file_name(name)).find(|p| p.is_file())
}

/// Other files of the folder that hold `count` classes, in the order of their names, and those that hold several columns
/// of as many rows and are called labels.
fn siblings(path: &Path, count: usize) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().take(MOST_SIBLINGS);
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|other| other.file_name() != path.file_name() && other.is_file())
        .filter(|other| !other.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')))
        .collect();
    paths.sort();
    let mut tables = Vec::new();
    paths.retain(|path| {
        let found = Place::at(path).and_then(|place| sizes(&place)).ok().flatten();
        match found.as_deref() {
            Some([rows] | [rows, 1]) if *rows == count => Place::at(path)
                .and_then(|p| array(&p))
                .ok()
                .flatten()
                .is_some_and(|a| label_array::labels(path, a, count).is_ok()),
            Some([rows, _]) if *rows == count => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
                if name.contains("label") {
                    tables.push(path.clone());
                }
                false
            }
            _ => false,
        }
    });
    (paths, tables)
}

fn sizes(place: &Place) -> Result<Option<Vec<usize>>> {
    Ok(match () {
        () if npy::is_at(place) => Some(npy::header(place, &mut *place.reader()?)?.sizes),
        () if idx::is_at(place) => Some(idx::header(place, &mut *place.reader()?)?.sizes),
        () => None,
    })
}

fn array(place: &Place) -> Result<Option<Array>> {
    Ok(match () {
        () if npy::is_at(place) => Some(npy::array(place, &mut *place.reader()?)?),
        () if idx::is_at(place) => Some(idx::array(place, &mut *place.reader()?)?),
        () => None,
    })
}
