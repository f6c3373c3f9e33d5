//! Every form in which people have data, made afresh: what is read, what is said, and what is refused.
use brownian_trainer::data::{self, Dataset, Opened, Options, Reading};
use brownian_trainer::graph::Shape;
use clap::Parser;
use image::{DynamicImage, GrayImage, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage};
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
    data::open(path.to_str().unwrap(), &Reading { options: &options, cache: None, progress: &|_, _| () })
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
fn gray(width: u32, height: u32, level: u8) -> DynamicImage {
    let mut picture = GrayImage::from_pixel(width, height, Luma([level]));
    picture.put_pixel(0, 0, Luma([255 - level]));
    DynamicImage::ImageLuma8(picture)
}

/// A picture whose left half is red and whose right half is blue.
fn red_and_blue(width: u32, height: u32) -> DynamicImage {
    let pixel = |x, _| if x < width / 2 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) };
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, pixel))
}

fn save(path: PathBuf, picture: &DynamicImage) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    picture.save(path).unwrap();
}

/// The bytes of an .npy file with this type and these values.
fn npy(descr: &str, fortran: bool, sizes: &[usize], bytes: &[u8]) -> Vec<u8> {
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

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn idx(kind: u8, sizes: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, kind, sizes.len() as u8];
    sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
    bytes.extend(values);
    bytes
}

fn npz(path: &Path, arrays: &[(&str, Vec<u8>)], compressed: bool) {
    let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
    let method = if compressed { zip::CompressionMethod::Deflated } else { zip::CompressionMethod::Stored };
    for (name, bytes) in arrays {
        zip.start_file(*name, zip::write::SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

/// A PNG of 65 bytes that claims to be huge.
fn huge_png() -> Vec<u8> {
    let chunk = |kind: &[u8], bytes: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(bytes);
        [&(bytes.len() as u32).to_be_bytes()[..], kind, bytes, &crc.sum().to_be_bytes()].concat()
    };
    let size = 200_000u32.to_be_bytes();
    let header = [&size[..], &size, &[8, 0, 0, 0, 0]].concat();
    let empty = [0x78, 0x9c, 3, 0, 0, 0, 0, 1];
    [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &header), &chunk(b"IDAT", &empty), &chunk(b"IEND", b"")].concat()
}

#[test]
fn every_format_and_depth_of_pictures_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let level = |path: &Path| open(path, &[]).data.images.to_vec();
    for (name, format) in [
        ("a.png", ImageFormat::Png),
        ("a.bmp", ImageFormat::Bmp),
        ("a.webp", ImageFormat::WebP),
        ("a.gif", ImageFormat::Gif),
    ] {
        let path = at(&format!("{format:?}"));
        let picture = match format {
            ImageFormat::Gif => DynamicImage::ImageRgba8(red_and_blue(4, 2).into_rgba8()),
            _ => red_and_blue(4, 2),
        };
        save(path.join(name), &picture);
        let set = open(&path, &[]);
        assert_eq!(set.data.shape, Shape::new(2, 4, 3), "{format:?}");
        assert_eq!(set.data.image(0)[..6], [1.0, -1.0, -1.0, 1.0, -1.0, -1.0], "{format:?}");
        assert!(set.lines()[0].contains(&format!("1 {}", format!("{format:?}").to_uppercase())), "{:?}", set.lines());
    }
    save(at("jpeg/a.JPG"), &red_and_blue(32, 16));
    let jpeg = open(&at("jpeg"), &[]);
    assert_eq!(jpeg.data.shape, Shape::new(16, 32, 3));
    assert!((jpeg.data.image(0)[0] - 1.0).abs() < 0.05 && (jpeg.data.image(0)[1] + 1.0).abs() < 0.05);
    // 16 bits, and 16 bits with alpha.
    let deep = image::ImageBuffer::from_pixel(2, 2, Luma([65_535u16 / 2]));
    save(at("deep/a.png"), &DynamicImage::ImageLuma16(deep));
    assert!(level(&at("deep")).iter().all(|v| v.abs() < 0.01));
    // Opaque alpha is dropped; what is transparent lies on a background.
    save(at("opaque/a.png"), &DynamicImage::ImageRgba8(RgbaImage::from_pixel(2, 2, Rgba([9, 90, 200, 255]))));
    let opaque = open(&at("opaque"), &[]);
    assert_eq!((opaque.data.shape.channels, &opaque.data.image(0)[..1]), (3, &[9.0 / 127.5 - 1.0][..]));
    assert!(opaque.found.notes.is_empty());
    let glass = image::ImageBuffer::from_fn(2, 1, |x, _| LumaA([100u8, if x == 0 { 0 } else { 255 }]));
    save(at("glass/a.png"), &DynamicImage::ImageLumaA8(glass));
    for (arguments, behind) in
        [(&[][..], 1.0), (&["--background", "black"], -1.0), (&["--background", "#808080"], 0.004)]
    {
        let set = open(&at("glass"), arguments);
        assert!((set.data.image(0)[0] - behind).abs() < 0.01 && set.data.shape.channels == 1, "{arguments:?}");
        assert!((set.data.image(0)[1] - (100.0 / 127.5 - 1.0)).abs() < 0.01);
        assert!(set.lines().join("\n").contains("1 pictures have transparent pixels, drawn on"), "{:?}", set.lines());
    }
}

