//! Invocations that go on: more input, in order, bounded.

use std::task::Poll;

use wamp_session::client::WithInvocation;
use wamp_session::{InvocationEnd, RegisterOptions};

use crate::world::{World, serve};

#[test]
fn need_39_input_in_parts_comes_as_a_stream() {
    let (mut world, client) = World::joined();
    let mut registration = world.registered(&client, RegisterOptions::new());
    world.send_all([r#"[68,5,88,{"progress":true},[1]]"#, r#"[68,5,88,{"progress":true},[2]]"#]);
    let call = world.finish(registration.next()).unwrap();
    assert_eq!(call.arg::<u32>(0).unwrap(), 1);
    let mut inputs = call.inputs();
    assert_eq!(world.finish(inputs.next()).unwrap().arg::<u32>(0).unwrap(), 2);
    let mut next = inputs.next();
    assert!(world.poll(&mut next).is_pending());
    world.send("[68,5,88,{},[3]]");
    assert!(matches!(world.poll(&mut next), Poll::Ready(Some(input)) if input.arg::<u32>(0).unwrap() == 3));
    assert!(world.finish(inputs.next()).is_none());
    call.reply(6).unwrap();
    world.expect("[70,5,{},[6]]");
    assert!(world.finish(inputs.next()).is_none());
}

#[test]
fn pci_07_an_invocation_of_one_input_has_no_more() {
    let (mut world, _registration, call) = World::invoked("[68,5,88,{},[1]]");
    assert!(world.finish(call.inputs().next()).is_none());
    call.reply(()).unwrap();
}

#[test]
fn a_handler_takes_more_input_and_sends_parts() {
    let (mut world, client) = World::joined();
    let guard = serve!(world, client, |call: WithInvocation<u32>| async move {
        let mut sum = call.args;
        let mut inputs = call.invocation.inputs();
        while let Some(input) = inputs.next().await {
            sum += input.arg::<u32>(0)?;
            call.invocation.progress(sum).await?;
        }
        Ok(sum)
    });
    world.send(r#"[68,5,88,{"progress":true,"receive_progress":true},[1]]"#);
    world.send(r#"[68,5,88,{"progress":true},[2]]"#);
    world.expect(r#"[70,5,{"progress":true},[3]]"#);
    world.send("[68,5,88,{},[3]]");
    world.expect(r#"[70,5,{"progress":true},[6]]"#);
    world.expect("[70,5,{},[6]]");
    drop(guard);
}

#[test]
fn input_that_nobody_takes_is_bounded() {
    let (mut world, _registration, call) = World::invoked(r#"[68,5,88,{"progress":true}]"#);
    let more = [r#"[68,5,88,{"progress":true},[1]]"#; 1_024];
    world.send_all(more);
    world.expect_nothing();
    world.send(more[0]);
    world.expect(r#"[8,68,5,{},"wamp.error.unavailable"]"#);
    assert_eq!(call.end(), Some(InvocationEnd::Overflow));
    assert!(world.finish(call.inputs().next()).is_none());
    world.send("[68,5,88,{}]");
    drop(call);
    world.expect_nothing();
}

#[test]
fn input_that_nobody_takes_is_bounded_in_bytes() {
    let (mut world, _registration, call) = World::invoked(r#"[68,5,88,{"progress":true}]"#);
    let mut inputs = call.inputs();
    let large = format!(r#"[68,5,88,{{"progress":true}},["{}"]]"#, "x".repeat(7 << 20));
    for _ in 0..2 {
        world.send_all([&*large, &*large]);
        for _ in 0..2 {
            assert!(world.finish(inputs.next()).is_some());
        }
    }
    world.expect_nothing();
    world.send_all([&*large, &*large, &*large]);
    world.expect(r#"[8,68,5,{},"wamp.error.unavailable"]"#);
    assert!(world.finish(inputs.next()).is_none());
    drop(call);
}

#[test]
fn input_behind_what_found_no_room_is_not_taken() {
    let (mut world, _registration, call) = World::invoked(r#"[68,5,88,{"progress":true}]"#);
    world.send_all([r#"[68,5,88,{"progress":true},[1]]"#; 1_024 + 3]);
    world.expect(r#"[8,68,5,{},"wamp.error.unavailable"]"#);
    assert_eq!(call.end(), Some(InvocationEnd::Overflow));
    assert!(world.finish(call.inputs().next()).is_none(), "the stream has ended");
    drop(call);
    world.expect_nothing();
}

#[test]
fn pci_07_tasks_that_take_the_input_of_one_invocation_are_all_woken() {
    let (mut world, _registration, call) = World::invoked(r#"[68,5,88,{"progress":true}]"#);
    let (mut first, mut second) = (call.inputs(), call.inputs());
    let mut next = second.next();
    assert!(world.poll(&mut next).is_pending());
    let mut also = first.next();
    assert!(world.poll(&mut also).is_pending());
    assert!(world.wakes(&mut next, |world| world.send(r#"[68,5,88,{"progress":true},[1]]"#)));
    // Whoever comes first, has it.
    let Poll::Ready(Some(input)) = world.poll(&mut also) else { panic!("no input") };
    assert_eq!(input.arg::<u32>(0).unwrap(), 1);
    assert!(world.poll(&mut next).is_pending());
    drop(first);
    let woken = world.wakes(&mut next, |world| world.send("[68,5,88,{},[2]]"));
    assert!(woken);
    assert!(matches!(world.poll(&mut next), Poll::Ready(Some(_))));
    assert!(matches!(world.poll(&mut second.next()), Poll::Ready(None)));
    call.reply(()).unwrap();
}
