//! A new version of a resource, and what is read from it: links, search keys, columns.

use std::collections::BTreeSet;

use rabta_domain::Private;
use rabta_wire::Id;
use sqlx::{SqliteConnection, sqlite::SqliteRow};

use super::{
    body::{self, Stored},
    connect::get,
    ids,
    posting::{Changes, Entry},
    read, sql,
};
use crate::{
    columns::{Columns, SearchKey},
    error::StoreError,
    model::NewResource,
};

type Done<T = ()> = Result<T, StoreError>;

/// `resource.deleted` of what another resource names and nobody brought yet.
const ONLY_NAMED: i64 = 2;

/// What is current now.
struct Before {
    r: i64,
    version: i64,
    patient: i64,
    /// `None` where it was only named.
    body: Option<Private<Vec<u8>>>,
    server_version: i64,
    /// An envelope brought it.
    brought: bool,
}

/// Stores a new version. The keys are written by the caller, at the end of the transaction.
pub(crate) async fn put(c: &mut SqliteConnection, keys: &mut Changes, new: NewResource) -> Done {
    let deleted = new.body.is_empty();
    let columns = if deleted { Columns::default() } else { Columns::read(&new.kind, &new.id, &new.body)? };
    let before = before(c, &new.kind, &new.id).await?;
    if let (Some(version), Some(before)) = (new.server_version, &before)
        && is_known(c, before, version as i64, &new).await?
    {
        return Ok(());
    }
    let seq = next_seq(c).await?;
    let r = before.as_ref().map_or(seq, |before| before.r);
    let patient_id = columns.patient.clone().or(new.patient.clone()).unwrap_or_default();
    let patient = match new.kind.as_str() {
        "Patient" => r,
        _ => number_of_patient(c, &patient_id).await?,
    };
    let was_here = before.as_ref().filter(|before| before.version > 0);
    if let Some(before) = was_here {
        if before.patient != patient {
            forget_patient(c, before, &new.id).await?;
        }
        sqlx::query(sql::KEEP_PAST).bind(before.r).execute(&mut *c).await?;
    }
    let k: i64 = get(&sqlx::query(sql::ADD_KIND).bind(&new.kind).fetch_one(&mut *c).await?, 0)?;
    let patient_text = if patient == 0 { "" } else { patient_id.as_str() };
    let patient_text = if new.kind == "Patient" { new.id.as_str() } else { patient_text };
    let stored = match deleted {
        true => Stored { codec: 0, dictionary: 0, bytes: Vec::new() },
        false => body::store(&new.body, &new.id, patient_text),
    };
    sqlx::query(sql::ADD_RESOURCE)
        .bind(r)
        .bind(k)
        .bind(ids::to_bytes(&new.id))
        .bind(patient)
        .bind(&columns.state)
        .bind(columns.open)
        .bind(deleted)
        .bind(seq)
        .bind(was_here.map_or(1, |before| before.version + 1))
        .bind(new.server_version.unwrap_or(0) as i64)
        .bind(new.envelope.map(|e| e.0.to_vec()).unwrap_or_default())
        .bind(stored.codec)
        .bind(stored.dictionary)
        .bind(stored.bytes)
        .execute(&mut *c)
        .await?;

    let old = match was_here.and_then(|before| before.body.as_ref()) {
        Some(body) if !body.is_empty() => Columns::read(&new.kind, &new.id, body)?,
        _ => Columns::default(),
    };
    relink(c, r, &old.links, &columns.links).await?;
    if matches!(new.kind.as_str(), "Patient" | "RelatedPerson") {
        let old_patient = was_here.map_or(patient, |before| before.patient);
        rekey(c, keys, (old_patient, old.keys), (patient, columns.keys)).await?;
    }
    Ok(())
}

