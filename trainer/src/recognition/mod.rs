//! What networks that read data see, and what they are taught: the user's labels, or where there are none, to tell how
//! images were altered. The evaluator and the critics of a fine-tuning learn so, each with networks of its own.
mod alteration;
mod griffin_lim;
mod lesson;
pub mod local_mel;
mod log_mel;
mod size;
mod view;

pub use lesson::Lesson;
pub use local_mel::LocalMel;
pub use log_mel::{LogMel, BANDS, RANGE};
pub use size::{side_share, SIDE};
pub use view::View;
