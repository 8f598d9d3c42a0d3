//! Payloads that travel as one binary item (WAMP Advanced Profile, "Payload Passthru Mode").

use core::fmt;

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use super::checked::{Checked, Parts, separator};
use crate::codec::buffer::Buffer;
use crate::codec::read::Read;
use crate::codec::write::Write;
use crate::error::{DecodeErrorKind, Fault, Kind};
use crate::serial::with_format;
use crate::{DecodeError, EncodeError, Format, IntoPayload, Limits, Payload, PayloadError};

/// The keys of the dict that holds Arguments and ArgumentsKw.
const ARGS: &str = "args";
const KWARGS: &str = "kwargs";

impl Payload {
    /// Packs Arguments and ArgumentsKw into one dict, `{"args": …, "kwargs": …}`, in a format.
    ///
    /// Both keys are always there. A payload of another format is transcoded first.
    ///
    /// ```
    /// # #[cfg(not(all(feature = "json", feature = "cbor")))] fn main() {}
    /// # #[cfg(all(feature = "json", feature = "cbor"))]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use wamp_proto::{ArgsKwargs, Format, IntoPayload, Limits, Payload};
    /// let payload = ArgsKwargs(["Hello"], [("x", 1)].into_iter().collect::<std::collections::BTreeMap<_, _>>());
    /// let packed = payload.into_payload(Format::Cbor)?.pack(Format::Json)?;
    /// assert_eq!(&packed[..], br#"{"args":["Hello"],"kwargs":{"x":1}}"#);
    /// let payload = Payload::unpack(packed.into(), Format::Json, &Limits::new())?;
    /// assert_eq!(payload.arg::<&str>(0)?, "Hello");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if the format cannot carry a value, or the payload was received unchecked and is malformed.
    pub fn pack(&self, format: Format) -> Result<Vec<u8>, EncodeError> {
        let payload = self.in_format(format)?;
        // What has been transcoded is checked.
        let checked = payload.parts().ok().flatten();
        let args = checked.map_or_else(|| super::empty_list(format), Checked::args);
        let kwargs = checked.map_or_else(|| super::empty_dict(format), Checked::kwargs);
        let mut packed = Buffer::with_capacity(args.len() + kwargs.len() + 24);
        with_format!(format, module => write(&mut module::Writer::new(&mut packed), args, kwargs))
            .map_err(|kind| EncodeError { path: "payload".into(), kind })?;
        Ok(packed.into_vec())
    }

    /// Unpacks Arguments and ArgumentsKw from one dict, the reverse of [`pack`](Self::pack).
    ///
    /// A key that is missing, or null, counts as empty; other keys are ignored. The bytes come from a peer: the limits of a message
    /// apply to them.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if they are malformed, over a limit, or no such dict.
    pub fn unpack(packed: Bytes, format: Format, limits: &Limits) -> Result<Self, DecodeError> {
        if packed.len() > limits.message_bytes() {
            let kind = DecodeErrorKind::TooLarge { size: packed.len(), limit: limits.message_bytes() };
            return Err(Fault::new(limits.message_bytes(), kind).into());
        }
        let (args, kwargs) = with_format!(format, module => read(module::Reader::new(&packed), limits.depth()))?;
        let part = |(from, to): (usize, usize)| packed.get(from..to).unwrap_or_default();
        let checked = match (args, kwargs) {
            (None, None) => return Ok(Self::new()),
            (Some((from, to)), None) => {
                Checked::new(format, packed, Parts { from, args_end: to, kwargs_start: to, to })
            }
            (None, Some((from, to))) => {
                Checked::new(format, packed, Parts { from, args_end: from, kwargs_start: from, to })
            }
            // A payload has both in one slice.
            (Some(args), Some(kwargs)) => {
                let bytes = [part(args), separator(format), part(kwargs)].concat();
                let args_end = part(args).len();
                let kwargs_start = args_end + separator(format).len();
                let parts = Parts { from: 0, args_end, kwargs_start, to: bytes.len() };
                Checked::owned(format, bytes, parts)
            }
        };
        Ok(Self::checked(checked.trimmed()))
    }

    /// Makes a payload of one binary item.
    ///
    /// ```
    /// # #[cfg(not(feature = "json"))] fn main() {}
    /// # #[cfg(feature = "json")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use wamp_proto::{Format, Payload};
    /// let payload = Payload::binary(b"\x10\xe3", Format::Json)?;
    /// assert_eq!(payload.raw_args()?.as_deref(), Some(br#"["\u0000EOM="]"#.as_slice()));
    /// assert_eq!(&payload.to_binary()?[..], b"\x10\xe3");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if the format has no bytes; each of [`Format`] has.
    pub fn binary(bytes: &[u8], format: Format) -> Result<Self, EncodeError> {
        Item(bytes).into_payload(format)
    }

    /// Takes the one binary item of which the payload consists.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if it consists of something else: of more Arguments, of ArgumentsKw, of text.
    pub fn to_binary(&self) -> Result<Bytes, PayloadError> {
        let [Binary(item)]: [Binary; 1] = self.args()?;
        if self.readable()?.is_some_and(Checked::has_any_kwargs) {
            let reason = "beside a binary item there are no others".to_owned();
            return Err(PayloadError::Mismatch { path: KWARGS.into(), reason });
        }
        Ok(item)
    }
}

fn write<W: Write>(writer: &mut W, args: &[u8], kwargs: &[u8]) -> Result<(), crate::EncodeErrorKind> {
    writer.begin_dict(2);
    writer.key(ARGS)?;
    writer.raw(args);
    writer.key(KWARGS)?;
    writer.raw(kwargs);
    writer.end_dict();
    Ok(())
}

/// From where to where a value is.
type Range = (usize, usize);

/// Finds the two values of the dict; at most `depth` lists and dicts nest, itself included.
fn read<'a, R: Read<'a>>(mut reader: R, depth: u8) -> Result<(Option<Range>, Option<Range>), Fault> {
    let (mut args, mut kwargs) = (None, None);
    if reader.kind()? != Kind::Dict {
        return Err(reader.wrong_type("a dict of args and kwargs"));
    }
    let mut open = reader.dict()?;
    while let Some(key) = reader.next_key(&mut open)? {
        let found = reader.kind()?;
        let start = reader.offset();
        match (&*key, found) {
            (KWARGS, Kind::Dict) => {
                reader.skip_dict(depth - 1)?;
                kwargs = Some((start, reader.offset()));
            }
            (ARGS, Kind::List) => {
                reader.skip(depth - 1)?;
                args = Some((start, reader.offset()));
            }
            (ARGS, Kind::Null) => {
                reader.skip(depth - 1)?;
                args = None;
            }
            (KWARGS, Kind::Null) => {
                reader.skip(depth - 1)?;
                kwargs = None;
            }
            (ARGS, _) => return Err(reader.wrong_type("a list").in_key(ARGS)),
            (KWARGS, _) => return Err(reader.wrong_type("a dict").in_key(KWARGS)),
            _ => reader.skip(depth - 1)?,
        }
    }
    reader.end()?;
    Ok((args, kwargs))
}

/// A byte string on its way out.
struct Item<'a>(&'a [u8]);

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

/// A byte string on its way in.
struct Binary(Bytes);

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Asked for bytes, a format may make them of text.
        deserializer.deserialize_any(BinaryVisitor)
    }
}

struct BinaryVisitor;

impl Visitor<'_> for BinaryVisitor {
    type Value = Binary;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Binary, E> {
        Ok(Binary(Bytes::copy_from_slice(bytes)))
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Binary, E> {
        Ok(Binary(bytes.into()))
    }
}
