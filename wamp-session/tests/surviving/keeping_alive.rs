//! When a silent peer is pinged, and when it is lost.

use core::time::Duration;

use wamp_session::proto::Payload;
use wamp_session::{
    Action, CloseCause, Config, KeepAlive, Left, PublishOptions, Time, TimeoutReason, TransportError,
    TransportErrorKind,
};

use crate::support::{Peer, uri};
use crate::{config, cut, expect_left, expect_restored, joined, rejoin};

fn watched() -> Config {
    config().keep_alive(KeepAlive::new())
}

fn is_silent(left: &Left) -> bool {
    matches!(&left.cause, CloseCause::Transport(error) if *error.kind() == TransportErrorKind::Silent)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn need_03_and_ws_08_a_silent_peer_is_pinged_after_the_interval_and_lost_after_the_timeout() {
    let mut peer = joined(watched());
    assert_eq!(peer.session.poll_timeout(), Some((Time::from_secs(20), TimeoutReason::KeepAlive)));
    peer.wait(seconds(20) - Duration::from_nanos(1));
    assert_eq!(peer.pings, 0);
    peer.wait(Duration::from_nanos(1));
    assert_eq!(peer.pings, 1);
    peer.wait(seconds(10) - Duration::from_nanos(1));
    peer.expect_no_event();
    peer.wait(Duration::from_nanos(1));
    let left = expect_left(&mut peer);
    assert!(is_silent(&left));
    assert!(peer.session.transport().is_none(), "nobody waits for a dead transport");
    rejoin(&mut peer, &left);
    expect_restored(&mut peer);
}

#[test]
fn whatever_comes_is_life() {
    let mut peer = joined(watched());
    for second in 0..100 {
        peer.wait(seconds(19));
        if second % 2 == 0 {
            peer.receive("[36,1,1,{}]");
        } else {
            peer.session.handle_activity(peer.now, peer.transport());
        }
    }
    assert_eq!(peer.pings, 0);
    peer.wait(seconds(29));
    assert_eq!(peer.pings, 1);
    peer.session.handle_activity(peer.now, peer.transport());
    peer.wait(seconds(19));
    assert_eq!(peer.pings, 1);
    peer.wait(seconds(1));
    assert_eq!(peer.pings, 2);
    peer.expect_no_event();
}

#[test]
fn need_03_a_large_message_that_arrives_slowly_does_not_lose_the_connection() {
    let mut peer = joined(watched());
    // The pong queues behind it; only bytes arrive, for ten minutes.
    for _ in 0..120 {
        peer.wait(seconds(5));
        peer.session.handle_activity(peer.now, peer.transport());
    }
    peer.expect_no_event();
}

#[test]
fn need_03_a_deadline_that_is_noticed_late_probes_before_it_loses() {
    let mut peer = joined(watched());
    peer.wait(seconds(20));
    assert_eq!(peer.pings, 1);
    // The machine was asleep, or the embedder busy: the answer may wait to be read.
    peer.now = peer.now.checked_add(seconds(3600)).unwrap();
    peer.session.handle_timeout(peer.now);
    peer.wait(seconds(0));
    assert_eq!(peer.pings, 2);
    peer.expect_no_event();
    peer.receive("[36,1,1,{}]");
    peer.wait(seconds(19));
    peer.expect_no_event();
    // A peer that is gone is lost all the same.
    peer.wait(seconds(1));
    assert_eq!(peer.pings, 3);
    for _ in 0..2 {
        peer.now = peer.now.checked_add(seconds(3600)).unwrap();
        peer.session.handle_timeout(peer.now);
    }
    assert!(is_silent(&expect_left(&mut peer)));
}

#[test]
fn probe_pings_at_once_and_only_once() {
    let mut peer = joined(watched());
    peer.wait(seconds(3));
    peer.session.probe(peer.now);
    peer.session.probe(peer.now);
    peer.wait(seconds(9));
    assert_eq!(peer.pings, 1);
    peer.expect_no_event();
    peer.wait(seconds(1));
    assert!(is_silent(&expect_left(&mut peer)));
    peer.session.probe(peer.now);
    assert_eq!(peer.pings, 1);
}

#[test]
fn probe_works_without_pings_at_intervals() {
    let mut peer = joined(config());
    peer.wait(seconds(3600));
    assert_eq!(peer.pings, 0);
    peer.session.probe(peer.now);
    peer.session.handle_activity(peer.now, peer.transport());
    peer.wait(seconds(3600));
    peer.session.probe(peer.now);
    peer.wait(seconds(10));
    assert!(is_silent(&expect_left(&mut peer)));
}

#[test]
fn nothing_is_pinged_before_the_join_while_closing_and_between_the_sessions() {
    let mut peer = Peer::joining(watched().connect_timeout(seconds(100)).retry_initial_connect(true));
    peer.wait(seconds(99));
    peer.receive(crate::support::WELCOME);
    peer.expect_joined();
    let old = peer.transport();
    let left = cut(&mut peer);
    peer.session.handle_activity(peer.now, old);
    assert_eq!(peer.session.poll_timeout().map(|(_, why)| why), Some(TimeoutReason::Reconnect));
    rejoin(&mut peer, &left);
    expect_restored(&mut peer);
    peer.close();
    peer.wait(seconds(100));
    assert_eq!(peer.pings, 0);
    assert!(matches!(&*peer.expect_closed(), CloseCause::Application));
}

#[test]
fn late_news_of_a_silent_transport_are_ignored() {
    let mut peer = joined(watched());
    let old = peer.transport();
    peer.wait(seconds(30));
    let left = expect_left(&mut peer);
    peer.session.handle_closed(peer.now, old, TransportError::new(TransportErrorKind::Eof));
    peer.expect_no_event();
    rejoin(&mut peer, &left);
}

#[test]
fn the_first_ping_comes_an_interval_after_each_join() {
    let mut peer = joined(watched());
    // The last ping is not answered.
    peer.wait(seconds(29));
    let left = cut(&mut peer);
    rejoin(&mut peer, &left);
    expect_restored(&mut peer);
    let before = peer.pings;
    peer.wait(seconds(20) - Duration::from_nanos(1));
    assert_eq!(peer.pings, before);
    peer.wait(Duration::from_nanos(1));
    assert_eq!(peer.pings, before + 1);
}

#[test]
fn what_comes_of_a_transport_that_is_gone_is_no_life() {
    let mut peer = joined(watched());
    let old = peer.transport();
    let left = cut(&mut peer);
    rejoin(&mut peer, &left);
    expect_restored(&mut peer);
    peer.wait(seconds(10));
    peer.session.handle_activity(peer.now, old);
    peer.wait(seconds(10));
    assert_eq!(peer.pings, 1);
    peer.session.handle_activity(peer.now, old);
    peer.wait(seconds(10));
    assert!(is_silent(&expect_left(&mut peer)));
}

#[test]
fn a_peer_that_answers_is_pinged_again_after_the_interval_also_if_the_timeout_is_longer() {
    let mut peer = joined(config().keep_alive(KeepAlive::new().interval(seconds(5)).timeout(seconds(30))));
    peer.wait(seconds(6));
    assert_eq!(peer.pings, 1);
    peer.session.handle_activity(peer.now, peer.transport());
    peer.wait(seconds(5) - Duration::from_nanos(1));
    assert_eq!(peer.pings, 1);
    peer.wait(Duration::from_nanos(1));
    assert_eq!(peer.pings, 2);
}

#[test]
fn a_ping_is_sent_before_its_timeout_also_if_that_is_zero() {
    let mut peer = joined(config().keep_alive(KeepAlive::new().timeout(Duration::ZERO)));
    peer.wait(seconds(20));
    assert_eq!(peer.pings, 1);
    peer.expect_no_event();
    peer.wait(Duration::from_nanos(1));
    assert!(is_silent(&expect_left(&mut peer)));
}

#[test]
fn a_silent_peer_is_closed_and_what_it_has_not_taken_is_lost() {
    let mut peer = joined(watched());
    let id = peer.transport();
    // Not by the peer, which takes every action at once.
    let session = &mut peer.session;
    session.publish(Time::ZERO, uri("com.example.t"), Payload::new(), PublishOptions::new()).unwrap();
    session.handle_timeout(Time::from_secs(20));
    session.handle_timeout(Time::from_secs(30));
    let Some(Action::CloseTransport { id: closed, code: 1001, .. }) = session.poll_action() else {
        panic!("it is not closed")
    };
    assert_eq!(closed, id);
    assert!(session.poll_action().is_none());
    let left = expect_left(&mut peer);
    assert!(is_silent(&left));
    assert_eq!((left.lost_publishes, peer.session.stats().lost_publishes), (1, 1));
}
