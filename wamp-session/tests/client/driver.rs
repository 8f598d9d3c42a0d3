//! The driver: one flush for what is queued, reading while writing is blocked, and no busy loop.

use std::future::Future as _;
use std::time::Duration;

use wamp_session::client::{Client, ConnectionEvent};
use wamp_session::{CloseCause, Config, KeepAlive, ReconnectPolicy, RequestError, TransportErrorKind};

use crate::world::{Fails, WELCOME, World};

#[test]
fn what_is_queued_goes_out_with_one_flush() {
    let (mut world, client) = World::joined();
    let before = world.wire(|wire| wire.flushes);
    for n in 0..10 {
        // Ready at once, and the driver has not run yet.
        let mut publish = client.publish("com.example.t", (n,));
        assert!(
            std::pin::Pin::new(&mut publish)
                .poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
                .is_ready()
        );
    }
    world.run();
    assert_eq!(world.wire(|wire| wire.sent.len()), 10);
    assert_eq!(world.wire(|wire| wire.flushes), before + 1);
}

#[test]
fn a_lone_message_goes_out_at_once() {
    let (mut world, client) = World::joined();
    let before = world.wire(|wire| wire.flushes);
    world.finish(client.publish("com.example.t", ())).unwrap();
    world.run();
    assert_eq!(world.wire(|wire| (wire.sent.len(), wire.flushes)), (1, before + 1));
}

