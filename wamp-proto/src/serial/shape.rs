//! The shape of a type at the top of a payload: what is Arguments, and what is one of them.

use core::cell::Cell;
use core::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde::ser::{Serialize, Serializer};

use super::ser::Adapter;
use super::{Dialect, Subject};
use crate::EncodeErrorKind;

/// What a value is to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Arguments, by the shape of the value.
    Any,
    /// Arguments, of a sequence.
    List,
    /// ArgumentsKw, of a map or struct.
    Dict,
}

/// What a value turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The unit: no arguments.
    Nothing,
    /// One argument.
    One,
    /// All of the Arguments or ArgumentsKw.
    All,
}

/// A value whose shape is noted or, if it is not the wanted one, refused.
pub(super) struct Shaped<'a, T: ?Sized> {
    pub(super) value: &'a T,
    pub(super) wanted: Wanted,
    pub(super) shape: &'a Cell<Shape>,
}

impl<T: Serialize + ?Sized> Subject for Shaped<'_, T> {
    fn serialize<S: Serializer, D: Dialect>(&self, inner: Adapter<'_, S, D>) -> Result<S::Ok, S::Error> {
        self.value.serialize(ShapeSerializer { inner, wanted: self.wanted, shape: self.shape })
    }
}

struct ShapeSerializer<'a, A> {
    inner: A,
    wanted: Wanted,
    shape: &'a Cell<Shape>,
}

impl<'t, S: Serializer, D: Dialect> ShapeSerializer<'_, Adapter<'t, S, D>> {
    /// Takes the value as one argument, if any shape is wanted.
    fn one(self) -> Result<Adapter<'t, S, D>, S::Error> {
        let what = match self.wanted {
            Wanted::Any => {
                self.shape.set(Shape::One);
                return self.inner.inside();
            }
            Wanted::List => "a sequence",
            Wanted::Dict => "a map or struct",
        };
        Err(self.inner.fail(EncodeErrorKind::WrongShape(what)))
    }

    /// Takes the value as all of what is wanted, or as one argument.
    fn all_if(self, is_all: bool) -> Result<Adapter<'t, S, D>, S::Error> {
        if !is_all {
            return self.one();
        }
        self.shape.set(Shape::All);
        Ok(self.inner)
    }

    /// Takes a sequence of a length that the type does not fix.
    fn list(self) -> Result<Adapter<'t, S, D>, S::Error> {
        let is_all = self.wanted == Wanted::List;
        self.all_if(is_all)
    }

    fn dict(self) -> Result<Adapter<'t, S, D>, S::Error> {
        let is_all = self.wanted == Wanted::Dict;
        self.all_if(is_all)
    }
}

macro_rules! one {
    ($($method:ident($($name:ident: $type:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self, $($name: $type),*) -> Result<$ok, S::Error> {
            self.one()?.$method($($name),*)
        }
    )*};
}

impl<'t, S: Serializer, D: Dialect> Serializer for ShapeSerializer<'_, Adapter<'t, S, D>> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = <Adapter<'t, S, D> as Serializer>::SerializeSeq;
    type SerializeTuple = <Adapter<'t, S, D> as Serializer>::SerializeTuple;
    type SerializeTupleStruct = <Adapter<'t, S, D> as Serializer>::SerializeTupleStruct;
    type SerializeTupleVariant = <Adapter<'t, S, D> as Serializer>::SerializeTupleVariant;
    type SerializeMap = <Adapter<'t, S, D> as Serializer>::SerializeMap;
    type SerializeStruct = <Adapter<'t, S, D> as Serializer>::SerializeStruct;
    type SerializeStructVariant = <Adapter<'t, S, D> as Serializer>::SerializeStructVariant;

    one! {
        serialize_bool(value: bool) -> S::Ok;
        serialize_i8(value: i8) -> S::Ok;
        serialize_i16(value: i16) -> S::Ok;
        serialize_i32(value: i32) -> S::Ok;
        serialize_i64(value: i64) -> S::Ok;
        serialize_i128(value: i128) -> S::Ok;
        serialize_u8(value: u8) -> S::Ok;
        serialize_u16(value: u16) -> S::Ok;
        serialize_u32(value: u32) -> S::Ok;
        serialize_u64(value: u64) -> S::Ok;
        serialize_u128(value: u128) -> S::Ok;
        serialize_f32(value: f32) -> S::Ok;
        serialize_f64(value: f64) -> S::Ok;
        serialize_char(value: char) -> S::Ok;
        serialize_str(value: &str) -> S::Ok;
        serialize_bytes(value: &[u8]) -> S::Ok;
        serialize_none() -> S::Ok;
        serialize_unit_struct(name: &'static str) -> S::Ok;
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str) -> S::Ok;
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, length: usize)
            -> Self::SerializeTupleVariant;
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, length: usize)
            -> Self::SerializeStructVariant;
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        if self.wanted == Wanted::Dict {
            return self.one()?.serialize_unit();
        }
        self.shape.set(Shape::Nothing);
        self.inner.serialize_unit()
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, S::Error> {
        let is_all = self.wanted != Wanted::Dict;
        self.all_if(is_all)?.serialize_tuple(length)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        self.list()?.serialize_seq(length)
    }

    fn serialize_tuple_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.list()?.serialize_tuple_struct(name, length)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.dict()?.serialize_map(length)
    }

    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeStruct, S::Error> {
        self.dict()?.serialize_struct(name, length)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.one()?.serialize_some(value)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        if self.wanted == Wanted::Any {
            return self.one()?.serialize_newtype_struct(name, value);
        }
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.one()?.serialize_newtype_variant(name, index, variant, value)
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

/// What a type asks a payload for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Nothing: the unit.
    Nothing,
    /// All of the Arguments: a tuple or fixed array.
    All,
    /// One argument, if there is one.
    Option,
    /// One argument.
    One,
}

/// Finds out what a type asks for, by letting it ask and giving it nothing.
pub(crate) fn asked<'de, T: Deserialize<'de>>() -> Asked {
    let asked = Cell::new(Asked::Nothing);
    let _ = T::deserialize(Probe(&asked));
    asked.get()
}

/// A deserializer that notes what it is asked for, and fails.
struct Probe<'a>(&'a Cell<Asked>);

impl Probe<'_> {
    fn note<T>(self, asked: Asked) -> Result<T, Noted> {
        self.0.set(asked);
        Err(Noted)
    }
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Noted;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Noted> {
        self.note(Asked::One)
    }

    fn deserialize_option<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Noted> {
        self.note(Asked::Option)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Noted> {
        self.note(Asked::Nothing)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Noted> {
        self.note(Asked::All)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit_struct newtype_struct seq tuple_struct map
        struct enum identifier ignored_any
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

/// The error of a [`Probe`], which nobody sees.
#[derive(Debug)]
struct Noted;

impl fmt::Display for Noted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the shape has been noted")
    }
}

impl core::error::Error for Noted {}

impl de::Error for Noted {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}
