//! A specialist's signed advice: a consult note (LOINC 11488-4) with the consultation's Encounter, class VR, part
//! of the clinic's. Its medicines are proposals, and the treating doctor orders; where nobody there may prescribe, they
//! are the specialist's orders.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{
    Builder, Bundle, BundleError, BundleType, Facility, Json, NewId, Signer, Slots, Stamp,
    clinical::{self, Frame},
    dates, is_id,
    json::{arr, obj},
    medication,
    parts::{
        coding, concept, ext, ext_of, ext_str, facility, read_facility, read_signer, reference, referenced,
        section, section_text, signer,
    },
    urls,
    visit::loinc,
};
use crate::{
    advice::AdviceForm,
    visit::{VisitForm, tidied_line},
    vitals::Months,
};

/// One stretch of a consultation: how they spoke, from when to when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// video, voice, writing.
    pub modality: String,
    pub start: Option<OffsetDateTime>,
    pub end: Option<OffsetDateTime>,
}

/// What an advice belongs to.
pub struct AdviceContext<'a> {
    pub task: &'a str,
    pub service_request: &'a str,
    /// The clinic's Encounter.
    pub part_of: &'a str,
    pub patient: &'a str,
    /// The specialist's facility.
    pub facility: &'a Facility,
    pub author: &'a Signer,
    pub stamp: Stamp,
    pub started: OffsetDateTime,
    /// How it came about; empty: `form.modality` without times.
    pub stretches: &'a [Stretch],
    /// The Communications that informed it: they belong to what is signed.
    pub informed_by: &'a [String],
    /// The advice that this one corrects.
    pub replaces: Option<&'a str>,
    /// Nobody at the clinic who is with the patient may prescribe: the specialist issues the orders (CLINIC.md, "People
    /// and who may do what"). Otherwise they are proposals.
    pub orders: bool,
}

/// The payload. `slots` is kept with the ask: one consultation, one Encounter, whichever way it went.
pub fn to_document(
    form: &AdviceForm,
    context: &AdviceContext<'_>,
    slots: &mut Slots,
    new_id: NewId<'_>,
) -> Vec<u8> {
    let form = tidied(form);
    let encounter = slots.id("consultation", new_id);
    let frame = Frame {
        patient: context.patient,
        encounter: &encounter,
        author: context.author,
        stamp: context.stamp,
        age: Months::UNKNOWN,
    };
    let conditions: Vec<Json> = form
        .diagnoses
        .iter()
        .map(|d| clinical::condition(d, &frame, if is_id(&d.id) { d.id.clone() } else { new_id() }))
        .collect();
    let proposals: Vec<Json> = form
        .medicines
        .iter()
        .map(|m| {
            medication::request(
                m,
                if context.orders { "order" } else { "proposal" },
                &frame,
                if is_id(&m.id) { m.id.clone() } else { new_id() },
            )
        })
        .collect();
    let informed: Vec<Json> = context.informed_by.iter().map(|id| reference("Communication", id)).collect();
    let silent = |s: Json| if s.get("emptyReason").is_nothing() { s } else { Json::Null };
    let replaced = context.replaces.map(|id| {
        obj! {
            "code": "replaces", "targetReference": reference("Composition", id),
        }
    });
    let composition = obj! {
        "resourceType": "Composition",
        "id": new_id(),
        "extension": arr![
            ext(urls::ABOUT_TASK, "valueReference", reference("Task", context.task)),
            clinical::follow_up(&form.follow_up),
        ],
        "status": "final",
        "type": concept(urls::LOINC, "11488-4", "Consult note"),
        "subject": reference("Patient", context.patient),
        "encounter": reference("Encounter", &encounter),
        "date": context.stamp.instant(),
        "author": arr![signer(context.author)],
        "title": "Advice",
        "custodian": facility(context.facility),
        "relatesTo": arr![replaced],
        "section": arr![
            section(loinc::PROBLEMS, "Diagnosis", &[], clinical::entries(&conditions), "unavailable"),
            section(loinc::PLAN, "What to do", &[&form.plan], vec![], "unavailable"),
            silent(section(loinc::MEDICINES, "Proposed medicines", &[], clinical::entries(&proposals), "nilknown")),
            silent(section(loinc::INSTRUCTIONS, "Danger signs", &[&form.danger_signs], vec![], "unavailable")),
            silent(section("11516-2", "What informed it", &[], informed, "unavailable")),
        ],
    };
    let mut bundle = Builder::new(BundleType::Document, new_id(), context.stamp.at);
    bundle.push(&composition);
    bundle.push(&consultation(&form, context, &encounter, &conditions));
    conditions.iter().chain(&proposals).for_each(|r| bundle.push(r));
    bundle.into_bytes()
}

