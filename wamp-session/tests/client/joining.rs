//! Joining: authenticators beside the driver, and attempts that fail.

use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use wamp_session::auth::{Answer, AuthFuture, Authenticator, Offer};
use wamp_session::client::Client;
use wamp_session::proto::Challenge;
use wamp_session::{
    AuthError, CloseCause, CommandError, Config, Jitter, ReconnectPolicy, RequestError, Status, TransportErrorKind,
};

use crate::world::{WELCOME, World};

/// What an authenticator of the tests does.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    Answer,
    Hang,
    HangBeforehand,
    Fail,
    FailBeforehand,
    Panic,
}

struct Test {
    does: Does,
    dropped: Arc<AtomicBool>,
}

/// A future that never ends, and tells when it is dropped.
struct Hang(Arc<AtomicBool>);

impl Future for Hang {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl Drop for Hang {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Authenticator for Test {
    fn method(&self) -> &str {
        "test"
    }

    fn offer(&self) -> AuthFuture<'_, Offer> {
        let mut offer = Offer::default();
        offer.authid = Some("joe".into());
        match self.does {
            Does::HangBeforehand => Box::pin(pending()),
            Does::FailBeforehand => Box::pin(ready(Err(AuthError::Malformed("no key")))),
            _ => Box::pin(ready(Ok(offer))),
        }
    }

