//! How a card's facts are said: age, sex, relation, days, roles. Words come from `words`, digits are Western.

use rabta_domain::ask::{State, Urgency};
use rabta_domain::patient::{AgeShown, Custody, PatientCard, Registration, Relation, Sex};

use crate::dom;
use crate::parts::Tint;
use crate::prefs::{lang, say, say_with};
use crate::words::{Lang, W};

/// "34 y", "~7 months": with `~` where approximate. Under 5 years in months.
pub fn age(age: Option<AgeShown>) -> String {
    let Some(age) = age else { return say(W::AgeUnknown).to_owned() };
    let months = age.months_low.midpoint(age.months_high);
    let years = if age.months_high - age.months_low < 12 { age.months_low / 12 } else { months / 12 };
    let about = if age.approximate { "~" } else { "" };
    match (years, months) {
        (5.., _) => say_with(W::YearsShort, &[&format!("{about}{years}")]),
        (_, 0) => say(W::UnderMonth).to_owned(),
        (_, 1) if !age.approximate => say(W::OneMonth).to_owned(),
        _ => say_with(W::MonthsShort, &[&format!("{about}{months}")]),
    }
}

/// "~34 y, female".
pub fn age_sex(card: &PatientCard) -> String {
    format!("{}{}{}", age(card.age), comma(), sex(card.sex))
}

/// What stands between two things of a list.
pub fn comma() -> &'static str {
    if lang() == Lang::Ur { "\u{060C} " } else { ", " }
}

pub fn sex(sex: Sex) -> &'static str {
    say(match sex {
        Sex::Male => W::Male,
        Sex::Female => W::Female,
        Sex::Other => W::SexOther,
        Sex::Unknown => W::SexUnknown,
    })
}

/// "w/o Akram": which word depends on the relation and on the patient's sex.
pub fn relation(relation: &Relation, sex: Sex) -> String {
    let word = match (relation.code.as_str(), sex) {
        ("FTH", Sex::Male) => W::SonOf,
        ("FTH", Sex::Female) => W::DaughterOf,
        ("FTH", _) => W::ChildOf,
        ("HUSB", _) => W::WifeOf,
        ("WIFE", _) => W::HusbandOf,
        ("MTH", _) => W::MotherIs,
        _ => W::GuardianIs,
    };
    format!("{} \u{2068}{}\u{2069}", say(word), relation.name.0)
}

/// The name in the screen's script where it is known in both, with the title before it.
pub fn name(card: &PatientCard) -> String {
    let own = match (&card.name_ur, lang()) {
        (Some(ur), Lang::Ur) => ur.0.clone(),
        _ => card.name.0.clone(),
    };
    match &card.prefix {
        Some(prefix) if !prefix.is_empty() && !own.starts_with(prefix.as_str()) => format!("{prefix} {own}"),
        _ => own,
    }
}

/// A role in words; its code where there is no word.
pub fn role(code: &str) -> String {
    rabta_ui_base::roles::word(code).map_or_else(|| code.to_owned(), |word| say(word).to_owned())
}

pub fn custody(custody: Custody) -> (W, Tint) {
    match custody {
        Custody::NeedsYou => (W::CustodyNeedsYou, Tint::Red),
        Custody::Here => (W::CustodyHere, Tint::Amber),
        Custody::Clinic => (W::CustodyClinic, Tint::Amber),
        Custody::AtHie => (W::CustodyAtHie, Tint::Grey),
        Custody::SeenBySpecialist => (W::CustodySeen, Tint::Teal),
    }
}

pub fn urgency(urgency: Urgency) -> (W, Tint) {
    match urgency {
        Urgency::Emergency => (W::Emergency, Tint::SolidRed),
        Urgency::Urgent => (W::Urgent, Tint::Amber),
        Urgency::Routine => (W::Routine, Tint::Grey),
    }
}

