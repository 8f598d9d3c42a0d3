//! Events that are kept for later subscribers.

use wamp_session::router::{PeerId, RealmConfig, RouterLimits, User};

use crate::world::{World, config};

/// The topics and first arguments of the retained events that a SUBSCRIBE brings, after its SUBSCRIBED.
fn retained(world: &mut World, peer: PeerId, subscribe: &str) -> Vec<String> {
    world.send(peer, subscribe);
    let mut received = world.take(peer);
    assert!(received.remove(0).starts_with("[33,"), "SUBSCRIBED comes first");
    for event in &received {
        assert!(event.contains(r#""retained":true"#), "{event}");
    }
    received
}

#[test]
fn ret_02_a_later_subscriber_gets_the_last_event_that_was_to_be_retained() {
    let mut world = World::new(config());
    let (publisher, early, late) = (world.client(), world.client(), world.client());
    world.send(early, r#"[32,1,{"get_retained":true},"a.b"]"#);
    assert_eq!(world.take(early), ["[33,1,1]"], "nothing is retained yet");
    world.send(publisher, r#"[16,1,{"retain":true},"a.b",["first"]]"#);
    world.send(publisher, r#"[16,2,{"retain":true,"acknowledge":true,"disclose_me":true},"a.b",["last"],{"k":1}]"#);
    world.send(publisher, r#"[16,3,{},"a.b",["not retained"]]"#);
    let events = world.take(early);
    assert_eq!(events.len(), 3);
    assert!(events.iter().all(|event| !event.contains("retained\":")), "a live event is not marked");

    let id = world.one(publisher).split(',').nth(2).unwrap().trim_end_matches(']').to_owned();
    let kept = retained(&mut world, late, r#"[32,1,{"get_retained":true},"a.b"]"#);
    assert!(kept[0].starts_with(&format!("[36,1,{id},{{")), "it keeps its id: {kept:?}");
    assert!(kept[0].contains(r#""publisher_authrole":"guest""#) && kept[0].ends_with(r#",["last"],{"k":1}]"#));
    assert_eq!(kept.len(), 1);
    // Who asks again gets it again, and who does not ask does not.
    assert_eq!(retained(&mut world, late, r#"[32,2,{"get_retained":true},"a.b"]"#).len(), 1);
    assert_eq!(retained(&mut world, late, r#"[32,3,{"get_retained":false},"a.b"]"#).len(), 0);
    assert_eq!(retained(&mut world, late, r#"[32,4,{},"a.b"]"#).len(), 0);
}

#[test]
fn ret_02_a_retained_event_outlives_its_publisher_and_its_subscribers() {
    let mut world = World::new(config());
    let (publisher, other) = (world.client(), world.client());
    world.send(publisher, r#"[16,1,{"retain":true},"a.b",["kept"]]"#);
    world.router.handle_closed(world.now, publisher);
    let kept = retained(&mut world, other, r#"[32,1,{"get_retained":true},"a.b"]"#);
    assert!(kept[0].ends_with(r#",["kept"]]"#), "{kept:?}");
}

#[test]
fn ret_01_what_a_history_remembers_is_not_retained() {
    let realm = RealmConfig::new("realm1").unwrap().anonymous("guest");
    let realm = realm.history("a.b", wamp_session::proto::MatchPolicy::Exact, 5).unwrap();
    let mut world = World::new(config().realm(realm));
    let (publisher, subscriber) = (world.client(), world.client());
    world.send(publisher, r#"[16,1,{"retain":true},"a.b",["retained"]]"#);
    world.send(publisher, r#"[16,2,{},"a.b",["remembered"]]"#);
    let kept = retained(&mut world, subscriber, r#"[32,1,{"get_retained":true},"a.b"]"#);
    assert!(kept.len() == 1 && kept[0].ends_with(r#",["retained"]]"#), "{kept:?}");
}

#[test]
fn ret_02_a_pattern_gets_the_retained_events_of_all_topics_that_match() {
    let mut world = World::new(config());
    let (publisher, subscriber) = (world.client(), world.client());
    for (n, topic) in (1..).zip(["a.b.x", "a.c.x", "a.b", "a.bc.x", "b.b.x", "a.b.x.y"]) {
        world.send(publisher, &format!(r#"[16,{n},{{"retain":true}},"{topic}",["{topic}"]]"#));
    }
    let subscribe = |request, policy: &str, topic: &str| {
        format!(r#"[32,{request},{{"get_retained":true,"match":"{policy}"}},"{topic}"]"#)
    };
    let topics = |events: Vec<String>| -> Vec<String> {
        events.iter().map(|event| event.rsplit('"').nth(1).unwrap().to_owned()).collect()
    };
    let prefix = retained(&mut world, subscriber, &subscribe(1, "prefix", "a.b"));
    assert!(prefix[0].contains(r#""topic":"a.b""#), "{prefix:?}");
    assert_eq!(topics(prefix), ["a.b", "a.b.x", "a.b.x.y", "a.bc.x"]);
    assert_eq!(
        topics(retained(&mut world, subscriber, &subscribe(2, "wildcard", "a..x"))),
        ["a.b.x", "a.bc.x", "a.c.x"]
    );
    assert_eq!(topics(retained(&mut world, subscriber, &subscribe(3, "wildcard", ".b."))), ["a.b.x", "b.b.x"]);
    assert_eq!(topics(retained(&mut world, subscriber, &subscribe(4, "exact", "a.b"))), ["a.b"]);
    assert_eq!(topics(retained(&mut world, subscriber, &subscribe(5, "prefix", ""))).len(), 6);
}

#[test]
fn ret_02_a_retained_event_keeps_its_audience() {
    let user = |name: &'static str| User::ticket(name, "x").role("staff");
    let realm = RealmConfig::new("realm1").unwrap().anonymous("guest").user(user("joe")).user(user("mary"));
    let mut world = World::new(config().realm(realm));
    let publisher = world.client();
    world.send(publisher, r#"[16,1,{"retain":true,"eligible_authid":["joe"]},"a.b"]"#);
    world.send(publisher, r#"[16,2,{"retain":true,"exclude_authrole":["staff"],"exclude_me":false},"a.c"]"#);
    let mut late = |name: &str| {
        let peer = world.greet(&format!(
            r#"[1,"realm1",{{"authmethods":["ticket"],"authid":"{name}","roles":{{"subscriber":{{}}}}}}]"#
        ));
        world.send(peer, r#"[5,"x",{}]"#);
        world.take(peer);
        retained(&mut world, peer, r#"[32,1,{"get_retained":true,"match":"prefix"},"a."]"#).len()
    };
    assert_eq!((late("joe"), late("mary")), (1, 0));
    // The publisher is excluded from the first, and has asked for the second.
    let own = retained(&mut world, publisher, r#"[32,3,{"get_retained":true,"match":"prefix"},"a."]"#);
    assert!(own.len() == 1 && own[0].contains(r#""topic":"a.c""#), "{own:?}");
}

#[test]
fn retained_events_are_limited_in_number() {
    let mut world = World::new(config().limits(RouterLimits::new().max_retained(2)));
    let (publisher, subscriber) = (world.client(), world.client());
    world.send(subscriber, r#"[32,1,{},"a.c"]"#);
    world.take(subscriber);
    for (n, topic) in (1..).zip(["a.a", "a.b", "a.c", "a.b"]) {
        world.send(publisher, &format!(r#"[16,{n},{{"retain":true,"acknowledge":true}},"{topic}",[{n}]]"#));
    }
    let answers = world.take(publisher);
    assert_eq!(answers[2], r#"[8,16,3,{},"wamp.error.unavailable"]"#);
    assert!([0, 1, 3].iter().all(|n: &usize| answers[*n].starts_with("[17,")), "{answers:?}");
    assert_eq!(world.take(subscriber), [""; 0], "what is refused reaches nobody");
    let kept = retained(&mut world, subscriber, r#"[32,2,{"get_retained":true,"match":"prefix"},"a."]"#);
    assert!(kept.len() == 2 && kept[1].ends_with(",[4]]"), "{kept:?}");
}

#[test]
fn retained_events_are_limited_in_bytes() {
    let mut world = World::new(config().limits(RouterLimits::new().max_retained_bytes(3_000)));
    let publisher = world.client();
    let mut publish = |n: u64, topic: &str, options: &str, bytes: usize| {
        let payload = "x".repeat(bytes);
        let options = format!(r#"{{"retain":true,"acknowledge":true{options}}}"#);
        world.send(publisher, &format!(r#"[16,{n},{options},"{topic}",["{payload}"]]"#));
        world.one(publisher).starts_with("[17,")
    };
    assert!(publish(1, "a.a", "", 1_000));
    assert!(!publish(2, "a.b", "", 2_000));
    assert!(publish(3, "a.a", "", 1_400), "it takes the place of the one before");
    assert!(!publish(4, "a.a", "", 3_000));
    for (n, list) in (5..).zip(["exclude", "eligible"]) {
        let list = format!(r#","{list}":[{}]"#, vec!["1"; 200].join(","));
        assert!(!publish(n, "a.b", &list, 1), "lists count");
    }
    assert!(publish(7, "a.b", "", 1));
}
