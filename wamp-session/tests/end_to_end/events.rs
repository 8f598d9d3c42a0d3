//! Publish and subscribe.

use wamp_session::proto::{Format, IntoPayload, MatchPolicy, Uri, UriRule, Value};
use wamp_session::{PublishOptions, PublishedEvent, SessionEvent, Status, SubscribeOptions, SubscriptionKey};

use crate::{World, payload, uri};

/// Subscribes, and waits for the answer.
fn subscribed(world: &mut World, client: usize, topic: Uri, options: SubscribeOptions) -> SubscriptionKey {
    let now = world.now;
    let subscription = world.session(client).subscribe(now, topic, options).unwrap();
    match world.event(client) {
        Some(SessionEvent::Subscribed { key, result: Ok(()) }) if key == subscription => key,
        event => panic!("{event:?}"),
    }
}

fn publish(world: &mut World, client: usize, topic: &str, options: PublishOptions) {
    let now = world.now;
    world.session(client).publish(now, uri(topic), payload(topic), options).unwrap();
}

/// The event that comes next, which is one of a topic.
fn published(world: &mut World, client: usize) -> PublishedEvent {
    match world.event(client) {
        Some(SessionEvent::Published(event)) => event,
        event => panic!("{event:?}"),
    }
}

#[test]
fn pbs_02_a_subscriber_to_a_pattern_learns_the_topic() {
    let mut world = World::new();
    let (publisher, subscriber) = (world.join(Format::Json), world.join(Format::MsgPack));
    let pattern = |text: &str, policy| Uri::checked(text, UriRule::Loose, policy).unwrap();
    let options = |policy| SubscribeOptions::new().match_policy(policy);
    let exact = subscribed(&mut world, subscriber, uri("com.a.x"), SubscribeOptions::new());
    let prefix = pattern("com.a", MatchPolicy::Prefix);
    let prefix = subscribed(&mut world, subscriber, prefix, options(MatchPolicy::Prefix));
    let wildcard = pattern("com..x", MatchPolicy::Wildcard);
    let wildcard = subscribed(&mut world, subscriber, wildcard, options(MatchPolicy::Wildcard));
    publish(&mut world, publisher, "com.a.x", PublishOptions::new());
    publish(&mut world, publisher, "com.b.x", PublishOptions::new());
    for (key, topic) in [(exact, "com.a.x"), (prefix, "com.a.x"), (wildcard, "com.a.x"), (wildcard, "com.b.x")] {
        let event = published(&mut world, subscriber);
        assert_eq!((event.key, event.topic.as_str()), (key, topic));
    }
    assert!(world.event(subscriber).is_none());
}

#[test]
fn pid_02_and_bwl_01_a_publisher_is_disclosed_to_those_whom_it_names() {
    let mut world = World::new();
    let [publisher, one, other] = [(); 3].map(|()| world.join(Format::Cbor));
    for client in [publisher, one, other] {
        subscribed(&mut world, client, uri("com.a"), SubscribeOptions::new());
    }
    let session = |world: &mut World, client| match world.session(client).status() {
        Status::Joined(joined) => joined.session,
        status => panic!("{status:?}"),
    };
    let (own, chosen) = (session(&mut world, publisher), session(&mut world, one));
    let options = PublishOptions::new().disclose_me().exclude_me(false).eligible([chosen, own]).exclude([own]);
    publish(&mut world, publisher, "com.a", options);
    let event = published(&mut world, one);
    assert_eq!(event.details.publisher, Some(own));
    assert_eq!(event.details.publisher_authrole.as_deref(), Some("guest"));
    assert!(world.event(other).is_none() && world.event(publisher).is_none());
    publish(&mut world, publisher, "com.a", PublishOptions::new().eligible_authrole([] as [&str; 0]));
    assert!(world.event(one).is_none(), "an empty list is nobody");
}

#[test]
fn ret_02_a_retained_event_comes_to_each_subscription_that_asks() {
    let mut world = World::new();
    let (publisher, subscriber) = (world.join(Format::Json), world.join(Format::MsgPack));
    let plain = subscribed(&mut world, subscriber, uri("com.a"), SubscribeOptions::new());
    publish(&mut world, publisher, "com.a", PublishOptions::new().retain());
    let live = published(&mut world, subscriber);
    assert_eq!((live.key, live.details.retained), (plain, None));
    for _ in 0..2 {
        let asks = subscribed(&mut world, subscriber, uri("com.a"), SubscribeOptions::new().get_retained());
        let event = published(&mut world, subscriber);
        assert_eq!((event.key, event.details.retained), (asks, Some(true)));
        assert_eq!(event.publication, live.publication);
        assert!(world.event(subscriber).is_none());
    }
}

