//! Random numbers that are the same on every target: a counter-based generator and an integer normal transform.
//!
//! | file | what it is |
//! |---|---|
//! | `threefry.rs` | Threefry-2x32-20, and the streams of a chain's draws |
//! | `gaussian.rs` | one 32-bit word to one standard normal value |
//! | `table.rs` | the table that `gaussian.rs` reads, made and checked by its test |
//!
//! ```
//! use brownian::random::Stream;
//!
//! // Two values of x_T of image 5 under seed 1; draw 0 is x_T.
//! let [a, b] = Stream::new(1, 5, 0).normals(0);
//! assert!(a.abs() < 6.4 && b.abs() < 6.4 && a != b);
//! ```

mod gaussian;
mod table;
mod threefry;

pub use gaussian::normal;
pub use threefry::{threefry2x32, Stream};
