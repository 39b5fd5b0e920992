//! The facts of a component that every JSON list of components has. More of them are in `show_view`.

use std::borrow::Cow;

use serde::Serialize;

use crate::model::inventory::Component;

#[derive(Serialize)]
pub(super) struct ComponentFactsView<'a> {
    name: &'a str,
    category: &'a str,
    reference: String,
    description: Option<&'a str>,
    kind: Option<&'a str>,
    infrastructure: Option<&'a str>,
    people: &'a [Cow<'static, str>],
}

impl<'a> From<&'a Component> for ComponentFactsView<'a> {
    fn from(component: &'a Component) -> Self {
        Self {
            name: component.name(),
            category: &component.reference.category,
            reference: component.reference.to_string(),
            description: component.description.as_deref(),
            kind: component.kind.as_deref(),
            infrastructure: component.infrastructure.as_deref(),
            people: &component.people,
        }
    }
}
