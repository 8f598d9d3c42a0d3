//! WebSockets by tungstenite: what every adapter that uses it shares (WAMP Basic Profile, "WebSocket Transport"; RFC 6455).
//!
//! An adapter makes the [`request`], lets tungstenite shake hands on its stream with the [`config`] of the limits, has the
//! response checked by [`accept`], and gives what is open to a [`WebSocket`]:
//!
//! ```
//! # fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use tungstenite::handshake::client::Response;
//! use wamp_session::{Frame, ws};
//!
//! let request = ws::request("ws://127.0.0.1:8080/ws", &["wamp.2.cbor", "wamp.2.json"])?;
//! assert_eq!(request.headers()["Sec-WebSocket-Protocol"], "wamp.2.cbor, wamp.2.json");
//!
//! let mut response = Response::new(None);
//! response.headers_mut().insert("Sec-WebSocket-Protocol", "wamp.2.json".parse()?);
//! assert_eq!(ws::accept(&response)?.as_deref(), Some("wamp.2.json"));
//!
//! let hello = Frame::Text(br#"[1,"realm1",{"roles":{"caller":{}}}]"#.as_slice().into());
//! assert!(ws::message(hello).len() > 0);
//! # Ok(())
//! # }
//! # run().unwrap();
//! ```

use core::fmt;
use core::pin::Pin;
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::{Context, Poll, ready};
use std::sync::Arc;

use bytes::Bytes;
use futures_core::Stream;
use futures_sink::Sink;
use tungstenite::Message;
use tungstenite::client::ClientRequestBuilder;
use tungstenite::error::{CapacityError, ProtocolError};
use tungstenite::handshake::client::{Request, Response};
use tungstenite::http::Uri;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, Frame as RawFrame};

use crate::client::{Received, Socket};
use crate::{Frame, TransportError, TransportErrorKind};

/// The read buffer: small, because payloads are slices of it and keep it alive.
const READ_BUFFER: usize = 16 << 10;

/// The longest reason that a close frame carries, in bytes.
const MAX_REASON: usize = 123;

/// The configuration of a WebSocket that keeps the limits of messages.
#[must_use]
pub fn config(limits: &wamp_proto::Limits) -> WebSocketConfig {
    let limit = Some(limits.message_bytes());
    WebSocketConfig::default().read_buffer_size(READ_BUFFER).max_message_size(limit).max_frame_size(limit)
}

