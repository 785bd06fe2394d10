//! The operator's commands on the real program.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

use rabta_wire::{Id, code::EnrollmentCode, enroll::Enrolled};
use serde_json::Value;

use super::life::{command, program};
use crate::{
    left_out::left_out,
    support::server::{Server, client, said},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_rabta-hie");

fn stop(mut child: std::process::Child) {
    let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    child.wait().unwrap();
}

/// What a command printed as JSON.
fn json(folder: &Path, args: &[&str]) -> Value {
    let (ok, out) = command(folder, &[args, &["--json"]].concat());
    assert!(ok, "{args:?}");
    serde_json::from_str(&out).unwrap()
}

/// Why a command did nothing.
fn refused(folder: &Path, args: &[&str]) -> String {
    let out = Command::new(PROGRAM).args(args).arg("--data").arg(folder).output().unwrap();
    assert!(!out.status.success(), "{args:?}");
    String::from_utf8(out.stderr).unwrap()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} of {value}"))
}

/// A person who joined: their id and their device's.
async fn join(folder: &Path, facility: &str) -> (String, Id) {
    let made = json(folder, &["enroll", "--facility", facility, "--name", "Dr Amina", "--role", "doctor"]);
    let code = EnrollmentCode::parse(text(&made, "/code/code")).unwrap();
    let (ask, _) = Server::enrollment(&code);
    let url = format!("https://{}/v1/enroll", code.address);
    let answer = client().post(url).json(&ask).send().await.unwrap();
    let enrolled: Enrolled = answer.json().await.unwrap();
    (text(&made, "/code/person").to_owned(), enrolled.device)
}

#[tokio::test]
async fn facilities_persons_and_devices_are_listed_and_revoked() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("hie");
    let (child, _) = program(&folder);
    for name in ["A", "B"] {
        assert!(command(&folder, &["facility", "add", "--name", name]).0);
    }
    let (person, device) = join(&folder, "A").await;
    let (_, second) = join(&folder, "B").await;
    let device = device.to_string();

    let listed = |what: &str| command(&folder, &[what, "list"]).1;
    assert!(listed("facility").contains("clinic  A") && listed("facility").contains("clinic  B"));
    assert!(listed("person").contains(&person) && listed("person").contains("doctor  Dr Amina"));
    let line = |id: &str| listed("device").lines().find(|l| l.starts_with(id)).unwrap().to_owned();
    assert!(line(&device).contains("A  a laptop  Dr Amina  never sent anything"), "{}", line(&device));
    assert!(!line(&device).contains("REVOKED"));

    assert!(command(&folder, &["device", "revoke", "--device", &device]).0);
    assert!(line(&device).contains("REVOKED") && !line(&second.to_string()).contains("REVOKED"));
    let again = refused(&folder, &["device", "revoke", "--device", &device]);
    assert!(again.contains("no such device, or it is revoked already"), "{again}");
    assert!(command(&folder, &["person", "revoke", "--person", &person]).0);
    assert!(refused(&folder, &["person", "revoke", "--person", &person]).contains("no such person"));
    assert!(command(&folder, &["facility", "revoke", "--facility", "B"]).0);
    assert!(line(&second.to_string()).contains("REVOKED"));
    assert!(refused(&folder, &["facility", "revoke", "--facility", "C"]).contains("no facility"));
    let unknown = "00000000-0000-4000-8000-000000000000";
    assert!(refused(&folder, &["person", "revoke", "--person", unknown]).contains("no such person"));
    assert!(refused(&folder, &["device", "revoke", "--device", "a laptop"]).contains("invalid value"));

    // And the same while no server runs.
    stop(child);
    assert!(line(&device).contains("REVOKED"));
    assert!(command(&folder, &["facility", "list"]).1.contains("clinic  B"));
}

fn findings(folder: &Path) -> (bool, Vec<Value>) {
    let out = Command::new(PROGRAM).args(["doctor", "--json", "--data"]).arg(folder).output().unwrap();
    (out.status.success(), serde_json::from_slice(&out.stdout).unwrap())
}

fn finding(folder: &Path, name: &str) -> (String, String, String) {
    let (_, all) = findings(folder);
    let found = all.iter().find(|f| f["name"] == name).unwrap_or_else(|| panic!("{name} in {all:?}"));
    let todo = found["todo"].as_str().unwrap_or_default().to_owned();
    (text(found, "/state").to_owned(), text(found, "/seen").to_owned(), todo)
}

