//! The report on a staging as Markdown, for a comment on the merge request. Text from outside is code in it: it mentions
//! nobody, links nowhere, and runs no quick action.

use std::fmt::Write as _;

use super::page::notes;
use super::release::facts;
use super::words::{
    SHORT, job_counts, pipeline_name, result, rollout_result, stops, symbol, symbol_of_class, time_of_day,
};
use crate::base::template::html::TextCleaner;
use crate::base::text::{duration, safe_line};
use crate::model::staging::PipelineStatus;
use crate::ops::stage::kubernetes::ReleaseProgress;
use crate::ops::stage::{FailedJob, StagingProgress};

/// Renders the report. `cleaner` hides secrets.
#[must_use]
pub fn markdown(progress: &StagingProgress, cleaner: &TextCleaner) -> String {
    let code = |text: &str| code(&cleaner.clean(text));
    let facts = &progress.merge_request;
    let (_, mark, text) = result(progress);
    let head: String = facts.head.chars().take(SHORT).collect();
    let mut md = format!("**Staging: {mark} {text}** · head {}\n", code(&head));
    if let Some(request) = &progress.request {
        let _ = write!(
            md,
            "\nRequested by {} at {}: {}\n",
            code(&format!("@{}", request.author)),
            safe_line(&time_of_day(&request.comment.created_at)),
            code(&request.text)
        );
    }
    for note in notes(progress) {
        let _ = write!(md, "\n{}\n", code(&note));
    }
    if !progress.pipelines.is_empty() {
        md.push_str("\n| Pipeline | ID | State | Jobs | Duration |\n|---|---|---|---|---|\n");
    }
    for outcome in &progress.pipelines {
        let row = |md: &mut String, name: &str, id: &str, status: &PipelineStatus, jobs: &str, took: &str| {
            let _ = writeln!(
                md,
                "| {name} | {id} | {} {} | {jobs} | {took} |",
                symbol(status),
                code(status.as_str())
            );
        };
        let Some(course) = &outcome.course else {
            let name = code(&format!("{} {}", outcome.group, outcome.branch));
            let id = outcome.id.map_or_else(|| "–".to_owned(), |id| linked(id, outcome.url.as_deref()));
            row(&mut md, &name, &id, &outcome.status, "–", "–");
            continue;
        };
        for (level, one) in course.all() {
            let name = format!("{}{}", "› ".repeat(level), code(&pipeline_name(outcome, one)));
            let took = one.span.lasted(progress.read_at).map_or_else(|| "–".to_owned(), duration);
            let jobs = job_counts(one).unwrap_or_else(|| "–".to_owned());
            row(&mut md, &name, &linked(one.id, one.url.as_deref()), &one.status, &jobs, &took);
        }
    }
    for job in progress.pipelines.iter().flat_map(|one| &one.failed) {
        failure(&mut md, job, cleaner);
    }
    for one in &progress.releases {
        release(&mut md, one, progress, cleaner);
    }
    for one in &progress.environments {
        let url = one.url.as_deref().filter(|url| is_plain(url)).map(|url| format!(" · <{url}>"));
        let stops = stops(one, progress.read_at).map(|when| format!(" · stops {when}"));
        let _ = write!(
            md,
            "\nEnvironment {}: {}{}{}\n",
            code(&one.name),
            code(one.state.as_deref().unwrap_or("unknown")),
            stops.unwrap_or_default(),
            url.unwrap_or_default()
        );
    }
    md
}

fn failure(md: &mut String, job: &FailedJob, cleaner: &TextCleaner) {
    let name = code(&cleaner.clean(&job.name));
    let reason = job.reason.as_deref().map(|reason| format!(" · {}", code(&cleaner.clean(reason))));
    let job_link = linked(job.id, job.url.as_deref());
    let reason = reason.unwrap_or_default();
    let _ = write!(md, "\n<details><summary>Failed job {}</summary>\n\n", job.id);
    let _ = write!(md, "{name} of stage {}, job {job_link}{reason}\n\n", code(&cleaner.clean(&job.stage)));
    fenced(md, &cleaner.clean(&job.log.join("\n")));
    md.push_str("\n</details>\n");
}

