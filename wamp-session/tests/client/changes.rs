//! The state as a value, and as a stream of changes.

use std::time::Duration;

use wamp_session::client::{Client, ConnectionEvent};
use wamp_session::{
    CloseCause, Config, Jitter, Offline, OfflinePolicy, ReconnectPolicy, Status, Time, TransportErrorKind,
};

use crate::world::{WELCOME, World};

fn connecting() -> (World, Client) {
    let policy = ReconnectPolicy::new().jitter(Jitter::None).max_attempts(Some(3));
    let offline = Offline::new().publishes(OfflinePolicy::Buffer(10));
    let config = Config::new("ws://router/ws", "realm1").agent(None).keep_alive(None);
    World::with(config.reconnect(policy).offline(offline))
}

fn accept(world: &mut World) {
    world.accept();
    assert!(world.received().starts_with("[1,"));
    world.send(WELCOME);
}

#[test]
fn need_32_a_late_observer_sees_the_present_state_as_a_value() {
    let (mut world, client) = connecting();
    assert!(matches!(client.status(), Status::Connecting));
    accept(&mut world);
    assert!(matches!(client.status(), Status::Joined(joined) if joined.session.get() == 7_814_135));
    world.cut(TransportErrorKind::Eof);
    let Status::Waiting { left, retry_at } = client.status() else { panic!("it does not wait") };
    assert_eq!((left.attempt, left.retry_in, retry_at), (1, Duration::from_secs(1), Time::from_secs(1)));
    assert!(matches!(&left.cause, CloseCause::Transport(error) if *error.kind() == TransportErrorKind::Eof));
    assert_eq!(left.session.map(|id| id.get()), Some(7_814_135));
    let mut late = client.connection_events();
    assert!(matches!(world.finish(late.next()), Some(ConnectionEvent::Left(left)) if left.attempt == 1));
    world.advance(Duration::from_secs(1));
    assert!(matches!(client.status(), Status::Connecting));
    accept(&mut world);
    let mut later = client.connection_events();
    assert!(matches!(world.finish(later.next()), Some(ConnectionEvent::Joined(_))));
    let mut close = client.close();
    assert!(world.poll(&mut close).is_pending());
    assert!(matches!(client.status(), Status::Closing));
    world.received();
    world.agree_to_close();
    assert!(matches!(client.status(), Status::Closed));
    let mut last = client.connection_events();
    let Some(ConnectionEvent::Closed(cause)) = world.finish(last.next()) else { panic!("not closed") };
    assert!(matches!(&*cause, CloseCause::Application));
    assert!(world.finish(last.next()).is_none());
}

#[test]
fn need_32_the_stream_tells_every_change_with_its_cause_its_attempt_and_its_delay_until_it_gives_up() {
    let (mut world, client) = connecting();
    let mut events = client.connection_events();
    accept(&mut world);
    assert!(matches!(world.finish(events.next()), Some(ConnectionEvent::Joined(_))));
    world.cut(TransportErrorKind::Eof);
    for (attempt, seconds, cause) in
        [(1, 1, TransportErrorKind::Eof), (2, 2, TransportErrorKind::Connect), (3, 4, TransportErrorKind::Dns)]
    {
        let Some(ConnectionEvent::Left(left)) = world.finish(events.next()) else { panic!("not left") };
        assert_eq!((left.attempt, left.retry_in.as_secs()), (attempt, seconds));
        assert!(matches!(&left.cause, CloseCause::Transport(error) if *error.kind() == cause), "{left:?}");
        assert_eq!(left.session.is_some(), attempt == 1);
        world.advance(left.retry_in + Duration::from_nanos(1));
        world.refuse(
            [TransportErrorKind::Connect, TransportErrorKind::Dns, TransportErrorKind::Handshake][attempt as usize - 1]
                .clone(),
        );
    }
    let Some(ConnectionEvent::Closed(cause)) = world.finish(events.next()) else { panic!("not closed") };
    assert!(matches!(&*cause, CloseCause::Transport(error) if *error.kind() == TransportErrorKind::Handshake));
    assert!(world.finish(events.next()).is_none());
}

#[test]
fn changes_that_nobody_reads_are_merged_and_their_losses_added_up() {
    let (mut world, client) = connecting();
    accept(&mut world);
    let mut slow = client.connection_events();
    for _ in 0..5 {
        world.block();
        world.finish(client.publish("com.example.t", "x".repeat(100_000))).unwrap();
        world.finish(client.publish("com.example.t", "x".repeat(100_000))).unwrap();
        world.cut(TransportErrorKind::Eof);
        world.unblock();
        client.reconnect_now();
        world.run();
        accept(&mut world);
        world.wire(|wire| wire.sent.clear());
        world.advance(Duration::from_secs(20));
    }
    let lost = client.stats().lost_publishes;
    assert!(lost > 0);
    let Some(ConnectionEvent::Left(left)) = world.finish(slow.next()) else { panic!("not left") };
    assert_eq!(left.lost_publishes, lost);
    assert!(matches!(world.finish(slow.next()), Some(ConnectionEvent::Joined(_))));
    assert!(matches!(world.finish(slow.next()), Some(ConnectionEvent::Restored { .. })));
    assert!(world.poll(&mut slow.next()).is_pending());
    // Who comes late sees the last state only.
    let mut late = client.connection_events();
    assert!(matches!(world.finish(late.next()), Some(ConnectionEvent::Joined(_))));
    assert!(world.poll(&mut late.next()).is_pending());
}
