//! Push: this device's log, one envelope after the other, each all of it or nothing.

use rabta_domain::{
    Private,
    fhir::{Json, Resource},
};
use rabta_store::{LogEntry, RecordStore, StoreError, Transaction};
use rabta_wire::Id;

use super::{
    answer::{Answer, ForeignError, Outcome},
    capability::Lack,
    driver::{ForeignDriver, ForeignFailure},
    page::version_id,
    project::{Parcel, marker_id, project, refers_to, stub},
    state::{Held, Known, Origin, Why, load_if, put},
};

/// Entries of the log that are in memory at once.
const WINDOW: usize = 20;

/// What a push did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pushed {
    /// Envelopes that were committed over there.
    pub sent: u64,
    /// Envelopes whose marker was there already: their answer was lost.
    pub recognised: u64,
    /// Envelopes that are nothing on a FHIR server.
    pub nothing: u64,
    /// Envelopes that are held now, old ones included.
    pub held: u64,
}

/// What became of one envelope.
enum Became {
    Sent(Vec<(String, Known)>),
    Recognised,
    Nothing,
    Held(Why),
}

/// What the server made of a parcel.
enum Took {
    /// Each resource with its version there, where it was told.
    All(Vec<(String, String)>),
    Not(Why),
    /// The answer cannot be used, or says something else than the status: the marker tells.
    Unclear(Why),
    /// Transactions do not work here.
    NoTransactions,
}

impl<S: RecordStore> ForeignDriver<S> {
    /// Sends what is not over there yet. One envelope that is refused holds back only what depends on it; the round ends
    /// where the line fails.
    pub async fn push(&mut self) -> Result<Pushed, ForeignFailure> {
        if self.caps.no_client_ids() {
            return Err(ForeignError::Lacks(Lack::NoClientIds).into());
        }
        let mut pushed = Pushed::default();
        self.push_held(&mut pushed).await?;
        loop {
            let (epoch, seq) = self.state.place;
            let entries = self.store.log_after(epoch, seq, WINDOW).await?;
            if entries.is_empty() {
                pushed.held = self.held.len() as u64;
                return Ok(pushed);
            }
            for entry in entries {
                let place = (entry.log_epoch, entry.seq);
                let doubtful = place <= self.state.doubt;
                if !self.held.iter().any(|held| held.envelope == entry.id) {
                    let became = self.offer(&entry, doubtful).await?;
                    self.note(entry.id, became, place, &mut pushed).await?;
                } else {
                    self.state.place = place;
                }
            }
        }
    }

    /// What was held and may go now.
    async fn push_held(&mut self, pushed: &mut Pushed) -> Result<(), ForeignFailure> {
        for held in self.held.clone() {
            let ready = match held.why {
                Why::PutOff { .. } => true,
                Why::Waits { on } => !self.held.iter().any(|other| other.envelope == on),
                Why::Refused { .. } | Why::Conflict { .. } => false,
            };
            if !ready {
                continue;
            }
            let Some(entry) = self.store.log_entry(held.envelope).await? else { continue };
            let became = self.offer(&entry, true).await?;
            self.note(entry.id, became, self.state.place, pushed).await?;
        }
        Ok(())
    }

    /// Writes down what became of an envelope, and that the log was read up to `place`.
    async fn note(
        &mut self,
        id: Id,
        became: Became,
        place: super::state::Place,
        pushed: &mut Pushed,
    ) -> Result<(), StoreError> {
        self.held.retain(|held| held.envelope != id);
        self.state.place = place;
        // Not another's: that one's answer is still not known.
        self.state.trying.take_if(|trying| *trying == id);
        let mut transaction = Transaction::new();
        match became {
            Became::Sent(known) => {
                pushed.sent += 1;
                for (reference, known) in known {
                    transaction = put(transaction, self.keys.resource(&reference), &known);
                }
            }
            Became::Recognised => pushed.recognised += 1,
            Became::Nothing => pushed.nothing += 1,
            Became::Held(why) => {
                tracing::warn!(envelope = %id, "a foreign server has not taken it");
                self.held.push(Held { envelope: id, why });
            }
        }
        self.save(transaction).await
    }

