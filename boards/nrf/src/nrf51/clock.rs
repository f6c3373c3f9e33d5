//! The time of embassy: `TIMER0` counts microseconds in 32 bits; its first comparison wakes, its second tells the time.

use brownian_board::counter::Counter;
use core::cell::RefCell;
use core::task::Waker;
use critical_section::Mutex;
use embassy_nrf::interrupt;
use embassy_nrf::interrupt::{InterruptExt, Priority};
use embassy_nrf::pac::timer::vals::{Bitmode, Mode};
use embassy_nrf::pac::TIMER0;
use embassy_time_driver::{time_driver_impl, Driver, TICK_HZ};
use embassy_time_queue_utils::Queue;

/// The prescaler that makes microseconds of 16 MHz.
const MICROS: u8 = 4;
/// The longest sleep, in ticks: the counter, which wraps after 71 minutes, is read at least so often.
const LONGEST: u64 = 1 << 31;

const _: () = assert!(TICK_HZ == 1_000_000);

struct Clock(Mutex<RefCell<(Counter, Queue)>>);

time_driver_impl!(static CLOCK: Clock = Clock(Mutex::new(RefCell::new((Counter::up(32, 0), Queue::new())))));

/// Ticks since the start.
fn now(counter: &mut Counter) -> u64 {
    TIMER0.tasks_capture(1).write_value(1);
    counter.read(TIMER0.cc(1).read())
}

/// Wakes what is due, and asks for an interrupt when the next is.
fn set_alarm(counter: &mut Counter, queue: &mut Queue) {
    loop {
        let time = now(counter);
        let next = queue.next_expiration(time).min(time + LONGEST);
        TIMER0.cc(0).write_value(next as u32);
        // A comparison that is written too late would come after a whole turn.
        if now(counter) < next {
            return;
        }
    }
}

impl Driver for Clock {
    fn now(&self) -> u64 {
        critical_section::with(|section| now(&mut self.0.borrow_ref_mut(section).0))
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        critical_section::with(|section| {
            let (counter, queue) = &mut *self.0.borrow_ref_mut(section);
            if queue.schedule_wake(at, waker) {
                set_alarm(counter, queue);
            }
        });
    }
}

/// Starts counting.
pub fn start(priority: Priority) {
    TIMER0.mode().write(|w| w.set_mode(Mode::Timer));
    TIMER0.bitmode().write(|w| w.set_bitmode(Bitmode::_32bit));
    TIMER0.prescaler().write(|w| w.set_prescaler(MICROS));
    TIMER0.intenset().write(|w| w.set_compare(0, true));
    TIMER0.tasks_clear().write_value(1);
    TIMER0.tasks_start().write_value(1);
    interrupt::TIMER0.set_priority(priority);
    // SAFETY: the handler below serves it.
    unsafe { interrupt::TIMER0.enable() };
}

#[interrupt]
fn TIMER0() {
    TIMER0.events_compare(0).write_value(0);
    critical_section::with(|section| {
        let (counter, queue) = &mut *CLOCK.0.borrow_ref_mut(section);
        set_alarm(counter, queue);
    });
}
