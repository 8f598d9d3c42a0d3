//! Retained events.

use wamp_session::SubscribeOptions;

use crate::messages::text;
use crate::support::{Peer, config, uri};

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
        let key = peer.subscribed_with(uri("a.b"), retained.clone(), 100);
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
