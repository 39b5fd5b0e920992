//! The order of the floors: a module uses only floors below its own, and the systems never look at
//! each other. The table is here; `src/lib.rs` tells it, and `docs/architecture.md` the reasons.

mod cycles;
mod scan;
mod tokens;

use std::collections::BTreeSet;
use std::path::Path;

use crate::house::rust_files;

/// The floors, lowest first, each with its rooms.
const FLOORS: [&[&str]; 8] = [
    &["base"],
    &["model", "host"],
    &["ui", "config"],
    &[SYSTEMS],
    &["ops"],
    &["report"],
    &["demo"],
    &["cli"],
];

/// The floor on which each directory, and each file, is a room of its own.
const SYSTEMS: &str = "systems";

/// Edges that are forbidden although they lead to a floor below: work reports by events, and receives its input
/// from the caller.
const NEVER: [(&str, &str); 3] = [(SYSTEMS, "ui"), (SYSTEMS, "config"), ("ops", "ui")];

/// The order within `ops`: a directory uses itself and the ones named here, and no command.
const WITHIN_OPS: [(&str, &[&str]); 2] =
    [("ops/shared/", &["shared"]), ("ops/runtime/", &["runtime", "shared"])];

/// Planning is pure: no file of this directory, tests aside, uses a module that reads, writes or reports.
const PLAN: &str = "ops/run_local/plan/";
/// Modules that planning does not use.
const IMPURE: [&[&str]; 9] = [
    &["host"],
    &["config"],
    &["systems"],
    &["base", "assets"],
    &["base", "files"],
    &["model", "event"],
    &["ops", "shared", "op_context"],
    &["ops", "shared", "workspace"],
    &["ops", "shared", "workspace_secrets"],
];
/// A function of a system that only looks at a path.
const PURE: [&[&str]; 1] = [&["systems", "git", "is_within_repository"]];

/// Above all floors: `src/lib.rs` and `src/main.rs`.
const ROOF: &str = "the crate's root";

/// The modules of the crate as rooms.
struct House {
    /// The rooms below `systems`.
    systems: BTreeSet<String>,
}

impl House {
    /// From the modules of all files.
    fn new<'a>(modules: impl IntoIterator<Item = &'a [String]>) -> Self {
        let system = |module: &[String]| Some(module.get(1)?.clone()).filter(|_| module[0] == SYSTEMS);
        Self { systems: modules.into_iter().filter_map(system).collect() }
    }

    /// The room of a module or item, by its path from the crate's root.
    fn room(&self, path: &[String]) -> String {
        match path {
            [first, second, ..] if first == SYSTEMS && self.systems.contains(second) => {
                format!("{SYSTEMS}/{second}")
            }
            [first, ..] if floor(first).is_some() => first.clone(),
            _ => ROOF.to_owned(),
        }
    }

    /// The edges of one file that must not be, each as a sentence.
    fn forbidden(&self, file: &str, source: &str) -> Vec<String> {
        let module = module(Path::new(file));
        let from = self.room(&module);
        let mut wrong = Vec::new();
        for reference in scan::references(source, &module) {
            let to = self.room(&reference.path);
            let (above, below) = (height(&from), height(&to));
            let never = NEVER.contains(&(first(&from), first(&to)));
            if from != to && (below >= above || never) {
                let (line, path) = (reference.line, reference.path.join("::"));
                wrong.push(format!(
                    "src/{file}:{line}: {from} (floor {above}) uses `crate::{path}`: {to} (floor {below})"
                ));
            }
        }
        wrong
    }
}

/// The floor of a room without its subdivisions.
fn floor(name: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&name))
}

fn first(room: &str) -> &str {
    room.split('/').next().unwrap_or(room)
}

fn height(room: &str) -> usize {
    floor(first(room)).unwrap_or(FLOORS.len())
}

/// The path of the module that a file of `src` is.
fn module(file: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        file.with_extension("").iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|name| ["mod", "lib", "main"].contains(&name.as_str())) {
        names.pop();
    }
    names
}

