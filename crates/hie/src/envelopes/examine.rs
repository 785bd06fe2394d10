//! What can be said of an envelope from its bytes and the keys alone: pure, and done before the writer is taken.

use rabta_domain::role::{self, Act};
use rabta_wire::{
    Id,
    envelope::{Envelope, EnvelopeError, Header, Kind},
};
use serde_json::Value;

use super::content::{self, Content};
use crate::{
    clock::latest_date,
    identity::{DeviceInfo, PersonKey},
};

/// Stable codes of refusals.
pub mod codes {
    pub const TOO_LARGE: &str = "too-large";
    pub const MALFORMED: &str = "malformed";
    pub const VERSION: &str = "version-newer";
    pub const DEVICE_UNKNOWN: &str = "device-unknown";
    pub const DEVICE_REVOKED: &str = "device-revoked";
    pub const DEVICE_SIGNATURE: &str = "device-signature";
    pub const FORK: &str = "fork";
    pub const ID_TAKEN: &str = "id-taken";
    pub const FACILITY: &str = "facility";
    pub const PAYLOAD: &str = "payload";
    pub const PAYLOAD_CODEC: &str = "payload-codec";
    pub const PAYLOAD_KIND: &str = "payload-kind";
    pub const NOT_SIGNED: &str = "person-not-signed";
    pub const ROLE: &str = "role";
    /// An order of a medicine, signed by somebody who may only propose.
    pub const NOT_PRESCRIBER: &str = "not-prescriber";
    pub const PERSON_SIGNATURE: &str = "person-signature";
    pub const PATIENT: &str = "patient-mismatch";
    pub const PATIENT_UNKNOWN: &str = "patient-unknown";
    pub const NOT_YOURS: &str = "not-yours";
    pub const TASK_UNKNOWN: &str = "task-unknown";
    pub const TASK_STATE: &str = "task-state";
    pub const TASK_MOVE: &str = "task-move";
    pub const TASK_VERSION: &str = "task-version";
    pub const TASK_OWNER: &str = "task-owner";
    pub const CONSENT_MISSING: &str = "consent-missing";
    pub const ATTACHMENT: &str = "attachment";
    pub const AUDIT: &str = "audit";
}

/// Why an envelope is not taken, in words that name no patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: &'static str,
    pub text: String,
}

