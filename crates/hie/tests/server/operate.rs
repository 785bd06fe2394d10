//! docs/OPERATE.md, played: the page's own commands, in their order.

use std::{fs, process::Command};

use anyhow::{Context, Result, ensure};
use rabta_tests::{Run, process, window::free_port};

/// The page's commands, with its three lines of places replaced.
fn commands(run: &Run, port: u16) -> Result<String> {
    let page = fs::read_to_string(rabta_tests::run::checkout().join("docs/OPERATE.md"))?;
    let mut script = String::new();
    let mut inside = false;
    for line in page.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            _ if inside => script = script + line + "\n",
            _ => {}
        }
    }
    let (data, backups) = (run.path("data"), run.path("backups"));
    let places = [
        ("DATA=", data.display().to_string()),
        ("BACKUPS=", backups.display().to_string()),
        ("ADDRESS=", format!("127.0.0.1:{port}")),
    ];
    for (name, place) in places {
        let line = script.lines().find(|l| l.starts_with(name)).with_context(|| format!("a line {name}"))?;
        script = script.replacen(&line.to_owned(), &format!("{name}'{place}'"), 1);
    }
    Ok(script)
}

#[test]
fn the_page_for_operators_is_right_from_the_first_clinic_to_the_way_back() -> Result<()> {
    let run = Run::of_test("operate")?;
    let port = free_port()?;
    let script = format!(
        "set -euo pipefail\ntrap 'kill ${{SERVER:-}} 2> /dev/null || true' EXIT\n{}\nrabta-hie facility list --data \"$DATA\"\n",
        commands(&run, port)?.replace("0.0.0.0:", "127.0.0.1:")
    );
    let program = process::built("rabta-hie")?;
    let folder = program.parent().context("its folder")?;
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let out = Command::new("timeout")
        .args(["120", "bash", "-c", &script])
        .env("PATH", path)
        .output()
        .context("starting a shell")?;
    let said = String::from_utf8_lossy(&out.stdout);
    ensure!(out.status.success(), "{said}\n{}", String::from_utf8_lossy(&out.stderr));
    ensure!(said.contains("read back whole"), "a backup was made:\n{said}");
    ensure!(said.contains("A new epoch begins"), "it was restored:\n{said}");
    ensure!(said.contains("every page of the database is whole"), "the doctor looked at it:\n{said}");
    ensure!(
        said.trim_end().ends_with("Nishtar Hospital"),
        "the restored server knows its facilities:\n{said}"
    );
    ensure!(!said.contains("BAD"), "nothing is bad at the end:\n{said}");
    Ok(())
}