/// A PNG of one bit or a palette, with a transparent entry, written as such.
#[test]
fn palettes_and_single_bits_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, color, depth, palette: Option<(&[u8], &[u8])>, row: &[u8]| {
        let mut encoder = png::Encoder::new(fs::File::create(folder.path().join(name)).unwrap(), 8, 1);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if let Some((colours, alpha)) = palette {
            encoder.set_palette(colours.to_vec());
            encoder.set_trns(alpha.to_vec());
        }
        encoder.write_header().unwrap().write_image_data(row).unwrap();
    };
    write("bits.png", png::ColorType::Grayscale, png::BitDepth::One, None, &[0b1010_0000]);
    let bits = open(folder.path(), &[]);
    assert_eq!(bits.data.shape, Shape::new(1, 8, 1));
    assert_eq!(bits.data.image(0)[..4], [1.0, -1.0, 1.0, -1.0]);
    fs::remove_file(folder.path().join("bits.png")).unwrap();
    let palette: (&[u8], &[u8]) = (&[255, 0, 0, 0, 0, 255], &[255, 0]);
    write("palette.png", png::ColorType::Indexed, png::BitDepth::One, Some(palette), &[0b0100_0000]);
    let set = open(folder.path(), &["--background", "black"]);
    assert_eq!(set.data.image(0)[..6], [1.0, -1.0, -1.0, -1.0, -1.0, -1.0]);
}

#[test]
fn pictures_are_turned_as_the_camera_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut jpeg = Vec::new();
    red_and_blue(32, 16).write_to(&mut std::io::Cursor::new(&mut jpeg), ImageFormat::Jpeg).unwrap();
    // An APP1 segment with the orientation 6: turned by a quarter clockwise.
    let tiff = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let segment = [&[0xff, 0xe1][..], &(tiff.len() as u16 + 2).to_be_bytes(), tiff].concat();
    jpeg.splice(2..2, segment);
    fs::write(folder.path().join("a.jpg"), jpeg).unwrap();
    let set = open(folder.path(), &[]);
    assert_eq!(set.data.shape, Shape::new(32, 16, 3));
    // What was left is above.
    let (above, below) = (set.data.image(0)[0], set.data.image(0)[31 * 16 * 3]);
    assert!(above > 0.9 && below < -0.9, "{above} {below}");
}

