use serde_json::{Value, json};

use crate::support::{
    NOON, key,
    server::{Server, code, said},
};

#[tokio::test]
async fn without_a_token_nothing_is_read_and_the_answer_tells_the_time() {
    let server = Server::start().await;
    for path in ["/fhir/Patient", "/fhir/Patient/x", "/v1/changes", "/v1/ws"] {
        let (status, outcome) = said(server.http.get(server.url(path))).await;
        assert_eq!((status, code(&outcome)), (401, "token-missing"), "{path}");
        assert!(outcome.to_string().contains("2026-11-22T"), "{path}");
    }
    let answer = server.http.get(server.url("/fhir/Patient")).send().await.unwrap();
    assert_eq!(answer.headers()["date"], "Sun, 22 Nov 2026 10:00:00 GMT");
    assert_eq!(answer.headers()["rabta-epoch"], server.handle.app.db.settings.epoch.to_string());
    assert_eq!(said(server.http.get(server.url("/fhir/metadata"))).await.0, 200);
}

#[tokio::test]
async fn a_token_expires_after_ten_minutes() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let (doctor, _) = server.join(clinic, "doctor").await;
    let token = server.token(&doctor).await;
    assert!(token.len() <= 32);
    server.advance(599);
    assert_eq!(said(server.get(&token, "/fhir/Patient")).await.0, 200);
    server.advance(2);
    let (status, outcome) = said(server.get(&token, "/fhir/Patient")).await;
    assert_eq!((status, code(&outcome)), (401, "token-unknown"));

    let operator = server.operator(clinic).await;
    server.advance(901);
    assert_eq!(said(server.get(&operator, "/fhir/Patient")).await.0, 401);
}

#[tokio::test]
async fn an_assertion_is_good_once_and_by_the_servers_clock() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let (doctor, _) = server.join(clinic, "doctor").await;
    let good = Server::assertion(&doctor, NOON / 1000);
    assert_eq!(server.ask_token(&good).await.status(), 200);
    assert_eq!(server.ask_token(&good).await.status(), 401, "replayed");
    // A laptop that lives in 1970, and one that lives ahead.
    for at in [0, NOON / 1000 + 3600] {
        let answer = server.ask_token(&Server::assertion(&doctor, at)).await;
        assert_eq!(answer.status(), 401);
        assert!(answer.headers().contains_key("date"));
        let said: Value = answer.json().await.unwrap();
        assert_eq!(
            (said["error"].as_str(), said["hie_time"].as_str()),
            (Some("invalid_client"), Some("2026-11-22T10:00:00Z"))
        );
    }
    assert_eq!(
        server.ask_token(&Server::assertion(&doctor, NOON / 1000 - 50)).await.status(),
        200,
        "within the leeway"
    );
    let mut thief = doctor.clone();
    thief.device_key = key();
    assert_eq!(server.ask_token(&Server::assertion(&thief, NOON / 1000)).await.status(), 401);
    let mut colleague = doctor.clone();
    colleague.person = crate::support::id();
    assert_eq!(server.ask_token(&Server::assertion(&colleague, NOON / 1000)).await.status(), 401);
    // An algorithm that the header asks for is not a choice.
    let none = good.replacen(good.split('.').next().unwrap(), "eyJhbGciOiJub25lIn0", 1);
    assert_eq!(server.ask_token(&none).await.status(), 401);
}

#[tokio::test]
async fn an_assertion_is_good_once_across_a_restart() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let (doctor, _) = server.join(clinic, "doctor").await;
    let assertion = Server::assertion(&doctor, NOON / 1000);
    assert_eq!(server.ask_token(&assertion).await.status(), 200);
    let server = server.restart().await;
    assert_eq!(server.ask_token(&assertion).await.status(), 401);
}

#[tokio::test]
async fn a_revoked_devices_token_opens_nothing() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let (doctor, _) = server.join(clinic, "doctor").await;
    let token = server.token(&doctor).await;
    server.admin(rabta_hie::admin::Request::RevokeDevice { device: doctor.device }).await;
    assert_eq!(said(server.get(&token, "/fhir/Patient")).await.0, 401);
    assert_eq!(server.ask_token(&Server::assertion(&doctor, NOON / 1000)).await.status(), 401);
}

