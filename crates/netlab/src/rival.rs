//! A download that shares the link: a TCP sender with always something to send, after Reno (RFC 5681): slow start, then one
//! segment more a round trip, half of it at a loss.

use std::{collections::VecDeque, time::Duration};

/// The sender of one endless download.
pub struct Rival {
    /// Without the queue.
    rtt: Duration,
    /// Segments that may be under way.
    window: f64,
    threshold: f64,
    /// Under way: when each is acknowledged, or found lost.
    under_way: VecDeque<(Duration, bool)>,
    /// One loss a round trip halves the window.
    recovers_until: Duration,
    next: Duration,
}

impl Rival {
    /// Bytes of a segment with its headers.
    pub const PACKET: usize = 1400;

    pub fn new(rtt: Duration) -> Self {
        Self {
            rtt: rtt.max(Duration::from_millis(10)),
            window: 2.0,
            threshold: f64::MAX,
            under_way: VecDeque::new(),
            recovers_until: Duration::ZERO,
            next: Duration::ZERO,
        }
    }

    /// When it sends next.
    pub fn due(&self) -> Duration {
        self.next
    }

    /// It sent at this moment; the link has it through by then, or lost it.
    pub fn sent(&mut self, now: Duration, through: Option<Duration>) {
        let known = through.unwrap_or(now) + self.rtt;
        // A lost one is noticed when what was sent after it arrives, about a round trip later.
        let at = self.under_way.back().map_or(known, |(last, _)| known.max(*last));
        self.under_way.push_back((at, through.is_some()));
        self.hear(now);
        // The window is full: the next one goes when enough is heard.
        while self.under_way.len() as f64 >= self.window {
            let Some((at, _)) = self.under_way.front().copied() else { return };
            self.next = at.max(self.next);
            self.hear(self.next);
        }
    }

    fn hear(&mut self, now: Duration) {
        while let Some((at, arrived)) = self.under_way.pop_front_if(|(at, _)| *at <= now) {
            if arrived {
                self.window += if self.window < self.threshold { 1.0 } else { 1.0 / self.window };
            } else if at >= self.recovers_until {
                self.threshold = (self.window / 2.0).max(2.0);
                self.window = self.threshold;
                self.recovers_until = at + self.rtt;
            }
        }
    }
}