#[test]
fn sizes_and_colours_become_one() {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path().join("a.jpg"), &red_and_blue(64, 32));
    save(folder.path().join("b.png"), &gray(20, 40, 200));
    refuses(folder.path(), &[], "holds pictures of 2 sizes: a.jpg is 64x32, b.png is 20x40");
    refuses(folder.path(), &[], "--size 32");
    let set = open(folder.path(), &["--size", "16"]);
    assert_eq!((set.data.shape, set.data.len()), (Shape::new(16, 16, 3), 2));
    let lines = set.lines().join("\n");
    assert!(lines.contains("(1 JPEG, 1 PNG)"), "{lines}");
    assert!(lines.contains("scaled from 2 sizes, 20x40 to 64x32 to 16x16 (--fit crop)"), "{lines}");
    assert!(lines.contains("1 gray pictures among 1 in colour become RGB"), "{lines}");
    let set = open(folder.path(), &["--size", "24x16", "--colour", "gray", "--fit", "pad"]);
    assert_eq!(set.data.shape, Shape::new(16, 24, 1));
    let b = set.data.image(1);
    assert_eq!((b[0], b[23]), (-1.0, -1.0), "a border");
    let large = open(folder.path(), &["--size", "48", "--fit", "stretch"]).lines().join("\n");
    assert!(large.contains("2 were smaller and are blurred"), "{large}");
    // Gray pictures that were saved with three channels.
    let rgb = folder.path().join("rgb");
    save(rgb.join("a.png"), &DynamicImage::ImageRgb8(gray(4, 4, 90).into_rgb8()));
    assert!(open(&rgb, &[])
        .lines()
        .join("\n")
        .contains("all pixels are gray, though there are three channels: use --colour gray"));
    assert_eq!(open(&rgb, &["--colour", "gray"]).data.shape.channels, 1);
}

#[test]
fn class_folders_name_the_classes() {
    let folder = tempfile::tempdir().unwrap();
    for (class, count) in [("dog", 3), ("cat", 2), ("10", 1)] {
        (0..count).for_each(|i| save(folder.path().join(format!("{class}/{i}.png")), &gray(4, 4, 90 + i as u8)));
    }
    fs::create_dir(folder.path().join("bird")).unwrap();
    let set = open(folder.path(), &[]);
    let labels = set.data.labels.as_ref().unwrap();
    assert_eq!(labels.axes[0].classes, ["10", "bird", "cat", "dog"]);
    assert_eq!(labels.values, [0, 2, 2, 3, 3, 3]);
    assert!(
        set.lines().contains(&"labels from folder names: class, 4 classes: 10 1, cat 2, dog 3; 1 empty: bird".into()),
        "{:?}",
        set.lines()
    );
    assert_eq!(open(folder.path(), &["--labels", "none"]).data.labels, None);
    save(folder.path().join("stray.png"), &gray(4, 4, 0));
    refuses(folder.path(), &[], "holds pictures, stray.png, beside folders, 10");
    let deeper = tempfile::tempdir().unwrap();
    save(deeper.path().join("train/cat/1.png"), &gray(4, 4, 0));
    refuses(deeper.path(), &[], "holds folders of folders; give one of them");
    assert_eq!(open(&deeper.path().join("train"), &[]).data.axes()[0].classes, ["cat"]);
}

#[test]
fn a_table_gives_several_axes() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.png", "b.png", "c.png"] {
        save(folder.path().join(name), &gray(4, 4, name.as_bytes()[0]));
    }
    let table = "file,hair,glasses\nc.png,long,no\na.png,short,yes\nb.png,long,yes\n";
    fs::write(folder.path().join("labels.csv"), table).unwrap();
    let set = open(folder.path(), &[]);
    let labels = set.data.labels.as_ref().unwrap();
    let names: Vec<&str> = labels.axes.iter().map(|axis| &axis.name[..]).collect();
    assert_eq!((names, &labels.values[..]), (vec!["hair", "glasses"], &[0, 0, 1, 1, 0, 1][..]));
    assert_eq!(set.data.image(0)[5], f32::from(b'c') / 127.5 - 1.0, "rows and pictures belong together");
    let lines = set.lines().join("\n");
    assert!(lines.contains("labels from labels.csv: glasses, 2 classes: no 1, yes 2"), "{lines}");
    assert_eq!(open(folder.path(), &["--axes", "glasses"]).data.labels.unwrap().values, [0, 1, 1]);
    refuses(folder.path(), &["--axes", "mood"], "--axes mood");
    save(folder.path().join("d.png"), &gray(4, 4, 7));
    refuses(folder.path(), &[], "d.png: is not in labels.csv (--skip-broken leaves them out)");
    fs::remove_file(folder.path().join("d.png")).unwrap();
    fs::remove_file(folder.path().join("b.png")).unwrap();
    refuses(folder.path(), &[], "b.png: is in labels.csv, but not in the folder");
    let fewer = open(folder.path(), &["--skip-broken"]);
    assert_eq!(fewer.data.labels.as_ref().unwrap().values, [0, 0, 1, 1]);
    assert!(fewer.lines().join("\n").contains("left out: b.png (is in labels.csv, but not in the folder)"));
}