/// The request of the opening handshake, with the subprotocols in the order of preference.
///
/// No extension is offered: tungstenite has none.
///
/// # Errors
///
/// [`TransportErrorKind::Url`] if it is no URL of a WebSocket.
pub fn request(url: &str, subprotocols: &[&'static str]) -> Result<Request, TransportError> {
    use tungstenite::client::IntoClientRequest;

    let uri: Uri = url.parse().map_err(|error| TransportError::with_source(TransportErrorKind::Url, error))?;
    let request = ClientRequestBuilder::new(uri);
    let request = subprotocols.iter().fold(request, |request, name| request.with_sub_protocol(*name));
    request.into_client_request().map_err(|error| match error {
        tungstenite::Error::Url(_) | tungstenite::Error::HttpFormat(_) => {
            TransportError::with_source(TransportErrorKind::Url, error)
        }
        error => TransportError::with_source(TransportErrorKind::Handshake, error),
    })
}

/// Checks the response of the opening handshake beyond what tungstenite checks, and returns the subprotocol that the server chose.
///
/// # Errors
///
/// [`TransportErrorKind::Handshake`] if the server uses an extension, since none was offered.
pub fn accept(response: &Response) -> Result<Option<String>, TransportError> {
    if response.headers().contains_key("Sec-WebSocket-Extensions") {
        return Err(TransportError::with_source(TransportErrorKind::Handshake, UnknownExtension));
    }
    let chosen = response.headers().get("Sec-WebSocket-Protocol").and_then(|name| name.to_str().ok());
    Ok(chosen.map(ToOwned::to_owned))
}

/// What an error of tungstenite means for the transport.
#[must_use]
pub fn error(error: tungstenite::Error) -> TransportError {
    use tungstenite::Error;

    let kind = match &error {
        Error::ConnectionClosed | Error::AlreadyClosed => TransportErrorKind::Eof,
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => TransportErrorKind::Eof,
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)) => TransportErrorKind::Subprotocol,
        Error::Protocol(
            ProtocolError::MissingConnectionUpgradeHeader
            | ProtocolError::MissingUpgradeWebSocketHeader
            | ProtocolError::SecWebSocketAcceptKeyMismatch
            | ProtocolError::WrongHttpVersion
            | ProtocolError::InvalidHeader(_)
            | ProtocolError::HandshakeIncomplete
            | ProtocolError::HttparseError(_),
        ) => TransportErrorKind::Handshake,
        Error::Protocol(_) | Error::Utf8(_) | Error::AttackAttempt => TransportErrorKind::Protocol,
        Error::Capacity(CapacityError::MessageTooLong { .. }) => TransportErrorKind::TooLarge,
        Error::Capacity(CapacityError::TooManyHeaders) | Error::HttpFormat(_) => TransportErrorKind::Handshake,
        Error::Http(response) => return TransportError::new(TransportErrorKind::Http(response.status().as_u16())),
        Error::Tls(_) => TransportErrorKind::Tls,
        Error::Url(_) => TransportErrorKind::Url,
        Error::Io(_) | Error::WriteBufferFull(_) => TransportErrorKind::Io,
    };
    TransportError::with_source(kind, error)
}

/// The WebSocket message that carries a frame, without a copy.
///
/// The bytes of a text frame are not checked once more: the codec writes UTF-8 only.
#[must_use]
pub fn message(frame: Frame) -> Message {
    match frame {
        Frame::Text(bytes) => Message::Frame(RawFrame::message(bytes, OpCode::Data(Data::Text), true)),
        Frame::Binary(bytes) => Message::Binary(bytes),
    }
}

/// The frame that a WebSocket message carries, without a copy; `None` if it is a control message.
///
/// ```
/// # use tungstenite::Message;
/// # use wamp_session::{Frame, ws};
/// assert_eq!(ws::frame(Message::text("[6,{}]")), Some(Frame::Text("[6,{}]".into())));
/// assert_eq!(ws::frame(Message::Ping("".into())), None);
/// ```
#[must_use]
pub fn frame(message: Message) -> Option<Frame> {
    match message {
        Message::Text(text) => Some(Frame::Text(text.into())),
        Message::Binary(bytes) => Some(Frame::Binary(bytes)),
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => None,
    }
}

/// The close message of a code and a reason, which is cut to 123 bytes. A code that may not be sent becomes 1000.
///
/// ```
/// # use wamp_session::ws;
/// let tungstenite::Message::Close(Some(frame)) = ws::close(1005, "gone") else { panic!() };
/// assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1000, "gone"));
/// ```
#[must_use]
pub fn close(code: u16, reason: &str) -> Message {
    let code = match CloseCode::from(code) {
        code if code.is_allowed() => code,
        _ => CloseCode::Normal,
    };
    let reason = reason.get(..reason.floor_char_boundary(MAX_REASON)).unwrap_or_default();
    Message::Close(Some(CloseFrame { code, reason: reason.into() }))
}

/// The end of a transport whose peer closed the WebSocket.
#[must_use]
pub fn closed(frame: Option<CloseFrame>) -> TransportError {
    let (code, reason) = match frame {
        Some(CloseFrame { code, reason }) => (Some(code.into()), reason.as_str().to_owned()),
        None => (None, String::new()),
    };
    TransportError::new(TransportErrorKind::Closed { code, reason })
}

