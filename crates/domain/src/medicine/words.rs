//! A dose in words that a patient can follow. The Urdu is to be checked by native-speaking clinicians.

use super::{Amount, Course, DoseUnit, Food, MedicineLine, Moment};

impl MedicineLine {
    /// "1 tablet in the morning and at night, after food, for 5 days"; the dose as entered where it is not read.
    pub fn in_english(&self) -> String {
        let Some(course) = self.course() else { return self.dose.trim().to_owned() };
        let mut parts = Vec::new();
        if course.once {
            let (_, amount) = course.doses[0];
            parts.push(format!("{} now, once", english_amount(amount, course.unit, &self.form)));
        } else if let Some(hours) = course.every_hours {
            let (_, amount) = course.doses[0];
            parts.push(format!("{} every {hours} hours", english_amount(amount, course.unit, &self.form)));
        } else {
            for (amount, moments) in course.by_amount() {
                let words: Vec<&str> = moments.iter().map(|m| english_moment(*m, &course)).collect();
                let when = join(&words, " and ").replace("  ", " ");
                parts.push(
                    format!("{} {when}", english_amount(amount, course.unit, &self.form)).trim().to_owned(),
                );
            }
        }
        if course.as_needed {
            parts.push("when needed".into());
        }
        match self.food {
            Food::Any => {}
            Food::Before => parts.push("before food".into()),
            Food::After => parts.push("after food".into()),
            Food::With => parts.push("with food".into()),
        }
        match self.days {
            0 if course.as_needed || course.once => {}
            0 => parts.push("until told otherwise".into()),
            1 => parts.push("for 1 day".into()),
            n => parts.push(format!("for {n} days")),
        }
        parts.join(", ")
    }

    /// The same in Urdu; the dose as entered where it is not read.
    pub fn in_urdu(&self) -> String {
        let Some(course) = self.course() else { return self.dose.trim().to_owned() };
        let mut parts = Vec::new();
        if course.once {
            let (_, amount) = course.doses[0];
            parts.push(format!("{} ابھی ایک بار", urdu_amount(amount, course.unit, &self.form)));
        } else if let Some(hours) = course.every_hours {
            let (_, amount) = course.doses[0];
            parts.push(format!("{} ہر {hours} گھنٹے بعد", urdu_amount(amount, course.unit, &self.form)));
        } else {
            for (amount, moments) in course.by_amount() {
                let words: Vec<&str> = moments.iter().map(|m| urdu_moment(*m, &course)).collect();
                let when = join(&words, " اور ");
                parts.push(
                    format!("{} {when}", urdu_amount(amount, course.unit, &self.form)).trim().to_owned(),
                );
            }
        }
        if course.as_needed {
            parts.push("ضرورت پڑنے پر".into());
        }
        match self.food {
            Food::Any => {}
            Food::Before => parts.push("کھانے سے پہلے".into()),
            Food::After => parts.push("کھانے کے بعد".into()),
            Food::With => parts.push("کھانے کے ساتھ".into()),
        }
        match self.days {
            0 if course.as_needed || course.once => {}
            0 => parts.push("جب تک ڈاکٹر منع نہ کرے".into()),
            n => parts.push(format!("{n} دن تک")),
        }
        parts.join("، ")
    }

    /// How much to hand out: "10 tablets", "60 ml"; `None` where the days or the dose do not say.
    pub fn quantity_in_english(&self) -> Option<String> {
        let course = self.course()?;
        let total = course.total(self.days)?;
        let unit = if course.unit == DoseUnit::Teaspoon { DoseUnit::Milliliter } else { course.unit };
        Some(english_amount(total.rounded_up(unit), unit, &self.form))
    }

    /// The same in Urdu.
    pub fn quantity_in_urdu(&self) -> Option<String> {
        let course = self.course()?;
        let total = course.total(self.days)?;
        let unit = if course.unit == DoseUnit::Teaspoon { DoseUnit::Milliliter } else { course.unit };
        let total = total.rounded_up(unit);
        Some(format!("{} {}", total.decimal(), urdu_unit(unit, &self.form)))
    }
}

impl Amount {
    /// Nobody is handed half a tablet.
    fn rounded_up(self, unit: DoseUnit) -> Self {
        match unit {
            DoseUnit::Piece => Self { numerator: self.numerator.div_ceil(self.denominator), denominator: 1 },
            _ => self,
        }
    }

    fn is_at_most_one(self) -> bool {
        self.numerator <= self.denominator
    }
}

impl DoseUnit {
    /// The unit in words, singular, for a FHIR Quantity without a code.
    pub fn english(self, form: &str) -> String {
        match self {
            Self::Piece if form.is_empty() => "piece".into(),
            Self::Piece => form.into(),
            Self::Milliliter => "ml".into(),
            Self::Teaspoon => "teaspoon".into(),
            Self::Milligram => "mg".into(),
            Self::Drop => "drop".into(),
            Self::Puff => "puff".into(),
            Self::InternationalUnit => "unit".into(),
            Self::Application => "application".into(),
        }
    }
}

