//! Each parser gets bent inputs for some seconds (`RABTA_FUZZ_SECONDS`, 5), beside each other. What failed is written to a file
//! that the failure names.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rabta_fuzz::{TARGETS, Target, bend};

#[test]
fn sound_inputs_are_read() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{} has none", target.name);
        for seed in seeds {
            (target.run)(&seed);
        }
    }
}

#[test]
fn the_same_state_bends_the_same_way() {
    let seeds = vec![b"one".to_vec(), b"another".to_vec()];
    let (mut a, mut b) = (7, 7);
    for _ in 0..1_000 {
        assert_eq!(bend(&seeds, &mut a), bend(&seeds, &mut b));
    }
}

#[test]
fn no_bent_input_stops_a_parser_or_passes_for_sound() {
    let seconds = std::env::var("RABTA_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(5);
    let start = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |d| d.as_nanos() as u64) | 1;
    let next = AtomicUsize::new(0);
    let failed: Vec<String> = std::thread::scope(|scope| {
        let work = || {
            let mut failed = Vec::new();
            while let Some(target) = TARGETS.get(next.fetch_add(1, Ordering::Relaxed)) {
                failed.extend(try_for(target, Duration::from_secs(seconds), start));
            }
            failed
        };
        let workers = std::thread::available_parallelism().map_or(2, usize::from);
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("it only collects")).collect()
    });
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Says what broke the target, once.
fn try_for(target: &Target, time: Duration, start: u64) -> Option<String> {
    let seeds = (target.seeds)();
    let (begun, mut state) = (Instant::now(), start);
    while begun.elapsed() < time {
        let bytes = bend(&seeds, &mut state);
        if catch_unwind(AssertUnwindSafe(|| (target.run)(&bytes))).is_err() {
            let file = std::env::temp_dir().join(format!("rabta-fuzz-{}", target.name));
            let kept = std::fs::write(&file, &bytes).map_or(String::new(), |()| file.display().to_string());
            return Some(format!("{}: {} bytes, kept as {kept} (state {start})", target.name, bytes.len()));
        }
    }
    None
}
