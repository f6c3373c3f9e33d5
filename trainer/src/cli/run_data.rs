//! The data of a command: opened with a bar, and described in its first lines.
use crate::data::{self, Axis, Dataset, Opened, Options};
use crate::graph::Shape;
use crate::report::note::note;
use crate::report::progress::opened;
use crate::run::Config;
use crate::{files, Error, Result};
use std::path::Path;

/// Reads what `--data` names for a training.
///
/// # Errors
/// As [`opened`], and data of which nothing can be learned.
pub fn training_data(source: &str, options: &Options) -> Result<Opened> {
    let opened = opened(source, options)?;
    check_lesson(source, &opened.data)?;
    Ok(opened)
}

/// Checks that something can be learned of the images of `source`.
///
/// # Errors
/// Images that are all equal.
pub fn check_lesson(source: &str, data: &Dataset) -> Result<()> {
    match data.len() > 1 && data.all_equal() {
        true => Err(Error::file(source, format!("all {} images are equal: there is nothing to learn", data.len()))),
        false => Ok(()),
    }
}

/// Says what was found, when work begins.
pub fn describe(opened: &Opened) {
    opened.lines().iter().for_each(note);
}

/// The data of a run in the folder `run`.
///
/// # Errors
/// Data that cannot be read, or are not what the run was started with.
pub fn data_of(config: &Config, run: &Path) -> Result<Opened> {
    let source = data::recorded(&config.data);
    let mut opened = training_data(&source, &config.data_options).map_err(|error| match error {
        Error::File { path, reason } if Path::new(&source) == path && !path.exists() => Error::file(
            path,
            format!("{reason}; if the data of the run in {} lie elsewhere now, say where", run.display()),
        ),
        other => other,
    })?;
    // A network that follows a local condition learns no labels.
    if config.spec()?.local().is_some() {
        opened.data.labels = None;
    }
    if opened.data.digest() != config.data_digest {
        let what = format!(
            "is not the data that the run in {} was started with: {}",
            run.display(),
            difference(config, &opened.data)
        );
        return Err(Error::file(&config.data, what));
    }
    Ok(opened)
}

/// What differs, as far as a run knows its data.
fn difference(config: &Config, data: &Dataset) -> String {
    let [height, width, channels] = config.image;
    let known = Shape::new(height, width, channels);
    let named = |axes: &[Axis]| {
        let axis = |axis: &Axis| format!("{} ({})", axis.name, axis.classes.join(", "));
        let axes: Vec<String> = axes.iter().map(axis).collect();
        if axes.is_empty() {
            "no labels".into()
        } else {
            axes.join(" and ")
        }
    };
    if data.shape != known {
        format!("images are of {}, not of {known}", data.shape)
    } else if data.axes() != config.axes {
        format!("labels are {}, not {}", named(data.axes()), named(&config.axes))
    } else {
        format!("of its {} images some, their order or labels are other ones", data.len())
    }
}

/// Checks that what a run writes does not become part of its data.
///
/// # Errors
/// A run's folder that is the data's folder or lies in it.
pub fn check_apart(source: &str, out: &Path) -> Result<()> {
    let folder = Path::new(source);
    match folder.is_dir() && files::lies_in(out, folder) {
        true => Err(Error::Usage(format!(
            "--out {}: lies in the folder of the data, {source}, whose pictures would be joined by what the run writes; \
             choose another folder",
            out.display()
        ))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_stays_out_of_its_data() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir_all(data.join("cats")).unwrap();
        let source = data.to_str().unwrap();
        for inside in
            [data.clone(), data.join("run"), data.join("cats/new/run"), folder.path().join("./data/../data/r")]
        {
            let error = check_apart(source, &inside).unwrap_err();
            assert!(error.to_string().contains("lies in the folder of the data"), "{error}");
            assert_eq!(error.exit_code(), 2);
        }
        for apart in [folder.path().join("run"), folder.path().join("data-run"), folder.path().to_path_buf()] {
            check_apart(source, &apart).unwrap();
        }
        check_apart("digits", Path::new("digits-run")).unwrap();
    }
}
