//! The ask: a ServiceRequest and its Task, the one thing that both sides write.
//!
//! A transition is allowed or not by [`State::allows`], on the laptop before it is made and at the HIE before it
//! takes effect. A transition names the Task version that it was made on; one that comes too late is superseded.

use serde::{Deserialize, Serialize};

use crate::Private;

/// Where an ask stands: `Task.businessStatus`. Its `Task.status` follows from it ([`State::fhir_status`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Requested,
    Seen,
    Accepted,
    AskedBack,
    Answered,
    Declined,
    PassedOn,
    NobodyOnDuty,
    Escalated,
    PatientLeft,
    Expired,
    Cancelled,
    /// The tail: the treating doctor opened the advice.
    AdviceSeen,
    /// The tail: it was explained to the patient.
    Explained,
    /// The tail: closed.
    Done,
}

/// Who moves a Task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    /// The clinic that asked.
    Requester,
    /// The specialist, or a member of the pool, that the Task is with.
    Specialist,
    /// The HIE, by its clock.
    System,
}

impl State {
    pub const ALL: [Self; 15] = [
        Self::Requested,
        Self::Seen,
        Self::Accepted,
        Self::AskedBack,
        Self::Answered,
        Self::Declined,
        Self::PassedOn,
        Self::NobodyOnDuty,
        Self::Escalated,
        Self::PatientLeft,
        Self::Expired,
        Self::Cancelled,
        Self::AdviceSeen,
        Self::Explained,
        Self::Done,
    ];

    /// The transition table: what `party` may make of an ask that stands at `self`.
    pub fn moves(self, party: Party) -> &'static [Self] {
        use State::*;
        match (self, party) {
            (Requested | PassedOn | Escalated, Party::Specialist) => {
                &[Seen, Accepted, Answered, Declined, PassedOn]
            }
            (Requested | PassedOn | Escalated, Party::Requester) => &[Cancelled, PatientLeft],
            (Requested | PassedOn | Escalated, Party::System) => &[NobodyOnDuty, Escalated, Expired],

            (Seen, Party::Specialist) => &[Accepted, AskedBack, Answered, Declined, PassedOn],
            (Seen, Party::Requester) => &[Cancelled, PatientLeft],
            (Seen, Party::System) => &[NobodyOnDuty, Escalated, Expired],

            (Accepted, Party::Specialist) => &[AskedBack, Answered, Declined, PassedOn],
            (Accepted, Party::Requester) => &[Cancelled, PatientLeft],
            (Accepted, Party::System) => &[Escalated, Expired],

            (AskedBack, Party::Specialist) => &[Accepted, Answered, Declined, PassedOn],
            // The question was answered: the case is the specialist's again.
            (AskedBack, Party::Requester) => &[Accepted, Cancelled, PatientLeft],
            (AskedBack, Party::System) => &[Expired],

            (Declined, Party::Requester) => &[Requested, Cancelled, PatientLeft],
            (Declined, Party::System) => &[Escalated, NobodyOnDuty, Expired],
            (Declined, Party::Specialist) => &[],

            (NobodyOnDuty, Party::Specialist) => &[Seen, Accepted, Answered],
            (NobodyOnDuty, Party::Requester) => &[Requested, Cancelled, PatientLeft],
            (NobodyOnDuty, Party::System) => &[Escalated, Expired],

            // The written answer still helps whoever comes back.
            (PatientLeft, Party::Specialist) => &[Answered],
            (PatientLeft, Party::Requester) => &[Cancelled, Done],
            (PatientLeft, Party::System) => &[],

            (Expired, Party::Specialist) => &[Accepted, Answered],
            (Expired, Party::Requester) => &[Requested, Cancelled, PatientLeft],
            (Expired, Party::System) => &[],

            // A specialist may correct an advice until the loop is closed.
            (Answered, Party::Requester) => &[AdviceSeen],
            (AdviceSeen, Party::Requester) => &[Explained, PatientLeft, Done],
            (Explained, Party::Requester) => &[Done],
            (Answered | AdviceSeen | Explained, Party::Specialist) => &[Answered],
            (Answered | AdviceSeen | Explained, Party::System) => &[],

            (Cancelled | Done, _) => &[],
        }
    }

    pub fn allows(self, to: Self, party: Party) -> bool {
        self.moves(party).contains(&to)
    }

    /// What a member of a pool may make of an ask that nobody has taken yet: look, or take it. Nobody declines or
    /// passes on for all the others.
    pub fn moves_from_pool(self) -> impl Iterator<Item = Self> {
        use State::*;
        let moves = self.moves(Party::Specialist).iter().copied();
        moves.filter(|to| matches!(to, Seen | Accepted | AskedBack | Answered))
    }

    /// Whoever makes this move of an ask of their pool has taken it: it is theirs from now on.
    pub fn takes(self) -> bool {
        matches!(self, Self::Accepted | Self::AskedBack | Self::Answered)
    }

    /// A move to this state says whom the ask is with from then on. All others leave it with whom it is, whatever their
    /// Task names: they may have been made on an older version.
    pub fn gives(self) -> bool {
        self.takes()
            || matches!(self, Self::Requested | Self::PassedOn | Self::Escalated | Self::NobodyOnDuty)
    }

    /// Nothing more will happen.
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Cancelled | Self::Done)
    }

    /// The specialist's side has still to do something.
    pub fn waits_for_specialist(self) -> bool {
        use State::*;
        matches!(self, Requested | Seen | Accepted | PassedOn | NobodyOnDuty | Escalated)
    }

    /// `Task.status` (http://hl7.org/fhir/R4/valueset-task-status.html).
    pub fn fhir_status(self) -> &'static str {
        use State::*;
        match self {
            Requested | PassedOn | NobodyOnDuty | Escalated => "requested",
            Seen => "received",
            Accepted => "accepted",
            AskedBack => "on-hold",
            Answered | AdviceSeen | Explained => "in-progress",
            Declined => "rejected",
            PatientLeft | Expired => "failed",
            Cancelled => "cancelled",
            Done => "completed",
        }
    }

    /// The code in `Task.businessStatus`.
    pub fn code(self) -> &'static str {
        use State::*;
        match self {
            Requested => "requested",
            Seen => "seen",
            Accepted => "accepted",
            AskedBack => "asked-back",
            Answered => "answered",
            Declined => "declined",
            PassedOn => "passed-on",
            NobodyOnDuty => "nobody-on-duty",
            Escalated => "escalated",
            PatientLeft => "patient-left",
            Expired => "expired",
            Cancelled => "cancelled",
            AdviceSeen => "advice-seen",
            Explained => "explained",
            Done => "done",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.code() == code)
    }
}

