//! JSON as FHIR needs it: member order and the text of every number survive, no member may come twice.
//!
//! `serde_json::Value` turns `1.50` into a float, and its `arbitrary_precision` breaks tagged types everywhere in
//! the program. So: a small tree over `RawValue`, whose numbers are their own text.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// How deep a document may nest. FHIR's own examples stay under 20.
const DEPTH: usize = 64;

/// A decimal number as its exact text: `37.0` stays `37.0` (http://hl7.org/fhir/R4/datatypes.html#decimal).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal(String);

impl Decimal {
    /// The number that `text` writes, where it is a JSON number.
    pub fn new(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix('-').unwrap_or(text).as_bytes();
        let digits = |b: &mut &[u8]| {
            let n = b.iter().take_while(|c| c.is_ascii_digit()).count();
            *b = &b[n..];
            n
        };
        let leading_zero = rest.first() == Some(&b'0');
        let whole = digits(&mut rest);
        if whole == 0 || (leading_zero && whole > 1) {
            return None;
        }
        if rest.first() == Some(&b'.') {
            rest = &rest[1..];
            if digits(&mut rest) == 0 {
                return None;
            }
        }
        if matches!(rest.first(), Some(b'e' | b'E')) {
            rest = &rest[1..];
            if matches!(rest.first(), Some(b'+' | b'-')) {
                rest = &rest[1..];
            }
            if digits(&mut rest) == 0 {
                return None;
            }
        }
        rest.is_empty().then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For comparing and calculating, never for storing: the nearest `f64` of up to 15 digits that are no smaller than
    /// 10^-22, which is all that anybody measures; within a few units in the last place of longer ones.
    ///
    /// Not `str::parse`, whose tables of powers are a fiftieth of the window's program.
    pub fn to_f64(&self) -> f64 {
        let (digits, exponent) = self.0.split_once(['e', 'E']).unwrap_or((&self.0, "0"));
        let beyond = if exponent.starts_with('-') { -400 } else { 400 };
        let (mut mantissa, mut scale) = (0.0_f64, exponent.parse().unwrap_or(beyond).clamp(-9_999, 9_999));
        let mut after_point = false;
        for digit in digits.bytes() {
            match digit {
                // Beyond what an f64 holds a digit only moves the point.
                b'0'..=b'9' if mantissa >= 1e18 => scale += i32::from(!after_point),
                b'0'..=b'9' => {
                    mantissa = mantissa * 10.0 + f64::from(digit - b'0');
                    scale -= i32::from(after_point);
                }
                _ => after_point |= digit == b'.',
            }
        }
        // Both are exact up to here, so the one operation that is left rounds once (Clinger 1990).
        let mut power = 1.0_f64;
        for _ in 0..scale.unsigned_abs() {
            power *= 10.0;
        }
        let size = match scale {
            // Not zero times infinity.
            _ if mantissa == 0.0 => 0.0,
            ..0 => mantissa / power,
            _ => mantissa * power,
        };
        if self.0.starts_with('-') { -size } else { size }
    }
}

/// A JSON value whose numbers are text and whose objects keep their order.
#[derive(Clone, PartialEq, Eq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(Decimal),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
    /// Text that goes out exactly as it came in. Never made by [`Json::parse`].
    Raw(String),
}

/// A record may be anywhere in here.
impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Json[..]")
    }
}

/// Why some bytes are not the JSON that FHIR allows. Says where, never what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    #[error("not JSON (line {line}, column {column})")]
    Syntax { line: usize, column: usize },
    #[error("a member comes twice in one object")]
    Twice,
    #[error("nested deeper than {DEPTH}")]
    Deep,
}

impl From<serde_json::Error> for JsonError {
    fn from(e: serde_json::Error) -> Self {
        Self::Syntax { line: e.line(), column: e.column() }
    }
}

