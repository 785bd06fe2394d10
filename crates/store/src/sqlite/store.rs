//! [`SqliteStore`]: connections behind the [`RecordStore`] trait.

use std::{
    collections::{HashMap, HashSet},
    ops::{Deref, DerefMut},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rabta_domain::mr;
use rabta_wire::{Id, cursor::Cursor, envelope::Kind, log::Ack};
use sqlx::SqliteConnection;
use tokio::sync::{Mutex, MutexGuard};

use super::{
    connect::{MIGRATIONS, RawKey, Reader, Writer, get},
    details, find, ids, read, rekey, sql, upgrade, write,
};
use crate::{
    append::{LogHead, Sealer},
    details::Details,
    error::StoreError,
    model::*,
    order::{Waiting, push_order},
    traits::RecordStore,
    transaction::{Acks, Committed, Handed, PullBatch, Transaction},
};

/// Readers beside the writer: a list can load while a search runs.
const READERS: usize = 2;
/// So many written bytes (estimated) are moved from the write-ahead log into the database at once.
const CHECKPOINT_AFTER: usize = 4_000_000;
/// What a commit writes at least: a few pages.
const COMMIT_BYTES: usize = 20_000;

type Answer<T> = Result<T, StoreError>;

/// The record store on SQLCipher. Clones share the connections; [`SqliteStore::close`] closes them for all.
#[derive(Clone)]
pub struct SqliteStore(Arc<Inner>);

struct Inner {
    writer: Mutex<Option<Writer>>,
    readers: [Mutex<Option<Reader>>; READERS],
    turn: AtomicUsize,
    /// Bytes written since the last checkpoint, estimated.
    written: AtomicUsize,
}

/// A connection that is open for as long as this is held.
pub(crate) struct Held<'a, T>(MutexGuard<'a, Option<T>>);

impl<T> Held<'_, T> {
    /// Takes the connection away from everybody.
    pub(super) fn take(mut self) -> Option<T> {
        self.0.take()
    }
}

impl<T> Deref for Held<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("held only while open")
    }
}

impl<T> DerefMut for Held<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("held only while open")
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteStore[..]")
    }
}

impl SqliteStore {
    /// Opens the database at `path` with its raw key and brings it to this program's migration; one that a newer
    /// program wrote is refused. `create`: it is to be made.
    pub(crate) async fn open(path: &Path, key: &RawKey, create: bool) -> Answer<Self> {
        let mut writer = Writer::open(path, key, create).await?;
        upgrade::run(&mut writer).await?;
        rekey::run(&mut writer).await?;
        let readers = [
            Mutex::new(Some(Reader::open(path, key).await?)),
            Mutex::new(Some(Reader::open(path, key).await?)),
        ];
        let inner = Inner {
            writer: Mutex::new(Some(writer)),
            readers,
            turn: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Whether a database that this migration wrote last is of a newer program.
    pub(crate) fn is_newer(migration: i64) -> bool {
        MIGRATIONS.iter().all(|known| known.version < migration)
    }

    /// A database of its own with a random key that nobody keeps: for tests of what is built on the store.
    pub async fn temporary(path: &Path) -> Answer<Self> {
        Self::open(path, &RawKey::random(), true).await
    }

    /// Waits for what is being done and closes every connection; SQLCipher wipes its keys. From then on every
    /// method answers [`StoreError::Locked`].
    pub async fn close(&self) -> Answer<()> {
        let mut first = Ok(());
        for reader in &self.0.readers {
            if let Some(reader) = reader.lock().await.take() {
                first = first.and(reader.close().await);
            }
        }
        // Last, so that it is the writer that makes the final checkpoint.
        if let Some(writer) = self.0.writer.lock().await.take() {
            first = first.and(writer.close().await);
        }
        first
    }

    pub(crate) async fn reader(&self) -> Answer<Held<'_, Reader>> {
        let idle = self.0.readers.iter().find_map(|reader| reader.try_lock().ok());
        let held = match idle {
            Some(held) => held,
            None => self.0.readers[self.0.turn.fetch_add(1, Ordering::Relaxed) % READERS].lock().await,
        };
        if held.is_some() { Ok(Held(held)) } else { Err(StoreError::Locked) }
    }

    pub(crate) async fn writer(&self) -> Answer<Held<'_, Writer>> {
        let held = self.0.writer.lock().await;
        if held.is_some() { Ok(Held(held)) } else { Err(StoreError::Locked) }
    }

