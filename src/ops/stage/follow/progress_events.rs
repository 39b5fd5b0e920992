//! Progress events of one followed pipeline: a subject for the pipeline, for each of its stages, and for each pipeline that
//! it triggers. Only changes are sent.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::event::{Event, Events, PipelineEvent, TaskOutcome};
use crate::model::staging::{PipelineCourse, PipelineStatus, StageCourse};
use crate::ops::stage::PipelineOutcome;

/// The events that were sent last, by subject.
#[derive(Debug, Default)]
pub(super) struct ProgressEvents(BTreeMap<String, PipelineEvent>);

impl ProgressEvents {
    /// Returns whether the end of everything was sent.
    pub(super) fn is_complete(&self) -> bool {
        !self.0.is_empty() && self.0.values().all(|event| event.finished)
    }

    /// Sends the events in which anything but the time has changed.
    pub(super) fn send(&mut self, one: &PipelineOutcome, now: Timestamp, events: &Events) {
        if let Some(course) = &one.course {
            self.send_stages(one, &one.branch, course, now, events);
            for (_, below) in course.all().into_iter().skip(1) {
                let branch = format!("{} › {}", one.branch, below.trigger.as_deref().unwrap_or("–"));
                self.send_stages(one, &branch, below, now, events);
                self.change(
                    events,
                    PipelineEvent {
                        group: one.group.clone(),
                        branch,
                        id: Some(below.id),
                        status: below.status.clone(),
                        url: below.url.clone(),
                        took: below.span.lasted(now),
                        detail: if below.status == PipelineStatus::Running {
                            position(below)
                        } else {
                            String::new()
                        },
                        finished: below.status.is_finished() || below.unread.is_some(),
                    },
                );
            }
        }
        let detail = match &one.course {
            _ if one.gone => "deleted".to_owned(),
            Some(course) if one.status == PipelineStatus::Running => position(course),
            _ => String::new(),
        };
        self.change(
            events,
            PipelineEvent {
                group: one.group.clone(),
                branch: one.branch.clone(),
                id: one.id,
                status: one.status.clone(),
                url: one.url.clone(),
                took: one.duration,
                detail,
                finished: one.gone || one.has_ended() || one.status.is_finished(),
            },
        );
    }

    fn send_stages(
        &mut self,
        one: &PipelineOutcome,
        branch: &str,
        course: &PipelineCourse,
        now: Timestamp,
        events: &Events,
    ) {
        let begun = course.stages().into_iter().filter(|stage| stage.span().from.is_some());
        for stage in begun {
            let status = stage.status();
            self.change(
                events,
                PipelineEvent {
                    group: one.group.clone(),
                    branch: format!("{branch} · {}", stage.name),
                    id: None,
                    finished: status.is_finished(),
                    detail: if status.is_success() { String::new() } else { counts(&stage) },
                    status,
                    url: course.url.clone(),
                    took: stage.span().lasted(now),
                },
            );
        }
    }

    fn change(&mut self, events: &Events, event: PipelineEvent) {
        let timeless = |event: &PipelineEvent| PipelineEvent { took: None, ..event.clone() };
        let known = self.0.get(&event.subject());
        if known.map(timeless) != Some(timeless(&event)) {
            events.send(Event::Pipeline(event.clone()));
            self.0.insert(event.subject(), event);
        }
    }

    /// Reports that the pipeline is not followed any more, unless it has ended.
    pub(super) fn abandon(&self, events: &Events) {
        for last in self.0.values().filter(|last| !last.finished) {
            if last.id.is_none() {
                events.send(Event::Dismissed { subject: last.subject() });
                continue;
            }
            events.send(Event::Finished {
                subject: last.subject(),
                state: TaskOutcome::Skipped,
                detail: format!("{}, not followed any more", last.status),
                took: last.took.unwrap_or_default(),
            });
        }
    }
}

/// Describes the progress of a running pipeline in a few words.
fn position(course: &PipelineCourse) -> String {
    let running = course.jobs.iter().rev().find(|job| job.status == PipelineStatus::Running);
    let ended = course.jobs.iter().filter(|job| job.status.is_finished()).count();
    let counts = (!course.jobs.is_empty()).then(|| format!("{ended} of {} jobs", course.jobs.len()));
    running.map(|job| job.name.clone()).into_iter().chain(counts).collect::<Vec<_>>().join(", ")
}

fn counts(stage: &StageCourse) -> String {
    format!("{} of {} jobs", stage.ended(), stage.jobs.len())
}
