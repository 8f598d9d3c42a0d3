//! Measures `wamp_proto`: frames to messages, messages to frames, and payloads to the user's types and back.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to measure")]

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use loowy_benches::{Case, Reading, frame, readings};
use wamp_proto::{Args, Format, IntoPayload, Limits, Message, PayloadCheck, Value, decode, encode};

const FORMATS: [(loowy_benches::Format, Format); 3] = [
    (loowy_benches::Format::Json, Format::Json),
    (loowy_benches::Format::MsgPack, Format::MsgPack),
    (loowy_benches::Format::Cbor, Format::Cbor),
];

fn messages(c: &mut Criterion) {
    let limits = Limits::new();
    for (of_frame, format) in FORMATS {
        for case in Case::ALL {
            let frame = Bytes::from(frame(case, of_frame));
            let mut group = c.benchmark_group(format!("{}/{}", of_frame.name(), case.name()));
            group.throughput(Throughput::Bytes(frame.len() as u64));
            for (name, check) in
                [("decode_on_receipt", PayloadCheck::OnReceipt), ("decode_on_decode", PayloadCheck::OnDecode)]
            {
                group.bench_function(name, |b| b.iter(|| decode(black_box(&frame).clone(), format, &limits, check)));
            }
            let message = decode(frame.clone(), format, &limits, PayloadCheck::OnReceipt).unwrap();
            let mut encoded = Vec::new();
            group.bench_function("encode", |b| {
                b.iter(|| {
                    encoded.clear();
                    encode(black_box(&message), format, &mut encoded)
                });
            });
            group.finish();
        }
    }
}

fn payloads(c: &mut Criterion) {
    let limits = Limits::new();
    let readings = readings();
    for (of_frame, format) in FORMATS {
        let frame = Bytes::from(frame(Case::EventThousand, of_frame));
        let Message::Event(event) = decode(frame.clone(), format, &limits, PayloadCheck::OnReceipt).unwrap() else {
            panic!("the frame is no EVENT")
        };
        let payload = event.payload;
        let mut group = c.benchmark_group(format!("{}/payload_60k", of_frame.name()));
        group.throughput(Throughput::Bytes(frame.len() as u64));
        group.bench_function("to_type", |b| b.iter(|| black_box(&payload).args::<Vec<Reading>>().unwrap()));
        group.bench_function("to_value", |b| b.iter(|| black_box(&payload).args::<Vec<Value>>().unwrap()));
        group.bench_function("from_type", |b| b.iter(|| Args(black_box(&readings)).into_payload(format).unwrap()));
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = messages, payloads
}
criterion_main!(benches);
