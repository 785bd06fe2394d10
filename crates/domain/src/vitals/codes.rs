//! LOINC codes (http://loinc.org, LOINC license: free to use with this notice) and UCUM units.

use super::{PocTest, Vital};
use crate::fhir::Decimal;

impl Vital {
    /// In the order of the form.
    pub const ALL: [Self; 10] = [
        Self::Systolic,
        Self::Diastolic,
        Self::Pulse,
        Self::Breathing,
        Self::Spo2,
        Self::Temperature,
        Self::Weight,
        Self::Height,
        Self::HeadCircumference,
        Self::Muac,
    ];

    /// CLINIC.md "Codes": the vital signs profile's codes (http://hl7.org/fhir/R4/observation-vitalsigns.html).
    pub fn loinc(self) -> &'static str {
        match self {
            Self::Systolic => "8480-6",
            Self::Diastolic => "8462-4",
            Self::Pulse => "8867-4",
            Self::Breathing => "9279-1",
            Self::Spo2 => "59408-5",
            Self::Temperature => "8310-5",
            Self::Weight => "29463-7",
            Self::Height => "8302-2",
            Self::HeadCircumference => "9843-4",
            Self::Muac => "56072-2",
        }
    }

    /// Also the codes by which other systems say the same: 2708-6 for SpO2, 8306-3 for length.
    pub fn from_loinc(code: &str) -> Option<Self> {
        match code {
            "2708-6" => Some(Self::Spo2),
            "8306-3" => Some(Self::Height),
            _ => Self::ALL.into_iter().find(|v| v.loinc() == code),
        }
    }

    /// For `Coding.display`.
    pub fn display(self) -> &'static str {
        match self {
            Self::Systolic => "Systolic blood pressure",
            Self::Diastolic => "Diastolic blood pressure",
            Self::Pulse => "Heart rate",
            Self::Breathing => "Respiratory rate",
            Self::Spo2 => "Oxygen saturation in Arterial blood by Pulse oximetry",
            Self::Temperature => "Body temperature",
            Self::Weight => "Body weight",
            Self::Height => "Body height",
            Self::HeadCircumference => "Head Occipital-frontal circumference",
            Self::Muac => "Mid upper arm circumference",
        }
    }

    /// UCUM units that may be entered, Pakistan's usual one first.
    pub fn units(self) -> &'static [&'static str] {
        match self {
            Self::Systolic | Self::Diastolic => &["mm[Hg]"],
            Self::Pulse | Self::Breathing => &["/min"],
            Self::Spo2 => &["%"],
            Self::Temperature => &["[degF]", "Cel"],
            Self::Weight => &["kg", "g"],
            Self::Height | Self::HeadCircumference => &["cm", "[in_i]"],
            Self::Muac => &["cm", "mm"],
        }
    }
}

impl PocTest {
    pub const ALL: [Self; 6] = [
        Self::Glucose,
        Self::Hemoglobin,
        Self::MalariaRdt,
        Self::UrineProtein,
        Self::UrineGlucose,
        Self::PregnancyTest,
    ];

    /// LOINC tells glucose in mass (41653-7) from glucose in moles (14743-9). 76772-3 as laboratories use it for
    /// the malaria rapid test.
    pub fn loinc(self, unit: &str) -> &'static str {
        match self {
            Self::Glucose if unit == "mmol/L" => "14743-9",
            Self::Glucose => "41653-7",
            Self::Hemoglobin => "718-7",
            Self::MalariaRdt => "76772-3",
            Self::UrineProtein => "20454-5",
            Self::UrineGlucose => "25428-4",
            Self::PregnancyTest => "2106-3",
        }
    }

    pub fn from_loinc(code: &str) -> Option<Self> {
        match code {
            "14743-9" => Some(Self::Glucose),
            _ => Self::ALL.into_iter().find(|t| t.loinc("") == code),
        }
    }

    pub fn display(self) -> &'static str {
        match self {
            Self::Glucose => "Glucose in Capillary blood by Glucometer",
            Self::Hemoglobin => "Hemoglobin in Blood",
            Self::MalariaRdt => "Plasmodium antigen in Blood by Rapid immunoassay",
            Self::UrineProtein => "Protein in Urine by Test strip",
            Self::UrineGlucose => "Glucose in Urine by Test strip",
            Self::PregnancyTest => "Choriogonadotropin (pregnancy test)",
        }
    }

    /// UCUM units that may be entered; none for results in words.
    pub fn units(self) -> &'static [&'static str] {
        match self {
            Self::Glucose => &["mg/dL", "mmol/L"],
            Self::Hemoglobin => &["g/dL", "g/L"],
            _ => &[],
        }
    }
}

