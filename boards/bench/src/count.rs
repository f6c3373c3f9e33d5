//! Exact instruction counts under `qemu -icount shift=0`, where one instruction takes one nanosecond.

#[cfg(target_arch = "arm")]
mod clock {
    use core::arch::asm;

    const CONTROL: *mut u32 = 0xE000_E010 as *mut u32;
    const RELOAD: *mut u32 = 0xE000_E014 as *mut u32;
    const CURRENT: *mut u32 = 0xE000_E018 as *mut u32;

    /// Instructions a tick of SysTick as a fraction in lowest terms, by the machine's core clock.
    const TICK: (u32, u32) = {
        let hundred = match u32::from_str_radix(env!("INSTRUCTIONS_PER_100_TICKS"), 10) {
            Ok(instructions) => instructions,
            Err(_) => panic!("the build script writes a number"),
        };
        let (mut divisor, mut rest) = (hundred, 100);
        while rest > 0 {
            (divisor, rest) = (rest, divisor % rest);
        }
        (hundred / divisor, 100 / divisor)
    };

    /// Restarts the clock, which then runs for 2^24 ticks.
    pub fn restart() {
        // SAFETY: the SysTick registers of every Cortex-M; nothing else uses them.
        unsafe {
            CONTROL.write_volatile(0);
            RELOAD.write_volatile(0xFF_FFFF);
            CURRENT.write_volatile(0);
            CONTROL.write_volatile(5);
            while CURRENT.read_volatile() == 0 {}
        }
    }

    /// Instructions since an unknown start, exactly.
    ///
    /// A tick is n instructions. n readings, 7 instructions apart (7 and n have no common factor), fall on every
    /// phase of a tick once, so that the sum of the ticks counts instructions (Hermite's identity).
    #[inline(never)]
    pub fn now() -> u32 {
        let (readings, per) = TICK;
        let mut sum = 0u32;
        // SAFETY: reads SysTick's current value; touches nothing else.
        unsafe {
            asm!(
                "2:",
                "ldr {value}, [{current}]",
                "adds {sum}, {sum}, {value}",
                "nop",
                "nop",
                "nop",
                "subs {left}, #1",
                "bne 2b",
                value = out(reg) _,
                current = in(reg) CURRENT,
                sum = inout(reg) sum,
                left = inout(reg) readings => _,
                options(nostack),
            );
        }
        0u32.wrapping_sub(sum) / per
    }
}

#[cfg(target_arch = "riscv32")]
mod clock {
    pub fn restart() {}

    /// Instructions retired.
    #[inline(never)]
    pub fn now() -> u32 {
        riscv::register::minstret::read() as u32
    }
}

/// Instructions that `body` takes, less those of an empty call.
pub fn instructions(body: &mut dyn FnMut()) -> u32 {
    let empty = span(&mut || ());
    span(body) - empty
}

#[inline(never)]
fn span(body: &mut dyn FnMut()) -> u32 {
    clock::restart();
    let start = clock::now();
    body();
    clock::now().wrapping_sub(start)
}

/// Counts 1,000 `nop`s; anything but 1,000 means that the clock does not count exactly.
pub fn calibrate() -> u32 {
    instructions(&mut || {
        // SAFETY: does nothing.
        unsafe { core::arch::asm!(".rept 1000", "nop", ".endr") }
    })
}
