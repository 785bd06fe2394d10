use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

/// Milliseconds since 1970. An argument, so that a test can let a token expire without waiting.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The machine's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

pub(crate) fn at(ms: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// A FHIR `instant` (http://hl7.org/fhir/R4/datatypes.html#instant), to the millisecond.
pub(crate) fn instant(ms: i64) -> String {
    at(ms).format(&Rfc3339).expect("a year between 0 and 9999 has an RFC 3339 form")
}

/// An HTTP date (RFC 9110, section 5.6.7).
pub(crate) fn http_date(ms: i64) -> String {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    at(ms).format(&format).expect("a time has all parts of a date")
}

/// The latest calendar date anywhere on Earth at `ms`: nobody is born after it.
pub(crate) fn latest_date(ms: i64) -> time::Date {
    at(ms.saturating_add(14 * 3_600_000)).date()
}
