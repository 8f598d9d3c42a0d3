//! Nothing of somebody else's is dropped under the lock: neither payloads nor errors, on whatever way they come to their end.

mod causes;

use core::fmt;
use core::future::Future;
use core::pin::{Pin, pin};
use core::time::Duration;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use bytes::Bytes;
use wamp_proto::{Format, Limits as MessageLimits, Payload};

use super::shared::Shared;
use super::world::{World, poll, ready};
use super::{Invocation, Overflow, Queue, Subscription};
use crate::{
    CallOptions, Config, Frame, Limits, Offline, OfflinePolicy, PublishOptions, ReconnectPolicy, RegisterOptions,
    SubscribeOptions, TransportError, TransportErrorKind, WampError,
};

/// What was made, what was dropped, and what of it under the lock.
#[derive(Default)]
struct Count {
    shared: Mutex<Weak<Shared>>,
    made: AtomicUsize,
    dropped: AtomicUsize,
    locked: AtomicUsize,
}

/// Somebody else's value.
struct Owned(Arc<Count>, Vec<u8>);

impl Owned {
    fn new(count: &Arc<Count>, bytes: Vec<u8>) -> Self {
        count.made.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count), bytes)
    }
}

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        &self.1
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
        let shared = self.0.shared.lock().unwrap_or_else(|_| panic!("poisoned")).upgrade();
        if shared.is_some_and(|shared| shared.is_locked()) {
            self.0.locked.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl fmt::Debug for Owned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Owned")
    }
}

impl fmt::Display for Owned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an error of somebody else's")
    }
}

impl core::error::Error for Owned {}

/// More than what is copied out of a frame.
fn text() -> String {
    "x".repeat(3_000)
}

/// A client, and the values that are counted.
struct Fixture {
    world: World,
    count: Arc<Count>,
}

impl Fixture {
    fn new() -> Self {
        Self::of(World::new())
    }

    fn of(world: World) -> Self {
        let count = Arc::new(Count::default());
        *count.shared.lock().unwrap_or_else(|_| panic!("poisoned")) = Arc::downgrade(&world.client.0.shared);
        Self { world, count }
    }

    fn offline(config: Config) -> Self {
        Self::of(World::connecting(config.reconnect(ReconnectPolicy::loowy()).keep_alive(None)))
    }

