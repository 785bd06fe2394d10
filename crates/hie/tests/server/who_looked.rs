//! The audit: its shape, what laptops send, and the answer to "who looked?".

use std::{
    io::Write,
    process::{Command, Stdio},
};

use rabta_domain::fhir::audit::{Act, AuditEvent, Outcome as Ended, to_bundle};
use rabta_hie::admin::{Reply, Request};
use rabta_wire::{Id, care::PURPOSE_HEADER, envelope::Kind, log::Outcome};
use serde_json::{Value, json};
use time::macros::datetime;

use super::asks::ask;
use crate::support::{
    Draft, Member, NOON, Sealed, id,
    server::{Server, said},
};

/// A batch as a laptop writes it.
fn batch(member: &mut Member, events: &[AuditEvent]) -> Sealed {
    let payload = to_bundle(events, datetime!(2026-11-22 10:00 UTC), &mut || id().to_string());
    let mut draft = Draft::new(Kind::Audit, id(), payload);
    draft.patient = None;
    member.write(draft)
}

fn event(member: &Member, act: Act, patient: Id, what: &str) -> AuditEvent {
    AuditEvent {
        id: id().to_string(),
        act,
        outcome: Ended::Success,
        at: datetime!(2026-11-20 08:15 UTC),
        person: member.person.to_string(),
        device: member.device.to_string(),
        facility: member.facility.to_string(),
        patient: Some(patient.to_string()),
        what: what.into(),
        parameters: vec![],
        purpose: None,
    }
}

/// What BALP 1.1 fixes for each pattern: action, subtype, the client's and the server's agent type, the user's, and the
/// types and roles of entities (IHE ITI BALP, StructureDefinition-IHE.BasicAudit.Patient*).
const PATTERNS: [(&str, &str, &str, &str, &str, &str, &[&str]); 3] = [
    ("PatientRead", "R", "read", "110152", "110153", "IRCP", &["1/1", "2/4"]),
    ("PatientQuery", "E", "search", "110153", "110152", "IRCP", &["1/1", "2/24"]),
    ("PatientCreate", "C", "create", "110153", "110152", "AUT", &["1/1", "2/4"]),
];

#[tokio::test]
async fn audit_events_have_the_shapes_of_balp() {
    let server = Server::start().await;
    let ask = ask(&server).await;
    let patient = ask.patient;
    said(server.get(&ask.doctors, &format!("/fhir/Patient/{patient}"))).await;
    said(server.get(&ask.doctors, &format!("/fhir/Observation?patient={patient}"))).await;
    let operator = server.operator(ask.clinic).await;
    let (_, all) = said(server.get(&operator, &format!("/fhir/AuditEvent?patient={patient}"))).await;
    let events: Vec<&Value> = all["entry"].as_array().unwrap().iter().map(|e| &e["resource"]).collect();
    for (profile, action, subtype, client, server_side, user, entities) in PATTERNS {
        let url = format!("https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.{profile}");
        let found = events.iter().find(|e| e["meta"]["profile"][0] == url.as_str());
        let event = found.unwrap_or_else(|| panic!("no {profile}"));
        assert_eq!((&event["type"]["code"], &event["action"]), (&json!("rest"), &json!(action)), "{profile}");
        assert_eq!(event["subtype"][0]["code"], subtype, "{profile}");
        assert_eq!(event["outcome"], "0");
        let agent = |code: &str| {
            let agents = event["agent"].as_array().unwrap();
            let of_type: Vec<&Value> =
                agents.iter().filter(|a| a["type"]["coding"][0]["code"] == code).collect();
            assert_eq!(of_type.len(), 1, "{profile}: {code}");
            of_type[0].clone()
        };
        assert_eq!(agent(client)["who"]["reference"], format!("Device/{}", ask.doctor.device), "{profile}");
        assert_eq!(agent(server_side)["who"]["display"], "rabta-hie", "{profile}");
        let person = agent(user);
        assert_eq!(person["who"]["reference"], format!("Practitioner/{}", ask.doctor.person), "{profile}");
        assert_eq!((&person["requestor"], person.get("network")), (&json!(true), None), "{profile}");
        if profile != "PatientCreate" {
            assert_eq!(agent(client)["network"], json!({"address": "127.0.0.1", "type": "2"}), "{profile}");
            assert_eq!(person["purposeOfUse"][0]["coding"][0]["code"], "TREAT", "{profile}");
        }
        let found: Vec<String> = event["entity"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| {
                format!("{}/{}", e["type"]["code"].as_str().unwrap(), e["role"]["code"].as_str().unwrap())
            })
            .collect();
        assert_eq!(found, entities, "{profile}");
        assert_eq!(event["entity"][0]["what"]["reference"], format!("Patient/{patient}"), "{profile}");
    }
}

