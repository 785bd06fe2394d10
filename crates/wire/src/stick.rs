//! A laptop without a line: its unsent envelopes go to the HIE as a file on a stick, and what the HIE has to say comes
//! back as another. Whoever carries them (a colleague's laptop with a line, `POST` [`PATH`], or the operator) reads
//! neither: both are sealed between that laptop and its HIE.
//!
//! On the stick they lie in the folder [`FOLDER`], under names of the device's id ([`ask_name`], [`answer_name`]). Both
//! hold CBOR, the answer's packed with zstd (RFC 8878).

use minicbor::{Decode, Encode};

pub use crate::sealed::FileError;
use crate::{
    Id,
    cursor::Cursor,
    log::{PullReply, Push, PushReply},
    sealed::Format,
    shared::SharedSecret,
};

pub const PATH: &str = "/v1/stick";
pub const MEDIA_TYPE: &str = "application/vnd.rabta.stick.v1";
pub const FOLDER: &str = "rabta-carry";
/// The most that is put into one ask, bytes of envelopes: the rest goes with the next.
pub const MOST_ASKED: usize = 48_000_000;
/// The most that is put into one answer before it is packed, bytes of changes: the rest comes with the next.
pub const MOST_ANSWERED: usize = 48_000_000;
/// The largest file of either kind, packed or not.
pub const MOST: usize = 64_000_000;

const ASK: Format = Format { magic: b"rabta stick, to the HIE 1\n", purpose: "rabta stick ask 1" };
const ANSWER: Format = Format { magic: b"rabta stick, to a laptop 1\n", purpose: "rabta stick answer 1" };

/// What a laptop wants carried.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Ask {
    /// Unsent, in log order.
    #[n(0)]
    pub push: Push,
    /// Up to where it has the HIE's log.
    #[n(1)]
    pub after: Option<Cursor>,
    /// Who was at the laptop: changes are for their eyes.
    #[n(2)]
    pub person: Id,
}

/// What the HIE says to it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Answer {
    /// One ack for each envelope of the ask, given after they were durable.
    #[n(0)]
    pub push: PushReply,
    /// Up to where the laptop said that it has the HIE's log. `pages` begin there, or at the start where that was in
    /// another life of the HIE.
    #[n(1)]
    pub asked: Option<Cursor>,
    #[n(2)]
    pub pages: Vec<PullReply>,
}

/// What the ask of this device is called.
pub fn ask_name(device: Id) -> String {
    format!("from-{device}.rabta")
}

/// Whether a file of this name is some device's ask.
pub fn is_ask(name: &str) -> bool {
    name.starts_with("from-") && name.ends_with(".rabta")
}

/// What the answer for this device is called.
pub fn answer_name(device: Id) -> String {
    format!("for-{device}.rabta")
}

/// Whose ask this says that it is.
pub fn asked_by(file: &[u8]) -> Result<Id, FileError> {
    ASK.device(file)
}

/// Whose answer this says that it is.
pub fn answer_for(file: &[u8]) -> Result<Id, FileError> {
    ANSWER.device(file)
}

/// `nonce` must be fresh randomness.
pub fn seal_ask(secret: &SharedSecret, nonce: [u8; 24], ask: &Ask) -> Vec<u8> {
    ASK.seal(secret, nonce, minicbor::to_vec(ask).expect("encoding into memory cannot fail"))
}

pub fn open_ask(secret: &SharedSecret, file: &[u8]) -> Result<Ask, FileError> {
    minicbor::decode(&ASK.open(secret, file)?).map_err(|_| FileError::Damaged)
}

/// Seals an encoded and packed [`Answer`]. `nonce` must be fresh randomness.
pub fn seal_answer(secret: &SharedSecret, nonce: [u8; 24], packed: Vec<u8>) -> Vec<u8> {
    ANSWER.seal(secret, nonce, packed)
}

/// The packed [`Answer`].
pub fn open_answer(secret: &SharedSecret, file: &[u8]) -> Result<Vec<u8>, FileError> {
    ANSWER.open(secret, file)
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
    fn each_end_reads_what_the_other_sealed_and_nobody_takes_one_for_the_other() {
        let (laptop, hie) = (secret(2, 1, 2), secret(1, 2, 2));
        let push = Push { envelopes: vec![vec![1, 2, 3].into(), vec![4; 500].into()] };
        let ask = Ask { push, after: Some(Cursor { epoch: Id([9; 16]), seq: 7 }), person: Id([3; 16]) };
        let file = seal_ask(&laptop, [9; 24], &ask);
        assert_eq!(asked_by(&file), Ok(Id([2; 16])));
        assert_eq!(open_ask(&hie, &file), Ok(ask));
        assert_eq!(open_ask(&secret(3, 2, 2), &file), Err(FileError::Damaged));
        assert_eq!(open_answer(&laptop, &file), Err(FileError::NotOne));
        let answer = seal_answer(&hie, [8; 24], vec![7; 300]);
        assert_eq!(open_answer(&laptop, &answer), Ok(vec![7; 300]));
        assert_eq!(asked_by(&answer), Err(FileError::NotOne));
        for at in 0..answer.len() {
            let mut bent = answer.clone();
            bent[at] ^= 0x10;
            assert!(open_answer(&laptop, &bent).is_err(), "byte {at}");
            assert!(open_answer(&laptop, &answer[..at]).is_err(), "cut at {at}");
        }
    }
}
