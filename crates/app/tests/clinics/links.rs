//! A patient's link as it leaves the laptop, and what is left on the phone afterward, as a phone gets it from a real HIE.

#![allow(clippy::unwrap_used)]

use std::{
    io::Write,
    process::{Command, Stdio},
};

use crate::world::{World, ask};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use percent_encoding::percent_decode_str;
use rabta_domain::{
    age::{AgeSaid, Said},
    medicine::MedicineLine,
    patient::{PatientCard, Phone, Registration, Sex},
};
use rabta_ipc::{
    Error,
    gate::Lang,
    link::{LeaveNote, LinkView, MakeLink},
    patient::Register,
    visit::{SaveVisit, SignVisit, VisitView},
};
use rabta_wire::{
    Id,
    guest::{AfterNote, AfterPart, FetchAfter, Knock, LinkSecret, text, word_proof},
};
use serde_json::Value;

const WORD: &str = "mango";

async fn link(world: &World, patient: &PatientCard) -> LinkView {
    let make = MakeLink { patient: patient.id.clone(), word: WORD.to_owned().into(), hours: 2 };
    ask(&world.doctor, make).await.unwrap()
}

/// What the phone makes of the address that it opened.
struct Opened {
    http: reqwest::Client,
    origin: String,
    secret: LinkSecret,
    device: Id,
}

impl Opened {
    fn opens(url: &str) -> Self {
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (page, fragment) = url.split_once('#').unwrap();
        Self {
            http: reqwest::Client::builder()
                .tls_danger_accept_invalid_certs(true)
                .no_proxy()
                .build()
                .unwrap(),
            origin: page.trim_end_matches("/p/").to_owned(),
            secret: LinkSecret::from_fragment(fragment).unwrap(),
            device: Id(*uuid::Uuid::new_v4().as_bytes()),
        }
    }

    fn knock(&self, word: Option<&str>) -> Knock {
        let open = self.secret.open_key();
        let word = word.map(|word| text(&word_proof(&open, word)));
        Knock { open: text(&open), word, device: Some(self.device), moves: false }
    }

    async fn post(&self, path: &str, body: &impl serde::Serialize) -> (u16, Vec<u8>) {
        let answer = self.http.post(format!("{}{path}", self.origin)).json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
    }

    async fn fetch(&self, part: AfterPart) -> Option<Vec<u8>> {
        let knock = self.knock(Some(WORD));
        let (status, sealed) = self.post("/v1/p/after", &FetchAfter { knock, part }).await;
        (status == 200).then(|| self.secret.open_after(part, &sealed).expect("sealed with the link's key"))
    }

    async fn note(&self) -> AfterNote {
        serde_json::from_slice(&self.fetch(AfterPart::Note).await.unwrap()).unwrap()
    }
}

/// A visit with one medicine, not signed yet.
async fn written(world: &World, patient: &PatientCard) -> VisitView {
    let visit = world.visit(&patient.id).await;
    let mut form = visit.form.clone();
    form.medicines = vec![MedicineLine {
        id: uuid::Uuid::new_v4().to_string(),
        generic: "Amoxicillin".into(),
        form: "tablet".into(),
        strength: "500 mg".into(),
        dose: "1+0+1".into(),
        days: 5,
        ..MedicineLine::default()
    }];
    form.vitals =
        serde_json::from_value(serde_json::json!([{ "vital": "weight", "value": "16", "unit": "kg" }]))
            .unwrap();
    form.return_advice = "Fast breathing: come at once.".into();
    let save = SaveVisit { id: visit.id.clone(), rev: visit.rev, form: form.clone() };
    let rev = ask(&world.doctor, save).await.unwrap().rev;
    VisitView { form, rev, ..visit }
}

async fn leave(world: &World, link: &LinkView, next_step: &str, visit: Option<&str>) -> Result<(), Error> {
    let leave = LeaveNote {
        guest: link.guest.clone(),
        next_step: next_step.to_owned().into(),
        visit: visit.map(str::to_owned),
        lang: Lang::En,
    };
    ask(&world.doctor, leave).await
}

