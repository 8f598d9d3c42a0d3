//! Checklist 4, serializers.

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
fn ser_10_json_is_written_as_rfc_8259_wants_it() {
    let text = "\"\\/\u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}ä日🔑\u{2028}";
    let frame = result_of(ArgsKwargs((text, 1.5), BTreeMap::from([(text, [1])])), Format::Json);
    let json: serde_json::Value = serde_json::from_slice(&frame).unwrap();
    assert_eq!(json, serde_json::json!([50, 1, {}, [text, 1.5], {text: [1]}]));
}

#[test]
fn ser_10_json_is_read_with_escapes_and_white_space() {
    let compact = decoded(r#"[36,1,2,{"topic":"com.ä","x_y":[1,{}]},["ä/\"\\",-1.5e-3],{"🔑":null}]"#, Format::Json);
    let spaced = "\r\n\t [ 36 , 1,2 , {\"top\\u0069c\" : \"com.\\u00e4\" ,\"x_y\": [ 1 , { } ] } ,\
                  [ \"\\u00E4\\/\\\"\\\\\" , -15E-4 ] , { \"\\ud83d\\udd11\" : null } ] \n";
    let message = received(spaced.as_bytes(), Format::Json).unwrap();
    assert_eq!(message, compact);
    let Message::Event(event) = message else { panic!() };
    assert_eq!(event.payload.args::<(&str, f64)>().unwrap_err().to_string().split(':').next(), Some("args[0]"));
    assert_eq!(event.payload.args::<(String, f64)>().unwrap(), ("ä/\"\\".to_owned(), -0.0015));
    assert_eq!(event.payload.kwargs::<BTreeMap<String, ()>>().unwrap(), BTreeMap::from([("🔑".to_owned(), ())]));
}

#[test]
fn ser_10_what_is_not_json_is_refused() {
    for (frame, offset) in [
        ("", 0),
        (" ", 1),
        ("[", 1),
        ("[36", 3),
        ("[36,", 4),
        ("[36,1,2,{}", 10),
        ("[36,1,2,{},", 11),
        ("[36,1,2,{},[]", 13),
        ("[36 1,2,{}]", 4),
        ("[36,,1,2,{}]", 4),
        ("[,36,1,2,{}]", 1),
        ("[36,1,2,{},]", 11),
        ("[036,1,2,{}]", 2),
        ("[+36,1,2,{}]", 1),
        ("[36,1,2,{},[1,]]", 14),
        ("[36,1,2,{},[01]]", 13),
        ("[36,1,2,{},[.5]]", 12),
        ("[36,1,2,{},[NaN]]", 12),
        ("[36,1,2,{},[True]]", 12),
        ("[36,1,2,{},['a']]", 12),
        ("[36,1,2,{},[],{k:1}]", 15),
        ("[36,1,2,{},[],{\"k\":}]", 19),
        ("[36,1,2,{},[],{\"k\" 1}]", 19),
        ("[36,1,2,{},[],{\"k\":1,}]", 21),
        ("[36,1,2,{},[/**/]]", 12),
        ("\u{feff}[36,1,2,{}]", 0),
    ] {
        let error = received(frame.as_bytes(), Format::Json).unwrap_err();
        assert_eq!(error.offset(), offset, "{frame:?}: {error}");
    }
    for argument in [
        "1.",
        "1.e1",
        "1e",
        "1e+",
        "-",
        "--1",
        "tru",
        "nul",
        "0x10",
        "\"a",
        r#""\x""#,
        r#""\u12""#,
        "\"\n\"",
        "\"\u{1}\"",
        "[",
        "{",
        "}",
    ] {
        assert!(event_of(argument.as_bytes(), Format::Json).is_err(), "{argument:?}");
    }
}

#[test]
fn ser_11_binary_is_a_string_of_base64_behind_u0000() {
    let bytes = hex("10e3ff9053075c526f5fc06d4fe37cdb");
    let json = br#"[50,1,{},["\u0000EOP/kFMHXFJvX8BtT+N82w==","\u0000"]]"#;
    assert_eq!(result_of((bytes_value(&bytes), bytes_value(b"")), Format::Json), json);
    assert_eq!(value_of(br#""\u0000EOP/kFMHXFJvX8BtT+N82w==""#, Format::Json), bytes_value(&bytes));
    assert_eq!(value_of(br#""\u0000""#, Format::Json), bytes_value(b""));
    assert_eq!(payload_of(br#""\u0000AQI=""#, Format::Json).arg::<Binary>(0).unwrap().0, [1, 2]);
}

#[test]
fn ser_12_strings_that_start_with_u0000_are_binary_at_any_depth() {
    let expected = Value::from(Dict::from_iter([("b", vec![bytes_value(&[1, 2]), Value::from("AQI=")])]));
    assert_eq!(value_of(br#"{"b":["\u0000AQI=","AQI="]}"#, Format::Json), expected);
    let Message::Welcome(welcome) = decoded(r#"[2,1,{"x_y":["\u0000AQI="]}]"#, Format::Json) else { panic!() };
    assert_eq!(welcome.details.extra.get("x_y"), Some(&Value::from(vec![bytes_value(&[1, 2])])));
    assert_eq!(value_of(br#""a\u0000AQI=""#, Format::Json), Value::from("a\0AQI="));
}

#[test]
fn ser_12_invalid_base64_shows_when_it_is_decoded() {
    for text in
        [r#""\u0000!""#, r#""\u0000AQ""#, r#""\u0000AQI=AQ""#, r#""\u0000AQI_""#, r#""\u0000ä""#, r#""\u0000 AQI=""#]
    {
        let payload = payload_of(text.as_bytes(), Format::Json);
        assert!(matches!(payload.arg::<Binary>(0), Err(PayloadError::Mismatch { .. })), "{text}");
    }
}

#[test]
fn ser_13_json_has_no_text_that_starts_with_u0000() {
    for format in [Format::MsgPack, Format::Cbor] {
        let payload = ("a", BTreeMap::from([("b", "\0abc")])).into_payload(format).unwrap();
        assert_eq!(payload.arg::<BTreeMap<String, String>>(1).unwrap()["b"], "\0abc");
        let error = payload.transcode(Format::Json).unwrap_err();
        assert_eq!(error.path(), "args[1].b");
        assert!(matches!(error.kind(), EncodeErrorKind::Unsupported { format: Format::Json, .. }), "{error}");
    }
    let error = ("a", BTreeMap::from([("b", "\0abc")])).into_payload(Format::Json).unwrap_err();
    assert_eq!(error.path(), "args[1].b");
    let authenticate = Authenticate { signature: "\0".into(), extra: Dict::new() }.into();
    assert!(encode(&authenticate, Format::Json, &mut Vec::new()).is_err());
}

#[test]
fn ser_14_integers_have_no_fraction_and_no_exponent() {
    let mut options = CallOptions::default();
    options.timeout = Some(u64::MAX);
    let (request, procedure, payload) = (RequestId::MAX, Uri::new("a.b").unwrap(), Payload::default());
    let call = Call { request, options, procedure, payload }.into();
    assert_eq!(encoded(&call, Format::Json), br#"[48,9007199254740992,{"timeout":18446744073709551615},"a.b"]"#);
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
fn ser_15_json_has_no_nan_and_no_infinity() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!((number,).into_payload(Format::Json).is_err());
        for format in [Format::MsgPack, Format::Cbor] {
            let payload = (number,).into_payload(format).unwrap();
            assert_eq!(payload.arg::<f64>(0).unwrap().to_bits(), number.to_bits());
            assert!(payload.transcode(Format::Json).is_err());
        }
    }
}

#[test]
fn ser_15_json_numbers_beyond_64_bits_do_no_harm() {
    for number in ["18446744073709551616", "-9223372036854775809", "123456789012345678901234567890", "1e400", "-1e400"]
    {
        let payload = payload_of(number.as_bytes(), Format::Json);
        if let Ok(value) = payload.arg::<Value>(0) {
            assert_eq!(value, Value::F64(number.parse().unwrap()));
        }
        assert!(payload.arg::<u64>(0).is_err());
        assert_eq!(payload.raw_args().unwrap().unwrap(), format!("[{number}]"));
    }
}

#[test]
fn ser_16_lone_surrogates_are_refused() {
    for text in [
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud800\ud800""#,
        r#""\ud800x""#,
        r#""\ud800\n""#,
        r#""\udc00\ud800""#,
        r#""a\uDBFF""#,
    ] {
        for frame in [
            format!(r#"[2,1,{{"a":{text}}}]"#),
            format!(r#"[2,1,{{{text}:1}}]"#),
            format!(r#"[2,1,{{"authid":{text}}}]"#),
            format!("[36,1,2,{{}},[{text}]]"),
            format!("[36,1,2,{{}},[{{{text}:1}}]]"),
            format!("[36,1,2,{{}},[],{{{text}:1}}]"),
        ] {
            assert!(received(frame.as_bytes(), Format::Json).is_err(), "{frame}");
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
fn ser_20_msgpack_tells_text_from_binary() {
    let long = "x".repeat(200);
    let frame = result_of((bytes_value(&[1, 2]), "ab", long.as_str()), Format::MsgPack);
    assert_eq!(frame[..14], hex("94 32 01 80 93 c402 0102 a2 6162 d9c8"));
    assert_eq!(value_of(&hex("c4 02 01 02"), Format::MsgPack), bytes_value(&[1, 2]));
    assert_eq!(value_of(&hex("a2 61 62"), Format::MsgPack), Value::from("ab"));
    assert!(payload_of(&hex("a2 61 62"), Format::MsgPack).arg::<&str>(0).is_ok());
}

#[test]
fn ser_21_msgpack_integers_of_each_width_are_equal() {
    let expected = decoded("[50,1,{},[1]]", Format::Json);
    for one in [
        "01",
        "cc01",
        "cd0001",
        "ce00000001",
        "cf0000000000000001",
        "d001",
        "d10001",
        "d200000001",
        "d30000000000000001",
    ] {
        let message = received(&hex(&format!("94 32 {one} 80 91 {one}")), Format::MsgPack).unwrap();
        assert_eq!(message, expected, "{one}");
        let message = received(&hex(&format!("93 {one} a1 72 81 a1 61 {one}")), Format::MsgPack).unwrap();
        assert_eq!(message, decoded(r#"[1,"r",{"a":1}]"#, Format::Json), "{one}");
    }
    for minus_one in ["ff", "d0ff", "d1ffff", "d2ffffffff", "d3ffffffffffffffff"] {
        assert_eq!(value_of(&hex(minus_one), Format::MsgPack), Value::from(-1));
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
fn ser_23_extension_types_of_a_payload_are_no_error_of_the_message() {
    for extension in [
        "d4 01 00",
        "d5 01 0000",
        "d6 ff 00000000",
        "d7 ff 0000000000000000",
        "d8 05 00000000000000000000000000000000",
        "c7 00 05",
        "c7 03 05 010203",
        "c8 0001 05 01",
        "c9 00000001 05 01",
    ] {
        let mut argument = hex("92");
        argument.extend(hex(extension));
        argument.push(7);
        let payload = payload_of(&argument, Format::MsgPack);
        assert!(matches!(payload.arg::<Value>(0), Err(PayloadError::Mismatch { .. })), "{extension}");
        assert!(payload.transcode(Format::Json).is_err(), "{extension}");
        assert_eq!(payload.transcode(Format::MsgPack).unwrap().raw_args().unwrap(), payload.raw_args().unwrap());
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
fn ser_30_cbor_tells_text_from_binary() {
    let frame = result_of((bytes_value(&[1, 2]), "ab"), Format::Cbor);
    assert_eq!(frame, hex("84 18 32 01 a0 82 42 0102 62 6162"));
    assert_eq!(value_of(&hex("42 01 02"), Format::Cbor), bytes_value(&[1, 2]));
    assert_eq!(value_of(&hex("62 61 62"), Format::Cbor), Value::from("ab"));
}

#[test]
fn ser_31_cbor_may_use_any_width_and_indefinite_lengths() {
    let expected = decoded(r#"[16,1,{"acknowledge":true},"com.myapp",["ab","\u0000AQI=",[]],{"k":{}}]"#, Format::Json);
    let indefinite = "9f 1810 1b0000000000000001 bf 7f 6461636b6e 677f ff";
    assert!(received(&hex(indefinite), Format::Cbor).is_err());
    for frame in [
        "9f 1b0000000000000010 1b0000000000000001 bf 7f 6161 6a636b6e6f776c65646765 ff f5 ff 7f 64636f6d2e 60 656d79617070 ff \
         9f 7f 6161 6162 ff 5f 4101 40 4102 ff 9fff ff bf 616b bfff ff ff",
        "9b0000000000000006 1810 1900 01 ba00000001 780b61636b6e6f776c65646765 f5 7900 09636f6d2e6d79617070 \
         9a00000003 7a000000026162 5b00000000000000020102 9800 b9 0001 7801 6b b800",
    ] {
        assert_eq!(received(&hex(frame), Format::Cbor).unwrap(), expected, "{frame}");
    }
}

#[test]
fn ser_31_cbor_chunks_are_of_their_own_type_and_definite() {
    for argument in [
        "7f 41 61 ff",
        "5f 61 61 ff",
        "7f 7f 6161 ff ff",
        "5f 5f 4161 ff ff",
        "7f 01 ff",
        "7f c0 6161 ff",
        "7f 61 c3 61 a4 ff",
        "5f 4161",
        "9f",
        "bf 6161 ff",
        "ff",
        "1f",
        "3f",
        "df00",
        "1c",
        "5d",
        "fe",
    ] {
        assert!(event_of(&hex(argument), Format::Cbor).is_err(), "{argument}");
    }
}

#[test]
fn ser_31_cbor_tags_of_a_payload_are_no_error_of_the_message() {
    for tagged in [
        "c0 74 323031332d30332d32315432303a30343a30305a",
        "c1 1a 514b67b0",
        "d7 44 01020304",
        "d818 45 6449455446",
        "d9d9f7 83 010203",
        "db ffffffffffffffff 00",
        "c6 c7 c8 00",
    ] {
        let payload = payload_of(&hex(tagged), Format::Cbor);
        let _: Result<Value, PayloadError> = payload.arg(0);
        assert_eq!(payload.transcode(Format::Cbor).unwrap().raw_args().unwrap(), payload.raw_args().unwrap());
    }
}

#[test]
fn ser_32_cbor_floats_of_each_width_null_and_undefined() {
    for (argument, expected) in [
        ("f93c00", Value::from(1.0)),
        ("fa3f800000", Value::from(1.0)),
        ("fb3ff0000000000000", Value::from(1.0)),
        ("f98000", Value::from(-0.0)),
        ("f97bff", Value::from(65504.0)),
        ("f90001", Value::from(5.960_464_477_539_063e-8)),
        ("f903ff", Value::from(6.097_555_160_522_461e-5)),
        ("f90400", Value::from(6.103_515_625e-5)),
        ("f97c00", Value::from(f64::INFINITY)),
        ("f9fc00", Value::from(f64::NEG_INFINITY)),
        ("f6", Value::Null),
        ("f7", Value::Null),
        ("f4", Value::from(false)),
        ("f5", Value::from(true)),
    ] {
        assert_eq!(value_of(&hex(argument), Format::Cbor), expected, "{argument}");
    }
    for nan in ["f97e00", "fa7fc00000", "fb7ff8000000000000"] {
        assert!(value_of(&hex(nan), Format::Cbor).as_f64().is_some_and(f64::is_nan), "{nan}");
    }
}

#[test]
fn ser_32_cbor_simple_values_do_no_harm() {
    for simple in ["e0", "f0", "f3", "f820", "f8ff"] {
        let payload = payload_of(&hex(simple), Format::Cbor);
        assert!(matches!(payload.arg::<Value>(0), Err(PayloadError::Mismatch { .. })), "{simple}");
        assert!(payload.transcode(Format::MsgPack).is_err(), "{simple}");
    }
    // Simple values below 32 have one byte only.
    for simple in ["f800", "f814", "f81f"] {
        assert!(event_of(&hex(simple), Format::Cbor).is_err(), "{simple}");
    }
}

#[test]
fn ser_33_cbor_decimals_and_bignums_do_no_harm() {
    for number in [
        "c4 82 21 19 6ab3",
        "c2 49 010000000000000000",
        "c3 49 010000000000000000",
        "c2 41 05",
        "c5 82 20 03",
        "c4 82 c2 49 010000000000000000 00",
    ] {
        let payload = payload_of(&hex(number), Format::Cbor);
        let value: Result<Value, PayloadError> = payload.arg(0);
        let text = payload.transcode(Format::Json);
        assert_eq!(value.is_ok(), text.is_ok(), "{number}: {value:?}, {text:?}");
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
