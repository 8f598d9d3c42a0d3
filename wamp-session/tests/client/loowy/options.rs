//! Loowy's options.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use wamp_session::client::{ConnectionEvent, ConnectionEvents};
use wamp_session::proto::{Challenge, Format};
use wamp_session::{CloseCause, ConfigError, Frame, Left, ReconnectPolicy, Status, TransportErrorKind, auth};

use super::{accept, config, joined, seconds};
use crate::world::{WELCOME, World};

#[test]
fn option_auto_reconnect() {
    let (mut world, client) = joined(config().reconnect(ReconnectPolicy::loowy()));
    world.cut(TransportErrorKind::Eof);
    assert!(client.session().is_none());
    world.advance(seconds(2));
    accept(&mut world);
    assert!(client.session().is_some());

    let (mut world, client) = joined(config().reconnect(ReconnectPolicy::never()));
    world.cut(TransportErrorKind::Eof);
    assert!(matches!(world.finish(client.joined()), Err(CloseCause::Transport(_))));
    world.advance(seconds(100));
    assert_eq!(world.wire(|wire| wire.opened), 1);
}

#[test]
fn option_auto_reconnect_at_the_first_connect() {
    let policy = config().reconnect(ReconnectPolicy::loowy()).retry_initial_connect(true);
    let (mut world, client) = World::with(policy);
    world.refuse(TransportErrorKind::Connect);
    world.advance(seconds(2));
    accept(&mut world);
    assert!(client.session().is_some());

    // Without it, the first failure is the last.
    let (mut world, client) = World::with(config().reconnect(ReconnectPolicy::loowy()));
    world.refuse(TransportErrorKind::Connect);
    assert!(matches!(world.finish(client.joined()), Err(CloseCause::Transport(_))));
}

#[test]
fn option_reconnect_interval() {
    let (mut world, client) = joined(config().reconnect(ReconnectPolicy::loowy()));
    for attempt in 1..=3 {
        world.cut(TransportErrorKind::Eof);
        world.advance(Duration::from_millis(1_999));
        assert_eq!(world.wire(|wire| wire.opened), attempt);
        world.advance(Duration::from_millis(1));
        assert_eq!(world.wire(|wire| wire.opened), attempt + 1);
        accept(&mut world);
    }
    drop(client);
}

#[test]
fn option_max_retries() {
    for (policy, retries) in [(ReconnectPolicy::loowy().max_attempts(Some(2)), 2), (ReconnectPolicy::loowy(), 25)] {
        let (mut world, client) = joined(config().reconnect(policy));
        world.cut(TransportErrorKind::Eof);
        for _ in 0..retries {
            assert!(matches!(client.status(), Status::Waiting { .. }));
            world.advance(seconds(2));
            world.refuse(TransportErrorKind::Connect);
        }
        assert!(matches!(world.finish(client.joined()), Err(CloseCause::Transport(_))));
        world.advance(seconds(100));
        assert_eq!(world.wire(|wire| wire.opened), retries + 1);
    }
}

/// The bytes of the next frame, which is binary.
fn binary(world: &mut World) -> Vec<u8> {
    world.run();
    match world.wire(|wire| wire.sent.pop_front()) {
        Some(Frame::Binary(bytes)) => bytes.to_vec(),
        other => panic!("expected a binary frame, found {other:?}"),
    }
}

