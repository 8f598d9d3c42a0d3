//! The client against a live Crossbar.io: set `LOOWY_CROSSBAR` to the URL of its WebSocket, as `.ci/routers/with crossbar` does. Without it
//! these tests are skipped.
//!
//! A test that really ran prints `interop ran: NAME`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::env;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use loowy_tokio::{
    ArgsKwargs, Client, CloseCause, Config, ConnectionEvent, Format, Kwargs, RequestError, Value, WampError, auth,
};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

/// Nothing here takes longer, on a machine that has other things to do as well.
const DEADLINE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy)]
enum Method {
    Anonymous,
    Ticket,
    Cra,
    SaltedCra,
}

/// Runs a test against the router, if there is one.
async fn run<F: Future<Output = ()>>(name: &str, test: impl FnOnce(String) -> F) {
    match env::var("LOOWY_CROSSBAR") {
        Ok(url) => {
            timeout(DEADLINE, test(url)).await.expect("the test did not end in time");
            println!("interop ran: {name}");
        }
        Err(_) => println!("skipped: LOOWY_CROSSBAR is not set"),
    }
}

fn config(url: &str, format: Format, method: Method) -> Config {
    let config = Config::new(url, "realm1").formats([format]);
    match method {
        Method::Anonymous => config,
        Method::Ticket => config.authenticator(auth::Ticket::new("peter", "ticket1")),
        Method::Cra => config.authenticator(auth::Cra::new("peter", "secret1")),
        Method::SaltedCra => config.authenticator(auth::Cra::new("peter-salted", "secret1")),
    }
}

async fn join(url: &str, format: Format, method: Method) -> Client {
    loowy_tokio::connect(config(url, format, method)).await.unwrap()
}

/// A URI that no other test uses.
fn own(client: &Client, name: &str) -> String {
    format!("com.loowy.s{}.{name}", client.session().unwrap().session)
}

#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Order {
    product: String,
    count: u32,
}

/// Everything that two sessions of one configuration do with each other.
async fn basic_profile(url: String, format: Format, method: Method) {
    let alice = join(&url, format, method).await;
    let bob = join(&url, format, method).await;
    let session = alice.session().unwrap();
    assert_eq!(session.format, format);
    let (authmethod, authid) = match method {
        Method::Anonymous => ("anonymous", None),
        Method::Ticket => ("ticket", Some("peter")),
        Method::Cra => ("wampcra", Some("peter")),
        Method::SaltedCra => ("wampcra", Some("peter-salted")),
    };
    assert_eq!(session.details.authmethod.as_deref(), Some(authmethod));
    if authid.is_some() {
        assert_eq!(session.details.authid.as_deref(), authid);
    }

    // Publish and subscribe.
    let topic = own(&alice, "topic");
    let mut events = alice.subscribe(topic.as_str()).await.unwrap();
    bob.publish(topic.as_str(), ("nuts", 2.5)).await.unwrap();
    let publication =
        bob.publish_acked(topic.as_str(), Kwargs(Order { product: "bolts".into(), count: 3 })).await.unwrap();
    let event = events.next().await.unwrap();
    assert_eq!(event.args::<(String, f64)>().unwrap(), ("nuts".to_owned(), 2.5));
    let event = events.next().await.unwrap();
    assert_eq!(event.publication(), publication);
    assert_eq!(event.kwargs::<Order>().unwrap(), Order { product: "bolts".into(), count: 3 });
    events.unsubscribe().await.unwrap();
    bob.publish_acked(topic.as_str(), ()).await.unwrap();

    // Call and register.
    let procedure = own(&alice, "divide");
    let divide = bob
        .register_fn(procedure.as_str(), move |(a, b): (i64, i64)| async move {
            if b == 0 {
                let error = WampError::new("com.loowy.error.division_by_zero")?;
                return Err(error.payload(ArgsKwargs((a,), Order { product: "none".into(), count: 0 }))?.into());
            }
            Ok((a / b, a % b))
        })
        .await
        .unwrap();
    let result = alice.call(procedure.as_str(), (17, 5)).await.unwrap();
    assert_eq!(result.args::<(i64, i64)>().unwrap(), (3, 2));
    let error = wamp_error(alice.call(procedure.as_str(), (17, 0)).await.unwrap_err());
    assert_eq!(error.uri(), "com.loowy.error.division_by_zero");
    assert_eq!(error.arg::<i64>(0).unwrap(), 17);
    assert_eq!(error.kwargs::<Order>().unwrap().product, "none");
    let error = wamp_error(alice.call(procedure.as_str(), ("seventeen", 5)).await.unwrap_err());
    assert_eq!(error.uri(), "wamp.error.invalid_argument");
    let error = wamp_error(alice.register(procedure.as_str()).await.unwrap_err());
    assert_eq!(error.uri(), "wamp.error.procedure_already_exists");
    divide.unregister().await.unwrap();
    let error = wamp_error(alice.call(procedure.as_str(), (17, 5)).await.unwrap_err());
    assert_eq!(error.uri(), "wamp.error.no_such_procedure");

    // A stream of invocations.
    let mut calls = bob.register(procedure.as_str()).await.unwrap();
    let serve = async {
        let call = calls.next().await.unwrap();
        let text: String = call.arg(0).unwrap();
        call.reply(text.to_uppercase()).unwrap();
    };
    let (result, ()) = tokio::join!(alice.call(procedure.as_str(), "loud"), serve);
    assert_eq!(result.unwrap().arg::<String>(0).unwrap(), "LOUD");
    calls.unregister().await.unwrap();

    // The router answers GOODBYE with wamp.close.normal, and the end is clean.
    let mut states = alice.connection_events();
    assert!(matches!(states.next().await, Some(ConnectionEvent::Joined(_))));
    alice.close().await.unwrap();
    let Some(ConnectionEvent::Closed(cause)) = states.next().await else { panic!("no end") };
    assert!(matches!(*cause, CloseCause::Application), "{cause:?}");
    bob.drain().await.unwrap();
}

