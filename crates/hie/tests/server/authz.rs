//! Plays `authz.table`: each of its rows is asked of the real server by read, version read, history, search and paging.

use std::collections::{BTreeMap, BTreeSet};

use rabta_domain::ask::State;
use rabta_hie::admin::Request;
use rabta_wire::{
    Id,
    care::{Grant, PURPOSE_HEADER},
    envelope::Kind,
    log::Outcome,
};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::duty::roster;
use crate::support::{
    Draft, Member, Sealed, id, payloads,
    server::{Server, said},
};

const TABLE: &str = include_str!("authz.table");

/// One line of the table: what one role may read, column by column.
struct Line {
    relation: &'static str,
    purpose: &'static str,
    role: &'static str,
    allowed: BTreeMap<&'static str, bool>,
}

fn lines() -> Vec<Line> {
    let (mut out, mut section, mut columns): (Vec<Line>, _, Vec<&str>) = (Vec::new(), ("", ""), Vec::new());
    for text in TABLE.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#')) {
        if let Some(head) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
            section = head.split_once(' ').expect("a relation and a purpose");
            continue;
        }
        let mut words = text.split_whitespace();
        let role = words.next().expect("a line is not empty");
        if role == "what" {
            columns = words.collect();
            continue;
        }
        let cells: Vec<bool> = words
            .map(|cell| match cell {
                "+" => true,
                "-" => false,
                other => panic!("{other:?} is neither + nor -"),
            })
            .collect();
        assert_eq!(cells.len(), columns.len(), "{text}");
        let (relation, purpose) = section;
        out.push(Line { relation, purpose, role, allowed: columns.iter().copied().zip(cells).collect() });
    }
    out
}

/// Three facilities, and the doctor of the one that has the records.
struct World {
    server: Server,
    a: Id,
    b: Id,
    c: Id,
    doctor: Member,
}

/// A patient of A with a visit and an ask.
struct Case {
    patient: Id,
    task: Id,
    consent: Id,
    /// What each column of the table is here: (type, id).
    what: BTreeMap<&'static str, (&'static str, String)>,
}

fn labelled(mut resource: Value, system: &str, code: &str) -> Value {
    let system = format!("http://terminology.hl7.org/CodeSystem/{system}");
    resource["meta"] = json!({"security": [{"system": system, "code": code}]});
    resource
}

fn condition(patient: Id) -> Value {
    json!({
        "resourceType": "Condition", "id": id().to_string(), "code": {"text": "c"},
        "subject": {"reference": format!("Patient/{patient}")},
    })
}

fn consent(consent: Id, patient: Id, status: &str, provision: &str) -> Vec<u8> {
    let consent = json!({
        "resourceType": "Consent", "id": consent.to_string(), "status": status,
        "scope": {"coding": [{"code": "patient-privacy"}]}, "category": [{"coding": [{"code": "59284-0"}]}],
        "patient": {"reference": format!("Patient/{patient}")}, "provision": {"type": provision},
    });
    payloads::bundle("collection", &[consent])
}

impl World {
    async fn new() -> Self {
        let server = Server::start().await;
        let a = server.facility("A", "clinic").await;
        let b = server.facility("B", "hospital").await;
        let c = server.facility("C", "clinic").await;
        let (doctor, _) = server.join(a, "doctor").await;
        Self { server, a, b, c, doctor }
    }

    async fn push(&self, envelopes: &[Sealed]) {
        let token = self.server.token(&self.doctor).await;
        for ack in self.server.push(&token, envelopes).await {
            assert!(matches!(ack.outcome, Outcome::Durable { .. }), "{ack:?}");
        }
    }

    async fn say(&mut self, case: &Case, consented: Id, status: &str, provision: &str) {
        let payload = consent(consented, case.patient, status, provision);
        let said = self.doctor.write(Draft::new(Kind::Consent, case.patient, payload));
        self.push(&[said]).await;
    }