    /// A payload of the application.
    fn payload(&self) -> Payload {
        // With ArgumentsKw beside them, the Arguments would be copied.
        let packed = format!(r#"{{"args":["{}"]}}"#, text()).into_bytes();
        let packed = Bytes::from_owner(Owned::new(&self.count, packed));
        let payload = Payload::unpack(packed, Format::Json, &MessageLimits::new());
        let payload = payload.unwrap_or_else(|error| panic!("{error}"));
        assert!(self.count.made.load(Ordering::SeqCst) > self.count.dropped.load(Ordering::SeqCst), "it is copied");
        payload
    }

    /// A frame of the adapter, in which `$` stands for arguments.
    fn frame(&self, frame: &str) -> Frame {
        let bytes = frame.replace('$', &format!(r#"["{}"]"#, text())).into_bytes();
        Frame::Text(Bytes::from_owner(Owned::new(&self.count, bytes)))
    }

    fn receive(&self, frame: &str) {
        self.world.link.received(self.world.transport, &mut vec![self.frame(frame)]);
    }

    fn error(&self) -> TransportError {
        TransportError::with_source(TransportErrorKind::Io, Owned::new(&self.count, Vec::new()))
    }

    fn lose(&self) {
        self.world.link.closed(self.world.transport, self.error());
    }

    fn close(&self) {
        drop(poll(pin!(self.world.client.close())));
    }

    fn subscribed(&self, options: SubscribeOptions) -> Subscription {
        let mut subscribe = pin!(self.world.client.subscribe_with("com.example.t", options));
        assert!(poll(subscribe.as_mut()).is_pending());
        self.receive("[33,1,77]");
        ready(subscribe)
    }

    /// Fills the queue to the socket, so that publishers wait.
    fn fill(&self) {
        let _ = poll(pin!(self.world.client.publish("com.example.t", "x".repeat(1_100_000))));
    }

    #[track_caller]
    fn assert_none_locked(self, what: &str) {
        let Self { world, count } = self;
        drop(world);
        let (made, dropped) = (count.made.load(Ordering::SeqCst), count.dropped.load(Ordering::SeqCst));
        assert!(made > 0 && dropped == made, "{what}: {dropped} of {made} were dropped");
        assert_eq!(count.locked.load(Ordering::SeqCst), 0, "dropped under the lock: {what}");
    }
}

type Step = fn(&mut Fixture);

/// The ways in which everything ends from outside.
const ENDS: [(&str, Step); 7] = [
    ("nothing", |_| {}),
    ("close", |fixture| fixture.close()),
    ("a lost transport", |fixture| fixture.lose()),
    ("the next session", |fixture| {
        fixture.lose();
        fixture.world.reopen();
        fixture.world.join();
    }),
    ("GOODBYE", |fixture| fixture.receive(r#"[6,{"_why":$},"wamp.close.system_shutdown"]"#)),
    ("a protocol violation", |fixture| fixture.receive("[36,77,$]")),
    ("timeouts", |fixture| fixture.world.advance(30)),
];

const OVERFLOWS: [Overflow; 3] = [Overflow::DropNewest, Overflow::DropOldest, Overflow::End];

type Sends = fn(&Fixture) -> Pin<Box<dyn Future<Output = ()>>>;

/// What is sent with a payload of the application.
const SENDS: [(&str, Sends); 5] = [
    ("a call", |fixture| {
        let call = fixture.world.client.call("com.example.p", fixture.payload());
        Box::pin(async move { drop(call.await) })
    }),
    ("a call with a timeout", |fixture| {
        let options = CallOptions::new().timeout(Duration::from_secs(1));
        let call = fixture.world.client.call_progressive_with("com.example.p", fixture.payload(), options);
        Box::pin(async move { drop(call.await) })
    }),
    ("a call in parts", |fixture| {
        let call = fixture.world.client.call_streaming("com.example.p", fixture.payload());
        let more = fixture.payload();
        Box::pin(async move {
            if let Ok((mut input, call)) = call.await {
                drop(input.send(more).await);
                drop(call.finish().await);
            }
        })
    }),
    ("a publication", |fixture| {
        let publish = fixture.world.client.publish("com.example.t", fixture.payload());
        Box::pin(async move { drop(publish.await) })
    }),
    ("an acknowledged publication", |fixture| {
        let options = PublishOptions::new().timeout(Duration::from_secs(1));
        let publish = fixture.world.client.publish_acked_with("com.example.t", fixture.payload(), options);
        Box::pin(async move { drop(publish.await) })
    }),
];

#[test]
fn payloads_that_are_sent_are_not_dropped_under_the_lock() {
    for (what, send) in SENDS {
        for (how, end) in ENDS {
            for (when, prepare) in [("", (|_| {}) as fn(&Fixture)), ("with a full queue", |fixture| fixture.fill())] {
                let mut fixture = Fixture::new();
                prepare(&fixture);
                let mut sending = send(&fixture);
                let is_over = poll(sending.as_mut()).is_ready();
                end(&mut fixture);
                if !is_over {
                    let _ = poll(sending.as_mut());
                }
                drop(sending);
                fixture.assert_none_locked(&format!("{what}, {how} {when}"));
            }
        }
    }
}

#[test]
fn payloads_that_wait_for_a_join_are_not_dropped_under_the_lock() {
    let joins: [(&str, Step); 5] = [
        ("the join", |fixture| fixture.world.join()),
        ("close", |fixture| fixture.close()),
        ("a timeout", |fixture| fixture.world.advance(5)),
        ("a failure", |fixture| fixture.lose()),
        ("a close between two attempts", |fixture| {
            fixture.lose();
            fixture.close();
        }),
    ];
    let policies = [OfflinePolicy::Wait, OfflinePolicy::Buffer(1), OfflinePolicy::Buffer(0), OfflinePolicy::FailFast];
    for (what, send) in SENDS {
        for (how, end) in joins {
            for policy in policies {
                for is_dropped in [true, false] {
                    let offline = Offline::new().calls(policy).publishes(policy).acked_publishes(policy);
                    let config = Config::new("ws://router/ws", "realm1").offline(offline).retry_initial_connect(true);
                    let mut fixture = Fixture::offline(config.request_timeout(Duration::from_secs(3)));
                    let mut sending = send(&fixture);
                    let is_over = poll(sending.as_mut()).is_ready();
                    if is_dropped {
                        sending = Box::pin(core::future::pending());
                    }
                    end(&mut fixture);
                    if !is_over {
                        let _ = poll(sending.as_mut());
                    }
                    drop(sending);
                    fixture.assert_none_locked(&format!("{what}, {how}, {policy:?}, dropped first: {is_dropped}"));
                }
            }
        }
    }
}

#[test]
fn commands_that_fail_do_not_drop_payloads_under_the_lock() {
    let too_small = Limits::new().message(MessageLimits::new().max_message_bytes(1_000));
    for (what, send) in SENDS {
        let fixture = Fixture::offline(Config::new("ws://router/ws", "realm1").limits(too_small));
        fixture.world.join();
        let _ = poll(send(&fixture).as_mut());
        fixture.assert_none_locked(what);
        let fixture = Fixture::new();
        fixture.close();
        let _ = poll(send(&fixture).as_mut());
        fixture.assert_none_locked(what);
    }
}

#[test]
fn events_are_not_dropped_under_the_lock() {
    for overflow in OVERFLOWS {
        for (how, end) in ENDS {
            for taken in 0..3 {
                let mut fixture = Fixture::new();
                let queue = Queue::new().max_events(2).overflow(overflow);
                let mut events = fixture.subscribed(SubscribeOptions::new().queue(queue));
                for publication in 1..=4 {
                    fixture.receive(&format!("[36,77,{publication},{{}},$]"));
                }
                fixture.receive("[36,78,1,{},$]");
                end(&mut fixture);
                for _ in 0..taken {
                    drop(poll(pin!(events.next())));
                }
                if taken == 1 {
                    drop(poll(pin!(events.unsubscribe())));
                } else {
                    drop(events);
                }
                fixture.assert_none_locked(&format!("{overflow:?}, {how}"));
            }
        }
    }
}

#[test]
fn results_are_not_dropped_under_the_lock() {
    for overflow in OVERFLOWS {
        for (how, end) in ENDS {
            for last in ["[50,1,{},$]", r#"[8,48,1,{},"com.example.error",$]"#, "[50,9,{},$]"] {
                for taken in 0..3 {
                    let mut fixture = Fixture::new();
                    let queue = Queue::new().max_events(2).overflow(overflow);
                    let options = CallOptions::new().queue(queue);
                    let call = fixture.world.client.call_progressive_with("com.example.p", (), options);
                    let mut parts = ready(pin!(call));
                    for _ in 0..4 {
                        fixture.receive(r#"[50,1,{"progress":true},$]"#);
                    }
                    for _ in 0..taken {
                        drop(poll(pin!(parts.next())));
                    }
                    fixture.receive(last);
                    end(&mut fixture);
                    if taken == 1 {
                        drop(poll(pin!(parts.finish())));
                    } else {
                        drop(parts);
                    }
                    fixture.assert_none_locked(&format!("{overflow:?}, {how}, {last}"));
                }
            }
        }
    }
}

#[test]
fn invocations_are_not_dropped_under_the_lock() {
    type Answers = fn(&Fixture, Invocation);
    let answers: [Answers; 5] = [
        |_, call| drop(call),
        |fixture, call| drop(call.reply(fixture.payload())),
        |fixture, call| {
            let error = WampError::new("com.example.error").unwrap_or_else(|error| panic!("{error}"));
            let error = error.payload(fixture.payload()).unwrap_or_else(|error| panic!("{error}"));
            drop(call.fail(error));
        },
        |fixture, call| {
            drop(poll(pin!(call.progress(fixture.payload()))));
            fixture.fill();
            drop(poll(pin!(call.progress(fixture.payload()))));
        },
        |_, call| {
            let mut inputs = call.inputs();
            drop(poll(pin!(inputs.next())));
            drop(call);
            drop(poll(pin!(inputs.next())));
        },
    ];
    let mut interrupted = ENDS.to_vec();
    interrupted.push(("INTERRUPT", |fixture| {
        for request in 1..=4 {
            fixture.receive(&format!(r#"[69,{request},{{"mode":"kill"}}]"#));
        }
    }));
    interrupted.push(("INTERRUPT without an answer", |fixture| {
        for request in 1..=4 {
            fixture.receive(&format!(r#"[69,{request},{{"mode":"killnowait"}}]"#));
        }
    }));
    for (how, end) in interrupted {
        for answer in answers {
            for is_taken in [true, false] {
                let mut fixture = Fixture::new();
                let options = RegisterOptions::new().queue(Queue::new().max_events(2));
                let mut register = pin!(fixture.world.client.register_with("com.example.p", options));
                assert!(poll(register.as_mut()).is_pending());
                fixture.receive("[65,1,88]");
                let mut registration = ready(register);
                let details = r#"{"progress":true,"receive_progress":true}"#;
                fixture.receive(&format!("[68,1,88,{details},$]"));
                let call = is_taken.then(|| ready(pin!(registration.next())));
                for _ in 0..3 {
                    fixture.receive(&format!("[68,1,88,{details},$]"));
                }
                // The last one finds no room.
                for request in 2..=4 {
                    fixture.receive(&format!("[68,{request},88,{{}},$]"));
                }
                end(&mut fixture);
                if let Some(call) = call {
                    answer(&fixture, call);
                }
                drop(poll(pin!(registration.next())));
                drop(registration);
                fixture.assert_none_locked(how);
            }
        }
    }
}

#[test]
fn input_that_finds_no_room_is_not_dropped_under_the_lock() {
    let fixture = Fixture::new();
    let mut registration = fixture.world.registered();
    fixture.receive(r#"[68,1,88,{"progress":true},$]"#);
    let call = ready(pin!(registration.next()));
    for _ in 0..=1_024 {
        fixture.receive(r#"[68,1,88,{"progress":true},$]"#);
    }
    assert!(call.has_ended());
    drop(call);
    drop(registration);
    fixture.assert_none_locked("too much input");
}
