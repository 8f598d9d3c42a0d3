//! Registrations: found and watched.

use wamp_session::meta;
use wamp_session::proto::{MatchPolicy, Uri, UriRule};

use super::{ask, expect_refused, hear, registration_id, session_id};
use crate::support::uri;

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
