//! Results in parts.

use core::time::Duration;

use wamp_session::proto::{Payload, Role};
use wamp_session::{CallOptions, CommandError, Feature, InvocationEnd, Limits, RequestError, Response, SessionEvent};

use super::{call, expect_progress, invoked, respond};
use crate::features::hello;
use crate::support::{Peer, WELCOME, config, payload, uri};

#[test]
fn pcr_01_both_ends_announce_results_in_parts() {
    for role in [Role::Caller, Role::Callee] {
        let hello = hello(config().roles([role]));
        assert!(hello.contains(r#""progressive_call_results":true"#), "{hello}");
        assert!(hello.contains(r#""call_canceling":true"#), "{hello}");
    }
}

#[test]
fn pcr_02_a_caller_asks_for_parts() {
    let mut peer = Peer::joined();
    let years = payload((2010, 2011, 2012));
    let procedure = uri("com.myapp.compute_revenue");
    peer.session.call(peer.now, procedure, years, CallOptions::new().receive_progress()).unwrap();
    peer.expect_sent(r#"[48,1,{"receive_progress":true},"com.myapp.compute_revenue",[2010,2011,2012]]"#);
    peer.call("com.example.p");
    peer.expect_sent(r#"[48,2,{},"com.example.p"]"#);
}

#[test]
fn pcr_03_partial_results_do_not_end_the_call() {
    let mut peer = Peer::joined();
    let key = call(&mut peer, CallOptions::new().receive_progress());
    peer.receive(r#"[50,1,{"progress":true},["Y2010",120]]"#);
    peer.receive(r#"[50,1,{"progress":true},["Y2011",205]]"#);
    peer.receive(r#"[50,1,{"progress":false},["Total",490]]"#);
    assert_eq!(expect_progress(&mut peer, key).payload.args::<(String, u32)>().unwrap(), ("Y2010".to_owned(), 120));
    let second = expect_progress(&mut peer, key);
    assert_eq!(second.details.progress, Some(true));
    assert_eq!(second.payload.arg::<u32>(1).unwrap(), 205);
    assert_eq!(peer.expect_call_done(key).unwrap().payload.arg::<u32>(1).unwrap(), 490);
    // It is over.
    peer.receive(r#"[50,1,{"progress":true},["Y2012",165]]"#);
    assert_eq!(peer.session.stats().unknown_answers, 1);
    peer.expect_no_event();
}

#[test]
fn pcr_04_parts_and_the_result_may_be_empty_and_differ() {
    let mut peer = Peer::joined();
    let key = call(&mut peer, CallOptions::new().receive_progress());
    peer.receive(r#"[50,1,{"progress":true}]"#);
    peer.receive(r#"[50,1,{"progress":true},[],{"done":0.5}]"#);
    peer.receive("[50,1,{},[[1,2]]]");
    assert_eq!(expect_progress(&mut peer, key).payload, Payload::new());
    assert!(expect_progress(&mut peer, key).payload.raw_kwargs().unwrap().is_some());
    assert_eq!(peer.expect_call_done(key).unwrap().payload.arg::<(u8, u8)>(0).unwrap(), (1, 2));
}

#[test]
fn pcr_05_a_call_may_fail_after_parts() {
    let mut peer = Peer::joined();
    let key = call(&mut peer, CallOptions::new().receive_progress());
    peer.sent();
    peer.receive(r#"[50,1,{"progress":true},[1]]"#);
    peer.receive(r#"[8,48,1,{},"com.example.error",["why"]]"#);
    expect_progress(&mut peer, key);
    let Err(RequestError::Wamp(error)) = peer.expect_call_done(key) else { panic!("no error") };
    assert_eq!(error.arg::<String>(0).unwrap(), "why");
    peer.expect_usable();
}

#[test]
fn pcr_06_a_progressive_result_that_nobody_asked_for_does_not_end_the_call() {
    let mut peer = Peer::joined();
    let call = peer.call("com.example.procedure");
    peer.sent();
    peer.receive(r#"[50,1,{"progress":true},["partial"]]"#);
    peer.expect_no_event();
    peer.receive(r#"[50,1,{"progress":false},["final"]]"#);
    assert_eq!(peer.expect_call_done(call).unwrap().payload.arg::<&str>(0).unwrap(), "final");
}

#[test]
fn pcr_07_parts_are_left_out_unless_the_caller_takes_them() {
    for details in ["{}", r#"{"receive_progress":false}"#] {
        let mut peer = Peer::joined();
        let invocation = invoked(&mut peer, &format!("[68,7,200,{details}]"));
        respond(&mut peer, &invocation, Response::Progress(payload(1))).unwrap();
        peer.expect_silence();
        respond(&mut peer, &invocation, Response::Result(payload(2))).unwrap();
        peer.expect_sent("[70,7,{},[2]]");
        let late = respond(&mut peer, &invocation, Response::Progress(payload(3)));
        assert!(matches!(late, Err(CommandError::UnknownKey)));
        peer.expect_silence();
    }
}

#[test]
fn pcr_08_an_invocation_ends_with_one_answer_without_progress() {
    let mut peer = Peer::joined();
    let invocation = invoked(&mut peer, r#"[68,87683,200,{"receive_progress":true},[2010,2011]]"#);
    respond(&mut peer, &invocation, Response::Progress(payload(("Y2010", 120)))).unwrap();
    respond(&mut peer, &invocation, Response::Progress(payload(("Y2011", 205)))).unwrap();
    respond(&mut peer, &invocation, Response::Result(payload(("Total", 325)))).unwrap();
    peer.expect_sent(r#"[70,87683,{"progress":true},["Y2010",120]]"#);
    peer.expect_sent(r#"[70,87683,{"progress":true},["Y2011",205]]"#);
    peer.expect_sent(r#"[70,87683,{},["Total",325]]"#);
    let again = respond(&mut peer, &invocation, Response::Result(Payload::new()));
    assert!(matches!(again, Err(CommandError::UnknownKey)));
    peer.expect_usable();
}

#[test]
fn pcr_09_a_callee_may_ignore_the_wish_for_parts() {
    let mut peer = Peer::joined();
    let invocation = invoked(&mut peer, r#"[68,7,200,{"receive_progress":true}]"#);
    respond(&mut peer, &invocation, Response::Result(payload(1))).unwrap();
    peer.expect_sent("[70,7,{},[1]]");
    peer.expect_usable();

    // So does a callee whose feature is switched off, whatever its application does.
    let config = config().without_feature(Feature::ProgressiveCallResults);
    let mut peer = Peer::joined_with(config, WELCOME);
    let invocation = invoked(&mut peer, r#"[68,7,200,{"receive_progress":true}]"#);
    respond(&mut peer, &invocation, Response::Progress(payload(1))).unwrap();
    peer.expect_silence();
}

#[test]
fn pcr_10_nothing_is_sent_after_an_interrupt_that_wants_no_answer() {
    let mut peer = Peer::joined();
    let invocation = invoked(&mut peer, r#"[68,7,200,{"receive_progress":true}]"#);
    respond(&mut peer, &invocation, Response::Progress(payload(1))).unwrap();
    peer.expect_sent(r#"[70,7,{"progress":true},[1]]"#);
    peer.receive(r#"[69,7,{"mode":"killnowait"}]"#);
    let part = respond(&mut peer, &invocation, Response::Progress(payload(2)));
    assert!(matches!(part, Err(CommandError::UnknownKey)));
    let answer = respond(&mut peer, &invocation, Response::Result(payload(2)));
    assert!(matches!(answer, Err(CommandError::UnknownKey)));
    peer.expect_silence();
    let end = peer.event();
    assert!(matches!(end, SessionEvent::InvocationEnded { why: InvocationEnd::Interrupted(None), .. }), "{end:?}");
    peer.expect_usable();
}

#[test]
fn pcr_10_no_part_follows_an_interrupt_that_wants_an_answer() {
    let mut peer = Peer::joined();
    let invocation = invoked(&mut peer, r#"[68,7,200,{"receive_progress":true}]"#);
    peer.receive(r#"[69,7,{"mode":"kill"}]"#);
    let part = respond(&mut peer, &invocation, Response::Progress(payload(2)));
    assert!(matches!(part, Err(CommandError::Interrupted)));
    peer.expect_silence();
    respond(&mut peer, &invocation, Response::Result(payload(3))).unwrap();
    peer.expect_sent("[70,7,{},[3]]");
}

#[test]
fn pcr_11_an_interrupt_may_answer_a_part() {
    let mut peer = Peer::joined();
    let invocation = invoked(&mut peer, r#"[68,7,200,{"receive_progress":true}]"#);
    respond(&mut peer, &invocation, Response::Progress(payload(1))).unwrap();
    peer.sent();
    peer.receive(r#"[69,7,{"mode":"killnowait","reason":"wamp.error.canceled"}]"#);
    match peer.event() {
        SessionEvent::InvocationEnded { key, why: InvocationEnd::Interrupted(Some(reason)) } => {
            assert_eq!((key, &*reason), (invocation.key, "wamp.error.canceled"));
        }
        event => panic!("{event:?}"),
    }
    peer.expect_usable();
}

#[test]
fn pcr_12_a_callers_timeout_is_of_each_gap() {
    let mut peer = Peer::joined();
    let options = CallOptions::new().receive_progress().timeout(Duration::from_secs(2));
    let key = call(&mut peer, options);
    peer.expect_sent(r#"[48,1,{"receive_progress":true,"timeout":2000},"com.example.p"]"#);
    for _ in 0..3 {
        peer.wait(Duration::from_millis(1_900));
        peer.receive(r#"[50,1,{"progress":true}]"#);
        expect_progress(&mut peer, key);
    }
    peer.wait(Duration::from_millis(1_999));
    peer.expect_no_event();
    peer.wait(Duration::from_millis(1));
    assert!(matches!(peer.expect_call_done(key), Err(RequestError::Timeout { .. })));
    assert_eq!(peer.session.poll_timeout(), None);
}

#[test]
fn pcr_12_a_dealer_is_told_the_gap_and_not_what_the_join_has_left_of_it() {
    let mut peer = Peer::joining(config());
    let options = || CallOptions::new().timeout(Duration::from_secs(5));
    let whole = call(&mut peer, options());
    let in_parts = call(&mut peer, options().receive_progress());
    call(&mut peer, CallOptions::new().timeout(Duration::MAX).receive_progress());
    peer.wait(Duration::from_secs(4));
    peer.receive(WELCOME);
    peer.expect_joined();
    peer.expect_sent(r#"[48,1,{"timeout":1000},"com.example.p"]"#);
    peer.expect_sent(r#"[48,2,{"receive_progress":true,"timeout":5000},"com.example.p"]"#);
    peer.expect_sent(r#"[48,3,{"receive_progress":true},"com.example.p"]"#);
    peer.wait(Duration::from_millis(999));
    peer.receive(r#"[50,2,{"progress":true}]"#);
    expect_progress(&mut peer, in_parts);
    peer.wait(Duration::from_millis(1));
    assert!(matches!(peer.expect_call_done(whole), Err(RequestError::Timeout { .. })));
    peer.wait(Duration::from_millis(4_998));
    peer.expect_no_event();
    peer.wait(Duration::from_millis(1));
    assert!(matches!(peer.expect_call_done(in_parts), Err(RequestError::Timeout { .. })));
}

#[test]
fn pcr_12_parts_that_nobody_asked_for_put_no_timeout_off() {
    let mut peer = Peer::joined();
    let key = call(&mut peer, CallOptions::new().timeout(Duration::from_secs(2)));
    peer.wait(Duration::from_secs(1));
    peer.receive(r#"[50,1,{"progress":true}]"#);
    peer.wait(Duration::from_secs(1));
    assert!(matches!(peer.expect_call_done(key), Err(RequestError::Timeout { .. })));
}

#[test]
fn pcr_12_a_callees_timeout_is_of_each_gap() {
    let welcome = WELCOME.replace(r#""call_canceling":true"#, r#""call_canceling":true,"call_timeout":true"#);
    let mut peer = Peer::joined_with(config(), &welcome);
    let invocation = invoked(&mut peer, r#"[68,7,200,{"receive_progress":true,"timeout":2000}]"#);
    for _ in 0..3 {
        peer.wait(Duration::from_millis(1_900));
        respond(&mut peer, &invocation, Response::Progress(payload(1))).unwrap();
        peer.expect_sent(r#"[70,7,{"progress":true},[1]]"#);
    }
    peer.wait(Duration::from_secs(2));
    peer.expect_sent(r#"[8,68,7,{},"wamp.error.timeout"]"#);
    assert!(matches!(peer.event(), SessionEvent::InvocationEnded { why: InvocationEnd::Timeout, .. }));
}

#[test]
fn a_part_that_cannot_be_sent_leaves_the_invocation() {
    let limits = Limits::new().message(wamp_session::proto::Limits::new().max_message_bytes(512));
    let mut peer = Peer::joined_with(config().limits(limits), WELCOME);
    let invocation = invoked(&mut peer, r#"[68,7,200,{"receive_progress":true}]"#);
    let large = respond(&mut peer, &invocation, Response::Progress(payload("x".repeat(600))));
    assert!(matches!(large, Err(CommandError::TooLarge { .. })), "{large:?}");
    peer.expect_silence();
    respond(&mut peer, &invocation, Response::Result(payload(1))).unwrap();
    peer.expect_sent("[70,7,{},[1]]");
}

#[test]
fn parts_over_the_limit_are_dropped_and_counted_and_the_end_is_not() {
    let mut peer = Peer::joined_with(config().limits(Limits::new().max_events(2)), WELCOME);
    let key = call(&mut peer, CallOptions::new().receive_progress());
    for part in 0..5 {
        peer.receive(&format!(r#"[50,1,{{"progress":true}},[{part}]]"#));
    }
    peer.receive("[50,1,{}]");
    assert_eq!(peer.session.stats().dropped_progress, 3);
    for part in 0..2 {
        assert_eq!(expect_progress(&mut peer, key).payload.arg::<u8>(0).unwrap(), part);
    }
    peer.expect_call_done(key).unwrap();
}
