//! What happens within a write transaction.

use rabta_wire::{
    Id,
    cursor::Cursor,
    envelope::{AttachmentPart, Envelope, Header, Kind},
    log::Outcome,
};
use sqlx::SqliteConnection;

use super::{
    connect::get,
    details,
    posting::Changes,
    put::{self, put},
    read, sql,
};
use crate::{
    append::{LogHead, NewEnvelope, Projection, Sealer, project, seal_next},
    error::StoreError,
    model::{Attachment, LogEntry, NEARBY, NewResource, SaveDraft, StoredCert},
    pack::{self, pack},
    transaction::{Acks, Committed, Handed, Op, PullBatch, Pulled},
};

type Done<T = ()> = Result<T, StoreError>;

/// Settings of the store itself.
pub(crate) const CURSOR: &str = "store.cursor";
pub(crate) const BACKED_UP: &str = "store.backed-up";
pub(crate) const ROSTER: &str = "store.roster";
pub(crate) const LOG_EPOCH: &str = "store.log-epoch";

pub(crate) async fn ops(
    c: &mut SqliteConnection,
    ops: Vec<Op>,
    sealer: Option<&dyn Sealer>,
) -> Done<Committed> {
    let mut committed = Committed::default();
    let mut keys = Changes::default();
    for op in ops {
        match op {
            Op::Put(resource) => put(c, &mut keys, resource).await?,
            Op::Forget(kind, id) => put::forget(c, &mut keys, &kind, &id).await?,
            Op::SaveDraft(draft) => {
                let id = draft.id.clone();
                committed.drafts.push((id, save_draft(c, draft).await?));
            }
            Op::DropDraft(id) => run(sqlx::query(sql::DROP_DRAFT).bind(id), c).await?,
            Op::Append(new) => {
                let seq = append(c, &mut keys, &new, sealer.ok_or(StoreError::NoSealer)?).await?;
                committed.appended.push((new.id, seq));
            }
            Op::SeeTo(old, new) => see_to(c, old, new).await?,
            Op::PutAttachment(attachment) => put_attachment(c, attachment).await?,
            Op::PutCert(cert) => put_cert(c, cert).await?,
            Op::Set(key, value) => set(c, &key, value).await?,
            Op::Unset(key) => run(sqlx::query(sql::UNSET).bind(key), c).await?,
            Op::Audit(entry) => {
                let query = sqlx::query(sql::AUDIT)
                    .bind(entry.at)
                    .bind(entry.person.0.to_vec())
                    .bind(entry.action)
                    .bind(entry.entity)
                    .bind(entry.patient.unwrap_or_default());
                run(query, c).await?;
            }
            Op::AuditSent(seq) => run(sqlx::query(sql::AUDIT_SENT).bind(seq), c).await?,
            Op::MrBlock(block) => {
                run(sqlx::query(sql::ADD_MR_BLOCK).bind(block.prefix).bind(block.first).bind(block.last), c)
                    .await?;
            }
            Op::CloseMrBlocks => run(sqlx::query(sql::CLOSE_MR_BLOCKS), c).await?,
            Op::AddDictionary(0, _) => return Err(StoreError::Resource("dictionary 0 means none")),
            Op::AddDictionary(id, bytes) => {
                run(sqlx::query(sql::ADD_DICTIONARY).bind(id).bind(bytes), c).await?
            }
        }
    }
    keys.write(c).await?;
    Ok(committed)
}

type Query = sqlx::query::Query<'static, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

async fn run(query: Query, c: &mut SqliteConnection) -> Done {
    query.execute(c).await?;
    Ok(())
}

pub(crate) async fn set(c: &mut SqliteConnection, key: &str, value: Vec<u8>) -> Done {
    run(sqlx::query(sql::SET).bind(key.to_owned()).bind(value), c).await
}

pub(crate) async fn save_draft(c: &mut SqliteConnection, draft: SaveDraft) -> Done<u64> {
    let packed = pack(&draft.body, None);
    let row = sqlx::query(sql::SAVE_DRAFT)
        .bind(draft.id)
        .bind(draft.kind)
        .bind(draft.patient.unwrap_or_default())
        .bind(draft.updated_at)
        .bind(pack::codec_number(packed.codec))
        .bind(packed.dictionary)
        .bind(packed.bytes.0)
        .fetch_one(c)
        .await?;
    Ok(get::<i64>(&row, 0)? as u64)
}

