//! One direction of a link: which packets arrive, and when.
//!
//! A packet first meets the cuts and the losses, then waits in the queue of the slow link, is sent at the link's rate, and
//! travels for the delay. Packets keep their order, but for the few that are made to overtake.

use std::{collections::VecDeque, time::Duration};

use crate::{
    chance::{Bursts, Chance},
    profile::{Cut, Direction, Queue},
    rival::Rival,
};

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is at the other end at this moment.
    Arrives(Duration),
    Lost(Lost),
}

/// Why a packet is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lost {
    /// By chance, on the air.
    Air,
    /// The queue was full.
    Queue,
    /// Nothing passes at this time.
    Cut,
}

/// One direction, with what is under way on it.
pub struct Link {
    direction: Direction,
    losses: Bursts,
    jitter: Chance,
    order: Chance,
    /// When the last bit of all accepted packets is sent.
    free_at: Duration,
    /// Accepted and not yet sent: when each is sent, and its bytes.
    waiting: VecDeque<(Duration, usize)>,
    waiting_bytes: usize,
    latest: Duration,
    rivals: Vec<Rival>,
}

impl Link {
    /// `stream` keeps apart the links of one run that share its seed.
    pub fn new(direction: Direction, seed: u64, stream: u64) -> Self {
        let chance = |which| Chance::new(seed, stream * 8 + which);
        Self {
            losses: Bursts::new(direction.loss, direction.loss_burst, chance(0)),
            jitter: chance(1),
            order: chance(2),
            free_at: Duration::ZERO,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            latest: Duration::ZERO,
            rivals: (0..direction.rivals).map(|_| Rival::new(direction.delay * 2)).collect(),
            direction,
        }
    }

    /// A packet of so many bytes is sent at this moment; moments never go back.
    pub fn pass(&mut self, now: Duration, bytes: usize) -> Fate {
        self.let_rivals_send(now);
        // Both are drawn for each packet, so that the drops of a seed do not depend on load.
        let (lost, overtakes) = (self.losses.takes_one(), self.order.falls(self.direction.reorder));
        let jitter = self.direction.jitter.mul_f64(self.jitter.unit());
        if lost {
            return Fate::Lost(Lost::Air);
        }
        let sent = match self.enqueue(now, bytes) {
            Ok(sent) => sent,
            Err(lost) => return Fate::Lost(lost),
        };
        if overtakes {
            return Fate::Arrives(sent + self.direction.delay / 2);
        }
        self.latest = self.latest.max(sent + self.direction.delay + jitter);
        Fate::Arrives(self.latest)
    }

    /// Bytes that wait to be sent.
    pub fn queued(&mut self, now: Duration) -> usize {
        self.forget_sent(now);
        self.waiting_bytes
    }

    /// When the packet's last bit is sent.
    fn enqueue(&mut self, now: Duration, bytes: usize) -> Result<Duration, Lost> {
        let mut start = now.max(self.free_at);
        if let Some(cut) = self.cut_at(now) {
            if !cut.holds {
                return Err(Lost::Cut);
            }
            start = start.max(Duration::from_millis(cut.to_ms));
        }
        if self.direction.rates.is_none() {
            return Ok(start);
        }
        self.forget_sent(now);
        let full = match self.direction.queue {
            Queue::Bytes(most) => self.waiting_bytes + bytes > most,
            Queue::Time(most) => start - now > most,
        };
        // A packet is taken whenever nothing waits: a queue of less than one packet would let nothing through.
        if full && !self.waiting.is_empty() {
            return Err(Lost::Queue);
        }
        let sent = self.sent_at(start, bytes);
        self.free_at = sent;
        self.waiting.push_back((sent, bytes));
        self.waiting_bytes += bytes;
        Ok(sent)
    }

    fn forget_sent(&mut self, now: Duration) {
        while let Some((_, bytes)) = self.waiting.pop_front_if(|(sent, _)| *sent <= now) {
            self.waiting_bytes -= bytes;
        }
    }

