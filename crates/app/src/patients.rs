//! Finding, registering and amending patients.

use std::collections::BTreeMap;

use rabta_domain::{
    fhir::{self, patient::Ids},
    paper::{Paper, normalize_cnic},
    patient::{Guardian, PatientCard, Registration},
    registration,
};
use rabta_ipc::{
    Error, Event,
    patient::{
        Amend, Chart, Find, Found, GetToday, LikelySame, Likeness, OpenPatient, PlaceRow, Places, Register,
        SharedCnic, Today,
    },
};
use rabta_store::{AuditEntry, NewEnvelope, RecordStore, Resource, Transaction};
use rabta_wire::{Id, envelope::Kind};

use crate::{Session, cards::all_parsed, outbox::purpose, routes::routes, session::new_id};

routes!(Session {
    Find => find,
    LikelySame => likely_same,
    Register => register,
    Amend => amend,
    OpenPatient => open_patient,
    Places => places,
    GetToday => get_today,
});

/// Most rows that one answer has.
const PAGE: u32 = 50;

impl Session {
    async fn find(&self, find: Find) -> Result<Found, Error> {
        let limit = find.limit.clamp(1, PAGE) as usize;
        let page = self
            .store()
            .find_patients(&find.q, find.offset as usize, limit)
            .await
            .map_err(|e| self.told(e))?;
        let mut rows = Vec::with_capacity(page.hits.len());
        let hidden = self.hidden().await?;
        for hit in page.hits.iter().filter(|hit| !hidden.contains(&hit.patient.id)) {
            rows.push(self.card_of(&hit.patient, &hit.relatives).await?);
        }
        let total = find.offset + rows.len() as u32 + u32::from(page.more);
        Ok(Found { rows, total })
    }

    async fn places(&self, places: Places) -> Result<Vec<PlaceRow>, Error> {
        Ok(self.app.country.find_place(&places.q))
    }

    async fn get_today(&self, _: GetToday) -> Result<Today, Error> {
        crate::today::today(self).await
    }

    async fn open_patient(&self, open: OpenPatient) -> Result<Chart, Error> {
        let chart = crate::chart::chart(self, &open.id).await?;
        self.commit(Transaction::new().audit(self.audit(
            "read",
            &format!("Patient/{}", open.id),
            Some(&open.id),
        )))
        .await?;
        Ok(chart)
    }

    /// Who might be meant already: the same paper, the same phone, or a name that sounds alike with one more agreement.
    async fn likely_same(&self, likely: LikelySame) -> Result<Vec<Likeness>, Error> {
        let form = &likely.registration;
        let mut found: BTreeMap<String, (PatientCard, Vec<String>)> = BTreeMap::new();
        let hidden = self.hidden().await?;
        let queries = std::iter::once(form.name.0.clone())
            .chain(form.papers.iter().map(|p| p.number.0.clone()))
            .chain(form.phones.iter().map(|p| p.number.0.clone()))
            .filter(|q| q.chars().count() > 1);
        for query in queries {
            let page = self.store().find_patients(&query, 0, 12).await.map_err(|e| self.told(e))?;
            for hit in page.hits {
                if found.contains_key(&hit.patient.id) || hidden.contains(&hit.patient.id) {
                    continue;
                }
                let because = agreements(form, &hit.patient, &hit.relatives, self.stamp().today);
                let strong = because.iter().any(|b| b == "paper" || b == "phone");
                if strong || (because.iter().any(|b| b == "name") && because.len() > 1) {
                    let card = self.card_of(&hit.patient, &hit.relatives).await?;
                    found.insert(hit.patient.id.clone(), (card, because));
                }
            }
        }
        let mut all: Vec<Likeness> =
            found.into_values().map(|(card, because)| Likeness { card, because }).collect();
        all.sort_by_key(|likeness| std::cmp::Reverse(likeness.because.len()));
        all.truncate(6);
        Ok(all)
    }

    async fn register(&self, register: Register) -> Result<PatientCard, Error> {
        let mut form = self.checked(register.registration)?;
        let others = self.settle_cnic(&mut form, None, register.shared_cnic).await?;
        let mr = self.store().next_mr().await.map_err(|e| self.told(e))?;
        let id = new_id();
        let envelope = self.demographics(&id, &form, Some(mr.text.as_str()), None, &[])?;
        let mut transaction = Transaction::new().append(envelope).audit(self.audit(
            "create",
            &format!("Patient/{id}"),
            Some(&id),
        ));
        for other in others {
            transaction =
                transaction.audit(self.audit("shared-paper", &format!("Patient/{other}"), Some(&other)));
        }
        self.commit(transaction).await?;
        self.emit(Event::Patient { id: id.clone() });
        self.card(&id).await
    }

