//! One world: clinics, a hospital, an HIE, one virtual clock. A seed makes it, people work in it, faults befall it, and
//! then it heals.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use rabta_store::{MemoryStore, RecordStore, Transaction};
use rabta_sync::Offset;
use rabta_wire::Id;

use crate::{
    chance::Chance,
    disk::{Disk, REMEMBERED},
    faults::Menu,
    hie::Hie,
    known_bad::KnownBad,
    laptop::Laptop,
    line::Weather,
    payload::Payload,
    story::{Story, short, tell},
    time::{LaptopClock, Tasks, Time, at_once},
};

pub(crate) const MINUTE: u64 = 60_000;
pub(crate) const HOUR: u64 = 60 * MINUTE;
const YEAR_MS: i64 = 365 * 24 * 3_600_000;

/// What every laptop of a world has around it.
#[derive(Clone)]
pub struct Around {
    pub hie: Hie,
    pub time: Time,
    /// What happens to requests.
    pub lines: Chance,
    pub story: Story,
}

/// An envelope of which a person was told that it is saved.
pub struct Saved {
    pub id: Id,
    pub laptop: usize,
    pub device: Id,
    /// Its place in that device's log.
    pub seq: u64,
    pub patient: Id,
    pub payload: Payload,
    /// A lying disk, or a thief, took the laptop's own copy.
    pub taken: bool,
}

/// An envelope that somebody began to write.
pub struct Begun {
    pub patient: Id,
    /// Types and ids of its resources.
    pub writes: Vec<(String, String)>,
}

/// A world.
pub struct World {
    pub bad: Option<KnownBad>,
    pub around: Around,
    pub tasks: Tasks,
    /// What people do.
    pub people: Chance,
    /// What befalls them.
    pub fate: Chance,
    pub menu: Menu,
    pub laptops: Vec<Laptop>,
    pub saved: Vec<Saved>,
    /// What each envelope that was begun writes, whether or not it came to be.
    pub writes: BTreeMap<Id, Begun>,
    /// Each patient's facility and MR number.
    pub patients: BTreeMap<Id, (Id, String)>,
    /// Each ask's facility.
    pub asks: BTreeMap<Id, Id>,
    /// (person, patient): asked about them once.
    pub asked: BTreeSet<(Id, Id)>,
    /// MR numbers as they were given to patients, with the device.
    pub numbers: Vec<(String, Id)>,
    /// (laptop, envelope): shown as refused.
    pub refused: BTreeSet<(usize, Id)>,
    /// Devices of which there are two.
    pub cloned: BTreeSet<Id>,
    /// A backup of a laptop on a stick.
    pub stick: Option<(usize, MemoryStore)>,
    pub wrong: Vec<String>,
}

impl World {
    pub fn new(seed: u64, bad: Option<KnownBad>) -> Self {
        let time = Time::default();
        let story = Story::new(time.clone());
        let hie = Hie::new(time.clone(), Chance::new(seed, 1), story.clone(), bad);
        let fate = Chance::new(seed, 4);
        let mut world = Self {
            bad,
            around: Around { hie, time, lines: Chance::new(seed, 2), story },
            tasks: Tasks::default(),
            people: Chance::new(seed, 3),
            menu: Menu::of(&fate),
            fate,
            laptops: Vec::new(),
            saved: Vec::new(),
            writes: BTreeMap::new(),
            patients: BTreeMap::new(),
            asks: BTreeMap::new(),
            asked: BTreeSet::new(),
            numbers: Vec::new(),
            refused: BTreeSet::new(),
            cloned: BTreeSet::new(),
            stick: None,
            wrong: Vec::new(),
        };
        let clinics = world.people.between(2, 4);
        for clinic in 0..clinics {
            let facility = world.people.id();
            for laptop in 0..world.people.between(1, 2) {
                world.join(format!("clinic{}-{}", clinic + 1, laptop + 1), facility, false);
            }
        }
        let hospital = world.people.id();
        for laptop in 0..world.people.between(1, 2) {
            world.join(format!("hospital-{}", laptop + 1), hospital, true);
        }
        world.around.hie.back_up();
        world
    }

    /// A new laptop with its person, enrolled.
    fn join(&mut self, name: String, facility: Id, specialist: bool) {
        let person = self.people.id();
        let mut laptop = self.laptop(name, facility, specialist, MemoryStore::new());
        (laptop.person, laptop.device) = (person, self.people.id());
        self.enroll(&laptop);
        laptop.start(&self.around, &mut self.tasks);
        self.laptops.push(laptop);
    }

    /// A laptop with this on its disk; its keys are new, its ids are to be set.
    pub(crate) fn laptop(&self, name: String, facility: Id, specialist: bool, store: MemoryStore) -> Laptop {
        let ahead = match self.fate.below(10) {
            // 1970; a year ahead; about right.
            0 => -crate::time::START_MS,
            1 => YEAR_MS,
            _ => self.fate.below(20_000) as i64 - 10_000,
        };
        let weather = if self.menu.weather { Weather::from(&self.fate) } else { Weather::fair() };
        Laptop {
            name,
            device: Id::default(),
            key: Arc::new(self.people.key()),
            person: Id::default(),
            person_key: Arc::new(self.people.key()),
            facility,
            specialist,
            disk: Arc::new(Disk::new(store, self.bad)),
            sky: Arc::new(Mutex::new(weather)),
            clock: LaptopClock { time: self.around.time.clone(), ahead: Arc::new(Mutex::new(ahead)) },
            offset: Offset::default(),
            running: None,
            down_until: 0,
            gone: false,
            lying: false,
            doubtful: Arc::default(),
            drafts: Vec::new(),
        }
    }

