//! The last call that this person made: whoever hangs up, or whose laptop restarts, and calls again comes back into the same
//! call, where the others may still be talking. Only where a patient was in it: two colleagues begin another one.

use rabta_store::{RecordStore, SqliteStore, Transaction};
use rabta_wire::Id;
use serde::{Deserialize, Serialize};

/// After this a call to the same person is another call, milliseconds.
const KEPT_MS: i64 = 12 * 3_600_000;
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

impl Last {
    /// A call of its own.
    pub fn new(call: Id, at: i64) -> Self {
        Self { call, sessions: 0, at, persons: Vec::new() }
    }

    /// The next session in the same call, if `person` was in it lately.
    pub fn again(&self, person: Id, now: i64) -> Option<Self> {
        let lately = (0..KEPT_MS).contains(&now.saturating_sub(self.at));
        let next = || Some(Self { sessions: self.sessions.checked_add(1)?, at: now, ..self.clone() });
        let patient = self.persons.iter().any(|rung| rung.patient);
        (lately && patient && self.rung(person).is_some()).then(next).flatten()
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

    /// Notes that we ring somebody; whether that is news.
    pub fn note(&mut self, rung: Rung) -> bool {
        let known = self.rung(rung.person) == Some(rung);
        self.persons.retain(|before| before.person != rung.person);
        self.persons.push(rung);
        !known
    }
}

fn setting(me: Id) -> String {
    format!("call.last.{me}")
}

/// What is kept; nothing where it cannot be read.
pub(super) async fn read(store: &SqliteStore, me: Id) -> Option<Last> {
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
    fn the_same_person_is_called_in_the_same_call_for_half_a_day() {
        let (her, him) = (Id([1; 16]), Id([2; 16]));
        let mut last = Last::new(Id([9; 16]), 1_000);
        assert_eq!(last.rounds(), 0);
        let rung = |person, ask| Rung { person, ask, patient: person == her };
        assert!(last.note(rung(her, None)) && !last.note(rung(her, None)));
        let mut colleagues = Last::new(Id([8; 16]), 1_000);
        colleagues.note(rung(him, Some(her)));
        assert_eq!(colleagues.again(him, 2_000), None, "nobody waits there");
        let next = last.again(her, 2_000).expect("the same call");
        assert!(next.call == last.call && next.rounds() > last.rounds() && next.rung(her).is_some());
        assert_eq!(last.again(him, 2_000), None, "somebody else is another call");
        assert_eq!(last.again(her, 1_000 + KEPT_MS), None);
        assert_eq!(last.again(her, 999), None, "a clock that was set back");
        last.note(rung(him, Some(her)));
        assert!(last.again(him, 2_000).is_some());
        last.forget();
        assert_eq!(last.again(her, 2_000), None);
    }
}
