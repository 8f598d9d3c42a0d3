//! The user's types to CBOR.

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    SerializeTupleVariant,
};

use super::error::Error;
use super::head::{self, BYTES, DICT, LIST, NEGATIVE, TEXT, UNSIGNED};

/// A serde serializer that appends one value.
///
/// Structs are dicts, enums are text or dicts of one entry, as in serde_json. Floats keep their width and each of their bits.
pub(super) struct Serializer<'a>(&'a mut Vec<u8>);

impl<'a> Serializer<'a> {
    pub(super) const fn new(out: &'a mut Vec<u8>) -> Self {
        Self(out)
    }

    #[inline]
    fn text(&mut self, text: &str) {
        head::write(TEXT, text.len() as u64, self.0);
        self.0.extend_from_slice(text.as_bytes());
    }

    fn signed(self, value: i64) {
        match u64::try_from(value) {
            Ok(value) => head::write(UNSIGNED, value, self.0),
            Err(_) => head::write(NEGATIVE, !value.cast_unsigned(), self.0),
        }
    }

    fn open(self, major: u8, length: Option<usize>) -> Inside<'a> {
        let start = self.0.len();
        if let Some(length) = length {
            head::write(major, length as u64, self.0);
            return Inside { out: self.0, uncounted: None };
        }
        Inside { out: self.0, uncounted: Some(Uncounted { major, start, count: 0 }) }
    }

    /// Opens the dict of a variant, whose content is to follow.
    fn variant(mut self, name: &str) -> Self {
        head::write(DICT, 1, self.0);
        self.text(name);
        self
    }
}

macro_rules! integers {
    ($($method:ident($type:ty) => |$self:ident, $value:ident| $write:expr;)*) => {$(
        #[inline]
        fn $method($self, $value: $type) -> Result<(), Error> {
            $write;
            Ok(())
        }
    )*};
}

impl<'a> serde::Serializer for Serializer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Inside<'a>;
    type SerializeTuple = Inside<'a>;
    type SerializeTupleStruct = Inside<'a>;
    type SerializeTupleVariant = Inside<'a>;
    type SerializeMap = Inside<'a>;
    type SerializeStruct = Inside<'a>;
    type SerializeStructVariant = Inside<'a>;

    integers! {
        serialize_i8(i8) => |self, value| self.signed(value.into());
        serialize_i16(i16) => |self, value| self.signed(value.into());
        serialize_i32(i32) => |self, value| self.signed(value.into());
        serialize_i64(i64) => |self, value| self.signed(value);
        serialize_u8(u8) => |self, value| head::write(UNSIGNED, value.into(), self.0);
        serialize_u16(u16) => |self, value| head::write(UNSIGNED, value.into(), self.0);
        serialize_u32(u32) => |self, value| head::write(UNSIGNED, value.into(), self.0);
        serialize_u64(u64) => |self, value| head::write(UNSIGNED, value, self.0);
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.0.push(if value { 0xf5 } else { 0xf4 });
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        head::write_long(0xfa, value.to_be_bytes(), self.0);
        Ok(())
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        head::write_long(0xfb, value.to_be_bytes(), self.0);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(mut self, value: &str) -> Result<(), Error> {
        self.text(value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        head::write(BYTES, value.len() as u64, self.0);
        self.0.extend_from_slice(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.0.push(0xf6);
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self.variant(variant))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Inside<'a>, Error> {
        Ok(self.open(LIST, length))
    }

    fn serialize_tuple(self, length: usize) -> Result<Inside<'a>, Error> {
        Ok(self.open(LIST, Some(length)))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Inside<'a>, Error> {
        Ok(self.open(LIST, Some(length)))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Inside<'a>, Error> {
        Ok(self.variant(variant).open(LIST, Some(length)))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Inside<'a>, Error> {
        Ok(self.open(DICT, length))
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Inside<'a>, Error> {
        Ok(self.open(DICT, Some(length)))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Inside<'a>, Error> {
        Ok(self.variant(variant).open(DICT, Some(length)))
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

/// A list or dict that has been begun.
pub(super) struct Inside<'a> {
    out: &'a mut Vec<u8>,
    uncounted: Option<Uncounted>,
}

/// A list or dict whose length is known at its end, and whose head is put in front of it then.
struct Uncounted {
    major: u8,
    start: usize,
    count: u64,
}

impl Inside<'_> {
    #[inline]
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        if let Some(uncounted) = &mut self.uncounted {
            uncounted.count += 1;
        }
        self.value(value)
    }

    #[inline]
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(Serializer(self.out))
    }

    #[inline]
    fn entry<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Error> {
        Serializer(self.out).text(key);
        self.value(value)
    }

    #[inline]
    fn finish(self) {
        if let Some(Uncounted { major, start, count }) = self.uncounted {
            let mut head = Vec::with_capacity(9);
            head::write(major, count, &mut head);
            self.out.splice(start..start, head);
        }
    }
}

macro_rules! lists {
    ($($trait:ident::$method:ident)*) => {$(
        impl $trait for Inside<'_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.element(value)
            }

            fn end(self) -> Result<(), Error> {
                self.finish();
                Ok(())
            }
        }
    )*};
}

lists! {
    SerializeSeq::serialize_element
    SerializeTuple::serialize_element
    SerializeTupleStruct::serialize_field
    SerializeTupleVariant::serialize_field
}

macro_rules! structs {
    ($($trait:ident)*) => {$(
        impl $trait for Inside<'_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
                self.entry(key, value)
            }

            fn end(self) -> Result<(), Error> {
                Ok(())
            }
        }
    )*};
}

