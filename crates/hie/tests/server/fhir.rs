use serde_json::{Value, json};

use crate::support::server::{Server, code, said};

async fn clinic() -> (Server, String) {
    let server = Server::start().await;
    let facility = server.facility("A", "clinic").await;
    let token = server.operator(facility).await;
    (server, token)
}

async fn patient(server: &Server, token: &str, name: &str) -> String {
    let (status, made) = said(server.post(
        token,
        "/fhir/Patient",
        json!({"resourceType": "Patient", "name": [{"text": name}]}),
    ))
    .await;
    assert_eq!(status, 201);
    made["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_capability_statement_says_what_there_is() {
    let (server, _) = clinic().await;
    let (status, statement) = said(server.http.get(server.url("/fhir/metadata"))).await;
    assert_eq!((status, statement["fhirVersion"].as_str()), (200, Some("4.0.1")));
    let resources = statement.pointer("/rest/0/resource").unwrap().as_array().unwrap();
    assert!(resources.iter().any(|r| r["type"] == "Patient"));
}

#[tokio::test]
async fn bytes_are_kept_as_received_and_versions_stay_readable() {
    let (server, token) = clinic().await;
    let who = patient(&server, &token, "A").await;
    let id = crate::support::id();
    let body = format!(
        r#"{{ "resourceType":"Observation", "id":"{id}", "extension":[{{"url":"https://x.org/y","valueDecimal":1.500}}], "status":"final", "code":{{"text":"w"}}, "subject":{{"reference":"Patient/{who}"}}, "valueQuantity":{{"value":10.00,"unit":"kg"}} }}"#
    );
    let path = format!("/fhir/Observation/{id}");
    let made = server.put(&token, &path, &body).send().await.unwrap();
    assert_eq!((made.status().as_u16(), made.headers()["etag"].to_str().unwrap()), (201, "W/\"1\""));
    let second = body.replace("10.00", "11.10");
    assert_eq!(
        server.put(&token, &path, &second).header("if-match", "W/\"1\"").send().await.unwrap().status(),
        200
    );

    let text = server.get(&token, &path).send().await.unwrap().text().await.unwrap();
    assert!(text.contains(r#""valueDecimal":1.500"#) && text.contains(r#""value":11.10"#), "{text}");
    assert!(text.contains(r#""versionId":"2""#));
    let first = server.get(&token, &format!("{path}/_history/1")).send().await.unwrap().text().await.unwrap();
    assert!(first.contains(r#""value":10.00"#) && first.contains(r#""versionId":"1""#));
    let (status, history) = said(server.get(&token, &format!("{path}/_history"))).await;
    assert_eq!((status, history["total"].as_i64()), (200, Some(2)));
    let versions: Vec<&Value> =
        history["entry"].as_array().unwrap().iter().map(|e| &e["resource"]["meta"]["versionId"]).collect();
    assert_eq!(versions, ["2", "1"]);
    assert_eq!(said(server.get(&token, &format!("{path}/_history/3"))).await.0, 404);
}

#[tokio::test]
async fn an_update_on_an_old_version_is_refused() {
    let (server, token) = clinic().await;
    let id = patient(&server, &token, "A").await;
    let body = json!({"resourceType": "Patient", "id": id, "name": [{"text": "B"}]});
    let path = format!("/fhir/Patient/{id}");
    assert_eq!(
        server.put(&token, &path, &body).header("if-match", "W/\"1\"").send().await.unwrap().status(),
        200
    );
    let (status, outcome) = said(server.put(&token, &path, &body).header("if-match", "W/\"1\"")).await;
    assert_eq!((status, code(&outcome)), (412, "version"));
    let nobody = crate::support::id();
    let body = json!({"resourceType": "Patient", "id": nobody.to_string()});
    let (status, _) =
        said(server.put(&token, &format!("/fhir/Patient/{nobody}"), &body).header("if-match", "W/\"1\""))
            .await;
    assert_eq!(status, 412);
}

#[tokio::test]
async fn a_get_that_names_somebody_is_pointed_to_post() {
    let (server, token) = clinic().await;
    for query in [
        "name=zohra",
        "identifier=x|35202",
        "phone=0300",
        "birthdate=1990",
        "family=x",
        "given:exact=x",
        "address-city=x",
        "telecom=1",
    ] {
        let (status, outcome) = said(server.get(&token, &format!("/fhir/Patient?{query}"))).await;
        assert_eq!((status, code(&outcome)), (400, "search-by-post"), "{query}");
        assert!(outcome.to_string().contains("_search"));
    }
    // Also where only the URL of a POST does.
    let url = server.post(&token, "/fhir/Patient/_search?name=zohra", "");
    let (status, outcome) = said(url.header("content-type", "application/x-www-form-urlencoded")).await;
    assert_eq!((status, code(&outcome)), (400, "search-by-post"));
}

#[tokio::test]
async fn patients_are_found_by_name_in_two_scripts_phone_birth_date_and_identifier() {
    let (server, token) = clinic().await;
    let body = json!({
        "resourceType": "Patient", "birthDate": "1990-05-06", "gender": "female",
        "identifier": [{"system": "https://rabta.health/fhir/sid/mr", "value": "1001-000001-5"}],
        "name": [{"text": "Zohra Bibi", "_text": {"extension": [{"url": "x", "valueString": "زہرہ بی بی"}]}}],
        "telecom": [{"system": "phone", "value": "0300-1234567"}],
    });
    said(server.post(&token, "/fhir/Patient", &body)).await;
    patient(&server, &token, "Somebody Else").await;
    for form in [
        "name=zoh",
        "name=bibi+zohra",
        "name=%D8%B2%DB%81%D8%B1%DB%81",
        "phone=%2B923001234567",
        "birthdate=1990",
        "birthdate=ge1990-05-06&birthdate=lt1990-05-07",
        "identifier=1001-000001-5",
        "gender=female",
        "identifier=https://rabta.health/fhir/sid/mr|1001-000001-5",
        "name=nobody,zohra",
    ] {
        let (status, bundle) = said(server.search(&token, "Patient", form)).await;
        assert_eq!((status, bundle["total"].as_i64()), (200, Some(1)), "{form}");
    }
    for form in ["name=zohra+else", "birthdate=1991", "identifier=|1001-000001-5", "phone=0300"] {
        assert_eq!(said(server.search(&token, "Patient", form)).await.1["total"], 0, "{form}");
    }
    let (status, outcome) = said(server.search(&token, "Patient", "shoe-size=9")).await;
    assert_eq!((status, code(&outcome)), (400, "unknown-parameter"));
}

#[tokio::test]
async fn pages_are_opaque_complete_and_only_for_who_asked() {
    let (server, token) = clinic().await;
    for i in 0..7 {
        patient(&server, &token, &format!("Zohra {i}")).await;
    }
    let (mut seen, mut next) = (std::collections::BTreeSet::new(), None::<String>);
    loop {
        let (status, page) = match &next {
            None => said(server.search(&token, "Patient", "name=zohra&_count=3")).await,
            Some(url) => said(server.get(&token, &format!("/fhir/{url}"))).await,
        };
        assert_eq!((status, page["total"].as_i64()), (200, Some(7)));
        for entry in page["entry"].as_array().unwrap() {
            assert!(seen.insert(entry["resource"]["id"].as_str().unwrap().to_owned()), "an entry came twice");
        }
        let link = page["link"].as_array().unwrap().iter().find(|l| l["relation"] == "next").cloned();
        let Some(link) = link else { break };
        let url = link["url"].as_str().unwrap().to_owned();
        assert!(!url.contains("zohra") && !url.contains("name"));
        let other = server.operator(server.facility(&format!("F{}", seen.len()), "clinic").await).await;
        assert_eq!(
            said(server.get(&other, &format!("/fhir/{url}"))).await.0,
            410,
            "another's link is not theirs"
        );
        next = Some(url);
    }
    assert_eq!(seen.len(), 7);
}

#[tokio::test]
async fn clinical_resources_are_found_by_patient_code_date_and_status() {
    let (server, token) = clinic().await;
    let who = patient(&server, &token, "A").await;
    for (code, day) in [("8867-4", "2026-01-02"), ("8310-5", "2026-02-03")] {
        let body = json!({
            "resourceType": "Observation", "status": "final", "subject": {"reference": format!("Patient/{who}")},
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "effectiveDateTime": format!("{day}T08:00:00+05:00"),
        });
        assert_eq!(said(server.post(&token, "/fhir/Observation", &body)).await.0, 201);
    }
    for (query, total) in [
        (format!("patient={who}"), 2),
        (format!("subject=Patient/{who}&code=http://loinc.org|8867-4"), 1),
        ("date=2026-02".to_owned(), 1),
        ("date=gt2026-01-02".to_owned(), 1),
        ("status=final".to_owned(), 2),
        ("status=amended".to_owned(), 0),
        ("code=8867-4,8310-5".to_owned(), 2),
    ] {
        let (status, bundle) = said(server.get(&token, &format!("/fhir/Observation?{query}"))).await;
        assert_eq!((status, bundle["total"].as_i64()), (200, Some(total)), "{query}");
    }
}

#[tokio::test]
async fn what_the_operator_loads_the_facilitys_laptops_pull_as_it_was_received() {
    let (server, _) = clinic().await;
    let facility = server.facility("B", "clinic").await;
    let (operator, (doctor, _)) = (server.operator(facility).await, server.join(facility, "doctor").await);
    let id = crate::support::id();
    let body = format!(
        r#"{{"resourceType":"Patient","id":"{id}","name":[{{"text":"زہرہ"}}],  "multipleBirthInteger":2}}"#
    );
    assert_eq!(
        server.put(&operator, &format!("/fhir/Patient/{id}"), &body).send().await.unwrap().status(),
        201
    );
    let token = server.token(&doctor).await;
    let reply = server.pull(&token, None).await;
    let found = reply.changes.iter().find_map(|c| match &c.item {
        rabta_wire::log::Item::Resource { kind, id, version, body } => {
            Some((kind.clone(), id.clone(), *version, body.to_vec()))
        }
        _ => None,
    });
    assert_eq!(found, Some(("Patient".into(), id.to_string(), 1, body.clone().into_bytes())));
    // A newer version replaces the older change; the cursor goes on from where it was.
    let newer = body.replace(":2}", ":3}");
    server.put(&operator, &format!("/fhir/Patient/{id}"), &newer).send().await.unwrap();
    let reply = server.pull(&token, Some(reply.next.to_string())).await;
    assert_eq!(reply.changes.len(), 1);
}
