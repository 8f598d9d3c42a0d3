//! Futures: lazy, in order, and safe to drop.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use wamp_session::client::Client;
use wamp_session::proto::{CancelMode, Format, IntoPayload, Payload};
use wamp_session::{CallOptions, CommandError, Config, Offline, OfflinePolicy, RequestError, TransportErrorKind};

use crate::world::{WELCOME, World};

#[test]
fn a_call_is_answered() {
    let (mut world, client) = World::joined();
    let mut call = client.call("com.example.add2", (2, 3));
    assert!(world.poll(&mut call).is_pending());
    world.expect(r#"[48,1,{},"com.example.add2",[2,3]]"#);
    world.send("[50,1,{},[5]]");
    assert_eq!(world.finish(call).unwrap().arg::<i64>(0).unwrap(), 5);
}

/// The next frame that was sent holds the payload where it was encoded.
fn expect_in_place(world: &mut World, place: *const u8) {
    world.run();
    let frame = world.wire(|wire| wire.sent.pop_front()).unwrap();
    let around = frame.bytes().as_ptr_range();
    assert!(around.contains(&place), "{frame:?} is a copy");
}

/// A payload, and where its Arguments lie.
fn placed() -> (Payload, *const u8) {
    let payload = ("a text", 42).into_payload(Format::Json).unwrap();
    let place = payload.raw_args().unwrap().unwrap().as_ptr();
    (payload, place)
}

#[test]
fn a_payload_is_sent_from_where_it_was_encoded() {
    let (mut world, client) = World::joined();
    let (payload, place) = placed();
    world.finish(client.publish("com.example.t", payload)).unwrap();
    expect_in_place(&mut world, place);
    let (payload, place) = placed();
    let mut publish = client.publish_acked("com.example.t", payload);
    assert!(world.poll(&mut publish).is_pending());
    expect_in_place(&mut world, place);
    let (payload, place) = placed();
    let mut call = client.call("com.example.p", payload);
    assert!(world.poll(&mut call).is_pending());
    expect_in_place(&mut world, place);

    let mut register = client.register("com.example.p");
    assert!(world.poll(&mut register).is_pending());
    world.received();
    world.send("[65,4,50]");
    let mut registration = world.finish(register).unwrap();
    world.send(r#"[68,1,50,{"receive_progress":true}]"#);
    let invocation = world.finish(registration.next()).unwrap();
    let (payload, place) = placed();
    world.finish(invocation.progress(payload)).unwrap();
    expect_in_place(&mut world, place);
    let (payload, place) = placed();
    invocation.reply(payload).unwrap();
    expect_in_place(&mut world, place);
}

#[test]
fn a_payload_that_has_waited_for_a_join_is_sent_from_where_it_was_encoded() {
    let offline = Offline::new().publishes(OfflinePolicy::Wait);
    let (mut world, client) = World::new(Config::new("ws://router/ws", "realm1").offline(offline));
    let [(call, one), (publication, two), (acked, three)] = [(); 3].map(|()| placed());
    let mut call = client.call("com.example.p", call);
    let mut publish = client.publish("com.example.t", publication);
    let mut publish_acked = client.publish_acked("com.example.t", acked);
    assert!(world.poll(&mut call).is_pending());
    assert!(world.poll(&mut publish).is_pending());
    assert!(world.poll(&mut publish_acked).is_pending());
    world.accept();
    world.received();
    world.send(WELCOME);
    for place in [one, two, three] {
        expect_in_place(&mut world, place);
    }
}

#[test]
fn an_error_keeps_its_payload() {
    let (mut world, client) = World::joined();
    let mut call = client.call("com.example.buy", ());
    assert!(world.poll(&mut call).is_pending());
    world.send(r#"[8,48,1,{},"com.example.error.none",["nuts"],{"left":3}]"#);
    let Err(RequestError::Wamp(error)) = world.finish(call) else { panic!("no ERROR") };
    assert_eq!(error.uri(), "com.example.error.none");
    assert_eq!(error.arg::<String>(0).unwrap(), "nuts");
}

#[test]
fn ord_07_ids_and_order_are_those_of_the_first_polls() {
    let (mut world, client) = World::joined();
    let mut first = client.call("com.example.first", ());
    let mut second = client.call("com.example.second", ());
    world.expect_nothing();
    assert!(world.poll(&mut second).is_pending());
    assert!(world.poll(&mut first).is_pending());
    world.expect(r#"[48,1,{},"com.example.second"]"#);
    world.expect(r#"[48,2,{},"com.example.first"]"#);
}

#[test]
fn dropping_a_call_sends_cancel_in_the_mode_of_its_options() {
    let options = CallOptions::new;
    for (options, cancel) in [
        (options(), Some("killnowait")),
        (options().cancel_on_drop(CancelMode::Skip), Some("skip")),
        (options().cancel_on_drop(CancelMode::Kill), Some("kill")),
        (options().cancel_on_drop(None), None),
    ] {
        let (mut world, client) = World::joined();
        let mut call = client.call_with("com.example.slow", (), options);
        assert!(world.poll(&mut call).is_pending());
        world.expect(r#"[48,1,{},"com.example.slow"]"#);
        drop(call);
        if let Some(mode) = cancel {
            world.expect(&format!(r#"[49,1,{{"mode":"{mode}"}}]"#));
        }
        world.expect_nothing();
        world.send("[50,1,{},[5]]");
        assert_eq!(client.stats().unknown_answers, u64::from(cancel != Some("kill")));
        assert!(client.session().is_some());
    }
}

#[test]
fn a_call_that_has_ended_is_not_cancelled_by_its_drop() {
    let (mut world, client) = World::joined();
    let mut call = client.call("com.example.slow", ());
    assert!(world.poll(&mut call).is_pending());
    world.received();
    world.send("[50,1,{},[5]]");
    drop(call);
    let mut taken = client.call("com.example.slow", ());
    assert!(world.poll(&mut taken).is_pending());
    world.received();
    world.send("[50,2,{},[5]]");
    assert!(world.poll(&mut taken).is_ready());
    drop(taken);
    drop(client.call("com.example.never.polled", ()));
    world.expect_nothing();
}

#[test]
fn mistakes_of_the_caller_are_told_without_a_message() {
    let (mut world, client) = World::joined();
    let error = world.finish(client.call("not a uri", ())).unwrap_err();
    assert!(matches!(error, RequestError::Command(CommandError::InvalidUri(_))), "{error:?}");
    let error = world.finish(client.publish("com.example.topic", (f64::NAN,))).unwrap_err();
    assert!(matches!(error, RequestError::Command(CommandError::Encode(_))), "{error:?}");
    let error = world.finish(client.register("wamp.session.mine")).unwrap_err();
    assert!(matches!(error, RequestError::Command(CommandError::ReservedUri)), "{error:?}");
    world.expect_nothing();
}

#[test]
fn trn_04_a_lost_transport_fails_everything_that_waits() {
    let (mut world, client) = World::joined();
    let mut subscription = {
        let mut subscribe = client.subscribe("com.example.topic");
        assert!(world.poll(&mut subscribe).is_pending());
        world.send("[33,1,77]");
        world.finish(subscribe).unwrap()
    };
    let mut call = client.call("com.example.p", ());
    let mut publish = client.publish_acked("com.example.t", ());
    let mut subscribe = client.subscribe("com.example.other");
    let mut register = client.register("com.example.mine");
    assert!(world.poll(&mut call).is_pending());
    assert!(world.poll(&mut publish).is_pending());
    assert!(world.poll(&mut subscribe).is_pending());
    assert!(world.poll(&mut register).is_pending());
    world.cut(TransportErrorKind::Eof);
    assert!(matches!(world.finish(call).unwrap_err(), RequestError::Disconnected { sent: true }));
    assert!(matches!(world.finish(publish).unwrap_err(), RequestError::Disconnected { sent: true }));
    assert!(matches!(world.finish(subscribe).unwrap_err(), RequestError::Disconnected { sent: true }));
    assert!(matches!(world.finish(register).unwrap_err(), RequestError::Disconnected { sent: true }));
    assert!(world.finish(subscription.next()).is_none());
    let error = world.finish(client.call("com.example.p", ())).unwrap_err();
    assert!(matches!(error, RequestError::Command(CommandError::Closed)), "{error:?}");
}

#[test]
fn dropping_the_driver_fails_everything_that_waits() {
    let (mut world, client) = World::joined();
    let mut call = client.call("com.example.p", ());
    assert!(world.poll(&mut call).is_pending());
    world.drop_driver();
    assert!(world.finish(call).is_err());
    assert!(world.finish(client.close()).is_ok());
    assert!(world.finish(client.publish("com.example.t", ())).is_err());
}

/// Each request, polled so many times and then dropped, whatever the router has answered by then.
fn drop_after(polls: usize, make: impl FnOnce(&Client) -> Pin<Box<dyn Future<Output = ()>>>, answers: &[&str]) {
    let (mut world, client) = World::joined();
    let mut future = make(&client);
    let mut answers = answers.iter();
    for _ in 0..polls {
        if world.poll(&mut future).is_ready() {
            break;
        }
        if let Some(answer) = answers.next() {
            world.send(answer);
        }
    }
    drop(future);
    world.run();
    // Whatever was dropped, the session lives and its ids go on without a gap.
    let sent = world.wire(|wire| std::mem::take(&mut wire.sent));
    let sent = sent.iter().filter(|frame| !frame.bytes().starts_with(b"[8,")).count();
    let mut call = client.call("com.example.after", ());
    assert!(world.poll(&mut call).is_pending());
    let id = sent + 1;
    world.expect(&format!(r#"[48,{id},{{}},"com.example.after"]"#));
    world.send(&format!("[50,{id},{{}}]"));
    assert!(world.finish(call).is_ok(), "after {polls} polls");
}

#[test]
fn rob_05_futures_can_be_dropped_at_every_await_point() {
    for polls in 0..6 {
        drop_after(
            polls,
            |client| {
                let call = client.call("com.example.p", ());
                Box::pin(async move { drop(call.await) })
            },
            &["[50,1,{}]"],
        );
        drop_after(
            polls,
            |client| {
                let publish = client.publish_acked("com.example.t", ());
                Box::pin(async move { drop(publish.await) })
            },
            &["[17,1,9]"],
        );
        drop_after(
            polls,
            |client| {
                let publish = client.publish("com.example.t", ());
                Box::pin(async move { drop(publish.await) })
            },
            &[],
        );
        drop_after(
            polls,
            |client| {
                let subscribe = client.subscribe("com.example.t");
                Box::pin(async move {
                    let mut subscription = subscribe.await.unwrap();
                    subscription.next().await;
                    drop(subscription.unsubscribe().await);
                })
            },
            &["[33,1,77]", "[36,77,5,{}]", "[35,2]"],
        );
        drop_after(
            polls,
            |client| {
                let register = client.register("com.example.p");
                Box::pin(async move {
                    let mut registration = register.await.unwrap();
                    let invocation = registration.next().await.unwrap();
                    drop(registration.unregister().await);
                    drop(invocation);
                })
            },
            &["[65,1,88]", "[68,5,88,{}]", "[67,2]"],
        );
    }
}

/// A waker that uses the client when it is woken, and when it is dropped.
struct Meddler(Mutex<Option<Client>>, Arc<AtomicUsize>);

impl Meddler {
    fn meddle(&self) {
        if let Some(client) = &*self.0.lock().unwrap() {
            let _ = client.status();
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Wake for Meddler {
    fn wake(self: Arc<Self>) {
        self.meddle();
    }
}

impl Drop for Meddler {
    fn drop(&mut self) {
        self.meddle();
    }
}

#[test]
fn wakers_are_neither_woken_nor_dropped_under_the_lock() {
    let (mut world, client) = World::joined();
    let meddled = Arc::new(AtomicUsize::new(0));
    let waker = || Waker::from(Arc::new(Meddler(Mutex::new(Some(client.clone())), Arc::clone(&meddled))));
    let poll = |future: &mut (dyn Future<Output = ()> + Unpin)| -> Poll<()> {
        Pin::new(future).poll(&mut Context::from_waker(&waker()))
    };
    let (mut events, subscription) = {
        let mut subscribe = client.subscribe("com.example.t");
        assert!(world.poll(&mut subscribe).is_pending());
        world.send("[33,1,77]");
        (client.connection_events(), world.finish(subscribe).unwrap())
    };
    let call = client.call("com.example.p", ());
    let joined = client.close();
    let mut futures: Vec<Pin<Box<dyn Future<Output = ()>>>> = vec![
        Box::pin(async move { drop(call.await) }),
        Box::pin(async move {
            let mut subscription = subscription;
            subscription.next().await;
            subscription.next().await;
        }),
        Box::pin(async move {
            events.next().await;
            events.next().await;
        }),
    ];
    // Each poll replaces the waker of the one before, which is dropped.
    for _ in 0..2 {
        for future in &mut futures {
            assert!(poll(future).is_pending());
        }
    }
    world.send_all(["[36,77,5,{}]", "[50,2,{}]"]);
    let mut close: Pin<Box<dyn Future<Output = ()>>> = Box::pin(async move { drop(joined.await) });
    assert!(poll(&mut close).is_pending());
    world.agree_to_close();
    drop(futures);
    assert!(meddled.load(Ordering::SeqCst) >= 6);
}

#[test]
fn publishing_after_the_end_does_not_wait_for_a_place_in_the_line() {
    let (mut world, client) = World::joined();
    world.block();
    let text = "x".repeat(1 << 20);
    let held = loop {
        let mut publish = client.publish("com.example.t", text.as_str());
        if world.poll(&mut publish).is_pending() {
            break publish;
        }
    };
    let mut behind = client.publish("com.example.t", ());
    assert!(world.poll(&mut behind).is_pending());
    world.cut(TransportErrorKind::Eof);
    // The first one in the line is kept, and not polled.
    assert!(world.finish(&mut behind).is_err());
    assert!(world.finish(client.publish("com.example.t", ())).is_err());
    assert!(world.finish(client.publish_acked("com.example.t", ())).is_err());
    drop(held);
}

#[test]
fn a_future_that_is_polled_after_it_was_ready_panics_and_harms_nobody() {
    #[track_caller]
    fn panics<F: Future + Unpin>(world: &mut World, mut future: F) {
        drop(world.finish(&mut future));
        let again = catch_unwind(AssertUnwindSafe(|| {
            Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
        }));
        let cause = again.unwrap_err();
        assert_eq!(cause.downcast_ref::<&str>(), Some(&"polled after it was ready"));
    }

    let (mut world, client) = World::joined();
    panics(&mut world, client.publish("com.example.topic", ()));
    world.expect(r#"[16,1,{},"com.example.topic"]"#);
    panics(&mut world, client.publish("not a topic", ()));
    panics(&mut world, client.publish_acked("not a topic", ()));
    panics(&mut world, client.subscribe("not a topic"));
    panics(&mut world, client.register("not a procedure"));
    panics(&mut world, client.register_fn("not a procedure", |()| async { Ok(()) }));
    let mut call = client.call("com.example.add2", (2, 3));
    assert!(world.poll(&mut call).is_pending());
    world.expect(r#"[48,2,{},"com.example.add2",[2,3]]"#);
    world.send("[50,2,{},[5]]");
    panics(&mut world, call);
    world.finish(client.publish("com.example.topic", ())).unwrap();
    world.expect(r#"[16,3,{},"com.example.topic"]"#);
}

#[test]
fn rob_02_a_publication_that_is_dropped_is_forgotten_and_its_answer_counts_as_unknown() {
    let (mut world, client) = World::joined();
    let mut publish = client.publish_acked("com.example.t", ());
    assert!(world.poll(&mut publish).is_pending());
    world.expect(r#"[16,1,{"acknowledge":true},"com.example.t"]"#);
    drop(publish);
    world.send("[17,1,5]");
    assert_eq!(client.stats().unknown_answers, 1);
    assert!(client.session().is_some());
}

#[test]
fn handles_go_to_any_thread_and_are_cloned_where_they_are_shared() {
    use wamp_session::client as c;
    fn shared<T: Send + Sync + Clone + Unpin + std::fmt::Debug + 'static>() {}
    fn held<T: Send + Sync + Unpin + std::fmt::Debug + 'static>() {}
    fn future<T: Future + Send + Unpin + std::fmt::Debug + 'static>() {}
    shared::<Client>();
    shared::<c::Canceller>();
    shared::<c::OngoingInvocation>();
    shared::<c::Meta>();
    shared::<c::Event>();
    shared::<c::CallResult>();
    held::<c::Subscription>();
    held::<c::SubscriptionGuard>();
    held::<c::Registration>();
    held::<c::RegistrationGuard>();
    held::<c::Invocation>();
    held::<c::Inputs>();
    held::<c::ProgressiveCall>();
    held::<c::CallInput>();
    held::<c::ConnectionEvents>();
    future::<c::Call>();
    future::<c::CallProgressive>();
    future::<c::CallStreaming>();
    future::<c::FinishCall>();
    future::<c::FinishInput>();
    future::<c::SendProgress>();
    future::<c::Cancelled>();
    future::<c::Publish>();
    future::<c::PublishAcked>();
    future::<c::Subscribe>();
    future::<c::SubscribeFn>();
    future::<c::Unsubscribe>();
    future::<c::UnsubscribeAll>();
    future::<c::Register>();
    future::<c::RegisterFn>();
    future::<c::Unregister>();
    future::<c::WhenJoined>();
    future::<c::Close>();
    future::<c::MetaCall<u64>>();
}
