//! A patient's details where several people wrote them without knowing of each other: what is shown, and deciding.

use std::collections::BTreeSet;

use rabta_domain::{
    fhir::{self, Bundle, patient::Ids},
    patient::{AgeShown, PatientCard, Registration},
    standing::Field,
};
use rabta_ipc::{
    Error,
    patient::{DecideDetails, Differs, Said},
};
use rabta_store::{Details, RecordStore, SqliteStore, StoreError};
use rabta_wire::{Id, envelope::Envelope};

use crate::{Session, routes::routes, session::new_id};

routes!(Session {
    DecideDetails => decide_details,
});

/// Patients of this facility of whom two values of one detail stand. Another facility's are for that one to decide.
pub(crate) async fn undecided(store: &SqliteStore, facility: Id) -> Result<Vec<String>, StoreError> {
    let mut ours = Vec::new();
    for patient in store.undecided().await? {
        if let Some(details) = store.details(&patient).await?
            && is_ours(store, &details, facility).await?
        {
            ours.push(patient);
        }
    }
    Ok(ours)
}

async fn is_ours(store: &SqliteStore, details: &Details, facility: Id) -> Result<bool, StoreError> {
    let Some(head) = details.heads.first() else { return Ok(false) };
    let bytes = match store.log_entry(*head).await? {
        Some(entry) => Some(entry.bytes),
        None => store.received(*head).await?.map(|received| received.bytes),
    };
    let header =
        bytes.and_then(|bytes| Envelope::from_bytes(&bytes).and_then(|envelope| envelope.header()).ok());
    Ok(header.is_some_and(|header| header.facility == facility))
}

impl Session {
    pub(crate) async fn undecided(&self) -> Result<Vec<String>, Error> {
        undecided(self.store(), self.facility_id()).await.map_err(|e| self.told(e))
    }

    async fn may_decide(&self, details: &Details) -> Result<bool, Error> {
        is_ours(self.store(), details, self.facility_id()).await.map_err(|e| self.told(e))
    }

    pub(crate) async fn details(&self, patient: &str) -> Result<Option<Details>, Error> {
        self.store().details(patient).await.map_err(|e| self.told(e))
    }

    /// A Patient and its RelatedPersons with everything that stands, where the version that is shown has only a part of it.
    pub(crate) async fn as_it_stands(
        &self,
        patient: fhir::Resource,
        related: Vec<fhir::Resource>,
    ) -> Result<(fhir::Resource, Vec<fhir::Resource>), Error> {
        let Some(details) = self.details(patient.id()).await? else { return Ok((patient, related)) };
        let Ok(record) = fhir::patient::read(&patient, &related) else { return Ok((patient, related)) };
        let form = details.merged(&record.form);
        if form == record.form {
            return Ok((patient, related));
        }
        let facility = self.facility();
        let mr = record.mr.as_ref().map(|mr| mr.as_str());
        let ids =
            Ids { id: patient.id(), mr, facility: &facility, existing: Some(&patient), related: &related };
        let payload = fhir::patient::to_bundle(&form, &ids, self.stamp(), &mut new_id);
        let bundle = Bundle::parse(&payload.map_err(crate::error::bundle)?).map_err(crate::error::bundle)?;
        let related = bundle.of("RelatedPerson").cloned().collect();
        Ok((bundle.first("Patient").cloned().unwrap_or(patient), related))
    }

    /// Which of the fields, of which several values stand, an amendment leaves as they are: of those it decides nothing.
    pub(crate) fn left_open(
        details: Option<&Details>,
        shown: &Registration,
        form: &Registration,
    ) -> Vec<String> {
        let open = details.into_iter().flat_map(|details| &details.open);
        open.filter(|(field, _)| field.same(shown, form)).map(|(field, _)| field.code().to_owned()).collect()
    }

