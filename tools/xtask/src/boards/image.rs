//! What a firmware's ELF file puts into flash.

use anyhow::{Context, Result};
use brownian::host::OwnedModel;
use brownian_board::demo::source;
use object::{Object, ObjectSegment, ObjectSymbol};
use std::collections::HashMap;
use std::path::Path;

/// Bytes at addresses, and the addresses of symbols.
#[derive(Debug, Clone, Default)]
pub struct Image {
    elf: Vec<u8>,
    parts: Vec<(u32, Vec<u8>)>,
    symbols: HashMap<String, u64>,
    variables: u64,
}

impl Image {
    /// Of an ELF file; bytes are at their physical addresses.
    pub fn read(elf: &Path) -> Result<Self> {
        let bytes = std::fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
        let file = object::read::elf::ElfFile32::<object::Endianness>::parse(&*bytes)
            .with_context(|| format!("{} is no ELF file of 32 bits", elf.display()))?;
        let variables = crate::firmware::sizes(elf)?.statics;
        let mut image = Self { elf: bytes.clone(), variables, ..Self::default() };
        for segment in file.segments() {
            let data = segment.data()?;
            if !data.is_empty() {
                let physical = segment.elf_program_header().p_paddr.get(file.endian());
                image.parts.push((physical, data.to_vec()));
            }
        }
        let symbols = file.symbols().filter_map(|symbol| Some((symbol.name().ok()?.to_owned(), symbol.address())));
        image.symbols.extend(symbols);
        Ok(image)
    }

    /// The ELF file that it was read from.
    pub fn elf(&self) -> &[u8] {
        &self.elf
    }

    /// The bytes, by address.
    pub fn parts(&self) -> &[(u32, Vec<u8>)] {
        &self.parts
    }

    /// The value of a symbol.
    pub fn symbol(&self, name: &str) -> Result<u64> {
        self.symbols.get(name).copied().with_context(|| format!("the firmware has no symbol {name}"))
    }

    /// Bytes of variables.
    pub fn variables(&self) -> u64 {
        self.variables
    }

    /// Puts a model's file into the region that the firmware keeps for it.
    ///
    /// Fails where it is no model, or too large for the region or for `room` bytes of RAM, and says by how much.
    pub fn add_model(&mut self, file: &Path, room: u64) -> Result<()> {
        let model = OwnedModel::read(file)?;
        let (name, bytes) = (file.display(), model.bytes().to_vec());
        let [start, end] = [self.symbol("__model_start")?, self.symbol("__model_end")?];
        too_much(&format!("{name} has"), bytes.len() as u64, end - start, "the board's flash has for a model")?;
        let ram = source::ram(&bytes) as u64;
        too_much(&format!("{name} needs RAM of"), ram, room, "the board has free for a model")?;
        self.add(start as u32, bytes);
        Ok(())
    }

    /// Puts bytes at an address.
    pub fn add(&mut self, address: u32, bytes: Vec<u8>) {
        self.parts.push((address, bytes));
    }
}

#[cfg(test)]
impl Image {
    /// Without bytes, and with a region of so many for a model.
    pub fn with_region(region: u64) -> Self {
        let symbols = [("__model_start", 0x1000), ("__model_end", 0x1000 + region)];
        Self { symbols: symbols.map(|(name, value)| (name.to_owned(), value)).into(), ..Self::default() }
    }
}

/// Fails where `needed` is more than there is.
fn too_much(what: &str, needed: u64, found: u64, place: &str) -> Result<()> {
    anyhow::ensure!(needed <= found, "{what} {needed} bytes, {} more than the {found} that {place}", needed - found);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use brownian_tests::shipped_model;

    /// A model that fits goes to its region; one byte of flash or RAM less, and the error says so.
    #[test]
    fn a_model_that_does_not_fit_is_refused_by_how_much() {
        let file = shipped_model("digits28-nano");
        let bytes = std::fs::read(&file).unwrap();
        let (len, ram) = (bytes.len() as u64, source::ram(&bytes) as u64);
        let mut fits = Image::with_region(len);
        fits.add_model(&file, ram).unwrap();
        assert_eq!(fits.parts(), [(0x1000, bytes)]);
        let flash = Image::with_region(len - 1).add_model(&file, ram).unwrap_err().to_string();
        assert!(flash.contains(&format!("{len} bytes, 1 more than the {}", len - 1)), "{flash}");
        let memory = Image::with_region(len).add_model(&file, ram - 5).unwrap_err().to_string();
        assert!(memory.contains(&format!("RAM of {ram} bytes, 5 more")), "{memory}");
    }

    /// Something else than a model is named.
    #[test]
    fn what_is_no_model_is_refused() {
        let manifest = crate::firmware::root().join("Cargo.toml");
        let error = Image::with_region(1 << 20).add_model(&manifest, 1 << 20).unwrap_err().to_string();
        assert!(error.contains("Cargo.toml") && error.contains("not a Brownian model"), "{error}");
        assert!(Image::with_region(1 << 20)
            .add_model(Path::new("nowhere.brn"), 0)
            .unwrap_err()
            .to_string()
            .contains("nowhere.brn"));
    }
}
