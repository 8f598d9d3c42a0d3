//! The values of Options and Details, and how a struct of them is read and written.

use std::sync::Arc;

use crate::codec::read::Read;
use crate::codec::write::Write;
use crate::error::{DecodeErrorKind, Fault, Kind};
use crate::{
    Dict, EncodeErrorKind, MatchPolicy, PublicationId, RegistrationId, RequestId, SessionId, SubscriptionId, Uri,
    UriRule, Value,
};

/// The value of a known key.
pub(crate) trait Attribute: Sized {
    /// Reads the value; `depth` lists and dicts may nest in it.
    fn read<'a, R: Read<'a>>(reader: &mut R, bytes: &'a [u8], depth: u8) -> Result<Self, Fault>;

    fn write<W: Write>(&self, writer: &mut W) -> Result<(), EncodeErrorKind>;
}

/// A struct of attributes: the Options or Details of a message type.
pub(crate) trait Attributes: Default {
    /// Reads the dict into a struct that is still empty; `depth` lists and dicts may nest in it, itself included.
    fn fill<'a, R: Read<'a>>(&mut self, reader: &mut R, bytes: &'a [u8], depth: u8) -> Result<(), Fault>;

    /// Whether every attribute is absent.
    fn is_empty(&self) -> bool;

    fn write<W: Write>(&self, writer: &mut W) -> Result<(), EncodeErrorKind>;
}

/// Defines structs of attributes: each known key an `Option`, the others in `extra`.
macro_rules! attributes {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $key:literal,)* })*) => {$(
        $(#[$doc])*
        ///
        /// An attribute that is `None` is absent on the wire. A known one that is `null` there is an error, as of any wrong type.
        #[derive(Clone, Debug, Default, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_doc])* pub $field: Option<$type>,)*
            /// The attributes that this crate does not know: of routers (`x_…`), of applications (`_x…`), of later versions.
            ///
            /// Those whose value no [`Value`](crate::Value) stands for are left out.
            pub extra: $crate::Dict,
        }

        impl $crate::codec::attribute::Attributes for $name {
            fn fill<'a, R: $crate::codec::read::Read<'a>>(
                &mut self,
                reader: &mut R,
                bytes: &'a [u8],
                depth: u8,
            ) -> Result<(), $crate::error::Fault> {
                let mut open = reader.dict()?;
                while let Some(key) = reader.next_key(&mut open)? {
                    match &*key {
                        $($key => {
                            let value = $crate::codec::attribute::Attribute::read(reader, bytes, depth - 1);
                            self.$field = Some(value.map_err(|fault| fault.in_key($key))?);
                        })*
                        _ => {
                            if let Some(value) = $crate::codec::attribute::unknown(reader, bytes, depth - 1)? {
                                self.extra.insert(key, value);
                            }
                        }
                    }
                }
                Ok(())
            }

            #[inline]
            fn is_empty(&self) -> bool {
                self.extra.len() == 0 $(&& self.$field.is_none())*
            }

            fn write<W: $crate::codec::write::Write>(&self, writer: &mut W) -> Result<(), $crate::EncodeErrorKind> {
                let entries = self.extra.len() $(+ usize::from(self.$field.is_some()))*;
                writer.begin_dict(entries);
                if entries == 0 {
                    writer.end_dict();
                    return Ok(());
                }
                $(if let Some(value) = &self.$field {
                    writer.key($key)?;
                    $crate::codec::attribute::Attribute::write(value, writer)?;
                })*
                for (key, value) in self.extra.iter() {
                    writer.key(key)?;
                    writer.value(value)?;
                }
                writer.end_dict();
                Ok(())
            }
        }
    )*};
}

pub(crate) use attributes;

/// Defines an enum whose values are names on the wire; an unknown name is an error.
macro_rules! names {
    ($($(#[$doc:meta])* $name:ident, $expected:literal { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// The name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The value of a name on the wire.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl $crate::codec::attribute::Attribute for $name {
            fn read<'a, R: $crate::codec::read::Read<'a>>(
                reader: &mut R,
                _: &'a [u8],
                _: u8,
            ) -> Result<Self, $crate::error::Fault> {
                $crate::codec::attribute::named(reader, $expected, Self::from_name)
            }

            fn write<W: $crate::codec::write::Write>(&self, writer: &mut W) -> Result<(), $crate::EncodeErrorKind> {
                writer.string(self.as_str())
            }
        }
    )*};
}

pub(crate) use names;

pub(crate) fn named<'a, R: Read<'a>, T>(
    reader: &mut R,
    expected: &'static str,
    from_name: fn(&str) -> Option<T>,
) -> Result<T, Fault> {
    if reader.kind()? != Kind::String {
        return Err(reader.wrong_type("a string"));
    }
    let offset = reader.offset();
    from_name(&reader.string()?).ok_or_else(|| Fault::new(offset, DecodeErrorKind::WrongValue { expected }))
}

impl Attribute for bool {
    fn read<'a, R: Read<'a>>(reader: &mut R, _: &'a [u8], _: u8) -> Result<Self, Fault> {
        if reader.kind()? == Kind::Bool { reader.bool() } else { Err(reader.wrong_type("a boolean")) }
    }

