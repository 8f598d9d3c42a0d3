//! Invocations that are cancelled, or whose time is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use wamp_session::client::WithInvocation;
use wamp_session::{CommandError, Config, InvocationEnd, RegisterOptions};

use crate::world::{World, serve};

/// Counts what was dropped.
struct Guard(Arc<AtomicUsize>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn pcr_10_a_part_that_waits_for_room_is_not_sent_after_an_interrupt() {
    for mode in ["kill", "killnowait"] {
        let (mut world, client) = World::joined();
        let mut registration = world.registered(&client, RegisterOptions::new());
        world.send(r#"[68,5,88,{"receive_progress":true}]"#);
        let call = world.finish(registration.next()).unwrap();
        world.block();
        let large = "x".repeat(1_100_000);
        world.finish(call.progress(&*large)).unwrap();
        world.finish(call.progress(&*large)).unwrap();
        let (mut one, mut other) = (call.progress(1), call.progress(2));
        assert!(world.poll(&mut other).is_pending());
        let woken = world.wakes(&mut one, |world| world.send(&format!(r#"[69,5,{{"mode":"{mode}"}}]"#)));
        assert!(woken, "somebody waits for room in vain");
        for part in [&mut one, &mut other] {
            let sent = world.poll(part);
            let Poll::Ready(Err(error)) = sent else { panic!("{sent:?}") };
            assert!(matches!(error, CommandError::Interrupted | CommandError::UnknownKey), "{error:?}");
        }
        let mut publish = Box::pin(client.publish("com.example.t", ()));
        assert!(world.poll(&mut publish).is_pending());
        world.unblock();
        assert!(matches!(world.poll(&mut publish), Poll::Ready(Ok(()))), "they have left the line");
        drop(call);
    }
}

#[test]
fn can_08_a_handler_that_cannot_send_a_part_for_a_cancel_has_not_failed() {
    for (is_blocked, mode) in [(true, "kill"), (true, "killnowait"), (false, "kill"), (false, "killnowait")] {
        let told = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&told);
        let config = Config::new("ws://router/ws", "realm1").agent(None).on_handler_error(move |_, _| {
            count.fetch_add(1, Ordering::SeqCst);
            None
        });
        let (mut world, client) = World::joined_with(config);
        let guard = serve!(world, client, move |call: WithInvocation<()>| async move {
            let large = "x".repeat(1_100_000);
            loop {
                call.invocation.progress(&*large).await?;
                if !is_blocked {
                    // Polled once more together with whoever looks for a cancel.
                    call.invocation.cancelled().await;
                }
            }
            #[expect(unreachable_code, reason = "it names the type")]
            Ok(())
        });
        if is_blocked {
            world.block();
        }
        world.send(r#"[68,5,88,{"receive_progress":true}]"#);
        world.send(&format!(r#"[69,5,{{"mode":"{mode}"}}]"#));
        world.unblock();
        while world.wire(|wire| wire.sent.front().is_some_and(|frame| frame.bytes().len() > 1_000)) {
            world.received();
        }
        if mode == "kill" {
            world.expect(r#"[8,68,5,{},"wamp.error.canceled"]"#);
        }
        world.expect_nothing();
        assert_eq!(told.load(Ordering::SeqCst), 0, "it was the caller who gave up");
        drop(guard);
    }
}

#[test]
fn can_08_input_ends_with_a_cancel_and_does_not_begin_again() {
    let (mut world, _registration, call) = World::invoked(r#"[68,5,88,{"progress":true}]"#);
    let mut inputs = call.inputs();
    world.send(r#"[68,5,88,{"progress":true},[1]]"#);
    world.send(r#"[69,5,{"mode":"kill"}]"#);
    assert!(world.finish(inputs.next()).is_none());
    world.send(r#"[68,5,88,{"progress":true},[2]]"#);
    assert!(world.finish(inputs.next()).is_none());
    world.send("[68,5,88,{},[3]]");
    drop(call);
    world.expect(r#"[8,68,5,{},"wamp.error.canceled"]"#);
}

#[test]
fn can_08_a_handler_that_is_killed_is_dropped_and_the_caller_told() {
    let (mut world, client) = World::joined();
    let dropped = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&dropped);
    let guard = serve!(world, client, move |()| {
        let guard = Guard(Arc::clone(&count));
        async move {
            std::future::pending::<()>().await;
            drop(guard);
            Ok(())
        }
    });
    world.send("[68,5,88,{}]");
    world.send(r#"[69,5,{"mode":"kill"}]"#);
    world.expect(r#"[8,68,5,{},"wamp.error.canceled"]"#);
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    world.expect_nothing();
    drop(guard);
}

#[test]
fn can_09_a_handler_of_a_call_that_nobody_waits_for_is_dropped_in_silence() {
    let (mut world, client) = World::joined();
    let dropped = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&dropped);
    let guard = serve!(world, client, move |call: WithInvocation<()>| {
        let guard = Guard(Arc::clone(&count));
        async move {
            call.invocation.progress(1).await?;
            std::future::pending::<()>().await;
            drop(guard);
            Ok(())
        }
    });
    world.send(r#"[68,5,88,{"receive_progress":true}]"#);
    world.expect(r#"[70,5,{"progress":true},[1]]"#);
    world.send(r#"[69,5,{"mode":"killnowait","reason":"wamp.error.canceled"}]"#);
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    world.expect_nothing();
    drop(guard);
}

#[test]
fn can_08_whoever_answers_by_hand_learns_of_a_kill() {
    let (mut world, client) = World::joined();
    let mut registration = world.registered(&client, RegisterOptions::new());
    world.send_all(["[68,5,88,{}]", r#"[68,6,88,{"receive_progress":true}]"#]);
    let one = world.finish(registration.next()).unwrap();
    let two = world.finish(registration.next()).unwrap();
    let mut cancelled = one.cancelled();
    assert!(world.poll(&mut cancelled).is_pending() && !one.is_cancelled());
    world.send_all([r#"[69,5,{"mode":"kill","reason":"wamp.error.timeout"}]"#, "[69,6,{}]"]);
    world.expect_nothing();
    assert!(world.poll(&mut cancelled).is_ready() && one.is_cancelled() && !one.has_ended());
    assert_eq!(one.end(), Some(InvocationEnd::Interrupted(Some("wamp.error.timeout".into()))));
    // The result was there first.
    one.reply(1).unwrap();
    world.expect("[70,5,{},[1]]");
    assert!(matches!(world.finish(two.progress(1)), Err(CommandError::Interrupted)));
    drop(two);
    world.expect(r#"[8,68,6,{},"wamp.error.canceled"]"#);
    world.expect_nothing();
}

#[test]
fn can_09_whoever_answers_by_hand_learns_that_nobody_waits() {
    let (mut world, _registration, call) = World::invoked(r#"[68,5,88,{"progress":true}]"#);
    let mut inputs = call.inputs();
    let mut next = inputs.next();
    assert!(world.poll(&mut next).is_pending());
    world.send(r#"[69,5,{"mode":"killnowait"}]"#);
    assert!(matches!(world.poll(&mut next), Poll::Ready(None)));
    assert!(call.is_cancelled() && call.has_ended());
    assert!(matches!(call.reply(1), Err(CommandError::UnknownKey)));
    world.expect_nothing();
}

#[test]
fn a_kill_before_the_invocation_is_taken_is_answered_at_once() {
    let (mut world, client) = World::joined();
    let mut registration = world.registered(&client, RegisterOptions::new());
    world.send_all(["[68,5,88,{}]", r#"[69,5,{"mode":"kill"}]"#, "[68,6,88,{},[6]]"]);
    world.expect(r#"[8,68,5,{},"wamp.error.canceled"]"#);
    let next = world.finish(registration.next()).unwrap();
    assert_eq!(next.arg::<u32>(0).unwrap(), 6);
    next.reply(()).unwrap();
    world.expect("[70,6,{}]");
    world.expect_nothing();
}

#[test]
fn tmo_04_a_handler_whose_time_is_over_is_dropped_and_the_caller_told() {
    let (mut world, client) = World::new(Config::new("ws://router/ws", "realm1").agent(None));
    world.accept();
    world.received();
    world.send(r#"[2,1,{"roles":{"broker":{},"dealer":{"features":{"call_timeout":true}}}}]"#);
    let dropped = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&dropped);
    let guard = serve!(world, client, move |()| {
        let guard = Guard(Arc::clone(&count));
        async move {
            std::future::pending::<()>().await;
            drop(guard);
            Ok(())
        }
    });
    world.send(r#"[68,5,88,{"timeout":50}]"#);
    world.advance(Duration::from_millis(49));
    world.expect_nothing();
    world.advance(Duration::from_millis(1));
    world.expect(r#"[8,68,5,{},"wamp.error.timeout"]"#);
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    world.expect_nothing();
    drop(guard);
}