    async fn offer(&mut self, entry: &LogEntry, doubtful: bool) -> Result<Became, ForeignFailure> {
        let parcel = match project(&*self.store, entry).await {
            Ok(Some(parcel)) => parcel,
            Ok(None) => return Ok(Became::Nothing),
            // One that cannot be read here must not hold up all others.
            Err(StoreError::Payload(_, why)) => {
                return Ok(Became::Held(Why::Refused { status: 0, words: why.into() }));
            }
            Err(error) => return Err(error.into()),
        };
        let on = |id: &&Id| self.held.iter().any(|held| held.envelope == **id);
        if let Some(on) = parcel.depends.iter().find(on) {
            return Ok(Became::Held(Why::Waits { on: *on }));
        }
        let doubtful = doubtful || self.state.trying == Some(parcel.envelope);
        if doubtful {
            match self.marked(parcel.envelope).await {
                Ok(true) => return Ok(Became::Recognised),
                Ok(false) => {}
                Err(error) => return put_off(error),
            }
        } else {
            // Durable before the first byte goes out: a power cut after it is a lost answer.
            self.state.trying = Some(parcel.envelope);
            self.save(Transaction::new()).await?;
        }
        let (introduced, known) = match self.introduce(&parcel).await {
            Ok(both) => both,
            Err(ForeignFailure::Server(error)) => return put_off(error),
            Err(error) => return Err(error),
        };
        let mut resources: Vec<(Resource, Option<String>)> =
            introduced.into_iter().map(|resource| (resource, None)).collect();
        for resource in parcel.entries.iter().chain([&parcel.marker]) {
            if !self.caps.takes(resource.resource_type()) {
                // Named by `lacks`; the rest of the envelope goes.
                self.caps.found.insert(match resource.resource_type() {
                    "Provenance" => Lack::NoMarker,
                    other => Lack::NoUpdate(other.to_owned()),
                });
                continue;
            }
            let tag = if doubtful { None } else { self.tag(resource).await? };
            resources.push((resource.clone(), tag));
        }
        let mut took = if self.singly { Took::NoTransactions } else { self.together(&resources).await? };
        if matches!(took, Took::NoTransactions) {
            if !self.singly {
                self.singly = true;
                self.caps.found.insert(Lack::NoTransaction);
            }
            took = self.one_by_one(&resources).await?;
        }
        let took = match took {
            Took::Unclear(why) => match self.marked(parcel.envelope).await {
                Ok(true) => return Ok(Became::Recognised),
                Ok(false) => Took::Not(why),
                Err(error) => return put_off(error),
            },
            other => other,
        };
        Ok(match took {
            Took::All(versions) => {
                let ours = |(reference, version)| (reference, Known { version, origin: Origin::Ours });
                Became::Sent(known.into_iter().chain(versions.into_iter().map(ours)).collect())
            }
            Took::Not(why) | Took::Unclear(why) => Became::Held(why),
            Took::NoTransactions => unreachable!("resources were put one by one"),
        })
    }

    /// Whether the marker is over there.
    async fn marked(&self, envelope: Id) -> Result<bool, ForeignError> {
        if !self.caps.reads("Provenance") {
            return Ok(false);
        }
        Ok(self.server.read("Provenance", &marker_id(envelope)).await?.is_some())
    }

    /// What the parcel refers to and the server has not: whoever signed, and what came to this laptop from elsewhere. And
    /// what the server turned out to have.
    async fn introduce(
        &mut self,
        parcel: &Parcel,
    ) -> Result<(Vec<Resource>, Vec<(String, Known)>), ForeignFailure> {
        let mut open: Vec<String> =
            refers_to(parcel.entries.iter().chain([&parcel.marker])).into_iter().collect();
        let (mut introduced, mut known): (Vec<Resource>, Vec<(String, Known)>) = (Vec::new(), Vec::new());
        let mut seen = std::collections::BTreeSet::new();
        while let Some(reference) = open.pop() {
            let own = parcel.entries.iter().any(|entry| entry.reference() == reference);
            if own || !seen.insert(reference.clone()) {
                continue;
            }
            let key = self.keys.resource(&reference);
            if load_if::<Known>(&*self.store, &key).await?.is_some() {
                continue;
            }
            let Some((kind, id)) = reference.split_once('/') else { continue };
            if !self.caps.takes(kind) || !self.caps.reads(kind) {
                continue;
            }
            if let Some(there) = self.server.read(kind, id).await? {
                let version = version_id(&there);
                known.push((reference, Known { version, origin: Origin::There }));
                continue;
            }
            let resource = match parcel.people.iter().find(|who| who.reference() == reference) {
                Some(who) => who.clone(),
                None => match self.store.resource(kind, id).await? {
                    Some(here) if !here.deleted => match Resource::parse(&here.body) {
                        Ok(resource) => resource,
                        Err(_) => continue,
                    },
                    // Somebody whom this laptop knows by name in a reference alone.
                    _ if matches!(kind, "Practitioner" | "Organization" | "Device") => stub(kind, id, &[]),
                    _ => continue,
                },
            };
            // It may name others in turn.
            open.extend(refers_to(std::iter::once(&resource)));
            introduced.push(resource);
        }
        introduced.reverse();
        Ok((introduced, known))
    }

