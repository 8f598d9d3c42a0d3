//! Checklist section 6, closing: GOODBYE, ABORT and the end of the transport.

use core::time::Duration;

use wamp_session::proto::Payload;
use wamp_session::{
    CloseCause, CloseReason, CommandError, Opened, RequestError, Response, SessionEvent, Status, TransportErrorKind,
};

use crate::support::{Peer, WELCOME, config, uri};

/// A joined session with a call, a subscription, a registration and an invocation under way.
fn busy() -> (Peer, wamp_session::CallKey, wamp_session::InvocationKey) {
    let mut peer = Peer::joined();
    peer.subscribed("com.example.topic", 100);
    peer.registered("com.example.procedure", 200);
    let call = peer.call("com.example.slow");
    peer.sent();
    peer.receive("[68,1,200,{}]");
    let invocation = peer.expect_invocation().key;
    (peer, call, invocation)
}

#[track_caller]
fn expect_ended(peer: &mut Peer, invocation: wamp_session::InvocationKey) {
    match peer.event() {
        SessionEvent::InvocationEnded { key, .. } if key == invocation => {}
        event => panic!("{event:?}"),
    }
    let late = peer.session.respond(peer.now, invocation, Response::Result(Payload::new()));
    assert!(matches!(late, Err(CommandError::UnknownKey)));
}

