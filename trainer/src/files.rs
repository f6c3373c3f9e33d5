//! Writing files so that they are whole or not there.
use crate::{Error, Result};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Names that are tried for a temporary file.
const MOST_TEMPORARY: usize = 1000;

/// Writes `bytes` to a temporary file beside `path`, then renames it, so that an earlier file stays as it was until the new one is
/// complete. What is there already and is no regular file (a pipe, a device) is written to directly.
///
/// # Errors
/// A file that cannot be written or renamed; nothing is left behind.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |e: std::io::Error| Error::file(path, format!("cannot be written: {e}"));
    if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return File::options().write(true).open(path).and_then(|mut file| file.write_all(bytes)).map_err(failed);
    }
    let (temporary, mut file) = temporary(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.and_then(|()| fs::rename(&temporary, path)).map_err(|e| {
        let _ = fs::remove_file(&temporary);
        failed(e)
    })
}

/// A new temporary file beside `path`, under a name that no file has.
fn temporary(path: &Path) -> Result<(PathBuf, File)> {
    let name = path.file_name().ok_or_else(|| Error::file(path, "is not a file name"))?;
    for number in 0..MOST_TEMPORARY {
        let mut name = name.to_os_string();
        name.push(format!(".{number}.tmp"));
        let temporary = path.with_file_name(name);
        match File::options().write(true).create_new(true).open(&temporary) {
            Ok(file) => return Ok((temporary, file)),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            Err(e) => return Err(Error::file(path, format!("cannot be written: {e}"))),
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
    let failed = |e: std::io::Error| Error::file(path, format!("cannot be written: {e}"));
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(Error::file(path, "cannot be written: is a folder")),
        Ok(found) if !found.is_file() => File::options().write(true).open(path).map(|_| ()).map_err(failed),
        _ => {
            let (temporary, _) = temporary(path)?;
            fs::remove_file(&temporary).map_err(failed)
        }
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
