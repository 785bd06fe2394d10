//! Three in a call: a doctor (end 0), a patient by a link (end 1), a specialist (end 2).

mod common;

use common::{FAIR, Weather, World, party, whom};
use rabta_call::{Asked, EndReason, Input, Intent, Invitation, Named, Phase};
use rabta_wire::{Id, signal::Address};

const DOCTOR: usize = 0;
const PATIENT: usize = 1;
const SPECIALIST: usize = 2;

fn the_patient() -> Invitation {
    let to = Address { person: Id([2; 16]), device: None };
    Invitation { to, ask: None, patient: true }
}

fn world(seed: u64, weather: Weather) -> World {
    let mut world = World::new(seed, weather, &[party(1, 1), party(2, 2), party(3, 3)]);
    world.ends[PATIENT].patient = true;
    world
}

/// What the doctor's program knows of the others.
fn says_names(world: &mut World) {
    for (person, name, role) in [(2, "Ayesha Bibi", "patient"), (3, "Dr Saira", "specialist")] {
        let named = Named { name: name.into(), role: role.into() };
        world.input(DOCTOR, Input::Named { person: Id([person; 16]), named });
    }
}

fn with(world: &World, end: usize, other: usize) -> Option<Phase> {
    let person = world.ends[other].party.person;
    let session = world.ends[end].session.as_ref()?;
    session.view(world.now).legs.iter().find(|leg| leg.person == person).map(|leg| leg.phase)
}

fn talk(world: &World, a: usize, b: usize) -> bool {
    with(world, a, b) == Some(Phase::InCall) && with(world, b, a) == Some(Phase::InCall)
}

fn all_talk(world: &World) -> bool {
    talk(world, DOCTOR, PATIENT) && talk(world, DOCTOR, SPECIALIST) && talk(world, SPECIALIST, PATIENT)
}

/// Every open leg lets media pass, and no closed one.
fn media_flows(world: &World, end: usize) -> usize {
    world.ends[end].engine.values().filter(|leg| leg.open && !leg.closed).count()
}

fn patient_takes(world: &mut World) {
    assert!(world.run_until(5_000, |w| with(w, PATIENT, DOCTOR) == Some(Phase::Ringing)));
    world.does(PATIENT, Intent::Accept);
    assert!(world.run_until(5_000, |w| talk(w, DOCTOR, PATIENT)));
}

fn is_asked(world: &World) -> bool {
    world.ends[PATIENT].session.as_ref().is_some_and(|session| session.view(world.now).wanted.is_some())
}

/// The doctor talks with the patient and brings the specialist in; the patient is asked.
fn wants_the_specialist(seed: u64) -> World {
    let mut world = world(seed, FAIR);
    world.dial_from(DOCTOR, the_patient());
    says_names(&mut world);
    patient_takes(&mut world);
    world.does(DOCTOR, Intent::Invite(whom(3)));
    assert!(world.run_until(2_000, is_asked));
    world
}

fn three(seed: u64) -> World {
    let mut world = wants_the_specialist(seed);
    world.does(PATIENT, Intent::Answer { yes: true });
    assert!(world.run_until(5_000, |w| with(w, SPECIALIST, DOCTOR) == Some(Phase::Ringing)));
    world.does(SPECIALIST, Intent::Accept);
    assert!(world.run_until(5_000, all_talk), "not all three talk");
    world
}

