//! Every URL and code system that our resources name. HL7's and LOINC's are given, ours stand on a neutral base.
//!
//! Ours are part of the stored and signed format: **never change** one, add another.

/// The base of all that is ours.
pub const BASE: &str = "https://rabta.health/fhir";

// --- Extensions of ours -------------------------------------------------------------------------------------

/// On `Patient.identifier`: how sure we are. `valueCode`: `stated`, `card-seen`, `verified`.
pub const ASSURANCE: &str = "https://rabta.health/fhir/StructureDefinition/identifier-assurance";
/// On `Patient.birthDate`'s owner (Patient): the age as it was said. Nested: `as` (valueCode: `birth-date`,
/// `birth-year`, `years`, `months`, `weeks`, `days`, `event`), `n` (valueInteger, all but event and birth-date),
/// `date` (valueDate, for birth-date), `text`, `from` and `to` (valueString, valueInteger years; for event),
/// `on` (valueDate), `by` (valueString), and the bounds that follow, `earliest` and `latest` (valueDate).
pub const AGE_SAID: &str = "https://rabta.health/fhir/StructureDefinition/age-as-said";
/// On Patient: why there is no paper, `valueCode` `none` or `unconscious`.
pub const NO_PAPER: &str = "https://rabta.health/fhir/StructureDefinition/no-paper";
/// On Patient: details of which its author had several values before them and decided nothing, `valueString`, their codes
/// with spaces between them ([`crate::standing::Field`]).
pub const UNDECIDED: &str = "https://rabta.health/fhir/StructureDefinition/undecided";
/// On Address: the place's id in the country package's tree, `valueString`.
pub const PLACE: &str = "https://rabta.health/fhir/StructureDefinition/place";
/// On ContactPoint: whose phone it is, `valueString`: `self`, `husband`, `father`, ...
pub const PHONE_OWNER: &str = "https://rabta.health/fhir/StructureDefinition/phone-owner";
/// On ContactPoint: `valueBoolean`.
pub const SAFE_TO_CALL: &str = "https://rabta.health/fhir/StructureDefinition/phone-safe-to-call";
/// On ContactPoint: `valueBoolean`.
pub const SAFE_TO_TEXT: &str = "https://rabta.health/fhir/StructureDefinition/phone-safe-to-text";
/// On ContactPoint: `valueBoolean`.
pub const VOICE_ONLY: &str = "https://rabta.health/fhir/StructureDefinition/phone-voice-only";
/// On ContactPoint: when to call, `valueString`.
pub const PHONE_HOURS: &str = "https://rabta.health/fhir/StructureDefinition/phone-hours";
/// On RelatedPerson: what it is there for, `valueCode`: `name` (S/O, D/O, W/O: tells two namesakes apart),
/// `guardian`, `mother` (of a newborn).
pub const RELATED_AS: &str = "https://rabta.health/fhir/StructureDefinition/related-as";
/// On RelatedPerson: the Patient that this person is, too, `valueReference`.
pub const IS_PATIENT: &str = "https://rabta.health/fhir/StructureDefinition/related-is-patient";
/// On Observation and its components: the person was asked about an unlikely value and said yes, `valueBoolean`.
pub const CONFIRMED: &str = "https://rabta.health/fhir/StructureDefinition/value-confirmed";
/// On MedicationRequest: the line as the form held it. Nested, `valueString` each: `generic`, `brand`, `form`,
/// `strength`, `dose` (as entered), `clash-reason`; `food` (valueCode), `controlled` (valueBoolean).
pub const MEDICINE_LINE: &str = "https://rabta.health/fhir/StructureDefinition/medicine-line";
/// On Encounter: `day` (valueDate) and `event` (valueString, "after Eid").
pub const FOLLOW_UP: &str = "https://rabta.health/fhir/StructureDefinition/follow-up";
/// On Consent: how it was given, `valueCode`: `spoken`, `thumb`, `signature`.
pub const CONSENT_HOW: &str = "https://rabta.health/fhir/StructureDefinition/consent-how";
/// On Consent: the witness's name, `valueString`.
pub const CONSENT_WITNESS: &str = "https://rabta.health/fhir/StructureDefinition/consent-witness";
/// On Consent: the answer, `valueCode`: `given`, `refused`, `emergency`.
pub const CONSENT_DECISION: &str = "https://rabta.health/fhir/StructureDefinition/consent-decision";
/// On Consent: `valueCode`: `patient`, `guardian`.
pub const CONSENT_GIVEN_BY: &str = "https://rabta.health/fhir/StructureDefinition/consent-given-by";
/// On Consent: why it was overridden in an emergency, `valueString`.
pub const CONSENT_REASON: &str = "https://rabta.health/fhir/StructureDefinition/consent-reason";
/// On Composition (a note): a contained Patient, as it was when the note was sent, `valueReference`.
pub const PATIENT_AS_SENT: &str = "https://rabta.health/fhir/StructureDefinition/patient-as-sent";
/// On Composition (a note): the Consent that lets it be read, `valueReference`.
pub const CONSENT: &str = "https://rabta.health/fhir/StructureDefinition/under-consent";
/// On Composition (an advice): the ask that it answers, `valueReference`.
pub const ABOUT_TASK: &str = "https://rabta.health/fhir/StructureDefinition/about-task";
/// On Task: one step of its history, nested `from`, `to` (valueCode), `at` (valueInstant), `by` (valueReference),
/// `reason` (valueString).
pub const TASK_STEP: &str = "https://rabta.health/fhir/StructureDefinition/task-step";
/// On Task and ServiceRequest: what the patient wishes (a woman specialist, ...), `valueString`, repeated.
pub const WISH: &str = "https://rabta.health/fhir/StructureDefinition/wish";
/// On Encounter (class VR): one stretch of a consultation, nested `modality` (valueCode), `start`, `end`
/// (valueDateTime).
pub const MODALITY: &str = "https://rabta.health/fhir/StructureDefinition/consultation-modality";
/// On MedicationRequest (a decision): `valueCode` `accepted`, `changed`, `declined`.
pub const DECISION: &str = "https://rabta.health/fhir/StructureDefinition/advice-decision";

