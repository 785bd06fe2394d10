//! A third person: asked about, rung, and introduced to the patient.
//!
//! Whoever is connected with a patient and with a colleague introduces the two to each other, over both data channels:
//! a fresh key, so that no router in between can put itself into their leg. Before that the patient is asked, and only
//! a yes brings the colleague anything of the patient.

use std::fmt;

use rabta_wire::{
    Id,
    data_channel::{Control, Meet},
    leg_key::LegKey,
    signal::{Address, Body, HangupWhy, Party, Signal},
};
use serde::{Deserialize, Serialize};

use crate::{
    CallSession, EndReason, EngineCommand, LegId, Millis,
    chat::Item,
    leg::{Leg, State, limits},
    link::Link,
};

/// Legs that a session holds open at once.
const MOST_OPEN: usize = 2;
/// A name and a role from the far side, in bytes.
const NAME_BYTES: usize = 200;

/// What somebody in a call is called, and their role.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Named {
    pub name: String,
    pub role: String,
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Named")
    }
}

/// Whom to bring into the call.
#[derive(Debug, Clone, PartialEq)]
pub struct Invitation {
    pub to: Address,
    /// The Task that their end of the call is about.
    pub ask: Option<Id>,
    /// A patient, by a link: whoever else is in the call waits for their yes.
    pub patient: bool,
}

/// Somebody about whom the patient was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// The question is on the patient's screen.
    Waiting,
    Yes,
    No,
    /// Nothing was pressed for as long as a ring lasts.
    Unanswered,
}

/// A question that is on its way, or was answered.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) item: u32,
    pub(crate) state: Asked,
    pub(crate) at: Millis,
    /// Is rung after a yes.
    pub(crate) invitation: Option<Invitation>,
}

/// At the patient's end: who wants to join.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) leg: LegId,
    pub(crate) item: u32,
    pub(crate) person: Id,
    pub(crate) named: Named,
}

impl CallSession {
    /// What a person is called; the host knows it from their certificate, or as the owner of the record.
    pub(crate) fn named(&mut self, person: Id, named: Named) {
        self.names.insert(person, named);
    }

    /// Brings one more person in: a colleague after the patient's yes, a patient at once.
    pub(crate) fn invite(&mut self, now: Millis, invitation: Invitation) {
        let person = invitation.to.person;
        let open: Vec<&Leg> = self.legs.values().filter(|leg| !leg.ended()).collect();
        let running = open.iter().any(|leg| leg.accepted());
        if !running || open.len() >= MOST_OPEN || open.iter().any(|leg| leg.person == person) {
            return;
        }
        let patient = open.iter().find(|leg| leg.accepted() && leg.is_patients()).map(|leg| leg.id);
        match patient.filter(|_| !invitation.patient) {
            Some(leg) if self.asked(leg, person) != Some(Asked::Yes) => {
                self.ask_about(now, leg, person, Some(invitation));
            }
            _ => {
                self.add_outgoing(now, &invitation);
            }
        }
    }

    fn asked(&self, patient: LegId, person: Id) -> Option<Asked> {
        self.legs.get(&patient)?.asked.get(&person).map(|question| question.state)
    }

    fn ask_about(&mut self, now: Millis, patient: LegId, person: Id, invitation: Option<Invitation>) {
        let named = self.names.get(&person).cloned().unwrap_or_default();
        let item = self.fresh_item();
        let Some(leg) = self.legs.get_mut(&patient) else { return };
        let words = Control::MayJoin { id: item, person, name: named.name, role: named.role };
        leg.exchange.queue(item, Item::Word(words));
        leg.asked.insert(person, Question { item, state: Asked::Waiting, at: now, invitation });
    }

