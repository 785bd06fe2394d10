//! `rabta-bench interop (--base URL [--token T] [--pin HEX] [--facility ID] | --with hapi|sekmet|rabta)… [--json]`: tries the projection on FHIR servers.
//!
//! The real driver over a real encrypted store, with invented patients. `lacks` and `another way` are answers; a row that fails is an error of this program.

mod case;
mod cut;
mod laptop;
mod matrix;
mod peers;

use anyhow::{Context, Result, bail, ensure};
use matrix::{Report, State};
pub use peers::Peer;
use rabta_sync::{
    Pins,
    foreign::{Auth, Trust},
};
use rabta_tests::Run;
use serde_json::json;
use time::OffsetDateTime;

/// Whether no row fails on any of the servers.
pub async fn run(args: &[String]) -> Result<bool> {
    let (mut bases, mut with, mut json) = (Vec::new(), Vec::new(), false);
    let (mut token, mut pin, mut facility) = (None, None, None);
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("{word} needs a value"));
        match word.as_str() {
            "--base" => bases.push(value()?.clone()),
            "--with" => with.push(value()?.clone()),
            "--token" => token = Some(value()?.clone()),
            "--pin" => pin = Some(hash(value()?)?),
            "--facility" => facility = Some(value()?.parse().ok().context("--facility is a UUID")?),
            "--is-there" => {
                let name = value()?;
                println!("{}", peers::is_there(name));
                return Ok(true);
            }
            "--json" => json = true,
            other => bail!("interop does not know {other}"),
        }
    }
    ensure!(!bases.is_empty() || !with.is_empty(), "interop needs --base URL or --with hapi|sekmet|rabta");
    let mut reports = Vec::new();
    for base in &bases {
        let auth = token.clone().map_or(Auth::Nobody, |token| Auth::Bearer(token.into()));
        let trust = pin.map_or(Trust::System, |pin| Trust::Pinned(Pins::whole([pin])));
        let run = Run::kept("interop")?;
        reports.push(matrix::take(&Peer::at(base, auth, trust, facility), &run).await?);
    }
    for name in &with {
        // One after the other: HAPI alone takes half of a small machine.
        let run = Run::kept(&format!("interop-{name}"))?;
        eprintln!("==> interop {name}");
        let peer = Peer::start(name, &run).await.with_context(|| format!("starting {name}"))?;
        reports.push(matrix::take(&peer, &run).await?);
    }
    print!("{}", table(&reports));
    let failed: Vec<String> = reports.iter().flat_map(failures).collect();
    if json {
        let servers: Vec<_> = reports.iter().map(as_json).collect();
        println!("{}", json!({ "ok": failed.is_empty(), "servers": servers, "failed": failed }));
    }
    Ok(failed.is_empty())
}

/// 32 bytes in hex: the SHA-256 of the server's SubjectPublicKeyInfo.
fn hash(text: &str) -> Result<[u8; 32]> {
    let mut out = [0; 32];
    ensure!(text.len() == 64 && text.is_ascii(), "--pin is a SHA-256 in 64 hex digits");
    for (i, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).context("--pin is in hex digits")?;
    }
    Ok(out)
}

fn failures(report: &Report) -> Vec<String> {
    let failed = report.rows.iter().filter(|row| row.state == State::Fails);
    failed.map(|row| format!("{}: {}", report.server, row.name)).collect()
}

/// A table as docs/INTEROP.md keeps it, and below it what is not simply "works".
fn table(reports: &[Report]) -> String {
    let date = OffsetDateTime::now_utc().date();
    let mut names: Vec<&str> = Vec::new();
    for row in reports.iter().flat_map(|report| &report.rows) {
        if !names.contains(&row.name) {
            names.push(row.name);
        }
    }
    let heads: Vec<String> =
        reports.iter().map(|report| format!(" {} ({}) |", report.server, report.software)).collect();
    let mut out = format!("\n| {date} |{}\n|---|{}\n", heads.concat(), "---|".repeat(reports.len()));
    for name in names {
        let cell = |report: &Report| {
            let row = report.rows.iter().find(|row| row.name == name);
            format!(" {} |", row.map_or("not tried", |row| row.state.word()))
        };
        out.push_str(&format!("| {name} |{}\n", reports.iter().map(cell).collect::<String>()));
    }
    out.push('\n');
    for report in reports {
        for row in report.rows.iter().filter(|row| !row.words.is_empty()) {
            out.push_str(&format!("- {}, {}: {}\n", report.server, row.name, row.words));
        }
    }
    out
}

fn as_json(report: &Report) -> serde_json::Value {
    let rows: Vec<_> = report
        .rows
        .iter()
        .map(|row| json!({ "name": row.name, "result": row.state.word(), "words": row.words }))
        .collect();
    json!({ "server": report.server, "software": report.software, "rows": rows })
}