    fn cut_at(&self, now: Duration) -> Option<&Cut> {
        let now = now.as_millis();
        self.direction.cuts.iter().find(|c| (u128::from(c.from_ms)..u128::from(c.to_ms)).contains(&now))
    }

    /// When so many bytes are sent that begin at `start`, over the changes of the rate.
    fn sent_at(&self, start: Duration, bytes: usize) -> Duration {
        let Some(rates) = &self.direction.rates else { return start };
        let mut bits = bytes as f64 * 8.0;
        let mut at = start;
        let first = rates.iter().rposition(|(from, _)| *from <= start).unwrap_or(0);
        for (i, (_, rate)) in rates.iter().enumerate().skip(first) {
            let until = rates.get(i + 1).map(|(from, _)| *from);
            let room = until.map_or(f64::INFINITY, |until| (until.saturating_sub(at)).as_secs_f64() * rate);
            if bits <= room && *rate > 0.0 {
                return at + Duration::from_secs_f64(bits / rate);
            }
            bits -= room;
            at = until.unwrap_or(at);
        }
        // The last rate is 0: it is never sent.
        Duration::MAX / 4
    }

    fn let_rivals_send(&mut self, now: Duration) {
        let mut rivals = std::mem::take(&mut self.rivals);
        // The one that is due first sends first, whichever it is.
        while let Some(next) = rivals.iter_mut().filter(|r| r.due() <= now).min_by_key(|r| r.due()) {
            let at = next.due();
            let fate = self.enqueue(at, Rival::PACKET);
            next.sent(at, fate.ok());
        }
        self.rivals = rivals;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    const PACKET: usize = 1200;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn link(profile: &Profile, seed: u64) -> Link {
        Link::new(profile.down(), seed, 1)
    }

    /// Bits a second that arrive between two moments when far more is sent.
    fn through(link: &mut Link, from: u64, to: u64) -> f64 {
        let mut bits = 0.0;
        for ms in 0..to + 5000 {
            if let Fate::Arrives(when) = link.pass(at(ms), PACKET)
                && (at(from)..at(to)).contains(&when)
            {
                bits += PACKET as f64 * 8.0;
            }
        }
        bits * 1000.0 / (to - from) as f64
    }

    #[test]
    fn a_flooded_link_carries_its_rate() {
        for name in ["office", "3g", "edge", "gprs", "page64"] {
            let profile = crate::profile(name).expect("there");
            let lossless = Profile { loss_pct: 0.0, ..profile.clone() };
            let rate = profile.down_kbps.expect("limited") * 1000.0;
            // Packets are sent one a millisecond: 9.6 Mbit/s, enough for all but the office.
            let wanted = rate.min(PACKET as f64 * 8.0 * 1000.0);
            let seen = through(&mut link(&lossless, 1), 10_000, 70_000);
            assert!((seen / wanted - 1.0).abs() < 0.02, "{name}: {seen} of {wanted}");
        }
    }

    #[test]
    fn the_rate_follows_its_schedule() {
        let text = r#"{"name":"t","down_kbps":1000,"up_kbps":1000,"steps":[
            {"at_ms":20000,"down_kbps":100,"up_kbps":100},{"at_ms":40000,"down_kbps":500,"up_kbps":500}]}"#;
        let profile: Profile = serde_json::from_str(text).expect("read");
        for (from, to, wanted) in [(5000, 19_000, 1e6), (22_000, 39_000, 1e5), (43_000, 60_000, 5e5)] {
            let seen = through(&mut link(&profile, 1), from, to);
            assert!((seen / wanted - 1.0).abs() < 0.02, "from {from}: {seen} of {wanted}");
        }
    }

    #[test]
    fn an_empty_link_only_delays() {
        let profile =
            Profile { rtt_ms: 500.0, down_kbps: Some(1000.0), queue_ms: 600.0, ..Profile::default() };
        let mut link = link(&profile, 1);
        for second in 0..100 {
            let sent = at(second * 1000);
            assert_eq!(link.pass(sent, 125), Fate::Arrives(sent + at(1) + at(250)));
        }
    }

    #[test]
    fn the_same_seed_drops_the_same_packets_whatever_the_load() {
        let profile = crate::profile("edge").expect("there");
        let drops = |seed, every: u64| {
            let mut link = link(&profile, seed);
            (0..5000).map(|n| link.pass(at(n * every), 100) == Fate::Lost(Lost::Air)).collect::<Vec<_>>()
        };
        assert_eq!(drops(3, 20), drops(3, 20));
        assert_eq!(drops(3, 20), drops(3, 1));
        assert_ne!(drops(3, 20), drops(4, 20));
    }

    #[test]
    fn a_queue_is_as_long_as_said_in_time_or_in_bytes() {
        let slow = Profile { down_kbps: Some(80.0), queue_ms: 500.0, ..Profile::default() };
        let mut by_time = link(&slow, 1);
        let taken = (0..100).filter(|_| matches!(by_time.pass(at(0), 1000), Fate::Arrives(_))).count();
        // 100 ms each: the one that begins after 500 ms is the last.
        assert_eq!(taken, 6);
        let mut by_bytes = link(&Profile { queue_bytes: Some(3000), ..slow }, 1);
        let taken = (0..100).filter(|_| matches!(by_bytes.pass(at(0), 1000), Fate::Arrives(_))).count();
        assert_eq!(taken, 3);
        assert_eq!(by_bytes.queued(at(150)), 2000);
        assert!(matches!(by_bytes.pass(at(150), 1000), Fate::Arrives(_)));
    }

    #[test]
    fn a_cut_loses_and_a_searching_modem_holds() {
        let cut = |holds| {
            let cuts = vec![Cut { from_ms: 1000, to_ms: 2000, holds }];
            link(&Profile { rtt_ms: 100.0, cuts, ..Profile::default() }, 1)
        };
        assert_eq!(cut(false).pass(at(1500), 100), Fate::Lost(Lost::Cut));
        assert_eq!(cut(true).pass(at(1500), 100), Fate::Arrives(at(2050)));
        assert_eq!(cut(false).pass(at(2000), 100), Fate::Arrives(at(2050)));
    }

    #[test]
    fn order_is_kept_under_jitter_and_broken_where_asked() {
        let turned = |profile: &Profile| {
            let mut link = link(profile, 5);
            let mut last = Duration::ZERO;
            let mut turned = 0;
            for n in 0..2000 {
                if let Fate::Arrives(when) = link.pass(at(n * 5), 100) {
                    turned += u32::from(when < last);
                    last = when;
                }
            }
            turned
        };
        let shaky = Profile { rtt_ms: 200.0, jitter_ms: 80.0, ..Profile::default() };
        assert_eq!(turned(&shaky), 0);
        let seen = turned(&Profile { reorder_pct: 5.0, ..shaky });
        assert!((60..140).contains(&seen), "{seen} of 2000 overtake");
    }

    #[test]
    fn a_rival_takes_about_half_and_leaves_the_rest() {
        let profile =
            Profile { down_kbps: Some(1000.0), rtt_ms: 100.0, queue_ms: 200.0, ..Profile::default() };
        let share = |rivals| {
            let mut link = link(&Profile { rivals, ..profile.clone() }, 1);
            // A stream of 400 kbit/s, that does not give way.
            let arrived =
                (0..24_000).filter(|n| matches!(link.pass(at(n * 5), 250), Fate::Arrives(_))).count();
            (arrived as f64 / 24_000.0, link.queued(at(120_000)))
        };
        let (alone, quiet) = share(0);
        let (beside, busy) = share(1);
        assert!(alone == 1.0 && quiet < 1000, "{alone} {quiet}");
        assert!((0.7..1.0).contains(&beside), "some of it is lost in the full queue: {beside}");
        assert!(busy > quiet, "the queue is used by the rival");
    }
}
