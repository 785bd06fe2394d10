//! Limits by age. Every number has its source beside it:
//!
//! - **IMCI**: WHO/UNICEF, Integrated Management of Childhood Illness, chart booklet, 2014.
//! - **PSBI**: WHO, Managing possible serious bacterial infection in young infants, 2015.
//! - **Pocket**: WHO, Pocket book of hospital care for children, 2nd edition, 2013.
//! - **PALS**: American Heart Association, Pediatric Advanced Life Support, 2020.
//! - **NEWS2**: Royal College of Physicians, National Early Warning Score 2, 2017.
//! - **ISH**: International Society of Hypertension, global practice guidelines, 2020.
//! - **MUAC**: WHO/UNICEF, WHO child growth standards and the identification of severe acute malnutrition, 2009.
//! - **Hb**: WHO, Haemoglobin concentrations for the diagnosis of anaemia, 2011.
//! - **ADA**: American Diabetes Association, Standards of Care, 2024.
//!
//! What is *unlikely* or *impossible* is about slips of the finger, not about illness: wide, ours, and to be
//! reviewed with clinicians.

use super::{Measured, PocTest, Tested, Verdict, Vital, convert, number};

/// Completed months of age: the youngest and the oldest that the patient can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Months {
    pub low: u32,
    pub high: u32,
}

impl Months {
    /// Nobody's age said: judged as an adult's.
    pub const UNKNOWN: Self = Self { low: 30 * 12, high: 30 * 12 };

    pub fn years(n: u32) -> Self {
        Self { low: n * 12, high: n * 12 + 11 }
    }
}

impl From<(u32, u32)> for Months {
    fn from((low, high): (u32, u32)) -> Self {
        Self { low, high }
    }
}

/// Closed ranges. `possible` is the widest: outside it nobody lives. Outside `likely` a slip is likelier than the
/// value. Outside `calm` something must be done now; outside `usual` it deserves a look.
struct Limits {
    possible: (f64, f64),
    likely: (f64, f64),
    calm: (f64, f64),
    usual: (f64, f64),
}

const ANY: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

impl Limits {
    fn judge(&self, value: f64, confirmed: bool) -> Verdict {
        let outside = |(low, high): (f64, f64)| value < low || value > high;
        if outside(self.possible) {
            Verdict::Impossible
        } else if outside(self.likely) && !confirmed {
            Verdict::Unlikely
        } else if outside(self.calm) || outside(self.likely) {
            Verdict::Critical
        } else if outside(self.usual) {
            Verdict::Abnormal
        } else {
            Verdict::Usual
        }
    }
}

impl Measured {
    /// What to do with this value at this age. Where the age is a span, a value is a slip only if it is one at both
    /// ends, and else the graver verdict holds.
    pub fn judge(&self, age: Months) -> Verdict {
        let unit = match self.vital {
            Vital::Systolic | Vital::Diastolic => "mm[Hg]",
            Vital::Pulse | Vital::Breathing => "/min",
            Vital::Spo2 => "%",
            Vital::Temperature => "Cel",
            Vital::Weight => "kg",
            Vital::Height | Vital::HeadCircumference | Vital::Muac => "cm",
        };
        let Some(value) = number(&self.value).and_then(|v| convert(v.to_f64(), &self.unit, unit)) else {
            return Verdict::NotANumber;
        };
        // Fahrenheit to Celsius is not exact in binary: 104 [degF] is 40 Cel, not a hair over it.
        let value = (value * 1e6).round() / 1e6;
        both(age, |months| vital_limits(self.vital, months).judge(value, self.confirmed))
    }
}

impl Tested {
    /// What to do with this result at this age.
    pub fn judge(&self, age: Months) -> Verdict {
        let unit = match self.test {
            PocTest::Glucose => "mg/dL",
            PocTest::Hemoglobin => "g/dL",
            _ => return self.judge_words(),
        };
        let Some(value) = number(&self.value).and_then(|v| convert(v.to_f64(), &self.unit, unit)) else {
            return Verdict::NotANumber;
        };
        let value = (value * 1e6).round() / 1e6;
        both(age, |months| test_limits(self.test, months).judge(value, self.confirmed))
    }

    fn judge_words(&self) -> Verdict {
        match (self.test, self.value.trim()) {
            (PocTest::PregnancyTest, "positive" | "negative" | "invalid") => Verdict::Usual,
            (PocTest::MalariaRdt, "positive") => Verdict::Abnormal,
            (PocTest::MalariaRdt, "negative" | "invalid") => Verdict::Usual,
            (PocTest::UrineProtein | PocTest::UrineGlucose, "0" | "negative" | "trace") => Verdict::Usual,
            (PocTest::UrineProtein | PocTest::UrineGlucose, "1+" | "2+" | "3+" | "4+" | "positive") => {
                Verdict::Abnormal
            }
            _ => Verdict::NotANumber,
        }
    }
}

