//! What serde says when a type and a value do not match.

use core::fmt;

use serde::{de, ser};

use crate::error::Fault;

/// A reason in words.
#[derive(Debug)]
pub(crate) struct Error(Box<str>);

impl Error {
    #[cold]
    pub(super) fn new(reason: &str) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Error {}

impl de::Error for Error {
    #[cold]
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self(reason.to_string().into())
    }
}

impl ser::Error for Error {
    #[cold]
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self(reason.to_string().into())
    }
}

impl From<Fault> for Error {
    /// A value has been skipped before it is decoded, so this is not to happen.
    #[cold]
    fn from(fault: Fault) -> Self {
        Self(fault.kind.to_string().into())
    }
}
