//! What the limits say of a value, as a person reads it: a word, an arrow and a color.

use leptos::prelude::*;
use rabta_domain::vitals::{Measured, Months, PocTest, Tested, Verdict, Vital};

use crate::W;
use crate::format::fixed;
use crate::icon::{self, Icon};
use crate::parts::Draw;
use crate::prefs::t;

/// A verdict, and on which side of the usual it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    pub verdict: Verdict,
    /// `None` where a result is words.
    pub high: Option<bool>,
}

/// How far up the usual is looked for, in steps of a twentieth of the value.
const STEPS: u32 = 60;

impl Judged {
    pub fn measured(measured: &Measured, age: Months) -> Self {
        let at = |value: f64| Measured { value: fixed(value, 2), ..measured.clone() }.judge(age);
        Judged { verdict: measured.judge(age), high: side(&measured.value, at) }
    }

    pub fn tested(tested: &Tested, age: Months) -> Self {
        let numeric = matches!(tested.test, PocTest::Glucose | PocTest::Hemoglobin);
        let at = |value: f64| Tested { value: fixed(value, 2), ..tested.clone() }.judge(age);
        Judged { verdict: tested.judge(age), high: if numeric { side(&tested.value, at) } else { None } }
    }

    /// Deserves to be read first.
    pub fn stands_out(self) -> bool {
        matches!(self.verdict, Verdict::Abnormal | Verdict::Critical)
    }

    pub fn word(self) -> Option<W> {
        Some(match (self.verdict, self.high) {
            (Verdict::Usual, _) => return None,
            (Verdict::Abnormal, Some(true)) => W::VisitHigh,
            (Verdict::Abnormal, Some(false)) => W::VisitLow,
            (Verdict::Abnormal, None) => W::VisitAbnormal,
            (Verdict::Critical, Some(false)) => W::VisitVeryLow,
            (Verdict::Critical, _) => W::VisitVeryHigh,
            (Verdict::Unlikely, _) => W::VisitUnlikely,
            (Verdict::Impossible, _) => W::VisitImpossible,
            (Verdict::NotANumber, _) => W::VisitNotNumber,
        })
    }

    pub fn icon(self) -> Icon {
        match (self.verdict, self.high) {
            (Verdict::Impossible | Verdict::NotANumber, _) => icon::STOP,
            (Verdict::Unlikely, _) => icon::QUESTION,
            (_, Some(true)) => icon::UP,
            (_, Some(false)) => icon::DOWN,
            _ => icon::ALERT,
        }
    }

    /// Style of the words and the box.
    pub fn class(self) -> &'static str {
        match self.verdict {
            Verdict::Usual => "",
            Verdict::Abnormal | Verdict::Unlikely => "amber",
            Verdict::Critical | Verdict::Impossible | Verdict::NotANumber => "red",
        }
    }

    /// The word with its sign; nothing for what is usual.
    pub fn view(self) -> AnyView {
        match self.word() {
            None => ().into_any(),
            Some(word) => {
                let class = format!("verdict {}", self.class());
                view! { <p class=class><Draw icon=self.icon() /><span>{t(word)}</span></p> }.into_any()
            }
        }
    }
}

/// Above the usual, unless something larger is usual.
fn side(value: &str, at: impl Fn(f64) -> Verdict) -> Option<bool> {
    let number = rabta_domain::vitals::number(value)?.to_f64();
    let step = (number.abs() / 20.0).max(0.05);
    Some(!(1..=STEPS).any(|i| at(number + step * f64::from(i)) == Verdict::Usual))
}

/// The name by which forms and tests know a vital.
pub fn vital_code(vital: Vital) -> &'static str {
    match vital {
        Vital::Systolic => "systolic",
        Vital::Diastolic => "diastolic",
        Vital::Pulse => "pulse",
        Vital::Breathing => "breathing",
        Vital::Spo2 => "spo2",
        Vital::Temperature => "temperature",
        Vital::Weight => "weight",
        Vital::Height => "height",
        Vital::HeadCircumference => "head-circumference",
        Vital::Muac => "muac",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(vital: Vital, value: &str, unit: &str) -> Judged {
        let measured =
            Measured { vital, value: value.into(), unit: unit.into(), estimated: false, confirmed: false };
        Judged::measured(&measured, Months::UNKNOWN)
    }

    #[test]
    fn a_value_knows_on_which_side_of_the_usual_it_is() {
        assert_eq!(judged(Vital::Systolic, "150", "mm[Hg]").high, Some(true));
        assert_eq!(judged(Vital::Systolic, "84", "mm[Hg]").high, Some(false));
        assert_eq!(judged(Vital::Temperature, "103", "[degF]").high, Some(true));
        assert_eq!(judged(Vital::Temperature, "94.5", "[degF]").high, Some(false));
        assert_eq!(judged(Vital::Spo2, "86", "%").high, Some(false));
    }
}
