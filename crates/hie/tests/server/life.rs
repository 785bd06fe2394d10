use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use rabta_hie::{
    Config, ServeError,
    db::{Db, LockError, OpenError},
    serve,
};
use serde_json::{Value, json};

use crate::support::{
    NOON,
    server::{Server, client, said},
};

fn config(folder: &Path) -> Config {
    let mut config = Config::new(folder);
    config.listen = "127.0.0.1:0".parse().unwrap();
    config
}

#[tokio::test]
async fn a_restart_keeps_everything() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let pin = server.handle.spki_sha256;
    let token = server.operator(clinic).await;
    let (_, made) = said(server.post(
        &token,
        "/fhir/Patient",
        json!({"resourceType": "Patient", "name": [{"text": "Zohra"}]}),
    ))
    .await;
    let path = format!("/fhir/Patient/{}", made["id"].as_str().unwrap());
    let server = server.restart().await;
    assert_eq!(server.handle.spki_sha256, pin);
    assert_eq!(said(server.get(&token, &path)).await, (200, made));
}

#[tokio::test]
async fn the_certificate_shows_the_key_whose_hash_is_in_the_code() {
    use sha2::{Digest, Sha256};
    let server = Server::start().await;
    let answer = client_with_info().get(server.url("/healthz")).send().await.unwrap();
    let tls = answer.extensions().get::<reqwest::tls::TlsInfo>().unwrap();
    let (_, cert) = x509_parser::parse_x509_certificate(tls.peer_certificate().unwrap()).unwrap();
    let shown: [u8; 32] = Sha256::digest(cert.public_key().raw).into();
    assert_eq!(shown, server.handle.spki_sha256);
}

fn client_with_info() -> reqwest::Client {
    client();
    reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .tls_info(true)
        .no_proxy()
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("hie");
    let first = serve(config(&folder)).await.unwrap();
    assert!(matches!(serve(config(&folder)).await, Err(ServeError::Lock(LockError::Taken))));
    first.shutdown().await;
    serve(config(&folder)).await.unwrap().shutdown().await;
}

#[tokio::test]
async fn plain_http_is_for_loopback_only() {
    let temp = tempfile::tempdir().unwrap();
    let mut outside = config(&temp.path().join("hie"));
    outside.listen = "0.0.0.0:0".parse().unwrap();
    outside.plain_http_loopback = true;
    assert!(matches!(serve(outside.clone()).await, Err(ServeError::PlainOutside)));
    assert!(!outside.data.exists(), "nothing was made");
}

#[tokio::test]
async fn a_wrong_or_missing_key_and_a_newer_database_are_told_and_change_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let (folder, key) = (temp.path().join("hie"), temp.path().join("hie.key"));
    let db = Db::open(&folder, &key, NOON).await.unwrap();
    let mut tx = db.write().await.unwrap();
    sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (99991231000000, 'later', 1, x'00', 0)")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    db.close().await;
    let bytes = std::fs::read(folder.join("hie.db")).unwrap();
    assert!(!bytes.starts_with(b"SQLite format 3"), "the file is encrypted");

    assert!(matches!(Db::open(&folder, &key, NOON).await, Err(OpenError::Newer)));
    assert!(matches!(Db::open(&folder, &temp.path().join("none"), NOON).await, Err(OpenError::Key(_))));
    let other = temp.path().join("other.key");
    std::fs::write(&other, "ab".repeat(32)).unwrap();
    assert!(matches!(Db::open(&folder, &other, NOON).await, Err(OpenError::WrongKey)));
    assert_eq!(std::fs::read(folder.join("hie.db")).unwrap(), bytes);
}

/// The program itself, started on `folder`, and the line that it printed.
pub fn program(folder: &Path) -> (std::process::Child, Value) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rabta-hie"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

pub fn command(folder: &Path, args: &[&str]) -> (bool, String) {
    let out =
        Command::new(env!("CARGO_BIN_EXE_rabta-hie")).args(args).arg("--data").arg(folder).output().unwrap();
    (out.status.success(), String::from_utf8(out.stdout).unwrap())
}

#[tokio::test]
async fn sigterm_drains_checkpoints_and_ends_with_success() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("hie");
    let (mut child, said) = program(&folder);
    let url = format!("https://{}", said["listening"].as_str().unwrap());
    // A connection that stays open does not hold it up.
    let http = client();
    assert_eq!(http.get(format!("{url}/readyz")).send().await.unwrap().text().await.unwrap(), "ready\n");
    assert!(
        http.get(format!("{url}/metrics"))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains("rabta_http_requests_total")
    );
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!folder.join("hie.db-wal").exists(), "the log was checkpointed and removed");
    assert!(!folder.join("admin.sock").exists());
}

#[tokio::test]
async fn operators_commands_work_with_and_without_a_running_server() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("hie");
    assert!(command(&folder, &["facility", "add", "--name", "A"]).0);
    let (mut child, said) = program(&folder);
    let (ok, out) =
        command(&folder, &["enroll", "--facility", "A", "--name", "Dr. Amina", "--role", "doctor"]);
    assert!(ok);
    let code = rabta_wire::code::EnrollmentCode::parse(out.lines().last().unwrap()).unwrap();
    assert_eq!(code.address, said["listening"].as_str().unwrap());
    let (ok, token) = command(&folder, &["token", "--operator", "--facility", "A"]);
    assert!(ok);
    let url = format!("https://{}/fhir/Patient", code.address);
    assert_eq!(client().get(url).bearer_auth(token.trim()).send().await.unwrap().status(), 200);
    assert!(!command(&folder, &["enroll", "--facility", "B", "--name", "x", "--role", "doctor"]).0);
    assert!(!command(&folder, &["enroll", "--facility", "A", "--name", "x", "--role", "king"]).0);
    let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    child.wait().unwrap();
    let (ok, out) = command(&folder, &["person", "list", "--json"]);
    assert!(ok && out.contains("Dr. Amina"));
}

#[tokio::test]
async fn the_log_has_routes_and_no_patient() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("hie");
    command(&folder, &["facility", "add", "--name", "A"]);
    let (child, said) = program(&folder);
    let url = format!("https://{}/fhir/Patient", said["listening"].as_str().unwrap());
    let (_, token) = command(&folder, &["token", "--operator", "--facility", "A"]);
    let http = client();
    let body = json!({"resourceType": "Patient", "name": [{"text": "Zohra Bibi"}], "identifier": [{"value": "35202-1234567-1"}]});
    let made = http
        .post(&url)
        .bearer_auth(token.trim())
        .header("content-type", "application/fhir+json")
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    let made: Value = made.json().await.unwrap();
    let id = made["id"].as_str().unwrap();
    http.get(format!("{url}/{id}")).bearer_auth(token.trim()).send().await.unwrap();
    http.get(format!("{url}?name=Zohra")).bearer_auth(token.trim()).send().await.unwrap();
    let bad = body.to_string().replace("Zohra", "Zohra\\u0000");
    http.post(&url)
        .bearer_auth(token.trim())
        .header("content-type", "application/fhir+json")
        .body(bad)
        .send()
        .await
        .unwrap();
    let metrics = http
        .get(format!("https://{}/metrics", said["listening"].as_str().unwrap()))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    let out = child.wait_with_output().unwrap();
    let log = String::from_utf8(out.stderr).unwrap() + &metrics;
    assert!(log.contains("/fhir/{type}/{id}"));
    // Not a few digits of a number: the log has ports and times, and the metrics long fractions.
    for secret in ["Zohra", "35202-1234567", "352021234567", id, token.trim()] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
