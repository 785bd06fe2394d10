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
    /// For too many days of use nothing was heard from the HIE. The operator reads out a code for `challenge`
    /// ([`RenewLease`]), or the laptop reaches the HIE; nothing is deleted, and nothing is shown until then.
    LeaseEnded {
        person: PersonRef,
        /// What the operator asks for first.
        device: String,
        /// Eight letters and digits, `ABCD-EFGH`.
        challenge: String,
    },
    /// The operator revoked this laptop. Its records are not shown any more; what was not sent is still here, is
    /// listed by `GetSync` and can be handed over ([`ExportUnsent`]).
    Revoked {
        person: PersonRef,
        device: String,
        /// Records that are on this laptop only, and of those, visits.
        unsent: u32,
        visits: u32,
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
    /// This is the training vault: invented patients, no way to the HIE. Every screen says so.
    #[serde(default)]
    pub training: bool,
    /// While the vault is open: who may take over at this laptop, the one at work included.
    #[serde(default)]
    pub people: Vec<Member>,
}

/// Somebody with a way into the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub person: PersonRef,
    /// Gave the passphrase since the vault was opened: a PIN is enough ([`SwitchPerson`]).
    pub pin: bool,
    /// Is at work now.
    pub active: bool,
}

/// How long the laptop may still go without the HIE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseView {
    /// Days of use that are left, rounded up; a day of use is eight hours with the vault open.
    pub days_left: u32,
    /// Days of use that the HIE granted last.
    pub days: u32,
}

/// What to read out to the operator, who tells a code for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseAsk {
    pub device: String,
    /// Eight letters and digits, `ABCD-EFGH`; it stays until a code was taken or the HIE answered.
    pub challenge: String,
}

/// What was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedOver {
    /// Its path. Only the HIE can read it.
    pub file: String,
    pub records: u32,
    pub visits: u32,
}

/// A backup of a vault, as far as anybody may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupRow {
    /// The path of its folder.
    pub path: String,
    /// Milliseconds since 1970 by the clock of the laptop that made it.
    pub made_at: i64,
    pub bytes: u64,
    /// Names of those whose recovery code or passphrase opens it.
    pub persons: Vec<String>,
}

/// Where a backup could go, how far the running one is, and the last one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupView {
    /// The sticks that are plugged in.
    pub places: Vec<String>,
    /// `copying` or `checking` (reading back); empty while none runs.
    pub doing: String,
    /// Bytes.
    pub progress: Progress,
    /// Milliseconds since 1970.
    pub last_at: Option<i64>,
    /// The last one's path.
    pub last: String,
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
    /// Opens the vault; in an open one, a person comes back without the PIN or takes over from another.
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
    /// Takes over by PIN. `passphrase-first` where this person did not give it since the vault was opened; `in-a-call`
    /// while another's call runs. Five wrong PINs lock the vault.
    SwitchPerson { person: String, pin: rabta_domain::Private<String> } -> () = "switch-person";
    /// The next person joins this laptop by their own code. Needs the right to. Replies with that person's recovery
    /// code, shown once; it is asked back by `ConfirmRecovery` now, or when they first unlock.
    AddPerson {
        code: String,
        passphrase: rabta_domain::Private<String>,
        pin: rabta_domain::Private<String>,
    } -> Recovery = "add-person";
    /// Takes somebody's ways into this vault away. Needs the right to; never the last one, never oneself.
    RemovePerson { person: String } -> () = "remove-person";
    /// A new passphrase for who is at work; the old one is asked.
    ChangePassphrase {
        passphrase: rabta_domain::Private<String>,
        new: rabta_domain::Private<String>,
    } -> () = "change-passphrase";
    /// A new PIN for who is at work; the passphrase is asked.
    ChangePin { passphrase: rabta_domain::Private<String>, pin: rabta_domain::Private<String> } -> () = "change-pin";
    GetLease {} -> LeaseView = "lease";
    /// What to read out for a code before the lease has ended: where no network is expected for weeks.
    AskLease {} -> LeaseAsk = "ask-lease";
    /// The code that the operator read out, for the challenge that was shown last; `not-allowed` where none was, and on
    /// a revoked laptop. `wrong-lease-code` with the tries that are left as `detail`; after the last
    /// one the laptop shows another challenge.
    RenewLease { code: String } -> LeaseView = "renew-lease";
    /// Writes what was not sent to a file that only the HIE can read.
    ExportUnsent {} -> HandedOver = "export-unsent";
    GetBackup {} -> BackupView = "backup";
    /// Copies the vault into a new folder in `place`, reads it back, and keeps the newest two there. Records are written
    /// meanwhile. `backup-place`, `backup-full`, `backup-not-read-back`.
    BackUp { place: String } -> BackupRow = "back-up";
    /// The backups in a folder, or where `place` is empty on every stick that is plugged in; newest first. Where there is
    /// none that this program can take: `backup-none`, `backup-newer`, `backup-damaged`.
    ListBackups { place: String } -> Vec<BackupRow> = "list-backups";
    /// From the first screen: this laptop takes a backup's records and becomes a new device of that facility by the
    /// operator's `code`. `given`: the recovery code or the passphrase that opened the lost laptop, of the person whom the
    /// code is for. Replies with the new recovery code, shown once. `backup-secret`, `other-person`, `other-facility`.
    /// An empty `backup` is this laptop's own open vault, where the HIE saw two copies of it.
    Restore {
        backup: String,
        code: String,
        given: rabta_domain::Private<String>,
        passphrase: rabta_domain::Private<String>,
        pin: rabta_domain::Private<String>,
    } -> Recovery = "restore";
    /// Encrypts the vault under a new key. Everybody's passphrase and recovery code stay as they are.
    ChangeKey {} -> () = "change-key";
    /// Opens the training vault, and makes it where there is none. From the first screen or a locked vault.
    OpenTraining {} -> () = "open-training";
    /// Everything in the training vault as it was at first.
    ResetTraining {} -> () = "reset-training";
    /// Back to where one came from.
    LeaveTraining {} -> () = "leave-training";
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
