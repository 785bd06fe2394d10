//! The specialist's advice: a draft that is durable as it is typed, checked, signed.

use rabta_domain::{
    advice::AdviceForm,
    ask::{Party, State},
    fhir::{
        self, Slots,
        advice::{AdviceContext, Stretch},
    },
    role::{Act, may},
    visit::{AllergyAnswer, Finding, Seen, VisitForm},
    vitals::Months,
};
use rabta_ipc::{
    Error, Event,
    ask::{AskView, CheckAdvice, SaveAdvice, SignAdvice},
    visit::Saved,
};
use rabta_store::{RecordStore, SaveDraft, Transaction};
use rabta_wire::{cert::Subject, envelope::Kind};

use super::{case::Case, moves::Moving};
use crate::{Session, outbox::purpose, session::new_id};

const DRAFT: &str = "advice";

impl Session {
    pub(super) async fn save_advice(&self, save: SaveAdvice) -> Result<Saved, Error> {
        let case = self.answerable(&save.ask).await?;
        let rev = self.advice_draft(&save.ask).await?.map_or(0, |(_, rev)| rev);
        if rev != save.rev {
            return Err(Error::new("stale"));
        }
        let draft = SaveDraft {
            id: self.advice_draft_id(&save.ask),
            kind: DRAFT.to_owned(),
            patient: Some(case.view.patient),
            updated_at: self.millis(),
            body: serde_json::to_vec(&save.form).expect("a form is plain data").into(),
        };
        Ok(Saved { rev: self.save_draft(draft).await? })
    }

    pub(super) async fn check_advice(&self, check: CheckAdvice) -> Result<Vec<Finding>, Error> {
        let case = self.answerable(&check.ask).await?;
        let form = self.advice_draft(&check.ask).await?.map(|(form, _)| form).unwrap_or_default();
        Ok(self.advice_findings(&case, &form))
    }

    pub(super) async fn sign_advice(&self, sign: SignAdvice) -> Result<AskView, Error> {
        let case = self.answerable(&sign.ask).await?;
        let (mut form, _) = self.advice_draft(&sign.ask).await?.ok_or_else(|| Error::new("not-found"))?;
        if self.advice_findings(&case, &form).iter().any(|finding| finding.stops) {
            return Err(Error::new("stops"));
        }
        let stretches = self.consultation(&case).await?;
        form.modality = modalities(&stretches);
        let stamp = self.stamp();
        let earlier = case.advice().map(|(_, advice)| advice);
        let mut slots = Slots::default();
        if let Some(earlier) = earlier {
            // One consultation, one Encounter, whichever way it went.
            slots.id("consultation", &mut || earlier.encounter.clone());
        }
        let informed: Vec<String> = case.messages().map(|(_, message)| message.id.clone()).collect();
        let opened = case.moves().find(|(_, step)| step.by.id == self.person.id).map(|(item, _)| item.at);
        let started = opened.map_or(stamp.at, |at| rabta_sync::utc(at).to_offset(stamp.at.offset()));
        let context = AdviceContext {
            task: &case.view.id,
            service_request: &case.view.focus,
            part_of: &case.view.encounter,
            patient: &case.view.patient,
            facility: &self.facility(),
            author: &self.signer(),
            stamp,
            started,
            stretches: &stretches,
            informed_by: &informed,
            replaces: earlier.map(|advice| advice.id.as_str()),
            orders: !self.asker_prescribes(&case).await?,
        };
        let payload = fhir::advice::to_document(&form, &context, &mut slots, &mut new_id);
        let signed = fhir::advice::from_document(&payload).map_err(crate::error::bundle)?;
        let mut envelope = self.envelope(Kind::Advice, Some(&case.view.patient), payload);
        envelope.task = Some(case.id);
        envelope.depends.extend(case.note_item().map(|item| item.header.id));
        if signed.orders {
            self.prove_paper(&mut envelope, signed.form.medicines.len())?;
        }
        let envelope = self.sign(envelope, purpose::AUTHOR)?;
        let answered = Moving {
            to: State::Answered,
            output: Some(&signed.id),
            after: Some(envelope.id),
            ..Moving::default()
        };
        let moved = self.moved(&case, Party::Specialist, &answered)?;
        let audit = self.audit("sign", &format!("Composition/{}", signed.id), Some(&case.view.patient));
        let transaction = Transaction::new()
            .append(envelope)
            .append(moved)
            .drop_draft(self.advice_draft_id(&sign.ask))
            .drop_draft(unowned_draft(&sign.ask))
            .audit(audit);
        self.commit(transaction).await?;
        self.sync.hurry();
        self.emit(Event::Asks { ask: Some(sign.ask.clone()) });
        self.ask_view(&sign.ask).await
    }