#[tokio::test]
async fn what_laptops_audited_is_taken_and_found_under_the_patient() {
    let server = Server::start().await;
    let mut ask = ask(&server).await;
    let visit = format!("Encounter/{}", id());
    let opened = event(&ask.specialist, Act::Read, ask.patient, &format!("Task/{}", ask.task));
    let printed = event(&ask.specialist, Act::Print, ask.patient, &visit);
    let sealed = batch(&mut ask.specialist, &[opened, printed]);
    let acks = server.push(&ask.specialists, &[sealed]).await;
    assert!(matches!(acks[0].outcome, Outcome::Durable { .. }), "{acks:?}");
    // The clinic that has the record sees what happened on the specialist's laptop; the patient's other readers do not.
    let path = format!("/fhir/AuditEvent?patient={}", ask.patient);
    let (_, found) = said(server.get(&ask.doctors, &path)).await;
    let text = found.to_string();
    assert!(text.contains("110106") && text.contains(&visit), "{text}");
    let stranger = server.operator(server.facility("C", "clinic").await).await;
    assert_eq!(said(server.get(&stranger, &path)).await.1["total"], 0);
}

#[tokio::test]
async fn a_laptop_cannot_audit_in_anothers_name_or_write_over_what_is_written() {
    let server = Server::start().await;
    let mut ask = ask(&server).await;
    let refused = |outcome: &Outcome| matches!(outcome, Outcome::Refused { code, .. } if code == "audit");

    let mut of_colleague = event(&ask.specialist, Act::Read, ask.patient, "Task/x");
    of_colleague.person = ask.doctor.person.to_string();
    let mut of_device = event(&ask.specialist, Act::Read, ask.patient, "Task/x");
    of_device.device = ask.doctor.device.to_string();
    for forged in [of_colleague, of_device] {
        let sealed = batch(&mut ask.specialist, &[forged]);
        let acks = server.push(&ask.specialists, &[sealed]).await;
        assert!(refused(&acks[0].outcome), "{acks:?}");
    }
    let looked = event(&ask.specialist, Act::Read, ask.patient, "Task/x");
    let mut hidden = looked.clone();
    hidden.patient = None;
    let first = batch(&mut ask.specialist, &[looked]);
    let over = batch(&mut ask.specialist, &[hidden]);
    let acks = server.push(&ask.specialists, &[first, over]).await;
    assert!(matches!(acks[0].outcome, Outcome::Durable { .. }) && refused(&acks[1].outcome), "{acks:?}");
}

