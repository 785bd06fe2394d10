//! The one mapping from what failed underneath to what the window is told.

use rabta_ipc::Error;
use rabta_store::StoreError;

pub(crate) fn store(error: StoreError) -> Error {
    match error {
        StoreError::DiskFull => Error::new("disk-full"),
        StoreError::Locked => Error::new("vault-locked"),
        StoreError::NoMrNumbers => Error::new("no-number-left"),
        StoreError::Newer(_) => Error::new("vault-newer"),
        StoreError::Damaged(what) => Error::detail("vault-damaged", what),
        other => {
            tracing::error!(error = %other, "the store failed");
            Error::detail("unexpected", other)
        }
    }
}

/// A form that could not become FHIR: a defect of ours, told by what it was and never by its content.
pub(crate) fn bundle(error: rabta_domain::fhir::BundleError) -> Error {
    tracing::error!(%error, "a payload could not be made");
    Error::detail("unexpected", error)
}
