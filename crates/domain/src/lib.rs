//! rabta-domain
