//! Two hundred asks, to a pool and by name, ten specialists who come and go, pass on and decline, patients who leave,
//! links that fail and an HIE that is down for a while: no ask is ever without somebody who has it or a next step, and
//! the clinic always learns how it stands.

use std::collections::{HashMap, HashSet};

use rabta_domain::ask::{Party, State};
use rabta_hie::duty;
use rabta_wire::{
    Id,
    envelope::{Envelope, Kind},
    log::{Item, Outcome},
};
use serde_json::Value;
use sqlx::Row;

use super::duty::{asking_one, house};
use crate::support::{Draft, Member, Sealed, payloads, server::Server};

/// As many as fit half a minute of a debug build.
const SEEDS: [u64; 3] = [20_261_122, 20_261_123, 20_261_124];

/// xorshift64*: the same seed gives the same bad days.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// What a program knows of an ask from what it pulled.
struct Known {
    patient: Id,
    state: State,
    owner: Option<Id>,
    version: u32,
}

/// A program with a link that fails.
struct Desk {
    member: Member,
    cursor: Option<String>,
    asks: HashMap<Id, Known>,
    taken: HashSet<Id>,
    superseded: HashSet<Id>,
    outbox: Vec<Sealed>,
    /// Steps until the link is back; until the person is.
    no_link: u64,
    away: u64,
    /// How often it saw an ask passed on, and a patient leave.
    passed_on: usize,
    left: usize,
}

impl Desk {
    fn new(member: Member) -> Self {
        let empty = (HashMap::new(), HashSet::new(), HashSet::new());
        let (asks, taken, superseded) = empty;
        Self {
            member,
            cursor: None,
            asks,
            taken,
            superseded,
            outbox: vec![],
            no_link: 0,
            away: 0,
            passed_on: 0,
            left: 0,
        }
    }

    /// Pushes what waits and pulls what is new.
    async fn sync(&mut self, server: &Server) {
        let token = server.token(&self.member).await;
        if !self.outbox.is_empty() {
            for (ack, sent) in server.push(&token, &self.outbox).await.iter().zip(&self.outbox) {
                match &ack.outcome {
                    Outcome::Durable { .. } => {}
                    Outcome::Superseded { .. } => drop(self.superseded.insert(sent.id)),
                    other => panic!(
                        "an honest move is never refused: {other:?}, {}",
                        String::from_utf8_lossy(&sent.bytes)
                    ),
                }
            }
            self.outbox.clear();
        }
        let reply = server.pull(&token, self.cursor.take()).await;
        self.cursor = Some(reply.next.to_string());
        for change in &reply.changes {
            let Item::Envelope { bytes, .. } = &change.item else { continue };
            let envelope = Envelope::from_bytes(bytes).unwrap();
            let header = envelope.header().unwrap();
            let moves = matches!(header.kind, Kind::ReferralNote | Kind::TaskMove);
            if moves && !self.superseded.contains(&header.id) && self.taken.insert(header.id) {
                self.take(&envelope, header.patient.unwrap());
            }
        }
    }

    fn take(&mut self, envelope: &Envelope, patient: Id) {
        let bundle: Value = serde_json::from_slice(&envelope.payload).unwrap();
        let entries = bundle["entry"].as_array().unwrap();
        let task = entries.iter().map(|e| &e["resource"]).find(|r| r["resourceType"] == "Task").unwrap();
        let ask: Id = task["id"].as_str().unwrap().parse().unwrap();
        let state = State::from_code(task["businessStatus"]["coding"][0]["code"].as_str().unwrap()).unwrap();
        let named = task["owner"]["reference"].as_str().map(|r| r["Practitioner/".len()..].parse().unwrap());
        self.passed_on += usize::from(state == State::PassedOn);
        self.left += usize::from(state == State::PatientLeft);
        // Others leave it with whom it is.
        let owner = match self.asks.get(&ask) {
            Some(known) if !state.gives() => known.owner,
            _ => named,
        };
        let version = self.asks.get(&ask).map_or(1, |known| known.version + 1);
        self.asks.insert(ask, Known { patient, state, owner, version });
    }

    fn makes(&mut self, ask: Id, to: State, owner: Option<Id>) {
        let known = &self.asks[&ask];
        let payload = payloads::pool_move(ask, known.patient, to, owner);
        let draft = Draft::new(Kind::TaskMove, known.patient, payload).task(ask).on(known.version).signed();
        self.outbox.push(self.member.write(draft));
    }

