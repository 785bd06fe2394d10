use std::path::Path;

use rabta_wire::Id;

use super::{wrap::Wrap, *};

const NOW: i64 = 1_700_000_000_000;

fn id(n: u8) -> Id {
    Id([n; 16])
}

fn person(n: u8) -> Person {
    Person { id: id(n), name: format!("Dr {n}"), role: "doctor".into() }
}

fn said(n: u8) -> Passphrase {
    Passphrase::new(format!("barley wind seven lamps {n}"))
}

fn pin(n: u8) -> Pin {
    Pin::new(format!("{n}{n}{n}{n}")).expect("digits")
}

async fn add(vault: &OpenVault, n: u8) -> Result<RecoveryCode, CreateError> {
    let (key, passphrase, pin) = (NewcomerKey::random(), said(n), pin(n));
    let new = Newcomer {
        person: person(n),
        key: &key,
        passphrase: &passphrase,
        pin: &pin,
        keychain: None,
        passphrase_alone: true,
    };
    vault.add_person(new).await
}

/// A vault of the persons 1, 2 and 3, and their recovery codes.
async fn of_three(dir: &Path) -> (OpenVault, Vec<RecoveryCode>) {
    let passphrase = said(1);
    let new = NewVault {
        vault: id(9),
        purpose: Use::Clinic,
        person: person(1),
        passphrase: &passphrase,
        keychain: None,
        passphrase_alone: true,
    };
    let (vault, first) = Vault::create(dir, new).await.expect("a new vault");
    vault.set_pin(&pin(1)).await.expect("set");
    let codes = vec![
        first,
        add(&vault, 2).await.expect("the second joins"),
        add(&vault, 3).await.expect("the third joins"),
    ];
    (vault, codes)
}

async fn unlock(dir: &Path, n: u8) -> Result<OpenVault, UnlockError> {
    Vault::unlock(dir, id(n), &said(n), None, NOW).await
}

fn wraps(dir: &Path, n: u8) -> Vec<Wrap> {
    let file = file::VaultFile::read(&file::Paths::new(dir)).ok().expect("readable");
    file.wraps.into_iter().filter(|wrap| wrap.person == id(n)).collect()
}

#[tokio::test]
async fn each_of_three_opens_the_vault_and_signs_as_themselves() {
    let dir = tempfile::tempdir().expect("a folder");
    let (vault, codes) = of_three(dir.path()).await;
    assert!(matches!(add(&vault, 2).await, Err(CreateError::Exists)));
    assert_eq!(vault.person(), Ok(id(1)), "the session stays who it is");
    let wrong = vault.enter(id(2), &said(1), None, NOW).await;
    assert!(matches!(wrong, Err(UnlockError::WrongPassphrase { .. })));
    let mut keys = Vec::new();
    for n in 1..=3 {
        vault.enter(id(n), &said(n), None, NOW).await.expect("entered");
        let signer = vault.signer().expect("open");
        assert_eq!(signer.person(), id(n));
        keys.push(signer.key().verifying_key());
    }
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
    vault.lock().await;
    for n in 1..=3_u8 {
        let vault = unlock(dir.path(), n).await.expect("their own way in");
        assert_eq!(vault.signer().expect("open").key().verifying_key(), keys[usize::from(n) - 1]);
        assert_eq!(vault.persons().expect("readable").len(), 3);
        vault.lock().await;
        let vault = Vault::unlock_with_recovery(dir.path(), &codes[usize::from(n) - 1], NOW)
            .await
            .expect("their own code");
        assert_eq!(vault.person(), Ok(id(n)));
        assert_eq!(vault.signer().expect("open").key().verifying_key(), keys[usize::from(n) - 1]);
        vault.lock().await;
    }
}

#[tokio::test]
async fn a_changed_passphrase_and_a_used_recovery_code_leave_the_others_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let (vault, codes) = of_three(dir.path()).await;
    vault.enter(id(2), &said(2), None, NOW).await.expect("entered");
    let others = (wraps(dir.path(), 1), wraps(dir.path(), 3));
    let key = vault.signer().expect("open").key().verifying_key();
    let changed = Passphrase::new("quite another one".into());
    vault.set_passphrase(&changed, None, true).await.expect("changed");
    vault.lock().await;
    assert_eq!((wraps(dir.path(), 1), wraps(dir.path(), 3)), others);
    assert!(matches!(unlock(dir.path(), 2).await, Err(UnlockError::WrongPassphrase { .. })));
    let vault = Vault::unlock(dir.path(), id(2), &changed, None, NOW).await.expect("the new one");
    assert_eq!(vault.signer().expect("open").key().verifying_key(), key);
    vault.lock().await;

    // The third forgot theirs.
    let vault = Vault::unlock_with_recovery(dir.path(), &codes[2], NOW).await.expect("the code");
    assert_eq!(vault.person(), Ok(id(3)));
    let fresh = Passphrase::new("written on no paper".into());
    vault.set_passphrase(&fresh, None, true).await.expect("changed");
    vault.lock().await;
    assert_eq!(wraps(dir.path(), 1), others.0);
    unlock(dir.path(), 1).await.expect("the first as ever").lock().await;
    Vault::unlock(dir.path(), id(2), &changed, None, NOW).await.expect("the second too").lock().await;
    Vault::unlock(dir.path(), id(3), &fresh, None, NOW).await.expect("and the third").lock().await;
    let again = Vault::unlock_with_recovery(dir.path(), &codes[2], NOW).await.expect("the code stays good");
    let code = again.renew_recovery_code().await.expect("another");
    again.lock().await;
    assert!(matches!(
        Vault::unlock_with_recovery(dir.path(), &codes[2], NOW).await,
        Err(UnlockError::WrongRecoveryCode { .. })
    ));
    for code in [&code, &codes[0], &codes[1]] {
        Vault::unlock_with_recovery(dir.path(), code, NOW).await.expect("good").lock().await;
    }
}

