use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Mutex,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rabta_wire::{
    Id,
    signal::{Address, FRAMES_PER_TEN_SECONDS, Party, Refusal, Routed, ServerFrame, VERSION, encode},
};
use tokio::sync::mpsc;

use super::bus::{LocalBus, RoomBus};
use crate::db::settings::random;

/// How long frames for a lost socket, and rings for somebody who is not here, are kept.
const KEPT_MS: i64 = 60_000;
/// A room that nobody is in is forgotten after this.
const ROOM_MS: i64 = 3_600_000;

/// Rooms and presence, on a bus.
pub struct Hub {
    bus: Box<dyn RoomBus>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    rooms: HashMap<Id, Room>,
    /// Each party's newest session and, while it has no socket, what came for it.
    sessions: HashMap<Party, Session>,
    rings: VecDeque<Ring>,
}

#[derive(Default)]
struct Room {
    /// Who may speak here.
    persons: BTreeSet<Id>,
    /// Who made the link of the patient who is here, and that patient's guest: nobody else brings anybody in.
    host: Option<(Id, Id)>,
    present: BTreeSet<Party>,
    used_at: i64,
}

struct Session {
    id: String,
    lost_at: Option<i64>,
    held: VecDeque<(i64, String)>,
}

struct Ring {
    at: i64,
    call: Id,
    to: Address,
    frame: String,
}

/// A socket that said hello.
pub struct Joined {
    pub socket: u64,
    pub session: String,
    /// What was kept for it, in order.
    pub kept: Vec<String>,
}

impl Default for Hub {
    fn default() -> Self {
        Self::new(Box::new(LocalBus::default()))
    }
}

