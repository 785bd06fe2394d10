//! The effects of a taken envelope, all in the caller's savepoint: the bytes, the resources, the ask, what becomes
//! visible to whom, the audit and the provenance.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rabta_domain::ask::State;
use rabta_wire::{
    Id,
    envelope::{AttachmentPart, Envelope, Header, Kind},
};
use serde_json::{Value, json};
use sqlx::SqliteConnection;

use super::{holders, take::Arrival};
use crate::{
    audit::{self, Event},
    auth::Access,
    care::consent::{self, Heard},
    clock::instant,
    envelopes::{
        content::{self, Content, Holder},
        scope::{self, Item, Scope, only_while_open, show, show_at},
        sequencer::Sequencer,
        task::{Standing, holder_after},
    },
    fhir::{
        labels,
        store::{self, New},
    },
    identity::new_id,
};

pub struct Act<'a> {
    pub header: &'a Header,
    pub bytes: &'a [u8],
    pub content: &'a Content,
    pub standing: Option<&'a Standing>,
    pub superseded: Option<State>,
    pub arrival: Arrival,
    pub now: i64,
}

/// Stores and shows it; returns its place in the log.
pub async fn project(
    tx: &mut SqliteConnection,
    sequencer: &dyn Sequencer,
    who: &Access,
    act: &Act<'_>,
) -> Result<u64, sqlx::Error> {
    let h = act.header;
    // What those who are asked need first gets the lower places.
    if h.kind == Kind::ReferralNote
        && let (Some(task), Some(patient)) = (&act.content.task, h.patient)
    {
        for person in holders::of(tx, &task.holder).await? {
            scope::show_patient(tx, sequencer, task.id, &patient.to_string(), person).await?;
        }
    }
    let seq = sequencer.next();
    let patient = h.patient.map(|p| p.to_string());
    sqlx::query(
        "INSERT INTO envelope (id, seq, device, kind, facility, patient, task, superseded, received_at, bytes, label) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(h.id.0.to_vec())
    .bind(seq as i64)
    .bind(h.device.0.to_vec())
    .bind(kind_code(h.kind))
    .bind(h.facility.0.to_vec())
    .bind(&patient)
    .bind(h.task.map(|t| t.0.to_vec()))
    .bind(act.superseded.is_some())
    .bind(act.now)
    .bind(act.bytes)
    .bind(act.content.resources.iter().map(|r| labels::number(labels::of(&r.value))).max().unwrap_or(0))
    .execute(&mut *tx)
    .await?;

    let what = format!("Binary/{}", h.id);
    let mut event = Event::new(audit::Act::Push, who).about(what, patient.clone());
    event.detail = Some(("kind", format!("{:?}", h.kind)));
    if act.arrival != Arrival::Pushed {
        let late = if act.arrival == Arrival::HandedInLate {
            "; its device was revoked after it was written"
        } else {
            ""
        };
        event.agent = None;
        event.detail = Some(("handed-in", format!("{:?}, in a file, by the operator{late}", h.kind)));
    }
    if let Some(state) = act.superseded {
        if act.arrival == Arrival::Pushed {
            event.detail = Some(("superseded", state.code().into()));
        }
        audit::write(tx, &event, act.now).await?;
        show_at(tx, seq, Scope::Device(h.device), None, Item::Envelope(seq)).await?;
        return Ok(seq);
    }
    audit::write(tx, &event, act.now).await?;
    resources(tx, act).await?;
    if let Some(part) = &act.content.part {
        attachment(tx, act, part).await?;
    }
    let with = ask(tx, act).await?;
    visibility(tx, sequencer, act, seq, &with).await?;
    consents(tx, sequencer, act, seq).await?;
    Ok(seq)
}

/// What the patient says of who may read, in whichever payload it came.
async fn consents(
    tx: &mut SqliteConnection,
    sequencer: &dyn Sequencer,
    act: &Act<'_>,
    seq: u64,
) -> Result<(), sqlx::Error> {
    let Some(patient) = act.header.patient.map(|p| p.to_string()) else { return Ok(()) };
    for r in act.content.resources.iter().filter(|r| r.kind == "Consent") {
        let heard = Heard {
            consent: &r.value,
            id: &r.id,
            patient: &patient,
            facility: act.header.facility,
            task: act.header.task,
            item: Item::Envelope(seq),
        };
        consent::heard(tx, sequencer, &heard, act.now).await?;
    }
    Ok(())
}

async fn resources(tx: &mut SqliteConnection, act: &Act<'_>) -> Result<(), sqlx::Error> {
    let h = act.header;
    for r in &act.content.resources {
        let new = New {
            kind: r.kind,
            id: &r.id,
            facility: Some(h.facility),
            patient: r.patient.as_deref(),
            task: h.task,
            envelope: Some(h.id),
            body: r.text.as_bytes(),
            value: &r.value,
        };
        store::put(tx, &new, act.now).await?;
    }
    if let Some(signed) = &h.signed_by {
        let purpose = serde_json::from_str::<Value>(&signed.protected)
            .ok()
            .and_then(|p| p["sty"].as_str().map(str::to_owned));
        let id = new_id().to_string();
        let value = json!({
            "resourceType": "Provenance",
            "id": id,
            "target": act.content.resources.iter().map(|r| json!({"reference": format!("{}/{}", r.kind, r.id)})).collect::<Vec<_>>(),
            "recorded": instant(act.now),
            "agent": [{
                "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "code": "author"}]},
                "who": {"reference": format!("Practitioner/{}", signed.person)},
                "onBehalfOf": {"reference": format!("Organization/{}", h.facility)},
            }],
            "entity": [{"role": "source", "what": {"reference": format!("Binary/{}", h.id)}}],
            "signature": [{
                "type": [{"system": "urn:iso-astm:E1762-95:2013", "code": purpose.unwrap_or_else(|| "1.2.840.10065.1.12.1.1".into())}],
                "when": instant(act.now),
                "who": {"reference": format!("Practitioner/{}", signed.person)},
                "targetFormat": "application/fhir+json",
                "sigFormat": "application/jose",
                "data": STANDARD.encode(signed.detached_jws()),
            }],
        });
        let patient = h.patient.map(|p| p.to_string());
        let body = value.to_string();
        let new = New {
            kind: "Provenance",
            id: &id,
            facility: Some(h.facility),
            patient: patient.as_deref(),
            task: h.task,
            envelope: Some(h.id),
            body: body.as_bytes(),
            value: &value,
        };
        store::put(tx, &new, act.now).await?;
    }
    Ok(())
}

/// Remembers a part; the last to arrive makes the Binary.
async fn attachment(
    tx: &mut SqliteConnection,
    act: &Act<'_>,
    part: &AttachmentPart,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT OR IGNORE INTO attachment_part (attachment, part, parts, envelope) VALUES (?, ?, ?, ?)",
    )
    .bind(part.attachment.0.to_vec())
    .bind(i64::from(part.index))
    .bind(i64::from(part.count))
    .bind(act.header.id.0.to_vec())
    .execute(&mut *tx)
    .await?;
    let label = labels::of_content(tx, &part.attachment.to_string()).await?;
    sqlx::query("UPDATE envelope SET label = max(label, ?) WHERE id = ?")
        .bind(label)
        .bind(act.header.id.0.to_vec())
        .execute(&mut *tx)
        .await?;
    // Only parts of the same facility make one Binary.
    let envelopes: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT e.bytes FROM attachment_part p JOIN envelope e ON e.id = p.envelope \
         WHERE p.attachment = ? AND p.parts = ? AND e.facility = ? ORDER BY p.part",
    )
    .bind(part.attachment.0.to_vec())
    .bind(i64::from(part.count))
    .bind(act.header.facility.0.to_vec())
    .fetch_all(&mut *tx)
    .await?;
    if envelopes.len() < part.count as usize {
        return Ok(());
    }
    let corrupt = || sqlx::Error::Decode("a stored envelope cannot be read".into());
    let mut whole = Vec::new();
    for bytes in &envelopes {
        let envelope = Envelope::from_bytes(bytes).map_err(|_| corrupt())?;
        let header = envelope.header().map_err(|_| corrupt())?;
        let payload = content::unpack(&envelope, &header).map_err(|_| corrupt())?;
        let piece: AttachmentPart = minicbor::decode(&payload).map_err(|_| corrupt())?;
        whole.extend_from_slice(&piece.bytes);
    }
    let id = part.attachment.to_string();
    if store::head(tx, "Binary", &id).await?.is_some() {
        return Ok(());
    }
    let value = json!({"resourceType": "Binary", "id": id, "contentType": part.content_type, "data": STANDARD.encode(&whole)});
    let patient = act.header.patient.map(|p| p.to_string());
    let body = value.to_string();
    let new = New {
        kind: "Binary",
        id: &id,
        facility: Some(act.header.facility),
        patient: patient.as_deref(),
        task: act.header.task,
        envelope: Some(act.header.id),
        body: body.as_bytes(),
        value: &value,
    };
    store::put(tx, &new, act.now).await?;
    Ok(())
}