    async fn amend(&self, amend: Amend) -> Result<PatientCard, Error> {
        self.must_be_ours(&amend.id).await?;
        let mut form = self.checked(amend.registration)?;
        self.settle_cnic(&mut form, Some(&amend.id), amend.shared_cnic).await?;
        let existing = self.store().resource("Patient", &amend.id).await.map_err(|e| self.told(e))?;
        let current = existing.ok_or_else(|| Error::new("not-found"))?.envelope;
        let shown = self.shown_details(&amend.id).await?.form;
        let details = self.details(&amend.id).await?;
        form.undecided = Self::left_open(details.as_ref(), &shown, &form);
        let parents = details.map_or_else(|| current.into_iter().collect(), |details| details.heads);
        self.write_details(&amend.id, &form, parents).await
    }

    /// The details as they are shown, with everything that stands.
    pub(crate) async fn shown_details(&self, patient: &str) -> Result<fhir::patient::Record, Error> {
        let (read, related) = self.read_details(patient).await?;
        let (read, related) = self.as_it_stands(read, related).await?;
        fhir::patient::read(&read, &related).map_err(|_| Error::new("unexpected"))
    }

    async fn read_details(&self, patient: &str) -> Result<(fhir::Resource, Vec<fhir::Resource>), Error> {
        let existing = self.store().resource("Patient", patient).await.map_err(|e| self.told(e))?;
        let existing = existing.ok_or_else(|| Error::new("not-found"))?;
        let relatives =
            self.store().of_patient(patient, "RelatedPerson", None, 50).await.map_err(|e| self.told(e))?;
        let read = crate::cards::parsed(&existing).ok_or_else(|| Error::new("unexpected"))?;
        Ok((read, all_parsed(&relatives)))
    }

    /// Signs the details as a version that follows `parents`. Those of them that were refused are mended by it.
    pub(crate) async fn write_details(
        &self,
        patient: &str,
        form: &Registration,
        parents: Vec<Id>,
    ) -> Result<PatientCard, Error> {
        let (read, related) = self.read_details(patient).await?;
        let mr = fhir::patient::read(&read, &related).ok().and_then(|record| record.mr);
        let mut envelope =
            self.demographics(patient, form, mr.as_ref().map(|m| m.as_str()), Some(&read), &related)?;
        let follows = self.follow(parents).await?;
        envelope.depends = follows.depends;
        let id = envelope.id;
        let audit = self.audit("update", &format!("Patient/{patient}"), Some(patient));
        let transaction = Transaction::new().append(envelope).audit(audit);
        let transaction = self.mend(transaction, &follows.refused, id).await?;
        self.commit(transaction).await?;
        self.emit(Event::Patient { id: patient.to_owned() });
        self.card(patient).await
    }

    /// The form with its numbers in their one writing; `invalid` with the field where something stops it.
    pub(crate) fn checked(&self, mut form: Registration) -> Result<Registration, Error> {
        let findings = registration::check(&form, self.stamp().today);
        if let Some(stop) = findings.into_iter().find(|f| f.stops) {
            return Err(Error { detail: Some(stop.code), ..Error::field("invalid", &stop.field) });
        }
        for phone in &mut form.phones {
            if let Some(number) = registration::normalize_phone(&phone.number) {
                phone.number = number.into();
            }
        }
        for paper in &mut form.papers {
            if let Some(number) = normalize_cnic(&paper.number) {
                paper.number = number.into();
            }
        }
        Ok(form)
    }

    fn demographics(
        &self,
        id: &str,
        form: &Registration,
        mr: Option<&str>,
        existing: Option<&fhir::Resource>,
        related: &[fhir::Resource],
    ) -> Result<NewEnvelope, Error> {
        let ids = Ids { id, mr, facility: &self.facility(), existing, related };
        let payload =
            fhir::patient::to_bundle(form, &ids, self.stamp(), &mut new_id).map_err(crate::error::bundle)?;
        self.sign(self.envelope(Kind::Patient, Some(id), payload), purpose::AUTHOR)
    }

