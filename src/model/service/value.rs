//! Rendering of template values. Expressions see `host`, `cki`, `needs` and `secret('NAME')`, and in
//! values for one dependent also its parameters by name.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use minijinja::value::Serde;
use minijinja::{Environment as Templates, UndefinedBehavior, Value};

use super::{ServiceTemplateError, TemplateContext};
use crate::base::secret::Secret;
use crate::model::inventory::Parameters;

/// Renderer of values.
pub(super) struct ValueRenderer<'a> {
    file: &'a str,
    ctx: TemplateContext<'a>,
    context: Value,
    made: RefCell<BTreeSet<Secret>>,
}

/// Requests of all dependents in the form for templates, shared by all renderers.
#[derive(Clone)]
pub(super) struct Needs(Value);

impl Needs {
    pub(super) fn of(needs: &[Parameters]) -> Self {
        Self(Serde(needs).into())
    }
}

impl<'a> ValueRenderer<'a> {
    pub(super) fn new(
        file: &'a str,
        ctx: TemplateContext<'a>,
        own: Option<&'a Parameters>,
        needs: &Needs,
    ) -> Self {
        let own = own.into_iter().flatten().map(|(name, value)| (name.clone(), Serde(value).into()));
        let mut context: BTreeMap<String, Value> = own.collect();
        context.insert("host".to_owned(), ctx.host.into());
        context.insert("cki".to_owned(), ctx.program.into());
        context.insert("needs".to_owned(), needs.0.clone());
        Self { file, ctx, context: Value::from_object(context), made: RefCell::default() }
    }

    /// Returns the secrets that the rendered values could use, wherever these are: in a command, a file or an
    /// environment.
    pub(super) fn into_secrets(self) -> BTreeSet<Secret> {
        self.made.into_inner()
    }

    /// Renders a text.
    pub(super) fn text(&self, key: &str, text: &str) -> Result<String, ServiceTemplateError> {
        if !text.contains("{{") && !text.contains("{%") {
            return Ok(text.to_owned());
        }
        let templates = self.templates(text)?;
        templates.render_str(text, self.context.clone()).map_err(|source| self.wrong(key, source))
    }

    /// Renders a list of texts. An item that is only an expression for a list is replaced by that list's
    /// items.
    pub(super) fn list(&self, key: &str, items: &[String]) -> Result<Vec<String>, ServiceTemplateError> {
        let mut all = Vec::new();
        for item in items {
            match self.spread(key, item)? {
                Some(items) => all.extend(items),
                None => all.push(self.text(key, item)?),
            }
        }
        Ok(all)
    }

    /// Returns whether an expression is true.
    pub(super) fn holds(&self, key: &str, expression: &str) -> Result<bool, ServiceTemplateError> {
        Ok(self.evaluate(key, expression)?.is_true())
    }

    fn spread(&self, key: &str, item: &str) -> Result<Option<Vec<String>>, ServiceTemplateError> {
        let inner = item.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
        let Some(expression) = inner.filter(|inner| !inner.contains("{{")) else { return Ok(None) };
        let value = self.evaluate(key, expression)?;
        if value.kind() != minijinja::value::ValueKind::Seq {
            return Ok(None);
        }
        let items = value.try_iter().map_err(|source| self.wrong(key, source))?;
        Ok(Some(items.map(|item| item.to_string()).collect()))
    }

    fn evaluate(&self, key: &str, expression: &str) -> Result<Value, ServiceTemplateError> {
        let templates = self.templates(expression)?;
        let compiled = templates.compile_expression(expression);
        compiled
            .and_then(|compiled| compiled.eval(self.context.clone()))
            .map_err(|source| self.wrong(key, source))
    }

    fn templates(&self, text: &str) -> Result<Templates<'static>, ServiceTemplateError> {
        let mut templates = Templates::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        // A service and its clients use the same variable name, and so share its secret.
        let mut made = BTreeMap::new();
        for name in secret_names(text) {
            let secret = self.ctx.rules.make(&name, None, self.ctx.context)?;
            made.insert(name, secret.value.expose().to_owned());
            self.made.borrow_mut().insert(secret.value);
        }
        templates.add_function("secret", move |name: String| made.get(&name).cloned());
        Ok(templates)
    }

    fn wrong(&self, key: &str, source: minijinja::Error) -> ServiceTemplateError {
        ServiceTemplateError::Template { file: self.file.to_owned(), key: key.to_owned(), source }
    }
}

/// Returns the names in `secret('NAME')`.
fn secret_names(text: &str) -> Vec<String> {
    text.split("secret(")
        .skip(1)
        .filter_map(|rest| rest.split(['\'', '"']).nth(1))
        .map(str::to_owned)
        .collect()
}
