//! Messages to MessagePack frames.

use crate::codec::buffer::{Buffer, Sink};
use crate::codec::write::Write;
use crate::{EncodeErrorKind, Format, Limits, Value, serial};

/// A writer of the shortest forms.
pub(crate) struct Writer<'a> {
    frame: &'a mut Buffer,
    /// How many lists and dicts are open.
    level: u8,
}

impl<'a> Writer<'a> {
    #[inline]
    pub(crate) const fn new(frame: &'a mut Buffer) -> Self {
        Self { frame, level: 0 }
    }

    #[inline]
    fn head<const N: usize>(&mut self, marker: u8, number: [u8; N]) {
        self.frame.push(marker);
        self.frame.extend_from_slice(&number);
    }

    /// Writes the head of a list or dict, whose markers are `fixed` and the 15 after it, then `long` and the one after it.
    #[inline]
    fn open(&mut self, length: usize, fixed: u8, long: u8) {
        self.level = self.level.saturating_add(1);
        match (u8::try_from(length), u16::try_from(length)) {
            (Ok(length @ 0..=15), _) => self.frame.push(fixed | length),
            (_, Ok(length)) => self.head(long, length.to_be_bytes()),
            // Lists and dicts of 2^32 values do not fit into memory.
            _ => self.head(long + 1, u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()),
        }
    }

    #[inline]
    fn text(&mut self, text: &str) -> Result<(), EncodeErrorKind> {
        match (u8::try_from(text.len()), u16::try_from(text.len()), u32::try_from(text.len())) {
            (Ok(length @ 0..=31), ..) => self.frame.push(0xa0 | length),
            (Ok(length), ..) => self.head(0xd9, [length]),
            (_, Ok(length), _) => self.head(0xda, length.to_be_bytes()),
            (.., Ok(length)) => self.head(0xdb, length.to_be_bytes()),
            _ => return Err(EncodeErrorKind::Unsupported { format: Self::FORMAT, what: "text of 4 GiB" }),
        }
        self.frame.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

impl Write for Writer<'_> {
    const FORMAT: Format = Format::MsgPack;

    #[inline]
    fn begin_list(&mut self, elements: usize) {
        self.open(elements, 0x90, 0xdc);
    }

    #[inline]
    fn end_list(&mut self) {
        self.level = self.level.saturating_sub(1);
    }

    #[inline]
    fn begin_dict(&mut self, entries: usize) {
        self.open(entries, 0x80, 0xde);
    }

    #[inline]
    fn key(&mut self, key: &str) -> Result<(), EncodeErrorKind> {
        self.text(key)
    }

    #[inline]
    fn end_dict(&mut self) {
        self.level = self.level.saturating_sub(1);
    }

    #[inline]
    fn bool(&mut self, value: bool) {
        self.frame.push(if value { 0xc3 } else { 0xc2 });
    }

    #[inline]
    fn unsigned(&mut self, value: u64) {
        match (u8::try_from(value), u16::try_from(value), u32::try_from(value)) {
            (Ok(value @ 0..=0x7f), ..) => self.frame.push(value),
            (Ok(value), ..) => self.head(0xcc, [value]),
            (_, Ok(value), _) => self.head(0xcd, value.to_be_bytes()),
            (.., Ok(value)) => self.head(0xce, value.to_be_bytes()),
            _ => self.head(0xcf, value.to_be_bytes()),
        }
    }

    #[inline]
    fn string(&mut self, value: &str) -> Result<(), EncodeErrorKind> {
        self.text(value)
    }

    #[inline]
    fn value(&mut self, value: &Value) -> Result<(), EncodeErrorKind> {
        serial::write(value, Self::FORMAT, Limits::MAX_DEPTH.saturating_sub(self.level), self.frame.many())
    }

    #[inline]
    fn raw(&mut self, encoded: &[u8]) {
        self.frame.extend_from_slice(encoded);
    }
}
