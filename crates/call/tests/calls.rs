//! What two ends see of a call, message by message.

mod common;

use common::{FAIR, Weather, World, party, whom};
use rabta_call::{ConnectionWords, EndReason, Intent, Phase, Receipt};
use rabta_wire::Id;

const BAD: Weather = Weather { loss: 30, twice: 20, delay: 1_500 };

fn two(seed: u64, weather: Weather) -> World {
    World::new(seed, weather, &[party(1, 1), party(2, 2)])
}

fn ringing(world: &World) -> bool {
    world.ends[1].session.is_some() && world.view(0).phase == Phase::Ringing
}

fn both(world: &World, phase: Phase) -> bool {
    world.view(0).phase == phase && world.view(1).phase == phase
}

fn ended(reason: EndReason) -> Phase {
    Phase::Ended { reason }
}

fn in_call(seed: u64) -> World {
    let mut world = two(seed, FAIR);
    world.dial(2);
    assert!(world.run_until(5_000, ringing));
    world.run(3_000);
    world.does(1, Intent::Accept);
    assert!(world.run_until(2_000, |w| both(w, Phase::InCall)));
    world
}

#[test]
fn it_connects_while_it_rings_so_that_accepting_takes_one_message() {
    let mut world = two(1, FAIR);
    world.dial(2);
    assert!(world.run_until(5_000, ringing));
    world.run(3_000);
    assert!(world.leaked.is_empty(), "an address left before the accept");
    assert!(!world.ends[1].live, "the callee's camera runs before they accepted");
    assert!(world.ends[0].engine.values().all(|leg| !leg.open));
    let accepted = world.now;
    world.does(1, Intent::Accept);
    assert_eq!(world.view(1).phase, Phase::InCall, "the link was up already");
    assert!(world.run_until(1_000, |w| w.view(0).phase == Phase::InCall));
    assert!(world.now - accepted <= 21, "one way of the wire");
    assert!(world.ends.iter().all(|end| end.engine.values().all(|leg| leg.open)));
    assert_eq!(world.view(0).words, ConnectionWords::Good);
}

#[test]
fn hanging_up_ends_both_sides_and_both_sessions_finish() {
    let mut world = in_call(2);
    world.does(0, Intent::HangUp);
    assert_eq!(world.view(0).phase, ended(EndReason::WeHungUp));
    world.run(1_000);
    assert_eq!(world.view(1).phase, ended(EndReason::TheyHungUp));
    world.run(20_000);
    assert!(world.ends.iter().all(|end| end.finished));
    assert!(world.ends.iter().all(|end| end.engine.values().all(|leg| leg.closed)));
}

#[test]
fn a_declined_call_says_so_on_both_sides() {
    let mut world = two(3, FAIR);
    world.dial(2);
    assert!(world.run_until(5_000, ringing));
    world.does(1, Intent::Decline);
    world.run(1_000);
    assert_eq!(world.view(0).phase, ended(EndReason::Declined));
    assert_eq!(world.view(1).phase, ended(EndReason::WeDeclined));
}

#[test]
fn a_device_in_another_call_answers_busy() {
    let mut world = two(4, FAIR);
    world.ends[1].busy = true;
    world.dial(2);
    world.run(1_000);
    assert_eq!(world.view(0).phase, ended(EndReason::Busy));
}

#[test]
fn a_call_that_nobody_takes_ends_after_a_minute_on_both_sides() {
    let mut world = two(5, FAIR);
    world.dial(2);
    world.run(59_000);
    assert_eq!(world.view(1).words, ConnectionWords::RingingHere);
    world.run(3_000);
    assert_eq!(world.view(0).phase, ended(EndReason::NoAnswer));
    assert_eq!(world.view(1).phase, ended(EndReason::Missed));
}

#[test]
fn a_caller_who_vanishes_does_not_leave_the_other_side_ringing() {
    let mut world = two(6, FAIR);
    world.dial(2);
    assert!(world.run_until(5_000, ringing));
    world.socket(0, false);
    assert!(world.run_until(30_000, |w| w.view(1).phase == ended(EndReason::Missed)));
}

#[test]
fn a_device_that_comes_online_half_a_minute_late_still_rings() {
    let mut world = two(7, FAIR);
    world.ends[1].online = false;
    world.dial(2);
    world.run(30_000);
    assert_eq!(world.view(0).phase, Phase::Calling);
    world.ends[1].online = true;
    assert!(world.run_until(4_000, ringing));
}

#[test]
fn a_router_that_changes_a_fingerprint_ends_the_call_before_any_media() {
    let mut world = two(8, FAIR);
    world.tampers = true;
    world.dial(2);
    world.run(3_000);
    assert_eq!(world.view(1).phase, ended(EndReason::Untrusted));
    assert!(world.view(0).phase.is_ended());
    assert!(world.ends.iter().all(|end| end.engine.values().all(|leg| !leg.open)));
}