    /// The patient said yes or no.
    pub(crate) fn answered(&mut self, now: Millis, patient: LegId, about: u32, yes: bool) {
        let Some(leg) = self.legs.get_mut(&patient) else { return };
        let Some(question) = leg.asked.values_mut().find(|question| question.item == about) else { return };
        let late = question.state == Asked::Unanswered;
        question.state = if yes { Asked::Yes } else { Asked::No };
        if let Some(invitation) = question.invitation.take().filter(|_| yes && !late) {
            self.add_outgoing(now, &invitation);
        }
    }

    /// What questions and answers lead to; with every input, since each may be the one that was waited for.
    pub(crate) fn introduce(&mut self, now: Millis) {
        let both = |patient: bool| {
            let ours = move |leg: &&Leg| leg.accepted() && leg.key.is_none() && leg.patient == patient;
            self.legs.values().filter(ours).map(|leg| (leg.id, leg.person)).collect::<Vec<_>>()
        };
        let (patients, others) = (both(true), both(false));
        for (patient, _) in patients {
            if let Some(leg) = self.legs.get_mut(&patient) {
                for question in leg.asked.values_mut() {
                    if question.invitation.is_some() && now >= question.at + limits::RING {
                        (question.state, question.invitation) = (Asked::Unanswered, None);
                    }
                }
            }
            for (other, person) in &others {
                match self.asked(patient, *person) {
                    None => self.ask_about(now, patient, *person, None),
                    Some(Asked::No) => {
                        self.hang_up(now, *other, HangupWhy::NotWanted, EndReason::NotWanted);
                    }
                    Some(Asked::Yes) if self.introduced.insert((patient, *other)) => {
                        let leg = self.legs.get_mut(&patient);
                        if !leg.is_some_and(|leg| leg.already.remove(person)) {
                            self.meet_each_other(patient, *other);
                        }
                    }
                    Some(_) => {}
                }
            }
        }
    }

    /// When [`CallSession::introduce`] has something to do though nothing comes.
    pub(crate) fn question_due(&self) -> Option<Millis> {
        let asked = self.legs.values().filter(|leg| leg.accepted()).flat_map(|leg| leg.asked.values());
        asked.filter(|question| question.invitation.is_some()).map(|q| q.at + limits::RING).min()
    }

    /// Gives both the same fresh key. The patient answers offers, and hears of it first: an offer to a page that does
    /// not expect one is lost.
    fn meet_each_other(&mut self, patient: LegId, other: LegId) {
        let (Some(p), Some(o)) = (self.legs.get(&patient), self.legs.get(&other)) else { return };
        let (Some(patients), Some(others)) = (p.party(), o.party()) else { return };
        self.keys += 1;
        let key = self.seed.derive(self.keys);
        let (inst, peer_inst) = (key.number(1), key.number(2));
        let called = |person: Id| self.names.get(&person).cloned().unwrap_or_default();
        let meet = |peer: Party, inst, peer_inst, offers| {
            let Named { name, role } = called(peer.person);
            Meet { peer, inst, peer_inst, offers, key: key.text(), name, role }
        };
        let (to_patient, to_other) =
            (meet(others, inst, peer_inst, false), meet(patients, peer_inst, inst, true));
        let (first, second) = (self.fresh_item(), self.fresh_item());
        self.second_meet.insert(first, (other, Control::Meet { id: second, meet: to_other }));
        if let Some(leg) = self.legs.get_mut(&patient) {
            leg.exchange.queue(first, Item::Word(Control::Meet { id: first, meet: to_patient }));
        }
    }

    /// The patient's program has the key: now the other one gets it, and offers.
    pub(crate) fn first_has_met(&mut self, item: u32) {
        let Some((leg, words)) = self.second_meet.remove(&item) else { return };
        let Control::Meet { id, .. } = &words else { return };
        if let Some(leg) = self.legs.get_mut(&leg).filter(|leg| leg.accepted()) {
            leg.exchange.queue(*id, Item::Word(words));
        }
    }

