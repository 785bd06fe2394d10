//! A patient's consent that somebody outside the clinic may read the case.

use super::{
    Builder, Bundle, BundleError, BundleType, Facility, Json, NewId, Signer, Stamp,
    json::{arr, obj},
    parts::{coding, concept, ext, ext_str, facility, reference, signer},
    urls,
};
use crate::consent::ConsentForm;

/// Whose consent, where and by whom it was taken.
pub struct ConsentContext<'a> {
    /// The Consent's id: the same when it is withdrawn or changed.
    pub id: &'a str,
    /// Patient id.
    pub patient: &'a str,
    pub facility: &'a Facility,
    pub author: &'a Signer,
    pub stamp: Stamp,
    /// Taken back: `status: inactive`.
    pub withdrawn: bool,
}

/// The payload: a collection of one Consent.
pub fn to_bundle(form: &ConsentForm, context: &ConsentContext<'_>, new_id: NewId<'_>) -> Vec<u8> {
    let mut bundle = Builder::new(BundleType::Collection, new_id(), context.stamp.at);
    bundle.push(&consent(form, context));
    bundle.into_bytes()
}

/// A consent as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRecord {
    pub id: String,
    pub patient: String,
    pub withdrawn: bool,
    /// When, as an instant.
    pub at: String,
    pub form: ConsentForm,
}

impl ConsentRecord {
    /// Whether somebody outside the clinic may read the case now.
    pub fn allows_consultation(&self) -> bool {
        !self.withdrawn && self.form.allows_consultation()
    }
}

/// Reads the payload back.
pub fn from_bundle(payload: &[u8]) -> Result<ConsentRecord, BundleError> {
    Ok(read(&Bundle::parse(payload)?.view("Consent")?))
}

fn consent(form: &ConsentForm, context: &ConsentContext<'_>) -> Json {
    let emergency = form.decision == "emergency";
    let (status, provision) = match form.decision.as_str() {
        _ if context.withdrawn => ("inactive", "deny"),
        "given" | "emergency" => ("active", "permit"),
        _ => ("rejected", "deny"),
    };
    let guardian = form.given_by == "guardian";
    let relation = if form.guardian_relation.is_empty() { "GUARD" } else { &form.guardian_relation };
    let giver = if guardian {
        obj! { "display": &form.guardian_name }
    } else {
        reference("Patient", context.patient)
    };
    let actor = obj! { "role": concept(urls::V3_ROLE_CODE, relation, ""), "reference": giver.clone() };
    let reason = if form.reason.is_empty() {
        Json::Null
    } else {
        obj! { "text": &form.reason }
    };
    let verified = !emergency && form.decision == "given";
    obj! {
        "resourceType": "Consent",
        "id": context.id,
        "extension": arr![
            ext(urls::CONSENT_DECISION, "valueCode", form.decision.as_str()),
            ext(urls::CONSENT_GIVEN_BY, "valueCode", form.given_by.as_str()),
            ext(urls::CONSENT_HOW, "valueCode", form.how.as_str()),
            ext(urls::CONSENT_WITNESS, "valueString", &form.witness),
            ext(urls::CONSENT_REASON, "valueString", &form.reason),
        ],
        "language": form.language.as_str(),
        "status": status,
        "scope": concept(urls::CONSENT_SCOPE_HL7, "patient-privacy", ""),
        "category": arr![concept(urls::LOINC, "59284-0", "Consent Document")],
        "patient": reference("Patient", context.patient),
        "dateTime": context.stamp.instant(),
        "performer": arr![if emergency { signer(context.author) } else { giver.clone() }],
        "organization": arr![facility(context.facility)],
        "policyRule": obj! {
            "coding": arr![coding(urls::V3_ACT_CODE, if provision == "permit" { "OPTIN" } else { "OPTOUT" })],
            "text": reason.str("text"),
        },
        "verification": if verified {
            arr![obj! { "verified": true, "verifiedWith": giver, "verificationDate": context.stamp.instant() }]
        } else {
            Json::Null
        },
        "provision": obj! {
            "type": provision,
            "actor": arr![if guardian { actor } else { Json::Null }],
            "purpose": arr![coding(urls::V3_ACT_REASON, if emergency { "ETREAT" } else { "TREAT" })],
            "code": form.scope.iter().map(|s| concept(urls::CONSENT_SCOPE, s, "")).collect::<Json>(),
        },
    }
}

pub(crate) fn read(consent: &Json) -> ConsentRecord {
    let text = |url: &str| ext_str(consent, url).unwrap_or_default().to_owned();
    let scope = |c: &Json| c.code_of("coding", urls::CONSENT_SCOPE).map(str::to_owned);
    let guardian = consent.at("provision").items("actor").first().cloned().unwrap_or(Json::Null);
    let given_by = text(urls::CONSENT_GIVEN_BY);
    ConsentRecord {
        id: consent.str("id").to_owned(),
        patient: consent.str("patient.reference").strip_prefix("Patient/").unwrap_or_default().to_owned(),
        withdrawn: consent.str("status") == "inactive",
        at: consent.str("dateTime").to_owned(),
        form: ConsentForm {
            decision: text(urls::CONSENT_DECISION),
            guardian_name: guardian.str("reference.display").into(),
            guardian_relation: if given_by == "guardian" {
                guardian.code_of("role", urls::V3_ROLE_CODE).unwrap_or_default().to_owned()
            } else {
                String::new()
            },
            given_by,
            how: text(urls::CONSENT_HOW),
            language: consent.str("language").to_owned(),
            witness: text(urls::CONSENT_WITNESS).into(),
            scope: consent.items("provision.code").iter().filter_map(scope).collect(),
            reason: text(urls::CONSENT_REASON).into(),
        },
    }
}