/// A number as people type it, as a FHIR decimal: Urdu and Arabic digits, a comma for a point, `.5`, `5.` and
/// leading zeros are mended, digits after the point are kept. `None` where it is no number.
pub fn number(text: &str) -> Option<Decimal> {
    let mut plain = String::with_capacity(text.len());
    for c in text.trim().chars() {
        plain.push(match c {
            '\u{6f0}'..='\u{6f9}' => char::from_digit(c as u32 - 0x6f0, 10)?,
            '\u{660}'..='\u{669}' => char::from_digit(c as u32 - 0x660, 10)?,
            ',' | '\u{66b}' => '.',
            '0'..='9' | '.' | '-' => c,
            _ => return None,
        });
    }
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    // More digits than any instrument has: a key that stuck.
    if whole.len() + fraction.len() > 12 {
        return None;
    }
    Decimal::new(&format!("{sign}{whole}{point}{fraction}"))
}

/// `value` in `to`, for the pairs that the form knows; `None` for any other.
pub fn convert(value: f64, from: &str, to: &str) -> Option<f64> {
    // Glucose: 180.16 g/mol (PubChem 5793). Pound and inch are exact (NIST SP 811).
    Some(match (from, to) {
        _ if from == to => value,
        ("[degF]", "Cel") => (value - 32.0) * 5.0 / 9.0,
        ("Cel", "[degF]") => value * 9.0 / 5.0 + 32.0,
        ("g", "kg") => value / 1000.0,
        ("kg", "g") => value * 1000.0,
        ("[lb_av]", "kg") => value * 0.453_592_37,
        ("[in_i]", "cm") => value * 2.54,
        ("mm", "cm") => value / 10.0,
        ("cm", "mm") => value * 10.0,
        ("mmol/L", "mg/dL") => value * 18.016,
        ("mg/dL", "mmol/L") => value / 18.016,
        ("g/L", "g/dL") => value / 10.0,
        ("g/dL", "g/L") => value * 10.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_back() {
        for vital in Vital::ALL {
            assert_eq!(Vital::from_loinc(vital.loinc()), Some(vital));
        }
        for test in PocTest::ALL {
            assert_eq!(PocTest::from_loinc(test.loinc("")), Some(test));
        }
        assert_eq!(PocTest::from_loinc(PocTest::Glucose.loinc("mmol/L")), Some(PocTest::Glucose));
    }

    #[test]
    fn numbers_are_read_as_people_type_them() {
        let text = |t: &str| number(t).map(|d| d.as_str().to_owned());
        assert_eq!(text(" 98.60 ").as_deref(), Some("98.60"));
        assert_eq!(text("۹۸٫۶").as_deref(), Some("98.6"));
        assert_eq!(text("007,5").as_deref(), Some("7.5"));
        assert_eq!(text(".5").as_deref(), Some("0.5"));
        assert_eq!(text("5.").as_deref(), Some("5"));
        for bad in ["", ".", "-", "12o", "1.2.3", "1-2", "1e9", "99999999999999"] {
            assert_eq!(text(bad), None, "{bad}");
        }
    }

    #[test]
    fn units_convert_both_ways() {
        assert_eq!(convert(98.6, "[degF]", "Cel").map(|v| (v * 10.0).round()), Some(370.0));
        assert_eq!(convert(5.5, "mmol/L", "mg/dL").map(f64::round), Some(99.0));
        assert_eq!(convert(1.0, "kg", "cm"), None);
    }
}
