//! One target under libFuzzer: `RABTA_FUZZ=envelope rabta-fuzz-long CORPUS -max_total_time=60`. Sound inputs are put into
//! CORPUS first.

#![no_main]

use std::sync::LazyLock;

use rabta_fuzz::{Target, target};

static CHOSEN: LazyLock<&'static Target> = LazyLock::new(|| {
    let name = std::env::var("RABTA_FUZZ").unwrap_or_default();
    let chosen = target(&name).unwrap_or_else(|| panic!("RABTA_FUZZ names no target: {name:?}"));
    if let Some(corpus) = std::env::args().skip(1).find(|arg| !arg.starts_with('-')) {
        for (n, seed) in (chosen.seeds)().into_iter().enumerate() {
            let _ = std::fs::write(std::path::Path::new(&corpus).join(format!("seed-{n}")), seed);
        }
    }
    chosen
});

libfuzzer_sys::fuzz_target!(init: { LazyLock::force(&CHOSEN); }, |bytes: &[u8]| (CHOSEN.run)(bytes));
