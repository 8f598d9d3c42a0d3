//! Frames written by hand: an encoder of each format that shares nothing with the crate.

use core::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use wamp_proto::{DecodeError, Format, Limits, Message, PayloadCheck, decode, encode};

/// A value on the wire, with the entries of dicts in their order.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Self>),
    Dict(Vec<(String, Self)>),
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Items)
    }
}

struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WAMP JSON")
    }

    fn visit_unit<E>(self) -> Result<Item, E> {
        Ok(Item::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Item, E> {
        Ok(Item::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Item, E> {
        Ok(Item::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Item, E> {
        Ok(Item::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Item, E> {
        Ok(Item::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Item, E> {
        Ok(match value.strip_prefix('\0') {
            Some(base64) => Item::Bytes(BASE64_STANDARD.decode(base64).unwrap()),
            None => Item::Text(value.to_owned()),
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Item, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(Item::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Item, A::Error> {
        let mut dict = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            dict.push(entry);
        }
        Ok(Item::Dict(dict))
    }
}

impl Item {
    /// Reads WAMP JSON.
    pub(crate) fn new(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
    }

    fn write(&self, format: Format, frame: &mut Vec<u8>) {
        match format {
            Format::Json => self.write_json(frame),
            Format::MsgPack => self.write_msgpack(frame),
            Format::Cbor => self.write_cbor(frame),
            _ => unreachable!("{format} is no format of this test"),
        }
    }

    fn write_json(&self, frame: &mut Vec<u8>) {
        match self {
            Self::Null => frame.extend(b"null"),
            Self::Bool(value) => frame.extend(value.to_string().as_bytes()),
            Self::Integer(value) => frame.extend(value.to_string().as_bytes()),
            Self::Float(value) => frame.extend(format!("{value:?}").as_bytes()),
            Self::Text(value) => frame.extend(serde_json::to_vec(value).unwrap()),
            Self::Bytes(value) => frame.extend(format!("\"\\u0000{}\"", BASE64_STANDARD.encode(value)).as_bytes()),
            Self::List(list) => {
                frame.push(b'[');
                for (index, item) in list.iter().enumerate() {
                    frame.extend(if index == 0 { "" } else { "," }.as_bytes());
                    item.write_json(frame);
                }
                frame.push(b']');
            }
            Self::Dict(dict) => {
                frame.push(b'{');
                for (index, (key, item)) in dict.iter().enumerate() {
                    frame.extend(if index == 0 { "" } else { "," }.as_bytes());
                    frame.extend(serde_json::to_vec(key).unwrap());
                    frame.push(b':');
                    item.write_json(frame);
                }
                frame.push(b'}');
            }
        }
    }

    fn write_msgpack(&self, frame: &mut Vec<u8>) {
        match self {
            Self::Null => frame.push(0xc0),
            Self::Bool(value) => frame.push(0xc2 + u8::from(*value)),
            Self::Integer(value) => match *value {
                0..=0x7f => frame.push(*value as u8),
                0x80..=0xff => frame.extend([0xcc, *value as u8]),
                0x100..=0xffff => prefixed(frame, 0xcd, &(*value as u16).to_be_bytes()),
                0x1_0000..=0xffff_ffff => prefixed(frame, 0xce, &(*value as u32).to_be_bytes()),
                0x1_0000_0000.. => prefixed(frame, 0xcf, &u64::try_from(*value).unwrap().to_be_bytes()),
                -0x20..0 => frame.push(*value as i8 as u8),
                -0x80..0 => frame.extend([0xd0, *value as i8 as u8]),
                -0x8000..0 => prefixed(frame, 0xd1, &(*value as i16).to_be_bytes()),
                -0x8000_0000..0 => prefixed(frame, 0xd2, &(*value as i32).to_be_bytes()),
                _ => prefixed(frame, 0xd3, &i64::try_from(*value).unwrap().to_be_bytes()),
            },
            Self::Float(value) => prefixed(frame, 0xcb, &value.to_be_bytes()),
            Self::Text(value) => {
                msgpack_length(frame, value.len(), Some((0xa0, 32)), [Some(0xd9), Some(0xda), Some(0xdb)]);
                frame.extend(value.as_bytes());
            }
            Self::Bytes(value) => {
                msgpack_length(frame, value.len(), None, [Some(0xc4), Some(0xc5), Some(0xc6)]);
                frame.extend(value);
            }
            Self::List(list) => {
                msgpack_length(frame, list.len(), Some((0x90, 16)), [None, Some(0xdc), Some(0xdd)]);
                list.iter().for_each(|item| item.write_msgpack(frame));
            }
            Self::Dict(dict) => {
                msgpack_length(frame, dict.len(), Some((0x80, 16)), [None, Some(0xde), Some(0xdf)]);
                for (key, item) in dict {
                    Self::Text(key.clone()).write_msgpack(frame);
                    item.write_msgpack(frame);
                }
            }
        }
    }

    fn write_cbor(&self, frame: &mut Vec<u8>) {
        match self {
            Self::Null => frame.push(0xf6),
            Self::Bool(value) => frame.push(0xf4 + u8::from(*value)),
            Self::Integer(value) if *value < 0 => cbor_head(frame, 1, u64::try_from(-1 - *value).unwrap()),
            Self::Integer(value) => cbor_head(frame, 0, u64::try_from(*value).unwrap()),
            Self::Float(value) => prefixed(frame, 0xfb, &value.to_be_bytes()),
            Self::Text(value) => {
                cbor_head(frame, 3, value.len() as u64);
                frame.extend(value.as_bytes());
            }
            Self::Bytes(value) => {
                cbor_head(frame, 2, value.len() as u64);
                frame.extend(value);
            }
            Self::List(list) => {
                cbor_head(frame, 4, list.len() as u64);
                list.iter().for_each(|item| item.write_cbor(frame));
            }
            Self::Dict(dict) => {
                cbor_head(frame, 5, dict.len() as u64);
                for (key, item) in dict {
                    Self::Text(key.clone()).write_cbor(frame);
                    item.write_cbor(frame);
                }
            }
        }
    }
}

fn prefixed(frame: &mut Vec<u8>, first: u8, rest: &[u8]) {
    frame.push(first);
    frame.extend(rest);
}

/// Writes the shortest head: in the first byte, where there is room for a `fix` below its bound, else of 8, 16 or 32 bits.
fn msgpack_length(frame: &mut Vec<u8>, length: usize, fix: Option<(u8, usize)>, heads: [Option<u8>; 3]) {
    match (fix, heads) {
        (Some((first, bound)), _) if length < bound => frame.push(first + length as u8),
        (_, [Some(first), ..]) if length <= 0xff => frame.extend([first, length as u8]),
        (_, [_, Some(first), _]) if length <= 0xffff => prefixed(frame, first, &(length as u16).to_be_bytes()),
        (_, [.., Some(first)]) => prefixed(frame, first, &(length as u32).to_be_bytes()),
        _ => unreachable!("every type has a head of 32 bits"),
    }
}

fn cbor_head(frame: &mut Vec<u8>, major: u8, number: u64) {
    let major = major << 5;
    match number {
        0..24 => frame.push(major | number as u8),
        24..=0xff => frame.extend([major | 24, number as u8]),
        0x100..=0xffff => prefixed(frame, major | 25, &(number as u16).to_be_bytes()),
        0x1_0000..=0xffff_ffff => prefixed(frame, major | 26, &(number as u32).to_be_bytes()),
        _ => prefixed(frame, major | 27, &number.to_be_bytes()),
    }
}

/// A frame in a format, and where each element of the message starts in it.
pub(crate) struct Frame {
    pub(crate) bytes: Bytes,
    pub(crate) starts: Vec<usize>,
}

impl Frame {
    pub(crate) fn of(elements: &[Item], format: Format) -> Self {
        let mut bytes = Vec::new();
        match format {
            Format::Json => bytes.push(b'['),
            Format::MsgPack => {
                msgpack_length(&mut bytes, elements.len(), Some((0x90, 16)), [None, Some(0xdc), Some(0xdd)])
            }
            _ => cbor_head(&mut bytes, 4, elements.len() as u64),
        }
        let mut starts = Vec::new();
        for element in elements {
            if format == Format::Json && !starts.is_empty() {
                bytes.push(b',');
            }
            starts.push(bytes.len());
            element.write(format, &mut bytes);
        }
        if format == Format::Json {
            bytes.push(b']');
        }
        Self { bytes: bytes.into(), starts }
    }

    pub(crate) fn decode(&self, format: Format) -> Result<Message, DecodeError> {
        received(&self.bytes, format)
    }
}

/// One value that stands for itself, in a format.
pub(crate) fn value(json: &str, format: Format) -> Vec<u8> {
    let mut bytes = Vec::new();
    Item::new(json).write(format, &mut bytes);
    bytes
}

/// The elements of a message in WAMP JSON.
pub(crate) fn elements(json: &str) -> Vec<Item> {
    match Item::new(json) {
        Item::List(elements) => elements,
        _ => panic!("{json} is no list"),
    }
}

/// A message in WAMP JSON as a frame of a format.
pub(crate) fn frame(json: &str, format: Format) -> Bytes {
    value(json, format).into()
}

/// Decodes a frame as a session does by default.
pub(crate) fn received(frame: &[u8], format: Format) -> Result<Message, DecodeError> {
    decode(Bytes::copy_from_slice(frame), format, &Limits::new(), PayloadCheck::OnReceipt)
}

/// Decodes a message that is given in WAMP JSON, by way of a frame in a format.
pub(crate) fn decoded(json: &str, format: Format) -> Message {
    received(&frame(json, format), format).unwrap_or_else(|error| panic!("{json} in {format}: {error}"))
}

/// The error of a message that is given in WAMP JSON, by way of a frame in a format.
#[track_caller]
pub(crate) fn refused(json: &str, format: Format) -> DecodeError {
    match received(&frame(json, format), format) {
        Ok(message) => panic!("{json} in {format} was accepted as {message:?}"),
        Err(error) => error,
    }
}

pub(crate) fn encoded(message: &Message, format: Format) -> Vec<u8> {
    let mut frame = Vec::new();
    encode(message, format, &mut frame).unwrap();
    frame
}

/// The bytes of hexadecimal digits, spaces aside.
pub(crate) fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<_> = digits.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}
