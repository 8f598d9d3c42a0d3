//! Calls and invocations of which the two ends do not think alike at the time: dropped early, answered late, failed halfway.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use serde::Deserialize;
use wamp_session::client::{HandlerError, Invocation, Queue, RegistrationEnd, SubscriptionEnd, WithInvocation};
use wamp_session::proto::{CancelMode, Kwargs};
use wamp_session::{
    CallOptions, Config, ErrorKind, Frame, Jitter, ReconnectPolicy, RegisterOptions, RequestError, TransportErrorKind,
    WampError,
};

use crate::world::{WELCOME, World, serve};

#[test]
fn need_18_a_call_that_is_dropped_before_it_was_sent_is_never_sent() {
    let modes = [None, Some(CancelMode::Skip), Some(CancelMode::Kill), Some(CancelMode::KillNoWait)];
    for (mode, is_polled) in modes.into_iter().flat_map(|mode| [(mode, false), (mode, true)]) {
        let policy = ReconnectPolicy::new().jitter(Jitter::None);
        let (mut world, client) =
            World::with(Config::new("ws://router/ws", "realm1").agent(None).keep_alive(None).reconnect(policy));
        // Before the first session, and between two.
        for _ in 0..2 {
            let mut call = client.call_with("com.example.p", (), CallOptions::new().cancel_on_drop(mode));
            if is_polled {
                assert!(world.poll(&mut call).is_pending());
            }
            drop(call);
            world.accept();
            assert!(world.received().starts_with("[1,"));
            world.send(WELCOME);
            world.expect_nothing();
            world.cut(TransportErrorKind::Eof);
            world.advance(Duration::from_secs(1));
        }
    }
}

