//! Lists of items that lie one after the other.

use super::read::{Read, Reader};
use core::marker::PhantomData;

/// Iterator over the items of a list; ends at the first that cannot be read.
#[derive(Clone, Debug)]
pub(crate) struct Items<'a, T> {
    rest: &'a [u8],
    item: PhantomData<T>,
}

impl<'a, T> Items<'a, T> {
    /// The bytes that have not been read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a, T: Read<'a>> Iterator for Items<'a, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let mut reader = Reader::new(self.rest);
        let item = T::read(&mut reader);
        let rest = reader.finish()?;
        #[cfg(test)]
        super::work::add(self.rest.len() - rest.len());
        self.rest = rest;
        Some(item)
    }
}

/// The items encoded in `bytes`.
pub(crate) fn items<T>(bytes: &[u8]) -> Items<'_, T> {
    Items { rest: bytes, item: PhantomData }
}
