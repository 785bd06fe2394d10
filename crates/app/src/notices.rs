//! What this facility is told of emergencies: who of another facility opened which of its records, and why. The HIE
//! sends each as an AuditEvent (DICOM 110127, Emergency Override Started).

use rabta_domain::{
    fhir::dates,
    role::{self, Part},
};
use rabta_ipc::{Error, Event, care::Notice};
use rabta_store::{RecordStore, Resource, Transaction};
use rabta_wire::cert::Subject;
use serde_json::Value;

use crate::Session;

/// `AuditEvent.subtype` of a broken glass.
const STARTED: &str = "110127";
/// Most that are shown at once; older ones come when these are read.
const MOST: usize = 50;
/// How the HIE joins the two reasons (`hie::care::glass`).
const RESTRICTED: &str = "; very restricted: ";

/// What nobody of this person's name has read yet, newest first; nothing for a role that does not see who looked.
pub(crate) async fn unread(session: &Session) -> Result<Vec<Notice>, Error> {
    if !role::reading(&session.person.role).covers(Part::Audit) {
        return Ok(Vec::new());
    }
    let seen = seen(session).await?;
    let all = session.store().open("AuditEvent", None, MOST * 4).await;
    let mut notices = Vec::new();
    for event in all.map_err(|e| session.told(e))? {
        // What this laptop wrote itself is its own trail.
        if event.envelope.is_none() && !seen.contains(&event.id) && notices.len() < MOST {
            notices.extend(read(session, &event).await?);
        }
    }
    Ok(notices)
}

/// This person has read it: it is not shown to them again, and that goes into the trail.
pub(crate) async fn see(session: &Session, id: &str) -> Result<(), Error> {
    let event = session.store().resource("AuditEvent", id).await.map_err(|e| session.told(e))?;
    if event.is_none_or(|event| event.state != STARTED) {
        return Err(Error::new("not-found"));
    }
    let mut all = seen(session).await?;
    if !all.iter().any(|seen| seen == id) {
        all.push(id.to_owned());
        let read = session.audit("read", &format!("AuditEvent/{id}"), None);
        let text = serde_json::to_vec(&all).expect("a list of ids");
        session.commit(Transaction::new().set(setting(session), text).audit(read)).await?;
        session.emit(Event::Asks { ask: None });
    }
    Ok(())
}

fn setting(session: &Session) -> String {
    format!("notices-seen.{}", session.person.id)
}

async fn seen(session: &Session) -> Result<Vec<String>, Error> {
    let bytes = session.store().setting(&setting(session)).await.map_err(|e| session.told(e))?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
}

async fn read(session: &Session, event: &Resource) -> Result<Option<Notice>, Error> {
    let Ok(json) = serde_json::from_slice::<Value>(&event.body) else { return Ok(None) };
    let list = |field: &str| json[field].as_array().cloned().unwrap_or_default();
    let reference = |value: &Value, pointer: &str, of: &str| {
        value.pointer(pointer).and_then(Value::as_str)?.strip_prefix(of).map(str::to_owned)
    };
    let person = list("agent").iter().find_map(|a| reference(a, "/who/reference", "Practitioner/"));
    let patient = list("entity").iter().find_map(|e| reference(e, "/what/reference", "Patient/"));
    let why = json.pointer("/purposeOfEvent/0/text").and_then(Value::as_str).unwrap_or_default();
    let (reason, text) = why.split_once(": ").unwrap_or(("other", why));
    let restricted = text.contains(RESTRICTED);
    let at = json["recorded"].as_str().and_then(dates::parse_instant);
    let cert = match person.as_deref().map(str::parse) {
        Some(Ok(person)) => session.person_cert(person).await?,
        _ => None,
    };
    let (by, role, facility) = match cert {
        Some(cert) => match cert.subject {
            Subject::Person { name, role, .. } => (name, role, cert.facility_name),
            Subject::Device { .. } => Default::default(),
        },
        None => Default::default(),
    };
    Ok(Some(Notice {
        id: event.id.clone(),
        card: match patient {
            Some(patient) => session.card(&patient).await.ok(),
            None => None,
        },
        by,
        role,
        facility,
        reason: reason.to_owned(),
        text: text.replace(RESTRICTED, " \u{2014} ").into(),
        restricted,
        at: at.map_or(0, |at| (at.unix_timestamp_nanos() / 1_000_000) as i64),
    }))
}
