//! A signed visit: a document Bundle, Composition first. Corrected only by a new version that replaces it.

use time::OffsetDateTime;

use super::{
    Builder, Bundle, BundleError, BundleType, Facility, Json, NewId, Resource, Signer, Slots, Stamp,
    clinical::{self, Clinical, Frame},
    dates,
    json::{arr, obj},
    parts::{
        coding, concept, facility, find_section, read_facility, read_signer, reference, referenced, section,
        section_text, signer,
    },
    urls,
};
use crate::{
    visit::{AllergyState, VisitForm},
    vitals::Months,
};

/// LOINC of our documents and sections.
pub(crate) mod loinc {
    pub const OUTPATIENT_NOTE: &str = "34108-1";
    pub const REASON_FOR_REFERRAL: &str = "42349-1";
    pub const COMPLAINT: &str = "10154-3";
    pub const HISTORY: &str = "10164-2";
    pub const FINDINGS: &str = "29545-1";
    pub const VITALS: &str = "8716-3";
    pub const RESULTS: &str = "30954-2";
    pub const PREGNANCY: &str = "10162-6";
    pub const PROBLEMS: &str = "11450-4";
    pub const ALLERGIES: &str = "48765-2";
    pub const MEDICINES: &str = "10160-0";
    pub const PROCEDURES: &str = "29554-3";
    pub const PLAN: &str = "18776-5";
    pub const INSTRUCTIONS: &str = "69730-0";
    pub const PHOTOS: &str = "72170-4";
}

/// Who sees whom, where and when.
pub struct VisitContext<'a> {
    /// Patient id.
    pub patient: &'a str,
    pub facility: &'a Facility,
    pub author: &'a Signer,
    /// When it is signed.
    pub stamp: Stamp,
    /// When the visit began.
    pub started: OffsetDateTime,
    /// Age on the day, where known.
    pub age: Option<Months>,
    /// The document that this one corrects.
    pub replaces: Option<&'a Bundle>,
}

/// The payload. `slots` is the draft's, and keeps the ids of what the visit is made of.
pub fn to_document(
    form: &VisitForm,
    context: &VisitContext<'_>,
    slots: &mut Slots,
    new_id: NewId<'_>,
) -> Result<Vec<u8>, BundleError> {
    let form = form.tidied();
    if let Some(before) = context.replaces {
        read_slots(before, slots)?;
    }
    let encounter = slots.id("encounter", new_id);
    let frame = Frame {
        patient: context.patient,
        encounter: &encounter,
        author: context.author,
        stamp: context.stamp,
        age: context.age.unwrap_or(Months::UNKNOWN),
    };
    let clinical = clinical::resources(&form, &frame, slots, new_id);
    let replaced = context.replaces.and_then(|b| b.first("Composition")).map(|c| {
        obj! { "code": "replaces", "targetReference": reference("Composition", c.id()) }
    });
    let composition = obj! {
        "resourceType": "Composition",
        "id": new_id(),
        "status": "final",
        "type": concept(urls::LOINC, loinc::OUTPATIENT_NOTE, "Outpatient Note"),
        "subject": reference("Patient", context.patient),
        "encounter": reference("Encounter", &encounter),
        "date": context.stamp.instant(),
        "author": arr![signer(context.author)],
        "title": "Visit",
        "custodian": facility(context.facility),
        "relatesTo": arr![replaced],
        "section": sections(&form, &clinical),
    };
    let mut bundle = Builder::new(BundleType::Document, new_id(), context.stamp.at);
    bundle.push(&composition);
    bundle.push(&encounter_resource(&form, context, &encounter, &clinical, true));
    clinical.all().for_each(|resource| bundle.push(resource));
    if let Some(before) = context.replaces {
        for resource in taken_back(before, &clinical)? {
            bundle.push_resource(&resource);
        }
    }
    Ok(bundle.into_bytes())
}

/// A visit as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitRecord {
    /// The Composition's id: this version's.
    pub id: String,
    /// The Encounter's id: the visit's, the same in every version.
    pub encounter: String,
    /// Patient id.
    pub patient: String,
    pub author: Signer,
    pub facility: Facility,
    pub started: Option<OffsetDateTime>,
    /// When it was signed, by the device's clock.
    pub signed: Option<OffsetDateTime>,
    /// The Composition that it replaces.
    pub replaces: Option<String>,
    pub form: VisitForm,
}

