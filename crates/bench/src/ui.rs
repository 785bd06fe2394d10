//! How much the user interface weighs on a thin link: each file by brotli's best, as a server would send it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use rabta_tests::run::checkout;

use crate::figure::Figure;

/// What the first screen needs, besides fonts (which show later, in place of the system's).
const FIRST_SCREEN: &[&str] =
    &["index.html", "paint.js", "rabta.css", "mark.svg", "start-gate.js", "gate.js", "gate_bg.wasm"];

pub fn take() -> Result<Vec<Figure>> {
    let dist = checkout().join("src-ui/dist");
    ensure!(dist.join("gate_bg.wasm").exists(), "src-ui/dist is not built; run `cargo xtask ui`");
    let mut first = 0;
    let mut whole = 0;
    let mut fonts = 0;
    for file in files(&dist)? {
        let name = file.strip_prefix(&dist)?.to_string_lossy().into_owned();
        if name.ends_with(".woff2") {
            fonts += fs::metadata(&file)?.len();
            continue;
        }
        let size = brotli(&file)?;
        whole += size;
        if FIRST_SCREEN.contains(&name.as_str()) {
            first += size;
        }
    }
    let kb = |bytes: u64| bytes as f64 / 1000.0;
    Ok(vec![
        Figure::new("first_screen_brotli", kb(first), "kB", 250.0),
        Figure::new("whole_brotli", kb(whole), "kB", 600.0),
        Figure::new("fonts_woff2", kb(fonts), "kB", 400.0),
    ])
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

fn brotli(file: &Path) -> Result<u64> {
    let mut command = Command::new("brotli");
    let out =
        command.args(["--stdout", "--quality=11", "--lgwin=24"]).arg(file).stderr(Stdio::inherit()).output();
    let out = out.context("brotli does not run; `cargo xtask setup` installs it")?;
    ensure!(out.status.success(), "brotli failed on {}", file.display());
    Ok(out.stdout.len() as u64)
}
