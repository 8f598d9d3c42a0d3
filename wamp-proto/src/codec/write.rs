//! What a format's writer offers to the encoder of messages.

use crate::{EncodeErrorKind, Format, Value};

/// An append-only writer of one frame, or of its start.
///
/// Lengths are announced before the elements; the writer of a text format ignores them.
pub(crate) trait Write {
    const FORMAT: Format;

    fn begin_list(&mut self, elements: usize);
    fn end_list(&mut self);
    fn begin_dict(&mut self, entries: usize);
    fn key(&mut self, key: &str) -> Result<(), EncodeErrorKind>;
    fn end_dict(&mut self);
    fn bool(&mut self, value: bool);
    fn unsigned(&mut self, value: u64);
    fn string(&mut self, value: &str) -> Result<(), EncodeErrorKind>;
    /// Writes a value, by iteration over its depth or with a bound on it.
    fn value(&mut self, value: &Value) -> Result<(), EncodeErrorKind>;
    /// Splices in encoded elements of a list, one or more, as they are; none leave the writer where they are to follow.
    fn raw(&mut self, encoded: &[u8]);
}
