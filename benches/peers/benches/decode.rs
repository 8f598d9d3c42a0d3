//! Measures decoding a frame: by Loowy, by the peers, by untyped trees, and a plain copy of the same bytes.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot run has nothing to measure"
)]

use std::{hint::black_box, time::Duration};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
#[cfg(feature = "loowy")]
use criterion::{BenchmarkGroup, measurement::WallTime};
use loowy_benches::{Case, Format, Reading, frame};
use loowy_benches_peers::{generic, wamp_async, wampproto};

fn decode(c: &mut Criterion) {
    for format in Format::ALL {
        for case in Case::ALL {
            let frame = frame(case, format);
            let mut group = c.benchmark_group(format!("decode/{}/{}", format.name(), case.name()));
            group.throughput(Throughput::Bytes(frame.len() as u64));
            group.bench_function("memcpy", |b| b.iter(|| black_box(&frame).clone()));
            #[cfg(feature = "loowy")]
            loowy_rows(&mut group, format, &frame);
            group.bench_function("generic", |b| {
                b.iter(|| generic::decode(format, black_box(&frame)).unwrap())
            });
            match format {
                Format::Json => {
                    group.bench_function("wamp_async", |b| {
                        b.iter(|| wamp_async::decode_json(black_box(&frame)).unwrap())
                    });
                }
                // wamp_async has no binary data.
                Format::MsgPack if case != Case::ResultBytes => {
                    group.bench_function("wamp_async", |b| {
                        b.iter(|| wamp_async::decode_msgpack(black_box(&frame)).unwrap())
                    });
                }
                Format::MsgPack | Format::Cbor => {}
            }
            let serializer = wampproto::serializer(format);
            group.bench_function("wampproto", |b| {
                b.iter_batched(
                    || frame.clone(),
                    |frame| wampproto::decode(&*serializer, black_box(frame)).unwrap(),
                    BatchSize::LargeInput,
                );
            });
            group.finish();
        }
    }
}

#[cfg(feature = "loowy")]
fn loowy_rows(group: &mut BenchmarkGroup<'_, WallTime>, format: Format, frame: &[u8]) {
    use loowy_benches_peers::loowy;
    use wamp_proto::{PayloadCheck, Value};

    let frame = bytes::Bytes::copy_from_slice(frame);
    for (name, check) in [
        ("loowy", PayloadCheck::OnReceipt),
        ("loowy_on_decode", PayloadCheck::OnDecode),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| loowy::decode(format, black_box(&frame).clone(), check).unwrap());
        });
    }
    group.bench_function("loowy_value", |b| {
        b.iter(|| {
            let frame = black_box(&frame).clone();
            let message = loowy::decode(format, frame, PayloadCheck::OnReceipt).unwrap();
            loowy::arguments_as::<Vec<Value>>(&message).unwrap()
        });
    });
}

type Unpack = fn(&[u8]) -> Result<wamp_async::Msg, String>;

fn decode_typed(c: &mut Criterion) {
    for format in Format::ALL {
        let frame = frame(Case::EventThousand, format);
        let mut group = c.benchmark_group(format!("decode_typed/{}/event_60k", format.name()));
        group.throughput(Throughput::Bytes(frame.len() as u64));
        #[cfg(feature = "loowy")]
        loowy_typed_rows(&mut group, format, &frame);
        let unpack = match format {
            Format::Json => Some(wamp_async::decode_json as Unpack),
            Format::MsgPack => Some(wamp_async::decode_msgpack as Unpack),
            Format::Cbor => None,
        };
        if let Some(unpack) = unpack {
            group.bench_function("wamp_async", |b| {
                b.iter(|| {
                    wamp_async::arguments_as::<Vec<Reading>>(unpack(black_box(&frame)).unwrap())
                        .unwrap()
                });
            });
        }
        group.finish();
    }
}

#[cfg(feature = "loowy")]
fn loowy_typed_rows(group: &mut BenchmarkGroup<'_, WallTime>, format: Format, frame: &[u8]) {
    use loowy_benches_peers::loowy::{self, BorrowedReading};
    use wamp_proto::PayloadCheck;

    let frame = bytes::Bytes::copy_from_slice(frame);
    let message = |frame: &bytes::Bytes| {
        loowy::decode(format, frame.clone(), PayloadCheck::OnReceipt).unwrap()
    };
    group.bench_function("loowy", |b| {
        b.iter(|| loowy::arguments_as::<Vec<Reading>>(&message(black_box(&frame))).unwrap());
    });
    group.bench_function("loowy_borrowed", |b| {
        b.iter(|| {
            let message = message(black_box(&frame));
            let readings = loowy::arguments_as::<Vec<BorrowedReading<'_>>>(&message).unwrap();
            black_box(&readings).len()
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = decode, decode_typed
}
criterion_main!(benches);
