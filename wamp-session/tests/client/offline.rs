//! Publishing while the client is not joined.

use std::time::Duration;

use wamp_session::client::Client;
use wamp_session::{
    CommandError, Config, Offline, OfflinePolicy, PublishOptions, RequestError, SubscribeOptions, TransportErrorKind,
};

use crate::world::{WELCOME, World};

fn connecting(policy: OfflinePolicy) -> (World, Client) {
    let offline = Offline::new().publishes(policy);
    World::new(Config::new("ws://router/ws", "realm1").agent(None).offline(offline))
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
    assert!(matches!(world.finish(late), Err(RequestError::Timeout)));
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
