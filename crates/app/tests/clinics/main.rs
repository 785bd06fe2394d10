//! The app core against a real HIE, with the network and without. One program for all of it: each links everything that the app is made of.

mod ask;
mod call;
mod emergency;
mod lease;
mod links;
mod moves;
mod paper;
mod people;
#[path = "../../../../tests/src/ports.rs"]
mod ports;
mod stick;
mod together;
mod trail;
mod training;
mod update;
mod vault;
mod withdraw;
mod withdrawn;
mod world;
