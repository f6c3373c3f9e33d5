//! Every form in which people have data, made afresh: what is read, what is said, and what is refused.

mod arrays;
mod pictures;
mod tables;

use brownian_trainer::data::{self, Opened, Options, Reading};
use brownian_trainer::graph::Shape;
use clap::Parser;
use image::{DynamicImage, GrayImage, Luma};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
}

pub fn try_open(path: &Path, arguments: &[&str]) -> brownian_trainer::Result<Opened> {
    let options = Arguments::parse_from(["data"].iter().chain(arguments)).options;
    data::open(path.to_str().unwrap(), &Reading { options: &options, cache: None, progress: &|_, _, _| () })
}

pub fn open(path: &Path, arguments: &[&str]) -> Opened {
    try_open(path, arguments).unwrap()
}

/// Checks that opening fails and that the error holds `reason`.
pub fn refuses(path: &Path, arguments: &[&str], reason: &str) {
    let error = try_open(path, arguments).map(|opened| opened.lines()).unwrap_err().to_string();
    assert!(error.contains(reason), "{reason}: {error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

/// A gray picture whose every pixel is `level`, but for one, so that pictures are not constant.
pub fn gray(width: u32, height: u32, level: u8) -> DynamicImage {
    let mut picture = GrayImage::from_pixel(width, height, Luma([level]));
    picture.put_pixel(0, 0, Luma([255 - level]));
    DynamicImage::ImageLuma8(picture)
}

pub fn save(path: PathBuf, picture: &DynamicImage) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    picture.save(path).unwrap();
}

/// The bytes of an .npy file with this type and these values.
pub fn npy(descr: &str, fortran: bool, sizes: &[usize], bytes: &[u8]) -> Vec<u8> {
    let sizes: String = sizes.iter().map(|size| format!("{size},")).collect();
    let fortran = if fortran { "True" } else { "False" };
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': ({sizes}), }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(bytes);
    file
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn idx(kind: u8, sizes: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, kind, sizes.len() as u8];
    sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
    bytes.extend(values);
    bytes
}

pub fn npz(path: &Path, arrays: &[(&str, Vec<u8>)], compressed: bool) {
    let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
    let method = if compressed { zip::CompressionMethod::Deflated } else { zip::CompressionMethod::Stored };
    for (name, bytes) in arrays {
        zip.start_file(*name, zip::write::SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

#[test]
fn built_in_sets_take_options() {
    let faces = open(Path::new("faces16"), &[]);
    assert_eq!((faces.data.shape, faces.data.len(), faces.data.axes().len()), (Shape::new(16, 16, 3), 10_000, 3));
    assert_eq!(open(Path::new("builtin:digits"), &["--labels", "none"]).data.labels, None);
    refuses(Path::new("digits"), &["--range", "0..1"], "--range means nothing for the built-in data set digits");
}
