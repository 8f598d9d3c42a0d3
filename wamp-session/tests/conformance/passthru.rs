//! Checklist section 14: payload passthru mode.

use wamp_session::passthru::{Codecs, Passthru, PassthruError, Plain};
use wamp_session::proto::{ArgsKwargs, Dict, Format, Limits, Payload, Role};
use wamp_session::{
    CallOptions, CloseCause, CommandError, Config, Feature, ProtocolViolation, PublishOptions, RequestError, Response,
    WampError,
};

use super::features::hello;
use crate::support::{FEATURELESS, Peer, WELCOME, config, payload, uri};

/// The item of args ["Hello"] and kwargs {"x": 1} in CBOR, as JSON has it.
const ITEM: &str = r#"["\u0000omRhcmdzgWVIZWxsb2Zrd2FyZ3OhYXgB"]"#;

fn codecs() -> Codecs {
    Codecs::new().with("x_my_ppt", Plain)
}

/// The payload that is sealed as [`ITEM`], with its attributes.
fn sealed() -> (Passthru, Payload) {
    let open = payload(ArgsKwargs(["Hello"], Dict::from_iter([("x", 1)])));
    codecs().seal(Passthru::new("x_my_ppt").serializer("cbor"), &open, Format::Json).unwrap()
}

fn off() -> Config {
    config().without_feature(Feature::PayloadPassthruMode)
}

