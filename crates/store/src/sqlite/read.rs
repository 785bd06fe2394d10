//! Rows to what the app sees.

use rabta_domain::Private;
use rabta_wire::{Id, cursor::Cursor, envelope::Kind};
use sqlx::{SqliteConnection, sqlite::SqliteRow};

use super::{
    body::{self, BODY},
    connect::get,
    ids, sql,
};
use crate::{
    error::StoreError,
    model::{Draft, EntryState, LogEntry, Received, Resource},
    pack,
};

pub(crate) fn id(bytes: &[u8]) -> Result<Id, StoreError> {
    bytes.try_into().map(Id).map_err(|_| StoreError::Damaged("an id that is not 16 bytes"))
}

fn optional_id(bytes: &[u8]) -> Result<Option<Id>, StoreError> {
    if bytes.is_empty() { Ok(None) } else { id(bytes).map(Some) }
}

pub(crate) fn optional(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn task(text: &str) -> Result<Option<Id>, StoreError> {
    if text.is_empty() {
        Ok(None)
    } else {
        text.parse().map(Some).map_err(|_| StoreError::Damaged("a task id"))
    }
}

/// The wire's number of a kind (its CBOR form is that number).
pub(crate) fn kind_number(kind: Kind) -> i64 {
    let encoded = minicbor::to_vec(kind).expect("encoding into memory cannot fail");
    minicbor::decode::<i64>(&encoded).expect("kinds are encoded as their numbers")
}

pub(crate) fn kind(number: i64) -> Result<Kind, StoreError> {
    let encoded = minicbor::to_vec(number).expect("encoding into memory cannot fail");
    minicbor::decode(&encoded).map_err(|_| StoreError::Damaged("a kind that this program does not know"))
}

pub(crate) async fn setting(
    connection: &mut SqliteConnection,
    key: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let row = sqlx::query(sql::SETTING).bind(key).fetch_optional(connection).await?;
    row.map(|row| get(&row, 0)).transpose()
}

pub(crate) async fn dictionary(
    connection: &mut SqliteConnection,
    id: u32,
) -> Result<Option<Vec<u8>>, StoreError> {
    if id == 0 {
        return Ok(None);
    }
    let row = sqlx::query(sql::DICTIONARY).bind(i64::from(id)).fetch_optional(connection).await?;
    row.map(|row| get(&row, 0)).transpose()
}

/// Columns `at..at + 3` of a row: codec, dictionary, packed body.
pub(crate) async fn packed(
    connection: &mut SqliteConnection,
    row: &SqliteRow,
    at: usize,
) -> Result<Private<Vec<u8>>, StoreError> {
    let codec = pack::codec_of(get(row, at)?)?;
    let dictionary_id =
        u32::try_from(get::<i64>(row, at + 1)?).map_err(|_| StoreError::Damaged("a dictionary id"))?;
    let packed: &[u8] = get(row, at + 2)?;
    let dictionary = dictionary(connection, dictionary_id).await?;
    if dictionary_id != 0 && dictionary.is_none() {
        return Err(StoreError::Damaged("a payload's dictionary is missing"));
    }
    pack::unpack(codec, packed, dictionary.as_deref(), BODY).map(Private)
}

/// The body of a resource, packed or folded.
pub(crate) async fn body(
    connection: &mut SqliteConnection,
    row: &SqliteRow,
    at: usize,
    own: &str,
    patient: &str,
) -> Result<Private<Vec<u8>>, StoreError> {
    if body::is_folded(get(row, at)?, get(row, at + 1)?) {
        return body::read(get(row, at + 2)?, own, patient);
    }
    packed(connection, row, at).await
}

pub(crate) async fn resource(
    connection: &mut SqliteConnection,
    row: &SqliteRow,
) -> Result<Resource, StoreError> {
    let own = ids::from_bytes(get(row, 1)?)?;
    let patient: &[u8] = get(row, 5)?;
    let patient = if patient.is_empty() { None } else { Some(ids::from_bytes(patient)?) };
    let body = self::body(connection, row, 10, &own, patient.as_deref().unwrap_or_default()).await?;
    Ok(Resource {
        kind: get(row, 0)?,
        id: own,
        version: get(row, 2)?,
        seq: get(row, 3)?,
        first_seq: get(row, 4)?,
        patient,
        state: get(row, 6)?,
        open: get(row, 7)?,
        deleted: get(row, 8)?,
        envelope: optional_id(get(row, 9)?)?,
        body,
    })
}

pub(crate) async fn resources(
    connection: &mut SqliteConnection,
    rows: Vec<SqliteRow>,
) -> Result<Vec<Resource>, StoreError> {
    let mut resources = Vec::with_capacity(rows.len());
    for row in &rows {
        resources.push(resource(connection, row).await?);
    }
    Ok(resources)
}

pub(crate) async fn draft(connection: &mut SqliteConnection, row: &SqliteRow) -> Result<Draft, StoreError> {
    Ok(Draft {
        id: get(row, 0)?,
        kind: get(row, 1)?,
        patient: optional(get(row, 2)?),
        rev: get::<i64>(row, 3)? as u64,
        seq: get(row, 4)?,
        updated_at: get(row, 5)?,
        body: packed(connection, row, 6).await?,
    })
}

/// `state`, `hie_epoch`, `hie_seq`, `code`, `words` of the log.
pub(crate) fn entry_state(
    state: i64,
    epoch: &[u8],
    seq: i64,
    code: String,
    text: String,
) -> Result<EntryState, StoreError> {
    let at = || Ok::<_, StoreError>(Cursor { epoch: id(epoch)?, seq: seq as u64 });
    Ok(match state {
        0 => EntryState::Here,
        1 => EntryState::AtHie(at()?),
        2 => EntryState::Superseded { at: at()?, code },
        3 => EntryState::Quarantined { code, text },
        4 => EntryState::SeenTo { code, text, by: optional_id(epoch)? },
        _ => return Err(StoreError::Damaged("a state that this program does not know")),
    })
}

pub(crate) fn entry(row: &SqliteRow) -> Result<LogEntry, StoreError> {
    Ok(LogEntry {
        log_epoch: get(row, 0)?,
        seq: get::<i64>(row, 1)? as u64,
        id: id(get(row, 2)?)?,
        kind: kind(get(row, 3)?)?,
        patient: optional(get(row, 4)?),
        task: task(get(row, 5)?)?,
        state: entry_state(get(row, 6)?, get(row, 7)?, get(row, 8)?, get(row, 9)?, get(row, 10)?)?,
        bytes: Private(get(row, 11)?),
    })
}

pub(crate) fn received(row: &SqliteRow) -> Result<Received, StoreError> {
    Ok(Received {
        id: id(get(row, 0)?)?,
        hie_seq: get::<i64>(row, 1)? as u64,
        device: id(get(row, 2)?)?,
        kind: kind(get(row, 3)?)?,
        patient: optional(get(row, 4)?),
        task: task(get(row, 5)?)?,
        received_at: get(row, 6)?,
        bytes: Private(get(row, 7)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_stored_by_their_wire_numbers() {
        for (stored, expected) in
            [(Kind::Patient, 1), (Kind::Visit, 3), (Kind::AttachmentPart, 9), (Kind::Audit, 10)]
        {
            assert_eq!(kind_number(stored), expected);
            assert_eq!(kind(expected).expect("a kind"), stored);
        }
        assert!(kind(99).is_err());
    }
}
