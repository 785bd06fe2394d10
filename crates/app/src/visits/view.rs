//! A visit as the window sees it: a draft, or what was signed, with the signature verified here and now.

use ed25519_dalek::VerifyingKey;
use rabta_domain::{
    fhir,
    patient::{Allergies, Custody},
    visit::{AllergyAnswer, AllergyState},
};
use rabta_ipc::{
    Error,
    visit::{GetVisit, LastVisit, SignedBy, VisitStatus, VisitView},
};
use rabta_store::{RecordStore, StoredCert, unpack_payload};
use rabta_wire::{
    Id,
    cert::{Cert, SignedCert, Subject},
    envelope::{Envelope, Header, Kind},
};

use super::sign::millis;
use crate::{Session, cards::parsed, sync_task::hie_key};

impl Session {
    pub(super) async fn get_visit(&self, get: GetVisit) -> Result<VisitView, Error> {
        self.visit_view(&get.id).await
    }

    pub(crate) async fn visit_view(&self, id: &str) -> Result<VisitView, Error> {
        if let Some(draft) = self.find_visit_draft(id).await? {
            let replaced = draft.body.replaces.is_some();
            let mut card = self.card(&draft.body.patient).await?;
            card.allergies = said_today(&draft.body.form.allergies, card.allergies);
            return Ok(VisitView {
                id: draft.id,
                card,
                rev: draft.rev,
                status: VisitStatus::Draft,
                signed: None,
                replaces: replaced.then(|| id.to_owned()),
                custody: Custody::Here,
                ask: draft.body.ask,
                may_prescribe: self.may_prescribe(),
                last: self.last_visit(&draft.body.patient, id).await?,
                form: draft.body.form,
            });
        }
        let envelope = self.brought_by("Encounter", id).await?.ok_or_else(|| Error::new("not-found"))?;
        let (header, payload) = self.payload(envelope).await?;
        let record = fhir::visit::from_document(&payload).map_err(crate::error::bundle)?;
        let signed = self.signed_by(&header, &payload, record.signed.map(millis)).await?;
        Ok(VisitView {
            id: id.to_owned(),
            card: self.card(&record.patient).await?,
            rev: 0,
            status: VisitStatus::Signed,
            signed,
            replaces: record.replaces,
            custody: self.custody_of("Encounter", id).await?,
            ask: self.ask_of_visit(id).await?,
            may_prescribe: self.may_prescribe(),
            last: self.last_visit(&record.patient, id).await?,
            form: record.form,
        })
    }

    /// The exact payload that an envelope of this or another device's log carries.
    pub(crate) async fn payload(&self, envelope: Id) -> Result<(Header, Vec<u8>), Error> {
        let store = self.store();
        let own = store.log_entry(envelope).await.map_err(|e| self.told(e))?.map(|entry| entry.bytes);
        let bytes = match own {
            Some(bytes) => Some(bytes),
            None => store.received(envelope).await.map_err(|e| self.told(e))?.map(|entry| entry.bytes),
        };
        let bytes = bytes.ok_or_else(|| Error::new("not-found"))?;
        let sealed = Envelope::from_bytes(&bytes).map_err(|e| Error::detail("unexpected", e))?;
        let header = sealed.header().map_err(|e| Error::detail("unexpected", e))?;
        let dictionary = match header.dictionary {
            0 => None,
            id => store.dictionary(id).await.map_err(|e| self.told(e))?,
        };
        let payload = unpack_payload(&sealed, &header, dictionary.as_deref()).map_err(|e| self.told(e))?;
        Ok((header, payload))
    }

    /// Who signed a payload, by the HIE's certificate, and whether the signature holds over these exact bytes.
    pub(crate) async fn signed_by(
        &self,
        header: &Header,
        payload: &[u8],
        at: Option<i64>,
    ) -> Result<Option<SignedBy>, Error> {
        let Some(signature) = &header.signed_by else { return Ok(None) };
        let certs = self.store().certs(signature.person).await.map_err(|e| self.told(e))?;
        let hie = hie_key(&self.enrollment)?;
        let mut verified = false;
        let mut who = (String::new(), String::new(), None);
        for cert in certs.iter().filter_map(|c| opened(c, &hie)).chain(self.own_cert(signature.person, &hie))
        {
            if let Subject::Person { name, role, registration, .. } = &cert.subject {
                who = (name.clone(), role.clone(), registration.clone());
            }
            let key = VerifyingKey::from_bytes(&cert.key);
            if key.is_ok_and(|key| signature.verify(&key, payload)) {
                verified = true;
                break;
            }
        }
        Ok(Some(SignedBy {
            name: who.0,
            role: who.1,
            registration: who.2,
            at: at.unwrap_or(header.device_time),
            fingerprint: header.payload_sha256.iter().take(4).map(|b| format!("{b:02x}")).collect(),
            verified,
        }))
    }

    /// This person's certificate from the enrollment: there before the first pull.
    pub(crate) fn own_cert(&self, person: Id, hie: &VerifyingKey) -> Option<Cert> {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let certs = self.enrollment.enrolled.certs.iter().filter_map(|c| URL_SAFE_NO_PAD.decode(c).ok());
        certs
            .filter_map(|bytes| SignedCert::open(&bytes, hie).ok())
            .find(|cert| matches!(&cert.subject, Subject::Person { id, .. } if *id == person))
    }

    /// The visit before this one that was made with this program: for "what was it last time".
    async fn last_visit(&self, patient: &str, not: &str) -> Result<Option<Box<LastVisit>>, Error> {
        let encounters =
            self.store().of_patient(patient, "Encounter", None, 10).await.map_err(|e| self.told(e))?;
        for encounter in encounters.iter().filter(|e| e.id != not) {
            let Some(envelope) = encounter.envelope else { continue };
            let (header, payload) = self.payload(envelope).await?;
            if header.kind != Kind::Visit {
                continue;
            }
            let Ok(record) = fhir::visit::from_document(&payload) else { continue };
            let day = parsed(encounter).and_then(|r| r.view().ok()).map(|j| j.str("period.start").to_owned());
            let day = day.unwrap_or_default().chars().take(10).collect();
            return Ok(Some(Box::new(LastVisit { day, form: record.form })));
        }
        Ok(None)
    }
}

/// What the band says of allergies while a visit is being written: today's answer, once there is one.
fn said_today(answer: &AllergyAnswer, known: Allergies) -> Allergies {
    match answer.state {
        AllergyState::NotAsked => known,
        AllergyState::NoneKnown => Allergies::NoneKnown,
        AllergyState::Known => Allergies::Known(answer.items.iter().map(|i| i.substance.clone()).collect()),
    }
}

fn opened(cert: &StoredCert, hie: &VerifyingKey) -> Option<Cert> {
    SignedCert::open(&cert.bytes, hie).ok()
}
