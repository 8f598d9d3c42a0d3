//! HELLO and its answers.

use std::time::Duration;

use wamp_session::proto::{Format, Message, Role};
use wamp_session::{Frame, Time};

use crate::world::{HELLO, World, config};

#[test]
fn rtr_01_hello_is_answered_with_welcome() {
    let mut world = World::new(config());
    let peer = world.greet(HELLO);
    let Message::Welcome(welcome) = world.messages(peer).remove(0) else { panic!("no WELCOME") };
    let details = welcome.details;
    let roles = details.roles.unwrap();
    assert!(roles.has(Role::Dealer));
    assert!(roles.announces(Role::Broker, "publisher_exclusion"));
    assert_eq!(details.agent.as_deref(), Some("test"));
    assert_eq!(details.realm.as_deref(), Some("realm1"));
    assert_eq!(details.authid.unwrap().as_ref(), format!("anonymous-{}", welcome.session));
    assert_eq!(details.authrole.as_deref(), Some("guest"));
    assert_eq!(details.authmethod.as_deref(), Some("anonymous"));
    assert_eq!(details.authprovider.as_deref(), Some("static"));
    assert_eq!(world.router.sessions("realm1").collect::<Vec<_>>(), [(peer, welcome.session)]);
    assert_eq!(world.router.poll_timeout(), None);
}

#[test]
fn rtr_01_welcome_announces_the_features_of_both_roles() {
    let mut world = World::new(config());
    let peer = world.greet(HELLO);
    let welcome = world.one(peer);
    let welcome: serde_json::Value = serde_json::from_str(&welcome).unwrap();
    let announced = |role: &str| {
        let features = welcome[2]["roles"][role]["features"].as_object().unwrap();
        assert!(features.values().all(|has| *has == true), "{features:?}");
        features.keys().map(String::as_str).collect::<Vec<_>>()
    };
    assert_eq!(
        announced("broker"),
        [
            "event_history",
            "event_retention",
            "pattern_based_subscription",
            "payload_passthru_mode",
            "publication_trustlevels",
            "publisher_exclusion",
            "publisher_identification",
            "session_meta_api",
            "shareded_subscriptions",
            "subscriber_blackwhite_listing",
            "subscription_meta_api",
            "subscription_revocation",
        ]
    );
    assert_eq!(
        announced("dealer"),
        [
            "call_canceling",
            "call_reroute",
            "call_timeout",
            "call_trustlevels",
            "caller_identification",
            "pattern_based_registration",
            "payload_passthru_mode",
            "progressive_call_invocations",
            "progressive_call_results",
            "registration_meta_api",
            "registration_revocation",
            "session_meta_api",
            "sharded_registration",
            "shared_registration",
            "testament_meta_api",
        ]
    );
    assert_eq!(welcome[2]["roles"].as_object().unwrap().len(), 2);
}

#[test]
fn rtr_01_sessions_have_different_ids() {
    let mut world = World::new(config());
    let peers = [world.client(), world.client(), world.client()];
    let mut ids: Vec<_> = world.router.sessions("realm1").map(|(_, session)| session).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), peers.len());
}

