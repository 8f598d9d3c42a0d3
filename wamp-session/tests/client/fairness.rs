//! The driver reads, writes and keeps its time, however much there is of any of it.

use std::future::Future as _;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use wamp_session::client::Client;
use wamp_session::{CallOptions, RequestError};

use crate::driver::subscribe;
use crate::world::World;

/// As much as a batch holds, in frames of the flood.
const BATCH: usize = 64;

const FLOOD: usize = 50 * BATCH;

/// Publishes when it is woken, from under the hands of the driver.
struct Publisher(Mutex<Option<Client>>);

impl Wake for Publisher {
    fn wake(self: Arc<Self>) {
        let client = self.0.lock().unwrap().take().unwrap();
        let published = pin!(client.publish("com.example.answer", ())).poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(published, Poll::Ready(Ok(()))));
    }
}

/// Events of 1 KiB each, more than the driver reads before it does something else.
fn flood(world: &mut World) {
    let text = "x".repeat(1_024);
    let frames: Vec<String> = (0..FLOOD).map(|n| format!(r#"[36,77,{},{{}},["{text}"]]"#, n + 1)).collect();
    world.send_all(frames.iter().map(String::as_str));
}

/// How many frames of the flood had been read when the first frame was sent.
fn read_before_the_answer(world: &mut World) -> usize {
    let sent = world.wire(|wire| wire.order.iter().find(|(_, sent)| *sent > 0).copied());
    FLOOD - sent.expect("nothing was sent").0
}

#[test]
fn frames_are_sent_while_frames_flood_in() {
    let (mut world, client) = World::joined();
    let mut subscription = subscribe(&mut world, &client, 1, 77);
    let waker = Waker::from(Arc::new(Publisher(Mutex::new(Some(client.clone())))));
    assert!(pin!(subscription.next()).poll(&mut Context::from_waker(&waker)).is_pending());
    world.wire(|wire| wire.order.clear());
    flood(&mut world);
    let read = read_before_the_answer(&mut world);
    assert!(read <= 2 * BATCH, "after {read} frames");
    world.expect(r#"[16,2,{},"com.example.answer"]"#);
}

#[test]
fn timers_run_while_frames_flood_in() {
    let (mut world, client) = World::joined();
    let subscription = subscribe(&mut world, &client, 1, 77);
    let options = CallOptions::new().timeout(Duration::from_millis(10 * BATCH as u64));
    let mut call = client.call_with("com.example.slow", (), options);
    assert!(world.poll(&mut call).is_pending());
    assert!(world.received().starts_with("[48,2,"));
    world.wire(|wire| {
        wire.order.clear();
        wire.pace = Duration::from_millis(1);
    });
    flood(&mut world);
    let read = read_before_the_answer(&mut world);
    assert!((10 * BATCH..=12 * BATCH).contains(&read), "after {read} frames");
    assert!(world.received().starts_with("[49,2,"));
    assert!(matches!(world.finish(call), Err(RequestError::Timeout { .. })));
    drop(subscription);
}

#[test]
fn frames_are_read_while_frames_flood_out() {
    let (mut world, client) = World::joined();
    let mut call = client.call("com.example.p", ());
    assert!(world.poll(&mut call).is_pending());
    world.received();
    world.wire(|wire| wire.order.clear());
    world.run_by_hand();
    let text = "x".repeat(1_024);
    let mut accepted = 0;
    loop {
        let mut publish = client.publish("com.example.t", text.as_str());
        if Pin::new(&mut publish).poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            break;
        }
        accepted += 1;
    }
    assert!(accepted > 10 * BATCH, "no flood: {accepted}");
    world.send("[50,1,{},[5]]");
    assert!(world.step(|_| 0));
    let sent = world.wire(|wire| wire.order.iter().find(|(unread, _)| *unread == 0).map(|(_, sent)| *sent));
    assert!(sent.is_some_and(|sent| sent <= 2 * BATCH), "after {sent:?} frames");
    assert!(matches!(Pin::new(&mut call).poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(_))));
    assert_eq!(world.wire(|wire| wire.sent.len()), accepted);
}
