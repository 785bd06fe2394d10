//! What holds for records beyond coming back: others' data, transitions, cards, emergencies.

mod made;

use made::{clinic, doctor, ids, stamp};
use rabta_domain::{
    age::{AgeSaid, Said},
    ask::{AskForm, Party, State, Urgency},
    consent::ConsentForm,
    fhir::{self, Bundle, Json, Known, Resource, Slots, consent, note, patient, patient_card, task, visit},
    patient::{Allergies, Phone, Registration, Relation, Sex},
    visit::{Allergy, AllergyAnswer, AllergyState, PregnancyAnswer, VisitForm},
    vitals::{Measured, Verdict, Vital},
};
use time::macros::{date, datetime};

const PATIENT: &str = "aaaaaaaa-0000-4000-8000-000000000001";

/// As another hospital's system would send it.
const FOREIGN: &str = r#"{
  "resourceType": "Patient", "id": "aaaaaaaa-0000-4000-8000-000000000001",
  "meta": {"versionId": "3", "profile": ["http://elsewhere.example/Patient"]},
  "extension": [{"url": "http://elsewhere.example/blood", "valueDecimal": 1.50}],
  "identifier": [{"system": "http://elsewhere.example/mrn", "value": "X-77"},
                 {"system": "https://rabta.health/fhir/sid/mr", "value": "3740-000123-4", "assigner": {"display": "HIE"}}],
  "name": [{"use": "official", "family": "Bibi", "given": ["Ayesha"], "extension": [{"url": "http://elsewhere.example/n", "valueCode": "q"}]},
           {"use": "maiden", "family": "Khan"}],
  "telecom": [{"system": "email", "value": "a@example.org"}, {"system": "phone", "value": "03001234567", "rank": 1}],
  "gender": "female", "_gender": {"id": "g1"}, "birthDate": "1991-03",
  "address": [{"city": "Bhalwal", "district": "Sargodha", "postalCode": "40100"}, {"use": "old", "city": "Lahore"}],
  "contact": [{"name": {"text": "Akram"}}], "communication": [{"language": {"text": "Saraiki"}}]
}"#;

fn edit(change: impl FnOnce(&mut Registration)) -> Json {
    let existing = Resource::from_text(FOREIGN).expect("valid");
    let record = patient::read(&existing, &[]).expect("read");
    let mut form = record.form;
    change(&mut form);
    let mr = record.mr.as_ref().map(|m| m.as_str());
    let facility = clinic();
    let ids_of =
        patient::Ids { id: PATIENT, mr, facility: &facility, existing: Some(&existing), related: &[] };
    let payload = patient::to_bundle(&form, &ids_of, stamp(), &mut ids()).expect("made");
    Bundle::parse(&payload).expect("read").first("Patient").expect("there").view().expect("valid")
}

#[test]
fn what_an_amendment_left_undecided_is_in_the_record_until_somebody_decides() {
    let left = edit(|form| form.undecided = vec!["phones".into(), "sex".into()]);
    let left = Resource::from_json(&left).expect("valid");
    let form = patient::read(&left, &[]).expect("read").form;
    assert_eq!(form.undecided, ["phones", "sex"]);
    assert!(left.raw("extension").is_some_and(|raw| raw.contains("elsewhere.example/blood")));
    let facility = clinic();
    let ids_of =
        patient::Ids { id: PATIENT, mr: None, facility: &facility, existing: Some(&left), related: &[] };
    let decided = Registration { undecided: vec![], ..form };
    let payload = patient::to_bundle(&decided, &ids_of, stamp(), &mut ids()).expect("made");
    assert!(patient::from_bundle(&payload).expect("read").form.undecided.is_empty());
}

#[test]
fn another_systems_patient_is_read_as_it_stands() {
    let form = patient::read(&Resource::from_text(FOREIGN).expect("valid"), &[]).expect("read").form;
    assert_eq!(form.name.as_str(), "Ayesha Bibi");
    assert_eq!((form.place.text.as_str(), form.phones.len(), form.sex), ("Bhalwal", 1, Sex::Female));
    assert!(form.phones[0].safe_to_call && !form.phones[0].safe_to_text);
}