    fn answer<'a>(&'a self, _: &'a Challenge) -> AuthFuture<'a, Answer> {
        match self.does {
            Does::Hang => {
                let hang = Hang(Arc::clone(&self.dropped));
                Box::pin(async move {
                    hang.await;
                    Ok(Answer::new("too late"))
                })
            }
            Does::Fail => Box::pin(ready(Err(AuthError::Malformed("no challenge")))),
            Does::Panic => std::panic::resume_unwind(Box::new("a bug")),
            _ => Box::pin(ready(Ok(Answer::new("signature")))),
        }
    }
}

fn world(does: Does) -> (World, Client, Arc<AtomicBool>) {
    let dropped = Arc::new(AtomicBool::new(false));
    let test = Test { does, dropped: Arc::clone(&dropped) };
    let config = Config::new("ws://router/ws", "realm1")
        .agent(None)
        .connect_timeout(Duration::from_secs(10))
        .close_timeout(Duration::from_secs(5))
        .authenticator(test);
    let (mut world, client) = World::new(config);
    world.accept();
    (world, client, dropped)
}

fn challenged(does: Does) -> (World, Client, Arc<AtomicBool>) {
    let (mut world, client, dropped) = world(does);
    let hello = world.received();
    assert!(hello.contains(r#""authmethods":["test"]"#) && hello.contains(r#""authid":"joe""#), "{hello}");
    world.send(r#"[4,"test",{}]"#);
    (world, client, dropped)
}

#[test]
fn aut_03_a_challenge_is_answered() {
    let (mut world, client, _) = challenged(Does::Answer);
    world.expect(r#"[5,"signature",{}]"#);
    world.send(WELCOME);
    assert_eq!(world.finish(client.joined()).unwrap().session.get(), 7_814_135);
}

#[test]
fn aut_09_a_challenge_that_is_never_answered_fails_after_the_timeout() {
    let (mut world, client, dropped) = challenged(Does::Hang);
    let mut joined = client.joined();
    assert!(world.poll(&mut joined).is_pending());
    world.advance(Duration::from_millis(9_999));
    assert!(world.poll(&mut joined).is_pending());
    assert!(!dropped.load(Ordering::SeqCst));
    world.advance(Duration::from_millis(1));
    assert!(world.received().starts_with(r#"[3,{"#));
    assert!(dropped.load(Ordering::SeqCst), "the answer is of no use any more");
    world.advance(Duration::from_secs(5));
    assert!(matches!(world.finish(joined).unwrap_err(), CloseCause::JoinTimeout));
}

#[test]
fn aut_09_a_lost_transport_ends_the_wait_for_an_answer_at_once() {
    let (mut world, client, dropped) = challenged(Does::Hang);
    world.cut(TransportErrorKind::Eof);
    assert!(matches!(world.finish(client.joined()).unwrap_err(), CloseCause::Transport(_)));
    assert!(dropped.load(Ordering::SeqCst));
}

#[test]
fn aut_09_a_slow_authenticator_does_not_hold_up_the_router_or_a_close() {
    let (mut world, client, _) = challenged(Does::Hang);
    world.send(r#"[3,{"message":"too slow"},"wamp.error.authentication_failed"]"#);
    world.cut(TransportErrorKind::Closed { code: Some(1000), reason: String::new() });
    let CloseCause::Abort(abort) = world.finish(client.joined()).unwrap_err() else { panic!("no ABORT") };
    assert_eq!(abort.reason, "wamp.error.authentication_failed");

    let (mut world, client, dropped) = challenged(Does::Hang);
    let mut close = client.close();
    assert!(world.poll(&mut close).is_pending());
    assert!(world.received().starts_with(r#"[3,{"#));
    assert!(dropped.load(Ordering::SeqCst));
    world.cut(TransportErrorKind::Closed { code: Some(1000), reason: String::new() });
    world.finish(close).unwrap();
}

#[test]
fn an_authenticator_that_hangs_before_hello_fails_after_the_timeout() {
    let (mut world, client, _) = world(Does::HangBeforehand);
    world.expect_nothing();
    world.advance(Duration::from_secs(10));
    world.cut(TransportErrorKind::Closed { code: Some(1000), reason: String::new() });
    assert!(matches!(world.finish(client.joined()).unwrap_err(), CloseCause::JoinTimeout));
    assert_eq!(world.tasks(), 1, "only the driver is left");
}

#[test]
fn an_authenticator_that_fails_or_panics_aborts() {
    for does in [Does::Fail, Does::Panic, Does::FailBeforehand] {
        let (mut world, client, _) = if does == Does::FailBeforehand { world(does) } else { challenged(does) };
        if does != Does::FailBeforehand {
            assert!(world.received().contains("wamp.error.cannot_authenticate"));
        }
        world.expect_nothing();
        world.cut(TransportErrorKind::Closed { code: Some(1000), reason: String::new() });
        assert!(matches!(world.finish(client.joined()).unwrap_err(), CloseCause::Authentication(_)));
    }
}

#[test]
fn a_transport_that_cannot_be_opened_ends_the_client() {
    let (mut world, client) = World::new(Config::new("ws://router/ws", "realm1"));
    let mut call = client.call("com.example.p", ());
    assert!(world.poll(&mut call).is_pending());
    world.refuse(TransportErrorKind::Connect);
    let CloseCause::Transport(error) = world.finish(client.joined()).unwrap_err() else { panic!() };
    assert_eq!(*error.kind(), TransportErrorKind::Connect);
    assert!(matches!(world.finish(call).unwrap_err(), RequestError::Disconnected { sent: false }));
    assert!(matches!(client.status(), Status::Closed));
}

#[test]
fn what_is_asked_for_before_the_join_waits_for_it() {
    let (mut world, client) = World::new(Config::new("ws://router/ws", "realm1").agent(None));
    let mut call = client.call("com.example.p", ());
    assert!(world.poll(&mut call).is_pending());
    let publish = world.finish(client.publish("com.example.t", ()));
    assert!(matches!(publish, Err(RequestError::Command(CommandError::NotJoined))));
    world.accept();
    world.received();
    world.expect_nothing();
    world.send(WELCOME);
    world.expect(r#"[48,1,{},"com.example.p"]"#);
    world.send("[50,1,{}]");
    world.finish(call).unwrap();
}

#[test]
fn a_configuration_that_cannot_be_used_closes_at_once() {
    let (mut world, client) = World::new(Config::new("ws://router/ws", "not a realm"));
    assert!(matches!(world.finish(client.joined()).unwrap_err(), CloseCause::Config(_)));
    assert_eq!(world.wire(|wire| wire.opened), 0);
    drop(client);
    world.run();
    assert!(!world.is_driver_running());
}

/// A ticket that is good for one session: each offer draws the next.
#[derive(Default)]
struct Expiring {
    offers: AtomicUsize,
    answers: AtomicUsize,
}

impl Authenticator for Expiring {
    fn method(&self) -> &str {
        "ticket"
    }

    fn offer(&self) -> AuthFuture<'_, Offer> {
        let mut offer = Offer::default();
        let number = self.offers.fetch_add(1, Ordering::SeqCst) + 1;
        offer.authid = Some(format!("joe{number}").into());
        Box::pin(ready(Ok(offer)))
    }

    fn answer<'a>(&'a self, _: &'a Challenge) -> AuthFuture<'a, Answer> {
        let number = self.answers.fetch_add(1, Ordering::SeqCst) + 1;
        Box::pin(ready(Ok(Answer::new(format!("t{number}")))))
    }
}

#[test]
fn need_23_authenticators_are_asked_afresh_on_each_join_so_that_an_expired_ticket_is_replaced() {
    let policy = ReconnectPolicy::new().jitter(Jitter::None);
    let config = Config::new("ws://router/ws", "realm1").agent(None).reconnect(policy).keep_alive(None);
    let (mut world, client) = World::with(config.authenticator(Expiring::default()));
    for number in 1..=3 {
        world.accept();
        let hello = world.received();
        assert!(hello.contains(&format!(r#""authid":"joe{number}""#)), "{hello}");
        world.send(r#"[4,"ticket",{}]"#);
        world.expect(&format!(r#"[5,"t{number}",{{}}]"#));
        world.send(WELCOME);
        assert!(client.session().is_some());
        world.cut(TransportErrorKind::Eof);
        world.advance(Duration::from_secs(60));
    }
}

#[test]
fn need_23_an_authenticator_that_hangs_on_a_rejoin_holds_up_neither_close_nor_the_next_attempt() {
    let dropped = Arc::new(AtomicBool::new(false));
    let test = Test { does: Does::Hang, dropped: Arc::clone(&dropped) };
    let policy = ReconnectPolicy::new().jitter(Jitter::None);
    let config = Config::new("ws://router/ws", "realm1").reconnect(policy).retry_initial_connect(true);
    let (mut world, client) = World::with(config.authenticator(test).keep_alive(None));
    for attempt in 1..=2 {
        world.accept();
        world.received();
        world.send(r#"[4,"test",{}]"#);
        world.cut(TransportErrorKind::Eof);
        assert!(dropped.swap(false, Ordering::SeqCst), "attempt {attempt}: what it works on is of no use any more");
        world.advance(Duration::from_secs(attempt));
        assert_eq!(world.tasks(), 1, "only the driver is left");
    }
    world.accept();
    world.received();
    world.send(r#"[4,"test",{}]"#);
    let mut close = client.close();
    assert!(world.poll(&mut close).is_pending());
    world.advance(Duration::from_secs(5));
    world.finish(close).unwrap();
}

#[test]
fn whoever_waits_for_the_session_is_woken_when_it_is_joined() {
    let (mut world, client) = World::new(Config::new("ws://router/ws", "realm1").agent(None));
    let (mut one, mut other) = (client.joined(), client.joined());
    assert!(world.poll(&mut other).is_pending());
    world.accept();
    let woken = world.wakes(&mut one, |world| {
        assert!(world.wakes(&mut other, |world| world.send(WELCOME)));
    });
    assert!(woken);
    assert_eq!(world.finish(one).unwrap().session, world.finish(other).unwrap().session);
}
