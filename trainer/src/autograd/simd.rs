//! Loops over slices, compiled for several instruction sets and chosen at run time. None contracts or reorders a sum by
//! the set's width, so all give the same bits.
use super::chunks::{images_per_chunk, CHUNKS};
use multiversion::multiversion;
use rayon::prelude::*;

/// Pixels handled together, so that loops over channels are long enough for wide registers.
const PIXELS: usize = 16;

/// `a += b`.
pub fn add_assign(a: &mut [f32], b: &[f32]) {
    let per = a.len().div_ceil(CHUNKS).max(1);
    a.par_chunks_mut(per).zip(b.par_chunks(per)).for_each(|(a, b)| add_slice(a, b));
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn add_slice(a: &mut [f32], b: &[f32]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
}

/// Σ v².
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn sum_of_squares(v: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 16];
    let (blocks, rest) = v.as_chunks::<16>();
    for block in blocks {
        for (lane, v) in lanes.iter_mut().zip(block) {
            *lane += v * v;
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|v| v * v).sum::<f32>()
}

/// The sum of each of `channels` columns.
pub fn column_sums(v: &[f32], channels: usize) -> Vec<f32> {
    column_products(v, None, channels).into_iter().map(|[sum, _]| sum as f32).collect()
}

/// The sum of each of `channels` columns of one image, on this thread.
pub fn image_column_sums(v: &[f32], channels: usize) -> Vec<f32> {
    columns(v, v, channels).into_iter().map(|[sum, _]| sum as f32).collect()
}

/// For each of `channels` columns (Σ a, Σ a·b), or (Σ a, Σ a²) without `b`.
pub fn column_products(a: &[f32], b: Option<&[f32]>, channels: usize) -> Vec<[f64; 2]> {
    let per = images_per_chunk(a.len() / channels) * channels;
    let b = b.unwrap_or(a);
    let parts: Vec<Vec<[f64; 2]>> =
        a.par_chunks(per).zip(b.par_chunks(per)).map(|(a, b)| columns(a, b, channels)).collect();
    let mut sums = vec![[0.0; 2]; channels];
    for part in parts {
        for (s, p) in sums.iter_mut().zip(part) {
            s[0] += p[0];
            s[1] += p[1];
        }
    }
    sums
}

fn columns(a: &[f32], b: &[f32], channels: usize) -> Vec<[f64; 2]> {
    let mut lanes = [vec![0.0; PIXELS * channels], vec![0.0; PIXELS * channels]];
    let [sums, products] = &mut lanes;
    accumulate(a, b, sums, products);
    let mut columns = vec![[0.0; 2]; channels];
    for (i, lane) in lanes.iter().enumerate() {
        for pixel in lane.chunks_exact(channels) {
            columns.iter_mut().zip(pixel).for_each(|(c, v)| c[i] += f64::from(*v));
        }
    }
    columns
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn accumulate(a: &[f32], b: &[f32], sums: &mut [f32], products: &mut [f32]) {
    for (a, b) in a.chunks(sums.len()).zip(b.chunks(sums.len())) {
        for (((s, p), a), b) in sums.iter_mut().zip(&mut *products).zip(a).zip(b) {
            *s += a;
            *p += a * b;
        }
    }
}

/// Coefficients a channel, repeated so that they line up with [`PIXELS`] pixels.
pub fn tile(coefficients: impl Iterator<Item = f32> + Clone) -> Vec<f32> {
    (0..PIXELS).flat_map(|_| coefficients.clone()).collect()
}

/// `y = a·x + b` with tiled coefficients.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn scale_shift(x: &[f32], a: &[f32], b: &[f32], y: &mut [f32]) {
    for (x, y) in x.chunks(a.len()).zip(y.chunks_mut(a.len())) {
        for (((x, y), a), b) in x.iter().zip(y).zip(a).zip(b) {
            *y = a * x + b;
        }
    }
}

/// `d = a·d + b·x + c` with tiled coefficients.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn combine(d: &mut [f32], x: &[f32], a: &[f32], b: &[f32], c: &[f32]) {
    for (d, x) in d.chunks_mut(a.len()).zip(x.chunks(a.len())) {
        for ((((d, x), a), b), c) in d.iter_mut().zip(x).zip(a).zip(b).zip(c) {
            *d = a * *d + b * x + c;
        }
    }
}

