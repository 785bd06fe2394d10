//! The facts that tell two namesakes apart, and the patient band's: from resources of any origin.

use time::Date;

use super::{
    Json, Resource, ResourceError, clinical, dates,
    patient::{self, script},
};
use crate::{
    Private, mr,
    patient::{AgeShown, Allergies, Custody, PatientCard},
    pregnancy,
    vitals::Vital,
};

/// What is known about a patient besides the Patient resource.
#[derive(Default)]
pub struct Known<'a> {
    pub related: &'a [Resource],
    pub allergies: &'a [Resource],
    /// Those on pregnancy are used: 82810-3, 8665-2, 18185-9.
    pub observations: &'a [Resource],
    /// The day of the last visit.
    pub last_visit: Option<Date>,
    pub custody: Custody,
}

/// The card, as of `today`.
pub fn patient_card(
    patient: &Resource,
    known: &Known<'_>,
    today: Date,
) -> Result<PatientCard, ResourceError> {
    let json = patient.view()?;
    let record = patient::read(patient, known.related)?;
    let observations = known.observations.iter().map(Resource::view).collect::<Result<Vec<_>, _>>()?;
    let allergies = known.allergies.iter().map(Resource::view).collect::<Result<Vec<_>, _>>()?;
    let form = record.form;
    let names = [Some(&form.name), form.name_other_script.as_ref()];
    let in_script = |wanted: &str| names.into_iter().flatten().find(|n| script(n) == wanted).cloned();
    let tail = form.phones.first().map(|p| {
        let digits: Vec<char> = p.number.chars().filter(char::is_ascii_digit).collect();
        Private(digits[digits.len().saturating_sub(4)..].iter().collect::<String>())
    });
    let mr = json.items("identifier").iter().find(|i| i.str("system") == mr::SYSTEM);
    Ok(PatientCard {
        id: patient.id().to_owned(),
        name: in_script("en").unwrap_or_else(|| form.name.clone()),
        name_ur: in_script("ur"),
        prefix: form.prefix.clone(),
        relation: form.relation.clone(),
        sex: form.sex,
        age: patient::born(&json).map(|born| {
            let (months_low, months_high) = born.months_on(today);
            AgeShown { months_low, months_high, approximate: !born.is_exact() }
        }),
        mr: mr.and_then(|i| i.opt("value")).map(Private::from),
        village: form.place.text.clone(),
        phone_tail: tail.filter(|t| !t.is_empty()),
        allergies: allergies_of(&allergies),
        pregnant_weeks: pregnant_weeks(&observations, today),
        last_visit: known.last_visit,
        custody: known.custody,
    })
}

/// What the AllergyIntolerances together say. One that was taken back, refuted or has passed says nothing.
pub(crate) fn allergies_of(resources: &[Json]) -> Allergies {
    let over = |r: &Json| {
        let status = r.code_of("clinicalStatus", super::urls::ALLERGY_CLINICAL);
        clinical::is_wrong(r) || matches!(status, Some("inactive" | "resolved"))
    };
    let mut none_known = false;
    let mut known: Vec<Private<String>> = Vec::new();
    for resource in resources.iter().filter(|r| !over(r)) {
        if resource.has_code("code", super::urls::SNOMED, "716186003") {
            none_known = true;
            continue;
        }
        let substance = clinical::read_allergy(resource).substance;
        if !known.contains(&substance) {
            known.push(substance);
        }
    }
    match (known.is_empty(), none_known) {
        (false, _) => Allergies::Known(known),
        (true, true) => Allergies::NoneKnown,
        (true, false) => Allergies::NotAsked,
    }
}

/// Completed weeks, where the newest answer is "pregnant" and the child cannot have been born yet; 0 where the
/// weeks are not known.
fn pregnant_weeks(observations: &[Json], today: Date) -> Option<u8> {
    let newest = |loinc: &str| {
        observations
            .iter()
            .filter(|o| !clinical::is_wrong(o) && o.has_code("code", super::urls::LOINC, loinc))
            .filter_map(|o| Some((o, dates::parse_date(o.str("effectiveDateTime"))?)))
            .filter(|(_, day)| *day <= today)
            .max_by_key(|(_, day)| *day)
    };
    let (status, said_on) = newest("82810-3")?;
    if !status.has_code("valueCodeableConcept", super::urls::LOINC, "LA15173-0") {
        return None;
    }
    // A date of an earlier pregnancy does not count for this one.
    let recent = |day: Date| (said_on - day).whole_weeks() < i64::from(pregnancy::LONGEST_WEEKS);
    let from_lmp = newest("8665-2").filter(|(_, day)| recent(*day)).and_then(|(o, _)| {
        let lmp = dates::parse_date(o.str("valueDateTime"))?;
        Some(pregnancy::weeks(lmp, today))
    });
    let from_weeks = newest("18185-9").filter(|(_, day)| recent(*day)).and_then(|(o, day)| {
        let then = u8::try_from(o.int("valueQuantity.value")?).ok()?;
        Some(pregnancy::weeks_later(then, day, today))
    });
    match from_lmp.or(from_weeks) {
        Some(weeks) => weeks,
        None => ((today - said_on).whole_weeks() < i64::from(pregnancy::LONGEST_WEEKS)).then_some(0),
    }
}

/// The newest weight with its unit (`16.5 kg`) and the day it was taken, for the print and doses.
pub fn last_weight(observations: &[Resource]) -> Option<(String, Date)> {
    let views = observations.iter().filter_map(|o| o.view().ok());
    let weights = views.filter(|o| !clinical::is_wrong(o)).filter_map(|o| {
        let measured = clinical::read_measured(&o, &o).filter(|m| m.vital == Vital::Weight)?;
        Some((
            format!("{} {}", measured.value, measured.unit),
            dates::parse_date(o.str("effectiveDateTime"))?,
        ))
    });
    weights.max_by_key(|(_, day)| *day)
}
