//! Payloads on their way in and out, in every format.

#[cfg(feature = "json")]
mod json;

use std::collections::BTreeMap;

use serde::Serialize;

use super::*;
use crate::{Dict, Event, EventDetails, Limits, Message, PayloadCheck, PublicationId, SubscriptionId, decode, encode};

fn formats() -> impl Iterator<Item = Format> {
    Format::ALL.iter().copied()
}

fn event(payload: Payload) -> Message {
    Event {
        subscription: SubscriptionId::MIN,
        publication: PublicationId::MIN,
        details: EventDetails::default(),
        payload,
    }
    .into()
}

fn payload(message: Message) -> Payload {
    let Message::Event(event) = message else { panic!("no event") };
    event.payload
}

/// A payload that went over the wire.
fn received(sent: impl IntoPayload, format: Format, check: PayloadCheck) -> Payload {
    let mut frame = Vec::new();
    encode(&event(sent.into_payload(format).unwrap()), format, &mut frame).unwrap();
    payload(decode(frame.into(), format, &Limits::new(), check).unwrap())
}

/// The raw Arguments and ArgumentsKw, decoded.
fn raw(payload: &Payload) -> (Option<Value>, Option<Value>) {
    let value = |bytes: Option<Bytes>| {
        bytes.map(|bytes| serial::decode(&bytes, payload.format().unwrap(), Root::Args).unwrap())
    };
    (value(payload.raw_args().unwrap()), value(payload.raw_kwargs().unwrap()))
}

fn list<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Option<Value> {
    Some(Value::List(values.into_iter().map(Into::into).collect()))
}

fn dict(key: &str, value: impl Into<Value>) -> Option<Value> {
    Some(Dict::from_iter([(key, value.into())]).into())
}

#[derive(Serialize)]
struct Point {
    x: u8,
}

#[derive(Serialize)]
struct Newtype<T>(T);

#[derive(Serialize)]
struct Pair(u8, u8);

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
#[serde(transparent)]
struct Transparent((u8, u8));

#[derive(Serialize)]
enum Choice {
    Unit,
    Tuple(u8, u8),
}

#[test]
fn the_shape_follows_the_type() {
    fn shape(sent: impl IntoPayload + Clone) -> (Option<Value>, Option<Value>) {
        let mut shapes: Vec<_> = formats().map(|format| raw(&sent.clone().into_payload(format).unwrap())).collect();
        shapes.dedup();
        let [shape] = &shapes[..] else { panic!("{shapes:?}") };
        shape.clone()
    }

    let none = (None, None);
    let one = |value: Value| (list([value]), None);
    assert_eq!(shape(()), none);
    assert_eq!(shape([0_u8; 0]), none);
    assert_eq!(shape((1,)), (list([1]), None));
    assert_eq!(shape((1, "a")), (list([Value::from(1), "a".into()]), None));
    assert_eq!(shape([1, 2]), (list([1, 2]), None));
    assert_eq!(shape(&(1, 2)), (list([1, 2]), None));
    assert_eq!(shape(&Transparent((1, 2))), (list([1, 2]), None));
    assert_eq!(shape(5), one(5.into()));
    assert_eq!(shape(true), one(true.into()));
    assert_eq!(shape(0.5), one(0.5.into()));
    assert_eq!(shape('a'), one("a".into()));
    assert_eq!(shape("a"), one("a".into()));
    assert_eq!(shape(vec![1, 2]), one(vec![1, 2].into()));
    assert_eq!(shape(Vec::<u8>::new()), one(Value::List(vec![])));
    assert_eq!(shape(&[1, 2][..]), one(vec![1, 2].into()));
    assert_eq!(shape(BTreeMap::from([("x", 1)])), one(dict("x", 1).unwrap()));
    assert_eq!(shape(&Point { x: 1 }), one(dict("x", 1).unwrap()));
    assert_eq!(shape(Some((1, 2))), one(vec![1, 2].into()));
    assert_eq!(shape(None::<(u8, u8)>), one(Value::Null));
    assert_eq!(shape(Some(())), one(Value::Null));
    assert_eq!(shape(&Newtype((1, 2))), one(vec![1, 2].into()));
    assert_eq!(shape(&Newtype(())), one(Value::Null));
    assert_eq!(shape(&Pair(1, 2)), one(vec![1, 2].into()));
    assert_eq!(shape(&Unit), one(Value::Null));
    assert_eq!(shape(&Choice::Unit), one("Unit".into()));
    assert_eq!(shape(&Choice::Tuple(1, 2)), one(dict("Tuple", vec![1, 2]).unwrap()));
    assert_eq!(shape(Value::Null), one(Value::Null));
    #[cfg(feature = "json")]
    assert_eq!(shape(serde_json::Value::Null), one(Value::Null));
    assert_eq!(shape(Value::List(vec![])), one(Value::List(vec![])));
    assert_eq!(shape(Value::Bytes(Bytes::from_static(b"\0"))), one(Value::Bytes(Bytes::from_static(b"\0"))));
    assert_eq!(shape(Dict::new()), one(Dict::new().into()));

    assert_eq!(shape(Args(vec![1, 2])), (list([1, 2]), None));
    assert_eq!(shape(Args((1, 2))), (list([1, 2]), None));
    assert_eq!(shape(Args(&Newtype(Newtype(vec![1, 2])))), (list([1, 2]), None));
    assert_eq!(shape(Args(&Pair(1, 2))), (list([1, 2]), None));
    assert_eq!(shape(Args(())), none);
    assert_eq!(shape(Args(Vec::<u8>::new())), none);
    assert_eq!(shape(Kwargs(BTreeMap::from([("x", 1)]))), (list::<Value>([]), dict("x", 1)));
    assert_eq!(shape(Kwargs(&Point { x: 1 })), (list::<Value>([]), dict("x", 1)));
    assert_eq!(shape(Kwargs(&Newtype(Point { x: 1 }))), (list::<Value>([]), dict("x", 1)));
    assert_eq!(shape(Kwargs(Dict::new())), none);
    assert_eq!(shape(ArgsKwargs((1, 2), Dict::from_iter([("x", 1)]))), (list([1, 2]), dict("x", 1)));
    assert_eq!(shape(ArgsKwargs((1, 2), Dict::new())), (list([1, 2]), None));
    assert_eq!(shape(ArgsKwargs((), Dict::from_iter([("x", 1)]))), (list::<Value>([]), dict("x", 1)));
    assert_eq!(shape(ArgsKwargs(Vec::<u8>::new(), Dict::from_iter([("x", 1)]))), (list::<Value>([]), dict("x", 1)));
    assert_eq!(shape(ArgsKwargs((), Dict::new())), none);
}

