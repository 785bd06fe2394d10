//! The server's clock jumps: what was given out must neither live for ever nor be lost.

use rabta_hie::{
    admin::{Reply, Request, health},
    backup,
};
use rabta_wire::guest::{Knock, LinkSecret, MakeLink, open_hash, text, word_proof};
use serde_json::json;

use crate::support::{
    id,
    server::{Server, said},
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
