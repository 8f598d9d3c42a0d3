//! Decodes and encodes frames as the benchmarks `decode` and `encode` do, and measures so that a busy machine matters less.
//!
//! - `rows ratios` runs short slices of all rows of a frame in turn and prints the shortest slice of each, in ns for one run, and its ratio to
//!   Loowy's. What a slice loses to other processes does not count, and slow times of the machine meet all rows. `rows ratios encode` runs those
//!   alone whose names start so.
//! - `rows ROW FORMAT FRAME TIMES` runs one row, for `valgrind --tool=callgrind`; the script `count` prints a table of it.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a measurement that cannot run has nothing to measure"
)]

use std::{
    env,
    hint::black_box,
    time::{Duration, Instant},
};

use loowy_benches::{Case, Format, Reading, frame, readings};
use loowy_benches_peers::{generic, wamp_async, wampproto};

const ROWS: &[&str] = &[
    "memcpy",
    "loowy",
    "loowy_on_decode",
    "loowy_value",
    "generic",
    "wamp_async",
    "wampproto",
    "typed_loowy",
    "typed_loowy_borrowed",
    "typed_wamp_async",
    "encode_loowy",
    "encode_loowy_value",
    "encode_generic",
    "encode_wamp_async",
    "encode_wampproto",
    "encode_typed_loowy",
    "encode_typed_wamp_async",
];

type Row = Box<dyn FnMut()>;
type Unpack = fn(&[u8]) -> Result<wamp_async::Msg, String>;
type Pack = fn(&wamp_async::Msg) -> Result<Vec<u8>, String>;

/// What callgrind counts.
#[inline(never)]
fn measured(row: &mut dyn FnMut(), times: usize) {
    for _ in 0..times {
        row();
    }
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [mode] if mode == "ratios" => ratios(""),
        [mode, start] if mode == "ratios" => ratios(start),
        [name, format, case, times] => {
            let formats = Format::ALL.into_iter();
            let cases = Case::ALL.into_iter();
            let format = formats.clone().find(|known| known.name() == format);
            let case = cases.clone().find(|known| known.name() == case);
            let mut row = row(name, format.unwrap(), case.unwrap()).unwrap();
            measured(&mut row, times.parse().unwrap());
        }
        _ => panic!("rows ratios [START], or rows ROW FORMAT FRAME TIMES"),
    }
}

fn ratios(start: &str) {
    for format in Format::ALL {
        for case in Case::ALL {
            println!("{} {}", format.name(), case.name());
            let rows = ROWS
                .iter()
                .filter(|name| name.starts_with(start))
                .filter_map(|name| Some((*name, row(name, format, case)?)))
                .collect();
            let shortest = shortest_slices(rows);
            for (name, time) in &shortest {
                let ours = match () {
                    () if name.starts_with("encode_typed") => "encode_typed_loowy",
                    () if name.starts_with("encode") => "encode_loowy",
                    () if name.starts_with("typed") => "typed_loowy",
                    () => "loowy",
                };
                let ours = shortest
                    .iter()
                    .find(|(name, _)| *name == ours)
                    .map_or(f64::NAN, |(_, time)| *time);
                println!("  {name:23} {time:12.1} ns {:9.2}", time / ours);
            }
        }
    }
}

