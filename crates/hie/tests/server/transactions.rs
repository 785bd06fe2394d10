use serde_json::{Value, json};

use crate::support::server::{Server, code, said};

async fn clinic() -> (Server, String) {
    let server = Server::start().await;
    let facility = server.facility("A", "clinic").await;
    let token = server.operator(facility).await;
    (server, token)
}

fn transaction(entries: &[Value]) -> Value {
    json!({"resourceType": "Bundle", "type": "transaction", "entry": entries})
}

fn entry(url: &str, resource: Value, method: &str, target: &str) -> Value {
    json!({"fullUrl": url, "resource": resource, "request": {"method": method, "url": target}})
}

const ONE: &str = "urn:uuid:01020304-0506-4708-890a-0b0c0d0e0f10";
const TWO: &str = "urn:uuid:01020304-0506-4708-890a-0b0c0d0e0f11";

fn patient() -> Value {
    json!({"resourceType": "Patient", "id": "what-the-client-calls-it", "name": [{"text": "A"}]})
}

fn observation(subject: &str) -> Value {
    json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": subject}})
}

#[tokio::test]
async fn references_between_entries_are_resolved() {
    let (server, token) = clinic().await;
    // The one that refers comes first.
    let bundle = transaction(&[
        entry(TWO, observation(ONE), "POST", "Observation"),
        entry(ONE, patient(), "POST", "Patient"),
    ]);
    let (status, done) = said(server.post(&token, "/fhir", &bundle)).await;
    assert_eq!((status, done["type"].as_str()), (200, Some("transaction-response")));
    let location = |i: usize| done["entry"][i]["response"]["location"].as_str().unwrap().to_owned();
    let who = location(1).split('/').nth(1).unwrap().to_owned();
    let (_, read) = said(server.get(&token, &format!("/fhir/{}", location(0)))).await;
    assert_eq!(read["subject"]["reference"], format!("Patient/{who}"));
    let (_, read) = said(server.get(&token, &format!("/fhir/Patient/{who}"))).await;
    assert_eq!(read["id"], who.as_str());
    assert_eq!(said(server.get(&token, &format!("/fhir/Observation?patient={who}"))).await.1["total"], 1);
}

#[tokio::test]
async fn a_transaction_is_all_or_nothing() {
    let (server, token) = clinic().await;
    let unknown = json!({"resourceType": "Starship"});
    let id = crate::support::id().to_string();
    let known = json!({"resourceType": "Patient", "id": id});
    said(server.put(&token, &format!("/fhir/Patient/{id}"), &known)).await;
    let stale = json!({"resource": known, "request": {"method": "PUT", "url": format!("Patient/{id}"), "ifMatch": "W/\"7\""}});
    let (_, before) = said(server.get(&token, "/fhir/AuditEvent")).await;
    for (bad, status, wanted) in [
        (entry(TWO, unknown, "POST", "Starship"), 422, "unknown-resource"),
        (entry(TWO, observation("Patient/nobody"), "POST", "Observation"), 422, "wrong-reference"),
        (
            entry(TWO, observation("urn:uuid:01020304-0506-4708-890a-0b0c0d0e0f99"), "POST", "Observation"),
            422,
            "wrong-reference",
        ),
        (
            entry(TWO, json!({"resourceType": "Patient", "birthDate": "2030"}), "POST", "Patient"),
            422,
            "birth-date-future",
        ),
        (entry(ONE, patient(), "POST", "Patient"), 400, "twice"),
        (entry(TWO, patient(), "DELETE", "Patient/x"), 400, "request"),
        (entry(TWO, patient(), "PUT", "Patient?identifier=x|1"), 412, "conditional"),
        (
            json!({"resource": patient(), "request": {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=x"}}),
            412,
            "conditional",
        ),
        (stale, 412, "version"),
    ] {
        let bundle = transaction(&[entry(ONE, patient(), "POST", "Patient"), bad]);
        let (found, outcome) = said(server.post(&token, "/fhir", &bundle)).await;
        assert_eq!((found, code(&outcome)), (status, wanted));
        assert!(
            outcome["issue"][0]["expression"][0].as_str().unwrap().starts_with("Bundle.entry[1]"),
            "{outcome}"
        );
        assert_eq!(said(server.search(&token, "Patient", "_summary=count")).await.1["total"], 1);
    }
    // Nothing but the searches was audited either.
    let (_, after) = said(server.get(&token, "/fhir/AuditEvent")).await;
    assert_eq!(after["total"].as_i64().unwrap() - before["total"].as_i64().unwrap(), 10);
}

#[tokio::test]
async fn put_with_the_clients_ids_can_be_sent_again() {
    let (server, token) = clinic().await;
    let id = crate::support::id().to_string();
    let put = entry(
        &format!("urn:uuid:{id}"),
        json!({"resourceType": "Patient", "id": id}),
        "PUT",
        &format!("Patient/{id}"),
    );
    let seen = entry(TWO, observation(&format!("urn:uuid:{id}")), "POST", "Observation");
    let bundle = transaction(&[put, seen]);
    for version in 1..=2 {
        let (status, done) = said(server.post(&token, "/fhir/", &bundle)).await;
        assert_eq!(status, 200);
        assert_eq!(done["entry"][0]["response"]["etag"], format!("W/\"{version}\""));
    }
}

#[tokio::test]
async fn only_transactions_are_taken_at_the_base() {
    let (server, token) = clinic().await;
    for (body, wanted) in [
        (json!({"resourceType": "Bundle", "type": "batch", "entry": []}), "type"),
        (json!({"resourceType": "Patient"}), "type"),
        (json!([]), "malformed"),
    ] {
        let (status, outcome) = said(server.post(&token, "/fhir", &body)).await;
        assert_eq!((status, code(&outcome)), (400, wanted));
    }
    assert_eq!(said(server.post(&token, "/fhir", transaction(&[]))).await.0, 200);
}