#[test]
fn it_reads_while_writing_is_blocked() {
    let (mut world, client) = World::joined();
    let mut call = client.call("com.example.p", ());
    assert!(world.poll(&mut call).is_pending());
    world.expect(r#"[48,1,{},"com.example.p"]"#);
    world.block();
    world.finish(client.publish("com.example.t", ())).unwrap();
    world.expect_nothing();
    world.send("[50,1,{},[5]]");
    assert_eq!(world.finish(call).unwrap().arg::<u8>(0).unwrap(), 5);
    world.unblock();
    world.expect(r#"[16,2,{},"com.example.t"]"#);
}

/// How long a transport that cannot be written to is still read.
const LINGER: Duration = Duration::from_secs(1);

#[test]
fn rob_03_a_transport_that_cannot_write_fails_what_waits_and_the_session() {
    for fails in [Fails::Ready, Fails::Send, Fails::Flush] {
        let (mut world, client) = World::joined();
        let mut before = client.call("com.example.before", ());
        assert!(world.poll(&mut before).is_pending());
        world.expect(r#"[48,1,{},"com.example.before"]"#);
        let mut events = client.connection_events();
        assert!(matches!(world.finish(events.next()), Some(ConnectionEvent::Joined(_))));
        world.wire(|wire| wire.fails = Some(fails));
        let mut call = client.call("com.example.p", ());
        assert!(world.poll(&mut call).is_pending());
        // What the router said last could still be read.
        world.advance(LINGER);
        let call = world.finish(call);
        assert!(matches!(call, Err(RequestError::Disconnected { .. })), "{fails:?}: {call:?}");
        assert!(matches!(world.finish(before), Err(RequestError::Disconnected { sent: true })), "{fails:?}");
        let Some(ConnectionEvent::Closed(cause)) = world.finish(events.next()) else { panic!("{fails:?}: no end") };
        let CloseCause::Transport(error) = &*cause else { panic!("{fails:?}: {cause:?}") };
        assert_eq!(*error.kind(), TransportErrorKind::Io);
        assert!(world.wire(|wire| wire.is_dropped), "{fails:?}");
    }
}

#[test]
fn rob_03_a_ping_that_cannot_be_written_fails_the_session() {
    let config = Config::new("ws://router/ws", "realm1").reconnect(ReconnectPolicy::never());
    let (mut world, client) = World::with(config.keep_alive(KeepAlive::new()));
    world.accept();
    world.received();
    world.send(WELCOME);
    world.wire(|wire| wire.fails = Some(Fails::Ping));
    world.advance(Duration::from_secs(20));
    world.advance(LINGER);
    assert!(client.session().is_none());
    assert!(world.wire(|wire| wire.is_dropped));
}

#[test]
fn the_driver_does_not_wake_itself() {
    let (mut world, client) = World::joined();
    let subscription = subscribe(&mut world, &client, 1, 77);
    let before = world.driver_polls;
    for n in 0..10 {
        world.send(&format!("[36,77,{},{{}}]", n + 1));
    }
    assert_eq!(world.driver_polls - before, 10);
    world.finish(client.publish("com.example.t", ())).unwrap();
    world.run();
    assert_eq!(world.driver_polls - before, 11);
    drop(subscription);
}

#[test]
fn publishers_wait_for_room_and_go_on_in_their_order() {
    let (mut world, client) = World::joined();
    world.block();
    let text = "x".repeat(100_000);
    let mut accepted = 0;
    let mut first = loop {
        let mut publish = client.publish("com.example.t", text.as_str());
        match world.poll(&mut publish) {
            std::task::Poll::Ready(result) => result.unwrap(),
            std::task::Poll::Pending => break publish,
        }
        accepted += 1;
        assert!(accepted < 100, "the queue is not bounded");
    };
    let mut second = client.publish("com.example.second", ());
    let mut third = client.publish("com.example.third", ());
    assert!(world.poll(&mut second).is_pending());
    assert!(world.poll(&mut third).is_pending());
    // Who gives up leaves the line.
    drop(second);
    world.unblock();
    assert!(world.poll(&mut third).is_pending(), "it is not its turn");
    world.finish(&mut first).unwrap();
    world.finish(&mut third).unwrap();
    world.run();
    let sent = world.wire(|wire| wire.sent.len());
    assert_eq!(sent, accepted + 2);
    let last = world.wire(|wire| wire.sent.pop_back()).unwrap();
    assert!(last.bytes().ends_with(br#""com.example.third"]"#));
}

#[test]
fn a_publisher_that_is_dropped_when_its_turn_has_come_wakes_the_next_one() {
    let (mut world, client) = World::joined();
    world.block();
    world.finish(client.publish("com.example.t", "x".repeat(1_100_000))).unwrap();
    let mut first = client.publish("com.example.first", ());
    assert!(world.poll(&mut first).is_pending());
    let mut second = client.publish("com.example.second", ());
    assert!(world.wakes(&mut second, |world| {
        // There is room now, and the driver has nothing more to do.
        world.unblock();
        drop(first);
    }));
    world.finish(second).unwrap();
}

#[test]
fn publishers_that_wait_fail_when_the_session_ends() {
    let (mut world, client) = World::joined();
    world.block();
    let text = "x".repeat(1 << 20);
    let mut waiting = loop {
        let mut publish = client.publish("com.example.t", text.as_str());
        if world.poll(&mut publish).is_pending() {
            break publish;
        }
    };
    world.cut(TransportErrorKind::Eof);
    assert!(world.finish(&mut waiting).is_err());
}

#[test]
fn publications_that_the_driver_has_not_written_are_counted_as_lost() {
    let (mut world, client) = World::with(Config::new("ws://router/ws", "realm1").agent(None));
    world.accept();
    world.received();
    world.send(WELCOME);
    let mut changes = client.connection_events();
    assert!(matches!(world.finish(changes.next()), Some(ConnectionEvent::Joined(_))));
    world.finish(client.publish("com.example.t", ("written",))).unwrap();
    world.expect(r#"[16,1,{},"com.example.t",["written"]]"#);
    world.block();
    // The driver takes all of them at once, and the next ones wait in the session.
    let mut call = client.call("com.example.p", ());
    let mut acked = client.publish_acked("com.example.t", ());
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    for n in 0..3 {
        assert!(std::pin::Pin::new(&mut client.publish("com.example.t", (n,))).poll(&mut cx).is_ready());
    }
    assert!(world.poll(&mut call).is_pending() && world.poll(&mut acked).is_pending());
    let text = "x".repeat(100_000);
    world.finish(client.publish("com.example.t", text.as_str())).unwrap();
    world.finish(client.publish("com.example.t", text.as_str())).unwrap();
    world.cut(TransportErrorKind::Eof);
    let Some(ConnectionEvent::Left(left)) = world.finish(changes.next()) else { panic!("nothing is said") };
    assert_eq!((left.lost_publishes, client.stats().lost_publishes), (5, 5));
    assert!(world.finish(call).is_err() && world.finish(acked).is_err());
}

#[test]
fn deadlines_that_only_move_on_cost_one_alarm() {
    let config = Config::new("ws://router/ws", "realm1").agent(None).call_timeout(Duration::from_secs(3));
    let (mut world, client) = World::joined_with(config);
    for id in 1..=50 {
        let mut call = client.call("com.example.p", ());
        assert!(world.poll(&mut call).is_pending());
        world.send(&format!("[50,{id},{{}}]"));
        world.finish(call).unwrap();
    }
    let before = world.driver_polls;
    world.advance(Duration::from_secs(100));
    assert!(world.driver_polls - before <= 2);
    // The alarm still works.
    let mut call = client.call("com.example.p", ());
    assert!(world.poll(&mut call).is_pending());
    world.advance(Duration::from_secs(3));
    assert!(matches!(world.finish(call).unwrap_err(), RequestError::Timeout { .. }));
}

/// A client with a time of day, which would be pinged after an hour.
fn awake() -> (World, Client) {
    let hour = KeepAlive::new().interval(Duration::from_secs(3_600));
    let config = Config::new("ws://router/ws", "realm1").agent(None).keep_alive(hour);
    let (mut world, client) = World::with(config.reconnect(ReconnectPolicy::never()));
    world.set_time_of_day(1_000_000);
    world.accept();
    world.received();
    world.send(WELCOME);
    (world, client)
}

#[test]
fn need_03_a_machine_that_has_slept_probes_the_connection_and_loses_a_dead_one() {
    let (mut world, client) = awake();
    world.advance(Duration::from_secs(60));
    assert_eq!(world.wire(|wire| wire.pings), 0);
    // The clock stood still for a night.
    world.set_time_of_day(1_000_000 + 8 * 3_600);
    world.advance(Duration::from_secs(5));
    assert_eq!(world.wire(|wire| wire.pings), 1);
    world.advance(Duration::from_millis(9_999));
    assert!(client.session().is_some());
    world.advance(Duration::from_millis(1));
    let CloseCause::Transport(error) = world.finish(client.joined()).unwrap_err() else { panic!("another cause") };
    assert_eq!(*error.kind(), TransportErrorKind::Silent);
}

#[test]
fn a_machine_that_has_slept_keeps_a_connection_that_lives() {
    let (mut world, client) = awake();
    world.set_time_of_day(1_000_000 + 3_600);
    world.advance(Duration::from_secs(5));
    assert_eq!(world.wire(|wire| wire.pings), 1);
    world.send("[36,1,1,{}]");
    world.advance(Duration::from_secs(60));
    assert!(client.session().is_some());
    assert_eq!(world.wire(|wire| wire.pings), 1);
}

#[test]
fn clocks_that_are_set_a_little_or_back_are_no_sleep() {
    let (mut world, _client) = awake();
    for ahead in [1_000_004, 1_000_008, 999_000, 500] {
        world.set_time_of_day(ahead);
        world.advance(Duration::from_secs(5));
    }
    assert_eq!(world.wire(|wire| wire.pings), 0);
}

#[test]
fn the_driver_ends_when_the_last_live_handle_is_gone() {
    let (mut world, client) = World::joined();
    let mut events = client.connection_events();
    drop(client);
    world.expect(r#"[6,{},"wamp.close.close_realm"]"#);
    world.agree_to_close();
    assert!(!world.is_driver_running());
    assert!(matches!(world.finish(events.next()), Some(ConnectionEvent::Joined(_))));
    assert!(matches!(world.finish(events.next()), Some(ConnectionEvent::Closed(_))));
    assert!(world.finish(events.next()).is_none());
}

#[test]
fn subscriptions_and_futures_are_live_handles() {
    let (mut world, client) = World::joined();
    let subscription = subscribe(&mut world, &client, 1, 77);
    let mut call = client.call("com.example.p", ());
    drop(client);
    assert!(world.poll(&mut call).is_pending());
    drop(subscription);
    world.expect(r#"[48,2,{},"com.example.p"]"#);
    world.expect("[34,3,77]");
    world.expect_nothing();
    world.send("[50,2,{}]");
    world.finish(call).unwrap();
    world.expect(r#"[6,{},"wamp.close.close_realm"]"#);
}

/// A subscription that the router has confirmed.
pub(crate) fn subscribe(
    world: &mut World,
    client: &Client,
    request: u64,
    id: u64,
) -> wamp_session::client::Subscription {
    let mut subscribe = client.subscribe("com.example.topic");
    assert!(world.poll(&mut subscribe).is_pending());
    world.expect(&format!(r#"[32,{request},{{}},"com.example.topic"]"#));
    world.send(&format!("[33,{request},{id}]"));
    world.finish(subscribe).unwrap()
}