impl Json {
    /// Reads `text`, which must be one JSON value.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        let raw: &RawValue = serde_json::from_str(text)?;
        Self::from_raw(raw.get(), 0)
    }

    fn from_raw(text: &str, depth: usize) -> Result<Self, JsonError> {
        if depth > DEPTH {
            return Err(JsonError::Deep);
        }
        Ok(match text.as_bytes().first() {
            Some(b'{') => {
                let members = members(text)?;
                let members = members.into_iter().map(|(k, v)| Ok((k, Self::from_raw(v, depth + 1)?)));
                Self::Object(members.collect::<Result<_, JsonError>>()?)
            }
            Some(b'[') => Self::Array(
                items(text)?.into_iter().map(|v| Self::from_raw(v, depth + 1)).collect::<Result<_, _>>()?,
            ),
            Some(b'"') => Self::String(serde_json::from_str(text)?),
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'n') | None => Self::Null,
            Some(_) => Decimal::new(text)
                .map_or(Err(JsonError::Syntax { line: 0, column: 0 }), |d| Ok(Self::Number(d)))?,
        })
    }

    /// A member of an object; `Null` where there is none.
    pub fn get(&self, key: &str) -> &Json {
        const NULL: &Json = &Json::Null;
        match self {
            Self::Object(members) => members.iter().find(|(k, _)| k == key).map_or(NULL, |(_, v)| v),
            _ => NULL,
        }
    }

    /// `a.b.c`, looking into the first element of every array on the way.
    pub fn at(&self, path: &str) -> &Json {
        path.split('.').fold(self, |json, key| json.first().get(key))
    }

    fn first(&self) -> &Json {
        match self {
            Self::Array(items) => items.first().unwrap_or(self),
            _ => self,
        }
    }

    /// The text at `path`; empty where there is none.
    pub fn str(&self, path: &str) -> &str {
        match self.at(path).first() {
            Self::String(s) => s,
            _ => "",
        }
    }

    pub fn opt(&self, path: &str) -> Option<&str> {
        Some(self.str(path)).filter(|s| !s.is_empty())
    }

    pub fn bool(&self, path: &str) -> bool {
        matches!(self.at(path), Self::Bool(true))
    }

    /// The number's text at `path`.
    pub fn number(&self, path: &str) -> Option<&Decimal> {
        match self.at(path) {
            Self::Number(d) => Some(d),
            _ => None,
        }
    }

    pub fn int(&self, path: &str) -> Option<i64> {
        self.number(path)?.as_str().parse().ok()
    }

    /// The elements of the array at `path`; none where there is none.
    pub fn items(&self, path: &str) -> &[Json] {
        match self.at(path) {
            Self::Array(items) => items,
            _ => &[],
        }
    }

    /// The extension with `url`.
    pub fn extension(&self, url: &str) -> Option<&Json> {
        self.items("extension").iter().find(|e| e.str("url") == url)
    }

    /// All extensions with `url`.
    pub fn extensions<'a>(&'a self, url: &'a str) -> impl Iterator<Item = &'a Json> {
        self.items("extension").iter().filter(move |e| e.str("url") == url)
    }

    /// Whether the CodeableConcept at `path` has this coding.
    pub fn has_code(&self, path: &str, system: &str, code: &str) -> bool {
        self.code_of(path, system) == Some(code)
    }

    /// The code that the CodeableConcept (or list of Codings) at `path` has in `system`.
    pub fn code_of(&self, path: &str, system: &str) -> Option<&str> {
        let concepts = match self.at(path) {
            Self::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        concepts
            .iter()
            .flat_map(
                |c| if c.get("coding").is_nothing() { std::slice::from_ref(c) } else { c.items("coding") },
            )
            .find(|c| c.str("system") == system)
            .and_then(|c| c.opt("code"))
    }

    /// What FHIR must not carry: null, an empty string, array or object.
    pub fn is_nothing(&self) -> bool {
        match self {
            Self::Null => true,
            Self::String(s) | Self::Raw(s) => s.is_empty(),
            Self::Array(items) => items.is_empty(),
            Self::Object(members) => members.is_empty(),
            Self::Bool(_) | Self::Number(_) => false,
        }
    }

    /// Compact JSON text.
    pub fn to_text(&self) -> String {
        let mut out = String::with_capacity(256);
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Self::Number(d) => out.push_str(d.as_str()),
            Self::String(s) => out.push_str(&serde_json::to_string(s).expect("a string is always JSON")),
            Self::Raw(text) => out.push_str(text),
            Self::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (i, (key, value)) in members.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    out.push_str(&serde_json::to_string(key).expect("a string is always JSON"));
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// Members sorted, space gone: for comparing only, never stored or signed.
    pub fn canonical(&self) -> String {
        fn sorted(json: &Json) -> Json {
            match json {
                Json::Object(members) => {
                    let mut members: Vec<_> = members.iter().map(|(k, v)| (k.clone(), sorted(v))).collect();
                    members.sort_by(|a, b| a.0.cmp(&b.0));
                    Json::Object(members)
                }
                Json::Array(items) => Json::Array(items.iter().map(sorted).collect()),
                Json::Raw(text) => Json::parse(text).map_or_else(|_| json.clone(), |j| sorted(&j)),
                other => other.clone(),
            }
        }
        sorted(self).to_text()
    }
}

/// The members of the object that `text` is, each value as its exact text.
pub(crate) fn members(text: &str) -> Result<Vec<(String, &str)>, JsonError> {
    struct Members<'a>(Vec<(String, &'a RawValue)>);
    impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
        fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
            struct V;
            impl<'de> Visitor<'de> for V {
                type Value = Vec<(String, &'de RawValue)>;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                    let mut all = Vec::new();
                    while let Some(entry) = map.next_entry()? {
                        all.push(entry);
                    }
                    Ok(all)
                }
            }
            d.deserialize_map(V).map(Members)
        }
    }
    let Members(all) = serde_json::from_str(text)?;
    let mut keys: Vec<&str> = all.iter().map(|(k, _)| k.as_str()).collect();
    keys.sort_unstable();
    if keys.windows(2).any(|w| w[0] == w[1]) {
        return Err(JsonError::Twice);
    }
    Ok(all.into_iter().map(|(k, v)| (k, v.get())).collect())
}

