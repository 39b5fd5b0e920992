//! The only place that evaluates templates: text with expressions, as people write them into files. A
//! template may come from anyone, so its language is small (`syntax`), its work is metered, and its output is
//! bounded. The variables and functions of a template are up to the callers.

mod error;
pub mod html;
mod limits;
mod syntax;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub use error::TemplateError;
use limits::{LONGEST_OUTPUT, LONGEST_SOURCE};
use minijinja::value::Kwargs;
use minijinja::{Environment, ErrorKind, State, UndefinedBehavior, Value, filters, tests as checks};

/// Maximum work of one template, in fuel: one for each instruction, and for every 64 bytes that it makes.
const WORK: u64 = 100_000;
/// Work that any template takes at least.
const EACH: u64 = 20;
/// Maximum work of all templates that share a budget.
const WORK_OF_ALL: u64 = 10_000_000;

/// Work that all templates of a command may do together. Clones share it.
#[derive(Debug, Clone)]
pub struct WorkBudget(Arc<AtomicU64>);

impl Default for WorkBudget {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(WORK_OF_ALL)))
    }
}

impl WorkBudget {
    /// Takes the work of one template.
    fn take(&self) -> Result<u64, TemplateError> {
        let mut taken = 0;
        let take = |left: u64| {
            taken = left.min(WORK);
            (taken > 0).then(|| left - taken)
        };
        let taking = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taking.map(|_| taken).map_err(|_| TemplateError::WorkOfAll)
    }

    /// Returns the work that was done.
    #[cfg(test)]
    fn spent(&self) -> u64 {
        WORK_OF_ALL - self.0.load(Ordering::Relaxed)
    }

    /// Gives back what a template did not use.
    fn give_back(&self, unused: u64) {
        self.0.fetch_add(unused, Ordering::Relaxed);
    }
}

/// Evaluator of templates, with the functions of its caller.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    budget: WorkBudget,
}

impl Templates {
    /// Returns an evaluator with the filters and tests of the language, and no function. An undefined
    /// variable is an error.
    #[must_use]
    pub fn new(budget: &WorkBudget) -> Self {
        let mut environment = empty();
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        add_filters(&mut environment);
        add_tests(&mut environment);
        Self { environment, budget: budget.clone() }
    }

    /// Adds a function that templates may call.
    pub fn add_function<F, Rv, Args>(&mut self, name: &'static str, function: F)
    where
        F: minijinja::functions::Function<Rv, Args>,
        Rv: minijinja::value::FunctionResult,
        Args: for<'a> minijinja::value::FunctionArgs<'a>,
    {
        self.environment.add_function(name, function);
    }

    /// Renders a text with expressions.
    ///
    /// # Errors
    /// Fails if the template is invalid, uses what the language does not have, or exceeds a limit.
    pub fn render(&self, source: &str, context: impl Into<Value>) -> Result<String, TemplateError> {
        check_length(source)?;
        syntax::check(source, false)?;
        self.run(&self.environment, source, context.into())
    }

    /// Evaluates a single expression.
    ///
    /// # Errors
    /// Fails as [`Self::render`] does.
    pub fn evaluate(&self, expression: &str, context: impl Into<Value>) -> Result<Value, TemplateError> {
        check_length(expression)?;
        syntax::check(expression, true)?;
        // Only a template reports the work that it did; the formatter receives the expression's value.
        let slot = Arc::new(Mutex::new(Value::UNDEFINED));
        let mut environment = self.environment.clone();
        let result = Arc::clone(&slot);
        environment.set_formatter(move |_, _, value| {
            *result.lock().unwrap_or_else(PoisonError::into_inner) = value.clone();
            Ok(())
        });
        self.run(&environment, &format!("{{{{ {expression} }}}}"), context.into())?;
        let value = slot.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(value)
    }

    fn run(
        &self,
        environment: &Environment<'_>,
        source: &str,
        context: Value,
    ) -> Result<String, TemplateError> {
        let fuel = self.budget.take()?;
        let mut environment = environment.clone();
        environment.set_fuel(Some(fuel));
        let done = environment.template_from_str(source).and_then(|made| made.render_captured(context));
        let captured = done.map_err(|error| match error.kind() {
            ErrorKind::OutOfFuel if fuel < WORK => TemplateError::WorkOfAll,
            ErrorKind::OutOfFuel => TemplateError::Work,
            _ => error.into(),
        })?;
        // Reading the template is work, too.
        let reading = EACH + source.len() as u64 / 16;
        let left = captured.state().fuel_levels().map_or(0, |(_, left)| left);
        self.budget.give_back(left.saturating_sub(reading));
        let text = captured.into_output();
        if text.len() > LONGEST_OUTPUT { Err(TemplateError::Output) } else { Ok(text) }
    }
}

/// Returns the engine without filters, tests and functions. An undefined variable is an error.
fn empty<'s>() -> Environment<'s> {
    #[expect(clippy::disallowed_methods, reason = "the one place that makes the engine")]
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
}

/// Fails if a template is too long.
///
/// # Errors
/// Fails if it is longer than 256 KiB.
pub fn check_length(source: &str) -> Result<(), TemplateError> {
    if source.len() > LONGEST_SOURCE { Err(TemplateError::TooLong(source.len())) } else { Ok(()) }
}

fn add_filters(environment: &mut Environment<'_>) {
    environment.add_filter("default", filters::default);
    environment.add_filter("first", filters::first);
    environment.add_filter("int", filters::int);
    environment.add_filter("join", filters::join);
    environment.add_filter("length", filters::length);
    environment.add_filter("list", filters::list);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("map", filters::map);
    environment.add_filter("reject", filters::reject);
    environment.add_filter("rejectattr", filters::rejectattr);
    environment.add_filter("replace", filters::replace);
    environment.add_filter("select", filters::select);
    environment.add_filter("selectattr", filters::selectattr);
    environment.add_filter("sort", filters::sort);
    environment.add_filter("split", filters::split);
    environment.add_filter("string", filters::string);
    environment.add_filter("tojson", to_json);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("unique", filters::unique);
    environment.add_filter("upper", filters::upper);
}

fn add_tests(environment: &mut Environment<'_>) {
    environment.add_test("boolean", checks::is_boolean);
    environment.add_test("defined", checks::is_defined);
    environment.add_test("endingwith", checks::is_endingwith);
    environment.add_test("eq", checks::is_eq);
    environment.add_test("in", checks::is_in);
    environment.add_test("mapping", checks::is_mapping);
    environment.add_test("ne", checks::is_ne);
    environment.add_test("none", checks::is_none);
    environment.add_test("number", checks::is_number);
    environment.add_test("sequence", checks::is_sequence);
    environment.add_test("startingwith", checks::is_startingwith);
    environment.add_test("string", checks::is_string);
    environment.add_test("undefined", checks::is_undefined);
}

/// Writes a value as JSON. Without the engine's `indent`, which multiplies the length.
fn to_json(state: &State<'_, '_>, value: &Value) -> Result<Value, minijinja::Error> {
    let text = filters::tojson(value, None, std::iter::empty::<(String, Value)>().collect::<Kwargs>())?;
    // Serializing takes more work than the length of the result, which the engine counts.
    state.consume_fuel(text.as_str().map_or(0, str::len) as u64 / 4)?;
    Ok(text)
}
