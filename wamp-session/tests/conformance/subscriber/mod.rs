//! Checklist section 12: the subscriber.

mod matching;
mod retained;
mod sharing;

use core::time::Duration;
use std::collections::BTreeMap;

use wamp_session::{CommandError, Limits, RequestError, SessionEvent, SubscribeOptions};

use crate::messages::text;
use crate::support::{Peer, WELCOME, config, uri};

#[test]
fn sub_01_a_subscription_is_confirmed_or_refused() {
    let mut peer = Peer::joined();
    let key = peer.subscribe("com.myapp.mytopic1");
    peer.expect_sent(r#"[32,1,{},"com.myapp.mytopic1"]"#);
    peer.expect_no_event();
    peer.receive("[33,1,5512315355]");
    peer.expect_subscribed(key).unwrap();
    let key = peer.subscribe("com.myapp.mytopic2");
    peer.sent();
    peer.receive(r#"[8,32,2,{},"wamp.error.not_authorized"]"#);
    let error = peer.expect_subscribed(key).unwrap_err();
    assert!(matches!(error, RequestError::Wamp(error) if error.uri() == "wamp.error.not_authorized"));
    assert!(matches!(peer.session.unsubscribe(peer.now, key), Err(CommandError::UnknownKey)));
    assert!(peer.session.subscribe(peer.now, uri("wamp.session.on_join"), SubscribeOptions::new()).is_ok());
}

#[test]
fn sub_02_a_subscription_ends_with_the_answer_to_unsubscribe() {
    let mut peer = Peer::joined();
    let key = peer.subscribed("com.example.topic", 100);
    peer.unsubscribe(key);
    peer.expect_sent("[34,2,100]");
    peer.receive("[36,100,1,{}]");
    peer.expect_no_event();
    peer.receive("[35,2]");
    peer.expect_unsubscribed(key).unwrap();
    assert!(matches!(peer.session.unsubscribe(peer.now, key), Err(CommandError::UnknownKey)));

    let key = peer.subscribed("com.example.topic", 100);
    peer.unsubscribe(key);
    peer.sent();
    peer.receive(r#"[8,34,4,{},"wamp.error.no_such_subscription"]"#);
    peer.expect_unsubscribed(key).unwrap();

    let key = peer.subscribed("com.example.topic", 100);
    peer.unsubscribe(key);
    peer.sent();
    peer.receive(r#"[8,34,6,{},"wamp.error.not_authorized"]"#);
    assert!(matches!(peer.expect_unsubscribed(key), Err(RequestError::Wamp(_))));
    peer.expect_usable();
}

#[test]
fn sub_02_an_unsubscribe_without_answer_ends_at_its_timeout() {
    let mut peer = Peer::joined_with(config().request_timeout(Duration::from_secs(2)), WELCOME);
    let key = peer.subscribed("com.example.topic", 100);
    peer.unsubscribe(key);
    peer.sent();
    peer.wait(Duration::from_secs(2));
    assert!(matches!(peer.expect_unsubscribed(key), Err(RequestError::Timeout { sent: true })));
    peer.receive("[35,2]");
    peer.expect_usable();
}

#[test]
fn sub_03_an_event_comes_to_its_subscription_with_all_that_it_carries() {
    let mut peer = Peer::joined();
    let a = peer.subscribed("com.example.a", 100);
    let b = peer.subscribed("com.example.b", 101);
    peer.receive("[36,101,1,{}]");
    peer.receive(r#"[36,100,2,{"publisher":7},["Hello, world!"]]"#);
    peer.receive(r#"[36,101,3,{"topic":"com.example.other"},[],{"color":"orange"}]"#);
    let event = peer.expect_published();
    assert_eq!((event.key, event.publication.get(), event.topic.as_str()), (b, 1, "com.example.b"));
    let event = peer.expect_published();
    assert_eq!((event.key, event.publication.get(), event.topic.as_str()), (a, 2, "com.example.a"));
    assert_eq!(event.details.publisher.map(|publisher| publisher.get()), Some(7));
    assert_eq!(event.payload.arg::<&str>(0).unwrap(), "Hello, world!");
    let event = peer.expect_published();
    assert_eq!((event.key, event.topic.as_str()), (b, "com.example.other"));
    assert_eq!(event.payload.kwargs::<BTreeMap<String, String>>().unwrap()["color"], "orange");
}

#[test]
fn sub_07_events_that_nobody_takes_are_bounded() {
    let mut peer = Peer::joined_with(config().limits(Limits::new().max_events(2)), WELCOME);
    peer.subscribed("com.example.topic", 100);
    for number in 1..=5 {
        peer.receive(&format!("[36,100,{number},{{}}]"));
    }
    assert_eq!(peer.session.stats().dropped_events, 3);
    // What ends a request has room all the same.
    let call = peer.call("com.example.procedure");
    peer.receive("[50,2,{}]");
    assert_eq!(peer.expect_published().publication.get(), 1);
    assert_eq!(peer.expect_published().publication.get(), 2);
    peer.expect_call_done(call).unwrap();
    peer.receive("[36,100,6,{}]");
    assert_eq!(peer.expect_published().publication.get(), 6);
}

#[test]
fn sub_07_the_bytes_of_events_that_nobody_takes_are_bounded() {
    let mut peer = Peer::joined_with(config().limits(Limits::new().max_event_bytes(250)), WELCOME);
    peer.subscribed("com.example.topic", 100);
    for _ in 0..4 {
        peer.receive(&format!(r#"[36,100,1,{{}},["{}"]]"#, "x".repeat(90)));
    }
    assert_eq!(peer.session.stats().dropped_events, 2);
    peer.expect_published();
    peer.receive(&format!(r#"[36,100,1,{{}},["{}"]]"#, "x".repeat(90)));
    assert_eq!(peer.session.stats().dropped_events, 2);
}

#[test]
fn a_subscribe_without_answer_ends_at_its_timeout_and_is_undone() {
    let mut peer = Peer::joined();
    let options = SubscribeOptions::new().timeout(Duration::from_secs(1));
    let impatient = peer.session.subscribe(peer.now, uri("com.example.topic"), options).unwrap();
    let patient = peer.subscribe("com.example.topic");
    peer.sent();
    peer.wait(Duration::from_secs(1));
    assert!(matches!(peer.expect_subscribed(impatient), Err(RequestError::Timeout { sent: true })));
    peer.wait(Duration::from_secs(9));
    assert!(matches!(peer.expect_subscribed(patient), Err(RequestError::Timeout { sent: true })));
    assert_eq!(peer.session.poll_timeout(), None);
    peer.receive("[33,1,100]");
    peer.expect_sent("[34,2,100]");
    peer.receive("[35,2]");
    peer.expect_usable();
}

#[test]
fn srv_01_revocation_is_announced() {
    let hello: serde_json::Value = serde_json::from_str(&super::features::hello(config())).unwrap();
    assert_eq!(hello[2]["roles"]["subscriber"]["features"]["subscription_revocation"], true);
}

#[test]
fn srv_02_a_revocation_removes_the_subscriptions() {
    let mut peer = Peer::joined();
    let keys = [peer.subscribed("com.example.topic", 1_293_722), peer.subscribe("com.example.topic")];
    peer.expect_subscribed(keys[1]).unwrap();
    peer.receive(r#"[35,0,{"subscription":1293722,"reason":"no longer authorized"}]"#);
    for subscription in keys {
        match peer.event() {
            SessionEvent::SubscriptionRevoked { key, reason } => {
                assert_eq!((key, reason.as_deref()), (subscription, Some("no longer authorized")));
            }
            event => panic!("{event:?}"),
        }
        assert!(matches!(peer.session.unsubscribe(peer.now, subscription), Err(CommandError::UnknownKey)));
    }
    peer.receive("[36,1293722,1,{}]");
    peer.receive(r#"[35,0,{"subscription":5}]"#);
    peer.expect_usable();
    Peer::violate(config(), &[text("[35,0,{}]")]);
}

#[test]
fn a_confirmed_subscription_has_no_deadline() {
    let mut peer = Peer::joined();
    let key = peer.subscribed("com.example.topic", 100);
    assert_eq!(peer.session.poll_timeout(), None);
    peer.wait(Duration::from_secs(60));
    peer.receive("[36,100,1,{}]");
    assert_eq!(peer.expect_published().key, key);
    peer.expect_no_event();
}

#[test]
fn events_without_details_share_them() {
    let mut peer = Peer::joined();
    peer.subscribed("com.example.topic", 100);
    peer.receive("[36,100,1,{}]");
    peer.receive("[36,100,2,{}]");
    let (first, second) = (peer.expect_published(), peer.expect_published());
    assert!(std::sync::Arc::ptr_eq(&first.details, &second.details));
}

#[test]
fn pid_02_an_event_says_who_published_it() {
    let mut peer = Peer::joined();
    peer.subscribed("com.example.topic", 100);
    peer.receive(r#"[36,100,1,{"publisher":3335656,"publisher_authid":"joe","publisher_authrole":"user"}]"#);
    let details = peer.expect_published().details;
    assert_eq!(details.publisher.map(|id| id.get()), Some(3_335_656));
    assert_eq!(details.publisher_authid.as_deref(), Some("joe"));
    assert_eq!(details.publisher_authrole.as_deref(), Some("user"));
    for wrong in [r#""publisher":"x""#, r#""publisher_authid":1"#, r#""publisher_authrole":[]"#] {
        Peer::violate(config(), &[text(&format!("[36,100,1,{{{wrong}}}]"))]);
    }
}

#[test]
fn ptl_01_an_event_says_how_far_its_publisher_is_trusted() {
    let mut peer = Peer::joined();
    peer.subscribed("com.example.topic", 100);
    peer.receive(r#"[36,100,1,{"trustlevel":2}]"#);
    assert_eq!(peer.expect_published().details.trustlevel, Some(2));
    Peer::violate(config(), &[text(r#"[36,100,1,{"trustlevel":"2"}]"#)]);
}

#[test]
fn ssu_01_the_key_of_a_sharded_subscription_is_sent_unchanged() {
    let mut peer = Peer::joined();
    let options = SubscribeOptions::new().nkey("EU-1");
    peer.session.subscribe(peer.now, uri("a.b"), options).unwrap();
    peer.expect_sent(r#"[32,1,{"nkey":"EU-1"},"a.b"]"#);
    assert!(!super::features::hello(config()).contains("shard"));
}
