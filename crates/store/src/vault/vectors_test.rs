//! The test vectors of docs/VAULT.md: what this program derives and opens is what stands there.

use ed25519_dalek::SigningKey;
use rabta_wire::Id;
use serde_json::{Value, json};

use super::{
    Passphrase, RecoveryCode,
    derive::{self, Cost, Secret},
    wrap::{self, Kind, Opener, Wrap},
};
use crate::sqlite::SealedRow;

const PAGE: &str = include_str!("../../../../docs/VAULT.md");

fn vectors() -> Value {
    let (_, rest) = PAGE.split_once("```json vectors\n").expect("the page has vectors");
    let (text, _) = rest.split_once("\n```").expect("their end");
    serde_json::from_str(text).expect("JSON")
}

fn secret(of: &Value, name: &str) -> Secret {
    let mut secret = derive::empty();
    hex::decode_to_slice(text(of, name), &mut **secret).expect("32 bytes in hexadecimal");
    secret
}

fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_else(|| panic!("{name}"))
}

fn id(of: &Value, name: &str) -> Id {
    text(of, name).parse().expect("an id")
}

fn salt(of: &Value) -> [u8; 32] {
    **secret(of, "salt")
}

#[test]
fn the_page_s_vectors_hold() {
    let all = vectors();
    let (vault, person) = (id(&all, "vault"), id(&all, "person"));
    let key = secret(&all, "key");
    let passphrase = Passphrase::new(text(&all, "passphrase").to_owned());
    let code = RecoveryCode::parse(text(&all, "recovery_code").to_owned()).expect("a sound code");
    let by_passphrase = Opener::of_passphrase(passphrase.bytes(), &salt(&all), Cost::PASSPHRASE);
    let by_code = Opener::of_recovery_code(code.bytes(), &salt(&all));
    let person_secret = secret(&all, "person_secret");
    assert_eq!(
        hex::encode(SigningKey::from_bytes(&person_secret).verifying_key().as_bytes()),
        text(&all, "person_public")
    );

    assert_eq!(by_passphrase.person_key_key(), secret(&all, "person_key_key_of_passphrase"));
    assert_eq!(by_code.person_key_key(), secret(&all, "person_key_key_of_recovery_code"));
    assert_eq!(wrap::device_key_key(&key), secret(&all, "device_key_key"));

    for (name, opener) in [
        ("wrap_of_passphrase", &by_passphrase),
        ("wrap_of_recovery_code", &by_code),
        ("wrap_after_a_change_of_the_key", &by_passphrase),
    ] {
        let wrap: Wrap = serde_json::from_value(all[name].clone()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!((wrap.person, wrap.salt()), (person, Some(salt(&all))), "{name}");
        assert_eq!(wrap.open(vault, opener, None).as_ref(), Some(&key), "{name}");
        // Bound to this vault, and to what it says that it is.
        assert_eq!(wrap.open(Id([0; 16]), opener, None), None, "{name} of another vault");
        let kind = if wrap.kind == Kind::Recovery { Kind::Passphrase } else { Kind::Recovery };
        assert_eq!(Wrap { kind, ..wrap }.open(vault, opener, None), None, "{name} of another kind");
    }
}

/// Prints them anew: for another version of the format, beside those that are there.
#[test]
#[ignore = "makes what the page has"]
fn make() {
    let (vault, person) = (Id([0x11; 16]), Id([0x22; 16]));
    let mut key = derive::empty();
    key.copy_from_slice(&[0x33; 32]);
    let mut person_secret = derive::empty();
    person_secret.copy_from_slice(&[0x44; 32]);
    let salt: [u8; 32] = std::array::from_fn(|i| i as u8);
    let said = "barley wind seven lamps";
    let code = RecoveryCode::random();
    let by_passphrase = Opener::of_passphrase(Passphrase::new(said.into()).bytes(), &salt, Cost::PASSPHRASE);
    let by_code = Opener::of_recovery_code(code.bytes(), &salt);
    let public = SigningKey::from_bytes(&person_secret).verifying_key();
    let bound_to = wrap::bound_to(vault, person, "person key");
    let sealed = wrap::seal(&by_passphrase.person_key_key(), &person_secret, &bound_to);
    let row =
        SealedRow { nonce: sealed.nonce.to_vec(), sealed: sealed.bytes, public: public.as_bytes().to_vec() };
    let of_passphrase = Wrap::new(vault, person, Kind::Passphrase, &salt, &by_passphrase, None, &key);
    let changed = of_passphrase.to_another_key(vault, &row, &key).expect("a sound key");
    let made = json!({
        "vault": vault,
        "person": person,
        "key": hex::encode(**key),
        "salt": hex::encode(salt),
        "passphrase": said,
        "recovery_code": code.reveal().to_string(),
        "person_secret": hex::encode(**person_secret),
        "person_public": hex::encode(public.as_bytes()),
        "person_key_key_of_passphrase": hex::encode(**by_passphrase.person_key_key()),
        "person_key_key_of_recovery_code": hex::encode(**by_code.person_key_key()),
        "device_key_key": hex::encode(**wrap::device_key_key(&key)),
        "wrap_of_passphrase": of_passphrase,
        "wrap_of_recovery_code": Wrap::new(vault, person, Kind::Recovery, &salt, &by_code, None, &key),
        "wrap_after_a_change_of_the_key": changed,
    });
    println!("{}", serde_json::to_string_pretty(&made).expect("JSON"));
}
