//! Installs what is missing, and only that. Rerunnable: with everything there it takes a second.

use anyhow::{Result, bail};

use crate::{
    build,
    places::Places,
    step::{nothing_to_do, step},
    system::{self, System},
    tools, wasm,
};

const NETWORK: &str = "check the network (and a proxy's environment variables), then start the same command again: it goes on where it stopped";

pub fn run(places: &Places, check: bool) -> Result<()> {
    if check {
        return list(places);
    }
    std::fs::create_dir_all(&places.cache)?;
    build::of_this_checkout(places)?;
    match system::detect() {
        System::Debian => {
            let mut missing = system::missing(system::PACKAGES);
            missing.extend(tools::missing_node());
            if missing.is_empty() {
                nothing_to_do("system packages", "all there");
            } else {
                step(
                    &format!("install {} system packages", missing.len()),
                    "run the line above by hand and read what apt says; then start this again",
                    || system::install(&missing),
                )?;
            }
        }
        System::Told(name, line) => {
            eprintln!(
                "==> {name}: set-up installs system packages on Debian 12 only. Here, once, by hand:\n    {line}"
            );
        }
    }
    if wasm::way().is_some() {
        nothing_to_do("WebAssembly target", "there");
    } else {
        step("install the WebAssembly target", NETWORK, wasm::install)?;
    }
    if wasm::wants_sources(places) {
        step("fetch the standard library's sources", NETWORK, || {
            wasm::add_sources();
            Ok(())
        })?;
    }
    if tools::wasm_bindgen_is_right(places)? {
        nothing_to_do("wasm-bindgen", "there, in the lock file's version");
    } else {
        step("build wasm-bindgen (about 3 minutes)", NETWORK, || tools::install_wasm_bindgen(places))?;
    }
    if tools::wasm_opt_is_there(places) {
        nothing_to_do("wasm-opt", "there");
    } else {
        step("fetch wasm-opt from npm", NETWORK, || tools::install_binaryen(places))?;
    }
    if tools::axe(places).exists() {
        nothing_to_do("axe-core", "there");
    } else {
        step("fetch axe-core from npm", NETWORK, || tools::install_axe(places))?;
    }
    Ok(())
}

/// Only lists. Fails where something is missing.
fn list(places: &Places) -> Result<()> {
    let mut absent = 0;
    let mut say = |what: &str, there: bool, how: &str| {
        if there {
            println!("there    {what}");
        } else {
            absent += 1;
            println!("MISSING  {what}  ({how})");
        }
    };
    match system::detect() {
        System::Debian => {
            let missing = system::missing(system::PACKAGES);
            for package in system::PACKAGES {
                say(package, !missing.contains(package), "apt");
            }
            let node = tools::missing_node();
            for package in ["nodejs", "npm"] {
                say(package, !node.contains(&package), "apt");
            }
        }
        System::Told(name, line) => println!("{name}: to be installed by hand, not checked: {line}"),
    }
    say(wasm::TARGET, wasm::way().is_some(), "rustup, else Debian's rustc-web, cargo-web, rust-web-src, lld");
    say("wasm-bindgen", tools::wasm_bindgen_is_right(places)?, "cargo install, into the cache");
    say("wasm-opt", tools::wasm_opt_is_there(places), "npm's binaryen, into the cache");
    say("axe-core", tools::axe(places).exists(), "npm, into the cache");
    if absent > 0 {
        bail!("{absent} missing; `cargo xtask setup` installs them");
    }
    Ok(())
}
