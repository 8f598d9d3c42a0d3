//! Checklist section 11.2: the callee.

use core::time::Duration;
use std::collections::BTreeMap;

use wamp_session::proto::{ArgsKwargs, Format, IntoPayload, Kwargs, Payload};
use wamp_session::{
    CloseCause, CommandError, InvocationEvent, Limits, ProtocolViolation, RegisterOptions, RequestError, Response,
    SessionEvent, WampError,
};

use super::messages::text;
use crate::support::{Peer, WELCOME, config, payload, uri};

/// A session with a registration, and an invocation of it.
fn invoked(peer: &mut Peer, frame: &str) -> InvocationEvent {
    peer.registered("com.example.procedure", 9_823_526);
    peer.receive(frame);
    peer.expect_invocation()
}

fn respond(peer: &mut Peer, invocation: &InvocationEvent, response: Response) -> Result<(), CommandError> {
    peer.session.respond(peer.now, invocation.key, response)
}

#[test]
fn cle_01_a_registration_is_confirmed_or_refused() {
    let mut peer = Peer::joined();
    let key = peer.register("com.myapp.myprocedure1");
    peer.expect_sent(r#"[64,1,{},"com.myapp.myprocedure1"]"#);
    peer.receive("[65,1,2103333224]");
    peer.expect_registered(key).unwrap();
    for (request, reason) in
        [(2, "wamp.error.procedure_already_exists"), (3, "wamp.error.invalid_uri"), (4, "wamp.error.not_authorized")]
    {
        let key = peer.register("com.myapp.myprocedure2");
        assert_eq!(peer.sent_request(64), request);
        peer.receive(&format!(r#"[8,64,{request},{{}},"{reason}"]"#));
        let error = peer.expect_registered(key).unwrap_err();
        assert!(matches!(error, RequestError::Wamp(error) if error.uri() == reason));
        assert!(matches!(peer.session.unregister(peer.now, key), Err(CommandError::UnknownKey)));
        assert_eq!(peer.session.poll_timeout(), None);
    }
}

#[test]
fn cle_02_a_registration_ends_with_the_answer_to_unregister() {
    let mut peer = Peer::joined();
    let key = peer.registered("com.example.procedure", 200);
    peer.unregister(key);
    peer.expect_sent("[66,2,200]");
    assert!(matches!(peer.session.unregister(peer.now, key), Err(CommandError::UnknownKey)));
    peer.receive("[68,5,200,{}]");
    let invocation = peer.expect_invocation();
    respond(&mut peer, &invocation, Response::Result(Payload::new())).unwrap();
    peer.expect_sent("[70,5,{}]");
    peer.receive("[67,2]");
    peer.expect_unregistered(key).unwrap();
    peer.receive("[68,6,200,{}]");
    peer.expect_sent(r#"[8,68,6,{},"wamp.error.no_such_registration"]"#);

    let key = peer.registered("com.example.procedure", 201);
    peer.unregister(key);
    peer.sent();
    peer.receive(r#"[8,66,4,{},"wamp.error.no_such_registration"]"#);
    peer.expect_unregistered(key).unwrap();

    let key = peer.registered("com.example.procedure", 202);
    peer.unregister(key);
    peer.sent();
    peer.receive(r#"[8,66,6,{},"wamp.error.not_authorized"]"#);
    assert!(matches!(peer.expect_unregistered(key), Err(RequestError::Wamp(_))));
    assert_eq!(peer.session.poll_timeout(), None);
    peer.expect_usable();
}

#[test]
fn cle_03_an_invocation_is_answered_once_with_its_own_id() {
    let mut peer = Peer::joined();
    let invocation = invoked(&mut peer, r#"[68,6131533,9823526,{},["johnny"],{"firstname":"John","surname":"Doe"}]"#);
    assert_eq!(invocation.payload.arg::<&str>(0).unwrap(), "johnny");
    assert_eq!(invocation.procedure, "com.example.procedure");
    let result = Kwargs(BTreeMap::from([("karma", 10), ("userid", 123)]));
    respond(&mut peer, &invocation, Response::Result(payload(result))).unwrap();
    peer.expect_sent(r#"[70,6131533,{},[],{"karma":10,"userid":123}]"#);
    let again = respond(&mut peer, &invocation, Response::Result(Payload::new()));
    assert!(matches!(again, Err(CommandError::UnknownKey)));
    peer.expect_usable();
}

#[test]
fn cle_03_the_procedure_of_the_details_is_the_one_that_was_called() {
    let mut peer = Peer::joined();
    let invocation = invoked(&mut peer, r#"[68,1,9823526,{"procedure":"com.example.called","caller":5}]"#);
    assert_eq!(invocation.procedure, "com.example.called");
    assert_eq!(invocation.details.caller.map(|caller| caller.get()), Some(5));
}

#[test]
fn cle_04_an_error_is_answered_with_all_that_it_carries() {
    let error = |args: Payload| {
        let error = WampError::new("com.myapp.error.object_write_protected").unwrap();
        Response::Error(error.payload(args).unwrap())
    };
    let mut peer = Peer::joined();
    peer.registered("com.example.procedure", 200);
    for (request, args, tail) in [
        (1, Payload::new(), ""),
        (2, payload(("Object is write protected.",)), r#",["Object is write protected."]"#),
        (3, payload(Kwargs(BTreeMap::from([("severity", 3)]))), r#",[],{"severity":3}"#),
        (4, payload(ArgsKwargs((1,), BTreeMap::from([("severity", 3)]))), r#",[1],{"severity":3}"#),
    ] {
        peer.receive(&format!("[68,{request},200,{{}}]"));
        let invocation = peer.expect_invocation();
        respond(&mut peer, &invocation, error(args)).unwrap();
        peer.expect_sent(&format!(r#"[8,68,{request},{{}},"com.myapp.error.object_write_protected"{tail}]"#));
    }
    peer.expect_usable();
}

#[test]
fn cle_06_invocations_are_answered_in_any_order() {
    let mut peer = Peer::joined();
    let slow = invoked(&mut peer, "[68,1,9823526,{}]");
    peer.receive("[68,2,9823526,{}]");
    let fast = peer.expect_invocation();
    respond(&mut peer, &fast, Response::Result(payload(("fast",)))).unwrap();
    respond(&mut peer, &slow, Response::Result(payload(("slow",)))).unwrap();
    peer.expect_sent(r#"[70,2,{},["fast"]]"#);
    peer.expect_sent(r#"[70,1,{},["slow"]]"#);
}

#[test]
fn cle_07_a_result_that_is_too_large_is_answered_with_an_error() {
    let limits = Limits::new().message(wamp_session::proto::Limits::new().max_message_bytes(512));
    let mut peer = Peer::joined_with(config().limits(limits), WELCOME);
    let invocation = invoked(&mut peer, "[68,1,9823526,{}]");
    let result = respond(&mut peer, &invocation, Response::Result(payload("x".repeat(600))));
    assert!(matches!(result, Err(CommandError::TooLarge { limit: 512, .. })), "{result:?}");
    peer.expect_sent(r#"[8,68,1,{},"wamp.error.payload_size_exceeded"]"#);
    let again = respond(&mut peer, &invocation, Response::Result(Payload::new()));
    assert!(matches!(again, Err(CommandError::UnknownKey)));
    peer.expect_usable();
}

#[test]
fn cle_07_a_result_that_cannot_be_encoded_is_answered_with_an_error() {
    let nan = f64::NAN.into_payload(Format::MsgPack).unwrap();
    let mut peer = Peer::joined();
    let invocation = invoked(&mut peer, "[68,1,9823526,{}]");
    let result = respond(&mut peer, &invocation, Response::Result(nan.clone()));
    assert!(matches!(result, Err(CommandError::Encode(_))), "{result:?}");
    peer.expect_sent(r#"[8,68,1,{},"wamp.error.invalid_payload"]"#);

    peer.receive("[68,2,9823526,{}]");
    let invocation = peer.expect_invocation();
    let error = WampError::new("com.example.error").unwrap().payload(nan).unwrap();
    let result = respond(&mut peer, &invocation, Response::Error(error));
    assert!(matches!(result, Err(CommandError::Encode(_))), "{result:?}");
    peer.expect_sent(r#"[8,68,2,{},"wamp.error.invalid_payload"]"#);
    peer.expect_usable();
}

#[test]
fn cle_07_an_error_that_is_no_uri_is_answered_with_an_error() {
    use wamp_session::proto::{MatchPolicy, Uri, UriRule};
    let mut peer = Peer::joined();
    let invocation = invoked(&mut peer, "[68,1,9823526,{}]");
    let pattern = Uri::checked("com..error", UriRule::Loose, MatchPolicy::Wildcard).unwrap();
    let result = respond(&mut peer, &invocation, Response::Error(WampError::from_uri(pattern)));
    assert!(matches!(result, Err(CommandError::InvalidUri(_))));
    peer.expect_sent(r#"[8,68,1,{},"wamp.error.invalid_uri"]"#);
}

#[test]
fn cle_09_running_invocations_end_with_the_session() {
    let welcome = WELCOME.replace(r#""call_canceling":true"#, r#""call_canceling":true,"call_timeout":true"#);
    let mut peer = Peer::joined_with(config(), &welcome);
    let invocation = invoked(&mut peer, r#"[68,1,9823526,{"timeout":2000}]"#);
    peer.end_transport(wamp_session::TransportErrorKind::Eof);
    assert!(matches!(peer.event(), SessionEvent::InvocationEnded { key, .. } if key == invocation.key));
    peer.expect_closed();
    assert_eq!(peer.session.poll_timeout(), None);
    let late = respond(&mut peer, &invocation, Response::Result(Payload::new()));
    assert!(matches!(late, Err(CommandError::UnknownKey)));
    peer.expect_silence();
}

#[test]
fn cle_10_a_running_invocations_id_again_is_a_violation() {
    let mut peer = Peer::joined();
    let invocation = invoked(&mut peer, "[68,1,9823526,{}]");
    peer.receive("[68,1,9823526,{}]");
    peer.expect_violation();
    assert!(matches!(peer.event(), SessionEvent::InvocationEnded { key, .. } if key == invocation.key));
    peer.end_transport(wamp_session::TransportErrorKind::Eof);
    let cause = peer.expect_closed();
    let CloseCause::ProtocolViolation(ProtocolViolation::Invalid { .. }) = &*cause else { panic!("{cause:?}") };

    // Once it is answered the id may come again.
    let mut peer = Peer::joined();
    let invocation = invoked(&mut peer, "[68,1,9823526,{}]");
    respond(&mut peer, &invocation, Response::Result(Payload::new())).unwrap();
    peer.sent();
    peer.receive("[68,1,9823526,{}]");
    peer.expect_invocation();
}

#[test]
fn invocations_over_the_limit_are_refused() {
    let mut peer = Peer::joined_with(config().limits(Limits::new().max_invocations(1)), WELCOME);
    let invocation = invoked(&mut peer, "[68,1,9823526,{}]");
    peer.receive("[68,2,9823526,{}]");
    peer.expect_sent(r#"[8,68,2,{},"wamp.error.unavailable"]"#);
    assert_eq!(peer.session.stats().refused_invocations, 1);
    peer.expect_no_event();
    respond(&mut peer, &invocation, Response::Result(Payload::new())).unwrap();
    peer.sent();
    peer.receive("[68,3,9823526,{}]");
    peer.expect_invocation();
}

#[test]
fn a_registration_is_no_reserved_uri() {
    let mut peer = Peer::joined();
    let register = peer.session.register(peer.now, uri("wamp.foo"), RegisterOptions::new());
    assert!(matches!(register, Err(CommandError::ReservedUri)));
    peer.expect_usable();
}

#[test]
fn a_registration_that_is_given_up_is_undone_when_it_is_confirmed() {
    let mut peer = Peer::joined();
    let given_up = peer.register("com.example.a");
    peer.unregister(given_up);
    peer.expect_unregistered(given_up).unwrap();
    peer.expect_sent(r#"[64,1,{},"com.example.a"]"#);
    peer.expect_silence();
    assert_eq!(peer.session.poll_timeout(), None);
    peer.receive("[65,1,200]");
    peer.expect_sent("[66,2,200]");
    peer.receive("[68,1,200,{}]");
    peer.expect_sent(r#"[8,68,1,{},"wamp.error.no_such_registration"]"#);
    peer.receive("[67,2]");
    peer.expect_usable();

    let options = RegisterOptions::new().timeout(Duration::from_secs(1));
    let late = peer.session.register(peer.now, uri("com.example.b"), options).unwrap();
    peer.sent();
    peer.wait(Duration::from_secs(1));
    assert!(matches!(peer.expect_registered(late), Err(RequestError::Timeout { sent: true })));
    peer.receive("[65,4,201]");
    peer.expect_sent("[66,5,201]");
    peer.receive(r#"[8,66,5,{},"wamp.error.no_such_registration"]"#);
    peer.expect_usable();

    let refused = peer.register("com.example.c");
    peer.unregister(refused);
    peer.expect_unregistered(refused).unwrap();
    peer.sent();
    peer.receive(r#"[8,64,7,{},"wamp.error.procedure_already_exists"]"#);
    peer.expect_usable();
}

#[test]
fn an_unregister_without_answer_ends_at_its_timeout() {
    let mut peer = Peer::joined_with(config().request_timeout(Duration::from_secs(2)), WELCOME);
    let key = peer.registered("com.example.procedure", 200);
    peer.unregister(key);
    peer.sent();
    peer.wait(Duration::from_secs(2));
    assert!(matches!(peer.expect_unregistered(key), Err(RequestError::Timeout { sent: true })));
    peer.receive("[67,2]");
    peer.receive("[68,1,200,{}]");
    peer.expect_sent(r#"[8,68,1,{},"wamp.error.no_such_registration"]"#);
    peer.expect_usable();
}

#[test]
fn rrv_02_and_03_a_revocation_removes_the_registration() {
    for (reason, expected) in [
        (r#","reason":"moving endpoint to other callee""#, Some("moving endpoint to other callee")),
        (r#","reason":"wamp.error.unregistered""#, Some("wamp.error.unregistered")),
        ("", None),
    ] {
        let mut peer = Peer::joined();
        let registration = peer.registered("com.example.procedure", 1_293_722);
        peer.receive(&format!(r#"[67,0,{{"registration":1293722{reason}}}]"#));
        match peer.event() {
            SessionEvent::RegistrationRevoked { key, reason } => {
                assert_eq!((key, reason.as_deref()), (registration, expected));
            }
            event => panic!("{event:?}"),
        }
        assert!(matches!(peer.session.unregister(peer.now, registration), Err(CommandError::UnknownKey)));
        peer.receive("[68,1,1293722,{}]");
        peer.expect_sent(r#"[8,68,1,{},"wamp.error.no_such_registration"]"#);
        peer.receive(r#"[67,0,{"registration":5}]"#);
        peer.expect_usable();
    }
    Peer::violate(config(), &[text(r#"[67,0,{"reason":"why"}]"#)]);
}

#[test]
fn rrv_04_a_revocation_may_cross_an_unregister() {
    let mut peer = Peer::joined();
    let registration = peer.registered("com.example.procedure", 200);
    peer.unregister(registration);
    peer.expect_sent("[66,2,200]");
    peer.receive(r#"[67,0,{"registration":200}]"#);
    peer.expect_no_event();
    peer.receive(r#"[8,66,2,{},"wamp.error.no_such_registration"]"#);
    peer.expect_unregistered(registration).unwrap();
    peer.expect_usable();
}

#[test]
fn shr_03_a_registration_id_that_comes_twice_loses_no_handler() {
    let mut peer = Peer::joined();
    let first = peer.registered("com.example.a", 200);
    let second = peer.registered("com.example.b", 200);
    peer.unregister(first);
    peer.expect_unregistered(first).unwrap();
    peer.expect_silence();
    peer.receive("[68,1,200,{}]");
    assert_eq!(peer.expect_invocation().registration, second);
    peer.unregister(second);
    peer.expect_sent("[66,3,200]");
}

#[test]
fn uri_09_a_topic_and_a_procedure_may_have_one_uri() {
    let mut peer = Peer::joined();
    let subscription = peer.subscribed("com.example.both", 5);
    let registration = peer.registered("com.example.both", 5);
    peer.receive("[36,5,1,{}]");
    peer.receive("[68,1,5,{}]");
    assert_eq!(peer.expect_published().key, subscription);
    assert_eq!(peer.expect_invocation().registration, registration);
}

#[test]
fn invocations_over_the_limit_of_bytes_are_refused() {
    let mut peer = Peer::joined_with(config().limits(Limits::new().max_event_bytes(250)), WELCOME);
    peer.registered("com.example.procedure", 200);
    for request in 1..=3 {
        peer.receive(&format!(r#"[68,{request},200,{{}},["{}"]]"#, "x".repeat(90)));
    }
    peer.expect_sent(r#"[8,68,3,{},"wamp.error.unavailable"]"#);
    peer.expect_invocation();
    peer.receive(&format!(r#"[68,4,200,{{}},["{}"]]"#, "x".repeat(90)));
    peer.expect_silence();
}

#[test]
fn invocations_are_refused_while_too_many_bytes_wait_to_be_sent() {
    let limits = Limits::new().max_outbound_bytes(1 << 10).max_invocations(8);
    let mut session = wamp_session::Session::new(config().limits(limits));
    let now = wamp_session::Time::ZERO;
    session.connect(now);
    let id = session.transport().unwrap();
    session.handle_opened(now, id, wamp_session::Opened::new(Some("wamp.2.json")));
    session.handle_frame(now, id, text(WELCOME));
    session.register(now, uri("com.example.procedure"), RegisterOptions::new()).unwrap();
    session.handle_frame(now, id, text("[65,1,200]"));
    while session.poll_action().is_some() {}
    let mut answered = 0;
    let mut invoke = |session: &mut wamp_session::Session, request: u32| {
        session.handle_frame(now, id, text(&format!("[68,{request},200,{{}}]")));
        while let Some(event) = session.poll_event() {
            if let SessionEvent::Invocation(invocation) = event {
                let result = ("x".repeat(400),).into_payload(Format::Json).unwrap();
                session.respond(now, invocation.key, Response::Result(result)).unwrap();
                answered += 1;
            }
        }
        answered
    };

    // Nobody takes what is to be sent.
    for request in 1..=100 {
        invoke(&mut session, request);
    }
    assert_eq!(invoke(&mut session, 101), 3, "as many as do not fill the limit, and the one that does");
    assert_eq!(session.stats().refused_invocations, 98);
    assert!(session.outbound_bytes() < 2 << 10, "three answers and eight refusals: {}", session.outbound_bytes());

    // With room there is service again.
    while session.poll_action().is_some() {}
    assert_eq!(invoke(&mut session, 102), 4);
}

#[test]
fn refusals_that_are_never_sent_are_bounded() {
    let config = config().limits(Limits::new().max_invocations(3));
    let mut session = wamp_session::Session::new(config);
    session.connect(wamp_session::Time::ZERO);
    let id = session.transport().unwrap();
    session.handle_opened(wamp_session::Time::ZERO, id, wamp_session::Opened::new(Some("wamp.2.json")));
    session.handle_frame(wamp_session::Time::ZERO, id, text(WELCOME));
    for request in 1..100 {
        session.handle_frame(wamp_session::Time::ZERO, id, text(&format!("[68,{request},200,{{}}]")));
    }
    let frames = core::iter::from_fn(|| session.poll_action()).count();
    assert_eq!(frames, 1 + 1 + 3, "the opening, HELLO and three refusals");
}

#[test]
fn a_registration_that_is_given_up_leaves_another_of_the_same_id_alone() {
    let mut peer = Peer::joined();
    let kept = peer.registered("com.example.procedure", 200);
    let given_up = peer.register("com.example.procedure");
    peer.sent();
    peer.unregister(given_up);
    peer.expect_unregistered(given_up).unwrap();
    peer.receive("[65,2,200]");
    peer.expect_silence();
    peer.receive("[68,1,200,{}]");
    assert_eq!(peer.expect_invocation().registration, kept);
}

#[test]
fn a_registration_that_is_given_up_is_undone_also_under_the_id_of_one_that_has_ended() {
    let mut peer = Peer::joined();
    let ended = peer.registered("com.example.procedure", 200);
    peer.unregister(ended);
    peer.expect_sent("[66,2,200]");
    peer.receive("[67,2]");
    peer.expect_unregistered(ended).unwrap();
    let given_up = peer.register("com.example.procedure");
    peer.sent();
    peer.unregister(given_up);
    peer.expect_unregistered(given_up).unwrap();
    peer.receive("[65,3,200]");
    peer.expect_sent("[66,4,200]");
    peer.receive("[67,4]");
    peer.expect_usable();
}

#[test]
fn a_confirmed_registration_has_no_deadline() {
    let mut peer = Peer::joined();
    let key = peer.registered("com.example.procedure", 200);
    assert_eq!(peer.session.poll_timeout(), None);
    peer.wait(Duration::from_secs(60));
    peer.receive("[68,1,200,{}]");
    assert_eq!(peer.expect_invocation().registration, key);
}

#[test]
fn a_registration_that_is_wanted_again_in_time_is_not_undone() {
    let mut peer = Peer::joined();
    let given_up = peer.register("com.example.procedure");
    peer.expect_sent(r#"[64,1,{},"com.example.procedure"]"#);
    peer.unregister(given_up);
    peer.expect_unregistered(given_up).unwrap();
    let again = peer.register("com.example.procedure");
    peer.expect_silence();
    assert!(matches!(peer.session.unregister(peer.now, given_up), Err(CommandError::UnknownKey)));
    peer.receive("[65,1,200]");
    peer.expect_registered(again).unwrap();
    peer.receive("[68,1,200,{}]");
    assert_eq!(peer.expect_invocation().registration, again);

    // What was answered meanwhile cannot be taken over.
    let given_up = peer.register("com.example.other");
    peer.expect_sent(r#"[64,2,{},"com.example.other"]"#);
    peer.unregister(given_up);
    peer.expect_unregistered(given_up).unwrap();
    peer.receive("[65,2,201]");
    peer.expect_sent("[66,3,201]");
    peer.register("com.example.other");
    peer.expect_sent(r#"[64,4,{},"com.example.other"]"#);
    peer.receive("[67,3]");
}

#[test]
fn a_register_that_was_answered_is_not_taken_over() {
    for answer in ["[65,1,100]", r#"[8,64,1,{},"wamp.error.not_authorized"]"#] {
        let mut peer = Peer::joined();
        let given_up = peer.register("com.example.procedure");
        peer.unregister(given_up);
        peer.expect_unregistered(given_up).unwrap();
        peer.sent();
        peer.receive(answer);
        if answer.starts_with("[65") {
            peer.expect_sent("[66,2,100]");
        }
        let again = peer.register("com.example.procedure");
        let request = peer.sent_request(64);
        peer.receive(&format!("[65,{request},101]"));
        peer.expect_registered(again).unwrap();
    }
}
