//! Remote procedure calls.

use crate::world::{World, config};

#[test]
fn rtr_04_a_call_becomes_an_invocation_and_its_yield_the_result() {
    let mut world = World::new(config());
    let (caller, callee) = (world.client(), world.client());
    world.send(callee, r#"[64,1,{},"com.example.add2"]"#);
    assert_eq!(world.one(callee), "[65,1,1]");
    world.send(caller, r#"[48,1,{},"com.example.add2",[2,3],{"k":"v"}]"#);
    assert_eq!(world.one(callee), r#"[68,1,1,{},[2,3],{"k":"v"}]"#);
    assert_eq!(world.tables(), [2, 0, 1, 1]);
    world.send(callee, "[70,1,{},[5]]");
    assert_eq!(world.one(caller), "[50,1,{},[5]]");
    assert_eq!(world.tables(), [2, 0, 1, 0]);
}

#[test]
fn an_error_travels_with_its_payload() {
    let mut world = World::new(config());
    let (caller, callee) = (world.client(), world.client());
    world.send(callee, r#"[64,1,{},"com.example.fail"]"#);
    world.send(caller, r#"[48,1,{},"com.example.fail"]"#);
    world.send(caller, r#"[48,2,{},"com.example.fail"]"#);
    world.drain();
    world.send(callee, r#"[8,68,1,{},"com.example.error.no",["Object is write protected."],{"severity":3}]"#);
    world.send(callee, r#"[8,68,2,{"callee":7,"_row":5},"com.example.error.no"]"#);
    // What the callee says of itself is the dealer's to say; what it says of the error is its own.
    let errors = [
        r#"[8,48,1,{},"com.example.error.no",["Object is write protected."],{"severity":3}]"#,
        r#"[8,48,2,{"_row":5},"com.example.error.no"]"#,
    ];
    assert_eq!(world.take(caller), errors);
}

#[test]
fn rtr_04_a_procedure_has_one_callee() {
    let mut world = World::new(config());
    let (one, other) = (world.client(), world.client());
    world.send(one, r#"[64,1,{},"com.example.a"]"#);
    world.send(one, r#"[64,2,{"match":"exact","invoke":"single"},"com.example.a"]"#);
    world.send(other, r#"[64,1,{},"com.example.a"]"#);
    assert_eq!(world.take(one), ["[65,1,1]", r#"[8,64,2,{},"wamp.error.procedure_already_exists"]"#]);
    assert_eq!(world.take(other), [r#"[8,64,1,{},"wamp.error.procedure_already_exists"]"#]);
    world.send(one, "[66,3,1]");
    assert_eq!(world.one(one), "[67,3]");
    world.send(other, r#"[64,2,{},"com.example.a"]"#);
    assert_eq!(world.one(other), "[65,2,2]");
    let registrations: Vec<_> = world.router.registrations("realm1").collect();
    assert_eq!((registrations[0].procedure.as_str(), registrations[0].callees), ("com.example.a", &[other][..]));
}

#[test]
fn rtr_04_invocations_are_counted_per_callee() {
    let mut world = World::new(config());
    let (caller, one, other) = (world.client(), world.client(), world.client());
    world.send(one, r#"[64,1,{},"com.example.one"]"#);
    world.send(other, r#"[64,1,{},"com.example.other"]"#);
    world.drain();
    for (n, procedure) in ["one", "one", "other", "one"].iter().enumerate() {
        world.send(caller, &format!(r#"[48,{},{{}},"com.example.{procedure}"]"#, n + 1));
    }
    assert_eq!(world.take(one), ["[65,1,1]", "[68,1,1,{}]", "[68,2,1,{}]", "[68,3,1,{}]"]);
    assert_eq!(world.take(other), ["[65,1,2]", "[68,1,2,{}]"]);
    world.send(one, "[70,3,{},[3]]");
    world.send(other, "[70,1,{},[1]]");
    world.send(one, "[70,1,{}]");
    assert_eq!(world.take(caller), ["[50,4,{},[3]]", "[50,3,{},[1]]", "[50,1,{}]"]);
}

#[test]
fn a_call_of_nothing_fails() {
    let mut world = World::new(config());
    let peer = world.client();
    world.send(peer, r#"[48,1,{},"com.example.a",[1]]"#);
    world.send(peer, r#"[48,2,{},"wamp.session.unknown"]"#);
    let error = |request| format!(r#"[8,48,{request},{{}},"wamp.error.no_such_procedure"]"#);
    assert_eq!(world.take(peer), [error(1), error(2)]);
}

#[test]
fn a_session_may_call_itself() {
    let mut world = World::new(config());
    let peer = world.client();
    world.send(peer, r#"[64,1,{},"com.example.a"]"#);
    world.send(peer, r#"[48,2,{},"com.example.a",["x"]]"#);
    world.send(peer, r#"[70,1,{},["y"]]"#);
    assert_eq!(world.take(peer), ["[65,1,1]", r#"[68,1,1,{},["x"]]"#, r#"[50,2,{},["y"]]"#]);
}

#[test]
fn an_unknown_registration_cannot_be_ended() {
    let mut world = World::new(config());
    let (one, other) = (world.client(), world.client());
    world.send(one, r#"[64,1,{},"com.example.a"]"#);
    world.take(one);
    world.send(other, "[66,1,1]");
    world.send(other, "[66,2,9]");
    let error = |request| format!(r#"[8,66,{request},{{}},"wamp.error.no_such_registration"]"#);
    assert_eq!(world.take(other), [error(1), error(2)]);
    assert_eq!(world.tables(), [2, 0, 1, 0]);
}

#[test]
fn cle_02_invocations_from_before_unregister_are_still_answered() {
    let mut world = World::new(config());
    let (caller, callee) = (world.client(), world.client());
    world.send(callee, r#"[64,1,{},"com.example.a"]"#);
    world.send(caller, r#"[48,1,{},"com.example.a"]"#);
    world.send(callee, "[66,2,1]");
    world.send(callee, "[70,1,{},[1]]");
    assert_eq!(world.take(caller), ["[50,1,{},[1]]"]);
    world.send(caller, r#"[48,2,{},"com.example.a"]"#);
    assert_eq!(world.take(caller), [r#"[8,48,2,{},"wamp.error.no_such_procedure"]"#]);
}

#[test]
fn rtr_05_when_the_callee_leaves_its_callers_get_canceled() {
    for goodbye in [true, false] {
        let mut world = World::new(config());
        let (caller, callee) = (world.client(), world.client());
        world.send(callee, r#"[64,1,{},"com.example.a"]"#);
        world.send(caller, r#"[48,1,{},"com.example.a"]"#);
        world.send(caller, r#"[48,2,{},"com.example.a"]"#);
        world.drain();
        if goodbye {
            world.send(callee, r#"[6,{},"wamp.close.close_realm"]"#);
        } else {
            world.router.handle_closed(world.now, callee);
        }
        let error = |request| format!(r#"[8,48,{request},{{}},"wamp.error.canceled"]"#);
        assert_eq!(world.take(caller), [error(1), error(2)]);
        assert_eq!(world.tables(), [1, 0, 0, 0]);
        world.send(caller, r#"[48,3,{},"com.example.a"]"#);
        assert_eq!(world.take(caller), [r#"[8,48,3,{},"wamp.error.no_such_procedure"]"#]);
    }
}

#[test]
fn rtr_05_when_the_caller_leaves_the_late_answer_is_discarded() {
    let mut world = World::new(config());
    let (caller, callee) = (world.client(), world.client());
    world.send(callee, r#"[64,1,{},"com.example.a"]"#);
    world.send(caller, r#"[48,1,{},"com.example.a"]"#);
    world.send(caller, r#"[48,2,{},"com.example.a"]"#);
    world.take(callee);
    world.router.handle_closed(world.now, caller);
    assert_eq!(world.tables(), [1, 0, 1, 2]);
    world.send(callee, "[70,1,{},[1]]");
    world.send(callee, r#"[8,68,2,{},"com.example.error"]"#);
    assert_eq!(world.take(callee), [""; 0]);
    assert_eq!(world.tables(), [1, 0, 1, 0]);
    assert_eq!(world.router.stats().discarded_answers, 2);
}

#[test]
fn rtr_05_cancel_falls_back_to_skip() {
    for mode in ["skip", "kill", "killnowait"] {
        let mut world = World::new(config());
        let (caller, callee) = (world.client(), world.client());
        world.send(callee, r#"[64,1,{},"com.example.a"]"#);
        world.send(caller, r#"[48,1,{},"com.example.a"]"#);
        world.drain();
        world.send(caller, &format!(r#"[49,1,{{"mode":"{mode}"}}]"#));
        assert_eq!(world.take(caller), [r#"[8,48,1,{},"wamp.error.canceled"]"#]);
        world.send(caller, r#"[49,1,{"mode":"skip"}]"#);
        world.send(caller, r#"[49,77,{}]"#);
        world.send(callee, "[70,1,{},[1]]");
        assert_eq!(world.take(caller), [""; 0]);
        assert_eq!(world.take(callee), ["[65,1,1]", "[68,1,1,{}]"]);
        assert_eq!(world.tables(), [2, 0, 1, 0]);
    }
}

#[test]
fn reserved_procedures_cannot_be_registered() {
    let mut world = World::new(config());
    let peer = world.client();
    world.send(peer, r#"[64,1,{},"wamp.session.count"]"#);
    world.send(peer, r#"[64,2,{},"wampish.thing"]"#);
    assert_eq!(world.take(peer), [r#"[8,64,1,{},"wamp.error.invalid_uri"]"#, "[65,2,1]"]);
}

#[test]
fn msg_012_options_of_ones_own_are_for_the_router_and_details_of_errors_for_the_caller() {
    let mut world = World::new(config());
    let (caller, callee) = (world.client(), world.client());
    world.send(callee, r#"[64,1,{},"a.b"]"#);
    world.send(callee, r#"[32,2,{},"a.t"]"#);
    world.take(callee);
    let own = r#"{"_my_own":1,"x_own":[2]}"#;
    for request in 1..=2 {
        world.send(caller, &format!(r#"[48,{request},{own},"a.b"]"#));
        assert_eq!(world.one(callee), format!("[68,{request},1,{{}}]"));
    }
    world.send(callee, &format!("[70,1,{own}]"));
    world.send(callee, &format!(r#"[8,68,2,{own},"a.error"]"#));
    assert_eq!(world.take(caller), ["[50,1,{}]".to_owned(), format!(r#"[8,48,2,{own},"a.error"]"#)]);
    world.send(caller, &format!(r#"[16,3,{own},"a.t"]"#));
    assert!(world.one(callee).ends_with(",{}]"));
}