#[test]
fn an_unchanged_form_leaves_another_systems_patient_byte_for_byte() {
    let existing = Resource::from_text(FOREIGN).expect("valid");
    let form = patient::read(&existing, &[]).expect("read").form;
    let facility = clinic();
    let ids_of = patient::Ids {
        id: PATIENT,
        mr: Some("3740-000123-4"),
        facility: &facility,
        existing: Some(&existing),
        related: &[],
    };
    let payload = patient::to_bundle(&form, &ids_of, stamp(), &mut ids()).expect("made");
    assert_eq!(Bundle::parse(&payload).expect("read").first("Patient").expect("there").text(), FOREIGN);
}

#[test]
fn a_new_phone_leaves_everything_else_of_another_system() {
    let before = Json::parse(FOREIGN).expect("valid");
    let after = edit(|form| {
        form.phones.push(Phone { number: "03337654321".into(), owner: "husband".into(), ..Phone::default() })
    });
    for key in [
        "meta",
        "extension",
        "identifier",
        "name",
        "gender",
        "_gender",
        "birthDate",
        "address",
        "contact",
        "communication",
    ] {
        assert_eq!(before.get(key), after.get(key), "{key}");
    }
    let telecom = after.items("telecom");
    assert!(telecom.contains(&before.items("telecom")[0]), "the e-mail address is gone");
    assert_eq!((telecom[0].str("value"), telecom[0].int("rank")), ("03001234567", Some(1)));
    assert_eq!(telecom[1].str("value"), "03337654321");
}

#[test]
fn a_corrected_name_drops_the_parts_that_no_longer_fit_and_keeps_the_rest() {
    let after = edit(|form| form.name = "Aisha Bibi".into());
    let name = &after.items("name")[0];
    assert_eq!((name.str("text"), name.str("family")), ("Aisha Bibi", ""));
    assert!(name.extension("http://elsewhere.example/n").is_some());
    assert_eq!(after.items("name")[1].str("family"), "Khan");
}

#[test]
fn a_move_to_another_village_drops_the_old_district() {
    let after = edit(|form| form.place.text = "Chak 12".into());
    let address = &after.items("address")[0];
    assert_eq!((address.str("city"), address.str("district")), ("Chak 12", ""));
    assert_eq!(after.items("address")[1].str("city"), "Lahore");
    assert_eq!(after.items("identifier").len(), 2);
}

#[test]
fn a_birth_date_is_as_precise_as_it_is_known() {
    for (said, text) in [
        (Said::BirthDate { date: date!(2020 - 05 - 06) }, "2020-05-06"),
        (Said::BirthYear { year: 1990 }, "1990"),
        (Said::Days { n: 3 }, "2026-11-19"),
        (Said::Years { n: 34 }, "1992"),
    ] {
        let after =
            edit(|form| form.age = Some(AgeSaid { said, on: date!(2026 - 11 - 22), by: String::new() }));
        assert_eq!(after.str("birthDate"), text);
    }
}

fn registration() -> Registration {
    Registration {
        name: "عائشہ بی بی".into(),
        name_other_script: Some("Ayesha Bibi".into()),
        relation: Some(Relation { code: "HUSB".into(), name: "Akram".into() }),
        sex: Sex::Female,
        age: Some(AgeSaid { said: Said::Years { n: 34 }, on: date!(2026 - 11 - 22), by: "patient".into() }),
        phones: vec![Phone { number: "03001234567".into(), ..Phone::default() }],
        ..Registration::default()
    }
}

fn made_patient() -> (Resource, Vec<Resource>) {
    let facility = clinic();
    let ids_of = patient::Ids {
        id: PATIENT,
        mr: Some("3740-000123-4"),
        facility: &facility,
        existing: None,
        related: &[],
    };
    let bundle =
        Bundle::parse(&patient::to_bundle(&registration(), &ids_of, stamp(), &mut ids()).expect("made"))
            .expect("read");
    (bundle.first("Patient").expect("there").clone(), bundle.of("RelatedPerson").cloned().collect())
}

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

