//! Report of `cki ps`: running components, as a table and as JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::base::text::{Cell, Fit, Table, duration, plural, safe_line};
use crate::model::container::Status;
use crate::model::identity::{ResourceLabels, Retention, Role};
use crate::model::port::PublishedPort;
use crate::ops::ps::{Health, PsListing};
use crate::ops::runtime::list::InstanceSummary;
use crate::report::view;
use crate::ui::{PortView, Ui, Verbosity, style};

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
    retained: bool,
}

/// The listed instances, at a time in seconds since 1970.
#[derive(Debug)]
pub struct PsOutcome {
    /// The instances.
    pub found: PsListing,
    /// The time.
    pub now: i64,
    /// The time zone of this machine.
    pub zone: jiff::tz::TimeZone,
}

/// Prints the listed instances; with `-q`, the IDs of their runs.
pub fn print(ui: &Ui, outcome: &PsOutcome) {
    let instances = &outcome.found.instances;
    if ui.verbosity() == Verbosity::Quiet {
        let runs: BTreeSet<&str> = instances.iter().map(|(one, _)| one.identity.run.as_str()).collect();
        return ui.lines(runs);
    }
    if ui.is_names() {
        return ui.names(instances.iter().map(|(one, _)| query(one, instances)));
    }
    if ui.is_structured() {
        let instances = instances.iter().map(|(one, health)| instance_view(one, health.as_ref()));
        return view::print(ui, &PsView { instances: instances.collect() });
    }
    if instances.is_empty() {
        ui.status("Nothing is running. `cki run-local COMPONENT --detach` starts something.");
    } else {
        print_table(ui, outcome, TimeColumn::Age);
    }
    print_rest(ui, outcome);
}

/// Prints what the list leaves out.
fn print_rest(ui: &Ui, outcome: &PsOutcome) {
    if outcome.found.ended > 0 {
        let count = plural(outcome.found.ended, "retained instance");
        ui.status(&style::dim(&format!("{count} ended: `cki ps -a` shows it all.")));
    }
    if outcome.found.elsewhere > 0 {
        let count = plural(outcome.found.elsewhere, "run");
        ui.status(&style::dim(&format!("{count} of other inventories: `cki ps -A` shows all.")));
    }
}

/// The column about time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TimeColumn {
    /// The age of each instance.
    Age,
    /// The time of the look, which stays true after a minute; with the heading or without.
    Look { has_heading: bool },
}

