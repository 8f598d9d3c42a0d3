//! What survives a lost transport, and when it comes back: against a scripted router, with a virtual clock.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed test panics")]

mod attempts;
mod causes;
mod deadlines;
mod keeping_alive;
mod offline;
mod outputs;
mod refused;
mod registrations;
mod rejoining;
#[path = "../support/mod.rs"]
#[allow(unreachable_pub, reason = "shared with other test binaries")]
mod support;

use std::sync::Arc;

use wamp_session::proto::Format;
use wamp_session::{
    Config, Jitter, Left, NotRestored, Opened, ReconnectPolicy, RegistrationKey, SessionEvent, SubscriptionKey,
    TransportErrorKind,
};

use crate::support::{Peer, WELCOME};

/// A configuration whose delays are 1 s, 2 s, 4 s, …
fn config() -> Config {
    support::config().reconnect(ReconnectPolicy::new().jitter(Jitter::None))
}

fn joined(config: Config) -> Peer {
    Peer::joined_with(config, WELCOME)
}

/// A session with a subscription, whose id is 11, and a registration, whose id is 12.
fn with_both() -> (Peer, SubscriptionKey, RegistrationKey) {
    let mut peer = joined(config());
    let topic = peer.subscribed("com.example.t", 11);
    let procedure = peer.registered("com.example.p", 12);
    (peer, topic, procedure)
}

/// The connection is cut.
fn cut(peer: &mut Peer) -> Arc<Left> {
    peer.end_transport(TransportErrorKind::Eof);
    expect_left(peer)
}

#[track_caller]
fn expect_left(peer: &mut Peer) -> Arc<Left> {
    match peer.event() {
        SessionEvent::Left(left) => left,
        event => panic!("{event:?}"),
    }
}

#[track_caller]
fn expect_restored(peer: &mut Peer) -> Vec<NotRestored> {
    match peer.event() {
        SessionEvent::Restored { failed } => failed,
        event => panic!("{event:?}"),
    }
}

/// Waits for the next attempt, which succeeds.
#[track_caller]
fn rejoin(peer: &mut Peer, left: &Left) {
    peer.wait(left.retry_in);
    accept(peer);
}

/// The connection is cut, and the next attempt succeeds.
#[track_caller]
fn cut_and_rejoin(peer: &mut Peer) {
    let left = cut(peer);
    rejoin(peer, &left);
}

/// The router accepts the attempt that is under way.
#[track_caller]
fn accept(peer: &mut Peer) {
    peer.open(Opened::new(Some(Format::Json.subprotocol())));
    assert!(peer.sent().starts_with("[1,"));
    peer.receive(WELCOME);
    peer.expect_joined();
}
