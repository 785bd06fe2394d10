//! The server's clock jumps: what was given out must neither live for ever nor be lost.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

use rabta_hie::{
    admin::{Reply, Request, health},
    backup,
};
use rabta_wire::{
    code::EnrollmentCode,
    enroll::Enrolled,
    guest::{Knock, LinkSecret, MakeLink, open_hash, text, word_proof},
};
use serde_json::{Value, json};

use super::life::command;
use crate::{
    left_out::left_out,
    support::{
        Member, id,
        server::{Server, client, said},
    },
};

const DAY: i64 = 24 * 3_600;

async fn open(server: &Server, secret: &LinkSecret) -> u16 {
    let open = secret.open_key();
    let word = Some(text(&word_proof(&open, "mango")));
    let knock = Knock { open: text(&open), word, device: None, moves: false };
    let page = server.handle.app.page().unwrap();
    let url = page.replace("localhost", "127.0.0.1").replace("/p/", "/v1/p/open");
    said(server.http.post(url).json(&knock)).await.0
}

async fn state(server: &Server, name: &str) -> health::State {
    match server.admin_in(Request::Health { deep: false }).await {
        Reply::Health { findings, .. } => findings.into_iter().find(|f| f.name == name).unwrap().state,
        _ => panic!("no findings"),
    }
}

#[tokio::test]
async fn a_day_back_and_years_ahead_tokens_and_links_behave() {
    let server = Server::with_door().await;
    let clinic = server.facility("A", "clinic").await;
    let (doctor, _) = server.join(clinic, "doctor").await;
    let token = server.token(&doctor).await;
    let operator = server.operator(clinic).await;
    let secret = LinkSecret::from_random([1; 16]);
    let link = MakeLink {
        guest: id(),
        open: text(&open_hash(&secret.open_key())),
        word: text(&word_proof(&secret.open_key(), "mango")),
        expires_at: server.now() + 3_600_000,
        contact: None,
    };
    let made = server.http.post(server.url("/v1/links")).bearer_auth(&token).json(&link);
    assert_eq!(said(made).await.0, 201);
    let asks = async |token: &str| said(server.get(token, "/fhir/Patient")).await.0;
    assert_eq!((asks(&token).await, asks(&operator).await, open(&server, &secret).await), (200, 200, 200));
    assert_eq!(state(&server, "set").await, health::State::Good);

    // A token of ten minutes does not become one of a day and ten minutes; the laptop simply gets another.
    server.advance(-DAY);
    assert_eq!((asks(&token).await, asks(&operator).await), (401, 401));
    assert_eq!(state(&server, "set").await, health::State::Look);
    let another = server.token(&doctor).await;
    assert_eq!((asks(&another).await, open(&server, &secret).await), (200, 200), "the patient may wait on");
    assert_eq!(asks(&server.operator(clinic).await).await, 200);

    server.advance(10 * 365 * DAY);
    assert_eq!((asks(&another).await, open(&server, &secret).await), (401, 410));
    let future = server.token(&doctor).await;
    assert_eq!(asks(&future).await, 200);

    // Right again: nothing of the future is left, and nothing was lost by it.
    server.advance(-9 * 365 * DAY - 364 * DAY);
    assert_eq!((asks(&future).await, open(&server, &secret).await), (401, 200));
    assert_eq!(asks(&server.token(&doctor).await).await, 200);
}

#[tokio::test]
async fn the_newest_backup_is_the_one_that_was_made_last_whatever_the_clock_said() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("backups");
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let token = server.operator(clinic).await;
    let make = async |keep| {
        let made = backup::make(&server.handle.app.db, &folder, keep, server.now()).await;
        made.unwrap()
    };
    server.advance(5 * 365 * DAY);
    make(30).await;
    server.advance(-5 * 365 * DAY);
    let patient = json!({"resourceType": "Patient", "name": [{"text": "Zohra"}]});
    assert_eq!(said(server.post(&token, "/fhir/Patient", patient)).await.0, 201);
    assert_eq!(state(&server, "backup").await, health::State::Look, "it was made in the future");
    make(30).await;
    server.advance(-DAY);
    let last = make(2).await;
    assert_eq!(last.removed, 1, "the first, though its name is the latest");
    let (data, key) = (temp.path().join("restored"), temp.path().join("restored.key"));
    std::fs::copy(server.folder().with_extension("key"), &key).unwrap();
    let restored = backup::restore(&folder, None, &data, &key).await.unwrap();
    assert_eq!(restored.manifest, last.file);
    assert_eq!(state(&server, "backup").await, health::State::Good);
}