    fn write<W: Write>(&self, writer: &mut W) -> Result<(), EncodeErrorKind> {
        writer.bool(*self);
        Ok(())
    }
}

impl Attribute for u64 {
    fn read<'a, R: Read<'a>>(reader: &mut R, _: &'a [u8], _: u8) -> Result<Self, Fault> {
        reader.unsigned()
    }

    fn write<W: Write>(&self, writer: &mut W) -> Result<(), EncodeErrorKind> {
        writer.unsigned(*self);
        Ok(())
    }
}

impl Attribute for Arc<str> {
    fn read<'a, R: Read<'a>>(reader: &mut R, _: &'a [u8], _: u8) -> Result<Self, Fault> {
        if reader.kind()? == Kind::String { Ok(reader.string()?.into()) } else { Err(reader.wrong_type("a string")) }
    }

    fn write<W: Write>(&self, writer: &mut W) -> Result<(), EncodeErrorKind> {
        writer.string(self)
    }
}

impl Attribute for Uri {
    fn read<'a, R: Read<'a>>(reader: &mut R, _: &'a [u8], _: u8) -> Result<Self, Fault> {
        read_uri(reader, MatchPolicy::Exact)
    }

    fn write<W: Write>(&self, writer: &mut W) -> Result<(), EncodeErrorKind> {
        writer.string(self)
    }
}

/// Reads a URI by the loose rule, or a pattern by that of its policy.
pub(crate) fn read_uri<'a, R: Read<'a>>(reader: &mut R, policy: MatchPolicy) -> Result<Uri, Fault> {
    if reader.kind()? != Kind::String {
        return Err(reader.wrong_type("a URI"));
    }
    let offset = reader.offset();
    Uri::checked(reader.string()?, UriRule::Loose, policy).map_err(|error| Fault::new(offset, error.into()))
}

impl Attribute for MatchPolicy {
    fn read<'a, R: Read<'a>>(reader: &mut R, _: &'a [u8], _: u8) -> Result<Self, Fault> {
        named(reader, r#""exact", "prefix" or "wildcard""#, Self::from_name)
    }

    fn write<W: Write>(&self, writer: &mut W) -> Result<(), EncodeErrorKind> {
        writer.string(self.as_str())
    }
}

macro_rules! id_attributes {
    ($($id:ty),*) => {$(
        impl Attribute for $id {
            #[inline]
            fn read<'a, R: Read<'a>>(reader: &mut R, _: &'a [u8], _: u8) -> Result<Self, Fault> {
                let number = reader.unsigned_at()?;
                Self::new(number.value).map_err(|error| Fault::new(number.offset, error.into()))
            }

            fn write<W: Write>(&self, writer: &mut W) -> Result<(), EncodeErrorKind> {
                writer.unsigned(self.get());
                Ok(())
            }
        }
    )*};
}

id_attributes!(SessionId, RequestId, SubscriptionId, PublicationId, RegistrationId);

impl<T: Attribute> Attribute for Vec<T> {
    fn read<'a, R: Read<'a>>(reader: &mut R, bytes: &'a [u8], depth: u8) -> Result<Self, Fault> {
        if reader.kind()? != Kind::List {
            return Err(reader.wrong_type("a list"));
        }
        if depth == 0 {
            return Err(Fault::new(reader.offset(), DecodeErrorKind::TooDeep));
        }
        let mut open = reader.list()?;
        let mut list = Self::new();
        while reader.next_element(&mut open)? {
            list.push(T::read(reader, bytes, depth - 1)?);
        }
        Ok(list)
    }

    fn write<W: Write>(&self, writer: &mut W) -> Result<(), EncodeErrorKind> {
        writer.begin_list(self.len());
        for value in self {
            value.write(writer)?;
        }
        writer.end_list();
        Ok(())
    }
}

/// Reads the value of an unknown attribute. One that no [`Value`] stands for, such as a MessagePack extension, is passed over: nobody has asked for it.
pub(crate) fn unknown<'a, R: Read<'a>>(reader: &mut R, bytes: &'a [u8], depth: u8) -> Result<Option<Value>, Fault> {
    let _ = reader.kind()?;
    let start = reader.offset();
    reader.skip(depth)?;
    Ok(R::value(bytes.get(start..reader.offset()).unwrap_or_default()))
}

impl Attribute for Dict {
    fn read<'a, R: Read<'a>>(reader: &mut R, bytes: &'a [u8], depth: u8) -> Result<Self, Fault> {
        if reader.kind()? != Kind::Dict {
            return Err(reader.wrong_type("a dict"));
        }
        if depth == 0 {
            return Err(Fault::new(reader.offset(), DecodeErrorKind::TooDeep));
        }
        let mut open = reader.dict()?;
        let mut dict = Self::new();
        while let Some(key) = reader.next_key(&mut open)? {
            if let Some(value) = unknown(reader, bytes, depth - 1)? {
                dict.insert(key, value);
            }
        }
        Ok(dict)
    }

    fn write<W: Write>(&self, writer: &mut W) -> Result<(), EncodeErrorKind> {
        writer.begin_dict(self.len());
        for (key, value) in self.iter() {
            writer.key(key)?;
            writer.value(value)?;
        }
        writer.end_dict();
        Ok(())
    }
}
