//! The user's types on their way into a payload.

use serde::Serialize;

use crate::{EncodeError, Format, Payload};

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
/// The shape depends on the type alone, never on the data.
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
    fn into_payload(self, _: Format) -> Result<Payload, EncodeError> {
        todo!()
    }
}

impl IntoPayload for Payload {
    fn into_payload(self, _: Format) -> Result<Payload, EncodeError> {
        Ok(self)
    }
}

impl<T: Serialize> IntoPayload for Args<T> {
    fn into_payload(self, _: Format) -> Result<Payload, EncodeError> {
        todo!()
    }
}

impl<T: Serialize> IntoPayload for Kwargs<T> {
    fn into_payload(self, _: Format) -> Result<Payload, EncodeError> {
        todo!()
    }
}

impl<A: Serialize, K: Serialize> IntoPayload for ArgsKwargs<A, K> {
    fn into_payload(self, _: Format) -> Result<Payload, EncodeError> {
        todo!()
    }
}
