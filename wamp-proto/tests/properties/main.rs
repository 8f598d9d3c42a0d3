//! Properties of the codec: what is encoded decodes to itself, in each format and across formats, and no bytes do harm.
//!
//! `PROPTEST_RNG_SEED=n` runs them with other inputs than the usual ones.

#![cfg(all(feature = "json", feature = "msgpack", feature = "cbor"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod messages;

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;
use wamp_proto::*;

use crate::messages::{dict, message, payload_of, value};

fn config(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig::with_cases(cases);
    config.failure_persistence = None;
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(2);
    }
    config
}

fn formats() -> impl Strategy<Value = Format> {
    proptest::sample::select(Format::ALL)
}

/// A format, and a message that it can carry.
fn message_of_a_format() -> impl Strategy<Value = (Format, Message)> {
    prop_oneof![
        message(Format::Json).prop_map(|message| (Format::Json, message)),
        message(Format::MsgPack).prop_map(|message| (Format::MsgPack, message)),
        message(Format::Cbor).prop_map(|message| (Format::Cbor, message)),
    ]
}

fn encoded(message: &Message, format: Format) -> Bytes {
    let mut frame = Vec::new();
    encode(message, format, &mut frame).unwrap();
    frame.into()
}

fn decoded(frame: &Bytes, format: Format) -> Result<Message, DecodeError> {
    decode(frame.clone(), format, &Limits::new(), PayloadCheck::OnReceipt)
}

/// Decodes a frame both ways, looks at everything in it, and encodes it again.
fn handle(frame: &Bytes, format: Format) {
    let checked = decoded(frame, format);
    // JSON is checked for UTF-8 as a whole before anything else.
    let wrong_utf8 = matches!(&checked, Err(error) if *error.kind() == DecodeErrorKind::InvalidUtf8);
    match decode(frame.clone(), format, &Limits::new(), PayloadCheck::OnDecode) {
        Err(error) => assert!(checked.as_ref() == Err(&error) || wrong_utf8, "{error} or {checked:?}"),
        Ok(message) => match &checked {
            Err(error) => {
                let same = payload_of(&message).and_then(|payload| payload.check().err()).unwrap();
                assert!(same == *error || wrong_utf8, "{error} or {same}");
            }
            Ok(checked) => {
                assert_eq!(&message, checked);
                let mut again = Vec::new();
                // A string in JSON Details that starts with U+0000 and is no base64 decodes as text, and has no form.
                if encode(checked, format, &mut again).is_ok() {
                    assert_eq!(decoded(&again.into(), format).as_ref(), Ok(checked));
                } else {
                    assert_eq!(format, Format::Json);
                }
                if let Some(payload) = payload_of(&message) {
                    let _: Result<Vec<Value>, _> = payload.args();
                    let _: Result<(String, f64), _> = payload.args();
                    let _: Result<BTreeMap<String, Value>, _> = payload.kwargs();
                    let _: Result<Vec<u64>, _> = payload.arg(1);
                }
                for target in Format::ALL {
                    // A value may be one that the other format has not.
                    let mut frame = Vec::new();
                    if encode(&message, *target, &mut frame).is_ok() {
                        decoded(&frame.into(), *target).unwrap();
                    }
                }
            }
        },
    }
}

