//! A new laptop's first sync: everything that its facility has, from a real server over TLS, authorized and audited, into the
//! encrypted record, searchable at the end. Both sides are processes of their own, so that their memory can be told apart.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rabta_domain::fhir::{Facility, Signer};
use rabta_ipc::{patient::Find, sync::GetSync};
use rabta_store::bundle_entries;
use rabta_tests::{
    Run,
    hie::Hie,
    process,
    story::{CLINIC, DOCTOR},
    webdriver,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    figure::{self, Figure},
    laptop::{app, ask, join},
    register::Register,
    store::PACKAGE,
};

const SEED: u64 = 7;
/// Transactions under way at once while the server is filled; it has one writer.
const AT_ONCE: usize = 4;
/// Longer than any first sync that we would show.
const PATIENCE: Duration = Duration::from_secs(1_800);

pub async fn take(patients: u32) -> Result<Vec<Figure>> {
    let run = Run::kept("bench-sync")?;
    let mut hie = Hie::new(&run)?;
    hie.start().await?;
    let facility = hie.add_facility(CLINIC, "clinic", &["--mr-prefix", "4999"])?;
    let began = Instant::now();
    let resources = fill(&hie, &facility, patients).await?;
    crate::say(&format!(
        "{resources} resources of {patients} patients in {:.0} s, {:.0} transactions a second",
        began.elapsed().as_secs_f64(),
        f64::from(patients) / began.elapsed().as_secs_f64()
    ));
    // What filling it cost is no part of its memory.
    hie.stop()?;
    hie.start().await?;
    let code = hie.enroll(&DOCTOR)?.code;
    let client = client(&run.path("laptop"), &code, patients)?;
    let hie_peak = process::peak(hie.pid()?)?;
    hie.stop()?;
    let hie = Figure::new("hie_peak_rss", hie_peak as f64 / 1e6, "MB", 300.0);
    Ok(client.into_iter().chain([hie]).collect())
}

/// The laptop, as another process of this program.
fn client(folder: &Path, code: &str, patients: u32) -> Result<Vec<Figure>> {
    let out = std::process::Command::new(std::env::current_exe()?)
        .args(["sync-client", "--json", "--patients", &patients.to_string()])
        .env("RABTA_BENCH_CODE", code)
        .env("RABTA_BENCH_FOLDER", folder)
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8_lossy(&out.stdout);
    let line = text.lines().rev().find(|line| line.starts_with('{')).context("the laptop failed")?;
    figure::read(&serde_json::from_str(line)?)
}

/// Inside that process.
pub async fn laptop(patients: u32) -> Result<Vec<Figure>> {
    let var = |name: &str| std::env::var(name).context("this part runs inside of `bench sync` only");
    let (code, folder) = (var("RABTA_BENCH_CODE")?, PathBuf::from(var("RABTA_BENCH_FOLDER")?));
    let app = app(&folder);
    let began = Instant::now();
    join(&app, code).await?;
    let last = Register::read(Path::new(PACKAGE), SEED)?.somebody(patients - 1);
    loop {
        // Searchable, and nothing more to come.
        let found = ask(&app, Find { q: last.cnic.clone().into(), offset: 0, limit: 5 }).await?;
        if found.rows.len() == 1 && !ask(&app, GetSync {}).await?.chip.busy {
            break;
        }
        ensure!(began.elapsed() < PATIENCE, "the first sync does not end");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let seconds = began.elapsed().as_secs_f64();
    Ok(vec![
        Figure::new("first_sync", seconds, "s", 60.0),
        Figure::new("peak_rss", process::peak(std::process::id())? as f64 / 1e6, "MB", 300.0),
    ])
}

/// Loads invented patients with a plain visit each through the server's FHIR API; how many resources.
async fn fill(hie: &Hie, facility: &str, patients: u32) -> Result<usize> {
    let token: Arc<str> = hie.token(CLINIC)?.into();
    let (http, address) = (webdriver::client()?, Arc::<str>::from(hie.url("/fhir")));
    let register = Register::read(Path::new(PACKAGE), SEED)?;
    let clinic = Facility { id: facility.to_owned(), name: CLINIC.to_owned() };
    let (mut under_way, mut count, mut n) = (JoinSet::new(), 0, 0);
    loop {
        while under_way.len() < AT_ONCE && n < patients {
            let (bundle, resources) = transaction(&register, n, &clinic)?;
            count += resources;
            n += 1;
            let request =
                http.post(&*address).bearer_auth(&token).header("content-type", "application/fhir+json");
            under_way.spawn(request.body(bundle).send());
        }
        let Some(done) = under_way.join_next().await else { return Ok(count) };
        let answer = done??;
        let status = answer.status();
        if !status.is_success() {
            let outcome: Value = answer.json().await.unwrap_or_default();
            anyhow::bail!("a patient was refused with {status}: {}", outcome["issue"][0]["diagnostics"]);
        }
    }
}

/// A person and a visit as one transaction; how many resources.
fn transaction(register: &Register, n: u32, clinic: &Facility) -> Result<(String, usize)> {
    let mut entries = Vec::new();
    for payload in register.somebody(n).payloads(clinic, &Signer::default())? {
        for (kind, id, body) in bundle_entries(&payload).map_err(|error| anyhow::anyhow!("{error}"))? {
            let resource: Value = serde_json::from_slice(&body)?;
            entries.push(json!({
                "fullUrl": format!("urn:uuid:{id}"),
                "resource": resource,
                "request": { "method": "PUT", "url": format!("{kind}/{id}") },
            }));
        }
    }
    let count = entries.len();
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries });
    Ok((bundle.to_string(), count))
}
