//! Clients and the embedded router over real sockets.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use loowy_tokio::router::{self, RealmConfig, RouterConfig, RouterLimits, RouterServer, User};
use loowy_tokio::{
    Client, CloseCause, Config, ConnectionEvent, Format, MatchPolicy, PublishOptions, Queue, ReconnectPolicy,
    RequestError, Status, SubscribeOptions, SubscriptionEnd, Value, WampError, auth,
};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// Nothing here takes longer, on a machine that has other things to do as well.
const DEADLINE: Duration = Duration::from_secs(60);

fn config() -> RouterConfig {
    let realm = RealmConfig::new("realm1")
        .unwrap()
        .anonymous("guest")
        .user(User::ticket("peter", "ticket1"))
        .user(User::wampcra("paul", "secret1"));
    router::config().unwrap().realm(realm).close_timeout(Duration::from_secs(2))
}

async fn serve() -> RouterServer {
    RouterServer::bind("127.0.0.1:0", config()).await.unwrap()
}

async fn join(server: &RouterServer, format: Format) -> Client {
    loowy_tokio::connect(Config::new(server.url(), "realm1").formats([format]).reconnect(ReconnectPolicy::never()))
        .await
        .unwrap()
}

/// Runs a test that must end.
async fn bounded<T>(test: impl Future<Output = T>) -> T {
    timeout(DEADLINE, test).await.expect("the test did not end in time")
}

