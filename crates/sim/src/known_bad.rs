//! `--break`: known-bad programs, to see that the promises catch them. Each stands at the sim's own seams (the disk, the
//! line, the HIE); nothing that ships knows of them.

/// What is wrong in this world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownBad {
    /// The laptop says "saved" before the write is durable.
    AckBeforeDurable,
    /// The HIE's cursor is the time of receipt in place of the place in the log.
    TimestampCursor,
    /// Of two edits the one with the later device time stays, the other is thrown away.
    LastWriteWins,
    /// A push without an answer is made again as a new envelope.
    NonIdempotentPush,
    /// A restored HIE says nothing of it.
    NoEpoch,
    /// A laptop lets go of what is at the HIE, though it is in no backup yet.
    EvictBeforeBackup,
    /// While something is refused, nothing else is sent.
    QuarantineBlocks,
    /// A restored laptop goes on with the number block of the lost one.
    SharedNumberBlock,
}

impl KnownBad {
    pub const ALL: [Self; 8] = [
        Self::AckBeforeDurable,
        Self::TimestampCursor,
        Self::LastWriteWins,
        Self::NonIdempotentPush,
        Self::NoEpoch,
        Self::EvictBeforeBackup,
        Self::QuarantineBlocks,
        Self::SharedNumberBlock,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::AckBeforeDurable => "ack-before-durable",
            Self::TimestampCursor => "timestamp-cursor",
            Self::LastWriteWins => "last-write-wins",
            Self::NonIdempotentPush => "non-idempotent-push",
            Self::NoEpoch => "no-epoch",
            Self::EvictBeforeBackup => "evict-before-backup",
            Self::QuarantineBlocks => "quarantine-blocks",
            Self::SharedNumberBlock => "shared-number-block",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bad| bad.name() == name)
    }
}
