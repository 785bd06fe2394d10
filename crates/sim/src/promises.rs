//! What must hold after the healing, in words and in code. Each promise is one function; what breaks it is said in a
//! sentence.

use std::collections::{BTreeMap, BTreeSet};

use rabta_hie::envelopes::model::Held;
use rabta_store::{EntryState, RecordStore};
use rabta_sync::kept_apart;
use rabta_wire::Id;

use crate::{
    laptop::Laptop,
    story::{short, tell},
    time::at_once,
    world::{Saved, World},
};

/// What a world came to, besides what is wrong with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Envelopes of which people were told that they are saved.
    pub saved: u64,
    pub at_hie: u64,
    /// Refused by the HIE, or waiting for such a one: on the laptop, and shown.
    pub refused: u64,
    /// Taken by a lying disk, and named: the HIE saw a fork or a gap in that log.
    pub named: u64,
    /// Taken by a lying disk or a thief before anybody else had seen that it exists.
    pub unseen: u64,
    /// On a laptop of the facility, and waits for what a restored HIE lost and nobody has any more, or stands in a log of
    /// which there are two.
    pub stranded: u64,
}

struct Look {
    held: Vec<Held>,
    epoch: Id,
}

impl World {
    /// Checks all of them.
    pub fn check(&mut self) -> Tally {
        let hie = &self.around.hie;
        let look = Look { held: hie.look(|core| core.held()), epoch: hie.epoch() };
        let mut wrong = std::mem::take(&mut self.wrong);
        let tally = self.nothing_saved_is_lost(&look, &mut wrong);
        self.once_at_the_hie(&look, &mut wrong);
        self.everywhere_it_should_be(&look, &mut wrong);
        self.nowhere_else(&mut wrong);
        self.replicas_agree(&look, &mut wrong);
        self.every_edit_can_be_seen(&look, &mut wrong);
        self.refused_is_still_there(&look, &mut wrong);
        self.custody_is_true(&look, &mut wrong);
        self.numbers_are_given_once(&mut wrong);
        self.drafts_are_there(&mut wrong);
        self.copies_are_found_out(&mut wrong);
        self.wrong = wrong;
        tally
    }

    fn living(&self) -> impl Iterator<Item = (usize, &Laptop)> {
        self.laptops.iter().enumerate().filter(|(_, laptop)| !laptop.gone)
    }

    /// What a person was told is saved is at the HIE; or it is on its laptop, and shown as refused or as waiting for what
    /// was refused; or a lying disk or a thief took the only copy, and then the HIE names it if it could know.
    fn nothing_saved_is_lost(&self, look: &Look, wrong: &mut Vec<String>) -> Tally {
        let held: BTreeSet<Id> = look.held.iter().map(|h| h.header.id).collect();
        let mut blocked: Vec<BTreeSet<Id>> = Vec::new();
        for laptop in &self.laptops {
            blocked.push(held_back(laptop, self.saved.iter()));
        }
        let mut tally = Tally { saved: self.saved.len() as u64, ..Tally::default() };
        let mut lost: BTreeSet<Id> = BTreeSet::new();
        for saved in &self.saved {
            let name = format!(
                "{:?} {} of {}",
                saved.payload.kind,
                short(saved.id),
                self.laptops[saved.laptop].name
            );
            if held.contains(&saved.id) {
                tally.at_hie += 1;
                continue;
            }
            let holders: Vec<(usize, &Laptop)> = self
                .living()
                .filter(|(_, l)| !l.disk.is_evicted(saved.id) && l.entry(saved.id).is_some())
                .collect();
            if let Some((i, laptop)) = holders.first() {
                let needs = laptop.needs(saved.id);
                if blocked[*i].contains(&saved.id) {
                    tally.refused += 1;
                } else if needs.iter().any(|needed| lost.contains(needed)) {
                    tally.stranded += 1;
                    lost.insert(saved.id);
                } else {
                    wrong.push(format!("{name} is on its laptop only, and nobody is told why"));
                }
                continue;
            }
            lost.insert(saved.id);
            if !saved.taken {
                wrong.push(format!("{name} was saved and is lost"));
            } else if let Some((_, laptop)) = self.living().find(|(_, l)| l.has_received(saved.id)) {
                tally.stranded += 1;
                if let Some(offers) = self.should_offer(saved, &lost) {
                    wrong.push(format!("{name} is on {} only, and nobody offers it", offers.name));
                } else {
                    tell!(self.around.story, "{name} is stranded on {}", laptop.name);
                }
            } else if self.is_named(look, saved) {
                tally.named += 1;
            } else {
                tally.unseen += 1;
            }
        }
        tally
    }

