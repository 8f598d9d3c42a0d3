//! JSON frames to messages.

use std::borrow::Cow;

use super::{Lenient, from_slice, skip};
use crate::Value;
use crate::codec::read::{Number, Open, Read, Unsigned};
use crate::error::{DecodeErrorKind, Fault, Kind};
use crate::serial;

pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// The next byte, if there is one.
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.position).copied()
    }

    /// Passes over a byte, if it is the next one.
    #[inline(always)]
    fn usual_byte(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.position += usize::from(is_next);
        is_next
    }

    fn slice(&self, start: usize, end: usize) -> &'a [u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    fn unexpected(&self, what: &'static str) -> Fault {
        skip::unexpected(self.bytes, self.position, what)
    }

    fn skip_whitespace(&mut self) {
        self.position = skip::whitespace(self.bytes, self.position);
    }

    /// Goes to the next element or key, or behind the bracket that ends the list or dict.
    fn next(&mut self, open: &mut Open, end: u8, what: &'static str) -> Result<bool, Fault> {
        self.skip_whitespace();
        match self.peek() {
            Some(byte) if byte == end => {
                self.position += 1;
                return Ok(false);
            }
            Some(b',') if !open.first => self.position += 1,
            Some(_) if open.first => {}
            _ => return Err(self.unexpected(what)),
        }
        open.first = false;
        self.skip_whitespace();
        Ok(true)
    }

    fn open(&mut self) -> Open {
        self.position += 1;
        Open { left: None, first: true, over: false }
    }
}

