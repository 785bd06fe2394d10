//! Where a reader stands in the HIE's commit-ordered log.

use std::{fmt, str::FromStr};

use minicbor::{Decode, Encode};

use crate::Id;

/// A place in the HIE's log: everything up to and including `seq`, in the life of the HIE that `epoch` names.
/// After a restore the HIE has a new epoch and a cursor of the old one means nothing to it.
///
/// As text: `<epoch uuid>.<seq>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Cursor {
    #[n(0)]
    pub epoch: Id,
    #[n(1)]
    pub seq: u64,
}

/// The text was not `<epoch>.<seq>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor")]
pub struct NotACursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.seq)
    }
}

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(s: &str) -> Result<Self, NotACursor> {
        let (epoch, seq) = s.split_once('.').ok_or(NotACursor)?;
        Ok(Self { epoch: epoch.parse().map_err(|_| NotACursor)?, seq: seq.parse().map_err(|_| NotACursor)? })
    }
}
