//! A need of a component in its YAML form: a name, or a name with parameters. Its resolution belongs in
//! `ops`.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

/// Parameters of a request to a backing service, by the names that its template declares.
pub type Parameters = BTreeMap<String, Value>;

/// One item of `run.needs`.
#[derive(Debug, Clone, PartialEq)]
pub struct NeedDecl {
    /// Name of a backing service or another component.
    pub name: String,
    /// Parameters of the request.
    pub parameters: Parameters,
}

impl NeedDecl {
    /// Returns a need without parameters.
    #[must_use]
    pub fn of(name: impl Into<String>) -> Self {
        Self { name: name.into(), parameters: Parameters::new() }
    }
}

impl<'de> Deserialize<'de> for NeedDecl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NeedVisitor)
    }
}

impl Serialize for NeedDecl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

struct NeedVisitor;

impl<'de> Visitor<'de> for NeedVisitor {
    type Value = NeedDecl;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a dependency, or one name with a mapping of its parameters")
    }

    fn visit_str<E>(self, name: &str) -> Result<NeedDecl, E> {
        Ok(NeedDecl::of(name))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NeedDecl, A::Error> {
        let wrong = || serde::de::Error::custom(format!("this must be {ExpectedNeed}"));
        let (name, parameters): (String, Option<Parameters>) = map.next_entry()?.ok_or_else(wrong)?;
        if map.next_key::<String>()?.is_some() {
            return Err(wrong());
        }
        Ok(NeedDecl { name, parameters: parameters.unwrap_or_default() })
    }
}

struct ExpectedNeed;

impl fmt::Display for ExpectedNeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        NeedVisitor.expecting(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn need_decl_accepts_name_or_single_mapping() {
        let read = |text: &str| crate::base::yaml::parse::<Vec<NeedDecl>>("f", text);
        let (needs, unknown) =
            read("[redis, {rabbitmq: {virtual_host: cki, queues: [{name: q}]}}, {s3: }]").expect("reads");
        assert!(unknown.is_empty(), "{unknown:?}");
        let names: Vec<&str> = needs.iter().map(|need| need.name.as_str()).collect();
        assert_eq!(names, ["redis", "rabbitmq", "s3"]);
        assert_eq!(needs[1].parameters["virtual_host"], "cki");
        assert_eq!(needs[1].parameters["queues"], serde_json::json!([{"name": "q"}]));
        assert!(needs[2].parameters.is_empty());
        for wrong in ["[{a: {}, b: {}}]", "[{}]", "[{a: 7}]", "[[a]]"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
