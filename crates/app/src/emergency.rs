//! Another facility's patient: the lookup by a whole number, and the broken glass. What a glass opens is fetched with
//! its reason, kept beside the record for as long as the glass is open, and then taken out of the vault without a
//! trace, by this laptop itself: it may have no link when the time is over.

use std::{
    collections::HashSet,
    sync::{Arc, Weak},
    time::Duration,
};

use rabta_domain::{Private, mr, paper, patient::Sex, role::Act};
use rabta_ipc::{
    Error, Event,
    care::{BreakGlass, Elsewhere, Emergency, EmergencyRow, FetchEmergency, LookUp},
};
use rabta_store::{NewResource, RecordStore, Transaction};
use rabta_sync::HieError;
use rabta_wire::{
    Id,
    care::{self, Grant, codes},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use tokio::sync::Mutex;

use crate::{Session, notices, routes::routes};

routes!(Session {
    LookUp => look_up,
    BreakGlass => break_glass,
    FetchEmergency => fetch_emergency,
    rabta_ipc::care::SeeNotice => see_notice,
});

const SETTING: &str = "emergencies";
/// What the chart shows, what kills first before the rest.
const KINDS: [&str; 8] = [
    "Patient",
    "AllergyIntolerance",
    "MedicationRequest",
    "Condition",
    "Encounter",
    "Observation",
    "Immunization",
    "RelatedPerson",
];
/// How often it is looked whether a glass has closed.
const EVERY: Duration = Duration::from_secs(15);
/// Of these looks, each so manieth asks the HIE whether the operator ended one.
const ASK: u32 = 20;

/// An open glass as this vault knows it.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    grant: Grant,
    /// The owner's name.
    facility: String,
    /// What came down for it, by kind and id.
    items: Vec<(String, String)>,
    complete: bool,
}

/// One change of the list at a time.
#[derive(Default)]
pub(crate) struct Emergencies(Mutex<()>);

impl Session {
    async fn look_up(&self, look: LookUp) -> Result<Vec<Elsewhere>, Error> {
        if !rabta_domain::role::may(&self.person.role, Act::Register) {
            return Err(Error::new("not-allowed"));
        }
        let systems = systems(&look.number.0).ok_or_else(|| Error::new("not-a-number"))?;
        let client = self.sync.client()?;
        for (system, value) in systems {
            let found = client.look_up(&system, &value).await.map_err(refused)?;
            let mut rows = Vec::with_capacity(found.len());
            for patient in found {
                rows.extend(self.elsewhere(&patient).await?);
            }
            if !rows.is_empty() {
                return Ok(rows);
            }
        }
        Ok(Vec::new())
    }

    async fn elsewhere(&self, patient: &RawValue) -> Result<Option<Elsewhere>, Error> {
        let Ok(patient) = serde_json::from_str::<Value>(patient.get()) else { return Ok(None) };
        let Some(id) = patient["id"].as_str() else { return Ok(None) };
        let stored = self.store().resource("Patient", id).await.map_err(|e| self.told(e))?;
        let owner = &patient["managingOrganization"];
        let facility = match owner["display"].as_str() {
            Some(name) => name.to_owned(),
            None => self.facility().name,
        };
        Ok(Some(Elsewhere {
            id: id.to_owned(),
            name: patient.pointer("/name/0/text").and_then(Value::as_str).unwrap_or("?").into(),
            sex: serde_json::from_value::<Sex>(patient["gender"].clone()).unwrap_or_default(),
            born: patient["birthDate"].as_str().and_then(|date| date.get(..4)).map(str::to_owned),
            facility,
            here: stored.is_some_and(|patient| !patient.deleted) && self.may_see(id).await.is_ok(),
            may_open: rabta_domain::role::may(&self.person.role, Act::BreakGlass),
        }))
    }

