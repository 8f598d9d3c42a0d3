//! The server that follows a script, and what waits for its end.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use loowy_tokio::{Client, CloseCause, Config, Format, ReconnectPolicy, TransportErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::frame::coding::OpCode;
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

/// Nothing here takes longer, on a machine that has other things to do as well.
const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) const WELCOME: &str = r#"[2,7814135,{"roles":{"broker":{},"dealer":{}}}]"#;

/// A server that accepts one client.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) listener: TcpListener,
}

/// The server's end of an open WebSocket.
pub(crate) struct Peer(pub(crate) WebSocketStream<TcpStream>);

impl Server {
    pub(crate) async fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { url: format!("ws://{}/ws", listener.local_addr().unwrap()), listener }
    }

    pub(crate) fn config(&self) -> Config {
        Config::new(self.url.as_str(), "realm1").agent(None).formats([Format::Json]).reconnect(ReconnectPolicy::never())
    }

    /// Accepts a client with a subprotocol, and returns the headers of its request as well.
    #[expect(clippy::result_large_err, reason = "the type of the callback is tungstenite's")]
    pub(crate) async fn accept(&self, subprotocol: Option<&'static str>) -> (Peer, Request) {
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
    pub(crate) async fn accept_raw(&self, headers: &str) -> TcpStream {
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
    pub(crate) async fn join(&self, config: Config) -> (Peer, Client) {
        let connect = tokio::spawn(loowy_tokio::connect(config));
        let (mut peer, _) = self.accept(Some("wamp.2.json")).await;
        assert!(peer.text().await.starts_with(r#"[1,"realm1","#));
        peer.send(WELCOME).await;
        (peer, connect.await.unwrap().unwrap())
    }
}

impl Peer {
    pub(crate) async fn next(&mut self) -> Option<Message> {
        match self.0.next().await {
            Some(Ok(message)) => Some(message),
            Some(Err(error)) => panic!("{error}"),
            None => None,
        }
    }

    pub(crate) async fn text(&mut self) -> String {
        match self.next().await {
            Some(Message::Text(text)) => text.as_str().to_owned(),
            other => panic!("expected a text message, found {other:?}"),
        }
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn send_frame(&mut self, payload: &[u8], opcode: OpCode, is_final: bool) {
        let frame = Frame::message(payload.to_vec(), opcode, is_final);
        self.0.send(Message::Frame(frame)).await.unwrap();
    }

    /// The next close frame.
    pub(crate) async fn close_frame(&mut self) -> Option<CloseFrame> {
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
pub(crate) async fn bounded<T>(test: impl Future<Output = T>) -> T {
    timeout(DEADLINE, test).await.expect("the test did not end in time")
}

/// How a client that could not connect was refused.
pub(crate) async fn refused(connect: JoinHandle<Result<Client, CloseCause>>) -> TransportErrorKind {
    match connect.await.unwrap().unwrap_err() {
        CloseCause::Transport(error) => error.kind().clone(),
        cause => panic!("expected a transport error, got {cause:?}"),
    }
}
