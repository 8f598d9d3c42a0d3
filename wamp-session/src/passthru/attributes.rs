//! The attributes of a payload.

use std::sync::Arc;

use wamp_proto::{
    CallOptions, ErrorDetails, EventDetails, InvocationDetails, PublishOptions, ResultDetails, YieldOptions,
};

use super::PassthruError;

/// The schemes of the specification.
pub(super) const MQTT: &str = "mqtt";
pub(super) const WAMP: &str = "wamp";

/// The serializer that leaves a payload as it is.
pub(super) const NATIVE: &str = "native";

/// How a payload is to be read: the attributes `ppt_…`.
///
/// ```
/// # use wamp_session::passthru::Passthru;
/// let attributes = Passthru::new("x_vault").serializer("msgpack").cipher("aes256gcm").keyid("2026-11");
/// assert_eq!(attributes.keyid.as_deref(), Some("2026-11"));
/// assert!(attributes.check().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Passthru {
    /// The scheme, which says what the others mean.
    pub scheme: Arc<str>,
    /// With what the payload was packed.
    pub serializer: Option<Arc<str>>,
    /// With what it was encrypted.
    pub cipher: Option<Arc<str>>,
    /// With which key.
    pub keyid: Option<Arc<str>>,
}

impl Passthru {
    /// Makes the attributes of a scheme, without the others.
    #[must_use]
    pub fn new(scheme: impl Into<Arc<str>>) -> Self {
        Self { scheme: scheme.into(), serializer: None, cipher: None, keyid: None }
    }

    /// Sets the serializer: `json`, `msgpack`, `cbor`, or one that the scheme defines.
    #[must_use]
    pub fn serializer(mut self, serializer: impl Into<Arc<str>>) -> Self {
        self.serializer = Some(serializer.into());
        self
    }

    /// Sets the cipher.
    #[must_use]
    pub fn cipher(mut self, cipher: impl Into<Arc<str>>) -> Self {
        self.cipher = Some(cipher.into());
        self
    }

    /// Sets the key.
    #[must_use]
    pub fn keyid(mut self, keyid: impl Into<Arc<str>>) -> Self {
        self.keyid = Some(keyid.into());
        self
    }

    /// The attributes of a message's Options or Details; `None` unless they name a scheme.
    ///
    /// ```
    /// # use wamp_session::passthru::{Attributes, Passthru};
    /// # use wamp_session::proto::EventDetails;
    /// let mut details = EventDetails::default();
    /// assert_eq!(Passthru::of(&details), None);
    /// details.set_passthru(&Passthru::new("x_vault"));
    /// assert_eq!(Passthru::of(&details).map(|attributes| attributes.scheme), Some("x_vault".into()));
    /// ```
    #[must_use]
    pub fn of(message: &impl Attributes) -> Option<Self> {
        message.passthru()
    }

