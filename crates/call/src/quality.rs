//! How good a leg is, from its statistics: down at once, up after it has been good a while. Voice is never the
//! one to give way.

use crate::{LegStats, Millis};

/// What a leg can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// No picture, so that the voice stays clear.
    Voice,
    /// A smaller picture.
    Weak,
    Good,
}

impl Level {
    /// The picture's budget in kb/s.
    pub(crate) fn video_kbps(self) -> u32 {
        match self {
            Self::Voice => 0,
            Self::Weak => 150,
            Self::Good => 600,
        }
    }
}

/// Seconds of good figures before one level up.
const GOOD_BEFORE_UP: Millis = 6_000;
/// Of two bad seconds running, the first may be chance.
const BAD_BEFORE_DOWN: u8 = 2;

#[derive(Debug)]
pub(crate) struct Quality {
    level: Level,
    bad: u8,
    good_since: Option<Millis>,
}

impl Default for Quality {
    fn default() -> Self {
        Self { level: Level::Good, bad: 0, good_since: None }
    }
}

impl Quality {
    pub(crate) fn level(&self) -> Level {
        self.level
    }

    /// Takes a second's figures; the new level if it changed.
    pub(crate) fn update(&mut self, now: Millis, stats: &LegStats) -> Option<Level> {
        let loss = stats.loss_in.max(stats.loss_out);
        let rtt = stats.rtt_ms.unwrap_or(0);
        let target = if loss > 0.25 || rtt > 2_000 {
            Level::Voice
        } else if loss > 0.08 || rtt > 800 {
            Level::Weak
        } else {
            Level::Good
        };
        let before = self.level;
        if target < self.level {
            self.good_since = None;
            self.bad += 1;
            if self.bad >= BAD_BEFORE_DOWN {
                self.level = target;
                self.bad = 0;
            }
        } else {
            self.bad = 0;
            if target > self.level {
                let since = *self.good_since.get_or_insert(now);
                if now.saturating_sub(since) >= GOOD_BEFORE_UP {
                    self.level = if self.level == Level::Voice { Level::Weak } else { Level::Good };
                    self.good_since = None;
                }
            } else {
                self.good_since = None;
            }
        }
        (self.level != before).then_some(self.level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(loss_in: f32) -> LegStats {
        LegStats { loss_in, ..LegStats::default() }
    }

    #[test]
    fn two_bad_seconds_take_the_picture_down_and_only_a_good_while_brings_it_back() {
        let mut q = Quality::default();
        assert_eq!(q.update(1_000, &loss(0.3)), None);
        assert_eq!(q.update(2_000, &loss(0.3)), Some(Level::Voice));
        let mut changes = Vec::new();
        for second in 3..20 {
            changes.extend(q.update(second * 1_000, &loss(0.0)).map(|level| (second, level)));
        }
        assert_eq!(changes, [(9, Level::Weak), (16, Level::Good)]);
    }

    #[test]
    fn one_bad_second_alone_changes_nothing() {
        let mut q = Quality::default();
        for second in 0..40 {
            let bad = if second % 2 == 0 { 0.5 } else { 0.0 };
            assert_eq!(q.update(second * 1_000, &loss(bad)), None);
        }
    }
}
