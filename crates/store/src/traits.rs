use std::future::Future;

use rabta_wire::{Id, cursor::Cursor, envelope::Kind, log::Ack};

use crate::{
    append::{LogHead, Sealer},
    details::Details,
    error::StoreError,
    model::*,
    transaction::{Committed, Handed, PullBatch, Transaction},
};

type Answer<T> = Result<T, StoreError>;

/// The record store: everything that the app and the sync ask of it. [`crate::contract`] says what each method
/// promises; every implementation runs it.
///
/// `limit`s are counts; `before` is the `first_seq` (or `seq`) of the last one seen, to go on from there.
pub trait RecordStore: Send + Sync {
    // Writing

    /// Writes all of it or nothing. `sealer` is needed where the transaction appends to the log.
    fn commit(
        &self,
        transaction: Transaction,
        sealer: Option<&dyn Sealer>,
    ) -> impl Future<Output = Answer<Committed>> + Send;

    /// Saves a draft over its last revision and answers the new one. Durable when this returns.
    fn save_draft(&self, draft: SaveDraft) -> impl Future<Output = Answer<u64>> + Send;

    /// Takes the next MR number of the open block; it is never given twice, even if it is not used.
    fn next_mr(&self) -> impl Future<Output = Answer<MrNumber>> + Send;

    /// Notes what became of pushed envelopes in the HIE's life `epoch`, this device's own and others' that it carried.
    /// Unknown ids are skipped.
    fn mark_acks(&self, epoch: Id, acks: &[Ack]) -> impl Future<Output = Answer<()>> + Send;

    /// A refused envelope is to be offered again (somebody mended what was wrong).
    fn requeue(&self, envelope: Id) -> impl Future<Output = Answer<()>> + Send;

    /// Applies a pull and moves the cursor, in one transaction.
    fn apply_pull(&self, batch: PullBatch) -> impl Future<Output = Answer<()>> + Send;

    /// Takes in what a laptop nearby handed over, in one transaction; what is known already is passed over. It counts as
    /// [`EntryState::Here`] until the HIE shows it. The answer: how many were new.
    fn take_handed(&self, handed: Handed) -> impl Future<Output = Answer<usize>> + Send;

    /// The HIE was restored: it has a new epoch. What is not known to be in this life of it is unsent again, and
    /// pulling starts from the beginning. Nothing changes where the epoch is the known one.
    fn enter_epoch(&self, epoch: Id) -> impl Future<Output = Answer<()>> + Send;

    // Patients

    /// Who answers to `text` (see [`rabta_search`]), best first.
    fn find_patients(
        &self,
        text: &str,
        offset: usize,
        limit: usize,
    ) -> impl Future<Output = Answer<HitPage>> + Send;

    /// Whose number this is (CNIC, other paper or MR number, in any writing): exact matches only.
    fn number_uses(&self, number: &str) -> impl Future<Output = Answer<Vec<NumberUse>>> + Send;

    // Resources

    /// The current version; `None` where there is none or it was deleted.
    fn resource(&self, kind: &str, id: &str) -> impl Future<Output = Answer<Option<Resource>>> + Send;

    /// Every version, oldest first.
    fn history(&self, kind: &str, id: &str) -> impl Future<Output = Answer<Vec<Resource>>> + Send;

    /// A patient's resources of one kind, newest first.
    fn of_patient(
        &self,
        patient: &str,
        kind: &str,
        before: Option<i64>,
        limit: usize,
    ) -> impl Future<Output = Answer<Vec<Resource>>> + Send;

    /// All resources of one kind, newest first.
    fn of_kind(
        &self,
        kind: &str,
        before: Option<i64>,
        limit: usize,
    ) -> impl Future<Output = Answer<Vec<Resource>>> + Send;

    /// How many of one kind there are.
    fn count_of_kind(&self, kind: &str) -> impl Future<Output = Answer<u64>> + Send;

    /// Resources of one kind about which something is still to be done, newest first.
    fn open(
        &self,
        kind: &str,
        before: Option<i64>,
        limit: usize,
    ) -> impl Future<Output = Answer<Vec<Resource>>> + Send;

    /// What refers to the resource with the id `target` (an Encounter's Observations, a Task's Communications),
    /// oldest first; of one kind or of all.
    fn referring_to(
        &self,
        target: &str,
        kind: Option<&str>,
    ) -> impl Future<Output = Answer<Vec<Resource>>> + Send;

    /// What an envelope's payload became, in the order of its Bundle; versions may have been followed by newer ones.
    fn of_envelope(&self, envelope: Id) -> impl Future<Output = Answer<Vec<Resource>>> + Send;

    /// What stands of a patient's details where several people wrote them without knowing of each other; `None` where one
    /// version follows the other.
    fn details(&self, patient: &str) -> impl Future<Output = Answer<Option<Details>>> + Send;

