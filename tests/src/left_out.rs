//! A test that cannot run on this machine says so where it is read: what a passing test prints is shown to nobody, so the line
//! also goes into the run's folder, from where `cargo xtask test` prints it at its end. Other packages' tests include this file.

use std::{fs::OpenOptions, io::Write as _};

/// Says that the test on whose thread this is called was left out, and `why`.
#[allow(dead_code, clippy::print_stderr)]
pub fn left_out(why: &str) {
    let thread = std::thread::current();
    let line = format!("left out: {}: {why}\n", thread.name().unwrap_or("a test"));
    eprint!("{line}");
    let Some(run) = std::env::var_os("RABTA_RUN") else { return };
    let run = std::path::Path::new(&run);
    let open = || {
        std::fs::create_dir_all(run)?;
        // One write of one line: tests of several programs append at the same time.
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(run.join("left-out.txt"))?
            .write_all(line.as_bytes())
    };
    if let Err(error) = open() {
        eprintln!("this could not be noted: {error}");
    }
}
