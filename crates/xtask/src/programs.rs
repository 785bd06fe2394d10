//! The programs that do the work of `demo` and `bench`, and what they print.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{build, places::Places, step};

/// Builds, then runs the main job. The last line of standard output is one JSON object, whatever happens.
pub fn demo(places: &Places, auto: bool) -> ExitCode {
    if let Err(error) = build::everything(places, false) {
        let name = error.downcast_ref::<step::Failed>().map_or("setup", |f| f.step.as_str()).to_owned();
        let code = step::fail(&error);
        return ended(&name, &step::reason(&error), code);
    }
    let mut program = Command::new(build::program(places, false, "rabta-demo"));
    if auto {
        program.arg("--auto");
    }
    program.current_dir(&places.root).env("RABTA_RUN", &places.run);
    match pass_through(&mut program) {
        Ok((true, Some(_))) => ExitCode::SUCCESS,
        // Two windows were opened and closed again; there is nothing to report.
        Ok((true, None)) if !auto => ExitCode::SUCCESS,
        Ok((true, None)) => ended("demo", "the demo ended without its report", ExitCode::FAILURE),
        Ok((false, Some(_))) => ExitCode::FAILURE,
        Ok((false, None)) => ended("demo", "the demo ended without saying why", ExitCode::FAILURE),
        Err(error) => ended("demo", &step::reason(&error), step::fail(&error)),
    }
}

fn ended(step: &str, error: &str, code: ExitCode) -> ExitCode {
    println!("{}", json!({ "ok": false, "step": step, "error": error }));
    code
}

/// Release builds, then the named figures, or all.
pub fn bench(places: &Places, args: &[String]) -> Result<()> {
    build::everything(places, true)?;
    let mut program = Command::new(build::program(places, true, "rabta-bench"));
    program.args(args).current_dir(&places.root).env("RABTA_RUN", &places.run);
    let (ok, _) = pass_through(&mut program)?;
    if !ok {
        bail!("the figures could not be taken, or some are over their bars; read the lines above");
    }
    Ok(())
}

/// Kills the programs while they work (`--rounds N`, `--seed S`); what they had said to be durable must be there.
pub fn crash(places: &Places, args: &[String]) -> Result<()> {
    build::everything(places, false)?;
    let mut program = Command::new(build::program(places, false, "rabta-bench"));
    program.arg("crash").args(args).current_dir(&places.root).env("RABTA_RUN", &places.run);
    let (ok, _) = pass_through(&mut program)?;
    if !ok {
        bail!("something was lost, or a program did not come back; read the lines above");
    }
    Ok(())
}

/// Tries FHIR servers of others (`--base URL`, `--with hapi|sekmet|rabta`, `--json`).
pub fn interop(places: &Places, args: &[String]) -> Result<()> {
    build::everything(places, false)?;
    let mut program = Command::new(build::program(places, false, "rabta-bench"));
    program.arg("interop").args(args).current_dir(&places.root);
    program.env("RABTA_RUN", &places.run).env("RABTA_CACHE", &places.cache);
    let (ok, _) = pass_through(&mut program)?;
    if !ok {
        bail!("something that should work with such a server does not; read the lines above");
    }
    Ok(())
}

/// Builds the simulator and plays seeds. With debug assertions and overflow checks on: it looks for bugs, not for a figure.
/// The last line of standard output is its JSON object.
pub fn sim(places: &Places, args: &[String]) -> ExitCode {
    let built = build::one(places, "rabta-sim");
    if let Err(error) = built {
        return step::fail(&error);
    }
    let mut program = Command::new(build::program(places, false, "rabta-sim"));
    program.args(args).current_dir(&places.root);
    match pass_through(&mut program) {
        Ok((true, _)) => ExitCode::SUCCESS,
        Ok((false, _)) => ExitCode::FAILURE,
        Err(error) => step::fail(&error),
    }
}

/// Runs a program with its standard output passed on line by line; whether it succeeded, and its last line where
/// that is a JSON object.
fn pass_through(command: &mut Command) -> Result<(bool, Option<Value>)> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {name}"))?;
    let output = child.stdout.take().context("standard output was asked for")?;
    let mut last = String::new();
    let mut out = std::io::stdout();
    for line in BufReader::new(output).lines() {
        let line = line?;
        writeln!(out, "{line}")?;
        out.flush()?;
        if !line.trim().is_empty() {
            last = line;
        }
    }
    let status = child.wait()?;
    Ok((status.success(), serde_json::from_str::<Value>(&last).ok().filter(Value::is_object)))
}
