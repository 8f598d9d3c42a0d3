//! serde, adapted to WAMP once for every format.
//!
//! The module of each format has two functions of its own serde back end, whose errors become text here:
//! - `to_vec(value: &T, out: &mut Vec<u8>) -> Result<(), impl Display>` appends a value that is adapted already;
//! - `from_slice(bytes: &'de [u8], seed: S) -> Result<S::Value, impl Display>` decodes one value, with nothing behind it, that has been
//!   skipped before.

/// Names the module of a format, and its dialect.
macro_rules! with_format {
    ($format:expr, $module:ident $(, $dialect:ident)? => $body:expr) => {
        match $format {
            #[cfg(feature = "json")]
            $crate::Format::Json => {
                use $crate::json as $module;
                $(type $dialect = $crate::json::Strict;)?
                $body
            }
            #[cfg(feature = "msgpack")]
            $crate::Format::MsgPack => {
                use $crate::msgpack as $module;
                $(type $dialect = $crate::serial::MsgPack;)?
                $body
            }
            #[cfg(feature = "cbor")]
            $crate::Format::Cbor => {
                use $crate::cbor as $module;
                $(type $dialect = $crate::serial::Cbor;)?
                $body
            }
        }
    };
}

pub(crate) use with_format;

mod de;
mod dialect;
mod lengths;
mod ser;
mod shape;
mod trail;
mod transcode;

use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed};
use serde::ser::{Serialize, Serializer};

#[cfg(feature = "cbor")]
pub(crate) use self::dialect::Cbor;
pub(crate) use self::dialect::Dialect;
#[cfg(feature = "msgpack")]
pub(crate) use self::dialect::MsgPack;
use self::shape::Shaped;
pub(crate) use self::shape::{Asked, Shape, Wanted, asked};
pub(crate) use self::trail::Trail;
pub(crate) use self::transcode::Foreign;
use crate::error::shortened;
use crate::{EncodeError, EncodeErrorKind, Format, Limits, PayloadError};

/// How deep lists and dicts may nest in Arguments or ArgumentsKw, themselves included: the message's own list is the first level.
pub(crate) const PAYLOAD_DEPTH: u8 = Limits::MAX_DEPTH - 1;

/// What a path starts with.
#[derive(Clone, Copy)]
pub(crate) enum Root {
    Args,
    Arg(usize),
    Kwargs,
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Args => f.write_str("args"),
            Self::Arg(index) => write!(f, "args[{index}]"),
            Self::Kwargs => f.write_str("kwargs"),
        }
    }
}

/// Decodes a value that has been skipped before.
pub(crate) fn decode<'de, T: Deserialize<'de>>(
    bytes: &'de [u8],
    format: Format,
    root: Root,
) -> Result<T, PayloadError> {
    let trail = Trail::default();
    let result = with_format!(format, module, D => {
        module::from_slice(bytes, seed::<T, D>(&trail)).map_err(|error| error.to_string())
    });
    result.map_err(|reason| PayloadError::Mismatch { path: trail.path(root), reason: shortened(&reason).into_owned() })
}

/// The seed by which a format decodes a type.
pub(crate) fn seed<'de, T: Deserialize<'de>, D: Dialect>(trail: &Trail) -> impl DeserializeSeed<'de, Value = T> {
    de::Adapter::<_, D>::new(PhantomData::<T>, trail)
}

/// Appends a value in which at most `depth` lists and dicts nest.
pub(crate) fn write<T: Serialize + ?Sized>(
    value: &T,
    format: Format,
    depth: u8,
    out: &mut Vec<u8>,
) -> Result<(), EncodeErrorKind> {
    append(&Plain(value), format, depth, &Trail::default(), out)
}

/// Appends the Arguments or ArgumentsKw that a value stands for.
///
/// Of [`Shape::One`] only the argument is appended, and of [`Shape::Nothing`] nothing that counts.
pub(crate) fn encode<T: Serialize + ?Sized>(
    value: &T,
    format: Format,
    wanted: Wanted,
    out: &mut Vec<u8>,
) -> Result<Shape, EncodeError> {
    let trail = Trail::default();
    let shape = Cell::new(Shape::Nothing);
    append(&Shaped { value, wanted, shape: &shape }, format, PAYLOAD_DEPTH, &trail, out).map_err(|kind| {
        let root = match (wanted, shape.get()) {
            (Wanted::Any, Shape::One) => Root::Arg(0),
            (Wanted::Any | Wanted::List, _) => Root::Args,
            (Wanted::Dict, _) => Root::Kwargs,
        };
        EncodeError { path: trail.path(root), kind }
    })?;
    Ok(shape.get())
}

fn append<V: Subject>(
    value: &V,
    format: Format,
    depth: u8,
    trail: &Trail,
    out: &mut Vec<u8>,
) -> Result<(), EncodeErrorKind> {
    let result = with_format!(format, module, D => {
        let rooted = Rooted { value, trail, depth, dialect: PhantomData::<D> };
        module::to_vec(&rooted, out).map_err(|error| error.to_string())
    });
    result.map_err(|text| trail.fault().unwrap_or(EncodeErrorKind::Custom(text)))
}

/// What serializes itself into an adapter.
trait Subject {
    fn serialize<S: Serializer, D: Dialect>(&self, adapter: ser::Adapter<'_, S, D>) -> Result<S::Ok, S::Error>;
}

struct Plain<'v, T: ?Sized>(&'v T);

impl<T: Serialize + ?Sized> Subject for Plain<'_, T> {
    fn serialize<S: Serializer, D: Dialect>(&self, adapter: ser::Adapter<'_, S, D>) -> Result<S::Ok, S::Error> {
        self.0.serialize(adapter)
    }
}

/// A value whose serializer is adapted to a dialect.
struct Rooted<'a, V, D> {
    value: &'a V,
    trail: &'a Trail,
    depth: u8,
    dialect: PhantomData<D>,
}

impl<V: Subject, D: Dialect> Serialize for Rooted<'_, V, D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(ser::Adapter::<S, D>::new(serializer, self.trail, self.depth))
    }
}

#[cfg(test)]
mod tests;
