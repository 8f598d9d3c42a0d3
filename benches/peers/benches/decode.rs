//! Measures decoding a frame: by the peers, by untyped trees, and a plain copy of the same bytes.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot run has nothing to measure"
)]

use std::{hint::black_box, time::Duration};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use loowy_benches::{Case, Format, Reading, frame};
use loowy_benches_peers::{generic, wamp_async, wampproto};

fn decode(c: &mut Criterion) {
    for format in Format::ALL {
        for case in Case::ALL {
            let frame = frame(case, format);
            let mut group = c.benchmark_group(format!("decode/{}/{}", format.name(), case.name()));
            group.throughput(Throughput::Bytes(frame.len() as u64));
            group.bench_function("memcpy", |b| b.iter(|| black_box(&frame).clone()));
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

fn decode_typed(c: &mut Criterion) {
    for format in [Format::Json, Format::MsgPack] {
        let frame = frame(Case::EventThousand, format);
        let unpack = match format {
            Format::Json => wamp_async::decode_json,
            Format::MsgPack | Format::Cbor => wamp_async::decode_msgpack,
        };
        let mut group = c.benchmark_group(format!("decode_typed/{}/event_60k", format.name()));
        group.throughput(Throughput::Bytes(frame.len() as u64));
        group.bench_function("wamp_async", |b| {
            b.iter(|| {
                wamp_async::arguments_as::<Vec<Reading>>(unpack(black_box(&frame)).unwrap())
                    .unwrap()
            });
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = decode, decode_typed
}
criterion_main!(benches);