fn resources(form: &VisitForm) -> Vec<Resource> {
    let (author, facility) = (doctor(), clinic());
    let payload =
        visit::to_document(form, &visit_context(&author, &facility), &mut Slots::default(), &mut ids())
            .expect("made");
    Bundle::parse(&payload).expect("read").entries
}

#[test]
fn the_card_shows_the_facts_that_tell_two_ayeshas_apart() {
    let (patient, related) = made_patient();
    let form = VisitForm {
        allergies: AllergyAnswer {
            state: AllergyState::Known,
            items: vec![Allergy { substance: "Penicillin".into(), ..Allergy::default() }],
        },
        pregnancy: PregnancyAnswer {
            pregnant: "yes".into(),
            lmp: Some(date!(2026 - 06 - 07)),
            ..PregnancyAnswer::default()
        },
        ..VisitForm::default()
    };
    let all = resources(&form);
    let of = |kind: &str| all.iter().filter(|r| r.resource_type() == kind).cloned().collect::<Vec<_>>();
    let (allergies, observations) = (of("AllergyIntolerance"), of("Observation"));
    let known =
        Known { related: &related, allergies: &allergies, observations: &observations, ..Known::default() };
    let card = patient_card(&patient, &known, date!(2026 - 11 - 22)).expect("read");
    assert_eq!(card.name.as_str(), "Ayesha Bibi");
    assert_eq!(card.name_ur.expect("there").as_str(), "عائشہ بی بی");
    assert_eq!(card.relation.expect("there").name.as_str(), "Akram");
    assert_eq!(card.mr.expect("there").as_str(), "3740-000123-4");
    assert_eq!(card.phone_tail.expect("there").as_str(), "4567");
    assert_eq!(card.allergies, Allergies::Known(vec!["Penicillin".into()]));
    assert_eq!(card.pregnant_weeks, Some(24));
    assert!(card.age.expect("there").approximate);
    // A year later the child is long born.
    let later = patient_card(&patient, &known, date!(2027 - 11 - 22)).expect("read");
    assert_eq!((later.pregnant_weeks, later.age.expect("there").months_low), (None, 35 * 12));
}

#[test]
fn none_known_and_not_asked_are_two_things() {
    let (patient, _) = made_patient();
    let said = |state: AllergyState| {
        let form = VisitForm { allergies: AllergyAnswer { state, items: vec![] }, ..VisitForm::default() };
        let allergies: Vec<_> =
            resources(&form).into_iter().filter(|r| r.resource_type() == "AllergyIntolerance").collect();
        patient_card(&patient, &Known { allergies: &allergies, ..Known::default() }, date!(2026 - 11 - 22))
            .expect("read")
            .allergies
    };
    assert_eq!(said(AllergyState::NoneKnown), Allergies::NoneKnown);
    assert_eq!(said(AllergyState::NotAsked), Allergies::NotAsked);
}

fn sent_note(form: &VisitForm) -> Vec<u8> {
    let (author, facility) = (doctor(), clinic());
    let (patient, related) = made_patient();
    let context = note::NoteContext {
        visit: visit_context(&author, &facility),
        patient: &patient,
        related: &related,
        consent: "c",
        owner: None,
        visit_signed: false,
    };
    let ask = AskForm {
        specialty: "pediatrics".into(),
        urgency: Urgency::Emergency,
        question: "Refer now?".into(),
        ..AskForm::default()
    };
    note::to_document(form, &ask, &context, &mut Slots::default(), &mut ids()).expect("made").0
}

