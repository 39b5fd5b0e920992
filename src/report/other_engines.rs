//! Messages about runs on other engines than the one that a command uses, after it found nothing.

use crate::base::text::{command_line, plural, safe_line};
use crate::ops::runtime::other_engines::OtherEngine;
use crate::ui::Ui;

/// Prints the engines that have runs, each with the command that is about them: `cki ps --engine podman`.
pub fn print_all(ui: &Ui, engines: &[OtherEngine], verb: &str) {
    for engine in engines {
        let runs = plural(engine.runs(), "run");
        let command = command_line(&["cki", verb, "--engine", engine.name].map(str::to_owned));
        ui.status(&format!("{runs} with another engine: `{command}`."));
    }
}

/// Prints the engines on which a name is running, each with the command that is about it.
pub fn print_named(ui: &Ui, engines: &[OtherEngine], verb: &str, query: &str) {
    for engine in engines.iter().filter(|engine| engine.has(query)) {
        let command = command_line(&["cki", verb, query, "--engine", engine.name].map(str::to_owned));
        ui.status(&format!("`{}` runs with another engine: `{}`.", safe_line(query), safe_line(&command)));
    }
}
