//! Nothing stays in the tables of a client when what it stood for is over, however that came.

use core::pin::pin;
use core::task::Poll;
use core::time::Duration;

use wamp_proto::CancelMode;

use super::world::{World, poll, ready};
use super::{CallInput, Invocation, ProgressiveCall};
use crate::{CallOptions, RequestError, TransportError, TransportErrorKind};

/// The ways in which a call, an invocation or a session ends from outside.
type Outside = (&'static str, fn(&World));

const ENDS: [Outside; 8] = [
    ("its result", |world| world.receive("[50,1,{},[1]]")),
    ("its error", |world| world.receive(r#"[8,48,1,{},"com.example.error"]"#)),
    ("its timeout", |world| world.advance(7)),
    ("the loss of the transport", |world| {
        world.link.closed(world.transport, TransportError::new(TransportErrorKind::Eof));
    }),
    ("GOODBYE", |world| world.receive(r#"[6,{},"wamp.close.system_shutdown"]"#)),
    ("the end of the driver's session", |world| {
        drop(poll(pin!(world.client.close())));
    }),
    ("a protocol violation", |world| world.receive("[]")),
    ("nothing", |_| {}),
];

/// What remains when the session is over: the deadlines of what follows it.
#[track_caller]
fn assert_over(world: &World, what: &str) {
    let left: Vec<_> = world.under_way().into_iter().filter(|(table, _)| *table != "deadlines").collect();
    assert_eq!(left, [], "after: {what}");
}

#[test]
fn rob_02_a_call_leaves_nothing_behind() {
    for (what, end) in ENDS {
        for cancelled in [None, Some(CancelMode::Kill), Some(CancelMode::Skip)] {
            for (is_taken, on_drop) in [(true, None), (false, None), (false, Some(CancelMode::KillNoWait))] {
                let world = World::new();
                let options = CallOptions::new().timeout(Duration::from_secs(5)).cancel_on_drop(on_drop);
                let mut call = Box::pin(world.client.call_with("com.example.p", (), options));
                assert!(poll(call.as_mut()).is_pending());
                if let Some(mode) = cancelled {
                    call.canceller().cancel(mode);
                }
                end(&world);
                if is_taken && what != "nothing" {
                    assert!(poll(call.as_mut()).is_ready(), "{what}");
                }
                drop(call);
                // The router may not know.
                world.receive("[50,1,{}]");
                assert_over(&world, what);
                if ["its result", "its error", "its timeout", "nothing"].contains(&what) {
                    world.assert_still(what);
                }
            }
        }
    }
}

#[test]
fn rob_02_a_call_in_parts_leaves_nothing_behind() {
    type Drops = fn(CallInput, ProgressiveCall);
    let drops: [Drops; 4] = [
        |input, call| {
            drop(input);
            drop(call);
        },
        |input, call| {
            drop(call);
            drop(input);
        },
        |input, call| {
            let mut finish = Box::pin(call.finish());
            let _ = poll(finish.as_mut());
            drop(input);
        },
        |input, call| {
            let mut last = Box::pin(input.finish(9));
            let _ = poll(last.as_mut());
            drop(call);
        },
    ];
    for (what, end) in ENDS {
        for drops in drops {
            for on_drop in [Some(CancelMode::Kill), Some(CancelMode::KillNoWait), None] {
                let world = World::new();
                let options = CallOptions::new().timeout(Duration::from_secs(5)).cancel_on_drop(on_drop);
                let options = options.receive_progress();
                let streaming = world.client.call_streaming_with("com.example.p", 1, options);
                let (mut input, call) = ready(pin!(streaming));
                world.receive(r#"[50,1,{"progress":true},[1]]"#);
                if on_drop == Some(CancelMode::KillNoWait) {
                    // Nothing is taken, so that the next one waits for room.
                    ready(pin!(input.send("x".repeat(1_100_000))));
                    assert!(poll(pin!(input.send(3))).is_pending());
                }
                end(&world);
                let _ = poll(pin!(input.send(4)));
                drops(input, call);
                world.drain();
                if on_drop == Some(CancelMode::Kill) {
                    // It is waited for until then.
                    world.advance(60);
                }
                assert_over(&world, what);
            }
        }
    }
}

#[test]
fn rob_02_an_invocation_leaves_nothing_behind() {
    type Does = fn(Invocation) -> Option<Invocation>;
    let answers: [Does; 4] = [
        |call| {
            drop(call);
            None
        },
        |call| {
            let _ = call.reply(1);
            None
        },
        |call| {
            let _ = call.fail(RequestError::Closed);
            None
        },
        Some,
    ];
    let kill: Outside = ("INTERRUPT to kill", |world| world.receive(r#"[69,1,{"mode":"kill"}]"#));
    let no_wait: Outside = ("INTERRUPT", |world| world.receive(r#"[69,1,{"mode":"killnowait"}]"#));
    for (what, end) in ENDS.into_iter().chain([kill, no_wait]) {
        for answer in answers {
            for is_first in [true, false] {
                let world = World::new();
                let mut registration = world.registered();
                let details = r#"{"timeout":5000,"progress":true,"receive_progress":true}"#;
                let mut call = Some(world.invoked(&mut registration, details));
                let watches: Vec<_> = call.iter().map(|call| (call.cancelled(), call.inputs())).collect();
                let (cancelled, mut inputs) = watches.into_iter().next().unwrap();
                let mut cancelled = Box::pin(cancelled);
                assert!(poll(cancelled.as_mut()).is_pending());
                assert!(poll(pin!(inputs.next())).is_pending());
                if is_first {
                    call = call.and_then(answer);
                }
                // Another one waits in the queue meanwhile.
                world.receive("[68,2,88,{}]");
                end(&world);
                if !is_first {
                    call = call.and_then(answer);
                }
                drop(call);
                assert!(poll(cancelled.as_mut()).is_ready(), "{what}");
                assert!(matches!(poll(pin!(inputs.next())), Poll::Ready(None)), "{what}");
                drop(registration);
                world.receive("[67,2]");
                world.drain();
                assert_over(&world, what);
                let is_joined = world.client.session().is_some();
                if is_joined {
                    world.assert_still(what);
                }
            }
        }
    }
}

#[test]
fn rob_02_what_is_ended_by_its_handle_leaves_nothing_behind() {
    for answers in [["[67,3]", "[35,4]"], [r#"[8,66,3,{},"com.example.no"]"#, r#"[8,34,4,{},"com.example.no"]"#]] {
        for is_awaited in [true, false] {
            let world = World::new();
            let registration = world.registered();
            let mut subscribe = pin!(world.client.subscribe("com.example.t"));
            assert!(poll(subscribe.as_mut()).is_pending());
            world.receive("[33,2,77]");
            let subscription = ready(subscribe);
            let mut ends = (Box::pin(registration.unregister()), Box::pin(subscription.unsubscribe()));
            assert!(poll(ends.0.as_mut()).is_pending() && poll(ends.1.as_mut()).is_pending());
            if is_awaited {
                answers.iter().for_each(|answer| world.receive(answer));
                assert!(poll(ends.0.as_mut()).is_ready() && poll(ends.1.as_mut()).is_ready());
            } else {
                drop(ends);
                answers.iter().for_each(|answer| world.receive(answer));
            }
            world.drain();
            world.assert_still(answers[0]);
        }
    }
}

#[test]
fn rob_02_a_watcher_that_is_dropped_leaves_nothing_behind() {
    let world = World::new();
    let mut registration = world.registered();
    let call = world.invoked(&mut registration, r#"{"receive_progress":true}"#);
    ready(pin!(call.progress("x".repeat(1_100_000))));
    {
        let mut cancelled = pin!(call.cancelled());
        let mut part = pin!(call.progress(1));
        for _ in 0..2 {
            assert!(poll(cancelled.as_mut()).is_pending());
            assert!(poll(part.as_mut()).is_pending());
        }
        assert!(world.under_way().contains(&("watchers of invocations", 2)));
        assert!(world.under_way().contains(&("room", 1)));
    }
    let left = world.under_way();
    assert!(!left.iter().any(|(table, _)| ["room", "watchers of invocations"].contains(table)), "{left:?}");
    drop(call);
}
