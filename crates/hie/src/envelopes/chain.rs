//! A device's log is a chain: where does an entry belong?

use rabta_wire::{Id, envelope::Header};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The next entry.
    Next,
    /// This very entry is known.
    Again,
    /// Another entry stands at this place, or before it: two copies of a device have both gone on.
    Fork,
    /// Entries before it are missing.
    Gap,
}

/// Places an entry with `hash`, given the newest known entry (`tip`: seq and hash) and what is known `at` its seq.
pub fn place(tip: Option<(u64, [u8; 32])>, at: Option<(Id, [u8; 32])>, header: &Header, hash: [u8; 32]) -> Place {
    if let Some((_, known)) = at {
        return if known == hash { Place::Again } else { Place::Fork };
    }
    let (seq, prev) = tip.unwrap_or((0, [0; 32]));
    match header.seq.checked_sub(seq) {
        Some(1) if header.prev == prev => Place::Next,
        Some(1) => Place::Fork,
        Some(n) if n > 1 => Place::Gap,
        // Below the tip every place is known; this can only be a place that no entry has.
        _ => Place::Fork,
    }
}
