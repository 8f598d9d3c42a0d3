//! Checklist section 11.6: call timeouts.

use core::time::Duration;

use wamp_session::proto::Payload;
use wamp_session::{
    CallOptions, CommandError, ErrorKind, Feature, InvocationEnd, RegisterOptions, RequestError, Response, SessionEvent,
};

use crate::support::{FEATURELESS, Peer, WELCOME, config, uri};

/// The WELCOME of a dealer that knows of timeouts.
const WITH_TIMEOUTS: &str =
    r#"[2,1,{"roles":{"broker":{},"dealer":{"features":{"call_canceling":true,"call_timeout":true}}}}]"#;

fn call(peer: &mut Peer, timeout: Duration) -> wamp_session::CallKey {
    let options = CallOptions::new().timeout(timeout);
    peer.session.call(peer.now, uri("a.b"), Payload::new(), options).unwrap()
}

#[test]
fn tmo_01_timeouts_are_sent_in_milliseconds_rounded_up() {
    let mut peer = Peer::joined();
    for (timeout, options) in [
        (Duration::from_millis(1_500), r#"{"timeout":1500}"#),
        (Duration::from_nanos(1), r#"{"timeout":1}"#),
        (Duration::from_micros(2_001), r#"{"timeout":3}"#),
        (Duration::ZERO, "{}"),
        // As long as time itself.
        (Duration::MAX, "{}"),
    ] {
        call(&mut peer, timeout);
        let request = peer.sent();
        let expected = format!(r#",{options},"a.b"]"#);
        assert!(request.ends_with(&expected), "{request}");
    }
}

#[test]
fn tmo_01_zero_is_no_timeout_in_spite_of_the_sessions() {
    let mut peer = Peer::joined_with(config().call_timeout(Duration::from_secs(1)), WELCOME);
    call(&mut peer, Duration::ZERO);
    peer.expect_sent(r#"[48,1,{},"a.b"]"#);
    assert_eq!(peer.session.poll_timeout(), None);
}

#[test]
fn tmo_02_the_dealers_timeout_is_not_the_clients() {
    let mut peer = Peer::joined();
    let call = call(&mut peer, Duration::from_secs(1));
    peer.receive(r#"[8,48,1,{},"wamp.error.timeout",["call timeout"]]"#);
    let Err(RequestError::Wamp(error)) = peer.expect_call_done(call) else { panic!("no error") };
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.arg::<&str>(0).unwrap(), "call timeout");
    assert_eq!(peer.session.poll_timeout(), None);
}

#[test]
fn tmo_04_a_callee_answers_when_the_time_is_over() {
    let mut peer = Peer::joined_with(config(), WITH_TIMEOUTS);
    peer.registered("com.example.p", 200);
    peer.receive(r#"[68,7,200,{"timeout":50}]"#);
    let invocation = peer.expect_invocation();
    peer.wait(Duration::from_millis(49));
    peer.expect_silence();
    peer.wait(Duration::from_millis(1));
    peer.expect_sent(r#"[8,68,7,{},"wamp.error.timeout"]"#);
    match peer.event() {
        SessionEvent::InvocationEnded { key, why } => assert_eq!((key, why), (invocation.key, InvocationEnd::Timeout)),
        event => panic!("{event:?}"),
    }
    let late = peer.session.respond(peer.now, invocation.key, Response::Result(Payload::new()));
    assert!(matches!(late, Err(CommandError::UnknownKey)));
    peer.expect_usable();

    // One that is answered in time has none.
    peer.receive(r#"[68,8,200,{"timeout":50}]"#);
    let invocation = peer.expect_invocation();
    peer.session.respond(peer.now, invocation.key, Response::Result(Payload::new())).unwrap();
    peer.expect_sent("[70,8,{}]");
    assert_eq!(peer.session.poll_timeout(), None);
    peer.receive(r#"[68,9,200,{"timeout":0}]"#);
    peer.expect_invocation();
    assert_eq!(peer.session.poll_timeout(), None);
}

#[test]
fn tmo_04_a_callee_that_asked_for_timeouts_keeps_them() {
    let mut peer = Peer::joined_with(config(), FEATURELESS);
    let options = RegisterOptions::new().forward_timeout();
    let registration = peer.session.register(peer.now, uri("com.example.p"), options).unwrap();
    peer.expect_sent(r#"[64,1,{"forward_timeout":true},"com.example.p"]"#);
    peer.receive("[65,1,200]");
    peer.expect_registered(registration).unwrap();
    peer.receive(r#"[68,7,200,{"timeout":50}]"#);
    peer.wait(Duration::from_millis(50));
    peer.expect_sent(r#"[8,68,7,{},"wamp.error.timeout"]"#);
}

#[test]
fn tmo_05_a_timeout_cancels_the_call_where_that_can_be() {
    for (welcome, is_told) in [(WELCOME, true), (FEATURELESS, false)] {
        let mut peer = Peer::joined_with(config(), welcome);
        let call = call(&mut peer, Duration::from_secs(1));
        peer.sent();
        peer.wait(Duration::from_secs(1));
        assert!(matches!(peer.expect_call_done(call), Err(RequestError::Timeout { .. })));
        if is_told {
            peer.expect_sent(r#"[49,1,{"mode":"killnowait"}]"#);
        }
        peer.receive("[50,1,{}]");
        peer.expect_usable();
    }
}

#[test]
fn tmo_06_a_timeout_that_nobody_announced_is_ignored() {
    // By a dealer such as Crossbar.io, which forwards a number of unknown unit, and by a callee whose feature is switched off.
    let off = config().without_feature(Feature::CallTimeout);
    for (config, welcome) in [(config(), FEATURELESS), (off, WITH_TIMEOUTS)] {
        let mut peer = Peer::joined_with(config, welcome);
        peer.registered("com.example.p", 200);
        peer.receive(r#"[68,7,200,{"timeout":50}]"#);
        let invocation = peer.expect_invocation();
        assert_eq!(invocation.details.timeout, Some(50));
        peer.wait(Duration::from_millis(100));
        peer.expect_silence();
        peer.session.respond(peer.now, invocation.key, Response::Result(Payload::new())).unwrap();
        peer.expect_sent("[70,7,{}]");
        peer.expect_usable();
    }
}
