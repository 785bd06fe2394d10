//! A screen: the person's own, or one of Xvfb's that nobody sees.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::process::Kept;

/// What the widest layout is drawn for.
pub const WIDE: (u32, u32) = (1366, 768);
/// A small telephone, and a narrow window.
pub const NARROW: (u32, u32) = (360, 740);

pub struct Display {
    name: String,
    _server: Option<Kept>,
}

impl Display {
    /// The display of whoever started this, if there is one.
    pub fn own() -> Option<Self> {
        let name = std::env::var("DISPLAY").ok().filter(|name| !name.is_empty())?;
        Some(Self { name, _server: None })
    }

    /// A new one in memory. It picks a free number itself, so any number of them can be started at once.
    pub fn hidden(log: &Path) -> Result<Self> {
        let log = std::fs::File::options().create(true).append(true).open(log)?;
        let mut xvfb = Command::new("Xvfb");
        xvfb.args(["-displayfd", "1", "-screen", "0", "1400x900x24", "-nolisten", "tcp", "-noreset"]);
        xvfb.stdout(Stdio::piped()).stderr(log);
        let mut server = Kept::start_as_is("Xvfb", &mut xvfb)?;
        let output = server.child().stdout.take().context("Xvfb's output was asked for")?;
        let mut number = String::new();
        BufReader::new(output).read_line(&mut number)?;
        match number.trim().parse::<u32>() {
            Ok(number) => Ok(Self { name: format!(":{number}"), _server: Some(server) }),
            Err(_) => bail!("Xvfb did not say its display's number"),
        }
    }

    /// For `DISPLAY`.
    pub fn name(&self) -> &str {
        &self.name
    }
}
