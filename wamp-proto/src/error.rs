//! What can be wrong with a frame, and with a value on its way into one.

use core::fmt;
use std::borrow::Cow;

use crate::{Format, InvalidId, InvalidUri, MessageType, RequestId};

/// The error of a frame that is no WAMP message.
///
/// It says at which byte of the frame, in which element of the message and, as far as they were read, of which message.
///
/// ```
/// # #[cfg(feature = "json")] {
/// # use wamp_proto::{decode, Format, Limits, MessageType, PayloadCheck};
/// let error = decode(br#"[33,1,"x"]"#.as_slice().into(), Format::Json, &Limits::new(), PayloadCheck::OnReceipt).unwrap_err();
/// assert_eq!(error.offset(), 6);
/// assert_eq!(error.message_type(), Some(MessageType::Subscribed));
/// assert_eq!(error.to_string(), "byte 6, element 2 (SUBSCRIBED.Subscription): expected an integer, found a string");
/// # }
/// ```
#[derive(Clone, PartialEq)]
pub struct DecodeError(pub(crate) Box<Report>);

/// What is wrong, and where, as far as it is known.
///
/// It is boxed, so that a result is as small as what it holds when nothing is wrong.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Report {
    pub(crate) kind: DecodeErrorKind,
    pub(crate) offset: usize,
    pub(crate) element: Option<Element>,
    pub(crate) key: Option<&'static str>,
    pub(crate) message: Option<MessageType>,
    pub(crate) request: Option<RequestId>,
    /// Whether the message is a PUBLISH that is not acknowledged.
    pub(crate) unacknowledged: bool,
}

/// A position in a message's list, and the specification's name of what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// The position, 0 for the message's type.
    pub index: u8,
    /// The name, as in `Subscription` or `Details`; `surplus` of an element that messages of the type do not have.
    pub name: &'static str,
}

impl Element {
    /// The name of an element behind the last one.
    pub(crate) const SURPLUS: &'static str = "surplus";
}

/// What is wrong with a frame.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The frame is longer than [`Limits::max_message_bytes`](crate::Limits::max_message_bytes).
    #[error("the message has {size} bytes, more than {limit}")]
    TooLarge {
        /// The size of the frame, in bytes.
        size: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// Lists and dicts nest deeper than [`Limits::max_depth`](crate::Limits::max_depth).
    #[error("lists and dicts nest too deep")]
    TooDeep,
    /// The frame ends in the middle of a value.
    #[error("the frame ends in the middle of a value")]
    Truncated,
    /// Bytes follow the message.
    #[error("bytes follow the message")]
    TrailingBytes,
    /// The bytes break the format's grammar.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// A string is not UTF-8.
    #[error("a string is not UTF-8")]
    InvalidUtf8,
    /// The message is not a list.
    #[error("a message is a list, found {found}")]
    NotAList {
        /// What stands there instead.
        found: Kind,
    },
    /// The message is an empty list.
    #[error("a message is not an empty list")]
    EmptyList,
    /// The first element is no message type that the specification defines.
    #[error("unknown message type {0}")]
    UnknownMessageType(u64),
    /// The list has fewer or more elements than messages of the type have.
    #[error("the message has {0} elements")]
    WrongLength(Length),
    /// An element or attribute has the wrong type.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// What the specification wants.
        expected: &'static str,
        /// What stands there instead.
        found: Kind,
    },
    /// A binary item stands in the place of Arguments, as in the mode of autobahn and Crossbar.io that payload passthru mode has replaced
    /// (`enc_algo`).
    #[error("the payload is encrypted in a mode that is no part of the specification")]
    LegacyPassthru,
    /// A known attribute has a value that the specification does not define.
    #[error("expected {expected}")]
    WrongValue {
        /// What the specification wants.
        expected: &'static str,
    },
    /// A number is no id.
    #[error(transparent)]
    InvalidId(#[from] InvalidId),
    /// A string is no URI. [`DecodeError::request`] tells which request to answer with `wamp.error.invalid_uri`.
    #[error(transparent)]
    InvalidUri(#[from] InvalidUri),
    /// A key of Options, Details or ArgumentsKw is not a string.
    #[error("a key is {found}, not a string")]
    KeyIsNotAString {
        /// What stands there instead.
        found: Kind,
    },
}

/// Whether a message is too short or too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Elements are missing.
    TooFew,
    /// There are more elements than the specification defines.
    TooMany,
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooFew => "too few",
            Self::TooMany => "too many",
        })
    }
}

