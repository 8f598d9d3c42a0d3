//! A payload on its way into the user's types.

use serde::de::DeserializeOwned;

use crate::{Args, ArgsKwargs, Kwargs, Payload, PayloadError};

/// What can be made of a received payload: the reverse of [`IntoPayload`](crate::IntoPayload).
///
/// | type | takes |
/// |---|---|
/// | `()` | nothing, whatever there is |
/// | a tuple, a fixed array | the Arguments |
/// | [`Args<sequence>`](Args) | the Arguments |
/// | [`Kwargs<map or struct>`](Kwargs) | the ArgumentsKw |
/// | [`ArgsKwargs<sequence, map or struct>`](ArgsKwargs) | both |
/// | [`Payload`] | everything, as it is |
/// | anything else | the first of the Arguments |
pub trait FromPayload: Sized {
    /// Decodes the payload.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] if it is malformed (received unchecked) or does not fit the type.
    fn from_payload(payload: &Payload) -> Result<Self, PayloadError>;
}

impl<T: DeserializeOwned> FromPayload for T {
    fn from_payload(payload: &Payload) -> Result<Self, PayloadError> {
        payload.to()
    }
}

impl FromPayload for Payload {
    fn from_payload(payload: &Payload) -> Result<Self, PayloadError> {
        Ok(payload.clone())
    }
}

impl<T: DeserializeOwned> FromPayload for Args<T> {
    fn from_payload(payload: &Payload) -> Result<Self, PayloadError> {
        payload.args().map(Self)
    }
}

impl<T: DeserializeOwned> FromPayload for Kwargs<T> {
    fn from_payload(payload: &Payload) -> Result<Self, PayloadError> {
        payload.kwargs().map(Self)
    }
}

impl<A: DeserializeOwned, K: DeserializeOwned> FromPayload for ArgsKwargs<A, K> {
    fn from_payload(payload: &Payload) -> Result<Self, PayloadError> {
        Ok(Self(payload.args()?, payload.kwargs()?))
    }
}

#[cfg(all(test, feature = "json"))]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Format, IntoPayload};

    #[test]
    fn each_type_takes_its_part() {
        let colours = BTreeMap::from([("sky".to_owned(), 3_u8)]);
        let payload = ArgsKwargs((1, "two"), &colours).into_payload(Format::Json).unwrap();
        assert_eq!(<(u8, String)>::from_payload(&payload).unwrap(), (1, "two".to_owned()));
        assert_eq!(u8::from_payload(&payload).unwrap(), 1);
        assert_eq!(Kwargs::<BTreeMap<String, u8>>::from_payload(&payload).unwrap().0, colours);
        let ArgsKwargs((one, two), kwargs) =
            ArgsKwargs::<(u8, String), BTreeMap<String, u8>>::from_payload(&payload).unwrap();
        assert_eq!((one, two.as_str(), kwargs), (1, "two", colours));
        assert_eq!(Payload::from_payload(&payload).unwrap(), payload);
        assert!(Args::<Vec<u8>>::from_payload(&payload).is_err());
    }
}
