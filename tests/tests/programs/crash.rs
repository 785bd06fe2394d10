//! The app core and the server, killed at random moments while they work. `cargo xtask crash --rounds 200` does it for longer.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use rabta_tests::process;
use serde_json::Value;

#[test]
fn what_was_said_to_be_durable_is_there_after_kills() -> Result<()> {
    let out = Command::new(process::built("rabta-bench")?)
        .args(["crash", "--rounds", "4", "--seed", "7"])
        .output()?;
    let said = String::from_utf8_lossy(&out.stdout);
    let last = said.lines().last().with_context(|| String::from_utf8_lossy(&out.stderr).into_owned())?;
    let last: Value = serde_json::from_str(last)?;
    ensure!(out.status.success() && last["ok"] == true && last["rounds"] == 4, "{last}");
    Ok(())
}
