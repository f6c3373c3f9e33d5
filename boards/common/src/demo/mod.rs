//! The demo: after power-up a board draws; a press of its button draws the next seed, a long press the next class.
//! Words on the serial line do the same and more; a display shows a preview after every step. What is a sound by its model's
//! file a board with a speaker plays, too.
//!
//! A board implements [`Board`], takes its [`Memory`], and calls [`Demo::start`].
//!
//! - [`frame`]: what the display shows;
//! - [`dither`]: an image in dots, [`mono`]: a frame of them;
//! - `pixels` (feature `colour`): an image in colour, `colour`: a frame of them;
//! - [`wave`]: a signal as a waveform, [`speaker`]: on its way to be heard;
//! - [`drawing`]: a chain whose state is of any kind;
//! - [`press`]: short and long presses;
//! - [`inputs`]: presses and bytes on their way from interrupts;
//! - [`typed`]: bytes of a serial line, as lines;
//! - [`command`]: the words of a line;
//! - [`source`]: the model in a flash region of its own, or the one in the firmware;
//! - [`oled`]: an SSD1306 at an I²C bus;
//! - `tft` (feature `colour`): an ST7789 at an SPI bus;
//! - [`leds`]: a picture on five rows of five LEDs, and as text;
//! - [`memory`]: the RAM that is free for a model.

mod board;
#[cfg(feature = "colour")]
pub mod colour;
pub mod command;
mod controls;
pub mod dither;
pub mod drawing;
pub mod frame;
pub mod inputs;
pub mod leds;
pub mod memory;
pub mod mono;
pub mod oled;
#[cfg(feature = "colour")]
pub mod pixels;
pub mod press;
mod run;
mod say;
mod settings;
pub mod source;
pub mod speaker;
#[cfg(feature = "colour")]
pub mod tft;
pub mod typed;
pub mod wave;

pub use board::{Board, DisplayError};
pub use memory::Memory;
pub use run::{Demo, REST_MICROS};
pub use source::Source;
