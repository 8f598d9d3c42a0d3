//! Connecting again after the end, and what the handles of before mean then.

use std::time::Duration;

use wamp_session::client::{Client, ConnectionEvent, SubscriptionEnd};
use wamp_session::{CloseCause, Config, RequestError, Status, TransportErrorKind};

use crate::driver::subscribe;
use crate::world::{WELCOME, World};

const GOODBYE: &str = r#"[6,{},"wamp.close.close_realm"]"#;
const AGAIN: &str = r#"[2,42,{"roles":{"broker":{},"dealer":{}}}]"#;

/// A client that was joined and is closed.
fn closed() -> (World, Client) {
    let (mut world, client) = World::joined();
    close(&mut world, &client);
    (world, client)
}

fn close(world: &mut World, client: &Client) {
    let mut close = client.close();
    assert!(world.poll(&mut close).is_pending());
    world.expect(GOODBYE);
    world.agree_to_close();
    world.finish(close).unwrap();
}

/// The router accepts the session that is being opened.
fn accept(world: &mut World, welcome: &str) {
    world.accept();
    assert!(world.received().starts_with("[1,"));
    world.send(welcome);
}

#[test]
fn need_08_a_client_connects_again_after_close() {
    let (mut world, client) = closed();
    let mut again = client.connect();
    assert!(world.poll(&mut again).is_pending());
    assert!(matches!(client.status(), Status::Connecting));
    accept(&mut world, AGAIN);
    assert_eq!(world.finish(again).unwrap().session.get(), 42);
    assert_eq!(client.session().unwrap().session.get(), 42);
    // It works as the first one did, and request ids begin at 1.
    let mut call = client.clone().call("com.example.p", ());
    assert!(world.poll(&mut call).is_pending());
    world.expect(r#"[48,1,{},"com.example.p"]"#);
    world.send("[50,1,{}]");
    world.finish(call).unwrap();
    close(&mut world, &client);
    world.advance(Duration::from_secs(1_000));
    assert_eq!(world.wire(|wire| wire.opened), 2);
}

#[test]
fn a_drain_ends_with_the_session_that_it_drained() {
    let (mut world, client) = World::joined();
    let mut drain = client.drain();
    assert!(world.poll(&mut drain).is_pending());
    world.expect(GOODBYE);
    world.agree_to_close();
    world.finish(drain).unwrap();
    let mut again = client.connect();
    assert!(world.poll(&mut again).is_pending());
    accept(&mut world, AGAIN);
    world.finish(again).unwrap();
    let mut call = client.call("com.example.p", ());
    assert!(world.poll(&mut call).is_pending());
    world.expect(r#"[48,1,{},"com.example.p"]"#);
    world.send("[50,1,{}]");
    world.finish(call).unwrap();
    assert!(client.session().is_some());
}

#[test]
fn handles_of_before_the_close_stay_ended_and_say_nothing_in_the_next_session() {
    let (mut world, client) = World::joined();
    let mut subscription = subscribe(&mut world, &client, 1, 77);
    let mut events = client.connection_events();
    let mut call = client.call("com.example.slow", ());
    assert!(world.poll(&mut call).is_pending());
    world.received();
    close(&mut world, &client);
    let again = client.connect();
    let mut again = Box::pin(again);
    assert!(world.poll(&mut again).is_pending());
    accept(&mut world, AGAIN);
    world.finish(again).unwrap();

    assert!(matches!(world.finish(call), Err(RequestError::Closed)));
    assert!(world.finish(subscription.next()).is_none());
    assert!(matches!(subscription.end(), Some(SubscriptionEnd::Closed(_))));
    assert!(matches!(world.finish(events.next()), Some(ConnectionEvent::Joined(joined)) if joined.session.get() != 42));
    assert!(matches!(world.finish(events.next()), Some(ConnectionEvent::Closed(_))));
    assert!(world.finish(events.next()).is_none(), "it told of the first run only");
    assert!(matches!(world.finish(client.connection_events().next()), Some(ConnectionEvent::Joined(_))));
    // The router's id 77 may be anything in the new session.
    drop(subscription);
    world.expect_nothing();
    world.send("[36,77,1,{}]");
    assert_eq!(client.stats().unknown_events, 1);
}

#[test]
fn connecting_while_it_closes_waits_for_the_end() {
    let (mut world, client) = World::joined();
    let mut close = client.close();
    assert!(world.poll(&mut close).is_pending());
    world.expect(GOODBYE);
    let mut again = client.connect();
    assert!(world.poll(&mut again).is_pending());
    assert_eq!(world.wire(|wire| wire.opened), 1);
    world.agree_to_close();
    assert!(world.poll(&mut again).is_pending(), "the end that was under way is not the end of what follows");
    world.finish(close).unwrap();
    accept(&mut world, AGAIN);
    assert_eq!(world.finish(again).unwrap().session.get(), 42);
}

#[test]
fn a_close_that_is_polled_late_tells_of_its_own_end() {
    let (mut world, client) = World::joined();
    let mut close = client.close();
    assert!(world.poll(&mut close).is_pending());
    world.expect(GOODBYE);
    world.agree_to_close();
    let mut again = client.connect();
    assert!(world.poll(&mut again).is_pending());
    accept(&mut world, AGAIN);
    world.finish(again).unwrap();
    world.finish(close).unwrap();
    assert!(client.session().is_some());
}

#[test]
fn a_close_after_connecting_again_withdraws_it() {
    let (mut world, client) = World::joined();
    let mut first = client.close();
    assert!(world.poll(&mut first).is_pending());
    world.expect(GOODBYE);
    let mut again = client.connect();
    assert!(world.poll(&mut again).is_pending());
    let mut second = client.close();
    assert!(world.poll(&mut second).is_pending());
    world.agree_to_close();
    world.finish(first).unwrap();
    world.finish(second).unwrap();
    assert_eq!(world.wire(|wire| wire.opened), 1);
    assert!(matches!(world.finish(again), Err(CloseCause::Application)));
}

#[test]
fn connecting_a_client_that_is_connected_changes_nothing() {
    let (mut world, client) = World::joined();
    assert_eq!(world.finish(client.connect()).unwrap().session.get(), 7_814_135);
    world.expect_nothing();
    assert_eq!(world.wire(|wire| wire.opened), 1);
}

#[test]
fn a_client_that_gave_up_connects_again() {
    let (mut world, client) = World::joined();
    world.cut(TransportErrorKind::Eof);
    assert!(matches!(client.status(), Status::Closed));
    let mut refused = client.connect();
    assert!(world.poll(&mut refused).is_pending());
    world.refuse(TransportErrorKind::Connect);
    let CloseCause::Transport(error) = world.finish(refused).unwrap_err() else { panic!("another cause") };
    assert_eq!(*error.kind(), TransportErrorKind::Connect);
    let mut again = client.connect();
    assert!(world.poll(&mut again).is_pending());
    accept(&mut world, AGAIN);
    world.finish(again).unwrap();
}

#[test]
fn without_a_driver_a_client_stays_closed() {
    let (mut world, client) = World::joined();
    world.drop_driver();
    assert!(matches!(client.status(), Status::Closed));
    assert!(world.finish(client.connect()).is_err());
    assert!(matches!(client.status(), Status::Closed));
    world.finish(client.close()).unwrap();
}

#[test]
fn a_configuration_that_cannot_be_used_cannot_be_used_again() {
    let (mut world, client) = World::new(Config::new("ws://router/ws", "not a realm"));
    assert!(matches!(world.finish(client.connect()), Err(CloseCause::Config(_))));
    assert!(matches!(world.finish(client.joined()), Err(CloseCause::Config(_))));
    assert_eq!(world.wire(|wire| wire.opened), 0);
}

#[test]
fn connecting_while_it_waits_is_an_attempt_now() {
    let config = Config::new("ws://router/ws", "realm1").agent(None).keep_alive(None).seed(7);
    let (mut world, client) = World::with(config);
    accept(&mut world, WELCOME);
    world.cut(TransportErrorKind::Eof);
    assert!(matches!(client.status(), Status::Waiting { .. }));
    let mut again = client.connect();
    assert!(world.poll(&mut again).is_pending());
    assert_eq!(world.wire(|wire| wire.opened), 2);
    accept(&mut world, AGAIN);
    assert_eq!(world.finish(again).unwrap().session.get(), 42);
}
