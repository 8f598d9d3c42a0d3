//! Checklist section 12.6: patterns of topics.

use wamp_session::proto::{MatchPolicy, Uri, UriRule};
use wamp_session::{CommandError, SubscribeOptions};

use crate::messages::text;
use crate::support::{Peer, config};

fn pattern(text: &str, policy: MatchPolicy) -> Uri {
    Uri::checked(text, UriRule::Loose, policy).unwrap()
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
    let prefix = peer.subscribed_with(pattern("com.myapp", MatchPolicy::Prefix), options, 100);
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
    let keys =
        [(MatchPolicy::Exact, 100), (MatchPolicy::Prefix, 101), (MatchPolicy::Wildcard, 102)].map(|(policy, id)| {
            peer.subscribed_with(pattern("a.b", policy), SubscribeOptions::new().match_policy(policy), id)
        });
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
