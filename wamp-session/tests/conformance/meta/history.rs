//! Event history.

use core::num::NonZeroU64;

use wamp_session::meta::{self, HistoryFilter};
use wamp_session::proto::{Dict, Value};

use super::{ask, expect_refused, publication_id, subscription_id};
use crate::support::uri;

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
