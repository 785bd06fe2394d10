//! Running other programs.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

/// Runs to the end, its output where ours goes but its standard output on our standard error, so that what a step
/// says never mixes with a result.
pub fn run(command: &mut Command) -> Result<()> {
    command.stdout(std::io::stderr());
    run_as_is(command)
}

/// Runs to the end unseen, its messages only where it fails: for what runs a hundred times.
pub fn run_quietly(command: &mut Command) -> Result<()> {
    let name = line(command);
    let out = command.stdin(Stdio::null()).output().with_context(|| format!("starting {name}"))?;
    if !out.status.success() {
        bail!("`{name}` ended with {}: {}", out.status, String::from_utf8_lossy(&out.stderr).trim());
    }
    Ok(())
}

/// Runs to the end with our own standard output.
pub fn run_as_is(command: &mut Command) -> Result<()> {
    let name = line(command);
    eprintln!("    $ {name}");
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("starting {name}"))?;
    if !status.success() {
        bail!("`{name}` ended with {status}");
    }
    Ok(())
}

/// The standard output of a command that succeeded; `None` where it failed or is not there.
pub fn output(command: &mut Command) -> Option<String> {
    let out = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

/// Whether it runs and succeeds, unseen.
pub fn succeeds(command: &mut Command) -> bool {
    output(command).is_some()
}

/// Where a program is, by PATH.
pub fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Writes only where it changes something, so that builds that watch the file stay fresh. Says whether it did.
pub fn write_if_changed(file: &Path, bytes: &[u8]) -> Result<bool> {
    match std::fs::read(file) {
        Ok(old) if old == bytes => return Ok(false),
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("reading {}", file.display()));
        }
        _ => {}
    }
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    std::fs::write(file, bytes).with_context(|| format!("writing {}", file.display()))?;
    Ok(true)
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|w| w.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
