//! A prescription as the template's values: strings and lists, nothing to be interpreted.

use rabta_domain::{
    medicine::{MedicineLine, Moment},
    patient::Allergies,
    visit::Diagnosis,
};
use serde_json::{Value, json};

use crate::{
    prescription::{Clinician, Lang, Paper, PrescriptionData, Signed},
    qr::Qr,
    words,
};

pub(crate) fn page(
    data: &PrescriptionData,
    paper: Paper,
    lang: Lang,
    signed: Option<&Signed>,
    qr: Option<Qr>,
) -> Value {
    let urdu = lang == Lang::Ur;
    let mut name: Vec<String> =
        [Some(&data.name), data.name_ur.as_ref()].into_iter().flatten().map(|n| line(n)).collect();
    if urdu {
        name.reverse();
    }
    name.dedup();
    name.retain(|n| !n.is_empty());
    let relation = data.relation.as_ref().filter(|r| !r.name.trim().is_empty());
    json!({
        "paper": paper_name(paper),
        "urdu": urdu,
        "w": words::labels(lang),
        "clinic": { "name": line(&data.clinic.name), "address": line(&data.clinic.address), "phone": line(&data.clinic.phone) },
        "title": words::title(ordered_by_nobody(data), lang),
        "doctor": clinician(&data.doctor, lang),
        "doctor-label": words::doctor(words::role(&data.doctor.role, lang).is_none(), lang),
        "ordered-by": data.ordered_by.as_ref().map(|c| clinician(c, lang)),
        "proposed": data.proposed.iter().map(named).collect::<Vec<_>>(),
        "specialist": data.specialist.as_ref().map(|c| clinician(c, lang)),
        "mode": words::mode(data.mode, lang),
        "date": words::date(data.date, lang),
        "name": name,
        "relation": relation.map(|r| json!({ "word": words::relation(&r.code, data.sex, lang), "name": line(&r.name) })),
        "mr": data.mr.as_ref().map_or_else(|| "—".to_owned(), |mr| line(mr)),
        "age": words::age(data.age, lang),
        "sex": words::sex(data.sex, lang),
        "weight": data.weight.as_deref().map(line),
        "pregnant": data.pregnant_weeks.map(|weeks| weeks_words(weeks, lang)),
        "allergies": allergies(&data.allergies, lang),
        "allergic": matches!(data.allergies, Allergies::Known(_)),
        "diagnoses": data.diagnoses.iter().map(diagnosis).collect::<Vec<_>>(),
        "medicines": data.medicines.iter().map(|m| medicine(m, lang)).collect::<Vec<_>>(),
        "advice": lines(&data.advice),
        "return_advice": lines(&data.return_advice),
        "follow_up": follow_up(data, lang),
        "signed": signed.map(|s| json!({
            "by": line(&s.by),
            "at": format!("{}, {:02}:{:02}", words::date(s.at.date(), lang), s.at.hour(), s.at.minute()),
            "fingerprint": line(&s.fingerprint),
            "qr": qr.as_ref().map(|qr| json!({ "svg": qr.svg, "modules": qr.modules })),
        })),
    })
}

/// A paper's name as the templates know it.
pub(crate) fn paper_name(paper: Paper) -> &'static str {
    match paper {
        Paper::A5 => "a5",
        Paper::A4 => "a4",
        Paper::Roll => "roll",
    }
}

/// What nobody ordered is no prescription.
fn ordered_by_nobody(data: &PrescriptionData) -> bool {
    !data.proposed.is_empty() && data.medicines.is_empty()
}

/// One line of plain text: control characters and direction overrides gone, white space single.
pub(crate) fn line(text: &str) -> String {
    let kept: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !rabta_domain::registration::is_forbidden(*c))
        .collect();
    kept.split_whitespace().map(breakable).collect::<Vec<_>>().join(" ")
}

/// A word that no line holds may break anywhere; nothing runs off the paper.
fn breakable(word: &str) -> String {
    let chars: Vec<char> = word.chars().collect();
    if chars.len() <= LONGEST_WORD {
        return word.to_owned();
    }
    let pieces: Vec<String> = chars.chunks(12).map(|c| c.iter().collect()).collect();
    pieces.join("\u{200b}")
}

/// Characters. The longest word of a real name or medicine is shorter.
const LONGEST_WORD: usize = 28;

