//! Messages to JSON frames.

use super::{Strict, serialize};
use crate::codec::buffer::{Buffer, Sink};
use crate::codec::write::Write;
use crate::serial::{self, Dialect};
use crate::{EncodeErrorKind, Format, Limits, Value};

/// A writer of compact JSON.
pub(crate) struct Writer<'a> {
    frame: &'a mut Buffer,
    /// How many lists and dicts are open.
    level: u8,
    /// Whether a comma is due before what comes next.
    comma: bool,
}

impl<'a> Writer<'a> {
    #[inline]
    pub(crate) const fn new(frame: &'a mut Buffer) -> Self {
        Self { frame, level: 0, comma: false }
    }

    /// Starts an element or key.
    #[inline]
    fn separate(&mut self) {
        if self.comma {
            self.frame.push(b',');
        }
        self.comma = true;
    }

    #[inline]
    fn begin(&mut self, bracket: u8) {
        self.separate();
        self.frame.push(bracket);
        self.level += 1;
        self.comma = false;
    }

    #[inline]
    fn end(&mut self, bracket: u8) {
        self.frame.push(bracket);
        self.level -= 1;
        self.comma = true;
    }

    #[inline]
    fn text(&mut self, text: &str) -> Result<(), EncodeErrorKind> {
        Strict::check_text(text)?;
        if is_plain(text) {
            self.frame.push(b'"');
            self.frame.extend_from_slice(text.as_bytes());
            self.frame.push(b'"');
            return Ok(());
        }
        serialize(text, &mut *self.frame).map_err(|error| EncodeErrorKind::Custom(error.to_string()))
    }
}

/// Whether each byte of a string stands for itself.
#[inline]
pub(crate) fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |plain, byte| plain & (byte >= b' ') & (byte != b'"') & (byte != b'\\'))
}

impl Write for Writer<'_> {
    const FORMAT: Format = Format::Json;

    #[inline]
    fn begin_list(&mut self, _: usize) {
        self.begin(b'[');
    }

    #[inline]
    fn end_list(&mut self) {
        self.end(b']');
    }

    #[inline]
    fn begin_dict(&mut self, _: usize) {
        self.begin(b'{');
    }

    #[inline]
    fn key(&mut self, key: &str) -> Result<(), EncodeErrorKind> {
        self.separate();
        self.text(key)?;
        self.frame.push(b':');
        self.comma = false;
        Ok(())
    }

    #[inline]
    fn end_dict(&mut self) {
        self.end(b'}');
    }

    #[inline]
    fn bool(&mut self, value: bool) {
        self.separate();
        self.frame.extend_from_slice(if value { b"true" } else { b"false" });
    }

    #[inline]
    fn unsigned(&mut self, value: u64) {
        self.separate();
        // Writing to memory cannot fail.
        let _ = serialize(&value, &mut *self.frame);
    }

    #[inline]
    fn string(&mut self, value: &str) -> Result<(), EncodeErrorKind> {
        self.separate();
        self.text(value)
    }

    #[inline]
    fn value(&mut self, value: &Value) -> Result<(), EncodeErrorKind> {
        self.separate();
        serial::write(value, Self::FORMAT, Limits::MAX_DEPTH.saturating_sub(self.level), self.frame.many())
    }

    #[inline]
    fn raw(&mut self, encoded: &[u8]) {
        self.separate();
        self.frame.extend_from_slice(encoded);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dict;

    fn written(write: impl FnOnce(&mut Writer<'_>) -> Result<(), EncodeErrorKind>) -> Result<String, EncodeErrorKind> {
        let mut frame = Buffer::new();
        write(&mut Writer::new(&mut frame))?;
        Ok(String::from_utf8(frame.into_vec()).unwrap())
    }

    #[test]
    fn ser_10_commas_stand_between_elements_and_nowhere_else() {
        let json = written(|writer| {
            writer.begin_list(9);
            writer.unsigned(36);
            writer.begin_dict(0);
            writer.end_dict();
            writer.begin_dict(3);
            writer.key("a")?;
            writer.bool(true);
            writer.key("b")?;
            writer.begin_list(0);
            writer.end_list();
            writer.key("c")?;
            writer.string("text")?;
            writer.end_dict();
            writer.begin_list(1);
            writer.begin_list(0);
            writer.end_list();
            writer.end_list();
            writer.value(&Value::Null)?;
            writer.raw(br#"[1, 2],{"k":3}"#);
            writer.bool(false);
            writer.end_list();
            Ok(())
        });
        assert_eq!(json.unwrap(), r#"[36,{},{"a":true,"b":[],"c":"text"},[[]],null,[1, 2],{"k":3},false]"#);
    }

    #[test]
    fn ser_10_strings_are_escaped() {
        for byte in 0..0x80 {
            let text = format!("x{}", char::from(byte));
            let expected = serde_json::to_string(&text).unwrap();
            assert_eq!(written(|writer| writer.string(&text)).unwrap(), expected, "{byte}");
        }
        let json = written(|writer| writer.string("a\"\\/\n\u{1}\u{7f}é😀"));
        assert_eq!(json.unwrap(), "\"a\\\"\\\\/\\n\\u0001\u{7f}é😀\"");
        assert_eq!(written(|writer| writer.key("\"")).unwrap(), r#""\"":"#);
    }

    #[test]
    fn ser_13_text_that_starts_with_u0000_is_refused() {
        let what = "text that starts with U+0000, which marks binary data";
        let expected = Err(EncodeErrorKind::Unsupported { format: Format::Json, what });
        assert_eq!(written(|writer| writer.string("\0abc")), expected);
        assert_eq!(written(|writer| writer.key("\0abc")), expected);
        assert_eq!(written(|writer| writer.value(&Value::from("\0abc"))), expected);
        assert_eq!(written(|writer| writer.value(&Dict::from_iter([("\0abc", 1)]).into())), expected);
        assert_eq!(written(|writer| writer.string("a\0bc")).unwrap(), r#""a\u0000bc""#);
    }

    #[test]
    fn ser_14_integers_have_no_fraction_and_no_exponent() {
        for (number, text) in [(1 << 53, "9007199254740992"), (u64::MAX, "18446744073709551615"), (0, "0")] {
            let mut frame = Buffer::new();
            Writer::new(&mut frame).unsigned(number);
            assert_eq!(frame.as_slice(), text.as_bytes());
        }
    }

    #[test]
    fn values_nest_no_deeper_than_the_message_decodes() {
        let nested = |levels| (0..levels).fold(Value::Null, |value, _| Value::List(vec![value]));
        let in_details = |levels| {
            written(|writer| {
                writer.begin_list(1);
                writer.begin_dict(1);
                writer.key("_x")?;
                writer.value(&nested(levels))
            })
        };
        assert!(in_details(126).is_ok());
        assert_eq!(in_details(127), Err(EncodeErrorKind::TooDeep));
    }
}