    /// What a specialist does with what lies before them: usually something.
    fn works(&mut self, chance: &mut Chance, colleagues: &[Id]) {
        let me = self.member.person;
        let mine = |known: &Known| known.owner.is_none_or(|owner| owner == me);
        let waits = |state: State| state.waits_for_specialist() || state == State::PatientLeft;
        let mut open: Vec<Id> =
            self.asks.iter().filter(|(_, k)| waits(k.state) && mine(k)).map(|(id, _)| *id).collect();
        open.sort();
        for ask in open.into_iter().take(3) {
            let known = &self.asks[&ask];
            let in_pool = known.owner.is_none();
            let to = match chance.below(9) {
                0 => State::Seen,
                1 | 2 => State::Accepted,
                3 if !in_pool => State::Declined,
                4 if known.state == State::Seen || known.state == State::Accepted => State::AskedBack,
                5 => continue,
                6 if !in_pool => State::PassedOn,
                _ => State::Answered,
            };
            let allowed = match in_pool {
                true => known.state.moves_from_pool().any(|state| state == to),
                false => known.state.allows(to, Party::Specialist),
            };
            if allowed {
                let owner = match to {
                    // To a colleague, or back to all of them.
                    State::PassedOn if chance.one_in(3) => None,
                    State::PassedOn => Some(colleagues[chance.below(colleagues.len() as u64) as usize]),
                    State::Seen if in_pool => None,
                    _ => Some(me),
                };
                self.makes(ask, to, owner);
            }
        }
    }

    /// What the clinic does: answers questions, reads advice, closes.
    fn follows(&mut self, chance: &mut Chance) {
        let mut asks: Vec<Id> = self.asks.keys().copied().collect();
        asks.sort();
        for ask in asks {
            let known = &self.asks[&ask];
            let to = match known.state {
                State::Answered => State::AdviceSeen,
                State::AdviceSeen if chance.one_in(12) => State::PatientLeft,
                State::AdviceSeen => State::Done,
                State::AskedBack => State::Accepted,
                // Referred by telephone; or tried again.
                State::NobodyOnDuty if chance.one_in(100) => State::Cancelled,
                State::NobodyOnDuty if chance.one_in(100) => State::Requested,
                State::Expired => State::Requested,
                State::PatientLeft if chance.one_in(30) => State::Done,
                state if state.waits_for_specialist() && chance.one_in(400) => State::PatientLeft,
                _ => continue,
            };
            let owner = known.owner.filter(|_| to != State::Requested);
            self.makes(ask, to, owner);
        }
    }
}

/// Every open ask is with somebody, or waits for the clinic, or the clinic was told that nobody answers; and what waits
/// for a specialist, or for the clinic's answer to their question, has a time at which it goes on.
async fn nothing_is_lost(server: &Server) {
    let rows = sqlx::query(
        "SELECT t.state, t.look_at, (SELECT count(*) FROM task_with w WHERE w.task = t.id), t.owner IS NOT NULL \
         FROM task t WHERE t.closed = 0",
    );
    for row in rows.fetch_all(server.handle.app.db.read()).await.unwrap() {
        let state = State::from_code(row.get(0)).unwrap();
        let (look_at, with, owned): (Option<i64>, i64, bool) = (row.get(1), row.get(2), row.get(3));
        if state.waits_for_specialist() || state == State::AskedBack {
            assert!(look_at.is_some_and(|at| at > server.now()), "{state:?} never goes on");
            assert!(with > 0 || state == State::NobodyOnDuty, "{state:?} is with nobody");
        }
        if state == State::AskedBack {
            assert!(owned, "who asked back has it");
        }
        assert_ne!(state, State::Declined, "a declined ask has gone on");
        assert!(!state.moves(Party::Requester).is_empty(), "{state:?}: the clinic has no next step");
    }
}