    /// This person's draft and its revision; what another specialist of this laptop began is theirs.
    pub(super) async fn advice_draft(&self, ask: &str) -> Result<Option<(AdviceForm, u64)>, Error> {
        if !self.is_specialist() {
            return Ok(None);
        }
        let own = self.store().draft(&self.advice_draft_id(ask)).await.map_err(|e| self.told(e))?;
        let draft = match own {
            Some(draft) => Some(draft),
            None => self.store().draft(&unowned_draft(ask)).await.map_err(|e| self.told(e))?,
        };
        let Some(draft) = draft else { return Ok(None) };
        let form = serde_json::from_slice(&draft.body).map_err(|_| Error::detail("unexpected", "draft"))?;
        Ok(Some((form, draft.rev)))
    }

    fn advice_draft_id(&self, ask: &str) -> String {
        format!("{DRAFT}.{ask}.{}", self.person_id)
    }

    /// The ask, if this person may answer it now.
    async fn answerable(&self, ask: &str) -> Result<Case, Error> {
        let case = self.case(ask).await?;
        let party = self.must_be_party(&case)?;
        if party == Party::Specialist && case.view.state.allows(State::Answered, party) {
            Ok(case)
        } else {
            Err(Error::new("not-allowed"))
        }
    }

    /// A visit's rules for what an advice shares with it, against what the note says of the patient.
    fn advice_findings(&self, case: &Case, form: &AdviceForm) -> Vec<Finding> {
        let patient = &case.note.patient;
        let age = patient.age.map(|age| Months { low: age.months_low, high: age.months_high });
        let seen = Seen { age, sex: patient.sex, today: self.stamp().today, remote: true };
        findings(form, case.note.visit.allergies.clone(), &case.note.visit, &seen)
    }

    /// Whether the person who asked may order medicines, by their certificate; yes where there is none yet: then the
    /// treating doctor decides.
    pub(super) async fn asker_prescribes(&self, case: &Case) -> Result<bool, Error> {
        let asker = case.note_item().and_then(|item| item.header.signed_by.as_ref());
        let Some(asker) = asker else { return Ok(true) };
        let cert = self.person_cert(asker.person).await?;
        let role = cert.as_ref().and_then(|cert| match &cert.subject {
            Subject::Person { role, .. } => Some(role.as_str()),
            Subject::Device { .. } => None,
        });
        Ok(role.is_none_or(|role| may(role, Act::Prescribe)))
    }

    /// How the consultation went: calls, and writing where there was none.
    async fn consultation(&self, case: &Case) -> Result<Vec<Stretch>, Error> {
        let offset = self.now().offset();
        let at = |millis: i64| Some(rabta_sync::utc(millis).to_offset(offset));
        let calls = self.call_stretches(&case.view.id).await?;
        let mut all: Vec<Stretch> = calls
            .into_iter()
            .map(|call| Stretch { modality: call.modality, start: at(call.start), end: at(call.end) })
            .collect();
        if all.is_empty() {
            all.push(Stretch { modality: "writing".to_owned(), start: None, end: None });
        }
        Ok(all)
    }
}

