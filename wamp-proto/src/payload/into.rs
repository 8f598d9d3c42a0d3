//! The user's types on their way into a payload.

use serde::Serialize;

use super::checked::{Checked, Parts, list_of_one, separator};
use crate::serial::{self, Shape, Wanted};
use crate::{EncodeError, Format, Payload};

/// For how many bytes there is room from the start: most payloads are smaller.
const ROOM: usize = 128;

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
        let (before, behind) = list_of_one(format);
        let mut bytes = Vec::with_capacity(ROOM);
        bytes.push(before);
        match serial::encode(&self, format, Wanted::Any, &mut bytes)? {
            // A type with content that happens to be a unit is a null, as of a tree of JSON values: shapes do not depend on data.
            Shape::Nothing if size_of::<T>() == 0 => Ok(Payload::new()),
            Shape::Nothing | Shape::One => {
                bytes.extend_from_slice(behind);
                Ok(args_from(0, bytes, format))
            }
            Shape::All => Ok(args_from(1, bytes, format)),
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
    let mut bytes = Vec::with_capacity(ROOM);
    if let Some(args) = args
        && serial::encode(args, format, Wanted::List, &mut bytes)? == Shape::Nothing
    {
        bytes.clear();
    }
    let args_end = bytes.len();
    let Some(kwargs) = kwargs else { return Ok(args_from(0, bytes, format)) };
    bytes.extend_from_slice(if args_end > 0 { separator(format) } else { b"" });
    let kwargs_start = bytes.len();
    serial::encode(kwargs, format, Wanted::Dict, &mut bytes)?;
    let parts = Parts { from: 0, args_end, kwargs_start, to: bytes.len() };
    Ok(Payload::checked(Checked::new(format, bytes.into(), parts).trimmed()))
}

/// The payload whose Arguments start so many bytes from the start, and end at the end.
fn args_from(from: usize, bytes: Vec<u8>, format: Format) -> Payload {
    let to = bytes.len();
    let parts = Parts { from, args_end: to, kwargs_start: to, to };
    Payload::checked(Checked::new(format, bytes.into(), parts).trimmed())
}
