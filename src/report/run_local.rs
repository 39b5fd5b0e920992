//! Report of `cki run-local`: the result of the run. Everything before is shown by events.

use serde::Serialize;

use crate::base::text::{self, duration};
use crate::host::signals::Signal;
use crate::model::scan::{UseState, VarUsage};
use crate::ops::run_local::{PortMapping, RunExit, RunOutcome};
use crate::report::view;
use crate::ui::{PortView, Ui, Verbosity, style};

/// Maximum number of missing variables shown after a failure.
const LACKING: usize = 3;

#[derive(Serialize)]
struct RunView<'a> {
    run: &'a str,
    component: String,
    components: &'a [String],
    engine: &'a str,
    state: &'static str,
    exit_code: Option<i64>,
    ports: Vec<ComponentPortView<'a>>,
    retained_services: &'a [String],
    remaining: &'a [String],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    retained: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    reused: bool,
}

#[derive(Serialize)]
struct ComponentPortView<'a> {
    component: &'a str,
    #[serde(flatten)]
    port: PortView,
}

/// Prints the result of a run.
pub fn print(ui: &Ui, ended: &RunOutcome, took: std::time::Duration) {
    if ui.is_structured() {
        return view::print_line(ui, "result", &run_view(ended));
    }
    let names: Vec<String> = ended.components.iter().map(|name| format!("`{name}`")).collect();
    let (name, was, continues) = match names.len() {
        0 | 1 => (names.concat(), "was", "continues"),
        _ => (text::join_and(&names), "were", "continue"),
    };
    let left = match (ended.remaining.is_empty(), ended.retained_services.as_slice()) {
        _ if ended.retained => "everything retained".to_owned(),
        (true, []) => "nothing left behind".to_owned(),
        (true, kept) => format!("{} retained, nothing else left behind", text::join_and(kept)),
        (false, _) => "not all could be removed".to_owned(),
    };
    let time = duration(took);
    match &ended.exit {
        RunExit::Exited(0) => ui.status(&format!("{} {name} ended after {time}, {left}.", style::good("✔"))),
        RunExit::Exited(code) => {
            ui.status(&format!(
                "{} {name} ended with exit code {code} after {time}, {left}.",
                style::bad("✘")
            ));
        }
        RunExit::Stopped(Signal::Down) => {
            ui.status(&format!("{name} {was} stopped by `cki down` after {time}, {left}."));
        }
        RunExit::Stopped(_) => ui.status(&format!("{name} {was} stopped after {time}, {left}.")),
        // A script wants the run alone.
        RunExit::Detached(_) if ui.verbosity() == Verbosity::Quiet => ui.data(ended.run.as_str()),
        RunExit::Detached(ports) => {
            // The events of a run that has just started said so.
            for PortMapping { component, port } in ports.iter().filter(|_| ended.reused) {
                ui.status(&format!("  {}  {}", style::name(&format!("{component:<11}")), port.address()));
            }
            let before = if ended.reused { ", from before" } else { "" };
            ui.status(&format!("{} {name} {continues} as run {}{before}.", style::good("✔"), ended.run));
            let query = &ended.query;
            // The name of one component does not mean the group.
            let all = if names.len() > 1 { ended.run.to_string() } else { query.clone() };
            let commands = [format!("logs -f {all}"), format!("exec {query} COMMAND"), format!("down {all}")];
            let commands = commands.map(|command| ui.command(&format!("cki {command}")));
            ui.status(&style::dim(&commands.join(" · ")));
        }
    }
}

/// Prints the next steps after the failure of a component: the variables that its sources read and that it does not
/// get, and how to look at it.
pub fn print_next_steps(ui: &Ui, component: &str, lacking: &[VarUsage], ended: &RunOutcome) {
    for one in lacking.iter().take(LACKING) {
        let name = text::safe_line(&one.name);
        let place = one.places.iter().find(|place| place.counts());
        let place = place.map(|place| format!("{}:{}", text::safe_line(&place.file), place.line));
        let place = place.unwrap_or_else(|| "its source".to_owned());
        let similar = match &one.state {
            UseState::Misspelt { given, is_unread: true } => format!("; `{given}` is given and never read"),
            UseState::Misspelt { given, is_unread: false } => format!("; `{given}` is given"),
            _ => String::new(),
        };
        ui.hint(&format!("{place} needs `{name}`, which `{component}` does not get{similar}."));
    }
    if lacking.len() > LACKING {
        let more = lacking.len() - LACKING;
        ui.hint(&format!("`cki env {component} --scan` shows {more} more."));
    }
    let component = shell_words::quote(component);
    let query = &ended.query;
    let (shell, and_shell) = match ended.can_be_copied() {
        true => {
            (format!(", `cki shell {query}` opens a shell like it"), format!(" and `cki shell {component}`"))
        }
        false => (String::new(), String::new()),
    };
    ui.hint(&match ended.retained {
        true => format!("`cki logs {query}` shows its output{shell}."),
        false => format!(
            "`cki run-local {component} --keep on-failure` keeps it for `cki logs {component}`{and_shell}."
        ),
    });
}

fn run_view(ended: &RunOutcome) -> RunView<'_> {
    let (state, exit_code, ports) = match &ended.exit {
        RunExit::Exited(code) => ("exited", Some(*code), [].as_slice()),
        RunExit::Stopped(_) => ("stopped", None, [].as_slice()),
        RunExit::Detached(ports) => ("detached", None, ports.as_slice()),
    };
    let ports = ports
        .iter()
        .map(|PortMapping { component, port }| ComponentPortView { component, port: PortView::from(port) });
    RunView {
        run: ended.run.as_str(),
        component: ended.components.join(", "),
        components: &ended.components,
        engine: ended.engine,
        state,
        exit_code,
        ports: ports.collect(),
        retained_services: &ended.retained_services,
        remaining: &ended.remaining,
        retained: ended.retained,
        reused: ended.reused,
    }
}
