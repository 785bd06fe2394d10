//! The clinical resources that a visit's form becomes, and the form that they give back. A visit and its referral
//! note share them: the same fact has the same id in both, and in every correction.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Json, NewId, Signer, dates, is_id,
    json::{arr, obj},
    medication,
    parts::{Stamp, coding, concept, ext, ext_bool, ext_of, ext_str, quantity, reference, signer, words},
    urls,
};
use crate::{
    Private,
    role::{Act, may},
    visit::{
        Allergy, AllergyAnswer, AllergyState, CurrentMedicine, DangerSigns, Diagnosis, FollowUp, PhotoRef,
        PregnancyAnswer, VisitForm,
    },
    vitals::{Measured, Months, PocTest, Tested, Verdict, Vital, number},
};

/// Which resource id each part of a visit has: made once, kept with the draft, so that a note sent while the visit
/// is still a draft, the signed visit and its corrections speak of the same resources.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slots(BTreeMap<String, String>);

impl Slots {
    /// The id of `slot`, made now if it has none.
    pub fn id(&mut self, slot: &str, new_id: NewId<'_>) -> String {
        self.0.entry(slot.to_owned()).or_insert_with(|| new_id()).clone()
    }

    pub(crate) fn insert(&mut self, slot: String, id: &str) {
        self.0.entry(slot).or_insert_with(|| id.to_owned());
    }
}

/// What every clinical resource points to.
pub(crate) struct Frame<'a> {
    pub patient: &'a str,
    pub encounter: &'a str,
    pub author: &'a Signer,
    pub stamp: Stamp,
    /// Age in months on the day, for the interpretations.
    pub age: Months,
}

/// The resources, by the section that lists them.
#[derive(Default)]
pub(crate) struct Clinical {
    pub danger: Vec<Json>,
    pub pregnancy: Vec<Json>,
    pub vitals: Vec<Json>,
    pub tests: Vec<Json>,
    pub allergies: Vec<Json>,
    pub current: Vec<Json>,
    pub conditions: Vec<Json>,
    pub medicines: Vec<Json>,
    pub photos: Vec<Json>,
}

impl Clinical {
    /// In the order of the form.
    pub fn all(&self) -> impl Iterator<Item = &Json> {
        let parts = [
            &self.danger,
            &self.allergies,
            &self.current,
            &self.pregnancy,
            &self.vitals,
            &self.tests,
            &self.conditions,
            &self.medicines,
            &self.photos,
        ];
        parts.into_iter().flatten()
    }
}

/// References to `resources`, for a section's entries.
pub(crate) fn entries(resources: &[Json]) -> Vec<Json> {
    resources.iter().map(|r| reference(r.str("resourceType"), r.str("id"))).collect()
}

pub(crate) fn resources(
    form: &VisitForm,
    frame: &Frame<'_>,
    slots: &mut Slots,
    new_id: NewId<'_>,
) -> Clinical {
    let mut all = Clinical::default();
    if form.danger.asked || !form.danger.signs.is_empty() {
        all.danger.push(danger(&form.danger, frame, slots.id("danger", new_id)));
    }
    pregnancy(&form.pregnancy, frame, &mut all.pregnancy, &mut |slot| slots.id(slot, &mut *new_id));
    vitals(&form.vitals, frame, &mut all.vitals, &mut |slot| slots.id(slot, &mut *new_id));
    for (n, tested) in form.tests.iter().enumerate() {
        all.tests.push(test(tested, frame, slots.id(&format!("test/{n}"), new_id)));
    }
    match form.allergies.state {
        AllergyState::NotAsked => {}
        AllergyState::NoneKnown => all.allergies.push(no_allergy(frame, slots.id("allergy/none", new_id))),
        AllergyState::Known => {
            for (n, item) in form.allergies.items.iter().enumerate() {
                let id = own_id(&all.allergies, &item.id, || slots.id(&format!("allergy/{n}"), new_id));
                all.allergies.push(allergy(item, frame, id));
            }
        }
    }
    for (n, medicine) in form.current_medicines.iter().enumerate() {
        all.current.push(current_medicine(medicine, frame, slots.id(&format!("current/{n}"), new_id)));
    }
    for (n, diagnosis) in form.diagnoses.iter().enumerate() {
        let id = own_id(&all.conditions, &diagnosis.id, || slots.id(&format!("condition/{n}"), new_id));
        all.conditions.push(condition(diagnosis, frame, id));
    }
    // Who may not prescribe proposes; the print and the chart keep that apart from an order.
    let role = &frame.author.role;
    let intent = if role.is_empty() || may(role, Act::Prescribe) { "order" } else { "proposal" };
    for (n, line) in form.medicines.iter().enumerate() {
        let id = own_id(&all.medicines, &line.id, || slots.id(&format!("medicine/{n}"), new_id));
        all.medicines.push(medication::request(line, intent, frame, id));
    }
    for photo in &form.photos {
        all.photos.push(media(photo, frame, slots.id(&format!("photo/{}", photo.id), new_id)));
    }
    all
}

