//! Subscriptions: streams in order, bounded, and unsubscribed when dropped.

use bytes::Bytes;
use wamp_session::client::{Overflow, Queue, Subscription, SubscriptionEnd};
use wamp_session::proto::{MatchPolicy, PayloadCheck, PayloadError};
use wamp_session::{
    CloseCause, CommandError, Config, Frame, ProtocolViolation, RequestError, SubscribeOptions, TransportErrorKind,
};

use crate::driver::subscribe;
use crate::world::World;

fn subscribed_with(queue: Queue) -> (World, wamp_session::client::Client, Subscription) {
    let (mut world, client) = World::joined();
    let mut subscribe = client.subscribe_with("com.example.topic", SubscribeOptions::new().queue(queue));
    assert!(world.poll(&mut subscribe).is_pending());
    world.received();
    world.send("[33,1,77]");
    let subscription = world.finish(subscribe).unwrap();
    (world, client, subscription)
}

fn send_numbers(world: &mut World, numbers: impl IntoIterator<Item = u64>) {
    let frames: Vec<String> = numbers.into_iter().map(|n| format!("[36,77,{},{{}},[{n}]]", n + 1)).collect();
    world.send_all(frames.iter().map(String::as_str));
}

#[test]
fn ord_02_an_event_right_behind_subscribed_is_delivered() {
    let (mut world, client) = World::joined();
    let mut subscribe = client.subscribe("com.example.topic");
    assert!(world.poll(&mut subscribe).is_pending());
    world.send_all(["[33,1,77]", "[36,77,5,{},[1]]"]);
    let mut subscription = world.finish(subscribe).unwrap();
    assert_eq!(world.finish(subscription.next()).unwrap().arg::<u8>(0).unwrap(), 1);
}

#[test]
fn ord_01_events_come_in_order() {
    let (mut world, _client, mut subscription) = subscribed_with(Queue::new());
    send_numbers(&mut world, 0..1_000);
    for n in 0..1_000 {
        let event = world.finish(subscription.next()).unwrap();
        assert_eq!((event.arg::<u64>(0).unwrap(), event.publication().get(), event.missed()), (n, n + 1, 0));
        assert_eq!(event.topic(), &"com.example.topic");
    }
}

#[test]
fn dropping_a_subscription_unsubscribes() {
    let (mut world, client) = World::joined();
    let subscription = subscribe(&mut world, &client, 1, 77);
    drop(subscription);
    world.expect("[34,2,77]");
    world.send("[36,77,5,{}]");
    world.send("[35,2]");
    assert!(client.session().is_some());
}

#[test]
fn dropping_a_subscription_that_is_being_made_withdraws_it() {
    let (mut world, client) = World::joined();
    let mut subscribe = client.subscribe("com.example.topic");
    assert!(world.poll(&mut subscribe).is_pending());
    world.received();
    drop(subscribe);
    world.expect_nothing();
    world.send("[33,1,77]");
    world.expect("[34,2,77]");
}

#[test]
fn unsubscribing_waits_for_the_answer() {
    let (mut world, client) = World::joined();
    let subscription = subscribe(&mut world, &client, 1, 77);
    let mut unsubscribe = subscription.unsubscribe();
    world.expect_nothing();
    assert!(world.poll(&mut unsubscribe).is_pending());
    world.expect("[34,2,77]");
    assert!(world.poll(&mut unsubscribe).is_pending());
    world.send("[35,2]");
    world.finish(unsubscribe).unwrap();
    world.expect_nothing();
}

#[test]
fn a_full_queue_drops_the_newest_and_tells() {
    let (mut world, _client, mut subscription) = subscribed_with(Queue::new().max_events(3));
    send_numbers(&mut world, 0..10);
    assert_eq!(subscription.missed(), 7);
    for n in 0..3 {
        let event = world.finish(subscription.next()).unwrap();
        assert_eq!((event.arg::<u64>(0).unwrap(), event.missed()), (n, 0));
    }
    send_numbers(&mut world, 10..11);
    let event = world.finish(subscription.next()).unwrap();
    assert_eq!((event.arg::<u64>(0).unwrap(), event.missed()), (10, 7));
}