/// The elements of the array that `text` is, each as its exact text.
pub(crate) fn items(text: &str) -> Result<Vec<&str>, JsonError> {
    struct V;
    impl<'de> Visitor<'de> for V {
        type Value = Vec<&'de RawValue>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(item) = seq.next_element()? {
                all.push(item);
            }
            Ok(all)
        }
    }
    let all = serde_json::Deserializer::from_str(text).deserialize_seq(V)?;
    Ok(all.into_iter().map(RawValue::get).collect())
}

macro_rules! from {
    ($($t:ty => |$v:ident| $e:expr;)*) => { $(impl From<$t> for Json { fn from($v: $t) -> Self { $e } })* };
}

from! {
    bool => |b| Json::Bool(b);
    &str => |s| Json::String(s.to_owned());
    String => |s| Json::String(s);
    &String => |s| Json::String(s.clone());
    Decimal => |d| Json::Number(d);
    i64 => |n| Json::Number(Decimal(n.to_string()));
    i32 => |n| Json::Number(Decimal(n.to_string()));
    u32 => |n| Json::Number(Decimal(n.to_string()));
    u16 => |n| Json::Number(Decimal(n.to_string()));
    u8 => |n| Json::Number(Decimal(n.to_string()));
    Vec<Json> => |v| Json::Array(v.into_iter().filter(|j| !j.is_nothing()).collect());
    time::Date => |d| Json::String(super::dates::date(d));
    &crate::Private<String> => |p| Json::String(p.0.clone());
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Json::Null, Into::into)
    }
}

impl<const N: usize> From<[Json; N]> for Json {
    fn from(items: [Json; N]) -> Self {
        Vec::from(items).into()
    }
}

