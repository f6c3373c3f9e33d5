//! Files of one array: images, whose labels may lie in another file beside.
use super::array::Array;
use super::form::{Form, Reading};
use super::found::{Found, Opened};
use super::place::Place;
use super::{array_images, beside, idx, npy, table};
use crate::Result;

/// One `.npy` file.
pub struct Npy;

impl Form for Npy {
    fn is_at(&self, place: &Place) -> bool {
        npy::is_at(place)
    }

    fn read(&self, place: &Place, reading: &Reading) -> Result<Opened> {
        images(place, npy::array(place, &mut *place.counted(reading.progress)?)?, ".npy array", reading)
    }
}

/// An IDX file.
pub struct Idx;

impl Form for Idx {
    fn is_at(&self, place: &Place) -> bool {
        idx::is_at(place)
    }

    fn read(&self, place: &Place, reading: &Reading) -> Result<Opened> {
        images(place, idx::array(place, &mut *place.counted(reading.progress)?)?, "IDX", reading)
    }
}

fn images(place: &Place, array: Array, form: &str, reading: &Reading) -> Result<Opened> {
    reading.options.refuse(&["--array", "--axes", "--skip-broken", "--class-pattern"], "a file of one array")?;
    let mut found = Found { form: form.into(), ..Found::default() };
    let (shape, pixels) = array_images::images(&place.path, array, reading.options, &mut found.notes)?;
    let count = pixels.len() / shape.len().max(1);
    if reading.options.labels.is_none() && place.regular && place.path.with_file_name(table::NAME).exists() {
        found.notes.push(format!("{} beside is not read: it is for folders of pictures and recordings", table::NAME));
    }
    let labels = beside::labels(place, count, reading.options, &mut found.notes)?;
    Opened::checked(place, shape, pixels, labels, found)
}