fn print_table(ui: &Ui, outcome: &PsOutcome, time: TimeColumn) {
    let PsOutcome { found, now, zone } = outcome;
    let mut table = table();
    let head = HEAD.map(|text| if text == "AGE" && time != TimeColumn::Age { "TIME" } else { text });
    if time != (TimeColumn::Look { has_heading: false }) {
        table.row(head.map(|text| Cell::styled(text, style::dim)));
    }
    for (one, health) in &found.instances {
        let time = match (time, jiff::Timestamp::from_second(*now)) {
            (TimeColumn::Look { .. }, Ok(now)) => now.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string(),
            _ => age(one, *now),
        };
        table.row(row(one, health.as_ref(), time));
    }
    ui.lines(table.lines(ui.columns()));
    for (one, health) in &found.instances {
        let name = query(one, &found.instances);
        let name = safe_line(&name);
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

/// Returns the text that names one of the listed instances: its name, or with its run if several have the name.
fn query(one: &InstanceSummary, all: &[(InstanceSummary, Option<Health>)]) -> String {
    let ResourceLabels { name, run, .. } = &one.identity;
    let is_only = all.iter().filter(|(other, _)| other.identity.name == *name).count() == 1;
    if is_only { name.clone() } else { format!("{run}/{name}") }
}

/// Printer of a list that is looked at again and again: the whole list once, then what has changed.
#[derive(Debug, Default)]
pub struct Changes {
    shown: BTreeMap<(String, String), String>,
    is_first: bool,
    has_begun: bool,
}

impl Changes {
    /// Prints the instances that are new, have another state, or are gone.
    pub fn print(&mut self, ui: &Ui, outcome: &PsOutcome) {
        self.is_first = !std::mem::replace(&mut self.has_begun, true);
        let key = |one: &InstanceSummary| (one.identity.run.to_string(), one.identity.name.clone());
        let mut now_shown = BTreeMap::new();
        let mut changed = Vec::new();
        for (one, health) in &outcome.found.instances {
            let (state, _) = state_of(one, health.as_ref());
            if self.shown.get(&key(one)) != Some(&state) {
                changed.push((one.clone(), health.clone()));
            }
            now_shown.insert(key(one), state);
        }
        let gone: Vec<(String, String)> =
            self.shown.keys().filter(|key| !now_shown.contains_key(*key)).cloned().collect();
        self.shown = now_shown;
        let is_table = ui.verbosity() > Verbosity::Quiet && !ui.is_names() && !ui.is_structured();
        if self.is_first {
            if !is_table || outcome.found.instances.is_empty() {
                return print(ui, outcome);
            }
            print_table(ui, outcome, TimeColumn::Look { has_heading: true });
            return print_rest(ui, outcome);
        }
        if !changed.is_empty() {
            let found = PsListing { instances: changed, ..PsListing::default() };
            let outcome = PsOutcome { found, now: outcome.now, zone: outcome.zone.clone() };
            match is_table {
                true => print_table(ui, &outcome, TimeColumn::Look { has_heading: false }),
                false => print(ui, &outcome),
            }
        }
        for (run, name) in gone {
            ui.status(&format!("`{}` of run {run} is gone.", safe_line(&name)));
        }
    }
}

const HEAD: [&str; 8] = ["NAME", "RUN", "STATE", "ADDRESS", "AGE", "USED BY", "ENGINE", "IMAGE OR COMMAND"];

fn table() -> Table {
    let whole = [Fit::Whole; 4];
    let optional = [Fit::Optional; 4];
    Table::new(0, &[whole, optional].concat())
}

/// Returns the time since the start of an instance, in whole seconds as engines tell it.
fn age(one: &InstanceSummary, now: i64) -> String {
    match u64::try_from(now - one.created).unwrap_or(0) {
        seconds @ 0..=9 => format!("{seconds} s"),
        seconds => duration(std::time::Duration::from_secs(seconds)),
    }
}

fn row(one: &InstanceSummary, health: Option<&Health>, age: String) -> [Cell; 8] {
    let (state, paint) = state_of(one, health);
    let user = match (one.identity.lifetime, one.identity.role) {
        (Retention::Workspace, _) => "workspace",
        (_, Role::Component) => "",
        _ if one.identity.is_independent_service() => "",
        _ => one.identity.component.as_str(),
    };
    [
        Cell::styled(safe_line(&one.identity.name), style::name),
        one.identity.run.to_string().into(),
        Cell::styled(state, paint),
        ports(one).into(),
        age.into(),
        safe_line(user).into_owned().into(),
        one.engine.into(),
        Cell::styled(safe_line(&one.what), style::dim),
    ]
}

/// Returns the state of an instance in words, and their colour.
fn state_of(one: &InstanceSummary, health: Option<&Health>) -> (String, fn(&str) -> String) {
    let (state, paint) = state(&one.status, health);
    (if one.is_retained { format!("{state}, retained") } else { state }, paint)
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
        Status::Exited(0) => ("✔ exited (0)".to_owned(), style::good),
        Status::Exited(code) if *code < 0 => ("✘ not running".to_owned(), style::bad),
        Status::Exited(code) => (format!("✘ exited ({code})"), style::bad),
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
        detached: one.identity.lifetime == Retention::Retained,
        retained: one.is_retained || one.identity.lifetime == Retention::Workspace,
    }
}
