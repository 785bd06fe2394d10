use leptos::prelude::*;
use rabta_domain::age::{AgeSaid, Said};
use time::{Date, Month};

use super::form::Form;
use crate::parts::{Choice, Field, NumberField, Opt, Pick};
use crate::prefs::say;
use crate::{Text, W, format};

/// Nobody is older than this, in years.
const OLDEST: u32 = 125;

/// The age as people say it: years, months, weeks, days, a date, a year, "the year of the flood".
#[derive(Clone, Copy)]
pub struct AgeFields {
    pub kind: RwSignal<String>,
    pub number: RwSignal<String>,
    pub date: RwSignal<String>,
    pub event: RwSignal<String>,
    pub from: RwSignal<String>,
    pub to: RwSignal<String>,
    pub by: RwSignal<String>,
    /// When it was said, where it was said before today.
    on: RwSignal<Option<Date>>,
}

impl AgeFields {
    pub fn new() -> Self {
        let text = |value: &str| RwSignal::new(value.to_owned());
        AgeFields {
            kind: text("years"),
            number: text(""),
            date: text(""),
            event: text(""),
            from: text(""),
            to: text(""),
            by: text("patient"),
            on: RwSignal::new(None),
        }
    }

    /// What was said, once it can be read. Tracked.
    pub fn said(&self) -> Option<Said> {
        let number = || self.number.get().parse::<u16>().ok();
        Some(match self.kind.get().as_str() {
            "months" => Said::Months { n: number()? },
            "weeks" => Said::Weeks { n: number()? },
            "days" => Said::Days { n: number()? },
            "birth-date" => Said::BirthDate { date: parse_day(&self.date.get())? },
            "birth-year" => Said::BirthYear { year: i32::from(number()?) },
            "event" => Said::Event {
                text: self.event.get().trim().to_owned(),
                from_year: self.from.get().parse().ok()?,
                to_year: self.to.get().parse().ok()?,
            },
            _ => Said::Years { n: number()? },
        })
    }

    pub fn age(&self) -> Option<AgeSaid> {
        let on = self.on.get().unwrap_or_else(format::local_date);
        self.said().map(|said| AgeSaid { said, on, by: self.by.get() })
    }

    /// What is wrong, and at which field. A newborn's age may be left out: it is days.
    pub fn problem(&self, newborn: bool) -> Option<(&'static str, W)> {
        let kind = self.kind.get();
        let field = if kind == "birth-date" {
            "birth-date"
        } else if kind == "event" {
            "age-from"
        } else {
            "age"
        };
        let empty = match field {
            "birth-date" => self.date.with(|d| d.trim().is_empty()),
            "age-from" => self.from.with(String::is_empty) && self.to.with(String::is_empty),
            _ => self.number.with(String::is_empty),
        };
        if empty {
            return (!newborn).then_some((field, W::AgeMissing));
        }
        let Some(said) = self.said() else { return Some((field, W::AgeBadDate)) };
        let today = format::local_date();
        let born = AgeSaid { said: said.clone(), on: today, by: String::new() }.born();
        let future = match said {
            Said::BirthDate { date } => date > today,
            Said::BirthYear { year } => year > today.year(),
            Said::Event { from_year, to_year, .. } => from_year > today.year() || to_year < from_year,
            _ => false,
        };
        if future {
            Some((field, W::AgeFuture))
        } else if born.months_on(today).0 > OLDEST * 12 {
            Some((field, W::AgeTooOld))
        } else {
            None
        }
    }

    pub fn fill(&self, age: &AgeSaid) {
        let number = |kind: &str, n: String| {
            self.kind.set(kind.to_owned());
            self.number.set(n);
        };
        match &age.said {
            Said::Years { n } => number("years", n.to_string()),
            Said::Months { n } => number("months", n.to_string()),
            Said::Weeks { n } => number("weeks", n.to_string()),
            Said::Days { n } => number("days", n.to_string()),
            Said::BirthYear { year } => number("birth-year", year.to_string()),
            Said::BirthDate { date } => {
                self.kind.set("birth-date".to_owned());
                self.date.set(show_day(*date));
            }
            Said::Event { text, from_year, to_year } => {
                self.kind.set("event".to_owned());
                self.event.set(text.clone());
                self.from.set(from_year.to_string());
                self.to.set(to_year.to_string());
            }
        }
        self.by.set(age.by.clone());
        self.on.set(Some(age.on));
    }
}

