use std::{fmt, str::FromStr};

use minicbor::{Decode, Encode};

/// A UUID as its 16 bytes: a resource, an envelope, a device, a person, a facility or an epoch. Shown in the
/// usual hyphenated lower-case form. Never a patient's number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Id(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);

impl Id {
    /// A version 4 (random) UUID from 16 random bytes (RFC 9562, section 5.4).
    pub fn from_random(mut bytes: [u8; 16]) -> Self {
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, b) in self.0.iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{b:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text was not a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID")]
pub struct NotAnId;

impl FromStr for Id {
    type Err = NotAnId;

    fn from_str(s: &str) -> Result<Self, NotAnId> {
        let mut bytes = [0; 16];
        let mut digits = s.bytes().filter(|b| *b != b'-');
        for byte in &mut bytes {
            let mut nibble = || digits.next().and_then(|d| (d as char).to_digit(16)).ok_or(NotAnId);
            *byte = (nibble()? << 4 | nibble()?) as u8;
        }
        if s.len() > 36 || digits.next().is_some() { Err(NotAnId) } else { Ok(Self(bytes)) }
    }
}

impl serde::Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text() {
        let id = Id::from_random([0xab; 16]);
        assert_eq!(id.to_string().len(), 36);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("not-a-uuid".parse::<Id>(), Err(NotAnId));
        assert_eq!(format!("{id}0").parse::<Id>(), Err(NotAnId));
    }
}