    pub(super) fn readers(&self) -> &[Mutex<Option<Reader>>; READERS] {
        &self.0.readers
    }

    pub(super) fn written(&self) -> &AtomicUsize {
        &self.0.written
    }

    /// The oldest entry that still waits to be sent.
    pub async fn oldest_unsent(&self) -> Answer<Option<LogEntry>> {
        Ok(self.entries(sqlx::query(sql::LOG_OLDEST_NOT_SENT)).await?.pop())
    }

    /// Counts what was written and, once it is much, moves it into the database file after the caller was answered.
    fn wrote(&self, bytes: usize) {
        let before = self.0.written.fetch_add(bytes + COMMIT_BYTES, Ordering::Relaxed);
        if before < CHECKPOINT_AFTER && before + bytes + COMMIT_BYTES >= CHECKPOINT_AFTER {
            let store = self.clone();
            tokio::spawn(async move {
                store.0.written.store(0, Ordering::Relaxed);
                let Ok(mut writer) = store.writer().await else { return };
                if let Err(error) = writer.checkpoint().await {
                    tracing::warn!(%error, "checkpoint put off");
                }
            });
        }
    }

    async fn list(&self, query: Query<'_>) -> Answer<Vec<Resource>> {
        let mut reader = self.reader().await?;
        let rows = query.fetch_all(reader.connection()).await?;
        read::resources(reader.connection(), rows).await
    }

    /// Every entry that the HIE does not have, what was refused and what waits for it too, in the log's order.
    pub async fn all_unsent(&self) -> Answer<Vec<LogEntry>> {
        self.entries(sqlx::query(sql::LOG_NOT_SENT)).await
    }

    async fn entries(&self, query: Query<'_>) -> Answer<Vec<LogEntry>> {
        let mut reader = self.reader().await?;
        query.fetch_all(reader.connection()).await?.iter().map(read::entry).collect()
    }

    async fn draft_list(&self, query: Query<'_>) -> Answer<Vec<Draft>> {
        let mut reader = self.reader().await?;
        let mut drafts = Vec::new();
        for row in query.fetch_all(reader.connection()).await? {
            drafts.push(read::draft(reader.connection(), &row).await?);
        }
        Ok(drafts)
    }
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

async fn waiting(c: &mut SqliteConnection) -> Answer<Vec<i64>> {
    let mut needs: HashMap<i64, Vec<Id>> = HashMap::new();
    for row in sqlx::query(sql::LOG_WAITING_NEEDS).fetch_all(&mut *c).await? {
        needs.entry(get(&row, 0)?).or_default().push(read::id(get(&row, 1)?)?);
    }
    let mut waiting = Vec::new();
    for row in sqlx::query(sql::LOG_WAITING).fetch_all(&mut *c).await? {
        let n = get(&row, 0)?;
        waiting.push(Waiting {
            n,
            id: read::id(get(&row, 1)?)?,
            kind: read::kind(get(&row, 2)?)?,
            of_task: get(&row, 3)?,
            depends: needs.remove(&n).unwrap_or_default(),
        });
    }
    let mut refused = HashSet::new();
    for row in sqlx::query(sql::LOG_REFUSED).fetch_all(&mut *c).await? {
        refused.insert(read::id(get(&row, 0)?)?);
    }
    Ok(push_order(&waiting, &refused))
}

impl RecordStore for SqliteStore {
    async fn commit(&self, transaction: Transaction, sealer: Option<&dyn Sealer>) -> Answer<Committed> {
        if transaction.is_empty() {
            return Ok(Committed::default());
        }
        let bytes = transaction.weight();
        let mut writer = self.writer().await?;
        let connection = writer.begin().await?;
        let done = write::ops(connection, transaction.ops, sealer).await;
        let done = writer.finish(done).await;
        drop(writer);
        self.wrote(bytes);
        done
    }

