//! Checklist section 8: agent, roles and features.

use wamp_session::proto::{Payload, Role};
use wamp_session::{
    CallOptions, CommandError, Config, Opened, PublishOptions, RegisterOptions, RequestError, SubscribeOptions,
};

use crate::support::{Peer, config, uri};

/// What the HELLO of a session with all roles says of them.
pub(crate) const ROLES: &str = concat!(
    r#""roles":{"#,
    r#""callee":{"features":{"call_reroute":true,"call_trustlevels":true,"caller_identification":true,"#,
    r#""pattern_based_registration":true,"registration_revocation":true,"shared_registration":true}},"#,
    r#""caller":{},"#,
    r#""publisher":{"features":{"publisher_exclusion":true,"publisher_identification":true,"#,
    r#""subscriber_blackwhite_listing":true}},"#,
    r#""subscriber":{"features":{"pattern_based_subscription":true,"publication_trustlevels":true,"#,
    r#""publisher_identification":true,"subscription_revocation":true}}}"#
);

pub(super) fn hello(config: Config) -> String {
    let mut peer = Peer::new(config);
    peer.connect();
    peer.open(Opened::new(Some("wamp.2.json")));
    peer.sent()
}

#[test]
fn agt_01_the_agent_can_be_named_and_left_out() {
    let default = hello(Config::new("ws://127.0.0.1/", "realm1").roles([Role::Caller]));
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(default, format!(r#"[1,"realm1",{{"agent":"loowy-{version}","roles":{{"caller":{{}}}}}}]"#));
    let own = hello(config().roles([Role::Caller]).agent("mine-1.0"));
    assert_eq!(own, r#"[1,"realm1",{"agent":"mine-1.0","roles":{"caller":{}}}]"#);
    assert_eq!(hello(config().roles([Role::Caller])), r#"[1,"realm1",{"roles":{"caller":{}}}]"#);
}

#[test]
fn agt_02_the_routers_agent_may_be_absent() {
    let mut peer = Peer::joining(config());
    peer.receive(r#"[2,1,{"agent":"router-1"}]"#);
    assert_eq!(peer.expect_joined().details.agent.as_deref(), Some("router-1"));
    let mut peer = Peer::joining(config());
    peer.receive("[2,1,{}]");
    assert_eq!(peer.expect_joined().details.agent, None);
}

#[test]
fn fea_01_and_03_only_what_is_implemented_is_announced() {
    assert_eq!(hello(config()), format!(r#"[1,"realm1",{{{ROLES}}}]"#));
}

#[test]
fn fea_02_a_role_without_features_is_an_empty_dict() {
    assert_eq!(hello(config().roles([Role::Caller])), r#"[1,"realm1",{"roles":{"caller":{}}}]"#);
}

#[test]
fn fea_04_unknown_features_are_ignored() {
    let mut peer = Peer::joining(config());
    peer.receive(r#"[2,1,{"roles":{"dealer":{"features":{"foo":true,"call_canceling":1}},"broker":{}}}]"#);
    let joined = peer.expect_joined();
    assert!(!joined.router_announces(Role::Dealer, "call_canceling"));
    assert!(joined.router_announces(Role::Dealer, "foo"));
    peer.expect_usable();
}

#[test]
fn fea_06_a_role_that_the_router_lacks_is_not_used() {
    let mut peer = Peer::joined_with(config(), r#"[2,1,{"roles":{"dealer":{}}}]"#);
    let now = peer.now;
    let publish = peer.session.publish(now, uri("a.b"), Payload::new(), PublishOptions::new());
    assert!(matches!(publish, Err(CommandError::RouterLacks(Role::Broker))));
    let subscribe = peer.session.subscribe(now, uri("a.b"), SubscribeOptions::new());
    assert!(matches!(subscribe, Err(CommandError::RouterLacks(Role::Broker))));
    peer.call("a.b");
    peer.expect_sent(r#"[48,1,{},"a.b"]"#);

    let mut peer = Peer::joined_with(config(), r#"[2,1,{"roles":{"broker":{}}}]"#);
    let call = peer.session.call(now, uri("a.b"), Payload::new(), CallOptions::new());
    assert!(matches!(call, Err(CommandError::RouterLacks(Role::Dealer))));
    let register = peer.session.register(now, uri("a.b"), RegisterOptions::new());
    assert!(matches!(register, Err(CommandError::RouterLacks(Role::Dealer))));
    peer.expect_usable();
}

#[test]
fn fea_06_what_has_waited_for_the_join_finds_out_then() {
    let mut peer = Peer::joining(config());
    let subscription = peer.subscribe("a.b");
    let publication = peer.publish_acked("a.b");
    let call = peer.call("a.b");
    peer.receive(r#"[2,1,{"roles":{"dealer":{}}}]"#);
    peer.expect_joined();
    let lacks = |error| matches!(error, RequestError::Command(CommandError::RouterLacks(Role::Broker)));
    assert!(lacks(peer.expect_subscribed(subscription).unwrap_err()));
    assert!(lacks(peer.expect_publish_done(publication).unwrap_err()));
    peer.expect_sent(r#"[48,1,{},"a.b"]"#);
    peer.receive("[50,1,{}]");
    peer.expect_call_done(call).unwrap();
}

#[test]
fn fea_09_legacy_features_of_crossbar_are_no_harm() {
    let mut peer = Peer::joining(config());
    peer.receive(concat!(
        r#"[2,1,{"roles":{"broker":{"features":{"payload_transparency":true,"payload_encryption_cryptobox":true,"#,
        r#""x_acknowledged_event_delivery":true}},"dealer":{"features":{"payload_transparency":true}}}}]"#
    ));
    assert!(!peer.expect_joined().router_announces(Role::Broker, "payload_passthru_mode"));
    peer.expect_usable();
}

#[test]
fn fea_05_what_the_router_would_have_to_announce_cannot_be_asked_for() {
    // Neither progressive calls nor payload passthru mode exist here, and own options cannot smuggle them in.
    for key in ["progress", "receive_progress", "ppt_scheme"] {
        let refused = CallOptions::new().option(key, true);
        assert_eq!(refused, Err(CommandError::InvalidOption(key.to_owned())));
    }
}
