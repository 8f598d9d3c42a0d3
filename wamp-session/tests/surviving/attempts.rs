//! When the attempts are made, and to which router.

use core::time::Duration;

use wamp_session::{
    Attempt, AuthError, CloseCause, CommandError, Config, Decision, Frame, Jitter, Opened, ReconnectPolicy,
    RequestError, SessionEvent, Status, Time, TimeoutReason, TransportErrorKind,
};

use crate::support::{Peer, WELCOME, config as plain, payload, uri};
use crate::{accept, config, cut, expect_left, joined};

/// Lets attempt after attempt fail, and returns the delays before them in milliseconds, as the clock shows them.
fn delays(peer: &mut Peer, attempts: u32) -> Vec<u128> {
    let mut left = cut(peer);
    let mut delays = Vec::new();
    for attempt in 1..=attempts {
        assert_eq!(left.attempt, attempt);
        let Some((deadline, TimeoutReason::Reconnect)) = peer.session.poll_timeout() else { panic!("no attempt") };
        assert_eq!(deadline.since(peer.now), left.retry_in.max(Duration::from_nanos(1)));
        delays.push(left.retry_in.as_millis());
        peer.wait(left.retry_in + Duration::from_nanos(1));
        peer.opening();
        peer.end_transport(TransportErrorKind::Connect);
        if attempt < attempts {
            left = expect_left(peer);
        }
    }
    delays
}