/// Opens or moves the ask; returns whom it is with now.
async fn ask(tx: &mut SqliteConnection, act: &Act<'_>) -> Result<Vec<Id>, sqlx::Error> {
    let Some(task) = &act.content.task else {
        return Ok(act.standing.map(|s| s.with.clone()).unwrap_or_default());
    };
    let holder = holder_after(act.standing, task);
    let owner = holder.person().map(|o| o.0.to_vec());
    let pool = matches!(holder, Holder::Pool(_));
    let closed = task.state.is_closed();
    // The duty looks at it at once: it knows who is there.
    let look_at = (!closed).then_some(act.now);
    match act.standing {
        None => {
            let sql = "INSERT INTO task (id, facility, patient, owner, pool, specialty, urgency, state, version, \
                       closed, note, asked_at, updated_at, look_at) \
                       VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?)";
            sqlx::query(sql)
                .bind(task.id.0.to_vec())
                .bind(act.header.facility.0.to_vec())
                .bind(act.header.patient.map(|p| p.to_string()).unwrap_or_default())
                .bind(owner)
                .bind(pool)
                .bind(&task.specialty)
                .bind(task.urgency.fhir())
                .bind(task.state.code())
                .bind(closed)
                .bind(act.header.id.0.to_vec())
                .bind(act.now)
                .bind(act.now)
                .bind(look_at)
                .execute(&mut *tx)
                .await?;
        }
        Some(_) => {
            if task.state == State::Requested {
                // Asked anew: its time begins again, and those who were tried may be asked again.
                for sql in [
                    "UPDATE task SET asked_at = ?2 WHERE id = ?1",
                    "UPDATE task_asked SET by_name = 0 WHERE task = ?1 AND ?2 > 0",
                ] {
                    sqlx::query(sql).bind(task.id.0.to_vec()).bind(act.now).execute(&mut *tx).await?;
                }
            }
            let sql = "UPDATE task SET owner = ?, pool = ?, state = ?, version = version + 1, closed = ?, \
                       updated_at = ?, look_at = ? WHERE id = ?";
            sqlx::query(sql)
                .bind(owner)
                .bind(pool)
                .bind(task.state.code())
                .bind(closed)
                .bind(act.now)
                .bind(look_at)
                .bind(task.id.0.to_vec())
                .execute(&mut *tx)
                .await?;
        }
    }
    holders::set(tx, task.id, &holder, closed).await
}

