//! What is written together.

use rabta_wire::{Id, cursor::Cursor, enroll::MrBlock, log::Ack};

use crate::{
    append::NewEnvelope,
    model::{Attachment, AuditEntry, NewResource, SaveDraft, StoredCert},
};

/// Writes that happen together or not at all, in this order. Hand it to
/// [`RecordStore::commit`](crate::RecordStore::commit).
#[derive(Debug, Default)]
#[must_use]
pub struct Transaction {
    pub(crate) ops: Vec<Op>,
}

#[derive(Debug)]
pub(crate) enum Op {
    Put(NewResource),
    Forget(String, String),
    SaveDraft(SaveDraft),
    DropDraft(String),
    Append(NewEnvelope),
    SeeTo(Id, Option<Id>),
    PutAttachment(Attachment),
    PutCert(StoredCert),
    Set(String, Vec<u8>),
    Unset(String),
    Audit(AuditEntry),
    AuditSent(i64),
    MrBlock(MrBlock),
    CloseMrBlocks,
    AddDictionary(u32, Vec<u8>),
}

impl Transaction {
    pub fn new() -> Self {
        Self::default()
    }

    fn with(mut self, op: Op) -> Self {
        self.ops.push(op);
        self
    }

    /// A new version of a resource that no envelope brings (what came through the FHIR API of another server).
    pub fn put(self, resource: NewResource) -> Self {
        self.with(Op::Put(resource))
    }

    /// What was [`put`](Self::put) here for a time leaves without a trace: no version, no history, no search key. Nothing
    /// happens to a resource that an envelope brought and that still stands.
    pub fn forget(self, kind: impl Into<String>, id: impl Into<String>) -> Self {
        self.with(Op::Forget(kind.into(), id.into()))
    }

    pub fn save_draft(self, draft: SaveDraft) -> Self {
        self.with(Op::SaveDraft(draft))
    }

    /// Signed or thrown away.
    pub fn drop_draft(self, id: impl Into<String>) -> Self {
        self.with(Op::DropDraft(id.into()))
    }

    /// Appends to the log and stores the resources in the payload's Bundle as new versions. Needs a sealer.
    pub fn append(self, envelope: NewEnvelope) -> Self {
        self.with(Op::Append(envelope))
    }

    /// Somebody has seen to a refused envelope, or to one that waits for it: `new` takes its place, or it stays on this
    /// laptop. It is kept as it is, and needs nobody any more. Nothing happens to what the HIE has.
    pub fn see_to(self, old: Id, new: Option<Id>) -> Self {
        self.with(Op::SeeTo(old, new))
    }

    pub fn put_attachment(self, attachment: Attachment) -> Self {
        self.with(Op::PutAttachment(attachment))
    }

    pub fn put_cert(self, cert: StoredCert) -> Self {
        self.with(Op::PutCert(cert))
    }

    pub fn set(self, key: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.with(Op::Set(key.into(), value.into()))
    }

    pub fn unset(self, key: impl Into<String>) -> Self {
        self.with(Op::Unset(key.into()))
    }

    pub fn audit(self, entry: AuditEntry) -> Self {
        self.with(Op::Audit(entry))
    }

    /// Audit entries up to and including `seq` are part of an envelope (of this same transaction).
    pub fn audit_sent(self, seq: i64) -> Self {
        self.with(Op::AuditSent(seq))
    }

    /// The HIE handed out a block of MR numbers. Repeating it changes nothing.
    pub fn add_mr_block(self, block: MrBlock) -> Self {
        self.with(Op::MrBlock(block))
    }

    /// A restored vault abandons the rest of its blocks.
    pub fn close_mr_blocks(self) -> Self {
        self.with(Op::CloseMrBlocks)
    }

    /// A zstd dictionary for payloads, under an id that is not 0. Never replaced.
    pub fn add_dictionary(self, id: u32, bytes: Vec<u8>) -> Self {
        self.with(Op::AddDictionary(id, bytes))
    }

    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }
}

/// What a commit made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Committed {
    /// Envelopes appended, in order: id and sequence in the log.
    pub appended: Vec<(Id, u64)>,
    /// Drafts saved, in order: id and revision.
    pub drafts: Vec<(String, u64)>,
}

/// One item of a pull, verified by the caller (signatures, certificates, the epoch).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pulled {
    /// A resource from the HIE's FHIR API. An empty body: it was deleted.
    Resource {
        kind: String,
        id: String,
        version: u64,
        body: Vec<u8>,
    },
    /// An envelope: this device's own is an ack, another's is kept and its resources stored.
    Envelope {
        seq: u64,
        received_at: i64,
        bytes: Vec<u8>,
    },
    Cert(StoredCert),
    /// The whole roster, JSON.
    Roster(Vec<u8>),
}

/// A pull's reply, to apply with its cursor in one transaction; applying it twice changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullBatch {
    pub items: Vec<Pulled>,
    pub next: Cursor,
    /// The HIE's backup watermark.
    pub backed_up: u64,
}

/// What a laptop nearby handed over, verified by whoever hands it in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Handed {
    /// Milliseconds since 1970: now, by the HIE's clock as far as it is known.
    pub at: i64,
    /// In the order of their logs.
    pub envelopes: Vec<Vec<u8>>,
    pub certs: Vec<StoredCert>,
}

/// A push's answer.
pub(crate) struct Acks<'a> {
    pub epoch: Id,
    pub acks: &'a [Ack],
}

impl Transaction {
    /// Bytes that it writes, about.
    pub(crate) fn weight(&self) -> usize {
        self.ops
            .iter()
            .map(|op| match op {
                Op::Put(resource) => resource.body.len(),
                Op::SaveDraft(draft) => draft.body.len(),
                Op::Append(envelope) => envelope.payload.len() * 2,
                Op::PutAttachment(attachment) => attachment.bytes.len(),
                _ => 0,
            })
            .sum()
    }
}

impl Handed {
    /// Bytes that it writes, about.
    pub(crate) fn weight(&self) -> usize {
        self.envelopes.iter().map(|bytes| bytes.len() * 2).sum()
    }
}

impl PullBatch {
    /// Bytes that it writes, about.
    pub(crate) fn weight(&self) -> usize {
        self.items
            .iter()
            .map(|item| match item {
                Pulled::Resource { body, .. } => body.len(),
                Pulled::Envelope { bytes, .. } => bytes.len() * 2,
                Pulled::Cert(_) | Pulled::Roster(_) => 0,
            })
            .sum()
    }
}
