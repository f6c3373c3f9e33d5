//! Which backend runs: the one list of backends.

/// Defines `Active`, the kernels of this build, from a list of Cargo features: the backend of the feature that is on, or
/// the portable kernels. At most one may be on, and only for a target of which its condition holds.
macro_rules! backends {
    ($($feature:literal: $backend:path, on $needs:literal where $target:meta;)*) => {
        $(
            #[cfg(all(feature = $feature, not($target)))]
            compile_error!(concat!("the kernels of feature `", $feature, "` need ", $needs));
        )*
        backends!(@choose $($feature: $backend;)*);

        /// The kernels of this build.
        #[cfg(not(any($(feature = $feature),*)))]
        pub type Active = super::backend::Portable;
    };
    (@choose) => {};
    (@choose $feature:literal: $backend:path; $($other:literal: $others:path;)*) => {
        #[cfg(all(feature = $feature, any($(feature = $other),*)))]
        compile_error!(concat!(
            "at most one kernel backend: feature `", $feature, "` is on, and one of" $(, " `", $other, "`")*
        ));

        /// The kernels of this build.
        #[cfg(all(feature = $feature, not(any($(feature = $other),*))))]
        pub type Active = $backend;

        backends!(@choose $($other: $others;)*);
    };
}

// Stable Rust does not tell which extensions an Arm core has; Armv6-M alone is known by its lack of atomic exchanges.
// The assembler refuses instructions that the core lacks.
backends! {
    "armv6m": super::armv6m::Armv6m, on "a Cortex-M core" where all(target_arch = "arm", target_os = "none");
    "armv7m": super::armv7m::Armv7m, on "a Cortex-M core from M3 on"
        where all(target_arch = "arm", target_os = "none", target_has_atomic = "32");
    "cortex-m-dsp": super::dsp::Dsp, on "a Cortex-M core with the DSP extension: M4, M7, M33"
        where all(target_arch = "arm", target_os = "none", target_has_atomic = "32");
    "helium": super::helium::Helium, on "a Cortex-M core with the vector extension: M55, M85"
        where all(target_arch = "arm", target_os = "none", target_has_atomic = "32");
    "rv32": super::rv32::Rv32, on "32-bit RISC-V with multiplication"
        where all(target_arch = "riscv32", target_feature = "m");
    "host-simd": super::x86::X86, on "a host with the standard library" where not(target_os = "none");
}
