//! A serializer around that of a format, which makes it one of WAMP.
//!
//! It knows the path to each value, refuses what the format lacks and what is nested too deep, wants text as keys, and says that each
//! format is human-readable, so that a type has one form in all of them.

use core::fmt::{self, Write as _};
use core::marker::PhantomData;

use serde::ser::{
    Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::{Dialect, Trail};
use crate::EncodeErrorKind;

/// The name by which rmp-serde knows MessagePack's extension types, which WAMP does not have.
const EXTENSION: &str = "_ExtStruct";

/// Where a value is to go, and what is to be kept there.
pub(super) struct Adapter<'t, S, D> {
    inner: S,
    site: Site<'t, D>,
}

/// What an adapter hands down to those of the values within.
struct Site<'t, D> {
    trail: &'t Trail,
    /// How many lists and dicts may nest from here.
    depth: u8,
    dialect: PhantomData<D>,
}

impl<D> Clone for Site<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D> Copy for Site<'_, D> {}

impl<D: Dialect> Site<'_, D> {
    const fn lacks(what: &'static str) -> EncodeErrorKind {
        EncodeErrorKind::Unsupported { format: D::FORMAT, what }
    }

    #[cold]
    fn fail<E: serde::ser::Error>(self, kind: EncodeErrorKind) -> E {
        let error = E::custom(&kind);
        self.trail.fail(kind);
        error
    }

    fn check<E: serde::ser::Error>(self, result: Result<(), EncodeErrorKind>) -> Result<(), E> {
        result.map_err(|kind| self.fail(kind))
    }

    /// The site of values that are `levels` deeper.
    fn inside<E: serde::ser::Error>(mut self, levels: u8) -> Result<Self, E> {
        match self.depth.checked_sub(levels) {
            Some(depth) => self.depth = depth,
            None => return Err(self.fail(EncodeErrorKind::TooDeep)),
        }
        Ok(self)
    }
}

impl<'t, S, D: Dialect> Adapter<'t, S, D> {
    pub(super) const fn new(inner: S, trail: &'t Trail, depth: u8) -> Self {
        Self { inner, site: Site { trail, depth, dialect: PhantomData } }
    }

    /// The adapter of a value that is one level deeper.
    pub(super) fn inside<E: serde::ser::Error>(self) -> Result<Self, E> {
        Ok(Self { site: self.site.inside(1)?, ..self })
    }

    /// Refuses the value.
    pub(super) fn fail<E: serde::ser::Error>(&self, kind: EncodeErrorKind) -> E {
        self.site.fail(kind)
    }
}

/// A value whose serializer is adapted.
struct Adapted<'t, 'v, T: ?Sized, D> {
    value: &'v T,
    site: Site<'t, D>,
}

impl<T: Serialize + ?Sized, D: Dialect> Serialize for Adapted<'_, '_, T, D> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Adapter { inner: serializer, site: self.site })
    }
}

macro_rules! scalars {
    ($($method:ident($type:ty))*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        }
    )*};
}