    /// A paper that is recorded for somebody else asks whose it is: `cnic-used` until `shared` says so. Answers the
    /// other patients whose record needs a look.
    async fn settle_cnic(
        &self,
        form: &mut Registration,
        this: Option<&str>,
        shared: Option<SharedCnic>,
    ) -> Result<Vec<String>, Error> {
        let mut others = Vec::new();
        let mut kept: Vec<Paper> = Vec::new();
        for mut paper in std::mem::take(&mut form.papers) {
            let uses = self.store().number_uses(&paper.number).await.map_err(|e| self.told(e))?;
            let elsewhere: Vec<String> = uses
                .into_iter()
                .filter(|u| u.source_kind == "Patient" && Some(u.patient.as_str()) != this)
                .map(|u| u.patient)
                .collect();
            if elsewhere.is_empty() {
                kept.push(paper);
                continue;
            }
            match shared {
                None => return Err(Error::field("cnic-used", "papers")),
                Some(SharedCnic::ThisPatient) => {
                    others.extend(elsewhere);
                    kept.push(paper);
                }
                Some(SharedCnic::Unsure) => {
                    paper.assurance = rabta_domain::paper::Assurance::Stated;
                    others.extend(elsewhere);
                    kept.push(paper);
                }
                Some(SharedCnic::FamilyHead) => head_of_family(form, paper),
            }
        }
        form.papers = kept;
        Ok(others)
    }

    pub(crate) fn audit(&self, action: &str, entity: &str, patient: Option<&str>) -> AuditEntry {
        AuditEntry {
            at: self.millis(),
            person: self.person_id,
            action: action.to_owned(),
            entity: entity.to_owned(),
            patient: patient.map(str::to_owned),
        }
    }
}

/// Moves a family head's number to where it belongs: to the guardian, named by the relation where nobody else is.
fn head_of_family(form: &mut Registration, paper: Paper) {
    let relation = form.relation.clone();
    let guardian = form.guardian.get_or_insert_with(|| match relation {
        Some(relation) => Guardian { name: relation.name, relation: relation.code, cnic: None, phone: None },
        None => Guardian { name: String::new().into(), relation: "GUARD".into(), cnic: None, phone: None },
    });
    guardian.cnic = Some(paper.number);
}

/// What agrees between a form and a patient that is here: `paper`, `phone`, `name`, `relation`, `village`, `age`.
fn agreements(
    form: &Registration,
    patient: &Resource,
    relatives: &[Resource],
    today: time::Date,
) -> Vec<String> {
    let Some(read) = crate::cards::parsed(patient) else { return vec![] };
    let Ok(record) = fhir::patient::read(&read, &all_parsed(relatives)) else { return vec![] };
    let theirs = record.form;
    let mut because = Vec::new();
    let mut agree = |what: &str, yes: bool| {
        if yes {
            because.push(what.to_owned());
        }
    };
    agree("paper", form.papers.iter().any(|p| theirs.papers.iter().any(|q| p.number == q.number)));
    agree(
        "phone",
        form.phones
            .iter()
            .any(|p| theirs.phones.iter().any(|q| !p.number.is_empty() && p.number == q.number)),
    );
    agree(
        "name",
        sounds(&form.name, &theirs.name)
            || theirs.name_other_script.as_ref().is_some_and(|name| sounds(&form.name, name)),
    );
    agree(
        "relation",
        matches!((&form.relation, &theirs.relation), (Some(a), Some(b)) if sounds(&a.name, &b.name)),
    );
    let place = |p: &rabta_domain::patient::Place| (p.id.clone(), p.text.to_lowercase());
    agree(
        "village",
        !form.place.text.is_empty() && {
            let ((a, at), (b, bt)) = (place(&form.place), place(&theirs.place));
            (a.is_some() && a == b) || at == bt
        },
    );
    agree(
        "age",
        matches!((&form.age, &theirs.age), (Some(a), Some(b)) if {
            let (a, b) = (a.born().months_on(today), b.born().months_on(today));
            // Ages are said roughly: two years either way.
            a.0 <= b.1 + 24 && b.0 <= a.1 + 24
        }),
    );
    because
}

/// Whether two names sound alike: every word of the shorter one sounds like a word of the longer.
fn sounds(a: &str, b: &str) -> bool {
    let words = |name: &str| -> Vec<String> {
        name.to_lowercase().split_whitespace().map(rabta_search::skeleton).filter(|s| !s.is_empty()).collect()
    };
    let (a, b) = (words(a), words(b));
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    !short.is_empty() && short.iter().all(|word| long.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_sound_alike_agree_in_any_spelling_and_order() {
        assert!(sounds("Muhammad Akram", "mohammad akram"));
        assert!(sounds("Akram", "Muhammad Akram"));
        assert!(!sounds("Muhammad Akram", "Muhammad Aslam"));
        assert!(!sounds("", "Akram"));
    }
}