    /// The ask is with `owner`; without one, with the pool of pediatricians.
    async fn case(&mut self, owner: Option<Id>) -> Case {
        let (patient, task, consented) = (id(), id(), id());
        let subject = json!({"reference": format!("Patient/{patient}")});
        let mut what = BTreeMap::new();
        let mut keep = |name: &'static str, resource: &Value| {
            let kind = match resource["resourceType"].as_str() {
                Some("Condition") => "Condition",
                Some("Observation") => "Observation",
                Some("Immunization") => "Immunization",
                _ => "MedicationRequest",
            };
            what.insert(name, (kind, resource["id"].as_str().unwrap().to_owned()));
        };
        let first = |code: &str| {
            json!({
                "resourceType": "Composition", "id": id().to_string(), "status": "final", "type": {"coding": [{"code": code}]},
                "date": "2026-11-22T10:00:00Z", "author": [{"display": "a doctor"}], "title": "t", "subject": subject,
            })
        };
        let mut visit = vec![first("11488-4")];
        for (name, resource) in [
            ("cond", condition(patient)),
            ("cond-R", labelled(condition(patient), "v3-Confidentiality", "R")),
            ("cond-V", labelled(condition(patient), "v3-Confidentiality", "V")),
            ("cond-HIV", labelled(condition(patient), "v3-ActCode", "HIV")),
            ("test", payloads::observation(patient)),
            (
                "vac",
                json!({
                    "resourceType": "Immunization", "id": id().to_string(), "status": "completed",
                    "vaccineCode": {"text": "v"}, "patient": subject, "occurrenceDateTime": "2026-11-22",
                }),
            ),
            (
                "med",
                json!({
                    "resourceType": "MedicationRequest", "id": id().to_string(), "status": "active", "intent": "order",
                    "subject": subject, "medicationCodeableConcept": {"text": "m"},
                }),
            ),
        ] {
            keep(name, &resource);
            visit.push(resource);
        }
        let mut note = vec![
            first("57133-1"),
            json!({
                "resourceType": "ServiceRequest", "id": id().to_string(), "status": "active", "intent": "order",
                "subject": subject,
            }),
            match owner {
                Some(_) => payloads::task_resource(task, patient, State::Requested, owner),
                None => payloads::pool_task(task, patient, State::Requested, None),
            },
        ];
        for (name, resource) in [
            ("ask", condition(patient)),
            ("ask-R", labelled(condition(patient), "v3-Confidentiality", "R")),
            ("ask-V", labelled(condition(patient), "v3-Confidentiality", "V")),
        ] {
            keep(name, &resource);
            note.push(resource);
        }
        let registered =
            self.doctor.write(Draft::new(Kind::Patient, patient, payloads::patient(patient, "Zohra Bibi")));
        let given = Draft::new(Kind::Consent, patient, consent(consented, patient, "active", "permit"));
        let given = self.doctor.write(given.after(&[registered.id]));
        let visit = Draft::new(Kind::Visit, patient, payloads::bundle("document", &visit)).signed();
        let visit = self.doctor.write(visit.after(&[registered.id]));
        let note = Draft::new(Kind::ReferralNote, patient, payloads::bundle("document", &note)).task(task);
        let note = self.doctor.write(note.after(&[given.id]).signed());
        what.insert("pay", ("Binary", visit.id.to_string()));
        self.push(&[registered, given, visit, note]).await;
        what.insert("pat", ("Patient", patient.to_string()));
        what.insert("con", ("Consent", consented.to_string()));
        let program = self.server.operator(self.a).await;
        let events = self.server.get(&program, &format!("/fhir/AuditEvent?patient={patient}&_count=1"));
        let (_, events) = said(events).await;
        let event = events.pointer("/entry/0/resource/id").and_then(Value::as_str).unwrap();
        what.insert("aud", ("AuditEvent", event.to_owned()));
        Case { patient, task, consent: consented, what }
    }

    /// Somebody at `at` who asks to open the record.
    async fn break_glass(&self, who: &Member, case: &Case, restricted: bool) -> Option<Grant> {
        let token = self.server.token(who).await;
        let mut wish = json!({
            "patient": case.patient, "reason": "unconscious", "text": "brought in without anybody who knows them",
        });
        if restricted {
            wish["restricted"] = "violence is suspected".into();
        }
        let asked = self.server.http.post(self.server.url("/v1/break-glass")).bearer_auth(token).json(&wish);
        let answer = asked.send().await.unwrap();
        if answer.status() == 201 { Some(answer.json().await.unwrap()) } else { None }
    }

    /// A reader of `role` who stands to a patient's record in `relation`, and that record. `None`: a program.
    async fn stand(&mut self, relation: &str, role: &str) -> (Case, Option<Member>, Id) {
        let at = match relation {
            "same-facility" => self.a,
            "stranger" | "glass" | "glass-v" | "glass-over" | "glass-ended" | "glass-of-colleague" => self.c,
            _ => self.b,
        };
        let reader = match role {
            "program" => None,
            role => Some(self.server.join(at, role).await.0),
        };
        let someone = self.server.join(self.b, "specialist").await.0.person;
        let owns = relation.starts_with("owner");
        let pool = matches!(relation, "in-pool" | "pool-taken");
        if let (true, Some(reader)) = (pool, &reader) {
            roster(&self.server, reader, "always").await;
        }
        let owner = reader.as_ref().filter(|_| owns).map_or(someone, |r| r.person);
        let case = self.case(Some(owner).filter(|_| !pool)).await;
        match relation {
            "same-facility" | "stranger" | "owner" | "colleague-of-owner" | "in-pool" => {}
            "pool-taken" => {
                let (mut colleague, _) = self.server.join(self.b, "specialist").await;
                roster(&self.server, &colleague, "always").await;
                let takes =
                    payloads::pool_move(case.task, case.patient, State::Accepted, Some(colleague.person));
                let takes = Draft::new(Kind::TaskMove, case.patient, takes).task(case.task).on(1).signed();
                let takes = colleague.write(takes);
                let token = self.server.token(&colleague).await;
                let acks = self.server.push(&token, &[takes]).await;
                assert!(matches!(acks[0].outcome, Outcome::Durable { .. }), "{acks:?}");
            }
            "owner-of-closed" => {
                let over = payloads::task_move(case.task, case.patient, State::Cancelled, Some(owner));
                let over = Draft::new(Kind::TaskMove, case.patient, over).task(case.task).on(1);
                let over = self.doctor.write(over);
                self.push(&[over]).await;
            }
            "owner-withdrawn" => self.say(&case, case.consent, "inactive", "deny").await,
            "owner-refused" => self.say(&case, id(), "rejected", "deny").await,
            "owner-given-again" => {
                self.say(&case, case.consent, "inactive", "deny").await;
                self.say(&case, case.consent, "active", "permit").await;
            }
            "glass" | "glass-v" => {
                self.break_glass(reader.as_ref().unwrap(), &case, relation == "glass-v").await;
            }
            "glass-over" => {
                assert!(self.break_glass(reader.as_ref().unwrap(), &case, true).await.is_some());
                self.server.advance(25 * 3600);
            }
            "glass-ended" => {
                let grant = self.break_glass(reader.as_ref().unwrap(), &case, true).await.unwrap().id;
                let note = "nobody was in danger".into();
                self.server.admin(Request::ReviewBreakGlass { grant, note, end: true }).await;
            }
            "glass-of-colleague" => {
                let (colleague, _) = self.server.join(self.c, "doctor").await;
                assert!(self.break_glass(&colleague, &case, true).await.is_some());
            }
            other => panic!("{other} is not a relation"),
        }
        (case, reader, at)
    }

    async fn token(&self, reader: Option<&Member>, at: Id) -> String {
        match reader {
            Some(member) => self.server.token(member).await,
            None => self.server.operator(at).await,
        }
    }
}