/// Serves with a certificate for phones that ends in `days` and a relay.
fn serve(folder: &Path, temp: &Path, days: i64) -> std::process::Child {
    let mut params = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap();
    let (now, day) = (SystemTime::now(), Duration::from_secs(24 * 3_600));
    params.not_before = (now - 90 * day).into();
    let end = if days < 0 { now - day * days.unsigned_abs() as u32 } else { now + day * days as u32 };
    params.not_after = (end + day / 2).into();
    let key = rcgen::KeyPair::generate().unwrap();
    let (cert, secret) = (temp.join("cert.pem"), temp.join("key.pem"));
    std::fs::write(&cert, params.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(&secret, key.serialize_pem()).unwrap();
    let child = Command::new(PROGRAM)
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--relay-listen",
            "127.0.0.1:0",
            "--relay-allow",
            "127.0.0.1",
        ])
        .args(["--patient-listen", "127.0.0.1:0", "--tls-cert"])
        .arg(cert)
        .arg("--tls-key")
        .arg(secret)
        .arg("--data")
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert!(command(folder, &["ready"]).0);
    child
}

#[test]
fn the_doctor_looks_at_the_certificate_the_ports_the_clock_the_disk_and_the_backup() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("hie");
    let child = serve(&folder, temp.path(), 60);
    let (state, _, todo) = finding(&folder, "backup");
    assert!(state == "bad" && todo.contains("rabta-hie backup"), "its own keys are in no backup yet");
    let to = temp.path().join("backups");
    assert!(command(&folder, &["backup", "--to", to.to_str().unwrap()]).0);
    let (_, all) = findings(&folder);
    for name in
        ["server", "phones", "relay", "cert", "clock", "set", "backup", "refused", "forks", "key", "folder"]
    {
        assert_eq!(finding(&folder, name).0, "good", "{name}: {:?}", finding(&folder, name));
    }
    assert!(all.iter().any(|f| f["name"] == "disk"));
    assert!(finding(&folder, "cert").1.contains("60 more days"));
    stop(child);
    let (fine, _) = findings(&folder);
    assert!(!fine, "a server that does not run is for today");
    assert!(finding(&folder, "server").2.contains("start it"));

    let child = serve(&folder, temp.path(), 14);
    assert_eq!(finding(&folder, "cert").0, "look");
    stop(child);
    let child = serve(&folder, temp.path(), -2);
    let (state, seen, todo) = finding(&folder, "cert");
    assert!(state == "bad" && seen.contains("ended 1 days ago") && todo.contains("certbot renew"), "{seen}");
    assert!(!findings(&folder).0);
    stop(child);
}

#[test]
fn a_certificate_that_cannot_be_had_is_told_before_the_server_starts() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("hie");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--patient-listen", "127.0.0.1:0"];
    for (words, why) in [
        (["--acme-domain", "192.0.2.1"].as_slice(), "is not a host name"),
        (&["--acme-domain", "*.example.org"], "is not a host name"),
        (&["--acme-domain", "care.example", "--acme-contact", "operator"], "mailto:"),
        (&["--acme-domain", "care.example", "--acme-directory", "http://acme.example/"], "https://"),
        (&["--acme-domain", "care.example", "--tls-cert", "a", "--tls-key", "b"], "cannot be used with"),
        (&["--acme-contact", "mailto:a@example.org"], "--acme-domain"),
        (&["--tls-cert", "/nowhere.pem", "--tls-key", "/nowhere.pem"], "/nowhere.pem"),
    ] {
        let said = refused(&folder, &[&serve, words].concat());
        assert!(said.contains(why), "{words:?}: {said}");
    }
}

#[test]
fn a_backup_that_is_killed_in_the_middle_harms_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let (folder, backups) = (temp.path().join("hie"), temp.path().join("backups"));
    assert!(command(&folder, &["facility", "add", "--name", "A"]).0);
    let to = backups.to_str().unwrap();
    let mut child = Command::new(PROGRAM)
        .args(["backup", "--to", to, "--data"])
        .arg(&folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // As soon as the first piece is there, or its beginning.
    let begun =
        || std::fs::read_dir(backups.join("pieces")).is_ok_and(|mut shelves| shelves.next().is_some());
    while !begun() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    let _ = child.kill();
    child.wait().unwrap();

    assert!(command(&folder, &["facility", "add", "--name", "B"]).0, "the database is as it was");
    let (ok, said) = command(&folder, &["backup", "--to", to]);
    assert!(ok && said.contains("read back whole"), "{said}");
    let restored = temp.path().join("restored");
    std::fs::copy(folder.with_extension("key"), restored.with_extension("key")).unwrap();
    let (ok, said) = command(&restored, &["restore", "--from", to]);
    assert!(ok && said.contains("A new epoch begins"), "{said}");
    assert!(command(&restored, &["facility", "list"]).1.contains("clinic  B"));
}

