//! Checklist 4, serializers: what concerns all of them, and a module for each.

mod cbor;
mod json;
mod msgpack;

use std::collections::BTreeMap;

use bytes::Bytes;
use wamp_proto::*;

use crate::wire::{decoded, encoded, frame, hex, received, refused, value};

/// An EVENT whose only argument is given as bytes of the format.
fn event_of(argument: &[u8], format: Format) -> Result<Message, DecodeError> {
    let mut bytes = match format {
        Format::Json => b"[36,1,2,{},[".to_vec(),
        Format::MsgPack => hex("95 24 01 02 80 91"),
        _ => hex("85 18 24 01 02 a0 81"),
    };
    bytes.extend(argument);
    if format == Format::Json {
        bytes.extend(b"]]");
    }
    received(&bytes, format)
}

fn payload_of(argument: &[u8], format: Format) -> Payload {
    match event_of(argument, format) {
        Ok(Message::Event(event)) => event.payload,
        other => panic!("{argument:02x?} in {format}: {other:?}"),
    }
}

fn value_of(argument: &[u8], format: Format) -> Value {
    payload_of(argument, format).arg(0).unwrap_or_else(|error| panic!("{argument:02x?} in {format}: {error}"))
}

fn result_of(values: impl IntoPayload, format: Format) -> Vec<u8> {
    let payload = values.into_payload(format).unwrap();
    let result = CallResult { request: RequestId::MIN, details: ResultDetails::default(), payload };
    encoded(&result.into(), format)
}

/// A type that asks for bytes.
#[derive(Debug)]
struct Binary(Vec<u8>);

