//! Push and pull of the log. Requests and replies are CBOR, media type [`MEDIA_TYPE`].
//!
//! - `POST /v1/envelopes` takes a [`Push`], answers a [`PushReply`]: one [`Ack`] for each envelope, in order.
//!   An ack of [`Outcome::Durable`] is given after the HIE's fsync and not before.
//! - `GET /v1/changes?after=<cursor>&limit=<n>` answers a [`PullReply`]; without `after` from the start. A
//!   cursor of another epoch is answered with 409 and the new epoch in [`EPOCH_HEADER`].

use minicbor::{Decode, Encode, bytes::ByteVec};

use crate::{Id, cursor::Cursor};

pub const MEDIA_TYPE: &str = "application/vnd.rabta.v1+cbor";
/// Every answer of the HIE carries its epoch in this header.
pub const EPOCH_HEADER: &str = "rabta-epoch";

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Push {
    /// Encoded [`crate::envelope::Envelope`]s, in log order.
    #[n(0)]
    pub envelopes: Vec<ByteVec>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PushReply {
    #[n(0)]
    pub epoch: Id,
    #[n(1)]
    pub acks: Vec<Ack>,
}

/// What became of one envelope.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Ack {
    /// The envelope's id; zeros where it could not even be read.
    #[n(0)]
    pub id: Id,
    #[n(1)]
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Outcome {
    /// Stored over there, durably, at this place of the HIE's log. Said again for a repeated push.
    #[n(0)]
    Durable {
        #[n(0)]
        seq: u64,
    },
    /// Stored, but without effect: the Task had moved on. `code` says how it stands now.
    #[n(1)]
    Superseded {
        #[n(0)]
        seq: u64,
        #[n(1)]
        code: String,
    },
    /// Not taken. `code` is stable, `text` is the server's own words (they name no patient).
    #[n(2)]
    Refused {
        #[n(0)]
        code: String,
        #[n(1)]
        text: String,
    },
    /// Not taken yet: something it depends on is not here.
    #[n(3)]
    Waits {
        #[n(0)]
        on: Id,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PullReply {
    /// In commit order.
    #[n(0)]
    pub changes: Vec<Change>,
    #[n(1)]
    pub next: Cursor,
    /// Ask again at once.
    #[n(2)]
    pub more: bool,
    /// Up to this place of the log the HIE has a verified backup; 0 if none.
    #[n(3)]
    pub backed_up: u64,
    /// How many changes are still to come after this reply, for progress.
    #[n(4)]
    pub remaining: u64,
    /// The reader's device's newest lease ([`crate::lease::SignedGrant`], encoded).
    #[n(5)]
    pub lease: Option<ByteVec>,
    /// The reader's device is known by two copies that have both gone on writing: it takes part again as another device.
    /// `None` of an HIE that does not say.
    #[n(6)]
    pub copied: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Change {
    #[n(0)]
    pub seq: u64,
    #[n(1)]
    pub item: Item,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Item {
    /// A FHIR resource that came through the FHIR API: the bytes as received.
    #[n(0)]
    Resource {
        #[n(0)]
        kind: String,
        #[n(1)]
        id: String,
        #[n(2)]
        version: u64,
        /// Empty where it was deleted.
        #[n(3)]
        body: ByteVec,
    },
    /// An envelope of some device, this one's own too (so a restored laptop gets its log back).
    #[n(1)]
    Envelope {
        #[n(0)]
        bytes: ByteVec,
        /// Milliseconds since 1970, the HIE's clock, when it was received.
        #[n(1)]
        received_at: i64,
    },
    /// A [`crate::cert::SignedCert`] of a person or a device.
    #[n(2)]
    Cert {
        #[n(0)]
        bytes: ByteVec,
    },
    /// The roster changed: the whole of it ([`crate::enroll::RosterEntry`] as JSON).
    #[n(3)]
    Roster {
        #[n(0)]
        json: ByteVec,
    },
    /// A kind that this program does not know: skipped, the cursor moves on.
    #[n(4)]
    Other,
}

/// What the HIE sends over the WebSocket when there is something to pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Hint {
    /// The newest place in the log.
    pub seq: u64,
}
