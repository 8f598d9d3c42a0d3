//! Invocations: parts of results, more input, cancel, and that each is answered.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use wamp_session::client::{Client, HandlerError, HandlerFailure, Queue, Registration, WithDetails, WithInvocation};
use wamp_session::{CommandError, Config, InvocationEnd, RegisterOptions, TransportErrorKind, WampError};

use crate::world::World;

fn registered_with(world: &mut World, client: &Client, options: RegisterOptions) -> Registration {
    let mut register = client.register_with("com.example.p", options);
    assert!(world.poll(&mut register).is_pending());
    world.received();
    world.send("[65,1,88]");
    world.finish(register).unwrap()
}

fn registered(world: &mut World, client: &Client) -> Registration {
    registered_with(world, client, RegisterOptions::new())
}

/// Registers a handler; the macro spares the tests the types.
macro_rules! serve {
    ($world:ident, $client:ident, $handler:expr) => {
        serve!($world, $client, RegisterOptions::new(), $handler)
    };
    ($world:ident, $client:ident, $options:expr, $handler:expr) => {{
        let mut register = $client.register_fn_with("com.example.p", $options, $handler);
        assert!($world.poll(&mut register).is_pending());
        $world.received();
        $world.send("[65,1,88]");
        $world.finish(register).unwrap()
    }};
}

