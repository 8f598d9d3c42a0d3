//! Decodes one frame a number of times, for `valgrind --tool=callgrind`, which counts the instructions of [`measured`] alone.
//!
//! `instructions ROW FORMAT FRAME TIMES`, where ROW is one of the benchmark `decode`, or `typed_wamp_async`, `typed_loowy`, `typed_loowy_borrowed`.
//! The script `count` prints a table of them.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a measurement that cannot run has nothing to measure"
)]

use std::{env, hint::black_box};

use loowy_benches::{Case, Format, Reading, frame};
use loowy_benches_peers::{generic, wamp_async, wampproto};

/// What is counted.
#[inline(never)]
fn measured(work: &mut dyn FnMut(), times: usize) {
    for _ in 0..times {
        work();
    }
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [row, format, case, times] = arguments.as_slice() else {
        panic!("instructions ROW FORMAT FRAME TIMES")
    };
    let format = Format::ALL
        .into_iter()
        .find(|known| known.name() == format)
        .unwrap();
    let case = Case::ALL
        .into_iter()
        .find(|known| known.name() == case)
        .unwrap();
    let times = times.parse().unwrap();
    let frame = frame(case, format);
    let unpack = match format {
        Format::Json => wamp_async::decode_json,
        Format::MsgPack => wamp_async::decode_msgpack,
        Format::Cbor => |_: &[u8]| Err("wamp_async has no CBOR".to_owned()),
    };
    match row.as_str() {
        "memcpy" => measured(&mut || drop(black_box(black_box(&frame).clone())), times),
        "generic" => measured(
            &mut || drop(generic::decode(format, black_box(&frame)).unwrap()),
            times,
        ),
        "wamp_async" => measured(&mut || drop(unpack(black_box(&frame)).unwrap()), times),
        "typed_wamp_async" => {
            let readings = |message| wamp_async::arguments_as::<Vec<Reading>>(message).unwrap();
            measured(
                &mut || drop(readings(unpack(black_box(&frame)).unwrap())),
                times,
            );
        }
        "wampproto" => {
            let serializer = wampproto::serializer(format);
            let mut frames = vec![frame; times];
            let mut decode = || {
                let frame = black_box(frames.pop().unwrap());
                drop(wampproto::decode(&*serializer, frame).unwrap());
            };
            measured(&mut decode, times);
        }
        #[cfg(feature = "loowy")]
        row => loowy(row, format, &frame.into(), times),
        #[cfg(not(feature = "loowy"))]
        row => panic!("no row {row}"),
    }
}

#[cfg(feature = "loowy")]
fn loowy(row: &str, format: Format, frame: &bytes::Bytes, times: usize) {
    use loowy_benches_peers::loowy::{self, BorrowedReading};
    use wamp_proto::{PayloadCheck, Value};

    let decode = |check| loowy::decode(format, black_box(frame).clone(), check).unwrap();
    match row {
        "loowy" => measured(&mut || drop(decode(PayloadCheck::OnReceipt)), times),
        "loowy_on_decode" => measured(&mut || drop(decode(PayloadCheck::OnDecode)), times),
        "loowy_value" => {
            let mut decode = || {
                let message = decode(PayloadCheck::OnReceipt);
                drop(loowy::arguments_as::<Vec<Value>>(&message).unwrap());
            };
            measured(&mut decode, times);
        }
        "typed_loowy" => {
            let mut decode = || {
                let message = decode(PayloadCheck::OnReceipt);
                drop(loowy::arguments_as::<Vec<Reading>>(&message).unwrap());
            };
            measured(&mut decode, times);
        }
        "typed_loowy_borrowed" => {
            let mut decode = || {
                let message = decode(PayloadCheck::OnReceipt);
                drop(loowy::arguments_as::<Vec<BorrowedReading<'_>>>(&message).unwrap());
            };
            measured(&mut decode, times);
        }
        row => panic!("no row {row}"),
    }
}