#[test]
fn the_patient_says_yes_and_all_three_talk() {
    let mut world = wants_the_specialist(1);
    let view = world.view(PATIENT);
    assert_eq!(view.wanted.map(|named| named.name), Some("Dr Saira".to_owned()));
    assert_eq!(world.view(DOCTOR).asked[0].asked, Asked::Waiting);
    assert!(world.ends[SPECIALIST].session.is_none(), "nobody rings before the patient said yes");
    world.does(PATIENT, Intent::Answer { yes: true });
    assert!(world.run_until(5_000, |w| with(w, SPECIALIST, DOCTOR) == Some(Phase::Ringing)));
    assert_eq!(world.view(SPECIALIST).ask, Some(Id([5; 16])), "the specialist's end is about the ask");
    world.does(SPECIALIST, Intent::Accept);
    assert!(world.run_until(5_000, all_talk));
    for end in [DOCTOR, PATIENT, SPECIALIST] {
        assert_eq!(media_flows(&world, end), 2);
    }
    let leg = world.view(SPECIALIST).legs.into_iter().find(|leg| leg.introduced).expect("introduced");
    assert_eq!((leg.named.name.as_str(), leg.named.role.as_str()), ("Ayesha Bibi", "patient"));
    assert!(world.view(DOCTOR).asked.is_empty(), "a yes is no news");
}

#[test]
fn what_the_patient_agreed_to_is_told_to_who_called_and_to_nobody_else() {
    let agreed = |world: &World, end: usize, other: usize| {
        let person = world.ends[other].party.person;
        world.view(end).legs.iter().find(|leg| leg.person == person).and_then(|leg| leg.agreed)
    };
    let mut world = three(7);
    assert_eq!(agreed(&world, DOCTOR, PATIENT), None, "an older page says nothing");
    world.does(PATIENT, Intent::Agreed { video: false });
    // Only a patient agrees to anything.
    world.does(SPECIALIST, Intent::Agreed { video: true });
    assert!(world.run_until(2_000, |w| agreed(w, DOCTOR, PATIENT) == Some(false)));
    world.run(1_000);
    assert_eq!((agreed(&world, DOCTOR, SPECIALIST), agreed(&world, SPECIALIST, PATIENT)), (None, None));
    world.dial_back_from(DOCTOR, the_patient(), 256);
    says_names(&mut world);
    assert!(world.run_until(8_000, |w| agreed(w, DOCTOR, PATIENT) == Some(false)), "also after coming back");
}

#[test]
fn no_means_not_and_nobody_is_even_rung() {
    let mut world = wants_the_specialist(2);
    world.does(PATIENT, Intent::Answer { yes: false });
    world.run(10_000);
    assert!(world.ends[SPECIALIST].session.is_none());
    assert_eq!(world.view(DOCTOR).asked[0].asked, Asked::No);
    assert!(talk(&world, DOCTOR, PATIENT), "the two go on");
    // The doctor explains, and asks again.
    world.does(DOCTOR, Intent::Invite(whom(3)));
    assert!(world.run_until(2_000, is_asked));
    world.does(PATIENT, Intent::Answer { yes: true });
    assert!(world.run_until(5_000, |w| with(w, SPECIALIST, DOCTOR) == Some(Phase::Ringing)));
}

#[test]
fn a_question_that_nobody_answers_lapses() {
    let mut world = wants_the_specialist(3);
    world.run(61_000);
    assert_eq!(world.view(DOCTOR).asked[0].asked, Asked::Unanswered);
    world.does(PATIENT, Intent::Answer { yes: true });
    world.run(5_000);
    assert!(world.ends[SPECIALIST].session.is_none(), "nobody is rung a minute late");
}

/// A call with the specialist into which the doctor brings the patient who waits.
fn wants_the_patient(seed: u64) -> World {
    let mut world = world(seed, FAIR);
    world.dial_from(DOCTOR, whom(3));
    says_names(&mut world);
    assert!(world.run_until(5_000, |w| with(w, SPECIALIST, DOCTOR) == Some(Phase::Ringing)));
    world.does(SPECIALIST, Intent::Accept);
    assert!(world.run_until(5_000, |w| talk(w, DOCTOR, SPECIALIST)));
    world.does(DOCTOR, Intent::Invite(the_patient()));
    patient_takes(&mut world);
    assert!(world.run_until(2_000, is_asked));
    world.run(2_000);
    assert_eq!(with(&world, SPECIALIST, PATIENT), None, "nothing of the patient before a yes");
    world
}

#[test]
fn a_patient_who_waits_is_brought_into_the_call_with_the_specialist() {
    let mut world = wants_the_patient(4);
    world.does(PATIENT, Intent::Answer { yes: true });
    assert!(world.run_until(5_000, all_talk));
}

