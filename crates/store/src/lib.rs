//! rabta-store
