//! Messages to CBOR frames.

use super::head::{self, DICT, LIST, TEXT, UNSIGNED};
use crate::codec::buffer::{Buffer, Sink};
use crate::codec::write::Write;
use crate::{EncodeErrorKind, Format, Limits, Value, serial};

/// A writer of the shortest heads and of definite lengths.
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
    fn open(&mut self, major: u8, length: usize) {
        self.level = self.level.saturating_add(1);
        head::write(major, length as u64, self.frame);
    }
}

impl Write for Writer<'_> {
    const FORMAT: Format = Format::Cbor;

    #[inline]
    fn begin_list(&mut self, elements: usize) {
        self.open(LIST, elements);
    }

    #[inline]
    fn end_list(&mut self) {
        self.level = self.level.saturating_sub(1);
    }

    #[inline]
    fn begin_dict(&mut self, entries: usize) {
        self.open(DICT, entries);
    }

    #[inline]
    fn key(&mut self, key: &str) -> Result<(), EncodeErrorKind> {
        self.string(key)
    }

    #[inline]
    fn end_dict(&mut self) {
        self.level = self.level.saturating_sub(1);
    }

    #[inline]
    fn bool(&mut self, value: bool) {
        self.frame.push(if value { 0xf5 } else { 0xf4 });
    }

    #[inline]
    fn unsigned(&mut self, value: u64) {
        head::write(UNSIGNED, value, self.frame);
    }

    #[inline]
    fn string(&mut self, value: &str) -> Result<(), EncodeErrorKind> {
        head::write(TEXT, value.len() as u64, self.frame);
        self.frame.extend_from_slice(value.as_bytes());
        Ok(())
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