/// The time of one run in the shortest slice of each row, in ns.
fn shortest_slices(mut rows: Vec<(&'static str, Row)>) -> Vec<(&'static str, f64)> {
    const SLICE: Duration = Duration::from_micros(200);
    const ROUNDS: usize = 400;

    let mut shortest = Vec::new();
    for (name, row) in &mut rows {
        let mut times = 1;
        while time(row, times) < SLICE {
            times *= 2;
        }
        shortest.push((*name, times, f64::INFINITY));
    }
    for _ in 0..ROUNDS {
        for ((_, row), (_, times, shortest)) in rows.iter_mut().zip(&mut shortest) {
            let nanos = time(row, *times).as_secs_f64() * 1e9 / *times as f64;
            *shortest = shortest.min(nanos);
        }
    }
    shortest
        .into_iter()
        .map(|(name, _, shortest)| (name, shortest))
        .collect()
}

fn time(row: &mut Row, times: usize) -> Duration {
    let start = Instant::now();
    measured(row, times);
    start.elapsed()
}

/// One decoding or encoding, if there is such a row for the frame.
fn row(name: &str, format: Format, case: Case) -> Option<Row> {
    let frame = frame(case, format);
    if name.contains("typed") && case != Case::EventThousand {
        return None;
    }
    match name {
        "memcpy" => Some(Box::new(move || drop(black_box(black_box(&frame).clone())))),
        "generic" => Some(Box::new(move || {
            drop(generic::decode(format, black_box(&frame)).unwrap());
        })),
        "wamp_async" | "typed_wamp_async" => {
            let unpack = match format {
                Format::Json => wamp_async::decode_json,
                Format::MsgPack => wamp_async::decode_msgpack,
                Format::Cbor => return None,
            };
            unpack(&frame).ok()?;
            Some(if name == "wamp_async" {
                Box::new(move || drop(unpack(black_box(&frame)).unwrap()))
            } else {
                Box::new(move || {
                    let message = unpack(black_box(&frame)).unwrap();
                    drop(wamp_async::arguments_as::<Vec<Reading>>(message).unwrap());
                })
            })
        }
        "wampproto" => {
            let serializer = wampproto::serializer(format);
            Some(Box::new(move || {
                let frame = black_box(&frame).clone();
                drop(wampproto::decode(&*serializer, frame).unwrap());
            }))
        }
        name if name.starts_with("encode_") => encoding(name, format, frame),
        #[cfg(feature = "loowy")]
        name => loowy(name, format, frame.into()),
        #[cfg(not(feature = "loowy"))]
        _ => None,
    }
}

/// One encoding of what a frame decodes to.
fn encoding(name: &str, format: Format, frame: Vec<u8>) -> Option<Row> {
    match name {
        "encode_generic" => {
            let tree = generic::decode(format, &frame).unwrap();
            Some(Box::new(move || {
                drop(generic::encode(black_box(&tree)).unwrap());
            }))
        }
        "encode_wamp_async" | "encode_typed_wamp_async" => {
            let (unpack, pack): (Unpack, Pack) = match format {
                Format::Json => (wamp_async::decode_json, wamp_async::encode_json),
                Format::MsgPack => (wamp_async::decode_msgpack, wamp_async::encode_msgpack),
                Format::Cbor => return None,
            };
            let message = unpack(&frame).ok()?;
            pack(&message).ok()?;
            Some(if name == "encode_wamp_async" {
                Box::new(move || drop(pack(black_box(&message)).unwrap()))
            } else {
                let readings = readings();
                Box::new(move || {
                    let readings = black_box(&readings);
                    let message = wamp_async::event_with_arguments(&message, readings).unwrap();
                    drop(pack(&message).unwrap());
                })
            })
        }
        "encode_wampproto" => {
            let serializer = wampproto::serializer(format);
            let message = wampproto::decode(&*serializer, frame).unwrap();
            wampproto::encode(&*serializer, &*message).ok()?;
            Some(Box::new(move || {
                drop(wampproto::encode(&*serializer, black_box(&*message)).unwrap());
            }))
        }
        #[cfg(feature = "loowy")]
        name => loowy_encoding(name, format, frame.into()),
        #[cfg(not(feature = "loowy"))]
        _ => None,
    }
}

#[cfg(feature = "loowy")]
fn loowy_encoding(name: &str, format: Format, frame: bytes::Bytes) -> Option<Row> {
    use loowy_benches_peers::loowy;
    use wamp_proto::{PayloadCheck, Value};

    let message = loowy::decode(format, frame, PayloadCheck::OnReceipt).unwrap();
    Some(match name {
        "encode_loowy" => Box::new(move || {
            drop(loowy::encode(format, black_box(&message)).unwrap());
        }),
        "encode_loowy_value" => {
            let values: Vec<Value> = loowy::arguments_as(&message).unwrap();
            Box::new(move || {
                let message = loowy::with_arguments(format, &message, black_box(&values)).unwrap();
                drop(loowy::encode_frame(format, message).unwrap());
            })
        }
        "encode_typed_loowy" => {
            let readings = readings();
            Box::new(move || {
                let readings = black_box(&readings);
                let message = loowy::with_arguments(format, &message, readings).unwrap();
                drop(loowy::encode_frame(format, message).unwrap());
            })
        }
        _ => return None,
    })
}

#[cfg(feature = "loowy")]
fn loowy(name: &str, format: Format, frame: bytes::Bytes) -> Option<Row> {
    use loowy_benches_peers::loowy::{self, BorrowedReading};
    use wamp_proto::{PayloadCheck, Value};

    let decode = move |check| loowy::decode(format, black_box(&frame).clone(), check).unwrap();
    Some(match name {
        "loowy" => Box::new(move || drop(decode(PayloadCheck::OnReceipt))),
        "loowy_on_decode" => Box::new(move || drop(decode(PayloadCheck::OnDecode))),
        "loowy_value" => Box::new(move || {
            let message = decode(PayloadCheck::OnReceipt);
            drop(loowy::arguments_as::<Vec<Value>>(&message).unwrap());
        }),
        "typed_loowy" => Box::new(move || {
            let message = decode(PayloadCheck::OnReceipt);
            drop(loowy::arguments_as::<Vec<Reading>>(&message).unwrap());
        }),
        "typed_loowy_borrowed" => Box::new(move || {
            let message = decode(PayloadCheck::OnReceipt);
            drop(loowy::arguments_as::<Vec<BorrowedReading<'_>>>(&message).unwrap());
        }),
        _ => return None,
    })
}
