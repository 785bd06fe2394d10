//! How alike two words are.

/// 0 (nothing alike) to 100 (equal), from the edit distance of the two spellings after the freest vowels are made
/// one.
pub(crate) fn closeness(a: &str, b: &str) -> u32 {
    let (a, b) = (plain(a), plain(b));
    let longest = a.len().max(b.len()).max(1) as u32;
    100 - 100 * (distance(&a, &b) as u32).min(longest) / longest
}

/// 0 (nothing alike) to 100, for an Urdu and a Latin spelling in either order: short vowels are not written in Urdu, long ones
/// may be read in two ways.
pub(crate) fn sounds_alike(a: &str, b: &str) -> u32 {
    let (urdu, latin) = if a.is_ascii() { (b, a) } else { (a, b) };
    let (urdu, latin) = (read_aloud(urdu), plain(latin));
    let longest = urdu.len().max(latin.len()).max(1) as u32;
    let is_vowel = |c: &char| matches!(c, 'a' | 'i' | 'u' | 'h');
    // In quarters of a letter.
    let skip = |c: &char| if is_vowel(c) { 1 } else { 4 };
    let mut last: Vec<u32> = std::iter::once(0)
        .chain(latin.iter().scan(0, |sum, c| {
            *sum += skip(c);
            Some(*sum)
        }))
        .collect();
    for u in &urdu {
        // A vowel that is written in Urdu is a long one.
        let drop = if is_vowel(u) { 2 } else { 4 };
        let mut row = vec![last[0] + drop];
        for (j, l) in latin.iter().enumerate() {
            let change = if u == l {
                0
            } else if is_vowel(u) && is_vowel(l) {
                2
            } else {
                4
            };
            row.push((last[j] + change).min(last[j + 1] + drop).min(row[j] + skip(l)));
        }
        last = row;
    }
    100 - (25 * last[latin.len()] / longest).min(100)
}

/// An Urdu word's letters as [`plain`] has them; what has no sound of its own is left out.
fn read_aloud(word: &str) -> Vec<char> {
    let mut out: Vec<char> = Vec::with_capacity(word.len());
    for c in word.chars() {
        let c = match c {
            'ا' | 'ع' => 'a',
            'ی' => 'i',
            'و' => 'u',
            'ہ' | 'ح' | 'ھ' => 'h',
            c => match crate::skeleton::consonant(c).chars().next() {
                Some(c) => c,
                None => continue,
            },
        };
        if out.last() != Some(&c) {
            out.push(c);
        }
    }
    out
}

/// Whether at most one letter is too many, too few or wrong, or two neighbors are swapped.
pub(crate) fn one_slip(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let end = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(x, y)| x == y).count();
    // What is left between what both begin and end with.
    match (&a[start..a.len() - end], &b[start..b.len() - end]) {
        ([] | [_], [] | [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    }
}

/// o and u, e and i, w and v, q and k, and doubled letters are spelled as anybody likes.
fn plain(word: &str) -> Vec<char> {
    let mut out: Vec<char> = Vec::with_capacity(word.len());
    for c in word.chars() {
        let c = match c {
            'o' => 'u',
            'e' | 'y' => 'i',
            'w' => 'v',
            'q' => 'k',
            c => c,
        };
        if out.last() != Some(&c) {
            out.push(c);
        }
    }
    out
}

/// Insertions, deletions, substitutions and swaps of neighbors (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (last[j - 1] + change).min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_is_one_slip() {
        let d = |a: &str, b: &str| distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!(d("mhmd", "mhdm"), 1);
        assert_eq!(d("", "abc"), 3);
        assert_eq!(d("abc", "abc"), 0);
    }

    #[test]
    fn one_slip_is_one_letter_or_two_swapped() {
        for (a, b, one) in [
            ("akram", "akram", true),
            ("akram", "akrm", true),
            ("akram", "akreqm", false),
            ("akram", "akaram", true),
            ("akram", "arkam", true),
            ("akram", "akrbm", true),
            ("akram", "krama", false),
            ("noor", "nor", true),
            ("", "a", true),
            ("", "ab", false),
        ] {
            assert_eq!((one_slip(a, b), one_slip(b, a)), (one, one), "{a} {b}");
        }
    }

    #[test]
    fn hussein_is_closer_to_hussain_than_hassan_is() {
        assert!(closeness("hussein", "hussain") > closeness("hassan", "hussain"));
        assert_eq!(closeness("noor", "nur"), 100);
    }
}
