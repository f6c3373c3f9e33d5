//! Where the model comes from: a flash region of its own, or the firmware.

use super::frame::Note;
use brownian::{arena_len, state_kind, state_len, Model, ParseError};
use core::fmt;

/// A model that is ready to draw, and what is to be said of its origin.
#[derive(Debug, Clone, Copy)]
pub struct Source<'m> {
    model: &'m Model<'m>,
    found: Found,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Region,
    BuiltIn { region: RegionError },
}

/// Why the region's model is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionError {
    /// The board has no region, or nothing has been written to it.
    Empty,
    /// The model's file is longer than the region.
    Flash {
        /// Bytes of the file.
        needed: u32,
        /// Bytes of the region.
        found: u32,
    },
    /// The model needs more RAM than there is.
    Ram {
        /// Bytes that it needs for arena and state.
        needed: u32,
        /// Bytes that are free.
        found: u32,
    },
    /// It is no model, one of another version, or damaged.
    Model(ParseError),
}

impl fmt::Display for RegionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => f.write_str("is empty"),
            Self::Flash { needed, found } => {
                let more = needed.saturating_sub(found);
                write!(f, "holds {found} bytes, its model has {needed}, {more} too many")
            }
            Self::Ram { needed, found } => {
                let more = needed.saturating_sub(found);
                write!(f, "has a model that needs {needed} bytes of RAM, {more} more than are free")
            }
            Self::Model(error) => write!(f, "cannot be used: {error}"),
        }
    }
}

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.found {
            Found::Region => f.write_str("from its flash region"),
            Found::BuiltIn { region: RegionError::Empty } => f.write_str("built in"),
            Found::BuiltIn { region } => write!(f, "built in, since the model region {region}"),
        }
    }
}

impl<'m> Source<'m> {
    /// The model.
    pub fn model(&self) -> &'m Model<'m> {
        self.model
    }

    /// Why the region's model is not the one, where it is not and the region is not merely empty.
    pub fn fault(&self) -> Option<RegionError> {
        match self.found {
            Found::BuiltIn { region } if region != RegionError::Empty => Some(region),
            _ => None,
        }
    }

    /// What a display is to say of the region.
    pub fn note(&self) -> Note {
        match self.found {
            Found::Region => Note::None,
            Found::BuiltIn { region } => match region {
                RegionError::Empty => Note::BuiltIn,
                RegionError::Flash { .. } | RegionError::Ram { .. } => Note::TooLarge,
                RegionError::Model(ParseError::Version { .. }) => Note::BadFormat,
                RegionError::Model(_) => Note::BadModel,
            },
        }
    }

    /// The model of `region` if it can run in `room` bytes of RAM, else the one that is built in, which `slot` keeps.
    ///
    /// # Errors
    /// Neither can: why the built-in one cannot.
    pub fn choose(
        region: &'m [u8],
        built_in: &'m [u8],
        room: usize,
        slot: &'m mut Option<Model<'m>>,
    ) -> Result<Self, RegionError> {
        let (model, found) = match in_region(region, room) {
            Ok(model) => (model, Found::Region),
            Err(region) => (usable(built_in, room)?, Found::BuiltIn { region }),
        };
        Ok(Self { model: slot.insert(model), found })
    }
}

/// The model at the beginning of a region.
fn in_region(region: &[u8], room: usize) -> Result<Model<'_>, RegionError> {
    // Erased flash reads as ones, and memory that was never written as zeros.
    if region.iter().take(16).all(|&byte| byte == 0xff) || region.iter().take(16).all(|&byte| byte == 0) {
        return Err(RegionError::Empty);
    }
    match Model::parse(region) {
        // A region that is longer than its file: the file says how long it is.
        Err(ParseError::Length { expected, found }) => match region.get(..expected as usize) {
            Some(file) => usable(file, room),
            None => Err(RegionError::Flash { needed: expected, found }),
        },
        _ => usable(region, room),
    }
}

/// The model of a file, if its arena and state fit.
fn usable(file: &[u8], room: usize) -> Result<Model<'_>, RegionError> {
    let model = Model::parse(file).map_err(RegionError::Model)?;
    let needed = ram(file);
    if needed > room {
        return Err(RegionError::Ram { needed: needed as u32, found: room as u32 });
    }
    Ok(model)
}