/// All ids that a search finds, page by page, and the totals that the pages told.
async fn found(first: RequestBuilder, next: impl Fn(&str) -> RequestBuilder) -> (BTreeSet<String>, Vec<i64>) {
    let (mut ids, mut totals, mut request) = (BTreeSet::new(), Vec::new(), Some(first));
    while let Some(asked) = request.take() {
        let (status, page) = said(asked).await;
        assert_eq!(status, 200, "{page}");
        totals.push(page["total"].as_i64().unwrap());
        for entry in page["entry"].as_array().into_iter().flatten() {
            ids.insert(entry["resource"]["id"].as_str().unwrap().to_owned());
        }
        let links = page["link"].as_array().unwrap();
        request = links.iter().find(|l| l["relation"] == "next").map(|l| next(l["url"].as_str().unwrap()));
    }
    (ids, totals)
}

#[tokio::test]
async fn every_row_of_the_table_holds() {
    let lines = lines();
    let rows: usize = lines.iter().map(|l| l.allowed.len()).sum();
    assert!(rows >= 200, "{rows} rows");
    let denied: usize = lines.iter().map(|l| l.allowed.values().filter(|a| !**a).count()).sum();
    assert!(denied >= 100 && rows - denied >= 100, "{denied} of {rows} are denied");

    let mut world = World::new().await;
    let mut asked = 0;
    for line in &lines {
        let (case, reader, at) = world.stand(line.relation, line.role).await;
        let token = world.token(reader.as_ref(), at).await;
        let server = &world.server;
        let row = format!("{} {} {}", line.relation, line.purpose, line.role);
        let get = |path: &str| server.get(&token, path).header(PURPOSE_HEADER, line.purpose);
        let mut wanted: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (column, allowed) in &line.allowed {
            let (kind, id) = &case.what[column];
            let path = format!("/fhir/{kind}/{id}");
            // The payload of an envelope is no resource with versions, and nothing to search.
            let versioned = *column != "pay";
            let mut paths = vec![path.clone()];
            if versioned {
                paths.extend([format!("{path}/_history/1"), format!("{path}/_history")]);
            }
            for path in paths {
                let nobody = path.replace(id, &crate::support::id().to_string());
                let answer = said(get(&path)).await;
                if *allowed {
                    assert_eq!(answer.0, 200, "{row} {column}: {path} {}", answer.1);
                } else {
                    assert_eq!(answer, said(get(&nobody)).await, "{row} {column}: {path}");
                    assert_eq!(answer.0, 404, "{row} {column}: {path}");
                }
            }
            if versioned {
                let (_, bundle) = said(get(&format!("/fhir/{kind}?_id={id}"))).await;
                assert_eq!(bundle["total"], i64::from(*allowed), "{row} {column}: total");
                let of_kind = wanted.entry(kind).or_default();
                if *allowed {
                    of_kind.insert(id.clone());
                }
            }
            asked += 1;
        }
        // One by one, over all pages: what is denied is on none of them and in no total.
        for (kind, wanted) in wanted.into_iter().filter(|(kind, _)| *kind != "AuditEvent") {
            let by = if kind == "Patient" { "_id" } else { "patient" };
            let first = get(&format!("/fhir/{kind}?{by}={}&_count=1", case.patient));
            let (ids, totals) = found(first, |url| get(&format!("/fhir/{url}"))).await;
            assert_eq!(ids, wanted, "{row}: pages of {kind}");
            assert!(totals.iter().all(|t| *t == wanted.len() as i64), "{row}: totals of {kind}: {totals:?}");
            assert_eq!(totals.len(), wanted.len().max(1), "{row}: number of pages of {kind}");
        }
    }
    assert_eq!(asked, rows);
}

