//! The runtime-neutral client, on a runtime made by hand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod callee;
mod calls;
mod changes;
mod closing;
mod deciding;
mod driver;
mod fairness;
mod features;
mod handles;
mod inputs;
mod interrupts;
mod invocations;
mod joining;
mod listener;
#[cfg(feature = "tracing")]
mod logging;
mod loowy;
mod meta;
mod offline;
mod passthru;
mod races;
mod reopening;
mod runtime;
mod scheduling;
mod sharing;
mod subscriber;
mod world;
