//! [`ForeignDriver`]: one store and one foreign server.

use std::sync::Arc;

use rabta_store::{RecordStore, StoreError, Transaction};
use rabta_wire::Id;

use super::{
    answer::ForeignError,
    capability::Capabilities,
    server::Server,
    state::{Held, Keys, PushState, Why, load, put},
};

/// Why a round ended before its end. What was done until then is done.
#[derive(Debug, thiserror::Error)]
pub enum ForeignFailure {
    #[error(transparent)]
    Server(#[from] ForeignError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Pushes this device's log to one foreign server and pulls its patients' changes. One at a time for each server.
pub struct ForeignDriver<S> {
    pub(crate) server: Server,
    pub(crate) store: Arc<S>,
    pub(crate) keys: Keys,
    pub(crate) caps: Capabilities,
    pub(crate) state: PushState,
    pub(crate) held: Vec<Held>,
    /// Transactions were promised and do not work.
    pub(crate) singly: bool,
    /// Searches by POST do not work.
    pub(crate) by_get: bool,
}

impl<S: RecordStore> ForeignDriver<S> {
    /// Asks the server what it can. A server that cannot be used at all is [`ForeignError::Lacks`].
    pub async fn open(server: Server, store: Arc<S>) -> Result<Self, ForeignFailure> {
        let caps = Capabilities::ask(&server).await?;
        if let Some(lack) = caps.unusable() {
            return Err(ForeignError::Lacks(lack).into());
        }
        let keys = Keys(server.key());
        let state = load(&*store, &keys.push()).await?;
        let held = load(&*store, &keys.held()).await?;
        let singly = !caps.transaction;
        Ok(Self { server, store, keys, caps, state, held, singly, by_get: false })
    }

    pub fn capabilities(&self) -> &Capabilities {
        &self.caps
    }

    /// What is not over there and why, the server's own words included.
    pub fn held(&self) -> &[Held] {
        &self.held
    }

    /// A person mended what was wrong, or decided that ours holds: it is offered again with the next push, whatever version
    /// stands over there.
    pub async fn again(&mut self, envelope: Id) -> Result<(), ForeignFailure> {
        let Some(held) = self.held.iter_mut().find(|held| held.envelope == envelope) else { return Ok(()) };
        held.why = Why::PutOff { words: "to be offered again".into() };
        Ok(self.save(Transaction::new()).await?)
    }

    /// The server may have lost what it had, or this store what it knew of it (either was restored): with the next push
    /// everything is looked for, and sent where it is not there.
    pub async fn look_again(&mut self) -> Result<(), ForeignFailure> {
        let head = self.store.log_head().await?;
        self.state.doubt = self.state.doubt.max((head.epoch, head.seq));
        self.state.place = (0, 0);
        Ok(self.save(Transaction::new()).await?)
    }

    /// Writes where the push stands, with `transaction`.
    pub(crate) async fn save(&self, transaction: Transaction) -> Result<(), StoreError> {
        let transaction = put(transaction, self.keys.push(), &self.state);
        let transaction = put(transaction, self.keys.held(), &self.held);
        self.store.commit(transaction, None).await.map(|_| ())
    }
}
