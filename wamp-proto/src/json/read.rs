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