/// The row's own id, unless it is none or another row has it: a Bundle holds each resource once.
fn own_id(before: &[Json], id: &str, other: impl FnOnce() -> String) -> String {
    let free = is_id(id) && before.iter().all(|r| r.str("id") != id);
    if free { id.to_owned() } else { other() }
}

// --- Observations -------------------------------------------------------------------------------------------

fn observation(id: String, frame: &Frame<'_>, category: &str, code: Json) -> Vec<(&'static str, Json)> {
    vec![
        ("resourceType", "Observation".into()),
        ("id", id.into()),
        ("status", "final".into()),
        ("category", arr![concept(urls::OBSERVATION_CATEGORY, category, "")]),
        ("code", code),
        ("subject", reference("Patient", frame.patient)),
        ("encounter", reference("Encounter", frame.encounter)),
        ("effectiveDateTime", frame.stamp.instant().into()),
        ("performer", arr![signer(frame.author)]),
    ]
}

fn danger(danger: &DangerSigns, frame: &Frame<'_>, id: String) -> Json {
    let mut members =
        observation(id, frame, "survey", concept(urls::OBSERVATION, "danger-signs", "Danger signs"));
    if danger.asked {
        members.push(("valueBoolean", (!danger.signs.is_empty()).into()));
    } else {
        members.push(("dataAbsentReason", concept(urls::DATA_ABSENT, "not-asked", "")));
    }
    let component =
        |sign: &String| obj! { "code": concept(urls::DANGER_SIGN, sign, ""), "valueBoolean": true };
    members.push(("component", danger.signs.iter().map(component).collect()));
    super::json::object(members)
}

/// LOINC answers of 82810-3 (answer list LL4129-4).
const PREGNANT: [(&str, &str, &str); 3] = [
    ("yes", "LA15173-0", "Pregnant"),
    ("no", "LA26683-5", "Not pregnant"),
    ("unsure", "LA4489-6", "Unknown"),
];

fn pregnancy(
    answer: &PregnancyAnswer,
    frame: &Frame<'_>,
    out: &mut Vec<Json>,
    id: &mut dyn FnMut(&str) -> String,
) {
    let mut push = |slot: &str, code: Json, key: &'static str, value: Json| {
        let mut members = observation(id(slot), frame, "social-history", code);
        members.push((key, value));
        out.push(super::json::object(members));
    };
    if let Some((_, code, text)) = PREGNANT.iter().find(|(word, ..)| *word == answer.pregnant) {
        let code_of = concept(urls::LOINC, "82810-3", "Pregnancy status");
        push("pregnancy", code_of, "valueCodeableConcept", concept(urls::LOINC, code, text));
    }
    if let Some(lmp) = answer.lmp {
        push(
            "lmp",
            concept(urls::LOINC, "8665-2", "Last menstrual period start date"),
            "valueDateTime",
            lmp.into(),
        );
    }
    if let Some(weeks) = answer.weeks {
        let value = number(&weeks.to_string()).map(|n| quantity(n, "wk"));
        push("weeks", concept(urls::LOINC, "18185-9", "Gestational age"), "valueQuantity", value.into());
    }
    if !answer.breastfeeding.is_empty() {
        let code = concept(urls::OBSERVATION, "breastfeeding", "Breastfeeding");
        push("breastfeeding", code, "valueBoolean", (answer.breastfeeding == "yes").into());
    }
}