pub(crate) async fn log_head(c: &mut SqliteConnection) -> Done<LogHead> {
    let epoch = match read::setting(c, LOG_EPOCH).await? {
        Some(bytes) => {
            u32::from_be_bytes(bytes.try_into().map_err(|_| StoreError::Damaged("the log's epoch"))?)
        }
        None => 0,
    };
    let Some(row) = sqlx::query(sql::LOG_HEAD).fetch_optional(c).await? else {
        return Ok(LogHead { epoch, ..LogHead::default() });
    };
    if get::<u32>(&row, 0)? != epoch {
        // A new life of the log begins at 1.
        return Ok(LogHead { epoch, ..LogHead::default() });
    }
    let hash = get::<&[u8]>(&row, 2)?.try_into().map_err(|_| StoreError::Damaged("the log's last hash"))?;
    Ok(LogHead { epoch, seq: get::<i64>(&row, 1)? as u64, hash })
}

async fn append(
    c: &mut SqliteConnection,
    keys: &mut Changes,
    new: &NewEnvelope,
    sealer: &dyn Sealer,
) -> Done<u64> {
    let head = log_head(c).await?;
    let (envelope, header, head) = seal_next(head, new, sealer);
    let row = sqlx::query(sql::APPEND)
        .bind(header.epoch)
        .bind(header.seq as i64)
        .bind(header.id.0.to_vec())
        .bind(read::kind_number(header.kind))
        .bind(header.patient.map(|p| p.to_string()).unwrap_or_default())
        .bind(header.task.map(|t| t.to_string()).unwrap_or_default())
        .bind(head.hash.to_vec())
        .bind(envelope.to_bytes())
        .fetch_one(&mut *c)
        .await?;
    let n: i64 = get(&row, 0)?;
    if let Some(patient) = header.patient {
        seen(c, &patient.to_string()).await?;
    }
    for needs in &header.depends {
        run(sqlx::query(sql::ADD_NEED).bind(n).bind(needs.0.to_vec()), c).await?;
    }
    store_payload(c, keys, &header, &new.payload).await?;
    note_details(c, &header).await?;
    Ok(header.seq)
}

/// Whether a patient's details now stand beside each other, or no more.
async fn note_details(c: &mut SqliteConnection, header: &Header) -> Done {
    match header.patient {
        Some(patient) if header.kind == Kind::Patient => details::note(c, &patient.to_string()).await,
        _ => Ok(()),
    }
}

async fn see_to(c: &mut SqliteConnection, old: Id, new: Option<Id>) -> Done {
    let new = new.map(|new| new.0.to_vec()).unwrap_or_default();
    run(sqlx::query(sql::SEE_TO).bind(old.0.to_vec()).bind(new), c).await?;
    let Some(row) = sqlx::query(sql::LOG_ENTRY).bind(old.0.to_vec()).fetch_optional(&mut *c).await? else {
        return Ok(());
    };
    match read::entry(&row)? {
        LogEntry { kind: Kind::Patient, patient: Some(patient), .. } => details::note(c, &patient).await,
        _ => Ok(()),
    }
}

/// So many patients come first in a search.
const LATELY: i64 = 300;

async fn seen(c: &mut SqliteConnection, patient: &str) -> Done {
    let patient = put::number_of_patient(c, patient).await?;
    let seq = put::next_seq(c).await?;
    run(sqlx::query(sql::SEEN).bind(patient).bind(seq), c).await?;
    run(sqlx::query(sql::FORGET_SEEN).bind(LATELY), c).await
}

async fn store_payload(
    c: &mut SqliteConnection,
    keys: &mut Changes,
    header: &Header,
    payload: &[u8],
) -> Done {
    match project(header, payload)? {
        Projection::Resources(resources) => {
            for resource in resources {
                put(c, keys, resource).await?;
            }
            Ok(())
        }
        Projection::Part(part) => put_part(c, part).await,
    }
}

