//! CBOR to the user's types.

use std::borrow::Cow;

use serde::Deserializer as _;
use serde::de::value::{CowStrDeserializer, SeqDeserializer};
use serde::de::{DeserializeSeed, EnumAccess, Error as _, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor};

use super::error::Error;
use super::read::Reader;
use crate::Limits;
use crate::codec::read::{Number, Open, Read};
use crate::error::Kind;

/// A serde deserializer of a value that has been skipped before: it is well-formed and not too deep.
///
/// Tags are transparent, but for those of big integers: such an integer is a number if it has 64 bits, and an error if it has more, because its
/// bytes alone do not say what it is.
pub(super) struct Deserializer<'de>(Reader<'de>);

impl<'de> Deserializer<'de> {
    pub(super) fn new(bytes: &'de [u8]) -> Self {
        Self(Reader::new(bytes))
    }

    /// Reads the tags of the next value and returns its kind, and the last tag.
    #[inline]
    fn kind(&mut self) -> Result<(Kind, Option<u64>), Error> {
        let mut last = None;
        while let Some(tag) = self.0.tag()? {
            last = Some(tag);
        }
        Ok((self.0.kind()?, last))
    }

    #[inline]
    fn list<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        let open = self.0.list()?;
        let mut elements = Inside { deserializer: self, open };
        let value = visitor.visit_seq(&mut elements)?;
        elements.end()?;
        Ok(value)
    }

    #[inline]
    fn dict<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        let open = self.0.dict()?;
        let mut entries = Inside { deserializer: self, open };
        let value = visitor.visit_map(&mut entries)?;
        entries.end()?;
        Ok(value)
    }

    fn bytes<V: Visitor<'de>>(&mut self, tag: Option<u64>, visitor: V) -> Result<V::Value, Error> {
        let bytes = self.0.byte_string()?;
        match tag {
            Some(tag @ (UNSIGNED_BIG_INTEGER | NEGATIVE_BIG_INTEGER)) => {
                let digits = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
                let digits = bytes.get(digits..).unwrap_or_default();
                if digits.len() > 8 {
                    return Err(Error::new(BIG));
                }
                let argument = digits.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
                integer(tag == NEGATIVE_BIG_INTEGER, argument, visitor)
            }
            _ => match bytes {
                Cow::Borrowed(bytes) => visitor.visit_borrowed_bytes(bytes),
                Cow::Owned(bytes) => visitor.visit_byte_buf(bytes),
            },
        }
    }
}

const UNSIGNED_BIG_INTEGER: u64 = 2;
const NEGATIVE_BIG_INTEGER: u64 = 3;
const BIG: &str = "an integer of more than 64 bits";

#[inline]
fn integer<'de, V: Visitor<'de>>(negative: bool, argument: u64, visitor: V) -> Result<V::Value, Error> {
    if !negative {
        return visitor.visit_u64(argument);
    }
    match i64::try_from(argument) {
        Ok(argument) => visitor.visit_i64(-1 - argument),
        Err(_) => Err(Error::new(BIG)),
    }
}

impl<'de> serde::Deserializer<'de> for &mut Deserializer<'de> {
    type Error = Error;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let (kind, tag) = self.kind()?;
        match kind {
            Kind::String => match self.0.string()? {
                Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
                Cow::Owned(text) => visitor.visit_string(text),
            },
            Kind::Integer => {
                let (negative, argument) = self.0.integer()?;
                integer(negative, argument, visitor)
            }
            Kind::Float => match self.0.number()? {
                Number::Float(number) => visitor.visit_f64(number),
                Number::Unsigned(_) | Number::Signed(_) => Err(Error::new("expected a float")),
            },
            Kind::Bool => visitor.visit_bool(self.0.bool()?),
            Kind::Null => {
                self.0.skip(0)?;
                visitor.visit_unit()
            }
            Kind::Bytes => self.bytes(tag, visitor),
            Kind::List => self.list(visitor),
            Kind::Dict => self.dict(visitor),
            Kind::Other => Err(Error::new("a simple value that has no meaning")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let start = self.0;
        if self.kind()?.0 == Kind::Null {
            self.0.skip(0)?;
            return visitor.visit_none();
        }
        // The tags are read again by the value's type.
        self.0 = start;
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    /// Bytes count as a list of numbers where a list is asked for: most types have no other word for bytes.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.kind()? {
            (Kind::Bytes, tag @ Some(UNSIGNED_BIG_INTEGER | NEGATIVE_BIG_INTEGER)) => self.bytes(tag, visitor),
            (Kind::Bytes, _) => {
                let bytes = self.0.byte_string()?;
                visitor.visit_seq(SeqDeserializer::<_, Error>::new(bytes.iter().copied()))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.kind()?.0 {
            Kind::String => visitor.visit_enum(CowStrDeserializer::new(self.0.string()?)),
            Kind::Dict => {
                let open = self.0.dict()?;
                let mut entries = Inside { deserializer: self, open };
                let value = visitor.visit_enum(&mut entries)?;
                entries.end()?;
                Ok(value)
            }
            _ => Err(Error::invalid_type(
                Unexpected::Other("another value"),
                &"a variant, as text or a dict of one entry",
            )),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.skip(Limits::MAX_DEPTH)?;
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        tuple tuple_struct map struct identifier
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

/// A list or dict that has been entered.
struct Inside<'d, 'de> {
    deserializer: &'d mut Deserializer<'de>,
    open: Open,
}

impl Inside<'_, '_> {
    #[inline]
    fn next(&mut self) -> Result<bool, Error> {
        if self.open.over {
            return Ok(false);
        }
        let found = self.deserializer.0.next_element(&mut self.open)?;
        self.open.over = !found;
        Ok(found)
    }

    /// Checks that the type has taken everything.
    #[inline]
    fn end(&mut self) -> Result<(), Error> {
        if self.next()? { Err(Error::new("there are more values than the type takes")) } else { Ok(()) }
    }

    /// How many elements or entries are left, if that is known. They have been skipped before, so they are there.
    fn size(&self) -> Option<usize> {
        self.open.left.and_then(|left| usize::try_from(left).ok())
    }
}

impl<'de> SeqAccess<'de> for &mut Inside<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        if self.next()? { seed.deserialize(&mut *self.deserializer).map(Some) } else { Ok(None) }
    }

    fn size_hint(&self) -> Option<usize> {
        self.size()
    }
}

impl<'de> MapAccess<'de> for &mut Inside<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        if self.next()? { seed.deserialize(&mut *self.deserializer).map(Some) } else { Ok(None) }
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(&mut *self.deserializer)
    }

    fn size_hint(&self) -> Option<usize> {
        self.size()
    }
}

/// A variant with content: a dict with one entry.
impl<'de> EnumAccess<'de> for &mut Inside<'_, 'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        if !self.next()? {
            return Err(Error::new("expected a dict of one entry, found an empty one"));
        }
        Ok((seed.deserialize(&mut *self.deserializer)?, self))
    }
}

impl<'de> VariantAccess<'de> for &mut Inside<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        serde::Deserialize::deserialize(&mut *self.deserializer)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(&mut *self.deserializer)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserializer.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.deserializer.deserialize_any(visitor)
    }
}
