//! Checklist 1.1, messages in general, from the view of a decoder and an encoder.

use wamp_proto::*;

use crate::payloads::{args, payload_of};
use crate::wire::{Frame, Item, decoded, elements, encoded, hex, received, refused};

/// What stands in an element.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    Id,
    Type,
    Uri,
    Text,
    Dict,
}

use Shape::{Dict as D, Id, Text, Type, Uri as U};

/// A row of the table of messages: an example, the names and shapes of its fixed elements, and whether a payload may follow.
pub(crate) struct Row(pub(crate) &'static str, pub(crate) &'static [(&'static str, Shape)], pub(crate) Tail);

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Tail {
    Payload,
    Nothing,
    /// The last element may be absent.
    Details,
}

pub(crate) const TABLE: &[Row] = &[
    Row(r#"[1,"realm1",{}]"#, &[("Realm", U), ("Details", D)], Tail::Nothing),
    Row("[2,1,{}]", &[("Session", Id), ("Details", D)], Tail::Nothing),
    Row(r#"[3,{},"a.b"]"#, &[("Details", D), ("Reason", U)], Tail::Payload),
    Row(r#"[4,"ticket",{}]"#, &[("AuthMethod", Text), ("Extra", D)], Tail::Nothing),
    Row(r#"[5,"secret",{}]"#, &[("Signature", Text), ("Extra", D)], Tail::Nothing),
    Row(r#"[6,{},"a.b"]"#, &[("Details", D), ("Reason", U)], Tail::Nothing),
    Row(
        r#"[8,48,1,{},"a.b"]"#,
        &[("REQUEST.Type", Type), ("Request", Id), ("Details", D), ("Error", U)],
        Tail::Payload,
    ),
    Row(r#"[16,1,{},"a.b"]"#, &[("Request", Id), ("Options", D), ("Topic", U)], Tail::Payload),
    Row("[17,1,2]", &[("Request", Id), ("Publication", Id)], Tail::Nothing),
    Row(r#"[32,1,{},"a.b"]"#, &[("Request", Id), ("Options", D), ("Topic", U)], Tail::Nothing),
    Row("[33,1,2]", &[("Request", Id), ("Subscription", Id)], Tail::Nothing),
    Row("[34,1,2]", &[("Request", Id), ("Subscription", Id)], Tail::Nothing),
    Row("[35,1,{}]", &[("Request", Id), ("Details", D)], Tail::Details),
    Row("[36,1,2,{}]", &[("Subscription", Id), ("Publication", Id), ("Details", D)], Tail::Payload),
    Row(r#"[48,1,{},"a.b"]"#, &[("Request", Id), ("Options", D), ("Procedure", U)], Tail::Payload),
    Row("[49,1,{}]", &[("Request", Id), ("Options", D)], Tail::Nothing),
    Row("[50,1,{}]", &[("Request", Id), ("Details", D)], Tail::Payload),
    Row(r#"[64,1,{},"a.b"]"#, &[("Request", Id), ("Options", D), ("Procedure", U)], Tail::Nothing),
    Row("[65,1,2]", &[("Request", Id), ("Registration", Id)], Tail::Nothing),
    Row("[66,1,2]", &[("Request", Id), ("Registration", Id)], Tail::Nothing),
    Row("[67,1,{}]", &[("Request", Id), ("Details", D)], Tail::Details),
    Row("[68,1,2,{}]", &[("Request", Id), ("Registration", Id), ("Details", D)], Tail::Payload),
    Row("[69,1,{}]", &[("Request", Id), ("Options", D)], Tail::Nothing),
    Row("[70,1,{}]", &[("Request", Id), ("Options", D)], Tail::Payload),
];

#[test]
fn msg_001_a_message_is_a_list_that_starts_with_its_type() {
    assert_eq!(TABLE.len(), MessageType::ALL.len());
    for (Row(message, ..), message_type) in TABLE.iter().zip(MessageType::ALL) {
        for format in Format::ALL {
            let message = decoded(message, *format);
            assert_eq!(message.message_type(), *message_type);
            let json: Vec<serde_json::Value> = serde_json::from_slice(&encoded(&message, Format::Json)).unwrap();
            assert_eq!(json[0].as_u64(), Some(message_type.code()));
            assert!(json.len() >= 2);
        }
    }
}

#[test]
fn msg_002_booleans_are_booleans() {
    let mut options = PublishOptions::default();
    options.acknowledge = Some(true);
    let (request, topic, payload) = (RequestId::MIN, Uri::new("a.b").unwrap(), Payload::default());
    let publish = Publish { request, options, topic, payload }.into();
    assert_eq!(encoded(&publish, Format::Json), br#"[16,1,{"acknowledge":true},"a.b"]"#);
    assert!(encoded(&publish, Format::MsgPack).windows(3).any(|bytes| bytes == b"ge\xc3"));
    assert!(encoded(&publish, Format::Cbor).windows(3).any(|bytes| bytes == b"ge\xf5"));

    for (message, element, key) in [
        (r#"[16,1,{"acknowledge":1},"a.b"]"#, 2, "acknowledge"),
        (r#"[50,1,{"progress":1}]"#, 2, "progress"),
        (r#"[50,1,{"progress":0}]"#, 2, "progress"),
        (r#"[36,1,2,{"retained":1}]"#, 3, "retained"),
        (r#"[68,1,2,{"receive_progress":1}]"#, 3, "receive_progress"),
    ] {
        for format in Format::ALL {
            let error = refused(message, *format);
            assert_eq!(error.kind(), &DecodeErrorKind::WrongType { expected: "a boolean", found: Kind::Integer });
            assert_eq!(error.element().map(|element| element.index), Some(element));
            assert_eq!(error.key(), Some(key));
        }
    }
}

#[test]
fn msg_003_keys_are_strings() {
    for (format, frame, found) in [
        (Format::MsgPack, hex("93 02 07 81 01 80"), Kind::Integer),
        (Format::MsgPack, hex("93 02 07 81 c0 80"), Kind::Null),
        (Format::MsgPack, hex("93 02 07 81 c4 01 61 80"), Kind::Bytes),
        (Format::MsgPack, hex("93 02 07 81 90 80"), Kind::List),
        (Format::Cbor, hex("83 02 07 a1 01 a0"), Kind::Integer),
        (Format::Cbor, hex("83 02 07 a1 41 61 a0"), Kind::Bytes),
        (Format::Cbor, hex("83 02 07 bf 80 a0 ff"), Kind::List),
    ] {
        let error = received(&frame, format).unwrap_err();
        assert_eq!(error.kind(), &DecodeErrorKind::KeyIsNotAString { found }, "{frame:02x?}");
        assert_eq!(error.offset(), 4, "{frame:02x?}");
        assert_eq!(error.element(), Some(Element { index: 2, name: "Details" }), "{frame:02x?}");
    }
    for frame in [&b"[2,7,{1:{}}]"[..], b"[2,7,{null:{}}]", b"[2,7,{a:{}}]"] {
        assert_eq!(received(frame, Format::Json).unwrap_err().offset(), 6);
    }
}

#[test]
fn msg_003_of_two_values_of_a_key_the_last_one_counts() {
    for format in Format::ALL {
        let twice = r#"[2,7,{"authid":"a","x_y":1,"authid":"b","x_y":{"z":1,"z":2}}]"#;
        assert_eq!(decoded(twice, *format), decoded(r#"[2,7,{"authid":"b","x_y":{"z":2}}]"#, *format));
        let message = decoded(r#"[36,1,2,{},[{"a":1,"a":2}],{"k":1,"k":{"b":1,"b":[]}}]"#, *format);
        assert_eq!(args(payload_of(&message)), [Value::from(Dict::from_iter([("a", 2)]))]);
        assert_eq!(message, decoded(r#"[36,1,2,{},[{"a":2}],{"k":{"b":[]}}]"#, *format));
    }
}

#[test]
fn msg_004_the_empty_list_is_no_message() {
    for format in Format::ALL {
        let error = refused("[]", *format);
        assert_eq!((error.kind(), error.offset(), error.element()), (&DecodeErrorKind::EmptyList, 0, None));
    }
    assert_eq!(received(&hex("9fff"), Format::Cbor).unwrap_err().kind(), &DecodeErrorKind::EmptyList);
    assert_eq!(received(b" [ ] ", Format::Json).unwrap_err().offset(), 1);
}

#[test]
fn msg_005_a_message_is_a_list() {
    for (value, found) in [
        ("{}", Kind::Dict),
        (r#"{"a":1}"#, Kind::Dict),
        (r#""x""#, Kind::String),
        (r#""""#, Kind::String),
        ("5", Kind::Integer),
        ("-5", Kind::Integer),
        ("0.5", Kind::Float),
        ("null", Kind::Null),
        ("true", Kind::Bool),
        (r#""\u0000AQ==""#, Kind::Bytes),
    ] {
        for format in Format::ALL {
            let error = refused(value, *format);
            assert_eq!(error.kind(), &DecodeErrorKind::NotAList { found }, "{value} in {format}");
            assert_eq!((error.offset(), error.element()), (0, None));
        }
    }
}

#[test]
fn msg_006_the_type_of_a_message_is_an_integer() {
    for (code, found) in [
        (r#""1""#, Kind::String),
        ("1.5", Kind::Float),
        ("36.0", Kind::Float),
        ("null", Kind::Null),
        ("true", Kind::Bool),
        ("[]", Kind::List),
        ("{}", Kind::Dict),
    ] {
        for format in Format::ALL {
            let error = refused(&format!("[{code},1,2,{{}}]"), *format);
            assert_eq!(
                error.kind(),
                &DecodeErrorKind::WrongType { expected: "an integer", found },
                "{code} in {format}"
            );
            assert_eq!((error.offset(), error.element()), (1, Some(Element { index: 0, name: "MessageType" })));
            assert_eq!(error.message_type(), None);
        }
    }
    for format in Format::ALL {
        let error = refused("[-1]", *format);
        assert!(matches!(error.kind(), DecodeErrorKind::WrongValue { .. }), "{error}");
    }
}

#[test]
fn msg_007_unknown_types_up_to_255_are_refused() {
    for code in (0..=255).filter(|code| !MessageType::ALL.iter().any(|known| known.code() == *code)) {
        for format in Format::ALL {
            let error = refused(&format!("[{code},1,{{}}]"), *format);
            assert_eq!(error.kind(), &DecodeErrorKind::UnknownMessageType(code));
            assert_eq!((error.offset(), error.element().map(|element| element.index)), (1, Some(0)));
        }
    }
}

#[test]
fn msg_008_extension_messages_are_refused() {
    for code in [256, 337, 1023, 1024, 65_536 + 36, u64::from(u32::MAX) + 37, u64::MAX] {
        for format in Format::ALL {
            let error = refused(&format!("[{code},1]"), *format);
            assert_eq!(error.kind(), &DecodeErrorKind::UnknownMessageType(code));
        }
    }
}

#[test]
fn msg_009_too_few_elements_are_refused() {
    for Row(message, names, tail) in TABLE {
        let all = elements(message);
        assert_eq!(all.len(), names.len() + 1);
        let minimum = if *tail == Tail::Details { all.len() - 1 } else { all.len() };
        for length in 1..minimum {
            for format in Format::ALL {
                let frame = Frame::of(&all[..length], *format);
                let error = frame.decode(*format).unwrap_err();
                assert_eq!(error.kind(), &DecodeErrorKind::WrongLength(Length::TooFew), "{message} cut to {length}");
                let element = error.element().unwrap();
                assert_eq!((usize::from(element.index), element.name), (length, names[length - 1].0));
                assert_eq!(error.offset(), frame.bytes.len(), "{message} cut to {length} in {format}");
            }
        }
    }
}

#[test]
fn msg_009_too_many_elements_are_refused() {
    for Row(message, _, tail) in TABLE {
        let mut all = elements(message);
        if *tail == Tail::Payload {
            all.extend(elements(r#"[["a"],{"k":1}]"#));
        }
        for format in Format::ALL {
            assert!(Frame::of(&all, *format).decode(*format).is_ok());
        }
        let maximum = all.len();
        for surplus in ["null", "{}", "[]", "0", r#""""#] {
            all.truncate(maximum);
            all.push(Item::new(surplus));
            for format in Format::ALL {
                let frame = Frame::of(&all, *format);
                let error = frame.decode(*format).unwrap_err();
                assert_eq!(error.kind(), &DecodeErrorKind::WrongLength(Length::TooMany), "{message} and {surplus}");
                assert_eq!(error.element().map(|element| usize::from(element.index)), Some(maximum));
                assert_eq!(error.offset(), frame.starts[maximum], "{message} and {surplus} in {format}");
            }
        }
    }
}

#[test]
fn msg_010_elements_of_a_wrong_type_are_refused() {
    const VALUES: &[(&str, Kind)] = &[
        ("null", Kind::Null),
        ("true", Kind::Bool),
        ("7", Kind::Integer),
        ("1.5", Kind::Float),
        (r#""a""#, Kind::String),
        (r#""\u0000YQ==""#, Kind::Bytes),
        ("[]", Kind::List),
        (r#"[{"a":[1]}]"#, Kind::List),
        ("{}", Kind::Dict),
        (r#"{"a":[1]}"#, Kind::Dict),
    ];
    for Row(message, names, _) in TABLE {
        for (index, (name, shape)) in (1..).zip(*names) {
            let (expected, right) = match shape {
                Id => ("an integer", Kind::Integer),
                Type => ("an integer", Kind::Integer),
                U => ("a URI", Kind::String),
                Text => ("a string", Kind::String),
                D => ("a dict", Kind::Dict),
            };
            for (value, found) in VALUES.iter().filter(|(_, kind)| *kind != right) {
                let mut elements = elements(message);
                elements[index] = Item::new(value);
                for format in Format::ALL {
                    let frame = Frame::of(&elements, *format);
                    let error = frame.decode(*format).unwrap_err();
                    let kind = DecodeErrorKind::WrongType { expected, found: *found };
                    assert_eq!(error.kind(), &kind, "{message} with {value} as {name} in {format}");
                    let element = Element { index: index.try_into().unwrap(), name };
                    assert_eq!(error.element(), Some(element), "{message} with {value} as {name} in {format}");
                    assert_eq!(error.offset(), frame.starts[index], "{message} with {value} as {name} in {format}");
                    assert_eq!(error.message_type().map(MessageType::code), Some(code_of(&elements)));
                }
            }
        }
    }
}

fn code_of(elements: &[Item]) -> u64 {
    match elements[0] {
        Item::Integer(code) => code.try_into().unwrap(),
        _ => panic!("no message type"),
    }
}

#[test]
fn msg_010_known_attributes_of_a_wrong_type_are_refused() {
    for (message, key) in [
        (r#"[1,"r",{"roles":[]}]"#, "roles"),
        (r#"[1,"r",{"roles":{"caller":null}}]"#, "roles"),
        (r#"[1,"r",{"roles":{"caller":{"features":[]}}}]"#, "roles"),
        (r#"[1,"r",{"authmethods":"ticket"}]"#, "authmethods"),
        (r#"[1,"r",{"authmethods":["ticket",1]}]"#, "authmethods"),
        (r#"[1,"r",{"authid":1}]"#, "authid"),
        (r#"[1,"r",{"authextra":[]}]"#, "authextra"),
        (r#"[2,1,{"authrole":{}}]"#, "authrole"),
        (r#"[3,{"message":1},"a.b"]"#, "message"),
        (r#"[6,{"message":[]},"a.b"]"#, "message"),
        (r#"[8,48,1,{"callee_authid":1},"a.b"]"#, "callee_authid"),
        (r#"[16,1,{"exclude":1},"a.b"]"#, "exclude"),
        (r#"[16,1,{"exclude":["1"]},"a.b"]"#, "exclude"),
        (r#"[16,1,{"eligible_authrole":[1]},"a.b"]"#, "eligible_authrole"),
        (r#"[16,1,{"ppt_scheme":1},"a.b"]"#, "ppt_scheme"),
        (r#"[32,1,{"match":1},"a.b"]"#, "match"),
        (r#"[32,1,{"match":"regex"},"a.b"]"#, "match"),
        (r#"[35,0,{"reason":1}]"#, "reason"),
        (r#"[36,1,2,{"topic":1}]"#, "topic"),
        (r#"[36,1,2,{"trustlevel":-1}]"#, "trustlevel"),
        (r#"[36,1,2,{"trustlevel":"1"}]"#, "trustlevel"),
        (r#"[48,1,{"timeout":1.5},"a.b"]"#, "timeout"),
        (r#"[49,1,{"mode":"stop"}]"#, "mode"),
        (r#"[49,1,{"mode":null}]"#, "mode"),
        (r#"[64,1,{"invoke":"all"},"a.b"]"#, "invoke"),
        (r#"[64,1,{"concurrency":[]},"a.b"]"#, "concurrency"),
        (r#"[68,1,2,{"procedure":null}]"#, "procedure"),
        (r#"[69,1,{"mode":1}]"#, "mode"),
    ] {
        for format in Format::ALL {
            let error = refused(message, *format);
            assert_eq!(error.key(), Some(key), "{message} in {format}: {error}");
            let kind = error.kind();
            let wrong = matches!(kind, DecodeErrorKind::WrongType { .. } | DecodeErrorKind::WrongValue { .. });
            assert!(wrong, "{message} in {format}: {error}");
        }
    }
}

#[test]
fn msg_011_unknown_attributes_are_kept() {
    let unknown = r#""_foo_bar":1,"a":{"a":[]},"x_cb_node":"n""#;
    for message in [
        r#"[1,"r",{EXTRA}]"#,
        "[2,1,{EXTRA}]",
        r#"[3,{EXTRA},"a.b"]"#,
        r#"[4,"ticket",{EXTRA}]"#,
        r#"[5,"s",{EXTRA}]"#,
        r#"[6,{EXTRA},"a.b"]"#,
        r#"[8,48,1,{EXTRA},"a.b"]"#,
        r#"[16,1,{EXTRA},"a.b"]"#,
        r#"[32,1,{EXTRA},"a.b"]"#,
        "[35,0,{EXTRA}]",
        "[36,1,2,{EXTRA}]",
        r#"[48,1,{EXTRA},"a.b"]"#,
        "[49,1,{EXTRA}]",
        "[50,1,{EXTRA}]",
        r#"[64,1,{EXTRA},"a.b"]"#,
        "[67,0,{EXTRA}]",
        "[68,1,2,{EXTRA}]",
        "[69,1,{EXTRA}]",
        "[70,1,{EXTRA}]",
    ] {
        let message = message.replace("EXTRA", unknown);
        for format in Format::ALL {
            assert_eq!(encoded(&decoded(&message, *format), Format::Json), message.as_bytes());
        }
    }
    let Message::Welcome(welcome) = decoded(r#"[2,1,{"x_cb_pid":7,"authid":"joe"}]"#, Format::MsgPack) else {
        panic!()
    };
    assert_eq!(welcome.details.authid.as_deref(), Some("joe"));
    assert_eq!(welcome.details.extra, Dict::from_iter([("x_cb_pid", 7)]));
}

#[test]
fn msg_011_unknown_attributes_that_no_value_stands_for_are_ignored() {
    let check = |frame: &[u8], format| {
        let message = decode(frame.to_vec().into(), format, &Limits::new(), PayloadCheck::OnReceipt);
        let Ok(Message::Challenge(challenge)) = message else { panic!("{format}: {message:?}") };
        assert_eq!(challenge.extra, Dict::from_iter([("a", 1), ("b", 2)]), "{format}");
    };
    let numbers = r#"[4,"t",{"a":1,"x":1e400,"y":[{"z":-1e400}],"b":2}]"#;
    check(numbers.as_bytes(), Format::Json);
    // A timestamp, and a dict whose key is an integer.
    check(b"\x93\x04\xa1t\x84\xa1a\x01\xa1x\xd6\xff\0\0\0\0\xa1y\x91\x81\x01\x02\xa1b\x02", Format::MsgPack);
    // A simple value that nobody has given a meaning, and an integer of 65 bits.
    check(b"\x83\x04\x61t\xa4\x61a\x01\x61x\xe0\x61y\x81\x3b\xff\xff\xff\xff\xff\xff\xff\xff\x61b\x02", Format::Cbor);

    let welcome = decoded(r#"[2,1,{"authid":"joe","x":1}]"#, Format::Json);
    let frame = br#"[2,1,{"x":1,"x":1e400,"authid":"joe","y":1e400}]"#.as_slice();
    assert_eq!(decode(frame.into(), Format::Json, &Limits::new(), PayloadCheck::OnReceipt), Ok(welcome));
    // What is malformed is no value of any kind.
    let frame = br#"[2,1,{"x":1e}]"#.as_slice();
    assert!(decode(frame.into(), Format::Json, &Limits::new(), PayloadCheck::OnReceipt).is_err());
}

#[test]
fn msg_013_attributes_are_a_dict_even_if_there_are_none() {
    for Row(message, names, _) in TABLE {
        for index in (1..).zip(*names).filter_map(|(index, (_, shape))| (*shape == D).then_some(index)) {
            for format in Format::ALL {
                let message = decoded(message, *format);
                let again: Vec<serde_json::Value> = serde_json::from_slice(&encoded(&message, Format::Json)).unwrap();
                assert_eq!(again[index], serde_json::json!({}), "{message:?}");
            }
        }
    }
}
