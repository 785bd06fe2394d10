//! Moving the Task by the transition table: each move one signed envelope that names the version it was made on.

use rabta_domain::{
    ask::{Party, State},
    fhir::{
        self,
        task::{Move, MoveError, Owner},
    },
};
use rabta_ipc::{
    Error, Event,
    ask::{AskView, MoveAsk, Note},
};
use rabta_store::{NewEnvelope, Transaction};
use rabta_wire::{Id, envelope::Kind};

use super::case::Case;
use crate::{Session, outbox::purpose, session::new_id};

/// A move to be made.
pub(super) struct Moving<'a> {
    pub to: State,
    pub reason: &'a str,
    /// The new owner, for passed on and asked again.
    pub owner: Option<Owner<'a>>,
    /// What came out: the advice's Composition.
    pub output: Option<&'a str>,
    /// What must be at the HIE before.
    pub after: Option<Id>,
}

impl Default for Moving<'_> {
    fn default() -> Self {
        Self { to: State::Seen, reason: "", owner: None, output: None, after: None }
    }
}

impl Session {
    pub(super) async fn move_ask(&self, asked: MoveAsk) -> Result<AskView, Error> {
        let case = self.case(&asked.id).await?;
        let party = self.must_be_party(&case)?;
        if needs_reason(asked.to) && asked.reason.trim().is_empty() {
            return Err(Error::field("invalid", "reason"));
        }
        let specialty = &case.view.specialty;
        let next = match &asked.to_person {
            Some(person) => Some((person, self.may_be_given(&case, asked.to, person).await?)),
            None => None,
        };
        let owner = match &next {
            Some((id, name)) => Some(Owner::Person { id, name }),
            // Whoever of the specialty is there.
            None if matches!(asked.to, State::Requested | State::PassedOn) => Some(Owner::Pool(specialty)),
            None => None,
        };
        let moving = Moving { to: asked.to, reason: asked.reason.trim(), owner, ..Moving::default() };
        let envelope = self.moved(&case, party, &moving)?;
        let audit = self.audit("update", &format!("Task/{}", case.view.id), Some(&case.view.patient));
        self.commit(Transaction::new().append(envelope).audit(audit)).await?;
        self.sync.hurry();
        self.emit(Event::Asks { ask: Some(asked.id.clone()) });
        self.ask_view(&asked.id).await
    }

    /// The name of the person whom an ask is passed on to. Error `invalid` for a move that gives it to nobody, for somebody
    /// who is not on the roster, and for the two who have it already: who passes it on, and who asked.
    async fn may_be_given(&self, case: &Case, to: State, person: &str) -> Result<String, Error> {
        let colleagues = if to == State::PassedOn { self.colleagues(case).await? } else { Vec::new() };
        let found = colleagues.into_iter().find(|row| row.person == person);
        found.map(|row| row.name).ok_or_else(|| Error::field("invalid", "to_person"))
    }

    /// The signed envelope of one move. Error `not-allowed` where the table does not have it.
    pub(super) fn moved(&self, case: &Case, party: Party, moving: &Moving<'_>) -> Result<NewEnvelope, Error> {
        let stamp = self.stamp();
        let step = Move {
            to: moving.to,
            party,
            by: &self.signer(),
            at: stamp.at,
            reason: moving.reason,
            owner: moving.owner,
            output: moving.output,
        };
        let task = fhir::task::moved(&case.task, &step).map_err(|error| match error {
            MoveError::NotAllowed { .. } => Error::new("not-allowed"),
            other => Error::detail("unexpected", other),
        })?;
        let payload = fhir::task::to_bundle(&task, stamp.at, &mut new_id);
        let mut envelope = self.envelope(Kind::TaskMove, Some(&case.view.patient), payload);
        envelope.task = Some(case.id);
        envelope.base_version = Some(case.version);
        envelope.depends.extend(case.moved_by);
        envelope.depends.extend(moving.after);
        let receipt = matches!(moving.to, State::Seen | State::AdviceSeen);
        self.sign(envelope, if receipt { purpose::REVIEW } else { purpose::AUTHOR })
    }

    /// The ask as somebody sees it who had it before: with whom it is now, and nothing of the patient.
    pub(super) async fn handed_on(&self, case: &Case) -> Result<AskView, Error> {
        Ok(AskView {
            row: self.ask_row(case).await?,
            visit: None,
            note: Note::default(),
            timeline: vec![],
            messages: vec![],
            advice: None,
            draft: None,
            decisions: vec![],
            orders: false,
            may_decide: false,
            moves: vec![],
            pass_to: vec![],
            mine_to_answer: false,
            nobody_has_seen: false,
            phone: None,
            can_call: false,
            other_online: false,
        })
    }
}

/// What the other side must not be left to guess.
fn needs_reason(to: State) -> bool {
    matches!(to, State::Declined | State::Cancelled | State::AskedBack)
}
