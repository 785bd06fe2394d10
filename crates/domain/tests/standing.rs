//! What stands of a patient's details, for any history that people on several laptops can make.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rabta_domain::{
    patient::{Phone, Place, Registration, Sex},
    standing::{Field, Standing, Version, standing},
};

fn version(id: u32, parents: &[u32], form: Registration) -> Version<u32> {
    Version { id, parents: parents.iter().copied().collect(), form }
}

fn ayesha() -> Registration {
    Registration { name: "Ayesha Bibi".into(), sex: Sex::Female, ..Registration::default() }
}

fn with_phone(number: &str) -> Registration {
    Registration { phones: vec![Phone { number: number.into(), ..Phone::default() }], ..ayesha() }
}

fn at(village: &str, form: Registration) -> Registration {
    Registration { place: Place { text: village.into(), ..Place::default() }, ..form }
}

fn open(standing: &Standing<u32>) -> Vec<(Field, Vec<u32>)> {
    standing.open().map(|(field, said)| (field, said.iter().copied().collect())).collect()
}

#[test]
fn what_two_changed_apart_from_each_other_is_both_there() {
    let versions = [
        version(1, &[], ayesha()),
        version(2, &[1], with_phone("03001111111")),
        version(3, &[1], at("Chak 44", ayesha())),
    ];
    let stands = standing(&versions);
    assert_eq!(open(&stands), []);
    for shown in [2, 1] {
        assert_eq!(stands.merged(&versions, &versions[shown].form), at("Chak 44", with_phone("03001111111")));
    }
}

#[test]
fn two_values_of_one_field_stand_until_somebody_who_has_both_decides() {
    let mut versions = vec![
        version(1, &[], ayesha()),
        version(2, &[1], with_phone("03001111111")),
        version(3, &[1], with_phone("03002222222")),
    ];
    assert_eq!(open(&standing(&versions)), [(Field::Phones, vec![2, 3])]);
    // Somebody who has only one of them before them changes the village: that decides nothing.
    versions.push(version(4, &[2], at("Chak 44", with_phone("03001111111"))));
    assert_eq!(open(&standing(&versions)), [(Field::Phones, vec![2, 3])]);
    // Another number by somebody who has one of them stands beside the other.
    versions.push(version(5, &[4], at("Chak 44", with_phone("03003333333"))));
    assert_eq!(open(&standing(&versions)), [(Field::Phones, vec![3, 5])]);
    versions.push(version(6, &[3, 5], at("Chak 44", with_phone("03002222222"))));
    let stands = standing(&versions);
    assert_eq!((open(&stands), stands.heads), (vec![], BTreeSet::from([6])));
}

#[test]
fn who_has_both_and_leaves_them_open_decides_nothing() {
    let mut versions = vec![
        version(1, &[], ayesha()),
        version(2, &[1], with_phone("03001111111")),
        version(3, &[1], at("Chak 44", with_phone("03002222222"))),
    ];
    // The village is corrected, the phone left open.
    let left = Registration { undecided: vec!["phones".into()], ..at("Chak 45", with_phone("03001111111")) };
    versions.push(version(4, &[2, 3], left));
    let stands = standing(&versions);
    assert_eq!(open(&stands), [(Field::Phones, vec![2, 3])]);
    assert_eq!(stands.merged(&versions, &versions[2].form).place.text.as_str(), "Chak 45");
    // It has one head, and is followed by whoever decides.
    assert_eq!(stands.heads, BTreeSet::from([4]));
    versions.push(version(5, &[4], at("Chak 45", with_phone("03002222222"))));
    assert_eq!(open(&standing(&versions)), []);
}

#[test]
fn two_who_say_the_same_agree_and_two_who_decide_differently_do_not() {
    let mut versions = vec![
        version(1, &[], ayesha()),
        version(2, &[1], with_phone("03001111111")),
        version(3, &[1], with_phone("03001111111")),
    ];
    assert_eq!(open(&standing(&versions)), []);
    versions.push(version(4, &[1], with_phone("03002222222")));
    versions.push(version(5, &[2, 3, 4], with_phone("03001111111")));
    versions.push(version(6, &[2, 3, 4], with_phone("03002222222")));
    assert_eq!(open(&standing(&versions)), [(Field::Phones, vec![5, 6])]);
}

#[test]
fn a_circle_and_a_parent_that_is_not_here_are_no_harm() {
    let circle = [version(1, &[2], ayesha()), version(2, &[1], with_phone("03001111111"))];
    assert_eq!(standing(&circle).heads, BTreeSet::new());
    assert_eq!(standing(&circle).merged(&circle, &ayesha()), ayesha());
    let apart = [version(2, &[1], with_phone("03001111111")), version(3, &[1], with_phone("03002222222"))];
    assert_eq!(open(&standing(&apart)), [(Field::Phones, vec![2, 3])]);
}

/// One act on one of three laptops: change a field, or learn what another laptop knows.
#[derive(Debug, Clone)]
enum Act {
    Phone(usize, u8),
    Village(usize, u8),
    Learn(usize, usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        (0..3_usize, 0..3_u8).prop_map(|(at, n)| Act::Phone(at, n)),
        (0..3_usize, 0..3_u8).prop_map(|(at, n)| Act::Village(at, n)),
        (0..3_usize, 0..3_usize).prop_map(|(to, from)| Act::Learn(to, from)),
    ];
    proptest::collection::vec(act, 0..14)
}

