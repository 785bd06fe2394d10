//! Codes of the ask in words, and times as people read them.

use leptos::prelude::*;
use rabta_domain::ask::{State, Urgency};
use rabta_domain::medicine::MedicineLine;
use rabta_domain::vitals::Verdict;

use crate::parts::Tint;
use crate::prefs::{lang, say, say_with};
use crate::words::Lang;
use crate::{W, format};

/// The country package's specialties: code, English, Urdu.
pub const SPECIALTIES: [(&str, &str, &str); 22] = [
    ("general-medicine", "General medicine", "ماہر امراض عمومی"),
    ("pediatrics", "Children", "ماہر امراض بچگان"),
    ("obstetrics-gynecology", "Women and birth", "ماہر امراض نسواں و زچگی"),
    ("general-surgery", "Surgery", "ماہر سرجری"),
    ("cardiology", "Heart", "ماہر امراض قلب"),
    ("dermatology", "Skin", "ماہر امراض جلد"),
    ("ent", "Ear, nose and throat", "ماہر امراض ناک کان گلا"),
    ("ophthalmology", "Eyes", "ماہر امراض چشم"),
    ("psychiatry", "Mind", "ماہر نفسیات"),
    ("neurology", "Brain and nerves", "ماہر دماغ و اعصاب"),
    ("orthopedics", "Bones and joints", "ماہر ہڈی و جوڑ"),
    ("pulmonology", "Chest and TB", "ماہر امراض سینہ و ٹی بی"),
    ("nephrology", "Kidneys", "ماہر امراض گردہ"),
    ("urology", "Urinary tract", "ماہر امراض مثانہ"),
    ("gastroenterology", "Stomach and liver", "ماہر امراض معدہ و جگر"),
    ("endocrinology", "Diabetes and hormones", "ماہر شوگر و ہارمون"),
    ("oncology", "Cancer", "ماہر سرطان"),
    ("infectious-diseases", "Infections", "ماہر متعدی امراض"),
    ("radiology", "X-ray and ultrasound", "ماہر ایکسرے و الٹراساؤنڈ"),
    ("dentistry", "Teeth", "ماہر دندان"),
    ("emergency", "Emergency", "ایمرجنسی"),
    ("nutrition", "Nutrition", "ماہر غذائیت"),
];

/// A specialty as people say it; a code that the package does not have as it is.
pub fn specialty(code: &str) -> String {
    let found = SPECIALTIES.iter().find(|(known, ..)| *known == code);
    match (found, lang()) {
        (Some((_, _, urdu)), Lang::Ur) => (*urdu).to_owned(),
        (Some((_, english, _)), Lang::En) => (*english).to_owned(),
        (None, _) => code.to_owned(),
    }
}

const DANGER: [(&str, W); 18] = [
    ("airway", W::DangerAirway),
    ("breathing", W::DangerBreathing),
    ("shock", W::DangerShock),
    ("unconscious", W::DangerUnconscious),
    ("convulsions", W::DangerConvulsions),
    ("severe-pain", W::DangerSeverePain),
    ("bleeding", W::DangerBleeding),
    ("not-drinking", W::DangerNotDrinking),
    ("severe-dehydration", W::DangerDehydration),
    ("stiff-neck", W::DangerStiffNeck),
    ("high-fever-infant", W::DangerInfantFever),
    ("pregnancy-bleeding", W::DangerPregnancyBleeding),
    ("pregnancy-headache", W::DangerPregnancyHeadache),
    ("chest-pain", W::DangerChestPain),
    ("stroke", W::DangerStroke),
    ("poisoning", W::DangerPoisoning),
    ("bite", W::DangerBite),
    ("trauma", W::DangerTrauma),
];

const SECTIONS: [(&str, W); 10] = [
    ("complaint", W::CaseComplaint),
    ("history", W::CaseHistory),
    ("pregnancy", W::CasePregnancy),
    ("tests", W::CaseTests),
    ("examination", W::CaseExamination),
    ("problems", W::CaseProblems),
    ("assessment", W::CaseProblems),
    ("allergies", W::CaseAllergies),
    ("medicines", W::CaseMedicines),
    ("plan", W::CasePlan),
];

/// What the patient may wish for the talk.
pub const WISHES: [(&str, W); 3] = [
    ("woman-specialist", W::AskWishWoman),
    ("camera-off", W::AskWishCamera),
    ("chaperone", W::AskWishChaperone),
];

fn of(table: &[(&str, W)], code: &str) -> String {
    table
        .iter()
        .find(|(known, _)| *known == code)
        .map_or_else(|| code.to_owned(), |(_, word)| say(*word).to_owned())
}

pub fn danger(code: &str) -> String {
    of(&DANGER, code)
}

pub fn wish(code: &str) -> String {
    of(&WISHES, code)
}

/// The heading of a note's section.
pub fn section(title: &str) -> String {
    of(&SECTIONS, title)
}

/// Why a section is empty.
pub fn empty(code: &str) -> W {
    match code {
        "nilknown" => W::CaseNilKnown,
        "notasked" => W::CaseNotAsked,
        _ => W::CaseUnavailable,
    }
}

