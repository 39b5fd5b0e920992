//! The variables of a container in their order, each name once: a cluster refuses a list that has one twice.

use std::collections::HashMap;

use serde_json::{Value, json};

/// Variables, of which a later one replaces an earlier one of the same name.
#[derive(Debug, Default)]
pub(super) struct ContainerVariables {
    /// `None` stands for a replaced one.
    items: Vec<Option<Value>>,
    places: HashMap<String, usize>,
}

impl ContainerVariables {
    /// Sets a variable of a container's list. Returns the one that it replaces.
    pub(super) fn set(&mut self, variable: Value) -> Option<Value> {
        let name = variable["name"].as_str().map(str::to_owned);
        let replaced = name.and_then(|name| self.places.insert(name, self.items.len()));
        self.items.push(Some(variable));
        replaced.and_then(|place| self.items[place].take())
    }

    /// Sets a variable to a text.
    pub(super) fn set_value(&mut self, name: &str, value: &Value) {
        self.set(json!({"name": name, "value": value}));
    }

    /// Writes the variables into a container.
    pub(super) fn write(self, container: &mut Value) {
        let Some(fields) = container.as_object_mut() else { return };
        let variables: Vec<Value> = self.items.into_iter().flatten().collect();
        if variables.is_empty() {
            fields.shift_remove("env");
        } else {
            fields.insert("env".into(), variables.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_keep_the_last_of_each_name_in_its_place() {
        let mut variables = ContainerVariables::default();
        for (name, value) in [("A", "1"), ("B", "2"), ("A", "3")] {
            variables.set_value(name, &value.into());
        }
        let mut container = json!({"env": [{"name": "C"}]});
        variables.write(&mut container);
        assert_eq!(container, json!({"env": [{"name": "B", "value": "2"}, {"name": "A", "value": "3"}]}));
        ContainerVariables::default().write(&mut container);
        assert_eq!(container, json!({}));
    }
}
