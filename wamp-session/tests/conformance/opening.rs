//! Checklist section 6, opening: HELLO to WELCOME.

use core::time::Duration;

use wamp_session::proto::Role;
use wamp_session::{
    AuthError, CloseCause, CommandError, Config, ConfigError, Frame, Opened, RequestError, SessionEvent, Status,
    TimeoutReason, TransportErrorKind,
};

use super::features::ROLES;
use crate::support::{Peer, WELCOME, config, uri};

#[test]
fn ses_01_hello_is_the_first_message() {
    let mut peer = Peer::new(config());
    peer.connect();
    let (url, subprotocols) = peer.opening();
    assert_eq!(url, "ws://127.0.0.1:8080/ws");
    assert_eq!(subprotocols, ["wamp.2.json", "wamp.2.msgpack", "wamp.2.cbor"]);
    peer.expect_silence();
    peer.open(Opened::new(Some("wamp.2.json")));
    peer.expect_sent(&format!(r#"[1,"realm1",{{{ROLES}}}]"#));
    peer.expect_silence();
    peer.expect_no_event();
}

#[test]
fn ses_02_the_realm_is_a_uri() {
    let mut peer = Peer::new(Config::new("ws://127.0.0.1/", "realm 1"));
    peer.connect();
    let cause = peer.expect_closed();
    assert!(matches!(&*cause, CloseCause::Config(ConfigError::Realm(_))), "{cause:?}");
    assert!(matches!(peer.session.status(), Status::Closed));
}

#[test]
fn ses_03_a_session_has_a_role() {
    let mut peer = Peer::new(config().roles([]));
    peer.connect();
    let cause = peer.expect_closed();
    assert!(matches!(&*cause, CloseCause::Config(ConfigError::NoRole)), "{cause:?}");
    let mut peer = Peer::new(config().formats([]));
    peer.connect();
    let cause = peer.expect_closed();
    assert!(matches!(&*cause, CloseCause::Config(ConfigError::NoFormat)), "{cause:?}");
}

#[test]
fn ses_04_welcome_opens_the_session_and_its_details_are_kept() {
    let mut peer = Peer::joining(config());
    assert!(matches!(peer.session.status(), Status::Connecting));
    peer.receive(concat!(
        r#"[2,9129137332,{"authid":"joe","authrole":"user","authmethod":"ticket","authprovider":"static","#,
        r#""authextra":{"x":1},"realm":"realm1","agent":"Crossbar.io","#,
        r#""x_cb_node":"n","x_cb_peer":"p","x_cb_pid":5,"x_cb_worker":"w","#,
        r#""roles":{"broker":{"features":{"publisher_exclusion":true}},"dealer":{}}}]"#
    ));
    let joined = peer.expect_joined();
    assert_eq!(joined.session.get(), 9_129_137_332);
    assert_eq!(joined.details.authid.as_deref(), Some("joe"));
    assert_eq!(joined.details.authrole.as_deref(), Some("user"));
    assert_eq!(joined.details.authmethod.as_deref(), Some("ticket"));
    assert_eq!(joined.details.authprovider.as_deref(), Some("static"));
    assert_eq!(joined.details.realm.as_deref(), Some("realm1"));
    assert_eq!(joined.details.agent.as_deref(), Some("Crossbar.io"));
    assert_eq!(joined.details.authextra.as_ref().and_then(|extra| extra.get("x")?.as_u64()), Some(1));
    assert_eq!(joined.details.extra.get("x_cb_pid").and_then(|pid| pid.as_u64()), Some(5));
    assert!(joined.router_has(Role::Dealer) && joined.router_announces(Role::Broker, "publisher_exclusion"));
    let Status::Joined(status) = peer.session.status() else { panic!("not joined") };
    assert_eq!(status, joined);
    peer.expect_usable();
}

#[test]
fn ses_05_a_welcome_without_roles_is_tolerated() {
    let mut peer = Peer::joining(config());
    peer.receive("[2,1,{}]");
    let joined = peer.expect_joined();
    assert!(!joined.router_has(Role::Broker));
    assert!(!joined.router_announces(Role::Dealer, "call_canceling"));
    peer.expect_usable();
    peer.call("com.example.procedure");
    assert_eq!(peer.sent_request(48), 2);
    // A role without features is one all the same.
    let mut peer = Peer::joined_with(config(), r#"[2,1,{"roles":{"broker":{}}}]"#);
    peer.expect_usable();
}

#[test]
fn ses_06_an_abort_while_opening_is_not_answered() {
    let mut peer = Peer::joining(config());
    peer.receive(r#"[3,{"message":"The realm does not exist."},"wamp.error.no_such_realm"]"#);
    peer.expect_close(1000);
    peer.expect_no_event();
    peer.end_transport(TransportErrorKind::Eof);
    let cause = peer.expect_closed();
    let CloseCause::Abort(abort) = &*cause else { panic!("{cause:?}") };
    assert_eq!(abort.reason, "wamp.error.no_such_realm");
    let text = "the router aborted the session: wamp.error.no_such_realm (The realm does not exist.)";
    assert_eq!(cause.to_string(), text);
}

#[test]
fn ses_09_joining_ends_at_its_timeout() {
    let mut peer = Peer::joining(config().connect_timeout(Duration::from_secs(3)));
    let call = peer.call("com.example.procedure");
    let deadline = peer.session.poll_timeout();
    assert_eq!(deadline.map(|(at, reason)| (at.as_nanos(), reason)), Some((3_000_000_000, TimeoutReason::Join)));
    peer.wait(Duration::from_millis(2_999));
    peer.expect_silence();
    peer.wait(Duration::from_millis(1));
    peer.expect_sent(r#"[3,{"message":"the session was not joined in time"},"wamp.error.timeout"]"#);
    peer.expect_close(1000);
    assert!(matches!(peer.expect_call_done(call), Err(RequestError::Disconnected { sent: false })));
    peer.expect_no_event();
    peer.end_transport(TransportErrorKind::Eof);
    assert!(matches!(&*peer.expect_closed(), CloseCause::JoinTimeout));
}

#[test]
fn ses_09_opening_the_transport_is_part_of_joining() {
    let mut peer = Peer::new(config().connect_timeout(Duration::from_secs(3)));
    peer.connect();
    peer.wait(Duration::from_secs(3));
    peer.expect_close(1000);
    peer.wait(Duration::from_secs(5));
    assert!(matches!(&*peer.expect_closed(), CloseCause::JoinTimeout));
}

#[test]
fn ses_21_the_reasons_of_aborts_are_kept() {
    for reason in [
        "wamp.error.no_such_realm",
        "wamp.error.no_such_role",
        "wamp.error.no_such_principal",
        "wamp.error.no_matching_auth_method",
        "wamp.error.no_auth_method",
        "wamp.error.authentication_denied",
        "wamp.error.authentication_failed",
        "wamp.error.authentication_required",
        "wamp.error.not_authorized",
        "wamp.error.authorization_denied",
        "wamp.error.authorization_failed",
        "wamp.error.authorization_required",
        "wamp.error.protocol_violation",
        "wamp.error.invalid_uri",
        "wamp.error.cannot_authenticate",
        "wamp.error.system_shutdown",
        "wamp.close.system_shutdown",
        "wamp.close.killed",
    ] {
        let mut peer = Peer::joining(config());
        peer.receive(&format!(r#"[3,{{}},"{reason}"]"#));
        peer.expect_close(1000);
        peer.end_transport(TransportErrorKind::Eof);
        let cause = peer.expect_closed();
        assert!(matches!(&*cause, CloseCause::Abort(abort) if abort.reason == reason), "{cause:?}");
    }
}

#[test]
fn ses_22_a_challenge_that_cannot_be_answered_aborts() {
    let mut peer = Peer::new(config());
    peer.connect();
    peer.open(Opened::new(Some("wamp.2.json")).authmethods(["wampcra"]).authid("joe"));
    peer.sent();
    peer.receive(r#"[4,"unheard-of",{}]"#);
    peer.expect_sent(concat!(
        r#"[3,{"message":"the router asked for the method \"unheard-of\", which was not offered"},"#,
        r#""wamp.error.cannot_authenticate"]"#
    ));
    peer.expect_close(1000);
    peer.expect_no_event();
    peer.end_transport(TransportErrorKind::Eof);
    let cause = peer.expect_closed();
    assert!(matches!(&*cause, CloseCause::Authentication(AuthError::NotOffered(method)) if method == "unheard-of"));
}

#[test]
fn ses_23_there_is_no_second_hello() {
    let mut peer = Peer::joined();
    peer.connect();
    peer.expect_usable();
}

#[test]
fn ses_24_session_resumption_is_ignored() {
    let mut peer = Peer::joined_with(
        config(),
        r#"[2,1,{"roles":{"broker":{},"dealer":{}},"resumable":true,"resumed":false,"resume_token":"t"}]"#,
    );
    peer.expect_usable();
}

#[test]
fn ws_04_without_an_offered_subprotocol_there_is_no_hello() {
    for subprotocol in [None, Some("wamp.2.ubjson"), Some("wamp.2.cbor"), Some("wamp.2.json.batched"), Some("")] {
        let mut peer = Peer::new(config().formats([wamp_session::proto::Format::Json]));
        peer.connect();
        peer.open(Opened::new(subprotocol));
        peer.expect_close(1002);
        peer.expect_no_event();
        peer.end_transport(TransportErrorKind::Eof);
        let cause = peer.expect_closed();
        let CloseCause::Transport(error) = &*cause else { panic!("{cause:?}") };
        assert_eq!(*error.kind(), TransportErrorKind::Subprotocol, "{subprotocol:?}");
    }
}

#[test]
fn ws_03_the_server_chooses_the_format() {
    for format in
        [wamp_session::proto::Format::Json, wamp_session::proto::Format::MsgPack, wamp_session::proto::Format::Cbor]
    {
        let mut peer = Peer::joining_in(format, config());
        peer.receive(WELCOME);
        assert_eq!(peer.expect_joined().format, format);
        assert_eq!(peer.session.format(), format);
    }
}

#[test]
fn pv_24_commands_wait_for_the_join_in_their_order() {
    let mut peer = Peer::new(config());
    peer.connect();
    let subscription = peer.subscribe("com.example.topic");
    let call = peer.call("com.example.procedure");
    peer.open(Opened::new(Some("wamp.2.json")));
    peer.expect_sent(&format!(r#"[1,"realm1",{{{ROLES}}}]"#));
    let publication = peer.publish_acked("com.example.topic");
    let registration = peer.register("com.example.procedure");
    let publish = peer.session.publish(peer.now, uri("com.example.topic"), Default::default(), Default::default());
    assert!(matches!(publish, Err(CommandError::NotJoined)));
    peer.expect_silence();
    peer.receive(WELCOME);
    peer.expect_sent(r#"[32,1,{},"com.example.topic"]"#);
    peer.expect_sent(r#"[48,2,{},"com.example.procedure"]"#);
    peer.expect_sent(r#"[16,3,{"acknowledge":true},"com.example.topic"]"#);
    peer.expect_sent(r#"[64,4,{},"com.example.procedure"]"#);
    peer.expect_joined();
    peer.receive("[33,1,100]");
    peer.receive("[50,2,{}]");
    peer.receive("[17,3,300]");
    peer.receive("[65,4,200]");
    peer.expect_subscribed(subscription).unwrap();
    peer.expect_call_done(call).unwrap();
    peer.expect_publish_done(publication).unwrap();
    peer.expect_registered(registration).unwrap();
}

#[test]
fn pv_24_what_is_taken_back_before_the_join_is_never_sent() {
    let mut peer = Peer::joining(config());
    let subscription = peer.subscribe("com.example.topic");
    let call = peer.call("com.example.procedure");
    let publication = peer.publish_acked("com.example.topic");
    let registration = peer.register("com.example.procedure");
    peer.unsubscribe(subscription);
    peer.session.forget_call(call);
    peer.session.forget_publish(publication);
    peer.unregister(registration);
    peer.expect_unsubscribed(subscription).unwrap();
    peer.expect_unregistered(registration).unwrap();
    peer.receive(WELCOME);
    peer.expect_joined();
    peer.expect_usable();
}

#[test]
fn what_waits_for_a_join_waits_for_its_timeout_at_most() {
    let config = config().request_timeout(Duration::from_secs(2)).call_timeout(Duration::from_secs(60));
    let mut peer = Peer::joining(config);
    let call = peer.call("com.example.procedure");
    let subscription = peer.subscribe("com.example.topic");
    let publication = peer.publish_acked("com.example.topic");
    let registration = peer.register("com.example.procedure");
    peer.wait(Duration::from_secs(2));
    assert!(matches!(peer.expect_call_done(call), Err(RequestError::Timeout { sent: false })));
    assert!(matches!(peer.expect_subscribed(subscription), Err(RequestError::Timeout { sent: false })));
    assert!(matches!(peer.expect_publish_done(publication), Err(RequestError::Timeout { sent: false })));
    assert!(matches!(peer.expect_registered(registration), Err(RequestError::Timeout { sent: false })));
    peer.receive(WELCOME);
    peer.expect_joined();
    peer.expect_usable();
}

#[test]
fn a_transport_that_cannot_be_opened_ends_the_session() {
    let mut peer = Peer::new(config());
    peer.connect();
    let call = peer.call("com.example.procedure");
    peer.end_transport(TransportErrorKind::Dns);
    assert!(matches!(peer.expect_call_done(call), Err(RequestError::Disconnected { sent: false })));
    let cause = peer.expect_closed();
    assert!(matches!(&*cause, CloseCause::Transport(error) if *error.kind() == TransportErrorKind::Dns));
}

#[test]
fn news_of_another_transport_are_ignored() {
    let mut peer = Peer::joined();
    let first = peer.transport();
    peer.end_transport(TransportErrorKind::Eof);
    peer.expect_closed();
    peer.connect();
    peer.open(Opened::new(Some("wamp.2.json")));
    peer.sent();
    let now = peer.now;
    peer.session.handle_frame(now, first, Frame::Text(WELCOME.as_bytes().into()));
    peer.session.handle_opened(now, first, Opened::new(Some("wamp.2.json")));
    peer.session.handle_closed(now, first, wamp_session::TransportError::new(TransportErrorKind::Eof));
    peer.expect_silence();
    peer.expect_no_event();
    peer.receive(WELCOME);
    assert!(matches!(peer.event(), SessionEvent::Joined(_)));
}

#[test]
fn an_earlier_now_counts_as_the_latest_seen() {
    let mut peer = Peer::new(config().connect_timeout(Duration::from_secs(3)));
    peer.wait(Duration::from_secs(100));
    peer.session.connect(wamp_session::Time::from_secs(1));
    assert_eq!(peer.session.poll_timeout().map(|(at, _)| at), Some(wamp_session::Time::from_secs(103)));
    let mut peer = Peer::new(config().connect_timeout(Duration::MAX));
    peer.connect();
    assert_eq!(peer.session.poll_timeout(), None);
}

#[test]
fn what_waited_for_a_join_that_never_came_is_not_sent_by_the_next_session() {
    let mut peer = Peer::joining(config());
    peer.call("com.example.procedure");
    peer.subscribe("com.example.topic");
    peer.end_transport(TransportErrorKind::Eof);
    while peer.session.poll_event().is_some() {}
    assert_eq!(peer.session.poll_timeout(), None);
    peer.connect();
    peer.open(Opened::new(Some("wamp.2.json")));
    peer.sent();
    peer.receive(WELCOME);
    peer.expect_joined();
    peer.expect_usable();
}

#[test]
fn timeouts_of_nothing_end_at_once() {
    let mut peer = Peer::new(config().connect_timeout(Duration::ZERO).close_timeout(Duration::ZERO));
    peer.connect();
    peer.wait(Duration::ZERO);
    assert!(matches!(&*peer.expect_closed(), CloseCause::JoinTimeout));
    peer.expect_silence();
}

#[test]
fn roles_of_routers_are_not_announced() {
    let mut peer = Peer::new(config().roles([Role::Caller, Role::Dealer, Role::Broker]));
    peer.connect();
    peer.open(Opened::new(Some("wamp.2.json")));
    let hello = peer.sent();
    assert!(hello.starts_with(r#"[1,"realm1",{"roles":{"caller":{"features":{"#), "{hello}");
    assert!(!hello.contains("dealer") && !hello.contains("broker"), "{hello}");
}

#[test]
fn a_session_can_be_sent_to_another_thread() {
    fn is_send<T: Send>(_: &T) {}
    is_send(&wamp_session::Session::new(config()));
}
