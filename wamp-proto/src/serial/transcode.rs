//! From one format into another, value by value, without a tree in between.

use core::cell::Cell;
use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};

use super::lengths::Lengths;
use super::{Trail, de};
use crate::Format;

/// An encoded value of some format, which serializes as the value that it is.
///
/// It nests as deep as its reader has let it, so recursion is bounded.
pub(crate) struct Foreign<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) format: Format,
}

impl Serialize for Foreign<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let trail = Trail::default();
        let lengths = Lengths::new(self.bytes, self.format);
        let result = with_format!(self.format, module, D => {
            let seed = de::Adapter::<_, D>::new(Into { serializer, lengths: &lengths }, &trail);
            module::from_slice(self.bytes, seed).map_err(|error| error.to_string())
        });
        result.map_err(S::Error::custom)
    }
}

/// The serializer that a value goes into.
struct Into<'l, S> {
    serializer: S,
    lengths: &'l Lengths<'l>,
}

impl<'de, S: Serializer> DeserializeSeed<'de> for Into<'_, S> {
    type Value = S::Ok;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Ok, D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! visit {
    ($($method:ident($type:ty) => $serialize:ident;)*) => {$(
        fn $method<E: serde::de::Error>(self, value: $type) -> Result<S::Ok, E> {
            self.serializer.$serialize(value).map_err(E::custom)
        }
    )*};
}

impl<'de, S: Serializer> Visitor<'de> for Into<'_, S> {
    type Value = S::Ok;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that WAMP has")
    }

    visit! {
        visit_bool(bool) => serialize_bool;
        visit_i64(i64) => serialize_i64;
        visit_i128(i128) => serialize_i128;
        visit_u64(u64) => serialize_u64;
        visit_u128(u128) => serialize_u128;
        visit_f64(f64) => serialize_f64;
        visit_str(&str) => serialize_str;
        visit_bytes(&[u8]) => serialize_bytes;
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<S::Ok, E> {
        self.serializer.serialize_unit().map_err(E::custom)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<S::Ok, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Ok, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, _: D) -> Result<S::Ok, D::Error> {
        // What rmp-serde makes of MessagePack's extension types, which are no values of WAMP.
        Err(D::Error::invalid_type(Unexpected::Other("an extension"), &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<S::Ok, A::Error> {
        let lengths = self.lengths;
        let length = lengths.enter(access.size_hint());
        let mut list = self.serializer.serialize_seq(length).map_err(A::Error::custom)?;
        let mut count = 0;
        while access.next_element_seed(IntoElement { list: &mut list, lengths })?.is_some() {
            count += 1;
        }
        lengths.leave();
        check(length, count)?;
        list.end().map_err(A::Error::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<S::Ok, A::Error> {
        let lengths = self.lengths;
        let length = lengths.enter(access.size_hint());
        let mut dict = self.serializer.serialize_map(length).map_err(A::Error::custom)?;
        let mut count = 0;
        while access.next_key_seed(IntoKey(&mut dict))?.is_some() {
            access.next_value_seed(IntoValue { dict: &mut dict, lengths })?;
            count += 1;
        }
        lengths.leave();
        check(length, count)?;
        dict.end().map_err(A::Error::custom)
    }
}

/// Checks that as many elements came as were announced: a wrong length would be a frame that means something else.
fn check<E: serde::de::Error>(length: Option<usize>, count: usize) -> Result<(), E> {
    if length.is_none_or(|length| length == count) { Ok(()) } else { Err(E::custom("a length was counted wrong")) }
}

/// A deserializer that serializes what it deserializes.
struct Passing<'l, D> {
    deserializer: Cell<Option<D>>,
    lengths: &'l Lengths<'l>,
}

impl<'l, D> Passing<'l, D> {
    const fn new(deserializer: D, lengths: &'l Lengths<'l>) -> Self {
        Self { deserializer: Cell::new(Some(deserializer)), lengths }
    }
}

impl<'de, D: Deserializer<'de>> Serialize for Passing<'_, D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let deserializer = self.deserializer.take().ok_or_else(|| S::Error::custom("a value is serialized once"))?;
        Into { serializer, lengths: self.lengths }.deserialize(deserializer).map_err(S::Error::custom)
    }
}

struct IntoElement<'a, L> {
    list: &'a mut L,
    lengths: &'a Lengths<'a>,
}

impl<'de, L: SerializeSeq> DeserializeSeed<'de> for IntoElement<'_, L> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.list.serialize_element(&Passing::new(deserializer, self.lengths)).map_err(D::Error::custom)
    }
}

struct IntoKey<'a, M>(&'a mut M);

impl<'de, M: SerializeMap> DeserializeSeed<'de> for IntoKey<'_, M> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de, M: SerializeMap> Visitor<'de> for IntoKey<'_, M> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string as key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<(), E> {
        self.0.serialize_key(key).map_err(E::custom)
    }
}

struct IntoValue<'a, M> {
    dict: &'a mut M,
    lengths: &'a Lengths<'a>,
}

impl<'de, M: SerializeMap> DeserializeSeed<'de> for IntoValue<'_, M> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.dict.serialize_value(&Passing::new(deserializer, self.lengths)).map_err(D::Error::custom)
    }
}
