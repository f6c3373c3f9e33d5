//! Short and long presses of a button.

use embassy_futures::select::{select, Either};
use embedded_hal::digital::{ErrorType, InputPin};
use embedded_hal_async::delay::DelayNs;
use embedded_hal_async::digital::Wait;

/// Held for so long, a press is a long one.
pub const LONG_MILLIS: u32 = 700;
/// Contacts bounce for so long.
pub const BOUNCE_MILLIS: u32 = 20;

/// A press of the button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press {
    /// Told when the button is released.
    Short,
    /// Told when it has been held for [`LONG_MILLIS`].
    Long,
}

/// Waits for a press and calls `tell`; returns when the button is up again. The pin is low while the button is down.
///
/// # Errors
/// Those of the pin.
pub async fn next<P: Wait>(pin: &mut P, delay: &mut impl DelayNs, tell: impl FnOnce(Press)) -> Result<(), P::Error> {
    pin.wait_for_low().await?;
    delay.delay_ms(BOUNCE_MILLIS).await;
    let released = select(pin.wait_for_high(), delay.delay_ms(LONG_MILLIS - BOUNCE_MILLIS)).await;
    match released {
        Either::First(result) => {
            result?;
            tell(Press::Short);
        }
        Either::Second(()) => {
            tell(Press::Long);
            pin.wait_for_high().await?;
        }
    }
    delay.delay_ms(BOUNCE_MILLIS).await;
    Ok(())
}

/// A pin that is high while the button is down, as one that is low.
#[derive(Debug)]
pub struct ActiveHigh<P>(pub P);

impl<P: ErrorType> ErrorType for ActiveHigh<P> {
    type Error = P::Error;
}

impl<P: Wait> Wait for ActiveHigh<P> {
    async fn wait_for_high(&mut self) -> Result<(), Self::Error> {
        self.0.wait_for_low().await
    }

    async fn wait_for_low(&mut self) -> Result<(), Self::Error> {
        self.0.wait_for_high().await
    }

    async fn wait_for_rising_edge(&mut self) -> Result<(), Self::Error> {
        self.0.wait_for_falling_edge().await
    }

    async fn wait_for_falling_edge(&mut self) -> Result<(), Self::Error> {
        self.0.wait_for_rising_edge().await
    }

    async fn wait_for_any_edge(&mut self) -> Result<(), Self::Error> {
        self.0.wait_for_any_edge().await
    }
}

/// A pin that is looked at again and again, where no interrupt tells of it.
#[derive(Debug)]
pub struct Polled<P, D> {
    pin: P,
    delay: D,
}

/// How often.
const LOOK_MILLIS: u32 = 5;

impl<P, D> Polled<P, D> {
    /// This pin; `delay` passes between two looks.
    pub fn new(pin: P, delay: D) -> Self {
        Self { pin, delay }
    }
}

impl<P: InputPin, D: DelayNs> Polled<P, D> {
    async fn until(&mut self, is_low: bool) -> Result<(), P::Error> {
        while self.pin.is_low()? != is_low {
            self.delay.delay_ms(LOOK_MILLIS).await;
        }
        Ok(())
    }
}

impl<P: ErrorType, D> ErrorType for Polled<P, D> {
    type Error = P::Error;
}

impl<P: InputPin, D: DelayNs> Wait for Polled<P, D> {
    async fn wait_for_high(&mut self) -> Result<(), Self::Error> {
        self.until(false).await
    }

    async fn wait_for_low(&mut self) -> Result<(), Self::Error> {
        self.until(true).await
    }

    async fn wait_for_rising_edge(&mut self) -> Result<(), Self::Error> {
        self.until(true).await?;
        self.until(false).await
    }

    async fn wait_for_falling_edge(&mut self) -> Result<(), Self::Error> {
        self.until(false).await?;
        self.until(true).await
    }

    async fn wait_for_any_edge(&mut self) -> Result<(), Self::Error> {
        let was_low = self.pin.is_low()?;
        self.until(!was_low).await
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use core::cell::Cell;
    use core::convert::Infallible;
    use core::future::poll_fn;
    use core::task::Poll;
    use embassy_futures::block_on;
    use std::vec::Vec;

    /// A clock that moves by a millisecond whenever somebody waits, and a pin that is low within `down`.
    struct Bench<'a> {
        millis: &'a Cell<u32>,
        down: &'a [core::ops::Range<u32>],
    }