/// Who may pull it. `with`: whom the ask is with from now on.
async fn visibility(
    tx: &mut SqliteConnection,
    sequencer: &dyn Sequencer,
    act: &Act<'_>,
    seq: u64,
    with: &[Id],
) -> Result<(), sqlx::Error> {
    let h = act.header;
    let item = Item::Envelope(seq);
    if h.kind == Kind::Audit {
        return show_at(tx, seq, Scope::Device(h.device), None, item).await;
    }
    // The clinic that asked sees all of its ask; everything else stays with the facility that wrote it.
    let clinic = act.standing.map_or(h.facility, |s| s.facility);
    show_at(tx, seq, Scope::Facility(clinic), None, item.clone()).await?;
    let patient = h.patient.map(|p| p.to_string()).unwrap_or_default();

    if let Some(task) = h.task {
        let before: &[Id] = act.standing.map_or(&[], |s| &s.with);
        // Of a move, those who had it learn, too, that it is with somebody else now.
        let told = if act.standing.is_some() { before } else { with };
        for person in told {
            let while_open = only_while_open(h.kind).then_some(task);
            show(tx, sequencer, Scope::Person(*person), while_open, item.clone()).await?;
        }
        if act.standing.is_some() {
            for person in with.iter().filter(|person| !before.contains(person)) {
                scope::show_ask(tx, sequencer, task, &patient, *person).await?;
            }
        }
        if h.kind == Kind::ReferralNote {
            for person in with {
                parts_of_note(tx, sequencer, h, task, *person).await?;
            }
        }
    }
    if matches!(h.kind, Kind::Patient | Kind::Consent) {
        scope::show_patient_to_asked(tx, sequencer, &patient, item).await?;
    }
    Ok(())
}

/// Photos that the note depends on went up before it, in the clinic's scope.
async fn parts_of_note(
    tx: &mut SqliteConnection,
    sequencer: &dyn Sequencer,
    h: &Header,
    task: Id,
    owner: Id,
) -> Result<(), sqlx::Error> {
    for dependency in &h.depends {
        let part: Option<i64> =
            sqlx::query_scalar("SELECT seq FROM envelope WHERE id = ? AND kind = ? AND patient IS ?")
                .bind(dependency.0.to_vec())
                .bind(kind_code(Kind::AttachmentPart))
                .bind(h.patient.map(|p| p.to_string()))
                .fetch_optional(&mut *tx)
                .await?;
        if let Some(seq) = part {
            show(tx, sequencer, Scope::Person(owner), Some(task), Item::Envelope(seq as u64)).await?;
        }
    }
    Ok(())
}

/// The number that the wire format has for a kind.
pub(crate) fn kind_code(kind: Kind) -> i64 {
    match kind {
        Kind::Patient => 1,
        Kind::Consent => 2,
        Kind::Visit => 3,
        Kind::ReferralNote => 4,
        Kind::TaskMove => 5,
        Kind::Communication => 6,
        Kind::Advice => 7,
        Kind::Decisions => 8,
        Kind::AttachmentPart => 9,
        Kind::Audit => 10,
    }
}