    async fn save_draft(&self, draft: SaveDraft) -> Answer<u64> {
        let bytes = draft.body.len();
        let mut writer = self.writer().await?;
        let connection = writer.begin().await?;
        let done = write::save_draft(connection, draft).await;
        let done = writer.finish(done).await;
        drop(writer);
        self.wrote(bytes);
        done
    }

    async fn next_mr(&self) -> Answer<MrNumber> {
        let mut writer = self.writer().await?;
        let connection = writer.begin().await?;
        let done = async {
            let row = sqlx::query(sql::OPEN_MR_BLOCK)
                .fetch_optional(&mut *connection)
                .await?
                .ok_or(StoreError::NoMrNumbers)?;
            let (prefix, first, number): (String, i64, u32) = (get(&row, 0)?, get(&row, 1)?, get(&row, 2)?);
            sqlx::query(sql::TAKE_MR).bind(&prefix).bind(first).execute(&mut *connection).await?;
            Ok(MrNumber { text: mr::format(&prefix, number).into(), prefix, number })
        }
        .await;
        writer.finish(done).await
    }

    async fn mark_acks(&self, epoch: Id, acks: &[Ack]) -> Answer<()> {
        let mut writer = self.writer().await?;
        let connection = writer.begin().await?;
        let done = write::acks(connection, &Acks { epoch, acks }).await;
        writer.finish(done).await
    }

    async fn requeue(&self, envelope: Id) -> Answer<()> {
        let mut writer = self.writer().await?;
        let connection = writer.begin().await?;
        let done = write::requeue(connection, envelope).await;
        writer.finish(done).await
    }

    async fn apply_pull(&self, batch: PullBatch) -> Answer<()> {
        let bytes = batch.weight();
        let mut writer = self.writer().await?;
        let connection = writer.begin().await?;
        let done = write::pull(connection, batch).await;
        let done = writer.finish(done).await;
        drop(writer);
        self.wrote(bytes);
        done
    }

    async fn take_handed(&self, handed: Handed) -> Answer<usize> {
        let bytes = handed.weight();
        let mut writer = self.writer().await?;
        let connection = writer.begin().await?;
        let done = write::take_handed(connection, handed).await;
        let done = writer.finish(done).await;
        drop(writer);
        self.wrote(bytes);
        done
    }

    async fn enter_epoch(&self, epoch: Id) -> Answer<()> {
        let mut writer = self.writer().await?;
        let connection = writer.begin().await?;
        let done = write::enter_epoch(connection, epoch).await;
        writer.finish(done).await
    }

    async fn find_patients(&self, text: &str, offset: usize, limit: usize) -> Answer<HitPage> {
        let mut reader = self.reader().await?;
        find::find(reader.connection(), text, offset, limit).await
    }

    async fn number_uses(&self, number: &str) -> Answer<Vec<NumberUse>> {
        let Some(key) = rabta_search::number_key(number) else { return Ok(Vec::new()) };
        let mut reader = self.reader().await?;
        find::number_uses(reader.connection(), &key).await
    }

    async fn resource(&self, kind: &str, id: &str) -> Answer<Option<Resource>> {
        let found = self.list(sqlx::query(sql::RESOURCE).bind(kind).bind(ids::to_bytes(id))).await?;
        Ok(found.into_iter().find(|r| !r.deleted))
    }

    async fn history(&self, kind: &str, id: &str) -> Answer<Vec<Resource>> {
        let mut versions = self.list(sqlx::query(sql::HISTORY).bind(kind).bind(ids::to_bytes(id))).await?;
        versions.extend(self.list(sqlx::query(sql::RESOURCE).bind(kind).bind(ids::to_bytes(id))).await?);
        Ok(versions)
    }

    async fn of_patient(
        &self,
        patient: &str,
        kind: &str,
        before: Option<i64>,
        limit: usize,
    ) -> Answer<Vec<Resource>> {
        let query = sqlx::query(sql::OF_PATIENT)
            .bind(ids::to_bytes(patient))
            .bind(kind)
            .bind(before.unwrap_or(i64::MAX));
        self.list(query.bind(count(limit))).await
    }

