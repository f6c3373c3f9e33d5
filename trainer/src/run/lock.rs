//! One process a run.
use crate::{Error, Result};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// The file in a run's folder that the process at work holds locked.
const LOCK_FILE: &str = "lock";

/// The right to write into a run's folder, until it is dropped. The system gives it back when the process ends, however
/// it ends, so nothing stale can stay. A folder that was made for it and has nothing else in it then goes too.
#[derive(Debug)]
pub struct Lock {
    file: Option<File>,
    /// The folder, if it was made for this.
    made: Option<PathBuf>,
}

impl Lock {
    /// Takes the run's folder, which is made if need be.
    ///
    /// # Errors
    /// A folder that another process is at work in, or that cannot be written.
    pub fn take(run: &Path) -> Result<Self> {
        let failed = |e: std::io::Error| Error::file(run, format!("cannot be written: {e}"));
        let made = (!run.exists()).then(|| run.to_path_buf());
        fs::create_dir_all(run).map_err(failed)?;
        let file =
            File::options().create(true).truncate(false).write(true).open(run.join(LOCK_FILE)).map_err(failed)?;
        match file.try_lock() {
            // A file system without locks has none to respect.
            Ok(()) => Ok(Self { file: Some(file), made }),
            Err(TryLockError::Error(e)) if e.kind() == std::io::ErrorKind::Unsupported => {
                Ok(Self { file: Some(file), made })
            }
            Err(TryLockError::WouldBlock) => {
                Err(Error::file(run, "another process is at work in this run; wait for it or choose another folder"))
            }
            Err(TryLockError::Error(e)) => Err(failed(e)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let nothing_else = |run: &PathBuf| {
            fs::read_dir(run).is_ok_and(|files| files.flatten().all(|file| file.file_name() == LOCK_FILE))
        };
        if let Some(run) = self.made.take().filter(nothing_else) {
            // Removed while it is held, so that no other process can hold what is gone.
            let _ = fs::remove_file(run.join(LOCK_FILE));
            self.file = None;
            let _ = fs::remove_dir(run);
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
        assert!(!run.exists(), "a folder with a lock alone is left");
        fs::create_dir(&run).unwrap();
        drop(Lock::take(&run).unwrap());
        assert!(run.exists(), "a folder that was there before is not its to remove");
        fs::remove_dir_all(&run).unwrap();
        let lock = Lock::take(&run).unwrap();
        fs::write(run.join("result"), b"").unwrap();
        drop(lock);
        assert!(run.join("result").exists());
        fs::write(folder.path().join("file"), b"").unwrap();
        assert!(Lock::take(&folder.path().join("file")).unwrap_err().to_string().contains("cannot be written"));
    }
}
