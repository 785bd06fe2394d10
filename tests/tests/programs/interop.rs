//! Our sync with FHIR servers: our own always, others where they were installed (`cargo xtask interop --with hapi --with sekmet`).

use std::process::Command;

use anyhow::{Context, Result, ensure};
use rabta_tests::{left_out, process};
use serde_json::Value;

fn interop(args: &[&str]) -> Result<String> {
    let out = Command::new(process::built("rabta-bench")?).arg("interop").args(args).output()?;
    let (said, why) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    ensure!(out.status.success(), "{said}\n{why}");
    Ok(said.into_owned())
}

/// Tries one server; nothing that should work may fail.
fn try_with(name: &str) -> Result<()> {
    if interop(&["--is-there", name])?.trim() != "true" {
        left_out(&format!("{name} is not installed (`cargo xtask interop --with {name}` does it)"));
        return Ok(());
    }
    let said = interop(&["--with", name, "--json"])?;
    let last = said.lines().last().context("it says something")?;
    let report: Value = serde_json::from_str(last)?;
    ensure!(report["ok"] == true, "{said}");
    let rows = report["servers"][0]["rows"].as_array().context("rows")?;
    ensure!(rows.len() >= 19, "everything was tried: {said}");
    Ok(())
}

#[test]
fn our_own_server_is_a_fhir_server_to_others() -> Result<()> {
    try_with("rabta")
}

#[test]
fn sekmet_takes_our_log_and_gives_its_changes() -> Result<()> {
    try_with("sekmet")
}

#[test]
fn hapi_takes_our_log_and_gives_its_changes() -> Result<()> {
    try_with("hapi")
}
