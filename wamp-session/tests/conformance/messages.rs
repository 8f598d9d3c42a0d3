//! Checklist sections 1 and 4, as far as they are the session's: what is no message, or none for a client, ends the session with ABORT.

use wamp_session::proto::{Format, Payload, Role};
use wamp_session::{
    CallOptions, CloseCause, CommandError, Frame, ProtocolViolation, PublishOptions, RegisterOptions, Response,
    SubscribeOptions, WampError,
};

use crate::support::{Peer, WELCOME, config, payload, uri};

pub(crate) fn text(text: &str) -> Frame {
    Frame::Text(text.as_bytes().to_vec().into())
}

fn violates(frames: &[&str]) {
    for frame in frames {
        let cause = Peer::violate(config(), &[text(frame)]);
        assert!(matches!(&*cause, CloseCause::ProtocolViolation(_)), "{frame}: {cause:?}");
    }
}

#[test]
fn msg_002_booleans_are_booleans() {
    let mut peer = Peer::joined();
    peer.publish_acked("com.example.topic");
    peer.expect_sent(r#"[16,1,{"acknowledge":true},"com.example.topic"]"#);
    violates(&[r#"[50,1,{"progress":1}]"#]);
}

#[test]
fn msg_003_keys_are_strings() {
    for (format, frame) in
        [(Format::MsgPack, b"\x93\x02\x07\x81\x01\x80".as_slice()), (Format::Cbor, b"\x83\x02\x07\xa1\x01\xa0")]
    {
        let mut peer = Peer::joining_in(format, config());
        peer.receive_frame(Frame::Binary(frame.into()));
        peer.expect_violation();
    }
}

#[test]
fn msg_004_an_empty_list_is_no_message() {
    violates(&["[]"]);
}

#[test]
fn msg_005_what_is_no_list_is_no_message() {
    violates(&["{}", r#""x""#, "5", "null"]);
}

#[test]
fn msg_006_a_message_type_is_an_integer() {
    violates(&[r#"["36",1,1,{}]"#, "[1.5,1]", "[null,1]", "[true,1]", "[-1,1]"]);
}

#[test]
fn msg_007_unknown_message_types_of_the_core_are_violations() {
    for code in [0, 7, 9, 18, 37, 51, 71, 255] {
        violates(&[&format!("[{code},1,{{}}]")]);
    }
}

#[test]
fn msg_008_unknown_extension_messages_are_violations() {
    violates(&["[337,1]", "[1023]", "[1024]"]);
}

#[test]
fn msg_009_too_few_and_too_many_elements_are_violations() {
    violates(&[
        "[17,2]",
        "[17,2,5,{}]",
        "[33,3]",
        "[33,3,5,{}]",
        "[35]",
        "[35,1,{},1]",
        "[36,1,1]",
        "[36,1,1,{},[],{},1]",
        "[50,1]",
        "[50,1,{},[],{},1]",
        "[65,4]",
        "[65,4,5,{}]",
        "[67]",
        "[67,1,{},1]",
        "[68,1,1]",
        "[68,1,1,{},[],{},1]",
        "[69,1]",
        "[69,1,{},1]",
        "[8,48,1,{}]",
        r#"[8,48,1,{},"com.example.error",[],{},1]"#,
        "[6,{}]",
        r#"[6,{},"wamp.close.normal",1]"#,
    ]);
}

#[test]
fn msg_010_elements_of_a_wrong_type_are_violations() {
    violates(&[
        r#"[17,"2",5]"#,
        "[17,2,[]]",
        "[33,3,{}]",
        r#"[35,"1"]"#,
        "[36,1,1,[]]",
        "[36,1,1,{},{}]",
        "[36,1,1,{},[],[]]",
        "[50,1,[]]",
        "[50,1,{},{}]",
        "[65,4,null]",
        "[67,{}]",
        "[68,1,1,5]",
        "[68,1,1,{},5]",
        "[69,1,[]]",
        "[8,48,1,{},5]",
        r#"[8,"48",1,{},"com.example.error"]"#,
        "[6,[],5]",
        "[6,{},5]",
    ]);
}

#[test]
fn msg_011_unknown_attributes_are_ignored() {
    let unknown = r#""x_cb_node":"n","_foo_bar":1,"zzz":{"a":[]}"#;
    let mut peer = Peer::joining(config());
    peer.receive(&format!(r#"[2,7814135,{{"roles":{{"broker":{{}},"dealer":{{}}}},{unknown}}}]"#));
    assert_eq!(peer.expect_joined().details.extra.get("x_cb_node").and_then(|node| node.as_str()), Some("n"));
    peer.subscribed("com.example.topic", 100);
    peer.registered("com.example.procedure", 200);
    let call = peer.call("com.example.other");
    let failing = peer.call("com.example.other");
    peer.sent();
    peer.sent();
    peer.receive(&format!("[36,100,1,{{{unknown}}}]"));
    assert!(peer.expect_published().details.extra.contains_key("zzz"));
    peer.receive(&format!("[68,1,200,{{{unknown}}}]"));
    assert!(peer.expect_invocation().details.extra.contains_key("_foo_bar"));
    peer.receive(&format!("[50,3,{{{unknown}}}]"));
    assert!(peer.expect_call_done(call).unwrap().details.extra.contains_key("zzz"));
    peer.receive(&format!(r#"[8,48,4,{{{unknown}}},"com.example.error"]"#));
    assert!(peer.expect_call_done(failing).is_err());
    peer.receive(&format!("[69,1,{{{unknown}}}]"));
    assert!(matches!(peer.event(), wamp_session::SessionEvent::Interrupted { .. }));
    peer.expect_usable();
}

#[test]
fn msg_012_own_options_have_own_names() {
    let mut peer = Peer::joined();
    let options = CallOptions::new().option("_my_opt", 1).unwrap().option("x_mine", "a").unwrap();
    peer.session.call(peer.now, uri("com.example.procedure"), Payload::new(), options).unwrap();
    peer.expect_sent(r#"[48,1,{"_my_opt":1,"x_mine":"a"},"com.example.procedure"]"#);
    for key in ["MyOpt", "a", "_ab", "my-opt"] {
        assert!(matches!(CallOptions::new().option(key, 1), Err(CommandError::InvalidOption(_))), "{key}");
    }
}

#[test]
fn msg_013_options_and_details_are_always_there() {
    let mut peer = Peer::joined();
    peer.publish("com.example.topic");
    peer.subscribe("com.example.topic");
    peer.call("com.example.procedure");
    peer.register("com.example.procedure");
    peer.expect_sent(r#"[16,1,{},"com.example.topic"]"#);
    peer.expect_sent(r#"[32,2,{},"com.example.topic"]"#);
    peer.expect_sent(r#"[48,3,{},"com.example.procedure"]"#);
    peer.expect_sent(r#"[64,4,{},"com.example.procedure"]"#);
    peer.close();
    peer.expect_sent(r#"[6,{},"wamp.close.close_realm"]"#);
}

#[test]
fn msg_014_empty_arguments_are_left_out() {
    let mut peer = Peer::joined();
    peer.session.publish(peer.now, uri("a.b"), payload(()), PublishOptions::new()).unwrap();
    peer.expect_sent(r#"[16,1,{},"a.b"]"#);
    peer.session.call(peer.now, uri("a.b"), payload(()), CallOptions::new()).unwrap();
    peer.expect_sent(r#"[48,2,{},"a.b"]"#);
}

#[test]
fn msg_015_empty_keyword_arguments_are_left_out() {
    let mut peer = Peer::joined();
    peer.session.publish(peer.now, uri("a.b"), payload((1,)), PublishOptions::new()).unwrap();
    peer.expect_sent(r#"[16,1,{},"a.b",[1]]"#);
}

#[test]
fn msg_016_keyword_arguments_alone_have_an_empty_list_before_them() {
    let mut peer = Peer::joined();
    let kwargs = wamp_session::proto::Kwargs(std::collections::BTreeMap::from([("k", 1)]));
    peer.session.call(peer.now, uri("a.b"), payload(kwargs), CallOptions::new()).unwrap();
    peer.expect_sent(r#"[48,1,{},"a.b",[],{"k":1}]"#);
}

#[test]
fn msg_017_empty_arguments_equal_absent_ones() {
    let mut peer = Peer::joined();
    peer.subscribed("com.example.topic", 100);
    for frame in ["[36,100,1,{}]", "[36,100,1,{},[]]", "[36,100,1,{},[],{}]"] {
        peer.receive(frame);
        let event = peer.expect_published();
        assert_eq!(event.payload.args::<Vec<i64>>().unwrap(), [] as [i64; 0]);
        assert_eq!(event.payload, Payload::new());
    }
}

#[test]
fn msg_018_null_args_are_accepted() {
    let mut peer = Peer::joined();
    peer.subscribed("com.example.topic", 100);
    peer.receive(r#"[36,100,1,{},null,{"a":1}]"#);
    let event = peer.expect_published();
    assert_eq!(event.payload.kwargs::<std::collections::BTreeMap<String, i64>>().unwrap()["a"], 1);
    peer.receive("[36,100,1,{},[1],null]");
    assert_eq!(peer.expect_published().payload.arg::<i64>(0).unwrap(), 1);
}

#[test]
fn msg_019_what_only_routers_receive_is_a_violation() {
    violates(&[
        r#"[1,"realm1",{"roles":{}}]"#,
        r#"[5,"signature",{}]"#,
        r#"[16,1,{},"a.b"]"#,
        r#"[32,1,{},"a.b"]"#,
        "[34,1,1]",
        r#"[48,1,{},"a.b"]"#,
        "[49,1,{}]",
        r#"[64,1,{},"a.b"]"#,
        "[66,1,1]",
        "[70,1,{}]",
    ]);
}

#[test]
fn msg_020_messages_for_roles_that_were_not_announced_are_violations() {
    for (roles, frames) in [
        (vec![Role::Caller, Role::Callee, Role::Publisher], &["[36,1,1,{}]", "[33,1,1]", "[35,1]"][..]),
        (vec![Role::Caller, Role::Subscriber, Role::Publisher], &["[68,1,1,{}]", "[69,1,{}]", "[65,1,1]", "[67,1]"]),
        (vec![Role::Callee, Role::Subscriber, Role::Publisher], &["[50,1,{}]"]),
        (vec![Role::Caller, Role::Callee, Role::Subscriber], &["[17,1,1]"]),
    ] {
        for frame in frames {
            Peer::violate(config().roles(roles.clone()), &[text(frame)]);
        }
    }
}

#[test]
fn msg_020_commands_of_roles_that_were_not_announced_are_refused() {
    let mut peer = Peer::joined_with(config().roles([Role::Caller]), WELCOME);
    let now = peer.now;
    let publish = peer.session.publish(now, uri("a.b"), Payload::new(), PublishOptions::new());
    assert!(matches!(publish, Err(CommandError::NoRole(Role::Publisher))));
    let subscribe = peer.session.subscribe(now, uri("a.b"), SubscribeOptions::new());
    assert!(matches!(subscribe, Err(CommandError::NoRole(Role::Subscriber))));
    let register = peer.session.register(now, uri("a.b"), RegisterOptions::new());
    assert!(matches!(register, Err(CommandError::NoRole(Role::Callee))));
    peer.expect_silence();

    let mut peer = Peer::joined_with(config().roles([Role::Callee]), WELCOME);
    let call = peer.session.call(now, uri("a.b"), Payload::new(), CallOptions::new());
    assert!(matches!(call, Err(CommandError::NoRole(Role::Caller))));
    peer.expect_silence();
}

#[test]
fn msg_022_every_message_of_the_roles_is_spoken() {
    let mut peer = Peer::joined();
    // Subscriber: SUBSCRIBE, SUBSCRIBED, EVENT, UNSUBSCRIBE, UNSUBSCRIBED.
    let subscription = peer.subscribed("com.example.topic", 7);
    peer.receive("[36,7,1,{}]");
    peer.expect_published();
    peer.unsubscribe(subscription);
    peer.expect_sent("[34,2,7]");
    peer.receive("[35,2]");
    peer.expect_unsubscribed(subscription).unwrap();
    // Publisher: PUBLISH, PUBLISHED, ERROR.
    for answer in ["[17,3,1]", r#"[8,16,4,{},"com.example.error"]"#] {
        let publication = peer.publish_acked("com.example.topic");
        assert!(peer.sent().starts_with("[16,"));
        peer.receive(answer);
        assert_eq!(peer.expect_publish_done(publication).is_ok(), answer.starts_with("[17"));
    }
    // Caller: CALL, RESULT, ERROR.
    for answer in ["[50,5,{}]", r#"[8,48,6,{},"com.example.error"]"#] {
        let call = peer.call("com.example.procedure");
        assert!(peer.sent().starts_with("[48,"));
        peer.receive(answer);
        assert_eq!(peer.expect_call_done(call).is_ok(), answer.starts_with("[50"));
    }
    // Callee: REGISTER, REGISTERED, INVOCATION, YIELD, ERROR, UNREGISTER, UNREGISTERED.
    let registration = peer.registered("com.example.procedure", 9);
    peer.receive("[68,1,9,{}]");
    let invocation = peer.expect_invocation();
    peer.session.respond(peer.now, invocation.key, Response::Result(Payload::new())).unwrap();
    peer.expect_sent("[70,1,{}]");
    peer.receive("[68,2,9,{}]");
    let invocation = peer.expect_invocation();
    let error = WampError::new("com.example.error").unwrap();
    peer.session.respond(peer.now, invocation.key, Response::Error(error)).unwrap();
    peer.expect_sent(r#"[8,68,2,{},"com.example.error"]"#);
    peer.unregister(registration);
    peer.expect_sent("[66,8,9]");
    peer.receive("[67,8]");
    peer.expect_unregistered(registration).unwrap();
    // All: GOODBYE, both ways.
    peer.close();
    peer.expect_sent(r#"[6,{},"wamp.close.close_realm"]"#);
    peer.receive(r#"[6,{},"wamp.close.goodbye_and_out"]"#);
    peer.expect_close(1000);
}

#[test]
fn msg_023_what_cannot_be_serialized_is_reported_at_once() {
    let mut peer = Peer::joined();
    let options = CallOptions::new().option("_ratio", f64::NAN).unwrap();
    let call = peer.session.call(peer.now, uri("a.b"), Payload::new(), options);
    assert!(matches!(call, Err(CommandError::Encode(_))), "{call:?}");
    peer.expect_silence();
    peer.call("a.b");
    peer.expect_sent(r#"[48,1,{},"a.b"]"#);
}

#[test]
fn msg_023_a_payload_of_another_format_that_the_session_cannot_carry_is_reported() {
    use wamp_session::proto::IntoPayload;
    let nan = f64::NAN.into_payload(Format::MsgPack).unwrap();
    let mut peer = Peer::joined();
    let call = peer.session.call(peer.now, uri("a.b"), nan.clone(), CallOptions::new());
    assert!(matches!(call, Err(CommandError::Encode(_))), "{call:?}");
    peer.expect_silence();

    let mut peer = Peer::joining(config());
    let call = peer.session.call(peer.now, uri("a.b"), nan, CallOptions::new()).unwrap();
    peer.call("c.d");
    peer.receive(WELCOME);
    peer.expect_joined();
    let error = peer.expect_call_done(call).unwrap_err();
    assert!(matches!(error, wamp_session::RequestError::Command(CommandError::Encode(_))), "{error:?}");
    peer.expect_sent(r#"[48,1,{},"c.d"]"#);
}

#[test]
fn a_payload_of_another_format_is_transcoded() {
    use wamp_session::proto::IntoPayload;
    let mut peer = Peer::joined();
    let payload = (1, "a", true).into_payload(Format::Cbor).unwrap();
    peer.session.call(peer.now, uri("a.b"), payload, CallOptions::new()).unwrap();
    peer.expect_sent(r#"[48,1,{},"a.b",[1,"a",true]]"#);
}

#[test]
fn msg_104_an_abort_has_three_to_five_elements() {
    for (frame, args) in [
        (r#"[3,{"message":"m"},"wamp.error.no_such_realm"]"#, 0),
        (r#"[3,{"message":"m"},"wamp.error.no_such_realm",["x"]]"#, 1),
        (r#"[3,{"message":"m"},"wamp.error.no_such_realm",["x"],{"k":1}]"#, 1),
    ] {
        let mut peer = Peer::joining(config());
        peer.receive(frame);
        peer.expect_close(1000);
        peer.end_transport(wamp_session::TransportErrorKind::Eof);
        let cause = peer.expect_closed();
        let CloseCause::Abort(abort) = &*cause else { panic!("{cause:?}") };
        assert_eq!(abort.reason, "wamp.error.no_such_realm");
        assert_eq!(abort.details.message.as_deref(), Some("m"));
        assert_eq!(abort.payload.args::<Vec<String>>().unwrap().len(), args);
    }
}

#[test]
fn msg_125_a_third_element_of_unsubscribed_and_unregistered_is_tolerated() {
    let mut peer = Peer::joined();
    let subscription = peer.subscribed("com.example.topic", 100);
    let registration = peer.registered("com.example.procedure", 200);
    peer.unsubscribe(subscription);
    peer.unregister(registration);
    peer.sent();
    peer.sent();
    peer.receive("[35,3,{}]");
    peer.receive("[67,4,{}]");
    peer.expect_unsubscribed(subscription).unwrap();
    peer.expect_unregistered(registration).unwrap();
}

#[test]
fn ser_16_what_is_not_unicode_is_a_violation() {
    violates(&[r#"[36,1,1,{"a":"\ud800"}]"#]);
    Peer::violate(config(), &[Frame::Text(b"[36,1,1,{},[\"\xff\"]]".as_slice().into())]);
    Peer::violate(config(), &[Frame::Text(b"\xff".as_slice().into())]);
}

#[test]
fn ser_22_bytes_behind_a_message_and_missing_bytes_are_violations() {
    for frame in [b"\x94\x24\x01\x01\x80\x00".as_slice(), b"\x94\x24\x01\x01"] {
        let mut peer = Peer::joined_in(Format::MsgPack);
        peer.violated_by(&[Frame::Binary(frame.into())]);
    }
    violates(&["[36,1,1,{}]x", "[36,1,1,{}"]);
}

#[test]
fn ser_42_garbage_is_a_violation_in_each_format() {
    for (format, garbage) in
        [(Format::Json, b"garbage".as_slice()), (Format::MsgPack, b"\xc1\xc1"), (Format::Cbor, b"\xff\xff")]
    {
        let mut peer = Peer::joined_in(format);
        let garbage = garbage.into();
        let frame = if format.is_binary() { Frame::Binary(garbage) } else { Frame::Text(garbage) };
        let cause = peer.violated_by(&[frame]);
        let CloseCause::ProtocolViolation(ProtocolViolation::Decode(_)) = &*cause else { panic!("{cause:?}") };
    }
}

#[test]
fn ws_05_a_frame_of_the_wrong_kind_is_a_violation() {
    let cause = Peer::violate(config(), &[Frame::Binary(b"[36,1,1,{}]".as_slice().into())]);
    let CloseCause::ProtocolViolation(ProtocolViolation::WrongFrame(Format::Json)) = &*cause else {
        panic!("{cause:?}")
    };
    let mut peer = Peer::joined_in(Format::MsgPack);
    peer.violated_by(&[Frame::Text(b"\x94\x24\x01\x01\x80".as_slice().into())]);
}

#[test]
fn ws_12_a_message_over_the_limit_closes_with_1009() {
    let limits = wamp_session::Limits::new().message(wamp_session::proto::Limits::new().max_message_bytes(1024));
    let mut peer = Peer::joined_with(config().limits(limits), WELCOME);
    let call = peer.call("a.b");
    peer.sent();
    peer.receive(&format!(r#"[50,1,{{}},["{}"]]"#, "x".repeat(2048)));
    assert!(peer.sent().starts_with("[3,"));
    peer.expect_close(1009);
    assert!(peer.expect_call_done(call).is_err());
}
