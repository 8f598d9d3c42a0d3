//! A deserializer around that of a format, which makes it one of WAMP.
//!
//! It knows the path to each value, turns text that stands for bytes into bytes where bytes or anything is asked for, and says that each
//! format is human-readable, so that a type has one form in all of them.

use core::fmt;
use core::marker::PhantomData;
use std::borrow::Cow;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::{Dialect, Trail};

/// Anything of serde that is adapted: a deserializer, a visitor, an access or a seed.
pub(super) struct Adapter<'t, T, D> {
    inner: T,
    trail: &'t Trail,
    dialect: PhantomData<D>,
}

impl<'t, T, D: Dialect> Adapter<'t, T, D> {
    #[inline]
    pub(super) const fn new(inner: T, trail: &'t Trail) -> Self {
        Self { inner, trail, dialect: PhantomData }
    }
}

impl<'de, S: DeserializeSeed<'de>, D: Dialect> DeserializeSeed<'de> for Adapter<'_, S, D> {
    type Value = S::Value;

    #[inline]
    fn deserialize<R: Deserializer<'de>>(self, deserializer: R) -> Result<S::Value, R::Error> {
        self.inner.deserialize(Self::new_of(deserializer, self.trail))
    }
}

impl<'t, T, D: Dialect> Adapter<'t, T, D> {
    /// Adapts something else in the same way.
    #[inline]
    const fn new_of<U>(inner: U, trail: &'t Trail) -> Adapter<'t, U, D> {
        Adapter::new(inner, trail)
    }
}

macro_rules! deserialize {
    ($visit:ident: $($method:ident($($name:ident: $type:ty),*))*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, R::Error> {
            self.inner.$method($($name,)* $visit::<_, D>::new(visitor, self.trail))
        }
    )*};
}

impl<'de, R: Deserializer<'de>, D: Dialect> Deserializer<'de> for Adapter<'_, R, D> {
    type Error = R::Error;

    deserialize! { AnyVisitor:
        deserialize_any()
        deserialize_bytes()
        deserialize_byte_buf()
    }

    deserialize! { Adapter:
        deserialize_bool()
        deserialize_i8()
        deserialize_i16()
        deserialize_i32()
        deserialize_i64()
        deserialize_i128()
        deserialize_u8()
        deserialize_u16()
        deserialize_u32()
        deserialize_u64()
        deserialize_u128()
        deserialize_f32()
        deserialize_f64()
        deserialize_char()
        deserialize_str()
        deserialize_string()
        deserialize_option()
        deserialize_unit()
        deserialize_newtype_struct(name: &'static str)
        deserialize_seq()
        deserialize_map()
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
        deserialize_identifier()
        deserialize_ignored_any()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, R::Error> {
        self.deserialize_unit(visitor)
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, R::Error> {
        let visitor = TupleVisitor { inner: Self::new_of(visitor, self.trail), length };
        self.inner.deserialize_tuple(length, visitor)
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, R::Error> {
        self.deserialize_tuple(length, visitor)
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

macro_rules! visit {
    ($($method:ident($type:ty))*) => {$(
        #[inline]
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

macro_rules! visit_the_same {
    () => {
        type Value = V::Value;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.inner.expecting(f)
        }

        visit! {
            visit_bool(bool)
            visit_i8(i8)
            visit_i16(i16)
            visit_i32(i32)
            visit_i64(i64)
            visit_i128(i128)
            visit_u8(u8)
            visit_u16(u16)
            visit_u32(u32)
            visit_u64(u64)
            visit_u128(u128)
            visit_f32(f32)
            visit_f64(f64)
            visit_char(char)
        }

        #[inline]
        fn visit_none<E: Error>(self) -> Result<V::Value, E> {
            self.inner.visit_none()
        }

        #[inline]
        fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
            self.inner.visit_unit()
        }
    };
}

impl<'de, V: Visitor<'de>, D: Dialect> Visitor<'de> for Adapter<'_, V, D> {
    visit_the_same!();

    visit! {
        visit_str(&str)
        visit_borrowed_str(&'de str)
        visit_string(String)
        visit_bytes(&[u8])
        visit_borrowed_bytes(&'de [u8])
        visit_byte_buf(Vec<u8>)
    }

    #[inline]
    fn visit_some<R: Deserializer<'de>>(self, deserializer: R) -> Result<V::Value, R::Error> {
        self.inner.visit_some(Self::new_of(deserializer, self.trail))
    }

    #[inline]
    fn visit_newtype_struct<R: Deserializer<'de>>(self, deserializer: R) -> Result<V::Value, R::Error> {
        self.inner.visit_newtype_struct(Self::new_of(deserializer, self.trail))
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(Elements::<_, D> { inner, trail: self.trail, index: 0, dialect: PhantomData })
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Entries::<_, D> { inner, trail: self.trail, key: None, dialect: PhantomData })
    }

    #[inline]
    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Self::new_of(access, self.trail))
    }
}

/// A visitor that wants bytes where text stands for bytes.
struct AnyVisitor<'t, V, D> {
    inner: V,
    trail: &'t Trail,
    dialect: PhantomData<D>,
}

impl<'t, V, D: Dialect> AnyVisitor<'t, V, D> {
    #[inline]
    const fn new(inner: V, trail: &'t Trail) -> Self {
        Self { inner, trail, dialect: PhantomData }
    }

    #[inline]
    fn adapted(self) -> Adapter<'t, V, D> {
        Adapter::new(self.inner, self.trail)
    }
}

macro_rules! visit_text {
    ($($method:ident($type:ty))*) => {$(
        #[inline]
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            match D::decode_bytes(value.as_ref()) {
                None => self.inner.$method(value),
                Some(bytes) => self.inner.visit_byte_buf(bytes.map_err(E::custom)?),
            }
        }
    )*};
}

impl<'de, V: Visitor<'de>, D: Dialect> Visitor<'de> for AnyVisitor<'_, V, D> {
    visit_the_same!();