/// A draft of an older program, which did not note whose it was.
fn unowned_draft(ask: &str) -> String {
    format!("{DRAFT}.{ask}")
}

fn modalities(stretches: &[Stretch]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for stretch in stretches {
        if !all.contains(&stretch.modality) {
            all.push(stretch.modality.clone());
        }
    }
    all
}

fn findings(form: &AdviceForm, allergies: AllergyAnswer, noted: &VisitForm, seen: &Seen) -> Vec<Finding> {
    let form = fhir::advice::tidied(form);
    let mut all = Vec::new();
    if form.plan.trim().is_empty() && form.medicines.is_empty() && form.diagnoses.is_empty() {
        all.push(Finding { code: "advice-empty".into(), field: "plan".into(), stops: true });
    }
    if form.danger_signs.trim().is_empty() {
        all.push(Finding { code: "danger-signs-missing".into(), field: "danger_signs".into(), stops: false });
    }
    // The patient as the note shows them, with the advice's lines.
    let visit = VisitForm {
        diagnoses: form.diagnoses,
        medicines: form.medicines,
        follow_up: form.follow_up,
        allergies,
        pregnancy: noted.pregnancy.clone(),
        vitals: noted.vitals.clone(),
        ..VisitForm::default()
    };
    let of_advice = |finding: &Finding| {
        ["medicines", "diagnoses", "follow_up"].iter().any(|part| finding.field.starts_with(part))
    };
    all.extend(rabta_domain::visit::check(&visit, seen).into_iter().filter(of_advice));
    all
}

#[cfg(test)]
mod tests {
    use rabta_domain::{
        medicine::MedicineLine,
        patient::Sex,
        visit::{Allergy, AllergyState},
    };
    use time::macros::date;

    use super::*;

    fn seen() -> Seen {
        Seen {
            age: Some(Months { low: 400, high: 400 }),
            sex: Sex::Female,
            today: date!(2026 - 11 - 22),
            remote: true,
        }
    }

    #[test]
    fn an_empty_advice_cannot_be_signed_and_one_line_of_plan_can() {
        let noted = VisitForm::default();
        let check = |form: &AdviceForm| findings(form, AllergyAnswer::default(), &noted, &seen());
        assert!(check(&AdviceForm::default()).iter().any(|f| f.stops));
        let form = AdviceForm {
            plan: "Fluids, paracetamol, see again in two days.".into(),
            ..AdviceForm::default()
        };
        assert!(!check(&form).iter().any(|f| f.stops));
    }

    #[test]
    fn a_proposal_against_an_allergy_in_the_note_stops() {
        let line = MedicineLine {
            id: "0d6ae3a5-5bf5-4c40-9f0b-5e1a0a5a1b11".into(),
            generic: "Amoxicillin".into(),
            form: "capsule".into(),
            strength: "500 mg".into(),
            classes: vec!["penicillins".into()],
            dose: "1+1+1".into(),
            days: 5,
            ..MedicineLine::default()
        };
        let form = AdviceForm { medicines: vec![line], ..AdviceForm::default() };
        let allergy = Allergy {
            substance: "Penicillin".into(),
            classes: vec!["penicillins".into()],
            ..Allergy::default()
        };
        let allergies = AllergyAnswer { state: AllergyState::Known, items: vec![allergy] };
        let all = findings(&form, allergies, &VisitForm::default(), &seen());
        assert!(all.iter().any(|f| f.stops && f.field.starts_with("medicines")), "{all:?}");
    }

    #[test]
    fn a_call_with_two_stretches_of_video_is_one_modality() {
        let stretch = |m: &str| Stretch { modality: m.into(), start: None, end: None };
        let all = modalities(&[stretch("video"), stretch("voice"), stretch("video")]);
        assert_eq!(all, ["video", "voice"]);
    }
}
