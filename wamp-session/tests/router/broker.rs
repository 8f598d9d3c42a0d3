//! Publish and subscribe.

use wamp_session::proto::Message;
use wamp_session::router::{Disclosure, RealmConfig, User};

use crate::world::{World, config};

/// The id that the broker gave a publication.
fn publication(published: &str) -> String {
    let id = published.strip_prefix("[17,").unwrap().split_once(',').unwrap().1;
    id.strip_suffix(']').unwrap().to_owned()
}

#[test]
fn rtr_03_events_reach_the_subscribers_of_their_topic() {
    let mut world = World::new(config());
    let (publisher, one, other) = (world.client(), world.client(), world.client());
    world.send(one, r#"[32,1,{},"com.example.a"]"#);
    world.send(other, r#"[32,1,{},"com.example.b"]"#);
    assert_eq!(world.take(one), ["[33,1,1]"]);
    assert_eq!(world.take(other), ["[33,1,2]"]);
    world.send(publisher, r#"[16,1,{"acknowledge":true},"com.example.a",["x",{"y":[null,-1,1.5]}],{"k":true}]"#);
    let publication = publication(&world.one(publisher));
    assert_eq!(world.one(one), format!(r#"[36,1,{publication},{{}},["x",{{"y":[null,-1,1.5]}}],{{"k":true}}]"#));
    assert_eq!(world.take(other), [""; 0]);
}

#[test]
fn rtr_03_the_same_topic_has_the_same_subscription() {
    let mut world = World::new(config());
    let (one, other) = (world.client(), world.client());
    world.send(one, r#"[32,1,{},"com.example.a"]"#);
    world.send(one, r#"[32,2,{},"com.example.a"]"#);
    world.send(other, r#"[32,1,{"match":"exact"},"com.example.a"]"#);
    assert_eq!(world.take(one), ["[33,1,1]", "[33,2,1]"]);
    assert_eq!(world.take(other), ["[33,1,1]"]);
    assert_eq!(
        world.router.subscriptions("realm1").map(|it| (it.topic.as_str(), it.subscribers.len())).collect::<Vec<_>>(),
        [("com.example.a", 2)]
    );
    world.send(other, r#"[16,2,{},"com.example.a"]"#);
    assert_eq!(world.take(one).len(), 1, "once for a subscription, however often it was asked for");
    world.send(one, "[34,3,1]");
    assert_eq!(world.take(one), ["[35,3]"]);
    world.send(other, r#"[16,3,{},"com.example.a"]"#);
    assert_eq!(world.take(one), [""; 0]);
    world.send(other, "[34,4,1]");
    assert_eq!(world.tables(), [2, 0, 0, 0]);
    world.send(one, r#"[32,4,{},"com.example.a"]"#);
    assert_eq!(world.take(one), ["[33,4,2]"], "the subscription has ended with its last subscriber");
}

#[test]
fn rtr_03_only_an_acknowledged_publish_is_answered() {
    let mut world = World::new(config());
    let peer = world.client();
    world.send(peer, r#"[16,1,{},"com.example.a"]"#);
    world.send(peer, r#"[16,2,{"acknowledge":false},"com.example.a"]"#);
    world.send(peer, r#"[16,3,{},"wamp.topic"]"#);
    world.send(peer, r#"[16,4,{"eligible":[]},"com.example.a"]"#);
    assert_eq!(world.take(peer), [""; 0]);
    world.send(peer, r#"[16,5,{"acknowledge":true},"com.example.a"]"#);
    assert!(world.one(peer).starts_with("[17,5,"));
    world.send(peer, r#"[16,6,{"acknowledge":true},"wamp.topic"]"#);
    assert_eq!(world.one(peer), r#"[8,16,6,{},"wamp.error.invalid_uri"]"#);
}

#[test]
fn pub_05_the_publisher_does_not_receive_its_event() {
    let mut world = World::new(config());
    let (publisher, other) = (world.client(), world.client());
    for peer in [publisher, other] {
        world.send(peer, r#"[32,1,{},"com.example.a"]"#);
        world.take(peer);
    }
    world.send(publisher, r#"[16,2,{},"com.example.a"]"#);
    world.send(publisher, r#"[16,3,{"exclude_me":true},"com.example.a"]"#);
    assert_eq!(world.take(publisher), [""; 0]);
    assert_eq!(world.take(other).len(), 2);
    world.send(publisher, r#"[16,4,{"exclude_me":false},"com.example.a"]"#);
    assert!(world.one(publisher).starts_with("[36,1,"));
    assert_eq!(world.take(other).len(), 1);
}

#[test]
fn id_14_a_publication_has_one_id_and_one_frame() {
    let mut world = World::new(config());
    let (publisher, one, other) = (world.client(), world.client(), world.client());
    for peer in [one, other] {
        world.send(peer, r#"[32,1,{},"com.example.a"]"#);
        world.take(peer);
    }
    world.send(publisher, r#"[16,1,{},"com.example.a",["a payload that need not be copied"]]"#);
    let (one, other) = (world.frames(one).remove(0), world.frames(other).remove(0));
    assert_eq!(one, other);
    assert_eq!(one.bytes().as_ptr(), other.bytes().as_ptr(), "the subscribers of one format share the bytes");
}

#[test]
fn an_unknown_subscription_cannot_be_ended() {
    let mut world = World::new(config());
    let (one, other) = (world.client(), world.client());
    world.send(one, r#"[32,1,{},"com.example.a"]"#);
    world.take(one);
    world.send(other, "[34,1,1]");
    world.send(other, "[34,2,9]");
    let error = |request| format!(r#"[8,34,{request},{{}},"wamp.error.no_such_subscription"]"#);
    assert_eq!(world.take(other), [error(1), error(2)]);
    assert_eq!(world.tables(), [2, 1, 0, 0]);
}

#[test]
fn the_subscriptions_of_a_session_end_with_it() {
    let mut world = World::new(config());
    let (publisher, subscriber) = (world.client(), world.client());
    world.send(subscriber, r#"[32,1,{},"com.example.a"]"#);
    world.send(subscriber, r#"[32,2,{},"com.example.b"]"#);
    world.drain();
    world.router.handle_closed(world.now, subscriber);
    assert_eq!(world.tables(), [1, 0, 0, 0]);
    world.send(publisher, r#"[16,1,{},"com.example.a"]"#);
    world.drain();
    assert_eq!(world.take(subscriber), ["[33,1,1]", "[33,2,2]"]);
}

#[test]
fn events_keep_their_order_across_topics() {
    let mut world = World::new(config());
    let (publisher, subscriber) = (world.client(), world.client());
    world.send(subscriber, r#"[32,1,{},"com.example.a"]"#);
    world.send(subscriber, r#"[32,2,{},"com.example.b"]"#);
    world.take(subscriber);
    for n in 1..=100 {
        let topic = if n % 3 == 0 { "a" } else { "b" };
        world.send(publisher, &format!(r#"[16,{n},{{}},"com.example.{topic}",[{n}]]"#));
    }
    let order: Vec<u64> = world
        .messages(subscriber)
        .into_iter()
        .map(|message| match message {
            Message::Event(event) => event.payload.arg(0).unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(order, (1..=100).collect::<Vec<_>>());
}

#[test]
fn a_null_payload_is_forwarded_as_none() {
    let mut world = World::new(config());
    let (publisher, subscriber) = (world.client(), world.client());
    world.send(subscriber, r#"[32,1,{},"com.example.a"]"#);
    world.take(subscriber);
    world.send(publisher, r#"[16,1,{},"com.example.a",null,{"a":1}]"#);
    let event = world.one(subscriber);
    assert!(event.ends_with(r#",{},[],{"a":1}]"#) || event.ends_with(r#",{},null,{"a":1}]"#), "{event}");
}

#[test]
fn pid_02_a_publisher_is_disclosed_if_it_asks() {
    let mut world = World::new(config());
    let (publisher, subscriber) = (world.client(), world.client());
    world.send(subscriber, r#"[32,1,{},"a.b"]"#);
    world.take(subscriber);
    world.send(publisher, r#"[16,1,{"disclose_me":true,"acknowledge":true},"a.b"]"#);
    world.send(publisher, r#"[16,2,{"disclose_me":false},"a.b"]"#);
    let id = publication(&world.one(publisher));
    let session = world.router.sessions("realm1").find(|(peer, _)| *peer == publisher).unwrap().1;
    let events = world.take(subscriber);
    let disclosed = format!(
        r#"[36,1,{id},{{"publisher":{session},"publisher_authid":"anonymous-{session}","publisher_authrole":"guest"}}]"#
    );
    assert_eq!(events[0], disclosed);
    assert!(events[1].ends_with(",{}]"), "{}", events[1]);
}

#[test]
fn pid_03_a_realm_may_deny_disclosure_or_disclose_always() {
    let realm = |disclosure| RealmConfig::new("realm1").unwrap().anonymous("guest").disclosure(disclosure);
    let mut world = World::new(config().realm(realm(Disclosure::Denied)));
    let (publisher, subscriber) = (world.client(), world.client());
    world.send(subscriber, r#"[32,1,{},"a.b"]"#);
    world.take(subscriber);
    world.send(publisher, r#"[16,1,{"disclose_me":true,"acknowledge":true},"a.b"]"#);
    world.send(publisher, r#"[16,2,{"disclose_me":true},"a.b"]"#);
    assert_eq!(world.take(publisher), [r#"[8,16,1,{},"wamp.error.option_disallowed.disclose_me"]"#]);
    assert_eq!(world.take(subscriber), [""; 0], "a publication that is refused reaches nobody");
    world.send(publisher, r#"[16,3,{},"a.b"]"#);
    assert!(world.one(subscriber).ends_with(",{}]"));

    let mut world = World::new(config().realm(realm(Disclosure::Always)));
    let (publisher, subscriber) = (world.client(), world.client());
    world.send(subscriber, r#"[32,1,{},"a.b"]"#);
    world.take(subscriber);
    world.send(publisher, r#"[16,1,{},"a.b"]"#);
    assert!(world.one(subscriber).contains(r#""publisher_authrole":"guest""#));
}

#[test]
fn ptl_01_events_carry_the_trust_level_of_their_publisher() {
    let realm = RealmConfig::new("realm1").unwrap().anonymous("guest").user(User::ticket("joe", "x").role("admin"));
    let mut world = World::new(config().realm(realm.trustlevel("admin", 3)));
    let (guest, subscriber) = (world.client(), world.client());
    let admin = world.greet(r#"[1,"realm1",{"authmethods":["ticket"],"authid":"joe","roles":{"publisher":{}}}]"#);
    world.send(admin, r#"[5,"x",{}]"#);
    world.send(subscriber, r#"[32,1,{},"a.b"]"#);
    world.take(subscriber);
    world.send(admin, r#"[16,1,{},"a.b"]"#);
    world.send(guest, r#"[16,1,{},"a.b"]"#);
    let events = world.take(subscriber);
    assert!(events[0].ends_with(r#",{"trustlevel":3}]"#), "{}", events[0]);
    assert!(events[1].ends_with(",{}]"), "{}", events[1]);
}
