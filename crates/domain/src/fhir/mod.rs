//! FHIR R4 (http://hl7.org/fhir/R4) resources: the bytes as received, narrow typed views of them, and the
//! Bundles that our payloads are.

pub mod urls;