impl<'a> Read<'a> for Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    fn offset(&self) -> usize {
        self.position
    }

    fn kind(&mut self) -> Result<Kind, Fault> {
        self.skip_whitespace();
        match self.peek() {
            // Base64 behind it or not: what starts so is no text.
            Some(b'"') if self.slice(self.position + 1, self.position + 7) == br"\u0000" => Ok(Kind::Bytes),
            Some(b'"') => Ok(Kind::String),
            Some(b'{') => Ok(Kind::Dict),
            Some(b'[') => Ok(Kind::List),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'n') => Ok(Kind::Null),
            Some(byte @ (b'-' | b'0'..=b'9')) => {
                let digits = skip::digits(self.bytes, self.position + usize::from(byte == b'-'))?;
                Ok(if let Some(b'.' | b'e' | b'E') = self.bytes.get(digits) { Kind::Float } else { Kind::Integer })
            }
            _ => Err(self.unexpected("expected a value")),
        }
    }

    fn list(&mut self) -> Result<Open, Fault> {
        Ok(self.open())
    }

    fn next_element(&mut self, open: &mut Open) -> Result<bool, Fault> {
        self.next(open, b']', "expected `,` or `]`")
    }

    fn dict(&mut self) -> Result<Open, Fault> {
        Ok(self.open())
    }

    fn next_key(&mut self, open: &mut Open) -> Result<Option<Cow<'a, str>>, Fault> {
        if !self.next(open, b'}', "expected `,` or `}`")? {
            return Ok(None);
        }
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("expected a string as key"));
        }
        let key = self.string()?;
        self.position = skip::colon(self.bytes, self.position)?;
        Ok(Some(key))
    }

    fn bool(&mut self) -> Result<bool, Fault> {
        let value = self.peek() == Some(b't');
        self.position = if value {
            skip::literal(self.bytes, self.position, *b"true")?
        } else {
            skip::literal(self.bytes, self.position + 1, *b"alse")?
        };
        Ok(value)
    }

    fn number(&mut self) -> Result<Number, Fault> {
        let start = self.position;
        self.position = skip::number(self.bytes, start)?;
        // Only digits, signs, dots and exponents: the check cannot fail.
        let text = str::from_utf8(self.slice(start, self.position)).unwrap_or_default();
        if !text.contains(['.', 'e', 'E']) && text != "-0" {
            if let Ok(number) = text.parse() {
                return Ok(Number::Unsigned(number));
            }
            if let Ok(number) = text.parse() {
                return Ok(Number::Signed(number));
            }
        }
        text.parse().map(Number::Float).map_err(|_| skip::malformed(start, "expected a number"))
    }

    #[inline(always)]
    fn usual_list(&mut self) -> Option<Open> {
        self.usual_byte(b'[').then_some(Open { left: None, first: true, over: false })
    }

    #[inline(always)]
    fn usual_next(&mut self, open: &mut Open) -> bool {
        core::mem::take(&mut open.first) || self.usual_byte(b',')
    }

    #[inline(always)]
    fn usual_empty_dict(&mut self) -> bool {
        self.usual_byte(b'{') && self.usual_byte(b'}')
    }

    #[inline(always)]
    fn usual_string(&mut self) -> Option<&'a str> {
        let inside = self.bytes.get(self.position..)?.strip_prefix(b"\"")?;
        let length = inside.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..b' '))?;
        let (text, end) = inside.split_at_checked(length)?;
        if end.first() != Some(&b'"') {
            return None;
        }
        self.position += length + 2;
        str::from_utf8(text).ok()
    }

    #[inline(always)]
    fn usual_args(&self, _: &Open, depth: u8) -> Option<(usize, usize)> {
        let elements = self.bytes.strip_suffix(b"]")?;
        let start = self.position + 1;
        // ArgumentsKw end otherwise.
        if !(elements.ends_with(b"]") && elements.get(self.position..)?.starts_with(b",[")) {
            return None;
        }
        let end = skip::value(self.bytes, start, depth).ok()?;
        (end == elements.len() && utf8(self.slice(start, end), start).is_ok()).then_some((start, end))
    }

    #[inline(always)]
    fn usual_unsigned(&mut self) -> Option<Unsigned> {
        self.skip_whitespace();
        let offset = self.position;
        let (value, end) = skip::integer(self.bytes, offset)?;
        self.position = end;
        Some(Unsigned { value, offset })
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        let start = self.position;
        self.position = skip::string(self.bytes, start + 1)?;
        let inner = utf8(self.slice(start + 1, self.position - 1), start + 1)?;
        if !inner.contains('\\') {
            return Ok(Cow::Borrowed(inner));
        }
        let unescaped = serde_json::from_slice(self.slice(start, self.position));
        unescaped.map(Cow::Owned).map_err(|_| skip::malformed(start, "expected a string"))
    }

    fn skip(&mut self, depth: u8) -> Result<(), Fault> {
        let start = self.position;
        self.position = skip::value(self.bytes, start, depth)?;
        // Only strings can have bytes beyond ASCII: one check of everything is the fastest.
        utf8(self.slice(start, self.position), start)?;
        Ok(())
    }

    fn skip_dict(&mut self, depth: u8) -> Result<(), Fault> {
        self.skip(depth)
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.skip_whitespace();
        if self.position < self.bytes.len() {
            return Err(Fault::new(self.position, DecodeErrorKind::TrailingBytes));
        }
        Ok(())
    }

    fn value(encoded: &[u8]) -> Option<Value> {
        from_slice(encoded, serial::seed::<_, Lenient>(&serial::Trail::default())).ok()
    }
}

