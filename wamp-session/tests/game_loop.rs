//! The game of the example survives its cuts, and is the same each time for the same seed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeSet;

#[allow(dead_code, reason = "the test needs no main")]
#[path = "../examples/game_loop.rs"]
mod game_loop;

use game_loop::play;

const SEEDS: u64 = 40;

#[test]
fn the_same_seed_gives_the_same_trace() {
    let mut traces = BTreeSet::new();
    for seed in 0..6 {
        let (one, other) = (play(seed), play(seed));
        assert!(one.trace.len() > 30, "seed {seed}: {:#?}", one.trace);
        assert_eq!(one, other, "seed {seed}");
        traces.insert(one.trace);
    }
    assert_eq!(traces.len(), 6);
}

#[test]
fn every_session_survives_its_cuts() {
    let (mut kinds, mut failed) = (BTreeSet::<&str>::new(), 0);
    for seed in 0..SEEDS {
        let game = play(seed);
        let trace = game.trace.join("\n");
        let context = format!("seed {seed}:\n{trace}");
        assert!(game.cuts >= 5 && game.rejoins >= game.cuts / 2, "{context}");
        // Subscriptions and registrations are back …
        assert_eq!(game.subscriptions, [("com.example.scores".to_owned(), 3)], "{context}");
        assert_eq!(game.registrations, ["com.example.step"], "{context}");
        // … and of use: everybody took steps and heard of them after the last cut.
        for name in ["ann", "bob", "eve"] {
            assert!(game.late_steps.get(name).is_some_and(|steps| *steps > 20), "{name}, {context}");
            assert!(game.late_scores.get(name).is_some_and(|scores| *scores > 50), "{name}, {context}");
        }
        // Every step that was asked for came to an end, and nobody broke the protocol or stayed behind.
        assert_eq!(game.steps.asked, game.steps.taken + game.steps.failed, "{context}");
        assert_eq!((game.closed, game.left_behind, game.violations), (4, 0, 0), "{context}");
        assert!(!trace.contains("lost a handle"), "{context}");
        failed += game.steps.failed;
        kinds.extend(["a clean cut", "an unclean cut", "a silent cut"].into_iter().filter(|kind| trace.contains(kind)));
    }
    assert_eq!(kinds.len(), 3);
    assert!(failed > 0, "no step was under way in any cut");
}
