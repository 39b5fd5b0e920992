//! The stand-in for GitLab with the projects of the fixture, for tests of the program. Tests of the client and of staging
//! itself have set-up of their own in `gitlab`.

use cki::demo::gitlab::{
    ControlFile, FaultKind, InjectedFault, StandIn, StandInConfig, StandInOptions, TimeScale,
};

use super::cli::Cli;

/// The token of a user who may do all that a developer may.
pub(crate) const ALICE: &str = "alice-not-a-real-token";

/// Starts a stand-in with a changed configuration. Its clock starts at 2026-11-22 10:00:00 UTC.
pub(crate) fn stand_in(pace: TimeScale, change: impl FnOnce(&mut StandInConfig)) -> StandIn {
    let text = include_str!("../../fixtures/gitlab.yaml");
    let mut config = StandInConfig::parse("gitlab.yaml", text).expect("is valid");
    change(&mut config);
    let began = "2026-11-22T10:00:00Z".parse().expect("is a time");
    StandIn::start(StandInOptions { config, pace, began, port: 0 }).expect("starts")
}

/// Returns a project of an inventory that talks to a stand-in as Alice.
pub(crate) fn cli_of(gitlab: &StandIn, inventory: &str) -> Cli {
    let mut cli = Cli::new();
    cli.set("CKI_GITLAB_URL", gitlab.url());
    cli.set("CKI_GITLAB_TOKEN", ALICE);
    cli.set("CKI_STAGE_INTERVAL", "1");
    cli.inventory(inventory);
    cli
}

/// Refuses the next requests that match with a status.
pub(crate) fn fault(gitlab: &StandIn, method: &str, path: &str, times: u32, status: u16) {
    let (method, path, kind) = (Some(method.to_owned()), path.to_owned(), FaultKind::Status(status));
    let fault = InjectedFault { method, path, after: 0, times, done: false, kind };
    gitlab.control(ControlFile::Misbehave(fault)).expect("is taken");
}
