//! The simulator: clinics, a hospital and an HIE in one virtual time, with everything that goes wrong drawn from a seed;
//! after the healing, promises are checked.
//!
//! - [`run`] plays a seed. The same seed plays the same story, to the millisecond.
//! - What runs is what ships: the plan, the driver, the keyring, the record store's rules (its model), the HIE's rules (its
//!   model core). docs/SIM.md lists what stands in for what.
//! - [`KnownBad`] turns on programs that are known to be wrong, at the sim's own seams: the promises must catch each.
//!
//! It never waits for real, opens no socket and no file.
//!
//! ```
//! let outcome = rabta_sim::run(1, None);
//! assert!(outcome.wrong.is_empty(), "{}", outcome.story.join("\n"));
//! ```

mod chance;
mod disk;
mod faults;
mod hie;
mod known_bad;
mod laptop;
mod line;
mod payload;
mod people;
mod promises;
mod story;
mod time;
mod world;

pub use known_bad::KnownBad;
pub use promises::Tally;

/// What became of one world.
pub struct Outcome {
    pub seed: u64,
    /// Each broken promise, in a sentence; none: all is well.
    pub wrong: Vec<String>,
    /// What happened, in order.
    pub story: Vec<String>,
    pub tally: Tally,
}

/// Plays the world of `seed`, with the programs that ship or with known-bad ones.
pub fn run(seed: u64, bad: Option<KnownBad>) -> Outcome {
    let mut world = world::World::new(seed, bad);
    world.live();
    let tally = world.check();
    Outcome { seed, wrong: world.wrong, story: world.around.story.lines(), tally }
}
