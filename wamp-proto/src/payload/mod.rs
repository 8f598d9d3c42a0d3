//! The application's part of a message: Arguments and ArgumentsKw.

mod checked;
mod from;
mod into;
mod packed;
mod tail;

use core::fmt;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use bytes::{Buf, Bytes};
use serde::Deserialize;
use serde::de::value::{Error as UnitError, UnitDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

pub(crate) use self::checked::{Checked, Elements, Parts, list_end};
use self::checked::{empty_dict, empty_list};
pub use self::from::FromPayload;
pub use self::into::{Args, ArgsKwargs, IntoPayload, Kwargs};
pub(crate) use self::tail::Tail;
use crate::codec::read::Read;
use crate::serial::{self, Asked, Foreign, Root, with_format};
use crate::{DecodeError, EncodeError, EncodeErrorKind, Format, PayloadError, Value};

/// The format in which absent arguments are decoded.
const ANY: Format = match Format::ALL {
    [format, ..] => *format,
    [] => panic!("a format is compiled in"),
};

/// Arguments and ArgumentsKw of a message, as one slice of bytes in a format.
///
/// A received payload is a slice of its frame: cloning it is cheap, and it keeps the frame alive. It is decoded when it is
/// asked for, into any type that serde can decode, borrowing from the frame where the format allows it: text without
/// escapes in JSON, text and bytes in MessagePack, and in CBOR those of definite length. A payload to be sent is made with
/// [`IntoPayload`].
///
/// Absent and empty Arguments look alike, and so do absent and empty ArgumentsKw; [`raw_args`](Self::raw_args) and
/// [`raw_kwargs`](Self::raw_kwargs) tell them apart. `null` in the place of either counts as absent.
///
/// Two payloads are equal if their arguments are equal as [`Value`]s, in whatever formats.
///
/// # JSON
///
/// A string that starts with U+0000 is base64 and becomes bytes where a type asks for bytes or for anything (as [`Value`]
/// does); where a type asks for a string it stays a string. It fails to decode if it is no base64. Integers beyond `i64` and
/// `u64` become floats.
#[derive(Clone, Default)]
pub struct Payload(Repr);

#[derive(Clone, Default)]
enum Repr {
    #[default]
    Empty,
    Checked(Checked),
    Unchecked(Arc<Unchecked>),
}

/// The rest of a frame, of which nothing is known.
struct Unchecked {
    /// Everything behind the last fixed element, the end of the message's list included.
    bytes: Bytes,
    /// How many bytes of the frame are before it.
    start: usize,
    tail: Tail,
    checked: OnceLock<Result<Option<Checked>, DecodeError>>,
}

/// What is known of the payload of a frame: where it is, to be checked or not.
pub(crate) enum Received {
    Checked(Option<Parts>),
    Unchecked {
        /// How many bytes of the frame are before it.
        start: usize,
        tail: Tail,
    },
}

impl Unchecked {
    fn checked(&self) -> Result<Option<&Checked>, &DecodeError> {
        let check = || {
            with_format!(self.tail.format, module => {
                self.tail.check(module::Reader::new(&self.bytes), self.start)
            })
            .map(|parts| Some(Checked::new(self.tail.format, self.bytes.clone(), parts?)))
        };
        self.checked.get_or_init(check).as_ref().map(Option::as_ref)
    }
}

impl Payload {
    /// Makes a payload of no arguments.
    #[must_use]
    pub const fn new() -> Self {
        Self(Repr::Empty)
    }

    fn checked(checked: Option<Checked>) -> Self {
        Self(checked.map_or(Repr::Empty, Repr::Checked))
    }

    #[inline(always)]
    pub(crate) const fn at(frame: Bytes, format: Format, parts: Parts) -> Self {
        Self(Repr::Checked(Checked::new(format, frame, parts)))
    }

    /// Takes the payload of a frame.
    #[inline(never)]
    pub(crate) fn received(frame: Bytes, format: Format, received: Received) -> Self {
        Self(match received {
            Received::Checked(None) => Repr::Empty,
            Received::Checked(Some(parts)) => return Self::at(frame, format, parts),
            Received::Unchecked { start, tail } => Self::unchecked(frame, start, tail),
        })
    }

    fn unchecked(mut bytes: Bytes, start: usize, tail: Tail) -> Repr {
        bytes.advance(start);
        Repr::Unchecked(Arc::new(Unchecked { bytes, start, tail, checked: OnceLock::new() }))
    }

    /// The checked payload, which is checked now if it has not been; `None` if there are no arguments.
    fn parts(&self) -> Result<Option<&Checked>, &DecodeError> {
        match &self.0 {
            Repr::Empty => Ok(None),
            Repr::Checked(checked) => Ok(Some(checked)),
            Repr::Unchecked(unchecked) => unchecked.checked(),
        }
    }

    fn readable(&self) -> Result<Option<&Checked>, PayloadError> {
        self.parts().map_err(|error| PayloadError::Malformed(error.clone()))
    }

    /// Checks a payload that was received unchecked, once; others are checked already.
    ///
    /// Every other method that needs a checked payload does so, too.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] as [`decode`](crate::decode) would have given it.
    pub fn check(&self) -> Result<(), DecodeError> {
        self.parts().map(drop).map_err(Clone::clone)
    }

    /// The format, `None` if there are no arguments that have one.
    #[must_use]
    pub fn format(&self) -> Option<Format> {
        match &self.0 {
            Repr::Empty => None,
            Repr::Checked(checked) => Some(checked.format),
            Repr::Unchecked(unchecked) => Some(unchecked.tail.format),
        }
    }

    /// Decodes the Arguments into a sequence or tuple; absent ones count as an empty list.
    ///
    /// ```
    /// # use wamp_proto::{Format, IntoPayload};
    /// let payload = ("com.example", 1).into_payload(Format::ALL[0])?;
    /// assert_eq!(payload.args::<(&str, u8)>()?, ("com.example", 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if they are malformed (received unchecked) or do not fit the type: a tuple wants as many as it has.
    pub fn args<'a, T: Deserialize<'a>>(&'a self) -> Result<T, PayloadError> {
        match self.readable()? {
            Some(checked) => serial::decode(checked.args(), checked.format, Root::Args),
            None => serial::decode(empty_list(ANY), ANY, Root::Args),
        }
    }

    /// Decodes one of the Arguments, counted from 0; the others are skipped.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if there are fewer, if they are malformed (received unchecked) or if it does not fit the type.
    pub fn arg<'a, T: Deserialize<'a>>(&'a self, index: usize) -> Result<T, PayloadError> {
        let missing = PayloadError::Missing(index);
        let Some(checked) = self.readable()? else { return Err(missing) };
        serial::decode(checked.arg(index).ok_or(missing)?, checked.format, Root::Arg(index))
    }

    /// Decodes the ArgumentsKw into a map or struct; absent ones count as an empty dict.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if they are malformed (received unchecked) or do not fit the type.
    pub fn kwargs<'a, T: Deserialize<'a>>(&'a self) -> Result<T, PayloadError> {
        match self.readable()? {
            Some(checked) => serial::decode(checked.kwargs(), checked.format, Root::Kwargs),
            None => serial::decode(empty_dict(ANY), ANY, Root::Kwargs),
        }
    }

    /// The Arguments as they are on the wire, a list in [`format`](Self::format); `None` if they are absent.
    ///
    /// With ArgumentsKw there are always Arguments: an empty list stands in for `null`.
    ///
    /// # Errors
    ///
    /// [`PayloadError::Malformed`] if they were received unchecked and are malformed.
    pub fn raw_args(&self) -> Result<Option<Bytes>, PayloadError> {
        Ok(self.readable()?.map(Checked::shared_args))
    }

    /// The ArgumentsKw as they are on the wire, a dict in [`format`](Self::format); `None` if they are absent.
    ///
    /// # Errors
    ///
    /// [`PayloadError::Malformed`] if they were received unchecked and are malformed.
    pub fn raw_kwargs(&self) -> Result<Option<Bytes>, PayloadError> {
        Ok(self.readable()?.and_then(Checked::shared_kwargs))
    }

    /// Decodes the payload by the shape of a type, the reverse of [`IntoPayload`].
    ///
    /// | type | is decoded from |
    /// |---|---|
    /// | `()` | nothing: any arguments are ignored |
    /// | a tuple, a fixed array | the Arguments, which must be as many |
    /// | `Option<T>` | the first argument, `None` if there is none or if it is null |
    /// | anything else, also a `Vec` or a [`Value`] | the first argument |
    ///
    /// ArgumentsKw are left to [`kwargs`](Self::kwargs).
    ///
    /// ```
    /// # use wamp_proto::{Format, IntoPayload};
    /// let payload = ("hello", 42).into_payload(Format::ALL[0])?;
    /// assert_eq!(payload.to::<(String, u8)>()?, ("hello".to_owned(), 42));
    /// assert_eq!(payload.to::<String>()?, "hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`args`](Self::args) and [`arg`](Self::arg).
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, PayloadError> {
        let nothing = || {
            let unit: UnitDeserializer<UnitError> = ().into_deserializer();
            let mismatch = |error: UnitError| PayloadError::Mismatch { path: "args".into(), reason: error.to_string() };
            T::deserialize(unit).map_err(mismatch)
        };
        match serial::asked::<T>() {
            Asked::Nothing => {
                self.readable()?;
                nothing()
            }
            Asked::All => self.args(),
            Asked::One => self.arg(0),
            Asked::Option => match self.arg(0) {
                Err(PayloadError::Missing(_)) => nothing(),
                result => result,
            },
        }
    }

    /// Makes the payload of another format, without loss; of the same format it is a cheap clone.
    ///
    /// Integers of JSON beyond `i64` and `u64` become floats.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if the format cannot carry a value, or the payload was received unchecked and is malformed.
    pub fn transcode(&self, format: Format) -> Result<Self, EncodeError> {
        self.in_format(format).map(Cow::into_owned)
    }

    /// Borrows the payload if it is of the format, and is transcoded if not; what is returned is checked.
    pub(crate) fn in_format(&self, format: Format) -> Result<Cow<'_, Self>, EncodeError> {
        let malformed = |_| EncodeError { path: "payload".into(), kind: EncodeErrorKind::MalformedPayload };
        let Some(checked) = self.parts().map_err(malformed)? else { return Ok(Cow::Owned(Self::new())) };
        if checked.format == format {
            return Ok(Cow::Borrowed(self));
        }
        let args = Foreign { bytes: checked.args(), format: checked.format };
        let kwargs = Foreign { bytes: checked.kwargs(), format: checked.format };
        into::build(format, Some(&args), checked.has_kwargs().then_some(&kwargs)).map(Cow::Owned)
    }

    /// The size of the payload on the wire, in bytes.
    ///
    /// It keeps its frame alive, which is larger; [`detach`](Self::detach) does away with that.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        match &self.0 {
            Repr::Empty => 0,
            Repr::Checked(checked) => checked.bytes().len(),
            Repr::Unchecked(unchecked) => unchecked.bytes.len(),
        }
    }

    /// Whether it was made here, by [`IntoPayload`] or by [`detach`](Self::detach), in bytes of its own.
    ///
    /// Other payloads keep the frame alive that was given to [`decode`](crate::decode), and with it whatever owns those bytes: where the last of such a
    /// payload is dropped, its owner's code may run ([`Bytes::from_owner`]).
    #[must_use]
    pub const fn is_own(&self) -> bool {
        match &self.0 {
            Repr::Empty => true,
            Repr::Checked(checked) => checked.is_own(),
            Repr::Unchecked(_) => false,
        }
    }

    /// Copies the payload out of its frame, so that it does not keep a larger buffer alive.
    #[must_use]
    pub fn detach(&self) -> Self {
        Self(match &self.0 {
            Repr::Empty => Repr::Empty,
            Repr::Checked(checked) => Repr::Checked(checked.detach()),
            Repr::Unchecked(unchecked) => Repr::Unchecked(Arc::new(Unchecked {
                bytes: Bytes::copy_from_slice(&unchecked.bytes),
                start: unchecked.start,
                tail: unchecked.tail,
                checked: match unchecked.checked.get() {
                    Some(Ok(checked)) => Ok(checked.as_ref().map(Checked::detach)).into(),
                    Some(Err(error)) => Err(error.clone()).into(),
                    None => OnceLock::new(),
                },
            })),
        })
    }

    /// The payload itself if it is of the format, and a transcoded one if not; what is returned is checked.
    #[inline]
    pub(crate) fn into_format(self, format: Format) -> Result<Self, EncodeError> {
        match &self.0 {
            Repr::Empty => Ok(self),
            Repr::Checked(checked) if checked.format == format => Ok(self),
            _ => self.transcode(format),
        }
    }

    /// The elements that a message of the same format gets; none if the payload has not been checked, or is malformed.
    #[inline]
    pub(crate) fn elements(&self) -> Elements {
        self.parts().ok().flatten().map_or_else(Elements::default, Checked::elements)
    }

    /// The bytes of elements that the payload has.
    pub(crate) fn part(&self, elements: Elements) -> &[u8] {
        self.parts().ok().flatten().map_or(&[], |checked| checked.part(elements))
    }

    /// Makes the payload a frame where it lies, if it is nobody else's and there is room around it; gives it back if not.
    ///
    /// `head` gets the room before the elements, writes up to its end, and says where it starts; with `None` the payload stays as it was.
    #[inline]
    pub(crate) fn framed(
        self,
        elements: Elements,
        head: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> Result<Bytes, Self> {
        match self.0 {
            Repr::Checked(checked) if elements != Elements::None => {
                checked.framed(elements, head).map_err(|checked| Self(Repr::Checked(checked)))
            }
            repr => Err(Self(repr)),
        }
    }
}

