//! JSON (RFC 8259), with binary data as the WAMP Advanced Profile, "Binary support in JSON", wants it.

mod read;
mod skip;
mod write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{DeserializeSeed, Error as _};
use serde::{Serialize, Serializer};

pub(crate) use self::read::Reader;
pub(crate) use self::write::{Writer, is_plain};
use crate::serial::Dialect;
use crate::{EncodeErrorKind, Format};

/// Appends a value as compact JSON.
pub(crate) fn to_vec<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    serialize(value, out)
}

/// Writes a value as compact JSON.
#[inline]
fn serialize<T: Serialize + ?Sized>(value: &T, out: impl std::io::Write) -> Result<(), serde_json::Error> {
    value.serialize(&mut serde_json::Serializer::new(out))
}

/// Decodes one value, with nothing behind it.
pub(crate) fn from_slice<'de, S: DeserializeSeed<'de>>(bytes: &'de [u8], seed: S) -> Result<S::Value, String> {
    let value = || {
        // One check of everything is faster than one for each string.
        let text = str::from_utf8(bytes).map_err(serde_json::Error::custom)?;
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let value = seed.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(value)
    };
    value().map_err(|error: serde_json::Error| {
        // Lines and columns of a part of a frame tell nobody anything; the path does.
        let text = error.to_string();
        let position = format!(" at line {} column {}", error.line(), error.column());
        text.strip_suffix(&position).unwrap_or(&text).to_owned()
    })
}

/// JSON as applications see it.
pub(crate) struct Strict;

impl Dialect for Strict {
    const FORMAT: Format = Format::Json;

    #[inline]
    fn check_float(value: f64) -> Result<(), EncodeErrorKind> {
        let what = if value.is_finite() {
            return Ok(());
        } else if value.is_nan() {
            "number NaN"
        } else if value > 0.0 {
            "number Infinity"
        } else {
            "number -Infinity"
        };
        Err(EncodeErrorKind::Unsupported { format: Format::Json, what })
    }

    #[inline]
    fn check_text(text: &str) -> Result<(), EncodeErrorKind> {
        if text.starts_with('\0') {
            let what = "text that starts with U+0000, which marks binary data";
            return Err(EncodeErrorKind::Unsupported { format: Format::Json, what });
        }
        Ok(())
    }

    fn serialize_bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(1 + bytes.len().div_ceil(3) * 4);
        text.push('\0');
        STANDARD.encode_string(bytes, &mut text);
        serializer.serialize_str(&text)
    }

    fn decode_bytes(text: &[u8]) -> Option<Result<Vec<u8>, String>> {
        let base64 = text.strip_prefix(b"\0")?;
        Some(STANDARD.decode(base64).map_err(|error| format!("base64 is expected behind U+0000: {error}")))
    }
}

/// JSON as Options and Details are decoded, all at once and unasked: what is no base64 behind U+0000 is kept as text, because it must not
/// end the session.
struct Lenient;

impl Dialect for Lenient {
    const FORMAT: Format = Format::Json;

    fn decode_bytes(text: &[u8]) -> Option<Result<Vec<u8>, String>> {
        Strict::decode_bytes(text).filter(Result::is_ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: [u8; 16] =
        [0x10, 0xe3, 0xff, 0x90, 0x53, 0x07, 0x5c, 0x52, 0x6f, 0x5f, 0xc0, 0x6d, 0x4f, 0xe3, 0x7c, 0xdb];

    #[test]
    fn ser_11_bytes_are_u0000_and_base64() {
        let written = |bytes| {
            let mut json = Vec::new();
            Strict::serialize_bytes(bytes, &mut serde_json::Serializer::new(&mut json)).unwrap();
            String::from_utf8(json).unwrap()
        };
        assert_eq!(written(&BYTES), r#""\u0000EOP/kFMHXFJvX8BtT+N82w==""#);
        assert_eq!(written(b""), r#""\u0000""#);
        assert_eq!(written(&[0xfb, 0xff]), r#""\u0000+/8=""#);
    }

    #[test]
    fn ser_12_text_behind_u0000_is_base64_with_padding() {
        let decoded = |text: &str| Strict::decode_bytes(text.as_bytes());
        assert_eq!(decoded("\0EOP/kFMHXFJvX8BtT+N82w=="), Some(Ok(BYTES.to_vec())));
        assert_eq!(decoded("\0"), Some(Ok(vec![])));
        assert_eq!(decoded("text"), None);
        assert_eq!(decoded(""), None);
        for invalid in ["\0AA", "\0AA=", "\0A-_=", "\0AA==AA==", "\0 AAAA", "\0AAAA\n", "\0é"] {
            let error = decoded(invalid).unwrap().unwrap_err();
            assert!(error.starts_with("base64 is expected behind U+0000: "), "{error}");
            assert_eq!(Lenient::decode_bytes(invalid.as_bytes()), None);
        }
        assert_eq!(Lenient::decode_bytes(b"\0AAEC"), Some(Ok(vec![0, 1, 2])));
    }

    #[test]
    fn errors_do_not_speak_of_lines_and_columns() {
        let error = from_slice(b"[1,\"x\"]", core::marker::PhantomData::<Vec<u8>>).unwrap_err();
        assert_eq!(error, "invalid type: string \"x\", expected u8");
    }
}
