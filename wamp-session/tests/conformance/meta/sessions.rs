//! Sessions: counted, listed, killed and watched.

use wamp_session::CloseCause;
use wamp_session::meta::{self, Kill};
use wamp_session::proto::{Dict, Value};

use super::{ask, expect_refused, hear, session_id};
use crate::support::{Peer, uri};

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
    for odd in [",[3.5]", ",[-1]", ",[1e300]", ",[null]"] {
        assert!(ask(&meta::session_count(), r#""wamp.session.count""#, odd).is_err(), "{odd}");
    }
    assert_eq!(ask(&meta::session_count(), r#""wamp.session.count""#, ",[[7,8]]"), Ok(2), "who they are says how many");
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
