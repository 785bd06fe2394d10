//! Chance from a seed, the same on every machine and in every version.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

/// A stream of chance.
#[derive(Debug, Clone)]
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// `stream` keeps apart what shares a seed: the two directions of one link.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// From 0 up to, and not, 1.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub fn falls(&mut self, probability: f64) -> bool {
        // Drawn in any case, so that one changed figure does not shift everything after it.
        self.unit() < probability
    }
}

/// Losses that come in bursts: the Gilbert-Elliott model, two states with a chance of changing at each packet.
///
/// Source: E. N. Gilbert, "Capacity of a Burst-Noise Channel", 1960; E. O. Elliott, 1963.
#[derive(Debug, Clone)]
pub struct Bursts {
    chance: Chance,
    to_bad: f64,
    to_good: f64,
    bad: bool,
}

impl Bursts {
    /// `share` of all packets is lost (0 to 1), in bursts of `mean` packets on average (1: each on its own).
    pub fn new(share: f64, mean: f64, chance: Chance) -> Self {
        let to_good = 1.0 / mean.max(1.0);
        // In the long run bad / (good + bad) = share.
        let to_bad = if share >= 1.0 { 1.0 } else { (share * to_good / (1.0 - share)).min(1.0) };
        let to_good = if share >= 1.0 { 0.0 } else { to_good };
        Self { chance, to_bad, to_good, bad: false }
    }

    /// Is the next packet lost?
    pub fn takes_one(&mut self) -> bool {
        let turn = self.chance.unit();
        self.bad = if self.bad { turn >= self.to_good } else { turn < self.to_bad };
        self.bad
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_and_the_bursts_are_as_asked() {
        for (share, mean) in [(0.005, 1.0), (0.01, 1.0), (0.2, 3.0), (0.05, 8.0)] {
            let mut bursts = Bursts::new(share, mean, Chance::new(7, 1));
            let (mut lost, mut begun, mut before) = (0_u32, 0_u32, false);
            let n = 400_000;
            for _ in 0..n {
                let now = bursts.takes_one();
                lost += u32::from(now);
                begun += u32::from(now && !before);
                before = now;
            }
            let seen = f64::from(lost) / f64::from(n);
            assert!((seen / share - 1.0).abs() < 0.1, "share {share}: {seen}");
            let length = f64::from(lost) / f64::from(begun);
            assert!((length / mean - 1.0).abs() < 0.1, "bursts of {mean}: {length}");
        }
    }

    #[test]
    fn the_same_seed_says_the_same_and_another_does_not() {
        let draw = |seed, stream| {
            let mut chance = Chance::new(seed, stream);
            (0..64).map(|_| chance.falls(0.5)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, 0), draw(1, 0));
        assert_ne!(draw(1, 0), draw(2, 0));
        assert_ne!(draw(1, 0), draw(1, 1));
    }
}