#[test]
fn rtr_01_an_unknown_realm_is_aborted() {
    let mut world = World::new(config());
    let peer = world.greet(r#"[1,"realm9",{"roles":{"caller":{}}}]"#);
    let abort = r#"[3,{"message":"there is no such realm"},"wamp.error.no_such_realm"]"#;
    assert_eq!(world.one(peer), abort);
    assert_eq!(world.close_code(peer), Some(1000));
    assert_eq!(world.router.peers(), 0);
}

#[test]
fn a_realm_that_is_no_uri_is_aborted() {
    let mut world = World::new(config());
    let peer = world.greet(r#"[1,"realm one",{"roles":{"caller":{}}}]"#);
    assert!(world.one(peer).ends_with(r#","wamp.error.invalid_uri"]"#));
    assert_eq!(world.close_code(peer), Some(1000));
}

#[test]
fn rtr_01_without_a_matching_method_hello_is_aborted() {
    let mut world = World::new(config());
    for methods in [r#"["ticket"]"#, r#"["cryptosign","wampcra"]"#] {
        let peer = world
            .greet(&format!(r#"[1,"realm1",{{"roles":{{"caller":{{}}}},"authmethods":{methods},"authid":"joe"}}]"#));
        assert!(world.one(peer).ends_with(r#","wamp.error.no_matching_auth_method"]"#));
        assert_eq!(world.close_code(peer), Some(1000));
    }
    let peer =
        world.greet(r#"[1,"realm1",{"roles":{"caller":{}},"authmethods":["ticket","anonymous"],"authid":"joe"}]"#);
    assert!(world.one(peer).starts_with("[2,"));
}

#[test]
fn hello_announces_a_role() {
    let mut world = World::new(config());
    for details in ["{}", r#"{"roles":{}}"#, r#"{"roles":{"broker":{},"dealer":{}}}"#] {
        let peer = world.greet(&format!(r#"[1,"realm1",{details}]"#));
        assert!(world.assert_violation(peer).contains("roles"));
    }
}

#[test]
fn unknown_details_of_hello_are_ignored() {
    let mut world = World::new(config());
    let peer =
        world.greet(r#"[1,"realm1",{"roles":{"caller":{"features":{"foo":true}}},"x_y":[1],"_abc":{"a":null}}]"#);
    assert!(world.one(peer).starts_with("[2,"));
}

#[test]
fn a_second_hello_is_a_protocol_violation() {
    let mut world = World::new(config());
    let peer = world.client();
    world.send(peer, HELLO);
    assert_eq!(world.assert_violation(peer), "HELLO received after the session was established");
    assert_eq!(world.tables(), [0; 4]);
}

#[test]
fn nothing_but_hello_opens_a_session() {
    let mut world = World::new(config());
    for message in [r#"[5,"x",{}]"#, r#"[6,{},"wamp.close.close_realm"]"#, r#"[32,1,{},"a.b"]"#, r#"[48,1,{},"a.b"]"#] {
        let peer = world.greet(message);
        assert!(world.assert_violation(peer).ends_with("received before HELLO"));
    }
    let peer = world.greet("nonsense");
    world.assert_violation(peer);
}

#[test]
fn an_abort_is_not_answered() {
    let mut world = World::new(config());
    let peer = world.greet(r#"[3,{},"wamp.error.cannot_authenticate"]"#);
    assert_eq!(world.take(peer), [""; 0]);
    assert_eq!(world.close_code(peer), Some(1000));
    let peer = world.client();
    world.send(peer, r#"[3,{},"wamp.error.protocol_violation"]"#);
    assert_eq!(world.take(peer), [""; 0]);
    assert_eq!(world.close_code(peer), Some(1000));
    assert_eq!(world.tables(), [0; 4]);
}

#[test]
fn a_peer_that_says_nothing_is_closed() {
    let mut world = World::new(config().join_timeout(Duration::from_secs(3)));
    let peer = world.open(Format::Json);
    world.advance(Duration::from_millis(2999));
    assert_eq!(world.closed(peer), None);
    world.advance(Duration::from_millis(1));
    assert_eq!(world.close_code(peer), Some(1008));
    assert_eq!(world.take(peer), [""; 0]);
    assert_eq!(world.router.poll_timeout(), None);
}

#[test]
fn realms_are_apart() {
    let mut world = World::new(config());
    let here = world.client();
    let there = world.greet(&HELLO.replace("realm1", "realm2"));
    world.take(there);
    world.send(here, r#"[32,1,{},"a.b"]"#);
    world.send(there, r#"[16,1,{},"a.b"]"#);
    world.send(there, r#"[64,2,{},"a.b"]"#);
    world.send(here, r#"[48,2,{},"a.b"]"#);
    assert_eq!(world.take(here), ["[33,1,1]", r#"[8,48,2,{},"wamp.error.no_such_procedure"]"#]);
    assert_eq!(world.take(there), ["[65,2,2]"]);
}

#[test]
fn the_client_prefers_the_format() {
    let world = World::new(config().formats([Format::Json]));
    assert_eq!(world.router.choose_format(["wamp.2.msgpack", "wamp.2.json"]), Some(Format::Json));
    assert_eq!(world.router.choose_format(["wamp.2.msgpack", "wamp.2.json.batched", "soap"]), None);
    let world = World::new(config());
    assert_eq!(world.router.choose_format(["soap", "wamp.2.json", "wamp.2.cbor"]), Some(Format::Json));
}

#[test]
fn news_of_unknown_peers_are_ignored() {
    let mut world = World::new(config());
    let peer = world.client();
    world.router.handle_closed(world.now, peer);
    world.router.handle_closed(world.now, peer);
    world.send_frame(peer, Frame::Text(HELLO.into()));
    world.router.handle_blocked(world.now, peer);
    world.router.handle_writable(world.now, peer);
    assert_eq!(world.take(peer), [""; 0]);
    assert_eq!(world.router.peers(), 0);
}

#[test]
fn an_earlier_now_counts_as_the_latest() {
    let mut world = World::new(config());
    world.advance(Duration::from_secs(20));
    world.now = Time::from_secs(1);
    world.open(Format::Json);
    assert_eq!(world.router.poll_timeout(), Some(Time::from_secs(30)));
}