pub(crate) fn lines(text: &str) -> Vec<String> {
    text.lines().map(line).filter(|l| !l.is_empty()).collect()
}

fn clinician(clinician: &Clinician, lang: Lang) -> Value {
    let role = words::role(&clinician.role, lang).map(str::to_owned);
    let comma = if lang == Lang::En { ", " } else { "، " };
    let qualification =
        role.into_iter().chain(Some(line(&clinician.qualification)).filter(|q| !q.is_empty()));
    json!({
        "name": line(&clinician.name),
        "qualification": qualification.collect::<Vec<_>>().join(comma),
        "registration": line(&clinician.registration),
    })
}

fn weeks_words(weeks: u8, lang: Lang) -> String {
    match (weeks, lang) {
        (0, Lang::En) => "yes".into(),
        (0, Lang::Ur) => "جی ہاں".into(),
        (n, Lang::En) => format!("{n} weeks"),
        (n, Lang::Ur) => format!("{n} ہفتے"),
    }
}

fn allergies(allergies: &Allergies, lang: Lang) -> String {
    match (allergies, lang) {
        (Allergies::NotAsked, Lang::En) => "not asked".into(),
        (Allergies::NotAsked, Lang::Ur) => "نہیں پوچھا گیا".into(),
        (Allergies::NoneKnown, Lang::En) => "none known".into(),
        (Allergies::NoneKnown, Lang::Ur) => "کوئی معلوم نہیں".into(),
        (Allergies::Known(items), lang) => {
            let comma = if lang == Lang::En { ", " } else { "، " };
            items.iter().map(|i| line(i)).collect::<Vec<_>>().join(comma)
        }
    }
}

fn diagnosis(diagnosis: &Diagnosis) -> Value {
    json!({
        "text": line(&diagnosis.text),
        "code": line(&diagnosis.code),
        "provisional": diagnosis.certainty == "provisional",
    })
}

/// "Amoxicillin 500 mg capsule".
pub(crate) fn named(medicine: &MedicineLine) -> String {
    line(&[&medicine.generic, &medicine.strength, &medicine.form].map(|s| s.as_str()).join(" "))
}

fn medicine(medicine: &MedicineLine, lang: Lang) -> Value {
    let english = medicine.in_english();
    let urdu = medicine.in_urdu();
    let mut doses = if lang == Lang::En { vec![english, urdu] } else { vec![urdu, english] };
    // What could not be read is printed once, as it was written.
    doses.dedup();
    let quantity =
        if lang == Lang::En { medicine.quantity_in_english() } else { medicine.quantity_in_urdu() };
    json!({
        "name": named(medicine),
        "brand": line(&medicine.brand),
        "doses": doses.iter().map(|d| line(d)).collect::<Vec<_>>(),
        "quantity": quantity,
        "note": lines(&medicine.note),
        "moments": moments(medicine),
    })
}

/// Amounts at morning, noon, evening, night: for sun and moon. `null` where the day has no such shape.
fn moments(medicine: &MedicineLine) -> Option<Vec<String>> {
    let course = medicine.course()?;
    if course.once || course.as_needed || course.every_hours.is_some() || course.period_days != 1 {
        return None;
    }
    let of = |wanted: &[Moment]| {
        let amount = course.doses.iter().find(|(m, _)| wanted.contains(m)).map(|(_, a)| *a)?;
        Some(match (amount.numerator, amount.denominator) {
            (1, 2) => "½".into(),
            (1, 4) => "¼".into(),
            (3, 4) => "¾".into(),
            (3, 2) => "1½".into(),
            _ => amount.decimal(),
        })
    };
    let all = [
        of(&[Moment::Morning]),
        of(&[Moment::Noon]),
        of(&[Moment::Evening]),
        of(&[Moment::Night, Moment::Bedtime]),
    ];
    let any = all.iter().any(Option::is_some);
    any.then(|| all.into_iter().map(|a| a.unwrap_or_else(|| "–".into())).collect())
}

fn follow_up(data: &PrescriptionData, lang: Lang) -> String {
    let day = data.follow_up.day.map(|d| words::date(d, lang));
    let event = line(&data.follow_up.event);
    let comma = if lang == Lang::En { ", " } else { "، " };
    day.into_iter().chain((!event.is_empty()).then_some(event)).collect::<Vec<_>>().join(comma)
}
