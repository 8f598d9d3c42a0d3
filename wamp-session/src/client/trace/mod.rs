//! What clients tell the crate `tracing`, if the feature of that name is on, and nothing otherwise.
//!
//! Whoever has something to tell does not ask which: both have the same functions, which take references, and without the feature they
//! are empty, as are the types.
//!
//! A session without a client tells nothing: it calls no code but its own. What it decides shows in its events, its counts and its
//! deadlines, and from there in what its client tells.

#[cfg(not(feature = "tracing"))]
mod silent;
#[cfg(feature = "tracing")]
mod telling;

#[cfg(not(feature = "tracing"))]
pub(super) use self::silent::*;
#[cfg(feature = "tracing")]
pub(super) use self::telling::*;
