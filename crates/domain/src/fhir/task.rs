//! The Task of an ask: the one thing that both sides write. A move keeps every byte that it does not change.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{
    Builder, Bundle, BundleError, BundleType, Json, NewId, Resource, ResourceError, Signer, Stamp, dates,
    json::{arr, items, obj},
    parts::{
        Facility, coding, concept, ext, ext_of, ext_str, facility, read_facility, read_signer, reference,
        referenced, signer, words,
    },
    urls,
};
use crate::{
    Private,
    ask::{AskForm, Party, STATE_SYSTEM, State, Urgency},
};

/// What a new Task is about.
pub struct NewTask<'a> {
    pub id: &'a str,
    pub service_request: &'a str,
    /// The referral note's Composition.
    pub note: &'a str,
    pub patient: &'a str,
    pub encounter: &'a str,
    pub facility: &'a Facility,
    pub author: &'a Signer,
    /// `None` for a preview.
    pub owner: Option<Owner<'a>>,
    pub stamp: Stamp,
}

/// Whom an ask is with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner<'a> {
    /// From the roster.
    Person { id: &'a str, name: &'a str },
    /// All of this specialty, until one takes it. A logical reference to a HealthcareService
    /// (http://hl7.org/fhir/R4/references.html#logical).
    Pool(&'a str),
}

impl Owner<'_> {
    fn json(self) -> Json {
        match self {
            Self::Person { id, name } => {
                obj! { "reference": format!("Practitioner/{id}"), "display": name }
            }
            Self::Pool(specialty) => obj! {
                "type": "HealthcareService",
                "identifier": obj! { "system": urls::SPECIALTY, "value": specialty },
            },
        }
    }
}

/// The specialty of the pool that a `Task.owner` names, if it names one.
pub fn pool_of(owner: &Json) -> Option<&str> {
    let named = owner.str("type") == "HealthcareService" && owner.str("identifier.system") == urls::SPECIALTY;
    named.then(|| owner.str("identifier.value")).filter(|specialty| !specialty.is_empty())
}

/// The first Task of an ask, `requested`.
pub(crate) fn first(ask: &AskForm, new: &NewTask<'_>) -> Json {
    let answer_by = new.stamp.at.saturating_add(time::Duration::seconds(ask.urgency.answer_within_seconds()));
    obj! {
        "resourceType": "Task",
        "id": new.id,
        "extension": ask.wishes.iter().map(|w| ext(urls::WISH, "valueString", w)).collect::<Json>(),
        "basedOn": arr![reference("ServiceRequest", new.service_request)],
        "status": State::Requested.fhir_status(),
        "businessStatus": concept(STATE_SYSTEM, State::Requested.code(), ""),
        "intent": "order",
        "priority": ask.urgency.fhir(),
        "code": concept(urls::TASK_CODE, "fulfill", ""),
        "description": &ask.question,
        "focus": reference("ServiceRequest", new.service_request),
        "for": reference("Patient", new.patient),
        "encounter": reference("Encounter", new.encounter),
        "authoredOn": new.stamp.instant(),
        "lastModified": new.stamp.instant(),
        "requester": signer(new.author),
        "performerType": arr![concept(urls::SPECIALTY, &ask.specialty, "")],
        "owner": new.owner.map(Owner::json),
        "reasonReference": reference("Composition", new.note),
        "restriction": obj! { "period": obj! { "end": dates::instant(answer_by) } },
        "input": arr![obj! { "type": words("facility"), "valueReference": facility(new.facility) }],
    }
}

/// One move of a Task.
pub struct Move<'a> {
    pub to: State,
    /// Whose move it is: the table decides by it.
    pub party: Party,
    pub by: &'a Signer,
    pub at: OffsetDateTime,
    /// Why: for declined, cancelled, passed on, escalated; the question, for asked back.
    pub reason: &'a str,
    /// The new owner, where the move gives it to somebody else.
    pub owner: Option<Owner<'a>>,
    /// What came out: the advice's Composition.
    pub output: Option<&'a str>,
}

/// Why a Task was not moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoveError {
    #[error("{party:?} may not make {to:?} of {from:?}")]
    NotAllowed { from: State, to: State, party: Party },
    #[error("not a Task of an ask")]
    NotAnAsk,
    #[error(transparent)]
    Resource(#[from] ResourceError),
}