fn wamp_error(error: RequestError) -> WampError {
    match error {
        RequestError::Wamp(error) => error,
        error => panic!("expected an ERROR, got {error:?}"),
    }
}

macro_rules! matrix {
    ($($name:ident: $format:ident $method:ident;)*) => {$(
        #[tokio::test]
        async fn $name() {
            run(stringify!($name), |url| basic_profile(url, Format::$format, Method::$method)).await;
        }
    )*};
}

matrix! {
    json_anonymous: Json Anonymous;
    json_ticket: Json Ticket;
    json_wampcra: Json Cra;
    json_wampcra_salted: Json SaltedCra;
    msgpack_anonymous: MsgPack Anonymous;
    msgpack_ticket: MsgPack Ticket;
    msgpack_wampcra: MsgPack Cra;
    msgpack_wampcra_salted: MsgPack SaltedCra;
    cbor_anonymous: Cbor Anonymous;
    cbor_ticket: Cbor Ticket;
    cbor_wampcra: Cbor Cra;
    cbor_wampcra_salted: Cbor SaltedCra;
}

#[tokio::test]
async fn values_cross_formats_unchanged() {
    run("values_cross_formats_unchanged", |url| async move {
        let sent = vec![
            Value::from(Bytes::from_static(b"\x00\xff bytes \x80")),
            Value::from(Bytes::new()),
            Value::from(u64::MAX),
            Value::from(i64::MIN),
            Value::from(i64::MAX),
            Value::from((1_u64 << 53) + 1),
            Value::from(0.1),
            Value::from("text äöü 😀"),
            Value::Null,
            Value::from(true),
            Value::from(vec![Value::from(Bytes::from_static(b"nested"))]),
        ];
        for to in [Format::Json, Format::MsgPack, Format::Cbor] {
            let callee = join(&url, to, Method::Anonymous).await;
            let procedure = own(&callee, "echo");
            let echo =
                callee.register_fn(procedure.as_str(), |values: Vec<Value>| async move { Ok(values) }).await.unwrap();
            for from in [Format::Json, Format::MsgPack, Format::Cbor] {
                let caller = join(&url, from, Method::Anonymous).await;
                let result = caller.call(procedure.as_str(), &sent).await.unwrap();
                assert_eq!(result.arg::<Vec<Value>>(0).unwrap(), sent, "from {from} to {to}");
                caller.close().await.unwrap();
            }
            drop(echo);
            callee.close().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn several_methods_are_offered_in_their_order() {
    run("several_methods_are_offered_in_their_order", |url| async move {
        let config = Config::new(url, "realm1")
            .authenticator(auth::Cra::new("peter", "secret1"))
            .authenticator(auth::Ticket::new("peter", "ticket1"));
        let client = loowy_tokio::connect(config).await.unwrap();
        let session = client.session().unwrap();
        assert_eq!(session.details.authmethod.as_deref(), Some("wampcra"));
        client.close().await.unwrap();
    })
    .await;
}

/// What the router says when it refuses to let somebody join.
async fn refusal(config: Config) -> (String, Option<String>) {
    match loowy_tokio::connect(config).await.unwrap_err() {
        CloseCause::Abort(abort) => (abort.reason.to_string(), abort.details.message.as_deref().map(str::to_owned)),
        cause => panic!("expected an ABORT, got {cause:?}"),
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    run("a_wrong_password_is_refused", |url| async move {
        for format in [Format::Json, Format::MsgPack, Format::Cbor] {
            let config = Config::new(url.as_str(), "realm1").formats([format]);
            let (reason, _) = refusal(config.clone().authenticator(auth::Ticket::new("peter", "wrong"))).await;
            assert_eq!(reason, "wamp.error.not_authorized");
            let (reason, _) = refusal(config.clone().authenticator(auth::Cra::new("peter", "wrong"))).await;
            assert_eq!(reason, "wamp.error.not_authorized");
            let (reason, _) = refusal(config.authenticator(auth::Cra::new("peter-salted", "wrong"))).await;
            assert_eq!(reason, "wamp.error.not_authorized");
        }
    })
    .await;
}

#[tokio::test]
async fn an_unknown_realm_is_refused() {
    run("an_unknown_realm_is_refused", |url| async move {
        let (reason, message) = refusal(Config::new(url, "no.such.realm")).await;
        assert_eq!(reason, "wamp.error.no_such_realm");
        assert!(message.is_some());
    })
    .await;
}

#[tokio::test]
async fn what_a_role_may_not_do_is_refused() {
    run("what_a_role_may_not_do_is_refused", |url| async move {
        let config = Config::new(url, "realm1").authenticator(auth::Ticket::new("limited", "ticket2"));
        let client = loowy_tokio::connect(config).await.unwrap();
        let error = wamp_error(client.publish_acked("com.private.topic", ()).await.unwrap_err());
        assert_eq!(error.uri(), "wamp.error.not_authorized");
        let error = wamp_error(client.subscribe("com.private.topic").await.unwrap_err());
        assert_eq!(error.uri(), "wamp.error.not_authorized");
        let subscription = client.subscribe("com.public.topic").await.unwrap();
        drop(subscription);
        client.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn large_messages_pass_in_both_directions() {
    run("large_messages_pass_in_both_directions", |url| async move {
        for format in [Format::Json, Format::MsgPack, Format::Cbor] {
            let client = join(&url, format, Method::Anonymous).await;
            let procedure = own(&client, "echo");
            let echo = client.register_fn(procedure.as_str(), |text: String| async move { Ok(text) }).await.unwrap();
            let text = "0123456789abcdef".repeat(1 << 16);
            let result = client.call(procedure.as_str(), text.as_str()).await.unwrap();
            assert_eq!(result.arg::<String>(0).unwrap(), text);
            drop(echo);
            client.close().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn sixteen_callers_at_once_get_their_own_results() {
    run("sixteen_callers_at_once_get_their_own_results", |url| async move {
        let callee = join(&url, Format::Cbor, Method::Anonymous).await;
        let procedure = own(&callee, "double");
        let double =
            callee.register_fn(procedure.as_str(), |n: u64| async move { Ok(n.wrapping_mul(2)) }).await.unwrap();
        let caller = join(&url, Format::MsgPack, Method::Anonymous).await;
        let tasks: Vec<_> = (0..16_u64)
            .map(|task| {
                let (caller, procedure) = (caller.clone(), procedure.clone());
                tokio::spawn(async move {
                    for n in task * 100..task * 100 + 50 {
                        let result = caller.call(&procedure, n).await.unwrap();
                        assert_eq!(result.arg::<u64>(0).unwrap(), n * 2);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        drop(double);
        caller.close().await.unwrap();
        callee.close().await.unwrap();
    })
    .await;
}