pub fn ask_state(state: State) -> (W, Tint) {
    match state {
        State::Requested => (W::StateRequested, Tint::Amber),
        State::Seen => (W::StateSeen, Tint::Teal),
        State::Accepted => (W::StateAccepted, Tint::Teal),
        State::AskedBack => (W::StateAskedBack, Tint::Amber),
        State::Answered => (W::StateAnswered, Tint::Teal),
        State::Declined => (W::StateDeclined, Tint::Amber),
        State::PassedOn => (W::StatePassedOn, Tint::Grey),
        State::NobodyOnDuty => (W::StateNobodyOnDuty, Tint::Red),
        State::Escalated => (W::StateEscalated, Tint::Amber),
        State::PatientLeft => (W::StatePatientLeft, Tint::Grey),
        State::Expired => (W::StateExpired, Tint::Amber),
        State::Cancelled => (W::StateCancelled, Tint::Grey),
        State::AdviceSeen => (W::StateAdviceSeen, Tint::Grey),
        State::Explained => (W::StateExplained, Tint::Grey),
        State::Done => (W::StateDone, Tint::Grey),
    }
}

/// What a vital sign is called; its code where there is no word.
pub fn vital(code: &str) -> String {
    let word = match code {
        "bp" => W::VitalBp,
        "systolic" => W::VitalSystolic,
        "diastolic" => W::VitalDiastolic,
        "pulse" => W::VitalPulse,
        "breathing" => W::VitalBreathing,
        "spo2" => W::VitalSpo2,
        "temperature" => W::VitalTemperature,
        "weight" => W::VitalWeight,
        "height" => W::VitalHeight,
        "head-circumference" => W::VitalHead,
        "muac" => W::VitalMuac,
        _ => return code.to_owned(),
    };
    say(word).to_owned()
}

/// A number with so many places behind the point: `12.50`. Not by `{:.2}`, which brings along the tables of all
/// floating-point numbers.
pub fn fixed(value: f64, places: u32) -> String {
    let one = 10_u64.pow(places);
    let whole = (value.abs() * one as f64).round() as u64;
    let sign = if value < 0.0 && whole > 0 { "-" } else { "" };
    format!("{sign}{}.{:0places$}", whole / one, whole % one, places = places as usize)
}

/// A UCUM unit as people write it.
pub fn unit(ucum: &str) -> &str {
    match ucum {
        "mm[Hg]" => "mmHg",
        "Cel" => "\u{00B0}C",
        "[degF]" => "\u{00B0}F",
        other => other,
    }
}

/// "12 min", "3 h", "2 days".
pub fn seconds_long(seconds: i64) -> String {
    let ur = lang() == Lang::Ur;
    match seconds.max(0) {
        s if s < 3600 => format!("{} {}", s / 60, if ur { "منٹ" } else { "min" }),
        s if s < 48 * 3600 => format!("{} {}", s / 3600, if ur { "گھنٹے" } else { "h" }),
        s => format!("{} {}", s / 86_400, if ur { "دن" } else { "days" }),
    }
}

/// "2 h ago", of milliseconds since 1970 by this laptop's clock.
pub fn ago(at_ms: i64) -> String {
    let seconds = ((dom::now_ms() as i64) - at_ms).max(0) / 1000;
    let n = |n: i64| n.to_string();
    match seconds {
        s if s < 60 => say(W::JustNow).to_owned(),
        s if s < 3600 => say_with(W::MinutesAgo, &[&n(s / 60)]),
        s if s < 24 * 3600 => say_with(W::HoursAgo, &[&n(s / 3600)]),
        s => say_with(W::DaysAgo, &[&n(s / 86_400)]),
    }
}

/// How old our view of other facilities' records is, of the HIE's last answer.
pub fn hie_seen(at: Option<i64>) -> String {
    match at {
        Some(at) => say_with(W::HieSeen, &[&ago(at)]),
        None => say(W::HieNever).to_owned(),
    }
}

