//! Checklist SER-44 and the limits of a decoder: each is reached, and kept.

use wamp_proto::*;

use crate::wire::{hex, received};

/// What opens and closes a list, and a dict with one key, in each format; CBOR also with indefinite lengths.
const NESTS: &[(Format, &[u8], &[u8])] = &[
    (Format::Json, b"[", b"]"),
    (Format::Json, b"{\"k\":", b"}"),
    (Format::MsgPack, b"\x91", b""),
    (Format::MsgPack, b"\x81\xa1k", b""),
    (Format::MsgPack, b"\xdd\0\0\0\x01", b""),
    (Format::Cbor, b"\x81", b""),
    (Format::Cbor, b"\xa1\x61k", b""),
    (Format::Cbor, b"\x9f", b"\xff"),
    (Format::Cbor, b"\xbf\x61k", b"\xff"),
];

/// The frames of a message before and behind a nested value, by where the value stands and how many levels are above it.
fn places(format: Format) -> Vec<(&'static str, usize, Vec<u8>, Vec<u8>)> {
    match format {
        Format::Json => vec![
            ("args", 2, b"[36,1,2,{},[".to_vec(), b"]]".to_vec()),
            ("kwargs", 2, b"[36,1,2,{},[],{\"k\":".to_vec(), b"}]".to_vec()),
            ("extra", 2, b"[36,1,2,{\"x\":".to_vec(), b"}]".to_vec()),
            ("authextra", 3, b"[2,1,{\"authextra\":{\"x\":".to_vec(), b"}}]".to_vec()),
        ],
        Format::MsgPack => vec![
            ("args", 2, hex("95 24 01 02 80 91"), Vec::new()),
            ("kwargs", 2, hex("96 24 01 02 80 90 81 a16b"), Vec::new()),
            ("extra", 2, hex("94 24 01 02 81 a178"), Vec::new()),
            ("authextra", 3, hex("93 02 01 81 a9 617574686578747261 81 a178"), Vec::new()),
        ],
        _ => vec![
            ("args", 2, hex("85 1824 01 02 a0 81"), Vec::new()),
            ("kwargs", 2, hex("86 1824 01 02 a0 80 a1 616b"), Vec::new()),
            ("extra", 2, hex("84 1824 01 02 a1 6178"), Vec::new()),
            ("authextra", 3, hex("83 02 01 a1 69 617574686578747261 a1 6178"), Vec::new()),
        ],
    }
}

fn nested(before: &[u8], (open, close): (&[u8], &[u8]), levels: usize, behind: &[u8], format: Format) -> Vec<u8> {
    let inner: &[u8] = if format == Format::Json { b"7" } else { b"\x07" };
    [before, &open.repeat(levels), inner, &close.repeat(levels), behind].concat()
}

fn with_depth(frame: &[u8], format: Format, depth: u8) -> Result<Message, DecodeError> {
    let limits = Limits::new().max_depth(depth);
    decode(bytes::Bytes::copy_from_slice(frame), format, &limits, PayloadCheck::OnReceipt)
}

#[test]
fn ser_44_values_nest_up_to_the_limit() {
    for (format, open, close) in NESTS {
        for (place, above, before, behind) in places(*format) {
            for depth in [4, 20, 128] {
                let levels = usize::from(depth) - above;
                let frame = nested(&before, (open, close), levels, &behind, *format);
                let message =
                    with_depth(&frame, *format, depth).unwrap_or_else(|e| panic!("{place} {format} {depth}: {e}"));
                if let Message::Event(event) = &message {
                    assert!(event.payload.args::<Vec<Value>>().is_ok(), "{place} in {format}");
                    assert!(
                        event.payload.kwargs::<std::collections::BTreeMap<String, Value>>().is_ok(),
                        "{place} in {format}"
                    );
                }
                for target in Format::ALL {
                    let mut again = Vec::new();
                    encode(&message, *target, &mut again).unwrap();
                    assert_eq!(received(&again, *target).unwrap(), message);
                }

                let frame = nested(&before, (open, close), levels + 1, &behind, *format);
                let error = with_depth(&frame, *format, depth).unwrap_err();
                assert_eq!(error.kind(), &DecodeErrorKind::TooDeep, "{place} in {format}");
                assert_eq!(error.offset(), before.len() + open.len() * levels, "{place} in {format}");
            }
        }
    }
}