    /// A laptop of the facility has what its author's has not any more, and the HIE would take it: all that it depends on is
    /// there, and nobody else writes in that device's name.
    fn should_offer(&self, saved: &Saved, lost: &BTreeSet<Id>) -> Option<&Laptop> {
        let facility = self.laptops[saved.laptop].facility;
        let (_, laptop) = self.living().find(|(_, l)| l.facility == facility && l.has_received(saved.id))?;
        let waits = laptop.needs(saved.id).iter().any(|needed| *needed != saved.id && lost.contains(needed));
        let forked = self.around.hie.look(|core| core.is_forked(saved.device));
        (!waits && !forked).then_some(laptop)
    }

    /// The HIE saw two histories of this log, or a later entry of it than the one that is gone.
    fn is_named(&self, look: &Look, saved: &Saved) -> bool {
        let later = |h: &Held| h.header.device == saved.device && h.header.seq > saved.seq;
        self.around.hie.look(|core| core.is_forked(saved.device)) || look.held.iter().any(later)
    }

    /// At the HIE an envelope is once, and so is each signed visit.
    fn once_at_the_hie(&self, look: &Look, wrong: &mut Vec<String>) {
        let (mut ids, mut places, mut visits) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for Held { header, .. } in &look.held {
            if !ids.insert(header.id) {
                wrong.push(format!("{} is at the HIE twice", short(header.id)));
            }
            if !places.insert((header.device, header.epoch, header.seq)) {
                wrong.push(format!("two envelopes stand at {} of one log", header.seq));
            }
            let documents = self.writes_of(header.id).filter(|(kind, _)| kind == "Composition");
            for (_, id) in documents {
                if !visits.insert(id.clone()) {
                    wrong.push(format!("the document of {} is at the HIE twice", short(header.id)));
                }
            }
        }
    }

    fn writes_of(&self, envelope: Id) -> impl Iterator<Item = &(String, String)> {
        self.writes.get(&envelope).into_iter().flat_map(|begun| begun.writes.iter())
    }

    /// Whose facility an envelope at the HIE belongs to: the asking clinic's for all of an ask.
    fn clinic(&self, held: &Held) -> Id {
        let asked_by = held.header.task.and_then(|task| self.asks.get(&task));
        asked_by.copied().unwrap_or(held.header.facility)
    }

    /// What the HIE has is on every laptop of the facility, and what belongs to an open ask on the laptop of whom it is
    /// with; nothing of it is kept apart.
    fn everywhere_it_should_be(&self, look: &Look, wrong: &mut Vec<String>) {
        for (_, laptop) in self.living() {
            let apart = at_once(kept_apart(&*laptop.store())).and_then(Result::ok).unwrap_or_default();
            if !apart.is_empty() {
                wrong.push(format!("{} keeps {} good envelopes apart", laptop.name, apart.len()));
            }
            for held in look.held.iter().filter(|h| !h.superseded) {
                let id = held.header.id;
                let with = held.header.task.is_some_and(|task| self.is_with(laptop, task));
                if (self.clinic(held) == laptop.facility || with)
                    && laptop.entry(id).is_none()
                    && !laptop.has_received(id)
                {
                    wrong.push(format!("{:?} {} is not on {}", held.header.kind, short(id), laptop.name));
                }
            }
            for ask in self.asks.keys().filter(|ask| self.is_with(laptop, **ask)) {
                let standing = self.around.hie.look(|core| core.standing(*ask));
                let patient = standing.map(|standing| standing.patient).unwrap_or_default();
                if laptop.resource("Patient", &patient).is_none() {
                    wrong.push(format!("{} has the ask {} and not its patient", laptop.name, short(*ask)));
                }
            }
        }
    }

