//! libFuzzer on the parsers of foreign bytes (`crates/fuzz`), built with coverage into a cache folder of its own. What it
//! found new stays in the cache's corpus; what broke a parser is kept beside it and makes the command fail.

use std::{fs, process::Command};

use anyhow::{Context, Result, bail};

use crate::{places::Places, shell, step::step, wasm::env_or};

/// What cargo-fuzz passes, too: LLVM counts edges and compares; no sanitizer, since there is nearly no unsafe code.
const COVERAGE: &str = "--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

pub fn run(places: &Places, args: &[String]) -> Result<()> {
    let (mut minutes, mut wanted) = (10_u64, Vec::new());
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--minutes" => {
                let n = words.next().and_then(|n| n.parse().ok());
                minutes = n.context("--minutes needs a number")?;
            }
            name if !name.starts_with('-') => wanted.push(name.to_owned()),
            other => bail!("fuzz does not know {other}"),
        }
    }
    let folder = places.cache.join("fuzz");
    let hint = "libFuzzer needs a C++ compiler (apt install g++)";
    step("build the targets with coverage (about 3 minutes the first time)", hint, || {
        let mut cargo = Command::new(env_or("CARGO", "cargo"));
        cargo.args(["build", "--locked", "-p", "rabta-fuzz", "--features", "libfuzzer", "--release"]);
        // The triple keeps the flags from build scripts, which have no counters to report to.
        cargo.args(["--target", &host()?]).current_dir(&places.root);
        cargo.env("CARGO_TARGET_DIR", folder.join("target")).env("RUSTFLAGS", COVERAGE);
        cargo.env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true").env("CARGO_PROFILE_RELEASE_LTO", "false");
        shell::run(&mut cargo)
    })?;
    let program = folder.join("target").join(host()?).join("release/rabta-fuzz-long");
    let names = match wanted.is_empty() {
        true => targets(places)?,
        false => wanted,
    };
    let seconds = (minutes * 60 / names.len() as u64).max(1);
    let mut broken = Vec::new();
    for name in &names {
        let corpus = folder.join("corpus").join(name);
        fs::create_dir_all(&corpus)?;
        let mut fuzz = Command::new(&program);
        fuzz.env("RABTA_FUZZ", name).arg(&corpus);
        fuzz.arg(format!("-max_total_time={seconds}")).args([
            "-timeout=10",
            "-rss_limit_mb=2048",
            "-verbosity=0",
        ]);
        fuzz.arg(format!("-artifact_prefix={}/", folder.join(format!("broke-{name}")).display()));
        fs::create_dir_all(folder.join(format!("broke-{name}")))?;
        println!("==> {name}: {seconds} s");
        if shell::run_as_is(&mut fuzz).is_err() {
            broken.push(name.as_str());
        }
    }
    if !broken.is_empty() {
        bail!("broken: {}; the inputs are in {}/broke-NAME", broken.join(", "), folder.display());
    }
    Ok(())
}

/// The names in `crates/fuzz/src/lib.rs`, where each target has a line.
fn targets(places: &Places) -> Result<Vec<String>> {
    let text = fs::read_to_string(places.root.join("crates/fuzz/src/lib.rs"))?;
    let named = |part: &str| part.split('"').next().map(str::to_owned);
    let names: Vec<String> = text.split("Target { name: \"").skip(1).filter_map(named).collect();
    if names.is_empty() { bail!("crates/fuzz/src/lib.rs names no targets") } else { Ok(names) }
}

/// `x86_64-unknown-linux-gnu` or whatever this is.
fn host() -> Result<String> {
    let out = shell::output(Command::new(env_or("RUSTC", "rustc")).args(["--print", "host-tuple"]));
    out.map(|text| text.trim().to_owned()).context("rustc does not say what it builds for")
}
