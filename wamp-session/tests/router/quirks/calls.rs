//! How calls go and end.

use std::time::Duration;

use wamp_session::router::{PeerId, Quirks, RealmConfig};

use super::{callee, join, quirky, world};
use crate::world::{FEATURED, World};

/// A caller and a callee of `com.example.a` with the features of calls.
fn featured(quirks: Quirks) -> (World, PeerId, PeerId) {
    let mut world = world(quirks);
    let (caller, callee) = (world.featured(), world.featured());
    world.send(callee, r#"[64,1,{},"com.example.a"]"#);
    world.take(callee);
    (world, caller, callee)
}

#[test]
fn rtr_14_a_kill_may_cancel_whatever_the_callee_answers() {
    let canceled = r#"[8,48,1,{},"wamp.error.canceled"]"#;
    for answer in ["[70,1,{},[7]]", r#"[70,1,{"progress":true},[7]]"#, r#"[8,68,1,{},"com.example.error",[7]]"#] {
        for (quirks, is_canceled) in [(Quirks::none(), false), (Quirks::none().kill_cancels(), true)] {
            let (mut world, caller, callee) = featured(quirks);
            world.send(caller, r#"[48,1,{"receive_progress":true},"com.example.a"]"#);
            world.send(caller, r#"[49,1,{"mode":"kill"}]"#);
            assert_eq!(world.take(callee).pop().unwrap(), r#"[69,1,{"mode":"kill"}]"#);
            assert_eq!(world.take(caller), [""; 0], "the callee answers first");
            world.send(callee, answer);
            assert_eq!(world.one(caller) == canceled, is_canceled, "{answer}");
            assert_eq!(
                world.router.pending_invocations("realm1"),
                usize::from(!is_canceled && answer.contains("progress"))
            );
        }
    }
}

#[test]
fn rtr_14_an_interrupt_may_have_no_mode_or_a_reason() {
    let none = Quirks::none();
    for (quirks, cancel, options) in [
        (none, "{}", r#"{"mode":"killnowait"}"#),
        (none.interrupt_without_mode(), "{}", "{}"),
        (none.interrupt_without_mode(), r#"{"mode":"killnowait"}"#, r#"{"mode":"killnowait"}"#),
        (none.interrupt_with_reason(), r#"{"mode":"kill"}"#, r#"{"mode":"kill","reason":"wamp.error.canceled"}"#),
        (none.interrupt_with_reason(), "{}", r#"{"mode":"killnowait","reason":"wamp.error.canceled"}"#),
    ] {
        let (mut world, caller, callee) = featured(quirks);
        world.send(caller, r#"[48,1,{},"com.example.a"]"#);
        world.send(caller, &format!("[49,1,{cancel}]"));
        assert_eq!(world.take(callee).pop().unwrap(), format!("[69,1,{options}]"));
    }
}

#[test]
fn rtr_14_each_late_part_of_a_result_may_be_answered_with_an_interrupt() {
    for (quirks, interrupts) in [(Quirks::none(), 0), (Quirks::none().interrupt_late_progress(), 3)] {
        let (mut world, caller, callee) = featured(quirks.no_interrupt_on_leave());
        world.send(caller, r#"[48,1,{"receive_progress":true},"com.example.a"]"#);
        world.take(callee);
        world.router.handle_closed(world.now, caller);
        for _ in 0..3 {
            world.send(callee, r#"[70,1,{"progress":true},[1]]"#);
        }
        assert_eq!(world.take(callee), vec![r#"[69,1,{"mode":"killnowait"}]"#; interrupts]);
        world.send(callee, "[70,1,{}]");
        assert_eq!(world.take(callee), [""; 0], "the result is not");
        assert_eq!(world.router.pending_invocations("realm1"), 0);
    }
}

#[test]
fn rtr_14_a_call_may_never_end_whose_callee_has_left() {
    for (quirks, answers) in [(Quirks::none(), 1), (Quirks::none().no_cancel_on_leave(), 0)] {
        let (mut world, caller, callee) = featured(quirks);
        world.send(caller, r#"[48,1,{},"com.example.a"]"#);
        world.router.handle_closed(world.now, callee);
        assert_eq!(world.take(caller).len(), answers);
        assert_eq!(world.router.pending_invocations("realm1"), 0);
    }
}

#[test]
fn rtr_14_stray_answers_may_be_ignored() {
    let (mut world, caller, callee) = featured(Quirks::none().ignore_stray_answers());
    world.send(caller, r#"[48,1,{},"com.example.a"]"#);
    for answer in [
        "[70,1,{},[1]]",
        "[70,1,{},[2]]",
        r#"[70,1,{"progress":true}]"#,
        r#"[8,68,1,{},"a.b"]"#,
        "[70,99,{}]",
        r#"[8,68,99,{},"a.b"]"#,
    ] {
        world.send(callee, answer);
    }
    assert_eq!(world.one(caller), "[50,1,{},[1]]");
    assert_eq!((world.closed(callee), world.router.stats().discarded_answers), (None, 5));
}

#[test]
fn rtr_14_timeouts_may_be_told_and_kept_or_ignored() {
    let none = Quirks::none();
    for (quirks, details, answers) in [
        (none, "{}", 1),
        (none.tell_timeouts(), r#"{"timeout":3000}"#, 1),
        (none.tell_timeouts().timeouts_in_seconds(), r#"{"timeout":3000}"#, 0),
        (none.ignore_timeouts(), "{}", 0),
        (none.tell_timeouts().ignore_timeouts(), "{}", 0),
    ] {
        let (mut world, caller, callee) = featured(quirks);
        world.send(caller, r#"[48,1,{"timeout":3000},"com.example.a"]"#);
        assert_eq!(world.one(callee), format!("[68,1,1,{details}]"));
        world.advance(Duration::from_secs(3));
        assert_eq!(world.take(caller).len(), answers, "{details}");
    }
}

#[test]
fn rtr_14_a_caller_without_cancelling_may_not_be_told_of_its_timeout() {
    let mut world = world(Quirks::none().timeouts_cancel());
    let ((callee, _), caller) = (callee(&mut world), world.client());
    world.send(caller, r#"[48,1,{"timeout":10},"com.example.a"]"#);
    world.take(callee);
    world.advance(Duration::from_millis(10));
    assert_eq!(world.take(caller), [""; 0]);
    assert_eq!(world.one(callee), r#"[69,1,{"mode":"killnowait"}]"#);
    assert_eq!(world.router.poll_timeout(), None);
}

#[test]
fn rtr_14_callees_may_be_told_of_progress_that_they_do_not_know() {
    for (quirks, details) in
        [(Quirks::none(), "{}"), (Quirks::none().tell_receive_progress(), r#"{"receive_progress":true}"#)]
    {
        let mut world = world(quirks);
        let (caller, callee) = (world.client(), world.client());
        world.send(callee, r#"[64,1,{},"com.example.a"]"#);
        world.take(callee);
        world.send(caller, r#"[48,1,{"receive_progress":true},"com.example.a"]"#);
        world.send(caller, r#"[48,2,{"receive_progress":false},"com.example.a"]"#);
        let expected = [format!("[68,1,1,{details}]"), "[68,2,1,{}]".to_owned()];
        assert_eq!(world.take(callee), expected);
    }
}

#[test]
fn rtr_14_a_part_of_a_result_may_be_taken_for_the_result() {
    let (mut world, caller, callee) = featured(Quirks::none().progress_ends_call());
    world.send(caller, r#"[48,1,{},"com.example.a"]"#);
    world.send(caller, r#"[48,2,{"receive_progress":true},"com.example.a"]"#);
    for request in [1, 2] {
        world.send(callee, &format!(r#"[70,{request},{{"progress":true}},[{request}]]"#));
    }
    assert_eq!(world.take(caller), ["[50,1,{},[1]]", r#"[50,2,{"progress":true},[2]]"#]);
    assert_eq!(world.router.pending_invocations("realm1"), 1);
}

#[test]
fn rtr_14_each_call_of_a_stream_may_be_a_call_of_its_own() {
    let (mut world, caller, callee) = featured(Quirks::none().no_progressive_calls().any_request_id());
    world.send(caller, r#"[48,1,{"progress":true},"com.example.a",[1]]"#);
    world.send(caller, r#"[48,1,{},"com.example.a",[2]]"#);
    assert_eq!(world.take(callee), ["[68,1,1,{},[1]]", "[68,2,1,{},[2]]"]);
    world.send(callee, "[70,1,{},[1]]");
    world.send(callee, "[70,2,{},[2]]");
    assert_eq!(world.take(caller), ["[50,1,{},[1]]", "[50,1,{},[2]]"]);
    world.router.handle_closed(world.now, caller);
    assert_eq!((world.take(callee).len(), world.router.pending_invocations("realm1")), (0, 0));
}

#[test]
fn rtr_14_input_for_a_call_that_is_over_may_begin_another_one() {
    for (quirks, invocations) in [(Quirks::none(), 0), (Quirks::none().late_input_calls().any_request_id(), 1)] {
        let (mut world, caller, callee) = featured(quirks);
        world.send(caller, r#"[48,1,{"progress":true},"com.example.a",[1]]"#);
        world.send(caller, r#"[48,1,{"progress":true},"com.example.a",[2]]"#);
        world.take(callee);
        world.send(callee, "[70,1,{}]");
        world.send(caller, r#"[48,1,{},"com.example.a",[3]]"#);
        assert_eq!(world.take(callee), vec!["[68,2,1,{},[3]]"; invocations]);
    }
}

#[test]
fn rtr_14_details_of_errors_may_be_lost() {
    for (quirks, details) in [(Quirks::none(), r#"{"_x_hint":1}"#), (Quirks::none().drop_error_details(), "{}")] {
        let (mut world, caller, callee) = featured(quirks);
        world.send(caller, r#"[48,1,{},"com.example.a"]"#);
        world.send(callee, r#"[8,68,1,{"_x_hint":1},"com.example.error",["a"]]"#);
        assert_eq!(world.one(caller), format!(r#"[8,48,1,{details},"com.example.error",["a"]]"#));
    }
}

#[test]
fn rtr_14_a_call_that_is_declined_may_not_go_to_another_callee() {
    for (quirks, error) in [(Quirks::none(), "no_available_callee"), (Quirks::none().no_rerouting(), "unavailable")] {
        let (mut world, caller, callee) = featured(quirks);
        world.send(caller, r#"[48,1,{},"com.example.a"]"#);
        world.send(callee, r#"[8,68,1,{},"wamp.error.unavailable"]"#);
        assert_eq!(world.one(caller), format!(r#"[8,48,1,{{}},"wamp.error.{error}"]"#));
    }
}

#[test]
fn rtr_14_keys_of_calls_may_be_ignored() {
    let mut world = world(Quirks::none().no_sharding());
    let callees = [(); 2].map(|()| world.featured());
    let caller = world.featured();
    for callee in callees {
        world.send(callee, r#"[64,1,{"invoke":"roundrobin"},"com.example.a"]"#);
        world.take(callee);
    }
    for request in 1..=2 {
        world.send(caller, &format!(r#"[48,{request},{{"runmode":"partition","rkey":"k"}},"com.example.a"]"#));
    }
    assert_eq!(callees.map(|callee| world.take(callee).len()), [1, 1]);
    world.send(caller, r#"[48,3,{"runmode":"whatever"},"com.example.a"]"#);
    assert_eq!(world.take(caller), [""; 0]);
}

/// A caller and a callee, of which those named announce payload passthru mode.
fn sealing(quirks: Quirks, roles: &[&str]) -> (World, PeerId, PeerId) {
    let mut world = World::new(quirky(quirks, RealmConfig::new("realm1").unwrap().anonymous("guest")));
    let hello = |role: &str| {
        let known = format!(r#""{role}":{{"features":{{"#);
        let mode = if roles.contains(&role) { r#""payload_passthru_mode":true,"# } else { "" };
        FEATURED.replace(&known, &format!("{known}{mode}"))
    };
    let (caller, callee) = (world.greet(&hello("caller")), world.greet(&hello("callee")));
    world.send(callee, r#"[64,1,{},"com.example.a"]"#);
    world.take(caller);
    world.take(callee);
    (world, caller, callee)
}

#[test]
fn rtr_14_a_sealed_result_may_be_refused_under_the_type_of_yield() {
    let quirks = Quirks::none().error_to_yield();
    let error = r#"[8,70,1,{},"wamp.error.feature_not_supported"]"#;
    let yielded = r#"[70,1,{"ppt_scheme":"x_s"},["c2VhbGVk"]]"#;
    // The caller lacks the feature.
    let (mut world, caller, callee) = sealing(quirks, &["callee"]);
    world.send(caller, r#"[48,1,{},"com.example.a"]"#);
    world.take(callee);
    world.send(callee, yielded);
    assert_eq!((world.take(callee), world.take(caller)), (vec![error.to_owned()], vec![]));
    // The callee lacks it, and uses it: the caller is told under the callee's id.
    let (mut world, caller, callee) = sealing(quirks, &["caller"]);
    world.send(caller, r#"[48,1,{},"com.example.a"]"#);
    world.take(callee);
    world.send(callee, yielded);
    world.assert_violation(callee);
    assert_eq!(world.take(caller), [error]);
    assert_eq!(world.router.pending_invocations("realm1"), 0);
    // Without the habit it is answered as a call.
    let (mut world, caller, callee) = sealing(Quirks::none(), &["callee"]);
    world.send(caller, r#"[48,1,{},"com.example.a"]"#);
    world.send(callee, yielded);
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.feature_not_supported"]"#);
}

#[test]
fn rtr_14_the_attributes_of_a_sealed_payload_may_be_lost() {
    let (mut world, caller, callee) = sealing(Quirks::none().drop_passthru(), &[]);
    let sealed = r#"{"ppt_scheme":"x_s","ppt_serializer":"cbor","ppt_cipher":"c","ppt_keyid":"k"}"#;
    world.send(caller, &format!(r#"[48,1,{sealed},"com.example.a",["x"]]"#));
    assert_eq!(world.one(callee), r#"[68,1,1,{},["x"]]"#);
    world.send(callee, &format!(r#"[70,1,{sealed},["y"]]"#));
    assert_eq!(world.one(caller), r#"[50,1,{},["y"]]"#);
    world.send(caller, r#"[48,2,{},"com.example.a"]"#);
    world.take(callee);
    world.send(callee, &format!(r#"[8,68,2,{sealed},"a.b",["z"]]"#));
    assert_eq!(world.one(caller), r#"[8,48,2,{},"a.b",["z"]]"#);
}

#[test]
fn rtr_14_callers_may_be_disclosed_to_those_who_announce_it() {
    for (quirks, is_told) in [(Quirks::none(), true), (Quirks::none().disclose_to_announced(), false)] {
        let mut world = world(quirks);
        let knowing =
            FEATURED.replace(r#""callee":{"features":{"#, r#""callee":{"features":{"caller_identification":true,"#);
        let caller = join(&mut world);
        for (procedure, hello, is_told) in [("a.b", FEATURED, is_told), ("a.c", &knowing, true)] {
            let callee = world.greet(hello);
            world.send(callee, &format!(r#"[64,1,{{}},"{procedure}"]"#));
            world.take(callee);
            let request = if procedure == "a.b" { 1 } else { 2 };
            world.send(caller, &format!(r#"[48,{request},{{"disclose_me":true}},"{procedure}"]"#));
            assert_eq!(world.one(callee).contains(r#""caller":"#), is_told, "{procedure}");
        }
    }
}