type Laptop = Vec<Version<u32>>;

fn learn(to: &mut Laptop, from: &[Version<u32>]) {
    for version in from {
        if !to.iter().any(|known| known.id == version.id) {
            to.push(version.clone());
        }
    }
}

/// Plays the acts as the app does: who amends has all that their laptop knows before them.
fn play(acts: &[Act]) -> Vec<Laptop> {
    let mut laptops = vec![vec![version(0, &[], ayesha())]; 3];
    for (n, act) in acts.iter().enumerate() {
        match act {
            Act::Learn(to, from) => {
                let known = laptops[*from].clone();
                learn(&mut laptops[*to], &known);
            }
            Act::Phone(at_laptop, _) | Act::Village(at_laptop, _) => {
                let laptop = &mut laptops[*at_laptop];
                let stands = standing(laptop);
                let shown = laptop.last().map(|v| v.form.clone()).unwrap_or_default();
                let form = stands.merged(laptop, &shown);
                let form = match act {
                    Act::Phone(_, said) => {
                        Registration { phones: with_phone(&format!("0300111111{said}")).phones, ..form }
                    }
                    Act::Village(_, said) => at(&format!("Chak {said}"), form),
                    Act::Learn(..) => form,
                };
                let parents: Vec<u32> = stands.heads.iter().copied().collect();
                laptop.push(version(n as u32 + 1, &parents, form));
            }
        }
    }
    laptops
}

fn all(laptops: &[Laptop]) -> Laptop {
    let mut all = Vec::new();
    laptops.iter().for_each(|laptop| learn(&mut all, laptop));
    all
}

proptest! {
    #[test]
    fn the_order_and_the_number_of_times_that_versions_are_told_change_nothing(
        acts in acts(),
        turn in any::<prop::sample::Index>(),
    ) {
        let laptops = play(&acts);
        let here = all(&laptops);
        let stands = standing(&here);
        let mut other = here.clone();
        other.reverse();
        let turn = turn.index(other.len());
        other.rotate_left(turn);
        other.extend(here.iter().take(2).cloned());
        prop_assert_eq!(standing(&other), stands.clone());
        // Whichever two laptops met first.
        let mut grouped = laptops[2].clone();
        learn(&mut grouped, &all(&[laptops[1].clone(), laptops[0].clone()]));
        prop_assert_eq!(standing(&grouped), stands);
    }

    #[test]
    fn whatever_is_shown_all_laptops_show_the_same_where_one_value_stands(acts in acts()) {
        let here = all(&play(&acts));
        let stands = standing(&here);
        let open: Vec<Field> = stands.open().map(|(field, _)| field).collect();
        let shown: Vec<Registration> = here
            .iter()
            .filter(|v| stands.heads.contains(&v.id))
            .map(|v| stands.merged(&here, &v.form))
            .collect();
        for field in Field::ALL.into_iter().filter(|field| !open.contains(field)) {
            prop_assert!(shown.windows(2).all(|two| field.same(&two[0], &two[1])), "{}", field.code());
        }
        // Merging what is merged changes nothing.
        for form in &shown {
            prop_assert_eq!(&stands.merged(&here, form), form);
        }
    }

    #[test]
    fn who_has_all_of_it_before_them_settles_it(acts in acts()) {
        let mut here = all(&play(&acts));
        let stands = standing(&here);
        let parents: Vec<u32> = stands.heads.iter().copied().collect();
        let shown = here.iter().find(|v| stands.heads.contains(&v.id)).map(|v| v.form.clone());
        let form = stands.merged(&here, &shown.unwrap_or_default());
        here.push(version(1_000, &parents, form.clone()));
        let settled = standing(&here);
        prop_assert_eq!(settled.open().count(), 0);
        prop_assert_eq!(settled.merged(&here, &form), form);
    }

    #[test]
    fn two_who_change_different_things_never_contradict_each_other(acts in acts()) {
        let own: Vec<Act> = acts
            .into_iter()
            .map(|act| match act {
                Act::Phone(_, said) => Act::Phone(0, said),
                Act::Village(_, said) => Act::Village(1, said),
                learned @ Act::Learn(..) => learned,
            })
            .collect();
        let laptops = play(&own);
        let here = all(&laptops);
        let stands = standing(&here);
        prop_assert_eq!(stands.open().count(), 0);
        let shown = stands.merged(&here, &ayesha());
        // What each said last, on the laptop where they said it.
        for (laptop, field) in [(0, Field::Phones), (1, Field::Place)] {
            let wrote = own.iter().enumerate().filter(|(_, act)| {
                matches!((act, field), (Act::Phone(..), Field::Phones) | (Act::Village(..), Field::Place))
            });
            if let Some((n, _)) = wrote.last() {
                let last = laptops[laptop].iter().find(|v| v.id == n as u32 + 1).expect("it was written there");
                prop_assert!(field.same(&last.form, &shown), "{}", field.code());
            }
        }
    }
}