#[tokio::test]
async fn another_facilitys_patient_is_not_there_and_not_counted() {
    let server = Server::start().await;
    let (here, there) = (server.facility("A", "clinic").await, server.facility("B", "clinic").await);
    let (ours, theirs) = (server.operator(here).await, server.operator(there).await);
    let patient = json!({"resourceType": "Patient", "name": [{"text": "Zohra"}], "identifier": [{"system": "x", "value": "1"}]});
    let (status, made) = said(server.post(&theirs, "/fhir/Patient", &patient)).await;
    assert_eq!(status, 201);
    let id = made["id"].as_str().unwrap();
    said(server.post(&ours, "/fhir/Patient", &patient)).await;

    let nothing = said(server.get(&ours, &format!("/fhir/Patient/{}", crate::support::id()))).await;
    for path in [
        format!("/fhir/Patient/{id}"),
        format!("/fhir/Patient/{id}/_history"),
        format!("/fhir/Patient/{id}/_history/1"),
    ] {
        assert_eq!(said(server.get(&ours, &path)).await, nothing, "{path}");
    }
    assert_eq!(nothing.0, 404);
    for form in ["", "name=zohra", "identifier=x|1", &format!("_id={id}"), "_summary=count"] {
        let (_, bundle) = said(server.search(&ours, "Patient", form)).await;
        let mine = i64::from(!form.starts_with("_id"));
        assert_eq!(bundle["total"], mine, "{form}");
        assert!(!bundle.to_string().contains(id), "{form}");
    }
    // Nor written over, nor referred to.
    let mut over = patient.clone();
    over["id"] = id.into();
    assert_eq!(said(server.put(&ours, &format!("/fhir/Patient/{id}"), &over)).await.0, 403);
    let observation = json!({
        "resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": format!("Patient/{id}")},
    });
    let (status, outcome) = said(server.post(&ours, "/fhir/Observation", &observation)).await;
    assert_eq!((status, code(&outcome)), (422, "wrong-reference"));
}

#[tokio::test]
async fn a_device_writes_by_envelopes_only_and_an_operator_by_fhir_only() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let (doctor, _) = server.join(clinic, "doctor").await;
    let token = server.token(&doctor).await;
    let (status, outcome) =
        said(server.post(&token, "/fhir/Patient", json!({"resourceType": "Patient"}))).await;
    assert_eq!((status, code(&outcome)), (403, "write-by-envelope"));
    let operator = server.operator(clinic).await;
    let (status, outcome) = said(server.get(&operator, "/v1/changes")).await;
    assert_eq!((status, code(&outcome)), (403, "device-only"));
}

#[tokio::test]
async fn every_act_leaves_one_audit_event() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let operator = server.operator(clinic).await;
    let (_, made) = said(server.post(
        &operator,
        "/fhir/Patient",
        json!({"resourceType": "Patient", "name": [{"text": "Zohra"}]}),
    ))
    .await;
    let id = made["id"].as_str().unwrap();
    server.advance(1);
    said(server.get(&operator, &format!("/fhir/Patient/{id}"))).await;
    server.advance(1);
    said(server.search(&operator, "Patient", "name=zohra")).await;
    said(server.get(&operator, &format!("/fhir/Observation?patient={id}"))).await;
    let (_, bundle) =
        said(server.get(&operator, &format!("/fhir/AuditEvent?patient={id}&_sort=_lastUpdated"))).await;
    let subtypes: Vec<&str> = bundle["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e.pointer("/resource/subtype/0/code").unwrap().as_str().unwrap())
        .collect();
    assert_eq!(subtypes, ["create", "read", "search"]);
    assert_eq!(bundle["total"], 3);
    let (_, all) = said(server.get(&operator, "/fhir/AuditEvent")).await;
    let search = all["entry"]
        .as_array()
        .unwrap()
        .iter()
        .find(|e| e.pointer("/resource/subtype/0/code").unwrap() == "search");
    let profile = search.unwrap().pointer("/resource/meta/profile/0").unwrap().as_str().unwrap();
    assert!(profile.contains("IHE.BasicAudit.") && profile.ends_with("Query"), "{profile}");
    let (status, outcome) = said(server.post(&operator, "/fhir/AuditEvent", json!({
        "resourceType": "AuditEvent", "type": {}, "recorded": "2026-11-22T10:00:00Z", "agent": [], "source": {},
    }))).await;
    assert_eq!((status, code(&outcome)), (403, "written-by-server"));
}