    visit_text! {
        visit_str(&str)
        visit_borrowed_str(&'de str)
        visit_string(String)
        visit_bytes(&[u8])
        visit_borrowed_bytes(&'de [u8])
        visit_byte_buf(Vec<u8>)
    }

    fn visit_some<R: Deserializer<'de>>(self, deserializer: R) -> Result<V::Value, R::Error> {
        self.adapted().visit_some(deserializer)
    }

    fn visit_newtype_struct<R: Deserializer<'de>>(self, deserializer: R) -> Result<V::Value, R::Error> {
        self.adapted().visit_newtype_struct(deserializer)
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.adapted().visit_seq(access)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.adapted().visit_map(access)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.adapted().visit_enum(access)
    }
}

/// A visitor that takes so many elements and no more, which not every format sees to.
struct TupleVisitor<'t, V, D> {
    inner: Adapter<'t, V, D>,
    length: usize,
}

impl<'de, V: Visitor<'de>, D: Dialect> Visitor<'de> for TupleVisitor<'_, V, D> {
    visit_the_same!();

    visit! {
        visit_str(&str)
        visit_borrowed_str(&'de str)
        visit_string(String)
        visit_bytes(&[u8])
        visit_borrowed_bytes(&'de [u8])
        visit_byte_buf(Vec<u8>)
    }

    fn visit_some<R: Deserializer<'de>>(self, deserializer: R) -> Result<V::Value, R::Error> {
        self.inner.visit_some(deserializer)
    }

    fn visit_newtype_struct<R: Deserializer<'de>>(self, deserializer: R) -> Result<V::Value, R::Error> {
        self.inner.visit_newtype_struct(deserializer)
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(access)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(access)
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<V::Value, A::Error> {
        let value = self.inner.visit_seq(&mut access)?;
        let mut found = self.length;
        while access.next_element::<IgnoredAny>()?.is_some() {
            found += 1;
        }
        if found > self.length {
            return Err(A::Error::invalid_length(found, &format!("{} elements", self.length).as_str()));
        }
        Ok(value)
    }
}

/// The elements of a list.
struct Elements<'t, A, D> {
    inner: A,
    trail: &'t Trail,
    index: usize,
    dialect: PhantomData<D>,
}

impl<'de, A: SeqAccess<'de>, D: Dialect> SeqAccess<'de> for Elements<'_, A, D> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let seed = Adapter::<_, D>::new(seed, self.trail);
        let element = self.inner.next_element_seed(seed).inspect_err(|_| self.trail.index(self.index))?;
        self.index += 1;
        Ok(element)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// The entries of a dict.
pub(super) struct Entries<'de, 't, A, D> {
    inner: A,
    trail: &'t Trail,
    /// The last key, if it was text.
    key: Option<Cow<'de, str>>,
    dialect: PhantomData<D>,
}

impl<A, D> Entries<'_, '_, A, D> {
    #[cold]
    fn failed(&self) {
        self.trail.key(self.key.as_deref().unwrap_or("?"));
    }
}

