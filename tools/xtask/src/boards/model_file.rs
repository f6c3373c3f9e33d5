//! A model of the user's for a board.

use super::list::Board;
use anyhow::{ensure, Result};
use brownian::host::OwnedModel;
use std::path::Path;

/// Reads a model's file for a board. It takes no time, so it is done before the firmware is built.
///
/// Fails where it is no model, or too large for the flash or the RAM that the board has for one, and says by how much.
pub fn read(board: &Board, file: &Path) -> Result<OwnedModel> {
    let model = OwnedModel::read(file)?;
    let figures = board.figures();
    let excess = figures.fit(&model.model(), model.bytes().len()).excess();
    ensure!(
        excess.is_none(),
        "{} does not fit the {}: {}; `trainer inspect {0} --board {}` says what a model may have",
        file.display(),
        figures.title,
        excess.unwrap_or_default(),
        board.name
    );
    Ok(model)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boards::list;
    use brownian_tests::shipped_model;

    fn refusal(board: &str, file: &Path) -> String {
        read(list::find(board).unwrap(), file).unwrap_err().to_string()
    }

    /// A model that fits is read; of one that does not the error says by how much, in flash and in RAM.
    #[test]
    fn a_model_that_does_not_fit_is_refused_by_how_much() {
        let [nano, faces] = ["digits28-nano", "faces16"].map(shipped_model);
        let model = read(list::find("microbit-v1").unwrap(), &nano).unwrap();
        assert_eq!(model.bytes(), std::fs::read(nano).unwrap());
        let (bytes, ram) = (std::fs::metadata(&faces).unwrap().len() - 96 * 1024, 20016 - 11169);
        let error = refusal("microbit-v1", &faces);
        let words = format!("the BBC micro:bit v1: {bytes} bytes of flash too many and {ram} bytes of RAM too many");
        assert!(error.contains(&words) && error.contains("faces16.brn --board microbit-v1`"), "{error}");
    }

    /// Something else than a model is named, once.
    #[test]
    fn what_is_no_model_is_refused() {
        let error = refusal("pico", &crate::firmware::root().join("Cargo.toml"));
        assert!(error.contains("Cargo.toml") && error.contains("not a Brownian model"), "{error}");
        let missing = read(list::find("pico").unwrap(), Path::new("nowhere.brn")).unwrap_err();
        assert!(format!("{missing:#}").starts_with("nowhere.brn: cannot be read: "), "{missing:#}");
        assert_eq!(format!("{missing:#}"), missing.to_string());
    }
}