/// Of each resource that the envelope brought, the version that the HIE took last becomes the current one; what this
/// laptop has still to send comes after all of those. So all laptops show the same in the end, in whichever order they
/// heard of it, and nobody's own word disappears before it was sent.
pub(crate) async fn settle(c: &mut SqliteConnection, keys: &mut Changes, envelope: Id) -> Done {
    let rows = sqlx::query(sql::SETTLE).bind(envelope.0.to_vec()).fetch_all(&mut *c).await?;
    for row in &rows {
        let r: i64 = get(row, 0)?;
        let Some(now) = sqlx::query(sql::PLACE_NOW).bind(r).fetch_optional(&mut *c).await? else { continue };
        let mut best = (get::<i64>(&now, 3)?, None);
        for past in &sqlx::query(sql::PLACES_PAST).bind(r).fetch_all(&mut *c).await? {
            let (version, place): (i64, i64) = (get(past, 0)?, get(past, 1)?);
            if place > best.0 || place == best.0 && best.1.is_some_and(|known| version > known) {
                best = (place, Some(version));
            }
        }
        let Some(version) = best.1 else { continue };
        let best = sqlx::query(sql::PAST_VERSION).bind(r).bind(version).fetch_one(&mut *c).await?;
        let (kind, id): (String, String) = (get(&now, 0)?, ids::from_bytes(get(&now, 1)?)?);
        let patient = match get(&now, 2)? {
            0 => String::new(),
            patient => name_of(c, patient).await?,
        };
        let body = read::body(c, &best, 0, &id, &patient).await?;
        let brought = read::id(get(&best, 3)?)?;
        sqlx::query(sql::DROP_MARK).bind(r).bind(version).execute(&mut *c).await?;
        let patient = Some(patient).filter(|patient| !patient.is_empty());
        let raised = NewResource { kind, id, patient, envelope: Some(brought), server_version: None, body };
        put(c, keys, raised).await?;
    }
    Ok(())
}

/// Takes out the versions that no envelope brought. A mark that it was deleted stays, and what an envelope brought since.
pub(crate) async fn forget(c: &mut SqliteConnection, keys: &mut Changes, kind: &str, id: &str) -> Done {
    let Some(before) = before(c, kind, id).await?.filter(|before| before.version > 0) else { return Ok(()) };
    let body = before.body.as_ref().filter(|body| !body.is_empty());
    let mut mark = None;
    if body.is_some() {
        if before.brought {
            return Ok(());
        }
        for row in sqlx::query(sql::PAST).bind(before.r).fetch_all(&mut *c).await? {
            if get(&row, 2)? {
                mark = Some(get::<i64>(&row, 0)?);
                break;
            }
            if !get::<&[u8]>(&row, 1)?.is_empty() {
                return Ok(());
            }
        }
    }
    sqlx::query(sql::DROP_PAST).bind(before.r).execute(&mut *c).await?;
    let Some(body) = body else { return Ok(()) };
    if let Some(mark) = mark {
        sqlx::query(sql::BACK_TO_MARK).bind(before.r).bind(mark).execute(&mut *c).await?;
        sqlx::query(sql::DROP_MARK).bind(before.r).bind(mark).execute(&mut *c).await?;
    } else {
        let named = sqlx::query(sql::IS_NAMED).bind(before.r).fetch_optional(&mut *c).await?.is_some();
        let gone = if named { sql::ONLY_NAMED } else { sql::DROP_RESOURCE };
        sqlx::query(gone).bind(before.r).execute(&mut *c).await?;
    }
    let old = Columns::read(kind, id, body)?;
    relink(c, before.r, &old.links, &[]).await?;
    rekey(c, keys, (before.patient, old.keys), (before.patient, Vec::new())).await
}

async fn before(c: &mut SqliteConnection, kind: &str, id: &str) -> Done<Option<Before>> {
    let row = sqlx::query(sql::CURRENT).bind(kind).bind(ids::to_bytes(id)).fetch_optional(&mut *c).await?;
    let Some(row) = row else { return Ok(None) };
    let only_named = get::<i64>(&row, 2)? == ONLY_NAMED;
    let patient: i64 = get(&row, 3)?;
    let patient_text = match patient {
        0 => String::new(),
        patient => name_of(c, patient).await?,
    };
    let body = if only_named { None } else { Some(read::body(c, &row, 4, id, &patient_text).await?) };
    Ok(Some(Before {
        r: get(&row, 0)?,
        version: get(&row, 1)?,
        patient,
        body,
        server_version: get(&row, 7)?,
        brought: !get::<&[u8]>(&row, 8)?.is_empty(),
    }))
}

async fn name_of(c: &mut SqliteConnection, r: i64) -> Done<String> {
    let row = sqlx::query(sql::ID_OF).bind(r).fetch_optional(c).await?;
    row.map_or(Ok(String::new()), |row| ids::from_bytes(get(&row, 0)?))
}