    fn is_with(&self, laptop: &Laptop, ask: Id) -> bool {
        let standing = self.around.hie.look(|core| core.standing(ask));
        standing.is_some_and(|standing| standing.with.contains(&laptop.person))
    }

    /// A laptop has its facility's patients, and those about whom its person was asked.
    fn nowhere_else(&self, wrong: &mut Vec<String>) {
        for (id, begun) in &self.writes {
            let Some((facility, _)) = self.patients.get(&begun.patient) else { continue };
            for (_, laptop) in self.living() {
                let asked = laptop.specialist && self.asked.contains(&(laptop.person, begun.patient));
                if *facility != laptop.facility && !asked && laptop.has_received(*id) {
                    wrong.push(format!("{} must not be on {}", short(*id), laptop.name));
                }
            }
        }
    }

    /// The current version of each resource is the one that the HIE took last, on every laptop of the facility; where the
    /// laptop has a word of its own on it that is not at the HIE, that one is shown.
    fn replicas_agree(&self, look: &Look, wrong: &mut Vec<String>) {
        let mut last: BTreeMap<(&str, &str), (Id, Id)> = BTreeMap::new();
        for held in look.held.iter().filter(|h| !h.superseded) {
            for (kind, id) in self.writes_of(held.header.id) {
                last.insert((kind, id), (held.header.id, self.clinic(held)));
            }
        }
        for (_, laptop) in self.living() {
            let mut own: BTreeSet<&(String, String)> = BTreeSet::new();
            for saved in &self.saved {
                let state = laptop.entry(saved.id).map(|entry| entry.state);
                if matches!(state, Some(EntryState::Here | EntryState::Quarantined { .. })) {
                    own.extend(self.writes_of(saved.id));
                }
            }
            for ((kind, id), (envelope, clinic)) in &last {
                let key = ((*kind).to_owned(), (*id).to_owned());
                if *clinic != laptop.facility || own.contains(&key) {
                    continue;
                }
                let shown = match (*kind, id.parse::<Id>()) {
                    ("Task", Ok(ask)) => laptop.ask(ask).and_then(|ask| ask.moved_by),
                    _ => laptop.resource(kind, id).and_then(|resource| resource.envelope),
                };
                if shown != Some(*envelope) {
                    let shown = shown.map(short);
                    let last = short(*envelope);
                    wrong.push(format!(
                        "{} shows {kind} {id} as of {shown:?}, the HIE as of {last}",
                        laptop.name
                    ));
                }
            }
        }
    }

    /// Both sides of a conflict are in the patient's history, on every laptop of the facility; a signed document has one
    /// version.
    fn every_edit_can_be_seen(&self, look: &Look, wrong: &mut Vec<String>) {
        for (_, laptop) in self.living() {
            let mut histories: BTreeMap<&(String, String), Vec<Option<Id>>> = BTreeMap::new();
            for held in look.held.iter().filter(|h| !h.superseded && self.clinic(h) == laptop.facility) {
                for key in self.writes_of(held.header.id) {
                    let history = histories.entry(key).or_insert_with(|| {
                        laptop.history(&key.0, &key.1).into_iter().map(|version| version.envelope).collect()
                    });
                    let times = history.iter().filter(|envelope| **envelope == Some(held.header.id)).count();
                    if times != 1 {
                        let what = format!("{} {} of {}", key.0, key.1, short(held.header.id));
                        wrong.push(format!("{what} is {times} times in the history on {}", laptop.name));
                    }
                }
            }
        }
    }

