//! Messages to frames and back, the same for every format.

pub(crate) mod attribute;
mod brief;
pub(crate) mod buffer;
mod decode;
#[cfg(all(test, any(feature = "msgpack", feature = "cbor")))]
pub(crate) mod differential;
mod encode;
#[cfg(any(feature = "msgpack", feature = "cbor"))]
pub(crate) mod nesting;
pub(crate) mod read;
#[cfg(any(feature = "msgpack", feature = "cbor"))]
pub(crate) mod text;
mod usual;
pub(crate) mod write;

pub use self::decode::decode;
#[cfg(any(test, fuzzing))]
pub(crate) use self::decode::decode_closely;
#[cfg(any(test, fuzzing))]
pub(crate) use self::encode::encode_closely;
pub use self::encode::{encode, encode_frame};