fn release(md: &mut String, one: &ReleaseProgress, progress: &StagingProgress, cleaner: &TextCleaner) {
    let code = |text: &str| code(&cleaner.clean(text));
    let (class, state) = rollout_result(&one.rollout);
    let older = if one.is_of(&progress.merge_request.head) { "" } else { " · of an older commit" };
    let _ = write!(
        md,
        "\nRelease {}: {} {}{older}\n\n",
        code(&one.remains.name),
        symbol_of_class(class),
        code(&state)
    );
    // Without durations, so that a later report is the same.
    for (label, text) in facts(one, None) {
        let text = cleaner.clean(&text);
        let is_link = label == "Address" && is_plain(&text);
        let _ = writeln!(md, "- {label}: {}", if is_link { format!("<{text}>") } else { self::code(&text) });
    }
    if !one.steps.is_empty() {
        md.push_str("\n| Time | Object | Step |\n|---|---|---|\n");
    }
    for step in &one.steps {
        let at = time_of_day(&step.at.to_string());
        let _ = writeln!(md, "| {at} | {} | {} |", code(&step.object), code(&step.text));
    }
    for failed in &one.failed {
        let name = code(format!("{} · {}", failed.pod, failed.container).trim_end_matches(" · "));
        let _ =
            write!(md, "\n<details><summary>Failing pod</summary>\n\n{name}: {}\n\n", code(&failed.reason));
        for event in &failed.events {
            let _ = writeln!(md, "- {}", code(event));
        }
        md.push('\n');
        fenced(md, &cleaner.clean(&failed.log.join("\n")));
        md.push_str("\n</details>\n");
    }
}

/// Writes a log that nothing in it can end.
fn fenced(md: &mut String, log: &str) {
    // Longer than any row of the same characters in the log.
    let fence = "~".repeat(longest_run(log, '~').max(3) + 1);
    // A line that begins with a slash could be a quick action, wherever GitLab looks for them.
    let lines: Vec<String> = log.lines().map(|line| format!("  {}", inert(line))).collect();
    let _ = write!(md, "{fence}text\n{}\n{fence}\n", lines.join("\n"));
}

/// Returns a text that addresses nobody. Bots read a comment as text, and a request that is quoted in code would be made
/// again; so an invisible character follows each `@`.
fn inert(text: &str) -> String {
    text.replace('@', "@\u{200b}")
}

/// Returns a text as inline code in a table.
fn code(text: &str) -> String {
    let text = inert(&safe_line(text)).replace('`', "'").replace('|', "¦");
    let text = text.trim();
    if text.is_empty() { "–".to_owned() } else { format!("`{text}`") }
}

fn linked(id: u64, url: Option<&str>) -> String {
    url.filter(|url| is_plain(url)).map_or_else(|| id.to_string(), |url| format!("[{id}]({url})"))
}

/// Returns whether an address has no character with a meaning in Markdown.
fn is_plain(url: &str) -> bool {
    url.chars().all(|c| c.is_ascii_alphanumeric() || ":/._-%#?=&~+".contains(c))
}

fn longest_run(text: &str, of: char) -> usize {
    text.split(|c| c != of).map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_stays_code() {
        assert_eq!(code("a`b|@all\u{1b}[31m"), "`a'b¦@\u{200b}all`");
        assert_eq!(code(" "), "–");
        assert_eq!(linked(3, Some("https://h/a/-/pipelines/3")), "[3](https://h/a/-/pipelines/3)");
        assert_eq!(linked(3, Some("https://h/)[x](https://evil")), "3");
        assert_eq!(longest_run("a~~~~b~", '~'), 4);
        let quoted = code("@cki-ci-bot please test [a=1]");
        assert!(crate::model::staging::parse_command(&quoted, "cki-ci-bot").is_none(), "{quoted}");
    }
}
