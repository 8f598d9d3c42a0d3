//! Checklist 14, payload passthru mode: what is packed, and how.

use std::collections::BTreeMap;

use wamp_proto::*;

fn hello() -> Payload {
    ArgsKwargs(["Hello"], BTreeMap::from([("x", 1)])).into_payload(Format::Json).unwrap()
}

fn unpacked(packed: &[u8], format: Format) -> Result<Payload, DecodeError> {
    Payload::unpack(packed.to_vec().into(), format, &Limits::new())
}

/// The args ["Hello"] and the kwargs {"x": 1} in CBOR.
const VECTOR: &[u8] = b"\xa2\x64args\x81\x65Hello\x66kwargs\xa1\x61x\x01";

fn message(json: &str) -> Result<Message, DecodeError> {
    decode(json.to_owned().into(), Format::Json, &Limits::new(), PayloadCheck::OnReceipt)
}

#[test]
fn ppt_03_the_payload_is_one_binary_item() {
    for format in Format::ALL.iter().copied() {
        let payload = Payload::binary(b"\x00\xff", format).unwrap();
        assert_eq!(payload.args::<Vec<Value>>().unwrap(), [Value::Bytes(b"\x00\xff".as_slice().into())], "{format}");
        assert!(payload.raw_kwargs().unwrap().is_none());
        assert_eq!(payload.to_binary().unwrap(), b"\x00\xff".as_slice());
        let empty = Payload::binary(b"", format).unwrap();
        assert_eq!(empty.to_binary().unwrap(), b"".as_slice());
    }
}

