//! Trains, quantizes, exports and samples Brownian diffusion models on the host.
fn main() {}
