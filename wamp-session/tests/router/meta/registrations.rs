//! Registrations: found and told of.

use core::time::Duration;

use wamp_session::proto::{Message, Value};

use super::{call, events, join, subscribe};
use crate::world::{World, config};

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