#[test]
fn what_is_no_picture_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    refuses(path, &[], "holds no pictures");
    (0..41).for_each(|i| save(path.join(format!("{i:02}.{}", if i < 40 { "jpg" } else { "png" })), &gray(8, 8, 3 * i)));
    for hidden in ["._00.jpg", ".tmp.png", ".DS_Store", "Thumbs.db", "README.txt"] {
        fs::write(path.join(hidden), "nothing").unwrap();
    }
    let set = open(path, &[]);
    assert_eq!(set.data.len(), 41);
    let lines = set.lines().join("\n");
    assert!(lines.contains("40 JPEG, 1 PNG") && lines.contains("3 files (hidden: .DS_Store, …)"), "{lines}");
    assert!(lines.contains("Thumbs.db (written by a file manager)"), "{lines}");
    let jpeg = fs::read(path.join("00.jpg")).unwrap();
    for (name, bytes, reason) in [
        ("notes.txt", &b"some notes"[..], "notes.txt: is no image: PNG, JPEG, GIF, BMP and WebP can be read"),
        ("half.png", &huge_png()[..30], "half.png: is a broken PNG"),
        ("empty.png", b"", "empty.png: is empty"),
        ("cut.jpg", &jpeg[..jpeg.len() - 20], "cut.jpg: is a broken JPEG: it is cut off"),
        ("scan.tiff", b"II*\0", "scan.tiff: is a TIFF, which cannot be read; convert it to PNG"),
        ("huge.png", &huge_png(), "huge.png: is too large"),
    ] {
        fs::write(path.join(name), bytes).unwrap();
        refuses(path, &[], reason);
        let skipped = open(path, &["--skip-broken"]);
        assert_eq!(skipped.data.len(), 41);
        assert!(skipped.lines().join("\n").contains(name), "{:?}", skipped.lines());
        fs::remove_file(path.join(name)).unwrap();
    }
    // Cut off after its header, in the middle of the list.
    let whole = fs::read(path.join("20.jpg")).unwrap();
    fs::write(path.join("40.png"), &fs::read(path.join("40.png")).unwrap()[..60]).unwrap();
    refuses(path, &[], "40.png: is a broken PNG");
    assert_eq!(open(path, &["--skip-broken"]).data.len(), 40);
    fs::write(path.join("40.png"), whole).unwrap();
    assert_eq!(open(path, &[]).data.len(), 41, "what counts is what a file holds");
    assert_eq!(data::one_picture(&path.join("20.jpg")).unwrap().0, Shape::new(8, 8, 1));
    fs::write(path.join("huge.png"), huge_png()).unwrap();
    assert!(data::one_picture(&path.join("huge.png")).unwrap_err().to_string().contains("is too large"));
}

