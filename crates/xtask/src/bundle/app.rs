//! The app's .deb and .rpm, by Tauri's bundler: prebuilt from npm, so that nobody compiles it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::{Stage, depends};
use crate::{places::Places, shell, step::step, tools};

/// GStreamer's plugins are opened by name, so no linker knows of them: Opus and the converters, VP8, cameras and
/// PulseAudio, echo cancellation.
const PLUGINS: &[&str] =
    &["gstreamer1.0-plugins-base", "gstreamer1.0-plugins-good", "gstreamer1.0-plugins-bad"];
/// The app runs without them.
const RECOMMENDS: &[&str] = &["gnome-keyring | kwalletmanager", "fonts-noto-core", "xdg-utils"];
/// What other distributions call the plugins: Fedora's names.
const RPM_PLUGINS: &[&str] =
    &["gstreamer1-plugins-base", "gstreamer1-plugins-good", "gstreamer1-plugins-bad-free"];

pub fn deb(places: &Places, stage: &Stage) -> Result<PathBuf> {
    step("make the app's .deb", "read what the bundler says above", || {
        let mut needs = depends(stage, &stage.program("rabta"))?;
        needs.extend(PLUGINS.iter().map(|p| (*p).to_owned()));
        let config =
            json!({ "bundle": { "linux": { "deb": { "depends": needs, "recommends": RECOMMENDS } } } });
        bundler(places, stage, "deb", &config)
    })
}

pub fn rpm(places: &Places, stage: &Stage) -> Result<PathBuf> {
    step("make the app's .rpm", "read what the bundler says above", || {
        let mut needs = sonames(&stage.program("rabta"))?;
        needs.extend(RPM_PLUGINS.iter().map(|p| (*p).to_owned()));
        let config = json!({ "bundle": { "linux": { "rpm": { "depends": needs } } } });
        bundler(places, stage, "rpm", &config)
    })
}

/// Runs Tauri's bundler on the stage's program; the package, moved to the finished ones.
fn bundler(places: &Places, stage: &Stage, kind: &str, config: &Value) -> Result<PathBuf> {
    if !tools::tauri_cli_is_there(places) {
        tools::install_tauri_cli(places)?;
    }
    let made = stage.folder.join(stage.profile).join("bundle").join(kind);
    if made.exists() {
        fs::remove_dir_all(&made)?;
    }
    let mut tauri = tools::tauri_cli(places);
    // The program is the one that was tested: nothing is written into it.
    tauri.args(["bundle", "--ci", "--no-sign", "--no-binary-patching", "--bundles", kind]);
    if stage.profile == "debug" {
        tauri.arg("--debug");
    }
    tauri.arg("--config").arg(config.to_string());
    tauri.current_dir(&places.root).env("CARGO_TARGET_DIR", &stage.folder);
    shell::run(&mut tauri)?;
    let package = only_file(&made, kind)?;
    let file = stage.out.join(package.file_name().context("a package has a name")?);
    fs::copy(&package, &file)?;
    Ok(file)
}

/// The one file of this ending in a folder.
fn only_file(folder: &Path, ending: &str) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))?;
    let of_kind = |path: &PathBuf| path.is_file() && path.extension().is_some_and(|e| e == ending);
    let mut files: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(of_kind).collect();
    match (files.pop(), files.is_empty()) {
        (Some(file), true) => Ok(file),
        (None, _) => bail!("the bundler made no .{ending} in {}", folder.display()),
        _ => bail!("more than one .{ending} in {}", folder.display()),
    }
}

/// The libraries that a program names, as RPM's dependency generator writes them: `libgtk-3.so.0()(64bit)`.
fn sonames(program: &Path) -> Result<Vec<String>> {
    let said = shell::output(Command::new("objdump").arg("-p").arg(program))
        .with_context(|| format!("objdump does not read {}", program.display()))?;
    let needed = said.lines().filter_map(|line| line.trim().strip_prefix("NEEDED"));
    // The loader has another name on each architecture, and comes with libc.
    let libraries = needed.map(str::trim).filter(|name| !name.starts_with("ld-linux"));
    let list: Vec<String> = libraries.map(|name| format!("{name}()(64bit)")).collect();
    if list.is_empty() {
        bail!("{} names no library", program.display());
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_programs_libraries_are_named_as_rpm_does() {
        let own = std::env::current_exe().expect("this program is a file");
        if shell::which("objdump").is_none() {
            eprintln!("left out: there is no objdump");
            return;
        }
        let names = sonames(&own).expect("this program is linked");
        assert!(names.contains(&"libc.so.6()(64bit)".to_owned()), "{names:?}");
        assert!(sonames(Path::new("/nonexistent")).is_err());
    }
}
