//! From what a person knows to keys.
//!
//! What is slow happens on a blocking thread within [`secretly`], what is quick on the caller's within [`here`]. Both
//! overwrite the stack that was used: hash functions leave parts of their input there, and a task that goes on at another
//! thread does not come back to wipe it.

use argon2::{Algorithm, Argon2, Params, Version};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

/// 32 secret bytes that stay where they are in memory until they are wiped.
pub(crate) type Secret = Box<Zeroizing<[u8; 32]>>;

pub(crate) fn empty() -> Secret {
    Box::new(Zeroizing::new([0; 32]))
}

pub(crate) fn random() -> Secret {
    let mut secret = empty();
    getrandom::fill(&mut **secret).expect("the operating system has randomness");
    secret
}

pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

/// Cost of an Argon2id run, stored beside what it made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

impl Cost {
    /// RFC 9106, section 4, second recommended option.
    pub const PASSPHRASE: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };
    /// The verifier is inside the vault already, and five tries lock it.
    pub const PIN: Self = Self { memory_kib: 4 * 1024, passes: 1, lanes: 1 };

    /// What a vault file may ask for: not less than OWASP's floor, not more than a small laptop has.
    pub fn is_sane(self) -> bool {
        (19 * 1024..=1024 * 1024).contains(&self.memory_kib)
            && (1..=16).contains(&self.passes)
            && (1..=16).contains(&self.lanes)
    }
}

/// Argon2id (RFC 9106) of what was typed.
pub(crate) fn argon2id(typed: &[u8], salt: &[u8], cost: Cost) -> Secret {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).expect("costs were checked");
    let mut out = empty();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(typed, salt, &mut **out)
        .expect("lengths of salt and output are fixed");
    out
}

/// HKDF-SHA256 (RFC 5869) of a master secret, for one purpose; `mixed_in` is the keychain's secret.
pub(crate) fn expand(master: &[u8], mixed_in: Option<&[u8; 32]>, purpose: &str) -> Secret {
    let mut out = empty();
    Hkdf::<Sha256>::new(mixed_in.map(|s| s.as_slice()), master)
        .expand(purpose.as_bytes(), &mut **out)
        .expect("32 bytes are within HKDF's limit");
    out
}

/// Runs `work` on a thread where blocking is allowed and overwrites the stack it used.
pub(crate) async fn secretly<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let task = tokio::task::spawn_blocking(move || {
        let value = work();
        burn_stack();
        value
    });
    match task.await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Runs `work` on this thread and overwrites the stack it used.
pub(crate) fn here<T>(work: impl FnOnce() -> T) -> T {
    #[inline(never)]
    fn deeper<T>(work: impl FnOnce() -> T) -> T {
        work()
    }
    let value = deeper(work);
    burn_stack();
    value
}

/// Overwrites what deeper calls left on this thread's stack.
#[inline(never)]
pub(crate) fn burn_stack() {
    let mut waste = [0_u8; 256 * 1024];
    waste.zeroize();
    std::hint::black_box(&mut waste);
}