#[test]
fn the_wrong_shape_is_refused() {
    for format in formats() {
        let refusal = |result: Result<Payload, EncodeError>| result.unwrap_err().to_string();
        let a_sequence = "args: expected a sequence";
        assert_eq!(refusal(Args(5).into_payload(format)), a_sequence);
        assert_eq!(refusal(Args("text").into_payload(format)), a_sequence);
        assert_eq!(refusal(Args(Value::Bytes(Bytes::new())).into_payload(format)), a_sequence);
        assert_eq!(refusal(Args(Point { x: 1 }).into_payload(format)), a_sequence);
        assert_eq!(refusal(Args(Some(vec![1])).into_payload(format)), a_sequence);
        assert_eq!(refusal(Args(Choice::Tuple(1, 2)).into_payload(format)), a_sequence);
        let a_map = "kwargs: expected a map or struct";
        assert_eq!(refusal(Kwargs(5).into_payload(format)), a_map);
        assert_eq!(refusal(Kwargs((1, 2)).into_payload(format)), a_map);
        assert_eq!(refusal(Kwargs(vec![1]).into_payload(format)), a_map);
        assert_eq!(refusal(Kwargs(()).into_payload(format)), a_map);
        assert_eq!(refusal(ArgsKwargs((1,), vec![1]).into_payload(format)), a_map);
    }
}

#[test]
fn types_read_what_they_have_written() {
    for format in formats() {
        let payload = received((1, "a"), format, PayloadCheck::OnReceipt);
        assert_eq!(payload.to::<(u8, String)>(), Ok((1, "a".to_owned())));
        assert_eq!(payload.to::<()>(), Ok(()));
        assert_eq!(payload.to::<u8>(), Ok(1));
        assert_eq!(payload.to::<Option<u8>>(), Ok(Some(1)));
        assert_eq!(payload.to::<Value>(), Ok(1.into()));
        let expected_three = payload.to::<(u8, String, u8)>().unwrap_err().to_string();
        assert_eq!(expected_three, "args: invalid length 2, expected a tuple of size 3", "{format}");
        let expected_one = payload.to::<(u8,)>().unwrap_err().to_string();
        assert_eq!(expected_one, "args: invalid length 2, expected 1 elements", "{format}");

        let payload = received(vec![1, 2], format, PayloadCheck::OnReceipt);
        assert_eq!(payload.to::<Vec<u8>>(), Ok(vec![1, 2]));
        let payload = received([1, 2], format, PayloadCheck::OnReceipt);
        assert_eq!(payload.to::<[u8; 2]>(), Ok([1, 2]));
        let payload = received(None::<u8>, format, PayloadCheck::OnReceipt);
        assert_eq!(payload.to::<Option<u8>>(), Ok(None));
        assert!(matches!(payload.to::<u8>(), Err(PayloadError::Mismatch { .. })));
        let payload = received((), format, PayloadCheck::OnReceipt);
        assert_eq!(payload.to::<()>(), Ok(()));
        assert_eq!(payload.to::<Option<u8>>(), Ok(None));
        assert_eq!(payload.to::<u8>(), Err(PayloadError::Missing(0)));
        assert_eq!(payload.to::<[u8; 0]>(), Ok([]));
        assert!(payload.to::<(u8,)>().is_err());
        let payload = received(Kwargs(Point { x: 1 }), format, PayloadCheck::OnReceipt);
        assert_eq!(payload.to::<Option<u8>>(), Ok(None));
        assert_eq!(payload.to::<u8>(), Err(PayloadError::Missing(0)));
    }
}

