//! Decoded folders of pictures and recordings, kept so that they open at once the next time.
//!
//! A file of the cache is called by the SHA-256 of what it was made of: the folder, the options, and name, length and
//! time of change of every file. It ends with a CRC-32; one that is broken is made anew.
use super::dataset::{Dataset, Sound};
use super::found::{Found, Opened};
use super::labels::{Axis, Labels};
use super::listing::Listing;
use super::options::Options;
use super::pixels::Pixels;
use super::place::Place;
use crate::graph::Shape;
use crate::{files, Error, Result};
use flate2::Crc;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The first bytes of a file, with its version.
const MAGIC: &[u8; 16] = b"brownian cache 2";
/// Files that are kept; the oldest goes first.
const MOST_FILES: usize = 16;
/// Most bytes of the header.
const MOST_HEADER: u64 = 1 << 24;

/// What stands before the values.
#[derive(Serialize, Deserialize)]
struct Header {
    shape: [usize; 3],
    axes: Vec<Axis>,
    found: Found,
    labels: usize,
    /// Bytes of the values.
    pixels: usize,
    /// Whether the values are floats, not bytes.
    floats: bool,
    sound: Option<Sound>,
}

/// The folder of the user's caches in which these files lie.
pub fn usual_folder() -> Option<PathBuf> {
    dirs::cache_dir().map(|folder| folder.join("brownian"))
}

/// The file that a folder's pictures are kept in.
pub fn file(cache: &Path, place: &Place, listing: &Listing, options: &Options) -> PathBuf {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    add(MAGIC);
    let folder = fs::canonicalize(&place.path).unwrap_or_else(|_| place.path.clone());
    add(folder.as_os_str().as_encoded_bytes());
    add(toml::to_string(options).unwrap_or_default().as_bytes());
    for class in &listing.classes {
        add(class.as_bytes());
    }
    let table = listing.table.iter().map(|version| (Path::new(super::table::NAME), version));
    for (name, (len, changed)) in table.chain(listing.files.iter().map(|file| (&*file.name, &file.version))) {
        add(name.as_os_str().as_encoded_bytes());
        add(&len.to_le_bytes());
        add(&changed.as_nanos().to_le_bytes());
    }
    let name: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    cache.join(format!("{name}.pictures"))
}

/// What the file `path` keeps of the pictures at `place`; `None` where there is no such file, or a broken one.
pub fn load(path: &Path, place: &Place) -> Option<Opened> {
    let file = File::open(path).ok()?;
    let bytes = file.metadata().ok()?.len();
    let mut reader = Checked { inner: BufReader::with_capacity(1 << 16, file), crc: Crc::new() };
    let mut start = [0; 24];
    reader.read_exact(&mut start).ok()?;
    let (magic, len) = start.split_at(16);
    let len = u64::from_le_bytes(len.try_into().ok()?);
    if magic != MAGIC || len > MOST_HEADER {
        return None;
    }
    let mut header = vec![0; len as usize];
    reader.read_exact(&mut header).ok()?;
    let header: Header = serde_json::from_slice(&header).ok()?;
    if bytes != 24 + len + header.labels as u64 + header.pixels as u64 + 4 {
        return None;
    }
    let (mut labels, mut pixels) = (vec![0; header.labels], vec![0; header.pixels]);
    reader.read_exact(&mut labels).ok()?;
    reader.read_exact(&mut pixels).ok()?;
    let sum = reader.crc.sum();
    let mut end = [0; 4];
    reader.read_exact(&mut end).ok()?;
    if u32::from_le_bytes(end) != sum {
        return None;
    }
    let [height, width, channels] = header.shape;
    let labels = (!header.axes.is_empty()).then_some(Labels { axes: header.axes, values: labels });
    let pixels: Pixels = match header.floats {
        true => pixels.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
        false => pixels.into(),
    };
    let data = Dataset::checked(&place.path, Shape::new(height, width, channels), pixels, labels).ok()?;
    Some(Opened { data: Dataset { sound: header.sound, ..data }, found: header.found })
}

