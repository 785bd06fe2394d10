//! Whatever the wire, the network and the people do: once they leave it alone, a call is a call or it is over.

mod common;

use common::{FAIR, Weather, World, party};
use proptest::prelude::*;
use rabta_call::{Intent, Phase, limits};

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Person(usize, u8),
    Socket(usize, bool),
    Network(bool),
    Weather(u64, u64, u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1u64..20_000).prop_map(Step::Wait),
        3 => (0usize..2, 0u8..10).prop_map(|(end, what)| Step::Person(end, what)),
        2 => (0usize..2, any::<bool>()).prop_map(|(end, up)| Step::Socket(end, up)),
        2 => any::<bool>().prop_map(Step::Network),
        1 => (0u64..70, 0u64..40, 1u64..4_000).prop_map(|(l, t, d)| Step::Weather(l, t, d)),
    ]
}

fn intent(what: u8) -> Intent {
    match what {
        0 => Intent::HangUp,
        1 => Intent::Decline,
        2 => Intent::Microphone { on: false },
        3 => Intent::Chat { text: "?".into() },
        _ => Intent::Accept,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_always_ends_or_is_in_call(seed in any::<u64>(), steps in prop::collection::vec(step(), 1..40)) {
        let mut world = World::new(seed, FAIR, &[party(1, 1), party(2, 2)]);
        world.dial(2);
        for step in &steps {
            match *step {
                Step::Wait(millis) => world.run(millis),
                Step::Person(end, what) => world.does(end, intent(what)),
                Step::Socket(end, up) => world.socket(end, up),
                Step::Network(up) => world.set_network(up),
                Step::Weather(loss, twice, delay) => world.weather = Weather { loss, twice, delay },
            }
        }
        world.weather = FAIR;
        world.set_network(true);
        world.socket(0, true);
        world.socket(1, true);
        world.run(limits::WAIT + limits::RING + limits::CONNECT + 30_000);
        let settled = |end: usize| {
            world.ends[end].session.is_none() || {
                let phase = world.view(end).phase;
                phase == Phase::InCall || phase.is_ended()
            }
        };
        prop_assert!(settled(0), "the caller is stuck in {:?}", world.view(0).phase);
        prop_assert!(settled(1), "the callee is stuck in {:?}", world.view(1).phase);
        if world.ends[1].session.is_some() {
            let (a, b) = (world.view(0).phase == Phase::InCall, world.view(1).phase == Phase::InCall);
            prop_assert_eq!(a, b, "one side is in a call with nobody");
        }
        prop_assert!(world.leaked.is_empty(), "an address left before the accept");
    }
}
