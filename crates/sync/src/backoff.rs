//! How long to wait after a failure: doubling, with a ceiling, spread by a seed.

const FIRST_MS: u64 = 2_000;
const MOST_MS: u64 = 5 * 60_000;

/// Milliseconds to wait after the `failures`th failure in a row: 0, then about 2 s, 4 s, ... 5 minutes, each up to
/// a quarter shorter or longer by `seed`.
pub fn delay(failures: u32, seed: u64) -> u64 {
    if failures == 0 {
        return 0;
    }
    let plain = FIRST_MS.saturating_mul(1 << (failures - 1).min(20)).min(MOST_MS);
    let spread = mix(seed ^ u64::from(failures)) % 1_000;
    plain * 3 / 4 + plain * spread / 2_000
}

/// SplitMix64's output function: every bit of the seed reaches every bit of the result.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_to_five_minutes_and_no_further() {
        assert_eq!(delay(0, 9), 0);
        for seed in 0..50 {
            assert!((1_500..=2_500).contains(&delay(1, seed)));
            for failures in 1..9 {
                let (this, next) = (delay(failures, seed), delay(failures + 1, seed));
                assert!(next > this || next >= MOST_MS * 3 / 4);
            }
            assert!(delay(u32::MAX, seed) <= MOST_MS * 5 / 4);
        }
    }

    #[test]
    fn laptops_that_failed_together_do_not_come_back_together() {
        let mut waits: Vec<u64> = (0..20).map(|seed| delay(6, seed)).collect();
        waits.sort_unstable();
        waits.dedup();
        assert!(waits.len() > 15);
    }
}
