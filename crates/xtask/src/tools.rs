//! What is not Debian's, kept in the cache: wasm-bindgen (its version must equal the lock file's), wasm-opt (Debian's is
//! years old), pebble, a certificate authority for tests, and axe-core, with which tests look at pages as screen readers do.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{places::Places, shell, wasm::env_or};

const BINARYEN: &str = "132.0.0";
const AXE: &str = "4.14.1";
/// Tauri's command, whose bundler makes packages. In step with the crate `tauri`.
const TAURI_CLI: &str = "2.12.5";

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

/// Takes out of a program what nothing outside reaches.
pub fn wasm_metadce(places: &Places) -> Command {
    let mut command = Command::new("node");
    command.arg(binaryen(places).join("node_modules/binaryen/bin/wasm-metadce"));
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

fn tauri_cli_script(places: &Places) -> PathBuf {
    places.tools.join(format!("tauri-cli-{TAURI_CLI}")).join("node_modules/@tauri-apps/cli/tauri.js")
}

/// npm's package brings the program for this machine along.
pub fn tauri_cli(places: &Places) -> Command {
    let mut command = Command::new("node");
    command.arg(tauri_cli_script(places));
    command
}

pub fn tauri_cli_is_there(places: &Places) -> bool {
    tauri_cli_script(places).exists()
}

pub fn install_tauri_cli(places: &Places) -> Result<()> {
    install_npm(&places.tools.join(format!("tauri-cli-{TAURI_CLI}")), &format!("@tauri-apps/cli@{TAURI_CLI}"))
}

/// The crate that carries AppImage's runtime for x86-64, and that file's SHA-256.
const RUNTIME_CRATE: &str = "appimage";
const RUNTIME_VERSION: &str = "0.4.0";
const RUNTIME_SHA256: &str = "328e0d745c5c6817048c27bc3e8314871703f8f47ffa81a37cb06cd95a94b323";

/// What stands in front of an AppImage's files and opens them: `RABTA_APPIMAGE_RUNTIME` where it is set (AppImage/type2-runtime publishes
/// newer ones, which need no libfuse2), else the one in a crate, which cargo checks.
pub fn appimage_runtime(places: &Places) -> Result<PathBuf> {
    if let Some(own) = std::env::var_os("RABTA_APPIMAGE_RUNTIME") {
        return Ok(PathBuf::from(own));
    }
    let kept = places.tools.join(format!("{RUNTIME_CRATE}-{RUNTIME_VERSION}-runtime"));
    if !kept.exists() {
        let mut info = Command::new(env_or("CARGO", "cargo"));
        // It fetches the crate, whole, into cargo's own folder, and nothing that the crate depends on.
        info.args([
            "info",
            "--quiet",
            "--registry",
            "crates-io",
            &format!("{RUNTIME_CRATE}@{RUNTIME_VERSION}"),
        ]);
        shell::output(info.current_dir(&places.cache)).context("cargo cannot fetch the crate appimage")?;
        let registry = cargo_home().join("registry/src");
        let name = format!("{RUNTIME_CRATE}-{RUNTIME_VERSION}/assets/runtime-x86_64");
        let entries =
            std::fs::read_dir(&registry).with_context(|| format!("listing {}", registry.display()))?;
        let found = entries.flatten().map(|e| e.path().join(&name)).find(|file| file.exists());
        let found = found.with_context(|| format!("{name} is not in {}", registry.display()))?;
        shell::write_if_changed(&kept, &std::fs::read(found)?)?;
    }
    let sum = shell::output(Command::new("sha256sum").arg(&kept)).unwrap_or_default();
    if !sum.starts_with(RUNTIME_SHA256) {
        bail!("{} is not the runtime that is expected; delete it and start again", kept.display());
    }
    Ok(kept)
}

fn cargo_home() -> PathBuf {
    std::env::var_os("CARGO_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cargo"),
        PathBuf::from,
    )
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
