//! The client of ours that peers talk to.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use loowy_tokio::passthru::{Passthru, PassthruCodec, PassthruError};
use loowy_tokio::{
    ArgsKwargs, CallOptions, CancelMode, Client, Config, Format, HandlerError, OngoingInvocation, Payload,
    RegistrationGuard, RequestError, Value, WampError, WithDetails, WithInvocation,
};
use tokio::sync::{Mutex, Notify, mpsc};

/// Seals nothing: what is packed is what is sent.
struct Plain;

impl PassthruCodec for Plain {
    fn seal(&self, _: &mut Passthru, packed: Vec<u8>) -> Result<Vec<u8>, PassthruError> {
        Ok(packed)
    }

    fn open(&self, _: &Passthru, sealed: Bytes) -> Result<Bytes, PassthruError> {
        Ok(sealed)
    }
}

type Reason = BTreeMap<String, String>;

/// A session that serves what peers call, and calls what they serve.
pub(crate) struct Host {
    client: Client,
    guards: Vec<RegistrationGuard>,
}

impl Host {
    pub(crate) async fn join(url: &str, format: Format) -> Self {
        let config = Config::new(url, "realm1").formats([format]).passthru_codec("x_plain", Plain);
        let client = loowy_tokio::connect(config).await.unwrap();
        let mut host = Self { client, guards: Vec::new() };
        host.serve_calls().await;
        host.serve_cancels().await;
        host.tell_events().await;
        host.serve_checks().await;
        host
    }

    pub(crate) async fn close(self) {
        assert!(self.guards.iter().all(|guard| guard.end().is_none()));
        self.client.close().await.unwrap();
    }

    async fn serve_calls(&mut self) {
        let client = &self.client;
        let add = client.register_fn("com.host.add", |(a, b): (i64, i64)| async move { Ok(a + b) });
        let echo = client.register_fn("com.host.echo", |payload: Payload| async move { Ok(payload) });
        let fail =
            client.register_fn("com.host.fail", |_: Payload| async move { Err::<(), _>(bad("com.host.error.bad")?) });
        let count = client.register_fn("com.host.count", |call: WithInvocation<(u32,)>| async move {
            for number in 0..call.args.0 {
                call.invocation.progress(number).await?;
            }
            Ok("done")
        });
        let sum = client.register_fn("com.host.sum", |call: WithInvocation<(i64,)>| async move {
            let (mut sum,) = call.args;
            let mut inputs = call.invocation.inputs();
            while let Some(input) = inputs.next().await {
                call.invocation.progress(sum).await?;
                sum += input.arg::<i64>(0)?;
            }
            Ok(sum)
        });
        let sealed = client.register_fn("com.host.sealed", |call: WithDetails<Payload>| async move {
            // The answer is sealed as the call is.
            call.details.ppt_scheme.ok_or(WampError::new("com.host.error.not_sealed")?)?;
            Ok(call.args)
        });
        for procedure in [add, echo, fail, count, sum, sealed] {
            self.guards.push(procedure.await.unwrap());
        }
    }

    /// A procedure that never ends by itself, and two that tell whether it has begun and whether it was told to end.
    async fn serve_cancels(&mut self) {
        let (begun, begins) = mpsc::unbounded_channel::<OngoingInvocation>();
        let stuck = self.client.register_fn("com.host.stuck", move |call: WithInvocation<Payload>| {
            let begun = begun.clone();
            async move {
                begun.send(call.invocation)?;
                std::future::pending::<Result<(), HandlerError>>().await
            }
        });
        let begins = Arc::new(Mutex::new(begins));
        let last = Arc::new(Mutex::new(None));
        let seen = Arc::clone(&last);
        let has_begun = self.client.register_fn("com.host.stuck_has_begun", move |_: Payload| {
            let (begins, seen) = (Arc::clone(&begins), Arc::clone(&seen));
            async move {
                *seen.lock().await = begins.lock().await.recv().await;
                Ok(())
            }
        });
        // What came before this call is known to the client now.
        let was_told = self.client.register_fn("com.host.stuck_was_told", move |(or_not,): (bool,)| {
            let last = Arc::clone(&last);
            async move {
                let invocation = last.lock().await.take().ok_or(WampError::new("com.host.error.not_begun")?)?;
                if or_not && !invocation.is_cancelled() {
                    return Ok("not told");
                }
                invocation.cancelled().await;
                Ok("told")
            }
        });
        self.guards.extend([stuck.await.unwrap(), has_begun.await.unwrap(), was_told.await.unwrap()]);
    }

    /// A subscription, and a procedure that tells its next event.
    async fn tell_events(&mut self) {
        let events = Arc::new(Mutex::new(self.client.subscribe("com.host.topic").await.unwrap()));
        let next = self.client.register_fn("com.host.next_event", move |_: Payload| {
            let events = Arc::clone(&events);
            async move {
                let event = events.lock().await.next().await.ok_or(WampError::new("com.host.error.no_events")?)?;
                let (number, text): (u32, String) = event.args()?;
                let reason: Reason = event.kwargs()?;
                Ok(format!("{} {number} {text} {}", event.publication(), reason["why"]))
            }
        });
        self.guards.push(next.await.unwrap());
    }

