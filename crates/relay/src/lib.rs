//! rabta-relay
