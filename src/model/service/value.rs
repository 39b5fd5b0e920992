//! Rendering of template values. Expressions see `host`, `cki`, `needs` and `secret('NAME')`, and in
//! values for one dependent also its parameters by name.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

use minijinja::Value;
use minijinja::value::Serde;

use super::{ServiceTemplateError, TemplateContext};
use crate::base::secret::Secret;
use crate::base::template::{self, TemplateError, Templates};
use crate::model::inventory::Parameters;

/// Maximum bytes of all requests to a service, as JSON.
const LONGEST_NEEDS: usize = 256 << 10;

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
    /// Returns the requests to a service, whose file is for errors.
    pub(super) fn of(file: &str, needs: &[Parameters]) -> Result<Self, ServiceTemplateError> {
        match serde_json::to_writer(Room(LONGEST_NEEDS), needs) {
            Ok(()) => Ok(Self(Serde(needs).into())),
            Err(_) => Err(ServiceTemplateError::Needs { file: file.to_owned(), limit: LONGEST_NEEDS }),
        }
    }
}

/// Writer that only counts down the bytes that are left.
struct Room(usize);

impl io::Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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
        let templates = self.templates(key, text)?;
        templates.render(text, self.context.clone()).map_err(|source| self.wrong(key, source))
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
        let items = value.try_iter().map_err(|source| self.wrong(key, source.into()))?;
        Ok(Some(items.map(|item| item.to_string()).collect()))
    }

    fn evaluate(&self, key: &str, expression: &str) -> Result<Value, ServiceTemplateError> {
        let templates = self.templates(key, expression)?;
        templates.evaluate(expression, self.context.clone()).map_err(|source| self.wrong(key, source))
    }

    fn templates(&self, key: &str, text: &str) -> Result<Templates, ServiceTemplateError> {
        template::check_length(text).map_err(|source| self.wrong(key, source))?;
        let mut templates = Templates::new(&self.ctx.context.budget);
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

    fn wrong(&self, key: &str, source: TemplateError) -> ServiceTemplateError {
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