#[test]
fn a_link_that_went_is_waited_for_in_seconds_and_found_again() {
    let mut world = in_call(9);
    world.set_network(false);
    world.run(12_500);
    let Phase::Waiting { seconds } = world.view(1).phase else { panic!("not waiting") };
    assert_eq!((seconds, world.view(1).words), (12, ConnectionWords::WaitingForThem { seconds: 12 }));
    world.set_network(true);
    assert!(world.run_until(30_000, |w| both(w, Phase::InCall)));
    assert!(world.view(0).seconds >= 12, "it is the same call");
}

#[test]
fn when_socket_and_link_both_went_our_own_network_is_named() {
    let mut world = in_call(10);
    world.socket(1, false);
    world.set_network(false);
    world.run(5_000);
    assert!(matches!(world.view(1).words, ConnectionWords::WaitingForNetwork { .. }));
    assert!(matches!(world.view(0).words, ConnectionWords::WaitingForThem { .. }));
    world.set_network(true);
    world.socket(1, true);
    assert!(world.run_until(30_000, |w| both(w, Phase::InCall)));
}

#[test]
fn a_link_that_stays_away_ends_the_call_after_five_minutes() {
    let mut world = in_call(11);
    world.set_network(false);
    world.run(299_000);
    assert!(matches!(world.view(0).phase, Phase::Waiting { .. }));
    world.run(5_000);
    assert!(world.view(0).phase.is_ended() && world.view(1).phase.is_ended());
}

#[test]
fn mute_and_camera_show_on_the_other_side() {
    let mut world = in_call(12);
    world.does(0, Intent::Microphone { on: false });
    world.does(0, Intent::Camera { on: false });
    world.run(500);
    let leg = &world.view(1).legs[0];
    assert!(!leg.mic_on && !leg.camera_on);
    assert!(world.view(1).mic_on);
}

#[test]
fn a_line_of_chat_written_while_the_link_is_gone_arrives_when_it_is_back() {
    let mut world = in_call(13);
    world.set_network(false);
    world.run(1_000);
    world.does(0, Intent::Chat { text: "BP 80/50 now".into() });
    assert_eq!(world.view(0).chat[0].receipt, Receipt::Waiting);
    world.set_network(true);
    assert!(world.run_until(40_000, |w| w.view(0).chat[0].receipt == Receipt::Delivered));
    assert_eq!(world.view(1).chat.len(), 1);
    assert_eq!(world.view(1).chat[0].text, "BP 80/50 now");
}

#[test]
fn taken_on_a_second_device_the_first_stops_ringing() {
    let mut world = World::new(14, FAIR, &[party(1, 1), party(2, 2), party(2, 3)]);
    world.dial(2);
    assert!(world.run_until(5_000, |w| w.ends[1].session.is_some() && w.ends[2].session.is_some()));
    world.run(2_000);
    let bound = world.view(0).legs[0].party.expect("a device answered").device;
    // The one that the caller did not connect with takes it.
    let (takes, loses) = if bound == Id([2; 16]) { (2, 1) } else { (1, 2) };
    world.does(takes, Intent::Accept);
    assert!(world.run_until(5_000, |w| w.view(0).phase == Phase::InCall));
    world.run(500);
    assert_eq!(world.view(takes).phase, Phase::InCall);
    assert_eq!(world.view(loses).phase, ended(EndReason::Elsewhere));
}

#[test]
fn a_third_person_is_one_more_leg() {
    let mut world = World::new(15, FAIR, &[party(1, 1), party(2, 2), party(3, 3)]);
    world.dial(2);
    assert!(world.run_until(5_000, ringing));
    world.does(1, Intent::Accept);
    assert!(world.run_until(5_000, |w| both(w, Phase::InCall)));
    world.does(0, Intent::Invite(whom(3)));
    assert!(world.run_until(5_000, |w| w.ends[2].session.is_some()));
    world.does(2, Intent::Accept);
    assert!(world.run_until(5_000, |w| w.view(0).legs.iter().all(|leg| leg.phase == Phase::InCall)));
    assert_eq!(world.view(0).legs.len(), 2);
    world.does(1, Intent::HangUp);
    world.run(1_000);
    assert_eq!(world.view(0).phase, Phase::InCall, "the other leg goes on");
}

#[test]
fn on_a_bad_wire_a_call_is_made_all_the_same() {
    for seed in 0..40 {
        let mut world = two(100 + seed, BAD);
        world.dial(2);
        assert!(world.run_until(50_000, ringing), "seed {seed} never rang");
        world.does(1, Intent::Accept);
        assert!(world.run_until(60_000, |w| both(w, Phase::InCall)), "seed {seed} never connected");
        assert!(world.leaked.is_empty());
    }
}
