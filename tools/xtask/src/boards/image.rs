//! What a firmware's ELF file puts into flash.

use anyhow::{Context, Result};
use brownian::host::OwnedModel;
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

    /// Puts a model into the region that the firmware keeps for it.
    pub fn add_model(&mut self, model: &OwnedModel) -> Result<()> {
        let start = self.symbol("__model_start")?;
        self.add(start as u32, model.bytes().to_vec());
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

#[cfg(test)]
mod tests {
    use super::*;
    use brownian_tests::shipped_model;

    #[test]
    fn a_model_goes_to_its_region() {
        let model = OwnedModel::read(shipped_model("digits28-nano")).unwrap();
        let mut image = Image::with_region(1 << 20);
        image.add_model(&model).unwrap();
        assert_eq!(image.parts(), [(0x1000, model.bytes().to_vec())]);
    }
}