/// An advice as it was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdviceRecord {
    /// Composition id.
    pub id: String,
    pub encounter: String,
    /// The clinic's Encounter.
    pub part_of: String,
    pub task: String,
    pub patient: String,
    pub author: Signer,
    pub facility: Facility,
    pub signed: Option<OffsetDateTime>,
    pub stretches: Vec<Stretch>,
    pub replaces: Option<String>,
    /// The medicines are the specialist's own orders, not proposals.
    #[serde(default)]
    pub orders: bool,
    pub form: AdviceForm,
}

/// Reads the payload back.
pub fn from_document(payload: &[u8]) -> Result<AdviceRecord, BundleError> {
    let bundle = Bundle::parse(payload)?;
    let composition = bundle.view("Composition")?;
    let encounter = bundle.view("Encounter")?;
    let about = composition.extension(urls::ABOUT_TASK);
    let replaced = composition.items("relatesTo").iter().find(|r| r.str("code") == "replaces");
    let stretches: Vec<Stretch> = encounter
        .extensions(urls::MODALITY)
        .map(|e| Stretch {
            modality: ext_str(e, "modality").unwrap_or_default().to_owned(),
            start: ext_str(e, "start").and_then(dates::parse_instant),
            end: ext_str(e, "end").and_then(dates::parse_instant),
        })
        .collect();
    let proposals = bundle.views("MedicationRequest")?;
    let form = AdviceForm {
        diagnoses: bundle.views("Condition")?.iter().map(clinical::read_condition).collect(),
        plan: section_text(&composition, loinc::PLAN, 0).into(),
        medicines: proposals.iter().filter(|m| !clinical::is_wrong(m)).map(medication::read).collect(),
        danger_signs: section_text(&composition, loinc::INSTRUCTIONS, 0).into(),
        follow_up: clinical::read_follow_up(&composition),
        modality: modalities(&stretches),
    };
    Ok(AdviceRecord {
        id: composition.str("id").to_owned(),
        encounter: encounter.str("id").to_owned(),
        part_of: referenced(&encounter, "partOf", "Encounter").unwrap_or_default().to_owned(),
        task: about.and_then(|t| referenced(t, "valueReference", "Task")).unwrap_or_default().to_owned(),
        patient: referenced(&composition, "subject", "Patient").unwrap_or_default().to_owned(),
        author: composition.items("author").first().map(read_signer).unwrap_or_default(),
        facility: read_facility(composition.get("custodian")),
        signed: dates::parse_instant(composition.str("date")),
        stretches,
        replaces: replaced.and_then(|r| referenced(r, "targetReference", "Composition")).map(str::to_owned),
        orders: proposals.iter().any(|m| m.str("intent") == "order"),
        form,
    })
}

/// What signing keeps of an advice.
pub fn tidied(form: &AdviceForm) -> AdviceForm {
    // The same rows by the same rules as a visit's.
    let visit = VisitForm {
        diagnoses: form.diagnoses.clone(),
        medicines: form.medicines.iter().map(tidied_line).collect(),
        plan: form.plan.clone(),
        return_advice: form.danger_signs.clone(),
        follow_up: form.follow_up.clone(),
        ..VisitForm::default()
    }
    .tidied();
    AdviceForm {
        diagnoses: visit.diagnoses,
        plan: visit.plan,
        medicines: visit.medicines,
        danger_signs: visit.return_advice,
        follow_up: visit.follow_up,
        modality: form.modality.clone(),
    }
}

fn modalities(stretches: &[Stretch]) -> Vec<String> {
    let mut all: Vec<String> = stretches.iter().map(|s| s.modality.clone()).collect();
    all.dedup();
    all
}

fn consultation(form: &AdviceForm, context: &AdviceContext<'_>, id: &str, conditions: &[Json]) -> Json {
    let plain: Vec<Stretch>;
    let stretches = if context.stretches.is_empty() {
        plain =
            form.modality.iter().map(|m| Stretch { modality: m.clone(), start: None, end: None }).collect();
        &plain
    } else {
        context.stretches
    };
    let stretch = |s: &Stretch| {
        ext_of(
            urls::MODALITY,
            vec![
                ext("modality", "valueCode", s.modality.as_str()),
                ext("start", "valueDateTime", s.start.map(dates::instant)),
                ext("end", "valueDateTime", s.end.map(dates::instant)),
            ],
        )
    };
    let end = context.stamp.at.max(context.started);
    obj! {
        "resourceType": "Encounter",
        "id": id,
        "extension": stretches.iter().map(stretch).collect::<Json>(),
        "status": "finished",
        "class": coding(urls::V3_ACT_CODE, "VR"),
        "subject": reference("Patient", context.patient),
        "basedOn": arr![reference("ServiceRequest", context.service_request)],
        "participant": arr![
            obj! { "type": arr![concept(urls::V3_PARTICIPATION, "CON", "consultant")], "individual": signer(context.author) },
        ],
        "period": obj! { "start": dates::instant(context.started), "end": dates::instant(end) },
        "diagnosis": conditions.iter().map(|c| obj! { "condition": reference("Condition", c.str("id")) }).collect::<Json>(),
        "serviceProvider": facility(context.facility),
        "partOf": reference("Encounter", context.part_of),
    }
}