fn interpretation(verdict: Verdict) -> Json {
    match verdict {
        Verdict::Abnormal => arr![concept(urls::INTERPRETATION, "A", "Abnormal")],
        Verdict::Critical => arr![concept(urls::INTERPRETATION, "AA", "Critical abnormal")],
        _ => Json::Null,
    }
}

/// The value as entered; what is no number stays readable as words.
fn value_of(value: &str, unit: &str) -> (&'static str, Json) {
    match number(value) {
        Some(number) => ("valueQuantity", quantity(number, unit)),
        None => ("valueString", value.into()),
    }
}

fn confirmed(yes: bool) -> Json {
    arr![if yes { ext(urls::CONFIRMED, "valueBoolean", true) } else { Json::Null }]
}

fn vitals(all: &[Measured], frame: &Frame<'_>, out: &mut Vec<Json>, id: &mut dyn FnMut(&str) -> String) {
    let of = |vital: Vital| all.iter().filter(move |m| m.vital == vital);
    let (systolic, diastolic): (Vec<_>, Vec<_>) =
        (of(Vital::Systolic).collect(), of(Vital::Diastolic).collect());
    for n in 0..systolic.len().max(diastolic.len()) {
        let code = concept(urls::LOINC, "85354-9", "Blood pressure panel");
        let mut members = observation(id(&format!("bp/{n}")), frame, "vital-signs", code);
        let component = |m: &&Measured| {
            let (key, value) = value_of(&m.value, &m.unit);
            super::json::object(vec![
                ("extension", confirmed(m.confirmed)),
                ("code", concept(urls::LOINC, m.vital.loinc(), m.vital.display())),
                (key, value),
                ("interpretation", interpretation(m.judge(frame.age))),
            ])
        };
        let components = [systolic.get(n), diastolic.get(n)];
        members.push(("component", components.into_iter().flatten().map(component).collect()));
        out.push(super::json::object(members));
    }
    let mut counts = BTreeMap::new();
    for measured in all.iter().filter(|m| !matches!(m.vital, Vital::Systolic | Vital::Diastolic)) {
        let n = counts.entry(measured.vital.loinc()).or_insert(0);
        let code = match measured.vital {
            // The vital signs profile wants both (http://hl7.org/fhir/R4/oxygensat.html).
            Vital::Spo2 => obj! {
                "coding": arr![
                    super::parts::coding_named(urls::LOINC, "59408-5", Vital::Spo2.display()),
                    super::parts::coding_named(urls::LOINC, "2708-6", "Oxygen saturation in Arterial blood"),
                ],
            },
            vital => concept(urls::LOINC, vital.loinc(), vital.display()),
        };
        let mut members =
            observation(id(&format!("vital/{}/{n}", measured.vital.loinc())), frame, "vital-signs", code);
        let (key, value) = value_of(&measured.value, &measured.unit);
        let estimated =
            if measured.estimated { concept(urls::METHOD, "estimated", "Estimated") } else { Json::Null };
        members.insert(2, ("extension", confirmed(measured.confirmed)));
        members.extend([(key, value), ("interpretation", interpretation(measured.judge(frame.age)))]);
        members.push(("method", estimated));
        out.push(super::json::object(members));
        *n += 1;
    }
}

fn test(tested: &Tested, frame: &Frame<'_>, id: String) -> Json {
    let code = concept(urls::LOINC, tested.test.loinc(&tested.unit), tested.test.display());
    let mut members = observation(id, frame, "laboratory", code);
    members.insert(2, ("extension", confirmed(tested.confirmed)));
    let numeric = !tested.test.units().is_empty() && !tested.unit.is_empty();
    members.push(if numeric {
        value_of(&tested.value, &tested.unit)
    } else {
        ("valueCodeableConcept", words(&tested.value))
    });
    members.push(("interpretation", interpretation(tested.judge(frame.age))));
    super::json::object(members)
}

// --- Everything else ----------------------------------------------------------------------------------------

fn no_allergy(frame: &Frame<'_>, id: String) -> Json {
    let code = concept(urls::SNOMED, "716186003", "No known allergy");
    allergy_resource(
        id,
        frame,
        code,
        vec![("verificationStatus", concept(urls::ALLERGY_VERIFICATION, "confirmed", ""))],
    )
}

