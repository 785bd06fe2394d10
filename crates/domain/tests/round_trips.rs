//! Whatever a form holds comes back from its FHIR Bundle, exactly.

mod made;

use made::{clinic, doctor, ids, stamp};
use proptest::prelude::*;
use rabta_domain::{
    advice::{AdviceForm, Decision},
    ask::{AskForm, Urgency},
    consent::ConsentForm,
    fhir::{self, Bundle, Resource, Slots, advice, consent, decisions, note, patient, visit},
};
use time::macros::{date, datetime};

const PATIENT: &str = "aaaaaaaa-0000-4000-8000-000000000001";

fn visit_context<'a>(author: &'a fhir::Signer, facility: &'a fhir::Facility) -> visit::VisitContext<'a> {
    visit::VisitContext {
        patient: PATIENT,
        facility,
        author,
        stamp: stamp(),
        started: datetime!(2026-11-22 13:50 +5),
        age: None,
        replaces: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_visit_comes_back_exactly(form in made::visit()) {
        let (author, facility) = (doctor(), clinic());
        let payload = visit::to_document(&form, &visit_context(&author, &facility), &mut Slots::default(), &mut ids()).expect("made");
        let record = visit::from_document(&payload).expect("read");
        prop_assert_eq!(&record.form, &form.tidied());
        prop_assert_eq!(record.patient, PATIENT);
        prop_assert_eq!((record.author.id, record.facility), (author.id, facility));
        prop_assert_eq!(form.tidied().tidied(), form.tidied());
    }

    #[test]
    fn a_corrected_visit_says_only_what_the_correction_says(before in made::visit(), after in made::visit()) {
        let (author, facility) = (doctor(), clinic());
        let mut new_id = ids();
        let first = visit::to_document(&before, &visit_context(&author, &facility), &mut Slots::default(), &mut new_id).expect("made");
        let bundle = Bundle::parse(&first).expect("read");
        let context = visit::VisitContext { replaces: Some(&bundle), ..visit_context(&author, &facility) };
        let second = visit::to_document(&after, &context, &mut Slots::default(), &mut new_id).expect("made");
        let (old, new) = (visit::from_document(&first).expect("read"), visit::from_document(&second).expect("read"));
        prop_assert_eq!(new.form, after.tidied());
        prop_assert_eq!(new.encounter, old.encounter);
        prop_assert_eq!(new.replaces, Some(old.id));
        // Everything that the first version stored is stored again, or taken back.
        let now: Vec<String> = fhir::read(&second).expect("read").into_iter().map(|(t, id, _)| format!("{t}/{id}")).collect();
        for (resource_type, id, _) in fhir::read(&first).expect("read") {
            prop_assert!(resource_type == "Composition" || now.contains(&format!("{resource_type}/{id}")), "{resource_type}");
        }
    }

    #[test]
    fn a_patient_comes_back_exactly(form in made::registration()) {
        let facility = clinic();
        let ids_of = patient::Ids { id: PATIENT, mr: Some("3740-000123-4"), facility: &facility, existing: None, related: &[] };
        let payload = patient::to_bundle(&form, &ids_of, stamp(), &mut ids()).expect("made");
        let record = patient::from_bundle(&payload).expect("read");
        prop_assert_eq!(&record.form, &form);
        prop_assert_eq!(record.id, PATIENT);
        // The family head's number is never the patient's.
        let text = Bundle::parse(&payload).expect("read").first("Patient").expect("there").text().to_owned();
        if let Some(cnic) = form.guardian.as_ref().and_then(|g| g.cnic.as_ref()) {
            let also_own = form.papers.iter().any(|p| p.number == *cnic);
            prop_assert!(also_own || !text.contains(cnic.as_str()));
        }
    }

    #[test]
    fn an_edited_patient_is_what_the_form_says(before in made::registration(), after in made::registration()) {
        let facility = clinic();
        let mut new_id = ids();
        let new = patient::Ids { id: PATIENT, mr: Some("3740-000123-4"), facility: &facility, existing: None, related: &[] };
        let first = Bundle::parse(&patient::to_bundle(&before, &new, stamp(), &mut new_id).expect("made")).expect("read");
        let related: Vec<Resource> = first.of("RelatedPerson").cloned().collect();
        let edit = patient::Ids { existing: first.first("Patient"), related: &related, ..new };
        let second = patient::to_bundle(&after, &edit, stamp(), &mut new_id).expect("made");
        prop_assert_eq!(patient::from_bundle(&second).expect("read").form, after);
    }

    #[test]
    fn an_unchanged_patient_is_not_touched(form in made::registration()) {
        let facility = clinic();
        let new = patient::Ids { id: PATIENT, mr: None, facility: &facility, existing: None, related: &[] };
        let first = Bundle::parse(&patient::to_bundle(&form, &new, stamp(), &mut ids()).expect("made")).expect("read");
        let related: Vec<Resource> = first.of("RelatedPerson").cloned().collect();
        let edit = patient::Ids { existing: first.first("Patient"), related: &related, ..new };
        let second = Bundle::parse(&patient::to_bundle(&form, &edit, stamp(), &mut ids()).expect("made")).expect("read");
        prop_assert_eq!(first.first("Patient"), second.first("Patient"));
        let again: Vec<Resource> = second.of("RelatedPerson").cloned().collect();
        prop_assert_eq!(related, again);
    }

    #[test]
    fn a_note_shows_the_visit_and_the_question(form in made::visit(), who in made::registration(), question in made::typed()) {
        let (author, facility) = (doctor(), clinic());
        let mut new_id = ids();
        let new = patient::Ids { id: PATIENT, mr: Some("3740-000123-4"), facility: &facility, existing: None, related: &[] };
        let bundle = Bundle::parse(&patient::to_bundle(&who, &new, stamp(), &mut new_id).expect("made")).expect("read");
        let related: Vec<Resource> = bundle.of("RelatedPerson").cloned().collect();
        let context = note::NoteContext {
            visit: visit_context(&author, &facility),
            patient: bundle.first("Patient").expect("there"),
            related: &related,
            consent: "c",
            owner: Some(fhir::task::Owner::Person { id: "s", name: "Dr Saira" }),
            visit_signed: false,
        };
        let ask = AskForm { specialty: "pediatrics".into(), urgency: Urgency::Urgent, question: question.clone().into(), to_person: Some("s".into()), wishes: vec!["chaperone".into()] };
        let (payload, made) = note::to_document(&form, &ask, &context, &mut Slots::default(), &mut new_id).expect("made");
        let view = note::view(&payload, date!(2026 - 11 - 22)).expect("read");
        prop_assert_eq!(&view.visit, &form.tidied());
        let asked: String = question.chars().filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r')).collect();
        prop_assert_eq!(view.question.as_str(), asked.trim());
        prop_assert_eq!((view.urgency, view.specialty.as_str()), (Urgency::Urgent, "pediatrics"));
        prop_assert_eq!(view.patient.relation, who.relation);
        prop_assert_eq!(view.task.expect("there").id, made.task);
        prop_assert!(view.vitals.len() == view.visit.vitals.len());
        // No paper and no phone of the patient travels.
        let text = String::from_utf8(payload).expect("UTF-8");
        for secret in who.papers.iter().map(|p| &p.number).chain(who.phones.iter().map(|p| &p.number)) {
            prop_assert!(!text.contains(secret.as_str()));
        }
    }

    #[test]
    fn an_advice_and_the_decisions_on_it_come_back(
        diagnoses in prop::collection::vec(made::diagnosis(), 0..3),
        medicines in prop::collection::vec(made::line(), 1..4),
        plan in made::typed(),
        follow_up in made::follow_up(),
        changed in made::line(),
        orders: bool,
    ) {
        let form = AdviceForm { diagnoses, plan: plan.clone().into(), medicines, danger_signs: plan.into(), follow_up, modality: vec!["video".into(), "writing".into()] };
        let (author, facility) = (doctor(), clinic());
        let mut new_id = ids();
        let context = advice::AdviceContext {
            task: "t", service_request: "sr", part_of: "e", patient: PATIENT, facility: &facility, author: &author,
            stamp: stamp(), started: datetime!(2026-11-22 14:00 +5), stretches: &[], informed_by: &["c1".into()], replaces: None, orders,
        };
        let payload = advice::to_document(&form, &context, &mut Slots::default(), &mut new_id);
        let record = advice::from_document(&payload).expect("read");
        prop_assert_eq!(&record.form, &advice::tidied(&form));
        prop_assert_eq!((record.task.as_str(), record.part_of.as_str()), ("t", "e"));
        prop_assert_eq!(record.orders, orders && !record.form.medicines.is_empty());

        let lines: Vec<String> = record.form.medicines.iter().map(|m| m.id.clone()).collect();
        let made: Vec<Decision> = lines.iter().enumerate().map(|(n, line)| match n % 3 {
            0 => Decision::Accepted { line: line.clone() },
            1 => Decision::Declined { line: line.clone(), reason: "not in stock".into() },
            _ => Decision::Changed { line: line.clone(), to: Box::new(changed.clone()), reason: "smaller".into() },
        }).collect();
        let deciding = decisions::DecisionContext { advice: &record, author: &author, stamp: stamp() };
        let payload = decisions::to_bundle(&made, &deciding, &mut Slots::default(), &mut new_id).expect("made");
        let read = decisions::from_bundle(&payload).expect("read");
        prop_assert_eq!(read.decisions.len(), made.len());
        for (read, made) in read.decisions.iter().zip(&made) {
            prop_assert_eq!(read.line(), made.line());
            prop_assert_eq!(std::mem::discriminant(read), std::mem::discriminant(made));
        }
        let declined = made.iter().filter(|d| matches!(d, Decision::Declined { .. })).count();
        prop_assert_eq!(read.orders.len(), made.len() - declined);
        prop_assert!(read.orders.iter().all(|o| !lines.contains(&o.id)));
    }

    #[test]
    fn a_consent_comes_back_exactly(
        decision in prop::sample::select(vec!["given", "refused", "emergency"]),
        guardian in any::<bool>(),
        how in prop::sample::select(vec!["", "spoken", "thumb", "signature"]),
        scope in prop::sample::subsequence(vec!["this-consultation", "other-facilities", "photos", "phone-contact"], 0..4),
    ) {
        let form = ConsentForm {
            decision: decision.into(),
            given_by: if guardian { "guardian" } else { "patient" }.into(),
            guardian_name: if guardian { "Akram" } else { "" }.into(),
            guardian_relation: if guardian { "HUSB" } else { "" }.into(),
            how: how.into(),
            language: "ur".into(),
            witness: "Zeenat".into(),
            scope: scope.into_iter().map(str::to_owned).collect(),
            reason: if decision == "emergency" { "unconscious" } else { "" }.into(),
        };
        let (author, facility) = (doctor(), clinic());
        let context = consent::ConsentContext { id: "c", patient: PATIENT, facility: &facility, author: &author, stamp: stamp(), withdrawn: false };
        let record = consent::from_bundle(&consent::to_bundle(&form, &context, &mut ids())).expect("read");
        prop_assert_eq!(record.allows_consultation(), form.allows_consultation());
        prop_assert_eq!(record.form, form);
    }

    #[test]
    fn nothing_that_arrives_crashes_the_readers(text in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for payload in [text.as_bytes(), &bytes] {
            let _ = fhir::read(payload);
            let _ = visit::from_document(payload);
            let _ = advice::from_document(payload);
            let _ = note::view(payload, date!(2026 - 11 - 22));
            let _ = patient::from_bundle(payload);
        }
    }

    #[test]
    fn a_bent_document_is_read_or_refused_but_never_crashes(form in made::visit(), at in any::<prop::sample::Index>(), with in any::<u8>()) {
        let (author, facility) = (doctor(), clinic());
        let mut payload = visit::to_document(&form, &visit_context(&author, &facility), &mut Slots::default(), &mut ids()).expect("made");
        let at = at.index(payload.len());
        payload[at] = with;
        let _ = visit::from_document(&payload);
    }
}
