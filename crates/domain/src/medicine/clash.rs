//! A medicine against recorded allergies: the substance itself, its class, or a class that reacts alike.

use super::{Clash, MedicineLine};
use crate::visit::{Allergy, AllergyAnswer, AllergyState};

/// Classes that react alike often enough to stop and ask. Beta-lactams: Joint Task Force on Practice Parameters,
/// Drug allergy 2022 update; non-steroidals: EAACI position paper, 2013.
const CROSS: &[(&str, &str)] = &[
    ("penicillins", "cephalosporins"),
    ("penicillins", "carbapenems"),
    ("cephalosporins", "carbapenems"),
    ("nsaids", "salicylates"),
    ("sulfonamides", "sulfones"),
];

/// What people write for a class, in words. A free-text allergy to "penicillin" must stop amoxicillin.
const NAMES: &[(&str, &[&str])] = &[
    (
        "penicillins",
        &[
            "penicillin",
            "penicillins",
            "amoxicillin",
            "ampicillin",
            "augmentin",
            "amoxil",
            "cloxacillin",
            "co-amoxiclav",
            "پینسلین",
            "پنسلین",
        ],
    ),
    (
        "cephalosporins",
        &[
            "cephalosporin",
            "cephalosporins",
            "ceftriaxone",
            "cefixime",
            "cephradine",
            "cefradine",
            "velosef",
            "rocephin",
        ],
    ),
    ("carbapenems", &["carbapenem", "meropenem", "imipenem"]),
    (
        "sulfonamides",
        &[
            "sulfa",
            "sulpha",
            "sulfonamide",
            "sulfonamides",
            "sulphonamide",
            "septran",
            "septrin",
            "cotrimoxazole",
            "co-trimoxazole",
            "sulfamethoxazole",
            "سلفا",
        ],
    ),
    (
        "nsaids",
        &[
            "nsaid",
            "nsaids",
            "ibuprofen",
            "brufen",
            "diclofenac",
            "voltaren",
            "voltral",
            "naproxen",
            "ponstan",
            "mefenamic",
            "ketorolac",
        ],
    ),
    ("salicylates", &["aspirin", "disprin", "salicylate", "اسپرین", "ڈسپرین"]),
    ("macrolides", &["macrolide", "erythromycin", "azithromycin", "clarithromycin"]),
    ("quinolones", &["quinolone", "fluoroquinolone", "ciprofloxacin", "levofloxacin", "moxifloxacin"]),
    ("tetracyclines", &["tetracycline", "doxycycline"]),
    ("nitroimidazoles", &["metronidazole", "flagyl", "tinidazole"]),
    ("opioids", &["opioid", "morphine", "tramadol", "codeine", "nalbuphine"]),
    ("local-anesthetics", &["lidocaine", "lignocaine", "xylocaine"]),
];

/// Whether an allergy to one class is a reason to ask before giving the other.
pub fn crosses(a: &str, b: &str) -> bool {
    CROSS.iter().any(|(x, y)| (*x == a && *y == b) || (*x == b && *y == a))
}

/// Every line that clashes with a recorded allergy, once for each allergy.
pub fn clashes(lines: &[MedicineLine], allergies: &AllergyAnswer) -> Vec<Clash> {
    if allergies.state != AllergyState::Known {
        return Vec::new();
    }
    let pairs = lines.iter().flat_map(|line| allergies.items.iter().map(move |allergy| (line, allergy)));
    pairs
        .filter_map(|(line, allergy)| {
            let through = clash(line, allergy)?;
            Some(Clash { line: line.id.clone(), allergy: allergy.substance.clone(), through })
        })
        .collect()
}

