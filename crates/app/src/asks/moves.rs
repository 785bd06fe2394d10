//! Moving the Task by the transition table: each move one signed envelope that names the version it was made on.

use rabta_domain::{
    ask::{Party, State},
    fhir::{
        self,
        task::{Move, MoveError},
    },
};
use rabta_ipc::{
    Error, Event,
    ask::{AskView, MoveAsk},
};
use rabta_store::{NewEnvelope, Transaction};
use rabta_wire::{Id, envelope::Kind};

use super::case::Case;
use crate::{Session, outbox::purpose, session::new_id};

/// A move to be made.
pub(super) struct Moving<'a> {
    pub to: State,
    pub reason: &'a str,
    /// The new owner, for passed on: person id and name.
    pub owner: Option<(&'a str, &'a str)>,
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
        let owner = match asked.to {
            State::PassedOn => {
                let next = self.whom_to_pass_to(&case.view.specialty).await?;
                Some((next.person.to_string(), next.name))
            }
            _ => None,
        };
        let owner = owner.as_ref().map(|(id, name)| (id.as_str(), name.as_str()));
        let moving = Moving { to: asked.to, reason: asked.reason.trim(), owner, ..Moving::default() };
        let envelope = self.moved(&case, party, &moving)?;
        let audit = self.audit("update", &format!("Task/{}", case.view.id), Some(&case.view.patient));
        self.commit(Transaction::new().append(envelope).audit(audit)).await?;
        self.sync.hurry();
        self.emit(Event::Asks { ask: Some(asked.id.clone()) });
        if asked.to == State::PassedOn {
            // It is with somebody else now: what was seen of it stays, what comes next does not.
            let after = self.case(&asked.id).await?;
            if self.party(&after).is_none() {
                return self.handed_on(&after).await;
            }
        }
        self.ask_view(&asked.id).await
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

    /// The ask as its former specialist sees it once: without anything to do.
    async fn handed_on(&self, case: &Case) -> Result<AskView, Error> {
        Ok(AskView {
            row: self.ask_row(case).await?,
            visit: None,
            note: self.signed_note(case).await?,
            timeline: vec![],
            messages: vec![],
            advice: None,
            draft: None,
            decisions: vec![],
            moves: vec![],
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
