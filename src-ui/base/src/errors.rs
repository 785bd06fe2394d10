//! An error of the shell in a person's words: what happened, what is safe, what to do, and its code in small print.

use rabta_ipc::Error;

use crate::words::W;

/// How much a message weighs. Each has its own sign besides its color.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Info,
    /// Look at this.
    Look,
    /// Danger, or something that failed.
    Stop,
}

/// Title and text for a code. Codes that a screen explains in its own place (a wrong PIN) have words here as well.
pub fn words(code: &str) -> (W, W) {
    match code {
        "stale" => (W::ErrStale, W::ErrStaleBody),
        "no-number-left" => (W::ErrNoNumbers, W::ErrNoNumbersBody),
        "last-person" => (W::ErrLastPerson, W::ErrLastPersonBody),
        "no-medicines" => (W::ErrNoMedicines, W::ErrNoMedicinesBody),
        "consent-withdrawn" => (W::ErrWithdrawn, W::ErrWithdrawnBody),
        "consent-missing" => (W::ErrConsent, W::ErrConsentBody),
        "no-camera" => (W::ErrCamera, W::ErrCameraBody),
        "no-microphone" => (W::ErrMicrophone, W::ErrMicrophoneBody),
        "too-large" => (W::ErrTooLarge, W::ErrTooLargeBody),
        "not-an-image" => (W::ErrNotImage, W::ErrNotImageBody),
        "no-certificate" => (W::PhoneNoPage, W::PhoneNoPageBody),
        "stops" => (W::ErrStops, W::ErrStopsBody),
        "update-none" => (W::ErrUpdNone, W::ErrUpdNoneBody),
        "update-signature" => (W::ErrUpdSign, W::ErrUpdSignBody),
        "update-older" => (W::ErrUpdOlder, W::ErrUpdOlderBody),
        "update-damaged" => (W::ErrUpdDamaged, W::ErrUpdDamagedBody),
        "update-not-writable" => (W::ErrUpdWrite, W::ErrUpdWriteBody),
        "not-a-number" => (W::ErrNotNumber, W::ErrNotNumberBody),
        "slow-down" => (W::ErrSlowDown, W::ErrSlowDownBody),
        "backup-place" => (W::ErrBackupPlace, W::ErrBackupPlaceBody),
        "backup-full" => (W::ErrBackupFull, W::ErrBackupFullBody),
        "stick-place" => (W::ErrStickPlace, W::ErrStickPlaceBody),
        "stick-full" => (W::ErrStickFull, W::ErrStickFullBody),
        "backup-not-read-back" => (W::ErrBackupBack, W::ErrBackupBackBody),
        "key-unchanged" => (W::ErrKeySame, W::ErrKeySameBody),
        "device-copied" => (W::CopiedTitle, W::CopiedBody),
        "emergency-over" => (W::ErrEmergencyOver, W::ErrEmergencyOverBody),
        "emergency-read-only" => (W::ErrReadOnly, W::ErrReadOnlyBody),
        "emergency-not-needed" => (W::ErrNotNeeded, W::ErrNotNeededBody),
        _ => words_at_the_gate(code),
    }
}

/// Of [`words`], what can happen before the record shows: the gate carries no others.
pub fn words_at_the_gate(code: &str) -> (W, W) {
    match code {
        "wrong-passphrase" => (W::WrongPass, W::UnlockBody),
        "wrong-pin" => (W::WrongPin, W::ScreenLockedBody),
        "hie-unreachable" => (W::ErrUnreachable, W::ErrUnreachableBody),
        "code-malformed" => (W::ErrCodeMalformed, W::ErrCodeMalformedBody),
        "code-unknown" => (W::ErrCodeUnknown, W::ErrCodeUnknownBody),
        "code-used" => (W::ErrCodeUsed, W::ErrCodeUsedBody),
        "code-expired" => (W::ErrCodeExpired, W::ErrCodeExpiredBody),
        "hie-key-changed" => (W::ErrHieKey, W::ErrHieKeyBody),
        "hie-disk-full" => (W::ErrHieDisk, W::ErrHieDiskBody),
        "hie-unreadable" => (W::ErrHieUnreadable, W::ErrHieUnreadableBody),
        "hie-refused" => (W::ErrHieRefused, W::ErrHieRefusedBody),
        "disk-full" => (W::ErrDiskFull, W::ErrDiskFullBody),
        "not-found" => (W::ErrNotFound, W::ErrNotFoundBody),
        "other-facility" => (W::ErrOtherFacility, W::ErrOtherFacilityBody),
        "person-known" => (W::ErrPersonKnown, W::ErrPersonKnownBody),
        "passphrase-first" => (W::ErrPassFirst, W::ErrPassFirstBody),
        "wrong-recovery" => (W::WrongRecovery, W::UseRecoveryBody),
        "training" => (W::ErrTraining, W::ErrTrainingBody),
        "lease-ended" => (W::LeaseTitle, W::LeaseBody),
        "device-revoked" => (W::RevokedTitle, W::RevokedBody),
        "nothing-unsent" => (W::ErrNothingUnsent, W::ErrNothingUnsentBody),
        "not-allowed" => (W::ErrNotAllowed, W::ErrNotAllowedBody),
        "vault-locked" | "screen-locked" => (W::ErrLocked, W::ErrLockedBody),
        "vault-damaged" => (W::DamagedTitle, W::DamagedBody),
        "vault-newer" => (W::NewerTitle, W::NewerBody),
        "vault-in-use" => (W::InUseTitle, W::InUseBody),
        "in-a-call" => (W::ErrInCall, W::ErrInCallBody),
        "backup-none" => (W::ErrBackupNone, W::ErrBackupNoneBody),
        "backup-newer" => (W::ErrBackupNewer, W::ErrBackupNewerBody),
        "backup-damaged" => (W::ErrBackupDamaged, W::ErrBackupDamagedBody),
        "backup-secret" => (W::ErrBackupSecret, W::ErrBackupSecretBody),
        "other-person" => (W::ErrOtherPerson, W::ErrOtherPersonBody),
        "invalid" => (W::ErrInvalid, W::ErrInvalidBody),
        "no-shell" => (W::ErrShell, W::ErrShellBody),
        _ => (W::ErrUnexpected, W::ErrUnexpectedBody),
    }
}

/// Codes after which what was typed may not have been saved: said loudly.
pub fn tone(code: &str) -> Tone {
    match code {
        "last-person"
        | "hie-unreachable"
        | "no-certificate"
        | "stale"
        | "not-found"
        | "invalid"
        | "stops"
        | "consent-missing"
        | "in-a-call"
        | "code-malformed"
        | "code-expired"
        | "other-facility"
        | "backup-none"
        | "backup-newer"
        | "backup-damaged"
        | "backup-secret"
        | "backup-place"
        | "backup-full"
        | "stick-place"
        | "stick-full"
        | "other-person"
        | "person-known"
        | "passphrase-first"
        | "training"
        | "nothing-unsent"
        | "no-camera"
        | "no-microphone"
        | "not-a-number"
        | "slow-down"
        | "emergency-over"
        | "emergency-read-only"
        | "emergency-not-needed"
        | "too-large"
        | "not-an-image"
        | "update-none"
        | "update-not-writable" => Tone::Look,
        _ => Tone::Stop,
    }
}

/// The code, and what else support may ask for.
pub fn small_print(error: &Error) -> String {
    match &error.detail {
        Some(detail) => [error.code.as_str(), detail].join(" \u{00B7} "),
        None => error.code.clone(),
    }
}
