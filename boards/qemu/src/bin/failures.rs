#![no_std]
#![no_main]
//! Ends as its command line asks: `panic`, `fault` or `hang`; otherwise well.
//!
//! The host runs it to see that a failure on an emulated core is noticed, and that ticks are worth
//! what it believes.

use brownian_board::report::Line;
use machine::{println, Meter};

#[machine::entry]
fn main() -> ! {
    let mut meter = Meter::start();
    println!("{}", meter.calibrate());
    machine::for_each_argument(|word| match word {
        "panic" => panic!("as asked"),
        "fault" => machine::fault(),
        "hang" => loop {
            core::hint::spin_loop()
        },
        _ => {}
    });
    println!("{}", Line::Done);
    machine::exit(0)
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    machine::panicked(info)
}
