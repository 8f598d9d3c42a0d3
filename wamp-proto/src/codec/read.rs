//! What a format's reader offers to the decoder of messages.

use std::borrow::Cow;

use crate::Value;
use crate::error::{DecodeErrorKind, Fault, Kind};

/// A list or dict that has been entered and not yet left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open {
    /// How many elements or entries are left, where the format says so beforehand.
    #[cfg_attr(not(any(feature = "msgpack", feature = "cbor")), expect(dead_code, reason = "JSON does not say"))]
    pub(crate) left: Option<u64>,
    /// Whether the next element is the first one.
    pub(crate) first: bool,
    /// Whether it has been left: the decoder's note, which readers do not look at.
    pub(crate) over: bool,
}

/// An integer, or a float that stands for one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
}

/// A non-negative integer and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unsigned {
    pub(crate) value: u64,
    pub(crate) offset: usize,
}

/// A cursor over one frame that reads what messages have outside their payload, and skips the rest.
///
/// After an error the cursor is in no defined position.
pub(crate) trait Read<'a>: Sized {
    /// A reader at the start of a frame, or of its rest.
    fn new(bytes: &'a [u8]) -> Self;

    /// The offset of the next value's first byte, if it has been looked at by [`Read::kind`] or a `next_…`, else of the next byte.
    fn offset(&self) -> usize;

    /// What the next value is, without reading it.
    fn kind(&mut self) -> Result<Kind, Fault>;

    /// Enters a list, if the next value is one.
    fn list(&mut self) -> Result<Open, Fault>;

    /// Goes to the next element of the list entered last; `false` leaves the list.
    fn next_element(&mut self, open: &mut Open) -> Result<bool, Fault>;

    /// Enters a dict, if the next value is one.
    fn dict(&mut self) -> Result<Open, Fault>;

    /// Goes to the next value of the dict entered last and returns its key; `None` leaves the dict.
    ///
    /// A key that is not a string is an error.
    fn next_key(&mut self, open: &mut Open) -> Result<Option<Cow<'a, str>>, Fault>;

    /// Goes to the next value of the dict entered last and passes over its key, which has been skipped before; `false` leaves the dict.
    fn pass_key(&mut self, open: &mut Open) -> Result<bool, Fault> {
        Ok(self.next_key(open)?.is_some())
    }

    /// Passes over the tags of the next value, if the format has such.
    fn pass_tags(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    /// Reads a boolean.
    fn bool(&mut self) -> Result<bool, Fault>;

    /// Reads a number.
    fn number(&mut self) -> Result<Number, Fault>;

    /// Reads a text string.
    fn string(&mut self) -> Result<Cow<'a, str>, Fault>;

    /// Skips one value, checking its syntax, its UTF-8 and that at most `depth` lists and dicts nest in it.
    fn skip(&mut self, depth: u8) -> Result<(), Fault>;

    /// Skips a dict as [`Read::skip`] does, and checks that the keys of the dict itself are strings.
    fn skip_dict(&mut self, depth: u8) -> Result<(), Fault>;

    /// Checks that nothing follows the message.
    fn end(&mut self) -> Result<(), Fault>;

    /// The error of a next value that is none of `expected`.
    fn wrong_type(&mut self, expected: &'static str) -> Fault {
        match self.kind() {
            Ok(found) => Fault::new(self.offset(), DecodeErrorKind::WrongType { expected, found }),
            Err(fault) => fault,
        }
    }

    /// Decodes one value that has been skipped before; `None` if it is outside what [`Value`] represents.
    fn value(encoded: &[u8]) -> Option<Value>;

    /// Reads a non-negative integer; a float that equals one up to 2^53 counts, as Lua and JavaScript peers send them.
    fn unsigned(&mut self) -> Result<u64, Fault> {
        self.unsigned_at().map(|number| number.value)
    }

    /// Enters a list in its usual form at the start of a frame; `None` leaves it to be looked at more closely, and so do the next ones.
    fn usual_list(&mut self) -> Option<Open>;

    /// Goes to the next element of a list in its usual form.
    fn usual_next(&mut self, open: &mut Open) -> bool;

    /// Passes over an empty dict in its usual form.
    fn usual_empty_dict(&mut self) -> bool;

    /// Reads a text string in its usual form: short, and without escapes.
    fn usual_string(&mut self) -> Option<&'a str>;

    /// Skips the last element of a message, if it is a list and the frame ends with it, and says from where to where it is; `None` leaves what
    /// is next, right or wrong.
    fn usual_args(&self, open: &Open, depth: u8) -> Option<(usize, usize)>;

    /// Reads the next value if it is a non-negative integer in its usual form; `None` leaves it to be looked at more closely.
    fn usual_unsigned(&mut self) -> Option<Unsigned> {
        None
    }

    /// Reads what [`Read::unsigned`] does, and says where it stood.
    #[inline]
    fn unsigned_at(&mut self) -> Result<Unsigned, Fault> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if let Some(number) = self.usual_unsigned() {
            return Ok(number);
        }
        if !matches!(self.kind()?, Kind::Integer | Kind::Float) {
            return Err(self.wrong_type("an integer"));
        }
        let offset = self.offset();
        let value = match self.number()? {
            Number::Unsigned(number) => number,
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "integral and in 0..=2^53")]
            Number::Float(number) if (0.0..=EXACT).contains(&number) && number.fract() == 0.0 => number as u64,
            Number::Float(_) => {
                let kind = DecodeErrorKind::WrongType { expected: "an integer", found: Kind::Float };
                return Err(Fault::new(offset, kind));
            }
            Number::Signed(_) => {
                let kind = DecodeErrorKind::WrongValue { expected: "an integer that is not negative" };
                return Err(Fault::new(offset, kind));
            }
        };
        Ok(Unsigned { value, offset })
    }
}