/// "12 kB".
pub fn bytes(n: u64) -> String {
    format!("{} kB", n.div_ceil(1_000))
}

const MONTHS_EN: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTHS_UR: [&str; 12] =
    ["جنوری", "فروری", "مارچ", "اپریل", "مئی", "جون", "جولائی", "اگست", "ستمبر", "اکتوبر", "نومبر", "دسمبر"];

/// `2026-11-22` as "22 Nov 2026"; "today" and "yesterday" where they are. What is not a date is given back.
pub fn day(iso: &str) -> String {
    let mut parts = iso.get(..10).unwrap_or(iso).split('-');
    let (Some(year), Some(month), Some(day)) = (
        parts.next().and_then(|p| p.parse::<i32>().ok()),
        parts.next().and_then(|p| p.parse::<usize>().ok()).filter(|m| (1..=12).contains(m)),
        parts.next().and_then(|p| p.parse::<u8>().ok()),
    ) else {
        return iso.to_owned();
    };
    let now = dom::today();
    if now == (year, month as u8, day) {
        return say(W::TodayDay).to_owned();
    }
    let months = if lang() == Lang::Ur { MONTHS_UR } else { MONTHS_EN };
    format!("{day} {} {year}", months[month - 1])
}

/// "22 Nov 2026, 14:05", of milliseconds since 1970.
pub fn moment(at_ms: i64) -> String {
    let (on, at) = dom::local_moment(at_ms as f64);
    format!("{}{}{at}", day(&on), comma())
}

/// The year of birth as far as it is known: "1992", "~1992".
pub fn born(card: &PatientCard) -> String {
    let Some(age) = card.age else { return say(W::Unknown).to_owned() };
    let (year, month, _) = dom::today();
    let year_of = |months: u32| (year * 12 + i32::from(month) - 1 - months as i32).div_euclid(12);
    let (first, last) = (year_of(age.months_high), year_of(age.months_low));
    let about = if age.approximate || first != last { "~" } else { "" };
    // The sign belongs before the year in Urdu, too.
    format!("\u{200E}{about}{}", i32::midpoint(first, last))
}

/// A date of the domain's.
pub fn date(date: time::Date) -> String {
    day(&format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day()))
}

/// A local day as the domain's date.
pub fn local_date() -> time::Date {
    let (year, month, day) = dom::today();
    time::Month::try_from(month)
        .ok()
        .and_then(|month| time::Date::from_calendar_date(year, month, day).ok())
        .unwrap_or(time::Date::MIN)
}

/// Card facts that tell two people of one name apart, for a list row.
pub fn row_facts(card: &PatientCard) -> Vec<String> {
    let mut facts = vec![age_sex(card)];
    if !card.village.is_empty() {
        facts.push(card.village.0.clone());
    }
    if let Some(mr) = &card.mr {
        facts.push(say_with(W::Mr, &[mr]));
    }
    if let Some(tail) = &card.phone_tail {
        facts.push(say_with(W::PhoneEnds, &[tail]));
    }
    facts.push(match card.last_visit {
        Some(day) => say_with(W::LastVisitOn, &[&date(day)]),
        None => say(W::NoVisitYet).to_owned(),
    });
    facts
}

/// Whether the age that was said is a child's (under 18 at its oldest).
pub fn is_child(registration: &Registration, today: time::Date) -> bool {
    registration.age.as_ref().is_some_and(|age| age.born().months_on(today).1 < 18 * 12)
}

#[cfg(test)]
mod tests {
    use super::fixed;

    #[test]
    fn a_number_has_its_places() {
        let written = [
            (12.5, 1, "12.5"),
            (0.0, 1, "0.0"),
            (-0.04, 1, "0.0"),
            (-3.05, 2, "-3.05"),
            (99.996, 2, "100.00"),
        ];
        for (value, places, text) in written {
            assert_eq!(fixed(value, places), text);
        }
    }
}
