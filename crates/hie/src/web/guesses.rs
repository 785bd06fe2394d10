use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::Mutex,
    time::{Duration, Instant},
};

use axum::http::{StatusCode, header};
use rabta_wire::Id;

use super::ApiError;

/// Who is behind wrong tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Guesser {
    /// An address: all of IPv4, the network (64 bits) of IPv6, which one subscriber has whole.
    At(IpAddr),
    /// Whoever holds this link.
    Link(Id),
}

impl Guesser {
    pub fn at(addr: SocketAddr) -> Self {
        Self::At(match addr.ip().to_canonical() {
            IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) & !u128::from(u64::MAX)).into()),
            ip => ip,
        })
    }
}

/// Slows whoever guesses secrets. Only what was wrong is counted, and for the guesser alone, so that nobody who has a
/// right code, token or link waits for others. No secret can be guessed at any rate; this keeps the log and the disk
/// quiet.
pub struct Guesses {
    burst: f64,
    per_second: f64,
    buckets: Mutex<HashMap<Guesser, (f64, Instant)>>,
}

/// Guessers that are remembered; beyond, a stranger waits until one of them is forgotten.
const MOST: usize = 20_000;

impl Guesses {
    /// A guesser may be wrong `burst` times at once, and `per_second` times in the long run.
    pub fn new(burst: u32, per_second: f64) -> Self {
        Self { burst: f64::from(burst), per_second, buckets: Mutex::default() }
    }

    /// Counts a wrong try. An error: it was one too many, and the answer says no more than that.
    pub fn wrong(&self, who: Guesser) -> Result<(), ApiError> {
        if self.spend(who, Instant::now()) {
            return Ok(());
        }
        Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "slow-down", "too many tries; wait a little")
            .header(header::RETRY_AFTER, "5"))
    }

    fn spend(&self, who: Guesser, now: Instant) -> bool {
        let filled = |(left, at): (f64, Instant)| {
            let since = now.saturating_duration_since(at).min(Duration::from_secs(3_600));
            (left + self.per_second * since.as_secs_f64()).min(self.burst)
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(|e| e.into_inner());
        if buckets.len() >= MOST && !buckets.contains_key(&who) {
            buckets.retain(|_, bucket| filled(*bucket) < self.burst);
            if buckets.len() >= MOST {
                return false;
            }
        }
        let left = buckets.get(&who).map_or(self.burst, |bucket| filled(*bucket));
        let enough = left >= 1.0;
        buckets.insert(who, (if enough { left - 1.0 } else { left }, now));
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Guesser {
        Guesser::at(SocketAddr::new(text.parse().expect("an address"), 1))
    }

    #[test]
    fn a_guesser_is_slowed_and_nobody_else() {
        let guesses = Guesses::new(3, 1.0);
        let now = Instant::now();
        for _ in 0..3 {
            assert!(guesses.spend(at("192.0.2.1"), now));
        }
        assert!(!guesses.spend(at("192.0.2.1"), now));
        assert!(guesses.spend(at("192.0.2.2"), now) && guesses.spend(Guesser::Link(Id([1; 16])), now));
        let later = now + Duration::from_secs(2);
        assert!(guesses.spend(at("192.0.2.1"), later) && guesses.spend(at("192.0.2.1"), later));
        assert!(!guesses.spend(at("192.0.2.1"), later));
    }

    #[test]
    fn one_subscriber_s_network_is_one_guesser() {
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff:2"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let guesses = Guesses::new(1, 1.0);
        let now = Instant::now();
        let stranger = |n: usize| Guesser::At(IpAddr::V4((n as u32).into()));
        for n in 0..MOST {
            assert!(guesses.spend(stranger(n), now));
        }
        assert!(!guesses.spend(stranger(MOST), now));
        assert!(guesses.spend(stranger(MOST), now + Duration::from_secs(2)), "the others are forgotten");
        assert_eq!(guesses.buckets.lock().expect("not poisoned").len(), 1);
    }
}
