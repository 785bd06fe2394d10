use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use time::{Date, OffsetDateTime};

/// The device's clock, which may be wrong. An argument, so that a test can be in 1970.
pub trait Clock: Send + Sync {
    /// Now, UTC.
    fn now(&self) -> OffsetDateTime;

    /// Minutes east of UTC of the place where the laptop stands.
    fn offset_minutes(&self) -> i16;

    /// How long this computer has been running, or this program: never set, never backwards. Differences count.
    fn running(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }

    /// Today, at the place where the laptop stands.
    fn today(&self) -> Date {
        self.now().saturating_add(time::Duration::minutes(self.offset_minutes().into())).date()
    }

    /// Milliseconds since 1970.
    fn millis(&self) -> i64 {
        (self.now().unix_timestamp_nanos() / 1_000_000) as i64
    }
}

/// The computer's own clock, at a fixed offset.
pub struct SystemClock {
    pub offset_minutes: i16,
}

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn offset_minutes(&self) -> i16 {
        self.offset_minutes
    }
}