    /// Patients of whom two values of one detail stand until somebody decides.
    fn undecided(&self) -> impl Future<Output = Answer<Vec<String>>> + Send;

    // Drafts

    fn draft(&self, id: &str) -> impl Future<Output = Answer<Option<Draft>>> + Send;

    /// Drafts of one kind or of all, newest first.
    fn drafts(&self, kind: Option<&str>) -> impl Future<Output = Answer<Vec<Draft>>> + Send;

    fn drafts_of(&self, patient: &str) -> impl Future<Output = Answer<Vec<Draft>>> + Send;

    // Log and custody

    /// The end of this device's log.
    fn log_head(&self) -> impl Future<Output = Answer<LogHead>> + Send;

    fn log_entry(&self, envelope: Id) -> impl Future<Output = Answer<Option<LogEntry>>> + Send;

    /// What is to be pushed next, in pushing order, at most `count` and `bytes` (but always one, if there is one):
    /// asks and what they need first, photos last, nothing that waits for a refused envelope.
    fn unsent(&self, count: usize, bytes: usize) -> impl Future<Output = Answer<Vec<LogEntry>>> + Send;

    fn quarantined(&self) -> impl Future<Output = Answer<Vec<LogEntry>>> + Send;

    /// What was refused, or waited for such a one, and somebody has seen to: newest first, at most `limit`.
    fn seen_to(&self, limit: usize) -> impl Future<Output = Answer<Vec<LogEntry>>> + Send;

    /// This device's log after (`epoch`, `seq`), oldest first, at most `limit`: for carriers that keep their own place in it.
    fn log_after(
        &self,
        epoch: u32,
        seq: u64,
        limit: usize,
    ) -> impl Future<Output = Answer<Vec<LogEntry>>> + Send;

    /// An ask's envelopes in this device's log, oldest first, but for those whose place another took.
    fn log_of_task(&self, task: Id) -> impl Future<Output = Answer<Vec<LogEntry>>> + Send;

    fn custody(&self) -> impl Future<Output = Answer<CustodyCounts>> + Send;

    fn custody_by_kind(&self) -> impl Future<Output = Answer<Vec<(Kind, CustodyCounts)>>> + Send;

    fn custody_of_patient(&self, patient: &str) -> impl Future<Output = Answer<CustodyCounts>> + Send;

    /// Where the current version of a resource is: of this device's envelope that brought it; [`EntryState::AtHie`]
    /// for what came from there, [`EntryState::Here`] where the HIE was restored since and is not known to have it;
    /// `None` where it is not stored.
    fn custody_of(&self, kind: &str, id: &str) -> impl Future<Output = Answer<Option<EntryState>>> + Send;

    // Others' envelopes, certificates, the HIE

    /// An envelope that was pulled.
    fn received(&self, envelope: Id) -> impl Future<Output = Answer<Option<Received>>> + Send;

    /// Others' envelopes that are not known to be in this life of the HIE (it was restored since, or they came from a laptop
    /// nearby), in the order in which the HIE, or this laptop, had received them.
    fn strays(&self) -> impl Future<Output = Answer<Vec<Id>>> + Send;

    /// How many envelopes came from laptops nearby and the HIE is not known to have.
    fn handed(&self) -> impl Future<Output = Answer<u64>> + Send;

    /// What a laptop nearby may lack: of this device's log what is to be sent, oldest first, then the strays. Audit trails
    /// are for the HIE alone.
    fn only_here(&self) -> impl Future<Output = Answer<Vec<Id>>> + Send;

    /// An ask's pulled envelopes, in the HIE's order.
    fn received_of_task(&self, task: Id) -> impl Future<Output = Answer<Vec<Received>>> + Send;

    /// A person's or device's certificates, newest first.
    fn certs(&self, subject: Id) -> impl Future<Output = Answer<Vec<StoredCert>>> + Send;

    fn cursor(&self) -> impl Future<Output = Answer<Option<Cursor>>> + Send;

    fn backed_up(&self) -> impl Future<Output = Answer<u64>> + Send;

    /// The roster's JSON as it was pulled.
    fn roster(&self) -> impl Future<Output = Answer<Option<Vec<u8>>>> + Send;

    fn setting(&self, key: &str) -> impl Future<Output = Answer<Option<Vec<u8>>>> + Send;

    // Attachments, audit, numbers

    fn attachment(&self, id: &str) -> impl Future<Output = Answer<Option<Attachment>>> + Send;

    /// Audit entries that no envelope holds yet, oldest first.
    fn unsent_audit(&self, limit: usize) -> impl Future<Output = Answer<Vec<UnsentAudit>>> + Send;

    /// MR numbers left in open blocks.
    fn mr_left(&self) -> impl Future<Output = Answer<u64>> + Send;

    /// A zstd dictionary by its id.
    fn dictionary(&self, id: u32) -> impl Future<Output = Answer<Option<Vec<u8>>>> + Send;
}
