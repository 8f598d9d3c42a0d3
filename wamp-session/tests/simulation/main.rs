//! Sessions over links that cut, stall and lag, with a router that restarts: what holds for every seed.
//!
//! `SIMULATION_SEED=4711 cargo test -p wamp-session --features router --test simulation` runs one seed and prints its trace,
//! `SIMULATION_SEEDS=100000` as many as that.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed test panics")]

mod client;
mod dice;
mod network;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::world::World;

const SEEDS: u64 = 2_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn run(seed: u64) -> World {
    let mut world = World::new(seed);
    let ran = catch_unwind(AssertUnwindSafe(|| {
        world.live();
        world.heal();
        world.check_router();
        world.end();
    }));
    if let Err(panic) = ran {
        for line in &world.trace {
            eprintln!("{line}");
        }
        eprintln!(
            "seed {seed}: SIMULATION_SEED={seed} cargo test -p wamp-session --features router --test simulation \
             whatever_happens"
        );
        resume_unwind(panic);
    }
    world
}

/// What is to happen now and then.
const EVENTS: [&str; 10] = [
    "Left",
    "Restored",
    "Silent",
    "CallDone",
    "retrying: true",
    "CallProgress",
    "InvocationInput",
    "Interrupted",
    "Canceled",
    "Challenge",
];

/// Runs each seed twice, and counts what happens.
fn runs(seeds: impl Iterator<Item = u64>) -> [usize; EVENTS.len()] {
    let mut reached = [0; EVENTS.len()];
    for seed in seeds {
        let world = run(seed);
        assert!(world.trace.len() > 20);
        assert!(world.trace == run(seed).trace, "seed {seed} gives another trace the second time");
        for (reached, what) in reached.iter_mut().zip(EVENTS) {
            *reached += world.count(what);
        }
    }
    reached
}

#[test]
fn rtr_13_whatever_happens_the_invariants_hold_and_the_same_seed_gives_the_same_trace() {
    if let Some(seed) = number("SIMULATION_SEED") {
        for line in run(seed).trace {
            println!("{line}");
        }
        return;
    }
    let seeds = number("SIMULATION_SEEDS").unwrap_or(SEEDS);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let reached = std::thread::scope(|scope| {
        let share = |first: usize| scope.spawn(move || runs((first as u64..seeds).step_by(threads)));
        let shares: Vec<_> = (0..threads).map(share).collect();
        shares.into_iter().fold([0; EVENTS.len()], |mut sum, share| {
            let reached = share.join().unwrap_or_else(|panic| resume_unwind(panic));
            sum.iter_mut().zip(reached).for_each(|(sum, reached)| *sum += reached);
            sum
        })
    });
    // The seeds reach what they are meant to reach.
    if number("SIMULATION_SEEDS").is_none() {
        let least = [1_000, 1_000, 20, 1_000, 100, 30, 10, 500, 60, 1_000];
        assert!(reached.iter().zip(least).all(|(reached, least)| *reached >= least), "{reached:?}");
    }
}
