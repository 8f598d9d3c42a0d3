//! Invocations: parts of results, failures, how many run, and that each is answered.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use wamp_session::client::{HandlerError, HandlerFailure, Queue, WithDetails, WithInvocation};
use wamp_session::{CommandError, Config, InvocationEnd, RegisterOptions, TransportErrorKind, WampError};

use crate::world::{World, serve};

#[test]
fn need_39_parts_of_a_result_are_sent_by_hand() {
    let (mut world, _registration, call) = World::invoked(r#"[68,5,88,{"receive_progress":true}]"#);
    assert!(call.wants_progress());
    world.finish(call.progress(("half", 1))).unwrap();
    world.expect(r#"[70,5,{"progress":true},["half",1]]"#);
    call.reply("done").unwrap();
    world.expect(r#"[70,5,{},["done"]]"#);
}

#[test]
fn pcr_07_parts_that_nobody_takes_are_left_out() {
    let (mut world, _registration, call) = World::invoked("[68,5,88,{}]");
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
    let (mut world, _registration, call) = World::invoked(r#"[68,5,88,{"receive_progress":true}]"#);
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
    let registration = world.registered(&client, options);
    world.send_all(["[68,1,88,{}]", "[68,2,88,{}]", "[68,3,88,{}]"]);
    world.expect(r#"[8,68,3,{},"wamp.error.unavailable"]"#);
    world.expect_nothing();
    drop(registration);
}

#[test]
fn a_lost_session_ends_what_runs_with_its_inputs() {
    let (mut world, _registration, call) = World::invoked(r#"[68,5,88,{"progress":true}]"#);
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
