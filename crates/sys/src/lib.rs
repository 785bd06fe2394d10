//! rabta-sys
