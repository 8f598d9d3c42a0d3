//! Checklist 2, ids, as far as the codec reads and writes them.

use wamp_proto::{DecodeErrorKind, Format, InvalidId, Kind, Message, RequestId, decode};
use wamp_proto::{Limits, PayloadCheck};

use crate::wire::{Frame, decoded, elements, encoded, hex, received, refused};

/// Every place of an id: the message with `ID` in it, the element, and the key if it is an attribute.
const PLACES: &[(&str, u8, Option<&str>)] = &[
    (r#"[2,ID,{}]"#, 1, None),
    (r#"[8,48,ID,{},"a.b"]"#, 2, None),
    (r#"[8,48,1,{"callee":ID},"a.b"]"#, 3, Some("callee")),
    (r#"[16,ID,{},"a.b"]"#, 1, None),
    (r#"[16,1,{"exclude":[1,ID]},"a.b"]"#, 2, Some("exclude")),
    (r#"[16,1,{"eligible":[ID]},"a.b"]"#, 2, Some("eligible")),
    ("[17,ID,1]", 1, None),
    ("[17,1,ID]", 2, None),
    (r#"[32,ID,{},"a.b"]"#, 1, None),
    ("[33,ID,1]", 1, None),
    ("[33,1,ID]", 2, None),
    ("[34,ID,1]", 1, None),
    ("[34,1,ID]", 2, None),
    (r#"[35,0,{"subscription":ID}]"#, 2, Some("subscription")),
    ("[36,ID,1,{}]", 1, None),
    ("[36,1,ID,{}]", 2, None),
    (r#"[36,1,1,{"publisher":ID}]"#, 3, Some("publisher")),
    (r#"[48,ID,{},"a.b"]"#, 1, None),
    ("[49,ID,{}]", 1, None),
    ("[50,ID,{}]", 1, None),
    (r#"[50,1,{"callee":ID}]"#, 2, Some("callee")),
    (r#"[64,ID,{},"a.b"]"#, 1, None),
    ("[65,ID,1]", 1, None),
    ("[65,1,ID]", 2, None),
    ("[66,ID,1]", 1, None),
    ("[66,1,ID]", 2, None),
    (r#"[67,0,{"registration":ID}]"#, 2, Some("registration")),
    ("[68,ID,1,{}]", 1, None),
    ("[68,1,ID,{}]", 2, None),
    (r#"[68,1,1,{"caller":ID}]"#, 3, Some("caller")),
    ("[69,ID,{}]", 1, None),
    ("[70,ID,{}]", 1, None),
];

#[test]
fn id_01_ids_are_from_1_to_2_to_the_53rd() {
    for (message, ..) in PLACES.iter().chain(&[("[35,ID]", 1, None), ("[67,ID]", 1, None)]) {
        for id in ["1", "9007199254740992"] {
            for format in Format::ALL {
                let message = message.replace("ID", id);
                let decoded = decoded(&message, *format);
                assert_eq!(encoded(&decoded, Format::Json), message.as_bytes());
            }
        }
    }
}

#[test]
fn id_02_other_values_are_no_ids() {
    let negative = DecodeErrorKind::WrongValue { expected: "an integer that is not negative" };
    let wrong = |found| DecodeErrorKind::WrongType { expected: "an integer", found };
    let bad = [
        ("0", DecodeErrorKind::InvalidId(InvalidId(0))),
        ("9007199254740993", DecodeErrorKind::InvalidId(InvalidId((1 << 53) + 1))),
        ("18446744073709551615", DecodeErrorKind::InvalidId(InvalidId(u64::MAX))),
        ("-1", negative.clone()),
        ("-9223372036854775808", negative),
        ("1.5", wrong(Kind::Float)),
        ("-1.0", wrong(Kind::Float)),
        ("9007199254740994.0", wrong(Kind::Float)),
        ("1e300", wrong(Kind::Float)),
        (r#""1""#, wrong(Kind::String)),
        (r#""\u0000AQ==""#, wrong(Kind::Bytes)),
        ("null", wrong(Kind::Null)),
        ("true", wrong(Kind::Bool)),
        ("[1]", wrong(Kind::List)),
        (r#"{"id":1}"#, wrong(Kind::Dict)),
    ];
    for (message, element, key) in PLACES {
        for (id, kind) in &bad {
            for format in Format::ALL {
                let error = refused(&message.replace("ID", id), *format);
                assert_eq!(error.kind(), kind, "{message} of {id} in {format}");
                assert_eq!(
                    error.element().map(|element| element.index),
                    Some(*element),
                    "{message} of {id} in {format}"
                );
                assert_eq!(error.key(), *key, "{message} of {id} in {format}");
            }
        }
    }
}

#[test]
fn id_02_the_offset_is_that_of_the_id() {
    for (message, element, key) in PLACES {
        if key.is_none() {
            for format in Format::ALL {
                let frame = Frame::of(&elements(&message.replace("ID", "-1")), *format);
                assert_eq!(
                    frame.decode(*format).unwrap_err().offset(),
                    frame.starts[usize::from(*element)],
                    "{message}"
                );
            }
        }
    }
    let error = refused(r#"[68,1,1,{"caller":0}]"#, Format::Json);
    assert_eq!(
        error.to_string(),
        "byte 18, element 3 (INVOCATION.Details.caller): 0 is not an id: ids are integers from 1 to 2^53"
    );
}

#[test]
fn id_02_request_0_is_only_for_revocations() {
    for format in Format::ALL {
        for revocation in ["[35,0,{}]", "[67,0,{}]"] {
            decoded(revocation, *format);
        }
        for answer in ["[35,0]", "[67,0]"] {
            let error = refused(answer, *format);
            assert!(matches!(error.kind(), DecodeErrorKind::WrongLength(_)), "{error}");
        }
        for answer in ["[35,-1]", "[35,-1,{}]", "[67,9007199254740993]", "[67,9007199254740993,{}]", r#"[67,"0",{}]"#] {
            let error = refused(answer, *format);
            assert_eq!(error.element().map(|element| element.index), Some(1), "{error}");
        }
    }
}

#[test]
fn id_04_request_ids_wrap_to_1_after_2_to_the_53rd() {
    let mut id = RequestId::new((1 << 53) - 1).unwrap();
    let next: [u64; 3] = core::array::from_fn(|_| {
        id = id.next();
        id.get()
    });
    assert_eq!(next, [9_007_199_254_740_992, 1, 2]);
}

#[test]
fn id_14_a_publication_id_is_the_same_in_each_event() {
    for format in Format::ALL {
        let publications =
            ["[36,1,4429313566,{}]", "[36,2,4429313566,{}]"].map(|event| match decoded(event, *format) {
                Message::Event(event) => event.publication,
                message => panic!("{message:?}"),
            });
        assert_eq!(publications[0], publications[1]);
    }
}

#[test]
fn id_15_floats_that_equal_an_id_are_accepted() {
    for (message, ..) in PLACES {
        for format in Format::ALL {
            for (id, float) in [("1", "1.0"), ("5", "5.0"), ("9007199254740992", "9007199254740992.0")] {
                let expected = decoded(&message.replace("ID", id), *format);
                assert_eq!(decoded(&message.replace("ID", float), *format), expected, "{message} in {format}");
            }
        }
    }
    let welcome = decoded("[2,5,{}]", Format::Json);
    for (format, frame) in [
        (Format::Json, b"[2,5.0,{}]".to_vec()),
        (Format::Json, b"[2,5e0,{}]".to_vec()),
        (Format::Json, b"[2,0.5E+1,{}]".to_vec()),
        (Format::MsgPack, hex("93 02 ca40a00000 80")),
        (Format::MsgPack, hex("93 02 cb4014000000000000 80")),
        (Format::Cbor, hex("83 02 f94500 a0")),
        (Format::Cbor, hex("83 02 fa40a00000 a0")),
        (Format::Cbor, hex("83 02 fb4014000000000000 a0")),
    ] {
        assert_eq!(received(&frame, format).unwrap(), welcome, "{frame:02x?}");
    }
}

#[test]
fn id_16_ids_keep_every_digit() {
    for format in Format::ALL {
        let Message::Event(event) = decoded("[36,4294967296,9007199254740991,{}]", *format) else { panic!() };
        assert_eq!(event.subscription.get(), 4_294_967_296);
        assert_eq!(event.publication.get(), 9_007_199_254_740_991);
        let frame = encoded(&event.into(), *format);
        let again = decode(frame.into(), *format, &Limits::new(), PayloadCheck::OnReceipt).unwrap();
        assert_eq!(encoded(&again, Format::Json), b"[36,4294967296,9007199254740991,{}]");
    }
}
