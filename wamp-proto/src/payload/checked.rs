//! Arguments and ArgumentsKw that are known to be well-formed.

use core::ops::Range;

use bytes::{Buf, Bytes};

use super::into::ROOM;
use crate::codec::read::Read;
use crate::codec::write::Write;
use crate::error::Kind;
use crate::serial::with_format;
use crate::{Format, Limits};

/// Arguments, and ArgumentsKw behind them, as they are on the wire.
///
/// They are not cut out of their frame before somebody asks for them: a message is made by writing numbers, and takes no reference count.
#[derive(Clone)]
pub(crate) struct Checked {
    pub(super) format: Format,
    /// The Arguments, a separator in JSON, the ArgumentsKw; and what is around them.
    frame: Bytes,
    parts: Parts,
    /// Whether the frame was allocated here, for this payload.
    own: bool,
}

/// Where Arguments and ArgumentsKw are, in bytes from the start of their frame.
#[derive(Clone, Copy)]
pub(crate) struct Parts {
    pub(crate) from: usize,
    /// Where the Arguments end; at their start if there are only ArgumentsKw.
    pub(crate) args_end: usize,
    /// Where the ArgumentsKw start; at the end if there are only Arguments.
    pub(crate) kwargs_start: usize,
    pub(crate) to: usize,
}

impl Parts {
    /// From where to where elements are.
    const fn range(self, elements: Elements) -> Range<usize> {
        let Self { from, args_end, kwargs_start, to } = self;
        match elements {
            Elements::None => from..from,
            Elements::Args => from..args_end,
            Elements::Kwargs => kwargs_start..to,
            Elements::Both => from..to,
        }
    }
}

impl Checked {
    #[inline(always)]
    pub(super) const fn new(format: Format, frame: Bytes, parts: Parts) -> Self {
        Self { format, frame, parts, own: false }
    }

    /// The same of bytes that were allocated here, for this payload.
    pub(super) fn owned(format: Format, frame: Vec<u8>, parts: Parts) -> Self {
        Self { format, frame: frame.into(), parts, own: true }
    }

    pub(super) const fn is_own(&self) -> bool {
        self.own
    }

    /// Everything that is on the wire.
    pub(super) fn bytes(&self) -> &[u8] {
        self.frame.get(self.parts.from..self.parts.to).unwrap_or_default()
    }

    /// Whether there are Arguments, which may be empty.
    pub(super) const fn has_args(&self) -> bool {
        self.parts.from < self.parts.args_end
    }

    /// Whether there are ArgumentsKw, which may be empty.
    pub(super) const fn has_kwargs(&self) -> bool {
        self.parts.kwargs_start < self.parts.to
    }

    /// The Arguments, a list.
    pub(super) fn args(&self) -> &[u8] {
        match self.frame.get(self.parts.from..self.parts.args_end) {
            Some(args) if !args.is_empty() => args,
            _ => empty_list(self.format),
        }
    }

    /// The ArgumentsKw, a dict.
    pub(super) fn kwargs(&self) -> &[u8] {
        match self.frame.get(self.parts.kwargs_start..self.parts.to) {
            Some(kwargs) if !kwargs.is_empty() => kwargs,
            _ => empty_dict(self.format),
        }
    }

    /// The Arguments as a part of the frame.
    pub(super) fn shared_args(&self) -> Bytes {
        if self.has_args() {
            self.frame.slice(self.parts.from..self.parts.args_end)
        } else {
            Bytes::from_static(empty_list(self.format))
        }
    }

    /// The ArgumentsKw as a part of the frame, `None` if they are absent.
    pub(super) fn shared_kwargs(&self) -> Option<Bytes> {
        self.has_kwargs().then(|| self.frame.slice(self.parts.kwargs_start..self.parts.to))
    }

    /// One of the Arguments.
    pub(super) fn arg(&self, index: usize) -> Option<&[u8]> {
        with_format!(self.format, module => element::<module::Reader<'_>>(self.args(), index))
    }

    /// The same in bytes of its own.
    pub(super) fn detach(&self) -> Self {
        let Parts { from, args_end, kwargs_start, to } = self.parts;
        let parts = Parts { from: 0, args_end: args_end - from, kwargs_start: kwargs_start - from, to: to - from };
        Self::owned(self.format, self.bytes().to_vec(), parts)
    }

    /// Whether there are Arguments that are not empty.
    fn has_any_args(&self) -> bool {
        self.has_args() && !is_empty(self.args(), self.format)
    }

    /// Whether there are ArgumentsKw that are not empty.
    pub(super) fn has_any_kwargs(&self) -> bool {
        self.has_kwargs() && !is_empty(self.kwargs(), self.format)
    }

    /// Without empty ArgumentsKw, and `None` if the Arguments are empty, too.
    pub(super) fn trimmed(mut self) -> Option<Self> {
        if self.has_any_kwargs() {
            return Some(self);
        }
        self.parts.kwargs_start = self.parts.args_end;
        self.parts.to = self.parts.args_end;
        self.has_any_args().then_some(self)
    }

    /// What a message of the same format gets.
    #[inline]
    pub(super) fn elements(&self) -> Elements {
        match (self.has_any_kwargs(), self.has_args()) {
            (true, true) => Elements::Both,
            (true, false) => Elements::Kwargs,
            (false, _) if self.has_any_args() => Elements::Args,
            (false, _) => Elements::None,
        }
    }

    /// The bytes of elements.
    pub(super) fn part(&self, elements: Elements) -> &[u8] {
        self.frame.get(self.parts.range(elements)).unwrap_or_default()
    }

    /// Writes around elements what makes them a message; what is left of the room behind a small one would be wasted.
    #[inline]
    pub(super) fn framed(
        self,
        elements: Elements,
        head: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> Result<Bytes, Self> {
        let Self { format, frame, parts, own } = self;
        let Range { start, end } = parts.range(elements);
        let mut buffer = match frame.try_into_mut() {
            Ok(buffer) => buffer,
            Err(frame) => return Err(Self { format, frame, parts, own }),
        };
        let behind = list_end(format);
        let stop = end + behind.len();
        if stop <= buffer.len()
            && buffer.capacity() <= 2 * (stop - start) + ROOM
            && let Some(from) = buffer.get_mut(..start).and_then(head)
        {
            if let Some(place) = buffer.get_mut(end..stop) {
                place.copy_from_slice(behind);
            }
            buffer.truncate(stop);
            let mut frame = buffer.freeze();
            frame.advance(from);
            return Ok(frame);
        }
        Err(Self { format, frame: buffer.freeze(), parts, own })
    }
}

/// The elements of a message that are its payload, empty ones left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Elements {
    #[default]
    None,
    Args,
    /// ArgumentsKw behind an empty list, which is not in the bytes.
    Kwargs,
    Both,
}

impl Elements {
    pub(crate) const fn count(self) -> usize {
        match self {
            Self::None => 0,
            Self::Args => 1,
            Self::Kwargs | Self::Both => 2,
        }
    }