    /// At the patient's end: the doctor asks whether somebody may join.
    pub(crate) fn may_join(&mut self, leg: LegId, item: u32, person: Id, named: Named) {
        let own = self.legs.get(&leg).is_some_and(|leg| leg.key.is_none());
        if self.patient && own && short(&named) {
            self.wanted = Some(Wanted { leg, item, person, named });
            // Said once is enough for as long as they are here.
            if self.agreed.contains(&person) && self.with_us().any(|there| there == person) {
                self.answer(true);
            }
        }
    }

    /// Who is connected with us by an introduction.
    fn with_us(&self) -> impl Iterator<Item = Id> {
        self.legs.values().filter(|leg| leg.key.is_some() && leg.accepted() && leg.up).map(|leg| leg.person)
    }

    /// The patient's page says who is with them since before we came back; that is their yes, too.
    pub(crate) fn is_here_already(&mut self, now: Millis, patient: LegId, person: Id) {
        let Some(leg) = self.legs.get_mut(&patient).filter(|leg| leg.is_patients()) else { return };
        if leg.already.len() < MOST_OPEN && person != self.me.person {
            leg.already.insert(person);
            leg.asked.insert(person, Question { item: 0, state: Asked::Yes, at: now, invitation: None });
        }
    }

    pub(crate) fn here_already(&self) -> Vec<Id> {
        let open = |person: &Id| self.legs.values().any(|leg| leg.person == *person && !leg.ended());
        let patients = self.legs.values().filter(|leg| leg.accepted());
        patients.flat_map(|leg| leg.already.iter().copied()).filter(|person| !open(person)).collect()
    }

    /// The patient pressed an answer.
    pub(crate) fn answer(&mut self, yes: bool) {
        let Some(Wanted { leg, item, person, .. }) = self.wanted.take() else { return };
        if yes {
            self.agreed.insert(person);
        } else {
            self.agreed.remove(&person);
        }
        let id = self.fresh_item();
        if let Some(leg) = self.legs.get_mut(&leg) {
            leg.exchange.queue(id, Item::Word(Control::Answer { id, about: item, yes }));
        }
    }

    /// Connects with somebody to whom we were introduced on leg `via`. Only by who called us or whom we called: nobody
    /// who was introduced introduces others.
    pub(crate) fn met(&mut self, now: Millis, via: LegId, meet: Meet) {
        let person = meet.peer.person;
        let named = Named { name: meet.name, role: meet.role };
        let Some(key) = LegKey::from_text(&meet.key) else { return };
        let own = self.legs.get(&via).is_some_and(|leg| leg.key.is_none());
        let agreed = !self.patient || self.agreed.contains(&person);
        if !own || !agreed || person == self.me.person || !short(&named) || meet.inst == 0 {
            return;
        }
        let open = |leg: &&Leg| !leg.ended();
        let own_legs = self.legs.values().filter(open).filter(|leg| leg.key.is_none());
        if own_legs.clone().count() >= MOST_OPEN || own_legs.clone().any(|leg| leg.person == person) {
            return;
        }
        let before: Vec<LegId> =
            self.legs.values().filter(open).filter(|leg| leg.key.is_some()).map(|leg| leg.id).collect();
        let id = self.fresh_leg();
        let mut leg = Leg::new(id, meet.inst, person, meet.offers, now);
        leg.link = Some(Link::new(meet.inst, meet.peer, meet.peer_inst));
        leg.key = Some(key);
        self.legs.insert(id, leg);
        self.names.insert(person, named);
        let ice_servers = self.ice_servers.clone();
        self.command(EngineCommand::OpenLeg { leg: id, offers: meet.offers, ice_servers });
        self.accepted(now, id);
        // The page began anew, or another person came: the leg of before leads nowhere.
        for leg in before {
            self.end(now, leg, EndReason::Elsewhere);
        }
    }

