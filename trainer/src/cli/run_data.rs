//! The data of a run that is there already.
use crate::data::Dataset;
use crate::run::Config;
use crate::{Error, Result};
use std::path::Path;

/// The data of a run in the folder `run`.
///
/// # Errors
/// Data that cannot be read, or are not what the run was started with.
pub fn data_of(config: &Config, run: &Path) -> Result<Dataset> {
    let data = Dataset::open(&config.data)?;
    if data.digest() != config.data_digest {
        let what = format!("is not the data that the run in {} was started with", run.display());
        return Err(Error::file(&config.data, what));
    }
    Ok(data)
}
