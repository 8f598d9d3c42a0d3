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

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.0.push(if value { 0xf5 } else { 0xf4 });
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.0.push(0xfa);
        self.0.extend_from_slice(&value.to_be_bytes());
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        self.0.push(0xfb);
        self.0.extend_from_slice(&value.to_be_bytes());
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
