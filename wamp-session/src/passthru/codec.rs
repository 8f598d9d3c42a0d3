//! What is done to a payload before it is sent and after it was received.

use core::error::Error;
use core::fmt;
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use wamp_proto::{DecodeError, EncodeError, Format, Limits, Payload, PayloadError};

use super::Passthru;
use super::attributes::{MQTT, NATIVE};

/// Seals and opens the payloads of one scheme: encrypts them, say.
///
/// It is called from tasks of the application, beside each other, and not under a lock. What it does should not take long, since events
/// and invocations are opened by whoever waits for them.
///
/// ```
/// # #[cfg(not(feature = "json"))] fn main() {}
/// # #[cfg(feature = "json")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use bytes::Bytes;
/// use wamp_session::passthru::{Codecs, Passthru, PassthruCodec, PassthruError};
/// use wamp_session::proto::{Format, IntoPayload, Limits};
///
/// /// Turns each bit around, which keeps nobody from reading it.
/// struct Flip;
///
/// impl PassthruCodec for Flip {
///     fn seal(&self, attributes: &mut Passthru, packed: Vec<u8>) -> Result<Vec<u8>, PassthruError> {
///         attributes.cipher = Some("flip".into());
///         Ok(packed.into_iter().map(|byte| !byte).collect())
///     }
///
///     fn open(&self, attributes: &Passthru, sealed: Bytes) -> Result<Bytes, PassthruError> {
///         if attributes.cipher.as_deref() != Some("flip") {
///             return Err(PassthruError::Cipher(attributes.cipher.clone()));
///         }
///         Ok(sealed.into_iter().map(|byte| !byte).collect())
///     }
/// }
///
/// let codecs = Codecs::new().with("x_flip", Flip);
/// let payload = ("hello",).into_payload(Format::Json)?;
/// let (attributes, sealed) = codecs.seal(Passthru::new("x_flip").serializer("json"), &payload, Format::Json)?;
/// assert_eq!(attributes.cipher.as_deref(), Some("flip"));
/// assert_eq!(codecs.open(&attributes, &sealed, &Limits::new())?.arg::<String>(0)?, "hello");
/// # Ok(())
/// # }
/// ```
pub trait PassthruCodec: Send + Sync {
    /// Makes of a packed payload what is sent, and sets the attributes by which the other end finds out how to open it.
    ///
    /// # Errors
    ///
    /// [`PassthruError`] if it cannot be sealed; nothing is sent then.
    fn seal(&self, attributes: &mut Passthru, packed: Vec<u8>) -> Result<Vec<u8>, PassthruError>;

    /// Makes of what was received the packed payload. It comes from a peer, and may be anything.
    ///
    /// # Errors
    ///
    /// [`PassthruError`] if it cannot be opened.
    fn open(&self, attributes: &Passthru, sealed: Bytes) -> Result<Bytes, PassthruError>;

    /// Packs a payload with the serializer of the attributes: JSON, MessagePack and CBOR, unless a codec has others.
    ///
    /// # Errors
    ///
    /// [`PassthruError`] if the serializer is not known, or cannot carry a value.
    fn pack(&self, attributes: &Passthru, payload: &Payload) -> Result<Vec<u8>, PassthruError> {
        Ok(payload.pack(attributes.format()?)?)
    }

    /// Unpacks a payload, the reverse of [`pack`](Self::pack).
    ///
    /// # Errors
    ///
    /// [`PassthruError`] if the serializer is not known, or the bytes are malformed or over a limit.
    fn unpack(&self, attributes: &Passthru, packed: Bytes, limits: &Limits) -> Result<Payload, PassthruError> {
        Ok(Payload::unpack(packed, attributes.format()?, limits)?)
    }
}

/// The codec that leaves payloads as they are packed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

/// The codecs of a client, by the names of their schemes. Clones share them.
#[derive(Clone, Default)]
pub struct Codecs(Arc<BTreeMap<Arc<str>, Arc<dyn PassthruCodec>>>);

