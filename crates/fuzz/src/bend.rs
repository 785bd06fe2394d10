/// Numbers that break what counts with them.
const ODD: [u8; 8] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF, b'"', b'{'];

/// A seed, bent a few times: bytes changed, cut out, doubled, moved, or taken from another seed. The same state gives the
/// same bytes; the state moves on.
pub fn bend(seeds: &[Vec<u8>], state: &mut u64) -> Vec<u8> {
    let mut bytes = seeds.get(below(state, seeds.len())).cloned().unwrap_or_default();
    for _ in 0..=below(state, 6) {
        let at = below(state, bytes.len() + 1);
        let to = (at + 1 + below(state, 16)).min(bytes.len());
        match below(state, 8) {
            0 | 1 if at < bytes.len() => bytes[at] ^= 1 << below(state, 8),
            2 if at < bytes.len() => bytes[at] = ODD[below(state, ODD.len())],
            3 => bytes.truncate(at),
            4 if at < to => drop(bytes.drain(at..to)),
            5 if at < to => {
                let again: Vec<u8> = bytes[at..to].repeat(1 + below(state, 40));
                bytes.splice(at..at, again);
            }
            6 => bytes.insert(at, ODD[below(state, ODD.len())]),
            _ => {
                let Some(other) = seeds.get(below(state, seeds.len())).filter(|other| !other.is_empty())
                else {
                    continue;
                };
                let from = below(state, other.len());
                let part = &other[from..(from + 1 + below(state, 64)).min(other.len())];
                bytes.splice(at..to.max(at), part.iter().copied());
            }
        }
    }
    bytes
}

/// xorshift64*.
fn below(state: &mut u64, n: usize) -> usize {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    (state.wrapping_mul(0x2545_F491_4F6C_DD1D) % (n.max(1) as u64)) as usize
}
