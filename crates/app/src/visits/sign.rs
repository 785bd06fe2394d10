//! Checking and signing: from a draft to exact bytes that never change again.

use rabta_domain::{
    fhir::{self, Bundle, visit::VisitContext},
    medicine,
    role::Act,
    template,
    visit::{AllergyAnswer, Seen},
    vitals::Months,
};
use rabta_ipc::{
    Error, Event,
    visit::{Check, CorrectVisit, SignVisit, VisitView},
};
use rabta_store::{RecordStore, Transaction};
use rabta_wire::envelope::Kind;
use time::OffsetDateTime;

use super::{DraftBody, draft::VisitDraft};
use crate::{Session, cards::all_parsed, outbox::purpose, session::new_id};

impl Session {
    /// The patient's age today, for limits and doses.
    pub(crate) async fn age_months(&self, patient: &str) -> Result<Option<Months>, Error> {
        let card = self.card(patient).await?;
        Ok(card.age.map(|age| Months { low: age.months_low, high: age.months_high }))
    }

    pub(super) async fn findings(&self, body: &DraftBody) -> Result<Check, Error> {
        let card = self.card(&body.patient).await?;
        let age = card.age.map(|age| Months { low: age.months_low, high: age.months_high });
        let seen = Seen { age, sex: card.sex, today: self.stamp().today, remote: false };
        let findings = rabta_domain::visit::check(&body.form, &seen);
        let clashes = medicine::clashes(&body.form.medicines, &body.form.allergies);
        Ok(Check { findings, clashes })
    }

    pub(super) async fn sign_visit(&self, sign: SignVisit) -> Result<VisitView, Error> {
        self.must(Act::Visit)?;
        let VisitDraft { id, mut body, .. } = self.visit_draft(&sign.id).await?;
        for text in [&mut body.form.history, &mut body.form.examination] {
            text.0 = template::answered(text, &self.app.country.templates);
        }
        if self.findings(&body).await?.findings.iter().any(|f| f.stops) {
            return Err(Error::new("stops"));
        }
        let before = match body.replaces {
            Some(envelope) => Some(self.payload(envelope).await?.1),
            None => None,
        };
        let before = before.map(|bytes| Bundle::parse(&bytes)).transpose().map_err(crate::error::bundle)?;
        let stamp = self.stamp();
        let context = VisitContext {
            patient: &body.patient,
            facility: &self.facility(),
            author: &self.signer(),
            stamp,
            started: at(body.started).unwrap_or(stamp.at).to_offset(stamp.at.offset()),
            age: self.age_months(&body.patient).await?,
            replaces: before.as_ref(),
        };
        let payload = fhir::visit::to_document(&body.form, &context, &mut body.slots, &mut new_id)
            .map_err(crate::error::bundle)?;
        let mut envelope = self.envelope(Kind::Visit, Some(&body.patient), payload);
        envelope.depends.extend(self.brought_by("Patient", &body.patient).await?);
        let follows = self.follow(body.replaces.into_iter().collect()).await?;
        envelope.depends.extend(
            follows.depends.iter().filter(|on| !envelope.depends.contains(on)).copied().collect::<Vec<_>>(),
        );
        let written = body.form.tidied().medicines;
        let ordered = self.consulted(body.ask.as_deref()).await?.orders.len();
        self.prove_paper(&mut envelope, written.len() + ordered)?;
        let envelope = self.sign(envelope, purpose::AUTHOR)?;
        let after = envelope.id;
        let audit = self.audit("sign", &format!("Encounter/{id}"), Some(&body.patient));
        let transaction = Transaction::new().append(envelope).drop_draft(id.clone()).audit(audit);
        let transaction = self.mend(transaction, &follows.refused, after).await?;
        let transaction = self.count_medicines(transaction, &written).await?;
        let transaction =
            self.with_photos(transaction, &body.form.photos, &body.patient, None, after).await?;
        self.commit(transaction).await?;
        self.emit(Event::Patient { id: body.patient });
        self.visit_view(&id).await
    }

    /// A draft that begins as the signed visit was, and will replace it.
    pub(super) async fn correct_visit(&self, correct: CorrectVisit) -> Result<VisitView, Error> {
        if self.find_visit_draft(&correct.id).await?.is_some() {
            return self.visit_view(&correct.id).await;
        }
        // Two corrections of one visit at once would lose one.
        if self.is_anothers_draft(&correct.id).await? {
            return Err(Error::new("not-allowed"));
        }
        let envelope =
            self.brought_by("Encounter", &correct.id).await?.ok_or_else(|| Error::new("not-allowed"))?;
        let (header, payload) = self.payload(envelope).await?;
        if header.facility != self.facility_id() {
            return Err(Error::new("not-allowed"));
        }
        let record = fhir::visit::from_document(&payload).map_err(crate::error::bundle)?;
        let mut slots = fhir::Slots::default();
        let bundle = Bundle::parse(&payload).map_err(crate::error::bundle)?;
        fhir::visit::read_slots(&bundle, &mut slots).map_err(crate::error::bundle)?;
        let started = record.started.map_or_else(|| self.millis(), millis);
        let ask = self.ask_of_visit(&correct.id).await?;
        let body = DraftBody {
            patient: record.patient,
            form: record.form,
            started,
            slots,
            replaces: Some(envelope),
            ask,
            by: Some(self.person_id),
        };
        self.new_draft(&correct.id, body).await
    }

    /// What is known of the patient's allergies, as a visit's answer begins.
    pub(super) async fn known_allergies(&self, patient: &str) -> Result<AllergyAnswer, Error> {
        let known = self
            .store()
            .of_patient(patient, "AllergyIntolerance", None, 50)
            .await
            .map_err(|e| self.told(e))?;
        Ok(fhir::allergies::answer(&all_parsed(&known)))
    }
}

fn at(millis: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).ok()
}

pub(crate) fn millis(at: OffsetDateTime) -> i64 {
    (at.unix_timestamp_nanos() / 1_000_000) as i64
}