#[test]
fn modules_use_only_lower_floors() {
    let files = rust_files("src");
    let modules: Vec<_> = files.iter().map(|(path, _)| module(path)).collect();
    let house = House::new(modules.iter().map(Vec::as_slice));
    let wrong: Vec<String> =
        files.iter().flat_map(|(path, source)| house.forbidden(&path.to_string_lossy(), source)).collect();
    assert!(wrong.is_empty(), "a module may use only floors below its own:\n{}", wrong.join("\n"));
}

#[test]
fn source_files_have_no_import_cycles() {
    let sources = rust_files("src");
    let imports = cycles::Imports::new(&sources);
    let told: Vec<_> = imports.cycles().iter().map(|cycle| imports.describe(cycle)).collect();
    assert!(told.is_empty(), "files import each other in a cycle:\n{}", told.join("\n"));
}

/// The references of a file below one of these directories to what it must not use, each as a sentence.
fn forbidden_within_ops(file: &str, source: &str) -> Vec<String> {
    let within = WITHIN_OPS.iter().find(|(directory, _)| file.starts_with(directory));
    let is_command = |path: &[String]| {
        let child = path.get(1).filter(|_| path[0] == "ops");
        within.zip(child).is_some_and(|((_, known), child)| !known.contains(&child.as_str()))
    };
    let is_below = |path: &[String], modules: &[&[&str]]| {
        modules
            .iter()
            .any(|module| module.iter().zip(path).filter(|(one, other)| one == other).count() == module.len())
    };
    let plans = file.starts_with(PLAN) && !file.ends_with("tests.rs");
    let is_impure = |path: &[String]| plans && is_below(path, &IMPURE) && !is_below(path, &PURE);
    let references = scan::references(source, &module(Path::new(file))).into_iter();
    references
        .filter(|one| is_command(&one.path) || is_impure(&one.path))
        .map(|one| format!("src/{file}:{}: uses `crate::{}`", one.line, one.path.join("::")))
        .collect()
}

