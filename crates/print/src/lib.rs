//! rabta-print
