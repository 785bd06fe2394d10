//! The Sync page: where the records are, what waits and why, what needs a person and what can be done about it.

use std::collections::{BTreeMap, BTreeSet};

use rabta_domain::patient::Custody;
use rabta_ipc::{
    Error,
    sync::{GetSync, KindCount, SyncChip, SyncNow, SyncRow, SyncView},
};
use rabta_store::{EntryState, LogEntry, RecordStore};
use rabta_wire::{
    Id,
    envelope::{Header, Kind},
};

use crate::{Session, mend::header, routes::routes};

const ROWS: usize = 200;
/// So many that somebody has seen to are shown still.
const SEEN_TO: usize = 10;

routes!(Session {
    GetSync => get_sync,
    SyncNow => sync_now,
});

/// A kind's name on the Sync page.
fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Patient => "patient",
        Kind::Consent => "consent",
        Kind::Visit => "visit",
        Kind::ReferralNote => "referral-note",
        Kind::TaskMove => "task-move",
        Kind::Communication => "communication",
        Kind::Advice => "advice",
        Kind::Decisions => "decisions",
        Kind::AttachmentPart => "attachment-part",
        Kind::Audit => "audit",
    }
}

fn with_header(entry: LogEntry) -> (LogEntry, Option<Header>) {
    let header = header(&entry);
    (entry, header)
}

/// What a refusal means for whoever wrote the record.
fn meaning(code: &str) -> &'static str {
    match code {
        "role" | "not-prescriber" | "person-not-signed" | "person-signature" => "role",
        "patient-unknown" | "patient-mismatch" | "not-yours" => "patient",
        "payload" | "payload-kind" | "structure" | "required" | "code" | "date" | "birth-date-future"
        | "too-long" | "control-character" | "wrong-reference" | "too-large" | "attachment" => "content",
        _ => "",
    }
}

/// Which entries wait for one that was refused or stays here, and how many wait for each of those.
struct Blocked {
    held: BTreeSet<Id>,
    waiting: BTreeMap<Id, u32>,
}

impl Blocked {
    fn of(entries: &[(LogEntry, Option<Header>)]) -> Self {
        let mut blocked = Self { held: BTreeSet::new(), waiting: BTreeMap::new() };
        let stands = |state: &EntryState| {
            matches!(state, EntryState::Quarantined { .. } | EntryState::SeenTo { by: None, .. })
        };
        for (entry, _) in entries.iter().filter(|(entry, _)| stands(&entry.state)) {
            // In the log's order: what waits for something always stands behind it.
            let mut wait = BTreeSet::from([entry.id]);
            for (other, header) in entries.iter().filter(|(other, _)| other.state == EntryState::Here) {
                if header.as_ref().is_some_and(|h| h.depends.iter().any(|on| wait.contains(on))) {
                    wait.insert(other.id);
                }
            }
            wait.remove(&entry.id);
            blocked.waiting.insert(entry.id, wait.len() as u32);
            blocked.held.extend(wait);
        }
        blocked
    }
}

impl Session {
    async fn get_sync(&self, _: GetSync) -> Result<SyncView, Error> {
        // Counted now, not as of the loop's last round: what was just signed is on it. And before the rows, so that
        // what is acknowledged in between is still counted rather than listed below "all at the HIE".
        let chip = self.counted_chip().await?;
        let store = self.store();
        let told = |e| self.told(e);
        let kinds =
            store.custody_by_kind().await.map_err(told)?.into_iter().map(|(kind, counts)| KindCount {
                kind: kind_name(kind).to_owned(),
                here: counts.here as u32,
                at_hie: (counts.at_hie + counts.superseded) as u32,
                refused: counts.quarantined as u32,
            });
        let unsent = store.all_unsent().await.map_err(told)?;
        let bytes = unsent.iter().map(|entry| entry.bytes.len() as u64).sum();
        let mut entries = unsent;
        entries.extend(store.seen_to(SEEN_TO).await.map_err(told)?);
        entries.sort_by_key(|entry| (entry.log_epoch, entry.seq));
        let mut entries: Vec<(LogEntry, Option<Header>)> = entries.into_iter().map(with_header).collect();
        let blocked = Blocked::of(&entries);
        // What needs somebody first, then what waits, each newest first.
        entries.sort_by_key(|(entry, _)| {
            let rank = match &entry.state {
                EntryState::Quarantined { .. } => 0,
                EntryState::SeenTo { .. } => 2,
                _ => 1,
            };
            (rank, std::cmp::Reverse((entry.log_epoch, entry.seq)))
        });
        entries.truncate(ROWS);
        let mut rows = Vec::with_capacity(entries.len());
        for (entry, header) in &entries {
            rows.push(self.sync_row(entry, header.as_ref(), &blocked).await?);
        }
        for patient in self.undecided().await? {
            rows.insert(0, self.undecided_row(&patient).await);
        }
        Ok(SyncView {
            chip,
            hie: self.enrollment.address.clone(),
            problem: self.sync.problem().to_owned(),
            last_contact: self.sync.last_contact(),
            kinds: kinds.collect(),
            rows,
            clock_offset: self.sync.clock_offset(),
            bytes,
            next_try: self.sync.next_try(),
            used: self.sync.used().await,
            apart: u32::try_from(self.sync.apart()).unwrap_or(u32::MAX),
            nearby: self.sync.nearby().await,
        })
    }

