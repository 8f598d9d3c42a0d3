//! Checklist section 7: what the router may not do, and what is tolerated all the same. The tap
//! checks PV-23 in every test, too.

use wamp_session::proto::{MessageType, Role};
use wamp_session::{CloseCause, Opened, ProtocolViolation, TransportErrorKind};

use super::messages::text;
use crate::support::{Peer, config};

#[track_caller]
fn unexpected_after_the_join(frame: &str) {
    let cause = Peer::violate(config(), &[text(frame)]);
    let CloseCause::ProtocolViolation(ProtocolViolation::Unexpected { .. }) = &*cause else { panic!("{cause:?}") };
}

/// A message that comes before WELCOME: in reply to HELLO, between CHALLENGE and AUTHENTICATE, and in reply to AUTHENTICATE.
#[track_caller]
fn violates_before_the_join(frame: &str) {
    for state in 0..3 {
        let mut peer = Peer::new(config());
        peer.connect();
        peer.open(Opened::new(Some("wamp.2.json")).authmethods(["ticket"]).authid("joe"));
        peer.sent();
        if state > 0 {
            peer.receive(r#"[4,"ticket",{}]"#);
            peer.event();
        }
        if state > 1 {
            let answer = wamp_session::auth::Answer::new("secret");
            peer.session.authenticate(peer.now, peer.transport(), Ok(answer)).unwrap();
            peer.expect_sent(r#"[5,"secret",{}]"#);
        }
        peer.receive(frame);
        peer.expect_violation();
        peer.expect_deaf();
        peer.end_transport(TransportErrorKind::Eof);
        let cause = peer.expect_closed();
        let CloseCause::ProtocolViolation(_) = &*cause else { panic!("{cause:?}") };
    }
}

#[test]
fn pv_01_welcome_after_the_join() {
    unexpected_after_the_join("[2,1,{}]");
    let mut peer = Peer::joined();
    peer.receive("[2,1,{}]");
    peer.expect_sent(concat!(
        r#"[3,{"message":"WELCOME received after the session was joined"},"#,
        r#""wamp.error.protocol_violation"]"#
    ));
}

#[test]
fn pv_02_hello_at_any_time() {
    unexpected_after_the_join(r#"[1,"realm1",{"roles":{}}]"#);
    violates_before_the_join(r#"[1,"realm1",{"roles":{}}]"#);
}

#[test]
fn pv_03_challenge_after_the_join() {
    unexpected_after_the_join(r#"[4,"ticket",{}]"#);
}

#[test]
fn pv_04_goodbye_before_the_join() {
    violates_before_the_join(r#"[6,{},"wamp.close.system_shutdown"]"#);
}

#[test]
fn pv_05_error_before_the_join() {
    violates_before_the_join(r#"[8,48,1,{},"a.b"]"#);
}

#[test]
fn pv_06_errors_of_a_type_that_clients_do_not_request() {
    for code in [0, 1, 33, 68, 36, 7, 300] {
        Peer::violate(config(), &[text(&format!(r#"[8,{code},1,{{}},"a.b"]"#))]);
    }
    let mut peer = Peer::joined();
    peer.call("com.example.procedure");
    peer.sent();
    for code in [49, 70] {
        peer.receive(&format!(r#"[8,{code},1,{{}},"wamp.error.invalid_argument"]"#));
    }
    peer.expect_usable();
}

#[test]
fn ses_08_and_pv_07_to_13_anything_else_before_the_join() {
    for frame in ["[33,1,1]", "[35,1]", "[17,1,1]", "[50,1,{}]", "[65,1,1]", "[67,1]", "[68,1,1,{}]"] {
        violates_before_the_join(frame);
    }
}

#[test]
fn pv_14_event_and_interrupt_before_the_join() {
    violates_before_the_join("[36,1,1,{}]");
    violates_before_the_join("[69,1,{}]");
}

#[test]
fn pv_15_incompatible_messages() {
    // MSG-004 to MSG-010 have tests of their own; this one has one of each kind.
    for frame in ["[]", "{}", r#"["36",1,1,{}]"#, "[7,1,{}]", "[337,1]", "[33,1]", r#"[33,"1",1]"#] {
        let cause = Peer::violate(config(), &[text(frame)]);
        let CloseCause::ProtocolViolation(ProtocolViolation::Decode(_)) = &*cause else { panic!("{cause:?}") };
    }
}

#[test]
fn pv_16_what_cannot_be_decoded() {
    for frame in ["[36,1,1,{},[1", "[36,1,1,{},[01]]", "[36,1,1,{}] x", r#"[36,1,1,{},["\ud800"]]"#] {
        let cause = Peer::violate(config(), &[text(frame)]);
        let CloseCause::ProtocolViolation(ProtocolViolation::Decode(_)) = &*cause else { panic!("{cause:?}") };
    }
}

#[test]
fn pv_18_a_violation_disposes_of_everything() {
    let mut peer = Peer::joined();
    let subscription = peer.subscribed("com.example.topic", 100);
    let registration = peer.registered("com.example.procedure", 200);
    peer.receive("[]");
    peer.expect_violation();
    peer.receive("[36,100,1,{}]");
    peer.receive("[68,1,200,{}]");
    peer.expect_silence();
    peer.expect_no_event();
    assert!(peer.session.unsubscribe(peer.now, subscription).is_err());
    assert!(peer.session.unregister(peer.now, registration).is_err());
    peer.expect_silence();
    peer.wait(core::time::Duration::from_secs(5));
    assert!(matches!(&*peer.expect_closed(), CloseCause::ProtocolViolation(_)));
}

#[test]
fn pv_19_garbage_before_the_join() {
    violates_before_the_join("garbage");
    violates_before_the_join("[]");
    violates_before_the_join(r#"[68,1,1,{"procedure":"not a uri"}]"#);
}

#[test]
fn pv_20_an_abort_is_never_answered() {
    let mut peer = Peer::joined();
    peer.receive("[]");
    peer.expect_violation();
    peer.receive(r#"[3,{},"wamp.error.protocol_violation"]"#);
    peer.expect_close(1000);
}

#[test]
fn pv_21_answers_to_unknown_requests_are_counted() {
    let mut peer = Peer::joined();
    let call = peer.call("com.example.procedure");
    peer.sent();
    for frame in [
        "[33,9,1]",
        "[35,9]",
        "[17,9,1]",
        "[65,9,1]",
        "[67,9]",
        "[50,9,{}]",
        r#"[8,48,9,{},"a.b"]"#,
        // The id waits, but for another answer.
        "[33,1,1]",
        "[17,1,1]",
        r#"[8,32,1,{},"a.b"]"#,
    ] {
        peer.receive(frame);
    }
    assert_eq!(peer.session.stats().unknown_answers, 10);
    peer.expect_usable();
    peer.receive("[50,1,{}]");
    peer.expect_call_done(call).unwrap();
}

#[test]
fn pv_22_events_of_unknown_subscriptions_are_ignored() {
    let mut peer = Peer::joined();
    peer.receive("[36,100,1,{}]");
    let subscription = peer.subscribed("com.example.topic", 100);
    peer.unsubscribe(subscription);
    peer.sent();
    peer.receive("[36,100,1,{}]");
    peer.receive("[35,2]");
    peer.expect_unsubscribed(subscription).unwrap();
    peer.receive("[36,100,1,{}]");
    assert_eq!(peer.session.stats().unknown_events, 3);
    peer.expect_usable();
}

#[test]
fn pv_22_invocations_of_unknown_registrations_are_refused() {
    let mut peer = Peer::joined();
    peer.receive("[68,5,200,{}]");
    peer.expect_sent(r#"[8,68,5,{},"wamp.error.no_such_registration"]"#);
    let registration = peer.registered("com.example.procedure", 200);
    peer.unregister(registration);
    peer.sent();
    peer.receive("[67,2]");
    peer.expect_unregistered(registration).unwrap();
    peer.receive("[68,6,200,{}]");
    peer.expect_sent(r#"[8,68,6,{},"wamp.error.no_such_registration"]"#);
    peer.expect_usable();
}

#[test]
fn pv_23_an_invocation_is_answered_once() {
    let mut peer = Peer::joined();
    peer.registered("com.example.procedure", 7);
    peer.receive("[68,5,7,{}]");
    let invocation = peer.expect_invocation();
    let respond = |peer: &mut Peer| {
        let result = wamp_session::Response::Result(Default::default());
        peer.session.respond(peer.now, invocation.key, result)
    };
    respond(&mut peer).unwrap();
    peer.expect_sent("[70,5,{}]");
    assert_eq!(respond(&mut peer), Err(wamp_session::CommandError::UnknownKey));
    peer.expect_silence();
    peer.expect_usable();
}

#[test]
fn uri_08_an_invocation_of_what_is_no_uri_is_answered() {
    let mut peer = Peer::joined();
    peer.registered("com.example.procedure", 200);
    peer.receive(r#"[68,5,200,{"procedure":"com..procedure"}]"#);
    peer.expect_sent(r#"[8,68,5,{},"wamp.error.invalid_uri"]"#);
    peer.expect_usable();
}

#[test]
fn uri_08_an_error_that_is_no_uri_fails_its_request_only() {
    let mut peer = Peer::joined();
    peer.subscribed("com.example.topic", 100);
    let call = peer.call("com.example.procedure");
    peer.sent();
    peer.receive(r#"[8,48,2,{},"not a uri"]"#);
    let error = peer.expect_call_done(call).unwrap_err();
    let wamp_session::RequestError::Wamp(error) = error else { panic!("{error:?}") };
    assert_eq!(error.uri(), "wamp.error.invalid_uri");
    peer.receive(r#"[36,100,1,{"topic":"not a uri"}]"#);
    assert_eq!(peer.session.stats().dropped_events, 1);
    peer.expect_usable();
    // A GOODBYE has no such excuse.
    Peer::violate(config(), &[text(r#"[6,{},"not a uri"]"#)]);
}

#[test]
fn the_text_of_a_violation_says_where_it_is() {
    let mut peer = Peer::joined();
    peer.receive(r#"[33,"x",1]"#);
    let abort = peer.sent();
    assert!(abort.contains("SUBSCRIBED.Request"), "{abort}");
    peer.expect_close(1000);
    peer.end_transport(TransportErrorKind::Eof);
    let cause = peer.expect_closed();
    let CloseCause::ProtocolViolation(ProtocolViolation::Decode(error)) = &*cause else { panic!("{cause:?}") };
    assert_eq!(error.message_type(), Some(MessageType::Subscribed));
}

#[test]
fn an_invocation_that_cannot_be_read_is_not_refused_by_a_client_that_is_no_callee() {
    let config = config().roles([Role::Caller]);
    Peer::violate(config, &[text(r#"[68,1,1,{"procedure":"not a uri"}]"#)]);
}
