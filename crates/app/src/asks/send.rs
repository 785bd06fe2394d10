//! Sending an ask: the consent, the signed note with its first Task, the photos, in one transaction. A refusal is the
//! consent alone.

use rabta_domain::{
    ask::{AskForm, Urgency},
    consent::ConsentForm,
    fhir::{
        self, Bundle, Slots,
        consent::ConsentContext,
        note::{NoteContext, NoteIds},
        task::Owner,
        visit::VisitContext,
    },
    role::Act,
    visit::{Seen, VisitForm},
};
use rabta_ipc::{
    Error, Event,
    ask::{AskView, Note, PreviewNote, RecordRefusal, SendAsk},
};
use rabta_store::{NewEnvelope, RecordStore, Transaction};
use rabta_wire::{Id, envelope::Kind};
use time::OffsetDateTime;

use super::note::page;
use crate::{
    Session,
    cards::{all_parsed, parsed},
    outbox::purpose,
    session::new_id,
    visits::DraftBody,
};

/// The visit that an ask is about: a draft, or signed.
pub(super) struct Asked {
    pub(super) patient: String,
    form: VisitForm,
    started: Option<OffsetDateTime>,
    slots: Slots,
    draft: Option<DraftBody>,
    /// The envelope of a signed visit.
    signed: Option<Id>,
}

impl Session {
    /// The very page that would be sent, signed by nobody and sent to nobody.
    pub(super) async fn preview_note(&self, preview: PreviewNote) -> Result<Note, Error> {
        let mut asked = self.asked(&preview.visit).await?;
        let (payload, _) = self.note_payload(&mut asked, &preview.ask, &new_id(), None).await?;
        let note = fhir::note::view(&payload, self.stamp().today).map_err(crate::error::bundle)?;
        Ok(page(&note, 0, None, String::new()))
    }

    pub(super) async fn send_ask(&self, send: SendAsk) -> Result<AskView, Error> {
        let SendAsk { visit, consent, ask } = send;
        self.must(Act::Ask)?;
        check(&ask, &consent)?;
        let mut asked = self.asked(&visit).await?;
        self.check_values(&asked).await?;
        let patient = asked.patient.clone();
        let known = self.brought_by("Patient", &patient).await?;
        let consent_id = new_id();
        let consented = self.consent(&consent_id, &consent, false, &patient, known)?;
        let person = match &ask.to_person {
            Some(person) => Some((person, self.on_roster(person).await?.name)),
            None => None,
        };
        let owner = match &person {
            Some((id, name)) => Owner::Person { id, name },
            None => Owner::Pool(&ask.specialty),
        };
        let (payload, ids) = self.note_payload(&mut asked, &ask, &consent_id, Some(owner)).await?;
        let task: Id = ids.task.parse().map_err(|_| Error::detail("unexpected", "task id"))?;
        let mut note = self.envelope(Kind::ReferralNote, Some(&patient), payload);
        note.task = Some(task);
        note.depends.extend(known);
        note.depends.extend(asked.signed);
        note.depends.push(consented.id);
        let note = self.sign(note, purpose::AUTHOR)?;
        let after = note.id;

        let consented = NewEnvelope { task: Some(task), ..consented };
        let transaction = Transaction::new().append(consented).append(note);
        let mut transaction = self.drop_ask_drafts(&visit, transaction).await?;
        if let Some(mut draft) = asked.draft {
            (draft.slots, draft.ask) = (asked.slots, Some(ids.task.clone()));
            transaction = transaction.save_draft(draft.save(&visit, self.millis()));
        }
        let audit = self.audit("create", &format!("Task/{}", ids.task), Some(&patient));
        let transaction = transaction.audit(audit);
        let transaction =
            self.with_photos(transaction, &asked.form.photos, &patient, Some(task), after).await?;
        self.commit(transaction).await?;
        self.sync.hurry();
        self.emit(Event::Asks { ask: Some(ids.task.clone()) });
        self.emit(Event::Patient { id: patient });
        self.ask_view(&ids.task).await
    }

    /// Recorded and signed: nobody has to ask twice, and the patient was heard.
    pub(super) async fn record_refusal(&self, refusal: RecordRefusal) -> Result<(), Error> {
        if refusal.consent.decision != "refused" {
            return Err(Error::field("invalid", "consent"));
        }
        let patient = self.asked(&refusal.visit).await?.patient;
        let known = self.brought_by("Patient", &patient).await?;
        let id = new_id();
        let refused = self.consent(&id, &refusal.consent, false, &patient, known)?;
        let audit = self.audit("create", &format!("Consent/{id}"), Some(&patient));
        let transaction = Transaction::new().append(refused).audit(audit);
        let transaction = self.drop_ask_drafts(&refusal.visit, transaction).await?;
        self.commit(transaction).await?;
        self.sync.hurry();
        self.emit(Event::Patient { id: patient });
        Ok(())
    }

