//! How a batch is cut up, so that sums have one order whatever the number of threads.

/// Number of chunks that a batch is cut into, whatever the number of threads.
pub const CHUNKS: usize = 8;

/// Images in each chunk of a batch; the last chunks may hold fewer or none.
pub fn images_per_chunk(batch: usize) -> usize {
    batch.div_ceil(CHUNKS).max(1)
}
