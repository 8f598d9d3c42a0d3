//! The meta API of the router: RTR-10, and what section 13 of the checklist asks of a router.

mod registrations;
mod sessions;
mod subscriptions;
mod testaments;

use wamp_session::proto::{Format, Message, Value};
use wamp_session::router::{PeerId, Permission, RealmConfig, RoleConfig, RouterConfig, RouterLimits, User};

use crate::world::{World, config};

const ROLES: &str = r#"{"caller":{},"callee":{},"publisher":{},"subscriber":{}}"#;

/// A realm with guests and two administrators.
fn staffed() -> RouterConfig {
    let realm = RealmConfig::new("realm1").unwrap().anonymous("guest");
    config().realm(
        realm.user(User::ticket("joe", "t1ck3t").role("admin")).user(User::ticket("ann", "t1ck3t").role("admin")),
    )
}

/// A client and its session.
fn join(world: &mut World, authid: Option<&str>) -> (PeerId, u64) {
    let auth = authid.map_or(String::new(), |authid| format!(r#","authmethods":["ticket"],"authid":"{authid}""#));
    let peer = world.greet(&format!(r#"[1,"realm1",{{"roles":{ROLES}{auth}}}]"#));
    if authid.is_some() {
        world.send(peer, r#"[5,"t1ck3t",{}]"#);
    }
    let Some(Message::Welcome(welcome)) = world.messages(peer).pop() else { panic!("not welcome") };
    (peer, welcome.session.get())
}

/// The request that a client sends next, from 1 on, is the test's to count.
fn call(world: &mut World, peer: PeerId, request: u64, call: &str) -> String {
    world.send(peer, &format!("[48,{request},{{}},{call}]"));
    let received = world.take(peer);
    let answer = received.iter().find(|message| message.starts_with("[50,") || message.starts_with("[8,48,"));
    let answer = answer.unwrap_or_else(|| panic!("no answer to {call}: {received:?}"));
    let result = answer.strip_prefix(&format!("[50,{request},{{}}"));
    match result {
        Some(rest) => rest.strip_prefix(',').unwrap_or(rest).strip_suffix(']').unwrap().to_owned(),
        None => answer.strip_prefix(&format!("[8,48,{request},{{}},")).unwrap().strip_suffix(']').unwrap().to_owned(),
    }
}

/// The arguments of the events that a client has received, with their subscriptions.
fn events(world: &mut World, peer: PeerId) -> Vec<(u64, Vec<Value>)> {
    let messages = world.messages(peer).into_iter();
    let event = |message| match message {
        Message::Event(event) => Some((event.subscription.get(), event.payload.args().unwrap())),
        _ => None,
    };
    messages.filter_map(event).collect()
}

fn subscribe(world: &mut World, peer: PeerId, request: u64, topic: &str) -> u64 {
    world.send(peer, &format!(r#"[32,{request},{{}},"{topic}"]"#));
    let Some(Message::Subscribed(subscribed)) = world.messages(peer).pop() else { panic!("not subscribed") };
    subscribed.subscription.get()
}

#[test]
fn meta_procedures_are_the_routers_own() {
    let mut world = World::new(config());
    let ((one, _), (other, _)) = (join(&mut world, None), join(&mut world, None));
    world.send(other, r#"[64,1,{},"wamp.session.count"]"#);
    assert_eq!(world.one(other), r#"[8,64,1,{},"wamp.error.invalid_uri"]"#);
    for (request, unknown) in ["wamp.session.nothing", "wamp.reflection.topic.list", "wamp"].iter().enumerate() {
        let answer = call(&mut world, one, 1 + request as u64, &format!(r#""{unknown}""#));
        assert_eq!(answer, r#""wamp.error.no_such_procedure""#);
    }
    assert_eq!(world.router.pending_invocations("realm1"), 0);
}

#[test]
fn meta_procedures_need_permission_like_others() {
    let guest = RoleConfig::new("guest").allow(Permission::exact("wamp.session.count").unwrap().call());
    let realm = RealmConfig::new("realm1").unwrap().anonymous("guest").role(guest);
    let mut world = World::new(config().realm(realm));
    let ((one, _), (_, victim)) = (join(&mut world, None), join(&mut world, None));
    assert_eq!(call(&mut world, one, 1, r#""wamp.session.count""#), "[2]");
    let kill = format!(r#""wamp.session.kill",[{victim}]"#);
    assert_eq!(call(&mut world, one, 2, &kill), r#""wamp.error.not_authorized""#);
    world.send(one, r#"[32,3,{},"wamp.session.on_join"]"#);
    assert_eq!(world.one(one), r#"[8,32,3,{},"wamp.error.not_authorized"]"#);
    assert_eq!(world.tables()[0], 2);
}

#[test]
fn every_format_gets_the_same_meta_api() {
    for format in Format::ALL {
        let mut world = World::new(config());
        let peer = world.join(*format);
        world.send(peer, r#"[32,1,{},"wamp.session.on_join"]"#);
        world.send(peer, r#"[48,2,{},"wamp.session.count"]"#);
        join(&mut world, None);
        let received = world.take(peer);
        assert_eq!(received[1], "[50,2,{},[1]]");
        assert!(received[2].contains(r#""authmethod":"anonymous""#), "{received:?}");
    }
}

#[test]
fn a_subscriber_that_does_not_read_falls_when_it_is_told() {
    let mut world = World::new(config().limits(RouterLimits::new().max_outbound_bytes(2000)));
    let (deaf, deaf_id) = join(&mut world, None);
    subscribe(&mut world, deaf, 1, "wamp.session.on_join");
    let (watcher, _) = join(&mut world, None);
    subscribe(&mut world, watcher, 1, "wamp.session.on_leave");
    // What waits for it is not taken.
    world.drain();
    world.router.handle_blocked(world.now, deaf);
    let mut told = Vec::new();
    for _ in 0..40 {
        join(&mut world, None);
        told.extend(events(&mut world, watcher));
    }
    assert_eq!(told.len(), 1, "it has left, once");
    assert_eq!(told[0].1[0], deaf_id.into());
}

#[test]
fn patterns_match_meta_topics_only_if_they_are_meant() {
    let mut world = World::new(config());
    let ((everything, _), (meta, _)) = (join(&mut world, None), join(&mut world, None));
    world.send(everything, r#"[32,1,{"match":"prefix"},""]"#);
    world.send(everything, r#"[32,2,{"match":"wildcard"},".."]"#);
    world.send(meta, r#"[32,1,{"match":"prefix"},"wamp.session."]"#);
    world.send(meta, r#"[32,2,{"match":"wildcard"},"wamp.session."]"#);
    world.take(everything);
    world.take(meta);
    join(&mut world, None);
    assert_eq!(world.take(everything), [""; 0]);
    let told = world.take(meta);
    assert_eq!(told.len(), 2);
    assert!(told[0].contains(r#"{"topic":"wamp.session.on_join"}"#), "{told:?}");
}
