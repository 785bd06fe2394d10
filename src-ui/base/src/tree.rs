//! JSON as a tree. `serde_json::Value` would bring along the tables by which an error names a floating-point number, and
//! those for raw values: two hundredths of the window's program that nobody ever sees.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    Null,
    Bool(bool),
    /// Below zero.
    Whole(i64),
    Natural(u64),
    Real(f64),
    Text(String),
    List(Vec<Tree>),
    /// As they come; a name that comes twice is found once.
    Fields(Vec<(String, Tree)>),
}

impl Tree {
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub fn list(&self) -> Option<&[Tree]> {
        if let Self::List(list) = self { Some(list) } else { None }
    }

    pub fn fields(&self) -> Option<&[(String, Tree)]> {
        if let Self::Fields(fields) = self { Some(fields) } else { None }
    }

    pub fn whole(&self) -> Option<i64> {
        match self {
            Self::Whole(n) => Some(*n),
            Self::Natural(n) => i64::try_from(*n).ok(),
            _ => None,
        }
    }

    pub fn natural(&self) -> Option<u64> {
        if let Self::Natural(n) = self { Some(*n) } else { None }
    }

    pub fn real(&self) -> Option<f64> {
        match self {
            Self::Real(n) => Some(*n),
            Self::Whole(n) => Some(*n as f64),
            Self::Natural(n) => Some(*n as f64),
            _ => None,
        }
    }

    pub fn bool(&self) -> Option<bool> {
        if let Self::Bool(yes) = self { Some(*yes) } else { None }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Grow)
    }
}

struct Grow;

impl<'de> Visitor<'de> for Grow {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(yes))
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<Tree, E> {
        Ok(Tree::Whole(n))
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<Tree, E> {
        Ok(Tree::Natural(n))
    }

    fn visit_f64<E: Error>(self, n: f64) -> Result<Tree, E> {
        Ok(Tree::Real(n))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = list.next_element()? {
            all.push(one);
        }
        Ok(Tree::List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut all = Vec::new();
        while let Some(Name(name)) = map.next_key()? {
            all.push((name, map.next_value()?));
        }
        Ok(Tree::Fields(all))
    }
}

/// A field's name: always a text.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Tree::Text(name) = deserializer.deserialize_any(Grow)? else {
            return Err(D::Error::custom(""));
        };
        Ok(Self(name))
    }
}
