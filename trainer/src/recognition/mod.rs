//! What networks that read images are taught: the user's labels, or where there are none, to tell how images were
//! altered. The evaluator and the critics of a fine-tuning learn so, each with networks of its own.
mod alteration;
mod lesson;

pub use lesson::Lesson;
