//! Loowy's methods of subscribers and publishers.

use std::sync::{Arc, Mutex};

use wamp_session::client::{Event, SubscriptionEnd, SubscriptionGuard};
use wamp_session::proto::{Args, ArgsKwargs, Dict, Kwargs, MatchPolicy, SessionId};
use wamp_session::{PublishOptions, SubscribeOptions};

use super::{assert_is_that_error, config, error_to, joined, subscribe};

#[test]
fn methods_subscribe_and_unsubscribe() {
    let (mut world, client) = joined(config());
    for (policy, options) in [
        (MatchPolicy::Exact, "{}"),
        (MatchPolicy::Prefix, r#"{"match":"prefix"}"#),
        (MatchPolicy::Wildcard, r#"{"match":"wildcard"}"#),
    ] {
        let mut with = SubscribeOptions::new();
        if policy != MatchPolicy::Exact {
            with = with.match_policy(policy);
        }
        let mut subscribe = client.subscribe_with("com.example.t", with);
        assert!(world.poll(&mut subscribe).is_pending());
        let request: serde_json::Value = serde_json::from_str(&world.received()).unwrap();
        assert_eq!(request[2].to_string(), options);
        let id = request[1].as_u64().unwrap();
        world.send(&format!("[33,{id},{}]", id + 70));
        let mut subscription = world.finish(subscribe).expect("onSuccess");
        world.send(&format!(r#"[36,{},1,{{"topic":"com.example.t"}},["a"],{{"k":1}}]"#, id + 70));
        let event = world.finish(subscription.next()).expect("onEvent");
        assert_eq!(event.args::<(String,)>().unwrap(), ("a".to_owned(),));
        assert_eq!(event.kwargs::<Dict>().unwrap(), Dict::from_iter([("k", 1)]));
        let mut unsubscribe = subscription.unsubscribe();
        assert!(world.poll(&mut unsubscribe).is_pending());
        let sent: serde_json::Value = serde_json::from_str(&world.received()).unwrap();
        assert_eq!(sent[2].as_u64(), Some(id + 70));
        world.send(&format!("[35,{}]", sent[1]));
        world.finish(unsubscribe).expect("onSuccess");
    }
}

#[test]
fn methods_subscribe_and_unsubscribe_on_error() {
    let (mut world, client) = joined(config());
    let mut refused = client.subscribe("com.example.t");
    assert!(world.poll(&mut refused).is_pending());
    world.received();
    world.send(&error_to(32, 1));
    assert_is_that_error(world.finish(refused));

    let subscription = subscribe(&mut world, &client, Some(2));
    let mut unsubscribe = subscription.unsubscribe();
    assert!(world.poll(&mut unsubscribe).is_pending());
    world.expect("[34,3,71]");
    world.send(&error_to(34, 3));
    assert_is_that_error(world.finish(unsubscribe));
}

/// What a handler was called with.
type Heard = Arc<Mutex<Vec<String>>>;

#[test]
fn method_subscribe_with_an_event_callback() {
    let (mut world, client) = joined(config());
    let heard = Heard::default();
    let listener = Arc::clone(&heard);
    let mut subscribe = client.subscribe_fn("com.example.t", move |event: Event| {
        listener.lock().unwrap().push(event.arg(0).unwrap());
        async { Ok(()) }
    });
    assert!(world.poll(&mut subscribe).is_pending());
    world.expect(r#"[32,1,{},"com.example.t"]"#);
    world.send("[33,1,71]");
    let guard: SubscriptionGuard = world.finish(subscribe).expect("onSuccess");
    world.send_all([r#"[36,71,1,{},["a"]]"#, r#"[36,71,2,{},["b"]]"#]);
    assert_eq!(*heard.lock().unwrap(), ["a", "b"]);
    let mut unsubscribe = guard.unsubscribe();
    assert!(world.poll(&mut unsubscribe).is_pending());
    world.expect("[34,2,71]");
    world.send_all([r#"[36,71,3,{},["c"]]"#, "[35,2]"]);
    world.finish(unsubscribe).unwrap();
    assert_eq!(*heard.lock().unwrap(), ["a", "b"]);
}

#[test]
fn method_unsubscribe_of_one_handler_leaves_the_others() {
    let (mut world, client) = joined(config());
    // The broker is asked once; each handler gets each event.
    let mut first = subscribe(&mut world, &client, Some(1));
    let mut second = subscribe(&mut world, &client, None);
    let third = subscribe(&mut world, &client, None);
    world.send(r#"[36,71,1,{},["a"]]"#);
    assert_eq!(world.finish(first.next()).unwrap().arg::<String>(0).unwrap(), "a");
    assert_eq!(world.finish(second.next()).unwrap().arg::<String>(0).unwrap(), "a");

    // One goes by its method, one by its drop; the broker need not know.
    world.finish(first.unsubscribe()).expect("onSuccess");
    drop(third);
    world.expect_nothing();
    world.send(r#"[36,71,2,{},["b"]]"#);
    assert_eq!(world.finish(second.next()).unwrap().arg::<String>(0).unwrap(), "b");

    // With the last one the subscription ends.
    let mut last = second.unsubscribe();
    assert!(world.poll(&mut last).is_pending());
    world.expect("[34,2,71]");
    world.send("[35,2]");
    world.finish(last).expect("onSuccess");
    world.expect_nothing();
}

#[test]
fn method_unsubscribe_of_all_handlers() {
    let (mut world, client) = joined(config());
    let mut first = subscribe(&mut world, &client, Some(1));
    let mut second = subscribe(&mut world, &client, None);
    let mut all = client.unsubscribe_all("com.example.t");
    assert!(world.poll(&mut all).is_pending());
    world.expect("[34,2,71]");
    // What comes after it is not for them.
    world.send_all([r#"[36,71,9,{},["late"]]"#, "[35,2]"]);
    world.finish(all).expect("onSuccess");
    for subscription in [&mut first, &mut second] {
        assert!(world.finish(subscription.next()).is_none());
        assert!(matches!(subscription.end(), Some(SubscriptionEnd::Unsubscribed)));
    }
    drop((first, second));
    world.expect_nothing();

    // Where there is none, there is nothing to do.
    world.finish(client.unsubscribe_all("com.example.t")).unwrap();
    world.expect_nothing();
}

#[test]
fn method_unsubscribe_of_all_handlers_on_error() {
    let (mut world, client) = joined(config());
    let subscription = subscribe(&mut world, &client, Some(1));
    let mut all = client.unsubscribe_all("com.example.t");
    assert!(world.poll(&mut all).is_pending());
    world.expect("[34,2,71]");
    world.send(&error_to(34, 2));
    assert_is_that_error(world.finish(all));
    drop(subscription);
    world.expect_nothing();
}

#[test]
fn method_publish_takes_a_value_a_list_a_dictionary_or_both() {
    let (mut world, client) = joined(config());
    let dict = || Dict::from_iter([("k", 1)]);
    world.finish(client.publish("a.b", "value")).unwrap();
    world.expect(r#"[16,1,{},"a.b",["value"]]"#);
    world.finish(client.publish("a.b", Args(vec![1, 2]))).unwrap();
    world.expect(r#"[16,2,{},"a.b",[1,2]]"#);
    world.finish(client.publish("a.b", Kwargs(dict()))).unwrap();
    world.expect(r#"[16,3,{},"a.b",[],{"k":1}]"#);
    world.finish(client.publish("a.b", ArgsKwargs((1, 2), dict()))).unwrap();
    world.expect(r#"[16,4,{},"a.b",[1,2],{"k":1}]"#);
    world.finish(client.publish("a.b", ())).unwrap();
    world.expect(r#"[16,5,{},"a.b"]"#);
    // A list that is one value.
    world.finish(client.publish("a.b", vec![1, 2])).unwrap();
    world.expect(r#"[16,6,{},"a.b",[[1,2]]]"#);
}

#[test]
fn method_publish_with_callbacks_is_acknowledged() {
    let (mut world, client) = joined(config());
    let mut publish = client.publish_acked("a.b", 1);
    assert!(world.poll(&mut publish).is_pending());
    world.expect(r#"[16,1,{"acknowledge":true},"a.b",[1]]"#);
    world.send("[17,1,99]");
    assert_eq!(world.finish(publish).expect("onSuccess").get(), 99);

    let mut publish = client.publish_acked("a.b", 1);
    assert!(world.poll(&mut publish).is_pending());
    world.received();
    world.send(&error_to(16, 2));
    assert_is_that_error(world.finish(publish));
}

#[test]
fn method_publish_with_its_options() {
    let (mut world, client) = joined(config());
    let session = SessionId::new(5).unwrap();
    let options = PublishOptions::new()
        .exclude_me(false)
        .disclose_me()
        .exclude([session])
        .exclude_authid(["a"])
        .exclude_authrole(["b"])
        .eligible([session])
        .eligible_authid(["c"])
        .eligible_authrole(["d"]);
    world.finish(client.publish_with("a.b", (), options)).unwrap();
    world.expect(concat!(
        r#"[16,1,{"exclude_me":false,"disclose_me":true,"exclude":[5],"exclude_authid":["a"],"#,
        r#""exclude_authrole":["b"],"eligible":[5],"eligible_authid":["c"],"eligible_authrole":["d"]},"a.b"]"#
    ));
}

#[test]
fn option_exclude_me_is_left_to_the_broker_unless_it_is_given() {
    let (mut world, client) = joined(config());
    world.finish(client.publish_with("a.b", (), PublishOptions::new())).unwrap();
    world.expect(r#"[16,1,{},"a.b"]"#);
    for (request, exclude_me) in [(2, true), (3, false)] {
        world.finish(client.publish_with("a.b", (), PublishOptions::new().exclude_me(exclude_me))).unwrap();
        world.expect(&format!(r#"[16,{request},{{"exclude_me":{exclude_me}}},"a.b"]"#));
    }
}