async fn put_part(c: &mut SqliteConnection, part: AttachmentPart) -> Done {
    let id = part.attachment.to_string();
    if sqlx::query(sql::HAS_ATTACHMENT).bind(&id).fetch_optional(&mut *c).await?.is_some() {
        return Ok(());
    }
    let query = sqlx::query(sql::PUT_PART)
        .bind(id.clone())
        .bind(part.index)
        .bind(part.count)
        .bind(part.content_type.clone())
        .bind(part.bytes.to_vec());
    run(query, c).await?;
    let count: i64 = get(&sqlx::query(sql::COUNT_PARTS).bind(&id).fetch_one(&mut *c).await?, 0)?;
    if count < i64::from(part.count) {
        return Ok(());
    }
    let mut bytes = Vec::new();
    for row in sqlx::query(sql::PARTS).bind(&id).fetch_all(&mut *c).await? {
        bytes.extend_from_slice(get(&row, 0)?);
    }
    run(sqlx::query(sql::DROP_PARTS).bind(id.clone()), c).await?;
    put_attachment(
        c,
        Attachment { id, content_type: part.content_type, bytes: bytes.into(), thumb: Vec::new().into() },
    )
    .await
}

async fn put_attachment(c: &mut SqliteConnection, attachment: Attachment) -> Done {
    let query = sqlx::query(sql::PUT_ATTACHMENT)
        .bind(attachment.id)
        .bind(attachment.content_type)
        .bind(attachment.bytes.0)
        .bind(attachment.thumb.0);
    run(query, c).await
}

async fn put_cert(c: &mut SqliteConnection, cert: StoredCert) -> Done {
    let query = sqlx::query(sql::PUT_CERT)
        .bind(cert.subject.0.to_vec())
        .bind(cert.key.to_vec())
        .bind(cert.issued_at)
        .bind(cert.bytes);
    run(query, c).await
}

pub(crate) async fn acks(c: &mut SqliteConnection, acks: &Acks<'_>) -> Done {
    let of_this_life = cursor(c).await?.is_some_and(|cursor| cursor.epoch == acks.epoch);
    for ack in acks.acks {
        let (state, seq, code, words) = match &ack.outcome {
            Outcome::Durable { seq } => (1, *seq, "", ""),
            Outcome::Superseded { seq, code } => (2, *seq, code.as_str(), ""),
            Outcome::Refused { code, text } => (3, 0, code.as_str(), text.as_str()),
            Outcome::Waits { .. } => continue,
        };
        let epoch = if state == 3 { Vec::new() } else { acks.epoch.0.to_vec() };
        let query = sqlx::query(sql::MOVE)
            .bind(ack.id.0.to_vec())
            .bind(state)
            .bind(epoch)
            .bind(seq as i64)
            .bind(code.to_owned())
            .bind(words.to_owned());
        run(query, c).await?;
        if state == 1 && of_this_life {
            run(sqlx::query(sql::PLACED).bind(ack.id.0.to_vec()).bind(seq as i64), c).await?;
        }
    }
    Ok(())
}

pub(crate) async fn requeue(c: &mut SqliteConnection, envelope: Id) -> Done {
    run(sqlx::query(sql::REQUEUE).bind(envelope.0.to_vec()), c).await
}

pub(crate) async fn pull(c: &mut SqliteConnection, batch: PullBatch) -> Done {
    let mut keys = Changes::default();
    for item in batch.items {
        match item {
            Pulled::Resource { kind, id, version, body } => {
                let new = NewResource {
                    kind,
                    id,
                    patient: None,
                    envelope: None,
                    server_version: Some(version),
                    body: body.into(),
                };
                // One bad record must not stop all that come after it.
                skip_bad(put(c, &mut keys, new).await)?;
            }
            Pulled::Envelope { seq, received_at, bytes } => {
                skip_bad(receive(c, &mut keys, batch.next.epoch, seq, received_at, bytes).await)?
            }
            Pulled::Cert(cert) => put_cert(c, cert).await?,
            Pulled::Roster(json) => set(c, ROSTER, json).await?,
        }
    }
    keys.write(c).await?;
    set(c, CURSOR, batch.next.to_string().into_bytes()).await?;
    set(c, BACKED_UP, batch.backed_up.to_be_bytes().to_vec()).await
}

/// What is wrong with one item is noted and passed over; what is wrong with the store is not.
pub(crate) fn skip_bad(done: Done) -> Done {
    match done {
        Err(error @ (StoreError::Resource(_) | StoreError::Payload(..))) => {
            tracing::warn!(%error, "an item of a pull was passed over");
            Ok(())
        }
        done => done,
    }
}