impl<'de, A: MapAccess<'de>, D: Dialect> MapAccess<'de> for Entries<'de, '_, A, D> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_key_seed(Key { inner: seed, text: &mut self.key })
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let seed = Adapter::<_, D>::new(seed, self.trail);
        self.inner.next_value_seed(seed).inspect_err(|_| self.failed())
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, 't, A: EnumAccess<'de>, D: Dialect> EnumAccess<'de> for Adapter<'t, A, D> {
    type Error = A::Error;
    type Variant = Variant<'de, 't, A::Variant, D>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let mut name = None;
        let (value, access) = self.inner.variant_seed(Key { inner: seed, text: &mut name })?;
        Ok((value, Variant(Entries { inner: access, trail: self.trail, key: name, dialect: PhantomData })))
    }
}

/// The content of an enum's variant: a dict with one entry, as it were.
pub(super) struct Variant<'de, 't, A, D>(Entries<'de, 't, A, D>);

impl<'de, A: VariantAccess<'de>, D: Dialect> VariantAccess<'de> for Variant<'de, '_, A, D> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let Entries { inner, trail, key, dialect } = self.0;
        let result = inner.newtype_variant_seed(Adapter::<_, D>::new(seed, trail));
        result.inspect_err(|_| Entries { inner: (), trail, key, dialect }.failed())
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, A::Error> {
        let Entries { inner, trail, key, dialect } = self.0;
        let visitor = TupleVisitor { inner: Adapter::<_, D>::new(visitor, trail), length };
        let result = inner.tuple_variant(length, visitor);
        result.inspect_err(|_| Entries { inner: (), trail, key, dialect }.failed())
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let Entries { inner, trail, key, dialect } = self.0;
        let result = inner.struct_variant(fields, Adapter::<_, D>::new(visitor, trail));
        result.inspect_err(|_| Entries { inner: (), trail, key, dialect }.failed())
    }
}

/// A key on its way, as a seed, a deserializer or a visitor, whose text is noted as it passes.
struct Key<'k, 'de, T> {
    inner: T,
    text: &'k mut Option<Cow<'de, str>>,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Key<'_, 'de, S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<R: Deserializer<'de>>(self, deserializer: R) -> Result<S::Value, R::Error> {
        self.inner.deserialize(Key { inner: deserializer, text: self.text })
    }
}

macro_rules! deserialize_key {
    ($($method:ident($($name:ident: $type:ty),*))*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, R::Error> {
            self.inner.$method($($name,)* Key { inner: visitor, text: self.text })
        }
    )*};
}

impl<'de, R: Deserializer<'de>> Deserializer<'de> for Key<'_, 'de, R> {
    type Error = R::Error;

    deserialize_key! {
        deserialize_any()
        deserialize_bool()
        deserialize_i8()
        deserialize_i16()
        deserialize_i32()
        deserialize_i64()
        deserialize_i128()
        deserialize_u8()
        deserialize_u16()
        deserialize_u32()
        deserialize_u64()
        deserialize_u128()
        deserialize_f32()
        deserialize_f64()
        deserialize_char()
        deserialize_str()
        deserialize_string()
        deserialize_bytes()
        deserialize_byte_buf()
        deserialize_option()
        deserialize_unit()
        deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str)
        deserialize_seq()
        deserialize_tuple(length: usize)
        deserialize_tuple_struct(name: &'static str, length: usize)
        deserialize_map()
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
        deserialize_identifier()
        deserialize_ignored_any()
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Key<'_, 'de, V> {
    visit_the_same!();

    visit! {
        visit_bytes(&[u8])
        visit_borrowed_bytes(&'de [u8])
        visit_byte_buf(Vec<u8>)
    }

    #[inline]
    fn visit_str<E: Error>(self, value: &str) -> Result<V::Value, E> {
        *self.text = Some(Cow::Owned(value.to_owned()));
        self.inner.visit_str(value)
    }

    #[inline]
    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<V::Value, E> {
        *self.text = Some(Cow::Borrowed(value));
        self.inner.visit_borrowed_str(value)
    }

    #[inline]
    fn visit_string<E: Error>(self, value: String) -> Result<V::Value, E> {
        *self.text = Some(Cow::Owned(value.clone()));
        self.inner.visit_string(value)
    }

    fn visit_some<R: Deserializer<'de>>(self, deserializer: R) -> Result<V::Value, R::Error> {
        self.inner.visit_some(Key { inner: deserializer, text: self.text })
    }

    fn visit_newtype_struct<R: Deserializer<'de>>(self, deserializer: R) -> Result<V::Value, R::Error> {
        self.inner.visit_newtype_struct(Key { inner: deserializer, text: self.text })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(access)
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(access)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(access)
    }
}
