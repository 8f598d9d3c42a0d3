//! What a session knows of its transport.

use core::error::Error;
use core::fmt;
use std::sync::Arc;

use bytes::Bytes;
use wamp_proto::Dict;

/// One message of a message-based transport, as a WebSocket has them.
///
/// JSON travels in text frames, MessagePack and CBOR in binary ones.
///
/// ```
/// # use wamp_session::Frame;
/// let frame = Frame::Text(r#"[1,"realm1",{"roles":{"caller":{}}}]"#.into());
/// assert_eq!(frame.bytes().len(), 36);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum Frame {
    /// A text frame: UTF-8, as far as the sender kept its word.
    Text(Bytes),
    /// A binary frame.
    Binary(Bytes),
}

impl Frame {
    /// The bytes of the frame.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(bytes) => write!(f, "Text({} bytes)", bytes.len()),
            Self::Binary(bytes) => write!(f, "Binary({} bytes)", bytes.len()),
        }
    }
}

/// The name of one transport, from the action that asks for it to its end.
///
/// News of a transport that has ended are ignored by their id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransportId(pub(crate) u64);

/// A transport that has been opened, and how the client means to authenticate on it.
///
/// ```
/// # use wamp_session::{Opened, Session, Time, TransportId};
/// # fn run(session: &mut Session, now: Time, id: TransportId) {
/// let opened = Opened::new(Some("wamp.2.json")).authmethods(["ticket", "anonymous"]).authid("joe");
/// session.handle_opened(now, id, opened);
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Opened {
    pub(crate) subprotocol: Option<String>,
    pub(crate) authmethods: Vec<Arc<str>>,
    pub(crate) authid: Option<Arc<str>>,
    pub(crate) authextra: Option<Dict>,
}

impl Opened {
    /// A transport on which the server chose a WebSocket subprotocol, such as `wamp.2.json`; `None` if it chose none.
    #[must_use]
    pub fn new(subprotocol: Option<&str>) -> Self {
        Self { subprotocol: subprotocol.map(ToOwned::to_owned), ..Self::default() }
    }

    /// Sets the authentication methods to offer, the preferred one first; none leaves the choice to the router.
    #[must_use]
    pub fn authmethods<M: Into<Arc<str>>>(mut self, methods: impl IntoIterator<Item = M>) -> Self {
        self.authmethods = methods.into_iter().map(Into::into).collect();
        self
    }

    /// Sets who the client claims to be.
    #[must_use]
    pub fn authid(mut self, authid: impl Into<Arc<str>>) -> Self {
        self.authid = Some(authid.into());
        self
    }

    /// Sets what the authentication methods say beforehand.
    #[must_use]
    pub fn authextra(mut self, authextra: Dict) -> Self {
        self.authextra = Some(authextra);
        self
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("subprotocol", &self.subprotocol)
            .field("authmethods", &self.authmethods)
            .field("authid", &self.authid)
            .finish_non_exhaustive()
    }
}

/// Why a transport could not be opened, or ended.
///
/// ```
/// # use wamp_session::{TransportError, TransportErrorKind};
/// let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
/// let error = TransportError::with_source(TransportErrorKind::Connect, refused);
/// assert_eq!(error.kind(), &TransportErrorKind::Connect);
/// assert_eq!(error.to_string(), "no connection could be made");
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[error("{kind}")]
pub struct TransportError {
    kind: TransportErrorKind,
    #[source]
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// What happened to a transport.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The URL cannot be used by this adapter.
    #[error("the URL cannot be used")]
    Url,
    /// The host's name could not be resolved.
    #[error("the host's name could not be resolved")]
    Dns,
    /// No connection could be made.
    #[error("no connection could be made")]
    Connect,
    /// The TLS handshake failed.
    #[error("the TLS handshake failed")]
    Tls,
    /// The server answered the WebSocket handshake with another HTTP status.
    #[error("the server answered the WebSocket handshake with HTTP status {0}")]
    Http(u16),
    /// The WebSocket handshake failed.
    #[error("the WebSocket handshake failed")]
    Handshake,
    /// The server chose no subprotocol, or one that was not offered.
    #[error("the server chose no WAMP subprotocol that was offered")]
    Subprotocol,
    /// The peer closed the WebSocket.
    #[error("the peer closed the WebSocket{}", closing(*code, reason))]
    Closed {
        /// The close code, if the close frame had one.
        code: Option<u16>,
        /// The reason in the close frame.
        reason: String,
    },
    /// The connection ended without a close frame.
    #[error("the connection ended")]
    Eof,
    /// The peer broke the rules of the WebSocket.
    #[error("the peer broke the WebSocket protocol")]
    Protocol,
    /// A message was longer than the limit.
    #[error("a message was longer than the limit")]
    TooLarge,
    /// Nothing came from the peer for too long, not even the answer to a ping.
    #[error("the peer is silent")]
    Silent,
    /// Reading or writing failed.
    #[error("reading or writing failed")]
    Io,
}

fn closing(code: Option<u16>, reason: &str) -> String {
    match (code, reason) {
        (None, _) => String::new(),
        (Some(code), "") => format!(" with code {code}"),
        (Some(code), reason) => format!(" with code {code}: {reason}"),
    }
}

impl TransportError {
    /// Makes an error of a kind.
    #[must_use]
    pub const fn new(kind: TransportErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// Makes an error of a kind with the error behind it.
    #[must_use]
    pub fn with_source(kind: TransportErrorKind, source: impl Error + Send + Sync + 'static) -> Self {
        Self { kind, source: Some(Arc::new(source)) }
    }

    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> &TransportErrorKind {
        &self.kind
    }
}