/// `Task.businessStatus.coding.system`.
pub const STATE_SYSTEM: &str = "https://rabta.health/fhir/CodeSystem/ask-state";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urgency {
    /// Answer within 5 minutes: `Task.priority` stat.
    Emergency,
    /// Within 30 minutes, the patient waits: urgent.
    Urgent,
    /// Within the day, in writing will do: routine.
    #[default]
    Routine,
}

impl Urgency {
    /// `Task.priority`.
    pub fn fhir(self) -> &'static str {
        match self {
            Self::Emergency => "stat",
            Self::Urgent => "urgent",
            Self::Routine => "routine",
        }
    }

    pub fn from_fhir(code: &str) -> Self {
        match code {
            "stat" => Self::Emergency,
            "urgent" | "asap" => Self::Urgent,
            _ => Self::Routine,
        }
    }

    /// After how many seconds without an answer it goes to the next on duty.
    pub fn answer_within_seconds(self) -> i64 {
        match self {
            Self::Emergency => 5 * 60,
            Self::Urgent => 30 * 60,
            Self::Routine => 24 * 3600,
        }
    }
}

/// What the doctor fills in to ask.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AskForm {
    /// A code of the country package's specialties.
    pub specialty: String,
    pub urgency: Urgency,
    /// "What I want to know", one line.
    pub question: Private<String>,
    /// The person on the roster whom it goes to; `None`: the specialty's pool, whoever of it takes the case first.
    pub to_person: Option<String>,
    /// A woman specialist, a chaperone, camera off.
    pub wishes: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_open_state_has_a_way_to_the_end() {
        for start in State::ALL {
            let mut reached = vec![start];
            let mut next = 0;
            while next < reached.len() {
                for party in [Party::Requester, Party::Specialist, Party::System] {
                    for to in reached[next].moves(party) {
                        if !reached.contains(to) {
                            reached.push(*to);
                        }
                    }
                }
                next += 1;
            }
            assert!(reached.iter().any(|s| s.is_closed()), "{start:?} has no end");
        }
    }

    #[test]
    fn the_requester_can_always_move_an_open_ask_that_nobody_answers() {
        for state in State::ALL.into_iter().filter(|s| s.waits_for_specialist()) {
            assert!(state.allows(State::Cancelled, Party::Requester), "{state:?}");
        }
    }

    #[test]
    fn a_closed_ask_never_moves() {
        for party in [Party::Requester, Party::Specialist, Party::System] {
            assert!(State::Done.moves(party).is_empty() && State::Cancelled.moves(party).is_empty());
        }
    }

    #[test]
    fn codes_are_read_back() {
        for state in State::ALL {
            assert_eq!(State::from_code(state.code()), Some(state));
        }
    }
}
