//! A device's log is a chain; its entries may arrive in any order, since what is urgent goes first. Where does one fit?

use rabta_wire::envelope::Header;

type Hash = [u8; 32];

/// What is known around an entry's place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Neighbors {
    /// The hash of the entry before it.
    pub before: Option<Hash>,
    /// The hash of the entry at its very place.
    pub at: Option<Hash>,
    /// What the entry after it names as its previous one.
    pub after: Option<Hash>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It fits what is known.
    Fits,
    /// This very entry is known.
    Again,
    /// Another entry stands at its place, or a neighbor is of another branch: two copies of a device have both gone on.
    Fork,
}

/// Places the entry with `hash`. Once all entries are here, each was compared with both neighbors, so no fork can hide
/// in the order of arrival.
pub fn place(known: Neighbors, header: &Header, hash: Hash) -> Place {
    if let Some(at) = known.at {
        return if at == hash { Place::Again } else { Place::Fork };
    }
    let before = if header.seq == 1 { Some([0; 32]) } else { known.before };
    if before.is_some_and(|before| before != header.prev) || known.after.is_some_and(|prev| prev != hash) {
        return Place::Fork;
    }
    Place::Fits
}
