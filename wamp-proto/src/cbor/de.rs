//! CBOR to the user's types.

use std::borrow::Cow;

use serde::Deserializer as _;
use serde::de::value::{CowStrDeserializer, SeqDeserializer};
use serde::de::{DeserializeSeed, EnumAccess, Error as _, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor};

use super::error::Error;
use super::read::{Common, Reader};
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

    fn value<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
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
        match self.0.common_value() {
            Some(Common::Text(text)) => visitor.visit_borrowed_str(text),
            Some(Common::Unsigned(number)) => visitor.visit_u64(number),
            Some(Common::Float(number)) => visitor.visit_f64(number),
            Some(Common::Bool(value)) => visitor.visit_bool(value),
            None => self.value(visitor),
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::marker::PhantomData;
    use std::net::Ipv4Addr;

    use serde::Deserialize;

    use super::super::from_slice;
    use super::*;
    use crate::serial::{self, Root};
    use crate::{Dict, Format, Value};

    /// What a user gets, through the adapter of all formats.
    fn decoded<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, String> {
        Reader::new(bytes).skip(127).expect("the value is well-formed");
        serial::decode(bytes, Format::Cbor, Root::Arg(0)).map_err(|error| error.to_string())
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Reading {
        at: f64,
        count: Option<i64>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Shape {
        Point,
        Circle(u8),
        Line(u8, u8),
        Box { width: u8 },
    }

    #[test]
    fn ser_32_floats_booleans_null_and_undefined() {
        let one = [&[0xf9, 0x3c, 0x00][..], &[0xfa, 0x3f, 0x80, 0, 0], &[0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]];
        for bytes in one {
            assert_eq!(decoded(bytes), Ok(Value::F64(1.0)));
            assert_eq!(decoded(bytes), Ok(1.0_f64));
            assert_eq!(decoded(bytes), Ok(1.0_f32));
            assert!(decoded::<i64>(bytes).is_err());
        }
        assert_eq!(decoded(&[0x01]), Ok(1.0_f64));
        assert_eq!(decoded(&[0xf4]), Ok(false));
        assert_eq!(decoded(&[0xf5]), Ok(true));
        for null in [&[0xf6][..], &[0xf7], &[0xc1, 0xf6], &[0xc1, 0xd8, 30, 0xf7]] {
            assert_eq!(decoded(null), Ok(Value::Null));
            assert_eq!(decoded(null), Ok(()));
            assert_eq!(decoded(null), Ok(None::<u8>));
            assert!(decoded::<bool>(null).is_err());
        }
        let list = [0x85, 0xf9, 0x3c, 0, 0xfa, 0x3f, 0x80, 0, 0, 0xf6, 0xf7, 0xf5];
        assert_eq!(decoded(&list), Ok((1.0, 1.0, None::<u8>, (), true)));
    }

    #[test]
    fn ser_33_decimals_and_big_integers() {
        // 273.15 is 27315 · 10^-2, and no type of WAMP.
        let decimal = [0xc4, 0x82, 0x21, 0x19, 0x6a, 0xb3];
        assert_eq!(decoded(&decimal), Ok(Value::from(vec![Value::from(-2), Value::from(27_315)])));
        assert_eq!(decoded(&decimal), Ok((-2, 27_315)));

        for (bytes, integer) in [
            (&[0xc2, 0x40][..], Value::U64(0)),
            (&[0xc2, 0x41, 5], Value::U64(5)),
            (&[0xc2, 0x4a, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], Value::U64(1 << 56)),
            (&[0xc2, 0x5f, 0x41, 1, 0x41, 0, 0xff], Value::U64(256)),
            (&[0xd8, 0x2a, 0xc2, 0x48, 255, 255, 255, 255, 255, 255, 255, 255], Value::U64(u64::MAX)),
            (&[0xc3, 0x41, 5], Value::I64(-6)),
            (&[0xc3, 0x48, 127, 255, 255, 255, 255, 255, 255, 255], Value::I64(i64::MIN)),
        ] {
            assert_eq!(decoded::<Value>(bytes).as_ref(), Ok(&integer));
            assert_eq!(decoded(bytes), Ok(Some(integer)));
        }
        for big in [
            &[0xc2, 0x49, 1, 0, 0, 0, 0, 0, 0, 0, 0][..],
            &[0xc3, 0x49, 1, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0xc3, 0x48, 128, 0, 0, 0, 0, 0, 0, 0],
            &[0x3b, 128, 0, 0, 0, 0, 0, 0, 0],
        ] {
            let error = decoded::<Value>(big).unwrap_err();
            assert_eq!(error, "args[0]: an integer of more than 64 bits");
            assert!(decoded::<i64>(big).is_err());
            assert!(decoded::<Vec<u8>>(big).is_err());
            // Who does not want it is not bothered with it.
            let dict = [&[0xa2, 0x62, b'a', b't', 0x01, 0x61, b'x'], big].concat();
            assert_eq!(decoded(&dict), Ok(Reading { at: 1.0, count: None }));
        }
        assert_eq!(decoded(&[0x3b, 127, 255, 255, 255, 255, 255, 255, 255]), Ok(i64::MIN));
    }

    #[test]
    fn ser_31_tags_and_indefinite_lengths_are_transparent_to_types() {
        let reading = Reading { at: 1.5, count: Some(2) };
        let definite = [0xa2, 0x62, b'a', b't', 0xf9, 0x3e, 0, 0x65, b'c', b'o', b'u', b'n', b't', 0x02];
        assert_eq!(decoded::<Reading>(&definite).as_ref(), Ok(&reading));
        let tagged = [&[0xd9, 0xd9, 0xf7][..], &definite].concat();
        assert_eq!(decoded::<Reading>(&tagged).as_ref(), Ok(&reading));
        let indefinite = [
            &[0xbf, 0x7f, 0x61, b'a', 0x61, b't', 0xff, 0xf9, 0x3e, 0][..],
            &[0xc0, 0x65, b'c', b'o', b'u', b'n', b't', 0xc1, 0x02, 0xff],
        ]
        .concat();
        assert_eq!(decoded::<Reading>(&indefinite).as_ref(), Ok(&reading));

        assert_eq!(decoded(&[0x9f, 0x01, 0xc1, 0x02, 0xff]), Ok(vec![1, 2]));
        assert_eq!(decoded(&[0x9f, 0x01, 0x02, 0xff]), Ok((1, 2)));
        assert!(decoded::<(u8, u8)>(&[0x9f, 0x01, 0x02, 0x03, 0xff]).is_err());
        assert!(decoded::<(u8, u8)>(&[0x83, 0x01, 0x02, 0x03]).is_err());
        assert_eq!(decoded(&[0x7f, 0x61, b'a', 0x60, 0x61, b'b', 0xff]), Ok("ab".to_owned()));
        assert_eq!(decoded(&[0xc0, 0x61, b'a']), Ok("a".to_owned()));
        assert_eq!(decoded(&[0xc1, 0xf5]), Ok(true));
        let dict = Dict::from_iter([("a", Value::List(vec![]))]);
        assert_eq!(decoded(&[0xbf, 0x61, b'a', 0x9f, 0xff, 0xff]), Ok(Value::Dict(dict)));
        assert_eq!(decoded(&[0xa1, 0x18, 7, 0x01]), Ok(BTreeMap::from([(7, 1)])));
    }

    #[test]
    fn a_variant_is_text_or_a_dict_of_one_entry() {
        for (bytes, shape) in [
            (&[0x65, b'P', b'o', b'i', b'n', b't'][..], Shape::Point),
            (&[0xc0, 0x65, b'P', b'o', b'i', b'n', b't'], Shape::Point),
            (&[0x7f, 0x61, b'P', 0x64, b'o', b'i', b'n', b't', 0xff], Shape::Point),
            (&[0xa1, 0x65, b'P', b'o', b'i', b'n', b't', 0xf6], Shape::Point),
            (&[0xa1, 0x66, b'C', b'i', b'r', b'c', b'l', b'e', 0x05], Shape::Circle(5)),
            (&[0xbf, 0x66, b'C', b'i', b'r', b'c', b'l', b'e', 0xc1, 0x05, 0xff], Shape::Circle(5)),
            (&[0xc1, 0xa1, 0x64, b'L', b'i', b'n', b'e', 0x9f, 0x01, 0x02, 0xff], Shape::Line(1, 2)),
            (&[0xa1, 0x63, b'B', b'o', b'x', 0xa1, 0x65, b'w', b'i', b'd', b't', b'h', 0x05], Shape::Box { width: 5 }),
        ] {
            assert_eq!(decoded(bytes), Ok(shape));
        }
        for bytes in [
            &[0xa0][..],
            &[0xbf, 0xff],
            &[0xa2, 0x66, b'C', b'i', b'r', b'c', b'l', b'e', 0x05, 0x60, 0xf6],
            &[0x66, b'C', b'i', b'r', b'c', b'l', b'e'],
            &[0x82, 0x66, b'C', b'i', b'r', b'c', b'l', b'e', 0x05],
            &[0xf6],
        ] {
            assert!(decoded::<Shape>(bytes).is_err(), "{bytes:02x?}");
        }
    }

    /// A visitor that stops early, with or without the adapter's help.
    #[test]
    fn a_type_takes_every_value_or_fails() {
        for bytes in [&[0x83, 0x01, 0x02, 0x03][..], &[0x9f, 0x01, 0x02, 0x03, 0xff]] {
            let error = from_slice(bytes, PhantomData::<(u8, u8)>).unwrap_err();
            assert_eq!(error.to_string(), "there are more values than the type takes");
        }
        assert!(from_slice(&[0x9f, 0x01, 0xff], PhantomData::<(u8, u8)>).is_err());
    }

    #[test]
    fn text_and_bytes_are_borrowed_unless_they_come_in_chunks() {
        assert_eq!(decoded::<&str>(&[0x62, b'a', b'b']), Ok("ab"));
        assert_eq!(decoded::<&[u8]>(&[0xd8, 64, 0x42, 1, 2]), Ok(&[1, 2][..]));
        assert!(decoded::<&str>(&[0x7f, 0x61, b'a', 0xff]).is_err());
        assert_eq!(decoded::<Value>(&[0x5f, 0x41, 1, 0x41, 2, 0xff]), Ok(Value::Bytes(vec![1, 2].into())));
        // Most types have no other word for bytes than a list of numbers.
        assert_eq!(decoded(&[0x42, 1, 2]), Ok(vec![1_u8, 2]));
        assert_eq!(decoded(&[0x82, 1, 2]), Ok(vec![1_u8, 2]));
    }

    #[test]
    fn simple_values_have_no_meaning() {
        for bytes in [&[0xe0][..], &[0xf3], &[0xf8, 32], &[0xc0, 0xf0]] {
            assert!(decoded::<Value>(bytes).is_err(), "{bytes:02x?}");
            assert!(decoded::<()>(bytes).is_err(), "{bytes:02x?}");
            assert!(decoded::<Option<u8>>(bytes).is_err(), "{bytes:02x?}");
            let ignored = [&[0xa2, 0x62, b'a', b't', 0x01, 0x61, b'x'], bytes].concat();
            assert_eq!(decoded(&ignored), Ok(Reading { at: 1.0, count: None }));
        }
    }

    #[test]
    fn formats_are_human_readable() {
        assert_eq!(decoded(b"\x69127.0.0.1"), Ok(Ipv4Addr::LOCALHOST));
        assert!(decoded::<Ipv4Addr>(&[0x84, 0x18, 127, 0, 0, 1]).is_err());
    }
}
