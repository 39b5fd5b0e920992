//! Staging, following and reporting with servers that misbehave at random: nothing hangs, no comment is made twice, no
//! token reaches another host, and every error has a documented exit code. `CKI_TEST_CASES` is the number of servers.

use crate::support;
use std::sync::Arc;
use std::time::Duration;

use cki::base::http::HttpClient;
use cki::base::secret::Secret;
use cki::demo::gitlab::{ControlFile, FaultKind, InjectedFault, StandIn};
use cki::host::signals::Shutdown;
use cki::model::event::Events;
use cki::ops::stage::{self, StageOptions};
use cki::systems::gitlab::{ClientOptions, GitLab};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::progress::{DEEP, of};
use super::stage::Try;
use super::{ALICE, ByHand, stand_in};

/// Servers by default.
const SERVERS: u32 = 24;
/// Longest time that a call may take, for a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

fn kind(elsewhere: String) -> impl Strategy<Value = FaultKind> {
    prop_oneof![
        Just(FaultKind::Silence),
        Just(FaultKind::Trickle(20)),
        prop::sample::select(vec![
            "/api/v4/user",
            "/api/v4/projects/101",
            "/api/v4/projects/101/merge_requests/213"
        ])
        .prop_map(|path| FaultKind::OtherBody(path.to_owned())),
        prop::sample::select(vec![400, 401, 403, 404, 409, 418, 500, 502, 503]).prop_map(FaultKind::Status),
        Just(FaultKind::Truncated),
        Just(FaultKind::HalfJson),
        Just(FaultKind::Reset),
        Just(FaultKind::Page),
        Just(FaultKind::Circle),
        Just(FaultKind::Redirect(elsewhere)),
        (0u64..400)
            .prop_map(|wait| FaultKind::TooMany { retry_after: Some(wait.to_string()), reset_in: None }),
    ]
}

fn fault(elsewhere: &str) -> impl Strategy<Value = InjectedFault> {
    let path = prop::sample::select(vec![
        "",
        "/notes",
        "/pipelines",
        "/jobs",
        "/bridges",
        "/merge_requests/1",
        "/user",
    ]);
    let method = prop::sample::select(vec![None, Some("GET"), Some("POST"), Some("PUT")]);
    (method, path, 0u32..6, 1u32..8, any::<bool>(), kind(format!("{elsewhere}/api/v4/user"))).prop_map(
        |(method, path, after, times, done, kind)| InjectedFault {
            method: method.map(str::to_owned),
            path: path.to_owned(),
            after,
            times,
            // A server that says this has refused the request.
            done: done && !matches!(kind, FaultKind::TooMany { .. }),
            kind,
        },
    )
}

/// Stages, follows and reports; returns the errors.
async fn use_everything(stand_in: &Arc<StandIn>) -> Vec<anyhow::Error> {
    let mut means =
        ClientOptions::new(Arc::new(HttpClient::default()), ByHand::new(stand_in), Events::silent());
    // Real time: a server that does not answer costs this much.
    means.timeout = Duration::from_millis(25);
    let gitlab = GitLab::new(stand_in.url(), Some(Secret::new(ALICE).into()), means).expect("is an address");
    let (events, stop) = (Events::silent(), Shutdown::new());
    let options = StageOptions {
        timeout: Some(Duration::from_secs(900)),
        answer_within: Duration::from_secs(300),
        patience: Duration::from_secs(120),
        ..StageOptions::default()
    };
    let mut errors: Vec<anyhow::Error> = Vec::new();
    match stage::plan(&gitlab, &Try::new(stand_in, DEEP, 1).staging, &events).await {
        Ok(plan) => match stage::run(&gitlab, plan, &options, &events, &stop).await {
            Ok(outcome) => drop(outcome),
            Err(error) => errors.push(error.into()),
        },
        Err(error) => errors.push(error.into()),
    }
    match stage::watch(&gitlab, &of(DEEP, 1), &options, &events, &stop).await {
        Ok(outcome) => drop(outcome),
        Err(error) => errors.push(error.into()),
    }
    match stage::progress(&gitlab, &of(DEEP, 1), &events).await {
        Ok(found) => {
            if let Err(error) = stage::post_report(&gitlab, &found.merge_request, "report").await {
                errors.push(error.into());
            }
        }
        Err(error) => errors.push(error.into()),
    }
    errors
}

#[test]
fn misbehaving_servers_are_survived() {
    let cases = support::cases().unwrap_or(SERVERS);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("starts");
    let elsewhere = stand_in();
    let faults = prop::collection::vec(fault(elsewhere.url()), 1..6);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 20, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&faults, |faults| {
        let stand_in = stand_in();
        for fault in faults {
            stand_in.control(ControlFile::Misbehave(fault)).expect("is taken");
        }
        let errors =
            runtime.block_on(async { tokio::time::timeout(PATIENCE, use_everything(&stand_in)).await });
        let errors = errors.map_err(|_| TestCaseError::fail("hangs"))?;
        let count = |part: &str| {
            let comments = stand_in.comments(DEEP, 1);
            comments.iter().filter(|(_, user, body)| user == "alice" && body.contains(part)).count()
        };
        prop_assert!(count("please test") <= 1, "{:?}", stand_in.comments(DEEP, 1));
        prop_assert!(count("cki:stage-report") <= 1, "{:?}", stand_in.comments(DEEP, 1));
        prop_assert!(elsewhere.requests().is_empty(), "{:?}", elsewhere.requests());
        for error in errors {
            let code = cki::cli::exit_code_of(&error);
            prop_assert!([1, 3, 4, 5, 6, 7, 124].contains(&code), "{}: {:?}", code, error);
            let text = format!("{error:?}");
            prop_assert!(!text.contains(ALICE), "{}", text);
        }
        Ok(())
    });
    outcome.expect("holds");
}
