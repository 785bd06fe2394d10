//! The operating system's keychain, where there is one: a second secret beside the passphrase.
//!
//! Keychains vanish between boots, are absent on many rural machines, and a locked one asks a person: so everything
//! here gives up after a moment, and the vault keeps a way in that does without.

use std::time::Duration;

use keyring::v1::Entry;
use rabta_store::vault::KeychainSecret;
use rabta_wire::Id;
use zeroize::Zeroizing;

const SERVICE: &str = "org.rabta.clinic";
const PATIENCE: Duration = Duration::from_secs(3);

/// The secret that [`make`] left for this person; `None` where there is none or nobody answers.
pub(crate) async fn read(person: Id) -> Option<KeychainSecret> {
    quickly(move || {
        let text = Zeroizing::new(Entry::new(SERVICE, &person.to_string()).ok()?.get_password().ok()?);
        let mut secret = Zeroizing::new([0; 32]);
        // As hexadecimal text: some keychains keep UTF-8 only.
        hex::decode_to_slice(text.as_bytes(), &mut *secret).ok()?;
        Some(secret)
    })
    .await
}

/// Leaves a new secret there; `None` where there is no keychain.
pub(crate) async fn make(person: Id) -> Option<KeychainSecret> {
    quickly(move || {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *secret).ok()?;
        let text = Zeroizing::new(hex::encode(*secret));
        Entry::new(SERVICE, &person.to_string()).ok()?.set_password(&text).ok()?;
        Some(secret)
    })
    .await
}

/// Takes the secret of somebody who left this laptop away, where there is one.
pub(crate) async fn forget(person: Id) {
    quickly(move || {
        Entry::new(SERVICE, &person.to_string()).ok()?.delete_credential().ok()?;
        None
    })
    .await;
}

async fn quickly(work: impl FnOnce() -> Option<KeychainSecret> + Send + 'static) -> Option<KeychainSecret> {
    let answer = tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(work)).await;
    answer.ok()?.ok()?
}
