//! The meta API of the router: RTR-10, and what section 13 of the checklist asks of a router.

use std::time::Duration;

use wamp_session::proto::{Format, Message, Uri, Value};
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
fn rtr_10_met_02_sessions_are_counted_listed_and_described() {
    let mut world = World::new(staffed());
    let (guest, guest_id) = join(&mut world, None);
    let (_, joe) = join(&mut world, Some("joe"));
    let (_, ann) = join(&mut world, Some("ann"));
    world.greet(r#"[1,"realm2",{"roles":{"caller":{}}}]"#);
    assert_eq!(call(&mut world, guest, 1, r#""wamp.session.count""#), "[3]");
    assert_eq!(call(&mut world, guest, 2, r#""wamp.session.count",[["admin"]]"#), "[2]");
    assert_eq!(call(&mut world, guest, 3, r#""wamp.session.count",[[]]"#), "[0]");
    assert_eq!(call(&mut world, guest, 4, r#""wamp.session.list""#), format!("[[{guest_id},{joe},{ann}]]"));
    assert_eq!(call(&mut world, guest, 5, r#""wamp.session.list",[["guest","nobody"]]"#), format!("[[{guest_id}]]"));
    assert_eq!(
        call(&mut world, guest, 6, &format!(r#""wamp.session.get",[{joe}]"#)),
        format!(
            r#"[{{"authid":"joe","authmethod":"ticket","authprovider":"static","authrole":"admin","session":{joe}}}]"#
        )
    );
    for (request, wrong) in
        [r#""wamp.session.count",["admin"]"#, r#""wamp.session.list",[[1]]"#, r#""wamp.session.get""#]
            .iter()
            .enumerate()
    {
        assert_eq!(call(&mut world, guest, 7 + request as u64, wrong), r#""wamp.error.invalid_argument""#, "{wrong}");
    }
    for (request, id) in [0, 1, 1_u64 << 60].iter().enumerate() {
        let get = format!(r#""wamp.session.get",[{id}]"#);
        assert_eq!(call(&mut world, guest, 10 + request as u64, &get), r#""wamp.error.no_such_session""#);
    }
}

#[test]
fn met_02_sessions_of_other_realms_are_none() {
    let mut world = World::new(config());
    let (one, one_id) = join(&mut world, None);
    let other = world.greet(&format!(r#"[1,"realm2",{{"roles":{ROLES}}}]"#));
    world.take(other);
    assert_eq!(call(&mut world, other, 1, r#""wamp.session.count""#), "[1]");
    let get = format!(r#""wamp.session.get",[{one_id}]"#);
    assert_eq!(call(&mut world, other, 2, &get), r#""wamp.error.no_such_session""#);
    let kill = format!(r#""wamp.session.kill",[{one_id}]"#);
    assert_eq!(call(&mut world, other, 3, &kill), r#""wamp.error.no_such_session""#);
    assert_eq!(call(&mut world, one, 1, r#""wamp.session.count""#), "[1]");
}

#[test]
fn rtr_10_met_04_a_session_is_killed_with_reason_and_message() {
    let mut world = World::new(config());
    let ((killer, killer_id), (one, one_id), (other, other_id)) =
        (join(&mut world, None), join(&mut world, None), join(&mut world, None));
    world.send(one, r#"[32,1,{},"com.example.topic"]"#);
    world.take(one);
    let own = format!(r#""wamp.session.kill",[{killer_id}]"#);
    assert_eq!(call(&mut world, killer, 1, &own), r#""wamp.error.no_such_session""#);
    let bad = format!(r#""wamp.session.kill",[{one_id}],{{"reason":"not a uri"}}"#);
    assert_eq!(call(&mut world, killer, 2, &bad), r#""wamp.error.invalid_uri""#);
    let empty = format!(r#""wamp.session.kill",[{one_id}],{{"reason":""}}"#);
    assert_eq!(call(&mut world, killer, 3, &empty), r#""wamp.error.invalid_uri""#);
    assert_eq!(world.tables(), [3, 1, 0, 0], "nobody is gone yet");

    let kill = format!(r#""wamp.session.kill",[{one_id}],{{"reason":"com.example.idle","message":"bye"}}"#);
    assert_eq!(call(&mut world, killer, 4, &kill), "");
    assert_eq!(world.one(one), r#"[6,{"message":"bye"},"com.example.idle"]"#);
    assert_eq!(world.tables(), [2, 0, 0, 0], "its subscription is gone with it");
    world.send(one, r#"[16,2,{},"com.example.topic"]"#);
    world.send(one, r#"[6,{},"wamp.close.goodbye_and_out"]"#);
    assert_eq!(world.close_code(one), Some(1000));
    assert_eq!(call(&mut world, killer, 5, &kill), r#""wamp.error.no_such_session""#);

    let plain = format!(r#""wamp.session.kill",[{other_id}]"#);
    assert_eq!(call(&mut world, killer, 6, &plain), "");
    assert_eq!(world.one(other), r#"[6,{},"wamp.close.killed"]"#);
}

#[test]
fn rtr_10_met_04_sessions_are_killed_by_authid_and_authrole() {
    let mut world = World::new(staffed());
    let (joe, _) = join(&mut world, Some("joe"));
    let (also_joe, also_joe_id) = join(&mut world, Some("joe"));
    let (ann, _) = join(&mut world, Some("ann"));
    let (guest, _) = join(&mut world, None);
    assert_eq!(call(&mut world, joe, 1, r#""wamp.session.kill_by_authid",["joe"]"#), format!("[[{also_joe_id}]]"));
    assert_eq!(world.one(also_joe), r#"[6,{},"wamp.close.killed"]"#);
    assert_eq!(call(&mut world, joe, 2, r#""wamp.session.kill_by_authid",["nobody"]"#), "[[]]");
    assert_eq!(call(&mut world, joe, 3, r#""wamp.session.kill_by_authrole",["admin"],{"message":"x"}"#), "[1]");
    assert_eq!(world.one(ann), r#"[6,{"message":"x"},"wamp.close.killed"]"#);
    assert_eq!(world.take(guest), [""; 0]);
    assert_eq!(
        call(&mut world, joe, 4, r#""wamp.session.kill_by_authrole",["guest"],{"reason":1}"#),
        r#""wamp.error.invalid_uri""#
    );
    assert_eq!(call(&mut world, joe, 5, r#""wamp.session.kill_by_authrole""#), r#""wamp.error.invalid_argument""#);
}

#[test]
fn rtr_10_met_04_kill_all_spares_the_caller_and_is_no_session_event() {
    let mut world = World::new(config());
    let ((killer, _), (one, one_id)) = (join(&mut world, None), join(&mut world, None));
    let (other, _) = join(&mut world, None);
    subscribe(&mut world, killer, 1, "wamp.session.on_leave");
    let deletes = subscribe(&mut world, killer, 2, "wamp.subscription.on_delete");
    let topic = subscribe(&mut world, one, 1, "com.example.topic");
    subscribe(&mut world, one, 2, "wamp.session.on_leave");
    subscribe(&mut world, other, 1, "wamp.session.on_leave");
    call(&mut world, other, 2, r#""wamp.session.add_testament",["com.example.gone"]"#);
    subscribe(&mut world, killer, 3, "com.example.gone");
    world.send(killer, r#"[48,4,{},"wamp.session.kill_all",[],{"reason":"com.example.over"}]"#);
    assert_eq!(world.one(one), r#"[6,{},"com.example.over"]"#);
    assert_eq!(world.one(other), r#"[6,{},"com.example.over"]"#);
    let messages = world.messages(killer);
    // What ended with them is told, they themselves and their testaments are not.
    let [Message::Event(end), result] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!((end.subscription.get(), end.payload.args()), (deletes, Ok((one_id, topic))));
    assert!(matches!(result, Message::Result(result) if result.payload.arg(0) == Ok(2)), "{result:?}");
    assert_eq!(world.tables(), [1, 3, 0, 0]);
    assert_eq!(call(&mut world, killer, 5, r#""wamp.session.kill_all""#), "[0]");
    assert_eq!(world.take(killer), [""; 0], "nothing comes late");
}

#[test]
fn rtr_10_nothing_follows_the_goodbye_of_a_session_that_is_killed() {
    let mut world = World::new(config());
    let ((killer, _), (callee, _), (caller, _)) =
        (join(&mut world, None), join(&mut world, None), join(&mut world, None));
    world.send(callee, r#"[64,1,{},"com.example.slow"]"#);
    world.send(caller, r#"[48,1,{},"com.example.slow"]"#);
    world.take(callee);
    assert_eq!(call(&mut world, killer, 1, r#""wamp.session.kill_all""#), "[2]");
    for peer in [callee, caller] {
        assert_eq!(world.one(peer), r#"[6,{},"wamp.close.killed"]"#);
    }
    assert_eq!(world.tables(), [1, 0, 0, 0]);
}

#[test]
fn rtr_10_met_05_sessions_that_join_and_leave_are_told() {
    let mut world = World::new(staffed());
    let (watcher, _) = join(&mut world, None);
    let joins = subscribe(&mut world, watcher, 1, "wamp.session.on_join");
    let leaves = subscribe(&mut world, watcher, 2, "wamp.session.on_leave");
    let (joe, id) = join(&mut world, Some("joe"));
    let told = world.one(watcher);
    assert!(told.starts_with(&format!("[36,{joins},")), "{told}");
    let details = format!(
        r#"[{{"authid":"joe","authmethod":"ticket","authprovider":"static","authrole":"admin","session":{id}}}]"#
    );
    assert!(told.ends_with(&format!(",{details}]")), "{told}");
    // GOODBYE, a lost transport, a violation, a kill: a session leaves once.
    world.send(joe, r#"[6,{},"wamp.close.close_realm"]"#);
    world.router.handle_closed(world.now, joe);
    let (lost, lost_id) = join(&mut world, Some("ann"));
    world.router.handle_closed(world.now, lost);
    let (violator, violator_id) = join(&mut world, Some("ann"));
    world.send(violator, "[]");
    let (killed, killed_id) = join(&mut world, Some("ann"));
    world.router.close(world.now, killed, Uri::new("wamp.close.killed").unwrap());
    world.send(killed, r#"[6,{},"wamp.close.goodbye_and_out"]"#);
    let left: Vec<_> = events(&mut world, watcher).into_iter().filter(|(id, _)| *id == leaves).collect();
    let expected = |id: u64, authid: &str| (leaves, vec![Value::from(id), authid.into(), "admin".into()]);
    let expected =
        [expected(id, "joe"), expected(lost_id, "ann"), expected(violator_id, "ann"), expected(killed_id, "ann")];
    assert_eq!(left, expected);
}

#[test]
fn met_05_events_stay_in_their_realm() {
    let mut world = World::new(config());
    let (watcher, _) = join(&mut world, None);
    subscribe(&mut world, watcher, 1, "wamp.session.on_join");
    world.greet(r#"[1,"realm2",{"roles":{"caller":{}}}]"#);
    assert_eq!(world.take(watcher), [""; 0]);
}

#[test]
fn rtr_10_met_07_subscriptions_are_found_and_described() {
    let mut world = World::new(config());
    world.advance(Duration::from_secs(2));
    let ((one, one_id), (other, other_id)) = (join(&mut world, None), join(&mut world, None));
    let exact = subscribe(&mut world, one, 1, "com.example.tick");
    world.send(other, r#"[32,1,{},"com.example.tick"]"#);
    world.send(other, r#"[32,2,{"match":"prefix"},"com.example."]"#);
    world.send(other, r#"[32,3,{"match":"wildcard"},"com..tick"]"#);
    world.take(other);
    let (prefix, wildcard) = (exact + 1, exact + 2);

    let lists = format!(r#"[{{"exact":[{exact}],"prefix":[{prefix}],"wildcard":[{wildcard}]}}]"#);
    assert_eq!(call(&mut world, one, 2, r#""wamp.subscription.list""#), lists);
    for (request, (lookup, found)) in [
        (r#""com.example.tick""#, exact),
        (r#""com.example.tick",{"match":"exact"}"#, exact),
        (r#""com.example.",{"match":"prefix"}"#, prefix),
        (r#""com..tick",{"match":"wildcard"}"#, wildcard),
    ]
    .iter()
    .enumerate()
    {
        let lookup = format!(r#""wamp.subscription.lookup",[{lookup}]"#);
        assert_eq!(call(&mut world, one, 3 + request as u64, &lookup), format!("[{found}]"), "{lookup}");
    }
    let matching = |world: &mut World, request, topic| {
        call(world, one, request, &format!(r#""wamp.subscription.match",["{topic}"]"#))
    };
    assert_eq!(matching(&mut world, 7, "com.example.tick"), format!("[[{exact},{prefix},{wildcard}]]"));
    assert_eq!(matching(&mut world, 8, "com.example.tock"), format!("[[{prefix}]]"));
    assert_eq!(matching(&mut world, 9, "org.example.tick"), "[null]");
    let miss = r#""wamp.subscription.lookup",["com.example.tick",{"match":"prefix"}]"#;
    assert_eq!(call(&mut world, one, 10, miss), "[null]");

    let get = format!(r#""wamp.subscription.get",[{prefix}]"#);
    let details =
        format!(r#"[{{"created":"2014-06-22T16:36:27.448Z","id":{prefix},"match":"prefix","uri":"com.example."}}]"#);
    assert_eq!(call(&mut world, one, 11, &get), details);
    let list = format!(r#""wamp.subscription.list_subscribers",[{exact}]"#);
    assert_eq!(call(&mut world, one, 12, &list), format!("[[{one_id},{other_id}]]"));
    let count = format!(r#""wamp.subscription.count_subscribers",[{exact}]"#);
    assert_eq!(call(&mut world, one, 13, &count), "[2]");
    for (request, procedure) in ["get", "list_subscribers", "count_subscribers"].iter().enumerate() {
        for (n, id) in [0, 999].iter().enumerate() {
            let call_it = format!(r#""wamp.subscription.{procedure}",[{id}]"#);
            let request = 14 + 2 * request as u64 + n as u64;
            assert_eq!(call(&mut world, one, request, &call_it), r#""wamp.error.no_such_subscription""#);
        }
    }
    assert_eq!(call(&mut world, one, 20, r#""wamp.subscription.match",["a..b"]"#), r#""wamp.error.invalid_uri""#);
    assert_eq!(call(&mut world, one, 21, r#""wamp.subscription.lookup",["a",5]"#), r#""wamp.error.invalid_argument""#);
}

#[test]
fn rtr_10_met_07_subscriptions_that_come_and_go_are_told_in_order() {
    let mut world = World::new(config());
    let (watcher, _) = join(&mut world, None);
    let topics = ["on_create", "on_subscribe", "on_unsubscribe", "on_delete"];
    let mut request = 0;
    let [created, added, removed, deleted] = topics.map(|topic| {
        request += 1;
        subscribe(&mut world, watcher, request, &format!("wamp.subscription.{topic}"))
    });
    assert_eq!(world.take(watcher), [""; 0], "the API does not tell of its own topics");

    let ((one, one_id), (other, other_id)) = (join(&mut world, None), join(&mut world, None));
    let id = subscribe(&mut world, one, 1, "com.example.tick");
    let told = events(&mut world, watcher);
    assert_eq!(told.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [created, added]);
    assert_eq!(told[0].1[0], one_id.into());
    let details = told[0].1[1].as_dict().unwrap();
    assert_eq!(details.get("id"), Some(&id.into()));
    assert_eq!(details.get("uri"), Some(&"com.example.tick".into()));
    assert_eq!(details.get("match"), Some(&"exact".into()));
    assert_eq!(details.get("created"), Some(&"2014-06-22T16:36:25.448Z".into()));
    assert_eq!(told[1].1, [one_id, id].map(Value::from));

    subscribe(&mut world, other, 1, "com.example.tick");
    world.send(other, r#"[32,2,{},"com.example.tick"]"#);
    assert_eq!(events(&mut world, watcher), [(added, [other_id, id].map(Value::from).to_vec())], "added once");
    world.send(one, &format!("[34,2,{id}]"));
    assert_eq!(events(&mut world, watcher), [(removed, [one_id, id].map(Value::from).to_vec())]);
    world.router.handle_closed(world.now, other);
    let last = [other_id, id].map(Value::from).to_vec();
    assert_eq!(events(&mut world, watcher), [(removed, last.clone()), (deleted, last)]);
}

#[test]
fn rtr_10_met_06_registrations_are_found_and_described() {
    let mut world = World::new(config());
    world.advance(Duration::from_secs(2));
    let ((one, one_id), (other, other_id)) = (join(&mut world, None), join(&mut world, None));
    world.send(one, r#"[64,1,{"invoke":"roundrobin"},"com.example.add"]"#);
    world.send(other, r#"[64,1,{"invoke":"roundrobin"},"com.example.add"]"#);
    world.send(other, r#"[64,2,{"match":"prefix"},"com.example."]"#);
    world.send(other, r#"[64,3,{"match":"wildcard"},"com..sub"]"#);
    world.take(one);
    let registered = world.messages(other).into_iter();
    let id =
        |message| if let Message::Registered(it) = message { it.registration.get() } else { panic!("{message:?}") };
    let ids: Vec<u64> = registered.map(id).collect();
    let [exact, prefix, wildcard] = ids[..] else { panic!("{ids:?}") };

    let lists = format!(r#"[{{"exact":[{exact}],"prefix":[{prefix}],"wildcard":[{wildcard}]}}]"#);
    assert_eq!(call(&mut world, one, 2, r#""wamp.registration.list""#), lists);
    for (request, (call_it, found)) in [
        (r#"lookup",["com.example.add"]"#, exact.to_string()),
        (r#"lookup",["com.example.add",{"invoke":"single"}]"#, exact.to_string()),
        (r#"lookup",["com.example.",{"match":"prefix"}]"#, prefix.to_string()),
        (r#"lookup",["com..sub",{"match":"wildcard"}]"#, wildcard.to_string()),
        (r#"lookup",["com.example.add",{"match":"prefix"}]"#, "null".to_owned()),
        (r#"match",["com.example.add"]"#, exact.to_string()),
        (r#"match",["com.example.other"]"#, prefix.to_string()),
        (r#"match",["com.other.sub"]"#, wildcard.to_string()),
        (r#"match",["org.example.add"]"#, "null".to_owned()),
        (r#"match",["wamp.session.count"]"#, "null".to_owned()),
    ]
    .iter()
    .enumerate()
    {
        let answer = call(&mut world, one, 3 + request as u64, &format!(r#""wamp.registration.{call_it}"#));
        assert_eq!(answer, format!("[{found}]"), "{call_it}");
    }
    let get = format!(r#""wamp.registration.get",[{exact}]"#);
    let details = format!(
        r#"[{{"created":"2014-06-22T16:36:27.448Z","id":{exact},"invoke":"roundrobin","match":"exact","uri":"com.example.add"}}]"#
    );
    assert_eq!(call(&mut world, one, 13, &get), details);
    let list = format!(r#""wamp.registration.list_callees",[{exact}]"#);
    assert_eq!(call(&mut world, one, 14, &list), format!("[[{one_id},{other_id}]]"));
    let count = format!(r#""wamp.registration.count_callees",[{exact}]"#);
    assert_eq!(call(&mut world, one, 15, &count), "[2]");
    for (request, procedure) in ["get", "list_callees", "count_callees"].iter().enumerate() {
        let unknown = format!(r#""wamp.registration.{procedure}",[999]"#);
        assert_eq!(call(&mut world, one, 16 + request as u64, &unknown), r#""wamp.error.no_such_registration""#);
    }
}

#[test]
fn rtr_10_met_06_registrations_that_come_and_go_are_told_in_order() {
    let mut world = World::new(config());
    let (watcher, _) = join(&mut world, None);
    let mut request = 0;
    let [created, added, removed, deleted] = ["on_create", "on_register", "on_unregister", "on_delete"].map(|topic| {
        request += 1;
        subscribe(&mut world, watcher, request, &format!("wamp.registration.{topic}"))
    });
    let ((one, one_id), (other, other_id)) = (join(&mut world, None), join(&mut world, None));
    world.send(one, r#"[64,1,{"invoke":"first"},"com.example.add"]"#);
    let Some(Message::Registered(registered)) = world.messages(one).pop() else { panic!("not registered") };
    let id = registered.registration.get();
    let told = events(&mut world, watcher);
    assert_eq!(told.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [created, added]);
    assert_eq!(told[0].1[0], one_id.into());
    let details = told[0].1[1].as_dict().unwrap();
    assert_eq!((details.get("id"), details.get("invoke")), (Some(&id.into()), Some(&"first".into())));
    assert_eq!(told[1].1, [one_id, id].map(Value::from));
    let pair = |session: u64| [session, id].map(Value::from).to_vec();

    world.send(other, r#"[64,1,{"invoke":"first"},"com.example.add"]"#);
    assert_eq!(events(&mut world, watcher), [(added, pair(other_id))]);
    world.send(one, &format!("[66,2,{id}]"));
    assert_eq!(events(&mut world, watcher), [(removed, pair(one_id))]);
    world.router.handle_closed(world.now, other);
    assert_eq!(events(&mut world, watcher), [(removed, pair(other_id)), (deleted, pair(other_id))]);
}

#[test]
fn met_06_what_the_router_ends_is_told_as_well() {
    let mut world = World::new(config());
    let (watcher, _) = join(&mut world, None);
    let deleted = subscribe(&mut world, watcher, 1, "wamp.registration.on_delete");
    let (callee, callee_id) = join(&mut world, None);
    world.send(callee, r#"[64,1,{},"com.example.add"]"#);
    let Some(Message::Registered(registered)) = world.messages(callee).pop() else { panic!("not registered") };
    let id = registered.registration;
    assert!(world.router.revoke_registration(world.now, "realm1", id, None));
    assert_eq!(events(&mut world, watcher), [(deleted, [callee_id, id.get()].map(Value::from).to_vec())]);
    // Somebody takes the procedure away.
    world.send(callee, r#"[64,2,{},"com.example.add"]"#);
    let (thief, _) = join(&mut world, None);
    world.send(thief, r#"[64,1,{"force_reregister":true},"com.example.add"]"#);
    let told = events(&mut world, watcher);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].1[0], callee_id.into());
}

#[test]
fn tst_01_testaments_are_published_when_a_session_is_over() {
    let mut world = World::new(staffed());
    let (heir, _) = join(&mut world, Some("joe"));
    let topic = subscribe(&mut world, heir, 1, "com.example.gone");
    let (dying, _) = join(&mut world, None);
    let add = |world: &mut World, request, rest: &str| {
        call(world, dying, request, &format!(r#""wamp.session.add_testament",["com.example.gone",{rest}"#))
    };
    assert_eq!(add(&mut world, 1, r#"["one",1],{"k":true}]"#), "");
    assert_eq!(add(&mut world, 2, r#"["two"],{}],{"scope":"detached"}"#), "");
    assert_eq!(add(&mut world, 3, r#"["three"],{}],{"scope":"destroyed"}"#), "");
    assert_eq!(
        add(&mut world, 4, r#"["four"],{}],{"publish_options":{"eligible_authrole":["guest"],"acknowledge":true}}"#),
        ""
    );
    assert_eq!(add(&mut world, 5, r#"null,null],{"scope":null,"publish_options":null}"#), "");
    assert_eq!(world.take(heir), [""; 0], "not yet");
    world.router.handle_closed(world.now, dying);
    let published = world.take(heir);
    let payloads: Vec<&str> = published
        .iter()
        .map(|event| {
            let event = event.strip_prefix(&format!("[36,{topic},")).unwrap();
            event.split_once(",{}").unwrap().1
        })
        .collect();
    // Those of the detached scope come first, and the lists of the options hold.
    assert_eq!(payloads, [r#",["two"]]"#, r#",["one",1],{"k":true}]"#, r#",["three"]]"#, "]"]);
}

#[test]
fn tst_02_testaments_are_taken_back_by_scope() {
    let mut world = World::new(config());
    let (heir, _) = join(&mut world, None);
    subscribe(&mut world, heir, 1, "com.example.gone");
    for (scope, left) in
        [("", "detached"), (r#",[],{"scope":"destroyed"}"#, "detached"), (r#",[],{"scope":"detached"}"#, "destroyed")]
    {
        let (dying, _) = join(&mut world, None);
        for (request, scope) in [(1, "detached"), (2, "destroyed")] {
            let add =
                format!(r#""wamp.session.add_testament",["com.example.gone",["{scope}"],{{}}],{{"scope":"{scope}"}}"#);
            assert_eq!(call(&mut world, dying, request, &add), "");
        }
        assert_eq!(call(&mut world, dying, 3, &format!(r#""wamp.session.flush_testaments"{scope}"#)), "");
        world.send(dying, r#"[6,{},"wamp.close.close_realm"]"#);
        let published: Vec<_> = events(&mut world, heir).into_iter().map(|(_, args)| args).collect();
        assert_eq!(published, [[Value::from(left)]]);
    }
    let wrong = call(&mut world, heir, 2, r#""wamp.session.flush_testaments",[],{"scope":"forever"}"#);
    assert_eq!(wrong, r#""wamp.error.invalid_argument""#);
}

#[test]
fn tst_01_testaments_are_checked_when_they_are_added() {
    let guest = RoleConfig::new("guest")
        .allow(Permission::prefix("wamp.session.").unwrap().call())
        .allow(Permission::prefix("com.example.").unwrap().publish());
    let realm = RealmConfig::new("realm1").unwrap().anonymous("guest").role(guest);
    let mut world = World::new(config().realm(realm));
    let (peer, _) = join(&mut world, None);
    for (request, (arguments, error)) in [
        (r#"["org.example.gone",[],{}]"#, "not_authorized"),
        (r#"["not a topic",[],{}]"#, "invalid_uri"),
        (r#"["com.example.gone","x",{}]"#, "invalid_argument"),
        (r#"["com.example.gone",[],[]]"#, "invalid_argument"),
        (r#"[5]"#, "invalid_argument"),
        (r#"[]"#, "invalid_argument"),
        (r#"["com.example.gone",[],{}],{"scope":"forever"}"#, "invalid_argument"),
        (r#"["com.example.gone",[],{}],{"publish_options":{"exclude_me":1}}"#, "invalid_argument"),
        (r#"["com.example.gone",[],{}],{"publish_options":7}"#, "invalid_argument"),
        (r#"["com.example.gone",[],{}],{"publish_options":{"ppt_scheme":"x_my"}}"#, "option_not_allowed"),
    ]
    .iter()
    .enumerate()
    {
        let add = format!(r#""wamp.session.add_testament",{arguments}"#);
        let answer = call(&mut world, peer, 1 + request as u64, &add);
        assert_eq!(answer, format!(r#""wamp.error.{error}""#), "{arguments}");
    }
    let mut world = World::new(config());
    let (peer, _) = join(&mut world, None);
    let reserved = call(&mut world, peer, 1, r#""wamp.session.add_testament",["wamp.session.on_join",[],{}]"#);
    assert_eq!(reserved, r#""wamp.error.invalid_uri""#);
}

#[test]
fn testaments_are_bounded_by_number_and_by_bytes() {
    let add = r#""wamp.session.add_testament",["com.example.gone",["0123456789"],{}]"#;
    let (unavailable, limits) = (r#""wamp.error.unavailable""#, RouterLimits::new());
    let mut world = World::new(config().limits(limits.max_testaments(2)));
    let (peer, _) = join(&mut world, None);
    assert_eq!(call(&mut world, peer, 1, add), "");
    assert_eq!(call(&mut world, peer, 2, &add.replace("{}]", r#"{}],{"scope":"detached"}"#)), "");
    assert_eq!(call(&mut world, peer, 3, add), unavailable);
    assert_eq!(call(&mut world, peer, 4, r#""wamp.session.flush_testaments""#), "");
    assert_eq!(call(&mut world, peer, 5, add), "");

    let mut world = World::new(config().limits(limits.max_testament_bytes(100)));
    let (peer, _) = join(&mut world, None);
    assert_eq!(call(&mut world, peer, 1, add), "");
    assert_eq!(call(&mut world, peer, 2, add), "");
    assert_eq!(call(&mut world, peer, 3, add), unavailable);
}

#[test]
fn testaments_are_not_retained_beyond_the_limit() {
    let mut world = World::new(config().limits(RouterLimits::new().max_retained(1)));
    let ((publisher, _), (dying, _)) = (join(&mut world, None), join(&mut world, None));
    world.send(publisher, r#"[16,1,{"retain":true},"com.example.other"]"#);
    let add = r#""wamp.session.add_testament",["com.example.gone",[],{}],{"publish_options":{"retain":true}}"#;
    assert_eq!(call(&mut world, dying, 1, add), "");
    world.send(publisher, r#"[32,2,{},"com.example.gone"]"#);
    world.take(publisher);
    world.router.handle_closed(world.now, dying);
    assert_eq!(events(&mut world, publisher).len(), 1, "it is published all the same");
    let (late, _) = join(&mut world, None);
    world.send(late, r#"[32,1,{"get_retained":true},"com.example.gone"]"#);
    assert!(world.one(late).starts_with("[33,"));
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

#[test]
fn tst_01_testaments_may_be_retained() {
    let mut world = World::new(config());
    let ((heir, _), (dying, _)) = (join(&mut world, None), join(&mut world, None));
    let add = r#""wamp.session.add_testament",["com.example.gone",["kept"],{}],{"publish_options":{"retain":true,"disclose_me":true}}"#;
    assert_eq!(call(&mut world, dying, 1, add), "");
    world.router.handle_closed(world.now, dying);
    world.send(heir, r#"[32,1,{"get_retained":true},"com.example.gone"]"#);
    let retained = &world.take(heir)[1];
    assert!(retained.contains(r#""retained":true"#) && retained.ends_with(r#",["kept"]]"#), "{retained}");
    assert!(retained.contains(r#""publisher_authrole":"guest""#), "{retained}");
}