/// The program, by a clock that goes as the file `offset` says: `+0`, `-86400`, seconds from the machine's own. Its address.
fn by_that_clock(folder: &Path, offset: &Path) -> Option<(Child, String)> {
    // Where the library is, says its own wrapper.
    let out = Command::new("faketime").args(["-m", "-f", "+0", "env"]).output().ok()?;
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    let library = said.lines().find_map(|line| line.strip_prefix("LD_PRELOAD="))?.to_owned();
    let mut child = Command::new(env!("CARGO_BIN_EXE_rabta-hie"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder)
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", offset)
        .env("FAKETIME_NO_CACHE", "1")
        // What waits goes on waiting, as it does when a real machine's clock is set.
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("DONT_FAKE_MONOTONIC", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    Some((child, format!("https://{}", said["listening"].as_str().unwrap())))
}

/// A token for an assertion that was made at `at` (seconds since 1970).
async fn token(url: &str, member: &Member, at: i64) -> Option<String> {
    let assertion = Server::assertion(member, at);
    let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    let body =
        format!("grant_type=client_credentials&client_assertion_type={kind}&client_assertion={assertion}");
    let request = client()
        .post(format!("{url}/v1/token"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    answer["access_token"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn the_program_itself_goes_on_while_its_machines_clock_jumps() {
    let temp = tempfile::tempdir().unwrap();
    let (folder, clock) = (temp.path().join("hie"), temp.path().join("clock"));
    let set = |seconds: i64| std::fs::write(&clock, format!("{seconds:+}")).unwrap();
    set(0);
    let Some((mut child, url)) = by_that_clock(&folder, &clock) else {
        return left_out("there is no faketime (apt install faketime)");
    };
    let now = || i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let add = |name: &str| {
        let args = ["facility", "add", "--kind", "clinic", "--name", name];
        assert!(command(&folder, &args).0, "{name}");
    };
    add("before");
    let args = ["enroll", "--facility", "before", "--name", "Dr Amna", "--role", "doctor", "--json"];
    let made: Value = serde_json::from_str(&command(&folder, &args).1).unwrap();
    let code = EnrollmentCode::parse(made["code"]["code"].as_str().unwrap()).unwrap();
    let (ask, mut doctor) = Server::enrollment(&code);
    let joined: Enrolled =
        client().post(format!("{url}/v1/enroll")).json(&ask).send().await.unwrap().json().await.unwrap();
    (doctor.device, doctor.person) = (joined.device, joined.invitation.person.id);
    let reads = async |token: &str| {
        let request = client().get(format!("{url}/fhir/Patient")).bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    };
    // It fails where somebody should act, and there is no backup: its words are read wherever it put them.
    let looked = || -> String {
        let mut doctor = Command::new(env!("CARGO_BIN_EXE_rabta-hie"));
        let out = doctor.arg("doctor").arg("--data").arg(&folder).output().unwrap();
        let said = [out.stdout, out.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        let line = said.lines().find(|line| line.contains("the clock went"));
        line.unwrap_or_else(|| panic!("{said}")).to_owned()
    };
    let first = token(&url, &doctor, now()).await.expect("a token");
    assert_eq!(reads(&first).await, 200);
    assert!(looked().contains("went evenly"), "{}", looked());

    // A day back, ten years ahead, and right again: each time what was given out before opens nothing, the laptop gets
    // another token, the doctor says what happened, and what is written is there.
    let mut before = first;
    for (name, offset, seen) in
        [("back", -DAY, "back by "), ("ahead", 3_650 * DAY, "forward by "), ("right", 0, "went evenly")]
    {
        set(offset);
        assert_eq!(reads(&before).await, 401, "{name}");
        before = token(&url, &doctor, now() + offset).await.expect("another token");
        assert_eq!(reads(&before).await, 200, "{name}");
        let said = looked();
        let (_, rest) = said.split_once(seen).unwrap_or_else(|| panic!("{name}: {said}"));
        if offset != 0 {
            // The program asks its two clocks one after the other, and a busy machine takes its time between.
            let minutes: i64 = rest.split(' ').next().unwrap().parse().unwrap();
            assert!(minutes.abs_diff(offset.abs() / 60) <= 5, "{name}: {said}");
        }
        add(name);
    }
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success() && child.wait().unwrap().success());
    let (_, all) = command(&folder, &["facility", "list"]);
    assert!(["before", "back", "ahead", "right"].iter().all(|name| all.contains(name)), "{all}");
}
