//! One envelope, inside the transaction: its place in the chain, what it depends on, what it may do, and then all of
//! its effects.

use rabta_wire::{
    Id,
    envelope::{Header, Kind},
    log::Outcome,
};
use sqlx::{Connection, SqliteConnection};

use super::{project, record};
use crate::{
    auth::Access,
    care::consent,
    envelopes::{
        chain::{Place, place},
        content::{Content, consent_opens},
        examine::{Examined, Refusal, codes},
        sequencer::Sequencer,
        task::{self, Basis, Effect, Standing},
    },
    fhir::store,
    identity,
};

/// What an envelope comes into.
#[derive(Clone, Copy)]
pub struct World<'a> {
    pub sequencer: &'a dyn Sequencer,
    /// The HIE's own device, which moves what nobody answers.
    pub duty: Id,
}

/// How an envelope came here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    Pushed,
    /// In a file, by the operator's hand.
    HandedIn,
    /// The same, and its device was revoked after it was written.
    HandedInLate,
}

/// Takes one envelope and says what became of it. Its effects are in a savepoint: an error undoes them all.
pub async fn take(
    tx: &mut SqliteConnection,
    world: World<'_>,
    who: &Access,
    examined: Examined,
    arrival: Arrival,
    now: i64,
) -> Result<Outcome, sqlx::Error> {
    let mut tx = tx.begin().await?;
    let outcome = decide(&mut tx, world, who, examined, now, arrival).await?;
    tx.commit().await?;
    Ok(outcome)
}

async fn decide(
    tx: &mut SqliteConnection,
    world: World<'_>,
    who: &Access,
    examined: Examined,
    now: i64,
    mut arrival: Arrival,
) -> Result<Outcome, sqlx::Error> {
    let Examined { header, hash, bytes, verdict } = examined;
    let place = place(record::neighbors(tx, &header).await?, &header, hash);
    if place == Place::Again
        && let Some(outcome) = record::settled(tx, &header).await?
    {
        return Ok(outcome);
    }
    let Some(device) = identity::device(tx, header.device).await? else {
        return Ok(record::refused(Refusal::new(codes::DEVICE_UNKNOWN, "no device of this HIE wrote this")));
    };
    if place == Place::Fork || device.forked {
        record::fork(tx, &header, hash, &bytes, now).await?;
        return Ok(record::refused(Refusal::new(
            codes::FORK,
            "two copies of this device have both gone on writing; both were kept, and the device must be enrolled anew",
        )));
    }
    if arrival == Arrival::HandedIn && device.revoked_at.is_some_and(|at| header.was_written_before(at)) {
        arrival = Arrival::HandedInLate;
    }
    let outcome = if device.revoked && arrival != Arrival::HandedInLate {
        record::refused(Refusal::new(codes::DEVICE_REVOKED, "this device's enrollment was revoked"))
    } else {
        match verdict {
            Ok(content) => judge(tx, world, who, (&header, &bytes, &content), arrival, now).await?,
            Err(refusal) => record::refused(refusal),
        }
    };
    record::settle(tx, &header, hash, &outcome, now).await?;
    Ok(outcome)
}

/// What only the record can say; then the effects.
async fn judge(
    tx: &mut SqliteConnection,
    world: World<'_>,
    who: &Access,
    (header, bytes, content): (&Header, &[u8], &Content),
    arrival: Arrival,
    now: i64,
) -> Result<Outcome, sqlx::Error> {
    for dependency in &header.depends {
        if !record::is_here(tx, *dependency).await? {
            return Ok(Outcome::Waits { on: *dependency });
        }
    }
    if record::is_here(tx, header.id).await? {
        return Ok(record::refused(Refusal::new(codes::ID_TAKEN, "another envelope has this id")));
    }
    let standing = match header.task {
        Some(task) => record::standing(tx, task).await?,
        None => None,
    };
    let basis = record::basis(tx, header).await?;
    let superseded = match check(tx, (header, content), standing.as_ref(), basis, world.duty).await? {
        Ok(Effect::Moved) => None,
        Ok(Effect::Superseded(state)) => Some(state),
        Err(refusal) => return Ok(record::refused(refusal)),
    };
    let standing = standing.as_ref();
    let act = project::Act { header, bytes, content, standing, superseded, arrival, now };
    let seq = project::project(tx, world.sequencer, who, &act).await?;
    Ok(match superseded {
        Some(state) => Outcome::Superseded { seq, code: state.code().into() },
        None => Outcome::Durable { seq },
    })
}

