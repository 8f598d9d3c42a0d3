//! How a connection ends: by a close of either end, a cut, or by dropping what holds it.

use std::time::Duration;

use futures_util::SinkExt;
use loowy_tokio::{CloseCause, ConnectionEvent, RequestError, TransportErrorKind};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::server::{Server, bounded};

#[tokio::test]
async fn ws_10_a_close_of_the_router_is_told_with_code_and_reason() {
    bounded(async {
        let server = Server::bind().await;
        let (mut peer, client) = server.join(server.config()).await;
        let mut events = client.connection_events();
        let call = tokio::spawn({
            let client = client.clone();
            async move { client.call("com.example.p", ()).await }
        });
        peer.text().await;
        let reason = "WAMP Protocol Error (unknown message type)";
        let frame = CloseFrame { code: CloseCode::Protocol, reason: reason.into() };
        peer.0.send(Message::Close(Some(frame))).await.unwrap();
        // The close is echoed.
        assert_eq!(peer.close_frame().await.unwrap().code, CloseCode::Protocol);
        assert!(matches!(call.await.unwrap().unwrap_err(), RequestError::Disconnected { sent: true }));
        assert!(matches!(events.next().await, Some(ConnectionEvent::Joined(_))));
        let Some(ConnectionEvent::Closed(cause)) = events.next().await else { panic!("not closed") };
        let CloseCause::Transport(error) = &*cause else { panic!("{cause:?}") };
        assert_eq!(*error.kind(), TransportErrorKind::Closed { code: Some(1002), reason: reason.to_owned() });
    })
    .await;
}

#[tokio::test]
async fn ws_11_after_goodbye_the_websocket_is_closed_with_1000() {
    bounded(async {
        let server = Server::bind().await;
        let (mut peer, client) = server.join(server.config()).await;
        let close = tokio::spawn(async move { client.close().await });
        assert_eq!(peer.text().await, r#"[6,{},"wamp.close.close_realm"]"#);
        peer.send(r#"[6,{},"wamp.close.goodbye_and_out"]"#).await;
        assert_eq!(peer.close_frame().await.unwrap().code, CloseCode::Normal);
        assert!(peer.next().await.is_none());
        close.await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn ws_11_a_router_that_does_not_answer_the_close_is_given_up() {
    bounded(async {
        let server = Server::bind().await;
        let config = server.config().close_timeout(Duration::from_millis(200));
        let (mut peer, client) = server.join(config).await;
        let close = tokio::spawn(async move { client.close().await });
        assert_eq!(peer.text().await, r#"[6,{},"wamp.close.close_realm"]"#);
        // Nothing is read or sent from here on.
        close.await.unwrap().unwrap();
        drop(peer);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trn_04_a_goodbye_is_told_though_nothing_can_be_written() {
    for _ in 0..30 {
        bounded(async {
            let server = Server::bind().await;
            let (mut peer, client) = server.join(server.config()).await;
            let publisher = tokio::spawn({
                let client = client.clone();
                async move { while client.publish("com.example.t", ("x".repeat(2_000),)).await.is_ok() {} }
            });
            for _ in 0..20 {
                peer.text().await;
            }
            peer.send(r#"[6,{},"wamp.close.killed"]"#).await;
            // What it has not read makes the operating system reset the connection.
            drop(peer);
            publisher.await.unwrap();
            let cause = client.close().await.unwrap_err();
            assert!(matches!(cause, CloseCause::Goodbye(_)), "{cause:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn trn_04_a_connection_that_breaks_fails_what_is_under_way() {
    bounded(async {
        let server = Server::bind().await;
        let (mut peer, client) = server.join(server.config()).await;
        let mut subscription = {
            let subscribe = tokio::spawn({
                let client = client.clone();
                async move { client.subscribe("com.example.t").await }
            });
            assert_eq!(peer.text().await, r#"[32,1,{},"com.example.t"]"#);
            peer.send("[33,1,77]").await;
            subscribe.await.unwrap().unwrap()
        };
        let call = client.call("com.example.p", ());
        let publish = client.publish_acked("com.example.t", ());
        let register = client.register("com.example.p");
        let waiting = tokio::spawn(async move { tokio::join!(call, publish, register) });
        for _ in 0..3 {
            peer.text().await;
        }
        drop(peer);
        let (call, publish, register) = waiting.await.unwrap();
        assert!(matches!(call.unwrap_err(), RequestError::Disconnected { sent: true }));
        assert!(matches!(publish.unwrap_err(), RequestError::Disconnected { sent: true }));
        assert!(matches!(register.unwrap_err(), RequestError::Disconnected { sent: true }));
        assert!(subscription.next().await.is_none());
        let CloseCause::Transport(error) = client.close().await.unwrap_err() else { panic!("not the transport") };
        assert_eq!(*error.kind(), TransportErrorKind::Eof);
    })
    .await;
}

#[tokio::test]
async fn dropping_everything_says_goodbye() {
    bounded(async {
        let server = Server::bind().await;
        let (mut peer, client) = server.join(server.config()).await;
        drop(client);
        assert_eq!(peer.text().await, r#"[6,{},"wamp.close.close_realm"]"#);
        peer.send(r#"[6,{},"wamp.close.goodbye_and_out"]"#).await;
        peer.close_frame().await;
        assert!(peer.next().await.is_none());
    })
    .await;
}

#[tokio::test]
async fn dropping_connect_closes_what_was_opened() {
    bounded(async {
        let server = Server::bind().await;
        let connect = tokio::spawn(loowy_tokio::connect(server.config()));
        let (mut peer, _) = server.accept(Some("wamp.2.json")).await;
        peer.text().await;
        connect.abort();
        assert!(peer.text().await.starts_with("[3,{"), "ABORT");
        peer.close_frame().await;
    })
    .await;
}

#[test]
fn a_runtime_that_ends_fails_what_waits() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (client, peer) = runtime.block_on(async {
        let server = Server::bind().await;
        let (peer, client) = server.join(server.config()).await;
        (client, peer)
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    let other = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let result = other.block_on(client.call("com.example.p", ()));
    assert!(result.is_err());
    assert!(other.block_on(client.close()).is_ok());
    drop(peer);
}
