//! `cki setup`: the plan, and what came of it, as text and as JSON.

use serde::Serialize;

use crate::base::exit::Exit;
use crate::base::text::{self, plural};
use crate::ops::doctor::{Check, State};
use crate::ops::setup::{ByHand, Outcome, Plan, Step, lacks};
use crate::report::doctor::{self, CheckView, check_view};
use crate::report::view;
use crate::ui::{Ui, style};

/// The column in which commands begin.
const INDENT: usize = 5;

#[derive(Serialize)]
struct PlanView<'a> {
    steps: Vec<StepView<'a>>,
    by_hand: Vec<ByHandView<'a>>,
}

#[derive(Serialize)]
struct StepView<'a> {
    why: String,
    /// The command, program first.
    command: Option<&'a [String]>,
    /// The file that gets a line.
    file: Option<String>,
    line: Option<String>,
    state: Option<&'static str>,
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct ByHandView<'a> {
    what: &'a str,
    command: Option<&'a str>,
}

#[derive(Serialize)]
struct SetupView<'a> {
    #[serde(flatten)]
    plan: PlanView<'a>,
    checks: Vec<CheckView<'a>>,
}

/// Prints what will be done. With nothing to do, it says so.
pub fn plan(ui: &Ui, plan: &Plan) {
    if ui.is_json() {
        return view::print_line(ui, "plan", &plan_view(plan, &[]));
    }
    if plan.steps.is_empty() && plan.by_hand.is_empty() {
        return ui.say("Nothing is missing that `cki setup` could add; `cki doctor` shows everything.");
    }
    for (index, step) in plan.steps.iter().enumerate() {
        item(ui, &format!("{:>3}  ", index + 1), &step.why(), Some(&step.shown()));
    }
    by_hand(ui, plan);
}

fn by_hand(ui: &Ui, plan: &Plan) {
    if plan.by_hand.is_empty() {
        return;
    }
    ui.data(&style::heading("By hand"));
    for ByHand { what, command } in &plan.by_hand {
        item(ui, &" ".repeat(INDENT), what, command.as_deref());
    }
}

/// What it is for, and below that the command, never broken: it is there to be copied.
fn item(ui: &Ui, start: &str, what: &str, command: Option<&str>) {
    let room = ui.columns().map_or(usize::MAX, |columns| columns.saturating_sub(INDENT).max(20));
    for (index, part) in text::wrap(&text::safe_line(what), room).iter().enumerate() {
        let start = if index == 0 { start } else { "     " };
        ui.data(&format!("{start}{part}"));
    }
    if let Some(command) = command {
        ui.data(&format!("{:INDENT$}{}", "", style::command(&text::safe_line(command))));
    }
}

/// Prints how it is now, with what is still missing or wrong, and gives the exit code.
pub fn outcome(ui: &Ui, plan: &Plan, outcomes: &[Outcome], checks: &[Check]) -> Exit {
    let failed = outcomes.iter().filter(|outcome| !matches!(outcome, Outcome::Done)).count();
    let exit = if failed > 0 || !lacks(checks).is_empty() { Exit::Failed } else { doctor::exit(checks) };
    if ui.is_json() {
        let plan = plan_view(plan, outcomes);
        view::print_line(ui, "result", &SetupView { plan, checks: checks.iter().map(check_view).collect() });
        return exit;
    }
    let bad: Vec<&Check> =
        checks.iter().filter(|check| matches!(check.found.state, State::Failed | State::Warning)).collect();
    if failed > 0 {
        let (these, were) = (plural(failed, "step"), if failed == 1 { "was" } else { "were" });
        ui.say(&format!("{} {these} of {} {were} not done.", style::bad("✘"), outcomes.len()));
    }
    if bad.is_empty() {
        ui.say(&format!("{} Everything was checked again, and all is well.", style::good("✔")));
    } else {
        ui.say("Everything was checked again. What is left:");
        doctor::rows(ui, bad.into_iter());
    }
    by_hand(ui, plan);
    exit
}

fn plan_view<'a>(plan: &'a Plan, outcomes: &'a [Outcome]) -> PlanView<'a> {
    let by_hand = |one: &'a ByHand| ByHandView { what: &one.what, command: one.command.as_deref() };
    PlanView {
        steps: plan
            .steps
            .iter()
            .enumerate()
            .map(|(index, step)| step_view(step, outcomes.get(index)))
            .collect(),
        by_hand: plan.by_hand.iter().map(by_hand).collect(),
    }
}

fn step_view<'a>(step: &'a Step, outcome: Option<&'a Outcome>) -> StepView<'a> {
    let (command, file, line) = match step {
        Step::Run { argv, .. } => (Some(argv.as_slice()), None, None),
        Step::Teach(shell) => (None, Some(shell.file.display().to_string()), Some(step.shown())),
    };
    let (state, error) = match outcome {
        None => (None, None),
        Some(Outcome::Done) => (Some("done"), None),
        Some(Outcome::Skipped) => (Some("skipped"), None),
        Some(Outcome::Failed(why)) => (Some("failed"), Some(why.as_str())),
    };
    StepView { why: step.why(), command, file, line, state, error }
}
