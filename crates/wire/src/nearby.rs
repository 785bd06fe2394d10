//! Two laptops of one facility on the same Wi-Fi, the HIE out of reach: what each has and the HIE is not known to have.
//!
//! They find each other by DNS-SD over multicast DNS (RFC 6762, RFC 6763) as [`SERVICE`], under names made by chance. The
//! line is TLS 1.3 with raw public keys on both sides (RFC 7250), the devices' own. Then each says [`Hello`], and first
//! the one who called hands over, then the other: [`Have`], [`Want`], [`Handful`]s until an empty one, each answered by
//! [`Taken`] after it is durable. A message is its length in four bytes, the most significant first, and CBOR.

use minicbor::{Decode, Encode, bytes::ByteVec};

use crate::Id;

pub const SERVICE: &str = "_rabta._tcp.local.";
/// The most of one message, bytes.
pub const MESSAGE: usize = 4_000_000;
/// The most envelopes that one [`Have`] names: the rest with the next meeting.
pub const HAVE: usize = 20_000;
/// After so many bytes of envelopes a [`Handful`] ends.
pub const HANDFUL: usize = 500_000;
pub const VERSION: u32 = 1;

/// Who this laptop is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Hello {
    /// [`VERSION`]. What a later one adds is passed over.
    #[n(0)]
    pub version: u32,
    /// Its encoded [`crate::cert::SignedCert`]s: one of them is for the key of this line.
    #[n(1)]
    pub certs: Vec<ByteVec>,
    /// What it calls itself on this Wi-Fi, so that both know whom they have met.
    #[n(2)]
    pub name: String,
}

/// Envelopes that the HIE is not known to have.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Have {
    #[n(0)]
    pub envelopes: Vec<Id>,
}

/// Of those, what is not here yet.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Want {
    #[n(0)]
    pub envelopes: Vec<Id>,
}

/// Some of what was wanted, in order. Empty: that was all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Handful {
    /// Encoded [`crate::envelope::Envelope`]s.
    #[n(0)]
    pub envelopes: Vec<ByteVec>,
    /// Encoded [`crate::cert::SignedCert`]s of whose envelopes these are and who signed in them.
    #[n(1)]
    pub certs: Vec<ByteVec>,
}

/// Durable over there.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Taken {
    /// How many of them were taken: not what was known, or could not be believed.
    #[n(0)]
    pub count: u32,
}
