//! Why sessions end, and what authenticators say: errors are somebody else's as well.

use core::pin::pin;
use core::time::Duration;
use std::sync::Arc;

use wamp_proto::Challenge;

use super::{Count, Fixture, Owned, Step};
use crate::auth::{Answer, AuthFuture, Authenticator, Offer};
use crate::client::world::{WELCOME, World, poll};
use crate::{AuthError, Config, Decision, ReconnectPolicy, SubscribeOptions};

#[test]
fn causes_are_not_dropped_under_the_lock() {
    type Steps = &'static [Step];
    const REOPEN: Step = |fixture| fixture.world.reopen();
    const JOIN: Step = |fixture| fixture.world.join();
    const LOSE: Step = |fixture| fixture.lose();
    const CLOSE: Step = |fixture| fixture.close();
    const NOW: Step = |fixture| fixture.world.client.reconnect_now();
    const CONNECT: Step = |fixture| drop(poll(pin!(fixture.world.client.connect())));
    const GOODBYE: Step = |fixture| fixture.receive(r#"[6,{"_why":$},"wamp.close.system_shutdown"]"#);
    const ABORT: Step = |fixture| fixture.receive(r#"[3,{"_why":$},"wamp.close.system_shutdown",$]"#);
    let programs: [Steps; 14] = [
        &[LOSE, REOPEN, LOSE, REOPEN, JOIN, LOSE],
        &[LOSE, CLOSE],
        &[LOSE, NOW, CLOSE, CONNECT],
        &[LOSE, NOW, LOSE, CLOSE],
        &[LOSE, CONNECT, LOSE],
        &[GOODBYE, CLOSE, LOSE],
        &[GOODBYE, NOW, LOSE, LOSE],
        &[GOODBYE, LOSE, REOPEN, ABORT, LOSE, CLOSE],
        &[GOODBYE, LOSE, REOPEN, JOIN, GOODBYE],
        &[ABORT, CONNECT, LOSE, CLOSE],
        &[CLOSE, LOSE, CONNECT, LOSE, LOSE],
        &[CLOSE, CONNECT, CLOSE, LOSE],
        &[CLOSE, CONNECT, LOSE],
        &[LOSE, LOSE, REOPEN, REOPEN, LOSE],
    ];
    let retry = |_: &crate::Attempt<'_>| Decision::Retry(Duration::from_secs(1));
    let end = |_: &crate::Attempt<'_>| Decision::End;
    let policies = [
        ReconnectPolicy::loowy(),
        ReconnectPolicy::never(),
        ReconnectPolicy::loowy().decide(retry),
        ReconnectPolicy::loowy().decide(end),
    ];
    for (number, program) in programs.iter().enumerate() {
        for (policy_number, policy) in policies.iter().enumerate() {
            for is_heard in [true, false] {
                let config = Config::new("ws://router/ws", "realm1").reconnect(policy.clone()).keep_alive(None);
                let mut fixture = Fixture::of(World::connecting(config));
                fixture.world.join();
                let mut events = fixture.world.client.connection_events();
                let mut joined = Box::pin(fixture.world.client.joined());
                let mut subscribing = Box::pin(fixture.world.client.subscribe("com.example.t"));
                drop(poll(subscribing.as_mut()));
                for step in *program {
                    step(&mut fixture);
                    fixture.world.renew();
                    if is_heard {
                        drop(poll(pin!(events.next())));
                        drop(fixture.world.client.status());
                    }
                }
                drop(poll(joined.as_mut()));
                drop((joined, subscribing, events));
                let what = format!("program {number} with policy {policy_number}, heard: {is_heard}");
                fixture.assert_none_locked(&what);
            }
        }
    }
}

/// Fails, with an error of its own.
struct Fails(Arc<Count>, bool);

impl Authenticator for Fails {
    fn method(&self) -> &'static str {
        "ticket"
    }

    fn authid(&self) -> Option<&str> {
        Some("joe")
    }

    fn offer(&self) -> AuthFuture<'_, Offer> {
        let error = || AuthError::Other(Arc::new(Owned::new(&self.0, Vec::new())));
        let offer = if self.1 { Err(error()) } else { Ok(Offer { authid: Some("joe".into()), ..Offer::default() }) };
        Box::pin(core::future::ready(offer))
    }

    fn answer<'a>(&'a self, _: &'a Challenge) -> AuthFuture<'a, Answer> {
        let error = AuthError::Other(Arc::new(Owned::new(&self.0, Vec::new())));
        Box::pin(core::future::ready(Err(error)))
    }
}

#[test]
fn errors_of_authenticators_are_not_dropped_under_the_lock() {
    for fails_at_once in [true, false] {
        for is_closed in [true, false] {
            let count = Arc::new(Count::default());
            let authenticator = Fails(Arc::clone(&count), fails_at_once);
            let config = Config::new("ws://router/ws", "realm1").authenticator(authenticator);
            let world = World::connecting(config.reconnect(ReconnectPolicy::loowy()).retry_initial_connect(true));
            *count.shared.lock().unwrap_or_else(|_| panic!("poisoned")) = Arc::downgrade(&world.client.0.shared);
            let fixture = Fixture { world, count };
            fixture.world.link.opened(fixture.world.transport, Some("wamp.2.json"));
            fixture.world.run();
            if is_closed {
                fixture.close();
            }
            fixture.receive(r#"[4,"ticket",{}]"#);
            fixture.world.run();
            fixture.lose();
            fixture.assert_none_locked("an authenticator");
        }
    }
}

#[test]
fn what_is_not_restored_is_not_dropped_under_the_lock() {
    for is_lost in [true, false] {
        let mut fixture = Fixture::new();
        let subscription = fixture.subscribed(SubscribeOptions::new());
        fixture.lose();
        fixture.world.reopen();
        fixture.world.link.opened(fixture.world.transport, Some("wamp.2.json"));
        let registration = fixture.world.client.register("com.example.p");
        let mut registration = Box::pin(registration);
        drop(poll(registration.as_mut()));
        fixture.receive(WELCOME);
        fixture.receive(r#"[8,32,1,{},"com.example.error",$]"#);
        if is_lost {
            fixture.lose();
        }
        fixture.world.advance(30);
        drop(registration);
        drop(subscription);
        fixture.assert_none_locked("restored");
    }
}
