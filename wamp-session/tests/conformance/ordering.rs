//! Checklist section 9: ordering guarantees.

use wamp_session::proto::Payload;
use wamp_session::{Response, SessionEvent};

use crate::support::Peer;

#[test]
fn ord_01_events_come_in_the_order_of_the_wire() {
    let mut peer = Peer::joined();
    let keys = [100, 101, 102].map(|id| peer.subscribed(&format!("com.example.t{id}"), id));
    for number in 1..=1_000_usize {
        peer.receive(&format!("[36,{},{number},{{}}]", 100 + number % 3));
    }
    for number in 1..=1_000_usize {
        let event = peer.expect_published();
        assert_eq!(event.publication.get(), number as u64);
        assert_eq!(event.key, keys[number % 3]);
    }
}

#[test]
fn ord_02_an_event_right_behind_subscribed_is_delivered() {
    let mut peer = Peer::joined();
    let key = peer.subscribe("com.example.topic");
    peer.receive("[33,1,100]");
    peer.receive("[36,100,1,{}]");
    peer.expect_subscribed(key).unwrap();
    assert_eq!(peer.expect_published().key, key);
}

#[test]
fn ord_03_invocations_come_in_the_order_of_the_wire() {
    let mut peer = Peer::joined();
    peer.registered("com.example.a", 200);
    peer.registered("com.example.b", 201);
    for number in 1..=100 {
        peer.receive(&format!("[68,{number},{},{{}},[{number}]]", 200 + number % 2));
    }
    for number in 1..=100 {
        assert_eq!(peer.expect_invocation().payload.arg::<u64>(0).unwrap(), number);
    }
}

#[test]
fn ord_04_an_invocation_right_behind_registered_is_delivered() {
    let mut peer = Peer::joined();
    let key = peer.register("com.example.procedure");
    peer.sent();
    peer.receive("[65,1,200]");
    peer.receive("[68,1,200,{}]");
    peer.expect_registered(key).unwrap();
    let invocation = peer.expect_invocation();
    assert_eq!(invocation.registration, key);
    peer.session.respond(peer.now, invocation.key, Response::Result(Payload::new())).unwrap();
    peer.expect_sent("[70,1,{}]");
}

#[test]
fn ord_05_calls_are_answered_in_any_order() {
    let mut peer = Peer::joined();
    let calls = [(); 3].map(|()| peer.call("com.example.procedure"));
    peer.receive("[50,3,{},[3]]");
    peer.receive(r#"[8,48,1,{},"com.example.error"]"#);
    peer.receive("[50,2,{},[2]]");
    assert_eq!(peer.expect_call_done(calls[2]).unwrap().payload.arg::<u8>(0).unwrap(), 3);
    assert!(peer.expect_call_done(calls[0]).is_err());
    assert_eq!(peer.expect_call_done(calls[1]).unwrap().payload.arg::<u8>(0).unwrap(), 2);
}

#[test]
fn ord_06_subscribed_and_registered_come_in_any_order() {
    let mut peer = Peer::joined();
    let a = peer.subscribe("com.example.a");
    let b = peer.subscribe("com.example.b");
    let c = peer.register("com.example.c");
    peer.receive("[65,3,200]");
    peer.receive("[33,2,102]");
    peer.receive("[33,1,101]");
    peer.expect_registered(c).unwrap();
    peer.expect_subscribed(b).unwrap();
    peer.expect_subscribed(a).unwrap();
    peer.receive("[36,102,1,{}]");
    assert_eq!(peer.expect_published().key, b);
}

#[test]
fn ord_07_messages_are_sent_in_the_order_of_the_commands() {
    let mut peer = Peer::joined();
    for topic in ["com.example.a", "com.example.b", "com.example.c"] {
        peer.publish(topic);
    }
    peer.expect_sent(r#"[16,1,{},"com.example.a"]"#);
    peer.expect_sent(r#"[16,2,{},"com.example.b"]"#);
    peer.expect_sent(r#"[16,3,{},"com.example.c"]"#);
}

#[test]
fn ord_09_an_unanswered_invocation_holds_up_nothing() {
    let mut peer = Peer::joined();
    peer.registered("com.example.procedure", 200);
    let call = peer.call("com.example.other");
    peer.sent();
    peer.receive("[68,1,200,{}]");
    peer.receive("[68,2,200,{}]");
    let (slow, fast) = (peer.expect_invocation(), peer.expect_invocation());
    peer.session.respond(peer.now, fast.key, Response::Result(Payload::new())).unwrap();
    peer.expect_sent("[70,2,{}]");
    peer.receive("[50,2,{}]");
    peer.expect_call_done(call).unwrap();
    peer.receive(r#"[6,{},"wamp.close.system_shutdown"]"#);
    peer.expect_sent(r#"[6,{},"wamp.close.goodbye_and_out"]"#);
    assert!(matches!(peer.event(), SessionEvent::InvocationEnded { key, .. } if key == slow.key));
}