#[test]
fn arguments_are_read_one_by_one() {
    for format in formats() {
        let nested = Value::List(vec![Value::List(vec![1.into()]), Dict::from_iter([("k", 2)]).into()]);
        for check in [PayloadCheck::OnReceipt, PayloadCheck::OnDecode] {
            let payload = received((nested.clone(), "text", 3), format, check);
            assert_eq!(payload.arg(0), Ok(nested.clone()));
            assert_eq!(payload.arg(1), Ok("text"));
            assert_eq!(payload.arg(2), Ok(3));
            assert_eq!(payload.arg::<u8>(3), Err(PayloadError::Missing(3)));
            let mismatch = payload.arg::<u8>(1).unwrap_err().to_string();
            assert!(mismatch.starts_with("args[1]: "), "{mismatch}");
            assert_eq!(payload.kwargs(), Ok(Dict::new()));
        }
        let payload = received(Kwargs(Point { x: 1 }), format, PayloadCheck::OnReceipt);
        assert_eq!(payload.kwargs(), Ok(BTreeMap::from([("x", 1)])));
        assert_eq!(payload.arg::<u8>(0), Err(PayloadError::Missing(0)));
        assert_eq!(payload.args(), Ok(Vec::<u8>::new()));
    }
}

#[test]
fn absent_arguments_are_an_empty_list_and_an_empty_dict() {
    let payload = Payload::new();
    assert_eq!(payload.args(), Ok(Vec::<u8>::new()));
    assert_eq!(payload.args(), Ok(Some(Vec::<u8>::new())));
    assert_eq!(payload.args::<[u8; 0]>(), Ok([]));
    assert!(payload.args::<(u8,)>().is_err());
    assert_eq!(payload.kwargs(), Ok(Dict::new()));
    assert_eq!(payload.arg::<u8>(0), Err(PayloadError::Missing(0)));
    assert_eq!((payload.raw_args(), payload.raw_kwargs()), (Ok(None), Ok(None)));
    assert_eq!((payload.format(), payload.byte_len()), (None, 0));
    assert_eq!(payload.check(), Ok(()));
}

#[test]
fn msg_023_what_a_format_cannot_carry_is_a_local_error() {
    for format in formats() {
        let error = Kwargs(BTreeMap::from([("k", BTreeMap::from([(1, 1)]))])).into_payload(format).unwrap_err();
        assert_eq!((error.path(), error.kind()), ("kwargs.k", &EncodeErrorKind::KeyIsNotAString));
    }
}

#[test]
fn values_of_every_type_go_from_each_format_to_each() {
    let value = Value::List(vec![
        Value::Null,
        true.into(),
        u64::MAX.into(),
        i64::MIN.into(),
        0.1.into(),
        Value::F64(-0.0),
        "text, é".into(),
        Value::Bytes(Bytes::from_static(&[0, 1, 0xff])),
        Value::Bytes(Bytes::new()),
        Value::List(vec![]),
        Dict::new().into(),
        Dict::from_iter([(
            "a",
            Value::List(vec![Dict::from_iter([("b", Value::Bytes(Bytes::from_static(b"x")))]).into()]),
        )])
        .into(),
    ]);
    let deep = (0..124).fold(Value::Null, |value, _| Value::List(vec![value]));
    for from in formats() {
        for to in formats() {
            let args = [value.clone(), deep.clone(), 0.5_f32.into()];
            let sent = ArgsKwargs(args.clone(), BTreeMap::from([("k", value.clone())])).into_payload(from).unwrap();
            let transcoded = sent.transcode(to).unwrap();
            assert_eq!(transcoded.format(), Some(to));
            assert_eq!(transcoded.args(), Ok(args), "{from} to {to}");
            assert_eq!(transcoded.kwargs(), Ok(Dict::from_iter([("k", value.clone())])), "{from} to {to}");
            assert_eq!(transcoded, sent);

            let mut frame = Vec::new();
            encode(&event(sent.clone()), to, &mut frame).unwrap();
            let message = decode(frame.into(), to, &Limits::new(), PayloadCheck::OnReceipt).unwrap();
            assert_eq!(payload(message), sent, "{from} to {to}");
        }
    }
}

