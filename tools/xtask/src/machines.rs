//! The emulated machines: what each is built from, how it is run, and how its ticks become instructions.

/// One emulated core. Its `name` is also the firmware's Cargo feature and its memory layout's file name.
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
    /// Arguments that choose the board and the core.
    pub machine: &'static [&'static str],
    /// The runtime's Cargo feature for the fast kernels of this core; without one it runs the portable kernels.
    pub backend: Option<&'static str>,
    /// The compiler's flags, separated by spaces, that let the assembler know what the core has beyond its target, if that is needed.
    pub rustflag: Option<&'static str>,
    /// Nanoseconds a tick of the firmware's counter, times 100: under `-icount shift=0` an
    /// instruction takes one virtual nanosecond.
    pub instructions_per_100_ticks: u64,
    /// The shipped model that its firmware runs.
    pub model: &'static str,
}

const ARM: &str = "qemu-system-arm";
const ARM_PACKAGE: &str = "qemu-system-arm";

/// Every machine, smallest core first.
pub const MACHINES: &[Machine] = &[
    Machine {
        name: "m0",
        core: "Cortex-M0",
        target: "thumbv6m-none-eabi",
        qemu: ARM,
        package: ARM_PACKAGE,
        machine: &["-machine", "mps2-an385"],
        backend: Some("armv6m"),
        rustflag: None,
        instructions_per_100_ticks: 4000,
        model: "digits28",
    },
    Machine {
        name: "m3",
        core: "Cortex-M3",
        target: "thumbv7m-none-eabi",
        qemu: ARM,
        package: ARM_PACKAGE,
        machine: &["-machine", "mps2-an385"],
        backend: Some("armv7m"),
        rustflag: None,
        instructions_per_100_ticks: 4000,
        model: "digits28",
    },
    Machine {
        name: "m4",
        core: "Cortex-M4F",
        target: "thumbv7em-none-eabihf",
        qemu: ARM,
        package: ARM_PACKAGE,
        machine: &["-machine", "mps2-an386"],
        backend: Some("cortex-m-dsp"),
        rustflag: None,
        instructions_per_100_ticks: 4000,
        model: "digits28",
    },
    Machine {
        name: "m7",
        core: "Cortex-M7",
        target: "thumbv7em-none-eabihf",
        qemu: ARM,
        package: ARM_PACKAGE,
        machine: &["-machine", "mps2-an500"],
        backend: Some("cortex-m-dsp"),
        rustflag: None,
        instructions_per_100_ticks: 4000,
        model: "digits28",
    },
    Machine {
        name: "m33",
        core: "Cortex-M33",
        target: "thumbv8m.main-none-eabihf",
        qemu: ARM,
        package: ARM_PACKAGE,
        machine: &["-machine", "mps2-an505"],
        backend: Some("cortex-m-dsp"),
        rustflag: Some("-Ctarget-cpu=cortex-m33"),
        instructions_per_100_ticks: 5000,
        model: "digits28",
    },
    Machine {
        name: "m55",
        core: "Cortex-M55",
        target: "thumbv8m.main-none-eabihf",
        qemu: ARM,
        package: ARM_PACKAGE,
        machine: &["-machine", "mps3-an547"],
        backend: Some("helium"),
        // Without vector floats, which would flush denormals: only integers may be vectorised.
        rustflag: Some("-Ctarget-cpu=cortex-m55 -Ctarget-feature=-mve.fp"),
        instructions_per_100_ticks: 3125,
        model: "digits28",
    },
    Machine {
        name: "rv32",
        core: "RV32IMC",
        target: "riscv32imc-unknown-none-elf",
        qemu: "qemu-system-riscv32",
        package: "qemu-system-misc",
        machine: &["-machine", "virt", "-bios", "none", "-cpu", "rv32,a=off,f=off,d=off"],
        backend: Some("rv32"),
        rustflag: None,
        instructions_per_100_ticks: 100,
        model: "digits28",
    },
    Machine {
        name: "microbit",
        core: "Cortex-M0 (16 KB RAM, faults on unaligned access)",
        target: "thumbv6m-none-eabi",
        qemu: ARM,
        package: ARM_PACKAGE,
        machine: &["-machine", "microbit"],
        backend: Some("armv6m"),
        rustflag: None,
        instructions_per_100_ticks: 6250,
        model: "digits28-nano",
    },
];

/// The machine of that name, or a line that lists the names.
pub fn find(name: &str) -> anyhow::Result<&'static Machine> {
    MACHINES.iter().find(|m| m.name == name).ok_or_else(|| {
        let names: Vec<_> = MACHINES.iter().map(|m| m.name).collect();
        anyhow::anyhow!("no emulated core '{name}': choose one of {}", names.join(", "))
    })
}

impl Machine {
    /// Name of the kernels that run, fast or portable.
    pub fn backend(&self, portable: bool) -> &'static str {
        self.backend.filter(|_| !portable).unwrap_or("portable")
    }

    /// Arguments of cargo that select the target, the backend (unless `portable`) and what it needs.
    pub fn cargo_args(&self, portable: bool) -> Vec<String> {
        let mut args = vec!["--target".into(), self.target.into(), "--features".into(), self.name.into()];
        if let Some(flag) = self.rustflag {
            let flags = flag.replace(' ', "\", \"");
            args.extend(["--config".into(), format!("target.'cfg(target_os = \"none\")'.rustflags=[\"{flags}\"]")]);
        }
        if let Some(backend) = self.backend.filter(|_| !portable) {
            args.extend(["--features".into(), format!("brownian/{backend}")]);
        }
        args
    }

    /// Instructions that so many ticks of the firmware's counter stand for.
    pub fn instructions(&self, ticks: u64) -> u64 {
        ticks * self.instructions_per_100_ticks / 100
    }
}
