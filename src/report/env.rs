//! Report of `cki env`: a table, files for programs, and JSON. The table masks every secret. The formats
//! for programs contain placeholder secrets unmasked, since those are generated and a program needs them;
//! they contain the user's own secrets, and values derived from these, only with `--reveal`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::env_value::value;
use crate::base::dotenv::{self, DotenvReader};
use crate::base::secret::{MASK, Secret};
use crate::base::text::{Cell, Table, join_and, plural, safe_line};
use crate::model::environment::{
    Environment, ProductionInfo, ProductionValue, ValueOrigin, Variable, is_variable_name,
};
use crate::report::{env_explain, view};
use crate::ui::{Ui, style};

/// Format in which an environment is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvFormat {
    /// Aligned table, with secrets masked, or the names alone.
    Table,
    /// `NAME=VALUE` lines, quoted so that most programs read them alike.
    Dotenv,
    /// One JSON object.
    Structured,
    /// `export NAME='VALUE'` lines.
    Shell,
}

#[derive(Serialize)]
struct EnvView<'a> {
    component: &'a str,
    variables: Vec<VariableView<'a>>,
}

#[derive(Serialize)]
struct VariableView<'a> {
    name: &'a str,
    value: Option<&'a str>,
    secret: bool,
    required: bool,
    r#type: Option<&'a str>,
    origin: &'a str,
    reason: String,
    place: Option<&'a str>,
    instead_of: Option<&'a str>,
    replaced_by: Option<&'a str>,
    production: Option<ProductionView<'a>>,
}

#[derive(Serialize)]
struct ProductionView<'a> {
    value: Option<&'a str>,
    description: Option<&'a str>,
    place: &'a str,
}

/// Options for printing an environment.
#[derive(Debug, Clone, Copy)]
pub struct EnvOptions {
    /// Format.
    pub format: EnvFormat,
    /// Include the reason for each value.
    pub explain: bool,
    /// Include the user's own secrets.
    pub reveal: bool,
}

/// Prints an environment.
pub fn print(ui: &Ui, component: &str, environment: &Environment, options: EnvOptions) {
    let EnvOptions { format, explain, reveal } = options;
    match format {
        EnvFormat::Table if ui.is_names() => ui.names(environment.variables.iter().map(|one| &one.name)),
        EnvFormat::Table if explain || ui.is_wide() => env_explain::print(ui, environment, reveal),
        EnvFormat::Table => table(ui, environment, reveal),
        EnvFormat::Structured => view::print(ui, &env_view(component, environment, reveal)),
        EnvFormat::Dotenv => in_dotenv(ui, environment, reveal),
        EnvFormat::Shell => in_shell(ui, environment, reveal),
    }
}

/// Prints lines of an environment file, and warns of programs that read some lines differently.
fn in_dotenv(ui: &Ui, environment: &Environment, reveal: bool) {
    let mut misread: BTreeMap<DotenvReader, Vec<String>> = BTreeMap::new();
    assignments(ui, environment, reveal, |name, value| {
        let written = dotenv::write(name, value);
        for reader in written.misread_by {
            misread.entry(reader).or_default().push(format!("`{name}`"));
        }
        written.text
    });
    for (reader, names) in misread {
        let count = names.len();
        let shown =
            if count > SHOWN { format!("{} of them", plural(count, "variable")) } else { join_and(&names) };
        ui.status(&style::dim(&format!("{reader} reads other values of this file: {shown}.")));
    }
}

/// Maximum number of names to list.
const SHOWN: usize = 6;

fn in_shell(ui: &Ui, environment: &Environment, reveal: bool) {
    let mut left_out = Vec::new();
    assignments(ui, environment, reveal, |name, value| {
        if is_variable_name(name) {
            return format!("export {name}={}", shell_words::quote(value));
        }
        left_out.push(format!("`{name}`"));
        format!("# A shell has no variables called {}.", safe_line(name))
    });
    if !left_out.is_empty() {
        ui.warning(&format!(
            "A shell cannot have {}: the name is not one of a shell's variables.",
            join_and(&left_out)
        ));
    }
}

/// Returns the value if a program may get it.
fn visible(variable: &Variable, reveal: bool) -> Option<&str> {
    let own = variable.secret && variable.own;
    variable.value.as_ref().filter(|_| reveal || !own).map(Secret::expose)
}

fn table(ui: &Ui, environment: &Environment, reveal: bool) {
    let mut table = Table::new(0, &[]);
    table.row(["VARIABLE", "VALUE"].map(|text| Cell::styled(text, style::dim)));
    for variable in &environment.variables {
        let (text, paint) = value(variable, reveal);
        let name = Cell::styled(safe_line(&variable.name), style::name);
        table.row([name, Cell::styled(text, paint)]);
    }
    ui.lines(table.lines(ui.columns()));
    ui.status(&style::dim(&environment.summary()));
}

fn assignments(ui: &Ui, environment: &Environment, reveal: bool, mut line: impl FnMut(&str, &str) -> String) {
    for variable in environment.variables.iter().filter(|variable| variable.value.is_some()) {
        match visible(variable, reveal) {
            Some(value) => ui.exact(&format!("{}\n", line(&variable.name, value))),
            None => ui.data(&format!("# {} is a secret of yours; --reveal prints it.", variable.name)),
        }
    }
}

fn env_view<'a>(component: &'a str, environment: &'a Environment, reveal: bool) -> EnvView<'a> {
    let variables = environment
        .variables
        .iter()
        .map(|variable| VariableView {
            name: &variable.name,
            value: variable.value.as_ref().map(|_| visible(variable, reveal).unwrap_or(MASK)),
            secret: variable.secret,
            required: variable.required,
            r#type: variable.kind.as_deref(),
            origin: variable.origin.id(),
            reason: variable.reason(),
            place: variable.origin.place(),
            instead_of: variable.instead_of.as_ref().map(ValueOrigin::id),
            replaced_by: variable.replaced_by.as_deref(),
            production: variable.production.as_ref().map(|known| production_view(variable, known)),
        })
        .collect();
    EnvView { component, variables }
}

fn production_view<'a>(variable: &Variable, known: &'a ProductionInfo) -> ProductionView<'a> {
    let (value, description) = match &known.value {
        ProductionValue::Written(_) if variable.secret || known.secret => (Some(MASK), None),
        ProductionValue::Written(value) => (Some(value.expose()), None),
        ProductionValue::Elsewhere(what) => (None, Some(what.as_str())),
    };
    ProductionView { value, description, place: &known.place }
}
