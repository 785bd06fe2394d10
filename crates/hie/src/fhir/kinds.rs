use rabta_domain::role::Part;

/// What the HIE knows of a resource type: enough to refuse nonsense, not a profile.
#[derive(Debug)]
pub struct Kind {
    pub name: &'static str,
    /// Elements with cardinality 1.. (http://hl7.org/fhir/R4/resourcelist.html); `x` at the end is a choice.
    pub required: &'static [&'static str],
    /// The element that refers to the patient, if the type is in the Patient compartment.
    pub patient: Option<&'static str>,
}

const fn of(name: &'static str, patient: Option<&'static str>, required: &'static [&'static str]) -> Kind {
    Kind { name, required, patient }
}

const SUBJECT: Option<&str> = Some("subject");
const PATIENT: Option<&str> = Some("patient");

/// Every type that this server keeps, by name.
pub static KINDS: [Kind; 47] = [
    of("AllergyIntolerance", PATIENT, &["patient"]),
    of("Appointment", None, &["status", "participant"]),
    of("AuditEvent", None, &["type", "recorded", "agent", "source"]),
    of("Basic", SUBJECT, &["code"]),
    of("Binary", None, &["contentType"]),
    of("CarePlan", SUBJECT, &["status", "intent", "subject"]),
    of("CareTeam", SUBJECT, &[]),
    of("ClinicalImpression", SUBJECT, &["status", "subject"]),
    of("Communication", SUBJECT, &["status"]),
    of("Composition", SUBJECT, &["status", "type", "date", "author", "title"]),
    of("Condition", SUBJECT, &["subject"]),
    of("Consent", PATIENT, &["status", "scope", "category"]),
    of("Coverage", Some("beneficiary"), &["status", "beneficiary", "payor"]),
    of("DetectedIssue", PATIENT, &["status"]),
    of("Device", PATIENT, &[]),
    of("DiagnosticReport", SUBJECT, &["status", "code"]),
    of("DocumentReference", SUBJECT, &["status", "content"]),
    of("Encounter", SUBJECT, &["status", "class"]),
    of("EpisodeOfCare", PATIENT, &["status", "patient"]),
    of("FamilyMemberHistory", PATIENT, &["status", "patient", "relationship"]),
    of("Flag", SUBJECT, &["status", "code", "subject"]),
    of("Goal", SUBJECT, &["lifecycleStatus", "description", "subject"]),
    of("Group", None, &["type", "actual"]),
    of("HealthcareService", None, &[]),
    of("ImagingStudy", SUBJECT, &["status", "subject"]),
    of("Immunization", PATIENT, &["status", "vaccineCode", "patient", "occurrencex"]),
    of("List", SUBJECT, &["status", "mode"]),
    of("Location", None, &[]),
    of("Media", SUBJECT, &["status", "content"]),
    of("Medication", None, &[]),
    of("MedicationAdministration", SUBJECT, &["status", "subject", "medicationx"]),
    of("MedicationDispense", SUBJECT, &["status", "medicationx"]),
    of("MedicationRequest", SUBJECT, &["status", "intent", "subject", "medicationx"]),
    of("MedicationStatement", SUBJECT, &["status", "subject", "medicationx"]),
    of("Observation", SUBJECT, &["status", "code"]),
    of("Organization", None, &[]),
    of("Patient", None, &[]),
    of("Practitioner", None, &[]),
    of("PractitionerRole", None, &[]),
    of("Procedure", SUBJECT, &["status", "subject"]),
    of("Provenance", None, &["target", "recorded", "agent"]),
    of("Questionnaire", None, &["status"]),
    of("QuestionnaireResponse", SUBJECT, &["status"]),
    of("RelatedPerson", PATIENT, &["patient"]),
    of("ServiceRequest", SUBJECT, &["status", "intent", "subject"]),
    of("Specimen", SUBJECT, &[]),
    of("Task", Some("for"), &["status", "intent"]),
];

/// Of which part of a record a type is: whose roles may read it.
pub fn part(name: &str) -> Part {
    match name {
        "Organization" | "Practitioner" | "PractitionerRole" | "Location" | "HealthcareService"
        | "Medication" | "Questionnaire" => Part::Directory,
        "Patient" | "RelatedPerson" | "Group" | "Consent" | "Appointment" | "Coverage" => Part::Demographics,
        "Immunization" => Part::Immunizations,
        "MedicationRequest"
        | "MedicationDispense"
        | "MedicationStatement"
        | "MedicationAdministration"
        | "AllergyIntolerance" => Part::Medicines,
        "Observation" | "DiagnosticReport" | "Specimen" | "ServiceRequest" | "ImagingStudy" => {
            Part::Diagnostics
        }
        "AuditEvent" => Part::Audit,
        // What is not known to be less is clinical.
        _ => Part::Clinical,
    }
}

/// The types of a part.
pub fn types(of: Part) -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|k| k.name).filter(move |name| part(name) == of)
}

pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.binary_search_by(|k| k.name.cmp(name)).ok().map(|i| &KINDS[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_found_by_its_name() {
        for k in &KINDS {
            assert!(kind(k.name).is_some_and(|found| found.name == k.name), "{}", k.name);
        }
        assert!(kind("Bundle").is_none() && kind("Patients").is_none());
    }
}