    /// `If-Match` for a resource that was sent before: nobody's change over there is overwritten unseen.
    async fn tag(&self, resource: &Resource) -> Result<Option<String>, StoreError> {
        if !self.caps.if_match(resource.resource_type()) {
            return Ok(None);
        }
        let known: Option<Known> = load_if(&*self.store, &self.keys.resource(&resource.reference())).await?;
        Ok(known
            .filter(|known| known.origin == Origin::Ours && !known.version.is_empty())
            .map(|known| format!("W/\"{}\"", known.version)))
    }

    async fn together(&mut self, resources: &[(Resource, Option<String>)]) -> Result<Took, ForeignFailure> {
        let answer = match self.server.transaction(transaction(self.server.base(), resources)).await {
            Ok(answer) => answer,
            Err(error) if error.is_of_the_line() => return Err(error.into()),
            // It may have been committed nevertheless.
            Err(error) => return Ok(Took::Unclear(Why::PutOff { words: error.words() })),
        };
        if matches!(answer.status, 404 | 405 | 501) {
            return Ok(Took::NoTransactions);
        }
        match answer.accepted() {
            Ok(answer) => Ok(committed(&answer, resources)),
            Err(error) => refused(error).map(|why| match why {
                // A server that says yes and no at once is asked for the marker.
                Why::Refused { status: 200..300, .. } => Took::Unclear(why),
                why => Took::Not(why),
            }),
        }
    }

    /// In their order, the marker last. One that refers to a later one is tried again after that.
    async fn one_by_one(&mut self, resources: &[(Resource, Option<String>)]) -> Result<Took, ForeignFailure> {
        let mut left: Vec<&(Resource, Option<String>)> = resources.iter().collect();
        let marker = left.pop_if(|(resource, _)| resource.resource_type() == "Provenance");
        let mut versions = Vec::new();
        while !left.is_empty() {
            let (before, mut last) = (left.len(), None);
            let mut again = Vec::new();
            for one in left {
                match self.put_one(one).await? {
                    Ok(version) => versions.push((one.0.reference(), version)),
                    Err(why @ Why::Conflict { .. }) => return Ok(Took::Not(why)),
                    Err(why) => {
                        again.push(one);
                        last = Some(why);
                    }
                }
            }
            if let Some(why) = last.filter(|_| again.len() == before) {
                return Ok(Took::Not(why));
            }
            left = again;
        }
        if let Some(one) = marker {
            match self.put_one(one).await? {
                Ok(version) => versions.push((one.0.reference(), version)),
                Err(why) => return Ok(Took::Not(why)),
            }
        }
        Ok(Took::All(versions))
    }

    async fn put_one(
        &self,
        (resource, tag): &(Resource, Option<String>),
    ) -> Result<Result<String, Why>, ForeignFailure> {
        let answer = match self.server.put(resource, tag.as_deref()).await {
            Ok(answer) => answer,
            Err(error) if error.is_of_the_line() => return Err(error.into()),
            Err(error) => return Ok(Err(Why::PutOff { words: error.words() })),
        };
        match answer.accepted() {
            Ok(answer) if !is_named(answer.location.as_deref().unwrap_or_default(), resource) => {
                Ok(Err(Why::Refused { status: answer.status, words: elsewhere(resource) }))
            }
            Ok(answer) => {
                let told = answer.etag.as_deref().map(version).unwrap_or_default();
                Ok(Ok(told.to_owned()))
            }
            Err(error) => Ok(Err(refused(error)?)),
        }
    }
}

fn put_off(error: ForeignError) -> Result<Became, ForeignFailure> {
    if error.is_of_the_line() {
        return Err(error.into());
    }
    Ok(Became::Held(Why::PutOff { words: error.words() }))
}

