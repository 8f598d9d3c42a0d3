//! Registrations: handlers that run beside each other, fail, panic and end.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Poll, Waker};

use serde::{Deserialize, Serialize};
use wamp_session::client::{HandlerError, RegistrationEnd, WithDetails};
use wamp_session::proto::{ArgsKwargs, Kwargs, MatchPolicy, Payload, PayloadCheck};
use wamp_session::{CommandError, Config, Frame, RegisterOptions, RequestError, TransportErrorKind, WampError};

use crate::world::{World, serve};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    count: u32,
}

#[test]
fn ord_04_an_invocation_right_behind_registered_is_served() {
    let (mut world, client) = World::joined();
    let mut register = client.register_fn("com.example.p", |n: u32| async move { Ok(n + 1) });
    assert!(world.poll(&mut register).is_pending());
    world.received();
    world.send_all(["[65,1,88]", "[68,5,88,{},[1]]"]);
    let guard = world.finish(register).unwrap();
    world.expect("[70,5,{},[2]]");
    drop(guard);
}

#[test]
fn a_stream_of_invocations_is_answered_by_hand() {
    let (mut world, client) = World::joined();
    let mut registration = world.registered(&client, RegisterOptions::new());
    world.send_all(["[68,5,88,{},[1]]", r#"[68,6,88,{"caller":3},[2]]"#]);
    let one = world.finish(registration.next()).unwrap();
    let two = world.finish(registration.next()).unwrap();
    assert_eq!(two.details().caller.map(|caller| caller.get()), Some(3));
    two.reply((2, "two")).unwrap();
    one.fail(WampError::new("com.example.error.one").unwrap()).unwrap();
    world.expect(r#"[70,6,{},[2,"two"]]"#);
    world.expect(r#"[8,68,5,{},"com.example.error.one"]"#);
}

#[test]
fn dropping_an_unanswered_invocation_answers_it() {
    let (mut world, client) = World::joined();
    let mut registration = world.registered(&client, RegisterOptions::new());
    world.send("[68,5,88,{}]");
    drop(world.finish(registration.next()).unwrap());
    world.expect(r#"[8,68,5,{},"wamp.error.runtime_error"]"#);
}

#[test]
fn dropping_a_registration_unregisters_and_answers_what_waits() {
    let (mut world, client) = World::joined();
    let registration = world.registered(&client, RegisterOptions::new());
    world.send("[68,5,88,{}]");
    drop(registration);
    world.expect("[66,2,88]");
    world.expect(r#"[8,68,5,{},"wamp.error.unavailable"]"#);
    // One that was on its way.
    world.send("[68,6,88,{}]");
    world.expect(r#"[8,68,6,{},"wamp.error.unavailable"]"#);
    world.send("[66,2]");
}

#[test]
fn cle_02_a_guard_serves_until_the_router_has_confirmed_the_end() {
    let (mut world, client) = World::joined();
    let guard = serve!(world, client, |n: u32| async move { Ok(n) });
    let mut unregister = guard.unregister();
    assert!(world.poll(&mut unregister).is_pending());
    world.expect("[66,2,88]");
    world.send("[68,6,88,{},[7]]");
    world.expect("[70,6,{},[7]]");
    let before = world.tasks();
    world.send("[67,2]");
    world.finish(unregister).unwrap();
    world.run();
    assert_eq!(world.tasks(), before - 1, "the task that serves has ended");
}

#[test]
fn cle_04_errors_and_panics_become_errors_and_the_session_lives() {
    let (mut world, client) = World::joined();
    let guard = serve!(world, client, |what: String| async move {
        match what.as_str() {
            "panic" => std::panic::resume_unwind(Box::new("a bug")),
            "io" => Err(std::io::Error::other("the password is secret"))?,
            "wamp" => Err(WampError::new("com.example.error.sold_out")?.payload(("nuts", 3))?)?,
            _ => Ok::<_, HandlerError>("fine"),
        }
    });
    for (what, answer) in [
        ("panic", r#"[8,68,5,{},"wamp.error.runtime_error"]"#),
        ("io", r#"[8,68,5,{},"wamp.error.runtime_error"]"#),
        ("wamp", r#"[8,68,5,{},"com.example.error.sold_out",["nuts",3]]"#),
        ("else", r#"[70,5,{},["fine"]]"#),
    ] {
        world.send(&format!(r#"[68,5,88,{{}},["{what}"]]"#));
        world.expect(answer);
    }
    drop(guard);
}

#[test]
fn cle_04_a_future_that_panics_when_it_is_dropped_is_answered_all_the_same() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new("a bug"));
        }
    }
    let (mut world, client) = World::joined();
    let handler_bomb = Bomb;
    let guard = serve!(world, client, move |what: String| {
        let (_held, bomb) = (&handler_bomb, Bomb);
        std::future::poll_fn(move |_| {
            let _held = &bomb;
            match what.as_str() {
                "wait" => Poll::Pending,
                _ => Poll::Ready(Ok::<_, HandlerError>("fine")),
            }
        })
    });
    world.send(r#"[68,5,88,{},["else"]]"#);
    world.expect(r#"[8,68,5,{},"wamp.error.runtime_error"]"#);
    world.send(r#"[68,7,88,{},["wait"]]"#);
    world.send(r#"[69,7,{"mode":"kill"}]"#);
    world.expect(r#"[8,68,7,{},"wamp.error.canceled"]"#);
    // And the handler itself, with the task that serves the registration.
    drop(guard);
    world.expect("[66,2,88]");
    world.send("[67,2]");
    world.expect_nothing();
}

#[test]
fn cle_04_a_panic_before_the_first_await_is_caught() {
    let (mut world, client) = World::joined();
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let guard = serve!(world, client, move |()| {
        if count.fetch_add(1, Ordering::SeqCst) == 0 {
            std::panic::resume_unwind(Box::new("a bug"));
        }
        std::future::ready(Ok::<_, HandlerError>(()))
    });
    world.send_all(["[68,5,88,{}]", "[68,6,88,{}]"]);
    world.expect(r#"[8,68,5,{},"wamp.error.runtime_error"]"#);
    world.expect("[70,6,{}]");
    drop(guard);
}

#[test]
fn cle_05_arguments_that_do_not_fit_are_refused_with_a_text() {
    let (mut world, client) = World::joined();
    let called = Arc::new(AtomicBool::new(false));
    let mark = Arc::clone(&called);
    let guard = serve!(world, client, move |(_, _): (u32, u32)| {
        mark.store(true, Ordering::SeqCst);
        std::future::ready(Ok::<_, HandlerError>(()))
    });
    for args in [r#"["one",2]"#, "[1]", "[]"] {
        world.send(&format!("[68,5,88,{{}},{args}]"));
        let answer = world.received();
        assert!(answer.starts_with(r#"[8,68,5,{},"wamp.error.invalid_argument",[""#), "{answer}");
        assert!(answer.len() > r#"[8,68,5,{},"wamp.error.invalid_argument",[""]]"#.len() + 10, "{answer}");
    }
    assert!(!called.load(Ordering::SeqCst));
    drop(guard);
}

#[test]
fn need_37_handlers_take_what_they_ask_for() {
    for (handler, answer) in [
        (0, r#"[70,5,{},[7]]"#),
        (1, r#"[70,5,{},[],{"count":3}]"#),
        (2, r#"[70,5,{},[7],{"count":3}]"#),
        (3, r#"[70,5,{},[7,"x"],{"count":3}]"#),
        (4, r#"[70,5,{},[9]]"#),
    ] {
        let (mut world, client) = World::joined();
        let guard = match handler {
            0 => serve!(world, client, |n: u32| async move { Ok(n) }),
            1 => serve!(world, client, |Kwargs(order): Kwargs<Order>| async move { Ok(Kwargs(order)) }),
            2 => serve!(world, client, |ArgsKwargs((n, _), order): ArgsKwargs<(u32, String), Order>| async move {
                Ok(ArgsKwargs((n,), order))
            }),
            3 => serve!(world, client, |payload: Payload| async move { Ok(payload) }),
            _ => serve!(world, client, |WithDetails { details, .. }: WithDetails<(u32, String)>| async move {
                Ok(details.caller.map(|caller| caller.get()))
            }),
        };
        world.send(r#"[68,5,88,{"caller":9},[7,"x"],{"count":3}]"#);
        world.expect(answer);
        drop(guard);
    }
}

#[test]
fn cle_06_a_slow_handler_does_not_hold_up_a_fast_one() {
    let (mut world, client) = World::joined();
    let gate: Arc<Mutex<(bool, Option<Waker>)>> = Arc::default();
    let opens = Arc::clone(&gate);
    let guard = serve!(world, client, move |is_slow: bool| {
        let gate = Arc::clone(&opens);
        async move {
            if is_slow {
                std::future::poll_fn(|cx| {
                    let mut gate = gate.lock().unwrap();
                    gate.1 = Some(cx.waker().clone());
                    if gate.0 { Poll::Ready(()) } else { Poll::Pending }
                })
                .await;
            }
            Ok(is_slow)
        }
    });
    world.send_all(["[68,5,88,{},[true]]", "[68,6,88,{},[false]]"]);
    world.expect("[70,6,{},[false]]");
    world.expect_nothing();
    let waker = {
        let mut gate = gate.lock().unwrap();
        gate.0 = true;
        gate.1.take()
    };
    waker.unwrap().wake();
    world.expect("[70,5,{},[true]]");
    drop(guard);
}

#[test]
fn cle_07_a_result_that_cannot_be_sent_is_an_error_not_silence() {
    let (mut world, client) = World::joined();
    let guard = serve!(world, client, |()| async { Ok(f64::NAN) });
    world.send("[68,5,88,{}]");
    world.expect(r#"[8,68,5,{},"wamp.error.invalid_payload"]"#);
    drop(guard);
    let (mut world, client) = World::joined();
    let mut registration = world.registered(&client, RegisterOptions::new());
    world.send("[68,5,88,{}]");
    let invocation = world.finish(registration.next()).unwrap();
    assert!(matches!(invocation.reply(f64::NAN), Err(CommandError::Encode(_))));
    world.expect(r#"[8,68,5,{},"wamp.error.invalid_payload"]"#);
    world.expect_nothing();
}

/// Tells when it is dropped.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn cle_09_running_handlers_end_with_the_session() {
    let (mut world, client) = World::joined();
    let dropped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&dropped);
    let guard = serve!(world, client, move |()| {
        let marker = Dropped(Arc::clone(&flag));
        async move {
            let _marker = marker;
            std::future::pending::<Result<(), HandlerError>>().await
        }
    });
    world.send("[68,5,88,{}]");
    assert!(!dropped.load(Ordering::SeqCst));
    world.cut(TransportErrorKind::Eof);
    assert!(dropped.load(Ordering::SeqCst));
    world.expect_nothing();
    drop(guard);
}

#[test]
fn an_invocation_knows_that_its_session_has_ended() {
    let (mut world, client) = World::joined();
    let mut registration = world.registered(&client, RegisterOptions::new());
    world.send_all(["[68,5,88,{}]", "[68,6,88,{}]"]);
    let invocation = world.finish(registration.next()).unwrap();
    assert!(!invocation.has_ended());
    world.cut(TransportErrorKind::Eof);
    assert!(invocation.has_ended());
    assert!(matches!(invocation.reply(()), Err(CommandError::UnknownKey)));
    assert!(world.finish(registration.next()).is_none(), "one that has ended is not handed out");
}

#[test]
fn invocations_that_nobody_takes_are_bounded() {
    let (mut world, client) = World::joined();
    let registration = world.registered(&client, RegisterOptions::new());
    let frames: Vec<String> = (1..=1_025).map(|n| format!("[68,{n},88,{{}}]")).collect();
    world.send_all(frames.iter().map(String::as_str));
    world.expect(r#"[8,68,1025,{},"wamp.error.unavailable"]"#);
    world.expect_nothing();
    drop(registration);
}

#[test]
fn handlers_that_run_are_bounded_and_the_others_wait() {
    let (mut world, client) = World::joined();
    let gate: Arc<Mutex<Option<Waker>>> = Arc::default();
    let opens = Arc::clone(&gate);
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let guard = serve!(world, client, move |n: u32| {
        count.fetch_add(1, Ordering::SeqCst);
        let gate = Arc::clone(&opens);
        async move {
            let mut polls = 0;
            std::future::poll_fn(|cx| {
                polls += 1;
                if n == 7 && polls == 1 {
                    *gate.lock().unwrap() = Some(cx.waker().clone());
                }
                if n == 7 && polls == 2 { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            Ok(n)
        }
    });
    let invocation = |n: u32| format!("[68,{n},88,{{}},[{n}]]");
    let first: Vec<String> = (1..=1_024).map(invocation).collect();
    world.send_all(first.iter().map(String::as_str));
    assert_eq!(calls.load(Ordering::SeqCst), 1_024);
    let second: Vec<String> = (1_025..=2_049).map(invocation).collect();
    world.send_all(second.iter().map(String::as_str));
    assert_eq!(calls.load(Ordering::SeqCst), 1_024, "no more are called while as many run");
    world.expect(r#"[8,68,2049,{},"wamp.error.unavailable"]"#);
    world.expect_nothing();

    // One that ends makes room for one.
    let waker = gate.lock().unwrap().take().unwrap();
    waker.wake();
    world.expect("[70,7,{},[7]]");
    assert_eq!(calls.load(Ordering::SeqCst), 1_025);
    world.send("[68,2050,88,{},[2050]]");
    world.expect_nothing();

    // With the session they all end, and the task that serves them with the client.
    world.cut(TransportErrorKind::Eof);
    drop((guard, client));
    world.run();
    assert_eq!(world.tasks(), 0);
}

#[test]
fn handlers_that_run_do_not_keep_the_frames() {
    /// Bytes that tell when they are freed.
    struct Owner(Vec<u8>, #[expect(dead_code, reason = "it is there to be dropped")] Dropped);

    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    let (mut world, client) = World::joined();
    let guard = serve!(world, client, |_: String| std::future::pending::<Result<(), HandlerError>>());
    let freed = Arc::new(AtomicBool::new(false));
    let frame = format!(r#"[68,5,88,{{}},["{}"]]"#, "x".repeat(100_000));
    let owner = Owner(frame.into_bytes(), Dropped(Arc::clone(&freed)));
    world.send_frame(Frame::Text(bytes::Bytes::from_owner(owner)));
    assert_eq!(world.tasks(), 3, "the driver, the task that serves, and the handler");
    assert!(freed.load(Ordering::SeqCst));
    drop(guard);
}

#[test]
fn tasks_that_serve_do_not_keep_the_client_alive() {
    let (mut world, client) = World::joined();
    let guard = serve!(world, client, |()| async { Ok(()) });
    drop(client);
    world.expect_nothing();
    drop(guard);
    world.expect("[66,2,88]");
    world.expect(r#"[6,{},"wamp.close.close_realm"]"#);
    world.agree_to_close();
    assert_eq!(world.tasks(), 0);
}

#[test]
fn a_refused_registration_serves_nothing() {
    let (mut world, client) = World::joined();
    let mut register = client.register_fn("com.example.p", |()| async { Ok(()) });
    assert!(world.poll(&mut register).is_pending());
    world.received();
    world.send(r#"[8,64,1,{},"wamp.error.procedure_already_exists"]"#);
    assert!(world.finish(register).is_err());
    assert_eq!(world.tasks(), 1, "only the driver");
    world.expect_nothing();
}

#[test]
fn a_malformed_invocation_is_an_invalid_argument_when_checked_on_decode() {
    let config = Config::new("ws://router/ws", "realm1").agent(None).payload_check(PayloadCheck::OnDecode);
    let (mut world, client) = World::joined_with(config);
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let guard = serve!(world, client, move |is_true: bool| {
        counter.fetch_add(1, Ordering::SeqCst);
        async move { Ok(!is_true) }
    });
    world.send("[68,5,88,{},[tru]]");
    world.expect(r#"[8,68,5,{},"wamp.error.invalid_argument",["the payload is malformed"]]"#);
    assert_eq!(calls.load(Ordering::SeqCst), 0, "the handler is not called");
    // The next one is well.
    world.send("[68,6,88,{},[true]]");
    world.expect("[70,6,{},[false]]");
    drop(guard);
}

#[test]
fn pbr_02_a_handler_of_a_pattern_sees_what_was_called() {
    let (mut world, client) = World::joined();
    let options = RegisterOptions::new().match_policy(MatchPolicy::Wildcard);
    let handler = |call: WithDetails<()>| async move { Ok(call.procedure.as_str().to_owned()) };
    let mut register = client.register_fn_with("com.example..name", options, handler);
    assert!(world.poll(&mut register).is_pending());
    world.expect(r#"[64,1,{"match":"wildcard"},"com.example..name"]"#);
    world.send("[65,1,88]");
    let guard = world.finish(register).unwrap();
    world.send(r#"[68,5,88,{"procedure":"com.example.shop.name"}]"#);
    world.expect(r#"[70,5,{},["com.example.shop.name"]]"#);
    drop(guard);

    // A handler of an exact procedure sees it, too.
    let (mut world, client) = World::joined();
    let guard = serve!(world, client, |call: WithDetails<()>| async move { Ok(call.procedure.as_str().to_owned()) });
    world.send("[68,5,88,{}]");
    world.expect(r#"[70,5,{},["com.example.p"]]"#);
    drop(guard);
}

#[test]
fn pbr_01_a_stream_takes_a_pattern_where_the_options_say_so() {
    let (mut world, client) = World::joined();
    let prefix = RegisterOptions::new().match_policy(MatchPolicy::Prefix);
    let mut register = client.register_with("com.example.", prefix);
    assert!(world.poll(&mut register).is_pending());
    world.expect(r#"[64,1,{"match":"prefix"},"com.example."]"#);
    world.send("[65,1,88]");
    let mut registration = world.finish(register).unwrap();
    world.send(r#"[68,5,88,{"procedure":"com.example.a"}]"#);
    let call = world.finish(registration.next()).unwrap();
    assert_eq!(call.procedure(), "com.example.a");
    call.reply(1).unwrap();
    world.expect("[70,5,{},[1]]");
    let error = world.finish(client.register("com.example.")).unwrap_err();
    assert!(matches!(error, RequestError::Command(CommandError::InvalidUri(_))), "{error:?}");
}

#[test]
fn rrv_02_and_03_a_revoked_registration_ends_with_its_reason() {
    for (reason, expected) in [
        (r#","reason":"moving endpoint to other callee""#, Some("moving endpoint to other callee")),
        (r#","reason":"wamp.error.unregistered""#, Some("wamp.error.unregistered")),
        ("", None),
    ] {
        let revoked = format!(r#"[67,0,{{"registration":88{reason}}}]"#);
        let (mut world, client) = World::joined();
        let mut registration = world.registered(&client, RegisterOptions::new());
        assert!(registration.end().is_none());
        world.send_all(["[68,5,88,{}]", &revoked]);
        // What came before is still to be answered.
        world.finish(registration.next()).unwrap().reply(1).unwrap();
        world.expect("[70,5,{},[1]]");
        assert!(world.finish(registration.next()).is_none());
        let Some(RegistrationEnd::Revoked(reason)) = registration.end() else { panic!("{:?}", registration.end()) };
        assert_eq!(reason.as_deref(), expected);
        drop(registration);
        world.expect_nothing();

        // The guard of a handler still knows when the handler is gone.
        let (mut world, client) = World::joined();
        let guard = serve!(world, client, |n: u32| async move { Ok(n) });
        world.send(&revoked);
        world.run();
        let Some(RegistrationEnd::Revoked(reason)) = guard.end() else { panic!("{:?}", guard.end()) };
        assert_eq!(reason.as_deref(), expected);
        world.finish(guard.unregister()).unwrap();
    }
}

#[test]
fn a_registration_ends_with_the_client() {
    let (mut world, client) = World::joined();
    let mut registration = world.registered(&client, RegisterOptions::new());
    world.cut(TransportErrorKind::Eof);
    world.run();
    assert!(world.finish(registration.next()).is_none());
    assert!(matches!(registration.end(), Some(RegistrationEnd::Closed(_))), "{:?}", registration.end());
}
