//! [`Carrier`]: what the driver needs of a line to the HIE.

use std::{future::Future, sync::Arc};

use rabta_wire::{
    cursor::Cursor,
    log::{PullReply, PushReply},
};

use crate::{
    client::{HieClient, Identity},
    clock::{Clock, Offset},
    error::HieError,
};

/// Carries envelopes to the HIE and changes from it. [`HieClient`] does it by HTTP; the simulator (`crates/sim`) has one
/// that loses, doubles and delays.
pub trait Carrier: Send + Sync + 'static {
    /// Sends encoded envelopes, in log order: one ack for each, given after they are durable over there.
    fn push(&self, envelopes: Vec<Vec<u8>>) -> impl Future<Output = Result<PushReply, HieError>> + Send;

    /// At most `limit` changes after `after`; [`HieError::EpochChanged`] where the cursor is of another epoch.
    fn pull(
        &self,
        after: Option<Cursor>,
        limit: u32,
    ) -> impl Future<Output = Result<PullReply, HieError>> + Send;

    /// Of the same what a new laptop needs first.
    fn pull_lately(
        &self,
        after: Option<Cursor>,
        limit: u32,
    ) -> impl Future<Output = Result<PullReply, HieError>> + Send;

    /// Who this program is to the HIE; `None` before it joined.
    fn identity(&self) -> Option<&Identity>;

    fn clock(&self) -> &Arc<dyn Clock>;

    /// What is known of the HIE's clock.
    fn offset(&self) -> &Offset;
}

impl Carrier for HieClient {
    async fn push(&self, envelopes: Vec<Vec<u8>>) -> Result<PushReply, HieError> {
        Self::push(self, envelopes).await
    }

    async fn pull(&self, after: Option<Cursor>, limit: u32) -> Result<PullReply, HieError> {
        Self::pull(self, after, limit).await
    }

    async fn pull_lately(&self, after: Option<Cursor>, limit: u32) -> Result<PullReply, HieError> {
        Self::pull_lately(self, after, limit).await
    }

    fn identity(&self) -> Option<&Identity> {
        Self::identity(self)
    }

    fn clock(&self) -> &Arc<dyn Clock> {
        Self::clock(self)
    }

    fn offset(&self) -> &Offset {
        Self::offset(self)
    }
}

/// A line for tests: each pull gets what the script says, or waits for ever; so does each push.
#[cfg(test)]
pub(crate) struct Scripted<F> {
    script: F,
    clock: Arc<dyn Clock>,
    offset: Offset,
}

#[cfg(test)]
impl<F: Fn() -> Option<PullReply> + Send + Sync + 'static> Scripted<F> {
    pub fn new(script: F) -> Self {
        Self { script, clock: Arc::new(crate::clock::SystemClock::default()), offset: Offset::default() }
    }
}

#[cfg(test)]
impl<F: Fn() -> Option<PullReply> + Send + Sync + 'static> Carrier for Scripted<F> {
    async fn push(&self, _: Vec<Vec<u8>>) -> Result<PushReply, HieError> {
        std::future::pending().await
    }

    async fn pull(&self, _: Option<Cursor>, _: u32) -> Result<PullReply, HieError> {
        match (self.script)() {
            Some(reply) => Ok(reply),
            None => std::future::pending().await,
        }
    }

    async fn pull_lately(&self, after: Option<Cursor>, limit: u32) -> Result<PullReply, HieError> {
        self.pull(after, limit).await
    }

    fn identity(&self) -> Option<&Identity> {
        None
    }

    fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    fn offset(&self) -> &Offset {
        &self.offset
    }
}
