//! rabta-engine
