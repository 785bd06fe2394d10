//! Backups of a running server, and the way back.

use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rabta_hie::{
    Config,
    admin::{Reply, Request, health},
    backup::{self, BackupError, Made, RestoreError},
    serve,
};
use rabta_wire::Id;
use serde_json::json;

use crate::support::server::{Server, said};

async fn backed_up(server: &Server, folder: &Path) -> Made {
    let request = Request::Backup { folder: folder.to_owned(), keep: 30 };
    match server.admin(request).await {
        Reply::Backup(made) => made,
        _ => panic!("not a backup"),
    }
}

async fn patient(server: &Server, token: &str, name: &str) -> String {
    let made = json!({"resourceType": "Patient", "name": [{"text": name}]});
    let (status, made) = said(server.post(token, "/fhir/Patient", made)).await;
    assert_eq!(status, 201);
    format!("/fhir/Patient/{}", made["id"].as_str().unwrap())
}

/// Where a restore goes, with the key of the server that was saved.
fn new_home(temp: &Path, of: &Server, name: &str) -> (PathBuf, PathBuf) {
    let (data, key) = (temp.join(name), temp.join(format!("{name}.key")));
    std::fs::copy(of.folder().with_extension("key"), &key).unwrap();
    (data, key)
}

#[tokio::test]
async fn a_restored_server_has_what_was_saved_and_begins_a_new_epoch() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("backups");
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let token = server.operator(clinic).await;
    let before = patient(&server, &token, "Zohra").await;
    let made = backed_up(&server, &folder).await;
    let after = patient(&server, &token, "Amina").await;
    let (epoch, pin) = (server.handle.app.db.settings.epoch, server.handle.spki_sha256);

    let (data, key) = new_home(temp.path(), &server, "restored");
    let restored = backup::restore(&folder, None, &data, &key).await.unwrap();
    assert_ne!(restored.epoch, epoch);
    assert_eq!(restored.seq, made.seq);
    let mut config = Config::new(&data);
    config.listen = "127.0.0.1:0".parse().unwrap();
    config.clock = server.handle.app.clock.clone();
    let second = serve(config).await.unwrap();
    assert_eq!(second.spki_sha256, pin, "laptops know it again");
    let at = |path: &str| format!("https://{}{path}", second.addr);
    let get = |path: &str| server.http.get(at(path)).bearer_auth(&token);
    assert_eq!(said(get(&before)).await.0, 200);
    assert_eq!(said(get(&after)).await.0, 404);
    let told = get(&before).send().await.unwrap();
    assert_eq!(told.headers()["rabta-epoch"], restored.epoch.to_string());
    second.shutdown().await;
    assert!(matches!(backup::restore(&folder, None, &data, &key).await, Err(RestoreError::NotEmpty(_))));
}

#[tokio::test]
async fn numbers_that_were_given_after_the_backup_are_not_given_again() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("backups");
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let block = async |server: &Server, clinic: Id| {
        let block = server.join(clinic, "doctor").await.1.mr_block.unwrap();
        (block.prefix, block.first, block.last)
    };
    let (prefix, first, last) = block(&server, clinic).await;
    assert_eq!((first, last), (1, 10_000));
    let made = backed_up(&server, &folder).await;
    // Laptops join, and a clinic comes to be, of which the backup knows nothing; they go on printing their numbers.
    for n in 1..=5 {
        assert_eq!(block(&server, clinic).await, (prefix.clone(), n * 10_000 + 1, (n + 1) * 10_000));
    }
    let lost = server.facility("B", "clinic").await;
    let lost_prefix = block(&server, lost).await.0;

    let (data, _) = new_home(temp.path(), &server, "restored");
    backup::restore(&folder, None, &data, &data.with_extension("key")).await.unwrap();
    let restored = Server::at(&data).await;
    assert_eq!(block(&restored, clinic).await, (prefix.clone(), 60_001, 70_000));
    // That it was restored, and from what, is written down in it.
    let Reply::OperatorActs(acts) = restored.admin(Request::OperatorActs { since: None }).await else {
        panic!()
    };
    let told: Vec<&str> = acts.iter().filter(|a| a.act == "restore").map(|a| a.what[0].as_str()).collect();
    assert_eq!(told, [made.file.file_name().unwrap().to_str().unwrap()]);
    let again = restored.facility("B", "clinic").await;
    let new_prefix = block(&restored, again).await.0;
    assert!(new_prefix != lost_prefix && new_prefix != prefix, "{new_prefix}");

    // A clinic that has nearly all of its numbers keeps some for laptops to come.
    let request = Request::ReserveMr {
        facility: clinic.to_string(),
        first: 70_001,
        last: 970_000,
        purpose: "printed".into(),
    };
    restored.admin(request).await;
    backed_up(&restored, &temp.path().join("later")).await;
    let (data, _) = new_home(temp.path(), &server, "third");
    backup::restore(&temp.path().join("later"), None, &data, &data.with_extension("key")).await.unwrap();
    let third = Server::at(&data).await;
    assert_eq!(block(&third, clinic).await.1, 980_001);
}

