//! What clients tell `tracing`, and what they never tell.

mod decisions;
pub(crate) mod recorder;

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tracing::Level;
use wamp_session::client::Client;
use wamp_session::proto::{ArgsKwargs, Dict};
use wamp_session::{CloseCause, Config, ReconnectPolicy, TransportErrorKind, auth};

use self::recorder::{Told, at, told_of, told_to};
use crate::driver::subscribe;
use crate::world::{WELCOME, World};

fn config() -> Config {
    Config::new("ws://router/ws?token=t0k3n", "realm1").agent(None).keep_alive(None)
}

/// A life in which everything that is secret is so by its text, but for signatures, which are returned.
fn secretive() -> (Vec<Told>, Vec<String>) {
    let mut signatures = Vec::new();
    let told = told_of(|| {
        let ticket = auth::Ticket::new("joe", "s3cret-ticket");
        let cra = auth::Cra::new("joe", "s3cret-password");
        let policy = ReconnectPolicy::loowy();
        let (mut world, client) = World::with(config().reconnect(policy).authenticator(ticket).authenticator(cra));
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
        // The next session, with the other method.
        let mut lost = client.call("com.s3cret.procedure", secret());
        assert!(world.poll(&mut lost).is_pending());
        world.cut(TransportErrorKind::Closed { code: Some(1001), reason: "bye, joe".to_owned() });
        assert!(world.finish(lost).is_err());
        world.received();
        world.advance(Duration::from_secs(2));
        world.accept();
        world.received();
        world
            .send(r#"[4,"wampcra",{"challenge":"s3cret-challenge","salt":"s3cret-salt","keylen":32,"iterations":10}]"#);
        signatures.push(world.received().split('"').nth(1).unwrap().to_owned());
        world.send(WELCOME);
        world.send(r#"[8,32,1,{"why":"s3cret"},"com.s3cret.refused"]"#);
        drop(subscription);
        // A handler whose arguments, results and failures are secret.
        let mut register = client.register_fn("com.s3cret.served", |(text,): (String,)| async move {
            match &*text {
                "s3cret-panic" => std::panic::resume_unwind(Box::new(text)),
                "s3cret-fails" => Err(std::io::Error::other(text).into()),
                _ => Ok(text),
            }
        });
        assert!(world.poll(&mut register).is_pending());
        world.received();
        world.send("[65,2,50]");
        let guard = world.finish(register).unwrap();
        for (request, text) in ["s3cret-input", "s3cret-panic", "s3cret-fails"].into_iter().enumerate() {
            world.send(&format!(r#"[68,{},50,{{}},["{text}"]]"#, request + 1));
            world.received();
        }
        world.send(r#"[68,4,50,{},["s3cret-extra",7]]"#);
        drop(guard);
        // The end: the router is not what it was.
        world.send(r#"[50,2,{"s3cret":[]},"s3cret-no-list"]"#);
        world.cut(TransportErrorKind::Eof);
        let mut close = client.close();
        let _ = world.poll(&mut close);
    });
    (told, signatures)
}

#[test]
fn each_frame_is_told_by_its_type_request_and_size() {
    let (told, _) = secretive();
    let wire: Vec<&Told> = told.iter().filter(|told| told.level == Level::TRACE).collect();
    assert!(wire.iter().all(|told| told.target == "wamp_session::wire"));
    let kinds: Vec<(bool, &str)> = wire
        .iter()
        .map(|told| {
            let message = told.fields.split("message_type=\"").nth(1).unwrap().split('"').next().unwrap();
            (told.fields.contains("direction=\"sent\""), message)
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
    ];
    assert_eq!(kinds[..expected.len()], expected);
    let result = &wire[expected.len() - 1].fields;
    for field in ["transport=0 ", "request=4", "bytes=27", "format=JSON"] {
        assert!(result.contains(field), "{field} is not in {result}");
    }
}

#[test]
fn payloads_names_tickets_signatures_and_urls_are_never_told() {
    let (told, signatures) = secretive();
    for level in [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN] {
        assert!(told.iter().any(|told| told.level == level), "nothing is told at {level}");
    }
    let [signature] = &signatures[..] else { panic!("the challenge was not answered") };
    assert_eq!(signature.len(), 44, "it is no signature: {signature}");
    for told in &told {
        let text = format!("{} {}", told.fields, told.spans.join(" "));
        for secret in ["s3cret", "t0k3n", "joe", signature] {
            assert!(!text.contains(secret), "{text}");
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
        .filter(|told| told.level <= Level::INFO)
        .map(|told| {
            assert_eq!(told.target, "wamp_session::client");
            (told.level, told.fields.as_str())
        })
        .collect();
    let expected = [
        (Level::INFO, "message=joined session=7814135 format=JSON"),
        (Level::WARN, "message=the router broke the protocol violation=a frame is no message byte=1"),
        (
            Level::INFO,
            r#"message=left session=7814135 cause="protocol violation" attempt=1 retry_in_ms=2000 lost_publishes=0"#,
        ),
        (Level::INFO, r#"message=closed cause="application""#),
    ];
    assert_eq!(loud, expected);
    assert!(told.iter().all(|told| !told.fields.contains("s3cret")));
}

#[test]
fn an_outage_is_told_once_and_its_attempts_are_details() {
    let told = told_of(|| {
        let (mut world, client) = World::with(config().reconnect(ReconnectPolicy::loowy().max_attempts(None)));
        world.accept();
        world.send(WELCOME);
        world.cut(TransportErrorKind::Eof);
        for _ in 0..1_000 {
            world.advance(Duration::from_secs(2));
            world.refuse(TransportErrorKind::Connect);
        }
        world.advance(Duration::from_secs(2));
        world.accept();
        world.send(WELCOME);
        assert!(client.session().is_some());
    });
    assert_eq!(at(Level::WARN, &told).len() + at(Level::ERROR, &told).len(), 0);
    let info = at(Level::INFO, &told);
    let [joined, left, again, closed] = &info[..] else { panic!("{info:?}") };
    assert!(joined.starts_with("message=joined") && left.starts_with("message=left"), "{info:?}");
    assert!(again.starts_with("message=joined") && closed.starts_with("message=closed"), "{info:?}");
    assert_eq!(recorder::decisions(&told, "an attempt to join has failed").len(), 1_000);
}

#[test]
fn what_is_told_lies_in_the_span_of_its_session() {
    let told = told_of(|| {
        let (mut world, client) = World::with(config().reconnect(ReconnectPolicy::loowy()));
        for session in [11, 12] {
            world.accept();
            world.received();
            world.send(&format!(r#"[2,{session},{{"roles":{{"broker":{{}}}}}}]"#));
            world.finish(client.publish("a.b", session)).unwrap();
            world.received();
            world.cut(TransportErrorKind::Eof);
            world.advance(Duration::from_secs(2));
        }
    });
    const CLIENT: &str = r#"client realm="realm1""#;
    let spans_of = |start: &str, contains: &str| -> Vec<&str> {
        let found = told.iter().filter(|told| told.fields.starts_with(start) && told.fields.contains(contains));
        found
            .map(|told| {
                assert_eq!(told.spans.len(), 1, "{told:?}");
                told.spans[0].as_str()
            })
            .collect()
    };
    let sessions = [r#"client realm="realm1" > session session=11"#, r#"client realm="realm1" > session session=12"#];
    assert_eq!(spans_of("message=frame", "PUBLISH"), sessions);
    assert_eq!(spans_of("message=joined", ""), sessions);
    assert_eq!(spans_of("message=left", ""), sessions);
    assert_eq!(spans_of("message=frame", "HELLO"), [CLIENT; 2]);
    assert_eq!(spans_of("message=opening a transport", ""), [CLIENT; 3]);
}

#[test]
fn a_subscriber_may_use_the_client_and_is_under_no_lock() {
    let client: Arc<OnceLock<Client>> = Arc::default();
    let in_subscriber = Arc::clone(&client);
    let calls = Arc::new(Mutex::new(0));
    let count = Arc::clone(&calls);
    let when_called = move || {
        *count.lock().unwrap() += 1;
        // It would wait for the lock forever.
        let _ = in_subscriber.get().map(Client::session);
    };
    let told = told_to(when_called, || {
        let (mut world, made) = World::new(config());
        client.set(made).unwrap();
        world.accept();
        world.send(WELCOME);
        world.cut(TransportErrorKind::Eof);
        let closed = world.finish(client.get().unwrap().joined());
        assert!(matches!(closed, Err(CloseCause::Transport(_))));
    });
    assert!(told.iter().any(|told| told.fields.contains("closed")));
    assert!(*calls.lock().unwrap() > told.len(), "it was called for spans as well");
}

#[test]
fn a_subscriber_that_panics_stops_nothing() {
    let panics = || {
        if !std::thread::panicking() {
            std::panic::resume_unwind(Box::new("a bug"));
        }
    };
    told_to(panics, || {
        let (mut world, client) = World::joined();
        world.finish(client.publish("a.b", 1)).unwrap();
        world.expect(r#"[16,1,{},"a.b",[1]]"#);
        world.cut(TransportErrorKind::Eof);
        assert!(world.finish(client.joined()).is_err());
    });
}
