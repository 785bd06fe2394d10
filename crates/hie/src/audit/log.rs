use tokio::sync::{mpsc, oneshot};

use super::Event;
use crate::{
    Clock,
    db::{Db, is_disk_full},
};

/// Takes the AuditEvents of reads, which have no transaction of their own, and commits those that come at the same
/// time together: one fsync for all of them, and each reader waits for it.
#[derive(Clone)]
pub struct AuditLog(mpsc::Sender<(Event, Answer)>);

type Answer = oneshot::Sender<Result<(), NotRecorded>>;

/// The act could not be recorded, so it must not be answered.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub enum NotRecorded {
    #[error("the disk is full")]
    DiskFull,
    #[error("the audit log does not take entries")]
    Failed,
}

const AT_ONCE: usize = 256;

impl AuditLog {
    /// Starts the task that writes; it ends when the last handle is dropped.
    pub fn start(db: Db, clock: Clock) -> Self {
        let (sender, mut receiver) = mpsc::channel::<(Event, Answer)>(AT_ONCE);
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while receiver.recv_many(&mut batch, AT_ONCE).await > 0 {
                let stored = store(&db, batch.iter().map(|(event, _)| event), clock()).await;
                let answer = stored.map_err(|e| {
                    tracing::error!(error = %e, "audit events could not be stored");
                    if is_disk_full(&e) { NotRecorded::DiskFull } else { NotRecorded::Failed }
                });
                for (_, done) in batch.drain(..) {
                    let _ = done.send(answer);
                }
            }
        });
        Self(sender)
    }

    /// Returns once `event` is durable.
    pub async fn record(&self, event: Event) -> Result<(), NotRecorded> {
        let (done, stored) = oneshot::channel();
        self.0.send((event, done)).await.map_err(|_| NotRecorded::Failed)?;
        stored.await.map_err(|_| NotRecorded::Failed)?
    }
}

async fn store(db: &Db, events: impl Iterator<Item = &Event>, now: i64) -> Result<(), sqlx::Error> {
    let mut tx = db.write().await?;
    for event in events {
        super::write(&mut tx, event, now).await?;
    }
    tx.commit().await
}

impl From<NotRecorded> for crate::web::ApiError {
    fn from(e: NotRecorded) -> Self {
        match e {
            NotRecorded::DiskFull => Self::disk_full(),
            NotRecorded::Failed => Self::internal(&e),
        }
    }
}
