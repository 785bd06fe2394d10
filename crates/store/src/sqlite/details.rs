//! [`crate::details`] in the database: which patients' details were written beside each other, noted with the envelope that
//! made it so.

use std::collections::BTreeMap;

use rabta_domain::{fhir, patient::Registration};
use sqlx::SqliteConnection;

use super::{connect::get, ids, read, sql};
use crate::{
    details::{self, Details, Written, is_beside},
    error::StoreError,
};

type Done<T = ()> = Result<T, StoreError>;

/// What stands where details were written beside each other; `None` for all other patients, after one look at an index.
pub(crate) async fn of(c: &mut SqliteConnection, patient: &str) -> Done<Option<Details>> {
    if sqlx::query(sql::IS_BESIDE).bind(patient).fetch_optional(&mut *c).await?.is_none() {
        return Ok(None);
    }
    let written = written(c, patient).await?;
    stands(c, patient, &written).await
}

/// Something was written of the patient's details.
pub(crate) async fn note(c: &mut SqliteConnection, patient: &str) -> Done {
    sqlx::query(sql::DROP_BESIDE).bind(patient).execute(&mut *c).await?;
    let written = written(c, patient).await?;
    if !is_beside(&written) {
        return Ok(());
    }
    let Some(details) = stands(c, patient, &written).await? else { return Ok(()) };
    for (field, envelope) in details.rows() {
        let row = sqlx::query(sql::ADD_BESIDE).bind(patient).bind(field).bind(envelope.0.to_vec());
        row.execute(&mut *c).await?;
    }
    Ok(())
}

async fn written(c: &mut SqliteConnection, patient: &str) -> Done<Vec<Written>> {
    let mut rows = sqlx::query(sql::DETAILS_WRITTEN).bind(patient).fetch_all(&mut *c).await?;
    rows.extend(sqlx::query(sql::DETAILS_RECEIVED).bind(patient).fetch_all(&mut *c).await?);
    let mut written = Vec::with_capacity(rows.len());
    for row in &rows {
        written.extend(Written::read(get(row, 0)?));
    }
    Ok(written)
}

async fn stands(c: &mut SqliteConnection, patient: &str, written: &[Written]) -> Done<Option<Details>> {
    let mut dictionaries = BTreeMap::new();
    for id in written.iter().map(|w| w.header.dictionary).filter(|id| *id != 0) {
        if let Some(bytes) = read::dictionary(c, id).await? {
            dictionaries.insert(id, bytes);
        }
    }
    let imported = imported(c, patient).await?;
    Ok(details::read(written, imported, &dictionaries))
}

/// The details as they were before anybody here or elsewhere amended them, where they came without an envelope.
async fn imported(c: &mut SqliteConnection, patient: &str) -> Done<Option<Registration>> {
    let number = sqlx::query(sql::NUMBER_OF).bind("Patient").bind(ids::to_bytes(patient));
    let Some(row) = number.fetch_optional(&mut *c).await? else { return Ok(None) };
    let r: i64 = get(&row, 0)?;
    let mut rows = sqlx::query(sql::IMPORTED_PAST).bind(r).fetch_all(&mut *c).await?;
    rows.extend(sqlx::query(sql::IMPORTED_NOW).bind(r).fetch_all(&mut *c).await?);
    let mut person = None;
    let mut related: BTreeMap<String, fhir::Resource> = BTreeMap::new();
    for row in &rows {
        let (kind, id): (String, String) = (get(row, 0)?, ids::from_bytes(get(row, 1)?)?);
        let body = read::body(c, row, 2, &id, patient).await?;
        let Ok(resource) = fhir::Resource::parse(&body) else { continue };
        match kind.as_str() {
            "Patient" => person = Some(resource),
            _ => drop(related.insert(id, resource)),
        }
    }
    let related: Vec<fhir::Resource> = related.into_values().collect();
    let read = person.and_then(|person| fhir::patient::read(&person, &related).ok());
    Ok(read.map(|record| record.form))
}