async fn receive(
    c: &mut SqliteConnection,
    keys: &mut Changes,
    epoch: Id,
    seq: u64,
    received_at: i64,
    bytes: Vec<u8>,
) -> Done {
    let envelope =
        Envelope::from_bytes(&bytes).map_err(|_| StoreError::Payload(pack::NO_ID, "not an envelope"))?;
    let header =
        envelope.header().map_err(|_| StoreError::Payload(pack::NO_ID, "no header that can be read"))?;
    if is_ours(c, header.id).await? {
        let id = header.id.0.to_vec();
        let confirm = sqlx::query(sql::CONFIRM).bind(id).bind(epoch.0.to_vec()).bind(seq as i64);
        run(confirm, c).await?;
        return put::settle(c, keys, header.id).await;
    }
    keep(c, keys, &envelope, &header, seq, received_at, bytes).await
}

async fn is_ours(c: &mut SqliteConnection, envelope: Id) -> Done<bool> {
    Ok(sqlx::query(sql::IS_OURS).bind(envelope.0.to_vec()).fetch_optional(c).await?.is_some())
}

async fn is_received(c: &mut SqliteConnection, envelope: Id) -> Done<bool> {
    Ok(sqlx::query(sql::IS_RECEIVED).bind(envelope.0.to_vec()).fetch_optional(c).await?.is_some())
}

pub(crate) async fn take_handed(c: &mut SqliteConnection, handed: Handed) -> Done<usize> {
    let mut keys = Changes::default();
    for cert in handed.certs {
        put_cert(c, cert).await?;
    }
    let mut new = 0;
    for bytes in handed.envelopes {
        let Ok((envelope, header)) = Envelope::from_bytes(&bytes).and_then(|e| e.header().map(|h| (e, h)))
        else {
            tracing::warn!("something that is no envelope was passed over");
            continue;
        };
        if is_ours(c, header.id).await? || is_received(c, header.id).await? {
            continue;
        }
        skip_bad(keep(c, &mut keys, &envelope, &header, NEARBY, handed.at, bytes).await)?;
        new += 1;
    }
    keys.write(c).await?;
    Ok(new)
}

/// Another's envelope at this place, and what it holds if it is new.
async fn keep(
    c: &mut SqliteConnection,
    keys: &mut Changes,
    envelope: &Envelope,
    header: &Header,
    seq: u64,
    received_at: i64,
    bytes: Vec<u8>,
) -> Done {
    let id = header.id.0.to_vec();
    let known = is_received(c, header.id).await?;
    let query = sqlx::query(sql::RECEIVE)
        .bind(id)
        .bind(seq as i64)
        .bind(header.device.0.to_vec())
        .bind(read::kind_number(header.kind))
        .bind(header.patient.map(|p| p.to_string()).unwrap_or_default())
        .bind(header.task.map(|t| t.to_string()).unwrap_or_default())
        .bind(received_at)
        .bind(bytes);
    run(query, c).await?;
    if !known {
        let dictionary = read::dictionary(c, header.dictionary).await?;
        let payload = pack::unpack_payload(envelope, header, dictionary.as_deref())?;
        store_payload(c, keys, header, &payload).await?;
        note_details(c, header).await?;
    }
    put::settle(c, keys, header.id).await
}

pub(crate) async fn cursor(c: &mut SqliteConnection) -> Done<Option<Cursor>> {
    let Some(bytes) = read::setting(c, CURSOR).await? else { return Ok(None) };
    let text = String::from_utf8(bytes).map_err(|_| StoreError::Damaged("the cursor"))?;
    text.parse().map(Some).map_err(|_| StoreError::Damaged("the cursor"))
}

pub(crate) async fn enter_epoch(c: &mut SqliteConnection, epoch: Id) -> Done {
    if cursor(c).await?.is_some_and(|cursor| cursor.epoch == epoch) {
        return Ok(());
    }
    run(sqlx::query(sql::FORGET_EPOCH).bind(epoch.0.to_vec()), c).await?;
    // Places are of a life of the HIE, too.
    run(sqlx::query(sql::FORGET_PLACES), c).await?;
    set(c, CURSOR, Cursor { epoch, seq: 0 }.to_string().into_bytes()).await?;
    set(c, BACKED_UP, 0_u64.to_be_bytes().to_vec()).await
}