#[test]
fn a_patient_who_says_no_talks_to_the_doctor_alone() {
    let mut world = wants_the_patient(5);
    world.does(PATIENT, Intent::Answer { yes: false });
    world.run(2_000);
    assert_eq!(with(&world, SPECIALIST, DOCTOR), Some(Phase::Ended { reason: EndReason::NotWanted }));
    assert_eq!(with(&world, DOCTOR, SPECIALIST), Some(Phase::Ended { reason: EndReason::NotWanted }));
    assert!(talk(&world, DOCTOR, PATIENT));
    assert_eq!(media_flows(&world, PATIENT), 1);
}

#[test]
fn a_specialist_who_called_is_joined_by_the_patient_too() {
    // The specialist dials here: end 2 calls end 0.
    let mut world = world(6, FAIR);
    world.dial_from(SPECIALIST, whom(1));
    assert!(world.run_until(5_000, |w| with(w, DOCTOR, SPECIALIST) == Some(Phase::Ringing)));
    world.does(DOCTOR, Intent::Accept);
    assert!(world.run_until(5_000, |w| talk(w, DOCTOR, SPECIALIST)));
    says_names(&mut world);
    world.does(DOCTOR, Intent::Invite(the_patient()));
    patient_takes(&mut world);
    assert!(world.run_until(2_000, is_asked));
    world.does(PATIENT, Intent::Answer { yes: true });
    assert!(world.run_until(5_000, all_talk));
}

#[test]
fn whoever_leaves_leaves_the_other_two_in_the_call() {
    for (seed, leaves) in [(10, DOCTOR), (11, PATIENT), (12, SPECIALIST)] {
        let mut world = three(seed);
        world.does(leaves, Intent::HangUp);
        world.run(5_000);
        let stay: Vec<usize> =
            [DOCTOR, PATIENT, SPECIALIST].into_iter().filter(|end| *end != leaves).collect();
        assert!(talk(&world, stay[0], stay[1]), "{stay:?} go on");
        for end in &stay {
            assert_eq!(with(&world, *end, leaves), Some(Phase::Ended { reason: EndReason::TheyHungUp }));
            assert_eq!(media_flows(&world, *end), 1);
        }
        assert!(world.view(leaves).phase.is_ended());
    }
}

#[test]
fn a_router_that_changes_a_fingerprint_is_found_out_on_each_of_the_three_legs() {
    for (seed, pair) in [(20, (DOCTOR, PATIENT)), (21, (DOCTOR, SPECIALIST)), (22, (SPECIALIST, PATIENT))] {
        let mut world = world(seed, FAIR);
        world.tampers_between = Some(pair);
        world.dial_from(DOCTOR, the_patient());
        says_names(&mut world);
        assert!(world.run_until(5_000, |w| with(w, PATIENT, DOCTOR).is_some()));
        world.does(PATIENT, Intent::Accept);
        world.run(3_000);
        if pair == (DOCTOR, PATIENT) {
            assert_eq!(with(&world, PATIENT, DOCTOR), Some(Phase::Ended { reason: EndReason::Untrusted }));
            assert_eq!(media_flows(&world, PATIENT), 0);
            continue;
        }
        world.does(DOCTOR, Intent::Invite(whom(3)));
        assert!(world.run_until(2_000, is_asked));
        world.does(PATIENT, Intent::Answer { yes: true });
        assert!(world.run_until(5_000, |w| with(w, SPECIALIST, DOCTOR).is_some()));
        world.does(SPECIALIST, Intent::Accept);
        world.run(5_000);
        let (a, b) = pair;
        let untrusted =
            |end, other| with(&world, end, other) == Some(Phase::Ended { reason: EndReason::Untrusted });
        assert!(untrusted(a, b) || untrusted(b, a), "{pair:?} were taken in");
        assert!(talk(&world, DOCTOR, PATIENT), "the others go on");
        if pair == (SPECIALIST, PATIENT) {
            assert!(talk(&world, DOCTOR, SPECIALIST));
        }
    }
}

