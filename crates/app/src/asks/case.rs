//! All that there is of one ask, read from its envelopes.

use rabta_domain::{
    ask::{Party, State},
    fhir::{
        self, Resource,
        advice::AdviceRecord,
        communication::Message,
        decisions::DecisionRecord,
        note::ReferralNote,
        task::{Step, TaskView},
    },
};
use rabta_ipc::Error;
use rabta_store::{EntryState, RecordStore};
use rabta_wire::{
    Id,
    envelope::{Header, Kind},
};

use crate::Session;

/// One envelope of an ask.
pub(crate) struct Item {
    pub header: Header,
    pub payload: Vec<u8>,
    /// Milliseconds since 1970: the HIE's receipt for what came from there, else this device's clock, corrected by
    /// what was known of it.
    pub at: i64,
    /// Where this device's own envelopes are; `None` for others', which came from the HIE.
    pub own: Option<EntryState>,
    pub what: What,
}

/// What an envelope says.
pub(crate) enum What {
    Note,
    Move(Box<Step>),
    Message(Box<Message>),
    Advice(Box<AdviceRecord>),
    Decisions(Box<DecisionRecord>),
}

impl Item {
    pub fn is_at_hie(&self) -> bool {
        !matches!(
            self.own,
            Some(EntryState::Here | EntryState::Quarantined { .. } | EntryState::SeenTo { .. })
        )
    }
}

/// One ask.
pub(crate) struct Case {
    pub id: Id,
    /// The Task as it now stands.
    pub task: Resource,
    pub view: TaskView,
    /// How many versions of the Task took effect: what the next move names as its base.
    pub version: u32,
    /// The envelope that brought this version.
    pub moved_by: Option<Id>,
    pub note: ReferralNote,
    /// Oldest first.
    pub items: Vec<Item>,
}

impl Case {
    pub fn note_item(&self) -> Option<&Item> {
        self.items.iter().find(|item| matches!(item.what, What::Note))
    }

    /// The advice that counts: of two who answered at once the one whose answer the Task names; else the newest.
    pub fn advice(&self) -> Option<(&Item, &AdviceRecord)> {
        let mut all = self.items.iter().rev().filter_map(|item| match &item.what {
            What::Advice(advice) => Some((item, &**advice)),
            _ => None,
        });
        let counts = self.view.outputs.last();
        all.clone().find(|(_, advice)| Some(&advice.id) == counts).or_else(|| all.next())
    }

    /// The newest decisions.
    pub fn decisions(&self) -> Option<(&Item, &DecisionRecord)> {
        self.items.iter().rev().find_map(|item| match &item.what {
            What::Decisions(decisions) => Some((item, &**decisions)),
            _ => None,
        })
    }

    pub fn messages(&self) -> impl DoubleEndedIterator<Item = (&Item, &Message)> {
        self.items.iter().filter_map(|item| match &item.what {
            What::Message(message) => Some((item, &**message)),
            _ => None,
        })
    }

    pub fn moves(&self) -> impl DoubleEndedIterator<Item = (&Item, &Step)> {
        self.items.iter().filter_map(|item| match &item.what {
            What::Move(step) => Some((item, &**step)),
            _ => None,
        })
    }

    /// The specialist's signed receipt, or anything else of theirs, is here.
    pub fn is_seen(&self) -> bool {
        let by_specialist = |state: State| {
            use State::*;
            matches!(state, Seen | Accepted | AskedBack | Answered | Declined)
        };
        let requester = self.note.facility.id.as_str();
        self.moves().any(|(item, step)| {
            by_specialist(step.to)
                && item.header.signed_by.is_some()
                && item.header.facility.to_string() != requester
        })
    }

    /// The specialist who looked at it last.
    pub fn seen_by(&self) -> Option<&str> {
        let seen = self.moves().rev().find(|(_, step)| step.to == State::Seen);
        seen.map(|(_, step)| step.by.id.as_str())
    }

    /// Whether this person has moved it since it was asked, or asked again: who looked and did nothing, declined it or
    /// passed it on has not looked at it anew because the page still stands open.
    pub fn was_moved_by(&self, person: &str) -> bool {
        // As the Task has them, not by anybody's clock.
        let mut since = self.view.history.iter().rev().take_while(|step| step.to != State::Requested);
        since.any(|step| step.by.id == person)
    }

    /// Whether this device ever wrote to it.
    pub fn is_known(&self) -> bool {
        self.items.iter().any(|item| item.own.is_some())
    }

    /// Envelopes that others wrote.
    pub fn foreign(&self) -> usize {
        self.items.iter().filter(|item| item.own.is_none()).count()
    }
}

