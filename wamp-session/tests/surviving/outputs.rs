//! Outputs that nobody takes: bounded, merged, and less what has become pointless.

use core::time::Duration;

use wamp_session::proto::Payload;
use wamp_session::{
    Action, KeepAlive, Limits, Offline, OfflinePolicy, PublishOptions, SessionEvent, Time, TransportError,
    TransportErrorKind,
};

use crate::support::{Peer, payload, uri};
use crate::{config, joined};

#[test]
fn changes_that_nobody_takes_are_merged_over_the_limit() {
    let limits = Limits::new().max_changes(5);
    let offline = Offline::new().publishes(OfflinePolicy::Buffer(10));
    let mut peer = joined(config().limits(limits).offline(offline));
    let call = peer.call("com.example.slow");
    peer.sent();
    for _ in 0..1_000 {
        let (session, now) = (&mut peer.session, peer.now);
        session.publish(now, uri("com.example.t"), Payload::new(), PublishOptions::new()).unwrap();
        peer.end_unread();
        peer.session.reconnect_now(peer.now);
        accept_unseen(&mut peer);
    }
    peer.expect_call_done(call).unwrap_err();
    let (mut changes, mut lost) = (Vec::new(), 0);
    while let Some(event) = peer.session.poll_event() {
        match &event {
            SessionEvent::Left(left) => {
                lost += left.lost_publishes;
                changes.push("left");
            }
            SessionEvent::Joined(_) => changes.push("joined"),
            SessionEvent::Restored { .. } => changes.push("restored"),
            event => panic!("{event:?}"),
        }
    }
    assert!(changes.len() <= 7, "{changes:?}");
    assert_eq!(changes[changes.len() - 3..], ["left", "joined", "restored"]);
    assert_eq!(lost, 1_000, "the losses are added up");
    // There is room again.
    for _ in 0..2 {
        peer.end_unread();
        peer.session.reconnect_now(peer.now);
        accept_unseen(&mut peer);
    }
    assert_eq!(std::iter::from_fn(|| peer.session.poll_event()).count(), 6);
}

/// The router accepts the attempt that is under way; nobody looks at what happens.
fn accept_unseen(peer: &mut Peer) {
    peer.open(wamp_session::Opened::new(Some("wamp.2.json")));
    assert!(peer.sent().starts_with("[1,"));
    peer.receive(crate::support::WELCOME);
}

#[test]
fn late_returns_that_nobody_takes_are_merged_with_the_changes() {
    let mut peer = joined(config().limits(Limits::new().max_changes(5)));
    let topic = peer.subscribed("com.example.t", 11);
    let procedure = peer.registered("com.example.p", 12);
    for _ in 0..100 {
        peer.end_unread();
        peer.session.reconnect_now(peer.now);
        accept_unseen(&mut peer);
        peer.skip_sent(2);
        // Both are missing in `Restored`, and come back after it.
        peer.wait(Duration::from_secs(10));
        peer.receive("[33,1,11]");
        peer.receive("[65,2,12]");
    }
    let events: Vec<SessionEvent> = std::iter::from_fn(|| peer.session.poll_event()).collect();
    assert!(events.len() <= 9, "{events:?}");
    let last = &events[events.len() - 3..];
    assert!(matches!(&last[0], SessionEvent::Restored { failed } if failed.len() == 2), "{events:?}");
    assert!(matches!(last[1], SessionEvent::Subscribed { key, result: Ok(()) } if key == topic), "{events:?}");
    assert!(matches!(last[2], SessionEvent::Registered { key, result: Ok(()) } if key == procedure), "{events:?}");
    // What was asked for in this session is told whatever happens.
    let other = peer.subscribed("com.example.u", 13);
    assert_ne!(other, topic);
}

#[test]
fn what_was_confirmed_or_refused_is_never_merged() {
    let mut peer = joined(config().limits(Limits::new().max_changes(2)));
    let keys = [peer.subscribe("com.example.t"), peer.subscribe("com.example.u")];
    peer.skip_sent(2);
    peer.receive("[33,1,11]");
    peer.receive(r#"[8,32,2,{},"wamp.error.not_authorized"]"#);
    for _ in 0..10 {
        peer.end_unread();
        peer.session.reconnect_now(peer.now);
        accept_unseen(&mut peer);
        peer.skip_sent(1);
    }
    peer.expect_subscribed(keys[0]).unwrap();
    peer.expect_subscribed(keys[1]).unwrap_err();
}

#[test]
fn changes_below_the_limit_are_all_told() {
    let mut peer = joined(config());
    for _ in 0..100 {
        peer.end_unread();
        peer.session.reconnect_now(peer.now);
        accept_unseen(&mut peer);
    }
    let changes = std::iter::from_fn(|| peer.session.poll_event()).count();
    assert_eq!(changes, 300);
}

#[test]
fn a_transport_that_has_ended_meanwhile_is_not_closed_any_more() {
    let mut peer = joined(config().keep_alive(KeepAlive::new()));
    let transport = peer.transport();
    // Nobody drains: the ping, the end of the silent peer, and then its transport ends by itself.
    for seconds in [20, 30] {
        peer.session.handle_timeout(Time::from_secs(seconds));
    }
    let eof = TransportError::new(TransportErrorKind::Eof);
    peer.session.handle_closed(Time::from_secs(30), transport, eof);
    let actions: Vec<Action> = std::iter::from_fn(|| peer.session.poll_action()).collect();
    assert!(actions.is_empty(), "{actions:?}");
}

#[test]
fn frames_are_wanted_while_there_is_room_for_what_they_bring() {
    let limits = Limits::new().max_events(2).max_outbound_bytes(100);
    let mut peer = joined(config().limits(limits));
    peer.subscribed("com.example.t", 11);
    assert!(peer.session.wants_frames());
    for publication in 1..=3 {
        assert_eq!(peer.session.wants_frames(), publication < 3);
        peer.receive(&format!("[36,11,{publication},{{}}]"));
    }
    assert_eq!(peer.session.stats().dropped_events, 1, "who sends all the same loses it");
    peer.expect_published();
    assert!(peer.session.wants_frames());
    peer.expect_published();
    let text = payload(("x".repeat(100),));
    peer.session.publish(peer.now, uri("com.example.t"), text, PublishOptions::new()).unwrap();
    assert!(!peer.session.wants_frames(), "answers to invocations would have no room");
    peer.sent();
    assert!(peer.session.wants_frames());
}
