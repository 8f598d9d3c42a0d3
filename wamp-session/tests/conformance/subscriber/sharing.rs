//! Handles that share a subscription of the router, and those that give it up while others want it.

use core::time::Duration;

use wamp_session::{RequestError, SubscribeOptions, SubscriptionKey, TransportErrorKind};

use crate::support::{Peer, WELCOME, config, uri};

fn subscribe_with(peer: &mut Peer, topic: &str, option: &str) -> SubscriptionKey {
    let options = SubscribeOptions::new().option(option, true).unwrap();
    peer.session.subscribe(peer.now, uri(topic), options).unwrap()
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
fn sub_08_an_unsubscribe_does_not_wait_for_an_answer_that_never_comes() {
    // Whether who asked waits until the end, or gives up before.
    for gives_up in [false, true] {
        let mut peer = Peer::joined();
        let plain = peer.subscribed("com.example.topic", 100);
        let marked = subscribe_with(&mut peer, "com.example.topic", "_marked");
        peer.sent();
        peer.unsubscribe(plain);
        peer.expect_unsubscribed(plain).unwrap();
        if gives_up {
            peer.unsubscribe(marked);
            peer.expect_unsubscribed(marked).unwrap();
        }
        peer.wait(Duration::from_millis(9_999));
        peer.expect_silence();
        peer.wait(Duration::from_millis(1));
        if !gives_up {
            assert!(matches!(peer.expect_subscribed(marked), Err(RequestError::Timeout { .. })));
        }
        peer.expect_sent("[34,3,100]");
        peer.receive("[35,3]");
        assert_eq!(peer.session.poll_timeout(), None);
        // The answer comes after all, and is undone.
        peer.receive("[33,2,101]");
        peer.expect_sent("[34,4,101]");
        peer.receive("[35,4]");
        peer.expect_usable();
    }
}

#[test]
fn sub_08_a_subscription_that_is_given_up_leaves_no_deadline() {
    type End = fn(&mut Peer);
    let answered: End = |peer| peer.receive("[33,1,100]");
    let refused: End = |peer| peer.receive(r#"[8,32,1,{},"wamp.error.not_authorized"]"#);
    let lost: End = |peer| peer.end_transport(TransportErrorKind::Eof);
    let again: End = |peer| {
        let key = peer.subscribe("com.example.topic");
        peer.receive("[33,1,100]");
        peer.expect_subscribed(key).unwrap();
    };
    for end in [answered, refused, lost, again] {
        let mut peer = Peer::joined();
        let given_up = peer.subscribe("com.example.topic");
        peer.unsubscribe(given_up);
        peer.expect_unsubscribed(given_up).unwrap();
        end(&mut peer);
        assert_eq!(peer.session.poll_timeout(), None);
    }
}
