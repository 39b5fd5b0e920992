//! Cancellation of a staging: the plan, and its result.

use serde::Serialize;

use super::words::{paint, symbol};
use crate::base::text::{Cell, Table, plural, safe_line};
use crate::ops::stage::CancelPlan;
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct CancelView<'a> {
    merge_request: String,
    requested_by: &'a str,
    canceled: bool,
    pipelines: Vec<CanceledView<'a>>,
}

#[derive(Serialize)]
struct CanceledView<'a> {
    project: &'a str,
    id: u64,
    name: &'a str,
    status: &'a str,
    url: Option<&'a str>,
}

/// Prints the pipelines to cancel, for a confirmation.
pub fn print_cancel_plan(ui: &Ui, plan: &CancelPlan) {
    if ui.is_structured() || ui.is_names() {
        return;
    }
    let mut table = Table::new(2, &[]);
    for one in &plan.pipelines {
        table.row([
            Cell::styled(safe_line(&one.name), style::name),
            one.id.to_string().into(),
            Cell::styled(
                format!("{} {}", symbol(&one.status), safe_line(one.status.as_str())),
                paint(&one.status),
            ),
            safe_line(&one.project).into_owned().into(),
        ]);
    }
    for line in table.lines(ui.columns()) {
        ui.status(&line);
    }
}

/// Prints the result; `canceled` is false after a dry run. A pipeline that runs on is told apart.
pub fn print_canceled(ui: &Ui, plan: &CancelPlan, canceled: bool) {
    if ui.is_structured() {
        return view::print(
            ui,
            &CancelView {
                merge_request: plan.merge_request.reference(),
                requested_by: &plan.requested_by,
                canceled: canceled && plan.ending() == plan.pipelines.len(),
                pipelines: plan
                    .pipelines
                    .iter()
                    .map(|one| CanceledView {
                        project: &one.project,
                        id: one.id,
                        name: &one.name,
                        status: one.status.as_str(),
                        url: one.url.as_deref(),
                    })
                    .collect(),
            },
        );
    }
    if ui.is_names() {
        return ui.names(plan.pipelines.iter().map(|one| one.id.to_string()));
    }
    let count = plural(plan.pipelines.len(), "pipeline");
    match (plan.pipelines.len(), canceled) {
        (0, _) => ui.status("All pipelines have ended; nothing is left to cancel."),
        (all, true) if plan.ending() < all => {
            let left = all - plan.ending();
            ui.error(
                &format!("{left} of {count} did not end.", count = plural(all, "pipeline")),
                &[],
                &["cancel it on its page; the server has not obeyed.".to_owned()],
            );
        }
        (_, true) => ui.status(&format!("{} Canceled {count}.", style::good("✔"))),
        (_, false) => ui.status(&format!("Nothing was canceled; {count} would be.")),
    }
}