#[tokio::test]
async fn by_pin_only_who_gave_the_passphrase_since_the_vault_was_opened() {
    let dir = tempfile::tempdir().expect("a folder");
    let (vault, _) = of_three(dir.path()).await;
    assert!(matches!(vault.enter_by_pin(id(2), &pin(2)).await, Err(PinError::PassphraseFirst)));
    assert_eq!(vault.has_given_passphrase(id(2)), Ok(false));
    vault.enter(id(2), &said(2), None, NOW).await.expect("entered");
    vault.screen_lock();
    vault.enter_by_pin(id(1), &pin(1)).await.expect("back by PIN");
    assert_eq!(vault.signer().expect("free").person(), id(1));
    vault.enter_by_pin(id(2), &pin(2)).await.expect("and over by PIN");
    assert_eq!(vault.signer().expect("free").person(), id(2));
    assert!(matches!(vault.enter_by_pin(id(1), &pin(2)).await, Err(PinError::Wrong { left: 4 })));
    assert_eq!(vault.person(), Ok(id(2)), "a wrong PIN changes nothing");
    vault.lock().await;
    let vault = unlock(dir.path(), 2).await.expect("open");
    assert!(matches!(vault.enter_by_pin(id(1), &pin(1)).await, Err(PinError::PassphraseFirst)));
    vault.lock().await;
}

#[tokio::test]
async fn ones_own_pin_earns_no_guesses_at_a_colleagues() {
    let dir = tempfile::tempdir().expect("a folder");
    let (vault, _) = of_three(dir.path()).await;
    vault.enter(id(2), &said(2), None, NOW).await.expect("entered");
    for left in [4, 3, 2, 1] {
        let wrong = vault.enter_by_pin(id(1), &pin(7)).await;
        assert!(matches!(wrong, Err(PinError::Wrong { left: l }) if l == left), "{wrong:?}");
        vault.screen_unlock(&pin(2)).await.expect("one's own");
    }
    assert!(matches!(vault.enter_by_pin(id(1), &pin(7)).await, Err(PinError::VaultLocked)));
    assert!(vault.is_locked());
}

#[tokio::test]
async fn somebody_leaves_and_the_others_stay() {
    let dir = tempfile::tempdir().expect("a folder");
    let (vault, codes) = of_three(dir.path()).await;
    vault.enter(id(3), &said(3), None, NOW).await.expect("entered");
    vault.enter(id(1), &said(1), None, NOW).await.expect("back");
    assert!(matches!(vault.remove_person(id(1)).await, Err(RemoveError::Oneself)));
    assert!(matches!(vault.remove_person(id(7)).await, Err(RemoveError::Unknown)));
    vault.remove_person(id(3)).await.expect("gone");
    assert!(matches!(vault.enter_by_pin(id(3), &pin(3)).await, Err(PinError::PassphraseFirst)));
    assert!(matches!(vault.enter(id(3), &said(3), None, NOW).await, Err(UnlockError::UnknownPerson)));
    assert_eq!(vault.person_public(id(3)).await.expect("read"), None);
    vault.lock().await;
    assert!(matches!(unlock(dir.path(), 3).await, Err(UnlockError::UnknownPerson)));
    assert!(matches!(
        Vault::unlock_with_recovery(dir.path(), &codes[2], NOW).await,
        Err(UnlockError::WrongRecoveryCode { .. })
    ));
    let vault = unlock(dir.path(), 2).await.expect("the others open it");
    vault.remove_person(id(1)).await.expect("gone");
    assert!(matches!(vault.remove_person(id(2)).await, Err(RemoveError::Last)));
    vault.lock().await;
    unlock(dir.path(), 2).await.expect("the last one opens it").lock().await;
}

#[tokio::test]
async fn a_vault_for_training_says_so_to_everybody_who_looks() {
    let dir = tempfile::tempdir().expect("a folder");
    let passphrase = said(1);
    let new = NewVault {
        vault: id(9),
        purpose: Use::Training,
        person: person(1),
        passphrase: &passphrase,
        keychain: None,
        passphrase_alone: true,
    };
    let (vault, _) = Vault::create(dir.path(), new).await.expect("a new vault");
    assert_eq!(vault.purpose(), Use::Training);
    vault.lock().await;
    assert!(matches!(Vault::inspect(dir.path()), VaultState::Training(_)));
    let vault = unlock(dir.path(), 1).await.expect("open");
    assert_eq!(vault.purpose(), Use::Training);
    vault.lock().await;
}
