//! Subscriptions to patterns.

use wamp_session::proto::{Format, MatchPolicy};

use crate::world::{World, config};

#[test]
fn rtr_03_a_subscription_is_one_for_its_topic_and_policy() {
    let mut world = World::new(config());
    let (one, other) = (world.client(), world.client());
    for (request, policy) in (1..).zip(["exact", "prefix", "wildcard", "prefix"]) {
        world.send(one, &format!(r#"[32,{request},{{"match":"{policy}"}},"a.b"]"#));
    }
    world.send(other, r#"[32,1,{"match":"wildcard"},"a.b"]"#);
    assert_eq!(world.take(one), ["[33,1,1]", "[33,2,2]", "[33,3,3]", "[33,4,2]"]);
    assert_eq!(world.take(other), ["[33,1,3]"]);
    let all: Vec<_> = world.router.subscriptions("realm1").collect();
    assert_eq!(
        all.iter().map(|it| it.match_policy).collect::<Vec<_>>(),
        [MatchPolicy::Exact, MatchPolicy::Prefix, MatchPolicy::Wildcard]
    );
    assert_eq!(all.iter().map(|it| it.subscribers.len()).collect::<Vec<_>>(), [1, 1, 2]);
}

#[test]
fn pbs_03_events_reach_the_patterns_that_match_their_topic() {
    let mut world = World::new(config());
    let (publisher, subscriber) = (world.client(), world.client());
    for (request, policy, topic) in [
        (1, "exact", "com.myapp.topic"),
        (2, "prefix", "com.myapp.topic.emergency"),
        (3, "wildcard", "com.myapp..userevent"),
        (4, "prefix", "com."),
        (5, "prefix", ""),
        (6, "wildcard", "..."),
    ] {
        world.send(subscriber, &format!(r#"[32,{request},{{"match":"{policy}"}},"{topic}"]"#));
    }
    world.take(subscriber);
    for (n, (topic, subscriptions)) in (1..).zip([
        ("com.myapp.topic.emergency-low", &[5, 4, 2, 6][..]),
        ("com.myapp.topic.emergency.category.severe", &[5, 4, 2]),
        ("com.myapp.topic", &[1, 5, 4]),
        ("com.myapp.x.userevent", &[5, 4, 6, 3]),
        ("com.myapp.x.y.userevent", &[5, 4]),
        ("org.x", &[5]),
        ("comma", &[5]),
    ]) {
        world.send(publisher, &format!(r#"[16,{n},{{}},"{topic}",[{n}]]"#));
        let events = world.take(subscriber);
        let mut ids: Vec<u64> = events
            .iter()
            .map(|event| serde_json::from_str::<serde_json::Value>(event).unwrap()[1].as_u64().unwrap())
            .collect();
        let mut expected = subscriptions.to_vec();
        ids.sort_unstable();
        expected.sort_unstable();
        assert_eq!(ids, expected, "{topic}");
    }
}

#[test]
fn pbs_02_only_subscribers_of_patterns_are_told_the_topic() {
    let mut world = World::new(config());
    let (publisher, subscriber) = (world.client(), world.client());
    world.send(subscriber, r#"[32,1,{"match":"prefix"},"a"]"#);
    world.send(subscriber, r#"[32,2,{},"a.b"]"#);
    world.take(subscriber);
    world.send(publisher, r#"[16,1,{},"a.b"]"#);
    let events = world.take(subscriber);
    assert!(events[0].starts_with("[36,2,") && events[0].ends_with(",{}]"), "{events:?}");
    assert!(events[1].starts_with("[36,1,") && events[1].ends_with(r#",{"topic":"a.b"}]"#), "{events:?}");
    let id = |event: &str| event.split(',').nth(2).unwrap().to_owned();
    assert_eq!(id(&events[0]), id(&events[1]), "one publication, one id");
}

#[test]
fn a_pattern_that_ends_receives_nothing_more() {
    let mut world = World::new(config());
    let (publisher, subscriber) = (world.client(), world.client());
    for (request, policy, topic) in [(1, "prefix", "a"), (2, "wildcard", "a."), (3, "prefix", "a.")] {
        world.send(subscriber, &format!(r#"[32,{request},{{"match":"{policy}"}},"{topic}"]"#));
    }
    world.send(subscriber, "[34,4,1]");
    world.send(subscriber, "[34,5,2]");
    world.take(subscriber);
    world.send(publisher, r#"[16,1,{},"a.b"]"#);
    assert!(world.one(subscriber).starts_with("[36,3,"));
    world.router.handle_closed(world.now, subscriber);
    assert_eq!(world.tables(), [1, 0, 0, 0]);
}

#[test]
fn a_pattern_is_checked_by_its_policy() {
    let mut world = World::new(config());
    let peer = world.client();
    world.send(peer, r#"[32,1,{},"a..b"]"#);
    world.send(peer, r#"[32,2,{"match":"prefix"},"a..b"]"#);
    world.send(peer, r#"[32,3,{"match":"wildcard"},"a..b"]"#);
    let error = |request| format!(r#"[8,32,{request},{{}},"wamp.error.invalid_uri"]"#);
    assert_eq!(world.take(peer), [error(1), error(2), "[33,3,1]".to_owned()]);
    world.send(peer, r#"[32,4,{"match":"regex"},"a.b"]"#);
    world.assert_violation(peer);
}

#[test]
fn a_payload_is_transcoded_once_for_all_subscriptions_of_a_format() {
    let mut world = World::new(config());
    let (publisher, subscriber) = (world.client(), world.join(Format::MsgPack));
    world.send(subscriber, r#"[32,1,{"match":"prefix"},"a"]"#);
    world.send(subscriber, r#"[32,2,{},"a.b"]"#);
    world.take(subscriber);
    world.send(publisher, r#"[16,1,{},"a.b",["\u0000AP8K"],{"k":1.5}]"#);
    let events = world.take(subscriber);
    assert!(events.iter().all(|event| event.ends_with(r#",["\u0000AP8K"],{"k":1.5}]"#)), "{events:?}");
    assert_eq!(events.len(), 2);
}