/// Why a payload could not be sealed or opened.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PassthruError {
    /// There is no codec for the scheme.
    #[error("there is no codec for the scheme {0:?}")]
    Scheme(Arc<str>),
    /// The serializer is not known, or the scheme does not have it.
    #[error("the serializer {0:?} is not known")]
    Serializer(Option<Arc<str>>),
    /// The cipher is not known.
    #[error("the cipher {0:?} is not known")]
    Cipher(Option<Arc<str>>),
    /// The key is not known.
    #[error("the key {0:?} is not known")]
    Key(Option<Arc<str>>),
    /// An attribute is not as the scheme defines it.
    #[error("{0} is not as the scheme defines it")]
    Attribute(&'static str),
    /// The payload is not one binary item.
    #[error("the payload is not one binary item")]
    NotBinary(#[source] PayloadError),
    /// The payload is not what was packed with the serializer.
    #[error("the payload cannot be unpacked")]
    Unpack(#[from] DecodeError),
    /// The payload cannot be packed with the serializer.
    #[error("the payload cannot be packed")]
    Pack(#[from] EncodeError),
    /// The payload is encrypted in the mode of autobahn and Crossbar.io that payload passthru mode has replaced.
    #[error("the payload is encrypted in a mode that is no part of the specification")]
    Legacy,
    /// Payload passthru mode is switched off here.
    #[error("payload passthru mode is switched off")]
    Disabled,
    /// The codec failed: a key does not fit, say, or somebody changed the payload.
    #[error("the codec failed")]
    Codec(#[source] Arc<dyn Error + Send + Sync>),
}

impl PassthruError {
    /// Makes an error of a codec.
    ///
    /// ```
    /// # use wamp_session::passthru::PassthruError;
    /// let error = PassthruError::codec("the tag does not fit");
    /// assert!(matches!(error, PassthruError::Codec(_)));
    /// ```
    pub fn codec(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Codec(Arc::from(error.into()))
    }
}

/// Those of codecs are equal if they are the same.
impl PartialEq for PassthruError {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Scheme(a), Self::Scheme(b)) => a == b,
            (Self::Serializer(a), Self::Serializer(b))
            | (Self::Cipher(a), Self::Cipher(b))
            | (Self::Key(a), Self::Key(b)) => a == b,
            (Self::Attribute(a), Self::Attribute(b)) => a == b,
            (Self::NotBinary(a), Self::NotBinary(b)) => a == b,
            (Self::Unpack(a), Self::Unpack(b)) => a == b,
            (Self::Pack(a), Self::Pack(b)) => a == b,
            (Self::Legacy, Self::Legacy) | (Self::Disabled, Self::Disabled) => true,
            (Self::Codec(a), Self::Codec(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl PassthruCodec for Plain {
    fn seal(&self, _: &mut Passthru, packed: Vec<u8>) -> Result<Vec<u8>, PassthruError> {
        Ok(packed)
    }

    fn open(&self, attributes: &Passthru, sealed: Bytes) -> Result<Bytes, PassthruError> {
        match &attributes.cipher {
            Some(cipher) => Err(PassthruError::Cipher(Some(Arc::clone(cipher)))),
            None => Ok(sealed),
        }
    }
}

impl Codecs {
    /// Makes a set of no codecs: only `mqtt` is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the codec of a scheme, in the place of one that it had.
    #[must_use]
    pub fn with(mut self, scheme: impl Into<Arc<str>>, codec: impl PassthruCodec + 'static) -> Self {
        let codec: Arc<dyn PassthruCodec> = Arc::new(codec);
        Arc::make_mut(&mut self.0).insert(scheme.into(), codec);
        self
    }

    fn find(&self, scheme: &Arc<str>) -> Result<&dyn PassthruCodec, PassthruError> {
        match self.0.get(scheme) {
            Some(codec) => Ok(&**codec),
            None if **scheme == *MQTT => Ok(&Plain),
            None => Err(PassthruError::Scheme(Arc::clone(scheme))),
        }
    }

    /// Packs and seals a payload, for a message of a format, and returns the attributes to send with it.
    ///
    /// # Errors
    ///
    /// [`PassthruError`] if the scheme, or what it says, is not known, or the codec fails.
    pub fn seal(
        &self,
        mut attributes: Passthru,
        payload: &Payload,
        format: Format,
    ) -> Result<(Passthru, Payload), PassthruError> {
        attributes.check()?;
        let codec = self.find(&attributes.scheme)?;
        if attributes.is_native() {
            return Ok((attributes, payload.clone()));
        }
        let packed = codec.pack(&attributes, payload)?;
        let sealed = codec.seal(&mut attributes, packed)?;
        Ok((attributes, Payload::binary(&sealed, format)?))
    }

    /// Opens and unpacks a payload that was received, the reverse of [`seal`](Self::seal).
    ///
    /// What the scheme `mqtt` says is `native` is left as it is, whatever it is: peers put bytes there, or a dict.
    ///
    /// # Errors
    ///
    /// [`PassthruError`] if the scheme, or what it says, is not known, the codec fails, or the payload is not what was packed.
    pub fn open(&self, attributes: &Passthru, payload: &Payload, limits: &Limits) -> Result<Payload, PassthruError> {
        let codec = self.find(&attributes.scheme)?;
        if attributes.is_native() {
            // The scheme has no ciphers: what is encrypted all the same is not what the application expects.
            return match &attributes.cipher {
                Some(cipher) => Err(PassthruError::Cipher(Some(Arc::clone(cipher)))),
                None => Ok(payload.clone()),
            };
        }
        let sealed = payload.to_binary().map_err(PassthruError::NotBinary)?;
        let packed = codec.open(attributes, sealed)?;
        codec.unpack(attributes, packed, limits)
    }
}

impl Passthru {
    /// Whether the payload is left as it is.
    fn is_native(&self) -> bool {
        &*self.scheme == MQTT && self.serializer.as_deref().unwrap_or(NATIVE) == NATIVE
    }

    /// The format of the serializer.
    fn format(&self) -> Result<Format, PassthruError> {
        let format = self.serializer.as_ref().and_then(|name| Format::from_subprotocol(&format!("wamp.2.{name}")));
        format.ok_or_else(|| PassthruError::Serializer(self.serializer.clone()))
    }
}

impl fmt::Debug for Codecs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(all(test, feature = "json", feature = "msgpack", feature = "cbor"))]
mod tests {
    use wamp_proto::{ArgsKwargs, IntoPayload, Value};

    use super::*;

    /// Encrypts with a byte, and names it.
    struct Xor(u8);

    impl PassthruCodec for Xor {
        fn seal(&self, attributes: &mut Passthru, packed: Vec<u8>) -> Result<Vec<u8>, PassthruError> {
            attributes.cipher.get_or_insert_with(|| "xor".into());
            attributes.keyid = Some(self.0.to_string().into());
            Ok(packed.into_iter().map(|byte| byte ^ self.0).collect())
        }

        fn open(&self, attributes: &Passthru, sealed: Bytes) -> Result<Bytes, PassthruError> {
            let own = self.0.to_string();
            if attributes.keyid.as_deref() != Some(&*own) {
                return Err(PassthruError::Key(attributes.keyid.clone()));
            }
            Ok(sealed.into_iter().map(|byte| byte ^ self.0).collect())
        }
    }

    fn payload() -> Payload {
        let kwargs = BTreeMap::from([("x", 1)]);
        ArgsKwargs(["Hello"], kwargs).into_payload(Format::Json).expect("it can be encoded")
    }

    fn codecs() -> Codecs {
        Codecs::new().with("x_my_ppt", Xor(7)).with("wamp", Xor(9)).with("x_plain", Plain)
    }

    #[test]
    fn ppt_13_a_scheme_of_ones_own_round_trips() {
        for serializer in ["json", "msgpack", "cbor"] {
            for format in Format::ALL.iter().copied() {
                let attributes = Passthru::new("x_my_ppt").serializer(serializer);
                let (attributes, sealed) = codecs().seal(attributes, &payload(), format).expect("sealed");
                assert_eq!((attributes.cipher.as_deref(), attributes.keyid.as_deref()), (Some("xor"), Some("7")));
                assert_eq!(sealed.format(), Some(format));
                assert!(sealed.to_binary().is_ok());
                assert_eq!(codecs().open(&attributes, &sealed, &Limits::new()), Ok(payload()));
            }
        }
    }

    #[test]
    fn ppt_12_the_scheme_wamp_is_for_a_codec() {
        let attributes = Passthru::new("wamp").serializer("cbor").cipher("aes256gcm");
        let (attributes, sealed) = codecs().seal(attributes.clone(), &payload(), Format::Cbor).expect("sealed");
        assert_eq!(attributes.keyid.as_deref(), Some("9"));
        assert_eq!(codecs().open(&attributes, &sealed, &Limits::new()), Ok(payload()));
        let none = Codecs::new().seal(
            attributes.clone().keyid("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
            &payload(),
            Format::Cbor,
        );
        assert_eq!(none, Err(PassthruError::Scheme("wamp".into())));
        let wrong = codecs().seal(Passthru::new("wamp").serializer("json"), &payload(), Format::Cbor);
        assert_eq!(wrong, Err(PassthruError::Serializer(Some("json".into()))));
    }

    #[test]
    fn ppt_11_native_payloads_are_left_as_they_are() {
        for attributes in [Passthru::new("mqtt"), Passthru::new("mqtt").serializer("native")] {
            let raw = Payload::binary(b"\x10\x00", Format::Json).expect("bytes");
            let (sent, sealed) = Codecs::new().seal(attributes.clone(), &raw, Format::Json).expect("sealed");
            assert_eq!((sent, &sealed), (attributes.clone(), &raw));
            assert_eq!(Codecs::new().open(&attributes, &sealed, &Limits::new()), Ok(raw));
            // What other clients put there.
            let dict = (Value::from(
                BTreeMap::from([("args".to_owned(), Value::Null)]).into_iter().collect::<wamp_proto::Dict>(),
            ),);
            let dict = dict.into_payload(Format::Json).expect("a dict");
            assert_eq!(Codecs::new().open(&attributes, &dict, &Limits::new()), Ok(dict));
        }
    }

    #[test]
    fn ppt_11_mqtt_payloads_may_be_packed() {
        for serializer in ["json", "msgpack", "cbor"] {
            let attributes = Passthru::new("mqtt").serializer(serializer);
            let (sent, sealed) = Codecs::new().seal(attributes.clone(), &payload(), Format::Json).expect("sealed");
            assert_eq!(sent, attributes);
            assert!(sealed.to_binary().is_ok());
            assert_eq!(Codecs::new().open(&sent, &sealed, &Limits::new()), Ok(payload()));
        }
    }

    #[test]
    fn ppt_14_what_is_not_known_is_an_error() {
        let item = Payload::binary(b"\x00", Format::Json).expect("bytes");
        let open = |attributes: Passthru| codecs().open(&attributes, &item, &Limits::new()).unwrap_err();
        assert_eq!(open(Passthru::new("x_other")), PassthruError::Scheme("x_other".into()));
        let serializer = open(Passthru::new("x_plain").serializer("ubjson"));
        assert_eq!(serializer, PassthruError::Serializer(Some("ubjson".into())));
        assert_eq!(open(Passthru::new("x_plain")), PassthruError::Serializer(None));
        let cipher = open(Passthru::new("x_plain").serializer("json").cipher("rot13"));
        assert_eq!(cipher, PassthruError::Cipher(Some("rot13".into())));
        for native in [Passthru::new("mqtt"), Passthru::new("mqtt").serializer("native")] {
            assert_eq!(open(native.cipher("rot13")), PassthruError::Cipher(Some("rot13".into())));
        }
        assert_eq!(open(Passthru::new("mqtt").serializer("x")), PassthruError::Serializer(Some("x".into())));
        let key = open(Passthru::new("x_my_ppt").serializer("json").keyid("8"));
        assert_eq!(key, PassthruError::Key(Some("8".into())));
        assert!(matches!(open(Passthru::new("mqtt").serializer("json")), PassthruError::Unpack(_)));
        let text = ("text",).into_payload(Format::Json).expect("text");
        let attributes = Passthru::new("x_plain").serializer("json");
        let text = codecs().open(&attributes, &text, &Limits::new());
        assert!(matches!(text, Err(PassthruError::NotBinary(_))), "{text:?}");
    }
}
