//! The treating doctor's decisions: each proposed line accepted, changed or declined; what is kept becomes an order.

use std::collections::BTreeSet;

use rabta_domain::{
    advice::Decision,
    ask::{Party, State},
    fhir::{self, Slots, advice::AdviceRecord, decisions::DecisionContext},
    role::Act,
};
use rabta_ipc::{
    Error, Event,
    ask::{AskView, Decide},
};
use rabta_store::Transaction;
use rabta_wire::envelope::Kind;

use super::{
    case::{Case, What},
    moves::Moving,
};
use crate::{Session, outbox::purpose, session::new_id};

impl Session {
    pub(super) async fn decide(&self, decide: Decide) -> Result<AskView, Error> {
        self.must(Act::Prescribe)?;
        let case = self.case(&decide.ask).await?;
        let party = self.must_be_party(&case)?;
        let (advised, advice) = case.advice().ok_or_else(|| Error::new("not-allowed"))?;
        if party != Party::Requester {
            return Err(Error::new("not-allowed"));
        }
        complete(&decide.decisions, advice)?;
        let context = DecisionContext { advice, author: &self.signer(), stamp: self.stamp() };
        let mut slots = earlier_orders(&case);
        let payload = fhir::decisions::to_bundle(&decide.decisions, &context, &mut slots, &mut new_id)
            .map_err(crate::error::bundle)?;
        let mut envelope = self.envelope(Kind::Decisions, Some(&case.view.patient), payload);
        envelope.task = Some(case.id);
        envelope.depends.push(advised.header.id);
        let kept = decide.decisions.iter().filter(|d| !matches!(d, Decision::Declined { .. })).count();
        let written =
            self.visit_view(&case.view.encounter).await.map_or(0, |v| v.form.tidied().medicines.len());
        self.prove_paper(&mut envelope, written + kept)?;
        let envelope = self.sign(envelope, purpose::AUTHOR)?;
        let audit = self.audit("sign", &format!("Task/{}", case.view.id), Some(&case.view.patient));
        let mut transaction = Transaction::new().append(envelope).audit(audit);
        if case.view.state == State::Answered {
            // Who decides on an advice has seen it.
            let seen = Moving { to: State::AdviceSeen, ..Moving::default() };
            transaction = transaction.append(self.moved(&case, party, &seen)?);
        }
        self.commit(transaction).await?;
        self.sync.hurry();
        self.emit(Event::Asks { ask: Some(decide.ask.clone()) });
        self.emit(Event::Patient { id: case.view.patient });
        self.ask_view(&decide.ask).await
    }
}

/// Every proposed line is decided on, once, and with a reason where the specialist should know why.
fn complete(decisions: &[Decision], advice: &AdviceRecord) -> Result<(), Error> {
    let proposed: BTreeSet<&str> = advice.form.medicines.iter().map(|line| line.id.as_str()).collect();
    let decided: BTreeSet<&str> = decisions.iter().map(Decision::line).collect();
    if proposed != decided || decided.len() != decisions.len() || decisions.is_empty() {
        return Err(Error::field("invalid", "decisions"));
    }
    for decision in decisions {
        let reason = match decision {
            Decision::Accepted { .. } => continue,
            Decision::Changed { reason, .. } | Decision::Declined { reason, .. } => reason,
        };
        if reason.trim().is_empty() {
            return Err(Error::field("invalid", &format!("decisions.{}", decision.line())));
        }
    }
    Ok(())
}

/// A changed mind changes the same orders.
fn earlier_orders(case: &Case) -> Slots {
    let mut slots = Slots::default();
    for item in &case.items {
        let What::Decisions(_) = &item.what else { continue };
        let Ok(bundle) = fhir::Bundle::parse(&item.payload) else { continue };
        for order in bundle.views("MedicationRequest").unwrap_or_default() {
            let line = order.str("basedOn.reference").strip_prefix("MedicationRequest/").unwrap_or_default();
            if !line.is_empty() {
                slots.id(&format!("order/{line}"), &mut || order.str("id").to_owned());
            }
        }
    }
    slots
}

#[cfg(test)]
mod tests {
    use rabta_domain::{advice::AdviceForm, fhir::Signer, medicine::MedicineLine};

    use super::*;

    fn advice() -> AdviceRecord {
        let line = |id: &str| MedicineLine { id: id.into(), ..MedicineLine::default() };
        AdviceRecord {
            id: "c".into(),
            encounter: "v".into(),
            part_of: "e".into(),
            task: "t".into(),
            patient: "p".into(),
            author: Signer::default(),
            facility: fhir::Facility::default(),
            signed: None,
            stretches: vec![],
            replaces: None,
            orders: false,
            form: AdviceForm { medicines: vec![line("a"), line("b")], ..AdviceForm::default() },
        }
    }

    #[test]
    fn every_line_is_decided_on_exactly_once_and_a_refusal_says_why() {
        let accepted = |line: &str| Decision::Accepted { line: line.into() };
        let declined = |reason: &str| Decision::Declined { line: "b".into(), reason: reason.into() };
        assert!(complete(&[accepted("a"), declined("allergic")], &advice()).is_ok());
        for wrong in [
            vec![],
            vec![accepted("a")],
            vec![accepted("a"), accepted("a"), accepted("b")],
            vec![accepted("a"), accepted("b"), accepted("c")],
            vec![accepted("a"), declined(" ")],
        ] {
            assert!(complete(&wrong, &advice()).is_err(), "{wrong:?}");
        }
    }
}
