//! Variables in the texts of a Compose file, as far as a draft needs them: their values in an `.env` file, and their
//! defaults. The syntax is that of `model::deployment`.

use std::collections::BTreeMap;

use crate::base::dotenv::{DotenvText, statements};
use crate::base::yaml::tree::Node;
use crate::model::deployment::fill;

/// Maximum length of a text in bytes, with its variables filled in.
const LONGEST: usize = 4096;

/// Fills in the variables of a Compose file: their values in the text of an `.env` file, or else their defaults. A
/// variable without either stays.
pub(super) fn fill_in(compose: &mut Node, dotenv: &str) {
    let mut values = BTreeMap::new();
    for statement in statements(dotenv).into_iter().flatten() {
        let value = match statement.value {
            Some(DotenvText::Literal(value)) => value,
            Some(DotenvText::Template(value)) => filled(&value, &values),
            None => continue,
        };
        if value.len() <= LONGEST {
            values.insert(statement.name, value);
        }
    }
    compose.for_each_text(&mut |text| {
        if text.contains('$') {
            *text = filled(text, &values);
        }
    });
}

fn filled(text: &str, values: &BTreeMap<String, String>) -> String {
    let known = |name: &str| values.get(name).cloned();
    let made = fill(text, &known).and_then(|(made, unset)| {
        if unset.is_empty() {
            return Ok(made);
        }
        let itself = |name: &str| unset.iter().any(|one| one == name).then(|| format!("${{{name}}}"));
        fill(text, &|name| known(name).or_else(|| itself(name))).map(|(made, _)| made)
    });
    made.ok().filter(|made| made.len() <= LONGEST).unwrap_or_else(|| text.to_owned())
}
