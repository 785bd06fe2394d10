//! Whether the right one of many is among the first five, when a name was heard wrong, typed wrong, or is written in the other
//! script. Names are skewed, fathers and villages shared.

use std::{collections::HashMap, path::Path};

use anyhow::Result;
use rabta_domain::fhir::{Facility, Signer};
use rabta_store::{PullBatch, Pulled, RecordStore, SqliteStore, bundle_entries};
use rabta_wire::{Id, cursor::Cursor};

use crate::{
    figure::Figure,
    register::{Dice, Register, Somebody},
    store::PACKAGE,
};

const QUERIES: u32 = 1000;
const FIRST: usize = 5;

pub async fn take(patients: u32) -> Result<Vec<Figure>> {
    let register = Register::read(Path::new(PACKAGE), 41)?;
    crate::say(&format!("the most that these words can tell: {:.1} %", most(&register, patients)));
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::temporary(&folder.path().join("records.db")).await?;
    fill(&store, &register, patients).await?;
    let mut dice = Dice::new(5);
    let mut right = [0_u32; 3];
    for turn in 0..QUERIES {
        let who = register.somebody(dice.below(u64::from(patients)) as u32);
        let second = if turn % 2 == 0 { who.father.clone() } else { who.village.clone() };
        let once = format!("{} {second}", misspelt(&who.name, &mut dice));
        let twice = format!("{} {}", misspelt(&who.name, &mut dice), misspelt(&second, &mut dice));
        let other = if turn % 2 == 0 {
            format!("{} {}", who.urdu, who.father_urdu)
        } else {
            format!("{} {}", who.urdu, who.village)
        };
        for (count, query) in right.iter_mut().zip([once, twice, other]) {
            let page = store.find_patients(&query, 0, FIRST).await?;
            *count += u32::from(page.hits.iter().any(|hit| hit.patient.id == who.id));
        }
    }
    store.close().await?;
    let percent = |count: u32| f64::from(count) * 100.0 / f64::from(QUERIES);
    Ok(vec![
        Figure::at_least("one_misspelling", percent(right[0]), "%", 98.0),
        Figure::at_least("two_misspellings", percent(right[1]), "%", 90.0),
        Figure::at_least("other_script", percent(right[2]), "%", 95.0),
    ])
}

/// What a search would reach that forgave every slip and took nobody else's name for this one, in %: where more than five
/// people have the very words that are asked for, it is luck which five stand first.
fn most(register: &Register, patients: u32) -> f64 {
    let (mut with_father, mut with_village) = (HashMap::new(), HashMap::new());
    for person in 0..patients {
        let who = register.somebody(person);
        *with_father.entry(format!("{} {}", who.name, who.father)).or_insert(0_u32) += 1;
        *with_village.entry(format!("{} {}", who.name, who.village)).or_insert(0_u32) += 1;
    }
    // Each of n people who share the words is asked for as often as the others: 5 of n are found.
    let found = |same: &HashMap<String, u32>| -> f64 {
        same.values().map(|n| f64::from((*n).min(FIRST as u32))).sum()
    };
    (found(&with_father) + found(&with_village)) / 2.0 / f64::from(patients) * 100.0
}

/// Names in Latin letters only: what is asked in Urdu is found by its sound.
async fn fill(store: &SqliteStore, register: &Register, patients: u32) -> Result<()> {
    let (clinic, doctor) = (Facility::default(), Signer::default());
    let mut n = 0;
    while n < patients {
        let mut items = Vec::new();
        for person in n..patients.min(n + 500) {
            let who = Somebody { urdu: String::new(), ..register.somebody(person) };
            let [registered, _] = who.payloads(&clinic, &doctor)?;
            let entries = bundle_entries(&registered).map_err(|error| anyhow::anyhow!("{error}"))?;
            items.extend(entries.into_iter().map(|(kind, id, body)| Pulled::Resource {
                kind,
                id,
                version: 1,
                body,
            }));
        }
        n += 500;
        let next = Cursor { epoch: Id([1; 16]), seq: u64::from(n) };
        store.apply_pull(PullBatch { items, next, backed_up: 0 }).await?;
    }
    Ok(())
}

/// One slip in one word of four letters or more: a letter too many, too few, another, or two swapped.
fn misspelt(text: &str, dice: &mut Dice) -> String {
    let mut words: Vec<Vec<char>> = text.split(' ').map(|word| word.chars().collect()).collect();
    let long: Vec<usize> = (0..words.len()).filter(|at| words[*at].len() >= 4).collect();
    let Some(at) = long.get(dice.below(long.len() as u64) as usize) else { return text.to_owned() };
    let word = &mut words[*at];
    // The first letter is rarely missed.
    let place = 1 + dice.below(word.len() as u64 - 2) as usize;
    let letter = char::from(b'a' + dice.below(26) as u8);
    match dice.below(4) {
        0 => word.insert(place, letter),
        1 => drop(word.remove(place)),
        2 => word[place] = letter,
        _ => word.swap(place, place + 1),
    }
    words.iter().map(|word| word.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_one_slip() {
        let mut dice = Dice::new(1);
        for _ in 0..200 {
            let slip = misspelt("Ali Muhammad", &mut dice);
            assert!(slip.starts_with("Ali M") && slip.len().abs_diff(12) <= 1, "{slip}");
        }
        assert_eq!(misspelt("Ali", &mut dice), "Ali");
    }
}
