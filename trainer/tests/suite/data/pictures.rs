//! Pictures in files, of every format, size and colour.
use super::{gray, open, refuses, save};
use brownian_trainer::data;
use brownian_trainer::graph::Shape;
use image::{DynamicImage, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage};
use std::fs;
use std::path::Path;

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

/// A picture whose left half is red and whose right half is blue.
fn red_and_blue(width: u32, height: u32) -> DynamicImage {
    let pixel = |x, _| if x < width / 2 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) };
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, pixel))
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
