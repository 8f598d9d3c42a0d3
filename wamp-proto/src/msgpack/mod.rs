//! MessagePack, version 5 or later: the one that tells text from bytes.
//!
//! Integers and lengths are accepted in every width, and written in the shortest. Extensions are well-formed within values and stay in a
//! payload's raw bytes, but no type of WAMP stands for them: decoding one fails, and only that.

mod read;
mod skip;
mod write;

use rmp_serde::{decode, encode};
use serde::Serialize;
use serde::de::DeserializeSeed;

pub(crate) use self::read::Reader;
pub(crate) use self::write::Writer;
use crate::error::{DecodeErrorKind, Fault};

/// Appends a value.
pub(crate) fn to_vec<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), encode::Error> {
    value.serialize(&mut rmp_serde::Serializer::new(out).with_struct_map())
}

/// Decodes one value, with nothing behind it, that has been skipped before.
pub(crate) fn from_slice<'de, S: DeserializeSeed<'de>>(bytes: &'de [u8], seed: S) -> Result<S::Value, decode::Error> {
    seed.deserialize(&mut rmp_serde::Deserializer::from_read_ref(bytes))
}

/// Reads a big-endian number of so many bytes, and returns it behind what follows.
#[inline(always)]
fn length<const N: usize>(bytes: &[u8]) -> Option<(&[u8], u64)> {
    let (number, rest) = bytes.split_first_chunk::<N>()?;
    Some((rest, number.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))))
}

/// The fault of the one byte that starts nothing.
const fn no_marker(offset: usize) -> Fault {
    Fault::new(offset, DecodeErrorKind::Malformed("0xc1 starts no value"))
}
