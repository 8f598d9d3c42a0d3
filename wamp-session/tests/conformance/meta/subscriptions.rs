//! Subscriptions: found and watched.

use wamp_session::meta;
use wamp_session::proto::{MatchPolicy, Uri, UriRule};

use super::{ask, expect_refused, hear, session_id, subscription_id};
use crate::support::uri;

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