/// Bytes of RAM for the arena and the state of a model's file.
pub const fn ram(file: &[u8]) -> usize {
    arena_len(file).next_multiple_of(16).saturating_add(state_len(file).saturating_mul(state_kind(file).element_len()))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use brownian::include_model;
    use std::string::ToString;
    use std::vec::Vec;

    static BUILT_IN: &[u8] = include_model!("../../../../models/digits28.brn");
    static NANO: &[u8] = include_model!("../../../../models/digits28-nano.brn");

    /// Memory of 64 KB that begins like flash, at a multiple of 16.
    fn region(file: &[u8]) -> &'static [u8] {
        let words: Vec<u128> = std::vec![u128::MAX; 4096];
        let bytes = std::vec::Vec::leak(words);
        // SAFETY: the same memory as bytes, which may have any value; it is leaked and borrowed once.
        let bytes = unsafe { core::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast::<u8>(), 65536) };
        let len = file.len().min(bytes.len());
        bytes[..len].copy_from_slice(&file[..len]);
        bytes
    }

    fn source(region: &'static [u8], room: usize) -> Result<Source<'static>, RegionError> {
        let slot = std::boxed::Box::leak(std::boxed::Box::new(None));
        Source::choose(region, BUILT_IN, room, slot)
    }

    fn choose(region: &'static [u8], room: usize) -> Result<(u32, std::string::String), RegionError> {
        source(region, room).map(|s| (s.model().checksum(), s.to_string()))
    }

    fn checksum(file: &'static [u8]) -> u32 {
        Model::parse(file).unwrap().checksum()
    }

    #[test]
    fn the_region_comes_first() {
        assert_eq!(choose(region(NANO), 1 << 20), Ok((checksum(NANO), "from its flash region".to_string())));
        let own = (checksum(BUILT_IN), "built in".to_string());
        assert_eq!([&[], region(&[])].map(|region| choose(region, 1 << 20)), [Ok(own.clone()), Ok(own)]);
        let note = |region| source(region, 1 << 20).unwrap().note();
        assert_eq!([region(NANO), &[], region(&[])].map(note), [Note::None, Note::BuiltIn, Note::BuiltIn]);
    }

    /// Another version, a damaged byte, a file that is cut off, something else altogether: said, and the built-in model
    /// draws.
    #[test]
    fn what_is_wrong_with_the_region_is_said() {
        let changed = |at: usize, byte: u8| {
            let mut file = NANO.to_vec();
            file[at] = byte;
            region(&file)
        };
        let middle = NANO.len() / 2;
        let too_long = std::format!("{} too many", BUILT_IN.len() - 65536);
        for (region, words, note) in [
            (changed(4, 99), "version", Note::BadFormat),
            (changed(middle, !NANO[middle]), "checksum", Note::BadModel),
            (region(b"a text that is no model at all"), "not a brownian model", Note::BadModel),
            (region(BUILT_IN), &too_long, Note::TooLarge),
        ] {
            let (found, said) = choose(region, 1 << 20).unwrap();
            assert_eq!(found, checksum(BUILT_IN));
            assert!(said.starts_with("built in, since the model region "), "{said}");
            assert!(said.to_lowercase().contains(words), "{said}: {words}");
            assert_eq!(source(region, 1 << 20).unwrap().note(), note, "{said}");
        }
    }

    /// Too little RAM for the region's model, then for both.
    #[test]
    fn too_little_ram_is_said_by_how_much() {
        let (large, small) = (ram(BUILT_IN), ram(NANO));
        assert!(small < large);
        assert_eq!(choose(region(NANO), small).unwrap().0, checksum(NANO));
        let error = choose(region(NANO), small - 1).unwrap_err();
        assert_eq!(error, RegionError::Ram { needed: large as u32, found: small as u32 - 1 });
        let by = large - (small - 1);
        assert!(error.to_string().ends_with(&std::format!("{by} more than are free")), "{error}");
    }
}
