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

/// What waits to be sent is no larger than it looks: a payload that came in a large buffer leaves it.
#[test]
fn sending_a_small_message_on_does_not_keep_a_large_buffer() {
    let _turn = turn();
    for format in Format::ALL.iter().copied() {
        let payload = (23, "text").into_payload(format).unwrap();
        let message: Message =
            Yield { request: RequestId::new(7_814_135).unwrap(), options: YieldOptions::default(), payload }.into();
        let expected = frame(&message, format);
        for (capacity, is_left) in [(expected.len(), false), (16 * 1024, true)] {
            let mut buffer = Vec::with_capacity(capacity);
            encode(&message, format, &mut buffer).unwrap();
            let place = buffer.as_ptr().addr()..buffer.as_ptr().addr() + buffer.capacity();
            let received = decode(buffer.into(), format, &Limits::new(), PayloadCheck::OnReceipt).unwrap();
            let sent = encode_frame(received, format).unwrap();
            assert_eq!(sent, expected, "{format}");
            assert_eq!(!place.contains(&sent.as_ptr().addr()), is_left, "{format}, {capacity} bytes");
        }
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

/// The frame of a message that claims to hold more than it does: in its list, a dict, a list, a string or a key of Options and Details, a URI, the
/// payload and what is in it.
#[cfg(all(feature = "msgpack", feature = "cbor"))]
fn boasts() -> Vec<(Format, Vec<u8>)> {
    let msgpack: &[(&[u8], &[u8])] = &[
        (b"", b"\xdd"),
        (b"\x94\x24\x01\x02", b"\xdf"),
        (b"\x94\x24\x01\x02\x81", b"\xdb"),
        (b"\x94\x24\x01\x02\x81\xa5topic", b"\xdb"),
        (b"\x94\x24\x01\x02\x81\xa1x", b"\xdd"),
        (b"\x94\x24\x01\x02\x81\xa1x", b"\xdf"),
        (b"\x94\x24\x01\x02\x81\xa1x", b"\xc6"),
        (b"\x94\x24\x01\x02\x81\xa1x\x91", b"\xc9"),
        (b"\x94\x10\x01\x81\xa7exclude", b"\xdd"),
        (b"\x94\x10\x01\x81\xaeexclude_authid", b"\xdd"),
        (b"\x93\x02\x01\x81\xa9authextra", b"\xdf"),
        (b"\x93\x02\x01\x81\xa5roles", b"\xdf"),
        (b"\x94\x20\x01\x80", b"\xdb"),
        (b"\x95\x24\x01\x02\x80", b"\xdd"),
        (b"\x95\x24\x01\x02\x80\x91", b"\xdb"),
        (b"\x95\x24\x01\x02\x80\x91", b"\xc6"),
        (b"\x95\x24\x01\x02\x80\x91", b"\xdd"),
        (b"\x95\x24\x01\x02\x80\x91", b"\xdf"),
        (b"\x96\x24\x01\x02\x80\x90", b"\xdf"),
        (b"\x96\x24\x01\x02\x80\x90\x81", b"\xdb"),
        (b"\x96\x24\x01\x02\x80\x90\x81\xa1k", b"\xdd"),
    ];
    let cbor: &[(&[u8], &[u8])] = &[
        (b"", b"\x9b"),
        (b"\x84\x18\x24\x01\x02", b"\xbb"),
        (b"\x84\x18\x24\x01\x02\xa1", b"\x7b"),
        (b"\x84\x18\x24\x01\x02\xa1\x7f", b"\x7b"),
        (b"\x84\x18\x24\x01\x02\xa1\x65topic", b"\x7b"),
        (b"\x84\x18\x24\x01\x02\xa1\x65topic\x7f\x61a", b"\x7b"),
        (b"\x84\x18\x24\x01\x02\xa1\x61x", b"\x9b"),
        (b"\x84\x18\x24\x01\x02\xa1\x61x", b"\xbb"),
        (b"\x84\x18\x24\x01\x02\xa1\x61x", b"\x5b"),
        (b"\x84\x18\x24\x01\x02\xa1\x61x\x5f\x41a", b"\x5b"),
        (b"\x84\x10\x01\xa1\x67exclude", b"\x9b"),
        (b"\x84\x10\x01\xa1\x6eexclude_authid", b"\x9b"),
        (b"\x83\x02\x01\xa1\x69authextra", b"\xbb"),
        (b"\x83\x02\x01\xa1\x65roles", b"\xbb"),
        (b"\x84\x18\x20\x01\xa0", b"\x7b"),
        (b"\x85\x18\x24\x01\x02\xa0", b"\x9b"),
        (b"\x85\x18\x24\x01\x02\xa0\x81", b"\x7b"),
        (b"\x85\x18\x24\x01\x02\xa0\x81", b"\x5b"),
        (b"\x85\x18\x24\x01\x02\xa0\x81\xc2", b"\x5b"),
        (b"\x85\x18\x24\x01\x02\xa0\x81", b"\x9b"),
        (b"\x85\x18\x24\x01\x02\xa0\x81", b"\xbb"),
        (b"\x86\x18\x24\x01\x02\xa0\x80", b"\xbb"),
        (b"\x86\x18\x24\x01\x02\xa0\x80\xa1", b"\x7b"),
        (b"\x86\x18\x24\x01\x02\xa0\x80\xa1\x61k", b"\x9b"),
    ];
    let with = |(before, head): &(&[u8], &[u8]), length: &[u8]| [before, head, length, b"\x01"].concat();
    let lengths = [u32::MAX, i32::MAX as u32, 1 << 20].map(u32::to_be_bytes);
    let long_lengths = [u64::MAX, i64::MAX as u64, 1 << 53, 1 << 32, 1 << 20].map(u64::to_be_bytes);
    let msgpack =
        msgpack.iter().flat_map(|place| lengths.iter().map(move |length| (Format::MsgPack, with(place, length))));
    let cbor = cbor.iter().flat_map(|place| long_lengths.iter().map(move |length| (Format::Cbor, with(place, length))));
    msgpack.chain(cbor).collect()
}

#[cfg(all(feature = "msgpack", feature = "cbor"))]
#[test]
fn a_length_that_is_only_claimed_allocates_nothing() {
    let _turn = turn();
    for (format, frame) in boasts() {
        let frame = Bytes::from(frame);
        for check in [PayloadCheck::OnReceipt, PayloadCheck::OnDecode] {
            let bytes = || {
                let region = Region::new(ALLOCATOR);
                if let Ok(Message::Event(event)) = decode(frame.clone(), format, &Limits::new(), check) {
                    assert!(event.payload.args::<Vec<wamp_proto::Value>>().is_err(), "{frame:02x?} in {format}");
                    assert!(event.payload.args::<(String,)>().is_err(), "{frame:02x?} in {format}");
                    assert!(event.payload.arg::<Vec<u64>>(0).is_err(), "{frame:02x?} in {format}");
                    assert!(event.payload.kwargs::<wamp_proto::Dict>().is_err(), "{frame:02x?} in {format}");
                    assert_eq!(check, PayloadCheck::OnDecode, "{frame:02x?} in {format}");
                }
                region.change().bytes_allocated
            };
            // A list of a known attribute has room for a few at once, an error says where it is.
            let least = (0..5).map(|_| bytes()).min().unwrap();
            assert!(least < 2_000, "{least} bytes for {frame:02x?} in {format}, checked {check:?}");
        }
    }
}

fn frame(message: &Message, format: Format) -> Vec<u8> {
    let mut frame = Vec::new();
    encode(message, format, &mut frame).unwrap();
    frame
}
