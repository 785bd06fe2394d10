//! What befalls a world.

use std::sync::Arc;

use rabta_store::{EntryState, RecordStore};

use crate::{
    chance::Chance,
    disk::Blow,
    known_bad::KnownBad,
    line::Weather,
    story::{short, tell},
    time::at_once,
    world::{MINUTE, World},
};

/// Which faults there are in this world: not every world has every one, so that each is met alone as well.
#[derive(Debug, Clone, Copy)]
pub struct Menu {
    /// Requests and answers are lost, doubled, late.
    pub weather: bool,
    /// Lines are cut.
    pub cuts: bool,
    /// Laptops die: at any moment, or over a write.
    pub deaths: bool,
    pub full_disks: bool,
    pub lying_disks: bool,
    pub hie_down: bool,
    /// The HIE is restored from its last backup.
    pub restore: bool,
    /// A laptop is copied from an image.
    pub clone: bool,
    /// A laptop is stolen, and its backup restored on another.
    pub theft: bool,
}

impl Menu {
    pub fn of(fate: &Chance) -> Self {
        Self {
            weather: fate.falls(800),
            cuts: fate.falls(600),
            deaths: fate.falls(600),
            full_disks: fate.falls(300),
            lying_disks: fate.falls(150),
            hie_down: fate.falls(300),
            restore: fate.falls(350),
            clone: fate.falls(120),
            theft: fate.falls(200),
        }
    }
}

impl World {
    /// One fault, if this world has it.
    pub fn something_happens(&mut self) {
        let there: Vec<usize> = (0..self.laptops.len()).filter(|i| !self.laptops[*i].gone).collect();
        let drawn = self.fate.below(100);
        let Some(i) = self.fate.pick(&there).copied() else { return };
        let menu = self.menu;
        match drawn {
            0..20 if menu.cuts => self.cut_or_mend(i),
            20..28 if menu.deaths && self.laptops[i].running.is_some() => {
                self.power_off(i, "the power fails")
            }
            28..40 if menu.deaths => self.set_fuse(i),
            40..46 if menu.full_disks => self.fill_or_clear(i),
            46..52 if menu.lying_disks => self.lie(i),
            52..57 if menu.hie_down => self.hie_down(),
            57..70 => self.around.hie.back_up(),
            70..76 if menu.restore => {
                self.around.hie.restore();
            }
            76..82 if menu.clone => self.copy(i),
            82..88 if menu.theft => self.onto_a_stick(i),
            88..94 if menu.theft => self.steal(),
            94..100 => self.evict(i),
            _ => {}
        }
    }

    fn cut_or_mend(&mut self, i: usize) {
        let weather = match self.laptops[i].is_up() {
            true => Weather { up: false, ..Weather::fair() },
            false if self.menu.weather => Weather::from(&self.fate),
            false => Weather::fair(),
        };
        let laptop = &self.laptops[i];
        tell!(self.around.story, "{}: the line is {}", laptop.name, if weather.up { "back" } else { "cut" });
        laptop.weather(weather);
    }

    fn set_fuse(&mut self, i: usize) {
        let blow = if self.fate.falls(500) { Blow::Before } else { Blow::After };
        self.laptops[i].disk.set_fuse(self.fate.between(1, 6), blow);
    }

    fn fill_or_clear(&mut self, i: usize) {
        let full = self.fate.falls(500);
        tell!(
            self.around.story,
            "{}: the disk is {}",
            self.laptops[i].name,
            if full { "full" } else { "free" }
        );
        self.laptops[i].disk.full(full);
    }

    fn lie(&mut self, i: usize) {
        let laptop = &mut self.laptops[i];
        laptop.lying = true;
        laptop.disk.lies(true);
        tell!(self.around.story, "{}: from now on the disk lies", laptop.name);
    }

    fn hie_down(&mut self) {
        let minutes = self.fate.between(1, 90);
        self.around.hie.down(self.now() + minutes * MINUTE);
        tell!(self.around.story, "HIE: down for {minutes} minutes");
    }

    /// Two laptops with one disk image: the same device, the same keys.
    fn copy(&mut self, i: usize) {
        let laptop = &self.laptops[i];
        if laptop.disk.is_dead() || !self.cloned.is_empty() {
            return;
        }
        let name = format!("{}-copy", laptop.name);
        let mut copy = self.laptop(name, laptop.facility, laptop.specialist, laptop.image());
        (copy.device, copy.key) = (laptop.device, laptop.key.clone());
        (copy.person, copy.person_key) = (laptop.person, laptop.person_key.clone());
        tell!(self.around.story, "{}: copied from an image", laptop.name);
        self.cloned.insert(copy.device);
        copy.start(&self.around, &mut self.tasks);
        self.laptops.push(copy);
    }

    fn onto_a_stick(&mut self, i: usize) {
        let laptop = &self.laptops[i];
        if laptop.disk.is_dead() || self.cloned.contains(&laptop.device) {
            return;
        }
        tell!(self.around.story, "{}: its backup is on a stick", laptop.name);
        self.stick = Some((i, laptop.image()));
    }

    /// The laptop whose backup is on the stick is stolen; the backup becomes a new device.
    fn steal(&mut self) {
        let Some((i, image)) = self.stick.take() else { return };
        if self.laptops[i].gone || self.cloned.contains(&self.laptops[i].device) {
            return;
        }
        self.laptops[i].stop(&mut self.tasks);
        self.laptops[i].gone = true;
        let old = &self.laptops[i];
        let mut new = self.laptop(format!("{}-restored", old.name), old.facility, old.specialist, image);
        (new.person, new.device) = (old.person, self.people.id());
        self.enroll(&new);
        let name = &old.name;
        tell!(self.around.story, "{name}: stolen; its backup is on a new laptop, {}", short(new.device));
        for saved in self.saved.iter_mut().filter(|s| s.laptop == i) {
            saved.taken |= new.entry(saved.id).is_none();
        }
        new.start(&self.around, &mut self.tasks);
        self.laptops.push(new);
    }

    /// To have room, a laptop lets go of what the HIE has in a backup.
    fn evict(&mut self, i: usize) {
        let laptop = &self.laptops[i];
        let store = laptop.store();
        let (cursor, backed_up) = (at_once(store.cursor()), at_once(store.backed_up()));
        let (Some(Ok(Some(cursor))), Some(Ok(backed_up))) = (cursor, backed_up) else { return };
        let (disk, mut count) = (Arc::clone(&laptop.disk), 0);
        for saved in &self.saved {
            let Some(EntryState::AtHie(at)) = laptop.entry(saved.id).map(|entry| entry.state) else {
                continue;
            };
            let safe = at.epoch == cursor.epoch && at.seq <= backed_up;
            if safe || self.bad == Some(KnownBad::EvictBeforeBackup) {
                disk.evict(saved.id);
                count += 1;
            }
        }
        tell!(self.around.story, "{}: lets go of {count} envelopes", laptop.name);
    }
}
