//! Who says in which order changes became visible.

use std::sync::atomic::{AtomicU64, Ordering};

/// Gives places in the HIE's log in **commit order**: once a reader has seen a place, no lower one appears. On
/// one writer that is a counter. On several nodes it is one sequencer or a watermark of finished transactions,
/// which is why a reader asks [`Sequencer::visible`].
pub trait Sequencer: Send + Sync {
    /// The next place. Called inside the write transaction; a rolled-back one leaves a gap, which is harmless.
    fn next(&self) -> u64;
    /// Readers must not look past this place.
    fn visible(&self) -> u64;
}

/// All writes go through one connection, so the order of places is the order of commits.
pub struct SingleWriter(AtomicU64);

impl SingleWriter {
    pub fn starting_after(last: u64) -> Self {
        Self(AtomicU64::new(last))
    }
}

impl Sequencer for SingleWriter {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn visible(&self) -> u64 {
        // A snapshot of the database shows exactly what was committed.
        u64::MAX
    }
}
