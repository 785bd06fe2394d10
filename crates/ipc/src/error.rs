use serde::{Deserialize, Serialize};

/// What went wrong, as a stable code that the window puts into words.
///
/// Codes: `wrong-passphrase`, `wrong-pin`, `wait` (with `seconds`), `vault-damaged`, `vault-newer`, `vault-in-use`,
/// `vault-locked`, `screen-locked`, `code-malformed`, `code-unknown`, `code-used`, `code-expired`, `hie-unreachable`,
/// `hie-key-changed`, `hie-refused`, `disk-full`, `not-found`, `stale` (somebody else saved meanwhile),
/// `cnic-used`, `invalid` (with `field`), `stops` (findings stop the signature), `not-allowed` (by role or by the ask's
/// table), `no-number-left` (MR block used up), `consent-missing`, `no-camera`, `no-microphone`, `in-a-call`,
/// `passphrase-first` (a PIN is not enough yet), `last-person`, `person-known` (is at this laptop already),
/// `other-facility` (the code is for another facility or HIE), `wrong-recovery`, `wrong-lease-code` (tries left as
/// `detail`), `lease-ended`, `device-revoked`, `training` (not in the training vault), `nothing-unsent`,
/// `update-none` (the HIE offers none for this laptop), `update-signature`, `update-older`, `update-damaged`, `update-not-writable`,
/// `not-a-number` (no whole identity card or MR number), `slow-down` (too many lookups), `emergency-over`,
/// `emergency-not-needed`, `emergency-read-only` (another facility's record, open for a time), `too-large`, `backup-none`, `backup-newer`, `backup-damaged`,
/// `backup-place` (no folder that can be written to), `backup-full` (no room at that place), `backup-not-read-back`, `backup-secret` (neither
/// the recovery code nor the passphrase of that backup), `other-person` (the code is for somebody whom the backup does not know),
/// `stick-place` (no stick that can be written to), `stick-full`, `key-unchanged` (somebody was removed, but the vault's key is the old one still), `not-an-image`, `no-certificate` (no page that phones can open), `unexpected`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    pub code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The other side's own words, or small print for support. Never a patient's data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Error {
    pub fn new(code: &str) -> Self {
        Self { code: code.to_owned(), seconds: None, field: None, detail: None }
    }

    pub fn wait(code: &str, seconds: u32) -> Self {
        Self { seconds: Some(seconds), ..Self::new(code) }
    }

    pub fn field(code: &str, field: &str) -> Self {
        Self { field: Some(field.to_owned()), ..Self::new(code) }
    }

    pub fn detail(code: &str, detail: impl std::fmt::Display) -> Self {
        Self { detail: Some(detail.to_string()), ..Self::new(code) }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.code)
    }
}

impl std::error::Error for Error {}
