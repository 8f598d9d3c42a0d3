//! Values of any type, for users who have no type of their own.

mod serde;

use core::fmt;
use std::collections::BTreeMap;
use std::collections::btree_map;

use bytes::Bytes;

/// Any value that a payload, Options or Details can carry.
///
/// Integers are one kind: a non-negative one is always [`Value::U64`] when it is decoded or made with [`From`], and
/// `I64(5)` equals `U64(5)`. Floats compare by their bits, so that NaN equals itself and 0.0 differs from -0.0.
///
/// ```
/// # use wamp_proto::Value;
/// let value = Value::from(vec![Value::from("a"), Value::from(-1)]);
/// assert_eq!(value.as_list().map(<[_]>::len), Some(2));
/// ```
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// null; nil; undefined
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// A negative integer.
    I64(i64),
    /// A non-negative integer.
    U64(u64),
    /// A floating-point number.
    F64(f64),
    /// A text string.
    String(String),
    /// A byte string.
    Bytes(Bytes),
    /// A list.
    List(Vec<Self>),
    /// A dict.
    Dict(Dict),
}

impl Value {
    /// Whether the value is null.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The boolean, `None` if it is something else.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The integer as a `u64`, `None` if it is negative or something else.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::U64(value) => Some(*value),
            Self::I64(value) => u64::try_from(*value).ok(),
            _ => None,
        }
    }

    /// The integer as an `i64`, `None` if it is greater or something else.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::U64(value) => i64::try_from(*value).ok(),
            Self::I64(value) => Some(*value),
            _ => None,
        }
    }

    /// The float, `None` if it is something else (an integer, too).
    #[must_use]
    pub const fn as_f64(&self) -> Option<f64> {
        if let Self::F64(value) = self { Some(*value) } else { None }
    }

    /// The text, `None` if it is something else.
    #[must_use]
    pub const fn as_str(&self) -> Option<&str> {
        if let Self::String(value) = self { Some(value.as_str()) } else { None }
    }

    /// The bytes, `None` if it is something else.
    #[must_use]
    pub const fn as_bytes(&self) -> Option<&Bytes> {
        if let Self::Bytes(value) = self { Some(value) } else { None }
    }

    /// The list, `None` if it is something else.
    #[must_use]
    pub const fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(value) = self { Some(value.as_slice()) } else { None }
    }

    /// The dict, `None` if it is something else.
    #[must_use]
    pub const fn as_dict(&self) -> Option<&Dict> {
        if let Self::Dict(value) = self { Some(value) } else { None }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::U64(a), Self::U64(b)) => a == b,
            (Self::I64(a), Self::I64(b)) => a == b,
            (Self::I64(a), Self::U64(b)) | (Self::U64(b), Self::I64(a)) => u64::try_from(*a) == Ok(*b),
            (Self::F64(a), Self::F64(b)) => a.to_bits() == b.to_bits(),
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Dict(a), Self::Dict(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl From<()> for Value {
    fn from((): ()) -> Self {
        Self::Null
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

macro_rules! from_integers {
    ($($signed:ty),*; $($unsigned:ty),*) => {
        $(impl From<$signed> for Value {
            fn from(value: $signed) -> Self {
                u64::try_from(value).map_or(Self::I64(value.into()), Self::U64)
            }
        })*
        $(impl From<$unsigned> for Value {
            fn from(value: $unsigned) -> Self {
                Self::U64(value.into())
            }
        })*
    };
}

from_integers!(i8, i16, i32, i64; u8, u16, u32, u64);

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::F64(value)
    }
}

impl From<f32> for Value {
    fn from(value: f32) -> Self {
        Self::F64(value.into())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<Bytes> for Value {
    fn from(value: Bytes) -> Self {
        Self::Bytes(value)
    }
}

impl From<Dict> for Value {
    fn from(value: Dict) -> Self {
        Self::Dict(value)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A dict: values by name, in the order of the names.
///
/// If a name comes twice in a frame, its last value counts.
///
/// ```
/// # use wamp_proto::{Dict, Value};
/// let dict = Dict::from_iter([("colour", Value::from("orange")), ("size", Value::from(23))]);
/// assert_eq!(dict.get("size").and_then(Value::as_u64), Some(23));
/// ```
#[derive(Clone, Default)]
pub struct Dict(Option<Box<Entries>>);

/// They are boxed, if there are any: most Details of messages have an empty dict, which is to be small, and quick to drop.
type Entries = BTreeMap<String, Value>;

static NO_ENTRIES: Entries = Entries::new();

impl Dict {
    /// Makes an empty dict.
    #[must_use]
    pub const fn new() -> Self {
        Self(None)
    }

    fn entries(&self) -> &Entries {
        self.0.as_deref().unwrap_or(&NO_ENTRIES)
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries().get(key)
    }

    /// Sets the value of a name, and returns the one that it had.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        self.0.get_or_insert_default().insert(key.into(), value.into())
    }

    /// Removes a name, and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.0.as_mut()?.remove(key)
    }

    /// Whether the name has a value.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.entries().contains_key(key)
    }

    /// The number of names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether there are no names.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// The names and values, in the order of the names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.entries().iter().map(|(key, value)| (key.as_str(), value))
    }
}

impl fmt::Debug for Dict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries().fmt(f)
    }
}

impl PartialEq for Dict {
    fn eq(&self, other: &Self) -> bool {
        self.entries() == other.entries()
    }
}

impl Eq for Dict {}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Dict {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut dict = Self::new();
        dict.extend(entries);
        dict
    }
}

impl<K: Into<String>, V: Into<Value>> Extend<(K, V)> for Dict {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        let mut entries = entries.into_iter().map(|(key, value)| (key.into(), value.into())).peekable();
        if entries.peek().is_some() {
            self.0.get_or_insert_default().extend(entries);
        }
    }
}

impl IntoIterator for Dict {
    type Item = (String, Value);
    type IntoIter = btree_map::IntoIter<String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.map_or_else(Entries::new, |entries| *entries).into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_equal_whatever_their_sign_type() {
        assert_eq!(Value::I64(5), Value::U64(5));
        assert_ne!(Value::I64(-1), Value::U64(u64::MAX));
        assert!(matches!(Value::from(5_i32), Value::U64(5)));
        assert!(matches!(Value::from(-5_i32), Value::I64(-5)));
    }

    #[test]
    fn a_dict_that_became_empty_is_like_a_new_one() {
        let mut dict = Dict::from_iter([("a", 1)]);
        assert_ne!(dict, Dict::new());
        assert_eq!(dict.remove("a"), Some(Value::U64(1)));
        assert_eq!(dict, Dict::new());
        assert_eq!((dict.len(), dict.is_empty(), dict.remove("a")), (0, true, None));
        assert_eq!(dict.iter().chain(Dict::from_iter([("b", 2)]).iter()).count(), 1);
        assert_eq!(format!("{:?}", Dict::from_iter([("b", 2)])), r#"{"b": U64(2)}"#);
    }

    #[test]
    fn floats_compare_by_bits() {
        assert_eq!(Value::F64(f64::NAN), Value::F64(f64::NAN));
        assert_ne!(Value::F64(0.0), Value::F64(-0.0));
        assert_ne!(Value::F64(1.0), Value::U64(1));
    }
}
