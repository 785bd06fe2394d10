//! Bodies in the database: UUIDs as their bytes, then zstd with a dictionary that is part of the program.

use std::sync::LazyLock;

use rabta_domain::Private;
use rabta_wire::limits;
use zstd::{
    dict::{DecoderDictionary, EncoderDictionary},
    zstd_safe::{self, CParameter},
};

use super::ids::{uuid, write_uuid};
use crate::{error::StoreError, pack};

/// The largest body that is stored; what came over the wire was smaller still.
pub(crate) const BODY: usize = limits::FHIR_BODY * 2;
/// Numbers of codecs in the database beyond those of the wire: folded, then zstd with [`BUILT_IN`].
const FOLDED: i64 = 2;
/// The id of the program's own dictionary. Another one gets another id, and this one stays.
const BUILT_IN: i64 = 0x5242_0001;
const LEVEL: i32 = 9;

/// Every zstd frame begins with it (RFC 8878, section 3.1.1), so it is not stored.
const MAGIC: [u8; 4] = 0xfd2f_b528_u32.to_le_bytes();

/// Trained on the sample clinic and on documents made from the templates (`cargo run -p rabta-store --example train`).
const DICTIONARY: &[u8] = include_bytes!("../../dictionary/1.zdict");

static ENCODER: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> = LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));

/// A body as it is stored.
pub(crate) struct Stored {
    pub codec: i64,
    pub dictionary: i64,
    pub bytes: Vec<u8>,
}

/// `own` and `patient` are the ids of the resource and of its patient, which stand in it again and again.
pub(crate) fn store(body: &[u8], own: &str, patient: &str) -> Stored {
    let small = fold(body, own, patient).and_then(|folded| {
        let mut compressor = zstd::bulk::Compressor::with_prepared_dictionary(&ENCODER).ok()?;
        compressor.set_parameter(CParameter::DictIdFlag(false)).ok()?;
        let frame = compressor.compress(&folded).ok()?;
        let small = frame.strip_prefix(&MAGIC)?;
        (small.len() < body.len()).then(|| small.to_vec())
    });
    match small {
        Some(bytes) => Stored { codec: FOLDED, dictionary: BUILT_IN, bytes },
        None => {
            let packed = pack::pack(body, None);
            Stored {
                codec: pack::codec_number(packed.codec),
                dictionary: i64::from(packed.dictionary),
                bytes: packed.bytes.0,
            }
        }
    }
}

/// Undoes [`store`].
pub(crate) fn read(stored: &[u8], own: &str, patient: &str) -> Result<Private<Vec<u8>>, StoreError> {
    const DAMAGED: StoreError = StoreError::Damaged("a resource's body");
    let frame = [&MAGIC, stored].concat();
    let size = zstd_safe::get_frame_content_size(&frame).ok().flatten().ok_or(DAMAGED)?;
    let size = usize::try_from(size).ok().filter(|size| *size <= BODY).ok_or(DAMAGED)?;
    let folded = zstd::bulk::Decompressor::with_prepared_dictionary(&DECODER)
        .and_then(|mut decompressor| decompressor.decompress(&frame, size))
        .map_err(|_| DAMAGED)?;
    unfold(&folded, own, patient).map(Private)
}

/// Whether a body was stored by [`store`]'s own codec.
pub(crate) fn is_folded(codec: i64, dictionary: i64) -> bool {
    codec == FOLDED && dictionary == BUILT_IN
}

/// JSON never holds these bytes (RFC 8259, section 7).
const OWN: u8 = 1;
const PATIENT: u8 = 2;
const UUID: u8 = 3;

/// Every UUID in its usual writing becomes 17 bytes, the two known ones one. `None` where the text holds the marks.
pub(crate) fn fold(body: &[u8], own: &str, patient: &str) -> Option<Vec<u8>> {
    if body.iter().any(|byte| matches!(*byte, OWN | PATIENT | UUID)) {
        return None;
    }
    let (own, patient) = (uuid(own.as_bytes()), uuid(patient.as_bytes()));
    let mut out = Vec::with_capacity(body.len());
    let mut i = 0;
    while i < body.len() {
        let found = body.get(i..i + 36).filter(|text| text[8] == b'-' && text[13] == b'-').and_then(uuid);
        match found {
            Some(_) if found == own => out.push(OWN),
            Some(_) if found == patient => out.push(PATIENT),
            Some(bytes) => {
                out.push(UUID);
                out.extend(bytes);
            }
            None => {
                out.push(body[i]);
                i += 1;
                continue;
            }
        }
        i += 36;
    }
    Some(out)
}

fn unfold(folded: &[u8], own: &str, patient: &str) -> Result<Vec<u8>, StoreError> {
    let mut out = Vec::with_capacity(folded.len() * 2);
    let mut rest = folded;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match *first {
            OWN => out.extend_from_slice(own.as_bytes()),
            PATIENT => out.extend_from_slice(patient.as_bytes()),
            UUID => {
                let (bytes, after) = rest.split_first_chunk().ok_or(StoreError::Damaged("a folded id"))?;
                write_uuid(bytes, &mut out);
                rest = after;
            }
            byte => out.push(byte),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN_ID: &str = "8f0c4151-1e5d-8ad0-9d0c-23d3a9278851";
    const PATIENT_ID: &str = "2dc9c22d-2fd4-882e-a701-785a3b54cd73";

    #[test]
    fn a_body_comes_back_byte_for_byte() {
        let bodies = [
            format!(r#"{{"id":"{OWN_ID}","subject":{{"reference":"Patient/{PATIENT_ID}"}},"value":1.50}}"#),
            format!(r#"{{"id":"x","a":"f3530119-5b9f-8b66-8fed-ae40b821b933{OWN_ID}{PATIENT_ID}-"}}"#),
            r#"{"name":"عائشہ بی بی","id":"F3530119-5B9F-8B66-8FED-AE40B821B933"}"#.into(),
            "\u{1}\u{2}\u{3} no JSON".into(),
            String::new(),
            "{}".into(),
            format!("[{}]", r#"{"status":"final"},"#.repeat(60_000)),
        ];
        for body in bodies {
            for (own, patient) in [(OWN_ID, PATIENT_ID), (PATIENT_ID, PATIENT_ID), ("x", ""), ("", "")] {
                let stored = store(body.as_bytes(), own, patient);
                if is_folded(stored.codec, stored.dictionary) {
                    let back = read(&stored.bytes, own, patient).expect("it was just stored");
                    assert_eq!(*back, body.as_bytes());
                }
            }
        }
    }

    #[test]
    fn garbage_is_an_error() {
        assert!(read(b"not zstd at all", OWN_ID, PATIENT_ID).is_err());
        assert!(unfold(&[UUID, 1, 2], OWN_ID, PATIENT_ID).is_err());
    }
}
