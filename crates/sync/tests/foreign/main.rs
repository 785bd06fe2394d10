//! The foreign-server driver against a server that keeps what it is sent and lies on demand.

mod laptop;
mod liar;
mod pull;
mod push;
mod weather;
