//! Which files of a folder are pictures, and which class folder each lies in.
use super::folder::Kind;
use super::found::Found;
use super::label_array::in_order;
use super::table;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A file that should be a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it is, from the folder on.
    pub name: PathBuf,
    /// The number of its class folder.
    pub class: Option<usize>,
    /// Bytes and time of the last change, by which a cache knows it again.
    pub version: (u64, Duration),
}

/// The files of a folder.
#[derive(Debug)]
pub struct Listing {
    /// In the order of their names, class after class.
    pub files: Vec<File>,
    /// Names of the class folders, if there are any.
    pub classes: Vec<String>,
    /// The version of `labels.csv`, if there is one.
    pub table: Option<(u64, Duration)>,
    /// Entries that are no pictures for certain, with the reason.
    pub wrong: Vec<(PathBuf, String)>,
}

/// Files that lie in folders of pictures and are none, without anybody having put them there as such.
fn furniture(name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    match &lower[..] {
        _ if name.starts_with('.') => Some("hidden"),
        "thumbs.db" | "desktop.ini" | "__macosx" | "@eadir" => Some("written by a file manager"),
        _ if lower.starts_with("readme") || lower.starts_with("licen") => Some("text about the data"),
        _ => None,
    }
}

/// Whether a name says that a file is a picture.
pub fn is_picture_name(path: &Path) -> bool {
    let known = ["png", "jpg", "jpeg", "jpe", "jfif", "gif", "bmp", "webp"];
    path.extension().is_some_and(|e| known.iter().any(|known| e.eq_ignore_ascii_case(known)))
}

/// Whether the name of any file in a folder, or in a folder of it, is what `wanted` wants; what cannot be read has none.
pub fn any_file(folder: &Path, wanted: impl Fn(&Path) -> bool) -> bool {
    let there = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let usual = |entry: &fs::DirEntry| furniture(&entry.file_name().to_string_lossy()).is_none();
    let is_wanted = |entry: fs::DirEntry| usual(&entry) && wanted(&entry.path());
    there(folder).any(is_wanted)
        || there(folder).filter(usual).any(|entry| entry.path().is_dir() && there(&entry.path()).any(is_wanted))
}

/// Lists a folder; what is left out in any case is counted in `found`.
///
/// # Errors
/// A folder that cannot be read, is empty, or has pictures beside class folders or folders inside these.
pub fn list(folder: &Path, kind: &Kind, found: &mut Found) -> Result<Listing> {
    let mut listing = Listing { files: vec![], classes: vec![], table: None, wrong: vec![] };
    let (files, folders) = entries(folder, Path::new(""), found)?;
    let (tables, files): (Vec<File>, Vec<File>) = files.into_iter().partition(|f| f.name == Path::new(table::NAME));
    listing.table = tables.first().map(|table| table.version);
    listing.files = files;
    let mut of_classes: BTreeMap<&str, Vec<File>> = BTreeMap::new();
    let mut deeper = None;
    for name in &folders {
        let (files, inner) = entries(folder, Path::new(name), found)?;
        if let Some(inner) = inner.first() {
            let inner = Path::new(name).join(inner);
            deeper.get_or_insert_with(|| inner.clone());
            listing.wrong.push((inner, "is a folder inside a class folder, which is not read".into()));
        }
        of_classes.insert(name, files);
    }
    if of_classes.values().all(Vec::is_empty) {
        if let (Some(deeper), true) = (deeper, listing.files.is_empty()) {
            let give = folder.join(deeper.parent().unwrap_or(&deeper));
            return Err(Error::file(folder, format!("holds folders of folders; give one of them, {}", give.display())));
        }
    }
    if listing.table.is_some() {
        listing.files.extend(of_classes.into_values().flatten());
    } else if !folders.is_empty() {
        if let Some(file) = listing.files.iter().find(|file| (kind.is_name)(&file.name)) {
            let what = format!(
                "holds {many}, {}, beside folders, {}; give one folder of {many}, or move each {} into the folder of \
                 its class",
                file.name.display(),
                folders[0],
                kind.one,
                many = kind.many
            );
            return Err(Error::file(folder, what));
        }
        let names = in_order(of_classes.keys().copied().collect());
        listing.classes = names.iter().map(|name| (*name).to_owned()).collect();
        for (class, name) in names.iter().enumerate() {
            let files = of_classes.get(name).into_iter().flatten().cloned();
            listing.files.extend(files.map(|file| File { class: Some(class), ..file }));
        }
    }
    if listing.files.is_empty() {
        return Err(Error::file(folder, format!("holds no {}: {}", kind.many, kind.read)));
    }
    Ok(listing)
}

/// Files and folders of `folder/inner`, in the order of their names.
fn entries(folder: &Path, inner: &Path, found: &mut Found) -> Result<(Vec<File>, Vec<String>)> {
    let path = folder.join(inner);
    let unreadable = |e: std::io::Error| Error::file(&path, format!("cannot be read: {e}"));
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    let mut names = fs::read_dir(&path)
        .map_err(unreadable)?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<std::io::Result<Vec<_>>>()
        .map_err(unreadable)?;
    names.sort();
    for name in names {
        let text = name.to_string_lossy().into_owned();
        if let Some(reason) = furniture(&text) {
            found.leave_out(reason, inner.join(&name).display().to_string());
            continue;
        }
        // Links are followed.
        let metadata = fs::metadata(path.join(&name));
        match metadata {
            Ok(metadata) if metadata.is_dir() => match name.into_string() {
                Ok(name) => folders.push(name),
                Err(_) => return Err(Error::file(path.join(text), "has a name that is not Unicode")),
            },
            metadata => {
                let changed = metadata.as_ref().ok().and_then(|m| m.modified().ok());
                let changed = changed.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
                let version = (metadata.map_or(0, |m| m.len()), changed.unwrap_or_default());
                files.push(File { name: inner.join(name), class: None, version });
            }
        }
    }
    Ok((files, folders))
}
