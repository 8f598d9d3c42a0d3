//! Checklist section 11.5: cancelled calls, at both ends.

use core::time::Duration;

use wamp_session::proto::{CancelMode, Payload, Role};
use wamp_session::{
    CallKey, CallOptions, CallPart, CommandError, ErrorKind, Feature, InvocationEnd, InvocationEvent, RequestError,
    Response, SessionEvent, TransportErrorKind, WampError,
};

use super::features::hello;
use crate::support::{FEATURELESS, Peer, WELCOME, config, payload, uri};

const MODES: [(CancelMode, &str); 3] =
    [(CancelMode::Skip, "skip"), (CancelMode::Kill, "kill"), (CancelMode::KillNoWait, "killnowait")];

fn cancel(peer: &mut Peer, call: CallKey, mode: CancelMode) {
    peer.session.cancel(peer.now, call, mode).unwrap();
}

/// A call under way, whose CALL was taken.
fn called(peer: &mut Peer) -> CallKey {
    let call = peer.call("com.example.slow");
    peer.sent();
    call
}

#[track_caller]
fn expect_canceled(peer: &mut Peer, call: CallKey) {
    let end = peer.expect_call_done(call);
    assert!(matches!(end, Err(RequestError::Canceled)), "{end:?}");
}

fn invoked(peer: &mut Peer) -> InvocationEvent {
    peer.registered("com.example.p", 200);
    peer.receive(r#"[68,7,200,{"receive_progress":true}]"#);
    peer.expect_invocation()
}

fn canceled() -> Response {
    Response::Error(WampError::new("wamp.error.canceled").unwrap())
}

#[test]
fn can_01_both_ends_announce_call_canceling() {
    for role in [Role::Caller, Role::Callee] {
        assert!(hello(config().roles([role])).contains(r#""call_canceling":true"#));
    }
}

#[test]
fn can_02_a_cancel_always_says_its_mode() {
    for (mode, text) in MODES {
        let mut peer = Peer::joined();
        let call = called(&mut peer);
        cancel(&mut peer, call, mode);
        peer.expect_sent(&format!(r#"[49,1,{{"mode":"{text}"}}]"#));
        peer.expect_silence();
    }
    assert_eq!(CancelMode::default(), CancelMode::Skip);
}

#[test]
fn can_03_and_06_skip_and_killnowait_end_the_call_at_once() {
    for mode in [CancelMode::Skip, CancelMode::KillNoWait] {
        for answer in [r#"[8,48,1,{},"wamp.error.canceled"]"#, "[50,1,{},[1]]", r#"[50,1,{"progress":true}]"#] {
            let mut peer = Peer::joined();
            let call = called(&mut peer);
            cancel(&mut peer, call, mode);
            expect_canceled(&mut peer, call);
            peer.sent();
            assert_eq!(peer.session.poll_timeout(), None);
            peer.receive(answer);
            peer.expect_usable();
        }
    }
}

#[test]
fn can_03_kill_ends_with_what_the_callee_answers() {
    let mut peer = Peer::joined();
    let call = called(&mut peer);
    cancel(&mut peer, call, CancelMode::Kill);
    peer.sent();
    peer.expect_no_event();
    peer.receive("[50,1,{},[42]]");
    assert_eq!(peer.expect_call_done(call).unwrap().payload.arg::<u8>(0).unwrap(), 42);
    assert_eq!(peer.session.poll_timeout(), None);
    peer.expect_usable();

    for uri in ["wamp.error.canceled", "wamp.error.cancelled"] {
        let mut peer = Peer::joined();
        let call = called(&mut peer);
        cancel(&mut peer, call, CancelMode::Kill);
        peer.sent();
        peer.receive(&format!(r#"[8,48,1,{{}},"{uri}"]"#));
        let Err(RequestError::Wamp(error)) = peer.expect_call_done(call) else { panic!("no error") };
        assert_eq!(error.kind(), ErrorKind::Canceled);
        peer.expect_usable();
    }
}

#[test]
fn can_04_a_call_that_has_ended_is_not_cancelled() {
    let mut peer = Peer::joined();
    let call = called(&mut peer);
    peer.receive("[50,1,{}]");
    let late = peer.session.cancel(peer.now, call, CancelMode::Kill);
    assert!(matches!(late, Err(CommandError::UnknownKey)));
    peer.expect_silence();
    peer.expect_call_done(call).unwrap();
    peer.expect_usable();
}

#[test]
fn can_04_a_routers_error_to_a_cancel_is_ignored() {
    let mut peer = Peer::joined();
    let call = called(&mut peer);
    cancel(&mut peer, call, CancelMode::Kill);
    peer.sent();
    peer.receive(r#"[8,49,1,{},"wamp.error.invalid_argument"]"#);
    peer.expect_no_event();
    peer.receive("[50,1,{}]");
    peer.expect_call_done(call).unwrap();
    peer.expect_usable();
}

#[test]
fn can_05_cancel_is_sent_at_most_once() {
    let mut peer = Peer::joined();
    let call = called(&mut peer);
    cancel(&mut peer, call, CancelMode::Kill);
    cancel(&mut peer, call, CancelMode::Kill);
    peer.expect_sent(r#"[49,1,{"mode":"kill"}]"#);
    peer.expect_silence();
    peer.expect_no_event();
    // Who does not want to wait any longer need not.
    cancel(&mut peer, call, CancelMode::Skip);
    expect_canceled(&mut peer, call);
    let again = peer.session.cancel(peer.now, call, CancelMode::Skip);
    assert!(matches!(again, Err(CommandError::UnknownKey)));
    peer.expect_usable();
}

#[test]
fn can_05_cancelling_closes_the_input() {
    for (mode, _) in MODES {
        let mut peer = Peer::joined();
        let options = CallOptions::new().progress();
        let call = peer.session.call(peer.now, uri("a.b"), Payload::new(), options).unwrap();
        peer.sent();
        cancel(&mut peer, call, mode);
        peer.sent();
        let input = peer.session.call_more(peer.now, call, payload(1), CallPart::Last);
        assert!(matches!(input, Err(CommandError::InputClosed)), "{input:?}");
        peer.expect_silence();
    }
}

#[test]
fn can_06_kill_waits_for_the_answer_only_so_long() {
    let mut peer = Peer::joined_with(config().request_timeout(Duration::from_secs(3)), WELCOME);
    let call = called(&mut peer);
    cancel(&mut peer, call, CancelMode::Kill);
    peer.sent();
    peer.wait(Duration::from_millis(2_999));
    peer.expect_no_event();
    peer.wait(Duration::from_millis(1));
    expect_canceled(&mut peer, call);
    peer.receive("[50,1,{}]");
    peer.expect_usable();
}

#[test]
fn can_06_parts_do_not_put_the_end_of_a_killed_call_off() {
    let mut peer = Peer::joined_with(config().request_timeout(Duration::from_secs(3)), WELCOME);
    let options = CallOptions::new().receive_progress().timeout(Duration::from_secs(60));
    let call = peer.session.call(peer.now, uri("a.b"), Payload::new(), options).unwrap();
    peer.sent();
    cancel(&mut peer, call, CancelMode::Kill);
    peer.sent();
    peer.wait(Duration::from_secs(2));
    peer.receive(r#"[50,1,{"progress":true}]"#);
    assert!(matches!(peer.event(), SessionEvent::CallProgress { .. }));
    peer.wait(Duration::from_secs(1));
    expect_canceled(&mut peer, call);
    peer.expect_silence();
}

#[test]
fn can_07_a_dealer_that_does_not_announce_it_is_sent_no_cancel() {
    for (mode, _) in MODES {
        for welcome in [FEATURELESS, "[2,1,{}]"] {
            let mut peer = Peer::joined_with(config(), welcome);
            let call = called(&mut peer);
            cancel(&mut peer, call, mode);
            expect_canceled(&mut peer, call);
            peer.receive("[50,1,{}]");
            peer.expect_usable();
        }
        let mut peer =
            Peer::joined_with(config().without_feature(Feature::CallCanceling).roles([Role::Caller]), WELCOME);
        let call = called(&mut peer);
        cancel(&mut peer, call, mode);
        expect_canceled(&mut peer, call);
        peer.expect_silence();
    }
}

#[test]
fn a_call_that_waits_for_a_join_is_cancelled_without_a_message() {
    for (mode, _) in MODES {
        let mut peer = Peer::joining(config());
        let call = peer.call("com.example.slow");
        cancel(&mut peer, call, mode);
        expect_canceled(&mut peer, call);
        peer.receive(WELCOME);
        peer.expect_joined();
        peer.expect_usable();
    }
}

#[test]
fn can_02_a_call_that_has_waited_for_the_join_is_cancelled_at_the_dealer() {
    let mut peer = Peer::joining(config());
    let calls = [(); 2].map(|()| peer.call("com.example.slow"));
    peer.receive(WELCOME);
    peer.expect_joined();
    for request in 1..=2 {
        peer.expect_sent(&format!(r#"[48,{request},{{}},"com.example.slow"]"#));
    }
    cancel(&mut peer, calls[0], CancelMode::Kill);
    peer.expect_sent(r#"[49,1,{"mode":"kill"}]"#);
    peer.expect_no_event();
    peer.receive("[50,1,{}]");
    peer.expect_call_done(calls[0]).unwrap();
    peer.end_transport(TransportErrorKind::Eof);
    let lost = peer.expect_call_done(calls[1]);
    assert!(matches!(lost, Err(RequestError::Disconnected { sent: true })), "{lost:?}");
    peer.expect_closed();
}

#[test]
fn can_06_a_killed_call_leaves_no_deadline_behind() {
    for answer in ["[50,1,{}]", r#"[8,48,1,{},"wamp.error.canceled"]"#] {
        let mut peer = Peer::joined_with(config().request_timeout(Duration::from_secs(3)), WELCOME);
        let options = CallOptions::new().timeout(Duration::from_secs(60));
        let call = peer.session.call(peer.now, uri("a.b"), Payload::new(), options).unwrap();
        peer.sent();
        cancel(&mut peer, call, CancelMode::Kill);
        peer.sent();
        peer.receive(answer);
        let _ = peer.expect_call_done(call);
        assert_eq!(peer.session.poll_timeout(), None);
    }
    // A timeout of its own that comes first, counts.
    let mut peer = Peer::joined_with(config().request_timeout(Duration::from_secs(3)), WELCOME);
    let options = CallOptions::new().timeout(Duration::from_secs(2));
    let call = peer.session.call(peer.now, uri("a.b"), Payload::new(), options).unwrap();
    peer.sent();
    cancel(&mut peer, call, CancelMode::Kill);
    peer.sent();
    peer.wait(Duration::from_secs(2));
    expect_canceled(&mut peer, call);
    peer.expect_silence();
    assert_eq!(peer.session.poll_timeout(), None);
}

#[test]
fn can_08_a_kill_is_answered_once_with_canceled_or_the_result() {
    for (response, frame) in
        [(canceled(), r#"[8,68,7,{},"wamp.error.canceled"]"#), (Response::Result(payload(1)), "[70,7,{},[1]]")]
    {
        let mut peer = Peer::joined();
        let invocation = invoked(&mut peer);
        peer.receive(r#"[69,7,{"mode":"kill"}]"#);
        peer.receive(r#"[69,7,{"mode":"kill"}]"#);
        assert!(matches!(peer.event(), SessionEvent::Interrupted { key, reason: None } if key == invocation.key));
        peer.expect_no_event();
        peer.expect_silence();
        peer.session.respond(peer.now, invocation.key, response).unwrap();
        peer.expect_sent(frame);
        let again = peer.session.respond(peer.now, invocation.key, canceled());
        assert!(matches!(again, Err(CommandError::UnknownKey)));
        peer.expect_usable();
    }
}

#[test]
fn can_09_and_cle_08_killnowait_is_not_answered() {
    let mut peer = Peer::joined();
    let invocation = invoked(&mut peer);
    peer.receive(r#"[69,7,{"mode":"killnowait"}]"#);
    match peer.event() {
        SessionEvent::InvocationEnded { key, why } => {
            assert_eq!((key, why), (invocation.key, InvocationEnd::Interrupted(None)));
        }
        event => panic!("{event:?}"),
    }
    let answer = peer.session.respond(peer.now, invocation.key, canceled());
    assert!(matches!(answer, Err(CommandError::UnknownKey)));
    peer.expect_usable();
}

#[test]
fn can_09_killnowait_may_follow_kill() {
    let mut peer = Peer::joined();
    let invocation = invoked(&mut peer);
    peer.receive(r#"[69,7,{"mode":"kill"}]"#);
    peer.receive(r#"[69,7,{"mode":"killnowait"}]"#);
    assert!(matches!(peer.event(), SessionEvent::Interrupted { .. }));
    assert!(matches!(peer.event(), SessionEvent::InvocationEnded { key, .. } if key == invocation.key));
    peer.expect_usable();
}

#[test]
fn can_10_and_12_an_interrupt_of_no_known_mode_is_a_kill() {
    for mode in ["", r#""mode":"skip""#, r#""mode":"zzz""#] {
        let mut peer = Peer::joined();
        let invocation = invoked(&mut peer);
        peer.receive(&format!("[69,7,{{{mode}}}]"));
        assert!(matches!(peer.event(), SessionEvent::Interrupted { key, .. } if key == invocation.key));
        peer.session.respond(peer.now, invocation.key, canceled()).unwrap();
        peer.expect_sent(r#"[8,68,7,{},"wamp.error.canceled"]"#);
        peer.expect_usable();
    }
}

#[test]
fn can_11_an_interrupt_of_nothing_is_ignored() {
    let mut peer = Peer::joined();
    peer.receive("[69,7,{}]");
    peer.receive(r#"[69,7,{"mode":"killnowait"}]"#);
    peer.expect_usable();
    let invocation = invoked(&mut peer);
    peer.session.respond(peer.now, invocation.key, Response::Result(Payload::new())).unwrap();
    peer.expect_sent("[70,7,{}]");
    peer.receive(r#"[69,7,{"mode":"kill"}]"#);
    peer.expect_usable();
}

#[test]
fn can_12_the_reason_of_an_interrupt_is_told() {
    let mut peer = Peer::joined();
    invoked(&mut peer);
    peer.receive(r#"[69,7,{"mode":"kill","reason":"wamp.error.timeout"}]"#);
    match peer.event() {
        SessionEvent::Interrupted { reason, .. } => assert_eq!(reason.as_deref(), Some("wamp.error.timeout")),
        event => panic!("{event:?}"),
    }
}

#[test]
fn can_13_without_the_feature_interrupts_are_ignored() {
    let off = [Feature::CallCanceling, Feature::ProgressiveCallResults, Feature::ProgressiveCallInvocations];
    let config = off.into_iter().fold(config(), wamp_session::Config::without_feature);
    let mut peer = Peer::joined_with(config, WELCOME);
    peer.registered("com.example.procedure", 200);
    peer.receive("[68,5,200,{}]");
    let invocation = peer.expect_invocation();
    peer.receive("[69,5,{}]");
    peer.receive(r#"[69,6,{"mode":"kill"}]"#);
    peer.expect_no_event();
    peer.session.respond(peer.now, invocation.key, Response::Result(Payload::new())).unwrap();
    peer.expect_sent("[70,5,{}]");
    peer.expect_usable();
}

#[test]
fn need_19_whatever_comes_late_for_a_call_or_an_invocation_is_harmless() {
    let mut peer = Peer::joined();
    let call = called(&mut peer);
    let invocation = {
        peer.registered("com.example.p", 200);
        peer.receive(r#"[68,7,200,{"progress":true,"receive_progress":true}]"#);
        peer.expect_invocation()
    };
    cancel(&mut peer, call, CancelMode::Skip);
    expect_canceled(&mut peer, call);
    peer.sent();
    peer.session.respond(peer.now, invocation.key, Response::Result(Payload::new())).unwrap();
    peer.sent();
    for late in [
        "[50,1,{}]",
        r#"[50,1,{"progress":true}]"#,
        r#"[8,48,1,{},"wamp.error.canceled"]"#,
        r#"[8,49,1,{},"wamp.error.invalid_argument"]"#,
        r#"[8,70,7,{},"wamp.error.feature_not_supported"]"#,
        r#"[69,7,{"mode":"kill"}]"#,
        r#"[69,7,{"mode":"killnowait"}]"#,
        r#"[68,7,200,{"progress":true}]"#,
        "[68,7,200,{}]",
        "[50,99,{}]",
        "[69,99,{}]",
    ] {
        peer.receive(late);
        peer.expect_silence();
        peer.expect_no_event();
    }
    peer.expect_usable();
}
