//! The sample clinic's patients, loaded through the server's own FHIR API with an operator's token.

use std::{
    io::{BufRead, BufReader},
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{hie::Hie, run::checkout, story::CLINIC, webdriver};

/// What the sample's MR numbers begin with, and which of them are kept for it.
pub const MR_PREFIX: &str = "3740";
pub const MR_NUMBERS: (&str, &str) = ("1", "1999");
/// Requests under way at once; the server has one writer.
const AT_ONCE: usize = 4;

/// One transaction Bundle a line, one line a patient.
pub fn bundles() -> Result<Vec<String>> {
    let file = checkout().join("packages/pk/sample/clinic.ndjson.zst");
    let packed = std::fs::File::open(&file).with_context(|| format!("opening {}", file.display()))?;
    let lines = BufReader::new(zstd::Decoder::new(packed)?).lines();
    Ok(lines.collect::<Result<_, _>>()?)
}

/// Loads all of it. Returns how many patients.
pub async fn load(hie: &Hie) -> Result<usize> {
    let token: Arc<str> = hie.token(CLINIC)?.into();
    let http = webdriver::client()?;
    let address: Arc<str> = hie.url("/fhir").into();
    let mut waiting = bundles()?.into_iter();
    let count = waiting.len();
    let mut under_way = JoinSet::new();
    loop {
        while under_way.len() < AT_ONCE
            && let Some(bundle) = waiting.next()
        {
            under_way.spawn(post(http.clone(), address.clone(), token.clone(), bundle));
        }
        match under_way.join_next().await {
            Some(done) => done??,
            None => return Ok(count),
        }
    }
}

async fn post(http: reqwest::Client, address: Arc<str>, token: Arc<str>, bundle: String) -> Result<()> {
    let request =
        http.post(&*address).bearer_auth(token).header("content-type", "application/fhir+json").body(bundle);
    let answer = request.send().await.context("sending a sample patient")?;
    let status = answer.status();
    if !status.is_success() {
        let outcome: Value = answer.json().await.unwrap_or_default();
        bail!("a sample patient was refused with {status}: {}", outcome["issue"][0]["diagnostics"]);
    }
    Ok(())
}

/// What must never stand in a log: names in both scripts, phone numbers, CNICs, MR numbers.
pub fn secrets() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for line in bundles()? {
        let bundle: Value = serde_json::from_str(&line)?;
        for entry in bundle["entry"].as_array().into_iter().flatten() {
            let resource = &entry["resource"];
            if resource["resourceType"] != "Patient" {
                continue;
            }
            for (list, key) in [("name", "text"), ("telecom", "value"), ("identifier", "value")] {
                let values = resource[list].as_array().into_iter().flatten();
                found.extend(values.filter_map(|v| v[key].as_str().map(str::to_owned)));
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_sample_has_about_a_thousand_patients_and_their_secrets_are_known() {
        assert!((900..1200).contains(&super::bundles().expect("the sample is there").len()));
        let secrets = super::secrets().expect("the sample is there");
        assert!(secrets.len() > 1500 && secrets.iter().all(|s| s.chars().count() > 2));
    }
}