#[test]
fn another_hie_s_backup_and_a_torn_one_are_refused_and_nothing_is_left_behind() {
    let temp = tempfile::tempdir().unwrap();
    let (ours, theirs) = (temp.path().join("ours"), temp.path().join("theirs"));
    let backups = temp.path().join("backups");
    for hie in [&ours, &theirs] {
        assert!(command(hie, &["facility", "add", "--name", "A"]).0);
    }
    let to = backups.to_str().unwrap();
    assert!(command(&theirs, &["backup", "--to", to]).0);
    let into_it = refused(&ours, &["backup", "--to", to]);
    assert!(into_it.contains("another HIE's backups"), "{into_it}");
    let over_it = refused(&ours, &["restore", "--from", to]);
    assert!(over_it.contains("nothing is overwritten"), "{over_it}");

    // With our key from the safe.
    let fresh = temp.path().join("fresh");
    std::fs::copy(ours.with_extension("key"), fresh.with_extension("key")).unwrap();
    let strange = refused(&fresh, &["restore", "--from", to]);
    assert!(strange.contains("the key file is not the one of this backup"), "{strange}");
    assert!(!fresh.join("hie.db").exists() && !fresh.join("hie.db.restoring").exists());

    // Theirs, with their key, but the manifest was cut while it was copied to another disk.
    std::fs::copy(theirs.with_extension("key"), fresh.with_extension("key")).unwrap();
    let manifest = std::fs::read_dir(&backups).unwrap().map(|e| e.unwrap().path());
    let manifest = manifest.into_iter().find(|p| p.extension().is_some_and(|e| e == "json")).unwrap();
    let whole = std::fs::read(&manifest).unwrap();
    std::fs::write(&manifest, &whole[..whole.len() / 2]).unwrap();
    let torn = refused(&fresh, &["restore", "--from", to]);
    assert!(torn.contains("is not a backup's manifest"), "{torn}");
    std::fs::write(&manifest, &whole).unwrap();
    assert!(command(&fresh, &["restore", "--from", to]).0);
}

#[cfg(unix)]
#[test]
fn another_user_of_the_machine_is_no_operator() {
    use std::os::unix::{fs::PermissionsExt, process::CommandExt};
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("hie");
    let (child, _) = program(&folder);
    // Where everybody may run it: only the data are somebody's.
    let everybody = temp.path().join("rabta-hie");
    std::fs::copy(PROGRAM, &everybody).unwrap();
    std::fs::set_permissions(temp.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let nobody = |args: &[&str]| loop {
        let mut command = Command::new(&everybody);
        command.args(args).arg("--data").arg(&folder).env("HOME", "/").uid(65_534).gid(65_534);
        match command.output() {
            // What another test starts at this moment still holds the copy open, as it was when it was written.
            Err(e) if e.kind() == std::io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            tried => break tried,
        }
    };
    match nobody(&["facility", "list"]) {
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
            left_out("only root can be another user for a moment");
        }
        tried => {
            assert!(!tried.unwrap().status.success());
            for args in [["token", "--operator", "--facility", "A"].as_slice(), &["key", "rotate"]] {
                let out = nobody(args).unwrap();
                assert!(!out.status.success() && out.stdout.is_empty(), "{args:?}");
            }
            // Of what is inside it learns nothing.
            let out = nobody(&["doctor", "--json"]).unwrap();
            assert!(!out.status.success());
            let found = String::from_utf8(out.stdout).unwrap();
            assert!(!found.contains(r#""name":"backup""#) && !found.contains(r#""name":"clock""#), "{found}");
        }
    }
    assert!(command(&folder, &["facility", "add", "--name", "A"]).0, "the operator goes on");
    stop(child);
}

#[cfg(unix)]
#[test]
fn root_leaves_nothing_of_its_own_in_the_server_s_folder() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("hie");
    assert!(command(&folder, &["facility", "add", "--name", "A"]).0);
    if std::os::unix::fs::chown(&folder, Some(65_534), None).is_err() {
        left_out("only root can give a folder away");
        return;
    }
    let files = || {
        let mut all: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
        all.sort();
        all
    };
    let before = files();
    for args in
        [["facility", "list"].as_slice(), &["serve", "--listen", "127.0.0.1:0"], &["restore", "--from", "/"]]
    {
        let said = refused(&folder, args);
        assert!(said.contains("sudo -u '#65534' rabta-hie"), "{said}");
    }
    assert_eq!(files(), before);
}

#[tokio::test]
async fn an_operator_s_token_is_for_records_only() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let token = server.operator(clinic).await;
    for path in ["/v1/links", "/v1/changes"] {
        let (status, outcome) = said(server.get(&token, path)).await;
        assert_eq!(status, 403, "{path}: {outcome}");
    }
    let (doctor, _) = server.join(clinic, "doctor").await;
    let token = server.token(&doctor).await;
    for path in ["/v1/admin", "/v1/facilities", "/v1/devices"] {
        assert_eq!(said(server.get(&token, path)).await.0, 404, "no administration over the network");
    }
}
