//! Every test, unit to end-to-end. The runner's own lines are shown as they are.

use std::{collections::BTreeSet, process::Command};

use anyhow::{Result, bail};

use crate::{
    build, bundle, lanes,
    places::Places,
    setup, shell,
    step::{nothing_to_do, reason, step},
    tools, ui,
    wasm::env_or,
};

pub fn run(places: &Places, fast: bool) -> Result<()> {
    setup::run(places, false)?;
    step("check the format", "run `cargo fmt --all`", || {
        let mut fmt = Command::new(env_or("CARGO", "cargo"));
        shell::run(fmt.args(["fmt", "--all", "--check"]).current_dir(&places.root))
    })?;
    // Other systems' dependencies too: their licences are looked at.
    step("fetch the dependencies", "check the network, then start this again", || {
        let mut fetch = Command::new(env_or("CARGO", "cargo"));
        shell::run(fetch.args(["fetch", "--locked", "--quiet"]).current_dir(&places.root))
    })?;
    let pebble = pebble(places);
    ui::build(places)?;
    // The tests start the real programs, which `cargo test` alone would not build.
    build::host(places, false)?;
    let packages = if fast { Vec::new() } else { bundle::for_tests_if_there(places) };
    let left_out = places.run.join("left-out.txt");
    // A line of an earlier run says nothing of this one.
    let _ = std::fs::remove_file(&left_out);
    let done = step(
        "run the tests",
        "read the failed test's message above; screenshots and logs are in the cache's run folder",
        || {
            let prepare = |cargo: &mut Command| {
                // A failed test's last lines are its reason, not a list of frames.
                cargo.env("RUST_LIB_BACKTRACE", "0").envs(packages.clone());
                if pebble {
                    cargo.env("RABTA_PEBBLE", tools::pebble(places));
                }
            };
            // Tests that open windows and browsers stand in modules of these names.
            let slow = ["in_a_window", "in_a_browser", "on_a_phone"];
            let skipped: Vec<&str> = slow.iter().flat_map(|name| ["--skip", *name]).collect();
            let last = if fast { [&["--"], &*skipped].concat() } else { Vec::new() };
            lanes::run(places, prepare, &last)
        },
    );
    for line in lines_of(&std::fs::read_to_string(&left_out).unwrap_or_default()) {
        eprintln!("==> {line}");
    }
    done
}

/// What tests said of themselves that could not run here (`tests/src/left_out.rs`), each once and in a fixed order.
fn lines_of(text: &str) -> BTreeSet<&str> {
    text.lines().filter(|line| !line.is_empty()).collect()
}

/// Whether there is a certificate authority to test with; without Go the tests that want one say that they are left out.
fn pebble(places: &Places) -> bool {
    if tools::pebble(places).exists() {
        nothing_to_do("pebble", "there");
    } else if tools::go_is_there() {
        let hint = "check the network; the tests of ACME are left out until it is there";
        if let Err(error) = step("build pebble (about 2 minutes)", hint, || tools::install_pebble(places)) {
            eprintln!("==> no pebble: {}", reason(&error));
        }
    } else {
        nothing_to_do("pebble", "left out, there is no Go (apt install golang-go)");
    }
    tools::pebble(places).exists()
}

/// cargo-deny is a heavy build, so it is not part of `test`; the cheap rules are tests of their own (tests/tests/programs/house.rs).
pub fn deny(places: &Places) -> Result<()> {
    if shell::which("cargo-deny").is_none() && !places.tools.join("bin/cargo-deny").exists() {
        step("build cargo-deny (some minutes)", "check the network, then start this again", || {
            let mut cargo = Command::new(env_or("CARGO", "cargo"));
            cargo.args(["install", "--locked", "--quiet", "cargo-deny", "--root"]).arg(&places.tools);
            cargo.current_dir(&places.cache).env("CARGO_TARGET_DIR", places.cache.join("tools-target"));
            shell::run(&mut cargo)
        })?;
    }
    let own = places.tools.join("bin/cargo-deny");
    let program = if own.exists() { own } else { "cargo-deny".into() };
    step("check licences, bans and sources", "read deny.toml; a new dependency needs a decision", || {
        let mut deny = Command::new(program);
        deny.args(["--all-features", "--offline", "check", "licenses", "bans", "sources"])
            .current_dir(&places.root);
        if shell::run_as_is(&mut deny).is_err() {
            bail!("cargo-deny found something");
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::lines_of;

    #[test]
    fn what_was_left_out_is_said_once() {
        assert!(lines_of("").is_empty());
        let lines = lines_of("left out: b: no\nleft out: a: no\n\nleft out: b: no\n");
        assert_eq!(lines.into_iter().collect::<Vec<_>>(), ["left out: a: no", "left out: b: no"]);
    }
}
