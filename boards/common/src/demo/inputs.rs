//! Presses and bytes, from the tasks that interrupts wake to the demo.

use super::press::{self, Press};
use super::typed::MAX_LINE;
use core::future::Future;
use embassy_futures::select::{select3, Either3};
use embassy_futures::yield_now;
use embassy_sync::blocking_mutex::raw::{CriticalSectionRawMutex, RawMutex};
use embassy_sync::channel::Channel;
use embassy_sync::pipe::Pipe;
use embedded_hal_async::delay::DelayNs;
use embedded_hal_async::digital::Wait;
use embedded_io_async::Read;

/// Bytes that wait: a whole line, at least.
const BYTES: usize = if cfg!(feature = "small") { MAX_LINE } else { 128 };

/// What has come in and has not been looked at.
pub struct Inputs<M: RawMutex = CriticalSectionRawMutex> {
    presses: Channel<M, Press, 4>,
    bytes: Pipe<M, BYTES>,
}

impl<M: RawMutex> Inputs<M> {
    /// Nothing.
    pub const fn new() -> Self {
        Self { presses: Channel::new(), bytes: Pipe::new() }
    }

    /// Hands over presses of the button, for ever; those beyond the fourth that waits are dropped. The pin is low while the
    /// button is down.
    pub async fn button(&self, mut pin: impl Wait, mut delay: impl DelayNs) {
        loop {
            // A pin that fails is read again.
            _ = press::next(&mut pin, &mut delay, |press| _ = self.presses.try_send(press)).await;
        }
    }

    /// Hands over what comes in on a serial line, for ever; what is broken on the way is up to who reads it.
    pub async fn bytes(&self, mut line: impl Read) {
        let mut bytes = [0; 16];
        loop {
            if let Ok(count) = line.read(&mut bytes).await {
                self.put(bytes.get(..count).unwrap_or(&bytes)).await;
            }
        }
    }

    /// Hands over bytes, when there is room for them.
    pub async fn put(&self, bytes: &[u8]) {
        self.bytes.write_all(bytes).await;
    }
}

impl<M: RawMutex> Default for Inputs<M> {
    fn default() -> Self {
        Self::new()
    }
}

/// The demo's side.
pub struct Listener<M: RawMutex + 'static = CriticalSectionRawMutex> {
    inputs: &'static Inputs<M>,
    press: Option<Press>,
    byte: Option<u8>,
}

impl<M: RawMutex> Listener<M> {
    /// Of these.
    pub const fn new(inputs: &'static Inputs<M>) -> Self {
        Self { inputs, press: None, byte: None }
    }

    /// Whether there is a press or a byte that has not been looked at.
    pub fn is_waiting(&self) -> bool {
        let is_kept = self.press.is_some() || self.byte.is_some();
        is_kept || !self.inputs.presses.is_empty() || !self.inputs.bytes.is_empty()
    }

    /// The next press, if there was one.
    pub fn press(&mut self) -> Option<Press> {
        self.press.take().or_else(|| self.inputs.presses.try_receive().ok())
    }

    /// The next byte, if there is one.
    pub fn read(&mut self) -> Option<u8> {
        let mut byte = [0];
        self.byte.take().or_else(|| self.inputs.bytes.try_read(&mut byte).ok().map(|_| byte[0]))
    }

    /// Returns when `sleep` does, or when there is a press or a byte. Without a sleep others get their turn, no more.
    pub async fn pause(&mut self, sleep: Option<impl Future<Output = ()>>) {
        let Some(sleep) = sleep else { return yield_now().await };
        let mut byte = [0];
        match select3(sleep, self.inputs.presses.receive(), self.inputs.bytes.read(&mut byte)).await {
            Either3::First(()) => {}
            Either3::Second(press) => self.press = Some(press),
            Either3::Third(_) => self.byte = Some(byte[0]),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use core::future::{pending, ready};
    use embassy_futures::block_on;
    use embassy_futures::select::select;
    use embassy_sync::blocking_mutex::raw::NoopRawMutex;
    use std::boxed::Box;
    use std::vec::Vec;

    fn listener() -> (&'static Inputs<NoopRawMutex>, Listener<NoopRawMutex>) {
        let inputs: &'static Inputs<NoopRawMutex> = Box::leak(Box::new(Inputs::new()));
        (inputs, Listener::new(inputs))
    }

    /// A press or a byte ends a pause, and is there afterwards, once and in its order.
    #[test]
    fn what_ends_a_pause_is_not_lost() {
        let (inputs, mut listener) = listener();
        inputs.presses.try_send(Press::Long).unwrap();
        inputs.presses.try_send(Press::Short).unwrap();
        assert!(listener.is_waiting());
        block_on(listener.pause(Some(pending())));
        assert!(listener.is_waiting());
        assert_eq!(
            [listener.press(), listener.press(), listener.press()],
            [Some(Press::Long), Some(Press::Short), None]
        );
        block_on(inputs.put(b"ab"));
        assert!(listener.is_waiting());
        block_on(listener.pause(Some(pending())));
        assert_eq!([listener.read(), listener.read(), listener.read()], [Some(b'a'), Some(b'b'), None]);
        assert!(!listener.is_waiting());
        block_on(listener.pause(Some(ready(()))));
        block_on(listener.pause(None::<core::future::Ready<()>>));
        assert_eq!((listener.press(), listener.read()), (None, None));
    }

    /// A line that brings more than fits waits, and loses nothing.
    #[test]
    fn a_full_pipe_waits() {
        let (inputs, mut listener) = listener();
        let sent: Vec<u8> = (0..=255).collect();
        let read = async {
            let mut got = Vec::new();
            while got.len() < sent.len() {
                listener.pause(Some(pending())).await;
                got.extend(core::iter::from_fn(|| listener.read()));
            }
            got
        };
        let line = async {
            inputs.put(&sent).await;
            pending::<()>().await;
        };
        let embassy_futures::select::Either::First(got) = block_on(select(read, line)) else { panic!() };
        assert_eq!(got, sent);
    }
}
