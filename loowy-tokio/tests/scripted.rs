//! The client over real sockets against a server that follows a script.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use loowy_tokio::{
    Client, CloseCause, Config, ConnectionEvent, Format, KeepAlive, Limits, ReconnectPolicy, RequestError,
    TransportErrorKind,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

/// Nothing here takes longer, on a machine that has other things to do as well.
const DEADLINE: Duration = Duration::from_secs(60);

const WELCOME: &str = r#"[2,7814135,{"roles":{"broker":{},"dealer":{}}}]"#;

/// A server that accepts one client.
struct Server {
    url: String,
    listener: TcpListener,
}

/// The server's end of an open WebSocket.
struct Peer(WebSocketStream<TcpStream>);

impl Server {
    async fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { url: format!("ws://{}/ws", listener.local_addr().unwrap()), listener }
    }

    fn config(&self) -> Config {
        Config::new(self.url.as_str(), "realm1").agent(None).formats([Format::Json]).reconnect(ReconnectPolicy::never())
    }

    /// Accepts a client with a subprotocol, and returns the headers of its request as well.
    #[expect(clippy::result_large_err, reason = "the type of the callback is tungstenite's")]
    async fn accept(&self, subprotocol: Option<&'static str>) -> (Peer, Request) {
        let (stream, _) = self.listener.accept().await.unwrap();
        let mut seen = None;
        let callback = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
            seen = Some(request.clone());
            if let Some(name) = subprotocol {
                response.headers_mut().insert("Sec-WebSocket-Protocol", name.parse().unwrap());
            }
            Ok(response)
        };
        let socket = accept_hdr_async(stream, callback).await.unwrap();
        (Peer(socket), seen.unwrap())
    }

    /// Answers the opening handshake by hand, with more headers, and returns the stream.
    async fn accept_raw(&self, headers: &str) -> TcpStream {
        let (mut stream, _) = self.listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        let request = String::from_utf8(request).unwrap();
        let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes());
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{headers}\r\n"
        );
        stream.write_all(response.as_bytes()).await.unwrap();
        stream
    }

    /// Accepts a client and lets it join.
    async fn join(&self, config: Config) -> (Peer, Client) {
        let connect = tokio::spawn(loowy_tokio::connect(config));
        let (mut peer, _) = self.accept(Some("wamp.2.json")).await;
        assert!(peer.text().await.starts_with(r#"[1,"realm1","#));
        peer.send(WELCOME).await;
        (peer, connect.await.unwrap().unwrap())
    }
}

impl Peer {
    async fn next(&mut self) -> Option<Message> {
        match self.0.next().await {
            Some(Ok(message)) => Some(message),
            Some(Err(error)) => panic!("{error}"),
            None => None,
        }
    }

    async fn text(&mut self) -> String {
        match self.next().await {
            Some(Message::Text(text)) => text.as_str().to_owned(),
            other => panic!("expected a text message, found {other:?}"),
        }
    }

    async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    async fn send_frame(&mut self, payload: &[u8], opcode: OpCode, is_final: bool) {
        let frame = Frame::message(payload.to_vec(), opcode, is_final);
        self.0.send(Message::Frame(frame)).await.unwrap();
    }

    /// The next close frame.
    async fn close_frame(&mut self) -> Option<CloseFrame> {
        loop {
            match self.next().await {
                Some(Message::Close(frame)) => return frame,
                Some(_) => {}
                None => panic!("the connection ended without a close frame"),
            }
        }
    }
}

/// Runs a test that must end.
async fn bounded<T>(test: impl Future<Output = T>) -> T {
    timeout(DEADLINE, test).await.expect("the test did not end in time")
}

/// How a client that could not connect was refused.
async fn refused(connect: JoinHandle<Result<Client, CloseCause>>) -> TransportErrorKind {
    match connect.await.unwrap().unwrap_err() {
        CloseCause::Transport(error) => error.kind().clone(),
        cause => panic!("expected a transport error, got {cause:?}"),
    }
}

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

#[tokio::test]
async fn ws_05_the_wrong_kind_of_frame_ends_the_session() {
    bounded(async {
        let server = Server::bind().await;
        let (mut peer, client) = server.join(server.config()).await;
        peer.0.send(Message::binary(b"[36,77,5,{}]".as_slice())).await.unwrap();
        assert!(peer.text().await.contains("wamp.error.protocol_violation"));
        let frame = peer.close_frame().await.unwrap();
        assert_eq!(frame.code, CloseCode::Normal);
        while peer.next().await.is_some() {}
        assert!(matches!(client.close().await.unwrap_err(), CloseCause::ProtocolViolation(_)));
    })
    .await;
}

#[tokio::test]
async fn ws_06_a_message_in_fragments_with_a_ping_between_is_one_message() {
    bounded(async {
        let server = Server::bind().await;
        let connect = tokio::spawn(loowy_tokio::connect(server.config()));
        let (mut peer, _) = server.accept(Some("wamp.2.json")).await;
        peer.text().await;
        let (one, rest) = WELCOME.as_bytes().split_at(10);
        let (two, three) = rest.split_at(10);
        peer.send_frame(one, OpCode::Data(Data::Text), false).await;
        peer.send_frame(two, OpCode::Data(Data::Continue), false).await;
        peer.0.send(Message::Ping(b"alive?".as_slice().into())).await.unwrap();
        let pong = peer.next().await;
        assert!(matches!(&pong, Some(Message::Pong(payload)) if *payload == b"alive?".as_slice()), "{pong:?}");
        peer.send_frame(three, OpCode::Data(Data::Continue), true).await;
        assert_eq!(connect.await.unwrap().unwrap().session().unwrap().session.get(), 7_814_135);
    })
    .await;
}

#[tokio::test]
async fn ws_07_pings_are_answered_and_pongs_ignored() {
    bounded(async {
        let server = Server::bind().await;
        let (mut peer, client) = server.join(server.config()).await;
        peer.0.send(Message::Pong(b"unsolicited".as_slice().into())).await.unwrap();
        for size in [0, 4, 125] {
            let payload = vec![b'x'; size];
            peer.0.send(Message::Ping(payload.clone().into())).await.unwrap();
            let pong = peer.next().await;
            assert!(matches!(&pong, Some(Message::Pong(echo)) if *echo == payload), "{pong:?}");
        }
        assert!(client.session().is_some());
    })
    .await;
}

#[tokio::test]
async fn ws_07_client_frames_are_masked_and_masked_server_frames_refused() {
    bounded(async {
        let server = Server::bind().await;
        let connect = tokio::spawn(loowy_tokio::connect(server.config()));
        let mut stream = server.accept_raw("Sec-WebSocket-Protocol: wamp.2.json\r\n").await;
        let mut head = [0; 2];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!((head[0], head[1] & 0x80), (0x81, 0x80), "a masked text frame");
        stream.write_all(&[0x81, 0x82, 1, 2, 3, 4, b'[' ^ 1, b']' ^ 2]).await.unwrap();
        assert_eq!(refused(connect).await, TransportErrorKind::Protocol);
    })
    .await;
}

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

#[tokio::test]
async fn ws_12_a_message_over_the_limit_closes_with_1009() {
    bounded(async {
        let server = Server::bind().await;
        let limits = Limits::new().message(loowy_tokio::MessageLimits::new().max_message_bytes(1_024));
        let (mut peer, client) = server.join(server.config().limits(limits)).await;
        let call = tokio::spawn({
            let client = client.clone();
            async move { client.call("com.example.p", ()).await }
        });
        peer.text().await;
        peer.send(&format!(r#"[50,1,{{}},["{}"]]"#, "x".repeat(2_048))).await;
        assert_eq!(u16::from(peer.close_frame().await.unwrap().code), 1009);
        assert!(matches!(call.await.unwrap().unwrap_err(), RequestError::Disconnected { sent: true }));
        let CloseCause::Transport(error) = client.close().await.unwrap_err() else { panic!("not the transport") };
        assert_eq!(*error.kind(), TransportErrorKind::TooLarge);
    })
    .await;
}

#[tokio::test]
async fn ser_16_invalid_utf8_closes_with_1007() {
    bounded(async {
        let server = Server::bind().await;
        let (mut peer, client) = server.join(server.config()).await;
        peer.send_frame(b"[\xff]", OpCode::Data(Data::Text), true).await;
        assert_eq!(u16::from(peer.close_frame().await.unwrap().code), 1007);
        let CloseCause::Transport(error) = client.close().await.unwrap_err() else { panic!("not the transport") };
        assert_eq!(*error.kind(), TransportErrorKind::Protocol);
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
async fn ord_09_pings_are_answered_while_a_handler_is_busy() {
    bounded(async {
        let server = Server::bind().await;
        let (mut peer, client) = server.join(server.config()).await;
        let release = Arc::new(Notify::new());
        let register = tokio::spawn({
            let (client, release) = (client.clone(), Arc::clone(&release));
            async move {
                let handler = move |is_slow: bool| {
                    let release = Arc::clone(&release);
                    async move {
                        if is_slow {
                            release.notified().await;
                        }
                        Ok(is_slow)
                    }
                };
                client.register_fn("com.example.p", handler).await
            }
        });
        peer.text().await;
        peer.send("[65,1,88]").await;
        let guard = register.await.unwrap().unwrap();
        peer.send("[68,5,88,{},[true]]").await;
        peer.0.send(Message::Ping(b"alive?".as_slice().into())).await.unwrap();
        assert!(matches!(peer.next().await, Some(Message::Pong(_))));
        // Nor do other invocations and the handles wait.
        peer.send("[68,6,88,{},[false]]").await;
        assert_eq!(peer.text().await, "[70,6,{},[false]]");
        client.publish("com.example.t", ()).await.unwrap();
        assert_eq!(peer.text().await, r#"[16,2,{},"com.example.t"]"#);
        release.notify_one();
        assert_eq!(peer.text().await, "[70,5,{},[true]]");
        drop(guard);
    })
    .await;
}

#[tokio::test]
async fn sub_07_a_consumer_that_does_not_read_delays_nothing() {
    bounded(async {
        let server = Server::bind().await;
        let (mut peer, client) = server.join(server.config()).await;
        let subscribe = tokio::spawn({
            let client = client.clone();
            async move { client.subscribe("com.example.t").await }
        });
        peer.text().await;
        peer.send("[33,1,77]").await;
        let mut subscription = subscribe.await.unwrap().unwrap();
        for n in 1..=10_000 {
            peer.0.feed(Message::text(format!("[36,77,{n},{{}},[{n}]]"))).await.unwrap();
        }
        peer.0.send(Message::Ping(b"alive?".as_slice().into())).await.unwrap();
        assert!(matches!(peer.next().await, Some(Message::Pong(_))));
        assert_eq!(subscription.missed(), 10_000 - 1_024);
        assert_eq!(subscription.next().await.unwrap().arg::<u32>(0).unwrap(), 1);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_upload_is_not_silence() {
    bounded(async {
        let server = Server::bind().await;
        let second = Duration::from_secs(1);
        let alive = KeepAlive::new().interval(second).timeout(second * 2);
        let (peer, client) = server.join(server.config().keep_alive(alive)).await;
        let mut events = client.connection_events();
        let uploading = tokio::spawn(async move {
            let text = "x".repeat(64 << 10);
            while client.publish("com.example.t", (text.as_str(),)).await.is_ok() {}
        });
        // The peer takes what comes, and is too slow to get to the pings.
        let mut stream = peer.0.into_inner();
        let started = Instant::now();
        let reading = async {
            let mut buffer = vec![0; 64 << 10];
            while started.elapsed() < second * 5 {
                assert_ne!(stream.read(&mut buffer).await.unwrap(), 0, "the client has hung up");
                sleep(Duration::from_millis(5)).await;
            }
        };
        let lost = async {
            while let Some(event) = events.next().await {
                if let ConnectionEvent::Closed(cause) = event {
                    return cause;
                }
            }
            panic!("the events ended")
        };
        tokio::select! {
            () = reading => {}
            cause = lost => panic!("lost: {cause:?}"),
        }
        uploading.abort();
    })
    .await;
}

#[tokio::test]
async fn what_only_fills_buffers_is_no_sign_of_life() {
    bounded(async {
        let server = Server::bind().await;
        let alive = KeepAlive::new().interval(Duration::from_millis(300)).timeout(Duration::from_millis(300));
        // The peer does not poll its socket, so nothing answers the pings.
        let (_peer, client) = server.join(server.config().keep_alive(alive)).await;
        while client.publish("com.example.t", ()).await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
        let cause = client.close().await.unwrap_err();
        let CloseCause::Transport(error) = cause else { panic!("{cause:?}") };
        assert_eq!(*error.kind(), TransportErrorKind::Silent);
    })
    .await;
}

#[tokio::test]
async fn a_part_of_a_frame_answers_a_ping() {
    bounded(async {
        let server = Server::bind().await;
        let alive = KeepAlive::new().interval(Duration::from_millis(200)).timeout(Duration::from_secs(60));
        let (peer, client) = server.join(server.config().keep_alive(alive)).await;
        let mut stream = peer.0.into_inner();
        for part in [b"\x81\x7e".as_slice(), b"\x01\0", b"[3"] {
            let mut ping = [0; 6];
            timeout(Duration::from_secs(5), stream.read_exact(&mut ping))
                .await
                .expect("it does not ping again")
                .unwrap();
            assert_eq!(ping[..2], *b"\x89\x80");
            stream.write_all(part).await.unwrap();
        }
        drop(client);
    })
    .await;
}