pub fn consent(code: &str) -> (W, Tint) {
    match code {
        "given" => (W::CaseConsentGiven, Tint::Teal),
        "emergency" => (W::CaseConsentEmergency, Tint::Amber),
        "refused" => (W::CaseConsentRefused, Tint::Red),
        "withdrawn" => (W::CaseConsentWithdrawn, Tint::Red),
        _ => (W::CaseConsentNone, Tint::Grey),
    }
}

pub fn verdict(verdict: Verdict) -> (W, &'static str) {
    match verdict {
        Verdict::Usual => (W::CaseUsual, "value"),
        Verdict::Abnormal => (W::CaseAbnormal, "value amber"),
        Verdict::Critical => (W::CaseCritical, "value red"),
        Verdict::Unlikely => (W::CaseUnlikely, "value amber"),
        Verdict::Impossible | Verdict::NotANumber => (W::CaseImpossible, "value red"),
    }
}

/// What each urgency promises.
pub fn promise(urgency: Urgency) -> W {
    match urgency {
        Urgency::Emergency => W::AskPromiseEmergency,
        Urgency::Urgent => W::AskPromiseUrgent,
        Urgency::Routine => W::AskPromiseRoutine,
    }
}

/// A point of the timeline, and its color.
pub fn happened(what: &str) -> (W, Tint) {
    match what {
        "asked" => (W::CaseAsked, Tint::Amber),
        "message" => (W::CaseMessage, Tint::Grey),
        "advice" => (W::CaseAdvice, Tint::Teal),
        "decisions" => (W::CaseDecisions, Tint::Teal),
        "call" => (W::CaseCall, Tint::Teal),
        state => State::from_code(state).map_or((W::CaseMessage, Tint::Grey), format::ask_state),
    }
}

/// A line's dose as the patient will hear it; `None` where it cannot be read.
pub fn dose(line: &MedicineLine) -> Option<String> {
    line.course()?;
    Some(if lang() == Lang::Ur { line.in_urdu() } else { line.in_english() })
}

/// "Amoxicillin 500 mg capsule".
pub fn medicine(line: &MedicineLine) -> String {
    let form =
        FORMS.iter().find(|(code, _)| *code == line.form).map_or(line.form.as_str(), |(_, word)| say(*word));
    [line.generic.as_str(), line.strength.as_str(), form]
        .iter()
        .filter(|part| !part.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Forms of medicines, by the dose reader's codes.
pub const FORMS: [(&str, W); 12] = [
    ("tablet", W::FormTablet),
    ("capsule", W::FormCapsule),
    ("syrup", W::FormSyrup),
    ("injection", W::FormInjection),
    ("drops", W::FormDrops),
    ("eye drops", W::FormEyeDrops),
    ("ear drops", W::FormEarDrops),
    ("cream", W::FormCream),
    ("ointment", W::FormOintment),
    ("inhaler", W::FormInhaler),
    ("sachet", W::FormSachet),
    ("suppository", W::FormSuppository),
];

/// A finding on an advice; `name` is the medicine that it is about.
pub fn finding(code: &str, name: &str) -> String {
    let word = match code {
        "advice-empty" => W::AdviceEmpty,
        "danger-signs-missing" => W::AdviceNoDanger,
        "diagnosis-missing" => W::FindingDiagnosis,
        "follow-up-past" => W::FindingFollowUp,
        "weight-missing" => W::FindingWeight,
        "dose-unreadable" => W::FindingDose,
        "strength-missing" => W::FindingStrength,
        "controlled-remote" => W::FindingControlled,
        "days-many" => W::FindingDays,
        "allergy-clash" => W::FindingClash,
        "allergy-clash-kept" => W::FindingClashKept,
        "medicine-twice" => W::FindingTwice,
        other => return say_with(W::FindingOther, &[other]),
    };
    say_with(word, &[name])
}

/// Seconds as a clock that ticks: "0:12", "1:02:33"; days in words.
pub fn clock(seconds: i64) -> String {
    let s = seconds.max(0);
    match s {
        s if s >= 24 * 3600 => format::seconds_long(s),
        s if s >= 3600 => format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60),
        s => format!("{}:{:02}", s / 60, s % 60),
    }
}

/// "14:05", with the day where it is not today; of milliseconds since 1970, by this laptop's place.
pub fn moment(at_ms: i64) -> String {
    let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(at_ms as f64));
    let iso = format!("{:04}-{:02}-{:02}", date.get_full_year(), date.get_month() + 1, date.get_date());
    let time = format!("{:02}:{:02}", date.get_hours(), date.get_minutes());
    let day = format::day(&iso);
    if day == say(W::TodayDay) { time } else { format!("{day} {time}") }
}

/// Counts up once a second while the page lives; read it to tick.
pub fn ticks() -> RwSignal<i64> {
    let now = RwSignal::new(0_i64);
    if let Ok(handle) = set_interval_with_handle(
        move || {
            now.try_update(|n| *n += 1);
        },
        std::time::Duration::from_secs(1),
    ) {
        on_cleanup(move || handle.clear());
    }
    now
}
