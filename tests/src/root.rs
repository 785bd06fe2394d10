//! Another Debian system, to install packages in: layers that `cargo xtask bundle --check` made, and this test's changes over them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{Run, left_out, run};

/// The file or the layers that `cargo xtask` names in this variable; says that the test is left out where it does not.
pub fn given(variable: &str) -> Option<String> {
    let value = std::env::var(variable).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        left_out(&format!(
            "no {variable}; `cargo xtask bundle --check` as root makes packages and systems to try them in"
        ));
    }
    value
}

/// A system that a test may change.
pub struct Root {
    layers: String,
    changes: PathBuf,
    shared: PathBuf,
}

impl Root {
    /// `layers` as `packaging/in-root.sh` takes them. The folder of the run is seen inside under its own path.
    pub fn new(run: &Run, layers: String) -> Self {
        Self { layers, changes: run.path("root"), shared: run.folder().to_owned() }
    }

    /// The words that put a program into this system.
    pub fn words(&self) -> Vec<String> {
        let script = run::checkout().join("packaging/in-root.sh");
        [&script, Path::new(&self.layers), &self.changes, &self.shared]
            .map(|p| p.display().to_string())
            .to_vec()
    }

    /// A command in this system.
    pub fn command(&self, program: &str) -> Command {
        let words = self.words();
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .arg(program)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("LC_ALL", "C.UTF-8");
        command
    }

    /// Runs a line of shell in it; what it wrote to standard output.
    pub fn sh(&self, line: &str) -> Result<String> {
        said(self.command("sh").args(["-ec", line]), line)
    }

    /// Runs a line of shell beside a program that runs in it, with that one's mounts and sockets.
    pub fn beside(&self, pid: u32, line: &str) -> Result<String> {
        let mut enter = Command::new("nsenter");
        enter.args(["--target", &pid.to_string(), "--mount", "--root", "--wd=/", "sh", "-ec", line]);
        said(enter.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C.UTF-8"), line)
    }

    /// Installs a package with all that apt finds that it needs.
    pub fn install(&self, deb: &str) -> Result<()> {
        let file = self.shared.join(Path::new(deb).file_name().context("a package has a name")?);
        std::fs::copy(deb, &file).with_context(|| format!("copying {deb}"))?;
        self.sh(&format!("apt-get -q install -y --no-install-recommends '{}'", file.display())).map(drop)
    }

    /// Whether a file is there, whatever lies in the layers.
    pub fn has(&self, path: &str) -> bool {
        self.sh(&format!("test -e '{path}'")).is_ok()
    }
}

fn said(command: &mut Command, line: &str) -> Result<String> {
    let out = command.output().context("entering the system")?;
    let (said, error) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    ensure!(out.status.success(), "`{line}` ended with {}: {said}{error}", out.status);
    Ok(said.trim().to_owned())
}
