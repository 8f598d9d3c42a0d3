//! Closing and draining: bounded, from every state, twice and concurrently.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use wamp_session::client::{Client, ConnectionEvent};
use wamp_session::{CloseCause, Config, Jitter, ReconnectPolicy, Status, TransportErrorKind};

use crate::driver::subscribe;
use crate::world::{WELCOME, World};

const GOODBYE: &str = r#"[6,{},"wamp.close.close_realm"]"#;

fn config() -> Config {
    Config::new("ws://router/ws", "realm1").agent(None).close_timeout(Duration::from_secs(5))
}

#[test]
fn ws_11_close_says_goodbye_and_closes_the_websocket() {
    let (mut world, client) = World::joined();
    world.finish(client.publish("com.example.t", ())).unwrap();
    let mut close = client.close();
    assert!(world.poll(&mut close).is_pending());
    // What was accepted goes out first.
    world.expect(r#"[16,1,{},"com.example.t"]"#);
    world.expect(GOODBYE);
    world.send(r#"[6,{},"wamp.close.normal"]"#);
    assert_eq!(world.wire(|wire| wire.closed.clone()), Some((1000, String::new())));
    world.cut(TransportErrorKind::Closed { code: Some(1000), reason: String::new() });
    world.finish(close).unwrap();
    assert!(world.wire(|wire| wire.is_dropped));
}

#[test]
fn rob_06_no_handler_runs_for_what_comes_after_the_close() {
    let (mut world, client) = World::joined();
    let ran = Arc::new(AtomicUsize::new(0));
    let counted = || {
        let ran = Arc::clone(&ran);
        move || ran.fetch_add(1, Ordering::SeqCst)
    };
    let count = counted();
    let mut subscribe = client.subscribe_fn("com.example.t", move |(): ()| {
        count();
        async { Ok(()) }
    });
    assert!(world.poll(&mut subscribe).is_pending());
    world.send_all(["[33,1,77]", "[36,77,1,{}]"]);
    let listener = world.finish(subscribe).unwrap();
    let count = counted();
    let mut register = client.register_fn("com.example.p", move |(): ()| {
        count();
        async { Ok(()) }
    });
    assert!(world.poll(&mut register).is_pending());
    world.send_all(["[65,2,88]", "[68,1,88,{}]"]);
    let guard = world.finish(register).unwrap();
    world.run();
    assert_eq!(ran.load(Ordering::SeqCst), 2);
    world.wire(|wire| wire.sent.clear());

    let mut close = client.close();
    assert!(world.poll(&mut close).is_pending());
    world.expect(GOODBYE);
    world.send_all(["[36,77,2,{}]", "[68,2,88,{}]"]);
    world.expect_nothing();
    world.agree_to_close();
    world.finish(close).unwrap();
    assert_eq!(ran.load(Ordering::SeqCst), 2);
    drop((listener, guard));
}

#[test]
fn closing_twice_and_concurrently_is_fine() {
    let (mut world, client) = World::joined();
    let (mut one, mut two, mut three) = (client.close(), client.clone().close(), client.drain());
    assert!(world.poll(&mut one).is_pending());
    assert!(world.poll(&mut two).is_pending());
    assert!(world.poll(&mut three).is_pending());
    world.expect(GOODBYE);
    world.expect_nothing();
    world.agree_to_close();
    world.finish(one).unwrap();
    world.finish(two).unwrap();
    world.finish(three).unwrap();
    world.finish(client.close()).unwrap();
    world.finish(client.drain()).unwrap();
}

#[test]
fn a_silent_router_delays_the_close_by_the_close_timeout_at_most() {
    for drain in [false, true] {
        let (mut world, client) = World::joined_with(config());
        let mut close = if drain { client.drain() } else { client.close() };
        assert!(world.poll(&mut close).is_pending());
        world.advance(Duration::from_secs(5));
        world.finish(close).unwrap();
        world.advance(Duration::from_secs(1));
        assert!(world.wire(|wire| wire.is_dropped));
        drop(client);
        world.run();
        assert!(!world.is_driver_running());
    }
}

#[test]
fn a_router_that_does_not_read_delays_the_close_by_the_close_timeout_at_most() {
    let (mut world, client) = World::joined_with(config());
    world.block();
    world.finish(client.publish("com.example.t", "x".repeat(200_000))).unwrap();
    let mut close = client.close();
    assert!(world.poll(&mut close).is_pending());
    world.advance(Duration::from_secs(5));
    world.finish(close).unwrap();
    world.advance(Duration::from_secs(1));
    assert!(world.wire(|wire| wire.is_dropped));
}

#[test]
fn close_ends_while_connecting() {
    let (mut world, client) = World::new(config());
    let mut close = client.close();
    let mut joined = client.joined();
    assert!(world.poll(&mut joined).is_pending());
    let _ = world.poll(&mut close);
    world.finish(close).unwrap();
    assert!(matches!(world.finish(joined).unwrap_err(), CloseCause::Application));
    assert_eq!(world.wire(|wire| wire.opened), 1);
}

#[test]
fn close_ends_while_joining() {
    let (mut world, client) = World::new(config());
    world.accept();
    world.received();
    let mut close = client.close();
    assert!(world.poll(&mut close).is_pending());
    assert!(world.received().starts_with(r#"[3,{"#));
    world.advance(Duration::from_secs(5));
    world.finish(close).unwrap();
}

#[test]
fn close_tells_that_the_session_had_ended_before() {
    let (mut world, client) = World::joined();
    world.cut(TransportErrorKind::Eof);
    assert!(matches!(world.finish(client.close()).unwrap_err(), CloseCause::Transport(_)));
    assert!(matches!(world.finish(client.drain()).unwrap_err(), CloseCause::Transport(_)));
}

#[test]
fn dropping_the_future_of_close_closes_all_the_same() {
    let (mut world, client) = World::joined();
    drop(client.close());
    world.expect_nothing();
    let mut close = client.close();
    assert!(world.poll(&mut close).is_pending());
    drop(close);
    world.expect(GOODBYE);
}

#[test]
fn drain_lets_running_invocations_finish() {
    let (mut world, client) = World::joined_with(config());
    let mut subscription = subscribe(&mut world, &client, 1, 77);
    let mut register = client.register("com.example.p");
    assert!(world.poll(&mut register).is_pending());
    world.received();
    world.send_all(["[65,2,88]", "[68,5,88,{}]", "[36,77,5,{}]"]);
    let mut registration = world.finish(register).unwrap();
    let mut drain = client.drain();
    assert!(world.poll(&mut drain).is_pending());
    world.expect("[34,3,77]");
    world.expect("[66,4,88]");
    world.send_all(["[35,3]", "[67,4]"]);
    world.expect_nothing();
    assert!(world.poll(&mut drain).is_pending());
    // What is queued is still there.
    assert!(world.finish(subscription.next()).is_some());
    assert!(world.finish(subscription.next()).is_none());
    let invocation = world.finish(registration.next()).unwrap();
    invocation.reply(7).unwrap();
    world.expect("[70,5,{},[7]]");
    world.expect(GOODBYE);
    world.agree_to_close();
    world.finish(drain).unwrap();
    assert!(world.finish(registration.next()).is_none());
}

#[test]
fn drain_waits_for_handlers_no_longer_than_the_close_timeout() {
    let (mut world, client) = World::joined_with(config());
    let mut register = client.register_fn("com.example.p", |()| std::future::pending::<Result<(), _>>());
    assert!(world.poll(&mut register).is_pending());
    world.received();
    world.send_all(["[65,1,88]", "[68,5,88,{}]"]);
    let guard = world.finish(register).unwrap();
    let mut drain = client.drain();
    assert!(world.poll(&mut drain).is_pending());
    world.expect("[66,2,88]");
    world.send("[67,2]");
    world.advance(Duration::from_millis(4_999));
    world.expect_nothing();
    world.advance(Duration::from_millis(1));
    world.expect(GOODBYE);
    world.agree_to_close();
    world.finish(drain).unwrap();
    drop(guard);
}

#[test]
fn drain_with_nothing_to_drain_closes_at_once() {
    let (mut world, client) = World::joined_with(config());
    let mut drain = client.drain();
    assert!(world.poll(&mut drain).is_pending());
    world.expect(GOODBYE);
    world.agree_to_close();
    world.finish(drain).unwrap();
}

/// A client in a state, whose router says nothing more.
fn in_state(state: &str) -> (World, Client) {
    let config = config().reconnect(ReconnectPolicy::new().jitter(Jitter::None)).keep_alive(None);
    let (mut world, client) = World::with(config);
    if state == "opening" {
        return (world, client);
    }
    world.accept();
    world.received();
    if state == "joining" {
        return (world, client);
    }
    world.send(WELCOME);
    let subscription = subscribe(&mut world, &client, 1, 77);
    // It lives as long as the client.
    std::mem::forget(subscription);
    match state {
        "joined" => {}
        "with a call and a publisher that waits" => {
            let mut call = Box::pin(client.call("com.example.slow", ()));
            assert!(world.poll(&mut call).is_pending());
            std::mem::forget(call);
            world.block();
            while {
                let mut publish = Box::pin(client.publish("com.example.t", "x".repeat(1 << 20)));
                let waits = world.poll(&mut publish).is_pending();
                std::mem::forget(publish);
                !waits
            } {}
        }
        "closing" => {
            let mut close = client.close();
            assert!(world.poll(&mut close).is_pending());
        }
        "draining" => {
            let mut drain = client.drain();
            assert!(world.poll(&mut drain).is_pending());
        }
        "waiting" => world.cut(TransportErrorKind::Eof),
        "leaving" => world.send(r#"[6,{},"wamp.close.system_shutdown"]"#),
        "rejoining" | "restoring" => {
            world.cut(TransportErrorKind::Eof);
            world.advance(Duration::from_secs(1));
            world.accept();
            world.received();
            if state == "restoring" {
                world.send(WELCOME);
                world.expect(r#"[32,1,{},"com.example.topic"]"#);
            }
        }
        "closed" => {
            let mut close = client.close();
            assert!(world.poll(&mut close).is_pending());
            world.agree_to_close();
        }
        state => panic!("{state}"),
    }
    (world, client)
}

#[test]
fn need_08_close_and_drain_end_from_every_state_twice_and_concurrently_and_never_reconnect() {
    for state in [
        "opening",
        "joining",
        "joined",
        "with a call and a publisher that waits",
        "closing",
        "draining",
        "waiting",
        "leaving",
        "rejoining",
        "restoring",
        "closed",
    ] {
        for (first, second) in [(false, false), (false, true), (true, false), (true, true)] {
            let (mut world, client) = in_state(state);
            let opened = world.wire(|wire| wire.opened);
            let end = |drain| if drain { client.drain() } else { client.close() };
            let mut ends = [end(first), end(second)];
            let mut done = [false; 2];
            // Nothing is heard of the router: the close timeout limits the wait for answers, and then that for the end.
            for _ in 0..11 {
                for (end, done) in ends.iter_mut().zip(&mut done).filter(|(_, done)| !**done) {
                    if let Poll::Ready(result) = world.poll(end) {
                        *done = true;
                        assert!(result.is_ok(), "{state}, {first}, {second}: {result:?}");
                    }
                }
                world.advance(Duration::from_secs(1));
            }
            assert_eq!(done, [true; 2], "{state}, {first}, {second}");
            assert!(matches!(client.status(), Status::Closed), "{state}, {first}, {second}");
            world.advance(Duration::from_secs(1_000));
            assert_eq!(world.wire(|wire| wire.opened), opened, "{state}, {first}, {second}");
            world.finish(client.close()).unwrap();
            world.finish(client.drain()).unwrap();
        }
    }
}

#[test]
fn need_08_a_drain_ends_at_once_while_there_is_no_session() {
    for state in ["opening", "waiting"] {
        let (mut world, client) = in_state(state);
        let mut drain = client.drain();
        // Nobody else does anything with the client meanwhile.
        world.finish(&mut drain).unwrap();
    }
}

#[test]
fn close_takes_no_longer_than_the_close_timeout_although_a_drain_waits() {
    let (mut world, client) = in_state("draining");
    let mut close = client.close();
    assert!(world.poll(&mut close).is_pending());
    world.advance(Duration::from_secs(5));
    world.finish(close).unwrap();
}

#[test]
fn connection_events_start_with_the_present_state() {
    let (mut world, client) = World::new(config());
    let mut early = client.connection_events();
    assert!(Pin::new(&mut early.next()).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    world.accept();
    world.received();
    world.send(WELCOME);
    let mut late = client.connection_events();
    for events in [&mut early, &mut late] {
        let Some(ConnectionEvent::Joined(joined)) = world.finish(events.next()) else { panic!("not joined") };
        assert_eq!(joined.session.get(), 7_814_135);
    }
    world.send(r#"[6,{"message":"maintenance"},"wamp.close.system_shutdown"]"#);
    world.expect(r#"[6,{},"wamp.close.goodbye_and_out"]"#);
    world.cut(TransportErrorKind::Closed { code: Some(1000), reason: String::new() });
    let mut last = client.connection_events();
    for events in [&mut early, &mut late, &mut last] {
        let Some(ConnectionEvent::Closed(cause)) = world.finish(events.next()) else { panic!("not closed") };
        let CloseCause::Goodbye(goodbye) = &*cause else { panic!("{cause:?}") };
        assert_eq!(goodbye.reason, "wamp.close.system_shutdown");
        assert!(world.finish(events.next()).is_none());
    }
}