#[test]
fn option_transport_encoding() {
    // All are offered, the preferred one first.
    let (world, client) = World::with(config());
    assert_eq!(world.wire(|wire| wire.offered.clone()), ["wamp.2.json", "wamp.2.msgpack", "wamp.2.cbor"]);
    drop(client);

    // MessagePack is preferred, and taken.
    let (mut world, client) = World::with(config().formats([Format::MsgPack, Format::Json]));
    assert_eq!(world.wire(|wire| wire.offered.clone()), ["wamp.2.msgpack", "wamp.2.json"]);
    world.accept_as("wamp.2.msgpack");
    assert!(binary(&mut world).starts_with(b"\x93\x01\xa6realm1"), "HELLO");
    world.send_frame(Frame::Binary(b"\x93\x02\x05\x81\xa5roles\x81\xa6broker\x80".as_slice().into()));
    assert_eq!(client.session().unwrap().format, Format::MsgPack);
    world.finish(client.publish("a.b", ("hi", -1))).unwrap();
    assert_eq!(binary(&mut world), b"\x95\x10\x01\x80\xa3a.b\x92\xa2hi\xff");

    // The router takes another one of those that were offered: it has the choice.
    let (mut world, client) = World::with(config().formats([Format::MsgPack, Format::Json]));
    accept(&mut world);
    assert_eq!(client.session().unwrap().format, Format::Json);
    world.finish(client.publish("a.b", "hi")).unwrap();
    world.expect(r#"[16,1,{},"a.b",["hi"]]"#);
}

#[test]
fn option_realm() {
    let (mut world, client) = World::with(config());
    assert!(accept(&mut world).starts_with(r#"[1,"realm1",{"#));
    assert_eq!(&*client.config().realm(), "realm1");
}

#[test]
fn option_hello_custom_details() {
    let (mut world, client) = World::with(config().hello_detail("_build", 4711).hello_detail("x_lang", "rust"));
    let hello = accept(&mut world);
    assert!(hello.ends_with(r#","_build":4711,"x_lang":"rust"}]"#), "{hello}");
    drop(client);
}

#[test]
fn msg_012_custom_details_have_keys_of_their_own() {
    for key in ["authid", "roles", "_ab", "x_", "MyKey", ""] {
        let wrong = config().hello_detail(key, true);
        assert_eq!(wrong.check(), Err(ConfigError::HelloDetail(key.to_owned())), "{key}");
    }
    // What a format does not have closes the client, and says which it was.
    let (mut world, client) = World::new(config().hello_detail("_fine", 1).hello_detail("_nan", f64::NAN));
    world.accept();
    world.cut(TransportErrorKind::Closed { code: Some(1000), reason: String::new() });
    let Err(CloseCause::Config(error)) = world.finish(client.joined()) else { panic!() };
    assert_eq!(error, ConfigError::HelloDetail("_nan".to_owned()));
}

#[test]
fn options_authid_and_authmethods() {
    let ticket = auth::Ticket::new("joe", "secret!!!");
    let cra = auth::Cra::new("joe", "secret");
    let (mut world, client) = World::with(config().authenticator(ticket).authenticator(cra));
    world.accept();
    let hello = world.received();
    assert!(hello.contains(r#""authmethods":["ticket","wampcra"],"authid":"joe""#), "{hello}");
    world.send(r#"[4,"ticket",{}]"#);
    world.expect(r#"[5,"secret!!!",{}]"#);
    world.send(WELCOME);
    assert!(client.session().is_some());
}

#[test]
fn option_on_challenge() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let sign = auth::Signer::new("x_vault", "joe", move |challenge: Challenge| {
        count.fetch_add(1, Ordering::SeqCst);
        async move {
            assert_eq!(&*challenge.method, "x_vault");
            let nonce = challenge.extra.get("nonce").map(|nonce| format!("{nonce:?}"));
            Ok(auth::Answer::new(format!("signed {}", nonce.unwrap())))
        }
    });
    let (mut world, client) = World::with(config().authenticator(sign));
    world.accept();
    assert!(world.received().contains(r#""authmethods":["x_vault"],"authid":"joe""#));
    assert_eq!(asked.load(Ordering::SeqCst), 0, "it is asked when the router asks");
    world.send(r#"[4,"x_vault",{"nonce":17}]"#);
    let answer = world.received();
    assert!(answer.starts_with(r#"[5,"signed "#) && answer.contains("17"), "{answer}");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    world.send(WELCOME);
    assert!(client.session().is_some());
}

/// The next of `events`, which is `Left`.
fn left(world: &mut World, events: &mut ConnectionEvents) -> Arc<Left> {
    match world.finish(events.next()) {
        Some(ConnectionEvent::Left(left)) => left,
        other => panic!("onReconnect, not {other:?}"),
    }
}

#[test]
fn options_on_connect_on_reconnect_on_reconnect_success_and_on_close() {
    let (mut world, client) = joined(config().reconnect(ReconnectPolicy::loowy().max_attempts(Some(1))));
    let mut events = client.connection_events();
    let Some(ConnectionEvent::Joined(joined)) = world.finish(events.next()) else { panic!("onConnect") };
    assert_eq!(joined.session.get(), 7_814_135);
    world.cut(TransportErrorKind::Eof);
    let left = left(&mut world, &mut events);
    assert_eq!((left.attempt, left.retry_in), (1, seconds(2)));
    world.advance(seconds(2));
    accept(&mut world);
    assert!(matches!(world.finish(events.next()), Some(ConnectionEvent::Joined(_))));
    let restored = world.finish(events.next());
    assert!(matches!(restored, Some(ConnectionEvent::Restored { failed }) if failed.is_empty()), "onReconnectSuccess");
    world.send(r#"[3,{},"wamp.error.not_authorized"]"#);
    world.cut(TransportErrorKind::Eof);
    let closed = world.finish(events.next()).unwrap();
    assert!(matches!(closed, ConnectionEvent::Closed(cause) if matches!(*cause, CloseCause::Abort(_))), "onClose");
    assert!(world.finish(events.next()).is_none());
}

#[test]
fn option_on_error() {
    let (mut world, client) = joined(config().reconnect(ReconnectPolicy::loowy().max_attempts(Some(1))));
    let mut events = client.connection_events();
    assert!(matches!(world.finish(events.next()), Some(ConnectionEvent::Joined(_))));
    // What went wrong with the WebSocket is the cause of what follows from it: another attempt, or the end.
    world.cut(TransportErrorKind::TooLarge);
    let left = left(&mut world, &mut events);
    assert!(matches!(&left.cause, CloseCause::Transport(why) if *why.kind() == TransportErrorKind::TooLarge));
    world.advance(seconds(2));
    world.refuse(TransportErrorKind::Dns);
    let Some(ConnectionEvent::Closed(cause)) = world.finish(events.next()) else { panic!("onClose") };
    assert!(matches!(&*cause, CloseCause::Transport(why) if *why.kind() == TransportErrorKind::Dns));
}

#[cfg(feature = "tracing")]
#[test]
fn option_debug() {
    let told = crate::logging::recorder::told_of(|| {
        let (mut world, client) = joined(config());
        world.finish(client.publish("a.b", "hi")).unwrap();
        world.expect(r#"[16,1,{},"a.b",["hi"]]"#);
    });
    let wire: Vec<&str> = told
        .iter()
        .filter(|told| (told.level, &*told.target) == (tracing::Level::TRACE, "wamp_session::wire"))
        .map(|told| told.fields.split("message_type=").nth(1).unwrap())
        .collect();
    assert!(wire[0].starts_with("\"HELLO\" bytes="), "{wire:?}");
    assert!(wire[1].starts_with("\"WELCOME\" bytes="), "{wire:?}");
    assert_eq!(wire[2], "\"PUBLISH\" request=1 bytes=22 format=JSON");
}
