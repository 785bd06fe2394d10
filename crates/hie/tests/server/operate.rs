//! docs/OPERATE.md, played: the page's own commands, in their order, and in their midst a laptop that joins with the code
//! that one of them printed.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rabta_wire::{code::EnrollmentCode, enroll::Enrolled};

use crate::support::{
    Member,
    server::{Server, client},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_rabta-hie");
/// Printed by the script where it waits for a line.
const JOIN_NOW: &str = "join now";

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The page's commands, with its three lines of places replaced; after a block that makes codes the script waits.
fn commands(temp: &Path, port: u16) -> String {
    let page = std::fs::read_to_string(checkout().join("docs/OPERATE.md")).unwrap();
    let (mut script, mut block, mut inside) = (String::new(), String::new(), false);
    for line in page.lines() {
        match line {
            "```sh" => inside = true,
            "```" if inside => {
                inside = false;
                let waits = block.contains("rabta-hie enroll");
                script = script + &block + if waits { "echo 'join now'; read -r _\n" } else { "" };
                block.clear();
            }
            _ if inside => block = block + line + "\n",
            _ => {}
        }
    }
    let places = [
        ("DATA=", temp.join("data").display().to_string()),
        ("BACKUPS=", temp.join("backups").display().to_string()),
        ("ADDRESS=", format!("127.0.0.1:{port}")),
    ];
    for (name, place) in places {
        let line = script.lines().find(|l| l.starts_with(name)).unwrap_or_else(|| panic!("a line {name}"));
        script = script.replacen(&line.to_owned(), &format!("{name}'{place}'"), 1);
    }
    script.replace("0.0.0.0:", "127.0.0.1:")
}

async fn join(code: &EnrollmentCode) -> Member {
    let (ask, mut member) = Server::enrollment(code);
    let url = format!("https://{}/v1/enroll", code.address);
    let enrolled: Enrolled = client().post(url).json(&ask).send().await.unwrap().json().await.unwrap();
    assert_eq!(enrolled.invitation.facility.kind, "clinic");
    (member.device, member.person) = (enrolled.device, enrolled.invitation.person.id);
    member
}

/// Whether the server at `address` gives this laptop a token.
async fn is_known(address: &str, member: &Member) -> bool {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let assertion = Server::assertion(member, i64::try_from(now).unwrap());
    let body = format!(
        "grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={assertion}"
    );
    let url = format!("https://{address}/v1/token");
    let request = client().post(url).header("content-type", "application/x-www-form-urlencoded");
    request.body(body).send().await.unwrap().status() == 200
}

#[tokio::test]
async fn the_page_for_operators_is_right_from_the_first_clinic_to_the_way_back() {
    let temp = tempfile::tempdir().unwrap();
    let port = free_port();
    let script = format!(
        "set -euo pipefail\ntrap 'kill ${{SERVER:-}} 2> /dev/null || true' EXIT\n{}\nrabta-hie facility list --data \"$DATA\"\n\
         echo 'join now'; read -r _\n",
        commands(temp.path(), port)
    );
    let folder = Path::new(PROGRAM).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let log = temp.path().join("log");
    let mut shell = Command::new("bash")
        .args(["-c", &script])
        .env("PATH", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut go_on = shell.stdin.take().unwrap();
    let (mut said, mut laptop) = (String::new(), None);
    for line in BufReader::new(shell.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        said = said + &line + "\n";
        if line != JOIN_NOW {
            continue;
        }
        match &laptop {
            None => {
                // The clinic's code is the first.
                let code = said.lines().find_map(|line| EnrollmentCode::parse(line).ok()).expect("a code");
                assert_eq!(code.address, format!("127.0.0.1:{port}"));
                let joined = join(&code).await;
                assert!(is_known(&code.address, &joined).await);
                laptop = Some((code.address, joined));
            }
            // The restored server is the one that this laptop joined.
            Some((address, joined)) => assert!(is_known(address, joined).await),
        }
        go_on.write_all(b"\n").unwrap();
    }
    let ended = shell.wait().unwrap();
    assert!(ended.success(), "{said}\n{}", std::fs::read_to_string(&log).unwrap());
    assert_eq!(said.matches(JOIN_NOW).count(), 2, "{said}");
    assert!(said.contains("read back whole"), "a backup was made:\n{said}");
    assert!(said.contains("A new epoch begins"), "it was restored:\n{said}");
    assert!(said.contains("every page of the database is whole"), "the doctor looked at it:\n{said}");
    assert!(said.contains("hospital  Nishtar Hospital\njoin now"), "it knows its facilities:\n{said}");
    assert!(!said.contains("BAD"), "nothing is bad at the end:\n{said}");
}

/// With a program that is there in the place of ours, systemd finds nothing wrong with the units, and little exposed.
#[test]
fn the_units_are_right_and_hardened() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        eprintln!("LEFT OUT: there is no systemd-analyze");
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let mut units = Vec::new();
    for entry in std::fs::read_dir(checkout().join("packaging")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "service" || e == "timer") {
            let unit = std::fs::read_to_string(&path).unwrap().replace("/usr/local/bin/rabta-hie", PROGRAM);
            let copy = temp.path().join(path.file_name().unwrap());
            std::fs::write(&copy, unit).unwrap();
            units.push(copy);
        }
    }
    assert_eq!(units.len(), 3, "{units:?}");
    let out = Command::new("systemd-analyze").arg("verify").args(&units).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && !said.contains("rabta-hie"), "{said}");
    for unit in units.iter().filter(|u| u.extension().is_some_and(|e| e == "service")) {
        // From 0 to 100: at most 3.0 of 10.
        let out = Command::new("systemd-analyze")
            .args(["security", "--offline=yes", "--threshold=30"])
            .arg(unit)
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    }
}
