//! The operator's page over real HTTP: who may enter, what it shows and what it never shows, what it does.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::Relaxed},
};

use rabta_domain::ask::State;
use rabta_hie::{
    Config, Handle,
    admin::{self, PersonFields, Reply, Request},
    serve,
};
use rabta_wire::{Id, code::EnrollmentCode, envelope::Kind};
use reqwest::{RequestBuilder, Response, header};

use crate::support::{Draft, NOON, id, payloads, server::Server};

/// A server with a page.
struct Page {
    server: Server,
    base: String,
    /// Follows nothing and keeps no cookie by itself.
    http: reqwest::Client,
}

impl Page {
    async fn new() -> Self {
        let server = Server::with_page().await;
        let addr = server.handle.app.board.as_ref().unwrap().addr;
        assert!(addr.ip().is_loopback());
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { server, base: format!("http://localhost:{}", addr.port()), http }
    }

    async fn link(&self) -> String {
        match self.server.admin_in(Request::AdminLink).await {
            Reply::AdminLink { url, minutes: 10 } => url,
            _ => panic!("no address"),
        }
    }

    fn post(&self, path: &str, body: String) -> RequestBuilder {
        let form = (header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.http.post(format!("{}{path}", self.base)).header(form.0, form.1).body(body)
    }

    /// The cookie of a new session.
    async fn enter(&self) -> String {
        let url = self.link().await;
        let key = url.split_once("key=").unwrap().1.to_owned();
        let answer = self.post("/enter", format!("key={key}")).send().await.unwrap();
        assert_eq!(answer.status(), 303);
        assert_eq!(answer.headers()[header::LOCATION], "/");
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        let (value, rules) = cookie.split_once("; ").unwrap();
        assert_eq!(rules, "HttpOnly; Secure; SameSite=Strict; Path=/");
        value.to_owned()
    }

    async fn get(&self, cookie: &str, path: &str) -> Response {
        self.http.get(format!("{}{path}", self.base)).header(header::COOKIE, cookie).send().await.unwrap()
    }

    async fn read(&self, cookie: &str, path: &str) -> String {
        let answer = self.get(cookie, path).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        answer.text().await.unwrap()
    }

    /// Presses a button of the page.
    async fn press(&self, cookie: &str, path: &str, fields: &str) -> u16 {
        let page = self.read(cookie, "/").await;
        let (_, key) = page.split_once("name=\"form\" value=\"").unwrap();
        let key = key.split_once('"').unwrap().0;
        let body = format!("form={key}&{fields}");
        self.post(path, body).header(header::COOKIE, cookie).send().await.unwrap().status().as_u16()
    }
}

const PARTS: [&str; 6] = ["/", "/facilities", "/people", "/devices", "/refused", "/roster"];

#[tokio::test]
async fn nobody_enters_without_a_fresh_address_and_each_works_once() {
    let page = Page::new().await;
    for path in PARTS {
        for cookie in ["", "rabta-operator=", "rabta-operator=AAAAAAAAAAAAAAAAAAAAAAAAAAA", "other=1"] {
            let answer = page.get(cookie, path).await;
            assert_eq!(answer.status(), 403, "{path} with {cookie:?}");
            assert!(answer.text().await.unwrap().contains("rabta-hie admin-link"));
        }
    }
    // Opening the address uses nothing up: programs look ahead. Pressing does.
    let url = page.link().await;
    for _ in 0..2 {
        let seen = page.http.get(&url).send().await.unwrap();
        assert_eq!(seen.status(), 200);
        assert!(seen.headers().get(header::SET_COOKIE).is_none());
    }
    let key = url.split_once("key=").unwrap().1;
    let enter =
        async |key: &str| page.post("/enter", format!("key={key}")).send().await.unwrap().status().as_u16();
    assert_eq!(
        (enter(key).await, enter(key).await, enter("").await, enter("guess").await),
        (303, 403, 403, 403)
    );
    let late = page.link().await;
    page.server.advance(601);
    assert_eq!(enter(late.split_once("key=").unwrap().1).await, 403);
    assert_eq!(page.http.get(&late).send().await.unwrap().status(), 403);

    // A session ends when it was not used, and when its person leaves.
    let cookie = page.enter().await;
    page.server.advance(29 * 60);
    assert_eq!(page.get(&cookie, "/").await.status(), 200);
    page.server.advance(31 * 60);
    assert_eq!(page.get(&cookie, "/").await.status(), 403);
    let cookie = page.enter().await;
    assert_eq!(page.press(&cookie, "/leave", "").await, 200);
    assert_eq!(page.get(&cookie, "/").await.status(), 403);
    // The staff's listener has no such page, and what opens one opens nothing there.
    let staff = page.server.http.get(page.server.url("/devices")).header(header::COOKIE, cookie);
    assert_eq!(staff.send().await.unwrap().status(), 404);
    // A doctor's token, an operator's token for the FHIR API: neither is a session.
    let clinic = page.server.facility("A", "clinic").await;
    let token = page.server.operator(clinic).await;
    let with = page.http.get(format!("{}/devices", page.base)).bearer_auth(token);
    assert_eq!(with.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn another_sites_page_can_neither_press_nor_read() {
    let page = Page::new().await;
    let clinic = page.server.facility("A", "clinic").await;
    let (doctor, _) = page.server.join(clinic, "doctor").await;
    let cookie = page.enter().await;
    let html = page.read(&cookie, "/devices").await;
    let key = html.split_once("name=\"form\" value=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
    let wish = |key: &str| format!("form={key}&id={}", doctor.device);
    let send = async |body: String, name: &str, value: &str| {
        let request = page.post("/devices/revoke", body).header(header::COOKIE, &cookie).header(name, value);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(send(wish("guess"), "origin", &page.base).await, 403);
    assert_eq!(send(format!("id={}", doctor.device), "origin", &page.base).await, 403);
    assert_eq!(send(wish(&key), "origin", "https://evil.example").await, 403);
    assert_eq!(send(wish(&key), "origin", "null").await, 403);
    assert_eq!(send(wish(&key), "sec-fetch-site", "cross-site").await, 403);
    assert_eq!(send(wish(&key), "host", "rebound.example:8444").await, 421);
    let other = page.http.get(format!("{}/", page.base)).header("host", "rebound.example");
    assert_eq!(other.header(header::COOKIE, &cookie).send().await.unwrap().status(), 421);
    // Another session's key is not this one's.
    let second = page.enter().await;
    let theirs = page.post("/devices/revoke", wish(&key)).header(header::COOKIE, second);
    assert_eq!(theirs.send().await.unwrap().status(), 403);
    assert!(!page.read(&cookie, "/devices").await.contains("revoked"), "nothing was done");
    assert_eq!(send(wish(&key), "origin", &page.base).await, 303);
    assert!(page.read(&cookie, "/devices").await.contains("revoked"));
}

/// Everything that was written about a patient, in all its spellings.
async fn a_clinic_at_work(page: &Page) -> (Id, Id, Vec<String>) {
    let (clinic, hospital) = (
        page.server.facility("BHU <Kot> Radha", "clinic").await,
        page.server.facility("DHQ", "hospital").await,
    );
    let (mut doctor, _) = page.server.join(clinic, "doctor").await;
    let (specialist, _) = page.server.join(hospital, "specialist").await;
    let token = page.server.token(&doctor).await;
    let (patient, task) = (id(), id());
    let registered =
        doctor.write(Draft::new(Kind::Patient, patient, payloads::patient(patient, "Zohra Parveen")));
    let consent = payloads::consent(patient, "permit");
    let consented = doctor.write(Draft::new(Kind::Consent, patient, consent));
    let note = payloads::note(task, patient, Some(specialist.person));
    let note = doctor.write(Draft::new(Kind::ReferralNote, patient, note).task(task).signed());
    // A move that nobody may make from here, and an envelope of a patient who is nobody's: refused.
    let stranger = id();
    let unknown = doctor.write(Draft::new(Kind::Visit, stranger, payloads::visit(stranger)).signed());
    let moved = payloads::task_move(task, patient, State::Answered, Some(specialist.person));
    let moved = doctor.write(Draft::new(Kind::TaskMove, patient, moved).task(task).on(1).signed());
    page.server.push(&token, &[registered, consented, note, unknown, moved]).await;
    let never = [patient, task, stranger].map(|id| id.to_string());
    let never = never.into_iter().chain(["Zohra", "Parveen", "8867-4", "11488-4"].map(str::to_owned));
    (doctor.device, doctor.person, never.collect())
}

#[tokio::test]
async fn it_shows_how_things_stand_and_nothing_of_any_patient() {
    let page = Page::new().await;
    let (device, person, never) = a_clinic_at_work(&page).await;
    page.server.advance(3 * 3600);
    let cookie = page.enter().await;
    let mut all = String::new();
    for path in PARTS {
        let html = page.read(&cookie, path).await;
        for secret in &never {
            assert!(!html.contains(secret.as_str()), "{secret} on {path}");
        }
        assert!(!html.contains("<Kot>") && !html.contains("<script"), "{path}");
        all += &html;
    }
    for shown in
        ["BHU &lt;Kot&gt; Radha", &device.to_string(), &person.to_string(), "last contact: 3 hours ago"]
    {
        assert!(all.contains(shown), "{shown}");
    }
    let refused = page.read(&cookie, "/refused").await;
    assert!(refused.contains("patient-unknown") && refused.contains("1 refused"), "the code and how many");
    let health = page.read(&cookie, "/").await;
    for finding in ["backup", "clock", "disk", "key", "refused", "forks"] {
        assert!(health.contains(&format!("data-finding=\"{finding}\"")), "{finding}");
    }
    assert!(health.contains("rabta-hie backup"), "it says what to do");
}

#[tokio::test]
async fn it_lists_the_backups_that_there_are_and_says_when_one_is_away() {
    let page = Page::new().await;
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("backups");
    let listed = async || {
        // Hours pass in between, and a session ends.
        let cookie = page.enter().await;
        let html = page.read(&cookie, "/").await;
        html.split_once("data-t=\"backups\"").unwrap().1.to_owned()
    };
    assert!(listed().await.contains("No backup was made yet."));
    let mut files = Vec::new();
    for _ in 0..3 {
        page.server.advance(3 * 3600);
        let made = page.server.admin(Request::Backup { folder: folder.clone(), keep: 2 }).await;
        let Reply::Backup(made) = made else { panic!("no backup") };
        files.push(made.file);
    }
    page.server.advance(3600);
    let html = listed().await;
    let name = |n: usize| files[n].file_name().unwrap().to_str().unwrap().to_owned();
    assert!(!html.contains(&name(0)), "newer ones have taken its place");
    let (newest, older) = (html.find(&name(2)).unwrap(), html.find(&name(1)).unwrap());
    assert!(newest < older, "the newest first");
    assert!(html.contains("made: 60 minutes ago") && html.contains("made: 4 hours ago"), "{html}");
    assert_eq!((html.matches("read back whole").count(), html.matches(" MB").count()), (2, 4));
    std::fs::rename(&files[2], temp.path().join("elsewhere")).unwrap();
    let html = listed().await;
    assert_eq!(
        (html.matches("read back whole").count(), html.matches("not in its folder now").count()),
        (1, 1)
    );
}

#[tokio::test]
async fn the_few_things_that_it_does_are_done_as_by_the_commands() {
    let page = Page::new().await;
    let server = &page.server;
    let hospital = server.facility("DHQ Kasur", "hospital").await;
    let new = PersonFields {
        name: "Dr Saira".into(),
        role: "specialist".into(),
        specialty: Some("pediatrics".into()),
        phone: Some("+92 300 1".into()),
        hours: Some("sun 02:00-02:01".into()),
        ..PersonFields::default()
    };
    let wish = Request::Enroll { facility: hospital.to_string(), person: None, new: Some(new), public: None };
    let Reply::Code { code, person, .. } = server.admin(wish).await else { panic!("no code") };
    let cookie = page.enter().await;
    assert!(page.read(&cookie, "/people").await.contains("a code waits to be used (7 days left)"));
    assert!(page.read(&cookie, "/roster").await.contains("off duty"));

    let hours = format!("id={person}&hours=always&phone=%2B92+300+2");
    assert_eq!(page.press(&cookie, "/roster/set", &hours).await, 303);
    let roster = page.read(&cookie, "/roster").await;
    assert!(roster.contains("on duty now") && roster.contains("+92 300 2"));
    assert_eq!(page.press(&cookie, "/roster/set", &format!("id={person}&hours=&phone=1")).await, 422);
    assert_eq!(page.press(&cookie, "/roster/leave", &format!("id={person}")).await, 303);
    assert!(!page.read(&cookie, "/roster").await.contains("Dr Saira"));

    let close = format!("id={person}");
    assert_eq!(page.press(&cookie, "/people/close-codes", &close).await, 303);
    assert!(!page.read(&cookie, "/people").await.contains("a code waits"));
    assert_eq!(page.press(&cookie, "/people/close-codes", &close).await, 422, "there is none left");
    let (ask, _) = Server::enrollment(&EnrollmentCode::parse(&code).unwrap());
    let joined = server.http.post(server.url("/v1/enroll")).json(&ask).send().await.unwrap();
    assert!(!joined.status().is_success(), "the code opens nothing any more");

    let (doctor, _) = server.join(hospital, "doctor").await;
    let token = server.token(&doctor).await;
    assert_eq!(page.press(&cookie, "/devices/revoke", &format!("id={}", doctor.device)).await, 303);
    assert_eq!(server.get(&token, "/v1/links").send().await.unwrap().status(), 401);
    for bad in ["id=", "id=x", "id=00000000-0000-4000-8000-000000000000"] {
        assert!(matches!(page.press(&cookie, "/devices/revoke", bad).await, 403 | 422), "{bad}");
    }
    // Each is written down as the page's.
    let Reply::OperatorActs(acts) = server.admin(Request::OperatorActs { since: None }).await else {
        panic!()
    };
    let mut by_page: Vec<&str> =
        acts.iter().filter(|act| act.who == "the operator's page").map(|act| act.act.as_str()).collect();
    by_page.sort_unstable();
    assert_eq!(by_page, ["close-codes", "leave-roster", "revoke-device", "set-roster"]);
    // In Urdu, from right to left, until somebody changes it back.
    assert_eq!(page.press(&cookie, "/lang", "lang=ur&to=/devices").await, 303);
    let urdu = page.read(&cookie, "/devices").await;
    assert!(urdu.contains("<html lang=\"ur\" dir=\"rtl\">") && urdu.contains("منسوخ"));
}

#[tokio::test]
async fn the_page_is_on_a_loopback_address_or_nowhere() {
    let temp = tempfile::tempdir().unwrap();
    let config = |page: Option<&str>| {
        let mut config = Config::new(temp.path().join("hie"));
        config.listen = "127.0.0.1:0".parse().unwrap();
        config.admin_listen = page.map(|addr| addr.parse().unwrap());
        let clock = Arc::new(AtomicI64::new(NOON));
        config.clock = Arc::new(move || clock.load(Relaxed));
        config
    };
    let error = serve(config(Some("0.0.0.0:0"))).await.err().unwrap();
    assert!(error.to_string().contains("loopback"), "{error}");
    let handle: Handle = serve(config(None)).await.unwrap();
    let error = admin::run_in(&handle.app, Request::AdminLink).await.err().unwrap();
    assert!(error.to_string().contains("--admin-listen"), "{error}");
    handle.shutdown().await;
}
