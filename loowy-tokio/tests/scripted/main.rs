//! The client over real sockets against a server that follows a script.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod alive;
mod closing;
mod frames;
mod opening;
mod server;
