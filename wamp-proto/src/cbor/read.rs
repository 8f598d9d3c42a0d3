//! CBOR frames to messages.

use std::borrow::Cow;
use std::marker::PhantomData;

use super::head::{self, BREAK, argument};
use super::skip;
use crate::codec::read::{Number, Open, Read, Unsigned};
use crate::codec::text;
use crate::error::{DecodeErrorKind, Fault, Kind};
use crate::{Limits, Value};

#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    #[inline]
    pub(super) fn initial(&self) -> Result<u8, Fault> {
        self.bytes.get(self.position).copied().ok_or_else(|| self.truncated())
    }

    #[cold]
    fn truncated(&self) -> Fault {
        Fault::new(self.bytes.len(), DecodeErrorKind::Truncated)
    }

    #[cold]
    fn malformed(&self, why: &'static str) -> Fault {
        Fault::new(self.position, DecodeErrorKind::Malformed(why))
    }

    /// Goes to the byte with which `rest` starts.
    #[inline]
    fn seek(&mut self, rest: &[u8]) {
        self.position = self.bytes.len() - rest.len();
    }

    /// Reads a head, and returns its initial byte, its argument, and what follows.
    #[inline]
    fn head(&self) -> Result<(u8, u64, &'a [u8]), Fault> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let (&initial, rest) = rest.split_first().ok_or_else(|| self.truncated())?;
        let (rest, argument) = argument(initial, rest).map_err(|wrong| match wrong {
            head::Wrong::Truncated => self.truncated(),
            head::Wrong::Information => self.malformed(skip::RESERVED),
        })?;
        Ok((initial, argument, rest))
    }

    /// Reads a tag, if one is next.
    #[inline]
    pub(super) fn tag(&mut self) -> Result<Option<u64>, Fault> {
        if self.initial()? & 0xe0 != head::TAG {
            return Ok(None);
        }
        let (_, tag, rest) = self.head()?;
        self.seek(rest);
        Ok(Some(tag))
    }

    /// Whether something of an indefinite length is next, of this major type.
    fn is_indefinite(&self, major: u8) -> Result<bool, Fault> {
        Ok(self.initial()? == major | 0x1f)
    }

    pub(super) fn open(&mut self, major: u8, expected: &'static str) -> Result<Open, Fault> {
        let left = if self.is_indefinite(major)? {
            self.position += 1;
            None
        } else {
            let (initial, length, rest) = self.head()?;
            if initial & 0xe0 != major {
                return Err(self.wrong_type(expected));
            }
            self.seek(rest);
            Some(length)
        };
        Ok(Open { left, first: true, over: false })
    }

    /// Goes to the next element or key.
    #[inline]
    pub(super) fn next(&mut self, open: &mut Open) -> Result<bool, Fault> {
        open.first = false;
        match &mut open.left {
            Some(0) => Ok(false),
            Some(left) => {
                *left -= 1;
                Ok(true)
            }
            None if self.initial()? == BREAK => {
                self.position += 1;
                Ok(false)
            }
            None => Ok(true),
        }
    }

    /// Reads the head of a string that has a definite length, and returns the length behind what follows.
    #[inline]
    fn length(&mut self, major: u8, expected: &'static str) -> Result<(&'a [u8], u64), Fault> {
        let (initial, length, rest) = self.head()?;
        if initial & 0xe0 != major {
            return Err(self.wrong_type(expected));
        }
        Ok((rest, length))
    }

    #[inline]
    fn definite_text(&mut self) -> Result<&'a str, Fault> {
        let (rest, length) = self.length(head::TEXT, "a string")?;
        let (text, rest) = text::read(rest, length).map_err(|error| error.fault(self.bytes, rest))?;
        self.seek(rest);
        Ok(text)
    }

    fn definite_bytes(&mut self) -> Result<&'a [u8], Fault> {
        let (rest, length) = self.length(head::BYTES, "bytes")?;
        let (bytes, rest) = text::split(rest, length).map_err(|error| error.fault(self.bytes, rest))?;
        self.seek(rest);
        Ok(bytes)
    }

    /// Reads the chunks of a string that has an indefinite length.
    fn chunks(&mut self, mut chunk: impl FnMut(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        self.position += 1;
        while self.initial()? != BREAK {
            chunk(self)?;
        }
        self.position += 1;
        Ok(())
    }

    /// Reads a byte string; one of an indefinite length is put together from its chunks.
    pub(super) fn byte_string(&mut self) -> Result<Cow<'a, [u8]>, Fault> {
        if !self.is_indefinite(head::BYTES)? {
            return self.definite_bytes().map(Cow::Borrowed);
        }
        let mut bytes = Vec::new();
        self.chunks(|reader| {
            bytes.extend_from_slice(reader.definite_bytes()?);
            Ok(())
        })?;
        Ok(Cow::Owned(bytes))
    }

    /// Reads the next value if it is a common one; `None` leaves it to be looked at more closely.
    #[inline]
    pub(super) fn common_value(&mut self) -> Option<Common<'a>> {
        let (&initial, rest) = self.bytes.get(self.position..)?.split_first()?;
        let (rest, value) = match initial {
            0x00..=0x17 => (rest, Common::Unsigned(initial.into())),
            0x18 => unsigned::<1>(rest)?,
            0x19 => unsigned::<2>(rest)?,
            0x1a => unsigned::<4>(rest)?,
            0x1b => unsigned::<8>(rest)?,
            0x60..=0x78 => {
                let (rest, length) = argument(initial, rest).ok()?;
                let (text, rest) = text::read(rest, length).ok()?;
                (rest, Common::Text(text))
            }
            0xf4 => (rest, Common::Bool(false)),
            0xf5 => (rest, Common::Bool(true)),
            0xfb => {
                let (bits, rest) = rest.split_first_chunk()?;
                (rest, Common::Float(f64::from_be_bytes(*bits)))
            }
            _ => return None,
        };
        self.seek(rest);
        Some(value)
    }

    /// Reads an integer: whether it is negative, and its argument, which is -1 less the integer if it is.
    pub(super) fn integer(&mut self) -> Result<(bool, u64), Fault> {
        let (initial, argument, rest) = self.head()?;
        self.seek(rest);
        Ok((initial & 0xe0 == head::NEGATIVE, argument))
    }
}

