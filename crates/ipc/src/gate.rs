//! Before the record: language, joining, unlocking.

use serde::{Deserialize, Serialize};

use crate::macros::commands;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    #[default]
    En,
    Ur,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// No vault here yet.
    New,
    /// A passphrase opens it. Which persons can.
    Locked {
        persons: Vec<PersonRef>,
    },
    /// The shell has the key; a PIN opens the window.
    ScreenLocked {
        person: PersonRef,
    },
    /// Set-up is not finished: the recovery code was not asked back yet.
    Recovery {
        person: PersonRef,
    },
    Open {
        person: PersonRef,
    },
    /// Reported, and left exactly as it is. `code` is one of `vault-damaged`, `vault-newer`, `vault-in-use`.
    Broken {
        code: String,
        folder: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRef {
    pub id: String,
    pub name: String,
    /// See `rabta_wire::cert::Subject`.
    pub role: String,
    pub registration: Option<String>,
    pub specialty: Option<String>,
    pub facility: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub phase: Phase,
    /// `None` until somebody chose.
    pub lang: Option<Lang>,
    /// light, dark or empty for the system's.
    pub theme: String,
    pub version: String,
    pub folder: String,
    /// Seconds to wait before the next passphrase, after wrong ones.
    pub wait_seconds: u32,
}

/// What a code is for, as the operator entered it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub facility: String,
    pub name: String,
    pub role: String,
    pub registration: Option<String>,
    pub qualification: Option<String>,
    pub specialty: Option<String>,
    /// Where the HIE is: `host:port`.
    pub hie: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    pub done: u64,
    /// 0 while unknown.
    pub of: u64,
}

commands! {
    GetStatus {} -> Status = "status";
    SetLanguage { lang: Lang } -> () = "set-language";
    SetTheme { theme: String } -> () = "set-theme";
    /// Asks the HIE what the code is for; does not use it up.
    CheckCode { code: String } -> Invitation = "check-code";
    /// Enrolls, makes the vault, starts the first fetch. Replies with the recovery code, shown once.
    Join {
        code: String,
        passphrase: rabta_domain::Private<String>,
        pin: rabta_domain::Private<String>,
    } -> Recovery = "join";
    /// The recovery code as it was asked back.
    ConfirmRecovery { typed: rabta_domain::Private<String> } -> bool = "confirm-recovery";
    /// The recovery code was not confirmed before (the power went): another one; the old one is worth nothing.
    NewRecovery {} -> Recovery = "new-recovery";
    Unlock { person: String, passphrase: rabta_domain::Private<String> } -> () = "unlock";
    /// Opens the screen lock. Five wrong ones lock the vault.
    UnlockPin { pin: rabta_domain::Private<String> } -> () = "unlock-pin";
    /// Opens with the recovery code and sets a new passphrase and PIN for that person.
    UnlockRecovery {
        person: String,
        recovery: rabta_domain::Private<String>,
        passphrase: rabta_domain::Private<String>,
        pin: rabta_domain::Private<String>,
    } -> () = "unlock-recovery";
    LockScreen {} -> () = "lock-screen";
    LockVault {} -> () = "lock-vault";
    /// Somebody is at the keyboard: puts the idle screen lock off.
    Alive {} -> () = "alive";
    /// The page stopped and opens itself again. `at`: function numbers of the program, the innermost first.
    PageStopped { why: PageStop, at: Vec<u32> } -> () = "page-stopped";
}

/// Why a page stopped, as its own watch saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PageStop {
    /// No more room on the stack.
    Stack,
    /// A panic, mostly.
    Unreachable,
    /// Memory that is not the program's.
    Memory,
    /// It waited for an answer that did not come.
    NoAnswer,
    Other,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Recovery {
    pub code: rabta_domain::Private<String>,
}
