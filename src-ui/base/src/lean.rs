//! Reading what the shell sent, with as little program as possible.
//!
//! `serde_json`'s own reader is made anew for each type it reads, parser and all; that was a quarter of the window's
//! program. Here the text becomes a tree once, by one piece of code, and each type only picks from the tree: a struct
//! is given its fields in its own order, so no type carries a matcher for its fields' names. Errors have no position and
//! no words but the field that is missing: both ends are of one build.

use std::cell::Cell;

use crate::tree::Tree;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};

/// The tree had another shape than the type: the missing field, or what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape(pub &'static str);

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Shape {}

impl serde::de::Error for Shape {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Shape("value")
    }

    /// A [`Row`] ended early: the field that it did not have.
    fn invalid_length(_: usize, _: &dyn serde::de::Expected) -> Self {
        Shape(MISSED.get())
    }
}

thread_local! {
    /// The field that a [`Row`] looked for last and did not find.
    static MISSED: Cell<&'static str> = const { Cell::new("length") };
}

/// Reads a `T` from JSON.
pub fn read<T: DeserializeOwned>(json: &str) -> Result<T, Shape> {
    let tree = tree(json)?;
    T::deserialize(Node(&tree))
}

#[inline(never)]
fn tree(json: &str) -> Result<Tree, Shape> {
    serde_json::from_str(json).map_err(|_| Shape("json"))
}

#[derive(Clone, Copy)]
struct Node<'a>(&'a Tree);

impl<'a> Node<'a> {
    #[inline(never)]
    fn text(self) -> Result<&'a str, Shape> {
        self.0.text().ok_or(Shape("text"))
    }

    #[inline(never)]
    fn list(self) -> Result<List<'a>, Shape> {
        self.0.list().map(|list| List(list.iter())).ok_or(Shape("list"))
    }

    #[inline(never)]
    fn fields(self) -> Result<Fields<'a>, Shape> {
        self.0.fields().map(|all| Fields(all.iter(), &Tree::Null)).ok_or(Shape("object"))
    }

    #[inline(never)]
    fn row(self, names: &'static [&'static str]) -> Result<Row<'a>, Shape> {
        self.0.fields().map(|all| Row(names.iter(), all)).ok_or(Shape("object"))
    }

    #[inline(never)]
    fn whole(self) -> Result<i64, Shape> {
        self.0.whole().ok_or(Shape("number"))
    }
}

macro_rules! whole {
    ($($name:ident)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
            visitor.visit_i64(self.whole()?)
        }
    )*};
}

