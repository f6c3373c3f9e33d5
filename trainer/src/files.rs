//! Writing files so that they are whole or not there.
use crate::{Error, Result};
use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Names that are tried for a temporary file.
const MOST_TEMPORARY: usize = 1000;
/// Links that are followed one after the other, as systems do.
const MOST_LINKS: usize = 40;

/// The file that a path stands for: links are followed, also one that leads to no file yet.
fn target(path: &Path) -> PathBuf {
    let mut target = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        let Ok(next) = fs::read_link(&target) else { break };
        target = target.parent().unwrap_or(Path::new("")).join(next);
    }
    target
}

/// A path by which a file is known, whatever way leads to it; the file itself need not be there yet.
fn identity(path: &Path) -> PathBuf {
    let target = target(path);
    let nearest = target.ancestors().find_map(|at| {
        let at = if at.as_os_str().is_empty() { Path::new(".") } else { at };
        Some((at.canonicalize().ok()?, target.strip_prefix(at).unwrap_or(&target).to_path_buf()))
    });
    nearest.map_or(target.clone(), |(folder, rest)| folder.join(rest).components().collect())
}

/// Whether `path` is `folder` or lies in it.
pub fn lies_in(path: &Path, folder: &Path) -> bool {
    identity(path).starts_with(identity(folder))
}

/// Checks that files to be written, each with the option that names it, are neither each other nor one of the files that
/// are read, and that they do not lie in a folder that is read. What is not there is not read.
///
/// # Errors
/// Two that are one, or a file that would join what is read (usage).
pub fn check_apart(read: &[&Path], written: &[(&str, &Path)]) -> Result<()> {
    let wrong = |option: &str, path: &Path, what: &str| {
        Err(Error::Usage(format!("{option} {}: {what}; choose another file", path.display())))
    };
    let read: Vec<(&Path, PathBuf)> =
        read.iter().filter(|path| path.exists()).map(|path| (*path, identity(path))).collect();
    for (i, (option, path)) in written.iter().enumerate() {
        let itself = identity(path);
        if read.iter().any(|(_, other)| *other == itself) {
            return wrong(option, path, "would overwrite what is read");
        }
        if let Some((folder, _)) = read.iter().find(|(folder, of_it)| folder.is_dir() && itself.starts_with(of_it)) {
            return wrong(option, path, &format!("lies in {}, which is read", folder.display()));
        }
        if let Some((other, _)) = written[..i].iter().find(|(_, other)| identity(other) == identity(path)) {
            return wrong(option, path, &format!("is the file of {other} too"));
        }
    }
    Ok(())
}

/// Writes `bytes` to a file without a name beside `path`, then names it so, so that an earlier file stays as it was until
/// the new one is complete. A process that is ended meanwhile leaves nothing behind; where the system has no files
/// without a name, it leaves one with the ending `.tmp`. A link stays one: what it leads to is written. What is there
/// already and is no regular file (a pipe, a device) is written to directly.
///
/// # Errors
/// A file that cannot be written or named; nothing is left behind.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    write_with(path, |file| file.write_all(bytes).map_err(|e| unwritable(path, e)))
}

/// As [`write_atomically`], of what `write` puts into the file.
///
/// # Errors
/// Also what `write` fails with.
pub fn write_with(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    Pending::write(path, write)?.commit()
}

/// A file that is written whole and waits for its name, so that several can come into being together. One that is
/// dropped leaves nothing behind.
#[derive(Debug)]
pub struct Pending {
    path: PathBuf,
    held: Held,
}

/// Where what is written lies until it has its name.
#[derive(Debug)]
enum Held {
    /// Nowhere else: it has its name, or nothing is written yet, or the path is a pipe or a device, which are written at
    /// once.
    Placed,
    /// In a file without a name.
    Unnamed(File),
    /// In a file with a temporary name.
    Named(PathBuf),
}

