use std::{path::PathBuf, sync::Arc, time::Instant};

use axum_server::tls_rustls::RustlsConfig;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    Clock,
    audit::AuditLog,
    auth::Tokens,
    board::Board,
    care::Lookups,
    db::Db,
    disk::Disk,
    envelopes::SqliteCore,
    fhir::paging::Pages,
    guests::{Certificates, Passes},
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
    /// Wrong codes and assertions of staff programs.
    pub guesses: Guesses,
    pub lookups: Lookups,
    /// Wrong links of phones.
    pub knocks: Guesses,
    pub passes: Passes,
    /// What phones are shown; `None` where they do not come in.
    pub phones: Option<Arc<Certificates>>,
    /// The operator's page, where there is one.
    pub board: Option<Board>,
    /// What the staff's listener shows.
    pub(crate) tls: RustlsConfig,
    /// The clock when the server started, by itself and by one that nobody sets.
    pub(crate) started: (i64, Instant),
    /// Days of use that a laptop has without a contact.
    pub lease_days: u32,
    /// The folder of packages for laptops; `None` where they do not come from here.
    pub updates: Option<PathBuf>,
    pub stopping: CancellationToken,
    /// Bumped when there is something new to pull.
    pub(crate) changes: watch::Sender<u64>,
}

impl App {
    /// Milliseconds since 1970.
    pub fn now(&self) -> i64 {
        (self.clock)()
    }

    /// Milliseconds by which the clock went further than time did since the server started.
    pub(crate) fn clock_moved(&self) -> i64 {
        let (at, began) = self.started;
        let went = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.now().saturating_sub(at).saturating_sub(went)
    }

    /// Where phones open links: `https://host/p/`. `None` without a certificate that they trust.
    pub fn page(&self) -> Option<String> {
        self.phones.as_ref()?.page(self.now())
    }

    /// Wakes whoever waits for something to pull.
    pub fn changed(&self) {
        self.changes.send_modify(|n| *n += 1);
    }
}
