//! Checklist sections 12.9, 12.12 and 13: the meta API, with requests and topics as plain values.

use core::num::NonZeroU64;

use wamp_session::meta::{self, HistoryFilter, Kill, Request, Testament, TestamentScope, Topic};
use wamp_session::proto::{
    ArgsKwargs, Dict, Format, InvokePolicy, MatchPolicy, PayloadError, PublicationId, RegistrationId, SessionId,
    SubscriptionId, Uri, UriRule, Value,
};
use wamp_session::{CallOptions, CloseCause, Feature, PublishOptions, RequestError};

use crate::support::{Peer, config, uri};

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
fn met_02_and_03_sessions_are_counted_and_listed() {
    assert_eq!(ask(&meta::session_count(), r#""wamp.session.count""#, ",[3]"), Ok(3));
    let of = meta::session_count_of(["admin", "guest"]);
    assert_eq!(ask(&of, r#""wamp.session.count",[["admin","guest"]]"#, ",[0]"), Ok(0));
    // A float is what some routers have for an integer.
    assert_eq!(ask(&meta::session_count(), r#""wamp.session.count""#, ",[3.0]"), Ok(3));
    let list = ask(&meta::sessions(), r#""wamp.session.list""#, ",[[1,9007199254740992]]");
    assert_eq!(list, Ok(vec![session_id(1), session_id(1 << 53)]));
    assert_eq!(ask(&meta::sessions(), r#""wamp.session.list""#, ",[[]]"), Ok(vec![]));
    assert_eq!(ask(&meta::sessions(), r#""wamp.session.list""#, ",[null]"), Ok(vec![]));
    assert_eq!(
        ask(&meta::sessions_of(["admin"]), r#""wamp.session.list",[["admin"]]"#, ",[[7]]"),
        Ok(vec![session_id(7)])
    );
    assert!(ask(&meta::session_count(), r#""wamp.session.count""#, r#",["many"]"#).is_err());
    assert!(ask(&meta::session_count(), r#""wamp.session.count""#, "").is_err());
    assert!(ask(&meta::sessions(), r#""wamp.session.list""#, ",[[1,0]]").is_err());
}

#[test]
fn met_02_a_session_has_details() {
    let get = meta::session(session_id(4711));
    let call = r#""wamp.session.get",[4711]"#;
    let full = concat!(
        r#",[{"session":4711,"authid":"joe","authrole":"admin","authmethod":"ticket","authprovider":"static","#,
        r#""transport":{"type":"websocket"},"authextra":{"x":1}}]"#
    );
    let details = ask(&get, call, full).unwrap();
    assert_eq!(details.session, session_id(4711));
    assert_eq!(details.authid.as_deref(), Some("joe"));
    assert_eq!(details.authrole.as_deref(), Some("admin"));
    assert_eq!(details.authmethod.as_deref(), Some("ticket"));
    assert_eq!(details.authprovider.as_deref(), Some("static"));
    assert_eq!(details.transport.unwrap().get("type").and_then(Value::as_str), Some("websocket"));
    assert_eq!(details.extra, Dict::from_iter([("authextra", Dict::from_iter([("x", 1)]))]));
    let few = ask(&get, call, r#",[{"session":4711,"transport":null}]"#).unwrap();
    assert_eq!((few.authid, few.transport), (None, None));
    assert!(ask(&get, call, r#",[{"authid":"joe"}]"#).is_err());
    assert!(ask(&get, call, ",[null]").is_err());
    expect_refused(&get, &["wamp.error.no_such_session"]);
}

#[test]
fn met_04_sessions_are_killed_with_a_reason_and_a_message() {
    let kill = Kill::new().reason(uri("com.example.idle")).message("bye");
    let kwargs = r#"{"message":"bye","reason":"com.example.idle"}"#;
    let one = meta::kill_session(session_id(7), &kill);
    assert_eq!(ask(&one, &format!(r#""wamp.session.kill",[7],{kwargs}"#), ""), Ok(()));
    let plain = meta::kill_session(session_id(7), &Kill::new());
    assert_eq!(ask(&plain, r#""wamp.session.kill",[7]"#, ",[null]"), Ok(()));
    expect_refused(&one, &["wamp.error.no_such_session", "wamp.error.invalid_uri"]);

    let all = meta::kill_all(&kill);
    let killed = ask(&all, &format!(r#""wamp.session.kill_all",[],{kwargs}"#), ",[3]").unwrap();
    assert_eq!((killed.count, killed.sessions), (3, None));
    expect_refused(&all, &["wamp.error.invalid_uri"]);

    // The text has a list for one and a number for the other; routers mix them up.
    let by_authid = meta::kill_by_authid("joe", &kill);
    let by_authrole = meta::kill_by_authrole("guest", &kill);
    for (request, call) in [
        (by_authid, format!(r#""wamp.session.kill_by_authid",["joe"],{kwargs}"#)),
        (by_authrole, format!(r#""wamp.session.kill_by_authrole",["guest"],{kwargs}"#)),
    ] {
        let killed = ask(&request, &call, ",[3]").unwrap();
        assert_eq!((killed.count, killed.sessions), (3, None));
        let killed = ask(&request, &call, ",[[1,2]]").unwrap();
        assert_eq!((killed.count, killed.sessions), (2, Some(vec![session_id(1), session_id(2)])));
        assert_eq!(ask(&request, &call, "").unwrap().count, 0);
        assert!(ask(&request, &call, r#",["joe"]"#).is_err());
        expect_refused(&request, &["wamp.error.invalid_uri"]);
    }
}

#[test]
fn met_05_sessions_join_and_leave() {
    let full = r#",[{"session":7,"authid":"joe","authrole":"admin","authmethod":"ticket","authprovider":"static","x_cb_node":"n"}]"#;
    let joined = hear(meta::ON_JOIN, "wamp.session.on_join", full).unwrap();
    assert_eq!((joined.session, joined.authid.as_deref()), (session_id(7), Some("joe")));
    assert_eq!(joined.extra, Dict::from_iter([("x_cb_node", "n")]));
    assert_eq!(hear(meta::ON_JOIN, "wamp.session.on_join", r#",[{"session":7}]"#).unwrap().authrole, None);
    assert!(hear(meta::ON_JOIN, "wamp.session.on_join", ",[7]").is_err());

    let left = hear(meta::ON_LEAVE, "wamp.session.on_leave", r#",[7,"joe","admin"]"#).unwrap();
    assert_eq!(
        (left.session, left.authid.as_deref(), left.authrole.as_deref()),
        (session_id(7), Some("joe"), Some("admin"))
    );
    let of_crossbar = hear(meta::ON_LEAVE, "wamp.session.on_leave", ",[7]").unwrap();
    assert_eq!((of_crossbar.session, of_crossbar.authid, of_crossbar.authrole), (session_id(7), None, None));
    assert!(hear(meta::ON_LEAVE, "wamp.session.on_leave", "").is_err());
}

#[test]
fn met_06_registrations_are_found() {
    let prefix = Uri::checked("com.", UriRule::Loose, MatchPolicy::Prefix).unwrap();
    for (request, call) in [
        (meta::lookup_registration(&uri("a.b"), MatchPolicy::Exact), r#""wamp.registration.lookup",["a.b"]"#),
        (
            meta::lookup_registration(&prefix, MatchPolicy::Prefix),
            r#""wamp.registration.lookup",["com.",{"match":"prefix"}]"#,
        ),
        (meta::match_registration(&uri("a.b")), r#""wamp.registration.match",["a.b"]"#),
    ] {
        assert_eq!(ask(&request, call, ",[9]"), Ok(Some(registration_id(9))));
        for miss in [",[null]", ",[0]", "", ",[]"] {
            assert_eq!(ask(&request, call, miss), Ok(None), "{miss}");
        }
        assert!(ask(&request, call, r#",["9"]"#).is_err());
    }
    let lists =
        ask(&meta::registrations(), r#""wamp.registration.list""#, r#",[{"exact":[1,2],"prefix":[3],"wildcard":[]}]"#)
            .unwrap();
    assert_eq!(lists.exact, [registration_id(1), registration_id(2)]);
    assert_eq!((lists.prefix, lists.wildcard), (vec![registration_id(3)], vec![]));
    let few = ask(&meta::registrations(), r#""wamp.registration.list""#, r#",[{"exact":null}]"#).unwrap();
    assert_eq!(few, Default::default());
    let callees = meta::callees(registration_id(9));
    assert_eq!(ask(&callees, r#""wamp.registration.list_callees",[9]"#, ",[[7]]"), Ok(vec![session_id(7)]));
    let count = meta::callee_count(registration_id(9));
    assert_eq!(ask(&count, r#""wamp.registration.count_callees",[9]"#, ",[2]"), Ok(2));
    expect_refused(&callees, &["wamp.error.no_such_registration"]);
    expect_refused(&count, &["wamp.error.no_such_registration"]);
    expect_refused(&meta::registration(registration_id(9)), &["wamp.error.no_such_registration"]);
}

#[test]
fn met_06_registrations_come_and_go() {
    let details = r#"{"id":9,"created":"2014-06-22T16:36:25.448Z","uri":"a.b","match":"exact","invoke":"single"}"#;
    let created =
        hear(meta::ON_REGISTRATION_CREATE, "wamp.registration.on_create", &format!(",[7,{details}]")).unwrap();
    assert_eq!((created.session, created.details.id), (session_id(7), registration_id(9)));
    assert_eq!(created.details.uri, Some(uri("a.b")));
    for (topic, name) in [
        (meta::ON_REGISTER, "wamp.registration.on_register"),
        (meta::ON_UNREGISTER, "wamp.registration.on_unregister"),
        (meta::ON_REGISTRATION_DELETE, "wamp.registration.on_delete"),
    ] {
        let change = hear(topic, name, ",[7,9]").unwrap();
        assert_eq!((change.session, change.registration), (Some(session_id(7)), registration_id(9)));
        // Crossbar.io does not know any more who it was, once the session has ended.
        let change = hear(topic, name, ",[null,9]").unwrap();
        assert_eq!((change.session, change.registration), (None, registration_id(9)));
        for wrong in [",[7]", r#",["7",9]"#, ",[0,9]", ",[7,null]"] {
            assert!(hear(topic, name, wrong).is_err(), "{wrong}");
        }
    }
}

#[test]
fn met_07_subscriptions_are_found() {
    let lookup = meta::lookup_subscription(&uri("a.b"), MatchPolicy::Exact);
    let call = r#""wamp.subscription.lookup",["a.b"]"#;
    assert_eq!(ask(&lookup, call, ",[9]"), Ok(Some(subscription_id(9))));
    assert_eq!(ask(&lookup, call, ",[0]"), Ok(None));
    let wildcard = Uri::checked("a..c", UriRule::Loose, MatchPolicy::Wildcard).unwrap();
    let lookup = meta::lookup_subscription(&wildcard, MatchPolicy::Wildcard);
    assert_eq!(ask(&lookup, r#""wamp.subscription.lookup",["a..c",{"match":"wildcard"}]"#, ",[null]"), Ok(None));

    let matching = meta::match_subscriptions(&uri("a.b"));
    let call = r#""wamp.subscription.match",["a.b"]"#;
    assert_eq!(ask(&matching, call, ",[[9,8]]"), Ok(vec![subscription_id(9), subscription_id(8)]));
    for none in [",[null]", ",[[]]", ""] {
        assert_eq!(ask(&matching, call, none), Ok(vec![]), "{none}");
    }
    let lists =
        ask(&meta::subscriptions(), r#""wamp.subscription.list""#, r#",[{"wildcard":[3],"prefix":[2],"exact":[1]}]"#)
            .unwrap();
    assert_eq!([lists.exact, lists.prefix, lists.wildcard], [1, 2, 3].map(|id| vec![subscription_id(id)]));
    let subscribers = meta::subscribers(subscription_id(9));
    assert_eq!(ask(&subscribers, r#""wamp.subscription.list_subscribers",[9]"#, ",[[7]]"), Ok(vec![session_id(7)]));
    let count = meta::subscriber_count(subscription_id(9));
    assert_eq!(ask(&count, r#""wamp.subscription.count_subscribers",[9]"#, ",[2]"), Ok(2));
    assert_eq!(count.alias(), Some(uri("wamp.subscription.count_suscribers")));
    expect_refused(&subscribers, &["wamp.error.no_such_subscription"]);
    expect_refused(&count, &["wamp.error.no_such_subscription"]);
    expect_refused(&meta::subscription(subscription_id(9)), &["wamp.error.no_such_subscription"]);
}

#[test]
fn met_07_subscriptions_come_and_go() {
    let details = r#"{"id":9,"created":"2014-06-22T16:36:25.448Z","uri":"a.","match":"prefix"}"#;
    let created =
        hear(meta::ON_SUBSCRIPTION_CREATE, "wamp.subscription.on_create", &format!(",[7,{details}]")).unwrap();
    assert_eq!((created.session, created.details.match_policy), (session_id(7), MatchPolicy::Prefix));
    assert_eq!(created.details.uri.as_deref(), Some("a."));
    for (topic, name) in [
        (meta::ON_SUBSCRIBE, "wamp.subscription.on_subscribe"),
        (meta::ON_UNSUBSCRIBE, "wamp.subscription.on_unsubscribe"),
        (meta::ON_SUBSCRIPTION_DELETE, "wamp.subscription.on_delete"),
    ] {
        let change = hear(topic, name, ",[7,9]").unwrap();
        assert_eq!((change.session, change.subscription), (Some(session_id(7)), subscription_id(9)));
        let change = hear(topic, name, ",[null,9]").unwrap();
        assert_eq!((change.session, change.subscription), (None, subscription_id(9)));
        for wrong in [",[7]", r#",["7",9]"#, ",[0,9]", ",[7,null]"] {
            assert!(hear(topic, name, wrong).is_err(), "{wrong}");
        }
    }
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
fn met_09_being_killed_is_answered_and_told() {
    for (details, message) in [(r#"{"message":"you know why"}"#, Some("you know why")), ("{}", None)] {
        for reason in ["wamp.close.killed", "com.example.idle"] {
            let mut peer = Peer::joined();
            peer.receive(&format!(r#"[6,{details},"{reason}"]"#));
            peer.expect_sent(r#"[6,{},"wamp.close.goodbye_and_out"]"#);
            peer.expect_close(1000);
            peer.end_transport(wamp_session::TransportErrorKind::Closed { code: Some(1000), reason: String::new() });
            let cause = peer.expect_closed();
            let CloseCause::Goodbye(goodbye) = &*cause else { panic!("{cause:?}") };
            assert_eq!(goodbye.reason, reason);
            assert_eq!(goodbye.details.message.as_deref(), message);
        }
    }
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

#[test]
fn evh_01_each_filter_has_its_key() {
    let limit = NonZeroU64::new(5).unwrap();
    let (id, all) = (publication_id(6), HistoryFilter::new);
    for (filter, kwargs) in [
        (all(), ""),
        (all().reverse(), r#",{"reverse":true}"#),
        (all().limit(limit), r#",{"limit":5}"#),
        (all().from_time("2026-01-31T12:00:00Z"), r#",{"from_time":"2026-01-31T12:00:00Z"}"#),
        (all().after_time("2026-01-31T12:00:00Z"), r#",{"after_time":"2026-01-31T12:00:00Z"}"#),
        (all().before_time("2026-01-31T12:00:00Z"), r#",{"before_time":"2026-01-31T12:00:00Z"}"#),
        (all().until_time("2026-01-31T12:00:00Z"), r#",{"until_time":"2026-01-31T12:00:00Z"}"#),
        (all().topic(&uri("a.b")), r#",{"topic":"a.b"}"#),
        (all().from_publication(id), r#",{"from_publication":6}"#),
        (all().after_publication(id), r#",{"after_publication":6}"#),
        (all().before_publication(id), r#",{"before_publication":6}"#),
        (all().until_publication(id), r#",{"until_publication":6}"#),
        (all().limit(limit).after_publication(id), r#",{"after_publication":6,"limit":5}"#),
    ] {
        let request = meta::get_events(subscription_id(9), &filter);
        ask(&request, &format!(r#""wamp.subscription.get_events",[9]{kwargs}"#), "").unwrap();
    }
}

#[test]
fn evh_02_history_is_read_in_each_shape() {
    let request = meta::get_events(subscription_id(9), &HistoryFilter::new());
    let read = |result: &str| ask(&request, r#""wamp.subscription.get_events",[9]"#, result).unwrap();
    for none in ["", ",[]", ",[[]]", ",[null]"] {
        assert_eq!(read(none).events, [], "{none}");
    }
    let of_the_text = concat!(
        r#",[{"timestamp":"2026-01-31T12:00:00.000Z","subscription":9,"publication":6,"details":{"topic":"a.b"},"#,
        r#""args":["nuts",2.5],"kwargs":{"k":[1]}},{"publication":7,"details":{}}]"#
    );
    let history = read(of_the_text);
    let [event, bare] = history.events.as_slice() else { panic!("{history:?}") };
    assert_eq!((event.publication, event.subscription), (Some(publication_id(6)), Some(subscription_id(9))));
    assert_eq!(event.timestamp.as_deref(), Some("2026-01-31T12:00:00.000Z"));
    assert_eq!(event.topic, Some(uri("a.b")));
    assert_eq!(event.args::<(String, f64)>().unwrap(), ("nuts".to_owned(), 2.5));
    assert_eq!(event.kwargs::<Dict>().unwrap(), Dict::from_iter([("k", vec![1])]));
    assert_eq!((bare.publication, bare.payload.raw_args().unwrap()), (Some(publication_id(7)), None));
    assert_eq!(history.is_limit_reached, None);

    let of_one = read(r#",[{"publication":6}]"#);
    assert_eq!(of_one.events.len(), 1);

    let of_crossbar = r#",[[{"time_ns":1769860800000000000,"realm":"realm1","session_id":7,"publication":6,"topic":"a.b","args":[1],"kwargs":null}]]"#;
    let history = read(of_crossbar);
    let [event] = history.events.as_slice() else { panic!("{history:?}") };
    assert_eq!((event.publication, event.time_ns), (Some(publication_id(6)), Some(1_769_860_800_000_000_000)));
    assert_eq!((event.topic.clone(), event.arg::<u8>(0).unwrap()), (Some(uri("a.b")), 1));
    assert_eq!(event.extra.get("session_id").and_then(Value::as_u64), Some(7));

    let of_nexus = concat!(
        r#",[{"Subscription":9,"Publication":6,"Details":{},"Arguments":[1],"ArgumentsKw":{"k":2}}],"#,
        r#"{"is_limit_reached":true}"#
    );
    let history = read(of_nexus);
    let [event] = history.events.as_slice() else { panic!("{history:?}") };
    assert_eq!((event.publication, event.subscription), (Some(publication_id(6)), Some(subscription_id(9))));
    assert_eq!(
        (event.arg::<u8>(0).unwrap(), event.kwargs::<Dict>().unwrap().get("k").and_then(Value::as_u64)),
        (1, Some(2))
    );
    assert_eq!((history.is_limit_reached, history.info.len()), (Some(true), 1));

    assert!(ask(&request, r#""wamp.subscription.get_events",[9]"#, ",[1]").is_err());
}

#[test]
fn evh_03_the_history_may_be_refused() {
    expect_refused(
        &meta::get_events(subscription_id(9), &HistoryFilter::new()),
        &[
            "wamp.error.not_authorized",
            "wamp.error.history_unavailable",
            "wamp.error.no_such_subscription",
            "wamp.error.invalid_argument",
        ],
    );
}

#[test]
fn evh_04_equal_timestamps_keep_the_order_of_the_list() {
    let request = meta::get_events(subscription_id(9), &HistoryFilter::new());
    let events = (0..20).map(|n| format!(r#"{{"timestamp":"2026-01-31T12:00:00.000Z","publication":{}}}"#, 900 - n));
    let result = format!(",[{}]", events.collect::<Vec<_>>().join(","));
    let history = ask(&request, r#""wamp.subscription.get_events",[9]"#, &result).unwrap();
    let publications: Vec<_> = history.events.iter().map(|event| event.publication.unwrap().get()).collect();
    assert_eq!(publications, (881..=900).rev().collect::<Vec<_>>());
}

#[test]
fn tst_01_a_testament_is_an_event_to_come() {
    let add = |testament: &Testament, call: &str| {
        let payload = ArgsKwargs(("Seeya!",), Dict::from_iter([("my_name", "app1")]));
        let request = meta::add_testament(&uri("com.myapp.mytopic"), payload, testament, Format::Json).unwrap();
        ask(
            &request,
            &format!(r#""wamp.session.add_testament",["com.myapp.mytopic",["Seeya!"],{{"my_name":"app1"}}]{call}"#),
            "",
        )
    };
    assert_eq!(add(&Testament::new(), ""), Ok(()));
    assert_eq!(add(&Testament::new().scope(TestamentScope::Detached), r#",{"scope":"detached"}"#), Ok(()));
    let options =
        PublishOptions::new().exclude_me(false).eligible_authrole(["admin"]).exclude([session_id(7)]).retain();
    let options = options.exclude_authid(["joe"]).option("_x_y", 1).unwrap();
    let kwargs = concat!(
        r#",{"publish_options":{"_x_y":1,"eligible_authrole":["admin"],"exclude":[7],"exclude_authid":["joe"],"#,
        r#""exclude_me":false,"retain":true},"scope":"destroyed"}"#
    );
    assert_eq!(add(&Testament::new().scope(TestamentScope::Destroyed).options(options), kwargs), Ok(()));
    // Without arguments there are empty ones.
    let bare = meta::add_testament(&uri("a.b"), (), &Testament::new(), Format::Json).unwrap();
    assert_eq!(ask(&bare, r#""wamp.session.add_testament",["a.b",[],{}]"#, ""), Ok(()));
}

#[test]
fn tst_01_a_testament_keeps_bytes_in_every_format() {
    for format in Format::ALL {
        let payload = (Value::Bytes(vec![0, 255].into()),);
        let request = meta::add_testament(&uri("a.b"), payload, &Testament::new(), *format).unwrap();
        let args = request.payload(*format).unwrap().arg::<Value>(1).unwrap();
        assert_eq!(args, Value::List(vec![Value::Bytes(vec![0, 255].into())]));
    }
    let nan = meta::add_testament(&uri("a.b"), f64::NAN, &Testament::new(), Format::Json);
    assert!(nan.is_err(), "what the format cannot carry fails at once");
}

#[test]
fn tst_02_testaments_are_taken_back_by_scope() {
    let detached = meta::flush_testaments(TestamentScope::Detached);
    assert_eq!(ask(&detached, r#""wamp.session.flush_testaments",[],{"scope":"detached"}"#, ""), Ok(()));
    let destroyed = meta::flush_testaments(TestamentScope::Destroyed);
    assert_eq!(ask(&destroyed, r#""wamp.session.flush_testaments",[],{"scope":"destroyed"}"#, ""), Ok(()));
}

#[test]
fn tst_03_what_routers_answer_is_ignored() {
    for result in ["", ",[5]", ",[null]", r#",["x"],{"y":1}"#] {
        let add = meta::add_testament(&uri("a.b"), (), &Testament::new(), Format::Json).unwrap();
        assert_eq!(ask(&add, r#""wamp.session.add_testament",["a.b",[],{}]"#, result), Ok(()));
        let flush = meta::flush_testaments(TestamentScope::Destroyed);
        assert_eq!(ask(&flush, r#""wamp.session.flush_testaments",[],{"scope":"destroyed"}"#, result), Ok(()));
    }
}
