//! Progressive results and progressive invocations.

use wamp_session::Frame;
use wamp_session::proto::{
    Call, CallOptions, Format, IntoPayload, Message, RequestId, Uri, Yield, YieldOptions, encode,
};
use wamp_session::router::{PeerId, RouterLimits};

use crate::world::{FEATURED, World, called, config, registered};

#[test]
fn rtr_08_parts_of_a_result_reach_the_caller_at_once_and_in_order() {
    let (mut world, caller, callee) = called(r#""receive_progress":true"#);
    assert_eq!(world.one(callee), r#"[68,1,1,{"receive_progress":true},["in"]]"#);
    world.send(callee, r#"[70,1,{"progress":true},["Y2010",120]]"#);
    assert_eq!(world.one(caller), r#"[50,1,{"progress":true},["Y2010",120]]"#);
    world.send(callee, r#"[70,1,{"progress":true},[],{"foo":10}]"#);
    world.send(callee, r#"[70,1,{"progress":true}]"#);
    world.send(callee, r#"[70,1,{"progress":false},["Total",490]]"#);
    let rest =
        [r#"[50,1,{"progress":true},[],{"foo":10}]"#, r#"[50,1,{"progress":true}]"#, r#"[50,1,{},["Total",490]]"#];
    assert_eq!(world.take(caller), rest);
    assert_eq!(world.tables(), [2, 0, 1, 0]);
    world.send(callee, r#"[70,1,{"progress":true}]"#);
    world.assert_violation(callee);
}

#[test]
fn rtr_08_a_progressive_call_may_end_in_an_error() {
    let (mut world, caller, callee) = called(r#""receive_progress":true"#);
    world.send(callee, r#"[70,1,{"progress":true},[1]]"#);
    world.send(callee, r#"[8,68,1,{},"com.myapp.invalid_revenue_year",[1830]]"#);
    let end = r#"[8,48,1,{},"com.myapp.invalid_revenue_year",[1830]]"#;
    assert_eq!(world.take(caller), [r#"[50,1,{"progress":true},[1]]"#, end]);
}

#[test]
fn rtr_08_progress_is_suppressed_where_one_of_the_three_does_not_take_part() {
    // A callee must be interruptible, and both ends must have announced progress.
    let mut world = World::new(config());
    let callees = [world.without("call_canceling"), world.without("progressive_call_results"), world.featured()];
    let callers = [world.featured(), world.featured(), world.without("progressive_call_results")];
    for (n, (caller, callee)) in callers.into_iter().zip(callees).enumerate() {
        let id = n + 1;
        world.send(callee, &format!(r#"[64,1,{{}},"a.{id}"]"#));
        world.take(callee);
        world.send(caller, &format!(r#"[48,1,{{"receive_progress":true}},"a.{id}"]"#));
        assert_eq!(world.one(callee), format!("[68,1,{id},{{}}]"));
        world.send(callee, r#"[70,1,{"progress":true},["part"]]"#);
        assert_eq!(world.take(caller), [""; 0]);
        world.send(callee, r#"[70,1,{},["whole"]]"#);
        assert_eq!(world.one(caller), r#"[50,1,{},["whole"]]"#);
    }
    assert_eq!(world.router.stats().discarded_answers, 3);
}

#[test]
fn pcr_07_progress_that_nobody_asked_for_is_discarded() {
    let (mut world, caller, callee) = called("");
    assert_eq!(world.one(callee), r#"[68,1,1,{},["in"]]"#);
    world.send(callee, r#"[70,1,{"progress":true},["part"]]"#);
    world.send(callee, r#"[70,1,{},["whole"]]"#);
    assert_eq!(world.one(caller), r#"[50,1,{},["whole"]]"#);
}

#[test]
fn rtr_07_input_in_parts_is_one_invocation_and_its_options_are_those_of_the_first() {
    let options = r#""progress":true,"receive_progress":true,"disclose_me":true,"timeout":5000"#;
    let (mut world, caller, callee) = called(options);
    let first = world.one(callee);
    assert!(first.starts_with(r#"[68,1,1,{"caller":"#), "{first}");
    assert!(
        first.ends_with(r#""caller_authrole":"guest","receive_progress":true,"progress":true},["in"]]"#),
        "{first}"
    );
    world.send(caller, r#"[48,2,{},"a.none"]"#);
    world.take(caller);
    // What else it says does not count.
    world.send(caller, r#"[48,1,{"progress":true,"disclose_me":false,"receive_progress":false},"a.b",["more"]]"#);
    assert_eq!(world.one(callee), first.replace("in\"]", "more\"]"));
    world.send(callee, r#"[70,1,{"progress":true},["part"]]"#);
    world.send(caller, r#"[48,1,{},"a.b",["last"],{"k":1}]"#);
    let last = first.replace(r#","progress":true"#, "").replace(r#"["in"]"#, r#"["last"],{"k":1}"#);
    assert_eq!(world.one(callee), last);
    world.send(callee, "[70,1,{},[3]]");
    assert_eq!(world.take(caller), [r#"[50,1,{"progress":true},["part"]]"#, "[50,1,{},[3]]"]);
    assert_eq!(world.tables(), [2, 0, 1, 0]);
    // The next invocation has the next id.
    world.send(caller, r#"[48,3,{},"a.b"]"#);
    assert_eq!(world.one(callee), "[68,2,1,{}]");
}

#[test]
fn rtr_07_all_input_goes_to_one_callee() {
    let mut world = World::new(config());
    let (caller, one, other) = (world.featured(), world.featured(), world.featured());
    for callee in [one, other] {
        registered(&mut world, callee, r#""invoke":"roundrobin""#);
    }
    world.send(caller, r#"[48,1,{"progress":true},"a.b",[1]]"#);
    world.send(caller, r#"[48,2,{"progress":true},"a.b",[2]]"#);
    world.send(caller, r#"[48,1,{"progress":true},"a.b",[3]]"#);
    world.send(caller, r#"[48,2,{},"a.b",[4]]"#);
    world.send(caller, r#"[48,1,{},"a.b",[5]]"#);
    let progress = |n| format!(r#"[68,1,1,{{"progress":true}},[{n}]]"#);
    assert_eq!(world.take(one), [progress(1), progress(3), "[68,1,1,{},[5]]".to_owned()]);
    assert_eq!(world.take(other), [progress(2), "[68,1,1,{},[4]]".to_owned()]);
    // Even once it serves nothing any more.
    world.send(caller, r#"[48,3,{"progress":true},"a.b",[6]]"#);
    world.send(one, "[66,2,1]");
    world.send(caller, r#"[48,3,{},"a.b",[7]]"#);
    assert_eq!(world.take(one), [r#"[68,2,1,{"progress":true},[6]]"#, "[67,2]", "[68,2,1,{},[7]]"]);
}

#[test]
fn rtr_07_a_callee_that_cannot_take_parts_is_not_asked() {
    for feature in ["progressive_call_invocations", "call_canceling"] {
        let mut world = World::new(config());
        let caller = world.featured();
        let callee = world.without(feature);
        registered(&mut world, callee, "");
        world.send(caller, r#"[48,1,{"progress":true},"a.b",[1]]"#);
        assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.feature_not_supported"]"#);
        // What was on its way is nobody's.
        world.send(caller, r#"[48,1,{"progress":true},"a.b",[2]]"#);
        world.send(caller, r#"[48,1,{},"a.b",[3]]"#);
        assert_eq!(world.take(caller), [""; 0]);
        assert_eq!(world.take(callee), [""; 0]);
        assert_eq!(world.router.stats().discarded_calls, 2);
        assert_eq!(world.closed(caller), None);
    }
}

#[test]
fn rtr_07_input_for_a_call_that_is_over_is_discarded() {
    let (mut world, caller, callee) = called(r#""progress":true"#);
    world.send(callee, r#"[8,68,1,{},"a.enough"]"#);
    assert_eq!(world.one(caller), r#"[8,48,1,{},"a.enough"]"#);
    world.take(callee);
    for (options, discarded) in [(r#""progress":true"#, 1), (r#""progress":true"#, 2), ("", 3)] {
        world.send(caller, &format!(r#"[48,1,{{{options}}},"a.b",["late"]]"#));
        assert_eq!(world.router.stats().discarded_calls, discarded);
    }
    assert_eq!(world.take(callee), [""; 0]);
    assert_eq!(world.take(caller), [""; 0]);
    // After its last part nothing can be on its way.
    world.send(caller, r#"[48,1,{},"a.b"]"#);
    assert_eq!(world.assert_violation(caller), "CALL 1 continues no call that takes more");
}

#[test]
fn rtr_07_the_last_input_is_the_last() {
    let (mut world, caller, callee) = called(r#""progress":true"#);
    world.send(caller, r#"[48,1,{},"a.b",["last"]]"#);
    assert_eq!(world.take(callee).len(), 2);
    world.send(caller, r#"[48,1,{},"a.b",["more"]]"#);
    assert_eq!(world.assert_violation(caller), "CALL 1 continues no call that takes more");
    assert_eq!(world.take(callee), [r#"[69,1,{"mode":"killnowait"}]"#]);
}

#[test]
fn rtr_07_request_ids_are_checked_against_a_watermark() {
    let violations = [
        // A gap.
        (r#"[48,4,{},"a.b"]"#, "CALL has the request id 4 instead of 3"),
        // A call without parts.
        (r#"[48,2,{},"a.b"]"#, "CALL 2 continues no call that takes more"),
        (r#"[48,2,{"progress":true},"a.b"]"#, "CALL 2 continues no call that takes more"),
        // Another procedure.
        (r#"[48,1,{"progress":true},"a.c"]"#, "CALL 1 continues no call of a.c"),
    ];
    for (message, violation) in violations {
        let (mut world, caller, callee) = called(r#""progress":true"#);
        world.send(caller, r#"[48,2,{},"a.b"]"#);
        world.send(caller, message);
        assert_eq!(world.assert_violation(caller), violation);
        world.take(callee);
    }
    // One watermark over all types of requests.
    let (mut world, caller, _) = called(r#""progress":true"#);
    world.send(caller, r#"[64,2,{},"a.c"]"#);
    world.send(caller, r#"[48,1,{"progress":true},"a.b"]"#);
    world.send(caller, r#"[48,3,{},"a.b"]"#);
    world.send(caller, r#"[48,2,{"progress":true},"a.c"]"#);
    assert_eq!(world.assert_violation(caller), "CALL 2 continues no call that takes more");
}

#[test]
fn pci_10_a_caller_that_has_not_announced_parts_breaks_the_protocol() {
    let mut world = World::new(config());
    let callee = world.featured();
    registered(&mut world, callee, "");
    let caller = world.without("progressive_call_invocations");
    world.send(caller, r#"[48,1,{"progress":true},"a.b"]"#);
    assert_eq!(world.assert_violation(caller), "CALL is progressive, which the caller does not announce");
    let caller = world.client();
    world.send(caller, r#"[48,1,{},"a.b"]"#);
    world.send(caller, r#"[48,1,{},"a.b"]"#);
    assert_eq!(world.assert_violation(caller), "CALL has the request id 1 instead of 2");
}

#[test]
fn open_inputs_are_limited() {
    let mut world = World::new(config().limits(RouterLimits::new().max_inputs(2)));
    let (caller, callee) = (world.featured(), world.featured());
    registered(&mut world, callee, "");
    for request in 1..=4 {
        world.send(caller, &format!(r#"[48,{request},{{"progress":true}},"a.b"]"#));
    }
    // Those that are under way are not forgotten.
    world.send(caller, r#"[48,1,{"progress":true},"a.b"]"#);
    assert_eq!(world.take(callee).len(), 5);
    for request in 1..=4 {
        world.send(callee, &format!("[70,{request},{{}}]"));
    }
    for request in 3..=4 {
        world.send(caller, &format!(r#"[48,{request},{{"progress":true}},"a.b"]"#));
    }
    // The caller may not know that it has ended: nobody can tell any more whether it took more.
    world.send(caller, r#"[48,2,{"progress":true},"a.b"]"#);
    assert_eq!(world.closed(caller), None);
    assert_eq!(world.router.stats().discarded_calls, 3);
    world.send(caller, r#"[48,3,{},"a.b"]"#);
    world.send(caller, r#"[48,3,{},"a.b"]"#);
    assert_eq!(world.assert_violation(caller), "CALL 3 continues no call that takes more");
}

#[test]
fn progress_in_both_directions_reaches_sessions_of_every_format() {
    const PAYLOAD: &str = r#"["a€",-1,1.5,null,true,"\u0000AAEC/w==",{"b":[[]]}],{"k":18446744073709551615}"#;
    for of_caller in Format::ALL {
        for of_callee in Format::ALL {
            let mut world = World::new(config());
            let caller = world.join_as(*of_caller, FEATURED);
            let callee = world.join_as(*of_callee, FEATURED);
            world.send(callee, r#"[64,1,{},"a.b"]"#);
            world.take(callee);
            let both = r#""receive_progress":true,"progress":true"#;
            for _ in 0..2 {
                world.send(caller, &format!(r#"[48,1,{{{both}}},"a.b",{PAYLOAD}]"#));
                assert_eq!(world.one(callee), format!("[68,1,1,{{{both}}},{PAYLOAD}]"));
                world.send(callee, &format!(r#"[70,1,{{"progress":true}},{PAYLOAD}]"#));
                assert_eq!(world.one(caller), format!(r#"[50,1,{{"progress":true}},{PAYLOAD}]"#));
            }
            world.send(caller, &format!(r#"[48,1,{{}},"a.b",{PAYLOAD}]"#));
            assert_eq!(world.one(callee), format!(r#"[68,1,1,{{"receive_progress":true}},{PAYLOAD}]"#));
            world.send(callee, &format!("[70,1,{{}},{PAYLOAD}]"));
            assert_eq!(world.one(caller), format!("[50,1,{{}},{PAYLOAD}]"));
        }
    }
}

#[test]
fn input_that_a_format_cannot_carry_ends_the_call_at_both_ends() {
    let mut world = World::new(config());
    let (caller, callee) = (world.join_as(Format::MsgPack, FEATURED), world.featured());
    registered(&mut world, callee, "");
    world.send(caller, r#"[48,1,{"progress":true},"a.b",[1]]"#);
    world.take(callee);
    let mut options = CallOptions::default();
    options.progress = Some(true);
    let payload = (f64::NAN,).into_payload(Format::MsgPack).unwrap();
    let call = Call { request: RequestId::MIN, options, procedure: Uri::new("a.b").unwrap(), payload };
    send_binary(&mut world, caller, call);
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.invalid_payload"]"#);
    assert_eq!(world.one(callee), r#"[69,1,{"mode":"killnowait"}]"#);
    assert_eq!(world.tables(), [2, 0, 1, 0]);
}

#[test]
fn a_part_of_a_result_that_a_format_cannot_carry_ends_the_call_at_both_ends() {
    let mut world = World::new(config());
    let (caller, callee) = (world.featured(), world.join_as(Format::MsgPack, FEATURED));
    world.send(callee, r#"[64,1,{},"a.b"]"#);
    world.send(caller, r#"[48,1,{"receive_progress":true},"a.b"]"#);
    world.take(callee);
    let mut options = YieldOptions::default();
    options.progress = Some(true);
    let payload = (f64::NAN,).into_payload(Format::MsgPack).unwrap();
    send_binary(&mut world, callee, Yield { request: RequestId::MIN, options, payload });
    assert_eq!(world.one(caller), r#"[8,48,1,{},"wamp.error.invalid_payload"]"#);
    assert_eq!(world.one(callee), r#"[69,1,{"mode":"killnowait"}]"#);
    assert_eq!(world.tables(), [2, 0, 1, 0]);
}

fn send_binary(world: &mut World, peer: PeerId, message: impl Into<Message>) {
    let mut frame = Vec::new();
    encode(&message.into(), Format::MsgPack, &mut frame).unwrap();
    world.send_frame(peer, Frame::Binary(frame.into()));
}
