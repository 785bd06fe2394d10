//! Which page comes: from the shell's phase, and from the address.

use rabta_ipc::Error;
use rabta_ipc::gate::{BackupRow, PersonRef, Phase, Progress};

/// Of `rabta_ipc::Event`, what concerns the gate.
#[derive(Debug, PartialEq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Heard {
    Locked,
    FirstPull { progress: Progress },
}

/// What the gate asks now.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Loading,
    Language,
    Code,
    Confirm,
    Passphrase,
    Pin,
    RecoveryShow,
    RecoveryAsk,
    Pull,
    /// Which backup.
    Restore,
    /// What opens it, and what makes this laptop known.
    RestoreWith(BackupRow),
    Unlock,
    ScreenLock(PersonRef),
    UseRecovery(PersonRef),
    /// Who takes over.
    Switch,
    /// Another passphrase for who is at work.
    NewPassphrase,
    NewPin,
    /// More days without the health exchange, by telephone.
    MoreDays,
    LeaseEnded {
        device: String,
        challenge: String,
        /// In place of letters for which too many codes were wrong.
        another: bool,
    },
    Revoked {
        device: String,
        unsent: u32,
        visits: u32,
    },
    Broken {
        code: String,
        folder: String,
    },
    /// The shell did not answer.
    Failed(Error),
}

impl Step {
    /// The page's name, as on `<html data-screen>`.
    pub fn screen(&self) -> &'static str {
        match self {
            Step::Loading => "starting",
            Step::Language => "gate-language",
            Step::Code => "gate-code",
            Step::Confirm => "gate-confirm",
            Step::Passphrase => "gate-passphrase",
            Step::Pin => "gate-pin",
            Step::RecoveryShow => "gate-recovery",
            Step::RecoveryAsk => "gate-recovery-ask",
            Step::Pull => "gate-pull",
            Step::Restore => "restore",
            Step::RestoreWith(_) => "restore-with",
            Step::Unlock => "unlock",
            Step::ScreenLock(_) => "screen-lock",
            Step::UseRecovery(_) => "use-recovery",
            Step::Switch => "switch",
            Step::NewPassphrase => "new-passphrase",
            Step::NewPin => "new-pin",
            Step::MoreDays => "more-days",
            Step::LeaseEnded { .. } => "lease-ended",
            Step::Revoked { .. } => "revoked",
            Step::Broken { .. } => "broken",
            Step::Failed(_) => "failed",
        }
    }
}

/// The page for a phase. `None`: the app. `shown`: a recovery code is still there to be shown.
pub fn next(phase: &Phase, lang_chosen: bool, shown: bool, hash: &str) -> Option<Step> {
    Some(match phase.clone() {
        Phase::New if !lang_chosen => Step::Language,
        Phase::New => Step::Code,
        Phase::Locked { .. } => Step::Unlock,
        Phase::ScreenLocked { person } => Step::ScreenLock(person),
        Phase::Recovery { .. } if shown => Step::RecoveryShow,
        Phase::Recovery { .. } => Step::RecoveryAsk,
        Phase::Open { .. } if hash.starts_with("#switch") => Step::Switch,
        Phase::Open { .. } if hash.starts_with("#add-person") => Step::Code,
        Phase::Open { .. } if hash.starts_with("#new-passphrase") => Step::NewPassphrase,
        Phase::Open { .. } if hash.starts_with("#new-pin") => Step::NewPin,
        Phase::Open { person } if hash.starts_with("#start-anew") => Step::RestoreWith(BackupRow {
            path: String::new(),
            made_at: 0,
            bytes: 0,
            persons: vec![person.name],
        }),
        Phase::Open { .. } if hash.starts_with("#more-days") => Step::MoreDays,
        Phase::Open { .. } => return None,
        Phase::LeaseEnded { device, challenge, .. } => Step::LeaseEnded { device, challenge, another: false },
        Phase::Revoked { device, unsent, visits, .. } => Step::Revoked { device, unsent, visits },
        Phase::Broken { code, folder } => Step::Broken { code, folder },
    })
}

/// The app's place in the gate's address: `#/patient/1` of `#/patient/1`, and of `#switch#/patient/1`.
pub fn place(hash: &str) -> Option<&str> {
    hash.find("#/").map(|at| &hash[at..]).filter(|place| place.len() > 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lean;

    fn person() -> PersonRef {
        PersonRef {
            id: "1".into(),
            name: "Dr Ayesha Khan".into(),
            role: "doctor".into(),
            registration: None,
            specialty: None,
            facility: "RHC Chak 42".into(),
        }
    }

    #[test]
    fn the_gate_hears_what_the_shell_says() {
        let json = |event: &rabta_ipc::Event| serde_json::to_string(event).expect("written");
        let pull = rabta_ipc::Event::FirstPull { progress: Progress { done: 340, of: 1000 } };
        let progress = Progress { done: 340, of: 1000 };
        assert_eq!(lean::read(&json(&pull)), Ok(Heard::FirstPull { progress }));
        assert_eq!(lean::read(&json(&rabta_ipc::Event::Locked)), Ok(Heard::Locked));
        assert!(lean::read::<Heard>(&json(&rabta_ipc::Event::DiskFull)).is_err());
    }

    #[test]
    fn an_open_vault_is_the_app_s_unless_the_address_asks_for_a_page_here() {
        let open = Phase::Open { person: person() };
        assert_eq!(next(&open, true, false, "#/patient/1"), None);
        assert_eq!(next(&open, true, false, "#switch#/patient/1"), Some(Step::Switch));
        assert_eq!(next(&open, true, false, "#add-person"), Some(Step::Code));
        assert_eq!(next(&open, true, false, "#new-passphrase#/me"), Some(Step::NewPassphrase));
        assert_eq!(next(&open, true, false, "#new-pin#/me"), Some(Step::NewPin));
        assert_eq!(next(&open, true, false, "#more-days#/me"), Some(Step::MoreDays));
        let locked = Phase::ScreenLocked { person: person() };
        assert_eq!(next(&locked, true, false, "#switch"), Some(Step::ScreenLock(person())));
        let revoked = Phase::Revoked { person: person(), device: "d".into(), unsent: 3, visits: 1 };
        assert_eq!(
            next(&revoked, true, false, "#switch"),
            Some(Step::Revoked { device: "d".into(), unsent: 3, visits: 1 })
        );
    }

    #[test]
    fn the_way_back_is_the_app_s_own_place() {
        assert_eq!(place("#/patient/1"), Some("#/patient/1"));
        assert_eq!(place("#switch#/patient/1"), Some("#/patient/1"));
        assert_eq!(place("#switch"), None);
        assert_eq!(place("#/"), None);
    }
}
