//! One ask as the window sees it.

use rabta_domain::{
    ask::{Party, State, Urgency},
    patient::Custody,
};
use rabta_ipc::{
    Error, Event,
    ask::{AdviceDraft, AskView, Message, OpenAsk, SignedAdvice, TimelineRow},
};
use rabta_store::Transaction;
use rabta_wire::Id;

use super::{
    case::{Case, What},
    moves::Moving,
};
use crate::{Session, cards::custody};

impl Session {
    /// Opening is an act: the specialist's sends the signed receipt, the treating doctor's says that the advice was
    /// seen; each once.
    pub(super) async fn open_ask(&self, open: OpenAsk) -> Result<AskView, Error> {
        let case = self.case(&open.id).await?;
        let Some(party) = self.party(&case) else { return self.ask_view(&open.id).await };
        let receipt = match (party, case.view.state) {
            (Party::Specialist, state)
                if state.allows(State::Seen, party) && !case.was_moved_by(&self.person.id) =>
            {
                Some(State::Seen)
            }
            // Where the specialist ordered by themselves nobody has to decide.
            (Party::Requester, State::Answered)
                if self.may_prescribe() || case.advice().is_some_and(|(_, advice)| advice.orders) =>
            {
                Some(State::AdviceSeen)
            }
            _ => None,
        };
        let (key, count) = self.opened(&case);
        let audit = self.audit("read", &format!("Task/{}", case.view.id), Some(&case.view.patient));
        let mut transaction = Transaction::new().set(key, count).audit(audit);
        if let Some(to) = receipt {
            transaction =
                transaction.append(self.moved(&case, party, &Moving { to, ..Moving::default() })?);
        }
        self.commit(transaction).await?;
        if receipt.is_some() {
            self.sync.hurry();
            self.emit(Event::Asks { ask: Some(open.id.clone()) });
        }
        self.ask_view(&open.id).await
    }

    pub(super) async fn ask_view(&self, ask: &str) -> Result<AskView, Error> {
        let case = self.case(ask).await?;
        let party = match self.party(&case) {
            Some(party) => party,
            // It is with somebody else now: passed on, or taken by another a moment ago.
            None if self.is_specialist() && case.is_known() => return self.handed_on(&case).await,
            None => return Err(Error::new("not-found")),
        };
        let state = case.view.state;
        let nobody_answers = state == State::NobodyOnDuty;
        let unseen = nobody_answers || state.waits_for_specialist() && !case.is_seen();
        let nobody_has_seen = nobody_answers || unseen && case.view.urgency != Urgency::Routine;
        let moves = match party {
            Party::Specialist if case.view.owner.id.is_empty() => state.moves_from_pool().collect(),
            party => state.moves(party).to_vec(),
        };
        let other = self.other(&case, party);
        let ours = case.view.facility.id == self.facility().id;
        let advice = match case.advice() {
            Some((item, advice)) => self
                .signed_by(&item.header, &item.payload, None)
                .await?
                .map(|signed| SignedAdvice { form: advice.form.clone(), signed }),
            None => None,
        };
        let orders = match case.advice() {
            Some((_, advice)) => advice.orders,
            None => !self.asker_prescribes(&case).await?,
        };
        let pass_to =
            if moves.contains(&State::PassedOn) { self.colleagues(&case).await? } else { Vec::new() };
        Ok(AskView {
            row: self.ask_row(&case).await?,
            visit: ours.then(|| case.view.encounter.clone()),
            note: self.signed_note(&case).await?,
            timeline: self.timeline(&case).await?,
            messages: self.messages(&case),
            advice,
            draft: self.advice_draft(ask).await?.map(|(form, rev)| AdviceDraft { form, rev }),
            decisions: case.decisions().map(|(_, made)| made.decisions.clone()).unwrap_or_default(),
            orders,
            may_decide: party == Party::Requester && self.may_prescribe() && !orders,
            moves,
            pass_to,
            mine_to_answer: party == Party::Specialist,
            nobody_has_seen,
            phone: if unseen { self.whom_to_phone(&case).await? } else { None },
            can_call: other.is_some() && !state.is_closed(),
            other_online: other.and_then(|person| self.calls.is_online(person)).unwrap_or(false),
        })
    }

    /// The other side of an ask, for a call.
    pub(crate) async fn other_party(&self, ask: &str) -> Result<Id, Error> {
        let case = self.case(ask).await?;
        let party = self.must_be_party(&case)?;
        if case.view.state.is_closed() {
            return Err(Error::new("not-allowed"));
        }
        self.other(&case, party).ok_or_else(|| Error::new("not-allowed"))
    }

    /// The id of the patient whom an ask is about.
    pub(crate) async fn patient_of_ask(&self, ask: &str) -> Result<String, Error> {
        Ok(self.ask_row(&self.case(ask).await?).await?.card.id)
    }

    fn other(&self, case: &Case, party: Party) -> Option<Id> {
        let person = match party {
            // Of a pool: whoever looks at it.
            Party::Requester if case.view.owner.id.is_empty() => case.seen_by().unwrap_or_default(),
            Party::Requester => &case.view.owner.id,
            Party::Specialist | Party::System => &case.view.requester.id,
        };
        person.parse().ok().filter(|person| *person != self.person_id)
    }

    /// The duty phone of whom it is with, else of the next of the specialty, else the emergency number.
    async fn whom_to_phone(&self, case: &Case) -> Result<Option<String>, Error> {
        let roster = self.roster_entries().await?;
        let theirs = roster.iter().find(|entry| entry.person.to_string() == case.view.owner.id);
        let next = self.another(&case.view.specialty).await?;
        let phone = theirs.cloned().or(next).map(|entry| entry.phone);
        Ok(phone.or_else(|| Some(self.app.country.emergency.phone.clone())).filter(|phone| !phone.is_empty()))
    }

    async fn timeline(&self, case: &Case) -> Result<Vec<TimelineRow>, Error> {
        let mut rows = Vec::new();
        for item in &case.items {
            let (what, by, reason) = match &item.what {
                What::Note => ("asked", &case.note.author.name, case.view.question.clone()),
                What::Move(step) => (step.to.code(), &step.by.name, step.reason.clone()),
                What::Message(message) => ("message", &message.sender.name, message.text.clone()),
                What::Advice(advice) => ("advice", &advice.author.name, Default::default()),
                What::Decisions(_) => ("decisions", &case.view.requester.name, Default::default()),
            };
            rows.push(TimelineRow {
                what: what.to_owned(),
                by: by.clone(),
                at: item.at,
                at_hie: item.is_at_hie(),
                reason,
            });
        }
        for stretch in self.call_stretches(&case.view.id).await? {
            rows.push(TimelineRow {
                what: "call".to_owned(),
                by: String::new(),
                at: stretch.start + self.sync.clock_offset().unwrap_or(0),
                at_hie: false,
                reason: stretch.modality.into(),
            });
        }
        rows.sort_by_key(|row| row.at);
        Ok(rows)
    }

    fn messages(&self, case: &Case) -> Vec<Message> {
        case.messages()
            .map(|(item, message)| Message {
                by: message.sender.name.clone(),
                mine: message.sender.id == self.person.id,
                at: item.at,
                text: message.text.clone(),
                custody: item.own.as_ref().map_or(Custody::AtHie, |state| custody(Some(state))),
            })
            .collect()
    }
}