/// Reads the payload back.
pub fn from_document(payload: &[u8]) -> Result<VisitRecord, BundleError> {
    from_bundle(&Bundle::parse(payload)?)
}

/// Reads a Bundle that is already parsed.
pub fn from_bundle(bundle: &Bundle) -> Result<VisitRecord, BundleError> {
    let composition = bundle.view("Composition")?;
    let encounter = bundle.view("Encounter")?;
    let related = composition.items("relatesTo").iter().find(|r| r.str("code") == "replaces");
    Ok(VisitRecord {
        id: composition.str("id").to_owned(),
        encounter: encounter.str("id").to_owned(),
        patient: referenced(&composition, "subject", "Patient").unwrap_or_default().to_owned(),
        author: composition.items("author").first().map(read_signer).unwrap_or_default(),
        facility: read_facility(composition.get("custodian")),
        started: dates::parse_instant(encounter.str("period.start")),
        signed: dates::parse_instant(composition.str("date")),
        replaces: related.and_then(|r| referenced(r, "targetReference", "Composition")).map(str::to_owned),
        form: read_form(bundle, &composition, &encounter)?,
    })
}

/// The ids of a signed visit's parts, for its next version.
pub fn read_slots(bundle: &Bundle, slots: &mut Slots) -> Result<(), BundleError> {
    let mut form = VisitForm::default();
    for resource in &bundle.entries {
        if resource.resource_type() == "Encounter" {
            slots.insert("encounter".into(), resource.id());
        } else if let Some(slot) = clinical::read(&resource.view()?, &mut form) {
            slots.insert(slot, resource.id());
        }
    }
    Ok(())
}

// --- Shared with the referral note --------------------------------------------------------------------------

pub(crate) fn read_form(
    bundle: &Bundle,
    composition: &Json,
    encounter: &Json,
) -> Result<VisitForm, BundleError> {
    let mut form = VisitForm::default();
    for resource in &bundle.entries {
        clinical::read(&resource.view()?, &mut form);
    }
    let text = |code: &str| section_text(composition, code, 0);
    form.complaint = text(loinc::COMPLAINT).into();
    form.complaint_since = section_text(composition, loinc::COMPLAINT, 1);
    form.history = text(loinc::HISTORY).into();
    form.examination = text(loinc::FINDINGS).into();
    form.procedures = text(loinc::PROCEDURES).into();
    form.plan = text(loinc::PLAN).into();
    form.return_advice = text(loinc::INSTRUCTIONS).into();
    // Known, but nothing listed: the section says that the list is not available.
    let allergies = find_section(composition, loinc::ALLERGIES);
    if allergies.is_some_and(|s| s.has_code("emptyReason", urls::EMPTY_REASON, "unavailable")) {
        form.allergies.state = AllergyState::Known;
    }
    let participant = |code: &str, system: &str| {
        let all = encounter.items("participant").iter();
        let mut found = all.filter(|p| p.has_code("type", system, code));
        found.next().map(|p| p.str("type.text").to_owned()).unwrap_or_default()
    };
    form.informant = participant("INF", urls::V3_PARTICIPATION);
    form.present = participant("present", urls::PARTICIPATION);
    let disposition = encounter.code_of("hospitalization.dischargeDisposition", urls::DISPOSITION);
    form.disposition = disposition.unwrap_or_default().to_owned();
    form.follow_up = clinical::read_follow_up(encounter);
    Ok(form)
}

