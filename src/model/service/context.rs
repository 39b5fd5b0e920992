//! What the values of a service template are rendered with.

use crate::model::environment::{Ground, SecretRules};

/// What differs from place to place.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The name or address under which the service is found; empty for its own name.
    pub host: &'a str,
    /// The `cki` program itself, for services that it plays.
    pub program: &'a str,
    /// What reference secrets are made from.
    pub ground: &'a Ground,
    /// How reference secrets are made.
    pub rules: &'a SecretRules,
}