/// The two numbers of one blood pressure against each other: the diastolic is below the systolic, and by more than
/// a hair. `Usual` where nothing is wrong with the pair, or one of them is not a number (said elsewhere).
pub fn judge_pressure(systolic: &str, diastolic: &str, confirmed: bool) -> Verdict {
    let (Some(systolic), Some(diastolic)) = (number(systolic), number(diastolic)) else {
        return Verdict::Usual;
    };
    let difference = systolic.to_f64() - diastolic.to_f64();
    if difference <= 0.0 {
        Verdict::Impossible
    } else if difference < 10.0 && !confirmed {
        Verdict::Unlikely
    } else {
        Verdict::Usual
    }
}

fn both(age: Months, judge: impl Fn(u32) -> Verdict) -> Verdict {
    let rank = |v: &Verdict| match v {
        Verdict::Usual => 0,
        Verdict::Abnormal => 1,
        Verdict::Critical => 2,
        Verdict::Unlikely => 3,
        Verdict::Impossible => 4,
        Verdict::NotANumber => 5,
    };
    let (young, old) = (judge(age.low), judge(age.high));
    let slip = |v: &Verdict| rank(v) >= 3;
    match (slip(&young), slip(&old)) {
        (false, false) => std::cmp::max_by_key(young, old, rank),
        (true, true) => std::cmp::min_by_key(young, old, rank),
        (true, false) => old,
        (false, true) => young,
    }
}

fn vital_limits(vital: Vital, months: u32) -> Limits {
    let years = f64::from(months) / 12.0;
    match vital {
        Vital::Systolic => {
            // PALS: hypotension below 60 (newborn), 70 (to 1 year), 70 + 2 x age (to 10), 90.
            let low = match months {
                0 => 60.0,
                1..=11 => 70.0,
                12..=119 => 70.0 + 2.0 * years.floor(),
                _ => 90.0,
            };
            // ISH: hypertension from 140, crisis from 180. Below 13 years tables by height apply, which a slip of
            // paper does not have: 120 deserves a look.
            let usual = if months < 13 * 12 { (low, 119.0) } else { (100.0, 139.0) };
            Limits { possible: (30.0, 300.0), likely: (50.0, 250.0), calm: (low, 179.0), usual }
        }
        Vital::Diastolic => {
            let usual = if months < 13 * 12 { (30.0, 79.0) } else { (60.0, 89.0) };
            // ISH: grade 1 from 90; a crisis with the systolic, from 120 alone.
            Limits { possible: (10.0, 200.0), likely: (25.0, 150.0), calm: (25.0, 119.0), usual }
        }
        Vital::Pulse => {
            // Pocket, table of normal pulse by age; from 12 years NEWS2 (0 points 51-90, 3 points <= 40, >= 131).
            let (usual, calm, likely) = match months {
                0..=11 => ((100.0, 160.0), (80.0, 180.0), (50.0, 260.0)),
                12..=35 => ((90.0, 150.0), (70.0, 170.0), (45.0, 240.0)),
                36..=71 => ((80.0, 140.0), (60.0, 160.0), (40.0, 230.0)),
                72..=143 => ((70.0, 120.0), (55.0, 150.0), (35.0, 220.0)),
                _ => ((51.0, 100.0), (41.0, 130.0), (30.0, 220.0)),
            };
            Limits { possible: (10.0, 350.0), likely, calm, usual }
        }
        Vital::Breathing => {
            // IMCI: fast from 60 (under 2 months), 50 (to 12 months), 40 (to 5 years). Pocket: from 70 very severe.
            // Older: NEWS2, 12-20 without points, 25 and 8 with three.
            let (usual, calm, likely) = match months {
                0..=1 => ((30.0, 59.0), (20.0, 69.0), (12.0, 120.0)),
                2..=11 => ((25.0, 49.0), (18.0, 69.0), (12.0, 120.0)),
                12..=59 => ((20.0, 39.0), (15.0, 59.0), (10.0, 100.0)),
                60..=143 => ((16.0, 30.0), (12.0, 40.0), (8.0, 80.0)),
                _ => ((12.0, 20.0), (9.0, 24.0), (6.0, 60.0)),
            };
            Limits { possible: (1.0, 160.0), likely, calm, usual }
        }
        // Pocket, and WHO, Oxygen therapy for children, 2016: oxygen below 90 %; below 94 % a look.
        Vital::Spo2 => Limits {
            possible: (20.0, 100.0),
            likely: (50.0, 100.0),
            calm: (90.0, ANY.1),
            usual: (94.0, ANY.1),
        },
        Vital::Temperature => {
            // PSBI: in the first two months, below 35.5 and from 37.5 (38.0 in the 2015 guideline; the chart
            // booklet's 37.5 is the safer) is a danger sign. IMCI: fever from 37.5. NEWS2: three points to 35.0.
            let (usual, calm) = match months {
                0..=1 => ((36.5, 37.49), (35.5, 37.49)),
                _ => ((35.6, 37.49), (35.05, 39.99)),
            };
            Limits { possible: (20.0, 45.0), likely: (32.0, 42.0), calm, usual }
        }
        Vital::Weight => {
            let (low, high) = between(WEIGHT, months);
            Limits {
                possible: ((low / 2.0).max(0.3), (high * 2.0).min(400.0)),
                likely: (low, high),
                calm: ANY,
                usual: ANY,
            }
        }
        Vital::Height => {
            let (low, high) = between(HEIGHT, months);
            Limits {
                possible: (low * 0.6, (high * 1.3).min(260.0)),
                likely: (low, high),
                calm: ANY,
                usual: ANY,
            }
        }
        Vital::HeadCircumference => {
            let (low, high) = between(HEAD, months);
            Limits { possible: (15.0, 80.0), likely: (low, high), calm: ANY, usual: ANY }
        }
        Vital::Muac => match months {
            // MUAC, 6 to 59 months: below 11.5 cm severe, below 12.5 moderate.
            6..=59 => Limits {
                possible: (5.0, 40.0),
                likely: (7.0, 25.0),
                calm: (11.5, ANY.1),
                usual: (12.5, ANY.1),
            },
            0..=5 => Limits { possible: (4.0, 30.0), likely: (6.0, 20.0), calm: ANY, usual: ANY },
            // From 15 years below 23 cm deserves a look (pregnant and breastfeeding women's programs).
            180.. => Limits { possible: (7.0, 80.0), likely: (12.0, 55.0), calm: ANY, usual: (23.0, ANY.1) },
            _ => Limits { possible: (5.0, 60.0), likely: (8.0, 45.0), calm: ANY, usual: ANY },
        },
    }
}

