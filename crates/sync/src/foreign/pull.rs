//! Pull: what changed over there of the patients that are here.
//!
//! Each type is read by itself, so that one that fails holds up no other. Its patients are asked about in groups, newest
//! first; each page is applied together with the place that it leads to, so a cut goes on where it was. The next reading begins
//! a little before this one began by the server's own clock: transactions commit late, and what comes twice changes nothing.

use std::{
    collections::BTreeSet,
    hash::{BuildHasher, RandomState},
};

use rabta_domain::{
    Private,
    fhir::{Json, Resource, dates},
};
use rabta_store::{NewResource, RecordStore, StoreError, Transaction};
use time::{Duration, OffsetDateTime, UtcOffset};

use super::{
    answer::{Answer, ForeignError},
    capability::Lack,
    driver::{ForeignDriver, ForeignFailure},
    page::{Page, last_updated, says_the_same, version_id},
    state::{Known, Origin, PullState, Round, load, load_if, put},
};
use crate::clock::parse_date;

/// The types that are read, all of a patient's record.
pub const PULLED: [&str; 19] = [
    "Patient",
    "RelatedPerson",
    "AllergyIntolerance",
    "Condition",
    "MedicationStatement",
    "MedicationRequest",
    "Encounter",
    "Observation",
    "Composition",
    "ServiceRequest",
    "Task",
    "Communication",
    "Consent",
    "Immunization",
    "Procedure",
    "DiagnosticReport",
    "DocumentReference",
    "CarePlan",
    "EpisodeOfCare",
];

/// Patients in one request: in a body, and in an address that every server takes.
const PATIENTS: usize = 100;
const PATIENTS_IN_URL: usize = 25;
/// Entries that are asked for in one page, and the fewest, where pages turn out too large.
const COUNT: usize = 50;
/// Versions of one answer that are remembered, to see a loop: beyond that the answer is not believed.
const MOST_IN_ANSWER: usize = 200_000;
/// Empty pages in a row that still lead on.
const MOST_EMPTY: u32 = 3;
/// How long a transaction may take over there between its time and its being visible.
const OVERLAP: Duration = Duration::minutes(5);
/// After so many readings in a row that were shorter than promised, the promise is not believed.
const MOST_SHORT: u8 = 3;
/// Names of resources that a report holds.
const MOST_NAMED: usize = 100;

/// What a pull did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pulled {
    /// Resources stored.
    pub applied: u64,
    /// Known already: by version, or as our own words.
    pub known: u64,
    /// Written here and changed over there, as `Type/id`: what was written here stays.
    pub differs: Vec<String>,
    /// Over there a version went back, as `Type/id`: the server was restored, so everything is looked for again.
    pub went_back: Vec<String>,
    /// Of patients or types that were not asked for: not stored.
    pub strangers: u64,
    /// Entries that are no resources, or that the store cannot take.
    pub odd: u64,
    /// What was said or went wrong, by type. Others' words: never for a log.
    pub words: Vec<(String, Private<String>)>,
    /// Types that were not read to the end.
    pub unfinished: Vec<String>,
}

impl Pulled {
    fn say(&mut self, kind: &str, words: Private<String>) {
        let said = (kind.to_owned(), words);
        if !self.words.contains(&said) && self.words.len() < MOST_NAMED {
            self.words.push(said);
        }
    }

    fn name(list: &mut Vec<String>, reference: String) {
        if !list.contains(&reference) && list.len() < MOST_NAMED {
            list.push(reference);
        }
    }
}

/// One search's answer, page after page.
struct Reading {
    seen: BTreeSet<u64>,
    hasher: RandomState,
    links: BTreeSet<u64>,
    given: u64,
    total: Option<u64>,
    empty: u32,
}

impl Reading {
    fn new() -> Self {
        let hasher = RandomState::new();
        Self { seen: BTreeSet::new(), links: BTreeSet::new(), hasher, given: 0, total: None, empty: 0 }
    }

    /// Whether the page leads anywhere new.
    fn goes_on(&mut self, page: &Page) -> Result<(), ForeignError> {
        let looped = ForeignError::Malformed("its next links lead in a circle");
        let mut fresh = 0;
        for resource in &page.matches {
            let hash = self.hasher.hash_one((resource.reference(), version_id(resource)));
            fresh += u64::from(self.seen.insert(hash));
        }
        if self.seen.len() > MOST_IN_ANSWER {
            return Err(ForeignError::Malformed("it does not end"));
        }
        self.given += page.matches.len() as u64 + page.odd;
        self.total = page.total.into_iter().chain(self.total).max();
        if let Some(next) = &page.next {
            self.empty = if fresh == 0 { self.empty + 1 } else { 0 };
            let again = !page.matches.is_empty() && fresh == 0;
            if again || self.empty > MOST_EMPTY || !self.links.insert(self.hasher.hash_one(next)) {
                return Err(looped);
            }
        }
        Ok(())
    }

