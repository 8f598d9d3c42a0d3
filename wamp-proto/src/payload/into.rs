//! The user's types on their way into a payload.

use serde::Serialize;

use super::checked::{Checked, Parts, list_end, list_of_one, separator};
use crate::serial::{self, Shape, Wanted};
use crate::{EncodeError, Format, Payload};

/// How many bytes are kept free before a payload for the head of its message: most heads are smaller.
const HEAD_ROOM: usize = 128;

/// For how many bytes there is room from the start, the head's included: most messages are smaller.
pub(super) const ROOM: usize = 2 * HEAD_ROOM;

/// Up to which size, room included, a payload is moved to the end of its allocation: bytes that fill it are shared without another one.
const SHORT: usize = 1024;

/// What becomes the payload of a message.
///
/// | value | Arguments | ArgumentsKw |
/// |---|---|---|
/// | `()` | none | none |
/// | a tuple, a fixed array | its elements | none |
/// | [`Args(sequence)`](Args) | its elements | none |
/// | [`Kwargs(map or struct)`](Kwargs) | none | its entries |
/// | [`ArgsKwargs(sequence, map or struct)`](ArgsKwargs) | its elements | its entries |
/// | a [`Payload`] | as it is | as it is |
/// | anything else, also a `Vec`, bytes or a [`Value`](crate::Value) | this one value | none |
///
/// The shape depends on the type alone, never on the data; but an untagged enum has that of its variant.
pub trait IntoPayload {
    /// Encodes the value in a format.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if the format cannot carry a value in it, or its `Serialize` fails.
    fn into_payload(self, format: Format) -> Result<Payload, EncodeError>;
}

/// A sequence whose elements are the Arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Args<T>(pub T);

/// A map or struct whose entries are the ArgumentsKw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kwargs<T>(pub T);

/// A sequence for the Arguments, and a map or struct for the ArgumentsKw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArgsKwargs<A, K>(pub A, pub K);

impl<T: Serialize> IntoPayload for T {
    fn into_payload(self, format: Format) -> Result<Payload, EncodeError> {
        let mut bytes = begin();
        bytes.push(list_of_one(format));
        match serial::encode(&self, format, Wanted::Any, &mut bytes)? {
            // A type with content that happens to be a unit is a null, as of a tree of JSON values: shapes do not depend on data.
            Shape::Nothing if size_of::<T>() == 0 => Ok(Payload::new()),
            Shape::Nothing | Shape::One => {
                bytes.extend_from_slice(list_end(format));
                Ok(args_from(HEAD_ROOM, bytes, format))
            }
            Shape::All => Ok(args_from(HEAD_ROOM + 1, bytes, format)),
        }
    }
}

impl IntoPayload for Payload {
    fn into_payload(self, _: Format) -> Result<Payload, EncodeError> {
        Ok(self)
    }
}

impl<T: Serialize> IntoPayload for Args<T> {
    fn into_payload(self, format: Format) -> Result<Payload, EncodeError> {
        build::<_, ()>(format, Some(&self.0), None)
    }
}

impl<T: Serialize> IntoPayload for Kwargs<T> {
    fn into_payload(self, format: Format) -> Result<Payload, EncodeError> {
        build::<(), _>(format, None, Some(&self.0))
    }
}

impl<A: Serialize, K: Serialize> IntoPayload for ArgsKwargs<A, K> {
    fn into_payload(self, format: Format) -> Result<Payload, EncodeError> {
        build(format, Some(&self.0), Some(&self.1))
    }
}

/// Encodes a sequence as Arguments and a map or struct as ArgumentsKw; empty ones are left out.
pub(super) fn build<A: Serialize, K: Serialize>(
    format: Format,
    args: Option<&A>,
    kwargs: Option<&K>,
) -> Result<Payload, EncodeError> {
    let mut bytes = begin();
    if let Some(args) = args
        && serial::encode(args, format, Wanted::List, &mut bytes)? == Shape::Nothing
    {
        bytes.truncate(HEAD_ROOM);
    }
    let args_end = bytes.len();
    let Some(kwargs) = kwargs else { return Ok(args_from(HEAD_ROOM, bytes, format)) };
    bytes.extend_from_slice(if args_end > HEAD_ROOM { separator(format) } else { b"" });
    let kwargs_start = bytes.len();
    serial::encode(kwargs, format, Wanted::Dict, &mut bytes)?;
    let parts = Parts { from: HEAD_ROOM, args_end, kwargs_start, to: bytes.len() };
    Ok(made(parts, bytes, format))
}

/// The payload whose Arguments start so many bytes from the start, and end at the end.
fn args_from(from: usize, bytes: Vec<u8>, format: Format) -> Payload {
    let to = bytes.len();
    made(Parts { from, args_end: to, kwargs_start: to, to }, bytes, format)
}

/// The start of a payload: room for the head of a message.
fn begin() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ROOM);
    bytes.resize(HEAD_ROOM, 0);
    bytes
}

/// The payload that ends at the end of the bytes, with room behind it for the end of a message.
fn made(parts: Parts, mut bytes: Vec<u8>, format: Format) -> Payload {
    bytes.extend_from_slice(list_end(format));
    let Parts { mut from, mut args_end, mut kwargs_start, mut to } = parts;
    let free = bytes.capacity() - bytes.len();
    if bytes.len() <= SHORT && free <= SHORT {
        bytes.resize(bytes.capacity(), 0);
        bytes.copy_within(from..to, from + free);
        for place in [&mut from, &mut args_end, &mut kwargs_start, &mut to] {
            *place += free;
        }
    }
    let parts = Parts { from, args_end, kwargs_start, to };
    Payload::checked(Checked::owned(format, bytes, parts).trimmed())
}
