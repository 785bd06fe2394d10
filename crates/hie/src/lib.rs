//! rabta-hie
