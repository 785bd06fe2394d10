//! What people do: register, visit, correct, edit, ask, answer, move. What they see is what is on their own laptop.

use rabta_domain::ask::{Party, State};
use rabta_store::{NewEnvelope, RecordStore, Resource};
use rabta_wire::{Id, envelope::Kind};

use crate::{
    payload::{self, Payload},
    story::{short, tell},
    time::at_once,
    world::{Begun, Saved, World},
};

impl World {
    /// One act of one person whose laptop is on.
    pub fn somebody_acts(&mut self) {
        let on: Vec<usize> = (0..self.laptops.len()).filter(|i| self.laptops[*i].running.is_some()).collect();
        let drawn = self.people.below(100);
        let Some(i) = self.people.pick(&on).copied() else { return };
        if self.laptops[i].specialist && drawn < 70 {
            return self.move_an_ask(i);
        }
        match drawn {
            0..20 => self.register(i),
            20..45 => self.visit(i),
            45..52 => self.correct(i),
            52..64 => self.edit(i),
            64..72 => self.consent(i),
            72..84 => self.ask(i),
            84..92 => self.move_an_ask(i),
            92..95 => self.try_again(i),
            _ => self.draft(i),
        }
    }

    /// A visit of anybody: after the healing, so that a history written twice shows.
    pub(crate) fn last_visit(&mut self, i: usize) {
        self.register(i);
        self.visit(i);
    }

    /// Appends an envelope; whether its person was told that it is saved.
    fn write(&mut self, i: usize, envelope: NewEnvelope, payload: Payload) -> bool {
        let (id, patient) = (envelope.id, envelope.patient.unwrap_or_default());
        let laptop = &self.laptops[i];
        self.writes.insert(id, Begun { patient, writes: payload.writes.clone() });
        let what = format!("{}: {:?} {} of {}", laptop.name, payload.kind, short(id), short(patient));
        match laptop.append(envelope) {
            None => tell!(self.around.story, "{what}: died before it said so"),
            Some(Err(error)) => tell!(self.around.story, "{what}: not saved, {error}"),
            Some(Ok(())) => {
                let seq = laptop.entry(id).map_or(0, |entry| entry.seq);
                tell!(self.around.story, "{what}: saved at {seq}");
                let device = laptop.device;
                let saved = Saved { id, laptop: i, device, seq, patient, payload, taken: false };
                self.saved.push(saved);
                return true;
            }
        }
        false
    }

    /// One of the facility's patients on this laptop.
    fn somebody(&self, i: usize) -> Option<(Id, Resource)> {
        let laptop = &self.laptops[i];
        let ours: Vec<(Id, Resource)> = laptop
            .all("Patient")
            .into_iter()
            .filter_map(|resource| Some((resource.id.parse::<Id>().ok()?, resource)))
            .filter(|(id, _)| self.patients.get(id).is_some_and(|(facility, _)| *facility == laptop.facility))
            .collect();
        self.people.pick(&ours).cloned()
    }

    fn register(&mut self, i: usize) {
        let Some(number) = at_once(self.laptops[i].disk.next_mr()) else { return };
        let number = match number {
            Ok(number) => number.text.0,
            Err(error) => return tell!(self.around.story, "{}: no number, {error}", self.laptops[i].name),
        };
        let (id, patient) = (self.people.id(), self.people.id());
        let payload = payload::patient(&self.people, patient, "Ayesha", &number);
        let laptop = &self.laptops[i];
        self.patients.insert(patient, (laptop.facility, number.clone()));
        let (device, envelope) = (laptop.device, laptop.envelope(id, patient, None, &payload));
        if self.write(i, envelope, payload) {
            self.numbers.push((number, device));
        }
    }

    fn visit(&mut self, i: usize) {
        let Some((patient, resource)) = self.somebody(i) else { return self.register(i) };
        let payload = payload::visit(&self.people, patient, None);
        let mut envelope = self.laptops[i].envelope(self.people.id(), patient, None, &payload);
        envelope.depends.extend(resource.envelope);
        self.write(i, envelope, payload);
    }

    fn correct(&mut self, i: usize) {
        let Some((patient, resource)) = self.somebody(i) else { return };
        let of = |kind| {
            at_once(self.laptops[i].store().of_patient(&patient.to_string(), kind, None, 50))
                .and_then(Result::ok)
                .unwrap_or_default()
        };
        let observations = of("Observation");
        let Some(observed) = self.people.pick(&observations).cloned() else { return };
        let written_with = |composition: &&Resource| composition.envelope == observed.envelope;
        let compositions = of("Composition");
        let Some(before) = compositions.iter().find(written_with) else { return };
        let payload = payload::visit(&self.people, patient, Some((&before.id, &observed.id)));
        let mut envelope = self.laptops[i].envelope(self.people.id(), patient, None, &payload);
        envelope.depends.extend(resource.envelope);
        envelope.depends.extend(before.envelope);
        self.write(i, envelope, payload);
    }

    fn edit(&mut self, i: usize) {
        let Some((patient, resource)) = self.somebody(i) else { return };
        let Some((_, number)) = self.patients.get(&patient) else { return };
        let name = format!("Ayesha {}", self.people.below(1_000));
        let payload = payload::patient(&self.people, patient, &name, number);
        let mut envelope = self.laptops[i].envelope(self.people.id(), patient, None, &payload);
        envelope.depends.extend(resource.envelope);
        self.write(i, envelope, payload);
    }

