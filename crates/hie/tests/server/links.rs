use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rabta_wire::{
    Id,
    guest::{
        Contact, Knock, LONGEST, LinkAct, LinkSecret, Links, MakeLink, SOCKET, TRIES, Welcome, open_hash,
        text, word_proof,
    },
    signal::{ClientFrame, Refusal, ServerFrame, Signal, VERSION},
};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

use super::sockets::{Socket, body, frame, hello, open, send, to};
use crate::support::{
    Member, id,
    server::{Server, code, said},
};

pub const WORD: &str = "mango";

/// A doctor's link, as the laptop and the phone know it.
pub struct Link {
    pub guest: Id,
    pub secret: LinkSecret,
}

impl Link {
    pub fn new(n: u8) -> Self {
        Self { guest: id(), secret: LinkSecret::from_random([n; 16]) }
    }

    pub async fn make(&self, server: &Server, token: &str, life_ms: i64) -> (u16, Value) {
        let open = self.secret.open_key();
        let link = MakeLink {
            guest: self.guest,
            open: text(&open_hash(&open)),
            word: text(&word_proof(&open, WORD)),
            expires_at: server.now() + life_ms,
            contact: None,
        };
        said(server.http.post(server.url("/v1/links")).bearer_auth(token).json(&link)).await
    }

    pub fn knock(&self, word: Option<&str>, device: Option<Id>) -> Knock {
        let open = self.secret.open_key();
        Knock {
            open: text(&open),
            word: word.map(|word| text(&word_proof(&open, word))),
            device,
            moves: false,
        }
    }
}

pub fn door(server: &Server, path: &str) -> String {
    let page = server.handle.app.page().unwrap();
    format!("{}{path}", page.trim_end_matches("/p/"))
}

pub async fn knock(server: &Server, at: &str, knock: &Knock) -> (u16, Value) {
    said(server.http.post(door(server, at)).json(knock)).await
}

pub async fn join(server: &Server, link: &Link, device: Id) -> Welcome {
    let (status, said) = knock(server, "/v1/p/join", &link.knock(Some(WORD), Some(device))).await;
    assert_eq!(status, 200, "{said}");
    serde_json::from_value(said).unwrap()
}

pub async fn greet(server: &Server, token: &str) -> Socket {
    let request = door(server, SOCKET).replace("https", "wss").into_client_request().unwrap();
    let mut socket = open(request).await;
    send(&mut socket, &ClientFrame::Hello { v: VERSION, token: token.into(), session: None }).await;
    socket
}

pub async fn clinic() -> (Server, Member, String) {
    let server = Server::with_door().await;
    let (doctor, _) = server.join(server.facility("A", "clinic").await, "doctor").await;
    let token = server.token(&doctor).await;
    (server, doctor, token)
}

async fn links(server: &Server, token: &str) -> Links {
    server.get(token, "/v1/links").send().await.unwrap().json().await.unwrap()
}

