//! A figure and its bar, as a table and as JSON.

use std::{borrow::Cow, fmt::Write as _};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// A measured value and what it must be at most, or at least.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    pub name: Cow<'static, str>,
    pub value: f64,
    pub unit: Cow<'static, str>,
    pub bar: f64,
    /// Another program on the same work in the same run.
    pub peer: Option<f64>,
    at_least: bool,
}

impl Figure {
    pub fn new(name: &'static str, value: f64, unit: &'static str, bar: f64) -> Self {
        Self { name: name.into(), value, unit: unit.into(), bar, peer: None, at_least: false }
    }

    /// The more the better.
    pub fn at_least(name: &'static str, value: f64, unit: &'static str, bar: f64) -> Self {
        Self { at_least: true, ..Self::new(name, value, unit, bar) }
    }

    /// With another program on the same work in the same run.
    pub fn beside(self, peer: Option<f64>) -> Self {
        Self { peer, ..self }
    }

    pub fn holds(&self) -> bool {
        if self.at_least { self.value >= self.bar } else { self.value <= self.bar }
    }
}

/// `{"bench":…,"results":[…]}`, values to a tenth.
pub fn json(bench: &str, figures: &[Figure]) -> Value {
    let tenth = |x: f64| (x * 10.0).round() / 10.0;
    let one = |f: &Figure| {
        let mut one = json!({ "name": f.name, "value": tenth(f.value), "unit": f.unit, "bar": tenth(f.bar) });
        if let Some(peer) = f.peer {
            one["peer"] = json!(tenth(peer));
        }
        one
    };
    json!({ "bench": bench, "results": figures.iter().map(one).collect::<Vec<_>>() })
}

/// The figures in such an object, as another process of this program printed them.
pub fn read(object: &Value) -> Result<Vec<Figure>> {
    let all = object["results"].as_array().context("an object with results")?;
    let text = |one: &Value, name| Some(Cow::Owned(one[name].as_str()?.to_owned()));
    let figure = |one| {
        let (name, unit) = (text(one, "name")?, text(one, "unit")?);
        let (value, bar) = (one["value"].as_f64()?, one["bar"].as_f64()?);
        Some(Figure { name, value, unit, bar, peer: one["peer"].as_f64(), at_least: false })
    };
    all.iter().map(|one| figure(one).context("a name, a value, its unit and its bar")).collect()
}

pub fn table(bench: &str, figures: &[Figure]) -> String {
    let mut out = format!("{bench:<28}{:>10}  {:<5}{:>10}\n", "value", "unit", "bar");
    for f in figures {
        let verdict = match (f.holds(), f.at_least) {
            (true, _) => "",
            (false, false) => "  OVER",
            (false, true) => "  UNDER",
        };
        let peer = f.peer.map_or(String::new(), |peer| format!("  peer {peer:.1}"));
        let _ =
            writeln!(out, "  {:<26}{:>10.1}  {:<5}{:>10.1}{peer}{verdict}", f.name, f.value, f.unit, f.bar);
    }
    out
}

/// The middle one; the mean of the two in the middle where their number is even.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

/// What 95 of 100 are not above.
pub fn p95(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get((values.len() * 95).div_ceil(100).saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_over_its_bar_is_marked_and_does_not_hold() {
        let over = Figure::new("unlock", 1200.0, "ms", 1000.0);
        assert!(!over.holds());
        assert!(table("app", &[over]).contains("OVER"));
    }

    #[test]
    fn a_figure_under_its_least_is_marked_and_does_not_hold() {
        let under = Figure::at_least("recall", 97.0, "%", 98.0);
        assert!(!under.holds() && Figure::at_least("recall", 98.0, "%", 98.0).holds());
        assert!(table("recall", &[under]).contains("UNDER"));
    }

    #[test]
    fn figures_are_read_back() {
        let figures = [Figure::new("a", 1.5, "kB", 250.0)];
        assert_eq!(read(&json("ui", &figures)).expect("it is one"), figures);
    }

    #[test]
    fn five_of_a_hundred_are_above_the_95th() {
        assert_eq!(p95((1..=100).map(f64::from).collect()), 95.0);
        assert_eq!(p95(vec![3.0]), 3.0);
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0]), 2.5);
    }

    #[test]
    fn the_object_has_numbers_for_value_and_bar() {
        let object = json("ui", &[Figure::new("a", 1.26, "kB", 250.0)]);
        assert_eq!(
            object.to_string(),
            r#"{"bench":"ui","results":[{"bar":250.0,"name":"a","unit":"kB","value":1.3}]}"#
        );
    }
}
