//! `wamp.subscription.get_events`: the events that the broker remembers (WAMP Advanced Profile, "Event History").

use core::time::Duration;

use wamp_proto::{Dict, EventDetails, MatchPolicy, PublicationId, SubscriptionId, Uri, Value};

use super::super::timestamp::{parse_rfc3339, rfc3339_nanos};
use super::super::{HistoryError, HistoryEvent, HistoryFilter, HistoryPage, HistoryShape, Router};
use super::{Answer, INVALID_ARGUMENT, Query, Reply};
use crate::meta::number;

/// A key, and what it sets.
type Setter<T> = (&'static str, fn(HistoryFilter, T) -> HistoryFilter);

impl Router {
    /// Gives the events of a subscription that the caller could have received, had it subscribed.
    pub(super) fn get_events(&self, query: &Query) -> Answer {
        let id = SubscriptionId::new(query.number(0)?).ok();
        let realm = self.realms.get(&query.realm);
        let broker = realm.map(|realm| &realm.broker);
        let of = broker.zip(id).and_then(|(broker, id)| broker.topic_of(id));
        let (Some(broker), Some(id), Some((topic, policy))) = (broker, id, of) else {
            return Err("wamp.error.no_such_subscription");
        };
        if !self.may_subscribe(query, topic, policy) {
            return Err("wamp.error.not_authorized");
        }
        let shape = self.peers.quirks.history;
        let filter = if shape == HistoryShape::Crossbar { youngest(query)? } else { filter(query)? };
        let page = broker.history(&self.peers, id, &filter, Some(query.caller)).map_err(|error| match error {
            HistoryError::Unavailable => "wamp.error.history_unavailable",
            HistoryError::UnknownPublication(_) => INVALID_ARGUMENT,
        })?;
        let HistoryPage { events, is_limit_reached } = page;
        let events = events.iter().map(|event| {
            let described = match shape {
                HistoryShape::Arguments => described(id, event),
                HistoryShape::Crossbar => described_by_crossbar(&query.realm, event),
                HistoryShape::Nexus => described_by_nexus(id, event),
            };
            described.map(Value::from)
        });
        let events: Vec<Value> = events.collect::<Option<_>>().ok_or("wamp.error.invalid_payload")?;
        let kwargs = Dict::from_iter([("is_limit_reached", is_limit_reached)]);
        Ok(match shape {
            HistoryShape::Arguments | HistoryShape::Nexus => Reply { args: events, kwargs },
            HistoryShape::Crossbar => Reply::new(events),
        })
    }

    /// Whether the caller could subscribe to a topic.
    fn may_subscribe(&self, query: &Query, topic: &Uri, policy: MatchPolicy) -> bool {
        let member = self.peers.member(query.caller);
        let role = member.and_then(|member| self.realms.get(&query.realm)?.config.roles.get(&member.authrole));
        role.is_none_or(|role| role.may_subscribe(topic, policy))
    }
}

/// The last events, 10 if the caller does not say how many; other wishes do not count.
fn youngest(query: &Query) -> Result<HistoryFilter, &'static str> {
    let limit = match query.kwargs.get("limit") {
        None | Some(Value::Null) => 10,
        Some(limit) => number(limit).and_then(|limit| usize::try_from(limit).ok()).ok_or(INVALID_ARGUMENT)?,
    };
    Ok(HistoryFilter::new().reverse().limit(limit))
}