#[tokio::test]
async fn the_operator_is_told_who_looked_when_from_where_at_what_and_why() {
    let server = Server::start().await;
    let mut ask = ask(&server).await;
    let mr = "3740-000123-4";
    let operator = server.operator(ask.clinic).await;
    let path = format!("/fhir/Patient/{}", ask.patient);
    let (_, mut patient) = said(server.get(&operator, &path)).await;
    patient["identifier"] = json!([{"system": "https://rabta.health/fhir/sid/mr", "value": mr}]);
    assert_eq!(said(server.put(&operator, &path, &patient)).await.0, 200);
    server.advance(3600);
    let since = server.now();

    let far = server.facility("C", "hospital").await;
    let (stranger, _) = server.join(far, "doctor").await;
    let token = server.token(&stranger).await;
    said(server.search(&token, "Patient", &format!("identifier=https://rabta.health/fhir/sid/mr|{mr}")))
        .await;
    let wish = json!({"patient": ask.patient, "reason": "other", "text": "fell from a roof, cannot speak"});
    let broken = server.http.post(server.url("/v1/break-glass")).bearer_auth(&token).json(&wish);
    assert_eq!(said(broken).await.0, 201);
    assert_eq!(said(server.get(&token, &path).header(PURPOSE_HEADER, "ETREAT")).await.0, 200);
    let printed = event(&ask.doctor, Act::Print, ask.patient, "Encounter/e");
    let sealed = batch(&mut ask.doctor, &[printed]);
    let doctors = server.token(&ask.doctor).await;
    server.push(&doctors, &[sealed]).await;

    let who = async |patient: &str, since: Option<i64>| {
        let since = since.map(|ms| {
            let at = time::OffsetDateTime::from_unix_timestamp(ms / 1000).unwrap();
            at.format(&time::format_description::well_known::Rfc3339).unwrap()
        });
        match server.admin(Request::Audit { patient: patient.into(), since }).await {
            Reply::Audit(reports) => reports,
            _ => panic!("no report"),
        }
    };
    let reports = who(mr, Some(since)).await;
    let [report] = reports.as_slice() else { panic!("{} patients", reports.len()) };
    assert_eq!(report.patient, ask.patient.to_string());
    let acts: Vec<(&str, &str, &str)> =
        report.acts.iter().map(|a| (a.act.as_str(), a.place.as_str(), a.facility.as_str())).collect();
    // All came within the same second of this clock: their order among each other is not told.
    let mut sorted = acts.clone();
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        [
            ("emergency access", "hie", "C"),
            ("print", "laptop", "A"),
            ("read", "hie", "C"),
            ("search", "hie", "C")
        ]
    );
    let act = |name: &str| report.acts.iter().find(|a| a.act == name).unwrap();
    let emergency = act("emergency access");
    assert_eq!((emergency.who.as_str(), emergency.purpose.as_deref()), ("a doctor (doctor)", Some("ETREAT")));
    assert!(emergency.reason.as_deref().unwrap().contains("fell from a roof"));
    assert_eq!(emergency.device.as_deref(), Some("a laptop"));
    assert_eq!(act("read").from.as_deref(), Some("127.0.0.1"));
    assert_eq!(act("read").what[1], format!("Patient/{}", ask.patient));
    assert_eq!(
        act("search").what[1],
        "Patient by identifier",
        "what was looked for by is told, its value not"
    );
    let print = act("print");
    assert_eq!((print.recorded.as_str(), &print.received[..10]), ("2026-11-20T08:15:00Z", "2026-11-22"));
    let words = report.words();
    for said in
        ["a doctor (doctor), C", "device a laptop", "from 127.0.0.1", "ETREAT", "on the laptop (received"]
    {
        assert!(words.contains(said), "{said}: {words}");
    }
    assert!(!words.contains(mr) && !words.contains("Zohra"));

    // The command says the same, in words and as JSON; the number may come by the input.
    let (folder, input) = (server.folder().to_owned(), format!("{mr}\n"));
    let (words, json) = tokio::task::spawn_blocking(move || {
        let ask = |json: bool| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_rabta-hie"));
            command.args(["audit", "--patient", "-", "--since", "2026-11-22", "--data"]).arg(&folder);
            if json {
                command.arg("--json");
            }
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
            let out = child.wait_with_output().unwrap();
            assert!(out.status.success());
            String::from_utf8(out.stdout).unwrap()
        };
        (ask(false), ask(true))
    })
    .await
    .unwrap();
    assert!(words.contains("emergency access") && words.contains("fell from a roof"), "{words}");
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["audit"][0]["patient"], ask.patient.to_string());

    // By id too; earlier acts where no date is given; the question itself is among them.
    let all = who(&ask.patient.to_string(), None).await;
    assert!(all[0].acts.len() > report.acts.len() + 4);
    assert!(all[0].acts.iter().any(|a| a.who == "the operator's command"));
    let unknown = Request::Audit { patient: "0000-000000-0".into(), since: None };
    assert!(rabta_hie::admin::run(&server.handle.app.db, unknown, NOON).await.is_err());
    let wrong = Request::Audit { patient: mr.into(), since: Some("yesterday".into()) };
    assert!(rabta_hie::admin::run(&server.handle.app.db, wrong, NOON).await.is_err());
}

/// What the operator did, as `rabta-hie audit --operator` lists it.
async fn deeds(server: &Server) -> Vec<(String, String, String)> {
    match server.admin(Request::OperatorActs { since: None }).await {
        Reply::OperatorActs(acts) => acts.into_iter().map(|a| (a.who, a.act, a.what.join(" "))).collect(),
        _ => panic!("no list"),
    }
}

