//! Messages to JSON frames.

use super::{Strict, to_vec};
use crate::codec::write::Write;
use crate::serial::{self, Dialect};
use crate::{EncodeErrorKind, Format, Limits, Value};

/// A writer of compact JSON.
pub(crate) struct Writer<'a> {
    frame: &'a mut Vec<u8>,
    /// How many lists and dicts are open.
    level: u8,
    /// Whether a comma is due before what comes next.
    comma: bool,
}

impl<'a> Writer<'a> {
    pub(crate) const fn new(frame: &'a mut Vec<u8>) -> Self {
        Self { frame, level: 0, comma: false }
    }

    /// Starts an element or key.
    fn separate(&mut self) {
        if self.comma {
            self.frame.push(b',');
        }
        self.comma = true;
    }

    fn begin(&mut self, bracket: u8) {
        self.separate();
        self.frame.push(bracket);
        self.level += 1;
        self.comma = false;
    }

    fn end(&mut self, bracket: u8) {
        self.frame.push(bracket);
        self.level -= 1;
        self.comma = true;
    }

    fn text(&mut self, text: &str) -> Result<(), EncodeErrorKind> {
        Strict::check_text(text)?;
        to_vec(text, self.frame).map_err(|error| EncodeErrorKind::Custom(error.to_string()))
    }
}

impl Write for Writer<'_> {
    const FORMAT: Format = Format::Json;

    fn begin_list(&mut self, _: usize) {
        self.begin(b'[');
    }

    fn end_list(&mut self) {
        self.end(b']');
    }

    fn begin_dict(&mut self, _: usize) {
        self.begin(b'{');
    }

    fn key(&mut self, key: &str) -> Result<(), EncodeErrorKind> {
        self.separate();
        self.text(key)?;
        self.frame.push(b':');
        self.comma = false;
        Ok(())
    }

    fn end_dict(&mut self) {
        self.end(b'}');
    }

    fn bool(&mut self, value: bool) {
        self.separate();
        self.frame.extend_from_slice(if value { b"true" } else { b"false" });
    }

    fn unsigned(&mut self, value: u64) {
        self.separate();
        // Writing to a vector cannot fail.
        let _ = to_vec(&value, self.frame);
    }

    fn string(&mut self, value: &str) -> Result<(), EncodeErrorKind> {
        self.separate();
        self.text(value)
    }

    fn value(&mut self, value: &Value) -> Result<(), EncodeErrorKind> {
        self.separate();
        serial::write(value, Self::FORMAT, Limits::MAX_DEPTH.saturating_sub(self.level), self.frame)
    }

    fn raw(&mut self, encoded: &[u8]) {
        self.separate();
        self.frame.extend_from_slice(encoded);
    }
}