impl Hub {
    pub fn new(bus: Box<dyn RoomBus>) -> Self {
        Self { bus, state: Mutex::default() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Sockets that said hello.
    pub fn connected(&self) -> usize {
        self.bus.sockets()
    }

    /// Whether anybody whom `who` names is connected.
    pub fn is_here(&self, who: Address) -> bool {
        self.bus.is_here(who)
    }

    /// `party` said hello; with the session of a socket that it lost within the last minute it takes its place.
    pub fn join(&self, party: Party, sender: mpsc::Sender<String>, resume: Option<&str>, now: i64) -> Joined {
        let mut state = self.lock();
        let session = URL_SAFE_NO_PAD.encode(random::<12>());
        let mut kept = Vec::new();
        // A tab that was closed never comes back under its id.
        state.sessions.retain(|_, session| session.lost_at.is_none_or(|at| now - at <= ROOM_MS));
        let mut was_lost = true;
        if let Some(old) = state.sessions.remove(&party) {
            was_lost = old.lost_at.is_some_and(|at| now - at > KEPT_MS);
            if resume == Some(old.id.as_str()) {
                kept.extend(
                    old.held.into_iter().filter(|(at, _)| now - at <= KEPT_MS).map(|(_, frame)| frame),
                );
            }
        }
        state.rings.retain(|ring| now - ring.at <= KEPT_MS);
        let rung = state
            .rings
            .iter()
            .filter(|r| r.to.person == party.person && r.to.device.is_none_or(|d| d == party.device));
        kept.extend(rung.map(|r| r.frame.clone()));
        state.sessions.insert(party, Session { id: session.clone(), lost_at: None, held: VecDeque::new() });
        let socket = self.bus.join(party, sender);
        if was_lost {
            self.tell_presence(&state, party, true);
        }
        Joined { socket, session, kept }
    }

    /// The socket is gone. Presence is told by [`Hub::still_lost`], so that a quick return does not flicker.
    pub fn lost(&self, socket: u64, party: Party, now: i64) {
        self.bus.leave(socket);
        if !self.bus.is_here(party.into())
            && let Some(session) = self.lock().sessions.get_mut(&party)
        {
            session.lost_at = Some(now);
        }
    }

    /// Some seconds after [`Hub::lost`]: if the party did not come back, its rooms are told.
    pub fn still_lost(&self, party: Party) {
        let state = self.lock();
        if state.sessions.get(&party).is_some_and(|s| s.lost_at.is_some()) && !self.bus.is_here(party.into())
        {
            self.tell_presence(&state, party, false);
        }
    }

    fn tell_presence(&self, state: &State, party: Party, here: bool) {
        for (call, room) in &state.rooms {
            if room.present.contains(&party) {
                let frame = encode(&ServerFrame::<Routed>::Presence { v: VERSION, call: *call, party, here });
                for other in room.present.iter().filter(|p| **p != party) {
                    self.bus.publish((*other).into(), &frame);
                }
            }
        }
    }

    /// Whose patient is in the call's room, if one is.
    pub fn host(&self, call: Id) -> Option<Id> {
        self.lock().rooms.get(&call)?.host.map(|(owner, _)| owner)
    }

    /// Opens the call's room and rings `to`; whether they may call each other was asked before. `patient`: `to` is the
    /// guest of a link that `from` made. In a room with a patient only whoever made the link rings anybody else.
    pub fn ring(
        &self,
        from: Party,
        call: Id,
        to: Address,
        patient: bool,
        body: Routed,
        now: i64,
    ) -> Result<(), Refusal> {
        let mut state = self.lock();
        state.rooms.retain(|_, room| now - room.used_at <= ROOM_MS);
        let room = state.rooms.entry(call).or_default();
        // Who made the patient's link left, and comes back to the others.
        let hosts = room.host.is_some_and(|(owner, _)| owner == from.person);
        if !room.persons.is_empty() && !room.persons.contains(&from.person) && !hosts {
            return Err(Refusal::NotAllowed);
        }
        let new = !room.persons.contains(&to.person);
        let may_not = |(owner, guest)| owner != from.person || patient && guest != to.person;
        if new && room.host.is_some_and(may_not) {
            return Err(Refusal::NotAllowed);
        }
        if patient {
            room.host = Some((from.person, to.person));
        }
        room.persons.extend([from.person, to.person]);
        room.present.insert(from);
        room.used_at = now;
        let frame = encode(&ServerFrame::From { v: VERSION, call, from, body });
        state.rings.retain(|r| now - r.at <= KEPT_MS && !(r.call == call && r.to == to));
        let got = self.bus.publish(to, &frame);
        if got.is_empty() {
            if state.rings.len() >= 1000 {
                state.rings.pop_front();
            }
            state.rings.push_back(Ring { at: now, call, to, frame });
            return Err(Refusal::NotHere);
        }
        Ok(())
    }

    /// Carries a frame between two members of a room.
    pub fn carry(&self, from: Party, call: Id, to: Address, body: Routed, now: i64) -> Result<(), Refusal> {
        let mut state = self.lock();
        let room = state.rooms.get_mut(&call).ok_or(Refusal::NotAllowed)?;
        if !room.persons.contains(&from.person) || !room.persons.contains(&to.person) {
            return Err(Refusal::NotAllowed);
        }
        room.present.insert(from);
        room.used_at = now;
        let frame = encode(&ServerFrame::From { v: VERSION, call, from, body });
        if !self.bus.publish(to, &frame).is_empty() {
            return Ok(());
        }
        // A socket that was lost a moment ago gets it when it resumes.
        let waiting = state.sessions.iter_mut().find(|(party, session)| {
            party.person == to.person
                && to.device.is_none_or(|d| d == party.device)
                && session.lost_at.is_some_and(|at| now - at <= KEPT_MS)
        });
        match waiting {
            Some((_, session)) => {
                if session.held.len() >= FRAMES_PER_TEN_SECONDS {
                    session.held.pop_front();
                }
                session.held.push_back((now, frame));
                Ok(())
            }
            None => Err(Refusal::NotHere),
        }
    }

    /// `party` leaves the room; the last one to leave closes it.
    pub fn leave_room(&self, party: Party, call: Id) {
        let mut state = self.lock();
        state.rings.retain(|r| r.call != call);
        if let Some(room) = state.rooms.get_mut(&call) {
            room.present.remove(&party);
            // Who left speaks here again when they are rung again.
            if room.present.iter().all(|other| other.person != party.person) {
                room.persons.remove(&party.person);
            }
            if room.present.is_empty() {
                state.rooms.remove(&call);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(n: u8) -> Party {
        Party { person: Id([n; 16]), device: Id([n + 100; 16]) }
    }

    fn body() -> Routed {
        serde_json::value::RawValue::from_string("{}".into()).unwrap()
    }

    #[test]
    fn only_who_was_rung_speaks_in_a_room() {
        let hub = Hub::default();
        let (sender, mut to_b) = mpsc::channel(8);
        hub.join(party(2), sender, None, 0);
        let call = Id([9; 16]);
        assert_eq!(hub.carry(party(1), call, party(2).into(), body(), 0), Err(Refusal::NotAllowed));
        assert_eq!(
            hub.ring(party(1), call, Address { person: party(2).person, device: None }, false, body(), 0),
            Ok(())
        );
        assert!(to_b.try_recv().unwrap().contains("\"from\""));
        assert_eq!(hub.carry(party(3), call, party(2).into(), body(), 0), Err(Refusal::NotAllowed));
        assert_eq!(hub.ring(party(3), call, party(2).into(), false, body(), 0), Err(Refusal::NotAllowed));
        assert_eq!(hub.carry(party(1), call, party(2).into(), body(), 0), Ok(()));
    }

    #[test]
    fn only_who_made_the_patients_link_brings_others_in() {
        let hub = Hub::default();
        let senders: Vec<_> = (1..6).map(|n| (n, mpsc::channel(8))).collect();
        for (n, (sender, _)) in &senders {
            hub.join(party(*n), sender.clone(), None, 0);
        }
        let call = Id([9; 16]);
        let ring = |from, to, patient| hub.ring(party(from), call, party(to).into(), patient, body(), 0);
        assert_eq!(ring(1, 2, true), Ok(()));
        assert_eq!(hub.host(call), Some(party(1).person));
        assert_eq!(hub.carry(party(3), call, party(2).into(), body(), 0), Err(Refusal::NotAllowed));
        assert_eq!(ring(1, 3, false), Ok(()));
        assert_eq!(hub.carry(party(3), call, party(2).into(), body(), 0), Ok(()), "they may meet");
        assert_eq!(ring(3, 4, false), Err(Refusal::NotAllowed), "a guest of the call brings nobody");
        assert_eq!(ring(1, 5, true), Err(Refusal::NotAllowed), "a second patient");
        assert_eq!(ring(1, 3, false), Ok(()), "again");
        hub.leave_room(party(3), call);
        assert_eq!(hub.carry(party(3), call, party(2).into(), body(), 0), Err(Refusal::NotAllowed), "left");
        hub.leave_room(party(2), call);
        assert_eq!(ring(1, 2, true), Ok(()), "the same patient comes back");
        assert_eq!(ring(1, 3, false), Ok(()));
        assert_eq!(hub.carry(party(3), call, party(2).into(), body(), 0), Ok(()));
        hub.leave_room(party(1), call);
        assert_eq!(ring(4, 2, false), Err(Refusal::NotAllowed), "a stranger does not take the host's place");
        assert_eq!(hub.carry(party(1), call, party(2).into(), body(), 0), Err(Refusal::NotAllowed), "left");
        assert_eq!(ring(1, 2, true), Ok(()), "the host comes back to the two who go on");
        assert_eq!(hub.carry(party(1), call, party(3).into(), body(), 0), Ok(()));
    }

    #[test]
    fn a_ring_waits_a_minute_for_somebody_who_is_not_here() {
        let hub = Hub::default();
        let to = Address { person: party(2).person, device: None };
        assert_eq!(hub.ring(party(1), Id([9; 16]), to, false, body(), 0), Err(Refusal::NotHere));
        let (sender, _keep) = mpsc::channel(8);
        assert_eq!(hub.join(party(2), sender.clone(), None, 59_000).kept.len(), 1);
        assert_eq!(hub.join(party(2), sender, None, 61_000).kept.len(), 0);
    }

    #[test]
    fn a_lost_socket_gets_what_came_meanwhile_when_it_resumes() {
        let hub = Hub::default();
        let (sender, mut to_b) = mpsc::channel(8);
        let joined = hub.join(party(2), sender.clone(), None, 0);
        let call = Id([9; 16]);
        hub.ring(party(1), call, party(2).into(), false, body(), 0).unwrap();
        hub.lost(joined.socket, party(2), 1_000);
        assert_eq!(hub.carry(party(1), call, party(2).into(), body(), 2_000), Ok(()));
        assert_eq!(hub.join(party(2), sender, Some(&joined.session), 3_000).kept.len(), 1);
        assert!(to_b.try_recv().is_ok());
    }
}