/// The type of a value on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// null, nil or undefined
    Null,
    /// A boolean.
    Bool,
    /// An integer of either sign.
    Integer,
    /// A floating-point number.
    Float,
    /// A text string.
    String,
    /// A byte string.
    Bytes,
    /// A list.
    List,
    /// A dict.
    Dict,
    /// What only one format has: a MessagePack extension, a CBOR tag or simple value.
    Other,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Integer => "an integer",
            Self::Float => "a float",
            Self::String => "a string",
            Self::Bytes => "bytes",
            Self::List => "a list",
            Self::Dict => "a dict",
            Self::Other => "a value outside WAMP's types",
        })
    }
}

impl DecodeError {
    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &DecodeErrorKind {
        &self.0.kind
    }

    /// The byte of the frame, counted from 0, at which it is wrong.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// The element of the message that is wrong, `None` if it is the frame as a whole.
    #[must_use]
    pub fn element(&self) -> Option<Element> {
        self.0.element
    }

    /// The known key of Options or Details whose value is wrong.
    #[must_use]
    pub fn key(&self) -> Option<&'static str> {
        self.0.key
    }

    /// The type of the message, if the error comes after it.
    #[must_use]
    pub fn message_type(&self) -> Option<MessageType> {
        self.0.message
    }

    /// The request id of the message, if the error comes after it.
    ///
    /// With it a peer answers a request that has an incorrect URI ([`DecodeErrorKind::InvalidUri`]) with ERROR
    /// `wamp.error.invalid_uri`, instead of ending the session.
    #[must_use]
    pub fn request(&self) -> Option<RequestId> {
        self.0.request
    }

    /// Whether whoever sent the request waits for its answer: not if it is a PUBLISH without `acknowledge`, which may have an
    /// incorrect topic but gets no ERROR for it.
    ///
    /// ```
    /// # #[cfg(feature = "json")] {
    /// # use wamp_proto::{decode, Format, Limits, PayloadCheck};
    /// let frame = br#"[16,1,{},"no topic"]"#.as_slice();
    /// let error = decode(frame.into(), Format::Json, &Limits::new(), PayloadCheck::OnReceipt).unwrap_err();
    /// assert!(!error.wants_answer());
    /// # }
    /// ```
    #[must_use]
    pub fn wants_answer(&self) -> bool {
        self.0.request.is_some() && !self.0.unacknowledged
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { kind, offset, element, key, message, request: _, unacknowledged: _ } = &*self.0;
        write!(f, "byte {offset}")?;
        if let Some(Element { index, name }) = element {
            write!(f, ", element {index} (")?;
            if let Some(message) = message {
                write!(f, "{message}.")?;
            }
            f.write_str(name)?;
            if let Some(key) = key {
                write!(f, ".{key}")?;
            }
            f.write_str(")")?;
        } else if let Some(message) = message {
            write!(f, ", the whole {message}")?;
        } else {
            f.write_str(", the whole frame")?;
        }
        write!(f, ": {kind}")
    }
}

impl fmt::Debug for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { kind, offset, element, key, message, request, unacknowledged } = &*self.0;
        f.debug_struct("DecodeError")
            .field("kind", kind)
            .field("offset", offset)
            .field("element", element)
            .field("key", key)
            .field("message", message)
            .field("request", request)
            .field("unacknowledged", unacknowledged)
            .finish()
    }
}

impl core::error::Error for DecodeError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        None
    }
}

/// A [`DecodeErrorKind`] and its byte, before it is known in which element of which message it is.
#[derive(Debug)]
pub(crate) struct Fault(Box<Report>);

impl Fault {
    #[cold]
    pub(crate) fn new(offset: usize, kind: DecodeErrorKind) -> Self {
        Self(Box::new(Report {
            kind,
            offset,
            element: None,
            key: None,
            message: None,
            request: None,
            unacknowledged: false,
        }))
    }

