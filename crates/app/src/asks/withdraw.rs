//! The patient takes the consent back: nobody outside this clinic may read the case any more. The record here stays whole.

use rabta_domain::{
    ask::{Party, State},
    fhir,
};
use rabta_ipc::{
    Error, Event,
    ask::{AskView, WithdrawConsent},
};
use rabta_store::{NewEnvelope, Transaction};

use super::moves::Moving;
use crate::Session;

impl Session {
    /// The same Consent, inactive; and the ask, if it was still open, is called off, since nobody could answer it.
    pub(super) async fn withdraw_consent(&self, asked: WithdrawConsent) -> Result<AskView, Error> {
        let case = self.case(&asked.ask).await?;
        if self.must_be_party(&case)? != Party::Requester {
            return Err(Error::new("not-allowed"));
        }
        let (id, patient) = (&case.note.consent, &case.view.patient);
        let given = self.brought_by("Consent", id).await?.ok_or_else(|| Error::new("not-found"))?;
        let (_, payload) = self.payload(given).await?;
        let record = fhir::consent::from_bundle(&payload).map_err(crate::error::bundle)?;
        if !record.allows_consultation() {
            return self.ask_view(&asked.ask).await;
        }
        // Never before the yes that it takes back; and with the ask's name it goes first, also on a thin line.
        let withdrawn = self.consent(id, &record.form, true, patient, Some(given))?;
        let withdrawn = NewEnvelope { task: Some(case.id), ..withdrawn };
        let audit = self.audit("update", &format!("Consent/{id}"), Some(patient));
        let mut transaction = Transaction::new().append(withdrawn).audit(audit);
        let off = Moving { to: State::Cancelled, reason: asked.reason.trim(), ..Moving::default() };
        match self.moved(&case, Party::Requester, &off) {
            Ok(envelope) => transaction = transaction.append(envelope),
            Err(error) if error.code == "not-allowed" => {}
            Err(error) => return Err(error),
        }
        self.commit(transaction).await?;
        self.sync.hurry();
        self.emit(Event::Asks { ask: Some(asked.ask.clone()) });
        self.emit(Event::Patient { id: patient.clone() });
        self.ask_view(&asked.ask).await
    }
}
