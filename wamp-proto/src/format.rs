//! Serialization formats and their WebSocket subprotocols.

use core::fmt;

/// A serialization format of WAMP.
///
/// Each is a cargo feature; without the feature the variant does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Format {
    /// JSON (RFC 8259) in text frames; binary data as strings, U+0000 and base64.
    #[cfg(feature = "json")]
    Json,
    /// MessagePack, version 5, in binary frames.
    #[cfg(feature = "msgpack")]
    MsgPack,
    /// CBOR (RFC 8949) in binary frames.
    #[cfg(feature = "cbor")]
    Cbor,
}

impl Format {
    /// Every format that is compiled in, in the order in which clients offer them by default.
    pub const ALL: &'static [Self] = &[
        #[cfg(feature = "json")]
        Self::Json,
        #[cfg(feature = "msgpack")]
        Self::MsgPack,
        #[cfg(feature = "cbor")]
        Self::Cbor,
    ];

    /// The name of the WebSocket subprotocol with one message per frame.
    ///
    /// ```
    /// # use wamp_proto::Format;
    /// # #[cfg(feature = "json")]
    /// assert_eq!(Format::Json.subprotocol(), "wamp.2.json");
    /// ```
    #[must_use]
    pub const fn subprotocol(self) -> &'static str {
        match self {
            #[cfg(feature = "json")]
            Self::Json => "wamp.2.json",
            #[cfg(feature = "msgpack")]
            Self::MsgPack => "wamp.2.msgpack",
            #[cfg(feature = "cbor")]
            Self::Cbor => "wamp.2.cbor",
        }
    }

    /// The format of a WebSocket subprotocol, `None` for a name that is unknown or not compiled in.
    #[must_use]
    pub fn from_subprotocol(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.subprotocol() == name)
    }

    /// Whether messages travel in binary frames (MessagePack, CBOR), not in text frames (JSON).
    #[must_use]
    pub const fn is_binary(self) -> bool {
        match self {
            #[cfg(feature = "json")]
            Self::Json => false,
            #[cfg(feature = "msgpack")]
            Self::MsgPack => true,
            #[cfg(feature = "cbor")]
            Self::Cbor => true,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            #[cfg(feature = "json")]
            Self::Json => "JSON",
            #[cfg(feature = "msgpack")]
            Self::MsgPack => "MessagePack",
            #[cfg(feature = "cbor")]
            Self::Cbor => "CBOR",
        })
    }
}

#[cfg(all(test, feature = "json", feature = "msgpack", feature = "cbor"))]
mod tests {
    use super::*;

    #[test]
    fn ws_02_subprotocol_names() {
        let names: Vec<_> = Format::ALL.iter().map(|format| format.subprotocol()).collect();
        assert_eq!(names, ["wamp.2.json", "wamp.2.msgpack", "wamp.2.cbor"]);
        for format in Format::ALL {
            assert_eq!(Format::from_subprotocol(format.subprotocol()), Some(*format));
        }
        assert_eq!(Format::from_subprotocol("wamp.2.json.batched"), None);
        assert_eq!(Format::from_subprotocol("WAMP.2.JSON"), None);
    }

    #[test]
    fn ws_05_json_is_text_and_the_others_are_binary() {
        assert!(!Format::Json.is_binary());
        assert!(Format::MsgPack.is_binary());
        assert!(Format::Cbor.is_binary());
    }
}
