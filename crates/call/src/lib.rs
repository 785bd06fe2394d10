//! rabta-call
