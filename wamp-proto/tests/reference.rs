//! Frames that other implementations encoded; `reference/README.md` says which, and how they were made.

#![cfg(all(feature = "json", feature = "msgpack", feature = "cbor"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

use std::collections::BTreeSet;

use bytes::Bytes;
use wamp_proto::{Format, Limits, Message, MessageType, PayloadCheck, decode, encode};

const FRAMES: &str = include_str!("reference/frames.tsv");

/// A message and the frames that mean it.
struct Reference {
    name: &'static str,
    /// The message as WAMP JSON.
    json: &'static str,
    frames: Vec<Frame>,
}

struct Frame {
    format: Format,
    maker: &'static str,
    bytes: Bytes,
}

fn references() -> Vec<Reference> {
    let mut references: Vec<Reference> = Vec::new();
    for line in FRAMES.lines() {
        let columns: Vec<_> = line.split('\t').collect();
        let [first, second, third] = columns[..] else { panic!("not three columns: {line}") };
        if first == "message" {
            references.push(Reference { name: second, json: third, frames: Vec::new() });
        } else {
            let format = Format::from_subprotocol(&format!("wamp.2.{first}")).unwrap();
            references.last_mut().unwrap().frames.push(Frame { format, maker: second, bytes: unhex(third) });
        }
    }
    references
}

fn unhex(digits: &str) -> Bytes {
    assert_eq!(digits.len() % 2, 0);
    (0..digits.len()).step_by(2).map(|start| u8::from_str_radix(&digits[start..start + 2], 16).unwrap()).collect()
}

fn decoded(frame: impl Into<Bytes>, format: Format) -> Message {
    let frame = frame.into();
    let message = decode(frame.clone(), format, &Limits::new(), PayloadCheck::OnReceipt).unwrap();
    let unchecked = decode(frame, format, &Limits::new(), PayloadCheck::OnDecode).unwrap();
    assert_eq!(message, unchecked);
    message
}

fn encoded(message: &Message, format: Format) -> Vec<u8> {
    let mut frame = Vec::new();
    encode(message, format, &mut frame).unwrap();
    frame
}

fn parsed(json: &[u8]) -> serde_json::Value {
    serde_json::from_slice(json).unwrap()
}

#[test]
fn frames_of_other_implementations_decode_to_what_they_mean() {
    for Reference { name, json, frames } in references() {
        let expected = decoded(json, Format::Json);
        for Frame { format, maker, bytes } in frames {
            let message = decoded(bytes, format);
            assert_eq!(message, expected, "{name} in {format} by {maker}");
            assert_eq!(
                parsed(&encoded(&message, Format::Json)),
                parsed(json.as_bytes()),
                "{name} in {format} by {maker}"
            );
        }
    }
}

#[test]
fn frames_of_other_implementations_survive_each_format() {
    for Reference { name, frames, .. } in references() {
        for Frame { format, maker, bytes } in frames {
            let message = decoded(bytes, format);
            for target in Format::ALL {
                let again = decoded(encoded(&message, *target), *target);
                assert_eq!(again, message, "{name} in {format} by {maker}, re-encoded in {target}");
            }
        }
    }
}

#[test]
fn the_reference_has_each_message_type_in_each_format() {
    let mut seen = BTreeSet::new();
    for Reference { json, frames, .. } in references() {
        let code = parsed(json.as_bytes())[0].as_u64().unwrap();
        seen.extend(frames.iter().map(|frame| (code, frame.format)));
    }
    let all = MessageType::ALL.iter().flat_map(|message| Format::ALL.iter().map(|format| (message.code(), *format)));
    assert_eq!(seen, all.collect());
    assert_eq!(references().iter().map(|reference| reference.frames.len()).sum::<usize>(), 1411);
}
