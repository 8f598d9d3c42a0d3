//! Identifiers: a newtype per kind, each in `1..=2^53`.

use core::fmt;
use core::num::NonZeroU64;

use serde::de::{Deserialize, Deserializer, Error as _, Unexpected};
use serde::ser::{Serialize, Serializer};

/// The largest id of any kind, 2^53, the last integer up to which IEEE doubles are exact.
pub const MAX_ID: u64 = 1 << 53;

/// The error of a number that is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not an id: ids are integers from 1 to 2^53")]
pub struct InvalidId(pub u64);

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        ///
        /// An integer in `1..=2^53` (WAMP Basic Profile, "IDs").
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(NonZeroU64);

        impl $name {
            /// The smallest id, 1.
            pub const MIN: Self = Self(NonZeroU64::MIN);

            /// Makes an id of a number.
            ///
            /// # Errors
            ///
            /// [`InvalidId`] if `id` is 0 or greater than 2^53.
            pub const fn new(id: u64) -> Result<Self, InvalidId> {
                match NonZeroU64::new(id) {
                    Some(number) if id <= MAX_ID => Ok(Self(number)),
                    _ => Err(InvalidId(id)),
                }
            }

            /// The id as a number.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0.get()
            }
        }

        impl TryFrom<u64> for $name {
            type Error = InvalidId;

            fn try_from(id: u64) -> Result<Self, InvalidId> {
                Self::new(id)
            }
        }

        impl From<$name> for u64 {
            fn from(id: $name) -> Self {
                id.get()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u64(self.get())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let id = u64::deserialize(deserializer)?;
                Self::new(id).map_err(|_| D::Error::invalid_value(Unexpected::Unsigned(id), &"an id from 1 to 2^53"))
            }
        }
    )*};
}

ids! {
    /// A session, drawn at random by the router.
    SessionId
    /// A request: counted from 1 in each session and direction.
    RequestId
    /// A subscription, named by the broker and shared by the sessions that subscribe alike.
    SubscriptionId
    /// A publication, drawn at random by the broker; the same in each EVENT it causes.
    PublicationId
    /// A registration, named by the dealer.
    RegistrationId
}

impl RequestId {
    /// The largest request id, 2^53.
    pub const MAX: Self = match Self::new(MAX_ID) {
        Ok(id) => id,
        Err(_) => Self::MIN,
    };

    /// The request id after this one: one more, and 1 after 2^53.
    #[must_use]
    pub const fn next(self) -> Self {
        match Self::new(self.get() + 1) {
            Ok(id) => id,
            Err(_) => Self::MIN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_01_ids_are_from_1_to_2_to_the_53rd() {
        assert_eq!(SessionId::new(1).map(SessionId::get), Ok(1));
        assert_eq!(SessionId::new(9_007_199_254_740_992).map(SessionId::get), Ok(9_007_199_254_740_992));
    }

    #[test]
    fn id_02_zero_and_more_than_2_to_the_53rd_are_no_ids() {
        assert_eq!(SessionId::new(0), Err(InvalidId(0)));
        assert_eq!(SessionId::new(MAX_ID + 1), Err(InvalidId(MAX_ID + 1)));
        assert_eq!(SessionId::new(u64::MAX), Err(InvalidId(u64::MAX)));
    }

    #[test]
    fn id_04_request_ids_wrap_to_1_after_2_to_the_53rd() {
        let last_but_one = RequestId::new(MAX_ID - 1).unwrap();
        assert_eq!(last_but_one.next().get(), MAX_ID);
        assert_eq!(last_but_one.next().next().get(), 1);
    }
}