/// `y = x + b` with tiled coefficients.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn shift(x: &[f32], b: &[f32], y: &mut [f32]) {
    for (x, y) in x.chunks(b.len()).zip(y.chunks_mut(b.len())) {
        for ((x, y), b) in x.iter().zip(y).zip(b) {
            *y = x + b;
        }
    }
}

/// The multiple of `scale` nearest to x (ties to even) within `low..=high`, with tiled `[scale, 1/scale, low, high]`.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn round_to_grid(x: &[f32], grid: [&[f32]; 4], y: &mut [f32]) {
    let [scale, inverse, low, high] = grid;
    for (x, y) in x.chunks(scale.len()).zip(y.chunks_mut(scale.len())) {
        for (((((x, y), s), i), l), h) in x.iter().zip(y).zip(scale).zip(inverse).zip(low).zip(high) {
            // Adding and taking away 1.5·2²³ rounds to the nearest integer; the limits keep it within what that holds
            // for.
            let bounded = x.max(*l).min(*h);
            *y = ((bounded * i + 12_582_912.0) - 12_582_912.0) * s;
        }
    }
}

/// `d = 0` where x lies outside `low..=high`, which are tiled.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn inside(d: &mut [f32], x: &[f32], low: &[f32], high: &[f32]) {
    for (d, x) in d.chunks_mut(low.len()).zip(x.chunks(low.len())) {
        for (((d, x), l), h) in d.iter_mut().zip(x).zip(low).zip(high) {
            *d = if *x >= *l && *x <= *h { *d } else { 0.0 };
        }
    }
}

/// 1/(1 + e⁻ˣ), by a polynomial that vectorises; relative error below 1e-5.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    let power = (-x).clamp(-80.0, 80.0) * std::f32::consts::LOG2_E;
    // Adding and taking away 1.5·2²³ rounds to the nearest integer.
    let whole = (power + 12_582_912.0) - 12_582_912.0;
    let f = power - whole;
    let fraction = 1.0
        + f * (std::f32::consts::LN_2
            + f * (0.240_226_5 + f * (0.055_504_11 + f * (0.009_618_13 + f * (0.001_333_36 + f * 0.000_154_03)))));
    let exp = fraction * f32::from_bits(((whole as i32 + 127) << 23) as u32);
    1.0 / (1.0 + exp)
}

/// `y = x·sigmoid(x)`.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn silu(x: &[f32], y: &mut [f32]) {
    x.iter().zip(y).for_each(|(x, y)| *y = x * sigmoid(*x));
}

/// `d *= silu'(x)`.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn silu_backward(x: &[f32], d: &mut [f32]) {
    for (x, d) in x.iter().zip(d) {
        let s = sigmoid(*x);
        *d *= s * (1.0 + x * (1.0 - s));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigmoid_is_accurate() {
        for i in -9000..=9000 {
            let x = i as f32 * 0.01;
            let exact = 1.0 / (1.0 + (-f64::from(x)).exp());
            let error = (f64::from(sigmoid(x)) - exact).abs();
            assert!(error <= 1e-6 * exact.max(1e-4) * 10.0 || error < 1e-30, "sigmoid({x}) off by {error}");
        }
    }

    #[test]
    fn columns_are_summed() {
        let v: Vec<f32> = (0..3 * 100).map(|i| i as f32).collect();
        let sums = column_products(&v, None, 3);
        for (c, [sum, squares]) in sums.into_iter().enumerate() {
            let column = || (0..100).map(|p| (3 * p + c) as f64);
            assert_eq!(sum, column().sum::<f64>());
            assert!((squares - column().map(|v| v * v).sum::<f64>()).abs() < 1.0);
        }
    }
}