fn test_limits(test: PocTest, months: u32) -> Limits {
    match test {
        // ADA: below 54 clinically important, below 70 low; from 200 at random diabetes. 300 is ours.
        PocTest::Glucose => Limits {
            possible: (5.0, 1500.0),
            likely: (20.0, 600.0),
            calm: (54.0, 299.99),
            usual: (70.0, 199.99),
        },
        // Hb: severe below 7 (under 5 years) or 8; anemia below 11 (under 5), 11.5 (5-11 years), 12.
        _ => {
            let (severe, anemia) = match months {
                0..=59 => (7.0, 11.0),
                60..=143 => (8.0, 11.5),
                _ => (8.0, 12.0),
            };
            Limits {
                possible: (1.0, 30.0),
                likely: (3.0, 23.0),
                calm: (severe, ANY.1),
                usual: (anemia, 18.5),
            }
        }
    }
}

/// (months, low, high). About five standard deviations around the medians of the WHO growth standards (2006) and
/// references (2007), rounded outwards; adults are ours.
const WEIGHT: &[(u32, f64, f64)] = &[
    (0, 0.8, 7.0),
    (3, 2.5, 11.0),
    (6, 3.5, 14.0),
    (12, 4.5, 18.0),
    (24, 6.0, 24.0),
    (60, 9.0, 45.0),
    (120, 14.0, 90.0),
    (180, 22.0, 140.0),
    (216, 25.0, 200.0),
];
const HEIGHT: &[(u32, f64, f64)] = &[
    (0, 35.0, 65.0),
    (6, 50.0, 80.0),
    (12, 58.0, 92.0),
    (24, 66.0, 106.0),
    (60, 84.0, 135.0),
    (120, 105.0, 172.0),
    (180, 120.0, 205.0),
    (216, 120.0, 215.0),
];
const HEAD: &[(u32, f64, f64)] =
    &[(0, 25.0, 43.0), (6, 34.0, 52.0), (24, 39.0, 58.0), (60, 42.0, 62.0), (216, 45.0, 70.0)];

