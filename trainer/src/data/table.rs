//! `labels.csv`: a row for each picture, a column for its file's name and one for each label axis.
use super::label_array;
use super::labels::Labels;
use crate::{Error, Result};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// The name of the table in a folder.
pub const NAME: &str = "labels.csv";
/// Bytes of the largest table.
const MOST_BYTES: u64 = 1 << 28;
/// Names of the column that holds the file's name; else it is the first one.
const FILE_COLUMNS: [&str; 8] = ["file", "filename", "file_name", "image", "image_id", "path", "name", "id"];

/// The rows of a table.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    path: PathBuf,
    /// Names of the axes.
    names: Vec<String>,
    /// Files, as they are written in the table.
    pub files: Vec<PathBuf>,
    /// `[files][axes]`.
    texts: Vec<String>,
}

impl Table {
    /// Reads the table at `path`, of which the columns `axes` are taken, or all.
    ///
    /// # Errors
    /// A table without a header, rows or label columns, a cell that is empty, or a file that is named twice.
    pub fn read(path: &Path, axes: &[String]) -> Result<Self> {
        let fail = |reason: String| Error::file(path, reason);
        let unreadable = |e: std::io::Error| fail(format!("cannot be read: {e}"));
        let found = std::fs::metadata(path).map_err(unreadable)?;
        if !found.is_file() {
            return Err(fail("is no file".into()));
        }
        if found.len() > MOST_BYTES {
            return Err(fail(format!("has {} bytes; a table may have {MOST_BYTES}", found.len())));
        }
        let text = std::fs::read(path).map_err(unreadable)?;
        if std::str::from_utf8(&text).is_err() {
            return Err(fail("is not UTF-8; save it as CSV in UTF-8".into()));
        }
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
        let header = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let count = |delimiter: u8| header.iter().filter(|byte| **byte == delimiter).count();
        let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|d| (count(*d), *d == b',')).unwrap_or(b',');
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(text);
        let broken = |e: csv::Error| fail(format!("cannot be read: {e}"));
        let header = reader.headers().map_err(broken)?.clone();
        if header.len() < 2 {
            return Err(fail(
                "has one column; the first row names columns: the file's name and at least one label".into(),
            ));
        }
        if header.iter().any(file_name) {
            return Err(fail(format!(
                "begins with a file, {}; its first row has to name the columns, such as file,class",
                header.iter().find(|cell| file_name(cell)).unwrap_or_default()
            )));
        }
        let is_file = |name: &str| FILE_COLUMNS.contains(&name.to_lowercase().as_str());
        let file_column = header.iter().position(is_file).unwrap_or(0);
        let columns: Vec<usize> = match axes {
            [] => (0..header.len()).filter(|column| *column != file_column).collect(),
            axes => axes
                .iter()
                .map(|axis| {
                    let missing = || {
                        let there = header.iter().collect::<Vec<_>>().join(", ");
                        Error::Usage(format!("--axes {axis}: {} has the columns {there}", path.display()))
                    };
                    header.iter().position(|name| name == axis).ok_or_else(missing)
                })
                .collect::<Result<_>>()?,
        };
        let names = columns.iter().map(|column| header[*column].to_owned()).collect();
        let (mut files, mut texts, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        for (row, record) in reader.records().enumerate() {
            let record = record.map_err(broken)?;
            let file = unquoted(&record[file_column]).replace('\\', "/");
            for column in &columns {
                let text = unquoted(&record[*column]);
                if text.is_empty() {
                    let what = format!("row {}: {} is empty for {file}", row + 2, &header[*column]);
                    return Err(fail(what));
                }
                texts.push(text.to_owned());
            }
            let file = PathBuf::from(file.strip_prefix("./").unwrap_or(&file));
            if file.as_os_str().is_empty() || !seen.insert(file.clone()) {
                return Err(fail(format!("row {}: {:?} is empty or named twice", row + 2, file)));
            }
            files.push(file);
        }
        if files.is_empty() {
            return Err(fail("has no rows".into()));
        }
        Ok(Self { path: path.to_path_buf(), names, files, texts })
    }

    /// The labels of the rows for which `kept` is true.
    ///
    /// # Errors
    /// More classes than an axis may have.
    pub fn labels(&self, kept: &[bool]) -> Result<Labels> {
        let rows = self.texts.chunks_exact(self.names.len()).zip(kept).filter(|(_, kept)| **kept);
        let texts: Vec<String> = rows.flat_map(|(row, _)| row).cloned().collect();
        label_array::named(&self.path, self.names.clone(), &texts)
    }
}

/// A cell without the quotes that a blank before them makes part of it.
fn unquoted(cell: &str) -> &str {
    cell.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(cell)
}

/// Whether a cell of the header is rather the name of a file.
fn file_name(cell: &str) -> bool {
    let ends = [".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".wav"];
    ends.iter().any(|end| cell.to_lowercase().ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str, axes: &[&str]) -> Result<Table> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        std::fs::write(&path, text).unwrap();
        Table::read(&path, &axes.iter().map(|axis| axis.to_string()).collect::<Vec<_>>())
    }

    #[test]
    fn columns_become_axes() {
        for text in [
            "file,hair,mood\na.png,long,3\nsub/b.png,short,0\n",
            "\u{feff}hair;file;mood\r\nlong;a.png;3\r\nshort;./sub/b.png;0\r\n",
            "mood\tfilename\thair\n3\ta.png\tlong\n0\tsub\\b.png\tshort",
            "file,hair,mood\n\"a.png\", \"long\" ,3\nsub/b.png,short,0\n",
        ] {
            let table = table(text, &["hair", "mood"]).unwrap();
            assert_eq!(table.files, [PathBuf::from("a.png"), PathBuf::from("sub/b.png")], "{text}");
            let labels = table.labels(&[true, true]).unwrap();
            assert_eq!(
                (&labels.axes[0].name[..], &labels.axes[0].classes[..]),
                ("hair", &["long".into(), "short".into()][..])
            );
            assert_eq!((labels.axes[1].classes.len(), &labels.values[..]), (4, &[0, 3, 1, 0][..]));
            assert_eq!(table.labels(&[false, true]).unwrap().values, [0, 0]);
        }
        assert_eq!(table("x,class\na,b\n", &[]).unwrap().names, ["class"]);
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, axes, reason) in [
            ("a.png,cat\nb.png,dog\n", &[][..], "begins with a file, a.png"),
            ("file\na.png\n", &[], "has one column"),
            ("file,class\n", &[], "has no rows"),
            ("file,class\na.png,\n", &[], "row 2: class is empty for a.png"),
            ("file,class\na.png,1\na.png,2\n", &[], "row 3: \"a.png\" is empty or named twice"),
            ("file,class\na.png,1,2\n", &[], "cannot be read"),
            ("file,class\na.png,1\n", &["hair"], "--axes hair: "),
        ] {
            let error = table(text, axes).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
        let many: String = (0..257).map(|i| format!("{i}.png,n{i}\n")).collect();
        let error = table(&format!("file,class\n{many}"), &[]).unwrap().labels(&[true; 257]).unwrap_err().to_string();
        assert!(error.contains("class has 257 classes, at most 256; --axes chooses columns"), "{error}");
    }
}
