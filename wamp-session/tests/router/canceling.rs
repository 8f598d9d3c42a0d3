//! How calls end without a result: CANCEL, timeouts, sessions that leave, and what becomes of late answers.

use std::time::Duration;

use wamp_session::router::RouterLimits;

use crate::world::{World, called, config, registered};

const CANCELED: &str = r#"[8,48,1,{},"wamp.error.canceled"]"#;
const INTERRUPT: &str = r#"[69,1,{"mode":"killnowait"}]"#;

#[test]
fn rtr_05_skip_answers_at_once_and_leaves_the_callee_alone() {
    let (mut world, caller, callee) = called("");
    world.take(callee);
    world.send(caller, r#"[49,1,{"mode":"skip"}]"#);
    assert_eq!(world.one(caller), CANCELED);
    assert_eq!(world.take(callee), [""; 0]);
    assert_eq!(world.tables(), [2, 0, 1, 1]);
    world.send(callee, "[70,1,{},[1]]");
    assert_eq!(world.take(caller), [""; 0]);
    assert_eq!(world.tables(), [2, 0, 1, 0]);
    assert_eq!(world.router.stats().discarded_answers, 1);
}

#[test]
fn rtr_05_killnowait_answers_at_once_and_interrupts() {
    for mode in [r#"{"mode":"killnowait"}"#, "{}"] {
        let (mut world, caller, callee) = called("");
        world.take(callee);
        world.send(caller, &format!("[49,1,{mode}]"));
        assert_eq!(world.one(caller), CANCELED);
        assert_eq!(world.one(callee), INTERRUPT);
        assert_eq!(world.tables(), [2, 0, 1, 0], "no answer is waited for");
        // One may have crossed the INTERRUPT: once, with parts before it.
        world.send(callee, r#"[70,1,{"progress":true},[1]]"#);
        world.send(callee, "[70,1,{},[1]]");
        assert_eq!(world.take(caller), [""; 0]);
        assert_eq!(world.router.stats().discarded_answers, 2);
        assert_eq!(world.closed(callee), None);
        world.send(callee, "[70,1,{},[1]]");
        world.assert_violation(callee);
    }
}

#[test]
fn rtr_05_kill_interrupts_and_waits_for_the_answer() {
    for (answer, result) in [
        (r#"[8,68,1,{},"wamp.error.canceled",["half"]]"#, r#"[8,48,1,{},"wamp.error.canceled",["half"]]"#),
        ("[70,1,{},[7]]", "[50,1,{},[7]]"),
    ] {
        let (mut world, caller, callee) = called("");
        world.take(callee);
        for _ in 0..2 {
            world.send(caller, r#"[49,1,{"mode":"kill"}]"#);
        }
        assert_eq!(world.one(callee), r#"[69,1,{"mode":"kill"}]"#);
        assert_eq!(world.take(caller), [""; 0]);
        world.send(callee, answer);
        assert_eq!(world.one(caller), result);
        assert_eq!(world.tables(), [2, 0, 1, 0]);
    }
}

#[test]
fn rtr_05_a_caller_may_lose_patience_after_kill() {
    let (mut world, caller, callee) = called("");
    world.take(callee);
    world.send(caller, r#"[49,1,{"mode":"kill"}]"#);
    world.send(caller, r#"[49,1,{"mode":"killnowait"}]"#);
    assert_eq!(world.one(caller), CANCELED);
    // The callee has been told, and is to answer that.
    assert_eq!(world.one(callee), r#"[69,1,{"mode":"kill"}]"#);
    world.send(callee, r#"[8,68,1,{},"wamp.error.canceled"]"#);
    assert_eq!(world.take(caller), [""; 0]);
    assert_eq!(world.tables(), [2, 0, 1, 0]);
}

#[test]
fn rtr_05_cancelling_ends_the_input() {
    for mode in ["skip", "kill", "killnowait"] {
        let (mut world, caller, callee) = called(r#""progress":true"#);
        world.send(caller, &format!(r#"[49,1,{{"mode":"{mode}"}}]"#));
        world.take(callee);
        world.send(caller, r#"[48,1,{"progress":true},"a.b",["late"]]"#);
        world.send(caller, r#"[48,1,{},"a.b",["late"]]"#);
        assert_eq!(world.take(callee), [""; 0], "{mode}");
        assert_eq!(world.router.stats().discarded_calls, 2);
        assert_eq!(world.closed(caller), None);
    }
}

#[test]
fn rtr_05_when_a_caller_leaves_its_callees_are_interrupted() {
    for (goodbye, options) in [(true, ""), (false, ""), (false, r#""progress":true,"receive_progress":true"#)] {
        let (mut world, caller, callee) = called(options);
        world.take(callee);
        if goodbye {
            world.send(caller, r#"[6,{},"wamp.close.close_realm"]"#);
        } else {
            world.router.handle_closed(world.now, caller);
        }
        assert_eq!(world.one(callee), INTERRUPT);
        assert_eq!(world.tables(), [1, 0, 1, 0]);
        world.send(callee, r#"[8,68,1,{},"wamp.error.canceled"]"#);
        assert_eq!(world.take(callee), [""; 0]);
        assert_eq!(world.closed(callee), None);
    }
    // One that is to be killed is to answer that.
    let (mut world, caller, callee) = called("");
    world.send(caller, r#"[49,1,{"mode":"kill"}]"#);
    world.take(callee);
    world.router.handle_closed(world.now, caller);
    assert_eq!(world.take(callee), [""; 0]);
    assert_eq!(world.tables(), [1, 0, 1, 1]);
}

#[test]
fn rtr_05_when_a_callee_leaves_a_progressive_call_is_canceled() {
    let (mut world, caller, callee) = called(r#""progress":true,"receive_progress":true"#);
    world.send(callee, r#"[70,1,{"progress":true},[1]]"#);
    world.router.handle_closed(world.now, callee);
    assert_eq!(world.take(caller), [r#"[50,1,{"progress":true},[1]]"#, CANCELED]);
    world.send(caller, r#"[48,1,{},"a.b"]"#);
    assert_eq!(world.take(caller), [""; 0]);
    assert_eq!(world.tables(), [1, 0, 0, 0]);
}

#[test]
fn rtr_06_the_dealer_ends_a_call_after_its_timeout_in_milliseconds() {
    let (mut world, caller, callee) = called(r#""timeout":1500"#);
    assert_eq!(world.one(callee), r#"[68,1,1,{},["in"]]"#);
    assert_eq!(world.router.poll_timeout(), world.now.checked_add(Duration::from_millis(1500)));
    world.advance(Duration::from_millis(1499));
    assert_eq!(world.take(caller), [""; 0]);
    world.advance(Duration::from_millis(1));
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.timeout"]"#);
    assert_eq!(world.one(callee), r#"[69,1,{"mode":"killnowait","reason":"wamp.error.timeout"}]"#);
    assert_eq!(world.router.poll_timeout(), None);
    world.send(callee, "[70,1,{}]");
    assert_eq!(world.take(caller), [""; 0]);
    assert_eq!(world.tables(), [2, 0, 1, 0]);
}

#[test]
fn rtr_06_a_timeout_at_a_callee_that_is_not_interruptible_is_mode_skip() {
    let mut world = World::new(config());
    let (caller, callee) = (world.client(), world.client());
    registered(&mut world, callee, "");
    world.send(caller, r#"[48,1,{"timeout":10},"a.b"]"#);
    world.take(callee);
    world.advance(Duration::from_millis(10));
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.timeout"]"#);
    assert_eq!(world.take(callee), [""; 0]);
    assert_eq!(world.tables(), [2, 0, 1, 1]);
    world.send(callee, "[70,1,{}]");
    assert_eq!(world.tables(), [2, 0, 1, 0]);
}

#[test]
fn rtr_06_no_timeout_is_none() {
    for options in ["", r#""timeout":0"#, r#""timeout":18446744073709551615"#] {
        let (mut world, caller, callee) = called(options);
        assert_eq!(world.router.poll_timeout(), None, "{options}");
        world.advance(Duration::from_secs(1_000_000));
        world.send(callee, "[70,1,{}]");
        assert_eq!(world.one(caller), "[50,1,{}]");
    }
}

#[test]
fn rtr_06_an_answer_in_time_ends_the_timeout() {
    for answer in ["[70,1,{}]", r#"[8,68,1,{},"a.error"]"#] {
        let (mut world, caller, callee) = called(r#""timeout":10"#);
        world.send(callee, answer);
        world.take(caller);
        assert_eq!(world.router.poll_timeout(), None);
        world.advance(Duration::from_millis(10));
        assert_eq!(world.take(caller), [""; 0]);
    }
    let (mut world, caller, callee) = called(r#""timeout":10"#);
    world.send(caller, "[49,1,{}]");
    assert_eq!(world.router.poll_timeout(), None);
    world.router.handle_closed(world.now, callee);
    assert_eq!(world.one(caller), CANCELED);
}

#[test]
fn rtr_06_a_timeout_ends_a_call_that_is_being_killed() {
    let (mut world, caller, callee) = called(r#""timeout":10"#);
    world.send(caller, r#"[49,1,{"mode":"kill"}]"#);
    world.advance(Duration::from_millis(10));
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.timeout"]"#);
    assert_eq!(world.take(callee).last().unwrap(), r#"[69,1,{"mode":"kill"}]"#);
    world.send(callee, r#"[8,68,1,{},"wamp.error.canceled"]"#);
    assert_eq!(world.take(caller), [""; 0]);
}

#[test]
fn rtr_06_a_callee_that_asks_for_timeouts_looks_after_them() {
    let mut world = World::new(config());
    let (caller, callee) = (world.featured(), world.featured());
    registered(&mut world, callee, r#""forward_timeout":true"#);
    world.send(caller, r#"[48,1,{"timeout":50},"a.b"]"#);
    assert_eq!(world.one(callee), r#"[68,1,1,{"timeout":50}]"#);
    assert_eq!(world.router.poll_timeout(), None);
    world.advance(Duration::from_secs(1));
    world.send(callee, r#"[8,68,1,{},"wamp.error.timeout"]"#);
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.timeout"]"#);
    for options in ["", r#""timeout":0"#] {
        let request = if options.is_empty() { 2 } else { 3 };
        world.send(caller, &format!(r#"[48,{request},{{{options}}},"a.b"]"#));
        assert_eq!(world.one(callee), format!("[68,{request},1,{{}}]"));
    }
    // One that is later than the end of time is the callee's as well.
    world.send(caller, r#"[48,4,{"timeout":18446744073709551615},"a.b"]"#);
    assert_eq!(world.one(callee), r#"[68,4,1,{"timeout":18446744073709551615}]"#);
    world.send(caller, r#"[48,5,{"timeout":50,"receive_progress":true},"a.b"]"#);
    world.take(callee);
    world.send(callee, r#"[70,5,{"progress":true}]"#);
    assert_eq!(world.router.poll_timeout(), None, "the gaps are the callee's as well");
}

#[test]
fn rtr_06_timeouts_are_only_left_to_callees_that_know_them() {
    let mut world = World::new(config());
    let (caller, callee) = (world.featured(), world.without("call_timeout"));
    registered(&mut world, callee, r#""forward_timeout":true"#);
    world.send(caller, r#"[48,1,{"timeout":50},"a.b"]"#);
    assert_eq!(world.one(callee), "[68,1,1,{}]");
    world.advance(Duration::from_millis(50));
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.timeout"]"#);
}

#[test]
fn pcr_12_with_progress_the_timeout_is_that_of_each_gap() {
    let (mut world, caller, callee) = called(r#""timeout":100,"receive_progress":true"#);
    for _ in 0..5 {
        world.advance(Duration::from_millis(99));
        world.send(callee, r#"[70,1,{"progress":true}]"#);
        assert_eq!(world.one(caller), r#"[50,1,{"progress":true}]"#);
    }
    world.advance(Duration::from_millis(99));
    assert_eq!(world.take(caller), [""; 0]);
    world.advance(Duration::from_millis(1));
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.timeout"]"#);
}

#[test]
fn pcr_12_progress_that_nobody_takes_does_not_prolong_a_call() {
    let (mut world, caller, callee) = called(r#""timeout":100"#);
    world.advance(Duration::from_millis(60));
    world.send(callee, r#"[70,1,{"progress":true}]"#);
    world.advance(Duration::from_millis(40));
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.timeout"]"#);
}

#[test]
fn pcr_12_more_input_does_not_prolong_a_call() {
    let (mut world, caller, _) = called(r#""timeout":100,"progress":true"#);
    world.advance(Duration::from_millis(60));
    world.send(caller, r#"[48,1,{"progress":true,"timeout":100},"a.b"]"#);
    world.advance(Duration::from_millis(40));
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.timeout"]"#);
}

#[test]
fn interrupted_invocations_are_limited() {
    let mut world = World::new(config().limits(RouterLimits::new().max_calls(2)));
    let (caller, callee) = (world.featured(), world.featured());
    registered(&mut world, callee, "");
    for request in 1..=5 {
        world.send(caller, &format!(r#"[48,{request},{{}},"a.b"]"#));
        world.send(caller, &format!("[49,{request},{{}}]"));
    }
    assert_eq!(world.take(callee).len(), 10, "an interrupted invocation makes room");
    world.send(callee, "[70,4,{}]");
    world.send(callee, "[70,5,{}]");
    // A caller that cancels faster than its callee reads must not bring the callee down.
    world.send(callee, r#"[70,2,{"progress":true}]"#);
    world.send(callee, "[70,2,{}]");
    world.send(callee, r#"[8,68,3,{},"com.example.late"]"#);
    assert_eq!(world.closed(callee), None);
    assert_eq!(world.router.stats().discarded_answers, 5);
    // Of those that are not forgotten, each is answered once.
    world.send(callee, "[70,4,{}]");
    world.assert_violation(callee);
}
