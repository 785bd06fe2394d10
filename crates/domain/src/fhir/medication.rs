//! MedicationRequest: an order of the treating doctor, or a specialist's proposal.

use super::{
    Json,
    clinical::Frame,
    json::{arr, obj},
    parts::{coding, ext, ext_bool, ext_of, ext_str, reference, signer},
    urls,
};
use crate::{
    medicine::{Course, Food, MedicineLine, Moment},
    vitals::number,
};

/// `intent` is `order` or `proposal`.
pub(crate) fn request(line: &MedicineLine, intent: &str, frame: &Frame<'_>, id: String) -> Json {
    let course = line.course();
    let note = if line.note.is_empty() { Json::Null } else { arr![obj! { "text": &line.note }] };
    obj! {
        "resourceType": "MedicationRequest",
        "id": id,
        "extension": arr![line_extension(line)],
        "status": "active",
        "intent": intent,
        "medicationCodeableConcept": medication(line),
        "subject": reference("Patient", frame.patient),
        "encounter": reference("Encounter", frame.encounter),
        "authoredOn": frame.stamp.instant(),
        "requester": signer(frame.author),
        "note": note,
        "dosageInstruction": dosage(line, course.as_ref()),
        "dispenseRequest": dispense(line, course.as_ref()),
    }
}

fn line_extension(line: &MedicineLine) -> Json {
    let food = match line.food {
        Food::Any => "",
        Food::Before => "before",
        Food::After => "after",
        Food::With => "with",
    };
    ext_of(
        urls::MEDICINE_LINE,
        vec![
            ext("generic", "valueString", line.generic.as_str()),
            ext("brand", "valueString", line.brand.as_str()),
            ext("form", "valueString", line.form.as_str()),
            ext("strength", "valueString", line.strength.as_str()),
            ext("dose", "valueString", line.dose.as_str()),
            ext("food", "valueCode", food),
            if line.controlled { ext("controlled", "valueBoolean", true) } else { Json::Null },
            ext("clash-reason", "valueString", line.clash_reason.as_deref()),
        ],
    )
}

/// The generic with strength and form in words, its ATC code, and the classes that an allergy could clash with.
fn medication(line: &MedicineLine) -> Json {
    let mut codings: Vec<Json> = line.classes.iter().map(|c| coding(urls::ALLERGY_CLASS, c)).collect();
    if !line.atc.is_empty() {
        codings.insert(0, coding(urls::ATC, &line.atc));
    }
    let words = [&line.generic, &line.strength, &line.form].map(|s| s.trim()).join(" ");
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    obj! { "coding": codings, "text": words }
}

/// One Dosage for each amount: "1+0+2" is one tablet in the morning and two at night. A dose that could not be read
/// stays words.
fn dosage(line: &MedicineLine, course: Option<&Course>) -> Json {
    let Some(course) = course else { return arr![obj! { "text": &line.dose }] };
    let bounds = (line.days > 0).then(|| {
        obj! {
            "value": line.days, "unit": "d", "system": urls::UCUM, "code": "d",
        }
    });
    let mut all = Vec::new();
    for (n, (amount, moments)) in course.by_amount().into_iter().enumerate() {
        let when: Json = moments.iter().filter_map(|m| when(*m, line.food)).map(Json::from).collect();
        let repeat = match &course.every_hours {
            Some(hours) => obj! {
                "boundsDuration": bounds.clone(), "frequency": 1, "period": *hours, "periodUnit": "h",
            },
            None if course.once => obj! { "count": 1 },
            None => obj! {
                "boundsDuration": bounds.clone(),
                "frequency": moments.len() as u32,
                "period": course.period_days,
                "periodUnit": "d",
                "when": when,
            },
        };
        let quantity = number(&amount.decimal()).map(|value| match course.unit.ucum() {
            Some(unit) => super::parts::quantity(value, unit),
            None => obj! { "value": value, "unit": course.unit.english(&line.form) },
        });
        all.push(obj! {
            "sequence": n as u32 + 1,
            "text": line.in_english(),
            "patientInstruction": line.in_urdu(),
            "timing": obj! { "repeat": repeat },
            "asNeededBoolean": course.as_needed.then_some(true),
            "doseAndRate": arr![quantity.map(|q| obj! { "doseQuantity": q })],
        });
    }
    all.into()
}

