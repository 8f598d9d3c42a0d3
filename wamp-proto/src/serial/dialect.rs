//! What the formats lack, and what stands in for it.

use serde::Serializer;

use crate::{EncodeErrorKind, Format};

/// A format's deviations from serde's data model.
pub(crate) trait Dialect {
    const FORMAT: Format;

    /// Refuses floats that the format lacks.
    #[inline]
    fn check_float(_: f64) -> Result<(), EncodeErrorKind> {
        Ok(())
    }

    /// Refuses texts that the format lacks.
    #[inline]
    fn check_text(_: &str) -> Result<(), EncodeErrorKind> {
        Ok(())
    }

    fn serialize_bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    /// The bytes that a text stands for, `None` if it is just a text; an error in words.
    fn decode_bytes(_: &[u8]) -> Option<Result<Vec<u8>, String>> {
        None
    }
}

#[cfg(feature = "msgpack")]
pub(crate) struct MsgPack;

#[cfg(feature = "msgpack")]
impl Dialect for MsgPack {
    const FORMAT: Format = Format::MsgPack;
}

#[cfg(feature = "cbor")]
pub(crate) struct Cbor;

#[cfg(feature = "cbor")]
impl Dialect for Cbor {
    const FORMAT: Format = Format::Cbor;
}
