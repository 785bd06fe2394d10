//! The server as its operator and other systems meet it: the program, its commands, its HTTP.

use anyhow::Result;
use rabta_tests::{
    Run,
    hie::Hie,
    process, sample,
    story::{CLINIC, World},
    webdriver,
};
use serde_json::{Value, json};

#[tokio::test]
async fn it_drains_at_sigterm_and_starts_again_on_the_same_data() -> Result<()> {
    let mut world = World::new(Run::of_test("hie-restart")?)?;
    world.found_empty_clinic().await?;
    world.hie.stop()?;
    world.hie.start().await?;
    let facilities = world.hie.admin(&["facility", "list"])?;
    assert_eq!(facilities["facilities"].as_array().map(Vec::len), Some(2));
    world.hie.stop()
}

#[tokio::test]
async fn what_is_bad_is_printed_for_programs_too() -> Result<()> {
    let mut world = World::new(Run::of_test("hie-doctor")?)?;
    world.found_empty_clinic().await?;
    // A disk's room is the machine's own matter: only this finding is looked at.
    let server = |found: &Value| -> Option<String> {
        let mut findings = found.as_array()?.iter();
        Some(findings.find(|finding| finding["name"] == "server")?["state"].as_str()?.to_owned())
    };
    assert_eq!(server(&world.hie.doctor()?.1).as_deref(), Some("good"));
    world.hie.stop()?;
    let (well, found) = world.hie.doctor()?;
    assert_eq!((well, server(&found).as_deref()), (false, Some("bad")));
    Ok(())
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused() -> Result<()> {
    let run = Run::of_test("hie-twice")?;
    let mut first = Hie::new(&run)?;
    first.start().await?;
    let mut second = Hie::new(&run)?;
    assert!(second.start().await.is_err());
    assert!(!second.runs() && first.runs());
    first.stop()
}

/// An answer's status, and the OperationOutcome that every error carries.
async fn ask(hie: &Hie, token: Option<&str>, path: &str) -> Result<(u16, Value)> {
    let mut request = webdriver::client()?.get(hie.url(path));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await?;
    Ok((answer.status().as_u16(), answer.json().await?))
}

#[tokio::test]
async fn nobody_reads_without_a_token_and_no_url_may_name_a_patient() -> Result<()> {
    let mut world = World::new(Run::of_test("hie-auth")?)?;
    world.found_empty_clinic().await?;
    let token = world.hie.token(CLINIC)?;
    for (token, path, wanted) in [
        (None, "/fhir/Patient", 401),
        (Some("no-such-token"), "/fhir/Patient", 401),
        (Some(token.as_str()), "/fhir/Patient?name=Iqra", 400),
        (Some(token.as_str()), "/fhir/Patient?birthdate=2005-01-01", 400),
        (Some(token.as_str()), "/fhir/Patient/783597a4-0336-83a2-b4c7-66fa515bde0d", 404),
        (Some(token.as_str()), "/fhir/Nonsense", 404),
    ] {
        let (status, outcome) = ask(&world.hie, token, path).await?;
        assert_eq!(status, wanted, "{path}: {outcome}");
        assert_eq!(outcome["resourceType"], "OperationOutcome", "{path}");
    }
    world.hie.stop()
}

#[tokio::test]
async fn the_sample_clinic_loads_and_neither_logs_nor_metrics_name_a_patient() -> Result<()> {
    let mut world = World::new(Run::of_test("hie-sample")?)?;
    world.found_empty_clinic().await?;
    let loaded = sample::load(&world.hie).await?;
    let token = world.hie.token(CLINIC)?;
    let (status, bundle) = world.hie.fhir(&token, "Patient?_summary=count").await?;
    assert_eq!((status, bundle["total"].as_u64()), (200, Some(loaded as u64)));
    let metrics = webdriver::client()?.get(world.hie.url("/metrics")).send().await?.text().await?;
    assert!(metrics.contains("# TYPE"), "metrics are in the usual text format");
    world.hie.stop()?;
    let secrets = sample::secrets()?;
    let logs: String = world.run.logs().iter().filter_map(|log| std::fs::read_to_string(log).ok()).collect();
    assert!(logs.contains("listening"), "the server logs");
    for secret in &secrets {
        assert!(!logs.contains(secret.as_str()), "a log names a patient");
        assert!(!metrics.contains(secret.as_str()), "a metric names a patient");
    }
    Ok(())
}

#[tokio::test]
async fn it_idles_small() -> Result<()> {
    let mut world = World::new(Run::of_test("hie-idle")?)?;
    world.found_empty_clinic().await?;
    assert!(
        process::rss(world.hie.pid()?)? < 200_000_000,
        "a debug build that does nothing stays under 200 MB"
    );
    world.hie.stop()
}

#[tokio::test]
async fn a_bad_bundle_is_refused_as_a_whole_with_the_place_of_the_fault() -> Result<()> {
    let mut world = World::new(Run::of_test("hie-bundle")?)?;
    world.found_empty_clinic().await?;
    let token = world.hie.token(CLINIC)?;
    let patient = json!({ "resourceType": "Patient", "id": "783597a4-0336-83a2-b4c7-66fa515bde0d", "name": [{ "text": "Iqra Bibi" }] });
    let put = |resource: Value| {
        let url = format!(
            "{}/{}",
            resource["resourceType"].as_str().unwrap_or(""),
            resource["id"].as_str().unwrap_or("")
        );
        json!({ "fullUrl": format!("urn:uuid:{}", resource["id"].as_str().unwrap_or("")), "resource": resource, "request": { "method": "PUT", "url": url } })
    };
    let mut future = patient.clone();
    future["birthDate"] = json!("2999-01-01");
    let lost = json!({ "resourceType": "Condition", "id": "b2c1a0f4-0336-43a2-b4c7-66fa515bde0d",
        "subject": { "reference": "urn:uuid:00000000-0000-4000-8000-000000000000" }, "code": { "text": "x" } });
    let unknown = json!({ "resourceType": "Spaceship", "id": "b2c1a0f4-0336-43a2-b4c7-66fa515bde0d" });
    for bad in [future, lost, unknown] {
        let mut entries = vec![put(bad.clone())];
        if bad["resourceType"] != "Patient" {
            entries.insert(0, put(patient.clone()));
        }
        let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries });
        let answer = webdriver::client()?
            .post(world.hie.url("/fhir"))
            .bearer_auth(&token)
            .json(&bundle)
            .send()
            .await?;
        assert!(
            answer.status().is_client_error(),
            "{} is refused, not {}",
            bad["resourceType"],
            answer.status()
        );
        let outcome: Value = answer.json().await?;
        assert_eq!(outcome["resourceType"], "OperationOutcome");
        let (status, _) = world.hie.fhir(&token, "Patient/783597a4-0336-83a2-b4c7-66fa515bde0d").await?;
        assert_eq!(status, 404, "nothing of a refused Bundle stays");
    }
    world.hie.stop()
}
