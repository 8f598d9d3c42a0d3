//! Payloads that the router does not look at (WAMP Advanced Profile, "Payload Passthru Mode").
//!
//! In this mode Arguments and ArgumentsKw are packed with a serializer of the application's choice, may be encrypted, and travel as one
//! binary item, with attributes beside it that say how it is to be read: the scheme, the serializer, the cipher and the key. Router and
//! both peers have to announce the feature; without it nothing is sent ([`CommandError::NotSupported`](crate::CommandError::NotSupported)).
//!
//! | scheme | what happens to the payload |
//! |---|---|
//! | `mqtt` | nothing with the serializer `native`, which is the default; else it is packed in `json`, `msgpack` or `cbor` |
//! | `wamp` | the specification leaves the ciphertext open: a [`PassthruCodec`] does all of it, and the attributes are checked |
//! | any other, by custom `x_…` | it is packed, and a [`PassthruCodec`] of that name seals it |
//!
//! A client is given its codecs by the configuration ([`Config::passthru_codec`](crate::Config::passthru_codec)), and then seals and
//! opens by itself: whoever reads an event, an invocation or a result does not notice. Who drives a [`Session`](crate::Session) calls
//! [`Codecs::seal`] and [`Codecs::open`] himself. Neither of them does IO, and a codec is called under no lock.
//!
//! ```
//! # #[cfg(not(all(feature = "json", feature = "cbor")))] fn main() {}
//! # #[cfg(all(feature = "json", feature = "cbor"))]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use wamp_session::passthru::{Codecs, Passthru, Plain};
//! use wamp_session::proto::{Format, IntoPayload, Limits};
//!
//! let codecs = Codecs::new().with("x_plain", Plain);
//! let payload = ("hello", 42).into_payload(Format::Json)?;
//! let (attributes, sealed) = codecs.seal(Passthru::new("x_plain").serializer("cbor"), &payload, Format::Json)?;
//! let opened = codecs.open(&attributes, &sealed, &Limits::new())?;
//! assert_eq!(opened.args::<(String, u8)>()?, ("hello".to_owned(), 42));
//! # Ok(())
//! # }
//! ```

mod attributes;
mod codec;

pub use self::attributes::{Attributes, Passthru};
pub use self::codec::{Codecs, PassthruCodec, PassthruError, Plain};