    /// The visit with the Encounter id `visit`.
    pub(super) async fn asked(&self, visit: &str) -> Result<Asked, Error> {
        if let Some(draft) = self.find_visit_draft(visit).await? {
            let body = draft.body;
            return Ok(Asked {
                patient: body.patient.clone(),
                form: body.form.clone(),
                started: Some(rabta_sync::utc(body.started)),
                slots: body.slots.clone(),
                signed: None,
                draft: Some(body),
            });
        }
        let envelope = self.brought_by("Encounter", visit).await?.ok_or_else(|| Error::new("not-found"))?;
        let (header, payload) = self.payload(envelope).await?;
        if header.facility != self.facility_id() {
            return Err(Error::new("not-allowed"));
        }
        let bundle = Bundle::parse(&payload).map_err(crate::error::bundle)?;
        let record = fhir::visit::from_bundle(&bundle).map_err(crate::error::bundle)?;
        let mut slots = Slots::default();
        fhir::visit::read_slots(&bundle, &mut slots).map_err(crate::error::bundle)?;
        Ok(Asked {
            patient: record.patient,
            form: record.form,
            started: record.started,
            slots,
            draft: None,
            signed: Some(envelope),
        })
    }

    async fn note_payload(
        &self,
        asked: &mut Asked,
        ask: &AskForm,
        consent: &str,
        owner: Option<Owner<'_>>,
    ) -> Result<(Vec<u8>, NoteIds), Error> {
        let found = self.store().resource("Patient", &asked.patient).await.map_err(|e| self.told(e))?;
        let found = found.as_ref().and_then(parsed).ok_or_else(|| Error::new("not-found"))?;
        let related = self.store().of_patient(&asked.patient, "RelatedPerson", None, 50).await;
        let related = all_parsed(&related.map_err(|e| self.told(e))?);
        let stamp = self.stamp();
        let context = NoteContext {
            visit: VisitContext {
                patient: &asked.patient,
                facility: &self.facility(),
                author: &self.signer(),
                stamp,
                started: asked.started.unwrap_or(stamp.at).to_offset(stamp.at.offset()),
                age: self.age_months(&asked.patient).await?,
                replaces: None,
            },
            patient: &found,
            related: &related,
            consent,
            owner,
            visit_signed: asked.signed.is_some(),
        };
        fhir::note::to_document(&asked.form, ask, &context, &mut asked.slots, &mut new_id)
            .map_err(crate::error::bundle)
    }

    /// The signed envelope of a Consent. `after`: what must be at the HIE before it.
    pub(super) fn consent(
        &self,
        id: &str,
        form: &ConsentForm,
        withdrawn: bool,
        patient: &str,
        after: Option<Id>,
    ) -> Result<NewEnvelope, Error> {
        let context = ConsentContext {
            id,
            patient,
            facility: &self.facility(),
            author: &self.signer(),
            stamp: self.stamp(),
            withdrawn,
        };
        let payload = fhir::consent::to_bundle(form, &context, &mut new_id);
        let mut envelope = self.envelope(Kind::Consent, Some(patient), payload);
        envelope.depends.extend(after);
        self.sign(envelope, purpose::CONSENT_WITNESS)
    }

    /// Danger signs may start an ask before the form is complete; what cannot be true may not go out all the same.
    async fn check_values(&self, asked: &Asked) -> Result<(), Error> {
        let card = self.card(&asked.patient).await?;
        let age = self.age_months(&asked.patient).await?;
        let seen = Seen { age, sex: card.sex, today: self.stamp().today, remote: false };
        let wrong = rabta_domain::visit::check(&asked.form, &seen).into_iter().find(|finding| {
            let value = ["vitals", "tests", "medicines"].iter().any(|part| finding.field.starts_with(part));
            finding.stops && value
        });
        match wrong {
            Some(finding) => {
                Err(Error { detail: Some(finding.code), ..Error::field("stops", &finding.field) })
            }
            None => Ok(()),
        }
    }
}

fn check(ask: &AskForm, consent: &ConsentForm) -> Result<(), Error> {
    if ask.question.trim().is_empty() {
        return Err(Error::field("invalid", "question"));
    }
    if ask.specialty.is_empty() {
        return Err(Error::field("invalid", "specialty"));
    }
    // An override is for those who cannot wait, and for nothing else.
    if !consent.allows_consultation() || consent.decision == "emergency" && ask.urgency == Urgency::Routine {
        return Err(Error::new("consent-missing"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emergency_override_is_for_those_who_cannot_wait() {
        let mut ask =
            AskForm { specialty: "cardiology".into(), question: "chest pain?".into(), ..AskForm::default() };
        let consent =
            ConsentForm { decision: "emergency".into(), reason: "unconscious".into(), ..Default::default() };
        assert_eq!(check(&ask, &consent).unwrap_err().code, "consent-missing");
        ask.urgency = Urgency::Emergency;
        assert!(check(&ask, &consent).is_ok());
    }

    #[test]
    fn nothing_is_asked_against_a_refusal() {
        let ask = AskForm { specialty: "ent".into(), question: "?".into(), ..AskForm::default() };
        for decision in ["", "refused", "given"] {
            let consent = ConsentForm { decision: decision.into(), ..Default::default() };
            assert_eq!(check(&ask, &consent).unwrap_err().code, "consent-missing", "{decision}");
        }
    }

    #[test]
    fn an_ask_without_a_question_or_a_specialty_is_told_where() {
        let consent =
            ConsentForm { decision: "emergency".into(), reason: "unconscious".into(), ..Default::default() };
        let mut ask = AskForm { question: " ".into(), ..AskForm::default() };
        assert_eq!(check(&ask, &consent).unwrap_err().field.as_deref(), Some("question"));
        ask.question = "what now?".into();
        assert_eq!(check(&ask, &consent).unwrap_err().field.as_deref(), Some("specialty"));
    }
}
