//! rabta-app
