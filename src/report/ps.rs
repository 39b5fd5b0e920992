//! `cki ps`: what runs, as a table and as JSON.

use serde::Serialize;

use crate::base::text::{Cell, Table, duration, safe_line};
use crate::model::container::Status;
use crate::model::identity::{Lifetime, Role};
use crate::ops::running::Instance;
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct PsView<'a> {
    instances: Vec<InstanceView<'a>>,
}

#[derive(Serialize)]
struct InstanceView<'a> {
    name: &'a str,
    component: &'a str,
    role: &'a str,
    run: &'a str,
    engine: &'a str,
    state: String,
    exit_code: Option<i64>,
    ports: Vec<String>,
    image: &'a str,
    created: i64,
    detached: bool,
    kept: bool,
}

/// Prints what runs. `now` is in seconds since 1970.
pub fn print(ui: &Ui, instances: &[Instance], now: i64) {
    if ui.is_json() {
        let instances = instances.iter().map(instance_view).collect();
        return view::print(ui, &PsView { instances });
    }
    if instances.is_empty() {
        return ui.say("Nothing is running. `cki run-local COMPONENT --detach` starts something.");
    }
    let mut table = Table::new(0);
    let head = ["NAME", "OF", "RUN", "STATE", "PORTS", "AGE", "ENGINE", "WHAT"];
    table.row(head.map(|text| Cell::painted(text, style::dim)));
    for one in instances {
        let (state, paint) = state(&one.status);
        let age = u64::try_from(now - one.created).unwrap_or(0);
        let of = match (one.identity.lifetime, one.identity.role) {
            (Lifetime::Workspace, _) => "kept",
            (_, Role::Component) => "–",
            _ => one.identity.component.as_str(),
        };
        table.row([
            Cell::painted(safe_line(&one.identity.name), style::name),
            safe_line(of).into_owned().into(),
            one.identity.run.to_string().into(),
            Cell::painted(state, paint),
            ports(one).join(" ").into(),
            duration(std::time::Duration::from_secs(age)).into(),
            one.engine.into(),
            Cell::painted(safe_line(&one.what), style::dim),
        ]);
    }
    for line in table.lines(ui.columns()) {
        ui.data(&line);
    }
}

fn state(status: &Status) -> (String, fn(&str) -> String) {
    match status {
        Status::Running => ("● running".to_owned(), style::good),
        Status::Created => ("○ created".to_owned(), style::dim),
        Status::Exited(0) => ("✔ ended".to_owned(), style::good),
        Status::Exited(code) if *code < 0 => ("✘ dead".to_owned(), style::bad),
        Status::Exited(code) => (format!("✘ ended {code}"), style::bad),
        Status::Other(word) => (safe_line(word).into_owned(), style::warn),
    }
}

fn ports(one: &Instance) -> Vec<String> {
    one.ports.iter().map(|(inside, local)| format!("127.0.0.1:{local}→{inside}")).collect()
}

fn instance_view(one: &Instance) -> InstanceView<'_> {
    let (state, exit_code) = match &one.status {
        Status::Running => ("running".to_owned(), None),
        Status::Created => ("created".to_owned(), None),
        Status::Exited(code) => ("exited".to_owned(), Some(*code)),
        Status::Other(word) => (word.clone(), None),
    };
    InstanceView {
        name: &one.identity.name,
        component: &one.identity.component,
        role: one.identity.role.as_str(),
        run: one.identity.run.as_str(),
        engine: one.engine,
        state,
        exit_code,
        ports: ports(one),
        image: &one.what,
        created: one.created,
        detached: one.identity.lifetime == Lifetime::Kept,
        kept: one.identity.lifetime == Lifetime::Workspace,
    }
}