impl<'t, S: Serializer, D: Dialect> Serializer for Adapter<'t, S, D> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Compound<'t, S::SerializeSeq, D>;
    type SerializeTuple = Compound<'t, S::SerializeTuple, D>;
    type SerializeTupleStruct = Compound<'t, S::SerializeTupleStruct, D>;
    type SerializeTupleVariant = Compound<'t, S::SerializeTupleVariant, D>;
    type SerializeMap = Compound<'t, S::SerializeMap, D>;
    type SerializeStruct = Compound<'t, S::SerializeStruct, D>;
    type SerializeStructVariant = Compound<'t, S::SerializeStructVariant, D>;

    scalars! {
        serialize_bool(bool)
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
    }

    fn serialize_i128(self, value: i128) -> Result<S::Ok, S::Error> {
        if let Ok(value) = u64::try_from(value) {
            return self.inner.serialize_u64(value);
        }
        match i64::try_from(value) {
            Ok(value) => self.inner.serialize_i64(value),
            Err(_) => Err(self.site.fail(Site::<D>::lacks("integer of more than 64 bits"))),
        }
    }

    fn serialize_u128(self, value: u128) -> Result<S::Ok, S::Error> {
        match u64::try_from(value) {
            Ok(value) => self.inner.serialize_u64(value),
            Err(_) => Err(self.site.fail(Site::<D>::lacks("integer of more than 64 bits"))),
        }
    }

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        self.site.check(D::check_float(value.into()))?;
        self.inner.serialize_f32(value)
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        self.site.check(D::check_float(value))?;
        self.inner.serialize_f64(value)
    }

    fn serialize_char(self, value: char) -> Result<S::Ok, S::Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<S::Ok, S::Error> {
        self.site.check(D::check_text(value))?;
        self.inner.serialize_str(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<S::Ok, S::Error> {
        D::serialize_bytes(value, self.inner)
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_none()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        self.serialize_str(variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        if name == EXTENSION {
            return Err(self.site.fail(Site::<D>::lacks("extension types")));
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
        let site = self.site.inside(1)?;
        let result = self.inner.serialize_newtype_variant(name, index, variant, &Adapted { value, site });
        result.inspect_err(|_| site.trail.key(variant))
    }

    #[inline]
    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        Compound::new(self.site.inside(1)?, self.inner.serialize_seq(length))
    }

    #[inline]
    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, S::Error> {
        Compound::new(self.site.inside(1)?, self.inner.serialize_tuple(length))
    }

    #[inline]
    fn serialize_tuple_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeTupleStruct, S::Error> {
        Compound::new(self.site.inside(1)?, self.inner.serialize_tuple_struct(name, length))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let site = self.site.inside(2)?;
        Compound::of_variant(site, variant, self.inner.serialize_tuple_variant(name, index, variant, length))
    }

    #[inline]
    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        Compound::new(self.site.inside(1)?, self.inner.serialize_map(length))
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeStruct, S::Error> {
        Compound::new(self.site.inside(1)?, self.inner.serialize_struct(name, length))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let site = self.site.inside(2)?;
        Compound::of_variant(site, variant, self.inner.serialize_struct_variant(name, index, variant, length))
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

/// A list or dict of adapted values.
pub(super) struct Compound<'t, C, D> {
    inner: C,
    site: Site<'t, D>,
    /// How many elements there were.
    index: usize,
    variant: Option<&'static str>,
    /// The last key of a map, if it came without its value.
    key: String,
}

impl<'t, C, D> Compound<'t, C, D> {
    #[inline]
    fn new<E>(site: Site<'t, D>, inner: Result<C, E>) -> Result<Self, E> {
        Ok(Self { inner: inner?, site, index: 0, variant: None, key: String::new() })
    }

    fn of_variant<E>(site: Site<'t, D>, variant: &'static str, inner: Result<C, E>) -> Result<Self, E> {
        Ok(Self { variant: Some(variant), ..Self::new(site, inner)? })
    }

    #[inline]
    fn adapted<'v, T: ?Sized>(&self, value: &'v T) -> Adapted<'t, 'v, T, D> {
        Adapted { value, site: self.site }
    }

    /// Notes the way to an element.
    #[cold]
    fn failed_element(&self) {
        self.site.trail.index(self.index);
        self.failed_variant();
    }

    /// Notes the way to a field.
    #[cold]
    fn failed_field(&self, key: &'static str) {
        self.site.trail.key(key);
        self.failed_variant();
    }

    fn failed_variant(&self) {
        if let Some(variant) = self.variant {
            self.site.trail.key(variant);
        }
    }
}

macro_rules! elements {
    ($($trait:ident::$method:ident)*) => {$(
        impl<C: $trait, D: Dialect> $trait for Compound<'_, C, D> {
            type Ok = C::Ok;
            type Error = C::Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
                let value = self.adapted(value);
                self.inner.$method(&value).inspect_err(|_| self.failed_element())?;
                self.index += 1;
                Ok(())
            }

            #[inline]
            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        }
    )*};
}

elements! {
    SerializeSeq::serialize_element
    SerializeTuple::serialize_element
    SerializeTupleStruct::serialize_field
    SerializeTupleVariant::serialize_field
}