    /// Calls again who was in the call and began anew; the call itself goes on.
    pub(crate) fn redial(&mut self, now: Millis, id: LegId) {
        let Some(old) = self.legs.get(&id).filter(|leg| leg.outgoing && leg.key.is_none()) else { return };
        let lost = matches!(old.state, State::Ended(EndReason::LinkLost | EndReason::NotConnected));
        let newest = self.legs.values().filter(|leg| leg.person == old.person).map(|leg| leg.id).max();
        if newest != Some(id) || self.engine_closed || !(old.accepted() || lost) {
            return;
        }
        let to = Address { person: old.person, device: None };
        let invitation = Invitation { to, ask: old.ask, patient: old.patient };
        self.add_outgoing(now, &invitation);
        self.end(now, id, EndReason::Elsewhere);
    }

    /// The newest leg to a person, for [`crate::Intent::CallAgain`].
    pub(crate) fn call_again(&mut self, now: Millis, person: Id) {
        let newest = self.legs.values().filter(|leg| leg.person == person).map(|leg| leg.id).max();
        if let Some(id) = newest {
            self.redial(now, id);
        }
    }

    /// A page that was reloaded says that it was here.
    pub(crate) fn rejoins(&mut self, now: Millis, from: Party, inst: u32) {
        let same = |leg: &&Leg| leg.party() == Some(from);
        let Some(leg) = self.legs.values().filter(same).max_by_key(|leg| leg.id) else { return };
        if leg.link.as_ref().is_some_and(|link| link.peer_inst != inst) {
            self.redial(now, leg.id);
        }
    }

    /// Somebody who was in this call calls back into it: they lost us, had left, or their program began anew and we still
    /// look for the one of before.
    pub(crate) fn rung_again(&mut self, now: Millis, from: Party, body: &Body) {
        let Signal::Ring { round, .. } = body.msg else { return };
        let before: Vec<&Leg> =
            self.legs.values().filter(|leg| leg.person == from.person && leg.key.is_none()).collect();
        let running = self.legs.values().any(Leg::accepted);
        // Whom we call ourselves has our ring.
        let left = |leg: &&Leg| (leg.ended() || leg.accepted() && !leg.outgoing) && leg.round < round;
        if !running || before.is_empty() || !before.iter().all(left) {
            return;
        }
        let old: Vec<LegId> = before.iter().filter(|leg| !leg.ended()).map(|leg| leg.id).collect();
        let (id, inst) = (self.fresh_leg(), self.fresh_inst());
        let mut leg = Leg::new(id, inst, from.person, false, now);
        leg.round = round;
        leg.link = Some(Link::new(inst, from, body.inst));
        leg.send(now, Signal::Ringing);
        leg.send(now, Signal::Accept);
        self.legs.insert(id, leg);
        let ice_servers = self.ice_servers.clone();
        self.command(EngineCommand::OpenLeg { leg: id, offers: false, ice_servers });
        self.accepted(now, id);
        for leg in old {
            self.end(now, leg, EndReason::Elsewhere);
        }
        if self.patient {
            self.say_agreed(id);
            self.say_who_is_here(id);
        }
    }

    /// To who called: what the patient agreed to.
    pub(crate) fn say_agreed(&mut self, to: LegId) {
        let Some(video) = self.agreed_to.filter(|_| self.patient) else { return };
        let id = self.fresh_item();
        if let Some(leg) = self.legs.get_mut(&to) {
            leg.exchange.queue(id, Item::Word(Control::Agreed { id, video }));
        }
    }

    /// To who came back.
    fn say_who_is_here(&mut self, to: LegId) {
        for person in self.with_us().collect::<Vec<_>>() {
            let item = self.fresh_item();
            if let Some(leg) = self.legs.get_mut(&to) {
                leg.exchange.queue(item, Item::Word(Control::Here { id: item, person }));
            }
        }
    }
}

fn short(named: &Named) -> bool {
    named.name.len() <= NAME_BYTES && named.role.len() <= NAME_BYTES
}
