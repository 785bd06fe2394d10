//! FHIR's date, dateTime and instant (http://hl7.org/fhir/R4/datatypes.html#dateTime) to and from `time`'s types.

use time::{Date, Month, OffsetDateTime, format_description::well_known::Rfc3339};

/// `YYYY-MM-DD`.
pub fn date(day: Date) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
}

/// An instant, to the millisecond, with its offset.
pub fn instant(at: OffsetDateTime) -> String {
    let at = at.replace_millisecond(at.millisecond()).unwrap_or(at);
    // Years outside 0..=9999 have no RFC 3339 form: a clock that far off is shown as the epoch.
    at.format(&Rfc3339).unwrap_or_else(|_| "1970-01-01T00:00:00Z".to_owned())
}

/// A full date.
pub fn parse_date(text: &str) -> Option<Date> {
    let mut parts = text.get(..10)?.splitn(3, '-');
    let year = parts.next().filter(|y| y.len() == 4)?.parse().ok()?;
    let month: u8 = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()
}

/// The first and last day that a partial date allows: `2021`, `2021-03`, `2021-03-09`, or a dateTime's day.
pub fn bounds(text: &str) -> Option<(Date, Date)> {
    match text.len() {
        4 => {
            let year = text.parse().ok()?;
            Some((
                Date::from_calendar_date(year, Month::January, 1).ok()?,
                Date::from_calendar_date(year, Month::December, 31).ok()?,
            ))
        }
        7 => {
            let first = parse_date(&format!("{text}-01"))?;
            Some((first, first.replace_day(first.month().length(first.year())).ok()?))
        }
        _ => parse_date(text).map(|d| (d, d)),
    }
}

/// An instant or a full dateTime.
pub fn parse_instant(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    #[test]
    fn a_partial_date_is_a_span() {
        assert_eq!(bounds("2024-02"), Some((date!(2024 - 02 - 01), date!(2024 - 02 - 29))));
        assert_eq!(bounds("1990"), Some((date!(1990 - 01 - 01), date!(1990 - 12 - 31))));
        assert_eq!(bounds("1990-13"), None);
        assert_eq!(bounds("۱۹۹۰"), None);
    }

    #[test]
    fn an_instant_keeps_its_offset_and_milliseconds() {
        let at = datetime!(2026-11-22 14:05:06.123456 +5);
        assert_eq!(instant(at), "2026-11-22T14:05:06.123+05:00");
        assert_eq!(parse_instant(&instant(at)), Some(datetime!(2026-11-22 14:05:06.123 +5)));
    }
}