impl FromIterator<Json> for Json {
    fn from_iter<I: IntoIterator<Item = Json>>(iter: I) -> Self {
        iter.into_iter().collect::<Vec<_>>().into()
    }
}

/// Keeps what FHIR allows: members that say nothing are left out.
pub(crate) fn object(members: Vec<(&str, Json)>) -> Json {
    Json::Object(
        members.into_iter().filter(|(_, v)| !v.is_nothing()).map(|(k, v)| (k.to_owned(), v)).collect(),
    )
}

/// `obj! { "resourceType": "Patient", "active": true }`; members that say nothing are left out.
macro_rules! obj {
    ($($key:literal : $value:expr),* $(,)?) => {
        $crate::fhir::json::object(vec![$(($key, $crate::fhir::json::Json::from($value))),*])
    };
}

/// `arr![a, b]`; elements that say nothing are left out.
macro_rules! arr {
    ($($value:expr),* $(,)?) => {
        $crate::fhir::json::Json::from(vec![$($crate::fhir::json::Json::from($value)),*])
    };
}

pub(crate) use {arr, obj};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_calculates_as_the_number_that_it_writes() {
        let written =
            ["0", "-0.0", "37.0", "36.65", "0.1", "101.325", "-17.5", "1e3", "2.50E-2", "120", "5.55"];
        let longest = ["123456789012345", "0.000000000000123", "99999.9999999999", "1e22", "1E-22"];
        for text in written.iter().chain(&longest) {
            let value = Decimal::new(text).expect("a number").to_f64();
            assert_eq!(value.to_bits(), text.parse::<f64>().expect("a number").to_bits(), "{text}");
        }
        for (text, beyond) in
            [("1e400", f64::INFINITY), ("-1e999999999999", f64::NEG_INFINITY), ("1e-999999999999", 0.0)]
        {
            assert_eq!(Decimal::new(text).expect("a number").to_f64(), beyond);
        }
        // Never "not a number", which would be in no range and so usual in all of them.
        let long = [
            format!("0.{}", "7".repeat(500)),
            "9".repeat(500),
            format!("{}e-499", "9".repeat(500)),
            "0e999".into(),
        ];
        for (text, about) in long.iter().zip([7.0 / 9.0, f64::INFINITY, 10.0, 0.0]) {
            let value = Decimal::new(text).expect("a number").to_f64();
            assert!(value == about || (value - about).abs() < 1e-12 * about, "{text}: {value}");
        }
    }

    #[test]
    fn numbers_and_order_survive() {
        let text = r#"{"z":1.50,"a":[0.10,1e3,-0],"m":{"é":"\n"}}"#;
        assert_eq!(Json::parse(text).expect("valid").to_text(), text);
    }

    #[test]
    fn a_member_that_comes_twice_is_refused() {
        assert_eq!(Json::parse(r#"{"a":{"b":1,"\u0062":2}}"#), Err(JsonError::Twice));
    }

    #[test]
    fn a_bomb_of_brackets_is_refused_not_crashed_on() {
        assert_eq!(Json::parse(&("[".repeat(100) + &"]".repeat(100))), Err(JsonError::Deep));
        assert!(Json::parse(&"[".repeat(1_000_000)).is_err());
    }

    #[test]
    fn only_json_numbers_are_decimals() {
        for good in ["0", "-1", "37.50", "1e-3", "12E+4"] {
            assert!(Decimal::new(good).is_some(), "{good}");
        }
        for bad in ["", "-", "01", "1.", ".5", "1e", "+1", "1 ", "NaN", "۵"] {
            assert!(Decimal::new(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_canonical_form_ignores_order_and_space() {
        let a = Json::parse(r#"{"b":1.0,"a":[{"y":1,"x":2}]}"#).expect("valid");
        let b = Json::parse(r#"{ "a" : [ {"x":2,"y":1} ], "b":1.0 }"#).expect("valid");
        assert_eq!(a.canonical(), b.canonical());
        assert_ne!(a, b);
    }
}
