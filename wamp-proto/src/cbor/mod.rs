//! CBOR (RFC 8949).
//!
//! Within values everything well-formed is accepted: lengths and integers that are longer than needed, indefinite lengths, tags, simple
//! values. In the elements of a message and the known attributes of Options and Details a tag is a value of a wrong type, also the one by
//! which CBOR describes itself in front of a message: no peer has a reason to send one there. Frames are written in definite lengths, with
//! the shortest heads.

mod de;
mod error;
mod head;
mod read;
mod ser;
mod skip;
mod write;

#[cfg(test)]
mod differential;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde::de::DeserializeSeed;

use self::error::Error;
pub(crate) use self::read::Reader;
pub(crate) use self::write::Writer;

/// Appends a value.
pub(crate) fn to_vec<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), Error> {
    value.serialize(ser::Serializer::new(out))
}

/// Decodes one value, with nothing behind it, that has been skipped before.
pub(crate) fn from_slice<'de, S: DeserializeSeed<'de>>(bytes: &'de [u8], seed: S) -> Result<S::Value, Error> {
    seed.deserialize(&mut de::Deserializer::new(bytes))
}
