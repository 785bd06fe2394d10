//! A device's unsent envelopes as a file, for a stick or another machine to carry: sealed for the HIE alone.
//!
//! A sealed file ([`FileError`]) that begins with `rabta handover 1`; inside is the CBOR of a [`Push`], whose envelopes keep
//! their own signatures.

pub use crate::sealed::FileError;
use crate::{Id, log::Push, sealed::Format, shared::SharedSecret};

const FORMAT: Format = Format { magic: b"rabta handover 1\n", purpose: "rabta handover 1" };
/// The largest file, bytes.
pub const MOST: usize = 256_000_000;

/// Seals encoded envelopes. `nonce` must be fresh randomness.
pub fn seal(secret: &SharedSecret, nonce: [u8; 24], push: &Push) -> Vec<u8> {
    FORMAT.seal(secret, nonce, minicbor::to_vec(push).expect("encoding into memory cannot fail"))
}

/// Whose file it says that it is.
pub fn device(file: &[u8]) -> Result<Id, FileError> {
    FORMAT.device(file)
}

/// What is in it, if it is whole and of the device that `secret` is shared with.
pub fn open(secret: &SharedSecret, file: &[u8]) -> Result<Push, FileError> {
    minicbor::decode(&FORMAT.open(secret, file)?).map_err(|_| FileError::Damaged)
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
        assert_eq!(open(&secret(3, 2, 2), &file), Err(FileError::Damaged));
        assert_eq!(open(&secret(1, 2, 3), &file), Err(FileError::Damaged));
        for at in 0..file.len() {
            let mut bent = file.clone();
            bent[at] ^= 0x10;
            assert!(open(&secret(1, 2, 2), &bent).is_err(), "byte {at}");
            assert!(open(&secret(1, 2, 2), &file[..at]).is_err(), "cut at {at}");
        }
        assert_eq!(device(b"%PDF-1.7"), Err(FileError::NotOne));
    }
}
