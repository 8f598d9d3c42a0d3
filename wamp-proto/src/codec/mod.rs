//! Messages to frames and back, the same for every format.

pub(crate) mod attribute;
mod decode;
mod encode;
pub(crate) mod read;
pub(crate) mod write;

pub use self::decode::decode;
pub use self::encode::encode;