/// Counts what was dropped.
struct Guard(Arc<AtomicUsize>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn need_39_parts_of_a_result_are_sent_by_hand() {
    let (mut world, client) = World::joined();
    let mut registration = registered(&mut world, &client);
    world.send(r#"[68,5,88,{"receive_progress":true}]"#);
    let call = world.finish(registration.next()).unwrap();
    assert!(call.wants_progress());
    world.finish(call.progress(("half", 1))).unwrap();
    world.expect(r#"[70,5,{"progress":true},["half",1]]"#);
    call.reply("done").unwrap();
    world.expect(r#"[70,5,{},["done"]]"#);
}

#[test]
fn pcr_07_parts_that_nobody_takes_are_left_out() {
    let (mut world, client) = World::joined();
    let mut registration = registered(&mut world, &client);
    world.send("[68,5,88,{}]");
    let call = world.finish(registration.next()).unwrap();
    assert!(!call.wants_progress());
    world.finish(call.progress(1)).unwrap();
    world.expect_nothing();
    call.reply(()).unwrap();
    world.expect("[70,5,{}]");
}

#[test]
fn a_handler_sends_parts_and_its_return_value_is_the_result() {
    let (mut world, client) = World::joined();
    let guard = serve!(world, client, |call: WithInvocation<u32>| async move {
        assert_eq!(call.invocation.procedure().as_str(), "com.example.p");
        for n in 1..=call.args {
            call.invocation.progress(n).await?;
        }
        Ok(call.args)
    });
    world.send(r#"[68,5,88,{"receive_progress":true},[2]]"#);
    world.expect(r#"[70,5,{"progress":true},[1]]"#);
    world.expect(r#"[70,5,{"progress":true},[2]]"#);
    world.expect("[70,5,{},[2]]");
    world.send("[68,6,88,{},[2]]");
    world.expect("[70,6,{},[2]]");
    drop(guard);
}

#[test]
fn parts_wait_for_room() {
    let (mut world, client) = World::joined();
    let mut registration = registered(&mut world, &client);
    world.send(r#"[68,5,88,{"receive_progress":true}]"#);
    let call = world.finish(registration.next()).unwrap();
    world.block();
    let large = "x".repeat(1_100_000);
    world.finish(call.progress(&*large)).unwrap();
    // The driver has that one in its hands; the next is what fills the queue.
    world.finish(call.progress(&*large)).unwrap();
    let mut next = call.progress(1);
    assert!(world.poll(&mut next).is_pending());
    world.unblock();
    assert!(matches!(world.poll(&mut next), Poll::Ready(Ok(()))));
    drop(call);
}

#[test]
fn pcr_10_a_part_that_waits_for_room_is_not_sent_after_an_interrupt() {
    for mode in ["kill", "killnowait"] {
        let (mut world, client) = World::joined();
        let mut registration = registered(&mut world, &client);
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
fn need_39_input_in_parts_comes_as_a_stream() {
    let (mut world, client) = World::joined();
    let mut registration = registered(&mut world, &client);
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
    let (mut world, client) = World::joined();
    let mut registration = registered(&mut world, &client);
    world.send("[68,5,88,{},[1]]");
    let call = world.finish(registration.next()).unwrap();
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
    let (mut world, client) = World::joined();
    let mut registration = registered(&mut world, &client);
    world.send(r#"[68,5,88,{"progress":true}]"#);
    let call = world.finish(registration.next()).unwrap();
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
    let (mut world, client) = World::joined();
    let mut registration = registered(&mut world, &client);
    world.send(r#"[68,5,88,{"progress":true}]"#);
    let call = world.finish(registration.next()).unwrap();
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
fn can_08_input_ends_with_a_cancel_and_does_not_begin_again() {
    let (mut world, client) = World::joined();
    let mut registration = registered(&mut world, &client);
    world.send(r#"[68,5,88,{"progress":true}]"#);
    let call = world.finish(registration.next()).unwrap();
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
fn input_behind_what_found_no_room_is_not_taken() {
    let (mut world, client) = World::joined();
    let mut registration = registered(&mut world, &client);
    world.send(r#"[68,5,88,{"progress":true}]"#);
    let call = world.finish(registration.next()).unwrap();
    world.send_all([r#"[68,5,88,{"progress":true},[1]]"#; 1_024 + 3]);
    world.expect(r#"[8,68,5,{},"wamp.error.unavailable"]"#);
    assert_eq!(call.end(), Some(InvocationEnd::Overflow));
    assert!(world.finish(call.inputs().next()).is_none(), "the stream has ended");
    drop(call);
    world.expect_nothing();
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
    let mut registration = registered(&mut world, &client);
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
    let (mut world, client) = World::joined();
    let mut registration = registered(&mut world, &client);
    world.send(r#"[68,5,88,{"progress":true}]"#);
    let call = world.finish(registration.next()).unwrap();
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
    let mut registration = registered(&mut world, &client);
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

#[test]
fn a_clone_of_an_invocation_learns_its_end() {
    let (mut world, client) = World::joined();
    let kept = Arc::new(Mutex::new(None));
    let place = Arc::clone(&kept);
    let guard = serve!(world, client, move |call: WithInvocation<()>| {
        *place.lock().unwrap() = Some(call.invocation);
        std::future::ready(Ok::<_, HandlerError>(()))
    });
    world.send(r#"[68,5,88,{"receive_progress":true}]"#);
    world.expect("[70,5,{}]");
    let kept = kept.lock().unwrap().take().unwrap();
    assert!(kept.is_cancelled());
    world.finish(kept.cancelled());
    assert!(matches!(world.finish(kept.progress(1)), Err(CommandError::UnknownKey)));
    world.expect_nothing();
    drop(guard);
}

#[test]
fn need_14_errors_of_applications_arrive_as_they_were_made() {
    let (mut world, client) = World::joined();
    let guard = serve!(world, client, |()| async move {
        let error = WampError::new("com.example.error.no_stock")?.payload(("nuts", 3))?;
        Err::<(), _>(error.into())
    });
    world.send("[68,5,88,{}]");
    world.expect(r#"[8,68,5,{},"com.example.error.no_stock",["nuts",3]]"#);
    drop(guard);
}

#[test]
fn need_15_failures_are_told_and_the_caller_gets_what_is_decided() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    let config = Config::new("ws://router/ws", "realm1").agent(None).on_handler_error(move |procedure, failure| {
        let what = match failure {
            HandlerFailure::Error(error) => format!("error {error}"),
            HandlerFailure::Panic(text) => format!("panic {}", text.as_deref().unwrap_or("?")),
            HandlerFailure::Arguments(_) => "arguments".to_owned(),
            HandlerFailure::Answer(error) => format!("answer {}", matches!(error, CommandError::Encode(_))),
            other => panic!("{other:?}"),
        };
        let special = what == "error secret";
        log.lock().unwrap().push(format!("{procedure} {what}"));
        assert_ne!(what, "panic hook", "the hook fails as well");
        special.then(|| WampError::new("com.example.error.internal").unwrap())
    });
    let (mut world, client) = World::joined_with(config);
    let guard = serve!(world, client, |what: String| async move {
        match what.as_str() {
            "error" => Err(std::io::Error::other("plain"))?,
            "secret" => Err(std::io::Error::other("secret"))?,
            "wamp" => Err(WampError::new("com.example.error.wamp")?)?,
            "nan" => Ok::<_, HandlerError>(f64::NAN),
            panic => std::panic::resume_unwind(Box::new(panic.to_owned())),
        }
    });
    for (args, answer) in [
        (r#"["error"]"#, r#"[8,68,5,{},"wamp.error.runtime_error"]"#),
        (r#"["secret"]"#, r#"[8,68,5,{},"com.example.error.internal"]"#),
        (r#"["wamp"]"#, r#"[8,68,5,{},"com.example.error.wamp"]"#),
        (r#"["nan"]"#, r#"[8,68,5,{},"wamp.error.invalid_payload"]"#),
        (r#"["bug"]"#, r#"[8,68,5,{},"wamp.error.runtime_error"]"#),
        (r#"["hook"]"#, r#"[8,68,5,{},"wamp.error.runtime_error"]"#),
    ] {
        world.send(&format!("[68,5,88,{{}},{args}]"));
        world.expect(answer);
    }
    world.send("[68,5,88,{},[1]]");
    assert!(world.received().starts_with(r#"[8,68,5,{},"wamp.error.invalid_argument",["#));
    let told = told.lock().unwrap();
    let told: Vec<&str> = told.iter().map(|line| line.strip_prefix("com.example.p ").unwrap()).collect();
    assert_eq!(told, ["error plain", "error secret", "answer true", "panic bug", "panic hook", "arguments"]);
    drop(guard);
}

#[test]
fn need_15_a_result_that_is_too_large_is_told() {
    use wamp_session::{Limits, proto};
    let told = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&told);
    let limits = Limits::new().message(proto::Limits::new().max_message_bytes(512));
    let config = Config::new("ws://router/ws", "realm1").agent(None).limits(limits);
    let (mut world, client) = World::joined_with(config.on_handler_error(move |_, failure| {
        assert!(matches!(failure, HandlerFailure::Answer(CommandError::TooLarge { .. })), "{failure:?}");
        count.fetch_add(1, Ordering::SeqCst);
        None
    }));
    let guard = serve!(world, client, |()| async move { Ok("x".repeat(600)) });
    world.send("[68,5,88,{}]");
    world.expect(r#"[8,68,5,{},"wamp.error.payload_size_exceeded"]"#);
    assert_eq!(told.load(Ordering::SeqCst), 1);
    drop(guard);
}

#[test]
fn need_31_so_many_handlers_run_as_the_options_say_and_the_others_wait() {
    let (mut world, client) = World::joined();
    let gate = Arc::new(Mutex::new(Vec::<std::task::Waker>::new()));
    let open = Arc::new(AtomicUsize::new(0));
    let (wakers, opened) = (Arc::clone(&gate), Arc::clone(&open));
    let running = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&running);
    let options = RegisterOptions::new().parallel(2).queue(Queue::new().max_events(1));
    let guard = serve!(world, client, options, move |n: u32| {
        count.fetch_add(1, Ordering::SeqCst);
        let (wakers, opened) = (Arc::clone(&wakers), Arc::clone(&opened));
        async move {
            std::future::poll_fn(move |cx| {
                if opened.load(Ordering::SeqCst) > 0 {
                    return Poll::Ready(());
                }
                wakers.lock().unwrap().push(cx.waker().clone());
                Poll::Pending
            })
            .await;
            Ok(n)
        }
    });
    for id in 1..=4 {
        world.send(&format!("[68,{id},88,{{}},[{id}]]"));
    }
    // Two run, one waits, and the fourth has no place.
    world.expect(r#"[8,68,4,{},"wamp.error.unavailable"]"#);
    assert_eq!(running.load(Ordering::SeqCst), 2);
    open.store(1, Ordering::SeqCst);
    for waker in gate.lock().unwrap().drain(..) {
        waker.wake();
    }
    for id in 1..=3 {
        world.expect(&format!("[70,{id},{{}},[{id}]]"));
    }
    drop(guard);
}

#[test]
fn need_31_the_queue_of_a_stream_is_as_long_as_its_options_say() {
    let (mut world, client) = World::joined();
    let options = RegisterOptions::new().queue(Queue::new().max_events(2));
    let registration = registered_with(&mut world, &client, options);
    world.send_all(["[68,1,88,{}]", "[68,2,88,{}]", "[68,3,88,{}]"]);
    world.expect(r#"[8,68,3,{},"wamp.error.unavailable"]"#);
    world.expect_nothing();
    drop(registration);
}

#[test]
fn pci_07_tasks_that_take_the_input_of_one_invocation_are_all_woken() {
    let (mut world, client) = World::joined();
    let mut registration = registered(&mut world, &client);
    world.send(r#"[68,5,88,{"progress":true}]"#);
    let call = world.finish(registration.next()).unwrap();
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

#[test]
fn a_lost_session_ends_what_runs_with_its_inputs() {
    let (mut world, client) = World::joined();
    let mut registration = registered(&mut world, &client);
    world.send(r#"[68,5,88,{"progress":true}]"#);
    let call = world.finish(registration.next()).unwrap();
    let mut inputs = call.inputs();
    let mut next = inputs.next();
    assert!(world.poll(&mut next).is_pending());
    world.cut(TransportErrorKind::Eof);
    assert!(matches!(world.poll(&mut next), Poll::Ready(None)));
    assert_eq!(call.end(), Some(InvocationEnd::SessionOver));
    assert!(call.has_ended());
}

#[test]
fn cid_03_and_ctl_01_a_handler_sees_who_calls() {
    let (mut world, client) = World::joined();
    let guard = serve!(world, client, |call: WithDetails<()>| async move {
        let caller = call.details.caller.map(|caller| caller.get());
        let authid = call.details.caller_authid.as_deref().map(str::to_owned);
        Ok((caller, authid, call.details.trustlevel))
    });
    world.send(r#"[68,5,88,{"caller":3335656,"caller_authid":"joe","caller_authrole":"user","trustlevel":2}]"#);
    world.expect(r#"[70,5,{},[3335656,"joe",2]]"#);
    world.send("[68,6,88,{}]");
    world.expect("[70,6,{},[null,null,null]]");
    drop(guard);
}
