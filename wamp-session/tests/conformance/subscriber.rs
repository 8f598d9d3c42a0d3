//! Checklist section 12.2: the subscriber.

use core::time::Duration;
use std::collections::BTreeMap;

use wamp_session::proto::{MatchPolicy, Uri, UriRule};
use wamp_session::{CommandError, Limits, RequestError, SessionEvent, SubscribeOptions, SubscriptionKey};

use super::messages::text;
use crate::support::{Peer, WELCOME, config, uri};

fn subscribe_with(peer: &mut Peer, topic: &str, option: &str) -> SubscriptionKey {
    let options = SubscribeOptions::new().option(option, true).unwrap();
    peer.session.subscribe(peer.now, uri(topic), options).unwrap()
}

fn pattern(text: &str, policy: MatchPolicy) -> Uri {
    Uri::checked(text, UriRule::Loose, policy).unwrap()
}

/// Subscribes, and confirms it with an id.
#[track_caller]
fn subscribed_to(
    peer: &mut Peer,
    topic: &str,
    options: SubscribeOptions,
    policy: MatchPolicy,
    id: u64,
) -> SubscriptionKey {
    let key = peer.session.subscribe(peer.now, pattern(topic, policy), options).unwrap();
    let request = peer.sent_request(32);
    peer.receive(&format!("[33,{request},{id}]"));
    peer.expect_subscribed(key).unwrap();
    key
}

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
    assert!(matches!(peer.expect_unsubscribed(key), Err(RequestError::Timeout)));
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
fn sub_04_subscriptions_to_one_topic_share_the_routers() {
    let mut peer = Peer::joined();
    let pending = [peer.subscribe("com.example.topic"), peer.subscribe("com.example.topic")];
    peer.expect_sent(r#"[32,1,{},"com.example.topic"]"#);
    peer.expect_silence();
    peer.receive("[33,1,100]");
    for key in pending {
        peer.expect_subscribed(key).unwrap();
    }
    let standing = peer.subscribe("com.example.topic");
    peer.expect_silence();
    peer.expect_subscribed(standing).unwrap();

    peer.receive("[36,100,1,{}]");
    let events = [(); 3].map(|()| peer.expect_published());
    assert_eq!(events.each_ref().map(|event| event.key), [pending[0], pending[1], standing]);
    peer.expect_no_event();

    peer.unsubscribe(pending[0]);
    peer.expect_unsubscribed(pending[0]).unwrap();
    peer.unsubscribe(standing);
    peer.expect_unsubscribed(standing).unwrap();
    peer.expect_silence();
    peer.receive("[36,100,2,{}]");
    assert_eq!(peer.expect_published().key, pending[1]);
    peer.unsubscribe(pending[1]);
    peer.expect_sent("[34,2,100]");
    peer.receive("[35,2]");
    peer.expect_unsubscribed(pending[1]).unwrap();
}

#[test]
fn sub_04_a_refusal_is_everybodys() {
    let mut peer = Peer::joined();
    let keys = [peer.subscribe("com.example.topic"), peer.subscribe("com.example.topic")];
    peer.sent();
    peer.receive(r#"[8,32,1,{},"wamp.error.not_authorized"]"#);
    for key in keys {
        assert!(peer.expect_subscribed(key).is_err());
    }
    peer.subscribe("com.example.topic");
    peer.expect_sent(r#"[32,2,{},"com.example.topic"]"#);
}

#[test]
fn sub_04_subscriptions_with_other_options_are_others_even_with_one_id() {
    let mut peer = Peer::joined();
    let plain = peer.subscribed("com.example.topic", 100);
    let marked = subscribe_with(&mut peer, "com.example.topic", "_marked");
    peer.expect_sent(r#"[32,2,{"_marked":true},"com.example.topic"]"#);
    peer.receive("[33,2,100]");
    peer.expect_subscribed(marked).unwrap();
    peer.receive("[36,100,1,{}]");
    assert_eq!(peer.expect_published().key, plain);
    assert_eq!(peer.expect_published().key, marked);
    peer.expect_no_event();
    peer.unsubscribe(plain);
    peer.expect_unsubscribed(plain).unwrap();
    peer.expect_silence();
    peer.unsubscribe(marked);
    peer.expect_sent("[34,3,100]");
}

#[test]
fn sub_05_an_event_comes_once_per_subscription_of_the_router() {
    let mut peer = Peer::joined();
    let plain = peer.subscribed("com.example.topic", 100);
    let marked = subscribe_with(&mut peer, "com.example.topic", "_marked");
    peer.receive("[33,2,101]");
    peer.expect_subscribed(marked).unwrap();
    peer.receive("[36,100,7,{}]");
    peer.receive("[36,101,7,{}]");
    assert_eq!(peer.expect_published().key, plain);
    assert_eq!(peer.expect_published().key, marked);
    peer.expect_no_event();
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
fn sub_08_subscribing_while_an_unsubscribe_is_in_flight_subscribes_again() {
    for frames in [["[35,2]", "[33,3,100]"], ["[33,3,100]", "[35,2]"]] {
        let mut peer = Peer::joined();
        let first = peer.subscribed("com.example.topic", 100);
        peer.unsubscribe(first);
        let second = peer.subscribe("com.example.topic");
        peer.expect_sent("[34,2,100]");
        peer.expect_sent(r#"[32,3,{},"com.example.topic"]"#);
        for frame in frames {
            peer.receive(frame);
        }
        peer.event();
        peer.event();
        peer.receive("[36,100,1,{}]");
        assert_eq!(peer.expect_published().key, second);
        peer.unsubscribe(second);
        peer.expect_sent("[34,4,100]");
    }
}

#[test]
fn sub_08_a_subscription_given_up_while_it_is_asked_for_is_undone() {
    let mut peer = Peer::joined();
    let given_up = peer.subscribe("com.example.topic");
    peer.unsubscribe(given_up);
    peer.expect_unsubscribed(given_up).unwrap();
    peer.expect_sent(r#"[32,1,{},"com.example.topic"]"#);
    peer.expect_silence();
    peer.receive("[33,1,100]");
    peer.expect_sent("[34,2,100]");
    peer.receive("[35,2]");
    peer.expect_usable();
}

#[test]
fn sub_08_a_subscription_that_is_wanted_again_in_time_is_not_undone() {
    let mut peer = Peer::joined();
    let given_up = peer.subscribe("com.example.topic");
    peer.unsubscribe(given_up);
    peer.expect_unsubscribed(given_up).unwrap();
    let again = peer.subscribe("com.example.topic");
    peer.expect_sent(r#"[32,1,{},"com.example.topic"]"#);
    peer.receive("[33,1,100]");
    peer.expect_subscribed(again).unwrap();
    peer.expect_silence();
    peer.receive("[36,100,1,{}]");
    assert_eq!(peer.expect_published().key, again);
}

#[test]
fn sub_08_an_unsubscribe_waits_for_subscribes_that_may_bring_the_same_id() {
    // An UNSUBSCRIBE right now would end the id that the pending SUBSCRIBE is about to bring.
    let mut peer = Peer::joined();
    let plain = peer.subscribed("com.example.topic", 100);
    let marked = subscribe_with(&mut peer, "com.example.topic", "_marked");
    peer.sent();
    peer.unsubscribe(plain);
    peer.expect_unsubscribed(plain).unwrap();
    peer.expect_silence();
    peer.receive("[33,2,100]");
    peer.expect_subscribed(marked).unwrap();
    peer.expect_silence();
    peer.receive("[36,100,1,{}]");
    assert_eq!(peer.expect_published().key, marked);
    peer.expect_no_event();

    // Another id leaves nobody on the first.
    for answer in ["[33,2,101]", r#"[8,32,2,{},"wamp.error.not_authorized"]"#] {
        let mut peer = Peer::joined();
        let plain = peer.subscribed("com.example.topic", 100);
        let marked = subscribe_with(&mut peer, "com.example.topic", "_marked");
        peer.sent();
        peer.unsubscribe(plain);
        peer.expect_unsubscribed(plain).unwrap();
        peer.receive(answer);
        let _ = peer.expect_subscribed(marked);
        peer.expect_sent("[34,3,100]");
        peer.receive("[35,3]");
        peer.expect_usable();
    }
}

#[test]
fn a_subscribe_without_answer_ends_at_its_timeout_and_is_undone() {
    let mut peer = Peer::joined();
    let options = SubscribeOptions::new().timeout(Duration::from_secs(1));
    let impatient = peer.session.subscribe(peer.now, uri("com.example.topic"), options).unwrap();
    let patient = peer.subscribe("com.example.topic");
    peer.sent();
    peer.wait(Duration::from_secs(1));
    assert!(matches!(peer.expect_subscribed(impatient), Err(RequestError::Timeout)));
    peer.wait(Duration::from_secs(9));
    assert!(matches!(peer.expect_subscribed(patient), Err(RequestError::Timeout)));
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
fn sub_04_subscriptions_that_wait_for_the_join_share_one_subscribe() {
    let mut peer = Peer::joining(config());
    let keys = [(); 3].map(|()| peer.subscribe("com.example.topic"));
    peer.unsubscribe(keys[0]);
    peer.expect_unsubscribed(keys[0]).unwrap();
    peer.receive(WELCOME);
    peer.expect_joined();
    peer.expect_sent(r#"[32,1,{},"com.example.topic"]"#);
    peer.expect_silence();
    peer.receive("[33,1,100]");
    peer.expect_subscribed(keys[1]).unwrap();
    peer.expect_subscribed(keys[2]).unwrap();
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
fn pbs_01_a_subscription_says_how_topics_match() {
    let mut peer = Peer::joined();
    let mut subscribe = |topic, policy| {
        let options = SubscribeOptions::new().match_policy(policy);
        peer.session.subscribe(peer.now, pattern(topic, policy), options).unwrap();
        peer.sent()
    };
    assert_eq!(
        subscribe("com.myapp.topic.emergency", MatchPolicy::Prefix),
        r#"[32,1,{"match":"prefix"},"com.myapp.topic.emergency"]"#
    );
    assert_eq!(
        subscribe("com.myapp..userevent", MatchPolicy::Wildcard),
        r#"[32,2,{"match":"wildcard"},"com.myapp..userevent"]"#
    );
    assert_eq!(subscribe("com.myapp.topic", MatchPolicy::Exact), r#"[32,3,{"match":"exact"},"com.myapp.topic"]"#);
    let exact = peer.session.subscribe(
        peer.now,
        pattern("com.myapp..userevent", MatchPolicy::Wildcard),
        SubscribeOptions::new(),
    );
    assert!(matches!(exact, Err(CommandError::InvalidUri(_))), "{exact:?}");
}

#[test]
fn pbs_02_the_topic_that_matched_comes_with_the_event() {
    let mut peer = Peer::joined();
    let options = SubscribeOptions::new().match_policy(MatchPolicy::Prefix);
    let prefix = subscribed_to(&mut peer, "com.myapp", options, MatchPolicy::Prefix, 100);
    let exact = peer.subscribed("com.myapp.a", 101);
    peer.receive(r#"[36,100,1,{"topic":"com.myapp.a"}]"#);
    peer.receive("[36,101,1,{}]");
    let event = peer.expect_published();
    assert_eq!((event.key, event.topic.as_str()), (prefix, "com.myapp.a"));
    let event = peer.expect_published();
    assert_eq!((event.key, event.topic.as_str()), (exact, "com.myapp.a"));
    Peer::violate(config(), &[text(r#"[36,100,1,{"topic":5}]"#)]);
}

#[test]
fn pbs_04_subscriptions_to_one_topic_with_other_policies_are_others() {
    let mut peer = Peer::joined();
    let keys = [(MatchPolicy::Exact, 100), (MatchPolicy::Prefix, 101), (MatchPolicy::Wildcard, 102)]
        .map(|(policy, id)| subscribed_to(&mut peer, "a.b", SubscribeOptions::new().match_policy(policy), policy, id));
    for (id, key) in [102, 100, 101].into_iter().zip([keys[2], keys[0], keys[1]]) {
        peer.receive(&format!(r#"[36,{id},1,{{"topic":"a.b"}}]"#));
        assert_eq!(peer.expect_published().key, key);
        peer.expect_no_event();
    }
    for (key, id) in keys.into_iter().zip(100..) {
        peer.unsubscribe(key);
        let request = peer.sent();
        assert!(request.ends_with(&format!(",{id}]")), "{request}");
    }
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

#[test]
fn ret_01_a_subscriber_asks_for_the_retained_event() {
    let mut peer = Peer::joined();
    peer.session.subscribe(peer.now, uri("a.b"), SubscribeOptions::new().get_retained()).unwrap();
    peer.expect_sent(r#"[32,1,{"get_retained":true},"a.b"]"#);
    peer.subscribe("a.c");
    peer.expect_sent(r#"[32,2,{},"a.c"]"#);
}

#[test]
fn ret_02_the_retained_event_follows_subscribed() {
    let mut peer = Peer::joined();
    let key = peer.session.subscribe(peer.now, uri("a.b"), SubscribeOptions::new().get_retained()).unwrap();
    peer.receive("[33,1,100]");
    peer.receive(r#"[36,100,1,{"retained":true},["last"]]"#);
    peer.receive("[36,100,2,{}]");
    peer.expect_subscribed(key).unwrap();
    let (retained, live) = (peer.expect_published(), peer.expect_published());
    assert_eq!((retained.key, retained.details.retained), (key, Some(true)));
    assert_eq!((live.key, live.details.retained), (key, None));
    Peer::violate(config(), &[text(r#"[36,100,1,{"retained":1}]"#)]);
}

#[test]
fn ret_02_a_retained_event_is_for_the_subscription_that_asked_for_it() {
    let mut peer = Peer::joined();
    let plain = peer.subscribed("a.b", 100);
    let retained = SubscribeOptions::new().get_retained();
    let keys = [(); 2].map(|()| {
        let key = subscribed_to(&mut peer, "a.b", retained.clone(), MatchPolicy::Exact, 100);
        peer.receive(r#"[36,100,1,{"retained":true},["last"]]"#);
        assert_eq!(peer.expect_published().key, key, "the one before has had it, and the first does not want it");
        peer.expect_no_event();
        key
    });
    peer.receive("[36,100,2,{}]");
    assert_eq!([(); 3].map(|()| peer.expect_published().key), [plain, keys[0], keys[1]]);
    // A broker that sends retained events unasked reaches everybody.
    for key in keys {
        peer.unsubscribe(key);
        peer.expect_unsubscribed(key).unwrap();
    }
    peer.receive(r#"[36,100,1,{"retained":true}]"#);
    assert_eq!(peer.expect_published().key, plain);
}
