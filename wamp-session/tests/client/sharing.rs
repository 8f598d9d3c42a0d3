//! Several streams and handlers of one subscription.

use std::sync::{Arc, Mutex};

use wamp_session::SubscribeOptions;
use wamp_session::client::{Overflow, Queue, Subscription};

use crate::world::World;

/// What a handler has got.
#[derive(Clone, Default)]
struct Got(Arc<Mutex<Vec<u64>>>);

impl Got {
    fn take(&self) -> Vec<u64> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// A handler that keeps what it gets.
macro_rules! handler {
    ($world:ident, $client:ident, $options:expr) => {{
        let got = Got::default();
        let kept = got.clone();
        let subscribe = $client.subscribe_fn_with("com.example.topic", $options, move |n: u64| {
            kept.0.lock().unwrap().push(n);
            async { Ok(()) }
        });
        ($world.finish(subscribe).unwrap(), got)
    }};
}

/// The first of those who subscribe, whom the router answers.
fn first(world: &mut World, client: &wamp_session::client::Client) -> Subscription {
    crate::driver::subscribe(world, client, 1, 77)
}

fn send_numbers(world: &mut World, numbers: impl IntoIterator<Item = u64>) {
    let frames: Vec<String> = numbers.into_iter().map(|n| format!("[36,77,{},{{}},[{n}]]", n + 1)).collect();
    world.send_all(frames.iter().map(String::as_str));
}

/// What waits for a stream.
fn taken(world: &mut World, stream: &mut Subscription) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let std::task::Poll::Ready(Some(event)) = world.poll(&mut stream.next()) {
        numbers.push(event.arg(0).unwrap());
    }
    numbers
}

#[test]
fn sub_04_streams_and_handlers_of_one_subscription_each_get_each_event_once_and_in_order() {
    let (mut world, client) = World::joined();
    let mut stream = first(&mut world, &client);
    let (one, got_one) = handler!(world, client, SubscribeOptions::new());
    let mut other_stream = world.finish(client.subscribe("com.example.topic")).unwrap();
    let (two, got_two) = handler!(world, client, SubscribeOptions::new().concurrency(4));
    // Together, and one after the other.
    send_numbers(&mut world, 0..50);
    for n in 50..100 {
        send_numbers(&mut world, [n]);
    }
    let all: Vec<u64> = (0..100).collect();
    assert_eq!([got_one.take(), got_two.take()], [all.clone(), all.clone()]);
    assert_eq!([taken(&mut world, &mut stream), taken(&mut world, &mut other_stream)], [all.clone(), all]);
    world.expect_nothing();
    drop((one, two));
}

#[test]
fn sub_07_one_that_lags_loses_its_own_events_and_nobody_elses() {
    let (mut world, client) = World::joined();
    let mut stream = first(&mut world, &client);
    let lagging = |overflow| SubscribeOptions::new().queue(Queue::new().max_events(3).overflow(overflow));
    let mut newest = world.finish(client.subscribe_with("com.example.topic", lagging(Overflow::DropNewest))).unwrap();
    let mut oldest = world.finish(client.subscribe_with("com.example.topic", lagging(Overflow::DropOldest))).unwrap();
    let mut ended = world.finish(client.subscribe_with("com.example.topic", lagging(Overflow::End))).unwrap();
    let (guard, got) = handler!(world, client, SubscribeOptions::new());
    for n in 0..10 {
        send_numbers(&mut world, [n]);
    }
    let all: Vec<u64> = (0..10).collect();
    assert_eq!((got.take(), taken(&mut world, &mut stream)), (all.clone(), all));
    assert_eq!(taken(&mut world, &mut newest), [0, 1, 2]);
    assert_eq!(taken(&mut world, &mut oldest), [7, 8, 9]);
    assert_eq!(taken(&mut world, &mut ended), [0, 1, 2]);
    assert_eq!([stream.missed(), guard.missed(), newest.missed(), oldest.missed()], [0, 0, 7, 7]);
    assert!(ended.end().is_some() && newest.end().is_none());
    // Others have the router's subscription still.
    world.expect_nothing();
    send_numbers(&mut world, [10]);
    for stream in [&mut stream, &mut newest, &mut oldest] {
        assert_eq!(taken(&mut world, stream), [10]);
    }
}

#[test]
fn sub_04_one_that_leaves_between_two_events_takes_none_from_the_others() {
    let (mut world, client) = World::joined();
    let mut stream = first(&mut world, &client);
    let (guard, got) = handler!(world, client, SubscribeOptions::new());
    let leaving = world.finish(client.subscribe("com.example.topic")).unwrap();
    let mut last = world.finish(client.subscribe("com.example.topic")).unwrap();
    send_numbers(&mut world, 0..3);
    drop(leaving);
    send_numbers(&mut world, 3..6);
    assert_eq!(got.take(), [0, 1, 2, 3, 4, 5]);
    drop(guard);
    // One that comes gets what comes after it.
    let mut late = world.finish(client.subscribe("com.example.topic")).unwrap();
    send_numbers(&mut world, 6..9);
    assert!(got.take().is_empty(), "it was dropped");
    for stream in [&mut stream, &mut last] {
        assert_eq!(taken(&mut world, stream), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }
    assert_eq!(taken(&mut world, &mut late), [6, 7, 8]);
    world.expect_nothing();
    drop((stream, last));
    world.expect_nothing();
    drop(late);
    world.expect("[34,2,77]");
}
