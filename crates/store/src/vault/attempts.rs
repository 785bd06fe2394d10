//! Wrong passphrases in a row, kept over restarts.

use std::{fs, io, path::Path, time::Duration};

use serde::{Deserialize, Serialize};

use super::file::write_atomically;

/// Seconds to wait after the first, second, ... wrong try; the last for all that follow.
const WAITS: [u64; 9] = [0, 0, 1, 2, 5, 10, 20, 40, 60];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Attempts {
    pub failures: u32,
    /// Milliseconds since 1970 by the device's clock, of the last one.
    at: i64,
}

impl Attempts {
    /// A file that cannot be read counts as none: it only slows down.
    pub fn read(path: &Path) -> Self {
        fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// How long after the last wrong try the next one is taken.
    pub fn delay(self) -> Duration {
        match self.failures.checked_sub(1) {
            Some(i) => Duration::from_secs(WAITS[(i as usize).min(WAITS.len() - 1)]),
            None => Duration::ZERO,
        }
    }

    /// What is left of the delay. A clock that went backwards starts it anew, so turning it back wins nothing.
    pub fn wait(self, now_ms: i64) -> Duration {
        let passed = now_ms.saturating_sub(self.at).max(0) as u64;
        self.delay().saturating_sub(Duration::from_millis(passed))
    }

    pub fn failed(self, path: &Path, now_ms: i64) -> Self {
        let next = Self { failures: self.failures.saturating_add(1), at: now_ms };
        let bytes = serde_json::to_vec(&next).expect("two numbers are JSON");
        // On a full disk the count is lost; the passphrase is still checked.
        if let Err(error) = write_atomically(path, &bytes) {
            tracing::warn!(kind = ?error.kind(), "wrong attempts were not counted");
        }
        next
    }

    pub fn forget(path: &Path) {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(kind = ?error.kind(), "attempts stay counted")
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_try_waits_longer_up_to_a_minute() {
        let waits: Vec<u64> =
            (0..12).map(|failures| Attempts { failures, at: 0 }.delay().as_secs()).collect();
        assert_eq!(waits, [0, 0, 0, 1, 2, 5, 10, 20, 40, 60, 60, 60]);
    }

    #[test]
    fn turning_the_clock_back_wins_nothing() {
        let attempts = Attempts { failures: 5, at: 1_000_000 };
        assert_eq!(attempts.wait(1_002_000), Duration::from_secs(3));
        assert_eq!(attempts.wait(0), Duration::from_secs(5));
        assert_eq!(attempts.wait(2_000_000), Duration::ZERO);
    }
}
