//! From the tables of migration 0001 to those of 0002: every version is put again, in the order in which it came.

use rabta_domain::Private;
use sqlx::SqliteConnection;

use super::{
    connect::{Writer, get},
    posting::Changes,
    put, read, sql,
};
use crate::{error::StoreError, model::NewResource};

/// Versions in one transaction.
const STEP: i64 = 500;

/// Moves what is left of the old tables. Each step is a transaction: a power cut in the middle costs one step.
pub(crate) async fn run(writer: &mut Writer) -> Result<(), StoreError> {
    loop {
        let connection = writer.begin().await?;
        let done = step(connection).await;
        let left = writer.finish(done).await?;
        if !left {
            return Ok(());
        }
        writer.checkpoint().await?;
    }
}

async fn step(c: &mut SqliteConnection) -> Result<bool, StoreError> {
    if sqlx::query(sql::OLD_IS_THERE).fetch_optional(&mut *c).await?.is_none() {
        return Ok(false);
    }
    let rows = sqlx::query(sql::OLD_VERSIONS).bind(STEP).fetch_all(&mut *c).await?;
    let Some(last) = rows.last() else {
        sqlx::query(sql::OLD_DROP).execute(&mut *c).await?;
        sqlx::query(sql::OLD_DROP_PATIENTS).execute(c).await?;
        return Ok(false);
    };
    let last: i64 = get(last, 0)?;
    let mut keys = Changes::default();
    for row in &rows {
        let envelope: &[u8] = get(row, 4)?;
        let server_version: i64 = get(row, 3)?;
        let deleted: bool = get(row, 5)?;
        let body = if deleted { Private(Vec::new()) } else { read::packed(c, row, 6).await? };
        let new = NewResource {
            kind: get(row, 1)?,
            id: get(row, 2)?,
            patient: read::optional(get(row, 9)?),
            envelope: if envelope.is_empty() { None } else { Some(read::id(envelope)?) },
            server_version: u64::try_from(server_version).ok().filter(|version| *version > 0),
            body,
        };
        put::put(c, &mut keys, new).await?;
    }
    keys.write(c).await?;
    sqlx::query(sql::OLD_MOVED).bind(last).execute(c).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use sqlx::migrate::Migrator;

    use super::*;
    use crate::{
        RecordStore, SqliteStore,
        pack::{codec_number, pack},
        sqlite::connect::{MIGRATIONS, RawKey},
    };

    const ENVELOPE: [u8; 16] = [7; 16];
    const PATIENT: &str = "2dc9c22d-2fd4-882e-a701-785a3b54cd73";

    /// A database as the program with migration 0001 left it.
    async fn old(path: &std::path::Path, key: &RawKey, versions: &[(&str, &str, i64, &str)]) {
        let first = MIGRATIONS.iter().find(|m| m.version == 1).expect("it is there").clone();
        let migrator = Migrator { migrations: Cow::Owned(vec![first]), ..Migrator::DEFAULT };
        let mut writer = Writer::empty(path, key, &migrator).await.expect("a database");
        let c = writer.begin().await.expect("a transaction");
        for (n, (kind, id, version, body)) in versions.iter().enumerate() {
            let packed = pack(body.as_bytes(), None);
            let deleted = body.is_empty();
            if *kind == "Provenance" {
                // As the envelope's header said, and the body did not.
                sqlx::query(
                    "INSERT INTO resource (kind, id, seq, first_seq, patient, state, is_open, deleted) VALUES (?1, ?2, 1, 1, ?3, '', 0, 0)",
                )
                .bind(kind)
                .bind(id)
                .bind(PATIENT)
                .execute(&mut *c)
                .await
                .expect("a row");
            }
            let envelope = if n == 0 { ENVELOPE.to_vec() } else { Vec::new() };
            sqlx::query(
                "INSERT INTO resource_version (kind, id, version, server_version, envelope, deleted, codec, dictionary, body) \
                 VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, 0, ?7)",
            )
            .bind(kind)
            .bind(id)
            .bind(version)
            .bind(envelope)
            .bind(deleted)
            .bind(codec_number(packed.codec))
            .bind(packed.bytes.0)
            .execute(&mut *c)
            .await
            .expect("a row");
        }
        writer.finish(Ok(())).await.expect("committed");
        writer.close().await.expect("closed");
    }

    #[tokio::test]
    async fn an_old_database_is_moved_whole() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("records.db");
        let key = RawKey::random();
        let id = PATIENT;
        let first = format!(r#"{{"resourceType":"Patient","id":"{id}","name":[{{"text":"Ayesha Bibi"}}]}}"#);
        let second = format!(
            r#"{{"resourceType":"Patient","id":"{id}","name":[{{"text":"Ayesha Akram"}}],"x":1.50}}"#
        );
        let seen = format!(
            r#"{{"resourceType":"Observation","id":"o","subject":{{"reference":"Patient/{id}"}},"encounter":{{"reference":"Encounter/e"}}}}"#
        );
        let mut versions = vec![
            ("Observation", "o", 1, seen.as_str()),
            ("Patient", id, 1, &first),
            ("Patient", id, 2, &second),
            ("Condition", "c", 1, r#"{"resourceType":"Condition","id":"c"}"#),
            ("Condition", "c", 2, ""),
            ("Provenance", "v", 1, r#"{"resourceType":"Provenance","id":"v"}"#),
        ];
        let many: Vec<(String, String)> = (0..1200)
            .map(|n| (format!("b{n}"), format!(r#"{{"resourceType":"Basic","id":"b{n}"}}"#)))
            .collect();
        versions.extend(many.iter().map(|(id, body)| ("Basic", id.as_str(), 1, body.as_str())));
        old(&path, &key, &versions).await;

        for _ in 0..2 {
            let store = SqliteStore::open(&path, &key, false).await.expect("it opens");
            let patient = store.resource("Patient", id).await.expect("an answer").expect("it is there");
            assert_eq!((patient.version, patient.body.as_slice()), (2, second.as_bytes()));
            let history = store.history("Patient", id).await.expect("an answer");
            assert_eq!(
                history.iter().map(|v| v.body.as_slice()).collect::<Vec<_>>(),
                [first.as_bytes(), second.as_bytes()]
            );
            assert_eq!(store.history("Condition", "c").await.expect("an answer").len(), 2);
            assert_eq!(store.resource("Condition", "c").await.expect("an answer"), None);
            let of = store.of_patient(id, "Observation", None, 5).await.expect("an answer");
            assert_eq!((of.len(), of[0].body.as_slice()), (1, seen.as_bytes()));
            let signed = store.of_patient(id, "Provenance", None, 5).await.expect("an answer");
            assert_eq!(signed.len(), 1, "whom it is about was said beside the body");
            assert_eq!(store.referring_to("e", None).await.expect("an answer").len(), 1);
            assert_eq!(store.of_envelope(rabta_wire::Id(ENVELOPE)).await.expect("an answer").len(), 1);
            assert_eq!(store.of_kind("Basic", None, 2000).await.expect("an answer").len(), 1200);
            assert_eq!(store.find_patients("ayesha akram", 0, 5).await.expect("an answer").hits.len(), 1);
            assert!(store.find_patients("bibi", 0, 5).await.expect("an answer").hits.is_empty());
            store.close().await.expect("closed");
        }
    }
}
