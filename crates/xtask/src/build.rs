//! The host's build. Always the whole workspace with one set of features (the window's own tests run on the host,
//! too), so that nothing that one command built is built again by another.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{places::Places, setup, shell, step::step, tools, ui, wasm::env_or};

const HINT: &str =
    "read the compiler's message above; if a library is missing, `cargo xtask setup --check` says which";

/// Everything that is built for the host, in dependency order.
pub fn everything(places: &Places, release: bool) -> Result<()> {
    setup::run(places, false)?;
    ui::build(places)?;
    host(places, release)
}

pub fn host(places: &Places, release: bool) -> Result<()> {
    step("build the programs", HINT, || {
        let mut cargo = cargo(places, "build");
        cargo.arg("--bins");
        if release {
            cargo.args(["--release", "--examples"]);
        }
        shell::run(&mut cargo)
    })
}

/// One program alone, with the features of the whole: for what needs no window.
pub fn one(places: &Places, name: &str) -> Result<()> {
    step("build the program", HINT, || shell::run(cargo(places, "build").args(["--bin", name])))
}

/// What another checkout built in the same cache is not taken for this one's: cargo goes by the files' times alone, and
/// an older checkout's sources would look as if they had been built. All sources count as new where the last build was
/// of another checkout.
pub fn of_this_checkout(places: &Places) -> Result<()> {
    let note = places.cache.join("built-from");
    let own = places.root.display().to_string();
    match std::fs::read_to_string(&note) {
        Ok(last) if last == own => return Ok(()),
        Ok(_) => {
            for top in ["crates", "src-tauri", "src-ui", "src-page", "tests"] {
                touch_sources(&places.root.join(top))?;
            }
        }
        Err(_) => std::fs::create_dir_all(&places.cache)?,
    }
    Ok(std::fs::write(note, own)?)
}

fn touch_sources(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            touch_sources(&path)?;
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let file = std::fs::File::options().append(true).open(&path);
            file.and_then(|file| file.set_modified(std::time::SystemTime::now()))
                .with_context(|| format!("marking {} as new", path.display()))?;
        }
    }
    Ok(())
}

/// `cargo COMMAND` over all that runs on the host.
pub fn cargo(places: &Places, command: &str) -> Command {
    let mut cargo = Command::new(env_or("CARGO", "cargo"));
    cargo
        .arg(command)
        .arg("--workspace")
        .current_dir(&places.root)
        .env("CARGO_TARGET_DIR", &places.target)
        .env("RABTA_RUN", &places.run)
        .env("RABTA_AXE", tools::axe(places))
        .env("CARGO_TERM_COLOR", "never");
    without_own_variables(&mut cargo);
    cargo
}

/// Without what cargo tells this program of itself: some crates build anew whenever that differs.
pub fn without_own_variables(cargo: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars() {
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "OUT_DIR" {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// A program that the build made.
pub fn program(places: &Places, release: bool, name: &str) -> PathBuf {
    let folder = places.target.join(if release { "release" } else { "debug" });
    folder.join(if cfg!(windows) { format!("{name}.exe") } else { name.to_owned() })
}
