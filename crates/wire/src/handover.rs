//! A device's unsent envelopes as a file, for a stick or another machine to carry: sealed for the HIE alone.
//!
//! `rabta handover 1\n`, the device's id (16 bytes), a nonce (24 bytes), then the CBOR of a [`Push`] under
//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) with a key of [`SharedSecret`]; all before the ciphertext is
//! authenticated with it. What is inside keeps its own signatures.

use chacha20poly1305::{AeadInPlace, KeyInit, XChaCha20Poly1305, XNonce};

use crate::{Id, log::Push, shared::SharedSecret};

const MAGIC: &[u8] = b"rabta handover 1\n";
const HEAD: usize = MAGIC.len() + 16 + 24;
const PURPOSE: &str = "rabta handover 1";
/// The largest file, bytes.
pub const MOST: usize = 256_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandoverError {
    #[error("this is no file of a laptop's unsent records")]
    NotOne,
    #[error("the file was cut off or changed, or is of a device of another HIE")]
    Damaged,
}

/// Seals encoded envelopes. `nonce` must be fresh randomness.
pub fn seal(secret: &SharedSecret, nonce: [u8; 24], push: &Push) -> Vec<u8> {
    let mut head = MAGIC.to_vec();
    head.extend_from_slice(&secret.device().0);
    head.extend_from_slice(&nonce);
    let mut bytes = minicbor::to_vec(push).expect("encoding into memory cannot fail");
    XChaCha20Poly1305::new((&*secret.key(PURPOSE)).into())
        .encrypt_in_place(XNonce::from_slice(&nonce), &head, &mut bytes)
        .expect("a file is within the cipher's limit");
    head.extend_from_slice(&bytes);
    head
}

/// Whose file it says that it is.
pub fn device(file: &[u8]) -> Result<Id, HandoverError> {
    if file.len() < HEAD || !file.starts_with(MAGIC) {
        return Err(HandoverError::NotOne);
    }
    Ok(Id(file[MAGIC.len()..MAGIC.len() + 16].try_into().expect("16 bytes")))
}

/// What is in it, if it is whole and of the device that `secret` is shared with.
pub fn open(secret: &SharedSecret, file: &[u8]) -> Result<Push, HandoverError> {
    if device(file)? != secret.device() {
        return Err(HandoverError::Damaged);
    }
    let (head, sealed) = file.split_at(HEAD);
    let mut bytes = sealed.to_vec();
    XChaCha20Poly1305::new((&*secret.key(PURPOSE)).into())
        .decrypt_in_place(XNonce::from_slice(&head[MAGIC.len() + 16..]), head, &mut bytes)
        .map_err(|_| HandoverError::Damaged)?;
    minicbor::decode(&bytes).map_err(|_| HandoverError::Damaged)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::*;

    fn secret(mine: u8, theirs: u8, device: u8) -> SharedSecret {
        let theirs = SigningKey::from_bytes(&[theirs; 32]).verifying_key();
        SharedSecret::between(&SigningKey::from_bytes(&[mine; 32]), &theirs, Id([device; 16])).expect("sound")
    }

    #[test]
    fn only_the_hie_reads_it_and_every_changed_byte_shows() {
        let push = Push { envelopes: vec![vec![1, 2, 3].into(), vec![4; 500].into()] };
        let file = seal(&secret(2, 1, 2), [9; 24], &push);
        assert_eq!(device(&file), Ok(Id([2; 16])));
        assert_eq!(open(&secret(1, 2, 2), &file), Ok(push));
        assert_eq!(open(&secret(3, 2, 2), &file), Err(HandoverError::Damaged));
        assert_eq!(open(&secret(1, 2, 3), &file), Err(HandoverError::Damaged));
        for at in 0..file.len() {
            let mut bent = file.clone();
            bent[at] ^= 0x10;
            assert!(open(&secret(1, 2, 2), &bent).is_err(), "byte {at}");
            assert!(open(&secret(1, 2, 2), &file[..at]).is_err(), "cut at {at}");
        }
        assert_eq!(device(b"%PDF-1.7"), Err(HandoverError::NotOne));
    }
}
