//! Matrix product on strided slices.

/// A matrix in a slice: element (r, c) is `values[r * row_stride + c * column_stride]`.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    pub values: &'a [f32],
    pub row_stride: usize,
    pub column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Rows of `columns` values one after another.
    pub fn rows(values: &'a [f32], columns: usize) -> Self {
        Self { values, row_stride: columns, column_stride: 1 }
    }

    /// The same values with rows and columns swapped.
    pub fn transposed(self) -> Self {
        Self { row_stride: self.column_stride, column_stride: self.row_stride, ..self }
    }

    fn holds(&self, rows: usize, columns: usize) -> bool {
        (rows - 1) * self.row_stride + (columns - 1) * self.column_stride < self.values.len()
    }
}

/// `dst` (m rows of n values) = `lhs` (m × k) · `rhs` (k × n), added to what `dst` holds if `accumulate`.
///
/// # Panics
/// If a matrix does not lie in its slice; the callers derive every size from validated shapes.
pub fn gemm([m, n, k]: [usize; 3], dst: &mut [f32], lhs: Matrix, rhs: Matrix, accumulate: bool) {
    if m == 0 || n == 0 {
        return;
    }
    assert!(k > 0 && dst.len() >= m * n && lhs.holds(m, k) && rhs.holds(k, n));
    // SAFETY: the assertion shows that every element addressed by the sizes and strides lies inside its slice, and
    // `dst` is borrowed mutably, so it overlaps neither factor.
    unsafe {
        gemm_f32::gemm::f32::get_gemm_fn()(
            m,
            n,
            k,
            dst.as_mut_ptr(),
            1,
            n as isize,
            accumulate,
            lhs.values.as_ptr(),
            lhs.column_stride as isize,
            lhs.row_stride as isize,
            rhs.values.as_ptr(),
            rhs.column_stride as isize,
            rhs.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm_common::Parallelism::None,
        );
    }
}