/// Keeps what was read in the file `path`, and no more than [`MOST_FILES`] files beside it.
///
/// # Errors
/// A file that cannot be written; nothing of it is left.
pub fn store(path: &Path, opened: &Opened) -> Result<()> {
    let failed = |e: std::io::Error| Error::file(path, format!("cannot be written: {e}"));
    let (pixels, floats) = match &opened.data.images {
        Pixels::Bytes(bytes) => (Cow::Borrowed(&bytes[..]), false),
        Pixels::Floats(values) => (values.iter().flat_map(|value| value.to_le_bytes()).collect(), true),
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    let shape = opened.data.shape;
    let labels = opened.data.labels.as_ref();
    let values = labels.map_or(&[][..], |labels| &labels.values);
    let header = Header {
        shape: [shape.height, shape.width, shape.channels],
        axes: labels.map_or_else(Vec::new, |labels| labels.axes.clone()),
        found: opened.found.clone(),
        labels: values.len(),
        pixels: pixels.len(),
        floats,
        sound: opened.data.sound,
    };
    let header = serde_json::to_vec(&header).map_err(|e| failed(e.into()))?;
    let written = files::write_with(path, |file| {
        let mut crc = Crc::new();
        let mut write = |part: &[u8]| {
            crc.update(part);
            file.write_all(part)
        };
        let parts = [MAGIC, &(header.len() as u64).to_le_bytes()[..], &header, values, &pixels];
        let written = parts.into_iter().try_for_each(&mut write);
        written.and_then(|()| file.write_all(&crc.sum().to_le_bytes())).map_err(failed)
    });
    forget_oldest(folder);
    written
}

fn forget_oldest(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<(SystemTime, PathBuf)> = entries
        .filter(|entry| entry.path().extension().is_some_and(|e| e == "pictures"))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    let many = files.len().saturating_sub(MOST_FILES);
    for (_, oldest) in &files[..many] {
        let _ = fs::remove_file(oldest);
    }
}

/// A reader that sums up what it has read.
struct Checked<R> {
    inner: R,
    crc: Crc,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.crc.update(&buffer[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{listing, pictures};
    use super::*;
    use std::time::Duration;

    fn opened(place: &Place) -> Opened {
        let axes = vec![Axis { name: "hair".into(), classes: vec!["short".into(), "long".into()] }];
        let labels = Some((Labels { axes, values: vec![0, 1] }, "labels.csv".to_owned()));
        let mut found = Found { form: "2 PNG".into(), ..Found::default() };
        found.leave_out("hidden", ".a.png".into());
        Opened::checked(place, Shape::new(2, 2, 1), vec![0u8, 50, 100, 150, 200, 250, 255, 7].into(), labels, found)
            .unwrap()
    }

    #[test]
    fn what_is_kept_comes_back_and_what_is_broken_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::at(folder.path()).unwrap();
        let (path, set) = (folder.path().join("new/a.pictures"), opened(&place));
        assert!(load(&path, &place).is_none());
        store(&path, &set).unwrap();
        let again = load(&path, &place).unwrap();
        assert_eq!((&again.data, &again.found), (&set.data, &set.found));
        let mut signals = set.clone();
        signals.data.images = signals.data.images.to_vec().into();
        signals.data.sound = Some(Sound { rate: 8000, scale: 6.67 });
        store(&path, &signals).unwrap();
        assert_eq!(load(&path, &place).unwrap().data, signals.data);
        store(&path, &set).unwrap();
        let whole = fs::read(&path).unwrap();
        for i in 0..whole.len() {
            let mut broken = whole.clone();
            broken[i] ^= 1;
            fs::write(&path, &broken).unwrap();
            assert!(load(&path, &place).is_none(), "byte {i}");
        }
        for len in [0, 10, 24, whole.len() - 1] {
            fs::write(&path, &whole[..len]).unwrap();
            assert!(load(&path, &place).is_none(), "{len} bytes");
        }
        store(&path, &set).unwrap();
        assert!(load(&path, &place).is_some());
        // The oldest go.
        for i in 0..20 {
            store(&folder.path().join(format!("new/{i}.pictures")), &set).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), MOST_FILES);
    }

    /// Another name for whatever changes what is read.
    #[test]
    fn a_change_is_another_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.png"), "one").unwrap();
        let place = Place::at(folder.path()).unwrap();
        let name = |change: &dyn Fn(&mut Listing, &mut Options)| {
            let mut listing = listing::list(folder.path(), &pictures::PICTURES, &mut Found::default()).unwrap();
            let mut options = Options::default();
            change(&mut listing, &mut options);
            file(Path::new("cache"), &place, &listing, &options)
        };
        let one = name(&|_, _| ());
        assert_eq!(one, name(&|_, options| options.no_cache = true));
        assert_ne!(one, name(&|_, options| options.skip_broken = true));
        assert_ne!(one, name(&|_, options| options.size = Some("8".parse().unwrap())));
        assert_ne!(one, name(&|listing, _| listing.files[0].version.0 += 1));
        assert_ne!(one, name(&|listing, _| listing.files[0].version.1 += Duration::from_nanos(1)));
        assert_ne!(one, name(&|listing, _| listing.files[0].name = "b.png".into()));
        assert_ne!(one, name(&|listing, _| listing.classes.push("cat".into())));
        assert_ne!(one, name(&|listing, _| listing.table = Some((1, Duration::ZERO))));
    }
}
