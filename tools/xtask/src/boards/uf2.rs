//! UF2 files (github.com/microsoft/uf2): blocks of 512 bytes, each with 256 bytes of flash and their address.

use std::collections::BTreeMap;

const MAGIC: [u32; 2] = [0x0a32_4655, 0x9e5d_5157];
const END: u32 = 0x0ab1_6f30;
/// The size field is the chip's family.
const HAS_FAMILY: u32 = 0x2000;
/// Bytes of flash in a block; a chip's boot loader takes whole pages.
const PAGE: usize = 256;

/// A UF2 file for chips of `family`. What a page has beside the parts' bytes is ones, like erased flash; of parts that
/// overlap the later one counts.
pub fn file(parts: &[(u32, Vec<u8>)], family: u32) -> Vec<u8> {
    let mut pages: BTreeMap<u32, [u8; PAGE]> = BTreeMap::new();
    for (start, bytes) in parts {
        for (address, &byte) in (*start..).zip(bytes) {
            let page = pages.entry(address / PAGE as u32).or_insert([0xff; PAGE]);
            page[address as usize % PAGE] = byte;
        }
    }
    let mut file = Vec::new();
    for (index, (number, page)) in pages.iter().enumerate() {
        let address = number * PAGE as u32;
        let head = [MAGIC[0], MAGIC[1], HAS_FAMILY, address, PAGE as u32, index as u32, pages.len() as u32, family];
        file.extend(head.iter().flat_map(|word| word.to_le_bytes()));
        file.extend(page);
        file.resize(index * 512 + 508, 0);
        file.extend(END.to_le_bytes());
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two parts that share a page, and one far away: two blocks, numbered, with the family, padded with ones.
    #[test]
    fn parts_become_pages() {
        let parts = [(0x1000_00fe, vec![1, 2]), (0x1000_0100, vec![3]), (0x1000_0103, vec![4])];
        let file = file(&parts, 0xe48b_ff56);
        assert_eq!(file.len(), 1024);
        for (block, bytes) in file.chunks(512).enumerate() {
            let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
            assert_eq!([word(0), word(4), word(8), word(508)], [MAGIC[0], MAGIC[1], 0x2000, END]);
            let address = 0x1000_0000 + 0x100 * block as u32;
            assert_eq!(
                [word(12), word(16), word(20), word(24), word(28)],
                [address, 256, block as u32, 2, 0xe48b_ff56]
            );
            assert!(bytes[288..508].iter().all(|&byte| byte == 0));
        }
        assert_eq!(file[32 + 253..32 + 256], [0xff, 1, 2]);
        assert_eq!(file[512 + 32..512 + 37], [3, 0xff, 0xff, 4, 0xff]);
    }
}
