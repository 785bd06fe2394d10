//! Payloads small: zstd, with the codec and dictionary id beside each.

use rabta_domain::Private;
use rabta_wire::{
    Id,
    envelope::{Codec, Envelope, Header},
    limits,
};

use crate::error::StoreError;

/// zstd's level: 4 kB of FHIR take well under a millisecond.
const LEVEL: i32 = 6;
/// Below this a frame's own header eats what is won.
const WORTH_IT: usize = 128;

/// Packed bytes and how to unpack them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    pub codec: Codec,
    /// 0: none.
    pub dictionary: u32,
    pub bytes: Private<Vec<u8>>,
}

/// Packs with zstd where that makes it smaller. `dictionary` is an id that is not 0 and the dictionary's bytes.
pub fn pack(bytes: &[u8], dictionary: Option<(u32, &[u8])>) -> Packed {
    let plain = || Packed { codec: Codec::Plain, dictionary: 0, bytes: Private(bytes.to_vec()) };
    if bytes.len() < WORTH_IT {
        return plain();
    }
    let (id, dictionary) = dictionary.unwrap_or((0, &[]));
    let packed =
        zstd::bulk::Compressor::with_dictionary(LEVEL, dictionary).and_then(|mut c| c.compress(bytes));
    match packed {
        Ok(packed) if packed.len() < bytes.len() => {
            Packed { codec: Codec::Zstd, dictionary: id, bytes: Private(packed) }
        }
        _ => plain(),
    }
}

/// Undoes [`pack`]; never makes more than `limit` bytes. `dictionary` must be the one that the payload names.
pub fn unpack(
    codec: Codec,
    bytes: &[u8],
    dictionary: Option<&[u8]>,
    limit: usize,
) -> Result<Vec<u8>, StoreError> {
    match codec {
        Codec::Plain if bytes.len() <= limit => Ok(bytes.to_vec()),
        Codec::Plain => Err(StoreError::Resource("payload too large")),
        Codec::Zstd => {
            let capacity =
                zstd::bulk::Decompressor::upper_bound(bytes).filter(|n| *n <= limit).unwrap_or(limit);
            zstd::bulk::Decompressor::with_dictionary(dictionary.unwrap_or(&[]))
                .and_then(|mut d| d.decompress(bytes, capacity))
                .map_err(|_| StoreError::Resource("payload does not unpack"))
        }
    }
}

/// An envelope's exact payload, checked against its header.
pub fn unpack_payload(
    envelope: &Envelope,
    header: &Header,
    dictionary: Option<&[u8]>,
) -> Result<Vec<u8>, StoreError> {
    let bad = |why| StoreError::Payload(header.id, why);
    if header.dictionary != 0 && dictionary.is_none() {
        return Err(bad("its dictionary is not here"));
    }
    let payload = unpack(header.codec, &envelope.payload, dictionary, limits::PAYLOAD)
        .map_err(|_| bad("it does not unpack"))?;
    header.check_payload(&payload).map_err(|_| bad("it is not the one that was signed"))?;
    Ok(payload)
}

pub(crate) fn codec_number(codec: Codec) -> i64 {
    match codec {
        Codec::Plain => 0,
        Codec::Zstd => 1,
    }
}

pub(crate) fn codec_of(number: i64) -> Result<Codec, StoreError> {
    match number {
        0 => Ok(Codec::Plain),
        1 => Ok(Codec::Zstd),
        _ => Err(StoreError::Damaged("a codec that this program does not know")),
    }
}

/// Of something that has no header, for ids in messages.
pub(crate) const NO_ID: Id = Id([0; 16]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_with_its_dictionary_only() {
        let text = br#"{"resourceType":"Observation","status":"final"}"#.repeat(20);
        let dictionary = br#"{"resourceType":"Observation","status":"final"}"#.repeat(3);
        for used in [None, Some((7, dictionary.as_slice()))] {
            let packed = pack(&text, used);
            assert_eq!(packed.codec, Codec::Zstd);
            assert!(packed.bytes.len() < text.len() / 4);
            assert_eq!(
                unpack(packed.codec, &packed.bytes, used.map(|d| d.1), 10_000).expect("it was just packed"),
                text
            );
            assert!(unpack(packed.codec, &packed.bytes, used.map(|d| d.1), 100).is_err(), "over the limit");
        }
        assert_eq!(pack(b"{}", None).codec, Codec::Plain);
    }

    #[test]
    fn garbage_does_not_unpack() {
        assert!(unpack(Codec::Zstd, b"not zstd at all", None, 1000).is_err());
        assert!(unpack(Codec::Plain, &[0; 11], None, 10).is_err());
    }
}