    fn consent(&mut self, i: usize) {
        let Some((patient, resource)) = self.somebody(i) else { return };
        let payload = payload::consent(&self.people, patient, true);
        let mut envelope = self.laptops[i].envelope(self.people.id(), patient, None, &payload);
        envelope.depends.extend(resource.envelope);
        self.write(i, envelope, payload);
    }

    /// Asks a specialist; now and then without the patient's consent, which the HIE refuses.
    fn ask(&mut self, i: usize) {
        let Some((patient, resource)) = self.somebody(i) else { return };
        let specialists: Vec<Id> =
            self.laptops.iter().filter(|l| l.specialist && !l.gone).map(|l| l.person).collect();
        let Some(owner) = self.people.pick(&specialists).copied() else { return };
        let consents = at_once(self.laptops[i].store().of_patient(&patient.to_string(), "Consent", None, 10));
        let consent = consents.and_then(Result::ok).unwrap_or_default().into_iter().next();
        if consent.is_none() && self.people.falls(600) {
            return self.consent(i);
        }
        let (id, ask) = (self.people.id(), self.people.id());
        let payload = payload::note(&self.people, ask, patient, owner);
        let laptop = &self.laptops[i];
        let mut envelope = laptop.envelope(id, patient, Some(ask), &payload);
        envelope.depends.extend(resource.envelope);
        envelope.depends.extend(consent.and_then(|consent| consent.envelope));
        self.asks.insert(ask, laptop.facility);
        self.asked.insert((owner, patient));
        self.write(i, envelope, payload);
    }

    /// Moves an open ask by the table, as the side on which the laptop's person is.
    fn move_an_ask(&mut self, i: usize) {
        let laptop = &self.laptops[i];
        let open = at_once(laptop.store().open("Task", None, 100)).and_then(Result::ok).unwrap_or_default();
        let open: Vec<Id> = open.iter().filter_map(|task| task.id.parse().ok()).collect();
        let Some(ask) = self.people.pick(&open).and_then(|id| laptop.ask(*id)) else { return };
        let asked_by = self.asks.get(&ask.id).copied();
        let Some(party) = laptop.party(&ask, asked_by) else { return };
        let Some(to) = self.people.pick(ask.state.moves(party)).copied() else { return };
        let others: Vec<Id> = self
            .laptops
            .iter()
            .filter(|l| l.specialist && !l.gone && l.person != ask.owner)
            .map(|l| l.person)
            .collect();
        let owner = match (to, party) {
            (State::PassedOn, _) => match self.people.pick(&others) {
                Some(other) => *other,
                None => return,
            },
            (State::Requested, Party::Requester) => *self.people.pick(&others).unwrap_or(&ask.owner),
            _ => ask.owner,
        };
        let patient = ask.patient;
        let mut after = None;
        if to == State::Answered {
            let payload = payload::advice(&self.people, patient);
            let id = self.people.id();
            let mut envelope = self.laptops[i].envelope(id, patient, Some(ask.id), &payload);
            envelope.depends.extend(ask.moved_by);
            if !self.write(i, envelope, payload) {
                return;
            }
            after = Some(id);
        }
        let payload = payload::task_move(&self.people, ask.id, patient, to, owner);
        let mut envelope = self.laptops[i].envelope(self.people.id(), patient, Some(ask.id), &payload);
        envelope.base_version = Some(ask.version);
        envelope.depends.extend(ask.moved_by);
        envelope.depends.extend(after);
        self.asked.insert((owner, patient));
        self.write(i, envelope, payload);
    }

    /// Somebody presses "try again" at what was refused.
    fn try_again(&mut self, i: usize) {
        let refused = self.laptops[i].quarantined();
        let Some(entry) = self.people.pick(&refused) else { return };
        let (id, story) = (entry.id, self.around.story.clone());
        if let Some(Ok(())) = at_once(self.laptops[i].disk.requeue(id)) {
            tell!(story, "{}: {} is to be offered again", self.laptops[i].name, short(id));
            self.refused.remove(&(i, id));
        }
    }

    fn draft(&mut self, i: usize) {
        let id = format!("draft-{}", self.people.below(3));
        let body = format!("{{\"words\":{}}}", self.people.below(1_000));
        let laptop = &mut self.laptops[i];
        if let Some(Ok(rev)) = laptop.save_draft(&id, body.into_bytes()) {
            laptop.drafts.retain(|(known, _)| *known != id);
            laptop.drafts.push((id, rev));
        }
    }

    /// Known-bad: a visit whose push had no answer is written again, as a new envelope.
    pub(crate) fn push_anew(&mut self, i: usize) {
        let doubtful = std::mem::take(
            &mut *self.laptops[i].doubtful.lock().unwrap_or_else(std::sync::PoisonError::into_inner),
        );
        for id in doubtful {
            let known = self.saved.iter().find(|s| s.id == id && s.payload.kind == Kind::Visit);
            let Some((patient, payload)) = known.map(|s| (s.patient, s.payload.clone())) else { continue };
            let mut envelope = self.laptops[i].envelope(self.people.id(), patient, None, &payload);
            let resource = self.laptops[i].resource("Patient", &patient.to_string());
            envelope.depends.extend(resource.and_then(|resource| resource.envelope));
            self.write(i, envelope, payload);
        }
    }
}