    /// The server said that there are more than it gave.
    fn short(&self) -> bool {
        self.total.is_some_and(|total| (self.seen.len() as u64) < total && self.given < total)
    }
}

impl<S: RecordStore> ForeignDriver<S> {
    /// Reads what changed. A type that fails leaves the others; the round ends where the line fails.
    pub async fn pull(&mut self) -> Result<Pulled, ForeignFailure> {
        let mut pulled = Pulled::default();
        for kind in PULLED {
            let Some(param) = self.caps.patient_param(kind) else { continue };
            match self.pull_kind(kind, param, &mut pulled).await {
                Ok(true) => {}
                Ok(false) => pulled.unfinished.push(kind.to_owned()),
                // Many servers let a program read some types and not others.
                Err(ForeignFailure::Server(error))
                    if !error.is_of_the_line()
                        || matches!(error, ForeignError::Refused { status: 403, .. }) =>
                {
                    pulled.say(kind, error.words());
                    pulled.unfinished.push(kind.to_owned());
                }
                Err(error) => return Err(error),
            }
        }
        if !pulled.went_back.is_empty() {
            self.look_again().await?;
        }
        Ok(pulled)
    }

    /// Whether all of the type was given.
    async fn pull_kind(
        &mut self,
        kind: &'static str,
        param: &'static str,
        pulled: &mut Pulled,
    ) -> Result<bool, ForeignFailure> {
        let mut state: PullState = load(&*self.store, &self.keys.pull(kind)).await?;
        loop {
            let round = state.round.get_or_insert_with(Round::default).clone();
            let most = if self.by_get { PATIENTS_IN_URL } else { PATIENTS };
            let mut group = self.store.of_kind("Patient", round.before, most).await?;
            if round.top == 0 {
                let top = group.first().map_or(0, |patient| patient.first_seq);
                state.round = Some(Round { top, ..round.clone() });
            }
            // Who is new here is asked about from the beginning, the others from the last reading on.
            let is_new = |seq: i64| seq > state.covered;
            let Some(first) = group.first().map(|patient| is_new(patient.first_seq)) else { break };
            let end = group.iter().position(|patient| is_new(patient.first_seq) != first);
            group.truncate(end.unwrap_or(group.len()));
            let before = group.last().map(|patient| patient.first_seq);
            let ids: Vec<String> =
                group.into_iter().filter(|patient| !patient.deleted).map(|patient| patient.id).collect();
            let since = if first { None } else { state.since.clone() };
            if !ids.is_empty() {
                match self.read_group(kind, param, &ids, since, &mut state, pulled).await {
                    // What cannot be used of the answer about these leaves the others.
                    Err(ForeignFailure::Server(
                        error @ (ForeignError::Malformed(_) | ForeignError::TooLarge),
                    )) => {
                        pulled.say(kind, error.words());
                        state.round.get_or_insert_with(Round::default).broken = true;
                    }
                    read => read?,
                }
            }
            let round = state.round.get_or_insert_with(Round::default);
            (round.before, round.high) = (before, None);
            let transaction = put(Transaction::new(), self.keys.pull(kind), &state);
            self.store.commit(transaction, None).await?;
        }
        let Some(round) = state.round.take() else { return Ok(true) };
        let believed = !round.broken && (!round.short || state.short >= MOST_SHORT);
        if believed {
            state.since = round.began.or(state.since);
            state.covered = state.covered.max(round.top);
            state.short = 0;
        } else if !round.broken {
            state.short += 1;
        }
        self.store.commit(put(Transaction::new(), self.keys.pull(kind), &state), None).await?;
        Ok(believed)
    }

