//! Events that a broker remembers.

use std::time::Duration;

use wamp_session::Frame;
use wamp_session::proto::{MatchPolicy, PublicationId, SubscriptionId, Uri};
use wamp_session::router::{HistoryError, HistoryFilter, PeerId, RealmConfig, RouterLimits};

use crate::world::{World, config};

struct Past {
    world: World,
    publisher: PeerId,
    subscription: SubscriptionId,
    requests: u64,
}

impl Past {
    /// A realm that remembers four events of `a.`; nobody subscribes to it any more.
    fn new(limits: RouterLimits) -> Self {
        let realm = RealmConfig::new("realm1").unwrap().anonymous("guest");
        let realm = realm.history("a.", MatchPolicy::Prefix, 4).unwrap().history("c", MatchPolicy::Exact, 1).unwrap();
        let mut world = World::new(config().realm(realm).limits(limits));
        let publisher = world.client();
        world.send(publisher, r#"[32,1,{"match":"prefix"},"a."]"#);
        world.send(publisher, "[34,2,1]");
        assert_eq!(world.take(publisher), ["[33,1,1]", "[35,2]"]);
        Self { world, publisher, subscription: SubscriptionId::new(1).unwrap(), requests: 2 }
    }

    fn publish(&mut self, topic: &str, options: &str, payload: &str) -> PublicationId {
        self.requests += 1;
        let options = format!(r#"{{"acknowledge":true{options}}}"#);
        self.world.send(self.publisher, &format!(r#"[16,{},{options},"{topic}",["{payload}"]]"#, self.requests));
        let published: serde_json::Value = serde_json::from_str(&self.world.one(self.publisher)).unwrap();
        PublicationId::new(published[2].as_u64().unwrap()).unwrap()
    }

    /// The first arguments of the events that a filter takes.
    fn events(&self, filter: &HistoryFilter) -> Vec<String> {
        let page = self.world.router.history("realm1", self.subscription, filter).unwrap();
        page.events.iter().map(|event| event.payload.arg(0).unwrap()).collect()
    }
}

fn all() -> HistoryFilter {
    HistoryFilter::new()
}

#[test]
fn evh_01_a_history_has_the_last_events_in_their_order() {
    let mut past = Past::new(RouterLimits::new());
    assert_eq!(past.events(&all()), [""; 0]);
    for n in 1..=3 {
        past.publish("a.x", "", &n.to_string());
    }
    past.publish("b.x", "", "another topic");
    assert_eq!(past.events(&all()), ["1", "2", "3"]);
    past.publish("a.y", "", "4");
    past.publish("a.z", "", "5");
    assert_eq!(past.events(&all()), ["2", "3", "4", "5"], "the oldest is forgotten");
    assert_eq!(past.events(&all().reverse()), ["5", "4", "3", "2"]);
    assert_eq!(past.events(&all().limit(2)), ["2", "3"]);
    assert_eq!(past.events(&all().limit(2).reverse()), ["5", "4"]);
    assert_eq!(past.events(&all().topic(Uri::new("a.y").unwrap())), ["4"]);
    let page = |limit| past.world.router.history("realm1", past.subscription, &all().limit(limit)).unwrap();
    assert!(page(3).is_limit_reached && !page(4).is_limit_reached);
}

#[test]
fn evh_01_a_history_is_looked_through_by_time() {
    let mut past = Past::new(RouterLimits::new());
    let start = Duration::from_millis(1_403_454_985_448);
    for n in 0..4 {
        past.publish("a.x", "", &n.to_string());
        past.world.advance(Duration::from_secs(1));
    }
    let at = |seconds| start + Duration::from_secs(seconds);
    assert_eq!(past.events(&all().from_time(at(2))), ["2", "3"]);
    assert_eq!(past.events(&all().after_time(at(2))), ["3"]);
    assert_eq!(past.events(&all().before_time(at(2))), ["0", "1"]);
    assert_eq!(past.events(&all().until_time(at(2))), ["0", "1", "2"]);
    assert_eq!(past.events(&all().after_time(at(0)).before_time(at(3)).reverse()), ["2", "1"]);
    let page = past.world.router.history("realm1", past.subscription, &all()).unwrap();
    assert_eq!(page.events[3].time, at(3));
}

#[test]
fn evh_04_a_history_is_paged_by_publications_whatever_the_time() {
    let mut past = Past::new(RouterLimits::new());
    let ids: Vec<PublicationId> = (0..4).map(|n| past.publish("a.x", "", &n.to_string())).collect();
    assert_eq!(past.events(&all().from_publication(ids[2])), ["2", "3"]);
    assert_eq!(past.events(&all().after_publication(ids[2])), ["3"]);
    assert_eq!(past.events(&all().before_publication(ids[2])), ["0", "1"]);
    assert_eq!(past.events(&all().until_publication(ids[2])), ["0", "1", "2"]);
    assert_eq!(past.events(&all().from_publication(ids[1]).before_publication(ids[3])), ["1", "2"]);
    assert_eq!(past.events(&all().after_publication(ids[3]).before_publication(ids[1])), [""; 0]);
    // All conditions hold.
    assert_eq!(past.events(&all().from_publication(ids[0]).after_publication(ids[1])), ["2", "3"]);
    assert_eq!(past.events(&all().from_publication(ids[3]).after_publication(ids[1])), ["3"]);
    assert_eq!(past.events(&all().before_publication(ids[1]).until_publication(ids[2])), ["0"]);
    assert_eq!(past.events(&all().before_publication(ids[3]).until_publication(ids[0])), ["0"]);
    let (mut pages, mut filter) = (Vec::new(), all().limit(3));
    loop {
        let page = past.world.router.history("realm1", past.subscription, &filter).unwrap();
        pages.push(page.events.len());
        filter = filter.after_publication(page.events.last().unwrap().publication);
        if !page.is_limit_reached {
            break;
        }
    }
    assert_eq!(pages, [3, 1]);
    past.publish("a.x", "", "4");
    let forgotten = past.world.router.history("realm1", past.subscription, &all().after_publication(ids[0]));
    assert_eq!(forgotten, Err(HistoryError::UnknownPublication(ids[0])));
}

#[test]
fn evh_02_an_event_of_the_past_is_told_as_it_was() {
    let mut past = Past::new(RouterLimits::new());
    let id = past.publish("a.x", r#","disclose_me":true"#, "1");
    let page = past.world.router.history("realm1", past.subscription, &all()).unwrap();
    let event = &page.events[0];
    assert_eq!((event.publication, event.topic.as_str()), (id, "a.x"));
    assert_eq!(event.details.topic.as_deref(), Some("a.x"));
    assert_eq!(event.details.publisher_authrole.as_deref(), Some("guest"));
}

#[test]
fn evh_03_what_is_not_remembered_is_not_available() {
    let mut past = Past::new(RouterLimits::new());
    past.world.send(past.publisher, r#"[32,3,{},"b"]"#);
    past.world.send(past.publisher, r#"[32,4,{"match":"prefix"},"c"]"#);
    assert_eq!(past.world.take(past.publisher), ["[33,3,2]", "[33,4,3]"]);
    for id in [2, 3, 99] {
        let none = past.world.router.history("realm1", SubscriptionId::new(id).unwrap(), &all());
        assert_eq!(none, Err(HistoryError::Unavailable), "{id}");
    }
    assert_eq!(past.world.router.history("realm9", past.subscription, &all()), Err(HistoryError::Unavailable));
}

#[test]
fn evh_01_the_subscription_of_a_history_keeps_its_id() {
    let mut past = Past::new(RouterLimits::new());
    past.world.send(past.publisher, r#"[32,3,{},"b"]"#);
    past.world.send(past.publisher, r#"[32,4,{"match":"prefix"},"a."]"#);
    assert_eq!(past.world.take(past.publisher), ["[33,3,2]", "[33,4,1]"]);
}

#[test]
fn what_is_kept_does_not_keep_the_frame_alive_in_which_it_came() {
    let mut past = Past::new(RouterLimits::new());
    for topic in ["a.remembered", "b.retained"] {
        past.requests += 1;
        let padding = "x".repeat(10_000);
        let options = format!(r#"{{"retain":{},"_padding":"{padding}"}}"#, topic == "b.retained");
        let frame = format!(r#"[16,{},{options},"{topic}",["{}"]]"#, past.requests, "y".repeat(2_000));
        let frame = bytes::Bytes::from(frame);
        past.world.router.handle_frame(past.world.now, past.publisher, Frame::Text(frame.clone()));
        assert!(frame.is_unique(), "{topic}");
    }
    assert_eq!(past.events(&all()), ["y".repeat(2_000)]);
}

#[test]
fn histories_are_limited_in_bytes() {
    let mut past = Past::new(RouterLimits::new().max_history_bytes(3_000));
    for n in 0..4 {
        past.publish("a.x", "", &format!("{n}{}", "x".repeat(800)));
    }
    let kept: Vec<char> = past.events(&all()).iter().map(|text| text.chars().next().unwrap()).collect();
    assert_eq!(kept, ['2', '3']);
    past.publish("a.x", "", &"x".repeat(4_000));
    assert_eq!(past.events(&all()), [""; 0], "one that is larger than the limit is forgotten at once");
    past.publish("a.x", "", "small");
    assert_eq!(past.events(&all()), ["small"]);
}
