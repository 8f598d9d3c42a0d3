//! Checklist section 11.1: the caller.

use core::time::Duration;
use std::collections::BTreeMap;

use wamp_session::proto::{ArgsKwargs, Payload};
use wamp_session::{
    CallOptions, CommandError, ErrorKind, Frame, Limits, RegisterOptions, RequestError, SessionEvent, SubscribeOptions,
    TimeoutReason, WampError,
};

use crate::support::{Peer, WELCOME, config, payload, uri};

fn text(frame: &str) -> Frame {
    Frame::Text(frame.as_bytes().to_vec().into())
}

#[track_caller]
fn wamp_error(result: Result<wamp_session::CallOutcome, RequestError>) -> WampError {
    match result {
        Err(RequestError::Wamp(error)) => error,
        result => panic!("{result:?}"),
    }
}

#[test]
fn cal_01_a_call_has_four_to_six_elements() {
    let mut peer = Peer::joined();
    let now = peer.now;
    let options = CallOptions::new;
    peer.session.call(now, uri("com.myapp.ping"), payload(()), options()).unwrap();
    peer.expect_sent(r#"[48,1,{},"com.myapp.ping"]"#);
    peer.session.call(now, uri("com.myapp.add2"), payload((23, 7)), options()).unwrap();
    peer.expect_sent(r#"[48,2,{},"com.myapp.add2",[23,7]]"#);
    let user = ArgsKwargs(["johnny"], BTreeMap::from([("firstname", "John"), ("surname", "Doe")]));
    peer.session.call(now, uri("com.myapp.user.new"), payload(user), options()).unwrap();
    peer.expect_sent(r#"[48,3,{},"com.myapp.user.new",["johnny"],{"firstname":"John","surname":"Doe"}]"#);
    let meta = peer.session.call(now, uri("wamp.session.count"), Payload::new(), options());
    assert!(meta.is_ok());
}

#[test]
fn cal_02_a_result_ends_its_call_once() {
    let mut peer = Peer::joined();
    let calls = [(); 3].map(|()| peer.call("com.example.procedure"));
    peer.receive("[50,1,{}]");
    peer.receive("[50,2,{},[30]]");
    peer.receive(r#"[50,3,{"_n":1},[],{"userid":123,"karma":10}]"#);
    assert_eq!(peer.expect_call_done(calls[0]).unwrap().payload, Payload::new());
    assert_eq!(peer.expect_call_done(calls[1]).unwrap().payload.arg::<u8>(0).unwrap(), 30);
    let outcome = peer.expect_call_done(calls[2]).unwrap();
    assert_eq!(outcome.payload.kwargs::<BTreeMap<String, u8>>().unwrap()["karma"], 10);
    assert!(outcome.details.extra.contains_key("_n"));
    peer.expect_no_event();
}

#[test]
fn cal_03_an_error_fails_its_call_with_all_that_it_carries() {
    let mut peer = Peer::joined();
    let calls = [(); 3].map(|()| peer.call("com.example.procedure"));
    peer.receive(r#"[8,48,1,{},"wamp.error.no_such_procedure"]"#);
    peer.receive(r#"[8,48,2,{"_d":1},"com.example.error",["one",2]]"#);
    peer.receive(r#"[8,48,3,{},"com.example.error",[],{"severity":3}]"#);
    assert_eq!(wamp_error(peer.expect_call_done(calls[0])).uri(), "wamp.error.no_such_procedure");
    let error = wamp_error(peer.expect_call_done(calls[1]));
    assert_eq!(error.args::<(String, u8)>().unwrap(), ("one".to_owned(), 2));
    assert!(error.details().extra.contains_key("_d"));
    let error = wamp_error(peer.expect_call_done(calls[2]));
    assert_eq!(error.kwargs::<BTreeMap<String, u8>>().unwrap()["severity"], 3);
}

#[test]
fn cal_04_many_calls_may_be_outstanding() {
    let mut peer = Peer::joined();
    let calls: Vec<_> = (0..100).map(|_| peer.call("com.example.procedure")).collect();
    // 37 and 100 have no common divisor: each call once, in another order.
    for turn in 0..100 {
        let index = turn * 37 % 100;
        peer.receive(&format!("[50,{},{{}},[{index}]]", index + 1));
        assert_eq!(peer.expect_call_done(calls[index]).unwrap().payload.arg::<usize>(0).unwrap(), index);
    }
}

#[test]
fn cal_05_a_second_answer_is_ignored() {
    let mut peer = Peer::joined();
    let call = peer.call("com.example.procedure");
    peer.sent();
    peer.receive("[50,1,{},[1]]");
    peer.receive("[50,1,{},[2]]");
    peer.receive(r#"[8,48,1,{},"com.example.error"]"#);
    assert_eq!(peer.expect_call_done(call).unwrap().payload.arg::<u8>(0).unwrap(), 1);
    assert_eq!(peer.session.stats().unknown_answers, 2);
    peer.expect_usable();
}

#[test]
fn cal_06_a_forgotten_call_is_silent_and_its_answer_harmless() {
    let mut peer = Peer::joined_with(config().limits(Limits::new().max_requests(1)), WELCOME);
    let call = peer.call("com.example.procedure");
    peer.sent();
    peer.session.forget_call(call);
    peer.session.forget_call(call);
    peer.expect_silence();
    peer.receive("[50,1,{}]");
    peer.expect_usable();
    // The table is empty: with one request allowed, another is.
    let call = peer.call("com.example.procedure");
    assert_eq!(peer.sent_request(48), 3);
    peer.receive("[50,3,{}]");
    peer.expect_call_done(call).unwrap();
    let publication = peer.publish_acked("com.example.topic");
    peer.sent();
    peer.session.forget_publish(publication);
    peer.receive("[17,4,1]");
    peer.expect_usable();
}

#[test]
fn cal_07_both_spellings_of_canceled_arrive() {
    for reason in ["wamp.error.canceled", "wamp.error.cancelled"] {
        let mut peer = Peer::joined();
        let call = peer.call("com.example.procedure");
        peer.receive(&format!(r#"[8,48,1,{{}},"{reason}"]"#));
        assert_eq!(wamp_error(peer.expect_call_done(call)).uri(), reason);
    }
}

#[test]
fn cal_08_any_error_uri_arrives() {
    for reason in [
        "wamp.error.invalid_uri",
        "wamp.error.no_such_procedure",
        "wamp.error.procedure_already_exists",
        "wamp.error.no_such_registration",
        "wamp.error.no_such_subscription",
        "wamp.error.invalid_argument",
        "wamp.error.payload_size_exceeded",
        "wamp.error.feature_not_supported",
        "wamp.error.not_authorized",
        "wamp.error.authorization_denied",
        "wamp.error.authorization_failed",
        "wamp.error.authorization_required",
        "wamp.error.network_failure",
        "wamp.error.option_not_allowed",
        "wamp.error.option_disallowed.disclose_me",
        "wamp.error.timeout",
        "wamp.error.unavailable",
        "wamp.error.no_available_callee",
        "wamp.error.runtime_error",
        "com.app.err",
    ] {
        let mut peer = Peer::joined();
        let call = peer.call("com.example.procedure");
        peer.sent();
        peer.receive(&format!(r#"[8,48,1,{{}},"{reason}",["why"]]"#));
        let error = wamp_error(peer.expect_call_done(call));
        assert_eq!((error.uri().as_str(), error.arg::<&str>(0).unwrap()), (reason, "why"));
        peer.expect_usable();
    }
}

#[test]
fn cal_09_disclosed_callees_arrive() {
    let mut peer = Peer::joined();
    let call = peer.call("com.example.procedure");
    let failing = peer.call("com.example.procedure");
    peer.receive(r#"[50,1,{"callee":7,"callee_authid":"x"}]"#);
    let details = peer.expect_call_done(call).unwrap().details;
    assert_eq!(details.callee.map(|callee| callee.get()), Some(7));
    assert_eq!(details.callee_authid.as_deref(), Some("x"));
    peer.receive(r#"[8,48,2,{"callee":7,"callee_authid":"x"},"com.example.error"]"#);
    assert_eq!(wamp_error(peer.expect_call_done(failing)).details().callee.map(|callee| callee.get()), Some(7));
}

#[test]
fn msg_108_an_error_fails_the_request_of_its_type_and_id() {
    let mut peer = Peer::joined();
    let subscription = peer.subscribed("com.example.a", 100);
    let registration = peer.registered("com.example.a", 200);
    let call = peer.call("com.example.b");
    let publication = peer.publish_acked("com.example.b");
    let subscribing = peer.subscribe("com.example.b");
    let registering = peer.register("com.example.b");
    peer.unsubscribe(subscription);
    peer.unregister(registration);
    for (code, id) in [(66, 8), (34, 7), (64, 6), (32, 5), (16, 4), (48, 3)] {
        peer.receive(&format!(r#"[8,{code},{id},{{}},"com.example.error"]"#));
    }
    assert!(matches!(peer.expect_unregistered(registration), Err(RequestError::Wamp(_))));
    assert!(matches!(peer.expect_unsubscribed(subscription), Err(RequestError::Wamp(_))));
    assert!(matches!(peer.expect_registered(registering), Err(RequestError::Wamp(_))));
    assert!(matches!(peer.expect_subscribed(subscribing), Err(RequestError::Wamp(_))));
    assert!(matches!(peer.expect_publish_done(publication), Err(RequestError::Wamp(_))));
    wamp_error(peer.expect_call_done(call));
}

#[test]
fn calls_end_at_their_timeout() {
    let mut peer = Peer::joined_with(config().call_timeout(Duration::from_secs(4)), WELCOME);
    let default = peer.call("com.example.procedure");
    let options = CallOptions::new().timeout(Duration::from_secs(1));
    let own = peer.session.call(peer.now, uri("com.example.procedure"), Payload::new(), options).unwrap();
    peer.expect_sent(r#"[48,1,{"timeout":4000},"com.example.procedure"]"#);
    peer.expect_sent(r#"[48,2,{"timeout":1000},"com.example.procedure"]"#);
    let deadline = peer.session.poll_timeout();
    assert_eq!(deadline.map(|(at, reason)| (at.as_nanos(), reason)), Some((1_000_000_000, TimeoutReason::Request)));
    peer.wait(Duration::from_secs(1));
    assert!(matches!(peer.expect_call_done(own), Err(RequestError::Timeout { sent: true })));
    peer.expect_sent(r#"[49,2,{"mode":"killnowait"}]"#);
    peer.receive("[50,2,{}]");
    peer.expect_no_event();
    peer.wait(Duration::from_secs(3));
    assert!(matches!(peer.expect_call_done(default), Err(RequestError::Timeout { sent: true })));
    peer.expect_sent(r#"[49,1,{"mode":"killnowait"}]"#);
    assert_eq!(peer.session.poll_timeout(), None);
    peer.expect_usable();
}

#[test]
fn a_call_that_waited_for_the_join_has_its_whole_timeout() {
    let mut peer = Peer::joining(config().request_timeout(Duration::from_secs(2)).call_timeout(Duration::from_secs(5)));
    let call = peer.call("com.example.procedure");
    peer.wait(Duration::from_secs(1));
    peer.receive(WELCOME);
    peer.expect_joined();
    // The dealer is told what is left.
    peer.expect_sent(r#"[48,1,{"timeout":4000},"com.example.procedure"]"#);
    peer.wait(Duration::from_secs(3));
    peer.expect_no_event();
    peer.wait(Duration::from_secs(1));
    assert!(matches!(peer.expect_call_done(call), Err(RequestError::Timeout { sent: true })));
}

#[test]
fn requests_over_the_limit_are_refused() {
    let mut peer = Peer::joined_with(config().limits(Limits::new().max_requests(2)), WELCOME);
    let first = peer.call("com.example.procedure");
    peer.subscribe("com.example.topic");
    let over = |peer: &mut Peer| {
        let call = peer.session.call(peer.now, uri("com.example.procedure"), Payload::new(), CallOptions::new());
        matches!(call, Err(CommandError::TooMany))
    };
    assert!(over(&mut peer));
    let register = peer.session.register(peer.now, uri("com.example.procedure"), RegisterOptions::new());
    assert!(matches!(register, Err(CommandError::TooMany)), "{register:?}");
    let subscribe = peer.session.subscribe(peer.now, uri("com.example.other"), SubscribeOptions::new());
    assert!(matches!(subscribe, Err(CommandError::TooMany)), "{subscribe:?}");
    // What has ended counts until it is taken.
    peer.receive("[50,1,{}]");
    assert!(over(&mut peer));
    peer.expect_call_done(first).unwrap();
    assert!(!over(&mut peer));
}

#[test]
fn a_procedure_is_an_exact_uri() {
    use wamp_session::proto::{MatchPolicy, Uri, UriRule};
    let mut peer = Peer::joined();
    let pattern = Uri::checked("com..procedure", UriRule::Loose, MatchPolicy::Wildcard).unwrap();
    let call = peer.session.call(peer.now, pattern, Payload::new(), CallOptions::new());
    assert!(matches!(call, Err(CommandError::InvalidUri(_))));
    peer.expect_usable();
}

#[test]
fn a_call_before_connecting_is_refused() {
    let mut peer = Peer::new(config());
    let call = peer.session.call(peer.now, uri("com.example.procedure"), Payload::new(), CallOptions::new());
    assert!(matches!(call, Err(CommandError::Closed)));
    assert!(!matches!(peer.session.poll_event(), Some(SessionEvent::CallDone { .. })));
}

#[test]
fn rob_02_what_has_ended_leaves_nothing_behind() {
    // With one request allowed at a time, anything left behind would show at once.
    let mut peer = Peer::joined_with(config().limits(Limits::new().max_requests(1)), WELCOME);
    for round in 0..1_000 {
        let call = peer.call("com.example.procedure");
        let id = peer.sent_request(48);
        match round % 3 {
            0 => peer.receive(&format!("[50,{id},{{}}]")),
            1 => peer.receive(&format!(r#"[8,48,{id},{{}},"com.example.error"]"#)),
            _ => peer.session.forget_call(call),
        }
        if round % 3 < 2 {
            let _ = peer.expect_call_done(call);
        }
        let publication = peer.publish_acked("com.example.topic");
        let id = peer.sent_request(16);
        peer.receive(&format!("[17,{id},1]"));
        peer.expect_publish_done(publication).unwrap();
        let subscription = peer.subscribed("com.example.topic", 100);
        peer.unsubscribe(subscription);
        let id = peer.sent_request(34);
        peer.receive(&format!("[35,{id}]"));
        peer.expect_unsubscribed(subscription).unwrap();
        let registration = peer.registered("com.example.procedure", 200);
        peer.unregister(registration);
        let id = peer.sent_request(66);
        peer.receive(&format!("[67,{id}]"));
        peer.expect_unregistered(registration).unwrap();
    }
    assert_eq!(peer.session.poll_timeout(), None);
}

#[test]
fn cid_02_a_caller_asks_to_be_disclosed() {
    let mut peer = Peer::joined();
    let options = CallOptions::new().disclose_me();
    peer.session.call(peer.now, uri("com.example.procedure"), Payload::new(), options).unwrap();
    peer.expect_sent(r#"[48,1,{"disclose_me":true},"com.example.procedure"]"#);
}

#[test]
fn cid_05_and_06_and_rer_02_what_a_dealer_refuses_has_its_kind() {
    for (uri, kind) in [
        ("wamp.error.option_disallowed.disclose_me", ErrorKind::DiscloseMeDisallowed),
        ("wamp.error.disclose_me.not_allowed", ErrorKind::DiscloseMeDisallowed),
        ("wamp.error.option_not_allowed", ErrorKind::OptionNotAllowed),
        ("wamp.error.no_available_callee", ErrorKind::NoAvailableCallee),
        ("wamp.error.unavailable", ErrorKind::Unavailable),
        ("com.example.error", ErrorKind::Other),
    ] {
        let mut peer = Peer::joined();
        let call = peer.call("com.example.procedure");
        peer.receive(&format!(r#"[8,48,1,{{}},"{uri}"]"#));
        assert_eq!(wamp_error(peer.expect_call_done(call)).kind(), kind, "{uri}");
    }
    Peer::violate(config(), &[text(r#"[8,48,1,"wamp.error.disclose_me.not_allowed"]"#)]);
}

#[test]
fn shd_01_a_partitioned_call_has_a_key() {
    let mut peer = Peer::joined();
    let mut call = |options| peer.session.call(peer.now, uri("com.example.p"), Payload::new(), options);
    let without = call(CallOptions::new().runmode("partition"));
    assert!(matches!(without, Err(CommandError::NoRoutingKey)));
    call(CallOptions::new().runmode("partition").rkey("EU")).unwrap();
    call(CallOptions::new().runmode("all")).unwrap();
    peer.expect_sent(r#"[48,1,{"rkey":"EU","runmode":"partition"},"com.example.p"]"#);
    peer.expect_sent(r#"[48,2,{"runmode":"all"},"com.example.p"]"#);
}
