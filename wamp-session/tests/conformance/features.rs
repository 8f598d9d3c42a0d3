//! Checklist section 8: agent, roles and features.

use wamp_session::proto::{MatchPolicy, Payload, Role};
use wamp_session::{
    CallOptions, CommandError, Config, ConfigError, Feature, Opened, PublishOptions, RegisterOptions, RequestError,
    SubscribeOptions,
};

use crate::support::{FEATURELESS, Peer, WELCOME, config, uri};

/// What the HELLO of a session with all roles says of them.
pub(crate) const ROLES: &str = concat!(
    r#""roles":{"#,
    r#""callee":{"features":{"call_canceling":true,"call_reroute":true,"call_timeout":true,"call_trustlevels":true,"#,
    r#""caller_identification":true,"pattern_based_registration":true,"payload_passthru_mode":true,"#,
    r#""progressive_call_invocations":true,"progressive_call_results":true,"registration_revocation":true,"#,
    r#""shared_registration":true}},"#,
    r#""caller":{"features":{"call_canceling":true,"caller_identification":true,"payload_passthru_mode":true,"#,
    r#""progressive_call_invocations":true,"progressive_call_results":true}},"#,
    r#""publisher":{"features":{"payload_passthru_mode":true,"publisher_exclusion":true,"#,
    r#""publisher_identification":true,"subscriber_blackwhite_listing":true}},"#,
    r#""subscriber":{"features":{"pattern_based_subscription":true,"payload_passthru_mode":true,"#,
    r#""publication_trustlevels":true,"publisher_identification":true,"subscription_revocation":true}}}"#
);

pub(super) fn hello(config: Config) -> String {
    let mut peer = Peer::new(config);
    peer.connect();
    peer.open(Opened::new(Some("wamp.2.json")));
    peer.sent()
}