#[tokio::test]
async fn a_second_backup_adds_only_what_changed_and_old_ones_are_removed() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("backups");
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let token = server.operator(clinic).await;
    // Some megabytes, so that there are pieces which do not change.
    for _ in 0..12 {
        let mut picture = vec![0; 200_000];
        getrandom::fill(&mut picture).unwrap();
        let data = STANDARD.encode(picture);
        let binary = json!({"resourceType": "Binary", "contentType": "image/jpeg", "data": data});
        assert_eq!(said(server.post(&token, "/fhir/Binary", binary)).await.0, 201);
    }
    let first = backed_up(&server, &folder).await;
    assert_eq!(first.new_pieces, first.pieces);
    server.advance(60);
    patient(&server, &token, "Zohra").await;
    let second = backed_up(&server, &folder).await;
    assert!(second.new_pieces * 2 < second.pieces, "{} of {}", second.new_pieces, second.pieces);
    server.advance(60);
    let third = backup::make(&server.handle.app.db, &folder, 1, server.now()).await.unwrap();
    assert_eq!((third.removed, third.new_pieces > 0), (2, true));
    assert!(!first.file.exists() && third.file.exists());
    let (data, key) = new_home(temp.path(), &server, "restored");
    backup::restore(&folder, None, &data, &key).await.unwrap();
}

#[tokio::test]
async fn what_was_cut_changed_or_is_of_another_hie_is_not_restored() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("backups");
    let server = Server::start().await;
    server.facility("A", "clinic").await;
    let made = backed_up(&server, &folder).await;
    let (data, key) = new_home(temp.path(), &server, "restored");

    // A stranger neither adds to it nor opens it.
    let other = Server::start().await;
    let stranger = backup::make(&other.handle.app.db, &folder, 30, other.now()).await;
    assert!(matches!(stranger, Err(BackupError::Stranger)));
    let wrong = other.folder().with_extension("key");
    let refused = backup::restore(&folder, None, &data, &wrong).await;
    assert!(matches!(refused, Err(RestoreError::WrongKey)), "{refused:?}");

    // One byte of the manifest.
    let whole = std::fs::read_to_string(&made.file).unwrap();
    std::fs::write(&made.file, whole.replacen(&format!("\\\"seq\\\":{}", made.seq), "\\\"seq\\\":99", 1))
        .unwrap();
    let refused = backup::restore(&folder, None, &data, &key).await;
    assert!(matches!(refused, Err(RestoreError::Manifest(_))), "{refused:?}");
    std::fs::write(&made.file, &whole).unwrap();

    // A piece that is half there, as after a cut.
    let shelf = std::fs::read_dir(folder.join("pieces")).unwrap().next().unwrap().unwrap().path();
    let piece = std::fs::read_dir(shelf).unwrap().next().unwrap().unwrap().path();
    let bytes = std::fs::read(&piece).unwrap();
    std::fs::write(&piece, &bytes[..bytes.len() / 2]).unwrap();
    let refused = backup::restore(&folder, None, &data, &key).await;
    assert!(matches!(refused, Err(RestoreError::Piece(_))), "{refused:?}");
    assert!(!data.join("hie.db").exists() && !data.join("hie.db.restoring").exists());

    // The next backup mends it.
    server.advance(60);
    backed_up(&server, &folder).await;
    backup::restore(&folder, None, &data, &key).await.unwrap();

    let inside = backup::make(&server.handle.app.db, &server.folder().join("b"), 30, server.now()).await;
    assert!(matches!(inside, Err(BackupError::Inside)));
}

#[tokio::test]
async fn the_doctor_says_what_is_missing_and_when_it_is_mended() {
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let token = server.operator(clinic).await;
    patient(&server, &token, "Zohra").await;
    let look = async |name: &str| match server.admin(Request::Health { deep: true }).await {
        Reply::Health { findings, .. } => findings.into_iter().find(|f| f.name == name).unwrap(),
        _ => panic!("no findings"),
    };
    let found = look("backup").await;
    assert!(found.state == health::State::Bad && found.todo.is_some(), "{found:?}");
    backed_up(&server, &temp.path().join("backups")).await;
    assert_eq!(look("backup").await.state, health::State::Good);
    assert_eq!(look("pages").await.state, health::State::Good);
    patient(&server, &token, "Amina").await;
    server.advance(30 * 3600);
    assert_eq!(look("backup").await.state, health::State::Look);
    server.advance(60 * 3600);
    assert_eq!(look("backup").await.state, health::State::Bad);

    let files = health::of_files(server.folder(), &server.folder().with_extension("key"));
    let key = files.iter().find(|f| f.name == "key").unwrap();
    assert_eq!(key.state, health::State::Good);
}