structs! { SerializeStruct SerializeStructVariant }

impl SerializeMap for Inside<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.element(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::Ipv4Addr;

    use super::*;
    use crate::{EncodeErrorKind, Format, serial};

    /// What a user gets, through the adapter of all formats.
    fn encoded<T: Serialize>(value: T) -> Vec<u8> {
        let mut out = vec![0xff];
        serial::write(&value, Format::Cbor, 8, &mut out).unwrap();
        assert_eq!(out.remove(0), 0xff, "the value is appended");
        out
    }

    #[derive(Serialize)]
    enum Shape {
        Point,
        Circle(u8),
        Line(u8, u8),
        Box { width: u8 },
    }

    #[derive(Serialize)]
    struct Unit;

    #[derive(Serialize)]
    struct Wrapped(u8);

    #[derive(Serialize)]
    struct Named {
        a: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        b: Option<u8>,
    }

    #[test]
    fn each_type_has_its_shortest_form() {
        assert_eq!(encoded(0_u8), [0x00]);
        assert_eq!(encoded(24_u64), [0x18, 24]);
        assert_eq!(encoded(u64::MAX), [0x1b, 255, 255, 255, 255, 255, 255, 255, 255]);
        assert_eq!(encoded(5_i64), [0x05]);
        assert_eq!(encoded(-1_i8), [0x20]);
        assert_eq!(encoded(-25_i32), [0x38, 24]);
        assert_eq!(encoded(i64::MIN), [0x3b, 127, 255, 255, 255, 255, 255, 255, 255]);
        assert_eq!(encoded(5_i128), [0x05]);
        assert_eq!(encoded('ä'), [0x62, 0xc3, 0xa4]);
        assert_eq!(encoded(true), [0xf5]);
        assert_eq!(encoded(false), [0xf4]);
        assert_eq!(encoded(1.5_f32), [0xfa, 0x3f, 0xc0, 0, 0]);
        assert_eq!(encoded(1.5_f64), [0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0]);
        assert_eq!(encoded(()), [0xf6]);
        assert_eq!(encoded(Unit), [0xf6]);
        assert_eq!(encoded(None::<u8>), [0xf6]);
        assert_eq!(encoded(Some(1)), [0x01]);
        assert_eq!(encoded(Wrapped(1)), [0x01]);
        assert_eq!(encoded((1, "a")), [0x82, 0x01, 0x61, b'a']);
        assert_eq!(encoded([1, 2]), [0x82, 0x01, 0x02]);
        assert_eq!(encoded(vec![0; 24])[..2], [0x98, 24]);
        assert_eq!(encoded(BTreeMap::from([("a", 1)])), [0xa1, 0x61, b'a', 0x01]);
        assert_eq!(encoded(Named { a: 1, b: None }), [0xa1, 0x61, b'a', 0x01]);
        assert_eq!(encoded(Named { a: 1, b: Some(2) }), [0xa2, 0x61, b'a', 0x01, 0x61, b'b', 0x02]);
        assert_eq!(encoded(Ipv4Addr::LOCALHOST), b"\x69127.0.0.1");
    }

    #[test]
    fn each_bit_of_a_float_is_kept() {
        for bits in [0x7ff8_0000_0000_0000, 0xfff0_0000_0000_0001, 0x7ff4_dead_beef_0000, 0x8000_0000_0000_0000, 1] {
            assert_eq!(encoded(f64::from_bits(bits))[1..], bits.to_be_bytes());
        }
    }

    #[test]
    fn a_variant_is_text_or_a_dict_of_one_entry() {
        assert_eq!(encoded(Shape::Point), b"\x65Point");
        assert_eq!(encoded(Shape::Circle(5)), b"\xa1\x66Circle\x05");
        assert_eq!(encoded(Shape::Line(1, 2)), b"\xa1\x64Line\x82\x01\x02");
        assert_eq!(encoded(Shape::Box { width: 5 }), b"\xa1\x63Box\xa1\x65width\x05");
    }

    #[test]
    fn what_is_counted_at_its_end_has_a_definite_length() {
        struct Uncounted(usize);

        impl Serialize for Uncounted {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut list = serializer.serialize_seq(None)?;
                (0..self.0).try_for_each(|_| list.serialize_element(&1))?;
                list.end()
            }
        }

        #[derive(Serialize)]
        struct Flat {
            a: u8,
            #[serde(flatten)]
            rest: BTreeMap<&'static str, Uncounted>,
        }

        assert_eq!(encoded((7, Uncounted(0), 8)), [0x83, 0x07, 0x80, 0x08]);
        assert_eq!(encoded((7, Uncounted(2), 8)), [0x83, 0x07, 0x82, 0x01, 0x01, 0x08]);
        assert_eq!(encoded(Uncounted(300))[..5], [0x99, 1, 44, 0x01, 0x01]);
        let flat = Flat { a: 7, rest: BTreeMap::from([("b", Uncounted(1)), ("c", Uncounted(0))]) };
        assert_eq!(encoded(flat), [0xa3, 0x61, b'a', 0x07, 0x61, b'b', 0x81, 0x01, 0x61, b'c', 0x80]);
    }

    #[test]
    fn integers_of_more_than_64_bits_are_refused() {
        for result in [
            serial::write(&u128::MAX, Format::Cbor, 8, &mut vec![]),
            serial::write(&i128::MIN, Format::Cbor, 8, &mut vec![]),
        ] {
            let what = "integer of more than 64 bits";
            assert_eq!(result, Err(EncodeErrorKind::Unsupported { format: Format::Cbor, what }));
        }
    }
}
