//! Whose word holds on whether another attempt is made: a function that may use the client.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use wamp_session::client::{Client, ConnectionEvent};
use wamp_session::{Attempt, CloseCause, Config, Decision, Jitter, ReconnectPolicy, Status, TransportErrorKind};

use crate::world::{WELCOME, World};

thread_local! {
    static CLIENT: RefCell<Option<Client>> = const { RefCell::new(None) };
    static ASKED: Cell<u32> = const { Cell::new(0) };
}

fn joined(decide: fn(&Attempt<'_>) -> Decision) -> (World, Client) {
    let policy = ReconnectPolicy::new().jitter(Jitter::None).decide(decide);
    let config = Config::new("ws://router/ws", "realm1").agent(None).reconnect(policy).keep_alive(None);
    let (mut world, client) = World::with(config);
    world.accept();
    world.received();
    world.send(WELCOME);
    (world, client)
}

fn with_client<T>(f: impl FnOnce(&Client) -> T) -> T {
    CLIENT.with(|client| f(client.borrow().as_ref().unwrap()))
}

#[test]
fn the_function_is_asked_once_and_may_use_the_client() {
    fn decide(attempt: &Attempt<'_>) -> Decision {
        ASKED.set(ASKED.get() + 1);
        // Under the client's lock, this would never return.
        assert!(with_client(|client| matches!(client.status(), Status::Closing)));
        with_client(Client::probe);
        if attempt.number == 1 { Decision::Retry(Duration::from_secs(9)) } else { Decision::End }
    }
    let (mut world, client) = joined(decide);
    CLIENT.set(Some(client.clone()));
    let mut events = client.connection_events();
    assert!(matches!(world.finish(events.next()), Some(ConnectionEvent::Joined(_))));
    world.cut(TransportErrorKind::Eof);
    assert_eq!(ASKED.get(), 1);
    let Some(ConnectionEvent::Left(left)) = world.finish(events.next()) else { panic!("not left") };
    assert_eq!(left.retry_in, Duration::from_secs(9));
    world.advance(Duration::from_secs(9));
    world.refuse(TransportErrorKind::Connect);
    assert_eq!(ASKED.get(), 2);
    assert!(matches!(world.finish(events.next()), Some(ConnectionEvent::Closed(_))));
    CLIENT.set(None);
}

#[test]
fn the_function_may_close_the_client() {
    fn decide(_: &Attempt<'_>) -> Decision {
        let mut close = with_client(Client::close);
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(Future::poll(std::pin::Pin::new(&mut close), &mut cx).is_ready());
        Decision::Retry(Duration::ZERO)
    }
    let (mut world, client) = joined(decide);
    CLIENT.set(Some(client.clone()));
    world.cut(TransportErrorKind::Eof);
    world.advance(Duration::from_secs(100));
    assert!(matches!(client.status(), Status::Closed));
    assert_eq!(world.wire(|wire| wire.opened), 1, "it has decided to retry, and closed the client");
    assert!(matches!(world.finish(client.close()), Ok(())));
    CLIENT.set(None);
}

#[test]
fn a_function_that_panics_leaves_it_to_the_default() {
    fn decide(_: &Attempt<'_>) -> Decision {
        std::panic::resume_unwind(Box::new("a bug"))
    }
    let (mut world, client) = joined(decide);
    world.cut(TransportErrorKind::Eof);
    assert!(matches!(client.status(), Status::Waiting { left, .. } if left.retry_in == Duration::from_secs(1)));
    world.advance(Duration::from_secs(1));
    world.refuse(TransportErrorKind::Tls);
    let CloseCause::Transport(error) = world.finish(client.joined()).unwrap_err() else { panic!("another cause") };
    assert_eq!(*error.kind(), TransportErrorKind::Tls);
}
