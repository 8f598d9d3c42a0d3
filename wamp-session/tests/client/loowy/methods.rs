//! Loowy's methods of the connection.

use std::sync::Arc;
use std::time::Duration;

use wamp_session::auth::{self, Authenticator};
use wamp_session::{CommandError, ConfigError, ReconnectPolicy, RequestError, TransportErrorKind};

use super::{accept, assert_is_that_error, config, error_to, joined, seconds};
use crate::world::{WELCOME, World};

/// Policies have a function, so they compare by what they say of themselves.
#[track_caller]
fn assert_same(one: &ReconnectPolicy, other: &ReconnectPolicy) {
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}

#[test]
fn method_options() {
    let (mut world, client) = joined(config().reconnect(ReconnectPolicy::never()).call_timeout(seconds(9)));
    assert_eq!(client.config().call_timeout(), Some(seconds(9)));
    assert_same(&client.config().reconnect(), &ReconnectPolicy::never());
    assert_eq!(client.config().urls().iter().map(|url| &**url).collect::<Vec<_>>(), ["ws://router/ws"]);

    // The call timeout, of calls made from now on.
    client.config().set_call_timeout(seconds(3));
    assert_eq!(client.config().call_timeout(), Some(seconds(3)));
    let mut call = client.call("com.example.slow", ());
    assert!(world.poll(&mut call).is_pending());
    world.advance(Duration::from_millis(2_999));
    assert!(world.poll(&mut call).is_pending());
    world.advance(Duration::from_millis(1));
    assert!(matches!(world.finish(call), Err(RequestError::Timeout { .. })));

    // The policy, from the next loss on.
    client.config().set_reconnect(ReconnectPolicy::loowy());
    assert_same(&client.config().reconnect(), &ReconnectPolicy::loowy());
    world.cut(TransportErrorKind::Eof);
    world.advance(seconds(2));
    accept(&mut world);
    assert!(client.session().is_some());
    client.config().set_reconnect(ReconnectPolicy::never());
    world.cut(TransportErrorKind::Eof);
    assert!(world.finish(client.joined()).is_err());
}

#[test]
fn method_options_replaces_authenticators() {
    let old = auth::Ticket::new("joe", "old");
    let (mut world, client) = World::with(config().reconnect(ReconnectPolicy::loowy()).authenticator(old));
    world.accept();
    assert!(world.received().contains(r#""authid":"joe""#));
    world.send(WELCOME);
    let new: Arc<dyn Authenticator> = Arc::new(auth::Ticket::new("mary", "new"));
    client.config().set_authenticators([Arc::clone(&new)]).unwrap();
    assert_eq!(client.config().authenticators().len(), 1);
    world.cut(TransportErrorKind::Eof);
    world.advance(seconds(2));
    world.accept();
    assert!(world.received().contains(r#""authid":"mary""#));
    world.send(r#"[4,"ticket",{}]"#);
    world.expect(r#"[5,"new",{}]"#);

    // Those that cannot be used together replace none.
    let third: Arc<dyn Authenticator> = Arc::new(auth::Ticket::new("third", "x"));
    assert_eq!(client.config().set_authenticators([new, third]), Err(ConfigError::AuthIds));
    assert_eq!(client.config().authenticators()[0].authid(), Some("mary"));
}

#[test]
fn method_get_op_status_is_the_result_of_each_operation() {
    let (mut world, client) = joined(config());
    // What the client refuses by itself,
    let refused = world.finish(client.publish("no topic", ()));
    assert!(matches!(refused, Err(RequestError::Command(CommandError::InvalidUri(_)))), "{refused:?}");
    world.expect_nothing();
    // what the router refuses,
    let mut publish = client.publish_acked("com.example.t", ());
    assert!(world.poll(&mut publish).is_pending());
    world.received();
    world.send(&error_to(16, 1));
    assert_is_that_error(world.finish(publish));
    // and what succeeds.
    world.finish(client.publish("com.example.t", ())).unwrap();
    world.expect(r#"[16,2,{},"com.example.t"]"#);
}

#[test]
fn method_get_session_id() {
    let (mut world, client) = World::with(config());
    assert!(client.session().is_none());
    accept(&mut world);
    assert_eq!(client.session().unwrap().session.get(), 7_814_135);
    world.cut(TransportErrorKind::Eof);
    assert!(client.session().is_none());
}

#[test]
fn methods_connect_and_disconnect() {
    let (mut world, client) = joined(config());
    let mut close = client.close();
    assert!(world.poll(&mut close).is_pending());
    world.expect(r#"[6,{},"wamp.close.close_realm"]"#);
    world.agree_to_close();
    world.finish(close).unwrap();
    world.advance(seconds(100));
    assert_eq!(world.wire(|wire| wire.opened), 1, "nothing connects again by itself");
    let mut again = client.connect();
    assert!(world.poll(&mut again).is_pending());
    accept(&mut world);
    assert!(world.finish(again).is_ok());
}

const ABORT: &str = r#"[3,{},"wamp.close.close_realm"]"#;

#[test]
fn method_abort_is_close_before_the_join() {
    let (mut world, client) = World::with(config());
    world.accept();
    assert!(world.received().starts_with("[1,"));
    let mut close = client.close();
    assert!(world.poll(&mut close).is_pending());
    world.expect(ABORT);
    assert_eq!(world.wire(|wire| wire.closed.clone()), Some((1000, String::new())));
    // A router that has not read it yet may welcome the client all the same.
    world.send(WELCOME);
    world.expect_nothing();
    assert!(client.session().is_none());
    world.cut(TransportErrorKind::Closed { code: Some(1000), reason: String::new() });
    world.finish(close).unwrap();
}

#[test]
fn method_abort_is_dropping_the_future_of_connect_before_the_join() {
    let (mut world, client) = World::with(config());
    let connect = client.connect();
    drop(client);
    world.accept();
    assert!(world.received().starts_with("[1,"));
    world.expect_nothing();
    drop(connect);
    world.expect(ABORT);
    assert_eq!(world.wire(|wire| wire.closed.clone()), Some((1000, String::new())));
}

#[test]
fn method_abort_sends_nothing_after_the_join_but_goodbye() {
    let (mut world, client) = joined(config());
    drop(client);
    world.expect(r#"[6,{},"wamp.close.close_realm"]"#);
}
