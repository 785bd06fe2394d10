//! The search keys of everybody made anew, where this program makes others of the same names than the one that wrote them.

use rabta_search::KEYS;
use sqlx::SqliteConnection;

use super::{
    connect::{Writer, get},
    posting::{Changes, Entry},
    put, sql,
};
use crate::error::StoreError;

/// Resources in one transaction.
const STEP: i64 = 4000;
/// `keyed.after`: all have their keys.
const ALL: i64 = -1;

/// Makes what is missing. Each step is a transaction: a power cut in the middle costs one step.
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
    let row = sqlx::query(sql::KEYED).fetch_one(&mut *c).await?;
    let (how, mut after): (i64, i64) = (get(&row, 0)?, get(&row, 1)?);
    if how != KEYS {
        sqlx::query(sql::FORGET_POSTINGS).execute(&mut *c).await?;
        sqlx::query(sql::FORGET_WORDS).execute(&mut *c).await?;
        after = 0;
    }
    if after == ALL {
        return Ok(false);
    }
    let mut keys = Changes::default();
    for row in sqlx::query(sql::PATIENTS_AFTER).bind(after).bind(after + STEP).fetch_all(&mut *c).await? {
        let patient: i64 = get(&row, 0)?;
        for (field, length, key) in put::keys_of(c, patient).await? {
            keys.add(key, Entry { patient, field, length });
        }
    }
    keys.write(c).await?;
    let last: i64 = get(&sqlx::query(sql::LAST_ROW).fetch_one(&mut *c).await?, 0)?;
    let after = if after + STEP < last { after + STEP } else { ALL };
    sqlx::query(sql::SET_KEYED).bind(KEYS).bind(after).execute(c).await?;
    Ok(after != ALL)
}

#[cfg(test)]
mod tests {
    use rabta_wire::{Id, cursor::Cursor};

    use crate::{
        PullBatch, Pulled, RecordStore, SqliteStore,
        sqlite::connect::{RawKey, Writer},
    };

    #[tokio::test]
    async fn keys_of_another_program_are_made_anew() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("records.db");
        let key = RawKey::random();
        let store = SqliteStore::open(&path, &key, true).await.expect("a new database");
        let patient = |n: u32, name: &str| {
            Pulled::Resource {
            kind: "Patient".into(),
            id: format!("2dc9c22d-2fd4-882e-a701-{n:012}"),
            version: 1,
            body: format!(
                r#"{{"resourceType":"Patient","id":"2dc9c22d-2fd4-882e-a701-{n:012}","name":[{{"text":"{name}"}}]}}"#
            )
            .into_bytes()
            .into(),
        }
        };
        let mut items: Vec<Pulled> = (0..4500).map(|n| patient(n, "Muhammad Ali")).collect();
        items.push(patient(5000, "Zubaida Parveen"));
        let next = Cursor { epoch: Id([1; 16]), seq: 1 };
        store.apply_pull(PullBatch { items, next, backed_up: 0 }).await.expect("applied");
        store.close().await.expect("closed");

        let mut writer = Writer::open(&path, &key, false).await.expect("it opens");
        let c = writer.begin().await.expect("a transaction");
        for spoil in [
            "DELETE FROM posting WHERE key LIKE 'k%'",
            "INSERT INTO word (key) VALUES ('kglb gulab')",
            "UPDATE keyed SET how = 1",
        ] {
            sqlx::query(spoil).execute(&mut *c).await.expect("spoilt");
        }
        writer.finish(Ok(())).await.expect("committed");
        writer.close().await.expect("closed");

        for _ in 0..2 {
            let store = SqliteStore::open(&path, &key, false).await.expect("it opens");
            let found = store.find_patients("zubaida", 0, 5).await.expect("an answer");
            assert_eq!(found.hits.len(), 1);
            let page = store.find_patients("muhammad ali", 4495, 10).await.expect("an answer");
            assert_eq!((page.hits.len(), page.more), (5, false));
            store.close().await.expect("closed");
        }
        let mut writer = Writer::open(&path, &key, false).await.expect("it opens");
        let c = writer.begin().await.expect("a transaction");
        let left = sqlx::query("SELECT 1 FROM word WHERE key = 'kglb gulab'").fetch_optional(c).await;
        assert!(left.expect("an answer").is_none(), "nothing of the old keys is left");
    }
}
