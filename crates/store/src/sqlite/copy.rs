//! Whole copies of a database: one under the same key while everybody goes on working, one under another key, and looking
//! through a copy before it is trusted.

use std::{path::Path, sync::atomic::Ordering};

use rabta_wire::envelope::Envelope;
use sqlx::{Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{
    connect::{RawKey, Reader, Writer, get, keyed},
    sql,
    store::{Held, SqliteStore},
};
use crate::error::StoreError;

/// What a database holds, for comparing a copy with what it was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Contents {
    /// Entries of this laptop's log.
    pub log: u64,
    /// Resources that are current.
    pub resources: u64,
}

/// Writes a whole copy of the database to `to`, which must not exist, under the same key. It is one moment's state; others
/// read and write meanwhile. The connection is read-only: it makes no checkpoint.
pub(crate) async fn copy(from: &Path, key: &RawKey, to: &Path) -> Result<(), StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(from)
        .read_only(true)
        .busy_timeout(std::time::Duration::from_secs(5));
    let mut connection = keyed(options, key).await?;
    let to = to.to_str().ok_or(StoreError::Resource("a path that is not text"))?;
    // SQLCipher gives the new database the key of this one.
    let done = sqlx::query("VACUUM INTO ?1").bind(to.to_owned()).execute(&mut connection).await;
    let closed = connection.close().await;
    done?;
    Ok(closed?)
}

/// Encrypts a copy anew. Its file must be nobody's yet: what is cut here leaves a file that no key opens.
pub(crate) async fn rekey(path: &Path, old: &RawKey, new: &RawKey) -> Result<(), StoreError> {
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection = keyed(options, old).await?;
    let done = async {
        // The first read proves the old key.
        sqlx::query("SELECT count(*) FROM sqlite_schema").fetch_one(&mut connection).await?;
        let spec = new.spec();
        let mut handle = connection.lock_handle().await?;
        rabta_sys::sqlcipher::rekey(&mut handle, &spec)
            .map_err(|code| StoreError::of_code(&code.0.to_string()))
    }
    .await;
    let closed = connection.close().await;
    done?;
    Ok(closed?)
}

/// Opens a copy with its key, checks every page and index, and walks the log's chain of hashes from its beginnings.
pub(crate) async fn look_through(path: &Path, key: &RawKey) -> Result<Contents, StoreError> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(true);
    let mut connection = keyed(options, key).await?;
    let looked = async {
        let word: String =
            sqlx::query("PRAGMA integrity_check(1)").fetch_one(&mut connection).await?.try_get(0)?;
        if word != "ok" {
            return Err(StoreError::Damaged("a page or an index of the copy"));
        }
        let log = walk(&mut connection).await?;
        let contents = contents(&mut connection).await?;
        if log != contents.log {
            return Err(StoreError::Damaged("the log of the copy is not whole"));
        }
        Ok(contents)
    }
    .await;
    let closed = connection.close().await;
    let contents = looked?;
    closed?;
    Ok(contents)
}

/// How many entries the log has, each of which follows the one before it.
async fn walk(c: &mut SqliteConnection) -> Result<u64, StoreError> {
    const BROKEN: StoreError = StoreError::Damaged("the log's chain is broken");
    let (mut last, mut count) = (0_i64, 0_u64);
    let mut head = (0_u32, 0_u64, [0_u8; 32]);
    loop {
        let rows = sqlx::query(sql::LOG_CHAIN).bind(last).fetch_all(&mut *c).await?;
        if rows.is_empty() {
            return Ok(count);
        }
        for row in &rows {
            last = get(row, 0)?;
            let (epoch, seq): (u32, i64) = (get(row, 1)?, get(row, 2)?);
            let envelope = Envelope::from_bytes(get(row, 4)?).map_err(|_| BROKEN)?;
            let header = envelope.header().map_err(|_| BROKEN)?;
            if epoch != head.0 || count == 0 {
                // Another life of the log begins anew.
                head = (epoch, 0, [0; 32]);
            }
            let hash = envelope.hash();
            let follows = header.epoch == epoch
                && header.seq == seq as u64
                && header.seq == head.1 + 1
                && header.prev == head.2
                && get::<&[u8]>(row, 3)? == hash;
            if !follows {
                return Err(BROKEN);
            }
            head = (epoch, header.seq, hash);
            count += 1;
        }
    }
}

