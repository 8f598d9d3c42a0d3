//! Checklist section 2: IDs. ID-04 and ID-05 (wrap after 2^53) are unit tests of the request ids.

use wamp_session::proto::{Format, Payload};
use wamp_session::{CallOptions, CloseReason, CommandError, Limits, Opened, PublishOptions, Response};

use crate::support::{FEATURELESS, Peer, WELCOME, config, payload, uri};

#[test]
fn id_01_the_least_and_the_greatest_id_are_accepted_everywhere() {
    for id in ["1", "9007199254740992"] {
        let mut peer = Peer::joining(config());
        peer.receive(&format!("[2,{id},{{}}]"));
        assert_eq!(peer.expect_joined().session.to_string(), id);

        let subscription = peer.subscribe("com.example.topic");
        let registration = peer.register("com.example.procedure");
        let publication = peer.publish_acked("com.example.topic");
        peer.receive(&format!("[33,1,{id}]"));
        peer.receive(&format!("[65,2,{id}]"));
        peer.receive(&format!("[17,3,{id}]"));
        peer.expect_subscribed(subscription).unwrap();
        peer.expect_registered(registration).unwrap();
        assert_eq!(peer.expect_publish_done(publication).unwrap().to_string(), id);
        peer.receive(&format!("[36,{id},{id},{{}}]"));
        assert_eq!(peer.expect_published().publication.to_string(), id);
        peer.receive(&format!("[68,{id},{id},{{}}]"));
        let invocation = peer.expect_invocation();
        peer.session.respond(peer.now, invocation.key, Response::Result(Payload::new())).unwrap();
        for _ in 0..3 {
            peer.sent();
        }
        peer.expect_sent(&format!("[70,{id},{{}}]"));
    }
}

#[test]
fn id_02_what_is_no_id_is_a_protocol_violation() {
    for id in ["0", "-1", "9007199254740993", "1.5", r#""1""#] {
        for frame in [
            format!("[17,{id},5]"),
            format!("[17,2,{id}]"),
            format!("[33,{id},5]"),
            format!("[33,3,{id}]"),
            format!("[36,{id},5,{{}}]"),
            format!("[36,5,{id},{{}}]"),
            format!("[50,{id},{{}}]"),
            format!("[65,{id},5]"),
            format!("[65,4,{id}]"),
            format!("[68,{id},5,{{}}]"),
            format!("[68,5,{id},{{}}]"),
            format!("[8,48,{id},{{}},\"com.example.error\"]"),
        ] {
            Peer::violate(config(), &[super::messages::text(&frame)]);
        }
        let mut peer = Peer::joining(config());
        peer.receive(&format!("[2,{id},{{}}]"));
        peer.expect_violation();
    }
    // 0 names no request, only a revocation, which says of what.
    Peer::violate(config(), &[super::messages::text("[35,0]")]);
    Peer::violate(config(), &[super::messages::text("[67,0]")]);
}

