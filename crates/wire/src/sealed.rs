//! A file between one HIE and one of its devices, which nobody else reads and nobody changes unseen.
//!
//! A line of text that says which kind it is, the device's id (16 bytes), a nonce (24 bytes), then the body under
//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) with a key of [`SharedSecret`]; all before the ciphertext is
//! authenticated with it.

use chacha20poly1305::{AeadInPlace, KeyInit, XChaCha20Poly1305, XNonce};

use crate::{Id, shared::SharedSecret};

const DEVICE: usize = 16;
const NONCE: usize = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error("this is no file of a laptop for its HIE")]
    NotOne,
    #[error("the file was cut off or changed, or is of a device of another HIE")]
    Damaged,
}

/// A kind of file.
pub(crate) struct Format {
    /// What it begins with, a line.
    pub magic: &'static [u8],
    /// What its key is for, one for each kind and direction.
    pub purpose: &'static str,
}

impl Format {
    /// Seals `body`. `nonce` must be fresh randomness.
    pub fn seal(&self, secret: &SharedSecret, nonce: [u8; NONCE], mut body: Vec<u8>) -> Vec<u8> {
        let mut file = self.magic.to_vec();
        file.extend_from_slice(&secret.device().0);
        file.extend_from_slice(&nonce);
        XChaCha20Poly1305::new((&*secret.key(self.purpose)).into())
            .encrypt_in_place(XNonce::from_slice(&nonce), &file, &mut body)
            .expect("a file is within the cipher's limit");
        file.extend_from_slice(&body);
        file
    }

    /// Whose file it says that it is.
    pub fn device(&self, file: &[u8]) -> Result<Id, FileError> {
        let head = file.strip_prefix(self.magic).ok_or(FileError::NotOne)?;
        if head.len() < DEVICE + NONCE {
            return Err(FileError::NotOne);
        }
        Ok(Id(head[..DEVICE].try_into().expect("16 bytes")))
    }

    /// The body, if it is whole and of the device that `secret` is shared with.
    pub fn open(&self, secret: &SharedSecret, file: &[u8]) -> Result<Vec<u8>, FileError> {
        if self.device(file)? != secret.device() {
            return Err(FileError::Damaged);
        }
        let (head, sealed) = file.split_at(self.magic.len() + DEVICE + NONCE);
        let mut body = sealed.to_vec();
        XChaCha20Poly1305::new((&*secret.key(self.purpose)).into())
            .decrypt_in_place(XNonce::from_slice(&head[self.magic.len() + DEVICE..]), head, &mut body)
            .map_err(|_| FileError::Damaged)?;
        Ok(body)
    }
}