/// The close code that tells the peer what is wrong with what it sent, if it is worth telling.
const fn code_for(kind: &TransportErrorKind, is_utf8: bool) -> Option<u16> {
    match kind {
        TransportErrorKind::TooLarge => Some(1009),
        TransportErrorKind::Protocol if !is_utf8 => Some(1007),
        TransportErrorKind::Protocol => Some(1002),
        _ => None,
    }
}

/// The server uses an extension that was not offered.
#[derive(Debug)]
struct UnknownExtension;

impl fmt::Display for UnknownExtension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server uses a WebSocket extension that was not offered")
    }
}

impl core::error::Error for UnknownExtension {}

/// A WebSocket of tokio-tungstenite or async-tungstenite: any stream and sink of tungstenite's messages.
#[derive(Debug)]
pub struct WebSocket<S> {
    inner: S,
    signs: Option<Arc<AtomicU64>>,
    /// A close message that the sink has not taken.
    closing: Option<Message>,
}

impl<S> WebSocket<S> {
    /// Makes a socket of an open WebSocket.
    #[must_use]
    pub const fn new(inner: S) -> Self {
        Self { inner, signs: None, closing: None }
    }

    /// Sets where the peer's [signs of life](Socket::signs_of_life) are counted, below the WebSocket.
    #[must_use]
    pub fn counting(mut self, signs: Arc<AtomicU64>) -> Self {
        self.signs = Some(signs);
        self
    }

