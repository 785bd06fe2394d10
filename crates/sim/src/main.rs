//! `rabta-sim`: plays seeds on all cores. Started by `cargo xtask sim`.

// A program that talks to the person at the terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use anyhow::{Context, Result, bail};
use rabta_sim::{KnownBad, Outcome, Tally, run};
use serde_json::json;

struct Args {
    seeds: u64,
    from: u64,
    bad: Option<KnownBad>,
    story: bool,
}

fn args() -> Result<Args> {
    let mut args = Args { seeds: 100, from: 1, bad: None, story: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("{word} needs a value"));
        match word.as_str() {
            "--seeds" => args.seeds = value()?.parse().context("--seeds is a number")?,
            "--from" => args.from = value()?.parse().context("--from is a number")?,
            "--story" => args.story = true,
            "--break" => {
                let name = value()?;
                let names = || KnownBad::ALL.map(KnownBad::name).join(", ");
                args.bad =
                    Some(KnownBad::named(&name).with_context(|| format!("--break is one of {}", names()))?);
            }
            other => bail!("rabta-sim does not know {other}"),
        }
    }
    Ok(args)
}

fn main() -> ExitCode {
    let args = match args() {
        Ok(args) => args,
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::from(2);
        }
    };
    let began = Instant::now();
    let (next, failed) = (AtomicU64::new(args.from), Mutex::new(Vec::new()));
    let total = Mutex::new(Tally::default());
    let end = args.from.saturating_add(args.seeds);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let outcome = run(seed, args.bad);
                    total.lock().unwrap_or_else(PoisonError::into_inner).add(&outcome.tally);
                    if args.story || !outcome.wrong.is_empty() {
                        tell(&outcome, args.bad);
                    }
                    if !outcome.wrong.is_empty() {
                        failed.lock().unwrap_or_else(PoisonError::into_inner).push(seed);
                    }
                    let done = seed - args.from + 1;
                    if done.is_multiple_of(500) {
                        eprintln!("==> {done} of {} seeds, {} s", args.seeds, began.elapsed().as_secs());
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    failed.sort_unstable();
    let total = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    eprintln!("==> {total:?}, {} s", began.elapsed().as_secs());
    println!("{}", json!({ "ok": failed.is_empty(), "seeds": args.seeds, "failed": failed }));
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The story of a seed, with what is wrong at its end, in one piece.
fn tell(outcome: &Outcome, bad: Option<KnownBad>) {
    let again = bad.map_or_else(String::new, |bad| format!(" --break {}", bad.name()));
    let mut text = format!("==> seed {}\n", outcome.seed);
    for line in &outcome.story {
        text += &format!("  {line}\n");
    }
    for wrong in &outcome.wrong {
        text += &format!("  WRONG: {wrong}\n");
    }
    text += &format!("  again: cargo xtask sim --seeds 1 --from {}{again}\n", outcome.seed);
    eprint!("{text}");
}