    /// A procedure that tries what the peer serves.
    async fn serve_checks(&mut self) {
        let begun = Arc::new(Notify::new());
        let notified = Arc::clone(&begun);
        let has_begun = self.client.register_fn("com.host.peer_has_begun", move |_: Payload| {
            notified.notify_one();
            async { Ok(()) }
        });
        self.guards.push(has_begun.await.unwrap());
        self.serve_check("com.host.checks", |client| async move { check(&client).await }).await;
        self.serve_check("com.host.checks_of_cancels", move |client| {
            let begun = Arc::clone(&begun);
            async move { check_cancels(&client, &begun).await }
        })
        .await;
        self.serve_check("com.host.checks_of_parts", |client| async move { check_parts(&client).await }).await;
        self.serve_check("com.host.checks_of_sealed", |client| async move { check_sealed(&client).await }).await;
    }

    /// A procedure that panics, which its caller is told, unless all is well.
    async fn serve_check<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        procedure: &str,
        check: impl Fn(Client) -> F + Send + Sync + 'static,
    ) {
        let client = self.client.clone();
        let guard = self.client.register_fn(procedure, move |_: Payload| {
            let checked = check(client.clone());
            async move {
                checked.await;
                Ok("all is well")
            }
        });
        self.guards.push(guard.await.unwrap());
    }
}

/// An error with arguments of both kinds.
fn bad(uri: &str) -> Result<HandlerError, HandlerError> {
    Ok(WampError::new(uri)?.payload(ArgsKwargs((1, "x"), because()))?.into())
}

fn because() -> Reason {
    BTreeMap::from([("why".to_owned(), "because".to_owned())])
}

fn wamp_error(error: RequestError) -> WampError {
    match error {
        RequestError::Wamp(error) => error,
        error => panic!("expected an ERROR, got {error:?}"),
    }
}

/// Calls what the peer serves, and publishes to it.
async fn check(client: &Client) {
    let sent = vec![
        Value::from(Bytes::from_static(b"\x00\xff bytes")),
        // JavaScript sends larger ones as floats.
        Value::from(u64::from(u32::MAX)),
        Value::from(i64::from(i32::MIN)),
        Value::from(0.1),
        Value::from("text äöü 😀"),
        Value::Null,
        Value::from(true),
        Value::from(vec![Value::from("nested"), Value::from(Vec::<Value>::new())]),
    ];
    let result = client.call("com.peer.echo", ArgsKwargs((&sent, "x"), because())).await.unwrap();
    assert_eq!(result.args::<(Vec<Value>, String)>().unwrap(), (sent, "x".to_owned()));
    assert_eq!(result.kwargs::<Reason>().unwrap(), because());

    let error = wamp_error(client.call("com.peer.fail", ()).await.unwrap_err());
    assert_eq!(error.uri(), "com.peer.error.bad");
    assert_eq!(error.args::<(u32, String)>().unwrap(), (1, "x".to_owned()));
    assert_eq!(error.kwargs::<Reason>().unwrap(), because());

    let mut parts = client.call_progressive("com.peer.count", 3).await.unwrap();
    let mut numbers = Vec::new();
    while let Some(part) = parts.next().await {
        numbers.push(part.arg::<u32>(0).unwrap());
    }
    assert_eq!(numbers, [0, 1, 2]);
    assert_eq!(parts.finish().await.unwrap().arg::<String>(0).unwrap(), "done");

    client.publish_acked("com.peer.topic", ArgsKwargs((1, "x"), because())).await.unwrap();
}

/// Cancels a call in each mode.
async fn check_cancels(client: &Client, begun: &Notify) {
    for mode in [CancelMode::Kill, CancelMode::KillNoWait, CancelMode::Skip] {
        let call = client.call("com.peer.stuck", ());
        let stop = call.canceller();
        let waiting = tokio::spawn(call);
        begun.notified().await;
        stop.cancel(mode);
        match waiting.await.unwrap().unwrap_err() {
            RequestError::Canceled => {}
            // What a peer that can be interrupted answers, if it is waited for, or what the router says of one that cannot.
            RequestError::Wamp(error) if mode == CancelMode::Kill => {
                assert!(error.uri() == "com.peer.error.stopped" || error.uri() == "wamp.error.canceled", "{error:?}");
            }
            error => panic!("{mode:?}: {error:?}"),
        }
    }
}

/// Sends input in parts, and takes results in parts.
async fn check_parts(client: &Client) {
    let options = CallOptions::new().receive_progress();
    let (mut input, mut sums) = client.call_streaming_with("com.peer.sum", 1, options).await.unwrap();
    input.send(2).await.unwrap();
    input.finish(3).await.unwrap();
    let mut seen = Vec::new();
    while let Some(sum) = sums.next().await {
        seen.push(sum.arg::<i64>(0).unwrap());
    }
    assert_eq!(seen, [1, 3]);
    assert_eq!(sums.finish().await.unwrap().arg::<i64>(0).unwrap(), 6);
}

/// Calls with sealed payloads.
async fn check_sealed(client: &Client) {
    for serializer in ["cbor", "msgpack"] {
        let options = CallOptions::new().passthru(Passthru::new("x_plain").serializer(serializer));
        let payload = ArgsKwargs((7, "x", ()), because());
        let result = client.call_with("com.peer.echo", payload, options).await.unwrap();
        assert_eq!(result.details().ppt_scheme.as_deref(), Some("x_plain"));
        assert_eq!(result.args::<(u32, String, ())>().unwrap(), (7, "x".to_owned(), ()));
        assert_eq!(result.kwargs::<Reason>().unwrap(), because());
    }
}
