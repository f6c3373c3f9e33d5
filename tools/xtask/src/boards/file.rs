//! Files that are flashed.

use super::image::Image;
use super::list::{Board, Form};
use super::uf2;
use anyhow::{Context, Result};

/// Bytes of a line of Intel's hexadecimal form.
const LINE: usize = 16;

/// The file of an image, in the form that the board takes.
pub fn of(board: &Board, image: &Image) -> Result<Vec<u8>> {
    in_form(board.file, image)
}

/// The file of an image in this form.
pub fn in_form(form: Form, image: &Image) -> Result<Vec<u8>> {
    match form {
        Form::Uf2(family) => Ok(uf2::file(image.parts(), family)),
        Form::Hex => hex(image.parts()),
        Form::Bin(start) => bin(image.parts(), start),
        // A model is not part of it; `Form::model_command` says how it gets to its region.
        Form::Elf(_) => Ok(image.elf().to_vec()),
    }
}

/// Its usual name.
pub fn name(board: &Board) -> String {
    name_in_form(board, board.file)
}

/// The usual name of a file of this form.
pub fn name_in_form(board: &Board, form: Form) -> String {
    format!("brownian-{}.{}", board.name, form.extension())
}

/// The flash from `start` on, up to the last part's end. What no part has is ones, like erased flash; of parts that overlap
/// the later one counts.
fn bin(parts: &[(u32, Vec<u8>)], start: u32) -> Result<Vec<u8>> {
    let mut flash = Vec::new();
    for (address, bytes) in parts {
        let at = address.checked_sub(start).with_context(|| {
            format!("the firmware has bytes at {address:#x}, before the flash that a .bin holds, from {start:#x} on")
        })? as usize;
        flash.resize(flash.len().max(at + bytes.len()), 0xff);
        flash[at..at + bytes.len()].copy_from_slice(bytes);
    }
    Ok(flash)
}

fn hex(parts: &[(u32, Vec<u8>)]) -> Result<Vec<u8>> {
    let mut records = Vec::new();
    for (start, bytes) in parts {
        let mut upper = None;
        let mut at = *start;
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            if upper != Some((at >> 16) as u16) {
                upper = Some((at >> 16) as u16);
                records.push(ihex::Record::ExtendedLinearAddress((at >> 16) as u16));
            }
            // A line does not cross the 64 KB that its upper address counts.
            let room = 0x1_0000 - (at as usize & 0xffff);
            let (line, others) = rest.split_at(rest.len().min(LINE).min(room));
            records.push(ihex::Record::Data { offset: at as u16, value: line.to_vec() });
            (at, rest) = (at.wrapping_add(line.len() as u32), others);
        }
    }
    records.push(ihex::Record::EndOfFile);
    let text =
        ihex::create_object_file_representation(&records).ok().context("the image cannot be written as lines")?;
    Ok(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts lie where they are in flash, ones between them; what lies before the flash is refused.
    #[test]
    fn parts_become_flash() {
        let parts = [(0x0800_0003, vec![4, 5]), (0x0800_0000, vec![1, 2])];
        assert_eq!(bin(&parts, 0x0800_0000).unwrap(), [1, 2, 0xff, 4, 5]);
        let error = bin(&parts, 0x0800_0001).unwrap_err().to_string();
        assert!(error.contains("bytes at 0x8000000, before the flash"), "{error}");
    }

    /// Lines of 16 bytes at most, an upper address where it changes, checksums (the two's complement of the sum).
    #[test]
    fn parts_become_lines() {
        let parts = [(0x0000_fffe, vec![1, 2, 3]), (0x2, vec![0; 17])];
        let text = String::from_utf8(hex(&parts).unwrap()).unwrap();
        let expected = [
            ":020000040000FA",
            ":02FFFE000102FE",
            ":020000040001F9",
            ":0100000003FC",
            ":020000040000FA",
            ":1000020000000000000000000000000000000000EE",
            ":0100120000ED",
            ":00000001FF",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }
}