    /// All pages about some patients.
    async fn read_group(
        &mut self,
        kind: &'static str,
        param: &'static str,
        ids: &[String],
        since: Option<String>,
        state: &mut PullState,
        pulled: &mut Pulled,
    ) -> Result<(), ForeignFailure> {
        let mut count = COUNT;
        'again: loop {
            let mut reading = Reading::new();
            let from = state.round.as_ref().and_then(|round| round.high.clone()).or(since.clone());
            let mut next: Option<String> = None;
            loop {
                let page = self.page(kind, param, ids, from.as_deref(), count, next.as_deref(), state).await;
                let page = match page {
                    Err(ForeignFailure::Server(ForeignError::TooLarge)) if count > 1 => {
                        count = (count / 4).max(1);
                        continue 'again;
                    }
                    page => page?,
                };
                let looped = reading.goes_on(&page);
                let more = page.next.clone();
                for words in &page.words {
                    pulled.say(kind, words.as_str().into());
                }
                pulled.odd += page.odd;
                // Even of a page that leads in a circle everything that it holds is kept.
                self.apply(kind, ids, page, more.is_some() && looped.is_ok(), state, pulled).await?;
                looped?;
                let Some(link) = more else { break };
                next = Some(link);
            }
            if reading.short() {
                pulled.say(kind, "fewer resources came than the server says that there are".into());
                if let Some(round) = &mut state.round {
                    round.short = true;
                }
            }
            return Ok(());
        }
    }

    async fn page(
        &mut self,
        kind: &'static str,
        param: &'static str,
        ids: &[String],
        from: Option<&str>,
        count: usize,
        next: Option<&str>,
        state: &mut PullState,
    ) -> Result<Page, ForeignFailure> {
        let answer = match next {
            Some(link) => {
                let (answer, moved) = self.server.follow(link).await?;
                if moved {
                    self.caps.found.insert(Lack::OtherAddress);
                }
                answer
            }
            None => self.ask(kind, param, ids, from, count).await?,
        };
        let answer = answer.accepted()?;
        let round = state.round.get_or_insert_with(Round::default);
        if round.began.is_none() {
            round.began = answer.date.as_deref().and_then(before);
        }
        Ok(Page::read(&answer.body)?)
    }

    async fn ask(
        &mut self,
        kind: &'static str,
        param: &'static str,
        ids: &[String],
        from: Option<&str>,
        count: usize,
    ) -> Result<Answer, ForeignFailure> {
        let values: Vec<String> = match param {
            "_id" | "patient" => ids.to_vec(),
            _ => ids.iter().map(|id| format!("Patient/{id}")).collect(),
        };
        let mut params = vec![(param, values.join(",")), ("_count", count.to_string())];
        if self.caps.last_updated(kind) {
            params.push(("_sort", "_lastUpdated".to_owned()));
            if let Some(from) = from {
                params.push(("_lastUpdated", format!("ge{from}")));
            }
        }
        if !self.by_get {
            let answer = self.server.search(kind, &params, true).await?;
            if !matches!(answer.status, 404 | 405 | 415 | 501) {
                return Ok(answer);
            }
            self.by_get = true;
            self.caps.found.insert(Lack::NoPostSearch);
        }
        Ok(self.server.search(kind, &params, false).await?)
    }

    /// Stores a page with the place that it leads to.
    async fn apply(
        &mut self,
        kind: &'static str,
        ids: &[String],
        page: Page,
        more: bool,
        state: &mut PullState,
        pulled: &mut Pulled,
    ) -> Result<(), ForeignFailure> {
        let mut times = Vec::new();
        let mut all: Vec<(Option<NewResource>, String, Known)> = Vec::new();
        for resource in page.matches {
            times.push(last_updated(&resource));
            if resource.resource_type() != kind || !belongs(&resource, ids) {
                pulled.strangers += 1;
                continue;
            }
            let reference = resource.reference();
            let version = version_id(&resource);
            let known: Option<Known> = load_if(&*self.store, &self.keys.resource(&reference)).await?;
            if known.as_ref().is_some_and(|known| !version.is_empty() && known.version == version) {
                pulled.known += 1;
                continue;
            }
            if let Some(known) = &known
                && went_back(&known.version, &version)
            {
                Pulled::name(&mut pulled.went_back, reference.clone());
                all.push((None, reference, Known { version, origin: known.origin }));
                continue;
            }
            let here = self.store.resource(kind, resource.id()).await?;
            if let (Some(here), Some(known)) = (&here, &known)
                && known.origin == Origin::Theirs
                && (known.version.parse::<u64>().is_err() || version.parse::<u64>().is_err())
                && Resource::parse(&here.body).is_ok_and(|here| is_older(&resource, &here))
            {
                Pulled::name(&mut pulled.went_back, reference.clone());
                all.push((None, reference, Known { version, origin: known.origin }));
                continue;
            }
            let origin = known.map(|known| known.origin);
            match here {
                Some(here) if origin != Some(Origin::Theirs) => {
                    let same = Resource::parse(&here.body).is_ok_and(|here| says_the_same(&here, &resource));
                    if same {
                        pulled.known += 1;
                        all.push((None, reference, Known { version, origin: Origin::Ours }));
                    } else {
                        Pulled::name(&mut pulled.differs, reference.clone());
                        all.push((None, reference, Known { version, origin: Origin::Differs }));
                    }
                }
                Some(here) if here.body.as_slice() == resource.bytes() => pulled.known += 1,
                _ => {
                    let new = NewResource {
                        kind: kind.to_owned(),
                        id: resource.id().to_owned(),
                        patient: None,
                        envelope: None,
                        server_version: None,
                        body: Private(resource.bytes().to_vec()),
                    };
                    all.push((Some(new), reference, Known { version, origin: Origin::Theirs }));
                }
            }
        }
        // Only where the pages come in the order that was asked for is their last time a place to go on from.
        let times: Option<Vec<String>> = times.into_iter().collect();
        if let (true, Some(times), Some(round)) = (more, times, &mut state.round)
            && times.is_sorted_by_key(|time| dates::parse_instant(time))
            && let Some(last) = times.last().and_then(|time| dates::parse_instant(time))
        {
            round.high = Some(instant(last));
        }
        let place = |transaction| put(transaction, self.keys.pull(kind), state);
        let mut transaction = Transaction::new();
        let count = all.iter().filter(|(new, ..)| new.is_some()).count() as u64;
        for (new, reference, known) in all.clone() {
            transaction = put(transaction, self.keys.resource(&reference), &known);
            if let Some(new) = new {
                transaction = transaction.put(new);
            }
        }
        match self.store.commit(place(transaction), None).await {
            Ok(_) => pulled.applied += count,
            Err(StoreError::Resource(_) | StoreError::Payload(..)) => {
                // One that the store cannot take leaves the others.
                for (new, reference, known) in all {
                    let is_new = u64::from(new.is_some());
                    let mut transaction = put(Transaction::new(), self.keys.resource(&reference), &known);
                    if let Some(new) = new {
                        transaction = transaction.put(new);
                    }
                    match self.store.commit(transaction, None).await {
                        Ok(_) => pulled.applied += is_new,
                        Err(StoreError::Resource(_) | StoreError::Payload(..)) => pulled.odd += 1,
                        Err(error) => return Err(error.into()),
                    }
                }
                self.store.commit(place(Transaction::new()), None).await?;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// Whether it is of one of these patients.
fn belongs(resource: &Resource, ids: &[String]) -> bool {
    if resource.resource_type() == "Patient" {
        return ids.iter().any(|id| id == resource.id());
    }
    let about = |member| {
        let json = Json::parse(resource.raw(member)?).ok()?;
        let reference = json.opt("reference")?;
        let id = match reference.strip_prefix("Patient/") {
            Some(id) => id,
            None => reference.rsplit_once("/Patient/")?.1,
        };
        Some(id.split('/').next().unwrap_or(id).to_owned())
    };
    let patient = ["subject", "patient", "for", "beneficiary"].into_iter().find_map(about);
    patient.is_some_and(|patient| ids.contains(&patient))
}

/// Whether one was changed before the other, where the server says when.
fn is_older(one: &Resource, other: &Resource) -> bool {
    let at = |resource| last_updated(resource).and_then(|time| dates::parse_instant(&time));
    at(one).zip(at(other)).is_some_and(|(one, other)| one < other)
}

/// Whether versions that are numbers went down. Others have no order of their own: the time of the change tells
/// ([`is_older`]).
fn went_back(known: &str, now: &str) -> bool {
    match (known.parse::<u64>(), now.parse::<u64>()) {
        (Ok(known), Ok(now)) => now < known,
        _ => false,
    }
}

/// A little before a `Date` header, as an instant.
fn before(date: &str) -> Option<String> {
    let at = OffsetDateTime::from_unix_timestamp(parse_date(date)? / 1_000).ok()?;
    Some(instant(at - OVERLAP))
}

fn instant(at: OffsetDateTime) -> String {
    dates::instant(at.to_offset(UtcOffset::UTC))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_belongs_to_whom_it_is_about() {
        let of = |text: &str| Resource::from_text(text).expect("a resource");
        let ids = ["p".to_owned()];
        for ours in [
            r#"{"resourceType":"Observation","id":"a","subject":{"reference":"Patient/p"}}"#,
            r#"{"resourceType":"Consent","id":"a","patient":{"reference":"https://x.example/fhir/Patient/p/_history/1"}}"#,
            r#"{"resourceType":"Task","id":"a","for":{"reference":"Patient/p"}}"#,
            r#"{"resourceType":"Patient","id":"p"}"#,
        ] {
            assert!(belongs(&of(ours), &ids), "{ours}");
        }
        for other in [
            r#"{"resourceType":"Observation","id":"a","subject":{"reference":"Patient/q"}}"#,
            r#"{"resourceType":"Observation","id":"p"}"#,
            r#"{"resourceType":"Observation","id":"a","subject":{"reference":"Group/p"}}"#,
        ] {
            assert!(!belongs(&of(other), &ids), "{other}");
        }
    }

    #[test]
    fn a_reading_begins_before_the_last_one_began() {
        assert_eq!(before("Sun, 22 Nov 2026 14:00:00 GMT").as_deref(), Some("2026-11-22T13:55:00Z"));
        assert_eq!(before("yesterday"), None);
    }

    #[test]
    fn only_numbers_go_back() {
        assert!(went_back("3", "2") && !went_back("2", "3") && !went_back("b", "a") && !went_back("", "1"));
    }
}
