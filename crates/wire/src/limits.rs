//! The largest that each thing may be on the wire. A reader checks before it allocates.

/// One envelope, encoded. A photo travels in parts below this.
pub const ENVELOPE: usize = 1_000_000;
/// A payload once decompressed.
pub const PAYLOAD: usize = 4_000_000;
/// One push request.
pub const PUSH: usize = 4_000_000;
/// Envelopes in one push request.
pub const PUSH_COUNT: usize = 200;
/// One part of an attachment.
pub const ATTACHMENT_PART: usize = 256_000;
/// One FHIR request body at the HIE.
pub const FHIR_BODY: usize = 8_000_000;
/// Changes in one pull reply.
pub const PULL_COUNT: u32 = 2_000;
/// Bytes of changes in one pull reply, after which it stops early.
pub const PULL_BYTES: usize = 2_000_000;
