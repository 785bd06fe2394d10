//! The last call that this person made: whoever hangs up, or whose laptop restarts, and calls again comes back into the same
//! call, where the others may still be talking. Only where a patient was in it: two colleagues begin another one.

use rabta_call::{CallView, Invitation};
use rabta_store::{RecordStore, SqliteStore, Transaction};
use rabta_wire::Id;
use serde::{Deserialize, Serialize};

/// After this a call by the same link is another call, milliseconds.
const KEPT_MS: i64 = 12 * 3_600_000;
/// The same for a colleague who was in it about the same ask: by then they talk about something else.
const KEPT_WITH_COLLEAGUE_MS: i64 = 3_600_000;
/// Rings of one session in one call, at the most ([`rabta_wire::signal::Signal::Ring`]): the next session begins above them.
const ROUNDS: u32 = 1 << 10;

/// Kept in the vault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Last {
    pub call: Id,
    /// Sessions of ours in this call before the one that runs.
    sessions: u32,
    /// When the last one began, milliseconds since 1970, device clock.
    at: i64,
    /// Whom we rang.
    persons: Vec<Rung>,
}

/// Somebody whom we rang.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rung {
    pub person: Id,
    /// The Task that their end of the call is about.
    pub ask: Option<Id>,
    /// By their link.
    pub patient: bool,
}

impl Rung {
    pub fn of(invitation: &Invitation) -> Self {
        Self { person: invitation.to.person, ask: invitation.ask, patient: invitation.patient }
    }
}

impl Last {
    /// A call of its own.
    pub fn new(call: Id, at: i64) -> Self {
        Self { call, sessions: 0, at, persons: Vec::new() }
    }

    /// The next session in the same call, if `rung` was in it lately, and a patient.
    pub fn again(&self, rung: Rung, now: i64) -> Option<Self> {
        let kept = if rung.patient { KEPT_MS } else { KEPT_WITH_COLLEAGUE_MS };
        let lately = (0..kept).contains(&now.saturating_sub(self.at));
        let next = || Some(Self { sessions: self.sessions.checked_add(1)?, at: now, ..self.clone() });
        let patient = self.persons.iter().any(|rung| rung.patient);
        (lately && patient && self.persons.contains(&rung)).then(next).flatten()
    }

    /// The HIE does not let us back into it: the next call is another one.
    pub fn forget(&mut self) {
        self.persons.clear();
    }

    /// What the next session's rings count from.
    pub fn rounds(&self) -> u32 {
        self.sessions.saturating_mul(ROUNDS)
    }

    pub fn rung(&self, person: Id) -> Option<Rung> {
        self.persons.iter().find(|rung| rung.person == person).copied()
    }

    /// Whom we had rung and who is, as the patient's page says, still in the call to which we came back.
    pub fn still_there(&self, seen: &CallView) -> Vec<Rung> {
        let ours = seen.here_already.iter().filter(|_| seen.call == self.call);
        ours.filter_map(|person| self.rung(*person)).filter(|rung| !rung.patient).collect()
    }

    /// Notes that we ring somebody; whether that is news.
    pub fn note(&mut self, rung: Rung) -> bool {
        let known = self.rung(rung.person) == Some(rung);
        self.persons.retain(|before| before.person != rung.person);
        self.persons.push(rung);
        !known
    }
}

/// Which call one to `rung` is: the last one again, which is held here or kept in the vault, or another.
pub(super) async fn of_call_to(
    rung: Rung,
    held: Option<Last>,
    store: &SqliteStore,
    me: Id,
    now: i64,
) -> Last {
    let last = match held {
        Some(last) => Some(last),
        None => read(store, me).await,
    };
    let again = last.and_then(|last| last.again(rung, now));
    again.unwrap_or_else(|| Last::new(Id(*uuid::Uuid::new_v4().as_bytes()), now))
}

fn setting(me: Id) -> String {
    format!("call.last.{me}")
}

/// What is kept; nothing where it cannot be read.
async fn read(store: &SqliteStore, me: Id) -> Option<Last> {
    let kept = store.setting(&setting(me)).await.ok().flatten()?;
    serde_json::from_slice(&kept).ok()
}

pub(super) async fn keep(store: &SqliteStore, me: Id, last: &Last) {
    let text = serde_json::to_vec(last).expect("strings and numbers");
    if let Err(error) = store.commit(Transaction::new().set(setting(me), text), None).await {
        tracing::warn!(%error, "which call it was is not kept: after a restart it is another one");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_called_in_the_same_call_for_half_a_day_and_a_colleague_for_an_hour() {
        let (her, him, ask) = (Id([1; 16]), Id([2; 16]), Id([3; 16]));
        let patient = Rung { person: her, ask: None, patient: true };
        let colleague = Rung { person: him, ask: Some(ask), patient: false };
        let mut last = Last::new(Id([9; 16]), 1_000);
        assert_eq!(last.rounds(), 0);
        assert!(last.note(colleague) && !last.note(colleague));
        assert_eq!(last.again(colleague, 2_000), None, "nobody waits there");
        assert!(last.note(patient));
        let next = last.again(patient, 2_000).expect("the same call");
        assert!(next.call == last.call && next.rounds() > last.rounds() && next.rung(him).is_some());
        assert!(last.again(colleague, 2_000).is_some(), "from the page of the ask");
        assert_eq!(last.again(colleague, 1_000 + KEPT_WITH_COLLEAGUE_MS), None);
        assert_eq!(last.again(Rung { ask: None, ..colleague }, 2_000), None, "about something else");
        assert_eq!(last.again(Rung { person: ask, ..patient }, 2_000), None, "another link");
        assert!(last.again(patient, KEPT_MS).is_some());
        assert_eq!(last.again(patient, 1_000 + KEPT_MS), None);
        assert_eq!(last.again(patient, 999), None, "a clock that was set back");
        last.forget();
        assert_eq!(last.again(patient, 2_000), None);
    }
}