async fn contents(c: &mut SqliteConnection) -> Result<Contents, StoreError> {
    let log: i64 = get(&sqlx::query(sql::LOG_COUNT).fetch_one(&mut *c).await?, 0)?;
    let resources: i64 = get(&sqlx::query(sql::RESOURCE_COUNT).fetch_one(&mut *c).await?, 0)?;
    Ok(Contents { log: log.max(0) as u64, resources: resources.max(0) as u64 })
}

/// The store while nothing is written: reading goes on.
pub(crate) struct Hold<'a> {
    store: &'a SqliteStore,
    writer: Held<'a, Writer>,
}

impl SqliteStore {
    pub(crate) async fn contents(&self) -> Result<Contents, StoreError> {
        let mut reader = self.reader().await?;
        contents(reader.connection()).await
    }

    /// Waits for what is being written, and lets nobody write until the hold is dropped.
    pub(crate) async fn hold(&self) -> Result<Hold<'_>, StoreError> {
        Ok(Hold { store: self, writer: self.writer().await? })
    }
}

impl Hold<'_> {
    /// Works on the database at `path` from now on, for everybody who has this store. If that one does not open, nothing
    /// works any more until the vault is opened again: the old one must not be written to.
    pub async fn move_to(mut self, path: &Path, key: &RawKey) -> Result<(), StoreError> {
        let opened = async {
            let writer = Writer::open(path, key, false).await?;
            Ok::<_, StoreError>((writer, [Reader::open(path, key).await?, Reader::open(path, key).await?]))
        }
        .await;
        match opened {
            Ok((writer, readers)) => {
                let old = std::mem::replace(&mut *self.writer, writer);
                for (slot, reader) in self.store.readers().iter().zip(readers) {
                    let mut slot = slot.lock().await;
                    // Closed meanwhile: it stays closed.
                    if let Some(old) = slot.take() {
                        old.close().await?;
                        *slot = Some(reader);
                    } else {
                        reader.close().await?;
                    }
                }
                self.store.written().store(0, Ordering::Relaxed);
                old.close().await
            }
            Err(error) => {
                // The old writer goes before anybody else can have it.
                if let Some(old) = self.writer.take() {
                    old.close().await?;
                }
                self.store.close().await?;
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ed25519_dalek::SigningKey;
    use rabta_wire::{Id, envelope::Kind};

    use super::*;
    use crate::{DeviceSigner, NewEnvelope, RecordStore as _, Transaction, sqlite::connect::Writer};

    #[tokio::test]
    async fn a_log_of_which_one_entry_was_exchanged_is_no_copy() {
        let dir = tempfile::tempdir().expect("a folder");
        let (path, key) = (dir.path().join("records.db"), RawKey::random());
        let store = SqliteStore::open(&path, &key, true).await.expect("a new one");
        let signer = DeviceSigner::new(Id([3; 16]), Arc::new(SigningKey::from_bytes(&[5; 32])));
        for n in 1..=3 {
            let new = NewEnvelope {
                id: Id([n; 16]),
                kind: Kind::Visit,
                patient: Some(Id([8; 16])),
                facility: Id([4; 16]),
                task: None,
                base_version: None,
                depends: vec![],
                device_time: 0,
                clock_offset: None,
                signed_by: None,
                payload: br#"{"resourceType":"Bundle","type":"document","entry":[]}"#.to_vec().into(),
            };
            store.commit(Transaction::new().append(new), Some(&signer)).await.expect("it is appended");
        }
        store.close().await.expect("it closes");
        assert_eq!(look_through(&path, &key).await.expect("it is whole").log, 3);
        for (n, bend) in [
            "UPDATE log SET hash = zeroblob(32) WHERE seq = 2",
            "UPDATE log SET bytes = (SELECT bytes FROM log WHERE seq = 1) WHERE seq = 2",
        ]
        .into_iter()
        .enumerate()
        {
            let bent = dir.path().join(format!("bent-{n}.db"));
            std::fs::copy(&path, &bent).expect("a copy");
            let mut writer = Writer::open(&bent, &key, false).await.expect("it opens");
            let c = writer.begin().await.expect("a transaction");
            sqlx::query(bend).execute(c).await.expect("it is bent");
            writer.finish(Ok(())).await.expect("it is kept");
            writer.close().await.expect("it closes");
            let looked = look_through(&bent, &key).await;
            assert!(matches!(looked, Err(StoreError::Damaged("the log's chain is broken"))), "{bend}");
        }
    }
}
