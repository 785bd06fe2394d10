//! Search keys and who has them: under each key the numbers of patients, packed, in parts that stay small.

use std::collections::{BTreeMap, BTreeSet};

use rabta_search::{Field, Key};
use sqlx::SqliteConnection;

use super::{connect::get, sql};
use crate::error::StoreError;

/// A part that grows beyond this is split, bytes: a few fit on a page.
const PART: usize = 1000;

/// A patient, the field in which they have a key and, of a name, its length in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Entry {
    pub patient: i64,
    pub field: Field,
    pub length: u8,
}

impl Entry {
    /// The field in the lowest three bits, the length in the next three.
    fn number(self) -> u64 {
        (self.patient as u64) << 6 | u64::from(self.length & 7) << 3 | self.field as u64
    }

    fn of(number: u64) -> Option<Self> {
        let field = Field::from_number((number & 7) as i64)?;
        Some(Self { patient: (number >> 6) as i64, field, length: (number >> 3 & 7) as u8 })
    }
}

/// What changes within one transaction, written at its end: many patients share a key.
#[derive(Default)]
pub(crate) struct Changes(BTreeMap<Key, (BTreeSet<u64>, BTreeSet<u64>)>);

impl Changes {
    pub fn add(&mut self, key: Key, entry: Entry) {
        let (added, removed) = self.0.entry(key).or_default();
        removed.remove(&entry.number());
        added.insert(entry.number());
    }

    pub fn remove(&mut self, key: Key, entry: Entry) {
        let (added, removed) = self.0.entry(key).or_default();
        added.remove(&entry.number());
        removed.insert(entry.number());
    }

    pub async fn write(self, c: &mut SqliteConnection) -> Result<(), StoreError> {
        for (key, (added, removed)) in self.0 {
            let (is_word, key) = (key.is_word(), key.into_string());
            let loses = !removed.is_empty();
            for number in removed {
                change(c, &key, number, |part| part.remove(&number)).await?;
            }
            if is_word && !added.is_empty() {
                sqlx::query(sql::ADD_WORD).bind(&key).execute(&mut *c).await?;
            } else if is_word && loses && following(c, &key, 0).await?.is_none() {
                sqlx::query(sql::DROP_WORD).bind(&key).execute(&mut *c).await?;
            }
            let mut added = added.into_iter().peekable();
            while let Some(number) = added.next() {
                // Those that follow and belong to the same part come with it.
                let next = following(c, &key, number).await?;
                let mut with = vec![number];
                while let Some(more) = added.next_if(|more| next.is_none_or(|next| *more < next)) {
                    with.push(more);
                }
                change(c, &key, number, |part| {
                    let before = part.len();
                    part.extend(with.iter().copied());
                    part.len() != before
                })
                .await?;
            }
        }
        Ok(())
    }
}

/// Where the part after the one that holds `number` begins.
async fn following(c: &mut SqliteConnection, key: &str, number: u64) -> Result<Option<u64>, StoreError> {
    let row = sqlx::query(sql::POSTING_AFTER).bind(key).bind(number as i64).fetch_optional(c).await?;
    row.map(|row| Ok(get::<i64>(&row, 0)? as u64)).transpose()
}

async fn change(
    c: &mut SqliteConnection,
    key: &str,
    number: u64,
    change: impl FnOnce(&mut BTreeSet<u64>) -> bool,
) -> Result<(), StoreError> {
    let row = sqlx::query(sql::POSTING_AT).bind(key).bind(number as i64).fetch_optional(&mut *c).await?;
    let mut part = BTreeSet::new();
    let mut old = None;
    if let Some(row) = row {
        old = Some(get::<i64>(&row, 0)?);
        part.extend(unpacked(get(&row, 1)?));
    }
    if !change(&mut part) {
        return Ok(());
    }
    let all: Vec<u64> = part.into_iter().collect();
    if let Some(first) = old.filter(|old| all.first().is_none_or(|first| *first as i64 != *old)) {
        sqlx::query(sql::DROP_POSTING).bind(key).bind(first).execute(&mut *c).await?;
    }
    let mut rest = all.as_slice();
    while let Some(first) = rest.first() {
        let (bytes, taken) = packed(rest);
        sqlx::query(sql::ADD_POSTING).bind(key).bind(*first as i64).bind(bytes).execute(&mut *c).await?;
        rest = &rest[taken..];
    }
    Ok(())
}

/// Differences as LEB128; as many as fit into a part.
fn packed(numbers: &[u64]) -> (Vec<u8>, usize) {
    let mut out = Vec::new();
    let mut last = 0;
    for (taken, number) in numbers.iter().enumerate() {
        if out.len() >= PART {
            return (out, taken);
        }
        let mut left = number - last;
        while left > 0x7f {
            out.push(left as u8 | 0x80);
            left >>= 7;
        }
        out.push(left as u8);
        last = *number;
    }
    (out, numbers.len())
}

fn unpacked(bytes: &[u8]) -> Vec<u64> {
    let mut out = Vec::new();
    let (mut last, mut value, mut shift) = (0_u64, 0_u64, 0_u32);
    for byte in bytes {
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        shift += 7;
        if byte & 0x80 == 0 {
            last = last.wrapping_add(value);
            out.push(last);
            (value, shift) = (0, 0);
        }
    }
    out
}

/// Who stands in a part.
pub(crate) fn entries(bytes: &[u8]) -> impl Iterator<Item = Entry> {
    unpacked(bytes).into_iter().filter_map(Entry::of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back_in_parts() {
        let numbers: Vec<u64> = (1..5_000_u64).map(|n| n * n).collect();
        let (mut rest, mut seen, mut parts) = (numbers.as_slice(), Vec::new(), 0);
        while !rest.is_empty() {
            let (bytes, taken) = packed(rest);
            assert!(bytes.len() <= PART + 10);
            seen.extend(unpacked(&bytes));
            rest = &rest[taken..];
            parts += 1;
        }
        assert_eq!(seen, numbers);
        assert!(parts > 3);
        assert_eq!(unpacked(&packed(&[u64::MAX]).0), [u64::MAX]);
    }

    #[test]
    fn garbage_is_read_as_something_and_breaks_nothing() {
        let _ = unpacked(&[0xff; 40]);
        assert!(unpacked(&[]).is_empty());
    }
}
