use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::Tree;

/// Names a WAMP serialization format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON text.
    Json,
    /// MessagePack.
    MsgPack,
    /// CBOR.
    Cbor,
}

impl Format {
    /// Lists every format.
    pub const ALL: [Self; 3] = [Self::Json, Self::MsgPack, Self::Cbor];

    /// Returns the name that benchmark ids use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::MsgPack => "msgpack",
            Self::Cbor => "cbor",
        }
    }
}

/// Encodes a tree as compact as the usual encoders of the format do: no white space, shortest headers, doubles in eight bytes.
pub fn encode(format: Format, tree: &Tree) -> Vec<u8> {
    match format {
        Format::Json => {
            let mut out = String::new();
            json(&mut out, tree);
            out.into_bytes()
        }
        Format::MsgPack => {
            let mut out = Vec::new();
            msgpack(&mut out, tree);
            out
        }
        Format::Cbor => {
            let mut out = Vec::new();
            cbor(&mut out, tree);
            out
        }
    }
}

fn json(out: &mut String, tree: &Tree) {
    match tree {
        Tree::Null => out.push_str("null"),
        Tree::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Tree::Int(value) => write!(out, "{value}").expect("a String takes any text"),
        Tree::Float(value) => write!(out, "{value:?}").expect("a String takes any text"),
        Tree::Text(text) => json_text(out, text),
        Tree::Bytes(bytes) => {
            out.push_str("\"\\u0000");
            STANDARD.encode_string(bytes, out);
            out.push('"');
        }
        Tree::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                json(out, item);
            }
            out.push(']');
        }
        Tree::Dict(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                json_text(out, key);
                out.push(':');
                json(out, value);
            }
            out.push('}');
        }
    }
}

fn json_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c < ' ' => write!(out, "\\u{:04x}", u32::from(c)).expect("a String takes any text"),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn msgpack(out: &mut Vec<u8>, tree: &Tree) {
    match tree {
        Tree::Null => out.push(0xc0),
        Tree::Bool(value) => out.push(if *value { 0xc3 } else { 0xc2 }),
        Tree::Int(value) => msgpack_int(out, *value),
        Tree::Float(value) => {
            out.push(0xcb);
            out.extend(value.to_be_bytes());
        }
        Tree::Text(text) => msgpack_text(out, text),
        Tree::Bytes(bytes) => {
            sized(out, bytes.len(), &[(0, 0), (0xc4, 1), (0xc5, 2), (0xc6, 4)]);
            out.extend(bytes);
        }
        Tree::List(items) => {
            sized(out, items.len(), &[(0x90, 16), (0, 0), (0xdc, 2), (0xdd, 4)]);
            for item in items {
                msgpack(out, item);
            }
        }
        Tree::Dict(entries) => {
            sized(out, entries.len(), &[(0x80, 16), (0, 0), (0xde, 2), (0xdf, 4)]);
            for (key, value) in entries {
                msgpack_text(out, key);
                msgpack(out, value);
            }
        }
    }
}

fn msgpack_text(out: &mut Vec<u8>, text: &str) {
    sized(out, text.len(), &[(0xa0, 32), (0xd9, 1), (0xda, 2), (0xdb, 4)]);
    out.extend(text.as_bytes());
}

fn msgpack_int(out: &mut Vec<u8>, value: i64) {
    if let Ok(value) = u64::try_from(value) {
        if value < 0x80 {
            out.push(value as u8);
        } else {
            argument(out, value, [0xcc, 0xcd, 0xce, 0xcf]);
        }
    } else if value >= -32 {
        out.push(value as u8);
    } else if let Ok(value) = i8::try_from(value) {
        out.push(0xd0);
        out.extend(value.to_be_bytes());
    } else if let Ok(value) = i16::try_from(value) {
        out.push(0xd1);
        out.extend(value.to_be_bytes());
    } else if let Ok(value) = i32::try_from(value) {
        out.push(0xd2);
        out.extend(value.to_be_bytes());
    } else {
        out.push(0xd3);
        out.extend(value.to_be_bytes());
    }
}

