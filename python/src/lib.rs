//! The module `brownian._native`, on which the Python package `brownian` stands: models, draws, plans and schedules of
//! the crate `brownian`. Arrays cross as bytes; the package gives them their shapes.

mod draw;
mod error;
mod model;
mod plan;
mod request;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::error::Error;
    #[pymodule_export]
    use super::model::Model;
    #[pymodule_export]
    use super::plan::{
        build, build_bits, cosine, evenly_kept, geometric, linear, rescale_to_zero_terminal_snr, sigmoid, times,
    };
}
