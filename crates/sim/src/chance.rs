//! Chance from the seed, the same on every machine.

use std::sync::{Arc, Mutex, PoisonError};

use ed25519_dalek::SigningKey;
use rabta_wire::Id;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

/// One stream of chance. Clones draw from the same stream.
#[derive(Clone)]
pub struct Chance(Arc<Mutex<ChaCha8Rng>>);

impl Chance {
    /// `stream` keeps apart what shares a seed: a fault more on one line does not change what people do.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(Arc::new(Mutex::new(rng)))
    }

    fn next(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next_u64()
    }

    /// From 0 up to, and not, `end`, which is at least 1.
    pub fn below(&self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// From `from` to `to`, both included.
    pub fn between(&self, from: u64, to: u64) -> u64 {
        from + self.below(to.saturating_sub(from) + 1)
    }

    /// True in this many of 1,000 cases.
    pub fn falls(&self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// One of them; `None` where there is none.
    pub fn pick<'a, T>(&self, of: &'a [T]) -> Option<&'a T> {
        // Drawn in any case, so that an empty list does not shift everything after it.
        let drawn = self.next();
        (!of.is_empty()).then(|| &of[(drawn % of.len() as u64) as usize])
    }

    pub fn id(&self) -> Id {
        let mut bytes = [0; 16];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        Id::from_random(bytes)
    }

    pub fn key(&self) -> SigningKey {
        let mut bytes = [0; 32];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        SigningKey::from_bytes(&bytes)
    }
}