#[test]
fn arrays_of_every_type_and_order_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    let read = |bytes: &[u8], arguments: &[&str]| {
        fs::write(&path, bytes).unwrap();
        open(&path, arguments).data
    };
    let levels = [0u8, 51, 102, 153, 204, 255];
    let expected: Vec<f32> = levels.iter().map(|v| f32::from(*v) / 127.5 - 1.0).collect();
    let close = |set: &Dataset| set.images.to_vec().iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6);
    let sizes = [2, 1, 3];
    let bytes = |f: &dyn Fn(u8) -> Vec<u8>| levels.iter().flat_map(|v| f(*v)).collect::<Vec<u8>>();
    for (descr, values) in [
        ("|u1", levels.to_vec()),
        ("<i8", bytes(&|v| i64::from(v).to_le_bytes().into())),
        (">i4", bytes(&|v| i32::from(v).to_be_bytes().into())),
        (">u2", bytes(&|v| u16::from(v).to_be_bytes().into())),
        ("<f4", bytes(&|v| (f32::from(v) / 127.5 - 1.0).to_le_bytes().into())),
        (">f8", bytes(&|v| (f64::from(v) / 127.5 - 1.0).to_be_bytes().into())),
    ] {
        for file in [npy(descr, false, &sizes, &values), gzip(&npy(descr, false, &sizes, &values))] {
            let set = read(&file, &[]);
            assert_eq!((set.shape, set.len()), (Shape::new(1, 3, 1), 2), "{descr}");
            assert!(close(&set), "{descr}: {:?}", set.images);
        }
    }
    let set = read(&npy("|u1", true, &sizes, &[0, 153, 51, 204, 102, 255]), &[]);
    assert!(close(&set), "Fortran's order: {:?}", set.images);
    let set = read(&npy("|b1", false, &sizes, &[0, 1, 1, 0, 0, 1]), &[]);
    assert_eq!(set.images.to_vec(), [-1.0, 1.0, 1.0, -1.0, -1.0, 1.0]);
    // Channels first.
    let first: Vec<u8> = (0..2 * 3 * 8 * 8).map(|i| i as u8).collect();
    let set = read(&npy("|u1", false, &[2, 3, 8, 8], &first), &[]);
    assert_eq!(set.shape, Shape::new(8, 8, 3));
    assert_eq!(set.image(0)[..3], [0, 64, 128].map(|v| v as f32 / 127.5 - 1.0));
    // Through the axes' order that is asked for.
    let last = read(&npy("|u1", false, &[8, 8, 6], &first), &["--layout", "hwn"]);
    assert_eq!((last.len(), last.image(1)[1]), (6, 7.0 / 127.5 - 1.0));
    refuses(&path, &[], "6 of 8x8x1 (--layout hwn)");
    let scaled = read(&npy("|u1", false, &[2, 8, 8, 3], &first), &["--size", "4", "--colour", "gray"]);
    assert_eq!(scaled.shape, Shape::new(4, 4, 1));
}

#[test]
fn arrays_that_are_wrong_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    let whole = npy("|u1", false, &[2, 2, 2], &[0, 90, 0, 255, 3, 4, 5, 6]);
    for (bytes, reason) in [
        (whole[..whole.len() - 1].to_vec(), "is cut off: the header promises 2x2x2 values of 1 bytes, but 7 follow"),
        ([&whole[..], &[0]].concat(), "but more follow"),
        (npy("|u1", false, &[4], &[9; 4]), "has 1 axes"),
        (npy("|u1", false, &[0, 2, 2], &[]), "holds no images"),
        (npy("|u1", false, &[2, 2, 2], &[0, 1, 1, 0, 1, 0, 0, 1]), "did you mean --range 0..1?"),
        (npy("<c8", false, &[1, 2, 2], &[0; 32]), "holds values of type"),
        (npy("|u1", false, &[1 << 20, 1 << 10, 1 << 10], &[0; 8]), "more than 8 GB"),
        (gzip(&npy("|u1", false, &[1 << 20, 1 << 10, 1 << 10], &[0; 8])), "more than 8 GB"),
        (gzip(&npy("|u1", false, &[1, 1000, 1000], &[0; 8])), "but 8 follow"),
        (gzip(&whole)[..20].to_vec(), "broken or cut off"),
        (b"nonsense".to_vec(), "is named .npy, but does not begin as such a file does"),
        (vec![], "is empty"),
    ] {
        fs::write(&path, bytes).unwrap();
        refuses(&path, &[], reason);
    }
    fs::write(&path, npy("<f4", false, &[1, 1, 2], &[0; 8])).unwrap();
    refuses(&path, &["--colour", "rgb"], "holds floats, which --size and --colour do not change");
    let missing = try_open(&folder.path().join("no/such.npy"), &[]).unwrap_err();
    assert!(missing.to_string().contains("cannot be read") && missing.exit_code() == 1);
    for (name, reason) in [
        ("a.zip", "is an archive; unpack it"),
        ("a.pt", "numpy.save"),
        ("a.csv", "is a table"),
        ("a.bin", "in no form that is read"),
    ] {
        fs::write(folder.path().join(name), "something else").unwrap();
        refuses(&folder.path().join(name), &[], reason);
    }
    save(folder.path().join("p.png"), &gray(2, 2, 0));
    refuses(&folder.path().join("p.png"), &[], "is a single image; give the folder it lies in");
}

