//! Takes the figures that docs/BENCHMARKS.md promises, on the real programs: `rabta-bench [NAME] [--patients N] [--peer URL]
//! [--with hapi] [--json]`. `--peer` is a FHIR server beside ours in `hie`; `--with hapi` starts one.
//!
//! `rabta-bench crash [--rounds N] [--seed S]` kills the programs while they work, and looks whether anything was lost.
//!
//! `rabta-bench interop --base URL` tries the projection on a FHIR server of others.
//!
//! A figure over its bar is shown, not hidden: the run fails after all were taken.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod app;
mod call;
mod clinic;
mod crash;
mod figure;
mod first_sync;
mod hie;
mod interop;
mod laptop;
mod load;
mod patient;
mod plain;
mod recall;
mod register;
mod store;
mod ui;
mod waiting;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use figure::Figure;

const NAMES: [&str; 8] = ["ui", "app", "hie", "call", "patient", "store", "recall", "sync"];
/// How many patients the store is filled with where nobody says.
const PATIENTS: u32 = 100_000;

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|name| name == "interop") {
        return match interop::run(&args[1..]).await {
            Ok(fine) => ExitCode::from(u8::from(!fine)),
            Err(error) => {
                eprintln!("interop: {error:#}");
                ExitCode::FAILURE
            }
        };
    }
    if let Some(ended) = crash(&args).await {
        return ended;
    }
    if args.first().is_some_and(|name| name == "plain-visit") {
        return match plain::make() {
            Ok(text) => {
                print!("{text}");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("plain-visit: {error:#}");
                ExitCode::FAILURE
            }
        };
    }
    let Asked { names, json, patients, mut peer, with } = match Asked::read(&args) {
        Ok(asked) => asked,
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::from(2);
        }
    };
    let mut started = None;
    if let Some(name) = with {
        match start(&name).await {
            Ok(server) => peer = Some(started.insert(server).base.clone()),
            Err(error) => {
                eprintln!("{name}: {error:#}");
                return ExitCode::FAILURE;
            }
        }
    }
    let mut fine = true;
    let mut objects = Vec::new();
    for name in names {
        eprintln!("==> bench {name}");
        match take(&name, patients, peer.as_deref()).await {
            Ok(figures) => {
                print!("{}", figure::table(&name, &figures));
                objects.push(figure::json(&name, &figures));
                fine &= figures.iter().all(Figure::holds);
            }
            Err(error) => {
                eprintln!("{name}: {error:#}");
                fine = false;
            }
        }
    }
    if json {
        for object in objects {
            println!("{object}");
        }
    }
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The command line of the figures.
struct Asked {
    names: Vec<String>,
    json: bool,
    patients: u32,
    peer: Option<String>,
    with: Option<String>,
}

impl Asked {
    fn read(args: &[String]) -> Result<Self> {
        let mut asked = Self { names: Vec::new(), json: false, patients: PATIENTS, peer: None, with: None };
        let mut words = args.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--json" => asked.json = true,
                "--patients" => asked.patients = value()?.parse().context("--patients is a number")?,
                "--peer" => asked.peer = Some(value()?.trim_end_matches('/').to_owned()),
                "--with" => asked.with = Some(value()?.clone()),
                flag if flag.starts_with('-') => bail!("bench does not know {flag}"),
                name => asked.names.push(name.to_owned()),
            }
        }
        if asked.names.is_empty() {
            asked.names = NAMES.map(str::to_owned).to_vec();
        }
        Ok(asked)
    }
}

/// A peer of its own, stopped when it is dropped.
async fn start(name: &str) -> Result<interop::Peer> {
    interop::Peer::start(name, &rabta_tests::Run::kept("bench-peer")?).await
}

/// `crash` and its own parts.
async fn crash(args: &[String]) -> Option<ExitCode> {
    let number = |name: &str, otherwise: u64| {
        let at = args.iter().position(|arg| arg == name);
        at.and_then(|at| args.get(at + 1)?.parse().ok()).unwrap_or(otherwise)
    };
    let done = match args.first()?.as_str() {
        "crash" => crash::take(number("--rounds", 20) as u32, number("--seed", 1)).await,
        part @ ("crash-laptop" | "crash-drain") => crash::laptop(part == "crash-drain").await.map(|()| true),
        _ => return None,
    };
    if let Err(error) = &done {
        eprintln!("{}: {error:#}", args[0]);
    }
    Some(if done.is_ok_and(|ok| ok) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn take(name: &str, patients: u32, peer: Option<&str>) -> Result<Vec<Figure>> {
    match name {
        "ui" => ui::take(),
        "app" => app::take().await,
        "hie" => hie::take(peer).await,
        // Its last part.
        "load" => load::take(peer).await,
        "call" => call::take().await,
        "patient" => patient::take().await,
        // Its parts, which it starts itself.
        "patient-page" => patient::page().await,
        "patient-call" => patient::call().await,
        "store" => store::take(patients).await,
        "sync" => first_sync::take(patients).await,
        "sync-client" => first_sync::laptop(patients).await,
        "recall" => recall::take(patients).await,
        _ => bail!("there is no bench {name}; there are {}", NAMES.join(", ")),
    }
}

/// The single measurements, for those who look on.
fn say(line: &str) {
    eprintln!("    {line}");
}
