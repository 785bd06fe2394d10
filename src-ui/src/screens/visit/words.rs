//! Codes of the visit in words.

use rabta_domain::medicine::{Food, MedicineLine};
use rabta_domain::vitals::PocTest;

use crate::W;
use crate::prefs::{lang, say};
use crate::words::Lang;

/// Danger signs in the page's order: code and words.
pub const DANGER: [(&str, W); 18] = [
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

/// The word of a code in a table of codes; the code where there is none.
pub fn of(table: &[(&str, W)], code: &str) -> String {
    table
        .iter()
        .find(|(known, _)| *known == code)
        .map_or_else(|| code.to_owned(), |(_, word)| say(*word).to_owned())
}

pub const INFORMANT: [(&str, W); 6] = [
    ("patient", W::Patient),
    ("mother", W::VisitInfMother),
    ("father", W::VisitInfFather),
    ("husband", W::VisitInfHusband),
    ("guardian", W::VisitInfGuardian),
    ("other", W::VisitInfOther),
];

pub const SOURCE: [(&str, W); 6] = [
    ("doctor", W::SourceDoctor),
    ("dispenser", W::SourceDispenser),
    ("self", W::SourceSelf),
    ("hakeem", W::SourceHakeem),
    ("injection", W::SourceInjection),
    ("steroid", W::SourceSteroid),
];

pub const SEVERITY: [(&str, W); 3] =
    [("mild", W::SeverityMild), ("severe", W::SeveritySevere), ("unknown", W::SeverityUnknown)];

pub const CERTAINTY: [(&str, W); 2] =
    [("provisional", W::CertaintyProvisional), ("confirmed", W::CertaintyConfirmed)];

pub const YES_NO: [(&str, W); 3] = [("yes", W::Yes), ("no", W::No), ("unsure", W::VisitUnsure)];

pub const DISPOSITION: [(&str, W); 5] = [
    ("home", W::DispHome),
    ("referred", W::DispReferred),
    ("admitted", W::DispAdmitted),
    ("left", W::DispLeft),
    ("died", W::DispDied),
];

pub const FORM: [(&str, W); 12] = [
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

pub const RESULT: [(&str, W); 4] = [
    ("positive", W::TestPositive),
    ("negative", W::TestNegative),
    ("invalid", W::TestInvalid),
    ("trace", W::TestTrace),
];

pub const FOOD: [(Food, &str, W); 4] = [
    (Food::Any, "any", W::FoodAny),
    (Food::Before, "before", W::FoodBefore),
    (Food::After, "after", W::FoodAfter),
    (Food::With, "with", W::FoodWith),
];

pub fn test(test: PocTest) -> W {
    match test {
        PocTest::Glucose => W::TestGlucose,
        PocTest::Hemoglobin => W::TestHemoglobin,
        PocTest::MalariaRdt => W::TestMalaria,
        PocTest::UrineProtein => W::TestUrineProtein,
        PocTest::UrineGlucose => W::TestUrineGlucose,
        PocTest::PregnancyTest => W::TestPregnancy,
    }
}

/// A dose in the screen's language.
pub fn dose(line: &MedicineLine) -> String {
    if lang() == Lang::Ur { line.in_urdu() } else { line.in_english() }
}

/// "Amoxicillin 500 mg capsule".
pub fn medicine(line: &MedicineLine) -> String {
    let form = of(&FORM, &line.form);
    [line.generic.as_str(), line.strength.as_str(), form.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