#[test]
fn the_key_of_the_third_leg_is_on_no_wire_that_the_router_carries() {
    let world = three(23);
    let carried = world.carried.join("\n");
    assert!(carried.contains("rejoin") || carried.contains("offer"), "something was carried");
    for n in 1..=4 {
        let key =
            rabta_wire::leg_key::LegKey::from_random([world.ends[DOCTOR].inst as u8; 32]).derive(n).text();
        assert!(!carried.contains(&key));
    }
}

#[test]
fn a_specialist_who_left_is_asked_back_into_the_same_call() {
    let mut world = three(30);
    world.does(SPECIALIST, Intent::HangUp);
    world.run(1_000);
    world.does(DOCTOR, Intent::Invite(whom(3)));
    let rings = |w: &World| with(w, SPECIALIST, DOCTOR) == Some(Phase::Ringing);
    assert!(world.run_until(5_000, rings), "the patient agreed before");
    world.does(SPECIALIST, Intent::Accept);
    assert!(world.run_until(5_000, all_talk));
}

#[test]
fn a_page_that_is_reloaded_is_back_in_the_same_call() {
    let mut world = three(31);
    let before = world.view(DOCTOR).seconds;
    world.begin_anew(PATIENT);
    world.run(500);
    for _ in 0..3 {
        world.says_rejoin(PATIENT, DOCTOR);
        world.run(300);
    }
    patient_takes(&mut world);
    assert!(world.view(DOCTOR).seconds >= before && talk(&world, DOCTOR, SPECIALIST), "it is the same call");
    // It is another page: the patient is asked again before the specialist is there.
    assert!(world.run_until(2_000, is_asked));
    assert_ne!(with(&world, PATIENT, SPECIALIST), Some(Phase::InCall));
    world.does(PATIENT, Intent::Answer { yes: true });
    assert!(world.run_until(8_000, all_talk));
    // A rejoin that comes late changes nothing.
    world.says_rejoin(PATIENT, DOCTOR);
    world.run(1_000);
    assert!(all_talk(&world));
}

/// The doctor calls the patient back, and then the specialist whom the patient's page says to be there.
fn comes_back(world: &mut World) {
    let kept = introduced_leg(world);
    let (asked, rung) = (world.view(PATIENT).wanted, world.ends[SPECIALIST].finished);
    assert!(asked.is_none() && !rung);
    world.dial_back_from(DOCTOR, the_patient(), 256);
    says_names(world);
    assert!(world.run_until(8_000, |w| talk(w, DOCTOR, PATIENT)), "the ring was not taken");
    let there = |w: &World| w.view(DOCTOR).here_already == [Id([3; 16])];
    assert!(world.run_until(2_000, there), "who else is there");
    world.does(DOCTOR, Intent::Invite(whom(3)));
    assert!(world.run_until(8_000, |w| {
        assert!(!is_asked(w), "the patient said yes before");
        all_talk(w)
    }));
    world.run(3_000);
    assert!(all_talk(world) && world.view(DOCTOR).here_already.is_empty());
    assert_eq!(introduced_leg(world), kept, "patient and specialist were not torn apart");
    for end in [DOCTOR, PATIENT, SPECIALIST] {
        assert_eq!(media_flows(world, end), 2);
    }
}

fn introduced_leg(world: &World) -> Option<rabta_call::LegId> {
    world.view(PATIENT).legs.into_iter().find(|leg| leg.introduced).map(|leg| leg.leg)
}

#[test]
fn a_doctor_who_hung_up_comes_back_to_the_two_who_go_on() {
    let mut world = three(35);
    world.does(DOCTOR, Intent::HangUp);
    world.run(4_000);
    comes_back(&mut world);
    // And once more: the specialist leaves, and is introduced when asked back.
    world.does(SPECIALIST, Intent::HangUp);
    world.run(1_000);
    world.does(DOCTOR, Intent::Invite(whom(3)));
    assert!(world.run_until(5_000, |w| with(w, SPECIALIST, DOCTOR) == Some(Phase::Ringing)));
    world.does(SPECIALIST, Intent::Accept);
    assert!(world.run_until(5_000, all_talk));
}

