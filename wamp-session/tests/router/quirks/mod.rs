//! RTR-14: the habits of real routers, each switch by itself and as profiles.

mod calls;
mod meta;
mod registrations;
mod sessions;
mod topics;

use std::time::Duration;

use wamp_session::proto::{MatchPolicy, Message, Role, Value};
use wamp_session::router::{Disclosure, HistoryShape, PeerId, Quirks, RealmConfig, RouterConfig};

use crate::world::{World, config};

const HELLO: &str = concat!(
    r#"[1,"realm1",{"roles":{"caller":{"features":{"progressive_call_results":true,"call_canceling":true}},"#,
    r#""callee":{"features":{"progressive_call_results":true,"call_canceling":true}},"publisher":{},"subscriber":{}}}]"#
);

fn world(quirks: Quirks) -> World {
    World::new(quirky(quirks, RealmConfig::new("realm1").unwrap().anonymous("guest")))
}

fn quirky(quirks: Quirks, realm: RealmConfig) -> RouterConfig {
    config().realm(realm).quirks(quirks)
}

fn join(world: &mut World) -> PeerId {
    let peer = world.greet(HELLO);
    world.take(peer);
    peer
}

/// A callee of `com.example.a`, and the registration.
fn callee(world: &mut World) -> (PeerId, u64) {
    let peer = join(world);
    world.send(peer, r#"[64,1,{},"com.example.a"]"#);
    let Some(Message::Registered(registered)) = world.messages(peer).pop() else { panic!("not registered") };
    (peer, registered.registration.get())
}

#[test]
fn rtr_14_invocation_ids_of_all_callees_may_be_counted_together() {
    for (quirks, ids) in [(Quirks::none(), [1, 2, 1]), (Quirks::none().shared_invocation_ids(), [1, 2, 3])] {
        let mut world = world(quirks);
        let (one, _) = callee(&mut world);
        let (other, caller) = (join(&mut world), join(&mut world));
        world.send(other, r#"[64,1,{},"com.example.b"]"#);
        world.take(other);
        world.send(caller, r#"[48,1,{},"com.example.a"]"#);
        world.send(caller, r#"[48,2,{},"com.example.a"]"#);
        world.send(caller, r#"[48,3,{},"com.example.b"]"#);
        let mut invocations = world.messages(one);
        invocations.extend(world.messages(other));
        let id = |message| if let Message::Invocation(it) = message { it.request.get() } else { panic!("{message:?}") };
        assert_eq!(invocations.into_iter().map(id).collect::<Vec<_>>(), ids);
        world.send(other, &format!("[70,{},{{}}]", ids[2]));
        assert_eq!(world.one(caller), "[50,3,{}]");
    }
}

#[test]
fn rtr_14_a_call_cancelled_by_skip_may_never_be_answered() {
    for (quirks, answers) in [(Quirks::none(), 1), (Quirks::none().silent_skip(), 0)] {
        let mut world = world(quirks);
        let ((callee, _), caller) = (callee(&mut world), join(&mut world));
        world.send(caller, r#"[48,1,{},"com.example.a"]"#);
        world.send(caller, r#"[49,1,{"mode":"skip"}]"#);
        assert_eq!(world.take(caller).len(), answers);
        world.take(callee);
        world.send(callee, "[70,1,{}]");
        assert_eq!(world.take(caller), [""; 0], "the callee's answer is discarded");
        // Another mode is answered.
        world.send(caller, r#"[48,2,{},"com.example.a"]"#);
        world.send(caller, r#"[49,2,{"mode":"killnowait"}]"#);
        assert_eq!(world.one(caller), r#"[8,48,2,{},"wamp.error.canceled"]"#);
    }
}

#[test]
fn rtr_14_every_mode_is_silent_if_the_callee_cannot_be_interrupted() {
    let mut world = world(Quirks::none().silent_skip());
    let (callee, caller) = (world.client(), join(&mut world));
    world.send(callee, r#"[64,1,{},"com.example.a"]"#);
    for (request, mode) in ["kill", "killnowait"].iter().enumerate() {
        world.send(caller, &format!(r#"[48,{},{{}},"com.example.a"]"#, request + 1));
        world.send(caller, &format!(r#"[49,{},{{"mode":"{mode}"}}]"#, request + 1));
    }
    assert_eq!(world.take(caller), [""; 0]);
}

#[test]
fn rtr_14_timeouts_may_be_seconds_and_cancel() {
    let crossbar = Quirks::none().timeouts_in_seconds().timeouts_cancel();
    for (quirks, wait, error) in [(Quirks::none(), 3, "timeout"), (crossbar, 3000, "canceled")] {
        let mut world = world(quirks);
        let (_, caller) = (callee(&mut world), join(&mut world));
        world.send(caller, r#"[48,1,{"timeout":3},"com.example.a"]"#);
        world.advance(Duration::from_millis(wait - 1));
        assert_eq!(world.take(caller), [""; 0]);
        world.advance(Duration::from_millis(1));
        assert_eq!(world.one(caller), format!(r#"[8,48,1,{{}},"wamp.error.{error}"]"#));
    }
}

#[test]
fn rtr_14_goodbye_may_be_answered_with_another_reason() {
    for (quirks, reason) in [(Quirks::none(), "goodbye_and_out"), (Quirks::none().goodbye_normal(), "normal")] {
        let mut world = world(quirks);
        let peer = join(&mut world);
        world.send(peer, r#"[6,{},"wamp.close.close_realm"]"#);
        assert_eq!(world.one(peer), format!(r#"[6,{{}},"wamp.close.{reason}"]"#));
    }
}

#[test]
fn rtr_14_a_violation_may_only_close_the_transport() {
    let mut world = world(Quirks::none().close_without_abort());
    let peer = join(&mut world);
    world.send(peer, "[]");
    assert_eq!(world.take(peer), [""; 0]);
    assert_eq!(world.close_code(peer), Some(1002));
}

#[test]
fn rtr_14_on_leave_may_have_one_argument() {
    let mut world = world(Quirks::none().short_on_leave());
    let (watcher, leaving) = (join(&mut world), join(&mut world));
    world.send(watcher, r#"[32,1,{},"wamp.session.on_leave"]"#);
    world.take(watcher);
    world.router.handle_closed(world.now, leaving);
    let Some(Message::Event(event)) = world.messages(watcher).pop() else { panic!("no event") };
    assert_eq!(event.payload.args::<Vec<u64>>().unwrap().len(), 1);
}

#[test]
fn rtr_14_disclosure_may_be_a_matter_of_configuration_only() {
    for (disclosure, is_disclosed) in [(Disclosure::Denied, false), (Disclosure::Always, true)] {
        let realm = RealmConfig::new("realm1").unwrap().anonymous("guest").disclosure(disclosure);
        let mut world = World::new(quirky(Quirks::none().ignore_disclose_me(), realm));
        let ((callee, _), caller) = (callee(&mut world), join(&mut world));
        world.send(callee, r#"[32,2,{},"com.example.topic"]"#);
        world.send(callee, r#"[64,3,{"disclose_caller":true},"com.example.b"]"#);
        assert_eq!(world.take(callee).len(), 2, "nothing is refused");
        world.send(caller, r#"[48,1,{"disclose_me":true},"com.example.a"]"#);
        world.send(caller, r#"[16,2,{"disclose_me":true},"com.example.topic"]"#);
        let told = world.take(callee);
        assert!(told[0].starts_with("[68,") && told[1].starts_with("[36,"));
        assert!(told.iter().all(|message| message.contains("authrole") == is_disclosed), "{told:?}");
    }
}

#[test]
fn rtr_14_results_may_say_who_the_callee_is() {
    let mut world = world(Quirks::none().disclose_callees());
    let ((callee, _), caller) = (callee(&mut world), join(&mut world));
    world.send(caller, r#"[48,1,{},"com.example.a"]"#);
    world.take(callee);
    world.send(callee, "[70,1,{}]");
    let Some(Message::Result(result)) = world.messages(caller).pop() else { panic!("no RESULT") };
    assert!(result.details.callee.is_some());
    assert!(result.details.callee_authid.is_some_and(|authid| authid.starts_with("anonymous-")));
    assert_eq!(result.details.callee_authrole.as_deref(), Some("guest"));
}

#[test]
fn rtr_14_progress_may_come_unasked_for() {
    for (quirks, results) in [(Quirks::none(), 1), (Quirks::none().unsolicited_progress(), 2)] {
        let mut world = world(quirks);
        let ((callee, _), caller) = (callee(&mut world), join(&mut world));
        world.send(caller, r#"[48,1,{},"com.example.a"]"#);
        world.take(callee);
        world.send(callee, r#"[70,1,{"progress":true},[1]]"#);
        world.send(callee, "[70,1,{},[2]]");
        assert_eq!(world.take(caller).len(), results);
    }
}

#[test]
fn rtr_14_sessions_that_are_killed_may_be_listed() {
    let mut world = world(Quirks::none().list_killed());
    let (killer, victim) = (join(&mut world), join(&mut world));
    let session = world.router.sessions("realm1").find(|(peer, _)| *peer == victim).unwrap().1;
    world.send(killer, r#"[48,1,{},"wamp.session.kill_by_authrole",["guest"]]"#);
    assert_eq!(world.one(killer), format!("[50,1,{{}},[[{session}]]]"));
    world.send(killer, r#"[48,2,{},"wamp.session.kill_all"]"#);
    assert_eq!(world.one(killer), r#"[8,48,2,{},"wamp.error.no_such_procedure"]"#);
}

#[test]
fn rtr_14_testaments_may_have_results() {
    let mut world = world(Quirks::none().testament_results());
    let peer = join(&mut world);
    world.send(peer, r#"[48,1,{},"wamp.session.add_testament",["a.b",[],{}]]"#);
    world.send(peer, r#"[48,2,{},"wamp.session.add_testament",["a.b",[],{}]]"#);
    world.send(peer, r#"[48,3,{},"wamp.session.flush_testaments"]"#);
    assert_eq!(world.take(peer), ["[50,1,{},[1]]", "[50,2,{},[1]]", "[50,3,{},[2]]"]);
}

#[test]
fn rtr_14_invocations_may_say_that_they_are_not_progressive() {
    let mut world = world(Quirks::none().progress_false());
    let ((callee, registration), caller) = (callee(&mut world), join(&mut world));
    world.send(caller, r#"[48,1,{},"com.example.a"]"#);
    assert_eq!(world.one(callee), format!(r#"[68,1,{registration},{{"progress":false}}]"#));
}

#[test]
fn rtr_14_a_wrong_cancel_may_be_answered_with_an_error_of_its_own_type() {
    let mut world = world(Quirks::none().error_to_cancel());
    let (_, caller) = (callee(&mut world), join(&mut world));
    world.send(caller, r#"[48,1,{},"com.example.a"]"#);
    world.send(caller, r#"[49,1,{"mode":"softly"}]"#);
    assert_eq!(world.one(caller), r#"[8,49,1,{},"wamp.error.invalid_argument"]"#);
    assert_eq!(world.close_code(caller), None);
}

#[test]
fn rtr_14_a_procedure_may_be_misspelt_and_a_miss_be_0() {
    let mut world = world(Quirks::none().misspelt_count().zero_for_none());
    let peer = join(&mut world);
    world.send(peer, r#"[32,1,{},"a.b"]"#);
    let Some(Message::Subscribed(subscribed)) = world.messages(peer).pop() else { panic!("not subscribed") };
    let id = subscribed.subscription;
    world.send(peer, &format!(r#"[48,2,{{}},"wamp.subscription.count_subscribers",[{id}]]"#));
    world.send(peer, &format!(r#"[48,3,{{}},"wamp.subscription.count_suscribers",[{id}]]"#));
    world.send(peer, r#"[48,4,{},"wamp.subscription.lookup",["a.c"]]"#);
    world.send(peer, r#"[48,5,{},"wamp.registration.match",["a.c"]]"#);
    let answers = world.take(peer);
    assert_eq!(
        answers,
        [r#"[8,48,2,{},"wamp.error.no_such_procedure"]"#, "[50,3,{},[1]]", "[50,4,{},[0]]", "[50,5,{},[0]]"]
    );
}

#[test]
fn rtr_14_callees_may_go_on_when_their_caller_has_left() {
    for (quirks, interrupts) in [(Quirks::none(), 1), (Quirks::none().no_interrupt_on_leave(), 0)] {
        let mut world = world(quirks);
        let ((callee, _), caller) = (callee(&mut world), join(&mut world));
        world.send(caller, r#"[48,1,{},"com.example.a"]"#);
        world.take(callee);
        world.router.handle_closed(world.now, caller);
        assert_eq!(world.take(callee).len(), interrupts);
    }
}

#[test]
fn rtr_14_lists_may_be_ignored_and_publishers_get_their_own_events() {
    let mut world = world(Quirks::none().no_lists());
    let (publisher, other) = (join(&mut world), join(&mut world));
    for peer in [publisher, other] {
        world.send(peer, r#"[32,1,{},"a.b"]"#);
        world.take(peer);
    }
    world.send(publisher, r#"[16,2,{"exclude_authrole":["guest"],"eligible":[]},"a.b"]"#);
    assert!(world.one(publisher).starts_with("[36,"));
    assert!(world.one(other).starts_with("[36,"));
}

#[test]
fn rtr_14_a_router_may_lack_cancel_and_the_meta_api() {
    let mut world = world(Quirks::none().ignore_cancel().no_meta_api());
    let ((callee, _), caller) = (callee(&mut world), join(&mut world));
    world.send(caller, r#"[48,1,{},"com.example.a"]"#);
    world.send(caller, r#"[49,1,{"mode":"killnowait"}]"#);
    world.send(caller, r#"[48,2,{},"wamp.session.count"]"#);
    assert_eq!(world.one(caller), r#"[8,48,2,{},"wamp.error.no_such_procedure"]"#);
    world.take(callee);
    world.send(callee, "[70,1,{},[7]]");
    assert_eq!(world.one(caller), "[50,1,{},[7]]", "the call was not touched");
    world.send(caller, r#"[32,3,{},"wamp.session.on_join"]"#);
    world.take(caller);
    join(&mut world);
    assert_eq!(world.take(caller), [""; 0]);
}

#[test]
fn rtr_14_histories_may_have_other_shapes() {
    let history = |shape| {
        let realm = RealmConfig::new("realm1").unwrap().anonymous("guest");
        let realm = realm.history("a.", MatchPolicy::Prefix, 20).unwrap();
        let mut world = World::new(quirky(Quirks::none().history_shape(shape), realm));
        let (publisher, reader) = (join(&mut world), join(&mut world));
        for n in 1..=12 {
            world.send(publisher, &format!(r#"[16,{n},{{}},"a.b",[{n}],{{"k":true}}]"#));
        }
        world.send(reader, r#"[48,1,{},"wamp.subscription.lookup",["a.",{"match":"prefix"}]]"#);
        let Some(Message::Result(result)) = world.messages(reader).pop() else { panic!("no RESULT") };
        let id: u64 = result.payload.arg(0).unwrap();
        world.send(reader, &format!(r#"[48,2,{{}},"wamp.subscription.get_events",[{id}]]"#));
        let Some(Message::Result(result)) = world.messages(reader).pop() else { panic!("no RESULT") };
        result.payload
    };
    let nexus: Vec<Value> = history(HistoryShape::Nexus).args().unwrap();
    assert_eq!(nexus.len(), 12);
    let first = nexus[0].as_dict().unwrap();
    let keys: Vec<&str> = first.iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["Arguments", "ArgumentsKw", "Details", "Publication", "Subscription"]);
    assert_eq!(first.get("Arguments"), Some(&vec![1].into()));

    let crossbar: Vec<Value> = history(HistoryShape::Crossbar).args().unwrap();
    let [Value::List(crossbar)] = crossbar.as_slice() else { panic!("{crossbar:?}") };
    assert_eq!(crossbar.len(), 10);
    let first = crossbar[0].as_dict().unwrap();
    let keys: Vec<&str> = first.iter().map(|(key, _)| key).collect();
    let expected = ["args", "authid", "authrole", "kwargs", "publication", "realm", "session_id", "time_ns", "topic"];
    assert_eq!(keys, expected);
    assert_eq!(first.get("args"), Some(&vec![12].into()), "the youngest comes first");
}

#[test]
fn rtr_14_profiles_announce_what_those_routers_announce() {
    let features = |quirks: Quirks| {
        let mut world = world(quirks);
        let peer = world.greet(HELLO);
        let Some(Message::Welcome(welcome)) = world.messages(peer).pop() else { panic!("no WELCOME") };
        welcome.details.roles.unwrap()
    };
    let crossbar = features(Quirks::crossbar());
    for (role, feature, is_announced) in [
        (Role::Dealer, "session_meta_api", true),
        (Role::Dealer, "call_canceling", true),
        (Role::Dealer, "call_timeout", false),
        (Role::Dealer, "progressive_call_invocations", false),
        (Role::Broker, "event_history", false),
        (Role::Broker, "event_retention", true),
    ] {
        assert_eq!(crossbar.announces(role, feature), is_announced, "{feature}");
    }
    assert_eq!(features(Quirks::minimal()).as_dict().len(), 2, "both roles");
    for role in ["broker", "dealer"] {
        assert_eq!(features(Quirks::minimal()).as_dict().get(role).unwrap().as_dict().unwrap().get("features"), None);
    }
    assert_eq!(features(Quirks::none()), features(Quirks::default()));
}
