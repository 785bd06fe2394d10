//! Patient cards: what lists and the band say of a patient, read from the record.

use rabta_domain::{
    fhir,
    patient::{Allergies, Custody, PatientCard},
};
use rabta_ipc::Error;
use rabta_store::{EntryState, RecordStore, Resource};

use crate::Session;

/// A stored resource, read as FHIR. One that cannot be read any more is skipped by lists and reported by its id.
pub(crate) fn parsed(resource: &Resource) -> Option<fhir::Resource> {
    let read = fhir::Resource::parse(&resource.body);
    if read.is_err() {
        tracing::warn!(kind = resource.kind, id = resource.id, "a stored resource cannot be read");
    }
    read.ok()
}

pub(crate) fn all_parsed(resources: &[Resource]) -> Vec<fhir::Resource> {
    resources.iter().filter_map(parsed).collect()
}

pub(crate) fn custody(state: Option<&EntryState>) -> Custody {
    match state {
        Some(EntryState::Here) => Custody::Here,
        Some(EntryState::Quarantined { .. }) => Custody::NeedsYou,
        Some(EntryState::SeenTo { .. }) => Custody::Here,
        // What came from the HIE is there.
        Some(EntryState::AtHie(_) | EntryState::Superseded { .. }) | None => Custody::AtHie,
    }
}

impl Session {
    /// Where the current version of a resource is.
    pub(crate) async fn custody_of(&self, kind: &str, id: &str) -> Result<Custody, Error> {
        let store = self.store();
        let state = store.custody_of(kind, id).await.map_err(|e| self.told(e))?;
        if state == Some(EntryState::Here)
            && let Some(envelope) = self.brought_by(kind, id).await?
            && store.log_entry(envelope).await.map_err(|e| self.told(e))?.is_none()
        {
            return Ok(Custody::Clinic);
        }
        Ok(custody(state.as_ref()))
    }

    /// The card of a patient that is here; `not-found` else.
    pub(crate) async fn card(&self, patient: &str) -> Result<PatientCard, Error> {
        let found = self.store().resource("Patient", patient).await.map_err(|e| self.told(e))?;
        let found = found.ok_or_else(|| Error::new("not-found"))?;
        let relatives =
            self.store().of_patient(patient, "RelatedPerson", None, 20).await.map_err(|e| self.told(e))?;
        self.card_of(&found, &relatives).await
    }

    pub(crate) async fn card_of(
        &self,
        patient: &Resource,
        relatives: &[Resource],
    ) -> Result<PatientCard, Error> {
        let store = self.store();
        let id = patient.id.as_str();
        let of =
            async |kind: &str, limit| store.of_patient(id, kind, None, limit).await.map_err(|e| self.told(e));
        let allergies = of("AllergyIntolerance", 50).await?;
        let observations = of("Observation", 60).await?;
        let last_visit = of("Encounter", 8).await?.iter().find_map(visit_day);
        let custody = self.custody_of("Patient", id).await?;
        let Some(read) = parsed(patient) else { return Ok(unreadable(id)) };
        let (read, related) = self.as_it_stands(read, all_parsed(relatives)).await?;
        let known = fhir::Known {
            related: &related,
            allergies: &all_parsed(&allergies),
            observations: &all_parsed(&observations),
            last_visit,
            custody,
        };
        let card = fhir::patient_card(&read, &known, self.stamp().today);
        Ok(card.unwrap_or_else(|_| unreadable(id)))
    }
}

/// The day of a visit; of a consultation none.
fn visit_day(encounter: &Resource) -> Option<time::Date> {
    let json = parsed(encounter)?.view().ok()?;
    let day = json.str("period.start").get(..10)?;
    if json.str("class.code") == "VR" { None } else { fhir::dates::parse_date(day) }
}

/// A patient whose resource cannot be read is still listed: it must not vanish.
fn unreadable(id: &str) -> PatientCard {
    PatientCard {
        id: id.to_owned(),
        name: "?".into(),
        name_ur: None,
        prefix: None,
        relation: None,
        sex: rabta_domain::patient::Sex::Unknown,
        age: None,
        mr: None,
        village: String::new().into(),
        phone_tail: None,
        allergies: Allergies::NotAsked,
        pregnant_weeks: None,
        last_visit: None,
        custody: Custody::NeedsYou,
    }
}