impl fmt::Debug for Payload {
    /// Prints the format and the sizes, but no content, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Payload");
        match &self.0 {
            Repr::Empty => {}
            Repr::Checked(checked) => {
                debug.field("format", &checked.format).field("args_bytes", &checked.args().len());
                if checked.has_kwargs() {
                    debug.field("kwargs_bytes", &checked.kwargs().len());
                }
            }
            Repr::Unchecked(unchecked) => {
                debug.field("format", &unchecked.tail.format).field("unchecked_bytes", &unchecked.bytes.len());
            }
        }
        debug.finish()
    }
}

impl PartialEq for Payload {
    /// Compares values. A payload that is malformed, or holds what [`Value`] does not represent, equals only the same bytes.
    fn eq(&self, other: &Self) -> bool {
        let (Ok(this), Ok(that)) = (self.parts(), other.parts()) else {
            return match (&self.0, &other.0) {
                (Repr::Unchecked(a), Repr::Unchecked(b)) => a.tail.format == b.tail.format && a.bytes == b.bytes,
                _ => false,
            };
        };
        if let (Some(this), Some(that)) = (this, that)
            && (this.format, this.args(), this.kwargs()) == (that.format, that.args(), that.kwargs())
        {
            return true;
        }
        let values =
            |payload: &Self| -> Option<(Value, Value)> { Some((payload.args().ok()?, payload.kwargs().ok()?)) };
        values(self).is_some_and(|values_of_self| Some(values_of_self) == values(other))
    }
}

#[cfg(test)]
mod tests;
