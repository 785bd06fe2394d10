//! rabta-sync
