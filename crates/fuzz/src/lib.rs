//! Every parser of foreign bytes as a target: bytes in, no panic out, and what was read can be written and read again.
//!
//! A [`Target`] begins with sound inputs of its format ([`Target::seeds`]), so that bent ones get past the first check.
//! `cargo test` runs each for a few seconds with bent seeds ([`bend`]); `cargo xtask fuzz --minutes N` gives them to libFuzzer,
//! which looks for what reaches new code.
//!
//! To add one: a function that takes bytes in the file of its format, and a line in [`TARGETS`].

mod bend;
mod fhir;
mod text;
mod wire;

pub use bend::bend;

/// One parser.
pub struct Target {
    pub name: &'static str,
    /// Panics where the parser does, or where it takes what it should not.
    pub run: fn(&[u8]),
    /// Sound inputs.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

pub const TARGETS: &[Target] = &[
    Target { name: "envelope", run: wire::envelope, seeds: wire::envelopes },
    Target { name: "push", run: wire::round_trip::<rabta_wire::log::Push>, seeds: wire::pushes },
    Target {
        name: "push-reply",
        run: wire::round_trip::<rabta_wire::log::PushReply>,
        seeds: wire::push_replies,
    },
    Target {
        name: "pull-reply",
        run: wire::round_trip::<rabta_wire::log::PullReply>,
        seeds: wire::pull_replies,
    },
    Target { name: "certificate", run: wire::certificate, seeds: wire::certificates },
    Target { name: "lease", run: wire::lease, seeds: wire::leases },
    Target { name: "stick-ask", run: wire::stick_ask, seeds: wire::stick_asks },
    Target { name: "stick-answer", run: wire::stick_answer, seeds: wire::stick_answers },
    Target { name: "handover", run: wire::handover, seeds: wire::handovers },
    Target { name: "data-channel", run: wire::data_channel, seeds: wire::data_channels },
    Target { name: "signal", run: wire::signal, seeds: wire::signals },
    Target { name: "codes", run: text::codes, seeds: text::code_seeds },
    Target { name: "assertion", run: text::assertion, seeds: text::assertions },
    Target { name: "search", run: text::search, seeds: text::names },
    Target { name: "typed", run: text::typed, seeds: text::typed_seeds },
    Target { name: "json", run: fhir::json, seeds: fhir::bundles },
    Target { name: "resource", run: fhir::resource, seeds: fhir::resources },
    Target { name: "bundle", run: fhir::bundle, seeds: fhir::bundles },
    Target { name: "documents", run: fhir::documents, seeds: fhir::documents_made },
    Target { name: "searchset", run: fhir::searchset, seeds: fhir::searchsets },
    Target { name: "capabilities", run: fhir::capabilities, seeds: fhir::capability_statements },
];

/// The target of that name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
