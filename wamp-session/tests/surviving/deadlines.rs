//! Deadlines, when there are many.

use core::time::Duration;

use wamp_session::proto::{CancelMode, Payload};
use wamp_session::{CallKey, CallOptions, CloseReason, RequestError, SessionEvent, Stats, SubscribeOptions, Time};

use crate::support::{Peer, uri};
use crate::{config, joined};

const CALLS: u64 = 100_000;

/// The timeout of a call, all different and in no order.
fn timeout(number: u64) -> Duration {
    Duration::from_millis(1 + (number * 7_919) % CALLS)
}

#[test]
fn a_hundred_thousand_calls_end_each_at_its_deadline_and_in_that_order() {
    let mut peer = joined(config());
    let mut keys: Vec<(Duration, CallKey)> = Vec::new();
    for number in 0..CALLS {
        let options = CallOptions::new().timeout(timeout(number));
        let key = peer.session.call(peer.now, uri("com.example.slow"), Payload::new(), options).unwrap();
        keys.push((timeout(number), key));
    }
    // Every third one is answered, or given up, in time.
    for (number, (_, key)) in keys.iter().enumerate() {
        if number % 3 == 0 {
            peer.session.forget_call(*key);
        }
    }
    let mut expected: Vec<(Duration, CallKey)> =
        keys.into_iter().enumerate().filter(|(number, _)| number % 3 != 0).map(|(_, key)| key).collect();
    expected.sort_unstable();
    for (timeout, expected) in expected {
        let at = Time::ZERO.checked_add(timeout).unwrap();
        assert_eq!(
            peer.session.poll_timeout().map(|(next, _)| next),
            Some(at),
            "one deadline for each call that waits"
        );
        peer.session.handle_timeout(at);
        let Some(SessionEvent::CallDone { key, result: Err(RequestError::Timeout { .. }) }) = peer.session.poll_event()
        else {
            panic!("no timeout at {at:?}")
        };
        assert_eq!(key, expected);
    }
    assert_eq!(peer.session.poll_timeout(), None);
    assert!(peer.session.poll_event().is_none());
    assert_eq!(peer.session.stats(), Stats::default());
}

#[test]
fn need_02_a_lost_transport_ends_a_hundred_thousand_calls_at_once_and_leaves_no_deadline() {
    let mut peer = joined(config());
    for number in 0..CALLS {
        let options = CallOptions::new().timeout(timeout(number));
        peer.session.call(peer.now, uri("com.example.slow"), Payload::new(), options).unwrap();
    }
    peer.end_transport(wamp_session::TransportErrorKind::Eof);
    for _ in 0..CALLS {
        let Some(SessionEvent::CallDone { result: Err(RequestError::Disconnected { sent: true }), .. }) =
            peer.session.poll_event()
        else {
            panic!("a call goes on")
        };
    }
    let left = crate::expect_left(&mut peer);
    assert_eq!(peer.session.poll_timeout().map(|(at, _)| at), peer.now.checked_add(left.retry_in));
}

#[test]
fn a_subscribe_that_was_given_up_is_asked_for_again() {
    let mut peer = joined(config());
    let given_up = peer.subscribe("com.example.t");
    peer.expect_sent(r#"[32,1,{},"com.example.t"]"#);
    peer.wait(Duration::from_secs(10));
    assert!(matches!(peer.expect_subscribed(given_up), Err(RequestError::Timeout { .. })));
    let again = peer.subscribe("com.example.t");
    peer.expect_sent(r#"[32,2,{},"com.example.t"]"#);
    // The first one stays without an answer, and holds up nothing.
    peer.receive("[33,2,11]");
    peer.expect_subscribed(again).unwrap();
    peer.unsubscribe(again);
    peer.expect_sent("[34,3,11]");
}

#[test]
fn the_late_answer_of_a_subscribe_that_was_given_up_takes_nothing_from_the_next_one() {
    let mut peer = joined(config());
    let given_up = peer.subscribe("com.example.t");
    peer.wait(Duration::from_secs(10));
    assert!(matches!(peer.expect_subscribed(given_up), Err(RequestError::Timeout { .. })));
    let again = peer.subscribe("com.example.t");
    peer.sent();
    peer.sent();
    peer.receive("[33,1,11]");
    peer.expect_silence();
    peer.receive("[33,2,11]");
    peer.expect_subscribed(again).unwrap();
    peer.expect_silence();
    peer.receive("[36,11,1,{}]");
    assert_eq!(peer.expect_published().key, again);
    peer.expect_no_event();
}

#[test]
fn subscribes_that_nobody_answers_end_each_at_its_own_timeout_and_the_late_answers_are_undone() {
    let mut peer = joined(config());
    for _ in 0..2 {
        let key = peer.subscribe("com.example.t");
        peer.sent_request(32);
        peer.wait(Duration::from_secs(10));
        assert!(matches!(peer.expect_subscribed(key), Err(RequestError::Timeout { .. })));
    }
    peer.receive("[33,1,11]");
    peer.expect_sent("[34,3,11]");
    peer.receive("[33,2,11]");
    peer.expect_sent("[34,4,11]");
    peer.receive("[35,3]");
    peer.receive(r#"[8,34,4,{},"wamp.error.no_such_subscription"]"#);
    peer.expect_no_event();
}

#[test]
fn a_command_brings_the_time_from_which_its_deadline_counts() {
    type Command = fn(&mut Peer, Time);
    let commands: [(u64, Command); 4] = [
        (2, |peer, now| {
            let options = CallOptions::new().timeout(Duration::from_secs(2));
            peer.session.call(now, uri("com.example.slow"), Payload::new(), options).unwrap();
        }),
        (10, |peer, now| {
            let key = peer.call("com.example.slow");
            peer.session.cancel(now, key, CancelMode::Kill).unwrap();
        }),
        (10, |peer, now| {
            peer.session.subscribe(now, uri("com.example.t"), SubscribeOptions::new()).unwrap();
        }),
        (5, |peer, now| peer.session.close(now, CloseReason::CloseRealm)),
    ];
    for (seconds, command) in commands {
        let mut peer = joined(config());
        command(&mut peer, Time::from_secs(100));
        assert_eq!(peer.session.poll_timeout().map(|(at, _)| at), Some(Time::from_secs(100 + seconds)));
    }
}
