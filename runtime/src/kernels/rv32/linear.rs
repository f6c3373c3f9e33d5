//! Linear layers: several outputs share each input.

/// See [`Rows`](crate::kernels::shared::rows::Rows): four outputs share each input.
pub unsafe fn add_rows(acc: &mut [i32; 4], input: *const i8, row: *const i8, step: usize, inputs: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut rows = [row, row.add(step), row.add(2 * step), row.add(3 * step)];
        let mut sums = *acc;
        let mut add = |input: *const i8, tap: usize, rows: &[*const i8; 4]| {
            for (sum, row) in sums.iter_mut().zip(rows) {
                *sum = sum.wrapping_add(*input.add(tap) as i32 * *row.add(tap) as i32);
            }
        };
        let (mut at, end, unrolled) = (input, input.add(inputs), input.add(inputs & !3));
        while at != unrolled {
            for tap in 0..4 {
                add(at, tap, &rows);
            }
            rows = rows.map(|row| row.wrapping_add(4));
            at = at.add(4);
        }
        while at != end {
            add(at, 0, &rows);
            rows = rows.map(|row| row.wrapping_add(1));
            at = at.add(1);
        }
        *acc = sums;
    }
}