#[test]
fn need_17_whatever_comes_and_goes_each_subscription_gets_each_event_once() {
    for seed in 1..=200_u64 {
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut draw = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let mut world = World::new();
        let (publisher, subscriber) = (world.join(Format::Json), world.join(Format::Json));
        let now = world.now;
        let mut live: Vec<SubscriptionKey> = Vec::new();
        for _ in 0..60 {
            match draw(5) {
                0 | 1 => {
                    let options = match draw(3) {
                        0 => SubscribeOptions::new(),
                        1 => SubscribeOptions::new().option("_own", true).unwrap(),
                        _ => SubscribeOptions::new().match_policy(MatchPolicy::Prefix),
                    };
                    live.push(world.session(subscriber).subscribe(now, uri("com.a"), options).unwrap());
                }
                2 | 3 if !live.is_empty() => {
                    let index = usize::try_from(draw(live.len() as u64)).unwrap();
                    let key = live.swap_remove(index);
                    world.session(subscriber).unsubscribe(now, key).unwrap();
                }
                // What is under way arrives, or stays so for another while.
                _ => world.run(),
            }
        }
        while let Some(event) = world.event(subscriber) {
            assert!(!matches!(event, SessionEvent::Subscribed { result: Err(_), .. }), "seed {seed}");
        }
        publish(&mut world, publisher, "com.a", PublishOptions::new());
        let mut got = Vec::new();
        while let Some(event) = world.event(subscriber) {
            let SessionEvent::Published(event) = event else { panic!("seed {seed}: {event:?}") };
            got.push(event.key);
        }
        got.sort();
        live.sort();
        assert_eq!(got, live, "seed {seed}");
        for key in live {
            world.session(subscriber).unsubscribe(now, key).unwrap();
        }
        world.run();
        assert_eq!(world.router.subscriptions("realm1").count(), 0, "seed {seed}");
    }
}

#[test]
fn srv_02_a_subscriber_learns_that_its_subscription_is_revoked_and_why() {
    let mut world = World::new();
    let subscriber = world.join(Format::Cbor);
    let key = subscribed(&mut world, subscriber, uri("com.a"), SubscribeOptions::new());
    let id = world.router.subscriptions("realm1").next().unwrap().id;
    let now = world.now;
    assert!(world.router.revoke_subscription(now, "realm1", id, Some("no longer authorized")));
    match world.event(subscriber) {
        Some(SessionEvent::SubscriptionRevoked { key: revoked, reason }) => {
            assert_eq!((revoked, reason.as_deref()), (key, Some("no longer authorized")));
        }
        event => panic!("{event:?}"),
    }
    assert!(world.session(subscriber).unsubscribe(now, key).is_err());
    subscribed(&mut world, subscriber, uri("com.a"), SubscribeOptions::new());
}

#[test]
fn need_11_bytes_and_text_stay_what_they_are_between_clients_of_every_format() {
    let bytes = |bytes: &'static [u8]| Value::Bytes(bytes.into());
    let nested = Value::List(vec![bytes(b"text"), Value::from("text"), Value::List(vec![bytes(b"\0")])]);
    let sent = [bytes(&[0, 255, 10]), bytes(b""), Value::from(""), Value::from("AP8K"), bytes(b"AP8K"), nested];
    for of_publisher in Format::ALL {
        for of_subscriber in Format::ALL {
            let mut world = World::new();
            let (publisher, subscriber) = (world.join(*of_publisher), world.join(*of_subscriber));
            subscribed(&mut world, subscriber, uri("com.example.t"), SubscribeOptions::new());
            let payload = wamp_session::proto::Args(&sent).into_payload(*of_publisher).unwrap();
            let now = world.now;
            world.session(publisher).publish(now, uri("com.example.t"), payload, PublishOptions::new()).unwrap();
            let event = published(&mut world, subscriber);
            assert_eq!(event.payload.args::<Vec<Value>>().unwrap(), sent, "{of_publisher} to {of_subscriber}");
        }
    }
}

#[test]
fn ssu_01_nodes_share_the_events_that_have_a_key() {
    let mut world = World::new();
    let [publisher, one, other] = [(); 3].map(|()| world.join(Format::Json));
    for (client, node) in [(one, "EU-1"), (other, "EU-2")] {
        subscribed(&mut world, client, uri("com.a"), SubscribeOptions::new().nkey(node));
    }
    let mut shares = [0, 0];
    for key in 0..20 {
        let options = || PublishOptions::new().rkey(format!("sn{key}"));
        for _ in 0..2 {
            publish(&mut world, publisher, "com.a", options());
        }
        let got = [one, other].map(|client| std::iter::from_fn(|| world.event(client)).count());
        assert!(matches!(got, [2, 0] | [0, 2]), "{got:?}");
        shares = [shares[0] + got[0], shares[1] + got[1]];
    }
    assert!(shares.iter().all(|share| *share > 0), "{shares:?}");
}
