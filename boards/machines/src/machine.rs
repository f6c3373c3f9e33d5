//! What is known of a machine: what it is built from, how it is run, and how its ticks become instructions.

/// One emulated core. Its `name` is also the firmware's Cargo feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// Short name, as given to `--core`.
    pub name: &'static str,
    /// The core, for tables.
    pub core: &'static str,
    /// Rust target triple.
    pub target: &'static str,
    /// QEMU's program.
    pub qemu: &'static str,
    /// The Debian package that holds it.
    pub package: &'static str,
    /// Arguments that choose the board.
    pub board: &'static [&'static str],
    /// Values of `-cpu`, of which the first that the installed QEMU takes counts; none: the board's own core.
    pub cpus: &'static [&'static str],
    /// The runtime's Cargo feature for the fast kernels of this core; without one it runs the portable kernels.
    pub backend: Option<&'static str>,
    /// The compiler's flags that let the assembler know what the core has beyond its target.
    pub rustflags: &'static [&'static str],
    /// Nanoseconds a tick of the firmware's counter, times 100: under `-icount shift=0` an
    /// instruction takes one virtual nanosecond.
    pub instructions_per_100_ticks: u32,
    /// Where code and constants go.
    pub flash: Region,
    /// Where variables and the stack go.
    pub ram: Region,
    /// Kilobytes of `ram` that the firmware with a model gets.
    pub model_ram: u32,
    /// The shipped model that its firmware runs.
    pub model: &'static str,
    /// The core's name in the table of `cargo xtask bench`; `None`: its kernels are checked, not counted.
    pub bench: Option<&'static str>,
}

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// The first.
    pub origin: u32,
    /// In kilobytes.
    pub kilobytes: u32,
}

impl Machine {
    /// Name of the kernels that run, fast or portable.
    pub fn backend(&self, portable: bool) -> &'static str {
        self.backend.filter(|_| !portable).unwrap_or("portable")
    }

    /// Arguments of cargo that select the target, the machine, the backend (unless `portable`) and what it needs.
    pub fn cargo_args(&self, portable: bool) -> Vec<String> {
        let mut args = vec!["--features".into(), self.name.into()];
        args.extend(self.target_args());
        if let Some(backend) = self.backend.filter(|_| !portable) {
            args.extend(["--features".into(), format!("brownian/{backend}")]);
        }
        args
    }

    /// Arguments of cargo that select the target and the core's flags.
    pub fn target_args(&self) -> Vec<String> {
        let mut args = vec!["--target".into(), self.target.into()];
        if !self.rustflags.is_empty() {
            let flags = self.rustflags.join("\", \"");
            args.extend(["--config".into(), format!("target.'cfg(target_os = \"none\")'.rustflags=[\"{flags}\"]")]);
        }
        args
    }

    /// Instructions that so many ticks of the firmware's counter stand for.
    pub fn instructions(&self, ticks: u64) -> u64 {
        ticks * u64::from(self.instructions_per_100_ticks) / 100
    }

    /// Whether the architecture is RISC-V.
    pub fn is_riscv(&self) -> bool {
        self.target.starts_with("riscv")
    }
}
