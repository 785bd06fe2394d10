//! The project's one command: `cargo xtask`. It installs what is missing, builds in the right order and runs what
//! measures and tortures. It is thin on purpose: it has to compile before anything is installed, so everything with
//! dependencies lives in crates that it builds.
//!
//! What it never does: it never asks anything, never writes outside the checkout's `target/` and `src-ui/dist/`, the
//! cache folder and (set-up alone) the system's packages.

// A program that talks to the person at the terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod build;
mod bundle;
mod exports;
mod fuzz;
mod lanes;
mod places;
mod programs;
mod setup;
mod shell;
mod step;
mod system;
mod test;
mod tools;
mod ui;
mod wasm;
mod windows;

use std::process::ExitCode;

use places::Places;

const USAGE: &str = "\
cargo xtask COMMAND

  setup [--check]      install what is missing; with --check only list it
  demo [--auto]        build, start the HIE with the sample clinic and open both apps;
                       --auto plays the main job by itself and writes report.html
  test [--fast]        every test; --fast leaves windows and browsers out
  bench [NAME] [--patients N] [--peer URL | --with hapi] [--json]
                       figures: ui, app, hie, call, patient, store, recall, sync; without NAME all;
                       a peer is a FHIR server beside ours in `hie`
  crash [--rounds N] [--seed S]
                       kills the app core and the server while they work; nothing may be lost
  sim [--seeds N] [--from S] [--break NAME] [--story]
                       sync tortured in worlds of its own, one a seed (docs/SIM.md)
  fuzz [--minutes N] [TARGET...]
                       libFuzzer on each parser of foreign bytes, N minutes in all (10)
  interop (--base URL [--token T] | --with hapi|sekmet|rabta)... [--json]
                       tries FHIR servers of others with our sync (docs/INTEROP.md); starts HAPI,
                       sekmet or our own server itself
  ui                   build only the user interface (into src-ui/dist)
  build [--release]    build everything
  bundle [deb|rpm|appimage|hie] [--release | --check]
                       packages, into the cache's packages/; --check installs them in fresh systems
                       and starts them (root)
  publish FOLDER --key FILE [--note LANG=TEXT]... [--release]
                       the packages with their signed list, for `rabta-hie serve --updates`
  check-windows        whether what is written for Windows compiles for it
  deny                 licences, bans and sources of all dependencies

Caches: $RABTA_CACHE, else ~/.cache/rabta
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let flag = |name: &str| args.iter().any(|a| a == name);
    let names: Vec<&String> = args.iter().skip(1).filter(|a| !a.starts_with('-')).collect();
    let places = match Places::find() {
        Ok(places) => places,
        Err(error) => return step::fail(&error),
    };
    let result = match args.first().map(String::as_str) {
        Some("setup") => setup::run(&places, flag("--check")),
        Some("demo") => return programs::demo(&places, flag("--auto")),
        Some("test") => test::run(&places, flag("--fast")),
        Some("bench") => programs::bench(&places, &args[1..]),
        Some("crash") => programs::crash(&places, &args[1..]),
        Some("fuzz") => fuzz::run(&places, &args[1..]),
        Some("interop") => programs::interop(&places, &args[1..]),
        Some("sim") => return programs::sim(&places, &args[1..]),
        Some("ui") => setup::run(&places, false).and_then(|()| ui::build(&places)),
        Some("build") => build::everything(&places, flag("--release")),
        Some("bundle") if flag("--check") => bundle::check(&places),
        Some("bundle") => {
            let names: Vec<&str> = names.iter().map(|n| n.as_str()).collect();
            bundle::run(&places, &names, flag("--release"))
        }
        Some("publish") => publish(&places, &args),
        Some("check-windows") => windows::check(&places),
        Some("deny") => test::deny(&places),
        Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            Ok(())
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => step::fail(&error),
    }
}

/// `publish FOLDER --key FILE [--note en=TEXT]... [--release]`
fn publish(places: &Places, args: &[String]) -> anyhow::Result<()> {
    let (mut folder, mut key, mut notes, mut release) = (None, None, Vec::new(), false);
    let mut words = args.iter().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| anyhow::anyhow!("{word} needs a value"));
        match word.as_str() {
            "--release" => release = true,
            "--key" => key = Some(value()?.clone()),
            "--note" => match value()?.split_once('=') {
                Some((lang, text)) => notes.push((lang.to_owned(), text.to_owned())),
                None => anyhow::bail!("a note is LANG=TEXT, such as en=\"Calls are clearer.\""),
            },
            other if folder.is_none() && !other.starts_with('-') => folder = Some(other.to_owned()),
            other => anyhow::bail!("publish does not know {other}"),
        }
    }
    let (Some(folder), Some(key)) = (folder, key) else {
        anyhow::bail!("publish needs a folder and --key with minisign's secret key");
    };
    bundle::publish(places, folder.as_ref(), key.as_ref(), &notes, release)
}
