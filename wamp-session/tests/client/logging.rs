//! What clients tell `tracing`, and what they never tell.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, OnceLock};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Level, Metadata, Subscriber};
use wamp_session::client::Client;
use wamp_session::proto::{ArgsKwargs, Dict};
use wamp_session::{CloseCause, Config, ReconnectPolicy, TransportErrorKind, auth};

use crate::driver::subscribe;
use crate::world::{WELCOME, World};

/// What a subscriber was told: level, target, and the fields as text.
type Told = Arc<Mutex<Vec<(Level, String, String)>>>;

/// Keeps everything, and does something at each.
struct Collect<F>(Told, F);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let separator = if self.0.is_empty() { "" } else { " " };
        write!(self.0, "{separator}{field}={value:?}").unwrap();
    }
}

impl<F: Fn() + Send + Sync + 'static> Subscriber for Collect<F> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("wamp_session")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        let metadata = event.metadata();
        self.0.lock().unwrap().push((*metadata.level(), metadata.target().to_owned(), fields.0));
        (self.1)();
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What is told while a test runs.
fn told_of(test: impl FnOnce()) -> Vec<(Level, String, String)> {
    let told = Told::default();
    with_default(Collect(Arc::clone(&told), || {}), test);
    let told = told.lock().unwrap();
    told.clone()
}

fn config() -> Config {
    Config::new("ws://router/ws?token=t0k3n", "realm1").agent(None).keep_alive(None)
}

/// A session in which everything that is secret is so by its text.
fn secretive() -> Vec<(Level, String, String)> {
    told_of(|| {
        let ticket = auth::Ticket::new("joe", "s3cret-ticket");
        let (mut world, client) = World::new(config().authenticator(ticket));
        world.accept();
        world.received();
        world.send(r#"[4,"ticket",{"nonce":"s3cret-nonce"}]"#);
        world.expect(r#"[5,"s3cret-ticket",{}]"#);
        world.send(WELCOME);
        let secret = || ArgsKwargs(("s3cret-args",), Dict::from_iter([("k", "s3cret-kwargs")]));
        world.finish(client.publish("com.s3cret.topic", secret())).unwrap();
        world.received();
        let mut subscription = subscribe(&mut world, &client, 2, 77);
        world.send(r#"[36,77,1,{},["s3cret-event"]]"#);
        assert!(world.finish(subscription.next()).is_some());
        let mut call = client.call("com.s3cret.procedure", secret());
        assert!(world.poll(&mut call).is_pending());
        world.received();
        world.send(r#"[8,48,3,{"why":"s3cret-detail"},"com.s3cret.error",["s3cret-error"]]"#);
        assert!(world.finish(call).is_err());
        let mut call = client.call("com.example.p", secret());
        assert!(world.poll(&mut call).is_pending());
        world.received();
        world.send(r#"[50,4,{},["s3cret-result"]]"#);
        assert!(world.finish(call).is_ok());
        let mut close = client.close();
        assert!(world.poll(&mut close).is_pending());
        world.agree_to_close();
        world.finish(close).unwrap();
    })
}

#[test]
fn each_frame_is_told_by_its_type_request_and_size() {
    let told = secretive();
    let wire: Vec<&str> = told
        .iter()
        .filter(|(level, target, _)| (*level, target.as_str()) == (Level::TRACE, "wamp_session::wire"))
        .map(|(_, _, fields)| fields.as_str())
        .collect();
    let kinds: Vec<(bool, &str)> = wire
        .iter()
        .map(|fields| {
            let message = fields.split("message_type=\"").nth(1).unwrap().split('"').next().unwrap();
            (fields.contains("direction=\"sent\""), message)
        })
        .collect();
    let (sent, received) = (true, false);
    let expected = [
        (sent, "HELLO"),
        (received, "CHALLENGE"),
        (sent, "AUTHENTICATE"),
        (received, "WELCOME"),
        (sent, "PUBLISH"),
        (sent, "SUBSCRIBE"),
        (received, "SUBSCRIBED"),
        (received, "EVENT"),
        (sent, "CALL"),
        (received, "ERROR"),
        (sent, "CALL"),
        (received, "RESULT"),
        (sent, "GOODBYE"),
        (received, "GOODBYE"),
    ];
    assert_eq!(kinds, expected);
    let result = wire.iter().find(|fields| fields.contains("RESULT")).unwrap();
    for field in ["transport=", "request=4", "bytes=27", "format=JSON"] {
        assert!(result.contains(field), "{field} is not in {result}");
    }
}

#[test]
fn payloads_names_tickets_and_urls_are_never_told() {
    let told = secretive();
    assert!(told.len() > 14);
    for (_, _, fields) in &told {
        for secret in ["s3cret", "t0k3n", "joe"] {
            assert!(!fields.contains(secret), "{fields}");
        }
    }
}

#[test]
fn what_is_joined_left_and_closed_is_told_and_who_broke_the_protocol() {
    let told = told_of(|| {
        let (mut world, client) = World::with(config().reconnect(ReconnectPolicy::loowy()));
        world.accept();
        world.send(WELCOME);
        world.send(r#"[99,"s3cret"]"#);
        world.cut(TransportErrorKind::Eof);
        world.finish(client.close()).unwrap();
    });
    let loud: Vec<(Level, &str)> = told
        .iter()
        .filter(|(level, ..)| *level <= Level::INFO)
        .map(|(level, _, fields)| (*level, fields.as_str()))
        .collect();
    let [joined, broke, left, closed] = &loud[..] else { panic!("{loud:?}") };
    assert!(joined.0 == Level::INFO && joined.1.contains("session=7814135"), "{joined:?}");
    assert!(broke.0 == Level::WARN && broke.1.contains("violation="), "{broke:?}");
    assert!(left.0 == Level::INFO && left.1.contains("attempt=1 retry_in_ms=2000"), "{left:?}");
    assert!(closed.0 == Level::INFO && closed.1.contains("cause="), "{closed:?}");
    assert!(told.iter().all(|(_, _, fields)| !fields.contains("s3cret")));
}

#[test]
fn a_subscriber_may_use_the_client_and_is_under_no_lock() {
    let client: Arc<OnceLock<Client>> = Arc::default();
    let told = Told::default();
    let in_subscriber = Arc::clone(&client);
    let collect = Collect(Arc::clone(&told), move || {
        // It would wait for the lock forever.
        let _ = in_subscriber.get().map(Client::session);
    });
    with_default(collect, || {
        let (mut world, made) = World::new(config());
        client.set(made).unwrap();
        world.accept();
        world.send(WELCOME);
        world.cut(TransportErrorKind::Eof);
        let closed = world.finish(client.get().unwrap().joined());
        assert!(matches!(closed, Err(CloseCause::Transport(_))));
    });
    assert!(told.lock().unwrap().iter().any(|(_, _, fields)| fields.contains("closed")));
}

#[test]
fn a_subscriber_that_panics_stops_nothing() {
    let told = Told::default();
    let collect = Collect(Arc::clone(&told), || std::panic::resume_unwind(Box::new("a bug")));
    with_default(collect, || {
        let (mut world, client) = World::joined();
        world.finish(client.publish("a.b", 1)).unwrap();
        world.expect(r#"[16,1,{},"a.b",[1]]"#);
        world.cut(TransportErrorKind::Eof);
        assert!(world.finish(client.joined()).is_err());
    });
    assert!(told.lock().unwrap().len() > 4);
}
