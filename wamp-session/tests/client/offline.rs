//! Commands while the client is not joined.

use std::time::Duration;

use wamp_session::client::Client;
use wamp_session::proto::MatchPolicy;
use wamp_session::{
    CallOptions, CommandError, Config, Feature, Offline, OfflinePolicy, PublishOptions, RegisterOptions, RequestError,
    SubscribeOptions, TransportErrorKind,
};

use crate::world::{WELCOME, World};

fn connecting(policy: OfflinePolicy) -> (World, Client) {
    let offline = Offline::new().publishes(policy);
    World::new(Config::new("ws://router/ws", "realm1").agent(None).offline(offline))
}

/// The connection is made, and the session joined.
fn join(world: &mut World, welcome: &str) {
    world.accept();
    assert!(world.received().starts_with("[1,"));
    world.send(welcome);
}

fn calling(policy: OfflinePolicy) -> (World, Client) {
    let config = Config::new("ws://router/ws", "realm1").agent(None).connect_timeout(Duration::from_secs(60));
    World::new(config.offline(Offline::new().calls(policy)))
}

#[test]
fn need_59_publish_waits_for_the_join_and_is_ready_when_the_event_is_queued() {
    let (mut world, client) = connecting(OfflinePolicy::Wait);
    let mut first = client.publish("com.example.t", (1,));
    let mut second = client.publish("com.example.t", (2,));
    let mut dropped = client.publish("com.example.t", (3,));
    assert!(world.poll(&mut first).is_pending());
    assert!(world.poll(&mut second).is_pending());
    assert!(world.poll(&mut dropped).is_pending());
    drop(dropped);
    world.accept();
    world.received();
    assert!(world.poll(&mut first).is_pending());
    world.send(WELCOME);
    world.finish(first).unwrap();
    world.finish(second).unwrap();
    world.expect(r#"[16,1,{},"com.example.t",[1]]"#);
    world.expect(r#"[16,2,{},"com.example.t",[2]]"#);
    world.expect_nothing();
}

#[test]
fn need_59_publish_never_says_ok_for_what_is_known_to_be_lost() {
    let (mut world, client) = connecting(OfflinePolicy::Wait);
    let options = PublishOptions::new().timeout(Duration::from_secs(3));
    let mut late = client.publish_with("com.example.t", (), options);
    let mut lost = client.publish("com.example.t", ());
    assert!(world.poll(&mut late).is_pending());
    assert!(world.poll(&mut lost).is_pending());
    world.advance(Duration::from_secs(3));
    assert!(matches!(world.finish(late), Err(RequestError::Timeout { sent: false })));
    world.refuse(TransportErrorKind::Connect);
    assert!(matches!(world.finish(lost), Err(RequestError::Disconnected { sent: false })));
    let closed = world.finish(client.publish("com.example.t", ()));
    assert!(matches!(closed, Err(RequestError::Command(CommandError::Closed))));
    assert_eq!(client.stats().lost_publishes, 0);
}

#[test]
fn need_60_a_buffered_publish_is_ready_at_once_and_its_loss_is_counted() {
    let (mut world, client) = connecting(OfflinePolicy::Buffer(2));
    world.finish(client.publish("com.example.t", (1,))).unwrap();
    world.finish(client.publish("com.example.t", (2,))).unwrap();
    let full = world.finish(client.publish("com.example.t", (3,)));
    assert!(matches!(full, Err(RequestError::Command(CommandError::BufferFull))));
    world.accept();
    world.received();
    world.send(WELCOME);
    world.expect(r#"[16,1,{},"com.example.t",[1]]"#);
    world.expect(r#"[16,2,{},"com.example.t",[2]]"#);

    let (mut world, client) = connecting(OfflinePolicy::Buffer(2));
    world.finish(client.publish("com.example.t", (1,))).unwrap();
    world.refuse(TransportErrorKind::Connect);
    assert_eq!(client.stats().lost_publishes, 1);
}

#[test]
fn need_60_each_operation_may_fail_fast() {
    let (mut world, client) = connecting(OfflinePolicy::Wait);
    let options = SubscribeOptions::new().offline(OfflinePolicy::FailFast);
    let refused = world.finish(client.subscribe_with("com.example.t", options));
    assert!(matches!(refused, Err(RequestError::Command(CommandError::NotJoined))));
    let options = PublishOptions::new().offline(OfflinePolicy::FailFast);
    let refused = world.finish(client.publish_with("com.example.t", (), options.clone()));
    assert!(matches!(refused, Err(RequestError::Command(CommandError::NotJoined))));
    let refused = world.finish(client.publish_acked_with("com.example.t", (), options));
    assert!(matches!(refused, Err(RequestError::Command(CommandError::NotJoined))));
}

#[test]
fn need_59_calls_in_parts_wait_for_the_join() {
    for policy in [OfflinePolicy::Wait, OfflinePolicy::Buffer(2)] {
        let (mut world, client) = calling(policy);
        let mut streaming = client.call_streaming("com.example.sum", 1);
        let mut progressive = client.call_progressive("com.example.search", ());
        assert!(world.poll(&mut streaming).is_pending());
        assert!(world.poll(&mut progressive).is_pending());
        let never = client.call_streaming("com.example.never", 1);
        world.accept();
        assert!(world.received().starts_with("[1,"));
        assert!(world.wakes(&mut streaming, |world| world.send(WELCOME)));
        world.expect(r#"[48,1,{"progress":true},"com.example.sum",[1]]"#);
        world.expect(r#"[48,2,{"receive_progress":true},"com.example.search"]"#);
        world.expect_nothing();
        drop(never);
        let (mut input, call) = world.finish(streaming).unwrap();
        let mut parts = world.finish(progressive).unwrap();
        world.finish(input.send(2)).unwrap();
        world.expect(r#"[48,1,{"progress":true},"com.example.sum",[2]]"#);
        world.finish(input.finish(3)).unwrap();
        world.expect(r#"[48,1,{},"com.example.sum",[3]]"#);
        world.send_all(["[50,1,{},[6]]", r#"[50,2,{"progress":true},[1]]"#, "[50,2,{},[2]]"]);
        assert_eq!(world.finish(call.finish()).unwrap().arg::<u64>(0).unwrap(), 6);
        assert_eq!(world.finish(parts.next()).unwrap().arg::<u64>(0).unwrap(), 1);
        assert_eq!(world.finish(parts.finish()).unwrap().arg::<u64>(0).unwrap(), 2);
    }
}

#[test]
fn need_59_calls_in_parts_wait_within_their_timeout() {
    let (mut world, client) = calling(OfflinePolicy::Wait);
    let options = CallOptions::new().timeout(Duration::from_secs(3));
    let mut own = client.call_streaming_with("com.example.sum", 1, options);
    let mut plain = client.call_progressive("com.example.search", ());
    assert!(world.poll(&mut own).is_pending());
    assert!(world.poll(&mut plain).is_pending());
    assert!(world.wakes(&mut own, |world| world.advance(Duration::from_secs(3))));
    assert!(matches!(world.finish(own), Err(RequestError::Timeout { sent: false })));
    assert!(world.wakes(&mut plain, |world| world.advance(Duration::from_secs(7))));
    assert!(matches!(world.finish(plain), Err(RequestError::Timeout { sent: false })));
    let mut lost = client.call_streaming("com.example.sum", 1);
    assert!(world.poll(&mut lost).is_pending());
    world.refuse(TransportErrorKind::Connect);
    assert!(matches!(world.finish(lost), Err(RequestError::Disconnected { sent: false })));
}

#[test]
fn need_60_calls_in_parts_fail_fast_or_have_a_bound() {
    let (mut world, client) = calling(OfflinePolicy::FailFast);
    let refused = world.finish(client.call_streaming("com.example.sum", 1)).map(drop);
    assert!(matches!(refused, Err(RequestError::Command(CommandError::NotJoined))), "{refused:?}");
    let (mut world, client) = calling(OfflinePolicy::Buffer(1));
    let mut first = client.call_streaming("com.example.sum", 1);
    assert!(world.poll(&mut first).is_pending());
    let refused = world.finish(client.call_progressive("com.example.search", ())).map(drop);
    assert!(matches!(refused, Err(RequestError::Command(CommandError::BufferFull))), "{refused:?}");
}

#[test]
fn a_call_in_parts_that_is_dropped_before_the_join_is_not_made() {
    let (mut world, client) = calling(OfflinePolicy::Wait);
    let mut dropped = client.call_streaming("com.example.sum", 1);
    assert!(world.poll(&mut dropped).is_pending());
    drop(dropped);
    // One that was sent, but has not been told so, is cancelled.
    let mut sent = client.call_progressive("com.example.search", ());
    assert!(world.poll(&mut sent).is_pending());
    join(&mut world, WELCOME);
    world.expect(r#"[48,1,{"receive_progress":true},"com.example.search"]"#);
    drop(sent);
    world.expect(r#"[49,1,{"mode":"killnowait"}]"#);
    world.expect_nothing();
}

#[test]
fn a_call_in_parts_that_ends_with_the_join_tells_what_came_of_it() {
    // With a part, the error comes after it; without one, there is nothing else to tell.
    let (mut world, client) = calling(OfflinePolicy::Wait);
    let mut parts = client.call_progressive("com.example.search", ());
    let mut failing = client.call_progressive("com.example.search", ());
    assert!(world.poll(&mut parts).is_pending());
    assert!(world.poll(&mut failing).is_pending());
    world.accept();
    world.send_all([
        WELCOME,
        r#"[50,1,{"progress":true},[1]]"#,
        r#"[8,48,1,{},"com.example.error"]"#,
        r#"[8,48,2,{},"com.example.error"]"#,
    ]);
    let mut parts = world.finish(parts).unwrap();
    assert_eq!(world.finish(parts.next()).unwrap().arg::<u64>(0).unwrap(), 1);
    assert!(matches!(world.finish(parts.finish()), Err(RequestError::Wamp(_))));
    assert!(matches!(world.finish(failing), Err(RequestError::Wamp(_))));
}

#[test]
fn pci_11_what_the_dealer_lacks_shows_at_the_join() {
    let (mut world, client) = calling(OfflinePolicy::Wait);
    let mut call = client.call_streaming("com.example.sum", 1);
    assert!(world.poll(&mut call).is_pending());
    join(&mut world, r#"[2,7814135,{"roles":{"broker":{},"dealer":{}}}]"#);
    world.expect_nothing();
    let refused = world.finish(call).map(drop);
    let missing = CommandError::NotSupported(Feature::ProgressiveCallInvocations);
    assert!(matches!(refused, Err(RequestError::Command(error)) if error == missing));
}

#[test]
fn need_41_what_is_switched_off_here_fails_before_the_join() {
    let features = [
        Feature::ProgressiveCallInvocations,
        Feature::PatternBasedRegistration,
        Feature::PatternBasedSubscription,
        Feature::SubscriberBlackwhiteListing,
        Feature::ShardedRegistration,
    ];
    let config = Config::new("ws://router/ws", "realm1").agent(None);
    let config = features.into_iter().fold(config, Config::without_feature);
    let offline = Offline::new().publishes(OfflinePolicy::Buffer(9));
    let (mut world, client) = World::new(config.offline(offline));
    let prefix = MatchPolicy::Prefix;
    let listed = || PublishOptions::new().exclude_authid(["joe"]);
    let refusals = [
        world.finish(client.call_streaming("com.example.sum", 1)).map(drop),
        world.finish(client.register_with("com.example.", RegisterOptions::new().match_policy(prefix))).map(drop),
        world.finish(client.subscribe_with("com.example.", SubscribeOptions::new().match_policy(prefix))).map(drop),
        world.finish(client.publish_with("com.example.t", (), listed())),
        world.finish(client.call_with("com.example.p", (), CallOptions::new().rkey("k"))).map(drop),
    ];
    for (feature, refused) in features.into_iter().zip(refusals) {
        let disabled = CommandError::Disabled(feature);
        assert!(matches!(&refused, Err(RequestError::Command(error)) if *error == disabled), "{refused:?}");
    }
    let refused = world.finish(client.publish_acked_with("com.example.t", (), listed()));
    assert!(matches!(refused, Err(RequestError::Command(CommandError::Disabled(_)))));
    join(&mut world, WELCOME);
    world.expect_nothing();
}
