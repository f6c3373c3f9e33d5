//! One process a run.
use crate::{Error, Result};
use std::fs::{self, File, TryLockError};
use std::path::Path;

/// The file in a run's folder that the process at work holds locked.
const LOCK_FILE: &str = "lock";

/// The right to write into a run's folder, until it is dropped. The system gives it back when the process ends, however
/// it ends, so nothing stale can stay.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the run's folder, which is made if need be.
    ///
    /// # Errors
    /// A folder that another process is at work in, or that cannot be written.
    pub fn take(run: &Path) -> Result<Self> {
        let failed = |e: std::io::Error| Error::file(run, format!("cannot be written: {e}"));
        fs::create_dir_all(run).map_err(failed)?;
        let file =
            File::options().create(true).truncate(false).write(true).open(run.join(LOCK_FILE)).map_err(failed)?;
        match file.try_lock() {
            // A file system without locks has none to respect.
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::Error(e)) if e.kind() == std::io::ErrorKind::Unsupported => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => {
                Err(Error::file(run, "another process is at work in this run; wait for it or choose another folder"))
            }
            Err(TryLockError::Error(e)) => Err(failed(e)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_taken_once_and_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        let first = Lock::take(&run).unwrap();
        assert!(Lock::take(&run).unwrap_err().to_string().contains("another process"));
        drop(first);
        Lock::take(&run).unwrap();
        fs::write(folder.path().join("file"), b"").unwrap();
        assert!(Lock::take(&folder.path().join("file")).unwrap_err().to_string().contains("cannot be written"));
    }
}
