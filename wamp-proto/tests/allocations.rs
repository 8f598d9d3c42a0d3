//! How much is allocated on the way in. The counter is the process's, so this is one test in a binary of its own.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::alloc::System;

use bytes::Bytes;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use wamp_proto::{
    CallResult, Event, EventDetails, Format, IntoPayload, Invocation, InvocationDetails, Limits, Message, PayloadCheck,
    PublicationId, RegistrationId, RequestId, ResultDetails, SubscriptionId, decode, encode,
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

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
    assert_ne!(allocations(|| Box::new(5)).0, 0, "allocations are counted");
    let limits = Limits::new();
    for format in Format::ALL.iter().copied() {
        for message in messages(format) {
            let mut frame = Vec::new();
            encode(&message, format, &mut frame).unwrap();
            let frame = Bytes::from(frame);
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
