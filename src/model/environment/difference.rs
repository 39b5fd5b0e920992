//! Difference between two environments. Its display belongs in `report`.

use std::collections::{BTreeMap, BTreeSet};

use super::secret_detection::in_production;
use super::{Environment, ProductionValue, SecretNames};
use crate::base::secret::Secret;
use crate::model::deployment::DeployedContainer;

/// One of the compared environments: its variables by name, without those that have no value.
#[derive(Debug, Default)]
pub struct EnvSnapshot(BTreeMap<String, SideValue>);

/// A variable on one side.
#[derive(Debug, Clone)]
pub struct SideValue {
    /// Value, or the known facts about it.
    pub value: ProductionValue,
    /// Marks a value that must be masked.
    pub secret: bool,
    /// Position.
    pub place: Option<String>,
}

/// A variable that differs between the sides.
#[derive(Debug)]
pub struct Difference {
    /// Name.
    pub name: String,
    /// Value on the left; `None` if absent.
    pub left: Option<SideValue>,
    /// Value on the right; `None` if absent.
    pub right: Option<SideValue>,
}

/// Result of a comparison.
#[derive(Debug)]
pub struct Differences {
    /// Differing variables, sorted by name.
    pub variables: Vec<Difference>,
    /// Number of equal variables.
    pub same: usize,
}

impl SideValue {
    fn is_same(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (ProductionValue::Written(a), ProductionValue::Written(b)) => a == b,
            (ProductionValue::Elsewhere(a), ProductionValue::Elsewhere(b)) => a == b,
            _ => false,
        }
    }
}

impl EnvSnapshot {
    /// Returns the side of a local environment.
    #[must_use]
    pub fn local(environment: &Environment) -> Self {
        let values = environment.variables.iter().filter_map(|variable| {
            let value = ProductionValue::Written(variable.value.clone()?);
            let place = variable.origin.place().map(str::to_owned);
            Some((variable.name.clone(), SideValue { value, secret: variable.secret, place }))
        });
        Self(values.collect())
    }

    /// Returns the side of the values in production of a local environment.
    #[must_use]
    pub fn production(environment: &Environment) -> Self {
        let values = environment.variables.iter().filter_map(|variable| {
            let known = variable.production.clone()?;
            let (value, place) = (known.value, Some(known.place));
            let secret = variable.secret || known.secret;
            Some((variable.name.clone(), SideValue { value, secret, place }))
        });
        Self(values.collect())
    }

    /// Returns the side of a deployment. `is_secret` knows the variables that are declared secret, and
    /// `is_credential` checks a name with its value.
    #[must_use]
    pub fn deployed(
        container: &DeployedContainer,
        is_secret: &dyn Fn(&str) -> bool,
        is_credential: &dyn Fn(&str, &str) -> bool,
        names: &SecretNames,
    ) -> Self {
        let is_hidden = |name: &str, value: &str| {
            is_secret(name) || names.judge(name, value).hide || is_credential(name, value)
        };
        let known = in_production(container, &is_hidden, names);
        let values = container.variables.iter().zip(known).map(|(given, known)| {
            let secret = known.secret || is_secret(&given.name);
            (given.name.clone(), SideValue { value: known.value, secret, place: Some(known.place) })
        });
        Self(values.collect())
    }
}

impl EnvSnapshot {
    /// Adds variables that code reads, unless they are given, each with the position of the read.
    pub fn add_reads(&mut self, reads: BTreeMap<String, String>) {
        for (name, place) in reads {
            self.0.entry(name).or_insert_with(|| SideValue {
                value: ProductionValue::Elsewhere("read".to_owned()),
                secret: false,
                place: Some(place),
            });
        }
    }
}

/// Compares two environments. A variable that is secret on one side is masked on both.
#[must_use]
pub fn difference(left: &EnvSnapshot, right: &EnvSnapshot) -> Differences {
    let names: BTreeSet<&String> = left.0.keys().chain(right.0.keys()).collect();
    let mut differences = Differences { variables: Vec::new(), same: 0 };
    for name in names {
        let (mut left, mut right) = (left.0.get(name).cloned(), right.0.get(name).cloned());
        if let (Some(left), Some(right)) = (&mut left, &mut right) {
            if left.is_same(right) {
                differences.same += 1;
                continue;
            }
            left.secret |= right.secret;
            right.secret |= left.secret;
        }
        differences.variables.push(Difference { name: name.clone(), left, right });
    }
    differences
}

impl ProductionValue {
    /// Returns the value, if the deployment contains it.
    #[must_use]
    pub fn written(&self) -> Option<&Secret> {
        match self {
            Self::Written(value) => Some(value),
            Self::Elsewhere(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::deployment::expansion::Segment;
    use crate::model::deployment::{EnvEntry, EnvVarSource};

    fn side(values: &[(&str, &str, bool)]) -> EnvSnapshot {
        let value = |(name, value, secret): &(&str, &str, bool)| {
            let value = ProductionValue::Written(Secret::new(*value));
            ((*name).to_owned(), SideValue { value, secret: *secret, place: None })
        };
        EnvSnapshot(values.iter().map(value).collect())
    }

    #[test]
    fn difference_reports_added_removed_and_changed() {
        let left = side(&[("A", "1", false), ("B", "1", true), ("C", "1", false)]);
        let right = side(&[("A", "1", false), ("B", "2", false), ("D", "1", false)]);
        let found = difference(&left, &right);
        let seen: Vec<(&str, bool, bool)> =
            found.variables.iter().map(|d| (d.name.as_str(), d.left.is_some(), d.right.is_some())).collect();
        assert_eq!(seen, [("B", true, true), ("C", true, false), ("D", false, true)]);
        assert_eq!(found.same, 1);
        let b = &found.variables[0];
        assert!(
            b.right.as_ref().is_some_and(|right| right.secret),
            "what is secret on one side is so on both"
        );
    }

    #[test]
    fn difference_hides_derived_secrets_on_both_sides() {
        let given = |name: &str, pieces: &[Segment]| EnvEntry {
            name: name.to_owned(),
            place: "d.yaml:1".to_owned(),
            value: EnvVarSource::Text(pieces.to_vec()),
            parts: Vec::new(),
            draft: None,
        };
        let text = |text: &str| Segment::Text(text.to_owned());
        let container = DeployedContainer {
            variables: vec![
                given("DB_PASSWORD", &[text("hunter2")]),
                given("URL", &[text("x/"), Segment::Variable("DB_PASSWORD".to_owned())]),
                given("AGAIN", &[Segment::Variable("URL".to_owned())]),
                given("LINK", &[text("https://u:hunter2@db.example.org")]),
                given("MARKED", &[text("marked")]),
                given("PLAIN", &[text("https://db.example.org")]),
            ],
            ..DeployedContainer::default()
        };
        let names = crate::base::assets::embedded_text("secret-names.yaml").expect("is built in");
        let names = SecretNames::read("n", names).expect("are valid");
        let side = EnvSnapshot::deployed(&container, &|_| false, &|_, value| value == "marked", &names);
        let hidden: Vec<&str> =
            side.0.iter().filter(|(_, value)| value.secret).map(|(name, _)| name.as_str()).collect();
        assert_eq!(hidden, ["AGAIN", "DB_PASSWORD", "LINK", "MARKED", "URL"]);
    }
}