fn english_amount(amount: Amount, unit: DoseUnit, form: &str) -> String {
    if unit == DoseUnit::Application {
        return "apply".into();
    }
    let (whole, rest) = (amount.numerator / amount.denominator, amount.numerator % amount.denominator);
    let number = match (whole, rest, amount.denominator) {
        (_, 0, _) => whole.to_string(),
        (0, 1, 2) => "half a".into(),
        (0, 1, 3) => "a third of a".into(),
        (0, 1, 4) => "a quarter of a".into(),
        (0, 3, 4) => "three quarters of a".into(),
        (_, 1, 2) => format!("{whole}½"),
        (_, 1, 4) => format!("{whole}¼"),
        (_, 3, 4) => format!("{whole}¾"),
        _ => amount.decimal(),
    };
    // "half a ml" is said by nobody.
    let number =
        if matches!(unit, DoseUnit::Milliliter | DoseUnit::Milligram) { amount.decimal() } else { number };
    let name = unit.english(form);
    let plural = !amount.is_at_most_one()
        && !matches!(unit, DoseUnit::Milliliter | DoseUnit::Milligram)
        && !name.ends_with('s');
    let unit = match (unit, amount.denominator) {
        (DoseUnit::Teaspoon, 1) => format!("{name}{} ({} ml)", if plural { "s" } else { "" }, whole * 5),
        _ if plural => format!("{name}s"),
        _ => name,
    };
    format!("{number} {unit}")
}

fn english_moment(moment: Moment, course: &Course) -> &'static str {
    match moment {
        Moment::Morning => "in the morning",
        Moment::Noon => "at noon",
        Moment::Evening => "in the evening",
        Moment::Night => "at night",
        Moment::Bedtime => "at bedtime",
        Moment::AnyTime => match course.period_days {
            _ if course.as_needed => "",
            1 => "once a day",
            2 => "every other day",
            _ => "once a week",
        },
    }
}

fn urdu_amount(amount: Amount, unit: DoseUnit, form: &str) -> String {
    if unit == DoseUnit::Application {
        return "لگائیں".into();
    }
    let feminine = unit == DoseUnit::Piece && matches!(form, "tablet" | "");
    let number = match (amount.numerator, amount.denominator) {
        _ if matches!(unit, DoseUnit::Milliliter | DoseUnit::Milligram) => amount.decimal(),
        (1, 1) => "ایک".into(),
        (2, 1) => "دو".into(),
        (3, 1) => "تین".into(),
        (4, 1) => "چار".into(),
        (1, 2) if feminine => "آدھی".into(),
        (1, 2) => "آدھا".into(),
        (1, 4) => "چوتھائی".into(),
        (3, 4) => "پون".into(),
        (3, 2) => "ڈیڑھ".into(),
        (5, 2) => "ڈھائی".into(),
        _ => amount.decimal(),
    };
    let spoon = match (unit, amount.denominator) {
        (DoseUnit::Teaspoon, 1) => format!(" ({} ملی لیٹر)", amount.numerator * 5),
        _ => String::new(),
    };
    let unit = if unit == DoseUnit::Piece
        && matches!(form, "tablet" | "")
        && !amount.is_at_most_one()
        && amount.numerator >= 2 * amount.denominator
    {
        "گولیاں".to_owned()
    } else {
        urdu_unit(unit, form).to_owned()
    };
    format!("{number} {unit}{spoon}")
}

fn urdu_unit(unit: DoseUnit, form: &str) -> &'static str {
    match unit {
        DoseUnit::Piece => match form {
            "capsule" => "کیپسول",
            "sachet" => "ساشے",
            "injection" => "ٹیکہ",
            "suppository" | "pessary" => "بتی",
            "infusion" => "ڈرپ",
            "implant" => "امپلانٹ",
            _ => "گولی",
        },
        DoseUnit::Milliliter => "ملی لیٹر",
        DoseUnit::Teaspoon => "چائے کا چمچ",
        DoseUnit::Milligram => "ملی گرام",
        DoseUnit::Drop => "قطرے",
        DoseUnit::Puff => "پف",
        DoseUnit::InternationalUnit => "یونٹ",
        DoseUnit::Application => "لگائیں",
    }
}

fn urdu_moment(moment: Moment, course: &Course) -> &'static str {
    match moment {
        Moment::Morning => "صبح",
        Moment::Noon => "دوپہر",
        Moment::Evening => "شام",
        Moment::Night => "رات",
        Moment::Bedtime => "سوتے وقت",
        Moment::AnyTime => match course.period_days {
            _ if course.as_needed => "",
            1 => "دن میں ایک بار",
            2 => "ایک دن چھوڑ کر",
            _ => "ہفتے میں ایک بار",
        },
    }
}

