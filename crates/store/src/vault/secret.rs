//! What a person knows. Each prints `[..]` and is wiped when dropped.

use std::{fmt, sync::Arc};

use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, Zeroizing};

/// A passphrase, in one Unicode form (NFKC, blanks at the ends away) so that every keyboard types the same. Clones
/// share one copy.
#[derive(Clone)]
pub struct Passphrase(Arc<Zeroizing<String>>);

impl Passphrase {
    /// Takes and wipes `typed`.
    pub fn new(mut typed: String) -> Self {
        // Room enough that it never moves and leaves a copy behind: the longest expansion is 18 characters of 3 bytes.
        let mut kept = Zeroizing::new(String::with_capacity(typed.chars().count() * 54 + 1));
        kept.extend(typed.trim().nfkc());
        typed.zeroize();
        Self(Arc::new(kept))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[..]")
    }
}

/// A PIN: 4 to 12 digits. It opens the screen, never the vault.
#[derive(Clone)]
pub struct Pin(Arc<Zeroizing<String>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a PIN has 4 to 12 digits")]
pub struct NotAPin;

impl Pin {
    /// Takes and wipes `typed`.
    pub fn new(typed: String) -> Result<Self, NotAPin> {
        let typed = Zeroizing::new(typed);
        let digits = (4..=12).contains(&typed.len()) && typed.bytes().all(|b| b.is_ascii_digit());
        if digits { Ok(Self(Arc::new(typed))) } else { Err(NotAPin) }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[..]")
    }
}
