//! Decoded folders of pictures, kept so that they open at once the next time.
//!
//! A file of the cache is called by the SHA-256 of what it was made of: the folder, the options, and name, length and
//! time of change of every file. It ends with a CRC-32; one that is broken is made anew.
use super::dataset::Dataset;
use super::found::{Found, Opened};
use super::labels::{Axis, Labels};
use super::listing::Listing;
use super::options::Options;
use super::pixels::Pixels;
use super::place::Place;
use crate::graph::Shape;
use flate2::Crc;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The first bytes of a file, with its version.
const MAGIC: &[u8; 16] = b"brownian cache 1";
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
    pixels: usize,
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
    let data = Dataset::checked(&place.path, Shape::new(height, width, channels), pixels, labels).ok()?;
    Some(Opened { data, found: header.found })
}

/// Keeps what was read in the file `path`, and no more than [`MOST_FILES`] files beside it.
///
/// # Errors
/// A file that cannot be written; nothing of it is left.
pub fn store(path: &Path, opened: &Opened) -> std::io::Result<()> {
    let Pixels::Bytes(pixels) = &opened.data.images else { return Ok(()) };
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let shape = opened.data.shape;
    let labels = opened.data.labels.as_ref();
    let values = labels.map_or(&[][..], |labels| &labels.values);
    let header = Header {
        shape: [shape.height, shape.width, shape.channels],
        axes: labels.map_or_else(Vec::new, |labels| labels.axes.clone()),
        found: opened.found.clone(),
        labels: values.len(),
        pixels: pixels.len(),
    };
    let header = serde_json::to_vec(&header)?;
    // The process's number keeps two of them apart.
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let write = || {
        let mut file = BufWriter::with_capacity(1 << 16, File::create(&temporary)?);
        let mut crc = Crc::new();
        for part in [MAGIC, &(header.len() as u64).to_le_bytes()[..], &header, values, pixels] {
            crc.update(part);
            file.write_all(part)?;
        }
        file.write_all(&crc.sum().to_le_bytes())?;
        file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&temporary, path)
    };
    let written = write();
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
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