/// The Task after the move: [`State::allows`] says whether it may be made, of a pool's [`State::moves_from_pool`].
pub fn moved(task: &Resource, step: &Move<'_>) -> Result<Resource, MoveError> {
    let json = task.view()?;
    let from = state(&json).ok_or(MoveError::NotAnAsk)?;
    let in_pool = pool_of(json.get("owner")).is_some() && step.party == Party::Specialist;
    let for_all = in_pool && !from.moves_from_pool().any(|to| to == step.to);
    if for_all || !from.allows(step.to, step.party) {
        return Err(MoveError::NotAllowed { from, to: step.to, party: step.party });
    }
    let at = dates::instant(step.at);
    let mut task = task.clone();
    let mut extensions: Vec<Json> = match task.raw("extension") {
        Some(raw) => {
            items(raw).map_err(ResourceError::from)?.into_iter().map(|t| Json::Raw(t.to_owned())).collect()
        }
        None => Vec::new(),
    };
    extensions.push(ext_of(
        urls::TASK_STEP,
        vec![
            ext("from", "valueCode", from.code()),
            ext("to", "valueCode", step.to.code()),
            ext("at", "valueInstant", at.as_str()),
            ext("by", "valueReference", signer(step.by)),
            ext("reason", "valueString", super::clean(step.reason)),
        ],
    ));
    task.set("extension", extensions)?;
    task.set("status", step.to.fhir_status())?;
    task.set("businessStatus", concept(STATE_SYSTEM, step.to.code(), ""))?;
    let reason = super::clean(step.reason);
    task.set("statusReason", if reason.is_empty() { Json::Null } else { words(&reason) })?;
    task.set("lastModified", at)?;
    if let Some(owner) = step.owner {
        task.set("owner", owner.json())?;
    } else if step.to.takes() && step.party == Party::Specialist {
        task.set("owner", signer(step.by))?;
    }
    if let Some(composition) = step.output {
        let output =
            obj! { "type": words("advice"), "valueReference": reference("Composition", composition) };
        let mut outputs: Vec<Json> = match task.raw("output") {
            Some(raw) => items(raw)
                .map_err(ResourceError::from)?
                .into_iter()
                .map(|t| Json::Raw(t.to_owned()))
                .collect(),
            None => Vec::new(),
        };
        outputs.push(output);
        task.set("output", outputs)?;
    }
    Ok(task)
}

/// Leaves the ask with whom it was before a move that gives it to nobody ([`State::gives`]).
pub fn keep_owner(task: &mut Resource, before: &Resource) -> Result<(), ResourceError> {
    let gives = state(&task.view()?).is_none_or(State::gives);
    if !gives && task.raw("owner") != before.raw("owner") {
        let owner = before.raw("owner").map_or(Json::Null, |owner| Json::Raw(owner.to_owned()));
        task.set("owner", owner)?;
    }
    Ok(())
}

/// The payload of one move: a collection of the Task.
pub fn to_bundle(task: &Resource, at: OffsetDateTime, new_id: NewId<'_>) -> Vec<u8> {
    let mut bundle = Builder::new(BundleType::Collection, new_id(), at);
    bundle.push_resource(task);
    bundle.into_bytes()
}

/// The Task of a payload.
pub fn from_bundle(payload: &[u8]) -> Result<Resource, BundleError> {
    Bundle::parse(payload)?.first("Task").cloned().ok_or(BundleError::Missing("Task"))
}

/// One step of a Task's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub from: State,
    pub to: State,
    /// By the clock of the device that made it.
    pub at: Option<OffsetDateTime>,
    pub by: Signer,
    pub reason: Private<String>,
}

