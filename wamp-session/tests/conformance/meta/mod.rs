//! Checklist sections 12.9, 12.12 and 13: the meta API, with requests and topics as plain values.

mod history;
mod registrations;
mod sessions;
mod subscriptions;
mod testaments;

use wamp_session::meta::{self, Request, Topic};
use wamp_session::proto::{
    Dict, Format, InvokePolicy, MatchPolicy, PayloadError, PublicationId, RegistrationId, SessionId, SubscriptionId,
    Value,
};
use wamp_session::{CallOptions, Feature, RequestError};

use crate::support::{Peer, config};

const APIS: [Feature; 5] = [
    Feature::SessionMetaApi,
    Feature::RegistrationMetaApi,
    Feature::SubscriptionMetaApi,
    Feature::TestamentMetaApi,
    Feature::EventHistory,
];

fn session_id(id: u64) -> SessionId {
    SessionId::new(id).unwrap()
}

fn registration_id(id: u64) -> RegistrationId {
    RegistrationId::new(id).unwrap()
}

fn subscription_id(id: u64) -> SubscriptionId {
    SubscriptionId::new(id).unwrap()
}

fn publication_id(id: u64) -> PublicationId {
    PublicationId::new(id).unwrap()
}

/// Sends a request, checks the CALL from its procedure on, and reads the result that the router gives, its arguments.
#[track_caller]
fn ask<R>(request: &Request<R>, call: &str, result: &str) -> Result<R, PayloadError> {
    let mut peer = Peer::joined();
    let payload = request.payload(Format::Json).unwrap();
    let key = peer.session.call(peer.now, request.procedure(), payload, CallOptions::new()).unwrap();
    peer.expect_sent(&format!("[48,1,{{}},{call}]"));
    peer.receive(&format!("[50,1,{{}}{result}]"));
    let outcome = peer.expect_call_done(key).unwrap();
    peer.expect_usable();
    request.result(&outcome.payload)
}

/// The error with which a call ends.
fn refused<R>(request: &Request<R>, error: &str) -> RequestError {
    let mut peer = Peer::joined();
    let payload = request.payload(Format::Json).unwrap();
    let key = peer.session.call(peer.now, request.procedure(), payload, CallOptions::new()).unwrap();
    peer.sent();
    peer.receive(&format!(r#"[8,48,1,{{}},"{error}"]"#));
    peer.expect_call_done(key).unwrap_err()
}

#[track_caller]
fn expect_refused<R>(request: &Request<R>, errors: &[&str]) {
    for error in errors {
        let RequestError::Wamp(refused) = refused(request, error) else { panic!("no ERROR") };
        assert_eq!(refused.uri(), error);
    }
}

/// Reads an event with these arguments.
#[track_caller]
fn hear<E>(topic: Topic<E>, name: &str, arguments: &str) -> Result<E, PayloadError> {
    let mut peer = Peer::joined();
    assert_eq!(topic.topic(), name);
    peer.subscribed(name, 5);
    peer.receive(&format!("[36,5,1,{{}}{arguments}]"));
    let event = peer.expect_published();
    peer.expect_usable();
    topic.event(&event.payload)
}

#[test]
fn met_01_the_routers_announcement_tells_what_there_is() {
    let has = |welcome: &str| {
        let mut peer = Peer::joining(config());
        peer.receive(welcome);
        let joined = peer.expect_joined();
        APIS.map(|api| joined.announces(api))
    };
    assert_eq!(has(r#"[2,1,{"roles":{"broker":{},"dealer":{}}}]"#), [false; 5]);
    let crossbar = concat!(
        r#"[2,1,{"roles":{"broker":{"features":{"session_meta_api":true,"subscription_meta_api":true}},"#,
        r#""dealer":{"features":{"session_meta_api":true,"registration_meta_api":true,"testament_meta_api":true}}}}]"#
    );
    assert_eq!(has(crossbar), [true, true, true, true, false]);
    // nexus announces the API of sessions at the dealer only.
    let nexus = r#"[2,1,{"roles":{"broker":{"features":{"event_history":true}},"dealer":{"features":{"session_meta_api":true}}}}]"#;
    assert_eq!(has(nexus), [true, false, false, false, true]);
    // The feature of another role is another feature.
    let odd = r#"[2,1,{"roles":{"broker":{"features":{"registration_meta_api":true,"testament_meta_api":true}},"dealer":{"features":{"subscription_meta_api":true,"event_history":true}}}}]"#;
    assert_eq!(has(odd), [false; 5]);
}

#[test]
fn met_08_details_may_lack_keys_and_have_more() {
    let get = meta::registration(registration_id(9));
    let call = r#""wamp.registration.get",[9]"#;
    let full = r#",[{"id":9,"created":"2014-06-22T16:36:25.448Z","uri":"a..c","match":"wildcard","invoke":"roundrobin","force":1}]"#;
    let details = ask(&get, call, full).unwrap();
    assert_eq!((details.id, details.created.as_deref()), (registration_id(9), Some("2014-06-22T16:36:25.448Z")));
    assert_eq!((details.uri.as_deref(), details.match_policy), (Some("a..c"), MatchPolicy::Wildcard));
    assert_eq!(details.invoke, Some(InvokePolicy::RoundRobin));
    assert_eq!(details.extra, Dict::from_iter([("force", 1)]));
    let few = ask(&get, call, r#",[{"id":9,"uri":"a.b","match":"exact","invoke":"of-some-router"}]"#).unwrap();
    assert_eq!((few.created, few.match_policy, few.invoke), (None, MatchPolicy::Exact, None));
    assert_eq!(few.extra.get("invoke").and_then(Value::as_str), Some("of-some-router"));

    let get = meta::subscription(subscription_id(9));
    let call = r#""wamp.subscription.get",[9]"#;
    let details = ask(&get, call, r#",[{"id":9,"created":"then","uri":"a.","match":"prefix","x":null}]"#).unwrap();
    assert_eq!((details.id, details.uri.as_deref()), (subscription_id(9), Some("a.")));
    assert_eq!(details.extra, Dict::from_iter([("x", Value::Null)]));
    assert!(ask(&get, call, r#",[{"uri":"a.b"}]"#).is_err());
}

#[test]
fn met_11_other_meta_procedures_are_called_by_name() {
    let mut peer = Peer::joined();
    for (request, procedure) in ["wamp.registration.remove_callee", "wamp.session.modify_details"].iter().enumerate() {
        let key = peer.call(procedure);
        peer.expect_sent(&format!(r#"[48,{},{{}},"{procedure}"]"#, request + 1));
        peer.receive(&format!("[50,{},{{}},[true]]", request + 1));
        assert_eq!(peer.expect_call_done(key).unwrap().payload.arg(0), Ok(true));
    }
    peer.subscribe("wamp.session.on_stats");
    peer.expect_sent(r#"[32,3,{},"wamp.session.on_stats"]"#);
}