#[test]
fn need_06_the_default_policy_waits_1_s_then_twice_as_long_up_to_60_s() {
    let mut peer = joined(config());
    assert_eq!(delays(&mut peer, 9), [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
}

#[test]
fn need_06_the_default_policy_draws_each_delay_up_to_that_the_same_for_the_same_seed() {
    let run = |seed| {
        let mut peer = joined(plain().reconnect(ReconnectPolicy::new()).seed(seed));
        delays(&mut peer, 9)
    };
    let drawn = run(7);
    for (delay, most) in drawn.iter().zip([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]) {
        assert!(*delay <= most, "{delay} of {most}");
    }
    assert_eq!(drawn, run(7));
    assert_ne!(drawn, run(8));
}

#[test]
fn need_06_the_policy_of_loowy_waits_2_s_25_times_and_gives_up() {
    let mut peer = joined(plain().reconnect(ReconnectPolicy::loowy()));
    assert_eq!(delays(&mut peer, 25), [2000; 25]);
    let cause = peer.expect_closed();
    assert!(matches!(&*cause, CloseCause::Transport(error) if *error.kind() == TransportErrorKind::Connect));
    assert!(matches!(peer.session.status(), Status::Closed));
    assert_eq!(peer.session.poll_timeout(), None);
}

#[test]
fn need_06_the_delays_begin_anew_only_after_a_session_that_stood() {
    let mut peer = joined(config());
    let first = cut(&mut peer);
    assert_eq!((first.attempt, first.retry_in.as_secs()), (1, 1));
    peer.wait(first.retry_in);
    accept(&mut peer);
    assert!(matches!(peer.event(), SessionEvent::Restored { .. }));
    peer.wait(Duration::from_millis(9_999));
    let second = cut(&mut peer);
    assert_eq!((second.attempt, second.retry_in.as_secs()), (2, 2));
    peer.wait(second.retry_in);
    accept(&mut peer);
    assert!(matches!(peer.event(), SessionEvent::Restored { .. }));
    peer.wait(Duration::from_secs(10));
    let third = cut(&mut peer);
    assert_eq!((third.attempt, third.retry_in.as_secs()), (1, 1));
}

#[test]
fn need_06_a_function_decides_in_place_of_the_table() {
    fn decide(attempt: &Attempt<'_>) -> Decision {
        match (attempt.cause, attempt.default) {
            (CloseCause::Abort(_), _) => Decision::Retry(Duration::from_secs(u64::from(attempt.number) * 7)),
            (_, default) => default,
        }
    }
    let policy = ReconnectPolicy::new().jitter(Jitter::None).decide(decide);
    let mut peer = joined(plain().reconnect(policy));
    peer.receive("[3,{},\"wamp.error.no_such_realm\"]");
    answer(&mut peer);
    assert_eq!(expect_left(&mut peer).retry_in, Duration::from_secs(7));
    peer.end_transport(TransportErrorKind::Eof);
    peer.wait(Duration::from_secs(7));
    peer.end_transport(TransportErrorKind::Dns);
    answer(&mut peer);
    assert_eq!(expect_left(&mut peer).retry_in, Duration::from_secs(2));
    assert!(peer.session.undecided().is_none());
}

/// Does what an embedder does: calls the function.
fn answer(peer: &mut Peer) {
    let attempt = peer.session.undecided().expect("nothing is asked");
    let decision = attempt.decision();
    peer.session.decide(peer.now, decision);
}

/// A session whose policy has a function, which the session itself must not call.
fn asking() -> Peer {
    fn decide(_: &Attempt<'_>) -> Decision {
        panic!("the session calls user code")
    }
    joined(plain().reconnect(ReconnectPolicy::new().jitter(Jitter::None).decide(decide)))
}

#[test]
fn nothing_is_said_before_it_is_decided_and_the_default_holds_after_the_close_timeout() {
    let mut peer = asking();
    let call = peer.call("com.example.slow");
    peer.sent();
    peer.end_transport(TransportErrorKind::Eof);
    assert!(matches!(peer.expect_call_done(call), Err(RequestError::Disconnected { sent: true })));
    let waits = peer.call("com.example.add2");
    peer.wait(Duration::from_millis(4_999));
    peer.expect_no_event();
    let attempt = peer.session.undecided().unwrap();
    assert_eq!((attempt.number, attempt.default), (1, Decision::Retry(Duration::from_secs(1))));
    assert!(matches!(attempt.cause, CloseCause::Transport(error) if *error.kind() == TransportErrorKind::Eof));
    peer.wait(Duration::from_millis(1));
    let left = expect_left(&mut peer);
    assert_eq!((left.attempt, left.retry_in), (1, Duration::from_secs(1)));
    assert!(peer.session.undecided().is_none());
    peer.session.decide(peer.now, Decision::End);
    peer.expect_no_event();
    peer.wait(left.retry_in);
    accept(&mut peer);
    peer.expect_sent(r#"[48,1,{},"com.example.add2"]"#);
    peer.receive("[50,1,{}]");
    assert!(matches!(peer.event(), SessionEvent::Restored { .. }));
    peer.expect_call_done(waits).unwrap();
}

#[test]
fn the_end_can_be_decided_before_and_after_the_end_of_the_transport() {
    for goodbye in [false, true] {
        let mut peer = asking();
        let topic = peer.subscribe("com.example.t");
        peer.sent();
        if goodbye {
            peer.receive("[6,{},\"wamp.close.system_shutdown\"]");
            peer.sent();
        } else {
            peer.end_transport(TransportErrorKind::Eof);
        }
        peer.expect_no_event();
        peer.session.decide(peer.now, Decision::End);
        assert!(matches!(peer.expect_subscribed(topic), Err(RequestError::Disconnected { sent: true })));
        if goodbye {
            peer.expect_no_event();
            peer.end_transport(TransportErrorKind::Eof);
        }
        let cause = peer.expect_closed();
        assert_eq!(matches!(&*cause, CloseCause::Goodbye(_)), goodbye);
        assert_eq!(peer.session.poll_timeout(), None);
    }
}

#[test]
fn what_ends_by_default_can_be_retried_and_keeps_what_is_wanted() {
    let mut peer = asking();
    peer.subscribed("com.example.t", 11);
    peer.receive("[3,{},\"wamp.error.not_authorized\"]");
    assert_eq!(peer.session.undecided().unwrap().default, Decision::End);
    peer.session.decide(peer.now, Decision::Retry(Duration::from_secs(3)));
    let left = expect_left(&mut peer);
    assert_eq!((left.retry_in.as_secs(), left.session.map(|id| id.get())), (3, Some(7_814_135)));
    peer.end_transport(TransportErrorKind::Eof);
    peer.wait(Duration::from_secs(3));
    accept(&mut peer);
    peer.expect_sent(r#"[32,1,{},"com.example.t"]"#);
}

#[test]
fn close_and_reconnect_now_end_the_wait_for_a_decision() {
    for goodbye in [false, true] {
        let undecided = || {
            let mut peer = asking();
            if goodbye {
                peer.receive("[6,{},\"wamp.close.system_shutdown\"]");
                peer.sent();
            } else {
                peer.end_transport(TransportErrorKind::Eof);
            }
            assert!(peer.session.undecided().is_some());
            peer
        };
        let mut peer = undecided();
        peer.close();
        assert!(peer.session.undecided().is_none());
        peer.session.decide(peer.now, Decision::Retry(Duration::ZERO));
        if goodbye {
            peer.end_transport(TransportErrorKind::Eof);
        }
        assert!(matches!(&*peer.expect_closed(), CloseCause::Application));
        assert_eq!(peer.session.poll_timeout(), None);

        for connect in [false, true] {
            let mut peer = undecided();
            if connect {
                peer.connect();
            } else {
                peer.session.reconnect_now(peer.now);
            }
            assert_eq!(expect_left(&mut peer).retry_in, Duration::ZERO);
            if goodbye {
                peer.end_transport(TransportErrorKind::Eof);
            }
            accept(&mut peer);
            assert!(matches!(peer.event(), SessionEvent::Restored { .. }));
        }
    }
}

#[test]
fn commands_wait_while_it_is_undecided_also_before_the_end_of_the_transport() {
    let mut peer = asking();
    peer.receive("[6,{},\"wamp.close.system_shutdown\"]");
    peer.sent();
    let call = peer.call("com.example.add2");
    peer.session.decide(peer.now, Decision::Retry(Duration::from_secs(1)));
    let left = expect_left(&mut peer);
    peer.end_transport(TransportErrorKind::Eof);
    peer.wait(left.retry_in);
    accept(&mut peer);
    peer.expect_sent(r#"[48,1,{},"com.example.add2"]"#);
    peer.receive("[50,1,{}]");
    assert!(matches!(peer.event(), SessionEvent::Restored { .. }));
    peer.expect_call_done(call).unwrap();
}

#[test]
fn frames_and_timeouts_while_it_is_undecided_are_harmless() {
    let mut peer = asking();
    peer.receive("[6,{},\"wamp.close.system_shutdown\"]");
    peer.sent();
    peer.receive("[36,1,1,{}]");
    peer.session.probe(peer.now);
    // The transport does not end: both times are over at once.
    peer.wait(Duration::from_secs(5));
    let left = expect_left(&mut peer);
    assert_eq!(left.retry_in, Duration::from_secs(1));
    peer.wait(left.retry_in);
    peer.opening();
}

#[test]
fn need_47_several_routers_are_tried_in_turn_and_the_last_good_one_first() {
    let mut peer = joined(config().or_url("ws://b/").or_url("ws://c/"));
    let mut left = cut(&mut peer);
    for url in ["ws://127.0.0.1:8080/ws", "ws://b/", "ws://c/", "ws://127.0.0.1:8080/ws"] {
        peer.wait(left.retry_in);
        assert_eq!(peer.opening().0, url);
        peer.end_transport(TransportErrorKind::Connect);
        left = expect_left(&mut peer);
    }
    peer.wait(left.retry_in);
    assert_eq!(peer.opening().0, "ws://b/");
    accept(&mut peer);
    assert!(matches!(peer.event(), SessionEvent::Restored { .. }));
    let left = cut(&mut peer);
    peer.wait(left.retry_in);
    assert_eq!(peer.opening().0, "ws://b/");
}

#[test]
fn need_09_the_first_join_fails_with_the_first_failure_by_default() {
    let mut peer = Peer::new(config());
    peer.connect();
    let key = peer.call("com.example.add2");
    peer.end_transport(TransportErrorKind::Connect);
    assert!(matches!(peer.expect_call_done(key), Err(RequestError::Disconnected { sent: false })));
    peer.expect_closed();
}

#[test]
fn the_first_join_tries_each_router_once_by_default() {
    let mut peer = Peer::new(config().or_url("ws://b/"));
    peer.connect();
    peer.end_transport(TransportErrorKind::Connect);
    assert_eq!(expect_left(&mut peer).retry_in, Duration::ZERO);
    peer.wait(Duration::from_nanos(1));
    assert_eq!(peer.opening().0, "ws://b/");
    peer.end_transport(TransportErrorKind::Dns);
    let cause = peer.expect_closed();
    assert!(matches!(&*cause, CloseCause::Transport(error) if *error.kind() == TransportErrorKind::Dns));
}

#[test]
fn need_09_the_first_join_is_retried_if_asked_for_and_what_was_declared_before_is_sent_then() {
    let mut peer = Peer::new(config().retry_initial_connect(true).request_timeout(Duration::from_secs(100)));
    peer.connect();
    let topic = peer.subscribe("com.example.tick");
    let procedure = peer.register("com.example.add2");
    for seconds in [1, 2, 4] {
        peer.end_transport(TransportErrorKind::Connect);
        let left = expect_left(&mut peer);
        assert_eq!((left.retry_in.as_secs(), left.session), (seconds, None));
        peer.wait(left.retry_in);
    }
    accept(&mut peer);
    peer.expect_sent(r#"[32,1,{},"com.example.tick"]"#);
    peer.expect_sent(r#"[64,2,{},"com.example.add2"]"#);
    peer.receive("[33,1,10]");
    peer.expect_subscribed(topic).unwrap();
    peer.receive("[65,2,20]");
    peer.expect_registered(procedure).unwrap();
    peer.expect_no_event();
}

#[test]
fn the_join_timeout_leads_to_another_attempt() {
    let mut peer = joined(config());
    let left = cut(&mut peer);
    peer.wait(left.retry_in);
    peer.opening();
    peer.wait(Duration::from_secs(10));
    assert!(matches!(expect_left(&mut peer).cause, CloseCause::JoinTimeout));
    peer.wait(Duration::from_secs(5));
    assert!(
        peer.session.transport().is_some(),
        "the next attempt waits for the old transport at most the close timeout"
    );
}

#[test]
fn need_58_reconnect_now_ends_the_wait_and_makes_no_second_attempt() {
    let mut peer = joined(config());
    cut(&mut peer);
    assert!(matches!(peer.session.status(), Status::Waiting { left, .. } if left.attempt == 1));
    peer.session.reconnect_now(peer.now);
    peer.opening();
    let transport = peer.transport();
    peer.session.reconnect_now(peer.now);
    peer.wait(Duration::from_secs(5));
    assert_eq!(peer.session.transport(), Some(transport));
    accept(&mut peer);
    peer.session.reconnect_now(peer.now);
    assert_eq!(peer.session.transport(), Some(transport));
}

#[test]
fn connecting_while_waiting_is_an_attempt_now() {
    let mut peer = joined(config());
    cut(&mut peer);
    peer.connect();
    peer.opening();
}

#[test]
fn a_goodbye_of_the_router_is_told_at_once_and_the_next_transport_waits_for_the_end_of_the_old_one() {
    let mut peer = joined(config());
    let call = peer.call("com.example.slow");
    peer.sent();
    peer.receive("[6,{},\"wamp.close.system_shutdown\"]");
    assert!(matches!(peer.expect_call_done(call), Err(RequestError::Disconnected { sent: true })));
    let left = expect_left(&mut peer);
    assert_eq!((left.session.map(|id| id.get()), left.retry_in.as_secs()), (Some(7_814_135), 1));
    peer.expect_sent("[6,{},\"wamp.close.goodbye_and_out\"]");
    peer.expect_close(1000);
    let old = peer.transport();
    peer.wait(Duration::from_secs(2));
    assert_eq!(peer.session.transport(), Some(old));
    peer.end_transport(TransportErrorKind::Eof);
    peer.opening();
    assert_ne!(peer.transport(), old);
}

#[test]
fn close_ends_the_wait_for_the_next_attempt() {
    let mut peer = joined(config());
    cut(&mut peer);
    let call = peer.call("com.example.add2");
    peer.close();
    assert!(matches!(peer.expect_call_done(call), Err(RequestError::Closed)));
    assert!(matches!(&*peer.expect_closed(), CloseCause::Application));
    assert_eq!(peer.session.poll_timeout(), None);
    peer.wait(Duration::from_secs(1000));
    peer.close();
    peer.expect_no_event();
    assert!(peer.session.transport().is_none());
    let refused = peer.session.call(peer.now, uri("com.example.add2"), payload(()), wamp_session::CallOptions::new());
    assert!(matches!(refused, Err(CommandError::Closed)));
    peer.connect();
    accept(&mut peer);
    peer.expect_no_event();
}

#[test]
fn need_08_close_while_the_old_transport_ends_never_reconnects() {
    let mut peer = joined(config());
    peer.receive("[6,{},\"wamp.close.system_shutdown\"]");
    expect_left(&mut peer);
    peer.sent();
    peer.close();
    peer.close();
    peer.expect_no_event();
    peer.wait(Duration::from_secs(5));
    assert!(matches!(&*peer.expect_closed(), CloseCause::Application));
    peer.wait(Duration::from_secs(1000));
    peer.expect_no_event();
}

#[test]
fn timeouts_of_zero_do_not_spin() {
    let zero = Duration::ZERO;
    let policy = ReconnectPolicy::new().initial_delay(zero);
    let config: Config =
        plain().reconnect(policy).retry_initial_connect(true).connect_timeout(zero).close_timeout(zero);
    let mut peer = Peer::new(config);
    peer.connect();
    peer.session.handle_timeout(peer.now);
    assert!(peer.session.poll_timeout().is_some_and(|(at, _)| at > peer.now));
}

#[test]
fn a_refusal_ends_the_first_join_also_if_there_are_more_urls() {
    let mut peer = Peer::joining(plain().or_url("ws://b/"));
    peer.receive("[3,{},\"wamp.error.no_such_realm\"]");
    peer.end_transport(TransportErrorKind::Eof);
    assert!(matches!(&*peer.expect_closed(), CloseCause::Abort(_)));
    assert_eq!(peer.session.poll_timeout(), None);
}

#[test]
fn a_decision_brings_the_time_from_which_its_delay_counts() {
    let mut peer = asking();
    peer.end_transport(TransportErrorKind::Eof);
    peer.session.decide(Time::from_secs(3), Decision::Retry(Duration::from_secs(1)));
    assert_eq!(peer.session.poll_timeout(), Some((Time::from_secs(4), TimeoutReason::Reconnect)));
}

#[test]
fn what_waits_for_the_next_attempt_ends_when_the_application_closes_before_it() {
    let goodbye: fn(&mut Peer) = |peer| {
        peer.receive("[6,{},\"wamp.close.system_shutdown\"]");
        expect_left(peer);
    };
    let undecided: fn(&mut Peer) = |peer| peer.end_transport(TransportErrorKind::Eof);
    let between: fn(&mut Peer) = |peer| drop(cut(peer));
    for (mut peer, lose) in [(joined(config()), goodbye), (asking(), undecided), (joined(config()), between)] {
        lose(&mut peer);
        let call = peer.call("com.example.add2");
        peer.close();
        assert!(matches!(peer.expect_call_done(call), Err(RequestError::Closed)));
    }
}

#[test]
fn news_of_a_transport_that_is_gone_are_not_believed() {
    let mut peer = joined(config());
    let old = peer.transport();
    let late = |peer: &mut Peer, text: &'static str| {
        peer.session.handle_frame(peer.now, old, Frame::Text(text.as_bytes().into()));
        peer.expect_silence();
        peer.expect_no_event();
    };
    let left = cut(&mut peer);
    peer.wait(left.retry_in);
    peer.session.handle_opened(peer.now, old, Opened::new(Some("wamp.2.json")));
    let answer = peer.session.authenticate(peer.now, old, Err(AuthError::Malformed("nothing in it")));
    assert_eq!(answer, Err(CommandError::UnknownKey));
    late(&mut peer, WELCOME);
    accept(&mut peer);
    assert!(matches!(peer.event(), SessionEvent::Restored { .. }));
    late(&mut peer, r#"[6,{},"wamp.close.system_shutdown"]"#);
    peer.close();
    peer.sent();
    let answer = br#"[6,{},"wamp.close.goodbye_and_out"]"#.as_slice();
    peer.session.handle_frame(peer.now, old, Frame::Text(answer.into()));
    assert!(peer.session.poll_action().is_none(), "the present one has not answered");
}

#[test]
fn the_policy_of_loowy_counts_from_1_after_each_join() {
    let mut peer = joined(plain().reconnect(ReconnectPolicy::loowy()));
    for _ in 0..3 {
        let left = cut(&mut peer);
        assert_eq!(left.attempt, 1);
        peer.wait(left.retry_in);
        accept(&mut peer);
        assert!(matches!(peer.event(), SessionEvent::Restored { .. }));
    }
}