impl Pending {
    /// Writes what is to become the file `path`.
    ///
    /// # Errors
    /// A file that cannot be written, and what `write` fails with.
    pub fn write(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<Self> {
        let failed = |e| unwritable(path, e);
        let is_device = fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir());
        let mut pending = Self { path: path.to_path_buf(), held: Held::Placed };
        let file = if is_device {
            File::options().write(true).open(path).map_err(failed)?
        } else if let Some(file) = unnamed(&target(path)) {
            file
        } else {
            let (temporary, file) = temporary(&target(path), |path| File::create_new(path))?;
            pending.held = Held::Named(temporary);
            file
        };
        let mut writer = BufWriter::new(file);
        write(&mut writer)?;
        let file = writer.into_inner().map_err(|e| failed(e.into_error()))?;
        if !is_device {
            file.sync_all().map_err(failed)?;
            if let Held::Placed = pending.held {
                pending.held = Held::Unnamed(file);
            }
        }
        Ok(pending)
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// A name that it cannot have; what had it before stays.
    pub fn commit(mut self) -> Result<()> {
        let target = target(&self.path);
        if let Held::Unnamed(file) = &self.held {
            // A link replaces no file, as a new name does.
            let (temporary, ()) = temporary(&target, |path| link(file, path))?;
            self.held = Held::Named(temporary);
        }
        if let Held::Named(temporary) = &self.held {
            fs::rename(temporary, target).map_err(|e| unwritable(&self.path, e))?;
        }
        self.held = Held::Placed;
        Ok(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Held::Named(temporary) = &self.held {
            let _ = fs::remove_file(temporary);
        }
    }
}

/// Where Linux shows the open files of a process.
#[cfg(target_os = "linux")]
const OPEN_FILES: &str = "/proc/self/fd";

/// A file without a name in the folder of `path`, which is gone with the process, however that ends; `None` where the
/// system or the file system has none, or `path` is a folder.
#[cfg(target_os = "linux")]
fn unnamed(path: &Path) -> Option<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = rustix::fs::OFlags::TMPFILE.bits().cast_signed();
    let can_be_named = Path::new(OPEN_FILES).is_dir() && path.file_name().is_some() && !path.is_dir();
    can_be_named.then(|| File::options().write(true).custom_flags(flags).open(folder_of(path)).ok()).flatten()
}

/// Gives a file without a name one that no file has.
#[cfg(target_os = "linux")]
fn link(file: &File, name: &Path) -> std::io::Result<()> {
    use rustix::fs::{linkat, AtFlags, CWD};
    use std::os::fd::AsRawFd;
    let open = format!("{OPEN_FILES}/{}", file.as_raw_fd());
    Ok(linkat(CWD, open, CWD, name, AtFlags::SYMLINK_FOLLOW)?)
}

#[cfg(not(target_os = "linux"))]
fn unnamed(_: &Path) -> Option<File> {
    None
}

#[cfg(not(target_os = "linux"))]
fn link(_: &File, _: &Path) -> std::io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// A folder that is made with its parents; those that were not there go again, if empty, where it is dropped before
/// [`Self::keep`].
#[derive(Debug)]
pub struct NewFolder {
    /// What was not there, the deepest first.
    made: Vec<PathBuf>,
}

impl NewFolder {
    /// Makes the folder, or takes the one that is there.
    ///
    /// # Errors
    /// A place where none can be made.
    pub fn make(path: &Path) -> Result<Self> {
        let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
        let made = path.ancestors().take_while(is_missing).map(Path::to_path_buf).collect();
        let folder = Self { made };
        fs::create_dir_all(path).map_err(|e| unwritable(path, e))?;
        Ok(folder)
    }

    /// The folder stays.
    pub fn keep(mut self) {
        self.made.clear();
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        self.made.iter().for_each(|path| drop(fs::remove_dir(path)));
    }
}

fn unwritable(path: &Path, error: std::io::Error) -> Error {
    Error::file(path, format!("cannot be written: {error}"))
}

/// The folder that a file lies in.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What `make` makes of a temporary name beside `path` that no file has, and the name.
fn temporary<T>(path: &Path, make: impl Fn(&Path) -> std::io::Result<T>) -> Result<(PathBuf, T)> {
    let name = path.file_name().ok_or_else(|| Error::file(path, "is not a file name"))?;
    for number in 0..MOST_TEMPORARY {
        let mut name = name.to_os_string();
        name.push(format!(".{number}.tmp"));
        let temporary = path.with_file_name(name);
        match make(&temporary) {
            Ok(made) => return Ok((temporary, made)),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            Err(e) => return Err(unwritable(path, e)),
        }
    }
    Err(Error::file(path, format!("cannot be written: remove the files {}.*.tmp beside it", path.display())))
}

/// Checks that [`write_atomically`] can write `path`, before work begins whose result is to lie there. Leaves nothing
/// behind.
///
/// # Errors
/// As [`write_atomically`].
pub fn check_writable(path: &Path) -> Result<()> {
    let failed = |e| unwritable(path, e);
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(Error::file(path, "cannot be written: is a folder")),
        Ok(found) if !found.is_file() => File::options().write(true).open(path).map(|_| ()).map_err(failed),
        _ => {
            let (temporary, _) = temporary(&target(path), |path| File::create_new(path))?;
            fs::remove_file(&temporary).map_err(failed)
        }
    }
}