fn join(words: &[&str], and: &str) -> String {
    let comma = if and.contains("and") { ", " } else { "، " };
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [all @ .., last] => format!("{}{and}{last}", all.join(comma)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(form: &str, dose: &str, food: Food, days: u16) -> MedicineLine {
        MedicineLine { form: form.into(), dose: dose.into(), food, days, ..MedicineLine::default() }
    }

    #[test]
    fn doses_become_words_in_both_languages() {
        let cases = [
            (
                "tablet",
                "1+0+1",
                Food::After,
                5,
                "1 tablet in the morning and at night, after food, for 5 days",
                "ایک گولی صبح اور رات، کھانے کے بعد، 5 دن تک",
            ),
            (
                "tablet",
                "1/2+0+1/2",
                Food::Any,
                1,
                "half a tablet in the morning and at night, for 1 day",
                "آدھی گولی صبح اور رات، 1 دن تک",
            ),
            (
                "tablet",
                "1+0+2",
                Food::Any,
                3,
                "1 tablet in the morning, 2 tablets at night, for 3 days",
                "ایک گولی صبح، دو گولیاں رات، 3 دن تک",
            ),
            (
                "syrup",
                "5 ml TDS",
                Food::Any,
                7,
                "5 ml in the morning, at noon and at night, for 7 days",
                "5 ملی لیٹر صبح، دوپہر اور رات، 7 دن تک",
            ),
            (
                "syrup",
                "1 tsp bd",
                Food::Any,
                7,
                "1 teaspoon (5 ml) in the morning and in the evening, for 7 days",
                "ایک چائے کا چمچ (5 ملی لیٹر) صبح اور شام، 7 دن تک",
            ),
            (
                "capsule",
                "HS",
                Food::Any,
                0,
                "1 capsule at bedtime, until told otherwise",
                "ایک کیپسول سوتے وقت، جب تک ڈاکٹر منع نہ کرے",
            ),
            (
                "tablet",
                "SOS",
                Food::After,
                0,
                "1 tablet, when needed, after food",
                "ایک گولی، ضرورت پڑنے پر، کھانے کے بعد",
            ),
            ("injection", "stat", Food::Any, 0, "1 injection now, once", "ایک ٹیکہ ابھی ایک بار"),
            (
                "inhaler",
                "2 puffs q6h sos",
                Food::Any,
                0,
                "2 puffs every 6 hours, when needed",
                "دو پف ہر 6 گھنٹے بعد، ضرورت پڑنے پر",
            ),
            (
                "cream",
                "BD",
                Food::Any,
                10,
                "apply in the morning and in the evening, for 10 days",
                "لگائیں صبح اور شام، 10 دن تک",
            ),
            (
                "tablet",
                "1 weekly",
                Food::Any,
                28,
                "1 tablet once a week, for 28 days",
                "ایک گولی ہفتے میں ایک بار، 28 دن تک",
            ),
        ];
        for (form, dose, food, days, english, urdu) in cases {
            let line = line(form, dose, food, days);
            assert_eq!(line.in_english(), english, "{dose}");
            assert_eq!(line.in_urdu(), urdu, "{dose}");
        }
    }

    #[test]
    fn a_dose_that_could_mean_two_things_is_not_read() {
        for (form, dose) in [
            ("syrup", "1+0+1"),
            ("syrup", "TDS"),
            ("drops", "BD"),
            ("tablet", ""),
            ("tablet", "1"),
            ("tablet", "0+0+0"),
            ("tablet", "1+0+1 BD"),
            ("tablet", "BD TDS"),
            ("tablet", "1+1+1+1+1"),
            ("tablet", "1/0 BD"),
            ("tablet", "as told"),
            ("", "1+0+1"),
        ] {
            assert_eq!(line(form, dose, Food::Any, 5).course(), None, "{form} {dose}");
        }
    }

    #[test]
    fn ways_of_writing_the_same_dose_are_the_same() {
        for (a, b) in [
            ("1+0+1", "1 + 0 + 1"),
            ("1+0+1", "1-0-1"),
            ("1+0+1", "۱+۰+۱"),
            ("½+0+½", "0.5+0+0.5"),
            ("tds", "T.D.S."),
            ("5ml BD", "5 ml bd"),
            ("1 1/2 od", "1.5 OD"),
            ("2 q6h", "2 6 hourly"),
        ] {
            let read = |dose: &str| line("tablet", dose, Food::Any, 5).course();
            assert!(read(a).is_some(), "{a}");
            assert_eq!(read(a), read(b), "{a} {b}");
        }
    }

    #[test]
    fn the_quantity_is_what_the_days_take() {
        let quantity =
            |form: &str, dose: &str, days: u16| line(form, dose, Food::Any, days).quantity_in_english();
        assert_eq!(quantity("tablet", "1+0+1", 5).as_deref(), Some("10 tablets"));
        assert_eq!(quantity("tablet", "1/2+0+0", 5).as_deref(), Some("3 tablets"));
        assert_eq!(quantity("syrup", "1 tsp TDS", 5).as_deref(), Some("75 ml"));
        assert_eq!(quantity("tablet", "1 weekly", 28).as_deref(), Some("4 tablets"));
        assert_eq!(quantity("tablet", "1 q6h", 2).as_deref(), Some("8 tablets"));
        assert_eq!(quantity("tablet", "SOS", 5), None);
        assert_eq!(quantity("tablet", "BD", 0), None);
    }
}
