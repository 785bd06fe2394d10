//! The laptop's record at the size of a district: found while it is typed, opened and saved at once, small on the disk.
//! Through the app core, on its real encrypted database.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rabta_app::App;
use rabta_domain::fhir::{Facility, Signer};
use rabta_hie::admin::{self, PersonFields, Reply, Request};
use rabta_ipc::{
    gate::{GetStatus, LockVault, Phase},
    patient::{Find, OpenPatient},
    sync::GetSync,
    visit::{SaveVisit, StartVisit},
};
use rabta_store::{
    PullBatch, Pulled, RecordStore, SqliteStore, bundle_entries,
    vault::{Passphrase, Vault},
};
use rabta_tests::Run;
use rabta_wire::{Id, cursor::Cursor};

use crate::{
    figure::{Figure, median, p95},
    laptop::{self, PASSPHRASE, app, ask, unlock},
    register::{Dice, Register, Somebody},
};

/// The country package whose names and villages the people have.
pub const PACKAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packages/pk");
/// Queries, charts and saves of which the 95th percentile is taken.
const TURNS: u32 = 400;
/// Searches on a database that nothing was read of yet.
const COLD: u32 = 31;
/// Patients in one pull.
const STEP: u32 = 100;

pub async fn take(patients: u32) -> Result<Vec<Figure>> {
    let run = Run::kept("bench-store")?;
    let register = Register::read(Path::new(PACKAGE), 7)?;
    let laptop = run.path("laptop");
    let person = join(&run, &laptop).await?;
    let filled = Instant::now();
    fill(&laptop, person, &register, patients).await?;
    crate::say(&format!("{patients} patients in {:.0} s", filled.elapsed().as_secs_f64()));
    let vault = laptop.join("vault");
    let size: u64 = ["records.db", "records.db-wal"]
        .iter()
        .filter_map(|file| std::fs::metadata(vault.join(file)).ok())
        .map(|file| file.len())
        .sum();

    let pages = cold_pages(&laptop, person, &register, patients).await?;
    let app = app(&laptop);
    unlock(&app).await?;
    let (mut names, mut papers, mut charts, mut saves) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut dice = Dice::new(11);
    for turn in 0..TURNS {
        let who = register.somebody(dice.below(u64::from(patients)) as u32);
        let (took, found) = search(&app, &typed(&who, turn)).await?;
        names.push(took);
        ensure!(found > 0, "whoever is there is found");
        papers.push(search(&app, &who.cnic).await?.0);
        let began = Instant::now();
        ask(&app, OpenPatient { id: who.id.clone() }).await?;
        charts.push(ms(began));
        if turn % 8 == 0 {
            let visit = ask(&app, StartVisit { patient: who.id }).await?;
            let mut form = visit.form.clone();
            form.complaint = "fever and cough for three days".into();
            let began = Instant::now();
            ask(&app, SaveVisit { id: visit.id, rev: visit.rev, form }).await?;
            saves.push(ms(began));
        }
    }
    let rss = rabta_tests::process::pss(&[std::process::id()]) as f64 / 1e6;
    crate::say(&format!("name search: half under {:.1} ms", median(names.clone())));
    Ok(vec![
        Figure::new("name_search_p95", p95(names), "ms", 10.0),
        Figure::new("cnic_search_p95", p95(papers), "ms", 2.0),
        Figure::new("open_chart_p95", p95(charts), "ms", 20.0),
        Figure::new("visit_save_p95", p95(saves), "ms", 30.0),
        Figure::new("pages_per_search", median(pages), "pages", 40.0),
        Figure::new("rss", rss, "MB", 300.0),
        Figure::new("bytes_per_patient", size as f64 / f64::from(patients), "bytes", 4096.0),
    ])
}

/// A name; with the father; with the village; the first letters of one word.
fn typed(who: &Somebody, turn: u32) -> String {
    match turn % 4 {
        0 => who.name.clone(),
        1 => format!("{} {}", who.name, who.father),
        2 => format!("{} {}", who.name, who.village),
        _ => who.name.chars().take(5).collect(),
    }
}

async fn search(app: &App, text: &str) -> Result<(f64, usize)> {
    let began = Instant::now();
    let found = ask(app, Find { q: text.to_owned().into(), offset: 0, limit: 10 }).await?;
    Ok((ms(began), found.rows.len()))
}

