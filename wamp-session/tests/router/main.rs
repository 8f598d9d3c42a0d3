//! The router against scripted clients that send literal frames, in virtual time.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod audience;
mod auth;
mod broker;
mod canceling;
mod chaos;
mod closing;
mod dealer;
mod formats;
mod get_events;
mod history;
mod limits;
mod meta;
mod opening;
mod passthru;
mod patterns;
mod permissions;
mod progress;
mod quirks;
mod registrations;
mod rerouting;
mod retained;
mod revocation;
mod sharded;
mod strict;
mod world;