#[test]
fn a_doctor_whose_laptop_restarted_is_back_before_the_others_give_up() {
    let mut world = three(36);
    world.begin_anew(DOCTOR);
    world.run(6_000);
    assert!(matches!(with(&world, PATIENT, DOCTOR), Some(Phase::Waiting { .. })));
    comes_back(&mut world);

    let mut two = world_of_two(37);
    two.begin_anew(DOCTOR);
    two.run(6_000);
    two.dial_back_from(DOCTOR, the_patient(), 256);
    assert!(two.run_until(8_000, |w| talk(w, DOCTOR, PATIENT)));
}

fn world_of_two(seed: u64) -> World {
    let mut world = world(seed, FAIR);
    world.dial_from(DOCTOR, the_patient());
    patient_takes(&mut world);
    world
}

#[test]
fn an_old_ring_or_a_strangers_brings_nobody_into_a_running_call() {
    let mut world = three(38);
    world.does(DOCTOR, Intent::HangUp);
    world.run(1_000);
    // Not higher than the one that was answered.
    world.dial_back_from(DOCTOR, the_patient(), 0);
    world.run(5_000);
    assert!(!talk(&world, DOCTOR, PATIENT) && talk(&world, SPECIALIST, PATIENT));
    // The specialist is no caller of the patient's.
    let mut world = three(39);
    world.dial_back_from(SPECIALIST, the_patient(), 256);
    world.run(5_000);
    assert!(!talk(&world, SPECIALIST, PATIENT) && talk(&world, DOCTOR, PATIENT));
}

#[test]
fn a_call_of_two_survives_a_reload_too() {
    let mut world = world(32, FAIR);
    world.dial_from(DOCTOR, the_patient());
    patient_takes(&mut world);
    world.run(4_000);
    world.begin_anew(PATIENT);
    world.says_rejoin(PATIENT, DOCTOR);
    patient_takes(&mut world);
    assert!(world.view(DOCTOR).seconds >= 4, "it is the same call");
    // A second phone: the doctor's program calls whoever has the link now.
    world.begin_anew(PATIENT);
    world.does(DOCTOR, Intent::CallAgain { person: Id([2; 16]) });
    patient_takes(&mut world);
}

#[test]
fn a_leg_that_is_lost_leaves_the_others_and_who_is_away_is_said() {
    let mut world = three(33);
    world.begin_anew(SPECIALIST);
    world.run(8_000);
    assert!(matches!(with(&world, DOCTOR, SPECIALIST), Some(Phase::Waiting { .. })));
    assert!(matches!(with(&world, PATIENT, SPECIALIST), Some(Phase::Waiting { .. })));
    assert!(talk(&world, DOCTOR, PATIENT));
    assert_eq!(world.view(DOCTOR).phase, Phase::InCall);
}

#[test]
fn on_a_bad_wire_three_come_together_all_the_same() {
    let bad = Weather { loss: 20, twice: 20, delay: 800 };
    for seed in 0..20 {
        let mut world = world(200 + seed, bad);
        world.dial_from(DOCTOR, the_patient());
        says_names(&mut world);
        assert!(world.run_until(50_000, |w| with(w, PATIENT, DOCTOR) == Some(Phase::Ringing)));
        world.does(PATIENT, Intent::Accept);
        assert!(world.run_until(60_000, |w| talk(w, DOCTOR, PATIENT)));
        world.does(DOCTOR, Intent::Invite(whom(3)));
        assert!(world.run_until(10_000, is_asked));
        world.does(PATIENT, Intent::Answer { yes: true });
        assert!(world.run_until(50_000, |w| with(w, SPECIALIST, DOCTOR) == Some(Phase::Ringing)));
        world.does(SPECIALIST, Intent::Accept);
        assert!(world.run_until(90_000, all_talk), "seed {seed}");
    }
}
