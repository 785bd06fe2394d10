//! What is written of a case that a specialist is asked about, from the consent to the decisions, and a photo.

use anyhow::{Context, Result};
use rabta_domain::{
    advice::AdviceForm,
    ask::{AskForm, Party, State},
    consent::ConsentForm,
    fhir::{self, Bundle, Facility, Signer, Slots, Stamp},
    visit::VisitForm,
};
use rabta_wire::{
    Id,
    envelope::{AttachmentPart, Kind},
};
use serde_json::{from_value, json};
use time::macros::datetime;

use crate::register::Dice;

/// A photo, small enough for one part.
const PHOTO: &[u8] = b"\xff\xd8\xff\xe0 not a picture, but a server need not know \xff\xd9";

/// The payloads of one case in their order, each with whether a person signs it; and the photo's id and bytes.
pub struct Case {
    pub payloads: Vec<(Kind, Vec<u8>, bool)>,
    pub task: Id,
    pub photo: (Id, &'static [u8]),
}

/// Of the patient in `registered`, whose payload is in the log already.
pub fn case(registered: &[u8], clinic: &Facility, doctor: &Signer, dice: &mut Dice) -> Result<Case> {
    let stamp = Stamp::new(datetime!(2026-11-22 15:00 +5));
    let record = Bundle::parse(registered)?;
    let patient = record.first("Patient").context("a registration has a Patient")?;
    let who = patient.id().to_owned();
    let asked = Signer { id: dice.uuid(), name: "Dr Saima Iqbal".into(), ..Signer::default() };
    let (consent_id, photo) = (dice.uuid(), dice.uuid());
    let new_id = &mut || dice.uuid();

    let consent: ConsentForm = from_value(
        json!({"decision": "given", "given_by": "patient", "how": "thumb", "scope": ["this-consultation"]}),
    )?;
    let context = fhir::consent::ConsentContext {
        id: &consent_id,
        patient: &who,
        facility: clinic,
        author: doctor,
        stamp,
        withdrawn: false,
    };
    let consented = fhir::consent::to_bundle(&consent, &context, new_id);

    let visit_context = || fhir::visit::VisitContext {
        patient: &who,
        facility: clinic,
        author: doctor,
        stamp,
        started: stamp.at,
        age: None,
        replaces: None,
    };
    let (mut slots, visit): (_, VisitForm) = (Slots::default(), from_value(json!({"complaint": "rash"}))?);
    let ask: AskForm = from_value(json!({"specialty": "dermatology", "question": "what is it?"}))?;
    let note_context = fhir::note::NoteContext {
        visit: visit_context(),
        patient,
        related: &[],
        consent: &consent_id,
        owner: Some(fhir::task::Owner::Person { id: &asked.id, name: &asked.name }),
        visit_signed: false,
    };
    let (note, ids) = fhir::note::to_document(&visit, &ask, &note_context, &mut slots, new_id)?;
    let visited = fhir::visit::to_document(&visit, &visit_context(), &mut slots, new_id)?;
    let encounter = Bundle::parse(&visited)?.first("Encounter").context("a visit has one")?.id().to_owned();
    let first = Bundle::parse(&note)?.first("Task").context("an ask has one")?.clone();
    let step = |to, by, output| fhir::task::Move {
        to,
        party: Party::Specialist,
        by,
        at: stamp.at,
        reason: "",
        owner: None,
        output,
    };
    let seen = fhir::task::moved(&first, &step(State::Seen, &asked, None))?;
    let accepted = fhir::task::moved(&seen, &step(State::Accepted, &asked, None))?;
    let message = fhir::communication::Message {
        id: new_id(),
        kind: "chat".into(),
        task: ids.task.clone(),
        patient: who.clone(),
        sender: asked.clone(),
        sent: stamp.at,
        text: "how long?".into(),
        attachments: vec![],
        in_response_to: None,
    };
    let message = fhir::communication::to_bundle(&message, new_id);
    let advice: AdviceForm = from_value(json!({"plan": "wait", "medicines": [{
        "id": new_id(), "generic": "Cetirizine", "form": "tablet", "strength": "10 mg", "dose": "0+0+1", "days": 5,
    }]}))?;
    let advice_context = fhir::advice::AdviceContext {
        task: &ids.task,
        service_request: &ids.service_request,
        part_of: &encounter,
        patient: &who,
        facility: clinic,
        author: &asked,
        stamp,
        started: stamp.at,
        stretches: &[],
        informed_by: &[],
        replaces: None,
        orders: false,
    };
    let advised = fhir::advice::to_document(&advice, &advice_context, &mut Slots::default(), new_id);
    let advice = fhir::advice::from_document(&advised)?;
    let answered = fhir::task::moved(&accepted, &step(State::Answered, &asked, Some(&advice.id)))?;
    let decisions = [from_value(json!({"accepted": {"line": advice.form.medicines[0].id}}))?];
    let context = fhir::decisions::DecisionContext { advice: &advice, author: doctor, stamp };
    let decided = fhir::decisions::to_bundle(&decisions, &context, &mut Slots::default(), new_id)?;
    let mut moved = |task| fhir::task::to_bundle(task, stamp.at, new_id);
    let (seen, accepted, answered) = (moved(&seen), moved(&accepted), moved(&answered));

    let id = |text: &str| text.parse::<Id>().ok().context("a UUID is an id");
    let part = AttachmentPart {
        attachment: id(&photo)?,
        index: 0,
        count: 1,
        content_type: "image/jpeg".into(),
        bytes: PHOTO.to_vec().into(),
    };
    let payloads = vec![
        (Kind::Consent, consented, false),
        (Kind::ReferralNote, note, true),
        (Kind::Visit, visited, true),
        (Kind::TaskMove, seen, true),
        (Kind::TaskMove, accepted, true),
        (Kind::Communication, message, false),
        (Kind::Advice, advised, true),
        (Kind::TaskMove, answered, true),
        (Kind::Decisions, decided, true),
        (Kind::AttachmentPart, part.to_bytes(), false),
    ];
    Ok(Case { payloads, task: id(&ids.task)?, photo: (part.attachment, PHOTO) })
}
