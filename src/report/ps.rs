//! Report of `cki ps`: running components, as a table and as JSON.

use serde::Serialize;

use crate::base::text::{Cell, Table, duration, safe_line};
use crate::model::container::Status;
use crate::model::identity::{Retention, Role};
use crate::model::port::PublishedPort;
use crate::ops::ps::Health;
use crate::ops::runtime::list::InstanceSummary;
use crate::report::view;
use crate::ui::{PortView, Ui, style};

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
    ready: Option<bool>,
    not_ready_reason: Option<&'a str>,
    exit_code: Option<i64>,
    ports: Vec<PortView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lost_ports: Vec<PortView>,
    image: &'a str,
    created: i64,
    detached: bool,
    kept: bool,
}

/// Prints running components, with the results of those with a readiness probe. `now` is in seconds since
/// 1970.
pub fn print(ui: &Ui, instances: &[InstanceSummary], health: &[Option<Health>], now: i64) {
    let all = || instances.iter().zip(health.iter().map(Option::as_ref));
    if ui.is_json() {
        let instances = all().map(|(one, health)| instance_view(one, health)).collect();
        return view::print(ui, &PsView { instances });
    }
    if instances.is_empty() {
        return ui.status("Nothing is running. `cki run-local COMPONENT --detach` starts something.");
    }
    let mut table = Table::new(0);
    let head = ["NAME", "OF", "RUN", "STATE", "PORTS", "AGE", "ENGINE", "WHAT"];
    table.row(head.map(|text| Cell::styled(text, style::dim)));
    for (one, health) in all() {
        let (state, paint) = state(&one.status, health);
        let age = u64::try_from(now - one.created).unwrap_or(0);
        let of = match (one.identity.lifetime, one.identity.role) {
            (Retention::Workspace, _) => "kept",
            (_, Role::Component) => "–",
            _ => one.identity.component.as_str(),
        };
        table.row([
            Cell::styled(safe_line(&one.identity.name), style::name),
            safe_line(of).into_owned().into(),
            one.identity.run.to_string().into(),
            Cell::styled(if one.is_kept { format!("{state}, kept") } else { state }, paint),
            ports(one).into(),
            duration(std::time::Duration::from_secs(age)).into(),
            one.engine.into(),
            Cell::styled(safe_line(&one.what), style::dim),
        ]);
    }
    ui.lines(table.lines(ui.columns()));
    for (one, health) in all() {
        let name = safe_line(&one.identity.name);
        match health {
            Some(Health::Starting(why)) => ui.status(&format!("`{name}` is not ready yet: {why}.")),
            Some(Health::NotReady(why)) => ui.status(&format!("`{name}` is not ready: {why}.")),
            Some(Health::Unknown(why)) => {
                ui.status(&format!("Whether `{name}` is ready is not known: {why}."));
            }
            Some(Health::Ready) | None => {}
        }
    }
}

fn state(status: &Status, health: Option<&Health>) -> (String, fn(&str) -> String) {
    match status {
        Status::Running if health == Some(&Health::Ready) => ("● ready".to_owned(), style::good),
        Status::Running if matches!(health, Some(Health::Starting(_))) => {
            ("○ starting".to_owned(), style::warn)
        }
        Status::Running if matches!(health, Some(Health::NotReady(_))) => {
            ("✘ not ready".to_owned(), style::bad)
        }
        Status::Running => ("● running".to_owned(), style::good),
        Status::Created => ("○ created".to_owned(), style::dim),
        Status::Exited(0) => ("✔ ended".to_owned(), style::good),
        Status::Exited(code) if *code < 0 => ("✘ dead".to_owned(), style::bad),
        Status::Exited(code) => (format!("✘ ended {code}"), style::bad),
        Status::Other(word) => (safe_line(word).into_owned(), style::warn),
    }
}

/// Returns the addresses of an instance. A port with another number on this machine is named, too.
fn ports(one: &InstanceSummary) -> String {
    let address = |one: &PublishedPort| match one.local == one.port {
        true => one.address(),
        false => format!("{} ({})", one.address(), one.port),
    };
    let lost = one.lost.iter().map(|lost| format!("{} (gone)", lost.address()));
    one.ports.iter().map(address).chain(lost).collect::<Vec<_>>().join(" ")
}

fn instance_view<'a>(one: &'a InstanceSummary, health: Option<&'a Health>) -> InstanceView<'a> {
    let (ready, not_ready_reason) = match health {
        Some(Health::Ready) => (Some(true), None),
        Some(Health::Starting(why) | Health::NotReady(why)) => (Some(false), Some(why.as_str())),
        Some(Health::Unknown(why)) => (None, Some(why.as_str())),
        None => (None, None),
    };
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
        ready,
        not_ready_reason,
        exit_code,
        ports: one.ports.iter().map(PortView::from).collect(),
        lost_ports: one.lost.iter().map(PortView::from).collect(),
        image: &one.what,
        created: one.created,
        detached: one.identity.lifetime == Retention::Kept,
        kept: one.is_kept || one.identity.lifetime == Retention::Workspace,
    }
}
