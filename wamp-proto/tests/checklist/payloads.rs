//! Checklist 1.1, messages in general: their payloads.

use std::collections::BTreeMap;

use wamp_proto::*;

use crate::messages::{TABLE, Tail};
use crate::wire::{Frame, Item, decoded, elements, encoded};

/// The elements of each message with a payload, the payload left out.
fn heads() -> impl Iterator<Item = Vec<Item>> {
    TABLE.iter().filter(|row| row.2 == Tail::Payload).map(|row| elements(row.0))
}

pub(crate) fn payload_of(message: &Message) -> &Payload {
    match message {
        Message::Abort(message) => &message.payload,
        Message::Error(message) => &message.payload,
        Message::Publish(message) => &message.payload,
        Message::Event(message) => &message.payload,
        Message::Call(message) => &message.payload,
        Message::Result(message) => &message.payload,
        Message::Invocation(message) => &message.payload,
        Message::Yield(message) => &message.payload,
        message => panic!("{message:?} has no payload"),
    }
}

pub(crate) fn args(payload: &Payload) -> Vec<Value> {
    payload.args().unwrap()
}

fn kwargs(payload: &Payload) -> BTreeMap<String, Value> {
    payload.kwargs().unwrap()
}

#[test]
fn msg_010_payloads_of_a_wrong_type_are_refused() {
    let wrong = |expected, found| DecodeErrorKind::WrongType { expected, found };
    let values = [
        ("true", Kind::Bool),
        ("7", Kind::Integer),
        ("1.5", Kind::Float),
        (r#""a""#, Kind::String),
        (r#""\u0000YQ==""#, Kind::Bytes),
    ];
    for head in heads() {
        let with = |payload: &[&str]| head.iter().cloned().chain(payload.iter().map(|json| Item::new(json))).collect();
        for format in Format::ALL {
            let check = |elements: Vec<Item>, kind, name| {
                let frame = Frame::of(&elements, *format);
                let error = frame.decode(*format).unwrap_err();
                let index = elements.len() - 1;
                assert_eq!(error.kind(), &kind, "{elements:?} in {format}");
                assert_eq!(error.element(), Some(Element { index: index.try_into().unwrap(), name }), "{elements:?}");
                assert_eq!(error.offset(), frame.starts[index], "{elements:?} in {format}");
            };
            for (value, found) in values {
                check(with(&[value]), wrong("a list", found), "Arguments");
                check(with(&["[]", value]), wrong("a dict", found), "ArgumentsKw");
            }
            check(with(&[r#"{"a":1}"#]), wrong("a list", Kind::Dict), "Arguments");
            check(with(&["[1]", "[1]"]), wrong("a dict", Kind::List), "ArgumentsKw");
        }
    }
}

#[test]
fn msg_014_015_empty_arguments_are_not_sent() {
    for head in heads() {
        for format in Format::ALL {
            let bare = Frame::of(&head, *format);
            for (received, sent) in [("[[]]", "[]"), ("[[],{}]", "[]"), (r#"[["a"],{}]"#, r#"[["a"]]"#)] {
                let with = |payload| head.iter().cloned().chain(elements(payload)).collect::<Vec<_>>();
                let message = Frame::of(&with(received), *format).decode(*format).unwrap();
                for target in Format::ALL {
                    assert_eq!(encoded(&message, *target), Frame::of(&with(sent), *target).bytes, "{received}");
                }
            }
            let message = bare.decode(*format).unwrap();
            assert_eq!(encoded(&message, *format), bare.bytes);
        }
    }
    for format in Format::ALL {
        let empty: [Payload; 4] = [
            ().into_payload(*format).unwrap(),
            Args(Vec::<u8>::new()).into_payload(*format).unwrap(),
            Kwargs(Dict::new()).into_payload(*format).unwrap(),
            ArgsKwargs(Vec::<u8>::new(), Dict::new()).into_payload(*format).unwrap(),
        ];
        for payload in empty {
            let message = Yield { request: RequestId::MIN, options: YieldOptions::default(), payload }.into();
            assert_eq!(encoded(&message, Format::Json), b"[70,1,{}]");
        }
    }
}

#[test]
fn msg_016_an_empty_list_stands_for_absent_arguments() {
    let kwargs = BTreeMap::from([("k", 1)]);
    for format in Format::ALL {
        let payload = Kwargs(&kwargs).into_payload(*format).unwrap();
        let (request, procedure) = (RequestId::MIN, Uri::new("a.b").unwrap());
        let call = Call { request, options: CallOptions::default(), procedure, payload }.into();
        for target in Format::ALL {
            let literal = elements(r#"[48,1,{},"a.b",[],{"k":1}]"#);
            assert_eq!(encoded(&call, *target), Frame::of(&literal, *target).bytes);
        }
    }
}

#[test]
fn msg_017_empty_arguments_equal_absent_ones() {
    for head in heads() {
        for format in Format::ALL {
            let all = ["[]", "[[]]", "[[],{}]"].map(|payload| {
                let elements: Vec<_> = head.iter().cloned().chain(elements(payload)).collect();
                Frame::of(&elements, *format).decode(*format).unwrap()
            });
            for message in &all {
                assert_eq!(message, &all[0]);
                assert!(args(payload_of(message)).is_empty());
                assert!(kwargs(payload_of(message)).is_empty());
            }
            let raw = |message| {
                let payload = payload_of(message);
                (payload.raw_args().unwrap().is_some(), payload.raw_kwargs().unwrap().is_some())
            };
            assert_eq!([raw(&all[0]), raw(&all[1]), raw(&all[2])], [(false, false), (true, false), (true, true)]);
        }
    }
}

#[test]
fn msg_018_null_args_are_accepted() {
    for head in heads() {
        for format in Format::ALL {
            for (received, sent) in [
                (r#"[null,{"a":1}]"#, r#"[[],{"a":1}]"#),
                ("[null]", "[]"),
                ("[null,null]", "[]"),
                ("[[1],null]", "[[1]]"),
            ] {
                let with = |payload| head.iter().cloned().chain(elements(payload)).collect::<Vec<_>>();
                let message = Frame::of(&with(received), *format).decode(*format).unwrap();
                assert_eq!(message, Frame::of(&with(sent), *format).decode(*format).unwrap(), "{received}");
                for target in Format::ALL {
                    assert_eq!(encoded(&message, *target), Frame::of(&with(sent), *target).bytes, "{received}");
                }
            }
        }
    }
    let message = decoded(r#"[36,1,2,{},null,{"a":1}]"#, Format::Json);
    assert!(args(payload_of(&message)).is_empty());
    assert_eq!(kwargs(payload_of(&message)), BTreeMap::from([("a".to_owned(), Value::from(1))]));
}

#[test]
fn msg_021_payloads_carry_every_type() {
    let values = vec![
        Value::Null,
        Value::from(-1),
        Value::from(1.5),
        Value::from(true),
        Value::from(""),
        Value::List(Vec::new()),
        Value::Dict(Dict::new()),
        Value::Bytes(bytes::Bytes::from_static(b"\0")),
        Value::from(Dict::from_iter([("a", vec![Dict::new()])])),
    ];
    let literal = r#"[36,1,2,{},[null,-1,1.5,true,"",[],{},"\u0000AA==",{"a":[{}]}]]"#;
    for format in Format::ALL {
        let message = decoded(literal, *format);
        assert_eq!(args(payload_of(&message)), values);
        let payload = Args(&values).into_payload(*format).unwrap();
        assert_eq!(&payload, payload_of(&message));
        let Message::Event(event) = message else { panic!() };
        let again = Event { payload, ..event }.into();
        for target in Format::ALL {
            assert_eq!(encoded(&again, *target), Frame::of(&elements(literal), *target).bytes);
        }
    }
}

#[test]
fn msg_023_what_a_format_cannot_carry_is_an_error_and_writes_nothing() {
    assert!((f64::NAN,).into_payload(Format::Json).is_err());
    let payload = (1, f64::NAN).into_payload(Format::Cbor).unwrap();
    let (request, procedure) = (RequestId::MIN, Uri::new("a.b").unwrap());
    let call = Call { request, options: CallOptions::default(), procedure, payload }.into();
    let mut frame = b"before".to_vec();
    let error = encode(&call, Format::Json, &mut frame).unwrap_err();
    assert_eq!(error.path(), "args[1]");
    assert!(matches!(error.kind(), EncodeErrorKind::Unsupported { format: Format::Json, .. }), "{error}");
    assert_eq!(frame, b"before");

    let mut options = YieldOptions::default();
    options.extra.insert("x_rate", f64::INFINITY);
    let message = Yield { request: RequestId::MIN, options, payload: Payload::default() }.into();
    assert!(encode(&message, Format::Json, &mut frame).is_err());
    assert_eq!(frame, b"before");
    encode(&message, Format::MsgPack, &mut frame).unwrap();
    assert!(frame.len() > b"before".len());
}
