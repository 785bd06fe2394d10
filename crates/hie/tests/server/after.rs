//! What a doctor leaves for the patient after a call.

use rabta_wire::{
    Id,
    guest::{AFTER_KEPT, AfterPart, FetchAfter, LinkAct, NOTE_BYTES, PAPER_BYTES, TRIES},
};
use serde_json::{Value, json};

use super::links::{Link, WORD, act, clinic, door, join, knock};
use crate::support::{
    id,
    server::{Server, code},
};

const PAPER: &[u8] = b"%PDF-1.7 a prescription";

fn note() -> Vec<u8> {
    json!({"next_step": "Drink a lot", "doctor": "a doctor", "date": "2026-11-22"}).to_string().into_bytes()
}

/// Status, and the OperationOutcome if there is one.
async fn put(server: &Server, token: &str, link: &Link, part: AfterPart, sealed: Vec<u8>) -> (u16, Value) {
    let end = if part == AfterPart::Paper { "/paper" } else { "" };
    let request =
        server.http.put(server.url(&format!("/v1/links/{}/after{end}", link.guest))).bearer_auth(token);
    let answer =
        request.header("content-type", "application/octet-stream").body(sealed).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
}

async fn leave(server: &Server, token: &str, link: &Link) {
    for (part, plain) in [(AfterPart::Note, note()), (AfterPart::Paper, PAPER.to_vec())] {
        let sealed = link.secret.seal_after(part, [3; 12], &plain);
        assert_eq!(put(server, token, link, part, sealed).await.0, 204);
    }
}

async fn delete(server: &Server, token: &str, link: &Link) -> u16 {
    let request = server.http.delete(server.url(&format!("/v1/links/{}/after", link.guest)));
    request.bearer_auth(token).send().await.unwrap().status().as_u16()
}

