//! Age as people say it: what was said, when, and the earliest and latest birth date that it allows.

use serde::{Deserialize, Serialize};
use time::{Date, Duration, Month};

/// What was said about somebody's age.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// A date from a paper or a sure memory, `YYYY-MM-DD`.
    BirthDate {
        date: Date,
    },
    BirthYear {
        year: i32,
    },
    Years {
        n: u16,
    },
    Months {
        n: u16,
    },
    Weeks {
        n: u16,
    },
    Days {
        n: u16,
    },
    /// "the year of the flood": bounds as years, agreed with the person who says it.
    Event {
        text: String,
        from_year: i32,
        to_year: i32,
    },
}

/// An age statement with its day: without the day, "3 years" means nothing next year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgeSaid {
    pub said: Said,
    /// The day on which it was said.
    pub on: Date,
    /// patient, guardian, paper, estimate.
    #[serde(default)]
    pub by: String,
}

/// Birth date bounds, both inclusive. Exact where equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Born {
    pub earliest: Date,
    pub latest: Date,
}

impl AgeSaid {
    /// The earliest and latest birth date that this allows.
    pub fn born(&self) -> Born {
        let on = self.on;
        let year = |y: i32, first: bool| {
            let (month, day) = if first { (Month::January, 1) } else { (Month::December, 31) };
            Date::from_calendar_date(y.clamp(-9000, 9000), month, day).unwrap_or(on)
        };
        match &self.said {
            Said::BirthDate { date } => Born { earliest: *date, latest: *date },
            Said::BirthYear { year: y } => Born { earliest: year(*y, true), latest: year(*y, false).min(on) },
            Said::Years { n } => Born {
                earliest: add_years(on, -(i32::from(*n) + 1)).saturating_add(Duration::DAY),
                latest: add_years(on, -i32::from(*n)),
            },
            Said::Months { n } => Born {
                earliest: add_months(on, -(i32::from(*n) + 1)).saturating_add(Duration::DAY),
                latest: add_months(on, -i32::from(*n)),
            },
            Said::Weeks { n } => Born {
                earliest: on.saturating_sub(Duration::days(i64::from(*n) * 7 + 6)),
                latest: on.saturating_sub(Duration::weeks(i64::from(*n))),
            },
            Said::Days { n } => {
                let date = on.saturating_sub(Duration::days(i64::from(*n)));
                Born { earliest: date, latest: date }
            }
            Said::Event { from_year, to_year, .. } => {
                Born { earliest: year(*from_year, true), latest: year(*to_year, false).min(on) }
            }
        }
    }
}

impl Born {
    /// Completed months on `day`, the youngest and the oldest it can be. Negative counts are zero.
    pub fn months_on(&self, day: Date) -> (u32, u32) {
        (months_between(self.latest, day), months_between(self.earliest, day))
    }

    pub fn is_exact(&self) -> bool {
        self.earliest == self.latest
    }
}

/// Completed months from `from` to `to`, 0 if `to` is before.
pub fn months_between(from: Date, to: Date) -> u32 {
    let months =
        (to.year() - from.year()) * 12 + i32::from(u8::from(to.month())) - i32::from(u8::from(from.month()));
    (months - i32::from(to.day() < from.day())).max(0) as u32
}

fn add_months(date: Date, months: i32) -> Date {
    let total = date.year() * 12 + i32::from(u8::from(date.month())) - 1 + months;
    let (year, month) = (total.div_euclid(12), total.rem_euclid(12) as u8 + 1);
    let month = Month::try_from(month).unwrap_or(Month::January);
    Date::from_calendar_date(year, month, date.day().min(month.length(year))).unwrap_or(date)
}

fn add_years(date: Date, years: i32) -> Date {
    add_months(date, years * 12)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    fn said(said: Said) -> Born {
        AgeSaid { said, on: date!(2026 - 03 - 31), by: String::new() }.born()
    }

    #[test]
    fn thirty_four_years_means_a_year_of_birth_dates() {
        let born = said(Said::Years { n: 34 });
        assert_eq!(born, Born { earliest: date!(1991 - 04 - 01), latest: date!(1992 - 03 - 31) });
        assert_eq!(born.months_on(date!(2026 - 03 - 31)), (34 * 12, 34 * 12 + 11));
    }

    #[test]
    fn months_end_on_short_months() {
        let born = said(Said::Months { n: 1 });
        assert_eq!(born, Born { earliest: date!(2026 - 02 - 01), latest: date!(2026 - 02 - 28) });
    }

    #[test]
    fn nobody_is_born_after_they_were_seen() {
        assert_eq!(said(Said::BirthYear { year: 2026 }).latest, date!(2026 - 03 - 31));
    }
}