#[test]
fn ppt_03_anything_else_is_no_binary_item() {
    for format in Format::ALL.iter().copied() {
        let bytes = || Value::Bytes(b"b".as_slice().into());
        let others = [
            ().into_payload(format).unwrap(),
            (bytes(), bytes()).into_payload(format).unwrap(),
            (7,).into_payload(format).unwrap(),
            ("text",).into_payload(format).unwrap(),
            (vec![bytes()],).into_payload(format).unwrap(),
            ArgsKwargs((bytes(),), BTreeMap::from([("k", 1)])).into_payload(format).unwrap(),
        ];
        for other in others {
            assert!(other.to_binary().is_err(), "{other:?}");
        }
    }
    // Empty ArgumentsKw are as good as none.
    let Message::Event(event) = message(r#"[36,1,1,{},["\u0000Yg=="],{}]"#).unwrap() else { panic!() };
    assert_eq!(event.payload.to_binary().unwrap(), b"b".as_slice());
}

#[test]
fn ppt_04_arguments_are_packed_into_one_dict() {
    assert_eq!(hello().pack(Format::Cbor).unwrap(), VECTOR);
    assert_eq!(hello().pack(Format::Json).unwrap(), br#"{"args":["Hello"],"kwargs":{"x":1}}"#);
    assert_eq!(hello().pack(Format::MsgPack).unwrap(), b"\x82\xa4args\x91\xa5Hello\xa6kwargs\x81\xa1x\x01");
    assert_eq!(Payload::new().pack(Format::Json).unwrap(), br#"{"args":[],"kwargs":{}}"#);
    let args = (1,).into_payload(Format::MsgPack).unwrap();
    assert_eq!(args.pack(Format::Json).unwrap(), br#"{"args":[1],"kwargs":{}}"#);
    let kwargs = Kwargs(BTreeMap::from([("x", 1)])).into_payload(Format::Cbor).unwrap();
    assert_eq!(kwargs.pack(Format::Json).unwrap(), br#"{"args":[],"kwargs":{"x":1}}"#);
}

#[test]
fn ppt_04_what_is_packed_is_unpacked() {
    assert_eq!(unpacked(VECTOR, Format::Cbor).unwrap(), hello());
    for format in Format::ALL.iter().copied() {
        for payload in [hello(), Payload::new(), (1, "a").into_payload(Format::Cbor).unwrap()] {
            let back = unpacked(&payload.pack(format).unwrap(), format).unwrap();
            assert_eq!(back, payload, "{format}");
            assert!(back.format().is_none_or(|found| found == format));
        }
    }
}

#[test]
fn ppt_04_either_order_and_missing_keys_are_accepted() {
    let unpack = |json: &str| unpacked(json.as_bytes(), Format::Json).unwrap();
    assert_eq!(unpack(r#" {"kwargs":{"x":1}, "args":["Hello"]} "#), hello());
    assert_eq!(unpack(r#"{"x_more":[{}],"args":["Hello"],"kwargs":{"x":1},"y":null}"#), hello());
    for empty in ["{}", r#"{"args":null,"kwargs":null}"#, r#"{"args":[]}"#, r#"{"kwargs":{}}"#] {
        assert_eq!(unpack(empty), Payload::new(), "{empty}");
    }
    let args = unpack(r#"{"args":[1,2]}"#);
    assert_eq!(args.args::<(u8, u8)>().unwrap(), (1, 2));
    let kwargs = unpack(r#"{"args":null,"kwargs":{"x":1}}"#);
    assert_eq!(kwargs.kwargs::<BTreeMap<String, u8>>().unwrap(), BTreeMap::from([("x".into(), 1)]));
    let indefinite = b"\xbf\x64args\x9f\x65Hello\xff\x66kwargs\xbf\x61x\x01\xff\xff";
    assert_eq!(unpacked(indefinite, Format::Cbor).unwrap(), hello());
}

#[test]
fn ppt_04_what_is_empty_or_missing_is_absent() {
    for json in [r#"{"args":[1,2]}"#, r#"{"args":[1,2],"kwargs":{}}"#, r#"{"kwargs":null,"args":[1,2]}"#] {
        let payload = unpacked(json.as_bytes(), Format::Json).unwrap();
        assert_eq!(payload.raw_args().unwrap().unwrap(), b"[1,2]".as_slice(), "{json}");
        assert!(payload.raw_kwargs().unwrap().is_none(), "{json}");
    }
    let nothing = unpacked(br#"{"args":[],"kwargs":{}}"#, Format::Json).unwrap();
    assert!(nothing.raw_args().unwrap().is_none());
}

#[test]
fn ppt_04_of_equal_keys_the_last_counts() {
    let unpack = |json: &str| unpacked(json.as_bytes(), Format::Json).unwrap();
    assert_eq!(unpack(r#"{"args":[1],"kwargs":{"x":2},"args":["Hello"],"kwargs":{"x":1}}"#), hello());
    assert_eq!(unpack(r#"{"args":null,"args":["Hello"],"kwargs":null,"kwargs":{"x":1}}"#), hello());
    assert_eq!(unpack(r#"{"args":[1],"kwargs":{"x":2},"args":null,"kwargs":null}"#), Payload::new());
}

#[test]
fn ppt_14_what_is_not_packed_is_refused() {
    let kind = |json: &str| unpacked(json.as_bytes(), Format::Json).unwrap_err().kind().clone();
    for wrong in ["[]", "1", r#"{"args":{}}"#, r#"{"args":"a"}"#, r#"{"kwargs":[]}"#, r#"{"kwargs":1}"#] {
        assert!(matches!(kind(wrong), DecodeErrorKind::WrongType { .. }), "{wrong}");
    }
    for malformed in ["", "{", r#"{"args":[}"#, r#"{"args":[]} x"#, r#"{"args":[]"#, "{1:[]}"] {
        assert!(unpacked(malformed.as_bytes(), Format::Json).is_err(), "{malformed}");
    }
    for end in 0..VECTOR.len() {
        assert!(unpacked(&VECTOR[..end], Format::Cbor).is_err(), "{end}");
    }
    assert!(unpacked(b"\xa1\x66kwargs\xa1\x01\x01", Format::Cbor).is_err(), "a key that is no text");
}

#[test]
fn ppt_14_the_limits_hold_for_what_is_packed() {
    let lists = |levels| "[".repeat(levels) + &"]".repeat(levels);
    for (before, wrapped) in [(r#"{"args":"#, 0), (r#"{"x":"#, 0), (r#"{"kwargs":{"k":"#, 1)] {
        let unpack = |levels: usize| {
            let packed = format!("{before}{}{}", lists(levels - wrapped), "}".repeat(1 + wrapped));
            Payload::unpack(packed.into(), Format::Json, &Limits::new().max_depth(10))
        };
        assert!(unpack(9).is_ok(), "{before}");
        assert_eq!(*unpack(10).unwrap_err().kind(), DecodeErrorKind::TooDeep, "{before}");
    }
    let exact = Limits::new().max_message_bytes(VECTOR.len());
    assert!(Payload::unpack(VECTOR.into(), Format::Cbor, &exact).is_ok());
    let small = Limits::new().max_message_bytes(VECTOR.len() - 1);
    let error = Payload::unpack(VECTOR.into(), Format::Cbor, &small).unwrap_err();
    assert!(matches!(error.kind(), DecodeErrorKind::TooLarge { .. }));
    assert!(unpacked("[".repeat(100_000).as_bytes(), Format::Json).is_err());
}

#[test]
fn ppt_05_in_json_the_item_is_base64() {
    let payload = Payload::binary(VECTOR, Format::Json).unwrap();
    let args = payload.raw_args().unwrap().unwrap();
    assert!(args.starts_with(br#"["\u0000omRhcmdz"#), "{args:?}");
    assert_eq!(payload.to_binary().unwrap(), VECTOR);
    let cbor = payload.transcode(Format::Cbor).unwrap();
    assert_eq!(cbor.to_binary().unwrap(), VECTOR);
}

#[test]
fn ppt_16_the_older_mode_is_told_apart() {
    let legacy = |json: &str| message(json).map_err(|error| error.kind().clone());
    for bare in [
        r#"[36,1,2,{"enc_algo":"cryptobox"},"\u0000Yg=="]"#,
        r#"[50,1,{"enc_algo":"cryptobox","enc_serializer":"json"},"\u0000Yg=="]"#,
        r#"[68,1,2,{"enc_algo":"mqtt"},"text"]"#,
    ] {
        assert_eq!(legacy(bare), Err(DecodeErrorKind::LegacyPassthru), "{bare}");
        let frame = bare.to_owned().into();
        let late = decode(frame, Format::Json, &Limits::new(), PayloadCheck::OnDecode).unwrap_err();
        assert_eq!(*late.kind(), DecodeErrorKind::LegacyPassthru);
    }
    // Without the attribute, or with a value that is neither, it is no message.
    for wrong in [r#"[36,1,2,{},"\u0000Yg=="]"#, r#"[36,1,2,{"enc_key":"a"},"b"]"#, r#"[36,1,2,{"enc_algo":"a"},7]"#] {
        assert!(matches!(legacy(wrong), Err(DecodeErrorKind::WrongType { .. })), "{wrong}");
    }
    assert!(message(r#"[36,1,2,{"enc_algo":"a"},["b"]]"#).is_ok());
}
