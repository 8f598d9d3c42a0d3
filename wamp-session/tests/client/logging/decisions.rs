//! What is told at the level debug: what the client decides by itself.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use wamp_session::client::{Overflow, Queue};
use wamp_session::proto::{CancelMode, Challenge};
use wamp_session::{
    AuthError, CallOptions, Config, KeepAlive, Offline, OfflinePolicy, ReconnectPolicy, RegisterOptions,
    SubscribeOptions, TransportErrorKind, auth,
};

use super::recorder::{decisions, told_of};
use super::{config, subscribe};
use crate::world::{WELCOME, World};

const DEADLINE: &str = "a deadline was reached";
const SETTLED: &str = "settled without an answer";
const IGNORED: &str = "ignored, dropped or lost";

fn joined(config: Config) -> (World, wamp_session::client::Client) {
    let (mut world, client) = World::with(config);
    world.accept();
    world.received();
    world.send(WELCOME);
    assert!(client.session().is_some());
    (world, client)
}

#[test]
fn a_deadline_is_told_by_its_reason_and_what_it_ends() {
    let told = told_of(|| {
        let (mut world, client) = joined(config());
        let mut call = client.call_with("a.b", (), CallOptions::new().timeout(Duration::from_secs(3)));
        assert!(world.poll(&mut call).is_pending());
        world.advance(Duration::from_secs(3));
        assert!(world.finish(call).is_err());
    });
    assert_eq!(decisions(&told, DEADLINE), ["deadline=Request"]);
    assert_eq!(decisions(&told, SETTLED), [r#"what="call" why="timeout" count=1"#]);

    let told = told_of(|| {
        let keep_alive = KeepAlive::new().interval(Duration::from_secs(5)).timeout(Duration::from_secs(1));
        let (mut world, client) = joined(config().keep_alive(keep_alive).reconnect(ReconnectPolicy::never()));
        world.advance(Duration::from_secs(5));
        world.advance(Duration::from_secs(1));
        assert!(client.session().is_none());
    });
    assert_eq!(decisions(&told, DEADLINE), ["deadline=KeepAlive", "deadline=KeepAlive"]);

    let told = told_of(|| {
        let (mut world, client) = World::new(config());
        world.accept();
        world.advance(Duration::from_secs(10));
        let mut joined = client.joined();
        assert!(world.poll(&mut joined).is_pending());
        world.advance(Duration::from_secs(5));
        assert!(world.finish(joined).is_err());
    });
    assert_eq!(decisions(&told, DEADLINE), ["deadline=Join", "deadline=Close"]);
}

#[test]
fn requests_that_are_settled_here_are_told_together() {
    let told = told_of(|| {
        let (mut world, client) = World::joined();
        let mut calls: Vec<_> = (0..3).map(|_| client.call("a.b", ())).collect();
        for call in &mut calls {
            assert!(world.poll(call).is_pending());
        }
        let mut stopped = client.call("a.b", ());
        assert!(world.poll(&mut stopped).is_pending());
        stopped.canceller().cancel(CancelMode::Skip);
        let mut publish = client.publish_acked("a.b", ());
        assert!(world.poll(&mut publish).is_pending());
        world.cut(TransportErrorKind::Eof);
    });
    let expected = [
        r#"what="call" why="cancelled" count=1"#,
        r#"what="call" why="disconnected after it was sent" count=3"#,
        r#"what="publish" why="disconnected after it was sent" count=1"#,
    ];
    assert_eq!(decisions(&told, SETTLED), expected);
}

#[test]
fn an_error_that_the_router_answers_is_no_decision() {
    let told = told_of(|| {
        let (mut world, client) = World::joined();
        let mut call = client.call("a.b", ());
        assert!(world.poll(&mut call).is_pending());
        world.send(r#"[8,48,1,{},"wamp.error.no_such_procedure"]"#);
        assert!(world.finish(call).is_err());
    });
    assert_eq!(decisions(&told, SETTLED), [""; 0]);
}

#[test]
fn answers_and_events_of_nothing_are_told() {
    let told = told_of(|| {
        let (mut world, _client) = World::joined();
        world.send_all(["[50,99,{}]", "[17,98,1]", "[36,71,1,{}]"]);
        world.send("[50,99,{}]");
        world.send_all(["[35,0,{\"subscription\":5}]"]);
    });
    assert_eq!(decisions(&told, IGNORED), ["unknown_answers=2 unknown_events=1", "unknown_answers=1"]);
}

#[test]
fn a_slow_consumer_is_told_each_time_its_losses_have_doubled() {
    for overflow in [Overflow::DropNewest, Overflow::DropOldest] {
        let told = told_of(|| {
            let (mut world, client) = World::joined();
            let options = SubscribeOptions::new().queue(Queue::new().max_events(1).overflow(overflow));
            let mut subscribe = client.subscribe_with("a.b", options);
            assert!(world.poll(&mut subscribe).is_pending());
            world.send("[33,1,71]");
            let subscription = world.finish(subscribe).unwrap();
            for _ in 0..10 {
                world.send("[36,71,1,{}]");
            }
            assert_eq!(subscription.missed(), 9);
        });
        let missed = decisions(&told, "a consumer is too slow");
        assert!(missed.iter().all(|fields| fields.starts_with("subscription=")), "{missed:?}");
        let missed: Vec<&str> = missed.iter().map(|fields| fields.split("missed=").nth(1).unwrap()).collect();
        assert_eq!(missed, ["1", "2", "4", "8"], "{overflow:?}");
    }
    let told = told_of(|| {
        let (mut world, client) = World::joined();
        let options = CallOptions::new().queue(Queue::new().max_events(1));
        let call = world.finish(client.call_progressive_with("a.b", (), options)).unwrap();
        for _ in 0..3 {
            world.send(r#"[50,1,{"progress":true}]"#);
        }
        drop(call);
    });
    assert_eq!(decisions(&told, "a consumer is too slow"), ["missed=1", "missed=2"]);
}

#[test]
fn what_waits_for_a_join_is_told_and_what_waits_in_vain() {
    let told = told_of(|| {
        let (mut world, client) = World::with(config());
        let mut call = client.call("a.b", ());
        let mut publish = client.publish_acked("a.b", ());
        assert!(world.poll(&mut call).is_pending());
        assert!(world.poll(&mut publish).is_pending());
        world.accept();
        world.send(WELCOME);
    });
    assert_eq!(decisions(&told, "commands wait for a join"), ["commands=1", "commands=2", "commands=0"]);

    let told = told_of(|| {
        let offline = Offline::new().calls(OfflinePolicy::Wait);
        let policy = ReconnectPolicy::loowy();
        let (mut world, client) = World::with(config().reconnect(policy).retry_initial_connect(true).offline(offline));
        let mut call = client.call("a.b", ());
        assert!(world.poll(&mut call).is_pending());
        world.advance(Duration::from_secs(10));
        assert!(world.finish(call).is_err());
    });
    assert_eq!(decisions(&told, SETTLED).len(), 1);
    assert_eq!(decisions(&told, "commands wait for a join"), ["commands=1", "commands=0"]);
}

#[test]
fn a_challenge_is_told_by_its_method_and_whether_it_is_answered() {
    let told = told_of(|| {
        let (mut world, _client) = World::new(config().authenticator(auth::Ticket::new("joe", "t1")));
        world.accept();
        world.send(r#"[4,"ticket",{}]"#);
    });
    assert_eq!(decisions(&told, "challenged"), [r#"transport=0 method="ticket""#]);
    assert_eq!(decisions(&told, "the challenge is answered"), [r#"transport=0 method="ticket""#]);

    let told = told_of(|| {
        let fails = |_: Challenge| ready(Err(AuthError::Malformed("there is no nonce")));
        let (mut world, _client) = World::new(config().authenticator(auth::Signer::new("x_vault", "joe", fails)));
        world.accept();
        world.send(r#"[4,"x_vault",{}]"#);
    });
    let expected = [r#"transport=0 method="x_vault" error=the challenge is malformed: there is no nonce"#];
    assert_eq!(decisions(&told, "the challenge is not answered"), expected);
}

#[test]
fn an_authenticator_that_offers_nothing_is_told() {
    struct Empty;
    impl auth::Authenticator for Empty {
        fn method(&self) -> &str {
            "x_empty"
        }
        fn offer(&self) -> auth::AuthFuture<'_, auth::Offer> {
            Box::pin(ready(Err(AuthError::Other(Arc::new(std::io::Error::other("s3cret"))))))
        }
        fn answer<'a>(&'a self, _: &'a Challenge) -> auth::AuthFuture<'a, auth::Answer> {
            Box::pin(ready(Err(AuthError::Malformed(""))))
        }
    }
    let told = told_of(|| {
        let (mut world, _client) = World::new(config().authenticator(Empty));
        world.accept();
    });
    let expected = ["transport=0 error=the authenticator failed"];
    assert_eq!(decisions(&told, "no authentication could be offered"), expected);
}

#[test]
fn what_is_not_restored_is_told() {
    let told = told_of(|| {
        let (mut world, client) = joined(config().reconnect(ReconnectPolicy::loowy()));
        let subscription = subscribe(&mut world, &client, 1, 71);
        world.cut(TransportErrorKind::Eof);
        world.advance(Duration::from_secs(2));
        world.accept();
        world.send(WELCOME);
        world.send(r#"[8,32,1,{},"wamp.error.not_authorized"]"#);
        drop(subscription);
    });
    assert_eq!(decisions(&told, "restored"), ["failed=1"]);
    let [refused] = decisions(&told, "a subscription is not restored")[..] else { panic!() };
    assert!(refused.starts_with("subscription=") && refused.contains("error=the request was answered"), "{refused}");
}

#[test]
fn which_attempt_follows_and_when_is_told() {
    let told = told_of(|| {
        let policy = ReconnectPolicy::new().jitter(wamp_session::Jitter::None);
        let (mut world, client) = joined(config().reconnect(policy));
        world.cut(TransportErrorKind::Eof);
        world.advance(Duration::from_secs(1));
        world.refuse(TransportErrorKind::Dns);
        drop(client);
    });
    let [failed] = decisions(&told, "an attempt to join has failed")[..] else { panic!() };
    assert!(
        failed.contains(r#"cause="transport" why="the host's name could not be resolved" attempt=2 retry_in_ms=2000"#),
        "{failed}"
    );
    assert_eq!(decisions(&told, DEADLINE), ["deadline=Reconnect"]);
    assert_eq!(decisions(&told, "opening a transport"), ["transport=0", "transport=1"]);
    let ended = decisions(&told, "a transport has ended");
    assert_eq!(ended[0], r#"transport=0 why="the connection ended""#);
}

#[test]
fn revocations_and_interrupts_are_told() {
    let told = told_of(|| {
        let (mut world, client) = World::joined();
        let subscription = subscribe(&mut world, &client, 1, 71);
        let mut register = client.register("a.b");
        assert!(world.poll(&mut register).is_pending());
        world.send("[65,2,50]");
        let registration = world.finish(register).unwrap();
        world.send("[68,1,50,{}]");
        world.send(r#"[69,1,{"mode":"killnowait"}]"#);
        world.send(r#"[35,0,{"subscription":71}]"#);
        world.send(r#"[67,0,{"registration":50}]"#);
        drop((subscription, registration));
    });
    assert_eq!(decisions(&told, SETTLED), [r#"what="invocation" why="interrupted" count=1"#]);
    assert_eq!(decisions(&told, "revoked by the router"), [r#"what="subscription""#, r#"what="registration""#]);
}

#[test]
fn an_invocation_without_room_and_handlers_that_fail_are_told() {
    let told = told_of(|| {
        let (mut world, client) = World::joined();
        let options = RegisterOptions::new().queue(Queue::new().max_events(1));
        let mut register = client.register_with("a.b", options);
        assert!(world.poll(&mut register).is_pending());
        world.send("[65,1,50]");
        let registration = world.finish(register).unwrap();
        world.send_all(["[68,1,50,{}]", "[68,2,50,{}]"]);
        drop(registration);
    });
    assert_eq!(decisions(&told, "an invocation finds no room"), [""]);

    let told = told_of(|| {
        let (mut world, client) = World::joined();
        let mut register = client.register_fn("a.b", |(n,): (u8,)| async move {
            if n == 0 { std::panic::resume_unwind(Box::new("s3cret")) } else { Ok(f64::NAN) }
        });
        assert!(world.poll(&mut register).is_pending());
        world.send("[65,1,50]");
        let guard = world.finish(register).unwrap();
        world.send_all([r#"[68,1,50,{},["x"]]"#, "[68,2,50,{},[0]]", "[68,3,50,{},[1]]"]);
        drop(guard);
    });
    let expected = [r#"why="arguments""#, r#"why="panic""#, r#"why="answer""#];
    assert_eq!(decisions(&told, "a handler of invocations has failed"), expected);

    let told = told_of(|| {
        let (mut world, client) = World::joined();
        let mut subscribe = client.subscribe_fn("a.b", |(_,): (u8,)| async { Ok(()) });
        assert!(world.poll(&mut subscribe).is_pending());
        world.send("[33,1,71]");
        let guard = world.finish(subscribe).unwrap();
        world.send(r#"[36,71,1,{},["no number"]]"#);
        drop(guard);
    });
    assert_eq!(decisions(&told, "a handler of events has failed"), ["events=1"]);
}

#[test]
fn publications_that_are_lost_are_told() {
    let told = told_of(|| {
        let (mut world, client) = World::joined();
        world.block();
        world.finish(client.publish("a.b", ())).unwrap();
        world.run();
        world.cut(TransportErrorKind::Eof);
    });
    assert_eq!(decisions(&told, "frames were not written"), ["transport=0 frames=1"]);
    assert_eq!(decisions(&told, IGNORED), ["lost_publishes=1"]);
}
