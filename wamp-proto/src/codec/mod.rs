//! Messages to frames and back, the same for every format.

pub(crate) mod attribute;
mod decode;
mod encode;
#[cfg(any(feature = "msgpack", feature = "cbor"))]
pub(crate) mod nesting;
pub(crate) mod read;
#[cfg(any(feature = "msgpack", feature = "cbor"))]
pub(crate) mod text;
pub(crate) mod write;

pub use self::decode::decode;
pub use self::encode::encode;
