//! Keys of a type at a path in its documents. No text is read: the type deserialises a document that
//! consists of the path alone, and reports its keys there.

use std::cell::Cell;

use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, de};

/// Returns the keys of the mapping at a path such as `components.3.run`, in the order of the type; none if
/// the type has no mapping there, or accepts any keys.
pub(super) fn known_keys<T: DeserializeOwned>(path: &[&str]) -> &'static [&'static str] {
    let found = Cell::new(None);
    // Always an error: the document ends at the requested mapping.
    let _ = T::deserialize(FieldPath { rest: path, found: &found });
    found.get().unwrap_or_default()
}

/// Document that consists of one path.
#[derive(Clone, Copy)]
struct FieldPath<'a> {
    rest: &'a [&'a str],
    found: &'a Cell<Option<&'static [&'static str]>>,
}

fn end<T>() -> Result<T, Error> {
    Err(de::Error::custom("the way ends here"))
}

impl<'de> Deserializer<'de> for FieldPath<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.rest.first().map(|step| step.parse::<usize>().is_ok()) {
            Some(true) => visitor.visit_seq(Steps { way: self, done: false }),
            Some(false) => visitor.visit_map(Steps { way: self, done: false }),
            None => end(),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.rest.is_empty() {
            self.found.set(Some(fields));
            return end();
        }
        visitor.visit_map(Steps { way: self, done: false })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.rest.is_empty() { end() } else { visitor.visit_map(Steps { way: self, done: false }) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.rest.is_empty() { end() } else { visitor.visit_seq(Steps { way: self, done: false }) }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct tuple tuple_struct enum identifier ignored_any
    }
}

/// The one key or item of a collection on the path.
struct Steps<'a> {
    way: FieldPath<'a>,
    done: bool,
}

impl<'a> Steps<'a> {
    fn next(&self) -> FieldPath<'a> {
        FieldPath { rest: self.way.rest.get(1..).unwrap_or_default(), found: self.way.found }
    }
}

impl<'de> MapAccess<'de> for Steps<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        if std::mem::replace(&mut self.done, true) {
            return Ok(None);
        }
        let step = self.way.rest.first().copied().unwrap_or_default();
        seed.deserialize(StrDeserializer::new(step)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.next())
    }
}

impl<'de> SeqAccess<'de> for Steps<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        if std::mem::replace(&mut self.done, true) {
            return Ok(None);
        }
        seed.deserialize(self.next()).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "only the keys of these types are asked for, never their values")]
    struct Top {
        name: String,
        inner: Option<Vec<FieldsInner>>,
        by_name: BTreeMap<String, FieldsInner>,
        free: BTreeMap<String, String>,
    }

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "only the keys of these types are asked for, never their values")]
    struct FieldsInner {
        #[serde(rename = "type")]
        kind: String,
        port: u16,
    }

    #[test]
    fn known_keys_lists_fields_at_each_path() {
        assert_eq!(known_keys::<Top>(&[]), ["name", "inner", "by_name", "free"]);
        assert_eq!(known_keys::<Top>(&["inner", "7"]), ["type", "port"]);
        assert_eq!(known_keys::<Top>(&["by_name", "7"]), ["type", "port"]);
        for none in [&["free"][..], &["name"], &["inner"], &["nothing", "3"], &["inner", "0", "port"]] {
            assert!(known_keys::<Top>(none).is_empty(), "{none:?}");
        }
    }
}
