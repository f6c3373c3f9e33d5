//! x86-64 hosts: AVX-512 with VNNI and VBMI or AVX2, found at run time; without them, and on other hosts, the portable
//! kernels run.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod backend;
#[cfg(target_arch = "x86_64")]
mod instructions;
#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(target_arch = "x86_64")]
mod tile;

#[cfg(not(target_arch = "x86_64"))]
pub use super::backend::Portable as X86;
#[cfg(target_arch = "x86_64")]
pub use instructions::X86;
