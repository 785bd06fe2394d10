//! What the treating doctor decides on each proposed line: an order `basedOn` the proposal, or its refusal with a
//! reason.

use super::{
    Builder, Bundle, BundleError, BundleType, Json, NewId, Signer, Slots, Stamp,
    advice::AdviceRecord,
    clinical::{self, Frame},
    json::{arr, obj},
    medication,
    parts::{ext, ext_str, reference, referenced},
    urls,
};
use crate::{advice::Decision, medicine::MedicineLine, visit::tidied_line, vitals::Months};

/// Who decides.
pub struct DecisionContext<'a> {
    pub advice: &'a AdviceRecord,
    pub author: &'a Signer,
    pub stamp: Stamp,
}

/// The payload: a collection of MedicationRequests, one for each decision on a line that the advice has. A changed
/// mind keeps the ids (`slots`).
pub fn to_bundle(
    decisions: &[Decision],
    context: &DecisionContext<'_>,
    slots: &mut Slots,
    new_id: NewId<'_>,
) -> Result<Vec<u8>, BundleError> {
    let advice = context.advice;
    let frame = Frame {
        patient: &advice.patient,
        encounter: &advice.part_of,
        author: context.author,
        stamp: context.stamp,
        age: Months::UNKNOWN,
    };
    let mut bundle = Builder::new(BundleType::Collection, new_id(), context.stamp.at);
    for decision in decisions {
        let proposed = advice.form.medicines.iter().find(|m| m.id == decision.line());
        let proposed = proposed.ok_or(BundleError::Missing("proposed line"))?;
        let id = slots.id(&format!("order/{}", decision.line()), new_id);
        let (line, code, reason) = match decision {
            Decision::Accepted { .. } => (proposed.clone(), "accepted", ""),
            Decision::Changed { to, reason, .. } => (tidied_line(to), "changed", reason.as_str()),
            Decision::Declined { reason, .. } => (proposed.clone(), "declined", reason.as_str()),
        };
        let proposal = reference("MedicationRequest", decision.line());
        let mut order = medication::request(&line, "order", &frame, id);
        let Json::Object(members) = &mut order else { unreachable!("a request is an object") };
        let mut extensions = vec![ext(urls::DECISION, "valueCode", code)];
        for (key, value) in members.iter_mut() {
            match (key.as_str(), &mut *value) {
                ("extension", Json::Array(all)) => extensions.append(all),
                ("status", status) if code == "declined" => *status = "cancelled".into(),
                _ => {}
            }
        }
        members.retain(|(key, _)| key != "extension");
        let mut push = |key: &str, value: Json| {
            if !value.is_nothing() {
                members.push((key.to_owned(), value));
            }
        };
        push("extension", extensions.into());
        push("basedOn", arr![proposal.clone()]);
        push("priorPrescription", if code == "changed" { proposal } else { Json::Null });
        push(
            "statusReason",
            if reason.trim().is_empty() {
                Json::Null
            } else {
                obj! { "text": super::clean(reason) }
            },
        );
        push("supportingInformation", arr![reference("Composition", &advice.id)]);
        bundle.push(&order);
    }
    Ok(bundle.into_bytes())
}

/// Decisions as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRecord {
    /// The advice's Composition id; empty where nothing was decided.
    pub advice: String,
    pub decisions: Vec<Decision>,
    /// What is now ordered: accepted and changed lines, each with its order's id.
    pub orders: Vec<MedicineLine>,
}

/// Reads the payload back. A changed line's id is its order's.
pub fn from_bundle(payload: &[u8]) -> Result<DecisionRecord, BundleError> {
    let mut record = DecisionRecord { advice: String::new(), decisions: Vec::new(), orders: Vec::new() };
    for order in Bundle::parse(payload)?.views("MedicationRequest")? {
        if clinical::is_wrong(&order) {
            continue;
        }
        let line = referenced(&order, "basedOn", "MedicationRequest");
        let line = line.ok_or(BundleError::Unreadable("MedicationRequest.basedOn"))?.to_owned();
        if let Some(advice) = referenced(&order, "supportingInformation", "Composition") {
            record.advice = advice.to_owned();
        }
        let reason = order.str("statusReason.text").to_owned();
        let read = medication::read(&order);
        record.decisions.push(match ext_str(&order, urls::DECISION) {
            Some("declined") => Decision::Declined { line, reason },
            Some("changed") => Decision::Changed { line, to: Box::new(read.clone()), reason },
            _ => Decision::Accepted { line },
        });
        if order.str("status") != "cancelled" {
            record.orders.push(read);
        }
    }
    Ok(record)
}