    /// The operator enrolls a laptop; it gets a block of numbers. Whoever had one before gives the rest of it up.
    pub(crate) fn enroll(&self, laptop: &Laptop) {
        let info = (laptop.device_info(), laptop.person_info());
        let block = self.around.hie.enroll(info.0, laptop.person, info.1, &laptop.name);
        let transaction = match self.bad {
            Some(KnownBad::SharedNumberBlock) => Transaction::new(),
            _ => Transaction::new().close_mr_blocks(),
        };
        let done = at_once(laptop.store().commit(transaction.add_mr_block(block), None));
        debug_assert!(matches!(done, Some(Ok(_))), "a new disk takes a block");
    }

    pub fn now(&self) -> u64 {
        self.around.time.now()
    }

    /// Lets the world go on until `at`.
    pub fn run_until(&mut self, at: u64) {
        loop {
            if !self.tasks.run() {
                self.wrong.push("something turns in a circle and never rests".into());
                return;
            }
            if self.look_after() {
                continue;
            }
            let wakes = self.laptops.iter().filter(|l| l.running.is_none() && !l.gone).map(|l| l.down_until);
            let next = wakes.chain(self.around.time.next()).chain(self.around.hie.next_late()).min();
            let next = next.map_or(at, |next| next.min(at)).max(self.now());
            let over = next >= at;
            self.around.time.advance(next);
            self.around.hie.deliver_late();
            if over {
                self.tasks.run();
                self.look_after();
                return;
            }
        }
    }

    /// Laptops that died lie still for a while; those that lay long enough are started. Whether anything was done.
    fn look_after(&mut self) -> bool {
        let mut done = false;
        for i in 0..self.laptops.len() {
            if self.laptops[i].running.is_some() && self.laptops[i].disk.is_dead() {
                self.power_off(i, "died over a write");
                done = true;
            }
            let laptop = &self.laptops[i];
            if laptop.running.is_none() && !laptop.gone && self.now() >= laptop.down_until {
                self.power_on(i);
                done = true;
            }
            let shown: Vec<Id> = self.laptops[i].quarantined().iter().map(|entry| entry.id).collect();
            for id in shown {
                if self.refused.insert((i, id)) {
                    tell!(self.around.story, "{}: {} is shown as refused", self.laptops[i].name, short(id));
                }
            }
            if self.bad == Some(KnownBad::NonIdempotentPush) {
                self.push_anew(i);
            }
        }
        done
    }

    pub(crate) fn power_off(&mut self, i: usize, why: &str) {
        let minutes = self.fate.between(1, 120);
        let at = self.now() + minutes * MINUTE;
        let laptop = &mut self.laptops[i];
        laptop.stop(&mut self.tasks);
        laptop.down_until = at;
        tell!(self.around.story, "{}: {why}, off for {minutes} minutes", laptop.name);
    }

    fn power_on(&mut self, i: usize) {
        let lost = match self.laptops[i].lying {
            true => self.fate.between(1, REMEMBERED as u64) as usize,
            false => 0,
        };
        self.laptops[i].disk.reopen(lost);
        if lost > 0 {
            self.after_a_lie(i, lost);
        }
        self.laptops[i].start(&self.around, &mut self.tasks);
        tell!(self.around.story, "{}: on again", self.laptops[i].name);
    }

    /// Notes what a lying disk took.
    fn after_a_lie(&mut self, i: usize, commits: usize) {
        let laptop = &self.laptops[i];
        let mut names = Vec::new();
        for saved in self.saved.iter_mut().filter(|s| s.laptop == i && !s.taken) {
            if laptop.entry(saved.id).is_none() {
                saved.taken = true;
                names.push(short(saved.id));
            }
        }
        tell!(
            self.around.story,
            "{}: the disk lied about {commits} commits: {names:?} are gone",
            laptop.name
        );
        let still: BTreeSet<Id> = laptop.quarantined().iter().map(|entry| entry.id).collect();
        self.refused.retain(|(of, id)| *of != i || still.contains(id));
        self.laptops[i].drafts.clear();
    }

    /// People work and faults befall them, for as long as the seed says; then all is well again.
    pub fn live(&mut self) {
        let events = self.fate.between(30, 80);
        for _ in 0..events {
            let pause = match self.fate.below(4) {
                0 => self.fate.between(1, 1_000),
                1 => self.fate.between(1_000, 60_000),
                2 => self.fate.between(MINUTE, 10 * MINUTE),
                _ => self.fate.between(5 * MINUTE, HOUR),
            };
            self.run_until(self.now() + pause);
            if self.fate.falls(700) {
                self.somebody_acts();
            } else {
                self.something_happens();
            }
        }
        self.run_until(self.now() + MINUTE);
        self.heal();
    }

    /// All lines are good, everybody is up, nobody's disk is full or lies, and there is time enough. Then everybody writes
    /// one visit more.
    fn heal(&mut self) {
        tell!(self.around.story, "everything heals");
        self.around.hie.down(0);
        for laptop in self.laptops.iter_mut().filter(|l| !l.gone) {
            laptop.weather(Weather::fair());
            laptop.disk.full(false);
            laptop.disk.lies(false);
            laptop.lying = false;
            laptop.down_until = 0;
            laptop.disk.disarm();
            if let Some((_, handle)) = &laptop.running {
                handle.now();
            }
        }
        self.run_until(self.now() + 2 * HOUR);
        for i in 0..self.laptops.len() {
            if !self.laptops[i].gone {
                self.last_visit(i);
            }
        }
        self.run_until(self.now() + HOUR);
    }
}
