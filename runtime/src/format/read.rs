//! Decodes postcard's primitives.
//!
//! A reader that has met the end of its bytes, or a value that is none, has failed: it gives zeros from then on, and
//! [`Reader::finish`] says so. So what reads a struct asks once, at its end.

/// Reads values one after the other.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    failed: bool,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, failed: false }
    }

    /// The next value.
    pub fn value<T: Read<'a>>(&mut self) -> T {
        T::read(self)
    }

    /// What has not been read, or `None` if something could not be read.
    pub fn finish(self) -> Option<&'a [u8]> {
        (!self.failed).then_some(self.rest)
    }

    /// Whether everything has been read.
    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty() && !self.failed
    }

    /// Whether something could not be read.
    pub fn failed(&self) -> bool {
        self.failed
    }

    /// Notes that what was read is not what should be there.
    pub fn fail(&mut self) {
        self.failed = true;
        self.rest = &[];
    }

    #[inline(never)]
    fn byte(&mut self) -> u8 {
        match self.rest.split_first() {
            Some((&byte, rest)) => {
                self.rest = rest;
                byte
            }
            None => {
                self.fail();
                0
            }
        }
    }

    /// An integer of at most `bits` bits, 32 at most: seven bits a byte, the lowest first, the eighth says that more follow.
    #[inline(never)]
    fn varint(&mut self, bits: u32) -> u32 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.byte() as u32;
            let part = byte & 0x7f;
            if shift >= bits || bits - shift < 7 && part >> (bits - shift) != 0 {
                self.fail();
                return 0;
            }
            value |= part << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    }

    /// A length and so many bytes.
    #[inline(never)]
    fn bytes(&mut self) -> &'a [u8] {
        let len = self.varint(32) as usize;
        match self.rest.split_at_checked(len) {
            Some((bytes, rest)) => {
                self.rest = rest;
                bytes
            }
            None => {
                self.fail();
                &[]
            }
        }
    }
}

/// What can be read from postcard bytes.
pub trait Read<'a>: Sized {
    /// The value at the front of the reader; something like zero if there is none.
    fn read(from: &mut Reader<'a>) -> Self;
}

impl Read<'_> for u8 {
    fn read(from: &mut Reader) -> Self {
        from.byte()
    }
}

impl Read<'_> for i8 {
    fn read(from: &mut Reader) -> Self {
        from.byte() as i8
    }
}

impl Read<'_> for bool {
    fn read(from: &mut Reader) -> Self {
        let byte = from.byte();
        if byte > 1 {
            from.fail();
        }
        byte == 1
    }
}

impl Read<'_> for u16 {
    fn read(from: &mut Reader) -> Self {
        from.varint(16) as u16
    }
}

impl Read<'_> for u32 {
    fn read(from: &mut Reader) -> Self {
        from.varint(32)
    }
}

/// Two varints of 32 bits would not do: seven bits a byte do not divide 32.
impl Read<'_> for u64 {
    #[inline(never)]
    fn read(from: &mut Reader) -> Self {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = from.byte();
            let part = (byte & 0x7f) as u64;
            if shift > 63 || shift == 63 && part > 1 {
                from.fail();
                return 0;
            }
            value |= part << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    }
}

/// 0, 1, −1, 2 … as 0, 2, 1, 4 …
fn signed(value: u32) -> i32 {
    (value >> 1) as i32 ^ -((value & 1) as i32)
}

impl Read<'_> for i16 {
    fn read(from: &mut Reader) -> Self {
        signed(from.varint(16)) as i16
    }
}

impl Read<'_> for i32 {
    #[inline(never)]
    fn read(from: &mut Reader) -> Self {
        signed(from.varint(32))
    }
}

impl Read<'_> for f32 {
    fn read(from: &mut Reader) -> Self {
        Self::from_le_bytes([from.byte(), from.byte(), from.byte(), from.byte()])
    }
}

impl<'a> Read<'a> for &'a [u8] {
    fn read(from: &mut Reader<'a>) -> Self {
        from.bytes()
    }
}