    impl Bench<'_> {
        async fn until(&self, mut ready: impl FnMut(u32) -> bool) {
            poll_fn(|context| {
                self.millis.set(self.millis.get() + 1);
                context.waker().wake_by_ref();
                if ready(self.millis.get()) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
        }

        fn is_down(&self, millis: u32) -> bool {
            self.down.iter().any(|range| range.contains(&millis))
        }
    }

    impl ErrorType for Bench<'_> {
        type Error = Infallible;
    }

    impl Wait for Bench<'_> {
        async fn wait_for_high(&mut self) -> Result<(), Infallible> {
            self.until(|now| !self.is_down(now)).await;
            Ok(())
        }
        async fn wait_for_low(&mut self) -> Result<(), Infallible> {
            self.until(|now| self.is_down(now)).await;
            Ok(())
        }
        async fn wait_for_rising_edge(&mut self) -> Result<(), Infallible> {
            unreachable!()
        }
        async fn wait_for_falling_edge(&mut self) -> Result<(), Infallible> {
            unreachable!()
        }
        async fn wait_for_any_edge(&mut self) -> Result<(), Infallible> {
            unreachable!()
        }
    }

    impl InputPin for Bench<'_> {
        fn is_high(&mut self) -> Result<bool, Infallible> {
            self.is_low().map(|is_low| !is_low)
        }
        fn is_low(&mut self) -> Result<bool, Infallible> {
            Ok(self.is_down(self.millis.get()))
        }
    }

    impl DelayNs for Bench<'_> {
        async fn delay_ns(&mut self, ns: u32) {
            let end = self.millis.get() + ns / 1_000_000;
            self.until(|now| now >= end).await;
        }
    }

    /// The presses that `count` calls tell, with their time.
    fn presses(down: &[core::ops::Range<u32>], count: usize) -> Vec<(Press, u32)> {
        let millis = Cell::new(0);
        let (mut pin, mut delay) = (Bench { millis: &millis, down }, Bench { millis: &millis, down });
        let mut told = Vec::new();
        for _ in 0..count {
            block_on(next(&mut pin, &mut delay, |press| told.push((press, millis.get())))).unwrap();
        }
        told
    }

    /// Contacts that bounce when the button goes down and up are one press.
    #[test]
    fn bounces_are_one_press() {
        let told = presses(&[100..103, 105..300, 303..306, 2000..2100], 2);
        assert!(matches!(told[..], [(Press::Short, 300..330), (Press::Short, 2100..2130)]), "{told:?}");
    }

    /// A long press is told while the button is still down, once.
    #[test]
    fn a_long_press_is_told_while_it_lasts() {
        let told = presses(&[100..3000, 4000..4100], 2);
        assert!(matches!(told[..], [(Press::Long, 800..810), (Press::Short, 4100..4130)]), "{told:?}");
    }

    /// A pin that rests low is a button's, too: what is high for a press is as what is low for one.
    #[test]
    fn a_button_may_be_high_while_it_is_down() {
        let millis = Cell::new(0);
        let pin = || Bench { millis: &millis, down: &[0..100, 200..5000] };
        let mut told = Vec::new();
        block_on(next(&mut ActiveHigh(pin()), &mut pin(), |press| told.push((press, millis.get())))).unwrap();
        assert!(matches!(told[..], [(Press::Short, 200..210)]), "{told:?}");
    }
    /// A pin that is looked at again and again tells the same presses, one look later at most.
    #[test]
    fn a_pin_may_be_looked_at() {
        let millis = Cell::new(0);
        let down = [100..103, 105..300, 2000..3000];
        let bench = || Bench { millis: &millis, down: &down };
        let mut pin = Polled::new(bench(), bench());
        let mut told = Vec::new();
        for _ in 0..2 {
            block_on(next(&mut pin, &mut bench(), |press| told.push((press, millis.get())))).unwrap();
        }
        assert!(matches!(told[..], [(Press::Short, 300..335), (Press::Long, 2700..2710)]), "{told:?}");
        assert!((3000..3030).contains(&millis.get()), "{}", millis.get());
    }
}