/// Whether the HIE's version of this resource is stored already. After a restore the HIE may use a number again
/// for something else: then the bytes differ.
async fn is_known(c: &mut SqliteConnection, before: &Before, version: i64, new: &NewResource) -> Done<bool> {
    if before.server_version == version && before.body.as_ref().is_some_and(|body| *body == new.body) {
        return Ok(true);
    }
    let rows = sqlx::query(sql::SERVER_VERSION_PAST).bind(before.r).bind(version).fetch_all(&mut *c).await?;
    let patient = name_of(c, before.patient).await?;
    for row in &rows {
        if read::body(c, row, 0, &new.id, &patient).await? == new.body {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(crate) async fn next_seq(c: &mut SqliteConnection) -> Done<i64> {
    get(&sqlx::query(sql::NEXT_SEQ).fetch_one(c).await?, 0)
}

/// The row of a Patient, made where nobody brought it yet. 0 where none is named.
pub(crate) async fn number_of_patient(c: &mut SqliteConnection, id: &str) -> Done<i64> {
    if id.is_empty() {
        return Ok(0);
    }
    let bytes = ids::to_bytes(id);
    if let Some(row) =
        sqlx::query(sql::NUMBER_OF).bind("Patient").bind(&bytes).fetch_optional(&mut *c).await?
    {
        return get(&row, 0);
    }
    let r = next_seq(c).await?;
    let k: i64 = get(&sqlx::query(sql::ADD_KIND).bind("Patient").fetch_one(&mut *c).await?, 0)?;
    sqlx::query(sql::ADD_NAMED).bind(r).bind(k).bind(bytes).execute(c).await?;
    Ok(r)
}

/// It is about somebody else from now on: the version that stays behind must not say "this patient" for them.
async fn forget_patient(c: &mut SqliteConnection, before: &Before, id: &str) -> Done {
    let Some(body) = before.body.as_ref().filter(|body| !body.is_empty()) else { return Ok(()) };
    let stored = body::store(body, id, "");
    sqlx::query(sql::REPACK)
        .bind(before.r)
        .bind(stored.codec)
        .bind(stored.dictionary)
        .bind(stored.bytes)
        .execute(c)
        .await?;
    Ok(())
}

async fn relink(c: &mut SqliteConnection, r: i64, old: &[String], new: &[String]) -> Done {
    for target in old.iter().filter(|target| !new.contains(target)) {
        sqlx::query(sql::DROP_LINK).bind(ids::to_bytes(target)).bind(r).execute(&mut *c).await?;
    }
    for target in new.iter().filter(|target| !old.contains(target)) {
        sqlx::query(sql::ADD_LINK).bind(ids::to_bytes(target)).bind(r).execute(&mut *c).await?;
    }
    Ok(())
}

/// Keys that another of the patient's resources has, too, stay.
async fn rekey(
    c: &mut SqliteConnection,
    keys: &mut Changes,
    (old_patient, old): (i64, Vec<SearchKey>),
    (patient, new): (i64, Vec<SearchKey>),
) -> Done {
    let stays: BTreeSet<SearchKey> =
        if old_patient == patient { new.iter().cloned().collect() } else { BTreeSet::new() };
    let gone: Vec<SearchKey> = old.into_iter().filter(|key| !stays.contains(key)).collect();
    if !gone.is_empty() {
        // The new version is in its row already, so it counts among the others.
        let others = keys_of(c, old_patient).await?;
        for key in gone.into_iter().filter(|key| !others.contains(key)) {
            let (field, length, key) = key;
            keys.remove(key, Entry { patient: old_patient, field, length });
        }
    }
    if patient != 0 {
        for (field, length, key) in new {
            keys.add(key, Entry { patient, field, length });
        }
    }
    Ok(())
}

/// All search keys of a patient, read from the Patient and its RelatedPersons.
pub(crate) async fn keys_of(c: &mut SqliteConnection, patient: i64) -> Done<BTreeSet<SearchKey>> {
    let mut all = BTreeSet::new();
    for row in person(c, patient).await? {
        let resource = read::resource(c, &row).await?;
        all.extend(Columns::read(&resource.kind, &resource.id, &resource.body)?.keys);
    }
    Ok(all)
}

/// The rows of a Patient and of its RelatedPersons.
pub(crate) async fn person(c: &mut SqliteConnection, patient: i64) -> Done<Vec<SqliteRow>> {
    let mut rows = sqlx::query(sql::FOUND).bind(patient).fetch_all(&mut *c).await?;
    rows.extend(sqlx::query(sql::RELATIVES).bind(patient).fetch_all(c).await?);
    Ok(rows)
}
