//! What is done with the client.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use wamp_session::client::{Client, Overflow, Queue, WithInvocation};
use wamp_session::proto::CancelMode;
use wamp_session::{CallOptions, RegisterOptions, SubscribeOptions};

use super::Dice;

/// What the programs of one run share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) client: Client,
    /// Counts what has come of the programs: every step that an await makes possible.
    pub(super) steps: Arc<AtomicUsize>,
    pub(super) running: Arc<AtomicUsize>,
}

impl Shared {
    fn step(&self) {
        self.steps.fetch_add(1, Ordering::SeqCst);
    }
}

/// Counts a program that runs, until it is over or dropped.
pub(super) struct Counted(pub(super) Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn queue(dice: &mut Dice) -> Queue {
    let overflow = [Overflow::DropNewest, Overflow::DropOldest, Overflow::End][dice.below(3)];
    Queue::new().max_events(1 + dice.below(3)).overflow(overflow)
}

/// Lets the others run once.
async fn pause() {
    let mut is_first = true;
    poll_fn(|cx| {
        if std::mem::replace(&mut is_first, false) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
}

/// One of the programs; each ends by itself, at the latest when the client is closed.
pub(super) async fn program(shared: Shared, kind: usize, mut dice: Dice) {
    let client = shared.client.clone();
    // Two of these fill the queue to the socket.
    let large = "x".repeat(if dice.one_in(3) { 600_000 } else { 100 });
    match kind {
        0 => {
            for n in 0..3 {
                if let Ok(result) = client.call("com.example.p", (n,)).await {
                    assert_eq!(result.arg::<u64>(0).unwrap(), n, "the result of another call");
                }
                shared.step();
            }
        }
        1 => {
            let options = CallOptions::new().queue(queue(&mut dice));
            let Ok(mut parts) = client.call_progressive_with("com.example.p", (1,), options).await else { return };
            shared.step();
            let stop = parts.canceller();
            while parts.next().await.is_some() {
                shared.step();
                if dice.one_in(5) {
                    stop.cancel([CancelMode::Skip, CancelMode::Kill, CancelMode::KillNoWait][dice.below(3)]);
                }
            }
            drop(parts.finish().await);
        }
        2 => {
            let options = CallOptions::new().queue(queue(&mut dice));
            let options = if dice.one_in(2) { options.receive_progress() } else { options };
            let streaming = client.call_streaming_with("com.example.p", (1,), options).await;
            let Ok((mut input, call)) = streaming else { return };
            for _ in 0..dice.below(4) {
                shared.step();
                if input.send(large.as_str()).await.is_err() {
                    break;
                }
            }
            drop(input.finish(2).await);
            shared.step();
            drop(call.finish().await);
        }
        3 => {
            for _ in 0..4 {
                drop(client.publish("com.example.t", large.as_str()).await);
                shared.step();
            }
        }
        4 => {
            for _ in 0..2 {
                drop(client.publish_acked("com.example.t", large.as_str()).await);
                shared.step();
            }
        }
        5 | 6 => {
            let options = SubscribeOptions::new().queue(queue(&mut dice));
            let topic = ["com.example.t", "com.example.topic"][dice.below(2)];
            let Ok(mut events) = client.subscribe_with(topic, options).await else { return };
            let mut last = 0;
            for _ in 0..dice.below(6) {
                shared.step();
                let Some(event) = events.next().await else { break };
                let number: u64 = event.arg(0).unwrap();
                assert!(number > last, "event {number} after {last}");
                last = number;
            }
            if dice.one_in(2) {
                drop(events.unsubscribe().await);
            }
        }
        7 => {
            let options = RegisterOptions::new().queue(queue(&mut dice));
            let Ok(mut calls) = client.register_with("com.example.p", options).await else { return };
            for _ in 0..dice.below(6) {
                shared.step();
                let Some(call) = calls.next().await else { break };
                let mut inputs = call.inputs();
                while inputs.next().await.is_some() {
                    shared.step();
                }
                drop(call.progress(large.as_str()).await);
                shared.step();
                if dice.one_in(2) {
                    call.cancelled().await;
                }
                drop(call.reply(()));
            }
            if dice.one_in(2) {
                drop(calls.unregister().await);
            }
        }
        8 => {
            let steps = shared.clone();
            let handler = move |call: WithInvocation<u64>| {
                let shared = steps.clone();
                async move {
                    shared.step();
                    call.invocation.progress(call.args).await?;
                    shared.step();
                    let mut inputs = call.invocation.inputs();
                    while inputs.next().await.is_some() {
                        shared.step();
                    }
                    Ok(shared.client.call("com.example.p", (1,)).await.is_ok())
                }
            };
            let options = RegisterOptions::new().parallel(2).queue(queue(&mut dice));
            let Ok(guard) = client.register_fn_with("com.example.p", options, handler).await else { return };
            drop(client.publish_acked("com.example.t", ()).await);
            shared.step();
            drop(guard.unregister().await);
        }
        9 => {
            let steps = shared.clone();
            let handler = move |_: u64| {
                let shared = steps.clone();
                async move {
                    shared.step();
                    pause().await;
                    drop(shared.client.publish("com.example.t", ()).await);
                    shared.step();
                    Ok(())
                }
            };
            let options = SubscribeOptions::new().concurrency(1 + dice.below(2)).queue(queue(&mut dice));
            let Ok(guard) = client.subscribe_fn_with("com.example.topic", options, handler).await else { return };
            drop(client.publish_acked("com.example.t", ()).await);
            shared.step();
            drop(guard.unsubscribe().await);
        }
        10 => {
            let mut events = client.connection_events();
            while events.next().await.is_some() {
                shared.step();
            }
        }
        11 => drop(client.joined().await),
        12 => drop(client.unsubscribe_all("com.example.t").await),
        13 => {
            pause().await;
            drop(if dice.one_in(2) { client.close().await } else { client.drain().await });
            shared.step();
            drop(client.connect().await);
        }
        _ => client.reconnect_now(),
    }
    shared.step();
}