#[test]
fn pcr_06_a_part_that_nobody_asked_for_neither_ends_nor_wakes_a_call() {
    let (mut world, client) = World::joined();
    let mut call = client.call("com.example.p", ());
    assert!(world.poll(&mut call).is_pending());
    world.received();
    let woken = world.wakes(&mut call, |world| world.send(r#"[50,1,{"progress":true},["part"]]"#));
    assert!(!woken);
    world.send(r#"[50,1,{},["whole"]]"#);
    assert_eq!(world.finish(call).unwrap().arg::<String>(0).unwrap(), "whole");
    world.expect_nothing();
}

#[test]
fn cle_04_a_handler_that_fails_or_panics_after_parts_answers_an_error() {
    let (mut world, client) = World::joined();
    let guard = serve!(world, client, |call: WithInvocation<String>| async move {
        call.invocation.progress(1).await?;
        match call.args.as_str() {
            "panic" => std::panic::resume_unwind(Box::new("a bug")),
            "wamp" => Err(WampError::new("com.example.error.halfway")?.payload((1,))?)?,
            _ => Ok::<_, HandlerError>(2),
        }
    });
    for (request, what, end) in [
        (5, "panic", r#"[8,68,5,{},"wamp.error.runtime_error"]"#),
        (6, "wamp", r#"[8,68,6,{},"com.example.error.halfway",[1]]"#),
        (7, "else", "[70,7,{},[2]]"),
    ] {
        world.send(&format!(r#"[68,{request},88,{{"receive_progress":true}},["{what}"]]"#));
        world.expect(&format!(r#"[70,{request},{{"progress":true}},[1]]"#));
        world.expect(end);
        world.expect_nothing();
    }
    drop(guard);
}

#[test]
fn need_15_a_handler_whose_drop_panics_is_answered_and_ends_nothing_else() {
    struct Bomb(bool);

    impl Future for Bomb {
        type Output = Result<u32, HandlerError>;

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
            if self.0 { Poll::Ready(Ok(1)) } else { Poll::Pending }
        }
    }

    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new("a bug"));
        }
    }

    let (mut world, client) = World::joined();
    let guard = serve!(world, client, Bomb);
    world.send("[68,5,88,{},[true]]");
    world.expect(r#"[8,68,5,{},"wamp.error.runtime_error"]"#);
    world.send_all(["[68,6,88,{},[false]]", "[68,7,88,{},[false]]"]);
    world.expect_nothing();
    world.send(r#"[69,6,{"mode":"kill"}]"#);
    world.expect(r#"[8,68,6,{},"wamp.error.canceled"]"#);
    world.send(r#"[69,7,{"mode":"killnowait"}]"#);
    world.expect_nothing();
    assert_eq!(world.tasks(), 2, "the driver and the task that serves");
    world.send(r#"[68,8,88,{},["none"]]"#);
    assert!(world.received().starts_with(r#"[8,68,8,{},"wamp.error.invalid_argument","#));
    drop(guard);
}

#[test]
fn whoever_waits_for_an_invocation_is_woken_by_its_end() {
    type End = fn(&mut World, Invocation) -> Option<Invocation>;
    let ends: [(&str, End); 5] = [
        ("kill", |world, call| {
            world.send(r#"[69,5,{"mode":"kill"}]"#);
            Some(call)
        }),
        ("killnowait", |world, call| {
            world.send(r#"[69,5,{"mode":"killnowait"}]"#);
            Some(call)
        }),
        ("cut", |world, call| {
            world.cut(TransportErrorKind::Eof);
            Some(call)
        }),
        ("answered", |_, call| {
            call.reply(1).unwrap();
            None
        }),
        ("dropped", |_, call| {
            drop(call);
            None
        }),
    ];
    for (name, end) in ends {
        for is_reader in [true, false] {
            let (mut world, client) = World::joined();
            let mut registration = world.registered(&client, RegisterOptions::new());
            world.send(r#"[68,5,88,{"progress":true}]"#);
            let mut call = world.finish(registration.next());
            let (mut inputs, mut cancelled) = call.as_ref().map(|call| (call.inputs(), call.cancelled())).unwrap();
            let mut next = inputs.next();
            let mut something = |world: &mut World| call = call.take().and_then(|call| end(world, call));
            let woken = if is_reader {
                world.wakes(&mut next, &mut something)
            } else {
                world.wakes(&mut cancelled, &mut something)
            };
            assert!(woken, "{name}, {is_reader}");
            assert!(world.poll(&mut cancelled).is_ready());
            assert!(matches!(world.poll(&mut next), Poll::Ready(None)));
        }
    }
}

#[test]
fn cle_05_keyword_arguments_that_do_not_fit_are_refused_with_a_text() {
    #[derive(Deserialize)]
    struct Order {
        count: u32,
    }

    let (mut world, client) = World::joined();
    let guard = serve!(world, client, |Kwargs(order): Kwargs<Order>| async move { Ok(order.count) });
    for (kwargs, why) in [(r#"{"count":"many"}"#, "u32"), (r#"{"price":3}"#, "count"), ("{}", "count")] {
        world.send(&format!("[68,5,88,{{}},[],{kwargs}]"));
        let answer = world.received();
        assert!(answer.starts_with(r#"[8,68,5,{},"wamp.error.invalid_argument",[""#), "{answer}");
        assert!(answer.contains(why), "{answer}");
    }
    world.send(r#"[68,5,88,{},[],{"count":3}]"#);
    world.expect("[70,5,{},[3]]");
    drop(guard);
}

#[test]
fn rrv_02_a_handler_that_runs_while_its_registration_is_revoked_still_answers() {
    let (mut world, client) = World::joined();
    let gate: Arc<Mutex<(bool, Option<Waker>)>> = Arc::default();
    let opens = Arc::clone(&gate);
    let guard = serve!(world, client, move |()| {
        let gate = Arc::clone(&opens);
        std::future::poll_fn(move |cx| {
            let mut gate = gate.lock().unwrap();
            gate.1 = Some(cx.waker().clone());
            if gate.0 { Poll::Ready(Ok::<_, HandlerError>(1)) } else { Poll::Pending }
        })
    });
    world.send_all(["[68,5,88,{}]", r#"[67,0,{"registration":88}]"#]);
    world.expect_nothing();
    assert!(matches!(guard.end(), Some(RegistrationEnd::Revoked(None))));
    let waker = {
        let mut gate = gate.lock().unwrap();
        gate.0 = true;
        gate.1.take()
    };
    waker.unwrap().wake();
    world.expect("[70,5,{},[1]]");
    world.send("[68,6,88,{}]");
    world.expect(r#"[8,68,6,{},"wamp.error.no_such_registration"]"#);
    drop(guard);
    world.expect_nothing();
}

#[test]
fn futures_that_are_polled_too_often_go_on_waiting() {
    let (mut world, client) = World::joined();
    let mut register = client.register("com.example.p");
    let mut register_fn = client.register_fn("com.example.q", |()| async { Ok(()) });
    let mut call = client.call("com.example.r", ());
    for _ in 0..3 {
        assert!(world.poll(&mut register).is_pending());
        assert!(world.poll(&mut register_fn).is_pending());
        assert!(world.poll(&mut call).is_pending());
    }
    world.expect(r#"[64,1,{},"com.example.p"]"#);
    world.expect(r#"[64,2,{},"com.example.q"]"#);
    world.expect(r#"[48,3,{},"com.example.r"]"#);
    world.expect_nothing();
    world.send_all(["[50,3,{},[7]]", "[65,2,89]", "[65,1,88]"]);
    assert_eq!(world.finish(call).unwrap().arg::<u8>(0).unwrap(), 7);
    let (registration, guard) = (world.finish(register).unwrap(), world.finish(register_fn).unwrap());
    let mut unregister = registration.unregister();
    for _ in 0..3 {
        assert!(world.poll(&mut unregister).is_pending());
    }
    world.expect("[66,4,88]");
    world.expect_nothing();
    world.send("[67,4]");
    world.finish(unregister).unwrap();
    drop(guard);
}

#[test]
fn need_31_invocations_that_were_taken_make_room_for_the_bytes_of_others() {
    let (mut world, client) = World::joined();
    let options = RegisterOptions::new().queue(Queue::new().max_bytes(100));
    let mut registration = world.registered(&client, options);
    let invocation = |request: u32| format!(r#"[68,{request},88,{{}},["{}"]]"#, "x".repeat(36));
    for round in 0..3 {
        let first = round * 10 + 1;
        world.send_all([&*invocation(first), &*invocation(first + 1), &*invocation(first + 2)]);
        world.expect(&format!(r#"[8,68,{},{{}},"wamp.error.unavailable"]"#, first + 2));
        for request in first..first + 2 {
            world.finish(registration.next()).unwrap().reply(()).unwrap();
            world.expect(&format!("[70,{request},{{}}]"));
        }
    }
    world.expect_nothing();
}

/// A frame that tells when its bytes are freed.
fn owned(frame: &str) -> (Frame, Arc<AtomicBool>) {
    struct Owner(Vec<u8>, Arc<AtomicBool>);

    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    impl Drop for Owner {
        fn drop(&mut self) {
            self.1.store(true, Ordering::SeqCst);
        }
    }

    let freed = Arc::new(AtomicBool::new(false));
    let owner = Owner(frame.as_bytes().to_vec(), Arc::clone(&freed));
    (Frame::Text(bytes::Bytes::from_owner(owner)), freed)
}

#[test]
fn small_payloads_that_wait_are_copied_out_of_their_frames_and_others_are_not() {
    for (length, is_copied) in [(1_000, true), (2_000, false)] {
        let (mut world, client) = World::joined();
        let mut registration = world.registered(&client, RegisterOptions::new());
        let frame = |details: &str| format!(r#"[68,5,88,{{{details}}},["{}"]]"#, "x".repeat(length));
        // Nobody waits for it.
        let (invocation, freed) = owned(&frame(r#""progress":true"#));
        world.send_frame(invocation);
        assert_eq!(freed.load(Ordering::SeqCst), is_copied, "an invocation of {length} bytes");
        let call = world.finish(registration.next()).unwrap();
        let (input, freed) = owned(&frame(r#""progress":true"#));
        world.send_frame(input);
        assert_eq!(freed.load(Ordering::SeqCst), is_copied, "an input of {length} bytes");
        // Somebody waits for it.
        let mut inputs = call.inputs();
        assert!(world.finish(inputs.next()).is_some());
        let mut next = inputs.next();
        assert!(world.poll(&mut next).is_pending());
        let (input, freed) = owned(&frame(""));
        world.send_frame(input);
        assert!(!freed.load(Ordering::SeqCst));
        drop(world.finish(next));
        assert!(freed.load(Ordering::SeqCst));
        call.reply(()).unwrap();
        world.expect("[70,5,{}]");
        let mut next = registration.next();
        assert!(world.poll(&mut next).is_pending());
        let (invocation, freed) = owned(&frame("").replace("[68,5,", "[68,6,"));
        world.send_frame(invocation);
        let call = world.finish(next);
        assert!(!freed.load(Ordering::SeqCst));
        drop(call);
        assert!(freed.load(Ordering::SeqCst));
    }
}

#[test]
fn small_parts_that_wait_are_copied_out_of_their_frames_and_others_are_not() {
    for (length, is_copied) in [(1_000, true), (2_000, false)] {
        let (mut world, client) = World::joined();
        let mut call = world.finish(client.call_progressive("com.example.p", ())).unwrap();
        world.received();
        let frame = format!(r#"[50,1,{{"progress":true}},["{}"]]"#, "x".repeat(length));
        let (waiting, freed) = owned(&frame);
        world.send_frame(waiting);
        assert_eq!(freed.load(Ordering::SeqCst), is_copied, "{length} bytes");
        assert!(world.finish(call.next()).is_some());
        let mut next = call.next();
        assert!(world.poll(&mut next).is_pending());
        let (awaited, freed) = owned(&frame);
        world.send_frame(awaited);
        assert!(!freed.load(Ordering::SeqCst));
        drop(world.finish(next));
        assert!(freed.load(Ordering::SeqCst));
    }
}

#[test]
fn pci_02_a_call_that_takes_no_more_input_promises_none() {
    let (mut world, client) = World::joined();
    let mut call = client.call_with("com.example.p", (1,), CallOptions::new().progress());
    assert!(world.poll(&mut call).is_pending());
    world.expect(r#"[48,1,{},"com.example.p",[1]]"#);
    let in_parts = client.call_progressive_with("com.example.p", (1,), CallOptions::new().progress());
    let in_parts = world.finish(in_parts).unwrap();
    world.expect(r#"[48,2,{"receive_progress":true},"com.example.p",[1]]"#);
    drop((call, in_parts));
}

#[test]
fn need_10_what_the_router_refuses_at_the_rejoin_ends_with_its_reason() {
    let policy = ReconnectPolicy::new().jitter(Jitter::None);
    let config = Config::new("ws://router/ws", "realm1").agent(None).keep_alive(None).reconnect(policy);
    let (mut world, client) = World::with(config);
    world.accept();
    world.received();
    world.send(WELCOME);
    let mut registration = world.registered(&client, RegisterOptions::new());
    let mut register = client.register_fn("com.example.q", |()| async { Ok(()) });
    assert!(world.poll(&mut register).is_pending());
    let mut subscribe = client.subscribe("com.example.t");
    assert!(world.poll(&mut subscribe).is_pending());
    world.received();
    world.received();
    world.send_all(["[65,2,89]", "[33,3,77]"]);
    let (guard, mut subscription) = (world.finish(register).unwrap(), world.finish(subscribe).unwrap());

    world.cut(TransportErrorKind::Eof);
    world.advance(Duration::from_secs(1));
    world.accept();
    world.received();
    world.send(WELCOME);
    assert!(registration.end().is_none() && guard.end().is_none() && subscription.end().is_none());
    for code in [32, 64, 64] {
        let request: serde_json::Value = serde_json::from_str(&world.received()).unwrap();
        assert_eq!(request[0], code);
        world.send(&format!(r#"[8,{code},{},{{}},"wamp.error.not_authorized"]"#, request[1]));
    }
    assert!(world.finish(registration.next()).is_none());
    assert!(world.finish(subscription.next()).is_none());
    let refused = |error: &RequestError| {
        let RequestError::Wamp(error) = error else { panic!("{error:?}") };
        assert_eq!(error.kind(), ErrorKind::NotAuthorized);
    };
    for end in [registration.end(), guard.end()] {
        let Some(RegistrationEnd::Refused(error)) = &end else { panic!("{end:?}") };
        refused(error);
    }
    let Some(SubscriptionEnd::Refused(error)) = subscription.end() else { panic!("{:?}", subscription.end()) };
    refused(&error);
    // Nothing is left to end at the router.
    drop((registration, guard, subscription));
    world.expect_nothing();
}
