//! Calls that are cancelled, and calls in parts.

use std::task::Poll;
use std::time::Duration;

use wamp_session::client::{Canceller, Client, Overflow, ProgressiveCall, Queue};
use wamp_session::proto::CancelMode;
use wamp_session::{CallOptions, CommandError, Config, ErrorKind, Feature, RequestError, TransportErrorKind};

use crate::world::World;

/// A call for parts of a result, whose CALL was taken.
fn progressive(world: &mut World, client: &Client, options: CallOptions) -> ProgressiveCall {
    let call = world.finish(client.call_progressive_with("com.example.search", ("rust",), options)).unwrap();
    let sent = world.received();
    assert!(sent.starts_with(r#"[48,1,{"receive_progress":true"#), "{sent}");
    call
}

fn part(n: u64) -> String {
    format!(r#"[50,1,{{"progress":true}},[{n}]]"#)
}

#[test]
fn need_18_a_call_is_cancelled_from_elsewhere() {
    for (mode, text) in [(CancelMode::Skip, "skip"), (CancelMode::KillNoWait, "killnowait")] {
        let (mut world, client) = World::joined();
        let mut call = client.call("com.example.slow", ());
        let stop = call.canceller();
        assert!(world.poll(&mut call).is_pending());
        world.received();
        fn anywhere<T: Send + Sync + 'static>(_: &T) {}
        anywhere(&stop);
        stop.clone().cancel(mode);
        world.expect(&format!(r#"[49,1,{{"mode":"{text}"}}]"#));
        assert!(matches!(world.finish(call), Err(RequestError::Canceled)));
        stop.cancel(mode);
        world.expect_nothing();
    }
}

#[test]
fn need_18_a_killed_call_ends_with_the_answer() {
    let (mut world, client) = World::joined();
    let mut call = client.call("com.example.slow", ());
    assert!(world.poll(&mut call).is_pending());
    world.received();
    // Made after the call was sent.
    call.canceller().cancel(CancelMode::Kill);
    world.expect(r#"[49,1,{"mode":"kill"}]"#);
    assert!(world.poll(&mut call).is_pending());
    world.send(r#"[8,48,1,{},"wamp.error.canceled"]"#);
    let Err(RequestError::Wamp(error)) = world.finish(call) else { panic!("no error") };
    assert_eq!(error.kind(), ErrorKind::Canceled);
}

#[test]
fn a_call_that_is_cancelled_before_its_first_poll_is_not_sent() {
    let (mut world, client) = World::joined();
    let call = client.call("com.example.slow", ());
    call.canceller().cancel(CancelMode::Skip);
    assert!(matches!(world.finish(call), Err(RequestError::Canceled)));
    world.expect_nothing();
}

#[test]
fn a_canceller_neither_keeps_the_client_alive_nor_cancels_by_its_drop() {
    let (mut world, client) = World::joined();
    let mut call = client.call("com.example.slow", ());
    let stop: Canceller = call.canceller();
    assert!(world.poll(&mut call).is_pending());
    world.received();
    drop(stop.clone());
    world.expect_nothing();
    world.send("[50,1,{}]");
    world.finish(call).unwrap();
    drop(client);
    world.expect(r#"[6,{},"wamp.close.close_realm"]"#);
    stop.cancel(CancelMode::Kill);
}

#[test]
fn need_39_parts_come_as_a_stream_and_the_result_is_apart() {
    let (mut world, client) = World::joined();
    let mut call = progressive(&mut world, &client, CallOptions::new());
    world.send_all([&*part(1), &*part(2)]);
    assert_eq!(world.finish(call.next()).unwrap().arg::<u64>(0).unwrap(), 1);
    assert_eq!(world.finish(call.next()).unwrap().arg::<u64>(0).unwrap(), 2);
    let mut next = call.next();
    assert!(world.poll(&mut next).is_pending());
    world.send("[50,1,{},[3]]");
    assert!(matches!(world.poll(&mut next), Poll::Ready(None)));
    assert_eq!(world.finish(call.finish()).unwrap().arg::<u64>(0).unwrap(), 3);
    world.expect_nothing();
}

#[test]
fn need_39_a_result_without_parts_and_one_whose_parts_nobody_takes() {
    let (mut world, client) = World::joined();
    let mut call = progressive(&mut world, &client, CallOptions::new());
    world.send("[50,1,{},[3]]");
    assert!(world.finish(call.next()).is_none());
    assert_eq!(world.finish(call.finish()).unwrap().arg::<u64>(0).unwrap(), 3);

    let call = world.finish(client.call_progressive("com.example.search", ())).unwrap();
    world.received();
    world.send_all([r#"[50,2,{"progress":true},[1]]"#, r#"[8,48,2,{},"com.example.error"]"#]);
    assert!(matches!(world.finish(call.finish()), Err(RequestError::Wamp(_))));
    world.expect_nothing();
}

#[test]
fn a_progressive_call_is_cancelled_when_it_is_dropped() {
    let (mut world, client) = World::joined();
    let call = progressive(&mut world, &client, CallOptions::new());
    drop(call);
    world.expect(r#"[49,1,{"mode":"killnowait"}]"#);
    world.send(&part(1));

    let call = world.finish(client.call_progressive("com.example.search", ())).unwrap();
    world.received();
    let mut finish = call.finish();
    assert!(world.poll(&mut finish).is_pending());
    drop(finish);
    world.expect(r#"[49,2,{"mode":"killnowait"}]"#);
}

#[test]
fn a_progressive_call_can_be_cancelled_in_the_middle() {
    let (mut world, client) = World::joined();
    let mut call = progressive(&mut world, &client, CallOptions::new());
    let stop = call.canceller();
    world.send(&part(1));
    stop.cancel(CancelMode::KillNoWait);
    world.expect(r#"[49,1,{"mode":"killnowait"}]"#);
    // What came before can still be taken.
    assert!(world.finish(call.next()).is_some());
    assert!(world.finish(call.next()).is_none());
    assert!(matches!(world.finish(call.finish()), Err(RequestError::Canceled)));
}

#[test]
fn parts_that_nobody_takes_are_bounded_and_losses_counted() {
    for (overflow, first, last) in [(Overflow::DropNewest, 1, 2), (Overflow::DropOldest, 4, 5)] {
        let (mut world, client) = World::joined();
        let queue = Queue::new().max_events(2).overflow(overflow);
        let mut call = progressive(&mut world, &client, CallOptions::new().queue(queue));
        for n in 1..=5 {
            world.send(&part(n));
        }
        assert_eq!(call.missed(), 3);
        world.send("[50,1,{},[6]]");
        assert_eq!(world.finish(call.next()).unwrap().arg::<u64>(0).unwrap(), first);
        assert_eq!(world.finish(call.next()).unwrap().arg::<u64>(0).unwrap(), last);
        assert!(world.finish(call.next()).is_none());
        assert_eq!(world.finish(call.finish()).unwrap().arg::<u64>(0).unwrap(), 6);
    }
    let (mut world, client) = World::joined();
    let queue = Queue::new().max_events(2).overflow(Overflow::End);
    let call = progressive(&mut world, &client, CallOptions::new().queue(queue));
    for n in 1..=3 {
        world.send(&part(n));
    }
    world.expect(r#"[49,1,{"mode":"killnowait"}]"#);
    assert!(matches!(world.finish(call.finish()), Err(RequestError::Canceled)));
}

#[test]
fn parts_that_nobody_takes_are_bounded_in_bytes() {
    let (mut world, client) = World::joined();
    let queue = Queue::new().max_bytes(250);
    let mut call = progressive(&mut world, &client, CallOptions::new().queue(queue));
    let large = format!(r#"[50,1,{{"progress":true}},["{}"]]"#, "x".repeat(100));
    for _ in 0..3 {
        for _ in 0..2 {
            world.send(&large);
        }
        for _ in 0..2 {
            assert!(world.finish(call.next()).is_some());
        }
    }
    assert_eq!(call.missed(), 0, "what was taken makes room");
    for _ in 0..3 {
        world.send(&large);
    }
    assert_eq!(call.missed(), 1);
    drop(call);
}

#[test]
fn a_lost_connection_ends_a_progressive_call_after_its_parts() {
    let (mut world, client) = World::joined();
    let mut call = progressive(&mut world, &client, CallOptions::new());
    world.send(&part(1));
    world.cut(TransportErrorKind::Eof);
    assert!(world.finish(call.next()).is_some());
    assert!(world.finish(call.next()).is_none());
    assert!(matches!(world.finish(call.finish()), Err(RequestError::Disconnected { sent: true })));
}

#[test]
fn pcr_12_a_timeout_of_a_progressive_call_is_of_each_gap() {
    let (mut world, client) = World::joined();
    let call = progressive(&mut world, &client, CallOptions::new().timeout(Duration::from_secs(2)));
    world.advance(Duration::from_millis(1_500));
    world.send(&part(1));
    world.advance(Duration::from_millis(1_500));
    world.expect_nothing();
    world.advance(Duration::from_millis(500));
    world.expect(r#"[49,1,{"mode":"killnowait"}]"#);
    assert!(matches!(world.finish(call.finish()), Err(RequestError::Timeout { .. })));
}

#[test]
fn need_39_input_is_sent_in_parts() {
    let (mut world, client) = World::joined();
    let (mut input, call) = world.finish(client.call_streaming("com.example.sum", 1)).unwrap();
    world.expect(r#"[48,1,{"progress":true},"com.example.sum",[1]]"#);
    world.finish(input.send(2)).unwrap();
    world.finish(input.finish(3)).unwrap();
    world.expect(r#"[48,1,{"progress":true},"com.example.sum",[2]]"#);
    world.expect(r#"[48,1,{},"com.example.sum",[3]]"#);
    world.send("[50,1,{},[6]]");
    assert_eq!(world.finish(call.finish()).unwrap().arg::<u64>(0).unwrap(), 6);
    world.expect_nothing();
}

#[test]
fn pci_06_input_and_results_in_parts_at_once() {
    let (mut world, client) = World::joined();
    let options = CallOptions::new().receive_progress();
    let (mut input, mut call) = world.finish(client.call_streaming_with("com.example.sums", 1, options)).unwrap();
    world.expect(r#"[48,1,{"receive_progress":true,"progress":true},"com.example.sums",[1]]"#);
    world.send(&part(1));
    assert_eq!(world.finish(call.next()).unwrap().arg::<u64>(0).unwrap(), 1);
    world.finish(input.send(2)).unwrap();
    world.expect(r#"[48,1,{"progress":true},"com.example.sums",[2]]"#);
    world.send("[50,1,{}]");
    assert!(world.finish(call.next()).is_none());
    world.finish(call.finish()).unwrap();
}

#[test]
fn pci_05_input_is_closed_when_the_call_has_ended() {
    let (mut world, client) = World::joined();
    let (mut input, call) = world.finish(client.call_streaming("com.example.sum", 1)).unwrap();
    world.received();
    world.send(r#"[8,48,1,{},"com.example.error"]"#);
    assert!(matches!(world.finish(input.send(2)), Err(CommandError::InputClosed)));
    assert!(matches!(world.finish(input.finish(2)), Err(CommandError::InputClosed)));
    world.expect_nothing();
    assert!(matches!(world.finish(call.finish()), Err(RequestError::Wamp(_))));
}

#[test]
fn input_that_cannot_be_encoded_does_not_end_it() {
    let (mut world, client) = World::joined();
    let (mut input, call) = world.finish(client.call_streaming("com.example.sum", 1)).unwrap();
    world.received();
    assert!(matches!(world.finish(input.send((f64::NAN,))), Err(CommandError::Encode(_))));
    world.expect_nothing();
    world.finish(input.finish(2)).unwrap();
    world.expect(r#"[48,1,{},"com.example.sum",[2]]"#);
    drop(call);
}

#[test]
fn dropping_the_input_before_its_last_cancels_the_call() {
    let (mut world, client) = World::joined();
    let (input, call) = world.finish(client.call_streaming("com.example.sum", 1)).unwrap();
    world.received();
    drop(input);
    world.expect(r#"[49,1,{"mode":"killnowait"}]"#);
    assert!(matches!(world.finish(call.finish()), Err(RequestError::Canceled)));
    world.expect_nothing();
}

#[test]
fn input_waits_for_room() {
    let (mut world, client) = World::joined();
    let (mut input, call) = world.finish(client.call_streaming("com.example.sum", 1)).unwrap();
    world.received();
    world.block();
    let large = "x".repeat(700_000);
    world.finish(input.send(&*large)).unwrap();
    world.finish(input.send(&*large)).unwrap();
    let mut third = input.send(3);
    assert!(world.poll(&mut third).is_pending());
    world.unblock();
    assert!(matches!(world.poll(&mut third), Poll::Ready(Ok(()))));
    drop(third);
    for _ in 0..2 {
        assert!(world.received().len() > 700_000);
    }
    world.expect(r#"[48,1,{"progress":true},"com.example.sum",[3]]"#);
    drop(call);
}

#[test]
fn input_that_is_given_up_leaves_the_line_of_those_who_wait_for_room() {
    let (mut world, client) = World::joined();
    let (mut input, call) = world.finish(client.call_streaming("com.example.sum", 1)).unwrap();
    world.received();
    world.block();
    let large = "x".repeat(700_000);
    world.finish(input.send(&*large)).unwrap();
    world.finish(input.send(&*large)).unwrap();
    let mut third = Box::pin(input.send(3));
    assert!(world.poll(&mut third).is_pending());
    let mut publish = Box::pin(client.publish("com.example.t", ()));
    assert!(world.poll(&mut publish).is_pending());
    drop(third);
    world.unblock();
    assert!(matches!(world.poll(&mut publish), Poll::Ready(Ok(()))), "nobody is before it");
    world.finish(input.send(4)).unwrap();
    for _ in 0..2 {
        assert!(world.received().len() > 700_000);
    }
    world.expect(r#"[16,2,{},"com.example.t"]"#);
    world.expect(r#"[48,1,{"progress":true},"com.example.sum",[4]]"#);
    drop(call);
}

#[test]
fn pci_05_input_that_waits_for_room_is_closed_with_the_call() {
    type End = fn(&mut World, ProgressiveCall) -> Option<ProgressiveCall>;
    let ends: [End; 5] = [
        |world, call| {
            world.send(r#"[8,48,1,{},"com.example.error.enough"]"#);
            Some(call)
        },
        |_, call| {
            call.canceller().cancel(CancelMode::Kill);
            Some(call)
        },
        |_, call| {
            call.canceller().cancel(CancelMode::Skip);
            Some(call)
        },
        |world, call| {
            world.advance(Duration::from_secs(9));
            Some(call)
        },
        |_, call| {
            drop(call);
            None
        },
    ];
    for (end, on_drop) in ends.into_iter().chain([ends[4]]).zip([true, true, true, true, true, false]) {
        let (mut world, client) = World::joined();
        let options = CallOptions::new().timeout(Duration::from_secs(9));
        let options = if on_drop { options } else { options.cancel_on_drop(None) };
        let (mut input, call) = world.finish(client.call_streaming_with("com.example.sum", 1, options)).unwrap();
        world.received();
        world.block();
        let large = "x".repeat(1_100_000);
        world.finish(input.send(&*large)).unwrap();
        world.finish(input.send(&*large)).unwrap();
        let mut last = Box::pin(input.finish(3));
        let mut call = Some(call);
        let woken = world.wakes(&mut last, |world| call = call.take().and_then(|call| end(world, call)));
        assert!(woken, "somebody waits for room in vain");
        assert!(matches!(world.poll(&mut last), Poll::Ready(Err(CommandError::InputClosed))));
        // It has left the line.
        let mut publish = Box::pin(client.publish("com.example.t", ()));
        assert!(world.poll(&mut publish).is_pending());
        world.unblock();
        assert!(matches!(world.poll(&mut publish), Poll::Ready(Ok(()))));
    }
}

#[test]
fn pci_05_input_of_a_call_that_is_over_needs_no_room() {
    let (mut world, client) = World::joined();
    let (mut input, call) = world.finish(client.call_streaming("com.example.sum", 1)).unwrap();
    world.received();
    world.block();
    let large = "x".repeat(1_100_000);
    world.finish(input.send(&*large)).unwrap();
    world.finish(input.send(&*large)).unwrap();
    world.send("[50,1,{},[1]]");
    assert!(matches!(world.poll(&mut input.send(3)), Poll::Ready(Err(CommandError::InputClosed))));
    world.finish(call.finish()).unwrap();
    assert!(matches!(world.poll(&mut input.send(4)), Poll::Ready(Err(CommandError::InputClosed))));
}

#[test]
fn parts_that_are_not_wanted_any_more_do_not_end_the_call() {
    let (mut world, client) = World::joined();
    let queue = Queue::new().max_events(2).overflow(Overflow::End);
    let mut call = progressive(&mut world, &client, CallOptions::new().queue(queue));
    world.send(&part(1));
    world.send(&part(2));
    assert_eq!(world.finish(call.next()).unwrap().arg::<u64>(0).unwrap(), 1);
    let mut end = call.finish();
    let woken = world.wakes(&mut end, |world| {
        for n in 3..=9 {
            world.send(&part(n));
        }
    });
    assert!(!woken, "only the end matters");
    world.expect_nothing();
    world.send("[50,1,{},[10]]");
    assert_eq!(world.finish(end).unwrap().arg::<u64>(0).unwrap(), 10);
}

#[test]
fn pci_11_a_dealer_without_the_feature_gets_no_input_in_parts() {
    let (mut world, client) = World::new(Config::new("ws://router/ws", "realm1").agent(None));
    world.accept();
    world.received();
    world.send(r#"[2,7814135,{"roles":{"broker":{},"dealer":{}}}]"#);
    let refused = world.finish(client.call_streaming("com.example.sum", 1)).map(drop);
    let missing = CommandError::NotSupported(Feature::ProgressiveCallInvocations);
    assert!(matches!(refused, Err(RequestError::Command(error)) if error == missing));
    world.expect_nothing();
}
