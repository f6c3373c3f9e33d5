//! Several NumPy arrays in one `.npz` file: images, and perhaps their labels.
use super::array::Array;
use super::counted::Counted;
use super::form::{Form, Reading, Unit};
use super::found::{Found, Opened};
use super::label_array::NONE;
use super::place::{Place, ReadSeek};
use super::{array_images, label_array, npy};
use crate::{Error, Result};
use zip::ZipArchive;

/// A `.npz` file.
pub struct Npz;

impl Form for Npz {
    fn is_at(&self, place: &Place) -> bool {
        place.start.starts_with(b"PK\x03\x04")
    }

    fn read(&self, place: &Place, reading: &Reading) -> Result<Opened> {
        reading.options.refuse(&["--axes", "--skip-broken", "--class-pattern"], "an .npz file")?;
        let mut archive = Archive::open(place)?;
        let Headers { arrays, others } = archive.headers()?;
        let images = chosen_images(place, &arrays, reading.options.array.as_deref())?;
        let mut found = Found { form: format!("array {images} of an .npz file"), ..Found::default() };
        if reading.options.labels.is_none() {
            found.notes.extend(others.into_iter().map(|(name, why)| format!("array {name} {why}")));
        }
        let array = archive.array(images, reading.progress)?;
        let (shape, pixels) = array_images::images(&place.path, array, reading.options, &mut found.notes)?;
        let count = pixels.len() / shape.len().max(1);
        let labels = match reading.options.labels.as_deref() {
            Some(NONE) => None,
            Some(name) if !arrays.iter().any(|(array, _)| array == name) => {
                return Err(place.error(format!("holds no array {name:?}; it holds {}", listed(&arrays))));
            }
            Some(name) => Some(name),
            None => label_name(place, &arrays, images, count, &mut found.notes)?,
        };
        let labels = match labels {
            Some(name) => Some((
                label_array::labels(&place.path, archive.array(name, reading.progress)?, count)?,
                format!("array {name}"),
            )),
            None => None,
        };
        Opened::checked(place, shape, pixels, labels, found)
    }
}

/// The arrays of an archive, in the order of the file.
#[derive(Default)]
struct Headers {
    /// Names and headers.
    arrays: Vec<(String, Array)>,
    /// Names of those that are not read, with the reason.
    others: Vec<(String, String)>,
}

/// An archive, open.
struct Archive<'a> {
    place: &'a Place,
    zip: ZipArchive<Box<dyn ReadSeek + 'a>>,
}

impl<'a> Archive<'a> {
    fn open(place: &'a Place) -> Result<Self> {
        let zip = ZipArchive::new(place.seekable()?);
        Ok(Self { place, zip: zip.map_err(|e| place.error(format!("is not a readable .npz file ({e})")))? })
    }

    fn headers(&mut self) -> Result<Headers> {
        let names: Vec<String> = self
            .zip
            .file_names()
            .filter_map(|name| npyz::npz::array_name_from_file_name(name.ok()?.as_ref()).map(str::to_owned))
            .collect();
        if names.is_empty() {
            return Err(self.place.error("is a zip archive without .npy arrays; unpack it and give its folder"));
        }
        let mut headers = Headers::default();
        for name in names {
            // Arrays of other types may lie beside.
            match self.member(&name, &|_, _, _| (), |place, reader| npy::header(place, reader)) {
                Ok(header) => headers.arrays.push((name, header)),
                Err(Error::File { reason, .. }) => headers.others.push((name, reason)),
                Err(other) => return Err(other),
            }
        }
        Ok(headers)
    }

    fn array(&mut self, name: &str, progress: &dyn Fn(Unit, u64, u64)) -> Result<Array> {
        self.member(name, progress, |place, reader| npy::array(place, reader))
    }

    fn member<T>(
        &mut self,
        name: &str,
        progress: &dyn Fn(Unit, u64, u64),
        read: impl FnOnce(&Place, &mut dyn std::io::Read) -> Result<T>,
    ) -> Result<T> {
        let file = npyz::npz::file_name_from_array_name(name);
        let member =
            self.zip.by_name(&file).map_err(|e| self.place.error(format!("array {name} cannot be read ({e})")))?;
        let bytes = member.size();
        read(self.place, &mut Counted::new(member, bytes, progress))
    }
}

fn listed(arrays: &[(String, Array)]) -> String {
    arrays.iter().map(|(name, array)| format!("{name} ({})", array.dimensions())).collect::<Vec<_>>().join(", ")
}

/// The array of images: the one that is asked for, or the only one that can be.
fn chosen_images<'a>(place: &Place, arrays: &'a [(String, Array)], asked: Option<&str>) -> Result<&'a str> {
    if let Some(asked) = asked {
        let found = arrays.iter().find(|(name, _)| name == asked);
        let missing = || place.error(format!("holds no array {asked:?}; it holds {}", listed(arrays)));
        return found.map(|(name, _)| &name[..]).ok_or_else(missing);
    }
    let images = arrays.iter().filter(|(_, array)| matches!(array.sizes.len(), 3 | 4) && array.kind.is_number());
    match images.collect::<Vec<_>>()[..] {
        [(name, _)] => Ok(name),
        [] => Err(place.error(format!("holds no array of images, of 3 or 4 axes; it holds {}", listed(arrays)))),
        ref several => {
            let names: Vec<_> = several.iter().map(|(name, _)| name.clone()).collect();
            Err(place.error(format!(
                "holds several arrays of images: {}; choose with --array {}",
                names.join(", "),
                names[0]
            )))
        }
    }
}

/// The array of as many labels; of several the one that is called as the images are: y_train for x_train.
///
/// # Errors
/// An array that is called as labels are and has another number of them.
fn label_name<'a>(
    place: &Place,
    arrays: &'a [(String, Array)],
    images: &str,
    count: usize,
    notes: &mut Vec<String>,
) -> Result<Option<&'a str>> {
    let rows = |array: &Array| match array.sizes[..] {
        [n] | [n, _] => Some(n),
        _ => None,
    };
    let of_images = ["x", "X"].into_iter().filter_map(|x| images.strip_prefix(x)).next();
    let is_usual = |name: &str| {
        of_images.is_some_and(|rest| ["y", "Y"].iter().any(|y| name.strip_prefix(y) == Some(rest)))
            || name.to_lowercase().starts_with("label")
    };
    let others = || arrays.iter().filter(|(name, _)| name != images);
    let candidates: Vec<&str> =
        others().filter(|(_, array)| rows(array) == Some(count)).map(|(name, _)| &name[..]).collect();
    let usual = candidates.iter().find(|name| is_usual(name));
    let rest = |taken: &str| -> Vec<&str> { candidates.iter().copied().filter(|name| *name != taken).collect() };
    match (usual, &candidates[..]) {
        (Some(name), _) | (None, [name]) => {
            let rest = rest(name);
            if !rest.is_empty() {
                notes.push(format!("labels are the array {name}, not {}; --labels chooses", rest.join(", ")));
            }
            Ok(Some(name))
        }
        (None, []) => match others().find(|(name, array)| is_usual(name) && rows(array).is_some()) {
            Some((name, array)) => Err(place.error(format!(
                "{count} images, but {} labels in the array {name}; --labels none leaves them out",
                rows(array).unwrap_or_default()
            ))),
            None => Ok(None),
        },
        (None, several) => {
            notes.push(format!("the arrays {} may be labels: --labels takes one of them", several.join(", ")));
            Ok(None)
        }
    }
}