fn allergy(item: &Allergy, frame: &Frame<'_>, id: String) -> Json {
    let classes = item.classes.iter().map(|c| coding(urls::ALLERGY_CLASS, c)).collect::<Json>();
    let criticality = match item.severity.as_str() {
        "mild" => "low",
        "severe" => "high",
        "unknown" => "unable-to-assess",
        _ => "",
    };
    let reaction = obj! { "manifestation": arr![words(&item.reaction)] };
    let code = obj! { "coding": classes, "text": &item.substance };
    allergy_resource(
        id,
        frame,
        code,
        vec![
            ("verificationStatus", concept(urls::ALLERGY_VERIFICATION, "unconfirmed", "")),
            ("criticality", criticality.into()),
            ("reaction", if item.reaction.is_empty() { Json::Null } else { arr![reaction] }),
        ],
    )
}

fn allergy_resource(id: String, frame: &Frame<'_>, code: Json, more: Vec<(&'static str, Json)>) -> Json {
    let mut members = vec![
        ("resourceType", Json::from("AllergyIntolerance")),
        ("id", id.into()),
        ("clinicalStatus", concept(urls::ALLERGY_CLINICAL, "active", "")),
        ("code", code),
        ("patient", reference("Patient", frame.patient)),
        ("encounter", reference("Encounter", frame.encounter)),
        ("recordedDate", frame.stamp.instant().into()),
        ("recorder", signer(frame.author)),
    ];
    members.extend(more);
    super::json::object(members)
}

fn current_medicine(medicine: &CurrentMedicine, frame: &Frame<'_>, id: String) -> Json {
    let source = &medicine.source;
    obj! {
        "resourceType": "MedicationStatement",
        "id": id,
        "status": "active",
        "category": if source.is_empty() { Json::Null } else { concept(urls::MEDICINE_SOURCE, source, "") },
        "medicationCodeableConcept": words(&medicine.text),
        "subject": reference("Patient", frame.patient),
        "context": reference("Encounter", frame.encounter),
        "dateAsserted": frame.stamp.instant(),
    }
}

pub(crate) fn condition(diagnosis: &Diagnosis, frame: &Frame<'_>, id: String) -> Json {
    let code = if diagnosis.code.is_empty() { Json::Null } else { coding(urls::ICD10, &diagnosis.code) };
    let certainty = match diagnosis.certainty.as_str() {
        "" => Json::Null,
        certainty => concept(urls::CONDITION_VERIFICATION, certainty, ""),
    };
    obj! {
        "resourceType": "Condition",
        "id": id,
        "clinicalStatus": concept(urls::CONDITION_CLINICAL, "active", ""),
        "verificationStatus": certainty,
        "category": arr![concept(urls::CONDITION_CATEGORY, "encounter-diagnosis", "")],
        "code": obj! { "coding": arr![code], "text": &diagnosis.text },
        "subject": reference("Patient", frame.patient),
        "encounter": reference("Encounter", frame.encounter),
        "recordedDate": frame.stamp.instant(),
        "recorder": signer(frame.author),
    }
}

/// A photo: R4's Media has its size in pixels. An intimate one is restricted.
fn media(photo: &PhotoRef, frame: &Frame<'_>, id: String) -> Json {
    let security = if photo.intimate {
        obj! { "security": arr![coding(urls::V3_CONFIDENTIALITY, "R"), coding(urls::V3_ACT_CODE, "SEX")] }
    } else {
        Json::Null
    };
    let positive = |n: u32| (n > 0).then_some(n);
    obj! {
        "resourceType": "Media",
        "id": id,
        "meta": security,
        "status": "completed",
        "type": concept("http://terminology.hl7.org/CodeSystem/media-type", "image", ""),
        "subject": reference("Patient", frame.patient),
        "encounter": reference("Encounter", frame.encounter),
        "createdDateTime": frame.stamp.instant(),
        "operator": signer(frame.author),
        "height": positive(photo.height),
        "width": positive(photo.width),
        "content": obj! {
            "contentType": "image/jpeg",
            "url": format!("Binary/{}", photo.id),
            "title": &photo.caption,
        },
    }
}

/// Follow-up as an extension of an Encounter or a Composition.
pub(crate) fn follow_up(follow_up: &FollowUp) -> Json {
    let parts =
        vec![ext("day", "valueDate", follow_up.day), ext("event", "valueString", follow_up.event.as_str())];
    ext_of(urls::FOLLOW_UP, parts)
}

