//! Every test, unit to end-to-end. The runner's own lines are shown as they are.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{build, places::Places, setup, shell, step::step, ui, wasm::env_or};

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
    ui::build(places)?;
    // The tests start the real programs, which `cargo test` alone would not build.
    build::host(places, false)?;
    step(
        "run the tests",
        "read the failed test's message above; screenshots and logs are in the cache's run folder",
        || {
            let mut cargo = build::cargo(places, "test");
            // A failed test's last lines are its reason, not a list of frames.
            cargo.arg("--no-fail-fast").env("RUST_LIB_BACKTRACE", "0");
            if fast {
                // Tests that open windows and browsers stand in modules of this name.
                cargo.args(["--", "--skip", "in_a_window"]);
            }
            shell::run_as_is(&mut cargo)
        },
    )
}

/// cargo-deny is a heavy build, so it is not part of `test`; the cheap rules are tests of their own (tests/tests/house.rs).
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