impl Session {
    /// The ask, if it can be read. Errors: `not-found`; `consent-withdrawn`, where it is another facility's.
    pub(crate) async fn case(&self, ask: &str) -> Result<Case, Error> {
        let id: Id = ask.parse().map_err(|_| Error::new("not-found"))?;
        let items = self.items(id).await?;
        let note = items.iter().find(|item| item.header.kind == Kind::ReferralNote);
        let note = note.ok_or_else(|| Error::new("not-found"))?;
        let note = fhir::note::view(&note.payload, self.stamp().today).map_err(crate::error::bundle)?;
        let (task, version, moved_by) = self.current_task(ask).await?;
        let view = fhir::task::view(&task).map_err(|e| Error::detail("unexpected", e))?;
        // The HIE took the patient back from this laptop: they said no to whoever is outside their clinic.
        if view.facility.id != self.facility().id && self.is_gone("Patient", &view.patient).await? {
            return Err(Error::new("consent-withdrawn"));
        }
        Ok(Case { id, task, view, version, moved_by, note, items })
    }

    async fn is_gone(&self, kind: &str, id: &str) -> Result<bool, Error> {
        let versions = self.store().history(kind, id).await.map_err(|e| self.told(e))?;
        Ok(versions.last().is_some_and(|version| version.deleted))
    }

    /// The Task's newest version that took effect, how many did, and the envelope that brought the newest.
    async fn current_task(&self, ask: &str) -> Result<(Resource, u32, Option<Id>), Error> {
        let mut current: Option<(Resource, Option<Id>)> = None;
        let mut count = 0;
        for version in self.store().history("Task", ask).await.map_err(|e| self.told(e))? {
            if let Some(envelope) = version.envelope {
                let own = self.store().log_entry(envelope).await.map_err(|e| self.told(e))?;
                // The Task had moved on: the version is kept, and means nothing.
                if own.is_some_and(|own| matches!(own.state, EntryState::Superseded { .. })) {
                    continue;
                }
            }
            count += 1;
            let Some(mut task) = crate::cards::parsed(&version) else { continue };
            if let Some((before, _)) = &current {
                // One that was made on an older version may name somebody who no longer has the ask.
                fhir::task::keep_owner(&mut task, before).map_err(|e| Error::detail("unexpected", e))?;
            }
            current = Some((task, version.envelope));
        }
        let (task, envelope) = current.ok_or_else(|| Error::new("not-found"))?;
        Ok((task, count, envelope))
    }

    async fn items(&self, ask: Id) -> Result<Vec<Item>, Error> {
        let told = |e| self.told(e);
        let mut items = Vec::new();
        let mut last = i64::MIN;
        for entry in self.store().log_of_task(ask).await.map_err(told)? {
            let Some(mut item) = self.item(entry.id, entry.kind, Some(entry.state)).await? else { continue };
            // This device's own stay in the order of its log, whatever its clock did meanwhile.
            last = item.at.max(last);
            item.at = last;
            items.push(item);
        }
        for entry in self.store().received_of_task(ask).await.map_err(told)? {
            let Some(mut item) = self.item(entry.id, entry.kind, None).await? else { continue };
            item.at = entry.received_at;
            items.push(item);
        }
        items.sort_by_key(|item| (item.header.kind != Kind::ReferralNote, item.at));
        Ok(items)
    }

    async fn item(&self, id: Id, kind: Kind, own: Option<EntryState>) -> Result<Option<Item>, Error> {
        if matches!(kind, Kind::Patient | Kind::Consent | Kind::Visit | Kind::AttachmentPart | Kind::Audit) {
            return Ok(None);
        }
        let (header, payload) = self.payload(id).await?;
        let Some(what) = read(kind, &payload) else {
            tracing::warn!(envelope = %id, ?kind, "a part of an ask cannot be read");
            return Ok(None);
        };
        let at = header.device_time + header.clock_offset.or(self.sync.clock_offset()).unwrap_or(0);
        Ok(Some(Item { header, payload, at, own, what }))
    }

    /// As whom this person acts on the ask; `None`: it is none of theirs.
    pub(crate) fn party(&self, case: &Case) -> Option<Party> {
        let view = &case.view;
        // A pool shows its asks to those who are of it, and nobody answers their own.
        let in_pool = view.owner.id.is_empty() && view.requester.id != self.person.id;
        if self.is_specialist() && (in_pool || view.owner.id == self.person.id) {
            Some(Party::Specialist)
        } else if case.view.facility.id == self.facility().id {
            Some(Party::Requester)
        } else {
            None
        }
    }
}

fn read(kind: Kind, payload: &[u8]) -> Option<What> {
    match kind {
        Kind::ReferralNote => Some(What::Note),
        Kind::TaskMove => {
            let task = fhir::task::from_bundle(payload).ok()?;
            // The payload is one move: the last step of the history that it carries.
            fhir::task::view(&task).ok()?.history.pop().map(|step| What::Move(Box::new(step)))
        }
        Kind::Communication => {
            fhir::communication::from_bundle(payload).ok().map(|message| What::Message(Box::new(message)))
        }
        Kind::Advice => {
            fhir::advice::from_document(payload).ok().map(|advice| What::Advice(Box::new(advice)))
        }
        Kind::Decisions => {
            fhir::decisions::from_bundle(payload).ok().map(|decisions| What::Decisions(Box::new(decisions)))
        }
        Kind::Patient | Kind::Consent | Kind::Visit | Kind::AttachmentPart | Kind::Audit => None,
    }
}
