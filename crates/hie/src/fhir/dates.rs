//! FHIR dates as ranges of instants (http://hl7.org/fhir/R4/search.html#date).

use time::{Date, OffsetDateTime, Time, UtcOffset, format_description::well_known::Rfc3339};

use super::validate::first_day;

/// The milliseconds [low, high) that a `date`, `dateTime` or `instant` covers. A date without a zone is taken as UTC.
pub fn range(text: &str) -> Option<(i64, i64)> {
    if let Some((day, _)) = text.split_once('T') {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| {
            // `dateTime` with no seconds or zone is not FHIR, but `_search` forms have it.
            let with_zone = format!("{text}Z");
            OffsetDateTime::parse(&with_zone, &Rfc3339).ok()
        });
        let at = match at {
            Some(at) => at,
            None => return first_day(day).map(|d| (ms(d), ms(d) + 86_400_000)),
        };
        let low = i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).ok()?;
        let step = if text.contains('.') { 1 } else { 1000 };
        return Some((low, low + step));
    }
    let first = first_day(text)?;
    let next = match text.len() {
        4 => Date::from_calendar_date(first.year() + 1, time::Month::January, 1).ok()?,
        7 => {
            let year = if first.month() == time::Month::December { first.year() + 1 } else { first.year() };
            Date::from_calendar_date(year, first.month().next(), 1).ok()?
        }
        _ => first.next_day()?,
    };
    Some((ms(first), ms(next)))
}

fn ms(date: Date) -> i64 {
    OffsetDateTime::new_in_offset(date, Time::MIDNIGHT, UtcOffset::UTC).unix_timestamp() * 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_covers_all_of_its_instants() {
        assert_eq!(range("1970"), Some((0, 365 * 86_400_000)));
        assert_eq!(range("1970-12"), Some((334 * 86_400_000, 365 * 86_400_000)));
        assert_eq!(range("1970-01-02"), Some((86_400_000, 2 * 86_400_000)));
        assert_eq!(range("1970-01-01T05:00:00+05:00"), Some((0, 1000)));
        assert_eq!(range("1970-01-01T00:00:00.250Z"), Some((250, 251)));
        assert_eq!(range("yesterday"), None);
    }
}
