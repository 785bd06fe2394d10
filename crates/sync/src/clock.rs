//! Time, as an argument: this device's clock, which may be wrong by decades, and what the HIE's answers say about it.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use time::{
    OffsetDateTime, PrimitiveDateTime, format_description::BorrowedFormatItem, macros::format_description,
};

/// Where the time comes from. A test has one of its own.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970 by this device's clock: shown and signed, never ordered by.
    fn unix_ms(&self) -> i64;
    /// Milliseconds since any start; never goes back.
    fn monotonic_ms(&self) -> u64;
    /// Ends when `rest` has passed on the monotone clock. Tokio's timer, where the time is the machine's.
    fn sleep(&self, rest: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(rest))
    }
}

/// The machine's clocks.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn unix_ms(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        }
    }

    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// (HIE clock - device clock) in milliseconds, learnt from the `Date` header (RFC 9110, section 6.6.1) of any
/// answer. Shared by everything that talks to one HIE.
#[derive(Debug, Clone, Default)]
pub struct Offset(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    known: AtomicBool,
    ms: AtomicI64,
}

/// `Date` has whole seconds: estimates that differ by less say the same thing.
const GRAIN_MS: i64 = 1_500;

impl Offset {
    /// What an earlier run learnt.
    pub fn remembered(ms: Option<i64>) -> Self {
        let offset = Self::default();
        if let Some(ms) = ms {
            offset.set(ms);
        }
        offset
    }

    pub fn get(&self) -> Option<i64> {
        self.0.known.load(Ordering::Acquire).then(|| self.0.ms.load(Ordering::Acquire))
    }

    /// The HIE's time at the device's `unix_ms`, as far as it is known.
    pub fn hie_ms(&self, unix_ms: i64) -> i64 {
        unix_ms.saturating_add(self.get().unwrap_or(0))
    }

    /// Takes a `Date` header from an answer that was asked for at `sent` and came at `received` (device clock).
    /// Whether the offset changed by more than the header's grain.
    pub fn learn(&self, date: &str, sent: i64, received: i64) -> bool {
        let Some(hie) = parse_date(date) else { return false };
        // On average the server wrote its second half a second after that second began.
        let middle = sent + received.saturating_sub(sent) / 2;
        let estimate = hie.saturating_add(500).saturating_sub(middle);
        let changed = self.get().is_none_or(|old| (old - estimate).abs() > GRAIN_MS);
        if changed {
            self.set(estimate);
        }
        changed
    }

    fn set(&self, ms: i64) {
        self.0.ms.store(ms, Ordering::Release);
        self.0.known.store(true, Ordering::Release);
    }
}

const IMF_FIXDATE: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// An IMF-fixdate (RFC 9110, section 5.6.7) as milliseconds since 1970.
pub(crate) fn parse_date(text: &str) -> Option<i64> {
    let date = PrimitiveDateTime::parse(text.trim(), IMF_FIXDATE).ok()?.assume_utc();
    date.unix_timestamp().checked_mul(1_000)
}

/// Milliseconds since 1970 as an [`OffsetDateTime`] in UTC; the ends of its range for what is beyond them.
pub fn utc(unix_ms: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix_ms) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_laptop_in_1970_learns_what_time_it_is() {
        let offset = Offset::default();
        assert!(offset.learn("Sun, 22 Nov 2026 14:00:00 GMT", 1_000, 3_000));
        let hie = offset.hie_ms(2_000);
        assert_eq!(utc(hie).to_string(), "2026-11-22 14:00:00.5 +00:00:00");
    }

    #[test]
    fn the_grain_of_the_header_does_not_make_the_offset_flicker() {
        let offset = Offset::remembered(Some(1_000));
        let now = parse_date("Sun, 22 Nov 2026 14:00:00 GMT").unwrap();
        assert!(!offset.learn("Sun, 22 Nov 2026 14:00:00 GMT", now, now));
        assert_eq!(offset.get(), Some(1_000));
    }

    #[test]
    fn an_unreadable_date_changes_nothing() {
        let offset = Offset::default();
        assert!(!offset.learn("yesterday", 0, 0));
        assert_eq!(offset.get(), None);
    }
}