    async fn of_kind(&self, kind: &str, before: Option<i64>, limit: usize) -> Answer<Vec<Resource>> {
        self.list(sqlx::query(sql::OF_KIND).bind(kind).bind(before.unwrap_or(i64::MAX)).bind(count(limit)))
            .await
    }

    async fn count_of_kind(&self, kind: &str) -> Answer<u64> {
        let mut reader = self.reader().await?;
        let row = sqlx::query(sql::COUNT_OF_KIND).bind(kind).fetch_optional(reader.connection()).await?;
        row.map_or(Ok(0), |row| Ok(get::<i64>(&row, 0)?.max(0) as u64))
    }

    async fn open(&self, kind: &str, before: Option<i64>, limit: usize) -> Answer<Vec<Resource>> {
        self.list(sqlx::query(sql::OPEN).bind(kind).bind(before.unwrap_or(i64::MAX)).bind(count(limit))).await
    }

    async fn referring_to(&self, target: &str, kind: Option<&str>) -> Answer<Vec<Resource>> {
        let target = ids::to_bytes(target);
        match kind {
            Some(kind) => self.list(sqlx::query(sql::REFERRING_KIND).bind(target).bind(kind)).await,
            None => self.list(sqlx::query(sql::REFERRING).bind(target)).await,
        }
    }

    async fn of_envelope(&self, envelope: Id) -> Answer<Vec<Resource>> {
        let mut found = self.list(sqlx::query(sql::OF_ENVELOPE_PAST).bind(envelope.0.to_vec())).await?;
        found.extend(self.list(sqlx::query(sql::OF_ENVELOPE).bind(envelope.0.to_vec())).await?);
        found.sort_by_key(|version| version.seq);
        Ok(found)
    }

    async fn details(&self, patient: &str) -> Answer<Option<Details>> {
        let mut reader = self.reader().await?;
        details::of(reader.connection(), patient).await
    }

    async fn undecided(&self) -> Answer<Vec<String>> {
        let mut reader = self.reader().await?;
        let rows = sqlx::query(sql::UNDECIDED).fetch_all(reader.connection()).await?;
        rows.iter().map(|row| get(row, 0)).collect()
    }

    async fn draft(&self, id: &str) -> Answer<Option<Draft>> {
        Ok(self.draft_list(sqlx::query(sql::DRAFT).bind(id)).await?.pop())
    }

    async fn drafts(&self, kind: Option<&str>) -> Answer<Vec<Draft>> {
        match kind {
            Some(kind) => self.draft_list(sqlx::query(sql::DRAFTS_OF_KIND).bind(kind)).await,
            None => self.draft_list(sqlx::query(sql::DRAFTS)).await,
        }
    }

    async fn drafts_of(&self, patient: &str) -> Answer<Vec<Draft>> {
        self.draft_list(sqlx::query(sql::DRAFTS_OF_PATIENT).bind(patient)).await
    }

    async fn log_head(&self) -> Answer<LogHead> {
        let mut reader = self.reader().await?;
        write::log_head(reader.connection()).await
    }

    async fn log_entry(&self, envelope: Id) -> Answer<Option<LogEntry>> {
        Ok(self.entries(sqlx::query(sql::LOG_ENTRY).bind(envelope.0.to_vec())).await?.pop())
    }