/// A value of one of the forms that most values have.
pub(super) enum Common<'a> {
    Unsigned(u64),
    Float(f64),
    Bool(bool),
    Text(&'a str),
}

#[inline]
fn unsigned<'a, const N: usize>(rest: &[u8]) -> Option<(&[u8], Common<'a>)> {
    head::number::<N>(rest).map(|(rest, number)| (rest, Common::Unsigned(number)))
}

impl<'a> Read<'a> for Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    fn offset(&self) -> usize {
        self.position
    }

    #[inline]
    fn kind(&mut self) -> Result<Kind, Fault> {
        Ok(match self.initial()? {
            0x00..=0x1b | 0x20..=0x3b => Kind::Integer,
            0x40..=0x5b | 0x5f => Kind::Bytes,
            0x60..=0x7b | 0x7f => Kind::String,
            0x80..=0x9b | 0x9f => Kind::List,
            0xa0..=0xbb | 0xbf => Kind::Dict,
            0xf4 | 0xf5 => Kind::Bool,
            0xf6 | 0xf7 => Kind::Null,
            0xf9..=0xfb => Kind::Float,
            0xc0..=0xdb | 0xe0..=0xf3 | 0xf8 => Kind::Other,
            BREAK => return Err(self.malformed("a break where a value is expected")),
            _ => return Err(self.malformed(skip::RESERVED)),
        })
    }

    fn list(&mut self) -> Result<Open, Fault> {
        self.open(head::LIST, "a list")
    }

    #[inline]
    fn next_element(&mut self, open: &mut Open) -> Result<bool, Fault> {
        self.next(open)
    }

    fn dict(&mut self) -> Result<Open, Fault> {
        self.open(head::DICT, "a dict")
    }

    fn next_key(&mut self, open: &mut Open) -> Result<Option<Cow<'a, str>>, Fault> {
        if !self.next(open)? {
            return Ok(None);
        }
        let found = self.kind()?;
        if found != Kind::String {
            return Err(Fault::new(self.position, DecodeErrorKind::KeyIsNotAString { found }));
        }
        self.string().map(Some)
    }

    fn pass_key(&mut self, open: &mut Open) -> Result<bool, Fault> {
        let found = self.next(open)?;
        if found {
            self.skip(Limits::MAX_DEPTH)?;
        }
        Ok(found)
    }

    fn pass_tags(&mut self) -> Result<(), Fault> {
        while self.tag()?.is_some() {}
        Ok(())
    }

    fn bool(&mut self) -> Result<bool, Fault> {
        let value = match self.initial()? {
            0xf4 => false,
            0xf5 => true,
            _ => return Err(self.wrong_type("a boolean")),
        };
        self.position += 1;
        Ok(value)
    }

    fn number(&mut self) -> Result<Number, Fault> {
        let (initial, bits, rest) = self.head()?;
        #[expect(clippy::cast_possible_truncation, reason = "so many bytes have been read")]
        let number = match initial {
            0x00..=0x1b => Number::Unsigned(bits),
            // What is below the range is as negative as its least number.
            0x20..=0x3b => Number::Signed(i64::try_from(bits).map_or(i64::MIN, |bits| -1 - bits)),
            0xf9 => Number::Float(head::half(bits as u16)),
            0xfa => Number::Float(f32::from_bits(bits as u32).into()),
            0xfb => Number::Float(f64::from_bits(bits)),
            _ => return Err(self.wrong_type("a number")),
        };
        self.seek(rest);
        Ok(number)
    }

    #[inline(always)]
    fn usual_list(&mut self) -> Option<Open> {
        let initial @ 0x80..=0x97 = *self.bytes.get(self.position)? else { return None };
        self.position += 1;
        Some(Open { left: Some((initial & 0x1f).into()), first: true, over: false })
    }

    #[inline(always)]
    fn usual_next(&mut self, open: &mut Open) -> bool {
        let left = open.left.unwrap_or_default();
        open.left = Some(left.saturating_sub(1));
        left > 0
    }

    #[inline(always)]
    fn usual_empty_dict(&mut self) -> bool {
        let is_empty = self.bytes.get(self.position) == Some(&0xa0);
        self.position += usize::from(is_empty);
        is_empty
    }

    #[inline(always)]
    fn usual_string(&mut self) -> Option<&'a str> {
        let (text, rest) = match self.bytes.get(self.position..)? {
            [head @ 0x60..=0x77, rest @ ..] => rest.split_at_checked((head & 0x1f).into())?,
            [0x78, length, rest @ ..] => rest.split_at_checked((*length).into())?,
            _ => return None,
        };
        self.seek(rest);
        str::from_utf8(text).ok()
    }

    #[inline(always)]
    fn usual_args(&self, open: &Open, depth: u8) -> Option<(usize, usize)> {
        let start = self.position;
        let (Some(1), 0x80..=0x9f) = (open.left, *self.bytes.get(start)?) else { return None };
        let end = skip::value(self.bytes, start, depth).ok()?;
        (end == self.bytes.len()).then_some((start, end))
    }

    #[inline(always)]
    fn usual_unsigned(&mut self) -> Option<Unsigned> {
        let (initial, rest) = self.bytes.get(self.position..)?.split_first()?;
        let 0x00..=0x1b = *initial else { return None };
        let (rest, value) = argument(*initial, rest).ok()?;
        let offset = self.position;
        self.seek(rest);
        Some(Unsigned { value, offset })
    }

    /// Reads a text string; one of an indefinite length is put together from its chunks.
    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        if !self.is_indefinite(head::TEXT)? {
            return self.definite_text().map(Cow::Borrowed);
        }
        let mut text = String::new();
        self.chunks(|reader| {
            text.push_str(reader.definite_text()?);
            Ok(())
        })?;
        Ok(Cow::Owned(text))
    }

    fn skip(&mut self, depth: u8) -> Result<(), Fault> {
        self.position = skip::value(self.bytes, self.position, depth)?;
        Ok(())
    }

    fn skip_dict(&mut self, depth: u8) -> Result<(), Fault> {
        let start = self.position;
        let mut open = self.dict()?;
        let Some(depth) = depth.checked_sub(1) else { return Err(Fault::new(start, DecodeErrorKind::TooDeep)) };
        while self.next_key(&mut open)?.is_some() {
            self.skip(depth)?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        if self.position < self.bytes.len() {
            return Err(Fault::new(self.position, DecodeErrorKind::TrailingBytes));
        }
        Ok(())
    }

    fn value(encoded: &[u8]) -> Option<Value> {
        super::from_slice(encoded, PhantomData::<Value>).ok()
    }
}
