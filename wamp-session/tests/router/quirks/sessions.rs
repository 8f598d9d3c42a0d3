//! How sessions begin and end.

use std::time::Duration;

use wamp_session::router::{Quirks, RealmConfig, User};

use super::{HELLO, callee, join, quirky, world};
use crate::world::World;

/// A router with users, two of them under the same name.
fn guarded(quirks: Quirks) -> World {
    let realm = RealmConfig::new("realm1").unwrap().anonymous("guest");
    World::new(quirky(quirks, realm.user(User::ticket("joe", "right")).user(User::wampcra("peter", "secret1"))))
}

/// What the router says to a HELLO with these methods and authid.
fn hello(quirks: Quirks, methods: &str, authid: &str) -> String {
    let mut world = guarded(quirks);
    let peer = world
        .greet(&format!(r#"[1,"realm1",{{"roles":{{"caller":{{}}}},"authmethods":[{methods}],"authid":"{authid}"}}]"#));
    world.one(peer)
}

#[test]
fn rtr_14_failed_authentication_has_an_error_of_each_router() {
    let none = Quirks::none();
    for (quirks, denied, unmatched) in [
        (none, "authentication_denied", "no_matching_auth_method"),
        (none.refuse_as_not_authorized(), "not_authorized", "no_auth_method"),
        (none.refuse_as_failed(), "authentication_failed", "authentication_failed"),
    ] {
        let mut world = guarded(quirks);
        let peer = world.greet(r#"[1,"realm1",{"roles":{"caller":{}},"authmethods":["ticket"],"authid":"joe"}]"#);
        world.take(peer);
        world.send(peer, r#"[5,"wrong",{}]"#);
        let abort = world.one(peer);
        assert!(
            abort.starts_with(r#"[3,{"message":"#) && abort.ends_with(&format!(r#""wamp.error.{denied}"]"#)),
            "{abort}"
        );
        let abort = hello(quirks, r#""cryptosign""#, "joe");
        assert!(abort.ends_with(&format!(r#""wamp.error.{unmatched}"]"#)), "{abort}");
    }
}

#[test]
fn rtr_14_who_is_no_user_may_be_refused_without_a_challenge() {
    let challenge = hello(Quirks::none(), r#""ticket""#, "nobody");
    assert_eq!(challenge, r#"[4,"ticket",{}]"#);
    let abort = hello(Quirks::none().refuse_unknown_users(), r#""ticket""#, "nobody");
    assert!(abort.ends_with(r#""wamp.error.authentication_denied"]"#), "{abort}");
    assert_eq!(hello(Quirks::none().refuse_unknown_users(), r#""ticket""#, "joe"), r#"[4,"ticket",{}]"#);
}

#[test]
fn rtr_14_a_method_that_is_unknown_may_spoil_those_behind_it() {
    let quirks = Quirks::none().refuse_unknown_methods();
    let refused = |methods| hello(quirks, methods, "joe").starts_with("[3,");
    assert!(refused(r#""wamp-scram","ticket""#));
    assert!(!refused(r#""scram","ticket""#), "one that it does not have is passed over");
    assert!(!refused(r#""ticket","wamp-scram""#), "the first that it has decides");
    assert!(!refused(r#""anonymous","wamp-scram""#));
    assert_eq!(hello(Quirks::none(), r#""wamp-scram","ticket""#, "joe"), r#"[4,"ticket",{}]"#);
}

#[test]
fn rtr_14_abort_may_say_why_in_another_attribute() {
    let mut world = world(Quirks::none().error_in_abort());
    let peer = join(&mut world);
    world.send(peer, "[]");
    let abort = world.one(peer);
    assert!(abort.starts_with(r#"[3,{"error":""#), "{abort}");
}

#[test]
fn rtr_14_sessions_may_be_killed_as_if_all_were_normal() {
    for (quirks, reason) in [(Quirks::none(), "killed"), (Quirks::none().kill_normal(), "normal")] {
        let mut world = world(quirks);
        let (killer, victim) = (join(&mut world), join(&mut world));
        world.send(killer, r#"[48,1,{},"wamp.session.kill_by_authrole",["guest"]]"#);
        assert_eq!(world.one(victim), format!(r#"[6,{{}},"wamp.close.{reason}"]"#));
        let victim = join(&mut world);
        world.send(killer, r#"[48,2,{},"wamp.session.kill_by_authrole",["guest"],{"reason":"a.b"}]"#);
        assert_eq!(world.one(victim), r#"[6,{},"a.b"]"#);
    }
}

#[test]
fn rtr_14_messages_may_follow_goodbye() {
    for (quirks, late) in [(Quirks::none(), 0), (Quirks::none().answers_after_goodbye(), 1)] {
        let mut world = world(quirks);
        let (peer, _) = callee(&mut world);
        world.send(peer, r#"[48,2,{},"com.example.a"]"#);
        assert!(world.one(peer).starts_with("[68,"));
        world.send(peer, r#"[6,{},"wamp.close.close_realm"]"#);
        let mut messages = world.take(peer);
        assert_eq!(messages.remove(0), r#"[6,{},"wamp.close.goodbye_and_out"]"#);
        assert_eq!(messages, vec![r#"[8,48,2,{},"wamp.error.canceled"]"#; late]);
        assert_eq!(world.close_code(peer), Some(1000));
        assert_eq!(world.tables(), [0; 4]);
    }
}

#[test]
fn rtr_14_a_session_may_kill_itself_and_hear_of_it_afterwards() {
    let mut world = world(Quirks::none().kill_caller().answers_after_goodbye().null_results());
    let peer = join(&mut world);
    let session = world.router.sessions("realm1").next().unwrap().1;
    world.send(peer, &format!(r#"[48,1,{{}},"wamp.session.kill",[{session}]]"#));
    assert_eq!(world.take(peer), [r#"[6,{},"wamp.close.killed"]"#, "[50,1,{},[null]]"]);
    let mut world = super::world(Quirks::none());
    let peer = join(&mut world);
    let session = world.router.sessions("realm1").next().unwrap().1;
    world.send(peer, &format!(r#"[48,1,{{}},"wamp.session.kill",[{session}]]"#));
    assert_eq!(world.one(peer), r#"[8,48,1,{},"wamp.error.no_such_session"]"#);
}

#[test]
fn rtr_14_a_transport_may_stay_open_for_another_session() {
    let mut world = world(Quirks::none().keep_transport());
    let (peer, killer) = (join(&mut world), join(&mut world));
    world.send(peer, r#"[6,{},"wamp.close.close_realm"]"#);
    assert_eq!(world.one(peer), r#"[6,{},"wamp.close.goodbye_and_out"]"#);
    world.advance(Duration::from_secs(3600));
    assert_eq!((world.closed(peer), world.tables()), (None, [1, 0, 0, 0]));
    world.send(peer, HELLO);
    assert!(world.one(peer).starts_with("[2,"));
    // Whoever says GOODBYE first.
    world.send(killer, r#"[48,1,{},"wamp.session.kill_by_authrole",["guest"]]"#);
    world.take(peer);
    world.send(peer, r#"[6,{},"wamp.close.goodbye_and_out"]"#);
    world.advance(Duration::from_secs(3600));
    assert_eq!((world.take(peer).len(), world.closed(peer)), (0, None));
    // A HELLO that is refused does not end it, either.
    world.send(peer, r#"[1,"realm9",{"roles":{"caller":{}}}]"#);
    assert!(world.one(peer).ends_with(r#""wamp.error.no_such_realm"]"#));
    world.send(peer, HELLO);
    assert!(world.one(peer).starts_with("[2,"));
    world.send(peer, "[]");
    assert_eq!(world.close_code(peer), Some(1002), "what breaks the protocol does");
}

#[test]
fn rtr_14_an_incorrect_uri_may_close_the_transport() {
    let mut world = world(Quirks::none().close_on_invalid_uri());
    let peer = join(&mut world);
    world.send(peer, r#"[32,1,{},"com example"]"#);
    assert_eq!((world.take(peer).len(), world.close_code(peer)), (0, Some(1011)));
    assert_eq!(world.tables(), [0; 4]);
}

#[test]
fn rtr_14_what_is_no_message_may_be_ignored() {
    let mut world = world(Quirks::none().ignore_undecodable());
    let peer = join(&mut world);
    for frame in ["", "[", "[]", "[7,1]", r#"[48,1,{},5]"#] {
        world.send(peer, frame);
    }
    world.send(peer, r#"[32,1,{},"com example"]"#);
    assert_eq!(world.one(peer), r#"[8,32,1,{},"wamp.error.invalid_uri"]"#);
    world.send(peer, "[34,2,7]");
    assert_eq!(world.one(peer), r#"[8,34,2,{},"wamp.error.no_such_subscription"]"#);
}

#[test]
fn rtr_14_messages_at_the_wrong_time_may_be_ignored() {
    let mut world = guarded(Quirks::none().ignore_untimely());
    let peer = world.greet(r#"[32,1,{},"a.b"]"#);
    world.send(peer, r#"[1,"realm1",{"roles":{"subscriber":{}},"authmethods":["ticket"],"authid":"joe"}]"#);
    world.send(peer, r#"[32,1,{},"a.b"]"#);
    assert_eq!(world.one(peer), r#"[4,"ticket",{}]"#);
    world.send(peer, r#"[5,"right",{}]"#);
    assert!(world.one(peer).starts_with("[2,"));
    world.send(peer, HELLO);
    world.send(peer, r#"[32,1,{},"a.b"]"#);
    assert_eq!(world.one(peer), "[33,1,1]");
}

#[test]
fn rtr_14_roles_and_request_ids_may_not_matter() {
    let mut world = world(Quirks::none().ignore_roles().any_request_id());
    let peer = world.greet(r#"[1,"realm1",{"roles":{"caller":{}}}]"#);
    world.take(peer);
    for request in [500, 3, 3] {
        world.send(peer, &format!(r#"[32,{request},{{}},"a.b"]"#));
    }
    assert_eq!(world.take(peer), ["[33,500,1]", "[33,3,1]", "[33,3,1]"]);
}

#[test]
fn rtr_14_errors_of_the_router_may_have_arguments() {
    let mut world = world(Quirks::none().explain_errors());
    let peer = join(&mut world);
    world.send(peer, r#"[48,1,{},"com.example.nothing"]"#);
    let error = world.one(peer);
    assert!(error.starts_with(r#"[8,48,1,{},"wamp.error.no_such_procedure",["#), "{error}");
}