#[test]
fn id_03_all_requests_share_one_counter() {
    let mut peer = Peer::joined();
    peer.publish("com.example.topic");
    peer.call("com.example.procedure");
    let subscription = peer.subscribe("com.example.topic");
    let registration = peer.register("com.example.procedure");
    peer.receive("[33,3,100]");
    peer.receive("[65,4,200]");
    peer.expect_subscribed(subscription).unwrap();
    peer.expect_registered(registration).unwrap();
    peer.unsubscribe(subscription);
    peer.unregister(registration);
    peer.expect_sent(r#"[16,1,{},"com.example.topic"]"#);
    peer.expect_sent(r#"[48,2,{},"com.example.procedure"]"#);
    peer.expect_sent(r#"[32,3,{},"com.example.topic"]"#);
    peer.expect_sent(r#"[64,4,{},"com.example.procedure"]"#);
    peer.expect_sent("[34,5,100]");
    peer.expect_sent("[66,6,200]");
}

#[test]
fn id_06_an_unacknowledged_publish_uses_an_id() {
    let mut peer = Peer::joined();
    for id in 1..=3 {
        peer.publish("com.example.topic");
        assert_eq!(peer.sent_request(16), id);
    }
    peer.call("com.example.procedure");
    assert_eq!(peer.sent_request(48), 4);
}

#[test]
fn id_07_a_new_session_starts_at_1_again() {
    let mut peer = Peer::joined();
    peer.call("com.example.procedure");
    assert_eq!(peer.sent_request(48), 1);
    peer.session.close(peer.now, CloseReason::CloseRealm);
    peer.session.connect(peer.now);
    peer.receive(r#"[6,{},"wamp.close.goodbye_and_out"]"#);
    peer.end_transport(wamp_session::TransportErrorKind::Eof);
    peer.sent();
    peer.open(Opened::new(Some("wamp.2.json")));
    peer.sent();
    peer.receive(WELCOME);
    peer.call("com.example.procedure");
    assert_eq!(peer.sent_request(48), 1);
}

#[test]
fn id_08_ids_are_on_the_wire_in_increasing_order() {
    let mut peer = Peer::joined();
    for turn in 0..1_000 {
        match turn % 3 {
            0 => peer.publish("com.example.topic"),
            1 => drop(peer.call("com.example.procedure")),
            _ => drop(peer.publish_acked("com.example.topic")),
        }
    }
    for id in 1..=1_000_u64 {
        assert!(peer.sent().split(',').nth(1) == Some(&*id.to_string()));
    }
}

#[test]
fn id_09_what_fails_locally_leaves_no_gap() {
    let limits = Limits::new().message(wamp_session::proto::Limits::new().max_message_bytes(100));
    let mut peer = Peer::joined_with(config().limits(limits), FEATURELESS);
    let long = payload("x".repeat(100));
    let now = peer.now;
    let publish = peer.session.publish(now, uri("com.example.topic"), long.clone(), PublishOptions::new());
    assert!(matches!(publish, Err(CommandError::TooLarge { size: 134, limit: 100 })), "{publish:?}");
    let acked = peer.session.publish_acked(now, uri("com.example.topic"), long.clone(), PublishOptions::new());
    assert!(matches!(acked, Err(CommandError::TooLarge { .. })));
    let call = peer.session.call(now, uri("com.example.procedure"), long, CallOptions::new());
    assert!(matches!(call, Err(CommandError::TooLarge { .. })));
    let option = PublishOptions::new().option("_nan", f64::NAN).unwrap();
    let publish = peer.session.publish(now, uri("com.example.topic"), Payload::new(), option);
    assert!(matches!(publish, Err(CommandError::Encode(_))));
    assert!(matches!(
        peer.session.publish(now, uri("wamp.topic"), Payload::new(), PublishOptions::new()),
        Err(CommandError::ReservedUri)
    ));
    peer.expect_silence();
    peer.call("com.example.procedure");
    assert_eq!(peer.sent_request(48), 1);
    peer.expect_no_event();
}

#[test]
fn a_message_of_exactly_the_limit_is_sent() {
    let limits = Limits::new().message(wamp_session::proto::Limits::new().max_message_bytes(100));
    let mut peer = Peer::joined_with(config().limits(limits), FEATURELESS);
    let now = peer.now;
    let mut publish = |length: usize| {
        let text = payload("x".repeat(length));
        peer.session.publish(now, uri("com.example.topic"), text, PublishOptions::new())
    };
    assert!(matches!(publish(67), Err(CommandError::TooLarge { size: 101, limit: 100 })));
    publish(66).unwrap();
    peer.expect_sent(&format!(r#"[16,1,{{}},"com.example.topic",["{}"]]"#, "x".repeat(66)));
}

#[test]
fn id_09_what_fails_after_waiting_for_the_join_leaves_no_gap() {
    let limits = Limits::new().message(wamp_session::proto::Limits::new().max_message_bytes(100));
    let mut peer = Peer::joining(config().limits(limits));
    let long = payload("x".repeat(100));
    let first = peer.session.call(peer.now, uri("com.example.procedure"), long, CallOptions::new()).unwrap();
    peer.call("com.example.procedure");
    peer.receive(FEATURELESS);
    peer.expect_joined();
    let error = peer.expect_call_done(first).unwrap_err();
    assert!(matches!(error, wamp_session::RequestError::Command(CommandError::TooLarge { .. })));
    assert_eq!(peer.sent_request(48), 1);
}

#[test]
fn id_10_answers_mirror_the_id_of_what_they_answer() {
    let mut peer = Peer::joined();
    peer.registered("com.example.procedure", 200);
    peer.receive("[68,6131533,200,{}]");
    let invocation = peer.expect_invocation();
    peer.session.respond(peer.now, invocation.key, Response::Result(Payload::new())).unwrap();
    peer.expect_sent("[70,6131533,{}]");
}

#[test]
fn id_12_invocation_ids_need_not_be_sequential() {
    let mut peer = Peer::joined();
    peer.registered("com.example.procedure", 200);
    for id in ["5", "3", "9007199254740992"] {
        peer.receive(&format!("[68,{id},200,{{}}]"));
        let invocation = peer.expect_invocation();
        peer.session.respond(peer.now, invocation.key, Response::Result(Payload::new())).unwrap();
        peer.expect_sent(&format!("[70,{id},{{}}]"));
    }
}

#[test]
fn id_13_a_subscription_id_may_come_again() {
    let mut peer = Peer::joined();
    let first = peer.subscribed("com.example.a", 100);
    let second = peer.subscribed("com.example.b", 100);
    peer.receive("[36,100,1,{}]");
    assert_eq!(peer.expect_published().key, first);
    assert_eq!(peer.expect_published().key, second);
    peer.unsubscribe(first);
    peer.expect_silence();
    peer.unsubscribe(second);
    peer.expect_sent("[34,3,100]");
}

#[test]
fn id_14_the_publication_is_the_same_on_several_subscriptions() {
    let mut peer = Peer::joined();
    peer.subscribed("com.example.a", 100);
    peer.subscribed("com.example.b", 101);
    peer.receive("[36,100,4429313566,{}]");
    peer.receive("[36,101,4429313566,{}]");
    let publication = peer.expect_published().publication;
    assert_eq!(publication.get(), 4_429_313_566);
    assert_eq!(peer.expect_published().publication, publication);
}

#[test]
fn id_15_integral_floats_are_accepted_as_ids() {
    let mut peer = Peer::joining(config());
    peer.receive("[2,1.0,{}]");
    assert_eq!(peer.expect_joined().session.get(), 1);
}

#[test]
fn id_16_ids_are_exact() {
    let mut peer = Peer::joined();
    peer.subscribed("com.example.topic", 4_294_967_296);
    peer.receive("[36,4294967296,9007199254740991,{}]");
    assert_eq!(peer.expect_published().publication.get(), 9_007_199_254_740_991);
    assert_eq!(peer.session.format(), Format::Json);
}