/// The class through which they clash; empty for the substance itself.
fn clash(line: &MedicineLine, allergy: &Allergy) -> Option<String> {
    let medicine: Vec<String> = words(&line.generic).into_iter().chain(words(&line.brand)).collect();
    let substance = words(&allergy.substance);
    if substance.iter().any(|word| word.chars().count() > 3 && medicine.contains(word)) {
        return Some(String::new());
    }
    let classes = |given: &[String], words: &[String]| -> Vec<String> {
        let named = NAMES.iter().filter(|(_, names)| names.iter().any(|n| words.iter().any(|w| w == n)));
        given.iter().cloned().chain(named.map(|(class, _)| (*class).to_owned())).collect()
    };
    let of_line = classes(&line.classes, &medicine);
    let of_allergy = classes(&allergy.classes, &substance);
    let same = of_line.iter().find(|c| of_allergy.contains(c));
    let alike = || of_line.iter().find(|c| of_allergy.iter().any(|a| crosses(a, c)));
    same.or_else(alike).cloned()
}

/// Lower-case words of a name; what stands around and between them is no part of it.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let split = lower.split(|c: char| !(c.is_alphanumeric() || c == '-'));
    split
        .map(|w| w.trim_matches('-').to_owned())
        .filter(|w| !w.is_empty() && !NOISE.contains(&w.as_str()))
        .collect()
}

/// Words of many medicines' names that name none.
const NOISE: &[&str] = &[
    "acid",
    "sodium",
    "potassium",
    "tablet",
    "tablets",
    "syrup",
    "injection",
    "hydrochloride",
    "medicine",
    "drops",
    "cream",
    "forte",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn line(generic: &str, brand: &str, classes: &[&str]) -> MedicineLine {
        let classes = classes.iter().map(|c| (*c).to_owned()).collect();
        MedicineLine {
            id: "m".into(),
            generic: generic.into(),
            brand: brand.into(),
            classes,
            ..MedicineLine::default()
        }
    }

    fn through(line: MedicineLine, substance: &str, classes: &[&str]) -> Option<String> {
        let classes = classes.iter().map(|c| (*c).to_owned()).collect();
        let allergy = Allergy { substance: substance.into(), classes, ..Allergy::default() };
        let answer = AllergyAnswer { state: AllergyState::Known, items: vec![allergy] };
        clashes(&[line], &answer).into_iter().next().map(|c| c.through)
    }

    #[test]
    fn amoxicillin_clashes_with_penicillin_however_it_was_recorded() {
        let amoxicillin = || line("Amoxicillin", "Amoxil", &["penicillins"]);
        assert_eq!(through(amoxicillin(), "Penicillin", &[]).as_deref(), Some("penicillins"));
        assert_eq!(through(amoxicillin(), "injection", &["penicillins"]).as_deref(), Some("penicillins"));
        assert_eq!(through(amoxicillin(), "amoxicillin", &[]).as_deref(), Some(""));
        assert_eq!(through(amoxicillin(), "AMOXIL drops", &[]).as_deref(), Some(""));
        assert_eq!(
            through(line("Amoxicillin + clavulanic acid", "", &[]), "پینسلین", &[]).as_deref(),
            Some("penicillins")
        );
    }

    #[test]
    fn classes_that_react_alike_clash_and_others_do_not() {
        assert_eq!(
            through(line("Ceftriaxone", "", &["cephalosporins"]), "penicillin", &[]).as_deref(),
            Some("cephalosporins")
        );
        assert_eq!(through(line("Ibuprofen", "", &["nsaids"]), "Disprin", &[]).as_deref(), Some("nsaids"));
        assert_eq!(through(line("Paracetamol", "Panadol", &[]), "penicillin", &["penicillins"]), None);
        assert_eq!(through(line("Folic acid", "", &[]), "mefenamic acid", &[]), None);
    }

    #[test]
    fn nothing_clashes_where_no_allergy_is_known() {
        let answer = AllergyAnswer { state: AllergyState::NoneKnown, items: vec![] };
        assert!(clashes(&[line("Amoxicillin", "", &["penicillins"])], &answer).is_empty());
    }
}