impl<'a> Read<'a> for &'a str {
    fn read(from: &mut Reader<'a>) -> Self {
        core::str::from_utf8(from.bytes()).unwrap_or_else(|_| {
            from.fail();
            ""
        })
    }
}

/// A byte that is 0 or 1, then the value if it is 1.
impl<'a, T: Read<'a>> Read<'a> for Option<T> {
    fn read(from: &mut Reader<'a>) -> Self {
        match bool::read(from) {
            true => Some(T::read(from)),
            false => None,
        }
    }
}

impl<'a, T: Read<'a>> Read<'a> for [T; 2] {
    fn read(from: &mut Reader<'a>) -> Self {
        [T::read(from), T::read(from)]
    }
}

impl<'a, T: Read<'a>> Read<'a> for [T; 3] {
    fn read(from: &mut Reader<'a>) -> Self {
        [T::read(from), T::read(from), T::read(from)]
    }
}

impl<'a, T: Read<'a>> Read<'a> for [T; crate::parse::MAX_AXES] {
    fn read(from: &mut Reader<'a>) -> Self {
        core::array::from_fn(|_| T::read(from))
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use core::fmt::Debug;
    use proptest::prelude::*;
    use std::string::String;
    use std::vec::Vec;

    /// What postcard writes is read back, up to its last byte; with any byte fewer the reader fails.
    fn read_back<'a, T: serde::Serialize + Read<'a> + PartialEq + Debug>(value: T, bytes: &'a mut Vec<u8>) {
        *bytes = postcard::to_extend(&value, Vec::new()).unwrap();
        let mut reader = Reader::new(bytes);
        assert_eq!(reader.value::<T>(), value);
        assert_eq!(reader.finish(), Some(&[][..]));
        for len in 0..bytes.len() {
            let mut reader = Reader::new(&bytes[..len]);
            reader.value::<T>();
            assert_eq!(reader.finish(), None);
        }
    }

    /// Bytes that postcard reads as `T` are read alike here, and others are refused.
    fn alike<T: for<'a> serde::Deserialize<'a> + for<'a> Read<'a> + PartialEq + Debug>(bytes: &[u8]) {
        let mut reader = Reader::new(bytes);
        let value = reader.value::<T>();
        let found = reader.finish().map(|rest| (value, rest));
        assert_eq!(found, postcard::take_from_bytes::<T>(bytes).ok(), "{bytes:x?}");
    }

    proptest! {
        #[test]
        fn what_postcard_writes_is_read(
            a: u8, b: u16, c: u32, d: u64, e: i8, f: i16, g: i32, h: bool, i: Option<u16>, j: [u16; 2], s: String, v: Vec<u8>,
        ) {
            let mut bytes = Vec::new();
            read_back(a, &mut bytes);
            read_back(b, &mut Vec::new());
            read_back(c, &mut Vec::new());
            read_back(d, &mut Vec::new());
            read_back(e, &mut Vec::new());
            read_back(f, &mut Vec::new());
            read_back(g, &mut Vec::new());
            read_back(h, &mut Vec::new());
            read_back(i, &mut Vec::new());
            read_back(j, &mut Vec::new());
            read_back(1.5f32, &mut Vec::new());
            read_back(s.as_str(), &mut Vec::new());
            let written = postcard::to_extend(&v, Vec::new()).unwrap();
            prop_assert_eq!(Reader::new(&written).value::<&[u8]>(), &v[..]);
        }

        #[test]
        fn any_bytes_are_read_as_postcard_reads_them(bytes in proptest::collection::vec(
            prop_oneof![any::<u8>(), Just(0x80), Just(0xff), Just(0x7f), Just(0), Just(1), Just(3)], 0..12,
        )) {
            alike::<u8>(&bytes);
            alike::<u16>(&bytes);
            alike::<u32>(&bytes);
            alike::<u64>(&bytes);
            alike::<i16>(&bytes);
            alike::<i32>(&bytes);
            alike::<bool>(&bytes);
            alike::<Option<u32>>(&bytes);
        }
    }
}
