//! MessagePack frames to messages.

use std::borrow::Cow;
use std::marker::PhantomData;

use super::{no_marker, skip};
use crate::Value;
use crate::codec::read::{Number, Open, Read, Unsigned};
use crate::codec::text;
use crate::error::{DecodeErrorKind, Fault, Kind};

pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    fn marker(&self) -> Result<u8, Fault> {
        self.bytes.get(self.position).copied().ok_or_else(|| self.truncated())
    }

    #[cold]
    fn truncated(&self) -> Fault {
        Fault::new(self.bytes.len(), DecodeErrorKind::Truncated)
    }

    /// Goes to the byte with which `rest` starts.
    fn seek(&mut self, rest: &[u8]) {
        self.position = self.bytes.len() - rest.len();
    }

    /// Reads a number of so many bytes behind the marker.
    fn head<const N: usize>(&self) -> Result<(&'a [u8], u64), Fault> {
        let behind_marker = self.rest().get(1..).unwrap_or_default();
        text::number::<N>(behind_marker).ok_or_else(|| self.truncated())
    }

    /// Enters a list or dict, whose markers are `fixed` and the 15 after it, then `long` and the one after it.
    #[inline]
    fn open(&mut self, fixed: u8, long: u8, expected: &'static str) -> Result<Open, Fault> {
        let marker = self.marker()?;
        let (rest, left) = match marker {
            _ if marker & 0xf0 == fixed => (self.rest().get(1..).unwrap_or_default(), (marker & 0x0f).into()),
            _ if marker == long => self.head::<2>()?,
            _ if marker == long + 1 => self.head::<4>()?,
            _ => return Err(self.wrong_type(expected)),
        };
        self.seek(rest);
        Ok(Open { left: Some(left), first: true, over: false })
    }

    /// Goes to the next element or key.
    #[inline(always)]
    fn next(open: &mut Open) -> bool {
        let left = open.left.unwrap_or_default();
        open.first = false;
        open.left = Some(left.saturating_sub(1));
        left > 0
    }

    fn text(&mut self) -> Result<&'a str, Fault> {
        let (rest, length) = match self.marker()? {
            marker @ 0xa0..=0xbf => (self.rest().get(1..).unwrap_or_default(), (marker & 0x1f).into()),
            0xd9 => self.head::<1>()?,
            0xda => self.head::<2>()?,
            0xdb => self.head::<4>()?,
            _ => return Err(self.wrong_type("a string")),
        };
        let (text, rest) = text::read(rest, length).map_err(|error| error.fault(self.bytes, rest))?;
        self.seek(rest);
        Ok(text)
    }
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
        let marker = self.marker()?;
        KINDS.get(usize::from(marker)).copied().flatten().ok_or_else(|| no_marker(self.position))
    }

    fn list(&mut self) -> Result<Open, Fault> {
        self.open(0x90, 0xdc, "a list")
    }

    fn next_element(&mut self, open: &mut Open) -> Result<bool, Fault> {
        Ok(Self::next(open))
    }

    fn dict(&mut self) -> Result<Open, Fault> {
        self.open(0x80, 0xde, "a dict")
    }

    #[inline]
    fn next_key(&mut self, open: &mut Open) -> Result<Option<Cow<'a, str>>, Fault> {
        if !Self::next(open) {
            return Ok(None);
        }
        let found = self.kind()?;
        if found != Kind::String {
            return Err(Fault::new(self.position, DecodeErrorKind::KeyIsNotAString { found }));
        }
        self.text().map(|key| Some(Cow::Borrowed(key)))
    }

    fn bool(&mut self) -> Result<bool, Fault> {
        let value = match self.marker()? {
            0xc2 => false,
            0xc3 => true,
            _ => return Err(self.wrong_type("a boolean")),
        };
        self.position += 1;
        Ok(value)
    }

    fn number(&mut self) -> Result<Number, Fault> {
        let marker = self.marker()?;
        let (rest, bits) = match marker {
            0x00..=0x7f | 0xe0..=0xff => (self.rest().get(1..).unwrap_or_default(), marker.into()),
            0xcc | 0xd0 => self.head::<1>()?,
            0xcd | 0xd1 => self.head::<2>()?,
            0xca | 0xce | 0xd2 => self.head::<4>()?,
            0xcb | 0xcf | 0xd3 => self.head::<8>()?,
            _ => return Err(self.wrong_type("a number")),
        };
        self.seek(rest);
        #[expect(clippy::cast_possible_truncation, reason = "so many bytes have been read")]
        Ok(match marker {
            0xca => Number::Float(f32::from_bits(bits as u32).into()),
            0xcb => Number::Float(f64::from_bits(bits)),
            0xd0 | 0xe0..=0xff => signed((bits as u8).cast_signed().into()),
            0xd1 => signed((bits as u16).cast_signed().into()),
            0xd2 => signed((bits as u32).cast_signed().into()),
            0xd3 => signed(bits.cast_signed()),
            _ => Number::Unsigned(bits),
        })
    }

    #[inline(always)]
    fn usual_list(&mut self) -> Option<Open> {
        let marker @ 0x90..=0x9f = *self.bytes.get(self.position)? else { return None };
        self.position += 1;
        Some(Open { left: Some((marker & 0x0f).into()), first: true, over: false })
    }

    #[inline(always)]
    fn usual_next(&mut self, open: &mut Open) -> bool {
        Self::next(open)
    }

    #[inline(always)]
    fn usual_empty_dict(&mut self) -> bool {
        let is_empty = self.bytes.get(self.position) == Some(&0x80);
        self.position += usize::from(is_empty);
        is_empty
    }

    #[inline(always)]
    fn usual_string(&mut self) -> Option<&'a str> {
        let (text, rest) = match self.rest() {
            [marker @ 0xa0..=0xbf, rest @ ..] => rest.split_at_checked((marker & 0x1f).into())?,
            [0xd9, length, rest @ ..] => rest.split_at_checked((*length).into())?,
            _ => return None,
        };
        self.seek(rest);
        str::from_utf8(text).ok()
    }

    #[inline(always)]
    fn usual_args(&self, open: &Open, depth: u8) -> Option<(usize, usize)> {
        let start = self.position;
        let (Some(1), 0x90..=0x9f | 0xdc | 0xdd) = (open.left, *self.bytes.get(start)?) else { return None };
        let end = skip::value(self.bytes, start, depth).ok()?;
        (end == self.bytes.len()).then_some((start, end))
    }

    #[inline(always)]
    fn usual_unsigned(&mut self) -> Option<Unsigned> {
        let (&marker, rest) = self.rest().split_first()?;
        let (rest, value) = match marker {
            0x00..=0x7f => (rest, marker.into()),
            0xcc => text::number::<1>(rest)?,
            0xcd => text::number::<2>(rest)?,
            0xce => text::number::<4>(rest)?,
            0xcf => text::number::<8>(rest)?,
            _ => return None,
        };
        let offset = self.position;
        self.seek(rest);
        Some(Unsigned { value, offset })
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        self.text().map(Cow::Borrowed)
    }

    #[inline]
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

/// What each marker starts.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
static KINDS: [Option<Kind>; 256] = {
    let mut kinds = [None; 256];
    let mut marker = 0_u8;
    loop {
        kinds[marker as usize] = match marker {
            0x00..=0x7f | 0xcc..=0xd3 | 0xe0..=0xff => Some(Kind::Integer),
            0x80..=0x8f | 0xde | 0xdf => Some(Kind::Dict),
            0x90..=0x9f | 0xdc | 0xdd => Some(Kind::List),
            0xa0..=0xbf | 0xd9..=0xdb => Some(Kind::String),
            0xc0 => Some(Kind::Null),
            0xc2 | 0xc3 => Some(Kind::Bool),
            0xc4..=0xc6 => Some(Kind::Bytes),
            0xca | 0xcb => Some(Kind::Float),
            0xc7..=0xc9 | 0xd4..=0xd8 => Some(Kind::Other),
            0xc1 => None,
        };
        match marker.checked_add(1) {
            Some(next) => marker = next,
            None => break kinds,
        }
    }
};

/// A number of a signed type: which type a peer takes says nothing about the number.
fn signed(number: i64) -> Number {
    u64::try_from(number).map_or(Number::Signed(number), Number::Unsigned)
}
