//! What holds for a session whatever happens to it: random commands, frames, times and orders of draining.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed test panics")]

mod step;
#[path = "../support/tap.rs"]
#[allow(unreachable_pub, dead_code, reason = "shared with the conformance tests")]
mod tap;
mod world;

use proptest::prelude::*;
use wamp_session::{Config, Frame, Limits, Status};

use crate::step::{Step, step};
use crate::tap::Tap;
use crate::world::{World, asking, config, rejoining, run};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Invariants 1 to 5.
    #[test]
    fn whatever_happens_the_session_keeps_its_word(
        steps in prop::collection::vec(step(), 1..120),
        config in prop::sample::select(vec![config as fn(Limits) -> Config, rejoining, asking]),
    ) {
        let mut world = World::with(config(Limits::new()), Some(Tap::default()));
        for step in &steps {
            let closed = matches!(world.session.status(), Status::Closed);
            world.step(step);
            let events = world.events.len();
            world.drain();
            if matches!(world.session.status(), Status::Closed) {
                prop_assert_eq!(world.session.poll_timeout(), None, "a deadline outlives the session");
            }
            if closed && !matches!(step, Step::Connect) {
                prop_assert_eq!(world.events.len(), events, "silence after Closed");
            }
        }
        world.step(&Step::Close);
        world.step(&Step::Wait(60_000));
        world.drain();
        prop_assert!(matches!(world.session.status(), Status::Closed));
        prop_assert_eq!(world.session.poll_timeout(), None);
        prop_assert!(world.ledger.calls.is_empty(), "invariant 1: {:?}", world.ledger.calls);
        prop_assert!(world.ledger.publications.is_empty(), "invariant 1: {:?}", world.ledger.publications);
        prop_assert_eq!(world.ledger.closed, world.ledger.runs, "invariant 2");
    }

    /// Invariant 6, and 7 by the way: the same inputs give the same outputs, whenever they are taken.
    #[test]
    fn draining_late_changes_nothing_but_what_has_become_pointless(
        steps in prop::collection::vec(step(), 1..120),
        every in 2..50_usize,
    ) {
        // Only the names of invocations come from events, so that both worlds answer none that they have not seen.
        let steps: Vec<Step> = steps.into_iter().filter(|step| !matches!(step, Step::Respond(..))).collect();
        let prompt = run(&steps, |_| true, config(Limits::new()));
        let again = run(&steps, |_| true, config(Limits::new()));
        prop_assert_eq!(&prompt.actions, &again.actions);
        prop_assert_eq!(&prompt.events, &again.events);
        for late in [run(&steps, |index| index % every == 0, config(Limits::new())), run(&steps, |_| false, config(Limits::new()))] {
            check_late(&prompt, &late)?;
        }
    }

    /// Invariant 7: nothing that the peer or the application adds to grows without bounds.
    #[test]
    fn no_queue_exceeds_its_limit(steps in prop::collection::vec(step(), 1..200)) {
        let limits = Limits::new().max_events(3).max_requests(4).max_invocations(2);
        let world = run(&steps, |_| false, config(limits));
        let count = |name: &str| world.events.iter().filter(|event| event.starts_with(name)).count();
        // Events that nobody took until the end of all the runs.
        prop_assert!(count("Published(") + count("CallProgress") + count("InvocationInput") <= 3);
        prop_assert!(count("Invocation(") <= 2 && count("Interrupted") <= 2);
        prop_assert!(count("CallDone") + count("PublishDone") + count("Subscribed") + count("Registered") <= 4 + followers(&steps));
        let running = world.events.iter().scan(0_i64, |running, event| {
            *running += i64::from(event.starts_with("Invocation(")) - i64::from(event.starts_with("InvocationEnded"));
            Some(*running)
        });
        prop_assert!(running.max().unwrap_or(0) <= 2);
    }

    /// No frame makes the session panic, in any state.
    #[test]
    fn rob_01_no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..64), binary in any::<bool>(), joined in any::<bool>()) {
        let mut world = World::new(Limits::new(), None);
        world.step(&Step::Connect);
        world.step(&Step::Open { offered: true, ticket: false });
        if joined {
            world.step(&Step::Frame("[2,1,{}]".to_owned()));
        }
        let id = world.session.transport().unwrap();
        let frame = if binary { Frame::Binary(bytes.into()) } else { Frame::Text(bytes.into()) };
        world.session.handle_frame(world.now, id, frame);
        world.drain();
    }
}

proptest! {
    // As many programs as the simulation has seeds, which asserts the other invariants.
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Invariants 6 and 7 of a session that joins again and again.
    #[test]
    fn draining_late_changes_nothing_over_many_sessions(
        steps in prop::collection::vec(step(), 1..160),
        every in 2..50_usize,
        config in prop::sample::select(vec![rejoining as fn(Limits) -> Config, asking]),
    ) {
        // What is published without acknowledgement and not taken is lost with its session, and counted.
        let steps: Vec<Step> =
            steps.into_iter().filter(|step| !matches!(step, Step::Respond(..) | Step::Publish(..))).collect();
        let prompt = run(&steps, |_| true, config(Limits::new()));
        let again = run(&steps, |_| true, config(Limits::new()));
        prop_assert_eq!(&prompt.actions, &again.actions);
        prop_assert_eq!(&prompt.events, &again.events);
        let rarely = run(&steps, |index| index % every == 0, config(Limits::new()));
        for late in [rarely, run(&steps, |_| false, config(Limits::new()))] {
            check_late(&prompt, &late)?;
        }
    }

    /// Invariant 7 of a session that joins again and again: what nobody takes stays within the limits, whatever comes and goes.
    #[test]
    fn no_queue_exceeds_its_limit_over_many_sessions(steps in prop::collection::vec(step(), 1..200)) {
        let limits = Limits::new().max_events(3).max_requests(4).max_invocations(2).max_changes(4);
        let world = run(&steps, |_| false, rejoining(limits));
        let refusals = world.actions.iter().filter(|(_, text)| text.starts_with("[8,68,")).count();
        prop_assert!(refusals <= 2, "{:?}", world.actions);
        let count = |name: &str| world.events.iter().filter(|event| event.starts_with(name)).count();
        prop_assert!(count("Published(") <= 3);
        let changes = count("Joined") + count("Left") + count("Restored") + count("Challenge");
        prop_assert!(changes <= 4 + 3, "{:?}", world.events);
    }
}

/// Checks that what comes late is the same, less the actions of transports that have ended meanwhile.
fn check_late(prompt: &World, late: &World) -> Result<(), TestCaseError> {
    prop_assert_eq!(&prompt.events, &late.events);
    let mut rest = late.actions.iter().peekable();
    for action in &prompt.actions {
        if rest.peek() == Some(&action) {
            rest.next();
        } else {
            prop_assert!(late.ended.contains(&action.0), "{:?} is missing", action);
        }
    }
    prop_assert_eq!(rest.next(), None);
    Ok(())
}

/// How many subscriptions may have joined another without a request of their own.
fn followers(steps: &[Step]) -> usize {
    steps.iter().filter(|step| matches!(step, Step::Subscribe(..))).count()
}