#[test]
fn labels_are_found_beside_arrays() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let images = idx(8, &[3, 1, 2], &[0, 255, 9, 8, 7, 6]);
    fs::write(at("t-images-idx3-ubyte.gz"), gzip(&images)).unwrap();
    let of = |arguments: &[&str]| open(&at("t-images-idx3-ubyte.gz"), arguments);
    assert_eq!(of(&[]).data.labels, None);
    assert!(of(&[]).lines().contains(&"no labels".into()));
    // Under another name, as whole numbers of 4 bytes; classes begin at 1.
    fs::write(at("t.lbl"), idx(0x0c, &[3], &[0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2])).unwrap();
    let set = of(&[]);
    assert_eq!(set.data.labels.as_ref().unwrap().values, [2, 1, 2]);
    assert!(
        set.lines().join("\n").contains("labels from t.lbl: class, 3 classes: 1 1, 2 2; 1 empty: 0"),
        "{:?}",
        set.lines()
    );
    // Of two that may be meant, none is taken, and both are named.
    fs::write(at("u.npy"), npy("|u1", false, &[3], &[0, 1, 1])).unwrap();
    let set = of(&[]);
    assert!(
        set.data.labels.is_none() && set.lines().join("\n").contains("t.lbl, u.npy may be labels"),
        "{:?}",
        set.lines()
    );
    assert_eq!(of(&["--labels", "u.npy"]).data.labels.unwrap().values, [0, 1, 1]);
    assert_eq!(of(&["--labels", at("t.lbl").to_str().unwrap()]).data.labels.unwrap().values, [2, 1, 2]);
    // The usual name goes before.
    fs::write(at("t-labels-idx1-ubyte"), idx(8, &[3], &[0, 0, 3])).unwrap();
    assert_eq!(of(&[]).data.labels.unwrap().values, [0, 0, 3]);
    assert_eq!(of(&["--labels", "none"]).data.labels, None);
    fs::write(at("t-labels-idx1-ubyte"), idx(8, &[4], &[0, 0, 3, 1])).unwrap();
    refuses(&at("t-images-idx3-ubyte.gz"), &[], "3 images, but 4 labels");
    for (bytes, reason) in [
        (&images[..images.len() - 1], "promises 3x1x2 values of 1 bytes, but 5 follow"),
        (&[0, 0, 8, 3, 0], "the IDX header is cut off"),
        (&idx(8, &[u32::MAX; 5], &[]), "more than 8 GB"),
    ] {
        fs::write(at("broken.idx"), bytes).unwrap();
        refuses(&at("broken.idx"), &["--labels", "none"], reason);
    }
}