#[test]
fn agt_01_the_agent_can_be_named_and_left_out() {
    let default = hello(Config::new("ws://127.0.0.1/", "realm1"));
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(default, format!(r#"[1,"realm1",{{"agent":"loowy-{version}",{ROLES}}}]"#));
    let own = hello(config().agent("mine-1.0"));
    assert_eq!(own, format!(r#"[1,"realm1",{{"agent":"mine-1.0",{ROLES}}}]"#));
    assert_eq!(hello(config()), format!(r#"[1,"realm1",{{{ROLES}}}]"#));
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
fn fea_03_what_the_configuration_says_is_what_is_announced() {
    let roles = [Role::Caller, Role::Callee, Role::Publisher, Role::Subscriber];
    let without = config().without_feature(Feature::PayloadPassthruMode).without_feature(Feature::CallReroute);
    for config in [config(), without] {
        let hello: serde_json::Value = serde_json::from_str(&hello(config.clone())).unwrap();
        for (role, feature) in roles.into_iter().flat_map(|role| Feature::ALL.iter().map(move |it| (role, *it))) {
            let announced = &hello[2]["roles"][role.as_str()]["features"][feature.as_str()];
            assert_eq!(config.announces(role, feature), *announced == true, "{} {feature}", role.as_str());
        }
    }
}

#[test]
fn fea_03_what_is_switched_off_is_not_announced() {
    let without = config().roles([Role::Publisher]).without_feature(Feature::PublisherExclusion);
    assert!(!without.announces(Role::Publisher, Feature::PublisherExclusion));
    assert!(!hello(without.clone()).contains("publisher_exclusion"));
    let features =
        [Feature::PayloadPassthruMode, Feature::PublisherIdentification, Feature::SubscriberBlackwhiteListing];
    let without = features.into_iter().fold(without, Config::without_feature);
    assert_eq!(hello(without), r#"[1,"realm1",{"roles":{"publisher":{}}}]"#);
    let other = config().roles([Role::Publisher]).without_feature(Feature::CallCanceling);
    assert!(hello(other).contains(r#""publisher_exclusion":true"#));
}

#[test]
fn fea_02_a_role_without_features_is_an_empty_dict() {
    let without = Feature::ALL.iter().copied().fold(config().roles([Role::Caller]), Config::without_feature);
    assert_eq!(hello(without), r#"[1,"realm1",{"roles":{"caller":{}}}]"#);
}

#[test]
fn fea_04_unknown_features_are_ignored() {
    let mut peer = Peer::joining(config());
    peer.receive(r#"[2,1,{"roles":{"dealer":{"features":{"foo":true,"call_canceling":1}},"broker":{}}}]"#);
    let joined = peer.expect_joined();
    assert!(!joined.router_announces(Role::Dealer, "call_canceling"));
    assert!(!joined.announces(Feature::CallCanceling));
    assert!(joined.router_announces(Role::Dealer, "foo"));
    peer.expect_usable();
}

#[test]
fn need_41_the_routers_announcement_can_be_asked_for() {
    let welcome = concat!(
        r#"[2,1,{"roles":{"broker":{"features":{"event_retention":true},"reflection":true},"#,
        r#""dealer":{"features":{"session_meta_api":true}}}}]"#
    );
    let mut peer = Peer::joining(config());
    peer.receive(welcome);
    let joined = peer.expect_joined();
    let announced: Vec<Feature> = Feature::ALL.iter().copied().filter(|feature| joined.announces(*feature)).collect();
    assert_eq!(announced, [Feature::SessionMetaApi, Feature::EventRetention, Feature::Reflection]);
    assert!(joined.router_announces(Role::Dealer, Feature::SessionMetaApi));
    assert!(!joined.router_announces(Role::Broker, Feature::SessionMetaApi));
}

#[test]
fn fea_05_what_would_mean_something_else_is_refused_and_not_sent() {
    let mut peer = Peer::joined_with(config(), FEATURELESS);
    let now = peer.now;
    let options = PublishOptions::new().exclude_authid(["mallory"]);
    let publish = peer.session.publish(now, uri("a.b"), Payload::new(), options.clone());
    assert_eq!(publish, Err(CommandError::NotSupported(Feature::SubscriberBlackwhiteListing)));
    let acknowledged = peer.session.publish_acked(now, uri("a.b"), Payload::new(), options);
    assert_eq!(acknowledged, Err(CommandError::NotSupported(Feature::SubscriberBlackwhiteListing)));
    let prefix = SubscribeOptions::new().match_policy(MatchPolicy::Prefix);
    let subscribe = peer.session.subscribe(now, uri("a.b"), prefix);
    assert_eq!(subscribe, Err(CommandError::NotSupported(Feature::PatternBasedSubscription)));
    // No request id was used, and what is merely lost is sent.
    peer.session.publish(now, uri("a.b"), Payload::new(), PublishOptions::new().retain()).unwrap();
    peer.expect_sent(r#"[16,1,{"retain":true},"a.b"]"#);
    peer.expect_usable();
}

#[test]
fn fea_05_what_waits_for_the_join_is_refused_then() {
    let mut peer = Peer::joining(config());
    let prefix = SubscribeOptions::new().match_policy(MatchPolicy::Prefix);
    let key = peer.session.subscribe(peer.now, uri("a.b"), prefix).unwrap();
    peer.receive(FEATURELESS);
    peer.expect_joined();
    let refused = peer.expect_subscribed(key).unwrap_err();
    let feature = Feature::PatternBasedSubscription;
    assert!(matches!(refused, RequestError::Command(CommandError::NotSupported(lacking)) if lacking == feature));
    peer.expect_usable();
}

#[test]
fn fea_05_a_feature_that_is_switched_off_is_not_used() {
    let mut peer = Peer::joined_with(config().without_feature(Feature::SubscriberBlackwhiteListing), WELCOME);
    let options = PublishOptions::new().exclude_authid(["mallory"]);
    let publish = peer.session.publish(peer.now, uri("a.b"), Payload::new(), options);
    assert_eq!(publish, Err(CommandError::Disabled(Feature::SubscriberBlackwhiteListing)));
    peer.expect_usable();
}

#[test]
fn fea_05_a_router_of_which_nothing_is_known_gets_what_it_may_know() {
    let mut peer = Peer::joined_with(config(), "[2,1,{}]");
    let prefix = SubscribeOptions::new().match_policy(MatchPolicy::Prefix);
    peer.session.subscribe(peer.now, uri("a.b"), prefix).unwrap();
    peer.expect_sent(r#"[32,1,{"match":"prefix"},"a.b"]"#);
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
fn fea_07_and_08_a_callee_with_progress_has_call_canceling() {
    for feature in [Feature::ProgressiveCallResults, Feature::ProgressiveCallInvocations] {
        let others = [Feature::ProgressiveCallResults, Feature::ProgressiveCallInvocations];
        let others = others.into_iter().filter(|other| *other != feature);
        let config = others.fold(config().roles([Role::Callee]), Config::without_feature);
        let hello = hello(config.clone());
        assert!(hello.contains(&format!(r#""{feature}":true"#)) && hello.contains(r#""call_canceling":true"#));
        let without = config.without_feature(Feature::CallCanceling);
        assert_eq!(without.check(), Err(ConfigError::NoCallCanceling(feature)));
        assert_eq!(without.without_feature(feature).check(), Ok(()));
    }
}

#[test]
fn fea_09_legacy_features_of_crossbar_are_no_harm() {
    let mut peer = Peer::joining(config());
    peer.receive(concat!(
        r#"[2,1,{"roles":{"broker":{"features":{"payload_transparency":true,"payload_encryption_cryptobox":true,"#,
        r#""x_acknowledged_event_delivery":true}},"dealer":{"features":{"payload_transparency":true}}}}]"#
    ));
    assert!(!peer.expect_joined().announces(Feature::PayloadPassthruMode));
    peer.expect_usable();
}

#[test]
fn fea_05_what_the_router_would_have_to_announce_cannot_be_asked_for() {
    // Options of one's own cannot smuggle in what is checked.
    for key in ["progress", "receive_progress", "ppt_scheme"] {
        let refused = CallOptions::new().option(key, true);
        assert_eq!(refused, Err(CommandError::InvalidOption(key.to_owned())));
    }
}