    pub(crate) async fn counted_chip(&self) -> Result<SyncChip, Error> {
        let mut chip = self.sync.chip();
        let told = |e| self.told(e);
        let kinds = self.store().custody_by_kind().await.map_err(told)?;
        let sum = |only: Option<Kind>| {
            let chosen = kinds.iter().filter(|(kind, _)| only.is_none_or(|o| o == *kind));
            chosen.map(|(_, counts)| counts.here + counts.quarantined).sum::<u64>() as u32
        };
        (chip.here_only, chip.visits_here_only) = (sum(None), sum(Some(Kind::Visit)));
        let refused = kinds.iter().map(|(_, counts)| counts.quarantined).sum::<u64>() as u32;
        chip.needs_you = refused + self.undecided().await?.len() as u32;
        Ok(chip)
    }

    async fn sync_row(
        &self,
        entry: &LogEntry,
        header: Option<&Header>,
        blocked: &Blocked,
    ) -> Result<SyncRow, Error> {
        let card = match &entry.patient {
            // A row without its card is still a row.
            Some(patient) => self.card(patient).await.ok(),
            None => None,
        };
        let (custody, code, text) = match &entry.state {
            EntryState::Quarantined { code, text } => (Custody::NeedsYou, code.clone(), text.clone()),
            EntryState::Here => (Custody::Here, String::new(), String::new()),
            EntryState::AtHie(_) => (Custody::AtHie, String::new(), String::new()),
            EntryState::Superseded { code, .. } => (Custody::AtHie, code.clone(), String::new()),
            EntryState::SeenTo { code, text, .. } => (Custody::Here, code.clone(), text.clone()),
        };
        let waiting = blocked.waiting.get(&entry.id).copied().unwrap_or(0);
        let refused = matches!(entry.state, EntryState::Quarantined { .. });
        let visit = if refused && entry.kind == Kind::Visit { self.visit_of(entry.id).await? } else { None };
        let mut can = Vec::new();
        if refused {
            can.extend(visit.is_some().then_some("correct"));
            can.extend((entry.kind == Kind::Patient && card.is_some()).then_some("amend"));
            can.push("again");
            can.extend((waiting == 0).then_some("keep"));
        }
        Ok(SyncRow {
            envelope: entry.id.to_string(),
            kind: kind_name(entry.kind).to_owned(),
            card,
            custody,
            text,
            made_at: header.map_or(0, |header| header.device_time),
            bytes: entry.bytes.len() as u64,
            why: self.why(entry, blocked).to_owned(),
            means: if refused { meaning(&code) } else { "" }.to_owned(),
            code,
            waiting,
            can: can.into_iter().map(str::to_owned).collect(),
            visit,
        })
    }

    async fn undecided_row(&self, patient: &str) -> SyncRow {
        SyncRow {
            envelope: String::new(),
            kind: kind_name(Kind::Patient).to_owned(),
            card: self.card(patient).await.ok(),
            custody: Custody::NeedsYou,
            code: String::new(),
            text: String::new(),
            made_at: self.millis(),
            bytes: 0,
            why: "undecided".to_owned(),
            means: String::new(),
            waiting: 0,
            can: Vec::new(),
            visit: None,
        }
    }

    /// Why an entry is not at the HIE.
    fn why(&self, entry: &LogEntry, blocked: &Blocked) -> &'static str {
        let chip = self.sync.chip();
        match &entry.state {
            EntryState::Quarantined { .. } => "refused",
            EntryState::SeenTo { by: Some(_), .. } => "replaced",
            EntryState::SeenTo { .. } => "kept",
            _ if blocked.held.contains(&entry.id) => "after",
            _ if !self.sync.problem().is_empty() => "stopped",
            _ if !chip.reachable => "no-link",
            _ if self.sync.is_calling() => "call",
            _ => "next",
        }
    }

    /// The Encounter of a visit, where what was refused is what stands of it.
    async fn visit_of(&self, envelope: Id) -> Result<Option<String>, Error> {
        let brought = self.store().of_envelope(envelope).await.map_err(|e| self.told(e))?;
        let Some(encounter) = brought.into_iter().find(|resource| resource.kind == "Encounter") else {
            return Ok(None);
        };
        let stands = self.brought_by("Encounter", &encounter.id).await? == Some(envelope);
        Ok(stands.then_some(encounter.id))
    }

    async fn sync_now(&self, _: SyncNow) -> Result<(), Error> {
        // What a revoked laptop had written may have come there by the operator's hand since: the HIE then says so.
        for entry in self.store().quarantined().await.map_err(|e| self.told(e))? {
            if matches!(&entry.state, EntryState::Quarantined { code, .. } if code == "device-revoked") {
                self.store().requeue(entry.id).await.map_err(|e| self.told(e))?;
            }
        }
        self.sync.hurry();
        Ok(())
    }
}
