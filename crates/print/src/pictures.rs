//! When to take what, in pictures, for a patient who does not read: sunrise, noon, sunset and moon, tablets and spoons as
//! shapes with numbers, food before or after, a box for each day. What has no such day gets words and a plain picture.

use rabta_domain::{
    Private,
    medicine::{Amount, Course, DoseUnit, Food, MedicineLine, Moment},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::Date;

use crate::{
    engine::{self, PrintError},
    input::{line, lines, named, paper_name},
    prescription::{Lang, Paper},
    words,
};

/// What stands on the sheet. The diagnosis does not: it lies about at home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetData {
    pub clinic: String,
    pub date: Date,
    pub name: Private<String>,
    /// The same name in Urdu letters, where known.
    #[serde(default)]
    pub name_ur: Option<Private<String>>,
    pub medicines: Vec<MedicineLine>,
}

/// The sheet as a PDF; `signed` false marks it DRAFT.
pub fn medicine_sheet(
    data: &SheetData,
    paper: Paper,
    lang: Lang,
    signed: bool,
) -> Result<Vec<u8>, PrintError> {
    engine::pdf(engine::Page::Pictures, &page(data, paper, lang, signed))
}

fn page(data: &SheetData, paper: Paper, lang: Lang, signed: bool) -> Value {
    let mut name: Vec<String> =
        [Some(&data.name), data.name_ur.as_ref()].into_iter().flatten().map(|n| line(n)).collect();
    if lang == Lang::Ur {
        name.reverse();
    }
    name.dedup();
    name.retain(|n| !n.is_empty());
    json!({
        "paper": paper_name(paper),
        "urdu": lang == Lang::Ur,
        "signed": signed,
        "w": words::sheet(lang),
        "clinic": line(&data.clinic),
        "date": words::date(data.date, lang),
        "name": name,
        "medicines": data.medicines.iter().map(|m| medicine(m, lang)).collect::<Vec<_>>(),
    })
}

fn medicine(medicine: &MedicineLine, lang: Lang) -> Value {
    let course = medicine.course();
    let cells = course.as_ref().and_then(|course| cells(course, &medicine.form));
    let mut doses = vec![medicine.in_english(), medicine.in_urdu()];
    if lang == Lang::Ur {
        doses.reverse();
    }
    doses.dedup();
    let dose =
        course.as_ref().filter(|_| cells.is_none()).map(|course| shapes(course.doses[0].1, course.unit));
    json!({
        "name": named(medicine),
        "picture": picture(course.as_ref().map(|c| c.unit), &medicine.form),
        "cells": cells,
        "bedtime": course.as_ref().is_some_and(|c| c.doses.iter().any(|(m, _)| *m == Moment::Bedtime)),
        "plain": plain(course.as_ref()),
        "hours": course.as_ref().and_then(|c| c.every_hours).map(|h| h.to_string()),
        "dose": dose,
        "doses": doses.iter().map(|d| line(d)).collect::<Vec<_>>(),
        "food": match medicine.food {
            Food::Any => "",
            Food::Before => "before",
            Food::After => "after",
            Food::With => "with",
        },
        // A box each; what lasts longer than a month is said in words.
        "boxes": if cells.is_some() && (1..=31).contains(&medicine.days) { medicine.days } else { 0 },
        "days": days(medicine.days, course.as_ref(), lang),
        "note": lines(&medicine.note),
    })
}

/// Whether a picture of the day tells it all: each day alike, at its moments, by mouth or on the skin.
fn cells(course: &Course, form: &str) -> Option<Vec<Option<Value>>> {
    let plain_day = !course.once
        && !course.as_needed
        && course.every_hours.is_none()
        && course.period_days == 1
        && !matches!(form, "injection" | "infusion" | "implant" | "patch")
        && course.doses.iter().all(|(moment, _)| *moment != Moment::AnyTime);
    if !plain_day {
        return None;
    }
    let of = |wanted: &[Moment]| {
        let (_, amount) = course.doses.iter().find(|(m, _)| wanted.contains(m))?;
        Some(shapes(*amount, course.unit))
    };
    let day = [
        of(&[Moment::Morning]),
        of(&[Moment::Noon]),
        of(&[Moment::Evening]),
        of(&[Moment::Night, Moment::Bedtime]),
    ];
    // Night and bedtime in one cell would lose a dose.
    (day.iter().flatten().count() == course.doses.len()).then(|| day.into())
}