pub(crate) fn read_follow_up(json: &Json) -> FollowUp {
    let Some(ext) = json.extension(urls::FOLLOW_UP) else { return FollowUp::default() };
    FollowUp {
        day: ext_str(ext, "day").and_then(dates::parse_date),
        event: ext_str(ext, "event").unwrap_or_default().to_owned(),
    }
}

// --- Reading ------------------------------------------------------------------------------------------------

/// Puts what `resource` says into `form`. Returns the slot that it fills.
pub(crate) fn read(resource: &Json, form: &mut VisitForm) -> Option<String> {
    if is_wrong(resource) {
        return None;
    }
    match resource.str("resourceType") {
        "Observation" => read_observation(resource, form),
        "AllergyIntolerance" => {
            if resource.has_code("code", urls::SNOMED, "716186003") {
                if form.allergies.items.is_empty() {
                    form.allergies.state = AllergyState::NoneKnown;
                }
                return Some("allergy/none".into());
            }
            form.allergies.state = AllergyState::Known;
            form.allergies.items.push(read_allergy(resource));
            Some(format!("allergy/{}", form.allergies.items.len() - 1))
        }
        "MedicationStatement" => {
            form.current_medicines.push(CurrentMedicine {
                text: medication::name(resource).into(),
                source: resource.code_of("category", urls::MEDICINE_SOURCE).unwrap_or_default().to_owned(),
            });
            Some(format!("current/{}", form.current_medicines.len() - 1))
        }
        "Condition" => {
            form.diagnoses.push(read_condition(resource));
            Some(format!("condition/{}", form.diagnoses.len() - 1))
        }
        "MedicationRequest" if matches!(resource.str("intent"), "order" | "proposal") => {
            form.medicines.push(medication::read(resource));
            Some(format!("medicine/{}", form.medicines.len() - 1))
        }
        "Media" => {
            let photo = read_media(resource)?;
            let slot = format!("photo/{}", photo.id);
            form.photos.push(photo);
            Some(slot)
        }
        _ => None,
    }
}

/// Taken back: `entered-in-error`.
pub(crate) fn is_wrong(resource: &Json) -> bool {
    resource.str("status") == "entered-in-error"
        || [urls::CONDITION_VERIFICATION, urls::ALLERGY_VERIFICATION].iter().any(|system| {
            matches!(resource.code_of("verificationStatus", system), Some("entered-in-error" | "refuted"))
        })
}

fn read_observation(resource: &Json, form: &mut VisitForm) -> Option<String> {
    match resource.code_of("code", urls::OBSERVATION) {
        Some("danger-signs") => {
            let sign = |c: &Json| c.code_of("code", urls::DANGER_SIGN).map(str::to_owned);
            form.danger = DangerSigns {
                asked: !resource.get("valueBoolean").is_nothing(),
                signs: resource.items("component").iter().filter_map(sign).collect(),
            };
            return Some("danger".into());
        }
        Some("breastfeeding") => {
            form.pregnancy.breastfeeding = if resource.bool("valueBoolean") { "yes" } else { "no" }.into();
            return Some("breastfeeding".into());
        }
        _ => {}
    }
    let loinc = resource.code_of("code", urls::LOINC)?;
    match loinc {
        "82810-3" => {
            let code = resource.code_of("valueCodeableConcept", urls::LOINC);
            let word = PREGNANT.iter().find(|(_, c, _)| Some(*c) == code).map_or("unsure", |(word, ..)| word);
            form.pregnancy.pregnant = word.into();
            Some("pregnancy".into())
        }
        "8665-2" => {
            form.pregnancy.lmp = dates::parse_date(resource.str("valueDateTime"));
            Some("lmp".into())
        }
        "18185-9" => {
            form.pregnancy.weeks = resource.int("valueQuantity.value").and_then(|n| u8::try_from(n).ok());
            Some("weeks".into())
        }
        "85354-9" => {
            let before = form.vitals.iter().filter(|m| m.vital == Vital::Systolic).count();
            let also = form.vitals.iter().filter(|m| m.vital == Vital::Diastolic).count();
            form.vitals.extend(resource.items("component").iter().filter_map(|c| read_measured(c, c)));
            Some(format!("bp/{}", before.max(also)))
        }
        _ => {
            if let Some(test) = PocTest::from_loinc(loinc) {
                let words = resource.opt("valueCodeableConcept.text");
                let value = words.map_or_else(|| read_value(resource), str::to_owned);
                form.tests.push(Tested {
                    test,
                    value,
                    unit: resource
                        .opt("valueQuantity.code")
                        .or(resource.opt("valueString").and_then(|_| test.units().first().copied()))
                        .unwrap_or_default()
                        .to_owned(),
                    confirmed: ext_bool(resource, urls::CONFIRMED).unwrap_or(false),
                });
                return Some(format!("test/{}", form.tests.len() - 1));
            }
            let measured = read_measured(resource, resource)?;
            let n = form.vitals.iter().filter(|m| m.vital == measured.vital).count();
            let slot = format!("vital/{}/{n}", measured.vital.loinc());
            form.vitals.push(measured);
            Some(slot)
        }
    }
}

