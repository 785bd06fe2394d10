//! Data used this month, for the doctor who pays for it: counted by the client, kept in the vault.

use std::sync::Arc;

use rabta_ipc::sync::DataUsed;
use rabta_store::{RecordStore, SqliteStore, Transaction};
use rabta_sync::Traffic;
use tokio::{
    sync::Mutex,
    time::{Duration, sleep},
};

use crate::Inner;

/// How often it is written down: one fsync, not one a request.
const EVERY: Duration = Duration::from_secs(120);

/// Bytes sent and received.
type Bytes = (u64, u64);

pub(crate) struct Meter {
    app: Arc<Inner>,
    store: SqliteStore,
    traffic: Arc<Traffic>,
    /// What of the traffic is in the vault.
    written: Mutex<Bytes>,
}

impl Meter {
    pub fn new(app: &Arc<Inner>, store: SqliteStore, traffic: Arc<Traffic>) -> Self {
        Self { app: app.clone(), store, traffic, written: Mutex::new((0, 0)) }
    }

    /// Writes down what was used, for as long as it is polled.
    pub async fn run(&self) {
        loop {
            sleep(EVERY).await;
            self.write().await;
        }
    }

    /// Adds what is not in the vault yet to the month that it is now.
    pub async fn write(&self) {
        let mut written = self.written.lock().await;
        let so_far = self.traffic.so_far();
        if so_far == *written {
            return;
        }
        let month = self.month();
        let sum = plus(self.kept(&month).await, since(so_far, *written));
        let text = serde_json::to_vec(&sum).expect("two numbers");
        match self.store.commit(Transaction::new().set(setting(&month), text), None).await {
            Ok(_) => *written = so_far,
            Err(error) => tracing::debug!(%error, "the data used was not written down"),
        }
    }

    pub async fn used(&self) -> DataUsed {
        let written = self.written.lock().await;
        let month = self.month();
        let (sent, received) = plus(self.kept(&month).await, since(self.traffic.so_far(), *written));
        DataUsed { month, sent, received }
    }

    async fn kept(&self, month: &str) -> Bytes {
        let kept = self.store.setting(&setting(month)).await.ok().flatten();
        kept.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    /// `YYYY-MM` where the laptop is.
    fn month(&self) -> String {
        let clock = &self.app.config.clock;
        let offset = time::UtcOffset::from_whole_seconds(i32::from(clock.offset_minutes()) * 60);
        let now = clock.now().to_offset(offset.unwrap_or(time::UtcOffset::UTC));
        format!("{:04}-{:02}", now.year(), u8::from(now.month()))
    }
}

fn setting(month: &str) -> String {
    format!("data-used.{month}")
}

fn plus(a: Bytes, b: Bytes) -> Bytes {
    (a.0 + b.0, a.1 + b.1)
}

fn since(now: Bytes, then: Bytes) -> Bytes {
    (now.0.saturating_sub(then.0), now.1.saturating_sub(then.1))
}
