//! The application's part of a message: Arguments and ArgumentsKw.

mod into;

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub use self::into::{Args, ArgsKwargs, IntoPayload, Kwargs};
use crate::codec::read::{Open, Read};
use crate::error::{DecodeErrorKind, Element, Fault, Kind, Length};
use crate::{DecodeError, EncodeError, EncodeErrorKind, Format, Limits, MessageType, PayloadError, RequestId, Value};

/// Arguments and ArgumentsKw of a message, as one slice of bytes in a format.
///
/// A received payload is a slice of its frame: cloning it is cheap, and it keeps the frame alive. It is decoded when it is
/// asked for, into any type that serde can decode, borrowing from the frame where the format allows it. A payload to be
/// sent is made with [`IntoPayload`].
///
/// Absent and empty Arguments look alike, and so do absent and empty ArgumentsKw; [`raw_args`](Self::raw_args) and
/// [`raw_kwargs`](Self::raw_kwargs) tell them apart.
///
/// Two payloads are equal if their arguments are equal as [`Value`]s, in whatever formats.
#[derive(Clone, Default)]
pub struct Payload(Repr);

#[derive(Clone, Default)]
enum Repr {
    #[default]
    Empty,
    Checked(Checked),
    Unchecked(Arc<Unchecked>),
}

/// Arguments, and ArgumentsKw behind them, that are known to be well-formed.
#[derive(Clone)]
struct Checked {
    format: Format,
    /// The Arguments, a separator in JSON, the ArgumentsKw.
    bytes: Bytes,
    /// Where the Arguments end.
    args_end: usize,
    /// Where the ArgumentsKw start, if there are any.
    kwargs_start: Option<usize>,
}

/// The rest of a frame, of which nothing is known.
struct Unchecked {
    format: Format,
    /// Everything behind the last fixed element, the end of the message's list included.
    bytes: Bytes,
    /// How many bytes of the frame are before it.
    start: usize,
    tail: Tail,
    limits: Limits,
    checked: OnceLock<Result<Payload, DecodeError>>,
}

/// Where a message's payload begins.
#[derive(Clone, Copy)]
pub(crate) struct Tail {
    /// The message's list, after its last fixed element.
    pub(crate) open: Open,
    /// The index of the last fixed element.
    pub(crate) element: u8,
    pub(crate) message: MessageType,
    pub(crate) request: Option<RequestId>,
}

/// The elements of a payload, in the format of the message they go into.
pub(crate) struct Encoded {
    bytes: Bytes,
    elements: usize,
}

impl Encoded {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) const fn elements(&self) -> usize {
        self.elements
    }
}

impl Payload {
    /// Makes a payload of no arguments.
    #[must_use]
    pub const fn new() -> Self {
        Self(Repr::Empty)
    }

    /// A slice of a frame, to be checked when it is looked at.
    pub(crate) fn unchecked(frame: &Bytes, start: usize, tail: Tail, format: Format, limits: Limits) -> Self {
        let bytes = frame.slice(start..);
        Self(Repr::Unchecked(Arc::new(Unchecked { format, bytes, start, tail, limits, checked: OnceLock::new() })))
    }

    /// Checks a payload that was received unchecked; others are checked already.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] as [`decode`](crate::decode) would have given it.
    pub fn check(&self) -> Result<(), DecodeError> {
        todo!()
    }

    /// The format, `None` if there are no arguments that have one.
    #[must_use]
    pub fn format(&self) -> Option<Format> {
        todo!()
    }

    /// Decodes the Arguments into a sequence or tuple.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if they are malformed (received unchecked) or do not fit the type.
    pub fn args<'a, T: Deserialize<'a>>(&'a self) -> Result<T, PayloadError> {
        todo!()
    }

    /// Decodes one of the Arguments, counted from 0.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if there are fewer, if they are malformed (received unchecked) or if it does not fit the type.
    pub fn arg<'a, T: Deserialize<'a>>(&'a self, index: usize) -> Result<T, PayloadError> {
        let _ = index;
        todo!()
    }

    /// Decodes the ArgumentsKw into a map or struct; absent ones count as an empty dict.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if they are malformed (received unchecked) or do not fit the type.
    pub fn kwargs<'a, T: Deserialize<'a>>(&'a self) -> Result<T, PayloadError> {
        todo!()
    }

    /// The Arguments as they are on the wire, a list in [`format`](Self::format); `None` if they are absent.
    ///
    /// # Errors
    ///
    /// [`PayloadError::Malformed`] if they were received unchecked and are malformed.
    pub fn raw_args(&self) -> Result<Option<Bytes>, PayloadError> {
        todo!()
    }

    /// The ArgumentsKw as they are on the wire, a dict in [`format`](Self::format); `None` if they are absent.
    ///
    /// # Errors
    ///
    /// [`PayloadError::Malformed`] if they were received unchecked and are malformed.
    pub fn raw_kwargs(&self) -> Result<Option<Bytes>, PayloadError> {
        todo!()
    }

    /// Decodes the payload by the shape of a type, the reverse of [`IntoPayload`]: `()` takes none, a tuple or fixed array takes the
    /// Arguments, and anything else takes the first one.
    ///
    /// # Errors
    ///
    /// As [`args`](Self::args) and [`arg`](Self::arg).
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, PayloadError> {
        todo!()
    }

    /// Makes the payload of another format, without loss; of the same format it is a cheap clone.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if the format cannot carry a value, or the payload was received unchecked and is malformed.
    pub fn transcode(&self, format: Format) -> Result<Self, EncodeError> {
        let _ = format;
        todo!()
    }

    /// How many bytes of the frame the payload keeps alive.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        todo!()
    }

    /// Copies the payload out of its frame, so that it does not keep a larger buffer alive.
    #[must_use]
    pub fn detach(&self) -> Self {
        todo!()
    }

    pub(crate) fn encoded(&self, format: Format) -> Result<Encoded, EncodeError> {
        let _ = format;
        todo!()
    }
}

impl core::fmt::Debug for Payload {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Payload").finish_non_exhaustive()
    }
}

impl PartialEq for Payload {
    fn eq(&self, _: &Self) -> bool {
        todo!()
    }
}

impl Tail {
    pub(crate) fn check<'a, R: Read<'a>>(
        self,
        _reader: &mut R,
        _frame: &'a Bytes,
        _start: usize,
        _format: Format,
        _limits: &Limits,
    ) -> Result<Payload, DecodeError> {
        todo!()
    }
}