#[test]
fn ser_44_ten_thousand_levels_do_not_overflow_the_stack() {
    for (format, open, close) in NESTS {
        for (place, _, before, behind) in places(*format) {
            for close in [*close, b""] {
                let frame = nested(&before, (open, close), 10_000, &behind, *format);
                let error = received(&frame, *format).unwrap_err();
                assert_eq!(error.kind(), &DecodeErrorKind::TooDeep, "{place} in {format}");
                let Message::Event(event) = with_unchecked(&frame, *format) else { continue };
                assert!(event.payload.args::<Vec<Value>>().is_err());
                assert!(event.payload.raw_kwargs().is_err());
            }
        }
        assert!(received(&open.repeat(10_000), *format).is_err());
    }
}

/// Decodes with `OnDecode`; where that fails already, the message is some other one.
fn with_unchecked(frame: &[u8], format: Format) -> Message {
    let frame = bytes::Bytes::copy_from_slice(frame);
    decode(frame, format, &Limits::new(), PayloadCheck::OnDecode).unwrap_or_else(|error| {
        assert_eq!(error.kind(), &DecodeErrorKind::TooDeep);
        Interrupt { request: RequestId::MIN, options: InterruptOptions::default() }.into()
    })
}

#[test]
fn ser_44_ten_thousand_tags_do_not_overflow_the_stack() {
    for tag in [&b"\xc1"[..], b"\xd9\xd9\xf7", b"\xc1\x81"] {
        for (_, _, before, behind) in places(Format::Cbor) {
            let frame = nested(&before, (tag, b""), 10_000, &behind, Format::Cbor);
            let Ok(message) = received(&frame, Format::Cbor) else { continue };
            for target in Format::ALL {
                let mut again = Vec::new();
                if encode(&message, *target, &mut again).is_ok() {
                    assert_eq!(received(&again, *target).as_ref(), Ok(&message));
                }
            }
            if let Message::Event(event) = message {
                let _: Result<Vec<Value>, _> = event.payload.args();
            }
        }
        assert!(received(&tag.repeat(10_000), Format::Cbor).is_err());
    }
}

#[test]
fn ser_44_frames_are_bounded() {
    for format in Format::ALL {
        let mut frame = Vec::new();
        let payload = ("x".repeat(100),).into_payload(*format).unwrap();
        encode(
            &Yield { request: RequestId::MIN, options: YieldOptions::default(), payload }.into(),
            *format,
            &mut frame,
        )
        .unwrap();
        let size = frame.len();
        for (limit, fits) in [(size, true), (size + 1, true), (size - 1, false), (0, false)] {
            for check in [PayloadCheck::OnReceipt, PayloadCheck::OnDecode] {
                let result = decode(frame.clone().into(), *format, &Limits::new().max_message_bytes(limit), check);
                match result {
                    Ok(_) => assert!(fits, "{size} bytes in {limit}"),
                    Err(error) => {
                        assert!(!fits, "{size} bytes in {limit}");
                        assert_eq!(error.kind(), &DecodeErrorKind::TooLarge { size, limit });
                    }
                }
            }
        }
    }
}

#[test]
fn ser_44_the_smallest_depth_limit_lets_every_simple_message_through() {
    for format in Format::ALL {
        let welcome = crate::wire::frame(r#"[2,1,{"roles":{}}]"#, *format);
        assert!(with_depth(&welcome, *format, 0).is_ok());
        let deeper = crate::wire::frame(r#"[2,1,{"roles":{"broker":{}}}]"#, *format);
        assert_eq!(with_depth(&deeper, *format, 0).unwrap_err().kind(), &DecodeErrorKind::TooDeep);
    }
}