/// A vital sign from an Observation or a component of one.
pub(crate) fn read_measured(coded: &Json, valued: &Json) -> Option<Measured> {
    let vital = coded
        .items("code.coding")
        .iter()
        .find_map(|c| (c.str("system") == urls::LOINC).then(|| Vital::from_loinc(c.str("code"))).flatten())?;
    let unit = valued.opt("valueQuantity.code").or(valued.opt("valueQuantity.unit"));
    Some(Measured {
        vital,
        value: read_value(valued),
        // Words have no unit of their own: the form's usual one.
        unit: unit.or(valued.opt("valueString").map(|_| vital.units()[0])).unwrap_or_default().to_owned(),
        estimated: valued.has_code("method", urls::METHOD, "estimated"),
        confirmed: ext_bool(valued, urls::CONFIRMED).unwrap_or(false),
    })
}

fn read_value(json: &Json) -> String {
    match json.number("valueQuantity.value") {
        Some(number) => number.as_str().to_owned(),
        None => json.str("valueString").to_owned(),
    }
}

pub(crate) fn read_allergy(resource: &Json) -> Allergy {
    let code = resource.get("code");
    let class = |c: &Json| (c.str("system") == urls::ALLERGY_CLASS).then(|| c.str("code").to_owned());
    let substance = code.opt("text").or_else(|| code.items("coding").iter().find_map(|c| c.opt("display")));
    let reaction = resource.at("reaction.manifestation");
    let reaction = match reaction {
        Json::Array(items) => {
            items.first().map(|m| m.opt("text").or(m.opt("coding.display")).unwrap_or_default())
        }
        _ => None,
    };
    Allergy {
        id: resource.str("id").to_owned(),
        substance: substance.unwrap_or_default().into(),
        classes: code.items("coding").iter().filter_map(class).collect(),
        reaction: reaction.unwrap_or_default().into(),
        severity: match resource.str("criticality") {
            "low" => "mild",
            "high" => "severe",
            "unable-to-assess" => "unknown",
            _ => "",
        }
        .into(),
    }
}

pub(crate) fn read_condition(resource: &Json) -> Diagnosis {
    let code = resource.get("code");
    let text = code.opt("text").or_else(|| code.items("coding").iter().find_map(|c| c.opt("display")));
    Diagnosis {
        id: resource.str("id").to_owned(),
        code: resource.code_of("code", urls::ICD10).unwrap_or_default().to_owned(),
        text: text.unwrap_or_default().into(),
        certainty: resource
            .code_of("verificationStatus", urls::CONDITION_VERIFICATION)
            .unwrap_or_default()
            .to_owned(),
    }
}

fn read_media(resource: &Json) -> Option<PhotoRef> {
    let size = |key: &str| resource.int(key).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    Some(PhotoRef {
        id: resource.str("content.url").strip_prefix("Binary/")?.to_owned(),
        caption: Private(resource.str("content.title").to_owned()),
        intimate: resource
            .items("meta.security")
            .iter()
            .any(|s| s.str("system") == urls::V3_CONFIDENTIALITY && s.str("code") != "N"),
        width: size("width"),
        height: size("height"),
    })
}

/// What the section on allergies says when nothing is listed: it was not asked, or the list is still missing.
pub(crate) fn allergy_empty_reason(answer: &AllergyAnswer) -> &'static str {
    match answer.state {
        AllergyState::Known => "unavailable",
        _ => "notasked",
    }
}
