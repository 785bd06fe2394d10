//! An error of the shell in a person's words: what happened, what is safe, what to do, and its code in small print.

use leptos::prelude::*;
use rabta_ipc::Error;

use crate::parts::{Banner, Tone};
use crate::words::W;

/// Title and text for a code. Codes that a screen explains in its own place (a wrong PIN) have words here as well.
pub fn words(code: &str) -> (W, W) {
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
        "hie-refused" => (W::ErrHieRefused, W::ErrHieRefusedBody),
        "disk-full" => (W::ErrDiskFull, W::ErrDiskFullBody),
        "stale" => (W::ErrStale, W::ErrStaleBody),
        "not-found" => (W::ErrNotFound, W::ErrNotFoundBody),
        "not-allowed" => (W::ErrNotAllowed, W::ErrNotAllowedBody),
        "no-number-left" => (W::ErrNoNumbers, W::ErrNoNumbersBody),
        "vault-locked" | "screen-locked" => (W::ErrLocked, W::ErrLockedBody),
        "vault-damaged" => (W::DamagedTitle, W::DamagedBody),
        "vault-newer" => (W::NewerTitle, W::NewerBody),
        "vault-in-use" => (W::InUseTitle, W::InUseBody),
        "consent-withdrawn" => (W::ErrWithdrawn, W::ErrWithdrawnBody),
        "consent-missing" => (W::ErrConsent, W::ErrConsentBody),
        "no-camera" => (W::ErrCamera, W::ErrCameraBody),
        "no-microphone" => (W::ErrMicrophone, W::ErrMicrophoneBody),
        "in-a-call" => (W::ErrInCall, W::ErrInCallBody),
        "too-large" => (W::ErrTooLarge, W::ErrTooLargeBody),
        "not-an-image" => (W::ErrNotImage, W::ErrNotImageBody),
        "no-certificate" => (W::PhoneNoPage, W::PhoneNoPageBody),
        "invalid" => (W::ErrInvalid, W::ErrInvalidBody),
        "stops" => (W::ErrStops, W::ErrStopsBody),
        "no-shell" => (W::ErrShell, W::ErrShellBody),
        _ => (W::ErrUnexpected, W::ErrUnexpectedBody),
    }
}

/// Codes after which what was typed may not have been saved: said loudly.
fn tone(code: &str) -> Tone {
    match code {
        "hie-unreachable" | "no-certificate" | "stale" | "not-found" | "invalid" | "stops"
        | "consent-missing" | "in-a-call" | "code-malformed" | "code-expired" | "no-camera"
        | "no-microphone" | "too-large" | "not-an-image" => Tone::Look,
        _ => Tone::Stop,
    }
}

/// The banner for an error. `data-t="error"`, its code readable below.
#[component]
pub fn ErrorBanner(error: Error) -> impl IntoView {
    let (title, body) = words(&error.code);
    let code = match &error.detail {
        Some(detail) => format!("{} \u{00B7} {detail}", error.code),
        None => error.code.clone(),
    };
    view! { <Banner title=title body=body tone=tone(&error.code) code=code t="error" /> }
}

/// An error where there may be one.
#[component]
pub fn MaybeError(#[prop(into)] error: Signal<Option<Error>>) -> impl IntoView {
    move || error.get().map(|error| view! { <ErrorBanner error /> })
}
