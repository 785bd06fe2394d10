//! Ids of resources in a database: a UUID as its 16 bytes, anything else as text behind a mark.

use crate::error::StoreError;

/// Before an id that is no UUID; a second one follows where the whole would be 16 bytes long.
const MARK: u8 = 0xff;

/// The bytes of a UUID in its one usual writing: lower case, with hyphens.
pub(crate) fn uuid(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != 36 {
        return None;
    }
    let mut out = [0; 16];
    let (mut at, mut high) = (0, None);
    for (i, byte) in text.iter().enumerate() {
        if matches!(i, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        match high.take() {
            None => high = Some(digit),
            Some(high) => {
                out[at] = high << 4 | digit;
                at += 1;
            }
        }
    }
    Some(out)
}

/// The usual writing of a UUID.
pub(crate) fn write_uuid(bytes: &[u8; 16], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

pub(crate) fn to_bytes(id: &str) -> Vec<u8> {
    if let Some(uuid) = uuid(id.as_bytes()) {
        return uuid.to_vec();
    }
    let mut out = vec![MARK];
    out.extend_from_slice(id.as_bytes());
    if out.len() == 16 {
        out.push(MARK);
    }
    out
}

pub(crate) fn from_bytes(bytes: &[u8]) -> Result<String, StoreError> {
    if let Ok(uuid) = <&[u8; 16]>::try_from(bytes) {
        let mut out = Vec::with_capacity(36);
        write_uuid(uuid, &mut out);
        return String::from_utf8(out).map_err(|_| StoreError::Damaged("an id"));
    }
    let text = bytes.strip_prefix(&[MARK]).ok_or(StoreError::Damaged("an id"))?;
    let text = if bytes.len() == 17 { text.strip_suffix(&[MARK]).unwrap_or(text) } else { text };
    String::from_utf8(text.to_vec()).map_err(|_| StoreError::Damaged("an id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_comes_back_as_it_was() {
        let sixteen = "a".repeat(16);
        for id in [
            "2dc9c22d-2fd4-882e-a701-785a3b54cd73",
            "2DC9C22D-2FD4-882E-A701-785A3B54CD73",
            "2dc9c22d-2fd4-882e-a701-785a3b54cd7",
            "2dc9c22d02fd4-882e-a701-785a3b54cd73",
            "",
            "p1",
            &sixteen[..14],
            &sixteen[..15],
            &sixteen,
            "A.b-9",
        ] {
            assert_eq!(from_bytes(&to_bytes(id)).expect("an id"), id);
        }
        assert_eq!(to_bytes("2dc9c22d-2fd4-882e-a701-785a3b54cd73").len(), 16);
        assert!(from_bytes(b"no mark").is_err());
    }
}