/// Reads of the database file by the first search of freshly opened connections, each of one page; opening is not counted.
async fn cold_pages(laptop: &Path, person: Id, register: &Register, patients: u32) -> Result<Vec<f64>> {
    let mut dice = Dice::new(23);
    let mut pages = Vec::new();
    for turn in 0..COLD {
        let vault = open(laptop, person).await?;
        let who = register.somebody(dice.below(u64::from(patients)) as u32);
        // The schema is read once, whatever is asked first.
        vault.store().cursor().await?;
        let before = reads()?;
        vault.store().find_patients(&typed(&who, turn), 0, 10).await?;
        pages.push((reads()? - before) as f64);
        vault.lock().await;
    }
    Ok(pages)
}

/// Read calls of this process so far.
fn reads() -> Result<u64> {
    let io = std::fs::read_to_string("/proc/self/io")?;
    let line = io.lines().find_map(|line| line.strip_prefix("syscr: ")).context("read calls are counted")?;
    Ok(line.parse()?)
}

async fn fill(laptop: &Path, person: Id, register: &Register, patients: u32) -> Result<()> {
    let vault = open(laptop, person).await?;
    let store: &SqliteStore = vault.store();
    let start = store.cursor().await?.unwrap_or(Cursor { epoch: Id([1; 16]), seq: 0 });
    let clinic = Facility { id: "fac00000-0000-4000-8000-000000000001".into(), name: "BHU Chak 12".into() };
    let doctor = Signer {
        id: "d0c70000-0000-4000-8000-000000000001".into(),
        name: "Dr Nadia Khan".into(),
        registration: "12345-P".into(),
        ..Signer::default()
    };
    let mut n = 0;
    while n < patients {
        let mut items = Vec::new();
        for person in n..patients.min(n + STEP) {
            for payload in register.somebody(person).payloads(&clinic, &doctor)? {
                let entries = bundle_entries(&payload).map_err(|error| anyhow::anyhow!("{error}"))?;
                items.extend(entries.into_iter().map(|(kind, id, body)| Pulled::Resource {
                    kind,
                    id,
                    version: 1,
                    body,
                }));
            }
        }
        n += STEP;
        let next = Cursor { seq: start.seq + u64::from(n), ..start };
        store.apply_pull(PullBatch { items, next, backed_up: 0 }).await?;
    }
    vault.lock().await;
    Ok(())
}

async fn open(laptop: &Path, person: Id) -> Result<rabta_store::vault::OpenVault> {
    let passphrase = Passphrase::new(PASSPHRASE.to_owned());
    Ok(Vault::unlock(&laptop.join("vault"), person, &passphrase, None, now()).await?)
}

/// A laptop of a doctor, by a real HIE that is gone afterwards.
async fn join(run: &Run, laptop: &Path) -> Result<Id> {
    let mut config = rabta_hie::Config::new(run.path("hie"));
    config.listen = "127.0.0.1:0".parse()?;
    let hie = rabta_hie::serve(config).await?;
    let new = serde_json::from_value(serde_json::json!({ "name": "BHU Chak 12", "kind": "clinic" }))?;
    admin::run(&hie.app.db, Request::AddFacility { new }, now()).await?;
    let new = PersonFields { name: "Dr Nadia Khan".into(), role: "doctor".into(), ..PersonFields::default() };
    let request =
        Request::Enroll { facility: "BHU Chak 12".into(), person: None, new: Some(new), public: None };
    let Reply::Code { code, .. } = admin::run(&hie.app.db, request, now()).await? else {
        anyhow::bail!("no code")
    };
    let app = app(laptop);
    laptop::join(&app, code).await?;
    let Phase::Open { person } = ask(&app, GetStatus {}).await?.phase else { anyhow::bail!("not open") };
    let person = person.id.parse().ok().context("a person's id")?;
    // Until the first pull is over: the cursor must not move under the filling.
    while ask(&app, GetSync {}).await?.last_contact.is_none() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ask(&app, LockVault {}).await?;
    hie.shutdown().await;
    Ok(person)
}

fn ms(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1000.0
}

fn now() -> i64 {
    (time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000) as i64
}
