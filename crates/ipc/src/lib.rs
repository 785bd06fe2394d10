//! rabta-ipc
