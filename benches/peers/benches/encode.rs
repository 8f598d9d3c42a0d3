//! Measures encoding a message: by the peers and by untyped trees.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot run has nothing to measure"
)]

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use loowy_benches::{Case, Format, frame, readings};
use loowy_benches_peers::{generic, wamp_async, wampproto};

fn encode(c: &mut Criterion) {
    for format in Format::ALL {
        for case in Case::ALL {
            let frame = frame(case, format);
            let mut group = c.benchmark_group(format!("encode/{}/{}", format.name(), case.name()));
            group.throughput(Throughput::Bytes(frame.len() as u64));
            group.bench_function("memcpy", |b| b.iter(|| black_box(&frame).clone()));
            let tree = generic::decode(format, &frame).unwrap();
            group.bench_function("generic", |b| {
                b.iter(|| generic::encode(black_box(&tree)).unwrap())
            });
            match format {
                Format::Json => {
                    let message = wamp_async::decode_json(&frame).unwrap();
                    group.bench_function("wamp_async", |b| {
                        b.iter(|| wamp_async::encode_json(black_box(&message)).unwrap())
                    });
                }
                // wamp_async has no binary data.
                Format::MsgPack if case != Case::ResultBytes => {
                    let message = wamp_async::decode_msgpack(&frame).unwrap();
                    group.bench_function("wamp_async", |b| {
                        b.iter(|| wamp_async::encode_msgpack(black_box(&message)).unwrap())
                    });
                }
                Format::MsgPack | Format::Cbor => {}
            }
            let serializer = wampproto::serializer(format);
            let message = wampproto::decode(&*serializer, frame.clone()).unwrap();
            group.bench_function("wampproto", |b| {
                b.iter(|| wampproto::encode(&*serializer, black_box(&*message)).unwrap());
            });
            group.finish();
        }
    }
}

fn encode_typed(c: &mut Criterion) {
    let readings = readings();
    let template = wamp_async::decode_json(&frame(Case::EventThousand, Format::Json)).unwrap();
    for format in [Format::Json, Format::MsgPack] {
        let pack = match format {
            Format::Json => wamp_async::encode_json,
            Format::MsgPack | Format::Cbor => wamp_async::encode_msgpack,
        };
        let mut group = c.benchmark_group(format!("encode_typed/{}/event_60k", format.name()));
        group.throughput(Throughput::Bytes(
            frame(Case::EventThousand, format).len() as u64
        ));
        group.bench_function("wamp_async", |b| {
            b.iter(|| {
                pack(&wamp_async::event_with_arguments(&template, black_box(&readings)).unwrap())
                    .unwrap()
            });
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = encode, encode_typed
}
criterion_main!(benches);
