//! Payloads between sessions of different formats.

use std::collections::BTreeMap;

use wamp_session::Frame;
use wamp_session::proto::{
    Call, CallOptions, Error, ErrorDetails, Format, IntoPayload, Limits, MatchPolicy, Message, MessageType, Payload,
    Publish, PublishOptions, RequestId, Uri, Value, Yield, YieldOptions, encode,
};
use wamp_session::router::{PeerId, RealmConfig, RouterLimits};

use crate::world::{World, config};

/// The payload of an event or result: a list with everything, bytes included, and a keyword.
const PAYLOAD: &str = r#"["a€",-1,1.5,null,true,"\u0000AAEC/w==",{"b":[[]]}],{"k":18446744073709551615}"#;

fn send(world: &mut World, peer: PeerId, format: Format, message: impl Into<Message>) {
    let mut frame = Vec::new();
    encode(&message.into(), format, &mut frame).unwrap();
    world.send_frame(peer, Frame::Binary(frame.into()));
}

fn publish(request: u64, payload: Payload) -> Publish {
    let options = PublishOptions::default();
    Publish { request: RequestId::new(request).unwrap(), options, topic: Uri::new("a.b").unwrap(), payload }
}

#[test]
fn events_reach_subscribers_of_every_format() {
    for from in Format::ALL {
        let mut world = World::new(config());
        let publisher = world.join(*from);
        let subscribers: Vec<_> = Format::ALL.iter().map(|format| world.join(*format)).collect();
        for subscriber in &subscribers {
            world.send(*subscriber, r#"[32,1,{},"a.b"]"#);
            assert_eq!(world.take(*subscriber), ["[33,1,1]"]);
        }
        world.send(publisher, &format!(r#"[16,1,{{}},"a.b",{PAYLOAD}]"#));
        for subscriber in subscribers {
            let Message::Event(event) = world.messages(subscriber).remove(0) else { panic!("no EVENT") };
            let args: Vec<Value> = event.payload.args().unwrap();
            assert_eq!(args[0], Value::from("a€"));
            assert_eq!(args[1], Value::from(-1));
            assert_eq!(args[2], Value::from(1.5));
            assert_eq!(args[3], Value::Null);
            assert_eq!(args[5].as_bytes().map(|bytes| &bytes[..]), Some(&[0, 1, 2, 255][..]));
            assert_eq!(event.payload.kwargs::<BTreeMap<String, u64>>().unwrap()["k"], u64::MAX);
        }
    }
}

#[test]
fn an_event_is_encoded_once_per_format() {
    let mut world = World::new(config());
    let publisher = world.client();
    let subscribers: Vec<_> = Format::ALL.iter().chain(Format::ALL).map(|format| world.join(*format)).collect();
    for subscriber in &subscribers {
        world.send(*subscriber, r#"[32,1,{},"a.b"]"#);
        world.take(*subscriber);
    }
    world.send(publisher, &format!(r#"[16,1,{{}},"a.b",{PAYLOAD}]"#));
    let frames: Vec<_> = subscribers.into_iter().map(|subscriber| world.frames(subscriber).remove(0)).collect();
    let (first, second) = frames.split_at(Format::ALL.len());
    for (first, second) in first.iter().zip(second) {
        assert_eq!(first.bytes().as_ptr(), second.bytes().as_ptr());
    }
}

#[test]
fn calls_and_their_answers_reach_sessions_of_every_format() {
    for of_caller in Format::ALL {
        for of_callee in Format::ALL {
            let mut world = World::new(config());
            let (caller, callee) = (world.join(*of_caller), world.join(*of_callee));
            world.send(callee, r#"[64,1,{},"a.b"]"#);
            world.take(callee);
            world.send(caller, &format!(r#"[48,1,{{}},"a.b",{PAYLOAD}]"#));
            assert_eq!(world.take(callee), [format!("[68,1,1,{{}},{PAYLOAD}]")]);
            world.send(callee, &format!("[70,1,{{}},{PAYLOAD}]"));
            assert_eq!(world.take(caller), [format!("[50,1,{{}},{PAYLOAD}]")]);
            world.send(caller, r#"[48,2,{},"a.b"]"#);
            world.send(callee, &format!(r#"[8,68,2,{{}},"a.c",{PAYLOAD}]"#));
            assert_eq!(world.take(caller), [format!(r#"[8,48,2,{{}},"a.c",{PAYLOAD}]"#)]);
        }
    }
}

#[test]
fn an_event_that_a_format_cannot_carry_is_dropped_for_its_subscribers() {
    let mut world = World::new(config());
    let publisher = world.join(Format::MsgPack);
    let (json, cbor) = (world.join(Format::Json), world.join(Format::Cbor));
    for subscriber in [json, cbor] {
        world.send(subscriber, r#"[32,1,{},"a.b"]"#);
        world.take(subscriber);
    }
    let nan = (f64::NAN,).into_payload(Format::MsgPack).unwrap();
    send(&mut world, publisher, Format::MsgPack, publish(1, nan));
    assert_eq!(world.take(json), [""; 0]);
    assert_eq!(world.messages(cbor).len(), 1);
    assert_eq!(world.router.stats().dropped_events, 1);
    // Retained ones as well.
    let nan = (f64::NAN,).into_payload(Format::MsgPack).unwrap();
    let mut retained = publish(2, nan);
    retained.options.retain = Some(true);
    send(&mut world, publisher, Format::MsgPack, retained);
    assert_eq!(world.router.stats().dropped_events, 2);
    world.messages(cbor);
    for subscriber in [json, cbor] {
        world.send(subscriber, r#"[32,2,{"get_retained":true},"a.b"]"#);
    }
    assert_eq!((world.messages(json).len(), world.messages(cbor).len()), (1, 2));
    assert_eq!(world.router.stats().dropped_events, 3);
    world.router.shutdown(world.now);
    assert_eq!(world.router.stats().dropped_events, 3, "it is counted since the router was made");
    assert_eq!(world.closed(json), None);
}

#[test]
fn need_11_what_only_some_formats_can_carry_reaches_their_subscribers_and_is_counted_for_the_others() {
    let acknowledged = |payload: Payload| {
        let mut event = publish(1, payload);
        event.options.acknowledge = Some(true);
        let mut frame = Vec::new();
        encode(&event.into(), Format::MsgPack, &mut frame).unwrap();
        frame
    };
    let nan = acknowledged((f64::NAN,).into_payload(Format::MsgPack).unwrap());
    let text = acknowledged(("\0text",).into_payload(Format::MsgPack).unwrap());
    // What our serializers do not make, but others: {1: 2}.
    let mut keys = acknowledged((0,).into_payload(Format::MsgPack).unwrap());
    assert_eq!(keys.pop(), Some(0));
    keys.extend([0x81, 1, 2]);
    for (what, frame, reached) in [
        ("NaN", nan, [0, 1, 1]),
        ("a text that JSON has for bytes", text, [0, 1, 1]),
        ("keys that are no text", keys, [0, 1, 0]),
    ] {
        let mut world = World::new(config());
        let publisher = world.join(Format::MsgPack);
        let subscribers = [Format::Json, Format::MsgPack, Format::Cbor].map(|format| world.join(format));
        for subscriber in subscribers {
            world.send(subscriber, r#"[32,1,{},"a.b"]"#);
            world.take(subscriber);
        }
        world.send_frame(publisher, Frame::Binary(frame.into()));
        assert_eq!(subscribers.map(|subscriber| world.frames(subscriber).len()), reached, "{what}");
        assert!(world.one(publisher).starts_with("[17,1,"), "{what}");
        let dropped = reached.iter().filter(|events| **events == 0).count();
        assert_eq!(world.router.stats().dropped_events, dropped as u64, "{what}");
        // Nobody's session suffers from it.
        world.send(publisher, r#"[16,2,{},"a.b",[2]]"#);
        for subscriber in subscribers {
            assert!(world.one(subscriber).ends_with(",{},[2]]"), "{what}");
        }
    }
}

#[test]
fn evh_03_a_past_that_a_format_cannot_carry_is_refused_and_what_it_can_carry_is_given() {
    let realm = RealmConfig::new("realm1").unwrap().anonymous("guest");
    let mut world = World::new(config().realm(realm.history("a.b", MatchPolicy::Exact, 9).unwrap()));
    let publisher = world.join(Format::MsgPack);
    let (json, cbor) = (world.join(Format::Json), world.join(Format::Cbor));
    let nan = (f64::NAN,).into_payload(Format::MsgPack).unwrap();
    send(&mut world, publisher, Format::MsgPack, publish(1, nan));
    send(&mut world, publisher, Format::MsgPack, publish(2, (2,).into_payload(Format::MsgPack).unwrap()));
    world.send(json, r#"[48,1,{},"wamp.subscription.lookup",["a.b"]]"#);
    assert_eq!(world.take(json), ["[50,1,{},[1]]"]);
    world.send(json, r#"[48,2,{},"wamp.subscription.get_events",[1]]"#);
    assert_eq!(world.take(json), [r#"[8,48,2,{},"wamp.error.invalid_payload"]"#]);
    world.send(json, r#"[48,3,{},"wamp.subscription.get_events",[1],{"reverse":true,"limit":1}]"#);
    assert!(world.one(json).contains(r#""args":[2]"#));
    world.send(cbor, r#"[48,1,{},"wamp.subscription.get_events",[1]]"#);
    let Message::Result(result) = world.messages(cbor).remove(0) else { panic!("no RESULT") };
    assert_eq!(result.payload.args::<Vec<Value>>().unwrap().len(), 2);
}

#[test]
fn a_call_that_a_format_cannot_carry_fails() {
    let mut world = World::new(config());
    let (caller, callee) = (world.join(Format::MsgPack), world.join(Format::Json));
    world.send(callee, r#"[64,1,{},"a.b"]"#);
    world.take(callee);
    let nan = || (f64::NAN,).into_payload(Format::MsgPack).unwrap();
    let procedure = Uri::new("a.b").unwrap();
    let call = Call { request: RequestId::MIN, options: CallOptions::default(), procedure, payload: nan() };
    send(&mut world, caller, Format::MsgPack, call);
    assert_eq!(world.take(caller), [r#"[8,48,1,{},"wamp.error.invalid_payload"]"#]);
    assert_eq!(world.take(callee), [""; 0]);
    assert_eq!(world.router.pending_invocations("realm1"), 0);
    world.send(caller, r#"[48,2,{},"a.b"]"#);
    assert_eq!(world.take(callee), ["[68,1,1,{}]"], "the INVOCATION that was not sent used no id");
}

#[test]
fn a_result_that_a_format_cannot_carry_is_an_error() {
    let mut world = World::new(config());
    let (caller, callee) = (world.join(Format::Json), world.join(Format::MsgPack));
    world.send(callee, r#"[64,1,{},"a.b"]"#);
    world.send(caller, r#"[48,1,{},"a.b"]"#);
    let payload = (f64::INFINITY,).into_payload(Format::MsgPack).unwrap();
    let result = Yield { request: RequestId::MIN, options: YieldOptions::default(), payload };
    send(&mut world, callee, Format::MsgPack, result);
    assert_eq!(world.take(caller), [r#"[8,48,1,{},"wamp.error.invalid_payload"]"#]);
    assert_eq!(world.tables(), [2, 0, 1, 0]);
}

#[test]
fn an_error_that_a_format_cannot_carry_is_another_error() {
    let mut world = World::new(config());
    let (caller, callee) = (world.join(Format::Json), world.join(Format::MsgPack));
    world.send(callee, r#"[64,1,{},"a.b"]"#);
    world.send(caller, r#"[48,1,{},"a.b"]"#);
    let error = Error {
        request_type: MessageType::Invocation,
        request: RequestId::MIN,
        details: ErrorDetails::default(),
        error: Uri::new("c.d").unwrap(),
        payload: (f64::INFINITY,).into_payload(Format::MsgPack).unwrap(),
    };
    send(&mut world, callee, Format::MsgPack, error);
    assert_eq!(world.take(caller), [r#"[8,48,1,{},"wamp.error.invalid_payload"]"#]);
    assert_eq!(world.tables(), [2, 0, 1, 0]);
}

#[test]
fn a_message_that_becomes_too_long_is_not_forwarded() {
    let limits = RouterLimits::new().message(Limits::new().max_message_bytes(400));
    let mut world = World::new(config().limits(limits));
    let (binary, json) = (world.join(Format::MsgPack), world.join(Format::Json));
    world.send(json, r#"[32,1,{},"a.b"]"#);
    world.send(json, r#"[64,2,{},"a.b"]"#);
    world.take(json);
    // 350 bytes are 468 characters of base64.
    let bytes = || (Value::Bytes(vec![0; 350].into()),).into_payload(Format::MsgPack).unwrap();
    send(&mut world, binary, Format::MsgPack, publish(1, bytes()));
    let (request, procedure) = (RequestId::new(2).unwrap(), Uri::new("a.b").unwrap());
    let call = Call { request, options: CallOptions::default(), procedure, payload: bytes() };
    send(&mut world, binary, Format::MsgPack, call);
    assert_eq!(world.take(json), [""; 0]);
    assert_eq!(world.take(binary), [r#"[8,48,2,{},"wamp.error.payload_size_exceeded"]"#]);
    assert_eq!(world.router.stats().dropped_events, 1);
}