    /// Names the known key in whose value it is.
    #[cold]
    pub(crate) fn in_key(mut self, key: &'static str) -> Self {
        self.0.key = Some(key);
        self
    }

    /// Names the place where it is.
    #[cold]
    pub(crate) fn placed(mut self, place: impl FnOnce(&mut Report)) -> DecodeError {
        place(&mut self.0);
        DecodeError(self.0)
    }
}

impl core::ops::Deref for Fault {
    type Target = Report;

    fn deref(&self) -> &Report {
        &self.0
    }
}

/// The error of a value that a format cannot carry.
///
/// ```
/// # #[cfg(feature = "json")] {
/// # use wamp_proto::{Format, IntoPayload, Kwargs};
/// # use std::collections::BTreeMap;
/// let error = Kwargs(BTreeMap::from([("price", f64::NAN)])).into_payload(Format::Json).unwrap_err();
/// assert_eq!(error.to_string(), "kwargs.price: JSON has no number NaN");
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {kind}")]
pub struct EncodeError {
    pub(crate) path: String,
    pub(crate) kind: EncodeErrorKind,
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeErrorKind {
    /// The format has no such value: NaN or a text starting with U+0000 in JSON, an integer of more than 64 bits in any.
    #[error("{format} has no {what}")]
    Unsupported {
        /// The format.
        format: Format,
        /// The value, in words.
        what: &'static str,
    },
    /// A key of a dict is not a string.
    #[error("a key of a dict is not a string")]
    KeyIsNotAString,
    /// [`Args`](crate::Args) holds no sequence, or [`Kwargs`](crate::Kwargs) no map or struct.
    #[error("expected {0}")]
    WrongShape(&'static str),
    /// A value nests deeper than [`Limits::MAX_DEPTH`](crate::Limits::MAX_DEPTH) allows.
    #[error("nested too deep")]
    TooDeep,
    /// A payload that was received unchecked turned out to be malformed.
    #[error("the payload is malformed")]
    MalformedPayload,
    /// The value's own `Serialize` failed, with its text.
    #[error("{0}")]
    Custom(String),
}

impl EncodeError {
    /// Where the value is, as in `args[2].price`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong with it.
    #[must_use]
    pub const fn kind(&self) -> &EncodeErrorKind {
        &self.kind
    }
}

impl From<PayloadError> for EncodeError {
    /// Of a payload that is to become a part of another one, and cannot be read.
    fn from(error: PayloadError) -> Self {
        let kind = match error {
            PayloadError::Malformed(_) => EncodeErrorKind::MalformedPayload,
            error => EncodeErrorKind::Custom(error.to_string()),
        };
        Self { path: "payload".into(), kind }
    }
}

/// The error of reading a payload into a type.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// The payload was received unchecked and is malformed.
    #[error("the payload is malformed")]
    Malformed(#[source] DecodeError),
    /// The payload has fewer positional arguments.
    #[error("argument {0} is missing")]
    Missing(usize),
    /// A value does not fit the type that was asked for.
    #[error("{path}: {reason}")]
    Mismatch {
        /// Where the value is, as in `args[2]`.
        path: String,
        /// Why it does not fit, in words.
        reason: String,
    },
}

/// A text in which a peer's strings may be, without its middle if it is long: errors are logged, and sent back.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    /// How many bytes are kept: the start says where it is and what was found, the end what was expected.
    const START: usize = 400;
    const END: usize = 200;

    if text.len() <= START + END {
        return Cow::Borrowed(text);
    }
    let (start, _) = text.split_at(text.floor_char_boundary(START));
    let (_, end) = text.split_at(text.ceil_char_boundary(text.len() - END));
    Cow::Owned(format!("{start}…{end}"))
}

impl Kind {
    /// The type of a value that has been decoded.
    pub(crate) const fn of(value: &crate::Value) -> Self {
        use crate::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Bool,
            Value::I64(_) | Value::U64(_) => Self::Integer,
            Value::F64(_) => Self::Float,
            Value::String(_) => Self::String,
            Value::Bytes(_) => Self::Bytes,
            Value::List(_) => Self::List,
            Value::Dict(_) => Self::Dict,
        }
    }
}