/// Status and bytes.
async fn fetch(server: &Server, link: &Link, word: &str, device: Id, part: AfterPart) -> (u16, Vec<u8>) {
    let asked = FetchAfter { knock: link.knock(Some(word), Some(device)), part };
    let answer = server.http.post(door(server, "/v1/p/after")).json(&asked).send().await.unwrap();
    (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
}

async fn told(server: &Server, link: &Link, word: &str, device: Id) -> (u16, Value) {
    let (status, bytes) = fetch(server, link, word, device, AfterPart::Note).await;
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

#[tokio::test]
async fn the_phone_that_had_the_call_reads_what_the_server_cannot() {
    let (server, _, token) = clinic().await;
    let (link, phone) = (Link::new(1), id());
    link.make(&server, &token, 3_600_000).await;
    join(&server, &link, phone).await;
    assert_eq!(told(&server, &link, WORD, phone).await, (404, json!({"error": "nothing-yet"})));
    let (_, said) = knock(&server, "/v1/p/open", &link.knock(Some(WORD), Some(phone))).await;
    assert_eq!(said["after"], false);

    leave(&server, &token, &link).await;
    let (_, said) = knock(&server, "/v1/p/open", &link.knock(Some(WORD), Some(phone))).await;
    assert_eq!(said["after"], true);
    // Also when the link is closed, and when its time is over.
    assert_eq!(act(&server, &token, &link, LinkAct::Close).await, 204);
    server.advance(2 * 3_600);
    for (part, plain) in [(AfterPart::Note, note()), (AfterPart::Paper, PAPER.to_vec())] {
        let (status, sealed) = fetch(&server, &link, WORD, phone, part).await;
        assert_eq!(status, 200);
        assert!(!sealed.windows(5).any(|w| w == b"Drink" || w == b"%PDF-"), "the server has it sealed");
        assert_eq!(link.secret.open_after(part, &sealed), Some(plain));
    }
    let (status, said) = knock(&server, "/v1/p/open", &link.knock(None, None)).await;
    assert_eq!((status, said), (410, json!({"error": "over", "after": true})));
    // A pass was all that a join gave; the call itself does not come back.
    assert_eq!(knock(&server, "/v1/p/join", &link.knock(Some(WORD), Some(phone))).await.0, 410);
}

#[tokio::test]
async fn it_wants_the_word_and_the_phone() {
    let (server, _, token) = clinic().await;
    let (link, phone) = (Link::new(1), id());
    link.make(&server, &token, 3_600_000).await;
    join(&server, &link, phone).await;
    leave(&server, &token, &link).await;
    act(&server, &token, &link, LinkAct::Close).await;

    assert_eq!(told(&server, &link, WORD, id()).await, (409, json!({"error": "elsewhere"})));
    assert_eq!(told(&server, &Link::new(2), WORD, phone).await.0, 404, "a link that was made up");
    for (word, device) in [(None, Some(phone)), (Some(WORD), None)] {
        let asked = FetchAfter { knock: link.knock(word, device), part: AfterPart::Note };
        let answer = server.http.post(door(&server, "/v1/p/after")).json(&asked).send().await.unwrap();
        assert_eq!(answer.status(), 400);
    }
    for left in (1..TRIES).rev() {
        let said = told(&server, &link, "apple", phone).await;
        assert_eq!(said, (403, json!({"error": "wrong-word", "left": left})));
    }
    assert_eq!(told(&server, &link, "apple", phone).await, (410, json!({"error": "over"})));
    assert_eq!(told(&server, &link, WORD, phone).await.0, 410, "also with the right word");
    let sealed = link.secret.seal_after(AfterPart::Note, [4; 12], &note());
    assert_eq!(
        put(&server, &token, &link, AfterPart::Note, sealed).await.0,
        404,
        "a guessed link takes nothing"
    );
    let (_, said) = knock(&server, "/v1/p/open", &link.knock(None, None)).await;
    assert_eq!(said, json!({"error": "over", "after": false}));
}

#[tokio::test]
async fn it_is_gone_after_a_week_or_when_the_doctor_takes_it_back() {
    let (server, _, token) = clinic().await;
    let (kept, taken, phone) = (Link::new(1), Link::new(2), id());
    for link in [&kept, &taken] {
        link.make(&server, &token, 3_600_000).await;
        join(&server, link, phone).await;
        leave(&server, &token, link).await;
    }
    assert_eq!(delete(&server, &token, &taken).await, 204);
    assert_eq!(told(&server, &taken, WORD, phone).await.0, 404);
    assert_eq!(delete(&server, &token, &taken).await, 404);
    server.advance(AFTER_KEPT / 1000 - 60);
    assert_eq!(told(&server, &kept, WORD, phone).await.0, 200);
    assert_eq!(told(&server, &taken, WORD, phone).await.0, 410);
    server.advance(61);
    assert_eq!(told(&server, &kept, WORD, phone).await, (410, json!({"error": "over"})));
    let left: i64 = {
        let mut db = server.handle.app.db.read().acquire().await.unwrap();
        sqlx::query_scalar("SELECT count(*) FROM link_after").fetch_one(&mut *db).await.unwrap()
    };
    assert_eq!(left, 0, "it was deleted, not only hidden");
}

#[tokio::test]
async fn only_who_made_the_link_leaves_something_and_not_too_much() {
    let (server, _, token) = clinic().await;
    let link = Link::new(1);
    link.make(&server, &token, 3_600_000).await;
    let sealed = |n: usize| vec![7; n];
    let put = async |token: &str, part, bytes| {
        let (status, outcome) = put(&server, token, &link, part, bytes).await;
        (status, if status < 300 { String::new() } else { code(&outcome).to_owned() })
    };
    let refused = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(
        put(&token, AfterPart::Paper, sealed(100)).await,
        refused(404, "no-such-link"),
        "a paper has a note"
    );
    assert_eq!(put(&token, AfterPart::Note, sealed(NOTE_BYTES + 1)).await, refused(413, "too-large"));
    assert_eq!(put(&token, AfterPart::Note, sealed(28)).await, refused(400, "malformed"));
    assert_eq!(put(&token, AfterPart::Note, sealed(NOTE_BYTES)).await.0, 204);
    assert_eq!(put(&token, AfterPart::Paper, sealed(PAPER_BYTES + 1)).await, refused(413, "too-large"));
    assert_eq!(put(&token, AfterPart::Paper, sealed(PAPER_BYTES)).await.0, 204);

    let (other, _) = server.join(server.facility("B", "clinic").await, "doctor").await;
    let others = server.token(&other).await;
    assert_eq!(put(&others, AfterPart::Note, sealed(100)).await, refused(404, "no-such-link"));
    assert_eq!(delete(&server, &others, &link).await, 404);
    assert_eq!(put("nobody", AfterPart::Note, sealed(100)).await.0, 401);
    let text = server.http.put(server.url(&format!("/v1/links/{}/after", link.guest))).bearer_auth(&token);
    assert_eq!(text.json(&json!({})).send().await.unwrap().status(), 415);

    // Nobody had a call: whoever has the link and the word reads it. A new note takes the old one's paper away.
    let phone = id();
    assert_eq!(fetch(&server, &link, WORD, phone, AfterPart::Paper).await, (200, sealed(PAPER_BYTES)));
    assert_eq!(put(&token, AfterPart::Note, sealed(100)).await.0, 204);
    assert_eq!(fetch(&server, &link, WORD, phone, AfterPart::Note).await, (200, sealed(100)));
    assert_eq!(fetch(&server, &link, WORD, phone, AfterPart::Paper).await.0, 404);
}