#[test]
fn archives_of_arrays_bring_their_labels() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npz");
    let images = |seed: u8| npy("|u1", false, &[4, 2, 2], &(0..16).map(|i| seed ^ (i * 16)).collect::<Vec<u8>>());
    let names: Vec<u8> = "catdogcatowl".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    for compressed in [true, false] {
        npz(&path, &[("images.npy", images(0)), ("kind.npy", npy("<U3", false, &[4], &names))], compressed);
        let set = open(&path, &[]);
        assert_eq!((set.data.shape, set.data.len()), (Shape::new(2, 2, 1), 4));
        assert_eq!(set.data.axes()[0].classes, ["cat", "dog", "owl"]);
        let lines = set.lines().join("\n");
        assert!(lines.contains("array images of an .npz file") && lines.contains("labels from array kind"), "{lines}");
    }
    let both = |rest: &str, seed| {
        let labels = npy("|u1", false, &[4], &[seed, 0, 0, 1]);
        [(format!("x{rest}.npy"), images(seed)), (format!("y{rest}.npy"), labels)]
    };
    let arrays: Vec<_> = [both("_train", 2), both("_test", 3)].concat();
    npz(&path, &arrays.iter().map(|(name, bytes)| (&name[..], bytes.clone())).collect::<Vec<_>>(), true);
    refuses(&path, &[], "holds several arrays of images: x_train, x_test; choose with --array x_train");
    assert_eq!(open(&path, &["--array", "x_test"]).data.labels.unwrap().values, [3, 0, 0, 1]);
    assert_eq!(open(&path, &["--array", "x_test", "--labels", "y_train"]).data.labels.unwrap().values, [2, 0, 0, 1]);
    refuses(&path, &["--array", "z"], "holds no array \"z\"; it holds x_train (4x2x2)");
    npz(&path, &[("notes.txt", b"hello".to_vec())], true);
    refuses(&path, &[], "is a zip archive without .npy arrays");
    fs::write(&path, b"PK\x03\x04 and no more").unwrap();
    refuses(&path, &[], "is not a readable .npz file");
}

/// Labels that lie there and are not taken are named, and those that cannot be meant are refused.
#[test]
fn no_labels_are_dropped_without_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let says = |path: &Path, part: &str| {
        let set = open(path, &[]);
        assert!(set.lines().join("\n").contains(part), "{part}: {:?}", set.lines());
        set.data.labels.map(|labels| labels.values)
    };
    let images = at("t-images-idx3-ubyte");
    fs::write(&images, idx(8, &[3, 1, 2], &[0, 255, 9, 8, 7, 6])).unwrap();
    fs::write(at("t-labels-idx2-int"), idx(0x0c, &[3, 2], &[0, 0, 0, 1, 0, 0, 0, 5].repeat(3))).unwrap();
    assert_eq!(says(&images, "t-labels-idx2-int may be labels: --labels t-labels-idx2-int takes them"), None);
    assert_eq!(open(&images, &["--labels", "t-labels-idx2-int"]).data.labels.unwrap().values, [1, 5, 1, 5, 1, 5]);
    fs::write(at("t-labels-idx2-int"), idx(0x0c, &[3, 1], &[0, 0, 0, 1].repeat(3))).unwrap();
    assert_eq!(says(&images, "labels from t-labels-idx2-int"), Some(vec![1, 1, 1]));
    fs::write(at("labels.csv"), "file,class\n0,a\n").unwrap();
    says(&images, "labels.csv beside is not read: it is for folders of pictures and recordings");

    let path = at("a.npz");
    let x = ("x.npy", npy("|u1", false, &[4, 2, 2], &(0..16).map(|i| i * 16).collect::<Vec<u8>>()));
    let bytes = |name, count: u8| (name, npy("|u1", false, &[count.into()], &(0..count).collect::<Vec<u8>>()));
    npz(&path, &[x.clone(), bytes("y.npy", 3)], false);
    refuses(&path, &[], "4 images, but 3 labels in the array y; --labels none leaves them out");
    assert_eq!(open(&path, &["--labels", "none"]).data.labels, None);
    npz(&path, &[x.clone(), bytes("y.npy", 4), bytes("z.npy", 4)], false);
    assert_eq!(says(&path, "labels are the array y, not z; --labels chooses"), Some(vec![0, 1, 2, 3]));
    npz(&path, &[x.clone(), ("y.npy", npy("|O", false, &[4], b"pickled"))], false);
    assert_eq!(says(&path, "array y holds values of type '|O'; use numbers"), None);
    let large: Vec<u8> = (0..4).flat_map(|i| ((1u64 << 53) + i).to_le_bytes()).collect();
    npz(&path, &[x, ("y.npy", npy("<u8", false, &[4], &large))], false);
    refuses(&path, &[], "holds the label 9007199254740992; numbers so large are not exact");
}