/// Checks that a file of `bytes` has room where `path` lies; where the system does not say, it has.
///
/// # Errors
/// Less free than that.
pub fn check_room(path: &Path, bytes: u64) -> Result<()> {
    match fs4::available_space(folder_of(path)) {
        Ok(free) if free < bytes => {
            let gigabytes = |bytes: u64| bytes as f64 / 1e9;
            let what = format!("needs {:.1} GB, of which {:.1} are free", gigabytes(bytes), gigabytes(free));
            Err(Error::file(path, what))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_device_is_an_error_and_stays_a_device() {
        let error = write_atomically(Path::new("/dev/full"), b"x").unwrap_err();
        assert!(error.to_string().contains("/dev/full: cannot be written"), "{error}");
        assert!(!fs::metadata("/dev/full").unwrap().is_file());
    }

    #[test]
    fn replaces_a_file_or_leaves_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_atomically(&path, b"one").unwrap();
        write_atomically(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let error = write_atomically(&folder.path().join("no/such"), b"x").unwrap_err();
        assert!(error.to_string().contains("cannot be written"));
        assert!(write_atomically(folder.path(), b"x").is_err());
        check_writable(&path).unwrap();
        check_writable(&folder.path().join("b")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        for wrong in [folder.path().join("no/such"), folder.path().to_path_buf()] {
            let error = check_writable(&wrong).unwrap_err();
            assert!(error.to_string().contains("cannot be written"), "{error}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// Files that come into being together do so all or none, with the folder that they lie in.
    #[test]
    fn several_files_are_there_together_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("x/y");
        let pending = |name: &str| Pending::write(&deep.join(name), |file| file.write_all(b"two").map_err(|_| full()));
        fn full() -> Error {
            Error::Invalid("full".into())
        }
        {
            let _made = NewFolder::make(&deep).unwrap();
            let _first = pending("a").unwrap();
            assert!(Pending::write(&deep.join("b"), |_| Err(full())).is_err());
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let made = NewFolder::make(&deep).unwrap();
        let all = ["a", "b"].map(|name| pending(name).unwrap());
        assert!(!deep.join("a").exists());
        all.into_iter().try_for_each(Pending::commit).unwrap();
        made.keep();
        assert_eq!(fs::read_dir(&deep).unwrap().count(), 2);
        // A folder that was there stays, and so does what lies in it.
        drop(NewFolder::make(&deep).unwrap());
        drop(pending("a").unwrap());
        assert_eq!(fs::read(deep.join("a")).unwrap(), b"two");
        assert_eq!(fs::read_dir(&deep).unwrap().count(), 2);
    }

    /// By whatever way, a file is itself.
    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_files_known() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link, loose] = ["file", "link", "loose"].map(|name| folder.path().join(name));
        fs::write(&file, b"one").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        std::os::unix::fs::symlink("later", &loose).unwrap();
        for path in [&link, &loose] {
            write_atomically(path, b"two").unwrap();
            assert!(fs::symlink_metadata(path).unwrap().is_symlink(), "{path:?}");
        }
        assert_eq!([fs::read(&file).unwrap(), fs::read(folder.path().join("later")).unwrap()], [b"two", b"two"]);
        let again = folder.path().join("./link");
        assert!(check_apart(&[&file], &[("--png", &again)]).unwrap_err().to_string().contains("what is read"));
        let [a, b] = ["new", "./new"].map(|name| folder.path().join(name));
        let error = check_apart(&[&file], &[("--png", &a), ("--npy", &b)]).unwrap_err().to_string();
        assert!(error.contains("is the file of --png too"), "{error}");
        check_apart(&[&file], &[("--png", &a), ("--npy", &loose)]).unwrap();
        for inside in [&a, &folder.path().join("sub/../deep/new")] {
            let error = check_apart(&[folder.path()], &[("--png", inside)]).unwrap_err().to_string();
            assert!(error.contains("lies in") && error.contains("which is read"), "{error}");
        }
        check_apart(&[&folder.path().join("none")], &[("--png", &folder.path().join("none"))]).unwrap();
        assert!(lies_in(&a, folder.path()) && lies_in(folder.path(), folder.path()));
        assert!(!lies_in(folder.path(), &folder.path().join("x")));
    }

    /// What is not complete has no name, so nothing of it can stay, whatever ends the process.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_has_no_name_until_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let count = || fs::read_dir(folder.path()).unwrap().count();
        if unnamed(&path).is_none() {
            // Not on this file system.
            return;
        }
        for (before, text) in [(0, b"one"), (1, b"two")] {
            let pending = Pending::write(&path, |file| {
                file.write_all(text).map_err(|e| unwritable(&path, e))?;
                assert_eq!(count(), before);
                Ok(())
            });
            assert_eq!(count(), before);
            pending.unwrap().commit().unwrap();
            assert_eq!((count(), fs::read(&path).unwrap()), (1, text.to_vec()));
        }
        // It may be read by whom other new files may be.
        fs::write(folder.path().join("b"), b"").unwrap();
        let [a, b] = ["a", "b"].map(|name| fs::metadata(folder.path().join(name)).unwrap().permissions());
        assert_eq!(a, b);
    }

    /// Files of the names that temporary ones have are somebody's.
    #[test]
    fn a_file_with_a_temporary_name_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let others = ["a.tmp", "a.0.tmp"].map(|name| folder.path().join(name));
        others.iter().for_each(|other| fs::write(other, b"mine").unwrap());
        check_writable(&path).unwrap();
        write_atomically(&path, b"one").unwrap();
        for other in others {
            assert_eq!(fs::read(other).unwrap(), b"mine");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
