//! Environment in which a service template is rendered. The rendering belongs in `value`.

use crate::model::environment::{GeneratorContext, SecretRules};

/// Values that depend on the engine and the run.
#[derive(Debug, Clone, Copy)]
pub struct TemplateContext<'a> {
    /// Name or address of the service; empty for its own name.
    pub host: &'a str,
    /// Path of the `cki` program, for mock services that it runs itself.
    pub program: &'a str,
    /// Seed and material of placeholder secrets.
    pub context: &'a GeneratorContext,
    /// Rules for placeholder secrets.
    pub rules: &'a SecretRules,
}