fn between(table: &[(u32, f64, f64)], months: u32) -> (f64, f64) {
    let after = table.iter().position(|row| row.0 > months);
    match after {
        Some(0) => (table[0].1, table[0].2),
        None => (table[table.len() - 1].1, table[table.len() - 1].2),
        Some(i) => {
            let (a, b) = (table[i - 1], table[i]);
            let part = f64::from(months - a.0) / f64::from(b.0 - a.0);
            (a.1 + (b.1 - a.1) * part, a.2 + (b.2 - a.2) * part)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(vital: Vital, value: &str, unit: &str, months: u32) -> Verdict {
        let age = Months { low: months, high: months };
        Measured { vital, value: value.into(), unit: unit.into(), estimated: false, confirmed: false }
            .judge(age)
    }

    #[test]
    fn breathing_follows_imci_at_each_age() {
        for (months, limit) in [(1, 60), (2, 50), (11, 50), (12, 40), (59, 40)] {
            let at = |n: i32| judge(Vital::Breathing, &n.to_string(), "/min", months);
            assert_eq!(at(limit - 1), Verdict::Usual, "{months} months, {}", limit - 1);
            assert_ne!(at(limit), Verdict::Usual, "{months} months, {limit}");
        }
    }

    #[test]
    fn an_unlikely_value_asks_and_an_impossible_one_is_refused() {
        assert_eq!(judge(Vital::Temperature, "986", "[degF]", 400), Verdict::Impossible);
        assert_eq!(judge(Vital::Temperature, "108", "[degF]", 400), Verdict::Unlikely);
        assert_eq!(judge(Vital::Temperature, "98.6", "[degF]", 400), Verdict::Usual);
        assert_eq!(judge(Vital::Temperature, "104", "[degF]", 400), Verdict::Critical);
        assert_eq!(judge(Vital::Temperature, "98.6", "Cel", 400), Verdict::Impossible);
        assert_eq!(judge(Vital::Weight, "70", "kg", 6), Verdict::Impossible);
        assert_eq!(judge(Vital::Weight, "16", "kg", 6), Verdict::Unlikely);
        assert_eq!(judge(Vital::Weight, "7.2", "kg", 6), Verdict::Usual);
        assert_eq!(judge(Vital::Weight, "3100", "g", 0), Verdict::Usual);
        assert_eq!(judge(Vital::Spo2, "101", "%", 400), Verdict::Impossible);
        assert_eq!(judge(Vital::Pulse, "abc", "/min", 400), Verdict::NotANumber);
        assert_eq!(judge(Vital::Pulse, "80", "kg", 400), Verdict::NotANumber);
    }

    #[test]
    fn a_confirmed_unlikely_value_is_shown_as_critical() {
        let mut hot = Measured {
            vital: Vital::Temperature,
            value: "42.5".into(),
            unit: "Cel".into(),
            estimated: false,
            confirmed: false,
        };
        assert_eq!(hot.judge(Months::UNKNOWN), Verdict::Unlikely);
        hot.confirmed = true;
        assert_eq!(hot.judge(Months::UNKNOWN), Verdict::Critical);
    }

    #[test]
    fn muac_is_severe_below_115_mm() {
        assert_eq!(judge(Vital::Muac, "114", "mm", 24), Verdict::Critical);
        assert_eq!(judge(Vital::Muac, "11.5", "cm", 24), Verdict::Abnormal);
        assert_eq!(judge(Vital::Muac, "12.5", "cm", 24), Verdict::Usual);
    }

    #[test]
    fn an_age_that_is_a_span_takes_the_graver_end_but_no_false_slip() {
        let fast = Measured {
            vital: Vital::Breathing,
            value: "45".into(),
            unit: "/min".into(),
            estimated: false,
            confirmed: false,
        };
        assert_eq!(fast.judge(Months { low: 11, high: 13 }), Verdict::Abnormal);
        let heavy = Measured {
            vital: Vital::Weight,
            value: "20".into(),
            unit: "kg".into(),
            estimated: false,
            confirmed: false,
        };
        assert_eq!(heavy.judge(Months { low: 12, high: 23 }), Verdict::Usual);
    }

    #[test]
    fn a_diastolic_is_below_its_systolic() {
        assert_eq!(judge_pressure("80", "120", false), Verdict::Impossible);
        assert_eq!(judge_pressure("80", "80", true), Verdict::Impossible);
        assert_eq!(judge_pressure("85", "80", false), Verdict::Unlikely);
        assert_eq!(judge_pressure("85", "80", true), Verdict::Usual);
        assert_eq!(judge_pressure("120", "80", false), Verdict::Usual);
    }

    #[test]
    fn tests_have_limits_in_both_units() {
        let glucose = |value: &str, unit: &str| {
            Tested { test: PocTest::Glucose, value: value.into(), unit: unit.into(), confirmed: false }
                .judge(Months::UNKNOWN)
        };
        assert_eq!(glucose("45", "mg/dL"), Verdict::Critical);
        assert_eq!(glucose("2.5", "mmol/L"), Verdict::Critical);
        assert_eq!(glucose("5.5", "mmol/L"), Verdict::Usual);
        assert_eq!(glucose("5.5", "mg/dL"), Verdict::Unlikely);
        let rdt = Tested {
            test: PocTest::MalariaRdt,
            value: "positive".into(),
            unit: String::new(),
            confirmed: false,
        };
        assert_eq!(rdt.judge(Months::UNKNOWN), Verdict::Abnormal);
    }
}