#[test]
fn a_note_has_what_is_abnormal_first_and_pressures_together() {
    let measured = |vital, value: &str, unit: &str| Measured {
        vital,
        value: value.into(),
        unit: unit.into(),
        estimated: false,
        confirmed: false,
    };
    let vitals = vec![
        measured(Vital::Systolic, "120", "mm[Hg]"),
        measured(Vital::Diastolic, "95", "mm[Hg]"),
        measured(Vital::Pulse, "80", "/min"),
        measured(Vital::Spo2, "85", "%"),
    ];
    let view = note::view(&sent_note(&VisitForm { vitals, ..VisitForm::default() }), date!(2026 - 11 - 22))
        .expect("read");
    let order: Vec<Vital> = view.vitals.iter().map(|j| j.value.vital).collect();
    assert_eq!(order, [Vital::Spo2, Vital::Systolic, Vital::Diastolic, Vital::Pulse]);
    assert_eq!(view.vitals[0].verdict, Verdict::Critical);
    assert_eq!(view.patient.id, PATIENT);
}

#[test]
fn a_task_moves_only_as_the_table_says_and_keeps_its_history() {
    let first =
        Bundle::parse(&sent_note(&VisitForm::default())).expect("read").first("Task").expect("there").clone();
    let author = doctor();
    let step = |to, party, reason: &'static str| task::Move {
        to,
        party,
        by: &author,
        at: stamp().at,
        reason,
        owner: None,
        output: None,
    };
    let view = task::view(&first).expect("an ask");
    assert_eq!(
        (view.state, view.urgency, view.question.as_str()),
        (State::Requested, Urgency::Emergency, "Refer now?")
    );
    assert_eq!(view.answer_by.map(|t| t - stamp().at), Some(time::Duration::minutes(5)));

    assert!(matches!(
        task::moved(&first, &step(State::Done, Party::Requester, "")),
        Err(task::MoveError::NotAllowed { from: State::Requested, to: State::Done, party: Party::Requester })
    ));
    let seen = task::moved(&first, &step(State::Seen, Party::Specialist, "")).expect("allowed");
    let declined =
        task::moved(&seen, &step(State::Declined, Party::Specialist, "in surgery")).expect("allowed");
    let view = task::view(&declined).expect("an ask");
    assert_eq!((view.state, view.reason.as_str(), view.history.len()), (State::Declined, "in surgery", 2));
    assert_eq!(view.history[1].from, State::Seen);
    assert_eq!(declined.view().expect("valid").str("status"), "rejected");
    // What no move speaks of stays byte for byte.
    for key in ["restriction", "input", "focus", "for", "requester", "description"] {
        assert_eq!(first.raw(key), declined.raw(key), "{key}");
    }
}

#[test]
fn an_emergency_override_says_so_in_its_purpose() {
    let form =
        ConsentForm { decision: "emergency".into(), reason: "unconscious".into(), ..ConsentForm::default() };
    let (author, facility) = (doctor(), clinic());
    let context = consent::ConsentContext {
        id: "c",
        patient: PATIENT,
        facility: &facility,
        author: &author,
        stamp: stamp(),
        withdrawn: false,
    };
    let payload = consent::to_bundle(&form, &context, &mut ids());
    let json = Bundle::parse(&payload).expect("read").first("Consent").expect("there").view().expect("valid");
    assert_eq!(json.str("provision.purpose.code"), "ETREAT");
    assert!(consent::from_bundle(&payload).expect("read").allows_consultation());
    let withdrawn = consent::ConsentContext { withdrawn: true, ..context };
    assert!(
        !consent::from_bundle(&consent::to_bundle(&form, &withdrawn, &mut ids()))
            .expect("read")
            .allows_consultation()
    );
}

#[test]
fn a_number_keeps_the_digits_that_were_typed() {
    let vitals = vec![Measured {
        vital: Vital::Temperature,
        value: "101.50".into(),
        unit: "[degF]".into(),
        estimated: false,
        confirmed: false,
    }];
    let all = resources(&VisitForm { vitals, ..VisitForm::default() });
    let temperature = all.iter().find(|r| r.resource_type() == "Observation").expect("there");
    assert!(temperature.text().contains(r#""value":101.50,"unit":"[degF]""#), "{}", temperature.text());
}