/// An ask as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskView {
    pub id: String,
    /// `meta.versionId`; `None` until the HIE gave one.
    pub version: Option<u32>,
    pub state: State,
    pub urgency: Urgency,
    pub specialty: String,
    /// The reason in one line.
    pub question: Private<String>,
    pub wishes: Vec<String>,
    pub requester: Signer,
    pub facility: Facility,
    /// The person it is with; empty id for a pool.
    pub owner: Signer,
    /// The specialty whose pool it is with.
    pub pool: Option<String>,
    pub patient: String,
    pub encounter: String,
    pub authored: Option<OffsetDateTime>,
    pub modified: Option<OffsetDateTime>,
    /// When the next on duty is asked.
    pub answer_by: Option<OffsetDateTime>,
    /// ServiceRequest id.
    pub focus: String,
    /// The referral note's Composition id.
    pub note: String,
    /// The advice's Composition ids, newest last.
    pub outputs: Vec<String>,
    pub reason: Private<String>,
    pub history: Vec<Step>,
}

/// Reads a Task; `NotAnAsk` where its business status is none of ours.
pub fn view(task: &Resource) -> Result<TaskView, MoveError> {
    let json = task.view()?;
    let wish = |e: &Json| e.opt("valueString").map(str::to_owned);
    let input = json.items("input").iter().find(|i| i.str("type.text") == "facility");
    let output = |o: &Json| referenced(o, "valueReference", "Composition").map(str::to_owned);
    Ok(TaskView {
        id: task.id().to_owned(),
        version: task.version(),
        state: state(&json).ok_or(MoveError::NotAnAsk)?,
        urgency: Urgency::from_fhir(json.str("priority")),
        specialty: json.code_of("performerType", urls::SPECIALTY).unwrap_or_default().to_owned(),
        question: json.str("description").into(),
        wishes: json.extensions(urls::WISH).filter_map(wish).collect(),
        requester: read_signer(json.get("requester")),
        facility: input.map(|i| read_facility(i.get("valueReference"))).unwrap_or_default(),
        owner: read_signer(json.get("owner")),
        pool: pool_of(json.get("owner")).map(str::to_owned),
        patient: referenced(&json, "for", "Patient").unwrap_or_default().to_owned(),
        encounter: referenced(&json, "encounter", "Encounter").unwrap_or_default().to_owned(),
        authored: dates::parse_instant(json.str("authoredOn")),
        modified: dates::parse_instant(json.str("lastModified")),
        answer_by: dates::parse_instant(json.str("restriction.period.end")),
        focus: referenced(&json, "focus", "ServiceRequest").unwrap_or_default().to_owned(),
        note: referenced(&json, "reasonReference", "Composition").unwrap_or_default().to_owned(),
        outputs: json.items("output").iter().filter_map(output).collect(),
        reason: json.str("statusReason.text").into(),
        history: json.extensions(urls::TASK_STEP).filter_map(step).collect(),
    })
}

/// Where a Task stands, for whoever checks a move before taking it.
pub fn state(task: &Json) -> Option<State> {
    State::from_code(task.code_of("businessStatus", STATE_SYSTEM)?)
}

fn step(ext: &Json) -> Option<Step> {
    Some(Step {
        from: State::from_code(ext_str(ext, "from")?)?,
        to: State::from_code(ext_str(ext, "to")?)?,
        at: ext_str(ext, "at").and_then(dates::parse_instant),
        by: ext.extension("by").map(|e| read_signer(e.get("valueReference"))).unwrap_or_default(),
        reason: ext_str(ext, "reason").unwrap_or_default().into(),
    })
}

/// The request that a Task fulfills.
pub(crate) fn service_request(ask: &AskForm, new: &NewTask<'_>, reasons: Vec<Json>) -> Json {
    obj! {
        "resourceType": "ServiceRequest",
        "id": new.service_request,
        "status": "active",
        "intent": "order",
        "category": arr![concept(urls::SNOMED, "3457005", "Patient referral")],
        "priority": ask.urgency.fhir(),
        "code": obj! { "coding": arr![coding(urls::SPECIALTY, &ask.specialty)], "text": "Consultation" },
        "subject": reference("Patient", new.patient),
        "encounter": reference("Encounter", new.encounter),
        "authoredOn": new.stamp.instant(),
        "requester": signer(new.author),
        "performerType": concept(urls::SPECIALTY, &ask.specialty, ""),
        "performer": arr![new.owner.map(Owner::json)],
        "reasonCode": arr![obj! { "text": &ask.question }],
        "reasonReference": reasons,
    }
}
