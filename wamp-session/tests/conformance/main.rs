//! The session against the checklist of the specification: a test per item, named after it, with a scripted router and a virtual clock.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed test panics")]

#[path = "../support/mod.rs"]
mod support;

mod authentication;
mod callee;
mod caller;
mod canceling;
mod closing;
mod features;
mod ids;
mod messages;
mod meta;
mod opening;
mod ordering;
mod passthru;
mod payloads;
mod progressive;
mod publisher;
mod registration;
mod subscriber;
mod tap;
mod timeouts;
mod violations;