/// The fields, for the kind that was chosen.
#[component]
pub fn AgeQuestion() -> impl IntoView {
    let form = expect_context::<Form>();
    let age = form.age;
    // A new answer is said today.
    let said_now = move || age.on.set(None);
    view! {
        <div class="stack" style="--gap:12px">
            <Choice
                label=W::AgeAs
                t="age-as"
                value=age.kind
                options=vec![
                    Opt::new("years", W::AgeYears),
                    Opt::new("months", W::AgeMonths),
                    Opt::new("weeks", W::AgeWeeks),
                    Opt::new("days", W::AgeDays),
                    Opt::new("birth-date", W::AgeBirthDate),
                    Opt::new("birth-year", W::AgeBirthYear),
                    Opt::new("event", W::AgeEvent),
                ]
                on_change=said_now
            />
            <div class="grid-3">
                {move || match age.kind.get().as_str() {
                    "birth-date" => {
                        view! {
                            <Field
                                label=W::AgeBirthDate
                                t="birth-date"
                                value=age.date
                                ltr=true
                                input_mode="numeric"
                                placeholder="25 11 1992"
                                hint=W::DateHint
                                error=form.error("birth-date")
                                on_input=said_now
                            />
                        }
                            .into_any()
                    }
                    "event" => {
                        view! {
                            <Field label=W::AgeEventText t="age-event" value=age.event />
                            <NumberField label=W::AgeFrom t="age-from" value=age.from max_digits=4 error=form.error("age-from") on_input=said_now />
                            <NumberField label=W::AgeTo t="age-to" value=age.to max_digits=4 on_input=said_now />
                        }
                            .into_any()
                    }
                    kind => {
                        let (unit, digits) = match kind {
                            "months" => (Some(W::AgeMonths), 3),
                            "weeks" => (Some(W::AgeWeeks), 3),
                            "days" => (Some(W::AgeDays), 3),
                            "birth-year" => (None, 4),
                            _ => (Some(W::AgeYears), 3),
                        };
                        let small = Signal::derive(move || {
                            (age.kind.get() == "years"
                                && age.number.with(|n| n.parse::<u8>().is_ok_and(|n| n < 5)))
                                .then(|| say(W::AgeSmallHint).to_owned())
                        });
                        let label = if kind == "birth-year" { W::AgeBirthYear } else { W::Age };
                        view! {
                            <NumberField
                                label
                                t="age"
                                value=age.number
                                unit=unit.map_or_else(|| Text::from(""), Text::from)
                                max_digits=digits
                                error=form.error("age")
                                warning=small
                                on_input=said_now
                            />
                        }
                            .into_any()
                    }
                }}
                <Pick
                    label=W::AgeBy
                    t="age-by"
                    value=age.by
                    options=vec![
                        ("patient", W::ByPatient.into()),
                        ("guardian", W::ByRelative.into()),
                        ("paper", W::ByPaper.into()),
                        ("estimate", W::ByEstimate.into()),
                    ]
                />
            </div>
        </div>
    }
}

/// A day as typed in Pakistan: day, month, year, whatever stands between; also `1992-11-25`.
pub fn parse_day(text: &str) -> Option<Date> {
    let parts: Vec<u32> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|p| !p.is_empty())
        .map(|p| p.parse().ok())
        .collect::<Option<_>>()?;
    let [a, b, c] = parts[..] else {
        // "25111992", as fast typists do.
        let digits = text.trim();
        return match (digits.get(..2), digits.get(2..4), digits.get(4..8)) {
            (Some(day), Some(month), Some(year)) if parts.len() == 1 && digits.len() == 8 => {
                parse_day(&format!("{day} {month} {year}"))
            }
            _ => None,
        };
    };
    let (year, month, day) = if a > 31 { (a, b, c) } else { (c, b, a) };
    if year < 1880 {
        return None;
    }
    Date::from_calendar_date(
        i32::try_from(year).ok()?,
        Month::try_from(u8::try_from(month).ok()?).ok()?,
        u8::try_from(day).ok()?,
    )
    .ok()
}

/// A day as it is typed.
pub fn show_day(day: Date) -> String {
    format!("{:02} {:02} {}", day.day(), u8::from(day.month()), day.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_as_people_type_it() {
        let day = Date::from_calendar_date(1992, Month::November, 25).ok();
        for text in ["25 11 1992", "25/11/1992", "25-11-1992", "1992-11-25", "25111992"] {
            assert_eq!(parse_day(text), day, "{text}");
        }
        for text in ["31 02 1992", "", "1992", "25 11 92", "aa"] {
            assert_eq!(parse_day(text), None, "{text}");
        }
    }
}