/// Whether a refusal is this envelope's, and of which kind.
fn refused(error: ForeignError) -> Result<Why, ForeignFailure> {
    let words = error.words();
    match error {
        error if error.is_of_the_line() => Err(error.into()),
        ForeignError::Refused { status: 409 | 412, .. } => Ok(Why::Conflict { words }),
        ForeignError::Refused { status: 400..500, .. } | ForeignError::Refused { status: 200..300, .. } => {
            let ForeignError::Refused { status, .. } = error else { return Ok(Why::PutOff { words }) };
            Ok(Why::Refused { status, words })
        }
        _ => Ok(Why::PutOff { words }),
    }
}

/// A transaction of updates (http://hl7.org/fhir/R4/http.html#transaction).
fn transaction(base: &str, resources: &[(Resource, Option<String>)]) -> String {
    let mut out = String::from(r#"{"resourceType":"Bundle","type":"transaction","entry":["#);
    for (i, (resource, tag)) in resources.iter().enumerate() {
        let reference = resource.reference();
        let tag = tag.as_ref().map(|tag| format!(r#","ifMatch":{}"#, serde_json::Value::from(tag.as_str())));
        out.push_str(&format!(
            r#"{}{{"fullUrl":"{base}{reference}","resource":{},"request":{{"method":"PUT","url":"{reference}"{}}}}}"#,
            if i == 0 { "" } else { "," },
            resource.text(),
            tag.unwrap_or_default(),
        ));
    }
    out.push_str("]}");
    out
}

/// `W/"3"`, `"3"` and HAPI's `3` as `3`.
fn version(etag: &str) -> &str {
    etag.trim().trim_start_matches("W/").trim_matches('"')
}

/// Reads a transaction-response: one success for each entry, or it is unclear what was committed.
fn committed(answer: &Answer, resources: &[(Resource, Option<String>)]) -> Took {
    let unclear = |words: String| Took::Unclear(Why::PutOff { words: Private(words) });
    let Ok(json) = Json::parse(&answer.body) else {
        return unclear("the answer to a transaction is not JSON".into());
    };
    if json.str("resourceType") != "Bundle" || !json.str("type").ends_with("-response") {
        return unclear("the answer to a transaction is no transaction-response".into());
    }
    let entries = json.items("entry");
    if entries.len() != resources.len() {
        return unclear("the answer to a transaction has another number of entries".into());
    }
    let mut versions = Vec::new();
    for (entry, (resource, _)) in entries.iter().zip(resources) {
        let response = entry.get("response");
        let status: u16 = response.str("status").get(..3).and_then(|code| code.parse().ok()).unwrap_or(0);
        if !(200..300).contains(&status) {
            let outcome = Outcome::read(response.get("outcome"));
            return Took::Unclear(Why::Refused {
                status,
                words: Private(format!("{}: {}", resource.reference(), outcome.words)),
            });
        }
        if !is_named(response.str("location"), resource) {
            return Took::Unclear(Why::Refused { status, words: elsewhere(resource) });
        }
        versions.push((resource.reference(), version(response.str("etag")).to_owned()));
    }
    Took::All(versions)
}

/// Whether a `location` (RFC 9110, section 10.2.2; it may be left out of an update) is the resource's own.
fn is_named(location: &str, resource: &Resource) -> bool {
    let own = [resource.resource_type(), resource.id()];
    location.is_empty() || location.split('/').collect::<Vec<_>>().windows(2).any(|pair| pair == own)
}

fn elsewhere(resource: &Resource) -> Private<String> {
    Private(format!("{}: stored under another id", resource.reference()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_the_resources_own_or_not_told() {
        let resource = Resource::from_text(r#"{"resourceType":"Patient","id":"a"}"#).expect("a resource");
        for own in ["", "Patient/a", "Patient/a/_history/1", "https://x.example/fhir/Patient/a/_history/1"] {
            assert!(is_named(own, &resource), "{own}");
        }
        for other in ["Patient/999/_history/1", "Observation/a", "https://x.example/Patient", "a"] {
            assert!(!is_named(other, &resource), "{other}");
        }
    }

    #[test]
    fn versions_are_read_as_servers_write_them() {
        assert_eq!([r#"W/"3""#, r#""3""#, "3", " W/\"a-b\" "].map(version), ["3", "3", "3", "a-b"]);
    }
}
