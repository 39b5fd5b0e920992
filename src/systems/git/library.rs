//! Transfers through libgit2. `transport_choice` decides when to use it; `transport` carries its HTTP.

use std::sync::Arc;
use std::time::{Duration, Instant};

use git2::{AutotagOption, Direction, FetchOptions, RemoteCallbacks, Repository};

use super::error::at;
use super::fetch::{FetchRequest, RemoteRefs};
use super::server_message::sanitize_message;
use super::session::GitSession;
use super::tracking::make_way;
use super::{GitContext, GitError, GitUrl};
use crate::model::event::ProgressUnit;

/// Minimum time between two progress events.
const OFTEN: Duration = Duration::from_millis(50);

pub(super) fn fetch(
    repository: &Repository,
    url: &GitUrl,
    session: &Arc<GitSession>,
    job: GitContext<'_>,
    fetch_request: &FetchRequest<'_>,
) -> Result<RemoteRefs, GitError> {
    let _entered = session.enter();
    let explain = |error| session.explain(error);
    let mut remote = repository.remote_anonymous(url.as_str()).map_err(explain)?;
    let mut connection =
        remote.connect_auth(Direction::Fetch, Some(callbacks(job)), None).map_err(explain)?;
    let refs = connection.list().map_err(explain)?;
    let refs = refs.iter().map(|head| (head.name().to_owned(), head.oid())).collect();
    let default_branch = connection.default_branch().ok();
    let default_branch = default_branch.and_then(|name| name.as_str().ok().map(str::to_owned));
    let advertised =
        RemoteRefs { default_branch, refs, is_complete: true, shallow: fetch_request.depth.is_some() };
    let specs = (fetch_request.plan)(&advertised)?;
    if specs.is_empty() {
        return Ok(advertised);
    }
    make_way(repository, &specs, &advertised, fetch_request.prune).map_err(at(repository.path()))?;
    let mut options = FetchOptions::new();
    options.remote_callbacks(callbacks(job)).update_fetchhead(false).download_tags(AutotagOption::Auto);
    if let Some(depth) = fetch_request.depth {
        options.depth(i32::try_from(depth).unwrap_or(i32::MAX));
    }
    connection.remote().fetch(&specs, Some(&mut options), Some("cki: fetch")).map_err(explain)?;
    Ok(advertised)
}

fn callbacks<'a>(job: GitContext<'a>) -> RemoteCallbacks<'a> {
    let mut callbacks = RemoteCallbacks::new();
    let mut meter = Meter::new(job);
    callbacks.transfer_progress(move |progress| {
        let total = progress.total_objects();
        if total == 0 {
            meter.bytes(progress.received_bytes());
        } else if progress.received_objects() < total {
            meter.objects(progress.received_objects(), total);
        } else {
            meter.objects(progress.indexed_objects(), total);
        }
        job.stop.now().is_none()
    });
    callbacks.sideband_progress(move |text| {
        let text = String::from_utf8_lossy(text);
        if let Some(line) = text.split(['\r', '\n']).map(str::trim).rfind(|line| !line.is_empty()) {
            job.task.detail(sanitize_message(line));
        }
        job.stop.now().is_none()
    });
    callbacks
}

/// Reporter of progress, with a limited rate.
struct Meter<'a> {
    job: GitContext<'a>,
    last_report: Option<Instant>,
}

impl<'a> Meter<'a> {
    fn new(job: GitContext<'a>) -> Self {
        Self { job, last_report: None }
    }

    fn objects(&mut self, done: usize, total: usize) {
        if self.is_due() || done == total {
            self.job.task.progress(done as u64, Some(total as u64), ProgressUnit::Items);
        }
    }

    fn bytes(&mut self, done: usize) {
        if self.is_due() {
            self.job.task.progress(done as u64, None, ProgressUnit::Bytes);
        }
    }

    fn is_due(&mut self) -> bool {
        let due = self.last_report.is_none_or(|last_report| last_report.elapsed() >= OFTEN);
        if due {
            self.last_report = Some(Instant::now());
        }
        due
    }
}
