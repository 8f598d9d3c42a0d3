//! Calls of Loowy and of the WAMP implementations that the benchmarks compare it with.
//!
//! Each module has the same verbs: decode a frame into the message type of that implementation, encode such a message, and, where the
//! implementation has a way, turn the arguments into the user's own type. None of them is changed: what they cannot do is an error here too.

pub mod generic;
#[cfg(feature = "loowy")]
pub mod loowy;
pub mod wamp_async;
pub mod wampproto;
