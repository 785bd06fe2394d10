//! The signed referral note of a visit (LOINC 57133-1), with its ServiceRequest and first Task. The visit may
//! still be a draft; its resources have the same ids here and there.

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};

use super::{
    Builder, Bundle, BundleError, BundleType, Facility, Json, NewId, Resource, Signer, Slots,
    card::{self, Known},
    clinical::{self, Frame},
    dates,
    json::{arr, obj},
    parts::{
        concept, ext, facility, read_facility, read_signer, reference, referenced, section, section_text,
        signer,
    },
    patient,
    task::{self, NewTask, TaskView},
    urls,
    visit::{self, VisitContext, loinc},
};
use crate::{
    Private,
    ask::{AskForm, Urgency},
    patient::PatientCard,
    visit::VisitForm,
    vitals::{Measured, Months, Tested, Verdict, Vital},
};

/// What a note needs besides the visit.
pub struct NoteContext<'a> {
    pub visit: VisitContext<'a>,
    /// The Patient and its RelatedPersons as we have them: a copy of what tells who it is travels in the note,
    /// without papers and phones.
    pub patient: &'a Resource,
    pub related: &'a [Resource],
    /// The Consent that lets it be read.
    pub consent: &'a str,
    /// Whom it goes to.
    pub owner: Option<task::Owner<'a>>,
    /// The visit is signed: its Encounter is finished.
    pub visit_signed: bool,
}

/// The ids that a note made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteIds {
    /// Composition.
    pub note: String,
    pub service_request: String,
    pub task: String,
}

/// The payload, and the ids of what it holds.
pub fn to_document(
    form: &VisitForm,
    ask: &AskForm,
    context: &NoteContext<'_>,
    slots: &mut Slots,
    new_id: NewId<'_>,
) -> Result<(Vec<u8>, NoteIds), BundleError> {
    let form = form.tidied();
    let ask = AskForm { question: super::clean(&ask.question).into(), ..ask.clone() };
    let visit = &context.visit;
    let encounter = slots.id("encounter", new_id);
    let frame = Frame {
        patient: visit.patient,
        encounter: &encounter,
        author: visit.author,
        stamp: visit.stamp,
        age: visit.age.unwrap_or(Months::UNKNOWN),
    };
    let clinical = clinical::resources(&form, &frame, slots, new_id);
    let ids = NoteIds { note: new_id(), service_request: new_id(), task: new_id() };
    let new = NewTask {
        id: &ids.task,
        service_request: &ids.service_request,
        note: &ids.note,
        patient: visit.patient,
        encounter: &encounter,
        facility: visit.facility,
        author: visit.author,
        owner: context.owner,
        stamp: visit.stamp,
    };
    let record = patient::read(context.patient, context.related)?;
    let mut sections = vec![section(
        loinc::REASON_FOR_REFERRAL,
        "Reason for referral",
        &[&ask.question],
        vec![reference("ServiceRequest", &ids.service_request)],
        "unavailable",
    )];
    if let Json::Array(of_visit) = visit::sections(&form, &clinical) {
        sections.extend(of_visit);
    }
    let composition = obj! {
        "resourceType": "Composition",
        "id": &ids.note,
        "contained": arr![patient_as_sent(&record)],
        "extension": arr![
            ext(urls::PATIENT_AS_SENT, "valueReference", obj! { "reference": "#patient" }),
            ext(urls::CONSENT, "valueReference", reference("Consent", context.consent)),
        ],
        "status": "final",
        "type": concept(urls::LOINC, "57133-1", "Referral note"),
        "subject": reference("Patient", visit.patient),
        "encounter": reference("Encounter", &encounter),
        "date": visit.stamp.instant(),
        "author": arr![signer(visit.author)],
        "title": "Referral note",
        "custodian": facility(visit.facility),
        "section": sections,
    };
    let mut bundle = Builder::new(BundleType::Document, new_id(), visit.stamp.at);
    bundle.push(&composition);
    let reasons = clinical::entries(&clinical.conditions);
    bundle.push(&task::service_request(&ask, &new, reasons));
    bundle.push(&task::first(&ask, &new));
    bundle.push(&visit::encounter_resource(&form, visit, &encounter, &clinical, context.visit_signed));
    clinical.all().for_each(|resource| bundle.push(resource));
    Ok((bundle.into_bytes(), ids))
}

/// Who it is, as the reader must know them: no CNIC, no phone, no street.
fn patient_as_sent(record: &patient::Record) -> Json {
    let form = &record.form;
    let mr = record.mr.as_ref().map(|mr| obj! { "system": crate::mr::SYSTEM, "value": mr });
    let contact = form.relation.as_ref().map(|r| {
        obj! {
            "relationship": arr![concept(urls::V3_ROLE_CODE, &r.code, "")],
            "name": obj! { "text": &r.name },
        }
    });
    let sent = patient::elements(form, None);
    let part = |key: &str| sent.iter().find(|(k, _)| *k == key).map(|(_, v)| v.clone()).unwrap_or(Json::Null);
    obj! {
        "resourceType": "Patient",
        "id": "patient",
        "extension": part("extension"),
        "identifier": arr![mr],
        "name": part("name"),
        "gender": part("gender"),
        "birthDate": part("birthDate"),
        "address": arr![obj! { "city": &form.place.text }],
        "contact": arr![contact],
    }
}

