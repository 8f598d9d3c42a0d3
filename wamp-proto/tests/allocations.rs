//! How much is allocated on the way in and on the way out. The counter is the process's: these tests are a binary of their own, and take turns.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::alloc::System;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use wamp_proto::{
    Call, CallOptions, CallResult, Event, EventDetails, Format, IntoPayload, Invocation, InvocationDetails, Limits,
    Message, PayloadCheck, PublicationId, RegistrationId, RequestId, ResultDetails, SubscriptionId, Uri, Yield,
    YieldOptions, decode, encode, encode_frame,
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Lets a test run alone.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many times `run` allocates memory, or allocates it anew.
///
/// The harness's own thread allocates, too, whenever it likes, so the fewest of some runs count.
fn allocations<T>(run: impl Fn() -> T) -> (usize, T) {
    let count = || {
        let region = Region::new(ALLOCATOR);
        let result = run();
        let change = region.change();
        (change.allocations + change.reallocations, result)
    };
    (0..20).map(|_| count()).min_by_key(|(count, _)| *count).unwrap()
}

fn messages(format: Format) -> [Message; 3] {
    let payload = || ("text", 5, vec![0.5; 1000]).into_payload(format).unwrap();
    [
        Event {
            subscription: SubscriptionId::new(5_512_315_355).unwrap(),
            publication: PublicationId::new(4_429_313_566).unwrap(),
            details: EventDetails::default(),
            payload: payload(),
        }
        .into(),
        CallResult {
            request: RequestId::new(7_814_135).unwrap(),
            details: ResultDetails::default(),
            payload: payload(),
        }
        .into(),
        Invocation {
            request: RequestId::new(6_131_533).unwrap(),
            registration: RegistrationId::new(9_823_529).unwrap(),
            details: InvocationDetails::default(),
            payload: payload(),
        }
        .into(),
    ]
}

fn payload(message: &Message) -> &wamp_proto::Payload {
    match message {
        Message::Event(event) => &event.payload,
        Message::Result(result) => &result.payload,
        Message::Invocation(invocation) => &invocation.payload,
        message => panic!("{message:?}"),
    }
}

#[test]
fn receiving_a_shared_frame_with_empty_details_allocates_nothing() {
    let _turn = turn();
    assert_ne!(allocations(|| Box::new(5)).0, 0, "allocations are counted");
    let limits = Limits::new();
    for format in Format::ALL.iter().copied() {
        for message in messages(format) {
            let frame = Bytes::from(frame(&message, format));
            let _shared = frame.clone();
            let receive = |check| allocations(|| decode(frame.clone(), format, &limits, check).unwrap());

            let (count, decoded) = receive(PayloadCheck::OnReceipt);
            assert_eq!(count, 0, "{format} {:?}", decoded.message_type());
            assert_eq!(decoded, message);

            let (count, text) = allocations(|| payload(&decoded).arg::<&str>(0).unwrap());
            assert_eq!((count, text), (0, "text"), "{format} {:?}", decoded.message_type());

            let (count, unchecked) = receive(PayloadCheck::OnDecode);
            assert_eq!(count, 1, "{format} {:?}", decoded.message_type());
            assert_eq!(unchecked, message);
        }
    }
}

#[test]
fn sending_a_small_message_allocates_its_payload_which_becomes_the_frame() {
    let _turn = turn();
    let procedure = Uri::new("com.example.add2").unwrap();
    let call = |options, payload| -> Message {
        let request = RequestId::new(7_814_135).unwrap();
        Call { request, options, procedure: procedure.clone(), payload }.into()
    };
    for format in Format::ALL.iter().copied() {
        for with_options in [false, true] {
            let options = || {
                let mut all = CallOptions::default();
                all.receive_progress = with_options.then_some(true);
                all
            };
            let payload = || (23, "text").into_payload(format).unwrap();
            assert_eq!(allocations(payload).0, 1, "{format}");
            let (count, sent) = allocations(|| encode_frame(call(options(), payload()), format).unwrap());
            assert_eq!(count, 1, "{format}");
            assert_eq!(sent, frame(&call(options(), payload()), format));

            // Somebody keeps the payload: a copy, and nothing beside it.
            let kept = payload();
            let shared = kept.clone();
            let (count, sent) = allocations(|| encode_frame(call(options(), kept.clone()), format).unwrap());
            assert_eq!(count, 1, "{format}");
            assert_eq!(sent, frame(&call(options(), shared), format));
        }
    }
}

#[test]
fn sending_a_large_message_copies_its_payload_nowhere() {
    let _turn = turn();
    for format in Format::ALL.iter().copied() {
        let request = RequestId::new(7_814_135).unwrap();
        let payload = vec!["text"; 100_000].into_payload(format).unwrap();
        let place = payload.raw_args().unwrap().unwrap().as_ptr();
        let region = Region::new(ALLOCATOR);
        let sent = encode_frame(Yield { request, options: YieldOptions::default(), payload }.into(), format).unwrap();
        assert!(region.change().bytes_allocated < 1_000, "{format}");
        assert!(sent.as_ptr_range().contains(&place), "{format}");
    }
}

#[test]
fn passing_a_payload_on_allocates_the_frame_once() {
    let _turn = turn();
    for format in Format::ALL.iter().copied() {
        for message in messages(format) {
            let limits = Limits::new();
            for check in [PayloadCheck::OnReceipt, PayloadCheck::OnDecode] {
                let received = decode(frame(&message, format).into(), format, &limits, check).unwrap();
                payload(&received).check().unwrap();
                let (count, sent) = allocations(|| frame(&received, format));
                assert_eq!(count, 1, "{format} {:?}", message.message_type());
                assert_eq!(sent, frame(&message, format));
            }
        }
    }
}

#[cfg(all(feature = "json", feature = "msgpack"))]
#[test]
fn transcoding_a_deep_payload_copies_it_a_few_times() {
    let _turn = turn();
    let deep = |levels| {
        let texts = vec![r#""0123456789""#; 10_000].join(",");
        let json = format!("[36,1,1,{{}},{}{texts}{}]", "[".repeat(levels), "]".repeat(levels));
        let event = decode(json.into(), Format::Json, &Limits::new(), PayloadCheck::OnReceipt).unwrap();
        let region = Region::new(ALLOCATOR);
        let transcoded = payload(&event).transcode(Format::MsgPack).unwrap();
        let allocated = region.change().bytes_allocated;
        assert_eq!(transcoded.byte_len(), 11 * 10_000 + 3 + levels - 1);
        allocated
    };
    let (flat, deep) = (deep(1), deep(120));
    assert!(deep < 10 * flat, "{flat} bytes for one level, {deep} for 120");
}

fn frame(message: &Message, format: Format) -> Vec<u8> {
    let mut frame = Vec::new();
    encode(message, format, &mut frame).unwrap();
    frame
}
