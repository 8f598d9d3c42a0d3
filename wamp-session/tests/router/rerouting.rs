//! Calls that a callee declines.

use std::time::Duration;

use wamp_session::proto::Message;
use wamp_session::router::{PeerId, RouterLimits};

use crate::world::{World, called, config, registered};

/// Callees that share `a.b` and may decline, and a caller.
fn sharing(world: &mut World, policy: &str, count: usize) -> (PeerId, Vec<PeerId>) {
    let callees: Vec<_> = (0..count).map(|_| world.featured()).collect();
    for callee in &callees {
        registered(world, *callee, &format!(r#""invoke":"{policy}""#));
    }
    (world.featured(), callees)
}

/// The callee that has been invoked, and declines.
fn decline(world: &mut World, callees: &[PeerId]) -> usize {
    let mut invoked = Vec::new();
    for (n, callee) in callees.iter().enumerate() {
        for message in world.messages(*callee) {
            let Message::Invocation(invocation) = message else { panic!("{message:?}") };
            invoked.push((n, invocation.request));
        }
    }
    let [(callee, request)] = invoked[..] else { panic!("{invoked:?}") };
    world.send(callees[callee], &format!(r#"[8,68,{request},{{}},"wamp.error.unavailable",["busy"]]"#));
    callee
}

#[test]
fn rer_01_a_call_that_is_declined_goes_to_the_next_callee_by_the_policy() {
    let orders: [(&str, &[usize]); 4] =
        [("roundrobin", &[0, 1, 2]), ("first", &[0, 1, 2]), ("last", &[2, 1, 0]), ("random", &[])];
    for (policy, expected) in orders {
        let mut world = World::new(config());
        let (caller, callees) = sharing(&mut world, policy, 3);
        world.send(caller, r#"[48,1,{},"a.b",["in"],{"k":1}]"#);
        let mut order: Vec<usize> = (0..3).map(|_| decline(&mut world, &callees)).collect();
        if !expected.is_empty() {
            assert_eq!(order, expected, "{policy}");
        }
        order.sort_unstable();
        assert_eq!(order, [0, 1, 2], "each of them once");
        // RER-02: nobody is left.
        assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.no_available_callee"]"#);
        assert_eq!(world.tables(), [4, 0, 1, 0]);
    }
}

#[test]
fn rer_01_the_next_callee_gets_everything_and_answers() {
    let mut world = World::new(config());
    let (caller, callees) = sharing(&mut world, "first", 2);
    world.send(caller, r#"[48,1,{"receive_progress":true,"timeout":100},"a.b",["in"],{"k":1}]"#);
    world.advance(Duration::from_millis(60));
    decline(&mut world, &callees);
    assert_eq!(world.one(callees[1]), r#"[68,1,1,{"receive_progress":true},["in"],{"k":1}]"#);
    world.send(callees[1], r#"[70,1,{"progress":true},[1]]"#);
    assert_eq!(world.one(caller), r#"[50,1,{"progress":true},[1]]"#);
    // What has begun cannot begin again.
    world.send(callees[1], r#"[8,68,1,{},"wamp.error.unavailable",["busy"]]"#);
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.unavailable",["busy"]]"#);
}

#[test]
fn rer_01_the_time_of_a_call_goes_on() {
    let mut world = World::new(config());
    let (caller, callees) = sharing(&mut world, "first", 2);
    world.send(caller, r#"[48,1,{"timeout":100},"a.b"]"#);
    world.advance(Duration::from_millis(60));
    decline(&mut world, &callees);
    world.advance(Duration::from_millis(40));
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.timeout"]"#);

    let mut world = World::new(config());
    let (one, other, caller) = (world.featured(), world.featured(), world.featured());
    for callee in [one, other] {
        registered(&mut world, callee, r#""invoke":"first","forward_timeout":true"#);
    }
    world.send(caller, r#"[48,1,{"timeout":100},"a.b"]"#);
    assert_eq!(world.one(one), r#"[68,1,1,{"timeout":100}]"#);
    world.advance(Duration::from_millis(60));
    world.send(one, r#"[8,68,1,{},"wamp.error.unavailable"]"#);
    assert_eq!(world.one(other), r#"[68,1,1,{"timeout":40}]"#);
}

#[test]
fn rer_02_the_only_callee_that_declines_is_none() {
    let (mut world, caller, callee) = called("");
    world.send(callee, r#"[8,68,1,{},"wamp.error.unavailable"]"#);
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.no_available_callee"]"#);
}

#[test]
fn rer_02_a_callee_that_has_not_announced_to_decline_gives_an_error() {
    let mut world = World::new(config());
    let (caller, one, other) = (world.client(), world.client(), world.client());
    for callee in [one, other] {
        registered(&mut world, callee, r#""invoke":"first""#);
    }
    world.send(caller, r#"[48,1,{},"a.b"]"#);
    world.send(one, r#"[8,68,1,{},"wamp.error.unavailable",["busy"]]"#);
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.unavailable",["busy"]]"#);
    assert_eq!(world.take(other), [""; 0]);
}

#[test]
fn rer_01_a_call_that_was_taken_back_goes_nowhere() {
    for mode in ["skip", "kill"] {
        let mut world = World::new(config());
        let (caller, callees) = sharing(&mut world, "first", 2);
        world.send(caller, r#"[48,1,{},"a.b"]"#);
        world.send(caller, &format!(r#"[49,1,{{"mode":"{mode}"}}]"#));
        world.take(caller);
        world.take(callees[0]);
        world.send(callees[0], r#"[8,68,1,{},"wamp.error.unavailable"]"#);
        assert_eq!(world.take(callees[1]), [""; 0]);
        let answers = world.take(caller);
        assert_eq!(answers.len(), usize::from(mode == "kill"), "{answers:?}");
        assert_eq!(world.tables(), [3, 0, 1, 0]);
    }
}

#[test]
fn rer_01_a_call_whose_input_comes_in_parts_stays_where_it_is() {
    let mut world = World::new(config());
    let (caller, callees) = sharing(&mut world, "first", 2);
    world.send(caller, r#"[48,1,{"progress":true},"a.b",[1]]"#);
    world.send(caller, r#"[48,1,{"progress":true},"a.b",[2]]"#);
    assert_eq!(world.take(callees[0]).len(), 2);
    // The other callee would miss what has come.
    world.send(callees[0], r#"[8,68,1,{},"wamp.error.unavailable",["busy"]]"#);
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.unavailable",["busy"]]"#);
    assert_eq!(world.take(callees[1]), [""; 0]);
    assert_eq!(world.tables(), [3, 0, 1, 0]);
}

#[test]
fn rer_02_a_declined_call_that_nobody_else_can_take_is_answered() {
    type Meanwhile = fn(&mut World, PeerId);
    let cases: [(&str, Meanwhile, &str); 4] = [
        ("unregistered", |world, other| world.send(other, "[66,2,1]"), "wamp.error.no_available_callee"),
        ("gone", |world, other| world.router.handle_closed(world.now, other), "wamp.error.no_available_callee"),
        (
            "revoked",
            |world, _| {
                let registration = world.router.registrations("realm1").next().unwrap().id;
                assert!(world.router.revoke_registration(world.now, "realm1", registration, None));
            },
            "wamp.error.no_available_callee",
        ),
        (
            "busy",
            |world, _| {
                let another = world.featured();
                world.send(another, r#"[48,1,{},"a.b"]"#);
            },
            "crossbar.error.max_concurrency_reached",
        ),
    ];
    for (name, meanwhile, error) in cases {
        let mut world = World::new(config());
        let (one, other, caller) = (world.featured(), world.featured(), world.featured());
        for callee in [one, other] {
            registered(&mut world, callee, r#""invoke":"first","concurrency":1"#);
        }
        world.send(caller, r#"[48,1,{},"a.b"]"#);
        assert_eq!(world.one(one), "[68,1,1,{}]");
        meanwhile(&mut world, other);
        world.take(other);
        world.send(one, r#"[8,68,1,{},"wamp.error.unavailable"]"#);
        assert_eq!(world.one(caller), format!(r#"[8,48,1,{{}},"{error}"]"#), "{name}");
    }
}

#[test]
fn what_is_kept_for_other_callees_is_limited() {
    let payload = "x".repeat(2000);
    let call = |request: u64, options: &str| format!(r#"[48,{request},{{{options}}},"a.b",["{payload}"]]"#);
    let world = || {
        let mut world = World::new(config().limits(RouterLimits::new().max_reroute_bytes(4000)));
        let (caller, callees) = sharing(&mut world, "first", 2);
        world.send(caller, &call(1, r#""receive_progress":true,"timeout":10"#));
        (world, caller, callees)
    };
    let (mut world_of_two, caller, callees) = world();
    world_of_two.send(caller, &call(2, ""));
    world_of_two.send(callees[0], r#"[8,68,2,{},"wamp.error.unavailable"]"#);
    assert_eq!(world_of_two.one(caller), r#"[8,48,2,{},"wamp.error.unavailable"]"#);

    // Whatever ends the first call makes room, and so does its beginning to be served.
    let ends: [fn(&mut World, PeerId, &[PeerId]); 9] = [
        |world, _, callees| world.send(callees[0], "[70,1,{}]"),
        |world, _, callees| world.send(callees[0], r#"[70,1,{"progress":true}]"#),
        |world, _, callees| world.send(callees[0], r#"[8,68,1,{},"a.error"]"#),
        |world, _, callees| world.send(callees[0], r#"[8,68,1,{},"wamp.error.unavailable"]"#),
        |world, caller, _| world.send(caller, r#"[49,1,{"mode":"skip"}]"#),
        |world, caller, _| world.send(caller, r#"[49,1,{"mode":"killnowait"}]"#),
        |world, _, _| world.advance(Duration::from_millis(10)),
        |world, caller, _| world.router.handle_closed(world.now, caller),
        |world, _, callees| world.router.handle_closed(world.now, callees[0]),
    ];
    for (n, end) in ends.into_iter().enumerate() {
        let (mut world, caller, mut callees) = world();
        end(&mut world, caller, &callees);
        if n == 8 {
            callees = vec![callees[1], world.featured()];
            registered(&mut world, callees[1], r#""invoke":"first""#);
        }
        let caller = world.featured();
        callees.iter().for_each(|callee| drop(world.take(*callee)));
        world.send(caller, &call(1, ""));
        decline(&mut world, &callees);
        assert_eq!(world.take(callees[1]).len(), 1, "end {n} has left something behind");
    }
}

#[test]
fn what_is_kept_for_other_callees_counts_with_the_frame_that_it_keeps() {
    let args = "x".repeat(3000);
    // Arguments that are less than half of their frame are copied out of it; the options of its own are not kept at all.
    for (options, is_kept) in [(0, true), (2500, false), (5000, true)] {
        let mut world = World::new(config().limits(RouterLimits::new().max_reroute_bytes(5500)));
        let (caller, callees) = sharing(&mut world, "first", 2);
        world.send(caller, &format!(r#"[48,1,{{"x_y":"{}"}},"a.b",["{args}"]]"#, "y".repeat(options)));
        decline(&mut world, &callees);
        assert_eq!(world.take(callees[1]), vec![format!(r#"[68,1,1,{{}},["{args}"]]"#); usize::from(is_kept)]);
        assert_eq!(world.take(caller).len(), usize::from(!is_kept), "{options}");
    }
}

#[test]
fn shd_01_a_call_with_a_key_stays_with_its_callee_also_if_that_declines() {
    let mut world = World::new(config());
    let (caller, callees) = sharing(&mut world, "roundrobin", 2);
    world.send(caller, r#"[48,1,{"runmode":"partition","rkey":"k"},"a.b"]"#);
    let declined = decline(&mut world, &callees);
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.unavailable",["busy"]]"#);
    assert_eq!(world.take(callees[1 - declined]), [""; 0]);
    assert_eq!(world.tables(), [3, 0, 1, 0]);
}