    async fn unsent(&self, limit: usize, bytes: usize) -> Answer<Vec<LogEntry>> {
        let mut reader = self.reader().await?;
        let mut entries = Vec::new();
        let mut size = 0;
        for n in waiting(reader.connection()).await?.into_iter().take(limit) {
            let row = sqlx::query(sql::LOG_AT).bind(n).fetch_one(reader.connection()).await?;
            let entry = read::entry(&row)?;
            size += entry.bytes.len();
            if size > bytes && !entries.is_empty() {
                break;
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    async fn quarantined(&self) -> Answer<Vec<LogEntry>> {
        self.entries(sqlx::query(sql::LOG_QUARANTINED)).await
    }

    async fn seen_to(&self, limit: usize) -> Answer<Vec<LogEntry>> {
        self.entries(sqlx::query(sql::LOG_SEEN_TO).bind(count(limit))).await
    }

    async fn log_after(&self, epoch: u32, seq: u64, limit: usize) -> Answer<Vec<LogEntry>> {
        let query = sqlx::query(sql::LOG_AFTER).bind(i64::from(epoch));
        let seq = i64::try_from(seq).unwrap_or(i64::MAX);
        self.entries(query.bind(seq).bind(i64::try_from(limit).unwrap_or(i64::MAX))).await
    }

    async fn log_of_task(&self, task: Id) -> Answer<Vec<LogEntry>> {
        self.entries(sqlx::query(sql::LOG_OF_TASK).bind(task.to_string())).await
    }

    async fn custody(&self) -> Answer<CustodyCounts> {
        let mut total = CustodyCounts::default();
        for (_, counts) in self.custody_by_kind().await? {
            total.here += counts.here;
            total.at_hie += counts.at_hie;
            total.superseded += counts.superseded;
            total.quarantined += counts.quarantined;
        }
        Ok(total)
    }

    async fn custody_by_kind(&self) -> Answer<Vec<(Kind, CustodyCounts)>> {
        let mut reader = self.reader().await?;
        let mut by_kind: Vec<(Kind, CustodyCounts)> = Vec::new();
        for row in sqlx::query(sql::CUSTODY).fetch_all(reader.connection()).await? {
            let kind = read::kind(get(&row, 0)?)?;
            if by_kind.last().is_none_or(|(last, _)| *last != kind) {
                by_kind.push((kind, CustodyCounts::default()));
            }
            if let Some((_, counts)) = by_kind.last_mut() {
                counts.add(get(&row, 1)?, get::<i64>(&row, 2)? as u64);
            }
        }
        Ok(by_kind)
    }

    async fn custody_of_patient(&self, patient: &str) -> Answer<CustodyCounts> {
        let mut reader = self.reader().await?;
        let mut counts = CustodyCounts::default();
        for row in sqlx::query(sql::CUSTODY_OF_PATIENT).bind(patient).fetch_all(reader.connection()).await? {
            counts.add(get(&row, 0)?, get::<i64>(&row, 1)? as u64);
        }
        Ok(counts)
    }

    async fn custody_of(&self, kind: &str, id: &str) -> Answer<Option<EntryState>> {
        let mut reader = self.reader().await?;
        let Some(row) = sqlx::query(sql::CUSTODY_OF)
            .bind(kind)
            .bind(ids::to_bytes(id))
            .fetch_optional(reader.connection())
            .await?
        else {
            return Ok(None);
        };
        if let Some(state) = get::<Option<i64>>(&row, 1)? {
            return read::entry_state(state, get(&row, 2)?, get(&row, 3)?, get(&row, 4)?, get(&row, 5)?)
                .map(Some);
        }
        let seq = match get::<Option<i64>>(&row, 6)?.map(|place| place as u64) {
            Some(0 | NEARBY) => return Ok(Some(EntryState::Here)),
            place => place.unwrap_or_default(),
        };
        let epoch = write::cursor(reader.connection()).await?.map(|cursor| cursor.epoch).unwrap_or_default();
        Ok(Some(EntryState::AtHie(Cursor { epoch, seq })))
    }

    async fn received(&self, envelope: Id) -> Answer<Option<Received>> {
        let mut reader = self.reader().await?;
        let row =
            sqlx::query(sql::INBOX).bind(envelope.0.to_vec()).fetch_optional(reader.connection()).await?;
        row.as_ref().map(read::received).transpose()
    }

    async fn strays(&self) -> Answer<Vec<Id>> {
        let mut reader = self.reader().await?;
        let rows = sqlx::query(sql::STRAYS).fetch_all(reader.connection()).await?;
        rows.iter().map(|row| read::id(get(row, 1)?)).collect()
    }

    async fn handed(&self) -> Answer<u64> {
        let mut reader = self.reader().await?;
        let row = sqlx::query(sql::HANDED).fetch_one(reader.connection()).await?;
        Ok(get::<i64>(&row, 0)? as u64)
    }

    async fn only_here(&self) -> Answer<Vec<Id>> {
        let mut reader = self.reader().await?;
        let own = sqlx::query(sql::LOG_TO_HAND).fetch_all(reader.connection()).await?;
        let strays = sqlx::query(sql::STRAYS).fetch_all(reader.connection()).await?;
        let audit = read::kind_number(Kind::Audit);
        let mut ids = Vec::new();
        for (row, at) in own.iter().map(|row| (row, 0)).chain(strays.iter().map(|row| (row, 1))) {
            if get::<i64>(row, at + 1)? != audit {
                ids.push(read::id(get(row, at)?)?);
            }
        }
        Ok(ids)
    }

    async fn received_of_task(&self, task: Id) -> Answer<Vec<Received>> {
        let mut reader = self.reader().await?;
        let rows =
            sqlx::query(sql::INBOX_OF_TASK).bind(task.to_string()).fetch_all(reader.connection()).await?;
        rows.iter().map(read::received).collect()
    }

    async fn certs(&self, subject: Id) -> Answer<Vec<StoredCert>> {
        let mut reader = self.reader().await?;
        let rows = sqlx::query(sql::CERTS).bind(subject.0.to_vec()).fetch_all(reader.connection()).await?;
        rows.iter()
            .map(|row| {
                let key =
                    get::<&[u8]>(row, 1)?.try_into().map_err(|_| StoreError::Damaged("a certified key"))?;
                Ok(StoredCert {
                    subject: read::id(get(row, 0)?)?,
                    key,
                    issued_at: get(row, 2)?,
                    bytes: get(row, 3)?,
                })
            })
            .collect()
    }

    async fn cursor(&self) -> Answer<Option<Cursor>> {
        let mut reader = self.reader().await?;
        write::cursor(reader.connection()).await
    }

    async fn backed_up(&self) -> Answer<u64> {
        let bytes = self.setting(write::BACKED_UP).await?.unwrap_or_default();
        Ok(bytes.try_into().map(u64::from_be_bytes).unwrap_or(0))
    }

    async fn roster(&self) -> Answer<Option<Vec<u8>>> {
        self.setting(write::ROSTER).await
    }

    async fn setting(&self, key: &str) -> Answer<Option<Vec<u8>>> {
        let mut reader = self.reader().await?;
        read::setting(reader.connection(), key).await
    }

    async fn attachment(&self, id: &str) -> Answer<Option<Attachment>> {
        let mut reader = self.reader().await?;
        let row = sqlx::query(sql::ATTACHMENT).bind(id).fetch_optional(reader.connection()).await?;
        row.map(|row| {
            Ok(Attachment {
                id: get(&row, 0)?,
                content_type: get(&row, 1)?,
                bytes: get::<Vec<u8>>(&row, 2)?.into(),
                thumb: get::<Vec<u8>>(&row, 3)?.into(),
            })
        })
        .transpose()
    }

    async fn unsent_audit(&self, limit: usize) -> Answer<Vec<UnsentAudit>> {
        let mut reader = self.reader().await?;
        let rows = sqlx::query(sql::UNSENT_AUDIT).bind(count(limit)).fetch_all(reader.connection()).await?;
        rows.iter()
            .map(|row| {
                let entry = AuditEntry {
                    at: get(row, 1)?,
                    person: read::id(get(row, 2)?)?,
                    action: get(row, 3)?,
                    entity: get(row, 4)?,
                    patient: read::optional(get(row, 5)?),
                };
                Ok(UnsentAudit { seq: get(row, 0)?, entry })
            })
            .collect()
    }

    async fn mr_left(&self) -> Answer<u64> {
        let mut reader = self.reader().await?;
        let row = sqlx::query(sql::MR_LEFT).fetch_one(reader.connection()).await?;
        Ok(get::<i64>(&row, 0)?.max(0) as u64)
    }

    async fn dictionary(&self, id: u32) -> Answer<Option<Vec<u8>>> {
        let mut reader = self.reader().await?;
        read::dictionary(reader.connection(), id).await
    }
}