    /// Writes what comes before the bytes of the elements.
    pub(crate) fn write_start<W: Write>(self, writer: &mut W) {
        match self {
            Self::None => return,
            Self::Kwargs => {
                writer.begin_list(0);
                writer.end_list();
            }
            Self::Args | Self::Both => {}
        }
        writer.raw(&[]);
    }
}

/// The element of a list that is known to be well-formed.
fn element<'a, R: Read<'a>>(list: &'a [u8], index: usize) -> Option<&'a [u8]> {
    let mut reader = R::new(list);
    let mut find = || {
        reader.kind()?;
        let mut open = reader.list()?;
        for _ in 0..index {
            if !reader.next_element(&mut open)? {
                return Ok(None);
            }
            reader.kind()?;
            reader.skip(Limits::MAX_DEPTH)?;
        }
        if !reader.next_element(&mut open)? {
            return Ok(None);
        }
        reader.kind()?;
        let start = reader.offset();
        reader.skip(Limits::MAX_DEPTH)?;
        Ok(Some((start, reader.offset())))
    };
    let found: Result<_, crate::error::Fault> = find();
    // It is well-formed: there is no error.
    found.ok().flatten().and_then(|(start, end)| list.get(start..end))
}

/// Whether a list or dict, known to be well-formed, has nothing in it.
#[inline]
fn is_empty(bytes: &[u8], format: Format) -> bool {
    !is_plainly_filled(bytes, format) && with_format!(format, module => is_read_empty::<module::Reader<'_>>(bytes))
}

/// Whether the first bytes of a list or dict tell that there is something in it; most that are not empty do.
#[inline]
const fn is_plainly_filled(bytes: &[u8], format: Format) -> bool {
    match (format, bytes) {
        #[cfg(feature = "json")]
        (Format::Json, [_, second, ..]) => !matches!(second, b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r'),
        #[cfg(feature = "msgpack")]
        (Format::MsgPack, [first, ..]) => matches!(first, 0x81..=0x8f | 0x91..=0x9f),
        #[cfg(feature = "cbor")]
        (Format::Cbor, [first, ..]) => matches!(first, 0x81..=0x97 | 0xa1..=0xb7),
        _ => false,
    }
}

#[cold]
fn is_read_empty<'a, R: Read<'a>>(bytes: &'a [u8]) -> bool {
    let mut reader = R::new(bytes);
    match reader.kind() {
        Ok(Kind::List) => reader.list().and_then(|mut open| reader.next_element(&mut open)).is_ok_and(|found| !found),
        Ok(Kind::Dict) => reader.dict().and_then(|mut open| reader.next_key(&mut open)).is_ok_and(|key| key.is_none()),
        _ => false,
    }
}

/// A list of no elements.
pub(super) const fn empty_list(format: Format) -> &'static [u8] {
    match format {
        #[cfg(feature = "json")]
        Format::Json => b"[]",
        #[cfg(feature = "msgpack")]
        Format::MsgPack => &[0x90],
        #[cfg(feature = "cbor")]
        Format::Cbor => &[0x80],
    }
}

/// A dict of no entries.
pub(super) const fn empty_dict(format: Format) -> &'static [u8] {
    match format {
        #[cfg(feature = "json")]
        Format::Json => b"{}",
        #[cfg(feature = "msgpack")]
        Format::MsgPack => &[0x80],
        #[cfg(feature = "cbor")]
        Format::Cbor => &[0xa0],
    }
}

/// The head of a list of one element.
pub(super) const fn list_of_one(format: Format) -> u8 {
    match format {
        #[cfg(feature = "json")]
        Format::Json => b'[',
        #[cfg(feature = "msgpack")]
        Format::MsgPack => 0x91,
        #[cfg(feature = "cbor")]
        Format::Cbor => 0x81,
    }
}

/// What ends a list.
pub(crate) const fn list_end(format: Format) -> &'static [u8] {
    match format {
        #[cfg(feature = "json")]
        Format::Json => b"]",
        #[cfg(feature = "msgpack")]
        Format::MsgPack => b"",
        #[cfg(feature = "cbor")]
        Format::Cbor => b"",
    }
}

/// What stands between two elements of a list.
pub(super) const fn separator(format: Format) -> &'static [u8] {
    match format {
        #[cfg(feature = "json")]
        Format::Json => b",",
        #[cfg(feature = "msgpack")]
        Format::MsgPack => b"",
        #[cfg(feature = "cbor")]
        Format::Cbor => b"",
    }
}