#[test]
fn payloads_are_equal_if_their_values_are() {
    for format in formats() {
        let same = |a: &Payload, b: &Payload| {
            assert_eq!(a == b, b == a);
            a == b
        };
        let sent = |values: &[u8]| Args(values).into_payload(format).unwrap();
        let kwargs = |key| ArgsKwargs([1], Dict::from_iter([(key, 1)])).into_payload(format).unwrap();
        assert!(same(&sent(&[1]), &sent(&[1])));
        assert!(!same(&sent(&[1]), &sent(&[2])));
        assert!(!same(&sent(&[1]), &sent(&[1, 2])));
        assert!(!same(&sent(&[1]), &Payload::new()));
        assert!(!same(&sent(&[1]), &kwargs("k")));
        assert!(same(&kwargs("k"), &kwargs("k")));
        assert!(!same(&kwargs("k"), &kwargs("l")));
        assert!(same(&received((1, 2), format, PayloadCheck::OnDecode), &sent(&[1, 2])));
    }
    assert_eq!(Payload::new(), Payload::default());
}

#[test]
fn a_payload_prints_no_content() {
    for format in formats() {
        for check in [PayloadCheck::OnReceipt, PayloadCheck::OnDecode] {
            let payload = received(ArgsKwargs(["secret"], Dict::from_iter([("secret", 1)])), format, check);
            let printed = format!("{payload:?}");
            assert!(!printed.contains("secret"), "{printed}");
            assert!(printed.contains("format"), "{printed}");
        }
    }
    assert_eq!(format!("{:?}", Payload::new()), "Payload");
}

#[test]
fn a_detached_payload_does_not_keep_its_frame() {
    for format in formats() {
        for check in [PayloadCheck::OnReceipt, PayloadCheck::OnDecode] {
            for look_first in [false, true] {
                let mut frame = Vec::new();
                let sent = ArgsKwargs((1, "a"), Dict::from_iter([("k", 1)])).into_payload(format).unwrap();
                encode(&event(sent.clone()), format, &mut frame).unwrap();
                let frame = Bytes::from(frame);
                let received = payload(decode(frame.clone(), format, &Limits::new(), check).unwrap());
                if look_first {
                    received.check().unwrap();
                }
                let detached = received.detach();
                drop(received);
                assert!(frame.is_unique(), "{format} {check:?}");
                assert_eq!(detached, sent);
                assert_eq!(detached.byte_len(), detached.clone().byte_len());
            }
        }
    }
}

#[test]
fn an_own_payload_passes_through() {
    let payload = (1, 2).into_payload(Format::ALL[0]).unwrap();
    assert_eq!(payload.clone().into_payload(Format::ALL[Format::ALL.len() - 1]), Ok(payload));
}

#[test]
fn values_of_every_depth_go_from_each_format_to_each() {
    let siblings =
        || [Value::List(vec![]), Value::Bytes(Bytes::from_static(&[1, 2])), Dict::from_iter([("\"", 7)]).into()];
    let mut value = Value::from("deepest");
    for depth in 0..60 {
        for from in formats() {
            let sent = (&value, depth).into_payload(from).unwrap();
            for to in formats() {
                let (found, number): (Value, i32) = sent.transcode(to).unwrap().args().unwrap();
                assert_eq!((&found, number), (&value, depth), "{from} to {to}");
            }
        }
        // Two levels more, with lists and dicts before and behind.
        let mut inside = siblings().to_vec();
        inside.push(value);
        inside.extend(siblings());
        value =
            Dict::from_iter([("a", Value::from(1)), ("k\n", inside.into()), ("z", siblings().to_vec().into())]).into();
    }
}

#[cfg(all(feature = "msgpack", feature = "cbor"))]
#[test]
fn ser_31_deep_lists_without_a_length_are_transcoded() {
    for depth in 1..120 {
        let mut frame = b"\x9f\x18\x24\x01\x01\xa0".to_vec();
        frame.extend(b"\x9f\xc1".repeat(depth));
        frame.extend(b"\xbf\xc1\x7f\x61a\xff\x9f\xff\x61b\xc2\x41\x05\xff");
        frame.extend(b"\x07\xff".repeat(depth));
        frame.push(0xff);
        let received = payload(decode(frame.into(), Format::Cbor, &Limits::new(), PayloadCheck::OnReceipt).unwrap());
        let found = received.transcode(Format::MsgPack).unwrap().raw_args().unwrap().unwrap();
        let expected = [b"\x92".repeat(depth), b"\x82\xa1a\x90\xa1b\x05".to_vec(), b"\x07".repeat(depth)].concat();
        assert_eq!(found, expected, "{depth}");
    }
}