/// What happened on these days, besides answers.
#[derive(Debug, Default)]
struct Days {
    late: usize,
    passed_on: usize,
    left: usize,
    by_name: usize,
    outages: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_asks_to_ten_specialists_who_come_and_go() {
    let mut all = Days::default();
    let mut worlds: tokio::task::JoinSet<Days> = SEEDS.into_iter().map(days_of).collect();
    while let Some(days) = worlds.join_next().await {
        let days = days.unwrap();
        all.late += days.late;
        all.passed_on += days.passed_on;
        all.left += days.left;
        all.by_name += days.by_name;
        all.outages += days.outages;
    }
    // Days that are good enough prove nothing.
    assert!(
        all.late > 0 && all.passed_on > 20 && all.left > 10 && all.by_name > 20 && all.outages > 2,
        "{all:?}"
    );
}

/// From the first ask to the end of the last.
async fn days_of(seed: u64) -> Days {
    let mut server = Server::start().await;
    let hours = ["always", "always", "mon-sun 08:00-16:00", "mon-sun 16:00-23:00", "sun 12:00-18:00"];
    let house = house(&server, &[hours, hours].concat()).await;
    let mut chance = Chance(seed);
    let mut days = Days::default();
    let mut clinic = Desk::new(house.doctor);
    let mut desks: Vec<Desk> = house.pediatricians.into_iter().map(Desk::new).collect();
    let colleagues: Vec<Id> = desks.iter().map(|desk| desk.member.person).collect();
    let mut asked = 0;
    let mut quiet = 0;
    let mut steps = 0;
    while quiet < 3 {
        steps += 1;
        assert!(steps < 5_000, "seed {seed}: the asks do not come to an end");
        let pause = if asked < 200 { 90 } else { 1800 };
        server.advance(pause);
        if steps == 40 || steps % 40 == 0 && chance.one_in(3) {
            // Nobody reaches the HIE, and it moves nothing itself; people go on with what they have.
            days.outages += 1;
            let mut down = server.stop().await;
            for _ in 0..chance.below(8) {
                down.advance(pause);
                for desk in desks.iter_mut().filter(|desk| desk.outbox.is_empty()) {
                    desk.works(&mut chance, &colleagues);
                }
                if clinic.outbox.is_empty() {
                    clinic.follows(&mut chance);
                }
            }
            server = down.start().await;
        }
        for _ in 0..chance.below(6).min(200 - asked) {
            let urgency = ["stat", "urgent", "routine"][chance.below(3) as usize];
            let to = chance.one_in(4).then(|| colleagues[chance.below(10) as usize]);
            days.by_name += usize::from(to.is_some());
            clinic.outbox.extend(asking_one(&mut clinic.member, urgency, to).2);
            asked += 1;
        }
        duty::tick(&server.handle.app).await.unwrap();
        nothing_is_lost(&server).await;
        for desk in &mut desks {
            if chance.one_in(10) {
                desk.away = chance.below(12);
            }
            if chance.one_in(12) {
                desk.no_link = chance.below(10);
            }
            // Most look at it every few minutes.
            if desk.no_link == 0 && chance.one_in(2) {
                desk.sync(&server).await;
            }
            if desk.away == 0 && desk.outbox.is_empty() && chance.one_in(2) {
                desk.works(&mut chance, &colleagues);
            }
            (desk.no_link, desk.away) = (desk.no_link.saturating_sub(1), desk.away.saturating_sub(1));
        }
        if chance.one_in(15) {
            clinic.no_link = chance.below(8);
        }
        if clinic.no_link == 0 {
            clinic.sync(&server).await;
            if clinic.outbox.is_empty() {
                clinic.follows(&mut chance);
            }
        }
        clinic.no_link = clinic.no_link.saturating_sub(1);
        let open = clinic.asks.values().filter(|known| !known.state.is_closed()).count();
        quiet = if asked == 200 && open == 0 && clinic.outbox.is_empty() { quiet + 1 } else { 0 };
    }
    for desk in &mut desks {
        desk.sync(&server).await;
    }
    clinic.sync(&server).await;
    // The clinic's word on each ask is the HIE's.
    let rows = sqlx::query("SELECT id, state, version FROM task");
    let rows = rows.fetch_all(server.handle.app.db.read()).await.unwrap();
    assert_eq!(rows.len(), 200);
    let mut ends: HashMap<State, usize> = HashMap::new();
    for row in rows {
        let id: Vec<u8> = row.get(0);
        let known = &clinic.asks[&Id(id.try_into().unwrap())];
        assert_eq!(known.state.code(), row.get::<String, _>(1), "seed {seed}");
        assert_eq!(i64::from(known.version), row.get::<i64, _>(2), "seed {seed}");
        *ends.entry(known.state).or_default() += 1;
    }
    assert!(ends[&State::Done] > 150, "seed {seed}: most were answered: {ends:?}");
    days.late = desks.iter().map(|desk| desk.superseded.len()).sum();
    days.passed_on = clinic.passed_on;
    days.left = clinic.left;
    days
}