macro_rules! text {
    ($($name:ident)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
            visitor.visit_borrowed_str(self.text()?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Shape;

    whole!(deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16 deserialize_u32);
    text!(deserialize_str deserialize_string deserialize_identifier deserialize_char);

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        visitor.visit_u64(self.0.natural().ok_or(Shape("number"))?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        visitor.visit_f64(self.0.real().ok_or(Shape("number"))?)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        visitor.visit_bool(self.0.bool().ok_or(Shape("bool"))?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        if *self.0 == Tree::Null { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Shape> {
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Shape> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        visitor.visit_seq(self.list()?)
    }

    /// A date comes as `YYYY-MM-DD`, and is read as its year and day of the year.
    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Shape> {
        match self.0 {
            Tree::Text(text) => visitor.visit_seq(day(text)?),
            _ => visitor.visit_seq(self.list()?),
        }
    }

    /// Spares the program the reader of every format of a date.
    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Shape> {
        visitor.visit_seq(self.list()?)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        visitor.visit_map(self.fields()?)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Shape> {
        visitor.visit_seq(self.row(names)?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Shape> {
        visitor.visit_enum(variant(self.0)?)
    }

    /// For tagged enums, which look before they choose.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        match self.0 {
            Tree::Null => visitor.visit_unit(),
            Tree::Bool(yes) => visitor.visit_bool(*yes),
            Tree::Whole(n) => visitor.visit_i64(*n),
            Tree::Natural(n) => visitor.visit_u64(*n),
            Tree::Real(n) => visitor.visit_f64(*n),
            Tree::Text(text) => visitor.visit_borrowed_str(text),
            Tree::List(_) => visitor.visit_seq(self.list()?),
            Tree::Fields(_) => visitor.visit_map(self.fields()?),
        }
    }

    serde::forward_to_deserialize_any! { i128 u128 bytes byte_buf }
}

struct List<'a>(std::slice::Iter<'a, Tree>);

impl<'de> SeqAccess<'de> for List<'de> {
    type Error = Shape;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Shape> {
        self.0.next().map(|value| seed.deserialize(Node(value))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

/// A struct's fields, in the order of their names. Where one is not there it ends early for that one field: the type's
/// default, or an error.
struct Row<'a>(std::slice::Iter<'static, &'static str>, &'a [(String, Tree)]);

impl<'a> Row<'a> {
    #[inline(never)]
    fn next(&mut self) -> Option<&'a Tree> {
        let name = *self.0.next()?;
        let found = self.1.iter().find(|(given, _)| given == name).map(|(_, value)| value);
        if found.is_none() {
            MISSED.set(name);
        }
        found
    }
}

impl<'de> SeqAccess<'de> for Row<'de> {
    type Error = Shape;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Shape> {
        match self.next() {
            Some(value) => seed.deserialize(Node(value)).map(Some),
            None => Ok(None),
        }
    }
}

/// The year and the day of the year, still to be given out.
struct Day(std::array::IntoIter<i64, 2>);

#[inline(never)]
fn day(text: &str) -> Result<Day, Shape> {
    let read = || {
        let (year, rest) = text.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        let month = time::Month::try_from(month.parse::<u8>().ok()?).ok()?;
        time::Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()
    };
    let (year, ordinal) = read().ok_or(Shape("date"))?.to_ordinal_date();
    Ok(Day([i64::from(year), i64::from(ordinal)].into_iter()))
}

impl<'de> SeqAccess<'de> for Day {
    type Error = Shape;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Shape> {
        let next = self.0.next().map(serde::de::value::I64Deserializer::new);
        next.map(|whole| seed.deserialize(whole)).transpose()
    }
}

struct Fields<'a>(std::slice::Iter<'a, (String, Tree)>, &'a Tree);

impl<'a> Fields<'a> {
    #[inline(never)]
    fn next(&mut self) -> Option<&'a str> {
        let (key, value) = self.0.next()?;
        self.1 = value;
        Some(key)
    }
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Shape;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Shape> {
        match self.next() {
            Some(key) => seed.deserialize(Key(key)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Shape> {
        seed.deserialize(Node(self.1))
    }
}

/// A key, or a variant's name: always a text.
struct Key<'a>(&'a str);

impl<'de> Deserializer<'de> for Key<'de> {
    type Error = Shape;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Shape> {
        visitor.visit_borrowed_str(self.0)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Variant<'a>(&'a str, &'a Tree);

#[inline(never)]
fn variant(tree: &Tree) -> Result<Variant<'_>, Shape> {
    match tree {
        Tree::Text(name) => Ok(Variant(name, &Tree::Null)),
        Tree::Fields(all) => all.first().map(|(name, value)| Variant(name, value)).ok_or(Shape("variant")),
        _ => Err(Shape("variant")),
    }
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Shape;
    type Variant = Node<'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Node<'de>), Shape> {
        Ok((seed.deserialize(Key(self.0))?, Node(self.1)))
    }
}

impl<'de> VariantAccess<'de> for Node<'de> {
    type Error = Shape;

    fn unit_variant(self) -> Result<(), Shape> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Shape> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Shape> {
        visitor.visit_seq(self.list()?)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Shape> {
        visitor.visit_seq(self.row(names)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rabta_domain::age::{AgeSaid, Said};
    use rabta_domain::patient::{Allergies, Registration};
    use rabta_ipc::Event;
    use rabta_ipc::gate::Progress;
    use rabta_ipc::sync::SyncChip;
    use rabta_ipc::visit::{VisitStatus, VisitView};

    /// What `serde_json` writes is read as `serde_json` would read it.
    fn same<T: serde::Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) {
        let json = serde_json::to_string(value).expect("written");
        assert_eq!(&read::<T>(&json).expect("read"), value, "{json}");
    }

    #[test]
    fn what_the_shell_writes_is_read_back() {
        let on = time::Date::from_calendar_date(2026, time::Month::November, 22).expect("a day");
        same(&Said::Event { text: "flood".into(), from_year: 2010, to_year: 2011 });
        same(&Said::BirthDate { date: on });
        same(&Some(time::macros::date!(2028 - 02 - 29)));
        same(&Allergies::NotAsked);
        same(&Allergies::Known(vec!["Penicillin".into()]));
        same(&Registration {
            name: "عائشہ".into(),
            age: Some(AgeSaid { said: Said::Years { n: 34 }, on, by: "patient".into() }),
            ..Registration::default()
        });
        same(&Event::Locked);
        same(&Event::Asks { ask: Some("t".into()) });
        same(&Event::FirstPull { progress: Progress { done: 340, of: 1000 } });
        same(&Event::Sync { chip: SyncChip { here_only: 3, reachable: true, ..SyncChip::default() } });
        same(&VisitStatus::Replaced);
        same(&Some(-5_i64));
        same(&vec![(String::from("2026"), 1.5_f64)]);
        same(&());
    }

    #[test]
    fn a_missing_field_is_named() {
        let json = r#"{"id":"v"}"#;
        assert_eq!(read::<VisitView>(json).map(|view| view.id), Err(Shape("card")));
        assert_eq!(read::<SyncChip>("[]"), Err(Shape("object")));
        assert_eq!(read::<SyncChip>("{"), Err(Shape("json")));
        assert_eq!(read::<time::Date>(r#""2026-02-30""#), Err(Shape("date")));
    }

    /// Fields that may be left out are, whether the type or the field says so.
    #[test]
    fn what_is_left_out_gets_its_default() {
        let form = rabta_domain::visit::VisitForm { plan: "rest".into(), ..Default::default() };
        assert_eq!(read(r#"{"plan":"rest"}"#), Ok(form));
        assert_eq!(read(r#"{"code":"unexpected"}"#), Ok(rabta_ipc::Error::new("unexpected")));
    }
}
