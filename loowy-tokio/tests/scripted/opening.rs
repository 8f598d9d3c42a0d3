//! The opening handshake, and what comes of a client that cannot connect.

use std::error::Error as _;
use std::time::Duration;

use futures_util::SinkExt;
use loowy_tokio::{CloseCause, Config, Format, TransportErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

use crate::server::{Server, bounded, refused};

#[tokio::test]
async fn ws_01_the_request_offers_the_formats_in_their_order() {
    bounded(async {
        let server = Server::bind().await;
        let config = Config::new(server.url.as_str(), "realm1").formats([Format::Cbor, Format::Json]);
        let connect = tokio::spawn(loowy_tokio::connect(config));
        let (_peer, request) = server.accept(Some("wamp.2.json")).await;
        assert_eq!(request.headers()["Sec-WebSocket-Protocol"], "wamp.2.cbor, wamp.2.json");
        assert_eq!(request.uri().path(), "/ws");
        connect.abort();
    })
    .await;
}

#[tokio::test]
async fn ws_09_no_extension_is_offered() {
    bounded(async {
        let server = Server::bind().await;
        let connect = tokio::spawn(loowy_tokio::connect(server.config()));
        let (_peer, request) = server.accept(Some("wamp.2.json")).await;
        assert!(!request.headers().contains_key("Sec-WebSocket-Extensions"));
        connect.abort();
    })
    .await;
}

#[tokio::test]
async fn ws_03_the_format_is_the_one_that_the_server_chose() {
    bounded(async {
        let server = Server::bind().await;
        let config = Config::new(server.url.as_str(), "realm1");
        let connect = tokio::spawn(loowy_tokio::connect(config));
        let (mut peer, request) = server.accept(Some("wamp.2.cbor")).await;
        assert_eq!(request.headers()["Sec-WebSocket-Protocol"], "wamp.2.json, wamp.2.msgpack, wamp.2.cbor");
        let Some(Message::Binary(hello)) = peer.next().await else { panic!("not binary") };
        assert!(hello.starts_with(b"\x83\x01\x66realm1"), "{hello:?}");
        // [2, 5, {"roles": {"broker": {}}}]
        let welcome = b"\x83\x02\x05\xa1\x65roles\xa1\x66broker\xa0".as_slice();
        peer.0.send(Message::binary(welcome)).await.unwrap();
        let client = connect.await.unwrap().unwrap();
        assert_eq!(client.session().unwrap().format, Format::Cbor);
    })
    .await;
}

#[tokio::test]
async fn ws_04_a_response_without_an_offered_subprotocol_is_refused() {
    for header in ["", "Sec-WebSocket-Protocol: wamp.2.msgpack\r\n", "Sec-WebSocket-Protocol: soap\r\n"] {
        bounded(async {
            let server = Server::bind().await;
            let connect = tokio::spawn(loowy_tokio::connect(server.config()));
            let mut stream = server.accept_raw(header).await;
            assert_eq!(refused(connect).await, TransportErrorKind::Subprotocol);
            let mut sent = Vec::new();
            // The client may have closed the connection hard.
            let _ = stream.read_to_end(&mut sent).await;
            assert!(sent.is_empty(), "no HELLO is sent: {sent:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn ws_09_an_extension_that_was_not_offered_is_refused() {
    bounded(async {
        let server = Server::bind().await;
        let connect = tokio::spawn(loowy_tokio::connect(server.config()));
        let headers = "Sec-WebSocket-Protocol: wamp.2.json\r\nSec-WebSocket-Extensions: permessage-deflate\r\n";
        let _stream = server.accept_raw(headers).await;
        assert_eq!(refused(connect).await, TransportErrorKind::Handshake);
    })
    .await;
}

#[tokio::test]
async fn a_refused_handshake_tells_the_status() {
    bounded(async {
        let server = Server::bind().await;
        let connect = tokio::spawn(loowy_tokio::connect(server.config()));
        let (mut stream, _) = server.listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        assert_eq!(refused(connect).await, TransportErrorKind::Http(403));
    })
    .await;
}

#[tokio::test]
async fn a_router_that_cannot_be_reached_is_told_apart() {
    bounded(async {
        let server = Server::bind().await;
        let config = server.config();
        drop(server);
        assert_eq!(refused(tokio::spawn(loowy_tokio::connect(config))).await, TransportErrorKind::Connect);
        let config = Config::new("ws://router.invalid/ws", "realm1");
        assert_eq!(refused(tokio::spawn(loowy_tokio::connect(config))).await, TransportErrorKind::Dns);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_used_is_told_before_anything_is_sent() {
    bounded(async {
        let error = loowy_tokio::connect(Config::new("wss://127.0.0.1:1/ws", "realm1")).await.unwrap_err();
        let CloseCause::Transport(error) = error else { panic!("{error:?}") };
        assert_eq!(*error.kind(), TransportErrorKind::Url);
        assert!(error.source().unwrap().to_string().contains("TLS"));
        let error = loowy_tokio::connect(Config::new("ws://127.0.0.1:1/ws", "not a realm")).await.unwrap_err();
        assert!(matches!(error, CloseCause::Config(_)), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn the_connect_timeout_covers_the_opening_handshake() {
    bounded(async {
        let server = Server::bind().await;
        let config = server.config().connect_timeout(Duration::from_millis(100));
        let error = loowy_tokio::connect(config).await.unwrap_err();
        assert!(matches!(error, CloseCause::JoinTimeout), "{error:?}");
    })
    .await;
}