macro_rules! fields {
    ($($trait:ident)*) => {$(
        impl<C: $trait, D: Dialect> $trait for Compound<'_, C, D> {
            type Ok = C::Ok;
            type Error = C::Error;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), C::Error> {
                let value = self.adapted(value);
                self.inner.serialize_field(key, &value).inspect_err(|_| self.failed_field(key))
            }

            fn skip_field(&mut self, key: &'static str) -> Result<(), C::Error> {
                self.inner.skip_field(key)
            }

            #[inline]
            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        }
    )*};
}

fields! { SerializeStruct SerializeStructVariant }

impl<C: SerializeMap, D: Dialect> SerializeMap for Compound<'_, C, D> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        self.inner.serialize_key(&Key { value: key, site: self.site })?;
        self.key = key_text(key);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        let value = self.adapted(value);
        self.inner.serialize_value(&value).inspect_err(|_| self.site.trail.key(&*self.key))
    }

    #[inline]
    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &V,
    ) -> Result<(), C::Error> {
        self.inner.serialize_key(&Key { value: key, site: self.site })?;
        let value = self.adapted(value);
        self.inner.serialize_value(&value).inspect_err(|_| self.site.trail.key(key_text(key)))
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}

/// A key of a map, which must be text.
struct Key<'t, 'v, T: ?Sized, D> {
    value: &'v T,
    site: Site<'t, D>,
}

impl<T: Serialize + ?Sized, D: Dialect> Serialize for Key<'_, '_, T, D> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(KeySerializer { inner: serializer, site: self.site })
    }
}

/// The text of a key that has been serialized as text.
fn key_text<T: Serialize + ?Sized>(key: &T) -> String {
    let mut text = String::new();
    // A type whose second attempt fails has an incomplete path.
    let _ = write!(text, "{}", KeyText(key));
    text
}

struct KeyText<'v, T: ?Sized>(&'v T);

impl<T: Serialize + ?Sized> fmt::Display for KeyText<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(f)
    }
}

struct KeySerializer<'t, S, D> {
    inner: S,
    site: Site<'t, D>,
}

impl<S: Serializer, D: Dialect> KeySerializer<'_, S, D> {
    fn no_text<T>(self) -> Result<T, S::Error> {
        Err(self.site.fail(EncodeErrorKind::KeyIsNotAString))
    }
}

macro_rules! no_texts {
    ($($method:ident($($type:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self, $(_: $type),*) -> Result<$ok, S::Error> {
            self.no_text()
        }
    )*};
}

impl<S: Serializer, D: Dialect> Serializer for KeySerializer<'_, S, D> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Impossible<S::Ok, S::Error>;
    type SerializeTuple = Impossible<S::Ok, S::Error>;
    type SerializeTupleStruct = Impossible<S::Ok, S::Error>;
    type SerializeTupleVariant = Impossible<S::Ok, S::Error>;
    type SerializeMap = Impossible<S::Ok, S::Error>;
    type SerializeStruct = Impossible<S::Ok, S::Error>;
    type SerializeStructVariant = Impossible<S::Ok, S::Error>;

    #[inline]
    fn serialize_str(self, value: &str) -> Result<S::Ok, S::Error> {
        self.site.check(D::check_text(value))?;
        self.inner.serialize_str(value)
    }

    fn serialize_char(self, value: char) -> Result<S::Ok, S::Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<S::Ok, S::Error> {
        self.no_text()
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<S::Ok, S::Error> {
        self.no_text()
    }

    no_texts! {
        serialize_bool(bool) -> S::Ok;
        serialize_i8(i8) -> S::Ok;
        serialize_i16(i16) -> S::Ok;
        serialize_i32(i32) -> S::Ok;
        serialize_i64(i64) -> S::Ok;
        serialize_i128(i128) -> S::Ok;
        serialize_u8(u8) -> S::Ok;
        serialize_u16(u16) -> S::Ok;
        serialize_u32(u32) -> S::Ok;
        serialize_u64(u64) -> S::Ok;
        serialize_u128(u128) -> S::Ok;
        serialize_f32(f32) -> S::Ok;
        serialize_f64(f64) -> S::Ok;
        serialize_bytes(&[u8]) -> S::Ok;
        serialize_none() -> S::Ok;
        serialize_unit() -> S::Ok;
        serialize_unit_struct(&'static str) -> S::Ok;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}
