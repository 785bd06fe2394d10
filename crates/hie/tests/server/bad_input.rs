use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::support::server::{Server, code, said};

async fn clinic() -> (Server, String) {
    let server = Server::start().await;
    let facility = server.facility("A", "clinic").await;
    let token = server.operator(facility).await;
    (server, token)
}

#[tokio::test]
async fn an_unknown_resource_a_wrong_type_and_broken_json_are_told_apart() {
    let (server, token) = clinic().await;
    for (path, body, status, wanted) in [
        ("/fhir/Starship", r#"{"resourceType":"Starship"}"#, 404, "unknown-type"),
        ("/fhir/Patient", r#"{"resourceType":"Starship"}"#, 422, "unknown-resource"),
        ("/fhir/Patient", r#"{"resourceType":"Device"}"#, 400, "type"),
        ("/fhir/Patient", r#"{"resourceType":"Patient""#, 400, "malformed"),
        ("/fhir/Patient", r#"{"resourceType":"Patient","active":true,"active":false}"#, 400, "malformed"),
        ("/fhir/Patient", "[]", 400, "malformed"),
        ("/fhir/Patient", r#"{"resourceType":"Patient","name":"Zohra","identifier":"1"}"#, 422, "structure"),
        ("/fhir/Patient", "", 400, "malformed"),
        ("/fhir/Observation", r#"{"resourceType":"Observation","status":"final"}"#, 422, "required"),
        (
            "/fhir/Observation",
            r#"{"resourceType":"Observation","status":"final","code":{},"subject":{"reference":"Practitioner/1"}}"#,
            422,
            "wrong-reference",
        ),
        (
            "/fhir/Observation",
            r#"{"resourceType":"Observation","status":"final","code":{},"subject":{"reference":"Patient/none"}}"#,
            422,
            "wrong-reference",
        ),
        (
            "/fhir/Observation",
            r#"{"resourceType":"Observation","status":"final","code":{},"subject":{"reference":"Patient?identifier=1"}}"#,
            422,
            "wrong-reference",
        ),
    ] {
        let (found, outcome) = said(server.post(&token, path, body)).await;
        assert_eq!((found, code(&outcome)), (status, wanted), "{body}");
    }
}

#[tokio::test]
async fn what_is_nested_ten_thousand_deep_is_refused_at_any_size_and_the_server_goes_on() {
    let (server, token) = clinic().await;
    let deep = |size: usize| {
        let (open, close) = ("[".repeat(10_000), "]".repeat(10_000));
        format!(r#"{{"resourceType":"Patient","x":{open}{}{close}}}"#, " ".repeat(size))
    };
    for size in [0, 7_900_000] {
        let (status, outcome) = said(server.post(&token, "/fhir/Patient", deep(size))).await;
        assert_eq!((status, code(&outcome)), (400, "malformed"), "{size}");
    }
    // The server may close before all of it is sent.
    if let Ok(answer) = server.post(&token, "/fhir/Patient", deep(10_000_000)).send().await {
        assert_eq!(answer.status(), 413);
    }
    let inside = format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[{{"resource":{},"request":{{"method":"POST","url":"Patient"}}}}]}}"#,
        deep(0)
    );
    let (status, outcome) = said(server.post(&token, "/fhir", inside)).await;
    assert_eq!((status, code(&outcome)), (400, "malformed"));
    assert_eq!(said(server.search(&token, "Patient", "_summary=count")).await.1["total"], 0);
    // An id that is not the one of the URL.
    let path = format!("/fhir/Patient/{}", crate::support::id());
    let body = json!({"resourceType": "Patient", "id": crate::support::id().to_string()});
    let (status, outcome) = said(server.put(&token, &path, body)).await;
    assert_eq!((status, code(&outcome)), (400, "id"));
}

#[tokio::test]
async fn a_ten_megabyte_photo_is_too_large_and_the_server_goes_on() {
    let (server, token) = clinic().await;
    let photo = STANDARD.encode(vec![7u8; 10_000_000]);
    let body = json!({"resourceType": "Binary", "contentType": "image/jpeg", "data": photo}).to_string();
    // The server may close before all of it is sent; what counts is that it was not taken.
    if let Ok(answer) = server.post(&token, "/fhir/Binary", &body).send().await {
        assert_eq!(answer.status(), 413);
        assert_eq!(code(&answer.json().await.unwrap()), "too-large");
    }
    let (status, bundle) = said(server.get(&token, "/fhir/Binary")).await;
    assert_eq!((status, bundle["total"].as_i64()), (200, Some(0)));
    let below = json!({"resourceType": "Binary", "contentType": "image/jpeg", "data": STANDARD.encode(vec![7u8; 4_000_000])});
    let (status, outcome) = said(server.post(&token, "/fhir/Binary", &below)).await;
    assert_eq!((status, code(&outcome)), (422, "too-long"));
}

#[tokio::test]
async fn a_name_of_three_hundred_urdu_characters_is_kept_exactly() {
    let (server, token) = clinic().await;
    let name: String = "زُہرہ بی‌بی ".chars().cycle().take(300).collect();
    let (status, made) = said(server.post(
        &token,
        "/fhir/Patient",
        json!({"resourceType": "Patient", "name": [{"text": name}]}),
    ))
    .await;
    assert_eq!(status, 201);
    let (_, read) =
        said(server.get(&token, &format!("/fhir/Patient/{}", made["id"].as_str().unwrap()))).await;
    assert_eq!(read["name"][0]["text"], name.as_str());
}

#[tokio::test]
async fn control_characters_and_a_birth_date_in_the_future_are_refused_without_quoting_them() {
    let (server, token) = clinic().await;
    let name = |text: &str| json!({"resourceType": "Patient", "name": [{"text": text}]});
    for text in ["Zohra\u{0}", "Zohra\u{1b}[2J", "Zohra\nBibi", "Zohra\u{85}"] {
        let (status, outcome) = said(server.post(&token, "/fhir/Patient", name(text))).await;
        assert_eq!((status, code(&outcome)), (422, "control-character"));
        assert!(!outcome.to_string().contains("Zohra"));
    }
    let (status, outcome) = said(server.post(
        &token,
        "/fhir/Patient",
        json!({"resourceType": "Patient", "birthDate": "2026-11-24"}),
    ))
    .await;
    assert_eq!((status, code(&outcome)), (422, "birth-date-future"));
    assert!(!outcome.to_string().contains("2026-11-24"));
    for born in ["2026-11-22", "2026-11", "2026"] {
        assert_eq!(
            said(server.post(&token, "/fhir/Patient", json!({"resourceType": "Patient", "birthDate": born})))
                .await
                .0,
            201
        );
    }
    let (status, _) = said(server.put(
        &token,
        "/fhir/Patient/35202-1234567-1",
        json!({"resourceType": "Patient", "id": "35202-1234567-1"}),
    ))
    .await;
    assert_eq!(status, 422, "a CNIC is never an id");
}

#[tokio::test]
async fn every_error_is_an_operation_outcome() {
    let (server, token) = clinic().await;
    let json = "application/fhir+json";
    let send = |method: reqwest::Method, path: &str| {
        server.http.request(method, server.url(path)).bearer_auth(&token)
    };
    let facility = server.facility("B", "clinic").await;
    let device = server.token(&server.join(facility, "doctor").await.0).await;
    let of_device = |method: reqwest::Method, path: &str| {
        server.http.request(method, server.url(path)).bearer_auth(&device)
    };
    use reqwest::Method;
    for (request, status) in [
        (send(Method::GET, "/fhir/Patient/nobody"), 404),
        (send(Method::GET, "/nowhere"), 404),
        (send(Method::DELETE, "/fhir/Patient"), 405),
        (send(Method::PATCH, "/fhir/Patient/x").body("{}"), 405),
        (send(Method::GET, "/v1/envelopes"), 405),
        (send(Method::GET, "/fhir/Patient").header("accept", "application/fhir+xml"), 406),
        (send(Method::POST, "/fhir/Patient").header("content-type", "text/plain").body("x"), 415),
        (send(Method::POST, "/fhir/Patient/_search").header("content-type", json).body("{}"), 415),
        (
            send(Method::POST, "/fhir/Patient")
                .header("content-type", json)
                .header("content-encoding", "gzip")
                .body("x"),
            415,
        ),
        (
            send(Method::POST, "/fhir/Patient")
                .header("content-type", json)
                .header("content-encoding", "zstd")
                .body("x"),
            415,
        ),
        (
            send(Method::POST, "/fhir/Patient")
                .header("content-type", json)
                .header("if-none-exist", "identifier=x")
                .body("{}"),
            412,
        ),
        (of_device(Method::POST, "/v1/envelopes").header("content-type", json).body("{}"), 415),
        (
            of_device(Method::POST, "/v1/envelopes")
                .header("content-type", rabta_wire::log::MEDIA_TYPE)
                .body("x"),
            400,
        ),
        (of_device(Method::GET, "/v1/changes?after=then"), 400),
        (send(Method::GET, "/v1/changes?after=then"), 403),
        (send(Method::GET, "/fhir/Patient?_lastUpdated=then"), 400),
    ] {
        let (found, outcome) = said(request).await;
        assert_eq!((found, &outcome["resourceType"]), (status, &json!("OperationOutcome")), "{outcome}");
        assert_eq!(outcome["issue"][0]["severity"], "error");
    }
}