/// Which events the caller wants.
fn filter(query: &Query) -> Result<HistoryFilter, &'static str> {
    let mut filter = HistoryFilter::new();
    let get = |key: &str| query.kwargs.get(key).filter(|value| !value.is_null());
    if get("reverse").map(|reverse| reverse.as_bool().ok_or(INVALID_ARGUMENT)).transpose()? == Some(true) {
        filter = filter.reverse();
    }
    if let Some(limit) = get("limit") {
        let limit = number(limit).and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
        filter = filter.limit(limit.ok_or(INVALID_ARGUMENT)?);
    }
    if let Some(topic) = get("topic") {
        let topic = topic.as_str().and_then(|topic| Uri::new(topic).ok());
        filter = filter.topic(topic.ok_or("wamp.error.invalid_uri")?);
    }
    let times: [Setter<Duration>; 4] = [
        ("from_time", HistoryFilter::from_time),
        ("after_time", HistoryFilter::after_time),
        ("before_time", HistoryFilter::before_time),
        ("until_time", HistoryFilter::until_time),
    ];
    for (key, set) in times {
        if let Some(time) = get(key) {
            filter = set(filter, time.as_str().and_then(parse_rfc3339).ok_or(INVALID_ARGUMENT)?);
        }
    }
    let publications: [Setter<PublicationId>; 4] = [
        ("from_publication", HistoryFilter::from_publication),
        ("after_publication", HistoryFilter::after_publication),
        ("before_publication", HistoryFilter::before_publication),
        ("until_publication", HistoryFilter::until_publication),
    ];
    for (key, set) in publications {
        if let Some(id) = get(key) {
            let id = number(id).and_then(|id| PublicationId::new(id).ok());
            filter = set(filter, id.ok_or(INVALID_ARGUMENT)?);
        }
    }
    Ok(filter)
}

/// What is told of an event; `None` if it has values of which nothing can be told in another payload.
fn described(subscription: SubscriptionId, event: &HistoryEvent) -> Option<Dict> {
    let (args, kwargs): (Vec<Value>, Dict) = (event.payload.args().ok()?, event.payload.kwargs().ok()?);
    let mut described = Dict::from_iter([
        ("timestamp", Value::from(rfc3339_nanos(event.time))),
        ("subscription", Value::U64(subscription.get())),
        ("publication", Value::U64(event.publication.get())),
        ("details", details(&event.details).into()),
    ]);
    if !args.is_empty() || !kwargs.is_empty() {
        described.insert("args", args);
    }
    if !kwargs.is_empty() {
        described.insert("kwargs", kwargs);
    }
    Some(described)
}

/// What nexus tells of an event.
fn described_by_nexus(subscription: SubscriptionId, event: &HistoryEvent) -> Option<Dict> {
    let (args, kwargs): (Vec<Value>, Dict) = (event.payload.args().ok()?, event.payload.kwargs().ok()?);
    Some(Dict::from_iter([
        ("Subscription", Value::U64(subscription.get())),
        ("Publication", Value::U64(event.publication.get())),
        ("Details", details(&event.details).into()),
        ("Arguments", args.into()),
        ("ArgumentsKw", kwargs.into()),
    ]))
}

/// What Crossbar.io tells of an event.
fn described_by_crossbar(realm: &Uri, event: &HistoryEvent) -> Option<Dict> {
    let (args, kwargs): (Vec<Value>, Dict) = (event.payload.args().ok()?, event.payload.kwargs().ok()?);
    let EventDetails { publisher, publisher_authid, publisher_authrole, .. } = &event.details;
    Some(Dict::from_iter([
        ("time_ns", u64::try_from(event.time.as_nanos()).unwrap_or(u64::MAX).into()),
        ("realm", Value::from(realm.as_str())),
        ("session_id", publisher.map(u64::from).into()),
        ("authid", publisher_authid.as_deref().into()),
        ("authrole", publisher_authrole.as_deref().into()),
        ("publication", Value::U64(event.publication.get())),
        ("topic", event.topic.as_str().into()),
        ("args", args.into()),
        ("kwargs", kwargs.into()),
    ]))
}

/// The details of an event as a value.
fn details(of: &EventDetails) -> Dict {
    let mut details = of.extra.clone();
    let texts = [
        ("publisher_authid", of.publisher_authid.as_deref()),
        ("publisher_authrole", of.publisher_authrole.as_deref()),
        ("topic", of.topic.as_deref()),
        ("ppt_scheme", of.ppt_scheme.as_deref()),
        ("ppt_serializer", of.ppt_serializer.as_deref()),
        ("ppt_cipher", of.ppt_cipher.as_deref()),
        ("ppt_keyid", of.ppt_keyid.as_deref()),
    ];
    details.extend(texts.into_iter().filter_map(|(key, text)| Some((key, text?))));
    let numbers = [("publisher", of.publisher.map(Into::into)), ("trustlevel", of.trustlevel)];
    details.extend(numbers.into_iter().filter_map(|(key, number): (_, Option<u64>)| Some((key, number?))));
    details
}