/// How many whole shapes, the broken one, and the number beside them. More than four are a number alone.
fn shapes(amount: Amount, unit: DoseUnit) -> Value {
    let (whole, rest) = (amount.numerator / amount.denominator, amount.numerator % amount.denominator);
    let countable = matches!(unit, DoseUnit::Piece | DoseUnit::Teaspoon | DoseUnit::Drop | DoseUnit::Puff);
    let part = match (rest, amount.denominator) {
        _ if !countable => "",
        (1, 2) => "1/2",
        (1, 4) => "1/4",
        (3, 4) => "3/4",
        (1, 3) => "1/3",
        _ => "",
    };
    let sign = match part {
        "1/2" => "½",
        "1/4" => "¼",
        "3/4" => "¾",
        "1/3" => "⅓",
        _ => "",
    };
    let number = match (unit, whole, sign) {
        (DoseUnit::Application, ..) => String::new(),
        (DoseUnit::Milliliter, ..) => format!("{} ml", amount.decimal()),
        (DoseUnit::Milligram, ..) => format!("{} mg", amount.decimal()),
        (DoseUnit::InternationalUnit, ..) => format!("{} IU", amount.decimal()),
        (_, 0, sign) if !sign.is_empty() => sign.to_owned(),
        (_, whole, sign) if rest == 0 || !sign.is_empty() => format!("{whole}{sign}"),
        _ => amount.decimal(),
    };
    let drawn = countable && whole <= 4 && (rest == 0 || !part.is_empty());
    json!({
        "whole": if drawn { whole } else { 1 },
        "part": if drawn { part } else { "" },
        "number": number,
    })
}

/// What the medicine looks like.
fn picture(unit: Option<DoseUnit>, form: &str) -> &'static str {
    match (unit, form) {
        (_, "injection" | "infusion" | "implant") => "syringe",
        (_, "capsule") => "capsule",
        (_, "sachet") => "sachet",
        (Some(DoseUnit::Teaspoon), _) => "spoon",
        (Some(DoseUnit::Milliliter), _) => "cup",
        (Some(DoseUnit::Drop), _) | (_, "drops" | "eye drops" | "ear drops") => "drop",
        (Some(DoseUnit::Puff), _) | (_, "inhaler") => "puff",
        (Some(DoseUnit::Application), _) => "tube",
        (_, "syrup") => "cup",
        (_, "tablet" | "" | "lozenge") => "tablet",
        _ => "packet",
    }
}

/// The plain picture of what has no day of its own.
fn plain(course: Option<&Course>) -> &'static str {
    match course {
        None => "",
        Some(course) if course.as_needed => "needed",
        Some(course) if course.once => "once",
        Some(course) if course.every_hours.is_some() => "clock",
        Some(course) if course.period_days == 7 => "week",
        Some(course) if course.period_days == 2 => "alternate",
        Some(course) if course.doses.iter().any(|(m, _)| *m == Moment::AnyTime) => "daily",
        Some(_) => "",
    }
}

fn days(days: u16, course: Option<&Course>, lang: Lang) -> String {
    match (days, lang) {
        (0, _) if course.is_none_or(|c| c.as_needed || c.once) => String::new(),
        (0, Lang::En) => "until told otherwise".into(),
        (0, Lang::Ur) => "جب تک ڈاکٹر منع نہ کرے".into(),
        (1, Lang::En) => "1 day".into(),
        (n, Lang::En) => format!("{n} days"),
        (n, Lang::Ur) => format!("{n} دن"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(form: &str, dose: &str) -> Value {
        let line = MedicineLine {
            generic: "X".into(),
            form: form.into(),
            dose: dose.into(),
            days: 5,
            ..MedicineLine::default()
        };
        medicine(&line, Lang::En)
    }

    #[test]
    fn a_day_is_drawn_with_every_dose_in_it() {
        let drawn = of("tablet", "1/2+0+2");
        assert_eq!(drawn["cells"][0], json!({ "whole": 0, "part": "1/2", "number": "½" }));
        assert_eq!((&drawn["cells"][1], &drawn["cells"][2]), (&Value::Null, &Value::Null));
        assert_eq!(drawn["cells"][3], json!({ "whole": 2, "part": "", "number": "2" }));
        assert_eq!((&drawn["boxes"], &drawn["picture"]), (&json!(5), &json!("tablet")));
        assert_eq!(of("syrup", "5 ml TDS")["cells"][1]["number"], "5 ml");
        assert_eq!(
            of("syrup", "1 1/2 tsp BD")["cells"][2],
            json!({ "whole": 1, "part": "1/2", "number": "1½" })
        );
        assert_eq!(of("tablet", "12 BD")["cells"][0], json!({ "whole": 1, "part": "", "number": "12" }));
        assert_eq!(of("capsule", "HS")["bedtime"], true);
    }

    #[test]
    fn what_has_no_such_day_is_not_drawn_as_one() {
        for (form, dose, plain) in [
            ("tablet", "SOS", "needed"),
            ("tablet", "1+0+1 SOS", "needed"),
            ("tablet", "1 weekly", "week"),
            ("tablet", "1 alternate days", "alternate"),
            ("tablet", "1 q8h", "clock"),
            ("tablet", "1 OD", "daily"),
            ("tablet", "1 stat", "once"),
            ("injection", "1 BD", ""),
            ("syrup", "as told", ""),
        ] {
            let sheet = of(form, dose);
            assert_eq!(sheet["cells"], Value::Null, "{form} {dose}");
            assert_eq!(sheet["plain"], plain, "{form} {dose}");
            assert_eq!(sheet["boxes"], 0, "{form} {dose}");
        }
        assert_eq!(of("injection", "1 BD")["picture"], "syringe");
    }
}
