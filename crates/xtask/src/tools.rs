//! What is not Debian's, kept in the cache: wasm-bindgen (its version must equal the lock file's), wasm-opt (Debian's is
//! years old), pebble, a certificate authority for tests, and axe-core, with which tests look at pages as screen readers do.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::{places::Places, shell, wasm::env_or};

const BINARYEN: &str = "132.0.0";
const AXE: &str = "4.14.1";

pub fn wasm_bindgen(places: &Places) -> PathBuf {
    places.tools.join("bin").join(exe("wasm-bindgen"))
}

/// Whether the version that is there is the lock file's.
pub fn wasm_bindgen_is_right(places: &Places) -> Result<bool> {
    let wanted = places.locked("wasm-bindgen")?;
    let there = shell::output(Command::new(wasm_bindgen(places)).arg("--version"));
    Ok(there.is_some_and(|text| text == format!("wasm-bindgen {wanted}")))
}

/// With its own lock file; without it where that names a version that the registry does not serve (any more).
pub fn install_wasm_bindgen(places: &Places) -> Result<()> {
    let version = places.locked("wasm-bindgen")?;
    let install = |locked: bool| {
        let mut cargo = Command::new(env_or("CARGO", "cargo"));
        cargo.args(["install", "--force", "--quiet", "wasm-bindgen-cli", "--version", &version]);
        if locked {
            cargo.arg("--locked");
        }
        cargo
            .arg("--root")
            .arg(&places.tools)
            // Away from the checkout: its lock file and settings are not this tool's.
            .current_dir(&places.cache)
            .env("CARGO_TARGET_DIR", places.cache.join("tools-target"))
            .env("CARGO_TERM_COLOR", "never");
        shell::run(&mut cargo)
    };
    install(true).or_else(|_| install(false))
}

fn binaryen(places: &Places) -> PathBuf {
    places.tools.join(format!("binaryen-{BINARYEN}"))
}

/// npm's wasm-opt is a script for node.
pub fn wasm_opt(places: &Places) -> Command {
    let mut command = Command::new("node");
    command.arg(binaryen(places).join("node_modules/binaryen/bin/wasm-opt"));
    command
}

pub fn wasm_opt_is_there(places: &Places) -> bool {
    binaryen(places).join("node_modules/binaryen/bin/wasm-opt").exists()
        && shell::output(wasm_opt(places).arg("--version"))
            .is_some_and(|text| text.starts_with("wasm-opt version"))
}

pub fn install_binaryen(places: &Places) -> Result<()> {
    install_npm(&binaryen(places), &format!("binaryen@{BINARYEN}"))
}

fn axe_folder(places: &Places) -> PathBuf {
    places.tools.join(format!("axe-core-{AXE}"))
}

/// The script that a test runs in a page; tests find it by `RABTA_AXE`.
pub fn axe(places: &Places) -> PathBuf {
    axe_folder(places).join("node_modules/axe-core/axe.min.js")
}

pub fn install_axe(places: &Places) -> Result<()> {
    install_npm(&axe_folder(places), &format!("axe-core@{AXE}"))
}

fn install_npm(folder: &Path, package: &str) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.args(["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"])
        .arg(folder)
        .arg(package)
        .current_dir(folder);
    shell::run(&mut npm)
}

/// Let's Encrypt's small authority for tests (RFC 8555). The newest version that Debian 12's Go 1.19 builds.
const PEBBLE: &str = "v2.4.0";

pub fn pebble(places: &Places) -> PathBuf {
    places.tools.join(format!("pebble-{PEBBLE}")).join(exe("pebble"))
}

/// From the Go module proxy. `-checklinkname=0` is for Go 1.23 and later, whose linker refuses what a library of that time
/// does, and which an older one does not know.
pub fn install_pebble(places: &Places) -> Result<()> {
    let install = |link: Option<&str>| {
        let mut go = Command::new(exe("go"));
        go.args(["install", "-modcacherw"]);
        go.args(link.map(|flags| format!("-ldflags={flags}")));
        go.arg(format!("github.com/letsencrypt/pebble/v2/cmd/pebble@{PEBBLE}"))
            .current_dir(&places.cache)
            .env("GOBIN", pebble(places).parent().unwrap_or(&places.tools))
            .env("GOPATH", places.cache.join("go"))
            .env("GOCACHE", places.cache.join("go/build"))
            .env("GOFLAGS", "-mod=mod");
        shell::run(&mut go)
    };
    install(None).or_else(|_| install(Some("-checklinkname=0")))
}

pub fn go_is_there() -> bool {
    shell::which(&exe("go")).is_some()
}

/// What of node and npm is not there.
pub fn missing_node() -> Vec<&'static str> {
    [("node", "nodejs"), ("npm", "npm")]
        .into_iter()
        .filter(|(program, _)| shell::which(&exe(program)).is_none())
        .map(|(_, package)| package)
        .collect()
}

fn exe(name: &str) -> String {
    match (cfg!(windows), Path::new(name).extension()) {
        (true, None) if name == "npm" => "npm.cmd".to_owned(),
        (true, None) => format!("{name}.exe"),
        _ => name.to_owned(),
    }
}