impl<'de> serde::Deserialize<'de> for Binary {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl serde::de::Visitor<'_> for Visitor {
            type Value = Binary;

            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Binary, E> {
                Ok(Binary(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

fn bytes_value(bytes: &[u8]) -> Value {
    Value::Bytes(Bytes::copy_from_slice(bytes))
}

#[test]
fn ser_01_every_format_encodes_and_decodes() {
    assert!(!Format::ALL.is_empty());
    for format in Format::ALL {
        let goodbye = decoded(r#"[6,{},"wamp.close.normal"]"#, *format);
        assert_eq!(received(&encoded(&goodbye, *format), *format), Ok(goodbye));
    }
}

#[test]
fn ser_15_integers_keep_every_digit() {
    let numbers = [i128::from(u64::MAX), 1 << 53, (1 << 53) + 1, i64::MAX.into(), i64::MIN.into(), -1, 0];
    for number in numbers {
        for format in Format::ALL {
            let payload = payload_of(&value(&number.to_string(), *format), *format);
            for target in Format::ALL {
                let payload = payload.transcode(*target).unwrap();
                let value: Value = payload.arg(0).unwrap();
                let found = value.as_u64().map(i128::from).or_else(|| value.as_i64().map(i128::from));
                assert_eq!(found, Some(number), "{format} to {target}");
            }
        }
    }
}

#[test]
fn ser_15_floats_keep_every_bit() {
    for number in [0.0, -0.0, 1.0, 0.1, 1.0 / 3.0, 1e300, f64::MAX, f64::MIN_POSITIVE, 5e-324, 9_007_199_254_740_993.0]
    {
        for format in Format::ALL {
            let payload = (number,).into_payload(*format).unwrap();
            for target in Format::ALL {
                let value: Value = payload.transcode(*target).unwrap().arg(0).unwrap();
                assert_eq!(value, Value::F64(number), "{format} to {target}");
            }
        }
    }
}

#[test]
fn ser_16_strings_that_are_not_utf8_are_refused() {
    const BAD: &[&[u8]] = &[
        b"\xff",
        b"\x80",
        b"\xc0\x80",
        b"\xc3",
        b"\xe0\x80\x80",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x94",
        b"\xf4\x90\x80\x80",
        b"ok\xfe",
    ];
    for bad in BAD {
        for format in Format::ALL {
            // A text of as many bytes, and then those bytes in its place.
            let stand_in = "~".repeat(bad.len());
            for message in [
                r#"[2,1,{"a":"BAD"}]"#,
                r#"[2,1,{"BAD":1}]"#,
                r#"[2,1,{"authid":"BAD"}]"#,
                r#"[32,1,{},"BAD"]"#,
                r#"[36,1,2,{},["BAD"]]"#,
                r#"[36,1,2,{},[{"BAD":1}]]"#,
                r#"[36,1,2,{},[],{"BAD":1}]"#,
                r#"[36,1,2,{},[],{"k":"BAD"}]"#,
            ] {
                let mut bytes = frame(&message.replace("BAD", &stand_in), *format).to_vec();
                let start = bytes.windows(bad.len()).position(|window| window == stand_in.as_bytes()).unwrap();
                bytes[start..start + bad.len()].copy_from_slice(bad);
                let error = received(&bytes, *format).unwrap_err();
                assert_eq!(error.kind(), &DecodeErrorKind::InvalidUtf8, "{bytes:02x?} in {format}");
                assert!((start - 5..start + bad.len()).contains(&error.offset()), "{bytes:02x?} in {format}: {error}");
            }
        }
    }
}

#[test]
fn ser_22_trailing_bytes_are_refused() {
    for message in ["[33,1,2]", r#"[6,{},"a.b"]"#, "[36,1,2,{}]", r#"[36,1,2,{},["a"]]"#, r#"[70,1,{},[],{"k":[]}]"#] {
        for format in Format::ALL {
            let frame = frame(message, *format);
            for trailing in [&b"\0"[..], b"0", b"]", b"\xc0", b"\xff", b"\xf6", b"[", &frame] {
                let bytes = [&frame, trailing].concat();
                let error = received(&bytes, *format).unwrap_err();
                let kinds = [DecodeErrorKind::TrailingBytes, DecodeErrorKind::InvalidUtf8];
                assert!(kinds.contains(error.kind()), "{message} and {trailing:02x?} in {format}: {error}");
                assert_eq!(error.offset(), frame.len(), "{message} and {trailing:02x?} in {format}: {error}");
            }
        }
    }
}

#[test]
fn ser_22_truncated_frames_are_refused() {
    let details = r#""x":[1.5,-300,70000,"äb",null,{"y":true}],"zz":"\u0000AQI=""#;
    let payload = r#"[1,-1,1.5,"text","\u0000AQI=",[{"a":[null,true]}]],{"k":{"l":"m"},"n":5000000000}"#;
    for message in
        [format!("[36,1,9007199254740992,{{{details}}},{payload}]"), format!(r#"[16,1,{{{details}}},"a.b",{payload}]"#)]
    {
        for format in Format::ALL {
            let frame = frame(&message, *format);
            assert!(received(&frame, *format).is_ok());
            for end in 0..frame.len() {
                let error = received(&frame[..end], *format).unwrap_err();
                let kinds = [DecodeErrorKind::Truncated, DecodeErrorKind::InvalidUtf8];
                assert!(kinds.contains(error.kind()), "{message} in {format} cut to {end}: {error}");
                assert!(error.offset() <= end, "{message} in {format} cut to {end}: {error}");
            }
        }
    }
}

#[test]
fn ser_24_keys_of_kwargs_are_strings() {
    for (format, frame) in [
        (Format::MsgPack, hex("96 24 01 02 80 90 81 01 02")),
        (Format::MsgPack, hex("96 24 01 02 80 90 82 a1 6b 01 02 03")),
        (Format::Cbor, hex("86 18 24 01 02 a0 80 a1 01 02")),
        (Format::Cbor, hex("9f 18 24 01 02 a0 80 bf 61 6b 01 20 02 ff ff")),
    ] {
        let error = received(&frame, format).unwrap_err();
        assert_eq!(error.kind(), &DecodeErrorKind::KeyIsNotAString { found: Kind::Integer }, "{frame:02x?}");
        assert_eq!(error.element(), Some(Element { index: 5, name: "ArgumentsKw" }));
    }
}

#[test]
fn ser_24_deeper_keys_are_no_error_of_the_message() {
    for (format, argument) in [(Format::MsgPack, "81 01 02"), (Format::Cbor, "a1 01 02")] {
        let payload = payload_of(&hex(argument), format);
        assert!(matches!(payload.arg::<Value>(0), Err(PayloadError::Mismatch { .. })));
        assert_eq!(payload.arg::<BTreeMap<u8, u8>>(0).unwrap(), BTreeMap::from([(1, 2)]));
    }
    // Bytes are not text, even if they could be.
    for (format, argument) in [(Format::MsgPack, "81 c4 01 61 02"), (Format::Cbor, "a1 41 61 02")] {
        let payload = payload_of(&hex(argument), format);
        assert!(matches!(payload.arg::<Value>(0), Err(PayloadError::Mismatch { .. })));
        assert!(payload.transcode(Format::Json).is_err());
    }
}

#[test]
fn ser_40_41_ubjson_and_flatbuffers_cannot_be_offered() {
    for name in ["wamp.2.ubjson", "wamp.2.flatbuffers", "wamp.2.ubjson.batched", ""] {
        assert_eq!(Format::from_subprotocol(name), None);
    }
}

#[test]
fn ser_42_garbage_is_an_error() {
    for format in Format::ALL {
        for garbage in [
            &b""[..],
            b"\0",
            b"GET / HTTP/1.1\r\n\r\n",
            b"\x7f\xf1\0\0",
            b"{\"a\":",
            b"\xc1",
            b"\xff\xff\xff\xff",
            b"\x9f",
            b"nonsense",
        ] {
            let error = received(garbage, *format).unwrap_err();
            assert!(error.offset() <= garbage.len());
        }
    }
    for (format, frame) in [
        (Format::MsgPack, "c1"),
        (Format::MsgPack, "94 24 01 02 c1"),
        (Format::Cbor, "1c"),
        (Format::Cbor, "84 1824 01 02 fc"),
    ] {
        assert!(received(&hex(frame), format).is_err());
    }
    // A length that the frame cannot hold costs no memory.
    for (format, frame) in [
        (Format::MsgPack, "dd ffffffff 24"),
        (Format::MsgPack, "95 24 01 02 80 dd ffffffff"),
        (Format::MsgPack, "94 24 01 02 df ffffffff"),
        (Format::MsgPack, "95 24 01 02 80 91 c6 ffffffff"),
        (Format::MsgPack, "93 01 db ffffffff 80"),
        (Format::MsgPack, "95 10 01 81 a7 6578636c756465 dd ffffffff"),
        (Format::Cbor, "9b ffffffffffffffff 1824"),
        (Format::Cbor, "85 1824 01 02 a0 9b ffffffffffffffff"),
        (Format::Cbor, "84 1824 01 02 bb ffffffffffffffff"),
        (Format::Cbor, "85 1824 01 02 a0 81 5b ffffffffffffffff"),
        (Format::Cbor, "83 01 7b ffffffffffffffff a0"),
        (Format::Cbor, "84 10 01 a1 67 6578636c756465 9b 7fffffffffffffff"),
    ] {
        let error = received(&hex(frame), format).unwrap_err();
        assert_eq!(error.kind(), &DecodeErrorKind::Truncated, "{frame}: {error}");
    }
}

#[test]
fn ser_43_decoding_encoding_and_decoding_is_stable() {
    for (format, frame) in [
        (Format::Json, b" [ 36 , 1 , 2 , { \"b\" : [ ] , \"a\" : 1.0 } , [ 1e2 , \"\\u00e4\" ] , { } ] ".to_vec()),
        (Format::MsgPack, hex("dd 00000005 cc24 cd0001 d10002 de0000 dc0001 ca3fc00000")),
        (Format::Cbor, hex("9f 1824 1901 00 02 bfff 9f f93c00 c1 00 7f 6161 6162 ff ff ff")),
    ] {
        let first = received(&frame, format).unwrap();
        let again = encoded(&first, format);
        assert_eq!(received(&again, format).unwrap(), first);
        assert_eq!(encoded(&received(&again, format).unwrap(), format), again);
    }
    assert_eq!(refused("[36,1,2,{},{}]", Format::Cbor).element().map(|element| element.index), Some(4));
}
