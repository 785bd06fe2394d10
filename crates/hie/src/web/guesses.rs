use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use axum::http::{StatusCode, header};

use super::ApiError;

/// Slows whoever guesses codes. An 80-bit secret cannot be guessed at any rate; this keeps the log and the disk
/// quiet. A bucket of 100 that fills by two a second.
pub struct Guesses(Mutex<(f64, Instant)>);

impl Guesses {
    pub fn new() -> Self {
        Self(Mutex::new((100.0, Instant::now())))
    }

    pub fn spend(&self) -> Result<(), ApiError> {
        let mut bucket = self.0.lock().unwrap_or_else(|e| e.into_inner());
        let since = bucket.1.elapsed().min(Duration::from_secs(60)).as_secs_f64();
        *bucket = ((bucket.0 + 2.0 * since).min(100.0), Instant::now());
        if bucket.0 < 1.0 {
            return Err(ApiError::new(
                StatusCode::TOO_MANY_REQUESTS,
                "slow-down",
                "too many tries; wait a little",
            )
            .header(header::RETRY_AFTER, "5"));
        }
        bucket.0 -= 1.0;
        Ok(())
    }
}

impl Default for Guesses {
    fn default() -> Self {
        Self::new()
    }
}