#[test]
fn ppt_01_the_feature_is_announced_for_each_role() {
    for role in [Role::Caller, Role::Callee, Role::Publisher, Role::Subscriber] {
        assert!(hello(config().roles([role])).contains(r#""payload_passthru_mode":true"#), "{}", role.as_str());
        assert!(!hello(off().roles([role])).contains("payload_passthru_mode"));
    }
}

#[test]
fn ppt_02_and_05_the_attributes_and_the_item_are_sent() {
    let mut peer = Peer::joined();
    let (passthru, item) = sealed();
    let all = passthru.clone().cipher("aes256gcm").keyid("key 1");
    peer.session.call(peer.now, uri("a.b"), item.clone(), CallOptions::new().passthru(all)).unwrap();
    let attributes =
        r#"{"ppt_scheme":"x_my_ppt","ppt_serializer":"cbor","ppt_cipher":"aes256gcm","ppt_keyid":"key 1"}"#;
    peer.expect_sent(&format!(r#"[48,1,{attributes},"a.b",{ITEM}]"#));
    let options = PublishOptions::new().passthru(passthru.clone());
    peer.session.publish(peer.now, uri("a.b"), item.clone(), options).unwrap();
    let attributes = r#"{"ppt_scheme":"x_my_ppt","ppt_serializer":"cbor"}"#;
    peer.expect_sent(&format!(r#"[16,2,{attributes},"a.b",{ITEM}]"#));

    peer.registered("a.b", 5);
    peer.receive("[68,1,5,{}]");
    let key = peer.expect_invocation().key;
    peer.session.respond(peer.now, key, Response::SealedResult(passthru.clone(), item.clone())).unwrap();
    peer.expect_sent(&format!("[70,1,{attributes},{ITEM}]"));
    peer.receive("[68,2,5,{}]");
    let key = peer.expect_invocation().key;
    let error = WampError::new("c.d").unwrap().payload(item).unwrap().passthru(&passthru);
    peer.session.respond(peer.now, key, Response::Error(error)).unwrap();
    peer.expect_sent(&format!(r#"[8,68,2,{attributes},"c.d",{ITEM}]"#));
}

#[test]
fn ppt_02_the_attributes_are_received() {
    let mut peer = Peer::joined();
    let attributes = r#"{"ppt_scheme":"x_my_ppt","ppt_serializer":"cbor"}"#;
    let open = |passthru: Option<Passthru>, payload: &Payload| {
        let opened = codecs().open(&passthru.unwrap(), payload, &Limits::new()).unwrap();
        assert_eq!(opened.args::<(String,)>().unwrap(), ("Hello".to_owned(),));
        assert_eq!(opened.kwargs::<Dict>().unwrap(), Dict::from_iter([("x", 1)]));
    };
    peer.subscribed("a.b", 7);
    peer.receive(&format!("[36,7,1,{attributes},{ITEM}]"));
    let event = peer.expect_published();
    open(Passthru::of(&*event.details), &event.payload);
    peer.registered("a.b", 8);
    peer.receive(&format!("[68,1,8,{attributes},{ITEM}]"));
    let invocation = peer.expect_invocation();
    open(Passthru::of(&invocation.details), &invocation.payload);
    let call = peer.call("a.b");
    let request = peer.sent_request(48);
    peer.receive(&format!("[50,{request},{attributes},{ITEM}]"));
    let result = peer.expect_call_done(call).unwrap();
    open(Passthru::of(&result.details), &result.payload);
    let call = peer.call("a.b");
    let request = peer.sent_request(48);
    peer.receive(&format!(r#"[8,48,{request},{attributes},"c.d",{ITEM}]"#));
    let Err(RequestError::Wamp(error)) = peer.expect_call_done(call) else { panic!() };
    open(Passthru::of(error.details()), error.raw());
}

#[test]
fn ppt_06_and_07_nothing_is_sent_that_an_end_did_not_announce() {
    let off_here = (off(), WELCOME, CommandError::Disabled(Feature::PayloadPassthruMode));
    let off_there = (config(), FEATURELESS, CommandError::NotSupported(Feature::PayloadPassthruMode));
    let unknown_there = (config(), "[2,1,{}]", CommandError::NotSupported(Feature::PayloadPassthruMode));
    for (config, welcome, refused) in [off_here, off_there, unknown_there] {
        let mut peer = Peer::joined_with(config, welcome);
        let (passthru, item) = sealed();
        let call = CallOptions::new().passthru(passthru.clone());
        assert_eq!(peer.session.call(peer.now, uri("a.b"), item.clone(), call), Err(refused.clone()));
        let publish = PublishOptions::new().passthru(passthru.clone());
        assert_eq!(peer.session.publish(peer.now, uri("a.b"), item.clone(), publish.clone()), Err(refused.clone()));
        let acked = peer.session.publish_acked(peer.now, uri("a.b"), item.clone(), publish);
        assert_eq!(acked, Err(refused.clone()));
        peer.registered("a.b", 5);
        // The caller learns that there will be no result.
        let error = WampError::new("c.d").unwrap().payload(item.clone()).unwrap().passthru(&passthru);
        for (id, response) in [Response::SealedResult(passthru, item), Response::Error(error)].into_iter().enumerate() {
            peer.receive(&format!("[68,{},5,{{}}]", id + 1));
            let key = peer.expect_invocation().key;
            assert_eq!(peer.session.respond(peer.now, key, response), Err(refused.clone()));
            peer.expect_sent(&format!(r#"[8,68,{},{{}},"wamp.error.feature_not_supported"]"#, id + 1));
        }
        peer.expect_usable();
    }
}

#[test]
fn ppt_06_parts_of_a_result_are_refused_as_well() {
    let mut peer = Peer::joined_with(config(), FEATURELESS);
    peer.registered("a.b", 5);
    peer.receive(r#"[68,1,5,{"receive_progress":true}]"#);
    let key = peer.expect_invocation().key;
    let (passthru, item) = sealed();
    let refused = peer.session.respond(peer.now, key, Response::SealedProgress(passthru, item));
    assert_eq!(refused, Err(CommandError::NotSupported(Feature::PayloadPassthruMode)));
    peer.expect_silence();
    peer.session.respond(peer.now, key, Response::Result(Payload::new())).unwrap();
    peer.expect_sent("[70,1,{}]");
}

#[test]
fn ppt_06_an_empty_scheme_is_refused() {
    let mut peer = Peer::joined();
    let options = PublishOptions::new().passthru(Passthru::new(""));
    let refused = peer.session.publish(peer.now, uri("a.b"), Payload::new(), options);
    assert_eq!(refused, Err(CommandError::Passthru(PassthruError::Attribute("ppt_scheme"))));
    peer.expect_usable();
}

#[test]
fn ppt_08_the_other_end_lacks_the_feature() {
    let mut peer = Peer::joined();
    let (passthru, item) = sealed();
    let call = peer.session.call(peer.now, uri("a.b"), item, CallOptions::new().passthru(passthru)).unwrap();
    let request = peer.sent_request(48);
    peer.receive(&format!(r#"[8,48,{request},{{}},"wamp.error.feature_not_supported"]"#));
    let Err(RequestError::Wamp(error)) = peer.expect_call_done(call) else { panic!() };
    assert_eq!(error.uri(), "wamp.error.feature_not_supported");
    // To a callee the router may say it with the type of its YIELD.
    peer.receive(r#"[8,70,1,{},"wamp.error.feature_not_supported"]"#);
    assert_eq!(peer.session.stats().unknown_answers, 1);
    peer.expect_usable();
}

#[test]
fn ppt_09_a_client_without_the_feature_handles_it_and_goes_on() {
    let mut peer = Peer::joined_with(off(), WELCOME);
    let attributes = r#"{"ppt_scheme":"x_my_ppt","ppt_serializer":"cbor"}"#;
    peer.subscribed("a.b", 7);
    peer.receive(&format!("[36,7,1,{attributes},{ITEM}]"));
    assert_eq!(peer.session.stats().undecodable_events, 1);
    peer.registered("a.b", 8);
    peer.receive(&format!("[68,1,8,{attributes},{ITEM}]"));
    peer.expect_sent(r#"[8,68,1,{},"wamp.error.feature_not_supported"]"#);
    let call = peer.call("a.b");
    let request = peer.sent_request(48);
    peer.receive(&format!("[50,{request},{attributes},{ITEM}]"));
    let failed = peer.expect_call_done(call);
    assert!(matches!(failed, Err(RequestError::Passthru(PassthruError::Disabled))), "{failed:?}");
    // One that nobody waits for is counted.
    peer.receive(&format!("[50,{request},{attributes},{ITEM}]"));
    assert_eq!(peer.session.stats().unknown_answers, 1);
    peer.expect_usable();
}

#[test]
fn ppt_10_and_pv_17_a_router_that_did_not_announce_it_breaks_the_protocol() {
    let attributes = r#"{"ppt_scheme":"x_my_ppt"}"#;
    for message in [
        format!("[36,7,1,{attributes},{ITEM}]"),
        format!("[68,1,8,{attributes},{ITEM}]"),
        format!("[50,3,{attributes},{ITEM}]"),
        format!(r#"[8,48,3,{attributes},"a.b",{ITEM}]"#),
    ] {
        let mut peer = Peer::joined_with(config(), FEATURELESS);
        peer.subscribed("a.b", 7);
        peer.registered("a.b", 8);
        peer.call("a.b");
        peer.sent();
        peer.receive(&message);
        peer.expect_violation();
    }
    // Without a scheme there is no such mode, and of a router that names no roles nothing is known.
    let mut peer = Peer::joined_with(config(), FEATURELESS);
    peer.subscribed("a.b", 7);
    peer.receive(&format!(r#"[36,7,1,{{"ppt_scheme":"","ppt_serializer":"cbor"}},{ITEM}]"#));
    peer.expect_published();
    peer.expect_usable();
    let mut peer = Peer::joined_with(config(), "[2,1,{}]");
    peer.subscribed("a.b", 7);
    peer.receive(&format!("[36,7,1,{attributes},{ITEM}]"));
    peer.expect_published();
    peer.expect_usable();
}

#[test]
fn ppt_10_an_error_belongs_to_the_role_of_its_request() {
    let broker_alone = r#"[2,1,{"roles":{"broker":{"features":{"payload_passthru_mode":true}},"dealer":{}}}]"#;
    let error =
        |request_type, request| format!(r#"[8,{request_type},{request},{{"ppt_scheme":"x_my_ppt"}},"a.b",{ITEM}]"#);
    let mut peer = Peer::joined_with(config(), broker_alone);
    let options = PublishOptions::new();
    peer.session.publish_acked(peer.now, uri("a.b"), Payload::new(), options).unwrap();
    let request = peer.sent_request(16);
    peer.receive(&error(16, request));
    assert!(matches!(peer.event(), wamp_session::SessionEvent::PublishDone { result: Err(_), .. }));
    peer.expect_usable();
    let mut peer = Peer::joined_with(config(), broker_alone);
    peer.call("a.b");
    let request = peer.sent_request(48);
    peer.receive(&error(48, request));
    peer.expect_violation();
}

#[test]
fn ppt_10_the_violation_says_what_is_wrong() {
    let event = format!(r#"[36,7,1,{{"ppt_scheme":"x_my_ppt"}},{ITEM}]"#).into_bytes();
    let mut peer = Peer::joined_with(config(), FEATURELESS);
    let cause = peer.violated_by(&[wamp_session::Frame::Text(event.into())]);
    let CloseCause::ProtocolViolation(ProtocolViolation::Invalid { reason, .. }) = &*cause else { panic!("{cause:?}") };
    assert!(reason.contains("payload passthru mode"), "{reason}");
}

#[test]
fn ppt_15_each_part_of_a_result_has_its_own_attributes() {
    let mut peer = Peer::joined();
    let options = CallOptions::new().receive_progress();
    let call = peer.session.call(peer.now, uri("a.b"), Payload::new(), options).unwrap();
    peer.sent();
    for serializer in ["cbor", "json"] {
        peer.receive(&format!(
            r#"[50,1,{{"progress":true,"ppt_scheme":"x_my_ppt","ppt_serializer":"{serializer}"}},{ITEM}]"#
        ));
        let wamp_session::SessionEvent::CallProgress { key, progress } = peer.event() else { panic!() };
        assert_eq!(key, call);
        assert_eq!(progress.details.ppt_serializer.as_deref(), Some(serializer));
    }
    peer.receive("[50,1,{}]");
    assert!(peer.expect_call_done(call).is_ok());
}

#[test]
fn ppt_16_the_older_mode_is_reported_and_does_not_end_the_session() {
    let mut peer = Peer::joined();
    peer.subscribed("a.b", 7);
    peer.receive(r#"[36,7,1,{"enc_algo":"cryptobox"},"\u0000Yg=="]"#);
    assert_eq!(peer.session.stats().undecodable_events, 1);
    peer.registered("a.b", 8);
    peer.receive(r#"[68,1,8,{"enc_algo":"cryptobox","enc_serializer":"json"},"\u0000Yg=="]"#);
    peer.expect_sent(r#"[8,68,1,{},"wamp.error.invalid_argument"]"#);
    let call = peer.call("a.b");
    let request = peer.sent_request(48);
    peer.receive(&format!(r#"[50,{request},{{"enc_algo":"cryptobox"}},"\u0000Yg=="]"#));
    let failed = peer.expect_call_done(call);
    assert!(matches!(failed, Err(RequestError::Passthru(PassthruError::Legacy))), "{failed:?}");
    peer.expect_usable();
}

#[test]
fn ppt_16_the_older_mode_is_not_tolerated_in_a_role_that_the_session_lacks() {
    for (role, message) in [
        (Role::Caller, r#"[36,7,1,{"enc_algo":"cryptobox"},"\u0000Yg=="]"#),
        (Role::Caller, r#"[68,1,8,{"enc_algo":"cryptobox"},"\u0000Yg=="]"#),
        (Role::Publisher, r#"[50,1,{"enc_algo":"cryptobox"},"\u0000Yg=="]"#),
    ] {
        let mut peer = Peer::joined_with(config().roles([role]), WELCOME);
        peer.receive(message);
        peer.expect_violation();
    }
}
