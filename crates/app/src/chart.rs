//! A patient's chart, read from whatever resources are here: ours, and history from elsewhere.

use rabta_domain::{
    Private,
    fhir::{self, Json, urls},
};
use rabta_ipc::{
    Error,
    patient::{Chart, ChartLine, VisitRow, VitalTrend},
};
use rabta_store::{RecordStore, Resource};

use crate::{
    Session,
    cards::{all_parsed, parsed},
};

/// Most rows of a kind that a chart shows.
const ROWS: usize = 60;

pub(crate) async fn chart(session: &Session, patient: &str) -> Result<Chart, Error> {
    let store = session.store();
    let told = |e| session.told(e);
    session.may_see(patient).await?;
    let found =
        store.resource("Patient", patient).await.map_err(told)?.ok_or_else(|| Error::new("not-found"))?;
    let of = async |kind: &str| store.of_patient(patient, kind, None, ROWS).await.map_err(told);
    let relatives = of("RelatedPerson").await?;
    let read = parsed(&found).ok_or_else(|| Error::new("unexpected"))?;
    let (read, related) = session.as_it_stands(read, all_parsed(&relatives)).await?;
    let record = fhir::patient::read(&read, &related).map_err(|_| Error::new("unexpected"))?;
    let differs = match session.details(patient).await? {
        Some(details) => session.differs(&details).await?,
        None => Vec::new(),
    };

    let conditions = of("Condition").await?;
    let observations = store.of_patient(patient, "Observation", None, 200).await.map_err(told)?;
    let mut visits = Vec::new();
    for encounter in of("Encounter").await? {
        visits.extend(visit_row(session, &encounter, &conditions).await?);
    }
    visits.sort_by(|a, b| b.day.cmp(&a.day));
    let draft = store.drafts_of(patient).await.map_err(told)?.into_iter();
    let draft = draft.filter(|d| d.kind == "visit").find(|d| session.is_ours(d));
    Ok(Chart {
        card: session.card_of(&found, &relatives).await?,
        registration: record.form,
        visits,
        problems: lines(&conditions, problem),
        medicines: lines(&of("MedicationRequest").await?, medicine),
        allergies: lines(&of("AllergyIntolerance").await?, allergy),
        vitals: trends(&observations),
        immunizations: lines(&of("Immunization").await?, immunization),
        asks: session.asks_of_patient(patient).await?,
        draft: draft.map(|d| d.id),
        hie_seen_at: session.sync.last_contact(),
        emergency: session.emergency(patient).await?,
        differs,
    })
}

async fn visit_row(
    session: &Session,
    encounter: &Resource,
    conditions: &[Resource],
) -> Result<Option<VisitRow>, Error> {
    let Some(json) = view(encounter) else { return Ok(None) };
    // A consultation is shown with its ask, not as a visit.
    if json.str("class.code") == "VR" {
        return Ok(None);
    }
    let custody = session.custody_of("Encounter", &encounter.id).await?;
    let here = format!("Encounter/{}", encounter.id);
    let diagnoses = conditions
        .iter()
        .filter_map(view)
        .filter(|c| c.str("encounter.reference") == here)
        .map(|c| Private(words(c.at("code"))))
        .collect();
    let by = json.items("participant").iter().map(|p| p.str("individual.display")).find(|s| !s.is_empty());
    Ok(Some(VisitRow {
        id: encounter.id.clone(),
        day: day(&json, "period.start"),
        facility: json.str("serviceProvider.display").to_owned(),
        by: by.unwrap_or_default().to_owned(),
        reason: Private(words(json.at("reasonCode"))),
        diagnoses,
        custody,
        ours: encounter.envelope.is_some(),
        here: json.str("serviceProvider.reference").strip_prefix("Organization/")
            == Some(session.facility().id.as_str()),
        days: fhir::dates::parse_date(&day(&json, "period.start"))
            .and_then(|on| u32::try_from((session.stamp().today - on).whole_days()).ok())
            .unwrap_or(0),
    }))
}

pub(crate) fn view(resource: &Resource) -> Option<Json> {
    parsed(resource)?.view().ok()
}

fn lines(resources: &[Resource], line: fn(&Json) -> Option<ChartLine>) -> Vec<ChartLine> {
    let mut all: Vec<ChartLine> = resources.iter().filter_map(view).filter_map(|json| line(&json)).collect();
    all.sort_by(|a, b| b.day.cmp(&a.day));
    all
}

