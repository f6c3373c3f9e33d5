//! Counting the bytes that are read.
use super::form::Unit;
use std::io::Read;

/// A reader that tells how many of its bytes are read.
pub struct Counted<'a, R> {
    inner: R,
    done: u64,
    of: u64,
    progress: &'a dyn Fn(Unit, u64, u64),
}

impl<'a, R> Counted<'a, R> {
    /// Of `of` bytes; `progress` is told after each read.
    pub fn new(inner: R, of: u64, progress: &'a dyn Fn(Unit, u64, u64)) -> Self {
        Self { inner, done: 0, of, progress }
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.done += read as u64;
        (self.progress)(Unit::Bytes, self.done, self.of);
        Ok(read)
    }
}
