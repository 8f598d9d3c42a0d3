use serde::{Deserialize, Serialize};

use crate::{Format, Tree, encode};

const EVENT: i64 = 36;
const CALL: i64 = 48;
const RESULT: i64 = 50;
const SUBSCRIPTION: i64 = 5_512_315_355;
const PUBLICATION: i64 = 4_429_313_566;
const REQUEST: i64 = 7_814_135;

/// Names a frame that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// A CALL with two integers.
    CallSmall,
    /// An EVENT whose one argument is an object of 1 KiB (in JSON), with nested objects, lists, texts and numbers.
    EventKilobyte,
    /// An EVENT with 1,000 [`Reading`]s as arguments, about 60 KB in JSON.
    EventThousand,
    /// A RESULT with 100,000 bytes of binary data.
    ResultBytes,
}

impl Case {
    /// Lists every case.
    pub const ALL: [Self; 4] = [Self::CallSmall, Self::EventKilobyte, Self::EventThousand, Self::ResultBytes];

    /// Returns the name that benchmark ids use.
    pub fn name(self) -> &'static str {
        match self {
            Self::CallSmall => "call_small",
            Self::EventKilobyte => "event_1k",
            Self::EventThousand => "event_60k",
            Self::ResultBytes => "result_100k",
        }
    }

    /// Builds the message as a tree.
    pub fn message(self) -> Tree {
        match self {
            Self::CallSmall => Tree::List(vec![
                Tree::Int(CALL),
                Tree::Int(REQUEST),
                Tree::Dict(vec![]),
                Tree::text("com.example.add2"),
                Tree::List(vec![Tree::Int(23), Tree::Int(7)]),
            ]),
            Self::EventKilobyte => event(vec![order()]),
            Self::EventThousand => event(readings().iter().map(reading).collect()),
            Self::ResultBytes => Tree::List(vec![
                Tree::Int(RESULT),
                Tree::Int(REQUEST),
                Tree::Dict(vec![]),
                Tree::List(vec![Tree::Bytes(result_bytes())]),
            ]),
        }
    }
}

/// Encodes the message of a case: the bytes of one transport frame.
pub fn frame(case: Case, format: Format) -> Vec<u8> {
    encode(format, &case.message())
}

/// Describes one of the objects of [`Case::EventThousand`]; what a subscriber wants to end up with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The number of the reading.
    pub id: u64,
    /// The name of the sensor.
    pub sensor: String,
    /// What it measured.
    pub value: f64,
    /// Whether the value is out of bounds.
    pub alarm: bool,
}

/// Returns the 1,000 readings of [`Case::EventThousand`].
pub fn readings() -> Vec<Reading> {
    (0..1000_u32)
        .map(|index| Reading {
            id: 100_000 + u64::from(index),
            sensor: format!("boiler-{:03}", index % 250),
            value: f64::from(1801 + (index * 37) % 911) / 100.0,
            alarm: index % 16 == 0,
        })
        .collect()
}

/// Returns the 100,000 bytes of [`Case::ResultBytes`]: incompressible and the same in every run.
pub fn result_bytes() -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    (0..100_000)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 56) as u8
        })
        .collect()
}

fn event(args: Vec<Tree>) -> Tree {
    Tree::List(vec![
        Tree::Int(EVENT),
        Tree::Int(SUBSCRIPTION),
        Tree::Int(PUBLICATION),
        Tree::Dict(vec![]),
        Tree::List(args),
    ])
}

fn reading(reading: &Reading) -> Tree {
    Tree::Dict(vec![
        ("id", Tree::Int(i64::try_from(reading.id).expect("ids are small"))),
        ("sensor", Tree::text(&reading.sensor)),
        ("value", Tree::Float(reading.value)),
        ("alarm", Tree::Bool(reading.alarm)),
    ])
}

fn order() -> Tree {
    let item = |sku: &str, title: &str, quantity, price| {
        Tree::Dict(vec![
            ("sku", Tree::text(sku)),
            ("title", Tree::text(title)),
            ("quantity", Tree::Int(quantity)),
            ("price", Tree::Float(price)),
            ("gift", Tree::Bool(false)),
        ])
    };
    let address = |street: &str, city: &str, zip: &str| {
        Tree::Dict(vec![
            ("street", Tree::text(street)),
            ("city", Tree::text(city)),
            ("zip", Tree::text(zip)),
            ("country", Tree::text("DE")),
        ])
    };
    let step = |at: &str, state: &str| Tree::Dict(vec![("at", Tree::text(at)), ("state", Tree::text(state))]);
    Tree::Dict(vec![
        ("order", Tree::text("2f1c7a52-8c41-4f3b-9c6e-51c0a6b0d8e7")),
        ("created", Tree::text("2026-03-14T09:26:53.589Z")),
        ("state", Tree::text("shipped")),
        ("express", Tree::Bool(true)),
        ("coupon", Tree::Null),
        (
            "customer",
            Tree::Dict(vec![
                ("id", Tree::Int(48_213_377)),
                ("name", Tree::text("Jürgen Größer")),
                ("email", Tree::text("juergen.groesser@example.com")),
                ("newsletter", Tree::Bool(false)),
                ("score", Tree::Float(0.8125)),
            ]),
        ),
        ("billing", address("Lindenallee 17", "Erlangen", "91054")),
        ("shipping", address("Am Weichselgarten 7", "Erlangen", "91058")),
        (
            "items",
            Tree::List(vec![
                item("LW-1001-A", "Loom shuttle, beech, 30 cm", 2, 24.9),
                item("LW-2040-C", "Warp yarn \"natural\", 500 g", 12, 7.35),
                item("LW-3300-B", "Reed hook, brass", 1, 11.0),
            ]),
        ),
        (
            "totals",
            Tree::Dict(vec![
                ("net", Tree::Float(149.0)),
                ("vat", Tree::Float(28.31)),
                ("gross", Tree::Float(177.31)),
                ("balance", Tree::Int(-4200)),
            ]),
        ),
        (
            "history",
            Tree::List(vec![
                step("2026-03-14T09:26:53Z", "received"),
                step("2026-03-14T11:02:10Z", "paid"),
                step("2026-03-16T06:45:00Z", "shipped"),
            ]),
        ),
        ("tags", Tree::List(vec![Tree::text("b2c"), Tree::text("priority"), Tree::text("de-south")])),
        ("position", Tree::List(vec![Tree::Float(49.5897), Tree::Float(11.0039)])),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frames_have_the_sizes_that_the_readme_states() {
        let sizes = Case::ALL.map(|case| Format::ALL.map(|format| frame(case, format).len()));
        assert_eq!(sizes, [[41, 28, 29], [1_043, 845, 850], [63_868, 49_024, 49_025], [133_362, 100_014, 100_015]]);
    }

    #[test]
    fn json_and_msgpack_frames_decode_to_the_same_value() {
        for case in [Case::CallSmall, Case::EventKilobyte, Case::EventThousand] {
            let json: serde_json::Value =
                serde_json::from_slice(&frame(case, Format::Json)).expect("the frame is JSON");
            let msgpack: serde_json::Value =
                rmp_serde::from_slice(&frame(case, Format::MsgPack)).expect("the frame is MessagePack");
            assert_eq!(json, msgpack, "{}", case.name());
        }
    }

    #[test]
    fn the_arguments_of_the_large_event_are_the_readings() {
        let (_, _, _, _, args): (u64, u64, u64, serde_json::Value, Vec<Reading>) =
            serde_json::from_slice(&frame(Case::EventThousand, Format::Json)).expect("the frame is JSON");
        assert_eq!(args, readings());
    }
}
