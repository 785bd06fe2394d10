//! Figures that cannot be taken from outside, since from outside nothing is read without authorisation.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rabta_wire::Id;
use serde_json::json;
use sqlx::SqliteConnection;

use crate::{
    auth::{Access, Agent, Purpose, Reader},
    db::{Db, OpenError},
    fhir::{
        self,
        store::{self, New},
    },
    identity::{self, IdentityError, NewFacility, NewPerson, new_id},
};

/// One patient's resources of this kind are read.
const KIND: &str = "Observation";
const NOW: i64 = 1_795_341_600_000;
/// Patients, and resources of each: what a busy clinic has after some months.
const PATIENTS: usize = 1_000;
const EACH: usize = 20;
/// Reads of each way in one relation.
const READS: usize = 6_000;

/// Medians of one read from the store, in the two ways.
#[derive(Debug, Clone, Copy)]
pub struct Compared {
    /// How the reader stands to the patient.
    pub relation: &'static str,
    /// By type and id alone.
    pub plain: Duration,
    /// By the query that every read of the server makes.
    pub authorised: Duration,
}

impl Compared {
    /// What the authorisation adds, in percent of the plain read.
    pub fn percent(&self) -> f64 {
        (self.authorised.as_secs_f64() / self.plain.as_secs_f64() - 1.0) * 100.0
    }
}

#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
    #[error("a read found nothing: the comparison means nothing")]
    NotFound,
}

/// Fills a new database in `folder` and reads the same resources with and without the condition that says who may:
/// as a colleague of the facility that has them, as the owner of an open ask, with a broken glass. The two ways take
/// turns, so that what else the machine does falls on both.
pub async fn authorisation(folder: &Path) -> Result<Vec<Compared>, MeasureError> {
    let db = Db::open(&folder.join("measure"), &folder.join("measure.key"), NOW).await?;
    let world = fill(&db).await?;
    let device = new_id();
    let reader = |facility, person, role: &str, purpose: &str| {
        let access = Access { facility, agent: Agent::Device { device, person } };
        Reader::new(access, Some(role.into()), Purpose::of(purpose).unwrap_or(Purpose::TREAT), NOW)
    };
    let mut out = Vec::new();
    for (relation, who) in [
        ("same facility", reader(world.clinic, world.colleague, "nurse", "TREAT")),
        ("owner of the ask", reader(world.hospital, world.specialist, "specialist", "TREAT")),
        ("broken glass", reader(world.far, world.stranger, "doctor", "ETREAT")),
    ] {
        out.push(compare(&db, relation, &who, &world.ids).await?);
    }
    db.close().await;
    Ok(out)
}

async fn compare(
    db: &Db,
    relation: &'static str,
    who: &Reader,
    ids: &[String],
) -> Result<Compared, MeasureError> {
    let mut connection = db.read().acquire().await?;
    let (mut plain, mut authorised) = (Vec::with_capacity(READS), Vec::with_capacity(READS));
    // In an order that jumps through the table, the same for both; the first reads only warm the cache.
    for n in 0..READS + ids.len() {
        let id = &ids[n * 7919 % ids.len()];
        for turn in 0..2 {
            let with = (n + turn) % 2 == 0;
            let began = Instant::now();
            let found = if with {
                fhir::current(&mut connection, who, KIND, id).await?
            } else {
                store::plain(&mut connection, KIND, id).await?
            };
            let took = began.elapsed();
            std::hint::black_box(found.ok_or(MeasureError::NotFound)?);
            if n >= ids.len() {
                if with { authorised.push(took) } else { plain.push(took) }
            }
        }
    }
    Ok(Compared { relation, plain: median(plain), authorised: median(authorised) })
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all.get(all.len() / 2).copied().unwrap_or_default()
}

struct World {
    clinic: Id,
    hospital: Id,
    far: Id,
    colleague: Id,
    specialist: Id,
    stranger: Id,
    ids: Vec<String>,
}

