//! Opening what `--data` names.
use super::array::Kind;
use super::dataset::Dataset;
use super::form::{Form, Reading};
use super::found::Opened;
use super::options::Options;
use super::pixels::{from_byte, Pixels};
use super::place::Place;
use super::{array_file, builtin, fit, listing, npy, npz, picture, pictures, sound};
use crate::graph::Shape;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::Path;

/// All forms, in the order in which they are tried.
const FORMS: [&dyn Form; 5] = [&sound::Folder, &pictures::Folder, &array_file::Npy, &npz::Npz, &array_file::Idx];

/// Opens a built-in set, a folder or a file.
///
/// # Errors
/// A source that is missing, broken, empty, doubtful or of an unknown form.
pub fn open(source: &str, reading: &Reading) -> Result<Opened> {
    if let Some(set) = builtin::named(source)? {
        return built_in(set, reading.options);
    }
    let place = Place::at(Path::new(source))?;
    match FORMS.iter().find(|form| form.is_at(&place)) {
        Some(form) => {
            if !form.reads_sound() {
                reading.options.refuse_sound(&format!("{source}, which holds no recordings"))?;
            }
            form.read(&place, reading)
        }
        None => Err(unknown(&place)),
    }
}

/// How many pictures of each size (width, height) the folder `source` has; of anything else, nothing.
///
/// # Errors
/// A folder that cannot be read.
pub fn picture_sizes(source: &str, options: &Options) -> Result<BTreeMap<super::Size, usize>> {
    let path = Path::new(source);
    if builtin::named(source)?.is_some() || !path.is_dir() {
        return Ok(BTreeMap::new());
    }
    let place = Place::at(path)?;
    if sound::Folder.is_at(&place) {
        return Ok(BTreeMap::new());
    }
    pictures::sizes(&place, options)
}

impl Dataset {
    /// Reads what `--data` names, without any option: a built-in set, a folder of pictures, a NumPy array or an IDX file.
    ///
    /// # Errors
    /// As [`open`].
    pub fn open(source: &str) -> Result<Self> {
        let reading = Reading { options: &Options::default(), cache: None, progress: &|_, _, _| () };
        Ok(open(source, &reading)?.data)
    }
}

fn built_in(set: builtin::BuiltIn, options: &Options) -> Result<Opened> {
    let names = ["--range", "--layout", "--array", "--axes", "--skip-broken", "--class-pattern"];
    let what = format!("the built-in data set {}", set.name);
    options.refuse(&names, &what)?;
    match set.sound {
        true => options.refuse(&["--size", "--fit", "--colour", "--background"], &what)?,
        false => options.refuse_sound(&what)?,
    }
    let Opened { mut data, found } = (set.train)(options)?;
    if data.shape.pixels() == 1 {
        options.refuse(&["--size", "--colour"], &format!("{}, whose vectors are no pictures", set.name))?;
    }
    match options.labels.as_deref() {
        None => {}
        Some(super::label_array::NONE) => data.labels = None,
        Some(_) => {
            return Err(Error::Usage("--labels: the built-in data sets have theirs; give none to drop them".into()))
        }
    }
    if let (true, Pixels::Bytes(bytes)) = (options.size.is_some() || options.colour.is_some(), &mut data.images) {
        let (shape, bytes) = fit::bytes(Path::new(set.name), data.shape, std::mem::take(bytes), options)?;
        (data.shape, data.images) = (shape, Pixels::Bytes(bytes));
    }
    Ok(Opened { data, found })
}

/// Why nothing can be made of a file.
fn unknown(place: &Place) -> Error {
    let name = place.path.to_string_lossy().to_lowercase();
    let plain = name.trim_end_matches(".gz");
    let named = |ends: &[&str]| ends.iter().any(|end| plain.ends_with(end));
    let reason = match () {
        () if place.start.is_empty() => "is empty",
        () if is_picture(&place.path) => {
            "is a single image; give the folder it lies in"
        }
        () if sound::wav::is_name(&place.path) || sound::wav::is_other_name(&place.path) => {
            "is a single recording; give the folder it lies in"
        }
        () if named(&[".npy"]) => "is named .npy, but does not begin as such a file does",
        () if named(&[".npz"]) => "is named .npz, but does not begin as such a file does",
        () if named(&[".csv"]) => "is a table; give the folder of its pictures or recordings, with the table in it as labels.csv",
        () if named(&[".zip", ".tar", ".tgz", ".7z", ".rar", ".xz", ".bz2", ".zst"]) => {
            "is an archive; unpack it and give its folder"
        }
        () if named(&[".pt", ".pth", ".pkl", ".pickle", ".mat", ".h5", ".hdf5", ".parquet", ".tfrecord"]) => {
            "is of a format that is not read; save the images with numpy.save (.npy) or as pictures"
        }
        () => {
            "is in no form that is read: a folder of pictures or recordings, an .npy or .npz array, or an IDX file (it does not start \
             with its magic bytes 00 00)"
        }
    };
    place.error(reason)
}

/// Whether the file at `path` is a picture, by its first bytes or its name.
pub fn is_picture(path: &Path) -> bool {
    picture::header(path).is_ok() || listing::is_picture_name(path)
}

/// One picture, gray or RGB, with values in [-1, 1].
///
/// # Errors
/// A file that cannot be read or is no picture.
pub fn one_picture(path: &Path) -> Result<(Shape, Vec<f32>)> {
    let (header, bytes) = picture::whole(path).map_err(|reason| Error::file(path, reason))?;
    let size = header.size;
    let channels = if header.colour { 3 } else { 1 };
    let shape = Shape::new(size.height as usize, size.width as usize, channels);
    Ok((shape, bytes.into_iter().map(from_byte).collect()))
}

/// The largest size of a value that [`drawn`] takes.
const LARGEST: f32 = 100.0;

/// The values of an array as `trainer sample --npy` writes it, floats of `[N][height][width][channels]` with these sizes,
/// as they are, and a doubt about them in words; `None` of anything else.
///
/// # Errors
/// A file that cannot be read, or values that are no numbers or beyond ±100.
pub fn drawn(path: &Path, shape: Shape) -> Result<Option<(Vec<f32>, Option<String>)>> {
    let place = Place::at(path)?;
    if place.folder || !npy::is_at(&place) {
        return Ok(None);
    }
    let header = npy::header(&place, &mut *place.reader()?)?;
    let sizes = [shape.height, shape.width, shape.channels];
    if !matches!(header.kind, Kind::Float(_)) || header.sizes.len() != 4 || header.sizes[1..] != sizes {
        return Ok(None);
    }
    let array = npy::array(&place, &mut *place.reader()?)?.transposed(&[0, 1, 2, 3]);
    let values: Vec<f32> = array.numbers().map(|value| value as f32).collect();
    if let Some(value) = values.iter().find(|value| value.is_nan() || value.abs() > LARGEST) {
        return Err(Error::file(path, format!("holds {value}; black is -1 and white is 1")));
    }
    let doubt = values.iter().all(|value| *value >= 0.0).then(|| {
        format!("{}: no value is below 0; they are taken as they are, black as -1 and white as 1", path.display())
    });
    Ok(Some((values, doubt)))
}
