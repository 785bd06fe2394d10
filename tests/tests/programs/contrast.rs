//! The style sheet's colors, light and dark: text on what it stands on has at least the contrast of WCAG 2.2, level AA
//! (1.4.3: 4.5 to 1), borders of fields and the focus ring that of 1.4.11 (3 to 1).

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};

/// What is written on what.
const TEXT: &[(&str, &[&str])] = &[
    ("ink", &["paper", "surface", "sunken", "hover", "teal-tint", "amber-tint", "red-tint"]),
    ("ink-2", &["paper", "surface", "sunken", "hover", "teal-tint"]),
    ("ink-3", &["paper", "surface", "sunken", "hover"]),
    ("teal-ink", &["paper", "surface", "hover", "teal-tint"]),
    ("amber-ink", &["surface", "amber-tint"]),
    ("red-ink", &["paper", "surface", "red-tint"]),
    ("on-teal", &["teal", "teal-strong"]),
    ("on-red", &["red", "red-strong"]),
    ("rail-ink", &["rail", "rail-2"]),
];

const SHAPES: &[(&str, &[&str])] =
    &[("line-strong", &["paper", "surface"]), ("focus", &["paper", "surface"]), ("teal", &["surface"])];

/// The tokens of one block of the style sheet that begins with this selector.
fn tokens(css: &str, selector: &str) -> Result<HashMap<String, [f64; 3]>> {
    let begin = css.find(selector).with_context(|| format!("the block {selector}"))?;
    let block = css[begin..].split('}').next().unwrap_or_default();
    // Without its comments.
    let block: String =
        block.split("/*").map(|part| part.split_once("*/").map_or(part, |(_, after)| after)).collect();
    let mut found = HashMap::new();
    for declaration in block.split([';', '{']) {
        let Some((name, value)) = declaration.split_once(':') else { continue };
        let (name, value) = (name.trim(), value.trim());
        if let (Some(name), Some(hex)) = (name.strip_prefix("--"), value.strip_prefix('#')) {
            let channel = |i: usize| u8::from_str_radix(hex.get(i..i + 2).unwrap_or("x"), 16).map(f64::from);
            found.insert(name.to_owned(), [channel(0)?, channel(2)?, channel(4)?]);
        }
    }
    Ok(found)
}

/// Relative luminance, as WCAG defines it.
fn luminance(color: [f64; 3]) -> f64 {
    let [r, g, b] = color.map(|c| {
        let c = c / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn text_and_fields_can_be_read_in_sunlight_and_at_night() -> Result<()> {
    ensure!((contrast([0.0; 3], [255.0; 3]) - 21.0).abs() < 0.01, "black on white");
    let css = std::fs::read_to_string(rabta_tests::run::checkout().join("src-ui/public/rabta.css"))?;
    let mut low = Vec::new();
    for selector in [":root {", ":root[data-theme=\"dark\"] {"] {
        let tokens = tokens(&css, selector)?;
        for (pairs, least) in [(TEXT, 4.5), (SHAPES, 3.0)] {
            for (front, backs) in pairs {
                for back in *backs {
                    let color = |name: &str| tokens.get(name).copied().with_context(|| format!("--{name}"));
                    let seen = contrast(color(front)?, color(back)?);
                    if seen < least {
                        low.push(format!("{selector} {front} on {back}: {seen:.2} of {least}"));
                    }
                }
            }
        }
    }
    ensure!(low.is_empty(), "too faint: {low:#?}");
    Ok(())
}
