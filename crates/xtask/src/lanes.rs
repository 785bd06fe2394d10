//! The tests in two lanes side by side. Tests that open windows and browsers mostly wait; on two cores everything else
//! fits beside them.

use std::{
    fs::File,
    io::{self, Write as _},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{build, places::Places, shell, wasm::env_or};

/// The package whose tests drive the real programs.
const DRIVER: &str = "rabta-tests";

/// Builds every test, then runs them. `prepare` sets what each run needs, `last` stands at the end of each line.
pub fn run(places: &Places, prepare: impl Fn(&mut Command), last: &[&str]) -> Result<()> {
    let test = |parts: &[String]| {
        let mut cargo = build::cargo(places, "test");
        prepare(&mut cargo);
        cargo.arg("--no-fail-fast").args(parts).args(last);
        cargo
    };
    shell::run(&mut test(&["--no-run".into()]))?;

    let (windows, mut rest) = targets(places)?;
    rest.extend(["--lib".into(), "--bins".into()]);
    let log = places.run.join("tests-beside.log");
    std::fs::create_dir_all(&places.run)?;
    let beside = start(&mut test(&rest), &log)?;
    let first = shell::run_as_is(&mut test(&windows));
    let beside = wait(beside);
    io::copy(&mut File::open(&log)?, &mut io::stdout())?;
    io::stdout().flush()?;
    let documented = shell::run_as_is(&mut test(&["--doc".into()]));
    first.and(beside).and(documented)
}

/// The integration tests of the package that drives the programs, and all others, as `--test NAME`.
fn targets(places: &Places) -> Result<(Vec<String>, Vec<String>)> {
    let mut cargo = Command::new(env_or("CARGO", "cargo"));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(&places.root);
    let told = shell::output(&mut cargo).context("`cargo metadata` said nothing")?;
    let told: Value = serde_json::from_str(&told).context("reading what `cargo metadata` says")?;
    let (mut windows, mut rest) = (Vec::new(), Vec::new());
    for package in told["packages"].as_array().into_iter().flatten() {
        let lane = if package["name"] == DRIVER { &mut windows } else { &mut rest };
        for target in package["targets"].as_array().into_iter().flatten() {
            let is_test =
                target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "test"));
            if let (true, Some(name)) = (is_test, target["name"].as_str()) {
                lane.extend(["--test".to_owned(), name.to_owned()]);
            }
        }
    }
    if windows.is_empty() || rest.is_empty() {
        bail!("`cargo metadata` names no tests");
    }
    Ok((windows, rest))
}

fn start(command: &mut Command, log: &std::path::Path) -> Result<Child> {
    let file = File::create(log).with_context(|| format!("writing {}", log.display()))?;
    eprintln!("    beside it, shown when it ends: {}", log.display());
    command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .context("starting the second lane")
}

fn wait(mut child: Child) -> Result<()> {
    let status = child.wait()?;
    if !status.success() {
        bail!("a test of the second lane failed ({status}); its output is above");
    }
    Ok(())
}
