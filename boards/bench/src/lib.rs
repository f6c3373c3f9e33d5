#![no_std]
//! What the bench and the check firmware share: exact instruction counts and reproducible data.

pub mod count;
pub mod data;