    /// The WebSocket.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S> Socket for WebSocket<S>
where
    S: Stream<Item = Result<Message, tungstenite::Error>>
        + Sink<Message, Error = tungstenite::Error>
        + Unpin
        + Send
        + 'static,
{
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<Received, TransportError>> {
        Poll::Ready(match ready!(Pin::new(&mut self.inner).poll_next(cx)) {
            Some(Ok(Message::Close(frame))) => Err(closed(frame)),
            Some(Ok(message)) => Ok(frame(message).map_or(Received::Activity, Received::Frame)),
            Some(Err(cause)) => {
                let is_utf8 = !matches!(cause, tungstenite::Error::Utf8(_));
                let cause = error(cause);
                if let Some(code) = code_for(cause.kind(), is_utf8) {
                    self.close(code, &cause.to_string());
                }
                Err(cause)
            }
            None => Err(TransportError::new(TransportErrorKind::Eof)),
        })
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Pin::new(&mut self.inner).poll_ready(cx).map_err(error)
    }

    fn send(&mut self, frame: Frame) -> Result<(), TransportError> {
        Pin::new(&mut self.inner).start_send(message(frame)).map_err(error)
    }

    fn ping(&mut self) -> Result<(), TransportError> {
        Pin::new(&mut self.inner).start_send(Message::Ping(Bytes::new())).map_err(error)
    }

    fn signs_of_life(&self) -> u64 {
        self.signs.as_ref().map_or(0, |signs| signs.load(Ordering::Relaxed))
    }

    fn close(&mut self, code: u16, reason: &str) {
        self.closing = Some(close(code, reason));
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        if self.closing.is_some() {
            ready!(self.poll_ready(cx))?;
            if let Some(message) = self.closing.take() {
                // The peer may have closed meanwhile; then there is nobody to tell.
                match Pin::new(&mut self.inner).start_send(message).map_err(error) {
                    Err(cause) if *cause.kind() == TransportErrorKind::Io => return Poll::Ready(Err(cause)),
                    _ => {}
                }
            }
        }
        Pin::new(&mut self.inner).poll_flush(cx).map_err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ws_01_the_request_offers_the_subprotocols_in_order_of_preference() {
        let request = request("ws://127.0.0.1:8080/ws?x=1", &["wamp.2.cbor", "wamp.2.json"]).unwrap();
        let offered = request.headers().get_all("Sec-WebSocket-Protocol");
        let offered: Vec<_> = offered.iter().map(|name| name.to_str().unwrap()).collect();
        assert_eq!(offered.join(","), "wamp.2.cbor, wamp.2.json");
        assert_eq!(request.uri().path_and_query().unwrap().as_str(), "/ws?x=1");
    }

    #[test]
    fn ws_09_no_extension_is_offered_and_none_accepted() {
        let request = request("ws://127.0.0.1:8080/ws", &["wamp.2.json"]).unwrap();
        assert!(!request.headers().contains_key("Sec-WebSocket-Extensions"));
        let mut response = Response::new(None);
        assert!(accept(&response).is_ok());
        response.headers_mut().insert("Sec-WebSocket-Extensions", "permessage-deflate".parse().unwrap());
        assert_eq!(*accept(&response).unwrap_err().kind(), TransportErrorKind::Handshake);
    }

    #[test]
    fn what_is_no_url_of_a_websocket_is_refused() {
        for url in ["", "not a url", "ws://"] {
            assert_eq!(*request(url, &["wamp.2.json"]).unwrap_err().kind(), TransportErrorKind::Url, "{url:?}");
        }
    }

    #[test]
    fn ws_05_frames_keep_their_kind_and_are_not_copied() {
        let bytes = Bytes::from(vec![b'x'; 100]);
        let address = bytes.as_ptr();
        let Message::Frame(raw) = message(Frame::Text(bytes.clone())) else { panic!() };
        assert_eq!(raw.header().opcode, OpCode::Data(Data::Text));
        assert!(raw.header().is_final);
        assert_eq!(raw.payload().as_ptr(), address);
        let Message::Binary(sent) = message(Frame::Binary(bytes.clone())) else { panic!() };
        assert_eq!(sent.as_ptr(), address);
        let Some(Frame::Text(text)) = frame(Message::Text(bytes.clone().try_into().unwrap())) else { panic!() };
        assert_eq!(text.as_ptr(), address);
        let Some(Frame::Binary(binary)) = frame(Message::Binary(bytes)) else { panic!() };
        assert_eq!(binary.as_ptr(), address);
        assert!(frame(Message::Ping(Bytes::new())).is_none());
    }

    /// A peer that keeps what it is sent.
    #[derive(Default)]
    struct Kept(Vec<Message>);

    impl Stream for Kept {
        type Item = Result<Message, tungstenite::Error>;

        fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Pending
        }
    }

    impl Sink<Message> for Kept {
        type Error = tungstenite::Error;

        fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            Poll::Ready(Ok(()))
        }

        fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Self::Error> {
            self.0.push(message);
            Ok(())
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            Poll::Ready(Ok(()))
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn ws_08_a_ping_is_no_longer_than_a_control_frame_may_be() {
        let mut socket = WebSocket::new(Kept::default());
        socket.ping().unwrap();
        let sent = socket.into_inner().0;
        assert!(matches!(&sent[..], [Message::Ping(payload)] if payload.len() <= 125), "{sent:?}");
    }

    #[test]
    fn close_reasons_are_cut_between_characters_and_codes_are_such_as_may_be_sent() {
        let Message::Close(Some(frame)) = close(1009, &"ü".repeat(100)) else { panic!() };
        assert_eq!((u16::from(frame.code), frame.reason.len()), (1009, 122));
        let Message::Close(Some(frame)) = close(1006, "") else { panic!() };
        assert_eq!(u16::from(frame.code), 1000);
    }

    #[test]
    fn errors_say_what_happened_to_the_transport() {
        use tungstenite::Error;

        let too_long = CapacityError::MessageTooLong { size: 2, max_size: 1 };
        assert_eq!(*error(Error::Capacity(too_long)).kind(), TransportErrorKind::TooLarge);
        let reset = Error::Protocol(ProtocolError::ResetWithoutClosingHandshake);
        assert_eq!(*error(reset).kind(), TransportErrorKind::Eof);
        assert_eq!(*error(Error::Utf8(String::new())).kind(), TransportErrorKind::Protocol);
        let mut refused = Response::new(None);
        *refused.status_mut() = tungstenite::http::StatusCode::FORBIDDEN;
        assert_eq!(*error(Error::Http(Box::new(refused))).kind(), TransportErrorKind::Http(403));
    }
}