    /// What stands beside each other, for a person to decide.
    pub(crate) async fn differs(&self, details: &Details) -> Result<Vec<Differs>, Error> {
        let mut all = Vec::with_capacity(details.open.len());
        let ours = !details.open.is_empty() && self.may_decide(details).await?;
        for (field, versions) in &details.open {
            let mut values = Vec::with_capacity(versions.len());
            for version in versions {
                if let Some(form) = details.form(*version) {
                    values.push(self.said(*field, *version, form).await?);
                }
            }
            values.sort_by_key(|said| (said.at, said.version.clone()));
            all.push(Differs { field: field.code().to_owned(), values, ours });
        }
        Ok(all)
    }

    async fn said(&self, field: Field, version: Id, form: &Registration) -> Result<Said, Error> {
        let (header, payload) = self.payload(version).await?;
        let signed = self.signed_by(&header, &payload, None).await?;
        let facility = self.facility();
        let ours = header.facility == self.facility_id();
        Ok(Said {
            version: version.to_string(),
            text: text(field, form).into(),
            relation: form.relation.clone().filter(|_| field == Field::Relation),
            sex: form.sex,
            age: form.age.as_ref().filter(|_| field == Field::Age).map(|age| {
                let born = age.born();
                let (months_low, months_high) = born.months_on(self.stamp().today);
                AgeShown { months_low, months_high, approximate: !born.is_exact() }
            }),
            by: signed.filter(|signed| signed.verified).map(|signed| signed.name).unwrap_or_default(),
            facility: if ours { facility.name } else { String::new() },
            here: header.device == self.enrollment.enrolled.device,
            at: header.device_time + header.clock_offset.unwrap_or(0),
        })
    }

    async fn decide_details(&self, decide: DecideDetails) -> Result<PatientCard, Error> {
        self.must_be_ours(&decide.id).await?;
        let details = self.details(&decide.id).await?.filter(|details| !details.open.is_empty());
        let details = details.ok_or_else(|| Error::new("stale"))?;
        if !self.may_decide(&details).await? {
            return Err(Error::new("not-allowed"));
        }
        let mut form = self.shown_details(&decide.id).await?.form;
        for (field, versions) in &details.open {
            let chosen = decide.choices.iter().find(|choice| choice.field == field.code());
            let chosen = chosen.ok_or_else(|| Error::field("invalid", field.code()))?;
            let version: Option<Id> = chosen.version.parse().ok().filter(|id| versions.contains(id));
            let said = version.and_then(|version| details.form(version));
            field.copy(said.ok_or_else(|| Error::field("stale", field.code()))?, &mut form);
        }
        let known: BTreeSet<&str> = details.open.iter().map(|(field, _)| field.code()).collect();
        if decide.choices.iter().any(|choice| !known.contains(choice.field.as_str())) {
            return Err(Error::new("stale"));
        }
        form.undecided = Vec::new();
        let form = self.checked(form)?;
        self.write_details(&decide.id, &form, details.heads).await
    }
}

/// What a form says of a field, as far as it needs no words of ours.
fn text(field: Field, form: &Registration) -> String {
    let joined =
        |parts: Vec<&str>| parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    match field {
        Field::Name => [form.prefix.as_deref().unwrap_or_default(), &form.name].join(" ").trim().to_owned(),
        Field::NameOther => form.name_other_script.as_ref().map(|name| name.0.clone()).unwrap_or_default(),
        Field::Phones => joined(form.phones.iter().map(|phone| phone.number.as_str()).collect()),
        Field::Place => joined(vec![&form.place.text, &form.place.landmark]),
        Field::Papers => joined(form.papers.iter().map(|paper| paper.number.as_str()).collect()),
        Field::Guardian => form.guardian.as_ref().map(|guardian| guardian.name.0.clone()).unwrap_or_default(),
        Field::Age => match form.age.as_ref().map(|age| &age.said) {
            Some(rabta_domain::age::Said::BirthDate { date }) => date.to_string(),
            Some(rabta_domain::age::Said::BirthYear { year }) => year.to_string(),
            _ => String::new(),
        },
        Field::Newborn => form.newborn_of.as_ref().map(|n| n.birth_order.to_string()).unwrap_or_default(),
        Field::Relation | Field::Sex => String::new(),
    }
}