#[tokio::test]
async fn what_the_operator_does_is_written_down_and_names_no_patient() {
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start().await;
    let ask = ask(&server).await;
    let far = server.facility("C", "hospital").await;
    let (stranger, _) = server.join(far, "doctor").await;
    let wish =
        json!({"patient": ask.patient, "reason": "unconscious", "text": "brought in, nobody knows her"});
    let token = server.token(&stranger).await;
    said(server.http.post(server.url("/v1/break-glass")).bearer_auth(&token).json(&wish)).await;
    let Reply::BreakGlass(open) = server.admin(Request::BreakGlass { open: true }).await else { panic!() };
    let grant = open[0].grant.id;
    let before = deeds(&server).await.len();

    let (clinic, person, device) = (ask.clinic, stranger.person, ask.doctor.device);
    let phone = Some("0300-1111111".to_owned());
    let specialty = Some("pediatrics".to_owned());
    let invited =
        Request::Enroll { facility: far.to_string(), person: Some(person), new: None, public: None };
    for wish in [
        invited,
        Request::CloseCodes { person },
        Request::SetRoster { person, specialty, phone, hours: "always".into() },
        Request::LeaveRoster { person },
        Request::Token { facility: clinic.to_string(), seconds: 900 },
        Request::ReserveMr {
            facility: clinic.to_string(),
            first: 900_001,
            last: 900_100,
            purpose: "x".into(),
        },
        Request::ReviewBreakGlass { grant, note: "asked the ward: justified".into(), end: true },
        Request::RevokeDevice { device },
        Request::RevokePerson { person },
        Request::RevokeFacility { facility: far.to_string() },
        Request::RotateKey { again: false },
        Request::Backup { folder: temp.path().join("backups"), keep: 3 },
    ] {
        server.advance(1);
        server.admin(wish).await;
    }
    // What was refused did not happen.
    let refused = Request::RevokeDevice { device };
    assert!(rabta_hie::admin::run(&server.handle.app.db, refused, server.now()).await.is_err());

    let all = deeds(&server).await;
    let (by_command, of) = ("the operator's command", |kind: &str, id: Id| format!("{kind}/{id}"));
    let done: Vec<(&str, &str, &str)> =
        all[before..].iter().map(|(who, act, what)| (who.as_str(), act.as_str(), what.as_str())).collect();
    let (person, device) = (of("Practitioner", person), of("Device", device));
    let (clinic, hospital) = (of("Organization", clinic), of("Organization", far));
    let review = format!("{grant}, ended");
    let expected = [
        ("make-enrollment-code", person.as_str()),
        ("close-codes", &person),
        ("set-roster", &person),
        ("leave-roster", &person),
        ("issue-token", &clinic),
        ("reserve-numbers", &clinic),
        ("review-break-glass", &review),
        ("revoke-device", &device),
        ("revoke-person", &person),
        ("revoke-facility", &hospital),
    ];
    let (acts, last) = done.split_at(expected.len());
    assert_eq!(acts, expected.map(|(act, what)| (by_command, act, what)));
    let [rotated, saved] = last else { panic!("{last:?}") };
    assert_eq!(*rotated, (by_command, "rotate-key", ""));
    assert!(saved.1 == "backup" && saved.2.ends_with(".json"), "{saved:?}");
    assert!(!format!("{all:?}").contains(&ask.patient.to_string()));

    // The command lists it, and nobody reads it as a patient's or a facility's.
    let folder = server.folder().to_owned();
    let words = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rabta-hie"));
        let out = command
            .args(["audit", "--operator", "--since", "2026-11-22", "--data"])
            .arg(&folder)
            .output()
            .unwrap();
        assert!(out.status.success());
        String::from_utf8(out.stdout).unwrap()
    });
    let words = words.await.unwrap();
    assert!(words.contains(&format!("the operator's command: revoke-device {device}")), "{words}");
    let operator = server.operator(ask.clinic).await;
    let (_, seen) = said(server.get(&operator, "/fhir/AuditEvent")).await;
    assert!(!seen.to_string().contains("operator-act"));
}
