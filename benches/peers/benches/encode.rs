//! Measures encoding a message: by Loowy, by the peers and by untyped trees.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot run has nothing to measure"
)]

use std::{hint::black_box, time::Duration};

#[cfg(feature = "loowy")]
use criterion::{BenchmarkGroup, measurement::WallTime};
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
            #[cfg(feature = "loowy")]
            loowy_rows(&mut group, format, &frame);
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

#[cfg(feature = "loowy")]
fn loowy_rows(group: &mut BenchmarkGroup<'_, WallTime>, format: Format, frame: &[u8]) {
    use loowy_benches_peers::loowy;
    use wamp_proto::{PayloadCheck, Value};

    let frame = bytes::Bytes::copy_from_slice(frame);
    let message = loowy::decode(format, frame, PayloadCheck::OnReceipt).unwrap();
    group.bench_function("loowy", |b| {
        b.iter(|| loowy::encode(format, black_box(&message)).unwrap());
    });
    let values: Vec<Value> = loowy::arguments_as(&message).unwrap();
    group.bench_function("loowy_value", |b| {
        b.iter(|| {
            let message = loowy::with_arguments(format, &message, black_box(&values)).unwrap();
            loowy::encode_frame(format, message).unwrap()
        });
    });
}

type Pack = fn(&wamp_async::Msg) -> Result<Vec<u8>, String>;

fn encode_typed(c: &mut Criterion) {
    let readings = readings();
    let json = frame(Case::EventThousand, Format::Json);
    let template = wamp_async::decode_json(&json).unwrap();
    for format in Format::ALL {
        let mut group = c.benchmark_group(format!("encode_typed/{}/event_60k", format.name()));
        group.throughput(Throughput::Bytes(
            frame(Case::EventThousand, format).len() as u64
        ));
        #[cfg(feature = "loowy")]
        {
            use loowy_benches_peers::loowy;

            let frame = frame(Case::EventThousand, format).into();
            let template =
                loowy::decode(format, frame, wamp_proto::PayloadCheck::OnReceipt).unwrap();
            group.bench_function("loowy", |b| {
                b.iter(|| {
                    let message =
                        loowy::with_arguments(format, &template, black_box(&readings)).unwrap();
                    loowy::encode_frame(format, message).unwrap()
                });
            });
        }
        let pack = match format {
            Format::Json => Some(wamp_async::encode_json as Pack),
            Format::MsgPack => Some(wamp_async::encode_msgpack as Pack),
            Format::Cbor => None,
        };
        if let Some(pack) = pack {
            group.bench_function("wamp_async", |b| {
                b.iter(|| {
                    let message =
                        wamp_async::event_with_arguments(&template, black_box(&readings)).unwrap();
                    pack(&message).unwrap()
                });
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = encode, encode_typed
}
criterion_main!(benches);
