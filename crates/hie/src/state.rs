use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    Clock,
    audit::AuditLog,
    auth::Tokens,
    care::Lookups,
    db::Db,
    disk::Disk,
    envelopes::SqliteCore,
    fhir::paging::Pages,
    guests::Passes,
    signaling::{Hub, Ice},
    web::{Guesses, metrics::Metrics},
};

/// Everything that a request may need.
pub struct App {
    pub db: Db,
    pub disk: Disk,
    pub core: SqliteCore,
    pub clock: Clock,
    /// Where duty hours are meant.
    pub utc_offset: time::UtcOffset,
    pub tokens: Tokens,
    pub audit: AuditLog,
    pub pages: Pages,
    pub hub: Hub,
    pub ice: Ice,
    pub metrics: Metrics,
    pub guesses: Guesses,
    pub lookups: Lookups,
    pub passes: Passes,
    /// Where phones open links: `https://host/p/`. `None` without a certificate that they trust.
    pub page: Option<String>,
    /// Days of use that a laptop has without a contact.
    pub lease_days: u32,
    pub stopping: CancellationToken,
    /// Bumped when there is something new to pull.
    pub(crate) changes: watch::Sender<u64>,
}

impl App {
    /// Milliseconds since 1970.
    pub fn now(&self) -> i64 {
        (self.clock)()
    }

    /// Wakes whoever waits for something to pull.
    pub fn changed(&self) {
        self.changes.send_modify(|n| *n += 1);
    }
}
