//! The central server as its operator uses it.