/// A CodeableConcept (or the first of several) in words: its text, else its first display, else its first code.
fn words(concept: &Json) -> String {
    let concept =
        if let Json::Array(several) = concept { several.first().unwrap_or(concept) } else { concept };
    let coding = concept.items("coding");
    let first = |key: &str| coding.iter().map(|c| c.str(key)).find(|s| !s.is_empty());
    let text = Some(concept.str("text")).filter(|s| !s.is_empty());
    text.or_else(|| first("display")).or_else(|| first("code")).unwrap_or_default().to_owned()
}

/// The day of an instant or a date: its first ten characters.
fn day(json: &Json, path: &str) -> String {
    json.str(path).chars().take(10).collect()
}

fn first_day(json: &Json, paths: &[&str]) -> String {
    paths.iter().map(|p| day(json, p)).find(|d| !d.is_empty()).unwrap_or_default()
}

fn line(concept: &Json, more: String, system: &str, day: String, json: &Json) -> ChartLine {
    let code = concept.code_of("coding", system);
    let source = ["recorder.display", "requester.display", "performer.display"];
    ChartLine {
        text: Private(words(concept)),
        more: Private(more),
        code: code.unwrap_or_default().to_owned(),
        day,
        source: source.iter().map(|p| json.str(p)).find(|s| !s.is_empty()).unwrap_or_default().to_owned(),
    }
}

fn problem(json: &Json) -> Option<ChartLine> {
    let status = json.str("clinicalStatus.coding.code").to_owned();
    let day = first_day(json, &["recordedDate", "onsetDateTime"]);
    Some(line(json.at("code"), status, urls::ICD10, day, json))
}

fn medicine(json: &Json) -> Option<ChartLine> {
    if matches!(json.str("status"), "entered-in-error" | "cancelled") || json.str("intent") == "proposal" {
        return None;
    }
    let dose = json.str("dosageInstruction.text").to_owned();
    Some(line(json.at("medicationCodeableConcept"), dose, urls::ATC, day(json, "authoredOn"), json))
}

fn allergy(json: &Json) -> Option<ChartLine> {
    if json.has_code("code", urls::SNOMED, "716186003") {
        return None;
    }
    let reaction = json.str("reaction.manifestation.text").to_owned();
    Some(line(json.at("code"), reaction, urls::ALLERGY_CLASS, day(json, "recordedDate"), json))
}

fn immunization(json: &Json) -> Option<ChartLine> {
    let dose = json.str("protocolApplied.doseNumberString").to_owned();
    let system = "http://hl7.org/fhir/sid/cvx";
    Some(line(json.at("vaccineCode"), dose, system, day(json, "occurrenceDateTime"), json))
}

/// LOINC codes of what is drawn over time.
const TRENDS: [(&str, &str); 6] = [
    ("weight", "29463-7"),
    ("pulse", "8867-4"),
    ("temperature", "8310-5"),
    ("spo2", "59408-5"),
    ("glucose", "41653-7"),
    ("hemoglobin", "718-7"),
];

fn trends(observations: &[Resource]) -> Vec<VitalTrend> {
    let seen: Vec<Json> = observations.iter().filter_map(view).collect();
    let mut all: Vec<VitalTrend> = TRENDS
        .iter()
        .filter_map(|(vital, loinc)| {
            let of_code = seen.iter().filter(|o| o.has_code("code", urls::LOINC, loinc));
            trend(vital, of_code.filter_map(|o| point(o, o.at("valueQuantity"))))
        })
        .collect();
    let pressure = seen.iter().filter(|o| o.has_code("code", urls::LOINC, "85354-9"));
    all.extend(trend(
        "systolic",
        pressure.filter_map(|o| {
            let systolic = o.items("component").iter().find(|c| c.has_code("code", urls::LOINC, "8480-6"))?;
            point(o, systolic.at("valueQuantity"))
        }),
    ));
    all
}

/// Day, value as entered, unit.
fn point(observation: &Json, quantity: &Json) -> Option<(String, String, String)> {
    let value = quantity.number("value")?.as_str().to_owned();
    let unit = quantity.opt("code").or_else(|| quantity.opt("unit"))?.to_owned();
    Some((first_day(observation, &["effectiveDateTime", "effectivePeriod.start"]), value, unit))
}

fn trend(vital: &str, points: impl Iterator<Item = (String, String, String)>) -> Option<VitalTrend> {
    let mut points: Vec<_> = points.collect();
    points.sort();
    // One curve has one unit: the newest value's.
    let unit = points.last()?.2.clone();
    let points: Vec<_> =
        points.into_iter().filter(|p| p.2 == unit).map(|(day, value, _)| (day, value)).collect();
    let skip = points.len().saturating_sub(12);
    Some(VitalTrend { vital: vital.to_owned(), unit, points: points.into_iter().skip(skip).collect() })
}