impl Refusal {
    pub fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

/// An envelope whose device is proven.
pub struct Examined {
    pub header: Header,
    pub hash: [u8; 32],
    pub bytes: Vec<u8>,
    pub verdict: Result<Content, Refusal>,
}

/// Reads the outer layers, to learn whose keys are needed. On error the id is zeros where not even that was read.
pub fn read(bytes: &[u8]) -> Result<(Envelope, Header), (Id, Refusal)> {
    let refuse = |e: EnvelopeError| match e {
        EnvelopeError::TooLarge(n) => Refusal::new(codes::TOO_LARGE, format!("larger than {n} bytes")),
        EnvelopeError::Version(v) => Refusal::new(
            codes::VERSION,
            format!("made by a newer program (envelope version {v}); this server must be updated"),
        ),
        e => Refusal::new(codes::MALFORMED, e.to_string()),
    };
    let envelope = Envelope::from_bytes(bytes).map_err(|e| (Id::default(), refuse(e)))?;
    let header = envelope.header().map_err(|e| {
        // Only the id of a header that we can read is worth telling.
        (minicbor::decode::<Header>(&envelope.header).map(|h| h.id).unwrap_or_default(), refuse(e))
    })?;
    Ok((envelope, header))
}

/// Proves the device and judges all that needs no look at the record. `Err`: it is not even that device's.
pub fn examine(
    envelope: &Envelope,
    bytes: Vec<u8>,
    device: Option<&DeviceInfo>,
    signer: &[PersonKey],
    now: i64,
) -> Result<Examined, Refusal> {
    let unknown = || Refusal::new(codes::DEVICE_UNKNOWN, "no device of this HIE wrote this");
    let device = device.ok_or_else(unknown)?;
    let header = envelope
        .open(&device.key)
        .map_err(|_| Refusal::new(codes::DEVICE_SIGNATURE, "the device's signature does not match"))?;
    if header.seq == 0 || header.seq > i64::MAX as u64 {
        return Err(Refusal::new(codes::MALFORMED, "a log counts from 1"));
    }
    let verdict = judge(envelope, &header, device, signer, now);
    Ok(Examined { hash: envelope.hash(), header, bytes, verdict })
}

fn judge(
    envelope: &Envelope,
    header: &Header,
    device: &DeviceInfo,
    signer: &[PersonKey],
    now: i64,
) -> Result<Content, Refusal> {
    if header.facility != device.facility {
        return Err(Refusal::new(codes::FACILITY, "the device belongs to another facility"));
    }
    let payload = content::unpack(envelope, header)?;
    must_be_signed(header)?;
    let mut may_order = false;
    if let Some(signed) = &header.signed_by {
        let bad = || {
            Refusal::new(
                codes::PERSON_SIGNATURE,
                "the person's signature does not match a key certified for them here",
            )
        };
        let protected: Value = serde_json::from_str(&signed.protected).map_err(|_| bad())?;
        let named = protected["alg"] == "EdDSA" && protected["kid"] == Value::from(signed.person.to_string());
        let proven = signer.iter().find(|k| k.device == header.device && signed.verify(&k.key, &payload));
        let signer = proven.filter(|_| named).ok_or_else(bad)?;
        may_order = role::may(&signer.role, Act::Prescribe);
        if let Some(act) = act(header.kind).filter(|act| !role::may(&signer.role, *act)) {
            return Err(Refusal::new(codes::ROLE, format!("a person of this role may not do this: {act:?}")));
        }
    }
    let content = content::read(header, payload, latest_date(now))?;
    if !may_order && content.resources.iter().any(|r| orders_medicine(&r.value)) {
        return Err(Refusal::new(
            codes::NOT_PRESCRIBER,
            "a person of this role proposes medicines (MedicationRequest.intent) and does not order them",
        ));
    }
    Ok(content)
}

/// Whether this is an order of a medicine that counts: `order` and the codes below it
/// (http://hl7.org/fhir/R4/valueset-medicationrequest-intent.html). One that was entered in error orders nothing, and
/// whoever corrects a visit carries it along as that.
fn orders_medicine(resource: &Value) -> bool {
    resource["resourceType"] == "MedicationRequest"
        && resource["intent"].as_str().is_some_and(|intent| intent.ends_with("order"))
        && resource["status"] != "entered-in-error"
}

/// What somebody does who signs this. A kind that is not here needs no signature.
fn act(kind: Kind) -> Option<Act> {
    match kind {
        Kind::Visit => Some(Act::Visit),
        Kind::ReferralNote => Some(Act::Ask),
        Kind::Advice => Some(Act::Advise),
        Kind::Decisions => Some(Act::Prescribe),
        Kind::Patient
        | Kind::Consent
        | Kind::TaskMove
        | Kind::Communication
        | Kind::AttachmentPart
        | Kind::Audit => None,
    }
}

fn must_be_signed(header: &Header) -> Result<(), Refusal> {
    if act(header.kind).is_some() && header.signed_by.is_none() {
        return Err(Refusal::new(codes::NOT_SIGNED, "this must be signed by a person"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::orders_medicine;

    #[test]
    fn every_kind_of_order_counts_and_a_proposal_does_not() {
        let of = |kind: &str, intent: &str, status: &str| {
            orders_medicine(&json!({"resourceType": kind, "intent": intent, "status": status}))
        };
        for intent in ["order", "original-order", "reflex-order", "filler-order", "instance-order"] {
            assert!(of("MedicationRequest", intent, "active"), "{intent}");
        }
        for intent in ["proposal", "plan", "option"] {
            assert!(!of("MedicationRequest", intent, "active"), "{intent}");
        }
        assert!(!of("MedicationRequest", "order", "entered-in-error"));
        assert!(!of("ServiceRequest", "order", "active"));
    }
}
