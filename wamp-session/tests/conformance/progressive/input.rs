//! Input in parts.

use core::time::Duration;

use wamp_session::proto::{Payload, Role};
use wamp_session::{
    CallOptions, CallPart, CommandError, Feature, InvocationEnd, Limits, RequestError, Response, SessionEvent,
    TransportErrorKind,
};

use super::{call, expect_input, expect_progress, invoked, more, respond};
use crate::features::hello;
use crate::support::{FEATURELESS, Peer, WELCOME, config, payload, uri};

#[test]
fn pci_01_both_ends_announce_input_in_parts() {
    for role in [Role::Caller, Role::Callee] {
        let hello = hello(config().roles([role]));
        assert!(hello.contains(r#""progressive_call_invocations":true"#), "{hello}");
        assert!(hello.contains(r#""call_canceling":true"#), "{hello}");
    }
}

#[test]
fn pci_02_the_first_call_says_that_more_follows() {
    let mut peer = Peer::joined();
    let place = payload((50.45, 30.52));
    let procedure = uri("com.myapp.get_country_by_coords");
    peer.session.call(peer.now, procedure, place, CallOptions::new().progress()).unwrap();
    peer.expect_sent(r#"[48,1,{"progress":true},"com.myapp.get_country_by_coords",[50.45,30.52]]"#);
}

#[test]
fn pci_03_and_id_11_more_input_has_the_id_of_the_first() {
    let mut peer = Peer::joined();
    let key = call(&mut peer, CallOptions::new().progress());
    peer.call("com.example.other");
    more(&mut peer, key, 2, CallPart::More).unwrap();
    peer.call("com.example.other");
    more(&mut peer, key, 3, CallPart::Last).unwrap();
    peer.expect_sent(r#"[48,1,{"progress":true},"com.example.p"]"#);
    peer.expect_sent(r#"[48,2,{},"com.example.other"]"#);
    peer.expect_sent(r#"[48,1,{"progress":true},"com.example.p",[2]]"#);
    peer.expect_sent(r#"[48,3,{},"com.example.other"]"#);
    peer.expect_sent(r#"[48,1,{},"com.example.p",[3]]"#);
    let after = more(&mut peer, key, 4, CallPart::More);
    assert!(matches!(after, Err(CommandError::InputClosed)), "{after:?}");
    peer.receive("[50,1,{},[6]]");
    assert_eq!(peer.expect_call_done(key).unwrap().payload.arg::<u8>(0).unwrap(), 6);
}

#[test]
fn pci_03_a_call_of_one_input_takes_no_more() {
    let mut peer = Peer::joined();
    let key = call(&mut peer, CallOptions::new());
    peer.sent();
    assert!(matches!(more(&mut peer, key, 1, CallPart::Last), Err(CommandError::InputClosed)));
    peer.expect_silence();
}

#[test]
fn pci_04_options_are_said_once() {
    let mut peer = Peer::joined();
    let options = CallOptions::new().progress().receive_progress().disclose_me().timeout(Duration::from_secs(1));
    let key = call(&mut peer, options.option("_mine", 1).unwrap());
    peer.expect_sent(
        r#"[48,1,{"receive_progress":true,"progress":true,"timeout":1000,"disclose_me":true,"_mine":1},"com.example.p"]"#,
    );
    more(&mut peer, key, 1, CallPart::More).unwrap();
    peer.expect_sent(r#"[48,1,{"progress":true},"com.example.p",[1]]"#);
    more(&mut peer, key, 1, CallPart::Last).unwrap();
    peer.expect_sent(r#"[48,1,{},"com.example.p",[1]]"#);
}

#[test]
fn pci_05_the_end_of_the_call_closes_its_input() {
    for end in [r#"[8,48,1,{},"com.example.error"]"#, "[50,1,{},[1]]"] {
        let mut peer = Peer::joined();
        let key = call(&mut peer, CallOptions::new().progress());
        more(&mut peer, key, 1, CallPart::More).unwrap();
        peer.sent();
        peer.sent();
        peer.receive(end);
        assert!(matches!(more(&mut peer, key, 2, CallPart::More), Err(CommandError::InputClosed)));
        peer.expect_silence();
        let _ = peer.expect_call_done(key);
        peer.expect_usable();
    }
}

#[test]
fn pci_05_a_lost_session_closes_the_input() {
    let mut peer = Peer::joined();
    let key = call(&mut peer, CallOptions::new().progress().receive_progress());
    peer.receive(r#"[50,1,{"progress":true}]"#);
    peer.end_transport(TransportErrorKind::Eof);
    expect_progress(&mut peer, key);
    assert!(matches!(peer.expect_call_done(key), Err(RequestError::Disconnected { sent: true })));
    assert!(matches!(more(&mut peer, key, 2, CallPart::More), Err(CommandError::InputClosed)));
    peer.expect_closed();
}

#[test]
fn pci_05_input_that_is_too_large_leaves_the_input_open() {
    let limits = Limits::new().message(wamp_session::proto::Limits::new().max_message_bytes(512));
    let mut peer = Peer::joined_with(config().limits(limits), WELCOME);
    let key = call(&mut peer, CallOptions::new().progress());
    peer.sent();
    let large = more(&mut peer, key, "x".repeat(600), CallPart::Last);
    assert!(matches!(large, Err(CommandError::TooLarge { .. })), "{large:?}");
    peer.expect_silence();
    more(&mut peer, key, 1, CallPart::Last).unwrap();
    peer.expect_sent(r#"[48,1,{},"com.example.p",[1]]"#);
}

#[test]
fn pci_06_results_in_parts_and_input_in_parts_go_together() {
    let mut peer = Peer::joined();
    let key = call(&mut peer, CallOptions::new().progress().receive_progress());
    peer.receive(r#"[50,1,{"progress":true},["one"]]"#);
    more(&mut peer, key, 2, CallPart::More).unwrap();
    more(&mut peer, key, 3, CallPart::More).unwrap();
    peer.receive(r#"[50,1,{"progress":true},["two"]]"#);
    peer.receive(r#"[50,1,{"progress":true},["three"]]"#);
    more(&mut peer, key, 4, CallPart::Last).unwrap();
    peer.receive("[50,1,{}]");
    for text in ["one", "two", "three"] {
        assert_eq!(expect_progress(&mut peer, key).payload.arg::<&str>(0).unwrap(), text);
    }
    peer.expect_call_done(key).unwrap();
}

#[test]
fn pci_07_one_invocation_has_all_inputs() {
    let mut peer = Peer::joined();
    let invocation = invoked(&mut peer, r#"[68,35224,200,{"progress":true},[1]]"#);
    assert_eq!(invocation.details.progress, Some(true));
    peer.receive(r#"[68,35224,200,{"progress":true},[2]]"#);
    peer.receive("[68,35224,200,{},[3]]");
    assert_eq!(expect_input(&mut peer, &invocation), (2, true));
    assert_eq!(expect_input(&mut peer, &invocation), (3, false));
    respond(&mut peer, &invocation, Response::Result(payload(6))).unwrap();
    peer.expect_sent("[70,35224,{},[6]]");
    peer.expect_usable();
}

#[test]
fn pci_07_input_after_the_last_is_a_violation() {
    let mut peer = Peer::joined();
    invoked(&mut peer, r#"[68,7,200,{"progress":true},[1]]"#);
    peer.receive("[68,7,200,{},[2]]");
    peer.receive("[68,7,200,{},[3]]");
    peer.expect_violation();
}

#[test]
fn pci_08_of_more_input_only_the_arguments_count() {
    let mut peer = Peer::joined();
    let invocation = invoked(&mut peer, r#"[68,7,200,{"progress":true,"caller":5},[1]]"#);
    assert_eq!(invocation.details.caller.map(|caller| caller.get()), Some(5));
    // Another caller, another wish, another registration: nothing of it is taken.
    peer.receive(r#"[68,7,201,{"progress":true,"caller":6,"receive_progress":true,"timeout":1},[2]]"#);
    assert_eq!(expect_input(&mut peer, &invocation), (2, true));
    respond(&mut peer, &invocation, Response::Progress(payload(1))).unwrap();
    peer.expect_silence();
    assert_eq!(peer.session.poll_timeout(), None);
}

#[test]
fn pci_09_input_of_an_invocation_that_is_answered_is_ignored() {
    let mut peer = Peer::joined();
    let invocation = invoked(&mut peer, r#"[68,7,200,{"progress":true},[1]]"#);
    respond(&mut peer, &invocation, Response::Result(payload(1))).unwrap();
    peer.expect_sent("[70,7,{},[1]]");
    peer.receive(r#"[68,7,200,{"progress":true},[2]]"#);
    peer.receive("[68,7,200,{},[3]]");
    peer.expect_usable();
    // Another invocation is another one.
    peer.receive("[68,8,200,{},[4]]");
    peer.expect_invocation();
}

#[test]
fn pci_09_input_of_an_invocation_that_is_to_end_is_ignored() {
    let mut peer = Peer::joined();
    let invocation = invoked(&mut peer, r#"[68,7,200,{"progress":true},[1]]"#);
    peer.receive(r#"[69,7,{"mode":"kill"}]"#);
    assert!(matches!(peer.session.poll_event(), Some(SessionEvent::Interrupted { .. })));
    peer.receive(r#"[68,7,200,{"progress":true},[2]]"#);
    peer.receive("[68,7,200,{},[3]]");
    assert_eq!(peer.session.poll_event().map(|event| format!("{event:?}")), None);
    respond(&mut peer, &invocation, Response::Result(payload(1))).unwrap();
    peer.expect_sent("[70,7,{},[1]]");
}

#[test]
fn pci_09_input_of_an_invocation_that_was_refused_is_ignored() {
    let mut peer = Peer::joined();
    peer.receive(r#"[68,7,200,{"progress":true},[1]]"#);
    peer.expect_sent(r#"[8,68,7,{},"wamp.error.no_such_registration"]"#);
    peer.receive("[68,7,200,{},[2]]");
    peer.expect_usable();
}

/// Ends invocations 1 to `count`, whose input would go on.
fn end_invocations(limits: Limits, count: u64) -> Peer {
    let mut peer = Peer::joined_with(config().limits(limits), WELCOME);
    peer.registered("com.example.p", 200);
    for id in 1..=count {
        peer.receive(&format!(r#"[68,{id},200,{{"progress":true}}]"#));
        let invocation = peer.expect_invocation();
        respond(&mut peer, &invocation, Response::Result(Payload::new())).unwrap();
        peer.sent();
    }
    peer
}

#[test]
fn pci_09_the_memory_of_ended_invocations_is_bounded() {
    for (limits, bound) in [(Limits::new(), 1_024), (Limits::new().max_ended_invocations(2), 2)] {
        let mut peer = end_invocations(limits, bound + 1);
        for id in 2..=bound + 1 {
            peer.receive(&format!("[68,{id},200,{{}}]"));
        }
        peer.expect_no_event();
        // The oldest one is forgotten, and new again.
        peer.receive("[68,1,200,{}]");
        peer.expect_invocation();
    }
    let mut peer = end_invocations(Limits::new().max_ended_invocations(0), 1);
    peer.receive("[68,1,200,{}]");
    peer.expect_invocation();
}

#[test]
fn pci_10_input_in_parts_needs_the_own_announcement() {
    let config = config().without_feature(Feature::ProgressiveCallInvocations);
    let mut peer = Peer::joined_with(config, WELCOME);
    let call = peer.session.call(peer.now, uri("a.b"), Payload::new(), CallOptions::new().progress());
    assert!(matches!(call, Err(CommandError::Disabled(Feature::ProgressiveCallInvocations))), "{call:?}");
    peer.expect_usable();
}

#[test]
fn pci_11_and_pci_14_input_in_parts_needs_the_dealers_announcement() {
    // The second is what Crossbar.io 26 announces, the third says nothing at all.
    let crossbar = concat!(
        r#"[2,1,{"roles":{"broker":{},"dealer":{"features":{"caller_identification":true,"#,
        r#""pattern_based_registration":true,"session_meta_api":true,"registration_meta_api":true,"#,
        r#""shared_registration":true,"progressive_call_results":true,"registration_revocation":true,"#,
        r#""payload_transparency":true,"testament_meta_api":true,"call_canceling":true}}}}]"#
    );
    for welcome in [FEATURELESS, crossbar, "[2,1,{}]"] {
        let mut peer = Peer::joined_with(config(), welcome);
        let call = peer.session.call(peer.now, uri("a.b"), Payload::new(), CallOptions::new().progress());
        assert!(matches!(call, Err(CommandError::NotSupported(Feature::ProgressiveCallInvocations))), "{call:?}");
        peer.expect_usable();
    }
}

#[test]
fn pci_11_a_call_with_input_in_parts_waits_for_the_join_and_its_input_does_not() {
    let mut peer = Peer::joining(config());
    let key = call(&mut peer, CallOptions::new().progress());
    assert!(matches!(more(&mut peer, key, 2, CallPart::Last), Err(CommandError::NotJoined)));
    peer.receive(WELCOME);
    peer.expect_joined();
    peer.expect_sent(r#"[48,1,{"progress":true},"com.example.p"]"#);
    more(&mut peer, key, 2, CallPart::Last).unwrap();
    peer.expect_sent(r#"[48,1,{},"com.example.p",[2]]"#);
    assert!(matches!(more(&mut peer, key, 3, CallPart::Last), Err(CommandError::InputClosed)));
}

#[test]
fn pci_12_a_callee_without_the_feature_fails_the_call() {
    let mut peer = Peer::joined();
    let key = call(&mut peer, CallOptions::new().progress());
    peer.receive(r#"[8,48,1,{},"wamp.error.feature_not_supported"]"#);
    let Err(RequestError::Wamp(error)) = peer.expect_call_done(key) else { panic!("no error") };
    assert_eq!(error.kind(), wamp_session::ErrorKind::FeatureNotSupported);
}

#[test]
fn pci_13_an_invocation_may_be_answered_before_all_input_is_there() {
    let mut peer = Peer::joined();
    let invocation = invoked(&mut peer, r#"[68,7,200,{"progress":true,"receive_progress":true},[1]]"#);
    respond(&mut peer, &invocation, Response::Progress(payload("half"))).unwrap();
    respond(&mut peer, &invocation, Response::Result(payload("done"))).unwrap();
    peer.expect_sent(r#"[70,7,{"progress":true},["half"]]"#);
    peer.expect_sent(r#"[70,7,{},["done"]]"#);
    peer.expect_usable();
}

#[test]
fn pci_14_progress_false_is_the_last_input_and_a_new_id_another_call() {
    let mut peer = Peer::joined();
    let invocation = invoked(&mut peer, r#"[68,7,200,{"progress":true},[1]]"#);
    peer.receive(r#"[68,8,200,{"progress":false},[2]]"#);
    let other = peer.expect_invocation();
    assert_ne!(other.key, invocation.key);
    peer.receive(r#"[68,7,200,{"progress":false},[3]]"#);
    assert_eq!(expect_input(&mut peer, &invocation), (3, false));
    respond(&mut peer, &other, Response::Result(Payload::new())).unwrap();
    respond(&mut peer, &invocation, Response::Result(Payload::new())).unwrap();
    peer.expect_sent("[70,8,{}]");
    peer.expect_sent("[70,7,{}]");
}

#[test]
fn input_over_the_limit_ends_the_invocation_and_not_the_session() {
    let welcome = WELCOME.replace(r#""call_canceling":true"#, r#""call_canceling":true,"call_timeout":true"#);
    let mut peer = Peer::joined_with(config().limits(Limits::new().max_events(2)), &welcome);
    let invocation = invoked(&mut peer, r#"[68,7,200,{"progress":true,"timeout":2000}]"#);
    for _ in 0..3 {
        peer.receive(r#"[68,7,200,{"progress":true},[1]]"#);
    }
    peer.expect_sent(r#"[8,68,7,{},"wamp.error.unavailable"]"#);
    assert_eq!(peer.session.stats().refused_invocations, 1);
    assert_eq!(peer.session.poll_timeout(), None);
    peer.receive("[68,7,200,{},[1]]");
    peer.expect_silence();
    expect_input(&mut peer, &invocation);
    expect_input(&mut peer, &invocation);
    let end = peer.event();
    assert!(matches!(end, SessionEvent::InvocationEnded { why: InvocationEnd::Overflow, .. }), "{end:?}");
    peer.expect_usable();
}

#[test]
fn illegible_input_ends_the_invocation_and_not_the_session() {
    let mut peer = Peer::joined();
    let invocation = invoked(&mut peer, r#"[68,7,200,{"progress":true}]"#);
    peer.receive_frame(wamp_session::Frame::Text(
        br#"[68,7,200,{"progress":true,"procedure":"not a uri"}]"#.as_slice().into(),
    ));
    peer.expect_sent(r#"[8,68,7,{},"wamp.error.invalid_uri"]"#);
    assert!(matches!(peer.event(), SessionEvent::InvocationEnded { key, .. } if key == invocation.key));
    peer.expect_usable();
}
