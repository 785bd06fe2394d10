//! What opens another facility's record and what closes it: lookups, the broken glass, consent, lost devices.

use futures_util::StreamExt;
use rabta_hie::admin::{Reply, Request};
use rabta_wire::{
    Id,
    care::{Grants, PURPOSE_HEADER},
    envelope::Kind,
    log::{Item, Outcome, PullReply},
};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{
    asks::{Ask, ask},
    sockets::connect,
};
use crate::support::{
    Draft, Member, id, payloads,
    server::{Server, code, said},
};

const MR: &str = "https://rabta.health/fhir/sid/mr";
const CNIC: &str = "https://rabta.health/fhir/sid/pk-cnic";

async fn loaded(server: &Server, token: &str, cnic: &str, security: Value) -> String {
    let body = json!({
        "resourceType": "Patient", "gender": "female", "birthDate": "1990-05-06", "meta": {"security": security},
        "identifier": [{"system": MR, "value": format!("3740-{cnic}")}, {"system": CNIC, "value": cnic}],
        "name": [{"text": "Zohra Bibi"}], "telecom": [{"system": "phone", "value": "0300-1234567"}],
        "address": [{"text": "Chak 17"}],
    });
    let (status, made) = said(server.post(token, "/fhir/Patient", body)).await;
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn another_facilitys_patient_is_found_by_exact_identifier_and_only_the_minimum_is_told() {
    let server = Server::start().await;
    let (here, there) = (server.facility("A", "clinic").await, server.facility("B", "clinic").await);
    let (ours, theirs) = (server.operator(here).await, server.operator(there).await);
    let cnic = "35202-1234567-1";
    let patient = loaded(&server, &theirs, cnic, json!([])).await;
    let hidden = loaded(&server, &theirs, "35202-7654321-2", json!([{"code": "V"}])).await;
    let (doctor, _) = server.join(here, "doctor").await;
    let token = server.token(&doctor).await;

    for form in [format!("identifier={CNIC}|{cnic}"), format!("identifier={MR}|3740-{cnic}")] {
        let (status, found) = said(server.search(&token, "Patient", &form)).await;
        assert_eq!((status, found["total"].as_i64()), (200, Some(1)), "{form}");
        let mut shown = found["entry"][0]["resource"].clone();
        assert_eq!(shown["meta"]["tag"][0]["code"], "SUBSETTED");
        shown.as_object_mut().unwrap().remove("meta");
        assert_eq!(
            shown,
            json!({
                "resourceType": "Patient", "id": patient, "name": [{"text": "Zohra Bibi"}], "gender": "female",
                "birthDate": "1990",
                "managingOrganization": {"reference": format!("Organization/{there}"), "display": "B"},
            })
        );
    }
    // It is a look, no key: the record stays closed.
    assert_eq!(said(server.get(&token, &format!("/fhir/Patient/{patient}"))).await.0, 404);
    // Not by less than the whole identifier with its system, not by anything else, not with anything else.
    for form in [
        format!("identifier={cnic}"),
        format!("identifier=|{cnic}"),
        format!("identifier={CNIC}|"),
        format!("identifier={CNIC}|35202-1234567"),
        format!("identifier={MR}|{cnic}"),
        format!("identifier={CNIC}|{cnic},{CNIC}|35202-7654321-2"),
        format!("identifier={CNIC}|{cnic}&gender=female"),
        "name=zohra".into(),
        "name=zohra&birthdate=1990-05-06".into(),
        "phone=03001234567".into(),
        "birthdate=1990".into(),
        format!("_id={patient}"),
        format!("identifier={CNIC}|35202-7654321-2"),
    ] {
        let (status, found) = said(server.search(&token, "Patient", &form)).await;
        assert_eq!((status, found["total"].as_i64()), (200, Some(0)), "{form}");
        assert!(!found.to_string().contains(&hidden) && !found.to_string().contains(&patient), "{form}");
    }
    // Not for a program, nor for who neither registers nor treats, nor for another purpose than care.
    let exact = format!("identifier={CNIC}|{cnic}");
    assert_eq!(said(server.search(&ours, "Patient", &exact)).await.1["total"], 0);
    let (technician, _) = server.join(here, "technician").await;
    let technician = server.token(&technician).await;
    assert_eq!(said(server.search(&technician, "Patient", &exact)).await.1["total"], 0);
    let research = server.search(&token, "Patient", &exact).header(PURPOSE_HEADER, "HRESCH");
    assert_eq!(said(research).await.1["total"], 0);
    let (clerk, _) = server.join(here, "registration").await;
    assert_eq!(said(server.search(&server.token(&clerk).await, "Patient", &exact)).await.1["total"], 1);

    // Each look is audited, and the facility that has the record sees who looked.
    let (_, events) = said(server.get(&theirs, &format!("/fhir/AuditEvent?patient={patient}"))).await;
    let looks = events["entry"].as_array().unwrap().iter().map(|e| &e["resource"]);
    let looks: Vec<&Value> = looks.filter(|e| e["subtype"][0]["code"] == "search").collect();
    assert_eq!(looks.len(), 3);
    let by = |member: &Member| format!("Practitioner/{}", member.person);
    let who = looks.iter().filter(|e| e["agent"].to_string().contains(&by(&doctor))).count();
    assert_eq!(who, 2);
    assert!(looks.iter().all(|e| e["meta"]["profile"][0].as_str().unwrap().ends_with("PatientQuery")));
}

#[tokio::test]
async fn whoever_walks_through_numbers_is_stopped() {
    let server = Server::start().await;
    let (here, there) = (server.facility("A", "clinic").await, server.facility("B", "clinic").await);
    let theirs = server.operator(there).await;
    loaded(&server, &theirs, "35202-1234567-1", json!([])).await;
    let (doctor, _) = server.join(here, "doctor").await;
    let (colleague, _) = server.join(here, "doctor").await;
    let token = server.token(&doctor).await;
    let guess = async |token: &str, n: u32| {
        said(server.search(token, "Patient", &format!("identifier={CNIC}|35202-12345{n:02}-1"))).await
    };
    let mut answered = 0;
    let stopped = loop {
        let (status, outcome) = guess(&token, answered).await;
        if status != 200 {
            break (status, code(&outcome).to_owned());
        }
        answered += 1;
    };
    assert_eq!((answered, stopped), (30, (429, "slow-down".into())));
    // Another device still looks; this one again after a while. Its own facility's patients it finds all the time.
    assert_eq!(guess(&server.token(&colleague).await, 67).await.1["total"], 1);
    assert_eq!(said(server.search(&token, "Patient", "name=zohra")).await.0, 200);
    server.advance(121);
    assert_eq!(guess(&token, 67).await.1["total"], 1);
    assert_eq!(guess(&token, 67).await.0, 429);
}

fn wish(patient: &str) -> Value {
    json!({"patient": patient, "reason": "unconscious", "text": "brought in without anybody who knows her"})
}

fn breaking(server: &Server, token: &str, body: &Value) -> RequestBuilder {
    server.http.post(server.url("/v1/break-glass")).bearer_auth(token).json(body)
}

#[tokio::test]
async fn a_broken_glass_is_told_to_the_facility_that_has_the_record_and_reviewed_by_the_operator() {
    let server = Server::start().await;
    let ask = ask(&server).await;
    let far = server.facility("C", "hospital").await;
    let (stranger, _) = server.join(far, "doctor").await;
    let token = server.token(&stranger).await;
    let before = server.pull(&ask.doctors, None).await.next;
    let patient = ask.patient.to_string();

    let emergency = |path: &str| server.get(&token, path).header(PURPOSE_HEADER, "ETREAT");
    let path = format!("/fhir/Patient/{patient}");
    assert_eq!(said(emergency(&path)).await.0, 404);
    let (status, grant) = said(breaking(&server, &token, &wish(&patient))).await;
    assert_eq!((status, grant["ends_at"].as_i64()), (201, Some(server.now() + 24 * 3600 * 1000)));
    assert_eq!(said(emergency(&path)).await.0, 200);
    assert_eq!(said(emergency(&format!("/fhir/Observation?patient={patient}"))).await.1["total"], 1);

    // The clinic's laptops pull the notice: an AuditEvent with who, why and until when it may be asked about.
    let news = server.pull(&ask.doctors, Some(before.to_string())).await;
    let notices: Vec<Value> = news
        .changes
        .iter()
        .filter_map(|c| match &c.item {
            Item::Resource { kind, body, .. } if kind == "AuditEvent" => serde_json::from_slice(body).ok(),
            _ => None,
        })
        .collect();
    let [notice] = notices.as_slice() else { panic!("{} notices", notices.len()) };
    assert_eq!(notice["subtype"][0]["code"], "110127");
    assert_eq!(notice["purposeOfEvent"][0]["coding"][0]["code"], "ETREAT");
    let why = notice["purposeOfEvent"][0]["text"].as_str().unwrap();
    assert!(why.contains("unconscious") && why.contains("brought in"), "{why}");
    let user = notice["agent"].as_array().unwrap().iter().find(|a| a["type"]["coding"][0]["code"] == "IRCP");
    let user = user.unwrap();
    assert_eq!(user["who"]["reference"], format!("Practitioner/{}", stranger.person));
    assert_eq!(user["purposeOfUse"][0]["coding"][0]["code"], "ETREAT");

    // Who has the record, and who broke the glass, list it; nobody else does.
    let list = async |token: &str| {
        let answer = server.get(token, "/v1/break-glass").send().await.unwrap();
        answer.json::<Grants>().await.unwrap().grants.len()
    };
    assert_eq!((list(&ask.doctors).await, list(&token).await, list(&ask.specialists).await), (1, 1, 0));
    let Reply::BreakGlass(all) = server.admin(Request::BreakGlass { open: true }).await else { panic!() };
    assert_eq!((all.len(), all[0].owner.as_str(), all[0].facility.as_str()), (1, "A", "C"));
    let (grant, note) = (all[0].grant.id, "asked the ward: justified".to_owned());
    server.admin(Request::ReviewBreakGlass { grant, note, end: false }).await;
    let Reply::BreakGlass(left) = server.admin(Request::BreakGlass { open: true }).await else { panic!() };
    assert!(left.is_empty());
    assert_eq!(said(emergency(&path)).await.0, 200, "a review ends nothing by itself");
}

#[tokio::test]
async fn a_glass_is_broken_for_a_reason_by_who_treats_at_anothers_record() {
    let server = Server::start().await;
    let ask = ask(&server).await;
    let far = server.facility("C", "clinic").await;
    let (stranger, _) = server.join(far, "doctor").await;
    let (clerk, _) = server.join(far, "registration").await;
    let token = server.token(&stranger).await;
    let patient = ask.patient.to_string();
    let refused = async |token: &str, body: Value| {
        let (status, outcome) = said(breaking(&server, token, &body)).await;
        (status, code(&outcome).to_owned())
    };
    let with = |field: &str, value: Value| {
        let mut body = wish(&patient);
        body[field] = value;
        body
    };
    assert_eq!(refused(&token, with("reason", "curious".into())).await, (422, "reason".into()));
    assert_eq!(refused(&token, with("text", "  x  ".into())).await, (422, "reason".into()));
    assert_eq!(refused(&token, with("text", "x".repeat(501).into())).await, (422, "reason".into()));
    assert_eq!(refused(&token, with("restricted", "".into())).await, (422, "reason".into()));
    assert_eq!(refused(&token, with("purpose", "TREAT".into())).await, (422, "purpose".into()));
    assert_eq!(refused(&token, wish(&id().to_string())).await, (404, "not-found".into()));
    assert_eq!(refused(&token, json!({"patient": patient})).await, (400, "malformed".into()));
    assert_eq!(refused(&ask.doctors, wish(&patient)).await, (422, "break-glass-not-needed".into()));
    assert_eq!(refused(&server.token(&clerk).await, wish(&patient)).await, (403, "role".into()));
    assert_eq!(refused(&server.operator(far).await, wish(&patient)).await, (403, "device-only".into()));
    let Reply::BreakGlass(all) = server.admin(Request::BreakGlass { open: false }).await else { panic!() };
    assert!(all.is_empty());
}

fn consent(consent: &str, patient: Id, status: &str, provision: &str) -> Vec<u8> {
    let consent = json!({
        "resourceType": "Consent", "id": consent, "status": status,
        "scope": {"coding": [{"code": "patient-privacy"}]}, "category": [{"coding": [{"code": "59284-0"}]}],
        "patient": {"reference": format!("Patient/{patient}")}, "provision": {"type": provision},
    });
    payloads::bundle("collection", &[consent])
}

/// The kinds of resources that a pull says are gone, and of those that it brings.
fn gone_and_brought(reply: &PullReply) -> (Vec<String>, Vec<String>) {
    let (mut gone, mut brought) = (Vec::new(), Vec::new());
    for change in &reply.changes {
        if let Item::Resource { kind, body, .. } = &change.item {
            if body.is_empty() { gone.push(kind.clone()) } else { brought.push(kind.clone()) }
        }
    }
    gone.sort();
    brought.sort();
    (gone, brought)
}

fn envelopes(reply: &PullReply) -> usize {
    reply.changes.iter().filter(|c| matches!(c.item, Item::Envelope { .. })).count()
}

async fn took(server: &Server, ask: &mut Ask, draft: Draft) -> Outcome {
    let envelope = ask.doctor.write(draft);
    server.push(&ask.doctors, &[envelope]).await.remove(0).outcome
}

#[tokio::test]
async fn a_consent_taken_back_closes_the_ask_and_the_specialists_laptop_is_told() {
    let server = Server::start().await;
    let mut ask = ask(&server).await;
    let cursor = server.pull(&ask.specialists, None).await.next;
    let (_, found) = said(server.get(&ask.doctors, "/fhir/Consent")).await;
    let given = found["entry"][0]["resource"]["id"].as_str().unwrap().to_owned();
    let patient = ask.patient;

    let withdrawal = Draft::new(Kind::Consent, patient, consent(&given, patient, "inactive", "deny"));
    assert!(matches!(took(&server, &mut ask, withdrawal).await, Outcome::Durable { .. }));
    let news = server.pull(&ask.specialists, Some(cursor.to_string())).await;
    let (gone, brought) = gone_and_brought(&news);
    assert_eq!(gone, ["Composition", "Patient", "Provenance", "ServiceRequest"]);
    assert!(brought.is_empty());
    assert_eq!(envelopes(&news), 1, "the patient's word itself");
    // A laptop that comes anew gets none of it.
    assert_eq!(envelopes(&server.pull(&ask.specialists, None).await), 1);
    // The clinic's own record is as it was.
    assert_eq!(said(server.get(&ask.doctors, &format!("/fhir/Patient/{patient}"))).await.0, 200);
    assert!(gone_and_brought(&server.pull(&ask.doctors, None).await).0.is_empty());

    // Nobody else is asked, until the patient says yes again.
    let new = |task: Id, owner: Id| {
        Draft::new(Kind::ReferralNote, patient, payloads::note(task, patient, Some(owner)))
            .task(task)
            .signed()
    };
    let owner = ask.specialist.person;
    match took(&server, &mut ask, new(id(), owner)).await {
        Outcome::Refused { code, .. } => assert_eq!(code, "consent-missing"),
        other => panic!("{other:?}"),
    }
    let fresh = Draft::new(Kind::Consent, patient, consent(&id().to_string(), patient, "active", "permit"));
    assert!(matches!(took(&server, &mut ask, fresh).await, Outcome::Durable { .. }));
    let task = id();
    assert!(matches!(took(&server, &mut ask, new(task, owner)).await, Outcome::Durable { .. }));
    let later = server.pull(&ask.specialists, Some(news.next.to_string())).await;
    // The patient comes as a resource: the laptop would pass over an envelope that it has.
    assert!(gone_and_brought(&later).1.contains(&"Patient".to_owned()));
    let read = async |path: String| said(server.get(&ask.specialists, &path)).await.0;
    assert_eq!(read(format!("/fhir/Task/{task}")).await, 200);
    assert_eq!(read(format!("/fhir/Task/{}", ask.task)).await, 404, "the old ask stays closed");
}

#[tokio::test]
async fn a_specialist_may_bring_a_no_but_never_a_yes() {
    let server = Server::start().await;
    let mut ask = ask(&server).await;
    let patient = ask.patient;
    let mut bring = async |status: &str, provision: &str| {
        let said = consent(&id().to_string(), patient, status, provision);
        let said = ask.specialist.write(Draft::new(Kind::Consent, patient, said).task(ask.task));
        server.push(&ask.specialists, &[said]).await.remove(0).outcome
    };
    assert!(matches!(bring("rejected", "deny").await, Outcome::Durable { .. }));
    let path = format!("/fhir/Patient/{patient}");
    assert_eq!(said(server.get(&ask.specialists, &path)).await.0, 404);
    bring("active", "permit").await;
    assert_eq!(said(server.get(&ask.specialists, &path)).await.0, 404);
}

#[tokio::test]
async fn a_device_without_clinical_people_pulls_no_clinical_part_until_one_joins() {
    let server = Server::start().await;
    let ask = ask(&server).await;
    let (clerk, _) = server.join(ask.clinic, "registration").await;
    let token = server.token(&clerk).await;
    let desk = server.pull(&token, None).await;
    assert_eq!(envelopes(&desk), 2, "the patient and the consent");
    let all = server.pull(&ask.doctors, None).await;
    assert_eq!(envelopes(&all), 4);

    let (mut joining, mut doctor) = Server::enrollment(&server.code(ask.clinic, "doctor").await);
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use ed25519_dalek::Signer;
    joining.device = Some(clerk.device);
    joining.device_key = URL_SAFE_NO_PAD.encode(clerk.device_key.verifying_key().as_bytes());
    let words = [b"rabta enroll 1\0", joining.secret.as_bytes(), joining.person_key.as_bytes()].concat();
    joining.countersignature = URL_SAFE_NO_PAD.encode(clerk.device_key.sign(&words).to_bytes());
    let answer = server.http.post(server.url("/v1/enroll")).json(&joining).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let enrolled: rabta_wire::enroll::Enrolled = answer.json().await.unwrap();
    (doctor.device, doctor.device_key) = (clerk.device, clerk.device_key.clone());
    doctor.person = enrolled.invitation.person.id;
    let token = server.token(&doctor).await;
    let rest = server.pull(&token, Some(desk.next.to_string())).await;
    assert_eq!(envelopes(&rest), 2, "the visit and the note, which are behind the cursor");
}

#[tokio::test]
async fn a_lost_device_is_refused_at_once_everywhere() {
    let server = Server::start().await;
    let mut ask = ask(&server).await;
    let (_, page) = said(server.get(&ask.doctors, "/fhir/Composition?_count=1")).await;
    let next = page["link"].as_array().unwrap().iter().find(|l| l["relation"] == "next").unwrap();
    let next = format!("/fhir/{}", next["url"].as_str().unwrap());
    let mut socket = connect(&server, &ask.doctors).await;
    server.admin(Request::RevokeDevice { device: ask.doctor.device }).await;
    server.handle.app.changed();
    // Nobody has to wait for the next look at it.
    let closed = loop {
        match socket.next().await {
            Some(Ok(Message::Close(frame))) => break frame.map(|f| u16::from(f.code)),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(closed, Some(1008));
    for path in ["/fhir/Patient", "/v1/changes", "/v1/break-glass", "/v1/ws", next.as_str()] {
        let (status, outcome) = said(server.get(&ask.doctors, path)).await;
        assert_eq!((status, code(&outcome)), (401, "token-unknown"), "{path}");
    }
    assert_eq!(server.ask_token(&Server::assertion(&ask.doctor, server.now() / 1000)).await.status(), 401);
    // What it had not sent yet is refused, not lost: another device carries it, and the HIE says why.
    let unsent =
        ask.doctor.write(Draft::new(Kind::Visit, ask.patient, payloads::visit(ask.patient)).signed());
    let carrier = server.join(ask.clinic, "doctor").await.0;
    let acks = server.push(&server.token(&carrier).await, &[unsent]).await;
    assert!(
        matches!(&acks[0].outcome, Outcome::Refused { code, .. } if code == "device-revoked"),
        "{acks:?}"
    );
}

#[tokio::test]
async fn a_revoked_persons_token_dies_with_their_key() {
    let server = Server::start().await;
    let ask = ask(&server).await;
    server.admin(Request::RevokePerson { person: ask.specialist.person }).await;
    let (status, outcome) = said(server.get(&ask.specialists, &format!("/fhir/Task/{}", ask.task))).await;
    assert_eq!((status, code(&outcome)), (401, "token-unknown"));
}