/// The bytes as text; `start` is where they stand in the frame.
fn utf8(bytes: &[u8], start: usize) -> Result<&str, Fault> {
    str::from_utf8(bytes).map_err(|error| Fault::new(start + error.valid_up_to(), DecodeErrorKind::InvalidUtf8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dict;

    /// The reader's verdict on the first element of a list, with the fault's byte.
    fn first<'a, T>(
        json: &'a [u8],
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Fault>,
    ) -> Result<T, (usize, DecodeErrorKind)> {
        let mut reader = Reader::new(json);
        let run = || {
            assert_eq!(reader.kind()?, Kind::List);
            let mut open = reader.list()?;
            assert!(reader.next_element(&mut open)?);
            read(&mut reader)
        };
        run().map_err(|fault: Fault| (fault.offset, fault.kind.clone()))
    }

    #[test]
    fn kinds_are_told_by_the_first_bytes() {
        let kinds = [
            ("null", Kind::Null),
            ("true", Kind::Bool),
            ("false", Kind::Bool),
            ("1", Kind::Integer),
            ("-1", Kind::Integer),
            ("123456789012345678901234567890", Kind::Integer),
            ("1.0", Kind::Float),
            ("-1e5", Kind::Float),
            (r#""a""#, Kind::String),
            (r#""a\u0000""#, Kind::String),
            (r#""\u0000AAAA""#, Kind::Bytes),
            (r#""\u0000?""#, Kind::Bytes),
            (r#""\u00000""#, Kind::Bytes),
            (r#""\u0001""#, Kind::String),
            ("[]", Kind::List),
            ("{}", Kind::Dict),
        ];
        for (json, kind) in kinds {
            for frame in [format!("[{json}]"), format!("[ \n{json} ,null,null]")] {
                assert_eq!(first(frame.as_bytes(), Read::kind), Ok(kind), "{frame}");
            }
        }
    }

    #[test]
    fn ser_15_integers_keep_every_digit() {
        let numbers = [
            ("0", Number::Unsigned(0)),
            ("18446744073709551615", Number::Unsigned(u64::MAX)),
            ("-1", Number::Signed(-1)),
            ("-9223372036854775808", Number::Signed(i64::MIN)),
            ("18446744073709551616", Number::Float(18446744073709551616.0)),
            ("-9223372036854775809", Number::Float(-9223372036854775809.0)),
            ("-0", Number::Float(-0.0)),
            ("0.1", Number::Float(0.1)),
            ("1E3", Number::Float(1000.0)),
            ("1e999", Number::Float(f64::INFINITY)),
        ];
        for (json, number) in numbers {
            assert_eq!(first(format!("[{json}]").as_bytes(), Read::number), Ok(number), "{json}");
        }
    }

    #[test]
    fn integral_floats_up_to_2_to_the_53rd_are_integers() {
        let unsigned = |json: &str| first(format!("[{json},           0]").as_bytes(), Read::unsigned);
        assert_eq!(unsigned("5"), Ok(5));
        assert_eq!(unsigned("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(unsigned("5.0"), Ok(5));
        assert_eq!(unsigned("5e0"), Ok(5));
        assert_eq!(unsigned("1.5E1"), Ok(15));
        assert_eq!(unsigned("-0"), Ok(0));
        assert_eq!(unsigned("9007199254740992.0"), Ok(1 << 53));
        let float = DecodeErrorKind::WrongType { expected: "an integer", found: Kind::Float };
        for json in ["5.5", "9007199254740994.0", "-5.0", "1e999", "18446744073709551616"] {
            assert_eq!(unsigned(json), Err((1, float.clone())), "{json}");
        }
        let negative = DecodeErrorKind::WrongValue { expected: "an integer that is not negative" };
        assert_eq!(unsigned("-5"), Err((1, negative)));
        let text = DecodeErrorKind::WrongType { expected: "an integer", found: Kind::String };
        assert_eq!(unsigned(r#""5""#), Err((1, text)));
    }

    #[test]
    fn strings_are_borrowed_unless_they_have_escapes() {
        let text = |json: &'static str| first(json.as_bytes(), Read::string);
        assert!(matches!(text(r#"["com.example"]"#), Ok(Cow::Borrowed("com.example"))));
        assert!(matches!(text(r#"["üml"]"#), Ok(Cow::Borrowed("üml"))));
        assert!(matches!(text(r#"[""]"#), Ok(Cow::Borrowed(""))));
        let Ok(Cow::Owned(owned)) = text(r#"["a\"\\\/\u00e9\ud83d\ude00\n"]"#) else { panic!("escapes") };
        assert_eq!(owned, "a\"\\/é😀\n");
    }

    #[test]
    fn ser_16_a_string_that_is_not_utf8_is_a_fault_at_its_byte() {
        let invalid = Err((4, DecodeErrorKind::InvalidUtf8));
        assert_eq!(first(b"[\"ab\xff\"]", |reader| reader.string().map(drop)), invalid);
        assert_eq!(first(b"[\"ab\xff\\n\"]", |reader| reader.string().map(drop)), invalid);
        assert_eq!(first(b"[\"ab\xff\"]", |reader| reader.skip(1)), invalid);
        assert_eq!(first(b"[\"ab\xed\xa0\x80\"]", |reader| reader.skip(1)), invalid);
        assert_eq!(first(b"[\"ab\xc0\xaf\"]", |reader| reader.skip(1)), invalid);
        assert_eq!(first(b"[\"ab\xf0\x9f\x98\"]", |reader| reader.skip(1)), invalid);
    }

    #[test]
    fn lists_and_dicts_are_walked_through_any_white_space() {
        let mut reader = Reader::new(b" [ 1 , { \"a\" : true , \"b\\n\":[ ] } , [ ] ] ");
        let mut walk = || -> Result<(), Fault> {
            assert_eq!(reader.kind()?, Kind::List);
            let mut list = reader.list()?;
            assert!(reader.next_element(&mut list)?);
            assert_eq!(reader.unsigned()?, 1);
            assert!(reader.next_element(&mut list)?);
            assert_eq!((reader.kind()?, reader.offset()), (Kind::Dict, 7));
            let mut dict = reader.dict()?;
            assert_eq!(reader.next_key(&mut dict)?.as_deref(), Some("a"));
            assert_eq!(reader.offset(), 15);
            assert!(reader.bool()?);
            assert_eq!(reader.next_key(&mut dict)?.as_deref(), Some("b\n"));
            reader.skip(1)?;
            assert_eq!(reader.next_key(&mut dict)?, None);
            assert!(reader.next_element(&mut list)?);
            let mut inner = reader.list()?;
            assert!(!reader.next_element(&mut inner)?);
            assert!(!reader.next_element(&mut list)?);
            reader.end()
        };
        walk().unwrap();
    }

    #[test]
    fn faults_between_elements_are_found_at_their_byte() {
        let walk = |json: &[u8]| {
            let mut reader = Reader::new(json);
            let mut walk = || {
                let is_list = reader.kind()? == Kind::List;
                let mut open = if is_list { reader.list()? } else { reader.dict()? };
                while if is_list { reader.next_element(&mut open)? } else { reader.next_key(&mut open)?.is_some() } {
                    reader.kind()?;
                    reader.skip(1)?;
                }
                reader.end()
            };
            walk().map_err(|fault| (fault.offset, fault.kind.clone())).unwrap_err()
        };
        use DecodeErrorKind::{Malformed, TrailingBytes, Truncated};
        assert_eq!(walk(b"[1 2]"), (3, Malformed("expected `,` or `]`")));
        assert_eq!(walk(b"[1,]"), (3, Malformed("expected a value")));
        assert_eq!(walk(b"[,1]"), (1, Malformed("expected a value")));
        assert_eq!(walk(b"[1}"), (2, Malformed("expected `,` or `]`")));
        assert_eq!(walk(b"[1,"), (3, Truncated));
        assert_eq!(walk(b"[1"), (2, Truncated));
        assert_eq!(walk(b"["), (1, Truncated));
        assert_eq!(walk(b""), (0, Truncated));
        assert_eq!(walk(b"[1] x"), (4, TrailingBytes));
        assert_eq!(walk(b"{1:2}"), (1, Malformed("expected a string as key")));
        assert_eq!(walk(b"{\"a\":1,}"), (7, Malformed("expected a string as key")));
        assert_eq!(walk(b"{\"a\" 1}"), (5, Malformed("expected `:`")));
        assert_eq!(walk(b"{\"a\":1]"), (6, Malformed("expected `,` or `}`")));
        assert_eq!(walk(b"{\"a\":}"), (5, Malformed("expected a value")));
        assert_eq!(walk(b"{\"a\xff\":1}"), (3, DecodeErrorKind::InvalidUtf8));
    }

    #[test]
    fn values_of_unknown_attributes_are_decoded_or_kept_as_text() {
        let value = <Reader<'_> as Read<'_>>::value;
        assert_eq!(value(br#""\u0000AAEC""#), Some(Value::Bytes(bytes::Bytes::from_static(&[0, 1, 2]))));
        assert_eq!(value(br#""\u0000!""#), Some(Value::from("\0!")));
        assert_eq!(value(b"[1,-1,18446744073709551616]"), {
            let float = Value::from(18446744073709551616.0);
            Some(Value::List(vec![Value::U64(1), Value::I64(-1), float]))
        });
        assert_eq!(value(br#"{"a":1,"a":2}"#), Some(Dict::from_iter([("a", 2)]).into()));
        assert_eq!(value(b"1e999"), None);
    }
}
