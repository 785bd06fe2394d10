//! Servers that fail and lie at random, from a seed: when they are honest again, everything is on both sides, once.

use std::sync::Mutex;

use rabta_store::RecordStore;
use rabta_sync::foreign::Why;
use rabta_wire::Id;
use serde_json::json;

use crate::{
    laptop::{Laptop, PATIENT, observation},
    liar::{Liar, Reply, Say},
};

const SEEDS: u64 = 60;
const ROUNDS: usize = 6;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// One lie of many; about half of all answers are honest.
fn weather(dice: &mut Dice) -> Say {
    let broken = |reply: Reply, change: fn(&mut serde_json::Value)| {
        let mut body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        change(&mut body);
        Reply { body: body.to_string().into_bytes(), ..reply }
    };
    match dice.next() % 20 {
        0 => Say::LostRequest,
        1 | 2 => Say::LostAnswer,
        3 => Say::Instead(Reply::outcome(500, "a bug")),
        4 => Say::Instead(Reply::outcome(503, "being restarted")),
        5 => Say::Instead(Reply::outcome(200, "no")),
        6 => Say::Instead(Reply::outcome(422, "no")),
        7 => Say::Changed(Box::new(|_| Reply { status: 200, headers: vec![], body: b"<html>".to_vec() })),
        8 => Say::Changed(Box::new(|reply| {
            let half = reply.body.len() / 2;
            Reply { body: reply.body[..half].to_vec(), ..reply }
        })),
        9 => Say::Changed(Box::new(move |reply| {
            broken(reply, |body| {
                body["id"] = "another".into();
            })
        })),
        10 => Say::Changed(Box::new(move |reply| {
            broken(reply, |body| {
                if let Some(entries) = body["entry"].as_array_mut() {
                    entries.pop();
                }
            })
        })),
        11 => Say::Changed(Box::new(move |reply| {
            broken(reply, |body| {
                body["link"] = json!([{ "relation": "next", "url": "Observation?offset=0" }]);
            })
        })),
        _ => Say::Honest,
    }
}

#[tokio::test]
async fn whatever_the_server_did_in_the_end_everything_is_on_both_sides_once() {
    for seed in 0..SEEDS {
        let (liar, laptop) = (Liar::start().await, Laptop::new().await);
        // The patient is there before the weather turns, so that others can write about them.
        laptop.open(&liar.base).await.expect("it opens").push().await.expect("it goes");
        let dice = Mutex::new(Dice(seed));
        liar.says(move |_| weather(&mut dice.lock().expect("no test panics with it")));
        for round in 0..ROUNDS {
            let n = 2 + round as u8;
            laptop.visit(n, "ours").await;
            liar.write(observation(0x20 + n, "theirs"));
            // A new program each time; what it says does not matter here.
            if let Ok(mut driver) = laptop.open(&liar.base).await {
                let _ = driver.push().await;
                let _ = driver.pull().await;
            }
        }
        liar.is_honest();
        let mut driver = laptop.open(&liar.base).await.expect("it opens");
        driver.push().await.expect("it goes");
        let refused: Vec<Id> = driver.held().iter().map(|held| held.envelope).collect();
        for envelope in refused {
            driver.again(envelope).await.expect("it is noted");
        }
        driver.push().await.expect("it goes");
        let held: Vec<&Why> = driver.held().iter().map(|held| &held.why).collect();
        assert!(held.is_empty(), "seed {seed}: {held:?}");
        // What goes back or is short is asked for again in the next readings.
        for _ in 0..2 {
            driver.pull().await.expect("it reads");
        }
        driver.push().await.expect("it goes");
        assert_eq!(liar.version(&format!("Patient/{PATIENT}")), 1, "seed {seed}");
        for round in 0..ROUNDS {
            let n = 2 + round as u8;
            let there = liar.version(&format!("Observation/{}", Id([n; 16])));
            assert_eq!(there, 1, "seed {seed}: visit {n} is there once");
            assert_eq!(
                laptop.value(n).await.as_deref(),
                Some("ours"),
                "seed {seed}: visit {n} is as it was written"
            );
            let theirs = laptop.value(0x20 + n).await;
            assert_eq!(theirs.as_deref(), Some("theirs"), "seed {seed}: theirs {n} is here");
        }
        let all = laptop.store.of_kind("Observation", None, 100).await.expect("it reads");
        assert_eq!(all.len(), 2 * ROUNDS, "seed {seed}: nothing else is here");
    }
}
