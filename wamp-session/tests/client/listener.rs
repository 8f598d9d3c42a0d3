//! Handlers of events.

use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use wamp_session::SubscribeOptions;
use wamp_session::client::{
    Client, Event, FromEvent, HandlerError, Overflow, Queue, SubscriptionEnd, SubscriptionGuard,
};
use wamp_session::proto::Kwargs;

use crate::driver::subscribe;
use crate::world::World;

/// A door that futures wait before, until the test opens it.
#[derive(Clone, Default)]
struct Gate(Arc<Mutex<(bool, Vec<Waker>)>>);

impl Gate {
    fn pass(&self) -> impl Future<Output = ()> + Send + use<> {
        let gate = self.clone();
        poll_fn(move |cx| {
            let mut state = gate.0.lock().unwrap();
            if state.0 {
                return Poll::Ready(());
            }
            state.1.push(cx.waker().clone());
            Poll::Pending
        })
    }

    fn open(&self) {
        let wakers = {
            let mut state = self.0.lock().unwrap();
            state.0 = true;
            std::mem::take(&mut state.1)
        };
        for waker in wakers {
            waker.wake();
        }
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// A handler of `com.example.topic`, whose subscription has the id 77.
#[track_caller]
fn listen<A, F, Fut>(world: &mut World, client: &Client, options: SubscribeOptions, handler: F) -> SubscriptionGuard
where
    A: FromEvent,
    F: FnMut(A) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
{
    let mut subscribe = client.subscribe_fn_with("com.example.topic", options, handler);
    assert!(world.poll(&mut subscribe).is_pending());
    assert!(world.received().starts_with("[32,"));
    world.send("[33,1,77]");
    world.finish(subscribe).unwrap()
}

fn send_numbers(world: &mut World, numbers: impl IntoIterator<Item = u64>) {
    let frames: Vec<String> = numbers.into_iter().map(|n| format!("[36,77,{},{{}},[{n}]]", n + 1)).collect();
    world.send_all(frames.iter().map(String::as_str));
}

#[test]
fn need_31_a_handler_gets_the_events_of_its_subscription_one_after_the_other_in_order() {
    let (mut world, client) = World::joined();
    let (log, gate) = (Log::default(), Gate::default());
    let (lines, door) = (log.clone(), gate.clone());
    let guard = listen(&mut world, &client, SubscribeOptions::new(), move |n: u64| {
        lines.add(format!("begins {n}"));
        let (lines, door) = (lines.clone(), door.clone());
        async move {
            if n == 0 {
                door.pass().await;
            }
            lines.add(format!("ends {n}"));
            Ok(())
        }
    });
    send_numbers(&mut world, 0..100);
    assert_eq!(log.take(), ["begins 0"], "the others wait for the first");
    gate.open();
    world.run();
    let expected: Vec<String> = ["ends 0".to_owned()]
        .into_iter()
        .chain((1..100).flat_map(|n| [format!("begins {n}"), format!("ends {n}")]))
        .collect();
    assert_eq!(log.take(), expected);
    assert_eq!((guard.failures(), guard.missed(), guard.topic().as_str()), (0, 0, "com.example.topic"));
}

#[test]
fn need_31_a_handler_may_ask_for_several_events_at_once() {
    let (mut world, client) = World::joined();
    let (log, gate) = (Log::default(), Gate::default());
    let (lines, door) = (log.clone(), gate.clone());
    let _guard = listen(&mut world, &client, SubscribeOptions::new().concurrency(2), move |n: u64| {
        lines.add(format!("begins {n}"));
        let (lines, door) = (lines.clone(), door.clone());
        async move {
            if n == 0 {
                door.pass().await;
            }
            lines.add(format!("ends {n}"));
            Ok(())
        }
    });
    send_numbers(&mut world, 0..3);
    assert_eq!(log.take(), ["begins 0", "begins 1", "ends 1", "begins 2", "ends 2"]);
    gate.open();
    world.run();
    assert_eq!(log.take(), ["ends 0"]);
    let never = Gate::default();
    let (lines, door) = (log.clone(), never.clone());
    let (mut world, client) = World::joined();
    let _guard = listen(&mut world, &client, SubscribeOptions::new().concurrency(2), move |n: u64| {
        lines.add(n.to_string());
        let door = door.clone();
        async move {
            door.pass().await;
            Ok(())
        }
    });
    send_numbers(&mut world, 0..5);
    assert_eq!(log.take(), ["0", "1"], "no more than two at once");
}

#[test]
fn need_05_a_busy_handler_blocks_nobody_else() {
    let (mut world, client) = World::joined();
    let (log, never) = (Log::default(), Gate::default());
    let _busy = listen(&mut world, &client, SubscribeOptions::new(), move |(): ()| {
        let never = never.clone();
        async move {
            never.pass().await;
            Ok(())
        }
    });
    let lines = log.clone();
    let mut other = client.subscribe_fn("com.example.other", move |n: u64| {
        lines.add(n.to_string());
        async { Ok(()) }
    });
    assert!(world.poll(&mut other).is_pending());
    world.expect(r#"[32,2,{},"com.example.other"]"#);
    world.send("[33,2,78]");
    let _other = world.finish(other).unwrap();
    world.send("[36,77,1,{}]");
    world.advance(std::time::Duration::from_secs(60));
    world.send_all(["[36,77,2,{}]", "[36,78,3,{},[7]]"]);
    assert_eq!(log.take(), ["7"]);
    let mut call = client.call("com.example.p", ());
    assert!(world.poll(&mut call).is_pending());
    world.expect(r#"[48,3,{},"com.example.p"]"#);
    world.send("[50,3,{},[1]]");
    assert!(world.finish(call).is_ok());
}

#[test]
fn need_05_a_handler_may_call_subscribe_and_unsubscribe() {
    let (mut world, client) = World::joined();
    let log = Log::default();
    let (lines, inner) = (log.clone(), client.clone());
    let _guard = listen(&mut world, &client, SubscribeOptions::new(), move |n: u64| {
        let (lines, client) = (lines.clone(), inner.clone());
        async move {
            let answer: u64 = client.call("com.example.double", n).await?.arg(0)?;
            let subscription = client.subscribe("com.example.other").await?;
            subscription.unsubscribe().await?;
            lines.add(answer.to_string());
            Ok(())
        }
    });
    send_numbers(&mut world, [21]);
    world.expect(r#"[48,2,{},"com.example.double",[21]]"#);
    world.send("[50,2,{},[42]]");
    world.expect(r#"[32,3,{},"com.example.other"]"#);
    world.send("[33,3,78]");
    world.expect("[34,4,78]");
    world.send("[35,4]");
    assert_eq!(log.take(), ["42"]);
}

#[test]
fn sub_06_a_handler_that_fails_or_panics_gets_the_next_event() {
    let (mut world, client) = World::joined();
    let log = Log::default();
    let lines = log.clone();
    let guard = listen(&mut world, &client, SubscribeOptions::new(), move |text: String| {
        if text == "panics at once" {
            std::panic::resume_unwind(Box::new("a bug of the user"));
        }
        let lines = lines.clone();
        async move {
            if text == "panics later" {
                std::panic::resume_unwind(Box::new("a bug of the user"));
            }
            let number: u64 = text.parse()?;
            lines.add(number.to_string());
            Ok(())
        }
    });
    for (n, payload) in
        (1..).zip([r#"["1"]"#, r#"["panics at once"]"#, r#"["panics later"]"#, r#"["no number"]"#, "[5]", r#"["6"]"#])
    {
        world.send(&format!("[36,77,{n},{{}},{payload}]"));
    }
    assert_eq!(log.take(), ["1", "6"]);
    assert_eq!(guard.failures(), 4);
    assert!(client.session().is_some() && guard.end().is_none());
    world.expect_nothing();
}

/// Panics when it is dropped, with something that panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        struct Second;
        impl Drop for Second {
            fn drop(&mut self) {
                std::panic::resume_unwind(Box::new("another bug of the user"));
            }
        }
        std::panic::resume_unwind(Box::new(Second));
    }
}

#[test]
fn sub_06_a_handler_whose_future_panics_when_it_is_dropped_gets_the_next_event() {
    let (mut world, client) = World::joined();
    let (log, gate) = (Log::default(), Gate::default());
    let (lines, door) = (log.clone(), gate.clone());
    let guard = listen(&mut world, &client, SubscribeOptions::new(), move |number: u64| {
        let (lines, door) = (lines.clone(), door.clone());
        let bomb = (number < 3).then(|| Bomb);
        // The bomb is part of the future, and not of what runs in it.
        let mut passing = Box::pin(async move {
            lines.add(number.to_string());
            if number == 2 {
                door.pass().await;
            }
            Ok(())
        });
        poll_fn(move |cx| {
            let _held = &bomb;
            let polled = passing.as_mut().poll(cx);
            if number == 1 {
                std::panic::resume_unwind(Box::new("a bug of the user"));
            }
            polled
        })
    });
    // One is ready at once, one later.
    send_numbers(&mut world, 1..=3);
    assert_eq!(log.take(), ["1", "2"]);
    assert_eq!(guard.failures(), 1);
    gate.open();
    world.run();
    assert_eq!(log.take(), ["3"]);
    assert_eq!(guard.failures(), 2);
}

#[test]
fn a_handler_that_panics_when_it_is_dropped_harms_nobody() {
    let (mut world, client) = World::joined();
    let (bomb, log) = (Bomb, Log::default());
    let lines = log.clone();
    let guard = listen(&mut world, &client, SubscribeOptions::new(), move |number: u64| {
        let (_held, lines) = (&bomb, lines.clone());
        let bomb = Bomb;
        async move {
            let _held = bomb;
            lines.add(number.to_string());
            std::future::pending::<()>().await;
            Ok(())
        }
    });
    send_numbers(&mut world, [1]);
    assert_eq!(log.take(), ["1"]);
    let before = world.tasks();
    // As a runtime that shuts down.
    world.drop_tasks();
    assert_eq!(world.tasks(), before - 1);
    drop(guard);
    world.expect("[34,2,77]");
}

#[test]
fn a_handler_takes_what_it_wants_of_an_event() {
    #[derive(serde::Deserialize)]
    struct Tick {
        price: f64,
    }
    let (mut world, client) = World::joined();
    let log = Log::default();
    let lines = log.clone();
    let kwargs = listen(&mut world, &client, SubscribeOptions::new(), move |Kwargs(Tick { price }): Kwargs<Tick>| {
        lines.add(format!("costs {price}"));
        async { Ok(()) }
    });
    let lines = log.clone();
    let whole = world.finish(client.subscribe_fn("com.example.topic", move |event: Event| {
        lines.add(format!("{} as {} by {:?}", event.topic(), event.publication(), event.publisher_authid()));
        async { Ok(()) }
    }));
    let lines = log.clone();
    let tuple = world.finish(client.subscribe_fn("com.example.topic", move |(a, b): (u8, String)| {
        lines.add(format!("{a}{b}"));
        async { Ok(()) }
    }));
    world.send(r#"[36,77,9,{"publisher_authid":"joe"},[1,"x"],{"price":1.5}]"#);
    let mut said = log.take();
    said.sort();
    assert_eq!(said, ["1x", r#"com.example.topic as 9 by Some("joe")"#, "costs 1.5"]);
    drop((kwargs, whole, tuple));
}

#[test]
fn need_13_events_that_a_handler_is_too_slow_for_are_bounded_and_counted() {
    for (overflow, handled, ends) in [
        (Overflow::DropNewest, [0, 1, 2, 3], false),
        (Overflow::DropOldest, [0, 7, 8, 9], false),
        (Overflow::End, [0, 1, 2, 3], true),
    ] {
        let (mut world, client) = World::joined();
        let (log, gate) = (Log::default(), Gate::default());
        let (lines, door) = (log.clone(), gate.clone());
        let options = SubscribeOptions::new().queue(Queue::new().max_events(3).overflow(overflow));
        let guard = listen(&mut world, &client, options, move |event: Event| {
            lines.add(format!("{}+{}", event.arg::<u64>(0).unwrap(), event.missed()));
            let door = door.clone();
            async move {
                door.pass().await;
                Ok(())
            }
        });
        send_numbers(&mut world, 0..1);
        send_numbers(&mut world, 1..10);
        let lost = if ends { 1 } else { 6 };
        assert_eq!(guard.missed(), lost, "{overflow:?}");
        gate.open();
        world.run();
        let said: Vec<u64> = log.take().iter().map(|line| line.split('+').next().unwrap().parse().unwrap()).collect();
        assert_eq!(said, handled, "{overflow:?}");
        assert_eq!(matches!(guard.end(), Some(SubscriptionEnd::Overflow)), ends, "{overflow:?}");
        if ends {
            world.expect("[34,2,77]");
        } else {
            send_numbers(&mut world, 10..11);
            let expected = if overflow == Overflow::DropNewest { "10+6" } else { "10+0" };
            assert_eq!(log.take(), [expected], "{overflow:?}");
        }
    }
}

#[test]
fn srv_02_a_guard_tells_why_its_subscription_was_revoked() {
    let (mut world, client) = World::joined();
    let tasks = world.tasks();
    let guard = listen(&mut world, &client, SubscribeOptions::new(), |(): ()| async { Ok(()) });
    world.send(r#"[35,0,{"subscription":77,"reason":"no longer authorized"}]"#);
    let Some(SubscriptionEnd::Revoked(Some(reason))) = guard.end() else { panic!("{:?}", guard.end()) };
    assert_eq!(&*reason, "no longer authorized");
    assert_eq!(world.tasks(), tasks, "the task is over");
    drop(guard);
    world.expect_nothing();
}

#[test]
fn sub_06_a_handler_that_fails_or_panics_after_a_while_is_counted() {
    let (mut world, client) = World::joined();
    let gate = Gate::default();
    let door = gate.clone();
    let guard = listen(&mut world, &client, SubscribeOptions::new().concurrency(3), move |n: u64| {
        let door = door.clone();
        async move {
            door.pass().await;
            match n {
                0 => Ok(()),
                1 => Err(std::io::Error::other("it failed").into()),
                _ => std::panic::resume_unwind(Box::new("a bug of the user")),
            }
        }
    });
    send_numbers(&mut world, 0..3);
    assert_eq!(guard.failures(), 0);
    gate.open();
    world.run();
    assert_eq!(guard.failures(), 2);
    assert!(guard.end().is_none() && client.session().is_some());
}

#[test]
fn a_runtime_that_drops_the_task_of_a_handler_ends_its_subscription() {
    let (mut world, client) = World::joined();
    let guard = listen(&mut world, &client, SubscribeOptions::new(), |(): ()| async { Ok(()) });
    world.drop_tasks();
    world.expect("[34,2,77]");
    assert!(matches!(guard.end(), Some(SubscriptionEnd::Unsubscribed)), "{:?}", guard.end());
    drop(guard);
    world.expect_nothing();
}

#[test]
fn dropping_a_guard_lets_all_handlers_finish_that_run() {
    let (mut world, client) = World::joined();
    let tasks = world.tasks();
    let (log, gate) = (Log::default(), Gate::default());
    let (lines, door) = (log.clone(), gate.clone());
    let guard = listen(&mut world, &client, SubscribeOptions::new().concurrency(9), move |n: u64| {
        let (lines, door) = (lines.clone(), door.clone());
        async move {
            door.pass().await;
            lines.add(n.to_string());
            Ok(())
        }
    });
    send_numbers(&mut world, 0..3);
    drop(guard);
    world.expect("[34,2,77]");
    gate.open();
    world.run();
    assert_eq!(log.take(), ["0", "1", "2"]);
    assert_eq!(world.tasks(), tasks);
}

#[test]
fn dropping_a_guard_unsubscribes_and_lets_the_handler_finish() {
    let (mut world, client) = World::joined();
    let tasks = world.tasks();
    let (log, gate) = (Log::default(), Gate::default());
    let (lines, door) = (log.clone(), gate.clone());
    let guard = listen(&mut world, &client, SubscribeOptions::new(), move |n: u64| {
        let (lines, door) = (lines.clone(), door.clone());
        async move {
            door.pass().await;
            lines.add(n.to_string());
            Ok(())
        }
    });
    send_numbers(&mut world, 0..3);
    drop(guard);
    world.expect("[34,2,77]");
    assert_eq!(world.tasks(), tasks + 1);
    gate.open();
    world.run();
    assert_eq!(log.take(), ["0"], "what waits is dropped");
    assert_eq!(world.tasks(), tasks);

    let (mut world, client) = World::joined();
    let tasks = world.tasks();
    let idle = listen(&mut world, &client, SubscribeOptions::new(), |(): ()| async { Ok(()) });
    world.run();
    assert_eq!(world.tasks(), tasks + 1);
    let mut unsubscribe = idle.unsubscribe();
    assert!(world.poll(&mut unsubscribe).is_pending());
    world.expect("[34,2,77]");
    assert_eq!(world.tasks(), tasks, "a task that waits for events ends with its guard");
    world.send("[35,2]");
    world.finish(unsubscribe).unwrap();
}

#[test]
fn a_handler_does_not_keep_the_client_open() {
    let (mut world, client) = World::joined();
    let guard = listen(&mut world, &client, SubscribeOptions::new(), |(): ()| async { Ok(()) });
    drop(client);
    world.expect_nothing();
    drop(guard);
    world.expect("[34,2,77]");
    assert!(world.received().starts_with("[6,"));
}

#[test]
fn a_handler_that_is_always_ready_lets_others_run() {
    let (mut world, client) = World::joined();
    let log = Log::default();
    let (a, b) = (log.clone(), log.clone());
    let _one = listen(&mut world, &client, SubscribeOptions::new(), move |(): ()| {
        a.add("a");
        async { Ok(()) }
    });
    let _two = world.finish(client.subscribe_fn("com.example.topic", move |(): ()| {
        b.add("b");
        async { Ok(()) }
    }));
    send_numbers(&mut world, 0..1_000);
    let said = log.take();
    assert_eq!(said.len(), 2_000);
    let turns = said.chunk_by(|one, other| one == other).map(<[String]>::len).max();
    assert!(turns.is_some_and(|longest| longest <= 64), "{turns:?} events at a stretch");
}

#[test]
fn unsubscribe_all_ends_every_subscription_to_a_topic() {
    let (mut world, client) = World::joined();
    let log = Log::default();
    let lines = log.clone();
    let guard = listen(&mut world, &client, SubscribeOptions::new(), move |n: u64| {
        lines.add(n.to_string());
        async { Ok(()) }
    });
    let mut stream = world.finish(client.subscribe("com.example.topic")).unwrap();
    let options = SubscribeOptions::new().match_policy(wamp_session::proto::MatchPolicy::Prefix);
    let mut prefix = client.subscribe_with("com.example.topic", options);
    assert!(world.poll(&mut prefix).is_pending());
    world.received();
    world.send("[33,2,78]");
    let prefix = world.finish(prefix).unwrap();
    let mut other = client.subscribe("com.example.other");
    assert!(world.poll(&mut other).is_pending());
    world.received();
    world.send("[33,3,79]");
    let other = world.finish(other).unwrap();
    send_numbers(&mut world, 0..1);

    let mut all = client.unsubscribe_all("com.example.topic");
    world.expect_nothing();
    assert!(world.poll(&mut all).is_pending());
    world.expect("[34,4,77]");
    world.expect("[34,5,78]");
    world.expect_nothing();
    world.send("[35,4]");
    assert!(world.poll(&mut all).is_pending());
    world.send("[35,5]");
    world.finish(all).unwrap();

    assert!(world.finish(stream.next()).is_some(), "what is queued is still there");
    assert!(world.finish(stream.next()).is_none());
    for end in [stream.end(), guard.end(), prefix.end()] {
        assert!(matches!(end, Some(SubscriptionEnd::Unsubscribed)), "{end:?}");
    }
    assert!(other.end().is_none());
    assert_eq!(log.take(), ["0"]);
    drop((stream, guard, prefix));
    world.expect_nothing();
    world.finish(client.unsubscribe_all("com.example.topic")).unwrap();
    let mut again = client.subscribe("com.example.topic");
    assert!(world.poll(&mut again).is_pending());
    world.expect(r#"[32,6,{},"com.example.topic"]"#);
}

#[test]
fn unsubscribe_all_leaves_a_subscription_alone_that_is_being_made() {
    let (mut world, client) = World::joined();
    let mut making = client.subscribe("com.example.topic");
    assert!(world.poll(&mut making).is_pending());
    world.received();
    world.finish(client.unsubscribe_all("com.example.topic")).unwrap();
    world.send("[33,1,77]");
    let subscription = world.finish(making).unwrap();
    assert!(subscription.end().is_none());
    world.expect_nothing();
}

#[test]
fn unsubscribe_all_tells_of_a_refusal() {
    let (mut world, client) = World::joined();
    let subscription = subscribe(&mut world, &client, 1, 77);
    let mut all = client.unsubscribe_all("com.example.topic");
    assert!(world.poll(&mut all).is_pending());
    world.expect("[34,2,77]");
    world.send(r#"[8,34,2,{},"wamp.error.not_authorized"]"#);
    assert!(world.finish(all).is_err());
    assert!(subscription.end().is_some());
    // One refusal among several answers is told, whichever comes last.
    for answers in [
        ["[35,4]", r#"[8,34,5,{},"wamp.error.not_authorized"]"#],
        [r#"[8,34,4,{},"wamp.error.not_authorized"]"#, "[35,5]"],
    ] {
        let (mut world, client) = World::joined();
        let exact = subscribe(&mut world, &client, 1, 77);
        let options = SubscribeOptions::new().match_policy(wamp_session::proto::MatchPolicy::Prefix);
        let mut prefix = client.subscribe_with("com.example.topic", options);
        assert!(world.poll(&mut prefix).is_pending());
        world.received();
        world.send("[33,2,78]");
        let prefix = world.finish(prefix).unwrap();
        world.finish(client.publish("com.example.other", ())).unwrap();
        world.received();
        let mut all = client.unsubscribe_all("com.example.topic");
        assert!(world.poll(&mut all).is_pending());
        world.expect("[34,4,77]");
        world.expect("[34,5,78]");
        for answer in answers {
            world.send(answer);
        }
        assert!(world.finish(all).is_err(), "{answers:?}");
        drop((exact, prefix));
    }
    let mut dropped = client.unsubscribe_all("com.example.topic");
    assert!(world.poll(&mut dropped).is_ready(), "nothing is left");
}