async fn fill(db: &Db) -> Result<World, MeasureError> {
    let mut tx = db.write().await?;
    let (clinic, colleague) = place(&mut tx, "A", "nurse").await?;
    let (hospital, specialist) = place(&mut tx, "B", "specialist").await?;
    let (far, stranger) = place(&mut tx, "C", "doctor").await?;
    let device = new_id();
    sqlx::query("INSERT INTO device (id, facility, name, key, created_at) VALUES (?, ?, 'd', x'00', 0)")
        .bind(device.0.to_vec())
        .bind(clinic.0.to_vec())
        .execute(&mut *tx)
        .await?;
    let mut ids = Vec::with_capacity(PATIENTS * EACH);
    for _ in 0..PATIENTS {
        let (patient, task) = (new_id().to_string(), new_id());
        put(&mut tx, "Patient", &patient, clinic, &patient, None).await?;
        sqlx::query(
            "INSERT INTO task (id, facility, patient, owner, state, version, closed, note, updated_at) \
             VALUES (?, ?, ?, ?, 'requested', 1, 0, x'00', 0)",
        )
        .bind(task.0.to_vec())
        .bind(clinic.0.to_vec())
        .bind(&patient)
        .bind(specialist.0.to_vec())
        .execute(&mut *tx)
        .await?;
        sqlx::query("INSERT INTO task_with (task, person) VALUES (?, ?)")
            .bind(task.0.to_vec())
            .bind(specialist.0.to_vec())
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "INSERT INTO break_glass (id, person, device, facility, patient, owner, reason, text, restricted, opened_at, ends_at) \
             VALUES (?, ?, ?, ?, ?, ?, 'other', 'measured', '', ?, ?)",
        )
        .bind(new_id().0.to_vec())
        .bind(stranger.0.to_vec())
        .bind(device.0.to_vec())
        .bind(far.0.to_vec())
        .bind(&patient)
        .bind(clinic.0.to_vec())
        .bind(NOW)
        .bind(NOW + 1)
        .execute(&mut *tx)
        .await?;
        for _ in 0..EACH {
            let id = new_id().to_string();
            put(&mut tx, KIND, &id, clinic, &patient, Some(task)).await?;
            ids.push(id);
        }
    }
    tx.commit().await?;
    Ok(World { clinic, hospital, far, colleague, specialist, stranger, ids })
}

async fn place(tx: &mut SqliteConnection, name: &str, role: &str) -> Result<(Id, Id), IdentityError> {
    let new = NewFacility {
        id: None,
        name: name.into(),
        kind: "clinic".into(),
        place: None,
        address: None,
        mr_prefix: None,
    };
    let facility = identity::add_facility(tx, &new, NOW).await?.id;
    let person = NewPerson {
        facility,
        name: role.into(),
        role: role.into(),
        registration: None,
        qualification: None,
        specialty: None,
        phone: None,
    };
    Ok((facility, identity::add_person(tx, &person, NOW).await?.id))
}

async fn put(
    tx: &mut SqliteConnection,
    kind: &str,
    id: &str,
    facility: Id,
    patient: &str,
    task: Option<Id>,
) -> Result<(), sqlx::Error> {
    let value = match kind {
        "Patient" => json!({"resourceType": kind, "id": id, "name": [{"text": "Zohra Bibi"}]}),
        _ => json!({
            "resourceType": kind, "id": id, "status": "final", "subject": {"reference": format!("Patient/{patient}")},
            "category": [{"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs",
            }]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9", "display": "Blood pressure panel"}]},
            "effectiveDateTime": "2026-11-22T10:00:00+05:00",
            "component": [
                {"code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
                 "valueQuantity": {"value": 128, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}},
                {"code": {"coding": [{"system": "http://loinc.org", "code": "8462-4"}]},
                 "valueQuantity": {"value": 82, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}},
            ],
        }),
    };
    let body = value.to_string();
    let new = New {
        kind,
        id,
        facility: Some(facility),
        patient: Some(patient),
        task,
        envelope: None,
        body: body.as_bytes(),
        value: &value,
    };
    store::put(tx, &new, NOW).await.map(drop)
}