    async fn break_glass(&self, wish: BreakGlass) -> Result<Emergency, Error> {
        self.must(Act::BreakGlass)?;
        let not_found = || Error::new("not-found");
        let patient: Id = wish.patient.parse().map_err(|_| not_found())?;
        let asked = care::BreakGlass {
            patient,
            purpose: "ETREAT".into(),
            reason: wish.reason,
            text: wish.text.0,
            restricted: wish.restricted.map(|text| text.0),
        };
        let grant = self.sync.client()?.break_glass(&asked).await.map_err(refused)?;
        let facility = wish.facility;
        {
            let _one = self.emergencies.0.lock().await;
            let mut all = self.kept_emergencies().await?;
            let before = all.iter_mut().find(|kept| kept.is_of(patient, self.person_id));
            match before {
                // Longer, and perhaps more of it.
                Some(kept) => (kept.grant, kept.complete) = (grant, false),
                None => all.push(Kept { grant, facility, items: Vec::new(), complete: false }),
            }
            let audit = self.audit("break-glass", &format!("Patient/{patient}"), Some(&patient.to_string()));
            self.commit(Transaction::new().set(SETTING, packed(&all)).audit(audit)).await?;
        }
        // The glass is broken whether or not the line holds for the rest; that is asked for again.
        match self.fetch(patient).await {
            Ok(open) => Ok(open),
            Err(error) if error.code == "hie-unreachable" => {
                self.emergency(&wish.patient).await?.ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    async fn fetch_emergency(&self, fetch: FetchEmergency) -> Result<Emergency, Error> {
        // The operator may have ended it: then nothing more comes, and what came goes.
        self.ask_for_ends().await?;
        self.fetch(fetch.patient.parse().map_err(|_| Error::new("not-found"))?).await
    }

    /// Brings the record down, kind by kind: what came stays when the line breaks.
    async fn fetch(&self, patient: Id) -> Result<Emergency, Error> {
        for kind in KINDS {
            let (mut next, mut came) = (None, Vec::new());
            loop {
                let page =
                    self.sync.client()?.record(kind, patient, next.as_deref()).await.map_err(refused)?;
                came.extend(page.resources.iter().filter_map(|raw| resource(kind, raw)));
                next = page.next;
                if next.is_none() {
                    break;
                }
            }
            self.keep_fetched(patient, came, kind == KINDS[KINDS.len() - 1]).await?;
        }
        self.emit(Event::Patient { id: patient.to_string() });
        self.emergency(&patient.to_string()).await?.ok_or_else(|| Error::new("emergency-over"))
    }

    async fn keep_fetched(&self, patient: Id, came: Vec<NewResource>, last: bool) -> Result<(), Error> {
        let _one = self.emergencies.0.lock().await;
        let mut all = self.kept_emergencies().await?;
        // It may have closed while it came.
        let at = all.iter().position(|kept| kept.is_of(patient, self.person_id) && !self.is_over(kept));
        let at = at.ok_or_else(|| Error::new("emergency-over"))?;
        let mut transaction = Transaction::new();
        for new in came {
            let key = (new.kind.clone(), new.id.clone());
            if !all[at].items.contains(&key) {
                let there = self.store().resource(&new.kind, &new.id).await.map_err(|e| self.told(e))?;
                // What is here in its own right is newer than any copy, and stays.
                if there.is_some_and(|there| !there.deleted) {
                    continue;
                }
                all[at].items.push(key);
            }
            transaction = transaction.put(new);
        }
        all[at].complete |= last;
        self.commit(transaction.set(SETTING, packed(&all))).await.map(drop)
    }

    async fn kept_emergencies(&self) -> Result<Vec<Kept>, Error> {
        let bytes = self.store().setting(SETTING).await.map_err(|e| self.told(e))?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }

    /// By the HIE's clock, which ends it there, as far as it is known here.
    fn is_over(&self, kept: &Kept) -> bool {
        let now = self.millis() + self.sync.clock_offset().unwrap_or_default();
        now >= kept.grant.ends_at
    }

    fn shown(&self, kept: &Kept) -> Emergency {
        Emergency {
            patient: kept.grant.patient.to_string(),
            facility: kept.facility.clone(),
            reason: kept.grant.reason.clone(),
            until: kept.grant.ends_at - self.sync.clock_offset().unwrap_or_default(),
            complete: kept.complete,
        }
    }

    /// This person's open glass to this patient.
    pub(crate) async fn emergency(&self, patient: &str) -> Result<Option<Emergency>, Error> {
        let all = self.kept_emergencies().await?;
        let own = all.iter().filter(|kept| kept.grant.person == self.person_id && !self.is_over(kept));
        Ok(own.map(|kept| self.shown(kept)).find(|open| open.patient == patient))
    }

    /// This person's open glasses.
    pub(crate) async fn own_emergencies(&self) -> Result<Vec<EmergencyRow>, Error> {
        let mut rows = Vec::new();
        for kept in self.kept_emergencies().await? {
            if kept.grant.person == self.person_id && !self.is_over(&kept) {
                let emergency = self.shown(&kept);
                let card = self.card(&emergency.patient).await.ok();
                rows.push(EmergencyRow { emergency, card });
            }
        }
        Ok(rows)
    }

    /// The patients of whom this person sees nothing: what came by a glass is for who broke it, until it closes.
    pub(crate) async fn hidden(&self) -> Result<HashSet<String>, Error> {
        let all = self.kept_emergencies().await?;
        let own = |patient: Id| {
            let mut of_patient = all.iter().filter(|kept| kept.is_of(patient, self.person_id));
            of_patient.any(|kept| !self.is_over(kept))
        };
        let patients = all.iter().map(|kept| kept.grant.patient);
        let hidden = patients.filter(|patient| !own(*patient)).map(|patient| patient.to_string());
        Ok(hidden.filter(|patient| all.iter().any(|kept| kept.brought_patient(patient))).collect())
    }

    /// Error `not-found` where it is somebody else's emergency, or one that is over.
    pub(crate) async fn may_see(&self, patient: &str) -> Result<(), Error> {
        if self.hidden().await?.contains(patient) { Err(Error::new("not-found")) } else { Ok(()) }
    }

    /// Nothing is written here into a record that is only open in an emergency: the HIE would refuse it.
    pub(crate) async fn must_be_ours(&self, patient: &str) -> Result<(), Error> {
        let all = self.kept_emergencies().await?;
        match all.iter().any(|kept| kept.brought_patient(patient)) {
            true => Err(Error::new("emergency-read-only")),
            false => Ok(()),
        }
    }

    /// Takes out of the vault what closed glasses brought; `ended` says which the HIE has ended before their time.
    pub(crate) async fn sweep_emergencies(&self, ended: impl Fn(Id) -> bool) -> Result<(), Error> {
        let _one = self.emergencies.0.lock().await;
        let all = self.kept_emergencies().await?;
        let (over, mut open): (Vec<Kept>, Vec<Kept>) =
            all.into_iter().partition(|kept| self.is_over(kept) || ended(kept.grant.id));
        if over.is_empty() {
            return Ok(());
        }
        let mut transaction = Transaction::new();
        let mut closed = Vec::new();
        for kept in over {
            closed.push(kept.grant.patient.to_string());
            // A colleague's glass to the same record is still open: it is theirs now.
            match open.iter_mut().find(|other| other.grant.patient == kept.grant.patient) {
                Some(other) => other.items.extend(kept.items),
                None => {
                    for (kind, id) in kept.items {
                        transaction = transaction.forget(kind, id);
                    }
                }
            }
        }
        self.commit(transaction.set(SETTING, packed(&open))).await?;
        for id in closed {
            self.emit(Event::Patient { id });
        }
        Ok(())
    }

    /// Asks the HIE whether the operator has ended one of the open glasses before its time.
    async fn ask_for_ends(&self) -> Result<(), Error> {
        let kept = self.kept_emergencies().await?;
        if kept.is_empty() {
            return Ok(());
        }
        let grants = self.sync.client()?.grants().await.map_err(refused)?.grants;
        let shorter = |of: &Grant| grants.iter().any(|grant| grant.id == of.id && grant.ends_at < of.ends_at);
        let ended: Vec<Id> = kept
            .iter()
            .map(|kept| &kept.grant)
            .filter(|grant| shorter(grant))
            .map(|grant| grant.id)
            .collect();
        self.sweep_emergencies(|id| ended.contains(&id)).await
    }

    async fn see_notice(&self, see: rabta_ipc::care::SeeNotice) -> Result<(), Error> {
        notices::see(self, &see.id).await
    }
}

impl Kept {
    fn is_of(&self, patient: Id, person: Id) -> bool {
        self.grant.patient == patient && self.grant.person == person
    }

    fn brought_patient(&self, patient: &str) -> bool {
        self.items.iter().any(|(kind, id)| kind == "Patient" && id == patient)
    }
}

/// Closes glasses when their time is over, for as long as the session lives.
pub(crate) async fn watch(session: Weak<Session>) {
    let mut tick = tokio::time::interval(EVERY);
    for n in 1_u32.. {
        tick.tick().await;
        let Some(session) = session.upgrade() else { return };
        let done = match n % ASK {
            0 => session.ask_for_ends().await,
            _ => session.sweep_emergencies(|_| false).await,
        };
        // Without a link the HIE is asked the next time; the time itself needs none.
        if let Err(error) = done
            && error.code != "hie-unreachable"
        {
            tracing::warn!(code = error.code, "open emergencies were not looked through");
        }
    }
}

/// Before anybody sees anything: what closed while the vault was shut goes first.
pub(crate) async fn begin(session: &Arc<Session>) -> Result<(), Error> {
    session.sweep_emergencies(|_| false).await?;
    tokio::spawn(watch(Arc::downgrade(session)));
    Ok(())
}

fn packed(all: &[Kept]) -> Vec<u8> {
    serde_json::to_vec(all).expect("plain data")
}

/// The identifiers that a whole number may be; `None` where it is no whole number.
fn systems(typed: &str) -> Option<Vec<(String, String)>> {
    let ascii: String = typed.trim().chars().map(latin).collect();
    if let Some(number) = mr::parse(&ascii) {
        return Some(vec![(mr::SYSTEM.to_owned(), number)]);
    }
    // A child's B-Form has a number of the same form.
    let number = paper::normalize_cnic(&ascii)?;
    Some(["cnic", "b-form"].map(|kind| (paper::system(kind), number.clone())).into())
}

/// Urdu and Arabic digits as Latin ones.
fn latin(c: char) -> char {
    let digit = match c {
        '\u{6f0}'..='\u{6f9}' => c as u32 - 0x6f0,
        '\u{660}'..='\u{669}' => c as u32 - 0x660,
        _ => return c,
    };
    char::from_digit(digit, 10).unwrap_or(c)
}

/// A resource as the store takes it; `None` where it is not what was asked for.
fn resource(kind: &str, raw: &RawValue) -> Option<NewResource> {
    let value: Value = serde_json::from_str(raw.get()).ok()?;
    let (of, id) = (value["resourceType"].as_str()?, value["id"].as_str()?);
    let version = value.pointer("/meta/versionId").and_then(Value::as_str)?.parse().ok()?;
    (of == kind).then(|| NewResource {
        kind: kind.to_owned(),
        id: id.to_owned(),
        patient: None,
        envelope: None,
        server_version: Some(version),
        body: Private(raw.get().as_bytes().to_vec()),
    })
}

/// What the HIE says to a lookup or a broken glass.
fn refused(error: HieError) -> Error {
    match &error {
        HieError::Refused { status: 404, .. } => Error::new("not-found"),
        HieError::Refused { status: 429, .. } => Error::new("slow-down"),
        HieError::Refused { code, text, .. } => match code.as_str() {
            codes::ROLE => Error::new("not-allowed"),
            codes::REASON => Error { detail: Some(text.clone()), ..Error::field("invalid", "text") },
            codes::NOT_NEEDED => Error::new("emergency-not-needed"),
            _ => crate::gate::hie(error),
        },
        _ => crate::gate::hie(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_number_is_looked_up() {
        let mr = mr::format("3740", 123);
        assert_eq!(systems(&mr), Some(vec![(mr::SYSTEM.to_owned(), mr.clone())]));
        let cnic = systems(" ۳۵۲۰۲-1234567-1 ").expect("a card's number");
        assert_eq!(
            cnic[0],
            ("https://rabta.health/fhir/sid/pk-cnic".to_owned(), "35202-1234567-1".to_owned())
        );
        assert_eq!(cnic.len(), 2);
        for not in ["", "zohra", "35202-1234567", "0300 1234567", "3740-000123"] {
            assert_eq!(systems(not), None, "{not}");
        }
    }
}
