#![no_std]
#![no_main]
//! Ends as its command line asks: `panic`, `fault` or `hang`; otherwise well.
//!
//! The host runs it to see that a failure on an emulated core is noticed, and that ticks are worth
//! what it believes.

use brownian_board::report::Line;
use machine::{println, Arguments, Meter};

#[machine::entry]
fn main() -> ! {
    let mut meter = Meter::start();
    println!("{}", meter.calibrate());
    match Arguments::get().words().next() {
        Some("panic") => panic!("as asked"),
        Some("fault") => machine::fault(),
        Some("hang") => loop {
            core::hint::spin_loop()
        },
        _ => {}
    }
    println!("{}", Line::Done);
    machine::exit(0)
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    machine::panicked(info)
}
