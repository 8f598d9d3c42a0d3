//! Whatever waits for room, for the next, or for an end.

use core::pin::{Pin, pin};
use core::task::Poll;

use super::super::world::{World, poll, ready};
use super::{CANCEL, Making, UNREGISTER, UNSUBSCRIBE, assert_sent};
use crate::{Status, TransportError, TransportErrorKind};

#[test]
fn rob_05_what_is_dropped_while_it_waits_for_room_is_never_sent() {
    type Sends = fn(&World) -> Making;
    let publications: [(&str, Sends); 2] = [
        ("a publication", making!(|client| client.publish("com.example.t", ()))),
        ("an acknowledged publication", making!(|client| client.publish_acked("com.example.t", ()))),
    ];
    for (what, make) in publications {
        for polls in 1..4 {
            let world = World::new();
            ready(pin!(world.client.publish("com.example.large", "x".repeat(1_100_000))));
            let mut future = make(&world);
            for _ in 0..polls {
                assert!(poll(future.as_mut()).is_pending(), "{what}");
            }
            drop(future);
            assert!(matches!(&*world.sent(), [large] if large.len() > 1_000_000), "{what}");
            assert_sent(&world, &[], what);
            world.assert_still(what);
        }
    }
}

#[test]
fn rob_05_input_and_parts_that_are_dropped_while_they_wait_for_room_are_never_sent() {
    let large = || "x".repeat(1_100_000);
    for is_last in [false, true] {
        let world = World::new();
        let (mut input, call) = ready(pin!(world.client.call_streaming("com.example.p", 1)));
        ready(pin!(input.send(large())));
        if is_last {
            // The call is over with its input.
            assert!(poll(pin!(input.finish(2))).is_pending());
            assert!(matches!(&*world.sent(), [_, _, cancel] if *cancel == CANCEL[0]));
        } else {
            assert!(poll(pin!(input.send(2))).is_pending());
            assert!(!world.under_way().iter().any(|(table, _)| *table == "room"), "it keeps its place in the line");
            assert_eq!(world.sent().len(), 2);
            ready(pin!(input.send(3)));
            assert_sent(&world, &[r#"[48,1,{"progress":true},"com.example.p",[3]]"#], "the next input");
            ready(pin!(input.finish(4)));
            assert_sent(&world, &[r#"[48,1,{},"com.example.p",[4]]"#], "the last input");
        }
        world.receive("[50,1,{}]");
        drop(call);
        assert_sent(&world, &[], "input");
        world.assert_still("input");
    }
    let world = World::new();
    let mut registration = world.registered();
    world.drain();
    let call = world.invoked(&mut registration, r#"{"receive_progress":true}"#);
    ready(pin!(call.progress(large())));
    assert!(poll(pin!(call.progress(2))).is_pending());
    assert_eq!(world.sent().len(), 1);
    ready(pin!(call.progress(3)));
    assert_sent(&world, &[r#"[70,1,{"progress":true},[3]]"#], "the next part");
}

#[test]
fn rob_05_an_end_that_is_dropped_ends_all_the_same() {
    type Ends = fn(&World) -> Making;
    let ends: [(&str, Ends, &[&str], &str); 3] = [
        (
            "unsubscribing",
            |world| {
                let end = world.subscribed().unsubscribe();
                Box::pin(async move { drop(end.await) })
            },
            UNSUBSCRIBE,
            "[35,2]",
        ),
        (
            "unregistering",
            |world| {
                let end = world.registered().unregister();
                Box::pin(async move { drop(end.await) })
            },
            UNREGISTER,
            "[67,2]",
        ),
        (
            "unregistering a handler",
            |world| {
                let mut register = world.client.register_fn("com.example.p", |(): ()| async { Ok(()) });
                assert!(poll(Pin::new(&mut register)).is_pending());
                world.receive("[65,1,88]");
                let end = ready(Pin::new(&mut register)).unregister();
                Box::pin(async move { drop(end.await) })
            },
            UNREGISTER,
            "[67,2]",
        ),
    ];
    for (what, make, asked, answer) in ends {
        for polls in 0..3 {
            for is_answered_first in [false, true] {
                let world = World::new();
                let mut future = make(&world);
                world.drain();
                for _ in 0..polls {
                    assert!(poll(future.as_mut()).is_pending(), "{what}");
                }
                if polls > 0 {
                    assert_sent(&world, asked, what);
                    if is_answered_first {
                        world.receive(answer);
                    }
                    drop(future);
                    assert_sent(&world, &[], what);
                    if !is_answered_first {
                        world.receive(answer);
                    }
                } else {
                    // As dropping what it ends.
                    drop(future);
                    assert_sent(&world, asked, what);
                    world.receive(answer);
                }
                assert_sent(&world, &[], what);
                world.assert_still(what);
            }
        }
    }
}

#[test]
fn rob_05_unsubscribing_all_does_nothing_before_its_first_poll_and_everything_after_it() {
    let world = World::new();
    let subscription = world.subscribed();
    world.drain();
    drop(world.client.unsubscribe_all("com.example.t"));
    assert_sent(&world, &[], "never polled");
    assert!(subscription.end().is_none());
    let mut all = Box::pin(world.client.unsubscribe_all("com.example.t"));
    assert!(poll(all.as_mut()).is_pending());
    assert_sent(&world, UNSUBSCRIBE, "polled");
    drop(all);
    assert!(subscription.end().is_some());
    world.receive("[35,2]");
    drop(subscription);
    assert_sent(&world, &[], "dropped");
    world.assert_still("unsubscribing all");
}

#[test]
fn rob_05_connecting_joining_and_closing_do_nothing_before_their_first_poll() {
    let world = World::new();
    drop((world.client.close(), world.client.drain()));
    assert_sent(&world, &[], "never polled");
    assert!(world.client.session().is_some());
    drop(poll(pin!(world.client.close())));
    assert_sent(&world, &[r#"[6,{},"wamp.close.close_realm"]"#], "dropped after a poll");
    world.receive(r#"[6,{},"wamp.close.goodbye_and_out"]"#);
    world.link.closed(world.transport, TransportError::new(TransportErrorKind::Eof));
    drop(world.client.connect());
    assert!(matches!(world.client.status(), Status::Closed));
    assert!(poll(pin!(world.client.connect())).is_pending());
    assert!(matches!(world.client.status(), Status::Connecting), "it connects all the same");
    assert!(poll(pin!(world.client.joined())).is_pending());
    assert!(matches!(world.client.status(), Status::Connecting));
    assert_eq!(world.under_way().iter().find(|(table, _)| *table == "watchers of the connection"), None);
}

/// Takes the next of a stream, after a future for it was dropped: before it came, and behind its back.
macro_rules! assert_next_is_kept {
    ($world:ident, $stream:expr, $frames:expr) => {
        for frame in $frames {
            drop($stream.next());
            {
                let mut next = pin!($stream.next());
                assert!(poll(next.as_mut()).is_pending());
                $world.receive(frame);
            }
            assert!(matches!(poll(pin!($stream.next())), Poll::Ready(Some(_))), "{frame}");
            assert!(poll(pin!($stream.next())).is_pending(), "{frame} came once");
        }
    };
}

#[test]
fn rob_05_dropping_the_wait_for_the_next_loses_nothing() {
    let world = World::new();
    let mut events = world.subscribed();
    assert_next_is_kept!(world, events, ["[36,77,1,{}]", "[36,77,2,{}]"]);

    let world = World::new();
    let mut subscribe = Box::pin(world.client.meta().on_join());
    assert!(poll(subscribe.as_mut()).is_pending());
    world.receive("[33,1,77]");
    let mut joins = ready(subscribe.as_mut());
    assert_next_is_kept!(world, joins, [r#"[36,77,1,{},[{"session":1}]]"#, "[36,77,2,{}]"]);

    let world = World::new();
    let mut invocations = world.registered();
    assert_next_is_kept!(world, invocations, ["[68,1,88,{}]", "[68,2,88,{}]"]);
    let call = world.invoked(&mut invocations, r#"{"progress":true}"#);
    let mut inputs = call.inputs();
    assert_next_is_kept!(world, inputs, [r#"[68,1,88,{"progress":true},[1]]"#, r#"[68,1,88,{"progress":true},[2]]"#]);

    let world = World::new();
    let mut parts = ready(pin!(world.client.call_progressive("com.example.p", ())));
    assert_next_is_kept!(world, parts, [r#"[50,1,{"progress":true},[1]]"#, r#"[50,1,{"progress":true},[2]]"#]);

    let world = World::new();
    let mut changes = world.client.connection_events();
    assert!(matches!(poll(pin!(changes.next())), Poll::Ready(Some(_))), "it has joined");
    assert_next_is_kept!(world, changes, [r#"[6,{},"wamp.close.system_shutdown"]"#]);
}