/// EventTiming (http://hl7.org/fhir/R4/valueset-event-timing.html): with food where food matters, else the hour.
fn when(moment: Moment, food: Food) -> Option<&'static str> {
    Some(match (moment, food) {
        (Moment::Bedtime, _) => "HS",
        (Moment::Morning, Food::Any) => "MORN",
        (Moment::Morning, Food::Before) => "ACM",
        (Moment::Morning, Food::After) => "PCM",
        (Moment::Morning, Food::With) => "CM",
        (Moment::Noon, Food::Any) => "NOON",
        (Moment::Noon, Food::Before) => "ACD",
        (Moment::Noon, Food::After) => "PCD",
        (Moment::Noon, Food::With) => "CD",
        (Moment::Evening | Moment::Night, Food::Before) => "ACV",
        (Moment::Evening | Moment::Night, Food::After) => "PCV",
        (Moment::Evening | Moment::Night, Food::With) => "CV",
        (Moment::Evening, Food::Any) => "EVE",
        (Moment::Night, Food::Any) => "NIGHT",
        (Moment::AnyTime, Food::Before) => "AC",
        (Moment::AnyTime, Food::After) => "PC",
        (Moment::AnyTime, Food::With) => "C",
        (Moment::AnyTime, Food::Any) => return None,
    })
}

fn dispense(line: &MedicineLine, course: Option<&Course>) -> Json {
    let total = course.and_then(|c| c.total(line.days)).and_then(|t| number(&t.decimal()));
    let quantity = total.zip(course).map(|(value, course)| match course.unit.ucum() {
        Some(unit) => super::parts::quantity(value, unit),
        None => obj! { "value": value, "unit": course.unit.english(&line.form) },
    });
    let days = (line.days > 0).then(|| {
        obj! {
            "value": line.days, "unit": "d", "system": urls::UCUM, "code": "d",
        }
    });
    obj! { "quantity": quantity, "expectedSupplyDuration": days }
}

/// The line that a MedicationRequest is. Another system's becomes a line in words.
pub(crate) fn read(resource: &Json) -> MedicineLine {
    let id = resource.str("id").to_owned();
    let days = resource.int("dispenseRequest.expectedSupplyDuration.value");
    let class = |c: &Json| (c.str("system") == urls::ALLERGY_CLASS).then(|| c.str("code").to_owned());
    let mut line = MedicineLine {
        id,
        atc: resource.code_of("medicationCodeableConcept", urls::ATC).unwrap_or_default().to_owned(),
        classes: resource.items("medicationCodeableConcept.coding").iter().filter_map(class).collect(),
        days: days.and_then(|n| u16::try_from(n).ok()).unwrap_or(0),
        note: resource.str("note.text").into(),
        ..MedicineLine::default()
    };
    let Some(ext) = resource.extension(urls::MEDICINE_LINE) else {
        line.generic = name(resource);
        line.dose = resource.str("dosageInstruction.text").to_owned();
        return line;
    };
    let text = |url: &str| ext_str(ext, url).unwrap_or_default().to_owned();
    line.generic = text("generic");
    line.brand = text("brand");
    line.form = text("form");
    line.strength = text("strength");
    line.dose = text("dose");
    line.food = match text("food").as_str() {
        "before" => Food::Before,
        "after" => Food::After,
        "with" => Food::With,
        _ => Food::Any,
    };
    line.controlled = ext_bool(ext, "controlled").unwrap_or(false);
    line.clash_reason = ext_str(ext, "clash-reason").map(str::to_owned);
    line
}

/// The medicine's name in words, from any system's MedicationRequest or MedicationStatement.
pub(crate) fn name(resource: &Json) -> String {
    let concept = resource.get("medicationCodeableConcept");
    let display = || concept.items("coding").iter().find_map(|c| c.opt("display"));
    let reference = || resource.opt("medicationReference.display");
    concept.opt("text").or_else(display).or_else(reference).unwrap_or_default().to_owned()
}