const NOT_UTF8: &[&[u8]] = &[b"\xff", b"\x80", b"\xc3", b"\xe2\x82", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"];

/// A change to a frame.
#[derive(Clone, Debug)]
enum Edit {
    Replace(Index, u8),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, Index),
    Repeat(Index, Index),
    Cut(Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let index = any::<Index>;
    prop_oneof![
        (index(), any::<u8>()).prop_map(|(at, byte)| Edit::Replace(at, byte)),
        (index(), 0..8_u8).prop_map(|(at, bit)| Edit::Flip(at, bit)),
        (index(), proptest::collection::vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        (index(), index()).prop_map(|(from, to)| Edit::Remove(from, to)),
        (index(), index()).prop_map(|(from, to)| Edit::Repeat(from, to)),
        index().prop_map(Edit::Cut),
    ]
}

impl Edit {
    fn apply(&self, frame: &mut Vec<u8>) {
        if frame.is_empty() {
            return;
        }
        let range = |from: &Index, to: &Index, length| {
            let (from, to) = (from.index(length), to.index(length));
            from.min(to)..from.max(to)
        };
        let length = frame.len();
        match self {
            Self::Replace(at, byte) => frame[at.index(length)] = *byte,
            Self::Flip(at, bit) => frame[at.index(length)] ^= 1 << bit,
            Self::Insert(at, bytes) => drop(frame.splice(at.index(length)..at.index(length), bytes.iter().copied())),
            Self::Remove(from, to) => drop(frame.drain(range(from, to, length))),
            Self::Repeat(from, to) => {
                let range = range(from, to, length);
                let again = frame[range.clone()].to_vec();
                drop(frame.splice(range.end..range.end, again));
            }
            Self::Cut(at) => frame.truncate(at.index(length)),
        }
    }
}

/// Every small payload, and those around the sizes at which a payload is placed otherwise.
fn arguments(format: Format) -> impl Strategy<Value = (Vec<Value>, Dict)> {
    let long = (proptest::sample::select(&[100_usize, 240, 500, 900, 2_000, 70_000][..]), 0..160_usize)
        .prop_map(|(least, more)| vec![Value::from("x".repeat(least + more))]);
    let args = prop_oneof![3 => proptest::collection::vec(value(format), 0..4), 2 => long];
    (args, prop_oneof![2 => Just(Dict::new()), 1 => dict(format)])
}

/// The ids and the URI of a head, up to more than the room in front of a payload.
fn head() -> impl Strategy<Value = (u64, u64, String)> {
    let id = || prop_oneof![1..=MAX_ID, 1..=300_u64, (0..54_u32).prop_map(|bit| 1 << bit)];
    (id(), id(), prop_oneof![r#"[a-zé"\\\x01]{1,40}"#, "[a-z]{20,140}", "[a-z]{250,260}"])
}

/// Each length of a URI, each width of an id, behind and in front of every bound at which a format writes another head; and payloads with more and
/// with less room in front of them.
#[test]
fn a_head_of_each_length_is_written_in_front_of_its_payload_as_serde_writes_it() {
    let edges = [5, 7, 8, 16, 32, 53].map(|bit| 1_u64 << bit);
    let ids = edges.iter().flat_map(|edge| [edge - 1, *edge, edge + 1]).chain([1, 9, 10, 22, 23, 24, 25, 99, 100]);
    let ids = ids.filter(|id| *id <= MAX_ID).map(|id| (id, 1));
    let lengths = (1..=300).chain([65_535, 65_536]).map(|length| (1, length));
    for (id, length) in ids.chain(lengths) {
        let (topic, request) = (Uri::new("a".repeat(length)).unwrap(), RequestId::new(id).unwrap());
        for size in [1, 100, 130, 400, 1_000] {
            let text = "x".repeat(size);
            for format in Format::ALL.iter().copied() {
                let payload = || (&*text,).into_payload(format).unwrap();
                let publish = |payload| -> Message {
                    let options = PublishOptions::default();
                    Publish { request, options, topic: topic.clone(), payload }.into()
                };
                let event = |payload| -> Message {
                    let subscription = SubscriptionId::new(id).unwrap();
                    let publication = PublicationId::new(id).unwrap();
                    Event { subscription, publication, details: EventDetails::default(), payload }.into()
                };
                let none = BTreeMap::<u8, u8>::new();
                let elements = (16, id, &none, topic.as_str(), [&*text]).into_payload(format).unwrap();
                let expected = elements.raw_args().unwrap().unwrap();
                assert_eq!(encoded(&publish(payload()), format), expected, "{id}, {length}, {size}, {format}");
                assert_eq!(
                    encode_frame(publish(payload()), format).unwrap(),
                    expected,
                    "{id}, {length}, {size}, {format}"
                );
                let elements = (36, id, id, &none, [&*text]).into_payload(format).unwrap();
                let expected = elements.raw_args().unwrap().unwrap();
                assert_eq!(encoded(&event(payload()), format), expected, "{id}, {size}, {format}");
                assert_eq!(encode_frame(event(payload()), format).unwrap(), expected, "{id}, {size}, {format}");
            }
        }
    }
}

proptest! {
    #![proptest_config(config(400))]

    /// What serde writes is what comes out, whoever writes the head, and wherever.
    #[test]
    fn a_head_is_written_in_front_of_its_payload_as_serde_writes_it(
        (format, (args, kwargs)) in formats().prop_flat_map(|format| (Just(format), arguments(format))),
        (first, second, uri) in head(),
        from in formats(),
    ) {
        let request = RequestId::new(first).unwrap();
        let topic = Uri::new(&*uri).unwrap();
        let payload = |format| ArgsKwargs(&args, &kwargs).into_payload(format).unwrap();
        let messages = |payload: &dyn Fn() -> Payload| -> [(Message, Vec<Value>); 6] {
            let (none, one, two) = (Value::from(Dict::new()), Value::from(first), Value::from(second));
            let details = |code: u64, rest: &[&Value]| {
                [Value::from(code)].into_iter().chain(rest.iter().copied().cloned()).collect()
            };
            let uri = Value::from(&*uri);
            [
                (Publish { request, options: PublishOptions::default(), topic: topic.clone(), payload: payload() }.into(), details(16, &[&one, &none, &uri])),
                (Call { request, options: CallOptions::default(), procedure: topic.clone(), payload: payload() }.into(), details(48, &[&one, &none, &uri])),
                (CallResult { request, details: ResultDetails::default(), payload: payload() }.into(), details(50, &[&one, &none])),
                (Yield { request, options: YieldOptions::default(), payload: payload() }.into(), details(70, &[&one, &none])),
                (Event { subscription: SubscriptionId::new(first).unwrap(), publication: PublicationId::new(second).unwrap(), details: EventDetails::default(), payload: payload() }.into(), details(36, &[&one, &two, &none])),
                (Invocation { request, registration: RegistrationId::new(second).unwrap(), details: InvocationDetails::default(), payload: payload() }.into(), details(68, &[&one, &two, &none])),
            ]
        };
        let expected = |mut elements: Vec<Value>| {
            if !args.is_empty() || !kwargs.is_empty() {
                elements.push(Value::from(args.clone()));
            }
            if !kwargs.is_empty() {
                elements.push(kwargs.clone().into());
            }
            Args(elements).into_payload(format).unwrap().raw_args().unwrap().unwrap()
        };
        for (message, elements) in messages(&|| payload(format)) {
            let expected = expected(elements);
            prop_assert_eq!(&encoded(&message, format), &expected);
            // Somebody else has the payload, and it stays what it was.
            prop_assert_eq!(&encode_frame(message.clone(), format).unwrap(), &expected);
            prop_assert_eq!(payload_of(&message).unwrap(), &payload(format));
            // Nobody else has it.
            let mine = messages(&|| payload(format)).into_iter().find(|(mine, _)| mine.message_type() == message.message_type());
            prop_assert_eq!(&encode_frame(mine.unwrap().0, format).unwrap(), &expected);
            prop_assert_eq!(&encode_frame(decoded(&expected, format).unwrap(), format).unwrap(), &expected);
        }
        if let Ok(payload) = ArgsKwargs(&args, &kwargs).into_payload(from) {
            for (message, elements) in messages(&|| payload.clone()) {
                prop_assert_eq!(encode_frame(message, format).unwrap(), expected(elements));
            }
        }
    }

    #[test]
    fn a_frame_of_its_own_is_the_frame_that_is_appended((format, message) in message_of_a_format()) {
        let frame = encoded(&message, format);
        prop_assert_eq!(&encode_frame(message.clone(), format).unwrap(), &frame);
        prop_assert_eq!(&encode_frame(message, format).unwrap(), &frame);
        prop_assert_eq!(&encode_frame(decoded(&frame, format).unwrap(), format).unwrap(), &frame);
        let received = decoded(&Bytes::copy_from_slice(&frame), format).unwrap();
        prop_assert_eq!(&encode_frame(received, format).unwrap(), &frame);
    }

    #[test]
    fn messages_round_trip_in_each_format((format, message) in message_of_a_format()) {
        let frame = encoded(&message, format);
        let again = decoded(&frame, format).unwrap();
        prop_assert_eq!(&again, &message);
        prop_assert_eq!(encoded(&again, format), &frame);
        let unchecked = decode(frame, format, &Limits::new(), PayloadCheck::OnDecode).unwrap();
        prop_assert_eq!(unchecked, message);
    }

    #[test]
    fn messages_round_trip_across_formats(message in message(Format::Json), first in formats(), second in formats()) {
        let received = decoded(&encoded(&message, first), first).unwrap();
        prop_assert_eq!(&received, &message);
        let frame = encoded(&received, second);
        prop_assert_eq!(&frame, &encoded(&message, second));
        prop_assert_eq!(decoded(&frame, second).unwrap(), message);
    }

    #[test]
    fn messages_round_trip_between_the_binary_formats(message in message(Format::MsgPack)) {
        let received = decoded(&encoded(&message, Format::MsgPack), Format::MsgPack).unwrap();
        let again = decoded(&encoded(&received, Format::Cbor), Format::Cbor).unwrap();
        prop_assert_eq!(decoded(&encoded(&again, Format::MsgPack), Format::MsgPack).unwrap(), message);
    }

    #[test]
    fn payloads_decode_to_the_values_that_were_encoded(
        args in proptest::collection::vec(value(Format::Json), 0..4),
        kwargs in dict(Format::Json),
        first in formats(),
        second in formats(),
    ) {
        let payload = ArgsKwargs(&args, &kwargs).into_payload(first).unwrap().transcode(second).unwrap();
        prop_assert_eq!(payload.args::<Vec<Value>>().unwrap(), args.clone());
        prop_assert_eq!(payload.kwargs::<Dict>().unwrap(), kwargs);
        for (index, arg) in args.iter().enumerate() {
            prop_assert_eq!(&payload.arg::<Value>(index).unwrap(), arg);
        }
        prop_assert!(payload.arg::<Value>(args.len()).is_err());
    }

    #[test]
    fn edited_frames_do_no_harm(
        (format, message) in message_of_a_format(),
        edits in proptest::collection::vec(edit(), 1..4),
    ) {
        let mut frame = encoded(&message, format).to_vec();
        for edit in &edits {
            edit.apply(&mut frame);
        }
        handle(&frame.into(), format);
    }

    #[test]
    fn text_that_is_not_utf8_is_refused_wherever_it_stands(
        (before, behind) in ("[a-zä🔑]{0,50}|[a-z]{200,300}", "[a-zä🔑]{0,50}"),
        bad in proptest::sample::select(NOT_UTF8),
        format in formats(),
        as_key in any::<bool>(),
    ) {
        let stand_in = "~".repeat(bad.len());
        let text = format!("{before}{stand_in}{behind}");
        let payload = if as_key {
            (Dict::from_iter([(text, 1)]),).into_payload(format)
        } else {
            (text,).into_payload(format)
        };
        let (request, options) = (RequestId::MIN, YieldOptions::default());
        let message = Yield { request, options, payload: payload.unwrap() }.into();
        let mut frame = encoded(&message, format).to_vec();
        let start = frame.windows(bad.len()).rposition(|window| window == stand_in.as_bytes()).unwrap();
        frame[start..start + bad.len()].copy_from_slice(bad);
        let error = decoded(&frame.into(), format).unwrap_err();
        prop_assert_eq!(error.kind(), &DecodeErrorKind::InvalidUtf8);
    }

    #[test]
    fn frames_of_one_format_do_no_harm_in_another((format, message) in message_of_a_format()) {
        let frame = encoded(&message, format);
        for other in Format::ALL {
            handle(&frame, *other);
        }
    }
}

proptest! {
    #![proptest_config(config(5_000))]

    #[test]
    fn random_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let bytes = Bytes::from(bytes);
        for format in Format::ALL {
            handle(&bytes, *format);
        }
    }

    #[test]
    fn random_elements_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..48), code in any::<u8>()) {
        handle(&[&[0x95, code], &bytes[..]].concat().into(), Format::MsgPack);
        handle(&[&[0x9f, 0x18, code], &bytes[..]].concat().into(), Format::Cbor);
    }
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn random_json_does_no_harm(text in r#"\[(3|8|16|36|48|50|68|70)(,|\[|\]|\{|\}|:|"[^"]{0,3}"|"\\u[0-9a-f]{3,5}"|-?[0-9]{1,3}(\.[0-9]|e)?| |null|true){0,20}"#) {
        handle(&text.into(), Format::Json);
    }
}
