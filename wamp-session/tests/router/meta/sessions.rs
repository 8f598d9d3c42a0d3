//! Sessions: counted, listed, killed and told of.

use wamp_session::proto::{Message, Uri, Value};

use super::{ROLES, call, events, join, staffed, subscribe};
use crate::world::{World, config};

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
fn id_15_whole_floats_are_ids_in_arguments() {
    let mut world = World::new(config());
    let (one, one_id) = join(&mut world, None);
    let subscription = subscribe(&mut world, one, 1, "com.example.topic");
    let float = |id: u64| format!("{id}.0");
    let found = call(&mut world, one, 2, &format!(r#""wamp.session.get",[{}]"#, float(one_id)));
    assert!(found.contains(&format!(r#""session":{one_id}"#)), "{found}");
    let subscribers = format!(r#""wamp.subscription.list_subscribers",[{}]"#, float(subscription));
    assert_eq!(call(&mut world, one, 3, &subscribers), format!("[[{one_id}]]"));
    for (request, no_id) in ["1.5", "-1.0", "1e300"].iter().enumerate() {
        let wrong = call(&mut world, one, 4 + request as u64, &format!(r#""wamp.session.get",[{no_id}]"#));
        assert_eq!(wrong, r#""wamp.error.invalid_argument""#, "{no_id}");
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
    let message = format!(r#""wamp.session.kill",[{one_id}],{{"message":5}}"#);
    assert_eq!(call(&mut world, killer, 4, &message), r#""wamp.error.invalid_argument""#);
    assert_eq!(world.tables(), [3, 1, 0, 0], "nobody is gone yet");

    let kill = format!(r#""wamp.session.kill",[{one_id}],{{"reason":"com.example.idle","message":"bye"}}"#);
    assert_eq!(call(&mut world, killer, 5, &kill), "");
    assert_eq!(world.one(one), r#"[6,{"message":"bye"},"com.example.idle"]"#);
    assert_eq!(world.tables(), [2, 0, 0, 0], "its subscription is gone with it");
    world.send(one, r#"[16,2,{},"com.example.topic"]"#);
    world.send(one, r#"[6,{},"wamp.close.goodbye_and_out"]"#);
    assert_eq!(world.close_code(one), Some(1000));
    assert_eq!(call(&mut world, killer, 6, &kill), r#""wamp.error.no_such_session""#);

    let plain = format!(r#""wamp.session.kill",[{other_id}]"#);
    assert_eq!(call(&mut world, killer, 7, &plain), "");
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
