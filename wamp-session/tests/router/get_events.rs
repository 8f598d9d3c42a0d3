//! Asking the router for the events that it remembers.

use std::time::Duration;

use wamp_session::proto::{Dict, Format, MatchPolicy, Message, Value};
use wamp_session::router::{PeerId, Permission, RealmConfig, RoleConfig, RouterConfig, User};

use crate::world::{World, config};

/// A realm that remembers events of `a.`, and who is in it.
struct Past {
    world: World,
    publisher: PeerId,
    reader: PeerId,
    requests: [u64; 2],
    id: u64,
}

fn remembering(realm: RealmConfig) -> RouterConfig {
    config().realm(realm.history("a.", MatchPolicy::Prefix, 10).unwrap())
}

impl Past {
    fn new() -> Self {
        Self::of(remembering(RealmConfig::new("realm1").unwrap().anonymous("guest")), Format::Json)
    }

    fn of(config: RouterConfig, format: Format) -> Self {
        let mut world = World::new(config);
        let (publisher, reader) = (world.join(format), world.join(format));
        let mut past = Self { world, publisher, reader, requests: [0; 2], id: 0 };
        let found = past.ask(r#""wamp.subscription.lookup",["a.",{"match":"prefix"}]"#);
        past.id = found.unwrap().0[0].as_u64().unwrap();
        past
    }

    /// Publishes an event with a text, a second after the one before.
    fn publish(&mut self, topic: &str, options: &str, text: &str) -> u64 {
        self.world.advance(Duration::from_secs(1));
        self.requests[0] += 1;
        let options = format!(r#"{{"acknowledge":true{options}}}"#);
        self.world.send(self.publisher, &format!(r#"[16,{},{options},"{topic}",["{text}"]]"#, self.requests[0]));
        match self.world.messages(self.publisher).pop() {
            Some(Message::Published(published)) => published.publication.get(),
            other => panic!("{other:?}"),
        }
    }

    fn ask(&mut self, call: &str) -> Result<(Vec<Value>, Dict), String> {
        self.requests[1] += 1;
        self.world.send(self.reader, &format!("[48,{},{{}},{call}]", self.requests[1]));
        match self.world.messages(self.reader).pop() {
            Some(Message::Result(result)) => Ok((result.payload.args().unwrap(), result.payload.kwargs().unwrap())),
            Some(Message::Error(error)) => Err(error.error.as_str().to_owned()),
            other => panic!("{other:?}"),
        }
    }

    fn events(&mut self, filter: &str) -> Vec<Value> {
        let id = self.id;
        self.ask(&format!(r#""wamp.subscription.get_events",[{id}],{{{filter}}}"#)).unwrap().0
    }

    /// The texts of the events that a filter takes.
    fn texts(&mut self, filter: &str) -> Vec<String> {
        let text = |event: Value| {
            let args = event.as_dict().unwrap().get("args").unwrap().as_list().unwrap();
            args[0].as_str().unwrap().to_owned()
        };
        self.events(filter).into_iter().map(text).collect()
    }
}

#[test]
fn evh_02_an_event_is_told_with_its_time_details_and_arguments() {
    for format in Format::ALL {
        let realm = RealmConfig::new("realm1").unwrap().anonymous("guest");
        let mut past = Past::of(remembering(realm), *format);
        assert_eq!(past.events(""), []);
        let publication = past.publish("a.x", r#","disclose_me":true"#, "text");
        let (events, info) = past.ask(&format!(r#""wamp.subscription.get_events",[{}]"#, past.id)).unwrap();
        assert_eq!(info.get("is_limit_reached"), Some(&false.into()));
        let [Value::Dict(event)] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(event.get("timestamp"), Some(&"2014-06-22T16:36:26.448Z".into()));
        assert_eq!(event.get("subscription"), Some(&past.id.into()));
        assert_eq!(event.get("publication"), Some(&publication.into()));
        assert_eq!(event.get("args"), Some(&vec!["text"].into()));
        assert_eq!(event.get("kwargs"), None);
        let details = event.get("details").unwrap().as_dict().unwrap();
        assert_eq!(details.get("topic"), Some(&"a.x".into()));
        assert_eq!(details.get("publisher_authrole"), Some(&"guest".into()));
        assert!(details.get("publisher").unwrap().as_u64().is_some());
    }
}

#[test]
fn evh_02_an_event_is_told_with_all_that_its_subscribers_were_told() {
    let realm = RealmConfig::new("realm1").unwrap().anonymous("guest").trustlevel("guest", 3);
    let mut past = Past::of(remembering(realm), Format::Json);
    let hello = r#"[1,"realm1",{"roles":{"publisher":{"features":{"payload_passthru_mode":true}}}}]"#;
    let publisher = past.world.join_as(Format::Json, hello);
    let attributes = r#""ppt_scheme":"x_y","ppt_serializer":"cbor","ppt_cipher":"c","ppt_keyid":"k""#;
    past.world.send(publisher, &format!(r#"[16,1,{{{attributes}}},"a.x",["\u0000Yg=="]]"#));
    past.world.send(publisher, r#"[16,2,{},"a.x",[],{"only":"kwargs"}]"#);
    let events = past.events("");
    let [sealed, plain] = [&events[0], &events[1]].map(|event| event.as_dict().unwrap());
    let details = sealed.get("details").unwrap().as_dict().unwrap();
    let texts = ["topic", "ppt_scheme", "ppt_serializer", "ppt_cipher", "ppt_keyid"];
    let told = texts.map(|key| details.get(key).and_then(Value::as_str));
    assert_eq!(told, ["a.x", "x_y", "cbor", "c", "k"].map(Some));
    assert_eq!(details.get("trustlevel"), Some(&3_u64.into()));
    assert_eq!(sealed.get("args"), Some(&vec![Value::Bytes(b"b"[..].into())].into()));
    // What comes in kwargs alone keeps its place.
    assert_eq!(plain.get("args"), Some(&Value::List(Vec::new())));
    assert_eq!(plain.get("kwargs"), Some(&Dict::from_iter([("only", "kwargs")]).into()));
}

#[test]
fn evh_01_each_filter_does_what_it_says() {
    let mut past = Past::new();
    let topics = ["a.x", "a.y", "a.x", "a.y", "a.x"];
    let ids: Vec<u64> = (1..).zip(topics).map(|(n, topic)| past.publish(topic, "", &n.to_string())).collect();
    // The third was published at …28.448.
    let third = "2014-06-22T16:36:28.448Z";
    for (filter, expected) in [
        (String::new(), "12345"),
        (r#""reverse":true"#.to_owned(), "54321"),
        (r#""reverse":false,"limit":2"#.to_owned(), "12"),
        (r#""reverse":true,"limit":2"#.to_owned(), "54"),
        (format!(r#""from_time":"{third}""#), "345"),
        (format!(r#""after_time":"{third}""#), "45"),
        (format!(r#""before_time":"{third}""#), "12"),
        (format!(r#""until_time":"{third}""#), "123"),
        (r#""from_time":"2014-06-22T18:36:28.448+02:00""#.to_owned(), "345"),
        (r#""topic":"a.y""#.to_owned(), "24"),
        (format!(r#""from_publication":{}"#, ids[2]), "345"),
        (format!(r#""after_publication":{}"#, ids[2]), "45"),
        (format!(r#""before_publication":{}"#, ids[2]), "12"),
        (format!(r#""until_publication":{}"#, ids[2]), "123"),
        (format!(r#""until_publication":{},"topic":"a.x","reverse":true,"limit":null"#, ids[3]), "31"),
    ] {
        assert_eq!(past.texts(&filter).concat(), expected, "{filter}");
    }
    let limited = format!(r#""wamp.subscription.get_events",[{}],{{"limit":2}}"#, past.id);
    assert_eq!(past.ask(&limited).unwrap().1.get("is_limit_reached"), Some(&true.into()));
    for wrong in [
        r#""limit":0"#,
        r#""limit":"2""#,
        r#""reverse":1"#,
        r#""from_time":"yesterday""#,
        r#""until_time":5"#,
        r#""after_publication":0"#,
        r#""after_publication":1"#,
    ] {
        let call = format!(r#""wamp.subscription.get_events",[{}],{{{wrong}}}"#, past.id);
        assert_eq!(past.ask(&call), Err("wamp.error.invalid_argument".into()), "{wrong}");
    }
    let topic = format!(r#""wamp.subscription.get_events",[{}],{{"topic":"a b"}}"#, past.id);
    assert_eq!(past.ask(&topic), Err("wamp.error.invalid_uri".into()));
}

#[test]
fn evh_03_there_is_not_always_a_history() {
    let mut past = Past::new();
    assert_eq!(past.ask(r#""wamp.subscription.get_events",[999]"#), Err("wamp.error.no_such_subscription".into()));
    assert_eq!(past.ask(r#""wamp.subscription.get_events",[0]"#), Err("wamp.error.no_such_subscription".into()));
    assert_eq!(past.ask(r#""wamp.subscription.get_events""#), Err("wamp.error.invalid_argument".into()));
    past.world.send(past.publisher, r#"[32,1,{},"b.x"]"#);
    let Some(Message::Subscribed(other)) = past.world.messages(past.publisher).pop() else { panic!() };
    let call = format!(r#""wamp.subscription.get_events",[{}]"#, other.subscription);
    assert_eq!(past.ask(&call), Err("wamp.error.history_unavailable".into()));
    assert_eq!(past.ask(r#""wamp.subscription.lookup",["a.x"]"#).unwrap().0, [Value::Null]);
}

#[test]
fn evh_03_who_may_not_subscribe_may_not_look_back() {
    let guest = RoleConfig::new("guest")
        .allow(Permission::everywhere().call().publish())
        .allow(Permission::prefix("a.x").unwrap().subscribe());
    let realm = RealmConfig::new("realm1").unwrap().anonymous("guest").role(guest);
    let mut past = Past::of(remembering(realm), Format::Json);
    past.publish("a.x", "", "secret");
    let call = format!(r#""wamp.subscription.get_events",[{}]"#, past.id);
    assert_eq!(past.ask(&call), Err("wamp.error.not_authorized".into()));
}

#[test]
fn evh_03_the_lists_of_an_event_hold_for_its_past() {
    let realm = RealmConfig::new("realm1").unwrap().anonymous("guest");
    let mut past = Past::of(remembering(realm.user(User::ticket("joe", "x").role("admin"))), Format::Json);
    past.publish("a.x", r#","eligible_authrole":["admin"]"#, "for admins");
    past.publish("a.x", r#","exclude_authrole":["admin"]"#, "for others");
    assert_eq!(past.texts(""), ["for others"]);
    let roles = r#"{"caller":{}}"#;
    let joe = past.world.greet(&format!(r#"[1,"realm1",{{"roles":{roles},"authmethods":["ticket"],"authid":"joe"}}]"#));
    past.world.send(joe, r#"[5,"x",{}]"#);
    past.world.take(joe);
    (past.reader, past.requests[1]) = (joe, 0);
    assert_eq!(past.texts(""), ["for admins"]);
}