#[tokio::test]
async fn trn_01_events_and_calls_cross_formats() {
    bounded(async {
        let server = serve().await;
        for callee in [Format::Json, Format::MsgPack, Format::Cbor] {
            let callee = join(&server, callee).await;
            let mut events = callee.subscribe("com.example.topic").await.unwrap();
            let echo =
                callee.register_fn("com.example.echo", |values: Vec<Value>| async move { Ok(values) }).await.unwrap();
            for caller in [Format::Json, Format::MsgPack, Format::Cbor] {
                let caller = join(&server, caller).await;
                let values =
                    vec![Value::from(u64::MAX), Value::from("x"), Value::from(bytes::Bytes::from_static(b"\0\xff"))];
                let result = caller.call("com.example.echo", &values).await.unwrap();
                assert_eq!(result.arg::<Vec<Value>>(0).unwrap(), values);
                caller.publish_acked("com.example.topic", &values).await.unwrap();
                assert_eq!(events.next().await.unwrap().arg::<Vec<Value>>(0).unwrap(), values);
                caller.close().await.unwrap();
            }
            echo.unregister().await.unwrap();
            callee.close().await.unwrap();
        }
        server.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn publishers_get_their_own_events_only_if_they_want() {
    bounded(async {
        let server = serve().await;
        let client = join(&server, Format::Json).await;
        let mut events = client.subscribe("com.example.topic").await.unwrap();
        client.publish_acked("com.example.topic", 1).await.unwrap();
        client.publish_acked_with("com.example.topic", 2, PublishOptions::new().exclude_me(false)).await.unwrap();
        assert_eq!(events.next().await.unwrap().arg::<u8>(0).unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn users_authenticate_and_wrong_secrets_are_refused() {
    bounded(async {
        let server = serve().await;
        let config = || Config::new(server.url(), "realm1");
        let peter = loowy_tokio::connect(config().authenticator(auth::Ticket::new("peter", "ticket1"))).await.unwrap();
        assert_eq!(peter.session().unwrap().details.authid.as_deref(), Some("peter"));
        let paul = loowy_tokio::connect(config().authenticator(auth::Cra::new("paul", "secret1"))).await.unwrap();
        assert_eq!(paul.session().unwrap().details.authmethod.as_deref(), Some("wampcra"));
        for wrong in [
            config().authenticator(auth::Ticket::new("peter", "wrong")),
            config().authenticator(auth::Cra::new("paul", "wrong")),
            Config::new(server.url(), "no.such.realm"),
        ] {
            let error = loowy_tokio::connect(wrong).await.unwrap_err();
            assert!(matches!(error, CloseCause::Abort(_)), "{error:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn handlers_may_call_back_into_the_client() {
    bounded(async {
        let server = serve().await;
        let client = join(&server, Format::Cbor).await;
        let inner = client.register_fn("com.example.inner", |n: u32| async move { Ok(n + 1) }).await.unwrap();
        let again = client.clone();
        let outer = client
            .register_fn("com.example.outer", move |n: u32| {
                let client = again.clone();
                async move {
                    let n: u32 = client.call("com.example.inner", n).await?.arg(0)?;
                    client.publish_acked("com.example.topic", n).await?;
                    Ok(n + 1)
                }
            })
            .await
            .unwrap();
        assert_eq!(client.call("com.example.outer", 1).await.unwrap().arg::<u32>(0).unwrap(), 3);
        drop((inner, outer));
    })
    .await;
}

#[tokio::test]
async fn need_05_handlers_of_events_stop_nobody_else_and_may_use_the_client() {
    bounded(async {
        let server = serve().await;
        let (client, publisher) = (join(&server, Format::Cbor).await, join(&server, Format::Json).await);
        let echo = client.register_fn("com.example.echo", |n: u32| async move { Ok(n) }).await.unwrap();
        let stuck = client.subscribe_fn("com.example.topic", |_: u32| std::future::pending()).await.unwrap();
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let inner = client.clone();
        let busy = client
            .subscribe_fn("com.example.topic", move |n: u32| {
                let (client, sender) = (inner.clone(), sender.clone());
                async move {
                    let echoed: u32 = client.call("com.example.echo", n).await?.arg(0)?;
                    sender.send(echoed)?;
                    Ok(())
                }
            })
            .await
            .unwrap();
        for n in 0..200_u32 {
            publisher.publish("com.example.topic", n).await.unwrap();
        }
        for n in 0..200 {
            assert_eq!(receiver.recv().await, Some(n), "in order");
        }
        assert_eq!((busy.failures(), stuck.failures(), stuck.missed()), (0, 0, 0));
        stuck.unsubscribe().await.unwrap();
        drop(echo);
        client.unsubscribe_all("com.example.topic").await.unwrap();
        assert!(busy.end().is_some());
        server.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn srv_02_and_rrv_02_the_server_revokes_subscriptions_and_registrations() {
    bounded(async {
        let server = serve().await;
        let client = join(&server, Format::MsgPack).await;
        let mut events = client.subscribe("com.example.topic").await.unwrap();
        let mut calls = client.register("com.example.procedure").await.unwrap();
        let meta = client.meta();
        let subscription = meta.lookup_subscription("com.example.topic", MatchPolicy::Exact).await.unwrap().unwrap();
        let registration = meta.match_registration("com.example.procedure").await.unwrap().unwrap();
        assert!(server.revoke_subscription("realm1", subscription, Some("no longer authorized")));
        assert!(server.revoke_registration("realm1", registration, None));
        assert!(events.next().await.is_none() && calls.next().await.is_none());
        let Some(SubscriptionEnd::Revoked(Some(reason))) = events.end() else { panic!("{:?}", events.end()) };
        assert_eq!(&*reason, "no longer authorized");
        assert!(!server.revoke_subscription("realm1", subscription, None));
        assert!(!server.revoke_registration("realm1", registration, None));
        server.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_panic_in_a_handler_reaches_the_caller_as_an_error() {
    bounded(async {
        let server = serve().await;
        let client = join(&server, Format::MsgPack).await;
        let guard = client
            .register_fn("com.example.p", |fails: bool| async move {
                if fails {
                    std::panic::resume_unwind(Box::new("a bug"));
                }
                Ok(())
            })
            .await
            .unwrap();
        let Err(RequestError::Wamp(error)) = client.call("com.example.p", true).await else { panic!("no error") };
        assert_eq!(error.uri(), "wamp.error.runtime_error");
        client.call("com.example.p", false).await.unwrap();
        drop(guard);
    })
    .await;
}

#[tokio::test]
async fn a_callee_that_leaves_takes_its_procedures_with_it() {
    bounded(async {
        let server = serve().await;
        let (caller, callee) = (join(&server, Format::Json).await, join(&server, Format::Json).await);
        let mut calls = callee.register("com.example.p").await.unwrap();
        let call = tokio::spawn({
            let caller = caller.clone();
            async move { caller.call("com.example.p", ()).await }
        });
        let invocation = calls.next().await.unwrap();
        callee.close().await.unwrap();
        let Err(RequestError::Wamp(error)) = call.await.unwrap() else { panic!("no error") };
        assert_eq!(error.uri(), "wamp.error.canceled");
        assert!(invocation.has_ended());
        let Err(RequestError::Wamp(error)) = caller.call("com.example.p", ()).await else { panic!("no error") };
        assert_eq!(error.uri(), "wamp.error.no_such_procedure");
    })
    .await;
}

#[tokio::test]
async fn a_thousand_calls_at_once_are_answered_each_with_its_own_result() {
    bounded(async {
        let server = serve().await;
        let (caller, callee) = (join(&server, Format::Cbor).await, join(&server, Format::Json).await);
        let double = callee.register_fn("com.example.double", |n: u64| async move { Ok(n * 2) }).await.unwrap();
        let calls: Vec<_> = (0..1_000_u64)
            .map(|n| {
                let call = caller.call("com.example.double", n);
                tokio::spawn(async move { (n, call.await.unwrap().arg::<u64>(0).unwrap()) })
            })
            .collect();
        for call in calls {
            let (n, result) = call.await.unwrap();
            assert_eq!(result, n * 2);
        }
        drop(double);
    })
    .await;
}

#[tokio::test]
async fn ord_01_events_of_one_publisher_come_in_order() {
    bounded(async {
        let server = serve().await;
        let (publisher, subscriber) = (join(&server, Format::Json).await, join(&server, Format::MsgPack).await);
        let options = SubscribeOptions::new().queue(Queue::new().max_events(5_000));
        let mut events = subscriber.subscribe_with("com.example.topic", options).await.unwrap();
        let publish = async {
            for n in 0..5_000_u32 {
                publisher.publish("com.example.topic", n).await.unwrap();
            }
        };
        let subscribe = async {
            for n in 0..5_000 {
                assert_eq!(events.next().await.unwrap().arg::<u32>(0).unwrap(), n);
            }
        };
        tokio::join!(publish, subscribe);
    })
    .await;
}

#[tokio::test]
async fn messages_of_megabytes_pass() {
    bounded(async {
        let server = serve().await;
        let client = join(&server, Format::MsgPack).await;
        let guard = client.register_fn("com.example.len", |text: String| async move { Ok(text.len()) }).await.unwrap();
        let text = "x".repeat(4 << 20);
        assert_eq!(client.call("com.example.len", &text).await.unwrap().arg::<usize>(0).unwrap(), 4 << 20);
        drop(guard);
    })
    .await;
}

#[tokio::test]
async fn a_router_that_shuts_down_says_so() {
    bounded(async {
        let server = serve().await;
        let client = join(&server, Format::Json).await;
        let mut events = client.connection_events();
        assert!(matches!(events.next().await, Some(ConnectionEvent::Joined(_))));
        let url = server.url();
        server.shutdown().await;
        let Some(ConnectionEvent::Closed(cause)) = events.next().await else { panic!("not closed") };
        let CloseCause::Goodbye(goodbye) = &*cause else { panic!("{cause:?}") };
        assert_eq!(goodbye.reason, "wamp.close.system_shutdown");
        assert!(matches!(client.status(), Status::Closed));
        assert!(loowy_tokio::connect(Config::new(url, "realm1")).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn shutdown_waits_for_silent_clients_no_longer_than_the_close_timeout() {
    bounded(async {
        let server = serve().await;
        // One that never speaks, and one that is in the opening handshake.
        let silent = TcpStream::connect(server.local_addr()).await.unwrap();
        let client = join(&server, Format::Json).await;
        let started = Instant::now();
        server.shutdown().await;
        assert!(started.elapsed() < Duration::from_secs(30));
        drop((silent, client));
    })
    .await;
}

#[tokio::test]
async fn dropping_the_server_ends_its_connections() {
    bounded(async {
        let server = serve().await;
        let client = join(&server, Format::Json).await;
        let mut events = client.connection_events();
        assert!(matches!(events.next().await, Some(ConnectionEvent::Joined(_))));
        drop(server);
        assert!(matches!(events.next().await, Some(ConnectionEvent::Closed(_))));
    })
    .await;
}

#[tokio::test]
async fn drain_lets_handlers_finish() {
    bounded(async {
        let server = serve().await;
        let (caller, callee) = (join(&server, Format::Json).await, join(&server, Format::Json).await);
        let mut calls = callee.register("com.example.p").await.unwrap();
        let call = tokio::spawn(async move { caller.call("com.example.p", ()).await });
        let invocation = calls.next().await.unwrap();
        let drain = tokio::spawn({
            let callee = callee.clone();
            async move { callee.drain().await }
        });
        assert!(calls.next().await.is_none());
        invocation.reply("done").unwrap();
        assert_eq!(call.await.unwrap().unwrap().arg::<String>(0).unwrap(), "done");
        drain.await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn application_errors_carry_their_payload() {
    bounded(async {
        let server = serve().await;
        let client = join(&server, Format::Cbor).await;
        let guard = client
            .register_fn("com.example.p", |()| async {
                let error = WampError::new("com.example.error.sold_out")?.payload(("nuts", 3))?;
                Err::<(), _>(error.into())
            })
            .await
            .unwrap();
        let Err(RequestError::Wamp(error)) = client.call("com.example.p", ()).await else { panic!("no error") };
        assert_eq!(error.uri(), "com.example.error.sold_out");
        assert_eq!(error.args::<(String, u32)>().unwrap(), ("nuts".to_owned(), 3));
        drop(guard);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_stops_reading_is_let_go() {
    bounded(async {
        let config = config().limits(RouterLimits::new().max_outbound_bytes(1 << 20));
        let server = RouterServer::bind("127.0.0.1:0", config).await.unwrap();
        let stream = TcpStream::connect(server.local_addr()).await.unwrap();
        let mut request = server.url().into_client_request().unwrap();
        request.headers_mut().insert("Sec-WebSocket-Protocol", "wamp.2.json".parse().unwrap());
        let (mut socket, _) = client_async(request, stream).await.unwrap();
        for message in [r#"[1,"realm1",{"roles":{"subscriber":{}}}]"#, r#"[32,1,{},"com.example.topic"]"#] {
            socket.send(Message::text(message)).await.unwrap();
            socket.next().await.unwrap().unwrap();
        }
        // More than the operating system keeps, and the router.
        let publisher = join(&server, Format::Json).await;
        for _ in 0..120 {
            publisher.publish_acked("com.example.topic", ("x".repeat(1 << 18),)).await.unwrap();
        }
        let mut stream = socket.into_inner();
        // Pongs that nobody asked for do no harm; they fail only when the router has given up the socket.
        while stream.write_all(b"\x8a\x80\0\0\0\0").await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
        drop(publisher);
    })
    .await;
}