#[tokio::test]
async fn a_purpose_that_nobody_knows_is_told() {
    let world = World::new().await;
    let token = world.server.token(&world.doctor).await;
    let (status, outcome) =
        said(world.server.get(&token, "/fhir/Patient").header(PURPOSE_HEADER, "CURIOUS")).await;
    assert_eq!((status, crate::support::server::code(&outcome)), (400, "purpose"));
}

/// A page that was promised before the consent was taken back has nothing on it after.
#[tokio::test]
async fn pages_to_come_close_with_the_consent() {
    let mut world = World::new().await;
    let (case, reader, at) = world.stand("owner", "specialist").await;
    let token = world.token(reader.as_ref(), at).await;
    let (_, first) =
        said(world.server.get(&token, &format!("/fhir/Condition?patient={}&_count=1", case.patient))).await;
    let links = first["link"].as_array().unwrap();
    let next = links.iter().find(|l| l["relation"] == "next").unwrap()["url"].as_str().unwrap().to_owned();
    world.say(&case, case.consent, "inactive", "deny").await;
    let (status, page) = said(world.server.get(&token, &format!("/fhir/{next}"))).await;
    assert_eq!((status, page["total"].as_i64(), page.get("entry")), (200, Some(0), None));
    // Nor is it another purpose's page.
    let other = world.server.get(&token, &format!("/fhir/{next}")).header(PURPOSE_HEADER, "ETREAT");
    assert_eq!(said(other).await.0, 410);
}

/// Another version may have had another label: neither it nor its number is told.
#[tokio::test]
async fn an_older_version_keeps_its_own_label() {
    let world = World::new().await;
    let (server, program) = (&world.server, world.server.operator(world.a).await);
    let patient = id();
    let body = json!({"resourceType": "Patient", "id": patient.to_string()});
    said(server.put(&program, &format!("/fhir/Patient/{patient}"), &body)).await;
    let open = condition(patient);
    let path = format!("/fhir/Condition/{}", open["id"].as_str().unwrap());
    let secret = labelled(open.clone(), "v3-Confidentiality", "V");
    for version in [&open, &secret, &open] {
        assert!(said(server.put(&program, &path, version)).await.0 < 300);
    }
    let (nurse, _) = server.join(world.a, "nurse").await;
    let nurse = server.token(&nurse).await;
    let read = async |path: String| said(server.get(&nurse, &path)).await.0;
    assert_eq!(read(path.clone()).await, 200);
    let found = [1, 2, 3].map(|version| read(format!("{path}/_history/{version}")));
    let [one, two, three] = found;
    assert_eq!((one.await, two.await, three.await), (200, 404, 200));
    let (_, history) = said(server.get(&nurse, &format!("{path}/_history"))).await;
    assert_eq!((history["total"].as_i64(), history["entry"].as_array().unwrap().len()), (Some(2), 2));
    let (_, all) = said(server.get(&program, &format!("{path}/_history"))).await;
    assert_eq!(all["total"], 3);
}
