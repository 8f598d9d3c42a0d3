//! What every router has.

use bytes::Bytes;
use loowy_tokio::{ArgsKwargs, CloseCause, Config, ConnectionEvent, Format, Kwargs, Value, WampError, WithInvocation};
use serde::{Deserialize, Serialize};

use super::{FORMATS, Method, Router, join, own, wamp_error};

#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Order {
    product: String,
    count: u32,
}

/// Everything that two sessions of one configuration do with each other.
pub(super) async fn profile(router: Router, url: String, format: Format, method: Method) {
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
    // xconn does not say how it authenticated whom.
    if router != Router::Xconn {
        assert_eq!(session.details.authmethod.as_deref(), Some(authmethod));
    }
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

/// Values of each kind, called and returned between sessions of these formats.
pub(super) async fn values(url: String, formats: &[Format]) {
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
    for &to in formats {
        let callee = join(&url, to, Method::Anonymous).await;
        let procedure = own(&callee, "echo");
        let echo =
            callee.register_fn(procedure.as_str(), |values: Vec<Value>| async move { Ok(values) }).await.unwrap();
        for &from in formats {
            let caller = join(&url, from, Method::Anonymous).await;
            let result = caller.call(procedure.as_str(), &sent).await.unwrap();
            assert_eq!(result.arg::<Vec<Value>>(0).unwrap(), sent, "from {from} to {to}");
            caller.close().await.unwrap();
        }
        drop(echo);
        callee.close().await.unwrap();
    }
}

/// Integers beyond 2^53 in JSON, and the ends of their ranges.
pub(super) async fn large_integers(url: String) {
    let client = join(&url, Format::Json, Method::Anonymous).await;
    let procedure = own(&client, "echo");
    let echo = client.register_fn(procedure.as_str(), |n: (u64, i64)| async move { Ok(n) }).await.unwrap();
    for numbers in [(u64::MAX, i64::MIN), ((1 << 53) + 1, i64::MAX)] {
        let result = client.call(procedure.as_str(), numbers).await.unwrap();
        assert_eq!(result.args::<(u64, i64)>().unwrap(), numbers);
    }
    drop(echo);
    client.close().await.unwrap();
}

/// Two realms have nothing in common, and others are not there.
pub(super) async fn realms(url: String) {
    for format in FORMATS {
        let here = join(&url, format, Method::Anonymous).await;
        let there = loowy_tokio::connect(Config::new(url.as_str(), "realm2").formats([format])).await.unwrap();
        assert_eq!(&*there.config().realm(), "realm2");
        let name = own(&here, "name");
        let mut events = here.subscribe(name.as_str()).await.unwrap();
        let guard = here.register_fn(name.as_str(), |()| async move { Ok("here") }).await.unwrap();
        let error = wamp_error(there.call(name.as_str(), ()).await.unwrap_err());
        assert_eq!(error.uri(), "wamp.error.no_such_procedure");
        there.publish_acked(name.as_str(), "there").await.unwrap();
        let other = join(&url, format, Method::Anonymous).await;
        other.publish_acked(name.as_str(), "here").await.unwrap();
        assert_eq!(events.next().await.unwrap().arg::<String>(0).unwrap(), "here");
        drop(guard);
        for client in [here, there, other] {
            client.close().await.unwrap();
        }
    }
}

/// A call of 1 MiB, and its result.
pub(super) async fn large_messages(url: String) {
    for format in FORMATS {
        let client = join(&url, format, Method::Anonymous).await;
        let procedure = own(&client, "echo");
        let echo = client.register_fn(procedure.as_str(), |text: String| async move { Ok(text) }).await.unwrap();
        let text = "0123456789abcdef".repeat(1 << 16);
        let result = client.call(procedure.as_str(), text.as_str()).await.unwrap();
        assert_eq!(result.arg::<String>(0).unwrap(), text);
        drop(echo);
        client.close().await.unwrap();
    }
}

/// 16 tasks that share a session.
pub(super) async fn many_callers(url: String) {
    let callee = join(&url, Format::Cbor, Method::Anonymous).await;
    let procedure = own(&callee, "double");
    let double = callee.register_fn(procedure.as_str(), |n: u64| async move { Ok(n.wrapping_mul(2)) }).await.unwrap();
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
}

/// Results in parts, in each format.
pub(super) async fn progressive_results(url: String) {
    for format in FORMATS {
        let callee = join(&url, format, Method::Anonymous).await;
        let caller = join(&url, format, Method::Anonymous).await;
        let procedure = own(&callee, "count");
        let count = callee
            .register_fn(procedure.as_str(), |call: WithInvocation<(u32,)>| async move {
                let (last,) = call.args;
                for number in 0..last {
                    call.invocation.progress(number).await?;
                }
                Ok("done")
            })
            .await
            .unwrap();
        let mut parts = caller.call_progressive(procedure.as_str(), 3).await.unwrap();
        let mut numbers = Vec::new();
        while let Some(part) = parts.next().await {
            numbers.push(part.arg::<u32>(0).unwrap());
        }
        assert_eq!(numbers, [0, 1, 2], "{format}");
        assert_eq!(parts.finish().await.unwrap().arg::<String>(0).unwrap(), "done");
        // Who takes no parts gets the result.
        let result = caller.call(procedure.as_str(), 3).await.unwrap();
        assert_eq!(result.arg::<String>(0).unwrap(), "done");
        count.unregister().await.unwrap();
        caller.close().await.unwrap();
        callee.close().await.unwrap();
    }
}