/// A value and what it means at this age.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged<T> {
    pub value: T,
    pub verdict: Verdict,
}

/// A referral note as a page: the question on top, what is abnormal first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralNote {
    /// Composition id.
    pub id: String,
    pub encounter: String,
    pub question: Private<String>,
    pub urgency: Urgency,
    pub specialty: String,
    pub wishes: Vec<String>,
    /// Who it is, as sent.
    pub patient: PatientCard,
    pub author: Signer,
    pub facility: Facility,
    pub sent: Option<OffsetDateTime>,
    /// The Consent's id.
    pub consent: String,
    /// Critical first, then abnormal, then the rest in the form's order.
    pub vitals: Vec<Judged<Measured>>,
    pub tests: Vec<Judged<Tested>>,
    /// Everything else that the visit says.
    pub visit: VisitForm,
    /// The Task as it was sent.
    pub task: Option<TaskView>,
}

/// Reads the payload. `today` is for the patient's age.
pub fn view(payload: &[u8], today: Date) -> Result<ReferralNote, BundleError> {
    let bundle = Bundle::parse(payload)?;
    let composition = bundle.view("Composition")?;
    let encounter = bundle.view("Encounter")?;
    let request = bundle.view("ServiceRequest")?;
    let visit = visit::read_form(&bundle, &composition, &encounter)?;
    let sent = composition.items("contained").iter().find(|r| r.str("resourceType") == "Patient");
    let sent = sent.ok_or(BundleError::Missing("patient as sent"))?;
    let allergies: Vec<Resource> = bundle.of("AllergyIntolerance").cloned().collect();
    let observations: Vec<Resource> = bundle.of("Observation").cloned().collect();
    let known = Known { allergies: &allergies, observations: &observations, ..Known::default() };
    let mut card = card::patient_card(&Resource::from_json(sent)?, &known, today)?;
    card.id = referenced(&composition, "subject", "Patient").unwrap_or_default().to_owned();
    card.relation = sent.items("contact").first().map(|c| crate::patient::Relation {
        code: c.code_of("relationship", urls::V3_ROLE_CODE).unwrap_or_default().to_owned(),
        name: c.str("name.text").into(),
    });
    let age = card.age.map_or(Months::UNKNOWN, |a| Months { low: a.months_low, high: a.months_high });
    let task = bundle.first("Task").and_then(|t| task::view(t).ok());
    let consent = composition.extension(urls::CONSENT);
    Ok(ReferralNote {
        id: composition.str("id").to_owned(),
        encounter: encounter.str("id").to_owned(),
        question: section_text(&composition, loinc::REASON_FOR_REFERRAL, 0).into(),
        urgency: Urgency::from_fhir(request.str("priority")),
        specialty: request.code_of("performerType", urls::SPECIALTY).unwrap_or_default().to_owned(),
        wishes: task.as_ref().map(|t| t.wishes.clone()).unwrap_or_default(),
        patient: card,
        author: composition.items("author").first().map(read_signer).unwrap_or_default(),
        facility: read_facility(composition.get("custodian")),
        sent: dates::parse_instant(composition.str("date")),
        consent: consent
            .and_then(|c| referenced(c, "valueReference", "Consent"))
            .unwrap_or_default()
            .to_owned(),
        vitals: gravest_first(pressures_together(&visit.vitals, age)),
        tests: gravest_first(visit.tests.iter().map(|t| (t.clone(), t.judge(age)))),
        visit,
        task,
    })
}

/// The two numbers of a blood pressure stand together, in the grade of the graver one.
fn pressures_together(vitals: &[Measured], age: Months) -> impl Iterator<Item = (Measured, Verdict)> {
    let pressure = |m: &&Measured| matches!(m.vital, Vital::Systolic | Vital::Diastolic);
    let worst = vitals.iter().filter(pressure).map(|m| m.judge(age)).min_by_key(|v| grade(*v));
    vitals.iter().map(move |m| {
        let own = m.judge(age);
        (m.clone(), if pressure(&m) { worst.unwrap_or(own) } else { own })
    })
}

/// Stable: within one grade the form's order stays. A confirmed slip counts as critical already.
fn gravest_first<T>(all: impl Iterator<Item = (T, Verdict)>) -> Vec<Judged<T>> {
    let mut all: Vec<_> = all.map(|(value, verdict)| Judged { value, verdict }).collect();
    all.sort_by_key(|j| grade(j.verdict));
    all
}

fn grade(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Critical | Verdict::Impossible => 0,
        Verdict::Unlikely | Verdict::Abnormal | Verdict::NotANumber => 1,
        Verdict::Usual => 2,
    }
}