async fn check(
    tx: &mut SqliteConnection,
    (header, content): (&Header, &Content),
    standing: Option<&Standing>,
    basis: Basis,
    duty: Id,
) -> Result<Result<Effect, Refusal>, sqlx::Error> {
    let refuse = |code, text: &str| Ok(Err(Refusal::new(code, text)));
    let patient = header.patient.map(|p| p.to_string());

    // The patient: there, and of this facility, unless an ask brought them to the writer.
    if header.kind != Kind::Patient
        && let Some(patient) = &patient
    {
        let owner = store::head(tx, "Patient", patient).await?.map(|(_, owner, _)| owner);
        let asked = standing.is_some_and(|s| s.patient == *patient);
        match owner {
            Some(owner) if owner == Some(header.facility) || asked => {}
            // Another facility's patient and none at all look the same.
            _ => {
                return refuse(
                    codes::PATIENT_UNKNOWN,
                    "this patient is not in this facility's record at the HIE",
                );
            }
        }
    }
    if patient.is_none() && !matches!(header.kind, Kind::Audit | Kind::AttachmentPart) {
        return refuse(codes::PATIENT, "the envelope names no patient");
    }

    // Nobody writes over what another facility owns; an ask's Task belongs to both sides.
    for resource in &content.resources {
        let owner = store::head(tx, resource.kind, &resource.id).await?.map(|(_, owner, _)| owner);
        let shared = resource.kind == "Task" && standing.is_some();
        if owner.is_some_and(|owner| owner != Some(header.facility)) && !shared {
            return refuse(codes::NOT_YOURS, "an id in the payload cannot be written by this facility");
        }
    }

    if header.kind == Kind::Audit
        && let Some(refusal) = audit(tx, header, content).await?
    {
        return Ok(Err(refusal));
    }

    match (header.task, standing, header.kind) {
        (None, _, Kind::TaskMove | Kind::ReferralNote | Kind::Advice | Kind::Decisions) => {
            Ok(Err(task::unknown()))
        }
        (None, ..) => Ok(Ok(Effect::Moved)),
        (Some(_), Some(_), Kind::ReferralNote) => refuse(codes::ID_TAKEN, "this ask is there already"),
        (Some(_), None, Kind::ReferralNote) => note(tx, header, content).await,
        // A visit, a photo or a consent may name an ask that is still to come.
        (Some(_), None, Kind::Visit | Kind::AttachmentPart | Kind::Consent | Kind::Patient | Kind::Audit) => {
            Ok(Ok(Effect::Moved))
        }
        (Some(_), None, _) => Ok(Err(task::unknown())),
        (Some(_), Some(standing), kind) => {
            let persons = record::persons_at(tx, header.device).await?;
            let duty = header.device == duty;
            let mover = task::mover(standing, header, &persons, duty, basis);
            if mover.is_stranger() || patient.as_ref().is_some_and(|p| *p != standing.patient) {
                return Ok(Err(task::unknown()));
            }
            Ok(task::belongs(standing, kind, content.task.as_ref(), header.base_version, &mover))
        }
    }
}

/// What a laptop wrote down of acts there: of its own people, and never over what is written already.
async fn audit(
    tx: &mut SqliteConnection,
    header: &Header,
    content: &Content,
) -> Result<Option<Refusal>, sqlx::Error> {
    let refuse = |text: &str| Ok(Some(Refusal::new(codes::AUDIT, text)));
    for event in &content.resources {
        if store::head(tx, event.kind, &event.id).await?.is_some() {
            return refuse("an AuditEvent of this id is written already");
        }
        let agents = event.value["agent"].as_array().into_iter().flatten();
        for who in agents.filter_map(|agent| agent.pointer("/who/reference").and_then(|r| r.as_str())) {
            let ours = match who.split_once('/') {
                Some(("Device", id)) => id == header.device.to_string(),
                Some(("Practitioner", id)) => match id.parse() {
                    Ok(person) => identity::worked_at(tx, header.device, person).await?,
                    Err(_) => false,
                },
                _ => false,
            };
            if !ours {
                return refuse("an AuditEvent names a device or a person that is not the laptop's own");
            }
        }
    }
    Ok(None)
}

/// A new ask: it starts as requested, goes to a person of this HIE, and needs the patient's consent first.
async fn note(
    tx: &mut SqliteConnection,
    header: &Header,
    content: &Content,
) -> Result<Result<Effect, Refusal>, sqlx::Error> {
    let Some(task) = &content.task else { return Ok(Err(task::unknown())) };
    if task.state != rabta_domain::ask::State::Requested {
        return Ok(Err(Refusal::new(codes::TASK_STATE, "an ask starts as requested")));
    }
    if let Some(owner) = task.holder.person()
        && matches!(identity::person(tx, owner).await, Err(identity::IdentityError::NoPerson))
    {
        return Ok(Err(Refusal::new(
            codes::TASK_OWNER,
            "the ask is for a person whom this HIE does not know",
        )));
    }
    let patient = header.patient.map(|p| p.to_string()).unwrap_or_default();
    if content.resources.iter().any(|r| r.kind == "Consent" && consent_opens(&r.value)) {
        return Ok(Ok(Effect::Moved));
    }
    // The patient's last word counts; what was stored before words were kept, as it was.
    match consent::last_word(tx, &patient).await? {
        Some(true) => return Ok(Ok(Effect::Moved)),
        Some(false) => return Ok(Err(missing())),
        None => {}
    }
    let sql = "SELECT v.codec, v.dictionary, v.body FROM resource r \
               JOIN resource_version v ON v.type = r.type AND v.id = r.id AND v.version = r.version \
               WHERE r.type = 'Consent' AND r.patient = ? AND r.facility = ?";
    let rows: Vec<(i64, i64, Vec<u8>)> =
        sqlx::query_as(sql).bind(patient).bind(header.facility.0.to_vec()).fetch_all(tx).await?;
    for (codec, dictionary, body) in rows {
        let text = store::unpack(codec, dictionary, body)?;
        if serde_json::from_str(&text).is_ok_and(|consent| consent_opens(&consent)) {
            return Ok(Ok(Effect::Moved));
        }
    }
    Ok(Err(missing()))
}

fn missing() -> Refusal {
    Refusal::new(
        codes::CONSENT_MISSING,
        "nobody outside the clinic can be asked before the consent, or the emergency override, is at the HIE",
    )
}
