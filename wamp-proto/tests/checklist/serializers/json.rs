//! Checklist 4.1, JSON.

use std::collections::BTreeMap;

use wamp_proto::*;

use super::{Binary, bytes_value, event_of, payload_of, result_of, value_of};
use crate::wire::{decoded, encoded, hex, received};

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