/// The clinic's Encounter, class AMB: in progress while the visit is a draft.
pub(crate) fn encounter_resource(
    form: &VisitForm,
    context: &VisitContext<'_>,
    id: &str,
    clinical: &Clinical,
    finished: bool,
) -> Json {
    let participant = |system: &str, code: &str, text: &str| {
        if text.is_empty() {
            return Json::Null;
        }
        obj! { "type": arr![obj! { "coding": arr![coding(system, code)], "text": text }] }
    };
    let diagnosis = |c: &Json| obj! { "condition": reference("Condition", c.str("id")) };
    let disposition = match form.disposition.as_str() {
        "" => Json::Null,
        code => obj! { "dischargeDisposition": concept(urls::DISPOSITION, code, "") },
    };
    let end = finished.then(|| context.stamp.at.max(context.started));
    obj! {
        "resourceType": "Encounter",
        "id": id,
        "extension": arr![clinical::follow_up(&form.follow_up)],
        "status": if finished { "finished" } else { "in-progress" },
        "class": coding(urls::V3_ACT_CODE, "AMB"),
        "subject": reference("Patient", context.patient),
        "participant": arr![
            obj! { "type": arr![concept(urls::V3_PARTICIPATION, "ATND", "")], "individual": signer(context.author) },
            participant(urls::V3_PARTICIPATION, "INF", &form.informant),
            participant(urls::PARTICIPATION, "present", &form.present),
        ],
        "period": obj! { "start": dates::instant(context.started), "end": end.map(dates::instant) },
        "reasonCode": arr![obj! { "text": &form.complaint }],
        "diagnosis": clinical.conditions.iter().map(diagnosis).collect::<Json>(),
        "hospitalization": disposition,
        "serviceProvider": facility(context.facility),
    }
}

pub(crate) fn sections(form: &VisitForm, clinical: &Clinical) -> Json {
    let entries = clinical::entries;
    let no_allergy = form.allergies.state == AllergyState::NoneKnown;
    let allergies = if no_allergy { "No known allergy" } else { "" };
    let silent = |s: Json| if s.get("emptyReason").is_nothing() { s } else { Json::Null };
    arr![
        section(
            loinc::COMPLAINT,
            "Chief complaint",
            &[&form.complaint, &form.complaint_since],
            vec![],
            "notasked"
        ),
        section(loinc::HISTORY, "History", &[&form.history], vec![], "notasked"),
        section(loinc::FINDINGS, "Findings", &[&form.examination], entries(&clinical.danger), "notasked"),
        section(loinc::VITALS, "Vital signs", &[], entries(&clinical.vitals), "notasked"),
        silent(section(loinc::RESULTS, "Tests", &[], entries(&clinical.tests), "notasked")),
        silent(section(loinc::PREGNANCY, "Pregnancy", &[], entries(&clinical.pregnancy), "notasked")),
        section(loinc::PROBLEMS, "Problems", &[], entries(&clinical.conditions), "unavailable"),
        section(
            loinc::ALLERGIES,
            "Allergies",
            &[allergies],
            entries(&clinical.allergies),
            clinical::allergy_empty_reason(&form.allergies),
        ),
        section(loinc::MEDICINES, "Medicines now taken", &[], entries(&clinical.current), "notasked"),
        silent(section(loinc::PROCEDURES, "Procedures", &[&form.procedures], vec![], "notasked")),
        section(loinc::PLAN, "Plan", &[&form.plan], entries(&clinical.medicines), "notasked"),
        silent(section(loinc::INSTRUCTIONS, "Return advice", &[&form.return_advice], vec![], "notasked")),
        silent(section(loinc::PHOTOS, "Photos", &[], entries(&clinical.photos), "notasked")),
    ]
}

/// What the old version said and the new one does not: the same resources, `entered-in-error`.
fn taken_back(before: &Bundle, clinical: &Clinical) -> Result<Vec<Resource>, BundleError> {
    let mut all = Vec::new();
    for old in &before.entries {
        let kept =
            clinical.all().any(|r| r.str("resourceType") == old.resource_type() && r.str("id") == old.id());
        if kept || clinical::is_wrong(&old.view()?) {
            continue;
        }
        let mut gone = old.clone();
        match old.resource_type() {
            "Observation" | "MedicationRequest" | "MedicationStatement" | "Media" => {
                gone.set("status", "entered-in-error")?;
            }
            "Condition" | "AllergyIntolerance" => {
                let system = if old.resource_type() == "Condition" {
                    urls::CONDITION_VERIFICATION
                } else {
                    urls::ALLERGY_VERIFICATION
                };
                gone.set("verificationStatus", concept(system, "entered-in-error", ""))?;
                // con-5 and ait-2: what was an error has no clinical status.
                gone.remove("clinicalStatus")?;
            }
            _ => continue,
        }
        all.push(gone);
    }
    Ok(all)
}