pub async fn act(server: &Server, token: &str, link: &Link, act: LinkAct) -> u16 {
    let request = server.http.post(server.url(&format!("/v1/links/{}", link.guest)));
    request.bearer_auth(token).json(&act).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn without_a_certificate_that_phones_trust_there_are_no_links() {
    let server = Server::start().await;
    let (doctor, _) = server.join(server.facility("A", "clinic").await, "doctor").await;
    let token = server.token(&doctor).await;
    assert_eq!(links(&server, &token).await.page, None);
    let (status, outcome) = Link::new(1).make(&server, &token, 60_000).await;
    assert_eq!((status, code(&outcome)), (422, "no-certificate"));
}

#[tokio::test]
async fn a_phone_comes_in_with_the_link_and_the_word_and_is_rung() {
    let (server, doctor, token) = clinic().await;
    let link = Link::new(1);
    assert_eq!(link.make(&server, &token, 3_600_000).await.0, 201);
    // The secret alone tells nothing but that a word is wanted.
    let (status, told) = knock(&server, "/v1/p/open", &link.knock(None, None)).await;
    assert_eq!((status, told), (200, json!({"state": "word"})));
    let (status, told) = knock(&server, "/v1/p/open", &link.knock(Some(WORD), None)).await;
    assert_eq!((status, &told["doctor"], &told["bound"]), (200, &json!("a doctor"), &json!("no")));
    assert!(links(&server, &token).await.open[0].joined_at.is_none(), "looking binds nothing");

    let mut desk = hello(&server, &token).await;
    let welcome = join(&server, &link, id()).await;
    let mut phone = greet(&server, &welcome.token).await;
    let ServerFrame::Welcome { me, .. } = frame(&mut phone).await else { panic!("not welcome") };
    assert_eq!(me, welcome.me);
    let listed = links(&server, &token).await.open;
    assert!(listed[0].here && listed[0].joined_at.is_some());

    // A guest calls nobody.
    let call = id();
    let ring = |to| ClientFrame::Ring {
        v: VERSION,
        call,
        to,
        body: body(Signal::Ring { ask: None, video: true, round: 0 }),
    };
    send(&mut phone, &ring(to(doctor.person))).await;
    assert!(matches!(frame(&mut phone).await, ServerFrame::Refused { code: Refusal::NotAllowed, .. }));
    send(&mut desk, &ring(to(link.guest))).await;
    let ServerFrame::From { from, .. } = frame(&mut phone).await else { panic!("not rung") };
    assert_eq!((from.person, from.device), (doctor.person, doctor.device));

    // A pass opens nothing else.
    let (status, _) = said(server.get(&welcome.token, "/fhir/Patient")).await;
    assert_eq!(status, 401);
    assert_eq!(server.get(&welcome.token, "/v1/changes").send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn nobody_rings_a_guest_of_another() {
    let (server, _, token) = clinic().await;
    let link = Link::new(1);
    link.make(&server, &token, 3_600_000).await;
    let (other, _) = server.join(server.facility("B", "clinic").await, "doctor").await;
    let others = server.token(&other).await;
    let mut desk = hello(&server, &others).await;
    let ring = ClientFrame::Ring { v: VERSION, call: id(), to: to(link.guest), body: body(Signal::Accept) };
    send(&mut desk, &ring).await;
    assert!(matches!(frame(&mut desk).await, ServerFrame::Refused { code: Refusal::NotAllowed, .. }));
    assert!(links(&server, &others).await.open.is_empty());
    assert_eq!(act(&server, &others, &link, LinkAct::Close).await, 404);
}

#[tokio::test]
async fn guessing_ends_the_link_and_tells_nothing() {
    let (server, _, token) = clinic().await;
    let link = Link::new(1);
    link.make(&server, &token, 3_600_000).await;
    // A link that was made up.
    let (status, told) = knock(&server, "/v1/p/open", &Link::new(2).knock(Some(WORD), None)).await;
    assert_eq!((status, told), (404, json!({"error": "no-such-link"})));
    for left in (1..TRIES).rev() {
        let (status, told) = knock(&server, "/v1/p/open", &link.knock(Some("apple"), None)).await;
        assert_eq!((status, told), (403, json!({"error": "wrong-word", "left": left})));
    }
    let (status, told) = knock(&server, "/v1/p/join", &link.knock(Some("pear"), Some(id()))).await;
    assert_eq!((status, told), (410, json!({"error": "over"})));
    let (status, _) = knock(&server, "/v1/p/open", &link.knock(Some(WORD), None)).await;
    assert_eq!(status, 410, "also with the right word");
    // And whoever goes on is slowed.
    let mut slowed = false;
    for _ in 0..150 {
        slowed |= knock(&server, "/v1/p/open", &link.knock(None, None)).await.0 == 429;
    }
    assert!(slowed);
}

#[tokio::test]
async fn waiting_is_reading_and_is_never_slowed_whatever_others_guess() {
    let (server, _, token) = clinic().await;
    let link = Link::new(1);
    link.make(&server, &token, 3_600_000).await;
    let mut guesses = 0;
    while knock(&server, "/v1/p/open", &Link::new(2).knock(Some(WORD), None)).await.0 != 429 {
        guesses += 1;
        assert!(guesses < 200, "nobody may guess for ever");
    }
    // Somebody else writes all the while.
    let writing = server.handle.app.db.write().await.unwrap();
    for _ in 0..200 {
        let (status, told) = knock(&server, "/v1/p/open", &link.knock(Some(WORD), None)).await;
        assert_eq!((status, &told["state"]), (200, &json!("open")));
    }
    drop(writing);
    // One wrong word is counted, and forgiven with the right one.
    for _ in 0..3 {
        let (_, told) = knock(&server, "/v1/p/open", &link.knock(Some("apple"), None)).await;
        assert_eq!(told["left"], TRIES - 1);
        assert_eq!(knock(&server, "/v1/p/open", &link.knock(Some(WORD), None)).await.0, 200);
    }
}

#[tokio::test]
async fn an_edited_link_is_another_link_and_is_told_nothing_more_than_one_that_was_made_up() {
    let (server, _, token) = clinic().await;
    let link = Link::new(1);
    link.make(&server, &token, 3_600_000).await;
    let good = link.knock(Some(WORD), Some(id()));
    let with = |open: &str| Knock { open: open.to_owned(), ..good.clone() };
    let (first, last) = (&good.open[..1], &good.open[good.open.len() - 1..]);
    let another = |letter: &str| if letter == "A" { "B" } else { "A" };
    let mut turned: Vec<char> = good.open.chars().collect();
    turned.reverse();
    let edits = [
        ("its first letter", format!("{}{}", another(first), &good.open[1..])),
        // The last of 43 letters holds four bits and two that are nothing: also those are looked at.
        ("its last letter", format!("{}{}", &good.open[..42], if last == "A" { "E" } else { "A" })),
        ("bits that mean nothing", format!("{}{}", &good.open[..42], next_letter(last))),
        ("cut off", good.open[..42].to_owned()),
        ("a letter more", format!("{}A", good.open)),
        ("a space after it", format!("{} ", good.open)),
        ("a dot after it, as in a message", format!("{}.", good.open)),
        ("padded", format!("{}=", good.open)),
        ("turned around", turned.into_iter().collect()),
        ("other letters of base64", format!("+/{}", &good.open[2..])),
        ("the secret itself", link.secret.fragment()),
        ("its hash", text(&open_hash(&link.secret.open_key()))),
        ("nothing", String::new()),
        ("made up", Link::new(2).knock(None, None).open),
    ];
    for (what, open) in &edits {
        assert_ne!(*open, good.open, "{what}");
        for path in ["/v1/p/open", "/v1/p/join"] {
            let told = knock(&server, path, &with(open)).await;
            assert_eq!(told, (404, json!({"error": "no-such-link"})), "{what}");
        }
    }
    // None of it was counted against the link.
    let (status, told) = knock(&server, "/v1/p/open", &good).await;
    assert_eq!((status, &told["state"]), (200, &json!("open")));
    assert_eq!(knock(&server, "/v1/p/join", &good).await.0, 200);
}

/// The letter of base64url after this one: only its lowest bit differs where this one's is 0.
fn next_letter(letter: &str) -> char {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = LETTERS.find(letter).unwrap();
    LETTERS.as_bytes()[at ^ 1] as char
}

#[tokio::test]
async fn whom_the_patient_phones_is_shown_sealed_to_who_has_the_link_also_when_it_is_over() {
    let (server, _, token) = clinic().await;
    let link = Link::new(1);
    let contact = Contact { phone: Some("1122".into()) };
    let sealed = URL_SAFE_NO_PAD.encode(link.secret.seal_contact([3; 12], &contact));
    let open = link.secret.open_key();
    let make = |contact: &str| MakeLink {
        guest: link.guest,
        open: text(&open_hash(&open)),
        word: text(&word_proof(&open, WORD)),
        expires_at: server.now() + 60_000,
        contact: Some(contact.to_owned()),
    };
    let post =
        |make: MakeLink| said(server.http.post(server.url("/v1/links")).bearer_auth(&token).json(&make));
    for bad in ["", "AAAA", "not base64!", &"A".repeat(2_000)] {
        assert_eq!(post(make(bad)).await.0, 400, "{bad:.20}");
    }
    assert_eq!(post(make(&sealed)).await.0, 201);
    let (_, told) = knock(&server, "/v1/p/open", &link.knock(None, None)).await;
    assert_eq!(told, json!({"state": "word", "contact": sealed}));
    let (_, told) = knock(&server, "/v1/p/open", &link.knock(Some(WORD), None)).await;
    assert_eq!(told["contact"], json!(sealed));
    assert_eq!(act(&server, &token, &link, LinkAct::Close).await, 204);
    let (status, told) = knock(&server, "/v1/p/open", &link.knock(None, None)).await;
    assert_eq!((status, &told["contact"]), (410, &json!(sealed)));
    // A wrong word, or another link, shows nothing of it.
    let (_, told) = knock(&server, "/v1/p/open", &Link::new(2).knock(None, None)).await;
    assert_eq!(told, json!({"error": "no-such-link"}));
}

#[tokio::test]
async fn revoking_a_person_a_device_or_a_facility_ends_their_links_and_the_phone_is_told() {
    use rabta_hie::admin::Request;
    let server = Server::with_door().await;
    for n in 1..4 {
        let clinic = server.facility(&format!("clinic {n}"), "clinic").await;
        let (doctor, _) = server.join(clinic, "doctor").await;
        let (nurse, _) = server.join(clinic, "nurse").await;
        let (token, other) = (server.token(&doctor).await, server.token(&nurse).await);
        let (link, kept) = (Link::new(n), Link::new(n + 10));
        assert_eq!(link.make(&server, &token, 3_600_000).await.0, 201);
        assert_eq!(kept.make(&server, &other, 3_600_000).await.0, 201);
        let (tab, kept_tab) = (id(), id());
        let mut phone = greet(&server, &join(&server, &link, tab).await.token).await;
        let mut waiting = greet(&server, &join(&server, &kept, kept_tab).await.token).await;
        assert!(matches!(frame(&mut phone).await, ServerFrame::Welcome { .. }));
        assert!(matches!(frame(&mut waiting).await, ServerFrame::Welcome { .. }));
        let (request, all) = match n {
            1 => (Request::RevokePerson { person: doctor.person }, false),
            2 => (Request::RevokeDevice { device: doctor.device }, false),
            _ => (Request::RevokeFacility { facility: clinic.to_string() }, true),
        };
        server.admin_in(request).await;
        is_closed(phone).await;
        let (status, told) = knock(&server, "/v1/p/open", &link.knock(Some(WORD), Some(tab))).await;
        assert_eq!((status, &told["error"]), (410, &json!("over")));
        assert_eq!(knock(&server, "/v1/p/join", &link.knock(Some(WORD), Some(tab))).await.0, 410);
        // And they make no others.
        assert_eq!(Link::new(n + 20).make(&server, &token, 3_600_000).await.0, 401);
        let status = knock(&server, "/v1/p/open", &kept.knock(Some(WORD), Some(kept_tab))).await.0;
        assert_eq!(status, if all { 410 } else { 200 }, "a colleague's link goes on");
        if all {
            is_closed(waiting).await;
        }
    }
}

#[tokio::test]
async fn a_pass_or_a_join_that_is_played_again_opens_nothing_more() {
    let (server, _, token) = clinic().await;
    let link = Link::new(1);
    link.make(&server, &token, 3_600_000).await;
    let tab = id();
    let old = join(&server, &link, tab).await.token;
    let new = join(&server, &link, tab).await.token;
    let mut replayed = greet(&server, &old).await;
    assert!(matches!(frame(&mut replayed).await, ServerFrame::Refused { code: Refusal::Token, .. }));
    let mut phone = greet(&server, &new).await;
    assert!(matches!(frame(&mut phone).await, ServerFrame::Welcome { .. }));
    // What was sent once, sent by somebody who listened at another's browser, is another tab.
    let (status, told) = knock(&server, "/v1/p/join", &link.knock(Some(WORD), Some(id()))).await;
    assert_eq!((status, told), (409, json!({"error": "elsewhere"})));
    assert_eq!(act(&server, &token, &link, LinkAct::Close).await, 204);
    let mut after = greet(&server, &new).await;
    assert!(matches!(frame(&mut after).await, ServerFrame::Refused { code: Refusal::Token, .. }));
}

#[tokio::test]
async fn a_second_browser_gets_the_call_only_if_the_doctor_says_so() {
    let (server, _, token) = clinic().await;
    let link = Link::new(1);
    link.make(&server, &token, 3_600_000).await;
    let (first, second) = (id(), id());
    let mut phone = greet(&server, &join(&server, &link, first).await.token).await;
    assert!(matches!(frame(&mut phone).await, ServerFrame::Welcome { .. }));
    // The same tab again, after a reload, is no other.
    join(&server, &link, first).await;

    let there = |moves| Knock { moves, ..link.knock(Some(WORD), Some(second)) };
    let (status, told) = knock(&server, "/v1/p/join", &there(false)).await;
    assert_eq!((status, told), (409, json!({"error": "elsewhere"})));
    assert_eq!(knock(&server, "/v1/p/join", &there(true)).await.0, 202);
    assert!(links(&server, &token).await.open[0].asks_to_move);
    assert_eq!(act(&server, &token, &link, LinkAct::DoNotMove).await, 204);
    let (status, told) = knock(&server, "/v1/p/join", &there(true)).await;
    assert_eq!((status, told), (403, json!({"error": "not-moved"})));

    let third = Knock { moves: true, ..link.knock(Some(WORD), Some(id())) };
    assert_eq!(knock(&server, "/v1/p/join", &third).await.0, 202);
    assert_eq!(act(&server, &token, &link, LinkAct::Move).await, 204);
    assert_eq!(knock(&server, "/v1/p/join", &third).await.0, 200);
    let (status, _) = knock(&server, "/v1/p/join", &link.knock(Some(WORD), Some(first))).await;
    assert_eq!(status, 409, "the first one has it no more");
    is_closed(phone).await;
}

/// The server ends the socket soon: its pass is worth nothing now.
async fn is_closed(mut socket: Socket) {
    use futures_util::StreamExt;
    loop {
        match socket.next().await {
            Some(Ok(Message::Close(_))) | None | Some(Err(_)) => return,
            Some(Ok(_)) => {}
        }
    }
}

#[tokio::test]
async fn a_closed_or_expired_link_is_over_at_once() {
    let (server, _, token) = clinic().await;
    let (closed, short) = (Link::new(1), Link::new(2));
    closed.make(&server, &token, 3_600_000).await;
    short.make(&server, &token, 60_000).await;
    let mut phone = greet(&server, &join(&server, &closed, id()).await.token).await;
    assert!(matches!(frame(&mut phone).await, ServerFrame::Welcome { .. }));
    assert_eq!(act(&server, &token, &closed, LinkAct::Close).await, 204);
    is_closed(phone).await;
    assert_eq!(knock(&server, "/v1/p/open", &closed.knock(None, None)).await.0, 410);
    server.advance(61);
    assert_eq!(knock(&server, "/v1/p/open", &short.knock(None, None)).await.0, 410);
    assert!(links(&server, &token).await.open.is_empty());
}

#[tokio::test]
async fn a_link_that_is_no_link_is_refused() {
    let (server, _, token) = clinic().await;
    let link = Link::new(1);
    let (status, outcome) = link.make(&server, &token, LONGEST + 60_000).await;
    assert_eq!((status, code(&outcome)), (422, "link-life"));
    assert_eq!(link.make(&server, &token, -1).await.0, 422);
    assert_eq!(link.make(&server, &token, 60_000).await.0, 201);
    let (status, outcome) = link.make(&server, &token, 60_000).await;
    assert_eq!((status, code(&outcome)), (422, "taken"), "a link is made once");
    let short = json!({"guest": id(), "open": "AAAA", "word": "AAAA", "expires_at": server.now() + 1000});
    let (status, _) = said(server.http.post(server.url("/v1/links")).bearer_auth(&token).json(&short)).await;
    assert_eq!(status, 400);
    for body in ["", "{}", "[]", r#"{"open":7}"#] {
        let request =
            server.http.post(door(&server, "/v1/p/open")).header("content-type", "application/json");
        assert_eq!(said(request.body(body)).await.0, 400);
    }
    let (status, _) = knock(&server, "/v1/p/join", &link.knock(Some(WORD), None)).await;
    assert_eq!(status, 400, "a join has a device");
}

#[tokio::test]
async fn the_door_shows_the_page_and_nothing_else() {
    let (server, _, _) = clinic().await;
    for path in ["/fhir/metadata", "/v1/changes", "/v1/token", "/metrics", "/v1/links", "/p/..%2f..%2fetc"] {
        let answer = server.http.get(door(&server, path)).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
    let page = server.http.get(door(&server, "/p/")).send().await.unwrap();
    // A build without the page says so; with it, nothing may come from elsewhere.
    if page.status() == 200 {
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe-inline"));
        assert_eq!(page.headers()["referrer-policy"], "no-referrer");
    } else {
        assert_eq!(page.status(), 404);
    }
}