/// The text of a PDF. Needs poppler's `pdftotext`.
fn read(pdf: &[u8]) -> String {
    let mut child = Command::new("pdftotext")
        .args(["-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("pdftotext of poppler-utils does not start: {e}"));
    let mut stdin = child.stdin.take().unwrap();
    let pdf = pdf.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&pdf));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_step_and_with_a_yes_the_prescription_of_the_named_visit_are_on_the_phone() {
    let world = World::with_door().await;
    let patient = world.patient("Ayesha Bibi").await;
    let other = world.patient("Zainab Noor").await;
    let (visit, others) = (written(&world, &patient).await, written(&world, &other).await);
    ask(&world.doctor, SignVisit { id: others.id.clone() }).await.unwrap();
    let link = link(&world, &patient).await;
    let phone = Opened::opens(&link.url.0);
    assert_eq!(phone.post("/v1/p/join", &phone.knock(Some(WORD))).await.0, 200);

    let field = |answer: Result<(), Error>| answer.unwrap_err().field;
    assert_eq!(field(leave(&world, &link, " \n", None).await).as_deref(), Some("next_step"));
    for not_theirs in [&visit.id, &others.id, "not-a-visit"] {
        let answer = leave(&world, &link, "Rest", Some(not_theirs)).await;
        assert_eq!(field(answer).as_deref(), Some("visit"), "a draft, another patient's, none");
    }
    assert_eq!(phone.fetch(AfterPart::Note).await, None, "nothing has left");

    // Nobody asked: words only.
    ask(&world.doctor, SignVisit { id: visit.id.clone() }).await.unwrap();
    leave(&world, &link, "Come back on Monday.", None).await.unwrap();
    let note = phone.note().await;
    assert_eq!(
        (note.next_step.as_str(), note.medicines.len(), note.paper),
        ("Come back on Monday.", 0, false)
    );
    assert_eq!((note.warning, phone.fetch(AfterPart::Paper).await), (None, None));

    // The patient said yes.
    leave(&world, &link, "Finish the tablets.", Some(&visit.id)).await.unwrap();
    let note = phone.note().await;
    assert_eq!((note.medicines[0].name.as_str(), note.medicines[0].days), ("Amoxicillin 500 mg", Some(5)));
    assert_eq!((note.warning.as_deref(), note.paper), (Some("Fast breathing: come at once."), true));
    assert_eq!(note.doctor, "Dr Amna");
    let pdf = phone.fetch(AfterPart::Paper).await.unwrap();
    assert!(pdf.starts_with(b"%PDF-"));
    let page = read(&pdf);
    assert!(page.contains("Ayesha Bibi") && page.contains("Amoxicillin"), "{page}");
    assert!(!page.contains("Zainab") && !page.contains("DRAFT"), "{page}");

    // And taken back again by words alone.
    leave(&world, &link, "Stop the tablets.", None).await.unwrap();
    assert!(phone.note().await.medicines.is_empty());
    assert_eq!(phone.fetch(AfterPart::Paper).await, None, "the paper of before is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_the_link_can_phone_and_the_hie_cannot_read_the_number() {
    let world = World::with_door().await;
    let link = link(&world, &world.patient("Ayesha Bibi").await).await;
    let phone = Opened::opens(&link.url.0);
    let (status, said) = phone.post("/v1/p/open", &phone.knock(None)).await;
    let said: Value = serde_json::from_slice(&said).unwrap();
    assert_eq!((status, &said["state"]), (200, &Value::from("word")), "before the word");
    let sealed = URL_SAFE_NO_PAD.decode(said["contact"].as_str().unwrap()).unwrap();
    assert_eq!(phone.secret.open_contact(&sealed).unwrap().phone.as_deref(), Some("03000055101"));
    assert!(!String::from_utf8_lossy(&sealed).contains("0055101"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_a_picture_and_two_addresses_hold_the_link_and_nothing_of_why() {
    let world = World::with_door().await;
    let age = AgeSaid {
        said: Said::Years { n: 4 },
        on: time::OffsetDateTime::now_utc().date(),
        by: "mother".into(),
    };
    let number = |number: &str, safe_to_text, voice_only| Phone {
        number: number.to_owned().into(),
        owner: "self".into(),
        safe_to_call: true,
        safe_to_text,
        voice_only,
        ..Phone::default()
    };
    let registration = Registration {
        name: "Ayesha Bibi".into(),
        sex: Sex::Female,
        age: Some(age),
        no_paper: Some("none".into()),
        // A husband's, which is not to be texted, comes first.
        phones: vec![number("0301 1111111", false, false), number("0302 2222222", true, false)],
        ..Registration::default()
    };
    let patient = ask(&world.doctor, Register { registration, shared_cnic: None }).await.unwrap();
    let visit = written(&world, &patient).await;
    ask(&world.doctor, SignVisit { id: visit.id }).await.unwrap();
    let link = link(&world, &patient).await;

    let decoded = |address: &str, start: &str| {
        let body = address.strip_prefix(start).unwrap_or_else(|| panic!("{start}"));
        assert!(body.chars().all(|c| c.is_ascii_alphanumeric() || "%".contains(c)), "all else is encoded");
        percent_decode_str(body).decode_utf8().unwrap().into_owned()
    };
    let sms = decoded(&link.sms.0, &format!("sms:{}?body=", digits(&link.sms.0)));
    let whatsapp = decoded(&link.whatsapp.0, &format!("https://wa.me/{}?text=", digits(&link.whatsapp.0)));
    assert!(digits(&link.sms.0).ends_with("3022222222") && digits(&link.whatsapp.0).ends_with("3022222222"));
    assert!(!digits(&link.whatsapp.0).contains('+'), "wa.me wants digits only");
    for said in [&sms, &whatsapp, &link.message.0] {
        assert_eq!(said.matches(link.url.0.as_str()).count(), 1);
        assert_eq!(said, &link.message.0);
        let lower = said.to_lowercase();
        for private in [
            "ayesha",
            "bibi",
            "fever",
            "cough",
            "amoxicillin",
            "bhu",
            "kot radha",
            "kasur",
            "dhq",
            "clinic",
            "hospital",
            "pediatric",
            "medicine",
            "patient",
            "ill",
            "mango",
            "bukhar",
            "کلینک",
            "ہسپتال",
            "بیمار",
            "مریض",
            "علاج",
        ] {
            let told = lower.replace(&link.url.0.to_lowercase(), "").replace("will", "");
            assert!(!told.contains(private), "it says {private:?}");
        }
    }
    assert_eq!(scanned(&link.qr.0), link.url.0);
}

/// The number in an address, between its scheme or path and its query.
fn digits(address: &str) -> String {
    let end = address.find('?').unwrap();
    let start = address[..end].rfind([':', '/']).unwrap() + 1;
    address[start..end].to_owned()
}

/// The code of an SVG whose path is rectangles (`M x y h w v h H x V y`), read as a camera does.
fn scanned(data_url: &str) -> String {
    let svg = data_url.strip_prefix("data:image/svg+xml;base64,").unwrap();
    let svg = String::from_utf8(STANDARD.decode(svg).unwrap()).unwrap();
    let attribute =
        |name: &str| svg.split(&format!(" {name}=\"")).nth(1).unwrap().split('"').next().unwrap().to_owned();
    let side: usize = attribute("width").parse().unwrap();
    let mut gray = vec![255_u8; side * side];
    for path in svg.split(" d=\"").skip(1) {
        let path = path.split('"').next().unwrap();
        for rectangle in path.split('M').skip(1) {
            let numbers: Vec<usize> = rectangle
                .split(|c: char| !c.is_ascii_digit())
                .filter(|text| !text.is_empty())
                .take(4)
                .map(|text| text.parse().unwrap())
                .collect();
            let [left, top, width, height] = numbers[..] else { panic!("not a rectangle: {rectangle}") };
            for y in top..top + height {
                gray[y * side + left..y * side + left + width].fill(0);
            }
        }
    }
    // It is another code each time, and not every one is seen from every distance.
    let read = |times: usize| {
        let (width, height) = (side * times, side * times);
        let mut seen = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
            gray[y / times * side + x / times]
        });
        seen.detect_grids().iter().find_map(|grid| grid.decode().ok()).map(|(_, text)| text)
    };
    [1, 2, 3, 4].into_iter().find_map(read).expect("the code can be read")
}