/// On Bundle.meta: the code that a paper printed from it carries (`rabta_wire::paper`), `valueString`.
pub const PAPER_CODE: &str = "https://rabta.health/fhir/StructureDefinition/paper-code";

// --- Extensions of HL7's ------------------------------------------------------------------------------------

/// On HumanName: the language and script, `valueCode` (`ur`, `en`, BCP 47).
/// <http://hl7.org/fhir/R4/extension-language.html>
pub const LANGUAGE: &str = "http://hl7.org/fhir/StructureDefinition/language";

// --- Code systems of ours -----------------------------------------------------------------------------------

/// Danger signs (`crate::visit::DangerSigns::signs`).
pub const DANGER_SIGN: &str = "https://rabta.health/fhir/CodeSystem/danger-sign";
/// Observations for which LOINC has no code that we could check: `danger-signs`, `breastfeeding`.
pub const OBSERVATION: &str = "https://rabta.health/fhir/CodeSystem/observation";
/// Allergy classes of the country package: `penicillins`, `sulfonamides`, ...
pub const ALLERGY_CLASS: &str = "https://rabta.health/fhir/CodeSystem/allergy-class";
/// Who gave a current medicine: `doctor`, `dispenser`, `self`, `hakeem`, `injection`, `steroid`.
pub const MEDICINE_SOURCE: &str = "https://rabta.health/fhir/CodeSystem/medicine-source";
/// How a visit ended: `home`, `referred`, `admitted`, `left`, `died`.
pub const DISPOSITION: &str = "https://rabta.health/fhir/CodeSystem/disposition";
/// Participations in an Encounter that v3 lacks: `present`.
pub const PARTICIPATION: &str = "https://rabta.health/fhir/CodeSystem/participation";
/// Scopes of a consent: `this-consultation`, `other-facilities`, `photos`, `phone-contact`.
pub const CONSENT_SCOPE: &str = "https://rabta.health/fhir/CodeSystem/consent-scope";
/// Specialties of the country package.
pub const SPECIALTY: &str = "https://rabta.health/fhir/CodeSystem/specialty";
/// Messages about an ask: `question`, `answer`, `chat`, `voice-note`.
pub const MESSAGE: &str = "https://rabta.health/fhir/CodeSystem/message";
/// How a value was had: `estimated`.
pub const METHOD: &str = "https://rabta.health/fhir/CodeSystem/method";

// --- Naming systems -----------------------------------------------------------------------------------------

/// PMDC registration numbers. PMDC publishes no URI.
pub const PMDC: &str = "https://rabta.health/fhir/sid/pk-pmdc";
/// Bundle identifiers are UUIDs (RFC 4122 URNs).
pub const URI: &str = "urn:ietf:rfc:3986";

// --- Code systems of others ---------------------------------------------------------------------------------

pub const LOINC: &str = "http://loinc.org";
pub const UCUM: &str = "http://unitsofmeasure.org";
pub const SNOMED: &str = "http://snomed.info/sct";
pub const ICD10: &str = "http://hl7.org/fhir/sid/icd-10";
pub const ATC: &str = "http://www.whocc.no/atc";
/// Identifier types: MR, NI, PPN, MD.
pub const V2_0203: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";
/// Encounter classes: AMB, VR. Also purposes and sensitivities: ETREAT, TREAT, SEX, HIV, PSY.
pub const V3_ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
/// ETREAT, TREAT.
pub const V3_ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
/// Relations: FTH, MTH, HUSB, GUARD.
pub const V3_ROLE_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-RoleCode";
/// INF (informant), ATND (attender).
pub const V3_PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
/// N, R, V.
pub const V3_CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
/// A, AA.
pub const INTERPRETATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";
pub const CONSENT_SCOPE_HL7: &str = "http://terminology.hl7.org/CodeSystem/consentscope";
pub const OBSERVATION_CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
pub const CONDITION_CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/condition-category";
pub const CONDITION_CLINICAL: &str = "http://terminology.hl7.org/CodeSystem/condition-clinical";
pub const CONDITION_VERIFICATION: &str = "http://terminology.hl7.org/CodeSystem/condition-ver-status";
pub const ALLERGY_CLINICAL: &str = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical";
pub const ALLERGY_VERIFICATION: &str =
    "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification";
pub const EMPTY_REASON: &str = "http://terminology.hl7.org/CodeSystem/list-empty-reason";
pub const DATA_ABSENT: &str = "http://terminology.hl7.org/CodeSystem/data-absent-reason";
pub const TASK_CODE: &str = "http://hl7.org/fhir/CodeSystem/task-code";
pub const AUDIT_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
pub const AUDIT_SUBTYPE: &str = "http://hl7.org/fhir/restful-interaction";
/// What happened to a record in its life: `report`, `disclose`.
pub const LIFECYCLE: &str = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle";
pub const PROVENANCE_AGENT: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
pub const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
/// Signature purposes, CLINIC.md "Signatures".
pub const SIGNATURE_TYPE: &str = "urn:iso-astm:E1762-95:2013";
