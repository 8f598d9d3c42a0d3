//! Subscriptions: found and told of.

use core::time::Duration;

use wamp_session::proto::Value;

use super::{call, events, join, subscribe};
use crate::world::{World, config};

#[test]
fn rtr_10_met_07_subscriptions_are_found_and_described() {
    let mut world = World::new(config());
    world.advance(Duration::from_secs(2));
    let ((one, one_id), (other, other_id)) = (join(&mut world, None), join(&mut world, None));
    let exact = subscribe(&mut world, one, 1, "com.example.tick");
    world.send(other, r#"[32,1,{},"com.example.tick"]"#);
    world.send(other, r#"[32,2,{"match":"prefix"},"com.example."]"#);
    world.send(other, r#"[32,3,{"match":"wildcard"},"com..tick"]"#);
    world.take(other);
    let (prefix, wildcard) = (exact + 1, exact + 2);

    let lists = format!(r#"[{{"exact":[{exact}],"prefix":[{prefix}],"wildcard":[{wildcard}]}}]"#);
    assert_eq!(call(&mut world, one, 2, r#""wamp.subscription.list""#), lists);
    for (request, (lookup, found)) in [
        (r#""com.example.tick""#, exact),
        (r#""com.example.tick",{"match":"exact"}"#, exact),
        (r#""com.example.",{"match":"prefix"}"#, prefix),
        (r#""com..tick",{"match":"wildcard"}"#, wildcard),
    ]
    .iter()
    .enumerate()
    {
        let lookup = format!(r#""wamp.subscription.lookup",[{lookup}]"#);
        assert_eq!(call(&mut world, one, 3 + request as u64, &lookup), format!("[{found}]"), "{lookup}");
    }
    let matching = |world: &mut World, request, topic| {
        call(world, one, request, &format!(r#""wamp.subscription.match",["{topic}"]"#))
    };
    assert_eq!(matching(&mut world, 7, "com.example.tick"), format!("[[{exact},{prefix},{wildcard}]]"));
    assert_eq!(matching(&mut world, 8, "com.example.tock"), format!("[[{prefix}]]"));
    assert_eq!(matching(&mut world, 9, "org.example.tick"), "[null]");
    let miss = r#""wamp.subscription.lookup",["com.example.tick",{"match":"prefix"}]"#;
    assert_eq!(call(&mut world, one, 10, miss), "[null]");

    let get = format!(r#""wamp.subscription.get",[{prefix}]"#);
    let details =
        format!(r#"[{{"created":"2014-06-22T16:36:27.448Z","id":{prefix},"match":"prefix","uri":"com.example."}}]"#);
    assert_eq!(call(&mut world, one, 11, &get), details);
    let list = format!(r#""wamp.subscription.list_subscribers",[{exact}]"#);
    assert_eq!(call(&mut world, one, 12, &list), format!("[[{one_id},{other_id}]]"));
    let count = format!(r#""wamp.subscription.count_subscribers",[{exact}]"#);
    assert_eq!(call(&mut world, one, 13, &count), "[2]");
    for (request, procedure) in ["get", "list_subscribers", "count_subscribers"].iter().enumerate() {
        for (n, id) in [0, 999].iter().enumerate() {
            let call_it = format!(r#""wamp.subscription.{procedure}",[{id}]"#);
            let request = 14 + 2 * request as u64 + n as u64;
            assert_eq!(call(&mut world, one, request, &call_it), r#""wamp.error.no_such_subscription""#);
        }
    }
    assert_eq!(call(&mut world, one, 20, r#""wamp.subscription.match",["a..b"]"#), r#""wamp.error.invalid_uri""#);
    assert_eq!(call(&mut world, one, 21, r#""wamp.subscription.lookup",["a",5]"#), r#""wamp.error.invalid_argument""#);
}

#[test]
fn rtr_10_met_07_subscriptions_that_come_and_go_are_told_in_order() {
    let mut world = World::new(config());
    let (watcher, _) = join(&mut world, None);
    let topics = ["on_create", "on_subscribe", "on_unsubscribe", "on_delete"];
    let mut request = 0;
    let [created, added, removed, deleted] = topics.map(|topic| {
        request += 1;
        subscribe(&mut world, watcher, request, &format!("wamp.subscription.{topic}"))
    });
    assert_eq!(world.take(watcher), [""; 0], "the API does not tell of its own topics");

    let ((one, one_id), (other, other_id)) = (join(&mut world, None), join(&mut world, None));
    let id = subscribe(&mut world, one, 1, "com.example.tick");
    let told = events(&mut world, watcher);
    assert_eq!(told.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [created, added]);
    assert_eq!(told[0].1[0], one_id.into());
    let details = told[0].1[1].as_dict().unwrap();
    assert_eq!(details.get("id"), Some(&id.into()));
    assert_eq!(details.get("uri"), Some(&"com.example.tick".into()));
    assert_eq!(details.get("match"), Some(&"exact".into()));
    assert_eq!(details.get("created"), Some(&"2014-06-22T16:36:25.448Z".into()));
    assert_eq!(told[1].1, [one_id, id].map(Value::from));

    subscribe(&mut world, other, 1, "com.example.tick");
    world.send(other, r#"[32,2,{},"com.example.tick"]"#);
    assert_eq!(events(&mut world, watcher), [(added, [other_id, id].map(Value::from).to_vec())], "added once");
    world.send(one, &format!("[34,2,{id}]"));
    assert_eq!(events(&mut world, watcher), [(removed, [one_id, id].map(Value::from).to_vec())]);
    world.router.handle_closed(world.now, other);
    let last = [other_id, id].map(Value::from).to_vec();
    assert_eq!(events(&mut world, watcher), [(removed, last.clone()), (deleted, last)]);
}

#[test]
fn met_07_what_the_router_ends_is_told_as_well() {
    let mut world = World::new(config());
    let (watcher, _) = join(&mut world, None);
    let removed = subscribe(&mut world, watcher, 1, "wamp.subscription.on_unsubscribe");
    let deleted = subscribe(&mut world, watcher, 2, "wamp.subscription.on_delete");
    let ((one, one_id), (other, other_id)) = (join(&mut world, None), join(&mut world, None));
    subscribe(&mut world, one, 1, "com.example.tick");
    let id = subscribe(&mut world, other, 1, "com.example.tick");
    let subscription = wamp_session::proto::SubscriptionId::new(id).unwrap();
    let pair = |session: u64| [session, id].map(Value::from).to_vec();
    assert!(world.router.revoke_subscription_of(world.now, one, subscription, None));
    assert_eq!(events(&mut world, watcher), [(removed, pair(one_id))]);
    assert!(world.router.revoke_subscription(world.now, "realm1", subscription, None));
    assert_eq!(events(&mut world, watcher), [(removed, pair(other_id)), (deleted, pair(other_id))]);
}