    /// What was shown as refused is shown still, or was taken after all; and no move is refused because of what a restored
    /// HIE knows no more.
    fn refused_is_still_there(&self, look: &Look, wrong: &mut Vec<String>) {
        for (i, id) in self.refused.iter().filter(|(i, _)| !self.laptops[*i].gone) {
            let laptop = &self.laptops[*i];
            let kept = match laptop.entry(*id).map(|entry| entry.state) {
                Some(EntryState::Quarantined { code, .. }) => {
                    if code == "task-version" {
                        wrong.push(format!("{} is refused on {} for its version", short(*id), laptop.name));
                    }
                    true
                }
                _ => look.held.iter().any(|h| h.header.id == *id),
            };
            if !kept {
                wrong.push(format!(
                    "{} was refused, and {} does not show it any more",
                    short(*id),
                    laptop.name
                ));
            }
        }
    }

    /// "At the HIE" is said of what is there, in this life of it.
    fn custody_is_true(&self, look: &Look, wrong: &mut Vec<String>) {
        let held: BTreeSet<Id> = look.held.iter().map(|h| h.header.id).collect();
        for (_, laptop) in self.living() {
            for saved in self.saved.iter().filter(|s| !held.contains(&s.id)) {
                if let Some(EntryState::AtHie(_) | EntryState::Superseded { .. }) =
                    laptop.entry(saved.id).map(|entry| entry.state)
                {
                    wrong.push(format!("{} says that {} is at the HIE", laptop.name, short(saved.id)));
                }
            }
            let cursor = at_once(laptop.store().cursor()).and_then(Result::ok).flatten();
            if cursor.is_none_or(|cursor| cursor.epoch != look.epoch) {
                wrong.push(format!("{} does not know the HIE's epoch", laptop.name));
            }
        }
    }

    /// An MR number is one patient's; two copies of one device may give it twice until they are found out.
    fn numbers_are_given_once(&self, wrong: &mut Vec<String>) {
        let mut given: BTreeMap<&str, Vec<Id>> = BTreeMap::new();
        for (number, device) in &self.numbers {
            given.entry(number).or_default().push(*device);
        }
        for (number, devices) in given.into_iter().filter(|(_, devices)| devices.len() > 1) {
            let known = devices.iter().all(|device| self.cloned.contains(device) || self.has_lied(*device));
            if !known {
                wrong.push(format!("the number {number} is given to {} patients", devices.len()));
            }
        }
    }

    /// A disk that forgot a registration gives its number again.
    fn has_lied(&self, device: Id) -> bool {
        self.saved.iter().any(|saved| saved.device == device && saved.taken)
    }

    /// A draft that was said to be saved is there, in that revision or a later one.
    fn drafts_are_there(&self, wrong: &mut Vec<String>) {
        for (_, laptop) in self.living() {
            for (id, rev) in &laptop.drafts {
                let draft = at_once(laptop.store().draft(id)).and_then(Result::ok).flatten();
                if draft.is_none_or(|draft| draft.rev < *rev) {
                    wrong.push(format!("{id} on {} is not as it was saved", laptop.name));
                }
            }
        }
    }

    /// Two copies of a device that both went on are a fork at the HIE.
    fn copies_are_found_out(&self, wrong: &mut Vec<String>) {
        for device in &self.cloned {
            let copies = self.living().filter(|(_, laptop)| laptop.device == *device).count();
            if copies > 1 && !self.around.hie.look(|core| core.is_forked(*device)) {
                wrong.push(format!("two laptops are {}, and nobody knows", short(*device)));
            }
        }
    }
}

/// What is refused on a laptop, and what waits for it.
fn held_back<'a>(laptop: &Laptop, saved: impl Iterator<Item = &'a Saved>) -> BTreeSet<Id> {
    let mut held: BTreeSet<Id> = laptop.quarantined().iter().map(|entry| entry.id).collect();
    // In the order in which they were written, so what they depend on comes before.
    for one in saved.filter(|s| laptop.entry(s.id).is_some()) {
        if laptop.needs(one.id).iter().any(|needed| held.contains(needed)) {
            held.insert(one.id);
        }
    }
    held
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.saved += other.saved;
        self.at_hie += other.at_hie;
        self.refused += other.refused;
        self.named += other.named;
        self.unseen += other.unseen;
        self.stranded += other.stranded;
    }
}
