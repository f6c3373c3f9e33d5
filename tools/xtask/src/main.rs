//! Developer tools of the Brownian workspace.
fn main() {}