#[test]
fn shared_parts_of_ops_use_no_command() {
    let wrong: Vec<String> = rust_files("src")
        .iter()
        .flat_map(|(path, source)| forbidden_within_ops(&path.to_string_lossy(), source))
        .collect();
    assert!(
        wrong.is_empty(),
        "shared and runtime use no command, and planning reads nothing:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn commands_in_shared_parts_and_impure_plans_are_found() {
    for (file, source) in [
        ("ops/shared/token.rs", "use crate::ops::clone::clone;"),
        ("ops/shared/token.rs", "use crate::ops::runtime::engine::open;"),
        ("ops/runtime/start/mod.rs", "use crate::ops::run_local::RunError;"),
        ("ops/run_local/plan/dev.rs", "use crate::base::assets::Assets;"),
        ("ops/run_local/plan/mod.rs", "fn f() { crate::systems::git::inspect() }"),
        ("ops/run_local/plan/mod.rs", "use crate::ops::shared::{op_context::OpContext, run_policy};"),
    ] {
        assert_eq!(forbidden_within_ops(file, source).len(), 1, "{file}: {source}");
    }
    for (file, source) in [
        ("ops/runtime/start/mod.rs", "use crate::ops::shared::op_context::OpContext; use super::dialer;"),
        ("ops/run_local/plan/dev.rs", "use crate::systems::git::is_within_repository;"),
        ("ops/run_local/load.rs", "use crate::base::assets::Assets;"),
    ] {
        assert_eq!(forbidden_within_ops(file, source), Vec::<String>::new(), "{file}: {source}");
    }
}

/// Directories that decide on exit codes, besides the table and the signals of the system.
const DECIDES_EXIT: [&str; 4] = ["base/", "host/", "demo/", "cli/"];

#[test]
fn exit_codes_are_decided_in_cli() {
    let wrong: Vec<String> = rust_files("src")
        .iter()
        .map(|(path, source)| (path.to_string_lossy().into_owned(), path, source))
        .filter(|(file, ..)| !DECIDES_EXIT.iter().any(|directory| file.starts_with(directory)))
        .flat_map(|(file, path, source)| {
            let exits = |path: &[String]| path.len() > 1 && path[0] == "base" && path[1] == "exit";
            let references = scan::references(source, &module(path)).into_iter();
            references.filter(move |one| exits(&one.path)).map(move |one| format!("src/{file}:{}", one.line))
        })
        .filter(|place| !place.starts_with("src/lib.rs") && !place.starts_with("src/main.rs"))
        .collect();
    assert!(wrong.is_empty(), "an outcome gets its exit code in cli/exit.rs:\n{}", wrong.join("\n"));
}

#[test]
fn every_module_has_a_floor() {
    let without: BTreeSet<String> = rust_files("src")
        .iter()
        .filter_map(|(path, _)| module(path).into_iter().next())
        .filter(|name| floor(name).is_none())
        .collect();
    assert!(without.is_empty(), "put into the table of this file: {without:?}");
}

/// A house with two systems and a file in it; the forbidden edges of a source of that file.
fn edges(file: &str, source: &str) -> Vec<String> {
    let names = |path: &str| module(Path::new(path));
    let modules = [names("systems/git/mod.rs"), names("systems/keyring.rs")];
    House::new(modules.iter().map(Vec::as_slice)).forbidden(file, source)
}

#[test]
fn forbidden_imports_are_found() {
    for (file, source) in [
        ("base/text.rs", "use crate::model::x;"),
        ("base/text.rs", "fn f() { crate::ui::g() }"),
        ("base/text.rs", "use crate::run;"),
        ("base/text.rs", "use crate::*;"),
        ("model/mod.rs", "use crate::host::Env;"),
        ("host/env.rs", "use super::super::model::Plan;"),
        ("config/mod.rs", "use crate::{base::text, ui::{self}};"),
        ("config/mod.rs", "#[cfg(test)] mod tests { use super::super::cli; }"),
        ("systems/git/clone.rs", "use crate::systems::keyring::Token;"),
        ("systems/git/clone.rs", "use super::super::keyring;"),
        ("systems/git/mod.rs", "use super::keyring;"),
        ("systems/git/mod.rs", "use super::Shared;"),
        ("systems/git/mod.rs", "use crate::ui;"),
        ("systems/mod.rs", "pub use self::git::Clone;"),
        ("systems/keyring.rs", "use crate::ops::{\n  clone,\n};"),
        ("systems/keyring.rs", "use crate::config::Settings;"),
        ("ops/clone.rs", "use crate::ui::Ui;"),
        ("ops/clone.rs", "use crate::report::clone;"),
        ("report/clone.rs", "use crate::cli::Args;"),
        ("demo/mod.rs", "type A = crate::cli::Args;"),
    ] {
        assert!(!edges(file, source).is_empty(), "{file}: {source}");
    }
    assert_eq!(
        edges("ops/clone.rs", "use std::fs;\nuse crate::{base::text,\n report::clone};"),
        ["src/ops/clone.rs:3: ops (floor 4) uses `crate::report::clone`: report (floor 5)"]
    );
}

#[test]
fn allowed_imports_are_accepted() {
    for (file, source) in [
        ("base/text/mod.rs", "use super::files; use crate::base::yaml; mod t { use super::*; }"),
        ("host/mod.rs", "use crate::base::exit::Exit;"),
        ("systems/git/clone.rs", "use super::Error; use crate::{base::text, model::x, host::y};"),
        ("ops/clone.rs", "use crate::systems::{git::{self, Clone}, keyring}; use super::show;"),
        ("cli/mod.rs", "use crate::{base, model, host, ui, config, systems, ops, report, demo};"),
        ("lib.rs", "pub use crate::cli::run; pub mod cli;"),
        ("ops/clone.rs", "// crate::cli\nconst A: &str = \"crate::cli\";"),
    ] {
        assert_eq!(edges(file, source), Vec::<String>::new(), "{file}: {source}");
    }
}
