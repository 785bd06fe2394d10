//! `cargo xtask check-windows`: whether the programs would build for Windows, as far as a Linux machine can tell. The target's standard library comes by
//! rustup, the C compiler and linker are Debian's MinGW-w64. Nothing that it makes is run.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{
    build,
    places::Places,
    shell,
    step::{nothing_to_do, step},
    system::{self, System},
    wasm::env_or,
};

pub const TARGET: &str = "x86_64-pc-windows-gnu";
const PACKAGES: &[&str] = &["gcc-mingw-w64-x86-64", "g++-mingw-w64-x86-64", "nasm"];

/// What is written to build there, each checked by itself. The engine is not: its media are GStreamer's, which Debian has for Linux only, and so
/// neither are the app core and the shell, which hold it.
const CRATES: &[&str] = &[
    "rabta-domain",
    "rabta-ipc",
    "rabta-wire",
    "rabta-search",
    "rabta-call",
    "rabta-sys",
    "rabta-store",
    "rabta-sync",
    "rabta-print",
    "rabta-relay",
];

pub fn check(places: &Places) -> Result<()> {
    if system::detect() == System::Debian {
        let missing = system::missing(PACKAGES);
        if missing.is_empty() {
            nothing_to_do("MinGW-w64", "there");
        } else {
            step("install MinGW-w64", "read what apt says above", || system::install(&missing))?;
        }
    }
    if !has_target() {
        step("fetch Rust's library for Windows", "rustup has to reach its server", || {
            let mut add = Command::new("timeout");
            shell::run(add.args(["--kill-after=5", "180", "rustup", "target", "add", TARGET]))?;
            if has_target() { Ok(()) } else { bail!("the toolchain in use has no {TARGET}") }
        })?;
    }
    let mut failed = Vec::new();
    for name in CRATES {
        let checked = step(&format!("check {name} for Windows"), "read the compiler's message above", || {
            let mut cargo = Command::new(env_or("CARGO", "cargo"));
            cargo.args(["check", "--quiet", "--target", TARGET, "--package", name]).current_dir(&places.root);
            // A folder of its own: features differ from those of the whole workspace.
            cargo.env("CARGO_TARGET_DIR", places.cache.join("windows"));
            shell::run(build::without_own_variables(&mut cargo))
        });
        if checked.is_err() {
            failed.push(*name);
        }
    }
    for name in CRATES {
        println!("{}  {name}", if failed.contains(name) { "FAILED" } else { "ok    " });
    }
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("{} of {} do not build for Windows", failed.len(), CRATES.len())
    }
}

fn has_target() -> bool {
    let sysroot = shell::output(Command::new(env_or("RUSTC", "rustc")).args(["--print", "sysroot"]));
    sysroot
        .context("no rustc")
        .is_ok_and(|root| std::path::Path::new(&root).join("lib/rustlib").join(TARGET).join("lib").exists())
}
