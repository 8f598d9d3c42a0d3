//! Checklist section 12.1: the publisher.

use core::time::Duration;
use std::collections::BTreeMap;

use wamp_session::proto::{Kwargs, Payload, SessionId};
use wamp_session::{CommandError, PublishOptions, RequestError};

use crate::support::{Peer, payload, uri};

#[test]
fn pub_01_a_publish_has_four_to_six_elements() {
    let mut peer = Peer::joined();
    let now = peer.now;
    let options = PublishOptions::new;
    peer.session.publish(now, uri("com.myapp.mytopic1"), payload(()), options()).unwrap();
    peer.expect_sent(r#"[16,1,{},"com.myapp.mytopic1"]"#);
    peer.session.publish(now, uri("com.myapp.mytopic1"), payload("Hello, world!"), options()).unwrap();
    peer.expect_sent(r#"[16,2,{},"com.myapp.mytopic1",["Hello, world!"]]"#);
    let kwargs = Kwargs(BTreeMap::from([("sizes", [23, 42, 7])]));
    peer.session.publish(now, uri("com.myapp.mytopic1"), payload(kwargs), options()).unwrap();
    peer.expect_sent(r#"[16,3,{},"com.myapp.mytopic1",[],{"sizes":[23,42,7]}]"#);
}

#[test]
fn pub_02_an_unacknowledged_publish_waits_for_nothing() {
    let mut peer = Peer::joined();
    peer.publish("com.example.topic");
    peer.expect_sent(r#"[16,1,{},"com.example.topic"]"#);
    assert_eq!(peer.session.poll_timeout(), None);
    peer.expect_no_event();
}

#[test]
fn pub_03_an_acknowledged_publish_ends_with_its_answer() {
    let mut peer = Peer::joined();
    let published = peer.publish_acked("com.example.topic");
    let refused = peer.publish_acked("com.example.topic");
    peer.expect_sent(r#"[16,1,{"acknowledge":true},"com.example.topic"]"#);
    peer.sent();
    peer.receive("[17,1,4429313566]");
    peer.receive(r#"[8,16,2,{},"wamp.error.not_authorized",["no"]]"#);
    assert_eq!(peer.expect_publish_done(published).unwrap().get(), 4_429_313_566);
    let error = peer.expect_publish_done(refused).unwrap_err();
    assert!(matches!(error, RequestError::Wamp(error) if error.uri() == "wamp.error.not_authorized"));
    assert_eq!(peer.session.poll_timeout(), None);
}

#[test]
fn pub_03_an_acknowledgement_that_does_not_come_is_a_timeout() {
    let mut peer = Peer::joined();
    let default = peer.publish_acked("com.example.topic");
    let options = PublishOptions::new().timeout(Duration::from_secs(1));
    let own = peer.session.publish_acked(peer.now, uri("com.example.topic"), Payload::new(), options).unwrap();
    peer.sent();
    peer.sent();
    peer.wait(Duration::from_secs(1));
    assert!(matches!(peer.expect_publish_done(own), Err(RequestError::Timeout { sent: true })));
    peer.wait(Duration::from_secs(9));
    assert!(matches!(peer.expect_publish_done(default), Err(RequestError::Timeout { sent: true })));
    peer.receive("[17,1,5]");
    peer.receive("[17,2,5]");
    peer.expect_usable();
}

#[test]
fn pub_04_an_answer_to_an_unacknowledged_publish_is_ignored() {
    let mut peer = Peer::joined();
    peer.publish("com.example.topic");
    peer.sent();
    peer.receive(r#"[8,16,1,{},"a.b"]"#);
    peer.receive("[17,1,5]");
    assert_eq!(peer.session.stats().unknown_answers, 2);
    peer.expect_usable();
}

#[test]
fn pex_01_the_publisher_may_ask_for_its_own_event() {
    let mut peer = Peer::joined();
    let key = peer.subscribed("com.example.topic", 100);
    let options = PublishOptions::new().exclude_me(false);
    peer.session.publish(peer.now, uri("com.example.topic"), Payload::new(), options).unwrap();
    peer.expect_sent(r#"[16,2,{"exclude_me":false},"com.example.topic"]"#);
    peer.receive("[36,100,1,{}]");
    assert_eq!(peer.expect_published().key, key);
}

#[test]
fn pex_02_published_and_the_own_event_come_in_any_order() {
    for frames in [["[17,2,5]", "[36,100,5,{}]"], ["[36,100,5,{}]", "[17,2,5]"]] {
        let mut peer = Peer::joined();
        peer.subscribed("com.example.topic", 100);
        let options = PublishOptions::new().exclude_me(false);
        peer.session.publish_acked(peer.now, uri("com.example.topic"), Payload::new(), options).unwrap();
        for frame in frames {
            peer.receive(frame);
        }
        peer.event();
        peer.event();
        peer.expect_no_event();
    }
}

/// Publishes with options, and returns the Options on the wire.
#[track_caller]
fn options_on_the_wire(options: PublishOptions) -> String {
    let mut peer = Peer::joined();
    peer.session.publish(peer.now, uri("a.b"), Payload::new(), options).unwrap();
    let publish = peer.sent();
    let options = publish.strip_prefix("[16,1,").and_then(|rest| rest.strip_suffix(r#","a.b"]"#));
    options.unwrap_or_else(|| panic!("{publish}")).to_owned()
}

fn session(id: u64) -> SessionId {
    SessionId::new(id).unwrap()
}

#[test]
fn bwl_01_subscribers_are_listed_by_session_authid_and_authrole() {
    let options = PublishOptions::new;
    for (options, wire) in [
        (options().exclude([session(7_891_255), session(1_245_751)]), r#"{"exclude":[7891255,1245751]}"#),
        (options().exclude_authid(["joe", "mary"]), r#"{"exclude_authid":["joe","mary"]}"#),
        (options().exclude_authrole(["guest"]), r#"{"exclude_authrole":["guest"]}"#),
        (options().eligible([session(1)]), r#"{"eligible":[1]}"#),
        (options().eligible_authid([String::from("joe")]), r#"{"eligible_authid":["joe"]}"#),
        (options().eligible_authrole(["admin"]), r#"{"eligible_authrole":["admin"]}"#),
    ] {
        assert_eq!(options_on_the_wire(options), wire);
    }
    let all = options().exclude([session(3)]).exclude_me(false).eligible_authrole(["a"]).eligible([session(4)]);
    let wire = r#"{"exclude_me":false,"exclude":[3],"eligible":[4],"eligible_authrole":["a"]}"#;
    assert_eq!(options_on_the_wire(all), wire);
}

#[test]
fn bwl_02_an_empty_list_is_sent() {
    let (nobody, none) = ([] as [&str; 0], [] as [SessionId; 0]);
    let options = PublishOptions::new().exclude(none).exclude_authid(nobody).exclude_authrole(nobody);
    let options = options.eligible(none).eligible_authid(nobody).eligible_authrole(nobody);
    assert_eq!(
        options_on_the_wire(options),
        concat!(
            r#"{"exclude":[],"exclude_authid":[],"exclude_authrole":[],"#,
            r#""eligible":[],"eligible_authid":[],"eligible_authrole":[]}"#
        )
    );
    assert_eq!(options_on_the_wire(PublishOptions::new()), "{}");
}

#[test]
fn pid_01_a_publisher_asks_to_be_disclosed() {
    assert_eq!(options_on_the_wire(PublishOptions::new().disclose_me()), r#"{"disclose_me":true}"#);
}

#[test]
fn pid_03_a_denied_disclosure_fails_an_acknowledged_publish() {
    let mut peer = Peer::joined();
    let options = PublishOptions::new().disclose_me();
    let key = peer.session.publish_acked(peer.now, uri("a.b"), Payload::new(), options).unwrap();
    peer.expect_sent(r#"[16,1,{"acknowledge":true,"disclose_me":true},"a.b"]"#);
    peer.receive(r#"[8,16,1,{},"wamp.error.option_disallowed.disclose_me"]"#);
    let error = peer.expect_publish_done(key).unwrap_err();
    assert!(matches!(error, RequestError::Wamp(error) if error.uri() == "wamp.error.option_disallowed.disclose_me"));
}

#[test]
fn ret_01_a_publisher_asks_to_retain() {
    assert_eq!(options_on_the_wire(PublishOptions::new().retain()), r#"{"retain":true}"#);
}

#[test]
fn ssu_01_the_key_of_a_sharded_subscription_is_sent_unchanged() {
    assert_eq!(options_on_the_wire(PublishOptions::new().rkey("EU-1")), r#"{"rkey":"EU-1"}"#);
}

#[test]
fn uri_06_reserved_topics_are_refused() {
    let mut peer = Peer::joined();
    let publish = peer.session.publish(peer.now, uri("wamp.foo"), Payload::new(), PublishOptions::new());
    assert!(matches!(publish, Err(CommandError::ReservedUri)));
    let acked = peer.session.publish_acked(peer.now, uri("wamp"), Payload::new(), PublishOptions::new());
    assert!(matches!(acked, Err(CommandError::ReservedUri)));
    let near = peer.session.publish(peer.now, uri("wampx.foo"), Payload::new(), PublishOptions::new());
    assert!(near.is_ok());
}

#[test]
fn outbound_bytes_are_those_of_the_frames_that_wait() {
    let mut peer = Peer::joined();
    assert_eq!(peer.session.outbound_bytes(), 0);
    peer.publish("com.example.topic");
    assert_eq!(peer.session.outbound_bytes(), r#"[16,1,{},"com.example.topic"]"#.len());
    peer.sent();
    assert_eq!(peer.session.outbound_bytes(), 0);
}