/// Writes a MessagePack length. `forms` is the short form (marker, lengths below this) and then (marker, width) for one, two and four bytes; a width
/// of zero marks a form that the type does not have.
fn sized(out: &mut Vec<u8>, len: usize, forms: &[(u8, usize); 4]) {
    let [(short, below), one, two, four] = *forms;
    if len < below {
        out.push(short | len as u8);
    } else if one.1 != 0 && len < 0x100 {
        out.extend([one.0, len as u8]);
    } else if len < 0x1_0000 {
        out.push(two.0);
        out.extend((len as u16).to_be_bytes());
    } else {
        out.push(four.0);
        out.extend((len as u32).to_be_bytes());
    }
}

fn cbor(out: &mut Vec<u8>, tree: &Tree) {
    match tree {
        Tree::Null => out.push(0xf6),
        Tree::Bool(value) => out.push(if *value { 0xf5 } else { 0xf4 }),
        Tree::Int(value) => match u64::try_from(*value) {
            Ok(value) => cbor_header(out, 0, value),
            Err(_) => cbor_header(out, 1, !*value as u64),
        },
        Tree::Float(value) => {
            out.push(0xfb);
            out.extend(value.to_be_bytes());
        }
        Tree::Text(text) => cbor_text(out, text),
        Tree::Bytes(bytes) => {
            cbor_header(out, 2, bytes.len() as u64);
            out.extend(bytes);
        }
        Tree::List(items) => {
            cbor_header(out, 4, items.len() as u64);
            for item in items {
                cbor(out, item);
            }
        }
        Tree::Dict(entries) => {
            cbor_header(out, 5, entries.len() as u64);
            for (key, value) in entries {
                cbor_text(out, key);
                cbor(out, value);
            }
        }
    }
}

fn cbor_text(out: &mut Vec<u8>, text: &str) {
    cbor_header(out, 3, text.len() as u64);
    out.extend(text.as_bytes());
}

fn cbor_header(out: &mut Vec<u8>, major: u8, value: u64) {
    let major = major << 5;
    if value < 24 {
        out.push(major | value as u8);
    } else {
        argument(out, value, [major | 24, major | 25, major | 26, major | 27]);
    }
}

/// Writes a marker and a big-endian number of one, two, four or eight bytes, whichever is the shortest.
fn argument(out: &mut Vec<u8>, value: u64, markers: [u8; 4]) {
    let [one, two, four, eight] = markers;
    if let Ok(value) = u8::try_from(value) {
        out.extend([one, value]);
    } else if let Ok(value) = u16::try_from(value) {
        out.push(two);
        out.extend(value.to_be_bytes());
    } else if let Ok(value) = u32::try_from(value) {
        out.push(four);
        out.extend(value.to_be_bytes());
    } else {
        out.push(eight);
        out.extend(value.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_take_their_shortest_form_at_each_boundary() {
        let cases: [(i64, &[u8], &[u8]); 12] = [
            (0, &[0x00], &[0x00]),
            (23, &[0x17], &[0x17]),
            (24, &[0x18], &[0x18, 24]),
            (127, &[0x7f], &[0x18, 127]),
            (128, &[0xcc, 128], &[0x18, 128]),
            (256, &[0xcd, 1, 0], &[0x19, 1, 0]),
            (65_536, &[0xce, 0, 1, 0, 0], &[0x1a, 0, 1, 0, 0]),
            (1 << 32, &[0xcf, 0, 0, 0, 1, 0, 0, 0, 0], &[0x1b, 0, 0, 0, 1, 0, 0, 0, 0]),
            (-1, &[0xff], &[0x20]),
            (-33, &[0xd0, 0xdf], &[0x38, 32]),
            (-129, &[0xd1, 0xff, 0x7f], &[0x38, 128]),
            (-32_769, &[0xd2, 0xff, 0xff, 0x7f, 0xff], &[0x39, 0x80, 0]),
        ];
        for (value, msgpack, cbor) in cases {
            assert_eq!(encode(Format::MsgPack, &Tree::Int(value)), msgpack, "{value}");
            assert_eq!(encode(Format::Cbor, &Tree::Int(value)), cbor, "{value}");
        }
    }

    #[test]
    fn bytes_are_marked_text_in_json_and_binary_elsewhere() {
        let tree = Tree::Bytes(vec![1, 2]);
        assert_eq!(encode(Format::Json, &tree), br#""\u0000AQI=""#);
        assert_eq!(encode(Format::MsgPack, &tree), [0xc4, 2, 1, 2]);
        assert_eq!(encode(Format::Cbor, &tree), [0x42, 1, 2]);
    }
}