/// What a header says of itself costs no memory before it is there.
#[test]
fn headers_are_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    for start in [&b"\x93NUMPY\x02\0\xff\xff\xff\xff{"[..], b"\x93NUMPY\x03\0\0\0\0\x80{", b"\x93NUMPY\x01"] {
        fs::write(&path, start).unwrap();
        refuses(&path, &[], "is not a readable .npy array");
    }
}

/// A table that is no file, too large or in another encoding is refused before it is read.
#[cfg(unix)]
#[test]
fn tables_are_files_of_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    save(path.join("a.png"), &gray(4, 4, 9));
    let table = path.join("labels.csv");
    assert!(std::process::Command::new("mkfifo").arg(&table).status().unwrap().success());
    refuses(path, &[], "labels.csv: is no file");
    fs::remove_file(&table).unwrap();
    fs::File::create(&table).unwrap().set_len(3 << 30).unwrap();
    refuses(path, &[], "labels.csv: has 3221225472 bytes; a table may have");
    fs::write(&table, b"\xff\xfef\0i\0l\0e\0").unwrap();
    refuses(path, &[], "labels.csv: is not UTF-8; save it as CSV in UTF-8");
    fs::write(&table, "file,class\na.png,x\n").unwrap();
    open(path, &[]);
    // A pipe among the pictures is none.
    assert!(std::process::Command::new("mkfifo").arg(path.join("b.png")).status().unwrap().success());
    fs::write(&table, "file,class\na.png,x\nb.png,y\n").unwrap();
    refuses(path, &[], "b.png: is no file");
}

/// What is asked for is checked before pictures are scaled to it, and what a range makes of values is looked at.
#[test]
fn sizes_and_ranges_that_cannot_be_meant_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path().join("a/b.png"), &gray(4, 4, 90));
    let path = &folder.path().join("a");
    refuses(path, &["--size", "3000", "--colour", "rgb"], "images of 3000x3000x3 are more than the 16777216 values");
    refuses(path, &["--range", "0..1"], "of the values lie outside --range 0..1");
    fs::write(path.join("no\u{1b}[31m\nerror: picture"), "text").unwrap();
    let lines = open(path, &["--skip-broken"]).lines();
    assert!(lines.iter().all(|line| !line.contains(['\n', '\u{1b}'])), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains(r"no\u{1b}[31m\nerror: picture")), "{lines:?}");
}

/// What cannot be read twice, as `/dev/stdin` in a pipe.
#[cfg(unix)]
#[test]
fn arrays_come_through_pipes() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let bytes = gzip(&npy("|u1", false, &[1, 2, 2], &[0, 80, 160, 240]));
    let to = pipe.clone();
    let writer = std::thread::spawn(move || fs::write(to, bytes).unwrap());
    assert_eq!(open(&pipe, &[]).data.shape, Shape::new(2, 2, 1));
    writer.join().unwrap();
}

#[test]
fn built_in_sets_take_options() {
    let faces = open(Path::new("faces16"), &[]);
    assert_eq!((faces.data.shape, faces.data.len(), faces.data.axes().len()), (Shape::new(16, 16, 3), 10_000, 3));
    assert_eq!(open(Path::new("builtin:digits"), &["--labels", "none"]).data.labels, None);
    refuses(Path::new("digits"), &["--range", "0..1"], "--range means nothing for the built-in data set digits");
}