    /// Checks that the attributes are those that their scheme defines; schemes of applications define their own.
    ///
    /// # Errors
    ///
    /// [`PassthruError::Attribute`] names the one that is not.
    pub fn check(&self) -> Result<(), PassthruError> {
        let one_of =
            |value: &Option<Arc<str>>, known: &[&str]| value.as_deref().is_none_or(|value| known.contains(&value));
        match &*self.scheme {
            "" => Err(PassthruError::Attribute("ppt_scheme")),
            MQTT if !one_of(&self.serializer, &[NATIVE, "json", "msgpack", "cbor"]) => {
                Err(PassthruError::Serializer(self.serializer.clone()))
            }
            MQTT if self.cipher.is_some() => Err(PassthruError::Attribute("ppt_cipher")),
            MQTT if self.keyid.is_some() => Err(PassthruError::Attribute("ppt_keyid")),
            WAMP if self.serializer.is_none() || !one_of(&self.serializer, &["cbor", "flatbuffers"]) => {
                Err(PassthruError::Serializer(self.serializer.clone()))
            }
            WAMP if !one_of(&self.cipher, &["xsalsa20poly1305", "aes256gcm"]) => {
                Err(PassthruError::Attribute("ppt_cipher"))
            }
            WAMP if self.keyid.as_deref().is_some_and(|keyid| !is_key_id(keyid)) => {
                Err(PassthruError::Attribute("ppt_keyid"))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a text is the id of a key in the scheme `wamp`: `0x`, and 20 bytes as hexadecimal digits of either case.
///
/// The case of the digits is the checksum of EIP-55, which is left to whoever knows the key.
fn is_key_id(keyid: &str) -> bool {
    keyid.strip_prefix("0x").is_some_and(|hex| hex.len() == 40 && hex.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// Options and Details that carry the attributes of a payload.
pub trait Attributes {
    /// The attributes, `None` unless they name a scheme.
    fn passthru(&self) -> Option<Passthru>;

    /// Sets the attributes.
    fn set_passthru(&mut self, passthru: &Passthru);
}

macro_rules! carries_attributes {
    ($($message:ty),*) => {$(
        impl Attributes for $message {
            fn passthru(&self) -> Option<Passthru> {
                let scheme = self.ppt_scheme.as_ref().filter(|scheme| !scheme.is_empty())?;
                Some(Passthru {
                    scheme: Arc::clone(scheme),
                    serializer: self.ppt_serializer.clone(),
                    cipher: self.ppt_cipher.clone(),
                    keyid: self.ppt_keyid.clone(),
                })
            }

            fn set_passthru(&mut self, passthru: &Passthru) {
                self.ppt_scheme = Some(Arc::clone(&passthru.scheme));
                self.ppt_serializer.clone_from(&passthru.serializer);
                self.ppt_cipher.clone_from(&passthru.cipher);
                self.ppt_keyid.clone_from(&passthru.keyid);
            }
        }
    )*};
}

carries_attributes!(
    CallOptions,
    PublishOptions,
    YieldOptions,
    InvocationDetails,
    EventDetails,
    ResultDetails,
    ErrorDetails
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ppt_11_mqtt_has_a_serializer_and_nothing_else() {
        for serializer in ["native", "json", "msgpack", "cbor"] {
            assert!(Passthru::new("mqtt").serializer(serializer).check().is_ok(), "{serializer}");
        }
        assert!(Passthru::new("mqtt").check().is_ok());
        assert!(Passthru::new("mqtt").serializer("flatbuffers").check().is_err());
        assert!(Passthru::new("mqtt").cipher("aes256gcm").check().is_err());
        assert!(Passthru::new("mqtt").keyid("1").check().is_err());
    }

    #[test]
    fn ppt_12_wamp_has_the_serializers_and_ciphers_of_the_specification() {
        let wamp = || Passthru::new("wamp").serializer("cbor");
        for cipher in ["xsalsa20poly1305", "aes256gcm"] {
            assert!(wamp().cipher(cipher).check().is_ok());
        }
        assert!(wamp().check().is_ok());
        assert!(Passthru::new("wamp").serializer("flatbuffers").check().is_ok());
        assert!(Passthru::new("wamp").check().is_err(), "the serializer is required");
        assert!(Passthru::new("wamp").serializer("json").check().is_err());
        assert!(wamp().cipher("rot13").check().is_err());
    }

    #[test]
    fn ppt_12_the_id_of_a_key_is_twenty_bytes_in_hexadecimal() {
        let check = |keyid: &str| Passthru::new("wamp").serializer("cbor").keyid(keyid).check();
        let checksummed = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        assert_eq!(check(checksummed), Ok(()));
        let wrong = Err(PassthruError::Attribute("ppt_keyid"));
        for keyid in [&checksummed[2..], &checksummed[..41], "0x", "", "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed00"] {
            assert_eq!(check(keyid), wrong, "{keyid}");
        }
        assert_eq!(check(&checksummed.replace('5', "g")), wrong);
        assert_eq!(check(&format!("{checksummed}0")), wrong);
        assert_eq!(check(&checksummed.replace("0x", "0X")), wrong);
    }

    #[test]
    fn ppt_13_schemes_of_ones_own_have_any_attributes() {
        let own = Passthru::new("x_my_ppt").serializer("custom").cipher("custom").keyid("custom");
        assert!(own.check().is_ok());
        assert!(Passthru::new("x_my_ppt").check().is_ok());
        assert!(Passthru::new("").check().is_err());
    }

    #[test]
    fn ppt_03_without_a_scheme_there_is_no_passthru() {
        let mut details = EventDetails::default();
        details.ppt_serializer = Some("cbor".into());
        assert_eq!(Passthru::of(&details), None);
        details.ppt_scheme = Some("".into());
        assert_eq!(Passthru::of(&details), None);
        details.ppt_scheme = Some("x_my_ppt".into());
        assert_eq!(Passthru::of(&details), Some(Passthru::new("x_my_ppt").serializer("cbor")));
    }
}
