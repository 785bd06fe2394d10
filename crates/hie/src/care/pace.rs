use std::{collections::HashMap, sync::Mutex};

use axum::http::{StatusCode, header};
use rabta_wire::Id;

use crate::web::ApiError;

/// So many at once, and one more every two minutes: more than an outpatient day needs, far too few to walk through
/// numbers.
const MOST: f64 = 30.0;
const EACH_MS: f64 = 120_000.0;
/// Devices in mind; whoever has been quiet for an hour has a full bucket again anyway.
const DEVICES: usize = 10_000;

/// How many exact lookups and emergency accesses each device has left. Wrong guesses cost as much as right ones.
#[derive(Default)]
pub struct Lookups(Mutex<HashMap<Id, (f64, i64)>>);

impl Lookups {
    /// Takes one of `device`'s at `now` (milliseconds); 429 where there is none left.
    pub fn spend(&self, device: Id, now: i64) -> Result<(), ApiError> {
        let mut all = self.0.lock().unwrap_or_else(|e| e.into_inner());
        if all.len() >= DEVICES {
            all.retain(|_, (left, at)| refilled(*left, *at, now) < MOST);
        }
        let (left, at) = all.get(&device).copied().unwrap_or((MOST, now));
        let left = refilled(left, at, now);
        if left < 1.0 {
            all.insert(device, (left, now));
            return Err(ApiError::new(
                StatusCode::TOO_MANY_REQUESTS,
                "slow-down",
                "this device has looked for too many people outside its facility; wait a little",
            )
            .header(header::RETRY_AFTER, "120"));
        }
        all.insert(device, (left - 1.0, now));
        Ok(())
    }
}

fn refilled(left: f64, at: i64, now: i64) -> f64 {
    (left + (now - at).max(0) as f64 / EACH_MS).min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_for_each_device_alone() {
        let (lookups, a, b) = (Lookups::default(), Id([1; 16]), Id([2; 16]));
        for _ in 0..30 {
            assert!(lookups.spend(a, 0).is_ok());
        }
        assert_eq!(lookups.spend(a, 1000).unwrap_err().status, StatusCode::TOO_MANY_REQUESTS);
        assert!(lookups.spend(b, 1000).is_ok());
        assert!(lookups.spend(a, 121_000).is_ok());
        assert!(lookups.spend(a, 122_000).is_err());
        // A clock that was set back gives nothing.
        assert!(lookups.spend(a, -1_000_000).is_err());
    }
}
