//! The list.

use crate::machine::{Machine, Region};

/// What most machines are; the others name what differs.
const MPS2: Machine = Machine {
    name: "",
    core: "",
    target: "",
    qemu: "qemu-system-arm",
    package: "qemu-system-arm",
    board: &[],
    cpus: &[],
    backend: None,
    rustflags: &[],
    // SysTick at 25 MHz.
    instructions_per_100_ticks: 4000,
    flash: Region { origin: 0, kilobytes: 4096 },
    ram: Region { origin: 0x2000_0000, kilobytes: 4096 },
    model_ram: 24,
    model: "digits28",
    bench: None,
};

/// Every machine, smallest core first.
pub const MACHINES: &[Machine] = &[
    // Armv6-M code on a Cortex-M3.
    Machine {
        name: "m0",
        core: "Cortex-M0",
        target: "thumbv6m-none-eabi",
        board: &["-machine", "mps2-an385"],
        backend: Some("armv6m"),
        bench: Some("M0"),
        ..MPS2
    },
    Machine {
        name: "m3",
        core: "Cortex-M3",
        target: "thumbv7m-none-eabi",
        board: &["-machine", "mps2-an385"],
        backend: Some("armv7m"),
        bench: Some("M3"),
        ..MPS2
    },
    Machine {
        name: "m4",
        core: "Cortex-M4F",
        target: "thumbv7em-none-eabihf",
        board: &["-machine", "mps2-an386"],
        backend: Some("cortex-m-dsp"),
        bench: Some("M4"),
        ..MPS2
    },
    // Secure; SysTick at 20 MHz.
    Machine {
        name: "m33",
        core: "Cortex-M33",
        target: "thumbv8m.main-none-eabihf",
        board: &["-machine", "mps2-an505"],
        backend: Some("cortex-m-dsp"),
        rustflags: &["-Ctarget-cpu=cortex-m33"],
        instructions_per_100_ticks: 5000,
        flash: Region { origin: 0x1000_0000, kilobytes: 4096 },
        ram: Region { origin: 0x3800_0000, kilobytes: 2048 },
        bench: Some("M33"),
        ..MPS2
    },
    Machine {
        name: "m7",
        core: "Cortex-M7",
        target: "thumbv7em-none-eabihf",
        board: &["-machine", "mps2-an500"],
        backend: Some("cortex-m-dsp"),
        bench: Some("M7"),
        ..MPS2
    },
    // Instruction and data TCM; SysTick at 32 MHz.
    Machine {
        name: "m55",
        core: "Cortex-M55",
        target: "thumbv8m.main-none-eabihf",
        board: &["-machine", "mps3-an547"],
        backend: Some("helium"),
        // Without vector floats, which would flush denormals: only integers may be vectorised.
        rustflags: &["-Ctarget-cpu=cortex-m55", "-Ctarget-feature=-mve.fp"],
        instructions_per_100_ticks: 3125,
        flash: Region { origin: 0, kilobytes: 512 },
        ram: Region { origin: 0x2000_0000, kilobytes: 512 },
        bench: Some("M55"),
        ..MPS2
    },
    // One RAM for everything; `minstret` counts instructions.
    Machine {
        name: "rv32",
        core: "RV32IMC",
        target: "riscv32imc-unknown-none-elf",
        qemu: "qemu-system-riscv32",
        package: "qemu-system-misc",
        board: &["-machine", "virt", "-bios", "none"],
        // Extensions that need the missing A and F are on by default: Zfa from QEMU 8.1 on, Zawrs from 8.0 on. An older
        // QEMU does not know their names.
        cpus: &[
            "rv32,a=off,f=off,d=off,zawrs=off,zfa=off",
            "rv32,a=off,f=off,d=off,zawrs=off",
            "rv32,a=off,f=off,d=off",
        ],
        backend: Some("rv32"),
        instructions_per_100_ticks: 100,
        flash: Region { origin: 0x8000_0000, kilobytes: 4096 },
        ram: Region { origin: 0x8040_0000, kilobytes: 4096 },
        bench: Some("RV32IMC"),
        ..MPS2
    },
    // All that its nRF51 has; SysTick at 16 MHz.
    Machine {
        name: "microbit",
        core: "Cortex-M0 (16 KB RAM, faults on unaligned access)",
        target: "thumbv6m-none-eabi",
        board: &["-machine", "microbit"],
        backend: Some("armv6m"),
        instructions_per_100_ticks: 6250,
        flash: Region { origin: 0, kilobytes: 256 },
        ram: Region { origin: 0x2000_0000, kilobytes: 16 },
        model_ram: 16,
        model: "digits28-nano",
        ..MPS2
    },
];

#[cfg(test)]
mod tests {
    use super::MACHINES;
    use std::collections::BTreeSet;

    /// Names differ, and each is a Cargo feature of the firmware.
    #[test]
    fn every_machine_is_a_feature() {
        let names: BTreeSet<_> = MACHINES.iter().map(|m| m.name).collect();
        assert_eq!(names.len(), MACHINES.len());
        for manifest in [include_str!("../../qemu/Cargo.toml"), include_str!("../../bench/Cargo.toml")] {
            let features = manifest.split("[features]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap();
            for name in &names {
                assert!(features.contains(&format!("\n{name} = []\n")), "{name} is not a feature in {features}");
            }
        }
    }

    /// Regions do not overlap, and a model's firmware gets no more than there is.
    #[test]
    fn regions_are_apart() {
        for machine in MACHINES {
            let (flash, ram) = (machine.flash, machine.ram);
            let end = |region: super::Region| u64::from(region.origin) + 1024 * u64::from(region.kilobytes);
            assert!(end(flash) <= u64::from(ram.origin) || end(ram) <= u64::from(flash.origin), "{}", machine.name);
            assert!(machine.model_ram <= ram.kilobytes, "{}", machine.name);
        }
    }
}
