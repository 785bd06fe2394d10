//! The server as other systems reach it: HTTP over TLS on loopback.

#[path = "../../../tests/src/left_out.rs"]
mod left_out;
#[path = "../../../tests/src/ports.rs"]
mod ports;
mod support;

mod server {
    pub mod access;
    pub mod acme;
    pub mod admin_page;
    pub mod after;
    pub mod asks;
    pub mod authz;
    pub mod backups;
    pub mod bad_input;
    pub mod care;
    pub mod clock;
    pub mod duty;
    pub mod duty_simulated;
    pub mod enrollment;
    pub mod fhir;
    mod lately;
    pub mod leases;
    pub mod life;
    pub mod links;
    pub mod operate;
    pub mod operator;
    pub mod papers;
    pub mod payloads;
    pub mod revoked;
    pub mod sockets;
    mod stick;
    mod three;
    pub mod transactions;
    pub mod updates;
    pub mod who_looked;
}