#[test]
fn ses_07_an_abort_ends_an_open_session_without_reply() {
    let (mut peer, call, invocation) = busy();
    peer.receive(r#"[3,{},"wamp.error.protocol_violation"]"#);
    peer.expect_close(1000);
    assert!(matches!(peer.expect_call_done(call), Err(RequestError::Disconnected { sent: true })));
    expect_ended(&mut peer, invocation);
    peer.expect_deaf();
    peer.end_transport(TransportErrorKind::Eof);
    assert!(matches!(&*peer.expect_closed(), CloseCause::Abort(_)));
}

#[test]
fn ses_10_a_goodbye_is_answered_once() {
    let (mut peer, call, invocation) = busy();
    peer.receive(r#"[6,{"message":"The host is shutting down now."},"wamp.close.system_shutdown"]"#);
    peer.expect_sent(r#"[6,{},"wamp.close.goodbye_and_out"]"#);
    peer.expect_close(1000);
    assert!(matches!(peer.expect_call_done(call), Err(RequestError::Disconnected { sent: true })));
    expect_ended(&mut peer, invocation);
    peer.receive(r#"[6,{},"wamp.close.system_shutdown"]"#);
    peer.expect_deaf();
    peer.end_transport(TransportErrorKind::Closed { code: Some(1000), reason: String::new() });
    let cause = peer.expect_closed();
    let CloseCause::Goodbye(goodbye) = &*cause else { panic!("{cause:?}") };
    assert_eq!(goodbye.reason, "wamp.close.system_shutdown");
    assert_eq!(goodbye.details.message.as_deref(), Some("The host is shutting down now."));
}

#[test]
fn ses_11_the_client_closes_with_its_reason() {
    for (reason, uri) in [
        (CloseReason::CloseRealm, "wamp.close.close_realm"),
        (CloseReason::SystemShutdown, "wamp.close.system_shutdown"),
        (CloseReason::Other(uri("com.example.bye")), "com.example.bye"),
    ] {
        let mut peer = Peer::joined();
        peer.session.close(peer.now, reason);
        peer.expect_sent(&format!(r#"[6,{{}},"{uri}"]"#));
        assert!(matches!(peer.session.status(), Status::Closing));
        peer.expect_no_event();
        peer.receive(r#"[6,{},"wamp.close.goodbye_and_out"]"#);
        peer.expect_close(1000);
        peer.expect_no_event();
        peer.end_transport(TransportErrorKind::Eof);
        assert!(matches!(&*peer.expect_closed(), CloseCause::Application));
    }
}

#[test]
fn ses_12_any_reason_answers_a_goodbye() {
    let mut peer = Peer::joined();
    peer.close();
    peer.sent();
    peer.receive(r#"[6,{},"wamp.close.normal"]"#);
    peer.expect_close(1000);
    peer.end_transport(TransportErrorKind::Eof);
    assert!(matches!(&*peer.expect_closed(), CloseCause::Application));
}

#[test]
fn ses_13_crossing_goodbyes_are_answers_to_each_other() {
    let mut peer = Peer::joined();
    peer.close();
    peer.receive(r#"[6,{},"wamp.close.system_shutdown"]"#);
    peer.expect_sent(r#"[6,{},"wamp.close.close_realm"]"#);
    peer.expect_close(1000);
    peer.end_transport(TransportErrorKind::Eof);
    assert!(matches!(&*peer.expect_closed(), CloseCause::Application));
}

#[test]
fn ses_14_and_rob_06_after_goodbye_everything_else_is_ignored() {
    let (mut peer, call, invocation) = busy();
    peer.close();
    peer.expect_sent(r#"[6,{},"wamp.close.close_realm"]"#);
    assert!(matches!(peer.expect_call_done(call), Err(RequestError::Closed)));
    expect_ended(&mut peer, invocation);
    for frame in ["[36,100,1,{}]", "[68,2,200,{}]", "[50,3,{}]", WELCOME, "[1]", "nonsense", "[]"] {
        peer.receive(frame);
        peer.expect_silence();
        peer.expect_no_event();
    }
    let call = peer.session.call(peer.now, uri("com.example.slow"), Payload::new(), wamp_session::CallOptions::new());
    assert!(matches!(call, Err(CommandError::Closed)));
    peer.expect_silence();
    peer.receive(r#"[6,{},"wamp.close.goodbye_and_out"]"#);
    peer.expect_close(1000);
}

#[test]
fn ses_15_after_the_goodbyes_late_frames_are_ignored() {
    let (mut peer, _, _) = busy();
    peer.close();
    peer.sent();
    peer.receive(r#"[6,{},"wamp.close.goodbye_and_out"]"#);
    while peer.session.poll_event().is_some() {}
    peer.receive(r#"[8,48,3,{},"wamp.error.canceled"]"#);
    peer.receive("[36,100,1,{}]");
    peer.expect_deaf();
    peer.expect_close(1000);
}

#[test]
fn ses_16_the_wait_for_goodbye_is_bounded() {
    let mut peer = Peer::joined_with(config().close_timeout(Duration::from_secs(2)), WELCOME);
    peer.close();
    peer.sent();
    peer.wait(Duration::from_millis(1_999));
    peer.expect_no_event();
    peer.wait(Duration::from_millis(1));
    peer.expect_close(1000);
    assert!(matches!(&*peer.expect_closed(), CloseCause::Application));
    assert!(matches!(peer.session.status(), Status::Closed));
    assert_eq!(peer.session.poll_timeout(), None);
}

#[test]
fn ses_16_the_wait_for_the_end_of_the_transport_is_bounded() {
    let mut peer = Peer::joined();
    peer.receive(r#"[6,{},"wamp.close.system_shutdown"]"#);
    peer.sent();
    peer.expect_close(1000);
    let transport = peer.transport();
    peer.wait(Duration::from_secs(5));
    assert!(matches!(&*peer.expect_closed(), CloseCause::Goodbye(_)));
    let late = wamp_session::TransportError::new(TransportErrorKind::Eof);
    peer.session.handle_closed(peer.now, transport, late);
    peer.expect_no_event();
}

#[test]
fn ses_17_a_transport_that_ends_answers_a_goodbye() {
    let mut peer = Peer::joined();
    peer.close();
    peer.sent();
    peer.end_transport(TransportErrorKind::Eof);
    assert!(matches!(&*peer.expect_closed(), CloseCause::Application));
}

#[test]
fn ses_18_what_is_under_way_ends_at_close() {
    let (mut peer, call, invocation) = busy();
    peer.close();
    peer.expect_sent(r#"[6,{},"wamp.close.close_realm"]"#);
    assert!(matches!(peer.expect_call_done(call), Err(RequestError::Closed)));
    expect_ended(&mut peer, invocation);
    peer.expect_silence();
}

#[test]
fn ses_19_a_lost_transport_ends_the_session_in_each_state() {
    let lost = |peer: &mut Peer| {
        peer.end_transport(TransportErrorKind::Eof);
        peer.expect_silence();
        while let Some(event) = peer.session.poll_event() {
            if let SessionEvent::Closed(cause) = event {
                peer.expect_no_event();
                assert!(matches!(peer.session.status(), Status::Closed));
                return cause;
            }
        }
        panic!("not closed")
    };
    let mut opening = Peer::new(config());
    opening.connect();
    assert!(matches!(&*lost(&mut opening), CloseCause::Transport(_)));
    assert!(matches!(&*lost(&mut Peer::joining(config())), CloseCause::Transport(_)));
    let (mut joined, call, _) = busy();
    let subscribing = joined.subscribe("com.example.other");
    let registering = joined.register("com.example.other");
    joined.sent();
    joined.sent();
    let unsubscribing = joined.subscribed("com.example.third", 101);
    joined.unsubscribe(unsubscribing);
    joined.sent();
    joined.end_transport(TransportErrorKind::Eof);
    assert!(matches!(joined.expect_call_done(call), Err(RequestError::Disconnected { sent: true })));
    assert!(matches!(joined.expect_subscribed(subscribing), Err(RequestError::Disconnected { sent: true })));
    assert!(matches!(joined.expect_registered(registering), Err(RequestError::Disconnected { sent: true })));
    assert!(matches!(joined.event(), SessionEvent::InvocationEnded { .. }));
    assert!(matches!(joined.expect_unsubscribed(unsubscribing), Err(RequestError::Disconnected { sent: true })));
    assert!(matches!(&*joined.expect_closed(), CloseCause::Transport(_)));
    let mut closing = Peer::joined();
    closing.close();
    closing.sent();
    assert!(matches!(&*lost(&mut closing), CloseCause::Application));
}

#[test]
fn ses_20_the_reasons_of_goodbyes_are_kept() {
    for reason in [
        "wamp.close.system_shutdown",
        "wamp.close.close_realm",
        "wamp.close.goodbye_and_out",
        "wamp.close.killed",
        "wamp.close.normal",
        "wamp.close.logout",
    ] {
        let mut peer = Peer::joined();
        peer.receive(&format!(r#"[6,{{}},"{reason}"]"#));
        peer.expect_sent(r#"[6,{},"wamp.close.goodbye_and_out"]"#);
        peer.end_transport(TransportErrorKind::Eof);
        let cause = peer.expect_closed();
        assert!(matches!(&*cause, CloseCause::Goodbye(goodbye) if goodbye.reason == reason), "{cause:?}");
    }
}

#[test]
fn closing_while_the_transport_opens_closes_the_transport() {
    let mut peer = Peer::new(config());
    peer.connect();
    peer.close();
    peer.close();
    peer.expect_close(1000);
    peer.expect_no_event();
    peer.open(Opened::new(Some("wamp.2.json")));
    peer.expect_silence();
    peer.end_transport(TransportErrorKind::Eof);
    assert!(matches!(&*peer.expect_closed(), CloseCause::Application));
}

#[test]
fn closing_while_joining_aborts() {
    let mut peer = Peer::joining(config());
    let call = peer.call("com.example.procedure");
    peer.close();
    peer.close();
    peer.expect_sent(r#"[3,{},"wamp.close.close_realm"]"#);
    peer.expect_close(1000);
    assert!(matches!(peer.expect_call_done(call), Err(RequestError::Closed)));
    peer.receive(WELCOME);
    peer.expect_no_event();
    peer.end_transport(TransportErrorKind::Eof);
    assert!(matches!(&*peer.expect_closed(), CloseCause::Application));
}

#[test]
fn closing_twice_is_closing_once() {
    let mut peer = Peer::joined();
    peer.close();
    peer.wait(Duration::from_secs(3));
    peer.close();
    peer.expect_sent(r#"[6,{},"wamp.close.close_realm"]"#);
    peer.wait(Duration::from_secs(2));
    peer.expect_close(1000);
    assert!(matches!(&*peer.expect_closed(), CloseCause::Application));
    peer.close();
    peer.expect_no_event();
    let mut never = Peer::new(config());
    never.close();
    never.expect_no_event();
}

#[test]
fn connecting_while_closing_connects_afterwards() {
    let mut peer = Peer::joined();
    peer.close();
    peer.sent();
    peer.connect();
    peer.end_transport(TransportErrorKind::Eof);
    assert!(matches!(peer.event(), SessionEvent::Closed(_)));
    peer.open(Opened::new(Some("wamp.2.json")));
    peer.sent();
    peer.receive(WELCOME);
    peer.expect_joined();

    peer.close();
    peer.sent();
    peer.connect();
    peer.close();
    peer.end_transport(TransportErrorKind::Eof);
    peer.expect_closed();
    assert!(matches!(peer.session.status(), Status::Closed));
}

#[test]
fn the_keys_of_an_ended_session_are_unknown() {
    let mut peer = Peer::joined();
    let subscription = peer.subscribed("com.example.topic", 100);
    let registration = peer.registered("com.example.procedure", 200);
    peer.end_transport(TransportErrorKind::Eof);
    peer.expect_closed();
    assert!(matches!(peer.session.unsubscribe(peer.now, subscription), Err(CommandError::UnknownKey)));
    assert!(matches!(peer.session.unregister(peer.now, registration), Err(CommandError::UnknownKey)));
    let subscribe = peer.session.subscribe(peer.now, uri("a.b"), wamp_session::SubscribeOptions::new());
    assert!(matches!(subscribe, Err(CommandError::Closed)));
}

#[test]
fn an_illegible_abort_ends_the_session_without_reply() {
    for frame in [r#"[3,{},"not a uri"]"#, "[3]", r#"[3,[],"wamp.error.protocol_violation"]"#] {
        for mut peer in [Peer::joined(), Peer::joining(config())] {
            peer.receive(frame);
            peer.expect_close(1000);
            peer.end_transport(TransportErrorKind::Eof);
            assert!(matches!(&*peer.expect_closed(), CloseCause::ProtocolViolation(_)));
        }
    }
}

#[test]
fn events_that_came_before_the_end_can_still_be_taken() {
    let mut peer = Peer::joined();
    let subscription = peer.subscribed("com.example.topic", 100);
    peer.receive("[36,100,1,{}]");
    peer.end_transport(TransportErrorKind::Eof);
    assert_eq!(peer.expect_published().key, subscription);
    peer.expect_closed();
}

#[test]
fn ws_10_a_router_that_closes_with_1002_is_told_by_its_words() {
    let mut peer = Peer::joined();
    let reason = "WAMP Protocol Error (unexpected message)".to_owned();
    peer.end_transport(TransportErrorKind::Closed { code: Some(1002), reason });
    let cause = peer.expect_closed();
    let CloseCause::Transport(error) = &*cause else { panic!("{cause:?}") };
    assert_eq!(
        error.to_string(),
        "the peer closed the WebSocket with code 1002: WAMP Protocol Error (unexpected message)"
    );
}

#[test]
fn an_abort_ends_the_wait_for_goodbye() {
    let mut peer = Peer::joined();
    peer.close();
    peer.sent();
    peer.receive(r#"[3,{},"wamp.close.system_shutdown"]"#);
    peer.expect_close(1000);
}
