//! The promises hold for what ships, and catch what is known to be bad.

use std::time::{Duration, Instant};

use rabta_sim::{KnownBad, run};

/// As many worlds as fit, one after the other: at least [`LEAST`], whatever the machine, and at most [`MOST`].
const BUDGET: Duration = Duration::from_secs(60);
const LEAST: u64 = 40;
const MOST: u64 = 400;

/// The first seed that shows each known-bad program. When a change of the sim moves one, the test says where it went.
const FIRST: [(KnownBad, u64); 8] = [
    (KnownBad::AckBeforeDurable, 8),
    (KnownBad::TimestampCursor, 31),
    (KnownBad::LastWriteWins, 13),
    (KnownBad::NonIdempotentPush, 1),
    (KnownBad::NoEpoch, 4),
    (KnownBad::EvictBeforeBackup, 81),
    (KnownBad::QuarantineBlocks, 1),
    (KnownBad::SharedNumberBlock, 16),
];

#[test]
fn no_seed_breaks_a_promise() {
    let began = Instant::now();
    let mut seed = 0;
    while seed < LEAST || seed < MOST && began.elapsed() < BUDGET {
        seed += 1;
        let outcome = run(seed, None);
        assert!(outcome.wrong.is_empty(), "seed {seed}\n{}\n{:#?}", outcome.story.join("\n"), outcome.wrong);
        assert!(outcome.tally.saved > 0, "seed {seed}: nobody did anything");
    }
    println!("{seed} seeds");
}

#[test]
fn every_known_bad_program_is_caught() {
    for (bad, first) in FIRST {
        if !run(first, Some(bad)).wrong.is_empty() {
            assert!(run(first, None).wrong.is_empty(), "seed {first} is clean without {}", bad.name());
            continue;
        }
        let caught = (1..=1_000).find(|seed| !run(*seed, Some(bad)).wrong.is_empty());
        panic!("{}: seed {first} does not show it any more; the first that does: {caught:?}", bad.name());
    }
}

#[test]
fn a_seed_plays_the_same_story_again() {
    for seed in [3, 16, 39] {
        let (once, again) = (run(seed, None), run(seed, None));
        assert!(once.story == again.story && once.tally == again.tally, "seed {seed}");
        assert_ne!(once.story, run(seed + 1, None).story);
    }
}

#[test]
fn a_failing_seed_says_what_is_wrong_and_what_happened() {
    let outcome = run(1, Some(KnownBad::NonIdempotentPush));
    assert!(outcome.wrong.iter().any(|wrong| wrong.contains("at the HIE twice")), "{:?}", outcome.wrong);
    assert!(outcome.story.iter().any(|line| line.contains("had no answer")));
}