#[test]
fn a_full_queue_drops_the_oldest_if_asked() {
    let queue = Queue::new().max_events(3).overflow(Overflow::DropOldest);
    let (mut world, _client, mut subscription) = subscribed_with(queue);
    send_numbers(&mut world, 0..10);
    assert_eq!(subscription.missed(), 7);
    let got: Vec<_> = (0..3)
        .map(|_| world.finish(subscription.next()).unwrap())
        .map(|event| (event.arg::<u64>(0).unwrap(), event.missed()))
        .collect();
    assert_eq!(got, [(7, 7), (8, 0), (9, 0)]);
}

#[test]
fn a_full_queue_ends_the_subscription_if_asked() {
    let (mut world, _client, mut subscription) = subscribed_with(Queue::new().max_events(3).overflow(Overflow::End));
    send_numbers(&mut world, 0..4);
    world.expect("[34,2,77]");
    for n in 0..3 {
        assert_eq!(world.finish(subscription.next()).unwrap().arg::<u64>(0).unwrap(), n);
    }
    assert!(world.finish(subscription.next()).is_none());
    assert!(matches!(subscription.end(), Some(SubscriptionEnd::Overflow)));
    drop(subscription);
    world.expect_nothing();
}

#[test]
fn sub_07_a_queue_is_bounded_by_bytes_as_well() {
    let (mut world, _client, mut subscription) = subscribed_with(Queue::new().max_bytes(10_000));
    let text = "x".repeat(4_000);
    for n in 1..=5 {
        world.send(&format!(r#"[36,77,{n},{{}},["{text}"]]"#));
    }
    assert_eq!(subscription.missed(), 3);
    // What is larger than the limit is queued when it is alone.
    for _ in 0..2 {
        assert!(world.finish(subscription.next()).is_some());
    }
    world.send(&format!(r#"[36,77,6,{{}},["{}"]]"#, "x".repeat(20_000)));
    assert_eq!(world.finish(subscription.next()).unwrap().publication().get(), 6);
    // What was taken makes room for as much.
    for n in 7..=9 {
        world.send(&format!(r#"[36,77,{n},{{}},["{text}"]]"#));
    }
    assert_eq!(subscription.missed(), 4);
    for n in 7..=8 {
        assert_eq!(world.finish(subscription.next()).unwrap().publication().get(), n);
    }
}

#[test]
fn sub_07_the_default_queue_takes_1024_events() {
    let (mut world, _client, subscription) = subscribed_with(Queue::new());
    send_numbers(&mut world, 0..10_000);
    assert_eq!(subscription.missed(), 10_000 - 1_024);
}

#[test]
fn a_small_payload_that_waits_is_copied_out_of_its_frame() {
    let (mut world, _client, mut subscription) = subscribed_with(Queue::new());
    let small = Bytes::from(br#"[36,77,5,{},["small"]]"#.to_vec());
    let large = Bytes::from(format!(r#"[36,77,6,{{}},["{}"]]"#, "x".repeat(2_000)));
    for (frame, is_copied) in [(small, true), (large, false)] {
        world.send_frame(Frame::Text(frame.clone()));
        let event = world.finish(subscription.next()).unwrap();
        let args = event.payload().raw_args().unwrap().unwrap();
        assert_eq!(!frame.as_ptr_range().contains(&args.as_ptr()), is_copied);
    }
    // Somebody waits for this one.
    let frame = Bytes::from(br#"[36,77,7,{},["small"]]"#.to_vec());
    let mut next = subscription.next();
    assert!(world.poll(&mut next).is_pending());
    world.send_frame(Frame::Text(frame.clone()));
    let event = world.finish(next).unwrap();
    assert!(frame.as_ptr_range().contains(&event.payload().raw_args().unwrap().unwrap().as_ptr()));
}

#[test]
fn sub_04_two_subscriptions_to_one_topic_share_the_routers() {
    let (mut world, client) = World::joined();
    let mut one = subscribe(&mut world, &client, 1, 77);
    let mut two = world.finish(client.subscribe("com.example.topic")).unwrap();
    world.expect_nothing();
    world.send("[36,77,5,{}]");
    assert!(world.finish(one.next()).is_some());
    assert!(world.finish(two.next()).is_some());
    world.finish(one.unsubscribe()).unwrap();
    world.expect_nothing();
    drop(two);
    world.expect("[34,2,77]");
}

#[test]
fn sub_06_a_consumer_that_panics_does_not_end_the_session() {
    let (mut world, client) = World::joined();
    let consumer = subscribe(&mut world, &client, 1, 77);
    let mut other = world.finish(client.subscribe("com.example.topic")).unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _consumer = consumer;
        std::panic::resume_unwind(Box::new("a bug of the user"));
    }));
    assert!(panicked.is_err());
    world.send("[36,77,5,{}]");
    assert!(world.finish(other.next()).is_some());
}

#[test]
fn a_stream_ends_with_its_reason() {
    let (mut world, client) = World::joined();
    let mut subscription = subscribe(&mut world, &client, 1, 77);
    world.send("[36,77,5,{}]");
    world.cut(TransportErrorKind::Eof);
    assert!(world.finish(subscription.next()).is_some());
    assert!(world.finish(subscription.next()).is_none());
    assert!(matches!(subscription.end(), Some(SubscriptionEnd::Closed(_))));
}

#[test]
fn a_revoked_subscription_ends() {
    let (mut world, client) = World::joined();
    let mut subscription = subscribe(&mut world, &client, 1, 77);
    world.send(r#"[35,0,{"subscription":77,"reason":"wamp.close.killed"}]"#);
    assert!(world.finish(subscription.next()).is_none());
    let Some(SubscriptionEnd::Revoked(Some(reason))) = subscription.end() else { panic!("no reason") };
    assert_eq!(&*reason, "wamp.close.killed");
    drop(subscription);
    world.expect_nothing();
}

#[test]
fn a_malformed_event_shows_at_the_accessor_when_checked_on_decode() {
    let config = Config::new("ws://router/ws", "realm1").agent(None).payload_check(PayloadCheck::OnDecode);
    let (mut world, client) = World::joined_with(config);
    let mut subscription = subscribe(&mut world, &client, 1, 77);
    world.send_all(["[36,77,5,{},[tru]]", "[36,77,6,{},[true]]"]);
    let malformed = world.finish(subscription.next()).unwrap();
    assert!(matches!(malformed.arg::<bool>(0), Err(PayloadError::Malformed(_))));
    assert_eq!(malformed.publication().get(), 5);
    let well = world.finish(subscription.next()).unwrap();
    assert!(well.arg::<bool>(0).unwrap());
    world.expect_nothing();
    assert!(client.session().is_some());
}

#[test]
fn a_malformed_event_ends_the_session_when_checked_on_receipt() {
    let (mut world, client) = World::joined();
    let mut subscription = subscribe(&mut world, &client, 1, 77);
    world.send("[36,77,5,{},[tru]]");
    assert!(world.received().ends_with(r#""wamp.error.protocol_violation"]"#));
    world.cut(TransportErrorKind::Eof);
    assert!(world.finish(subscription.next()).is_none());
    let Some(SubscriptionEnd::Closed(cause)) = subscription.end() else { panic!("it has not ended") };
    assert!(matches!(&*cause, CloseCause::ProtocolViolation(ProtocolViolation::Decode(_))), "{cause:?}");
    assert!(client.session().is_none());
}

#[test]
fn need_64_a_subscriber_sees_which_topic_matched_and_who_published() {
    let (mut world, client) = World::joined();
    let options = SubscribeOptions::new().match_policy(MatchPolicy::Wildcard);
    let mut subscribe = client.subscribe_with("com..topic", options);
    assert!(world.poll(&mut subscribe).is_pending());
    world.expect(r#"[32,1,{"match":"wildcard"},"com..topic"]"#);
    world.send("[33,1,77]");
    let mut subscription = world.finish(subscribe).unwrap();
    world.send(concat!(
        r#"[36,77,5,{"topic":"com.example.topic","publisher":3,"publisher_authid":"joe","#,
        r#""publisher_authrole":"admin","trustlevel":2,"retained":true,"x_cb":1}]"#
    ));
    world.send("[36,77,6,{}]");
    let event = world.finish(subscription.next()).unwrap();
    assert_eq!((event.topic().as_str(), event.publication().get()), ("com.example.topic", 5));
    assert_eq!(event.publisher().map(|session| session.get()), Some(3));
    assert_eq!((event.publisher_authid(), event.publisher_authrole()), (Some("joe"), Some("admin")));
    assert_eq!((event.trustlevel(), event.is_retained()), (Some(2), true));
    assert_eq!(event.details().extra.len(), 1);
    let event = world.finish(subscription.next()).unwrap();
    assert_eq!((event.topic().as_str(), event.publisher(), event.is_retained()), ("com..topic", None, false));
    assert_eq!((event.trustlevel(), event.publisher_authid()), (None, None));
}

#[test]
fn a_pattern_is_a_topic_only_with_its_policy() {
    let (mut world, client) = World::joined();
    let refused = world.finish(client.subscribe("com..topic")).unwrap_err();
    assert!(matches!(refused, RequestError::Command(CommandError::InvalidUri(_))), "{refused:?}");
    let options = SubscribeOptions::new().match_policy(MatchPolicy::Prefix);
    let refused = world.finish(client.subscribe_with(String::from("com..topic"), options.clone())).unwrap_err();
    assert!(matches!(refused, RequestError::Command(CommandError::InvalidUri(_))), "{refused:?}");
    let mut subscribe = client.subscribe_with("com.", options);
    assert!(world.poll(&mut subscribe).is_pending());
    world.expect(r#"[32,1,{"match":"prefix"},"com."]"#);
}

#[test]
fn need_13_a_consumer_that_stands_still_keeps_no_more_than_its_queue() {
    for (overflow, kept) in [(Overflow::DropNewest, 0..50), (Overflow::DropOldest, 19_950..20_000)] {
        let (mut world, _client, mut subscription) =
            subscribed_with(Queue::new().max_events(50).max_bytes(1_000).overflow(overflow));
        for batch in 0..20 {
            send_numbers(&mut world, batch * 1_000..(batch + 1) * 1_000);
        }
        assert_eq!(subscription.missed(), 20_000 - 50, "{overflow:?}");
        let got: Vec<_> = (0..50).map(|_| world.finish(subscription.next()).unwrap()).collect();
        let numbers: Vec<u64> = got.iter().map(|event| event.arg(0).unwrap()).collect();
        assert_eq!(numbers, kept.collect::<Vec<_>>(), "{overflow:?}");
        let told: u64 = got.iter().map(wamp_session::client::Event::missed).sum();
        assert_eq!(told, if overflow == Overflow::DropOldest { 20_000 - 50 } else { 0 }, "{overflow:?}");
        let mut next = subscription.next();
        assert!(world.poll(&mut next).is_pending(), "nothing else was kept");
    }
}

#[test]
fn need_17_several_consumers_of_one_topic_each_get_each_event_and_leave_by_themselves() {
    let (mut world, client) = World::joined();
    let mut one = subscribe(&mut world, &client, 1, 77);
    let mut two = world.finish(client.subscribe("com.example.topic")).unwrap();
    let mut prefix =
        client.subscribe_with("com.example.topic", SubscribeOptions::new().match_policy(MatchPolicy::Prefix));
    assert!(world.poll(&mut prefix).is_pending());
    world.expect(r#"[32,2,{"match":"prefix"},"com.example.topic"]"#);
    world.send("[33,2,78]");
    let mut prefix = world.finish(prefix).unwrap();
    world.send_all(["[36,77,5,{}]", r#"[36,78,5,{"topic":"com.example.topic"}]"#]);
    for subscription in [&mut one, &mut two, &mut prefix] {
        assert_eq!(world.finish(subscription.next()).unwrap().publication().get(), 5);
        let mut next = subscription.next();
        assert!(world.poll(&mut next).is_pending(), "once");
    }
    world.finish(one.unsubscribe()).unwrap();
    drop(prefix);
    world.expect("[34,3,78]");
    world.expect_nothing();
    world.send_all(["[35,3]", "[36,77,6,{}]"]);
    assert_eq!(world.finish(two.next()).unwrap().publication().get(), 6);
    drop(two);
    world.expect("[34,4,77]");
}

#[test]
fn need_48_a_subscription_is_a_stream_that_unsubscribes_when_dropped_and_says_why_it_ended() {
    fn is_stream<S: futures_core::Stream<Item = wamp_session::client::Event> + Unpin>(_: &S) {}
    let (mut world, client) = World::joined();
    let mut subscription = subscribe(&mut world, &client, 1, 77);
    is_stream(&subscription);
    send_numbers(&mut world, 0..2);
    for n in 0..2 {
        assert_eq!(world.finish(subscription.next()).unwrap().arg::<u64>(0).unwrap(), n);
    }
    assert!(subscription.end().is_none());
    drop(subscription);
    world.expect("[34,2,77]");
    world.send("[35,2]");
    let mut ended = subscribe(&mut world, &client, 3, 78);
    world.send(r#"[6,{},"wamp.close.system_shutdown"]"#);
    world.cut(TransportErrorKind::Eof);
    assert!(world.finish(ended.next()).is_none());
    assert!(matches!(ended.end(), Some(SubscriptionEnd::Closed(_))));
}
